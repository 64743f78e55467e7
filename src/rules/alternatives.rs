//! Terms of which one is needed: those of a group, or of a place in a proximity; made once and shared.

use super::FieldSet;
use super::term::Term;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Their key, since it takes long to make where there are thousands.
    key: String,
    /// How a rule names them, where it does not write out each term.
    names: Vec<Arc<str>>,
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
        Self { leaves, fields, key: keys.joined('|'), names: Vec::new() }
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

    /// Returns what decides what they match, the same for every order and repetition.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Adds the keys of the terms as those of alternatives among others.
    pub(super) fn leaf_keys(&self, keys: &mut Keys) {
        self.leaves.iter().for_each(|leaf| keys.leaf("t", leaf.term.key(), leaf.fields));
    }

    /// Returns those that some fields can have; none if there is none.
    pub(super) fn within(self: Arc<Self>, common: FieldSet) -> Option<Arc<Self>> {
        if self.fields.intersection(common) == self.fields {
            return Some(self);
        }
        let within = |leaf: &Leaf| Leaf { fields: leaf.fields.intersection(common), ..leaf.clone() };
        let mut leaves: Vec<Leaf> = self.leaves.iter().map(within).collect();
        leaves.retain(|leaf| leaf.fields != FieldSet::default());
        (!leaves.is_empty()).then(|| Arc::new(Self::new(leaves).named(self.names.clone())))
    }
}

/// The bytes of a key from which on its hash stands for it.
const MAX_KEY: usize = 256;

/// What alternatives (or, negated, conditions) match: those that differ in their fields alone are one in all of these.
#[derive(Default)]
pub(super) struct Keys {
    whole: Vec<String>,
    /// By what stands before and behind the fields.
    leaves: BTreeMap<(&'static str, String), FieldSet>,
}

impl Keys {
    /// Adds a leaf of some kind within some fields.
    pub(super) fn leaf(&mut self, sign: &'static str, key: String, fields: FieldSet) {
        let known = self.leaves.entry((sign, key)).or_default();
        *known = known.union(fields);
    }

    /// Adds another kind of part.
    pub(super) fn whole(&mut self, key: String) {
        self.whole.push(key);
    }

    /// Returns the key of parts of which all (`&`) or one (`|`) must hold, the same for every order and repetition.
    pub(super) fn joined(self, sign: char) -> String {
        let leaves = self.leaves.into_iter().map(|((sign, key), fields)| format!("{sign}{}/{key}", fields.bits()));
        let mut keys: Vec<String> = self.whole.into_iter().chain(leaves).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() == 1 {
            return keys.remove(0);
        }
        let count = keys.len();
        let joined = keys.concat();
        if joined.len() <= MAX_KEY {
            return format!("{sign}{count}({joined})");
        }
        let hash: String = Sha256::digest(joined).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{sign}{count}#{hash}")
    }
}
