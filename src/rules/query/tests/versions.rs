//! The version of a rule goes by what its query means.

use super::{groups, rule, source};
use crate::rules::{Case, Rule, RuleSource};

#[test]
fn versions_are_of_the_meaning() {
    let version = |query: &str| rule(query).version;
    for (one, other) in [
        ("a AND b", "b AND (A AND a)"),
        ("a OR b OR c", "(c OR a) OR b"),
        ("NOT (a OR b) AND c", "c AND NOT b AND NOT a"),
        ("a NEAR/3 b", "(b) NEAR/3 a"),
        ("\"a b\"~3", "a NEAR/3 b"),
        ("title:a NEAR/3 b", "title:(a NEAR/3 b)"),
        ("at_least(1, a, b)", "a OR b"),
        ("at_least(2, a, b, c)", "at_least(2, c, b, a)"),
        ("@missile", "rocket OR missile*"),
        ("summary:a OR content:a", "body:a"),
        ("NOT summary:a AND NOT content:a AND b", "NOT body:a AND b"),
        ("summary:a OR (content:b OR content:a) OR summary:b", "body:(a OR b)"),
        ("(summary:a OR content:a) NEAR/2 body:b", "body:(a NEAR/2 b)"),
        ("summary:/a/ OR content:/a/", "body:/a/"),
        ("feed:A OR lang:UK", "lang:uk OR feed:a"),
        ("url:a/b", "url:\"A b\""),
        ("＠missile AND ＝x AND feed:＠missile", "@missile AND =x AND feed:@missile"),
        ("＠\"two words\" OR url:＝x", "@\"two words\" OR url:=x"),
        ("«a “b” OR c»", "\"a b or c\""),
        ("“the \"GRAND\" ANDES \"a\"”", "\"the GRAND ANDES a\""),
        ("“a \"b\" and c”", "\"a b and c\""),
        ("tag:wire\u{200b} OR @missile\u{200b}", "tag:wire OR @missile"),
        ("tag:\u{61c}wire\u{ad} OR =x\u{feff}", "tag:wire OR =x"),
        ("feed:\u{200b}(a OR b\u{ad})", "feed:(a OR b)"),
        // Names and URLs may have full-width punctuation, which is that of the query around them.
        ("feed:人民网（国际）", "feed:\"人民网（国际）\""),
        ("feed:a，b（c）d AND e", "feed:\"a，b（c）d\" AND e"),
        ("tag:（A OR B）", "tag:(A OR B)"),
        ("（tag:a（b） OR tag:c）", "tag:\"a（b）\" OR tag:c"),
        ("at_least(2，tag:a，tag:b（c，d）)", "tag:a AND tag:\"b（c，d）\""),
        ("at_least(1，feed:a，（b OR tag:c），d)", "feed:a OR b OR tag:c OR d"),
        ("url:e.org/a（b）", "url:\"e.org/a（b）\""),
        ("@朝鲜（北） OR （@missile）", "x OR @missile"),
    ] {
        assert_eq!(version(one), version(other), "{one}");
    }
    for (one, other) in [
        ("a NEAR/3 b", "a NEAR/4 b"),
        ("a NEAR/3 b", "a ONEAR/3 b"),
        ("a ONEAR/3 b", "b ONEAR/3 a"),
        ("a NEAR/3 b NEAR/3 c", "a NEAR/3 c NEAR/3 b"),
        ("at_least(2, a, b, c)", "at_least(2, a, b, d)"),
        ("at_least(2, a, b, c)", "a OR b OR c"),
        ("a", "=a"),
        ("a", "title:a"),
        ("a", "url:a"),
        ("/a/", "/a/i"),
        ("/a/", "a"),
        ("feed:a", "tag:a"),
        ("feed:a", "feed:a*"),
        ("wom?n", "woman"),
        ("wom?n", "wom?n*"),
        ("summary:a AND content:a", "body:a"),
        ("title:a AND NOT title:a", "title:a AND NOT summary:a"),
    ] {
        assert_ne!(version(one), version(other), "{one}, {other}");
    }
    let lists = RuleSource { query: None, all: vec!["a".to_owned(), "b".to_owned()], ..source("") };
    assert_eq!(Rule::new(&lists, &groups()).unwrap().version, version("a AND b"));
    assert_eq!(Rule::new(&RuleSource { case: Case::Ignore, ..source("a") }, &groups()).unwrap().version, version("a"));
}
