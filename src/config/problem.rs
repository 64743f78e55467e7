//! Problems of a configuration: where, what, and what would do instead.

use super::source::{Place, Source};
use crate::rules::{is_invisible, turns_direction};
use serde::Serialize;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One thing that is wrong with a configuration, or, as a warning, probably not meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1, where one line is to blame.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// The key (`rule[2].all[1]`, `mail.server`); empty where the whole file is to blame.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
    /// A near name or another spelling that would do.
    pub suggestion: Option<String>,
    /// The name of the warning, where it has one, which stays the same from version to version.
    pub name: Option<&'static str>,
    /// The line and a caret below the column, where a rule or a term is to blame; shown by `{:#}`.
    #[serde(skip)]
    pub excerpt: Option<String>,
}

impl Problem {
    /// Makes a problem of a whole file.
    pub(super) fn of_file(file: PathBuf, message: String) -> Self {
        Self {
            file,
            line: None,
            column: None,
            key: String::new(),
            message,
            suggestion: None,
            name: None,
            excerpt: None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(out, "{line}:")?;
        }
        if let Some(column) = self.column {
            write!(out, "{column}:")?;
        }
        if !self.key.is_empty() {
            write!(out, " `{}`:", self.key)?;
        }
        write!(out, " {}", suggesting(&self.message, self.suggestion.as_deref()))?;
        if let Some(name) = self.name {
            write!(out, " [{name}]")?;
        }
        match &self.excerpt {
            Some(excerpt) if out.alternate() => write!(out, "\n{excerpt}"),
            _ => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfigErrors(pub Vec<Problem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            write!(out, "{problem:#}\n\n")?;
        }
        match self.0.len() {
            1 => out.write_str("1 error"),
            count => write!(out, "{count} errors"),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// What is wrong with one value, before it is known where the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
    name: Option<&'static str>,
}

impl Complaint {
    pub(super) fn suggesting(message: impl Into<String>, suggestion: Option<String>) -> Self {
        Self { message: message.into(), suggestion, name: None }
    }

    /// Gives a warning its name.
    pub(super) fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }
}

impl<T: Into<String>> From<T> for Complaint {
    fn from(message: T) -> Self {
        Self { message: message.into(), suggestion: None, name: None }
    }
}

/// Collects the problems of all files.
#[derive(Debug)]
pub(super) struct Report<'s> {
    sources: &'s [Source],
    /// Lists of terms; their numbers as files follow those of `sources`.
    lists: &'s [Source],
    errors: Vec<(Place, Complaint)>,
    warnings: Vec<(Place, Complaint)>,
}

impl<'s> Report<'s> {
    pub(super) fn new(sources: &'s [Source], lists: &'s [Source]) -> Self {
        Self { sources, lists, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn error(&mut self, place: &Place, complaint: impl Into<Complaint>) {
        self.errors.push((place.clone(), complaint.into()));
    }

    pub(super) fn warn(&mut self, place: &Place, complaint: impl Into<Complaint>) {
        self.warnings.push((place.clone(), complaint.into()));
    }

    pub(super) fn source(&self, place: &Place) -> &'s Source {
        source(self.sources, self.lists, place)
    }

    /// Returns a list of terms that was read, with its number as a file.
    pub(super) fn list(&self, path: &Path) -> Option<(usize, &'s Source)> {
        let at = self.lists.iter().position(|list| list.path == path)?;
        Some((self.sources.len() + at, &self.lists[at]))
    }

    /// Returns the file and line of a place, for a message that names two.
    pub(super) fn location(&self, place: &Place) -> String {
        let source = self.source(place);
        format!("{}:{}", source.path.display(), source.position(place.start).0)
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty() || self.sources.iter().any(|source| source.broken.is_some())
    }

    /// Returns errors and warnings, each in the order of files and lines, without repetition.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<Problem>) {
        let broken = self.sources.iter().enumerate().filter_map(|(file, source)| Some((file, source.broken.clone()?)));
        let mut errors: Vec<(usize, usize, Problem)> = broken.map(|(file, problem)| (file, 0, problem)).collect();
        errors.extend(located(self.sources, self.lists, self.errors));
        (in_order(errors), in_order(located(self.sources, self.lists, self.warnings)))
    }
}

fn source<'s>(sources: &'s [Source], lists: &'s [Source], place: &Place) -> &'s Source {
    sources.get(place.file).unwrap_or_else(|| &lists[place.file - sources.len()])
}

fn located(sources: &[Source], lists: &[Source], found: Vec<(Place, Complaint)>) -> Vec<(usize, usize, Problem)> {
    let problem = |(place, complaint): (Place, Complaint)| {
        let source = source(sources, lists, &place);
        let (line, column) = source.position(place.start);
        let whole_file = place.key.is_empty();
        let problem = Problem {
            file: source.path.clone(),
            line: (!whole_file).then_some(line),
            column: (!whole_file).then_some(column),
            key: printable(&place.key),
            message: printable(&complaint.message),
            suggestion: complaint.suggestion.as_deref().map(printable),
            name: complaint.name,
            // Elsewhere a line may hold a password.
            excerpt: (place.key.starts_with("rule[") || place.key.starts_with("terms."))
                .then(|| excerpt(source.line(line), column)),
        };
        (place.file, place.start, problem)
    };
    found.into_iter().map(problem).collect()
}

/// Returns a message with what would do, unless it ends with that already.
pub fn suggesting(message: &str, suggestion: Option<&str>) -> String {
    match suggestion {
        Some(suggestion) if !message.ends_with(&format!("`{suggestion}`")) => {
            format!("{message}; did you mean `{suggestion}`?")
        }
        _ => message.to_owned(),
    }
}

/// Returns the part of a line around a column, from 1, and a caret below the column.
pub fn excerpt(line: &str, column: usize) -> String {
    const BEFORE: usize = 60;
    const AFTER: usize = 40;
    const INDENT: &str = "    ";
    let from = (column - 1).saturating_sub(BEFORE);
    let around: String = line.chars().take(column + AFTER).skip(from).collect();
    let shown = printable(&around.replace('\t', " "));
    let before = if from > 0 { "…" } else { "" };
    let after = if line.chars().nth(column + AFTER).is_some() { "…" } else { "" };
    // What stands before the caret is as wide as what stands above it.
    let space = |c: char| match c {
        '\u{300}'..='\u{36f}' => None,
        c if is_invisible(c) => None,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff01}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}' => Some('\u{3000}'),
        _ => Some(' '),
    };
    let blank: String = before.chars().chain(shown.chars().take(column - 1 - from)).filter_map(space).collect();
    format!("{INDENT}{before}{shown}{after}\n{INDENT}{blank}^")
}

