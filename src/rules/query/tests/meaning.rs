//! What queries match, and where.

use super::{errors, groups, hits, rule, source};
use crate::rules::explain::explain;
use crate::rules::{Case, Document, Rule, RuleSet, RuleSource, TermGroups, query_groups};

#[test]
fn queries_match_titles() {
    for (query, text, expected) in [
        ("a AND b", "b a", true),
        ("a AND b", "a", false),
        ("a OR b", "b", true),
        ("a AND NOT b", "a", true),
        ("a AND NOT b", "a b", false),
        ("NOT (NOT a OR b)", "a c", true),
        ("NOT (NOT a OR b)", "a b", false),
        ("a AND (b OR c)", "a c", true),
        ("(a AND b) OR c", "c", true),
        ("\"a b\" AND c", "c a b", true),
        ("“a b” AND c", "c b a", false),
        ("«a b» OR »c d«", "c d", true),
        ("„a b“ OR c", "a b", true),
        ("mis* AND x", "x missile", true),
        ("\"big mis*\"", "big missiles", true),
        ("wom?n", "a woman", true),
        ("wom?n", "Women", true),
        ("wom?n", "womn woman’s", true),
        ("wom?n", "womn womaan womanly", false),
        ("wom?n*", "womanly", true),
        ("\"wom?n of\"", "the women of", true),
        ("w?", "we", true),
        ("w?", "w was", false),
        ("ра?ет*", "ракетами", true),
        ("북?", "북한이", true),
        ("북?", "북", false),
        ("U?A", "the USA", true),
        ("U?A", "the usa", false),
        ("Orb?n", "Orbán", true),
        ("क?", "कि की", false),
        ("wom* AND wom?n", "women", true),
        ("wom* AND wom?n", "womb", false),
        ("@dprk AND @missile", "North Korean rocket", true),
        ("@\"two words\"", "b", true),
        ("a NEAR/1 b", "b x a", true),
        ("a NEAR/1 b", "b x y a", false),
        ("a NEAR/0 b", "b a", true),
        ("a ONEAR/1 b", "a x b", true),
        ("a ONEAR/1 b", "b x a", false),
        ("a NEAR/5 b", "a. b", true),
        ("a NEAR/5 b", "a\nb", false),
        ("a NEAR/5 a", "a", false),
        ("a NEAR/5 a", "a x a", true),
        ("\"a b\" NEAR/5 b", "a b", false),
        ("\"a b\" NEAR/0 b", "b a b", true),
        ("(a OR \"b c\") NEAR/1 d", "b c x d", true),
        ("@dprk NEAR/2 @missile", "rocket of the North Koreans", true),
        ("a ONEAR/0 b ONEAR/0 c", "b a b c", true),
        ("a NEAR/0 b NEAR/0 c", "a b x b c", false),
        ("\"a b\"~1", "b x a", true),
        ("\"a b c\"~1", "a x b c", true),
        ("\"a b\"~0", "a x b", false),
        ("NOT a NEAR/1 b AND a", "a x y b", true),
        ("NOT a NEAR/1 b AND a", "a x b", false),
        ("at_least(2, a, b, c)", "c x a", true),
        ("at_least(2, a, b, c)", "c x", false),
        ("at_least(2,3,4,5)", "3 5", true),
        ("NOT at_least(2, a, b, c) AND (a OR b)", "a x", true),
        ("NOT at_least(2, a, b, c) AND (a OR b)", "a c", false),
        ("at_least( 1 , @dprk, \"x y\" AND z)", "z x y", true),
        ("=Turkey", "turkey Turkeys", false),
        ("=Turkey", "in Turkey", true),
        ("=\"Big Apple\"", "the Big Apple", true),
        ("=북한", "북한이", false),
        ("북한", "북한이", true),
        ("3,000 AND men", "3000 men", true),
        ("AT&T OR C++", "AT&T", true),
        ("North-Korean", "North Korean", true),
        ("10:30 AND and", "at 10:30 and later", true),
        ("title:a AND NOT summary:a", "a", true),
        ("body:a", "a", false),
    ] {
        let document = Document { title: text, ..Document::default() };
        assert_eq!(hits(query, &document), expected, "`{query}` in `{text}`");
    }
}

