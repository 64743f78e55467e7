//! Answers that no honest server gives: they end at a limit and disturb nobody else.

use super::{
    server::{Answer, Server, answer},
    *,
};
use std::sync::Arc;
use tokio::task::JoinHandle;

fn head(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{lines}\r\n").into_bytes()
}

async fn fetch_bytes(bytes: Vec<u8>) -> Result<Fetched, PollFailure> {
    let server = Server::start(move |_, _| Answer::Bytes(bytes.clone())).await;
    fetch(&server.url("/feed"), &FeedState::default()).await
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_an_error() {
    let many: String = (0..5_000).map(|index| format!("X-{index}: y\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "y".repeat(10_000_000));
    for lines in [many, long] {
        let fetched = fetch_bytes([head(&lines), FEED.to_vec()].concat()).await;
        assert_eq!(fetched.unwrap_err().kind, FailureKind::Unreachable);
    }
    let enough: String = (0..150).map(|index| format!("X-{index}: y\r\n")).collect();
    assert_eq!(document(fetch_bytes([head(&enough), FEED.to_vec()].concat()).await), FEED);
}

#[tokio::test]
async fn early_hints_are_read_over_and_have_an_end() {
    let hint = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
    let many = [hint.repeat(200_000), head(""), FEED.to_vec()].concat();
    assert_eq!(document(fetch_bytes(many).await), FEED, "as many as one likes, within the time");
    let server = Server::start(move |_, _| Answer::Flood(hint.to_vec(), hint.repeat(100))).await;
    let short = FetchLimits { header_timeout: Duration::from_millis(200), ..limits() };
    let endless = fetcher(short).fetch(&feed(&server.url("/")), &FeedState::default(), now()).await;
    assert_failed(endless, FailureKind::Unreachable, "200ms (polling.limits.header_timeout)");
}

#[tokio::test]
async fn a_content_length_that_lies_harms_nobody() {
    let with_length = |length: &str| [head(&format!("Content-Length: {length}\r\n")), FEED.to_vec()].concat();
    assert_eq!(document(fetch_bytes(with_length(&FEED.len().to_string())).await), FEED);
    // Too short: what comes after it is not of this answer.
    assert_eq!(document(fetch_bytes(with_length("10")).await), &FEED[..10]);
    for (length, kind) in [
        ("9999", FailureKind::Unreachable),
        ("99999999", FailureKind::Unreadable),
        ("99999999999999999999999999", FailureKind::Unreachable),
        ("-1", FailureKind::Unreachable),
        ("10\r\nContent-Length: 20", FailureKind::Unreachable),
        ("0", FailureKind::Unreadable),
    ] {
        let failure = fetch_bytes(with_length(length)).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{length:?}: {}", failure.message);
    }
}

/// Promise P6: a drip delays no other feed.
#[tokio::test]
async fn a_server_that_drips_delays_no_other_feed() {
    let server = Server::start(|target, _| match target {
        "/drip" => Answer::Drip(head(""), Duration::from_millis(5)),
        _ => answer("200 OK", FEED),
    })
    .await;
    let fetcher = Arc::new(fetcher(limits()));
    let start = |path: &str| {
        let (fetcher, feed) = (fetcher.clone(), feed(&server.url(path)));
        tokio::spawn(async move { fetcher.fetch(&feed, &FeedState::default(), now()).await })
    };
    let drips: Vec<_> = (0..20).map(|_| start("/drip")).collect();
    assert_eq!(document(start("/feed").await.unwrap()), FEED);
    assert!(drips.iter().all(|drip| !drip.is_finished()));
    drips.iter().for_each(JoinHandle::abort);
}
