//! A real HTTP server on a free loopback port: pages that can be changed while it runs, conditional requests, and a log
//! of what was asked for.

use super::PATIENCE;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::Bytes,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Instant,
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

/// What the server has at a path.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Page {
    /// A feed that answers conditional requests.
    pub(crate) fn feed(body: impl Into<String>) -> Self {
        Self::of(200, "application/rss+xml; charset=utf-8", body)
    }

    /// A page for people.
    pub(crate) fn html(body: impl Into<String>) -> Self {
        Self::of(200, "text/html; charset=utf-8", body)
    }

    /// A document of a type that says little: a sitemap, a robots.txt.
    pub(crate) fn text(body: impl Into<String>) -> Self {
        Self::of(200, "text/plain; charset=utf-8", body)
    }

    /// An error.
    pub(crate) fn error(status: u16) -> Self {
        Self::of(status, "text/plain", "no")
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::of(status, "text/html", "moved").with_header("location", to)
    }

    /// An answer of 304, whatever the request said.
    pub(crate) fn not_modified() -> Self {
        Self::of(304, "application/rss+xml", "")
    }

    fn of(status: u16, content_type: &'static str, body: impl Into<String>) -> Self {
        let (body, headers) = (body.into().into_bytes(), Vec::new());
        Self { status, content_type, body, headers, etag: None, last_modified: None }
    }

    /// Adds a header.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Replaces the body, with one that may be no text.
    pub(crate) fn with_body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    /// Gives the page an ETag, each character one byte; a request that bears it is answered with 304.
    pub(crate) fn with_etag(self, etag: &str) -> Self {
        Self { etag: Some(etag.to_owned()), ..self }
    }

    /// Gives the page a Last-Modified date, each character one byte; a request that bears it is answered with 304.
    pub(crate) fn with_last_modified(self, date: &str) -> Self {
        Self { last_modified: Some(date.to_owned()), ..self }
    }

    fn is_known_to(&self, asked: &Asked) -> bool {
        match (&self.etag, &asked.if_none_match) {
            // The ETag decides alone where there is one (RFC 9110 §13.2.2).
            (Some(etag), Some(known)) => etag == known,
            _ => self.last_modified.is_some() && self.last_modified == asked.if_modified_since,
        }
    }

    fn answer(&self, asked: &Asked) -> Response<Full<Bytes>> {
        let known = self.is_known_to(asked);
        let status = if known { 304 } else { self.status };
        let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, self.content_type);
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        if let Some(etag) = &self.etag {
            response = response.header(header::ETAG, from_latin1(etag));
        }
        if let Some(date) = &self.last_modified {
            response = response.header(header::LAST_MODIFIED, from_latin1(date));
        }
        let body = if known { Bytes::new() } else { Bytes::from(self.body.clone()) };
        response.body(Full::new(body)).expect("the pages of tests have sound headers")
    }
}

/// Returns the bytes of a header as characters of the same number, so that every value can be written as text.
fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// Returns the header that [`latin1`] shows as `text`.
fn from_latin1(text: &str) -> HeaderValue {
    let bytes: Vec<u8> = text.chars().map(|char| u8::try_from(char).expect("a character up to U+00FF")).collect();
    HeaderValue::from_bytes(&bytes).expect("the pages of tests have sound headers")
}

/// A request that was received, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_modified_since: Option<String>,
    /// All headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// When it came.
    pub(crate) at: Instant,
    /// Status of the answer.
    pub(crate) status: u16,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    log: Vec<Asked>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panicked while it held the pages")
    }

    fn answer(&self, request: &Request<hyper::body::Incoming>) -> Response<Full<Bytes>> {
        let text = |name| request.headers().get(name).map(latin1);
        let mut asked = Asked {
            path: request.uri().path().to_owned(),
            user_agent: text(header::USER_AGENT),
            if_none_match: text(header::IF_NONE_MATCH),
            if_modified_since: text(header::IF_MODIFIED_SINCE),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            at: Instant::now(),
            status: StatusCode::NOT_FOUND.as_u16(),
        };
        let mut state = self.lock();
        let page = state.pages.get(&asked.path).cloned().unwrap_or_else(|| Page::error(asked.status));
        let response = page.answer(&asked);
        asked.status = response.status().as_u16();
        state.log.push(asked);
        self.changed.notify_all();
        response
    }
}

/// The server. It stops when it is dropped.
pub(crate) struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    // Runs the server's tasks until it is dropped.
    _runtime: Runtime,
}

impl HttpServer {
    /// Starts a server without pages.
    pub(crate) fn start() -> Self {
        Self::start_on([127, 0, 0, 1])
    }

    /// Starts a server without pages on an IPv4 address of this machine; `0.0.0.0` is all of them.
    pub(crate) fn start_on(address: [u8; 4]) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a run time");
        let listener = runtime.block_on(TcpListener::bind(SocketAddr::from((address, 0)))).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        runtime.spawn(serve(listener, shared.clone()));
        Self { address, shared, _runtime: runtime }
    }

    /// Returns the URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts a page at a path, in place of the one that was there.
    pub(crate) fn put(&self, path: &str, page: Page) {
        self.shared.lock().pages.insert(path.to_owned(), page);
    }

    /// Returns the requests for a path so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        self.shared.lock().log.iter().filter(|asked| asked.path == path).cloned().collect()
    }

    /// Returns the paths that were asked for, in order.
    pub(crate) fn log(&self) -> Vec<String> {
        self.shared.lock().log.iter().map(|asked| asked.path.clone()).collect()
    }

    /// Waits until there were so many requests, for whatever path.
    pub(crate) fn wait_for_any_requests(&self, count: usize) {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, |state| state.log.len() < count);
        let (state, timeout) = waited.expect("no thread panicked while it held the pages");
        assert!(!timeout.timed_out(), "{} requests came instead of {count}", state.log.len());
    }

    /// Waits until a path was asked for so many times and returns all of its requests.
    pub(crate) fn wait_for_requests(&self, path: &str, count: usize) -> Vec<Asked> {
        let of_path = |state: &State| state.log.iter().filter(|asked| asked.path == path).count();
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, |state| of_path(state) < count);
        let (state, timeout) = waited.expect("no thread panicked while it held the pages");
        assert!(!timeout.timed_out(), "{path} was asked for {} times instead of {count}", of_path(&state));
        drop(state);
        self.asked(path)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = shared.answer(&request);
                async move { Ok::<_, Infallible>(response) }
            });
            // A client that hangs up is no concern of the server's.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Returns a URL on which nobody listens.
pub(crate) fn dead_url() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    format!("http://{address}/feed.xml")
}
