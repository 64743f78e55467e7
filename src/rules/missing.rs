//! What would have to change for a rule to match a document: the smallest set of its parts.

use super::expression::{Alternatives, Expression, Proximity};
use super::lists::Clause;
use super::matcher::{RuleSet, Seen};
use super::{Document, FIELDS, FieldSet, Rule, RuleSource, plain};
use crate::core::digest::counted;
use crate::core::hit::Field;
use std::sync::Arc;

/// A change that is needed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Need<'r> {
    /// One of these must be so.
    OneOf(Vec<Lack<'r>>),
    /// Of a list so many, `needed`, must be so; so many, `seen`, are, and one of each of the others would be one more.
    Several { needed: usize, seen: usize, of: usize, others: Vec<Vec<Lack<'r>>> },
    /// This is so, and must not be.
    Without(&'r Expression),
}

/// What is not so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Lack<'r> {
    /// A term or a group was not seen, a regular expression finds nothing, the article is from elsewhere.
    Leaf(&'r Expression),
    /// An operand of a proximity was not seen.
    Operand(&'r Proximity, usize),
    /// All operands of a proximity were seen, not near each other.
    Distance(&'r Proximity),
}

/// What became of a leaf of an expression.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    holds: bool,
    /// By operand, for a proximity: the names of what was seen of it.
    operands: Vec<Vec<Arc<str>>>,
}

/// The parts of an expression that a document lacks, and those that it has.
#[derive(Debug, Clone, Default)]
pub(super) struct Assessment<'r> {
    /// Empty if the expression holds.
    pub(super) needs: Vec<Need<'r>>,
    /// What it asks for and was seen, as the rule names it.
    pub(super) seen: Vec<Arc<str>>,
}

/// Returns what became of each leaf of a rule, in the order of `Expression::leaves` over its clauses.
pub(super) fn outcomes(rule: &Rule, document: &Document<'_>) -> Vec<Outcome> {
    let mut leaves = Vec::new();
    rule.clauses.iter().for_each(|clause| clause.expression.leaves(&mut |leaf| leaves.push(leaf)));
    let alone = |leaves: Vec<Expression>| {
        let clause = |expression| Clause { key: "", written: String::new(), expression };
        Rule { clauses: leaves.into_iter().map(clause).collect(), ..rule.clone() }
    };
    // The leaves as one rule, then each operand as a rule of its own.
    let operands: Vec<&[Arc<Alternatives>]> = leaves
        .iter()
        .map(|leaf| if let Expression::Near(proximity) = leaf { proximity.operands() } else { &[] })
        .collect();
    let mut rules = vec![alone(leaves.into_iter().cloned().collect())];
    rules.extend(operands.iter().copied().flatten().map(|operand| alone(vec![Expression::Group(Arc::clone(operand))])));
    let set = RuleSet::new(&rules);
    let mut seen = Seen::default();
    set.look(document, &mut seen);
    let mut number = 0;
    let mut names = |operand: &Arc<Alternatives>| {
        number += 1;
        let terms = set.seen_terms(number, &seen);
        match operand.is_group() && !terms.is_empty() {
            true => operand.names(),
            false => terms.iter().map(|term| format!("`{term}`").into()).collect(),
        }
    };
    let held = set.clauses_hold(0, document, &seen).into_iter();
    held.zip(operands)
        .map(|(holds, operands)| Outcome { holds, operands: operands.iter().map(&mut names).collect() })
        .collect()
}

/// Returns the fewest changes that make an expression hold; `outcomes` begins with those of its leaves.
pub(super) fn missing<'r>(expression: &'r Expression, outcomes: &mut impl Iterator<Item = Outcome>) -> Assessment<'r> {
    let mut seen = Vec::new();
    let needs = changes(expression, outcomes, &mut seen);
    Assessment { needs, seen }
}

impl Need<'_> {
    fn count(&self) -> usize {
        match self {
            Need::OneOf(_) | Need::Without(_) => 1,
            Need::Several { needed, seen, .. } => needed - seen,
        }
    }
}

/// Returns the fewest changes that make an expression true.
fn changes<'r>(
    expression: &'r Expression,
    outcomes: &mut impl Iterator<Item = Outcome>,
    seen: &mut Vec<Arc<str>>,
) -> Vec<Need<'r>> {
    let parts = match expression {
        Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => parts,
        leaf => {
            let outcome = outcomes.next().expect("each leaf has its outcome");
            return match leaf {
                // Negations stand at the leaves alone (`Expression::negated`).
                Expression::Not(leaf) if outcome.holds => vec![Need::Without(leaf)],
                Expression::Not(_) => Vec::new(),
                leaf => of_leaf(leaf, &outcome, seen),
            };
        }
    };
    let of_parts: Vec<Vec<Need<'r>>> = parts.iter().map(|part| changes(part, outcomes, seen)).collect();
    match expression {
        Expression::All(_) => every(of_parts),
        Expression::AtLeast(count, _) => some(*count, of_parts),
        _ => some(1, of_parts),
    }
}

