//! Stories: articles that are copies of one text. For what people are shown only: each article and each of its hits
//! stays, and it is kept what showed that two belong together.
//!
//! The first level that holds wins. A false one hides news, so each asks for more than one sign.

use super::{
    article::{Article, ArticleId, ArticleKey, Item, TextHash},
    identity::canonical_url,
    likeness::Words,
    page::{self, page},
};
use jiff::SignedDuration;
use serde::Serialize;
use std::{cell::OnceCell, collections::HashSet};

/// A story: the row of the article that it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct StoryId(i64);

impl StoryId {
    /// Wraps the row id that the store gave.
    pub(crate) fn from_row(id: i64) -> Self {
        Self(id)
    }
}

/// What showed that an article belongs to a story, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The story began with it.
    First,
    /// The same guid and text in another feed (FEEDS C1).
    Guid,
    /// The same page in another feed (FEEDS C14).
    Address,
    /// The page for other devices, in another feed (FEEDS C9).
    MobileAddress,
    /// In the same feed, under a new headline at a new address (FEEDS C11).
    Rewritten,
}

impl Level {
    /// Returns its name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Guid => "guid",
            Self::Address => "address",
            Self::MobileAddress => "mobile-address",
            Self::Rewritten => "rewritten",
        }
    }
}

/// How long a story goes on in other feeds.
pub const WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a publisher rewrites a headline and its address (FEEDS C11).
pub const REWRITTEN_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// Characters of the start of a text that are compared.
pub const START_CHARACTERS: usize = 600;

/// An article that another may be a copy of.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Its row.
    pub id: ArticleId,
    /// The feed's row, to tell whether a feed has several articles on a page.
    pub feed: i64,
    /// The story that it belongs to, else its own row.
    pub story: StoryId,
    /// Its key.
    pub key: ArticleKey,
    /// Hash of its text as stored.
    pub text_hash: TextHash,
    /// Canonical form of its link.
    pub canonical_url: Option<String>,
    /// Its headline.
    pub title: String,
    /// First [`START_CHARACTERS`] of its summary, else of its content.
    pub start: String,
}

/// The newest articles of a feed, among which the one is looked for whose headline was rewritten.
#[derive(Debug, Default)]
pub struct Recent(Vec<Earlier>);

#[derive(Debug)]
struct Earlier {
    sighting: Sighting,
    // Split once for all articles of a document, and only where they are compared.
    title: OnceCell<Words>,
    text: OnceCell<Words>,
}

impl Recent {
    /// Takes the articles.
    pub fn of(sightings: Vec<Sighting>) -> Self {
        let earlier = |sighting| Earlier { sighting, title: OnceCell::new(), text: OnceCell::new() };
        Self(sightings.into_iter().map(earlier).collect())
    }
}

impl Earlier {
    fn title(&self) -> &Words {
        self.title.get_or_init(|| Words::of(&self.sighting.title))
    }

    fn text(&self) -> &Words {
        self.text.get_or_init(|| Words::of(&self.sighting.start))
    }
}

/// That an article belongs to the story of another one, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The other article.
    pub to: ArticleId,
    /// What showed it.
    pub level: Level,
    /// What agreed, for people.
    pub evidence: String,
}

/// Returns the story that a new article continues.
///
/// `others` are articles of other feeds that are on its page or have its text, `recent` the newest ones of its own,
/// `shared_pages` the pages of several articles of its document.
pub fn story_of(
    article: &Article,
    others: &[Sighting],
    recent: &Recent,
    shared_pages: &HashSet<String>,
) -> Option<Joined> {
    let shared = article.canonical_url.as_deref().is_some_and(|url| shared_pages.contains(page(url)));
    elsewhere(article, others, shared).or_else(|| rewritten(article, recent))
}

