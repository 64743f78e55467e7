//! Tests of recognition: what is known under another guid, and what only looks like it (FEEDS C5–C7, C9).

use super::*;
use crate::core::{article::Item, identity::articles};
use proptest::prelude::*;

const DAY: &str = "2026-11-24T08:15:00Z";
const WEEK_LATER: &str = "2026-12-01T08:15:00Z";
const MISSILES: &str = "DPRK fires ballistic missiles";

fn item(guid: &str, link: &str, title: &str, date: &str) -> Item {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let published = some(date).map(|date| date.parse().unwrap());
    Item { guid: some(guid), link: some(link), title: title.to_owned(), published, ..Item::default() }
}

/// What a second document changes in the articles of a first one, all of which the store gives to compare with.
fn after(first: Vec<Item>, second: Vec<Item>) -> Recognised {
    let mut first = articles(first);
    let mut keys = HashSet::new();
    first.retain(|article| keys.insert(article.key.clone()));
    let row = |row: usize| ArticleId::from_row(i64::try_from(row).unwrap());
    let known: Vec<_> = first
        .iter()
        .enumerate()
        .map(|(index, article)| KnownArticle {
            id: row(index),
            key: article.key.clone(),
            text_hash: article.text_hash,
            canonical_url: article.canonical_url.clone(),
            published: article.item.published,
        })
        .collect();
    let alike: Vec<_> = first
        .iter()
        .enumerate()
        .map(|(index, article)| Lookalike {
            id: row(index),
            text_hash: article.text_hash,
            canonical_url: article.canonical_url.clone(),
            title: article.item.title.clone(),
            published: article.item.published,
        })
        .collect();
    by_key(&known, articles(second)).by_second_key(&alike)
}

/// What became of each item: new, edited or amended with the row.
fn kinds(recognised: &Recognised) -> Vec<String> {
    let kind = |change: &Change| match change {
        Change::New(_) => "new".to_owned(),
        Change::Edited { id, .. } => format!("edited {}", id.row()),
        Change::Amended { id, .. } => format!("amended {}", id.row()),
    };
    recognised.changes.iter().map(kind).collect()
}

/// FEEDS C13: where the end that a document had lost begins in a later one.
#[test]
fn tells_how_many_articles_no_known_one_comes_after() {
    let item = |number: &u8| item(&format!("guid-{number}"), "", &format!("Headline {number}"), DAY);
    let edited = |number: u8| Item { summary: "Said more.".to_owned(), ..item(&number) };
    let items = |numbers: &[u8]| numbers.iter().map(item).collect::<Vec<_>>();
    for (second, expected) in [
        (items(&[7, 1, 8, 2, 9, 10]), 2),
        (items(&[7, 8, 9]), 3),
        (items(&[7, 8, 1]), 0),
        (items(&[1, 2]), 0),
        (Vec::new(), 0),
        (vec![item(&7), edited(1), item(&8)], 1),
        // An item that comes twice is one.
        (items(&[1, 7, 7]), 1),
    ] {
        let recognised = after(items(&[1, 2]), second.clone());
        assert_eq!(recognised.unknown_at_end, expected, "{second:?}");
        let end = &recognised.changes[recognised.changes.len() - expected..];
        assert!(end.iter().all(|change| matches!(change, Change::New(_))), "{end:?}");
    }
}

#[track_caller]
fn assert_pair(first: Item, second: Item, expected: &str) {
    let what = format!("{first:?}\n{second:?}");
    assert_eq!(kinds(&after(vec![first], vec![second])), [expected], "{what}");
}

