//! robots.txt (RFC 9309): what a host lets us fetch besides the feeds that the user asked for.
//!
//! Rules are kept in memory for a day, those of a host that did not answer for a minute; how many are kept is bounded.

use super::{
    Fetcher,
    body::{self, BodyLimits, Encoding},
    failure::Trouble,
    web::{is_redirect, public_part, target},
};
use crate::core::feed::{FailureKind, Feed};
use jiff::Timestamp;
use reqwest::{Response, header};
use robotxt::Robots;
use std::{
    collections::{HashMap, hash_map::Entry},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

/// The name that groups of rules are addressed to.
const AGENT: &str = "feedwatch";
/// How long rules hold (RFC 9309 §2.4).
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// How long a host that did not answer counts as denying everything.
const UNREACHABLE: Duration = Duration::from_secs(60);
/// Redirects that are followed (RFC 9309 §2.3.1.2).
const REDIRECTS: usize = 5;
/// Longest pause between requests that is kept; longer ones are meant for crawlers of whole sites.
const CRAWL_DELAY_MAX: Duration = Duration::from_secs(60);
/// What all rules that are kept may weigh together, about in bytes.
const CACHE_BYTES: usize = 8 << 20;

/// Whether a page may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Permission {
    Granted,
    /// Why it may not, for people.
    Denied(String),
}

/// What a host's robots.txt says about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) permission: Permission,
    /// Least time between two requests.
    pub(super) crawl_delay: Option<Duration>,
}

/// The rules of hosts, by the address of their robots.txt.
#[derive(Debug, Default)]
pub(super) struct RobotsCache(Mutex<HashMap<String, Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    robots: Arc<Robots>,
    /// Why the rules could not be read; then everything is denied for now.
    unreachable: Option<Trouble>,
    until: Timestamp,
    weight: usize,
}

impl RobotsCache {
    fn get(&self, address: &str, now: Timestamp) -> Option<Kept> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match cache.entry(address.to_owned()) {
            // A time too far ahead was noted while the clock was wrong.
            Entry::Occupied(kept) if kept.get().until > now && kept.get().until <= now + FRESH => {
                Some(kept.get().clone())
            }
            Entry::Occupied(kept) => {
                kept.remove();
                None
            }
            Entry::Vacant(_) => None,
        }
    }

    fn keep(&self, address: String, kept: Kept) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(address, kept);
        let mut weight: usize = cache.values().map(|kept| kept.weight).sum();
        while weight > CACHE_BYTES {
            let Some(oldest) = cache.iter().min_by_key(|(_, kept)| kept.until).map(|(address, _)| address.clone())
            else {
                return;
            };
            weight -= cache.remove(&oldest).map_or(0, |kept| kept.weight);
        }
    }
}

impl Fetcher {
    /// Returns what the robots.txt of a page's host says about the page; asks for it if it is not known.
    ///
    /// # Errors
    ///
    /// When the host did not answer, so that the page is denied for now (RFC 9309 §2.3.1.4).
    pub(super) async fn robots(&self, feed: &Feed, page: &Url, now: Timestamp) -> Result<Rules, Trouble> {
        let Ok(address) = robotxt::robots_url(page) else {
            return Err(Trouble::new(FailureKind::Refused, "its address has no host"));
        };
        let kept = match self.robots.get(address.as_str(), now) {
            Some(kept) => kept,
            None => {
                let kept = self.ask_robots(feed, &address, now).await?;
                self.robots.keep(address.to_string(), kept.clone());
                kept
            }
        };
        if let Some(trouble) = kept.unreachable {
            return Err(trouble);
        }
        let (robots, page) = (kept.robots, page.clone());
        // Half a megabyte of patterns takes its time.
        let judged = tokio::task::spawn_blocking(move || {
            let permission = match robots.is_url_allowed(&page) {
                true => Permission::Granted,
                false => Permission::Denied(format!("the site's robots.txt does not let {AGENT} fetch it ({address})")),
            };
            Rules { permission, crawl_delay: robots.crawl_delay().map(|delay| delay.min(CRAWL_DELAY_MAX)) }
        });
        judged.await.map_err(|_| Trouble::new(FailureKind::Refused, "the site's robots.txt made its parser fail"))
    }

