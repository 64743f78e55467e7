//! One test of the binary for each subcommand, against real files, a real store and loopback servers.

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

#[path = "commands/archive.rs"]
mod archive;
#[path = "commands/failures.rs"]
mod failures;
#[path = "commands/matching.rs"]
mod matching;

use mail_parser::MessageParser;
use support::{
    FEED, Workspace, configuration, feedwatch,
    http::{HttpServer, Page, dead_url},
    refused, run, says,
    smtp::{Behaviour, SmtpServer},
};

/// A workspace whose feed is a file and whose mails go into the Maildir `mail`.
fn workspace() -> Workspace {
    with_server("file:./mail")
}

fn with_server(server: &str) -> Workspace {
    let workspace = Workspace::new(&configuration(&["feed.xml".to_owned()], server));
    workspace.write("feed.xml", FEED);
    workspace
}

#[test]
fn check_tells_what_the_configuration_means() {
    let workspace = workspace();
    let said = workspace.run(&["check"]).ended_with(0);
    says(&said, &["the configuration is good: 1 feed, 1 rule", "1 digest", "digest \"urgent\"", "desk@example.org"]);
    let json = workspace.run(&["check", "--json"]).json();
    assert_eq!((&json["ok"], &json["errors"]), (&true.into(), &serde_json::json!([])), "{json:#}");
    let online = workspace.run(&["check", "--online"]).ended_with(0);
    says(&online, &["feed.xml: 3 items", "mail goes into the Maildir"]);
    assert!(!workspace.path("feedwatch.db").exists(), "check made a store");
}

