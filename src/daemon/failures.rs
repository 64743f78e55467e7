//! Jobs that panic. Each is that job's failure alone and is tried again; of each it is told once, in the log, by
//! `feedwatch status` and to the administrator, and once when it works again (promises P4, P6).

use super::{AGAIN, Daemon, Ended};
use crate::{
    core::agenda::Job,
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
                let report = poll::fail(&resources, index, feed, why, now).await;
                self.follow_up(Ended::Polled(feed, report.map(Box::new)), now).await
            }
            Job::Delivery(mail) => {
                let delivered = deliver::fail(&resources, mail, why, now).await;
                self.follow_up(Ended::Delivered(mail, delivered), now).await
            }
            // It is given up when its time is over.
            Job::Page(article) => {
                error!(article = article.row(), why, "a page failed within feedwatch; please report this");
                Ok(())
            }
            job => self.tell_of_failure(job, why, now).await,
        }
    }

    async fn tell_of_failure(&mut self, job: Job, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let Some(name) = name(&job) else { return Ok(()) };
        self.agenda.schedule(job, now + AGAIN);
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
        let Some(name) = name(job).filter(|name| self.failing.contains(name)) else { return Ok(()) };
        let text = format!("{name} works again");
        notice::clear(&self.resources, &Trouble::Job(name.clone()), format!("{text}."), now).await?;
        self.failing.remove(&name);
        info!("{text}");
        self.schedule_deliveries().await
    }
}

/// Returns what people call a job, where its failure is no feed's, mail's or page's.
fn name(job: &Job) -> Option<String> {
    match job {
        Job::Edition(digest) => Some(format!("the edition of \"{digest}\"")),
        Job::OverduePages => Some("matching articles whose pages did not come".to_owned()),
        Job::Upkeep => Some("upkeep".to_owned()),
        Job::Backfill => Some("running new rules over what is stored".to_owned()),
        Job::Delivery(_) | Job::Poll(_) | Job::Page(_) => None,
    }
}

#[cfg(test)]
#[path = "failures_tests.rs"]
mod tests;
