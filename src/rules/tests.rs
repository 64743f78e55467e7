//! What rules promise, on whole rules and documents; and agreement with an evaluator that is too simple to be wrong.

use super::explain::explain;
use super::{Case, Document, FIELDS, Rule, RuleSet, RuleSource, TermGroups};
use crate::core::hit::{Field, TermMatch};
use proptest::prelude::*;

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
    TermMatch { term: term.to_owned(), field, start, end }
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
        "`test` does not match: 2 of 3 conditions failed\n  ✗ all: `@missile` not found\n  ✓ all: `DPRK` found: `DPRK` \
         in title\n  ✗ none: `video game` found: `video game` in title"
    );
    for (term, text, near) in [
        ("DPRK", "in dprk", "“dprk” in title (in other capitals"),
        ("ballistic missiles", "ballistic, missiles", "“ballistic, missiles” in title (with punctuation"),
        ("missile", "Missiles", "“Missiles” in title (with another ending"),
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
        "`test` does not match: 1 of 3 conditions failed\n  ✓ all: `DPRK` found: `DPRK` in title\n  ✗ feeds: the feed is \
         none of A, B\n  ✓ tags: the feed has a tag of asia"
    );
    let json = serde_json::to_value(&miss).unwrap();
    assert_eq!(json["conditions"][2]["found"][0]["field"], "title");
}

/// Words of the property test: each is one token, except that those of Han stand for one character each.
const WORDS: &[&str] = &[
    "us",
    "US",
    "Us",
    "missile",
    "Missile",
    "missiles",
    "MISSILES",
    "mis",
    "ракета",
    "Ракета",
    "РАКЕТЫ",
    "ракет",
    "弹",
    "道",
    "导",
    "북한",
    "북한이",
    "북",
    "αβγ",
    "ΑΒΓ",
    "αβ",
];

/// Separators, and what they are to a phrase: none, tight, a break, a block.
const SEPARATORS: &[(&str, u8)] = &[(" ", 0), ("-", 0), ("’ ", 0), (", ", 1), (". ", 1), ("\n", 2), (" ", 0), (" ", 0)];

type Text = Vec<(usize, usize)>;
/// Words with "prefix", or a wrong index that stands for none.
type Phrase = Vec<(usize, bool)>;

/// A query, naively: a term (exact or not) within fields, and what joins them.
#[derive(Debug, Clone)]
enum NaiveQuery {
    Term(NaiveTerm),
    All(Vec<NaiveQuery>),
    Any(Vec<NaiveQuery>),
    Not(Box<NaiveQuery>),
    AtLeast(usize, Vec<NaiveQuery>),
    /// A list of alternatives, and others with the words between at most and whether they follow.
    Near(Vec<NaiveTerm>, Vec<(Vec<NaiveTerm>, usize, bool)>),
}

#[derive(Debug, Clone)]
struct NaiveTerm {
    phrase: Phrase,
    exact: bool,
    /// Index in `SCOPES`, beyond them for the rule's own fields.
    scope: usize,
}

const SCOPES: &[(&str, &[Field])] = &[
    ("title", &[Field::Title]),
    ("body", &[Field::Summary, Field::Content]),
    ("content", &[Field::Content]),
    ("author", &[Field::Author]),
];

#[derive(Debug, Clone)]
struct Naive {
    all: Vec<Phrase>,
    any: Vec<Phrase>,
    none: Vec<Phrase>,
    query: Option<NaiveQuery>,
    fields: Vec<Field>,
    case: Case,
}

fn render_text(text: &Text) -> String {
    text.iter().map(|(word, separator)| format!("{}{}", WORDS[*word], SEPARATORS[*separator].0)).collect()
}

fn render_phrase(phrase: &Phrase) -> String {
    let words = phrase.iter().map(|(word, prefix)| format!("{}{}", WORDS[*word], if *prefix { "*" } else { "" }));
    words.collect::<Vec<_>>().join(" ")
}

fn naive_word(word: (usize, bool), token: &str, case_counts: bool, exact: bool) -> bool {
    let hangul = WORDS[word.0].chars().all(|c| ('가'..='힣').contains(&c));
    let (text, prefix) = (WORDS[word.0], !exact && (word.1 || hangul));
    let fold = |text: &str| if case_counts { text.to_owned() } else { text.to_lowercase() };
    if prefix { fold(token).starts_with(&fold(text)) } else { fold(token) == fold(text) }
}

fn naive_found(phrase: &Phrase, text: &Text, case: Case) -> usize {
    naive_starts(phrase, text, case, false).len()
}

