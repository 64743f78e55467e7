//! Tests of reading whole documents: every field of every format, every file of the fixtures, hostile input.

use super::*;
use crate::core::article::{FeedFormat, Item, Recovery};
use proptest::prelude::*;
use std::{collections::BTreeSet, path::Path, time::Duration};

mod discover;
mod recovery;
mod sitemap;

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn read(body: impl AsRef<[u8]>) -> Result<ParsedFeed, ParseError> {
    parse(body.as_ref(), None, "https://example.org/dir/feed.xml", &ParseLimits::default(), now())
}

fn rss(items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>")
}

fn only(body: impl AsRef<[u8]>) -> Item {
    let mut items = read(body).unwrap().items;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

fn date(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn reads_every_field_of_rss() {
    let feed = read(
        r#"<?xml version="1.0" encoding="utf-8"?>
        <rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
             xmlns:dc="http://purl.org/dc/elements/1.1/">
        <channel><title>News &amp;amp; views</title><language>en_us</language><ttl>45</ttl>
        <item><guid isPermaLink="false"> tag:1 </guid><link>/a?x=1&amp;y=2</link>
        <title><![CDATA[North <b>Korea</b>n &#8217;missile&#8217;]]></title>
        <description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two &amp;amp; three&lt;/p&gt;</description>
        <content:encoded><![CDATA[<p>Full</p><script>no</script>text]]></content:encoded>
        <dc:creator>Ann</dc:creator><author>ben@example.org (Ben Ash)</author>
        <category>World</category><category> Asia </category><category>World</category>
        <dc:subject>Arms</dc:subject><dc:language>de</dc:language>
        <pubDate>Tue, 24 Nov 2026 10:00:00 +0200</pubDate></item></channel></rss>"#,
    )
    .unwrap();
    assert_eq!(
        feed,
        ParsedFeed {
            format: FeedFormat::Rss,
            title: Some("News & views".into()),
            language: Some("en-US".into()),
            ttl: Some(Duration::from_secs(45 * 60)),
            items: vec![Item {
                guid: Some("tag:1".into()),
                link: Some("https://example.org/a?x=1&y=2".into()),
                title: "North Korean \u{2019}missile\u{2019}".into(),
                summary: "One\ntwo & three".into(),
                content: "Full\ntext".into(),
                authors: strings(&["Ann", "Ben Ash"]),
                categories: strings(&["World", "Asia", "Arms"]),
                language: Some("de".into()),
                published: date("2026-11-24T08:00:00Z"),
                updated: None,
            }],
            recovered: Vec::new(),
        }
    );
}

#[test]
fn reads_every_field_of_atom() {
    let feed = read(
        r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr" xml:base="https://base.example/x/">
        <id>feed</id><title type="html">Le &lt;b&gt;Titre&lt;/b&gt;</title><author><name>Desk</name></author>
        <entry xml:lang="de"><id> urn:1
        </id><title>Vec&lt;T&gt; and AT&amp;T</title>
        <link rel="enclosure" href="/a.mp3"/><link rel="alternate" type="application/json" href="1.json"/>
        <link rel="alternate" type="text/html" href="1.html"/>
        <summary type="html">&lt;i&gt;in&lt;/i&gt;line</summary>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a &amp; b</p><p>c</p></div></content>
        <category term="w" label="World"/><category term="plain"/>
        <published>2026-11-20T00:00:00Z</published><updated>2026-11-21T00:00:00+01:00</updated></entry>
        <entry><id>2</id><title/><author><name>Eve</name></author><updated>2026-11-21T00:00:00Z</updated></entry></feed>"#,
    )
    .unwrap();
    assert_eq!((feed.title.as_deref(), feed.language.as_deref(), feed.ttl), (Some("Le Titre"), Some("fr"), None));
    assert_eq!(
        feed.items,
        [
            Item {
                guid: Some("urn:1".into()),
                link: Some("https://base.example/x/1.html".into()),
                title: "Vec<T> and AT&T".into(),
                summary: "inline".into(),
                content: "a & b\nc".into(),
                authors: strings(&["Desk"]),
                categories: strings(&["World", "plain"]),
                language: Some("de".into()),
                published: date("2026-11-20T00:00:00Z"),
                updated: date("2026-11-20T23:00:00Z"),
            },
            Item {
                guid: Some("2".into()),
                authors: strings(&["Eve"]),
                language: Some("fr".into()),
                updated: date("2026-11-21T00:00:00Z"),
                ..Item::default()
            },
        ]
    );
}

#[test]
fn reads_every_field_of_rdf() {
    let feed = read(
        r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
             xmlns:dc="http://purl.org/dc/elements/1.1/">
        <channel rdf:about="https://example.org/"><title>t</title><dc:language>ja</dc:language></channel>
        <item rdf:about="left-out"><title>without a link</title></item>
        <item rdf:about="urn:a"><title>a</title><link>https://example.org/a</link><description>d</description>
        <dc:creator>Ann</dc:creator><dc:subject>World</dc:subject><dc:date>2026-11-20T00:00:00Z</dc:date></item></rdf:RDF>"#,
    )
    .unwrap();
    assert_eq!(feed.language.as_deref(), Some("ja"));
    assert_eq!(
        feed.items,
        [Item {
            guid: Some("urn:a".into()),
            link: Some("https://example.org/a".into()),
            title: "a".into(),
            summary: "d".into(),
            authors: strings(&["Ann"]),
            categories: strings(&["World"]),
            language: Some("ja".into()),
            published: date("2026-11-20T00:00:00Z"),
            ..Item::default()
        }]
    );
}

#[test]
fn reads_every_field_of_json_feed() {
    let feed = read(
        "\u{feff}{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"t\",\"language\":\"en\",\"items\":[
        {\"id\":\"1\",\"url\":\"/a\",\"title\":\"A &amp; B\",\"summary\":\"s\",\"content_html\":\"<p>x</p>y\",
         \"authors\":[{\"name\":\"Ann\"}],\"tags\":[\"World\"],\"date_published\":\"2026-11-20T00:00:00Z\",
         \"date_modified\":\"2026-11-21T00:00:00Z\",\"attachments\":[{\"url\":\"/f\",\"mime_type\":\"audio/mpeg\"}]},
        {\"id\":\"2\",\"content_text\":\"one\\n\\ntwo\",\"attachments\":[{\"url\":\"/f\",\"mime_type\":\"audio/mpeg\"}]}]}",
    )
    .unwrap();
    assert_eq!((feed.title.as_deref(), feed.language.as_deref()), (Some("t"), Some("en")));
    assert_eq!(
        feed.items,
        [
            Item {
                guid: Some("1".into()),
                link: Some("https://example.org/a".into()),
                title: "A & B".into(),
                summary: "s".into(),
                content: "x\ny".into(),
                authors: strings(&["Ann"]),
                categories: strings(&["World"]),
                language: Some("en".into()),
                published: date("2026-11-20T00:00:00Z"),
                updated: date("2026-11-21T00:00:00Z"),
            },
            Item { guid: Some("2".into()), content: "one\ntwo".into(), language: Some("en".into()), ..Item::default() },
        ]
    );
}

/// FEEDS C3, C15: guids are as sent and never invented; links are absolute and of the web.
#[test]
fn guids_and_links() {
    for (item, guid, link) in [
        ("<description>only</description>", None, None),
        ("<guid>  </guid><title>a</title>", None, None),
        ("<guid>https://e.example/1</guid>", Some("https://e.example/1"), Some("https://e.example/1")),
        (
            "<guid isPermaLink='TRUE'>https://e.example/1</guid>",
            Some("https://e.example/1"),
            Some("https://e.example/1"),
        ),
        ("<guid isPermaLink='false'>https://e.example/1</guid>", Some("https://e.example/1"), None),
        ("<guid>/relative</guid>", Some("/relative"), None),
        ("<link>javascript:alert(1)</link><guid>1</guid>", Some("1"), None),
        ("<link>\n</link>", None, None),
        ("<link>//other.example/x</link>", None, Some("https://other.example/x")),
        ("<link xml:base='https://b.example/d/'>x</link>", None, Some("https://b.example/d/x")),
    ] {
        let found = only(rss(&format!("<item>{item}</item>")));
        assert_eq!((found.guid.as_deref(), found.link.as_deref()), (guid, link), "{item}");
    }
    let twice = || read(rss("<item><description>no id, no link, no title</description></item>")).unwrap();
    assert_eq!(twice(), twice());
}

/// A date that is to be mended is, whatever the other dates of the document are; well-formed ones are as feed-rs reads them.
#[test]
fn dates_are_read_well_formed_or_not() {
    let expected = date("2026-11-24T08:00:00Z");
    for text in [
        "Tue, 24 Nov 2026 08:00:00 GMT",
        "24 Nov 2026 10:00:00 +0200",
        "Tue, 24 Nov 2026 08:00:00 -0000",
        "2026-11-24T08:00:00Z",
        " 2026-11-24T03:00:00.5-05:00 ",
        // To be mended: a wrong or long weekday, a long month, month before day, UTC, offsets without a colon, short hours.
        "Mon, 24 Nov 2026 08:00:00 GMT",
        "Tuesday, 24 November 2026 08:00:00 UTC",
        "Tue, Nov 24 2026 08:00:00 +0000",
        "Tue, 24 Nov 2026 8:00:00 GMT",
        "2026-11-24T10:00:00+0200",
        "Die, 24 Nov 2026 08:00:00 Z",
    ] {
        let body = rss(&format!(
            "<item><guid>1</guid><pubDate>Wed, 25 Nov 2026 08:00:00 GMT</pubDate></item>
             <item><guid>2</guid><pubDate>{text}</pubDate></item>"
        ));
        let dates: Vec<_> = read(&body).unwrap().items.into_iter().map(|item| item.published).collect();
        let second = |date: Option<Timestamp>| date.map(Timestamp::as_second);
        assert_eq!(second(dates[0]), second(date("2026-11-25T08:00:00Z")), "{text}");
        assert_eq!(second(dates[1]), second(expected), "{text}");
        let theirs = feed_rs::parser::parse(body.as_bytes()).unwrap().entries[1].published;
        assert_eq!(second(dates[1]), theirs.map(|date| date.timestamp()), "{text}");
    }
}

#[test]
fn impossible_dates_are_dropped() {
    for (text, expected) in [
        ("0001-01-01T00:00:00Z", None),
        ("1989-12-31T23:59:59Z", None),
        ("1990-01-01T00:00:00Z", date("1990-01-01T00:00:00Z")),
        ("2026-11-27T12:00:00Z", date("2026-11-27T12:00:00Z")),
        ("2026-11-27T12:00:01Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("yesterday", None),
    ] {
        let body = rss(&format!("<item><guid>1</guid><pubDate>{text}</pubDate></item>"));
        assert_eq!(only(body).published, expected, "{text}");
    }
}

#[test]
fn long_texts_are_cut() {
    let title = "word ".repeat(2_000_000);
    let item =
        only(rss(&format!("<item><title>{title}</title><description>{}</description></item>", "é".repeat(50_000))));
    assert!(item.title.chars().count() <= 512 && item.title.ends_with("word…"), "{}", item.title);
    assert_eq!(item.summary.len(), 65_536);
    let unbroken = only(rss(&format!("<item><title>{}</title></item>", "x".repeat(600))));
    assert_eq!(unbroken.title.chars().count(), 512);
    let exact = only(rss(&format!("<item><title>{}</title></item>", "x".repeat(512))));
    assert_eq!(exact.title, "x".repeat(512));
    let many: String = (0..500).map(|number| format!("<category>{number}</category>")).collect();
    assert_eq!(only(rss(&format!("<item>{many}</item>"))).categories.len(), 100);
}

/// feed-rs stops at the first element in a text; a word after it must not be missed.
#[test]
fn texts_with_elements_are_whole() {
    let item =
        only(rss("<item><title>big <b>news</b> today</title><description>a <p>b</p> &amp; c</description></item>"));
    assert_eq!((item.title.as_str(), item.summary.as_str()), ("big news today", "a\nb\n& c"));
}

#[test]
fn a_title_or_a_link_of_another_kind_is_taken_where_there_is_none() {
    let dublin = "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><item><dc:title>a &amp; b</dc:title></item></channel></rss>";
    assert_eq!(only(dublin).title, "a & b");
    let both = dublin.replace("<dc:title>", "<title>own</title><dc:title>");
    assert_eq!(only(both).title, "own");
    let atom =
        |id| format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>{id}</id><title>t</title></entry></feed>");
    assert_eq!(only(atom("https://example.org/1")).link.as_deref(), Some("https://example.org/1"));
    assert_eq!(only(atom("urn:uuid:1")).link, None);
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let limits = ParseLimits { items: 2, ..ParseLimits::default() };
    let parsed = |body: &str| parse(body.as_bytes(), None, "", &limits, now()).unwrap_err().to_string();
    for (body, message) in [
        ("", "is empty"),
        (" \n\0", "is empty"),
        ("<!DOCTYPE html><html><body><p>x<br></body></html>", "is a web page (HTML), not a feed"),
        ("<!doctype HTML>\n<p>", "is a web page"),
        ("<html><head></head></html>", "is a web page"),
        ("Not found", "is not a feed (text without any markup)"),
        ("<rss><channel/></rss>", "is not a feed (RSS of an unknown version)"),
        ("<opml version='2.0'><body/></opml>", "is not a feed (its root is <opml>)"),
        ("{\"error\":1}", "is not a feed (JSON without a list of items)"),
        ("{\"version\":\"2\",\"title\":\"t\",\"items\":[]}", "is not a feed (JSON that calls itself `2`)"),
        ("{\"items\":[{\"id\"", "is truncated: it ends at line 1"),
        ("<rss version='2.0'><channel><item><title>a", "is truncated: it ends after 0 whole items, before </rss>"),
        ("<rss version='2.0'><channel><item><title><![CDATA[a</title>", "is truncated"),
        ("<rss version='2.0'><channel><item><ti", "is truncated"),
        ("<feed xmlns='http://other.example/'><entry><x/></entry></feed>", "has 1 items in a form that is not"),
        ("<rss version='2.0'><channel><title>a</b></title></channel></rss>", "is malformed"),
        ("<html><body><rss version='2.0'><channel><item/></channel></rss></body></html>", "is a web page"),
        (
            "<rss version='2.0'><channel><item/><item/><item/></channel></rss>",
            "has over 2 items: raise polling.limits.items",
        ),
        ("{\"items\":[1,2,3]}", "has over 2 items"),
        ("<rdf:RDF><item/></rdf:RDF>", "has 1 items in a form that is not"),
    ] {
        let error = parsed(body);
        assert!(error.starts_with(message), "{body:?}: {error}");
    }
    assert_eq!(
        ParseError::TooManyItems { limit: 10_000 }.to_string(),
        "has over 10,000 items: raise polling.limits.items if it may"
    );
    assert_eq!(read(rss("")).unwrap().items, []);
}

#[test]
fn hostile_documents_meet_the_limits() {
    let deep = rss(&"<a>".repeat(100_000));
    assert_eq!(read(deep), Err(ParseError::TooDeep { limit: 256 }));
    let json = format!("{{\"items\":[{}{}]}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read(json), Err(ParseError::Malformed { .. })));
    let many: String = (0..400_000).map(|number| format!(" a{number}=''")).collect();
    assert!(matches!(read(rss(&format!("<item{many}/>"))), Err(ParseError::TooMany { limit: 256, .. })));
    let namespaces: String = (0..250).map(|number| format!(" xmlns:n{number}='u'")).collect();
    let nested = rss(&format!("<item{namespaces}><b{namespaces}/></item>"));
    assert!(matches!(read(nested), Err(ParseError::TooMany { what: "namespaces in force at once", .. })));
    assert_eq!(read(rss(&"<item/>".repeat(300_000))), Err(ParseError::TooManyItems { limit: 10_000 }));
}

#[test]
fn entities_of_a_document_are_never_expanded_or_opened() {
    let levels: String =
        (1..20).map(|level| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10))).collect();
    let body = format!(
        "<!DOCTYPE l [<!ENTITY l0 \"lol\">{levels}<!ENTITY file SYSTEM \"file:///etc/passwd\">]>{}",
        rss("<item><title>&l19;</title><description>&file;</description></item>")
    );
    let item = only(body);
    assert_eq!((item.title.as_str(), item.summary.as_str()), ("&l19;", "&file;"));
}

/// What the fixtures are read as: items, first title, and what was mended.
const READ: &[(&str, usize, &str, &[Recovery])] = &[
    ("amp_bare.xml", 1, "AT&T & co", &[Recovery::Characters]),
    ("ascii_comment_before_decl_latin1.xml", 5, "plain ascii 0", &[]),
    ("ascii_decl60_latin1.xml", 5, "plain ascii 0", &[]),
    ("ascii_decl65_latin1.xml", 5, "plain ascii 0", &[]),
    ("ascii_ws_before_decl_latin1.xml", 5, "plain ascii 0", &[]),
    ("atom_content_empty_xhtml.xml", 1, "", &[]),
    ("atom_title_empty.xml", 1, "", &[]),
    ("atom_title_type_textplain.xml", 1, "a", &[Recovery::Values]),
    ("billion_laughs.xml", 1, "&a;", &[]),
    ("charref_ctrl.xml", 1, "ab", &[Recovery::Characters]),
    ("comment_before_decl_1251.xml", 1, "Привет", &[]),
    ("concat_two_docs.xml", 5, "plain ascii 0", &[]),
    ("cp1252_label_latin1.xml", 1, "It\u{2019}s", &[]),
    ("ctrl_char.xml", 1, "ab", &[]),
    ("decl_short_win1251.xml", 1, "Привет", &[]),
    ("json_attachment_bad.json", 2, "", &[Recovery::Values]),
    ("json_bom.json", 1, "", &[]),
    ("json_float_size.json", 2, "", &[Recovery::Values]),
    ("json_http_version.json", 1, "", &[Recovery::Values]),
    ("json_null_title.json", 1, "", &[Recovery::Values]),
    ("json_numeric_id.json", 2, "", &[Recovery::Values]),
    ("latin1_nolabel.xml", 1, "é", &[]),
    ("leading_php_warning.xml", 1, "a", &[Recovery::Surroundings]),
    ("leading_text_warning.xml", 1, "a", &[]),
    ("leading_ws.xml", 1, "a", &[]),
    ("media_desc_empty.xml", 1, "a", &[Recovery::Values]),
    ("media_title_empty.xml", 1, "a", &[Recovery::Values]),
    ("midstream_xmldecl_latin1.xml", 5, "plain ascii 0", &[]),
    ("nbsp_entity.xml", 1, "a bé", &[]),
    ("no_id_no_link.xml", 1, "", &[]),
    ("npt.xml", 1, "a", &[Recovery::Values]),
    ("p1_fullwidth_paren.xml", 1, "a", &[Recovery::Values]),
    ("p2_emdash.xml", 1, "a", &[Recovery::Values]),
    ("p6_nbsp.xml", 1, "a", &[Recovery::Values]),
    ("p8_dccreator.xml", 1, "a", &[Recovery::Values]),
    ("panic_decl_62_win1251.xml", 1, "Привет", &[]),
    ("panic_decl_gt64_win1251.xml", 1, "Привет", &[]),
    ("panic_spaces_in_decl_1251.xml", 1, "Привет", &[]),
    ("rss_dc_https.xml", 1, "a", &[]),
    ("rss_guid_nolink.xml", 1, "a", &[]),
    ("rss_link_ws.xml", 1, "a", &[]),
    ("rss_mrss_noslash.xml", 1, "a", &[]),
    ("rss_rel_link.xml", 1, "a", &[]),
    ("rss_title_markup.xml", 1, "big news today", &[]),
    ("rss_upper.xml", 1, "a", &[Recovery::Dialect]),
    ("trailing_html.xml", 1, "a", &[]),
    ("truncated.xml", 20, "a", &[Recovery::Truncated]),
    ("usascii_decl.xml", 5, "plain ascii 0", &[]),
    ("utf16be_bom_label_utf16.xml", 1, "Привет", &[]),
    ("utf16be_nobom_label_utf16be.xml", 1, "Привет", &[]),
    ("utf16le_bom_label_utf16.xml", 1, "Привет", &[]),
    ("utf16le_bom_label_utf8.xml", 1, "Привет", &[]),
    ("utf8_bom_label_latin1.xml", 1, "Привет", &[]),
    ("utf8_label_utf16.xml", 1, "Привет", &[]),
];

#[test]
fn reads_the_fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let body = std::fs::read(&path).unwrap();
        let found = read(&body);
        assert_eq!(found, read(&body), "{name} reads the same twice");
        let read_as =
            found.as_ref().ok().map(|feed| (feed.items.len(), feed.items[0].title.as_str(), &feed.recovered[..]));
        let expected = READ.iter().find(|row| row.0 == name).map(|row| (row.1, row.2, row.3));
        assert_eq!(read_as, expected, "{name}: {found:?}");
        names.insert(name);
    }
    assert!(
        names.len() >= 54 && names.len() == READ.len() && READ.iter().all(|row| names.contains(row.0)),
        "fixtures are missing: {names:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// FEEDS C3: whatever comes, it is read the same twice, and never a panic.
    #[test]
    fn anything_reads_the_same_twice(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("<item>"), Just("</item>"), Just("<title>"), Just("</title>"), Just("<link>https://e/1"), Just("</link>"),
                Just("<guid>"), Just("</guid>"), Just("<![CDATA["), Just("]]>"), Just("&amp;lt;p&amp;gt;"), Just("&#8217;"),
                Just("<b>x</b>"), Just("<description/>"), Just("<?xml version='1.0' encoding='koi8-r'?>"), Just("<!-- - -->"),
                Just("é\u{202e}"), Just(" text "), Just("</channel>"), Just("<entry xmlns='u' xml:lang='de'>"), Just("&"),
            ],
            0..24,
        )
    ) {
        let body = rss(&parts.concat());
        prop_assert_eq!(read(&body), read(&body));
        let _ = read(parts.concat());
        let _ = read(&body.as_bytes()[..body.len() / 2]);
    }
}
