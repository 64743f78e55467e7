//! Where a site says that its feeds are: links of a page, lines of robots.txt, places where feeds commonly are.
//!
//! Pure functions of text, linear in it. What they return is not asked for yet and may be no feed.

use super::{decode, sitemap};
use crate::rules::plain::{clean, truncate};
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use std::convert::Infallible;
use url::Url;

/// Bytes of a page that are looked through.
const PAGE_BYTES: usize = 2 << 20;

/// Links of a page that are returned at most.
const LINKS: usize = 60;

/// Characters of a link's title.
const TITLE_CHARS: usize = 200;

/// Longest address that is taken.
const URL_BYTES: usize = 2048;

/// A link of a page that may lead to a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    /// Where it leads: `http` or `https`, without fragment and credentials.
    pub url: Url,
    /// What the page calls it.
    pub title: Option<String>,
    /// Whether the page says that it is a feed (`link rel=alternate`); others only look like one.
    pub declared: bool,
}

/// Returns the links of a page that may lead to feeds: those that are declared first, each in the order of the page,
/// feeds of comments last.
pub fn feed_links(body: &[u8], content_type: Option<&str>, base: &Url) -> Vec<FeedLink> {
    let text = decode::decode(body, content_type, Some(base));
    let mut base = base.clone();
    let mut has_base = false;
    let mut found: Vec<FeedLink> = Vec::new();
    let mut emitter = DefaultEmitter::<()>::default();
    emitter.naively_switch_states(true);
    for Ok::<_, Infallible>(token) in Tokenizer::new_with_emitter(truncate(&text, PAGE_BYTES), emitter) {
        let Token::StartTag(tag) = token else { continue };
        let link = match &**tag.name {
            b"base" if !has_base => {
                if let Some(href) = attribute(&tag, "href").and_then(|href| base.join(href.trim()).ok()) {
                    (base, has_base) = (href, true);
                }
                continue;
            }
            b"link" => declared(&tag, &base),
            b"a" | b"area" => looks_like_feed(&tag, &base),
            _ => continue,
        };
        let Some(link) = link else { continue };
        if let Some(known) = found.iter_mut().find(|known| known.url == link.url) {
            known.declared |= link.declared;
            known.title = known.title.take().or(link.title);
        } else if found.len() < if link.declared { LINKS } else { LINKS / 2 } {
            // Half of the room is kept for what is declared, wherever in the page that is.
            found.push(link);
        }
    }
    found.sort_by_key(|link| (!link.declared, is_of_comments(link)));
    found
}

/// Returns where feeds commonly are on the site of a page, likeliest first.
pub fn common_places(page: &Url) -> Vec<Url> {
    const PLACES: [&str; 8] =
        ["feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json", "feeds/posts/default"];
    let root = page.join("/").ok();
    PLACES.iter().filter_map(|place| root.as_ref()?.join(place).ok()).collect()
}

/// Returns the sitemaps that a robots.txt names (`Sitemap:`, RFC 9309 §2.2.4), likeliest to have news first.
pub fn sitemaps(robots: &str, base: &Url) -> Vec<Url> {
    let mut found: Vec<Url> = Vec::new();
    for line in robots.lines() {
        let Some((key, value)) = line.trim_start_matches('\u{feff}').split_once(':') else { continue };
        if key.trim().eq_ignore_ascii_case("sitemap")
            && let Some(url) = address(value.split(" #").next().unwrap_or_default(), base)
            && !found.contains(&url)
            && found.len() < 10 * LINKS
        {
            found.push(url);
        }
    }
    found.sort_by_key(|url| !sitemap::is_news_by_name(url.as_str()));
    found
}

/// Returns the sitemaps that a sitemap index lists and that are likely to have news by their names.
pub fn news_sitemaps_of(body: &[u8], content_type: Option<&str>, base: &Url) -> Vec<Url> {
    let text = decode::decode(body, content_type, Some(base));
    let children = sitemap::children(&text, 100_000);
    let news = children.iter().filter(|child| sitemap::is_news_by_name(child));
    news.filter_map(|child| address(child, base)).take(LINKS).collect()
}

