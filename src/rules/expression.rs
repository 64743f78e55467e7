//! What a rule looks for: one expression tree, whatever syntax it was written in.
//!
//! A leaf is a term or a regular expression within some fields, or a condition on the article's origin. Operators over
//! places (proximity) stand right above the leaves; the matcher takes from every expression the terms that it requires,
//! and evaluates the rest.

use super::FieldSet;
pub(super) use super::alternatives::{Alternatives, Keys, Leaf};
use super::origin::Origin;
pub(super) use super::proximity::{MAX_DISTANCE, Proximity};
use super::regexp::RegularExpression;
pub(super) use super::term::{Term, TermError, TermWord, WordKind};
use std::sync::Arc;

/// Terms from which on a group is not copied into what it stands in.
pub(super) const MANY_TERMS: usize = 100;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Every one.
    All(Vec<Expression>),
    /// At least one.
    Any(Vec<Expression>),
    /// Not this one.
    Not(Box<Expression>),
    /// A term, in at least one of the fields.
    Term(Arc<Term>, FieldSet),
    /// At least so many of them.
    AtLeast(usize, Vec<Expression>),
    /// Terms near each other.
    Near(Proximity),
    /// A regular expression, in at least one of the fields.
    Regex(Arc<RegularExpression>, FieldSet),
    /// Where the article comes from.
    Origin(Origin),
    /// At least one of the terms of a group, shared by the rules that use it.
    Group(Arc<Alternatives>),
}

impl Expression {
    /// Returns what decides what the expression matches, the same for every order and repetition of its parts.
    pub(super) fn key(&self) -> String {
        match self {
            Expression::All(parts) | Expression::Any(parts) if parts.len() == 1 => parts[0].key(),
            Expression::All(_) | Expression::Any(_) => {
                let mut keys = Keys::default();
                self.part_keys(matches!(self, Expression::All(_)), &mut keys);
                keys.into_key(if matches!(self, Expression::All(_)) { '&' } else { '|' })
            }
            Expression::Group(group) => group.key().to_owned(),
            Expression::Not(part) => format!("!{}", part.key()),
            Expression::AtLeast(count, parts) => {
                let mut keys: Vec<String> = parts.iter().map(Expression::key).collect();
                keys.sort_unstable();
                format!("#{count}/{}({})", keys.len(), keys.concat())
            }
            Expression::Near(proximity) => proximity.key(),
            Expression::Term(term, fields) => format!("t{}/{}", fields.bits(), term.key()),
            Expression::Regex(regex, fields) => format!("r{}/{}", fields.bits(), regex.key()),
            Expression::Origin(origin) => origin.key(),
        }
    }

    /// Returns the opposite, with negations at the leaves alone: so each conjunction shows what it needs.
    pub(super) fn negated(self) -> Self {
        let all = |parts: Vec<Self>| parts.into_iter().map(Self::negated).collect();
        match self {
            Expression::All(parts) => Expression::Any(all(parts)),
            Expression::Any(parts) => Expression::All(all(parts)),
            Expression::Not(part) => *part,
            Expression::AtLeast(count, parts) => Self::at_least(parts.len() + 1 - count, all(parts)),
            leaf => Expression::Not(Box::new(leaf)),
        }
    }

    /// Returns "at least `count` of them", in the simplest form; `count` is from 1 to their number.
    pub(super) fn at_least(count: usize, parts: Vec<Self>) -> Self {
        match count {
            1 => Expression::Any(parts),
            all if all == parts.len() => Expression::All(parts),
            some => Expression::AtLeast(some, parts),
        }
    }

    /// Whether it is true of a document without any of its terms, from elsewhere.
    pub(super) fn holds_of_nothing(&self) -> bool {
        match self {
            Expression::All(parts) => parts.iter().all(Self::holds_of_nothing),
            Expression::Any(parts) => parts.iter().any(Self::holds_of_nothing),
            Expression::Not(part) => !part.holds_of_nothing(),
            Expression::AtLeast(count, parts) => parts.iter().filter(|part| part.holds_of_nothing()).count() >= *count,
            Expression::Term(..)
            | Expression::Near(_)
            | Expression::Regex(..)
            | Expression::Origin(_)
            | Expression::Group(_) => false,
        }
    }

