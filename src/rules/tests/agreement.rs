//! The engine agrees with the naive evaluator, on generated rules and texts of all operators and scripts.

use super::naive::{
    Article, FEEDS, Group, Item, LANGUAGES, Phrase, Piece, Query, RULE_LANGUAGES, Regex, Rule as Naive, SCOPES,
    SEPARATORS, TAGS, Term, Text, WORDS, Word, render_text, render_url, starts,
};
use super::title;
use crate::core::hit::Field;
use crate::rules::explain::explain;
use crate::rules::{Case, Document, FIELDS, Forms, Language, Rule, RuleSet};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;

/// Rules that are one set, and articles that each of them meets.
const RULES: usize = 20;
const ARTICLES: usize = 22;

/// Sets and their articles, of more than 100,000 pairs; more by `PROPTEST_CASES`.
const CASES: u32 = 230;

/// A few words that rules and texts of one case share, so that many rules hit.
type Palette = Vec<usize>;

fn word(palette: &Palette) -> impl Strategy<Value = Word> + use<> {
    let words = prop::sample::select(palette.clone());
    let rarely = || prop::bool::weighted(0.2);
    (words, rarely(), prop::bool::weighted(0.25), 1..8_usize, rarely()).prop_map(|(word, open, any, hole, loose)| {
        // A letter between others may be any; of the scripts in which `?` is a letter and a letter one character.
        let letters = WORDS[word].chars().count();
        let fits = any && letters > 2 && !WORDS[word].starts_with(['क', 'ก']);
        let hole = if fits { 1 + hole % (letters - 2) } else { 0 };
        Word { word, open: open && !WORDS[word].starts_with(['弹', '道', '导', 'ก']), hole, loose }
    })
}

fn phrase(palette: &Palette) -> impl Strategy<Value = Phrase> + use<> {
    prop::collection::vec(word(palette), 1..3)
}

fn regex(palette: &Palette) -> impl Strategy<Value = Regex> + use<> {
    let word = || prop::sample::select(palette.clone());
    let piece = prop_oneof![
        4 => word().prop_map(Piece::Literal),
        2 => (word(), word()).prop_map(|(one, other)| Piece::Either(one, other)),
        1 => word().prop_map(Piece::Optional),
        2 => Just(Piece::AnyLetter),
        1 => Just(Piece::AnyText),
    ];
    (word(), prop::collection::vec(piece, 0..3), any::<bool>()).prop_map(|(word, mut pieces, ignore)| {
        pieces.insert(pieces.len() / 2, Piece::Literal(word));
        Regex { pieces, ignore }
    })
}

fn term(palette: &Palette) -> impl Strategy<Value = Term> + use<> {
    (phrase(palette), prop::bool::weighted(0.15), 0..SCOPES.len() * 4).prop_map(|(phrase, exact, scope)| Term {
        phrase,
        exact,
        scope,
    })
}

fn query(palette: &Palette) -> BoxedStrategy<Query> {
    let in_scope = || 0..SCOPES.len() * 4;
    let group = || in_scope().prop_map(|scope| Term { phrase: vec![], exact: false, scope });
    let either = || prop::collection::vec(prop_oneof![5 => term(palette), 1 => group()], 1..4);
    let near = (either(), prop::collection::vec((either(), 0..5_usize, any::<bool>()), 1..3));
    let loose = (prop::collection::vec(word(palette), 2..4), 0..5_usize);
    let origin = prop_oneof![
        prop::sample::select(vec!["wire", "Wire*", "wire two", "https://OTHER.example/a", "https*"])
            .prop_map(|name| Query::Feed(name.to_owned())),
        prop::sample::select(vec!["ASIA", "asia*", "europe"]).prop_map(|name| Query::Tag(name.to_owned())),
        prop::sample::select(vec!["uk", "en", "EN-gb"]).prop_map(|range| Query::Language(range.to_owned())),
    ];
    let leaf = prop_oneof![
        8 => term(palette).prop_map(Query::Term),
        4 => near.prop_map(|(first, others)| Query::Near(first, others)),
        2 => (regex(palette), 0..SCOPES.len() * 3).prop_map(|(regex, scope)| Query::Regex(regex, scope)),
        2 => (0..SCOPES.len() * 3).prop_map(Query::Group),
        2 => origin,
        1 => loose.prop_map(|(phrase, most)| Query::Loose(phrase, most)),
    ];
    let recursive = leaf.prop_recursive(3, 10, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            parts().prop_map(Query::All),
            parts().prop_map(Query::Any),
            inner.clone().prop_map(|part| Query::Not(Box::new(part))),
            (parts(), 1..5_usize).prop_map(|(parts, count)| Query::AtLeast(count.min(parts.len()), parts)),
            // Alone a negation finds nothing, and such rules are passed by.
            (inner.clone(), prop::collection::vec(inner.clone(), 3..5), 2..4_usize).prop_map(|(part, parts, count)| {
                let excluded = Query::AtLeast(count.min(parts.len() - 1), parts);
                Query::All(vec![part, Query::Not(Box::new(excluded))])
            }),
        ]
    });
    recursive.boxed()
}

