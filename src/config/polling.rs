//! `[polling]`, checked.

use crate::core::{agenda::Politeness, full_text::FullText};
use std::time::Duration;

/// `[polling]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Polling {
    /// Contact that goes into the User-Agent: a URL or a mail address.
    pub contact: Option<String>,
    /// How many fetches there are at once, and how politely each host is asked.
    pub politeness: Politeness,
    /// How old an item of a feed's first document may be to alert (FEEDS C13).
    pub backfill: Duration,
    /// New hits that one poll of a feed may bring before the rest is suppressed and counted.
    pub max_hits_per_poll: usize,
    /// For which articles of feeds that do not say themselves the page is fetched.
    pub full_text: FullText,
    /// Limits of one fetch.
    pub limits: FetchLimits,
}

/// Limits of one fetch (`[polling.limits]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes of a body after decoding.
    pub body_bytes: u64,
    /// Bytes of a body on the wire.
    pub wire_bytes: u64,
    /// Bytes of an article's page, after decoding.
    pub page_bytes: u64,
    /// Time for name resolution, connecting and the TLS handshake.
    pub connect_timeout: Duration,
    /// Time until the response's header is complete.
    pub header_timeout: Duration,
    /// Time for the whole fetch, redirects included.
    pub total_timeout: Duration,
    /// Redirects that are followed.
    pub redirects: usize,
    /// Items of one document.
    pub items: usize,
}
