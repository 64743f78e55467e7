//! What the configuration means for the store and the agenda, at start and at reload (promise P7).

use super::{Daemon, failures, mails::editions};
use crate::{
    clock,
    config::{self, Config, ConfigErrors},
    core::{agenda::Job, digest::counted, relocation},
    fetch::{self, Fetcher},
    jobs::{
        adopt,
        notice::{self, Trouble},
    },
    store::{self, StoreError},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::fmt::Write as _;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tracing::{error, info, warn};

/// Feeds that are due at start are spread over this much time for each of them, so that they do not leave at once.
const SPREAD: Duration = Duration::from_millis(20);

/// Errors that a mail lists; `feedwatch check` lists all.
const LISTED: usize = 20;

/// Why a reload did not come about.
pub(super) struct Refusal {
    /// In a line.
    reason: String,
    /// What else the administrator is told.
    details: String,
}

/// What the administrator is to hear of a reload.
#[derive(Debug, Clone)]
pub(super) struct News {
    refused: bool,
    text: String,
}

impl Refusal {
    fn of(errors: &ConfigErrors) -> Self {
        let mut details = String::new();
        for problem in errors.0.iter().take(LISTED) {
            let _ = write!(details, "\n    {problem}");
        }
        if errors.0.len() > LISTED {
            details.push_str("\n    and more: `feedwatch check` lists all");
        }
        Self { reason: format!("refused: {} in the configuration", counted(errors.0.len(), "error")), details }
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self { reason, details: String::new() }
    }
}

impl Daemon {
    /// Makes the store and the agenda those of a configuration. When the store fails, nothing has changed.
    pub(super) async fn configure(&mut self, config: Arc<Config>, now: Timestamp) -> Result<(), StoreError> {
        let spread = move |index: usize| now + SPREAD * u32::try_from(index).unwrap_or(u32::MAX);
        let (adopting, in_force) = (config.clone(), self.resources.in_force.clone());
        let adopt = move |connection: &Connection| {
            let feeds = adopt::adopt(connection, &adopting, now, spread)?;
            let (waiting, wanted) = (store::outbox::waiting(connection)?, store::full_text::wanted(connection)?);
            let editions = editions(connection, &adopting, now)?;
            notice::forget_jobs(connection, |job| failures::is_gone(job, &adopting))?;
            in_force.replace(adopting);
            Ok((feeds, editions, waiting, wanted))
        };
        let (in_force, before) = (self.resources.in_force.clone(), self.resources.config.clone());
        let adopted = self.resources.store.call_or_undo(adopt, move || in_force.replace(before)).await;
        let (stored, editions, waiting, wanted) = adopted?;
        let feeds: HashMap<_, _> = stored.iter().enumerate().map(|(index, feed)| (feed.id, index)).collect();
        for gone in self.feeds.keys().filter(|id| !feeds.contains_key(id)) {
            self.agenda.remove(&Job::Poll(*gone));
        }
        for digest in &self.resources.config.digests {
            self.agenda.remove(&Job::Edition(digest.name.clone()));
        }
        self.feeds = feeds;
        let hosts = stored.iter().zip(&config.feeds);
        let hosts = hosts.filter_map(|(row, feed)| Some((row.id, relocation::host(&feed.url, &row.state)?)));
        self.hosts = hosts.collect();
        self.failing.retain(|job| !failures::is_gone(job, &config));
        self.resources.config = config;
        self.agenda.schedule(Job::Backfill, now);
        self.agenda.set_limits(self.resources.politeness());
        for (index, feed) in stored.iter().enumerate() {
            if !self.agenda.is_running(&Job::Poll(feed.id)) {
                self.schedule_poll(feed.id, feed.due(now).max(spread(index).min(now + Duration::from_secs(600))));
            }
        }
        self.put_editions(editions, now);
        self.put_deliveries(waiting, now);
        self.put_pages(wanted, now);
        Ok(())
    }

    /// Reads the configuration again. With any error the old one stays and every error is logged.
    pub(super) async fn reload(&mut self) {
        super::service::reloading();
        let load = self.load.clone();
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let now = clock::now();
        let outcome = match loaded {
            Ok(Ok(config)) => self.adopt(config, now).await,
            Ok(Err(errors)) => {
                for problem in &errors.0 {
                    error!("{problem}");
                }
                Err(Refusal::of(&errors))
            }
            Err(_) => Err(Refusal::from("refused: reading it failed within feedwatch".to_owned())),
        };
        let said = match &outcome {
            Ok(changes) => {
                info!("the configuration was reloaded: {changes}");
                format!("{now}: {changes}")
            }
            Err(Refusal { reason, .. }) => {
                error!("the reload was {reason}; the old configuration stays in force");
                format!("{now}: {reason}; the old configuration is in force")
            }
        };
        self.record.reload = Some(said);
        let told = self.tell_of_reload(outcome.map(drop), now).await;
        if let Err(error) = told.and(self.say_alive(now).await) {
            warn!(%error, "the outcome of the reload could not be recorded yet");
            self.fail_to_plan(error, now).await;
        }
        super::service::ready(&self.summary());
    }

    /// Tells the administrator once that the configuration is refused, and once that it is not any more (promise P4).
    pub(super) async fn tell_of_reload(
        &mut self,
        outcome: Result<(), Refusal>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.untold = Some(match outcome {
            Ok(()) => {
                News { refused: false, text: format!("The configuration is good again and in force since {now}.") }
            }
            Err(Refusal { reason, details }) => News {
                refused: true,
                text: format!("The reload at {now} was {reason}; the old configuration is in force.{details}"),
            },
        });
        self.tell_news(now).await
    }

    /// Tells what is still to be told of the last reload. What the store does not take is told when it works again: the
    /// next refusal would be no news, or one that is over would stay.
    pub(super) async fn tell_news(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let Some(News { refused, text }) = self.untold.clone() else { return Ok(()) };
        let told = match refused {
            true => notice::raise(&self.resources, &Trouble::Reload, text, now).await,
            false => notice::clear(&self.resources, &Trouble::Reload, text, now).await,
        };
        // What panics is not tried again and again.
        if matches!(told, Ok(_) | Err(StoreError::Panicked(_))) {
            self.untold = None;
        }
        if told? { self.schedule_deliveries().await } else { Ok(()) }
    }

    async fn adopt(&mut self, config: Config, now: Timestamp) -> Result<String, Refusal> {
        let old = self.resources.config.clone();
        if config.store.path != old.store.path {
            return Err("refused: `store.path` changed, which takes a restart".to_owned().into());
        }
        let agent = fetch::user_agent(config.polling.contact.as_deref());
        let fetcher = Fetcher::new(config.polling.limits, &agent).map_err(|error| format!("refused: {error}"))?;
        let fetcher = fetcher.for_feeds(&config.feeds, self.resources.descriptors.kept_hosts());
        let changes = config::diff(&old, &config).to_string();
        for warning in config.logged_warnings() {
            warn!("{warning}");
        }
        if let Err(error) = self.configure(Arc::new(config), now).await {
            return Err(format!("not completed: {error}").into());
        }
        self.resources.fetcher = Arc::new(fetcher);
        Ok(changes)
    }
}
