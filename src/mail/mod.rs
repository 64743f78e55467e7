//! Mail: an edition becomes text and HTML ([`render`]), a message as bytes ([`message`]), and is handed to a server
//! ([`smtp`]) or put into a Maildir ([`maildir`]).
//!
//! When a mail is due, and what is done about a refused one, is decided elsewhere (`core::digest`, `core::retry`).

pub mod fit;
mod html;
pub mod maildir;
pub mod message;
pub mod render;
pub mod smtp;
mod text;
mod view;

use crate::rules::turns_direction;

/// Returns an address with its domain in ASCII (IDNA), as it goes into headers and the envelope.
fn ascii_address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", ascii_domain(domain)),
        None => address.to_owned(),
    }
}

/// Returns a domain in ASCII; one that cannot be so stays as it is.
fn ascii_domain(domain: &str) -> String {
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) => ascii,
        _ => domain.to_owned(),
    }
}

/// Drops what never belongs into a mail or a message for people: control characters and bidirectional overrides.
/// Line breaks and tabs become spaces.
fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            _ if c.is_control() || turns_direction(c) => None,
            _ => Some(c),
        })
        .collect()
}

/// Cuts a text after `most` characters, with an ellipsis.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
        None => text.to_owned(),
    }
}
