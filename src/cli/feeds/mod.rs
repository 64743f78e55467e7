//! `feedwatch feeds`: the health of the feeds, as a table or one by one; adding, importing and exporting them.

mod add;
mod candidate;
mod detail;
mod export;
mod import;
mod list;
mod row;
mod writing;

use super::{
    Failure,
    args::{Feeds, FeedsAction},
    setup::Setup,
    terminal::{Terminal, harmless},
};
use crate::{
    clock,
    config::Config,
    core::feed::Feed,
    store::{self, StoreError},
};
use row::{FeedRow, FullTextHealth};
use std::{collections::HashMap, time::Duration};

/// How far back the pages of a feed's articles are counted.
const LATELY: Duration = Duration::from_secs(7 * 86_400);

/// Does what was asked of the feeds.
pub(super) fn feeds(setup: &Setup, args: &Feeds, terminal: &Terminal<'_>) -> Result<(), Failure> {
    if args.action.is_some() && (args.failing || !args.state.is_empty() || !args.feeds.is_empty()) {
        let text = "names and states of feeds are for showing them; `add`, `import` and `export` take none".to_owned();
        return Err(Failure::Usage(text));
    }
    match &args.action {
        None => show(setup, args, terminal),
        Some(FeedsAction::Add(args)) => setup.runtime()?.block_on(add::add(setup, args, *terminal)),
        Some(FeedsAction::Import(args)) => import::import(setup, args, *terminal),
        Some(FeedsAction::Export(args)) => export::export(setup, args, *terminal),
    }
}

/// Shows the feeds that were chosen: a table, or everything about the one that was named.
fn show(setup: &Setup, args: &Feeds, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let all = rows(setup, &config)?;
    let named = named(&all, &args.feeds)?;
    let in_state = |row: &FeedRow<'_>| {
        let failing = !args.failing || row.failing_since.is_some();
        failing && (args.state.is_empty() || args.state.iter().any(|state| state.replace('-', " ") == row.state.word()))
    };
    let mut chosen: Vec<_> = named.into_iter().filter(|row| in_state(row)).collect();
    // Broken first; otherwise as configured.
    chosen.sort_by_key(|row| row.state);
    if terminal.wants_json() {
        terminal.json(&chosen);
    } else if let ([row], false) = (chosen.as_slice(), args.feeds.is_empty()) {
        detail::print(row, *terminal);
    } else {
        list::print(&chosen, &all, *terminal);
    }
    Ok(())
}

/// Returns the health of every configured feed, in the order of the configuration.
fn rows<'c>(setup: &Setup, config: &'c Config) -> Result<Vec<FeedRow<'c>>, Failure> {
    let now = clock::now();
    let (stored, mut pages) = match setup.reader(config) {
        Ok(connection) => (store::feed::configured(&connection)?, store::full_text::health(&connection, LATELY, now)?),
        Err(Failure::Failed(error)) if matches!(error.downcast_ref(), Some(StoreError::Missing(_))) => {
            (Vec::new(), HashMap::new())
        }
        Err(failure) => return Err(failure),
    };
    let mut stored: HashMap<_, _> = stored.into_iter().map(|feed| (feed.identity.clone(), feed)).collect();
    let row = |feed: &'c Feed| {
        let stored = stored.remove(&feed.url.identity());
        let full_text = stored.as_ref().and_then(|stored| pages.remove(&stored.id)).map(FullTextHealth::from);
        FeedRow::new(feed, stored, full_text, now)
    };
    Ok(config.feeds.iter().map(row).collect())
}

/// Returns the feeds of these names. An exact name or URL means that feed alone, anything else all that it is part of.
fn named<'r, 'c>(all: &'r [FeedRow<'c>], names: &[String]) -> Result<Vec<&'r FeedRow<'c>>, Failure> {
    if names.is_empty() {
        return Ok(all.iter().collect());
    }
    let mut chosen = vec![false; all.len()];
    for name in names {
        let exact = |row: &FeedRow<'_>| row.name == *name || row.url == *name || row.is_at(name);
        let lower = name.to_lowercase();
        let part =
            |row: &FeedRow<'_>| row.name.to_lowercase().contains(&lower) || row.url.to_lowercase().contains(&lower);
        let mut matching: Vec<_> = (0..all.len()).filter(|index| exact(&all[*index])).collect();
        if matching.is_empty() {
            matching = (0..all.len()).filter(|index| part(&all[*index])).collect();
        }
        if matching.is_empty() {
            let name = harmless(name);
            let text = format!("no feed has `{name}` in its name or URL: `feedwatch feeds` lists them all");
            return Err(Failure::Usage(text));
        }
        matching.into_iter().for_each(|index| chosen[index] = true);
    }
    Ok(all.iter().zip(chosen).filter_map(|(row, chosen)| chosen.then_some(row)).collect())
}
