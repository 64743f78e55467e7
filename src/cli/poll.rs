//! `feedwatch poll`: one round now. While the daemon runs, it is asked to do it.

use super::{Failure, args::Poll, round, setup::Setup, terminal::Terminal};
use crate::{
    clock,
    config::Config,
    core::{digest::counted, feed::Feed},
    store::{self, Lock, StoreError},
};
use serde_json::json;
use std::collections::HashSet;

/// Polls the feeds that were chosen.
pub(super) async fn poll(setup: &Setup, args: &Poll, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let chosen = choose(&config, args)?;
    if let Some(pid) = Lock::holder(&config.store.path) {
        return ask_daemon(setup, &config, &chosen, pid, terminal);
    }
    let workplace = setup.workplace(config)?;
    let resources = &workplace.resources;
    let stored = round::begin(resources).await?;
    let feeds = stored.into_iter().enumerate().filter(|(index, _)| chosen.binary_search(index).is_ok()).collect();
    let round = round::poll(resources, feeds).await?;
    let in_retrospect = round::backfill(resources).await;
    if terminal.wants_json() {
        terminal.json(&round.json(&resources.config.feeds));
    } else {
        round.print(&resources.config.feeds, *terminal);
        in_retrospect.print(*terminal);
    }
    in_retrospect.failure().map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure).into()))
}

fn choose(config: &Config, args: &Poll) -> Result<Vec<usize>, Failure> {
    let named = |feed: &Feed, wanted: &str| {
        feed.name.as_deref() == Some(wanted) || feed.url.to_string() == wanted || feed.url.identity() == wanted
    };
    for wanted in &args.feeds {
        if !config.feeds.iter().any(|feed| named(feed, wanted)) {
            return Err(Failure::Usage(format!(
                "no feed is called `{wanted}`: `feedwatch feeds` lists names and URLs"
            )));
        }
    }
    let chosen = config.feeds.iter().enumerate().filter(|(_, feed)| {
        let by_name = args.feeds.iter().any(|wanted| named(feed, wanted));
        let by_tag = args.tag.iter().any(|tag| feed.tags.contains(tag));
        by_name || by_tag || (args.feeds.is_empty() && args.tag.is_empty())
    });
    let chosen: Vec<_> = chosen.map(|(index, _)| index).collect();
    if chosen.is_empty() {
        return Err(Failure::Usage("no feed was chosen: the configuration has none with this tag".to_owned()));
    }
    Ok(chosen)
}

fn ask_daemon(
    setup: &Setup,
    config: &Config,
    chosen: &[usize],
    pid: u32,
    terminal: &Terminal<'_>,
) -> Result<(), Failure> {
    let mut connection = setup.reader(config)?;
    let now = clock::now();
    let wanted: HashSet<_> = chosen.iter().map(|index| config.feeds[*index].url.identity()).collect();
    let transaction = connection.transaction().map_err(StoreError::from)?;
    let mut asked = 0;
    for feed in store::feed::configured(&transaction)?.iter().filter(|feed| wanted.contains(&feed.identity)) {
        store::feed::reschedule(&transaction, feed.id, now, "asked for by `feedwatch poll`")?;
        asked += 1;
    }
    transaction.commit().map_err(StoreError::from)?;
    if terminal.wants_json() {
        terminal.json(&json!({"asked_daemon": pid, "feeds": asked}));
    } else {
        terminal.line(format!(
            "the daemon (process {pid}) polls {} within seconds, as far as their hosts allow; `feedwatch feeds` shows what came",
            counted(asked, "feed")
        ));
    }
    Ok(())
}