    /// Returns the terms of which it needs one, if that is all that it says.
    pub(super) fn into_alternatives(self) -> Option<Arc<Alternatives>> {
        match self {
            Expression::Group(group) => Some(group),
            other => {
                let names = other.group_names();
                other.into_leaves().map(|leaves| Arc::new(Alternatives::new(leaves).named(names)))
            }
        }
    }

    /// Returns the same, with term groups of many terms apart from what else is among them, so that they stay shared.
    pub(super) fn into_shared_alternatives(self) -> Option<Vec<Arc<Alternatives>>> {
        let Expression::Any(parts) = self else {
            return self.into_alternatives().map(|alternatives| vec![alternatives]);
        };
        let is_large = |part: &Self| matches!(part, Expression::Group(group) if group.leaves().len() > MANY_TERMS);
        let (groups, others): (Vec<Self>, Vec<Self>) = parts.into_iter().partition(is_large);
        let others = if others.is_empty() { None } else { Some(Expression::Any(others)) };
        others.into_iter().chain(groups).map(Self::into_alternatives).collect()
    }

    /// Returns how its terms are named, if there is a group among them; else none.
    fn group_names(&self) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        let mut has_group = false;
        self.leaves(&mut |leaf| match leaf {
            Expression::Group(group) => {
                has_group = true;
                names.extend(group.names());
            }
            Expression::Term(term, _) => names.push(format!("`{}`", term.written).into()),
            _ => {}
        });
        if has_group { names } else { Vec::new() }
    }

    fn into_leaves(self) -> Option<Vec<Leaf>> {
        match self {
            Expression::Term(term, fields) => Some(vec![Leaf { term, fields }]),
            Expression::Group(group) => Some(group.leaves().to_vec()),
            Expression::Any(parts) => {
                let leaves: Option<Vec<Vec<Leaf>>> = parts.into_iter().map(Self::into_leaves).collect();
                leaves.map(|leaves| leaves.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    /// Takes some leaves, and the opposite of each, as true.
    pub(super) fn waive(&mut self, waived: &impl Fn(&Self) -> bool) {
        match self {
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter_mut().for_each(|part| part.waive(waived));
            }
            Expression::Not(part) if waived(part) => *self = Expression::All(Vec::new()),
            Expression::Not(part) => part.waive(waived),
            leaf if waived(leaf) => *leaf = Expression::All(Vec::new()),
            _ => {}
        }
    }

    /// Whether some part of it is such a leaf.
    pub(super) fn has(&self, is: &impl Fn(&Self) -> bool) -> bool {
        let mut has = false;
        self.leaves(&mut |leaf| has |= is(leaf));
        has
    }

    /// Calls `each` with every leaf: terms, term groups, regular expressions, proximities, origins.
    pub(super) fn leaves<'a>(&'a self, each: &mut impl FnMut(&'a Expression)) {
        match self {
            Expression::Not(part) => part.leaves(each),
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter().for_each(|part| part.leaves(each));
            }
            leaf => each(leaf),
        }
    }

    /// Calls `each` with every leaf that can make the expression true by being true.
    pub(super) fn positive_leaves<'a>(&'a self, each: &mut impl FnMut(&'a Expression)) {
        match self {
            Expression::Not(_) => {}
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter().for_each(|part| part.positive_leaves(each));
            }
            leaf => each(leaf),
        }
    }

    /// Appends the keys of the parts of a conjunction (or disjunction), those of one within another as its own.
    fn part_keys<'a>(&'a self, conjunction: bool, keys: &mut Keys<'a>) {
        match self {
            Expression::All(parts) if conjunction => parts.iter().for_each(|part| part.part_keys(true, keys)),
            Expression::Any(parts) if !conjunction => parts.iter().for_each(|part| part.part_keys(false, keys)),
            Expression::Term(term, fields) if !conjunction => keys.leaf("t", term.key(), *fields),
            Expression::Group(group) if !conjunction => group.leaf_keys(keys),
            Expression::Regex(regex, fields) if !conjunction => keys.leaf("r", regex.key(), *fields),
            Expression::Not(part) if conjunction => match &**part {
                Expression::Term(term, fields) => keys.leaf("!t", term.key(), *fields),
                Expression::Regex(regex, fields) => keys.leaf("!r", regex.key(), *fields),
                _ => keys.whole(self.key()),
            },
            other => keys.whole(other.key()),
        }
    }
}
