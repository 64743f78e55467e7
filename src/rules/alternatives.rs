//! Terms of which one is needed: those of a group, or of a place in a proximity; made once and shared.

use super::FieldSet;
use super::term::Term;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// A term within some fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    pub(super) term: Arc<Term>,
    pub(super) fields: FieldSet,
}

/// Terms of which one is needed, one or more.
#[derive(Debug)]
pub(super) struct Alternatives {
    leaves: Vec<Leaf>,
    /// The fields of them all.
    fields: FieldSet,
    /// Whether some word of them has other forms.
    inflects: bool,
    /// Their key, since it takes long to make where there are thousands.
    key: String,
    /// What many of them are among others, since thousands of rules may add a word each to thousands of terms.
    known: Option<Known>,
    /// How a rule names them, where it does not write out each term.
    names: Vec<Arc<str>>,
    /// Those that fewer fields can have, for all rules that ask for these.
    narrowed: Mutex<Vec<(FieldSet, Arc<Alternatives>)>>,
}

impl PartialEq for Alternatives {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Alternatives {
    pub(super) fn new(leaves: Vec<Leaf>) -> Self {
        let mut keys = Keys::default();
        leaves.iter().for_each(|leaf| keys.leaf("t", leaf.term.key(), leaf.fields));
        let fields = leaves.iter().fold(FieldSet::default(), |fields, leaf| fields.union(leaf.fields));
        let known = keys.known();
        let key = known.as_ref().map_or_else(|| keys.into_key('|'), |known| known.tally.key('|'));
        let inflects = leaves.iter().any(|leaf| leaf.term.inflects());
        Self { leaves, fields, inflects, key, known, names: Vec::new(), narrowed: Mutex::default() }
    }

    /// Makes one of several.
    pub(super) fn joined(several: &[Arc<Self>]) -> Self {
        let names = several.iter().flat_map(|alternatives| alternatives.names()).collect();
        Self::new(several.iter().flat_map(|alternatives| alternatives.leaves.iter().cloned()).collect()).named(names)
    }

    /// Returns them as a rule names them: `@missile`.
    pub(super) fn named(self, names: Vec<Arc<str>>) -> Self {
        Self { names, ..self }
    }

    /// Returns how a rule names them: term groups by their name, terms as they are written.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        match self.names.is_empty() {
            true => self.leaves.iter().map(|leaf| format!("`{}`", leaf.term.written).into()).collect(),
            false => self.names.clone(),
        }
    }

    /// Whether they are a term group.
    pub(super) fn is_group(&self) -> bool {
        matches!(self.names.as_slice(), [name] if name.starts_with('@'))
    }

    pub(super) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    pub(super) fn fields(&self) -> FieldSet {
        self.fields
    }

    pub(super) fn inflects(&self) -> bool {
        self.inflects
    }

    /// Returns what decides what they match, the same for every order and repetition.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Adds the keys of the terms as those of alternatives among others.
    pub(super) fn leaf_keys<'a>(&'a self, keys: &mut Keys<'a>) {
        match &self.known {
            Some(known) => keys.known.push(known),
            None => self.leaves.iter().for_each(|leaf| keys.leaf("t", leaf.term.key(), leaf.fields)),
        }
    }

    /// Returns those that some fields can have; none if there is none.
    pub(super) fn within(self: Arc<Self>, common: FieldSet) -> Option<Arc<Self>> {
        if self.fields.intersection(common) == self.fields {
            return Some(self);
        }
        let mut narrowed = self.narrowed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = narrowed.iter().find(|(fields, _)| *fields == common) {
            return Some(Arc::clone(made));
        }
        let within = |leaf: &Leaf| Leaf { fields: leaf.fields.intersection(common), ..leaf.clone() };
        let mut leaves: Vec<Leaf> = self.leaves.iter().map(within).collect();
        leaves.retain(|leaf| leaf.fields != FieldSet::default());
        if leaves.is_empty() {
            return None;
        }
        let made = Arc::new(Self::new(leaves).named(self.names.clone()));
        narrowed.push((common, Arc::clone(&made)));
        Some(made)
    }
}

/// The bytes of a key from which on its hash stands for it.
const MAX_KEY: usize = 256;

