//! Configurations in folders: invalid ones with the report that is expected, valid ones that load.
//!
//! `UPDATE_EXPECT=1 cargo test --test config` rewrites the expected reports.

use feedwatch::{
    config::{Config, MailServer, SmtpTls, load_with_warnings as load},
    core::agenda::HostLimits,
};
use std::{
    collections::HashSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config").join(kind);
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the fixtures are there")
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    folders.sort();
    folders
}

fn fixture(name: &str) -> PathBuf {
    fixtures("valid").into_iter().find(|folder| folder.ends_with(name)).expect("the fixture is there")
}

fn valid(name: &str) -> Config {
    let folder = fixture(name);
    load(&folder.join("feedwatch.toml")).unwrap_or_else(|errors| panic!("{name}: {errors}"))
}

/// Promise P7: a bad configuration never takes effect, and every error is listed.
#[test]
fn invalid_configurations_are_refused_with_the_expected_report() {
    let folders = fixtures("invalid");
    assert!(folders.len() >= 25, "only {} fixtures", folders.len());
    let mut different = Vec::new();
    for folder in folders {
        let Err(errors) = load(&folder.join("feedwatch.toml")) else { panic!("{} loads", folder.display()) };
        let report = format!("{errors}\n").replace(&format!("{}/", folder.display()), "");
        let file = folder.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &report).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if report != expected {
            different.push(format!("{}\n--- expected\n{expected}--- found\n{report}", folder.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn no_report_shows_a_password() {
    for folder in fixtures("invalid") {
        let report = load(&folder.join("feedwatch.toml")).expect_err("the fixture is invalid").to_string();
        assert!(!report.contains("secret") && !report.contains("hunter2"), "{}", folder.display());
    }
}

#[test]
fn valid_configurations_load() {
    let folders = fixtures("valid");
    assert!(folders.len() >= 4, "only {} fixtures", folders.len());
    for folder in folders {
        if let Err(errors) = load(&folder.join("feedwatch.toml")) {
            panic!("{}: {errors}", folder.display());
        }
    }
}

#[test]
fn a_configuration_may_be_spread_and_paths_are_relative_to_the_file_that_names_them() {
    let config = valid("spread");
    let urls: Vec<String> = config.feeds.iter().map(|feed| feed.url.to_string()).collect();
    assert_eq!(urls[0], "https://www.example.org/rss.xml");
    assert!(urls[1].ends_with("/valid/spread/conf.d/feeds/local.xml"), "{urls:?}");
    assert!(urls[2].ends_with("/valid/spread/conf.d/other.xml"), "{urls:?}");
    let MailServer::Maildir(outbox) = &config.mail.server else { panic!("{:?}", config.mail) };
    assert!(outbox.ends_with("valid/spread/outbox") && outbox.is_absolute());
    assert_eq!(config.rules[0].digests, [config.digests[0].name.clone()]);
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    // Whoever checked the files out may have a strict umask.
    let password =
        fixtures("valid").into_iter().find(|folder| folder.ends_with("warnings")).unwrap().join("smtp-password");
    fs::set_permissions(password, fs::Permissions::from_mode(0o644)).unwrap();
    let config = valid("warnings");
    let MailServer::Smtp(server) = &config.mail.server else { panic!("{:?}", config.mail) };
    assert_eq!((server.host.as_str(), server.port, server.tls), ("mail.example.org", 587, SmtpTls::Off));
    assert_eq!(server.login.as_ref().unwrap().password.expose(), "secret");
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    for part in [
        "password crosses the network",
        "others can read the password",
        "no rule uses the term group `@unused`",
        "`feed[0].interval`: is below 15m",
        "no rule looks at https://www.example.com/unseen.xml",
        "names no digest",
        "no rule feeds the digest `morning`",
        "is named twice",
        "has no effect",
    ] {
        assert_eq!(warnings.iter().filter(|warning| warning.contains(part)).count(), 1, "{part}: {warnings:#?}");
    }
    assert_eq!(warnings.len(), 9, "{warnings:#?}");
}

/// Thousands of feeds that were imported bury no other warning.
#[test]
fn feeds_that_no_rule_looks_at_are_told_of_in_few_lines() {
    for (feeds, last) in [(3, "/2.xml"), (10, "/9.xml"), (11, "/10.xml"), (500, "/10.xml and 489 feeds after it")] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("feedwatch.toml");
        let unused: String =
            (0..feeds).map(|feed| format!("[[feed]]\nurl = \"https://www.example.com/{feed}.xml\"\n")).collect();
        let rest = "[mail]\nfrom = \"f@example.org\"\nserver = \"file:./mail\"\n[[feed]]\nurl = \"https://e.org/\"\ntags = \
                    [\"a\"]\n[[rule]]\nname = \"r\"\nall = [\"missile\"]\ntags = [\"a\"]\ndigests = [\"d\"]\n[[digest]]\nname = \
                    \"d\"\nto = [\"a@example.org\"]\nschedule = \"daily at 07:00\"\n";
        fs::write(&file, format!("{unused}{rest}")).unwrap();
        let config = load(&file).unwrap_or_else(|errors| panic!("{errors}"));
        let shown: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), feeds.min(11), "{shown:#?}");
        assert!(shown.last().is_some_and(|shown| shown.contains(last)), "{shown:#?}");
    }
}

/// Each warning of rules and term groups stands at its line and column, under its name.
#[test]
fn warnings_of_rules_and_term_groups_stand_at_their_place() {
    let folder = fixtures("valid").into_iter().find(|folder| folder.ends_with("lints")).expect("the fixture is there");
    let config = valid("lints");
    let shown: Vec<String> = config.warnings.iter().map(|warning| format!("{warning:#}")).collect();
    insta::assert_snapshot!(shown.join("\n").replace(&format!("{}/", folder.display()), ""));
    let names: HashSet<&str> = config.warnings.iter().filter_map(|warning| warning.name).collect();
    assert!(names.len() >= 10, "{names:?}");
    let sizes: Vec<_> = config
        .term_groups
        .iter()
        .map(|group| (group.name.as_str(), group.terms, group.terms_with_groups, group.rules))
        .collect();
    assert_eq!(
        sizes,
        [
            ("both", 5, 9, 1),
            ("dprk", 2, 2, 3),
            ("inner", 1, 1, 0),
            ("missile", 2, 2, 4),
            ("names", 4, 4, 1),
            ("unused", 0, 1, 0)
        ]
    );
    assert!(config.term_groups[0].file.as_ref().is_some_and(|file| file.ends_with("valid/lints/names.txt")));
}

/// What is kept on purpose is not warned of, and the rest of the same rule is.
#[test]
fn a_rule_or_a_term_group_may_allow_warnings_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feedwatch.toml");
    let text = |rule: &str, group: &str| {
        format!(
            "[mail]\nfrom = 'a@example.org'\nserver = 'file:./outbox'\n[[feed]]\nurl = 'https://www.example.org/rss'\n\
             [[digest]]\nname = 'd'\nto = ['a@example.org']\nschedule = 'daily at 07:00'\n\
             [terms]\ng = {{ terms = ['it', 'ab*']{group} }}\n[[rule]]\nname = 'broad'\nall = ['missile']\n\
             [[rule]]\nname = 'narrow'\nall = ['missile', 'it']\n{rule}"
        )
    };
    let names = |text: String| -> Vec<&'static str> {
        fs::write(&path, text).unwrap();
        load(&path).unwrap().warnings.iter().filter_map(|warning| warning.name).collect()
    };
    assert_eq!(names(text("", "")), ["unused-group", "common-word", "short-stem", "subset-rule", "common-word"]);
    let (rule, group) = ("allow = ['subset-rule']", ", allow = ['unused-group', 'short-stem']");
    assert_eq!(names(text(rule, group)), ["common-word", "common-word"]);
    assert_eq!(
        names(text("digests = []\nallow = ['unused-rule', 'common-word']", ", allow = ['common-word']")),
        ["unused-group", "short-stem"]
    );
    let version = |rule: &str| {
        fs::write(&path, text(rule, "")).unwrap();
        load(&path).unwrap().rules[1].rule.version.clone()
    };
    assert_eq!(version(""), version("allow = ['subset-rule']"));
}

