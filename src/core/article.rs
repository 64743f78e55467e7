//! Articles: what a feed said, known again by a key.

use super::{identity::canonical_url, page};
use jiff::Timestamp;
use serde::Serialize;
use std::{fmt, time::Duration};

/// Row of an article in the store. Only the store makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ArticleId(i64);

impl ArticleId {
    /// Wraps the row id that the store gave.
    pub(crate) fn from_row(id: i64) -> Self {
        Self(id)
    }

    /// Returns the row id, for the store.
    pub fn row(self) -> i64 {
        self.0
    }
}

/// A feed document as parsed: cleaned, in the order of the document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedFeed {
    /// What kind of document it was.
    pub format: FeedFormat,
    /// Title of the feed as plain text.
    pub title: Option<String>,
    /// Language tag (BCP 47) that the feed declares.
    pub language: Option<String>,
    /// RSS `ttl`: how long the publisher asks not to be polled.
    pub ttl: Option<Duration>,
    /// The items, newest or oldest first as the publisher chose.
    pub items: Vec<Item>,
    /// What had to be mended before the document could be read; empty for a sound one.
    pub recovered: Vec<Recovery>,
}

/// The kinds of documents that are read as feeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedFormat {
    /// RSS 0.9x and 2.0.
    #[default]
    Rss,
    /// RSS 0.90 and 1.0, which are RDF.
    Rdf,
    /// Atom.
    Atom,
    /// JSON Feed.
    JsonFeed,
    /// A sitemap with `news:news`.
    NewsSitemap,
}

impl fmt::Display for FeedFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Rss => "RSS",
            Self::Rdf => "RSS 1.0",
            Self::Atom => "Atom",
            Self::JsonFeed => "JSON Feed",
            Self::NewsSitemap => "news sitemap",
        })
    }
}

/// Something that was wrong with a document and was mended in order to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Text or markup before or after the feed was dropped.
    Surroundings,
    /// Characters and references that XML does not allow were replaced or dropped.
    Characters,
    /// Tags or sections without an end were ended.
    Markup,
    /// An old version or an unknown namespace was read as a known one.
    Dialect,
    /// Values of a wrong type, empty or too great, were rewritten or dropped.
    Values,
    /// The document ended in its middle: what follows the last whole item is missing.
    Truncated,
    /// Items that could not be read were left out.
    ItemsLost {
        /// How many.
        items: usize,
    },
}

impl fmt::Display for Recovery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Surroundings => out.write_str("text around the feed dropped"),
            Self::Characters => out.write_str("forbidden characters replaced"),
            Self::Markup => out.write_str("missing ends added"),
            Self::Dialect => out.write_str("old version or unknown namespace read"),
            Self::Values => out.write_str("wrong values rewritten or dropped"),
            Self::Truncated => out.write_str("truncated: read up to the last whole item"),
            Self::ItemsLost { items: 1 } => out.write_str("1 unreadable item left out"),
            Self::ItemsLost { items } => write!(out, "{items} unreadable items left out"),
        }
    }
}

/// One item of a feed: plain text, as a reader sees it.
///
/// In the texts a space separates words and a line feed ends a block (paragraph, list item, heading): phrases never
/// match across a line feed. Control and bidirectional-override characters are gone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item {
    /// `guid`, `atom:id`, `rdf:about` or JSON `id`, trimmed, exactly as sent otherwise; never resolved or invented.
    pub guid: Option<String>,
    /// Link to the article, absolute (resolved against `xml:base` and the URL the feed came from), otherwise as sent.
    pub link: Option<String>,
    /// Headline.
    pub title: String,
    /// Summary or description.
    pub summary: String,
    /// Full content, where the feed has one apart from the summary.
    pub content: String,
    /// Names of the authors.
    pub authors: Vec<String>,
    /// Categories, by label where there is one.
    pub categories: Vec<String>,
    /// Language tag (BCP 47) of the item or else of the feed.
    pub language: Option<String>,
    /// When the publisher says that it was published.
    pub published: Option<Timestamp>,
    /// When the publisher says that it was last changed.
    pub updated: Option<Timestamp>,
}

/// What makes an article the same article at the next poll, unique within its feed (FEEDS C1, C2).
///
/// The key is a readable prefix that tells what it was made of (`guid:`, `link:`, `link+date:`, `title+date:`,
/// `text:`) and a hexadecimal SHA-256 of it, so that a megabyte of guid costs no more than a short one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ArticleKey(pub(super) String);

impl ArticleKey {
    /// Wraps a key that the store keeps.
    pub(crate) fn from_store(key: String) -> Self {
        Self(key)
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Hash of what a reader sees of an article: title, summary and content. Tells an edit from a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextHash(pub [u8; 32]);

/// An item with its identity.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// Identity within the feed.
    pub key: ArticleKey,
    /// Canonical form of the link (FEEDS C8), else of a guid that is one; for comparing only: people are shown `item.link`.
    pub canonical_url: Option<String>,
    /// Hash of title, summary and content.
    pub text_hash: TextHash,
    /// What the feed said.
    pub item: Item,
}

/// The numbers under which the store looks for copies of an article.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places {
    /// Of its page, if it has one ([`page::place`]).
    pub page: Option<i64>,
    /// Of the page that its guid is a link to.
    pub linked_guid: Option<i64>,
    /// What it has in common with the articles that have its guid.
    pub guid: Option<i64>,
}

impl Article {
    /// Returns its places.
    pub fn places(&self) -> Places {
        let Self { canonical_url: url, item, .. } = self;
        let page = url.as_deref().and_then(page::place);
        let guid = item.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty());
        let linked_guid = match guid {
            Some(guid) if item.link.as_deref() != Some(guid) => canonical_url(guid).and_then(|url| page::place(&url)),
            guid => guid.and(page),
        };
        Places { page, linked_guid, guid: linked_guid.or_else(|| guid.map(page::guid_place)) }
    }
}