fn naive_starts(phrase: &Phrase, text: &Text, case: Case, exact: bool) -> Vec<usize> {
    let case = if exact { Case::Match } else { case };
    let letters: String = phrase.iter().map(|(word, _)| WORDS[*word]).collect();
    let capitals =
        letters.chars().filter(|c| c.is_uppercase()).count() >= 2 && !letters.chars().any(char::is_lowercase);
    let case_counts = case == Case::Match || (case == Case::Acronyms && capitals);
    (0..text.len())
        .filter(|start| {
            phrase.iter().enumerate().all(|(at, word)| {
                let unbroken = at == 0 || SEPARATORS[text[(start + at - 1).min(text.len() - 1)].1].1 == 0;
                unbroken
                    && text.get(start + at).is_some_and(|token| naive_word(*word, WORDS[token.0], case_counts, exact))
            })
        })
        .collect()
}

impl NaiveTerm {
    /// Returns its places: field, first word, word after the last.
    fn places(&self, rule: &Naive, texts: &[Text]) -> Vec<(usize, usize, usize)> {
        let fields = SCOPES.get(self.scope).map_or(rule.fields.as_slice(), |(_, fields)| fields);
        let of_field = |(at, field): (usize, &Field)| {
            let starts = if fields.contains(field) {
                naive_starts(&self.phrase, &texts[at], rule.case, self.exact)
            } else {
                Vec::new()
            };
            starts.into_iter().map(move |start| (at, start, start + self.phrase.len()))
        };
        FIELDS.iter().enumerate().flat_map(of_field).collect()
    }

    fn render(&self) -> String {
        let scope = SCOPES.get(self.scope).map(|(name, _)| format!("{name}:")).unwrap_or_default();
        let plain: Phrase = self.phrase.iter().map(|(word, prefix)| (*word, *prefix && !self.exact)).collect();
        let sign = if self.exact { "=" } else { "" };
        format!("{scope}{sign}\"{}\"", render_phrase(&plain))
    }
}

impl NaiveQuery {
    fn holds(&self, rule: &Naive, texts: &[Text]) -> bool {
        match self {
            Self::Term(term) => !term.places(rule, texts).is_empty(),
            Self::All(parts) => parts.iter().all(|part| part.holds(rule, texts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(rule, texts)),
            Self::Not(part) => !part.holds(rule, texts),
            Self::AtLeast(count, parts) => parts.iter().filter(|part| part.holds(rule, texts)).count() >= *count,
            Self::Near(first, others) => {
                let places = |terms: &[NaiveTerm]| -> Vec<_> {
                    terms.iter().flat_map(|term| term.places(rule, texts)).collect()
                };
                // Every place of one operand against every place of the next, and every word between them.
                let mut reached = places(first);
                for (terms, most, ordered) in others {
                    let follows = |a: &(usize, usize, usize), b: &(usize, usize, usize)| {
                        let unbroken = || texts[a.0][a.2 - 1..b.1].iter().all(|word| SEPARATORS[word.1].1 < 2);
                        a.0 == b.0 && a.2 <= b.1 && b.1 - a.2 <= *most && unbroken()
                    };
                    let is_near = |b: &(usize, usize, usize)| {
                        reached.iter().any(|a| follows(a, b) || (!ordered && follows(b, a)))
                    };
                    reached = places(terms).into_iter().filter(is_near).collect();
                }
                !reached.is_empty()
            }
        }
    }

    fn render(&self) -> String {
        let list = |parts: &[Self], joint: &str| parts.iter().map(Self::render).collect::<Vec<_>>().join(joint);
        let either =
            |terms: &[NaiveTerm]| format!("({})", terms.iter().map(NaiveTerm::render).collect::<Vec<_>>().join(" OR "));
        match self {
            Self::Term(term) => term.render(),
            Self::All(parts) => format!("({})", list(parts, " AND ")),
            Self::Any(parts) => format!("({})", list(parts, " OR ")),
            Self::Not(part) => format!("(NOT {})", part.render()),
            Self::AtLeast(count, parts) => format!("at_least({count}, {})", list(parts, ", ")),
            Self::Near(first, others) => {
                let mut text = format!("({}", either(first));
                for (terms, most, ordered) in others {
                    text += &format!(" {}NEAR/{most} {}", if *ordered { "O" } else { "" }, either(terms));
                }
                text + ")"
            }
        }
    }
}

impl Naive {
    fn matches(&self, texts: &[Text]) -> bool {
        let found = |phrase: &Phrase| {
            FIELDS
                .iter()
                .zip(texts)
                .any(|(field, text)| self.fields.contains(field) && naive_found(phrase, text, self.case) > 0)
        };
        self.all.iter().all(found)
            && (self.any.is_empty() || self.any.iter().any(found))
            && !self.none.iter().any(found)
            && self.query.as_ref().is_none_or(|query| query.holds(self, texts))
    }

