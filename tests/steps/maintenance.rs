//! Upkeep: what the administrator is told, what retention takes, and a damaged store.

use super::*;
use feedwatch::store::check::StoreCheck;
use std::os::unix::fs::FileExt as _;

/// Promise P4: a feed that stays broken is reported to the administrator once, and once when it works again.
#[tokio::test]
async fn the_administrator_hears_of_a_broken_feed_once() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    fs::remove_file(bench.directory.path().join("feed.xml")).unwrap();
    for now in ["2026-11-24T06:00:00Z", "2026-11-25T06:00:00Z", "2026-11-26T06:00:00Z"] {
        let report = poll::poll(&bench.resources, 0, bench.feed, at(now)).await.unwrap();
        assert!(matches!(report.outcome, Polled::Failed(_)));
    }
    let round = |now: &'static str| upkeep::upkeep(&bench.resources, at(now));
    assert_eq!(round("2026-11-24T07:00:00Z").await.unwrap().notices, 0);
    assert_eq!(round("2026-11-26T07:00:00Z").await.unwrap().notices, 1);
    assert_eq!(round("2026-11-26T08:00:00Z").await.unwrap().notices, 0);
    bench.publish(&[]);
    bench.poll("2026-11-26T09:00:00Z").await;
    assert_eq!(round("2026-11-26T10:00:00Z").await.unwrap().notices, 1);
    assert_eq!(bench.deliver_all("2026-11-26T10:00:01Z").await, 2);
}

/// FEEDS C12: an article that returns after its text was cleared is known and alerts nobody.
#[tokio::test]
async fn what_retention_cleared_does_not_come_back_as_new() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    bench.compose("2026-11-24T07:00:00Z").await;
    let later = at("2026-11-24T07:00:00Z") + SignedDuration::from_hours(24 * 40);
    assert_eq!(upkeep::upkeep(&bench.resources, later).await.unwrap().cleared.articles, 1);
    bench.publish(&[("a", MISSILES, FRESH), ("z", "Something else", FRESH)]);
    let report = poll::poll(&bench.resources, 0, bench.feed, later).await.unwrap();
    assert!(matches!(report.outcome, Polled::Read(Counts { new: 1, hits: 0, .. })), "{report:?}");
}

/// Promise P4: the store is looked over once a day; damage is told once, by mail and to whoever asks, and so is its end.
#[tokio::test]
async fn a_damaged_store_is_told_of_once() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    let path = bench.resources.config.store.path.clone();
    let last = |bench: &Bench| {
        let store = bench.resources.store.clone();
        async move { store.call(store::check::last).await.unwrap() }
    };
    assert_eq!(upkeep::upkeep(&bench.resources, at("2026-11-24T07:00:00Z")).await.unwrap().notices, 0);
    let sound = |now: &str| Some(StoreCheck { checked_at: at(now), damage: None });
    assert_eq!(last(&bench).await, sound("2026-11-24T07:00:00Z"));
    // An index that nothing here uses loses its first page.
    let root = |connection: &rusqlite::Connection| {
        let sql = "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'hit_found'";
        Ok(connection.query_row(sql, [], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)))?)
    };
    let (page, size) = bench.resources.store.call(root).await.unwrap();
    let bench = bench.reopened(|| {
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let before = &mut [0; 64];
        file.read_exact_at(before, (page - 1) * size).unwrap();
        file.write_all_at(&[0xEE; 64], (page - 1) * size).unwrap();
        *before
    });
    let (bench, before) = bench;
    // Not again within a day.
    assert_eq!(upkeep::upkeep(&bench.resources, at("2026-11-25T06:59:59Z")).await.unwrap().notices, 0);
    assert_eq!(last(&bench).await, sound("2026-11-24T07:00:00Z"));
    assert_eq!(upkeep::upkeep(&bench.resources, at("2026-11-25T07:00:00Z")).await.unwrap().notices, 1);
    assert_eq!(upkeep::upkeep(&bench.resources, at("2026-11-26T07:00:00Z")).await.unwrap().notices, 0);
    let found = last(&bench).await.unwrap();
    assert_eq!(found.checked_at, at("2026-11-26T07:00:00Z"));
    assert!(found.damage.is_some(), "{found:?}");
    assert_eq!(bench.deliver_all("2026-11-26T07:00:01Z").await, 1);
    let mail = bench.mails().remove(0);
    assert!(mail.contains("The store was found damaged at") && mail.contains("restore a backup"), "{mail}");
    let (bench, ()) = bench.reopened(|| {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&before, (page - 1) * size).unwrap();
    });
    assert_eq!(upkeep::upkeep(&bench.resources, at("2026-11-27T07:00:00Z")).await.unwrap().notices, 1);
    assert_eq!(last(&bench).await, sound("2026-11-27T07:00:00Z"));
    assert_eq!(bench.hits().await, 1);
}

impl Bench {
    /// Closes the store, does something to its file, and opens it again.
    fn reopened<T>(self, meanwhile: impl FnOnce() -> T) -> (Self, T) {
        let Self { directory, resources, feed } = self;
        let config = resources.config.clone();
        drop(resources);
        let done = meanwhile();
        let store = Store::open(&config.store.path).unwrap();
        (Self { directory, resources: super::resources(store, config), feed }, done)
    }
}
