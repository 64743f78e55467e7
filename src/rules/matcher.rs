//! Matches compiled rules against a document: one pass over the text, then the candidates.

mod batch;
mod miss;
mod seen;
mod tell;

pub(super) use miss::OperandPlace;
pub(super) use seen::Seen;

use super::compile::compile;
use super::compiled::{Compiled, Condition, Gates, Node, TermUse, Told};
use super::forms::language_of;
use super::proximity::{BLOCK_WORDS, WordSpan, near};
use super::text::{Gap, tokenize};
use super::vocabulary::{Entry, NONE, follower};
use super::{Document, FIELDS, FieldSet, Rule, RuleMatch};
use crate::core::hit::Field;
use batch::{BATCH, Batch, BatchToken};
use seen::{Place, TermState};
use std::fmt;
use std::sync::Mutex;
use tell::leaf_of;

/// The places that a hit tells at most.
const MAX_PLACES: usize = 50;

/// All rules, compiled: immutable, shared by reference.
pub struct RuleSet {
    compiled: Compiled,
    /// Space of earlier matches, so that a document allocates next to nothing.
    spaces: Mutex<Vec<Seen>>,
}

impl Clone for RuleSet {
    fn clone(&self) -> Self {
        Self { compiled: self.compiled.clone(), spaces: Mutex::default() }
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RuleSet").field("rules", &self.compiled.rules.len()).finish_non_exhaustive()
    }
}

/// A phrase under way.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// Its node of the trie.
    node: u32,
    /// Its first byte.
    start: u32,
    /// The words that may follow.
    following: u32,
}

