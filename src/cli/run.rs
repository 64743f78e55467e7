//! `feedwatch run`: the daemon, or one round for cron and systemd timers.

use super::{
    Failure, round,
    setup::Setup,
    terminal::{GOOD, Terminal, styled},
};
use crate::{
    clock, config,
    core::digest::counted,
    daemon::Daemon,
    jobs::{
        Resources,
        deliver::{self, Delivered},
        edition::{self, Composed, When},
        notice, upkeep,
    },
    store::{self, feed::StoredFeed, outbox::MailState},
};
use anyhow::Context;
use serde_json::json;

/// Runs the daemon until it is told to stop.
pub(super) async fn daemon(setup: Setup) -> Result<(), Failure> {
    let file = setup.file()?;
    let config = setup.config()?;
    for warning in config.logged_warnings() {
        tracing::warn!("{warning}");
    }
    let workplace = setup.workplace(config)?;
    let main_file = file.clone();
    let daemon = Daemon::new(workplace.resources.clone(), main_file, Box::new(move || config::load(&file))).await?;
    daemon.run().await.context("the daemon had to stop")?;
    Ok(())
}

/// Does one round: polls, composes what is due, delivers what waits.
pub(super) async fn once(setup: &Setup, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let workplace = setup.workplace(setup.config()?)?;
    let resources = &workplace.resources;
    // Before more is written into a damaged file, and while a new one is empty.
    upkeep::look_over(resources, clock::now()).await?;
    // No daemon tries them again; a job that still panics ends this round, and who started it sees that.
    resources.store.call(|connection| notice::forget_jobs(connection, |_| true)).await?;
    let feeds = pollable(resources).await?;
    let round = round::poll(resources, feeds).await?;
    let in_retrospect = round::backfill(resources).await;
    let editions = compose_due(resources).await?;
    while upkeep::upkeep(resources, clock::now()).await?.more {}
    let mails = deliver_waiting(resources).await?;
    let unfinished = resources.store.call(|connection| store::outbox::list(connection, false)).await?;
    if terminal.wants_json() {
        terminal.json(&json!({
            "feeds": round.json(&resources.config.feeds),
            "hits_in_retrospect": in_retrospect.hits,
            "editions": editions.iter().map(|(digest, hits)| json!({"digest": digest, "hits": hits})).collect::<Vec<_>>(),
            "mails": mails.iter().map(|(recipient, delivered)| mail_json(recipient, delivered)).collect::<Vec<_>>(),
        }));
    } else {
        round.print(&resources.config.feeds, *terminal);
        in_retrospect.print(*terminal);
        for (digest, hits) in &editions {
            terminal.line(format!("edition of \"{digest}\": {}", counted(*hits, "hit")));
        }
        for (recipient, delivered) in &mails {
            terminal.line(mail_line(recipient, delivered));
        }
        if mails.is_empty() && unfinished.is_empty() {
            terminal.line("no mail to send");
        }
    }
    let polled =
        round.failed_within().then(|| "not every feed could be polled, for a reason within feedwatch".to_owned());
    let failures: Vec<_> = polled.into_iter().chain(in_retrospect.failure()).collect();
    if !failures.is_empty() {
        return Err(anyhow::anyhow!(failures.join("; ")).into());
    }
    if !unfinished.is_empty() {
        let held = unfinished.iter().filter(|mail| mail.state == MailState::Held).count();
        let (waiting, held) = (counted(unfinished.len() - held, "mail"), counted(held, "mail"));
        return Err(anyhow::anyhow!(
            "not everything was accepted: {waiting} left for the next `feedwatch run`, {held} held for you; `feedwatch \
             outbox` tells why and until when"
        )
        .into());
    }
    Ok(())
}

/// Returns the feeds of a round: all but those that failed and whose time has not come. Whoever runs this by cron is the
/// schedule; the patience that a server or an error asks for is kept all the same.
async fn pollable(resources: &Resources) -> Result<Vec<(usize, StoredFeed)>, Failure> {
    let stored = round::begin(resources).await?;
    let now = clock::now();
    let ready = stored.into_iter().enumerate().filter(|(_, feed)| {
        let patient = feed.state.failures > 0 || feed.parked_until.is_some();
        !patient || feed.due(now) <= now
    });
    Ok(ready.collect())
}

async fn compose_due(resources: &Resources) -> Result<Vec<(String, usize)>, Failure> {
    let mut sent = Vec::new();
    for (index, digest) in resources.config.digests.iter().enumerate() {
        let composed = edition::compose(resources, index, When::DueWithoutBatch, clock::now()).await?;
        if let Composed::Sent { hits, .. } = composed {
            sent.push((digest.name.to_string(), hits));
        }
    }
    Ok(sent)
}

/// Delivers the mails whose time has come; returns each recipient with what became of the mail.
pub(super) async fn deliver_waiting(resources: &Resources) -> Result<Vec<(String, Delivered)>, Failure> {
    let now = clock::now();
    let waiting = resources.store.call(store::outbox::waiting).await?;
    let mut outcomes = Vec::new();
    for (mail, _) in waiting.into_iter().filter(|(_, at)| *at <= now) {
        let found = resources.store.call(move |connection| store::outbox::find(connection, mail)).await?;
        let delivered = deliver::deliver(resources, mail, clock::now()).await?;
        outcomes.push((found.map(|mail| mail.recipient).unwrap_or_default(), delivered));
    }
    Ok(outcomes)
}

pub(super) fn mail_line(recipient: &str, delivered: &Delivered) -> String {
    match delivered {
        Delivered::Accepted { reply } => format!("mail to {recipient}: {} ({reply})", styled(GOOD, "accepted")),
        Delivered::Refused { retry, .. } => format!("mail to {recipient}: {}", retry.reason),
        Delivered::Gone => format!("mail to {recipient}: no longer waiting"),
    }
}

fn mail_json(recipient: &str, delivered: &Delivered) -> serde_json::Value {
    match delivered {
        Delivered::Accepted { reply } => json!({"recipient": recipient, "accepted": true, "reply": reply}),
        Delivered::Refused { message, retry } => {
            json!({"recipient": recipient, "accepted": false, "error": message, "next_attempt_at": retry.at})
        }
        Delivered::Gone => json!({"recipient": recipient, "accepted": false, "error": "no longer waiting"}),
    }
}
