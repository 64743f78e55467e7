//! Schedules of digests: when an edition is due, which slot it is, what was missed.
//!
//! A schedule names wall-clock times. On the day that the clock goes forward, a time that does not exist runs once, at
//! the moment the clock jumps to (02:30 becomes 03:00); on the day that it goes back, a time that comes twice runs the
//! first time only, also under `every 30m`. Hits of the repeated hour are in the next edition's window.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    Span, SpanRelativeTo, Timestamp, ToSpan,
    civil::{Date, DateTime, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};
use std::{fmt, str::FromStr, time::Duration};

/// How long the first hit of an `immediately` digest waits for others unless configured.
pub const DEFAULT_BATCH: Duration = Duration::from_secs(30);

/// Least time between two editions of an `immediately` digest unless configured: a busy day is no flood of mails.
pub const DEFAULT_AT_MOST_EVERY: Duration = Duration::from_secs(600);

/// Missed slots that are counted; more are reported as this many.
const MISSED_MAX: usize = 1000;

/// Shortest period of `every`; what is more urgent is `immediately`.
const PERIOD_MIN_MINUTES: u16 = 5;

const DAY_MINUTES: u16 = 24 * 60;

/// When a digest's editions are due.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// As soon as there is a hit: after `batch`, so that hits of one moment share a mail, and at most every so often.
    Immediately {
        /// How long the first hit waits for others.
        batch: Duration,
        /// Least time between two editions.
        at_most_every: Option<Duration>,
    },
    /// At times of day on days of the week (`weekdays at 07:00, 18:00`).
    Weekly(WeeklySlots),
    /// At even distances from midnight (`every 2h`, `hourly`).
    Every(EverySlots),
    /// At the times of a cron expression of five fields.
    Cron(Box<CronSlots>),
}

/// Times of day on days of the week: at least one of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklySlots {
    /// By `Weekday::to_monday_zero_offset`.
    days: [bool; 7],
    /// In order, without repetition.
    times: Vec<Time>,
}

/// Even distances from midnight: 5 minutes to 24 hours, whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EverySlots {
    minutes: u16,
}

/// A cron expression that matches at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSlots {
    cron: Cron,
    text: String,
}

/// Why a text is not a schedule, with the forms that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; write `daily at 07:00`, `weekdays at 07:00, 18:00`, `weekends at 09:00`, `mon, thu at 08:00`, `every 2h`, \
     `hourly`, a cron expression (`0 7 * * 1-5`), or `immediately`"
)]
pub struct InvalidSchedule(String);

/// How far a digest has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DigestProgress {
    /// End of the last edition's window; the digest's first configuration before there was one.
    pub window_end: Timestamp,
    /// When an edition with mails was last composed.
    pub last_sent_at: Option<Timestamp>,
    /// When the oldest hit was found that waits for the next edition.
    pub oldest_pending_hit: Option<Timestamp>,
}

impl DigestProgress {
    /// Returns that of a digest which begins now.
    pub fn beginning(now: Timestamp) -> Self {
        Self { window_end: now, last_sent_at: None, oldest_pending_hit: None }
    }
}

/// When the next edition is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Now: this slot, and so many before it that passed unnoticed (they are covered by this one's window).
    Now {
        /// The slot's instant, which identifies the edition.
        slot: Timestamp,
        /// Slots before it that had no edition; counted up to 1000.
        missed: usize,
    },
    /// At that instant.
    At(Timestamp),
    /// When there is a hit (immediate digests).
    WhenHit,
}

impl Schedule {
    /// Decides when the next edition is due. A slot at or before the end of the last window is never due again,
    /// whatever the clock does.
    pub fn due(&self, now: Timestamp, timezone: &TimeZone, progress: &DigestProgress) -> Due {
        if let Self::Immediately { batch, at_most_every } = self {
            return immediately_due(now, *batch, *at_most_every, progress);
        }
        match self.slot_up_to(now, timezone) {
            Some(slot) if slot > progress.window_end => {
                Due::Now { slot, missed: self.slots_between(progress.window_end, slot, timezone) }
            }
            _ => {
                let after = now.max(progress.window_end);
                Due::At(self.slot_after(after, timezone).unwrap_or(Timestamp::MAX))
            }
        }
    }

