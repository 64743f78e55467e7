//! The table of feeds: broken ones first, as many columns as the terminal has room for.

use super::{
    super::{
        names,
        terminal::{FAINT, Terminal, harmless, styled},
    },
    row::{FeedRow, FullTextHealth},
};
use crate::{
    clock,
    core::{digest::counted, health::Health},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Least width for the numbers of each feed.
const WIDE: u16 = 140;

/// Prints the feeds that were chosen, and what all of them come to.
pub(super) fn print(chosen: &[&FeedRow<'_>], all: &[FeedRow<'_>], terminal: Terminal<'_>) {
    let wide = terminal.width().is_none_or(|width| width >= WIDE);
    let shared = names::shared(all.iter().map(|row| row.name.as_str()));
    let rows = chosen.iter().map(|row| {
        let name = names::told_apart(&row.name, &row.url, &shared);
        if wide { wide_row(row, name) } else { narrow_row(row, name) }
    });
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

fn wide_row(row: &FeedRow<'_>, name: String) -> Vec<String> {
    vec![
        name,
        row.state.word().to_owned(),
        short(row.last_success_at),
        short(row.last_new_at),
        row.items_a_day.map_or_else(|| "-".to_owned(), number),
        row.share_not_modified.filter(|_| row.is_web()).map_or_else(|| "-".to_owned(), percent),
        match row.validators.as_slice() {
            [] if row.is_web() => "none".to_owned(),
            [] => "-".to_owned(),
            validators => validators.join(", "),
        },
        row.interval().unwrap_or_else(|| "-".to_owned()),
        next(row),
        remarks(row, false),
    ]
}

fn narrow_row(row: &FeedRow<'_>, name: String) -> Vec<String> {
    vec![name, row.state.word().to_owned(), short(row.last_success_at), next(row), remarks(row, true)]
}

fn next(row: &FeedRow<'_>) -> String {
    match row.state {
        Health::Gone => "never".to_owned(),
        _ => short(Some(row.next_poll_at)),
    }
}

/// Returns everything that a person may want to act on; what is as it should be needs no words. Where there is little
/// room, only the first part of a cause is given, without what to do.
fn remarks(row: &FeedRow<'_>, brief: bool) -> String {
    let failing = match (row.state, &row.error, row.failing_since) {
        (Health::Failing, Some(error), Some(since)) => {
            // The row says on what.
            let cause = error.strip_prefix(&format!("cannot fetch {}: ", row.url)).unwrap_or(error);
            let cause = cause.strip_prefix(&format!("{} was fetched and ", row.url)).unwrap_or(cause);
            let cause = if brief { cause.split("; ").next().unwrap_or(cause) } else { cause };
            Some(format!("since {}: {cause}", short(Some(since))))
        }
        _ => None,
    };
    let moved = match (&row.moved_to, &row.redirects_to) {
        (None, Some(to)) if row.redirects_times > 1 => Some(format!("redirected permanently to {to}")),
        _ => None,
    };
    let parked = row.parked_until.map(|until| format!("its host is left alone until {}", short(Some(until))));
    let mended = row.mended.as_ref().map(|mended| format!("mended: {mended}"));
    let guids = row.reidentified_at.map(|at| format!("guids changed {}", short(Some(at))));
    let pages = row.full_text.as_ref().and_then(FullTextHealth::remark);
    let said: Vec<String> =
        [failing, row.suggestion.clone(), moved, parked, mended, guids, pages].into_iter().flatten().collect();
    harmless(&said.join("; "))
}

/// Returns an instant as briefly as it can be told: the time of a moment today or within half a day, else the date.
fn short(at: Option<Timestamp>) -> String {
    let Some(at) = at else { return "never".to_owned() };
    let (zone, now) = (TimeZone::system(), clock::now());
    let (at, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone));
    let near = at.timestamp().duration_since(now).abs() < SignedDuration::from_hours(12);
    let format = match () {
        () if near || at.date() == today.date() => "%H:%M",
        () if at.year() == today.year() => "%b %d",
        () => "%Y-%m-%d",
    };
    at.strftime(format).to_string()
}

/// Returns a number of items as precisely as it helps.
pub(super) fn number(items: f64) -> String {
    if items >= 10.0 { format!("{items:.0}") } else { format!("{items:.1}") }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
