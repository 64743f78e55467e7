//! `feedwatch feeds add`, `import` and `export`, by the binary, on sites of a loopback server.

#[expect(clippy::allow_attributes, reason = "`expect` would fail in the test crate that uses all of it")]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod support;

use support::{
    FEED, RULES, Workspace,
    http::{HttpServer, Page, dead_url},
    refused, says,
};

/// A configuration as people write it.
const COMMENTED: &str = "\
# Our feeds. Ask Olena before you change the tags.
[polling]
host_delay = \"1ms\"    # the servers are ours

[mail]
from = \"feedwatch <alerts@example.org>\"
server = \"file:./mail\"

# Wires
[[feed]]
url = \"known.xml\"      # a file
tags = [\"wire\",
        \"ours\"]
# interval = \"1h\"

# ---- what we look for ----
";

fn workspace() -> Workspace {
    let workspace = Workspace::new(&format!("{COMMENTED}{RULES}"));
    workspace.write("known.xml", FEED);
    workspace
}

/// Returns the lines that a text has more than another one, which is otherwise the same.
#[track_caller]
fn only_added(before: &str, after: &str) -> String {
    let mut added = String::new();
    let mut old = before.lines().peekable();
    for line in after.lines() {
        if old.peek() == Some(&line) {
            old.next();
        } else {
            added.push_str(line);
            added.push('\n');
        }
    }
    assert_eq!(old.next(), None, "a line was lost:\n{after}");
    added
}

fn site() -> HttpServer {
    let server = HttpServer::start();
    server.put(
        "/",
        Page::html(
            "<!doctype html><title>Meridian</title><link rel=alternate type=application/rss+xml title=Wire href=/rss.xml>\
             <link rel=alternate type=application/rss+xml title='Comments' href=/comments.xml><p>News",
        ),
    );
    server.put("/rss.xml", Page::feed(FEED).with_etag("\"1\"").with_last_modified("Tue, 24 Nov 2026 10:00:00 GMT"));
    server
}

#[test]
fn add_finds_the_feed_of_a_page_and_only_adds_lines() {
    let (workspace, server) = (workspace(), site());
    let before = workspace.read("feedwatch.toml");
    let said = workspace.run(&["feeds", "add", &server.url("/"), "--tag", "wire", "--name", "The Wire"]).ended_with(0);
    says(
        &said,
        &["Meridian Wire", "RSS, 3 items", "sends ETag and Last-Modified", "2026-11-23 21:43  Pyongyang marathon"],
    );
    says(&said, &["/comments.xml: the answer is 404", "feedwatch.toml", "systemctl reload feedwatch"]);
    let added = only_added(&before, &workspace.read("feedwatch.toml"));
    let url = server.url("/rss.xml");
    assert_eq!(added, format!("[[feed]]\nurl = \"{url}\"\nname = \"The Wire\"\ntags = [\"wire\"]\n\n"));
    says(&workspace.run(&["check"]).ended_with(0), &["2 feeds"]);
    assert_eq!(server.log(), ["/", "/rss.xml", "/comments.xml"], "more was asked for than needed");
    let agent = server.asked("/").remove(0).user_agent.unwrap_or_default();
    assert!(agent.starts_with("feedwatch/"), "{agent}");
}

/// The head of a page is enough, however long the page is.
#[test]
fn add_finds_the_feed_of_a_page_that_is_over_the_limits() {
    let (workspace, server) = (workspace(), site());
    let head = "<!doctype html><title>Meridian</title><link rel=alternate type=application/rss+xml href=/rss.xml>";
    let long = format!("{head}{}", "<p>News of the day</p>\n".repeat(300_000));
    assert!(long.len() > 6_000_000);
    server.put("/", Page::html(&long));
    let said = workspace.run(&["feeds", "add", &server.url("/"), "--dry-run"]).ended_with(0);
    says(&said, &["RSS, 3 items", &server.url("/rss.xml")]);
    assert_eq!(server.log(), ["/", "/rss.xml"]);
    // Not so a feed: no poll would read it.
    let items = "<item><title>News</title></item>\n".repeat(200_000);
    let page = Page::html(format!("<rss version='2.0'><channel><title>Wire</title>{items}</channel></rss>"));
    server.put("/long.xml", page);
    let ran = workspace.run(&["feeds", "add", &server.url("/long.xml"), "--dry-run"]);
    refused(ran, 1, "the body is longer than 5242880 bytes on the wire; raise polling.limits.wire");
}

/// What a poll does by itself a person is asked to do.
#[test]
fn add_says_what_to_do_about_a_server_that_has_trouble() {
    let (workspace, server) = (workspace(), HttpServer::start());
    for status in [429, 500, 503] {
        server.put("/", Page::error(status));
        refused(workspace.run(&["feeds", "add", &server.url("/")]), 1, "; try again later");
    }
}

#[test]
fn add_takes_a_feed_as_it_is_and_shows_what_it_would_do() {
    let (workspace, server) = (workspace(), site());
    let before = workspace.read("feedwatch.toml");
    let said = workspace.run(&["feeds", "add", &server.url("/rss.xml"), "--dry-run"]).ended_with(0);
    says(&said, &["would be added to", &server.url("/rss.xml")]);
    assert_eq!(workspace.read("feedwatch.toml"), before);
    let json = workspace.run(&["feeds", "add", &server.url("/rss.xml"), "--to", "conf.d/new.toml", "--json"]).json();
    assert_eq!((&json["found"][0]["format"], &json["found"][0]["items"]), (&"rss".into(), &3.into()), "{json:#}");
    assert_eq!(json["added"]["written"], true, "{json:#}");
    assert_eq!(workspace.read("conf.d/new.toml"), format!("[[feed]]\nurl = \"{}\"\n", server.url("/rss.xml")));
    assert_eq!(workspace.read("feedwatch.toml"), before);
}

#[test]
fn of_several_feeds_one_has_to_be_picked() {
    let (workspace, server) = (workspace(), site());
    server.put("/comments.xml", Page::feed(FEED.replace("Meridian Wire", "Comments")));
    let before = workspace.read("feedwatch.toml");
    let ran = workspace.run(&["feeds", "add", &server.url("/")]);
    says(&ran.stdout, &[" 1 Meridian Wire", " 2 Comments"]);
    refused(ran, 1, "2 feeds were found and none was chosen: say which with --pick N");
    refused(workspace.run(&["feeds", "add", &server.url("/"), "--pick", "3"]), 1, "there is no number 3");
    assert_eq!(workspace.read("feedwatch.toml"), before);
    workspace.run(&["feeds", "add", &server.url("/"), "--pick", "2"]).ended_with(0);
    says(&only_added(&before, &workspace.read("feedwatch.toml")), &["/comments.xml"]);
    // What is left over is not taken for what is meant.
    let ran = workspace.run(&["feeds", "add", &server.url("/")]);
    says(&ran.stdout, &["already configured at", "feedwatch.toml:17"]);
    refused(ran, 1, "2 feeds were found and none was chosen");
    refused(workspace.run(&["feeds", "add", &server.url("/"), "--pick", "2"]), 1, "feedwatch.toml:17");
    workspace.run(&["feeds", "add", &server.url("/"), "--pick", "1"]).ended_with(0);
    refused(workspace.run(&["feeds", "add", &server.url("/")]), 1, "all configured already");
}

#[test]
fn a_feed_that_is_configured_is_refused_with_its_place() {
    let (workspace, server) = (workspace(), site());
    workspace.run(&["feeds", "add", &server.url("/")]).ended_with(0);
    let configured = workspace.read("feedwatch.toml");
    let asked = server.log().len();
    let place = "feedwatch.toml:17";
    for same in ["/rss.xml", "/rss.xml/", "/rss.xml?utm_source=x#top"] {
        refused(workspace.run(&["feeds", "add", &server.url(same)]), 1, place);
    }
    assert_eq!(server.log().len(), asked, "what is known was asked for");
    server.put("/moved", Page::redirect(302, "/rss.xml"));
    refused(workspace.run(&["feeds", "add", &server.url("/moved")]), 1, place);
    refused(workspace.run(&["feeds", "add", &server.url("/")]), 1, place);
    refused(workspace.run(&["feeds", "add", "known.xml"]), 1, "feedwatch.toml:11");
    assert_eq!(workspace.read("feedwatch.toml"), configured);
}

#[test]
fn a_feed_that_moved_for_good_is_written_with_its_new_address() {
    let (workspace, server) = (workspace(), site());
    server.put("/old", Page::redirect(301, "/rss.xml"));
    server.put("/today", Page::redirect(302, "/other.xml"));
    server.put("/other.xml", Page::feed(FEED));
    workspace.run(&["feeds", "add", &server.url("/old")]).ended_with(0);
    workspace.run(&["feeds", "add", &server.url("/today")]).ended_with(0);
    let text = workspace.read("feedwatch.toml");
    says(&text, &[&server.url("/rss.xml"), &server.url("/today")]);
    assert!(!text.contains("/old") && !text.contains("/other.xml"), "{text}");
}

#[test]
fn links_and_common_places_are_tried_before_news_sitemaps() {
    let (workspace, server) = (workspace(), HttpServer::start());
    server.put("/", Page::html("<!doctype html><a href='/news/feed/'>RSS</a><a href=/about>About</a>"));
    server.put("/news/feed/", Page::feed(FEED));
    workspace.run(&["feeds", "add", &server.url("/"), "--dry-run"]).ended_with(0);
    assert_eq!(server.log(), ["/", "/news/feed/"]);

    let server = HttpServer::start();
    server.put("/", Page::html("<!doctype html><a href=/about>About</a>"));
    server.put("/rss.xml", Page::feed(FEED));
    workspace.run(&["feeds", "add", &server.url("/"), "--dry-run"]).ended_with(0);
    assert_eq!(server.log(), ["/", "/feed", "/rss", "/rss.xml"]);
}

#[test]
fn a_site_without_a_feed_is_followed_by_its_news_sitemap() {
    let (workspace, server) = (workspace(), HttpServer::start());
    let news = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' \
                xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'><url><loc>https://wire.example.org/7</loc>\
                <n:news><n:publication><n:name>Wire</n:name><n:language>en</n:language></n:publication>\
                <n:publication_date>2026-11-24T10:00:00Z</n:publication_date><n:title>DPRK shows an ICBM</n:title>\
                </n:news></url></urlset>";
    let index = format!(
        "<sitemapindex><sitemap><loc>{}</loc></sitemap><sitemap><loc>{}</loc></sitemap></sitemapindex>",
        server.url("/pages.xml"),
        server.url("/news.xml")
    );
    server.put("/", Page::html("<!doctype html><p>News"));
    server
        .put("/robots.txt", Page::text(format!("User-agent: *\nDisallow: /x\nSitemap: {}\n", server.url("/all.xml"))));
    server.put("/all.xml", Page::text(index));
    server.put("/news.xml", Page::text(news));
    let said = workspace.run(&["feeds", "add", &server.url("/")]).ended_with(0);
    says(&said, &["news sitemap, 1 item", "DPRK shows an ICBM"]);
    assert!(server.asked("/pages.xml").is_empty(), "a sitemap of pages was asked for");
    assert!(server.log().len() <= 14, "{:?}", server.log());
    // It is polled like any feed; what it lists is older than a day, some day.
    let patient = workspace.read("feedwatch.toml").replace("[polling]", "[polling]\nbackfill = \"36500d\"");
    workspace.write("feedwatch.toml", &patient);
    let json = workspace.run(&["poll", &server.url("/news.xml"), "--json"]).json();
    assert_eq!((&json[0]["new"], &json[0]["hits"]), (&1.into(), &1.into()), "{json:#}");
}

/// Promise P6: a page leads the search to no other private address.
#[test]
fn links_into_a_private_network_are_not_followed() {
    let (workspace, server, inner) = (workspace(), HttpServer::start(), HttpServer::start());
    inner.put("/rss.xml", Page::feed(FEED));
    let link = |url: &str| format!("<link rel=alternate type=application/rss+xml href='{url}'>");
    server.put("/", Page::html(format!("<!doctype html>{}{}", link(&inner.url("/rss.xml")), link("/moved.xml"))));
    server.put("/moved.xml", Page::redirect(301, &inner.url("/rss.xml")));
    server.put("/robots.txt", Page::text(format!("Sitemap: {}", inner.url("/news.xml"))));
    let ran = workspace.run(&["feeds", "add", &server.url("/")]);
    says(&ran.stdout, &["not on the public internet; it was not asked"]);
    refused(ran, 1, "no feed was found");
    assert_eq!(inner.log(), Vec::<String>::new());
    // It is there for who asks for it.
    workspace.run(&["feeds", "add", &inner.url("/rss.xml"), "--dry-run"]).ended_with(0);
}

/// Promise P6: a host that asks to be left alone is.
#[test]
fn a_search_ends_when_a_host_wants_fewer_requests() {
    let (workspace, server) = (workspace(), HttpServer::start());
    server.put("/", Page::html("<!doctype html><p>News"));
    server.put("/feed", Page::error(429));
    let ran = workspace.run(&["feeds", "add", &server.url("/")]);
    says(&ran.stdout, &["429 Too Many Requests"]);
    refused(ran, 1, "no feed was found");
    assert_eq!(server.log(), ["/", "/feed"]);
}

#[test]
fn what_cannot_be_added_says_why() {
    let workspace = workspace();
    refused(workspace.run(&["feeds", "add", &dead_url()]), 1, "connection was refused");
    refused(workspace.run(&["feeds", "add", "ftp://www.example.org/"]), 2, "only http and https");
    refused(workspace.run(&["feeds", "add", "./missing.xml"]), 2, "neither the address of a site nor a file");
    refused(workspace.run(&["feeds", "add", "known.xml", "--to", "other.toml"]), 1, "already a feed");
    workspace.write("new.xml", FEED);
    refused(
        workspace.run(&["feeds", "add", "new.xml", "--to", "other.toml"]),
        2,
        "did you mean --to conf.d/other.toml?",
    );
    refused(workspace.run(&["feeds", "--failing", "add", "new.xml"]), 2, "are for showing them");
    workspace.run(&["feeds", "--json", "add", "new.xml", "--dry-run"]).json();
    let long = "x".repeat(300);
    refused(workspace.run(&["feeds", "add", "new.xml", "--name", &long]), 2, "nothing was written");
    assert_eq!(workspace.read("feedwatch.toml"), format!("{COMMENTED}{RULES}"));
}

/// The first feed of a configuration that has none yet can be added by command.
#[test]
fn the_first_feed_can_be_added() {
    let workspace = Workspace::new("[polling]\nhost_delay = \"1ms\"\n");
    workspace.write("new.xml", FEED);
    workspace.run(&["feeds", "add", "new.xml"]).ended_with(0);
    says(&workspace.run(&["check"]).ended_with(0), &["1 feed"]);
}

const LIST: &str = "<?xml version=\"1.0\"?>
<opml version=\"1.0\"><body>
<outline text=\"Asia\">
<outline text=\"A & co\" type=\"rss\" xmlUrl=\"https://a.example/rss?x=1&y=2\"/>
<outline text=\"again\" type=\"rss\" xmlurl=\"http://www.a.example/rss?x=1&amp;y=2\"/>
</outline>
<outline text=\"bad\" type=\"rss\" xmlUrl=\"gopher://b.example/\"/>
<outline text=\"C\" type=\"rss\" xmlUrl=\"https://c.example/\" category=\"/Europe/East\"/>
</body></opml>
";

#[test]
fn import_takes_what_is_new_and_lists_what_is_bad() {
    let workspace = workspace();
    workspace.write("My list.opml", LIST);
    let dry = workspace.run(&["feeds", "import", "My list.opml", "--dry-run"]).ended_with(0);
    says(&dry, &["would be added to", "conf.d/My-list.toml"]);
    assert!(!workspace.path("conf.d").exists());
    let said = workspace.run(&["feeds", "import", "My list.opml", "--tag", "reader"]).ended_with(0);
    says(
        &said,
        &["line 7 is passed over", "2 feeds imported, 1 more than once in the list, 1 with a URL that cannot be used"],
    );
    let written = workspace.read("conf.d/My-list.toml");
    assert_eq!(
        written,
        "[[feed]]\nurl = \"https://a.example/rss?x=1&y=2\"\nname = \"A & co\"\ntags = [\"Asia\", \"reader\"]\n\n\
         [[feed]]\nurl = \"https://c.example/\"\nname = \"C\"\ntags = [\"Europe\", \"East\", \"reader\"]\n"
    );
    says(&workspace.run(&["check"]).ended_with(0), &["3 feeds"]);
    let json = workspace.run(&["feeds", "import", "My list.opml", "--json"]).json();
    assert_eq!((&json["imported"], &json["already_configured"]), (&0.into(), &3.into()), "{json:#}");
    workspace.write("no.opml", "<html>");
    refused(workspace.run(&["feeds", "import", "no.opml"]), 1, "no.opml is not OPML");
    refused(workspace.run(&["feeds", "import", "known.xml"]), 1, "is added by `feedwatch feeds add`");
    refused(workspace.run(&["feeds", "import", "https://example.org/a.opml"]), 2, "is not fetched: `curl -L URL |");
    refused(workspace.run(&["feeds", "import", "missing.opml"]), 1, "missing.opml could not be opened");
}

/// Promise P6: a list that somebody else made leads into no private network unseen.
#[test]
fn import_tells_what_is_in_a_private_network() {
    let workspace = workspace();
    let urls = ["http://192.168.1.1/reboot", "http://example.org/a", "file:///etc/hostname", "http://[::1]/"];
    let outlines: String = urls.iter().map(|url| format!("<outline xmlUrl='{url}'/>")).collect();
    workspace.write("list.opml", &format!("<opml><body>{outlines}</body></opml>"));
    let said = workspace.run(&["feeds", "import", "list.opml", "--dry-run"]).ended_with(0);
    says(&said, &["take out what is not yours: http://192.168.1.1/reboot, /etc/hostname, http://[::1]/\n"]);
    let json = workspace.run(&["feeds", "import", "list.opml", "--json"]).json();
    assert_eq!(json["inside"].as_array().map(Vec::len), Some(3), "{json:#}");
}

#[test]
fn what_is_exported_can_be_imported() {
    let one = workspace();
    one.write("list.opml", LIST);
    one.run(&["feeds", "import", "list.opml"]).ended_with(0);
    let secret = "\n[[feed]]\nurl = \"https://user:hunter2@d.example/?token=hunter2\"\nname = \"D\"\n";
    one.write("conf.d/secret.toml", secret);
    one.run(&["poll", "known.xml"]).code.expect("it ends");
    let ran = one.run(&["feeds", "export"]);
    assert!(ran.stderr.contains("1 URL has a password or token that is left out"), "{ran:#?}");
    let exported = ran.ended_with(0);
    assert!(!exported.contains("hunter2"), "{exported}");
    says(
        &exported,
        &["<opml version=\"2.0\">", "<outline text=\"wire\" title=\"wire\">", "category=\"ours\"", "A &amp; co"],
    );

    let exported = one.run(&["feeds", "export", "--with-secrets"]).ended_with(0);
    let other = Workspace::new(&format!("{RULES}\n[mail]\nfrom = \"a@example.org\"\nserver = \"file:./mail\"\n"));
    other.write("list.opml", &exported);
    other.run(&["feeds", "import", "list.opml", "--to", "feedwatch.toml"]).ended_with(0);
    let feeds = |workspace: &Workspace| workspace.run(&["feeds", "export", "--with-secrets", "--json"]).json();
    let (sent, got) = (feeds(&one), feeds(&other));
    assert_eq!(sent.as_array().expect("an array").len(), 4);
    assert_eq!(sent, got);
}

/// A reload reads the included list again.
#[test]
fn an_included_list_is_read_again() {
    let workspace = workspace();
    let opml = |urls: &[&str]| {
        let outlines: String = urls.iter().map(|url| format!("<outline xmlUrl='{url}'/>")).collect();
        workspace.write("list.opml", &format!("<opml><body>{outlines}</body></opml>"));
    };
    opml(&["https://a.example/"]);
    let with = workspace.read("feedwatch.toml").replace("# Wires\n", "[[feed]]\nopml = \"list.opml\"\n\n# Wires\n");
    workspace.write("feedwatch.toml", &with);
    says(&workspace.run(&["check"]).ended_with(0), &["2 feeds"]);
    opml(&["https://a.example/", "https://b.example/"]);
    says(&workspace.run(&["check"]).ended_with(0), &["3 feeds"]);
    workspace.write("list.opml", "<opml><body>");
    refused(workspace.run(&["check"]), 2, "list.opml: breaks off");
}

/// A page with more feeds than a search asks for names the others.
#[test]
fn feeds_that_were_not_tried_are_listed() {
    let (workspace, server) = (workspace(), HttpServer::start());
    let link =
        |n: usize| format!("<link rel=alternate type=application/rss+xml title='Part\u{202e} {n}' href=/{n}.xml>");
    server.put("/", Page::html(format!("<!doctype html>{}", (0..30).map(link).collect::<String>())));
    for n in 0..30 {
        server.put(&format!("/{n}.xml"), Page::feed(FEED.replace("Wire", &format!("Wire {n}"))));
    }
    let ran = workspace.run(&["feeds", "add", &server.url("/")]);
    says(&ran.stdout, &["20 feeds more that the page names", &format!("{} (Part 29)", server.url("/29.xml"))]);
    assert!(!ran.stdout.contains('\u{202e}'), "{}", ran.stdout);
    refused(ran, 1, "10 feeds were found and none was chosen");
    assert_eq!(server.log().len(), 11);
    let ran = workspace.run(&["feeds", "add", &server.url("/"), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(json["untried"].as_array().map(Vec::len), Some(20), "{json:#}");
}

#[test]
fn what_is_no_address_is_told_from_what_is_a_file() {
    let workspace = workspace();
    workspace.write("new.xml", FEED);
    let file = format!("file://{}", workspace.path("new.xml").display());
    says(&workspace.run(&["feeds", "add", &file, "--dry-run"]).ended_with(0), &["new.xml\""]);
    for (address, why) in [
        ("file:///nowhere/feed.xml", "is not a file that is there"),
        ("file://example.org/feed.xml", "give its path"),
        ("desk@example.org", "is a mail address"),
        ("mailto:desk@example.org", "is a mail address"),
        ("http://exa mple.org/", "is not a URL"),
        ("lists/mine.OPML", "`feedwatch feeds import` takes it"),
        ("", "is neither the address of a site nor a file"),
    ] {
        refused(workspace.run(&["feeds", "add", address]), 2, why);
    }
}

/// FEEDS A15: no cookie is sent; a site that goes in a circle without one is told from one that is broken.
#[test]
fn a_site_that_wants_a_cookie_is_told_of() {
    let (workspace, server) = (workspace(), HttpServer::start());
    server.put("/broken", Page::redirect(302, "/broken"));
    server.put("/wall", Page::redirect(302, "/wall").with_header("set-cookie", "seen=1"));
    refused(workspace.run(&["feeds", "add", &server.url("/broken")]), 1, "the site must mend that");
    refused(workspace.run(&["feeds", "add", &server.url("/wall")]), 1, "it wants a cookie back");
    assert!(server.asked("/wall").iter().all(|asked| asked.headers.iter().all(|(name, _)| name != "cookie")));
}

#[test]
fn a_name_that_another_feed_has_is_remarked_on() {
    let (workspace, server) = (workspace(), site());
    server.put("/other.xml", Page::feed(FEED));
    let add = |path: &str, name| workspace.run(&["feeds", "add", &server.url(path), "--name", name]);
    assert_eq!(add("/rss.xml", "Wire").stderr, "");
    let ran = add("/other.xml", "wire");
    says(&ran.stderr, &["`wire` is also the name of the feed at", "feedwatch.toml:17"]);
    ran.ended_with(0);
}

/// Once a person who could not write the configuration was told only that.
#[test]
fn what_could_not_be_written_is_shown() {
    let workspace = workspace();
    workspace.write("new.xml", FEED);
    // There is no room for the name of the draft, whoever writes it, root too.
    let file = format!("conf.d/{}.toml", "x".repeat(250));
    let ran = workspace.run(&["feeds", "add", "new.xml", "--name", "New", "--to", &file]);
    says(&ran.stderr, &["what was to be added:\n\n    [[feed]]", "    name = \"New\""]);
    refused(ran, 1, "could not be written and is as it was");
}

/// A list of thousands of feeds is taken in one go, and does not fill the terminal.
#[test]
fn a_long_list_is_imported_and_told_of_briefly() {
    let workspace = workspace();
    let outline = |n: usize| format!("<outline text='Title {}' xmlUrl='https://h{n}.example/?a=1&b=2'/>\n", n % 10);
    let outlines: String = (0..5_000).map(outline).collect();
    let list = format!(
        "<opml><body><outline text='Asia'><outline text='East\u{202e}'>{outlines}</outline></outline></body></opml>"
    );
    workspace.write("list.opml", &list);
    let dry = workspace.run(&["feeds", "import", "list.opml", "--dry-run"]).ended_with(0);
    assert_eq!(dry.matches("[[feed]]").count(), 5_000);
    let said = workspace.run(&["feeds", "import", "list.opml"]).ended_with(0);
    assert_eq!(said.matches("[[feed]]").count(), 20);
    says(&said, &["… and 4980 feeds more", "5000 feeds imported"]);
    let written = workspace.read("conf.d/list.toml");
    assert_eq!(written.matches("tags = [\"Asia\", \"East\"]").count(), 5_000);
    says(
        &workspace.run(&["feeds", "import", "list.opml"]).ended_with(0),
        &["0 feeds imported, 5000 already configured"],
    );
}
