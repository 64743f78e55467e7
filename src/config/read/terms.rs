//! `[terms]`: groups of terms, in the configuration or in files of their own, one term a line.

use super::super::{
    TermGroupSize,
    problem::Report,
    section::{Section, Text},
    source::{Place, Source},
};
use super::forms::WordForms;
use super::lint;
use super::rule::{PlacedRule, report_rule_error};
use crate::rules::{TermGroup, TermGroups, lint::name};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use toml::de::{DeTable, DeValue};

/// The keys of a group that is written as a table.
pub(in super::super) const KEYS: [&str; 5] = ["terms", "file", "forms", "language", "allow"];

/// The term groups of all files and where they stand.
#[derive(Default)]
pub(in super::super) struct PlacedGroups {
    pub(in super::super) groups: TermGroups,
    pub(in super::super) placed: BTreeMap<String, PlacedGroup>,
    /// Names whose list could not be read: reported once, not again by each rule that uses one.
    pub(super) unreadable: HashSet<String>,
}

/// Where a term group and its terms stand.
#[derive(Debug, Clone)]
pub(in super::super) struct PlacedGroup {
    pub(in super::super) place: Place,
    /// The terms, in the order in which the group has them.
    pub(super) terms: Vec<Text>,
    /// The file that lists more of them.
    file: Option<PathBuf>,
    forms: WordForms,
    /// The names of the warnings that it is kept in spite of.
    pub(super) allow: Vec<&'static str>,
}

impl PlacedGroup {
    fn group(&self) -> TermGroup {
        let WordForms { forms, language } = self.forms;
        TermGroup { terms: self.terms.iter().map(|text| text.text.clone()).collect(), forms, language }
    }
}

/// Reads the files that groups name, each once.
pub(in super::super) fn read_files(tables: &[(usize, DeTable<'_>)], sources: &[Source]) -> Vec<Source> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for (file, table) in tables {
        let groups = table.get("terms").and_then(|terms| terms.get_ref().as_table());
        for group in groups.into_iter().flat_map(DeTable::values) {
            let named = group.get_ref().as_table().and_then(|group| group.get("file"));
            if let Some(DeValue::String(name)) = named.map(|named| named.get_ref()) {
                paths.push(sources[*file].resolve(name.as_ref()));
            }
        }
    }
    paths.sort_unstable();
    paths.dedup();
    paths.into_iter().map(Source::read_list).collect()
}

/// Reads the `[terms]` of all files; the same name twice is an error that names both.
pub(in super::super) fn read_all(sections: &[Section<'_>], report: &mut Report<'_>) -> PlacedGroups {
    let mut read = PlacedGroups::default();
    for section in sections {
        for name in section.keys() {
            if let Some(first) = read.placed.get(&name.text) {
                let first = report.location(&first.place);
                report.error(&name.place, format!("`{}` is already a term group at {first}", name.text));
                continue;
            }
            match read_group(section, &name, report) {
                Some(group) => drop(read.placed.insert(name.text, group)),
                None => drop(read.unreadable.insert(name.text)),
            }
        }
    }
    let group = |(name, placed): (&String, &PlacedGroup)| (name.clone(), placed.group());
    read.groups = read.placed.iter().map(group).collect();
    for error in read.groups.check() {
        let Some(PlacedGroup { place, terms, .. }) = read.placed.get(&error.key) else { continue };
        report_rule_error(&error, place, terms, report);
    }
    read
}

/// Reads a group, a list or a table; none if it cannot be read, which has been reported.
fn read_group(section: &Section<'_>, name: &Text, report: &mut Report<'_>) -> Option<PlacedGroup> {
    let (key, place) = (&name.text, name.place.clone());
    if !section.is_table(key) {
        let (terms, forms) = (section.texts(key, report)?, WordForms::default());
        return Some(PlacedGroup { place, terms, file: None, forms, allow: Vec::new() });
    }
    let (table, table_place) = section.table(key, report)?;
    let group = Section::new(table, table_place, &KEYS, report);
    let allow = lint::allowed(&group, &name::OF_GROUPS, report);
    let forms = WordForms::read(&group, report);
    let (terms, file) = read_terms(&group, report)?;
    // A mistyped `terms` is one error, not one more for the group and for each rule.
    if terms.is_empty() && !group.has("terms") && group.unknown(&KEYS).next().is_some() {
        return None;
    }
    let read = PlacedGroup { place, terms, file, forms, allow };
    forms.warn(&group, read.group().inflects(), &read.allow, report);
    Some(read)
}

/// Reads the terms of a group, and those of its file.
fn read_terms(group: &Section<'_>, report: &mut Report<'_>) -> Option<(Vec<Text>, Option<PathBuf>)> {
    let mut terms = if group.has("terms") { group.texts("terms", report)? } else { Vec::new() };
    let file = if group.has("file") { Some(group.text("file", report)?) } else { None };
    let Some(file) = file else { return Some((terms, None)) };
    let path = report.source(&file.place).resolve(&file.text);
    let (number, list) = report.list(&path)?;
    if let Some(broken) = &list.broken {
        report.error(&file.place, format!("{}: {}", path.display(), broken.message));
        return None;
    }
    let key = &group.place.key;
    let listed = lines(&list.text).map(|(start, line)| {
        let place = Place { file: number, start, end: start + line.len(), key: key.clone() };
        Text { text: line.to_owned(), place }
    });
    let before = terms.len();
    terms.extend(listed);
    if terms.len() == before {
        report.error(&file.place, format!("{} has no term; write one a line", path.display()));
        return None;
    }
    Some((terms, Some(path)))
}

/// Returns the terms of a list, one a line, each with its first byte; blank lines and comments are skipped.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let within = |line: &str| line.as_ptr() as usize - text.as_ptr() as usize;
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(move |line| (within(line), line))
}

/// Counts the terms of every group, and the rules that use it.
pub(in super::super) fn sizes(read: &PlacedGroups, rules: &[PlacedRule]) -> Vec<TermGroupSize> {
    let mut used: HashMap<&str, usize> = HashMap::new();
    for rule in rules {
        let within: HashSet<&str> = rule.groups().into_iter().flat_map(|name| read.groups.within(name)).collect();
        within.into_iter().for_each(|name| *used.entry(name).or_default() += 1);
    }
    let size = |(name, placed): (&String, &PlacedGroup)| TermGroupSize {
        name: name.clone(),
        terms: read.groups.own_terms(name),
        terms_with_groups: read.groups.within(name).into_iter().map(|name| read.groups.own_terms(name)).sum(),
        file: placed.file.clone(),
        rules: used.get(name.as_str()).copied().unwrap_or_default(),
    };
    read.placed.iter().map(size).collect()
}