/// FEEDS C5: another guid on the same page is the same article where headline, date or text agree.
#[test]
fn c5_an_article_under_another_guid_is_known_by_its_link() {
    let link = "https://e.example/a";
    let first = || item("g1", link, MISSILES, DAY);
    for (second, expected) in [
        (item("g2", link, MISSILES, DAY), "amended 0"),
        (item("g2", "https://e.example/a/?utm_source=x#top", MISSILES, WEEK_LATER), "amended 0"),
        (item("g2", link, "UPDATE: DPRK fires two ballistic missiles", "2026-11-25T09:00:00Z"), "edited 0"),
        (item("g2", link, "Launch condemned", DAY), "edited 0"),
        // A page that shows one thing after the other.
        (item("g2", link, "Harvest festival opens", "2026-11-24T09:00:00Z"), "new"),
        (item("g2", link, "UPDATE: DPRK fires two ballistic missiles", WEEK_LATER), "new"),
        (item("g2", link, "Harvest festival opens", ""), "new"),
        (item("g2", "https://e.example/b", "Harvest festival opens", DAY), "new"),
    ] {
        assert_pair(first(), second, expected);
    }
    // Parts of a series on one page, which differ in a number only.
    assert_pair(
        item("w3", link, "Warning level 3 for the coast", ""),
        item("w4", link, "Warning level 4 for the coast", ""),
        "new",
    );
    // A day is no date that tells articles apart, and a front page is no page.
    let midnight = "2026-11-24T00:00:00Z";
    assert_pair(item("g1", link, MISSILES, midnight), item("g2", link, "Harvest festival", midnight), "new");
    let front = "https://e.example/";
    assert_pair(
        item("g1", front, MISSILES, DAY),
        item("g2", front, "Two ballistic missiles fired by DPRK", DAY),
        "new",
    );
}

/// FEEDS C5: two items with one link and two guids within one fetch are distinct, and stay so under new guids.
#[test]
fn c5_items_of_one_document_that_share_a_link_are_distinct() {
    let link = "https://e.example/live";
    let one = || item("g1", link, "DPRK fires a missile", DAY);
    let two = || item("g2", link, "DPRK fires a second missile", DAY);
    assert_eq!(kinds(&after(Vec::new(), vec![one(), two()])), ["new", "new"]);
    assert_eq!(kinds(&after(vec![one()], vec![one(), two()])), ["new"]);
    assert_eq!(kinds(&after(vec![one(), two()], vec![item("g3", link, "DPRK fires missile no. 3", DAY)])), ["new"]);
    let renamed =
        vec![item("h2", link, "DPRK fires a second missile", DAY), item("h1", link, "DPRK fires a missile", DAY)];
    assert_eq!(kinds(&after(vec![one(), two()], renamed)), ["amended 1", "amended 0"]);
    // Twins: one known article is one item.
    let twins = vec![item("h1", link, "DPRK fires a missile", DAY), item("h2", link, "DPRK fires a missile", DAY)];
    assert_eq!(kinds(&after(vec![one()], twins)), ["amended 0", "new"]);
}

/// FEEDS C5: when most of a feed's guids are new at once, the feed has changed and not its articles.
#[test]
fn c5_a_feed_that_changes_its_guids_is_recognised() {
    let link = |number: usize| format!("https://e.example/{number}");
    let title = ["Harbour reopens", "Marathon is run", "Bridge is closed", "Bread gets dearer"];
    let document = |prefix: &str, titles: [&str; 4]| -> Vec<Item> {
        titles.iter().enumerate().map(|(n, title)| item(&format!("{prefix}{n}"), &link(n), title, "")).collect()
    };
    let mut second = document("new-", title);
    // One was rewritten meanwhile: by itself its link would not be enough.
    second[3].title = "Bakers raise prices".to_owned();
    second.insert(0, item("new-9", &link(9), MISSILES, ""));
    let recognised = after(document("old-", title), second);
    assert_eq!(kinds(&recognised), ["new", "amended 0", "amended 1", "amended 2", "edited 3"]);
    assert_eq!(recognised.reidentified, Some(3));
    let mut few = document("old-", title);
    few[0].guid = Some("new-0".to_owned());
    let recognised = after(document("old-", title), few);
    assert_eq!((kinds(&recognised), recognised.reidentified), (vec!["amended 0".to_owned()], None));
}

