//! Delivers one mail of the outbox: marks the attempt, submits the stored bytes, marks that they are being sent right
//! before they are, records the answer (promises P2 and P3).

use crate::{
    config::{MailServer, SmtpServer},
    core::retry::{self, Delivery, MailId, Refusal, RefusalKind, Retry},
    jobs::Resources,
    mail::{fit, maildir, smtp::Parting},
    store::{self, StoreError, outbox::OutboxMail},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::path::PathBuf;
use std::time::Duration;
use tracing::warn;

/// Pauses between attempts to record that a mail was accepted.
const RECORD_PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30)];

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivered {
    /// The server, or the Maildir, has it.
    Accepted {
        /// What the server said, or the file.
        reply: String,
    },
    /// It was refused.
    Refused {
        /// Why, for people.
        message: String,
        /// When it is tried again.
        retry: Retry,
    },
    /// It no longer waited.
    Gone,
}

impl Delivered {
    /// Tells whether the mail has arrived or is no longer to be sent.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}

/// Records an acceptance. While the store is busy or full that is tried again, rather than to send the mail twice.
async fn record_accepted(resources: &Resources, id: MailId, reply: &str, now: Timestamp) -> Result<(), StoreError> {
    for pause in RECORD_PAUSES {
        let reply = reply.to_owned();
        let record = move |connection: &Connection| store::outbox::record_accepted(connection, id, &reply, now);
        match resources.store.call(record).await {
            Ok(()) => return Ok(()),
            Err(StoreError::WriterGone) => return Err(StoreError::WriterGone),
            Err(error) => warn!(%error, mail = id.row(), "a mail was accepted and that could not be recorded yet"),
        }
        tokio::time::sleep(pause).await;
    }
    let reply = reply.to_owned();
    resources.store.call(move |connection| store::outbox::record_accepted(connection, id, &reply, now)).await
}

/// Marks that a mail is being sent; where that fails it is not sent now.
async fn mark_sending(resources: &Resources, id: MailId, now: Timestamp) -> Result<(), Refusal> {
    let marked = resources.store.call(move |connection| store::outbox::record_sending(connection, id, now)).await;
    let why = |error| format!("that the mail is being sent could not be recorded, so it was not sent: {error}");
    marked.map_err(|error| Refusal { kind: RefusalKind::Temporary, message: why(error) })
}

/// Submits a mail; one of an edition that is larger than the server takes is stored and sent anew, cut to that. Not one
/// that may have arrived as it was: a mail that comes again is the same (promise P2). Nor a notice, whose items no command
/// lists.
async fn submit<'a>(
    resources: &'a Resources,
    server: &'a SmtpServer,
    mail: &OutboxMail,
    message: &[u8],
    now: Timestamp,
) -> (Delivery, Option<Parting<'a>>) {
    let send = |message| {
        let before_data = mark_sending(resources, mail.id, now);
        resources.smtp.submit(server, &mail.sender, &mail.recipient, message, before_data)
    };
    let submitted = send(message).await;
    let (Delivery::Refused(Refusal { kind: RefusalKind::TooLarge { most }, .. }), _) = submitted else {
        return submitted;
    };
    let is_cuttable = mail.digest.is_some() && mail.in_doubt_since.is_none();
    let Some(fitted) = is_cuttable.then(|| fit::fitted(message, most)).flatten() else { return submitted };
    let (id, shorter, is_cut) = (mail.id, fitted.message.clone(), fitted.left_out > 0);
    let shorten = move |connection: &Connection| store::outbox::shorten(connection, id, &shorter, is_cut);
    if let Err(error) = resources.store.call(shorten).await {
        let why = format!("the mail is larger than the server takes, and could not be stored shorter: {error}");
        return (Delivery::temporary(why), None);
    }
    warn!(
        mail = id.row(),
        size_bytes = fitted.message.len(),
        left_out = fitted.left_out,
        "a mail was larger than the server takes and is sent without its HTML part, and its last items where need be"
    );
    send(&fitted.message).await
}

/// Writes a mail into a Maildir.
async fn write(resources: &Resources, path: PathBuf, mail: &OutboxMail, message: Vec<u8>, now: Timestamp) -> Delivery {
    if let Err(refusal) = mark_sending(resources, mail.id, now).await {
        return Delivery::Refused(refusal);
    }
    let message_id = mail.message_id.clone();
    let written = tokio::task::spawn_blocking(move || maildir::deliver(&path, &message_id, &message)).await;
    written.unwrap_or_else(|_| Delivery::temporary("writing into the Maildir failed within feedwatch"))
}

/// Makes one attempt at a mail.
///
/// # Errors
///
/// When the store fails. Then an accepted mail may be sent again, the same bytes under the same Message-ID.
pub async fn deliver(resources: &Resources, id: MailId, now: Timestamp) -> Result<Delivered, StoreError> {
    let Resources { store, config, .. } = resources;
    let begun = store.call(move |connection| store::outbox::begin_attempt(connection, id, now)).await?;
    let Some((mail, message)) = begun else { return Ok(Delivered::Gone) };
    let (delivery, parting) = match &config.mail.server {
        MailServer::Smtp(server) => submit(resources, server, &mail, &message, now).await,
        MailServer::Maildir(path) => (write(resources, path.clone(), &mail, message, now).await, None),
    };
    match delivery {
        Delivery::Accepted { reply } => {
            // The mail is the server's: were the good-bye to come first, a crash meanwhile would send it again.
            record_accepted(resources, id, &reply, now).await?;
            if let Some(parting) = parting {
                parting.quit().await;
            }
            Ok(Delivered::Accepted { reply })
        }
        Delivery::Refused(refusal) => {
            let retry = retry::next_attempt(mail.attempts, &refusal, mail.created_at, id, now);
            record_refused(resources, id, refusal, retry).await
        }
    }
}

/// Records that an attempt failed within feedwatch (it panicked). Nobody knows how far it came.
///
/// # Errors
///
/// When the store fails.
pub async fn fail(resources: &Resources, id: MailId, why: &str, now: Timestamp) -> Result<Delivered, StoreError> {
    let found = resources.store.call(move |connection| store::outbox::find(connection, id)).await?;
    let Some(mail) = found else { return Ok(Delivered::Gone) };
    let message = format!("feedwatch itself failed ({why}); please report this");
    let refusal = Refusal { kind: RefusalKind::InDoubt, message };
    let retry = retry::next_attempt(mail.attempts, &refusal, mail.created_at, id, now);
    record_refused(resources, id, refusal, retry).await
}

async fn record_refused(
    resources: &Resources,
    id: MailId,
    refusal: Refusal,
    retry: Retry,
) -> Result<Delivered, StoreError> {
    let (at, message, in_doubt) = (retry.at, refusal.message.clone(), refusal.kind == RefusalKind::InDoubt);
    let record = move |connection: &Connection| store::outbox::record_refused(connection, id, &message, at, in_doubt);
    resources.store.call(record).await?;
    Ok(Delivered::Refused { message: refusal.message, retry })
}
