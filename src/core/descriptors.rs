//! Descriptors: how many files and connections this process may have open, what that leaves for asking hosts, and which
//! errors say that none is left.
//!
//! A shortage is this machine's failure: it says nothing about the feed, page or mail server that was to be asked.

use super::agenda::Politeness;
use jiff::SignedDuration;
use rustix::io::Errno;
use std::io;

/// What everything but fetching has open at once: the run time and signals (7), the store with its log and lock (8),
/// the journal, four deliveries with their name resolution (12), files that are read at a reload.
const RESERVED: usize = 32;
/// What one fetch may have open at once: its connection, one to another address of the host that is tried beside it, or
/// one that is about to be closed; and the name resolution of a fetch that was given up, which cannot be broken off.
const PER_FETCH: usize = 3;
/// Hosts at most to which idle connections are kept: each takes a descriptor and memory.
const KEPT_HOSTS: usize = 16;
/// Threads at most that wait for name servers and parse.
const BLOCKING_THREADS: usize = 96;

/// When that is tried again for which there was no descriptor.
pub const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// What a person can do about a shortage.
pub const REMEDY: &str = "raise the limit of open files: LimitNOFILE= in the systemd unit, `ulimit -n` in a shell";

/// How many descriptors this process may have open at once (`RLIMIT_NOFILE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors(usize);

impl Default for Descriptors {
    /// What Linux allows unless something else is said.
    fn default() -> Self {
        Self(1024)
    }
}

impl Descriptors {
    /// Wraps the limit of the system; nothing means that there is none.
    pub fn new(limit: Option<u64>) -> Self {
        Self(limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)))
    }

    /// Returns the limit.
    pub fn limit(self) -> usize {
        self.0
    }

    /// Says that there are fewer than the work takes: then certificates and the store would seem to be what cannot be
    /// opened.
    pub fn too_few(self) -> Option<String> {
        const LEAST: usize = RESERVED + PER_FETCH;
        let Self(limit) = self;
        (limit < LEAST).then(|| {
            format!("this process may have {limit} files open at once, and feedwatch needs {LEAST} or more: {REMEDY}")
        })
    }

    /// Returns how many hosts idle connections may be kept to. There are two clients, each of which may keep one.
    pub fn kept_hosts(self) -> usize {
        (self.for_fetching() / 8).min(KEPT_HOSTS)
    }

    /// Returns how many fetches may run at once.
    pub fn fetches(self) -> usize {
        (self.for_fetching().saturating_sub(2 * self.kept_hosts()) / PER_FETCH).max(1)
    }

    /// Returns how many threads may resolve names and parse.
    pub fn blocking_threads(self) -> usize {
        // One fetch resolves one name, and what else runs there is short.
        self.fetches().saturating_add(2).min(BLOCKING_THREADS)
    }

    /// Returns what was configured, with no more polls at once than there are descriptors for.
    pub fn bound(self, politeness: &Politeness) -> Politeness {
        Politeness { concurrency: politeness.concurrency.min(self.fetches()), ..politeness.clone() }
    }

    fn for_fetching(self) -> usize {
        self.0.saturating_sub(RESERVED)
    }
}

/// Tells whether an error says that this process, or the whole machine, has no descriptor left.
pub fn is_shortage(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// Says that none is left, and what can be done about it.
pub fn shortage() -> String {
    format!("this machine has no file descriptor left; {REMEDY}")
}

/// As [`is_shortage`], of resolving a name: the C library says "busy" where it could not open its files.
pub fn is_shortage_in_lookup(error: &io::Error) -> bool {
    is_shortage(error) || Errno::from_io_error(error) == Some(Errno::BUSY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::agenda::HostLimits;
    use std::{collections::BTreeMap, time::Duration};

    #[test]
    fn what_may_be_open_at_once_is_within_the_limit() {
        for (limit, fetches, kept_hosts, threads) in [
            (0, 1, 0, 3),
            (32, 1, 0, 3),
            (40, 2, 1, 4),
            (64, 8, 4, 10),
            (256, 64, 16, 66),
            (1024, 320, 16, 96),
            (4096, 1344, 16, 96),
        ] {
            let descriptors = Descriptors::new(Some(limit));
            assert_eq!(descriptors.fetches(), fetches, "{limit}");
            assert_eq!(descriptors.kept_hosts(), kept_hosts, "{limit}");
            assert_eq!(descriptors.blocking_threads(), threads, "{limit}");
        }
        assert_eq!(Descriptors::new(None).blocking_threads(), BLOCKING_THREADS);
        for limit in 36..2000 {
            let descriptors = Descriptors::new(Some(limit));
            let open = RESERVED + 2 * descriptors.kept_hosts() + PER_FETCH * descriptors.fetches();
            assert!(open <= descriptors.limit(), "{open} of {limit}");
        }
    }

    #[test]
    fn too_few_are_told_with_the_remedy() {
        for limit in [0, 14, 34] {
            let said = Descriptors::new(Some(limit)).too_few().unwrap();
            assert!(said.contains(&format!("may have {limit} files")) && said.contains("LimitNOFILE="), "{said}");
        }
        for limit in [Some(35), Some(1024), None] {
            assert_eq!(Descriptors::new(limit).too_few(), None, "{limit:?}");
        }
    }

    #[test]
    fn the_configured_concurrency_is_kept_where_there_are_descriptors_for_it() {
        let host = HostLimits { delay: Duration::from_secs(2), concurrency: 1 };
        let politeness = Politeness { concurrency: 64, host, hosts: BTreeMap::new() };
        assert_eq!(Descriptors::default().bound(&politeness), politeness);
        assert_eq!(Descriptors::new(None).bound(&politeness), politeness);
        assert_eq!(Descriptors::new(Some(64)).bound(&politeness), Politeness { concurrency: 8, ..politeness });
    }

    #[test]
    fn a_shortage_is_told_from_other_errors() {
        for (errno, anywhere, in_lookup) in [
            (Errno::MFILE, true, true),
            (Errno::NFILE, true, true),
            (Errno::BUSY, false, true),
            (Errno::CONNREFUSED, false, false),
            (Errno::NETUNREACH, false, false),
        ] {
            let error = io::Error::from(errno);
            assert_eq!((is_shortage(&error), is_shortage_in_lookup(&error)), (anywhere, in_lookup), "{error}");
        }
        assert!(!is_shortage(&io::Error::other("no number")));
    }
}
