//! Fetches from a scripted server on the loopback interface.

mod body;
mod connections;
mod hostile;
mod page;
mod redirects;
mod server;
mod tls;

use super::*;
use crate::{
    config::FetchLimits,
    core::feed::{FailureKind, Feed, FeedState, FeedUrl, PollFailure, Validator},
};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use server::{Answer, Server, answer};
use std::{io::Write as _, time::Duration};

const FEED: &[u8] = b"<rss><channel><title>News</title></channel></rss>";

fn limits() -> FetchLimits {
    FetchLimits {
        body_bytes: 200_000,
        wire_bytes: 100_000,
        page_bytes: 50_000,
        connect_timeout: Duration::from_secs(10),
        header_timeout: Duration::from_secs(10),
        total_timeout: Duration::from_secs(20),
        redirects: 5,
        items: 10_000,
    }
}

fn feed(url: &str) -> Feed {
    Feed::new(FeedUrl::Web(url.parse().unwrap()))
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn fetcher(limits: FetchLimits) -> Fetcher {
    Fetcher::new(limits, &user_agent(Some("https://example.org/bot"))).unwrap()
}

async fn fetch(url: &str, before: &FeedState) -> Result<Fetched, PollFailure> {
    fetcher(limits()).fetch(&feed(url), before, now()).await
}

async fn fetch_answer(head: &'static str, body: Vec<u8>) -> Result<Fetched, PollFailure> {
    let server = Server::start(move |_, _| answer(head, &body)).await;
    fetch(&server.url("/feed"), &FeedState::default()).await
}

fn document(fetched: Result<Fetched, PollFailure>) -> Vec<u8> {
    match fetched.unwrap() {
        Fetched::Document { body, .. } => body,
        other => panic!("no document: {other:?}"),
    }
}

fn assert_failed(fetched: Result<Fetched, PollFailure>, kind: FailureKind, words: &str) -> PollFailure {
    let failure = fetched.unwrap_err();
    assert_eq!(failure.kind, kind, "{}", failure.message);
    assert!(failure.message.contains(words), "{:?} does not say {words:?}", failure.message);
    failure
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_request_says_who_asks_and_for_what_and_no_more() {
    let server = Server::start(|_, _| answer("200 OK\nContent-Type: application/rss+xml", FEED)).await;
    let fetched = fetch(&server.url("/feed#top"), &FeedState::default()).await.unwrap();
    let Fetched::Document { body, content_type, final_url, body_hash, notes, cut: None } = fetched else {
        panic!("{fetched:?}")
    };
    assert_eq!((body.as_slice(), content_type.as_deref()), (FEED, Some("application/rss+xml")));
    assert_eq!((final_url.as_str(), notes.validators_url.as_str()), (&*server.url("/feed"), &*server.url("/feed")));
    assert!(notes.validators.is_empty());
    assert_eq!(body_hash.0, <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(FEED)));
    let request = server.requests()[0].to_ascii_lowercase();
    let mut names: Vec<&str> = request.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"], "{request}");
    assert!(request.contains("accept-encoding: gzip, zstd, deflate\r\n"));
    let agent = concat!("user-agent: feedwatch/", env!("CARGO_PKG_VERSION"), " (+https://example.org/bot)\r\n");
    assert!(request.contains(agent), "{request}");
    assert_eq!(user_agent(None), concat!("feedwatch/", env!("CARGO_PKG_VERSION")));
}

/// Remembers the notes of an answer, as the caller does.
fn remember(fetched: &Fetched) -> FeedState {
    let (notes, body_hash) = match fetched {
        Fetched::Document { notes, body_hash, .. } => (notes, Some(*body_hash)),
        Fetched::NotModified(notes) | Fetched::Unchanged(notes) => (notes, None),
    };
    FeedState {
        validators: notes.validators.clone(),
        validators_url: Some(notes.validators_url.clone()),
        body_hash,
        ..FeedState::default()
    }
}

#[tokio::test]
async fn validators_go_back_byte_for_byte_and_to_their_url_alone() {
    let server = Server::start(|target, _| match target {
        "/moved" => answer("302 Found\nLocation: /feed", b""),
        _ => answer("200 OK\nETag: W/\"x-gzip\"\nLast-Modified: Sun, 1 March 2026", FEED),
    })
    .await;
    let state = remember(&fetch(&server.url("/moved"), &FeedState::default()).await.unwrap());
    assert_eq!(state.validators_url, Some(server.url("/feed")));
    let again = fetch(&server.url("/moved"), &state).await.unwrap();
    assert!(matches!(again, Fetched::Unchanged(_)), "the same body again");
    let requests = server.requests();
    assert!(!requests[2].contains("if-none-match"), "{}", requests[2]);
    assert!(requests[3].contains("if-none-match: W/\"x-gzip\"\r\n"), "{}", requests[3]);
    assert!(requests[3].contains("if-modified-since: Sun, 1 March 2026\r\n"), "{}", requests[3]);
}

#[tokio::test]
async fn a_304_keeps_what_it_does_not_replace() {
    let before = |server: &Server| FeedState {
        validators: Validators { etag: Some(Validator::new("\"1\"")), last_modified: Some(Validator::new("then")) },
        validators_url: Some(server.url("/feed")),
        ..FeedState::default()
    };
    let cases = [
        ("304 Not Modified\nCache-Control: max-age=60", "\"1\"", "then"),
        ("304 Not Modified\nCache-Control: max-age=60\nETag: \"2\"", "\"2\"", "then"),
    ];
    for (head, etag, last_modified) in cases {
        let server = Server::start(move |_, _| answer(head, b"")).await;
        let fetched = fetch(&server.url("/feed"), &before(&server)).await.unwrap();
        let Fetched::NotModified(notes) = fetched else { panic!("{fetched:?}") };
        let expected =
            Validators { etag: Some(Validator::new(etag)), last_modified: Some(Validator::new(last_modified)) };
        assert_eq!((notes.validators, notes.hints.max_age), (expected, Some(Duration::from_secs(60))));
        // To a request without validators it is nonsense.
        let lost = fetch(&server.url("/feed"), &FeedState::default()).await;
        assert_failed(lost, FailureKind::Status(304), "without a condition");
    }
    // A 200 clears what it does not bring.
    let server = Server::start(|_, _| answer("200 OK\nETag: \"3\"", FEED)).await;
    let fetched = fetch(&server.url("/feed"), &before(&server)).await.unwrap();
    assert_eq!(remember(&fetched).validators, Validators { etag: Some(Validator::new("\"3\"")), last_modified: None });
}

#[tokio::test]
async fn endless_answers_end_at_a_limit() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunk = b"400\r\n".iter().copied().chain([b'x'; 1024]).chain(*b"\r\n").collect::<Vec<u8>>();
    let server = Server::start(move |target, _| match target {
        "/body" => Answer::Flood(chunked.clone(), chunk.clone()),
        "/headers" => Answer::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X-More: of the same\r\n".repeat(50)),
        _ => Answer::Flood(b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec(), vec![b'x'; 10_000]),
    })
    .await;
    let body = fetch(&server.url("/body"), &FeedState::default()).await;
    assert_failed(body, FailureKind::Unreadable, "polling.limits.wire");
    for path in ["/headers", "/header"] {
        assert_eq!(fetch(&server.url(path), &FeedState::default()).await.unwrap_err().kind, FailureKind::Unreachable);
    }
}

