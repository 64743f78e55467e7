//! Terms near each other: what is asked for, and whether places satisfy it.

use super::FieldSet;
use super::alternatives::Alternatives;
use std::sync::Arc;

/// The words that may stand between two terms at most.
pub(super) const MAX_DISTANCE: u32 = 1000;

/// What a field or a block adds to the number of a word, so that nothing beyond it is near.
pub(super) const BLOCK_WORDS: u64 = MAX_DISTANCE as u64 + 1;

/// How far apart two neighbours may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Distance {
    /// The words between them at most.
    pub(super) words: u32,
    /// Whether the second stands after the first.
    pub(super) ordered: bool,
}

/// A chain of places: one of each operand, each near the one before it, in one block of one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proximity {
    /// Two or more.
    operands: Vec<Arc<Alternatives>>,
    /// Between an operand and the next: one fewer.
    distances: Vec<Distance>,
}

impl Proximity {
    /// Makes a chain of operands; none if they have no field in common.
    pub(super) fn new(operands: Vec<Arc<Alternatives>>, distances: Vec<(u32, bool)>) -> Option<Self> {
        let common = operands.iter().map(|operand| operand.fields()).reduce(FieldSet::intersection)?;
        let operands: Option<Vec<_>> = operands.into_iter().map(|operand| operand.within(common)).collect();
        let operands = operands?;
        let distances = distances.into_iter().map(|(words, ordered)| Distance { words, ordered }).collect();
        Some(Self { operands, distances })
    }

    pub(super) fn operands(&self) -> &[Arc<Alternatives>] {
        &self.operands
    }

    pub(super) fn distances(&self) -> &[Distance] {
        &self.distances
    }

    /// Returns what decides what it matches, the same for every order of alternatives, and for both directions of a
    /// chain in which order does not count.
    pub(super) fn key(&self) -> String {
        let operands: Vec<&str> = self.operands.iter().map(|operand| operand.key()).collect();
        let signs: Vec<String> = self
            .distances
            .iter()
            .map(|distance| format!("{}{};", if distance.ordered { '>' } else { '~' }, distance.words))
            .collect();
        let forward: String = operands[..1].concat()
            + &signs.iter().zip(&operands[1..]).map(|(sign, operand)| format!("{sign}{operand}")).collect::<String>();
        if self.distances.iter().any(|distance| distance.ordered) {
            return format!("n{}({forward})", operands.len());
        }
        let last = operands.len() - 1;
        let backward: String = operands[last..].concat()
            + &signs
                .iter()
                .rev()
                .zip(operands[..last].iter().rev())
                .map(|(s, o)| format!("{s}{o}"))
                .collect::<String>();
        format!("n{}({})", operands.len(), forward.min(backward))
    }
}

/// A place in words: its first, its last, and its number among the places.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordSpan {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) place: u32,
}

/// Whether there is a chain of places, one from each list, each near the one before. Takes time in proportion to the
/// places, but for sorting them.
pub(super) fn near(mut places: impl Iterator<Item = Vec<WordSpan>>, distances: &[Distance]) -> bool {
    let Some(mut reached) = places.next() else { return false };
    for (mut next, distance) in places.zip(distances) {
        if reached.is_empty() {
            return false;
        }
        retain_near(&mut next, &reached, distance.words, true, !distance.ordered);
        reached = next;
    }
    !reached.is_empty()
}

/// Returns of each list the places that are in such a chain.
pub(super) fn chained(mut places: Vec<Vec<WordSpan>>, distances: &[Distance]) -> Vec<Vec<WordSpan>> {
    for (at, distance) in distances.iter().enumerate() {
        let (before, after) = places.split_at_mut(at + 1);
        retain_near(&mut after[0], &before[at], distance.words, true, !distance.ordered);
    }
    for (at, distance) in distances.iter().enumerate().rev() {
        let (before, after) = places.split_at_mut(at + 1);
        retain_near(&mut before[at], &after[0], distance.words, !distance.ordered, true);
    }
    places
}

/// Keeps the places that have one of the others near, before them or after them.
fn retain_near(places: &mut Vec<WordSpan>, others: &[WordSpan], most: u32, before: bool, after: bool) {
    let mut firsts: Vec<u64> = others.iter().map(|other| other.first).collect();
    let mut lasts: Vec<u64> = others.iter().map(|other| other.last).collect();
    firsts.sort_unstable();
    lasts.sort_unstable();
    let most = u64::from(most);
    // The nearest place on either side decides.
    places.retain(|WordSpan { first, last, .. }| {
        let last_before = lasts.partition_point(|other| other < first).checked_sub(1).map(|at| lasts[at]);
        let first_after = firsts.get(firsts.partition_point(|other| other <= last)).copied();
        (before && last_before.is_some_and(|other| first - other - 1 <= most))
            || (after && first_after.is_some_and(|other| other - last - 1 <= most))
    });
}
