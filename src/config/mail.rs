//! `[mail]`, checked.

use crate::core::mailbox::Mailbox;
use std::path::PathBuf;

/// `[mail]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Author of the mails; its address is the envelope sender.
    pub from: Mailbox,
    /// Where broken feeds, rules and mail routes are reported.
    pub admin: Option<Mailbox>,
    /// What accepts the mails.
    pub server: MailServer,
}

/// What accepts the mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailServer {
    /// An SMTP submission server.
    Smtp(SmtpServer),
    /// A Maildir on this machine.
    Maildir(PathBuf),
}

/// An SMTP submission server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpServer {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Who logs in.
    pub login: Option<SmtpLogin>,
}

/// How an SMTP connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps://`, RFC 8314).
    Implicit,
    /// STARTTLS or nothing (RFC 3207).
    StarttlsRequired,
    /// Plain text: the host is local, or the configuration says so in words.
    Off,
}

/// Who logs in to the SMTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpLogin {
    /// User name.
    pub username: String,
    /// Password.
    pub password: Password,
}

/// A password. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password that was read from a file.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the password, for the login itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Password(…)")
    }
}
