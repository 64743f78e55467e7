//! FEEDS C13: what alerts when a feed is read for the first time, again after a long absence, and after long failures.

use super::*;

const BOTH: &str = "[[feed]]\nurl = 'SERVER/feed'\n[[feed]]\nurl = 'SERVER/other'\n";
const WITHOUT: &str = "[[feed]]\nurl = 'SERVER/other'\n";

/// A feed whose items, apart from the guids, are hits; each with its date, if it has one.
fn hits_of(items: &[(&str, Option<Timestamp>)]) -> Page {
    Page::feed(document(items))
}

fn document(items: &[(&str, Option<Timestamp>)]) -> String {
    let items = items.iter().fold(String::new(), |mut text, (guid, date)| {
        let date = date.map(|date| date.strftime("<pubDate>%a, %d %b %Y %H:%M:%S GMT</pubDate>").to_string());
        let date = date.unwrap_or_default();
        let _ = write!(text, "<item><guid>{guid}</guid><title>DPRK shows an ICBM, {guid}</title>{date}</item>");
        text
    });
    format!("<rss version='2.0'><channel><title>Wire</title>{items}</channel></rss>")
}

fn titles(bench: &Bench) -> Vec<String> {
    let mut titles: Vec<_> =
        bench.hits().into_iter().map(|hit| hit.article.title.replace("DPRK shows an ICBM, ", "")).collect();
    titles.sort();
    titles
}

/// What a feed has when it is back at `now`, and was read 30 days before.
fn grown(now: Timestamp) -> Page {
    hits_of(&[
        ("fresh", Some(now - hours(1))),
        ("meanwhile", Some(now - hours(24 * 20))),
        ("undated", None),
        ("known", Some(now - hours(24 * 40))),
    ])
}

/// A feed that was read, and has an item that was too old to alert.
fn read_once() -> Bench {
    let bench = Bench::new(BOTH);
    bench.put(hits_of(&[("known", Some(start() - hours(24 * 10)))]).with_etag("\"1\""));
    bench.poll(start());
    assert_eq!(titles(&bench), Vec::<String>::new());
    bench
}

#[test]
fn c13_a_feed_that_was_out_of_the_configuration_for_long_has_a_new_baseline() {
    let bench = read_once().restart(WITHOUT, start() + hours(1));
    let back = start() + hours(24 * 30);
    let bench = bench.restart(BOTH, back);
    bench.put(grown(back));
    bench.poll(back);
    assert_eq!(titles(&bench), ["fresh"]);
    // It has its baseline again: what comes now is news, whatever its date.
    bench.put(hits_of(&[("late", Some(back - hours(24 * 3))), ("undated-2", None)]));
    bench.poll(back + hours(1));
    assert_eq!(titles(&bench), ["fresh", "late", "undated-2"]);
}

#[test]
fn c13_a_feed_that_was_out_of_the_configuration_for_short_keeps_its_baseline() {
    let bench = read_once().restart(WITHOUT, start() + hours(1)).restart(BOTH, start() + hours(20));
    let back = start() + hours(20);
    bench.put(grown(back));
    bench.poll(back);
    assert_eq!(titles(&bench), ["fresh", "meanwhile", "undated"]);
}

#[test]
fn c13_a_feed_that_failed_for_long_alerts_on_all_that_it_brings() {
    let bench = read_once();
    bench.put(Page::error(500));
    for day in 1..30 {
        bench.poll(start() + hours(24 * day));
    }
    let back = start() + hours(24 * 30);
    let bench = bench.restart(BOTH, back);
    bench.put(grown(back));
    bench.poll(back);
    assert_eq!(titles(&bench), ["fresh", "meanwhile", "undated"]);
}

#[test]
fn c13_a_feed_that_failed_from_the_first_alerts_on_all_since_it_was_configured() {
    let bench = Bench::new(BOTH);
    bench.put(Page::error(500));
    bench.poll(start());
    let back = start() + hours(24 * 30);
    bench.put(grown(back));
    bench.poll(back);
    assert_eq!(titles(&bench), ["fresh", "meanwhile"], "not what cannot be shown to be new");
}

#[test]
fn c13_a_feed_that_returns_unchanged_has_a_baseline() {
    let bench = read_once().restart(WITHOUT, start() + hours(1));
    let back = start() + hours(24 * 30);
    let bench = bench.restart(BOTH, back);
    bench.poll(back);
    assert_eq!(bench.last().status, 304);
    bench.put(hits_of(&[("known", Some(start() - hours(24 * 10))), ("undated", None)]));
    bench.poll(back + hours(1));
    assert_eq!(titles(&bench), ["undated"], "what came after its return is news");
}

