//! The query of a rule: terms joined by operators, read into clauses.
//!
//! The lexer (`lexer`) cuts the text, and what belongs to other query languages is explained (`habits`); the parser
//! (`parser`) goes down recursively, to a limited depth, and goes on after an error, so that most of what is wrong is
//! told at once. Both take time in proportion to the text. The meaning ends up in the same expression tree as that of
//! the lists.

mod habits;
mod lexer;
mod parser;
mod parts;
#[cfg(test)]
mod tests;

use super::expression::TermError;
use super::lists::Clause;
use super::{FieldSet, Reading, RuleError, TermGroups};
use lexer::Token;
pub(super) use parts::{WrittenKind, distances, terms};

/// The bytes of a query at most; a longer one is refused unread.
const MAX_BYTES: usize = 64 << 10;

/// Parentheses, negations and fields within one another at most.
const MAX_DEPTH: usize = 64;

/// The terms that a query stands for at most, each member of a group counted wherever the group is used.
const MAX_TERMS: usize = 50_000;

/// The errors of one query that are told at most.
const MAX_ERRORS: usize = 20;

/// The number of words in examples, and what stands in for a wrong one.
const DEFAULT_DISTANCE: u32 = 10;

/// What was found to be wrong so far.
#[derive(Debug, Default)]
struct Errors(Vec<TermError>);

impl Errors {
    /// Adds one; of several at one place the first says it all.
    fn push(&mut self, error: TermError) {
        let is_told = error.at.is_some() && self.0.iter().any(|told| told.at == error.at);
        if !self.full() && !is_told {
            self.0.push(error);
        }
    }

    fn full(&self) -> bool {
        self.0.len() >= MAX_ERRORS
    }
}

/// Reads a query into clauses, one for each part of its topmost `AND`.
///
/// # Errors
///
/// What is wrong with it, in the order of the text.
pub(super) fn clauses(
    query: &str,
    groups: &TermGroups,
    reading: Reading,
    fields: FieldSet,
) -> Result<Vec<Clause>, Vec<RuleError>> {
    let mut errors = Errors::default();
    let clauses = if query.len() > MAX_BYTES {
        let message = format!(
            "the query has {} bytes, at most {MAX_BYTES} are allowed; move lists of terms into `[terms]`, or write \
             several rules",
            query.len()
        );
        errors.push(TermError { at: None, message, suggestion: None });
        Vec::new()
    } else {
        parser::parse(query, groups, reading, fields, &mut errors)
    };
    if errors.0.is_empty() {
        return Ok(clauses);
    }
    errors.0.sort_by_key(|error| error.at);
    let located = |TermError { at, message, suggestion }| {
        let key = "query".to_owned();
        RuleError { key, index: None, at, message, suggestion }
    };
    Err(errors.0.into_iter().map(located).collect())
}

/// Returns the term groups that a query names, each with the byte of its `@`.
pub(super) fn references(query: &str) -> Vec<(usize, &str)> {
    let lexemes = if query.len() > MAX_BYTES { Vec::new() } else { lexer::lex(query, &mut Errors::default()) };
    lexemes
        .into_iter()
        .filter_map(|lexeme| match lexeme.token {
            Token::Group(name) => Some((lexeme.start, name.trim())),
            _ => None,
        })
        .collect()
}
