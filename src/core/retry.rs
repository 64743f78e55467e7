//! Retry of mails: how an attempt ended, and when the next one is due.

use super::descriptors;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// Row of a mail in the outbox. Only the store makes one, or a person who typed its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct MailId(i64);

impl MailId {
    /// Wraps the row id that the store gave.
    pub(crate) fn from_row(id: i64) -> Self {
        Self(id)
    }

    /// Returns the row id, for the store.
    pub fn row(self) -> i64 {
        self.0
    }
}

/// How an attempt to deliver a mail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The server, or the Maildir, has it.
    Accepted {
        /// What the server said, or the file.
        reply: String,
    },
    /// It was not accepted, as far as we know.
    Refused(Refusal),
}

impl Delivery {
    /// A failure that may pass by itself.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::Refused(Refusal { kind: RefusalKind::Temporary, message: message.into() })
    }
}

/// Why a mail was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the retry depends on.
    pub kind: RefusalKind,
    /// What was attempted, on what, why it failed; for people.
    pub message: String,
}

/// What a retry depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// It may pass: no connection, a time-out, a 4yz reply (RFC 5321 §4.2.1).
    Temporary,
    /// This machine could not ask, for want of descriptors.
    Local,
    /// A 5yz reply to this mail or recipient.
    Permanent,
    /// It has more bytes than the server takes; nothing of it was sent.
    TooLarge {
        /// How many the server takes.
        most: usize,
    },
    /// The login was refused, or TLS is not what the configuration requires: a person must act.
    Login,
    /// The connection ended after the message was sent and before the reply: it may have arrived.
    InDoubt,
}

/// What is done about a refused mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// When it is tried again; nothing: it is held for a person.
    pub at: Option<Timestamp>,
    /// Why then, for people.
    pub reason: String,
}

/// How long a mail is tried.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// Longer than any pause between two attempts.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 3600);

/// Decides when a refused mail is tried again. `attempts` counts the one that was just refused.
///
/// Temporary failures and mails in doubt: 5 minutes, doubling to 1 hour. Failures of this machine:
/// [`descriptors::AGAIN`]. Refused logins: 15 minutes, doubling to 4 hours. All ±10 %, until 5 days after the mail was
/// composed; the last attempt is made at that time. What the server refused for good is held at once.
pub fn next_attempt(attempts: u32, refusal: &Refusal, created_at: Timestamp, id: MailId, now: Timestamp) -> Retry {
    let (what, first, most) = match refusal.kind {
        RefusalKind::Permanent | RefusalKind::TooLarge { .. } => {
            return Retry { at: None, reason: format!("held: refused for good: {}", refusal.message) };
        }
        RefusalKind::Temporary => ("not accepted yet", minutes(5), minutes(60)),
        RefusalKind::Local => ("not sent, this machine had no descriptor left", descriptors::AGAIN, descriptors::AGAIN),
        RefusalKind::InDoubt => ("in doubt whether it arrived", minutes(5), minutes(60)),
        RefusalKind::Login => ("the login or TLS failed", minutes(15), minutes(4 * 60)),
    };
    let end = created_at.saturating_add(GIVE_UP_AFTER).unwrap_or(Timestamp::MAX);
    if now >= end {
        let count = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
        return Retry { at: None, reason: format!("held after 5 days and {count}: {}", refusal.message) };
    }
    let delay = backoff(first, most, attempts, refusal.kind == RefusalKind::Login, id);
    let at = now.saturating_add(delay).unwrap_or(Timestamp::MAX).min(end);
    let wait = in_words(at.duration_since(now));
    Retry { at: Some(at), reason: format!("{what} (attempt {attempts}), next attempt in {wait}: {}", refusal.message) }
}

