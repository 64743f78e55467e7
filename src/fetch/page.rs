//! Fetching the page of an article: as politely and as guarded as a feed, and only where robots.txt lets us.
//!
//! What is in the page is for `parse::page` to find.

use super::{
    Fetcher,
    body::BodyLimits,
    failure::{self, Trouble},
    guard, hints,
    robots::Permission,
    web::{is_redirect, public_part, refused, target, with_credentials},
};
use crate::core::feed::{FailureKind, Feed, FeedUrl, PollFailure};
use jiff::Timestamp;
use reqwest::{StatusCode, header};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// What we read of an article.
const ACCEPT: &str = "text/html, application/xhtml+xml;q=0.9";

/// The page of an article.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The body, decoded.
    pub body: Vec<u8>,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// URL that answered, after redirects and without credentials.
    pub final_url: String,
}

/// What asking for a page came to.
#[derive(Debug, Clone, PartialEq)]
pub struct PageAnswer {
    /// The page, or why there is none.
    pub page: Result<Page, PollFailure>,
    /// How long its host wants to be left alone between two requests (`Crawl-delay`).
    pub crawl_delay: Option<Duration>,
}

impl Fetcher {
    /// Asks for the page of an article that `feed` brought. It may be where the feed may be: on the public internet, or
    /// where the configuration says. Each hop is asked only if the robots.txt of its host allows it.
    pub async fn page(&self, feed: &Feed, url: &Url, now: Timestamp) -> PageAnswer {
        let mut crawl_delay = None;
        let limit = self.limits.total_timeout;
        let page = timeout(limit, self.follow_to_page(feed, url, now, &mut crawl_delay)).await.unwrap_or_else(|_| {
            Err(Trouble::new(FailureKind::Unreachable, failure::timed_out("the whole fetch", limit, "total_timeout")))
        });
        let shown = FeedUrl::Web(url.clone()).to_string();
        PageAnswer { page: page.map_err(|trouble| trouble.at(&shown)), crawl_delay }
    }

    async fn follow_to_page(
        &self,
        feed: &Feed,
        url: &Url,
        now: Timestamp,
        crawl_delay: &mut Option<Duration>,
    ) -> Result<Page, Trouble> {
        let mut visited = vec![public_part(url)];
        loop {
            let hop = visited.last().expect("it starts with one URL and only grows").clone();
            let at_hop = |trouble: Trouble| match visited.len() {
                1 => trouble,
                _ => trouble.after_redirect(&hop),
            };
            let rules = self.robots(feed, &hop, now).await.map_err(at_hop)?;
            *crawl_delay = (*crawl_delay).max(rules.crawl_delay);
            if let Permission::Denied(why) = rules.permission {
                return Err(at_hop(refused(why)));
            }
            let request = self.request(feed, &hop).map_err(at_hop)?.header(header::ACCEPT, ACCEPT);
            let response = self.send(request).await.map_err(at_hop)?;
            let status = response.status();
            if !is_redirect(status) {
                if !status.is_success() || status == StatusCode::PARTIAL_CONTENT {
                    let retry_after = hints::retry_after(response.headers(), now);
                    return Err(at_hop(failure::page_status(status, retry_after)));
                }
                let content_type = response.headers().get(header::CONTENT_TYPE);
                let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                if let Some(other) = content_type.as_deref().filter(|content_type| !may_be_page(content_type)) {
                    let shown: String = other.chars().filter(|char| !char.is_control()).take(60).collect();
                    let text = format!("it is not a web page but {shown}");
                    return Err(at_hop(Trouble::new(FailureKind::Unreadable, text)));
                }
                let (body, _) = self.read(response, BodyLimits::of_page(self.limits)).await.map_err(at_hop)?;
                return Ok(Page { body, content_type, final_url: hop.as_str().to_owned() });
            }
            let next = target(&hop, &response).map_err(at_hop)?;
            if visited.contains(&next) {
                return Err(at_hop(refused(format!("it redirects in a circle, back to {next}"))));
            }
            if visited.len() > self.limits.redirects {
                let text = format!("it redirects more than {} times (polling.limits.redirects)", self.limits.redirects);
                return Err(at_hop(refused(text)));
            }
            visited.push(next);
        }
    }

    /// Begins a request for something that belongs to a feed, on whatever host it is.
    pub(super) fn request(&self, feed: &Feed, hop: &Url) -> Result<reqwest::RequestBuilder, Trouble> {
        let configured = match &feed.url {
            FeedUrl::Web(url) => Some(url),
            FeedUrl::File(_) => None,
        };
        let access = guard::access_within(configured, feed.allow_private, hop)?;
        let url = configured.map_or_else(|| hop.clone(), |configured| with_credentials(configured, hop));
        Ok(self.client(access, hop).get(url))
    }
}

/// Tells whether what is declared may be a web page. What declares nothing may.
pub(super) fn may_be_page(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ["", "text/html", "application/xhtml+xml"].contains(&media_type.as_str())
}