fn rule(palette: &Palette) -> impl Strategy<Value = Naive> + use<> {
    let item = prop_oneof![
        6 => phrase(palette).prop_map(Item::Phrase),
        1 => regex(palette).prop_map(Item::Regex),
        1 => Just(Item::Group),
    ];
    let items = |count| prop::collection::vec(item.clone(), count);
    let lists = (items(0..3_usize), items(0..4_usize), items(0..2_usize));
    let near_phrases = prop::collection::vec(phrase(palette), 2..4);
    let near = prop::collection::vec((near_phrases, 0..6_usize, any::<bool>()), 0..2);
    let near = prop_oneof![4 => Just(Vec::new()), 1 => near];
    let case = prop_oneof![Just(Case::Acronyms), Just(Case::Ignore), Just(Case::Match)];
    let fields = prop::sample::subsequence(FIELDS.to_vec(), 1..6);
    let forms = || prop_oneof![Just(Forms::Exact), Just(Forms::Inflected)];
    let language = || {
        let codes = prop::sample::select(RULE_LANGUAGES);
        prop::option::of(codes.prop_map(|code| Language::of_tag(code).expect("a language")))
    };
    // Those of more than three terms have a stand-in.
    let members = prop::collection::vec(phrase(palette), 1..10);
    let group = (members, prop::option::of(forms()), language(), prop::bool::weighted(0.2))
        .prop_map(|(members, forms, language, is_large)| Group { members, forms, language, is_large });
    let forms = (forms(), language());
    let feeds = prop::sample::subsequence((0..FEEDS.len()).collect::<Vec<_>>(), 1..3);
    let tags = prop::sample::subsequence(TAGS.to_vec(), 1..3);
    let rarely = |weight| prop::bool::weighted(weight);
    let origins = (feeds, rarely(0.1), tags, rarely(0.1)).prop_map(|(feeds, by_feed, tags, by_tag)| {
        (if by_feed { feeds } else { vec![] }, if by_tag { tags } else { vec![] })
    });
    (lists, near, prop::option::of(query(palette)), fields, case, group, forms, origins)
        .prop_map(|((all, any, none), near, query, fields, case, group, (forms, language), (feeds, tags))| {
            let rule = Naive { all, any, none, near, query, fields, feeds, tags, case, forms, language, group };
            match &rule.query {
                // Nothing positive is an error, and so are fields that are never near each other.
                Some(_) if Rule::new(&rule.source(), &rule.groups()).is_err() => Naive { query: None, ..rule },
                _ => rule,
            }
        })
        .prop_map(|rule| match rule {
            Naive { ref all, ref any, ref near, query: None, ref group, .. }
                if all.is_empty() && any.is_empty() && near.is_empty() =>
            {
                Naive { any: vec![Item::Phrase(group.members[0].clone())], ..rule }
            }
            rule => rule,
        })
}

fn text(palette: &Palette) -> impl Strategy<Value = Text> + use<> {
    prop::collection::vec((prop::sample::select(palette.clone()), 0..SEPARATORS.len()), 0..9)
}

fn article(palette: &Palette) -> impl Strategy<Value = Article> + use<> {
    let tags = prop::sample::subsequence(TAGS.to_vec(), 0..3);
    let language = prop::option::of(0..LANGUAGES.len());
    (prop::collection::vec(text(palette), 6), 0..FEEDS.len(), tags, language).prop_map(
        |(texts, feed, tags, language)| {
            let tags = tags.into_iter().map(str::to_owned).collect();
            Article { texts, feed, tags, language }
        },
    )
}

/// Words that are forms of one another, with which word forms make a difference.
const FAMILIES: [&[&str]; 4] =
    [&["missile", "missiles"], &["ракета", "ракет", "РАКЕТЫ"], &["sää", "saa", "Sään"], &["ışık", "ışıklar", "IŞIK"]];

fn palette() -> impl Strategy<Value = Palette> {
    let words = prop::sample::subsequence((0..WORDS.len()).collect::<Vec<_>>(), 2..6);
    (words, prop::option::of(prop::sample::select(FAMILIES.to_vec()))).prop_map(|(mut words, family)| {
        let family = family.into_iter().flatten();
        words.extend(family.map(|word| WORDS.iter().position(|known| known == word).expect("one of the words")));
        words
    })
}

