//! What rules promise, on whole rules and documents; and agreement with an evaluator that is too simple to be wrong.

use super::explain::explain;
use super::{Case, Document, NearSource, Rule, RuleSet, RuleSource, TermGroups};
use crate::core::hit::{Field, TermMatch};
use proptest::prelude::*;

mod agreement;
mod misses;
mod naive;

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|item| (*item).to_owned()).collect()
}

fn all(terms: &[&str]) -> RuleSource {
    RuleSource { name: "test".to_owned(), all: owned(terms), ..RuleSource::default() }
}

fn one_of(terms: &[&str]) -> RuleSource {
    RuleSource { any: owned(terms), ..all(&[]) }
}

fn title(title: &str) -> Document<'_> {
    Document { title, ..Document::default() }
}

fn places(source: &RuleSource, groups: &TermGroups, document: &Document<'_>) -> Option<Vec<TermMatch>> {
    let rule = Rule::new(source, groups).unwrap_or_else(|errors| panic!("{source:?}: {errors:?}"));
    let mut matches = RuleSet::new(std::slice::from_ref(&rule)).matches(document);
    assert_eq!(explain(&rule, document).hit, !matches.is_empty(), "explain agrees with the matcher");
    matches.pop().map(|found| found.terms)
}

fn hits(source: &RuleSource, document: &Document<'_>) -> bool {
    places(source, &TermGroups::new(), document).is_some()
}

fn place(term: &str, field: Field, start: usize, end: usize) -> TermMatch {
    TermMatch { term: term.into(), field, start, end }
}

/// The example that the program was written for.
#[test]
fn ballistic_missiles_and_dprk() {
    let rule = all(&["ballistic missiles", "DPRK"]);
    let text = "They used ballistic missiles provided by the DPRK.";
    let found = places(&rule, &TermGroups::new(), &Document { content: text, ..Document::default() });
    let expected = vec![place("ballistic missiles", Field::Content, 10, 28), place("DPRK", Field::Content, 45, 49)];
    assert_eq!(found, Some(expected));
    let apart = Document { title: "The DPRK again", summary: "Ballistic missiles fired", ..Document::default() };
    let expected = vec![place("DPRK", Field::Title, 4, 8), place("ballistic missiles", Field::Summary, 0, 18)];
    assert_eq!(places(&rule, &TermGroups::new(), &apart), Some(expected));
    assert!(!hits(&rule, &Document { title: "ballistic", summary: "missiles DPRK", ..Document::default() }));
}

