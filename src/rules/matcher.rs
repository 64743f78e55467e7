//! Matches compiled rules against a document: one pass over the text, then the candidates.

mod miss;

pub(super) use miss::OperandPlace;

use super::compile::{Compiled, Condition, Gates, Node, TermId, Told, compile};
use super::forms::{FormMemory, language_of};
use super::proximity::{BLOCK_WORDS, WordSpan, chained, near};
use super::text::{Gap, Token, TokenSpace, tokenize};
use super::vocabulary::{NONE, WordId};
use super::{Document, FIELDS, FieldSet, Rule, RuleMatch};
use crate::core::hit::{Field, TermMatch};
use rustc_hash::FxHashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

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

/// What is known of a term in the document at hand.
#[derive(Debug, Clone, Copy)]
struct TermState {
    term: TermId,
    /// The fields that it was seen in.
    fields: FieldSet,
    /// Places in the field at hand.
    count: u8,
    /// Its last place in `Seen::places` plus one; 0 is none.
    last: u32,
    /// Its last entry in `Seen::words` plus one; 0 is none.
    last_word: u32,
}

/// Where a term stands in words, for terms of which a rule asks it.
#[derive(Debug, Clone, Copy)]
struct WordPlace {
    /// Number of its last word.
    word: u64,
    term: TermId,
    start: u32,
    end: u32,
    /// The one field that it is in.
    field: FieldSet,
    /// The place before it of the same term plus one; 0 is none.
    previous: u32,
}

/// A place of a term.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The one field that it is in.
    field: FieldSet,
    start: u32,
    end: u32,
    /// The place before it of the same term plus one; 0 is none.
    previous: u32,
}

/// A place to tell: field, first byte, byte after the last.
type ToldPlace = (FieldSet, u32, u32);

/// A term and places of it to tell.
struct NearPlaces {
    term: TermId,
    written: Arc<str>,
    places: Vec<ToldPlace>,
}

/// What was seen of the rules' terms in one document.
#[derive(Debug, Default)]
pub(super) struct Seen {
    tokens: TokenSpace,
    /// By term that was seen: its place in `terms`. Zeroes that nobody reads cost no memory.
    slots: Vec<u32>,
    /// By term: whether it was seen, as a bit; so few bytes that they stay in the nearest cache.
    bits: Vec<u64>,
    /// The terms that were seen.
    terms: Vec<TermState>,
    places: Vec<Place>,
    words: Vec<WordPlace>,
    /// Number of the word at hand, with a leap at each block and field.
    word: u64,
    ids: Vec<WordId>,
    forms: FormMemory,
    /// Phrases under way: node of the trie, first byte.
    open: Vec<(u32, u32)>,
    next: Vec<(u32, u32)>,
    candidates: Vec<u32>,
}