    fn source(&self) -> RuleSource {
        let list = |phrases: &[Phrase]| phrases.iter().map(render_phrase).collect();
        RuleSource {
            name: "naive".to_owned(),
            all: list(&self.all),
            any: list(&self.any),
            none: list(&self.none),
            query: self.query.as_ref().map(NaiveQuery::render),
            fields: self.fields.clone(),
            case: self.case,
            ..RuleSource::default()
        }
    }
}

fn phrases(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Phrase>> {
    let word = (0..WORDS.len(), prop::bool::weighted(0.2));
    prop::collection::vec(prop::collection::vec(word, 1..4), count)
}

fn naive_rule() -> impl Strategy<Value = Naive> {
    let case = prop_oneof![Just(Case::Acronyms), Just(Case::Ignore), Just(Case::Match)];
    let fields = prop::sample::subsequence(FIELDS.to_vec(), 1..5);
    let query = prop::option::of(naive_query());
    (phrases(0..3), phrases(0..4), phrases(0..2), query, fields, case)
        .prop_map(|(all, any, none, query, fields, case)| Naive { all, any, none, query, fields, case })
        .prop_map(|rule| match &rule.query {
            // Nothing positive is an error, and so are fields that are never near each other.
            Some(_) if Rule::new(&rule.source(), &TermGroups::new()).is_err() => Naive { query: None, ..rule },
            _ => rule,
        })
        .prop_filter("needs something positive", |rule| {
            !rule.all.is_empty() || !rule.any.is_empty() || rule.query.is_some()
        })
}

fn naive_term() -> impl Strategy<Value = NaiveTerm> {
    let word = (0..WORDS.len(), prop::bool::weighted(0.3));
    (prop::collection::vec(word, 1..3), prop::bool::weighted(0.2), 0..SCOPES.len() * 4)
        .prop_map(|(phrase, exact, scope)| NaiveTerm { phrase, exact, scope })
}

fn naive_query() -> impl Strategy<Value = NaiveQuery> {
    let either = || prop::collection::vec(naive_term(), 1..4);
    let near = (either(), prop::collection::vec((either(), 0..5_usize, any::<bool>()), 1..3));
    let leaf = prop_oneof![
        naive_term().prop_map(NaiveQuery::Term),
        near.prop_map(|(first, others)| NaiveQuery::Near(first, others)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            parts().prop_map(NaiveQuery::All),
            parts().prop_map(NaiveQuery::Any),
            inner.clone().prop_map(|part| NaiveQuery::Not(Box::new(part))),
            (parts(), 1..5_usize).prop_map(|(parts, count)| NaiveQuery::AtLeast(count.min(parts.len()), parts)),
        ]
    })
}

fn naive_texts() -> impl Strategy<Value = Vec<Text>> {
    prop::collection::vec(prop::collection::vec((0..WORDS.len(), 0..SEPARATORS.len()), 0..14), 5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The compiled set, with its trie, filters and anchors, agrees with looking for every term at every word.
    #[test]
    fn agrees_with_a_naive_evaluator(rules in prop::collection::vec(naive_rule(), 1..12), texts in naive_texts()) {
        let checked: Vec<Rule> =
            rules.iter().map(|rule| Rule::new(&rule.source(), &TermGroups::new()).unwrap()).collect();
        let rendered: Vec<String> = texts.iter().map(render_text).collect();
        let [title, summary, content, author, category] = [0, 1, 2, 3, 4].map(|field| rendered[field].as_str());
        let document = Document { title, summary, content, author, category, ..Document::default() };
        let set = RuleSet::new(&checked);
        let found: Vec<usize> = set.matches(&document).iter().map(|found| found.rule).collect();
        let expected: Vec<usize> = (0..rules.len()).filter(|rule| rules[*rule].matches(&texts)).collect();
        prop_assert_eq!(&found, &expected, "{:?}", rendered);
        // Again, in the space that the first document left behind.
        prop_assert_eq!(set.matches(&Document::default()).len(), 0);
        prop_assert_eq!(set.matches(&document).len(), expected.len());
        for (index, rule) in checked.iter().enumerate() {
            prop_assert_eq!(explain(rule, &document).hit, expected.contains(&index));
        }
    }

    /// Each phrase is told as often as it stands there.
    #[test]
    fn tells_every_place(phrase in phrases(1..2), text in naive_texts()) {
        let rule = Naive { all: phrase, any: vec![], none: vec![], query: None, fields: vec![Field::Title], case: Case::Acronyms };
        let checked = Rule::new(&rule.source(), &TermGroups::new()).unwrap();
        let rendered = render_text(&text[0]);
        let document = title(&rendered);
        let found = RuleSet::new(&[checked]).matches(&document).pop().map_or(0, |found| found.terms.len());
        prop_assert_eq!(found, naive_found(&rule.all[0], &text[0], rule.case), "{}", rendered);
    }

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
