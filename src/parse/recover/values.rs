//! Single values for which feed-rs refuses, or fails on, the whole document.

use super::lexer::{Tag, Token, split_name};
use std::borrow::Cow;

/// Digits of the longest number in a time: 10^15 hours still fit the parser's seconds.
const DIGITS: usize = 15;

/// Rewrites or drops such values, and tells whether there were any.
pub(super) fn tolerate(tokens: &mut Vec<Token<'_>>) -> bool {
    let own = match tokens.first() {
        Some(Token::Start(root)) => split_name(&root.name).0.map(str::to_owned),
        _ => None,
    };
    let mut changed = false;
    let mut open: Vec<usize> = Vec::new();
    let mut out = Vec::with_capacity(tokens.len());
    for token in std::mem::take(tokens) {
        match token {
            Token::Start(mut tag) => {
                changed |= text_type(&mut tag, own.as_deref()) | media_times(&mut tag);
                open.push(out.len());
                out.push(Token::Start(tag));
            }
            Token::End(name) => {
                let start = open.pop().unwrap_or_default();
                out.push(Token::End(name));
                if is_refused(&out[start..]) {
                    out.truncate(start);
                    changed = true;
                } else {
                    changed |= addresses(&mut out[start..]);
                }
            }
            text => out.push(text),
        }
    }
    *tokens = out;
    changed
}

/// Gives a text one of the types that feed-rs knows.
fn text_type(tag: &mut Tag<'_>, own: Option<&str>) -> bool {
    let (prefix, local) = split_name(&tag.name);
    let is_text = match prefix {
        Some("media" | "itunes") => matches!(local, "title" | "description" | "summary"),
        prefix => prefix == own && matches!(local, "title" | "subtitle" | "summary" | "content" | "rights"),
    };
    let is_content = local == "content";
    let is_media = prefix == Some("media");
    let Some((_, kind)) = tag.attributes.iter_mut().find(|(key, _)| is_text && key == "type") else { return false };
    let said = kind.trim().to_ascii_lowercase();
    let said = said.split(';').next().unwrap_or_default().trim_end();
    let known = match said {
        "text" | "plain" | "text/plain" | "" => "text",
        "html" | "text/html" => "html",
        "xhtml" | "application/xhtml+xml" | "text/xhtml" | "text/xhtml+xml" => "xhtml",
        // A content may be of any media type.
        other if is_content && other.contains('/') => return false,
        other if other.contains("html") => "html",
        _ => "text",
    };
    // Media RSS has words of its own for two of them.
    let known = match known {
        "text" if is_media => "plain",
        "xhtml" if is_media => "html",
        known => known,
    };
    let changed = kind != known;
    *kind = Cow::Borrowed(known);
    changed
}

/// Drops times of media that are too great for the parser.
fn media_times(tag: &mut Tag<'_>) -> bool {
    let before = tag.attributes.len();
    if tag.name.starts_with("media:") {
        let is_time = |key: &str| matches!(key, "time" | "start" | "end");
        tag.attributes.retain(|(key, value)| !(is_time(key) && overflows(value)));
    }
    tag.attributes.len() != before
}

fn overflows(time: &str) -> bool {
    time.split(|char: char| !char.is_ascii_digit()).any(|digits| digits.len() > DIGITS)
}

