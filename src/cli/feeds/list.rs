//! `feedwatch feeds`: the health of every feed, as a table.

use super::super::{
    Failure,
    args::Feeds,
    setup::Setup,
    terminal::{FAINT, Terminal, harmless, local, styled},
};
use crate::{
    clock,
    core::{digest::counted, feed::Feed},
    store::{self, StoreError, feed::StoredFeed},
};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;

/// The health of a feed, as JSON and as the ground of the table.
#[derive(Serialize)]
struct Health {
    name: String,
    url: String,
    state: &'static str,
    last_success_at: Option<Timestamp>,
    last_new_at: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    failures: u32,
    error: Option<String>,
    next_poll_at: Timestamp,
    next_poll_reason: String,
    validators: Vec<&'static str>,
    /// What had to be mended in the last document before it could be read.
    mended: Option<String>,
}

/// Lists the feeds that were chosen.
pub(super) fn list(setup: &Setup, args: &Feeds, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let stored = match setup.reader(&config) {
        Ok(connection) => store::feed::configured(&connection)?,
        Err(Failure::Failed(error)) if matches!(error.downcast_ref(), Some(StoreError::Missing(_))) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let now = clock::now();
    let stored: HashMap<_, _> = stored.into_iter().map(|feed| (feed.identity.clone(), feed)).collect();
    let all: Vec<_> = config.feeds.iter().map(|feed| health(feed, stored.get(&feed.url.identity()), now)).collect();
    let chosen: Vec<_> = all
        .iter()
        .filter(|health| !args.failing || health.failing_since.is_some())
        .filter(|health| {
            let wanted = |text: &String| health.name.contains(text.as_str()) || health.url.contains(text.as_str());
            args.feeds.is_empty() || args.feeds.iter().any(wanted)
        })
        .collect();
    if terminal.wants_json() {
        terminal.json(&chosen);
        return Ok(());
    }
    let rows = chosen.iter().map(|health| {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), local);
        let state = match (&health.error, health.failing_since) {
            (Some(error), Some(since)) => format!("failing since {}: {}", local(since), harmless(error)),
            _ => match &health.mended {
                Some(mended) => format!("{}, mended: {}", health.state, harmless(mended)),
                None => health.state.to_owned(),
            },
        };
        let next = format!("{} ({})", local(health.next_poll_at), health.next_poll_reason);
        vec![harmless(&health.name), state, time(health.last_success_at), time(health.last_new_at), next]
    });
    terminal.table(&["feed", "state", "last read", "last new", "next poll"], rows.collect::<Vec<_>>());
    let failing = all.iter().filter(|health| health.failing_since.is_some()).count();
    terminal.line(styled(FAINT, format!("\n{}, {failing} failing", counted(all.len(), "feed"))));
    Ok(())
}

fn health(feed: &Feed, stored: Option<&StoredFeed>, now: Timestamp) -> Health {
    let Some(stored) = stored else {
        return Health {
            name: feed.name.clone().unwrap_or_else(|| feed.url.to_string()),
            url: feed.url.to_string(),
            state: "never polled",
            last_success_at: None,
            last_new_at: None,
            failing_since: None,
            failures: 0,
            error: None,
            next_poll_at: now,
            next_poll_reason: "new in the configuration".to_owned(),
            validators: Vec::new(),
            mended: None,
        };
    };
    let state = &stored.state;
    let validators = [("ETag", &state.validators.etag), ("Last-Modified", &state.validators.last_modified)];
    Health {
        name: stored.shown_name(),
        url: feed.url.to_string(),
        state: match (state.failing_since, state.last_poll_at) {
            (Some(_), _) => "failing",
            (None, None) => "never polled",
            (None, Some(_)) => "ok",
        },
        last_success_at: state.last_success_at,
        last_new_at: state.last_new_at,
        failing_since: state.failing_since,
        failures: state.failures,
        error: state.last_error.clone().filter(|_| state.failing_since.is_some()),
        next_poll_at: stored.next_poll_at,
        next_poll_reason: stored.next_poll_reason.clone(),
        mended: state.mended.clone(),
        validators: validators.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name).collect(),
    }
}
