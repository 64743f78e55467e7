//! `feedwatch backtest`: the rules of a configuration on the stored articles, beside the deployed ones.

use super::{
    Failure,
    args::Backtest as Args,
    chart::chart,
    digest::{notice, write},
    found,
    names::unknown,
    search::article_json,
    setup::{self, Setup},
    terminal::{BAD, FAINT, GOOD, STRONG, Terminal, WARNING, harmless, progress, styled},
    when,
};
use crate::{
    clock,
    config::{self, Config},
    core::{
        digest::{Digest, Edition, counted},
        hit::{RuleName, StoredHit},
    },
    jobs::backtest::{Backtest, Outcome, RuleTrial, Standing},
    mail::render,
    store::{self, StoreError, archive::Span},
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rusqlite::Connection;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Columns where there is no terminal to ask.
const COLUMNS: u16 = 80;

/// Tries the configuration on the stored articles.
pub(super) fn backtest(setup: &Setup, args: &Args, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let against = args.against.as_deref().map(|file| Ok::<_, Failure>((file.to_owned(), config::load(file)?)));
    let against = against.transpose()?;
    let connection = reader(args, &config, against.as_ref().map(|(_, config)| config))?;
    let deployed = match against {
        Some(against) => Some(against),
        None => of_daemon(&connection, &setup.file()?, *terminal)?,
    };
    let rule = args.rule.as_deref().map(RuleName::new);
    check_names(args, &config, deployed.as_ref().map(|(_, config)| config))?;
    let now = clock::now();
    let since = when::past("--since", &args.since, now)?;
    let since = store::archive::oldest(&connection)?.map_or(since, |oldest| since.max(oldest)).min(now);
    let days = days(since, now)?;
    let backtest = Backtest {
        config: &config,
        rule: rule.as_ref(),
        deployed: deployed.as_ref().map(|(_, config)| config),
        since,
        until: now,
        days: &days,
        examples: args.limit,
    };
    let span = Span { since, until: now, with_hits: false };
    let bar = progress(store::archive::count(&connection, span)?, "articles");
    let outcome = backtest.run(&connection, |articles| bar.set_position(articles as u64))?;
    bar.finish_and_clear();
    let report = Report { outcome, days, since, until: now, deployed: deployed.map(|(file, _)| file) };
    let edition = chosen(args, &report.outcome.editions)?;
    let rendered = edition.map(|(digest, edition)| {
        let host = setup::host();
        render::render(edition, &notice(&config, digest, &host))
    });
    if let (Some(file), Some(rendered)) = (&args.html, &rendered) {
        write(file, rendered.html.as_bytes())?;
    }
    if terminal.wants_json() {
        terminal.json(&report.json());
        return Ok(());
    }
    report.print(rule.is_some(), *terminal);
    if let (Some(_), Some((_, edition)), Some(rendered)) = (&args.digest, edition, &rendered) {
        terminal.line(format!("\nSubject: {}\n", harmless(&edition.subject)));
        terminal.line(&rendered.text);
    }
    Ok(())
}

/// Opens the store that was named, else the configuration's, else that of the deployed one.
fn reader(args: &Args, config: &Config, against: Option<&Config>) -> Result<Connection, Failure> {
    if let Some(path) = &args.store {
        return Ok(store::open_reader(path)?);
    }
    match (store::open_reader(&config.store.path), against) {
        (Err(StoreError::Missing(_)), Some(against)) => Ok(store::open_reader(&against.store.path)?),
        (Err(error @ StoreError::Missing(_)), None) => {
            Err(Failure::Usage(format!("{error}; --store PATH names the one with the articles")))
        }
        (opened, _) => Ok(opened?),
    }
}

/// Returns the configuration that the daemon runs with, where that is another file than the one that is tried.
fn of_daemon(
    connection: &Connection,
    tried: &Path,
    terminal: Terminal<'_>,
) -> Result<Option<(PathBuf, Config)>, Failure> {
    let Some(daemon) = store::daemon::last(connection)? else { return Ok(None) };
    let file = PathBuf::from(daemon.configuration);
    let (Ok(deployed), Ok(tried)) = (file.canonicalize(), tried.canonicalize()) else { return Ok(None) };
    if deployed == tried {
        return Ok(None);
    }
    match config::load(&file) {
        Ok(config) => Ok(Some((file, config))),
        Err(_) => {
            let file = file.display();
            terminal
                .remark(format!("the daemon's configuration {file} cannot be read: the hits on record are compared"));
            Ok(None)
        }
    }
}

fn check_names(args: &Args, config: &Config, deployed: Option<&Config>) -> Result<(), Failure> {
    let rules = config.rules.iter().chain(deployed.into_iter().flat_map(|deployed| &deployed.rules));
    let rules = rules.map(|watch| watch.rule.name.as_str());
    if let Some(rule) = &args.rule
        && !rules.clone().any(|name| name == rule)
    {
        return Err(unknown("rule", rule, rules));
    }
    let mut digests = config.digests.iter().map(|digest| digest.name.as_str());
    if let Some(digest) = &args.digest
        && !digests.clone().any(|name| name == digest)
    {
        return Err(unknown("digest", digest, digests));
    }
    if args.html.is_some() && args.digest.is_none() && digests.nth(1).is_some() {
        return Err(Failure::Usage("say which digest goes into the file: --digest NAME".to_owned()));
    }
    Ok(())
}

/// Returns the edition that is asked for.
fn chosen<'e>(args: &Args, editions: &'e [(Digest, Edition)]) -> Result<Option<&'e (Digest, Edition)>, Failure> {
    let wanted =
        editions.iter().find(|(digest, _)| args.digest.as_deref().is_none_or(|name| name == digest.name.as_str()));
    if wanted.is_none() && (args.digest.is_some() || args.html.is_some()) {
        return Err(Failure::Usage("no rule that was tried feeds this digest".to_owned()));
    }
    Ok(wanted)
}

