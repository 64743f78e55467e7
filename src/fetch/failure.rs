//! Failures in words: what went wrong, found in the chain of causes, and what a person can do about it.

use super::guard::NoAddress;
use crate::{
    config::FetchLimits,
    core::{
        descriptors,
        feed::{FailureKind, PollFailure},
    },
};
use reqwest::StatusCode;
use rustls::{CertificateError, Error as TlsError};
use std::{error::Error, io, time::Duration};
use url::Url;

/// What went wrong, before it is said on what.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trouble {
    kind: FailureKind,
    text: String,
    retry_after: Option<Duration>,
    redirected_host: Option<String>,
}

impl Trouble {
    /// Makes one that brought no `Retry-After`.
    pub(super) fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), retry_after: None, redirected_host: None }
    }

    /// Returns what went wrong, without saying on what.
    pub(super) fn text(self) -> String {
        self.text
    }

    /// Says on what: `place` is the feed as people may see it.
    pub(super) fn at(self, place: &str) -> PollFailure {
        let message = format!("cannot fetch {place}: {}", self.text);
        let Self { kind, retry_after, redirected_host, .. } = self;
        PollFailure { kind, message, retry_after, redirected_host }
    }

    /// Adds that the answer had begun.
    pub(super) fn while_reading(self) -> Self {
        Self { text: format!("the body broke off: {}", self.text), ..self }
    }

    /// Says that it concerned the rules of the page's host, which may be had later.
    pub(super) fn in_robots(self, address: &reqwest::Url) -> Self {
        let text = format!("{address} could not be read, so that the page is not asked for: {}", self.text);
        let kind = if self.is_local() { self.kind } else { FailureKind::Unreachable };
        Self { kind, text, ..self }
    }

    /// Tells whether it is this machine's failure, which says nothing about whom it wanted to ask.
    pub(super) fn is_local(&self) -> bool {
        self.kind == FailureKind::Local
    }

    /// Adds where a redirect led, without credentials.
    pub(super) fn after_redirect(self, to: &Url) -> Self {
        let redirected_host = to.host_str().map(str::to_owned);
        Self { text: format!("redirected to {to}: {}", self.text), redirected_host, ..self }
    }
}

impl From<NoAddress> for Trouble {
    fn from(cause: NoAddress) -> Self {
        match cause {
            NoAddress::Private { .. } => Self::new(
                FailureKind::Refused,
                format!("{cause}; set allow_private = true for this feed if you mean a server in your own network"),
            ),
            NoAddress::NoDescriptor { .. } => Self::new(FailureKind::Local, cause.to_string()),
            NoAddress::Unresolved { .. } => Self::new(FailureKind::Unreachable, cause.to_string()),
        }
    }
}

/// Says what a status that is no success means.
pub(super) fn status(status: StatusCode, retry_after: Option<Duration>, has_password: bool) -> Trouble {
    let meaning = match status.as_u16() {
        401 if has_password => "the server does not accept the user and password of this feed; check them in its URL",
        401 => "the server wants a login; put user and password into the URL (https://user:password@host/feed)",
        403 => "the server denies access; it may block feed readers: ask its owner, and set polling.contact",
        404 => "there is no feed at this address; look on the site for its new one",
        410 => "the feed is gone for good; remove it from the configuration or give its new address",
        429 => {
            "the server wants fewer requests; give this feed a longer interval, or its host a `[[polling.host]]` with a \
                longer delay"
        }
        500..=599 => "the server has trouble of its own, which mostly passes",
        300..=399 => "the server sends us elsewhere without saying where",
        _ => "this is no answer to the request for a feed; open the address in a browser to see what it says",
    };
    let text = format!("the answer is {}, {meaning}", status_words(status));
    Trouble { retry_after, ..Trouble::new(FailureKind::Status(status.as_u16()), text) }
}