/// FEEDS C6: a guid whose suffix counts up is one article.
#[test]
fn c6_guid_suffix_churn_is_one_article() {
    for (guids, link) in [
        (["https://e.example/news/1#0", "https://e.example/news/1#5"], "https://e.example/news/1"),
        (["https://e.example/news/1#0", "https://e.example/news/1#5"], ""),
        (["urn:news:1#0", "urn:news:1#5"], "https://e.example/news/1"),
        (["https://e.example/news/1?version=1", "https://e.example/news/1?version=2"], "https://e.example/news/1"),
    ] {
        let [first, second] = guids.map(|guid| item(guid, link, MISSILES, DAY));
        assert_pair(first.clone(), second, "amended 0");
        assert_pair(first, item(guids[1], link, "DPRK fires two ballistic missiles", DAY), "edited 0");
    }
    // The parts of one page are articles of their own.
    let part = |part: &str, title: &str| item(&format!("https://e.example/changes#{part}"), "", title, "");
    assert_pair(part("1", "Version 1.1 is there"), part("2", "Version 1.2 is there"), "new");
}

/// FEEDS C7: a guid that changes its scheme or host is one article where link or text agree.
#[test]
fn c7_a_guid_on_another_scheme_or_host_is_one_article() {
    for (old, new) in [
        ("http://e.example/a", "https://e.example/a"),
        ("https://e.example/a", "https://www.e.example/a"),
        ("http://www.e.example/a", "https://e.example/a/"),
        ("https://old.example/a?id=7", "https://new.example/a?id=7"),
    ] {
        for links in [[old, new], ["", ""], ["https://l.example/a", "https://l.example/a"]] {
            let first = item(old, links[0], MISSILES, DAY);
            assert_pair(first.clone(), item(new, links[1], MISSILES, DAY), "amended 0");
        }
    }
    // Without a guid the link alone changes.
    assert_pair(
        item("", "http://e.example/a", MISSILES, ""),
        item("", "https://e.example/a", MISSILES, ""),
        "amended 0",
    );
    // A feed that gathers several sites has two of one headline.
    let hello = |host: &str, date: &str| item(host, &format!("https://{host}.example/hello"), "Hello world", date);
    assert_pair(hello("alice", DAY), hello("bob", WEEK_LATER), "new");
    // Another host, the same path, and nothing else that agrees.
    assert_pair(item("https://a.example/1", "", MISSILES, DAY), item("https://b.example/1", "", "Harvest", DAY), "new");
    assert_pair(item("https://a.example", "", "", DAY), item("https://b.example", "", "", DAY), "new");
    assert_pair(item("https://a.example/1", "", "", DAY), item("https://b.example/1", "", "", DAY), "new");
}

/// FEEDS C2, promise P1: a front page is what items link to that have no page, so that it makes no article known.
#[test]
fn c2_items_without_guid_that_link_to_the_front_page_are_distinct() {
    let front = "https://e.example/";
    let first = |date: &str| item("", front, "Flood warning", date);
    for (second, expected) in [
        (item("", front, "Storm warning", WEEK_LATER), "new"),
        (item("", front, "Flood warning", WEEK_LATER), "new"),
        (item("", front, "Flood warning, updated", DAY), "edited 0"),
    ] {
        assert_pair(first(DAY), second, expected);
    }
    assert_pair(first(""), item("", front, "Storm warning", ""), "new");
}

/// FEEDS C9: the page for other devices is no identity.
#[test]
fn c9_amp_and_mobile_pages_are_articles_of_their_own() {
    for mobile in ["https://m.e.example/a", "https://e.example/a/amp", "https://e.example/a?amp=1"] {
        assert_pair(item("g1", "https://e.example/a", MISSILES, DAY), item("g2", mobile, MISSILES, WEEK_LATER), "new");
    }
}

/// FEEDS C10: an edit of a headline, a text, a date or a link is an update of the article.
#[test]
fn c10_an_edit_is_an_update_of_the_article() {
    let link = "https://e.example/a";
    let first = || item("g", link, MISSILES, DAY);
    assert_pair(first(), item("g", link, "Launch", DAY), "edited 0");
    assert_pair(first(), Item { summary: "More.".to_owned(), ..first() }, "edited 0");
    assert_pair(first(), item("g", link, MISSILES, WEEK_LATER), "amended 0");
    assert_pair(first(), item("g", "https://e.example/b", MISSILES, DAY), "amended 0");
    for same in [first(), item("g", "https://e.example/a?utm_source=x", MISSILES, ""), item("g", "", MISSILES, DAY)] {
        assert_eq!(kinds(&after(vec![first()], vec![same])), [""; 0]);
    }
}

