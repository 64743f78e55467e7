//! The daemon killed at many instants, from its first line to its last mail, against an oracle of what was published.
//!
//! `FEEDWATCH_KILLS` says how often (a few without it), `FEEDWATCH_SEED` where. An instant is a random event (a commit, a
//! line of the log, a request for a feed, a step of an SMTP dialogue) and a random while of work after it, never a time.

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

use fastrand::Rng;
use feedwatch::{clock, store};
use mail_parser::MessageParser;
use rusqlite::Connection;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    os::unix::fs::FileExt,
    time::Instant,
};
use support::{
    PATIENCE, Workspace,
    http::{HttpServer, Page},
    smtp::{Received, SmtpServer},
};

const FEEDS: usize = 6;
const RECIPIENTS: [&str; 2] = ["desk@example.org", "night@example.org"];
/// Known items that a feed still has.
const ROLLED: usize = 5;
/// Lines of the log, and steps of SMTP dialogues, that each life of the daemon comes to if it is let live.
const LINES: usize = 11;
const STEPS: usize = 22;
/// Commits of a life at most that are waited for; it may come to fewer, as polls are committed together.
const COMMITS: usize = 8;
/// Turns of an empty loop at most, which take longer than a commit.
const TURNS: u32 = 2_000_000;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// What was published: headlines of one word that is nowhere else, and whether they are hits.
struct Press {
    feeds: Vec<Vec<(String, bool)>>,
}

impl Press {
    /// Publishes some articles, of which at least one is a hit.
    fn publish(&mut self, rng: &mut Rng) {
        for number in 0..rng.usize(1..5) {
            let (feed, is_hit) = (rng.usize(0..FEEDS), number == 0 || rng.bool());
            let articles = &mut self.feeds[feed];
            articles.push((format!("wire{feed}item{}x", articles.len()), is_hit));
        }
    }

    /// Returns what a feed has now: all that is not `known` yet, and the newest of what is.
    fn page(&self, feed: usize, known: &BTreeSet<String>) -> Page {
        let articles = &self.feeds[feed];
        let news = articles.iter().position(|(word, _)| !known.contains(word)).unwrap_or(articles.len());
        let items = articles[news.saturating_sub(ROLLED)..].iter().rev().map(|(word, is_hit)| {
            let about = if *is_hit { "DPRK" } else { "Harbour" };
            format!(
                "<item><title>{about} {word}</title><guid isPermaLink='false'>{word}</guid>\
                 <pubDate>Mon, 23 Nov 2026 21:41:00 GMT</pubDate></item>"
            )
        });
        let items: String = items.collect();
        let document = format!("<rss version='2.0'><channel><title>Wire {feed}</title>{items}</channel></rss>");
        Page::feed(document).with_etag(&format!("\"{}-{news}\"", articles.len()))
    }

    fn words(&self, hits_only: bool) -> BTreeSet<String> {
        let articles = self.feeds.iter().flatten().filter(|(_, is_hit)| *is_hit || !hits_only);
        articles.map(|(word, _)| word.clone()).collect()
    }
}

fn configuration(http: &HttpServer, smtp: &SmtpServer) -> String {
    let url = http.url("");
    let port = url.rsplit(':').next().expect("a URL has a port");
    // Each on a host of its own, so that they are polled and committed together.
    let feeds: String =
        (0..FEEDS).map(|feed| format!("[[feed]]\nurl = \"http://127.0.0.{}:{port}/{feed}\"\n", feed + 1)).collect();
    format!(
        "[polling]\nhost_delay = \"1ms\"\nbackfill = \"36500d\"\n[mail]\nfrom = \"alerts@example.org\"\nserver = \"{}\"\n\
         tls = \"off\"\n{feeds}[[rule]]\nname = \"DPRK\"\nall = [\"DPRK\"]\ndigests = [\"urgent\"]\n[[digest]]\n\
         name = \"urgent\"\nto = {RECIPIENTS:?}\nschedule = \"immediately\"\nbatch = \"1s\"\nat_most_every = \"1s\"\n",
        smtp.url()
    )
}

/// Checks the store and returns the words of its articles; one that was killed while it was made has none.
fn look_into(workspace: &Workspace) -> (Option<Connection>, BTreeSet<String>) {
    let Ok(store) = store::open_reader(&workspace.path("feedwatch.db")) else { return (None, BTreeSet::new()) };
    for (check, sound) in [("integrity_check", Some("ok")), ("foreign_key_check", None)] {
        let mut statement = store.prepare(&format!("PRAGMA {check}")).expect("a statement");
        let said = statement.query_map([], |row| row.get::<_, String>(0)).expect("a check");
        let said: Vec<String> = said.map(|said| said.expect("a text")).collect();
        assert_eq!(said, sound.into_iter().collect::<Vec<_>>(), "{check}");
    }
    let words = column(&store, "SELECT title FROM article").into_iter().map(|title| word_of(&title)).collect();
    (Some(store), words)
}

fn column(store: &Connection, select: &str) -> Vec<String> {
    let mut statement = store.prepare(select).expect("a statement");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a text")).collect()
}

