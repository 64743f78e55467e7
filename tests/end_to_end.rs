//! The daemon as it runs in earnest: a real configuration, feeds on a loopback HTTP server, mails to a loopback SMTP
//! server, signals and kills from outside.

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

use feedwatch::store::outbox::{self, NewMail};
use mail_parser::MessageParser;
use rusqlite::Connection;
use std::{io::Write, net::TcpListener, os::unix::net::UnixDatagram};
use support::{
    FEED, Workspace, configuration, feed_with,
    http::{HttpServer, Page, dead_url},
    smtp::{Behaviour, SmtpServer},
};

const NO_HIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Harbour News</title><link>https://harbour.example/</link><description>News</description>
<item><title>Harbour strike ends</title><link>https://harbour.example/1</link><guid>harbour-1</guid>
<pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item>
</channel></rss>
"#;

/// A feed at `/wire.xml`, a mail server, and the configuration that joins them.
struct Stage {
    http: HttpServer,
    smtp: SmtpServer,
    workspace: Workspace,
}

impl Stage {
    fn new() -> Self {
        Self::with_feeds(&[])
    }

    fn with_feeds(more: &[String]) -> Self {
        let (http, smtp) = (HttpServer::start(), SmtpServer::start());
        http.put("/wire.xml", Page::feed(FEED).with_etag("\"v1\""));
        let feeds: Vec<_> = more.iter().cloned().chain([http.url("/wire.xml")]).collect();
        let workspace = Workspace::new(&configuration(&feeds, &smtp.url()));
        Self { http, smtp, workspace }
    }

    /// Returns the mails of the outbox, finished ones too.
    fn outbox(&self) -> Vec<serde_json::Value> {
        let mails = self.workspace.run(&["outbox", "--all", "--json"]).json();
        mails.as_array().expect("the outbox is an array").clone()
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn message_id(message: &[u8]) -> String {
    let parsed = MessageParser::default().parse(message).expect("a mail");
    format!("<{}>", parsed.message_id().expect("a mail has a Message-ID"))
}

#[test]
fn the_daemon_polls_matches_and_mails_one_digest() {
    let stage = Stage::new();
    let date = "Mon, 23 Nov 2026 08:00:00 GMT";
    stage.http.put("/harbour.xml", Page::feed(NO_HIT).with_last_modified(date));
    let feeds = [stage.http.url("/wire.xml"), stage.http.url("/harbour.xml")];
    stage.workspace.write("feedwatch.toml", &configuration(&feeds, &stage.smtp.url()));
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a feed brought hits");
    daemon.wait_for("a mail was accepted");

    // The second round asks whether anything changed, and nothing did.
    let said = stage.workspace.run(&["poll"]).ended_with(0);
    assert!(said.contains(&format!("the daemon (process {}) polls 2 feeds", daemon.pid())), "{said}");
    let wire = stage.http.wait_for_requests("/wire.xml", 2);
    assert_eq!((wire[0].status, wire[0].if_none_match.as_deref()), (200, None));
    assert_eq!((wire[1].status, wire[1].if_none_match.as_deref()), (304, Some("\"v1\"")));
    assert!(wire[0].user_agent.as_deref().is_some_and(|agent| agent.starts_with("feedwatch/")), "{wire:?}");
    let harbour = stage.http.wait_for_requests("/harbour.xml", 2);
    assert_eq!((harbour[0].status, harbour[0].if_modified_since.as_deref()), (200, None));
    assert_eq!((harbour[1].status, harbour[1].if_modified_since.as_deref()), (304, Some(date)));
    daemon.wait_for("a feed did not change");

    let received = stage.smtp.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].sender, "alerts@example.org");
    assert_eq!(received[0].recipients, ["desk@example.org"]);
    let mail = MessageParser::default().parse(&received[0].message).expect("a mail");
    assert_eq!(mail.subject(), Some("[feedwatch] 2 hits: DPRK missiles (2)"));
    for (part, text) in [("text", mail.body_text(0)), ("HTML", mail.body_html(0))] {
        let text = words(&text.unwrap_or_else(|| panic!("the mail has no {part} part")));
        for expected in [
            "DPRK",
            "ballistic missile",
            "Second launch in a week",
            "https://wire.example.org/2",
            "Meridian Wire",
            "urgent",
        ] {
            assert!(text.contains(expected), "the {part} part lacks {expected:?}: {text}");
        }
        assert!(!text.contains("marathon"), "the {part} part tells of what is no hit: {text}");
    }
    assert!(mail.date().is_some());
    assert!(mail.message_id().is_some_and(|id| id.ends_with("@example.org")), "{:?}", mail.message_id());
    for (header, expected) in [
        ("From", "alerts@example.org"),
        ("To", "desk@example.org"),
        ("Auto-Submitted", "auto-generated"),
        ("Precedence", "bulk"),
        ("List-Id", "urgent"),
        ("List-Unsubscribe", "mailto:ops@example.org"),
        ("Content-Type", "multipart/alternative"),
    ] {
        let value = mail.header_raw(header).unwrap_or_else(|| panic!("the mail has no {header}"));
        assert!(value.contains(expected), "{header}: {value}");
    }
}

