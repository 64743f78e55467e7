//! Which terms made a rule match, and where.

use super::{MAX_PLACES, RuleSet, Seen, offset};
use crate::core::hit::{Field, TermMatch};
use crate::rules::compiled::{CompiledRule, TermId, Told};
use crate::rules::proximity::chained;
use crate::rules::{Document, FIELDS, FieldSet};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::borrow::Cow;

/// A place to tell: field, first byte, byte after the last.
pub(super) type ToldPlace = (FieldSet, u32, u32);

/// A term and places of it to tell.
struct NearPlaces {
    term: TermId,
    written: SmolStr,
    places: Vec<ToldPlace>,
}

/// Places that are told, of each term the first and then others.
#[derive(Default)]
struct Places {
    first: Vec<TermMatch>,
    others: Vec<TermMatch>,
}

impl Places {
    /// Tells places of a term, and empties their list.
    fn tell(&mut self, written: &SmolStr, places: &mut Vec<ToldPlace>) {
        if places.len() > 1 {
            places.sort_unstable_by_key(|(field, start, end)| (field.bits(), *start, *end));
            places.dedup();
        }
        let mut found = places.drain(..).filter_map(|(field, start, end)| {
            let (term, field) = (written.clone(), field.field()?);
            Some(TermMatch { term, field, start: start as usize, end: end as usize })
        });
        self.first.extend(found.next());
        self.others.extend(found.take(MAX_PLACES));
    }

    /// Returns the places in the order of the text; of too many, the first of each term and then the first of all.
    fn in_order(self) -> Vec<TermMatch> {
        let order = |place: &TermMatch| (place_of(place.field), place.start, place.end);
        let Self { mut first, mut others } = self;
        if !others.is_empty() {
            first.sort_by_key(order);
            others.sort_by_key(order);
            first.append(&mut others);
            first.truncate(MAX_PLACES);
        }
        first.sort_by_key(order);
        first.truncate(MAX_PLACES);
        first
    }
}

fn place_of(field: Field) -> usize {
    FIELDS.iter().position(|known| *known == field).unwrap_or_default()
}

impl RuleSet {
    /// Returns the places of a rule's terms in the order of the text; of too many, the first of each term and then
    /// the first of all. Of terms that must be near each other only those that are, and none in the URL.
    pub(in super::super) fn told(&self, rule: usize, document: &Document<'_>, seen: &Seen) -> Vec<TermMatch> {
        self.told_by(rule, document, seen, &mut Vec::new())
    }

    /// The same, in space that is used again.
    pub(super) fn told_by(
        &self,
        rule: usize,
        document: &Document<'_>,
        seen: &Seen,
        places: &mut Vec<ToldPlace>,
    ) -> Vec<TermMatch> {
        let rule = &self.compiled.rules[rule];
        let mut told_places = Places::default();
        let mut near = self.near_places(&rule.told_near, seen);
        for told in self.told_terms(rule, seen).iter().filter(|told| seen.has(told.term)) {
            seen.places_of(told.term, told.fields, places);
            if let Some(at) = near.iter().position(|near| near.term == told.term) {
                places.extend(near.swap_remove(at).places);
            }
            told_places.tell(&told.written, places);
        }
        for NearPlaces { written, mut places, .. } in near {
            told_places.tell(&written, &mut places);
        }
        for (index, fields) in &rule.told_regexes {
            let regex = &self.compiled.regexes[*index as usize];
            for field in FIELDS.into_iter().filter(|field| fields.contains(*field)) {
                let found = regex.places(document.text(field)).take(MAX_PLACES);
                places.extend(found.map(|(start, end)| (FieldSet::of(&[field]), offset(start), offset(end))));
            }
            told_places.tell(&SmolStr::from(&*regex.written), places);
        }
        told_places.in_order()
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
                        let (term, written) = (place.term, leaf.written.clone());
                        by_term.push(NearPlaces { term, written, places: vec![told] });
                    }
                }
            }
        }
        by_term
    }

    /// Returns the terms of a rule, of which those that were seen are there once: a term group may hold one that the
    /// rule or another group has too.
    pub(super) fn told_terms(&self, rule: &CompiledRule, seen: &Seen) -> Cow<'_, [Told]> {
        let own = &self.compiled.told[rule.told.0 as usize..rule.told.1 as usize];
        if rule.told_groups.is_empty() {
            return Cow::Borrowed(own);
        }
        let mut all: Vec<&Told> = own.iter().collect();
        for list in &rule.told_groups {
            let from = all.len();
            if list.len() > seen.terms.states.len() {
                // Of thousands of names a text has a few.
                all.extend(seen.terms.states.iter().filter_map(|state| leaf_of(state.term, list)));
                all[from..].sort_by_key(|told| told.term);
            } else {
                all.extend(list.iter());
            }
        }
        let mut found: Vec<Told> = Vec::new();
        let mut places: FxHashMap<TermId, usize> = FxHashMap::default();
        for told in all.into_iter().filter(|told| seen.has(told.term)) {
            match places.get(&told.term) {
                Some(place) => found[*place].fields = found[*place].fields.union(told.fields),
                None => {
                    places.insert(told.term, found.len());
                    found.push(told.clone());
                }
            }
        }
        Cow::Owned(found)
    }
}

/// Returns the term among those of an operand, which are in their order.
pub(super) fn leaf_of(term: TermId, operand: &[Told]) -> Option<&Told> {
    operand.binary_search_by_key(&term, |leaf| leaf.term).ok().map(|at| &operand[at])
}

impl Seen {
    /// Appends the places of a term in some fields.
    fn places_of(&self, term: TermId, fields: FieldSet, places: &mut Vec<ToldPlace>) {
        let mut at = self.state(term).map_or(0, |state| state.last);
        while at != 0 {
            let place = self.places[at as usize - 1];
            if fields.intersects(place.field) {
                places.push((place.field, place.start, place.end));
            }
            at = place.previous;
        }
    }
}