/// Returns the story that a new article continues, by the articles of other feeds that are on its page or have its text.
///
/// `shared_page` says that several articles of its own document are on its page.
fn elsewhere(article: &Article, others: &[Sighting], shared_page: bool) -> Option<Joined> {
    if others.is_empty() {
        return None;
    }
    let is_guid = article.key.as_str().starts_with("guid");
    let same_guid = |other: &&Sighting| is_guid && other.key == article.key && other.text_hash == article.text_hash;
    if let Some(other) = others.iter().filter(same_guid).min_by_key(|other| other.id) {
        return Some(Joined { to: other.id, level: Level::Guid, evidence: "guid and text are the same".to_owned() });
    }
    let own = article.canonical_url.as_deref().map(page).filter(|own| !page::is_front_page(own))?;
    let editions = page::editions(own);
    let there = others.iter().filter(|other| {
        other.canonical_url.as_deref().is_some_and(|url| editions.iter().any(|edition| edition == page(url)))
    });
    let there: Vec<&Sighting> = there.collect();
    let mut once = HashSet::new();
    let several: HashSet<i64> = there.iter().map(|other| other.feed).filter(|feed| !once.insert(*feed)).collect();
    let title = Words::of(&article.item.title);
    let sure = there.into_iter().filter(|other| {
        // A page of several articles is that of a series or a list: the headline must be the same too.
        let alone = !shared_page && !several.contains(&other.feed);
        alone || other.text_hash == article.text_hash || is_same(&title, &Words::of(&other.title))
    });
    let other = sure.min_by_key(|other| (other.canonical_url.as_deref().map(page) != Some(own), other.id))?;
    let other_page = other.canonical_url.as_deref().map(page).unwrap_or_default();
    let level = if other_page == own { Level::Address } else { Level::MobileAddress };
    Some(Joined { to: other.id, level, evidence: other_page.to_owned() })
}

fn is_same(title: &Words, other: &Words) -> bool {
    title.len() > 0 && title == other
}

/// Tells whether an article is identified by its address, so that a rewritten headline gives it a new one.
pub fn may_be_rewritten(article: &Article) -> bool {
    let Some(own) = article.canonical_url.as_deref().map(page) else { return false };
    match article.item.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty()) {
        None => true,
        Some(guid) => canonical_url(guid).is_some_and(|guid| page(&guid) == own),
    }
}

/// Returns the story that a new article continues under a rewritten headline (FEEDS C11), by the newest articles of its
/// feed.
fn rewritten(article: &Article, Recent(recent): &Recent) -> Option<Joined> {
    if recent.is_empty() {
        return None;
    }
    let own = article.canonical_url.as_deref().map(page).filter(|_| may_be_rewritten(article))?;
    let (title, text) = (Words::of(&article.item.title), Words::of(&start(&article.item)));
    let alike = recent.iter().filter(|earlier| {
        let Some(other_page) = earlier.sighting.canonical_url.as_deref().map(page) else { return false };
        let moved = other_page != own && page::host(other_page) == page::host(own);
        moved && is_rewritten(&title, &text, earlier)
    });
    let alike: Vec<&Sighting> = alike.map(|earlier| &earlier.sighting).collect();
    let first = alike.iter().min_by_key(|other| other.id)?;
    // A text that several stories share is the publisher's boilerplate.
    if alike.iter().any(|other| other.story != first.story) {
        return None;
    }
    let evidence = format!("the same text at {}", first.canonical_url.as_deref().map(page).unwrap_or_default());
    Some(Joined { to: first.id, level: Level::Rewritten, evidence })
}

/// Words of a text that can be told from a formula ("Click to read more").
const TEXT_WORDS: usize = 8;

/// Tells whether a headline and a text are those of another article after an edit.
fn is_rewritten(title: &Words, text: &Words, earlier: &Earlier) -> bool {
    let old_title = earlier.title();
    if !title.same_numbers(old_title) {
        return false;
    }
    let old_text = earlier.text();
    if !text.same_numbers(old_text) {
        return false;
    }
    if text.len().min(old_text.len()) < TEXT_WORDS {
        // Nothing but headlines: near-identical ones, and what little text there is.
        return text == old_text && title.len().min(old_title.len()) >= 4 && title.jaccard(old_title) >= 0.8;
    }
    // A formula under every article has nothing of the headlines.
    text.jaccard(old_text) >= 0.8
        && (title.has_topic_of(old_title) || (title.has_topic_of(text) && old_title.has_topic_of(text)))
}

/// Returns the part of a text that is compared: the start of the summary, else of the content.
fn start(item: &Item) -> String {
    let text = if item.summary.is_empty() { &item.content } else { &item.summary };
    text.chars().take(START_CHARACTERS).collect()
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
