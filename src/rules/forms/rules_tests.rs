//! Word forms in whole rules.

use super::Language;
use crate::core::hit::{Field, RuleVersion};
use crate::rules::explain::explain;
use crate::rules::{Case, Document, Forms, Rule, RuleSet, RuleSource, TermGroup, TermGroups};

fn rule(term: &str, forms: Forms, language: Option<&str>) -> RuleSource {
    RuleSource {
        name: "test".to_owned(),
        all: vec![term.to_owned()],
        forms,
        language: language.map(Language::known),
        ..RuleSource::default()
    }
}

fn hits(source: &RuleSource, title: &str, language: Option<&str>) -> bool {
    let rule = Rule::new(source, &TermGroups::new()).unwrap();
    let document = Document { title, language, ..Document::default() };
    let hits = !RuleSet::new(std::slice::from_ref(&rule)).matches(&document).is_empty();
    assert_eq!(explain(&rule, &document).hit, hits, "explain agrees with the matcher");
    hits
}

/// For each language a term, a text with another form of it, a text with the form that the rule writes, and one with
/// another word.
const CASES: &[(&str, &str, &str, &str, &str)] = &[
    ("en", "ballistic missile", "Two ballistic missiles were launched", "A ballistic missile", "Ballistic missives"),
    ("uk", "балістична ракета", "Удар балістичними ракетами", "Балістична ракета", "Балістичний рахунок"),
    ("uk", "санкція", "Нових санкцій не буде", "Перша санкція", "Секція закрита"),
    ("ru", "баллистическая ракета", "Пуск баллистических ракет", "Баллистическая ракета", "Баллистический рак"),
    ("de", "Rakete", "Nordkorea startet Raketen", "Eine Rakete", "Rettung in Nordkorea"),
    ("de", "Haus", "Das Weiße der Häuser", "Im Haus", "Hase gesichtet"),
    ("fr", "missile balistique", "Des missiles balistiques tirés", "Un missile balistique", "Une mission balistique"),
    ("es", "misil balístico", "Lanza misiles balísticos", "Un misil balístico", "Una misión balística"),
    ("tr", "deprem", "İzmir’de depremler oldu", "Büyük deprem", "Derece düştü"),
    ("tr", "ışık", "IŞIKLAR SÖNDÜ", "Işık söndü", "İşik söndü"),
    ("ar", "صاروخ", "كوريا تطلق الصاروخ", "إطلاق صاروخ", "صراخ في الشارع"),
    ("ar", "الصين", "أمريكا والصين تتفقان", "في الصين", "صينية الطعام"),
];

#[test]
fn inflected_terms_match_other_forms_and_exact_ones_do_not() {
    for (language, term, other_form, same_form, other_word) in CASES {
        let exact = rule(term, Forms::Exact, Some(language));
        let inflected = rule(term, Forms::Inflected, Some(language));
        let guessed = rule(term, Forms::Inflected, None);
        for (source, title, expected) in [
            (&exact, same_form, true),
            (&exact, other_form, false),
            (&exact, other_word, false),
            (&inflected, same_form, true),
            (&inflected, other_form, true),
            (&inflected, other_word, false),
        ] {
            // A language that the rule names is that of the term, whatever the article's.
            for article in [None, Some(*language), Some("en")] {
                assert_eq!(hits(source, title, article), expected, "{source:?} {title} {article:?}");
            }
        }
        for (title, expected) in [(same_form, true), (other_form, true), (other_word, false)] {
            assert_eq!(hits(&guessed, title, Some(language)), expected, "{term} {title}");
        }
    }
}

