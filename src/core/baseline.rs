//! Baseline: what a feed had before anybody watched it is no news (FEEDS C13).
//!
//! The first document of a feed is its baseline, and so is the first one after the feed was out of the configuration
//! for long: nobody watched it then. A feed that failed, for whatever time, was watched all along: what it brings when
//! it works again is news. Where the first document had lost its end, that end belongs to the baseline when it comes: at
//! the end of a document, and not for longer than a day.

use super::{
    article::{Article, Item},
    feed::FeedState,
    likeness,
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long a feed may be out of the configuration, at least, without a new baseline: a block that is commented out by
/// mistake, or for an afternoon, costs no alert.
const ABSENCE: Duration = Duration::from_secs(24 * 3600);

/// How long a baseline stays open for the rest of a document that had lost its end. Some feeds have none in any
/// document, others fail for weeks before they bring a whole one, and what is new by then must alert.
const OPEN: SignedDuration = SignedDuration::from_hours(24);

/// Which articles of a document can belong to the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All: it is the first document.
    Document,
    /// Those behind the last known one: the first document had lost its end, which is to come. Most feeds put what is
    /// new in front. Where nothing is known that is all of them: the first document may have lost every item, and nothing
    /// shows what it had.
    LostEnd,
    /// None.
    Nothing,
}

impl Scope {
    /// Returns the scope in the next document of a feed, of which so much is remembered.
    pub fn of(before: &FeedState, now: Timestamp) -> Self {
        match (before.baseline_at, before.baseline_open_since) {
            (Some(_), _) => Self::Nothing,
            (None, None) => Self::Document,
            (None, Some(since)) if now.duration_since(since.min(now)) < OPEN => Self::LostEnd,
            (None, Some(_)) => Self::Nothing,
        }
    }

    /// Tells whether an article is in the scope; `at_end`: no known one comes after it in the document.
    pub fn contains(self, at_end: bool) -> bool {
        match self {
            Self::Document => true,
            Self::LostEnd => at_end,
            Self::Nothing => false,
        }
    }
}

/// Takes a document that was read, and whether it had lost its end (`is_cut`), into what is remembered of the baseline.
pub fn after_document(state: FeedState, is_cut: bool, now: Timestamp) -> FeedState {
    let open_since = state.baseline_open_since.map_or(now, |since| since.min(now));
    if state.baseline_at.is_none() && is_cut && now.duration_since(open_since) < OPEN {
        return FeedState { baseline_open_since: Some(open_since), ..state };
    }
    FeedState { baseline_at: state.baseline_at.or(Some(now)), baseline_open_since: None, ..state }
}

/// Tells whether a feed that left the configuration and returns begins with a new baseline: after a day, or after the
/// backfill window where that is longer, since all of a shorter absence lies within the window.
pub fn begins_anew(left: Timestamp, returned: Timestamp, backfill: Duration) -> bool {
    returned.duration_since(left) > SignedDuration::try_from(backfill.max(ABSENCE)).unwrap_or(SignedDuration::MAX)
}

/// Tells whether a new article is part of the baseline and does not alert.
///
/// Of those in its [`Scope`] it is what is dated earlier than the backfill window before the feed was `watched_since`,
/// or before `now` where that is not known; a first document that comes late, because the feed failed at first, hides
/// nothing of the time in between. An item without a date cannot be shown to be new, so it belongs to the baseline, too.
pub fn is_backlog(
    article: &Article,
    in_scope: bool,
    watched_since: Option<Timestamp>,
    backfill: Duration,
    now: Timestamp,
) -> bool {
    if !in_scope {
        return false;
    }
    let Some(dated) = article.item.published.or(article.item.updated) else { return true };
    let watched_since = watched_since.map_or(now, |since| since.min(now));
    // A window that reaches past the beginning of time holds everything.
    let window = SignedDuration::try_from(backfill).ok().and_then(|backfill| watched_since.checked_sub(backfill).ok());
    window.is_some_and(|start| dated < start)
}