#[tokio::test]
async fn slow_servers_meet_the_limit_of_each_phase() {
    let pause = Duration::from_millis(20);
    let server = Server::start(move |target, _| match target {
        "/silent" => Answer::Silence,
        "/head" => Answer::Drip(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec(), pause),
        _ => Answer::Drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec(), pause),
    })
    .await;
    let short = Duration::from_millis(200);
    let head = fetcher(FetchLimits { header_timeout: short, ..limits() });
    for path in ["/silent", "/head"] {
        let fetched = head.fetch(&feed(&server.url(path)), &FeedState::default(), now()).await;
        assert_failed(fetched, FailureKind::Unreachable, "200ms (polling.limits.header_timeout)");
    }
    let total = fetcher(FetchLimits { total_timeout: short, ..limits() });
    let fetched = total.fetch(&feed(&server.url("/body")), &FeedState::default(), now()).await;
    assert_failed(fetched, FailureKind::Unreachable, "200ms (polling.limits.total_timeout)");
    let mut floor = fetcher(limits());
    floor.rate_floor.window = Duration::from_millis(100);
    let fetched = floor.fetch(&feed(&server.url("/body")), &FeedState::default(), now()).await;
    assert_failed(fetched, FailureKind::Unreachable, "too slowly");
    let handshake = fetcher(FetchLimits { connect_timeout: short, ..limits() });
    // It waits for the end of a request that never comes: the handshake hangs.
    let https = format!("https://127.0.0.1:{}/", server.port);
    let fetched = handshake.fetch(&feed(&https), &FeedState::default(), now()).await;
    assert_failed(fetched, FailureKind::Unreachable, "200ms (polling.limits.connect_timeout)");
}