/// An article whose date was too far ahead is known once the date counts.
#[test]
fn an_article_whose_date_comes_later_stays_the_same() {
    assert_eq!(kinds(&after(vec![item("", "", MISSILES, "")], vec![item("", "", MISSILES, DAY)])), ["amended 0"]);
    let front = "https://e.example/";
    let others = || item("", front, "Another one", "");
    let dated = vec![item("", front, MISSILES, DAY), others()];
    assert_eq!(kinds(&after(vec![item("", front, MISSILES, ""), others()], dated)), ["amended 0"]);
}

/// FEEDS C2: one article after the other at one address, without guids. Where the date says so and the headline does not
/// say otherwise, each is an article of its own; else it is an edit.
#[test]
fn c2_what_follows_at_one_address_is_another_article() {
    let (link, next_day) = ("https://e.example/alert", "2026-11-25T09:00:00Z");
    let before = || vec![item("", link, MISSILES, DAY)];
    for (next, expected) in [
        (item("", link, "DPRK shows a new ICBM", next_day), "new"),
        (item("", link, "DPRK shows a new ICBM", DAY), "edited 0"),
        (item("", link, "DPRK shows a new ICBM", ""), "edited 0"),
        (item("", link, "UPDATE: DPRK fires two ballistic missiles", next_day), "edited 0"),
        (item("", link, MISSILES, next_day), "amended 0"),
        (item("", link, "DPRK fires ballistic missiles again", WEEK_LATER), "new"),
        (item("id", link, "DPRK shows a new ICBM", next_day), "new"),
    ] {
        assert_eq!(kinds(&after(before(), vec![next.clone()])), [expected], "{next:?}");
    }
    // A guid says that it is the same.
    let changed = vec![item("id", link, "DPRK shows a new ICBM", next_day)];
    assert_eq!(kinds(&after(vec![item("id", link, MISSILES, DAY)], changed)), ["edited 0"]);
}

/// FEEDS C14: a page that articles of one feed have one after the other is one that several articles are at.
#[test]
fn c14_a_page_of_successors_is_shared() {
    let live = "https://e.example/live";
    let shared = |known: Vec<Item>, next: Item| after(known, vec![next]).shared_pages;
    let page = HashSet::from(["e.example/live".to_owned()]);
    let first = || vec![item("1", live, MISSILES, DAY)];
    assert_eq!(shared(first(), item("2", live, "Harbour reopens", WEEK_LATER)), page);
    assert_eq!(shared(vec![item("", live, MISSILES, DAY)], item("", live, "Harbour reopens", WEEK_LATER)), page);
    assert_eq!(shared(first(), item("2", live, MISSILES, DAY)), HashSet::new(), "it is known again");
    assert_eq!(shared(first(), item("2", "https://e.example/a", "Harbour reopens", DAY)), HashSet::new());
}

fn any_item() -> impl Strategy<Value = Item> {
    let guid = proptest::option::of("(http://[ef]/)?[ab](#[01])?");
    let link = proptest::option::of("https?://(www\\.)?[ef]/[ab]?");
    let date = proptest::option::of(0..3_i64);
    (guid, link, date, "([xyz] ?){0,2}", "[xy]?").prop_map(|(guid, link, date, title, content)| {
        let published = date.map(|day| Timestamp::from_second(day * 86_400 + 60).unwrap());
        Item { guid, link, title, content, published, ..Item::default() }
    })
}

proptest! {
    /// Promise P1: no known article stands for two items, and an item is new, edited, amended or known once.
    #[test]
    fn an_article_is_claimed_once(
        first in proptest::collection::vec(any_item(), 0..8),
        second in proptest::collection::vec(any_item(), 0..8),
    ) {
        let recognised = after(first.clone(), second);
        let mut rows = HashSet::new();
        let mut keys = HashSet::new();
        for change in &recognised.changes {
            let (row, article) = match change {
                Change::New(article) => (None, article),
                Change::Edited { id, article } | Change::Amended { id, article } => (Some(id), article),
            };
            prop_assert!(row.is_none_or(|row| rows.insert(row.row())), "{:?}", recognised);
            prop_assert!(keys.insert(article.key.clone()), "{:?}", recognised);
        }
        prop_assert_eq!(after(first.clone(), first).changes, vec![]);
    }
}

