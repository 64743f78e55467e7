//! Compiles rules: terms to numbers, phrases to a trie, expressions to flat nodes, and for each rule an anchor.
//!
//! A rule is posted under the terms of its anchor, the most selective group of terms of which it needs one; the posting
//! carries a second such group, so that most candidates are dismissed without touching the rule.

use super::expression::{Alternatives, Expression, Proximity, Term, TermWord, WordKind};
use super::origin::Origin;
use super::proximity::Distance;
use super::regexp::RegularExpression;
use super::vocabulary::{NONE, Vocabulary, WordId};
use super::{FieldSet, Rule};
use aho_corasick::AhoCorasick;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Number of a term: equal terms of all rules are one.
pub(super) type TermId = u32;

/// What a word is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordUse {
    /// The term that it is, or `NONE`.
    pub(super) term: TermId,
    /// The node of the trie that it leads to as a first word, or `NONE`.
    pub(super) node: u32,
}

/// Phrases, as a trie over words.
#[derive(Debug, Clone, Default)]
pub(super) struct Phrases {
    edges: FxHashMap<(u32, WordId, bool), u32>,
    /// Whether some edge is loose; hardly any is.
    has_loose: bool,
    /// By node: the term that ends there, or `NONE`.
    pub(super) terms: Vec<TermId>,
}

impl Phrases {
    /// Returns where a word leads to from a node; `loose` edges are those that allow punctuation before the word.
    pub(super) fn next(&self, node: u32, word: WordId, loose: bool) -> Option<u32> {
        if loose && !self.has_loose {
            return None;
        }
        self.edges.get(&(node, word, loose)).copied()
    }

    fn add_node(&mut self) -> u32 {
        self.terms.push(NONE);
        index(self.terms.len() - 1)
    }
}

/// The terms of which a posting can ask for one: with the rule they take 16 bytes.
const FILTER: usize = 3;

/// A rule under a term of its anchor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    pub(super) rule: u32,
    /// Terms of which one must have been seen; all `NONE` if that cannot be told here.
    pub(super) filter: [TermId; FILTER],
}

/// What is looked at when a term was seen: together, since each lies in memory where no other does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TermUse {
    /// Its postings, in `Compiled::postings`.
    pub(super) postings: (u32, u32),
    /// Its memberships, in `Compiled::memberships`.
    pub(super) memberships: (u32, u32),
    /// Its number of words, if some rule asks what it stands near to, else 0.
    pub(super) placed: u32,
}

/// A term as one of alternatives that have a stand-in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership {
    pub(super) stand_in: TermId,
    /// The fields in which it counts.
    pub(super) fields: FieldSet,
}

/// What decides whether a rule holds, in few bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    /// Its clauses, in `Compiled::children`.
    pub(super) start: u32,
    /// The first clause with a regular expression, to be evaluated after others.
    pub(super) costly: u32,
    pub(super) end: u32,
    /// Whether it is restricted to some feeds or tags.
    pub(super) scoped: bool,
}

/// A node of a compiled expression; children are a range of `Compiled::children`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    All(u32, u32),
    Any(u32, u32),
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
    pub(super) written: Arc<str>,
}

