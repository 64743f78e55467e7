//! `feedwatch feeds export`: the configured feeds as OPML.

use super::super::{
    Failure,
    args::ExportFeeds,
    setup::Setup,
    terminal::{Terminal, WARNING, styled},
};
use crate::{
    config::opml::{self, Outline},
    core::{
        digest::counted,
        feed::{Feed, FeedUrl},
    },
    store,
};
use serde_json::json;
use std::collections::HashMap;
use url::Url;

/// Writes the feeds to standard output.
pub(super) fn export(setup: &Setup, args: &ExportFeeds, terminal: Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    // A store that is not there, or that nobody may read, knows no titles: the URLs do.
    let stored = setup.reader(&config).ok().and_then(|connection| store::feed::configured(&connection).ok());
    let titles: HashMap<String, String> =
        stored.into_iter().flatten().filter_map(|feed| Some((feed.identity, feed.state.title?))).collect();
    let outlines: Vec<Outline> = config
        .feeds
        .iter()
        .map(|feed| Outline {
            line: 0,
            url: address(feed, args.with_secrets),
            name: feed.name.clone().or_else(|| titles.get(&feed.url.identity()).cloned()),
            tags: feed.tags.clone(),
        })
        .collect();
    if terminal.wants_json() {
        let rows = outlines.iter().map(|feed| json!({"url": feed.url, "name": feed.name, "tags": feed.tags}));
        terminal.json(&rows.collect::<Vec<_>>());
    } else {
        terminal.line(opml::write("feeds of feedwatch", &outlines).trim_end());
    }
    let secret = config.feeds.iter().filter(|feed| has_secret(feed)).count();
    if secret > 0 {
        let (have, what) = (counted(secret, "URL"), if secret == 1 { "has" } else { "have" });
        let text = if args.with_secrets {
            format!("{have} {what} a password or token, and it is in the list: do not pass the list on")
        } else {
            format!("{have} {what} a password or token that is left out; --with-secrets writes it")
        };
        terminal.remark(styled(WARNING, text));
    }
    Ok(())
}

fn has_secret(feed: &Feed) -> bool {
    matches!(feed.url, FeedUrl::Web(_)) && feed.url.identity() != feed.url.to_string()
}

/// Returns the URL of a feed as another reader can take it.
fn address(feed: &Feed, with_secrets: bool) -> String {
    match &feed.url {
        FeedUrl::File(path) => {
            Url::from_file_path(path).map_or_else(|()| path.display().to_string(), |url| url.to_string())
        }
        FeedUrl::Web(url) if with_secrets => url.to_string(),
        FeedUrl::Web(_) => feed.url.to_string(),
    }
}