#[test]
fn terms_match_texts() {
    for (term, text, expected) in [
        ("ballistic missiles", "ballistic, missiles", false),
        ("ballistic missiles", "ballistic. Missiles", false),
        ("ballistic missiles", "ballistic (missiles)", false),
        ("ballistic missiles", "ballistic/missiles", false),
        ("ballistic missiles", "ballistic\nmissiles", false),
        ("ballistic missiles", "ballistic-missiles", true),
        ("ballistic missiles", "“ballistic” missiles", true),
        ("ballistic missiles", "ballistic anti missiles", false),
        ("Washington, D.C.", "in Washington, D.C., today", true),
        ("Washington, D.C.", "in Washington DC", true),
        ("Washington DC", "in Washington, DC", false),
        ("missile", "missiles", false),
        ("missile*", "Missiles", true),
        ("missile*", "antimissile", false),
        ("баллистическ* ракет*", "запуск Баллистических ракет", true),
        ("DPRK", "DPRK’s DPRK's", true),
        ("DPRK", "see https://example.com/dprk/x", false),
        ("North Korean", "a North-Korean ship", true),
        ("North-Korean", "a North Korean ship", true),
        ("US", "the U.S. Army", true),
        ("U.S.", "the US Army", true),
        ("US Army", "the U.S. Army", true),
        ("US", "tell us now", false),
        ("WHO", "who is it", false),
        ("DPRK", "DPRK FIRES MISSILES", true),
        ("DPRK's", "DPRK'S MISSILES", true),
        ("AT&T", "shares of AT&T fell", true),
        ("C++", "written in C++.", true),
        ("C++", "the C++20 standard", true),
        ("C", "written in C++.", false),
        ("น้ำ", "ราคาน้ำมัน", true),
        ("क्षेत्र", "इस क्षेत्र में", true),
        ("L'Iran", "l’Iran", true),
        ("Iran", "l’Iran", true),
        ("здоров'я", "охорона здоров’я", true),
        ("Kim Jong Un", "Kim Jong-un", true),
        ("Kim North", "Kim - North", false),
        ("New York", "New\u{a0}York", true),
        ("₿", "₿ falls", true),
        ("F-16", "an F-16 fell", true),
        ("COVID-19", "COVID-19 cases", true),
        ("3,000", "3000 men", true),
        ("10%", "by 10% more", true),
        ("10%", "10 men", false),
        ("handle", "said @handle", true),
        ("#tag", "a tag", true),
        ("Orban", "Orbán", true),
        ("Orbán", "Orba\u{301}n", true),
        ("Straße", "STRASSE", true),
        ("и", "й", false),
        ("ёлка", "елка", true),
        ("İzmir", "izmir", true),
        ("missile", "mis\u{ad}sile", true),
        ("مصر", "مـصر", true),
        ("القاهرة", "الْقَاهِرَة", true),
        ("ΟΔΟΣ x", "οδος x", true),
        ("导弹", "弹道导弹发射", true),
        ("导弹", "导致弹", false),
        ("ミサイル", "弾道ミサイル", true),
        ("ระเบิด", "เกิดเหตุระเบิดในเมือง", true),
        ("북한", "북한이 발사", true),
        ("북한", "대북한", false),
        ("북한 미사일", "북한의 미사일은", true),
        ("ＤＰＲＫ", "the DPRK", true),
    ] {
        assert_eq!(hits(&all(&[term]), &title(text)), expected, "`{term}` in `{text}`");
    }
}

#[test]
fn places_are_in_the_original_text() {
    let text = "Ü: “North‑Korean” Mis\u{ad}siles’";
    let found = places(&all(&["north korean", "missile*"]), &TermGroups::new(), &title(text)).unwrap();
    let texts: Vec<&str> = found.iter().map(|place| &text[place.start..place.end]).collect();
    assert_eq!(texts, ["North‑Korean", "Mis\u{ad}siles"]);
}

#[test]
fn case_is_as_the_rule_says() {
    let with = |case: Case, term: &str| RuleSource { case, ..all(&[term]) };
    assert!(hits(&with(Case::Ignore, "US"), &title("tell us")));
    assert!(!hits(&with(Case::Match, "Turkey"), &title("a turkey")));
    assert!(hits(&with(Case::Match, "Turkey"), &title("in Turkey’s")));
    assert!(hits(&with(Case::Acronyms, "turkey"), &title("TURKEY")));
    assert!(hits(&with(Case::Acronyms, "ICBM*"), &title("two ICBMs")));
    assert!(!hits(&with(Case::Acronyms, "ICBM*"), &title("two icbms")));
}

#[test]
fn groups_any_and_none() {
    let groups = TermGroups::from([
        ("dprk".to_owned(), owned(&["DPRK", "North Korea*", "북한", "КНДР"])),
        ("games".to_owned(), owned(&["video game", "Xbox"])),
    ]);
    let rule = RuleSource { any: owned(&["missile*", "rocket"]), none: owned(&["@games"]), ..all(&["@dprk"]) };
    let found = places(&rule, &groups, &title("North Korean rocket")).unwrap();
    assert_eq!(found, [place("North Korea*", Field::Title, 0, 12), place("rocket", Field::Title, 13, 19)]);
    assert!(places(&rule, &groups, &title("North Korea")).is_none());
    let game = Document { title: "DPRK missile", summary: "a video game", ..Document::default() };
    assert!(places(&rule, &groups, &game).is_none());
}

