//! Compiles rules: terms to numbers, phrases to a trie, expressions to flat nodes, and for each rule an anchor.
//!
//! A rule is posted under the terms of its anchor, the most selective group of terms of which it needs one; the posting
//! carries a second such group, so that most candidates are dismissed without touching the rule.

use super::compiled::{
    ALWAYS, Compiled, CompiledProximity, CompiledRule, Condition, FILTER, Filter, Gates, Membership, NEVER, Node,
    TermId, TermUse, Told, index, term_bit,
};
use super::expression::{Alternatives, Expression, Proximity, Term, TermWord, WordKind};
use super::regexp::RegularExpression;
use super::vocabulary::{NONE, follower};
use super::{FieldSet, Rule};
use aho_corasick::AhoCorasick;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    node: Option<Node>,
}

/// Alternatives of more terms have a stand-in, which is seen when one of them is: a group of thousands that thousands of
/// rules use costs each of them no more than one term does.
const MOST_WITHOUT_STAND_IN: usize = FILTER;

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
    /// By term that is one of alternatives with a stand-in.
    memberships: Vec<Membership>,
    /// By term: how costly it is as an anchor, without regard to its uses.
    costs: Vec<f32>,
    /// By term: how often rules have it.
    frequencies: Vec<u32>,
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
                    self.frequencies[id as usize] += 1;
                    match places.get(&id) {
                        Some(place) => told[*place].fields = told[*place].fields.union(*fields),
                        None => {
                            places.insert(id, told.len());
                            told.push(Told { term: id, fields: *fields, written: SmolStr::from(&*term.written) });
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
        let clauses = self.condition(clauses, rule);
        let (feeds, tags) = (Arc::clone(&rule.feeds), Arc::clone(&rule.tags));
        let start = index(self.out.told.len());
        self.out.told.append(&mut told);
        let told = (start, index(self.out.told.len()));
        let (told_groups, told_near, told_regexes) = (told_groups.into(), told_near.into(), told_regexes.into());
        self.out.rules.push(CompiledRule { clauses, told, told_groups, told_near, told_regexes, feeds, tags });
    }

    /// Enters what decides whether a rule holds. Returns where its clauses stand, in their order.
    fn condition(&mut self, clauses: Vec<(Node, Cost)>, rule: &Rule) -> Box<[u32]> {
        let mut order: Vec<usize> = (0..clauses.len()).collect();
        order.sort_by_key(|clause| clauses[*clause].1);
        let start = index(self.out.nodes.len());
        let costly = start + index(clauses.iter().filter(|(_, cost)| *cost == Cost::Low).count());
        let mut places = vec![0; clauses.len()];
        for clause in order {
            places[clause] = index(self.out.nodes.len());
            self.out.nodes.push(clauses[clause].0);
        }
        let scoped = !rule.feeds.is_empty() || !rule.tags.is_empty();
        self.out.conditions.push(Condition { start, costly, end: index(self.out.nodes.len()), scoped });
        places.into()
    }

    fn count_uses(&mut self, terms: &[TermId]) {
        terms.iter().for_each(|term| self.frequencies[*term as usize] += 1);
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
            told.push(Told { term, fields, written: SmolStr::from(&*leaf.term.written) });
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
            let membership = |told: &Told| Membership { term: told.term, stand_in, fields: told.fields };
            self.memberships.extend(told.iter().map(membership));
            terms = [stand_in].into();
        }
        let compiled = CompiledAlternatives { terms, told: told.into(), placed: false, node: None };
        self.shared.insert(Arc::as_ptr(alternatives), compiled.clone());
        compiled
    }

    fn group(&mut self, group: &Arc<Alternatives>) -> Node {
        let compiled = self.alternatives(group);
        if let Some(node) = compiled.node {
            return node;
        }
        let node = if compiled.told.len() > MOST_WITHOUT_STAND_IN {
            Node::StandIn(compiled.terms[0])
        } else {
            let terms = compiled.told.iter().map(|told| Node::Term(told.term, told.fields));
            let (start, end) = self.place(terms);
            Node::Any(start, end)
        };
        self.shared.insert(Arc::as_ptr(group), CompiledAlternatives { node: Some(node), ..compiled });
        node
    }

    fn node(&mut self, expression: &Expression) -> (Node, Cost) {
        let node = match expression {
            Expression::Group(group) => self.group(group),
            Expression::All(parts) => {
                let (start, end, cost) = self.nodes(parts);
                return (Node::All(start, end), cost);
            }
            Expression::Any(parts) => {
                let (start, end, cost) = self.nodes(parts);
                return (Node::Any(start, end), cost);
            }
            Expression::AtLeast(count, parts) => {
                let (start, end, cost) = self.nodes(parts);
                return (Node::AtLeast(index(*count), start, end), cost);
            }
            Expression::Not(part) => {
                let (node, cost) = self.node(part);
                let (start, _) = self.place([node]);
                return (Node::Not(start), cost);
            }
            Expression::Regex(regex, fields) => return (Node::Regex(self.regex(regex), *fields), Cost::High),
            Expression::Term(term, fields) => {
                self.out.fields = self.out.fields.union(*fields);
                Node::Term(self.term(term), *fields)
            }
            Expression::Near(proximity) => Node::Near(self.proximity(proximity)),
            Expression::Origin(origin) => {
                self.out.origins.push(origin.clone());
                Node::Origin(index(self.out.origins.len() - 1))
            }
        };
        (node, Cost::Low)
    }

    /// Places the nodes of parts side by side, the costly ones last: order says nothing, and these are looked into if
    /// others leave it open.
    fn nodes(&mut self, parts: &[Expression]) -> (u32, u32, Cost) {
        let mut nodes: Vec<(Node, Cost)> = parts.iter().map(|part| self.node(part)).collect();
        nodes.sort_by_key(|(_, cost)| *cost);
        let cost = nodes.last().map_or(Cost::Low, |(_, cost)| *cost);
        let (start, end) = self.place(nodes.into_iter().map(|(node, _)| node));
        (start, end, cost)
    }

    fn place(&mut self, nodes: impl IntoIterator<Item = Node>) -> (u32, u32) {
        let start = index(self.out.nodes.len());
        self.out.nodes.extend(nodes);
        (start, index(self.out.nodes.len()))
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
        let id = index(self.out.uses.len());
        self.costs.push(cost);
        self.frequencies.push(0);
        self.out.uses.push(TermUse::of(id));
        id
    }

    fn term(&mut self, term: &Term) -> TermId {
        if let Some(id) = self.known.get(&term.words) {
            return *id;
        }
        let id = self.add_term(cost(&term.words));
        self.known.insert(term.words.clone(), id);
        let mut node = NONE;
        let mut before = NONE;
        for (place, word) in term.words.iter().enumerate() {
            let word_id = self.out.vocabulary.intern(word);
            let phrases = &mut self.out.phrases;
            if place == 0 {
                let first = self.out.vocabulary.use_of(word_id);
                if term.words.len() == 1 {
                    first.term = TermUse::of(id);
                    return id;
                }
                if first.node == NONE {
                    first.node = phrases.add_node();
                }
                (node, before) = (first.node, word_id);
                continue;
            }
            let following = match place {
                1 => &mut self.out.vocabulary.use_of(before).following,
                _ => &mut phrases.nodes[node as usize].following,
            };
            *following |= follower(word_id);
            node = phrases.node_after(node, word_id, word.loose);
        }
        self.out.phrases.nodes[node as usize].term = TermUse::of(id);
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
        let mut posted: Vec<(TermId, u32, Filter)> = Vec::new();
        let cost = |group: &Group| -> f32 {
            // Words that many rules share are those that the news are full of.
            group.iter().map(|term| self.costs[*term as usize] * (1.0 + self.frequencies[*term as usize] as f32)).sum()
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
            let mut filter = [ALWAYS; FILTER];
            if let Some((_, group)) = second {
                filter = [NEVER; FILTER];
                filter.iter_mut().zip(group.iter()).for_each(|(bit, term)| *bit = term_bit(*term));
            }
            posted.extend(anchor.iter().map(|term| (*term, rule, filter)));
        }
        self.out.gates = self.gates_of(&gates);
        posted.sort_unstable();
        self.memberships.sort_by_key(|membership| (membership.term, membership.stand_in));
        self.note_uses(&posted);
        self.out.memberships = self.memberships;
        (self.out.postings, self.out.filters) = posted.into_iter().map(|(_, rule, filter)| (rule, filter)).unzip();
        self.out
    }

    /// Notes with each term, each word and each phrase where the postings and memberships of its term are.
    fn note_uses(&mut self, posted: &[(TermId, u32, Filter)]) {
        let Compiled { uses, vocabulary, phrases, .. } = &mut self.out;
        let mut start = 0;
        for own in posted.chunk_by(|a, b| a.0 == b.0) {
            let end = start + own.len();
            uses[own[0].0 as usize].postings = (index(start), index(end));
            start = end;
        }
        for (place, membership) in self.memberships.iter().enumerate().rev() {
            uses[membership.term as usize].memberships = index(place);
        }
        vocabulary.finish(|term| uses[term as usize]);
        for node in phrases.nodes.iter_mut().filter(|node| node.term.term != NONE) {
            node.term = uses[node.term.term as usize];
        }
    }
}

/// How much it takes to look into a node: a regular expression somewhere below makes it a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    Low,
    High,
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
