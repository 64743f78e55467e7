//! An edition as text and as HTML, both saying the same.
//!
//! Everything that a feed said is shown as text: cleaned of control characters and bidirectional overrides, escaped in
//! HTML, and linked only where the link is http(s) (promise P6). What does not fit into 100 kB is listed by headline,
//! then counted.

use super::{html, text, view};
use crate::core::digest::Edition;

/// Who a mail is for and from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice<'a> {
    /// Address of the recipient.
    pub recipient: &'a str,
    /// Address to write to, to stop the mails.
    pub contact: &'a str,
    /// Name of the machine that sends.
    pub host: &'a str,
}

/// The two parts of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Plain text, lines ending in a line feed.
    pub text: String,
    /// HTML, a whole document.
    pub html: String,
    /// Hits that are counted in both, for want of room.
    pub omitted: usize,
}

/// Renders an edition for one recipient.
pub fn render(edition: &Edition, notice: &Notice<'_>) -> Rendered {
    let view = view::view(edition, notice);
    let (html, plan) = html::html(&view);
    Rendered { text: text::text(&view, &plan), html, omitted: plan.omitted }
}

#[cfg(test)]
pub(super) mod tests;
