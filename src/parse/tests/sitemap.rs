//! News sitemaps.

use super::*;

fn urlset(entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
         xmlns:news=\"http://www.google.com/schemas/sitemap-news/0.9\" \
         xmlns:image=\"http://www.google.com/schemas/sitemap-image/1.1\">{entries}</urlset>"
    )
}

fn entry(loc: &str, title: &str, date: &str) -> String {
    format!(
        "<url><loc>{loc}</loc><news:news><news:publication><news:name>Ось новини</news:name>\
         <news:language>uk</news:language></news:publication><news:publication_date>{date}</news:publication_date>\
         <news:title>{title}</news:title></news:news></url>"
    )
}

#[test]
fn reads_every_field_of_a_news_sitemap() {
    let feed = read(urlset(
        "<url><loc> https://example.org/a?x=1&amp;y=2 </loc><lastmod>2026-11-24</lastmod><news:news>\
         <news:publication><news:name>Meridian Wire</news:name><news:language>en</news:language></news:publication>\
         <news:genres>PressRelease</news:genres><news:publication_date>2026-11-24T10:00:00+02:00</news:publication_date>\
         <news:title><![CDATA[Tom & Jerry’s missile]]></news:title><news:keywords>Arms, Asia , Arms</news:keywords>\
         </news:news><image:image><image:loc>https://example.org/a.jpg</image:loc><image:title>No</image:title>\
         </image:image></url><url><loc>https://example.org/about</loc></url>",
    ))
    .unwrap();
    let item = Item {
        link: Some("https://example.org/a?x=1&y=2".into()),
        title: "Tom & Jerry’s missile".into(),
        categories: strings(&["Arms", "Asia"]),
        language: Some("en".into()),
        published: date("2026-11-24T08:00:00Z"),
        ..Item::default()
    };
    assert_eq!((feed.format, feed.title.as_deref()), (FeedFormat::NewsSitemap, Some("Meridian Wire")));
    assert_eq!(feed.items, [item]);
}

/// FEEDS C2, C3: an entry is known by its address, whatever happens to its headline.
#[test]
fn an_entry_of_a_sitemap_is_known_by_its_address() {
    let keys = |title: &str| {
        let feed = read(urlset(&entry("https://example.org/a", title, "2026-11-24"))).unwrap();
        let articles = crate::core::identity::articles(feed.items);
        articles.into_iter().map(|article| article.key).collect::<Vec<_>>()
    };
    assert_eq!(keys("Before"), keys("After"));
    assert!(keys("Before")[0].as_str().starts_with("link:"));
}

#[test]
fn dates_of_sitemaps_are_read_as_they_are_written() {
    for (written, read_as) in [
        ("2026-11-24", Some("2026-11-24T00:00:00Z")),
        ("2026-11-24T10:00+02:00", Some("2026-11-24T08:00:00Z")),
        ("2026-11-24T10:00:00.123Z", Some("2026-11-24T10:00:00Z")),
        ("2026-11-24T10:00:00", Some("2026-11-24T10:00:00Z")),
        ("Tue, 24 Nov 2026 10:00:00 +0200", Some("2026-11-24T08:00:00Z")),
        ("1970-01-01", None),
        ("2126-11-24", None),
        ("soon", None),
    ] {
        let item = only(urlset(&entry("https://example.org/a", "t", written)));
        assert_eq!(item.published, read_as.and_then(date), "{written}");
    }
}

#[test]
fn sitemaps_that_are_no_feed_say_what_they_are() {
    let page = "<url><loc>https://example.org/about</loc></url>";
    let plain = urlset(page).replace("sitemap-news", "other");
    assert!(read(plain).unwrap_err().to_string().contains("a sitemap without news"));
    assert!(read(urlset(page)).is_err(), "pages, none of them news");
    // Nothing was published for two days.
    assert_eq!(read(urlset("")).unwrap().items, []);
    let index = "<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\
                 <sitemap><loc>https://example.org/pages.xml</loc></sitemap>\
                 <sitemap><loc>https://example.org/news.xml</loc></sitemap></sitemapindex>";
    let said = read(index).unwrap_err().to_string();
    assert!(said.contains("https://example.org/news.xml, https://example.org/pages.xml"), "{said}");
}

#[test]
fn limits_hold_for_sitemaps() {
    let entries: String = (0..20).map(|n| entry(&format!("https://example.org/{n}"), "t", "2026-11-24")).collect();
    let limits = ParseLimits { items: 10, ..ParseLimits::default() };
    let parsed = |text: &str| parse(text.as_bytes(), None, "https://example.org/n.xml", &limits, now());
    assert_eq!(parsed(&urlset(&entries)), Err(ParseError::TooManyItems { limit: 10 }));
    let deep = format!("<url>{}</url>", "<a>".repeat(1000));
    assert_eq!(parsed(&urlset(&deep)), Err(ParseError::TooDeep { limit: 256 }));
}

/// Once nothing was read of a sitemap that had lost its end, and the error said that it had no whole item.
#[test]
fn of_a_truncated_sitemap_the_whole_entries_are_read() {
    let (first, second) =
        (entry("https://example.org/1", "one", "2026-11-24"), entry("https://example.org/2", "two", ""));
    let whole = urlset(&format!("{first}{second}"));
    let cut = |text: &str| whole[..whole.find(text).unwrap()].to_owned();
    let feed = read(cut("two")).unwrap();
    assert_eq!(feed.items.iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), ["one"]);
    assert_eq!(feed.recovered, [Recovery::Truncated]);
    assert!(matches!(read(cut("one")), Err(ParseError::Truncated { .. })));
}

#[test]
fn sitemaps_are_decoded_like_feeds() {
    let text = urlset(&entry("/a", "Ракета", "2026-11-24")).replace("UTF-8", "windows-1251");
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(&text);
    let item = only(bytes);
    assert_eq!((item.title.as_str(), item.link.as_deref()), ("Ракета", Some("https://example.org/a")));
}