    /// Returns the first slot after an instant; none for `immediately` and at the end of time.
    pub fn slot_after(&self, after: Timestamp, timezone: &TimeZone) -> Option<Timestamp> {
        let mut civil = self.civil_after(timezone.to_datetime(after))?;
        // Repeats only within an hour that comes twice: its times belong to its first half.
        loop {
            match instant(civil, timezone)? {
                slot if slot > after => return Some(slot),
                _ => civil = self.civil_after(civil)?,
            }
        }
    }

    /// Returns the last slot at or before an instant.
    fn slot_up_to(&self, now: Timestamp, timezone: &TimeZone) -> Option<Timestamp> {
        let mut civil = self.civil_up_to(timezone.to_datetime(now))?;
        // In the second half of an hour that comes twice, all its times have passed, whatever the wall shows.
        while let Some(later) = self.civil_after(civil)
            && instant(later, timezone)? <= now
        {
            civil = later;
        }
        instant(civil, timezone)
    }

    /// Counts the slots after `start` and before `end`, up to [`MISSED_MAX`].
    fn slots_between(&self, start: Timestamp, end: Timestamp, timezone: &TimeZone) -> usize {
        std::iter::successors(self.slot_after(start, timezone), |slot| self.slot_after(*slot, timezone))
            .take(MISSED_MAX)
            .take_while(|slot| *slot < end)
            .count()
    }

    fn civil_after(&self, from: DateTime) -> Option<DateTime> {
        match self {
            Self::Immediately { .. } => None,
            Self::Weekly(slots) => slots.after(from),
            Self::Every(slots) => slots.after(from),
            Self::Cron(slots) => slots.cron.find_next_occurrence(&whole_second(from), false).ok(),
        }
    }

    fn civil_up_to(&self, from: DateTime) -> Option<DateTime> {
        match self {
            Self::Immediately { .. } => None,
            Self::Weekly(slots) => slots.up_to(from),
            Self::Every(slots) => slots.up_to(from),
            Self::Cron(slots) => slots.cron.find_previous_occurrence(&whole_second(from), true).ok(),
        }
    }
}

/// A clock that was set back leaves marks in the future; they say nothing about how long something has waited.
fn immediately_due(now: Timestamp, batch: Duration, at_most_every: Option<Duration>, progress: &DigestProgress) -> Due {
    let Some(oldest) = progress.oldest_pending_hit else { return Due::WhenHit };
    let batched = if oldest > now { now } else { later(oldest, batch) };
    let spaced = match (at_most_every, progress.last_sent_at) {
        (Some(least), Some(sent)) if sent <= now => later(sent, least),
        _ => batched,
    };
    match batched.max(spaced) {
        due if due <= now => Due::Now { slot: now, missed: 0 },
        due => Due::At(due),
    }
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Returns when a wall-clock time is, by the rules of this module.
fn instant(civil: DateTime, timezone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = timezone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            let before_jump = ambiguous.earlier().ok()?;
            timezone.following(before_jump).next().map(|jump| jump.timestamp())
        }
        AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. } => ambiguous.earlier().ok(),
    }
}

fn whole_second(time: DateTime) -> DateTime {
    time.with().subsec_nanosecond(0).build().expect("every second has a nanosecond 0")
}

impl WeeklySlots {
    fn runs_on(&self, date: Date) -> bool {
        usize::try_from(date.weekday().to_monday_zero_offset()).is_ok_and(|day| self.days[day])
    }

