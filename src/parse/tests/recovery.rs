//! Tests of documents that are mended: old versions, what is said of it, fixtures broken anywhere, hostile markup.

use super::*;
use Recovery::{Characters, Dialect, Markup, Surroundings, Truncated, Values};

fn notes(body: &str) -> Vec<Recovery> {
    read(body).unwrap_or_else(|error| panic!("{body}: {error}")).recovered
}

#[test]
fn old_versions_are_read() {
    let item = |title: &str, link: &str| Item { title: title.into(), link: Some(link.into()), ..Item::default() };
    let atom = r#"<feed version="0.3" xmlns="http://purl.org/atom/ns#" xml:lang="en"><title>t</title>
        <author><name>Ann</name></author><entry><id>1</id><title mode="escaped" type="text/html">a &lt;b&gt;b&lt;/b&gt;</title>
        <link rel="alternate" type="text/html" href="http://e/1"/><issued>2026-11-20T00:00:00Z</issued>
        <modified>2026-11-21T00:00:00Z</modified><content type="application/xhtml+xml"><p>x</p><p>y</p></content>
        </entry></feed>"#;
    let expected = Item {
        guid: Some("1".into()),
        content: "x\ny".into(),
        authors: strings(&["Ann"]),
        language: Some("en".into()),
        published: date("2026-11-20T00:00:00Z"),
        updated: date("2026-11-21T00:00:00Z"),
        ..item("a b", "http://e/1")
    };
    assert_eq!((only(atom), notes(atom)), (expected, vec![Dialect]));
    for body in [
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'>
            <channel><title>t</title></channel><item><title>a</title><link>http://e/1</link></item></rdf:RDF>",
        "<rss version='2.0' xmlns='http://backend.userland.com/rss2'><channel><title>t</title>
            <item><title>a</title><link>http://e/1</link></item></channel></rss>",
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='https://purl.org/rss/1.0/'>
            <item><title>a</title><link>http://e/1</link></item></rdf:RDF>",
        "<rss version='0.93'><channel><item><title>a</title><link>http://e/1</link></item></channel></rss>",
        "<Channel xmlns='http://purl.org/net/rss1.1#'><title>t</title><items><item><title>a</title>
            <link>http://e/1</link></item></items></Channel>",
        "<CHANNEL HREF='http://e/'><TITLE>t</TITLE><ITEM HREF='http://e/1'><TITLE>a</TITLE></ITEM></CHANNEL>",
    ] {
        assert_eq!((only(body), notes(body)), (item("a", "http://e/1"), vec![Dialect]), "{body}");
    }
}

#[test]
fn what_was_mended_is_said() {
    let feed = read("Notice: x<rss version='2.0'><channel><item><title>a & b<title></item><item><title>c").unwrap();
    assert_eq!((feed.items.len(), feed.items[0].title.as_str()), (1, "a & b"));
    assert_eq!(feed.recovered, [Surroundings, Characters, Markup, Truncated]);
    let json = "Notice: x\n{\"version\":\"https://jsonfeed.org/version/1\",\"title\":\"t\",\"items\":[{\"id\":\"1\"},{\"id\":2";
    assert_eq!(notes(json), [Values, Surroundings, Truncated]);
    assert_eq!(notes(&rss("<item/>")), []);
}

/// Breaks that are common on the web, in feeds that have more than one item.
#[test]
fn common_breaks_are_mended() {
    let item = "<item><title>good</title><link>http://e/1</link></item>";
    for (broken, titles, expected) in [
        ("<item><title>a<br>b</title></item>", &["a b", "good"][..], &[Markup][..]),
        ("<item><title>Q&A &mdash; x</title></item>", &["Q&A — x", "good"], &[Characters]),
        ("<item><title><![CDATA[a</title></item>", &["a", "good"], &[Markup]),
        ("<item><title>a</title>", &["a", "good"], &[Markup]),
        ("<item><title>a</title></b></item>", &["a", "good"], &[Markup]),
        ("<item><title>1 < 2</title></item>", &["1 < 2", "good"], &[Characters]),
        ("<item><title>a</title><enclosure url=x.mp3 type=\"a></item>", &["a", "good"], &[Markup]),
        ("<item><title>a</title><link>http://e/?a&b</link></item>", &["a", "good"], &[Characters]),
        ("<item xml:base='http://['><title>a</title></item>", &["good"], &[Recovery::ItemsLost { items: 1 }]),
        (
            "<item><title>a</title><itunes:duration xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>\
             9999999999999999999999</itunes:duration></item>",
            &["a", "good"],
            &[Values],
        ),
    ] {
        let body = rss(&format!("{broken}{item}"));
        let feed = read(&body).unwrap_or_else(|error| panic!("{broken}: {error}"));
        let read: Vec<&str> = feed.items.iter().map(|item| item.title.as_str()).collect();
        assert_eq!((&read[..], &feed.recovered[..]), (titles, expected), "{broken}");
        assert_eq!(feed.title.as_deref(), Some("t"), "{broken}");
    }
}

#[test]
fn line_breaks_without_end_are_not_depth() {
    let body = rss(&format!("<item><title>a</title><description>{}z</description></item>", "x<br>".repeat(300)));
    let feed = read(body).unwrap();
    assert_eq!((feed.items.len(), &feed.recovered[..]), (1, &[Markup][..]));
    assert!(feed.items[0].summary.starts_with("x\nx\n") && feed.items[0].summary.ends_with("x\nz"));
}

