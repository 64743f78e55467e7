//! `match`, `search` and `backtest` in the hands of somebody who is in a hurry, or means harm.

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

use std::{fs, io::Write, path::Path, process::Stdio};
use support::{
    FEED, Ran, Workspace, configuration, feed_with, feedwatch,
    http::{HttpServer, Page, dead_url},
    refused, run, says,
};

fn workspace() -> Workspace {
    let workspace = Workspace::new(&configuration(&["feed.xml".to_owned()], "file:./mail"));
    workspace.write("feed.xml", FEED);
    workspace
}

fn put(workspace: &Workspace, name: &str, bytes: &[u8]) {
    fs::write(workspace.path(name), bytes).expect("a file in a temporary directory");
}

/// Runs `match -` with this on standard input.
fn match_input(workspace: &Workspace, bytes: &[u8]) -> Ran {
    let mut command = feedwatch(&workspace.path(""));
    command.args(["match", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be started");
    // A command that does not read to the end closes the pipe.
    let _ = child.stdin.take().expect("standard input is a pipe").write_all(bytes);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("the binary prints UTF-8");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn match_says_that_there_is_no_text() {
    let workspace = workspace();
    put(&workspace, "empty.txt", b"");
    put(&workspace, "blank.html", b"<html><body><script>DPRK()</script></body></html>");
    put(
        &workspace,
        "none.xml",
        FEED.split("<item>").next().map(|head| format!("{head}</channel></rss>")).unwrap().as_bytes(),
    );
    put(&workspace, "image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0DPRK");
    put(&workspace, "paper.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n");
    fs::create_dir(workspace.path("folder")).expect("a directory can be made");
    for (input, why) in [
        ("", "there is no text to match"),
        (" \t\n", "there is no text to match"),
        ("empty.txt", "empty.txt is empty"),
        ("blank.html", "nothing that a reader sees"),
        ("none.xml", "a feed without items"),
        ("image.png", "holds no text but binary data"),
        ("paper.pdf", "holds no text but binary data"),
        ("folder", "is a directory"),
        ("no/such/file", "there is no file no/such/file"),
        ("www.example.org/rss.xml", "an address starts with https://"),
        ("https://", "it is no complete address"),
        ("ftp://example.org/a", "only http:// and https:// are fetched"),
    ] {
        refused(workspace.run(&["match", input]), 2, why);
    }
    refused(match_input(&workspace, b""), 2, "standard input is empty");
    refused(match_input(&workspace, b"\n \n"), 2, "standard input is empty");
    refused(match_input(&workspace, &vec![b'a'; (16 << 20) + 1]), 2, "standard input is larger than 16 MiB");
    let named = workspace.run(&["match", "DPRK.html"]);
    says(&named.stderr, &["there is no file DPRK.html: this is matched as a text"]);
    assert_eq!(named.code, Some(0));
}

/// A text is what it says, whoever wrote it.
#[test]
fn match_reads_files_in_the_usual_encodings() {
    let workspace = workspace();
    let rules = workspace.read("feedwatch.toml").replace(
        "[[digest]]",
        "[[rule]]\nname = \"others\"\nany = [\"été\", \"Київ\", \"ミサイル\", \"kyiv\"]\n\n[[digest]]",
    );
    workspace.write("feedwatch.toml", &rules);
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    put(&workspace, "latin-1", b"Un \xe9t\xe9 agit\xe9 \xe0 Paris, la pr\xe9sidente est pr\xe9occup\xe9e");
    put(&workspace, "utf-16", &utf16("\u{feff}Ранок у місті Київ"));
    put(&workspace, "utf-16-bare", &utf16("Morning in the city of Kyiv"));
    let (shift_jis, ..) = encoding_rs::SHIFT_JIS.encode("北朝鮮が弾道ミサイルを発射したと韓国軍が発表しました");
    put(&workspace, "shift-jis", &shift_jis);
    for name in ["latin-1", "utf-16", "utf-16-bare", "shift-jis"] {
        says(&workspace.run(&["match", name]).ended_with(0), &["hit  `others`", "1 hit in 1 text, 2 rules"]);
    }
}

#[test]
fn match_tells_what_is_wrong_with_an_address() {
    let workspace = workspace();
    let site = HttpServer::start();
    site.put("/gone", Page::error(404));
    site.put("/paper.pdf", Page::text("").with_body(b"%PDF-1.7\n\0\x01\x02".to_vec()));
    site.put("/image", Page::text("").with_body(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()));
    site.put("/private", Page::redirect(302, "http://10.0.0.1/%1b[31m"));
    site.put("/feed", Page::feed(FEED));
    site.put("/cut", Page::feed(&FEED[..FEED.len() / 2]));
    says(&workspace.run(&["match", &site.url("/feed")]).ended_with(0), &["2 hits in 3 texts, 1 rule"]);
    says(&workspace.run(&["match", &site.url("/cut")]).ended_with(0), &["hit in "]);
    put(&workspace, "bad.xml", b"<?xml version='1.0'?><rss version='2.0'><channel><title>x");
    refused(workspace.run(&["match", "bad.xml"]), 1, "bad.xml is truncated");
    put(&workspace, "prose.txt", b"The DPRK says that 1 < 2 and fires an <ICBM> or another ICBM");
    says(&workspace.run(&["match", "prose.txt"]).ended_with(0), &["1 hit in 1 text"]);
    for (url, code, why) in [
        (site.url("/gone"), 1, "the answer is 404 Not Found"),
        (site.url("/paper.pdf"), 2, "holds no text but binary data"),
        (site.url("/image"), 2, "holds no text but binary data"),
        (site.url("/private"), 1, "10.0.0.1"),
        (dead_url(), 1, "the connection was refused"),
    ] {
        let ran = workspace.run(&["match", &url]);
        assert!(!ran.stderr.contains('\u{1b}'), "{ran:#?}");
        refused(ran, code, why);
    }
}

#[test]
fn names_that_are_not_there_are_answered_with_what_may_be_meant() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    for command in [&["match", "text", "--why", "dprk missile"][..], &["backtest", "--rule", "dprk missile"]] {
        refused(workspace.run(command), 2, "no rule is called `dprk missile`; did you mean `DPRK missiles`?");
    }
    refused(workspace.run(&["backtest", "--digest", "urgnet"]), 2, "did you mean `urgent`?");
    let hit = workspace.run(&["match", "--why", "DPRK missiles", "DPRK fires an ICBM"]).ended_with(0);
    says(&hit, &["hit  `DPRK missiles`", "✓ all: `@missile`"]);
    let config = workspace.read("feedwatch.toml");
    let (without, rest) = config.split_once("[[rule]]").expect("it has a rule");
    let (_, digest) = rest.split_once("[[digest]]").expect("it has a digest");
    workspace.write("feedwatch.toml", &format!("{without}\n[[digest]]{digest}"));
    refused(workspace.run(&["match", "text"]), 2, "the configuration has no [[rule]]");
    refused(workspace.run(&["backtest", "--rule", "x"]), 2, "the configuration has no [[rule]]");
}

#[test]
fn search_marks_the_place_of_an_error_however_long_the_query_is() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    for (query, said) in [
        ("", "the query is empty"),
        (" \t", "the query is empty"),
        ("NOT DPRK", "it only excludes"),
        ("titel:DPRK", "did you mean `title:`?\n    titel:DPRK\n    ^"),
        ("DPRK AND\n\tmis*le", "write `mis*`\n"),
        ("DPRK AND\n\tmis*le", "\n     mis*le\n        ^"),
        ("導弾 AND AND x", "\n    導弾 AND AND x\n    \u{3000}\u{3000}     ^"),
    ] {
        refused(workspace.run(&["search", query]), 2, said);
    }
    let long = "missile OR ".repeat(4000) + "AND x";
    let ran = workspace.run(&["search", &long]);
    assert!(ran.stderr.len() < 600, "{} bytes: {}", ran.stderr.len(), &ran.stderr[..600]);
    refused(ran, 2, "found `AND`");
    let before = &long[long.len() - "AND x".len() - 60..long.len() - "AND x".len()];
    let marked = format!("\n    …{before}AND x\n    {}^", " ".repeat(61));
    refused(workspace.run(&["search", &long]), 2, &marked);
    let turned = "a\u{202e} AND AND b";
    refused(workspace.run(&["search", turned]), 2, "\n    a\u{fffd} AND AND b\n           ^");
    refused(workspace.run(&["search", &"missile OR ".repeat(10_000)]), 2, "at most 65536 are allowed");
    let hostile = workspace.run(&["search", "a\u{1b}[31mb AND AND\u{202e} c\u{7}"]);
    assert!(!hostile.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{hostile:#?}");
    // Tabs, line feeds and stop words are nothing special.
    says(&workspace.run(&["search", "the\tOR\n of OR a"]).ended_with(0), &["2 articles found among 3"]);
}

#[test]
fn times_that_nothing_lies_in_are_told() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    for (command, why) in [
        (&["search", "DPRK", "--since", "2999-01-01"][..], "is in the future"),
        (&["search", "DPRK", "--since", "1h", "--until", "2h"], "`--until` is before `--since`"),
        (&["search", "DPRK", "--since", "yesterday"], "`--since yesterday` is no time; write `24h`"),
        (&["backtest", "--since", "2999-01-01"], "is in the future"),
        (&["backtest", "--since", ""], "is no time"),
        (&["hits", "--since", "2999-01-01"], "is in the future"),
    ] {
        refused(workspace.run(command), 2, why);
    }
    for since in ["999999999d", "1900-01-01", "--since=-7d"] {
        let since = since.strip_prefix("--since=").unwrap_or(since);
        let since = format!("--since={since}");
        says(&workspace.run(&["search", "DPRK", &since]).ended_with(0), &["2 articles found"]);
        says(&workspace.run(&["backtest", &since]).ended_with(0), &["2 hits in 3 articles"]);
    }
}

/// Promise P6: what a publisher writes is text, also where a terminal would obey it.
#[test]
fn nothing_that_came_from_outside_reaches_the_terminal_as_it_is() {
    let hostile = "DPRK ICBM &#27;[31m&#x9b;2J \u{202e}gnirts&#7; &#x2066;x";
    let feed = feed_with(hostile).replace("https://wire.example.org/4", "https://wire.example.org/\u{202e}4");
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    // Without a date it is news only in a later document.
    workspace.write("feed.xml", &feed);
    workspace.run(&["poll"]).ended_with(0);
    let prose = "A text of some length. ".repeat(20);
    put(&workspace, "hostile.txt", format!("{prose}DPRK ICBM \u{1b}]0;x\u{7} \u{9b}2J \u{202e}abc").as_bytes());
    let rules = workspace.read("feedwatch.toml");
    let turned = rules.replace("DPRK missiles", "DPRK \\u202e missiles").replace("\"urgent\"", "\"ur\\u202egent\"");
    workspace.write("feedwatch.toml", &turned);
    workspace.run(&["run", "--once"]).ended_with(0);
    let harmful =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let said_by = |command: &[&str], code: i32| {
        let ran = workspace.run(command);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(harmful), "{command:?}: {ran:#?}");
        assert_eq!(ran.code, Some(code), "{command:?}: {ran:#?}");
        said
    };
    for (command, said) in [
        (&["search", "ICBM"][..], "gnirts"),
        (&["hits"], "gnirts"),
        (&["backtest"], "gnirts"),
        (&["backtest", "--digest", "ur\u{202e}gent"], "gnirts"),
        (&["match", "hostile.txt"], "hit  `DPRK  missiles`"),
        (&["match", "feed.xml"], "gnirts"),
        (&["match", "DPRK \u{1b}[31m ICBM \u{202e}"], "hit  `DPRK  missiles`"),
        (&["check"], "digest \"urgent\""),
        (&["status"], "urgent"),
        (&["feeds"], "Wire"),
        (&["outbox"], "no mail waits"),
    ] {
        says(&said_by(command, 0), &[said]);
    }
    for (command, code) in [
        (&["match", "--why", "\u{1b}[31m\u{202e}", "text"][..], 2),
        (&["match", "\u{1b}[31m/\u{202e}"], 2),
        (&["search", "ICBM", "--store", "\u{1b}[31m\u{202e}"], 1),
        (&["backtest", "--rule", "\u{1b}[31m\u{202e}"], 2),
    ] {
        assert!(!said_by(command, code).is_empty(), "{command:?}");
    }
}

#[test]
fn a_store_that_cannot_be_read_is_told_of() {
    let workspace = workspace();
    for command in [&["search", "DPRK"][..], &["backtest"]] {
        let ran = workspace.run(command);
        says(&ran.stderr, &["there is no store at", "`feedwatch run` creates it"]);
    }
    put(&workspace, "text.db", b"This is no store, but a text of some length.");
    workspace.run(&["poll"]).ended_with(0);
    for store in ["text.db", ".", "feed.xml"] {
        refused(workspace.run(&["search", "DPRK", "--store", store]), 1, "cannot be used");
        refused(workspace.run(&["backtest", "--store", store]), 1, "cannot be used");
    }
    let newer = fs::copy(workspace.path("feedwatch.db"), workspace.path("newer.db"));
    newer.expect("the store can be copied");
    let connection = rusqlite::Connection::open(workspace.path("newer.db")).expect("it is a database");
    connection.pragma_update(None, "user_version", 9999).expect("its version can be written");
    drop(connection);
    refused(workspace.run(&["search", "DPRK", "--store", "newer.db"]), 1, "newer");
    // A daemon, or a round, that works on the store is no obstacle.
    let locked = rusqlite::Connection::open(workspace.path("feedwatch.db")).expect("it is a database");
    locked.execute_batch("BEGIN IMMEDIATE").expect("it can be locked");
    says(&workspace.run(&["search", "DPRK"]).ended_with(0), &["2 articles found"]);
    says(&workspace.run(&["backtest"]).ended_with(0), &["2 hits in 3 articles"]);
}

#[test]
fn backtest_compares_a_configuration_with_itself_and_writes_only_where_it_can() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    let same = workspace.run(&["backtest", "--against", "feedwatch.toml"]).ended_with(0);
    says(&same, &["0 gained, 0 lost against the rules of feedwatch.toml"]);
    refused(workspace.run(&["backtest", "--html", "no/such/folder/d.html"]), 1, "no/such/folder/d.html");
    refused(workspace.run(&["backtest", "--html", "."]), 1, "could not be written");
    refused(workspace.run(&["backtest", "--against", "none.toml"]), 2, "none.toml");
}

/// A reader that goes away ends the command quietly, as `| head -1` does.
#[test]
fn a_closed_pipe_is_no_error() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    for arguments in [&["search", "DPRK"][..], &["search", "DPRK", "--json"], &["backtest"], &["match", "feed.xml"]] {
        let mut command = feedwatch(&workspace.path(""));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary can be started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}

/// Colours go where they are wanted, and a pipe is no narrow terminal.
#[test]
fn colours_are_for_terminals_that_want_them() {
    let workspace = workspace();
    workspace.run(&["poll"]).ended_with(0);
    let ran = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = feedwatch(Path::new(&workspace.path("")));
        command.args(arguments).envs(variables.iter().copied());
        run(command).ended_with(0)
    };
    let plain = ran(&[], &["search", "DPRK"]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert_eq!(ran(&[("COLUMNS", "40"), ("NO_COLOR", "1")], &["search", "DPRK"]), plain);
    assert!(ran(&[("CLICOLOR_FORCE", "1")], &["search", "DPRK"]).contains("\u{1b}["));
    assert!(ran(&[], &["search", "DPRK", "--color", "always"]).contains("\u{1b}["));
    assert!(!ran(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &["search", "DPRK"]).contains("\u{1b}["));
}