/// Terms of Korean, Chinese and Japanese match the same with and without forms.
#[test]
fn forms_change_nothing_where_nothing_inflects() {
    for (language, term, title, expected) in [
        ("ko", "북한", "북한이 발사", true),
        ("ko", "북한", "남북한", false),
        ("ko", "미사일", "미사일을 쐈다", true),
        ("zh", "导弹", "弹道导弹发射", true),
        ("zh", "导弹", "导致弹", false),
        ("ja", "ミサイル", "弾道ミサイルを発射", true),
        ("ja", "核実験", "核の実験", false),
        ("th", "ขีปนาวุธ", "ยิงขีปนาวุธ", true),
    ] {
        let version = |source: &RuleSource| Rule::new(source, &TermGroups::new()).unwrap().version;
        let exact = rule(term, Forms::Exact, Some(language));
        for source in [rule(term, Forms::Inflected, Some(language)), rule(term, Forms::Inflected, None)] {
            assert_eq!(hits(&source, title, Some(language)), expected, "{term} {title}");
            assert_eq!(version(&source), version(&exact), "{term}");
            assert!(!Rule::new(&source, &TermGroups::new()).unwrap().inflects());
        }
        assert_eq!(hits(&exact, title, None), expected, "{term} {title}");
    }
}

#[test]
fn without_a_language_the_article_s_counts() {
    let source = rule("Rakete", Forms::Inflected, None);
    assert!(hits(&source, "Raketen auf Kiew", Some("de-AT")));
    assert!(!hits(&source, "Raketen auf Kiew", Some("en")));
    // The letters tell the language where the tag is wrong.
    assert!(hits(&rule("ракета", Forms::Inflected, None), "Ракетами по Києву", Some("en-US")));
}

#[test]
fn wildcards_acronyms_and_exact_terms_stay_as_they_are() {
    for (term, title, expected) in [
        ("missil*", "missile", true),
        ("ICBM", "two ICBMs", false),
        ("ICBM", "the ICBM", true),
        ("US attack", "the us attacks", true),
    ] {
        assert_eq!(hits(&rule(term, Forms::Inflected, Some("en")), title, None), expected, "{term} {title}");
    }
    let query = |query: &str| RuleSource {
        all: Vec::new(),
        query: Some(query.to_owned()),
        ..rule("", Forms::Inflected, Some("en"))
    };
    for (text, title, expected) in [
        ("missile", "missiles", true),
        ("=missile", "missiles", false),
        ("\"ballistic missile\" NEAR/3 launch", "Ballistic missiles were launched", true),
        ("\"ballistic missile\" AND NOT launch", "Ballistic missiles were launched", false),
    ] {
        assert_eq!(hits(&query(text), title, None), expected, "{text} {title}");
    }
    let source = RuleSource { case: Case::Match, ..rule("Turkey", Forms::Inflected, Some("en")) };
    assert!(!hits(&source, "Turkeys", None));
}

/// `ä` is `a` by default, and another letter for a rule that names a language that has it.
#[test]
fn letters_of_a_language_s_own_are_kept_for_rules_that_name_it() {
    for forms in [Forms::Exact, Forms::Inflected] {
        for (language, term, title, expected) in [
            (None, "sää", "saa", true),
            (Some("fi"), "sää", "saa", false),
            (Some("fi"), "sää", "SÄÄ", true),
            (Some("fi"), "saa", "sää", false),
            (Some("fi"), "orban", "Orbán", true),
            (Some("sv"), "hår", "Har", false),
            (Some("et"), "õlu", "olu", false),
            (Some("de"), "Müller", "Muller", true),
            (None, "Irak", "IRAK", true),
            (Some("tr"), "Irak", "IRAK", true),
            (Some("tr"), "Irak", "ırak", true),
            (Some("tr"), "Irak", "İrak", false),
            (Some("tr"), "Irak", "irak", false),
            (Some("tr"), "istanbul", "İSTANBUL’DA", true),
            (Some("tr"), "istanbul", "ISTANBUL", false),
            (Some("az"), "Bakı", "BAKI", true),
        ] {
            assert_eq!(
                hits(&rule(term, forms, language), title, None),
                expected,
                "{language:?} {term} {title} {forms:?}"
            );
        }
    }
}