/// A rule, compiled.
#[derive(Debug, Clone)]
pub(super) struct CompiledRule {
    pub(super) clauses: Vec<u32>,
    /// The terms of its own, then those of each term group; the latter are shared.
    pub(super) told: Vec<Arc<[Told]>>,
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
    pub(super) words: Vec<WordUse>,
    pub(super) phrases: Phrases,
    /// Number of terms.
    pub(super) terms: usize,
    /// By term.
    pub(super) uses: Vec<TermUse>,
    pub(super) memberships: Vec<Membership>,
    pub(super) postings: Vec<Posting>,
    /// Rules without a term that they need.
    pub(super) always: Vec<u32>,
    pub(super) nodes: Vec<Node>,
    pub(super) children: Vec<u32>,
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

/// Terms of which a rule needs one.
type Group = Arc<[TermId]>;

/// Alternatives, compiled once for all rules that share them.
#[derive(Clone)]
struct CompiledAlternatives {
    /// The terms, or their stand-in.
    terms: Group,
    told: Arc<[Told]>,
    /// Whether they are asked what they stand near to.
    placed: bool,
    /// The node of a term group.
    node: Option<u32>,
}

/// Alternatives of more terms have a stand-in, which is seen when one of them is: a group of thousands that thousands of
/// rules use costs each of them no more than one term does.
const MOST_WITHOUT_STAND_IN: usize = FILTER;

fn index(value: usize) -> u32 {
    u32::try_from(value).expect("rules have fewer than 2^32 terms, words and nodes")
}

/// Compiles rules.
pub(super) fn compile<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Compiled {
    let mut compiler = Compiler::default();
    for rule in rules {
        compiler.add(rule);
    }
    compiler.finish()
}

#[derive(Default)]
struct Compiler {
    out: Compiled,
    known: FxHashMap<Vec<TermWord>, TermId>,
    /// Nodes with a regular expression below, to be evaluated after others.
    costly: FxHashSet<u32>,
    /// By term that is one of alternatives with a stand-in.
    memberships: Vec<(TermId, Membership)>,
    /// By term: how costly it is as an anchor, without regard to its uses.
    costs: Vec<f32>,
    /// By term: how often rules have it.
    uses: Vec<u32>,
    /// By rule: the groups that it needs.
    groups: Vec<Vec<Group>>,
    /// By their address in the rule at hand: proximities that were compiled.
    proximities: FxHashMap<usize, u32>,
    /// By key: a regular expression's number.
    known_regexes: FxHashMap<String, u32>,
    /// By a regular expression's number: its stand-in among the terms, if it requires some text.
    gates: Vec<TermId>,
    /// By stand-in: the regular expression, and the fields that it is looked for in.
    gate_uses: FxHashMap<TermId, (u32, FieldSet)>,
    /// Alternatives so far, by their address, which the rules keep.
    shared: FxHashMap<*const Alternatives, CompiledAlternatives>,
}

impl Compiler {
    fn add(&mut self, rule: &Rule) {
        let mut clauses = Vec::with_capacity(rule.clauses.len());
        let mut groups = Vec::new();
        let mut told: Vec<Told> = Vec::new();
        self.proximities.clear();
        // By term: its place in `told`; a group may have thousands.
        let mut places: FxHashMap<TermId, usize> = FxHashMap::default();
        let mut told_groups: Vec<Arc<[Told]>> = Vec::new();
        let mut told_near = Vec::new();
        let mut told_regexes = Vec::new();
        for clause in &rule.clauses {
            clauses.push(self.node(&clause.expression));
            self.required(&clause.expression, &mut groups);
            clause.expression.positive_leaves(&mut |leaf| match leaf {
                Expression::Term(term, fields) => {
                    let id = self.known[&term.words];
                    self.uses[id as usize] += 1;
                    match places.get(&id) {
                        Some(place) => told[*place].fields = told[*place].fields.union(*fields),
                        None => {
                            places.insert(id, told.len());
                            told.push(Told { term: id, fields: *fields, written: Arc::clone(&term.written) });
                        }
                    }
                }
                Expression::Group(group) => {
                    let compiled = self.alternatives(group);
                    self.count_uses(&compiled.terms);
                    told_groups.push(compiled.told);
                }
                Expression::Near(proximity) => {
                    for operand in proximity.operands() {
                        let compiled = self.alternatives(operand);
                        self.count_uses(&compiled.terms);
                    }
                    told_near.push(self.proximity(proximity));
                }
                Expression::Regex(regex, fields) => told_regexes.push((self.regex(regex), *fields)),
                _ => {}
            });
        }
        self.groups.push(groups);
        self.condition(&clauses, rule);
        let (feeds, tags) = (Arc::clone(&rule.feeds), Arc::clone(&rule.tags));
        let told = std::iter::once(told.into()).chain(told_groups).collect();
        let (told_near, told_regexes) = (told_near.into(), told_regexes.into());
        self.out.rules.push(CompiledRule { clauses, told, told_near, told_regexes, feeds, tags });
    }

    fn condition(&mut self, clauses: &[u32], rule: &Rule) {
        let is_costly = |clause: &u32| self.costly.contains(clause);
        let (costly, cheap): (Vec<u32>, Vec<u32>) = clauses.iter().copied().partition(is_costly);
        let (start, middle) = self.children(cheap);
        let (_, end) = self.children(costly);
        let scoped = !rule.feeds.is_empty() || !rule.tags.is_empty();
        self.out.conditions.push(Condition { start, costly: middle, end, scoped });
    }

    fn count_uses(&mut self, terms: &[TermId]) {
        terms.iter().for_each(|term| self.uses[*term as usize] += 1);
    }

