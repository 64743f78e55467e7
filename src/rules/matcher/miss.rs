//! How far a document is from what rules ask for.

use super::{RuleSet, Seen, in_scope};
use crate::core::hit::Field;
use crate::rules::compiled::Node;
use crate::rules::proximity::WordSpan;
use crate::rules::{Document, FIELDS};
use smol_str::SmolStr;
use std::cmp::Reverse;

/// Where a term stands: in words, and in the text of a field.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct OperandPlace {
    pub(in super::super) span: WordSpan,
    pub(in super::super) field: Field,
    pub(in super::super) start: usize,
    pub(in super::super) end: usize,
}

impl RuleSet {
    /// Returns the rules that do not match a document and of which the fewest parts are missing, so many at most, the
    /// nearest first; of those that are as near, those of which something was seen.
    pub fn nearest_misses(&self, document: &Document<'_>, most: usize) -> Vec<usize> {
        let mut seen = Seen::default();
        self.look(document, &mut seen);
        let mut misses: Vec<_> = (0..self.compiled.rules.len())
            .filter_map(|rule| {
                let missing = self.missing_parts(rule, document, &seen);
                (missing > 0).then(|| (missing, Reverse(self.has_seen(rule, &seen)), rule))
            })
            .collect();
        if misses.len() > most {
            misses.select_nth_unstable(most);
            misses.truncate(most);
        }
        misses.sort_unstable();
        misses.into_iter().map(|(.., rule)| rule).collect()
    }

    /// Returns how many terms and conditions would have to change for a rule to match.
    pub(in super::super) fn missing_parts(&self, rule: usize, document: &Document<'_>, seen: &Seen) -> usize {
        let rule = &self.compiled.rules[rule];
        let scope = [in_scope(&rule.feeds, &[], document), in_scope(&[], &rule.tags, document)];
        let of_scope = scope.iter().filter(|holds| !**holds).count();
        let node = |clause: &u32| &self.compiled.nodes[*clause as usize];
        rule.clauses.iter().map(|clause| self.changes(node(clause), document, seen)).sum::<usize>() + of_scope
    }

    /// Returns how many leaves would have to change for a node to be true.
    fn changes(&self, node: &Node, document: &Document<'_>, seen: &Seen) -> usize {
        let children = |start: u32, end: u32| {
            let children = &self.compiled.nodes[start as usize..end as usize];
            children.iter().map(|child| self.changes(child, document, seen))
        };
        match *node {
            Node::All(start, end) => children(start, end).sum(),
            Node::Any(start, end) => {
                let mut fewest = usize::MAX;
                for changes in children(start, end) {
                    fewest = fewest.min(changes);
                    if changes == 0 {
                        break;
                    }
                }
                fewest
            }
            Node::AtLeast(count, start, end) => {
                let mut changes: Vec<usize> = children(start, end).collect();
                changes.sort_unstable();
                changes.iter().take(count as usize).sum()
            }
            Node::Near(index) if !self.is_near(index, seen) => {
                let operands = &self.compiled.proximities[index as usize].operands;
                operands.iter().filter(|operand| self.spans(operand, seen).is_empty()).count().max(1)
            }
            // Negations stand at the leaves alone.
            Node::Not(_) | Node::Near(_) | Node::Term(..) | Node::StandIn(_) | Node::Regex(..) | Node::Origin(_) => {
                usize::from(!self.is_true(node, document, seen))
            }
        }
    }

    fn has_seen(&self, rule: usize, seen: &Seen) -> bool {
        let rule = &self.compiled.rules[rule];
        let has = |told: &super::Told| seen.state(told.term).is_some_and(|state| state.fields.intersects(told.fields));
        let of_near = |index: &u32| &self.compiled.proximities[*index as usize].operands;
        let own = &self.compiled.told[rule.told.0 as usize..rule.told.1 as usize];
        let mut shared = rule.told_groups.iter().chain(rule.told_near.iter().flat_map(of_near));
        own.iter().any(has) || shared.any(|told| told.iter().any(has))
    }

    /// Returns the terms of a rule that were seen, as the rule writes them.
    pub(in super::super) fn seen_terms(&self, rule: usize, seen: &Seen) -> Vec<SmolStr> {
        let in_fields =
            |told: &super::Told| seen.state(told.term).is_some_and(|state| state.fields.intersects(told.fields));
        let told = self.told_terms(&self.compiled.rules[rule], seen);
        told.iter().filter(|told| in_fields(told)).map(|told| told.written.clone()).collect()
    }

    /// Returns where the operands of a rule's first proximity stand, near each other or not; none in the URL.
    pub(in super::super) fn operand_places(&self, rule: usize, seen: &Seen) -> Vec<Vec<OperandPlace>> {
        let Some(proximity) = self.compiled.rules[rule].told_near.first() else { return Vec::new() };
        let place = |span: WordSpan| {
            let place = seen.words[span.place as usize];
            let field = FIELDS.into_iter().find(|field| place.field.contains(*field))?;
            Some(OperandPlace { span, field, start: place.start as usize, end: place.end as usize })
        };
        let operands = &self.compiled.proximities[*proximity as usize].operands;
        operands.iter().map(|operand| self.spans(operand, seen).into_iter().filter_map(place).collect()).collect()
    }
}
