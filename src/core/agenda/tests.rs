use super::*;
use proptest::prelude::*;

const DELAY: Duration = Duration::from_secs(2);

fn politeness(concurrency: usize) -> Politeness {
    let host = HostLimits { delay: DELAY, concurrency: 1 };
    Politeness { concurrency, host, hosts: BTreeMap::new() }
}

fn agenda(concurrency: usize) -> Agenda {
    Agenda::new(politeness(concurrency))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn feed(id: i64) -> FeedId {
    FeedId::from_row(id)
}

fn poll(id: i64) -> Job {
    Job::Poll(feed(id))
}

#[test]
fn jobs_start_when_due_earliest_first_and_once() {
    let mut agenda = agenda(64);
    agenda.schedule_poll(feed(1), None, at(20));
    agenda.schedule_poll(feed(2), None, at(10));
    assert_eq!(agenda.start(at(9)), None);
    assert_eq!(agenda.next_start(), Some(at(10)));
    assert_eq!(agenda.start(at(30)), Some(poll(2)));
    assert_eq!(agenda.start(at(30)), Some(poll(1)));
    assert_eq!((agenda.start(at(30)), agenda.running()), (None, 2));
}

#[test]
fn one_host_is_asked_one_at_a_time_with_a_pause() {
    let mut agenda = agenda(64);
    for id in 1..=3 {
        agenda.schedule_poll(feed(id), Some("example.org"), at(0));
    }
    agenda.schedule_poll(feed(4), Some("example.net"), at(0));
    assert_eq!(agenda.start(at(0)), Some(poll(1)));
    assert_eq!(agenda.start(at(0)), Some(poll(4)));
    assert_eq!(agenda.start(at(9)), None, "example.org is busy");
    agenda.finish(&poll(1));
    assert_eq!(agenda.start(at(9)), Some(poll(2)));
    agenda.finish(&poll(2));
    assert_eq!(agenda.start(at(10)), None, "too early");
    assert_eq!(agenda.next_start(), Some(at(11)));
    assert_eq!(agenda.start(at(11)), Some(poll(3)));
}

/// FEEDS A10: "some hosts allow one feed a minute".
#[test]
fn a_host_may_have_limits_of_its_own_and_shares_them_with_the_names_below_it() {
    let slow = HostLimits { delay: Duration::from_secs(60), concurrency: 1 };
    let wide = HostLimits { delay: Duration::from_secs(1), concurrency: 2 };
    let hosts = BTreeMap::from([("example.org".to_owned(), slow), ("fast.example.org".to_owned(), wide)]);
    let politeness = Politeness { hosts, ..politeness(64) };
    for (host, turn) in [
        ("example.org", "example.org"),
        ("www.example.org", "example.org"),
        ("a.b.example.org", "example.org"),
        ("fast.example.org", "fast.example.org"),
        ("notexample.org", "notexample.org"),
        ("org", "org"),
        ("127.0.0.1", "127.0.0.1"),
    ] {
        assert_eq!(politeness.turn_of(host), turn);
    }
    let mut agenda = Agenda::new(politeness);
    for (id, host) in [(1, "example.org"), (2, "www.example.org"), (3, "fast.example.org"), (4, "fast.example.org")] {
        agenda.schedule_poll(feed(id), Some(host), at(0));
    }
    let started: Vec<_> = std::iter::from_fn(|| agenda.start(at(0))).collect();
    assert_eq!(started, [poll(1), poll(3)]);
    assert_eq!(agenda.start(at(1)), Some(poll(4)), "two at once, a second apart");
    agenda.finish(&poll(1));
    assert_eq!(agenda.start(at(59)), None);
    assert_eq!(agenda.start(at(60)), Some(poll(2)));
}

#[test]
fn a_feed_that_moves_while_it_is_polled_frees_the_host_that_was_asked() {
    let mut agenda = agenda(64);
    agenda.schedule_poll(feed(1), Some("old.example"), at(0));
    agenda.schedule_poll(feed(2), Some("old.example"), at(0));
    assert_eq!((agenda.start(at(0)), agenda.start(at(0))), (Some(poll(1)), None));
    agenda.schedule_poll(feed(1), Some("new.example"), at(100));
    agenda.finish(&poll(1));
    assert_eq!(agenda.start(at(2)), Some(poll(2)));
}

#[test]
fn the_others_do_not_wait_for_one_that_was_removed_when_it_was_its_turn() {
    let mut agenda = agenda(64);
    for id in 1..=3 {
        agenda.schedule_poll(feed(id), Some("example.org"), at(0));
    }
    assert_eq!((agenda.start(at(0)), agenda.start(at(0))), (Some(poll(1)), None));
    agenda.finish(&poll(1));
    agenda.remove(&poll(2));
    assert_eq!(agenda.start(at(9)), Some(poll(3)));
}

#[test]
fn a_parked_host_is_left_alone_and_delays_no_other() {
    let mut agenda = agenda(64);
    agenda.schedule_poll(feed(1), Some("example.org"), at(0));
    agenda.schedule_poll(feed(2), Some("example.net"), at(0));
    agenda.park("example.org", at(100));
    agenda.park("example.org", at(50));
    assert_eq!(agenda.start(at(60)), Some(poll(2)));
    assert_eq!(agenda.start(at(99)), None);
    assert_eq!(agenda.start(at(100)), Some(poll(1)));
}

#[test]
fn a_round_that_does_not_come_back_gives_up_the_other_feeds_of_a_parked_host() {
    let mut agenda = agenda(64);
    for id in 1..=3 {
        agenda.schedule_poll(feed(id), Some("example.org"), at(0));
    }
    agenda.schedule_poll(feed(4), Some("example.net"), at(9));
    assert_eq!(agenda.start(at(0)), Some(poll(1)));
    assert_eq!(agenda.start(at(0)), None);
    agenda.finish(&poll(1));
    let mut given_up = agenda.abandon("example.org");
    given_up.sort();
    assert_eq!(given_up, [poll(2), poll(3)]);
    assert_eq!((agenda.start(at(9)), agenda.start(at(99))), (Some(poll(4)), None));
}

#[test]
fn pages_take_turns_with_the_polls_of_their_host() {
    let mut agenda = agenda(64);
    let page = |id| ArticleId::from_row(id);
    agenda.schedule_poll(feed(1), Some("example.org"), at(0));
    agenda.schedule_page(page(1), Some("example.org"), at(0));
    agenda.schedule_page(page(2), Some("example.org"), at(0));
    agenda.schedule_page(page(3), Some("example.net"), at(0));
    assert_eq!(agenda.start(at(0)), Some(poll(1)));
    assert_eq!((agenda.start(at(0)), agenda.start(at(0))), (Some(Job::Page(page(3))), None));
    agenda.finish(&poll(1));
    assert_eq!((agenda.start(at(1)), agenda.start(at(2))), (None, Some(Job::Page(page(1)))));
    agenda.finish(&Job::Page(page(1)));
    agenda.park("example.org", at(30));
    assert_eq!(agenda.start(at(29)), None);
    assert_eq!(agenda.start(at(30)), Some(Job::Page(page(2))));
    agenda.finish(&Job::Page(page(2)));
    agenda.finish(&Job::Page(page(3)));
    assert_eq!((agenda.running(), agenda.host_of.len()), (0, 1), "only the feed's host is remembered");
}

#[test]
fn polls_pause_and_nothing_else_does() {
    let mut agenda = agenda(64);
    agenda.schedule_poll(feed(1), None, at(0));
    agenda.pause_polls(at(60));
    agenda.schedule(Job::Upkeep, at(5));
    assert_eq!((agenda.start(at(5)), agenda.next_start()), (Some(Job::Upkeep), Some(at(60))));
    assert_eq!(agenda.start(at(60)), Some(poll(1)));
}

#[test]
fn full_polls_and_deliveries_hold_back_nothing_else() {
    let mut agenda = agenda(1);
    for id in 1..=6 {
        agenda.schedule(Job::Delivery(MailId::from_row(id)), at(0));
    }
    agenda.schedule_poll(feed(1), None, at(0));
    agenda.schedule_poll(feed(2), None, at(0));
    agenda.schedule(Job::Upkeep, at(1));
    let started: Vec<_> = std::iter::from_fn(|| agenda.start(at(1))).collect();
    assert_eq!(started.iter().filter(|job| matches!(job, Job::Delivery(_))).count(), DELIVERIES);
    assert_eq!(started.iter().filter(|job| matches!(job, Job::Poll(_))).count(), 1);
    assert!(started.contains(&Job::Upkeep));
    assert_eq!(agenda.next_start(), None);
    agenda.finish(&Job::Delivery(MailId::from_row(1)));
    assert_eq!(agenda.start(at(1)), Some(Job::Delivery(MailId::from_row(5))));
}

#[test]
fn a_job_scheduled_while_it_runs_starts_again_only_after_it_ended() {
    let mut agenda = agenda(64);
    for (job, host) in [(Job::Upkeep, None), (poll(1), None), (poll(2), Some("example.org"))] {
        let schedule = |agenda: &mut Agenda| match job {
            Job::Poll(feed) => agenda.schedule_poll(feed, host, at(0)),
            _ => agenda.schedule(job.clone(), at(0)),
        };
        schedule(&mut agenda);
        assert_eq!(agenda.start(at(0)), Some(job.clone()));
        schedule(&mut agenda);
        assert_eq!((agenda.start(at(5)), agenda.next_start()), (None, None));
        agenda.finish(&job);
        assert_eq!(agenda.start(at(5)), Some(job.clone()));
        agenda.finish(&job);
    }
}

#[test]
fn what_was_removed_does_not_start_even_when_it_waited_for_its_host() {
    let mut agenda = agenda(64);
    agenda.schedule_poll(feed(1), Some("example.org"), at(0));
    agenda.schedule_poll(feed(2), Some("example.org"), at(0));
    assert_eq!(agenda.start(at(0)), Some(poll(1)));
    assert_eq!(agenda.start(at(0)), None);
    agenda.remove(&poll(2));
    agenda.finish(&poll(1));
    assert_eq!((agenda.start(at(99)), agenda.next_start()), (None, None));
}

proptest! {
    /// Every poll starts exactly once, never two of a host at a time, never closer than the pause.
    #[test]
    fn every_poll_starts_once_and_politely(feeds in prop::collection::vec((0..5_i64, 0..50_i64), 1..40)) {
        let mut agenda = agenda(3);
        for (id, (host, due)) in (0..).zip(&feeds) {
            agenda.schedule_poll(feed(id), Some(&format!("host-{host}")), at(*due));
        }
        let mut started: Vec<(i64, i64)> = Vec::new();
        let mut running: Vec<Job> = Vec::new();
        for second in 0..500 {
            while let Some(Job::Poll(id)) = agenda.start(at(second)) {
                let host = feeds[usize::try_from(id.row()).unwrap()].0;
                prop_assert!(started.iter().all(|(before, of)| *of != host || second - before >= 2));
                prop_assert!(second >= feeds[usize::try_from(id.row()).unwrap()].1);
                started.push((second, host));
                running.push(Job::Poll(id));
            }
            prop_assert!(running.len() <= 3);
            if second % 3 == 0 {
                running.drain(..).for_each(|job| agenda.finish(&job));
            }
        }
        prop_assert_eq!(started.len(), feeds.len());
    }
}
