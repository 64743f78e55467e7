//! Configuration: TOML files → checked values, with all errors at once.
//!
//! Raw values and their checks live in the submodules; what leaves this module is ready for use.

mod diff;
mod edit;
mod mail;
pub mod opml;
mod polling;
mod problem;
mod read;
mod section;
mod source;
mod values;

pub use diff::{Changes, diff};
pub use edit::{Edit, EditError, NewFeed};
pub use mail::{Mail, MailServer, Password, SmtpLogin, SmtpServer, SmtpTls};
pub use polling::{FetchLimits, Polling};
pub use problem::{ConfigErrors, Problem, excerpt, nearest, suggesting};

use crate::{
    core::{digest::Digest, feed::Feed, hit::DigestName},
    rules::{Rule, RuleSet, TermGroups},
};
use jiff::tz::TimeZone;
use problem::{Complaint, Report};
use read::{digest, feed, lint, rule, settings, terms};
use section::Section;
use serde::Serialize;
use source::{Place, Source};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use toml::de::DeTable;

/// A configuration, checked whole.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[store]`.
    pub store: StoreSettings,
    /// `[polling]`.
    pub polling: Polling,
    /// `[mail]`.
    pub mail: Mail,
    /// The feeds, in the order of the files; no URL twice.
    pub feeds: Vec<Feed>,
    /// The rules, in the order of the files; no name twice.
    pub rules: Vec<WatchRule>,
    /// The rules, compiled; the same indices.
    pub rule_set: RuleSet,
    /// `[terms]`, for queries that are asked later.
    pub groups: Arc<TermGroups>,
    /// The term groups, in the order of their names.
    pub term_groups: Vec<TermGroupSize>,
    /// The digests, in the order of the files; no name twice.
    pub digests: Vec<Digest>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Returns the warnings as lines of a log: the first, and how many more there are.
    pub fn logged_warnings(&self) -> impl Iterator<Item = String> {
        const MOST: usize = 20;
        let more = self.warnings.len().saturating_sub(MOST);
        let rest = (more > 0).then(|| format!("and {more} more warnings; `feedwatch check` shows all"));
        self.warnings.iter().take(MOST).map(ToString::to_string).chain(rest)
    }
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Absolute path of the database.
    pub path: PathBuf,
    /// How long texts are kept; keys and hits outlive them.
    pub keep: Duration,
}

/// A rule with what is done with its hits, and its tests.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchRule {
    /// What it matches.
    pub rule: Rule,
    /// The digests that its hits go into.
    pub digests: Vec<DigestName>,
    /// How far back it is run over what is stored when it is new or changed.
    pub backfill: Option<Duration>,
    /// Headlines that it matches.
    pub must_match: Vec<String>,
    /// Headlines that it does not match.
    pub must_not_match: Vec<String>,
}

/// How large a term group is and how much it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermGroupSize {
    /// Its name.
    pub name: String,
    /// Its own terms.
    pub terms: usize,
    /// Its own terms and those of the groups in it.
    pub terms_with_groups: usize,
    /// The file that lists terms of its own.
    pub file: Option<PathBuf>,
    /// The rules that use it, by itself or within another group.
    pub rules: usize,
}

/// What the process was started with and the files do not say.
#[derive(Debug, Clone)]
struct Surroundings {
    /// systemd's `$STATE_DIRECTORY`: where the store is by default.
    state_folder: Option<PathBuf>,
    /// systemd's `$CREDENTIALS_DIRECTORY`: where passwords may be.
    credentials_folder: Option<PathBuf>,
    /// The machine's time zone, else UTC.
    system_zone: TimeZone,
}

const SECTIONS: [&str; 7] = ["store", "polling", "mail", "feed", "terms", "rule", "digest"];

/// What a configuration is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be used: rules are not compared with each other, which takes longer than all else.
    Use,
    /// To be looked at: with all warnings.
    Check,
    /// To get feeds; it may have none yet.
    Edit,
}

/// Loads a configuration: the file, and `conf.d/*.toml` beside it. It does not warn of rules that others make
/// superfluous.
///
/// # Errors
///
/// Everything that is wrong with any of the files.
pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
    load_draft(path, &surroundings(), None, Purpose::Use)
}

/// Loads a configuration with all warnings, which takes longer where there are many rules.
///
/// # Errors
///
/// Everything that is wrong with any of the files.
pub fn load_with_warnings(path: &Path) -> Result<Config, ConfigErrors> {
    load_draft(path, &surroundings(), None, Purpose::Check)
}