#[test]
fn fields_feeds_and_tags_restrict() {
    let rule = RuleSource { fields: vec![Field::Author], ..all(&["smith"]) };
    assert!(!hits(&rule, &title("Smith")));
    assert!(hits(&rule, &Document { author: "Jane Smith", ..Document::default() }));
    assert!(!hits(&all(&["smith"]), &Document { author: "Jane Smith", ..Document::default() }));

    let tags = owned(&["asia"]);
    let document = Document { feed: "https://a.example/rss", feed_name: "A", tags: &tags, ..title("smith") };
    for (feeds, tags, expected) in [
        (&["A"][..], &[][..], true),
        (&["https://a.example/rss"], &["asia", "x"], true),
        (&["B"], &["asia"], false),
        (&[], &["europe"], false),
        (&["A"], &["europe"], false),
    ] {
        let rule = RuleSource { feeds: owned(feeds), tags: owned(tags), ..all(&["smith"]) };
        assert_eq!(hits(&rule, &document), expected, "{feeds:?} {tags:?}");
    }
}

/// Once a hit told every place of a term that it wants near another.
#[test]
fn of_terms_near_each_other_only_those_are_told() {
    let near = NearSource { terms: owned(&["missile*", "DPRK"]), within: 2, ordered: false };
    let text = "Missile talk. Far from it all the DPRK fired missiles, and some other day the DPRK had none.";
    for source in [
        RuleSource { near: vec![near], ..all(&[]) },
        RuleSource { query: Some("missile* NEAR/2 DPRK".to_owned()), ..all(&[]) },
    ] {
        let found = places(&source, &TermGroups::new(), &title(text)).unwrap();
        let texts: Vec<_> = found.iter().map(|found| (&text[found.start..found.end], found.start)).collect();
        assert_eq!(texts, [("DPRK", 34), ("missiles", 45)]);
    }
    // What a term is wanted for besides is told too, and each place once.
    let both =
        RuleSource { query: Some("missile* AND (missile* NEAR/2 DPRK OR x NEAR/9 DPRK)".to_owned()), ..all(&[]) };
    let found = places(&both, &TermGroups::new(), &title(text)).unwrap();
    assert_eq!(found.iter().map(|found| found.start).collect::<Vec<_>>(), [0, 34, 45]);
    // In a chain a place counts only where the whole chain is.
    let chain = RuleSource { query: Some("a NEAR/0 b NEAR/0 c".to_owned()), ..all(&[]) };
    let found = places(&chain, &TermGroups::new(), &title("a b x c b x a")).unwrap_or_default();
    assert_eq!(found, []);
    let found = places(&chain, &TermGroups::new(), &title("a b x c b a b")).unwrap();
    assert_eq!(found.iter().map(|found| found.start).collect::<Vec<_>>(), [6, 8, 10]);
}

#[test]
fn near_lists_are_what_near_is_in_a_query() {
    let near = |terms: &[&str], within: u32, ordered: bool| NearSource { terms: owned(terms), within, ordered };
    let rule = |near: Vec<NearSource>| RuleSource { near, ..all(&[]) };
    let groups = TermGroups::from([("missile".to_owned(), owned(&["missile*", "rocket"]))]);
    let version = |source: &RuleSource| Rule::new(source, &groups).unwrap().version;
    let list = rule(vec![near(&["@missile", "DPRK"], 3, false)]);
    let query = RuleSource { query: Some("DPRK NEAR/3 @missile".to_owned()), ..all(&[]) };
    assert_eq!(version(&list), version(&query));
    let ordered = rule(vec![near(&["a", "b"], 1, true), near(&["c", "d"], 0, false)]);
    assert!(hits(&ordered, &title("a x b, d c")));
    assert!(!hits(&ordered, &title("b x a, d c")));
    assert!(!hits(&ordered, &title("a x b")));
    for (source, index, part) in [
        (rule(vec![near(&["a"], 1, false)]), None, "two `terms` or more"),
        (rule(vec![near(&["a", "b"], 1001, false)]), None, "at most 1000"),
        (rule(vec![near(&["a", "b"], 1, false), near(&["c", "*"], 1, false)]), Some(3), "cannot stand alone"),
        (rule(vec![near(&["a", "/b/"], 1, false)]), Some(1), "counted in words"),
    ] {
        let errors = Rule::new(&source, &groups).unwrap_err();
        assert_eq!((errors.len(), errors[0].key.as_str(), errors[0].index), (1, "near", index), "{errors:?}");
        assert!(errors[0].message.contains(part), "{errors:?}");
    }
    let far = Rule::new(&rule(vec![near(&["a", "b"], 1, false)]), &groups).unwrap();
    assert!(
        explain(&far, &title("a x y b"))
            .to_string()
            .ends_with("near: `a NEAR/1 b` does not hold, with `a` in title, `b` in title")
    );
}

