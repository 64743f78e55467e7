//! A feed that was found, as a person is shown it before choosing.

use super::super::terminal::{FAINT, STRONG, Terminal, WARNING, harmless, styled};
use crate::{
    core::{
        article::{FeedFormat, Recovery},
        digest::counted,
        rhythm,
    },
    jobs::discovery::FoundFeed,
    rules::plain::truncate,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

/// Newest items that are shown.
const NEWEST: usize = 3;

/// Width where there is no terminal that has one.
const WIDTH: u16 = 100;

/// How long a feed without a new item is nothing to remark on.
const QUIET_DAYS: i64 = 90;

/// A candidate, as JSON and as the ground of the list.
#[derive(Serialize)]
pub(super) struct Candidate {
    pub(super) url: String,
    title: Option<String>,
    format: FeedFormat,
    language: Option<String>,
    items: usize,
    items_a_week: Option<f64>,
    bytes: usize,
    validators: Vec<&'static str>,
    mended: Vec<String>,
    newest: Vec<Newest>,
    /// Where it is configured already.
    pub(super) configured: Option<String>,
    #[serde(skip)]
    newest_at: Option<Timestamp>,
    #[serde(skip)]
    answered_at: String,
}

#[derive(Serialize)]
struct Newest {
    title: String,
    link: Option<String>,
    dated: Option<Timestamp>,
}

impl Candidate {
    pub(super) fn new(found: &FoundFeed, configured: Option<String>) -> Self {
        let items = &found.feed.items;
        let newest = rhythm::newest(items, NEWEST);
        let validators = [("ETag", &found.validators.etag), ("Last-Modified", &found.validators.last_modified)];
        let language = found.feed.language.clone().or_else(|| items.first()?.language.clone());
        Self {
            url: found.url.to_string(),
            title: found.feed.title.clone(),
            format: found.feed.format,
            language,
            items: items.len(),
            items_a_week: rhythm::items_a_week(items),
            bytes: found.bytes,
            validators: validators.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name).collect(),
            mended: found.feed.recovered.iter().map(Recovery::to_string).collect(),
            newest_at: newest.first().and_then(|item| rhythm::dated(item)),
            newest: newest
                .into_iter()
                .map(|item| Newest { title: item.title.clone(), link: item.link.clone(), dated: rhythm::dated(item) })
                .collect(),
            configured,
            answered_at: found.final_url.clone(),
        }
    }

    /// Prints the candidate under its number.
    pub(super) fn print(&self, number: usize, now: Timestamp, terminal: Terminal<'_>) {
        let width = usize::from(terminal.width().unwrap_or(WIDTH)).max(40);
        let line = |style, text: String| {
            terminal.line(format!("   {}", styled(style, cut(&harmless(&text), width - 3))).trim_end());
        };
        let title = self.title.as_deref().unwrap_or("without a title");
        terminal.line(format!("{number:>2} {}", styled(STRONG, cut(&harmless(title), width - 3))));
        line(anstyle::Style::new(), self.url.clone());
        if self.answered_at != self.url && self.answered_at.starts_with("http") {
            line(FAINT, format!("answers from {}", self.answered_at));
        }
        for text in wrapped(&self.facts(), width - 3) {
            line(FAINT, text);
        }
        if let Some(place) = &self.configured {
            line(WARNING, format!("already configured {place}"));
        }
        if !self.mended.is_empty() {
            line(WARNING, format!("has errors that were mended: {}", self.mended.join(", ")));
        }
        if let Some(days) = self.quiet_days(now) {
            line(WARNING, format!("nothing new for {days} days"));
        }
        for item in &self.newest {
            let date = item.dated.map_or_else(|| "no date".to_owned(), short);
            line(anstyle::Style::new(), format!("{date:<16}  {}", item.title));
        }
        terminal.line("");
    }

    fn facts(&self) -> Vec<String> {
        let mut facts = vec![self.format.to_string(), counted(self.items, "item")];
        facts.extend(self.items_a_week.map(|items| match items {
            items if items >= 9.5 => format!("about {items:.0} a week"),
            items if items >= 0.95 => format!("about {items:.1} a week"),
            items => format!("about {:.0} a year", (items * 52.0).max(1.0)),
        }));
        facts.push(size(self.bytes));
        facts.extend(self.language.clone());
        facts.push(match self.validators.as_slice() {
            [] => "sends no validators: each poll costs the whole document".to_owned(),
            validators => format!("sends {}", validators.join(" and ")),
        });
        facts
    }

    fn quiet_days(&self, now: Timestamp) -> Option<i64> {
        let days = self.newest_at?.duration_until(now).as_hours() / 24;
        (days >= QUIET_DAYS).then_some(days)
    }
}

/// Returns facts with commas between, in lines of a width.
fn wrapped(facts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for (index, fact) in facts.iter().enumerate() {
        let fact = if index + 1 < facts.len() { format!("{fact},") } else { fact.clone() };
        let last = lines.last_mut().expect("it starts with one line");
        if !last.is_empty() && last.chars().count() + 1 + fact.chars().count() > width {
            lines.push(fact);
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(&fact);
        }
    }
    lines
}

/// Returns a text that is no wider than so many characters.
fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some((end, _)) => {
            let kept = truncate(text, end.saturating_sub(1));
            format!("{}…", kept.trim_end())
        }
    }
}

fn size(bytes: usize) -> String {
    let kibibytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1024.0;
    match kibibytes {
        size if size < 10.0 => format!("{size:.1} KiB"),
        size if size < 1024.0 => format!("{size:.0} KiB"),
        size => format!("{:.1} MiB", size / 1024.0),
    }
}

fn short(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