/// Doubles `first` with every attempt up to `most` and spreads it by ±10 %, or by +10 % when `first` is a least wait.
fn backoff(first: SignedDuration, most: SignedDuration, attempts: u32, at_least: bool, id: MailId) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(16);
    let base = (first * (1 << doublings)).min(most);
    // From a hash, so that mails that failed together do not come back together, and tests know when.
    let mut hash = Sha256::new();
    hash.update(id.row().to_be_bytes());
    hash.update(attempts.to_be_bytes());
    let digest = hash.finalize();
    let share = f64::from(u16::from_be_bytes([digest[0], digest[1]])) / f64::from(u16::MAX);
    let jitter = if at_least { share * 0.1 } else { share * 0.2 - 0.1 };
    SignedDuration::from_secs_f64(base.as_secs_f64() * (1.0 + jitter))
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Says a wait in the unit that people would use, rounded.
fn in_words(wait: SignedDuration) -> String {
    let seconds = wait.as_secs();
    let (count, unit) = match seconds {
        ..90 => (seconds, "second"),
        90..5400 => ((seconds + 30) / 60, "minute"),
        _ => ((seconds + 1800) / 3600, "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use RefusalKind::{InDoubt, Local, Login, Permanent, Temporary, TooLarge};

    fn at(kind: RefusalKind, attempts: u32, age: SignedDuration) -> Retry {
        let created: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
        let refusal = Refusal { kind, message: "mail.example.org:587: no".to_owned() };
        next_attempt(attempts, &refusal, created, MailId::from_row(7), created + age)
    }

    fn wait(kind: RefusalKind, attempts: u32) -> i64 {
        let created: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
        at(kind, attempts, SignedDuration::ZERO).at.unwrap().duration_since(created).as_secs()
    }

    #[test]
    fn doubles_up_to_a_limit_and_spreads() {
        for (kind, attempts, base) in [
            (Temporary, 1, 300),
            (Temporary, 2, 600),
            (Temporary, 3, 1200),
            (Temporary, 4, 2400),
            (Temporary, 5, 3600),
            (Temporary, 4_000_000_000, 3600),
            (Local, 1, 60),
            (Local, 9, 60),
            (InDoubt, 1, 300),
            (InDoubt, 9, 3600),
        ] {
            let got = wait(kind, attempts);
            assert!((base * 9 / 10..=base * 11 / 10).contains(&got), "{kind:?} {attempts}: {got}");
        }
    }

    #[test]
    fn a_refused_login_waits_at_least_15_minutes() {
        for (attempts, base) in [(1, 900), (2, 1800), (3, 3600), (4, 7200), (5, 14_400), (50, 14_400)] {
            let got = wait(Login, attempts);
            assert!((base..=base * 11 / 10).contains(&got), "{attempts}: {got}");
        }
    }

    #[test]
    fn jitter_differs_between_mails_and_is_stable() {
        let now: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
        let refusal = Refusal { kind: Temporary, message: String::new() };
        let of = |row| next_attempt(1, &refusal, now, MailId::from_row(row), now);
        assert_eq!(of(1), of(1));
        let different: std::collections::BTreeSet<_> = (0..50).map(|row| of(row).at).collect();
        assert!(different.len() > 25);
    }

    #[test]
    fn is_held_for_a_person_when_refused_for_good_or_after_five_days() {
        for kind in [Permanent, TooLarge { most: 9 }] {
            let refused = at(kind, 1, SignedDuration::ZERO);
            assert_eq!(refused.at, None);
            assert_eq!(refused.reason, "held: refused for good: mail.example.org:587: no");
        }
        for kind in [Temporary, Local, Login, InDoubt] {
            let held = at(kind, 130, GIVE_UP_AFTER);
            assert_eq!(held.at, None);
            assert_eq!(held.reason, "held after 5 days and 130 attempts: mail.example.org:587: no");
        }
    }

    #[test]
    fn the_last_attempt_is_at_the_end() {
        let created: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
        let last = at(Temporary, 120, GIVE_UP_AFTER - SignedDuration::from_mins(2));
        assert_eq!(last.at, Some(created + GIVE_UP_AFTER));
        assert_eq!(last.reason, "not accepted yet (attempt 120), next attempt in 2 minutes: mail.example.org:587: no");
    }
}