    /// Compiles alternatives, or finds them where they were compiled before.
    fn alternatives(&mut self, alternatives: &Arc<Alternatives>) -> CompiledAlternatives {
        if let Some(known) = self.shared.get(&Arc::as_ptr(alternatives)) {
            return known.clone();
        }
        self.out.fields = self.out.fields.union(alternatives.fields());
        let mut told: Vec<Told> = Vec::with_capacity(alternatives.leaves().len());
        for leaf in alternatives.leaves() {
            let (term, fields) = (self.term(&leaf.term), leaf.fields);
            told.push(Told { term, fields, written: Arc::clone(&leaf.term.written) });
        }
        told.sort_by_key(|told| told.term);
        told.dedup_by(|next, first| {
            let same = next.term == first.term;
            if same {
                first.fields = first.fields.union(next.fields);
            }
            same
        });
        let mut terms: Group = told.iter().map(|told| told.term).collect();
        if terms.len() > MOST_WITHOUT_STAND_IN {
            let stand_in = self.add_term(terms.iter().map(|term| self.costs[*term as usize]).sum());
            let membership = |told: &Told| (told.term, Membership { stand_in, fields: told.fields });
            self.memberships.extend(told.iter().map(membership));
            terms = [stand_in].into();
        }
        let compiled = CompiledAlternatives { terms, told: told.into(), placed: false, node: None };
        self.shared.insert(Arc::as_ptr(alternatives), compiled.clone());
        compiled
    }

    fn group(&mut self, group: &Arc<Alternatives>) -> u32 {
        let compiled = self.alternatives(group);
        if let Some(node) = compiled.node {
            return node;
        }
        if compiled.told.len() > MOST_WITHOUT_STAND_IN {
            self.out.nodes.push(Node::StandIn(compiled.terms[0]));
        } else {
            let mut nodes = Vec::with_capacity(compiled.told.len());
            for told in compiled.told.iter() {
                self.out.nodes.push(Node::Term(told.term, told.fields));
                nodes.push(index(self.out.nodes.len() - 1));
            }
            let (start, end) = self.children(nodes);
            self.out.nodes.push(Node::Any(start, end));
        }
        let node = index(self.out.nodes.len() - 1);
        self.shared.insert(Arc::as_ptr(group), CompiledAlternatives { node: Some(node), ..compiled });
        node
    }

    fn node(&mut self, expression: &Expression) -> u32 {
        let node = match expression {
            Expression::Group(group) => return self.group(group),
            Expression::All(parts) => {
                let (start, end) = self.nodes(parts);
                Node::All(start, end)
            }
            Expression::Any(parts) => {
                let (start, end) = self.nodes(parts);
                Node::Any(start, end)
            }
            Expression::Not(part) => Node::Not(self.node(part)),
            Expression::Term(term, fields) => {
                self.out.fields = self.out.fields.union(*fields);
                Node::Term(self.term(term), *fields)
            }
            Expression::AtLeast(count, parts) => {
                let (start, end) = self.nodes(parts);
                Node::AtLeast(index(*count), start, end)
            }
            Expression::Near(proximity) => Node::Near(self.proximity(proximity)),
            Expression::Regex(regex, fields) => {
                self.costly.insert(index(self.out.nodes.len()));
                Node::Regex(self.regex(regex), *fields)
            }
            Expression::Origin(origin) => {
                self.out.origins.push(origin.clone());
                Node::Origin(index(self.out.origins.len() - 1))
            }
        };
        let number = index(self.out.nodes.len());
        let costly = match node {
            Node::All(start, end) | Node::Any(start, end) | Node::AtLeast(_, start, end) => {
                let children = &self.out.children[start as usize..end as usize];
                children.iter().any(|child| self.costly.contains(child))
            }
            Node::Not(child) => self.costly.contains(&child),
            _ => false,
        };
        if costly {
            self.costly.insert(number);
        }
        self.out.nodes.push(node);
        number
    }

    fn nodes(&mut self, parts: &[Expression]) -> (u32, u32) {
        let mut nodes: Vec<u32> = parts.iter().map(|part| self.node(part)).collect();
        // Order says nothing; regular expressions are looked into if others leave it open.
        nodes.sort_by_key(|node| self.costly.contains(node));
        self.children(nodes)
    }

    fn children(&mut self, nodes: Vec<u32>) -> (u32, u32) {
        let start = self.out.children.len();
        self.out.children.extend(nodes);
        (index(start), index(self.out.children.len()))
    }