#[test]
fn lists_take_regular_expressions() {
    let rule = RuleSource { any: owned(&["/CVE-\\d+/", "hole"]), none: owned(&["/test/i"]), ..all(&[]) };
    let text = "On CVE-12 and CVE-7";
    let found = places(&rule, &TermGroups::new(), &title(text)).unwrap();
    assert_eq!(found, [place("/CVE-\\d+/", Field::Title, 3, 9), place("/CVE-\\d+/", Field::Title, 14, 19)]);
    assert!(!hits(&rule, &title("CVE-12 TESTED")));
    assert!(!hits(&rule, &title("cve-12")));
    assert!(hits(&rule, &title("a hole")));
    let wrong = RuleSource { any: owned(&["fine", " /a(/"]), ..all(&[]) };
    let errors = Rule::new(&wrong, &TermGroups::new()).unwrap_err();
    assert_eq!((errors[0].key.as_str(), errors[0].index, errors[0].at), ("any", Some(1), Some(3)));
    let groups = TermGroups::from([("g".to_owned(), owned(&["/a/"]))]);
    assert!(groups.check()[0].message.contains("not in a term group"));
}

/// Rules of regular expressions alone are looked into only where a text that they require is found.
#[test]
fn regular_expressions_wait_for_what_they_require() {
    let rule = |query: &str| RuleSource { query: Some(query.to_owned()), ..all(&[]) };
    let rules: Vec<Rule> = [
        r"/CVE-\d+/",
        r"/\d+ missiles?/i",
        r"/x\d/ AND feed:other",
        r"/\w+ strikes/ AND border",
        r"title:/\d{4}/",
        r"feed:wire",
    ]
    .iter()
    .map(|query| Rule::new(&rule(query), &TermGroups::new()).unwrap())
    .collect();
    let set = RuleSet::new(&rules);
    let found =
        |document: &Document<'_>| -> Vec<usize> { set.matches(document).into_iter().map(|found| found.rule).collect() };
    // Three have nothing to wait for: a text of two letters, one without letters, a feed.
    assert_eq!(set.candidates(&title("nothing")), 3);
    assert_eq!(set.candidates(&title("a cve-x")), 4);
    assert_eq!(found(&title("CVE-2024")), [0, 4]);
    assert_eq!(found(&title("12 MISSILES, strikes")), [1]);
    assert_eq!(found(&title("air strikes at the border")), [3]);
    assert_eq!(found(&Document { feed_name: "Wire", ..title("x1") }), [5]);
    assert_eq!(found(&Document { feed_name: "Other", ..title("x1") }), [2]);
}

/// A rule can be tried on a text of which nobody knows where it is from.
#[test]
fn conditions_on_the_origin_can_be_waived() {
    let source = RuleSource {
        query: Some("feed:wire AND NOT tag:x AND NOT lang:en AND url:example.com AND a".to_owned()),
        tags: owned(&["t"]),
        ..all(&[])
    };
    let rule = Rule::new(&source, &TermGroups::new()).unwrap();
    let matches = |rule: Rule, document: &Document<'_>| !RuleSet::new(&[rule]).matches(document).is_empty();
    let article = Document { url: "https://example.com/", ..title("a") };
    assert!(!matches(rule.clone(), &article));
    assert!(matches(rule.of_any_feed(), &article));
    assert!(!matches(rule.of_any_feed(), &title("a")));
    assert!(!matches(rule.of_any_feed(), &Document { language: Some("en"), ..article }));
    assert!(matches(rule.of_any_origin(), &title("a")));
    assert!(!matches(rule.of_any_origin(), &title("b")));
}