/// Promise P7: every error is listed.
#[test]
fn check_lists_every_error_of_a_bad_configuration() {
    let workspace = workspace();
    let bad =
        workspace.read("feedwatch.toml").replace("backfill =", "backfil =").replace("\"@missile\"", "\"@misile\"");
    workspace.write("feedwatch.toml", &bad);
    let ran = workspace.run(&["check"]);
    says(&ran.stderr, &["backfil", "misile", "feedwatch.toml"]);
    refused(ran, 2, "missile");
    let ran = workspace.run(&["check", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("check --json prints JSON");
    assert_eq!(ran.code, Some(2));
    assert_eq!(json["ok"], false);
    assert!(json["errors"].as_array().is_some_and(|errors| errors.len() >= 2), "{json:#}");
}

/// A rule whose example does not behave as it should is an error.
#[test]
fn check_tests_the_examples_of_rules() {
    let workspace = workspace();
    let with = |key: &str, example: &str| {
        let all = "all = [\"@missile\", \"DPRK\"]";
        workspace.read("feedwatch.toml").replace(all, &format!("{all}\n{key} = [\"{example}\"]"))
    };
    let (good, bad) = (with("must_match", "DPRK shows an ICBM"), with("must_not_match", "DPRK shows an ICBM"));
    workspace.write("feedwatch.toml", &good);
    says(&workspace.run(&["check"]).ended_with(0), &["1 rule with 1 passing example"]);
    workspace.write("feedwatch.toml", &bad);
    refused(workspace.run(&["check"]), 2, "DPRK shows an ICBM");
}

#[test]
fn poll_fetches_now_and_sends_nothing() {
    let workspace = workspace();
    let said = workspace.run(&["poll"]).ended_with(0);
    says(&said, &["FEED", "OUTCOME", "1 feed polled, 3 articles new, 2 hits"]);
    let again = workspace.run(&["poll", "--json"]).json();
    assert_eq!(again[0]["outcome"], "unchanged", "{again:#}");
    assert_eq!(again[0]["hits"], 0, "{again:#}");
    assert!(workspace.maildir().is_empty());
    refused(workspace.run(&["poll", "https://nowhere.example/"]), 2, "no feed is called");
    refused(workspace.run(&["poll", "--tag", "none"]), 2, "no feed was chosen");
}

#[test]
fn poll_tells_of_a_feed_that_cannot_be_read() {
    let workspace = workspace();
    workspace.write("feed.xml", "<!doctype html><p>not a feed");
    let json = workspace.run(&["poll", "--json"]).json();
    assert_eq!(json[0]["outcome"], "failed", "{json:#}");
    assert!(json[0]["error"].as_str().is_some_and(|error| error.contains("feed.xml")), "{json:#}");
}

/// A round fetches the pages that its articles wait for, and `feeds` shows what came of them.
#[test]
fn poll_fetches_the_pages_of_teasers_and_feeds_tells_of_them() {
    let site = HttpServer::start();
    let item = |path: &str| {
        format!(
            "<item><title>News</title><link>{}</link><pubDate>Mon, 23 Nov 2026 21:41:00 GMT</pubDate></item>",
            site.url(path)
        )
    };
    let items = format!("{}{}", item("/1"), item("/missing"));
    site.put("/feed", Page::feed(format!("<rss version=\"2.0\"><channel><title>Wire</title>{items}</channel></rss>")));
    let text = "DPRK fires ballistic missiles, the ministry in Seoul said on Monday, and told reporters, who had come early, \
                that a ship of the navy had followed all of them. ";
    site.put(
        "/1",
        Page::html(format!("<html><body><article><p>{0}</p><p>{0}</p></article></body></html>", text.repeat(3))),
    );
    let feed = format!("{}\"\nfull_text = \"when-short", site.url("/feed"));
    let workspace = Workspace::new(&configuration(&[feed], "file:./mail"));
    let said = workspace.run(&["poll"]).ended_with(0);
    says(
        &said,
        &["2 articles", "1 article matched on the page's text; 1 article on what the feed said", "404 Not Found"],
    );
    let feeds = workspace.run(&["feeds", "--json"]).json();
    let full_text = &feeds[0]["full_text"];
    assert_eq!((&full_text["read"], &full_text["given_up"]), (&1.into(), &1.into()), "{feeds:#}");
    assert!(full_text["error"].as_str().is_some_and(|error| error.contains("/missing")), "{feeds:#}");
}

#[test]
fn digest_previews_and_sends() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    let preview = workspace.run(&["digest"]).ended_with(0);
    says(&preview, &["Subject: [feedwatch] 2 hits: DPRK missiles (2)", "Second launch in a week"]);
    let json = workspace.run(&["digest", "urgent", "--json"]).json();
    assert_eq!((&json["hits"], &json["to"]), (&2.into(), &serde_json::json!(["desk@example.org"])), "{json:#}");

    let (html, eml) = (workspace.path("d.html"), workspace.path("d.eml"));
    let files = ["--html", html.to_str().expect("UTF-8"), "--eml", eml.to_str().expect("UTF-8")];
    assert_eq!(workspace.run(&[&["digest"], &files[..]].concat()).ended_with(0), "");
    says(&workspace.read("d.html"), &["<!doctype html>", "Second launch in a week"]);
    let eml = workspace.read("d.eml");
    let mail = MessageParser::default().parse(eml.as_bytes()).expect("a mail");
    assert_eq!(mail.subject(), Some("[feedwatch] 2 hits: DPRK missiles (2)"));
    assert!(workspace.maildir().is_empty(), "a preview was sent");

    let sent = workspace.run(&["digest", "urgent", "--send"]).ended_with(0);
    says(&sent, &["an edition with 2 hits was composed", "mail to desk@example.org: accepted"]);
    let again = workspace.run(&["digest", "urgent", "--send"]).ended_with(0);
    says(&again, &["nothing to say"]);
    assert_eq!(workspace.maildir().len(), 1);
    refused(workspace.run(&["digest", "evening"]), 2, "there are: urgent");
}

/// Promise P3: a mail leaves the outbox when a server accepts it or a person discards it.
#[test]
fn outbox_shows_retries_and_discards() {
    let smtp = SmtpServer::start();
    let workspace = with_server(&smtp.url());
    smtp.behave(Behaviour::RefuseRecipient(550));
    refused(workspace.run(&["run", "--once"]), 1, "1 mail held for you");
    let held = workspace.run(&["outbox", "--json"]).json();
    assert_eq!((&held[0]["state"], &held[0]["recipient"]), (&"held".into(), &"desk@example.org".into()), "{held:#}");
    assert!(held[0]["last_error"].as_str().is_some_and(|error| error.contains("550")), "{held:#}");
    let number = held[0]["id"].to_string();
    says(&workspace.run(&["outbox"]).ended_with(0), &["held", "desk@example.org", "feedwatch outbox retry N"]);
    says(&workspace.run(&["outbox", "show", &number]).ended_with(0), &["Message-ID: ", "Subject: [feedwatch] 2 hits"]);

    smtp.behave(Behaviour::RefuseMessage(451));
    workspace.run(&["outbox", "retry", &number]).ended_with(0);
    assert_eq!(workspace.run(&["outbox", "--json"]).json()[0]["state"], "waiting");
    smtp.behave(Behaviour::Accept);
    let said = workspace.run(&["outbox", "retry", "--all"]).ended_with(0);
    says(&said, &["mail to desk@example.org: accepted"]);
    says(&workspace.run(&["outbox"]).ended_with(0), &["no mail waits"]);
    assert_eq!(workspace.run(&["outbox", "--all", "--json"]).json()[0]["state"], "accepted");
    assert_eq!(smtp.received().len(), 1);

    smtp.behave(Behaviour::RefuseRecipient(421));
    workspace.write("feed.xml", &support::feed_with("DPRK shows an ICBM"));
    workspace.run(&["poll"]).ended_with(0);
    refused(workspace.run(&["digest", "--send"]), 1, "not accepted");
    says(&workspace.run(&["outbox", "discard", "--all"]).ended_with(0), &["1 mail discarded"]);
    refused(workspace.run(&["outbox", "retry", "2"]), 1, "no mail 2 waits");
    refused(workspace.run(&["outbox", "show", "99"]), 2, "there is no mail 99");
    refused(workspace.run(&["outbox", "discard"]), 2, "Usage:");
}

#[test]
fn feeds_shows_the_health_of_every_feed() {
    let workspace = workspace();
    let json = workspace.run(&["feeds", "--json"]).json();
    assert_eq!(json[0]["state"], "never polled", "{json:#}");
    workspace.run(&["poll"]).ended_with(0);
    let json = workspace.run(&["feeds", "--json"]).json();
    assert_eq!((&json[0]["state"], &json[0]["name"]), (&"ok".into(), &"Meridian Wire".into()), "{json:#}");
    assert!(json[0]["url"].as_str().is_some_and(|url| url.ends_with("feed.xml")), "{json:#}");
    says(&workspace.run(&["feeds"]).ended_with(0), &["Meridian Wire", "1 feed, 0 failing"]);

    workspace.write("feed.xml", "no feed at all");
    workspace.run(&["poll"]).ended_with(0);
    let json = workspace.run(&["feeds", "--failing", "--json"]).json();
    assert_eq!((&json[0]["state"], &json[0]["failures"]), (&"failing".into(), &1.into()), "{json:#}");
}

#[test]
fn feeds_tells_all_about_the_one_that_was_named() {
    let feeds = ["feed.xml".to_owned(), dead_url() + "?token=secret", dead_url()];
    let text = configuration(&feeds, "file:./mail");
    let workspace =
        Workspace::new(&text.replace("token=secret\"", "token=secret\"\nname = \"Dead\"\ninterval = \"30m\""));
    workspace.write("feed.xml", FEED);
    workspace.run(&["poll"]).ended_with(0);
    let lines = text.lines().take_while(|line| !line.contains("secret")).count();
    let page = workspace.run(&["feeds", "dead"]).ended_with(0);
    let (url, interval) = (format!("feedwatch.toml:{}", lines + 1), format!("feedwatch.toml:{}", lines + 3));
    says(
        &page,
        &["token=***", &url, "failing since", "(once)", "the connection was refused", "backing off", &interval],
    );
    assert!(!page.contains("secret"), "{page}");
    let page = workspace.run(&["feeds", "meridian"]).ended_with(0);
    says(&page, &["Meridian Wire", "state          ok", "next poll", "adapts to how often", "not known yet"]);
    // A part that several have lists them, broken ones first.
    let list = workspace.run(&["feeds", "feed"]).ended_with(0);
    says(&list, &["FEED", "3 feeds, 2 failing"]);
    assert!(list.find("Dead") < list.find("Meridian"), "{list}");
    let states = |arguments: &[&str]| workspace.run(&[&["feeds", "--json"], arguments].concat()).json();
    assert_eq!(states(&["--state", "failing"]).as_array().map(Vec::len), Some(2));
    assert_eq!(states(&["--state", "stale", "--state", "ok"])[0]["name"], "Meridian Wire");
    refused(workspace.run(&["feeds", "nobody"]), 2, "no feed has `nobody` in its name or URL");
}

#[test]
fn status_tells_what_comes_next() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    let json = workspace.run(&["status", "--json"]).json();
    assert_eq!((&json["running"], &json["feeds"], &json["feeds_failing"]), (&false.into(), &1.into(), &0.into()));
    assert_eq!((&json["editions"][0]["digest"], &json["mails_waiting"]), (&"urgent".into(), &0.into()), "{json:#}");
    assert_eq!(json["editions"][0]["hits_waiting"], 2, "{json:#}");
    says(
        &workspace.run(&["status"]).ended_with(0),
        &[
            "not running",
            "feeds    1, 0 failing",
            "2 hits waiting",
            "outbox   0 waiting, 0 held",
            "not looked over yet",
        ],
    );
    workspace.run(&["run", "--once"]).ended_with(0);
    says(&workspace.run(&["status"]).ended_with(0), &["store    sound at "]);
    let json = workspace.run(&["status", "--json"]).json();
    assert_eq!(json["store_check"]["damage"], serde_json::Value::Null, "{json:#}");
    assert!(json["store_check"]["checked_at"].is_string(), "{json:#}");
}