/// Tells whether an article of the baseline, whose headline was `title`, has made room for another one: then it is
/// news. One that was edited stays in the baseline.
pub fn is_replaced(title: &str, now: &Item) -> bool {
    let has_headlines = ![title, &now.title].into_iter().any(|title| title.trim().is_empty());
    has_headlines && !likeness::is_edit_of(title, &now.title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::identity;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// FEEDS C13: the baseline.
    #[test]
    fn only_old_items_of_a_first_document_are_backlog() {
        let now = at("2026-11-25T12:00:00Z");
        let article = |published: Option<&str>, updated: Option<&str>| {
            let item = Item { published: published.map(at), updated: updated.map(at), ..Item::default() };
            identity::articles(vec![item]).remove(0)
        };
        for (date, first, since, backfill, backlog) in [
            (Some("2026-11-24T11:59:59Z"), true, None, DAY, true),
            (Some("2026-11-24T12:00:00Z"), true, None, DAY, false),
            (Some("2026-11-26T12:00:00Z"), true, None, DAY, false),
            (Some("1999-01-01T00:00:00Z"), false, None, DAY, false),
            (Some("1999-01-01T00:00:00Z"), true, None, Duration::MAX, false),
            (Some("2026-11-25T11:59:59Z"), true, None, Duration::ZERO, true),
            (None, true, None, DAY, true),
            (None, false, None, DAY, false),
            // It was watched for three weeks before it could be read.
            (Some("2026-11-04T12:00:00Z"), true, Some("2026-11-04T12:00:00Z"), Duration::ZERO, false),
            (Some("2026-11-03T12:00:00Z"), true, Some("2026-11-04T12:00:00Z"), DAY, false),
            (Some("2026-11-03T11:59:59Z"), true, Some("2026-11-04T12:00:00Z"), DAY, true),
            // By a clock that was wrong.
            (Some("2026-11-24T12:00:00Z"), true, Some("2027-01-01T00:00:00Z"), DAY, false),
        ] {
            let found = is_backlog(&article(date, None), first, since.map(at), backfill, now);
            assert_eq!(found, backlog, "{date:?} {first} {since:?} {backfill:?}");
        }
        assert!(!is_backlog(&article(None, Some("2026-11-25T12:00:00Z")), true, None, DAY, now));
    }

    /// FEEDS C13: what takes the place of an article of the baseline is news, an edit of it is not.
    #[test]
    fn an_article_of_the_baseline_is_edited_or_replaced() {
        for (before, now, replaced) in [
            ("Harbour closes for the winter", "Harbour closes for winter", false),
            ("Harbour closes for the winter", "Bridge falls", true),
            ("Warning: level 3", "Warning: level 4", true),
            // Without headlines nothing shows it.
            ("", "Bridge falls", false),
            ("Harbour closes for the winter", " ", false),
        ] {
            let now = Item { title: now.to_owned(), ..Item::default() };
            assert_eq!(is_replaced(before, &now), replaced, "{before:?} {now:?}");
        }
    }

    /// FEEDS C13: what was cut off a first document belongs to the baseline, but not for ever.
    #[test]
    fn a_baseline_is_open_until_a_whole_document_or_for_a_day() {
        let first = at("2026-11-25T12:00:00Z");
        let cut = after_document(FeedState::default(), true, first);
        assert_eq!((cut.baseline_at, cut.baseline_open_since), (None, Some(first)));
        for (is_cut, then, taken) in [
            (true, "2026-11-26T11:59:59Z", false),
            (true, "2026-11-26T12:00:00Z", true),
            (false, "2026-11-25T12:15:00Z", true),
            (false, "2026-12-24T12:00:00Z", true),
        ] {
            let then = at(then);
            let state = after_document(cut.clone(), is_cut, then);
            let expected = if taken { (Some(then), None) } else { (None, Some(first)) };
            assert_eq!((state.baseline_at, state.baseline_open_since), expected, "{is_cut} {then}");
        }
        // By a clock that was set back: not open for longer.
        let earlier = at("2026-11-20T12:00:00Z");
        assert_eq!(after_document(cut, true, earlier).baseline_open_since, Some(earlier));
        // What is taken stays as it is.
        let whole = after_document(FeedState::default(), false, first);
        assert_eq!(whole.baseline_at, Some(first));
        assert_eq!(after_document(whole.clone(), true, at("2026-11-27T12:00:00Z")), whole);
    }

    /// FEEDS C13, promise P1: a baseline that waits for the end of its first document takes that, for a day, and no more.
    #[test]
    fn an_open_baseline_takes_what_comes_at_the_end_for_a_day() {
        let open = |baseline_at: Option<&str>, open_since: Option<&str>| FeedState {
            baseline_at: baseline_at.map(at),
            baseline_open_since: open_since.map(at),
            ..FeedState::default()
        };
        let first = Some("2026-11-25T12:00:00Z");
        for (state, now, scope) in [
            (open(None, None), "2026-11-25T12:00:00Z", Scope::Document),
            (open(None, first), "2026-11-25T12:00:00Z", Scope::LostEnd),
            (open(None, first), "2026-11-26T11:59:59Z", Scope::LostEnd),
            (open(None, first), "2026-11-26T12:00:00Z", Scope::Nothing),
            // The feed failed for weeks after a first document that was cut.
            (open(None, first), "2026-12-16T12:00:00Z", Scope::Nothing),
            // By a clock that was set back.
            (open(None, first), "2026-11-20T12:00:00Z", Scope::LostEnd),
            (open(first, None), "2026-11-25T12:00:01Z", Scope::Nothing),
            (open(first, first), "2026-11-25T12:00:01Z", Scope::Nothing),
        ] {
            assert_eq!(Scope::of(&state, at(now)), scope, "{state:?} {now}");
        }
        for (scope, in_front, at_end) in
            [(Scope::Document, true, true), (Scope::LostEnd, false, true), (Scope::Nothing, false, false)]
        {
            assert_eq!((scope.contains(false), scope.contains(true)), (in_front, at_end), "{scope:?}");
        }
    }

    /// FEEDS C13: a feed that was gone for long has a baseline again, one that was gone for short keeps its own.
    #[test]
    fn a_feed_that_returns_after_long_begins_anew() {
        let left = at("2026-11-01T12:00:00Z");
        for (returned, backfill, anew) in [
            ("2026-11-01T12:01:00Z", DAY, false),
            ("2026-11-02T12:00:00Z", DAY, false),
            ("2026-11-02T12:00:01Z", DAY, true),
            ("2026-12-24T12:00:00Z", DAY, true),
            // A wider window shows all of the absence anyway, a narrower one would swallow it.
            ("2026-11-08T12:00:00Z", 7 * DAY, false),
            ("2026-11-08T12:00:01Z", 7 * DAY, true),
            ("2026-11-01T18:00:00Z", Duration::ZERO, false),
            ("2026-11-03T12:00:00Z", Duration::ZERO, true),
            ("2036-11-01T12:00:00Z", Duration::MAX, false),
            // By a clock that was set back.
            ("2026-10-01T12:00:00Z", DAY, false),
        ] {
            assert_eq!(begins_anew(left, at(returned), backfill), anew, "{returned} {backfill:?}");
        }
    }
}
