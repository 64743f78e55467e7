//! What fails within a single round costs the round nothing else.

use super::*;
use rusqlite::Connection;

/// Lets the store refuse a change of a column, as if feedwatch failed within.
fn refuse(workspace: &Workspace, column: &str, table: &str) {
    let trigger = format!(
        "CREATE TRIGGER refused BEFORE UPDATE OF {column} ON {table} BEGIN SELECT RAISE(ABORT, 'as a test does'); END"
    );
    let connection = Connection::open(workspace.path("feedwatch.db")).expect("the store is there");
    connection.execute_batch(&trigger).expect("the table is there");
}

/// Promise P6: once a rule that could not be run over what is stored kept everybody's mails from being sent.
#[test]
fn run_once_mails_although_a_new_rule_cannot_be_run_over_what_is_stored() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    refuse(&workspace, "after_article", "rule_version");
    let rule = "\n[[rule]]\nname = \"Marathons\"\nany = [\"marathon\"]\nbackfill = \"30d\"\n";
    workspace.write("feedwatch.toml", &(workspace.read("feedwatch.toml") + rule));
    let ran = workspace.run(&["run", "--once"]);
    says(&ran.stdout, &["edition of \"urgent\": 2 hits", "mail to desk@example.org: accepted"]);
    refused(ran, 1, "new rules were not run over all that is stored");
    assert_eq!(workspace.maildir().len(), 1);
    refused(workspace.run(&["poll"]), 1, "as a test does");
}