/// Says what a status means that is no success, of an article's page.
pub(super) fn page_status(status: StatusCode, retry_after: Option<Duration>) -> Trouble {
    let meaning = match status.as_u16() {
        401 | 402 | 407 => "the page is for those who log in or pay",
        403 | 451 => "the server denies access; it may block everything but browsers",
        404 | 410 => "there is no such page",
        429 => "the server wants fewer requests; give polling.host_delay a longer time",
        500..=599 => "the server has trouble of its own",
        300..=399 => "the server sends us elsewhere without saying where",
        _ => "this is no answer to the request for a page",
    };
    let text = format!("the answer is {}, {meaning}", status_words(status));
    Trouble { retry_after, ..Trouble::new(FailureKind::Status(status.as_u16()), text) }
}

fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// Says why a request got no answer, or a body broke off.
pub(super) fn connection(error: &reqwest::Error, limits: FetchLimits) -> Trouble {
    if let Some(cause) = find::<NoAddress>(error) {
        return cause.clone().into();
    }
    if find::<io::Error>(error).is_some_and(descriptors::is_shortage) {
        return no_descriptor();
    }
    Trouble::new(FailureKind::Unreachable, connection_words(error, limits))
}

/// Says that this machine cannot open one more file or connection.
pub(super) fn no_descriptor() -> Trouble {
    Trouble::new(FailureKind::Local, descriptors::shortage())
}

fn connection_words(error: &reqwest::Error, limits: FetchLimits) -> String {
    if let Some(cause) = find::<TlsError>(error) {
        return tls_words(cause);
    }
    if error.is_timeout() {
        return timed_out("connecting", limits.connect_timeout, "connect_timeout");
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused; is the server running?".to_owned(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            "the server closed the connection, which mostly passes".to_owned()
        }
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            "the network does not reach the server; check this machine's connection".to_owned()
        }
        _ => deepest(error).to_string(),
    }
}

/// Says that a limit of time was reached, and which key sets it.
pub(super) fn timed_out(what: &str, limit: Duration, key: &str) -> String {
    format!("{what} took longer than {limit:?} (polling.limits.{key})")
}

const SELF_SIGNED: &str = "the server's TLS certificate is signed by nobody this machine trusts (self-signed, or \
                           ca-certificates missing); add its issuer to the system's certificates if you trust it";

fn tls_words(error: &TlsError) -> String {
    let TlsError::InvalidCertificate(problem) = error else {
        return format!("TLS failed: {error}");
    };
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's TLS certificate has expired; its owner must renew it (is this machine's clock right?)"
                .to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's TLS certificate is not valid yet; is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's TLS certificate is for another name; check the host in the address".to_owned()
        }
        CertificateError::UnknownIssuer => SELF_SIGNED.to_owned(),
        CertificateError::Revoked => "the server's TLS certificate was revoked".to_owned(),
        other => {
            let said = other.to_string();
            // What the verifier calls the commonest kind of self-signed certificate; it has no variant of its own.
            if said.contains("CaUsedAsEndEntity") {
                return SELF_SIGNED.to_owned();
            }
            format!("the server's TLS certificate is not valid: {said}")
        }
    }
}

/// Finds a cause by its type; `io::Error` hides the one it wraps from `source`.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = inner(error);
    }
    None
}

fn deepest<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut deepest = error;
    while let Some(next) = inner(deepest) {
        deepest = next;
    }
    deepest
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_within_io_errors() {
        let tls = TlsError::InvalidCertificate(CertificateError::Expired);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls.clone()));
        assert_eq!(find::<TlsError>(&wrapped), Some(&tls));
        assert_eq!(deepest(&wrapped).to_string(), tls.to_string());
    }

    #[test]
    fn certificates_fail_in_words() {
        let cases = [
            (CertificateError::Expired, "has expired"),
            (CertificateError::NotValidYet, "not valid yet"),
            (CertificateError::NotValidForName, "for another name"),
            (CertificateError::UnknownIssuer, "self-signed"),
            (CertificateError::Revoked, "revoked"),
            (CertificateError::BadSignature, "is not valid"),
        ];
        for (problem, words) in cases {
            let said = tls_words(&TlsError::InvalidCertificate(problem));
            assert!(said.contains(words), "{said}");
        }
        assert!(tls_words(&TlsError::HandshakeNotComplete).starts_with("TLS failed"));
    }
}