fn word_of(title: &str) -> String {
    title.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// Returns the words of the articles that a mail tells of.
fn told(message: &[u8]) -> BTreeSet<String> {
    let mail = MessageParser::default().parse(message).expect("a mail");
    let text = mail.body_text(0).expect("a text part");
    let words = text.split_whitespace().filter(|word| word.starts_with("wire") && word.ends_with('x'));
    words.map(str::to_owned).collect()
}

fn told_to(recipient: &str, received: &[Received]) -> BTreeSet<String> {
    received.iter().filter(|mail| mail.recipients == [recipient]).flat_map(|mail| told(&mail.message)).collect()
}

/// Promises P1, P2 and P3: whenever the daemon is killed, each article is kept once, each hit is in one mail to each
/// recipient, and only a mail whose acceptance was not recorded comes again, the same.
#[test]
fn kills_at_any_instant_lose_and_repeat_nothing() {
    let (kills, seed) = (number("FEEDWATCH_KILLS", 8), number("FEEDWATCH_SEED", 1));
    let mut rng = Rng::with_seed(seed);
    let (http, smtp) = (HttpServer::start_on([0, 0, 0, 0]), SmtpServer::start());
    let workspace = Workspace::new(&configuration(&http, &smtp));
    let mut press = Press { feeds: vec![Vec::new(); FEEDS] };
    for life in 0..=kills {
        press.publish(&mut rng);
        let (store, known) = look_into(&workspace);
        for feed in 0..FEEDS {
            http.put(&format!("/{feed}"), press.page(feed, &known));
        }
        if let Some(store) = store {
            let now = clock::now();
            for feed in store::feed::configured(&store).expect("feeds") {
                store::feed::reschedule(&store, feed.id, now, "asked for by a test").expect("a feed that is there");
            }
        }
        let (requests, steps) = (http.log().len(), smtp.steps());
        let daemon = workspace.start_daemon();
        if life == kills {
            let hits = press.words(true);
            let all_told = |mails: &[Received]| RECIPIENTS.iter().all(|to| told_to(to, mails) == hits);
            smtp.wait_until("every hit in a mail to each recipient", all_told);
            wait_for_an_empty_outbox(&workspace);
            daemon.signal("TERM");
            assert!(daemon.wait_for_end().success());
            break;
        }
        let mut turns = TURNS;
        match rng.u8(0..6) {
            0 => daemon.wait_for_lines(rng.usize(1..=LINES)),
            1 => http.wait_for_any_requests(requests + rng.usize(1..=FEEDS)),
            2 => smtp.wait_for_steps(steps + rng.usize(1..=STEPS)),
            _ => {
                wait_for_commits(&workspace, rng.usize(1..=COMMITS), || smtp.steps() >= steps + STEPS);
                turns /= 100;
            }
        }
        for _ in 0..rng.u32(0..turns) {
            std::hint::spin_loop();
        }
        daemon.kill();
    }
    println!("{}", check_against(&press, &workspace, &smtp.received(), kills));
}

/// Waits until the store was committed to so often, or the life has come to its end.
fn wait_for_commits(workspace: &Workspace, count: usize, is_over: impl Fn() -> bool) {
    let path = workspace.path("feedwatch.db-shm");
    let mut index: Option<File> = None;
    // The counter of transactions in the header of SQLite's index of the log (walformat.html §2.1).
    let mut counter = || {
        index = index.take().or_else(|| File::open(&path).ok());
        let mut counter = [0; 4];
        index.as_ref()?.read_exact_at(&mut counter, 8).ok().map(|()| counter)
    };
    let (began, mut before, mut commits) = (Instant::now(), counter(), 0);
    while commits < count && !is_over() {
        let now = counter();
        commits += usize::from(now != before);
        before = now;
        assert!(began.elapsed() < PATIENCE, "{commits} commits came instead of {count}");
    }
}

fn wait_for_an_empty_outbox(workspace: &Workspace) {
    let began = Instant::now();
    while workspace.run(&["outbox", "--json"]).json() != serde_json::json!([]) {
        assert!(began.elapsed() < PATIENCE, "mails wait on");
    }
}

/// Checks what the daemon made of all that was published, and says how much that was.
fn check_against(press: &Press, workspace: &Workspace, received: &[Received], kills: u64) -> String {
    let (store, known) = look_into(workspace);
    let store = store.expect("a store");
    assert_eq!(known, press.words(false), "each article is kept");
    assert_eq!(column(&store, "SELECT title FROM article").len(), known.len(), "and once");
    let hits = column(&store, "SELECT title FROM hit JOIN article ON article.id = article_id");
    assert_eq!(hits.len(), press.words(true).len());
    assert_eq!(hits.iter().map(|title| word_of(title)).collect::<BTreeSet<_>>(), press.words(true));
    assert_eq!(column(&store, "SELECT digest FROM digest_hit WHERE edition_id IS NULL"), Vec::<String>::new());

    let stored = column(&store, "SELECT message_id FROM outbox WHERE state = 'accepted'");
    let mut mails: BTreeMap<String, &Received> = BTreeMap::new();
    for mail in received {
        let parsed = MessageParser::default().parse(&mail.message).expect("a mail");
        let id = format!("<{}>", parsed.message_id().expect("a mail has a Message-ID"));
        let first = mails.entry(id).or_insert(mail);
        assert_eq!(*first, mail, "a mail that comes again is the same");
    }
    assert_eq!(mails.keys().cloned().collect::<BTreeSet<_>>(), stored.into_iter().collect());
    let again = received.len() - mails.len();
    assert!(again as u64 <= kills * RECIPIENTS.len() as u64, "{again} mails came again after {kills} kills");
    let mut told_of: HashMap<(&str, String), usize> = HashMap::new();
    for mail in mails.values() {
        for word in told(&mail.message) {
            *told_of.entry((mail.recipients[0].as_str(), word)).or_default() += 1;
        }
    }
    let twice: Vec<_> = told_of.iter().filter(|(_, mails)| **mails > 1).collect();
    assert!(twice.is_empty(), "hits are in several mails: {twice:?}");
    assert_eq!(told_of.len(), press.words(true).len() * RECIPIENTS.len());
    format!("{kills} kills, {} articles, {} hits, {} mails, {again} again", known.len(), hits.len(), mails.len())
}
