//! What fails within a single round costs the round nothing else.

use super::*;
use rusqlite::Connection;

/// Lets the store refuse a change, as if feedwatch failed within.
fn refuse(workspace: &Workspace, update: &str) {
    let trigger =
        format!("CREATE TRIGGER refused BEFORE UPDATE {update} BEGIN SELECT RAISE(ABORT, 'as a test does'); END");
    let connection = Connection::open(workspace.path("feedwatch.db")).expect("the store is there");
    connection.execute_batch(&trigger).expect("the table is there");
}

/// Promise P6: once a rule that could not be run over what is stored kept everybody's mails from being sent.
#[test]
fn run_once_mails_although_a_new_rule_cannot_be_run_over_what_is_stored() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    refuse(&workspace, "OF after_article ON rule_version");
    let rule = "\n[[rule]]\nname = \"Marathons\"\nany = [\"marathon\"]\nbackfill = \"30d\"\n";
    workspace.write("feedwatch.toml", &(workspace.read("feedwatch.toml") + rule));
    let ran = workspace.run(&["run", "--once"]);
    says(&ran.stdout, &["edition of \"urgent\": 2 hits", "mail to desk@example.org: accepted"]);
    refused(ran, 1, "new rules were not run over all that is stored");
    assert_eq!(workspace.maildir().len(), 1);
    refused(workspace.run(&["poll"]), 1, "as a test does");
}

/// Promise P6: once a page that could not be given up kept everybody's mails from being sent.
#[test]
fn run_once_mails_although_pages_cannot_be_given_up() {
    let site = HttpServer::start();
    for page in ["/1", "/2"] {
        site.put(page, Page::error(429).with_header("retry-after", "900"));
    }
    let item = |page: &str| {
        let date = "Mon, 23 Nov 2026 21:41:00 GMT";
        format!("<item><title>News</title><link>{}</link><pubDate>{date}</pubDate></item>", site.url(page))
    };
    let items = ["/1", "/2"].map(item).concat();
    site.put("/feed", Page::feed(format!("<rss version=\"2.0\"><channel><title>Wire</title>{items}</channel></rss>")));
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    // The first page says that the host is not to be asked for the second.
    refuse(&workspace, "OF finished_at ON full_text WHEN OLD.page LIKE '%/2'");
    let feed = format!("\n[[feed]]\nurl = \"{}\"\nfull_text = \"when-short\"\n", site.url("/feed"));
    workspace.write("feedwatch.toml", &(workspace.read("feedwatch.toml") + &feed));
    let ran = workspace.run(&["run", "--once"]);
    says(&ran.stdout, &["still waiting for pages that are not asked for", "mail to desk@example.org: accepted"]);
    refused(ran, 1, "for a reason within feedwatch");
    assert_eq!(workspace.maildir().len(), 1);
}

/// Promise P8: where timers run single rounds after a daemon, what failed within the daemon is not shown for ever.
#[test]
fn run_once_forgets_what_failed_within_the_daemon() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    let connection = Connection::open(workspace.path("feedwatch.db")).expect("the store is there");
    connection.execute("INSERT INTO notice VALUES ('job:upkeep', 0)", []).expect("the table is there");
    let failing = || workspace.run(&["status", "--json"]).json()["jobs_failing"].clone();
    assert_eq!(failing(), serde_json::json!(["upkeep"]));
    workspace.run(&["run", "--once"]).ended_with(0);
    assert_eq!(failing(), serde_json::json!([]));
}
