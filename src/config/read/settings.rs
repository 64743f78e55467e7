//! `[store]` and `[polling]`.

use super::super::{
    FetchLimits, Polling, StoreSettings, Surroundings, problem::Report, section::Section, source::Place, values,
};
use crate::core::{
    agenda::{HostLimits, Politeness},
    full_text::FullText,
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    time::Duration,
};
use toml::de::DeTable;

pub(in super::super) const STORE_KEYS: [&str; 2] = ["path", "keep"];
pub(in super::super) const POLLING_KEYS: [&str; 9] = [
    "contact",
    "concurrency",
    "host_delay",
    "host_concurrency",
    "backfill",
    "max_hits_per_poll",
    "full_text",
    "limits",
    "host",
];
pub(in super::super) const HOST_KEYS: [&str; 3] = ["name", "delay", "concurrency"];
pub(in super::super) const LIMIT_KEYS: [&str; 8] =
    ["body", "wire", "page", "connect_timeout", "header_timeout", "total_timeout", "redirects", "items"];

/// What `full_text` may be, here and in a feed.
pub(super) const FULL_TEXT: [(&str, FullText); 3] =
    [("never", FullText::Never), ("when-short", FullText::WhenShort), ("always", FullText::Always)];

const DAY: Duration = Duration::from_secs(86_400);
const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Returns `[store]`'s defaults: a file in the service's state folder, else in `folder`.
pub(in super::super) fn default_store(folder: PathBuf, surroundings: &Surroundings) -> StoreSettings {
    let folder = surroundings.state_folder.clone().unwrap_or(folder);
    StoreSettings { path: folder.join("feedwatch.db"), keep: DAY * 90 }
}

/// Reads `[store]`.
pub(in super::super) fn store<'s>(
    table: &'s DeTable<'s>,
    place: Place,
    settings: &mut StoreSettings,
    report: &mut Report<'_>,
) {
    let section = Section::new(table, place, &STORE_KEYS, report);
    if let Some(path) = section.parsed("path", report, |text| match text.trim() {
        "" => Err("is empty; write the path of a file"),
        path => Ok(path.to_owned()),
    }) {
        settings.path = report.source(&section.place).resolve(path);
    }
    settings.keep = section.duration("keep", DAY..=CENTURY, report).unwrap_or(settings.keep);
}

/// Returns `[polling]`'s defaults.
pub(in super::super) fn default_polling() -> Polling {
    Polling {
        contact: None,
        politeness: Politeness {
            concurrency: 64,
            host: HostLimits { delay: Duration::from_secs(2), concurrency: 1 },
            hosts: BTreeMap::new(),
        },
        backfill: DAY,
        max_hits_per_poll: 100,
        full_text: FullText::Never,
        limits: FetchLimits {
            body_bytes: 10 << 20,
            wire_bytes: 5 << 20,
            page_bytes: 2 << 20,
            connect_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_secs(60),
            redirects: 5,
            items: 10_000,
        },
    }
}

/// Reads `[polling]`.
pub(in super::super) fn polling<'s>(
    table: &'s DeTable<'s>,
    place: Place,
    polling: &mut Polling,
    report: &mut Report<'_>,
) {
    let section = Section::new(table, place, &POLLING_KEYS, report);
    polling.contact = section.parsed("contact", report, values::parse_contact);
    count(&section, "concurrency", 1024, &mut polling.politeness.concurrency, report);
    host_limits(&section, ["host_delay", "host_concurrency"], &mut polling.politeness.host, report);
    let least = Duration::from_millis(1);
    polling.backfill = section.duration("backfill", least..=CENTURY, report).unwrap_or(polling.backfill);
    count(&section, "max_hits_per_poll", 100_000, &mut polling.max_hits_per_poll, report);
    polling.full_text = section.word("full_text", &FULL_TEXT, report).unwrap_or(polling.full_text);
    if let Some((table, place)) = section.table("limits", report) {
        limits(&Section::new(table, place, &LIMIT_KEYS, report), &mut polling.limits, report);
    }
    hosts(&section, &mut polling.politeness, report);
}

/// Reads `[[polling.host]]`; the same host twice is an error that names both.
fn hosts(polling: &Section<'_>, politeness: &mut Politeness, report: &mut Report<'_>) {
    let mut seen: HashMap<String, Place> = HashMap::new();
    for section in polling.tables("host", &HOST_KEYS, report) {
        if !section.has("name") {
            section.missing("name", "write `name = \"example.org\"`", report);
        }
        let mut limits = politeness.host;
        host_limits(&section, ["delay", "concurrency"], &mut limits, report);
        let Some(name) = section.parsed("name", report, values::parse_host) else { continue };
        let place = section.place_of("name");
        if let Some(first) = seen.get(&name) {
            report.error(&place, format!("`{name}` already has limits at {}", report.location(first)));
            continue;
        }
        if !section.has("delay") && !section.has("concurrency") {
            report.warn(&place, "has no effect: neither `delay` nor `concurrency` is set");
        }
        seen.insert(name.clone(), place);
        politeness.hosts.insert(name, limits);
    }
}

fn host_limits(section: &Section<'_>, keys: [&str; 2], limits: &mut HostLimits, report: &mut Report<'_>) {
    let [delay, concurrency] = keys;
    let range = Duration::from_millis(1)..=Duration::from_secs(3600);
    limits.delay = section.duration(delay, range, report).unwrap_or(limits.delay);
    count(section, concurrency, 64, &mut limits.concurrency, report);
}

fn limits(section: &Section<'_>, limits: &mut FetchLimits, report: &mut Report<'_>) {
    limits.body_bytes = section.size("body", report).unwrap_or(limits.body_bytes);
    limits.wire_bytes = section.size("wire", report).unwrap_or(limits.wire_bytes);
    limits.page_bytes = section.size("page", report).unwrap_or(limits.page_bytes);
    for (key, limit) in [
        ("connect_timeout", &mut limits.connect_timeout),
        ("header_timeout", &mut limits.header_timeout),
        ("total_timeout", &mut limits.total_timeout),
    ] {
        let range = Duration::from_millis(1)..=Duration::from_secs(600);
        *limit = section.duration(key, range, report).unwrap_or(*limit);
    }
    count(section, "redirects", 20, &mut limits.redirects, report);
    count(section, "items", 1_000_000, &mut limits.items, report);
}

/// Reads a number from 1 to `most` (redirects: from 0).
fn count(section: &Section<'_>, key: &str, most: u64, value: &mut usize, report: &mut Report<'_>) {
    let least = u64::from(key != "redirects");
    if let Some(read) = section.integer(key, least..=most, report) {
        *value = usize::try_from(read).unwrap_or(usize::MAX);
    }
}