/// Loads a configuration that is to get feeds, and may have none yet.
///
/// # Errors
///
/// Everything else that is wrong with any of the files.
pub fn load_for_edit(path: &Path) -> Result<Config, ConfigErrors> {
    load_draft(path, &surroundings(), None, Purpose::Edit)
}

/// Returns the store of a configuration also where that has errors, as long as these cannot hide which it is.
pub fn store_path(path: &Path) -> Option<PathBuf> {
    let sources = source::read_all(path, None);
    let readable = sources.iter().filter(|source| source.broken.is_none());
    let parsed: Vec<_> = readable.map(|source| (source, DeTable::parse_recoverable(&source.text))).collect();
    let section =
        parsed.iter().find_map(|(source, (table, _))| Some((source, table.get_ref().get("store")?.get_ref())));
    let is_whole = parsed.len() == sources.len() && parsed.iter().all(|(_, (_, errors))| errors.is_empty());
    match section.map(|(source, store)| (source, store.get("path"))) {
        Some((source, Some(path))) => Some(source.resolve(path.get_ref().as_str()?.trim())),
        _ if is_whole => Some(settings::default_store(sources.first()?.folder(), &surroundings()).path),
        _ => None,
    }
}

fn surroundings() -> Surroundings {
    // systemd lists several folders with colons between.
    let folder = |name: &str| std::env::split_paths(&std::env::var_os(name)?).next().filter(|path| path.is_absolute());
    Surroundings {
        state_folder: folder("STATE_DIRECTORY"),
        credentials_folder: folder("CREDENTIALS_DIRECTORY"),
        system_zone: TimeZone::try_system().unwrap_or(TimeZone::UTC),
    }
}

/// Loads a configuration as it would be with another text of one of its files.
fn load_draft(
    path: &Path,
    surroundings: &Surroundings,
    draft: Option<(&Path, &str)>,
    purpose: Purpose,
) -> Result<Config, ConfigErrors> {
    let mut sources = source::read_all(path, draft);
    let (mut tables, failures) = parse(&sources);
    if !failures.is_empty() {
        drop(tables);
        for (file, at, message) in failures {
            sources[file].break_at(at, message);
        }
        (tables, _) = parse(&sources);
    }
    let lists = terms::read_files(&tables, &sources);
    let mut report = Report::new(&sources, &lists);
    let roots: Vec<Section<'_>> =
        tables.iter().map(|(file, table)| Section::new(table, Place::file(*file), &SECTIONS, &mut report)).collect();
    let checked = check(&roots, &sources, surroundings, purpose, &mut report);
    let (errors, warnings) = report.finish();
    match checked {
        Some(config) if errors.is_empty() => Ok(Config { warnings, ..config }),
        _ => Err(ConfigErrors(errors)),
    }
}

/// A file that is not TOML: which, the byte, why.
type Failure = (usize, usize, String);

/// Parses the files that could be read.
fn parse(sources: &[Source]) -> (Vec<(usize, DeTable<'_>)>, Vec<Failure>) {
    let mut tables = Vec::new();
    let mut failures = Vec::new();
    for (file, source) in sources.iter().enumerate().filter(|(_, source)| source.broken.is_none()) {
        match DeTable::parse(&source.text) {
            Ok(table) => tables.push((file, table.into_inner())),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                failures.push((file, at, syntax_message(error.message())));
            }
        }
    }
    (tables, failures)
}

fn syntax_message(message: &str) -> String {
    format!("is not TOML: {}", message.trim().replace('\n', ", "))
}

