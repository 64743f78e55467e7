//! `[[digest]]`.

use super::super::{
    problem::{Complaint, Report, nearest},
    section::Section,
    source::Place,
    values,
};
use crate::core::{
    digest::Digest,
    hit::DigestName,
    mailbox::Mailbox,
    schedule::{Schedule, parse_duration},
};
use jiff::tz::TimeZone;
use std::{collections::HashMap, time::Duration};

pub(in super::super) const KEYS: [&str; 7] =
    ["name", "to", "schedule", "batch", "at_most_every", "timezone", "send_empty"];

/// A digest and where it stands.
pub(in super::super) struct PlacedDigest {
    pub(in super::super) digest: Digest,
    pub(in super::super) place: Place,
}

/// Reads the digests of all files; the same name twice is an error that names both.
pub(in super::super) fn read_all(
    sections: &[Section<'_>],
    system_zone: &TimeZone,
    report: &mut Report<'_>,
) -> Vec<PlacedDigest> {
    let mut digests = Vec::new();
    let mut seen: HashMap<String, Place> = HashMap::new();
    for section in sections {
        let digest = read(section, system_zone, report);
        let place = section.place_of("name");
        let name = digest.name.as_str().to_owned();
        if let Some(first) = seen.get(&name).filter(|_| !name.is_empty()) {
            report.error(&place, format!("`{name}` is already a digest at {}", report.location(first)));
            continue;
        }
        seen.insert(name, place.clone());
        digests.push(PlacedDigest { digest, place });
    }
    digests
}

/// Reads a digest. What could not be read is reported and has a stand-in, so that the digest's name can be referred to.
fn read(section: &Section<'_>, system_zone: &TimeZone, report: &mut Report<'_>) -> Digest {
    if !section.has("name") {
        section.missing("name", "write `name = \"morning\"`", report);
    }
    let name = section.parsed("name", report, values::parse_name).unwrap_or_default();
    let to = recipients(section, report);
    if !section.has("schedule") {
        section.missing("schedule", "write `schedule = \"weekdays at 07:00\"`", report);
    }
    let schedule = section
        .parsed("schedule", report, |text| text.parse::<Schedule>().map_err(|error| error.to_string()))
        .map(|schedule| with_delays(schedule, section, report));
    let timezone = section.parsed("timezone", report, parse_timezone).unwrap_or_else(|| system_zone.clone());
    let send_empty = section.boolean("send_empty", report).unwrap_or(false);
    if send_empty && matches!(schedule, Some(Schedule::Immediately { .. })) {
        report.warn(&section.place_of("send_empty"), "has no effect: an `immediately` digest has hits");
    }
    let stand_in = Schedule::Immediately { batch: Duration::ZERO, at_most_every: None };
    Digest { name: DigestName::new(name), to, schedule: schedule.unwrap_or(stand_in), timezone, send_empty }
}

fn recipients(section: &Section<'_>, report: &mut Report<'_>) -> Vec<Mailbox> {
    if !section.has("to") {
        section.missing("to", "write `to = [\"desk@example.org\"]`", report);
    }
    let Some(texts) = section.text_or_texts("to", report) else { return Vec::new() };
    if texts.is_empty() {
        report.error(&section.place_of("to"), "names nobody; a digest needs at least one address");
    }
    let mut to: Vec<Mailbox> = Vec::new();
    for text in texts {
        match text.text.parse::<Mailbox>() {
            Ok(mailbox) if to.iter().any(|known| known.address().eq_ignore_ascii_case(mailbox.address())) => {
                report.warn(&text.place, format!("{} is named twice and gets one mail", mailbox.address()));
            }
            Ok(mailbox) => to.push(mailbox),
            Err(error) => report.error(&text.place, error.to_string()),
        }
    }
    to
}

/// Puts `batch` and `at_most_every` into an `immediately` schedule; others have no use for them.
fn with_delays(schedule: Schedule, section: &Section<'_>, report: &mut Report<'_>) -> Schedule {
    let Schedule::Immediately { mut batch, mut at_most_every } = schedule else {
        for key in ["batch", "at_most_every"].into_iter().filter(|key| section.has(key)) {
            report.error(&section.place_of(key), "belongs to `schedule = \"immediately\"` only; leave it out");
        }
        return schedule;
    };
    let day = Duration::from_secs(86_400);
    batch = section.duration("batch", Duration::from_secs(1)..=day, report).unwrap_or(batch);
    if let Some(read) = section.parsed("at_most_every", report, |text| match text {
        "off" => Ok(None),
        text => match parse_duration(text)? {
            length if length <= day => Ok(Some(length)),
            _ => Err(format!("must be at most 1d, and is {text}; write a schedule such as `daily at 07:00` instead")),
        },
    }) {
        at_most_every = read;
    }
    Schedule::Immediately { batch, at_most_every }
}

fn parse_timezone(text: &str) -> Result<TimeZone, Complaint> {
    let database = jiff::tz::db();
    database.get(text).map_err(|_| {
        let names: Vec<String> = database.available().map(|name| name.as_str().to_owned()).collect();
        // People write the city alone.
        let cities =
            names.iter().find(|name| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text)));
        let near = cities.cloned().or_else(|| nearest(text, names.iter().map(String::as_str)));
        Complaint::suggesting(format!("`{text}` is not an IANA time zone; write `Europe/Kyiv` or `UTC`"), near)
    })
}