#[tokio::test]
async fn statuses_say_what_to_do() {
    let cases = [
        ("401 Unauthorized", 401, "put user and password into the URL", None),
        ("403 Forbidden", 403, "polling.contact", None),
        ("404 Not Found", 404, "look on the site", None),
        ("410 Gone", 410, "remove it from the configuration", None),
        ("418 I'm a teapot", 418, "open the address in a browser", None),
        ("429 Too Many Requests\nRetry-After: 120", 429, "fewer requests", Some(120)),
        ("429 Too Many Requests\nRetry-After: whenever", 429, "longer interval", None),
        ("500 Internal Server Error", 500, "mostly passes", None),
        ("503 Service Unavailable\nRetry-After: Sun, 01 Mar 2026 13:00:00 GMT", 503, "mostly passes", Some(3600)),
        ("503 Service Unavailable\nRetry-After: -1", 503, "503 Service Unavailable", Some(0)),
        ("503 Service Unavailable\nRetry-After: 1000000000", 503, "503", Some(1_000_000_000)),
    ];
    for (head, status, words, seconds) in cases {
        let failed = assert_failed(fetch_answer(head, Vec::new()).await, FailureKind::Status(status), words);
        assert_eq!(failed.retry_after, seconds.map(Duration::from_secs), "{head}");
    }
}

#[tokio::test]
async fn files_are_read_within_the_same_limits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a feed.xml");
    std::fs::write(&path, FEED).unwrap();
    let file = |path: &std::path::Path| Feed { url: FeedUrl::File(path.to_owned()), ..feed("http://unused/") };
    let fetcher = fetcher(limits());
    let fetched = fetcher.fetch(&file(&path), &FeedState::default(), now()).await.unwrap();
    let Fetched::Document { body, final_url, .. } = &fetched else { panic!("{fetched:?}") };
    assert_eq!(body, FEED);
    assert!(final_url.starts_with("file:///") && final_url.ends_with("a%20feed.xml"), "{final_url}");
    let again = fetcher.fetch(&file(&path), &remember(&fetched), now()).await.unwrap();
    assert!(matches!(again, Fetched::Unchanged(_)));

    let missing = fetcher.fetch(&file(&directory.path().join("none.xml")), &FeedState::default(), now()).await;
    assert_failed(missing, FailureKind::Unreachable, "none.xml: cannot find the file");
    let folder = fetcher.fetch(&file(directory.path()), &FeedState::default(), now()).await;
    assert_failed(folder, FailureKind::Refused, "a directory");
    let device = fetcher.fetch(&file("/dev/zero".as_ref()), &FeedState::default(), now()).await;
    assert_failed(device, FailureKind::Refused, "regular file");
    std::fs::write(&path, vec![b'x'; 200_001]).unwrap();
    let large = fetcher.fetch(&file(&path), &FeedState::default(), now()).await;
    assert_failed(large, FailureKind::Unreadable, "polling.limits.body");
    std::fs::write(&path, b"").unwrap();
    let empty = fetcher.fetch(&file(&path), &FeedState::default(), now()).await;
    assert_failed(empty, FailureKind::Unreadable, "empty");
}
