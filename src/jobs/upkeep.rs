//! Upkeep: clears old texts, looks the store over once a day, and tells the administrator once what stays broken
//! (promise P4).

use super::{Resources, notice};
use crate::{
    config::Config,
    core::health::{self, Health},
    store::{
        self, StoreError,
        check::StoreCheck,
        feed::StoredFeed,
        outbox::{MailState, OutboxMail},
        retention::Cleared,
    },
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tracing::{error, info, warn};

/// How long a feed may fail before the administrator hears of it.
const FEED_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// How long a mail may wait, after an attempt that failed, before the administrator hears of it.
const MAIL_PATIENCE: Duration = Duration::from_secs(3600);

/// How often the store is looked over for damage.
const LOOKED_OVER: Duration = Duration::from_secs(24 * 3600);

/// Rows of each table that one round clears, so that the store is never held up for long.
const ROWS: usize = 2_000;

/// What a round of upkeep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upkept {
    /// What retention took.
    pub cleared: Cleared,
    /// Things that the administrator is told of.
    pub notices: usize,
    /// Whether there is more to clear than one round does.
    pub more: bool,
}

/// Does one round.
///
/// # Errors
///
/// When the store fails.
pub async fn upkeep(resources: &Resources, now: Timestamp) -> Result<Upkept, StoreError> {
    let (config, host) = (resources.config.clone(), resources.host.clone());
    look_over(resources, now).await?;
    resources
        .store
        .call(move |connection| {
            let cleared = store::retention::clear(connection, now - config.store.keep, ROWS, now)?;
            let notices = tell(connection, &config, &host, now)?;
            let more = [cleared.articles, cleared.revisions, cleared.mails].contains(&ROWS);
            Ok(Upkept { cleared, notices, more })
        })
        .await
}

/// Says what to do about a damaged store that is still in use.
pub fn damage_remedy() -> String {
    format!("{}; what can be read goes on", store::check::DAMAGE_REMEDY)
}

/// Looks the store over if that was long ago; says and records what was found. A part of [`upkeep`], which may be done
/// before: what a round brings need not be looked over in the same process.
///
/// # Errors
///
/// When the store fails.
pub async fn look_over(resources: &Resources, now: Timestamp) -> Result<(), StoreError> {
    let last = resources.store.call(store::check::last).await?;
    if last.is_some_and(|last| now.duration_since(last.checked_at).unsigned_abs() < LOOKED_OVER) {
        return Ok(());
    }
    let began = Instant::now();
    match store::check::look_over(&resources.config.store.path, now).await {
        Ok(check) => {
            let duration_ms = began.elapsed().as_millis();
            match &check.damage {
                Some(damage) => error!(duration_ms, "the store is damaged ({damage}): {}", damage_remedy()),
                None => info!(duration_ms, "the store was looked over and is sound"),
            }
            resources.store.call(move |connection| store::check::record(connection, &check)).await
        }
        Err(error) => {
            warn!(%error, "the store could not be looked over; it is tried again at the next upkeep");
            Ok(())
        }
    }
}

/// Puts one mail to the administrator into the outbox for everything that is newly broken or works again.
fn tell(connection: &Connection, config: &Config, host: &str, now: Timestamp) -> Result<usize, StoreError> {
    if config.mail.admin.is_none() {
        return Ok(0);
    }
    let raised = store::daemon::notices(connection)?;
    let mut news = Vec::new();
    news.extend(about_store(connection, now)?);
    store::feed::visit(connection, |feed| {
        news.extend(advice(connection, config, &feed, &raised, now)?);
        news.extend(failure(connection, &feed, &raised, now)?);
        Ok(())
    })?;
    let unfinished = store::outbox::list(connection, false)?;
    let late = |mail: &&OutboxMail| {
        mail.state == MailState::Waiting
            && mail.last_error.is_some()
            && now.duration_since(mail.created_at).unsigned_abs() >= MAIL_PATIENCE
    };
    match unfinished.iter().find(late) {
        Some(mail) => {
            if store::daemon::raise_notice(connection, "mail route", now)? {
                let cause = mail.last_error.as_deref().unwrap_or("unknown");
                news.push(format!("Mail has not been accepted since {}: {cause}", mail.created_at));
            }
        }
        None => {
            if store::daemon::clear_notice(connection, "mail route")? {
                news.push("No mail waits any more for want of a server.".to_owned());
            }
        }
    }
    for mail in unfinished {
        let of_edition = mail.digest.is_some();
        if of_edition
            && mail.state == MailState::Held
            && store::daemon::raise_notice(connection, &format!("mail:{}", mail.id.row()), now)?
        {
            let cause = mail.last_error.as_deref().unwrap_or("unknown");
            news.push(format!(
                "The mail \"{}\" to {} was not accepted and waits for you: {cause}. `feedwatch outbox retry {}` tries it \
                 again, `feedwatch outbox discard {}` gives it up.",
                mail.subject,
                mail.recipient,
                mail.id.row(),
                mail.id.row()
            ));
        }
    }
    notice::mail(connection, config, host, &news, now)?;
    Ok(news.len())
}

/// Says once that the store is damaged, and once that it is not any more.
fn about_store(connection: &Connection, now: Timestamp) -> Result<Option<String>, StoreError> {
    Ok(match store::check::last(connection)? {
        Some(StoreCheck { damage: Some(damage), checked_at }) => {
            let text = format!("The store was found damaged at {checked_at} ({damage}): {}.", damage_remedy());
            store::daemon::raise_notice(connection, "store", now)?.then_some(text)
        }
        Some(StoreCheck { damage: None, .. }) => {
            store::daemon::clear_notice(connection, "store")?.then(|| "The store is sound again.".to_owned())
        }
        None => None,
    })
}

/// Says once that a feed has failed for long, and once that it works again.
fn failure(
    connection: &Connection,
    feed: &StoredFeed,
    raised: &HashSet<String>,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let subject = format!("feed:{}", feed.id.row());
    match feed.state.failing_since {
        Some(since) if now.duration_since(since).unsigned_abs() >= FEED_PATIENCE => {
            let cause = feed.state.last_error.as_deref().unwrap_or("unknown");
            let is_news = store::daemon::raise_notice(connection, &subject, now)?;
            Ok(is_news.then(|| format!("The feed {} has failed since {since}: {cause}", feed.shown_name())))
        }
        None if raised.contains(&subject) => {
            store::daemon::clear_notice(connection, &subject)?;
            Ok(Some(format!("The feed {} works again.", feed.shown_name())))
        }
        _ => Ok(None),
    }
}

/// Says once what to change about a feed that moved or is gone.
fn advice(
    connection: &Connection,
    config: &Config,
    feed: &StoredFeed,
    raised: &HashSet<String>,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let subject = format!("feed-advice:{}", feed.id.row());
    let gone = health::health(&feed.state, feed.next_poll_at) == Health::Gone;
    if !gone && feed.state.relocation.moved.is_none() {
        if raised.contains(&subject) {
            store::daemon::clear_notice(connection, &subject)?;
        }
        return Ok(None);
    }
    if !store::daemon::raise_notice(connection, &subject, now)? {
        return Ok(None);
    }
    let configured = config.feeds.iter().find(|configured| configured.url.identity() == feed.identity);
    let advice = configured.and_then(|configured| health::suggestion(configured, &feed.state, feed.next_poll_at));
    Ok(advice.map(|advice| format!("The feed {}: {advice}.", feed.shown_name())))
}
