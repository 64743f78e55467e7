//! `feedwatch outbox`: what waits, why, until when; retry and discard.

use super::{
    Failure,
    args::{Chosen, Outbox, OutboxAction},
    run::{deliver_waiting, mail_line},
    setup::Setup,
    terminal::{FAINT, Terminal, harmless, local, styled},
};
use crate::{
    clock,
    config::Config,
    core::{digest::counted, retry::MailId},
    store::{
        self, Lock,
        outbox::{MailState, OutboxMail},
    },
};
use rusqlite::Connection;
use std::io::Write;

/// Lists the outbox or changes it.
pub(super) async fn outbox(setup: &Setup, args: Outbox, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let connection = setup.reader(&config)?;
    match args.action {
        None => list(&connection, args.all, *terminal),
        Some(OutboxAction::Show { mail }) => show(&connection, MailId::from_row(mail)),
        Some(OutboxAction::Retry(chosen)) => retry(setup, connection, config, &chosen, *terminal).await,
        Some(OutboxAction::Discard(chosen)) => discard(&connection, &chosen, *terminal),
    }
}

fn list(connection: &Connection, all: bool, terminal: Terminal<'_>) -> Result<(), Failure> {
    let mails = store::outbox::list(connection, all)?;
    if terminal.wants_json() {
        terminal.json(&mails);
        return Ok(());
    }
    if mails.is_empty() {
        terminal.line("no mail waits");
        return Ok(());
    }
    let rows = mails.iter().map(|mail| {
        vec![
            mail.id.row().to_string(),
            mail.recipient.clone(),
            harmless(&mail.subject),
            local(mail.created_at),
            mail.attempts.to_string(),
            state(mail),
        ]
    });
    terminal.table(&["mail", "to", "subject", "composed", "attempts", "state"], rows.collect::<Vec<_>>());
    if mails.iter().any(|mail| mail.state == MailState::Held) {
        terminal.line(styled(
            FAINT,
            "\nheld mails wait for you: `feedwatch outbox retry N` or `feedwatch outbox discard N`",
        ));
    }
    Ok(())
}

fn state(mail: &OutboxMail) -> String {
    let error = mail.last_error.as_deref().map(|error| format!(": {}", harmless(error))).unwrap_or_default();
    let doubt = if mail.in_doubt_since.is_some() { "; it may have arrived" } else { "" };
    match mail.state {
        MailState::Waiting => {
            let next = mail.next_attempt_at.map(|at| format!("next attempt {}", local(at))).unwrap_or_default();
            format!("{next}{error}{doubt}")
        }
        MailState::Held => format!("held{error}{doubt}"),
        MailState::Accepted => format!("accepted {}", mail.finished_at.map(local).unwrap_or_default()),
        MailState::Discarded => format!("discarded {}", mail.finished_at.map(local).unwrap_or_default()),
    }
}

fn show(connection: &Connection, id: MailId) -> Result<(), Failure> {
    if store::outbox::find(connection, id)?.is_none() {
        return Err(Failure::Usage(format!("there is no mail {}: `feedwatch outbox --all` lists all", id.row())));
    }
    Ok(std::io::stdout().write_all(&store::outbox::bytes(connection, id)?)?)
}

async fn retry(
    setup: &Setup,
    connection: Connection,
    config: Config,
    chosen: &Chosen,
    terminal: Terminal<'_>,
) -> Result<(), Failure> {
    let mails = unfinished(&connection, chosen)?;
    for mail in &mails {
        store::outbox::retry(&connection, *mail, clock::now())?;
    }
    drop(connection);
    if let Some(pid) = Lock::holder(&config.store.path) {
        terminal.line(format!(
            "the daemon tries {} within seconds (process {pid} works on the store)",
            counted(mails.len(), "mail")
        ));
        return Ok(());
    }
    let workplace = setup.workplace(config)?;
    for (recipient, delivered) in deliver_waiting(&workplace.resources).await? {
        terminal.line(mail_line(&recipient, &delivered));
    }
    Ok(())
}

fn discard(connection: &Connection, chosen: &Chosen, terminal: Terminal<'_>) -> Result<(), Failure> {
    let mails = unfinished(connection, chosen)?;
    for mail in &mails {
        store::outbox::discard(connection, *mail, clock::now())?;
    }
    terminal.line(format!("{} discarded", counted(mails.len(), "mail")));
    Ok(())
}

fn unfinished(connection: &Connection, chosen: &Chosen) -> Result<Vec<MailId>, Failure> {
    if !chosen.all {
        return Ok(chosen.mails.iter().map(|number| MailId::from_row(*number)).collect());
    }
    Ok(store::outbox::list(connection, false)?.iter().map(|mail| mail.id).collect())
}