#[test]
fn places_are_capped_but_every_term_is_told() {
    let text = format!("{} DPRK", "missile ".repeat(500));
    let found = places(&all(&["missile", "DPRK"]), &TermGroups::new(), &title(&text)).unwrap();
    assert_eq!(found.len(), 50);
    assert_eq!(found.iter().filter(|place| place.term == "DPRK").count(), 1);
}

#[test]
fn version_is_of_what_matches_and_nothing_else() {
    let groups =
        |members: &[&str]| TermGroups::from([("g".to_owned(), owned(members)), ("h".to_owned(), owned(&["z"]))]);
    let version = |source: &RuleSource, members: &[&str]| Rule::new(source, &groups(members)).unwrap().version;
    let base = version(&all(&["@g", "x"]), &["a", "b"]);
    assert_eq!(base.as_str().len(), 16);
    assert_eq!(base, version(&all(&["x", "@g", "X"]), &["b", "A"]));
    assert_eq!(base, version(&RuleSource { name: "other".to_owned(), ..all(&["@g", "x"]) }, &["a", "b"]));
    assert_ne!(base, version(&all(&["@g", "x"]), &["a", "c"]));
    assert_ne!(base, version(&all(&["@g", "x*"]), &["a", "b"]));
    for other in [
        RuleSource { fields: vec![Field::Title], ..all(&["@g", "x"]) },
        RuleSource { feeds: owned(&["f"]), ..all(&["@g", "x"]) },
        RuleSource { tags: owned(&["f"]), ..all(&["@g", "x"]) },
        RuleSource { case: Case::Match, ..all(&["@g", "x"]) },
        RuleSource { none: owned(&["y"]), ..all(&["@g", "x"]) },
    ] {
        assert_ne!(base, version(&other, &["a", "b"]), "{other:?}");
    }
    // A group is what it stands for, and one alternative is none.
    assert_eq!(version(&one_of(&["a", "@g"]), &["a", "b"]), version(&one_of(&["b", "a"]), &[]));
    assert_eq!(version(&one_of(&["a"]), &[]), version(&all(&["a"]), &[]));
    // Stored versions stay comparable: a change here makes every rule of every user a new one.
    assert_eq!(version(&all(&["ballistic missiles", "DPRK"]), &[]).as_str(), "e8fe85b883ff673b");
}

