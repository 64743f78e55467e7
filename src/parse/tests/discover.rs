//! Finding feeds in pages, robots.txt and sitemaps.

use crate::parse::discover::{FeedLink, common_places, feed_links, news_sitemaps_of, sitemaps};
use proptest::prelude::*;
use url::Url;

fn base() -> Url {
    "https://www.example.org/world/index.html".parse().unwrap()
}

fn found(page: &str) -> Vec<(String, bool)> {
    let links = feed_links(page.as_bytes(), None, &base());
    links.into_iter().map(|FeedLink { url, declared, .. }| (url.into(), declared)).collect()
}

fn urls(page: &str) -> Vec<String> {
    found(page).into_iter().map(|(url, _)| url).collect()
}

#[test]
fn links_that_are_declared_to_be_feeds_are_found() {
    for (page, url) in [
        ("<link rel=alternate type=application/rss+xml href=/rss.xml>", "https://www.example.org/rss.xml"),
        (
            "<LINK REL='Alternate' TYPE='application/atom+xml; charset=utf-8' HREF='atom'>",
            "https://www.example.org/world/atom",
        ),
        (
            "<link rel='alternate feed' type='application/feed+json' href='//cdn.example.org/f.json'>",
            "https://cdn.example.org/f.json",
        ),
        ("<link rel=feed href='?x=1&amp;y=2#top'>", "https://www.example.org/world/index.html?x=1&y=2"),
        (
            "<base href='https://other.example/a/'><link rel=alternate type=text/xml href=feed.xml>",
            "https://other.example/a/feed.xml",
        ),
        ("<link rel=alternate type=application/rss+xml href='feed://a.example/rss'>", "http://a.example/rss"),
        ("<link rel=alternate type=application/rss+xml href='https://u:p@a.example/rss'>", "https://a.example/rss"),
    ] {
        assert_eq!(found(page), [(url.to_owned(), true)], "{page}");
    }
}

#[test]
fn what_only_looks_declared_is_not_taken() {
    for page in [
        "<link rel=alternate hreflang=de href=/de/>",
        "<link rel=alternate type='application/json+oembed' href='/wp-json/oembed?url=feed'>",
        "<link rel=alternate type=application/json href=/wp-json/wp/v2/pages/7>",
        "<link rel=stylesheet type=application/rss+xml href=/rss.xml>",
        "<link rel=alternate type=application/rss+xml>",
        "<link rel=alternate type=application/rss+xml href='javascript:feed()'>",
        "<!-- <link rel=alternate type=application/rss+xml href=/rss.xml> -->",
        "<script>'<link rel=alternate type=application/rss+xml href=/rss.xml>'</script>",
    ] {
        assert_eq!(found(page), [], "{page}");
    }
}

#[test]
fn links_of_the_text_count_if_they_look_like_feeds() {
    for href in
        ["/rss", "/feed/", "/news.rss", "/blog/atom.xml", "/?feed=rss2", "//feeds.example.net/wire", "/rss/world.xml"]
    {
        let page = format!("<a href='{href}'>RSS</a>");
        let is_feed = href != "//feeds.example.net/wire" && href != "/rss/world.xml";
        assert_eq!(found(&page).len(), usize::from(is_feed), "{href}");
    }
    for href in
        ["/feedback", "/atomic-energy", "https://reader.example/add?url=/rss.xml", "mailto:rss@example.org", "#rss"]
    {
        assert_eq!(found(&format!("<a href='{href}'>RSS</a>")), [], "{href}");
    }
}

#[test]
fn declared_feeds_come_first_and_feeds_of_comments_last() {
    let page = "<a href=/old.rss>x</a><link rel=alternate type=application/rss+xml title='Site &raquo; Comments Feed' \
                href=/comments/feed/><link rel=alternate type=application/rss+xml title=' A\n B ' href=/feed/>\
                <a href=/feed/>again</a>";
    let feeds =
        ["https://www.example.org/feed/", "https://www.example.org/comments/feed/", "https://www.example.org/old.rss"];
    assert_eq!(urls(page), feeds);
    assert_eq!(feed_links(page.as_bytes(), None, &base())[0].title.as_deref(), Some("A B"));
}

#[test]
fn many_links_do_not_hide_a_declared_feed() {
    let page: String = (0..10_000).map(|n| format!("<a href=/{n}.rss>x</a>")).collect();
    let urls = urls(&format!("{page}<link rel=alternate type=application/rss+xml href=/feed/>"));
    assert_eq!(urls[0], "https://www.example.org/feed/");
    assert!(urls.len() <= 60);
}

#[test]
fn common_places_are_at_the_root() {
    let places = common_places(&base());
    assert_eq!(places[0].as_str(), "https://www.example.org/feed");
    assert!(places.iter().any(|place| place.path() == "/feeds/posts/default"));
}

#[test]
fn robots_txt_names_sitemaps() {
    let robots = "\u{feff}User-agent: *\nDisallow: /x\nSitemap: https://www.example.org/pages.xml\r\n\
                  sitemap : /google-news.xml # news\nSitemap: https://www.example.org/pages.xml\nSitemap: ftp://a/b\n# Sitemap: /no.xml";
    let found: Vec<String> = sitemaps(robots, &base()).into_iter().map(Into::into).collect();
    assert_eq!(found, ["https://www.example.org/google-news.xml", "https://www.example.org/pages.xml"]);
}

#[test]
fn an_index_names_the_sitemaps_that_have_news() {
    let index = "<sitemapindex><sitemap><loc>\nhttps://example.org/news-1.xml\n</loc><lastmod>2026</lastmod></sitemap>\
                 <sitemap><loc>https://example.org/pages.xml</loc></sitemap></sitemapindex>";
    let found: Vec<String> = news_sitemaps_of(index.as_bytes(), None, &base()).into_iter().map(Into::into).collect();
    assert_eq!(found, ["https://example.org/news-1.xml"]);
    assert_eq!(news_sitemaps_of(b"<urlset><url><loc>https://a.example/news</loc></url></urlset>", None, &base()), []);
}

proptest! {
    /// Promise P6: whatever a page is, few links come of it, and only such as may be asked for.
    #[test]
    fn links_of_any_page_can_be_asked_for(page in "(<(a|link|base) (rel=alternate )?(type=application/rss.xml )?href='[a-z:/.?#@\\[\\]]{0,20}'>|.{0,5}){0,30}") {
        let links = feed_links(page.as_bytes(), None, &base());
        prop_assert!(links.len() <= 60);
        for link in links {
            prop_assert!(matches!(link.url.scheme(), "http" | "https") && link.url.password().is_none());
        }
    }
}