/// Returns a text that does no harm to a terminal: without control characters and those that turn the direction, and
/// not endless. Each character stays one, so that columns stay right.
fn printable(text: &str) -> String {
    const MAX_CHARS: usize = 2000;
    let safe = |character: char| match character {
        '\n' => character,
        _ if character.is_control() || turns_direction(character) => '\u{fffd}',
        _ => character,
    };
    let mut printable: String = text.chars().take(MAX_CHARS).map(safe).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        printable.push('…');
    }
    printable
}

fn in_order(mut problems: Vec<(usize, usize, Problem)>) -> Vec<Problem> {
    problems.sort_by_key(|(file, start, _)| (*file, *start));
    let mut problems: Vec<Problem> = problems.into_iter().map(|(_, _, problem)| problem).collect();
    // Two groups may list the same file.
    problems.dedup_by(|a, b| {
        (&a.file, a.line, a.column, &a.message) == (&b.file, b.line, b.column, &b.message)
            && (a.key == b.key || a.key.starts_with("terms."))
    });
    problems
}

/// Returns the name that was probably meant, where one is near.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let lower = name.to_lowercase();
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    if lower.chars().count() > 200 {
        return None;
    }
    let furthest = (name.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len().abs_diff(lower.len()) <= 4 * furthest)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= furthest)
        // Of two that are as near, swapped letters are the likelier slip.
        .min_by_key(|(distance, candidate)| (*distance, letters(&lower) != letters(&candidate.to_lowercase())))
        .map(|(_, candidate)| candidate.to_owned())
}
