use super::*;
use std::{fs, os::unix::fs::PermissionsExt};

const EXAMPLE: &str = include_str!("../../config/feedwatch.example.toml");
const FEED: &str = "[[feed]]\nurl = 'https://www.example.org/rss.xml'\n";

fn surroundings() -> Surroundings {
    Surroundings { state_folder: None, credentials_folder: None, system_zone: TimeZone::UTC }
}

fn load_text(text: &str) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feedwatch.toml");
    fs::write(&file, text).unwrap();
    load_draft(&file, &surroundings(), None, Purpose::Check)
}

fn only_error(text: &str) -> Problem {
    let errors = load_text(text).expect_err("the configuration is invalid").0;
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap()
}

/// Every key has a documented default or example.
#[test]
fn the_example_names_every_key() {
    for (section, keys) in read::ALL_KEYS {
        let from = EXAMPLE.find(&format!("\n{section}\n")).unwrap_or_else(|| panic!("{section}"));
        let ends = section.trim_end_matches(']');
        let rest: Vec<&str> = EXAMPLE[from..]
            .lines()
            .skip(2)
            .take_while(|line| !line.starts_with('[') || line.starts_with(ends))
            .map(|line| line.trim_start_matches(['#', ' ']))
            .collect();
        // `limits` and `host` are tables of their own.
        for key in keys.iter().filter(|key| !matches!(**key, "limits" | "host")) {
            let named =
                rest.iter().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')));
            assert!(named, "{section} lacks {key}");
        }
    }
}

/// The commented defaults are the defaults.
#[test]
fn the_example_shows_the_defaults_of_store_and_polling() {
    let settings = |text: &str| {
        let table: toml::Table = text.parse().unwrap();
        let mut kept = toml::Table::new();
        kept.extend(table.into_iter().filter(|(key, _)| matches!(key.as_str(), "store" | "polling")));
        load_text(&format!("{FEED}{kept}")).unwrap()
    };
    let is_default = |line: &str| {
        let key = line.strip_prefix("# ").and_then(|line| line.split_once(" = ")).map(|(key, _)| key);
        key.is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    let upto = EXAMPLE.find("\n[mail]").unwrap();
    let commented = &EXAMPLE[..upto];
    let written: Vec<&str> = commented.lines().map(|line| if is_default(line) { &line[2..] } else { line }).collect();
    let (plain, written) = (settings(commented), settings(&written.join("\n")));
    assert_eq!(plain.polling, written.polling);
    assert_eq!(plain.store.keep, written.store.keep);
    assert_eq!(plain.store.path.file_name(), written.store.path.file_name());
}

#[test]
fn the_service_manager_says_where_the_store_and_the_password_are() {
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("smtp-password"), "from systemd\n").unwrap();
    fs::write(folder.path().join("smtp-password"), "from the folder\r\n").unwrap();
    fs::set_permissions(folder.path().join("smtp-password"), fs::Permissions::from_mode(0o600)).unwrap();
    let file = folder.path().join("feedwatch.toml");
    let mail =
        "[mail]\nfrom = 'a@example.org'\nserver = 'smtp://[::1]'\nusername = 'a'\npassword_file = 'smtp-password'\n";
    fs::write(&file, format!("{mail}{FEED}")).unwrap();
    let under_systemd = Surroundings {
        state_folder: Some("/var/lib/feedwatch".into()),
        credentials_folder: Some(credentials),
        ..surroundings()
    };
    for (surroundings, store, password) in [
        (surroundings(), folder.path().join("feedwatch.db"), "from the folder"),
        (under_systemd, "/var/lib/feedwatch/feedwatch.db".into(), "from systemd"),
    ] {
        let config = load_draft(&file, &surroundings, None, Purpose::Check).unwrap();
        assert_eq!(config.store.path, store);
        let MailServer::Smtp(server) = &config.mail.server else { panic!("{:?}", config.mail) };
        assert_eq!((server.host.as_str(), server.port, server.tls), ("::1", 25, SmtpTls::Off));
        assert_eq!(server.login.as_ref().unwrap().password.expose(), password);
        assert!(!format!("{config:?}").contains(password));
        assert_eq!(config.warnings.len(), 1, "only that no rule looks at the feed: {:?}", config.warnings);
    }
}

/// Once a credential that could not be looked at was passed over, and the error named a file of the same name.
#[test]
fn a_credential_that_cannot_be_looked_at_is_what_the_error_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feedwatch.toml");
    let mail =
        "[mail]\nfrom = 'a@example.org'\nserver = 'smtp://[::1]'\nusername = 'a'\npassword_file = 'smtp-password'\n";
    fs::write(&file, format!("{mail}{FEED}")).unwrap();
    fs::write(folder.path().join("smtp-password"), "from the folder\n").unwrap();
    // No folder, so that nobody can look, not even root.
    let surroundings = Surroundings { credentials_folder: Some(file.clone()), ..surroundings() };
    let errors = load_draft(&file, &surroundings, None, Purpose::Use).unwrap_err().to_string();
    assert!(errors.contains("from ") && errors.contains("feedwatch.toml/smtp-password: Not a directory"), "{errors}");
}

