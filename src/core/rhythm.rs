//! How often a feed publishes, as far as its items tell.

use super::article::Item;
use jiff::{SignedDuration, Timestamp};

/// Least time, or intervals, that a rhythm shows in: a site that begins often puts its first items out at once.
const LEAST: (SignedDuration, u32) = (SignedDuration::from_hours(1), 9);

/// A week.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Returns how many items a feed publishes in a week, by the dates of those that it shows; nothing where fewer than two
/// have one, all the same, or few ones that are near each other.
///
/// The oldest quarter does not count: feeds keep single items for years.
pub fn items_a_week(items: &[Item]) -> Option<f64> {
    let mut dates: Vec<Timestamp> = items.iter().filter_map(dated).collect();
    dates.sort_unstable_by(|one, other| other.cmp(one));
    dates.truncate((dates.len() - dates.len() / 4).max(2));
    let span = dates.last()?.duration_until(*dates.first()?);
    let intervals = u32::try_from(dates.len() - 1).unwrap_or(u32::MAX);
    let is_rhythm = span >= LEAST.0 || intervals >= LEAST.1;
    (is_rhythm && span > SignedDuration::ZERO).then(|| f64::from(intervals) * WEEK.as_secs_f64() / span.as_secs_f64())
}

/// Returns the newest items, newest first; those without a date follow in the order of the feed.
pub fn newest(items: &[Item], most: usize) -> Vec<&Item> {
    let mut newest: Vec<&Item> = items.iter().collect();
    newest.sort_by_key(|item| std::cmp::Reverse(dated(item)));
    newest.truncate(most);
    newest
}

/// Returns when an item was published, else changed.
pub fn dated(item: &Item) -> Option<Timestamp> {
    item.published.or(item.updated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(hours_ago: &[i64]) -> Vec<Item> {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let at = |hours: &i64| Some(now - SignedDuration::from_hours(*hours));
        hours_ago.iter().map(|hours| Item { published: at(hours), ..Item::default() }).collect()
    }

    #[test]
    fn a_feed_publishes_as_often_as_its_items_are_apart() {
        for (hours_ago, a_week) in [
            (&[0, 24][..], Some(7.0)),
            (&[24, 0, 48], Some(7.0)),
            (&[0, 1, 2, 3, 4, 5, 6, 100_000], Some(168.0)),
            (&[0, 168 * 4], Some(0.25)),
            (&[5, 5, 5], None),
            (&[5], None),
            (&[], None),
        ] {
            assert_eq!(items_a_week(&items(hours_ago)), a_week, "{hours_ago:?}");
        }
        assert_eq!(items_a_week(&[Item::default(), Item::default()]), None);
        let minutes = |count: i64| -> Vec<Item> {
            let at = |minute: i64| Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_mins(minute)).ok();
            (0..count).map(|minute| Item { published: at(minute), ..Item::default() }).collect()
        };
        assert_eq!(items_a_week(&minutes(3)), None);
        assert_eq!(items_a_week(&minutes(40)), Some(10_080.0));
    }

    #[test]
    fn the_newest_come_first_and_those_without_a_date_last() {
        let mut all = items(&[48, 1, 24]);
        all.insert(0, Item { title: "no date".to_owned(), ..Item::default() });
        let shown = newest(&all, 4);
        assert_eq!(shown[0], &all[2]);
        assert_eq!(shown[3].title, "no date");
        assert_eq!(newest(&all, 1).len(), 1);
    }
}