/// Returns what makes a leaf true.
fn of_leaf<'r>(leaf: &'r Expression, outcome: &Outcome, seen: &mut Vec<Arc<str>>) -> Vec<Need<'r>> {
    let mut note = |name: Arc<str>| {
        if !seen.contains(&name) {
            seen.push(name);
        }
    };
    match leaf {
        Expression::Near(proximity) => {
            outcome.operands.iter().flatten().for_each(|name| note(Arc::clone(name)));
            let lacks = outcome.operands.iter().enumerate().filter(|(_, seen)| seen.is_empty());
            let needs: Vec<_> = lacks.map(|(at, _)| Need::OneOf(vec![Lack::Operand(proximity, at)])).collect();
            match outcome.holds {
                true => Vec::new(),
                false if needs.is_empty() => vec![Need::OneOf(vec![Lack::Distance(proximity)])],
                false => needs,
            }
        }
        Expression::Origin(_) if outcome.holds => Vec::new(),
        leaf if outcome.holds => {
            note(name(leaf).into());
            Vec::new()
        }
        leaf => vec![Need::OneOf(vec![Lack::Leaf(leaf)])],
    }
}

/// Returns the changes of all parts, each once.
fn every(parts: Vec<Vec<Need<'_>>>) -> Vec<Need<'_>> {
    let mut whole: Vec<Need<'_>> = Vec::new();
    for need in parts.into_iter().flatten() {
        if !whole.contains(&need) {
            whole.push(need);
        }
    }
    whole
}

/// Returns the fewest changes after which so many parts are true.
fn some(count: usize, parts: Vec<Vec<Need<'_>>>) -> Vec<Need<'_>> {
    let of = parts.len();
    let (done, mut open): (Vec<_>, Vec<_>) = parts.into_iter().partition(Vec::is_empty);
    let seen = done.len();
    let Some(more) = count.checked_sub(seen).filter(|more| *more > 0) else { return Vec::new() };
    // What any single one of several changes brings about is one need: each of them would do.
    let singles: Vec<_> = open
        .iter()
        .filter_map(|needs| match needs.as_slice() {
            [Need::OneOf(lacks)] => Some(lacks.clone()),
            _ => None,
        })
        .collect();
    if singles.len() >= more {
        return vec![match count {
            1 => Need::OneOf(singles.concat()),
            _ => Need::Several { needed: count, seen, of, others: singles },
        }];
    }
    open.sort_by_key(|needs| needs.iter().map(Need::count).sum::<usize>());
    open.truncate(more);
    every(open)
}

/// Names that are written out; the rest is counted.
const MAX_NAMES: usize = 6;

/// Bytes of a query's part that is written out.
const MAX_WRITTEN: usize = 80;

/// Returns how a rule names a leaf.
pub(super) fn name(leaf: &Expression) -> String {
    match leaf {
        Expression::Term(term, _) => format!("`{}`", term.written),
        Expression::Group(group) => listed(&group.names()),
        Expression::Regex(regex, _) => format!("`{}`", shortened(&regex.written)),
        Expression::Origin(origin) => format!("`{}`", origin.written()),
        Expression::Near(proximity) => {
            let operands = proximity.operands().iter().map(|operand| match operand.names().as_slice() {
                [one] => one.to_string(),
                names => format!("({})", listed(names).replace("`, ", "` OR ")),
            });
            let joints = proximity
                .distances()
                .iter()
                .map(|distance| format!(" {}NEAR/{} ", if distance.ordered { "O" } else { "" }, distance.words));
            operands.zip(joints.chain([String::new()])).map(|(operand, joint)| operand + &joint).collect()
        }
        Expression::All(_) | Expression::Any(_) | Expression::Not(_) | Expression::AtLeast(..) => String::new(),
    }
}

fn shortened(written: &str) -> String {
    match plain::truncate(written, MAX_WRITTEN) {
        whole if whole.len() == written.len() => whole.to_owned(),
        start => format!("{start}…"),
    }
}

/// Returns names one after the other; of many the first, and how many more there are.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(MAX_NAMES).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Lack<'_> {
    /// Returns the names of what is lacking; of a group with the number of its terms.
    fn names(&self) -> Vec<Arc<str>> {
        let of_group = |group: &Alternatives| match group.is_group() {
            true => vec![format!("{} ({})", listed(&group.names()), counted(group.leaves().len(), "term")).into()],
            false => group.names(),
        };
        match self {
            Lack::Leaf(Expression::Group(group)) => of_group(group),
            Lack::Leaf(leaf) => vec![name(leaf).into()],
            Lack::Operand(proximity, at) => of_group(&proximity.operands()[*at]),
            Lack::Distance(proximity) => vec![name(&Expression::Near((*proximity).clone())).into()],
        }
    }

    /// Returns what is not so, as a clause of a sentence.
    fn told(&self, document: &Document<'_>) -> String {
        let names = self.names();
        match self {
            Lack::Leaf(Expression::Origin(origin)) => origin.described(document),
            _ if self.fields() == Some(FieldSet::URL) => format!("{} not in the URL", listed(&names)),
            Lack::Leaf(Expression::Regex(..)) => format!("{} finds nothing{}", listed(&names), self.within()),
            Lack::Distance(_) => format!("{} not so near", listed(&names)),
            _ if names.len() > 1 => format!("none of {} seen{}", listed(&names), self.within()),
            _ => format!("{} not seen{}", listed(&names), self.within()),
        }
    }

    fn fields(&self) -> Option<FieldSet> {
        match self {
            Lack::Leaf(Expression::Term(_, fields) | Expression::Regex(_, fields)) => Some(*fields),
            Lack::Leaf(Expression::Group(group)) => Some(group.fields()),
            Lack::Operand(proximity, at) => Some(proximity.operands()[*at].fields()),
            Lack::Leaf(_) | Lack::Distance(_) => None,
        }
    }

    /// Returns the fields that are looked into, where they are not the usual ones.
    fn within(&self) -> String {
        let usual = RuleSource::default().field_set();
        self.fields()
            .filter(|fields| *fields != usual)
            .map(|fields| format!(" in {}", field_names(fields)))
            .unwrap_or_default()
    }
}

impl Need<'_> {
    /// Returns what is needed, as a clause of a sentence.
    pub(super) fn told(&self, document: &Document<'_>) -> String {
        match self {
            Need::OneOf(lacks) => match lacks.as_slice() {
                [lack] => lack.told(document),
                lacks => {
                    let names: Vec<_> = lacks.iter().flat_map(Lack::names).collect();
                    format!("none of {} {}", listed(&names), verb(lacks))
                }
            },
            Need::Several { needed, seen, of, others } => {
                let of_one = |lacks: &Vec<Lack<'_>>| {
                    let names: Vec<_> = lacks.iter().flat_map(Lack::names).collect();
                    names.join(" or ")
                };
                let names: Vec<String> = others.iter().map(of_one).collect();
                format!("{seen} of {of} seen, {needed} needed: missing {}", listed(&names))
            }
            Need::Without(leaf @ Expression::Origin(origin)) => {
                format!("excluded {}: {}", name(leaf), origin.described(document))
            }
            Need::Without(leaf) => format!("excluded {} seen", name(leaf)),
        }
    }

    /// Returns everything that is lacking.
    pub(super) fn lacks(&self) -> Vec<Lack<'_>> {
        match self {
            Need::OneOf(lacks) => lacks.clone(),
            Need::Several { others, .. } => others.concat(),
            Need::Without(_) => Vec::new(),
        }
    }
}

