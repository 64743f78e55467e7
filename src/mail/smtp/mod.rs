//! Submission of mails to an SMTP server (RFC 5321, RFC 6409): one recipient, one transaction, one connection.
//!
//! The commands and replies are `mail-send`'s and `smtp-proto`'s; the dialogue is driven here, over a stream of ours,
//! so that every phase has its own time limit and every reply its limit of bytes, so that a drop after the message is
//! told from one before it, and so that a login is never sent in the clear unless the configuration says so.

mod dialogue;
mod failure;
mod wire;

use crate::{
    config::SmtpServer,
    core::retry::{Delivery, Refusal},
};
use dialogue::Session;
use rustls::{ClientConfig, crypto::CryptoProvider, pki_types::CertificateDer};
use rustls_platform_verifier::Verifier;
use std::{sync::Arc, time::Duration};

/// How long each phase of a dialogue may take (RFC 5321 §4.5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Name resolution and connecting.
    pub connect: Duration,
    /// The greeting, each command and its reply, the TLS handshake.
    pub command: Duration,
    /// Sending the whole message.
    pub data: Duration,
    /// The reply to the message.
    pub acceptance: Duration,
    /// QUIT and its reply, when all is done.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(5 * 60),
            data: Duration::from_secs(5 * 60),
            acceptance: Duration::from_secs(10 * 60),
            quit: Duration::from_secs(5),
        }
    }
}

/// Why there is no SMTP client.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The certificates of the operating system could not be used.
    #[error("could not set up TLS for SMTP: {0}; install the certificates of the system (package ca-certificates)")]
    Tls(#[from] rustls::Error),
}

/// Hands mails to SMTP servers. Cheap to clone; holds no connection.
#[derive(Debug, Clone)]
pub struct Client {
    hello: String,
    tls: Arc<ClientConfig>,
    timeouts: Timeouts,
}

impl Client {
    /// Makes a client that introduces itself as `hello`, the name of this host.
    ///
    /// # Errors
    ///
    /// The certificates of the operating system cannot be read.
    pub fn new(hello: &str) -> Result<Self, SmtpError> {
        Self::trusting(hello, [])
    }

    /// Makes a client that trusts more root certificates than those of the system.
    ///
    /// # Errors
    ///
    /// The certificates cannot be read.
    pub(crate) fn trusting(
        hello: &str,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, SmtpError> {
        let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
        // The verifier is the platform's own; rustls calls every verifier but its built-in one "dangerous".
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self { hello: hello_name(hello), tls: Arc::new(tls), timeouts: Timeouts::default() })
    }

    /// Changes how long each phase may take.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Hands a message to the server for one recipient. Returns at the server's answer: it is to be recorded before
    /// anything else is said on the connection.
    ///
    /// `message` is sent as it is, apart from the escape of dots; lines end in CRLF. `before_data` is awaited when the
    /// server has accepted sender and recipient, before anything of the message is sent: up to there nothing can have
    /// arrived. If it fails nothing is sent.
    pub async fn submit<'a>(
        &'a self,
        server: &'a SmtpServer,
        sender: &str,
        recipient: &str,
        message: &[u8],
        before_data: impl Future<Output = Result<(), Refusal>>,
    ) -> (Delivery, Option<Parting<'a>>) {
        let transaction = async {
            let mut session = Session::open(self, server).await?;
            session.log_in().await?;
            let reply = session.send(sender, recipient, message, before_data).await?;
            Ok((reply, session))
        };
        match transaction.await {
            Ok((reply, session)) => (Delivery::Accepted { reply }, Some(Parting(session))),
            Err(refusal) => (Delivery::Refused(refusal), None),
        }
    }

    /// Greets the server, with TLS and the login as configured, and returns what it said.
    ///
    /// # Errors
    ///
    /// What [`Client::submit`] would be refused for before it sends a mail.
    pub async fn greet(&self, server: &SmtpServer) -> Result<String, Refusal> {
        let mut session = Session::open(self, server).await?;
        let login = session.log_in().await?;
        let mut said = vec![session.introduction()];
        said.extend(login);
        session.quit().await;
        Ok(said.join("; "))
    }
}

/// A connection on which a mail was accepted.
#[must_use = "the server waits for QUIT"]
pub struct Parting<'a>(Session<'a>);

impl Parting<'_> {
    /// Says good-bye and waits a moment for the reply (RFC 5321 §4.1.1.10). The mail is the server's whatever comes of it.
    pub async fn quit(self) {
        self.0.quit().await;
    }
}

/// Returns a name that is safe in EHLO: the host's, or an address literal where that is none (RFC 5321 §4.1.3).
fn hello_name(hello: &str) -> String {
    let named = !hello.is_empty()
        && hello.len() <= 255
        && hello.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if named { hello.to_owned() } else { "[127.0.0.1]".to_owned() }
}

#[cfg(test)]
mod tests;
