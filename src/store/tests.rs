//! The store's statements against a real file.

use super::*;
use crate::core::{
    article::{Article, ArticleId, ArticleKey, Item, TextHash},
    backfill::{Adoption, Unfinished},
    digest::Window,
    feed::{BodyHash, Feed, FeedId, FeedState, FeedUrl, Validator, Validators},
    health::Tally,
    hit::{DigestName, Field, HitId, RuleName, RuleVersion, TermMatch},
    page,
    relocation::{Moved, PermanentRedirects, Relocation},
    retry::MailId,
    story::Sighting,
};
use edition::NewEdition;
use hit::Selection;
use jiff::{Timestamp, ToSpan};
use outbox::{MailState, NewMail};
use rusqlite::Connection;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + 60 * minute).unwrap()
}

fn open() -> (tempfile::TempDir, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let connection = schema::open_writer(&directory.path().join("feedwatch.db")).unwrap();
    (directory, connection)
}

fn feed(url: &str) -> Feed {
    Feed::new(FeedUrl::Web(url.parse().unwrap()))
}

fn article(key: &str, title: &str) -> Article {
    Article {
        key: ArticleKey::from_store(key.to_owned()),
        canonical_url: Some(format!("https://example.org/{key}")),
        text_hash: TextHash([u8::try_from(title.len()).unwrap(); 32]),
        item: Item { title: title.to_owned(), summary: "summary".to_owned(), ..Item::default() },
    }
}

fn insert(
    connection: &Connection,
    feed: FeedId,
    article: &Article,
    backlog: bool,
    now: Timestamp,
) -> Result<ArticleId, StoreError> {
    article::insert(connection, feed, article, article.places(), backlog, now)
}

fn configured(connection: &Connection, urls: &[&str]) -> Vec<FeedId> {
    let feeds: Vec<_> = urls.iter().map(|url| feed(url)).collect();
    feed::configure(connection, &feeds, at(0), |_| false, |_| at(0)).unwrap().iter().map(|feed| feed.id).collect()
}

fn hit(connection: &Connection, article: ArticleId, rule: &str, now: Timestamp) -> Option<HitId> {
    let terms = [TermMatch { term: "DPRK".into(), field: Field::Title, start: 0, end: 4 }];
    hit::record(connection, &RuleName::new(rule), &RuleVersion::new("v1"), article, &terms, now).unwrap()
}

fn mail(id: &str) -> NewMail {
    NewMail {
        sender: "alerts@example.org".to_owned(),
        recipient: "desk@example.org".to_owned(),
        message_id: format!("<{id}@example.org>"),
        subject: "subject".to_owned(),
        message: b"the bytes".to_vec(),
        is_cut: false,
    }
}

#[test]
fn a_feed_that_leaves_and_returns_keeps_what_is_remembered_of_it() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/", "https://b.example/"]);
    let state = FeedState {
        title: Some("A".to_owned()),
        validators: Validators {
            etag: Some(Validator::new(b"W/\"\xE9\"-gzip")),
            last_modified: Some(Validator::new("odd")),
        },
        validators_url: Some("https://a.example/".to_owned()),
        body_hash: Some(BodyHash([7; 32])),
        adaptive_interval: Some(std::time::Duration::from_secs(900)),
        last_poll_at: Some(at(1)),
        last_success_at: Some(at(1)),
        last_new_at: Some(at(1)),
        baseline_at: Some(at(1)),
        baseline_open_since: Some(at(1)),
        failing_since: None,
        failures: 0,
        last_error: None,
        gone_since: None,
        mended: Some("bare ampersands".to_owned()),
        relocation: moved_to("https://new.example/"),
        tally: Tally {
            answers: 9,
            not_modified: 3,
            daily: 1.25,
            longest_gap: Some(std::time::Duration::from_secs(3600)),
        },
        reidentified_at: Some(at(1)),
        watched_since: Some(at(0)),
    };
    feed::record_poll(&connection, ids[0], &FeedState::default(), &state, at(30), "hourly").unwrap();
    assert_eq!(configured(&connection, &["https://b.example/"]), [ids[1]]);
    assert_eq!(feed::configured(&connection).unwrap().len(), 1);
    assert_eq!(configured(&connection, &["https://a.example/", "https://b.example/"]), ids);
    let stored = feed::one(&connection, ids[0]).unwrap();
    assert_eq!((&stored.state, stored.next_poll_at, stored.next_poll_reason.as_str()), (&state, at(30), "hourly"));
    records_whatever_changed(&connection, ids[0], state);
}