impl RuleSet {
    /// Compiles rules; their indices in matches are those of their order.
    pub fn new<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let compiled = compile(rules);
        Self { compiled, spaces: Mutex::default() }
    }

    /// Returns the rules that match a document, by index.
    pub fn matches(&self, document: &Document<'_>) -> Vec<RuleMatch> {
        let mut seen = self.spaces.lock().ok().and_then(|mut spaces| spaces.pop()).unwrap_or_default();
        self.look(document, &mut seen);
        self.collect_candidates(&mut seen);
        let mut hits = std::mem::take(&mut seen.candidates);
        hits.retain(|rule| self.holds(*rule, document, &seen));
        let ranges = hits.iter().map(|rule| self.compiled.rules[*rule as usize].told);
        touch(ranges.clone().map(|(start, _)| start));
        touch(ranges.filter_map(|(start, _)| self.compiled.told.get(start as usize)).map(|told| told.term));
        let mut places = Vec::new();
        let mut told = |rule: usize| self.told_by(rule, document, &seen, &mut places);
        let matches = hits.iter().map(|rule| *rule as usize);
        let matches = matches.map(|rule| RuleMatch { rule, terms: told(rule) }).collect();
        seen.candidates = hits;
        if let Ok(mut spaces) = self.spaces.lock() {
            spaces.push(seen);
        }
        matches
    }

    /// Returns how many rules a document makes it evaluate.
    #[cfg(test)]
    pub(super) fn candidates(&self, document: &Document<'_>) -> usize {
        let mut seen = Seen::default();
        self.look(document, &mut seen);
        self.collect_candidates(&mut seen);
        seen.candidates.len()
    }

    /// Notes which terms are where.
    pub(super) fn look(&self, document: &Document<'_>, seen: &mut Seen) {
        seen.clear();
        let vocabulary = &self.compiled.vocabulary;
        if vocabulary.has_forms() {
            let texts = [document.title, document.summary, document.content].into_iter();
            let language = || language_of(document.language, texts);
            seen.forms.start(vocabulary.asks_for_language().then(language).flatten());
        }
        for field in FIELDS {
            let text = document.text(field);
            let field = FieldSet::of(&[field]);
            if self.compiled.fields.intersects(field) && !text.is_empty() {
                self.look_into(text, field, seen);
            }
        }
        if self.compiled.fields.intersects(FieldSet::URL) {
            self.look_into(&document.readable_url(), FieldSet::URL, seen);
        }
        if let Some(gates) = &self.compiled.gates {
            look_for_required(gates, &self.compiled.uses, document, seen);
        }
        self.note_stand_ins(seen);
    }

    /// Notes the alternatives of which a term was seen.
    fn note_stand_ins(&self, seen: &mut Seen) {
        let memberships = &self.compiled.memberships;
        for at in 0..seen.members.len() {
            let first = seen.members[at] as usize;
            let term = memberships[first].term;
            let fields = seen.state(term).map(|state| state.fields).unwrap_or_default();
            for membership in memberships[first..].iter().take_while(|membership| membership.term == term) {
                if membership.fields.intersects(fields) {
                    seen.note(&self.compiled.uses[membership.stand_in as usize]);
                }
            }
        }
    }

    fn look_into(&self, text: &str, field: FieldSet, seen: &mut Seen) {
        seen.start_field();
        let mut tokens = std::mem::take(&mut seen.tokens);
        let mut batch = Batch::new(text, std::mem::take(&mut seen.batch));
        tokenize(text, &mut tokens, |token| {
            batch.push(&token);
            if batch.is_full() {
                self.take(&mut batch, field, seen);
            }
        });
        self.take(&mut batch, field, seen);
        (seen.tokens, seen.batch) = (tokens, batch.into_space());
    }

    /// Takes the tokens of a batch in their order.
    fn take(&self, batch: &mut Batch<'_>, field: FieldSet, seen: &mut Seen) {
        let vocabulary = &self.compiled.vocabulary;
        let mut likely: [Option<&Entry>; BATCH] = [None; BATCH];
        for (likely, token) in likely.iter_mut().zip(batch.tokens()) {
            *likely = vocabulary.likely(token.hash);
        }
        for (likely, token) in likely.iter().zip(batch.tokens()) {
            seen.word += if token.gap == Gap::Block { BLOCK_WORDS + 1 } else { 1 };
            seen.found.clear();
            vocabulary.find(batch.sought(token), *likely, &mut seen.found);
            if vocabulary.has_forms() && !token.hangul {
                vocabulary.find_forms(batch.written(token), &mut seen.forms, &mut seen.found);
            }
            if seen.found.is_empty() {
                seen.open.clear();
            } else {
                self.step(token, field, seen);
            }
        }
        batch.clear();
    }

    /// Notes the terms that end with a token, of which the words were found.
    fn step(&self, token: &BatchToken, field: FieldSet, seen: &mut Seen) {
        let place = |start: u32| Place { field, start, end: token.end, previous: 0 };
        let phrases = &self.compiled.phrases;
        let (mut next, found) = (std::mem::take(&mut seen.next), std::mem::take(&mut seen.found));
        if token.gap != Gap::Block {
            for at in 0..seen.open.len() {
                let Open { node, start, following } = seen.open[at];
                for word in found.iter().filter(|word| following & follower(word.word) != 0) {
                    let tight = phrases.next(node, word.word, false).filter(|_| token.gap == Gap::Tight);
                    let loose = phrases.next(node, word.word, true);
                    for node in tight.into_iter().chain(loose) {
                        let reached = &phrases.nodes[node as usize];
                        next.push(Open { node, start, following: reached.following });
                        seen.record(&reached.term, place(start));
                    }
                }
            }
        }
        for word in &found {
            seen.record(&word.term, place(token.start));
            if word.node != NONE {
                next.push(Open { node: word.node, start: token.start, following: word.following });
            }
        }
        seen.found = found;
        std::mem::swap(&mut seen.open, &mut next);
        next.clear();
        seen.next = next;
    }

    /// Finds the rules that may match: an anchor was seen, and one term of the second group.
    fn collect_candidates(&self, seen: &mut Seen) {
        let compiled = &self.compiled;
        seen.candidates.clear();
        seen.candidates.extend(&compiled.always);
        touch(seen.postings.iter().map(|(start, _)| compiled.filters[*start as usize][0]));
        for (start, end) in &seen.postings {
            let own = *start as usize..*end as usize;
            for (filter, rule) in compiled.filters[own.clone()].iter().zip(&compiled.postings[own]) {
                if seen.passes(*filter) {
                    seen.candidates.push(*rule);
                }
            }
        }
        seen.candidates.sort_unstable();
        seen.candidates.dedup();
        let conditions = seen.candidates.iter().map(|rule| compiled.conditions[*rule as usize]);
        touch(conditions.clone().map(|condition| condition.start));
        touch(conditions.filter_map(|condition| compiled.nodes.get(condition.start as usize)).map(Node::is_negation));
    }

    fn holds(&self, rule: u32, document: &Document<'_>, seen: &Seen) -> bool {
        let Condition { start, costly, end, scoped } = self.compiled.conditions[rule as usize];
        let all = |start: u32, end: u32| {
            let clauses = &self.compiled.nodes[start as usize..end as usize];
            clauses.iter().all(|clause| self.is_true(clause, document, seen))
        };
        let is_in_scope = || {
            let rule = &self.compiled.rules[rule as usize];
            in_scope(&rule.feeds, &rule.tags, document)
        };
        all(start, costly) && (!scoped || is_in_scope()) && all(costly, end)
    }

    /// Whether each clause of a rule holds.
    pub(super) fn clauses_hold(&self, rule: usize, document: &Document<'_>, seen: &Seen) -> Vec<bool> {
        let node = |clause: &u32| &self.compiled.nodes[*clause as usize];
        self.compiled.rules[rule].clauses.iter().map(|clause| self.is_true(node(clause), document, seen)).collect()
    }

    fn is_true(&self, node: &Node, document: &Document<'_>, seen: &Seen) -> bool {
        let children = |start: u32, end: u32| &self.compiled.nodes[start as usize..end as usize];
        let is_true = |child: &Node| self.is_true(child, document, seen);
        match *node {
            Node::All(start, end) => children(start, end).iter().all(is_true),
            Node::Any(start, end) => children(start, end).iter().any(is_true),
            Node::Not(child) => !is_true(&self.compiled.nodes[child as usize]),
            Node::AtLeast(count, start, end) => {
                let holds = children(start, end).iter().filter(|child| is_true(child));
                holds.take(count as usize).count() == count as usize
            }
            Node::Near(index) => self.is_near(index, seen),
            Node::StandIn(term) => seen.has(term),
            Node::Term(term, fields) => seen.state(term).is_some_and(|state| state.fields.intersects(fields)),
            Node::Regex(index, fields) => {
                let regex = &self.compiled.regexes[index as usize];
                let in_field = |field: &Field| fields.contains(*field) && regex.is_match(document.text(*field));
                FIELDS.iter().any(in_field)
                    || (fields.intersects(FieldSet::URL) && regex.is_match(&document.readable_url()))
            }
            Node::Origin(index) => self.compiled.origins[index as usize].holds(document),
        }
    }

    fn is_near(&self, index: u32, seen: &Seen) -> bool {
        let proximity = &self.compiled.proximities[index as usize];
        near(proximity.operands.iter().map(|operand| self.spans(operand, seen)), &proximity.distances)
    }

    /// Returns where the alternatives of an operand stand.
    fn spans(&self, operand: &[Told], seen: &Seen) -> Vec<WordSpan> {
        let mut spans = Vec::new();
        let mut add = |leaf: &Told| seen.spans_of(leaf, self.compiled.uses[leaf.term as usize].placed, &mut spans);
        if operand.len() <= seen.terms.states.len() {
            operand.iter().for_each(add);
        } else {
            // Of thousands of names a text has a few.
            let leaf = |state: &TermState| leaf_of(state.term, operand);
            seen.terms.states.iter().filter_map(leaf).for_each(&mut add);
        }
        spans
    }
}

