//! The outbox: mails as bytes, from composition until a server accepts them or a person discards them (promise P3).

use super::{
    StoreError,
    edition::{self, EditionId},
    row::{millis, optional_timestamp, timestamp},
};
use crate::core::retry::MailId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::Serialize;

/// A mail that was composed and is about to be committed.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Envelope sender.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// Message-ID with its angle brackets.
    pub message_id: String,
    /// Subject, for people who look into the outbox.
    pub subject: String,
    /// The whole message, as every attempt sends it.
    pub message: Vec<u8>,
    /// Whether it does not show all hits of its edition.
    pub is_cut: bool,
}

/// What is to become of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailState {
    /// It is tried again by itself.
    Waiting,
    /// It waits for a person: it was refused for good, or for too long.
    Held,
    /// A server has it.
    Accepted,
    /// A person gave it up.
    Discarded,
}

impl MailState {
    fn column(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Accepted => "accepted",
            Self::Discarded => "discarded",
        }
    }

    fn from_column(text: &str) -> rusqlite::Result<Self> {
        [Self::Waiting, Self::Held, Self::Accepted, Self::Discarded]
            .into_iter()
            .find(|state| state.column() == text)
            .ok_or_else(|| rusqlite::Error::InvalidColumnName(format!("state {text}")))
    }
}

/// A mail of the outbox without its bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutboxMail {
    /// Row of the mail.
    pub id: MailId,
    /// Name of the digest, for the mail of an edition.
    pub digest: Option<String>,
    /// Envelope sender.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// Message-ID with its angle brackets.
    pub message_id: String,
    /// Subject.
    pub subject: String,
    /// Size of the message.
    pub size_bytes: u64,
    /// When it was composed.
    pub created_at: Timestamp,
    /// What is to become of it.
    pub state: MailState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// When the mail was sent in an attempt whose end nobody knows: it may have arrived.
    pub in_doubt_since: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was accepted or discarded.
    pub finished_at: Option<Timestamp>,
    /// What the server said when it accepted.
    pub reply: Option<String>,
}

const COLUMNS: &str = "outbox.id, edition.digest, sender, recipient, message_id, subject,
    length(message) AS size_bytes, created_at, state, attempts, next_attempt_at, coalesce(doubt_since, sending_since) AS in_doubt_since,
    last_error, finished_at, reply";

/// Puts a mail into the outbox, due at once. A Message-ID that is there already is the same mail.
///
/// # Errors
///
/// When SQLite fails.
pub fn enqueue(
    connection: &Connection,
    edition: Option<EditionId>,
    mail: &NewMail,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO outbox (edition_id, sender, recipient, message_id, subject, message, created_at, state,
                 next_attempt_at)
             VALUES (:edition, :sender, :recipient, :message_id, :subject, :message, :now, 'waiting', :now)
             ON CONFLICT (message_id) DO NOTHING",
        )?
        .execute(named_params! {
            ":edition": edition.map(|edition| edition.0),
            ":sender": mail.sender,
            ":recipient": mail.recipient,
            ":message_id": mail.message_id,
            ":subject": mail.subject,
            ":message": mail.message,
            ":now": millis(now),
        })?;
    if let Some(edition) = edition.filter(|_| mail.is_cut) {
        edition::mark_cut(connection, edition)?;
    }
    Ok(())
}

