//! `feedwatch status`: what the daemon does and what comes next.

use super::{
    Failure,
    args::Status as Args,
    setup::Setup,
    terminal::{BAD, GOOD, Terminal, WARNING, harmless, local, styled},
};
use crate::{
    clock,
    config::{self, Config, Problem},
    core::{
        digest::counted,
        schedule::{DigestProgress, Due},
    },
    jobs::{notice, upkeep::damage_remedy},
    store::{
        self, Lock, StoreError,
        check::StoreCheck,
        daemon::DaemonRecord,
        outbox::{MailState, OutboxMail},
    },
};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;
use std::path::Path;

/// How long a running daemon may be silent before that is strange.
const SILENT: std::time::Duration = std::time::Duration::from_secs(180);

#[derive(Serialize)]
struct Status {
    running: bool,
    pid: Option<u32>,
    daemon: Option<DaemonRecord>,
    feeds: usize,
    feeds_failing: usize,
    next_poll_at: Option<Timestamp>,
    jobs_failing: Vec<String>,
    editions: Vec<NextEdition>,
    mails_waiting: usize,
    mails_held: usize,
    store_check: Option<StoreCheck>,
    configuration_errors: Vec<Problem>,
}

#[derive(Serialize)]
struct NextEdition {
    digest: String,
    next_at: Option<Timestamp>,
    hits_waiting: usize,
}

/// Shows the daemon, the feeds, the next editions and the outbox. A configuration with errors is no obstacle where the
/// store can be found: the daemon may run on one from before.
pub(super) fn status(setup: &Setup, args: &Args, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let loaded = setup.config();
    let named = args.store.clone().or_else(|| match &loaded {
        Ok(config) => Some(config.store.path.clone()),
        Err(_) => config::store_path(&setup.file().ok()?),
    });
    let (config, failure) = match loaded {
        Ok(config) => (Some(config), None),
        Err(Failure::Usage(_)) if named.is_some() => (None, None),
        Err(failure) => (None, Some(failure)),
    };
    let shown = named.map_or(Ok(()), |store| show(&store, config.as_ref(), failure.as_ref(), *terminal));
    match (failure, shown) {
        (Some(failure), Err(error)) => {
            terminal.error(&error.to_string());
            Err(failure)
        }
        (Some(failure), Ok(())) => Err(failure),
        (None, shown) => shown,
    }
}

fn show(
    store: &Path,
    config: Option<&Config>,
    failure: Option<&Failure>,
    terminal: Terminal<'_>,
) -> Result<(), Failure> {
    let (connection, now) = (store::open_reader(store)?, clock::now());
    let mut status = gather(store, config, &connection, now)?;
    if let Some(Failure::Configuration(errors)) = failure {
        status.configuration_errors.clone_from(&errors.0);
    }
    if terminal.wants_json() {
        terminal.json(&status);
    } else {
        print(&status, now, terminal);
    }
    Ok(())
}

fn gather(store: &Path, config: Option<&Config>, connection: &Connection, now: Timestamp) -> Result<Status, Failure> {
    let pid = Lock::holder(store);
    let feeds = store::feed::configured(connection)?;
    let digests = config.map(|config| &config.digests[..]).unwrap_or_default();
    let editions = digests.iter().map(|digest| {
        let progress = store::edition::known_progress(connection, &digest.name, now)?;
        // One that the store does not know yet begins when it does.
        let progress = progress.unwrap_or_else(|| DigestProgress::beginning(now));
        let next_at = match digest.schedule.due(now, &digest.timezone, &progress) {
            Due::Now { .. } => Some(now),
            Due::At(at) => Some(at),
            Due::WhenHit => None,
        };
        let hits_waiting = store::hit::count_pending(connection, &digest.name)?;
        Ok(NextEdition { digest: digest.name.to_string(), next_at, hits_waiting })
    });
    let mails = store::outbox::list(connection, false)?;
    let count = |state: MailState| mails.iter().filter(|mail: &&OutboxMail| mail.state == state).count();
    Ok(Status {
        running: pid.is_some(),
        pid,
        daemon: store::daemon::last(connection)?,
        feeds: feeds.len(),
        feeds_failing: feeds.iter().filter(|feed| feed.state.failing_since.is_some()).count(),
        next_poll_at: feeds.iter().map(|feed| feed.next_poll_at).min(),
        jobs_failing: notice::failing_jobs(connection)?,
        editions: editions.collect::<Result<_, StoreError>>()?,
        mails_waiting: count(MailState::Waiting),
        mails_held: count(MailState::Held),
        store_check: store::check::last(connection)?,
        configuration_errors: Vec::new(),
    })
}

fn print(status: &Status, now: Timestamp, terminal: Terminal<'_>) {
    match (&status.daemon, status.pid) {
        (Some(daemon), Some(pid)) => {
            let text = format!("running since {} (process {pid}, {})", local(daemon.started_at), daemon.version);
            terminal.line(format!("daemon   {}", styled(GOOD, text)));
            if now.duration_since(daemon.alive_at).unsigned_abs() > SILENT {
                terminal.line(styled(WARNING, format!("         silent since {}", local(daemon.alive_at))));
            }
            if let Some(reload) = &daemon.reload {
                terminal.line(format!("reload   {reload}"));
            }
        }
        (_, Some(pid)) => terminal.line(format!("daemon   process {pid} works on the store")),
        (daemon, None) => {
            let last = daemon.as_ref().map(|daemon| format!(", last alive {}", local(daemon.alive_at)));
            terminal.line(format!("daemon   {}{}", styled(BAD, "not running"), last.unwrap_or_default()));
        }
    }
    if !status.configuration_errors.is_empty() {
        let errors = counted(status.configuration_errors.len(), "error");
        let goes_on = if status.pid.is_some() { "; the daemon goes on with what it read before" } else { "" };
        terminal.line(format!("config   {}", styled(BAD, format!("{errors}, listed below{goes_on}"))));
    }
    for job in &status.jobs_failing {
        terminal.line(format!("job      {}", styled(BAD, format!("{job} fails within feedwatch; please report this"))));
    }
    let next = status.next_poll_at.map(|at| format!(", next poll {}", local(at))).unwrap_or_default();
    terminal.line(format!("feeds    {}, {} failing{next}", status.feeds, status.feeds_failing));
    for edition in &status.editions {
        let next = edition.next_at.map_or_else(|| "when there is a hit".to_owned(), local);
        let waiting = counted(edition.hits_waiting, "hit");
        terminal.line(format!("digest   {}: next {next}, {waiting} waiting", edition.digest));
    }
    terminal.line(format!("outbox   {} waiting, {} held for you", status.mails_waiting, status.mails_held));
    terminal.line(match &status.store_check {
        None => "store    not looked over yet".to_owned(),
        Some(StoreCheck { damage: None, checked_at }) => format!("store    sound at {}", local(*checked_at)),
        Some(StoreCheck { damage: Some(damage), checked_at }) => {
            let text = format!("damaged at {} ({}): {}", local(*checked_at), harmless(damage), damage_remedy());
            format!("store    {}", styled(BAD, text))
        }
    });
}
