//! Pages of articles: robots.txt, the guard, what is no page.

use super::*;
use crate::fetch::{Page, PageAnswer};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const PAGE: &[u8] = b"<html><body><p>Text</p></body></html>";
const HTML: &str = "200 OK\nContent-Type: text/html; charset=utf-8";

async fn page_of(fetcher: &Fetcher, feed: &Feed, url: &str, now: Timestamp) -> PageAnswer {
    fetcher.page(feed, &url.parse().unwrap(), now).await
}

async fn page(server: &Server, path: &str) -> Result<Page, PollFailure> {
    page_of(&fetcher(limits()), &feed(&server.url("/feed")), &server.url(path), now()).await.page
}

fn refused(answer: Result<Page, PollFailure>, kind: FailureKind, words: &str) {
    let failure = answer.unwrap_err();
    assert_eq!(failure.kind, kind, "{}", failure.message);
    assert!(failure.message.contains(words), "{:?} does not say {words:?}", failure.message);
}

#[tokio::test]
async fn a_page_is_fetched_as_a_page_and_after_robots_txt() {
    let server = Server::start(|target, _| match target {
        "/robots.txt" => answer(
            "200 OK",
            b"User-agent: *\nDisallow: /\n\nUser-agent: feedwatch\nDisallow: /private\nCrawl-delay: 7\n",
        ),
        "/moved" => answer("302 Found\nLocation: /1", b""),
        _ => answer(HTML, PAGE),
    })
    .await;
    let fetcher = fetcher(limits());
    let feed = feed(&server.url("/feed"));
    let PageAnswer { page, crawl_delay } = page_of(&fetcher, &feed, &server.url("/moved#part"), now()).await;
    let page = page.unwrap();
    assert_eq!((page.body.as_slice(), page.final_url), (PAGE, server.url("/1")));
    assert_eq!(page.content_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(crawl_delay, Some(Duration::from_secs(7)));
    let denied = page_of(&fetcher, &feed, &server.url("/private/1"), now()).await.page;
    refused(denied, FailureKind::Refused, "robots.txt does not let feedwatch fetch it");
    let asked: Vec<_> = server.requests().iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(asked, ["/robots.txt", "/moved", "/1"], "the rules are asked for once, what they deny never");
    let requests = server.requests();
    assert!(requests[1].contains("accept: text/html") && !requests[1].contains("rss"), "{}", requests[1]);
    assert!(requests.iter().all(|head| head.contains("user-agent: feedwatch/") && !head.contains("cookie")));
}

#[tokio::test]
async fn robots_txt_is_read_as_the_rfc_says() {
    for (robots, kind) in [
        ("404 Not Found", None),
        ("403 Forbidden", None),
        ("301 Moved Permanently\nLocation: /robots.txt", None),
        ("500 Internal Server Error", Some(FailureKind::Unreachable)),
        ("429 Too Many Requests", Some(FailureKind::Unreachable)),
        ("302 Found\nLocation: http://10.0.0.1/robots.txt", Some(FailureKind::Unreachable)),
        (HTML, None),
    ] {
        let server = Server::start(move |target, _| match target {
            "/robots.txt" => answer(robots, b"<html>no rules</html>"),
            _ => answer(HTML, PAGE),
        })
        .await;
        match kind {
            None => assert_eq!(page(&server, "/1").await.unwrap().body, PAGE, "{robots}"),
            Some(kind) => {
                refused(page(&server, "/1").await, kind, "robots.txt could not be read");
                assert!(server.requests().iter().all(|head| !head.contains("GET /1 ")), "{robots}");
            }
        }
    }
}

#[tokio::test]
async fn rules_are_kept_for_a_day_and_an_outage_for_a_minute() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let server = Server::start(move |target, _| match target {
        "/robots.txt" if counter.fetch_add(1, Ordering::Relaxed) == 0 => answer("503 Service Unavailable", b""),
        "/robots.txt" => answer("200 OK", b"User-agent: *\nDisallow:\n"),
        _ => answer(HTML, PAGE),
    })
    .await;
    let (fetcher, feed) = (fetcher(limits()), feed(&server.url("/feed")));
    for (seconds, works, requests) in
        [(0, false, 1), (59, false, 1), (61, true, 2), (86_000, true, 2), (86_500, true, 3)]
    {
        let answer = page_of(&fetcher, &feed, &server.url("/1"), now() + Duration::from_secs(seconds)).await;
        assert_eq!((answer.page.is_ok(), asked.load(Ordering::Relaxed)), (works, requests), "after {seconds} s");
    }
}