    /// Compiles a proximity, or finds it where it was compiled for the same rule.
    fn proximity(&mut self, proximity: &Proximity) -> u32 {
        let address = std::ptr::from_ref(proximity).addr();
        if let Some(number) = self.proximities.get(&address) {
            return *number;
        }
        self.proximities.insert(address, index(self.out.proximities.len()));
        let mut compiled = CompiledProximity { operands: Vec::new(), distances: proximity.distances().to_vec() };
        for operand in proximity.operands() {
            let known = self.alternatives(operand);
            compiled.operands.push(Arc::clone(&known.told));
            if !known.placed {
                for leaf in operand.leaves() {
                    self.out.uses[self.known[&leaf.term.words] as usize].placed = index(leaf.term.words.len());
                }
                self.shared.insert(Arc::as_ptr(operand), CompiledAlternatives { placed: true, ..known });
            }
        }
        self.out.proximities.push(compiled);
        index(self.out.proximities.len() - 1)
    }

    fn regex(&mut self, regex: &Arc<RegularExpression>) -> u32 {
        let key = regex.key();
        if let Some(number) = self.known_regexes.get(&key) {
            return *number;
        }
        let number = index(self.out.regexes.len());
        self.known_regexes.insert(key, number);
        self.out.regexes.push(Arc::clone(regex));
        let gate = if regex.required.is_some() { self.add_term(1.0) } else { NONE };
        self.gates.push(gate);
        number
    }

    fn add_term(&mut self, cost: f32) -> TermId {
        let id = index(self.out.terms);
        self.out.terms += 1;
        self.costs.push(cost);
        self.uses.push(0);
        self.out.uses.push(TermUse::default());
        id
    }

    fn term(&mut self, term: &Term) -> TermId {
        if let Some(id) = self.known.get(&term.words) {
            return *id;
        }
        let id = self.add_term(cost(&term.words));
        self.known.insert(term.words.clone(), id);
        let mut node = NONE;
        for (place, word) in term.words.iter().enumerate() {
            let word_id = self.out.vocabulary.intern(word);
            self.out.words.resize(self.out.vocabulary.len(), WordUse { term: NONE, node: NONE });
            let first = &mut self.out.words[word_id as usize];
            if term.words.len() == 1 {
                first.term = id;
                return id;
            }
            let phrases = &mut self.out.phrases;
            node = if place == 0 {
                if first.node == NONE {
                    first.node = phrases.add_node();
                }
                first.node
            } else {
                let key = (node, word_id, word.loose);
                match phrases.edges.get(&key) {
                    Some(next) => *next,
                    None => {
                        let next = phrases.add_node();
                        phrases.edges.insert(key, next);
                        phrases.has_loose |= word.loose;
                        next
                    }
                }
            };
        }
        self.out.phrases.terms[node as usize] = id;
        id
    }

    /// Appends the groups of terms of which an expression needs one each.
    fn required(&mut self, expression: &Expression, groups: &mut Vec<Group>) {
        match expression {
            Expression::All(parts) => parts.iter().for_each(|part| self.required(part, groups)),
            // Where so many parts are false that too few are left, the whole is false.
            Expression::Any(parts) => self.required_of(parts, parts.len(), groups),
            Expression::AtLeast(count, parts) => self.required_of(parts, parts.len() + 1 - count, groups),
            Expression::Near(proximity) => {
                for operand in proximity.operands() {
                    groups.push(self.alternatives(operand).terms);
                }
            }
            Expression::Not(_) | Expression::Origin(_) => {}
            Expression::Term(term, _) => groups.push([self.known[&term.words]].into()),
            Expression::Group(group) => groups.push(self.alternatives(group).terms),
            Expression::Regex(regex, fields) => {
                let number = self.regex(regex);
                let gate = self.gates[number as usize];
                if gate != NONE {
                    let (_, known) = self.gate_uses.entry(gate).or_insert((number, FieldSet::default()));
                    *known = known.union(*fields);
                    groups.push([gate].into());
                }
            }
        }
    }