/// Returns the names of fields: `title or summary`.
pub(super) fn field_names(fields: FieldSet) -> String {
    let mut names: Vec<&str> = FIELDS.into_iter().filter(|field| fields.contains(*field)).map(field_name).collect();
    if fields.intersects(FieldSet::URL) {
        names.push("URL");
    }
    names.join(" or ")
}

/// Returns the name of a field in a sentence.
pub(super) fn field_name(field: Field) -> &'static str {
    match field {
        Field::Title => "title",
        Field::Summary => "summary",
        Field::Content => "content",
        Field::Author => "author",
        Field::Category => "category",
    }
}

/// Terms are seen or not; other conditions hold or not.
fn verb(lacks: &[Lack<'_>]) -> &'static str {
    let is_term =
        |lack: &Lack<'_>| matches!(lack, Lack::Operand(..) | Lack::Leaf(Expression::Term(..) | Expression::Group(_)));
    if lacks.iter().all(is_term) { "seen" } else { "holds" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RuleSource, TermGroups};
    use proptest::prelude::*;

    /// A query over words of which each stands once.
    #[derive(Debug, Clone)]
    enum Tree {
        Word,
        Not(Box<Tree>),
        Joined(&'static str, Vec<Tree>),
        AtLeast(usize, Vec<Tree>),
    }

    /// The words that a query has at most, so that all texts can be tried.
    const MOST_WORDS: usize = 9;

    fn tree() -> impl Strategy<Value = Tree> {
        Just(Tree::Word).prop_recursive(3, 10, 4, |inner| {
            let parts = || prop::collection::vec(inner.clone(), 2..5);
            prop_oneof![
                1 => inner.clone().prop_map(|part| Tree::Not(Box::new(part))),
                3 => (prop::sample::select(vec![" AND ", " OR "]), parts()).prop_map(|(joint, of)| Tree::Joined(joint, of)),
                2 => (1..5_usize, parts()).prop_map(|(count, of)| Tree::AtLeast(count.min(of.len()), of)),
            ]
        })
    }

    fn written(tree: &Tree, words: &mut usize) -> String {
        let mut parts = |parts: &[Tree]| parts.iter().map(|part| written(part, words)).collect::<Vec<_>>();
        match tree {
            Tree::Not(part) => format!("NOT ({})", parts(std::slice::from_ref(part))[0]),
            Tree::Joined(joint, of) => format!("({})", parts(of).join(joint)),
            Tree::AtLeast(count, of) => format!("at_least({count}, {})", parts(of).join(", ")),
            Tree::Word => {
                *words += 1;
                format!("w{}", *words - 1)
            }
        }
    }

    fn text(words: usize, set: usize) -> String {
        (0..words).filter(|word| set & (1 << word) != 0).map(|word| format!("w{word} ")).collect()
    }

    /// Does what is needed, of several ways the one that `choice` chooses.
    fn repair(needs: &[Need<'_>], mut set: usize, choice: usize) -> usize {
        let bit = |leaf: &Expression| match leaf {
            Expression::Term(term, _) => 1_usize << term.written[1..].parse::<usize>().expect("a number"),
            _ => panic!("{leaf:?}"),
        };
        let mut add = |lacks: &[Lack<'_>]| match lacks[choice % lacks.len()] {
            Lack::Leaf(leaf) => set |= bit(leaf),
            lack => panic!("{lack:?}"),
        };
        let mut taken = Vec::new();
        for need in needs {
            match need {
                Need::OneOf(lacks) => add(lacks),
                Need::Several { needed, seen, others, .. } => {
                    let start = choice % others.len();
                    others.iter().cycle().skip(start).take(needed - seen).for_each(|lacks| add(lacks));
                }
                Need::Without(leaf) => taken.push(bit(leaf)),
            }
        }
        taken.into_iter().fold(set, |set, bit| set & !bit)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// What is missing is enough, whichever alternative is chosen; no text with fewer changes matches; and both ways of
        /// counting agree.
        #[test]
        fn the_missing_set_is_enough_and_the_smallest(tree in tree(), set in any::<usize>(), choice in 0..100_usize) {
            let mut words = 0;
            let query = Some(written(&tree, &mut words));
            prop_assume!(words <= MOST_WORDS);
            let source = RuleSource { query, ..RuleSource::default() };
            let Ok(rule) = Rule::new(&source, &TermGroups::new()) else { return Ok(()) };
            let compiled = RuleSet::new(std::slice::from_ref(&rule));
            let set = set & ((1 << words) - 1);
            let matches = |set: usize| {
                !compiled.matches(&Document { title: &text(words, set), ..Document::default() }).is_empty()
            };
            let title = text(words, set);
            let document = Document { title: &title, ..Document::default() };
            let mut left = outcomes(&rule, &document).into_iter();
            let needs: Vec<Need<'_>> =
                rule.clauses.iter().flat_map(|clause| missing(&clause.expression, &mut left).needs).collect();
            prop_assert!(left.next().is_none());
            let count: usize = needs.iter().map(Need::count).sum();
            let repaired = repair(&needs, set, choice);
            prop_assert!(matches(repaired), "{:?} on {title:?} needs {needs:?}", source.query);
            prop_assert_eq!((set ^ repaired).count_ones() as usize, count, "{:?} on {}: {:?}", source.query, title, needs);
            let fewest = (0..1 << words).filter(|other| matches(*other)).map(|other| (other ^ set).count_ones()).min();
            prop_assert_eq!(fewest.map(|fewest| fewest as usize), Some(count), "{:?} on {}", source.query, title);
            let mut seen = Seen::default();
            compiled.look(&document, &mut seen);
            prop_assert_eq!(compiled.missing_parts(0, &document, &seen), count);
        }
    }
}