#[test]
fn every_warning_has_a_name_that_the_documentation_explains() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md")).unwrap();
    use feedwatch::rules::lint::name::{OF_GROUPS, OF_RULES, OTHERS};
    for name in OF_RULES.iter().chain(&OF_GROUPS).chain(&OTHERS) {
        assert!(page.contains(&format!("| `{name}` |")), "docs/rules.md lacks {name}");
    }
}

#[test]
fn word_forms_that_change_nothing_are_warned_of() {
    let warnings: Vec<String> = valid("forms").warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n").replace(&format!("{}/", fixture("forms").display()), ""));
}

#[test]
fn the_example_loads_without_a_warning() {
    let config = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/feedwatch.example.toml")).unwrap();
    assert!(config.warnings.is_empty(), "{:#?}", config.warnings);
    assert!(config.rules.iter().all(|watch| !watch.must_match.is_empty()));
}

#[test]
fn a_host_may_have_limits_of_its_own() {
    let config = valid("hosts");
    let politeness = &config.polling.politeness;
    let limits = |delay, concurrency| HostLimits { delay: Duration::from_secs(delay), concurrency };
    assert_eq!(politeness.host, limits(1, 1));
    let hosts: Vec<_> = politeness.hosts.iter().map(|(name, limits)| (name.as_str(), *limits)).collect();
    assert_eq!(hosts, [("example.org", limits(60, 1)), ("xn--bcher-kva.example", limits(1, 4))]);
    let origin = config.feeds[0].origin.as_ref().expect("a feed of the configuration");
    assert!(origin.to_string().ends_with("valid/hosts/feedwatch.toml:13"), "{origin}");
    assert_eq!(origin.interval_line, Some(14));
}

#[test]
fn feeds_of_an_included_opml_take_the_other_keys_and_give_way_to_those_written_out() {
    let config = valid("opml");
    let feeds: Vec<_> = config
        .feeds
        .iter()
        .map(|feed| {
            (feed.url.to_string(), feed.name.as_deref().unwrap_or_default(), feed.tags.join(","), feed.interval)
        })
        .collect();
    let two_hours = Some(Duration::from_secs(7200));
    let expected = [
        ("https://www.example.org/b.xml", "B as it is meant", "", None),
        ("https://www.example.org/a.xml?x=1&y=2", "A & co", "wire,lists,News", two_hours),
        ("https://www.example.org/c.xml", "C", "wire,lists", two_hours),
    ];
    assert_eq!(feeds, expected.map(|(url, name, tags, interval)| (url.to_owned(), name, tags.to_owned(), interval)));
    let origin = config.feeds[2].origin.as_ref().expect("it stands in a file");
    assert!(origin.file.ends_with("lists/subscriptions.opml") && origin.line == 8, "{origin}");
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert!(
        warnings[0].contains("subscriptions.opml:6: http://example.org/b.xml/ is already a feed at"),
        "{warnings:?}"
    );
    assert!(warnings[0].contains("feedwatch.toml:8, which is taken"), "{warnings:?}");
    assert!(
        warnings[1].contains("subscriptions.opml:9") && warnings[1].contains("subscriptions.opml:8"),
        "{warnings:?}"
    );
}
