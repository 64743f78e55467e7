//! Matching of one article, and what follows from it in the store: hits, the digests' queues.

use crate::{
    config::{Config, WatchRule},
    core::{
        article::{ArticleId, Item},
        feed::Feed,
    },
    rules::Document,
    store::{self, StoreError},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// Hits of one piece of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hits {
    /// Those that were not known.
    pub(super) new: usize,
    /// Those over the limit for one poll, which digests count and do not list.
    pub(super) suppressed: usize,
    /// How long the matching took.
    pub(super) matching: Duration,
}

/// Returns a feed of the configuration that a job started with as the one in force has it, whose rules go by its name and
/// its tags.
pub(super) fn feed_in_force<'c>(in_force: &'c Config, started_with: &'c Config, feed: &'c Feed) -> &'c Feed {
    let same = std::ptr::eq(in_force, started_with);
    let known = in_force.feeds.iter().filter(|_| !same).find(|known| known.url == feed.url);
    known.unwrap_or(feed)
}

/// Matches an article of a feed against all rules and records what is found, within the caller's transaction.
pub(super) fn match_article(
    connection: &Connection,
    config: &Config,
    feed: &Feed,
    (id, item): (ArticleId, &Item),
    hits: &mut Hits,
    now: Timestamp,
) -> Result<(), StoreError> {
    let began = Instant::now();
    let (author, category) = (item.authors.join("\n"), item.categories.join("\n"));
    let identity = feed.url.identity();
    let matches = config.rule_set.matches(&Document {
        feed: &identity,
        feed_name: feed.name.as_deref().unwrap_or_default(),
        tags: &feed.tags,
        language: feed.language.as_deref().or(item.language.as_deref()),
        ..Document::of_item(item, &author, &category)
    });
    hits.matching += began.elapsed();
    for found in matches {
        let WatchRule { rule, digests, .. } = &config.rules[found.rule];
        let hit = store::hit::record(connection, &rule.name, &rule.version, id, &found.terms, now)?;
        let Some(hit) = hit else { continue };
        let suppressed = hits.new >= config.polling.max_hits_per_poll;
        hits.new += 1;
        hits.suppressed += usize::from(suppressed);
        for digest in digests {
            store::hit::queue(connection, digest, hit, suppressed)?;
        }
    }
    Ok(())
}
