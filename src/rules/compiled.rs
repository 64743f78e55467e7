//! Rules as the matcher has them: tables that lie in memory as they are looked at.

use super::FieldSet;
use super::origin::Origin;
use super::proximity::Distance;
use super::regexp::RegularExpression;
use super::vocabulary::{NONE, Vocabulary, WordId};
use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::sync::Arc;

/// Number of a term: equal terms of all rules are one.
pub(super) type TermId = u32;

/// What is looked at when a term was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct TermUse {
    pub(super) term: TermId,
    /// Its postings, in `Compiled::postings`.
    pub(super) postings: (u32, u32),
    /// The first of its memberships in `Compiled::memberships`, or `NONE`.
    pub(super) memberships: u32,
    /// Its number of words, if some rule asks what it stands near to, else 0.
    pub(super) placed: u32,
}

impl TermUse {
    /// No term.
    pub(super) const NONE: Self = Self { term: NONE, postings: (0, 0), memberships: NONE, placed: 0 };

    pub(super) fn of(term: TermId) -> Self {
        Self { term, ..Self::NONE }
    }
}

/// Phrases, as a trie over words.
#[derive(Debug, Clone, Default)]
pub(super) struct Phrases {
    edges: FxHashMap<(u32, WordId, bool), u32>,
    /// Whether some edge is loose; hardly any is.
    has_loose: bool,
    pub(super) nodes: Vec<PhraseNode>,
}

/// A node of the trie.
#[derive(Debug, Clone, Copy)]
pub(super) struct PhraseNode {
    /// The term that ends there.
    pub(super) term: TermUse,
    /// The words that may follow, as `follower` gives them.
    pub(super) following: u32,
}

impl Phrases {
    /// Returns where a word leads to from a node; `loose` edges are those that allow punctuation before the word.
    pub(super) fn next(&self, node: u32, word: WordId, loose: bool) -> Option<u32> {
        if loose && !self.has_loose {
            return None;
        }
        self.edges.get(&(node, word, loose)).copied()
    }

    /// Returns the same, where a new node is made if the word leads nowhere.
    pub(super) fn node_after(&mut self, node: u32, word: WordId, loose: bool) -> u32 {
        if let Some(known) = self.edges.get(&(node, word, loose)) {
            return *known;
        }
        let next = self.add_node();
        self.edges.insert((node, word, loose), next);
        self.has_loose |= loose;
        next
    }

    /// Makes a node that no word leads to yet.
    pub(super) fn add_node(&mut self) -> u32 {
        self.nodes.push(PhraseNode { term: TermUse::NONE, following: 0 });
        index(self.nodes.len() - 1)
    }
}

/// A bit that says whether terms may have been seen. Several terms share one, so that all bits of a document are in the
/// nearest cache, however many terms the rules have.
pub(super) type TermBit = u16;

/// Bits of terms: a document with a hundred of them makes one of three hundred others look seen.
const TERM_BITS: u32 = 1 << 15;

/// The bit of no term, which is never set.
pub(super) const NEVER: TermBit = TERM_BITS as TermBit;

/// The bit of no term, which is always set.
pub(super) const ALWAYS: TermBit = NEVER + 1;

/// Returns the bit of a term.
pub(super) fn term_bit(term: TermId) -> TermBit {
    (term % TERM_BITS) as TermBit
}

/// The terms of which a posting can ask for one.
pub(super) const FILTER: usize = 3;

/// What must have been seen besides a term of its anchor for a rule to be evaluated: a term with one of these bits.
pub(super) type Filter = [TermBit; FILTER];

/// A term as one of alternatives that have a stand-in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership {
    pub(super) term: TermId,
    pub(super) stand_in: TermId,
    /// The fields in which it counts.
    pub(super) fields: FieldSet,
}

/// What decides whether a rule holds, in few bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    /// Its clauses, in `Compiled::nodes`.
    pub(super) start: u32,
    /// The first clause with a regular expression, to be evaluated after others.
    pub(super) costly: u32,
    pub(super) end: u32,
    /// Whether it is restricted to some feeds or tags.
    pub(super) scoped: bool,
}

/// A node of a compiled expression; children are a range of `Compiled::nodes`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    All(u32, u32),
    Any(u32, u32),
    /// Index of its one child.
    Not(u32),
    Term(TermId, FieldSet),
    /// Alternatives, by their stand-in.
    StandIn(TermId),
    AtLeast(u32, u32, u32),
    /// Index in `Compiled::proximities`.
    Near(u32),
    /// Index in `Compiled::regexes`.
    Regex(u32, FieldSet),
    /// Index in `Compiled::origins`.
    Origin(u32),
}

impl Node {
    pub(super) fn is_negation(&self) -> bool {
        matches!(self, Self::Not(_))
    }
}

/// Terms near each other, compiled.
#[derive(Debug, Clone)]
pub(super) struct CompiledProximity {
    /// By operand: its terms, in their order.
    pub(super) operands: Vec<Arc<[Told]>>,
    pub(super) distances: Vec<Distance>,
}

/// Texts that regular expressions require, for rules that nothing else brings up.
#[derive(Debug, Clone)]
pub(super) struct Gates {
    pub(super) automaton: AhoCorasick,
    /// By text: the stand-ins of the expressions that require it.
    pub(super) terms: Vec<Vec<TermId>>,
    /// The number of stand-ins.
    pub(super) count: usize,
    /// The fields that they are looked for in.
    pub(super) fields: FieldSet,
}

/// A term that a rule tells about when it matches.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) term: TermId,
    pub(super) fields: FieldSet,
    pub(super) written: SmolStr,
}

/// A rule, compiled.
#[derive(Debug, Clone)]
pub(super) struct CompiledRule {
    /// Its clauses in their order, in `Compiled::nodes`.
    pub(super) clauses: Box<[u32]>,
    /// The terms of its own, in `Compiled::told`.
    pub(super) told: (u32, u32),
    /// Those of each term group, shared by the rules that use it.
    pub(super) told_groups: Box<[Arc<[Told]>]>,
    /// Proximities whose terms it tells about, where these are near each other.
    pub(super) told_near: Box<[u32]>,
    /// Regular expressions whose places it tells about.
    pub(super) told_regexes: Box<[(u32, FieldSet)]>,
    pub(super) feeds: Arc<[String]>,
    pub(super) tags: Arc<[String]>,
}

/// All that the matcher needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Compiled {
    pub(super) vocabulary: Vocabulary,
    pub(super) phrases: Phrases,
    /// By term.
    pub(super) uses: Vec<TermUse>,
    /// In the order of their terms.
    pub(super) memberships: Vec<Membership>,
    /// Rules under the terms of their anchors.
    pub(super) postings: Vec<u32>,
    /// By posting. They are apart, since few of the rules are then looked at.
    pub(super) filters: Vec<Filter>,
    /// Rules without a term that they need.
    pub(super) always: Vec<u32>,
    pub(super) nodes: Vec<Node>,
    pub(super) told: Vec<Told>,
    pub(super) proximities: Vec<CompiledProximity>,
    pub(super) regexes: Vec<Arc<RegularExpression>>,
    pub(super) origins: Vec<Origin>,
    pub(super) gates: Option<Gates>,
    /// By rule.
    pub(super) conditions: Vec<Condition>,
    pub(super) rules: Vec<CompiledRule>,
    /// The fields that some rule looks into.
    pub(super) fields: FieldSet,
}

/// Returns a place in a table as it is kept.
pub(super) fn index(value: usize) -> u32 {
    u32::try_from(value).expect("rules have fewer than 2^32 terms, words and nodes")
}