    fn after(&self, from: DateTime) -> Option<DateTime> {
        if self.runs_on(from.date())
            && let Some(time) = self.times.iter().find(|time| **time > from.time())
        {
            return Some(from.date().to_datetime(*time));
        }
        let date = next_days(from.date()).find(|date| self.runs_on(*date))?;
        Some(date.to_datetime(*self.times.first()?))
    }

    fn up_to(&self, from: DateTime) -> Option<DateTime> {
        if self.runs_on(from.date())
            && let Some(time) = self.times.iter().rev().find(|time| **time <= from.time())
        {
            return Some(from.date().to_datetime(*time));
        }
        let mut days = std::iter::successors(from.date().yesterday().ok(), |date| date.yesterday().ok()).take(7);
        let date = days.find(|date| self.runs_on(*date))?;
        Some(date.to_datetime(*self.times.last()?))
    }
}

fn next_days(from: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(from.tomorrow().ok(), |date| date.tomorrow().ok()).take(7)
}

impl EverySlots {
    fn after(self, from: DateTime) -> Option<DateTime> {
        let up_to = self.up_to(from)?;
        let next = up_to.checked_add(i64::from(self.minutes).minutes()).ok()?;
        if next.date() == up_to.date() {
            Some(next)
        } else {
            Some(from.date().tomorrow().ok()?.to_datetime(Time::midnight()))
        }
    }

    fn up_to(self, from: DateTime) -> Option<DateTime> {
        let of_day = i64::from(from.hour()) * 60 + i64::from(from.minute());
        let slot = of_day - of_day % i64::from(self.minutes);
        from.date().to_datetime(Time::midnight()).checked_add(slot.minutes()).ok()
    }
}

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if lower == "immediately" {
            Ok(Self::Immediately { batch: DEFAULT_BATCH, at_most_every: Some(DEFAULT_AT_MOST_EVERY) })
        } else if lower == "hourly" {
            Ok(Self::Every(EverySlots { minutes: 60 }))
        } else if let Some(period) = lower.strip_prefix("every ") {
            parse_every(period.trim()).map(Self::Every)
        } else if let Some(expression) = lower.strip_prefix("cron ") {
            parse_cron(expression.trim()).map(|slots| Self::Cron(Box::new(slots)))
        } else if let Some((days, times)) = lower.split_once(" at ") {
            Ok(Self::Weekly(WeeklySlots { days: parse_days(days)?, times: parse_times(times)? }))
        } else if lower.starts_with(|first: char| first.is_ascii_digit() || first == '*') && lower.contains(' ') {
            parse_cron(&lower).map(|slots| Self::Cron(Box::new(slots)))
        } else {
            Err(InvalidSchedule(format!("`{text}` is not a schedule")))
        }
    }
}

fn parse_every(period: &str) -> Result<EverySlots, InvalidSchedule> {
    let invalid = |why: &str| InvalidSchedule(format!("`every {period}`: {why}"));
    let duration = parse_duration(period).map_err(|_| invalid("the period is no length of time"))?;
    let minutes = u16::try_from(duration.as_secs() / 60).unwrap_or(u16::MAX);
    if duration.subsec_nanos() != 0 || duration.as_secs() % 60 != 0 {
        return Err(invalid("the period must be whole minutes"));
    }
    if !(PERIOD_MIN_MINUTES..=DAY_MINUTES).contains(&minutes) {
        return Err(invalid("the period must be from 5m to 24h"));
    }
    Ok(EverySlots { minutes })
}

