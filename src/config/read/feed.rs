//! `[[feed]]`.

use super::super::{
    problem::Report,
    section::{Section, Text},
    source::Place,
    values,
};
use crate::core::feed::{Feed, Origin};
use std::{collections::HashMap, time::Duration};

pub(in super::super) const KEYS: [&str; 6] = ["url", "name", "tags", "interval", "language", "allow_private"];

/// A feed and where its URL stands.
pub(in super::super) struct PlacedFeed {
    pub(in super::super) feed: Feed,
    pub(in super::super) place: Place,
}

/// Reads the feeds of all files; the same URL twice is an error that names both.
pub(in super::super) fn read_all(sections: &[Section<'_>], report: &mut Report<'_>) -> Vec<PlacedFeed> {
    let mut feeds: Vec<PlacedFeed> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for section in sections {
        let Some(placed) = read(section, report) else { continue };
        if let Some(first) = seen.get(&placed.feed.url.identity()) {
            let first = report.location(&feeds[*first].place);
            report.error(&placed.place, format!("{} is already a feed at {first}", placed.feed.url));
            continue;
        }
        seen.insert(placed.feed.url.identity(), feeds.len());
        feeds.push(placed);
    }
    feeds
}

fn read(section: &Section<'_>, report: &mut Report<'_>) -> Option<PlacedFeed> {
    let source = report.source(&section.place);
    if !section.has("url") {
        section.missing("url", "write `url = \"https://www.example.org/rss.xml\"`", report);
    }
    let url = section.parsed("url", report, |text| values::parse_feed_url(text, source));
    let name = section.parsed("name", report, values::parse_name);
    let tags = tags(section.texts("tags", report).unwrap_or_default(), report);
    let interval = section.duration("interval", Duration::from_secs(60)..=Duration::from_secs(30 * 86_400), report);
    if interval.is_some_and(|interval| interval < Duration::from_secs(15 * 60)) {
        let message = "is below 15m; many publishers ask for less, and some block who polls this often";
        report.warn(&section.place_of("interval"), message);
    }
    let language = section.parsed("language", report, values::parse_language);
    let allow_private = section.boolean("allow_private", report).unwrap_or(false);
    let line = |key| source.position(section.place_of(key).start).0;
    let origin = Origin {
        file: source.path.clone(),
        line: line("url"),
        interval_line: section.has("interval").then(|| line("interval")),
    };
    let feed = Feed { url: url?, name, tags, interval, language, allow_private, origin: Some(origin) };
    Some(PlacedFeed { feed, place: section.place_of("url") })
}

fn tags(texts: Vec<Text>, report: &mut Report<'_>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for text in texts {
        match values::parse_name(&text.text) {
            Ok(tag) if tags.contains(&tag) => {}
            Ok(tag) => tags.push(tag),
            Err(why) => report.error(&text.place, why),
        }
    }
    tags
}
