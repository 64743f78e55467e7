//! Pages: where an article is, as far as it tells articles apart. For comparing only; people are shown the link.

use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// Returns the page of a canonical URL: without the scheme and without `www.` (FEEDS C7).
pub fn page(canonical_url: &str) -> &str {
    let rest = canonical_url.split_once("://").map_or(canonical_url, |(_, rest)| rest);
    rest.strip_prefix("www.").unwrap_or(rest)
}

/// Returns a number that the page of a canonical URL has in common with its editions for other devices, under which the
/// store looks for them; a front page has none. Rarely other pages have it too: what is found is to be compared.
///
/// The first half is the host's, so that what a feed brings at once lies together. Stored: it never changes.
pub fn place(canonical_url: &str) -> Option<i64> {
    let desktop = Some(page(canonical_url)).filter(|page| !is_front_page(page)).map(desktop)?;
    Some(number(host(&desktop), path(&desktop)))
}

/// Returns a number for a guid that is no link, as [`place`] does for one that is.
///
/// The first half is that of what precedes the last word or number, which most guids of a feed have in common. Stored:
/// it never changes.
pub fn guid_place(guid: &str) -> i64 {
    number(guid.trim_end_matches(char::is_alphanumeric), guid)
}

/// Returns the starts of two hashes as one number.
fn number(part: &str, whole: &str) -> i64 {
    let hash = |part: &str| {
        let hash = Sha256::digest(part);
        [hash[0], hash[1], hash[2], hash[3]]
    };
    let ([a, b, c, d], [e, f, g, h]) = (hash(part), hash(whole));
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Tells whether a page is only a host: the site's front page, to which articles of all kinds may link.
pub fn is_front_page(page: &str) -> bool {
    !page.contains(['/', '?', '#'])
}

/// Returns what follows the host of a page.
pub(super) fn path(page: &str) -> &str {
    page.find(['/', '?', '#']).map_or("", |start| &page[start..])
}

/// Returns the host of a page.
pub(super) fn host(page: &str) -> &str {
    &page[..page.len() - path(page).len()]
}

/// Tells whether two pages are the same text for different devices.
pub(super) fn are_editions(page: &str, other: &str) -> bool {
    page != other && desktop(page) == desktop(other)
}

/// Returns the pages at which the same text may be for other devices, itself first (FEEDS C9). A hint for stories:
/// never part of a key.
pub fn editions(page: &str) -> Vec<String> {
    let mut editions = vec![page.to_owned()];
    let desktop = desktop(page);
    if desktop != page {
        editions.push(desktop.into_owned());
        return editions;
    }
    editions.extend(MOBILE_HOSTS.iter().map(|host| format!("{host}{page}")));
    let (before, query) = page.split_once('?').map_or((page, None), |(before, query)| (before, Some(query)));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    editions.push(format!("{before}/amp{query}"));
    if query.is_empty() {
        editions.push(format!("{before}?amp=1"));
    }
    editions
}

/// First labels of the hosts of mobile and AMP pages.
const MOBILE_HOSTS: [&str; 3] = ["m.", "amp.", "mobile."];

/// Returns the page without the marks of mobile and AMP pages.
fn desktop(page: &str) -> Cow<'_, str> {
    let (host, path) = (host(page), path(page));
    let host = MOBILE_HOSTS
        .iter()
        .find_map(|label| host.strip_prefix(label))
        .filter(|host| host.contains('.'))
        .unwrap_or(host);
    let (path, query) = path.split_once('?').map_or((path, ""), |(path, query)| (path, query));
    let path = path.strip_suffix("/amp").unwrap_or(path);
    if host.len() + path.len() == page.len() {
        return Cow::Borrowed(page);
    }
    let parameters =
        query.split('&').filter(|part| !part.is_empty() && !matches!(*part, "amp" | "amp=1" | "outputType=amp"));
    let query = parameters.collect::<Vec<_>>().join("&");
    Cow::Owned(if query.is_empty() { format!("{host}{path}") } else { format!("{host}{path}?{query}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_neither_scheme_nor_www() {
        for (url, of) in [
            ("https://www.example.org/a", "example.org/a"),
            ("http://example.org/a?u=http://www.b", "example.org/a?u=http://www.b"),
            ("https://wwwx.example.org", "wwwx.example.org"),
        ] {
            assert_eq!(page(url), of);
        }
        assert!(is_front_page("example.org") && !is_front_page("example.org/a") && !is_front_page("example.org?p=1"));
        assert_eq!((host("example.org?p=1"), path("example.org?p=1")), ("example.org", "?p=1"));
    }

    /// FEEDS C9: pages for other devices are found from either side.
    #[test]
    fn mobile_and_desktop_pages_find_each_other() {
        let desktop = "example.org/a/b";
        for mobile in [
            "m.example.org/a/b",
            "amp.example.org/a/b",
            "mobile.example.org/a/b",
            "example.org/a/b/amp",
            "example.org/a/b?amp=1",
        ] {
            assert!(editions(mobile).contains(&desktop.to_owned()), "{mobile}");
            assert!(editions(desktop).contains(&mobile.to_owned()), "{mobile}");
        }
        for other in ["example.org/a", "news.example.org/a/b", "example.org/a/b?id=1", "m.org/a/b"] {
            assert!(!editions(other).contains(&desktop.to_owned()), "{other}");
        }
        assert!(editions("m.example.org/a?id=1&amp=1").contains(&"example.org/a?id=1".to_owned()));
        assert_eq!(editions("m.org/a")[0], "m.org/a");
    }

    /// FEEDS C9: all editions of a page are in one place, and few others.
    #[test]
    fn a_page_and_its_editions_are_in_one_place() {
        let place_of = |page: &str| place(&format!("https://www.{page}"));
        for page in ["example.org/a/b", "example.org/a?id=1", "m.example.org/a", "example.org?p=1"] {
            for edition in editions(page) {
                assert_eq!(place_of(&edition), place_of(page), "{edition}");
            }
        }
        assert_ne!(place_of("example.org/a"), place_of("example.org/b"));
        assert_ne!(place_of("example.org/a"), place_of("example.com/a"));
        assert_eq!(place("https://www.example.org"), None);
        // In stores: never another.
        assert_eq!(place("https://example.org/a/b?id=1&amp=1"), Some(-4_635_396_487_446_094_840));
    }

    /// FEEDS C1: what a feed brings lies together also by its guids.
    #[test]
    fn guids_of_one_feed_have_near_numbers() {
        let half = |guid: &str| guid_place(guid) >> 32;
        for (one, other) in
            [("12-5", "12-7"), ("tag:e.example,2026:a-1", "tag:e.example,2026:a-29"), ("urn:isbn:9", "urn:isbn:10")]
        {
            assert_eq!(half(one), half(other), "{one} {other}");
            assert_ne!(guid_place(one), guid_place(other), "{one} {other}");
        }
        assert_ne!(half("12-5"), half("13-5"));
        // In stores: never another.
        assert_eq!(guid_place("12-5"), -7_059_402_010_853_450_749);
    }
}