/// Returns the mails that are waiting, with when each is due, earliest first.
///
/// # Errors
///
/// When SQLite fails.
pub fn waiting(connection: &Connection) -> Result<Vec<(MailId, Timestamp)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, next_attempt_at FROM outbox WHERE state = 'waiting' ORDER BY next_attempt_at, id",
    )?;
    let rows =
        statement.query_map([], |row| Ok((MailId::from_row(row.get("id")?), timestamp(row, "next_attempt_at")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Marks the start of an attempt and returns the mail with its bytes, or nothing when it no longer waits. An earlier
/// attempt whose end was not recorded leaves it in doubt if it came as far as [`record_sending`].
///
/// # Errors
///
/// When SQLite fails.
pub fn begin_attempt(
    connection: &Connection,
    id: MailId,
    now: Timestamp,
) -> Result<Option<(OutboxMail, Vec<u8>)>, StoreError> {
    let Some(mail) = find(connection, id)?.filter(|mail| mail.state == MailState::Waiting) else { return Ok(None) };
    connection
        .prepare_cached(
            "UPDATE outbox SET attempts = attempts + 1, doubt_since = coalesce(doubt_since, sending_since),
                 sending_since = NULL, attempt_started_at = ?2 WHERE id = ?1",
        )?
        .execute(params![id.row(), millis(now)])?;
    let message = bytes(connection, id)?;
    Ok(Some((OutboxMail { attempts: mail.attempts + 1, ..mail }, message)))
}

/// Marks that a mail is being sent: from now on it may have arrived, until its attempt's end is recorded (promise P2).
///
/// # Errors
///
/// [`StoreError::NotFound`] when it no longer waits.
pub fn record_sending(connection: &Connection, id: MailId, now: Timestamp) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached("UPDATE outbox SET sending_since = ?2 WHERE id = ?1 AND state = 'waiting'")?
        .execute(params![id.row(), millis(now)])?;
    unfinished(changed, id)
}

/// Replaces the bytes of a mail by shorter ones, before any were sent; `is_cut`: they do not show all hits of the edition.
///
/// # Errors
///
/// When SQLite fails.
pub fn shorten(connection: &Connection, id: MailId, message: &[u8], is_cut: bool) -> Result<(), StoreError> {
    let mut shorten = connection.prepare_cached(
        "UPDATE outbox SET message = ?2 WHERE id = ?1 AND state = 'waiting' AND doubt_since IS NULL
         RETURNING edition_id",
    )?;
    let edition = shorten.query_row(params![id.row(), message], |row| row.get(0)).optional()?.flatten();
    if let Some(edition) = edition.filter(|_| is_cut) {
        edition::mark_cut(connection, EditionId(edition))?;
    }
    Ok(())
}

/// Records that a server accepted a mail.
///
/// # Errors
///
/// When SQLite fails.
pub fn record_accepted(connection: &Connection, id: MailId, reply: &str, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE outbox SET state = 'accepted', next_attempt_at = NULL, attempt_started_at = NULL,
                 sending_since = NULL, doubt_since = NULL, reply = ?2, finished_at = ?3 WHERE id = ?1",
        )?
        .execute(params![id.row(), reply, millis(now)])?;
    Ok(())
}

/// Records that a mail was refused: it is tried again at `next`, or waits for a person without one. A mail that was
/// discarded meanwhile stays so, and one that a person wants to be retried stays due. One that is `in_doubt` may have
/// arrived since it was sent, or since the attempt began where nobody knows how far that came.
///
/// # Errors
///
/// When SQLite fails.
pub fn record_refused(
    connection: &Connection,
    id: MailId,
    error: &str,
    next: Option<Timestamp>,
    in_doubt: bool,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE outbox SET state = iif(:next IS NULL AND attempts > 0, 'held', 'waiting'),
                 next_attempt_at = iif(attempts > 0, :next, next_attempt_at), last_error = :error,
                 doubt_since = iif(:in_doubt, coalesce(doubt_since, sending_since, attempt_started_at), doubt_since),
                 attempt_started_at = NULL, sending_since = NULL
             WHERE id = :id AND state = 'waiting'",
        )?
        .execute(named_params! {":id": id.row(), ":next": next.map(millis), ":error": error, ":in_doubt": in_doubt})?;
    Ok(())
}

/// Makes a mail due now, whether it waited or was held. Attempts count from the start again.
///
/// # Errors
///
/// [`StoreError::NotFound`] when there is no such mail or it is finished.
pub fn retry(connection: &Connection, id: MailId, now: Timestamp) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE outbox SET state = 'waiting', next_attempt_at = ?2, attempts = 0
         WHERE id = ?1 AND state IN ('waiting', 'held')",
        params![id.row(), millis(now)],
    )?;
    unfinished(changed, id)
}

/// Gives a mail up, on a person's word.
///
/// # Errors
///
/// [`StoreError::NotFound`] when there is no such mail or it is finished.
pub fn discard(connection: &Connection, id: MailId, now: Timestamp) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE outbox SET state = 'discarded', next_attempt_at = NULL, finished_at = ?2
         WHERE id = ?1 AND state IN ('waiting', 'held')",
        params![id.row(), millis(now)],
    )?;
    unfinished(changed, id)
}

fn unfinished(changed: usize, id: MailId) -> Result<(), StoreError> {
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::NotFound(format!(
        "no mail {} waits in the outbox: `feedwatch outbox` lists those that do",
        id.row()
    )))
}

/// Returns the mails of the outbox, newest last: those that are unfinished, or all.
///
/// # Errors
///
/// When SQLite fails.
pub fn list(connection: &Connection, all: bool) -> Result<Vec<OutboxMail>, StoreError> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM outbox LEFT JOIN edition ON edition.id = edition_id
         WHERE ?1 OR state IN ('waiting', 'held') ORDER BY outbox.id",
    ))?;
    Ok(statement.query_map([all], stored)?.collect::<Result<_, _>>()?)
}

/// Returns one mail.
///
/// # Errors
///
/// When SQLite fails.
pub fn find(connection: &Connection, id: MailId) -> Result<Option<OutboxMail>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox LEFT JOIN edition ON edition.id = edition_id WHERE outbox.id = ?1",
    ))?;
    Ok(statement.query_row([id.row()], stored).optional()?)
}

/// Returns the bytes of a mail.
///
/// # Errors
///
/// When SQLite fails, also for a mail that is not there.
pub fn bytes(connection: &Connection, id: MailId) -> Result<Vec<u8>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT message FROM outbox WHERE id = ?1")?;
    Ok(statement.query_row([id.row()], |row| row.get(0))?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<OutboxMail> {
    Ok(OutboxMail {
        id: MailId::from_row(row.get("id")?),
        digest: row.get("digest")?,
        sender: row.get("sender")?,
        recipient: row.get("recipient")?,
        message_id: row.get("message_id")?,
        subject: row.get("subject")?,
        size_bytes: row.get("size_bytes")?,
        created_at: timestamp(row, "created_at")?,
        state: MailState::from_column(&row.get::<_, String>("state")?)?,
        attempts: row.get("attempts")?,
        next_attempt_at: optional_timestamp(row, "next_attempt_at")?,
        in_doubt_since: optional_timestamp(row, "in_doubt_since")?,
        last_error: row.get("last_error")?,
        finished_at: optional_timestamp(row, "finished_at")?,
        reply: row.get("reply")?,
    })
}