#[test]
fn new_articles_alone_are_mailed() {
    let stage = Stage::new();
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a mail was accepted");
    stage.http.put("/wire.xml", Page::feed(feed_with("DPRK shows an ICBM")).with_etag("\"v2\""));
    stage.workspace.run(&["poll"]).ended_with(0);
    daemon.wait_for("a mail was accepted");
    let received = stage.smtp.received();
    assert_eq!(received.len(), 2, "{received:?}");
    let mail = MessageParser::default().parse(&received[1].message).expect("a mail");
    assert_eq!(mail.subject(), Some("[feedwatch] 1 hit: DPRK missiles (1)"));
    let text = words(&mail.body_text(0).expect("a text part"));
    assert!(text.contains("ICBM") && !text.contains("Second launch"), "{text}");
}

/// Promises P1 and P2: no hit is lost, no alert is repeated.
#[test]
fn a_kill_between_the_poll_and_the_edition_loses_and_repeats_nothing() {
    let stage = Stage::new();
    let slow = stage.workspace.read("feedwatch.toml").replace("batch = \"1s\"", "batch = \"5s\"");
    stage.workspace.write("feedwatch.toml", &slow);
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a feed brought hits");
    daemon.kill();
    assert_eq!(stage.outbox().len(), 0, "the edition was composed before its batch was full");

    let daemon = stage.workspace.daemon();
    daemon.wait_for("a mail was accepted");
    let received = stage.smtp.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(stage.workspace.run(&["hits", "--json"]).json().as_array().map(Vec::len), Some(2));
    let outbox = stage.outbox();
    assert_eq!((outbox.len(), &outbox[0]["state"]), (1, &"accepted".into()), "{outbox:?}");
    assert_eq!(outbox[0]["message_id"], message_id(&received[0].message));
    assert_eq!(stage.http.asked("/wire.xml").len(), 1, "a restart made an early poll");
}

/// Promises P2 and P3: no mail is dropped, and a retry sends the same bytes under the same Message-ID.
#[test]
fn a_mail_that_waits_outlives_a_kill_and_stays_the_same() {
    let stage = Stage::new();
    stage.smtp.behave(Behaviour::Down);
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a feed brought hits");
    stage.smtp.wait_for_connections(1);
    daemon.wait_for("next attempt");
    daemon.kill();
    let waiting = stage.outbox();
    assert_eq!((waiting.len(), &waiting[0]["state"]), (1, &"waiting".into()), "{waiting:?}");
    let number = waiting[0]["id"].to_string();
    let stored = stage.workspace.run(&["outbox", "show", &number]).ended_with(0);

    stage.smtp.behave(Behaviour::Accept);
    let daemon = stage.workspace.daemon();
    let said = stage.workspace.run(&["outbox", "retry", "--all"]).ended_with(0);
    assert!(said.contains("tries 1 mail within seconds"), "{said}");
    daemon.wait_for("a mail was accepted");
    let received = stage.smtp.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(String::from_utf8_lossy(&received[0].message), stored);
    assert_eq!(waiting[0]["message_id"], message_id(&received[0].message));
    let finished = stage.outbox();
    assert_eq!((finished.len(), &finished[0]["state"]), (1, &"accepted".into()), "{finished:?}");
}

