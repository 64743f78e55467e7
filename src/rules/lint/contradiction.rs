//! Rules that can never match, because what they ask for is excluded.

use super::super::Rule;
use super::super::expression::{Expression, Leaf};
use super::implication::{Budget, implies};
use std::sync::Arc;

/// Comparisons of expressions for each rule at most.
const MAX_STEPS: usize = 5_000;

/// What a rule asks for and excludes at once.
#[derive(Debug, PartialEq)]
pub(super) struct Contradiction {
    /// The clause that asks.
    pub(super) clause: usize,
    /// What it asks for.
    pub(super) asked: String,
    /// What is excluded.
    pub(super) excluded: String,
}

/// Finds something that a rule asks for and excludes; none also means that this is not known.
pub(super) fn contradiction(rule: &Rule) -> Option<Contradiction> {
    let mut parts: Vec<(usize, &Expression)> = Vec::new();
    for (index, clause) in rule.clauses.iter().enumerate() {
        flatten(index, &clause.expression, &mut parts);
    }
    let excluded: Vec<&Expression> = parts
        .iter()
        .filter_map(|(_, part)| match part {
            Expression::Not(part) => Some(&**part),
            _ => None,
        })
        .collect();
    if excluded.is_empty() {
        return None;
    }
    let mut budget = Budget(MAX_STEPS);
    parts.into_iter().filter(|(_, part)| !matches!(part, Expression::Not(_))).find_map(|(clause, part)| {
        let (asked, excluded) = dead(part, &excluded, &mut budget)?;
        Some(Contradiction { clause, asked, excluded })
    })
}

fn flatten<'e>(index: usize, expression: &'e Expression, parts: &mut Vec<(usize, &'e Expression)>) {
    match expression {
        Expression::All(inner) => inner.iter().for_each(|part| flatten(index, part, parts)),
        part => parts.push((index, part)),
    }
}

/// Returns why an expression cannot hold: something that it asks for, and what excludes that.
fn dead(part: &Expression, excluded: &[&Expression], budget: &mut Budget) -> Option<(String, String)> {
    if let Some(by) = excluded.iter().find(|by| implies(part, by, budget)) {
        return Some((written(part), written(by)));
    }
    let mut leaf = |leaf: &Leaf| dead(&Expression::Term(Arc::clone(&leaf.term), leaf.fields), excluded, budget);
    match part {
        Expression::Group(group) => all(group.leaves().iter().map(leaf)),
        Expression::Near(near) => {
            near.operands().iter().find_map(|operand| all(operand.leaves().iter().map(&mut leaf)))
        }
        Expression::All(parts) => parts.iter().find_map(|part| dead(part, excluded, budget)),
        Expression::Any(parts) => all(parts.iter().map(|part| dead(part, excluded, budget))),
        Expression::AtLeast(count, parts) => {
            let dead: Vec<_> = parts.iter().filter_map(|part| dead(part, excluded, budget)).collect();
            if parts.len() - dead.len() < *count { dead.into_iter().next() } else { None }
        }
        Expression::Not(_) | Expression::Term(..) | Expression::Regex(..) | Expression::Origin(_) => None,
    }
}

/// Returns the first if there is one and all are something.
fn all(reasons: impl Iterator<Item = Option<(String, String)>>) -> Option<(String, String)> {
    let mut first = None;
    for reason in reasons {
        let reason = reason?;
        first.get_or_insert(reason);
    }
    first
}

/// Returns the first terms of an expression.
fn written(expression: &Expression) -> String {
    const MOST: usize = 3;
    let mut terms: Vec<String> = Vec::new();
    expression.leaves(&mut |leaf| {
        let of_terms = |leaves: &[Leaf]| -> Vec<String> {
            leaves.iter().take(MOST + 1).map(|leaf| leaf.term.written.to_string()).collect()
        };
        let written = match leaf {
            Expression::Term(term, _) => vec![term.written.to_string()],
            Expression::Group(group) => of_terms(group.leaves()),
            Expression::Near(near) => near.operands().iter().flat_map(|operand| of_terms(operand.leaves())).collect(),
            Expression::Regex(regex, _) => vec![regex.written.to_string()],
            Expression::Origin(origin) => vec![origin.written()],
            _ => Vec::new(),
        };
        if terms.len() <= MOST {
            terms.extend(written.into_iter().map(|written| format!("`{written}`")));
        }
    });
    let more = terms.len() > MOST;
    terms.truncate(MOST);
    if more { format!("{}, …", terms.join(", ")) } else { terms.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RuleSource, TermGroups};

    fn found(query: &str) -> Option<Contradiction> {
        let source = RuleSource { query: Some(query.to_owned()), ..RuleSource::default() };
        let groups = TermGroups::from([("g".to_owned(), vec!["missile*".to_owned(), "rocket".to_owned()])]);
        contradiction(&Rule::new(&source, &groups).unwrap())
    }

    #[test]
    fn only_certain_contradictions_are_told() {
        for query in [
            "a AND NOT a",
            "missiles AND NOT missile*",
            "\"big missile\" AND NOT missile",
            "(a OR b) AND NOT (a OR b OR c)",
            "(missile OR rocket) AND x AND NOT @g",
            "a NEAR/3 (b OR c) AND NOT b AND NOT c",
            "at_least(2, a, b, c) AND NOT a AND NOT b",
            "title:a AND NOT a",
            "a NEAR/3 b AND NOT a NEAR/5 b",
            "wom?n* AND NOT wom*",
            "wom?n AND NOT wom?n",
            "/a+b/ AND c AND NOT /a+b/",
            "c AND title:/ab/ AND NOT /ab/",
            "c AND tag:x AND NOT (tag:x OR d)",
        ] {
            assert!(found(query).is_some(), "{query}");
        }
        for query in [
            "a AND NOT b",
            "missile* AND NOT missiles",
            "missile AND NOT \"big missile\"",
            "(a OR b) AND NOT a",
            "a AND NOT title:a",
            "at_least(2, a, b, c) AND NOT a",
            "a NEAR/5 b AND NOT a NEAR/3 b",
            "us AND NOT US",
            "@g AND NOT rocket",
            "wom?n AND NOT women",
            "women* AND NOT wom?n*",
            "wom?n AND NOT wom?n*",
            "c AND /ab/ AND NOT title:/ab/",
            "c AND /ab/ AND NOT /ab/i",
            "c AND lang:en AND NOT lang:en-GB",
        ] {
            assert_eq!(found(query), None, "{query}");
        }
        let told = found("missiles AND NOT missile*").unwrap();
        assert_eq!((told.asked.as_str(), told.excluded.as_str()), ("`missiles`", "`missile*`"));
    }
}
