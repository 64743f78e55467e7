//! What queries mean, and what is said of those that cannot be read.

use crate::rules::explain::explain;
use crate::rules::{Case, Document, Rule, RuleError, RuleSet, RuleSource, TermGroups, query_groups};
use proptest::prelude::*;

fn source(query: &str) -> RuleSource {
    RuleSource { name: "test".to_owned(), query: Some(query.to_owned()), ..RuleSource::default() }
}

fn groups() -> TermGroups {
    let owned = |terms: &[&str]| -> Vec<String> { terms.iter().map(|term| (*term).to_owned()).collect() };
    TermGroups::from([
        ("dprk".to_owned(), owned(&["DPRK", "North Korea*"])),
        ("missile".to_owned(), owned(&["missile*", "rocket"])),
        ("two words".to_owned(), owned(&["a", "b"])),
    ])
}

fn rule(query: &str) -> Rule {
    Rule::new(&source(query), &groups()).unwrap_or_else(|errors| panic!("{query}: {errors:?}"))
}

fn errors(query: &str) -> Vec<RuleError> {
    Rule::new(&source(query), &groups()).expect_err(query)
}

fn hits(query: &str, document: &Document<'_>) -> bool {
    let rule = rule(query);
    let hit = !RuleSet::new(std::slice::from_ref(&rule)).matches(document).is_empty();
    assert_eq!(explain(&rule, document).hit, hit, "explain agrees: {query}");
    hit
}

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
fn errors_stand_at_their_byte_and_say_what_was_expected() {
    for (query, at, part) in [
        ("", 0, "the query is empty"),
        ("é AND", 6, "expected a word, a phrase, an `@group` or a `(` after `AND`"),
        ("AND a", 0, "at the start, found `AND`"),
        ("a AND OR b", 6, "after `AND`, found `OR`"),
        ("a AND b OR c", 8, "write `(a AND b) OR c` or `a AND (b OR c)`"),
        ("a OR b AND c OR d", 7, "write `a OR (b AND c) OR d` or `(a OR b) AND (c OR d)`"),
        ("ballistic missile", 10, "write `ballistic AND missile` for both, or `\"ballistic missile\"` for the phrase"),
        ("a and b", 2, "write `AND`"),
        ("not b", 0, "write `NOT`"),
        ("a near/5 b", 2, "`near/5` is a word here; write `NEAR/5`"),
        ("a NEAR5 b", 2, "write `NEAR/5`"),
        ("a NEAR:5 b", 2, "after a `/`: write `NEAR/10`"),
        ("a W/5 b", 2, "for words near each other write `NEAR/5`"),
        ("a /5 b", 2, "for words near each other write `NEAR/5`"),
        ("a XOR b", 2, "no `XOR`"),
        ("a -b", 2, "write `NOT b`, after another part `AND NOT b`"),
        ("[a TO b]", 0, "no ranges"),
        ("\"a b\"^2", 5, "no weights"),
        ("AT_LEAST(2, a, b, c)", 0, "`at_least`"),
        ("«a b", 0, "write » after the phrase"),
        ("a NOT b", 2, "write `AND NOT`"),
        ("(a OR b) \"c d\"", 9, "expected `AND`, `OR` or `NEAR/10` before `\"c d\"`"),
        ("(a AND b", 0, "is not closed"),
        ("a)", 1, "closes nothing"),
        ("a, b", 1, "a comma stands in"),
        ("(a, b)", 2, "a comma stands in"),
        ("()", 1, "found `)`"),
        ("a AND \"b c", 6, "this quotation mark is not closed"),
        ("a NEAR b", 2, "expected how many words may stand between, a number: `NEAR/10`"),
        ("a ONEAR/x b", 2, "a number: `ONEAR/10`"),
        ("a NEAR/9999 b", 2, "at most 1000 words"),
        ("a NEAR/2 (b AND c)", 9, "`NEAR` joins words"),
        ("a NEAR/2 NOT b", 9, "`NOT` stands before"),
        ("title:NOT b", 6, "`NOT` stands before"),
        ("title:a NEAR/2 summary:b", 0, "their fields are different"),
        ("titel:a", 0, "there is no field `titel`"),
        ("https://example.com", 0, "quotation marks around a word with a colon"),
        ("at_least(a, b)", 9, "needs a number first"),
        ("at_least(3, a, b)", 0, "must be from 1 to 2, and is 3"),
        ("at_least(0, a)", 0, "must be from 1 to 1, and is 0"),
        ("at_least(2)", 0, "counts 0 part(s)"),
        ("x AND @misile", 6, "did you mean `@missile`"),
        ("x AND mis*le", 9, "write `mis*`"),
        ("=mis*", 4, "leave one of them out"),
        ("x AND =", 7, "the term is empty"),
        ("x AND \"\"", 7, "the term is empty"),
        ("a && b", 2, "write `AND`"),
        ("a AND -b", 6, "write `NOT b`"),
        ("+a", 0, "leave it out"),
        ("word~2", 0, "no fuzzy search"),
        ("word^2", 0, "no weights"),
        ("a AND ?ile", 6, "cannot be the first letter"),
        ("=wom?n", 4, "leave one of them out"),
        ("\"is it war?\"", 10, "as a question mark"),
        ("a AND /mis(/", 10, "cannot be read: unclosed group"),
        ("a AND /x*/", 6, "even where there is nothing"),
        ("/a b", 0, "not closed"),
        ("/a/b/", 3, "only `i` may stand"),
        ("a NEAR/2 /b/", 9, "counted in words"),
        ("a NEAR/2 (b OR /c/)", 9, "counted in words"),
        ("tag:(a OR =x)", 10, "a whole name"),
        ("tag:\"a b\"~2", 4, "a whole name"),
        ("lang:ukrainian", 5, "the tag of a language"),
        ("feed:*", 5, "expected a name"),
        ("a NEAR/2 feed:b", 9, "`NEAR` joins words"),
        ("a NEAR/2 url:b", 0, "their fields are different"),
        ("NOT lang:uk", 0, "only excludes"),
        ("\"a\"~3", 0, "two words or more"),
        ("\"a b\"~", 5, "a number"),
        ("=\"a b\"~3", 6, "after a plain phrase only"),
        ("NOT a", 0, "only excludes"),
        ("a OR NOT b", 0, "only excludes"),
        ("at_least(2, a, NOT b, NOT c)", 0, "only excludes"),
    ] {
        let errors = errors(query);
        let (key, message) = (errors[0].key.as_str(), &errors[0].message);
        assert_eq!((key, errors[0].at.or(Some(0)), errors.len()), ("query", Some(at), 1), "`{query}`: {errors:?}");
        assert!(message.contains(part), "`{query}`: {message}");
    }
}

