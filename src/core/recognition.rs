//! Recognition: which articles of a document are new, which were edited, which are known under another guid.
//!
//! An article is known by its key. Where that is unknown, its page or its text may still show that it is an article
//! whose publisher changed its guid (FEEDS C5–C7). A false recognition would hide a new article, so that a page alone is
//! not enough: headline, date or text must agree, and a page that several articles share tells nothing. Nor is it enough
//! where there are no guids and a feed puts one article after the other at one address: what has another date and
//! another headline is another article (FEEDS C2: links that repeat within the feed).

use super::{
    article::{Article, ArticleId, ArticleKey, TextHash},
    identity::{is_finer, is_instant, keys},
    likeness,
    page::{self, page},
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

/// An article that the store knows.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownArticle {
    /// Its row.
    pub id: ArticleId,
    /// Its key.
    pub key: ArticleKey,
    /// Hash of its text as stored.
    pub text_hash: TextHash,
    /// Canonical form of its link.
    pub canonical_url: Option<String>,
    /// When its publisher says that it was published.
    pub published: Option<Timestamp>,
}

/// An article of the same feed that may be one whose key is not known: on its page or with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookalike {
    /// Its row.
    pub id: ArticleId,
    /// Hash of its text as stored.
    pub text_hash: TextHash,
    /// Canonical form of its link.
    pub canonical_url: Option<String>,
    /// Its headline.
    pub title: String,
    /// When its publisher says that it was published.
    pub published: Option<Timestamp>,
}

/// What a document changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// An article that was not known.
    New(Article),
    /// An article whose text changed; its key may have changed as well.
    Edited {
        /// Its row.
        id: ArticleId,
        /// What the feed says now.
        article: Article,
    },
    /// An article whose guid, link or date changed, and not its text: there is nothing to match again.
    Amended {
        /// Its row.
        id: ArticleId,
        /// What the feed says now.
        article: Article,
    },
}

/// What became of the articles of one document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recognised {
    /// What the document changes, in its order.
    pub changes: Vec<Change>,
    /// How many articles at the end of the document, which are the last of the changes, have no known one behind them.
    pub unknown_at_end: usize,
    /// How many articles came under new guids, where that were more than half of the document's (FEEDS C5).
    pub reidentified: Option<usize>,
    /// Pages that more than one article of the document is at, or a new one after known ones: they tell nothing apart.
    pub shared_pages: HashSet<String>,
}

/// The articles of one document after the first look: at their keys.
#[derive(Debug)]
pub struct ByKey {
    changes: Vec<(usize, Change)>,
    strangers: Vec<Stranger>,
    claimed: HashSet<ArticleId>,
    shared_pages: HashSet<String>,
    items: usize,
}

/// An article that its keys do not show to be known.
#[derive(Debug)]
struct Stranger {
    /// Its place in the document.
    index: usize,
    article: Article,
    /// The known article whose address it has, and whose date and text it has not.
    predecessor: Option<ArticleId>,
}

/// Returns the keys, other than their own, under which articles may be known that are not known by their own with the
/// text that they have.
///
/// A guid or link that was alone in one document and repeated in another gives the article another key.
pub fn other_keys(known: &[KnownArticle], articles: &[Article]) -> Vec<ArticleKey> {
    let known: HashMap<&ArticleKey, TextHash> = known.iter().map(|known| (&known.key, known.text_hash)).collect();
    let unsure = articles.iter().filter(|article| known.get(&article.key) != Some(&article.text_hash));
    unsure.flat_map(|article| keys(article).into_iter().skip(1)).collect()
}

