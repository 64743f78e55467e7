//! Queries that nobody means: endless, nested, random.

use super::{errors, groups, source};
use crate::rules::explain::explain;
use crate::rules::expression::Expression;
use crate::rules::{Document, Rule, RuleSet, TermGroups};
use proptest::prelude::*;

#[test]
fn limits_hold() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Rule::new(&source(&nested(64)), &groups()).is_ok());
    for query in [nested(65), nested(30_000), "NOT ".repeat(10_000) + "a", "title:".repeat(10_000) + "a"] {
        assert!(errors(&query).iter().any(|error| error.message.contains("within one another")));
    }
    assert!(errors(&"a OR ".repeat(20_000))[0].message.contains("at most 65536"));
    let many: Vec<String> = (0..1000).map(|word| format!("w{word}")).collect();
    let groups = TermGroups::from([("many".to_owned(), many)]);
    let query = source(&(" OR @many".repeat(5_000)[4..]));
    assert!(Rule::new(&query, &groups).unwrap_err()[0].message.contains("more than 50000 terms"));
    assert!(Rule::new(&source(&("a NEAR/3 ".repeat(7_000) + "a")), &groups).is_ok());
}

/// Texts that are made to be slow to read are read all the same; a longer one is refused unread.
#[test]
fn hostile_queries_are_read_in_time() {
    const LENGTH: usize = 64 << 10;
    let filled = |part: &str| part.repeat(LENGTH / part.len());
    let many: Vec<String> = (0..5000).map(|word| format!("w{word}*")).collect();
    let groups = TermGroups::from([("many".to_owned(), many), ("g".to_owned(), vec!["a".to_owned()])]);
    let number = |at: usize| format!("w{at} OR ");
    let different = (0..7000).map(number).collect::<String>();
    for query in [
        filled("("),
        filled("(a"),
        filled("(a OR "),
        filled("a OR "),
        filled("@g OR ") + "a",
        filled("@many OR ") + "a",
        filled("@x "),
        filled("\""),
        filled("\"a\" "),
        filled("“"),
        filled("NOT "),
        filled("title:"),
        filled("url:/"),
        filled("feed:"),
        filled("/"),
        filled("/a/ OR ") + "a",
        filled("/\\"),
        filled("/(a|b)+/i AND "),
        filled("?"),
        filled("a?"),
        filled("a*"),
        filled("*"),
        filled("at_least(1,"),
        filled("at_least(1,a),"),
        filled("a NEAR/1 "),
        filled("a,"),
        filled("=") + "a",
        filled("弹?"),
        filled("\"a b\"~3 "),
        different[..different.len().min(LENGTH - 100)].trim_end_matches(" OR ").to_owned(),
        format!("/{}/", "(?:a{100}){100}".repeat(4000)),
    ] {
        if let Ok(rule) = Rule::new(&source(&query), &groups) {
            assert!(RuleSet::new(&[rule]).matches(&Document::default()).is_empty());
        }
    }
    let message = &errors(&"a OR ".repeat(1 << 18))[0].message;
    assert!(message.contains("has 1310720 bytes, at most 65536"), "{message}");
}

/// Returns what a rule looks for, as it is written.
fn written_terms(rule: &Rule) -> Vec<String> {
    let mut written = Vec::new();
    for clause in &rule.clauses {
        clause.expression.leaves(&mut |leaf| match leaf {
            Expression::Term(term, _) => written.push(term.written.to_string()),
            Expression::Regex(regex, _) => written.push(regex.written.to_string()),
            Expression::Origin(origin) => written.push(origin.written()),
            Expression::Near(near) => {
                let leaves = near.operands().iter().flat_map(|operand| operand.leaves());
                written.extend(leaves.map(|leaf| leaf.term.written.to_string()));
            }
            _ => {}
        });
    }
    written
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Nothing that somebody writes makes the parser panic; errors stand within the text, at a character.
    #[test]
    fn survives_any_text(query in any::<String>()) {
        if let Err(errors) = Rule::new(&source(&query), &groups()) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(error.at.is_none_or(|at| query.is_char_boundary(at)), "{:?}", error);
            }
        }
    }

    /// What is said to be written for two or three words can be written.
    #[test]
    fn suggestions_are_read_when_copied(
        words in prop::collection::vec(prop::sample::select(vec![
            "a", "b", "（a）", "(b)", "＂a b＂", "“b”", "–", "a|b|c", "|b", "a&&b", "a&&b|c", "ET", "TO", "a：b", "x＝y", "«a»", "title:a",
            "＠x", "弹，a", "a/b", "a-b", "'a", "AND", "OR", "=b", "3,000", "?",
        ]), 1..4),
    ) {
        let query = words.join(" ");
        let errors = Rule::new(&source(&query), &groups()).err().unwrap_or_default();
        for error in errors {
            let mut told: Vec<&str> = Vec::new();
            for behind in ["` for both", "` for the phrase", "` for a phrase"] {
                let found = error.message.split_once(behind).and_then(|(told, _)| told.rsplit_once('`'));
                told.extend(found.map(|(_, query)| query));
            }
            let parts = error.message.split_once("are mixed without parentheses; write `");
            told.extend(parts.into_iter().flat_map(|(_, parts)| parts.trim_end_matches('`').split("` or `")));
            for query in told {
                prop_assert!(Rule::new(&source(query), &groups()).is_ok(), "{} for {:?}", query, error);
            }
        }
    }

    /// The same for texts that look like queries; no word of one that is accepted is left out.
    #[test]
    fn survives_what_looks_like_a_query(
        parts in prop::collection::vec(prop::sample::select(vec![
            "AND", "OR", "NOT", "(", ")", ",", "\"", "“", "”", "NEAR/2", "ONEAR/", "NEAR", "at_least(", "2", "a", "b*",
            "@dprk", "@", "=", "=x", "title:", "body:", "~3", "é", "*", "-a", "弹", "&&", "/x/", " ",
            "/", "/i", "\\", "w?n*", "?", "feed:", "tag:x", "lang:", "lang:uk", "url:", "url:a/b", "/a.b/i", "[", "@missile",
            "\u{200b}", "NOT\u{200b}", "（", "）", "，", "：",
        ]), 0..30),
        spaced in any::<bool>(),
        text in "[ab x.弹\n]{0,20}",
    ) {
        let query = parts.join(if spaced { " " } else { "" });
        match Rule::new(&source(&query), &groups()) {
            Ok(rule) => {
                let document = Document { title: &text, content: &query, ..Document::default() };
                let hit = !RuleSet::new(std::slice::from_ref(&rule)).matches(&document).is_empty();
                prop_assert_eq!(explain(&rule, &document).hit, hit);
                prop_assert!(RuleSet::new(std::slice::from_ref(&rule)).matches(&Document::default()).is_empty());
                let written = written_terms(&rule);
                let plain = parts.iter().filter(|part| ["a", "b*", "é", "弹", "w?n*"].contains(part));
                // `NEAR` within one field leaves out what stands in none of the fields of the others.
                for word in plain.filter(|_| !query.contains("NEAR")) {
                    prop_assert!(written.iter().any(|term| term.contains(*word)), "{}: {:?}", word, written);
                }
            }
            Err(errors) => {
                for error in errors {
                    prop_assert!(error.at.is_none_or(|at| query.is_char_boundary(at)), "{:?}", error);
                }
            }
        }
    }
}