impl RuleSet {
    /// Compiles rules; their indices in matches are those of their order.
    pub fn new<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let compiled = compile(rules);
        // Made here, so that the first document waits for no large allocation.
        let mut space = Seen::default();
        space.clear(compiled.terms);
        Self { compiled, spaces: Mutex::new(vec![space]) }
    }

    /// Returns the rules that match a document, by index.
    pub fn matches(&self, document: &Document<'_>) -> Vec<RuleMatch> {
        let mut seen = self.spaces.lock().ok().and_then(|mut spaces| spaces.pop()).unwrap_or_default();
        self.look(document, &mut seen);
        self.collect_candidates(&mut seen);
        let matches = seen
            .candidates
            .iter()
            .filter(|rule| self.holds(**rule, document, &seen))
            .map(|rule| RuleMatch { rule: *rule as usize, terms: self.told(*rule as usize, document, &seen) })
            .collect();
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
        seen.clear(self.compiled.terms);
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
            look_for_required(gates, document, seen);
        }
        self.note_stand_ins(seen);
    }

    /// Notes the alternatives of which a term was seen.
    fn note_stand_ins(&self, seen: &mut Seen) {
        for at in 0..seen.terms.len() {
            let TermState { term, fields, .. } = seen.terms[at];
            let (start, end) = self.compiled.uses[term as usize].memberships;
            for membership in &self.compiled.memberships[start as usize..end as usize] {
                if membership.fields.intersects(fields) {
                    seen.note(membership.stand_in);
                }
            }
        }
    }

    fn look_into(&self, text: &str, field: FieldSet, seen: &mut Seen) {
        seen.start_field();
        let mut tokens = std::mem::take(&mut seen.tokens);
        tokenize(text, &mut tokens, |token| self.step(&token, text, field, seen));
        seen.tokens = tokens;
    }

    fn step(&self, token: &Token<'_>, text: &str, field: FieldSet, seen: &mut Seen) {
        seen.word += if token.gap == Gap::Block { BLOCK_WORDS + 1 } else { 1 };
        seen.ids.clear();
        let vocabulary = &self.compiled.vocabulary;
        vocabulary.find(token.folded, token.cased, &mut seen.ids);
        if vocabulary.has_forms() && !token.hangul {
            vocabulary.find_forms(&text[token.start..token.end], &mut seen.forms, &mut seen.ids);
        }
        if seen.ids.is_empty() {
            seen.open.clear();
            return;
        }
        let place = |start: u32| Place { field, start, end: offset(token.end), previous: 0 };
        let phrases = &self.compiled.phrases;
        let mut next = std::mem::take(&mut seen.next);
        let ids = std::mem::take(&mut seen.ids);
        if token.gap != Gap::Block {
            for at in 0..seen.open.len() {
                let (node, start) = seen.open[at];
                for id in &ids {
                    let tight = phrases.next(node, *id, false).filter(|_| token.gap == Gap::Tight);
                    let loose = phrases.next(node, *id, true);
                    for node in tight.into_iter().chain(loose) {
                        next.push((node, start));
                        self.record(phrases.terms[node as usize], place(start), seen);
                    }
                }
            }
        }
        for id in &ids {
            let word = self.compiled.words[*id as usize];
            self.record(word.term, place(offset(token.start)), seen);
            if word.node != NONE {
                next.push((word.node, offset(token.start)));
            }
        }
        seen.ids = ids;
        std::mem::swap(&mut seen.open, &mut next);
        next.clear();
        seen.next = next;
    }

    fn record(&self, term: TermId, place: Place, seen: &mut Seen) {
        if term != NONE {
            seen.record(term, place);
            if self.compiled.uses[term as usize].placed != 0 {
                seen.record_word(term, place);
            }
        }
    }

    /// Finds the rules that may match: an anchor was seen, and one term of the second group.
    fn collect_candidates(&self, seen: &mut Seen) {
        let compiled = &self.compiled;
        seen.candidates.clear();
        seen.candidates.extend(&compiled.always);
        for TermState { term, .. } in &seen.terms {
            let (start, end) = compiled.uses[*term as usize].postings;
            for posting in &compiled.postings[start as usize..end as usize] {
                let was_seen = |term: &TermId| *term != NONE && seen.has(*term);
                if posting.filter[0] == NONE || posting.filter.iter().any(was_seen) {
                    seen.candidates.push(posting.rule);
                }
            }
        }
        seen.candidates.sort_unstable();
        seen.candidates.dedup();
    }

    fn holds(&self, rule: u32, document: &Document<'_>, seen: &Seen) -> bool {
        let Condition { start, costly, end, scoped } = self.compiled.conditions[rule as usize];
        let all = |start: u32, end: u32| {
            let clauses = &self.compiled.children[start as usize..end as usize];
            clauses.iter().all(|clause| self.is_true(*clause, document, seen))
        };
        let is_in_scope = || {
            let rule = &self.compiled.rules[rule as usize];
            in_scope(&rule.feeds, &rule.tags, document)
        };
        all(start, costly) && (!scoped || is_in_scope()) && all(costly, end)
    }

    /// Whether each clause of a rule holds.
    pub(super) fn clauses_hold(&self, rule: usize, document: &Document<'_>, seen: &Seen) -> Vec<bool> {
        self.compiled.rules[rule].clauses.iter().map(|clause| self.is_true(*clause, document, seen)).collect()
    }

    fn is_true(&self, node: u32, document: &Document<'_>, seen: &Seen) -> bool {
        let children = |start: u32, end: u32| &self.compiled.children[start as usize..end as usize];
        let is_true = |child: &u32| self.is_true(*child, document, seen);
        match self.compiled.nodes[node as usize] {
            Node::All(start, end) => children(start, end).iter().all(is_true),
            Node::Any(start, end) => children(start, end).iter().any(is_true),
            Node::Not(child) => !is_true(&child),
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
        if operand.len() <= seen.terms.len() {
            operand.iter().for_each(add);
        } else {
            // Of thousands of names a text has a few.
            let leaf = |state: &TermState| leaf_of(state.term, operand);
            seen.terms.iter().filter_map(leaf).for_each(&mut add);
        }
        spans
    }

    /// Returns the places of a rule's terms in the order of the text; of too many, the first of each term and then
    /// the first of all. Of terms that must be near each other only those that are, and none in the URL.
    pub(super) fn told(&self, rule: usize, document: &Document<'_>, seen: &Seen) -> Vec<TermMatch> {
        let rule = &self.compiled.rules[rule];
        let mut first = Vec::new();
        let mut others = Vec::new();
        let mut tell = |written: &Arc<str>, mut places: Vec<ToldPlace>| {
            places.sort_unstable_by_key(|(field, start, end)| (field.bits(), *start, *end));
            places.dedup();
            let mut found = places.into_iter().filter_map(|(field, start, end)| {
                let (term, field) = (written.to_string(), field.field()?);
                Some(TermMatch { term, field, start: start as usize, end: end as usize })
            });
            first.extend(found.next());
            others.extend(found.take(MAX_PLACES));
        };
        let mut near = self.near_places(&rule.told_near, seen);
        for told in told_of(&rule.told, seen) {
            let mut places: Vec<_> = seen.places_of(told.term, told.fields);
            if let Some(at) = near.iter().position(|near| near.term == told.term) {
                places.extend(near.swap_remove(at).places);
            }
            tell(&told.written, places);
        }
        for NearPlaces { written, places, .. } in near {
            tell(&written, places);
        }
        for (index, fields) in &rule.told_regexes {
            let regex = &self.compiled.regexes[*index as usize];
            let in_fields = FIELDS.iter().filter(|field| fields.contains(**field)).flat_map(|field| {
                let places = regex.places(document.text(*field)).take(MAX_PLACES);
                places.map(|(start, end)| (FieldSet::of(&[*field]), offset(start), offset(end)))
            });
            tell(&regex.written, in_fields.collect());
        }
        let order = |place: &TermMatch| (place_of(place.field), place.start, place.end);
        first.sort_by_key(order);
        others.sort_by_key(order);
        first.extend(others);
        first.truncate(MAX_PLACES);
        first.sort_by_key(order);
        first
    }

    /// Returns by term the places that are near each other, of proximities that hold.
    fn near_places(&self, proximities: &[u32], seen: &Seen) -> Vec<NearPlaces> {
        let mut by_term: Vec<NearPlaces> = Vec::new();
        for index in proximities {
            let proximity = &self.compiled.proximities[*index as usize];
            let spans = proximity.operands.iter().map(|operand| self.spans(operand, seen)).collect();
            for (operand, spans) in proximity.operands.iter().zip(chained(spans, &proximity.distances)) {
                for place in spans.iter().map(|span| seen.words[span.place as usize]) {
                    let told = (place.field, place.start, place.end);
                    if let Some(known) = by_term.iter_mut().find(|known| known.term == place.term) {
                        known.places.push(told);
                    } else if let Some(leaf) = leaf_of(place.term, operand) {
                        let (term, written) = (place.term, Arc::clone(&leaf.written));
                        by_term.push(NearPlaces { term, written, places: vec![told] });
                    }
                }
            }
        }
        by_term
    }
}