#[test]
fn explanations_name_what_matched_and_what_failed() {
    let groups = TermGroups::from([("missile".to_owned(), owned(&["missile*", "ракет*"]))]);
    let source = RuleSource { none: owned(&["video game"]), ..all(&["@missile", "DPRK"]) };
    let rule = Rule::new(&source, &groups).unwrap();
    let hit = explain(&rule, &title("DPRK fires Missiles")).to_string();
    assert_eq!(
        hit,
        "`test` matches\n  ✓ all: `@missile` found: `missile*` in title as “Missiles”\n  ✓ all: `DPRK` found: `DPRK` in \
         title\n  ✓ none: `video game` not found"
    );
    let miss = explain(&rule, &title("Video games of the DPRK: a video game"));
    assert_eq!(
        miss.to_string(),
        "`test` does not match: `DPRK` seen; @missile (2 terms) not seen; excluded `video game` seen: “video game” in \
         title\n  ✗ all: `@missile` not found\n  ✓ all: `DPRK` found: `DPRK` \
         in title\n  ✗ none: `video game` found: `video game` in title"
    );
    for (term, text, near) in [
        ("DPRK", "in dprk", "“dprk” in title (in other capitals"),
        ("ballistic missiles", "ballistic, missiles", "“ballistic, missiles” in title (with punctuation"),
        ("missile", "Missiles", "“Missiles” in title (another form"),
    ] {
        let rule = Rule::new(&all(&[term]), &TermGroups::new()).unwrap();
        let miss = explain(&rule, &title(text)).to_string();
        assert!(miss.contains(&format!("`{term}` not found, but {near}")), "{miss}");
    }
    let elsewhere = RuleSource { feeds: owned(&["A", "B"]), tags: owned(&["asia"]), ..all(&["DPRK"]) };
    let rule = Rule::new(&elsewhere, &TermGroups::new()).unwrap();
    let tags = owned(&["asia"]);
    assert_eq!(
        explain(&rule, &Document { feed: "C", tags: &tags, ..title("DPRK") }).to_string(),
        "`test` does not match: `DPRK` seen; the feed is C, not one of A, B\n  ✓ all: `DPRK` found: `DPRK` in title\n  ✗ feeds: the feed is \
         none of A, B\n  ✓ tags: the feed has a tag of asia"
    );
    let json = serde_json::to_value(&miss).unwrap();
    assert_eq!(json["conditions"][2]["found"][0]["field"], "title");
}

proptest! {
    /// No text and no term, however odd, makes the engine panic; places are valid.
    #[test]
    fn survives_any_text(text in any::<String>(), term in any::<String>()) {
        if let Ok(rule) = Rule::new(&all(&[&term, "a*"]), &TermGroups::new()) {
            for found in RuleSet::new(&[rule]).matches(&title(&text)) {
                for place in found.terms {
                    prop_assert!(text.get(place.start..place.end).is_some());
                }
            }
        }
    }

    /// A term is found in itself.
    #[test]
    fn a_term_is_found_in_itself(term in "[ a-zA-Zéß弹한ก.,'’&#+%0-9-]{1,12}") {
        if let Ok(rule) = Rule::new(&all(&[&term]), &TermGroups::new()) {
            prop_assert_eq!(RuleSet::new(&[rule]).matches(&title(&term)).len(), 1);
        }
    }
}

/// Rules of invented words.
fn many_rules(count: usize) -> Vec<Rule> {
    let word = |rule: usize, salt: usize| {
        let mut state = (rule * 31 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let mut word = String::new();
        for _ in 0..3 {
            word.push(char::from(b"bcdfghklmnprstvz"[state % 16]));
            word.push(char::from(b"aeiou"[state / 16 % 5]));
            state /= 80;
        }
        word
    };
    let rule = |index: usize| {
        let mut source = all(&[&format!("{} {}", word(index, 1), word(index % 97, 2)), &word(index, 3)]);
        source.any = vec![word(index % 1000, 4), format!("{}*", word(index, 5)), word(index, 6)];
        Rule::new(&source, &TermGroups::new()).unwrap()
    };
    (0..count).map(rule).collect()
}

/// An article's cost does not grow with the number of rules: only rules whose rarest terms it has are evaluated.
#[test]
fn few_of_many_rules_are_evaluated() {
    let rules = many_rules(10_000);
    let mut text = "The president said on Thursday that nothing of note had happened. ".repeat(20);
    for clause in rules.iter().take(10).flat_map(|rule| &rule.clauses) {
        text.push_str(&clause.written.replace(['*', ','], ""));
        text.push('\n');
    }
    let document = title(&text);
    let set = RuleSet::new(&rules);
    let found: Vec<usize> = set.matches(&document).iter().map(|found| found.rule).collect();
    let expected: Vec<usize> =
        (0..rules.len()).filter(|rule| !RuleSet::new(&rules[*rule..=*rule]).matches(&document).is_empty()).collect();
    assert!(found.len() >= 10, "{found:?}");
    assert_eq!(found, expected);
    assert!(set.candidates(&document) < 2 * found.len(), "{} candidates", set.candidates(&document));
}