/// Markup that makes each search run to the end must not take quadratic time.
#[test]
fn recovery_is_linear() {
    for part in [
        "<![CDATA[",
        "<!--",
        "&",
        "<",
        "<a b=\"",
        "<a b='c",
        "</",
        "</b>",
        "<?",
        "<b>",
        "&#x",
        "</b><![CDATA[",
        "<item>",
        "<item/>&",
    ] {
        let cost = |length: usize| {
            let hostile = part.repeat(length / part.len());
            let body = rss(&format!("<item><title>a</title></item>{hostile}"));
            let before = processor_time();
            let _ = read(&body);
            let _ = read(hostile);
            processor_time() - before
        };
        let (small, large) = (cost(125_000), cost(1_000_000));
        // Eight times as much: eight times the work, where quadratic work would be 64 times.
        assert!(large < small * 24 + Duration::from_millis(300), "{part}: {small:?}, then {large:?}");
    }
}

/// Processor time of this thread, which is the same however busy the machine is.
fn processor_time() -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts the time of threads");
    let spent = spent.split_whitespace().next().and_then(|spent| spent.parse().ok());
    Duration::from_nanos(spent.expect("its first number is nanoseconds"))
}

/// A way in which documents break.
#[derive(Debug, Clone)]
enum Break {
    Cut,
    Delete(usize),
    Insert(&'static str),
}

fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A broken feed is read or refused, the same twice, and never a panic of ours.
    #[test]
    fn broken_fixtures_are_read_or_refused(
        index in any::<proptest::sample::Index>(),
        place in any::<proptest::sample::Index>(),
        breaks in prop_oneof![
            Just(Break::Cut), (1..200_usize).prop_map(Break::Delete),
            prop_oneof![Just("<"), Just("&"), Just("]]>"), Just("<![CDATA["), Just("\""), Just("é"), Just("<item>")].prop_map(Break::Insert),
        ],
    ) {
        let fixtures = fixtures();
        let mut body = fixtures[index.index(fixtures.len())].clone();
        let at = place.index(body.len());
        match breaks {
            Break::Cut => body.truncate(at),
            Break::Delete(length) => _ = body.drain(at..(at + length).min(body.len())),
            Break::Insert(text) => _ = body.splice(at..at, text.bytes()),
        }
        let found = read(&body);
        prop_assert_eq!(&found, &read(&body));
        // What is mended has items, or it is an error.
        prop_assert!(found.is_err() || found.is_ok_and(|feed| feed.recovered.is_empty() || !feed.items.is_empty()));
    }

    /// What parses as it is, is what comes out.
    #[test]
    fn sound_documents_are_not_mended(index in any::<proptest::sample::Index>(), title in "[a-zé&<> ]{0,20}") {
        let fixtures = fixtures();
        let fixture = &fixtures[index.index(fixtures.len())];
        let base = Url::parse("https://example.org/dir/feed.xml").unwrap();
        let text = decode::decode(fixture, None, Some(&base)).trim().to_owned();
        let escaped = rss(&format!("<item><title>{}</title></item>", quick_xml::escape::escape(title.as_str())));
        for text in [text, escaped] {
            if let Ok(plain) = parse_text(&text, Reading { base: Some(&base), limits: &ParseLimits::default(), now: now() }) {
                prop_assert!(plain.recovered.is_empty());
                prop_assert_eq!(read(&text).unwrap(), plain);
            }
        }
    }
}

/// What other readers get something of, though hardly anything is there.
#[test]
fn items_that_hardly_say_anything_are_read() {
    for (body, items) in [
        ("<rss><item><description>a</description></item></rss>", 1),
        (
            "<rss xmlns:itunes='http://www.itunes.com/DTDs/Podcast-1.0.dtd'><channel><item><itunes:explicit>no</itunes:explicit></item></channel></rss>",
            1,
        ),
        ("<rss><channel><item><enclosure type='audio/ogg'/></item></channel></rss>", 1),
        ("<rdf><item><title>a</title></item></rdf>", 1),
        (
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'><channel/><item><title>a</title></item><item><title>b</title></item></rdf:RDF>",
            2,
        ),
        ("<feed xmlns='http://www.w3.org/2005/Atom'><item><title>a</title></item></feed>", 1),
        (
            "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><created>2004-01-01T19:48:21Z</created></entry></feed>",
            1,
        ),
        (
            "<feed version='0.3' xmlns='http://purl.org/atom/ns#' xmlns:media='http://search.yahoo.com/mrss/'><entry><media:group><media:description type='plain'>a</media:description></media:group><title>b</title></entry></feed>",
            1,
        ),
        ("<CHANNEL><ITEM LASTMOD='2004-04-06T23:05:43-05:00'></ITEM></CHANNEL>", 1),
        ("<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title>&#X41;</title></entry></feed", 1),
    ] {
        let feed = read(body).unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(feed.items.len(), items, "{body}");
    }
    // Unknown elements without a prefix are of no feed.
    for body in ["<rss><item><überschrift>a</überschrift></item></rss>", "<rss><item/></rss>"] {
        assert!(read(body).is_err(), "{body}");
    }
}
