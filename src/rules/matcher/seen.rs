//! What was seen of the rules' terms in one document.

use super::batch::BatchSpace;
use super::{MAX_PLACES, Open, offset};
use crate::rules::FieldSet;
use crate::rules::compiled::{ALWAYS, Filter, TermBit, TermId, TermUse, Told, term_bit};
use crate::rules::forms::FormMemory;
use crate::rules::proximity::WordSpan;
use crate::rules::text::TokenSpace;
use crate::rules::vocabulary::{NONE, WordUse};

/// What is known of a term in the document at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermState {
    pub(super) term: TermId,
    /// The fields that it was seen in.
    pub(super) fields: FieldSet,
    /// Places in the field at hand.
    count: u8,
    /// Its last place in `Seen::places` plus one; 0 is none.
    pub(super) last: u32,
    /// Its last entry in `Seen::words` plus one; 0 is none.
    last_word: u32,
    /// The term before it with the same head, by its place in `Terms::states` plus one; 0 is none.
    previous: u32,
}

/// Where a term stands in words, for terms of which a rule asks it.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordPlace {
    /// Number of its last word.
    word: u64,
    pub(super) term: TermId,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The one field that it is in.
    pub(super) field: FieldSet,
    /// The place before it of the same term plus one; 0 is none.
    previous: u32,
}

/// A place of a term.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The one field that it is in.
    pub(super) field: FieldSet,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The place before it of the same term plus one; 0 is none.
    pub(super) previous: u32,
}

/// Places of heads.
const HEADS: usize = 1 << 10;

/// Words of as many bits as a `TermBit` can name, so that no place needs to be checked; those that none has are never
/// touched.
const WORDS_OF_BITS: usize = (TermBit::MAX as usize + 1) / 64;

/// The terms of a document. What is asked most often is in the nearest cache.
#[derive(Debug)]
pub(super) struct Terms {
    bits: Box<[u64; WORDS_OF_BITS]>,
    /// By the last bits of a term: the last such term in `states` plus one; 0 is none.
    heads: Box<[u32; HEADS]>,
    pub(super) states: Vec<TermState>,
}

impl Default for Terms {
    fn default() -> Self {
        let mut bits = Box::new([0; WORDS_OF_BITS]);
        bits[usize::from(ALWAYS) / 64] |= 1 << (ALWAYS % 64);
        Self { bits, heads: Box::new([0; HEADS]), states: Vec::new() }
    }
}

fn head(term: TermId) -> usize {
    term as usize % HEADS
}

impl Terms {
    fn clear(&mut self) {
        for state in self.states.drain(..) {
            self.bits[usize::from(term_bit(state.term)) / 64] = 0;
            self.heads[head(state.term)] = 0;
        }
    }

    fn may_have(&self, bit: TermBit) -> bool {
        self.bits[usize::from(bit) / 64] & (1 << (bit % 64)) != 0
    }

    fn place(&self, term: TermId) -> Option<usize> {
        if !self.may_have(term_bit(term)) {
            return None;
        }
        let mut at = self.heads[head(term)];
        while let Some(state) = self.states.get((at as usize).wrapping_sub(1)) {
            if state.term == term {
                return Some(at as usize - 1);
            }
            at = state.previous;
        }
        None
    }

    /// Returns the place of a term, which gets one if it has none, and whether it is new.
    fn enter(&mut self, term: TermId) -> (usize, bool) {
        if let Some(place) = self.place(term) {
            return (place, false);
        }
        let (bit, head) = (term_bit(term), &mut self.heads[head(term)]);
        self.bits[usize::from(bit) / 64] |= 1 << (bit % 64);
        let previous = *head;
        self.states.push(TermState { term, fields: FieldSet::default(), count: 0, last: 0, last_word: 0, previous });
        *head = offset(self.states.len());
        (self.states.len() - 1, true)
    }
}

/// What was seen of the rules' terms in one document.
#[derive(Debug, Default)]
pub(in super::super) struct Seen {
    pub(super) tokens: TokenSpace,
    pub(super) batch: BatchSpace,
    pub(super) terms: Terms,
    /// Postings of the terms.
    pub(super) postings: Vec<(u32, u32)>,
    /// The first membership of each term that has some.
    pub(super) members: Vec<u32>,
    pub(super) places: Vec<Place>,
    pub(super) words: Vec<WordPlace>,
    /// Number of the word at hand, with a leap at each block and field.
    pub(super) word: u64,
    /// The words that the token at hand is.
    pub(super) found: Vec<WordUse>,
    pub(super) forms: FormMemory,
    pub(super) open: Vec<Open>,
    pub(super) next: Vec<Open>,
    pub(super) candidates: Vec<u32>,
}

