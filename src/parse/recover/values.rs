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
    let mut open: Vec<Open> = Vec::new();
    // Elements within elements of their kind would be looked through once for each level: what is asked of their texts is
    // noted as they come.
    let (mut persons, mut durations) = (0_usize, 0_usize);
    let mut too_great: Vec<usize> = Vec::new();
    let mut out = Vec::with_capacity(tokens.len());
    for mut token in std::mem::take(tokens) {
        match &mut token {
            Token::Start(tag) => {
                changed |= text_type(tag, own.as_deref()) | media_times(tag);
                let element = Open { start: out.len(), is_person: is_person(tag), is_duration: is_duration(tag) };
                persons += usize::from(element.is_person);
                durations += usize::from(element.is_duration);
                open.push(element);
                out.push(token);
            }
            Token::End(_) => {
                let Open { start, is_person, is_duration } = open.pop().unwrap_or_default();
                persons -= usize::from(is_person);
                durations -= usize::from(is_duration);
                out.push(token);
                let overflows = is_duration && too_great.last().is_some_and(|text| *text > start);
                if overflows || is_empty_text(&out[start..]) {
                    out.truncate(start);
                    while too_great.pop_if(|text| *text > start).is_some() {}
                    changed = true;
                }
            }
            Token::Text(text) | Token::CData(text) => {
                if durations > 0 && overflows(text) {
                    too_great.push(out.len());
                }
                if persons > 0
                    && let Some(separate) = separate_address(text)
                {
                    *text = Cow::Owned(separate);
                    changed = true;
                }
                out.push(token);
            }
        }
    }
    *tokens = out;
    changed
}

/// An element that has not ended.
#[derive(Default)]
struct Open {
    /// Where its start tag is.
    start: usize,
    is_person: bool,
    is_duration: bool,
}

/// Tells whether an element names a person: feed-rs looks for an address in it.
fn is_person(tag: &Tag<'_>) -> bool {
    matches!(split_name(&tag.name).1, "author" | "creator" | "managingEditor" | "webMaster" | "name" | "owner")
}

/// Tells whether an element is a duration of a module, for which a time may be too great.
fn is_duration(tag: &Tag<'_>) -> bool {
    matches!(split_name(&tag.name), (Some(_), "duration"))
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

/// Tells whether an element is a text of media without any text, which feed-rs refuses.
fn is_empty_text(element: &[Token<'_>]) -> bool {
    let Some(Token::Start(tag)) = element.first() else { return false };
    let is_text = matches!(split_name(&tag.name), (Some("media" | "itunes"), "title" | "description" | "summary"));
    is_text
        && element[1..element.len() - 1].iter().all(|token| match token {
            Token::Text(text) => text.is_empty(),
            Token::CData(section) => section.len() == "<![CDATA[]]>".len(),
            _ => false,
        })
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
            (
                "<a><x:duration>9999999999999999<y:duration>1<z>9999999999999999</z></y:duration></x:duration><x:duration>2</x:duration></a>",
                "<a><x:duration>2</x:duration></a>",
            ),
            (
                "<a><author><b>i@e.jp（編）</b><name>x</name>i@e.jp（編）</author></a>",
                "<a><author><b>i@e.jp （編）</b><name>x</name>i@e.jp （編）</author></a>",
            ),
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
