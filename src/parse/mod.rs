//! Reads feed documents: RSS, Atom, RDF, JSON Feed and news sitemaps in any encoding, as plain text.
//!
//! A document goes through four steps: `decode` makes UTF-8 of it; `prescan` walks it once in linear time, holds it
//! to the limits and notes what the parser loses; feed-rs parses it; `convert` makes plain text of what it found.
//! Where that fails, `recover` mends the document and it is tried once more. News sitemaps go their own way after the
//! walk (`sitemap`). Where a page says that its feeds are is told by `discover`.
//! Identity of articles is `core::identity`'s; fetching and limits of bytes are the fetcher's.

mod convert;
mod decode;
pub mod discover;
pub mod page;
mod prescan;
mod recover;
mod sitemap;

use crate::core::article::{ParsedFeed, Recovery};
use chrono::{DateTime, Utc};
use feed_rs::parser::{Builder, ParseErrorKind, ParseFeedError, Parser};
use jiff::Timestamp;
use prescan::Outline;
use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use url::Url;

/// Returns a document as text, in the encoding that it says or seems to have; none where it is no text, but an image, say.
pub fn text<'a>(body: &'a [u8], content_type: Option<&str>) -> Option<Cow<'a, str>> {
    decode::text(body, content_type)
}

/// Limits of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseLimits {
    /// Items of a document.
    pub items: usize,
    /// Levels of nested elements.
    pub depth: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Namespace declarations in force at one place.
    pub namespaces: usize,
    /// Characters of a title; what is longer is cut at a word.
    pub title_chars: usize,
    /// Bytes of a summary or content; what is longer is cut.
    pub field_bytes: usize,
    /// Authors and categories of an item; the rest is dropped.
    pub list: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self {
            items: 10_000,
            depth: 256,
            attributes: 256,
            namespaces: 256,
            title_chars: 512,
            field_bytes: 65_536,
            list: 100,
        }
    }
}

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is a web page.
    #[error("is a web page (HTML), not a feed: look on the page for the address of its feed and configure that")]
    WebPage,
    /// It is something else.
    #[error("is not a feed ({found}): RSS, Atom, RDF and JSON Feed are read")]
    NotAFeed {
        /// What it seems to be.
        found: String,
    },
    /// It ends in its middle.
    #[error("is truncated: it ends {place}; it will be read when it is whole")]
    Truncated {
        /// Where, for people.
        place: String,
    },
    /// It is not well-formed.
    #[error("is malformed: {reason}; its publisher has to mend it")]
    Malformed {
        /// What is wrong, and where.
        reason: String,
    },
    /// It has more items than are allowed.
    #[error("has over {} items: raise polling.limits.items if it may", thousands(*limit))]
    TooManyItems {
        /// The limit.
        limit: usize,
    },
    /// Its elements are nested too deeply.
    #[error("is nested over {} levels, which no feed is", thousands(*limit))]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// An element has more attributes, or a place more namespaces, than any feed needs.
    #[error("has over {} {what}, which no feed has", thousands(*limit))]
    TooMany {
        /// The limit.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// It has items, and none of them could be read.
    #[error("has {items} items in a form that is not understood (an unknown version or namespace)")]
    NothingRead {
        /// Items in the document.
        items: usize,
    },
    /// The parser failed in a way that it should not.
    #[error("made the feed parser fail (a defect of the parser, set off by something unusual in this document)")]
    ParserFailed,
}

impl ParseError {
    /// Tells whether mending may help: it changes nothing about a limit, except that missing end tags make a document
    /// seem deep.
    fn is_mendable(&self) -> bool {
        !matches!(self, Self::Empty | Self::TooManyItems { .. } | Self::TooMany { .. })
    }
}

/// Parses a document that came with a `Content-Type` from `base`, the URL after redirects.
///
/// The same bytes give the same feed, except that dates which `now` shows to be impossible are dropped: before 1990 or
/// more than two days ahead.
///
/// # Errors
///
/// When the document is no feed, is broken or is over a limit. A panic of the parser is an error, too.
pub fn parse(
    body: &[u8],
    content_type: Option<&str>,
    base: &str,
    limits: &ParseLimits,
    now: Timestamp,
) -> Result<ParsedFeed, ParseError> {
    let base = Url::parse(base).ok();
    let text = decode::decode(body, content_type, base.as_ref());
    let text = text.trim_matches(|char: char| char.is_whitespace() || char == '\0');
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    let reading = Reading { base: base.as_ref(), limits, now };
    let error = match parse_text(text, reading) {
        Err(error) if error.is_mendable() => error,
        done => return done,
    };
    recover::recover(text, reading).ok_or(error)
}