/// Most polls change few columns, and those alone are written; nothing else that changed may be missed.
fn records_whatever_changed(connection: &Connection, id: FeedId, mut before: FeedState) {
    let changes: [fn(&mut FeedState); 16] = [
        |state| (state.last_poll_at, state.last_success_at) = (Some(at(40)), Some(at(40))),
        |state| state.adaptive_interval = Some(std::time::Duration::from_secs(4500)),
        |state| (state.tally.answers, state.tally.not_modified, state.tally.daily) = (10, 4, 1.0),
        |state| state.tally.longest_gap = None,
        |state| state.title = None,
        |state| state.validators.etag = None,
        |state| state.validators_url = None,
        |state| state.body_hash = None,
        |state| (state.last_new_at, state.baseline_at) = (Some(at(41)), Some(at(42))),
        |state| (state.failing_since, state.failures) = (Some(at(43)), 2),
        |state| state.last_error = Some("refused".to_owned()),
        |state| state.gone_since = Some(at(44)),
        |state| state.mended = None,
        |state| state.relocation = Relocation::default(),
        |state| state.reidentified_at = None,
        |state| state.baseline_open_since = None,
    ];
    for (change, number) in changes.into_iter().zip(0..) {
        let mut state = before.clone();
        change(&mut state);
        assert_ne!(state, before, "{number}");
        feed::park(connection, &[id], at(50)).unwrap();
        feed::record_poll(connection, id, &before, &state, at(60 + number), "daily").unwrap();
        let stored = feed::one(connection, id).unwrap();
        assert_eq!((&stored.state, stored.next_poll_at), (&state, at(60 + number)), "{number}");
        assert_eq!((stored.next_poll_reason.as_str(), stored.parked_until), ("daily", None), "{number}");
        before = state;
    }
}

fn moved_to(url: &str) -> Relocation {
    Relocation {
        moved: Some(Moved { to: url.to_owned(), since: at(3) }),
        seen: Some(PermanentRedirects { to: format!("{url}next"), chain: [9; 32], times: 4, since: at(2) }),
    }
}

/// FEEDS A13: identity survives a move, also when the configuration follows it.
#[test]
fn a_feed_whose_new_url_is_configured_is_the_same_feed() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://old.example/", "https://stays.example/"]);
    for id in &ids {
        let state = FeedState { relocation: moved_to("https://new.example/"), ..FeedState::default() };
        feed::record_poll(&connection, *id, &FeedState::default(), &state, at(30), "hourly").unwrap();
    }
    let urls = ["https://me:pw@new.example/", "https://stays.example/"];
    assert_eq!(configured(&connection, &urls), ids, "the one that left, not the one that stays");
    let followed = feed::one(&connection, ids[0]).unwrap();
    assert_eq!((followed.identity.as_str(), followed.state.relocation), (urls[0], Relocation::default()));
    assert_eq!(configured(&connection, &urls), ids, "once and for all");
    let unrelated = configured(&connection, &["https://stays.example/", "https://else.example/"]);
    assert!(!ids.contains(&unrelated[1]));
}

#[test]
fn a_feed_without_a_name_is_shown_without_its_credentials() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://user:secret@a.example/feed"]);
    assert_eq!(feed::one(&connection, ids[0]).unwrap().shown_name(), "a.example");
}

/// Promise P2, FEEDS C16: one hit for each rule and article, ever.
#[test]
fn a_rule_hits_an_article_once() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/"]);
    let first = insert(&connection, ids[0], &article("k", "DPRK"), false, at(0)).unwrap();
    assert!(hit(&connection, first, "one", at(0)).is_some());
    assert!(hit(&connection, first, "one", at(5)).is_none());
    assert!(hit(&connection, first, "two", at(5)).is_some());
}

/// Promise P8: a hit is shown with the text that matched, not with what an editor made of it later.
#[test]
fn a_hit_keeps_the_text_that_it_matched() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/"]);
    let id = insert(&connection, ids[0], &article("k", "DPRK fires"), false, at(0)).unwrap();
    hit(&connection, id, "one", at(0));
    article::edit(&connection, id, &article("k", "North fires"), at(10)).unwrap();
    article::edit(&connection, id, &article("k", "Somebody fires"), at(20)).unwrap();
    hit(&connection, id, "two", at(20));
    let shown = hit::select(&connection, &Selection::default()).unwrap();
    let titles: Vec<_> = shown.iter().map(|hit| (hit.rule.as_str(), hit.article.title.as_str())).collect();
    assert_eq!(titles, [("two", "Somebody fires"), ("one", "DPRK fires")]);
    let known = article::known(&connection, ids[0], [ArticleKey::from_store("k".to_owned())].iter()).unwrap();
    assert_eq!((known.len(), known[0].id), (1, id));
}

