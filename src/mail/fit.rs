//! A mail of ours that is larger than its server takes, cut to what it takes. Nothing is lost by it: what is left out is
//! counted in the mail, and the store has it.

/// What tells mail programs how to read the text of a mail that has one part.
const PLAIN: &str =
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n";

/// A mail that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The mail.
    pub message: Vec<u8>,
    /// How many items were left out.
    pub left_out: usize,
}

/// Returns the mail of an edition under the same headers with at most so many bytes. The HTML part is left out first,
/// since the text says the same; then the last items of the text, which are the least important. `None` if it still does
/// not fit.
pub fn fitted(message: &[u8], most: usize) -> Option<Fitted> {
    let message = std::str::from_utf8(message).ok()?;
    let end = message.find("\r\n\r\n")?;
    let (head, body) = (&message[..end + 2], &message[end + 4..]);
    let headers = headers(head);
    let is_of_body = |header: &&str| is_named(header, "MIME-Version:") || is_named(header, "Content-");
    let kind = headers.iter().find(|header| is_named(header, "Content-Type:"));
    let boundary = kind.and_then(|kind| kind.split_once("boundary=\"")?.1.split('"').next());
    let text = match boundary {
        Some(boundary) => {
            let part = body.split_once(&format!("--{boundary}\r\n"))?.1;
            let part = part.split_once(&format!("\r\n--{boundary}"))?.0;
            part.split_once("\r\n\r\n")?.1
        }
        None => body,
    };
    let mut fitted: String = headers.iter().filter(|header| !is_of_body(header)).copied().collect();
    fitted.push_str(PLAIN);
    fitted.push_str("\r\n");
    let room = most.checked_sub(fitted.len())?;
    let (text, left_out) = shortened(text, room, most)?;
    fitted.push_str(&text);
    Some(Fitted { message: fitted.into_bytes(), left_out })
}

/// Tells whether the name of a header, with its colon, is or begins like this.
fn is_named(header: &str, name: &str) -> bool {
    header.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// Returns each header with the lines that it goes on in.
fn headers(head: &str) -> Vec<&str> {
    let mut headers = Vec::new();
    let mut start = 0;
    for end in head.match_indices("\r\n").map(|(at, end)| at + end.len()) {
        if !head[end..].starts_with([' ', '\t']) {
            headers.push(&head[start..end]);
            start = end;
        }
    }
    headers
}

/// Returns a text in quoted-printable without the last items that there is no `room` for, and how many these are.
fn shortened(text: &str, room: usize, most: usize) -> Option<(String, usize)> {
    let whole = format!("{}\r\n", text.trim_end_matches("\r\n"));
    if whole.len() <= room {
        return Some((whole, 0));
    }
    let lines = lines(&whole);
    // The first line is the name of the digest. `text` lets nothing else begin like this.
    let rule = (1..lines.len()).find(|index| lines[*index].trim_end() == "----").unwrap_or(lines.len());
    let items: Vec<usize> = (1..rule).filter(|index| lines[*index].starts_with('-')).collect();
    // What follows the last item is kept: how much is left out anyway, and what was looked at.
    let last = *items.last()?;
    let tail = (last + 1..lines.len()).find(|index| !lines[*index].starts_with("  ")).unwrap_or(lines.len());
    let tail = lines[tail..].concat();
    for kept in (0..items.len()).rev() {
        let before = without_headlines(&lines[..items[kept]]);
        let left_out = items.len() - kept;
        let what = if left_out == 1 { "1 more item is" } else { &*format!("{left_out} more items are") };
        let note = format!(
            "\r\n{what} left out: the mail server takes {most} bytes at most.\r\n`feedwatch hits` lists all.\r\n"
        );
        let cut = format!("{}{note}{tail}", before.concat());
        if cut.len() <= room {
            return Some((cut, left_out));
        }
    }
    None
}

/// Returns lines without those at their end that only introduce what follows: blank ones, and the headlines of rules
/// none of whose items is left.
fn without_headlines<'a, 'b>(mut lines: &'b [&'a str]) -> &'b [&'a str] {
    loop {
        let filled = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
        lines = &lines[..filled];
        // A headline goes on in lines that are indented, as an item does.
        let Some(start) = lines.iter().rposition(|line| !line.starts_with("  ")) else { return lines };
        // `=` is escaped.
        if !lines[start].starts_with("=3D=3D ") {
            return lines;
        }
        lines = &lines[..start];
    }
}

