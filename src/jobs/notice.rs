//! Notices: what is wrong, told to the administrator once, and once when it is over (promise P4).
//!
//! What is found by looking at the store is [`super::upkeep`]'s; here is what the daemon notices of itself.

use super::Resources;
use crate::{
    config::Config,
    mail::message,
    store::{self, StoreError, outbox::NewMail},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::fmt::Write as _;

/// What may be wrong with the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// A reload was refused.
    Reload,
    /// A job, as people call it, panicked.
    Job(String),
}

/// What the subjects of jobs begin with.
const JOB: &str = "job:";

impl Trouble {
    fn subject(&self) -> String {
        match self {
            Self::Reload => "reload".to_owned(),
            Self::Job(job) => format!("{JOB}{job}"),
        }
    }
}

/// Notes that something is wrong, and tells the administrator of it with `text`. Returns whether that is news.
///
/// # Errors
///
/// When the store fails.
pub async fn raise(resources: &Resources, trouble: &Trouble, text: String, now: Timestamp) -> Result<bool, StoreError> {
    tell_if_news(resources, trouble, text, now, move |connection, subject| {
        store::daemon::raise_notice(connection, subject, now)
    })
    .await
}

/// Notes that it is over, and tells the administrator with `text` if it was wrong. Returns whether it was.
///
/// # Errors
///
/// When the store fails.
pub async fn clear(resources: &Resources, trouble: &Trouble, text: String, now: Timestamp) -> Result<bool, StoreError> {
    tell_if_news(resources, trouble, text, now, store::daemon::clear_notice).await
}

/// Notes something, and tells the administrator with `text` if that `is_news`.
async fn tell_if_news(
    resources: &Resources,
    trouble: &Trouble,
    text: String,
    now: Timestamp,
    is_news: impl FnOnce(&Connection, &str) -> Result<bool, StoreError> + Send + 'static,
) -> Result<bool, StoreError> {
    let (config, host, subject) = (resources.config.clone(), resources.host.clone(), trouble.subject());
    let tell = move |connection: &Connection| {
        let is_news = is_news(connection, &subject)?;
        mail(connection, &config, &host, is_news.then_some(text).as_slice(), now)?;
        Ok(is_news)
    };
    resources.store.call(tell).await
}

/// Returns the jobs that panic, as people call them.
///
/// # Errors
///
/// When SQLite fails.
pub fn failing_jobs(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let notices = store::daemon::notices(connection)?;
    let mut jobs: Vec<_> = notices.iter().filter_map(|subject| Some(subject.strip_prefix(JOB)?.to_owned())).collect();
    jobs.sort_unstable();
    Ok(jobs)
}

/// Forgets of jobs that panicked those that `are_gone`: all at a start, since they are tried anew, perhaps by another
/// version.
///
/// # Errors
///
/// When SQLite fails.
pub fn forget_jobs(connection: &Connection, are_gone: impl Fn(&str) -> bool) -> Result<(), StoreError> {
    for job in failing_jobs(connection)?.into_iter().filter(|job| are_gone(job)) {
        store::daemon::clear_notice(connection, &Trouble::Job(job).subject())?;
    }
    Ok(())
}

/// Puts one mail to the administrator, if there is one, into the outbox for all that is news.
pub(super) fn mail(
    connection: &Connection,
    config: &Config,
    host: &str,
    news: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(admin) = config.mail.admin.as_ref().filter(|_| !news.is_empty()) else { return Ok(()) };
    let subject = format!("[feedwatch] {} on {host}", counted(news.len()));
    let mut body = String::new();
    for item in news {
        let _ = writeln!(body, "- {item}\n");
    }
    body.push_str(
        "Each of these is reported once. `feedwatch status`, `feeds` and `outbox` show how things are now.\n",
    );
    let from = &config.mail.from;
    let notice = message::notice(from, admin, &subject, &body, now);
    let mail = NewMail {
        sender: from.address().to_owned(),
        recipient: admin.address().to_owned(),
        message_id: notice.message_id.to_string(),
        subject,
        message: notice.bytes,
        is_cut: false,
    };
    store::outbox::enqueue(connection, None, &mail, now)?;
    Ok(())
}

fn counted(items: usize) -> String {
    if items == 1 {
        "1 thing needs attention or works again".to_owned()
    } else {
        format!("{items} things need attention or work again")
    }
}
