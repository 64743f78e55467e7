//! Jobs that panic. Each is that job's failure alone and is tried again; of each it is told once, in the log, by
//! `feedwatch status` and to the administrator, and once when it works again (promises P4, P6). What panics when the
//! agenda is made is a failure of its own, and no job's.

use super::{AGAIN, Daemon, Ended};
use crate::{
    config::Config,
    core::{agenda::Job, digest::Digest},
    jobs::{
        deliver,
        notice::{self, Trouble},
        poll,
    },
    store::StoreError,
};
use jiff::Timestamp;
use tracing::{debug, error, info};

impl Daemon {
    /// Records that a job panicked, and puts it on the agenda again.
    pub(super) async fn fail(&mut self, job: Job, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let resources = self.resources.clone();
        match job {
            Job::Poll(feed) => {
                let Some(&index) = self.feeds.get(&feed) else { return Ok(()) };
                let report = poll::fail(&resources, index, feed, why, now).await?;
                self.follow(Ended::Polled(feed, Box::new(report)), now).await;
                Ok(())
            }
            Job::Delivery(mail) => {
                let delivered = deliver::fail(&resources, mail, why, now).await?;
                self.follow(Ended::Delivered(mail, delivered), now).await;
                Ok(())
            }
            // It is given up when its time is over.
            Job::Page(article) => {
                error!(article = article.row(), why, "a page failed within feedwatch; please report this");
                Ok(())
            }
            job => {
                // A digest that left the configuration while its edition was composed has none any more.
                let name = name(&job).filter(|name| !is_gone(name, &self.resources.config));
                let Some(name) = name else { return Ok(()) };
                self.agenda.schedule(job, now + AGAIN);
                self.tell_of_failure(name, why, now).await
            }
        }
    }

    /// Notes that the agenda could not be made, or what follows from a job not be put on it. It is made anew later.
    pub(super) async fn fail_to_plan(&mut self, error: StoreError, now: Timestamp) {
        let StoreError::Panicked(why) = error else { return self.pause_polls(&error, now) };
        self.reread_at = Some(now + AGAIN);
        if let Err(error) = self.tell_of_failure(PLANNING.to_owned(), &why, now).await {
            error!(why, %error, "a failure within feedwatch could not be recorded");
        }
    }

    /// Notes that the agenda was made.
    pub(super) async fn plan_again(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.recover(PLANNING.to_owned(), now).await
    }

    async fn tell_of_failure(&mut self, name: String, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let failed =
            format!("{name} failed within feedwatch ({why}) and is tried again every minute; please report this");
        self.failing.insert(name.clone());
        if notice::raise(&self.resources, &Trouble::Job(name), format!("{failed}."), now).await? {
            error!("{failed}");
            self.schedule_deliveries().await?;
        } else {
            debug!("{failed}");
        }
        Ok(())
    }

    /// Notes that a job worked.
    pub(super) async fn work_again(&mut self, job: &Job, now: Timestamp) -> Result<(), StoreError> {
        let Some(name) = name(job) else { return Ok(()) };
        self.recover(name, now).await
    }

    async fn recover(&mut self, name: String, now: Timestamp) -> Result<(), StoreError> {
        if !self.failing.contains(&name) {
            return Ok(());
        }
        let text = format!("{name} works again");
        notice::clear(&self.resources, &Trouble::Job(name.clone()), format!("{text}."), now).await?;
        self.failing.remove(&name);
        info!("{text}");
        self.schedule_deliveries().await
    }
}

/// What people call the making of the agenda.
const PLANNING: &str = "planning what is due";

/// What the names of editions begin with.
const EDITION: &str = "the edition of ";

/// Tells whether a job, as people call it, is the edition of a digest that a configuration does not have.
pub(super) fn is_gone(job: &str, config: &Config) -> bool {
    let has = |digest: &Digest| name(&Job::Edition(digest.name.clone())).as_deref() == Some(job);
    job.starts_with(EDITION) && !config.digests.iter().any(has)
}

/// Returns what people call a job, where its failure is no feed's, mail's or page's.
fn name(job: &Job) -> Option<String> {
    match job {
        Job::Edition(digest) => Some(format!("{EDITION}\"{digest}\"")),
        Job::OverduePages => Some("matching articles whose pages did not come".to_owned()),
        Job::Upkeep => Some("upkeep".to_owned()),
        Job::Backfill => Some("running new rules over what is stored".to_owned()),
        Job::Delivery(_) | Job::Poll(_) | Job::Page(_) => None,
    }
}

#[cfg(test)]
#[path = "failures_tests.rs"]
mod tests;
