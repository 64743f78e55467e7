//! Full text: which articles' pages are fetched, what of a page is matched, when one is given up.
//!
//! An article whose page is wanted is stored without being matched and waits for its page. Once the page came, or was
//! given up, rules are evaluated, once.

use super::{
    article::Item,
    descriptors,
    feed::{FailureKind, PollFailure},
};
use jiff::Timestamp;
use std::{collections::HashSet, time::Duration};
use url::Url;

/// Text that counts as short: a teaser, not an article. Characters that stand for a word or a syllable count for three.
const SHORT_CHARS: usize = 1_000;

/// How long an article waits for its page, attempts included; then rules are matched on what the feed said.
pub const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Pages that one poll may ask for; articles beyond are matched on what the feed said.
const PAGES_PER_POLL: usize = 50;

/// How long after each attempt that failed a page is asked for once more.
const RETRIES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(4 * 60)];

/// How long a host is left alone after a 429 that does not say how long (FEEDS A9), and at most.
const THROTTLED: Duration = Duration::from_secs(4 * 3600);
const THROTTLED_MAX: Duration = Duration::from_secs(7 * 86_400);

/// For which articles of a feed the page is fetched (`full_text`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FullText {
    /// For none.
    #[default]
    Never,
    /// For those that come with little text.
    WhenShort,
    /// For all.
    Always,
}

impl FullText {
    /// Returns the page that is to be fetched for an item, if one is.
    pub fn page_of(self, item: &Item) -> Option<Url> {
        let wanted = match self {
            Self::Never => false,
            Self::WhenShort => length(longest_text(item)) < SHORT_CHARS,
            Self::Always => true,
        };
        let link = item.link.as_deref().filter(|_| wanted)?;
        Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
    }
}

fn longest_text(item: &Item) -> &str {
    if item.content.len() > item.summary.len() { &item.content } else { &item.summary }
}

