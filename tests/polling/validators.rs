//! FEEDS A5–A7: conditional requests, and bodies that did not change.

use super::*;

#[test]
fn a05_validators_go_back_byte_for_byte_to_one_url() {
    for (etag, date) in [
        ("W/\"a-gzip\"", "Tue, 24 November 2026 8:00"),
        ("unquoted", "0"),
        ("\"\"", "yesterday"),
        // No UTF-8, and UTF-8.
        ("\"caf\u{e9}\u{ff}\u{80}\"", "24 Febr. \u{fc}"),
        ("\"\u{c3}\u{a9}\"", "\u{a0}"),
    ] {
        let bench = Bench::plain();
        bench.put(Page::feed(FEED).with_etag(etag).with_last_modified(date));
        bench.poll(start());
        bench.poll(start());
        let asked = bench.asked();
        assert_eq!((&asked[0].if_none_match, &asked[0].if_modified_since), (&None, &None), "nothing is invented");
        let sent = (asked[1].if_none_match.as_deref(), asked[1].if_modified_since.as_deref());
        assert_eq!(sent, (Some(etag), Some(date)), "both of them");
        assert_eq!(asked[1].status, 304);
    }
    // An ETag alone brings no date.
    let bench = Bench::plain();
    bench.put(Page::feed(FEED).with_etag("\"1\""));
    bench.poll(start());
    bench.poll(start());
    assert_eq!(bench.last().if_modified_since, None);
    // Another URL never sees it.
    bench.server.put("/elsewhere", Page::feed(FEED));
    bench.put(Page::redirect(302, "/elsewhere"));
    bench.poll(start());
    assert_eq!(bench.last().if_none_match.as_deref(), Some("\"1\""));
    let elsewhere = bench.server.asked("/elsewhere");
    assert_eq!((elsewhere.len(), &elsewhere[0].if_none_match), (1, &None));
}

#[test]
fn a06_validators_are_kept_replaced_and_cleared() {
    let bench = Bench::plain();
    let etag = |bench: &Bench| bench.stored(0).state.validators.etag.map(|etag| etag.to_string());
    let steps = [
        (Page::feed(FEED).with_etag("\"1\""), Some("\"1\""), "the first 200"),
        (Page::feed(FEED).with_etag("\"2\""), Some("\"2\""), "a 200 with the same body"),
        (Page::not_modified().with_etag("\"3\""), Some("\"3\""), "a 304 that brings a new one"),
        (Page::not_modified(), Some("\"3\""), "a 304 without one"),
        (Page::feed("<rss><channel><item>").with_etag("\"bad\""), Some("\"3\""), "a body that lost its end"),
        (Page::feed("no feed").with_etag("\"bad\""), Some("\"3\""), "a body that cannot be read"),
        (Page::error(500).with_etag("\"bad\""), Some("\"3\""), "an error"),
        (Page::feed(feed_with("News")), None, "a 200 without one"),
    ];
    for (page, expected, what) in steps {
        bench.put(page);
        bench.poll(start());
        assert_eq!(etag(&bench).as_deref(), expected, "{what}");
    }
}

#[test]
fn a07_the_same_body_again_is_unchanged_and_not_parsed() {
    let bench = Bench::plain();
    bench.put(Page::feed(FEED));
    assert!(matches!(bench.poll(start()).outcome, Polled::Read(counts) if counts.items == 3));
    let again = bench.poll(start() + hours(1));
    assert_eq!((bench.last().status, &again.outcome), (200, &Polled::Unchanged));
    let state = bench.stored(0).state;
    assert_eq!((state.tally.answers, state.tally.not_modified), (2, 0), "unchanged, and no 304");
}