/// Promise P2: one edition for each slot, and one edition for each hit.
#[test]
fn an_edition_is_made_once_and_takes_its_hits() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/"]);
    let digest = DigestName::new("morning");
    assert_eq!(edition::known_progress(&connection, &digest, at(0)).unwrap(), None);
    assert_eq!(edition::progress(&connection, &digest, at(0)).unwrap().window_end, at(0));
    let id = insert(&connection, ids[0], &article("k", "DPRK"), false, at(1)).unwrap();
    let hit_id = hit(&connection, id, "one", at(1)).unwrap();
    hit::queue(&connection, &digest, hit_id, false).unwrap();
    hit::queue(&connection, &digest, hit_id, false).unwrap();
    let progress = edition::progress(&connection, &digest, at(2)).unwrap();
    assert_eq!(progress.oldest_pending_hit, Some(at(1)));
    let window = Window { start: at(0), end: at(2) };
    let new = NewEdition { digest: &digest, slot: at(2), window, hits: &[hit_id], sent: true };
    assert!(edition::record(&connection, &new).unwrap().is_some());
    assert!(edition::record(&connection, &new).unwrap().is_none(), "the slot has its edition");
    let later = NewEdition { slot: at(3), ..new };
    assert!(edition::record(&connection, &later).is_err(), "the hit is in an edition");
    assert_eq!(hit::pending(&connection, &digest).unwrap().hits, []);
    let progress = edition::progress(&connection, &digest, at(4)).unwrap();
    assert_eq!((progress.last_sent_at, progress.oldest_pending_hit), (Some(at(2)), None));
    // An edition that was made while the clock was wrong does not hold up those of the right time.
    assert_eq!(edition::progress(&connection, &digest, at(1)).unwrap().window_end, at(0));
    let coverage = edition::coverage(&connection, window).unwrap();
    assert_eq!((coverage.feeds, coverage.feeds_polled, coverage.articles_seen), (1, 0, 1));
}

/// Promise P2: after a crash a mail is in doubt if it was being sent, and not before.
#[test]
fn a_mail_is_in_doubt_from_when_it_is_sent() {
    let (_directory, connection) = open();
    outbox::enqueue(&connection, None, &mail("1"), at(0)).unwrap();
    let id = outbox::waiting(&connection).unwrap()[0].0;
    let begin = || outbox::begin_attempt(&connection, id, at(1)).unwrap().unwrap().0.in_doubt_since;
    assert_eq!((begin(), begin()), (None, None), "killed before it was sent");
    outbox::record_sending(&connection, id, at(2)).unwrap();
    assert_eq!((begin(), begin()), (Some(at(2)), Some(at(2))), "killed while it was sent, and then before");
    // Nobody knows how far it came: it panicked.
    outbox::enqueue(&connection, None, &mail("2"), at(3)).unwrap();
    let id = outbox::waiting(&connection).unwrap()[1].0;
    outbox::begin_attempt(&connection, id, at(4)).unwrap().unwrap();
    outbox::record_refused(&connection, id, "a bug", Some(at(9)), true).unwrap();
    assert_eq!(outbox::find(&connection, id).unwrap().unwrap().in_doubt_since, Some(at(4)));
}

