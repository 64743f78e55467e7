//! What taking documents into the store costs; run by hand, with figures in the commits that change it.

use super::*;
use crate::{config, core::article::Item};
use std::fs;

const FEEDS: usize = 2000;
const ITEMS: usize = 20;

/// Items of one document: guid and link, a headline, two sentences.
fn items(feed: usize, from: usize, now: Timestamp) -> Vec<Item> {
    let item = |number: usize| Item {
        guid: Some(format!("https://outlet-{feed}.example/news/2026/11/article-{number}")),
        link: Some(format!("https://outlet-{feed}.example/news/2026/11/article-{number}?utm_source=rss")),
        title: format!("Headline number {number} of outlet {feed} about the harbour"),
        summary: format!("The council of town {number} said on Tuesday that the harbour stays open. ").repeat(4),
        published: Some(now),
        ..Item::default()
    };
    (from..from + ITEMS).map(item).collect()
}

/// Prints the time for each feed of 20 items: a first round, one with two new items, one without.
#[test]
#[ignore = "a measurement, not a check"]
fn cost_of_taking_a_document() {
    let directory = tempfile::tempdir().unwrap();
    let feeds: String =
        (0..FEEDS).map(|feed| format!("[[feed]]\nurl = \"https://outlet-{feed}.example/rss\"\n")).collect();
    let file = directory.path().join("feedwatch.toml");
    fs::write(&file, format!("[mail]\nfrom = \"a@example.org\"\nserver = \"file:./mail\"\n{feeds}")).unwrap();
    let config = config::load(&file).unwrap();
    let store = store::Store::open(&directory.path().join("feedwatch.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(store.call(move |connection| {
            let now: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
            let stored = store::feed::configure(connection, &config.feeds, now, |_| false, |_| now)?;
            let later = Scope::Nothing;
            for (round, baseline, from) in
                [("first", Scope::Document, 0), ("two new", later, 2), ("none new", later, 2)]
            {
                let documents: Vec<_> = (0..FEEDS).map(|feed| items(feed, from, now)).collect();
                let began = Instant::now();
                for (index, items) in documents.into_iter().enumerate() {
                    let mut intake = Intake {
                        connection,
                        config: &config,
                        feed: &config.feeds[index],
                        id: stored[index].id,
                        baseline,
                        watched_since: None,
                        now,
                        hits: Hits::default(),
                        pages: PageBudget::default(),
                    };
                    intake.take(ParsedFeed { items, ..ParsedFeed::default() })?;
                }
                let each = began.elapsed() / u32::try_from(FEEDS).unwrap();
                eprintln!("{round}: {each:?} for each feed of {ITEMS} items");
            }
            Ok(())
        }))
        .unwrap();
}