    /// Asks a host for its rules. Only what we refuse ourselves (a private address), and what this machine could not
    /// ask, is an error.
    async fn ask_robots(&self, feed: &Feed, address: &Url, now: Timestamp) -> Result<Kept, Trouble> {
        let mut visited = vec![public_part(address)];
        let answer = loop {
            let hop = visited.last().expect("it starts with one URL and only grows").clone();
            let request = match self.request(feed, &hop) {
                Ok(request) => request,
                // The page is where we may not go.
                Err(trouble) if visited.len() == 1 => return Err(trouble),
                // A redirect to where we may not go is no answer.
                Err(trouble) => break Err(trouble),
            };
            let request = request.header(header::ACCEPT, "text/plain").header(header::ACCEPT_ENCODING, "identity");
            let response = match self.send(request).await {
                Ok(response) => response,
                Err(trouble) if trouble.is_local() => return Err(trouble.in_robots(address)),
                Err(trouble) => break Err(trouble),
            };
            let status = response.status();
            if status.is_success() {
                break self.read_robots(response).await.map(Some);
            }
            if !is_redirect(status) {
                // Too many requests is no absence of rules.
                let is_absent = status.is_client_error() && status.as_u16() != 429;
                break if is_absent {
                    Ok(None)
                } else {
                    Err(Trouble::new(FailureKind::Unreachable, format!("the answer is {status}")))
                };
            }
            // More redirects than five, and those that lead nowhere, are no rules (RFC 9309 §2.3.1.2).
            match target(&hop, &response) {
                Ok(next) if visited.len() <= REDIRECTS && !visited.contains(&next) => visited.push(next),
                _ => break Ok(None),
            }
        };
        let kept = |robots: Robots, unreachable, until| {
            let bytes: usize = robots.rules().iter().map(|rule| rule.pattern().len() + 64).sum();
            let sitemaps: usize = robots.sitemaps().iter().map(|url| url.as_str().len() + 128).sum();
            let weight = address.as_str().len() + 256 + bytes + sitemaps;
            Kept { robots: Arc::new(robots), unreachable, until: now + until, weight }
        };
        Ok(match answer {
            Ok(None) => kept(Robots::allow_all(), None, FRESH),
            Ok(Some(text)) => {
                let parse = move || catch_unwind(AssertUnwindSafe(|| Robots::parse(&text, AGENT)));
                match tokio::task::spawn_blocking(parse).await {
                    Ok(Ok(robots)) => kept(robots, None, FRESH),
                    Ok(Err(_)) | Err(_) => kept(Robots::disallow_all(), None, FRESH),
                }
            }
            Err(trouble) => kept(Robots::disallow_all(), Some(trouble.in_robots(address)), UNREACHABLE),
        })
    }

    /// Reads the rules as far as they count; the rest is left (RFC 9309 §2.5).
    async fn read_robots(&self, mut response: Response) -> Result<Vec<u8>, Trouble> {
        let limit = robotxt::BYTE_LIMIT + 1;
        // Compressed though nobody offered it: then it is read whole.
        if body::encoding(response.headers())? != Encoding::Identity {
            let bytes = limit as u64;
            let limits = BodyLimits { wire_bytes: bytes, body_bytes: bytes, ..BodyLimits::of_page(self.limits) };
            return Ok(self.read(response, limits).await?.0);
        }
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broke_off(&error))? {
            text.extend_from_slice(&chunk[..chunk.len().min(limit - text.len())]);
            if text.len() >= limit {
                break;
            }
        }
        Ok(text)
    }
}
