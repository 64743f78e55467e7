//! Runs rules over the archive: one thread reads pages, the others match, and what they find comes in the order of the
//! archive. Memory is bounded by the pages under way.

use crate::{
    config::Config,
    core::feed::Feed,
    rules::Document,
    store::{
        StoreError,
        archive::{ArchivedArticle, Reader, Span},
    },
};
use rusqlite::Connection;
use std::{
    collections::{BTreeMap, HashMap},
    num::NonZero,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Mutex, mpsc},
    thread,
};

/// Articles of a page.
const PAGE: usize = 256;

/// The configured feeds by identity, for what the store does not know of them.
pub(super) struct FeedsByIdentity<'a>(HashMap<String, &'a Feed>);

impl<'a> FeedsByIdentity<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        Self(config.feeds.iter().map(|feed| (feed.url.identity(), feed)).collect())
    }

    /// Returns an article as a document of its feed, if that is configured: the articles of others are met by no rule.
    pub(super) fn document<'d>(&self, archived: &'d ArchivedArticle) -> Option<Document<'d>>
    where
        'a: 'd,
    {
        let feed: &'a Feed = self.0.get(&archived.feed.identity)?;
        let document = document(archived);
        Some(Document {
            feed_name: feed.name.as_deref().unwrap_or_default(),
            tags: &feed.tags,
            language: feed.language.as_deref().or(document.language),
            ..document
        })
    }
}

/// Returns an article as a document of a feed of which the configuration says nothing.
pub(super) fn document(archived: &ArchivedArticle) -> Document<'_> {
    let article = &archived.article;
    Document {
        title: &article.title,
        summary: &article.summary,
        content: &article.content,
        author: &article.author,
        category: &article.category,
        url: article.link.as_deref().unwrap_or_default(),
        language: archived.language.as_deref(),
        feed: &archived.feed.identity,
        feed_name: archived.feed.name.as_deref().unwrap_or_default(),
        tags: &[],
    }
}

/// A page that was matched: what was found, and how many articles were looked at.
struct Matched<T> {
    found: Vec<(ArchivedArticle, T)>,
    articles: usize,
}

/// Reads the articles of a span, newest first, and gives `take` those in which `find` finds something, page by page, with
/// the number of articles looked at so far. Ends when `take` breaks. Returns how many articles were looked at.
///
/// # Errors
///
/// When SQLite fails.
pub(super) fn scan<T: Send>(
    connection: &Connection,
    span: Span,
    find: impl Fn(&ArchivedArticle) -> Option<T> + Sync,
    mut take: impl FnMut(usize, Vec<(ArchivedArticle, T)>) -> ControlFlow<()>,
) -> Result<usize, StoreError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut reader = Reader::new(connection, span);
    let (pages, waiting) = mpsc::channel::<(usize, Vec<ArchivedArticle>)>();
    let waiting = Mutex::new(waiting);
    let (waiting, find) = (&waiting, &find);
    thread::scope(|scope| {
        // Moved in, so that on every way out the channel closes and the threads end.
        let pages = pages;
        let (results, done) = mpsc::channel();
        for _ in 0..threads {
            let results = results.clone();
            scope.spawn(move || {
                loop {
                    let next = waiting.lock().ok().and_then(|waiting| waiting.recv().ok());
                    let Some((number, page)) = next else { break };
                    let matched = catch_unwind(AssertUnwindSafe(|| matched(page, find)));
                    if results.send((number, matched)).is_err() {
                        break;
                    }
                }
            });
        }
        let (mut sent, mut taken, mut articles, mut at_end) = (0, 0, 0, false);
        let mut early = BTreeMap::new();
        loop {
            // Read ahead of the threads, and no farther.
            while !at_end && sent - taken < 2 * threads + 1 {
                let page = reader.page(PAGE)?;
                at_end = page.is_empty();
                if !at_end {
                    pages.send((sent, page)).expect("the threads wait for pages until the channel closes");
                    sent += 1;
                }
            }
            if taken == sent {
                return Ok(articles);
            }
            let (number, matched) = done.recv().expect("a page that was sent is answered");
            early.insert(number, matched);
            while let Some(matched) = early.remove(&taken) {
                let Matched { found, articles: more } = matched.unwrap_or_else(|panic| resume_unwind(panic));
                taken += 1;
                articles += more;
                if take(articles, found).is_break() {
                    return Ok(articles);
                }
            }
        }
    })
}

fn matched<T>(page: Vec<ArchivedArticle>, find: impl Fn(&ArchivedArticle) -> Option<T>) -> Matched<T> {
    let articles = page.len();
    let found = page.into_iter().filter_map(|article| find(&article).map(|found| (article, found))).collect();
    Matched { found, articles }
}