/// Looks for the articles of a document by their keys.
///
/// `known` are the feed's known articles, or those among them whose key is that of an article or one of
/// [`other_keys`].
pub fn by_key(known: &[KnownArticle], articles: Vec<Article>) -> ByKey {
    let known: HashMap<&ArticleKey, &KnownArticle> = known.iter().map(|known| (&known.key, known)).collect();
    let mut own: HashSet<ArticleKey> = HashSet::with_capacity(articles.len());
    let articles: Vec<_> = articles.into_iter().filter(|article| own.insert(article.key.clone())).collect();
    let mut once = HashSet::with_capacity(articles.len());
    let mut found = ByKey {
        changes: Vec::new(),
        strangers: Vec::new(),
        claimed: own.iter().filter_map(|key| known.get(key)).map(|known| known.id).collect(),
        shared_pages: articles
            .iter()
            .filter_map(page_of)
            .filter(|page| !once.insert(*page))
            .map(str::to_owned)
            .collect(),
        items: own.len(),
    };
    for (index, mut article) in articles.into_iter().enumerate() {
        let by_own = known.get(&article.key).copied();
        if let Some(known) = by_own.filter(|known| known.text_hash == article.text_hash) {
            found.changes.extend(change(known, article).map(|change| (index, change)));
            continue;
        }
        // A key that another item of this document has is that item's. Under the others the text must be the same,
        // unless the key is made of more than this article's own: then it is more certain, not less. That goes also for
        // an article whose own key is known: one that had a guid or link to itself may have left it to this one, which
        // shared it then. A known article stands for one item only: two with one guid and one text are still two.
        let others = if known.is_empty() { Vec::new() } else { keys(&article) };
        let alias = others.into_iter().skip(1).filter(|key| !own.contains(key)).find_map(|key| {
            let known = *known.get(&key)?;
            let is_finer = is_finer(&key, &article.key);
            let is_this = is_finer || (by_own.is_none() && known.text_hash == article.text_hash);
            (is_this && found.claimed.insert(known.id)).then_some(known)
        });
        match alias.or(by_own.filter(|known| !may_succeed(&article, known))) {
            None => {
                let predecessor = by_own.map(|known| known.id);
                if let Some(id) = &predecessor {
                    found.claimed.remove(id);
                }
                found.strangers.push(Stranger { index, article, predecessor });
            }
            Some(known) => {
                article.key = known.key.clone();
                found.changes.extend(change(known, article).map(|change| (index, change)));
            }
        }
    }
    found
}

impl ByKey {
    /// Returns the articles that none of their keys showed to be known.
    pub fn strangers(&self) -> impl Iterator<Item = &Article> {
        self.strangers.iter().map(|stranger| &stranger.article)
    }

    /// Looks for the strangers by their pages and texts (FEEDS C5–C7).
    ///
    /// `alike` are articles of the feed that are on the page of a stranger or have its text.
    pub fn by_second_key(self, alike: &[Lookalike]) -> Recognised {
        let Self { mut changes, strangers, mut claimed, mut shared_pages, items } = self;
        let (mut unsure, mut found) = (Vec::new(), 0);
        for Stranger { index, article, predecessor } in strangers {
            if let Some(predecessor) = predecessor {
                changes.push((index, succession(article, predecessor, alike, &mut claimed)));
                continue;
            }
            match recognised(&article, alike, &claimed, &shared_pages) {
                Some(known) => {
                    claimed.insert(known.id);
                    found += 1;
                    changes.push((index, under_new_key(known, article)));
                }
                None => unsure.push((index, article)),
            }
        }
        // One article with a new guid is one that an editor made anew as likely as not; when most of a feed has new
        // guids the feed has changed, and the pages are enough.
        let reidentified = (found > 1 && found * 2 > items).then_some(found);
        for (index, article) in unsure {
            let known = reidentified.and_then(|_| alone_on_page(&article, alike, &claimed, &shared_pages));
            let change = match known {
                Some(known) => {
                    claimed.insert(known.id);
                    under_new_key(known, article)
                }
                None => Change::New(article),
            };
            changes.push((index, change));
        }
        changes.sort_by_key(|(index, _)| *index);
        shared_pages.extend(changes.iter().filter_map(|(_, change)| successor_page(change, alike)));
        let places = (0..items).rev().zip(changes.iter().rev());
        let unknown = places.take_while(|(place, (index, change))| place == index && matches!(change, Change::New(_)));
        let unknown_at_end = unknown.count();
        let changes = changes.into_iter().map(|(_, change)| change).collect();
        Recognised { changes, unknown_at_end, reidentified, shared_pages }
    }
}

/// Returns what changed of an article that is known by its key (FEEDS C10). A date or a link that is no longer given
/// is kept.
fn change(known: &KnownArticle, article: Article) -> Option<Change> {
    let id = known.id;
    if known.text_hash != article.text_hash {
        return Some(Change::Edited { id, article });
    }
    let moved = article.canonical_url.is_some() && article.canonical_url != known.canonical_url;
    let redated = article.item.published.is_some() && article.item.published != known.published;
    (moved || redated).then_some(Change::Amended { id, article })
}

/// Tells whether an article that is known by its address alone may be another one than the known one that has its key,
/// put there after it.
fn may_succeed(article: &Article, known: &KnownArticle) -> bool {
    let redated = known.published.zip(article.item.published).is_some_and(|(one, other)| one != other);
    redated && article.key.as_str().starts_with("link:") && article.key == known.key
}