/// Reads one value after another of what is needed next, so that the processor fetches all of it at once: to come upon
/// each in turn would mean to wait for each.
fn touch<T: Into<u32>>(values: impl Iterator<Item = T>) {
    std::hint::black_box(values.fold(0_u32, |all, value| all ^ value.into()));
}

/// Notes of which regular expressions a document has a text that they require.
fn look_for_required(gates: &Gates, uses: &[TermUse], document: &Document<'_>, seen: &mut Seen) {
    let mut missing = gates.count;
    let mut look = |text: &str, seen: &mut Seen| {
        for found in gates.automaton.find_overlapping_iter(text) {
            for term in &gates.terms[found.pattern().as_usize()] {
                missing -= usize::from(seen.note(&uses[*term as usize]));
            }
            if missing == 0 {
                break;
            }
        }
    };
    for field in FIELDS.iter().filter(|field| gates.fields.contains(**field)) {
        look(document.text(*field), seen);
    }
    if gates.fields.intersects(FieldSet::URL) {
        look(&document.readable_url(), seen);
    }
}

/// Whether a document's feed is one that a rule is restricted to.
pub(super) fn in_scope(feeds: &[String], tags: &[String], document: &Document<'_>) -> bool {
    let feed = |name: &String| name == document.feed || (!name.is_empty() && name == document.feed_name);
    (feeds.is_empty() || feeds.iter().any(feed))
        && (tags.is_empty() || tags.iter().any(|tag| document.tags.contains(tag)))
}

fn offset(at: usize) -> u32 {
    // Texts are bounded far below when they are fetched.
    u32::try_from(at).unwrap_or(u32::MAX)
}