#[test]
fn fields_are_those_of_the_innermost_scope_and_nearness_is_within_one() {
    let document = Document { title: "a x b", summary: "c", content: "d a", author: "Jane Doe", ..Document::default() };
    for (query, expected) in [
        ("title:(a AND b) AND body:(c AND d)", true),
        ("body:(c AND title:b)", true),
        ("author:doe AND content:d", true),
        ("doe", false),
        ("category:a OR author:a", false),
        ("content:(a NEAR/3 d)", true),
        ("title:a NEAR/3 b", true),
        ("content:a NEAR/3 b", false),
        ("title:(a NEAR/3 d)", false),
        ("b NEAR/999 c", false),
    ] {
        assert_eq!(hits(query, &document), expected, "{query}");
    }
    let title_only = RuleSource { fields: vec![crate::core::hit::Field::Title], ..source("c OR content:d") };
    let set = RuleSet::new(&[Rule::new(&title_only, &groups()).unwrap()]);
    assert_eq!(set.matches(&document).len(), 1);
}

#[test]
fn queries_ask_where_an_article_is_from() {
    let tags = ["Asia".to_owned(), "wire".to_owned()];
    let document = Document {
        title: "a b",
        url: "https://www.example.com/politics/%D1%80%D0%B0%D0%BA%D0%B5%D1%82%D0%B0-US/2024?id=7",
        language: Some("en-GB"),
        feed: "https://feeds.example/rss.xml",
        feed_name: "BBC World",
        tags: &tags,
        ..Document::default()
    };
    for (query, expected) in [
        ("feed:\"bbc world\"", true),
        ("feed:BBC", false),
        ("feed:BBC*", true),
        ("feed:https://feeds.example/rss.xml", true),
        ("feed:(Reuters OR BBC*) AND a", true),
        ("feed:Reuters AND a", false),
        ("a AND NOT feed:BBC*", false),
        ("tag:asia AND tag:wire", true),
        ("tag:(europe OR africa)", false),
        ("feed:@wires", true),
        ("lang:en", true),
        ("lang:uk OR a NEAR/0 b", true),
        ("lang:en AND NOT c", true),
        ("lang:en-US", false),
        ("at_least(2, lang:en, tag:asia, c)", true),
        ("url:example.com/politics", true),
        ("url:https://www.example.com", true),
        ("url:example/politics", false),
        ("url:политика OR url:ракета", true),
        ("url:us AND url:US AND url:=us", true),
        ("url:(example ONEAR/4 2024)", true),
        ("url:(example ONEAR/3 2024)", false),
        ("url:/politics.*id=7/", true),
        ("url:@wires", true),
        ("/example/", false),
        ("example", false),
        ("title:(a OR url:zzz) AND url:politic*", true),
    ] {
        let groups = TermGroups::from([(
            "wires".to_owned(),
            vec!["Reuters".to_owned(), "BBC World".to_owned(), "Politics".to_owned()],
        )]);
        let rule = Rule::new(&source(query), &groups).unwrap_or_else(|errors| panic!("{query}: {errors:?}"));
        let hit = !RuleSet::new(std::slice::from_ref(&rule)).matches(&document).is_empty();
        assert_eq!((hit, explain(&rule, &document).hit), (expected, expected), "{query}");
    }
    let explained = |query: &str| explain(&rule(query), &document).to_string();
    assert!(explained("lang:uk AND a").contains("✗ query: `lang:uk` does not hold; the language is en-GB, not uk"));
    assert!(explained("lang:en AND a").contains("✓ query: `lang:en` holds; the language is en-GB"));
    assert!(explained("feed:Reuters").contains("; the feed is BBC World, not Reuters"));
    assert!(explained("tag:x").contains("; the feed has the tags Asia, wire, not x"));
    assert!(explained("url:x").contains("; the URL is https://www.example.com/politics/ракета-US"));
    let unknown = explain(&rule("lang:uk"), &Document::default()).to_string();
    assert!(unknown.ends_with("no language is known, and uk is asked for"), "{unknown}");
}