fn case() -> impl Strategy<Value = (Vec<Naive>, Vec<Article>)> {
    palette().prop_flat_map(|palette| {
        (prop::collection::vec(rule(&palette), RULES), prop::collection::vec(article(&palette), ARTICLES))
    })
}

/// Calls `each` with an article as the document that it is.
fn with_document<T>(article: &Article, each: impl FnOnce(&Document<'_>) -> T) -> T {
    let rendered: Vec<String> = article.texts[..5].iter().map(render_text).collect();
    let [title, summary, content, author, category] = [0, 1, 2, 3, 4].map(|field| rendered[field].as_str());
    let (feed_name, feed) = FEEDS[article.feed];
    each(&Document {
        title,
        summary,
        content,
        author,
        category,
        url: &render_url(&article.texts[5]),
        language: article.language.map(|language| LANGUAGES[language]),
        feed,
        feed_name,
        tags: &article.tags,
    })
}

/// The compiled set, with its trie, filters, gates and anchors, agrees with looking for everything at every word; and so
/// do explanations, and sets of one rule, on some of the pairs. A fair share of the pairs are hits, so that more than
/// misses is compared.
#[test]
fn agrees_with_a_naive_evaluator() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let (pairs, hits) = (Cell::new(0_usize), Cell::new(0_usize));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let outcome = runner.run(&case(), |(rules, articles)| {
        let checked: Vec<Rule> =
            rules.iter().map(|rule| Rule::new(&rule.source(), &rule.groups()).expect("a valid rule")).collect();
        let set = RuleSet::new(&checked);
        for (number, article) in articles.iter().enumerate() {
            with_document(article, |document| {
                let found: Vec<usize> = set.matches(document).iter().map(|found| found.rule).collect();
                let expected: Vec<usize> = (0..rules.len()).filter(|rule| rules[*rule].matches(article)).collect();
                let sources = || {
                    let differ = |rule: &usize| found.contains(rule) != expected.contains(rule);
                    (0..rules.len()).filter(differ).map(|rule| (rules[rule].source(), rules[rule].groups())).collect()
                };
                let differing: Vec<_> = if found == expected { Vec::new() } else { sources() };
                prop_assert_eq!(&found, &expected, "{:#?}\n{:#?}", document, differing);
                pairs.set(pairs.get() + rules.len());
                hits.set(hits.get() + found.len());
                if number == 0 {
                    for (index, rule) in checked.iter().enumerate() {
                        // Alone, where a text has fewer terms than a group.
                        let alone = !RuleSet::new(std::slice::from_ref(rule)).matches(document).is_empty();
                        prop_assert_eq!(
                            alone,
                            expected.contains(&index),
                            "{:#?}\n{:#?}",
                            document,
                            rules[index].source()
                        );
                        let explained = explain(rule, document);
                        prop_assert_eq!(explained.hit, expected.contains(&index));
                        prop_assert_eq!(explained.missing.is_empty(), explained.hit, "{}", explained);
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let (pairs, hits) = (pairs.get(), hits.get());
    assert!(pairs >= cases as usize * RULES * ARTICLES, "{pairs} pairs");
    assert!(hits * 10 > pairs && hits * 10 < pairs * 9, "{hits} hits in {pairs} pairs");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Each phrase is told as often as it stands there.
    #[test]
    fn tells_every_place(
        (phrase, text) in palette().prop_flat_map(|palette| (phrase(&palette), text(&palette))),
        inflected in any::<bool>(),
    ) {
        let rule = Naive {
            all: vec![Item::Phrase(phrase.clone())],
            any: vec![],
            none: vec![],
            near: vec![],
            query: None,
            fields: vec![Field::Title],
            feeds: vec![],
            tags: vec![],
            case: Case::Acronyms,
            forms: if inflected { Forms::Inflected } else { Forms::Exact },
            language: None,
            group: Group::default(),
        };
        let checked = Rule::new(&rule.source(), &rule.groups()).unwrap();
        let rendered = render_text(&text);
        let texts = [vec![text], vec![Text::new(); 5]].concat();
        let article = Article { texts, feed: 0, tags: vec![], language: None };
        let found = RuleSet::new(&[checked]).matches(&title(&rendered)).pop().map_or(0, |found| found.terms.len());
        prop_assert_eq!(found, starts(&phrase, &rule, &article, 0, false).len(), "{}", rendered);
    }
}