/// What the items of a feed have in common, and whether what is alone in a document can be told from the one before.
const FEEDS: [(&str, &str, bool); 11] = [
    ("churn", "own", true),
    ("churn", "shared", true),
    ("churn", "front", true),
    ("shared", "shared", false),
    ("own", "own", true),
    ("own", "shared", true),
    ("own", "front", true),
    ("", "own", true),
    ("", "front", true),
    ("", "shared", false),
    ("shared", "own", false),
];

fn rolling_item(number: usize, poll: usize, (guid, link, _): (&str, &str, bool), dates: usize) -> Item {
    const TITLES: [&str; 8] = ["Harbour", "Marathon", "Bridge", "Bread", "Launch", "Flood", "Election", "Strike"];
    let guid = match guid {
        "own" => format!("g{number}"),
        "churn" => format!("g{number}-{poll}"),
        guid => guid.to_owned(),
    };
    let link = match link {
        "own" => format!("https://e.example/{number}"),
        "shared" => "https://e.example/now".to_owned(),
        _ => "https://e.example/".to_owned(),
    };
    let date = ["".to_owned(), "2026-11-24T00:00:00Z".to_owned(), format!("2026-11-24T1{number}:15:00Z")];
    item(&guid, &link, TITLES[number], &date[dates])
}

proptest! {
    /// Promises P1 and P2: while items come to a feed and leave it, each is new once and never taken for another.
    #[test]
    fn each_item_of_a_rolling_feed_is_new_once(
        feed in 0..FEEDS.len(),
        dates in 0..3_usize,
        steps in proptest::collection::vec((0..3_usize, 0..3_usize), 1..10),
    ) {
        let mut kind = FEEDS[feed];
        // Without guids the time of day tells what follows at one address.
        kind.2 |= kind.0.is_empty() && dates == 2;
        let (mut start, mut end) = (0, 0);
        let mut known: Vec<(KnownArticle, String)> = Vec::new();
        for (poll, (come, leave)) in steps.into_iter().enumerate() {
            let before = end;
            end = (end + come).min(8);
            start = (start + leave).min(end);
            if !kind.2 && before > 0 && end > before && end - start < 2 {
                start = end - 2;
            }
            let document = (start..end).rev().map(|number| rolling_item(number, poll, kind, dates)).collect();
            let stored: Vec<_> = known.iter().map(|(known, _)| known.clone()).collect();
            let alike: Vec<_> = known.iter().map(|(known, title)| Lookalike {
                id: known.id,
                text_hash: known.text_hash,
                canonical_url: known.canonical_url.clone(),
                title: title.clone(),
                published: known.published,
            }).collect();
            let recognised = by_key(&stored, articles(document)).by_second_key(&alike);
            for change in recognised.changes {
                match change {
                    Change::New(Article { key, text_hash, canonical_url, item }) => {
                        let is_new = known.iter().all(|(_, title)| *title != item.title);
                        prop_assert!(is_new, "{kind:?}: {} came twice", item.title);
                        let id = ArticleId::from_row(i64::try_from(known.len()).unwrap());
                        let known_as = KnownArticle { id, key, text_hash, canonical_url, published: item.published };
                        known.push((known_as, item.title));
                    }
                    Change::Amended { id, article } => {
                        let (known, title) = &mut known[usize::try_from(id.row()).unwrap()];
                        prop_assert_eq!(&*title, &article.item.title);
                        known.key = article.key;
                    }
                    Change::Edited { article, .. } => prop_assert!(false, "{kind:?}: {article:?} was not edited"),
                }
            }
            let came = |number| known.iter().any(|(_, title)| *title == rolling_item(number, poll, kind, dates).title);
            prop_assert!((start..end).all(came), "{kind:?}: one is missing");
        }
    }
}
