//! Tests of identity: tables, and properties over permuted documents.

use super::*;
use crate::core::{
    article::ArticleId,
    recognition::{Change, KnownArticle, by_key},
};
use proptest::prelude::*;

fn item(guid: &str, link: &str, title: &str) -> Item {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Item { guid: some(guid), link: some(link), title: title.to_owned(), ..Item::default() }
}

fn dated(mut item: Item, date: &str) -> Item {
    item.published = Some(date.parse().unwrap());
    item
}

fn prefixes(items: Vec<Item>) -> Vec<String> {
    articles(items).iter().map(|article| article.key.as_str().split_once(':').unwrap().0.to_owned()).collect()
}

fn known(articles: &[Article]) -> Vec<KnownArticle> {
    let known = |(row, article): (usize, &Article)| KnownArticle {
        id: ArticleId::from_row(row as i64),
        key: article.key.clone(),
        text_hash: article.text_hash,
        canonical_url: article.canonical_url.clone(),
        published: article.item.published,
    };
    articles.iter().enumerate().map(known).collect()
}

fn changes(known: &[KnownArticle], articles: Vec<Article>) -> Vec<Change> {
    let changes = by_key(known, articles).by_second_key(&[]).changes;
    // Items that are told apart by nothing may differ in their dates.
    changes.into_iter().filter(|change| !matches!(change, Change::Amended { .. })).collect()
}

/// FEEDS C8: canonical URLs.
#[test]
fn canonical_urls_drop_what_does_not_identify_the_page() {
    for (link, canonical) in [
        ("HTTP://Example.ORG/A", "http://example.org/A"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80/", "http://example.org"),
        ("http://example.org:8080/", "http://example.org:8080"),
        ("https://example.org/a/", "https://example.org/a"),
        ("https://example.org/a/?b=1", "https://example.org/a?b=1"),
        ("https://example.org/a#part", "https://example.org/a"),
        ("https://example.org/a#!/part", "https://example.org/a#!/part"),
        ("https://example.org/a?utm_source=rss&id=7&utm_medium=x", "https://example.org/a?id=7"),
        ("https://example.org/a?UTM_Source=rss", "https://example.org/a"),
        ("https://example.org/a?z=1&a=2&fbclid=x", "https://example.org/a?z=1&a=2"),
        (
            "https://example.org/a?mtm_campaign=1&gclid=1&mc_cid=1&mc_eid=1&igshid=1&yclid=1&msclkid=1&_hsenc=1",
            "https://example.org/a",
        ),
        ("https://example.org/a?id=1&id=2&&", "https://example.org/a?id=1&id=2"),
        ("https://example.org/a?", "https://example.org/a"),
        ("https://example.org/a?utmost=1", "https://example.org/a?utmost=1"),
        ("https://example.org/ракета", "https://example.org/%D1%80%D0%B0%D0%BA%D0%B5%D1%82%D0%B0"),
    ] {
        assert_eq!(canonical_url(link).as_deref(), Some(canonical), "{link}");
    }
    for link in ["", "/a", "mailto:a@example.org", "javascript:alert(1)", "ftp://example.org/"] {
        assert_eq!(canonical_url(link), None, "{link}");
    }
}

/// FEEDS C1, C2: what a key is made of.
#[test]
fn keys_are_made_of_the_best_that_there_is() {
    let day = "2026-11-01T00:00:00Z";
    assert_eq!(prefixes(vec![item(" g ", "http://e/1", "t")]), ["guid"]);
    assert_eq!(prefixes(vec![item("  ", "http://e/1", "t")]), ["link"]);
    assert_eq!(prefixes(vec![dated(item("", "", "t"), day)]), ["title+date"]);
    assert_eq!(prefixes(vec![item("", "", "t")]), ["text"]);
    assert_eq!(prefixes(vec![item("", "", "")]), ["text"]);
    let next = "2026-11-02T00:00:00Z";
    let repeated = |link: &str| vec![dated(item("", link, "a"), day), dated(item("", link, "b"), next)];
    assert_eq!(prefixes(repeated("http://e/list")), ["link+date", "link+date"]);
    assert_eq!(prefixes(repeated("http://e/")), ["title+date", "title+date"], "a front page and days tell nothing");
    let key = &articles(vec![item("g", "", "t")])[0].key;
    assert_eq!(key.as_str().len(), "guid:".len() + 64);
    assert_eq!(*key, articles(vec![item(" g\n", "http://e/2", "other")])[0].key);
    assert_eq!(articles(vec![item(&"g".repeat(1_000_000), "", "t")])[0].key.as_str().len(), "guid:".len() + 64);
}

/// FEEDS C4: items with one guid are all kept, told apart by link, and their order means nothing.
#[test]
fn a_repeated_guid_keeps_all_items() {
    let items = vec![item("g", "http://e/1", "a"), item("g", "http://e/2", "b"), item("h", "http://e/3", "c")];
    let first = articles(items.clone());
    assert_eq!(prefixes(items.clone()), ["guid+link", "guid+link", "guid"]);
    let reordered = articles(items.into_iter().rev().collect());
    assert_eq!(changes(&[], first.clone()).len(), 3);
    assert_eq!(changes(&known(&first), reordered), []);
}

#[test]
fn a_guid_that_becomes_repeated_or_single_creates_nothing_old_anew() {
    let one = articles(vec![item("g", "http://e/1", "a")]);
    let both = articles(vec![item("g", "http://e/1", "a"), item("g", "http://e/2", "b")]);
    let new = changes(&known(&one), both.clone());
    assert_eq!(new, [Change::New(both[1].clone())]);
    assert_eq!(changes(&known(&both), one.clone()), []);
    let twins = articles(vec![item("g", "http://e/1", "a"), item("g", "http://e/2", "a")]);
    assert_eq!(changes(&known(&one), twins.clone()), [Change::New(twins[1].clone())]);
    let edited = changes(&known(&both), articles(vec![item("g", "http://e/1", "a, corrected")]));
    assert!(matches!(&edited[..], [Change::Edited { id, article }] if id.row() == 0 && article.key == both[0].key));
}

#[test]
fn tells_new_edited_and_known_apart() {
    let before = articles(vec![item("1", "", "a"), item("2", "", "b")]);
    let after = articles(vec![item("3", "", "c"), item("2", "", "b, edited"), item("1", "", "a"), item("3", "", "c")]);
    let found = changes(&known(&before), after.clone());
    assert_eq!(
        found,
        [Change::New(after[0].clone()), Change::Edited { id: ArticleId::from_row(1), article: after[1].clone() },]
    );
}

/// FEEDS C10: an edit of title, summary or content changes the hash; a text cannot move between them unnoticed.
#[test]
fn the_text_hash_covers_the_texts_apart() {
    let texts = |title: &str, summary: &str, content: &str| {
        let item = Item { title: title.into(), summary: summary.into(), content: content.into(), ..Item::default() };
        articles(vec![item])[0].text_hash.0
    };
    let hashes = [texts("a", "", ""), texts("", "a", ""), texts("", "", "a"), texts("a", "a", ""), texts("aa", "", "")];
    assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), hashes.len());
    assert_eq!(hashes[0], texts("a", "", ""));
}