/// Measures a text in letters of an alphabet.
fn length(text: &str) -> usize {
    // Hangul syllables, kana and ideographs.
    let is_dense = |char| {
        matches!(char, '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
    };
    text.chars().map(|char| if is_dense(char) { 3 } else { 1 }).sum()
}

/// Tells whether a page's text says more than the feed did. One that says less is a teaser, a wall or the wrong part.
pub fn says_more(item: &Item, page_text: &str) -> bool {
    length(page_text) > length(longest_text(item))
}

/// Decides whether a page is asked for again after `attempts` that failed, the last by `failure`, and when. Nothing
/// means that it is given up.
pub fn next_attempt(
    failure: &PollFailure,
    attempts: usize,
    waiting_since: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let may_pass = match failure.kind {
        FailureKind::Local => {
            // It counts as none.
            return now.checked_add(descriptors::AGAIN).ok().filter(|at| *at < gives_up_at(waiting_since));
        }
        FailureKind::Status(status) => matches!(status, 408 | 425 | 429 | 500 | 502..=504),
        FailureKind::Unreachable => true,
        FailureKind::Unreadable | FailureKind::Refused => false,
    };
    let pause = RETRIES.get(attempts.saturating_sub(1)).filter(|_| may_pass)?;
    let pause = failure.retry_after.map_or(*pause, |wait| wait.max(*pause));
    now.checked_add(pause).ok().filter(|at| *at < gives_up_at(waiting_since))
}

/// Returns when an article waits for its page no longer.
fn gives_up_at(waiting_since: Timestamp) -> Timestamp {
    waiting_since.checked_add(PATIENCE).unwrap_or(Timestamp::MAX)
}

/// Tells whether an article has waited for its page long enough. A wait that begins far ahead was noted while the clock
/// was wrong.
pub fn is_overdue(waiting_since: Timestamp, now: Timestamp) -> bool {
    now >= gives_up_at(waiting_since) || waiting_since > gives_up_at(now)
}

/// Returns until when the whole host is to be left alone after a failure, if it is (429).
pub fn park_host_until(failure: &PollFailure, now: Timestamp) -> Option<Timestamp> {
    let wait = (failure.kind == FailureKind::Status(429)).then(|| failure.retry_after.unwrap_or(THROTTLED))?;
    now.checked_add(wait.min(THROTTLED_MAX)).ok()
}

/// Counts the pages that one poll asks for.
#[derive(Debug, Default)]
pub struct PageBudget {
    asked: HashSet<Url>,
}

impl PageBudget {
    /// Tells whether one more page may be asked for.
    pub fn take(&mut self, page: &Url) -> bool {
        // Many items with one link are no articles with pages of their own.
        self.asked.len() < PAGES_PER_POLL && self.asked.insert(page.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn failure(kind: FailureKind, retry_after: Option<u64>) -> PollFailure {
        PollFailure {
            kind,
            message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
            redirected_host: None,
        }
    }

    fn item(summary: &str, content: &str, link: &str) -> Item {
        let (summary, content, link) = (summary.to_owned(), content.to_owned(), Some(link.to_owned()));
        Item { summary, content, link, ..Item::default() }
    }

    #[test]
    fn pages_are_wanted_for_teasers_that_have_a_link() {
        let long = "word ".repeat(200);
        let page = "https://wire.example/1";
        for (full_text, item, wanted) in [
            (FullText::Never, item("", "", page), false),
            (FullText::WhenShort, item("", "", page), true),
            (FullText::WhenShort, item("A teaser.", "", page), true),
            (FullText::WhenShort, item("A teaser.", &long, page), false),
            (FullText::WhenShort, item(&long, "", page), false),
            (FullText::WhenShort, item(&"語".repeat(333), "", page), true),
            (FullText::WhenShort, item(&"語".repeat(334), "", page), false),
            (FullText::Always, item("", &long, page), true),
            (FullText::Always, item("", "", "mailto:desk@wire.example"), false),
            (FullText::Always, item("", "", "not a link"), false),
            (FullText::Always, Item::default(), false),
        ] {
            assert_eq!(full_text.page_of(&item).is_some(), wanted, "{full_text:?} {item:?}");
        }
    }

    #[test]
    fn a_page_that_says_less_than_the_feed_is_not_taken() {
        let item = item("Ten words of a summary that the feed has sent.", "", "https://wire.example/1");
        assert!(says_more(&item, "Ten words of a summary that the feed has sent, and then the article itself."));
        assert!(!says_more(&item, "Subscribe to read on."));
        assert!(!says_more(&item, &item.summary));
    }

    #[test]
    fn failures_that_may_pass_are_tried_again_within_the_patience() {
        let unreachable = failure(FailureKind::Unreachable, None);
        assert_eq!(next_attempt(&unreachable, 1, at(0), at(5)), Some(at(65)));
        assert_eq!(next_attempt(&unreachable, 2, at(0), at(70)), Some(at(310)));
        assert_eq!(next_attempt(&unreachable, 3, at(0), at(320)), None);
        assert_eq!(next_attempt(&unreachable, 1, at(0), at(545)), None, "too late");
        for (kind, retry_after, next) in [
            (FailureKind::Status(404), None, None),
            (FailureKind::Status(403), None, None),
            (FailureKind::Status(503), None, Some(at(60))),
            (FailureKind::Status(503), Some(90), Some(at(90))),
            (FailureKind::Status(429), Some(3600), None),
            (FailureKind::Refused, None, None),
            (FailureKind::Unreadable, None, None),
        ] {
            assert_eq!(next_attempt(&failure(kind, retry_after), 1, at(0), at(0)), next, "{kind:?}");
        }
    }

    #[test]
    fn attempts_that_this_machine_could_not_make_are_not_counted() {
        let local = failure(FailureKind::Local, None);
        for attempts in [1, 3, 30] {
            assert_eq!(next_attempt(&local, attempts, at(0), at(5)), Some(at(65)));
        }
        assert_eq!(next_attempt(&local, 1, at(0), at(545)), None, "too late");
    }

    #[test]
    fn waits_end_also_those_that_a_wrong_clock_began() {
        for (since, now, overdue) in [(0, 0, false), (0, 599, false), (0, 600, true), (600, 0, false), (601, 0, true)] {
            assert_eq!(is_overdue(at(since), at(now)), overdue, "{since} {now}");
        }
    }

    #[test]
    fn too_many_requests_park_the_host() {
        let until = |retry_after| park_host_until(&failure(FailureKind::Status(429), retry_after), at(0));
        assert_eq!(until(Some(60)), Some(at(60)));
        assert_eq!(until(None), Some(at(4 * 3600)));
        assert_eq!(until(Some(u64::MAX)), Some(at(7 * 86_400)));
        assert_eq!(park_host_until(&failure(FailureKind::Status(503), Some(60)), at(0)), None);
    }

    #[test]
    fn a_poll_asks_for_a_bounded_number_of_different_pages() {
        let mut budget = PageBudget::default();
        let page = |number: usize| Url::parse(&format!("https://wire.example/{number}")).unwrap();
        assert!(budget.take(&page(0)));
        assert!(!budget.take(&page(0)));
        assert_eq!((1..100).filter(|number| budget.take(&page(*number))).count(), PAGES_PER_POLL - 1);
    }
}
