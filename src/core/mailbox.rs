//! Mail addresses with an optional display name (RFC 5322 §3.4).

use serde::Serialize;
use std::{fmt, str::FromStr};

/// A mail address that can be sent to, with the name that people see.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Mailbox {
    name: Option<String>,
    address: String,
}

/// Why a text is not a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mail address; write `desk@example.org` or `News desk <desk@example.org>`")]
pub struct InvalidMailbox(String);

impl Mailbox {
    /// Returns the display name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the address, as it goes into the envelope.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the domain of the address.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Mailbox {
    type Err = InvalidMailbox;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMailbox(text.trim().to_owned());
        if text.chars().any(char::is_control) {
            return Err(invalid());
        }
        let parsed: lettre::message::Mailbox = text.trim().parse().map_err(|_| invalid())?;
        let name = parsed.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Self { name, address: parsed.email.to_string() })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(out, "{name} <{}>", self.address),
            None => out.write_str(&self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_with_and_without_a_name() {
        let bare: Mailbox = " desk@example.org ".parse().unwrap();
        assert_eq!((bare.name(), bare.address(), bare.domain()), (None, "desk@example.org", "example.org"));
        let named: Mailbox = "News desk <desk@example.org>".parse().unwrap();
        assert_eq!(named.name(), Some("News desk"));
        assert_eq!(named.to_string(), "News desk <desk@example.org>");
    }

    #[test]
    fn refuses_what_cannot_be_sent_to() {
        for text in ["", "desk", "desk@", "@example.org", "a@b@c", "x\r\nBcc: y <desk@example.org>"] {
            assert!(text.parse::<Mailbox>().is_err(), "{text:?}");
        }
    }
}
