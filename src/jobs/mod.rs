//! The jobs: poll a feed, fetch the page of an article, compose an edition, deliver a mail, upkeep, backfill; what is
//! asked of the archive: search and backtest; and what the administrator is told. Each reads, decides through `core` and
//! `rules`, and commits once. None decides anything itself, none loops; the daemon and the commands drive them.

pub mod adopt;
mod archive;
pub mod backfill;
pub mod backtest;
pub mod deliver;
pub mod discovery;
pub mod edition;
pub mod full_text;
mod matching;
pub mod notice;
pub mod poll;
pub mod search;
pub mod upkeep;

use crate::{
    config::Config,
    core::{agenda::Politeness, descriptors::Descriptors},
    fetch::Fetcher,
    mail::smtp,
    store::Store,
};
use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
};
use tokio::sync::Semaphore;

/// Documents over this size are parsed one at a time: a document can take many times its size in memory.
const LARGE_DOCUMENT: usize = 1 << 20;

/// The configuration that took the place of the one that a job started with, if one did.
#[derive(Debug, Clone, Default)]
pub struct InForce(Arc<Mutex<Option<Arc<Config>>>>);

impl InForce {
    /// Makes a configuration the one in force. Called within the store's call that adopts it, so that whatever is
    /// committed afterwards is matched by its rules; and to undo that where that call was not committed.
    pub fn replace(&self, config: Arc<Config>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }

    /// Returns it, or else the one that a job started with. Called within the store's call that commits.
    fn or(&self, started_with: &Arc<Config>) -> Arc<Config> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().unwrap_or(started_with).clone()
    }
}

/// What jobs work with. Clones are cheap; a job keeps the one that it started with, whatever is reloaded meanwhile, but
/// matches articles by the rules in force when it commits.
#[derive(Debug, Clone)]
pub struct Resources {
    /// The store.
    pub store: Store,
    /// The configuration.
    pub config: Arc<Config>,
    /// The configuration in force, shared by all clones.
    pub in_force: InForce,
    /// The HTTP client with its limits.
    pub fetcher: Arc<Fetcher>,
    /// The SMTP client with its time-outs.
    pub smtp: Arc<smtp::Client>,
    /// How much may be open at once.
    pub descriptors: Descriptors,
    /// Name of this host, as mails give it.
    pub host: Arc<str>,
    /// One turn for all large documents: one can take many times its size in memory.
    large_documents: Arc<Semaphore>,
    /// Turns for all documents, as many as there are processors: more threads would take memory and bring nothing.
    documents: Arc<Semaphore>,
}

impl Resources {
    /// Puts together what jobs work with.
    pub fn new(store: Store, config: Arc<Config>, fetcher: Fetcher, smtp: smtp::Client, host: &str) -> Self {
        Self {
            store,
            config,
            in_force: InForce::default(),
            fetcher: Arc::new(fetcher),
            smtp: Arc::new(smtp),
            descriptors: Descriptors::default(),
            host: host.into(),
            large_documents: Arc::new(Semaphore::new(1)),
            documents: Arc::new(Semaphore::new(available_parallelism().map_or(2, NonZero::get).max(2))),
        }
    }

    /// Returns how politely hosts are asked, with no more at once than this process has descriptors for.
    pub fn politeness(&self) -> Politeness {
        self.descriptors.bound(&self.config.polling.politeness)
    }
}