/// What documents are read by.
#[derive(Debug, Clone, Copy)]
struct Reading<'a> {
    base: Option<&'a Url>,
    limits: &'a ParseLimits,
    now: Timestamp,
}

/// Parses a text as it is.
fn parse_text(text: &str, Reading { base, limits, now }: Reading<'_>) -> Result<ParsedFeed, ParseError> {
    let mut outline = prescan::prescan(text, limits)?;
    let truncated = outline.truncated.take();
    if outline.root() == "urlset" {
        let read = sitemap::parse(&outline, base, limits, now);
        return match (truncated, read) {
            // What of its entries is whole is read as it is.
            (Some(_), Ok(feed)) if !feed.items.is_empty() => {
                Ok(ParsedFeed { recovered: vec![Recovery::Truncated], ..feed })
            }
            (Some(place), Ok(_) | Err(ParseError::NotAFeed { .. })) => Err(ParseError::Truncated { place }),
            (_, read) => read,
        };
    }
    if let Some(place) = truncated {
        return Err(ParseError::Truncated { place });
    }
    if outline.root() == "sitemapindex" {
        return Err(ParseError::NotAFeed { found: sitemap::index_described(&outline.text, limits) });
    }
    let feed = parse_guarded(&outline, base)?;
    // The parser passes over what is in a namespace that it does not know, silently.
    if feed.entries.is_empty() && outline.item_count > 0 {
        return Err(ParseError::NothingRead { items: outline.item_count });
    }
    Ok(convert::convert(feed, &outline, base, limits, now))
}

/// Parses with feed-rs behind a panic barrier: three kinds of remote input make version 3.0 panic.
fn parse_guarded(outline: &Outline<'_>, base: Option<&Url>) -> Result<feed_rs::model::Feed, ParseError> {
    let builder = || {
        Builder::new()
            .base_uri(base)
            .sanitize_content(false)
            // An item without an id gets none here: `core::identity` makes keys, and they must not be random.
            .id_generator(|_, _, _| String::new())
    };
    let parse = |parser: Parser| {
        catch_unwind(AssertUnwindSafe(|| parser.parse(outline.text.as_bytes()))).map_err(|_| ParseError::ParserFailed)
    };
    // feed-rs tries eight regular expressions on each date, a quarter of its time. Only a document with a date that
    // needs them is parsed with them.
    let needs_mending = Arc::new(AtomicBool::new(false));
    let seen = needs_mending.clone();
    let strict = builder().timestamp_parser(move |text| {
        let date = well_formed_date(text);
        if date.is_none() {
            seen.store(true, Ordering::Relaxed);
        }
        date
    });
    let mut parsed = parse(strict.build())?;
    if needs_mending.load(Ordering::Relaxed) && parsed.is_ok() {
        parsed = parse(builder().build())?;
    }
    parsed.map_err(|error| explained(error, outline))
}

/// Returns a date of RFC 3339 or RFC 2822, as feed-rs reads it too, but none that it would have to mend.
fn well_formed_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let date = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    date.ok().map(|date| date.to_utc())
}

/// Explains an error of feed-rs by what the prescan saw.
fn explained(error: ParseFeedError, outline: &Outline<'_>) -> ParseError {
    match error {
        ParseFeedError::ParseError(ParseErrorKind::NoFeedRoot) if outline.broken.is_none() => {
            ParseError::NotAFeed { found: outline.root_described() }
        }
        ParseFeedError::JsonUnsupportedVersion(version) => {
            let version: String = version.chars().filter(|char| !char.is_control()).take(80).collect();
            ParseError::NotAFeed { found: format!("JSON that calls itself `{version}`") }
        }
        ParseFeedError::ParseError(kind) => {
            ParseError::Malformed { reason: outline.broken.clone().unwrap_or_else(|| one_line(&kind.to_string())) }
        }
        error => {
            ParseError::Malformed { reason: outline.broken.clone().unwrap_or_else(|| one_line(&error.to_string())) }
        }
    }
}

/// Returns a message of a library as one short line: it may quote the document.
fn one_line(message: &str) -> String {
    crate::rules::plain::clean(message).replace('\n', " ").chars().take(200).collect()
}

/// Writes a number as people read it: `10,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests;
