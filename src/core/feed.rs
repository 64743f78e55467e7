//! Feeds: where they are, what is known of them, how a poll of one ended.

use super::{full_text::FullText, health::Tally, identity::canonical_url, page::page, relocation::Relocation};
use jiff::Timestamp;
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    fmt,
    path::PathBuf,
    time::Duration,
};
use url::Url;

/// Row of a feed in the store. Only the store makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FeedId(i64);

impl FeedId {
    /// Wraps the row id that the store gave.
    pub(crate) fn from_row(id: i64) -> Self {
        Self(id)
    }

    /// Returns the row id, for the store.
    pub fn row(self) -> i64 {
        self.0
    }
}

/// Where a feed is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeedUrl {
    /// An `http` or `https` URL.
    Web(Url),
    /// An absolute path of a local file.
    File(PathBuf),
}

impl FeedUrl {
    /// Returns the text that identifies the feed in the store, with credentials: never shown or logged.
    pub fn identity(&self) -> String {
        match self {
            Self::Web(url) => url.as_str().to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Tells whether this is the text that identifies the feed in the store.
    pub fn is_called(&self, identity: &str) -> bool {
        match self {
            Self::Web(url) => url.as_str() == identity,
            Self::File(_) => self.identity() == identity,
        }
    }

    /// Returns what this URL has in common with others that most likely lead to the same feed: it is the same with
    /// and without TLS, `www.`, a trailing slash and tracking parameters. For comparing only.
    pub fn likeness(&self) -> String {
        let Self::Web(url) = self else { return self.identity() };
        let canonical = canonical_url(url.as_str()).unwrap_or_else(|| url.as_str().to_owned());
        page(&canonical).to_owned()
    }

    /// Returns the host that the feed's politeness is counted for; a file has none.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Web(url) => url.host_str(),
            Self::File(_) => None,
        }
    }
}

impl fmt::Display for FeedUrl {
    /// Writes the URL without its credentials and tokens.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(url) => out.write_str(without_secrets(url).as_str()),
            Self::File(path) => write!(out, "{}", path.display()),
        }
    }
}

/// Names of query parameters whose values are secrets.
const SECRET_PARAMETERS: [&str; 14] = [
    "token",
    "access_token",
    "auth",
    "auth_token",
    "authkey",
    "key",
    "api_key",
    "apikey",
    "secret",
    "password",
    "passwd",
    "pass",
    "sig",
    "signature",
];

/// Returns a URL as people may see it: without user, password and the values of parameters that are tokens.
fn without_secrets(url: &Url) -> Url {
    let mut shown = url.clone();
    // Both fail only for URLs without a host, which no `Web` is.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    let is_secret = |name: &str| SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
    if let Some(query) = url.query() {
        let masked = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_secret(name) && !value.is_empty() => format!("{name}=***"),
            _ => pair.to_owned(),
        });
        shown.set_query(Some(&masked.collect::<Vec<_>>().join("&")));
    }
    shown
}

/// A feed as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// Where it is.
    pub url: FeedUrl,
    /// Name that people are shown instead of the feed's own title.
    pub name: Option<String>,
    /// Labels that rules select feeds by.
    pub tags: Vec<String>,
    /// Fixed polling interval; without one the interval adapts.
    pub interval: Option<Duration>,
    /// Language tag (BCP 47) that overrides what the feed declares.
    pub language: Option<String>,
    /// Whether the feed may be in a private network.
    pub allow_private: bool,
    /// For which of its articles the page is fetched.
    pub full_text: FullText,
    /// Where in the configuration it stands; nothing for one that is not from there.
    pub origin: Option<Origin>,
}

/// Where in the configuration a feed stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Line of the URL, from 1.
    pub line: usize,
    /// Line of the interval, where one is set.
    pub interval_line: Option<usize>,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.line)
    }
}

impl Feed {
    /// Returns a feed of which nothing but its URL is said.
    pub fn new(url: FeedUrl) -> Self {
        Self {
            url,
            name: None,
            tags: Vec::new(),
            interval: None,
            language: None,
            allow_private: false,
            full_text: FullText::Never,
            origin: None,
        }
    }
}

/// Returns the hosts that have several of these feeds, those with the most, `at_most` so many.
pub fn shared_hosts(feeds: &[Feed], at_most: usize) -> HashSet<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for host in feeds.iter().filter_map(|feed| feed.url.host()) {
        *count.entry(host).or_default() += 1;
    }
    let mut shared: Vec<(&str, usize)> = count.into_iter().filter(|(_, feeds)| *feeds > 1).collect();
    shared.sort_unstable_by_key(|(host, feeds)| (Reverse(*feeds), *host));
    shared.into_iter().take(at_most).map(|(host, _)| host.to_owned()).collect()
}

/// A validator, byte for byte as the server sent it. It need not be text: in a header, and within the quotes of an
/// ETag, bytes over 0x7F stand for themselves (`obs-text`, RFC 9110 §5.5 and §8.8.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator(Vec<u8>);

impl Validator {
    /// Takes a header's value as it is.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self(value.into())
    }

    /// Returns the header's value.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Validator {
    /// Writes it for people; what is no text is replaced.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// The two validators of a conditional request (RFC 9110 §8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<Validator>,
    /// `Last-Modified`.
    pub last_modified: Option<Validator>,
}