/// Returns the starts of the local days of a time.
fn days(since: Timestamp, until: Timestamp) -> Result<Vec<Timestamp>, Failure> {
    let midnight = |at: Timestamp| at.to_zoned(TimeZone::system()).start_of_day();
    let failed = |error: jiff::Error| Failure::Usage(format!("`--since` leads out of the calendar: {error}"));
    let mut day = midnight(since).map_err(failed)?;
    let mut days = vec![day.timestamp()];
    loop {
        // By the calendar: a day can have 23 or 25 hours.
        day = day.checked_add(1.day()).and_then(|next| next.start_of_day()).map_err(failed)?;
        if day.timestamp() > until {
            return Ok(days);
        }
        days.push(day.timestamp());
    }
}

/// What is printed.
struct Report {
    outcome: Outcome,
    days: Vec<Timestamp>,
    since: Timestamp,
    until: Timestamp,
    /// File with the deployed rules; without one the hits on record were compared.
    deployed: Option<PathBuf>,
}

impl Report {
    fn print(&self, single: bool, terminal: Terminal<'_>) {
        let mut silent = 0;
        for trial in &self.outcome.rules {
            if trial.hits + trial.lost == 0 && !single && trial.standing != Standing::Removed {
                silent += 1;
                continue;
            }
            self.print_rule(trial, single, terminal);
            terminal.line("");
        }
        if silent > 0 {
            terminal.line(styled(FAINT, format!("{} without a hit", counted(silent, "rule"))));
        }
        for (digest, edition) in &self.outcome.editions {
            let (name, subject) = (harmless(digest.name.as_str()), harmless(&edition.subject));
            terminal.line(format!("digest \"{name}\" would have sent: {subject}"));
        }
        let sum = |of: fn(&RuleTrial) -> usize| self.outcome.rules.iter().map(of).sum::<usize>();
        terminal.line(format!(
            "{} in {} first seen since {}; {} gained, {} lost against {}",
            counted(sum(|trial| trial.hits), "hit"),
            counted(self.outcome.articles, "article"),
            day(self.since),
            sum(|trial| trial.gained),
            sum(|trial| trial.lost),
            self.compared_with(),
        ));
    }