/// Promise P3: a mail leaves the outbox only when it was accepted or given up.
#[test]
fn a_mail_waits_until_it_is_accepted_or_given_up() {
    let (_directory, connection) = open();
    outbox::enqueue(&connection, None, &mail("1"), at(0)).unwrap();
    outbox::enqueue(&connection, None, &mail("1"), at(0)).unwrap();
    let waiting = outbox::waiting(&connection).unwrap();
    assert_eq!(waiting.len(), 1);
    let id = waiting[0].0;
    let in_doubt_since = || outbox::find(&connection, id).unwrap().unwrap().in_doubt_since;
    let (begun, bytes) = outbox::begin_attempt(&connection, id, at(1)).unwrap().unwrap();
    assert_eq!((begun.attempts, bytes.as_slice()), (1, b"the bytes".as_slice()));
    assert_eq!(in_doubt_since(), None, "nothing was sent yet");
    outbox::record_sending(&connection, id, at(1)).unwrap();
    assert_eq!(in_doubt_since(), Some(at(1)));
    outbox::record_refused(&connection, id, "busy", Some(at(6)), false).unwrap();
    assert_eq!((outbox::waiting(&connection).unwrap(), in_doubt_since()), (vec![(id, at(6))], None));
    outbox::begin_attempt(&connection, id, at(5)).unwrap().unwrap();
    outbox::record_sending(&connection, id, at(6)).unwrap();
    outbox::record_refused(&connection, id, "no", None, true).unwrap();
    let held = outbox::find(&connection, id).unwrap().unwrap();
    assert_eq!((held.state, held.in_doubt_since), (MailState::Held, Some(at(6))));
    assert!(outbox::begin_attempt(&connection, id, at(7)).unwrap().is_none(), "it waits for a person");
    assert!(outbox::record_sending(&connection, id, at(7)).is_err());
    outbox::retry(&connection, id, at(8)).unwrap();
    outbox::begin_attempt(&connection, id, at(8)).unwrap().unwrap();
    outbox::record_accepted(&connection, id, "250 ok", at(9)).unwrap();
    assert!(outbox::discard(&connection, id, at(9)).is_err());
    assert!(outbox::retry(&connection, MailId::from_row(99), at(9)).is_err());
    assert_eq!(outbox::list(&connection, false).unwrap(), []);
    assert_eq!(outbox::list(&connection, true).unwrap()[0].reply.as_deref(), Some("250 ok"));
}

/// FEEDS C12: what returns after retention is still known; a hit that a digest still has to show keeps its text.
#[test]
fn retention_takes_texts_and_leaves_keys() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/"]);
    let digest = DigestName::new("morning");
    let old = insert(&connection, ids[0], &article("old", "DPRK"), false, at(0)).unwrap();
    let pending = insert(&connection, ids[0], &article("pending", "DPRK"), false, at(0)).unwrap();
    hit(&connection, old, "one", at(0));
    hit::queue(&connection, &digest, hit(&connection, pending, "one", at(0)).unwrap(), false).unwrap();
    let cleared = retention::clear(&connection, at(1), 100, at(2)).unwrap();
    assert_eq!((cleared.articles, cleared.mails), (1, 0));
    let shown = hit::select(&connection, &Selection::default()).unwrap();
    let summaries: Vec<_> = shown.iter().map(|hit| hit.article.summary.as_str()).collect();
    assert_eq!(summaries, ["summary", ""]);
    let keys = ["old", "pending"].map(|key| ArticleKey::from_store(key.to_owned()));
    assert_eq!(article::known(&connection, ids[0], keys.iter()).unwrap().len(), 2);
    assert_eq!(retention::clear(&connection, at(1), 100, at(2) + 1.hour()).unwrap().articles, 0);
}

#[test]
fn notices_are_raised_and_cleared_once() {
    let (_directory, connection) = open();
    let raised = |connection| daemon::raise_notice(connection, "feed:1", at(0)).unwrap();
    let cleared = |connection| daemon::clear_notice(connection, "feed:1").unwrap();
    assert_eq!((raised(&connection), raised(&connection)), (true, false));
    assert_eq!((cleared(&connection), cleared(&connection)), (true, false));
}

/// FEEDS C5, C7: the place is that of the link that an article has now.
#[test]
fn the_store_knows_the_place_of_an_article() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/"]);
    let mut article = article("1", "t");
    let mut moved = |url: Option<&str>| {
        article.canonical_url = url.map(str::to_owned);
        article.clone()
    };
    let place = |id: ArticleId| -> Option<i64> {
        connection.query_row("SELECT place FROM article WHERE id = ?1", [id.row()], |row| row.get(0)).unwrap()
    };
    let [a, b] = ["https://e.example/a", "https://e.example/b"];
    let id = insert(&connection, ids[0], &moved(Some(a)), false, at(0)).unwrap();
    assert_eq!(place(id), page::place(a));
    article::amend(&connection, id, &moved(Some(b))).unwrap();
    assert_eq!(place(id), page::place(b));
    article::amend(&connection, id, &moved(None)).unwrap();
    assert_eq!(place(id), page::place(b), "a link that is no longer given is kept");
    article::edit(&connection, id, &moved(Some(a)), at(1)).unwrap();
    assert_eq!(place(id), page::place(a));
    article::edit(&connection, id, &moved(None), at(2)).unwrap();
    assert_eq!(place(id), None);
}

