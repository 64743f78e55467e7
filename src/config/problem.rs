//! Problems of a configuration: where, what, and what would do instead.

use super::source::{Place, Source};
use serde::Serialize;
use std::{fmt, path::PathBuf};

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
}

impl Problem {
    /// Makes a problem of a whole file.
    pub(super) fn of_file(file: PathBuf, message: String) -> Self {
        Self { file, line: None, column: None, key: String::new(), message, suggestion: None }
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
        write!(out, " {}", self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(out, "; did you mean `{suggestion}`?"),
            None => Ok(()),
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
            write!(out, "{problem}\n\n")?;
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
}

impl Complaint {
    pub(super) fn suggesting(message: impl Into<String>, suggestion: Option<String>) -> Self {
        Self { message: message.into(), suggestion }
    }
}

impl<T: Into<String>> From<T> for Complaint {
    fn from(message: T) -> Self {
        Self { message: message.into(), suggestion: None }
    }
}

/// Collects the problems of all files.
#[derive(Debug)]
pub(super) struct Report<'s> {
    sources: &'s [Source],
    errors: Vec<(Place, Complaint)>,
    warnings: Vec<(Place, Complaint)>,
}

impl<'s> Report<'s> {
    pub(super) fn new(sources: &'s [Source]) -> Self {
        Self { sources, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn error(&mut self, place: &Place, complaint: impl Into<Complaint>) {
        self.errors.push((place.clone(), complaint.into()));
    }

    pub(super) fn warn(&mut self, place: &Place, complaint: impl Into<Complaint>) {
        self.warnings.push((place.clone(), complaint.into()));
    }

    pub(super) fn source(&self, place: &Place) -> &'s Source {
        &self.sources[place.file]
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
        errors.extend(located(self.sources, self.errors));
        (in_order(errors), in_order(located(self.sources, self.warnings)))
    }
}

fn located(sources: &[Source], found: Vec<(Place, Complaint)>) -> Vec<(usize, usize, Problem)> {
    let problem = |(place, complaint): (Place, Complaint)| {
        let source = &sources[place.file];
        let (line, column) = source.position(place.start);
        let whole_file = place.key.is_empty();
        let problem = Problem {
            file: source.path.clone(),
            line: (!whole_file).then_some(line),
            column: (!whole_file).then_some(column),
            key: printable(&place.key),
            message: printable(&complaint.message),
            suggestion: complaint.suggestion.as_deref().map(printable),
        };
        (place.file, place.start, problem)
    };
    found.into_iter().map(problem).collect()
}

/// Returns a text that does no harm to a terminal: without control characters, and not endless.
fn printable(text: &str) -> String {
    const MAX_CHARS: usize = 2000;
    let safe = |character: char| match character {
        '\n' => character,
        _ if character.is_control() => '\u{fffd}',
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
    problems.dedup();
    problems
}

/// Returns the name that was probably meant, where one is near.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
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