/// Tells whether an element is one that feed-rs refuses: a text of media that is empty, or a time that is too great.
fn is_refused(element: &[Token<'_>]) -> bool {
    let Some(Token::Start(tag)) = element.first() else { return false };
    let (prefix, local) = split_name(&tag.name);
    let inner = &element[1..element.len() - 1];
    match (prefix, local) {
        (Some("media" | "itunes"), "title" | "description" | "summary") => inner.iter().all(|token| match token {
            Token::Text(text) => text.is_empty(),
            Token::CData(section) => section.len() == "<![CDATA[]]>".len(),
            _ => false,
        }),
        (Some(_), "duration") => inner.iter().any(|token| match token {
            Token::Text(text) | Token::CData(text) => overflows(text),
            _ => false,
        }),
        _ => false,
    }
}

/// Puts spaces around the addresses in the name of a person.
fn addresses(element: &mut [Token<'_>]) -> bool {
    let Some(Token::Start(tag)) = element.first() else { return false };
    let is_person =
        matches!(split_name(&tag.name).1, "author" | "creator" | "managingEditor" | "webMaster" | "name" | "owner");
    let mut changed = false;
    for token in element.iter_mut().filter(|_| is_person) {
        if let Token::Text(text) | Token::CData(text) = token
            && let Some(separate) = separate_address(text)
        {
            *text = Cow::Owned(separate);
            changed = true;
        }
    }
    changed
}

/// Returns a text with spaces between mail addresses and characters beyond ASCII that touch them, if there are any:
/// feed-rs cuts one byte beside an address.
pub(super) fn separate_address(text: &str) -> Option<String> {
    if text.is_ascii() || !text.contains('@') {
        return None;
    }
    let is_part = |char: char| char.is_ascii_alphanumeric() || "._%+-:@".contains(char);
    let mut out = String::with_capacity(text.len() + 2);
    let mut rest = text;
    while let Some(begin) = rest.find(is_part) {
        let (before, run) = rest.split_at(begin);
        let (run, after) = run.split_at(run.find(|char| !is_part(char)).unwrap_or(run.len()));
        out.push_str(before);
        if run.contains('@') && out.chars().next_back().is_some_and(|char| !char.is_ascii()) {
            out.push(' ');
        }
        out.push_str(run);
        if run.contains('@') && after.chars().next().is_some_and(|char| !char.is_ascii()) {
            out.push(' ');
        }
        rest = after;
    }
    out.push_str(rest);
    (out.len() > text.len()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::{super::lexer, *};

    #[test]
    fn rewrites_values() {
        for (text, expected) in [
            ("<a><title type='text/plain'>x</title></a>", "<a><title type=\"text\">x</title></a>"),
            ("<a><content type='image/png'>x</content></a>", "<a><content type=\"image/png\">x</content></a>"),
            ("<a><summary type='application/xhtml+xml; x'/></a>", "<a><summary type=\"xhtml\"></summary></a>"),
            ("<a><media:title type='text'>x</media:title></a>", "<a><media:title type=\"plain\">x</media:title></a>"),
            (
                "<a><media:content type='plain'><media:title/></media:content></a>",
                "<a><media:content type=\"plain\"></media:content></a>",
            ),
            ("<a><media:description><![CDATA[]]></media:description></a>", "<a></a>"),
            ("<a><itunes:duration>9999999999999999:00:00</itunes:duration></a>", "<a></a>"),
            ("<a><itunes:duration>1:00</itunes:duration></a>", "<a><itunes:duration>1:00</itunes:duration></a>"),
            ("<a><media:text start='99999999999999999999' end='1'/></a>", "<a><media:text end=\"1\"></media:text></a>"),
            ("<a><author>i@e.jp（編）</author></a>", "<a><author>i@e.jp （編）</author></a>"),
            ("<a><title>i@e.jp（編）</title></a>", "<a><title>i@e.jp（編）</title></a>"),
        ] {
            let mut tokens = lexer::lex(text).unwrap().tokens;
            let before = tokens.clone();
            assert_eq!(tolerate(&mut tokens), before != tokens, "{text}");
            assert_eq!(lexer::write(&tokens), expected, "{text}");
        }
    }

    #[test]
    fn separates_addresses() {
        for (text, expected) in [
            ("john@example.com—John", Some("john@example.com —John")),
            ("「a.b@e.jp」", Some("「 a.b@e.jp 」")),
            ("é a@e.org (é)", None),
            ("a@e.org", None),
            ("é", None),
        ] {
            assert_eq!(separate_address(text).as_deref(), expected, "{text}");
        }
    }
}