/// FEEDS C1, C14: what has the guid or the page of an article in another feed is found, wherever it leads itself.
#[test]
fn copies_in_other_feeds_are_found_by_guid_and_page() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/", "https://b.example/"]);
    let with = |guid: &str, link: &str| {
        let mut article = article(&format!("guid:{guid}"), "DPRK");
        article.canonical_url = Some(link.to_owned());
        article.item.guid = Some(guid.to_owned());
        article.item.link = Some(link.to_owned());
        article
    };
    let page = "https://e.example/1";
    let stored = [
        with("7-1", "https://e.example/7"),
        with(page, page),
        with("https://e.example/2", "https://proxy.example/2"),
        with("https://e.example/", "https://e.example/front"),
    ];
    let rows = stored.map(|article| insert(&connection, ids[0], &article, false, at(10)).unwrap());
    for (new, expected) in [
        // The same guid; the guid that is the other's page; the page that is the other's guid; guids of a front page.
        (with("7-1", "https://other.example/7"), Some(rows[0])),
        (with(page, "https://proxy.example/1"), Some(rows[1])),
        (with("https://e.example/2", "https://e.example/2"), Some(rows[2])),
        (with("https://e.example/", "https://f.example/x"), Some(rows[3])),
        // The same page under another guid, also for another device.
        (with("x", "https://m.e.example/1"), Some(rows[1])),
        (with("7-2", "https://other.example/7"), None),
    ] {
        let found = |feed, now| story::elsewhere(&connection, feed, [new.places()].into_iter(), now).unwrap();
        let ids_of = |found: Vec<Sighting>| found.into_iter().map(|other| other.id).collect::<Vec<_>>();
        assert_eq!(ids_of(found(ids[1], at(11))), Vec::from_iter(expected), "{new:?}");
        assert_eq!(found(ids[0], at(11)), [], "its own feed is not another one");
        assert_eq!(found(ids[1], at(11) + 192.hours()), [], "a story goes on for a week");
    }
    // A guid that an article gets later counts as well.
    article::amend(&connection, rows[0], &with("8-1", "https://e.example/8")).unwrap();
    article::edit(&connection, rows[1], &with("9-1", "https://e.example/9"), at(12)).unwrap();
    for (guid, row) in [("8-1", rows[0]), ("9-1", rows[1])] {
        let new = with(guid, "https://other.example/");
        let found = story::elsewhere(&connection, ids[1], [new.places()].into_iter(), at(13)).unwrap();
        assert_eq!(found.iter().map(|other| other.id).collect::<Vec<_>>(), [row], "{guid}");
    }
}