/// Checks the sections of all files. Returns a configuration only where nothing was reported.
fn check(
    roots: &[Section<'_>],
    sources: &[Source],
    surroundings: &Surroundings,
    purpose: Purpose,
    report: &mut Report<'_>,
) -> Option<Config> {
    // What stands in a table of a mistyped name may be what rules refer to.
    let readable = |root: &Section<'_>| {
        let mut unknown = root.unknown(&SECTIONS);
        !unknown.any(|value| value.is_table() || value.is_array()) && (!root.has("terms") || root.is_table("terms"))
    };
    let complete = sources.iter().all(|source| source.broken.is_none()) && roots.iter().all(readable);
    let all = |key: &str, keys: &[&str], report: &mut Report<'_>| -> Vec<Section<'_>> {
        roots.iter().flat_map(|root| root.tables(key, keys, report)).collect()
    };
    let feed_sections = all("feed", &feed::KEYS, report);
    let digest_sections = all("digest", &digest::KEYS, report);
    let rule_sections = all("rule", &rule::KEYS, report);
    let group_sections: Vec<(&DeTable<'_>, Place)> =
        roots.iter().filter_map(|root| root.table("terms", report)).collect();
    let group_sections: Vec<Section<'_>> =
        group_sections.into_iter().map(|(table, place)| Section::with_any_keys(table, place)).collect();

    let folder = sources.first().map(Source::folder).unwrap_or_default();
    let (store, polling) = read_settings(roots, folder.clone(), surroundings, report);
    let mail = read_mail(roots, folder, digest_sections.first(), complete, surroundings, report);
    let feeds = feed::read_all(&feed_sections, polling.full_text, report);
    let digests = digest::read_all(&digest_sections, &surroundings.system_zone, report);
    if complete && purpose != Purpose::Edit && !roots.iter().any(|root| root.has("feed")) {
        report.error(&Place::file(0), no_feeds());
    }
    let groups = terms::read_all(&group_sections, report);
    let known = rule::Known { groups: &groups, feeds: &feeds, digests: &digests, complete };
    let rules = rule::read_all(&rule_sections, &known, report);
    if report.has_errors() {
        return None;
    }
    lint::warn(&rules, &known, purpose == Purpose::Check, report);
    let term_groups = terms::sizes(&groups, &rules);
    let rules: Vec<WatchRule> = rules.into_iter().map(|placed| placed.rule).collect();
    Some(Config {
        store,
        polling,
        mail,
        feeds: feeds.into_iter().map(|placed| placed.feed).collect(),
        rule_set: RuleSet::new(rules.iter().map(|watch| &watch.rule)),
        rules,
        groups: Arc::new(groups.groups),
        term_groups,
        digests: digests.into_iter().map(|placed| placed.digest).collect(),
        warnings: Vec::new(),
    })
}

fn no_feeds() -> Complaint {
    Complaint::from(
        "there is no feed, so there is nothing to watch; `feedwatch feeds add www.example.org` finds that of a site, or \
         write at least\n\n    [[feed]]\n    url = \"https://www.example.org/rss.xml\"",
    )
}

fn read_settings(
    roots: &[Section<'_>],
    folder: PathBuf,
    surroundings: &Surroundings,
    report: &mut Report<'_>,
) -> (StoreSettings, Polling) {
    let mut store = settings::default_store(folder, surroundings);
    let mut polling = settings::default_polling();
    if let Some((table, place)) = only_one(roots, "store", report) {
        settings::store(table, place, &mut store, report);
    }
    if let Some((table, place)) = only_one(roots, "polling", report) {
        settings::polling(table, place, &mut polling, report);
    }
    (store, polling)
}

fn read_mail(
    roots: &[Section<'_>],
    folder: PathBuf,
    first_digest: Option<&Section<'_>>,
    complete: bool,
    surroundings: &Surroundings,
    report: &mut Report<'_>,
) -> Mail {
    let section = only_one(roots, "mail", report);
    if let (None, Some(digest), true) = (&section, first_digest, complete) {
        let message = "needs a `[mail]` section: who the mails are from, and which server takes them; write\n\n    \
                       [mail]\n    from = \"feedwatch <alerts@example.org>\"\n    server = \"smtp://mail.example.org:587\"";
        report.error(&digest.place, message);
    }
    section
        .and_then(|(table, place)| read::mail::read(table, place, first_digest.is_some(), surroundings, report))
        .unwrap_or_else(|| read::mail::unused(folder))
}

/// Returns the one table of this name in all files; another is an error that names both.
fn only_one<'s>(roots: &[Section<'s>], key: &str, report: &mut Report<'_>) -> Option<(&'s DeTable<'s>, Place)> {
    let mut found: HashMap<&str, Place> = HashMap::new();
    let mut first = None;
    for (table, place) in roots.iter().filter_map(|root| root.table(key, report)).collect::<Vec<_>>() {
        if let Some(other) = found.get(key) {
            report.error(&place, format!("`[{key}]` is already at {}; write it once", report.location(other)));
        } else {
            found.insert(key, place.clone());
            first = Some((table, place));
        }
    }
    first
}

#[cfg(test)]
mod tests;
