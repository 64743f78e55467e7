//! `feedwatch digest`: the next edition as it would be now, or sent now.

use super::{
    Failure,
    args::Digest,
    names::unknown,
    run::{deliver_waiting, mail_line},
    setup::{self, Setup},
    terminal::Terminal,
};
use crate::{
    clock,
    config::Config,
    core::{
        digest::counted,
        digest::{Digest as DigestConfig, Edition, Group},
    },
    jobs::edition::{self, Composed, When},
    mail::render::{self, Notice},
    store::Lock,
};
use anyhow::{Context, anyhow};
use serde_json::json;
use std::path::Path;

/// Previews or sends the next edition of a digest.
pub(super) async fn digest(setup: &Setup, args: &Digest, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let index = choose(&config, args.name.as_deref())?;
    if args.send {
        return send(setup, config, index, *terminal).await;
    }
    let digest = &config.digests[index];
    let now = clock::now();
    let edition = edition::preview(&setup.reader(&config)?, &config, digest, now)?;
    let host = setup::host();
    let to = digest.to.first().ok_or_else(|| Failure::Usage(format!("the digest {} has no recipient", digest.name)))?;
    let mail = edition::mail(&config, &edition, to, now, &host, now);
    if let Some(file) = &args.eml {
        write(file, &mail.message)?;
    }
    let rendered = render::render(&edition, &notice(&config, digest, &host));
    if let Some(file) = &args.html {
        write(file, rendered.html.as_bytes())?;
    }
    if terminal.wants_json() {
        terminal.json(&json!({
            "digest": digest.name,
            "subject": edition.subject,
            "to": digest.to.iter().map(|to| to.address()).collect::<Vec<_>>(),
            "hits": hits(&edition),
            "text": rendered.text,
        }));
    } else if args.html.is_none() && args.eml.is_none() {
        terminal.line(format!("Subject: {}\n", mail.subject));
        terminal.line(&rendered.text);
    }
    Ok(())
}

fn choose(config: &Config, name: Option<&str>) -> Result<usize, Failure> {
    let names = || config.digests.iter().map(|digest| digest.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, config.digests.len()) {
        (Some(name), _) => config
            .digests
            .iter()
            .position(|digest| digest.name.as_str() == name)
            .ok_or_else(|| unknown("digest", name, config.digests.iter().map(|digest| digest.name.as_str()))),
        (None, 1) => Ok(0),
        (None, 0) => Err(Failure::Usage("the configuration has no [[digest]]".to_owned())),
        (None, _) => Err(Failure::Usage(format!("say which digest: {}", names()))),
    }
}

pub(super) fn notice<'a>(config: &'a Config, digest: &'a DigestConfig, host: &'a str) -> Notice<'a> {
    let contact = config.mail.admin.as_ref().unwrap_or(&config.mail.from);
    let recipient = digest.to.first().map_or("", |to| to.address());
    Notice { recipient, contact: contact.address(), host }
}

fn hits(edition: &Edition) -> usize {
    edition.groups.iter().map(Group::hits).sum()
}

async fn send(setup: &Setup, config: Config, index: usize, terminal: Terminal<'_>) -> Result<(), Failure> {
    let daemon = Lock::holder(&config.store.path);
    let workplace = if daemon.is_some() { setup.workplace_beside_daemon(config)? } else { setup.workplace(config)? };
    let resources = &workplace.resources;
    let hits = match edition::compose(resources, index, When::Now, clock::now()).await? {
        Composed::Sent { hits, .. } => hits,
        Composed::Silent | Composed::NotDue(_) => {
            terminal.line("nothing to say: no hit waits for this digest, and `send_empty` is off");
            return Ok(());
        }
    };
    let delivered = if daemon.is_none() { deliver_waiting(resources).await? } else { Vec::new() };
    terminal.line(format!("an edition with {} was composed", counted(hits, "hit")));
    if let Some(pid) = daemon {
        terminal
            .line(format!("the daemon (process {pid}) sends it within seconds; `feedwatch outbox` shows how it goes"));
        return Ok(());
    }
    for (recipient, delivered) in &delivered {
        terminal.line(mail_line(recipient, delivered));
    }
    let refused = delivered.iter().filter(|(_, delivered)| !delivered.is_settled()).count();
    if refused > 0 {
        return Err(anyhow!(
            "{} not accepted; `feedwatch outbox` tells when it is tried again",
            counted(refused, "mail")
        )
        .into());
    }
    Ok(())
}

pub(super) fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(file, bytes).with_context(|| format!("{} could not be written", file.display()))?;
    Ok(())
}