impl Validators {
    /// Tells whether there is neither.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// SHA-256 of a decoded body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHash(pub [u8; 32]);

/// What is remembered of a feed between polls; lives on its row in the store.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeedState {
    /// Title that the feed gave itself.
    pub title: Option<String>,
    /// Validators of the last body that was read whole.
    pub validators: Validators,
    /// The URL that answered with those validators; they are sent to no other (FEEDS A5).
    pub validators_url: Option<String>,
    /// Hash of the last body that was read whole (FEEDS A7).
    pub body_hash: Option<BodyHash>,
    /// Interval that adaptive polling has arrived at.
    pub adaptive_interval: Option<Duration>,
    /// When the feed was last asked.
    pub last_poll_at: Option<Timestamp>,
    /// When it last answered with something that could be read (a 304 counts).
    pub last_success_at: Option<Timestamp>,
    /// When it last brought a new article.
    pub last_new_at: Option<Timestamp>,
    /// Since when it is in the configuration without a long break; not known for feeds of older stores. The store writes
    /// it when a configuration is adopted.
    pub watched_since: Option<Timestamp>,
    /// When its first whole document was read, since then: the baseline (FEEDS C13).
    pub baseline_at: Option<Timestamp>,
    /// When its first document was read, while all that came had lost their ends.
    pub baseline_open_since: Option<Timestamp>,
    /// Since when every poll failed.
    pub failing_since: Option<Timestamp>,
    /// How many polls failed in a row.
    pub failures: u32,
    /// What went wrong at the last poll, for people.
    pub last_error: Option<String>,
    /// When it was first answered with 410 Gone.
    pub gone_since: Option<Timestamp>,
    /// What had to be mended in its last document before it could be read, for people.
    pub mended: Option<String>,
    /// When most of its articles last came under new guids (FEEDS C5).
    pub reidentified_at: Option<Timestamp>,
    /// Where it moved to, or seems to (FEEDS A13).
    pub relocation: Relocation,
    /// What its polls brought so far.
    pub tally: Tally,
}

/// One redirect on the way to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Status of the answer (RFC 9110 §15.4).
    pub status: u16,
    /// URL that it led to, without credentials.
    pub to: String,
}

/// Why a poll failed, as far as the next poll depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The server answered with a status that is no success (RFC 9110 §15).
    Status(u16),
    /// Name resolution, connection, TLS, a time-out, a body that broke off.
    Unreachable,
    /// The answer came and cannot be used: empty, a web page, over a limit, not a feed.
    Unreadable,
    /// Refused by ourselves: a private address, a redirect loop, a forbidden scheme.
    Refused,
    /// This machine could not ask, for want of descriptors: no failure of the feed.
    Local,
}

/// A poll that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct PollFailure {
    /// What the next poll depends on.
    pub kind: FailureKind,
    /// What was attempted, on what, why it failed and what to do; for people.
    pub message: String,
    /// `Retry-After` of the answer, from the time of the answer on, unclamped (negative is zero).
    pub retry_after: Option<Duration>,
    /// The host that failed, where a redirect had led to another one than was asked.
    pub redirected_host: Option<String>,
}

/// What a server said about its next change, from headers and document. Hints only ever delay (FEEDS A2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreshnessHints {
    /// `Cache-Control: max-age` less `Age`.
    pub max_age: Option<Duration>,
    /// `Expires` less `Date`.
    pub expires_in: Option<Duration>,
    /// RSS `ttl`.
    pub ttl: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_have_several_feeds_are_found_busiest_first() {
        let feed = |url: &str| Feed::new(FeedUrl::Web(url.parse().unwrap()));
        let mut feeds: Vec<Feed> =
            ["http://a.example/1", "http://b.example/1", "http://b.example/2", "http://c.example/1"].map(feed).into();
        feeds.extend(["http://c.example/2", "http://c.example/3"].map(feed));
        feeds.push(Feed::new(FeedUrl::File("/a/feed.xml".into())));
        let hosts = |at_most| {
            let mut hosts: Vec<String> = shared_hosts(&feeds, at_most).into_iter().collect();
            hosts.sort();
            hosts
        };
        assert_eq!(hosts(16), ["b.example", "c.example"]);
        assert_eq!(hosts(1), ["c.example"]);
    }

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        for (url, shown) in [
            ("https://user:secret@a.example/rss?x=1", "https://a.example/rss?x=1"),
            ("https://a.example/rss?Token=sekret&n=20&key=k", "https://a.example/rss?Token=***&n=20&key=***"),
            ("https://a.example/rss?token=&monkey=1", "https://a.example/rss?token=&monkey=1"),
            ("https://a.example/", "https://a.example/"),
        ] {
            assert_eq!(FeedUrl::Web(url.parse().unwrap()).to_string(), shown);
        }
    }
    #[test]
    fn urls_of_one_feed_are_alike() {
        let likeness = |url: &str| FeedUrl::Web(url.parse().unwrap()).likeness();
        let one = likeness("https://www.a.example/feed");
        for same in
            ["http://a.example/feed/", "https://A.example:443/feed?utm_source=x", "http://www.a.example/feed#top"]
        {
            assert_eq!(likeness(same), one, "{same}");
        }
        for other in ["https://a.example/feed?page=2", "https://b.a.example/feed", "https://a.example:8443/feed"] {
            assert_ne!(likeness(other), one, "{other}");
        }
        assert_eq!(FeedUrl::File("/a/feed.xml".into()).likeness(), "/a/feed.xml");
    }
}