fn any_item() -> impl Strategy<Value = Item> {
    let guid = proptest::option::of("[ab ]{0,2}");
    let link = proptest::option::of("http://e/[ab]?(\\?utm_x=1)?");
    let date = proptest::option::of(0..3_i64);
    (guid, link, date, "[xy]?", "[xy]?").prop_map(|(guid, link, date, title, content)| {
        let published = date.map(|day| Timestamp::from_second(day * 86_400).unwrap());
        Item { guid, link, title, content, published, ..Item::default() }
    })
}

proptest! {
    /// FEEDS C3: the same items give the same keys, always.
    #[test]
    fn the_same_items_give_the_same_keys(items in proptest::collection::vec(any_item(), 0..12)) {
        let keys = |items: Vec<Item>| articles(items).into_iter().map(|article| article.key).collect::<Vec<_>>();
        prop_assert_eq!(keys(items.clone()), keys(items));
    }

    /// FEEDS C3, C4: neither repetition nor order changes a key, and nothing that differs shares one.
    #[test]
    fn order_does_not_change_keys(
        (items, shuffled) in proptest::collection::vec(any_item(), 0..12)
            .prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle()))
    ) {
        let first = articles(items);
        let second = articles(shuffled);
        let sorted = |articles: &[Article]| {
            let mut keys: Vec<_> = articles.iter().map(|article| (article.key.clone(), article.text_hash.0)).collect();
            keys.sort();
            keys
        };
        prop_assert_eq!(sorted(&first), sorted(&second));
        prop_assert_eq!(changes(&known(&first), second), vec![]);
        let mut texts = HashMap::new();
        for article in &first {
            prop_assert_eq!(*texts.entry(&article.key).or_insert(article.text_hash), article.text_hash);
        }
    }

    #[test]
    fn canonical_urls_are_canonical(link in "https?://[A-Za-z]{1,5}(:[0-9]{1,3})?(/[a-z/%. ]{0,6})?(\\?[a-z=&_%/]{0,12})?(#!?[a-z/]{0,4})?") {
        if let Some(canonical) = canonical_url(&link) {
            prop_assert_eq!(canonical_url(&canonical), Some(canonical.clone()));
        }
    }
}

proptest::proptest! {
    /// FEEDS C8: links that are not parsed have the form that parsing gives them.
    #[test]
    fn c08_a_plain_link_is_as_parsing_writes_it(
        link in "https?://[a-z0-9.A-]{0,4}(xn--|--|\\.0x|\\.)?[a-z0-9.-]{1,6}(:80)?(/[a-zA-Z0-9/.~_%?#-]{0,8}){0,2}",
    ) {
        proptest::prop_assert_eq!(canonical_url(&link), canonical_of_parsed(&link), "{}", link);
        if is_plain(&link) {
            let parsed = Url::parse(&link).map(String::from);
            proptest::prop_assert_eq!(parsed.as_deref(), Ok(link.as_str()));
        }
    }
}

#[test]
fn c08_a_usual_link_is_plain() {
    for link in ["https://www.example.org/2026/11/a-b_c.html", "http://e.example/", "https://e.example/a//"] {
        assert!(is_plain(link), "{link}");
        assert_eq!(canonical_url(link), canonical_of_parsed(link));
    }
    for link in [
        "https://e.example/a/../b",
        "https://e.example/?a",
        "https://1.2.3.4/",
        "https://E.example/",
        "ftp://e.example/",
    ] {
        assert!(!is_plain(link), "{link}");
    }
}