/// Returns what an article changes that has the address of `predecessor`, and another date and text: it is one of the
/// articles that were there, edited, else the next one.
fn succession(
    mut article: Article,
    predecessor: ArticleId,
    alike: &[Lookalike],
    claimed: &mut HashSet<ArticleId>,
) -> Change {
    let own_page = page_of(&article);
    let is_there = |known: &&Lookalike| known.canonical_url.as_deref().map(page) == own_page;
    let there: Vec<_> = alike.iter().filter(is_there).filter(|known| !claimed.contains(&known.id)).collect();
    let finer = keys(&article).into_iter().find(|key| is_finer(key, &article.key));
    let edited = there.iter().filter(|known| agrees(known, &article)).max_by_key(|known| known.id);
    let change = match (edited, finer) {
        (Some(known), _) if known.id == predecessor => under_new_key(known, article),
        (Some(known), Some(finer)) => {
            article.key = finer;
            under_new_key(known, article)
        }
        (None, Some(finer)) if there.iter().any(|known| known.id == predecessor) => {
            article.key = finer;
            Change::New(article)
        }
        // There is nothing to compare it with.
        _ => Change::Edited { id: predecessor, article },
    };
    if let Change::Edited { id, .. } | Change::Amended { id, .. } = &change {
        claimed.insert(*id);
    }
    change
}

/// Returns the page of a new article that is at the page of another one.
fn successor_page(change: &Change, alike: &[Lookalike]) -> Option<String> {
    let Change::New(article) = change else { return None };
    let own = page_of(article)?;
    alike.iter().any(|known| known.canonical_url.as_deref().map(page) == Some(own)).then(|| own.to_owned())
}

fn under_new_key(known: &Lookalike, article: Article) -> Change {
    match known.text_hash == article.text_hash {
        true => Change::Amended { id: known.id, article },
        false => Change::Edited { id: known.id, article },
    }
}

fn page_of(article: &Article) -> Option<&str> {
    article.canonical_url.as_deref().map(page)
}

/// Returns the known article that an article with an unknown guid is.
fn recognised<'a>(
    article: &Article,
    alike: &'a [Lookalike],
    claimed: &HashSet<ArticleId>,
    shared_pages: &HashSet<String>,
) -> Option<&'a Lookalike> {
    let own_page = page_of(article);
    if let Some(known) = alone_on_page(article, alike, claimed, shared_pages).filter(|known| agrees(known, article)) {
        return Some(known);
    }
    // The same text: on a page that tells nothing apart also the date must be the same, at another host the path; and
    // there no date may say otherwise, since a feed that gathers several sites has their equal headlines, too.
    let same_text = |known: &&Lookalike| known.text_hash == article.text_hash && has_text(article);
    alike.iter().filter(same_text).find(|known| {
        let page = known.canonical_url.as_deref().map(page);
        let same_place = match (page, own_page) {
            (Some(one), Some(other)) if one == other => known.published == article.item.published,
            (Some(one), Some(other)) => {
                let same_date = known.published.zip(article.item.published).is_none_or(|(one, other)| one == other);
                let same_path = !page::path(one).is_empty() && page::path(one) == page::path(other);
                same_date && same_path && !page::are_editions(one, other)
            }
            _ => false,
        };
        same_place && !claimed.contains(&known.id)
    })
}

/// Returns the one known article on the page of an article, where both are the only ones there.
fn alone_on_page<'a>(
    article: &Article,
    alike: &'a [Lookalike],
    claimed: &HashSet<ArticleId>,
    shared_pages: &HashSet<String>,
) -> Option<&'a Lookalike> {
    let own = page_of(article).filter(|own| !page::is_front_page(own) && !shared_pages.contains(*own))?;
    let mut there = alike.iter().filter(|known| known.canonical_url.as_deref().map(page) == Some(own));
    there.next().filter(|known| there.next().is_none() && !claimed.contains(&known.id))
}

/// How far the dates of an edited article may be apart.
const EDITED_WITHIN: SignedDuration = SignedDuration::from_hours(48);

/// Tells whether an article on the page of a known one is that one: by its text, its date, or its headline.
fn agrees(known: &Lookalike, article: &Article) -> bool {
    if known.text_hash == article.text_hash {
        return true;
    }
    let dates = known.published.zip(article.item.published);
    if dates.is_some_and(|(one, other)| one == other && is_instant(one)) {
        return true;
    }
    let apart = dates.is_some_and(|(one, other)| one.duration_since(other).abs() > EDITED_WITHIN);
    !apart && likeness::is_edit_of(&known.title, &article.item.title)
}

fn has_text(article: &Article) -> bool {
    let item = &article.item;
    [&item.title, &item.summary, &item.content].into_iter().any(|text| !text.trim().is_empty())
}

#[cfg(test)]
#[path = "recognition_tests.rs"]
mod tests;