#[test]
fn regular_expressions_look_at_the_text_itself() {
    for (query, text, expected) in [
        ("/mis+ile/", "missssile", true),
        ("/Missile/", "missile", false),
        ("/Missile/i", "MISSILE", true),
        ("/a b|c, d/", "x c, d", true),
        ("/a\\/b/", "a/b", true),
        ("/(a|b) \"x\"/", "b \"x\"", true),
        ("/^a/", "ba", false),
        ("/a.b/", "a\nb", false),
        ("/é/", "e\u{301} e", false),
        ("title:/a\\db/ AND x", "x a1b", true),
        ("/a\\db/ AND NOT x", "x a1b", false),
        ("x AND NOT /a\\db/", "x a1b", false),
        ("x AND NOT /a\\db/", "x ab", true),
        ("summary:/a/ OR x", "a", false),
        ("at_least(2, /a+/, /b+/, c)", "aa bb", true),
        ("(/a/)", "cat", true),
    ] {
        assert_eq!(hits(query, &Document { title: text, ..Document::default() }), expected, "`{query}` in `{text}`");
    }
    let any_case = RuleSource { case: Case::Ignore, ..source("/missile/") };
    let set = RuleSet::new(&[Rule::new(&any_case, &groups()).unwrap()]);
    assert_eq!(set.matches(&Document { title: "MISSILE", ..Document::default() }).len(), 1);
    let many = (0..101).map(|number| format!("/a{number}/")).collect::<Vec<_>>().join(" OR ");
    assert!(errors(&many)[0].message.contains("at most 100 regular expressions"));
}

#[test]
fn lists_and_query_must_both_hold() {
    let both = RuleSource { all: vec!["a".to_owned()], none: vec!["z".to_owned()], ..source("b OR c") };
    let set = RuleSet::new(&[Rule::new(&both, &groups()).unwrap()]);
    for (title, expected) in [("a b", 1), ("a c", 1), ("a", 0), ("b c", 0), ("a b z", 0)] {
        assert_eq!(set.matches(&Document { title, ..Document::default() }).len(), expected, "{title}");
    }
    let broken = RuleSource { all: vec!["*".to_owned()], ..source("b OR") };
    let keys: Vec<_> = Rule::new(&broken, &groups()).unwrap_err().into_iter().map(|error| error.key).collect();
    assert_eq!(keys, ["all", "query"]);
}

#[test]
fn explanations_tell_each_part_of_a_query() {
    let explain =
        |query: &str, title: &str| explain(&rule(query), &Document { title, ..Document::default() }).to_string();
    assert_eq!(
        explain("(a OR b) NEAR/2 c AND NOT (d OR e)", "a c e"),
        "`test` does not match: `a`, `c` seen; excluded `e` seen: “e” in title\n  ✓ query: `(a OR b) NEAR/2 c` \
         holds: `a` in title, `c` in title\n  ✗ query: `NOT (d OR e)` does not hold, with `e` in title"
    );
    let far = explain("a NEAR/1 b", "a x y b");
    assert!(far.contains("but “a” in title (2 words from “b”; `NEAR/1` allows 1)\n"), "{far}");
    assert!(far.ends_with("`a NEAR/1 b` does not hold, with `a` in title, `b` in title"), "{far}");
    let turned = explain("a ONEAR/1 b", "b a");
    assert!(turned.contains("but “a” in title (in the other order: 0 words after “b”)"), "{turned}");
    assert!(explain("at_least(2, a, b, c)", "b").ends_with("`at_least(2, a, b, c)` does not hold, with `b` in title"));
    assert!(explain("DPRK OR x", "dprk").contains("not found, but “dprk” in title (in other capitals"));
    assert!(explain("a AND NOT b", "a").ends_with("✓ query: `NOT b` holds"));
}

#[test]
fn groups_are_named_with_their_place() {
    assert_eq!(query_groups("x AND (@a OR @\"b c\") \"@d\""), [(7, "a"), (13, "b c")]);
}
