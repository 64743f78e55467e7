//! What adding and importing share: which feeds are configured already, and the last steps of an edit.

use super::super::{
    Failure,
    terminal::{FAINT, Terminal, harmless, styled},
};
use crate::{
    config::{Config, Edit, EditError, NewFeed},
    core::{
        digest::counted,
        feed::{FeedUrl, Origin},
    },
    store::Lock,
};
use std::{collections::HashMap, path::Path};

/// The feeds that are configured, known by what their URLs have in common with others of the same feed.
pub(super) struct Configured<'c> {
    origins: HashMap<String, Option<&'c Origin>>,
    config: &'c Config,
}

impl<'c> Configured<'c> {
    pub(super) fn new(config: &'c Config) -> Self {
        let origin = |feed: &'c crate::core::feed::Feed| (feed.url.likeness(), feed.origin.as_ref());
        Self { origins: config.feeds.iter().map(origin).collect(), config }
    }

    /// Returns where a feed of this name is configured, if there is one.
    pub(super) fn place_of_name(&self, name: &str) -> Option<String> {
        let same =
            |feed: &&crate::core::feed::Feed| feed.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name));
        let feed = self.config.feeds.iter().find(same)?;
        Some(feed.origin.as_ref().map_or_else(|| feed.url.to_string(), |origin| format!("at {origin}")))
    }

    /// Returns where a feed is configured, if it is.
    pub(super) fn place(&self, url: &FeedUrl) -> Option<String> {
        let origin = self.origins.get(&url.likeness())?;
        Some(origin.map_or_else(|| "in the configuration".to_owned(), |origin| format!("at {origin}")))
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::WrongFile(_) | EditError::Invalid(_) => Self::Usage(error.to_string()),
            EditError::Unwritten { .. } => Self::Failed(error.into()),
        }
    }
}

/// Adds feeds to a configuration and checks it.
pub(super) fn edit(main: &Path, to: Option<&Path>, feeds: &[NewFeed]) -> Result<Edit, Failure> {
    Ok(Edit::adding(main, to, feeds)?)
}

/// Feeds whose text is shown when they were written; of more, the first ones.
const SHOWN: usize = 20;

/// Writes an edit. A person who may not is shown the text, so that somebody who may can add it.
pub(super) fn write(edit: &Edit) -> Result<(), Failure> {
    edit.write().map_err(|error| match Failure::from(error) {
        Failure::Failed(error) => {
            let lines = shown(edit, SHOWN);
            Failure::Failed(anyhow::anyhow!("{error}\n\nwhat was to be added:\n\n{}", lines.join("\n")))
        }
        failure => failure,
    })
}

/// Returns the lines that an edit adds, indented, of so many feeds.
fn shown(edit: &Edit, most: usize) -> Vec<String> {
    let mut feeds = 0;
    let lines = edit.added().trim_matches(['\r', '\n']).lines();
    let mut shown: Vec<String> = lines
        .take_while(|line| {
            feeds += usize::from(line.starts_with("[[feed]]") || line.trim_start().starts_with("{ url = "));
            feeds <= most
        })
        .map(|line| format!("    {}", harmless(line)).trim_end().to_owned())
        .collect();
    if feeds > most {
        shown.push(format!("    … and {} more", counted(edit.feeds() - most, "feed")));
    }
    shown
}

/// Says what is written, and how a daemon comes to know of it.
pub(super) fn print(edit: &Edit, dry_run: bool, terminal: Terminal<'_>) {
    let path = harmless(&edit.path().display().to_string());
    let verb = if dry_run { "would be added to" } else { "added to" };
    terminal.line(format!("{verb} {path}:\n"));
    // Who asks what would be written wants to see all of it.
    for line in shown(edit, if dry_run { usize::MAX } else { SHOWN }) {
        terminal.line(line);
    }
    if !dry_run {
        terminal.line(styled(FAINT, format!("\n{}", next_step(edit.config()))));
    }
}

/// Says how the new feeds take effect.
fn next_step(config: &Config) -> String {
    match Lock::holder(&config.store.path) {
        Some(pid) => format!(
            "the daemon takes the change over with `systemctl reload feedwatch`, or `kill -HUP {pid}` where it is no service"
        ),
        None => "the daemon polls it from its next start; one that runs takes the change over with `systemctl reload \
                 feedwatch`"
            .to_owned(),
    }
}