/// Each article once, newest first, whatever the pages; those without their texts are left out.
#[test]
fn the_archive_is_read_in_pages() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/feed"]);
    // Several came at the same instant, so that a page ends among them.
    let expected: Vec<_> = (0..10)
        .map(|number| {
            let new = article(&format!("k{number}"), &format!("article {number}"));
            insert(&connection, ids[0], &new, false, at(number / 4)).unwrap()
        })
        .collect();
    connection.execute("UPDATE article SET cleared_at = 0 WHERE id = ?1", [expected[5].row()]).unwrap();
    hit(&connection, expected[9], "one", at(3));
    for size in 1..12 {
        let span = archive::Span { since: at(0), until: at(2), with_hits: true };
        let mut reader = archive::Reader::new(&connection, span);
        let mut read = Vec::new();
        loop {
            let page = reader.page(size).unwrap();
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            read.extend(page);
        }
        let order: Vec<_> = read.iter().map(|archived| archived.article.id).collect();
        let without: Vec<_> = expected.iter().rev().copied().filter(|id| *id != expected[5]).collect();
        assert_eq!(order, without, "pages of {size}");
        assert_eq!(read.iter().map(|archived| archived.hits.len()).collect::<Vec<_>>(), [1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(read[0].feed.outlet, "a.example");
    }
    let span = archive::Span { since: at(1), until: at(1), with_hits: false };
    assert_eq!(archive::Reader::new(&connection, span).page(99).unwrap().len(), 3);
    assert_eq!(archive::count(&connection, span).unwrap(), 4);
    let (stretch, reached) = archive::stretch(&connection, expected[3], expected[8], 3).unwrap();
    assert_eq!((stretch.len(), reached), (2, expected[6]));
    let (stretch, reached) = archive::stretch(&connection, reached, expected[8], 3).unwrap();
    assert_eq!((stretch.len(), reached), (2, expected[8]));
}

/// Promise P1: how far a rule was run over what is stored is kept, and moves on from where it was only.
#[test]
fn a_rule_remembers_how_far_it_was_run_over_what_is_stored() {
    let (_directory, connection) = open();
    let ids = configured(&connection, &["https://a.example/"]);
    let articles: Vec<_> = (0..4)
        .map(|number| insert(&connection, ids[0], &article(&format!("k{number}"), "DPRK"), false, at(number)).unwrap())
        .collect();
    let named = |rule: &str| (RuleName::new(rule), RuleVersion::new("v1"));
    let new = |rule: &str, since| (named(rule).0, named(rule).1, since);
    let adoption = Adoption {
        new: vec![new("all", Some(at(0))), new("late", Some(at(2))), new("later", Some(at(9))), new("none", None)],
        ..Adoption::default()
    };
    rule::adopt(&connection, &adoption, at(5)).unwrap();
    assert_eq!(rule::known(&connection).unwrap().len(), 4);
    // What comes later the rules meet when it comes.
    insert(&connection, ids[0], &article("later", "DPRK"), false, at(5)).unwrap();
    let unfinished = rule::unfinished(&connection).unwrap();
    let bounds = |rule: &Unfinished| (rule.rule.to_string(), rule.after.row(), rule.last);
    let first = articles[0].row();
    assert_eq!(
        unfinished.iter().map(bounds).collect::<Vec<_>>(),
        [("all".to_owned(), first - 1, articles[3]), ("late".to_owned(), first + 1, articles[3])]
    );
    assert!(rule::advance(&connection, &unfinished[0], articles[3]).unwrap());
    assert!(!rule::advance(&connection, &unfinished[0], articles[3]).unwrap(), "it was there already");
    let left = Adoption { left: vec![named("late")], ..Adoption::default() };
    rule::adopt(&connection, &left, at(6)).unwrap();
    assert!(!rule::advance(&connection, &unfinished[1], articles[3]).unwrap(), "it is no longer in force");
    assert_eq!(rule::unfinished(&connection).unwrap(), []);
    // What comes while it is away, and what came since `since`, is to be run over when it returns.
    let late = insert(&connection, ids[0], &article("k4", "DPRK"), false, at(6)).unwrap();
    let returned = Adoption { returned: vec![new("late", Some(at(3))), new("none", None)], ..Adoption::default() };
    rule::adopt(&connection, &returned, at(7)).unwrap();
    rule::count_hits(&connection, &named("late").0, &named("late").1, 3).unwrap();
    let again = rule::unfinished(&connection).unwrap();
    let [again] = &again[..] else { panic!("{again:?}") };
    assert_eq!((again.since, again.after, again.last, again.hits), (at(3), articles[2], late, 3));
}

/// Once a damaged file was told of three times in one line, and not what to do about it.
#[test]
fn a_damaged_file_is_said_once_with_the_remedy() {
    let malformed = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(11), Some("it is malformed".to_owned()));
    let said = format!("{:#}", anyhow::Error::from(StoreError::from(malformed)));
    let remedy = "stop feedwatch and restore a backup, or salvage the file with `sqlite3 FILE .recover`";
    assert_eq!(said, format!("the store failed: it is malformed; {remedy}"));
}

/// However many pages are wanted, no more of them are read than are asked for.
#[test]
fn wanted_pages_are_read_as_far_as_they_are_needed() {
    let (_directory, connection) = open();
    let feed = configured(&connection, &["https://a.example/"])[0];
    for number in 0..6 {
        let article = article(&format!("k{number}"), "t");
        let id = article::insert(&connection, feed, &article, article.places(), false, at(0)).unwrap();
        let host = if number % 2 == 0 { "even" } else { "odd" };
        let page = format!("https://{host}.example/{number}").parse().unwrap();
        full_text::want(&connection, id, feed, &page, at(6 - number)).unwrap();
    }
    let looked_at = std::cell::RefCell::new(Vec::new());
    let look = |page: &full_text::WantedPage| {
        looked_at.borrow_mut().push(page.page.path().to_owned());
        page.page.path() != "/5"
    };
    let found = full_text::some_wanted(&connection, "odd.example", 1, look).unwrap();
    assert_eq!(found.iter().map(|page| page.page.path()).collect::<Vec<_>>(), ["/3"]);
    assert_eq!(looked_at.into_inner(), ["/5", "/3"], "of the host, those first that are asked for first");
    assert_eq!(full_text::some_wanted(&connection, "", 9, |_| true).unwrap().len(), 6);
}
