//! What is asked of the stored articles: `hits`, `search`, `backtest`, and rules that look back.

use super::*;

#[test]
fn hits_lists_what_was_found() {
    let workspace = workspace();
    refused(workspace.run(&["hits"]), 1, "there is no store");
    workspace.run(&["poll"]).ended_with(0);
    says(&workspace.run(&["hits"]).ended_with(0), &["[DPRK missiles]", "Second launch in a week", "2 hits"]);
    let json = workspace.run(&["hits", "--json", "--since", "1h", "--digest", "urgent"]).json();
    let hits = json.as_array().expect("an array");
    assert_eq!(hits.len(), 2, "{json:#}");
    for hit in hits {
        assert_eq!((&hit["rule"], &hit["outlet"]), (&"DPRK missiles".into(), &"Meridian Wire".into()), "{hit:#}");
        let terms: Vec<_> = hit["terms"].as_array().expect("terms").iter().map(|term| &term["term"]).collect();
        assert!(terms.contains(&&"DPRK".into()), "{hit:#}");
    }
    assert_eq!(workspace.run(&["hits", "--json", "--limit", "1"]).json().as_array().map(Vec::len), Some(1));
    assert_eq!(workspace.run(&["hits", "--json", "--rule", "none"]).json(), serde_json::json!([]));
    refused(workspace.run(&["hits", "--since", "sometime"]), 2, "--since sometime");
}

#[test]
fn search_finds_stored_articles() {
    let workspace = workspace();
    refused(workspace.run(&["search", "DPRK"]), 1, "there is no store");
    workspace.run(&["poll"]).ended_with(0);
    let said = workspace.run(&["search", "@missile AND DPRK"]).ended_with(0);
    says(
        &said,
        &["DPRK fires ballistic missiles", "Meridian Wire · ", "wire.example.org/2", "2 articles found among 3"],
    );
    assert!(!said.contains("marathon") && !said.contains('\u{1b}'), "{said}");
    let json = workspace.run(&["search", "Pyongyang", "--in", "title,author", "--since", "1h", "--json"]).json();
    assert_eq!(json["articles"].as_array().map(Vec::len), Some(1), "{json:#}");
    assert_eq!(json["articles"][0]["terms"][0]["term"], "Pyongyang", "{json:#}");
    let json = workspace.run(&["search", "Pyongyang OR DPRK", "--limit", "1", "--json"]).json();
    assert_eq!((json["articles"].as_array().map(Vec::len), &json["more"]), (Some(1), &true.into()), "{json:#}");
    assert_eq!(workspace.run(&["search", "DPRK", "--until", "1h", "--json"]).json()["articles"], serde_json::json!([]));
    refused(workspace.run(&["search", "a AND b OR c"]), 2, "\n    a AND b OR c\n            ^");
    refused(workspace.run(&["search", "@misile"]), 2, "missile");

    // Where the configuration is gone, a store is enough.
    let mut command = feedwatch(workspace.path("").as_path());
    std::fs::rename(workspace.path("feedwatch.toml"), workspace.path("gone.toml")).expect("it can be renamed");
    command.args(["search", "DPRK", "--store", "feedwatch.db"]);
    says(&run(command).ended_with(0), &["Second launch in a week", "2 articles found"]);
}

#[test]
fn backtest_tells_what_a_change_gains_and_loses() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    let same = workspace.run(&["backtest"]).ended_with(0);
    says(
        &same,
        &["DPRK missiles  2 hits · unchanged", "█", "at most 2 a day", "0 gained, 0 lost against the hits on record"],
    );

    let changed =
        workspace.read("feedwatch.toml").replace("all = [\"@missile\", \"DPRK\"]", "any = [\"fires\", \"runners\"]");
    workspace.write("new.toml", &changed);
    let new = workspace.path("new.toml");
    let new = |arguments: &[&str]| {
        let mut command = feedwatch(new.parent().expect("it has a folder"));
        command.args(arguments).args(["--config", "new.toml"]);
        run(command)
    };
    let said = new(&["backtest", "--against", "feedwatch.toml", "--html", "d.html"]).ended_with(0);
    says(&said, &["2 hits · 1 gained · 1 lost · changed", "+ Pyongyang marathon opens", "− Second launch in a week"]);
    says(&said, &["digest \"urgent\" would have sent: [feedwatch] 2 hits", "the rules of feedwatch.toml, run over"]);
    says(&workspace.read("d.html"), &["<!doctype html>", "Pyongyang marathon opens"]);
    for against in [&["--against", "feedwatch.toml"][..], &[]] {
        let json = new(&[&["backtest", "--json", "--rule", "DPRK missiles"], against].concat()).json();
        let rule = &json["rules"][0];
        assert_eq!((&rule["hits"], &rule["gained"], &rule["lost"]), (&2.into(), &1.into(), &1.into()), "{json:#}");
        assert_eq!(rule["examples"]["lost"][0]["title"], "Second launch in a week", "{json:#}");
        assert_eq!((&json["articles"], &rule["days"][0]["hits"]), (&3.into(), &2.into()), "{json:#}");
    }
    says(&new(&["backtest", "--digest", "urgent"]).ended_with(0), &["Subject: [feedwatch] 2 hits", "Covers "]);
    refused(new(&["backtest", "--rule", "none"]), 2, "there are: DPRK missiles");
    refused(new(&["backtest", "--digest", "none"]), 2, "there are: urgent");
}

/// A rule that is changed is run over what is stored before the round's editions are composed.
#[test]
fn run_once_looks_back_for_a_changed_rule() {
    let workspace = workspace();
    workspace.run(&["run", "--once"]).ended_with(0);
    let changed = workspace
        .read("feedwatch.toml")
        .replace("all = [\"@missile\", \"DPRK\"]", "any = [\"@missile\", \"runners\"]\nbackfill = \"1d\"");
    workspace.write("feedwatch.toml", &changed);
    let json = workspace.run(&["run", "--once", "--json"]).json();
    assert_eq!((&json["hits_in_retrospect"], &json["editions"][0]["hits"]), (&1.into(), &1.into()), "{json:#}");
    says(&workspace.run(&["hits"]).ended_with(0), &["Pyongyang marathon opens", " · found in retrospect"]);
    assert_eq!(workspace.run(&["hits", "--json", "--limit", "1"]).json()[0]["in_retrospect"], true);
    assert_eq!(workspace.run(&["run", "--once", "--json"]).json()["hits_in_retrospect"], 0);
}
