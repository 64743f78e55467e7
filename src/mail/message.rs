//! Mails as bytes: headers, MIME parts, Message-IDs. The same input gives the same bytes, so that a retry is the same
//! mail (promise P2).
//!
//! Names and subjects are cleaned before they come near a header: no line break gets through.

use super::{ascii_address, ascii_domain, clean, render::Rendered, shortened, view::mailto};
use crate::core::{digest::Edition, mailbox::Mailbox};
use jiff::Timestamp;
use lettre::{
    Message,
    message::{
        Mailbox as HeaderMailbox, MessageBuilder, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Characters of a subject.
const SUBJECT_CHARACTERS: usize = 200;

/// Identity of a mail (RFC 5322 §3.6.4), shown in angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Makes an identity from what identifies the mail, under the domain of its author.
    fn of(parts: &[&str], from: &Mailbox) -> Self {
        let domain = Some(ascii_domain(from.domain())).filter(|domain| domain.is_ascii() && !domain.starts_with('['));
        Self(format!("{}.feedwatch@{}", hash(parts), domain.as_deref().unwrap_or("feedwatch.invalid")))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<{}>", self.0)
    }
}

/// Whose mail it is.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Author.
    pub from: &'a Mailbox,
    /// Recipient.
    pub to: &'a Mailbox,
    /// Whom to ask to stop the mails; the author otherwise.
    pub admin: Option<&'a Mailbox>,
}

/// A mail to the administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its identity.
    pub message_id: MessageId,
    /// The mail.
    pub bytes: Vec<u8>,
}

/// Returns the identity of an edition's mail to one recipient: the same for the same slot, however often it is made.
pub fn message_id(edition: &Edition, slot: Timestamp, to: &Mailbox, from: &Mailbox) -> MessageId {
    MessageId::of(&["edition", edition.digest.as_str(), &slot.to_string(), to.address()], from)
}

/// Makes the mail of an edition.
pub fn edition_message(
    edition: &Edition,
    rendered: &Rendered,
    envelope: &Envelope<'_>,
    message_id: &MessageId,
    now: Timestamp,
) -> Vec<u8> {
    let digest = edition.digest.as_str();
    let day = edition.window.end.to_zoned(edition.timezone.clone()).date().to_string();
    // No mail has this identity: it only ties a day's mails together.
    let root = MessageId::of(&["thread", digest, &day], envelope.from).to_string();
    let list = format!("{}.feedwatch.{}", &hash(&["list", digest])[..16], ascii_domain(envelope.from.domain()));
    let contact = ascii_address(envelope.admin.unwrap_or(envelope.from).address());
    let unsubscribe = unsubscribe(&contact, envelope.to.address(), digest);
    let boundary = hash(&["boundary", &message_id.0, &rendered.text, &rendered.html]);
    let parts = MultiPart::alternative()
        .boundary(boundary)
        .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
        .singlepart(part(ContentType::TEXT_HTML, &rendered.html));
    headers(envelope.from, envelope.to, &edition.subject, message_id, now)
        .in_reply_to(root.clone())
        .references(root)
        .raw_header(header("List-Id", format!("{} <{list}>", quoted(digest))))
        .raw_header(header("List-Unsubscribe", format!("<{unsubscribe}>")))
        .raw_header(header("Precedence", "bulk".to_owned()))
        .multipart(parts)
        .expect("author and recipient are set")
        .formatted()
}

/// Makes a plain mail to the administrator. The same subject and text on the same instant are the same mail.
pub fn notice(from: &Mailbox, admin: &Mailbox, subject: &str, body: &str, now: Timestamp) -> Notice {
    let message_id = MessageId::of(&["notice", &now.to_string(), admin.address(), subject, body], from);
    let body: Vec<String> = body.lines().map(clean).collect();
    let bytes = headers(from, admin, subject, &message_id, now)
        .singlepart(part(ContentType::TEXT_PLAIN, &format!("{}\n", body.join("\n"))))
        .expect("author and recipient are set")
        .formatted();
    Notice { message_id, bytes }
}

fn headers(from: &Mailbox, to: &Mailbox, subject: &str, id: &MessageId, now: Timestamp) -> MessageBuilder {
    Message::builder()
        .date(now.max(Timestamp::UNIX_EPOCH).into())
        .message_id(Some(id.to_string()))
        .from(mailbox(from))
        .to(mailbox(to))
        .subject(shortened(phrase(subject).trim(), SUBJECT_CHARACTERS))
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
}

/// Returns the `mailto:` URL that asks to stop the mails. It cannot be folded, so it is kept well below 998 bytes.
fn unsubscribe(contact: &str, recipient: &str, digest: &str) -> String {
    let whole = mailto(contact, &format!("Unsubscribe {recipient} from digest {}", shortened(digest, 40)));
    if whole.len() <= 900 { whole } else { mailto(contact, "Unsubscribe") }
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(text.to_owned())
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), clean(&value))
}

fn mailbox(mailbox: &Mailbox) -> HeaderMailbox {
    let name = mailbox.name().map(|name| shortened(phrase(name).trim(), SUBJECT_CHARACTERS));
    let address = ascii_address(mailbox.address());
    let address = address.parse().or_else(|_| mailbox.address().parse());
    HeaderMailbox::new(name, address.expect("a mailbox was parsed by the same rules"))
}

/// Cleans text for a header; what looks like an encoded word (RFC 2047) would be decoded by the reader and is parted.
fn phrase(text: &str) -> String {
    clean(text).replace("=?", "= ?")
}

/// Returns text as a phrase (RFC 5322 §3.2.5), quoted where it is not made of words.
fn quoted(text: &str) -> String {
    let text = shortened(phrase(text).trim(), 100);
    let words = text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    if words || !text.is_ascii() {
        text.replace(['<', '>', '"'], "'")
    } else {
        format!("\"{}\"", text.replace(['"', '\\'], "'"))
    }
}

/// Returns a hash as 40 hexadecimal digits.
fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()[..20].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
