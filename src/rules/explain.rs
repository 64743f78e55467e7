//! Explains why a rule matches a document, or what is missing.

use super::expression::{Expression, Proximity, TermWord};
use super::matcher::{RuleSet, Seen, in_scope};
use super::{Document, FieldSet, Rule};
use crate::core::hit::{Field, TermMatch};
use serde::Serialize;
use std::fmt;

/// Why a rule matches or not. Its text is several lines, the first a summary with the rule's name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The rule.
    pub rule: String,
    /// Whether it matches.
    pub hit: bool,
    /// Its conditions, in the order `all`, `any`, `near`, `none`, `query`, `feeds`, `tags`.
    pub conditions: Vec<Condition>,
}

/// A condition of a rule, on a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// The key of the rule that sets it.
    pub key: &'static str,
    /// What it asks for, as the rule writes it.
    pub written: String,
    /// Whether it holds.
    pub holds: bool,
    /// The terms that it names and that were found, where, with the text as it stands there.
    pub found: Vec<Found>,
    /// What came near, where nothing was found: a term in other letters, or with punctuation inside.
    pub near: Option<Near>,
    /// Where the article comes from, as far as the condition asks for it.
    pub origin: Vec<String>,
}

/// A text that would have matched, but for one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Near {
    /// The text.
    #[serde(flatten)]
    pub found: Found,
    /// Why it does not match.
    pub why: &'static str,
}

/// A term that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The term and its place.
    #[serde(flatten)]
    pub place: TermMatch,
    /// The text at that place.
    pub text: String,
}

/// Explains a rule on a document.
pub fn explain(rule: &Rule, document: &Document<'_>) -> Explanation {
    let whole = RuleSet::new(std::slice::from_ref(rule));
    let mut seen = Seen::default();
    whole.look(document, &mut seen);
    let held = whole.clauses_hold(0, document, &seen);
    // Each clause by itself, negations turned round: so the same matcher tells the places of excluded terms too.
    let mut parts = Vec::new();
    for (clause, holds) in rule.clauses.iter().zip(&held) {
        let mut clause = clause.clone();
        clause.expression = match clause.expression {
            Expression::Not(part) if clause.key != QUERY => *part,
            expression if matches!(clause.key, QUERY | NEAR) => any_leaf(expression, *holds),
            expression => expression,
        };
        parts.push(Rule { clauses: vec![clause], ..rule.clone() });
    }
    let set = RuleSet::new(&parts);
    set.look(document, &mut seen);
    let mut conditions: Vec<Condition> = Vec::new();
    for (index, (clause, holds)) in rule.clauses.iter().zip(held).enumerate() {
        let found = found(&set, index, document, &seen);
        let near = match holds {
            true => None,
            false if found.is_empty() => near(&parts[index], document),
            false => apart(rule, index, document, &found),
        };
        let origin = origin(&clause.expression, document);
        conditions.push(Condition { key: clause.key, written: clause.written.clone(), holds, found, near, origin });
    }
    let scope = [
        ("feeds", &rule.feeds, in_scope(&rule.feeds, &[], document)),
        ("tags", &rule.tags, in_scope(&[], &rule.tags, document)),
    ];
    for (key, list, holds) in scope {
        if !list.is_empty() {
            let (found, origin) = (Vec::new(), Vec::new());
            conditions.push(Condition { key, written: list.join(", "), holds, found, near: None, origin });
        }
    }
    let hit = conditions.iter().all(|condition| condition.holds);
    Explanation { rule: rule.name.to_string(), hit, conditions }
}

fn found(set: &RuleSet, rule: usize, document: &Document<'_>, seen: &Seen) -> Vec<Found> {
    let with_text = |place: TermMatch| {
        let text = document.text(place.field).get(place.start..place.end).unwrap_or_default().to_owned();
        Found { place, text }
    };
    set.told(rule, document, seen).into_iter().map(with_text).collect()
}

/// The key of a query's conditions.
const QUERY: &str = "query";

/// The key of conditions on what stands near what.
const NEAR: &str = "near";

/// Returns an expression that any leaf of another makes true, so that all are told; in one that does not hold, terms that
/// are to be near each other are told wherever they are.
fn any_leaf(expression: Expression, holds: bool) -> Expression {
    let mut leaves = Vec::new();
    expression.leaves(&mut |leaf| match leaf {
        Expression::Near(proximity) if !holds => {
            leaves.extend(proximity.operands().iter().cloned().map(Expression::Group));
        }
        leaf => leaves.push(leaf.clone()),
    });
    Expression::Any(leaves)
}

/// Places of origin that are told of one condition at most.
const MAX_ORIGINS: usize = 5;

/// Tells where a document comes from, for each condition on it.
fn origin(expression: &Expression, document: &Document<'_>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    expression.leaves(&mut |leaf| {
        let fact = match leaf {
            Expression::Origin(origin) => origin.described(document),
            Expression::Group(group) if group.fields().intersects(FieldSet::URL) => url_of(document),
            Expression::Term(_, fields) | Expression::Regex(_, fields) if fields.intersects(FieldSet::URL) => {
                url_of(document)
            }
            _ => return,
        };
        if told.len() < MAX_ORIGINS && !told.contains(&fact) {
            told.push(fact);
        }
    });
    told
}

