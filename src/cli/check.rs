//! `feedwatch check`: the configuration whole, and what follows from it.

use super::{
    Failure,
    args::Check,
    setup::{self, Setup},
    terminal::{BAD, GOOD, Terminal, WARNING, harmless, local, styled},
};
use crate::{
    clock,
    config::{Config, MailServer, TermGroupSize},
    core::{
        agenda::{Agenda, Job},
        digest::counted,
        feed::{FeedId, FeedState},
        schedule::{DigestProgress, Due},
    },
    fetch::{Fetched, Fetcher},
    parse::{self, ParseLimits},
    store,
};
use jiff::Timestamp;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Checks the configuration and prints what it means.
pub(super) async fn check(setup: &Setup, args: &Check, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = match setup.config_with_warnings() {
        Err(Failure::Configuration(errors)) if terminal.wants_json() => {
            terminal.json(&json!({"ok": false, "errors": errors.0, "warnings": []}));
            return Err(Failure::Configuration(errors));
        }
        config => config?,
    };
    let config = Arc::new(config);
    let online = if args.online { Some(try_online(setup, &config).await?) } else { None };
    if terminal.wants_json() {
        terminal.json(&json!({
            "ok": online.as_ref().is_none_or(Online::is_good),
            "errors": [],
            "warnings": config.warnings,
            "term_groups": config.term_groups,
            "online": online.as_ref().map(Online::json),
        }));
    } else {
        print(setup, &config, *terminal);
        if let Some(online) = &online {
            online.print(*terminal);
        }
    }
    if args.deny_warnings && !config.warnings.is_empty() {
        return Err(Failure::Usage(format!("{} and --deny-warnings", counted(config.warnings.len(), "warning"))));
    }
    if online.is_some_and(|online| !online.is_good()) {
        return Err(anyhow::anyhow!("not everything answered").into());
    }
    Ok(())
}

fn print(setup: &Setup, config: &Config, terminal: Terminal<'_>) {
    for warning in &config.warnings {
        terminal.line(format!("{} {warning:#}", styled(WARNING, "warning:")));
    }
    let examples: usize = config.rules.iter().map(|rule| rule.must_match.len() + rule.must_not_match.len()).sum();
    terminal.line(format!(
        "{}: {}, {} with {}, {}",
        styled(GOOD, "the configuration is good"),
        counted(config.feeds.len(), "feed"),
        counted(config.rules.len(), "rule"),
        counted(examples, "passing example"),
        counted(config.digests.len(), "digest"),
    ));
    for group in &config.term_groups {
        terminal.line(shown_group(group));
    }
    let now = clock::now();
    let connection = setup.reader(config).ok();
    for digest in &config.digests {
        let known = connection
            .as_ref()
            .and_then(|connection| store::edition::known_progress(connection, &digest.name, now).ok().flatten());
        let progress = known.unwrap_or_else(|| DigestProgress::beginning(now));
        let next = match digest.schedule.due(now, &digest.timezone, &progress) {
            Due::Now { .. } => "due now".to_owned(),
            Due::At(at) => format!("next {}", in_zone(at, &digest.timezone)),
            Due::WhenHit => "when there is a hit".to_owned(),
        };
        let to = digest.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        terminal.line(format!("digest \"{}\": {}, {next}, to {to}", digest.name, digest.schedule));
    }
}

fn shown_group(group: &TermGroupSize) -> String {
    let mut line = format!("terms @{}: {}", group.name, counted(group.terms, "term"));
    if group.terms_with_groups != group.terms {
        line.push_str(&format!(" ({} with those of its groups)", group.terms_with_groups));
    }
    if let Some(file) = &group.file {
        line.push_str(&format!(", from {}", file.display()));
    }
    line + &match group.rules {
        0 => ", used by no rule".to_owned(),
        rules => format!(", used by {}", counted(rules, "rule")),
    }
}

fn in_zone(at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    let zoned = at.to_zoned(zone.clone());
    format!("{} (here {})", zoned.strftime("%a %Y-%m-%d %H:%M %Z"), local(at))
}

/// What answered when it was tried.
struct Online {
    feeds: Vec<(String, Result<usize, String>)>,
    mail: Result<String, String>,
}