impl Seen {
    pub(super) fn clear(&mut self) {
        self.terms.clear();
        self.postings.clear();
        self.members.clear();
        self.places.clear();
        self.words.clear();
        self.word = 0;
    }

    pub(super) fn start_field(&mut self) {
        self.open.clear();
        for state in &mut self.terms.states {
            state.count = 0;
        }
    }

    pub(super) fn has(&self, term: TermId) -> bool {
        self.terms.place(term).is_some()
    }

    pub(super) fn state(&self, term: TermId) -> Option<&TermState> {
        self.terms.place(term).map(|place| &self.terms.states[place])
    }

    /// Whether a filter lets a rule pass: always, if a term of it was seen.
    pub(super) fn passes(&self, filter: Filter) -> bool {
        // All are looked at: that takes less than to guess which of them decides.
        filter.iter().fold(false, |passes, bit| passes | self.terms.may_have(*bit))
    }

    /// Notes that a term was seen; false if that was known.
    pub(super) fn note(&mut self, of: &TermUse) -> bool {
        self.enter(of).1
    }

    fn enter(&mut self, of: &TermUse) -> (usize, bool) {
        let (place, is_new) = self.terms.enter(of.term);
        if is_new {
            if of.postings.0 != of.postings.1 {
                self.postings.push(of.postings);
            }
            if of.memberships != NONE {
                self.members.push(of.memberships);
            }
        }
        (place, is_new)
    }

    pub(super) fn record(&mut self, of: &TermUse, place: Place) {
        if of.term == NONE {
            return;
        }
        let (at, _) = self.enter(of);
        let state = &mut self.terms.states[at];
        state.fields = state.fields.union(place.field);
        if usize::from(state.count) < MAX_PLACES {
            self.places.push(Place { previous: state.last, ..place });
            state.last = offset(self.places.len());
            state.count += 1;
        }
        if of.placed != 0 {
            // All of them, since the nearest of two terms may be far into a text.
            let (Place { field, start, end, .. }, previous) = (place, state.last_word);
            self.words.push(WordPlace { word: self.word, term: of.term, start, end, field, previous });
            state.last_word = offset(self.words.len());
        }
    }

    /// Appends where a term of so many words stands in its fields.
    pub(super) fn spans_of(&self, leaf: &Told, length: u32, spans: &mut Vec<WordSpan>) {
        let mut at = self.state(leaf.term).map_or(0, |state| state.last_word);
        while at != 0 {
            let place = self.words[at as usize - 1];
            if leaf.fields.intersects(place.field) {
                spans.push(WordSpan { first: place.word + 1 - u64::from(length), last: place.word, place: at - 1 });
            }
            at = place.previous;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::compiled::NEVER;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Numbers that share bits, heads or both.
    fn term() -> impl Strategy<Value = TermId> {
        (0_u32..3, 0_u32..5, 0_u32..4).prop_map(|(own, heads, bits)| own + (heads << 10) + (bits << 15))
    }

    proptest! {
        #[test]
        fn terms_are_told_apart_whatever_they_share(
            documents in prop::collection::vec(prop::collection::vec(term(), 0..30), 1..4),
            asked in prop::collection::vec(term(), 30),
        ) {
            let mut seen = Seen::default();
            for document in documents {
                seen.clear();
                let mut known = BTreeSet::new();
                for term in document {
                    prop_assert_eq!(seen.note(&TermUse::of(term)), known.insert(term));
                }
                for term in &asked {
                    prop_assert_eq!(seen.state(*term).map(|state| state.term), known.get(term).copied());
                    prop_assert!(!known.contains(term) || seen.passes([NEVER, NEVER, term_bit(*term)]));
                }
                prop_assert!(seen.passes([ALWAYS, NEVER, NEVER]));
                prop_assert!(!seen.passes([NEVER; 3]));
            }
            seen.clear();
            prop_assert!(asked.iter().all(|term| !seen.passes([term_bit(*term); 3])), "a cleared space knows a term");
        }
    }
}
