//! The table of feeds: broken ones first, as many columns as the terminal has room for.

use super::{
    super::terminal::{FAINT, Terminal, harmless, styled},
    row::FeedRow,
};
use crate::core::{digest::counted, health::Health};
use jiff::{Timestamp, tz::TimeZone};

/// Least width for the numbers of each feed.
const WIDE: u16 = 120;

/// Prints the feeds that were chosen, and what all of them come to.
pub(super) fn print(chosen: &[&FeedRow<'_>], all: &[FeedRow<'_>], terminal: Terminal<'_>) {
    let wide = terminal.width().is_none_or(|width| width >= WIDE);
    let rows = chosen.iter().map(|row| if wide { wide_row(row) } else { narrow_row(row) });
    let heads: &[&str] = if wide {
        &["feed", "state", "read", "new", "a day", "304", "validators", "every", "next", "remarks"]
    } else {
        &["feed", "state", "read", "next", "remarks"]
    };
    terminal.table(heads, rows.collect::<Vec<_>>());
    let count = |state| all.iter().filter(|row| row.state == state).count();
    let mut parts = vec![counted(all.len(), "feed"), format!("{} failing", count(Health::Failing))];
    for state in [Health::Gone, Health::Stale, Health::New] {
        match count(state) {
            0 => {}
            number => parts.push(format!("{number} {}", state.word())),
        }
    }
    terminal.line(styled(FAINT, format!("\n{}; `feedwatch feeds NAME` tells all about one", parts.join(", "))));
}

fn wide_row(row: &FeedRow<'_>) -> Vec<String> {
    vec![
        harmless(&row.name),
        row.state.word().to_owned(),
        short(row.last_success_at),
        short(row.last_new_at),
        row.items_a_day.map_or_else(|| "-".to_owned(), number),
        row.share_not_modified.map_or_else(|| "-".to_owned(), percent),
        if row.validators.is_empty() { "none".to_owned() } else { row.validators.join(", ") },
        row.interval().unwrap_or_else(|| "-".to_owned()),
        next(row),
        remarks(row),
    ]
}

fn narrow_row(row: &FeedRow<'_>) -> Vec<String> {
    vec![harmless(&row.name), row.state.word().to_owned(), short(row.last_success_at), next(row), remarks(row)]
}

fn next(row: &FeedRow<'_>) -> String {
    match row.state {
        Health::Gone => "never".to_owned(),
        _ => short(Some(row.next_poll_at)),
    }
}

/// Returns everything that a person may want to act on; what is as it should be needs no words.
fn remarks(row: &FeedRow<'_>) -> String {
    let failing = match (row.state, &row.error, row.failing_since) {
        (Health::Failing, Some(error), Some(since)) => Some(format!("failing since {}: {error}", short(Some(since)))),
        _ => None,
    };
    let moved = match (&row.moved_to, &row.redirects_to) {
        (None, Some(to)) if row.redirects_times > 1 => Some(format!("redirected permanently to {to}")),
        _ => None,
    };
    let parked = row.parked_until.map(|until| format!("its host is left alone until {}", short(Some(until))));
    let mended = row.mended.as_ref().map(|mended| format!("mended: {mended}"));
    let said: Vec<String> = [failing, row.suggestion.clone(), moved, parked, mended].into_iter().flatten().collect();
    harmless(&said.join("; "))
}

/// Returns an instant without what a table has no room for: the year, the seconds, the time zone.
fn short(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_zoned(TimeZone::system()).strftime("%m-%d %H:%M").to_string())
}

/// Returns a number of items as precisely as it helps.
pub(super) fn number(items: f64) -> String {
    if items >= 10.0 { format!("{items:.0}") } else { format!("{items:.1}") }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