/// Returns the lines of a text in quoted-printable, each with those that it goes on in (RFC 2045 §6.7).
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, end) in text.match_indices("\r\n") {
        if !text[..at].ends_with('=') {
            lines.push(&text[start..at + end.len()]);
            start = at + end.len();
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::{
            digest::{Coverage, Edition},
            hit::DigestName,
            mailbox::Mailbox,
        },
        mail::{
            message::{self, Envelope},
            render::{
                self,
                tests::{article, edition, hit, representative},
            },
        },
    };
    use mail_parser::{Message, MessageParser};
    use std::collections::HashSet;

    /// Returns the mail of an edition with so many items, some of which have long lines and letters of all kinds.
    fn mail(items: usize) -> Vec<u8> {
        let hits = (0..items).map(|number| {
            let id = i64::try_from(number).unwrap();
            let title =
                format!("Item{number}x КНДР провела пуск баллистической ракеты = {}", "слово ".repeat(number % 7));
            let link = format!("https://www.example.org/{number}?{}", "parameter=value&".repeat(9));
            hit(
                id,
                ["DPRK missiles", "Transfers"][number * 2 / items],
                article(id, &title, Some(&link), "- not an item"),
                &["КНДР"],
            )
        });
        message_of(&edition(hits.collect(), Coverage { feeds: 240, ..Coverage::default() }))
    }

    fn message_of(edition: &Edition) -> Vec<u8> {
        let notice = render::Notice { recipient: "desk@example.org", contact: "ops@example.org", host: "watch" };
        let (from, to): (Mailbox, Mailbox) =
            ("feedwatch <alerts@example.org>".parse().unwrap(), "desk@example.org".parse().unwrap());
        let id = message::message_id(edition, edition.window.end, &to, &from);
        let envelope = Envelope { from: &from, to: &to, admin: None };
        message::edition_message(edition, &render::render(edition, &notice), &envelope, &id, edition.window.end)
    }

    fn parsed(message: &[u8]) -> Message<'_> {
        MessageParser::default().parse(message).unwrap()
    }

    fn items(text: &str) -> usize {
        text.lines().filter(|line| line.starts_with("- Item")).count()
    }

    #[test]
    fn the_html_part_goes_first() {
        let whole = mail(4);
        let text = parsed(&whole).body_text(0).unwrap().into_owned();
        let fitted = fitted(&whole, whole.len() - 1).unwrap().message;
        let mail = parsed(&fitted);
        assert_eq!(mail.parts.len(), 1);
        assert_eq!(mail.body_text(0).unwrap().trim_end(), text.trim_end());
        let headers = |message: &[u8]| -> Vec<(String, String)> {
            let mail = parsed(message);
            let headers = mail.headers_raw().map(|(name, value)| (name.to_owned(), value.to_owned()));
            headers.filter(|(name, _)| !name.starts_with("Content-") && name != "MIME-Version").collect()
        };
        assert_eq!(headers(&fitted).into_iter().collect::<Vec<_>>(), headers(&whole));
        assert!(headers(&whole).iter().any(|(name, _)| name == "List-Unsubscribe"));
    }

    /// Promises P3 and P8: what is left out is counted, and the end says what was looked at as before.
    #[test]
    fn the_last_items_go_next_and_are_counted() {
        let whole = mail(40);
        let all = parsed(&whole).body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(items(&all), 40);
        let footer = &all[all.find("\n----\n").unwrap()..];
        let mut before = 40;
        for most in (0..whole.len()).rev().step_by(997) {
            let Some(Fitted { message: fitted, left_out }) = fitted(&whole, most) else { continue };
            assert!(fitted.len() <= most, "{} of {most}", fitted.len());
            let text = parsed(&fitted).body_text(0).unwrap().replace("\r\n", "\n");
            let kept = items(&text);
            assert!(kept <= before && text.trim_end().ends_with(footer.trim_end()), "{text}");
            let (start, _) = text.split_once(" left out: the mail server takes").unwrap_or((&all, ""));
            let said = start.lines().last().and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or(0);
            assert_eq!((kept + said, left_out), (40, said), "{text}");
            let beginning = &start[..start.rfind('\n').unwrap()];
            assert!(all.starts_with(beginning.trim_end()), "{text}");
            assert!(!beginning.trim_end().ends_with(" =="), "a rule without items: {text}");
            before = kept;
        }
        assert_eq!(before, 0, "it was never cut to the last");
        assert_eq!(fitted(&whole, 500), None);
    }

    /// Promise P8. Once an item whose headline was one long word vanished uncounted, and a long name could count as one.
    #[test]
    fn no_headline_and_no_name_hides_an_item_or_seems_to_be_one() {
        let word = format!("https://www.example.org/{}", "path-".repeat(14));
        let wide = "朝鮮が弾道ミサイルを発射した".repeat(5);
        let titles = [word.as_str(), &wide, "- - a", "----", "", " ", "short", &word];
        // Wherever it breaks.
        let name = |start: &str, at: usize| format!("{start}{} - - ---- == - - of all", "x".repeat(at));
        for at in 40..80 {
            let rules = [name("- ", at), name("== ", at)];
            let hits = titles.iter().enumerate().map(|(number, title)| {
                let id = i64::try_from(number).unwrap();
                hit(id, &rules[number / 4], article(id, title, None, "- not an item"), &[])
            });
            let mut edition = edition(hits.collect(), Coverage::default());
            edition.digest = DigestName::new(if at % 2 == 0 { "----".to_owned() } else { name("- ", at) });
            let whole = message_of(&edition);
            let mut seen = HashSet::new();
            for most in (0..whole.len()).rev().step_by(37) {
                let Some(Fitted { message: fitted, left_out }) = fitted(&whole, most) else { continue };
                let text = parsed(&fitted).body_text(0).unwrap().into_owned();
                let (start, _) = text.split_once(" left out: the mail server takes").unwrap_or((&text, ""));
                let said = start.lines().last().and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or(0);
                let kept = text.matches("Example Wire").count();
                assert_eq!((kept + said, left_out), (titles.len(), said), "{text}");
                let above = &text[..text.find("\n----").unwrap()];
                let headlines = above.lines().filter(|line| line.starts_with("== ")).count();
                assert_eq!(headlines, kept.div_ceil(4), "{text}");
                seen.insert(kept);
            }
            assert!(seen.len() > 5 && seen.contains(&0), "it was hardly cut: {seen:?}");
        }
    }

    /// The mails that `message` makes, whatever a name in a header looks like.
    #[test]
    fn the_boundary_is_that_of_the_content_type() {
        let mut edition = representative();
        edition.subject = "boundary=\"none\"".to_owned();
        let whole = message_of(&edition);
        let head = std::str::from_utf8(&whole).unwrap().split_once("\r\n\r\n").unwrap().0;
        assert!(head.find("boundary=\"none\"") < head.find("Content-Type:"), "{head}");
        let fitted = fitted(&whole, whole.len() - 1).unwrap().message;
        assert_eq!(parsed(&fitted).parts.len(), 1);
        // Each header on lines of its own, wherever those of the body were.
        let swapped = String::from_utf8(whole).unwrap().replacen("\r\n\r\n", "\r\nX-Last: of all\r\n\r\n", 1);
        let fitted = super::fitted(swapped.as_bytes(), swapped.len() - 1).unwrap().message;
        let names = |message: &[u8]| -> Vec<String> {
            parsed(message).headers_raw().map(|(name, _)| name.to_owned()).collect()
        };
        let mut expected = names(swapped.as_bytes());
        expected.retain(|name| name != "MIME-Version" && !name.starts_with("Content-"));
        expected.extend(["MIME-Version", "Content-Type", "Content-Transfer-Encoding"].map(str::to_owned));
        assert_eq!(names(&fitted), expected);
        assert_eq!(parsed(&fitted).header("X-Last").and_then(|value| value.as_text()), Some("of all"));
    }

    #[test]
    fn other_mails_are_left_alone() {
        for mail in [&b"no head"[..], b"A: b\r\nContent-Type: multipart/x; boundary=\"y\"\r\n\r\nz", b"A: \xFF\r\n\r\n"]
        {
            assert_eq!(fitted(mail, 5), None);
        }
    }
}
