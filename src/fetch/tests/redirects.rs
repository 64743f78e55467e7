//! Redirects: each hop is judged before it is asked, and credentials stay with the configured origin.

use super::*;

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
