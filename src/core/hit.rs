//! Hits: a rule matched an article.

use super::{article::ArticleId, story::StoryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// Name of a rule, unique in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleName(String);

/// Version of a rule: the first 16 hexadecimal digits of a hash of everything that decides what it matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleVersion(String);

/// Name of a digest, unique in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DigestName(String);

macro_rules! name {
    ($type:ident) => {
        impl $type {
            /// Wraps a text that the configuration or the store vouches for.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

name!(RuleName);
name!(RuleVersion);
name!(DigestName);

/// Row of a hit in the store. Only the store makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct HitId(i64);

impl HitId {
    /// Wraps the row id that the store gave.
    pub(crate) fn from_row(id: i64) -> Self {
        Self(id)
    }

    /// Returns the row id, for the store.
    pub fn row(self) -> i64 {
        self.0
    }
}

/// A part of an article that rules look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// Headline.
    Title,
    /// Summary or description.
    Summary,
    /// Full content.
    Content,
    /// Names of the authors, one a line.
    Author,
    /// Categories, one a line.
    Category,
}

/// A term of a rule, found in an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermMatch {
    /// The term as the rule writes it (the member of a group, not the group).
    pub term: SmolStr,
    /// Where it was found.
    pub field: Field,
    /// First byte of the match in the field's text.
    pub start: usize,
    /// Byte after the match in the field's text.
    pub end: usize,
}

/// A hit as the store holds it, with what a digest shows of its article.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredHit {
    /// Row of the hit.
    pub id: HitId,
    /// The rule that matched.
    pub rule: RuleName,
    /// The rule's version at that time.
    pub version: RuleVersion,
    /// When it matched.
    pub found_at: Timestamp,
    /// Whether the article was there before this version of the rule.
    pub in_retrospect: bool,
    /// The terms that matched, where.
    pub terms: Vec<TermMatch>,
    /// The article.
    pub article: HitArticle,
    /// Whether an earlier edition of the digest that it waits for has shown a hit of the same rule and story.
    pub told_before: bool,
}

/// What a digest shows of an article.
#[derive(Debug, Clone, PartialEq)]
pub struct HitArticle {
    /// Row of the article.
    pub id: ArticleId,
    /// The story that it belongs to.
    pub story: StoryId,
    /// Link as the publisher gave it.
    pub link: Option<String>,
    /// Headline.
    pub title: String,
    /// Summary.
    pub summary: String,
    /// Content.
    pub content: String,
    /// Names of the authors, one a line.
    pub author: String,
    /// Categories, one a line.
    pub category: String,
    /// Name of the feed: the configured one, else the feed's own title, else its host or file name.
    pub outlet: String,
    /// When the publisher says that it was published.
    pub published: Option<Timestamp>,
    /// When feedwatch first saw it.
    pub first_seen: Timestamp,
}

impl HitArticle {
    /// Returns the text of a field.
    pub fn text(&self, field: Field) -> &str {
        match field {
            Field::Title => &self.title,
            Field::Summary => &self.summary,
            Field::Content => &self.content,
            Field::Author => &self.author,
            Field::Category => &self.category,
        }
    }
}
