//! What a failure in a dialogue means for the mail.

use super::{
    dialogue::Phase,
    wire::{End, REPLY_BYTES},
};
use crate::{
    core::{
        descriptors,
        retry::{Refusal, RefusalKind},
    },
    mail::{clean, shortened},
};
use mail_send::Error;
use smtp_proto::Response;
use std::{io, time::Duration};

/// Characters of a server's reply that are kept.
const REPLY_CHARACTERS: usize = 500;

/// Shows a reply: code, enhanced code, text, without control characters.
pub(super) fn shown(reply: &Response<String>) -> String {
    let enhanced = match reply.esc {
        [0, 0, 0] => String::new(),
        [class, subject, detail] => format!(" {class}.{subject}.{detail}"),
    };
    let words = clean(&reply.message).split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(format!("{}{enhanced} {words}", reply.code).trim_end(), REPLY_CHARACTERS)
}

/// Returns what a failed phase means. `end` tells why the stream ended, if it did.
pub(super) fn refusal(server: &str, phase: Phase, error: Error, end: Option<End>, limit: Duration) -> Refusal {
    let (kind, why) = match error {
        Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply) => {
            (kind_of_reply(phase, reply.code), format!("the server said {}", shown(&reply)))
        }
        Error::Tls(error) => {
            (RefusalKind::Login, format!("TLS failed: {error}; check the server's name, port and certificate"))
        }
        Error::Io(error) if tls_error(&error).is_some() => {
            (RefusalKind::Login, format!("TLS failed: {error}; check the server's name, port and certificate"))
        }
        // Only looking up the name and connecting take a descriptor.
        Error::Io(error) if phase == Phase::Connect && descriptors::is_shortage_in_lookup(&error) => {
            (RefusalKind::Local, descriptors::shortage())
        }
        Error::UnsupportedAuthMechanism => (
            RefusalKind::Login,
            "the server offers no login by PLAIN or LOGIN; check the port, or remove the user name".to_owned(),
        ),
        Error::Auth(_) | Error::Base64(_) => {
            (RefusalKind::Login, "the server's question in the login makes no sense".to_owned())
        }
        Error::InvalidTLSName => (RefusalKind::Login, "the name of the server is no host name".to_owned()),
        Error::Timeout => (unanswered(phase), format!("no answer within {} s", limit.as_secs_f64())),
        error => {
            let why = match (end, error) {
                (Some(End::Flooded), _) => format!("a reply of more than {REPLY_BYTES} bytes"),
                (Some(End::Closed), _) => "the server closed the connection".to_owned(),
                (None, Error::UnparseableReply) => "the reply is not SMTP".to_owned(),
                (None, Error::Io(error)) => error.to_string(),
                (None, error) => error.to_string(),
            };
            (unanswered(phase), why)
        }
    };
    Refusal { kind, message: clean(&format!("{server}: {phase} failed: {why}")) }
}

/// Without an answer a mail is in doubt once it was sent; before, it was not accepted.
fn unanswered(phase: Phase) -> RefusalKind {
    if phase == Phase::Acceptance { RefusalKind::InDoubt } else { RefusalKind::Temporary }
}

/// RFC 5321 §4.2.1; the codes of refused logins are those of RFC 4954 §6.
fn kind_of_reply(phase: Phase, code: u16) -> RefusalKind {
    match (phase, code) {
        (_, 421) => RefusalKind::Temporary,
        (_, 530 | 534 | 535 | 538) => RefusalKind::Login,
        (_, 400..=499) => RefusalKind::Temporary,
        // Said before any mail was named: about this client or its login, so a person must act.
        (Phase::Greeting | Phase::Hello | Phase::StartTls | Phase::Login, 500..=599) => RefusalKind::Login,
        (_, 500..=599) => RefusalKind::Permanent,
        // Neither yes nor no.
        _ => unanswered(phase),
    }
}

/// Returns the TLS error inside an I/O error: tokio-rustls wraps it.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