/// What a feed has from the first, and the same cut off after its first item.
fn whole_and_cut(first: &str) -> (String, String) {
    let old = start() - hours(24 * 40);
    let whole = document(&[(first, None), ("fresh", Some(start() - hours(1))), ("old", Some(old)), ("undated", None)]);
    let cut = whole[..whole.find("fresh").unwrap()].to_owned();
    (whole, cut)
}

/// Once the items that a first document had lost alerted as new when they came.
#[test]
fn c13_what_was_cut_off_a_first_document_belongs_to_the_baseline() {
    let bench = Bench::new(BOTH);
    let (whole, cut) = whole_and_cut("first");
    bench.put(Page::feed(cut));
    bench.poll(start());
    assert_eq!(titles(&bench), Vec::<String>::new());
    let bench = bench.restart(BOTH, start() + minutes(30));
    bench.put(Page::feed(whole.clone()));
    bench.poll(start() + hours(1));
    assert_eq!(titles(&bench), ["fresh"]);
    // A later document that is cut is no first one.
    bench.put(Page::feed(whole_and_cut("news").1));
    bench.poll(start() + hours(2));
    assert_eq!(titles(&bench), ["fresh", "news"]);
}

#[test]
fn c13_a_feed_that_returns_cut_has_all_of_its_time_for_a_whole_document() {
    let bench = Bench::new(BOTH);
    let (whole, cut) = whole_and_cut("first");
    bench.put(Page::feed(cut.clone()));
    bench.poll(start());
    let back = start() + hours(24 * 30);
    let bench = bench.restart(WITHOUT, start() + hours(1)).restart(BOTH, back);
    bench.put(Page::feed(cut));
    bench.poll(back);
    bench.put(Page::feed(whole));
    bench.poll(back + hours(1));
    assert_eq!(titles(&bench), Vec::<String>::new());
}

/// Promise P1: a feed whose documents never have an end has a baseline all the same.
#[test]
fn c13_a_feed_that_is_always_cut_alerts_after_a_day() {
    let bench = Bench::new(BOTH);
    for (first, after) in [("a", 0), ("b", 23)] {
        bench.put(Page::feed(whole_and_cut(first).1));
        bench.poll(start() + hours(after));
    }
    assert_eq!(titles(&bench), Vec::<String>::new(), "nothing in them was known, and they may be what was lost");
    for (first, after) in [("c", 24), ("d", 25)] {
        bench.put(Page::feed(whole_and_cut(first).1));
        bench.poll(start() + hours(after));
    }
    assert_eq!(titles(&bench), ["c", "d"]);
}

/// Promise P1. Once a feed without an end in any document alerted on nothing for its first day.
#[test]
fn c13_what_stands_before_known_items_alerts_while_the_baseline_is_open() {
    let bench = Bench::new(BOTH);
    let cut = |items: &[&str]| {
        let items: Vec<_> = items.iter().map(|guid| (*guid, None)).chain([("cut", None)]).collect();
        let whole = document(&items);
        Page::feed(&whole[..whole.find("cut").unwrap()])
    };
    bench.put(cut(&["a", "b"]));
    bench.poll(start());
    bench.put(cut(&["news", "a", "between", "b"]));
    bench.poll(start() + hours(1));
    assert_eq!(titles(&bench), ["between", "news"]);
    bench.put(cut(&["more news", "news", "a", "between", "b", "lost"]));
    bench.poll(start() + hours(2));
    assert_eq!(titles(&bench), ["between", "more news", "news"]);
}

/// Promise P1. Once all that a feed brought after weeks of failures was taken for the end that its first document had lost.
#[test]
fn c13_a_feed_that_failed_after_a_first_document_that_was_cut_alerts_on_all_that_it_brings() {
    let bench = Bench::new(BOTH);
    bench.put(Page::feed(whole_and_cut("first").1));
    bench.poll(start());
    bench.put(Page::error(500));
    for day in 1..21 {
        bench.poll(start() + hours(24 * day));
    }
    let back = start() + hours(24 * 21);
    let dated = |days: i64| Some(back - hours(24 * days));
    bench.put(hits_of(&[("fresh", dated(1)), ("meanwhile", dated(14)), ("undated", None), ("first", None)]));
    bench.poll(back);
    assert_eq!(titles(&bench), ["fresh", "meanwhile", "undated"]);
}

/// FEEDS A14, C13: a body that broke off on the way is no first document.
#[test]
fn c13_a_body_that_broke_off_is_no_baseline() {
    let bench = Bench::new(BOTH);
    let (whole, _) = whole_and_cut("first");
    let short = Page::feed(&whole[..whole.len() - 20]).with_header("content-length", &whole.len().to_string());
    bench.put(short);
    assert!(matches!(bench.poll(start()).outcome, Polled::Failed(_)));
    bench.put(Page::feed(whole));
    bench.poll(start() + hours(1));
    assert_eq!(titles(&bench), ["fresh"]);
}