    /// Appends the group of terms of which `count` parts need one, if each of so many needs some.
    fn required_of(&mut self, parts: &[Expression], count: usize, groups: &mut Vec<Group>) {
        let mut best: Vec<(f32, Group)> = Vec::new();
        for part in parts {
            let mut of_part = Vec::new();
            self.required(part, &mut of_part);
            let cost = |group: &Group| group.iter().map(|term| self.costs[*term as usize]).sum::<f32>();
            best.extend(of_part.into_iter().map(|group| (cost(&group), group)).min_by(|a, b| a.0.total_cmp(&b.0)));
        }
        if best.len() < count {
            return;
        }
        best.sort_by(|a, b| a.0.total_cmp(&b.0));
        best.truncate(count);
        if let [(_, group)] = best.as_slice() {
            return groups.push(Arc::clone(group));
        }
        let mut union: Vec<TermId> = best.iter().flat_map(|(_, group)| group.iter().copied()).collect();
        union.sort_unstable();
        union.dedup();
        groups.push(union.into());
    }

    /// Builds the search for what regular expressions require, by their stand-ins.
    fn gates_of(&self, gates: &FxHashSet<TermId>) -> Option<Gates> {
        let mut texts: BTreeMap<&[u8], Vec<TermId>> = BTreeMap::new();
        let mut fields = FieldSet::default();
        for gate in gates {
            let (regex, looked_into) = self.gate_uses[gate];
            fields = fields.union(looked_into);
            for text in self.out.regexes[regex as usize].required.iter().flatten() {
                texts.entry(text).or_default().push(*gate);
            }
        }
        if texts.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(texts.keys())
            .expect("each expression has few and short texts, and their number is bounded by the configuration");
        Some(Gates { automaton, terms: texts.into_values().collect(), count: gates.len(), fields })
    }

    fn finish(mut self) -> Compiled {
        let mut posted: Vec<(TermId, Posting)> = Vec::new();
        let cost = |group: &Group| -> f32 {
            // Words that many rules share are those that the news are full of.
            group.iter().map(|term| self.costs[*term as usize] * (1.0 + self.uses[*term as usize] as f32)).sum()
        };
        let mut gates: FxHashSet<TermId> = FxHashSet::default();
        for (rule, groups) in self.groups.iter().enumerate() {
            let rule = index(rule);
            let is_gate = |term: &TermId| self.gate_uses.contains_key(term);
            // What a regular expression requires is looked for only where a rule requires nothing else.
            let (last, plain): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| group.iter().any(is_gate));
            let mut ranked: Vec<(f32, &Group)> = plain.into_iter().map(|group| (cost(group), group)).collect();
            ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
            let Some(anchor) = ranked.first().map(|(_, group)| *group).or(last.first().copied()) else {
                self.out.always.push(rule);
                continue;
            };
            gates.extend(anchor.iter().copied().filter(is_gate));
            let second = ranked.iter().skip(1).find(|(_, group)| group.len() <= FILTER && *group != anchor);
            let mut filter = [NONE; FILTER];
            if let Some((_, group)) = second {
                filter[..group.len()].copy_from_slice(group);
            }
            posted.extend(anchor.iter().map(|term| (*term, Posting { rule, filter })));
        }
        self.out.gates = self.gates_of(&gates);
        posted.sort_by_key(|(term, posting)| (*term, posting.rule));
        self.memberships.sort_by_key(|(term, membership)| (*term, membership.stand_in));
        ranges(&posted, &mut self.out.uses, |uses| &mut uses.postings);
        ranges(&self.memberships, &mut self.out.uses, |uses| &mut uses.memberships);
        self.out.memberships = self.memberships.into_iter().map(|(_, membership)| membership).collect();
        self.out.postings = posted.into_iter().map(|(_, posting)| posting).collect();
        self.out
    }
}

/// Notes by term which of some parts, in the order of their terms, are its own.
fn ranges<T>(parts: &[(TermId, T)], uses: &mut [TermUse], range_of: impl Fn(&mut TermUse) -> &mut (u32, u32)) {
    let mut start = 0;
    for own in parts.chunk_by(|a, b| a.0 == b.0) {
        let end = start + own.len();
        *range_of(&mut uses[own[0].0 as usize]) = (index(start), index(end));
        start = end;
    }
}

/// Returns how often a term is to be expected in an article, roughly: long words and phrases are rare.
fn cost(words: &[TermWord]) -> f32 {
    words
        .iter()
        .map(|word| {
            let length = word.folded.chars().filter(|c| !matches!(c, '?' | '*')).count() as f32;
            let spread = if word.kind == WordKind::Whole { 1.0 } else { 2.0 };
            let spread = if word.forms.is_some() { spread * 2.0 } else { spread };
            let spread = if word.cased.is_some() { spread * 0.5 } else { spread };
            (spread / (length * length)).min(1.0)
        })
        .product()
}