    fn print_rule(&self, trial: &RuleTrial, single: bool, terminal: Terminal<'_>) {
        let mut parts = vec![counted(trial.hits, "hit")];
        if trial.gained > 0 {
            parts.push(styled(GOOD, format!("{} gained", trial.gained)));
        }
        if trial.lost > 0 {
            parts.push(styled(BAD, format!("{} lost", trial.lost)));
        }
        parts.push(standing(trial.standing).to_owned());
        terminal.line(format!("{}  {}", styled(STRONG, harmless(trial.rule.as_str())), parts.join(" · ")));
        let counts: Vec<usize> =
            (0..self.days.len()).map(|day| trial.by_day.get(&day).copied().unwrap_or_default()).collect();
        let short = |at: Timestamp| at.to_zoned(TimeZone::system()).strftime("%-d %b").to_string();
        let from_to = format!("{} – {}", short(self.since), short(self.until));
        let columns = usize::from(terminal.width().unwrap_or(COLUMNS)).saturating_sub(from_to.chars().count() + 26);
        let drawn = chart(&counts, columns.clamp(8, 120));
        let each = if drawn.per_column == 1 { "a day".to_owned() } else { format!("in {} days", drawn.per_column) };
        let told = styled(FAINT, format!("{from_to}, at most {} {each}", drawn.most));
        terminal.line(format!("  {}  {told}", styled(WARNING, drawn.line)));
        examples("+", GOOD, &trial.gained_examples, trial.gained, terminal);
        examples("−", BAD, &trial.lost_examples, trial.lost, terminal);
        if single || trial.gained + trial.lost == 0 {
            examples("=", FAINT, &trial.kept_examples, trial.hits - trial.gained, terminal);
        }
    }

    fn compared_with(&self) -> String {
        match &self.deployed {
            Some(file) => format!("the rules of {}, run over the same articles", file.display()),
            None => "the hits on record".to_owned(),
        }
    }

    fn json(&self) -> serde_json::Value {
        let date = |index: usize| self.days[index].to_zoned(TimeZone::system()).date().to_string();
        let all =
            |hits: &[StoredHit]| hits.iter().map(|hit| article_json(&hit.article, &hit.terms)).collect::<Vec<_>>();
        let rules = self.outcome.rules.iter().map(|trial| {
            json!({
                "rule": trial.rule,
                "rule_version": trial.version,
                "standing": standing(trial.standing),
                "hits": trial.hits,
                "gained": trial.gained,
                "lost": trial.lost,
                "days": trial.by_day.iter()
                    .map(|(day, hits)| json!({"date": date(*day), "hits": hits})).collect::<Vec<_>>(),
                "examples": {
                    "gained": all(&trial.gained_examples),
                    "lost": all(&trial.lost_examples),
                    "kept": all(&trial.kept_examples),
                },
            })
        });
        let digests = self.outcome.editions.iter().map(|(digest, edition)| {
            let hits = edition.hits + edition.coverage.hits_suppressed;
            json!({"digest": digest.name, "subject": edition.subject, "hits": hits})
        });
        json!({
            "since": self.since,
            "until": self.until,
            "articles": self.outcome.articles,
            "compared_with": self.compared_with(),
            "rules": rules.collect::<Vec<_>>(),
            "digests": digests.collect::<Vec<_>>(),
        })
    }
}

fn examples(sign: &str, style: anstyle::Style, hits: &[StoredHit], all: usize, terminal: Terminal<'_>) {
    for hit in hits {
        found::print(&format!("  {}", styled(style, sign)), &hit.article, &hit.terms, None, terminal);
    }
    if all > hits.len() && !hits.is_empty() {
        terminal.line(styled(FAINT, format!("  {sign} and {} more", all - hits.len())));
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::New => "new",
        Standing::Changed => "changed",
        Standing::Unchanged => "unchanged",
        Standing::Removed => "removed",
    }
}

/// Returns the local day of an instant.
fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%-d %b %Y").to_string()
}