/// Promises P2 and P3: a mail that is larger than the server takes is cut to that, stored so and sent; nothing of it was
/// sent before.
#[test]
fn a_mail_larger_than_the_server_takes_is_cut_and_sent() {
    const MOST: usize = 2_600;
    let stage = Stage::new();
    stage.smtp.behave(Behaviour::TakeAtMost(MOST));
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a mail was larger than the server takes");
    daemon.wait_for("a mail was accepted");
    let received = stage.smtp.received();
    assert_eq!(received.len(), 1, "{received:?}");
    let message = &received[0].message;
    assert!(message.len() <= MOST, "{} bytes", message.len());
    let mail = MessageParser::default().parse(message).expect("a mail");
    assert_eq!((mail.subject(), mail.parts.len()), (Some("[feedwatch] 2 hits: DPRK missiles (2)"), 1));
    let text = words(&mail.body_text(0).expect("a text part"));
    assert!(text.contains("Second launch in a week") && text.contains("Read 1 of 1 configured feed"), "{text}");
    let outbox = stage.outbox();
    assert_eq!((outbox.len(), &outbox[0]["state"]), (1, &"accepted".into()), "{outbox:?}");
    assert_eq!(outbox[0]["message_id"], message_id(message));
    let stored = stage.workspace.run(&["outbox", "show", &outbox[0]["id"].to_string()]).ended_with(0);
    assert_eq!(String::from_utf8_lossy(message), stored);

    // Where even that is too much, it is held with the reason.
    stage.smtp.behave(Behaviour::TakeAtMost(500));
    stage.http.put("/wire.xml", Page::feed(feed_with("DPRK shows an ICBM")).with_etag("\"v2\""));
    stage.workspace.run(&["poll"]).ended_with(0);
    daemon.wait_for("takes at most 500 (SIZE)");
    assert_eq!(stage.outbox()[1]["state"], "held");
}

/// Promise P8. Once a notice was cut like an edition, and named a command that does not list what was left out.
#[test]
fn a_notice_larger_than_the_server_takes_is_held() {
    let stage = Stage::new();
    stage.smtp.behave(Behaviour::TakeAtMost(500));
    let daemon = stage.workspace.daemon();
    daemon.wait_for("takes at most 500 (SIZE)");
    let head = "From: alerts@example.org\r\nContent-Type: text/plain\r\n\r\n";
    let notice = NewMail {
        sender: "alerts@example.org".to_owned(),
        recipient: "ops@example.org".to_owned(),
        message_id: "<notice@example.org>".to_owned(),
        subject: "90 feeds fail".to_owned(),
        message: format!("{head}Notice\r\n{}", "- a feed fails\r\n".repeat(90)).into_bytes(),
        is_cut: false,
    };
    let refused = format!("the mail has {} bytes", notice.message.len());
    let file = Connection::open(stage.workspace.path("feedwatch.db")).expect("the store");
    outbox::enqueue(&file, None, &notice, jiff::Timestamp::UNIX_EPOCH).expect("a mail");
    stage.workspace.run(&["outbox", "retry", "--all"]).ended_with(0);
    daemon.wait_for(&refused);
    let outbox = stage.outbox();
    assert_eq!((outbox.len(), &outbox[1]["state"]), (2, &"held".into()), "{outbox:?}");
    assert_eq!(outbox[1]["size_bytes"], notice.message.len());
}

