//! Editions and their mails: once each, whatever happens.

use super::*;

/// A flood of hits is counted in full and listed up to the limit.
#[tokio::test]
async fn hits_over_the_limit_of_a_poll_are_counted_not_lost() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    let guids = ["a", "b", "c", "d", "e"];
    bench.publish(&guids.map(|guid| (guid, MISSILES, FRESH)));
    let counts = bench.poll("2026-11-24T06:00:00Z").await;
    assert_eq!((counts.hits, counts.suppressed), (5, 2));
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::Sent { hits: 5, mails: 2 });
    bench.deliver_all("2026-11-24T07:00:01Z").await;
    assert!(bench.mails().iter().all(|mail| mail.contains("2 more") || mail.contains("2 hits")), "{:?}", bench.mails());
}

/// Promises P2 and P3: an edition is composed once and each recipient's mail is delivered once.
#[tokio::test]
async fn an_edition_is_sent_once_to_each_recipient() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    assert_eq!(bench.compose("2026-11-24T06:59:59Z").await, Composed::NotDue(Some(at("2026-11-24T07:00:00Z"))));
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::Sent { hits: 1, mails: 2 });
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::NotDue(Some(at("2026-11-25T07:00:00Z"))));
    assert_eq!(bench.deliver_all("2026-11-24T07:00:01Z").await, 2);
    assert_eq!(bench.deliver_all("2026-11-24T07:00:02Z").await, 0);
    let mails = bench.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().all(|mail| mail.contains("Subject: [feedwatch] 1 hit: DPRK missiles")), "{mails:?}");
}

/// Promise P5: editions that were due while nobody looked are made up by one, which says so; silence sends nothing.
#[tokio::test]
async fn a_missed_schedule_is_made_up_once() {
    let bench = bench(at("2026-11-21T12:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T09:00:00Z").await;
    assert_eq!(bench.compose("2026-11-24T09:00:01Z").await, Composed::Sent { hits: 1, mails: 2 });
    assert_eq!(bench.compose("2026-11-24T09:00:02Z").await, Composed::NotDue(Some(at("2026-11-25T07:00:00Z"))));
    assert_eq!(bench.compose("2026-11-25T07:00:00Z").await, Composed::Silent);
}

/// Promises P1 and P4: hits that wait for a digest which is renamed go where their rule's hits go now.
#[tokio::test]
async fn a_renamed_digest_takes_the_hits_that_waited() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    let renamed = load(bench.directory.path(), &CONFIGURATION.replace("\"morning\"", "\"desk\""));
    let now = at("2026-11-24T06:30:00Z");
    let name = renamed.digests[0].name.clone();
    let adopt = move |connection: &_| {
        feedwatch::jobs::adopt::adopt(connection, &renamed, now, |_| now)?;
        store::hit::count_pending(connection, &name)
    };
    assert_eq!(bench.resources.store.call(adopt).await.unwrap(), 1);
}

/// Promise P3: a mail that a person gave up during an attempt stays given up; one to be retried stays due.
#[tokio::test]
async fn an_attempt_that_fails_undoes_nothing_that_a_person_did_meanwhile() {
    let bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", MISSILES, FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    bench.compose("2026-11-24T07:00:00Z").await;
    let now = at("2026-11-24T07:00:01Z");
    let meanwhile = move |connection: &_| {
        let waiting = store::outbox::waiting(connection)?;
        let (discarded, retried) = (waiting[0].0, waiting[1].0);
        for mail in [discarded, retried] {
            store::outbox::begin_attempt(connection, mail, now)?;
        }
        store::outbox::discard(connection, discarded, now)?;
        store::outbox::retry(connection, retried, now)?;
        for mail in [discarded, retried] {
            store::outbox::record_refused(
                connection,
                mail,
                "451 later",
                Some(now + SignedDuration::from_mins(5)),
                false,
            )?;
        }
        Ok((store::outbox::waiting(connection)?, retried))
    };
    let (waiting, retried) = bench.resources.store.call(meanwhile).await.unwrap();
    assert_eq!(waiting, [(retried, now)]);
}