/// Promise P6: no configuration file, however hostile, does harm.
#[test]
fn hostile_files_are_errors() {
    let deep = 20_000;
    let nested = format!("a = {}{}\n", "[".repeat(deep), "]".repeat(deep));
    let inline = format!("a = {}1{}\n", "{a=".repeat(deep), "}".repeat(deep));
    let dotted = format!("{}a = 1\n", "a.".repeat(deep));
    let header = format!("[{}a]\n", "a.".repeat(deep));
    for text in [nested, inline, dotted, header] {
        let error = only_error(&text);
        assert!(error.message.contains("nested deeper"), "{error}");
        assert_eq!(error.line, Some(1));
    }
    assert!(only_error(&"#".repeat((8 << 20) + 1)).message.contains("larger than 8 MiB"));
    assert!(only_error("a = \"\0\"").message.contains("is not TOML"));
    assert!(only_error("\"\"\"").message.contains("is not TOML"));
    let escape = format!("{FEED}\"\\u001b[31m{}\" = 1\n", "x".repeat(9000));
    let shown = only_error(&escape);
    assert!(!shown.to_string().contains('\u{1b}') && shown.to_string().chars().count() < 5000);
}

#[test]
fn brackets_and_dots_in_strings_and_comments_are_no_nesting() {
    let brackets = "[".repeat(60);
    let dots = ".a".repeat(40);
    for value in [format!("'{brackets}'"), format!("\"\\\"{brackets}{dots}\""), format!("'''\n{brackets}'{dots}'''")] {
        let text = format!("# {brackets}{dots}\n{FEED}name = {value} # {brackets}\n");
        if let Err(errors) = load_text(&text) {
            assert!(errors.0.iter().all(|error| error.message.contains("control character")), "{errors}");
        }
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feedwatch.toml");
    fs::write(&file, b"# ok\n# \xff\n").unwrap();
    let errors = load_draft(&file, &surroundings(), None, Purpose::Check).expect_err("the file is not UTF-8");
    assert!(errors.to_string().contains("stray byte in line 2"), "{errors}");
}

#[test]
fn near_names() {
    let known = ["morning", "evening", "Europe/Kiev", "Europe/Kyiv"];
    for (name, near) in [
        ("mornin", Some("morning")),
        ("Morning", Some("morning")),
        ("evenign", Some("evening")),
        ("Europe/Kiyv", Some("Europe/Kyiv")),
        ("noon", None),
        ("", None),
    ] {
        assert_eq!(problem::nearest(name, known).as_deref(), near, "{name}");
    }
    assert_eq!(problem::nearest(&"x".repeat(1_000_000), known), None);
}

#[test]
fn a_reload_tells_what_it_changes() {
    let mail = "[mail]\nfrom = 'a@example.org'\nserver = 'file:./outbox'\n";
    let digest = |name: &str, time: &str| {
        format!("[[digest]]\nname = '{name}'\nto = 'a@example.org'\nschedule = 'daily at {time}'\n")
    };
    let feed = |name: &str| format!("[[feed]]\nurl = 'https://me:pw@example.org/{name}'\n");
    let rule = |name: &str, term: &str| format!("[[rule]]\nname = '{name}'\nall = ['{term}']\n");
    let base = format!("{mail}{}{}{}", digest("morning", "07:00"), feed("a"), rule("r", "flood"));
    for (old, new, expected) in [
        (base.clone(), base.clone(), "nothing changed"),
        (base.clone(), format!("# a comment\n{base}"), "nothing changed"),
        (base.clone(), format!("{base}{}{}", feed("b"), feed("c")), "2 feeds added"),
        (format!("{base}{}", feed("b")), base.clone(), "1 feed removed"),
        (base.clone(), base.replace("/a'", "/a'\nname = 'A'"), "1 feed changed"),
        (base.clone(), base.replace("flood", "fire"), "rule `r` changed"),
        (base.clone(), format!("{base}{}", rule("s", "x")), "rule `s` added"),
        (
            base.clone(),
            format!("{base}{}{}{}{}", rule("s", "x"), rule("t", "x"), rule("u", "x"), rule("v", "x")),
            "4 rules added",
        ),
        (base.clone(), base.replace("07:00", "08:00"), "digest `morning` changed"),
        (base.clone(), base.replace("./outbox", "./other"), "[mail] changed"),
        (
            base.clone(),
            format!("{base}[polling]\nconcurrency = 3\n[store]\nkeep = '5d'\n"),
            "[store] changed, [polling] changed",
        ),
        (base.clone(), base.replace("name = 'r'", "name = 's'"), "rule `s` added, rule `r` removed"),
    ] {
        // Both in one folder, because paths count.
        let folder = tempfile::tempdir().unwrap();
        let load = |text: &str| {
            let file = folder.path().join("feedwatch.toml");
            fs::write(&file, text).unwrap();
            load_draft(&file, &surroundings(), None, Purpose::Check).unwrap()
        };
        let changes = diff(&load(&old), &load(&new));
        assert_eq!(changes.to_string(), expected);
        assert_eq!(changes.is_empty(), expected == "nothing changed");
    }
}
