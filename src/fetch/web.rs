//! Fetching over HTTP: requests, redirects, time-outs, and what an answer means.

use super::{
    FetchError, Fetched, ResponseNotes,
    body::{self, BodyDecoder, BodyLimits},
    failure::{self, Trouble},
    file,
    guard::{self, Access, GuardedResolver},
    hints, page,
    robots::RobotsCache,
};
use crate::{
    config::FetchLimits,
    core::{
        feed::{
            BodyHash, FailureKind, Feed, FeedState, FeedUrl, PollFailure, Redirect, Validator, Validators, shared_hosts,
        },
        relocation,
    },
};
use jiff::Timestamp;
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

/// What we read, feeds first.
const ACCEPT: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
                      application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.8, */*;q=0.1";
/// Headers of one answer, more of which are an error.
const HEADERS_MAX: usize = 200;
/// Bytes of an HTTP/2 answer's headers, more of which are an error.
const HEADER_BYTES_MAX: u32 = 64 * 1024;
/// Longest URL that a redirect may lead to: it is stored, shown and sent.
const URL_BYTES_MAX: usize = 8192;
/// How long an idle connection is kept: for a host's next feed, not for a feed's next poll.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);
/// Bytes that are decoded before other tasks get their turn.
const PIECE_BYTES: usize = 16 * 1024;

/// Slowest body that is waited for: after the first window each window brings so many bytes, or it is an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct RateFloor {
    pub(super) window: Duration,
    pub(super) bytes: u64,
}

/// 1 KiB each 10 s: a modem is faster, a drip that holds connections open is not.
const RATE_FLOOR: RateFloor = RateFloor { window: Duration::from_secs(10), bytes: 1024 };

/// The HTTP clients for one kind of addresses.
#[derive(Debug)]
struct Clients {
    /// Closes a connection after its answer.
    closing: Client,
    /// Keeps a connection for a while.
    keeping: Client,
}

/// Asks feeds for their documents.
#[derive(Debug)]
pub struct Fetcher {
    /// Connects to public addresses only.
    public: Clients,
    /// Connects anywhere, for feeds that may be private.
    any: Clients,
    /// Hosts to which idle connections are kept.
    kept_hosts: HashSet<String>,
    /// Whether the first part of a web page that is over the limits is enough.
    cuts_pages: bool,
    pub(super) limits: FetchLimits,
    /// What hosts say in their robots.txt.
    pub(super) robots: RobotsCache,
    pub(super) rate_floor: RateFloor,
}

impl Fetcher {
    /// Makes a fetcher that introduces itself by `user_agent`, see [`super::user_agent`].
    ///
    /// # Errors
    ///
    /// [`FetchError`] if the User-Agent cannot be sent or TLS cannot be set up.
    pub fn new(limits: FetchLimits, user_agent: &str) -> Result<Self, FetchError> {
        let agent = HeaderValue::from_str(user_agent).map_err(|_| FetchError::UserAgent(user_agent.to_owned()))?;
        let tls = tls()?;
        let clients = |access| -> Result<Clients, reqwest::Error> {
            let client = |idle| client(access, limits, &agent, tls.clone(), idle);
            Ok(Clients { closing: client(0)?, keeping: client(1)? })
        };
        Ok(Self {
            public: clients(Access::Public)?,
            any: clients(Access::Any)?,
            kept_hosts: HashSet::new(),
            cuts_pages: false,
            limits,
            robots: RobotsCache::default(),
            rate_floor: RATE_FLOOR,
        })
    }

    /// Keeps idle connections to the hosts that have the most of these feeds, `at_most` so many: the next of them comes
    /// soon. All other connections are closed after their answer.
    #[must_use]
    pub fn for_feeds(self, feeds: &[Feed], at_most: usize) -> Self {
        Self { kept_hosts: shared_hosts(feeds, at_most), ..self }
    }

    /// Takes of a web page that is over the limits the first part, where it says which feeds it has.
    #[must_use]
    pub fn for_discovery(self) -> Self {
        Self { cuts_pages: true, ..self }
    }

    /// Asks a feed for its document. `before` is what the last polls left, `now` the time by which dates in headers
    /// are understood where the server sends none of its own.
    ///
    /// # Errors
    ///
    /// [`PollFailure`] with a message for people; what is remembered of the feed stays as it was.
    pub async fn fetch(&self, feed: &Feed, before: &FeedState, now: Timestamp) -> Result<Fetched, PollFailure> {
        // In a box: it is large, and would be moved into each future around it.
        let fetch = Box::pin(async {
            match &feed.url {
                FeedUrl::File(path) => file::fetch(path, before, self.limits).await,
                FeedUrl::Web(url) => self.follow(url, feed.allow_private, before, now).await,
            }
        });
        let limit = self.limits.total_timeout;
        let outcome = timeout(limit, fetch).await.unwrap_or_else(|_| {
            Err(Trouble::new(FailureKind::Unreachable, failure::timed_out("the whole fetch", limit, "total_timeout")))
        });
        outcome.map_err(|trouble| trouble.at(&feed.url.to_string()))
    }

    /// Follows redirects by hand, so that each hop is judged before it is asked.
    async fn follow(
        &self,
        configured: &Url,
        allow_private: bool,
        before: &FeedState,
        now: Timestamp,
    ) -> Result<Fetched, Trouble> {
        let mut visited = vec![public_part(&relocation::start(configured, before))];
        let mut redirects = Vec::new();
        loop {
            let hop = visited.last().expect("it starts with one URL and only grows").clone();
            let at_hop = |trouble: Trouble| match visited.len() {
                1 => trouble,
                _ => trouble.after_redirect(&hop),
            };
            let access = guard::access(configured, allow_private, &hop).map_err(|refusal| at_hop(refusal.into()))?;
            let sent = validators_for(&hop, before);
            let response = self.ask(configured, &hop, access, sent).await.map_err(at_hop)?;
            if !is_redirect(response.status()) {
                let has_password = configured.password().is_some() && configured.origin() == hop.origin();
                let concluded = self.conclude(response, &hop, sent, has_password, before, now).await;
                return concluded.map(|fetched| fetched.after(redirects)).map_err(at_hop);
            }
            let next = target(&hop, &response).map_err(at_hop)?;
            if visited.contains(&next) {
                let remedy = match response.headers().contains_key(header::SET_COOKIE) {
                    true => {
                        "it wants a cookie back, which feedwatch never sends: see whether the site has another feed"
                    }
                    false => "the site must mend that",
                };
                let text = format!("it redirects in a circle, back to {next}; {remedy}");
                return Err(at_hop(refused(text)));
            }
            if visited.len() > self.limits.redirects {
                let text = format!("it redirects more than {} times (polling.limits.redirects)", self.limits.redirects);
                return Err(at_hop(refused(text)));
            }
            redirects.push(Redirect { status: response.status().as_u16(), to: next.as_str().to_owned() });
            visited.push(next);
        }
    }

    /// Sends one request and waits for the head of its answer.
    async fn ask(
        &self,
        configured: &Url,
        hop: &Url,
        access: Access,
        validators: Option<&Validators>,
    ) -> Result<Response, Trouble> {
        let mut request = self.client(access, hop).get(with_credentials(configured, hop));
        if let Some(validators) = validators {
            request = conditions(validators).fold(request, |request, (name, value)| request.header(name, value));
        }
        self.send(request).await
    }

    /// Returns the client for a request for `url` that may connect to these addresses.
    pub(super) fn client(&self, access: Access, url: &Url) -> &Client {
        let Clients { closing, keeping } = match access {
            Access::Public => &self.public,
            Access::Any => &self.any,
        };
        let keep = url.host_str().is_some_and(|host| self.kept_hosts.contains(host));
        if keep { keeping } else { closing }
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let limit = self.limits.header_timeout;
        match timeout(limit, request.send()).await {
            Ok(answer) => answer.map_err(|error| failure::connection(&error, self.limits)),
            Err(_) => {
                let text = failure::timed_out("waiting for the head of the answer", limit, "header_timeout");
                Err(Trouble::new(FailureKind::Unreachable, text))
            }
        }
    }

    /// Judges an answer that is no redirect, and reads its body if it has one for us.
    async fn conclude(
        &self,
        response: Response,
        hop: &Url,
        sent: Option<&Validators>,
        has_password: bool,
        before: &FeedState,
        now: Timestamp,
    ) -> Result<Fetched, Trouble> {
        let (status, headers) = (response.status(), response.headers());
        let fresh = hints::validators(headers);
        let notes = |validators| ResponseNotes {
            validators,
            validators_url: hop.as_str().to_owned(),
            hints: hints::freshness(headers, now),
            redirects: Vec::new(),
        };
        match (status, sent) {
            (StatusCode::NOT_MODIFIED, Some(sent)) => Ok(Fetched::NotModified(notes(Validators {
                etag: fresh.etag.or_else(|| sent.etag.clone()),
                last_modified: fresh.last_modified.or_else(|| sent.last_modified.clone()),
            }))),
            (StatusCode::NOT_MODIFIED, None) => Err(Trouble::new(
                FailureKind::Status(304),
                "the answer is 304 Not Modified, to a request without a condition; a cache in between is broken",
            )),
            // Part of a document that nobody asked for is no document.
            (status, _) if status.is_success() && status != StatusCode::PARTIAL_CONTENT => {
                let notes = notes(fresh);
                let content_type = headers.get(header::CONTENT_TYPE);
                let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                let limits = BodyLimits::of_feed(self.limits);
                let may_be_cut = self.cuts_pages && content_type.as_deref().is_some_and(page::may_be_page);
                let ((body, body_hash), cut) = match may_be_cut {
                    true => self.read_beginning(response, limits).await?,
                    false => (self.read(response, limits).await?, None),
                };
                if before.body_hash == Some(body_hash) {
                    return Ok(Fetched::Unchanged(notes));
                }
                let final_url = hop.as_str().to_owned();
                Ok(Fetched::Document { body, content_type, final_url, body_hash, notes, cut })
            }
            (status, _) => Err(failure::status(status, hints::retry_after(headers, now), has_password)),
        }
    }

    /// Reads and decodes a body, within the limits and not slower than the rate floor.
    pub(super) async fn read(&self, response: Response, limits: BodyLimits) -> Result<(Vec<u8>, BodyHash), Trouble> {
        let encoding = body::encoding(response.headers())?;
        if response.content_length().is_some_and(|length| length > limits.wire_bytes) {
            return Err(body::over_wire_limit(limits));
        }
        let mut body = BodyDecoder::new(encoding, limits)?;
        self.pull(response, &mut body).await?;
        body.finish()
    }

    /// Reads a body as [`read`](Self::read) does; of one that is over the limits the first part, and says why.
    async fn read_beginning(
        &self,
        response: Response,
        limits: BodyLimits,
    ) -> Result<((Vec<u8>, BodyHash), Option<String>), Trouble> {
        let mut body = BodyDecoder::new(body::encoding(response.headers())?, limits)?;
        match self.pull(response, &mut body).await {
            Err(trouble) if body.is_over_limit() => Ok((body.beginning(), Some(trouble.text()))),
            pulled => Ok((pulled.and_then(|()| body.finish())?, None)),
        }
    }

    /// Pulls a body through its decoder.
    async fn pull(&self, mut response: Response, body: &mut BodyDecoder) -> Result<(), Trouble> {
        let RateFloor { window, bytes } = self.rate_floor;
        let (mut window_ends, mut in_window, mut first) = (Instant::now() + window, 0_u64, true);
        loop {
            let chunk = match timeout_at(window_ends, response.chunk()).await {
                Ok(chunk) => chunk.map_err(|error| self.broke_off(&error))?,
                Err(_) if first || in_window >= bytes => {
                    (window_ends, in_window, first) = (Instant::now() + window, 0, false);
                    continue;
                }
                Err(_) => {
                    let text = format!("the body comes too slowly, less than {bytes} bytes in {window:?}");
                    return Err(Trouble::new(FailureKind::Unreachable, text));
                }
            };
            let Some(chunk) = chunk else { return Ok(()) };
            in_window = in_window.saturating_add(chunk.len() as u64);
            for piece in chunk.chunks(PIECE_BYTES) {
                body.push(piece)?;
                tokio::task::yield_now().await;
            }
        }
    }

    pub(super) fn broke_off(&self, error: &reqwest::Error) -> Trouble {
        failure::connection(error, self.limits).while_reading()
    }
}

/// Sets TLS up: the ring provider, the certificates that the operating system trusts.
fn tls() -> Result<rustls::ClientConfig, FetchError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?;
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn client(
    access: Access,
    limits: FetchLimits,
    agent: &HeaderValue,
    tls: rustls::ClientConfig,
    idle_per_host: usize,
) -> Result<Client, reqwest::Error> {
    let headers = HeaderMap::from_iter([
        (header::USER_AGENT, agent.clone()),
        (header::ACCEPT, HeaderValue::from_static(ACCEPT)),
        (header::ACCEPT_ENCODING, HeaderValue::from_static(body::ACCEPT_ENCODING)),
    ]);
    Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(headers)
        .dns_resolver(GuardedResolver(access))
        .redirect(redirect::Policy::none())
        .referer(false)
        // A proxy would resolve names behind the guard's back.
        .no_proxy()
        .connect_timeout(limits.connect_timeout)
        .http1_max_headers(HEADERS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .pool_max_idle_per_host(idle_per_host)
        .pool_idle_timeout(IDLE_CONNECTION)
        .build()
}

/// Returns a URL without credentials and fragment: what may be shown, stored and compared.
pub(super) fn public_part(url: &Url) -> Url {
    let mut part = url.clone();
    // Both fail only for URLs without a host, which have no credentials either.
    let _ = part.set_username("");
    let _ = part.set_password(None);
    part.set_fragment(None);
    part
}

/// Returns the URL of a hop with the credentials of the configured one, if it is of the same origin. The client turns
/// them into an `Authorization` header.
pub(super) fn with_credentials(configured: &Url, hop: &Url) -> Url {
    let mut url = hop.clone();
    let has_credentials = !configured.username().is_empty() || configured.password().is_some();
    if has_credentials && configured.origin() == hop.origin() {
        // As above.
        let _ = url.set_username(configured.username());
        let _ = url.set_password(configured.password());
    }
    url
}

/// Returns the validators that this URL gave, and no other's (FEEDS A5).
fn validators_for<'a>(hop: &Url, before: &'a FeedState) -> Option<&'a Validators> {
    let theirs = before.validators_url.as_deref() == Some(hop.as_str());
    (theirs && !before.validators.is_empty()).then_some(&before.validators)
}

fn conditions(validators: &Validators) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let header = |name: HeaderName, value: &Option<Validator>| {
        // What came in a header goes into one; only a damaged store could hold anything else.
        Some((name, HeaderValue::from_bytes(value.as_ref()?.as_bytes()).ok()?))
    };
    [header(header::IF_NONE_MATCH, &validators.etag), header(header::IF_MODIFIED_SINCE, &validators.last_modified)]
        .into_iter()
        .flatten()
}

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns where a redirect leads, without the credentials that it may carry.
pub(super) fn target(hop: &Url, response: &Response) -> Result<Url, Trouble> {
    let Some(location) = response.headers().get(header::LOCATION) else {
        return Err(failure::status(response.status(), None, false));
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let Ok(next) = hop.join(&location) else {
        return Err(refused("it redirects to what is no URL; the site must mend that"));
    };
    if next.as_str().len() > URL_BYTES_MAX {
        return Err(refused(format!("it redirects to a URL that is longer than {URL_BYTES_MAX} bytes")));
    }
    match next.scheme() {
        "http" | "https" => Ok(public_part(&next)),
        scheme => Err(refused(format!("it redirects to a {scheme}: URL; only http and https are followed"))),
    }
}

pub(super) fn refused(text: impl Into<String>) -> Trouble {
    Trouble::new(FailureKind::Refused, text)
}
