//! `[[feed]]`.

use super::super::{
    opml::{self, Outline},
    problem::Report,
    section::{Section, Text},
    source::{self, Place},
    values,
};
use crate::core::{
    feed::{Feed, FeedUrl, Origin},
    full_text::FullText,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

pub(in super::super) const KEYS: [&str; 8] =
    ["url", "opml", "name", "tags", "interval", "language", "allow_private", "full_text"];

/// Outlines of one OPML that are complained of one by one.
const COMPLAINTS: usize = 20;

/// A feed and where its URL stands.
pub(in super::super) struct PlacedFeed {
    pub(in super::super) feed: Feed,
    /// The URL, or the name of the OPML that has it.
    pub(in super::super) place: Place,
}

impl PlacedFeed {
    /// Returns the file and line of the URL, for a message that names two.
    fn location(&self) -> String {
        self.feed.origin.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// Reads the feeds of all files, then those of included OPMLs; the same URL twice is an error that names both. A feed
/// that is written in a `[[feed]]` of its own is never one of an OPML as well. Feeds that do not say for which articles the
/// page is fetched take `full_text`.
pub(in super::super) fn read_all(
    sections: &[Section<'_>],
    full_text: FullText,
    report: &mut Report<'_>,
) -> Vec<PlacedFeed> {
    let mut feeds: Vec<PlacedFeed> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let (lists, single): (Vec<_>, Vec<_>) = sections.iter().partition(|section| section.has("opml"));
    for section in single {
        let Some(placed) = read(section, full_text, report) else { continue };
        if let Some(first) = seen.get(&placed.feed.url.identity()) {
            let first = report.location(&feeds[*first].place);
            report.error(&placed.place, format!("{} is already a feed at {first}", placed.feed.url));
            continue;
        }
        seen.insert(placed.feed.url.identity(), feeds.len());
        feeds.push(placed);
    }
    let mut alike: HashMap<String, usize> =
        feeds.iter().enumerate().map(|(index, placed)| (placed.feed.url.likeness(), index)).collect();
    for placed in lists.into_iter().flat_map(|section| read_list(section, full_text, report)).collect::<Vec<_>>() {
        if let Some(first) = alike.get(&placed.feed.url.likeness()) {
            let (url, here, first) = (&placed.feed.url, placed.location(), feeds[*first].location());
            report.warn(&placed.place, format!("{here}: {url} is already a feed at {first}, which is taken"));
            continue;
        }
        alike.insert(placed.feed.url.likeness(), feeds.len());
        feeds.push(placed);
    }
    feeds
}

fn read(section: &Section<'_>, full_text: FullText, report: &mut Report<'_>) -> Option<PlacedFeed> {
    let source = report.source(&section.place);
    if !section.has("url") {
        section.missing("url", "write `url = \"https://www.example.org/rss.xml\"`", report);
    }
    let url = section.parsed("url", report, |text| values::parse_feed_url(text, source));
    let feed = options(section, full_text, report);
    Some(PlacedFeed { feed: Feed { url: url?, ..feed }, place: section.place_of("url") })
}

/// Reads the feeds of an OPML, to which the other keys of the section apply.
fn read_list(section: &Section<'_>, full_text: FullText, report: &mut Report<'_>) -> Vec<PlacedFeed> {
    for key in ["url", "name"].into_iter().filter(|key| section.has(key)) {
        let message = "is one feed's, and `opml` names a list of them; write the feed in a `[[feed]]` of its own";
        report.error(&section.place_of(key), message);
    }
    let defaults = options(section, full_text, report);
    let place = section.place_of("opml");
    let Some(file) = section.parsed("opml", report, |text| match text.trim() {
        "" => Err("is empty; write the path of an OPML file"),
        path => Ok(path.to_owned()),
    }) else {
        return Vec::new();
    };
    let file = report.source(&section.place).resolve(file);
    let outlines = match read_outlines(&file) {
        Ok(outlines) => outlines,
        Err(message) => {
            report.error(&place, format!("{}: {message}", file.display()));
            return Vec::new();
        }
    };
    let (mut feeds, mut bad) = (Vec::new(), 0);
    for Outline { line, url, name, tags } in outlines {
        let origin = Origin { file: file.clone(), line, interval_line: None };
        let url = match values::parse_outline_url(&url) {
            Ok(url) => url,
            Err(complaint) => {
                bad += 1;
                if bad <= COMPLAINTS {
                    report.error(&place, format!("{origin}: the `xmlUrl` {}", complaint.message));
                }
                continue;
            }
        };
        let mut feed = Feed { url, name, origin: Some(origin), ..defaults.clone() };
        feed.tags.extend(tags.into_iter().filter(|tag| !defaults.tags.contains(tag)));
        feeds.push(PlacedFeed { feed, place: place.clone() });
    }
    if bad > COMPLAINTS {
        report.error(&place, format!("{}: {} more URLs are wrong", file.display(), bad - COMPLAINTS));
    }
    feeds
}

fn read_outlines(file: &Path) -> Result<Vec<Outline>, String> {
    let bytes = source::read_bytes(file, opml::OPML_MAX_BYTES)?;
    let list = opml::read(&bytes).map_err(|error| error.to_string())?;
    // Half a list would take feeds away that nobody meant to lose.
    if !list.complete {
        return Err("breaks off: there is no `</opml>`; it may not have been written to its end".to_owned());
    }
    Ok(list.outlines)
}

/// Reads all keys of a feed but its URL, for which the caller puts in the one that is meant.
fn options(section: &Section<'_>, full_text: FullText, report: &mut Report<'_>) -> Feed {
    let name = section.parsed("name", report, values::parse_name);
    let tags = tags(section.texts("tags", report).unwrap_or_default(), report);
    let interval = section.duration("interval", Duration::from_secs(60)..=Duration::from_secs(30 * 86_400), report);
    if interval.is_some_and(|interval| interval < Duration::from_secs(15 * 60)) {
        let message = "is below 15m; many publishers ask for less, and some block who polls this often";
        report.warn(&section.place_of("interval"), message);
    }
    let language = section.parsed("language", report, values::parse_language);
    let allow_private = section.boolean("allow_private", report).unwrap_or(false);
    let source = report.source(&section.place);
    let full_text = section.word("full_text", &super::settings::FULL_TEXT, report).unwrap_or(full_text);
    let line = |key| source.position(section.place_of(key).start).0;
    let origin = Origin {
        file: source.path.clone(),
        line: line("url"),
        interval_line: section.has("interval").then(|| line("interval")),
    };
    let url = FeedUrl::File(PathBuf::new());
    Feed { url, name, tags, interval, language, allow_private, full_text, origin: Some(origin) }
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
