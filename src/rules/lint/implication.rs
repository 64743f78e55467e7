//! Whether one expression can only hold where another does: sound, not complete, and within a limit of work.

use super::super::FieldSet;
use super::super::expression::{Alternatives, Expression, Leaf, Proximity, Term, TermWord, WordKind};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The pairs of expressions that may still be compared; without any left nothing is claimed.
#[derive(Debug)]
pub(super) struct Budget(pub(super) usize);

impl Budget {
    fn spend(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

/// Whether `b` holds of every document of which `a` holds; false also means that this is not known.
pub(super) fn implies(a: &Expression, b: &Expression, budget: &mut Budget) -> bool {
    use Expression::{All, Any, AtLeast, Group, Near, Not, Origin, Regex, Term};
    if !budget.spend() {
        return false;
    }
    match (a, b) {
        (_, All(parts)) => parts.iter().all(|part| implies(a, part, budget)),
        (Any(parts), _) => !parts.is_empty() && parts.iter().all(|part| implies(part, b, budget)),
        (Not(a), Not(b)) => implies(b, a, budget),
        (Group(a), Group(b)) => alternatives_imply(a, b, budget),
        (Group(a), b) => a.leaves().iter().all(|leaf| leaf_implies(leaf, b, budget)),
        (Near(a), Near(b)) if near_implies(a, b, budget) => true,
        (All(parts), AtLeast(count, of)) => {
            let known = |of: &&Expression| parts.iter().any(|part| implies(part, of, budget));
            of.iter().filter(known).count() >= *count || parts.iter().any(|part| implies(part, b, budget))
        }
        (All(parts), _) => parts.iter().any(|part| implies(part, b, budget)),
        // So many parts hold that one of those that imply it is among them.
        (AtLeast(count, parts), _) if parts.iter().filter(|part| !implies(part, b, budget)).count() < *count => true,
        (AtLeast(more, a), AtLeast(fewer, b)) => more >= fewer && a == b,
        (Near(a), Group(b)) if a.operands().iter().any(|operand| Arc::ptr_eq(operand, b)) => true,
        (Near(a), b) => {
            a.operands().iter().any(|operand| operand.leaves().iter().all(|leaf| leaf_implies(leaf, b, budget)))
        }
        (a, Any(parts)) => parts.iter().any(|part| implies(a, part, budget)),
        (a, AtLeast(count, parts)) => parts.iter().filter(|part| implies(a, part, budget)).count() >= *count,
        (Term(term, fields), b) => match b {
            Term(other, others) => term_implies((term, *fields), (other, *others)),
            Group(group) => group
                .leaves()
                .iter()
                .any(|leaf| budget.spend() && term_implies((term, *fields), (&leaf.term, leaf.fields))),
            _ => false,
        },
        (Regex(a, in_a), Regex(b, in_b)) => a == b && in_a.intersection(*in_b) == *in_a,
        (Origin(a), Origin(b)) => a == b,
        _ => false,
    }
}

fn alternatives_imply(a: &Arc<Alternatives>, b: &Arc<Alternatives>, budget: &mut Budget) -> bool {
    Arc::ptr_eq(a, b) || a == b || leaves_imply(a.leaves(), b.leaves(), budget)
}

fn leaf_implies(leaf: &Leaf, b: &Expression, budget: &mut Budget) -> bool {
    implies(&Expression::Term(Arc::clone(&leaf.term), leaf.fields), b, budget)
}

/// Whether each of the one implies one of the others. Equal ones are found without comparing each with each.
fn leaves_imply(a: &[Leaf], b: &[Leaf], budget: &mut Budget) -> bool {
    if budget.0 < a.len() + b.len() {
        return false;
    }
    let known: FxHashSet<(&[TermWord], u8)> =
        b.iter().map(|leaf| (leaf.term.words.as_slice(), leaf.fields.bits())).collect();
    budget.0 -= a.len() + b.len();
    a.iter().all(|leaf| {
        known.contains(&(leaf.term.words.as_slice(), leaf.fields.bits()))
            || b.iter()
                .any(|other| budget.spend() && term_implies((&leaf.term, leaf.fields), (&other.term, other.fields)))
    })
}

fn near_implies(a: &Proximity, b: &Proximity, budget: &mut Budget) -> bool {
    let closer = a.distances().iter().zip(b.distances()).all(|(a, b)| a.words <= b.words && (a.ordered || !b.ordered));
    a.operands().len() == b.operands().len()
        && closer
        && a.operands().iter().zip(b.operands()).all(|(a, b)| {
            // Places must be the same, so that a longer phrase is not nearer or farther.
            let same = |leaf: &Leaf| {
                b.leaves().iter().any(|other| {
                    budget.spend()
                        && leaf.term.words.len() == other.term.words.len()
                        && term_implies((&leaf.term, leaf.fields), (&other.term, other.fields))
                })
            };
            a == b || a.leaves().iter().all(same)
        })
}

/// Whether wherever the one term stands, the other does, within fields that are among its own.
pub(super) fn term_implies((a, in_a): (&Term, FieldSet), (b, in_b): (&Term, FieldSet)) -> bool {
    in_a.intersection(in_b) == in_a
        && a.words.windows(b.words.len()).any(|run| {
            run.iter()
                .zip(&b.words)
                .enumerate()
                .all(|(place, (a, b))| word_implies(a, b) && (place == 0 || b.loose || !a.loose))
        })
}

fn word_implies(a: &TermWord, b: &TermWord) -> bool {
    // Of wildcards the same alone is known to follow, and what they start with.
    let covers = |text: &str, other: &str| match (a.kind, b.kind) {
        (_, WordKind::Prefix) => text.split('?').next().is_some_and(|start| start.starts_with(other)),
        (a, b) => a == b && text == other,
    };
    match (&a.forms, &b.forms) {
        (None, None) => {}
        (None, Some(forms)) if forms.keeps_itself() => {}
        (Some(of_a), Some(of_b)) if of_a == of_b => {}
        // Forms of two words may or may not be the same, and no ending is known to be one.
        _ => return false,
    }
    match (&a.cased, &b.cased) {
        (_, None) => covers(&a.folded, &b.folded),
        (Some(a), Some(b)) => covers(a, b),
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Document, Rule, RuleSet, RuleSource, TermGroups};
    use proptest::prelude::*;

    fn rule(query: &str) -> Option<Rule> {
        let source = RuleSource { name: "r".to_owned(), query: Some(query.to_owned()), ..RuleSource::default() };
        Rule::new(&source, &TermGroups::from([("g".to_owned(), vec!["a".to_owned(), "b*".to_owned()])])).ok()
    }

    fn whole(rule: &Rule) -> Expression {
        Expression::All(rule.clauses.iter().map(|clause| clause.expression.clone()).collect())
    }

    fn query_implies(a: &str, b: &str) -> bool {
        implies(&whole(&rule(a).unwrap()), &whole(&rule(b).unwrap()), &mut Budget(10_000))
    }

    #[test]
    fn what_follows_is_found() {
        for (a, b) in [
            ("missiles", "missile*"),
            ("ballistic AND missile", "missile"),
            ("\"ballistic missile\"", "missile"),
            ("\"big ballistic missiles\"", "\"ballistic missil*\""),
            ("a", "a OR b"),
            ("a OR b", "c OR b OR a"),
            ("a NEAR/3 b", "b AND a"),
            ("a NEAR/3 b", "a NEAR/5 b"),
            ("a ONEAR/3 b", "a NEAR/3 b"),
            ("a AND NOT b*", "a AND NOT bc"),
            ("title:a", "a"),
            ("at_least(2, a, b, c)", "a OR b OR c"),
            ("at_least(2, a, b, c)", "at_least(1, a, b, c)"),
            ("a AND b AND c", "at_least(2, a, b, c)"),
            ("US", "us"),
            ("@g", "@g OR x"),
            ("a AND x", "@g"),
            ("wom?n", "wom*"),
            ("wom?n AND x", "wom?n"),
            ("W?A", "w?a"),
            ("@g NEAR/3 x", "@g"),
            ("@g NEAR/3 x", "@g NEAR/5 x"),
            ("title:/ab/ AND x", "/ab/"),
            ("x AND lang:uk", "lang:uk"),
        ] {
            assert!(query_implies(a, b), "{a} → {b}");
        }
        for (a, b) in [
            ("missile*", "missiles"),
            ("a", "title:a"),
            ("us", "US"),
            ("a NEAR/5 b", "a NEAR/3 b"),
            ("a AND b", "a NEAR/999 b"),
            ("a OR b", "a"),
            ("at_least(2, a, b, c)", "a"),
            ("\"a x b\"", "\"a b\""),
            ("a AND NOT bc", "a AND NOT b*"),
            ("wom?n", "woma*"),
            ("wom?n*", "wom?n"),
            ("w?a", "W?A"),
            ("/ab/", "title:/ab/"),
            ("/ab/i", "/ab/"),
            ("x AND lang:uk", "lang:en"),
        ] {
            assert!(!query_implies(a, b), "{a} → {b}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// What is claimed is so: no document has the one without the other.
        #[test]
        fn claims_are_true(
            a in query(),
            b in query(),
            texts in prop::collection::vec("[abAB]{1,2}([ ,.]{1,2}[abAB]{1,2}){0,5}", 8),
        ) {
            let (Some(a), Some(b)) = (rule(&a), rule(&b)) else { return Ok(()) };
            if implies(&whole(&a), &whole(&b), &mut Budget(10_000)) {
                let set = RuleSet::new(&[a, b]);
                for texts in texts.chunks(2) {
                    let language = Some("uk-UA").filter(|_| texts[0].contains('.'));
                    let (title, summary, url) = (&texts[0], &texts[1], &texts[1]);
                    let document = Document { title, summary, url, language, ..Document::default() };
                    let hits: Vec<usize> = set.matches(&document).iter().map(|hit| hit.rule).collect();
                    prop_assert!(hits != [0], "{texts:?}");
                }
            }
        }
    }

    const PARTS: [&str; 27] = [
        "a",
        "b",
        "ab",
        "a*",
        "B",
        "AB",
        "AB*",
        "\"a b\"",
        "\"a b*\"",
        "\"a, b\"",
        "title:a",
        "title:(a OR b)",
        "@g",
        "a NEAR/1 b",
        "a ONEAR/2 (b OR ab)",
        "at_least(2, a, b, ab)",
        "(a OR NOT b)",
        "=Ab",
        "a?",
        "A?",
        "a?*",
        "/ab/",
        "title:/ab?/i",
        "lang:uk",
        "lang:uk-ua",
        "@g NEAR/1 b",
        "url:a",
    ];

    fn query() -> impl Strategy<Value = String> {
        let joint = prop::sample::select(vec![" AND ", " OR ", " AND NOT "]);
        (joint, prop::collection::vec(prop::sample::select(PARTS.to_vec()), 1..4))
            .prop_map(|(joint, parts)| parts.join(joint))
    }
}