/// What alternatives (or, negated, conditions) match: those that differ in their fields alone are one in all of these.
#[derive(Default)]
pub(super) struct Keys<'a> {
    whole: Vec<String>,
    /// By what stands before and behind the fields.
    leaves: BTreeMap<(&'static str, String), FieldSet>,
    /// Terms that are among them as well, whose keys are not made again.
    known: Vec<&'a Known>,
}

/// The keys of terms too many for one that is written out, each with its fields.
#[derive(Debug)]
struct Known {
    leaves: FxHashMap<String, FieldSet>,
    tally: Tally,
    /// By the tallies of others, which have no more terms: that of all together, since thousands of rules may join the
    /// same groups.
    with_others: Mutex<FxHashMap<Vec<Tally>, Tally>>,
}

impl Known {
    /// Returns the tally of all of them, each of which is larger than the next.
    fn tally_of(all: &[&Self]) -> Tally {
        let [first, others @ ..] = all else { return Tally::default() };
        if others.is_empty() {
            return first.tally.clone();
        }
        let of_others = others.iter().map(|other| other.tally.clone()).collect();
        let mut with_others = first.with_others.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = || {
            let mut tally = first.tally.clone();
            for (at, other) in others.iter().enumerate() {
                tally.add_all(&other.tally);
                for (key, fields) in &other.leaves {
                    if let Some(before) = Self::fields(&all[..=at], key) {
                        tally.remove(&leaf_key("t", *fields, key));
                        tally.widen("t", key, Some(before), *fields);
                    }
                }
            }
            tally
        };
        with_others.entry(of_others).or_insert_with(tally).clone()
    }

    /// Returns the fields that a term has in some of them, if it is there.
    fn fields(all: &[&Self], key: &str) -> Option<FieldSet> {
        all.iter().filter_map(|known| known.leaves.get(key)).copied().reduce(FieldSet::union)
    }
}

/// A set of keys, the same in every order, of which one more or less takes no time: their number, their bytes, and the
/// sum of their hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Tally {
    count: usize,
    bytes: usize,
    sum: [u64; 2],
}

impl Tally {
    fn add(&mut self, key: &str) {
        self.count += 1;
        self.bytes += key.len();
        let hash = hash(key);
        self.sum = std::array::from_fn(|lane| self.sum[lane].wrapping_add(hash[lane]));
    }

    fn remove(&mut self, key: &str) {
        self.count -= 1;
        self.bytes -= key.len();
        let hash = hash(key);
        self.sum = std::array::from_fn(|lane| self.sum[lane].wrapping_sub(hash[lane]));
    }

    /// Adds the keys of another set that has none of them.
    fn add_all(&mut self, other: &Self) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.sum = std::array::from_fn(|lane| self.sum[lane].wrapping_add(other.sum[lane]));
    }

    /// Adds a leaf that is there within some fields, or not yet.
    fn widen(&mut self, sign: &str, key: &str, before: Option<FieldSet>, fields: FieldSet) {
        let all = before.unwrap_or_default().union(fields);
        if before == Some(all) {
            return;
        }
        before.into_iter().for_each(|before| self.remove(&leaf_key(sign, before, key)));
        self.add(&leaf_key(sign, all, key));
    }

    fn key(&self, sign: char) -> String {
        let hash: String = self.sum.iter().map(|lane| format!("{lane:016x}")).collect();
        format!("{sign}{}#{hash}", self.count)
    }
}

