//! Connections: why they fail, how many there are at once, and to whom they are kept.

use super::*;
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

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
