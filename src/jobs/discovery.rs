//! Finding the feeds of a site: asks for what a person named, for the feeds that its page declares, for those that its
//! links look like, at common places, and at last for news sitemaps; tries each as a poll would.
//!
//! It asks for little, one thing after another, as politely as a poll. Where to look is [`crate::parse::discover`]'s;
//! this asks and tries. Nothing is stored.

use crate::{
    clock,
    config::Polling,
    core::{
        article::ParsedFeed,
        feed::{BodyHash, FailureKind, Feed, FeedState, FeedUrl, PollFailure, Validators},
    },
    fetch::{self, Fetched, Fetcher},
    parse::{self, ParseError, ParseLimits, discover},
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::Instant;
use url::Url;

/// Requests for one search.
const REQUESTS: usize = 24;

/// Feeds of a page that are tried.
const DECLARED: usize = 10;

/// Other links and sitemaps that are tried, of each kind.
const GUESSED: usize = 5;

/// A feed that was found, asked for and read.
#[derive(Debug)]
pub struct FoundFeed {
    /// Where it is to be polled: what was asked for, or where that has moved for good.
    pub url: FeedUrl,
    /// URL that answered.
    pub final_url: String,
    /// What it brought.
    pub feed: ParsedFeed,
    /// Size of the document in bytes.
    pub bytes: usize,
    /// Validators that it was sent with.
    pub validators: Validators,
}

/// What a search brought.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The feeds, likeliest first; no document twice.
    pub feeds: Vec<FoundFeed>,
    /// What seemed to be a feed and could not be read: where it is, and why not, for people.
    pub failed: Vec<(String, String)>,
    /// Feeds that the page declares and that were not tried: where they are, and what the page calls them.
    pub untried: Vec<(String, Option<String>)>,
    /// Requests that were sent, redirects not counted.
    pub requests: usize,
}

/// Why an address could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Unanswered {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// What was attempted, on what, and why it failed; for people.
    pub message: String,
}

impl From<PollFailure> for Unanswered {
    /// Adds the remedy where a poll would be repeated by itself.
    fn from(PollFailure { kind, message, .. }: PollFailure) -> Self {
        let message = match kind {
            FailureKind::Status(429 | 500..=599) => format!("{message}; try again later"),
            _ => message,
        };
        Self { kind, message }
    }
}

/// What there is at an address.
enum Answer {
    Feed(Box<FoundFeed>, BodyHash),
    Other(Other),
}

/// A document that is no feed.
struct Other {
    body: Vec<u8>,
    content_type: Option<String>,
    /// URL that answered; a file has none.
    url: Option<Url>,
    error: ParseError,
}

/// Looks for the feeds of what a person named: a page, a feed, a sitemap, or a file. `allow_private` lets the search go
/// on in a private network; `progress` is told what is asked for.
///
/// # Errors
///
/// [`Unanswered`] if what was named could not be fetched.
pub async fn discover(
    fetcher: &Fetcher,
    polling: &Polling,
    named: &FeedUrl,
    allow_private: bool,
    progress: impl Fn(&str),
) -> Result<Discovery, Unanswered> {
    let mut search = Search {
        fetcher,
        polling,
        named,
        allow_private,
        progress,
        asked_at: HashMap::new(),
        tried: HashSet::new(),
        bodies: Vec::new(),
        found: Discovery::default(),
        stopped: false,
    };
    match search.ask(named.clone()).await? {
        Answer::Feed(feed, _) => search.found.feeds.push(*feed),
        Answer::Other(other) => search.look_around(other).await,
    }
    Ok(search.found)
}

/// The state of a search.
struct Search<'a, P> {
    fetcher: &'a Fetcher,
    polling: &'a Polling,
    named: &'a FeedUrl,
    allow_private: bool,
    progress: P,
    /// When each host may be asked again.
    asked_at: HashMap<String, Instant>,
    tried: HashSet<Url>,
    bodies: Vec<BodyHash>,
    found: Discovery,
    /// Whether a host has asked to be left alone, or enough was asked for.
    stopped: bool,
}

