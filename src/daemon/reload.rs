//! What the configuration means for the store and the agenda, at start and at reload (promise P7).

use super::Daemon;
use crate::{
    clock,
    config::{self, Config},
    core::agenda::Job,
    fetch::{self, Fetcher},
    store::{self, StoreError},
};
use jiff::Timestamp;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tracing::{error, info, warn};

/// Feeds that are due at start are spread over this much time for each of them, so that they do not leave at once.
const SPREAD: Duration = Duration::from_millis(20);

impl Daemon {
    /// Makes the store and the agenda those of the configuration.
    pub(super) async fn configure(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let config = self.resources.config.clone();
        let spread = move |index: usize| now + SPREAD * u32::try_from(index).unwrap_or(u32::MAX);
        let stored = {
            let config = config.clone();
            self.resources
                .store
                .call(move |connection| store::feed::configure(connection, &config.feeds, spread))
                .await?
        };
        let feeds: HashMap<_, _> = stored.iter().enumerate().map(|(index, feed)| (feed.id, index)).collect();
        for gone in self.feeds.keys().filter(|id| !feeds.contains_key(id)) {
            self.agenda.remove(&Job::Poll(*gone));
        }
        self.feeds = feeds;
        self.agenda.set_limits(config.polling.concurrency, config.polling.host_delay);
        for (index, feed) in stored.iter().enumerate() {
            if !self.agenda.is_running(&Job::Poll(feed.id)) {
                self.schedule_poll(feed.id, feed.next_poll_at.max(spread(index).min(now + Duration::from_secs(600))));
            }
        }
        self.schedule_editions(now).await?;
        self.schedule_deliveries().await
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
                Err(format!("refused: {} errors in the configuration", errors.0.len()))
            }
            Err(_) => Err("refused: reading it failed within feedwatch".to_owned()),
        };
        let said = match outcome {
            Ok(changes) => {
                info!("the configuration was reloaded: {changes}");
                format!("{now}: {changes}")
            }
            Err(reason) => {
                error!("the reload was {reason}; the old configuration stays in force");
                format!("{now}: {reason}; the old configuration is in force")
            }
        };
        self.record.reload = Some(said);
        if let Err(error) = self.say_alive(now).await {
            warn!(%error, "the outcome of the reload could not be recorded");
        }
        super::service::ready(&self.summary());
    }

    async fn adopt(&mut self, config: Config, now: Timestamp) -> Result<String, String> {
        let old = self.resources.config.clone();
        if config.store.path != old.store.path {
            return Err("refused: `store.path` changed, which takes a restart".to_owned());
        }
        let agent = fetch::user_agent(config.polling.contact.as_deref());
        let fetcher = Fetcher::new(config.polling.limits, &agent).map_err(|error| format!("refused: {error}"))?;
        for digest in old.digests.iter().filter(|old| config.digests.iter().all(|new| new.name != old.name)) {
            self.agenda.remove(&Job::Edition(digest.name.clone()));
        }
        let changes = config::diff(&old, &config).to_string();
        for warning in &config.warnings {
            warn!("{warning}");
        }
        let resources = self.resources.reconfigured(Arc::new(config), fetcher);
        let before = std::mem::replace(&mut self.resources, resources);
        if let Err(error) = self.configure(now).await {
            self.resources = before;
            return Err(format!("not completed: {error}"));
        }
        Ok(changes)
    }
}