/// Returns a `link` that is declared to be a feed.
fn declared(tag: &StartTag<()>, base: &Url) -> Option<FeedLink> {
    let rel = attribute(tag, "rel")?.to_ascii_lowercase();
    let says = |word: &str| rel.split_ascii_whitespace().any(|rel| rel == word);
    let kind = attribute(tag, "type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let url = address(&attribute(tag, "href")?, base)?;
    let is_feed = match kind {
        "application/rss+xml"
        | "application/atom+xml"
        | "application/rdf+xml"
        | "application/feed+json"
        | "application/x-rss+xml"
        | "text/rss+xml"
        | "text/rss" => says("alternate") || says("feed"),
        // Other documents have these types as well.
        "application/xml" | "text/xml" | "application/json" => says("alternate") && path_of_feed(&url),
        "" => says("feed") || (says("alternate") && path_of_feed(&url)),
        _ => false,
    };
    let title = title(attribute(tag, "title"));
    is_feed.then_some(FeedLink { url, title, declared: true })
}

/// Returns an `a` whose address looks like a feed's.
fn looks_like_feed(tag: &StartTag<()>, base: &Url) -> Option<FeedLink> {
    let url = address(&attribute(tag, "href")?, base)?;
    // Services that subscribe for a reader have the feed's address within theirs.
    let of_site = |host: &str| site(host) == base.host_str().map_or("", site);
    let is_near =
        url.host_str().is_some_and(|host| of_site(host) || host.starts_with("feeds.") || host.starts_with("rss."));
    let is_feed = is_near && (path_of_feed(&url) || url.query().is_some_and(query_of_feed));
    is_feed.then(|| FeedLink { url, title: title(attribute(tag, "title")), declared: false })
}

fn path_of_feed(url: &Url) -> bool {
    let path = url.path().trim_end_matches('/').to_ascii_lowercase();
    let last = path.rsplit('/').next().unwrap_or_default();
    let (stem, suffix) = last.rsplit_once('.').unwrap_or((last, ""));
    let is_word = |word: &str| matches!(word, "rss" | "rss2" | "feed" | "feeds" | "atom" | "rdf" | "xmlfeed");
    match suffix {
        "rss" | "atom" | "rdf" => true,
        "" => is_word(last) || last.ends_with("-rss") || last.starts_with("rss-"),
        "xml" | "json" | "php" | "aspx" | "ashx" => stem.split(['-', '_', '.']).any(is_word) || last == "index.xml",
        _ => false,
    }
}

fn query_of_feed(query: &str) -> bool {
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (name.to_ascii_lowercase(), value.to_ascii_lowercase());
        let is_kind = ["rss", "atom", "rdf", "feed"].iter().any(|kind| value.starts_with(kind));
        (matches!(name.as_str(), "feed" | "format" | "type" | "output" | "alt") && is_kind)
            || (value.is_empty() && matches!(name.as_str(), "rss" | "atom" | "feed"))
    })
}

/// Tells whether a feed is one of comments: it is seldom meant.
fn is_of_comments(link: &FeedLink) -> bool {
    let title = link.title.as_deref().unwrap_or_default().to_lowercase();
    link.url.path().to_ascii_lowercase().contains("comments") || title.contains("comment")
}

/// Returns the end of a host's name that its neighbours share. For comparing hosts of one page, where more is not at
/// stake than a request.
fn site(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    match (dots.next(), dots.next()) {
        (Some(last), Some(before)) if host.len() - last > 1 && last - before > 4 => &host[before + 1..],
        _ => host.strip_prefix("www.").unwrap_or(host),
    }
}

/// Returns an address on the web, absolute, without fragment and credentials.
fn address(href: &str, base: &Url) -> Option<Url> {
    let href = href.trim();
    let href = match href.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("feed://") => format!("http://{}", &href[7..]),
        _ => href.strip_prefix("feed:").unwrap_or(href).to_owned(),
    };
    if href.is_empty() || href.len() > URL_BYTES {
        return None;
    }
    let mut url = base.join(&href).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_fragment(None);
    // Neither fails for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(url)
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

fn title(text: Option<String>) -> Option<String> {
    let title: String = clean(&text?).replace('\n', " ").chars().take(TITLE_CHARS).collect();
    (!title.is_empty()).then_some(title)
}