fn url_of(document: &Document<'_>) -> String {
    match document.readable_url() {
        url if url.is_empty() => "no URL is known".to_owned(),
        url => format!("the URL is {url}"),
    }
}

/// Tells whether a condition fails only by the order or the distance of its terms.
fn apart(rule: &Rule, index: usize, document: &Document<'_>, found: &[Found]) -> Option<Near> {
    let in_any_order: fn(&mut Proximity) = Proximity::forget_order;
    let at_any_distance: fn(&mut Proximity) = Proximity::forget_distance;
    for (relax, why) in [
        (in_any_order, "they stand in the other order"),
        (at_any_distance, "they stand farther apart than `NEAR` allows"),
    ] {
        let mut clause = rule.clauses[index].clone();
        clause.expression.change_proximities(&relax);
        let set = RuleSet::new(&[Rule { clauses: vec![clause], ..rule.clone() }]);
        let mut seen = Seen::default();
        set.look(document, &mut seen);
        if set.clauses_hold(0, document, &seen) == [true] {
            return found.first().cloned().map(|found| Near { found, why });
        }
    }
    None
}

/// Letters of a word of which other endings are worth a remark.
const MIN_STEM: usize = 4;

/// Looks again for a clause's terms, with one demand less.
fn near(rule: &Rule, document: &Document<'_>) -> Option<Near> {
    let any_case: fn(&mut TermWord) = |word| word.cased = None;
    let any_gap: fn(&mut TermWord) = |word| word.loose = true;
    let any_ending: fn(&mut TermWord) = |word| {
        if word.folded.chars().count() >= MIN_STEM {
            word.open();
        }
    };
    for (relax, why) in [
        (any_case, "in other capitals than the term"),
        (any_gap, "with punctuation between the words"),
        (any_ending, "with another ending: `*` at the end of a word matches all"),
    ] {
        let mut relaxed = rule.clone();
        relaxed.clauses.iter_mut().for_each(|clause| clause.expression.change_words(&relax));
        let set = RuleSet::new(&[relaxed]);
        let mut seen = Seen::default();
        set.look(document, &mut seen);
        if let Some(found) = found(&set, 0, document, &seen).into_iter().next() {
            return Some(Near { found, why });
        }
    }
    None
}

/// Places that a line of the text names; the rest is counted.
const SHOWN_PLACES: usize = 5;

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.conditions.iter().filter(|condition| !condition.holds).count();
        if self.hit {
            write!(out, "`{}` matches", self.rule)?;
        } else {
            let of = self.conditions.len();
            write!(out, "`{}` does not match: {failed} of {of} conditions failed", self.rule)?;
        }
        for condition in &self.conditions {
            write!(out, "\n  {} {condition}", if condition.holds { "✓" } else { "✗" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, written, holds, found, near, origin } = self;
        write!(out, "{key}: ")?;
        match (*key, holds) {
            ("feeds", true) => write!(out, "the feed is one of {written}"),
            ("feeds", false) => write!(out, "the feed is none of {written}"),
            ("tags", true) => write!(out, "the feed has a tag of {written}"),
            ("tags", false) => write!(out, "the feed has no tag of {written}"),
            (QUERY, true) => {
                write!(out, "`{written}` holds")?;
                write_found(out, ": ", found)?;
                origin.iter().try_for_each(|origin| write!(out, "; {origin}"))
            }
            (QUERY, false) if !found.is_empty() || !origin.is_empty() => {
                write!(out, "`{written}` does not hold")?;
                write_found(out, ", with ", found)?;
                near.as_ref().map_or(Ok(()), |near| write!(out, "; {}", near.why))?;
                origin.iter().try_for_each(|origin| write!(out, "; {origin}"))
            }
            (NEAR, false) if !found.is_empty() => {
                write!(out, "`{written}` does not hold")?;
                write_found(out, ", with ", found)?;
                near.as_ref().map_or(Ok(()), |near| write!(out, "; {}", near.why))
            }
            _ if found.is_empty() => {
                write!(out, "`{written}` not found")?;
                match near {
                    Some(Near { found: Found { place, text }, why }) => {
                        write!(out, ", but “{text}” in {} ({why})", field_name(place))
                    }
                    None => Ok(()),
                }
            }
            _ => {
                write!(out, "`{written}` found")?;
                write_found(out, ": ", found)
            }
        }
    }
}

/// Writes the first places, each as its term and the text if that differs.
fn write_found(out: &mut fmt::Formatter<'_>, before: &str, found: &[Found]) -> fmt::Result {
    for (index, Found { place, text }) in found.iter().take(SHOWN_PLACES).enumerate() {
        let comma = if index == 0 { before } else { ", " };
        let field = field_name(place);
        if *text == place.term {
            write!(out, "{comma}`{text}` in {field}")?;
        } else {
            write!(out, "{comma}`{}` in {field} as “{text}”", place.term)?;
        }
    }
    match found.len().saturating_sub(SHOWN_PLACES) {
        0 => Ok(()),
        more => write!(out, " and {more} more"),
    }
}

fn field_name(place: &TermMatch) -> &'static str {
    match place.field {
        Field::Title => "title",
        Field::Summary => "summary",
        Field::Content => "content",
        Field::Author => "author",
        Field::Category => "category",
    }
}