/// Returns the term among those of an operand, which are in their order.
fn leaf_of(term: TermId, operand: &[Told]) -> Option<&Told> {
    operand.binary_search_by_key(&term, |leaf| leaf.term).ok().map(|at| &operand[at])
}

/// Returns the terms of a rule that were seen, each once: a group may hold one that the rule or another group has too.
fn told_of(lists: &[Arc<[Told]>], seen: &Seen) -> Vec<Told> {
    let mut found: Vec<Told> = Vec::new();
    let mut places: FxHashMap<TermId, usize> = FxHashMap::default();
    let mut all: Vec<&Told> = Vec::new();
    for (index, list) in lists.iter().enumerate() {
        let from = all.len();
        if index > 0 && list.len() > seen.terms.len() {
            // Of thousands of names a text has a few.
            all.extend(seen.terms.iter().filter_map(|state| leaf_of(state.term, list)));
            all[from..].sort_by_key(|told| told.term);
        } else {
            all.extend(list.iter().filter(|told| seen.has(told.term)));
        }
    }
    for told in all {
        match places.get(&told.term) {
            Some(place) => found[*place].fields = found[*place].fields.union(told.fields),
            None => {
                places.insert(told.term, found.len());
                found.push(told.clone());
            }
        }
    }
    found
}

