//! Rules written as lists: `all`, `any`, `near` and `none` of terms and term groups, read into clauses.

use super::expression::{Expression, MAX_DISTANCE, Proximity, Term, TermError};
use super::groups::{TermGroups, reference};
use super::regexp::{MAX_REGEXES, RegularExpression, is_regex};
use super::{Case, FieldSet, NearSource, Reading, RuleError, RuleSource};
use std::sync::Arc;

/// A part of a rule that must hold, as written and as understood; a rule is the conjunction of its clauses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    /// The key of the rule that it comes from.
    pub(super) key: &'static str,
    /// Its text in the rule.
    pub(super) written: String,
    /// What must be true.
    pub(super) expression: Expression,
}

/// Reads the lists of a rule into clauses.
///
/// # Errors
///
/// Everything that is wrong with the lists and with the groups that they name.
pub(super) fn clauses(
    source: &RuleSource,
    groups: &TermGroups,
    fields: FieldSet,
) -> Result<Vec<Clause>, Vec<RuleError>> {
    let mut errors = Vec::new();
    let mut clauses = Vec::new();
    let mut regexes = 0;
    let mut read = |key: &'static str, list: &[String]| -> Vec<(String, Expression)> {
        let mut items = Vec::new();
        for (index, item) in list.iter().enumerate() {
            if is_regex(item) {
                regexes += 1;
                match regex(item, source.case, regexes) {
                    Ok(regex) => items.push((item.trim().to_owned(), Expression::Regex(Arc::new(regex), fields))),
                    Err(error) => errors.push(located(error, key, Some(index))),
                }
                continue;
            }
            match expression(item, groups, source.reading(), fields) {
                Ok(expression) => items.push((item.trim().to_owned(), expression)),
                Err(error) => errors.push(located(error, key, Some(index))),
            }
        }
        items
    };
    for (written, expression) in read("all", &source.all) {
        clauses.push(Clause { key: "all", written, expression });
    }
    let (written, parts): (Vec<_>, Vec<_>) = read("any", &source.any).into_iter().unzip();
    if !parts.is_empty() {
        clauses.push(Clause { key: "any", written: written.join(", "), expression: Expression::Any(parts) });
    }
    for (written, expression) in read("none", &source.none) {
        clauses.push(Clause { key: "none", written, expression: Expression::Not(Box::new(expression)) });
    }
    near(source, groups, fields, &mut clauses, &mut errors);
    if source.all.is_empty() && source.any.is_empty() && source.near.is_empty() && source.query.is_none() {
        errors.push(RuleError {
            key: "all".to_owned(),
            index: None,
            at: None,
            message:
                "the rule has neither `all` nor `any` nor `near` nor `query`, so nothing says what it looks for; give one of them \
                 at least one term"
                    .to_owned(),
            suggestion: None,
        });
    }
    if errors.is_empty() { Ok(clauses) } else { Err(errors) }
}

/// Reads a regular expression, the so many-th of the rule's lists.
fn regex(item: &str, case: Case, count: usize) -> Result<RegularExpression, TermError> {
    if count > MAX_REGEXES {
        let message = format!("a rule has at most {MAX_REGEXES} regular expressions; write several rules");
        return Err(TermError { at: None, message, suggestion: None });
    }
    let before = item.len() - item.trim_start().len();
    RegularExpression::parse(item.trim(), case)
        .map_err(|error| TermError { at: error.at.map(|at| at + before), ..error })
}

/// Reads what must stand near each other.
fn near(
    source: &RuleSource,
    groups: &TermGroups,
    fields: FieldSet,
    clauses: &mut Vec<Clause>,
    errors: &mut Vec<RuleError>,
) {
    const KEY: &str = "near";
    let mut index = 0;
    for NearSource { terms, within, ordered } in &source.near {
        let wrong = |message: String, index| located(TermError { at: None, message, suggestion: None }, KEY, index);
        if terms.len() < 2 {
            errors.push(wrong("needs two `terms` or more that are to stand near each other".to_owned(), None));
        }
        if *within > MAX_DISTANCE {
            errors.push(wrong(format!("`within` is at most {MAX_DISTANCE} words, and is {within}"), None));
        }
        let mut operands = Vec::new();
        for term in terms {
            if is_regex(term) {
                errors.push(wrong(NEAR_REGEX.to_owned(), Some(index)));
            } else {
                match expression(term, groups, source.reading(), fields) {
                    Ok(expression) => operands.extend(expression.into_alternatives()),
                    Err(error) => errors.push(located(error, KEY, Some(index))),
                }
            }
            index += 1;
        }
        let distances = vec![(*within, *ordered); terms.len().saturating_sub(1)];
        if let Some(proximity) = Proximity::new(operands, distances) {
            let joint = format!(" {}NEAR/{within} ", if *ordered { "O" } else { "" });
            let written = terms.iter().map(|term| term.trim()).collect::<Vec<_>>().join(&joint);
            clauses.push(Clause { key: KEY, written, expression: Expression::Near(proximity) });
        }
    }
}

/// Why no regular expression stands near anything.
pub(super) const NEAR_REGEX: &str = "a regular expression cannot be near something: it looks at the letters of a text, \
                                     and nearness is counted in words; write a word, with `*` or `?`, or join it with \
                                     `AND`";

fn expression(item: &str, groups: &TermGroups, reading: Reading, fields: FieldSet) -> Result<Expression, TermError> {
    match reference(item) {
        Some(name) => groups.alternatives(name, reading, fields).map(Expression::Group),
        None => Ok(Expression::Term(Arc::new(Term::parse(item, reading)?), fields)),
    }
}

fn located(error: TermError, key: &str, index: Option<usize>) -> RuleError {
    RuleError { key: key.to_owned(), index, at: error.at, message: error.message, suggestion: error.suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rule;

    #[test]
    fn a_rule_needs_something_positive_and_all_errors_are_told() {
        let none = vec!["x".to_owned(), "*".to_owned()];
        let rule = RuleSource { name: "test".to_owned(), none, ..RuleSource::default() };
        let errors = Rule::new(&rule, &TermGroups::new()).unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(errors.iter().any(|error| error.message.contains("neither `all` nor `any`")));
    }
}