/// Promises P2 and P3. Once a mail was in doubt from the start of its attempt, and was not cut any more after a kill: then it
/// could not be delivered, for ever.
#[test]
fn a_kill_before_anything_of_a_mail_was_sent_leaves_it_to_be_cut() {
    const MOST: usize = 1_500;
    let stage = Stage::new();
    stage.smtp.behave(Behaviour::HangAtRecipient);
    let daemon = stage.workspace.daemon();
    // EHLO and MAIL with their replies; RCPT has none.
    stage.smtp.wait_for_steps(4);
    daemon.kill();
    let waiting = stage.outbox();
    assert_eq!((waiting.len(), &waiting[0]["in_doubt_since"]), (1, &serde_json::Value::Null), "{waiting:?}");
    stage.smtp.behave(Behaviour::TakeAtMost(MOST));
    let daemon = stage.workspace.daemon();
    stage.workspace.run(&["outbox", "retry", "--all"]).ended_with(0);
    daemon.wait_for("a mail was accepted");
    let received = stage.smtp.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert!(received[0].message.len() <= MOST);
    let mail = MessageParser::default().parse(&received[0].message).expect("a mail");
    let text = words(&mail.body_text(0).expect("a text part"));
    let file = Connection::open(stage.workspace.path("feedwatch.db")).expect("the store");
    let is_cut: bool = file.query_row("SELECT cut FROM edition", [], |row| row.get(0)).expect("an edition");
    assert!(text.contains("left out: the mail server takes") && is_cut, "{} bytes: {text}", received[0].message.len());
}

/// Promise P3. Once a mail whose shorter form could not be stored was in doubt, though nothing of it was sent.
#[test]
fn a_store_that_fails_while_a_mail_is_cut_leaves_it_to_be_cut() {
    let stage = Stage::new();
    stage.smtp.behave(Behaviour::Down);
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a mail was not accepted");
    let file = Connection::open(stage.workspace.path("feedwatch.db")).expect("the store");
    let full =
        "CREATE TRIGGER full BEFORE UPDATE OF message ON outbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    file.execute_batch(full).expect("a trigger");
    stage.smtp.behave(Behaviour::TakeAtMost(2_600));
    stage.workspace.run(&["outbox", "retry", "--all"]).ended_with(0);
    daemon.wait_for("could not be stored shorter");
    let waiting = stage.outbox();
    let mail = &waiting[0];
    assert_eq!((&mail["state"], &mail["in_doubt_since"]), (&"waiting".into(), &serde_json::Value::Null), "{waiting:?}");
    file.execute_batch("DROP TRIGGER full").expect("no trigger");
    stage.workspace.run(&["outbox", "retry", "--all"]).ended_with(0);
    daemon.wait_for("a mail was accepted");
    assert_eq!(stage.smtp.received().len(), 1);
}

/// Promises P1 and P2: an article that waits for its page outlives a kill, and is mailed once, with the page's text.
#[test]
fn a_teaser_is_mailed_once_with_the_text_of_its_page_also_after_a_kill() {
    let (http, smtp) = (HttpServer::start(), SmtpServer::start());
    let link = http.url("/story");
    http.put(
        "/wire.xml",
        Page::feed(format!(
            "<rss version=\"2.0\"><channel><title>Wire</title><item><guid>1</guid><title>News at noon</title><link>{link}</link>\
             <pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>"
        ))
        .with_etag("\"v1\""),
    );
    let feed = format!("{}\"\nfull_text = \"when-short", http.url("/wire.xml"));
    // The page has to wait for its host, longer than this daemon lives.
    let configuration = configuration(&[feed], &smtp.url()).replace("\"100ms\"", "\"10m\"");
    let workspace = Workspace::new(&configuration);
    let daemon = workspace.daemon();
    daemon.wait_for("a feed was read");
    daemon.kill();
    assert!(http.asked("/story").is_empty());
    let story = "The DPRK fired ballistic missiles, the ministry in Seoul said on Monday, and told reporters that a ship of the \
                 navy had followed all of them until they fell into the sea, far from the coast. "
        .repeat(3);
    http.put(
        "/story",
        Page::html(format!("<html><body><article><p>{story}</p><p>{story}</p></article></body></html>")),
    );
    let daemon = workspace.daemon();
    daemon.wait_for("the page of an article brought hits");
    let mails = smtp.wait_for_mails(1);
    let text = String::from_utf8_lossy(&mails[0].message).replace("=\r\n", "");
    assert!(text.contains("ballistic missiles"), "{text}");
    assert_eq!(http.asked("/wire.xml").len(), 1, "the poll was whole");
}