/// What the store tells is shown whatever is wrong with the configuration, and then what that is.
#[test]
fn status_is_shown_with_a_broken_configuration() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    let good = workspace.read("feedwatch.toml");
    let store = workspace.path("feedwatch.db").display().to_string();
    let unknown = good.replace("all = [", "al = [");
    let no_toml = format!("{good}\n[[rule]\nname = \"broken\n");
    for (broken, why) in [(&unknown, "`rule[0].al`"), (&no_toml, "is not TOML")] {
        workspace.write("feedwatch.toml", broken);
        let ran = workspace.run(&["status"]);
        says(&ran.stdout, &["daemon   not running", "error", "listed below", "feeds    1, 0 failing"]);
        refused(ran, 2, why);
        let ran = workspace.run(&["status", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!((&json["feeds"], &json["editions"]), (&1.into(), &serde_json::json!([])), "{json:#}");
        assert!(!json["configuration_errors"].as_array().expect("an array").is_empty(), "{json:#}");
        refused(ran, 2, why);
    }
    // Where errors may hide which store it is, none is guessed.
    for hidden in [good.replace("path = \"feedwatch.db\"", "path = 7"), "[store".to_owned()] {
        workspace.write("feedwatch.toml", &hidden);
        let ran = workspace.run(&["status"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:#?}");
        let ran = workspace.run(&["status", "--store", &store]);
        says(&ran.stdout, &["feeds    1, 0 failing"]);
        refused(ran, 2, "feedwatch.toml");
    }
    std::fs::remove_file(workspace.path("feedwatch.toml")).expect("a file that was written");
    let mut command = feedwatch(workspace.path("").as_path());
    command.args(["status", "--store", &store]);
    says(&run(command).ended_with(0), &["feeds    1, 0 failing"]);
}

#[test]
fn run_once_tells_scripts_what_it_did() {
    let workspace = workspace();
    let json = workspace.run(&["run", "--once", "--json"]).json();
    assert_eq!((&json["feeds"][0]["new"], &json["feeds"][0]["hits"]), (&3.into(), &2.into()), "{json:#}");
    assert_eq!(json["editions"], serde_json::json!([{"digest": "urgent", "hits": 2}]), "{json:#}");
    assert_eq!(json["mails"][0]["accepted"], true, "{json:#}");
    assert_eq!(workspace.maildir().len(), 1);
}

#[test]
fn completions_and_man_pages_are_made() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let of = |arguments: &[&str]| {
        let mut command = feedwatch(directory.path());
        command.args(arguments);
        run(command).ended_with(0)
    };
    for shell in ["bash", "zsh", "fish"] {
        says(&of(&["completions", shell]), &["feedwatch", "outbox"]);
    }
    assert_eq!(of(&["man", "man1"]), "");
    let page = std::fs::read_to_string(directory.path().join("man1/feedwatch.1")).expect("the main page");
    says(&page, &[".TH feedwatch 1", "Exit codes"]);
    for command in COMMANDS {
        assert!(directory.path().join(format!("man1/feedwatch-{command}.1")).is_file(), "{command} has no page");
    }
}

#[test]
fn without_a_configuration_a_command_says_where_it_looked() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut command = feedwatch(directory.path());
    command.args(["check", "--config", "missing.toml"]);
    refused(run(command), 2, "missing.toml");
}

const COMMANDS: [&str; 13] = [
    "run",
    "check",
    "poll",
    "match",
    "hits",
    "search",
    "backtest",
    "digest",
    "outbox",
    "feeds",
    "status",
    "completions",
    "man",
];

#[test]
fn help_reads_as_it_should() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let help = |arguments: &[&str]| {
        let mut command = feedwatch(directory.path());
        command.args(arguments).arg("--help");
        run(command).ended_with(0)
    };
    insta::assert_snapshot!("help", help(&[]));
    for command in COMMANDS {
        insta::assert_snapshot!(format!("help_{command}"), help(&[command]));
    }
    for action in ["show", "retry", "discard"] {
        insta::assert_snapshot!(format!("help_outbox_{action}"), help(&["outbox", action]));
    }
    for action in ["add", "import", "export"] {
        insta::assert_snapshot!(format!("help_feeds_{action}"), help(&["feeds", action]));
    }
}
