//! Conversion of what feed-rs found to plain text, with what it lost put back from the outline.

use super::{
    ParseLimits,
    prescan::{ItemOutline, Outline},
};
use crate::{
    core::{
        article::{FeedFormat, Item, ParsedFeed},
        identity::is_plain,
    },
    rules::plain::{clean, looks_like_markup, plain_text, truncate},
};
use feed_rs::model::{Category, Content, Entry, Feed, FeedType, Link, Person, Text};
use jiff::{SignedDuration, Timestamp};
use std::{ops::Range, time::Duration};
use url::Url;

/// Bytes of markup that are looked at for one text: more than fills the longest field that is kept.
const MARKUP_BYTES: usize = 1 << 20;

/// Bytes of the longest link that is kept; longer ones are embedded documents or mistakes.
const LINK_BYTES: usize = 8192;

/// 1990-01-01: no feed is older, and dates before it are zeros or mistakes.
const OLDEST: i64 = 631_152_000;

/// How far ahead a date may be: clocks and time zones are often wrong by hours.
const AHEAD: SignedDuration = SignedDuration::from_hours(48);

/// Converts a parsed feed.
pub(super) fn convert(
    feed: Feed,
    outline: &Outline<'_>,
    base: Option<&Url>,
    limits: &ParseLimits,
    now: Timestamp,
) -> ParsedFeed {
    let format = match &feed.feed_type {
        FeedType::Atom => FeedFormat::Atom,
        FeedType::JSON => FeedFormat::JsonFeed,
        FeedType::RSS1 => FeedFormat::Rdf,
        FeedType::RSS0 | FeedType::RSS2 => FeedFormat::Rss,
    };
    let context = Context { kind: feed.feed_type, outline, base, limits, now };
    let language = feed.language.or_else(|| outline.language.clone()).as_deref().and_then(language_tag);
    // Where both counted differently, what the outline says of an item cannot be told to be that item's.
    let aligned = outline.items.len() == feed.entries.len();
    let none = ItemOutline::default();
    // RFC 4287 §4.1.1: the feed's authors are those of entries without any.
    let authors = if context.kind == FeedType::Atom { feed.authors } else { Vec::new() };
    let items = feed.entries.into_iter().enumerate().map(|(index, entry)| {
        let outline = if aligned { &outline.items[index] } else { &none };
        let mut item = context.item(entry, outline, &authors);
        item.language = item.language.or_else(|| language.clone());
        item
    });
    let items = items.collect();
    let title = feed.title.map(|title| context.line(&title.content)).filter(|title| !title.is_empty());
    let ttl = feed.ttl.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)).filter(|ttl| !ttl.is_zero());
    ParsedFeed { format, title, language, ttl, items, recovered: Vec::new() }
}

/// What all items of a document share.
pub(super) struct Context<'a> {
    pub(super) kind: FeedType,
    pub(super) outline: &'a Outline<'a>,
    pub(super) base: Option<&'a Url>,
    pub(super) limits: &'a ParseLimits,
    pub(super) now: Timestamp,
}