/// Promise P2: between the server's 250 and our commit a mail can arrive twice, and then it is the same mail.
#[test]
fn a_kill_before_the_reply_to_the_dot_repeats_the_same_mail() {
    let stage = Stage::new();
    stage.smtp.behave(Behaviour::HangAfterDot);
    let daemon = stage.workspace.daemon();
    stage.smtp.wait_for_mails(1);
    daemon.kill();

    stage.smtp.behave(Behaviour::Accept);
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a mail was accepted");
    let received = stage.smtp.received();
    assert_eq!(received.len(), 2, "{received:?}");
    assert_eq!((received[0].accepted, received[1].accepted), (false, true));
    assert_eq!(received[0].message, received[1].message);
    let outbox = stage.outbox();
    assert_eq!((outbox.len(), &outbox[0]["state"]), (1, &"accepted".into()), "{outbox:?}");
}

/// Promise P2: once the server has said that it has the mail, nothing but our commit is between the two.
#[test]
fn a_kill_while_the_server_hangs_at_quit_repeats_nothing() {
    let stage = Stage::new();
    stage.smtp.behave(Behaviour::HangAtQuit);
    let daemon = stage.workspace.daemon();
    stage.smtp.wait_for_partings(1);
    daemon.kill();
    let outbox = stage.outbox();
    assert_eq!((outbox.len(), &outbox[0]["state"]), (1, &"accepted".into()), "{outbox:?}");

    stage.smtp.behave(Behaviour::Accept);
    let daemon = stage.workspace.daemon();
    stage.http.put("/wire.xml", Page::feed(feed_with("DPRK shows an ICBM")).with_etag("\"v2\""));
    stage.workspace.run(&["poll"]).ended_with(0);
    daemon.wait_for("a mail was accepted");
    let received = stage.smtp.received();
    assert_eq!(received.len(), 2, "{received:?}");
    assert_ne!(message_id(&received[0].message), message_id(&received[1].message));
}

/// Promise P2: no alert is repeated.
#[test]
fn a_second_round_sends_nothing() {
    let stage = Stage::new();
    let first = stage.workspace.run(&["run", "--once"]).ended_with(0);
    assert!(first.contains("edition of \"urgent\": 2 hits"), "{first}");
    assert!(first.contains("mail to desk@example.org: accepted"), "{first}");
    let second = stage.workspace.run(&["run", "--once"]).ended_with(0);
    assert!(second.contains("no mail to send"), "{second}");
    let statuses: Vec<_> = stage.http.asked("/wire.xml").iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [200, 304]);
    assert_eq!(stage.smtp.received().len(), 1);
}

/// Promises P4 and P7: a bad configuration never takes effect, and the administrator hears of it once.
#[test]
fn a_reload_takes_a_good_configuration_and_refuses_a_bad_one() {
    let stage = Stage::new();
    let good = stage.workspace.read("feedwatch.toml");
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a mail was accepted");

    let bad = format!("{good}\n[[rule]]\nname = \"broken\"\nall = [\"@nowhere\"]\ndigests = [\"urgent\"]\n");
    stage.workspace.write("feedwatch.toml", &bad);
    for _ in 0..2 {
        daemon.signal("HUP");
        let refused = daemon.wait_for("the reload was refused");
        assert!(refused.contains("the old configuration stays in force"), "{refused}");
    }
    let told = stage.smtp.wait_for_mails(2).pop().expect("two mails");
    assert_eq!(told.recipients, ["ops@example.org"]);
    let mail = MessageParser::default().parse(&told.message).expect("a mail");
    let text = words(&mail.body_text(0).expect("a text part"));
    assert!(text.contains("refused: 1 error") && text.contains("nowhere"), "{text}");
    let ran = stage.workspace.run(&["status"]);
    for (said, expected) in [
        (&ran.stdout, &["daemon   running since", "the old configuration is in force", "config   1 error, listed"][..]),
        (&ran.stdout, &["the daemon goes on with what it read before", "feeds    1, 0 failing", "outbox   0 waiting"]),
        (&ran.stderr, &["nowhere", "1 error"]),
    ] {
        support::says(said, expected);
    }
    assert_eq!(ran.code, Some(2), "{ran:#?}");

    stage.workspace.write("feedwatch.toml", &good);
    stage.http.put("/wire.xml", Page::feed(feed_with("DPRK shows an ICBM")).with_etag("\"v2\""));
    stage.workspace.run(&["poll"]).ended_with(0);
    let mails = stage.smtp.wait_for_mails(3);
    assert_eq!(mails[2].recipients, ["desk@example.org"], "the old configuration is in force");
    let status = stage.workspace.run(&["status", "--json"]).json();
    let reload = status["daemon"]["reload"].as_str().expect("the refused reload is shown");
    assert!(reload.contains("the old configuration is in force"), "{reload}");

    stage.http.put("/harbour.xml", Page::feed(NO_HIT));
    let feeds = [stage.http.url("/wire.xml"), stage.http.url("/harbour.xml")];
    let better = configuration(&feeds, &stage.smtp.url())
        + "\n[[rule]]\nname = \"Harbour\"\nany = [\"harbour strike\"]\ndigests = [\"urgent\"]\n";
    stage.workspace.write("feedwatch.toml", &better);
    daemon.signal("HUP");
    daemon.wait_for("the configuration was reloaded");
    let mails = stage.smtp.wait_for_mails(5);
    let (told, sent): (Vec<_>, Vec<_>) = mails[3..].iter().partition(|mail| mail.recipients == ["ops@example.org"]);
    assert!(String::from_utf8_lossy(&told[0].message).contains("The configuration is good again"), "{told:?}");
    let mail = MessageParser::default().parse(&sent[0].message).expect("a mail");
    assert_eq!(mail.subject(), Some("[feedwatch] 1 hit: Harbour (1)"));
}

