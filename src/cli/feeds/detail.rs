//! The page of one feed: everything that is known of it, and where it comes from.

use super::{
    super::terminal::{BAD, FAINT, GOOD, STRONG, Terminal, WARNING, harmless, local, styled},
    list::{number, percent},
    row::FeedRow,
};
use crate::core::{digest::counted, health::Health, relocation};
use jiff::Timestamp;

/// Width of the names of the lines.
const NAME_WIDTH: usize = 14;

/// Prints everything about a feed.
pub(super) fn print(row: &FeedRow<'_>, terminal: Terminal<'_>) {
    terminal.line(styled(STRONG, harmless(&row.name)));
    for (name, text) in lines(row) {
        terminal.line(format!("{} {text}", styled(FAINT, format!("{name:<NAME_WIDTH$}"))));
    }
}

fn lines(row: &FeedRow<'_>) -> Vec<(&'static str, String)> {
    let mut lines = vec![("url", harmless(&row.url))];
    if let Some(origin) = row.origin {
        lines.push(("configured at", origin.to_string()));
    }
    lines.push(("state", state(row)));
    if let (Some(since), Some(error)) = (row.failing_since, &row.error) {
        let times = if row.failures == 1 { "once".to_owned() } else { format!("{} times", row.failures) };
        lines.push(("failing since", format!("{} ({times})", local(since))));
        lines.push(("cause", harmless(error)));
    }
    if let Some(suggestion) = &row.suggestion {
        lines.push(("to do", styled(WARNING, harmless(suggestion))));
    }
    lines.push(("last read", time(row.last_success_at)));
    lines.push(("last new", time(row.last_new_at)));
    lines.push(("next poll", next_poll(row)));
    if let Some(until) = row.parked_until {
        lines.push(("parked until", format!("{}: another feed's answer said to leave this host alone", local(until))));
    }
    lines.push(("interval", interval(row)));
    if row.is_web() {
        lines.push(("validators", validators(row)));
        let of_polls = |share| format!("{} of the polls that were answered", percent(share));
        lines.push(("304", row.share_not_modified.map_or_else(|| "not known yet".to_owned(), of_polls)));
    }
    let a_day = |items| format!("{} new a day", number(items));
    lines.push(("items", row.items_a_day.map_or_else(|| "not known yet".to_owned(), a_day)));
    lines.extend(moves(row));
    if let Some(mended) = &row.mended {
        lines.push(("mended", harmless(mended)));
    }
    if let Some(at) = row.reidentified_at {
        lines.push(("guids", format!("changed {}: articles were known again by their links and texts", local(at))));
    }
    if let Some(full_text) = &row.full_text {
        lines.push(("full text", harmless(&full_text.to_string())));
    }
    if !row.tags.is_empty() {
        lines.push(("tags", harmless(&row.tags.join(", "))));
    }
    if let Some(language) = row.language {
        lines.push(("language", language.to_owned()));
    }
    if row.allow_private {
        lines.push(("private", "may be in a private network (allow_private)".to_owned()));
    }
    lines
}

fn state(row: &FeedRow<'_>) -> String {
    match row.state {
        Health::Ok => styled(GOOD, "ok"),
        Health::Failing => styled(BAD, "failing"),
        Health::Gone => styled(BAD, "gone for good (410)"),
        Health::Stale => styled(WARNING, "stale: it can be read and brings nothing new"),
        Health::New => styled(FAINT, "new: it was never polled"),
    }
}

fn next_poll(row: &FeedRow<'_>) -> String {
    match row.state {
        Health::Gone => harmless(&row.next_poll_reason),
        _ => format!("{}: {}", local(row.next_poll_at), harmless(&row.next_poll_reason)),
    }
}

fn interval(row: &FeedRow<'_>) -> String {
    let place = row.origin.and_then(|origin| Some((origin, origin.interval_line?)));
    match (row.interval(), place) {
        (Some(interval), Some((origin, line))) => format!("{interval}, set at {}:{line}", origin.file.display()),
        (Some(interval), None) if row.interval_is_configured => format!("{interval}, set in the configuration"),
        (Some(interval), None) => format!("{interval} now, adapts to how often there is something new"),
        (None, _) => "adapts to how often there is something new".to_owned(),
    }
}

fn validators(row: &FeedRow<'_>) -> String {
    let known = [("ETag", &row.etag), ("Last-Modified", &row.last_modified)];
    let known = known.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", harmless(value.as_deref()?))));
    match known.collect::<Vec<_>>() {
        known if known.is_empty() => "none: each poll costs the server a whole document".to_owned(),
        known => known.join(", "),
    }
}

fn moves(row: &FeedRow<'_>) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let (Some(to), Some(since)) = (&row.moved_to, row.moved_since) {
        lines.push(("moved", format!("polled at {} since {}", harmless(to), local(since))));
    }
    if let (Some(to), Some(since)) = (&row.redirects_to, row.redirects_since) {
        let times = counted(usize::try_from(row.redirects_times).unwrap_or(usize::MAX), "time");
        let text = format!(
            "permanently to {}, {times} in a row since {} (polled there after {} times over 7 days)",
            harmless(to),
            local(since),
            relocation::TIMES
        );
        lines.push(("redirected", text));
    }
    lines
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), local)
}
