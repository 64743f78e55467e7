//! The archive: rules that are new or changed, run over what is stored, and what it is asked.

use super::*;
use feedwatch::core::hit::DigestName;

/// The rule of [`CONFIGURATION`], changed, and run over what is stored.
const CHANGED: &str = "any = [\"ballistic missiles\", \"rockets\"]\nbackfill = \"7d\"";

impl Bench {
    /// Adopts the configuration with another rule, as a start or a reload does.
    async fn adopt(&mut self, rule: &str, now: &str) {
        let changed = CONFIGURATION.replace("all = [\"ballistic missiles\", \"DPRK\"]", rule);
        let (config, now) = (load(self.directory.path(), &changed), at(now));
        self.resources.config = config.clone();
        let adopt = move |connection: &_| adopt::adopt(connection, &config, now, |_| now);
        self.resources.store.call(adopt).await.unwrap();
    }

    async fn backfill(&self, now: &str) -> Backfilled {
        backfill::backfill(&self.resources, at(now)).await.unwrap()
    }
}

/// Promises P1 and P2: a changed rule is run over what is stored, once; what its old version hit alerts no more, and what
/// comes meanwhile is met once.
#[tokio::test]
async fn a_changed_rule_is_run_once_over_what_is_stored() {
    let mut bench = bench(at("2026-11-10T08:00:00Z")).await;
    bench.adopt("all = [\"ballistic missiles\", \"DPRK\"]", "2026-11-10T08:00:00Z").await;
    bench.publish(&[("old", "Old rockets shown", "Tue, 10 Nov 2026 08:00:00 GMT")]);
    bench.poll("2026-11-10T08:10:00Z").await;
    bench.publish(&[("a", MISSILES, FRESH), ("b", "Kim inspects rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T08:10:00Z").await.hits, 1);
    bench.compose("2026-11-24T08:20:00Z").await;
    bench.deliver_all("2026-11-24T08:20:01Z").await;
    assert_eq!(bench.backfill("2026-11-24T08:30:00Z").await, Backfilled::default());

    bench.adopt(CHANGED, "2026-11-24T09:00:00Z").await;
    bench.publish(&[("c", "Kim shows new rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T09:00:01Z").await.hits, 1);
    // The article that came since is not looked at again.
    assert_eq!(bench.backfill("2026-11-24T09:00:02Z").await, Backfilled { articles: 2, hits: 1, more: false });
    for now in ["2026-11-24T09:10:00Z", "2026-11-25T05:00:00Z"] {
        bench.adopt(CHANGED, now).await;
        assert_eq!(bench.backfill(now).await, Backfilled::default(), "{now}");
    }
    assert_eq!(bench.compose("2026-11-25T07:00:00Z").await, Composed::Sent { hits: 2, mails: 2 });
    bench.deliver_all("2026-11-25T07:00:01Z").await;
    let mails = bench.mails();
    let late = mails.iter().map(|mail| mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap());
    let late: Vec<_> = late.filter(|mail| mail.subject().unwrap().contains("2 hits")).collect();
    assert_eq!(late.len(), 2);
    for mail in late {
        for part in [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()] {
            let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(part.matches("found in retrospect").count(), 1, "{part}");
        }
    }
}

/// Promises P1 and P2: what a kill breaks off goes on where it was, and nothing is found twice.
#[tokio::test]
async fn a_backfill_that_is_broken_off_goes_on_where_it_was() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.adopt("any = [\"nothing\"]", "2026-11-24T05:00:00Z").await;
    let guids: Vec<_> = (0..1200).map(|number| format!("guid-{number}")).collect();
    let items: Vec<_> = guids.iter().map(|guid| (guid.as_str(), "Kim inspects rockets", FRESH)).collect();
    bench.publish(&items);
    assert_eq!(bench.poll("2026-11-24T06:00:00Z").await.new, 1200);
    bench.adopt(CHANGED, "2026-11-24T06:10:00Z").await;
    let execute = |sql: &'static str| bench.resources.store.call(move |connection| Ok(connection.execute_batch(sql)?));
    execute(
        "CREATE TRIGGER kill BEFORE INSERT ON hit WHEN NEW.article_id > 700
         BEGIN SELECT raise(ABORT, 'killed'); END",
    )
    .await
    .unwrap();
    assert!(backfill::backfill(&bench.resources, at("2026-11-24T06:11:00Z")).await.is_err());
    assert_eq!(bench.hits().await, 500);
    execute("DROP TRIGGER kill").await.unwrap();
    bench.adopt(CHANGED, "2026-11-24T06:20:00Z").await;
    let rest = bench.backfill("2026-11-24T06:21:00Z").await;
    assert_eq!(rest, Backfilled { articles: 700, hits: 700, more: false });
    assert_eq!(bench.hits().await, 1200);
    // Over the limit of hits for one poll they are counted, here as there.
    assert_eq!(bench.compose("2026-11-24T07:00:00Z").await, Composed::Sent { hits: 1200, mails: 2 });
}

/// Promise P2: a rule that was changed again while it was run over what is stored finds nothing more in its old version.
#[tokio::test]
async fn a_rule_that_left_is_not_run_on() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", "Kim inspects rockets", FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    bench.adopt(CHANGED, "2026-11-24T06:10:00Z").await;
    let former = bench.resources.clone();
    bench.adopt("any = [\"ballistic missiles\"]\nbackfill = \"7d\"", "2026-11-24T06:20:00Z").await;
    assert_eq!(backfill::backfill(&former, at("2026-11-24T06:20:01Z")).await.unwrap(), Backfilled::default());
    assert_eq!(bench.backfill("2026-11-24T06:20:02Z").await, Backfilled { articles: 1, hits: 0, more: false });
    // Back again, it goes on where it was.
    bench.adopt(CHANGED, "2026-11-24T06:30:00Z").await;
    assert_eq!(bench.backfill("2026-11-24T06:30:01Z").await, Backfilled { articles: 1, hits: 1, more: false });
}

