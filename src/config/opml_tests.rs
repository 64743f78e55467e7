use super::*;
use proptest::prelude::*;

fn outlines(text: &str) -> Vec<Outline> {
    read(text.as_bytes()).unwrap().outlines
}

fn urls(text: &str) -> Vec<String> {
    outlines(text).into_iter().map(|outline| outline.url).collect()
}

fn one(text: &str) -> Outline {
    let mut outlines = outlines(text);
    assert_eq!(outlines.len(), 1, "{outlines:?}");
    outlines.remove(0)
}

fn body(outlines: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<opml version=\"1.0\">\n<head/>\n<body>\n{outlines}\n</body></opml>")
}

#[test]
fn folders_and_categories_become_tags() {
    let text = body(
        "<outline text='News'>\n<outline text='Europe' title='x'><outline type='rss' text='A &amp; B' \
         xmlUrl=' https://a.example/rss?x=1&amp;y=2 ' htmlUrl='https://a.example/' category='/Boston/Weather,News, wire '/>\
         </outline>\n<outline xmlUrl='https://b.example/' text='https://b.example/' title='B'/></outline>\n\
         <outline title='C' xmlUrl='https://c.example/'></outline><outline text='a note'/>",
    );
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        outlines(&text),
        [
            Outline {
                line: 6,
                url: "https://a.example/rss?x=1&y=2".into(),
                name: Some("A & B".into()),
                tags: tags(&["News", "Europe", "Boston", "Weather", "wire"]),
            },
            Outline { line: 7, url: "https://b.example/".into(), name: None, tags: tags(&["News"]) },
            Outline { line: 8, url: "https://c.example/".into(), name: Some("C".into()), tags: Vec::new() },
        ]
    );
}

/// What readers have written, each once the end of an import somewhere.
#[test]
fn broken_lists_of_real_readers_are_read() {
    let url = "https://a.example/rss?x=1&y=2";
    for text in [
        "<opml><outline xmlUrl='https://a.example/rss?x=1&y=2'/></opml>",
        "<outline xmlUrl='https://a.example/rss?x=1&y=2'/>",
        "\u{feff}\n<OPML><Body><OUTLINE TYPE='RSS' XMLURL='https://a.example/rss?x=1&amp;y=2'></OUTLINE></Body></OPML>",
        "<opml><body><outline text=\"R&D <new> 'x'\" xmlurl=https://a.example/rss?x=1&#38;y=2 ></body></opml>",
        "<!DOCTYPE opml [<!ENTITY a \"b\">]><opml><head><title>A & B</head><outline xmlUrl='https://a.example/rss?x=1&y=2'>",
        "<opml><body><!-- <outline xmlUrl='no'/> --><outline xmlUrl='https://a.example/rss?x=1&y=2'/></body>",
        "<opml><body><outline text='x'></outline></outline></outline><outline xmlUrl='https://a.example/rss?x=1&y=2'/>",
    ] {
        assert_eq!(urls(text), [url], "{text}");
    }
    // A feed that is closed by a tag of its own does not close its folder.
    let closed = "<opml><outline text='a'><outline xmlUrl='x'></outline><outline xmlUrl='y'></outline></outline><outline xmlUrl='z'/>";
    let tags: Vec<String> = outlines(closed).iter().map(|outline| outline.tags.concat()).collect();
    assert_eq!(tags, ["a", "a", ""]);
    // Feeds that are not closed are not folders of each other.
    let open = body(&"<outline text='a' xmlUrl='https://a.example/'>\n".repeat(1000));
    assert!(outlines(&open).iter().all(|outline| outline.tags.is_empty()));
    let (latin, _, _) = encoding_rs::WINDOWS_1251
        .encode("<?xml version='1.0' encoding='windows-1251'?><outline text='Новини' xmlUrl='https://a.example/'/>");
    assert_eq!(read(&latin).unwrap().outlines[0].name.as_deref(), Some("Новини"));
    let utf16: Vec<u8> =
        "\u{feff}<outline text='Новини' xmlUrl='x'/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16).unwrap().outlines[0].name.as_deref(), Some("Новини"));
}

#[test]
fn a_list_that_was_cut_off_is_known() {
    let text = body("<outline xmlUrl='https://a.example/'/>\n<outline xmlUrl='https://b.example/'/>");
    assert!(read(text.as_bytes()).unwrap().complete);
    let cut = &text[..text.find("b.example").unwrap()];
    let list = read(cut.as_bytes()).unwrap();
    assert_eq!((list.complete, list.outlines.len()), (false, 1));
}

