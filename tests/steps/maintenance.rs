//! Upkeep: what the administrator is told, what retention takes.

use super::*;

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
