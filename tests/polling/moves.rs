//! FEEDS A13: feeds that move.

use super::*;

/// Polls once a day for so many days.
fn daily(bench: &Bench, days: std::ops::Range<i64>) {
    for day in days {
        bench.poll(start() + hours(24 * day));
    }
}

#[test]
fn a13_a_feed_that_moved_for_good_is_polled_at_its_new_url_and_stays_the_same_feed() {
    let feeds = "[[feed]]\nurl = 'SERVER/feed'\nname = 'The Wire'\n";
    let bench = Bench::new(&format!("[polling]\nbackfill = '36500d'\n{feeds}"));
    bench.put(Page::redirect(301, "/hop"));
    bench.server.put("/hop", Page::redirect(308, "/new"));
    bench.server.put("/new", Page::feed(FEED).with_etag("\"1\""));
    let id = bench.stored(0).id;
    daily(&bench, 0..9);
    assert_eq!(bench.stored(0).state.relocation.moved, None);
    let moved = bench.poll(start() + hours(24 * 9));
    assert_eq!(moved.newly_moved, Some(bench.server.url("/new")));
    assert_eq!((bench.asked().len(), bench.server.asked("/hop").len()), (10, 10), "followed each time");
    let hits = bench.hits().len();
    assert_eq!(hits, 2);

    bench.poll(start() + hours(24 * 10));
    assert_eq!((bench.asked().len(), bench.server.asked("/new").len()), (10, 11), "straight to the new URL");
    assert_eq!(bench.server.asked("/new")[10].status, 304, "with its validators");
    let page = bench.workspace.run(&["feeds", "the wire"]).ended_with(0);
    let advice = format!("feedwatch.toml:4 to {}", bench.server.url("/new"));
    assert!(page.contains("moved permanently: change the URL at") && page.contains(&advice), "{page}");

    let upkeep = || bench.runtime.block_on(upkeep::upkeep(&bench.resources, start() + hours(24 * 10))).unwrap();
    assert_eq!((upkeep().notices, upkeep().notices), (1, 0), "the administrator is told once");
    let mails = bench.runtime.block_on(bench.resources.store.call(store::outbox::waiting)).unwrap();
    assert_eq!(mails.len(), 1);

    // The person does what was said: it stays the same feed and nothing alerts again.
    let bench = bench.restart(
        "[polling]\nbackfill = '36500d'\n[[feed]]\nurl = 'SERVER/new'\nname = 'The Wire'\n",
        start() + hours(24 * 11),
    );
    assert_eq!(bench.stored(0).id, id);
    assert_eq!(bench.poll(start() + hours(24 * 11)).outcome, Polled::Unchanged);
    assert_eq!(bench.hits().len(), hits);
}

#[test]
fn a13_a_captive_portal_a_detour_and_a_loop_move_nothing() {
    let cases = [
        (Page::redirect(301, "/login"), "a portal, even one that says it is permanent"),
        (Page::redirect(302, "/new"), "302"),
        (Page::redirect(303, "/new"), "303"),
        (Page::redirect(307, "/new"), "307"),
        (Page::redirect(301, "/detour"), "not all of them permanent"),
        (Page::redirect(301, "/feed"), "a loop"),
    ];
    for (page, what) in cases {
        let bench = Bench::plain();
        bench.server.put("/login", Page::html("<!DOCTYPE html><html><body>Log in</body></html>"));
        bench.server.put("/detour", Page::redirect(302, "/new"));
        bench.server.put("/new", Page::feed(FEED));
        bench.put(page);
        daily(&bench, 0..20);
        assert_eq!(bench.stored(0).state.relocation.moved, None, "{what}");
        assert_eq!(bench.asked().len(), 20, "{what}: asked where it is configured each time");
    }
    let bench = Bench::plain();
    bench.put(Page::redirect(301, "/feed"));
    assert!(failed(&bench.poll(start())).1.contains("in a circle"));
    for hop in 0..9 {
        bench.server.put(&format!("/{hop}"), Page::redirect(301, &format!("/{}", hop + 1)));
    }
    bench.put(Page::redirect(301, "/0"));
    let (kind, message) = failed(&bench.poll(start()));
    assert!(kind == FailureKind::Refused && message.contains("more than 5 times"), "{message}");
}

#[test]
fn a13_a_new_url_that_fails_for_long_is_doubted() {
    let bench = Bench::plain();
    bench.put(Page::redirect(301, "/new"));
    bench.server.put("/new", Page::feed(FEED));
    daily(&bench, 0..10);
    assert!(bench.stored(0).state.relocation.moved.is_some());
    bench.server.put("/new", Page::error(404));
    bench.put(Page::feed(FEED));
    daily(&bench, 10..15);
    assert_eq!(bench.asked().len(), 10, "five failures are patience");
    daily(&bench, 15..16);
    assert_eq!(bench.asked().len(), 11, "then the configured URL is tried");
    let state = bench.stored(0).state;
    assert_eq!((state.failures, state.relocation.moved), (0, None));
}
