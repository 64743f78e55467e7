//! Explains why a rule matches a document, or what is missing.

use super::expression::Expression;
use super::lists::Clause;
use super::matcher::{RuleSet, Seen, in_scope};
use super::missing::{self, Assessment, Need, field_name, listed};
use super::nearest::nearest;
use super::{Document, FieldSet, Rule};
use crate::core::hit::TermMatch;
use serde::Serialize;
use std::fmt;

/// Why a rule matches or not. Its text is several lines, the first a summary with the rule's name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The rule.
    pub rule: String,
    /// Whether it matches.
    pub hit: bool,
    /// What it asks for and was seen: terms and groups.
    pub seen: Vec<String>,
    /// The smallest set of its parts that would have to change for it to match.
    pub missing: Vec<Missing>,
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
    /// What came near to something that it lacks.
    pub near: Option<Near>,
    /// Where the article comes from, as far as the condition asks for it.
    pub origin: Vec<String>,
}

/// A part of a rule that would have to change for it to match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// What is not so, or is and must not be.
    pub what: String,
    /// The text that came nearest to what is missing, or that is excluded.
    pub nearest: Option<Near>,
}

/// A text that would have matched, but for one thing; or that is excluded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Near {
    /// The text.
    #[serde(flatten)]
    pub found: Found,
    /// The one thing; none of what is excluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
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
    let mut outcomes = missing::outcomes(rule, document).into_iter();
    let mut conditions: Vec<Condition> = Vec::new();
    let mut seen_parts: Vec<String> = Vec::new();
    let mut missing: Vec<Missing> = Vec::new();
    for (index, (clause, holds)) in rule.clauses.iter().zip(held).enumerate() {
        let Assessment { needs, seen: parts } = missing::missing(&clause.expression, &mut outcomes);
        let told: Vec<Missing> = needs.iter().map(|need| of_need(rule, need, missing.len(), document)).collect();
        let near = told.iter().filter_map(|part| part.nearest.clone()).find(|near| near.why.is_some());
        seen_parts.extend(parts.iter().map(ToString::to_string));
        missing.extend(told);
        let (found, origin) = (found(&set, index, document, &seen), origin(&clause.expression, document));
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
        if !holds {
            missing.push(Missing { what: of_scope(key, list, document), nearest: None });
        }
    }
    remove_repeated(&mut seen_parts);
    remove_repeated(&mut missing);
    let hit = conditions.iter().all(|condition| condition.holds);
    Explanation { rule: rule.name.to_string(), hit, seen: seen_parts, missing, conditions }
}

fn remove_repeated<T: PartialEq>(list: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    for item in list.drain(..) {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    *list = kept;
}

/// The parts of a rule whose nearest miss is looked for; each takes about as long as to match the rule.
const MAX_NEAREST: usize = 8;

/// Tells what a rule needs, the so many-th of its needs.
fn of_need(rule: &Rule, need: &Need<'_>, number: usize, document: &Document<'_>) -> Missing {
    let nearest = match need {
        _ if number >= MAX_NEAREST => None,
        Need::Without(leaf) => {
            let clauses = vec![Clause { key: QUERY, written: String::new(), expression: (*leaf).clone() }];
            let set = RuleSet::new(&[Rule { clauses, ..rule.clone() }]);
            let mut seen = Seen::default();
            set.look(document, &mut seen);
            found(&set, 0, document, &seen).into_iter().next().map(|found| Near { found, why: None })
        }
        need => nearest(rule, &need.lacks(), document).map(|nearest| {
            let why = Some(nearest.why);
            Near { found: with_text(nearest.place, document), why }
        }),
    };
    Missing { what: need.told(document), nearest }
}

/// Tells which feed or which tags the article has, of a rule that is restricted to others.
fn of_scope(key: &str, list: &[String], document: &Document<'_>) -> String {
    let wanted = listed(list);
    let feed = if document.feed_name.is_empty() { document.feed } else { document.feed_name };
    match (key, feed, document.tags.join(", ")) {
        ("feeds", "", _) => format!("no feed is known, and {wanted} asked for"),
        ("feeds", feed, _) => format!("the feed is {feed}, not one of {wanted}"),
        (_, _, tags) if tags.is_empty() => format!("the feed has no tags, and {wanted} asked for"),
        (_, _, tags) => format!("the feed has the tags {tags}, not one of {wanted}"),
    }
}

fn found(set: &RuleSet, rule: usize, document: &Document<'_>, seen: &Seen) -> Vec<Found> {
    set.told(rule, document, seen).into_iter().map(|place| with_text(place, document)).collect()
}

fn with_text(place: TermMatch, document: &Document<'_>) -> Found {
    let text = document.text(place.field).get(place.start..place.end).unwrap_or_default().to_owned();
    Found { place, text }
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

/// Places that a line of the text names; the rest is counted.
const SHOWN_PLACES: usize = 5;

/// Parts that the summary names as missing; the rest is counted.
const SHOWN_PARTS: usize = 4;

impl Explanation {
    /// Returns what was seen and what is missing, as one line; of a hit, that it matches.
    pub fn summary(&self) -> String {
        if self.hit {
            return format!("`{}` matches", self.rule);
        }
        let seen = (!self.seen.is_empty()).then(|| format!("{} seen", listed(&self.seen)));
        let missing = self.missing.iter().take(SHOWN_PARTS).map(Missing::to_string);
        let more = self.missing.len().checked_sub(SHOWN_PARTS).filter(|more| *more > 0);
        let parts = seen.into_iter().chain(missing).chain(more.map(|more| format!("and {more} more")));
        format!("`{}` does not match: {}", self.rule, parts.collect::<Vec<_>>().join("; "))
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.what)?;
        let Some(Near { found: Found { place, text }, why }) = &self.nearest else { return Ok(()) };
        let field = field_name(place.field);
        // What a regular expression finds may have several lines.
        let text = text.replace(char::is_control, " ");
        match why {
            Some(why) => write!(out, ", but “{text}” in {field} ({why})"),
            None => write!(out, ": “{text}” in {field}"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.summary())?;
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
                origin.iter().try_for_each(|origin| write!(out, "; {origin}"))
            }
            (NEAR, false) if !found.is_empty() => {
                write!(out, "`{written}` does not hold")?;
                write_found(out, ", with ", found)
            }
            _ if found.is_empty() => {
                write!(out, "`{written}` not found")?;
                match near {
                    Some(Near { found: Found { place, text }, why: Some(why) }) => {
                        write!(out, ", but “{text}” in {} ({why})", field_name(place.field))
                    }
                    _ => Ok(()),
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
        let field = field_name(place.field);
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