async fn try_online(setup: &Setup, config: &Arc<Config>) -> Result<Online, Failure> {
    let fetcher = Arc::new(setup.fetcher(config)?);
    let mut agenda = Agenda::new(setup.descriptors.bound(&config.polling.politeness));
    for (index, feed) in config.feeds.iter().enumerate() {
        agenda.schedule_poll(feed_number(index), feed.url.host(), clock::now());
    }
    let mut answers: Vec<Option<Result<usize, String>>> = vec![None; config.feeds.len()];
    let mut running = JoinSet::new();
    let mut left = config.feeds.len();
    while left > 0 {
        let now = clock::now();
        while let Some(Job::Poll(number)) = agenda.start(now) {
            let (config, fetcher) = (config.clone(), fetcher.clone());
            running.spawn(async move { (number, try_feed(&config, &fetcher, index_of(number), now).await) });
        }
        let pause = agenda.next_start().map_or(Duration::from_secs(60), |at| now.duration_until(at).unsigned_abs());
        tokio::select! {
            Some(ended) = running.join_next() => {
                let (number, answer) = ended.map_err(anyhow::Error::from)?;
                agenda.finish(&Job::Poll(number));
                answers[index_of(number)] = Some(answer);
                left -= 1;
            }
            () = tokio::time::sleep(pause) => {}
        }
    }
    let names = config.feeds.iter().map(|feed| feed.url.to_string());
    let feeds = names.zip(answers.into_iter().flatten()).collect();
    Ok(Online { feeds, mail: try_mail(config).await? })
}

/// Feeds that may not be in the store yet are numbered by their place in the configuration.
fn feed_number(index: usize) -> FeedId {
    FeedId::from_row(i64::try_from(index).expect("a configuration has fewer feeds"))
}

fn index_of(number: FeedId) -> usize {
    usize::try_from(number.row()).expect("made by `feed_number`")
}

async fn try_feed(config: &Config, fetcher: &Fetcher, index: usize, now: Timestamp) -> Result<usize, String> {
    let fetched = fetcher.fetch(&config.feeds[index], &FeedState::default(), now).await;
    match fetched.map_err(|failure| failure.message)? {
        Fetched::NotModified(_) | Fetched::Unchanged(_) => Ok(0),
        Fetched::Document { body, content_type, final_url, .. } => {
            let limits = ParseLimits { items: config.polling.limits.items, ..ParseLimits::default() };
            let parsed = tokio::task::spawn_blocking(move || {
                parse::parse(&body, content_type.as_deref(), &final_url, &limits, now)
            });
            let parsed = parsed.await.map_err(|_| "reading it failed within feedwatch".to_owned())?;
            let url = &config.feeds[index].url;
            parsed
                .map(|parsed| parsed.items.len())
                .map_err(|error| format!("{url} was fetched and cannot be read: it {error}"))
        }
    }
}

async fn try_mail(config: &Config) -> Result<Result<String, String>, Failure> {
    match &config.mail.server {
        MailServer::Smtp(server) => Ok(setup::smtp()?.greet(server).await.map_err(|refusal| refusal.message)),
        MailServer::Maildir(path) => Ok(Ok(format!("mail goes into the Maildir {}", path.display()))),
    }
}

impl Online {
    fn is_good(&self) -> bool {
        self.mail.is_ok() && self.feeds.iter().all(|(_, answer)| answer.is_ok())
    }

    fn json(&self) -> serde_json::Value {
        let feeds = self
            .feeds
            .iter()
            .map(|(feed, answer)| json!({"feed": feed, "items": answer.as_ref().ok(), "error": answer.as_ref().err()}));
        json!({
            "feeds": feeds.collect::<Vec<_>>(),
            "mail": {"said": self.mail.as_ref().ok(), "error": self.mail.as_ref().err()},
        })
    }

    fn print(&self, terminal: Terminal<'_>) {
        for (feed, answer) in &self.feeds {
            terminal.line(match answer {
                Ok(items) => format!("{} {feed}: {}", styled(GOOD, "ok"), counted(*items, "item")),
                Err(error) => format!("{} {}", styled(BAD, "failed"), harmless(error)),
            });
        }
        terminal.line(match &self.mail {
            Ok(said) => format!("{} mail server: {}", styled(GOOD, "ok"), harmless(said)),
            Err(error) => format!("{} {}", styled(BAD, "failed"), harmless(error)),
        });
    }
}