fn hash(key: &str) -> [u64; 2] {
    let bytes = Sha256::digest(key);
    std::array::from_fn(|lane| bytes.iter().skip(lane * 8).take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn leaf_key(sign: &str, fields: FieldSet, key: &str) -> String {
    format!("{sign}{}/{key}", fields.bits())
}

impl Keys<'_> {
    /// Adds a leaf of some kind within some fields.
    pub(super) fn leaf(&mut self, sign: &'static str, key: String, fields: FieldSet) {
        let known = self.leaves.entry((sign, key)).or_default();
        *known = known.union(fields);
    }

    /// Adds another kind of part.
    pub(super) fn whole(&mut self, key: String) {
        self.whole.push(key);
    }

    /// Returns what they are among others, if they are terms, and too many for a key that is written out.
    fn known(&self) -> Option<Known> {
        let tally = self.tally();
        let leaves = || self.leaves.iter().map(|((_, key), fields)| (key.clone(), *fields)).collect();
        (tally.bytes > MAX_KEY && tally.count > 1).then(|| Known {
            leaves: leaves(),
            tally,
            with_others: Mutex::default(),
        })
    }

    fn tally(&self) -> Tally {
        let mut known = self.known.clone();
        known.sort_unstable_by(|one, other| other.tally.cmp(&one.tally));
        known.dedup_by(|one, other| one.tally == other.tally);
        let mut tally = Known::tally_of(&known);
        for ((sign, key), fields) in &self.leaves {
            let before = if *sign == "t" { Known::fields(&known, key) } else { None };
            tally.widen(sign, key, before, *fields);
        }
        let whole: BTreeSet<&String> = self.whole.iter().collect();
        whole.into_iter().for_each(|key| tally.add(key));
        tally
    }

    /// Returns the key of parts of which all (`&`) or one (`|`) must hold, the same for every order and repetition.
    pub(super) fn into_key(self, sign: char) -> String {
        let tally = self.tally();
        if tally.bytes > MAX_KEY && tally.count > 1 {
            return tally.key(sign);
        }
        let leaves = self.leaves.into_iter().map(|((sign, key), fields)| leaf_key(sign, fields, &key));
        let mut keys: Vec<String> = self.whole.into_iter().chain(leaves).collect();
        keys.sort_unstable();
        keys.dedup();
        match keys.len() {
            1 => keys.remove(0),
            count => format!("{sign}{count}({})", keys.concat()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Case, Reading, expression::Expression};

    fn leaf(word: &str, fields: u8) -> Leaf {
        let term = Term::parse(word, Reading::of_case(Case::Ignore)).unwrap();
        Leaf { term: Arc::new(term), fields: FieldSet(fields) }
    }

    /// Terms among others have the key of all of them spelled out, also where both have some, in the same fields or not.
    #[test]
    fn a_group_and_more_terms_have_the_key_of_all_spelled_out() {
        let words: Vec<String> = (0..60).map(|number| format!("word{number}")).collect();
        let of = |from: usize, to: usize, fields| -> Vec<Leaf> {
            words[from..to].iter().map(|word| leaf(word, fields)).collect()
        };
        let group = |leaves| Expression::Group(Arc::new(Alternatives::new(leaves)));
        let term = |leaf: Leaf| Expression::Term(leaf.term, leaf.fields);
        let spelled = |leaves: Vec<Leaf>| Expression::Any(leaves.into_iter().map(term).collect()).key();
        for (first, second, more) in [
            (of(0, 40, 7), of(20, 60, 7), leaf("other", 7)),
            (of(0, 40, 7), of(20, 60, 1), leaf("word30", 8)),
            (of(0, 2, 1), of(1, 3, 4), leaf("word0", 2)),
            (of(0, 40, 1), of(3, 4, 3), leaf("word3", 1)),
            (of(0, 40, 1), of(10, 50, 3), leaf("word12", 4)),
            (of(0, 40, 1), of(0, 40, 1), leaf("word3", 1)),
        ] {
            // With a third group that has terms of both.
            for third in [of(0, 1, 1), of(20, 59, 1), of(5, 45, 6)] {
                let all = [&[more.clone()][..], &third, &second, &first].concat();
                let joined = |order: [&Vec<Leaf>; 3]| {
                    let groups = order.map(|leaves| group(leaves.clone()));
                    Expression::Any([vec![term(more.clone())], groups.to_vec()].concat())
                };
                assert_eq!(joined([&first, &second, &third]).key(), spelled(all.clone()));
                assert_eq!(joined([&third, &second, &first]).key(), spelled(all.clone()));
                let mut fewer = all;
                fewer.retain(|leaf| leaf.term.written != first[0].term.written);
                assert_ne!(joined([&first, &second, &third]).key(), spelled(fewer));
            }
        }
    }

    #[test]
    fn fewer_fields_of_a_group_are_made_once() {
        let group = Arc::new(Alternatives::new(vec![leaf("a", 7), leaf("b", 4)]));
        let title = Arc::clone(&group).within(FieldSet(1)).unwrap();
        assert_eq!((title.leaves().len(), title.fields()), (1, FieldSet(1)));
        assert!(Arc::ptr_eq(&title, &Arc::clone(&group).within(FieldSet(1)).unwrap()));
        assert!(Arc::ptr_eq(&group, &Arc::clone(&group).within(FieldSet(15)).unwrap()));
        assert_eq!(group.within(FieldSet(8)), None);
    }
}
