//! What commands start from: the configuration file, the store, the resources of jobs.

use super::Failure;
use crate::{
    config::{self, Config},
    core::{
        descriptors::{Descriptors, REMEDY},
        digest::counted,
    },
    fetch::{self, Fetcher},
    jobs::Resources,
    mail::smtp,
    store::{self, Lock, Store, StoreError},
};
use anyhow::Context;
use rusqlite::Connection;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{path::PathBuf, sync::Arc};
use tokio::runtime::{Builder, Runtime};
use tracing::{debug, warn};

/// Where configurations are looked for without `--config`.
const PLACES: [&str; 2] = ["feedwatch.toml", "/etc/feedwatch/feedwatch.toml"];

/// Descriptors of a process that has a run time and nothing else open.
const RUN_TIME: usize = 10;

/// What a command starts from.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    file: Option<PathBuf>,
    /// How much this process may have open at once.
    pub(super) descriptors: Descriptors,
}

impl Setup {
    /// Begins with a configuration file, if one was named. Takes as many descriptors as the system allows.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file, descriptors: raised_descriptors() }
    }

    /// Refuses to work with too few descriptors.
    fn has_descriptors(&self) -> Result<(), Failure> {
        self.descriptors.too_few().map_or(Ok(()), |why| Err(Failure::Failed(anyhow::anyhow!(why))))
    }

    /// Starts the asynchronous run time.
    pub(super) fn runtime(&self) -> Result<Runtime, Failure> {
        // Without these tokio panics.
        if self.descriptors.limit() < RUN_TIME {
            self.has_descriptors()?;
        }
        let threads = self.descriptors.blocking_threads();
        let runtime = Builder::new_multi_thread().enable_all().max_blocking_threads(threads).build();
        Ok(runtime.context("the run time could not be started")?)
    }

    /// Returns the configuration file that was named, or the first that is there.
    pub(super) fn file(&self) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        PLACES.iter().map(PathBuf::from).find(|place| place.exists()).ok_or_else(|| {
            Failure::Usage(format!(
                "there is no configuration: neither {} exists; name one with --config FILE or $FEEDWATCH_CONFIG",
                PLACES.join(" nor ")
            ))
        })
    }

    /// Reads the configuration.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        Ok(config::load(&self.file()?)?)
    }

    /// Reads the configuration, with all warnings.
    pub(super) fn config_with_warnings(&self) -> Result<Config, Failure> {
        Ok(config::load_with_warnings(&self.file()?)?)
    }

    /// Opens the store for reading, beside a daemon that may be running.
    pub(super) fn reader(&self, config: &Config) -> Result<Connection, Failure> {
        let opened = store::open_reader(&config.store.path);
        if matches!(opened, Err(StoreError::Unusable { .. })) {
            self.has_descriptors()?;
        }
        Ok(opened?)
    }

    /// Takes the store for this process.
    pub(super) fn workplace(&self, config: Config) -> Result<Workplace, Failure> {
        let lock = Lock::acquire(&config.store.path)?;
        self.workplace_with(config, Some(lock))
    }

    /// Works on the store of a running daemon, for what is one transaction that the daemon will notice.
    pub(super) fn workplace_beside_daemon(&self, config: Config) -> Result<Workplace, Failure> {
        self.workplace_with(config, None)
    }

    fn workplace_with(&self, config: Config, lock: Option<Lock>) -> Result<Workplace, Failure> {
        self.has_descriptors()?;
        let store = Store::open(&config.store.path)?;
        let fetcher = self.fetcher(&config)?;
        let (limit, wanted) = (self.descriptors.limit(), config.polling.politeness.concurrency);
        let mut resources = Resources::new(store, Arc::new(config), fetcher, smtp()?, &host());
        resources.descriptors = self.descriptors;
        let concurrency = resources.politeness().concurrency;
        debug!(limit, concurrency, "the limit of open files is known");
        if concurrency < wanted {
            warn!(
                limit,
                "the limit of open files allows {} at once, polling.concurrency wants {wanted}; {REMEDY}",
                counted(concurrency, "poll")
            );
        }
        Ok(Workplace { resources, _lock: lock })
    }

    /// Makes the HTTP client of a configuration.
    pub(super) fn fetcher(&self, config: &Config) -> Result<Fetcher, Failure> {
        self.has_descriptors()?;
        let agent = fetch::user_agent(config.polling.contact.as_deref());
        let fetcher = Fetcher::new(config.polling.limits, &agent).context("the HTTP client could not be made")?;
        Ok(fetcher.for_feeds(&config.feeds, self.descriptors.kept_hosts()))
    }
}

/// Raises this process's limit of open files as far as it may, and returns it.
fn raised_descriptors() -> Descriptors {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Where it may not be raised, we live with what there is.
    let is_raised = current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    Descriptors::new(if is_raised { maximum } else { current })
}

/// The right to work on the store, and what jobs need for it.
pub(super) struct Workplace {
    pub(super) resources: Resources,
    // Held until the command ends; a running daemon has it.
    _lock: Option<Lock>,
}

/// Makes the SMTP client.
pub(super) fn smtp() -> Result<smtp::Client, Failure> {
    Ok(smtp::Client::new(&host()).context("the SMTP client could not be made")?)
}

/// Returns the name of this host.
pub(super) fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}
