//! Tests of stories: which articles belong together, and which only look like it.

use super::*;
use crate::core::identity::articles;

const TEXT: &str =
    "Seoul said on Tuesday that Pyongyang had fired at least two missiles eastward from the Wonsan area.";

fn article(guid: &str, link: &str, title: &str, summary: &str) -> Article {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let item =
        Item { guid: some(guid), link: some(link), title: title.into(), summary: summary.into(), ..Item::default() };
    articles(vec![item]).remove(0)
}

fn sighting(row: i64, feed: i64, article: &Article) -> Sighting {
    Sighting {
        id: ArticleId::from_row(row),
        feed,
        story: StoryId::from_row(row),
        key: article.key.clone(),
        text_hash: article.text_hash,
        canonical_url: article.canonical_url.clone(),
        title: article.item.title.clone(),
        start: start(&article.item),
    }
}

fn level(joined: Option<Joined>) -> Option<(i64, Level)> {
    joined.map(|joined| (joined.to.row(), joined.level))
}

/// FEEDS C1, C9, C14: the same article in other feeds.
#[test]
fn c14_articles_of_other_feeds_join_by_guid_and_page() {
    let new = article("g", "https://www.e.example/a?utm_source=x", "Launch", TEXT);
    for (other, expected) in [
        (article("g", "https://l.example/r/1", "Launch", TEXT), Some(Level::Guid)),
        (article("h", "http://e.example/a", "Another headline", ""), Some(Level::Address)),
        (article("h", "https://m.e.example/a", "Launch", ""), Some(Level::MobileAddress)),
        (article("h", "https://e.example/a/amp", "Launch", ""), Some(Level::MobileAddress)),
        // One guid with two texts, one text with two guids, another page.
        (article("g", "https://l.example/r/1", "Harvest", TEXT), None),
        (article("h", "https://l.example/r/1", "Launch", TEXT), None),
        (article("h", "https://e.example/b", "Launch", ""), None),
    ] {
        assert_eq!(
            level(elsewhere(&new, &[sighting(7, 2, &other)], false)),
            expected.map(|level| (7, level)),
            "{other:?}"
        );
    }
    let front = article("g", "https://e.example/", "Launch", "");
    let other = article("h", "https://e.example/", "Launch", "");
    assert_eq!(elsewhere(&front, &[sighting(7, 2, &other)], false), None, "a front page is no page");
}

/// FEEDS C14: a page of several articles (a live blog) joins those of one headline only.
#[test]
fn c14_a_shared_page_joins_only_what_agrees() {
    let at = |guid: &str, title: &str| article(guid, "https://e.example/live", title, "");
    let others = [sighting(1, 2, &at("a", "One")), sighting(2, 2, &at("b", "Two")), sighting(3, 3, &at("c", "Three"))];
    let new = at("d", "Two");
    assert_eq!(level(elsewhere(&new, &others[..2], false)), Some((2, Level::Address)));
    assert_eq!(level(elsewhere(&at("d", "Four"), &others[..2], false)), None);
    assert_eq!(level(elsewhere(&new, &others[2..], true)), None);
    assert_eq!(level(elsewhere(&at("d", "Four"), &others, false)), Some((3, Level::Address)));
}

/// FEEDS C11: a slug that was rewritten with its headline.
#[test]
fn c11_a_rewritten_headline_continues_its_story() {
    let old = article("https://e.example/dprk-fires", "https://e.example/dprk-fires", "DPRK fires missiles", TEXT);
    let new_at = "https://e.example/north-korea-launches";
    let title = "North Korea launches weapons, Seoul says";
    let edited = TEXT.replace("at least ", "");
    for (new, expected) in [
        (article(new_at, new_at, title, TEXT), true),
        (article("", new_at, title, TEXT), true),
        (article(new_at, new_at, "Missiles: DPRK fires again", &edited), true),
        // Another outlet's host, a guid that says so, another number, another text.
        (article("", "https://f.example/x", title, TEXT), false),
        (article("id-2", new_at, title, TEXT), false),
        (article("", new_at, "DPRK fires 3 missiles", TEXT), false),
        (article("", new_at, title, "Seoul said on Tuesday that the harvest festival opens with a parade."), false),
        (article("", new_at, "DPRK fires missiles", "More"), false),
    ] {
        let joined = rewritten(&new, &Recent::of(vec![sighting(7, 1, &old)]));
        assert_eq!(level(joined), expected.then_some((7, Level::Rewritten)), "{new:?}");
    }
    // Feeds without texts: a headline that is nearly the same.
    let plain = |path: &str, title: &str| article("", &format!("https://e.example/{path}"), title, "");
    let old = plain("1", "Council of the harbour town says that the bridge stays closed");
    let one = plain("2", "Council of the harbour town says the bridge stays closed");
    assert_eq!(level(rewritten(&one, &Recent::of(vec![sighting(7, 1, &old)]))), Some((7, Level::Rewritten)));
    assert_eq!(
        rewritten(&plain("2", "Council says that the festival opens"), &Recent::of(vec![sighting(7, 1, &old)])),
        None
    );
}

/// FEEDS C11: the formula under every article of a feed joins nothing; the steps of one story do.
#[test]
fn c11_a_formula_is_no_text() {
    let formula = "Read the whole article on our site and subscribe to our daily letter for more.";
    let at = |path: &str, title: &str| article("", &format!("https://e.example/{path}"), title, formula);
    let (one, two) = (at("1", "Harvest opens"), at("2", "Bridge closes"));
    assert_eq!(rewritten(&two, &Recent::of(vec![sighting(1, 1, &one)])), None);
    let about = |path: &str, title: &str| article("", &format!("https://e.example/{path}"), title, TEXT);
    let (one, two) = (about("1", "Pyongyang fires"), about("2", "Seoul: fired"));
    let at = about;
    let mut recent = [sighting(1, 1, &one), sighting(2, 1, &two)];
    assert_eq!(rewritten(&at("3", "Missiles over Wonsan"), &Recent::of(recent.to_vec())), None);
    recent[1].story = StoryId::from_row(1);
    assert_eq!(
        level(rewritten(&at("3", "Missiles over Wonsan"), &Recent::of(recent.to_vec()))),
        Some((1, Level::Rewritten))
    );
}
