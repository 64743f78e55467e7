//! `match`: which rules hit a text, and what the others miss.

use super::*;

#[test]
fn match_tells_which_rules_hit_and_why() {
    let workspace = workspace();
    let hit = workspace.run(&["match", "DPRK fires ballistic missiles"]).ended_with(0);
    says(&hit, &["DPRK fires ballistic missiles", "hit ", "DPRK missiles", "1 hit in 1 text, 1 rule"]);
    let miss = workspace.run(&["match", "--why", "DPRK missiles", "Pyongyang marathon opens"]).ended_with(0);
    says(&miss, &["miss ", "DPRK missiles", "0 hits in 1 text, 1 rule"]);
    let json = workspace.run(&["match", "--json", "DPRK fires ballistic missiles"]).json();
    assert_eq!(json[0]["rules"][0]["hit"], true, "{json:#}");
    let feed = workspace.run(&["match", "feed.xml"]).ended_with(0);
    says(&feed, &["Second launch in a week", "2 hits in 3 texts, 1 rule"]);
    assert!(!feed.contains("marathon"), "{feed}");
    refused(workspace.run(&["match", "--why", "Nothing", "text"]), 2, "there are: DPRK missiles");
}

/// Of one text the rules that miss are one line each, the nearest first, and of many the rest is counted.
#[test]
fn match_tells_what_is_missing() {
    let workspace = workspace();
    let missed = workspace.run(&["match", "DPRK fires a ballistic rocket"]).ended_with(0);
    let summary = "`DPRK missiles` does not match: `DPRK` seen; @missile (";
    says(&missed, &[summary, "not seen, but “ballistic” in title (followed by “rocket”, not by `missile*`)"]);
    says(&missed, &["--why RULE shows the conditions of one"]);
    assert!(!missed.contains('✗'), "{missed}");
    let whole = workspace.run(&["match", "--why", "DPRK missiles", "DPRK fires a ballistic rocket"]).ended_with(0);
    says(&whole, &[summary, "✗ all: `@missile` not found, but “ballistic” in title", "✓ all: `DPRK` found"]);
    let json = workspace.run(&["match", "--json", "DPRK fires a ballistic rocket"]).json();
    let missing = &json[0]["rules"][0]["missing"];
    assert_eq!(missing.as_array().map(Vec::len), Some(1), "{json:#}");
    assert_eq!(missing[0]["nearest"]["text"], "ballistic", "{json:#}");

    let rule = |number| format!("[[rule]]\nname = \"r{number}\"\nall = [\"nowhere{number}\"]\n");
    let many: String = (0..30).map(rule).collect();
    workspace.write("feedwatch.toml", &(workspace.read("feedwatch.toml") + "\n" + &many));
    let said = workspace.run(&["match", "DPRK marathon"]).ended_with(0);
    says(&said, &[summary, "11 more rules do not match", "0 hits in 1 text, 31 rules"]);
    assert_eq!(said.matches("does not match").count(), 20, "{said}");
    let first = said.lines().nth(1).unwrap_or_default();
    assert!(first.contains("`DPRK missiles`"), "{said}");
    let hit = workspace.run(&["match", "Gone to nowhere7"]).ended_with(0);
    says(&hit, &["hit  `r7` matches", "title: Gone to nowhere7"]);
    let json = workspace.run(&["match", "--json", "DPRK marathon"]).json();
    assert_eq!(
        (json[0]["rules"].as_array().map(Vec::len), &json[0]["more_misses"]),
        (Some(20), &11.into()),
        "{json:#}"
    );
}

#[test]
fn match_reads_the_article_of_a_page() {
    let workspace = workspace();
    let site = HttpServer::start();
    let story = "DPRK fires ballistic missiles, the ministry in Seoul said on Monday, and told reporters that a ship of the \
                 navy had followed all of them until they fell into the sea, far from the coast, before noon.";
    site.put(
        "/1",
        Page::html(format!(
            "<html><head><title>Launch before noon</title></head><body><article><h1>Launch before noon</h1><p>{story}</p>\
             <p>{}</p></article><aside><p>Video game</p></aside></body></html>",
            "Officials, who asked not to be named, said that more would be known in the evening, when they had met. ".repeat(3)
        )),
    );
    let hit = workspace.run(&["match", &site.url("/1")]).ended_with(0);
    says(&hit, &["Launch before noon", "hit ", "1 hit in 1 text, 1 rule"]);
    let json = workspace.run(&["match", "--json", &site.url("/1")]).json();
    assert_eq!(
        (&json[0]["title"], &json[0]["link"]),
        (&"Launch before noon".into(), &site.url("/1").into()),
        "{json:#}"
    );
}

/// Once a text on the command line missed every rule with `tags`, because it comes from no feed.
#[test]
fn match_tries_a_text_of_no_feed_whatever_feeds_a_rule_is_for() {
    let workspace = workspace();
    let scoped = workspace.read("feedwatch.toml").replace("[[rule]]\n", "[[rule]]\ntags = [\"elsewhere\"]\n");
    let tagged = scoped.replace("[[feed]]\n", "[[feed]]\ntags = [\"elsewhere\"]\n");
    workspace.write("feedwatch.toml", &tagged);
    let said = workspace.run(&["match", "DPRK fires ballistic missiles"]).ended_with(0);
    says(&said, &["matches"]);
    assert!(!said.contains("tags"), "{said}");
}
