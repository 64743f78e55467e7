//! A table of a configuration file, read key by key: what is wrong goes into the report, with its place.

use super::{
    problem::{Complaint, Report, nearest},
    source::Place,
    values,
};
use crate::core::schedule::parse_duration;
use std::{ops::RangeInclusive, time::Duration};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A table, whose keys have been checked against those that are known.
#[derive(Debug)]
pub(super) struct Section<'s> {
    table: &'s DeTable<'s>,
    pub(super) place: Place,
}

/// A string and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) place: Place,
}

impl<'s> Section<'s> {
    /// Takes a table; reports every key that is not known.
    pub(super) fn new(table: &'s DeTable<'s>, place: Place, known: &[&str], report: &mut Report<'_>) -> Self {
        let section = Self { table, place };
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let place = section.child(key.get_ref(), key.span());
            report.error(&place, unknown_key(key.get_ref(), known));
        }
        section
    }

    /// Takes a table whose keys are names that the user chose.
    pub(super) fn with_any_keys(table: &'s DeTable<'s>, place: Place) -> Self {
        Self { table, place }
    }

    /// Returns the keys, in no particular order.
    pub(super) fn keys(&self) -> impl Iterator<Item = Text> {
        self.table
            .keys()
            .map(|key| Text { text: key.get_ref().to_string(), place: self.child(key.get_ref(), key.span()) })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Whether a key holds a table.
    pub(super) fn is_table(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|(_, value)| value.get_ref().is_table())
    }

    /// Returns the place of a key's value, else of the section.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.entry(key).map_or_else(|| self.place.clone(), |(place, _)| place)
    }

    /// Returns what stands under keys that are not known, which may have been meant for others.
    pub(super) fn unknown<'k>(&'k self, known: &'k [&str]) -> impl Iterator<Item = &'k DeValue<'s>> {
        self.table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())).map(|(_, value)| value.get_ref())
    }

    /// Whether a key holds a list, as it should, or is not there.
    pub(super) fn is_list_or_absent(&self, key: &str) -> bool {
        self.entry(key).is_none_or(|(_, value)| value.get_ref().is_array())
    }

    /// Reports a key that must be there.
    pub(super) fn missing(&self, key: &str, remedy: &str, report: &mut Report<'_>) {
        let mut place = self.place.clone();
        place.key = format!("{}.{key}", place.key);
        report.error(&place, format!("is missing; {remedy}"));
    }

    pub(super) fn text(&self, key: &str, report: &mut Report<'_>) -> Option<Text> {
        let (place, value) = self.entry(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Text { text: text.to_string(), place }),
            other => {
                report.error(&place, wrong_type("a string", other));
                None
            }
        }
    }

    /// Reads a string and parses it.
    pub(super) fn parsed<T, E: Into<Complaint>>(
        &self,
        key: &str,
        report: &mut Report<'_>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key, report)?;
        parse(&text.text).map_err(|complaint| report.error(&text.place, complaint)).ok()
    }

    /// Reads a string that must be one of a few words.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)], report: &mut Report<'_>) -> Option<T> {
        self.parsed(key, report, |text| one_of(text, words))
    }

    /// Reads a list of strings; items that are none are reported and left out. `None` means that there is no such key
    /// or that it holds no list.
    pub(super) fn texts(&self, key: &str, report: &mut Report<'_>) -> Option<Vec<Text>> {
        let (place, value) = self.entry(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            let written = value.get_ref().as_str().map(|text| format!("[{text:?}]"));
            report.error(&place, Complaint::suggesting(wrong_type("a list of strings", value.get_ref()), written));
            return None;
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = item_place(&place, index, item);
            match item.get_ref() {
                DeValue::String(text) => texts.push(Text { text: text.to_string(), place }),
                other => report.error(&place, wrong_type("a string", other)),
            }
        }
        Some(texts)
    }

    /// Reads a string or a list of them.
    pub(super) fn text_or_texts(&self, key: &str, report: &mut Report<'_>) -> Option<Vec<Text>> {
        match self.entry(key)?.1.get_ref() {
            DeValue::String(_) => self.text(key, report).map(|text| vec![text]),
            _ => self.texts(key, report),
        }
    }

    pub(super) fn boolean(&self, key: &str, report: &mut Report<'_>) -> Option<bool> {
        let (place, value) = self.entry(key)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            report.error(&place, wrong_type("`true` or `false`", value.get_ref()));
        }
        read
    }

    pub(super) fn integer(&self, key: &str, range: RangeInclusive<u64>, report: &mut Report<'_>) -> Option<u64> {
        let (place, value) = self.entry(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            report.error(&place, wrong_type("an integer", value.get_ref()));
            return None;
        };
        let read = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|read| range.contains(read));
        if read.is_none() {
            report.error(&place, format!("must be from {} to {}, and is {integer}", range.start(), range.end()));
        }
        read
    }

    /// Reads a length of time within a range.
    pub(super) fn duration(
        &self,
        key: &str,
        range: RangeInclusive<Duration>,
        report: &mut Report<'_>,
    ) -> Option<Duration> {
        let (place, value) = self.entry(key)?;
        if let DeValue::Integer(number) = value.get_ref() {
            let message = "a length of time needs a unit, in quotes";
            report.error(&place, Complaint::suggesting(message, Some(format!("\"{number}s\""))));
            return None;
        }
        self.parsed(key, report, |text| {
            let length = parse_duration(text)?;
            if range.contains(&length) {
                return Ok(length);
            }
            let (least, most) = (values::duration_text(*range.start()), values::duration_text(*range.end()));
            Err(format!("must be from {least} to {most}, and is {text}"))
        })
    }

    /// Reads a number of bytes: an integer, or a string with a unit.
    pub(super) fn size(&self, key: &str, report: &mut Report<'_>) -> Option<u64> {
        match self.entry(key)?.1.get_ref() {
            DeValue::Integer(_) => self.integer(key, 1..=values::SIZE_MAX_BYTES, report),
            _ => self.parsed(key, report, values::parse_size),
        }
    }

    /// Reads a table.
    pub(super) fn table(&self, key: &str, report: &mut Report<'_>) -> Option<(&'s DeTable<'s>, Place)> {
        let (place, value) = self.entry(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((table, place)),
            other => {
                report.error(&place, format!("{}; write `[{key}]`", wrong_type("a table", other)));
                None
            }
        }
    }

    /// Reads an array of tables.
    pub(super) fn tables(&self, key: &str, known: &[&str], report: &mut Report<'_>) -> Vec<Section<'s>> {
        let Some((place, value)) = self.entry(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            report.error(&place, format!("is to be written with two brackets: `[[{key}]]`"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = item_place(&place, index, item);
            match item.get_ref() {
                DeValue::Table(table) => tables.push(Section::new(table, place, known, report)),
                other => report.error(&place, format!("{}; write `[[{key}]]`", wrong_type("a table", other))),
            }
        }
        tables
    }

    /// Reads a table, or a list of such; `example` is one.
    pub(super) fn table_or_tables(
        &self,
        key: &str,
        known: &[&str],
        example: &str,
        report: &mut Report<'_>,
    ) -> Vec<Section<'s>> {
        let Some((place, value)) = self.entry(key) else { return Vec::new() };
        let items: Vec<(Place, &'s DeValue<'s>)> = match value.get_ref() {
            DeValue::Array(items) => {
                let placed = |(index, item)| (item_place(&place, index, item), item.get_ref());
                items.iter().enumerate().map(placed).collect()
            }
            other => vec![(place, other)],
        };
        let mut tables = Vec::new();
        for (place, value) in items {
            match value {
                DeValue::Table(table) => tables.push(Section::new(table, place, known, report)),
                other => report.error(&place, format!("{}; write `{example}`", wrong_type("a table", other))),
            }
        }
        tables
    }

    fn entry(&self, key: &str) -> Option<(Place, &'s Spanned<DeValue<'s>>)> {
        let value = self.table.get(key)?;
        Some((self.child(key, value.span()), value))
    }

    fn child(&self, key: &str, span: std::ops::Range<usize>) -> Place {
        let key = if self.place.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place.key) };
        Place { file: self.place.file, start: span.start, end: span.end, key }
    }
}

/// Finds a word among those that are allowed.
pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Complaint> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let allowed: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    let message = format!("`{text}` is not one of {}", allowed.join(", "));
    Err(Complaint::suggesting(message, nearest(text, words.iter().map(|(word, _)| *word))))
}

fn item_place(list: &Place, index: usize, item: &Spanned<DeValue<'_>>) -> Place {
    let span = item.span();
    Place { file: list.file, start: span.start, end: span.end, key: format!("{}[{index}]", list.key) }
}

fn unknown_key(key: &str, known: &[&str]) -> Complaint {
    let elsewhere = match key {
        "group" | "groups" | "words" | "keywords" => Some("terms"),
        "distance" => Some("within"),
        _ => None,
    };
    let near = elsewhere.filter(|near| known.contains(near)).map(str::to_owned);
    match near.or_else(|| nearest(key, known.iter().copied())) {
        Some(near) => Complaint::suggesting("there is no such key", Some(near)),
        None => Complaint::from(format!("there is no such key; there are {}", known.join(", "))),
    }
}

fn wrong_type(expected: &str, found: &DeValue<'_>) -> String {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    format!("expected {expected}, found {found}")
}