/// Promises P1 and P2: a poll that began before a reload brings an article after it, which meets the new rules at once. A
/// new rule with `backfill` does not wait for that poll, and tells of no article a second time, also after a kill.
#[test]
fn a_poll_that_began_before_the_reload_brings_what_new_rules_find_once() {
    let (listener, smtp) = (TcpListener::bind(("127.0.0.1", 0)).expect("a free port"), SmtpServer::start());
    let held = format!("http://{}/held.xml", listener.local_addr().expect("a bound socket has an address"));
    let workspace = Workspace::new(&configuration(&[held, "harbour.xml".to_owned()], &smtp.url()));
    workspace.write("harbour.xml", NO_HIT);
    let daemon = workspace.daemon();
    let (mut held, _) = listener.accept().expect("the daemon polls");
    daemon.wait_for("a feed was read");
    let rule = "\n[[rule]]\nname = \"Harbour\"\nany = [\"@harbour\"]\nbackfill = \"36500d\"\ndigests = [\"urgent\"]\n";
    let rules =
        workspace.read("feedwatch.toml").replace("[terms]\n", "[terms]\nharbour = { file = \"harbour.txt\" }\n");
    workspace.write("harbour.txt", "port closed\n");
    workspace.write("feedwatch.toml", &(rules + rule));
    daemon.signal("HUP");
    daemon.wait_for("new rules were run over what is stored articles=1 hits=0");
    // The terms of a file are the rule's: a change of the file alone is a change of the rule.
    workspace.write("harbour.txt", "# of the coast\r\nport closed\r\nharbour strike\r\n");
    daemon.signal("HUP");
    daemon.wait_for("new rules were run over what is stored articles=1 hits=1");
    let body = NO_HIT.replace("strike ends", "strike goes on");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close";
    smtp.wait_for_mails(1);
    write!(held, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("the daemon waits");
    daemon.wait_for("a feed brought hits");
    let mails = smtp.wait_for_mails(2);
    let in_retrospect = mails.iter().map(|mail| {
        let mail = MessageParser::default().parse(&mail.message).expect("a mail");
        assert_eq!(mail.subject(), Some("[feedwatch] 1 hit: Harbour (1)"));
        words(&mail.body_text(0).expect("a text")).contains("found in retrospect")
    });
    assert_eq!(in_retrospect.collect::<Vec<_>>(), [true, false]);

    daemon.kill();
    workspace.write("harbour.txt", "harbour strike\n");
    let daemon = workspace.daemon();
    daemon.wait_for("new rules were run over what is stored articles=2 hits=0");
    assert_eq!(workspace.run(&["hits", "--json"]).json().as_array().map(Vec::len), Some(2));
}

/// Promise P7: a bad configuration is refused whole at the start, with the exit code on which systemd does not restart.
#[test]
fn the_daemon_does_not_start_on_a_bad_configuration() {
    let workspace = Workspace::new(&configuration(&[], "file:./mail").replace("[[rule]]", "[[ruel]]"));
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(!workspace.path("feedwatch.db").exists());
}

#[test]
fn sigterm_ends_the_daemon_with_0() {
    let stage = Stage::new();
    let daemon = stage.workspace.daemon();
    daemon.wait_for("a mail was accepted");
    daemon.signal("TERM");
    daemon.wait_for("feedwatch has stopped");
    let status = daemon.wait_for_end();
    assert_eq!(status.code(), Some(0), "{status:?}");
    let status = stage.workspace.run(&["status", "--json"]).json();
    assert_eq!(status["running"], false, "{status:#}");
}

/// What systemd is told, on a socket such as it gives (sd_notify(3)).
#[test]
fn systemd_hears_of_readiness_reload_liveness_and_the_end() {
    let stage = Stage::new();
    let socket = UnixDatagram::bind(stage.workspace.path("notify")).expect("a socket in the workspace");
    socket.set_read_timeout(Some(support::PATIENCE)).expect("a socket takes a time-out");
    let wait_for = |wanted: &str| {
        let mut buffer = [0; 4096];
        let mut heard = Vec::new();
        while let Ok(length) = socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.lines().any(|line| line.starts_with(wanted)) {
                return text;
            }
            heard.push(text);
        }
        panic!("waited in vain for {wanted}, heard {heard:?}");
    };
    let mut command = support::feedwatch(stage.workspace.path("").as_path());
    command.arg("run").env("NOTIFY_SOCKET", stage.workspace.path("notify")).env("WATCHDOG_USEC", "2000000");
    let daemon = support::Daemon::start(command);
    let ready = wait_for("READY=1");
    assert!(ready.contains("STATUS=1 feed, "), "{ready}");
    wait_for("WATCHDOG=1");
    daemon.signal("HUP");
    assert!(wait_for("RELOADING=1").contains("MONOTONIC_USEC="));
    wait_for("READY=1");
    daemon.signal("TERM");
    wait_for("STOPPING=1");
    assert_eq!(daemon.wait_for_end().code(), Some(0));
}