#[test]
fn limits_hold() {
    assert_eq!(read(b"<html><a href=x>no</a></html>"), Err(OpmlError::NotOpml));
    assert_eq!(read(b""), Err(OpmlError::NotOpml));
    assert_eq!(read(b"<opml/>"), Ok(Opml::default()));
    let deep = "<outline text='a'>\n".repeat(100_000);
    assert_eq!(read(deep.as_bytes()), Err(OpmlError::TooDeep { line: 33 }));
    assert_eq!(read(&vec![b' '; 9 << 20]), Err(OpmlError::TooLarge));
    let long = one(&format!("<outline text='{0}' category='{0}' xmlUrl='x'/>", "é".repeat(100_000)));
    assert_eq!(long.name.unwrap().chars().count(), NAME_MAX_CHARS);
    let many =
        one(&format!("<outline category='{}' xmlUrl='x'/>", (0..1000).map(|n| format!("{n},")).collect::<String>()));
    assert_eq!(many.tags.len(), TAGS_MAX);
}

#[test]
fn urls_are_judged_apart() {
    let url = |text: &str| Outline { url: text.into(), ..Outline::default() }.feed_url().map(|url| url.to_string());
    assert_eq!(url("HTTPS://a.example/rss#x").as_deref(), Ok("https://a.example/rss"));
    assert_eq!(url("feed://a.example/rss").as_deref(), Ok("http://a.example/rss"));
    assert_eq!(url("feed:https://a.example/rss").as_deref(), Ok("https://a.example/rss"));
    assert_eq!(url("file:///var/feeds/a.xml").as_deref(), Ok("/var/feeds/a.xml"));
    for bad in ["a.example/rss", "../feed.xml", "ftp://a.example/", "javascript:1", "https://", "file:a.xml", ""] {
        assert!(url(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_written_is_opml() {
    let outline = |url: &str, name: Option<&str>, tags: &[&str]| Outline {
        line: 0,
        url: url.into(),
        name: name.map(Into::into),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    let written = write(
        "feeds & more",
        &[
            outline("https://a.example/?x=1&y=2", Some("\"A\" & <B>"), &["wire", "english", "a/b"]),
            outline("https://b.example/", None, &[]),
            outline("https://c.example/", Some("C"), &["wire"]),
        ],
    );
    insta::assert_snapshot!(written);
}

proptest! {
    /// An export that is imported gives the same feeds.
    #[test]
    fn a_round_trip_changes_nothing(feeds in proptest::collection::vec(
        ("https://[a-z]{1,8}\\.example/[a-zA-Z0-9&?=;#'\"<>%+,._-]{0,12}",
         proptest::option::of("\\PC{1,40}"),
         proptest::collection::btree_set("\\PC{1,12}|[a-c,/& ]{1,4}", 0..5)),
        0..8,
    )) {
        let valid = |name: &String| crate::config::values::parse_name(name).ok().filter(|name| !name.contains(['\u{fffe}', '\u{ffff}']));
        let sent: Vec<Outline> = feeds.into_iter().map(|(url, name, tags)| Outline {
            line: 0,
            name: name.as_ref().and_then(valid).filter(|name| *name != url),
            url,
            tags: tags.iter().filter_map(valid).collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
        }).collect();
        let key = |outline: &Outline| {
            let tags: std::collections::BTreeSet<_> = outline.tags.iter().cloned().collect();
            (outline.url.clone(), outline.name.clone(), tags)
        };
        let list = read(write("feeds", &sent).as_bytes()).unwrap();
        prop_assert!(list.complete);
        // Feeds are put together by folder.
        let (mut sent, mut got): (Vec<_>, Vec<_>) = (sent.iter().map(key).collect(), list.outlines.iter().map(key).collect());
        sent.sort();
        got.sort();
        prop_assert_eq!(sent, got);
    }

    /// Promise P6: no list makes the reader fail otherwise than with an error.
    #[test]
    fn any_list_is_read_or_refused(text in "(</?(opml|outline|body)( (xmlurl|text|category)='?[a-z&;/,]{0,6}'?){0,3}/?>|\\PC){0,60}") {
        let _ = read(text.as_bytes());
    }
}