#[tokio::test]
async fn endless_rules_are_read_as_far_as_they_count() {
    let server = Server::start(|target, _| match target {
        "/robots.txt" => {
            let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nUser-agent: *\nDisallow: /no\n".to_vec();
            Answer::Flood(head, b"Allow: /a-rule-that-fills-the-file-*-and-so-on\n".repeat(500))
        }
        _ => answer(HTML, PAGE),
    })
    .await;
    assert_eq!(page(&server, "/1").await.unwrap().body, PAGE);
    refused(page(&server, "/no").await, FailureKind::Refused, "robots.txt does not let");
}

/// Promise P6: a feed on the internet, or a file, leads to no page in a private network.
#[tokio::test]
async fn pages_are_behind_the_guard() {
    let private = Server::start(|_, _| answer(HTML, PAGE)).await;
    let there = private.url("/secret");
    let server = Server::start(move |target, _| match target {
        "/away" => answer(&format!("302 Found\nLocation: {there}"), b""),
        "/robots.txt" => answer("404 Not Found", b""),
        _ => answer(HTML, PAGE),
    })
    .await;
    refused(page(&server, "/away").await, FailureKind::Refused, "not on the public internet");
    let fetcher = fetcher(limits());
    for feed in [feed("https://wire.example/rss"), Feed::new(FeedUrl::File("/tmp/feed.xml".into()))] {
        let answer = page_of(&fetcher, &feed, &private.url("/secret"), now()).await;
        refused(answer.page, FailureKind::Refused, "not on the public internet");
        assert!(private.requests().is_empty(), "refused before it is asked");
        let allowed = Feed { allow_private: true, ..feed };
        assert!(page_of(&fetcher, &allowed, &server.url("/1"), now()).await.page.is_ok());
    }
}

#[tokio::test]
async fn what_is_no_page_fails_by_name() {
    let server = Server::start(|target, _| match target {
        "/robots.txt" => answer("404 Not Found", b""),
        "/pdf" => answer("200 OK\nContent-Type: application/pdf", b"%PDF"),
        "/gone" => answer("404 Not Found\nContent-Type: text/html", b"<html>"),
        "/wall" => answer("402 Payment Required", b""),
        "/slow" => answer("503 Service Unavailable\nRetry-After: 90", b""),
        "/long" => answer(HTML, &[b'x'; 60_000]),
        "/bomb" => answer("200 OK\nContent-Type: text/html\nContent-Encoding: gzip", &gzip(&[0; 10_000_000])),
        "/endless" => Answer::Flood(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".to_vec(), vec![b'x'; 1000]),
        "/circle" => answer("302 Found\nLocation: /circle", b""),
        _ => answer("302 Found\nLocation: ftp://127.0.0.1/", b""),
    })
    .await;
    for (path, kind, words) in [
        ("/pdf", FailureKind::Unreadable, "not a web page but application/pdf"),
        ("/gone", FailureKind::Status(404), "there is no such page"),
        ("/wall", FailureKind::Status(402), "log in or pay"),
        ("/slow", FailureKind::Status(503), "trouble of its own"),
        ("/long", FailureKind::Unreadable, "longer than 50000 bytes on the wire; raise polling.limits.page"),
        ("/bomb", FailureKind::Unreadable, "longer than 50000 bytes; raise polling.limits.page"),
        ("/endless", FailureKind::Unreadable, "polling.limits.page"),
        ("/circle", FailureKind::Refused, "redirects in a circle"),
        ("/ftp", FailureKind::Refused, "only http and https"),
    ] {
        refused(page(&server, path).await, kind, words);
    }
    assert_eq!(page(&server, "/slow").await.unwrap_err().retry_after, Some(Duration::from_secs(90)));
}