#[test]
fn a_second_daemon_on_the_same_store_does_not_start() {
    let stage = Stage::new();
    let daemon = stage.workspace.daemon();
    let second = stage.workspace.run(&["run"]);
    assert_eq!(second.code, Some(1), "{second:#?}");
    assert!(second.stderr.contains(&format!("another feedwatch (process {})", daemon.pid())), "{second:#?}");
    daemon.signal("TERM");
    assert_eq!(daemon.wait_for_end().code(), Some(0));
}

/// Promises P4 and P6: bad input stays local, and the digest says what could not be looked at.
#[test]
fn broken_feeds_stop_nothing_and_are_told_of() {
    let http = HttpServer::start();
    http.put("/broken.xml", Page::error(500));
    http.put("/page.xml", Page::html("<!doctype html><title>Sign in</title><p>Welcome to the hotel network"));
    let broken = [http.url("/broken.xml"), http.url("/page.xml"), dead_url()];
    let stage = Stage::with_feeds(&broken);
    let daemon = stage.workspace.daemon();
    daemon.wait_for_warnings_of(&broken);
    let received = stage.smtp.wait_for_mails(1);
    let mail = MessageParser::default().parse(&received[0].message).expect("a mail");
    assert_eq!(mail.subject(), Some("[feedwatch] 2 hits: DPRK missiles (2)"));
    let feeds = stage.workspace.run(&["feeds", "--failing", "--json"]).json();
    let mut failing: Vec<_> = feeds
        .as_array()
        .expect("an array")
        .iter()
        .map(|feed| feed["url"].as_str().unwrap_or_default().to_owned())
        .collect();
    let mut expected = broken.to_vec();
    failing.sort();
    expected.sort();
    assert_eq!(failing, expected);
    for feed in feeds.as_array().expect("an array") {
        assert!(feed["error"].as_str().is_some_and(|error| !error.is_empty()), "{feed:#}");
    }
}