/// Notes of which regular expressions a document has a text that they require.
fn look_for_required(gates: &Gates, document: &Document<'_>, seen: &mut Seen) {
    let mut missing = gates.count;
    let mut look = |text: &str, seen: &mut Seen| {
        for found in gates.automaton.find_overlapping_iter(text) {
            for term in &gates.terms[found.pattern().as_usize()] {
                missing -= usize::from(seen.note(*term));
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

fn place_of(field: Field) -> usize {
    FIELDS.iter().position(|known| *known == field).unwrap_or_default()
}

fn offset(at: usize) -> u32 {
    // Texts are bounded far below when they are fetched.
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Seen {
    fn clear(&mut self, terms: usize) {
        for state in self.terms.drain(..) {
            self.bits[state.term as usize / 64] = 0;
        }
        if self.slots.len() != terms {
            self.slots = vec![0; terms];
            self.bits = vec![0; terms.div_ceil(64)];
        }
        self.places.clear();
        self.words.clear();
        self.word = 0;
    }

    fn start_field(&mut self) {
        self.open.clear();
        for state in &mut self.terms {
            state.count = 0;
        }
    }

    fn has(&self, term: TermId) -> bool {
        self.bits[term as usize / 64] & (1 << (term % 64)) != 0
    }

    fn state(&self, term: TermId) -> Option<&TermState> {
        if !self.has(term) {
            return None;
        }
        Some(&self.terms[self.slots[term as usize] as usize])
    }

    /// Notes that a term was seen; false if that was known.
    fn note(&mut self, term: TermId) -> bool {
        let is_new = !self.has(term);
        if is_new {
            self.bits[term as usize / 64] |= 1 << (term % 64);
            self.terms.push(TermState { term, fields: FieldSet::default(), count: 0, last: 0, last_word: 0 });
            self.slots[term as usize] = offset(self.terms.len() - 1);
        }
        is_new
    }

    fn record(&mut self, term: TermId, place: Place) {
        self.note(term);
        let state = &mut self.terms[self.slots[term as usize] as usize];
        state.fields = state.fields.union(place.field);
        if usize::from(state.count) < MAX_PLACES {
            self.places.push(Place { previous: state.last, ..place });
            state.last = offset(self.places.len());
            state.count += 1;
        }
    }

    /// Notes the number of a term's last word; all of them, since the nearest of two terms may be far into a text.
    fn record_word(&mut self, term: TermId, place: Place) {
        let state = &mut self.terms[self.slots[term as usize] as usize];
        let Place { field, start, end, .. } = place;
        self.words.push(WordPlace { word: self.word, term, start, end, field, previous: state.last_word });
        state.last_word = offset(self.words.len());
    }

    /// Appends where a term of so many words stands in its fields.
    fn spans_of(&self, leaf: &Told, length: u32, spans: &mut Vec<WordSpan>) {
        let mut at = self.state(leaf.term).map_or(0, |state| state.last_word);
        while at != 0 {
            let place = self.words[at as usize - 1];
            if leaf.fields.intersects(place.field) {
                spans.push(WordSpan { first: place.word + 1 - u64::from(length), last: place.word, place: at - 1 });
            }
            at = place.previous;
        }
    }

    /// Returns the places of a term in some fields.
    fn places_of(&self, term: TermId, fields: FieldSet) -> Vec<ToldPlace> {
        let mut places = Vec::new();
        let mut at = self.state(term).map_or(0, |state| state.last);
        while at != 0 {
            let place = self.places[at as usize - 1];
            if fields.intersects(place.field) {
                places.push((place.field, place.start, place.end));
            }
            at = place.previous;
        }
        places
    }
}
