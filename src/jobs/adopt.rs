//! Adopts a configuration: makes the store's lists of feeds, rules and digests the configured ones, in one transaction.

use super::backfill;
use crate::{
    config::Config,
    core::{
        baseline,
        hit::{DigestName, RuleName},
    },
    store::{self, StoreError, feed::StoredFeed},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{collections::HashMap, time::Duration};
use tracing::warn;

/// Adopts `config` and returns its feeds in their order. New feeds are due at `due(index)`. Digests that are new begin
/// just before `now`, so that what is found at this very moment lies within their first window. Hits that wait for a
/// digest that was renamed or removed go to the digests that their rules feed now. Rules that are new and ask for it are
/// noted to be run over what is stored. Feeds that were out of the configuration for long get a new baseline.
///
/// # Errors
///
/// When SQLite fails.
pub fn adopt(
    connection: &Connection,
    config: &Config,
    now: Timestamp,
    due: impl Fn(usize) -> Timestamp,
) -> Result<Vec<StoredFeed>, StoreError> {
    for digest in &config.digests {
        store::edition::progress(connection, &digest.name, now - Duration::from_millis(1))?;
    }
    let configured: Vec<_> = config.digests.iter().map(|digest| &digest.name).collect();
    let digests: HashMap<&RuleName, &Vec<DigestName>> =
        config.rules.iter().map(|rule| (&rule.rule.name, &rule.digests)).collect();
    let digests_of = |rule: &RuleName| digests.get(rule).map(|digests| digests.to_vec()).unwrap_or_default();
    let left = store::hit::requeue(connection, &configured, digests_of)?;
    if left > 0 {
        warn!(
            hits = left,
            "hits wait for a digest that is no longer configured, and no digest takes their rules' hits"
        );
    }
    backfill::adopt(connection, config, now)?;
    let begins_anew = |left| baseline::begins_anew(left, now, config.polling.backfill);
    store::feed::configure(connection, &config.feeds, now, begins_anew, due)
}
