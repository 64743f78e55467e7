use super::*;
use crate::{
    core::digest::Coverage,
    mail::render::{
        self, render,
        tests::{edition, representative},
    },
};
use mail_parser::{MessageParser, MimeHeaders};

fn mailbox_of(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-24T05:00:02Z".parse().unwrap()
}

fn rendered(edition: &Edition) -> Rendered {
    render(edition, &render::Notice { recipient: "desk@example.org", contact: "ops@example.org", host: "watch" })
}

fn mail(edition: &Edition, from: &str, to: &str) -> Vec<u8> {
    let (from, to) = (mailbox_of(from), mailbox_of(to));
    let envelope = Envelope { from: &from, to: &to, admin: None };
    let id = message_id(edition, edition.window.end, &to, &from);
    edition_message(edition, &rendered(edition), &envelope, &id, now())
}

/// The header block, unfolded.
fn header_lines(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_mail_has_the_headers_that_make_it_arrive() {
    let edition = representative();
    let bytes = mail(&edition, "feedwatch <alerts@example.org>", "News desk <desk@example.org>");
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.subject().unwrap(), edition.subject);
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-24T05:00:02Z");
    assert!(parsed.message_id().unwrap().ends_with(".feedwatch@example.org"));
    assert_eq!(parsed.in_reply_to().as_text(), parsed.references().as_text());
    let raw = header_lines(&bytes);
    for line in [
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "MIME-Version: 1.0",
        "List-Unsubscribe: <mailto:alerts@example.org?subject=Unsubscribe%20desk@example.org%20from%20digest%20morning>",
    ] {
        let line = line.replace("subject=Unsubscribe%20desk@", "subject=Unsubscribe%20desk%40");
        assert!(raw.contains(&line), "{line} in {raw:#?}");
    }
    assert!(raw.iter().any(|line| line.starts_with("List-Id: morning <") && line.ends_with(".feedwatch.example.org>")));
    assert!(raw.iter().any(|line| line.starts_with("Content-Type: multipart/alternative")));
    let parts: Vec<_> = parsed.parts.iter().filter_map(|part| part.content_type()?.subtype()).collect();
    assert_eq!(parts, ["alternative", "plain", "html"]);
    let bodies = rendered(&edition);
    let same = |got: &str, want: &str| assert_eq!(got.replace("\r\n", "\n").trim_end(), want.trim_end());
    same(&parsed.body_text(0).unwrap(), &bodies.text);
    same(&parsed.body_html(0).unwrap(), &bodies.html);
}

/// Promise P2: the same mail is made of the same bytes under the same Message-ID.
#[test]
fn the_same_input_gives_the_same_bytes() {
    let edition = representative();
    let one = mail(&edition, "alerts@example.org", "desk@example.org");
    assert_eq!(one, mail(&edition, "alerts@example.org", "desk@example.org"));
    let (from, to, other) =
        (mailbox_of("alerts@example.org"), mailbox_of("desk@example.org"), mailbox_of("other@example.org"));
    let slot = edition.window.end;
    let id = message_id(&edition, slot, &to, &from);
    assert_eq!(id, message_id(&edition, slot, &to, &from));
    assert_ne!(id, message_id(&edition, slot, &other, &from));
    assert_ne!(id, message_id(&edition, now(), &to, &from));
    assert!(id.to_string().starts_with('<') && id.to_string().ends_with("@example.org>"));
}

#[test]
fn lines_are_short_and_names_add_no_header() {
    let mut edition = edition(Vec::new(), Coverage::default());
    let wanted =
        ["Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted", "In-Reply-To", "References", "List-Id"];
    let wanted = [&wanted[..], &["List-Unsubscribe", "Precedence", "MIME-Version", "Content-Type"]].concat();
    for subject in [
        "a\r\nBcc: x@example.org\r\n\r\nbody",
        "=?utf-8?b?SGVsbG8=?=",
        &"x".repeat(2000),
        &"пуск ".repeat(300),
        &"👩‍👩‍👧‍👦".repeat(200),
        "\0\u{1b}[31m\u{202e}",
    ] {
        edition.subject = subject.to_owned();
        edition.digest = crate::core::hit::DigestName::new(subject);
        let bytes =
            mail(&edition, "\"Ops, \\\"=?utf-8?b?SGVsbG8=?=\" <alerts@example.org>", "Бюро <desk@пример.испытание>");
        let names: Vec<String> =
            header_lines(&bytes).iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        for name in &names {
            assert!(wanted.contains(&name.as_str()), "{name} from {subject:.40?}");
        }
        assert!(wanted.iter().all(|name| names.iter().filter(|found| found == name).count() == 1), "{names:?}");
        assert!(bytes.is_ascii());
        for line in bytes.split(|&byte| byte == b'\n') {
            assert!(line.len() <= 998, "{} bytes: {:?}", line.len(), String::from_utf8_lossy(&line[..60]));
        }
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let got = parsed.subject().unwrap_or_default();
        assert!(got.chars().count() <= 200, "{got}");
        assert_ne!(got, "Hello");
    }
}

#[test]
fn a_notice_is_a_plain_mail() {
    let (from, admin) = (mailbox_of("feedwatch <alerts@example.org>"), mailbox_of("ops@example.org"));
    let made = notice(&from, &admin, "feed broken:\nExample", "HTTP 503\n\nsince Tuesday\u{1b}[31m", now());
    assert_eq!(made, notice(&from, &admin, "feed broken:\nExample", "HTTP 503\n\nsince Tuesday\u{1b}[31m", now()));
    let parsed = MessageParser::default().parse(&made.bytes).unwrap();
    assert_eq!(parsed.subject(), Some("feed broken: Example"));
    assert_eq!(format!("<{}>", parsed.message_id().unwrap()), made.message_id.to_string());
    assert_eq!(parsed.body_text(0).unwrap().trim_end(), "HTTP 503\r\n\r\nsince Tuesday[31m");
}