impl<P: Fn(&str)> Search<'_, P> {
    /// Looks for feeds from a document that is none, at the likeliest places first, until there are some.
    async fn look_around(&mut self, Other { body, content_type, url, error }: Other) {
        let (body, content_type) = (body.as_slice(), content_type.as_deref());
        let Some(url) = &url else {
            self.found.failed.push((self.named.to_string(), format!("it {error}")));
            return;
        };
        self.tried.insert(url.clone());
        let children = discover::news_sitemaps_of(body, content_type, url);
        if !children.is_empty() {
            return self.try_all(children.into_iter().take(GUESSED), false).await;
        }
        if error != ParseError::WebPage {
            self.found.failed.push((url.to_string(), format!("it {error}")));
            // What is wrong with a feed is worth knowing, other feeds are not.
            if !matches!(error, ParseError::NotAFeed { .. }) {
                return;
            }
        }
        let links = discover::feed_links(body, content_type, url);
        let (declared, others): (Vec<_>, Vec<_>) = links.into_iter().partition(|link| link.declared);
        let urls: Vec<Url> = declared.iter().take(DECLARED).map(|link| link.url.clone()).collect();
        self.try_all(urls.into_iter(), false).await;
        let untried = declared.into_iter().filter(|link| !self.tried.contains(&link.url));
        let untried = untried.map(|link| (FeedUrl::Web(link.url).to_string(), link.title));
        let is_told = |url: &str| self.found.failed.iter().any(|(failed, _)| failed == url);
        self.found.untried = untried.filter(|(url, _)| !is_told(url)).collect();
        if self.found.feeds.is_empty() {
            self.try_all(others.into_iter().map(|link| link.url).take(GUESSED), false).await;
        }
        if self.found.feeds.is_empty() {
            self.try_all(discover::common_places(url).into_iter(), true).await;
        }
        if self.found.feeds.is_empty() {
            self.try_sitemaps(url).await;
        }
    }

    /// Asks for the news sitemaps that robots.txt names, and for those of an index that it names.
    async fn try_sitemaps(&mut self, url: &Url) {
        let Ok(robots) = url.join("/robots.txt") else { return };
        if self.stopped || self.is_refused(&robots, true) {
            return;
        }
        let Ok(Answer::Other(Other { body, url: Some(robots), .. })) = self.ask(FeedUrl::Web(robots)).await else {
            return;
        };
        let sitemaps = discover::sitemaps(&String::from_utf8_lossy(&body), &robots);
        for sitemap in sitemaps.into_iter().take(GUESSED) {
            if self.stopped || !self.found.feeds.is_empty() || self.is_refused(&sitemap, true) {
                continue;
            }
            if let Ok(Some(Other { body, content_type, url: Some(url), .. })) = self.keep(FeedUrl::Web(sitemap)).await {
                let children = discover::news_sitemaps_of(&body, content_type.as_deref(), &url);
                self.try_all(children.into_iter().take(GUESSED), true).await;
            }
        }
    }

    /// Tries addresses one by one. Of guesses the first that is a feed is enough, and of those that are none only what
    /// ends the search is told.
    async fn try_all(&mut self, urls: impl Iterator<Item = Url>, guesses: bool) {
        for url in urls {
            if self.stopped || (guesses && !self.found.feeds.is_empty()) {
                return;
            }
            if self.is_refused(&url, guesses) {
                continue;
            }
            let shown = FeedUrl::Web(url);
            let problem = match self.keep(shown.clone()).await {
                Ok(None) => None,
                Ok(Some(other)) => Some(format!("it {}", other.error)),
                Err(failure) => Some(failure.message),
            };
            if let Some(problem) = problem.filter(|_| !guesses || self.stopped) {
                self.found.failed.push((shown.to_string(), problem));
            }
        }
    }

    /// Tells whether an address is not to be asked for, or was already.
    fn is_refused(&mut self, url: &Url, guessed: bool) -> bool {
        let refusal = match self.named {
            FeedUrl::Web(named) => fetch::may_follow(named, self.allow_private, url),
            FeedUrl::File(_) => Err("a file leads nowhere".to_owned()),
        };
        if let (Err(why), false) = (&refusal, guessed) {
            let shown = FeedUrl::Web(url.clone()).to_string();
            self.found.failed.push((shown, format!("{why}; it was not asked")));
        }
        refusal.is_err() || !self.tried.insert(url.clone())
    }

    /// Asks for an address and keeps the feed that is there; returns what is none.
    async fn keep(&mut self, url: FeedUrl) -> Result<Option<Other>, Unanswered> {
        match self.ask(url).await? {
            Answer::Feed(feed, hash) => {
                // The same document at another address is the same feed.
                if !self.bodies.contains(&hash) {
                    self.bodies.push(hash);
                    self.found.feeds.push(*feed);
                }
                Ok(None)
            }
            Answer::Other(other) => Ok(Some(other)),
        }
    }

    /// Asks for one address, when its host may be asked again.
    async fn ask(&mut self, url: FeedUrl) -> Result<Answer, Unanswered> {
        self.wait_for(&url).await;
        (self.progress)(&url.to_string());
        self.found.requests += 1;
        self.stopped |= self.found.requests >= REQUESTS;
        let feed = Feed { allow_private: self.allow_private, ..Feed::new(url.clone()) };
        let now = clock::now();
        let fetched = self.fetcher.fetch(&feed, &FeedState::default(), now).await;
        let (body, content_type, final_url, hash, notes, cut) = match fetched {
            Ok(Fetched::Document { body, content_type, final_url, body_hash, notes, cut }) => {
                (body, content_type, final_url, body_hash, notes, cut)
            }
            Ok(Fetched::NotModified(_) | Fetched::Unchanged(_)) => {
                let message = format!("{url} answered that nothing changed, though nothing was known of it");
                return Err(Unanswered { kind: FailureKind::Unreadable, message });
            }
            Err(failure) => {
                self.stopped |= matches!(failure.kind, FailureKind::Status(429 | 503));
                return Err(failure.into());
            }
        };
        let limits = ParseLimits { items: self.polling.limits.items, ..ParseLimits::default() };
        let (kind, base) = (content_type.clone(), final_url.clone());
        let parsed = tokio::task::spawn_blocking(move || {
            let parsed = parse::parse(&body, kind.as_deref(), &base, &limits, now);
            (parsed, body)
        });
        let (parsed, body) = parsed.await.map_err(|_| Unanswered {
            kind: FailureKind::Unreadable,
            message: format!("reading {url} failed within feedwatch"),
        })?;
        // The links of a page stand in its head; of a feed a poll would want all.
        let is_page = matches!(parsed, Err(ParseError::WebPage | ParseError::NotAFeed { .. }));
        if let Some(why) = cut.filter(|_| !is_page) {
            let message = format!("cannot fetch {url}: {why}");
            return Err(Unanswered { kind: FailureKind::Unreadable, message });
        }
        Ok(match parsed {
            Ok(feed) => {
                let permanent = notes.redirects.iter().all(|redirect| matches!(redirect.status, 301 | 308));
                let found = FoundFeed {
                    url: if permanent { moved(&url, &final_url) } else { url },
                    final_url,
                    feed,
                    bytes: body.len(),
                    validators: notes.validators,
                };
                Answer::Feed(Box::new(found), hash)
            }
            Err(error) => Answer::Other(Other { body, content_type, url: web(&final_url), error }),
        })
    }

    async fn wait_for(&mut self, url: &FeedUrl) {
        let Some(host) = url.host() else { return };
        let politeness = &self.polling.politeness;
        let delay: Duration = politeness.delay_of(host);
        let turn = politeness.turn_of(host).to_owned();
        if let Some(at) = self.asked_at.get(&turn) {
            tokio::time::sleep_until(*at).await;
        }
        self.asked_at.insert(turn, Instant::now() + delay);
    }
}

/// Returns where a feed has moved; one with a login stays where that was named for.
fn moved(asked: &FeedUrl, final_url: &str) -> FeedUrl {
    let FeedUrl::Web(url) = asked else { return asked.clone() };
    let has_login = !url.username().is_empty() || url.password().is_some();
    match Url::parse(final_url) {
        Ok(to) if !has_login => FeedUrl::Web(to),
        _ => asked.clone(),
    }
}

fn web(url: &str) -> Option<Url> {
    Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}