impl Context<'_> {
    fn item(&self, entry: Entry, outline: &ItemOutline, feed_authors: &[Person]) -> Item {
        let guid = [Some(entry.id.as_str()), outline.about.as_deref()].into_iter().flatten().map(str::trim);
        let guid = guid.into_iter().find(|guid| !guid.is_empty()).map(str::to_owned);
        let permalink = guid.as_deref().filter(|_| outline.permalink || !self.is_rss());
        let link = self.link(&entry.links).or_else(|| permalink.and_then(|guid| self.web_url(guid, None)));
        let published = entry.published.and_then(|date| self.date(date.timestamp()));
        let updated = entry.updated.and_then(|date| self.date(date.timestamp()));
        let copied = self.is_rss() && updated == published;
        let authors = if entry.authors.is_empty() { feed_authors } else { &entry.authors };
        let language = entry.language.as_deref().or(outline.language.as_deref()).and_then(language_tag);
        let mut title = self.title(entry.title.as_ref(), outline.title.clone());
        if let Some(other) = outline.other_title.as_deref().filter(|_| title.is_empty()) {
            title = self.line(other);
        }
        Item {
            guid,
            link,
            title,
            summary: match outline.summary.clone() {
                Some(place) => self.field(self.markup(place), true),
                None => entry.summary.as_ref().map(|text| self.text(text)).unwrap_or_default(),
            },
            content: match outline.content.clone() {
                Some(place) => self.field(self.markup(place), true),
                None => entry.content.as_ref().map(|content| self.content(content)).unwrap_or_default(),
            },
            authors: self.list(authors.iter().filter_map(person)),
            categories: self.list(entry.categories.iter().map(category).chain(outline.subjects.iter().cloned())),
            language,
            published,
            // feed-rs copies the one to the other in RSS.
            updated: updated.filter(|_| !copied),
        }
    }

    /// Returns a part of the document as it was sent.
    fn markup(&self, place: Range<usize>) -> &str {
        self.outline.text.get(place).unwrap_or_default()
    }

    fn title(&self, title: Option<&Text>, place: Option<Range<usize>>) -> String {
        match place {
            Some(place) => self.cut_line(&plain_text(truncate(self.markup(place), MARKUP_BYTES))),
            None => title.map(|title| self.line(&title.content)).unwrap_or_default(),
        }
    }

    fn text(&self, text: &Text) -> String {
        self.field(&text.content, is_markup(text.content_type.as_str()))
    }

    /// Returns the text of a content; pictures and other files that are embedded have none.
    fn content(&self, content: &Content) -> String {
        let kind = content.content_type.as_str();
        if !kind.starts_with("text/") && !is_markup(kind) {
            return String::new();
        }
        self.field(content.body.as_deref().unwrap_or_default(), is_markup(kind))
    }

    /// Returns a summary or content as plain text, cut to the limit.
    fn field(&self, text: &str, markup: bool) -> String {
        let text = truncate(text, MARKUP_BYTES);
        let plain = if markup || looks_like_markup(text) {
            plain_text(text)
        } else if self.kind == FeedType::JSON {
            clean(text)
        } else {
            // In XML the line feeds of a text come from the layout of the document.
            clean(text).replace('\n', " ")
        };
        truncate(&plain, self.limits.field_bytes).trim_end().to_owned()
    }

    /// Returns a text of one line, which often holds markup whatever it is declared to be.
    pub(super) fn line(&self, text: &str) -> String {
        let text = truncate(text, MARKUP_BYTES);
        if looks_like_markup(text) { self.cut_line(&plain_text(text)) } else { self.cut_line(&clean(text)) }
    }

    /// Returns a plain text as one line, cut at a word where it is too long.
    fn cut_line(&self, text: &str) -> String {
        let line = text.replace('\n', " ");
        let Some((end, _)) = line.char_indices().nth(self.limits.title_chars) else { return line };
        // One character is the ellipsis's; a text without spaces is cut in its middle.
        let end = line[..end].char_indices().next_back().map_or(0, |(last, _)| last);
        let kept = &line[..end];
        let word = kept.rfind(' ').filter(|space| *space > end / 2).unwrap_or(end);
        format!("{}…", kept[..word].trim_end())
    }

    /// Returns a list of short texts, each once.
    pub(super) fn list(&self, texts: impl Iterator<Item = String>) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        for text in texts.take(self.limits.list) {
            let text = self.line(&text);
            if !text.is_empty() && !list.contains(&text) {
                list.push(text);
            }
        }
        list
    }

    /// RSS may say of its guids that they are no links; an Atom id or JSON Feed id that is a web address leads there.
    fn is_rss(&self) -> bool {
        matches!(self.kind, FeedType::RSS0 | FeedType::RSS2)
    }

    /// Returns the link to the article itself.
    fn link(&self, links: &[Link]) -> Option<String> {
        // JSON Feed's attachments are links with a type; Atom's alternate links may have one, and HTML's is the page's.
        let own = |link: &&Link| link.target.is_none() && link.rel.as_deref().is_none_or(|rel| rel == "alternate");
        let is_page = |link: &&Link| link.media_type.as_deref().is_none_or(|kind| kind.contains("html"));
        let pages = links.iter().filter(own).filter(is_page);
        let others = links.iter().filter(own).filter(|link| self.kind == FeedType::Atom && !is_page(link));
        pages.chain(others).find_map(|link| self.web_url(&link.href, self.base))
    }

    /// Returns a link that can be followed on the web; one to the feed itself is an empty link that was resolved.
    pub(super) fn web_url(&self, link: &str, base: Option<&Url>) -> Option<String> {
        let link = link.trim();
        if link.is_empty() || link.len() > LINK_BYTES {
            return None;
        }
        if is_plain(link) {
            return self.base.is_none_or(|base| base.as_str() != link).then(|| link.to_owned());
        }
        let (url, absolute) = match (Url::parse(link), base) {
            (Err(url::ParseError::RelativeUrlWithoutBase), Some(base)) => (base.join(link).ok()?, false),
            (url, _) => (url.ok()?, true),
        };
        let followed = matches!(url.scheme(), "http" | "https") && self.base != Some(&url);
        // As sent where that is a URL already; with white space or relative, as resolved.
        let as_sent = absolute && !link.contains(|char: char| char.is_whitespace() || char.is_control());
        followed.then(|| if as_sent { link.to_owned() } else { url.into() })
    }

    /// Returns a date unless it is impossible: before 1990 or more than two days ahead.
    pub(super) fn date(&self, second: i64) -> Option<Timestamp> {
        let date = Timestamp::from_second(second).ok().filter(|_| second >= OLDEST)?;
        // At the end of time nothing is ahead.
        let latest = self.now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        (date <= latest).then_some(date)
    }
}

/// Tells whether a media type is one of markup.
fn is_markup(kind: &str) -> bool {
    kind.contains("html") || kind.contains("xml")
}

/// Returns the name of a person, or else the address. feed-rs leaves brackets of `a@example.org (Name)`.
fn person(person: &Person) -> Option<String> {
    let name = person.name.as_deref().map(|name| {
        let trimmed = name.trim();
        let inner = trimmed.strip_prefix('(').unwrap_or(trimmed);
        let inner = if inner.contains('(') { inner } else { inner.strip_suffix(')').unwrap_or(inner) };
        inner.trim_matches(['<', '>', '"', ' ']).to_owned()
    });
    name.filter(|name| !name.is_empty()).or_else(|| person.email.clone())
}

fn category(category: &Category) -> String {
    category.label.clone().filter(|label| !label.trim().is_empty()).unwrap_or_else(|| category.term.clone())
}

/// Returns a language tag in its usual form (`en-US`, also of `en_us`), if it looks like one.
pub(super) fn language_tag(text: &str) -> Option<String> {
    let tag = text.trim().replace('_', "-");
    let is_part = |part: &str| matches!(part.len(), 1..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_tag =
        tag.len() >= 2 && tag.split('-').all(is_part) && tag.as_bytes()[..2].iter().all(u8::is_ascii_alphabetic);
    is_tag.then(|| {
        let parts = tag.split('-').enumerate().map(|(index, part)| match (index, part.len()) {
            (1.., 2) => part.to_ascii_uppercase(),
            _ => part.to_ascii_lowercase(),
        });
        parts.collect::<Vec<_>>().join("-")
    })
}
