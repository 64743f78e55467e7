//! Fetches from a scripted server on the loopback interface.

mod hostile;
mod page;
mod server;
mod tls;

use super::*;
use crate::{
    config::FetchLimits,
    core::feed::{FailureKind, Feed, FeedState, FeedUrl, PollFailure, Validator},
};
use flate2::{Compression, write as deflating};
use jiff::Timestamp;
use server::{Answer, Server, answer};
use std::{io::Write as _, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

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
    let mut encoder = deflating::GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = deflating::ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = deflating::DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd_with_window(body: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(window_log).unwrap();
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
async fn every_offered_encoding_is_decoded() {
    let long = FEED.repeat(1000);
    let two_members = [gzip(FEED), gzip(FEED)].concat();
    let padded = [gzip(FEED), vec![0; 40]].concat();
    let cases = [
        ("200 OK\nContent-Encoding: gzip", gzip(&long), long.clone()),
        ("200 OK\nContent-Encoding: X-GZip", gzip(&long), long.clone()),
        ("200 OK\nContent-Encoding: gzip, identity", gzip(&long), long.clone()),
        ("200 OK\nContent-Encoding: gzip", two_members, FEED.repeat(2)),
        ("200 OK\nContent-Encoding: gzip", padded, FEED.to_vec()),
        ("200 OK\nContent-Encoding: deflate", zlib(&long), long.clone()),
        ("200 OK\nContent-Encoding: deflate", bare_deflate(&long), long.clone()),
        ("200 OK\nContent-Encoding: zstd", zstd_with_window(&long, 20), long.clone()),
        ("200 OK\nContent-Encoding: identity", long.clone(), long.clone()),
        ("203 Non-Authoritative Information", long.clone(), long.clone()),
    ];
    for (head, wire, body) in cases {
        assert!(document(fetch_answer(head, wire).await) == body, "{head}");
    }
}

#[test]
fn decoding_does_not_depend_on_where_the_pieces_end() {
    use super::body::{BodyDecoder, BodyLimits, Encoding};
    for (encoding, wire) in [
        (Encoding::Gzip, [gzip(FEED), gzip(FEED)].concat()),
        (Encoding::Deflate, zlib(&FEED.repeat(2))),
        (Encoding::Deflate, bare_deflate(&FEED.repeat(2))),
        (Encoding::Zstd, zstd_with_window(&FEED.repeat(2), 20)),
    ] {
        for size in [1, 2, 3, 7, 64] {
            let mut decoder = BodyDecoder::new(encoding, BodyLimits::of_feed(limits())).unwrap();
            wire.chunks(size).for_each(|piece| decoder.push(piece).unwrap());
            assert_eq!(decoder.finish().unwrap().0, FEED.repeat(2), "{encoding:?} {size}");
        }
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_used_are_errors_that_name_themselves() {
    let zeros = vec![0; 50_000_000];
    let cut = |mut wire: Vec<u8>| {
        wire.truncate(wire.len() - 9);
        wire
    };
    let long = FEED.repeat(1000);
    // Noise, so that the frame really needs its window.
    let noise: Vec<u8> = (0_u32..40_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let wide = zstd_with_window(&noise.repeat(100), 27);
    let cases = [
        ("200 OK", Vec::new(), "empty"),
        ("204 No Content", Vec::new(), "empty"),
        ("200 OK\nContent-Encoding: gzip", Vec::new(), "empty"),
        ("200 OK\nContent-Encoding: gzip", gzip(b""), "empty"),
        ("200 OK\nContent-Encoding: br", FEED.to_vec(), "encoded as \"br\""),
        ("200 OK\nContent-Encoding: gzip, gzip", gzip(&gzip(FEED)), "only one of gzip, zstd, deflate"),
        ("200 OK\nContent-Encoding: gzip\nContent-Encoding: zstd", gzip(FEED), "only one of"),
        ("200 OK\nContent-Encoding: gzip", gzip(&gzip(FEED)), "compressed more often"),
        ("200 OK\nContent-Encoding: gzip", FEED.to_vec(), "broken"),
        ("200 OK\nContent-Encoding: zstd", FEED.to_vec(), "broken"),
        ("200 OK\nContent-Encoding: deflate", vec![0xff; 100], "broken"),
        ("200 OK\nContent-Encoding: gzip", cut(gzip(&long)), "cut short"),
        ("200 OK\nContent-Encoding: deflate", cut(zlib(&long)), "cut short"),
        ("200 OK\nContent-Encoding: zstd", cut(zstd_with_window(&long, 20)), "cut short"),
        ("200 OK\nContent-Encoding: gzip", gzip(&zeros), "polling.limits.body"),
        ("200 OK\nContent-Encoding: deflate", zlib(&zeros), "polling.limits.body"),
        ("200 OK\nContent-Encoding: zstd", zstd_with_window(&zeros, 20), "polling.limits.body"),
        ("200 OK\nContent-Encoding: zstd", wide[..90_000].to_vec(), "broken"),
        ("200 OK", vec![b'x'; 100_001], "polling.limits.wire"),
        ("200 OK\nContent-Length: 999999999", FEED.to_vec(), "polling.limits.wire"),
    ];
    for (head, wire, words) in cases {
        assert_failed(fetch_answer(head, wire).await, FailureKind::Unreadable, words);
    }
    let short = fetch_answer("200 OK\nContent-Length: 9999", FEED.to_vec()).await;
    assert_failed(short, FailureKind::Unreachable, "the body broke off");
    let part = fetch_answer("206 Partial Content", FEED.to_vec()).await;
    assert_failed(part, FailureKind::Status(206), "206 Partial Content");
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
async fn redirects_are_followed_by_hand() {
    let server = Server::start(|target, port| match target {
        "/301" => answer("301 Moved Permanently\nLocation: /302", b""),
        "/302" => answer("302 Found\nLocation: 303?q=1", b""),
        "/303?q=1" => answer(&format!("303 See Other\nLocation: //127.0.0.1:{port}/307#frag"), b""),
        "/307" => answer("307 Temporary Redirect\nLocation: /308", b""),
        "/308" => answer(&format!("308 Permanent Redirect\nLocation: http://u:pw@127.0.0.1:{port}/feed"), b""),
        "/one-more" => answer("302 Found\nLocation: /301", b""),
        "/loop" => answer("302 Found\nLocation: /loop2", b""),
        "/loop2" => answer("302 Found\nLocation: /loop#again", b""),
        "/file" => answer("302 Found\nLocation: file:///etc/passwd", b""),
        "/unix" => answer("302 Found\nLocation: unix:/run/x.sock", b""),
        "/nowhere" => answer("302 Found", b""),
        "/no-url" => answer("302 Found\nLocation: http://[", b""),
        "/long" => answer(&format!("302 Found\nLocation: /{}", "x".repeat(9000)), b""),
        "/private" => answer("302 Found\nLocation: http://2130706433:1/", b""),
        "/mapped" => answer("302 Found\nLocation: http://[::ffff:127.0.0.1]:1/", b""),
        "/metadata" => answer("302 Found\nLocation: http://169.254.169.254/latest", b""),
        "/localhost" => answer("302 Found\nLocation: http://a.localhost/", b""),
        "/feed" => answer("200 OK", FEED),
        _ => answer("404 Not Found", b""),
    })
    .await;
    let fetched = fetch(&server.url("/301"), &FeedState::default()).await.unwrap();
    let Fetched::Document { final_url, .. } = fetched else { panic!("{fetched:?}") };
    assert_eq!(final_url, server.url("/feed"), "without the credentials that a redirect brought");
    assert!(server.requests().iter().all(|request| !request.contains("authorization")));
    let cases = [
        ("/one-more", "polling.limits.redirects"),
        ("/loop", "in a circle"),
        ("/file", "a file: URL"),
        ("/unix", "a unix: URL"),
        ("/no-url", "no URL"),
        ("/long", "longer than 8192 bytes"),
        ("/private", "127.0.0.1"),
        ("/mapped", "::ffff:127.0.0.1"),
        ("/metadata", "169.254.169.254"),
        ("/localhost", "a.localhost"),
    ];
    for (path, words) in cases {
        assert_failed(fetch(&server.url(path), &FeedState::default()).await, FailureKind::Refused, words);
    }
    let nowhere = fetch(&server.url("/nowhere"), &FeedState::default()).await;
    assert_failed(nowhere, FailureKind::Status(302), "without saying where");
}

#[tokio::test]
async fn allow_private_lets_redirects_lead_to_private_addresses() {
    let other = Server::start(|_, _| answer("200 OK", FEED)).await;
    let there = other.url("/feed");
    let server = Server::start(move |_, _| answer(&format!("302 Found\nLocation: {there}"), b"")).await;
    let refused = fetch(&server.url("/"), &FeedState::default()).await;
    assert_failed(refused, FailureKind::Refused, "allow_private = true");
    assert!(other.requests().is_empty(), "refused before it is asked");
    let private = Feed { allow_private: true, ..feed(&server.url("/")) };
    assert_eq!(document(fetcher(limits()).fetch(&private, &FeedState::default(), now()).await), FEED);
}

#[tokio::test]
async fn credentials_go_to_the_configured_origin_and_nowhere_else() {
    let other = Server::start(|_, _| answer("403 Forbidden", b"")).await;
    let there = other.url("/elsewhere");
    let server = Server::start(move |target, _| match target {
        "/here" => answer("302 Found\nLocation: /private", b""),
        "/away" => answer(&format!("302 Found\nLocation: {there}"), b""),
        "/private" => answer("200 OK", FEED),
        _ => answer("401 Unauthorized", b""),
    })
    .await;
    let url = |path: &str| format!("http://zoe:s%40cret@127.0.0.1:{}{path}", server.port);
    let fetched = fetch(&url("/here"), &FeedState::default()).await.unwrap();
    assert!(!format!("{fetched:?}").contains("cret"));
    // "zoe:s@cret"
    let basic = "authorization: Basic em9lOnNAY3JldA==\r\n";
    assert!(server.requests().iter().all(|request| request.contains(basic)), "{:?}", server.requests());
    let away = Feed { allow_private: true, ..feed(&url("/away")) };
    let failed = fetcher(limits()).fetch(&away, &FeedState::default(), now()).await;
    let failed = assert_failed(failed, FailureKind::Status(403), "/elsewhere");
    assert!(!failed.message.contains("zoe") && !failed.message.contains("cret"), "{}", failed.message);
    assert!(!other.requests()[0].contains("authorization"), "{:?}", other.requests());
    let wrong = fetch(&url("/wrong"), &FeedState::default()).await;
    let wrong = assert_failed(wrong, FailureKind::Status(401), "does not accept the user and password");
    assert!(!wrong.message.contains("cret"), "{}", wrong.message);
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
async fn connections_that_fail_say_why() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let refused = fetch(&format!("http://127.0.0.1:{port}/"), &FeedState::default()).await;
    assert_failed(refused, FailureKind::Unreachable, "the connection was refused");
    // RFC 6761 §6.4: `invalid` never resolves.
    let unknown = fetch("http://no-such-host.invalid/", &FeedState::default()).await;
    assert_failed(unknown, FailureKind::Unreachable, "the name no-such-host.invalid could not be resolved");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let plain = fetch(&format!("https://127.0.0.1:{port}/"), &FeedState::default()).await;
    assert_failed(plain, FailureKind::Unreachable, "TLS failed");
    assert!(Fetcher::new(limits(), "feed\nwatch").unwrap_err().to_string().contains("polling.contact"));
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

#[tokio::test]
async fn fetches_run_side_by_side_on_any_thread() {
    let server = Server::start(|_, _| answer("200 OK\nContent-Encoding: gzip", &gzip(FEED))).await;
    let fetcher = Arc::new(fetcher(limits()));
    let fetches: Vec<_> = (0..20)
        .map(|n| {
            let (fetcher, feed) = (Arc::clone(&fetcher), feed(&server.url(&format!("/{n}"))));
            tokio::spawn(async move { fetcher.fetch(&feed, &FeedState::default(), now()).await })
        })
        .collect();
    for fetch in fetches {
        assert_eq!(document(fetch.await.unwrap()), FEED);
    }
}

/// RELIABILITY 3: connections are kept to hosts with several feeds only, so that descriptors do not run out.
#[tokio::test]
async fn connections_are_kept_to_hosts_with_several_feeds_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let feeds = ["/1", "/2"].map(|path| feed(&format!("http://{}{path}", listener.local_addr().unwrap())));
    let (accepted, mut connections) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            accepted.send(()).unwrap();
            tokio::spawn(async move {
                let mut asked = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    asked.push(byte);
                    if asked.ends_with(b"\r\n\r\n") {
                        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", FEED.len());
                        stream.write_all(&[head.as_bytes(), FEED].concat()).await.unwrap();
                    }
                }
            });
        }
    });
    for (configured, expected) in [(&feeds[..], 1), (&feeds[..1], 2)] {
        let fetcher = fetcher(limits()).for_feeds(configured, 16);
        for feed in &feeds {
            document(fetcher.fetch(feed, &FeedState::default(), now()).await);
        }
        let opened = std::iter::from_fn(|| connections.try_recv().ok()).count();
        assert_eq!(opened, expected, "{} feeds", configured.len());
    }
}