fn parse_cron(expression: &str) -> Result<CronSlots, InvalidSchedule> {
    let fields = expression.split_whitespace().count();
    if fields != 5 {
        return Err(InvalidSchedule(format!("the cron expression `{expression}` has {fields} fields and needs 5")));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser
        .parse(expression)
        .map_err(|error| InvalidSchedule(format!("the cron expression `{expression}` is wrong: {error}")))?;
    let start = DateTime::constant(2024, 1, 1, 0, 0, 0, 0);
    if cron.find_next_occurrence(&start, true).is_err() {
        return Err(InvalidSchedule(format!("the cron expression `{expression}` never matches")));
    }
    Ok(CronSlots { cron, text: expression.split_whitespace().collect::<Vec<_>>().join(" ") })
}

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

const DAILY: [bool; 7] = [true; 7];
const WEEKDAYS: [bool; 7] = [true, true, true, true, true, false, false];
const WEEKENDS: [bool; 7] = [false, false, false, false, false, true, true];

fn parse_days(text: &str) -> Result<[bool; 7], InvalidSchedule> {
    let mut days = [false; 7];
    for word in text.split(',').map(str::trim) {
        match word {
            "daily" => days = DAILY,
            "weekdays" => (0..5).for_each(|day| days[day] = true),
            "weekends" => (5..7).for_each(|day| days[day] = true),
            _ => {
                let stem = word.strip_suffix('s').filter(|stem| stem.ends_with("day")).unwrap_or(word);
                let found = DAYS.iter().position(|(name, _)| *name == stem || name[..3] == *stem);
                days[found.ok_or_else(|| InvalidSchedule(format!("`{word}` is not a day")))?] = true;
            }
        }
    }
    Ok(days)
}

fn parse_times(text: &str) -> Result<Vec<Time>, InvalidSchedule> {
    let mut times = Vec::new();
    for word in text.split(',').map(str::trim) {
        let digits = |part: &str| part.parse::<i8>().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
        let time = word.split_once(':').and_then(|(hour, minute)| {
            (minute.len() == 2).then_some(())?;
            Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()
        });
        times.push(time.ok_or_else(|| InvalidSchedule(format!("`{word}` is not a time of day from 00:00 to 23:59")))?);
    }
    times.sort_unstable();
    times.dedup();
    Ok(times)
}

/// Parses a length of time as people write it: `30s`, `10m`, `1h 30m`, `90d`; a day is 24 hours.
///
/// # Errors
///
/// Says why the text is none: no unit, zero, negative, more than 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);
    let wrong = || format!("`{text}` is not a length of time; write `30s`, `10m`, `2h`, `1h 30m` or `90d`");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if signed.is_negative() || signed.is_zero() {
        return Err(format!("`{text}` must be more than zero"));
    }
    Duration::try_from(signed)
        .ok()
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| format!("`{text}` is too long; at most 100 years"))
}

impl fmt::Display for Schedule {
    /// Writes a text that parses to the same schedule.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immediately { .. } => out.write_str("immediately"),
            Self::Weekly(slots) => slots.fmt(out),
            Self::Every(EverySlots { minutes: 60 }) => out.write_str("hourly"),
            Self::Every(EverySlots { minutes }) => match (minutes / 60, minutes % 60) {
                (0, minutes) => write!(out, "every {minutes}m"),
                (hours, 0) => write!(out, "every {hours}h"),
                (hours, minutes) => write!(out, "every {hours}h {minutes}m"),
            },
            Self::Cron(slots) => write!(out, "cron {}", slots.text),
        }
    }
}

impl fmt::Display for WeeklySlots {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days {
            DAILY => out.write_str("daily")?,
            WEEKDAYS => out.write_str("weekdays")?,
            WEEKENDS => out.write_str("weekends")?,
            days => {
                let chosen: Vec<&str> =
                    DAYS.iter().zip(days).filter(|(_, runs)| *runs).map(|((name, _), _)| *name).collect();
                match chosen[..] {
                    [day] => write!(out, "{day}s")?,
                    _ => out.write_str(&chosen.iter().map(|name| &name[..3]).collect::<Vec<_>>().join(", "))?,
                }
            }
        }
        for (index, time) in self.times.iter().enumerate() {
            out.write_str(if index == 0 { " at " } else { ", " })?;
            write!(out, "{:02}:{:02}", time.hour(), time.minute())?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
