//! What is told of a rule that does not match: the parts that are missing, and what came nearest.

use super::{Document, Rule, RuleSet, RuleSource, TermGroups, owned};
use crate::core::hit::Field;
use crate::rules::Forms;
use crate::rules::explain::{Explanation, explain};

fn groups() -> TermGroups {
    TermGroups::from([
        ("missile".to_owned(), owned(&["ballistic missile*", "ICBM", "балістичн* ракет*", "弹道导弹", "탄도미사일"])),
        ("dprk".to_owned(), owned(&["DPRK", "North Korea*", "КНДР", "北朝鲜", "북한"])),
        ("games".to_owned(), owned(&["video game*", "film"])),
    ])
}

fn explained(source: &RuleSource, document: &Document<'_>) -> Explanation {
    let source = RuleSource { name: "r".to_owned(), ..source.clone() };
    let rule = Rule::new(&source, &groups()).unwrap_or_else(|errors| panic!("{source:?}: {errors:?}"));
    let explained = explain(&rule, document);
    let hit = !RuleSet::new(&[rule]).matches(document).is_empty();
    assert_eq!((explained.hit, explained.missing.is_empty()), (hit, hit), "{explained}");
    explained
}

/// Returns the summary without the rule's name.
fn missed(query: &str, document: &Document<'_>) -> String {
    let source = RuleSource { query: Some(query.to_owned()), ..RuleSource::default() };
    let summary = explained(&source, document).summary();
    summary.strip_prefix("`r` does not match: ").unwrap_or_else(|| panic!("{query}: {summary}")).to_owned()
}

#[test]
fn summaries_tell_the_smallest_set_of_what_is_missing() {
    for (query, title, summary) in [
        ("a AND b AND c", "b", "`b` seen; `a` not seen; `c` not seen"),
        ("a OR b", "", "none of `a`, `b` seen"),
        ("a OR @games OR /x[yz]/", "", "none of `a`, @games (2 terms), `/x[yz]/` holds"),
        ("(a AND b AND c) OR (a AND d)", "a", "`a` seen; `d` not seen"),
        ("(a AND b) OR c", "a", "`a` seen; none of `b`, `c` seen"),
        ("a AND (b OR c) AND (b OR c)", "a", "`a` seen; none of `b`, `c` seen"),
        ("at_least(2, x, y, z)", "z", "`z` seen; 1 of 3 seen, 2 needed: missing `x`, `y`"),
        ("at_least(2, x, y OR v, z)", "z", "`z` seen; 1 of 3 seen, 2 needed: missing `x`, `y` or `v`"),
        ("at_least(2, x AND y, v AND w, z)", "z v", "`v`, `z` seen; 1 of 3 seen, 2 needed: missing `w`"),
        ("a AND NOT at_least(2, x, y, z)", "a x y", "`a` seen; excluded `x` seen: “x” in title"),
        ("a AND NOT @games", "a Video Games", "`a` seen; excluded @games seen: “Video Games” in title"),
        ("a AND NOT (b AND c)", "a b c", "`a` seen; excluded `b` seen: “b” in title"),
        ("a AND NOT /b+c/", "a bbc", "`a` seen; excluded `/b+c/` seen: “bbc” in title"),
        ("/b+c/", "abd", "`/b+c/` finds nothing"),
        ("@dprk AND @missile", "Talks in the DPRK", "@dprk seen; @missile (5 terms) not seen"),
    ] {
        assert_eq!(missed(query, &Document { title, ..Document::default() }), summary, "{query} on {title}");
    }
}

