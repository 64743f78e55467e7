//! Articles that are known again, and stories that are shown once, through polls of real files (FEEDS C).

use super::*;

const LINK: &str = "https://wire.example/launch";

/// An item: (guid, link, title, description).
type Item<'a> = (&'a str, &'a str, &'a str, &'a str);

fn document(items: &[Item<'_>]) -> String {
    document_of(items, FRESH)
}

/// A document whose items have this date; "" is none.
fn document_of(items: &[Item<'_>], date: &str) -> String {
    let date = if date.is_empty() { String::new() } else { format!("<pubDate>{date}</pubDate>") };
    let item = |(guid, link, title, description): &Item<'_>| {
        let guid = if guid.is_empty() { String::new() } else { format!("<guid isPermaLink=\"false\">{guid}</guid>") };
        let link = if link.is_empty() { String::new() } else { format!("<link>{link}</link>") };
        format!("<item>{guid}{link}<title>{title}</title><description>{description}</description>{date}</item>")
    };
    let items: String = items.iter().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>Wire</title>{items}</channel></rss>")
}

impl Bench {
    async fn poll_items(&self, items: &[Item<'_>], now: &str) -> poll::PollReport {
        self.poll_file("feed.xml", 0, items, now).await
    }

    /// Polls the feed at `index` of the configuration after its file was written; feeds have their rows in order.
    async fn poll_file(&self, file: &str, index: usize, items: &[Item<'_>], now: &str) -> poll::PollReport {
        fs::write(self.directory.path().join(file), document(items)).unwrap();
        let feeds = self.resources.store.call(store::feed::configured).await.unwrap();
        poll::poll(&self.resources, index, feeds[index].id, at(now)).await.unwrap()
    }

    /// Polls the feed, of which all items have this date, some minutes after 26 November 2026, 16:00.
    async fn poll_dated(&self, items: &[Item<'_>], date: &str, minute: usize) -> (usize, usize, usize) {
        fs::write(self.directory.path().join("feed.xml"), document_of(items, date)).unwrap();
        let now = at(&format!("2026-11-26T16:{minute:02}:00Z"));
        let report = poll::poll(&self.resources, 0, self.feed, now).await.unwrap();
        if report.outcome == Polled::Unchanged { (0, 0, 0) } else { counts(&report) }
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let count = move |connection: &rusqlite::Connection| Ok(connection.query_row(sql, [], |row| row.get(0))?);
        self.resources.store.call(count).await.unwrap()
    }
}

#[track_caller]
fn counts(report: &poll::PollReport) -> (usize, usize, usize) {
    match &report.outcome {
        Polled::Read(counts) => (counts.new, counts.edited, counts.hits),
        other => panic!("{other:?}"),
    }
}

/// FEEDS C5: guids that change at every fetch make no new article and no second alert.
#[tokio::test]
async fn c5_guids_that_change_at_every_fetch_alert_once() {
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    let mut found = Vec::new();
    for (minute, guid) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let report = bench.poll_items(&[(guid, LINK, MISSILES, "")], &format!("2026-11-24T08:1{minute}:00Z")).await;
        found.push(counts(&report));
    }
    assert_eq!(found, [(1, 0, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0)]);
    // An edit under yet another guid is an edit: the text before is kept, the rule that hit does not hit again.
    let edited = [("e", LINK, "UPDATE: DPRK fires two ballistic missiles", "")];
    assert_eq!(counts(&bench.poll_items(&edited, "2026-11-24T08:20:00Z").await), (0, 1, 0));
    assert_eq!(bench.count("SELECT count(*) FROM article").await, 1);
    assert_eq!(bench.count("SELECT count(*) FROM revision WHERE title LIKE 'DPRK fires ballistic%'").await, 1);
    // The newest guid is the one that is known, also where the link changes later.
    let moved = [("e", "https://wire.example/elsewhere", "UPDATE: DPRK fires two ballistic missiles", "")];
    assert_eq!(counts(&bench.poll_items(&moved, "2026-11-24T08:30:00Z").await), (0, 0, 0));
}

/// FEEDS C5: two items with one link and two guids are two articles, and a thing that replaces another is new.
#[tokio::test]
async fn c5_items_that_share_a_link_are_two_articles() {
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    let items = [("a", LINK, MISSILES, "One."), ("b", LINK, "DPRK fires more ballistic missiles", "Two.")];
    assert_eq!(counts(&bench.poll_items(&items, "2026-11-24T08:10:00Z").await), (2, 0, 2));
    let third = [("c", LINK, "Again DPRK fires ballistic missiles", "Three.")];
    assert_eq!(counts(&bench.poll_items(&third, "2026-11-24T08:20:00Z").await), (1, 0, 1));
}

/// FEEDS C2, C4, promises P1 and P2: an article that once shared its link or guid and is alone in a later document is
/// itself, and not the one that had the link or guid to itself before.
#[tokio::test]
async fn c4_what_is_left_alone_with_a_shared_link_or_guid_does_not_alert_again() {
    for (guid, other_link) in [("", LINK), ("same", "https://wire.example/other")] {
        let bench = bench(at("2026-11-24T08:00:00Z")).await;
        let (first, second) = ((guid, LINK, "Harbour reopens", "One."), (guid, other_link, MISSILES, "Two."));
        assert_eq!(counts(&bench.poll_items(&[first], "2026-11-24T08:10:00Z").await), (1, 0, 0));
        assert_eq!(counts(&bench.poll_items(&[second, first], "2026-11-24T08:20:00Z").await), (1, 0, 1));
        assert_eq!(counts(&bench.poll_items(&[second], "2026-11-24T08:30:00Z").await), (0, 0, 0));
        assert_eq!(bench.count("SELECT count(*) FROM article WHERE title = 'Harbour reopens'").await, 1);
    }
}

/// FEEDS C5: a feed that gives all its articles new guids is said once and alerts nobody.
#[tokio::test]
async fn c5_a_re_identification_is_said_once_and_remembered() {
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    let links: Vec<_> = (0..6).map(|number| format!("https://wire.example/{number}")).collect();
    let titles: Vec<_> = (0..6).map(|number| format!("{MISSILES}, part {number}")).collect();
    let mut said = Vec::new();
    for (minute, prefix) in ["old", "new", "newer"].into_iter().enumerate() {
        let guids: Vec<_> = (0..6).map(|number| format!("{prefix}-{number}")).collect();
        let items: Vec<Item<'_>> =
            (0..6).map(|n| (guids[n].as_str(), links[n].as_str(), titles[n].as_str(), "")).collect();
        let report = bench.poll_items(&items, &format!("2026-11-24T08:1{minute}:00Z")).await;
        said.push((counts(&report), report.newly_reidentified));
    }
    assert_eq!(said, [((6, 0, 6), None), ((0, 0, 0), Some(6)), ((0, 0, 0), None)]);
    let feed = bench.feed;
    let state =
        bench.resources.store.call(move |connection| Ok(store::feed::one(connection, feed)?.state)).await.unwrap();
    assert_eq!(state.reidentified_at, Some(at("2026-11-24T08:12:00Z")));
}

/// FEEDS C2, C10, promise P1: a page that a feed without guids fills with one thing after the other: what is dated is an
/// article of its own and alerts again, what is not is an edit, on which every rule is asked again.
#[tokio::test]
async fn c2_what_replaces_an_article_at_its_address_is_met_by_the_rules() {
    let steps = [
        ("Seoul says that the DPRK has fired ballistic missiles eastward", FRESH, (1, 0, 1)),
        ("Parade: Kim shows guests from abroad DPRK ballistic missiles", "Wed, 25 Nov 2026 09:00:00 GMT", (1, 0, 1)),
        ("Parade: Kim shows guests from abroad DPRK ballistic missiles", "Wed, 25 Nov 2026 09:00:00 GMT", (0, 0, 0)),
        // An edit of the second, and of that again.
        (
            "Parade: Kim shows many guests from abroad DPRK ballistic missiles",
            "Wed, 25 Nov 2026 11:00:00 GMT",
            (0, 1, 0),
        ),
        (
            "Parade: Kim shows some guests from abroad DPRK ballistic missiles",
            "Wed, 25 Nov 2026 12:00:00 GMT",
            (0, 1, 0),
        ),
        ("Harbour reopens", "Thu, 26 Nov 2026 09:00:00 GMT", (1, 0, 0)),
        ("Tests of ballistic missiles go on, DPRK engineers report", "Thu, 26 Nov 2026 15:00:00 GMT", (1, 0, 1)),
    ];
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    for (minute, (title, date, expected)) in steps.into_iter().enumerate() {
        let items = [("", LINK, title, date)];
        assert_eq!(bench.poll_dated(&items, date, minute).await, expected, "{title} {date}");
    }
    assert_eq!(bench.count("SELECT count(*) FROM article").await, 4);
    let steps = [("Harbour reopens", (1, 0, 0)), (MISSILES, (0, 1, 1)), ("Bridge closes", (0, 1, 0))];
    let bench = self::bench(at("2026-11-24T08:00:00Z")).await;
    bench.poll_dated(&[], "", 0).await;
    for (minute, (title, expected)) in (1..).zip(steps) {
        assert_eq!(bench.poll_dated(&[("", LINK, title, title)], "", minute).await, expected, "{title}");
    }
}

/// FEEDS C10, C13, promise P1: an article of the baseline that was edited stays in it, what took its place does not.
#[tokio::test]
async fn c13_what_replaces_an_article_of_the_baseline_is_met_by_the_rules() {
    for guid in ["", "current"] {
        let bench = bench(at("2026-11-24T08:00:00Z")).await;
        let steps = [
            ("Last year in review: DPRK fires ballistic missiles again", (1, 0, 0)),
            ("Last year in review: DPRK fires two ballistic missiles", (0, 1, 0)),
            ("Parade of ballistic missiles held in DPRK capital, says visitor", (0, 1, 1)),
            ("Parade of ballistic missiles held in DPRK capital", (0, 1, 0)),
        ];
        for (minute, (title, expected)) in steps.into_iter().enumerate() {
            assert_eq!(bench.poll_dated(&[(guid, LINK, title, "")], "", minute).await, expected, "{title}");
        }
    }
}

/// FEEDS C6: a suffix of the guid that counts up.
#[tokio::test]
async fn c6_a_guid_suffix_that_counts_up_alerts_once() {
    let bench = bench(at("2026-11-24T08:00:00Z")).await;
    for (minute, suffix) in ["#0", "#1", "#5"].into_iter().enumerate() {
        let guids = [format!("{LINK}{suffix}"), format!("https://wire.example/bare{suffix}")];
        let items =
            [(guids[0].as_str(), LINK, MISSILES, ""), (guids[1].as_str(), "", "DPRK has ballistic missiles", "")];
        let report = bench.poll_items(&items, &format!("2026-11-24T08:1{minute}:00Z")).await;
        assert_eq!(counts(&report), if minute == 0 { (2, 0, 2) } else { (0, 0, 0) }, "{suffix}");
    }
}

/// FEEDS C7, C12: another scheme, then another host; also after the text was cleared.
#[tokio::test]
async fn c7_a_site_that_moves_alerts_nobody_again() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    let item = |site: &str| [format!("{site}/2026/launch"), format!("{site}/2026/launch?utm_source=rss")];
    let first = item("http://wire.example");
    let items = [(first[0].as_str(), first[1].as_str(), MISSILES, "")];
    assert_eq!(counts(&bench.poll_items(&items, "2026-11-24T06:00:00Z").await), (1, 0, 1));
    bench.compose("2026-11-24T07:00:00Z").await;
    let later = at("2026-11-24T07:00:00Z") + SignedDuration::from_hours(24 * 40);
    assert_eq!(upkeep::upkeep(&bench.resources, later).await.unwrap().cleared.articles, 1);
    for (minute, site) in
        ["https://wire.example", "https://www.wire.example", "https://news.example"].into_iter().enumerate()
    {
        let moved = item(site);
        let items = [(moved[0].as_str(), moved[1].as_str(), MISSILES, "")];
        let report = bench.poll_items(&items, &format!("2027-01-04T08:1{minute}:00Z")).await;
        assert_eq!(counts(&report), (0, 0, 0), "{site}");
    }
    assert_eq!(bench.count("SELECT count(*) FROM article WHERE link LIKE 'https://news.example/%'").await, 1);
}

/// FEEDS C11: a rewritten headline with a new address is never dropped, and shown with the article before.
#[tokio::test]
async fn c11_a_rewritten_headline_is_one_story_and_both_are_kept() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    let text = "Seoul said on Tuesday that Pyongyang had fired at least two ballistic missiles from the Wonsan area.";
    let (old, new) = ("https://wire.example/dprk-fires", "https://wire.example/dprk-two-launches");
    bench.poll_items(&[(old, old, "DPRK fires missiles", text)], "2026-11-24T06:00:00Z").await;
    let items =
        [(new, new, "DPRK launches alarm Seoul", text), ("x", "https://wire.example/x", "Harvest", "Festival.")];
    assert_eq!(counts(&bench.poll_items(&items, "2026-11-24T06:30:00Z").await), (2, 0, 1));
    assert_eq!(bench.hits().await, 2);
    assert_eq!(bench.count("SELECT count(*) FROM story_member WHERE level = 'rewritten' AND evidence <> ''").await, 1);
    bench.compose("2026-11-24T07:00:00Z").await;
    bench.deliver_all("2026-11-24T07:00:01Z").await;
    for mail in bench.mails() {
        assert!(mail.contains("2 hits in 2 articles, 1 story."), "{mail}");
        assert!(mail.contains(old) && mail.contains(new), "{mail}");
    }
    // A third one, in the next edition: it goes, and says that the story was told.
    let third = "https://wire.example/two-missiles-alarm-seoul";
    bench.poll_items(&[(third, third, "DPRK missiles alarm Seoul", text)], "2026-11-24T08:30:00Z").await;
    assert_eq!(bench.compose("2026-11-25T07:00:00Z").await, Composed::Sent { hits: 1, mails: 2 });
    bench.deliver_all("2026-11-25T07:00:01Z").await;
    assert_eq!(bench.mails().iter().filter(|mail| mail.contains("reported before")).count(), 2);
}

/// Promise P8: what a mail had no room for was not told, and a later mail does not say that it was.
#[tokio::test]
async fn what_was_left_out_of_a_mail_was_not_reported_before() {
    let text = "Seoul said on Tuesday that Pyongyang had fired at least two ballistic missiles from the Wonsan area.";
    let links = ["https://wire.example/dprk-fires", "https://wire.example/two-missiles-alarm-seoul"];
    let configuration = CONFIGURATION.replace("max_hits_per_poll = 3", "max_hits_per_poll = 900");
    for (others, is_cut, told) in [(0, false, 2), (0, true, 0), (800, false, 0)] {
        let bench = bench_of(&configuration, at("2026-11-24T05:00:00Z")).await;
        let others: Vec<_> = (0..others)
            .map(|number| {
                (format!("https://wire.example/other-{number}"), format!("DPRK ballistic missiles, day {number}"))
            })
            .collect();
        let first = (links[0], links[0], "DPRK fires missiles", text);
        let others = others.iter().map(|(link, title)| (link.as_str(), link.as_str(), title.as_str(), ""));
        let items: Vec<_> = [first].into_iter().chain(others).collect();
        bench.poll_items(&items, "2026-11-24T06:00:00Z").await;
        bench.compose("2026-11-24T07:00:00Z").await;
        if is_cut {
            let cut = |connection: &_| {
                let mail = store::outbox::waiting(connection)?[0].0;
                store::outbox::shorten(connection, mail, b"A: b\r\n\r\ncut", true)
            };
            bench.resources.store.call(cut).await.unwrap();
        }
        bench.deliver_all("2026-11-24T07:00:01Z").await;
        bench.poll_items(&[(links[1], links[1], "DPRK missiles alarm Seoul", text)], "2026-11-24T08:30:00Z").await;
        assert_eq!(bench.compose("2026-11-25T07:00:00Z").await, Composed::Sent { hits: 1, mails: 2 });
        bench.deliver_all("2026-11-25T07:00:01Z").await;
        let said = bench.mails().iter().filter(|mail| mail.contains("reported before")).count();
        assert_eq!(said, told, "{} {is_cut}", items.len());
    }
}

/// FEEDS C1, C9, C14: one article in four feeds: each sighting and hit is kept, the digest shows one story.
#[tokio::test]
async fn c14_one_article_in_several_feeds_is_one_story() {
    let more = ["b", "c", "d"].map(|name| format!("[[feed]]\nurl = \"{name}.xml\"\nname = \"Outlet {name}\"\n\n"));
    let configuration = CONFIGURATION.replace("[[rule]]", &format!("{}[[rule]]", more.concat()));
    let configuration = configuration.replace("max_hits_per_poll = 3", "max_hits_per_poll = 9");
    let bench = bench_of(&configuration, at("2026-11-24T05:00:00Z")).await;
    let plain = ("x", "https://wire.example/x", "DPRK shows other ballistic missiles", "");
    let polls: [(&str, &[Item<'_>]); 4] = [
        ("feed.xml", &[("a", "https://wire.example/launch?utm_source=rss", MISSILES, "A text."), plain]),
        ("b.xml", &[("b", "http://www.wire.example/launch", "DPRK fires ballistic missiles, says Seoul", "")]),
        ("c.xml", &[("c", "https://m.wire.example/launch", "Two ballistic missiles of the DPRK", "")]),
        ("d.xml", &[("a", "https://read.example/r?id=77", MISSILES, "A text.")]),
    ];
    for (index, (file, items)) in polls.into_iter().enumerate() {
        let report = bench.poll_file(file, index, items, &format!("2026-11-24T06:0{index}:00Z")).await;
        assert_eq!(counts(&report), (items.len(), 0, items.len()), "{file}");
    }
    assert_eq!((bench.hits().await, bench.count("SELECT count(*) FROM article").await), (5, 5));
    assert_eq!(bench.count("SELECT count(*) FROM story_member").await, 4);
    assert_eq!(bench.count("SELECT count(DISTINCT level) FROM story_member").await, 4);
    assert_eq!(bench.count("SELECT count(DISTINCT story_id) FROM story_member").await, 1);
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::Sent { hits: 5, mails: 2 });
    bench.deliver_all("2026-11-24T07:00:01Z").await;
    for mail in bench.mails() {
        assert!(mail.contains("5 hits in 5 articles, 2 stories."), "{mail}");
        assert!(mail.contains("also in:") && mail.contains("Outlet b") && mail.contains("Outlet d"), "{mail}");
    }
}