/// What a group says holds in every rule and for the groups in it that say nothing; else the rule's word counts.
#[test]
fn groups_may_say_how_their_own_terms_are_read() {
    let group = |terms: &[&str], forms, language: Option<&str>| TermGroup {
        terms: terms.iter().map(|term| (*term).to_owned()).collect(),
        forms,
        language: language.map(Language::known),
    };
    let groups: TermGroups = [
        ("plain", group(&["missile"], None, None)),
        ("exact", group(&["missile"], Some(Forms::Exact), None)),
        ("inflected", group(&["missile", "@plain", "@exact"], Some(Forms::Inflected), Some("en"))),
        ("outer", group(&["@nested", "@exact"], Some(Forms::Inflected), Some("en"))),
        ("nested", group(&["rocket"], None, None)),
        ("rockets", group(&["rocket"], None, Some("fi"))),
    ]
    .into_iter()
    .map(|(name, group)| (name.to_owned(), group))
    .collect();
    for (item, forms, title, expected) in [
        ("@plain", Forms::Exact, "missiles", false),
        ("@plain", Forms::Inflected, "missiles", true),
        ("@exact", Forms::Inflected, "missiles", false),
        ("@inflected", Forms::Exact, "missiles", true),
        ("@outer", Forms::Exact, "rockets", true),
        ("@outer", Forms::Exact, "missiles", false),
        ("@nested", Forms::Exact, "rockets", false),
        ("@rockets", Forms::Inflected, "rockets", false),
    ] {
        for query in [false, true] {
            let source = match query {
                true => RuleSource { all: vec![], query: Some(item.to_owned()), ..rule("", forms, None) },
                false => rule(item, forms, None),
            };
            let rule = Rule::new(&source, &groups).unwrap();
            let document = Document { title, language: Some("en"), ..Document::default() };
            let hits = !RuleSet::new(std::slice::from_ref(&rule)).matches(&document).is_empty();
            assert_eq!(hits, expected, "{item} {forms:?} {title}");
        }
    }
}

/// A hit shows the form that stands in the text.
#[test]
fn places_are_those_of_the_form_that_was_found() {
    let source = rule("ракета", Forms::Inflected, Some("uk"));
    let rule = Rule::new(&source, &TermGroups::new()).unwrap();
    let document = Document { title: "Удар ракетами", ..Document::default() };
    let found = RuleSet::new(std::slice::from_ref(&rule)).matches(&document).remove(0).terms;
    let [place] = found.as_slice() else { panic!("one place and not {found:?}") };
    assert_eq!((place.term.as_str(), place.field), ("ракета", Field::Title));
    assert_eq!(&document.title[place.start..place.end], "ракетами");
    assert!(explain(&rule, &document).to_string().contains("`ракета` in title as “ракетами”"));
}

#[test]
fn versions_differ_by_forms_and_language() {
    let version = |forms, language| -> RuleVersion {
        Rule::new(&rule("Rakete", forms, language), &TermGroups::new()).unwrap().version
    };
    let exact = version(Forms::Exact, None);
    // A language by itself changes nothing here.
    assert_eq!(exact, version(Forms::Exact, Some("de")));
    assert_ne!(exact, version(Forms::Exact, Some("fi")));
    let all = [
        exact,
        version(Forms::Inflected, None),
        version(Forms::Inflected, Some("de")),
        version(Forms::Inflected, Some("en")),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
    }
}

/// What is remembered of one article does not count in another, in another language.
#[test]
fn articles_in_turn_are_each_in_their_language() {
    let sources = [rule("Rakete", Forms::Inflected, None), rule("country", Forms::Inflected, None)];
    let rules: Vec<Rule> = sources.iter().map(|source| Rule::new(source, &TermGroups::new()).unwrap()).collect();
    let set = RuleSet::new(&rules);
    for _ in 0..3 {
        for (language, expected) in [("de", &[0][..]), ("en", &[1]), ("uk", &[1])] {
            let document = Document { title: "Raketen, countries", language: Some(language), ..Document::default() };
            let found: Vec<usize> = set.matches(&document).iter().map(|found| found.rule).collect();
            assert_eq!(found, expected, "{language}");
        }
    }
}