#[test]
fn summaries_tell_what_came_near() {
    for (query, title, nearest) in [
        ("DPRK", "the dprk", "“dprk” in title (in other capitals than the term)"),
        (
            "\"ballistic missile\"",
            "ballistic, missile",
            "“ballistic, missile” in title (with punctuation between the words)",
        ),
        ("missile", "Missiles", "“Missiles” in title (another form of the word: `forms = \"inflected\"` matches it)"),
        (
            "ракета",
            "Удар ракетами по місту",
            "“ракетами” in title (another form of the word: `forms = \"inflected\"` matches it)",
        ),
        ("Iran", "Iranian talks", "“Iranian” in title (with another ending: `*` at the end of a word matches all)"),
        ("@missile", "A ballistic rocket", "“ballistic” in title (followed by “rocket”, not by `missile*`)"),
        ("@missile", "It was ballistic", "“ballistic” in title (not followed by `missile*`)"),
        ("@missile", "It was ballistic\nMissile", "“ballistic” in title (not followed by `missile*`)"),
        ("@missile", "A cruise missile", "“missile” in title (not after `ballistic`)"),
        (
            "@missile",
            "A ballistic and long-range missile",
            "“ballistic and long-range missile” in title (with 3 words between those of the term)",
        ),
        ("@missile", "Missiles, ballistic", "“Missiles, ballistic” in title (in the other order)"),
        (
            "@missile OR rocket NEAR/1 fired",
            "A rocket they say they fired",
            "“rocket” in title (3 words from “fired”; `NEAR/1` allows 1)",
        ),
        ("\"Kim Jong Un\" OR x", "Kim Jong Il", "“Kim Jong” in title (followed by “Il”, not by `Un`)"),
        ("@missile", "Балістичний носій", "“Балістичний” in title (followed by “носій”, not by `ракет*`)"),
        ("@missile", "弹道火箭", "“弹道” in title (followed by “火”, not by `导`)"),
        (
            "ballistic NEAR/2 rocket",
            "A ballistic and very very fast rocket",
            "“ballistic” in title (4 words from “rocket”; `NEAR/2` allows 2)",
        ),
        ("rocket ONEAR/2 fired", "They fired a rocket", "“rocket” in title (in the other order: 1 word after “fired”)"),
        ("rocket NEAR/2 fired", "fired\nrocket", "“rocket” in title (“fired” stands in another paragraph)"),
        (
            "(@missile OR rocket) NEAR/2 (fired OR shot)",
            "A rocket was one of three that were fired",
            "“rocket” in title (6 words from “fired”; `NEAR/2` allows 2)",
        ),
        ("long NEAR/2 \"so long\"", "so long", "“long” in title (both stand at the same place only)"),
        ("a NEAR/0 b NEAR/0 c", "a b x b c", "“a” in title (each stands near the next, but not all at one place)"),
    ] {
        let told = missed(query, &Document { title, ..Document::default() });
        assert!(told.ends_with(&format!(", but {nearest}")), "{query} on {title}: {told}");
    }
    let document = Document { title: "Talks", summary: "a rocket in Kyiv", content: "fired", ..Document::default() };
    let document = Document { url: "https://example.org/x", language: Some("en"), feed_name: "Wire", ..document };
    for (query, summary) in [
        ("title:Kyiv", "`Kyiv` not seen in title, but “Kyiv” in summary (looked for in title only)"),
        ("title:/K..v/", "`/K..v/` finds nothing in title, but “Kyiv” in summary (looked for in title only)"),
        (
            "rocket NEAR/5 fired",
            "`rocket`, `fired` seen; `rocket` NEAR/5 `fired` not so near, but “rocket” in summary (“fired” stands in content)",
        ),
        ("rocket NEAR/5 plane", "`rocket` seen; `plane` not seen"),
        (
            "(rocket OR @missile) NEAR/2 (fired OR shot)",
            "`rocket`, `fired` seen; (`rocket` OR @missile) NEAR/2 (`fired` OR `shot`) not so near, but “rocket” in summary (“fired” stands in content)",
        ),
        ("lang:uk AND rocket", "`rocket` seen; the language is en, not uk"),
        ("rocket AND NOT feed:Wire", "`rocket` seen; excluded `feed:Wire`: the feed is Wire"),
        ("url:y", "`y` not in the URL"),
    ] {
        assert_eq!(missed(query, &document), summary, "{query}");
    }
    // Where forms are matched already, there is nothing to advise.
    let inflected = RuleSource { all: owned(&["missile"]), forms: Forms::Inflected, ..RuleSource::default() };
    let told = explained(&inflected, &Document { title: "missilery", ..Document::default() }).summary();
    assert!(
        told.ends_with("“missilery” in title (with another ending: `*` at the end of a word matches all)"),
        "{told}"
    );
    let in_title = RuleSource { all: owned(&["Kyiv"]), fields: vec![Field::Title], ..RuleSource::default() };
    let json = serde_json::to_value(explained(&in_title, &document)).unwrap();
    assert_eq!(json["missing"][0]["what"], "`Kyiv` not seen in title");
    assert_eq!(json["missing"][0]["nearest"]["field"], "summary");
    assert_eq!(json["missing"][0]["nearest"]["why"], "looked for in title only");
}

#[test]
fn of_many_rules_the_nearest_misses_come_first() {
    let queries = ["v AND w", "a AND b AND c", "a", "b", "a AND b", "a OR x", "x AND NOT a"];
    let rule = |query: &&str| {
        let source = RuleSource { query: Some((*query).to_owned()), ..RuleSource::default() };
        Rule::new(&source, &TermGroups::new()).unwrap()
    };
    let set = RuleSet::new(&queries.iter().map(rule).collect::<Vec<_>>());
    let document = Document { title: "a", ..Document::default() };
    // One part missing with another seen; one part missing; two, likewise.
    assert_eq!(set.nearest_misses(&document, 10), [4, 3, 1, 0, 6]);
    assert_eq!(set.nearest_misses(&document, 2), [4, 3]);
}

/// A group of thousands of names is told by its name, with the nearest of its terms.
#[test]
fn large_groups_are_told_by_their_names() {
    let names: Vec<String> = (0..5000).map(|number| format!("Alpha{number} beta Gamma{}", number % 100)).collect();
    let groups = TermGroups::from([("names".to_owned(), names)]);
    let query = Some("@names AND x NEAR/3 @names AND NOT y".to_owned());
    let rule = Rule::new(&RuleSource { query, ..RuleSource::default() }, &groups).unwrap();
    let mut content: String = (0..8000).map(|number| format!("word{number} the a of ")).collect();
    content.truncate(64 << 10);
    content.push_str(" x Alpha17 beta, it says, and Gamma2");
    let document = Document { content: &content, ..Document::default() };
    let told = explain(&rule, &document).summary();
    assert!(told.contains("@names (5000 terms) not seen, but “Alpha17 beta” in content"), "{told}");
}