/// What people bring from other languages is told as what it is here.
#[test]
fn other_languages_are_answered_with_what_to_write() {
    for (query, at, part) in [
        ("//", 0, "nothing between the slashes"),
        ("a AND //", 6, "nothing between the slashes"),
        ("/^$/", 0, "for no letter"),
        (r"/\b/", 0, "for no letter"),
        ("a AND /^/i", 6, "for no letter"),
        ("'a b'", 0, "double quotation marks: write `\"a b\"`"),
        ("‘a b c’", 0, "double quotation marks: write `\"a b…\"`"),
        ("title=\"a\"", 0, "before a colon: write `title:`"),
        ("title = a", 0, "before a colon: write `title:`"),
    ] {
        let errors = errors(query);
        assert_eq!(errors[0].at, Some(at), "`{query}`: {errors:?}");
        assert!(errors[0].message.contains(part), "`{query}`: {errors:?}");
    }
    for (query, suggestion) in [
        ("site:bbc.co.uk", "url:"),
        ("http://example.com", "url:"),
        ("intitle:a", "title:"),
        ("source:Reuters", "feed:"),
        ("titel:a", "title:"),
    ] {
        assert_eq!(errors(query)[0].suggestion.as_deref(), Some(suggestion), "{query}");
    }
    assert_eq!(errors("elsewhere:a")[0].suggestion, None);
}

#[test]
fn several_errors_are_told_at_once() {
    let errors_of_many = errors("(a b AND @misile OR titel:c) AND -d AND mis*le AND e NEAR f");
    let places: Vec<_> = errors_of_many.iter().map(|error| error.at).collect();
    assert_eq!(places, [Some(3), Some(9), Some(20), Some(33), Some(43), Some(53)]);
    assert_eq!(errors(&"(a b) AND ".repeat(1000)).len(), super::MAX_ERRORS);
    assert_eq!(errors("a b c d e").len(), 1);
    let mixed: Vec<_> = errors("a AND b OR @misile").iter().map(|error| error.at).collect();
    assert_eq!(mixed, [Some(8), Some(11)]);
}

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

    /// The same for texts that look like queries.
    #[test]
    fn survives_what_looks_like_a_query(
        parts in prop::collection::vec(prop::sample::select(vec![
            "AND", "OR", "NOT", "(", ")", ",", "\"", "“", "”", "NEAR/2", "ONEAR/", "NEAR", "at_least(", "2", "a", "b*",
            "@dprk", "@", "=", "=x", "title:", "body:", "~3", "é", "*", "-a", "弹", "&&", "/x/", " ",
            "/", "/i", "\\", "w?n*", "?", "feed:", "tag:x", "lang:", "lang:uk", "url:", "url:a/b", "/a.b/i", "[", "@missile",
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
                prop_assert!(RuleSet::new(&[rule]).matches(&Document::default()).is_empty());
            }
            Err(errors) => {
                for error in errors {
                    prop_assert!(error.at.is_none_or(|at| query.is_char_boundary(at)), "{:?}", error);
                }
            }
        }
    }
}
