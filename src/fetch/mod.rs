//! Fetching: asks a feed for its document, politely and within limits.
//!
//! One call is one poll: conditional request, redirects followed by hand, the body decoded under limits on the wire
//! and after decoding. Whether the body is a feed is for the parser to judge, and when to ask again is for
//! [`crate::core::cadence`]. Every limit is enforced while bytes arrive, so that memory stays bounded whatever a
//! server sends.

mod body;
mod failure;
mod file;
mod guard;
mod hints;
mod page;
mod robots;
mod web;

pub use guard::{is_private_literal, may_follow};
pub use page::{Page, PageAnswer};
pub use web::Fetcher;

use crate::core::feed::{BodyHash, FreshnessHints, Redirect, Validators};

/// Returns the `User-Agent` that feedwatch introduces itself with: name, version, and the contact for complaints.
pub fn user_agent(contact: Option<&str>) -> String {
    let product = concat!("feedwatch/", env!("CARGO_PKG_VERSION"));
    match contact {
        Some(contact) => format!("{product} (+{contact})"),
        None => product.to_owned(),
    }
}

/// What a poll brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Fetched {
    /// The server said that nothing changed (304).
    NotModified(ResponseNotes),
    /// The body is, byte for byte, the last one that was read.
    Unchanged(ResponseNotes),
    /// A body that is to be parsed.
    Document {
        /// The body, decoded.
        body: Vec<u8>,
        /// `Content-Type` as sent; a file has none.
        content_type: Option<String>,
        /// URL that answered, after redirects and without credentials: relative links are resolved against it.
        final_url: String,
        /// Hash of `body`.
        body_hash: BodyHash,
        /// What to remember of the answer, once the body has been read.
        notes: ResponseNotes,
        /// Why `body` is the first part of a web page alone; never, unless by [`Fetcher::for_discovery`].
        cut: Option<String>,
    },
}

impl Fetched {
    /// Adds the redirects that led to the answer.
    fn after(mut self, redirects: Vec<Redirect>) -> Self {
        match &mut self {
            Self::NotModified(notes) | Self::Unchanged(notes) | Self::Document { notes, .. } => {
                notes.redirects = redirects;
            }
        }
        self
    }
}

/// What to remember of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseNotes {
    /// Validators for the next request, those that a 304 kept included.
    pub validators: Validators,
    /// The URL that they belong to, without credentials; they are sent to no other.
    pub validators_url: String,
    /// What the answer said about the next change.
    pub hints: FreshnessHints,
    /// The redirects that led to it.
    pub redirects: Vec<Redirect>,
}

/// Why no [`Fetcher`] could be made.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The User-Agent has characters that no header may have.
    #[error("the User-Agent {0:?} cannot be sent: polling.contact may hold printable ASCII characters only")]
    UserAgent(String),
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}; are the system's certificates (ca-certificates) installed?")]
    Tls(#[from] rustls::Error),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Client(#[from] reqwest::Error),
}

#[cfg(test)]
mod tests;
