//! Editions and mails on the agenda: when each is due, what is said of it.

use super::Daemon;
use crate::{
    clock,
    config::Config,
    core::{
        agenda::Job,
        hit::DigestName,
        retry::{self, MailId},
        schedule::Due,
    },
    jobs::{deliver::Delivered, edition::Composed},
    store::{self, StoreError},
};
use jiff::Timestamp;
use rusqlite::Connection;
use tracing::{error, info, warn};

/// When the next edition of each digest is due.
pub(super) fn editions(
    connection: &Connection,
    config: &Config,
    now: Timestamp,
) -> Result<Vec<(DigestName, Due)>, StoreError> {
    let due = config.digests.iter().map(|digest| {
        let progress = store::edition::progress(connection, &digest.name, now)?;
        Ok((digest.name.clone(), digest.schedule.due(now, &digest.timezone, &progress)))
    });
    due.collect()
}

impl Daemon {
    /// Logs what became of an edition and puts on the agenda what follows from it.
    pub(super) async fn follow_edition(
        &mut self,
        digest: &DigestName,
        composed: &Composed,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Composed::Sent { hits, mails } = composed {
            info!(digest.name = %digest, hits, mails, "an edition was composed");
        }
        self.schedule_editions(now).await?;
        self.schedule_deliveries().await
    }

    /// Logs what became of a mail and puts its next attempt on the agenda.
    pub(super) fn follow_delivery(&mut self, mail: MailId, delivered: &Delivered) {
        match delivered {
            Delivered::Accepted { reply } => info!(mail = mail.row(), reply, "a mail was accepted"),
            Delivered::Gone => {}
            Delivered::Refused { retry, .. } => match retry.at {
                Some(at) => {
                    warn!(mail = mail.row(), "a mail was {}", retry.reason);
                    self.agenda.schedule(Job::Delivery(mail), at);
                }
                None => error!(mail = mail.row(), "a mail is {}", retry.reason),
            },
        }
    }

    /// Puts the next edition of each digest on the agenda.
    pub(super) async fn schedule_editions(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let config = self.resources.config.clone();
        let due = self.resources.store.call(move |connection| editions(connection, &config, now)).await?;
        self.put_editions(due, now);
        Ok(())
    }

    pub(super) fn put_editions(&mut self, editions: Vec<(DigestName, Due)>, now: Timestamp) {
        for (name, due) in editions {
            let job = Job::Edition(name);
            match due {
                Due::Now { .. } => self.agenda.schedule(job, now),
                Due::At(at) => self.agenda.schedule(job, at),
                Due::WhenHit => self.agenda.remove(&job),
            }
        }
    }

    /// Puts the mails that wait on the agenda.
    pub(super) async fn schedule_deliveries(&mut self) -> Result<(), StoreError> {
        let waiting = self.resources.store.call(store::outbox::waiting).await?;
        self.put_deliveries(waiting, clock::now());
        Ok(())
    }

    pub(super) fn put_deliveries(&mut self, waiting: Vec<(MailId, Timestamp)>, now: Timestamp) {
        for (mail, at) in waiting {
            let job = Job::Delivery(mail);
            if !self.agenda.is_running(&job) {
                // Later than any retry is: it was decided while the clock was wrong.
                self.agenda.schedule(job, if at > now + retry::LONGEST_PAUSE { now } else { at });
            }
        }
    }
}
