//! Composes the edition of a digest: its hits, its mails and its slot are committed together (promises P2, P5).

use crate::{
    config::Config,
    core::{
        digest::{self, Digest, Edition, Window},
        mailbox::Mailbox,
        schedule::{Due, Schedule},
    },
    jobs::Resources,
    mail::{message, render},
    store::{self, StoreError, edition::NewEdition, hit::Pending, outbox::NewMail},
};
use jiff::Timestamp;
use rusqlite::Connection;

/// What became of a digest's next edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composed {
    /// It was composed; its mails are in the outbox.
    Sent {
        /// Hits in it.
        hits: usize,
        /// Its mails.
        mails: usize,
    },
    /// It was due and had nothing to say.
    Silent,
    /// It is not due; the next is at that time, or when there is a hit.
    NotDue(Option<Timestamp>),
}

/// When an edition is to be composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When the schedule says so.
    Due,
    /// When the schedule says so, but without waiting for a batch to fill: nobody will come back for it.
    DueWithoutBatch,
    /// Now, whatever the schedule says.
    Now,
}

/// Composes the edition of the digest at `index` of the configuration if its time has come.
///
/// # Errors
///
/// When the store fails; then nothing of the edition is kept and it is still due.
pub async fn compose(resources: &Resources, index: usize, when: When, now: Timestamp) -> Result<Composed, StoreError> {
    let (config, host) = (resources.config.clone(), resources.host.clone());
    resources.store.call(move |connection| run(connection, &config, &config.digests[index], &host, when, now)).await
}

/// The next edition of a digest as it would be now. Takes nothing and changes nothing.
///
/// # Errors
///
/// When the store fails.
pub fn preview(
    connection: &Connection,
    config: &Config,
    digest: &Digest,
    now: Timestamp,
) -> Result<Edition, StoreError> {
    let progress = store::edition::known_progress(connection, &digest.name, now)?;
    let start = progress.map_or(now, |progress| progress.window_end);
    let pending = store::hit::pending(connection, &digest.name)?;
    edition(connection, config, digest, Window { start, end: now }, pending, 0)
}

/// Renders the mail of an edition to one recipient.
pub fn mail(config: &Config, edition: &Edition, to: &Mailbox, slot: Timestamp, host: &str, now: Timestamp) -> NewMail {
    let from = &config.mail.from;
    let contact = config.mail.admin.as_ref().unwrap_or(from);
    let notice = render::Notice { recipient: to.address(), contact: contact.address(), host };
    let rendered = render::render(edition, &notice);
    let message_id = message::message_id(edition, slot, to, from);
    let envelope = message::Envelope { from, to, admin: config.mail.admin.as_ref() };
    NewMail {
        sender: from.address().to_owned(),
        recipient: to.address().to_owned(),
        message: message::edition_message(edition, &rendered, &envelope, &message_id, now),
        message_id: message_id.to_string(),
        subject: edition.subject.clone(),
        is_cut: rendered.omitted > 0,
    }
}

fn run(
    connection: &Connection,
    config: &Config,
    digest: &Digest,
    host: &str,
    when: When,
    now: Timestamp,
) -> Result<Composed, StoreError> {
    let progress = store::edition::progress(connection, &digest.name, now)?;
    let asked_at = match &digest.schedule {
        Schedule::Immediately { batch, .. } if when == When::DueWithoutBatch => now + *batch,
        _ => now,
    };
    let (slot, missed) = match digest.schedule.due(asked_at, &digest.timezone, &progress) {
        // An immediate edition has no slot of its own; two cannot be made at one instant.
        Due::Now { missed, .. } if matches!(digest.schedule, Schedule::Immediately { .. }) => (now, missed),
        Due::Now { slot, missed } => (slot, missed),
        Due::At(_) | Due::WhenHit if when == When::Now => (now, 0),
        Due::At(at) => return Ok(Composed::NotDue(Some(at))),
        Due::WhenHit => return Ok(Composed::NotDue(None)),
    };
    let window = Window { start: progress.window_end, end: now };
    let pending = store::hit::pending(connection, &digest.name)?;
    let hits: Vec<_> = pending.hits.iter().map(|hit| hit.id).chain(pending.suppressed.iter().copied()).collect();
    let sent = !hits.is_empty() || digest.send_empty;
    let new = NewEdition { digest: &digest.name, slot, window, hits: &hits, sent };
    let Some(id) = store::edition::record(connection, &new)? else { return Ok(Composed::NotDue(None)) };
    if !sent {
        return Ok(Composed::Silent);
    }
    let edition = edition(connection, config, digest, window, pending, missed)?;
    for to in &digest.to {
        let mail = mail(config, &edition, to, slot, host, now);
        store::outbox::enqueue(connection, Some(id), &mail, now)?;
    }
    Ok(Composed::Sent { hits: hits.len(), mails: digest.to.len() })
}

/// Puts together the edition of these hits, with what was looked at in the window.
pub(super) fn edition(
    connection: &Connection,
    config: &Config,
    digest: &Digest,
    window: Window,
    pending: Pending,
    missed: usize,
) -> Result<Edition, StoreError> {
    let mut coverage = store::edition::coverage(connection, window)?;
    coverage.editions_missed = missed;
    coverage.hits_suppressed = pending.suppressed.len();
    let rules: Vec<_> = config.rules.iter().map(|rule| rule.rule.name.clone()).collect();
    Ok(digest::compose(digest, window, &rules, pending.hits, coverage))
}