/// Promise P1: what a rule finds while a reload gives it another digest goes into that one.
#[tokio::test]
async fn hits_in_retrospect_go_to_the_digests_in_force() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.publish(&[("a", "Kim inspects rockets", FRESH)]);
    bench.poll("2026-11-24T06:00:00Z").await;
    bench.adopt(CHANGED, "2026-11-24T06:10:00Z").await;
    let former = bench.resources.clone();
    let noon = "[[digest]]\nname = \"noon\"\nto = [\"desk@example.org\"]\nschedule = \"daily at 12:00\"";
    bench.adopt(&format!("{CHANGED}\ndigests = [\"noon\"]\n{noon}"), "2026-11-24T06:20:00Z").await;
    bench.resources.in_force.replace(bench.resources.config.clone());
    assert_eq!(backfill::backfill(&former, at("2026-11-24T06:20:01Z")).await.unwrap().hits, 1);
    let waiting = |connection: &_| store::hit::count_pending(connection, &DigestName::new("noon"));
    assert_eq!(bench.resources.store.call(waiting).await.unwrap(), 1);
}

/// Promise P1: a rule meets every article that is committed after the reload that brought it, also those of a poll that
/// was under way then, in the feed as it is called now.
#[tokio::test]
async fn a_poll_that_began_before_a_reload_is_matched_by_the_new_rules() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    let former = bench.resources.clone();
    bench.adopt("query = 'rockets AND feed:\"The Wire\"'", "2026-11-24T06:10:00Z").await;
    bench.resources.in_force.replace(bench.resources.config.clone());
    bench.publish(&[("a", "Kim inspects rockets", FRESH), ("b", "DPRK fires ballistic missiles", FRESH)]);
    let report = poll::poll(&former, 0, bench.feed, at("2026-11-24T06:09:59Z")).await.unwrap();
    let Polled::Read(counts) = report.outcome else { panic!("{report:?}") };
    assert_eq!((counts.new, counts.hits), (2, 1));
    // A backfill finds nothing more.
    assert_eq!((bench.backfill("2026-11-24T06:10:01Z").await.hits, bench.hits().await), (0, 1));
}

/// Promises P1 and P2: a rule that was away finds what came meanwhile, and nothing a second time.
#[tokio::test]
async fn a_rule_that_comes_back_is_run_over_what_came_meanwhile() {
    let mut bench = bench(at("2026-11-24T05:00:00Z")).await;
    bench.adopt(CHANGED, "2026-11-24T05:00:00Z").await;
    bench.publish(&[("a", "Kim inspects rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T06:00:00Z").await.hits, 1);
    bench.adopt("any = [\"nothing\"]", "2026-11-24T06:10:00Z").await;
    bench.publish(&[("b", "Kim shows new rockets", FRESH)]);
    assert_eq!(bench.poll("2026-11-24T06:20:00Z").await.hits, 0);
    bench.adopt(CHANGED, "2026-11-24T06:30:00Z").await;
    assert_eq!(bench.backfill("2026-11-24T06:30:01Z").await.hits, 1);
    assert_eq!((bench.backfill("2026-11-24T06:30:02Z").await.articles, bench.hits().await), (0, 2));
}

/// One engine: what a poll finds, a backfill, a search and a backtest find too, in the language that the configuration
/// gives the feed.
#[tokio::test]
async fn the_archive_is_read_in_the_configured_language_of_a_feed() {
    for (language, expected) in [("language = \"de\"", 1), ("language = \"en\"", 0), ("", 0)] {
        let mut bench = bench(at("2026-11-24T08:00:00Z")).await;
        bench.publish(&[("a", "Nordkorea startet Raketen", FRESH)]);
        bench.poll("2026-11-24T08:10:00Z").await;
        let feed = format!("name = \"The Wire\"\n{language}");
        let rule = "all = [\"Rakete\"]\nforms = \"inflected\"\nbackfill = \"7d\"";
        let changed = CONFIGURATION.replace("all = [\"ballistic missiles\", \"DPRK\"]", rule);
        let config = load(bench.directory.path(), &changed.replace("name = \"The Wire\"", &feed));
        bench.resources.config = config.clone();
        let now = at("2026-11-24T08:20:00Z");
        let adopted = config.clone();
        let adopt = move |connection: &_| adopt::adopt(connection, &adopted, now, |_| now);
        bench.resources.store.call(adopt).await.unwrap();
        assert_eq!(bench.backfill("2026-11-24T08:20:01Z").await.hits, expected, "{language}");
        let (since, until) = (at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
        let rules = bench.resources.store.call(move |connection| {
            let tried =
                Backtest { config: &config, rule: None, deployed: None, since, until, days: &[since], examples: 1 };
            Ok(tried.run(connection, |_| {})?.rules)
        });
        let rules = rules.await.unwrap();
        assert_eq!((rules[0].hits, rules[0].gained, rules[0].lost), (expected, 0, 0), "{language}");
    }
}
