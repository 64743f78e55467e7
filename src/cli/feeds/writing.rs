//! What adding and importing share: which feeds are configured already, and the last steps of an edit.

use super::super::{
    Failure,
    terminal::{FAINT, Terminal, harmless, styled},
};
use crate::{
    config::{Config, Edit, EditError, NewFeed},
    core::feed::{FeedUrl, Origin},
    store::Lock,
};
use std::{collections::HashMap, path::Path};

/// The feeds that are configured, known by what their URLs have in common with others of the same feed.
pub(super) struct Configured<'c> {
    origins: HashMap<String, Option<&'c Origin>>,
}

impl<'c> Configured<'c> {
    pub(super) fn new(config: &'c Config) -> Self {
        let origin = |feed: &'c crate::core::feed::Feed| (feed.url.likeness(), feed.origin.as_ref());
        Self { origins: config.feeds.iter().map(origin).collect() }
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

/// Says what is written, and how a daemon comes to know of it.
pub(super) fn print(edit: &Edit, dry_run: bool, terminal: Terminal<'_>) {
    let path = harmless(&edit.path().display().to_string());
    let verb = if dry_run { "would be added to" } else { "added to" };
    terminal.line(format!("{verb} {path}:\n"));
    for line in edit.added().trim_matches(['\r', '\n']).lines() {
        terminal.line(format!("    {}", harmless(line)).trim_end());
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
