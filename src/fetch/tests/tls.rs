//! Certificates: which are trusted, and how one that is not is named.

use super::*;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::{process::Command, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

/// Serves one connection over TLS; returns the port, and what was asked in the end.
async fn tls_server(pem: &[u8]) -> (u16, JoinHandle<String>) {
    let certificate = CertificateDer::from_pem_slice(pem).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await else {
            return String::new();
        };
        let mut head = vec![0; 4096];
        // A client that does not trust the certificate may say so only after the server's part is done.
        let length = stream.read(&mut head).await.unwrap_or_default();
        let feed = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", FEED].concat();
        let _ = stream.write_all(&feed).await;
        let _ = stream.shutdown().await;
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    (port, served)
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_named() {
    // For 127.0.0.1, made for this test alone.
    let cases: [(&[u8], &str); 3] = [
        (include_bytes!("self-signed.pem"), "self-signed"),
        // As `openssl req -x509` makes them.
        (include_bytes!("self-signed-ca.pem"), "self-signed"),
        (include_bytes!("expired.pem"), "has expired"),
    ];
    for (pem, words) in cases {
        let (port, served) = tls_server(pem).await;
        let fetched = fetch(&format!("https://127.0.0.1:{port}/"), &FeedState::default()).await;
        assert_failed(fetched, FailureKind::Unreachable, words);
        assert_eq!(served.await.unwrap(), "", "the handshake fails before a request is sent");
    }
}

/// Starts itself again, because which authorities are trusted is read from the environment.
#[tokio::test]
async fn a_certificate_for_another_name_is_named() {
    let again = "FEEDWATCH_TEST_AUTHORITY";
    if std::env::var_os(again).is_none() {
        let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fetch/tests/authority.pem");
        let name = "fetch::tests::tls::a_certificate_for_another_name_is_named";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(again, "set").env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR");
        let output = command.args(["--exact", name, "--nocapture"]).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let url = |port: u16| format!("https://127.0.0.1:{port}/");
    let (port, served) = tls_server(include_bytes!("right-name.pem")).await;
    assert_eq!(document(fetch(&url(port), &FeedState::default()).await), FEED, "the authority is trusted");
    assert!(served.await.unwrap().starts_with("GET / "));
    let (port, served) = tls_server(include_bytes!("wrong-name.pem")).await;
    let fetched = fetch(&url(port), &FeedState::default()).await;
    assert_failed(fetched, FailureKind::Unreachable, "the server's TLS certificate is for another name");
    assert_eq!(served.await.unwrap(), "", "nothing was asked");
}
