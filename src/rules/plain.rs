//! Plain text: what a reader sees of markup, clean of what no reader sees.
//!
//! Markup is read by a tokenizer in linear time and no tree is built: trees of hostile markup cost quadratic time.

use super::turns_direction;
use html5gum::{
    Span, Tokenizer,
    emitters::{
        Emitter, ForwardingEmitter,
        callback::{CallbackEmitter, CallbackEvent},
    },
};
use std::convert::Infallible;

/// Returns the text that a reader sees of an HTML fragment: tags removed, entities decoded, block elements as line feeds.
///
/// Inline tags break neither words nor phrases, and what a page does not show (scripts, styles, frames, drawings) is
/// dropped. Markup that was escaped twice is decoded once more.
pub fn plain_text(html: &str) -> String {
    let first = rendered(html, false);
    // Escaped tags next to real ones are a text about markup; escaped tags alone are markup that was escaped twice.
    let escaped_twice =
        if has_tag(&first.text) { !first.saw_tag } else { first.text.contains('&') && has_entity(&first.text) };
    if escaped_twice { rendered(&first.text, true).text } else { first.text }
}

/// Returns a plain text without control characters, bidirectional overrides and superfluous white space.
///
/// Runs of white space become one space, or one line feed where they hold a line break; the ends are trimmed.
pub fn clean(text: &str) -> String {
    let mut out = TextWriter::new(text.len(), true);
    out.push_str(text);
    out.text
}

/// Tells whether a text holds HTML tags or entities, so that a reader of it as plain text would see markup.
pub fn looks_like_markup(text: &str) -> bool {
    has_tag(text) || has_entity(text)
}

/// Returns the longest beginning of a text that has at most so many bytes and ends between two characters.
pub fn truncate(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Elements that begin and end a block: a line feed in the text.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "optgroup",
    "option",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];

/// Elements whose content no reader sees as text.
const UNSEEN: &[&str] = &[
    "script", "style", "template", "noscript", "iframe", "noframes", "noembed", "svg", "math", "object", "canvas",
    "head",
];

/// Elements that stand in the line like a word.
const REPLACED: &[&str] = &["img", "video", "audio", "embed", "input", "button", "select", "textarea", "picture"];

/// Other elements that people write, by which markup is told from text with angle brackets.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "big", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "s", "samp", "small", "source", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "wbr",
];

/// What a pass over markup found.
struct Rendered {
    text: String,
    saw_tag: bool,
}

/// Renders markup; `line_feeds` says that line feeds in its text are breaks, not white space.
fn rendered(html: &str, line_feeds: bool) -> Rendered {
    let mut out = TextWriter::new(html.len(), line_feeds);
    let mut saw_tag = false;
    let mut opened = Opened::None;
    // Nesting of unseen elements; only the outermost one's name is known, so that hostile nesting takes no memory.
    let mut unseen: Option<(&'static str, usize)> = None;
    let mut visit = |event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                saw_tag = true;
                opened = Opened::of(local_name(name));
                match (opened, &mut unseen) {
                    (Opened::Unseen(name), Some((outer, depth))) if *outer == name => *depth += 1,
                    (Opened::Unseen(name), None) => unseen = Some((name, 1)),
                    (Opened::Block, None) => out.line_break(),
                    (Opened::Replaced, None) => out.space(),
                    _ => {}
                }
            }
            CallbackEvent::CloseStartTag { self_closing: true } => {
                if let Opened::Unseen(name) = opened {
                    leave(&mut unseen, name);
                }
            }
            CallbackEvent::EndTag { name } => {
                saw_tag = true;
                match Opened::of(local_name(name)) {
                    Opened::Unseen(name) => leave(&mut unseen, name),
                    Opened::Block if unseen.is_none() => out.line_break(),
                    _ => {}
                }
            }
            CallbackEvent::String { value } if unseen.is_none() => out.push_str(&String::from_utf8_lossy(value)),
            _ => {}
        }
        None
    };
    let mut emitter: CallbackEmitter<_, Infallible, ()> = CallbackEmitter::new(&mut visit);
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, Quiet(emitter)).finish();
    Rendered { text: out.text, saw_tag }
}

/// An emitter that wants no errors: the tokenizer looks for those at every byte.
struct Quiet<E>(E);

impl<E: Emitter> ForwardingEmitter for Quiet<E> {
    type Token = E::Token;

    fn inner(&mut self) -> &mut impl Emitter<Token = Self::Token> {
        &mut self.0
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }
}

/// What a tag means for the text.
#[derive(Clone, Copy)]
enum Opened {
    None,
    Block,
    Replaced,
    Unseen(&'static str),
}

impl Opened {
    fn of(name: &str) -> Self {
        if let Some(name) = UNSEEN.iter().find(|unseen| **unseen == name) {
            Self::Unseen(name)
        } else if BLOCKS.contains(&name) {
            Self::Block
        } else if REPLACED.contains(&name) {
            Self::Replaced
        } else {
            Self::None
        }
    }
}

/// Leaves an unseen element; end tags of other elements inside it mean nothing.
fn leave(unseen: &mut Option<(&'static str, usize)>, name: &'static str) {
    if let Some((outer, depth)) = unseen
        && *outer == name
    {
        *depth -= 1;
        if *depth == 0 {
            *unseen = None;
        }
    }
}

/// Returns the name of a tag without a namespace prefix (`xhtml:p`); names that are no text are no element of HTML.
fn local_name(name: &[u8]) -> &str {
    let name = std::str::from_utf8(name).unwrap_or_default();
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Tells whether a text holds a tag of HTML, by name: `Vec<T>` and `a < b` are none.
fn has_tag(text: &str) -> bool {
    let Some(last) = text.rfind('>') else { return false };
    text[..last].match_indices('<').any(|(at, _)| {
        let rest = &text.as_bytes()[at + 1..];
        if rest.starts_with(b"!--") {
            return true;
        }
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        // No name in the lists is longer, and a bound keeps this linear.
        let end = rest.iter().take(12).position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(0);
        let name = String::from_utf8_lossy(&rest[..end]).to_ascii_lowercase();
        let name = name.as_str();
        end > 0
            && matches!(rest[end], b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r')
            && [BLOCKS, INLINE, UNSEEN, REPLACED].iter().any(|names| names.contains(&name))
    })
}

/// Tells whether a text holds what could be a character reference: `&nbsp;`, `&#39;`, `&#x2019;`.
fn has_entity(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let rest = &text.as_bytes()[at + 1..];
        let end = rest.iter().take(32).position(|byte| *byte == b';').unwrap_or(0);
        let name = &rest[..end];
        match name.strip_prefix(b"#") {
            Some([b'x' | b'X', digits @ ..]) => !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit),
            Some(digits) => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
            None => name.len() > 1 && name[0].is_ascii_alphabetic() && name.iter().all(u8::is_ascii_alphanumeric),
        }
    })
}

/// White space that was read and is written only if text follows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    LineFeed,
}

/// Writes text with white space collapsed and ends trimmed.
struct TextWriter {
    text: String,
    gap: Gap,
    line_feeds: bool,
}

impl TextWriter {
    fn new(capacity: usize, line_feeds: bool) -> Self {
        Self { text: String::with_capacity(capacity), gap: Gap::None, line_feeds }
    }

    fn line_break(&mut self) {
        self.gap = Gap::LineFeed;
    }

    fn space(&mut self) {
        self.gap = self.gap.max(Gap::Space);
    }

    fn push_str(&mut self, text: &str) {
        let mut rest = text;
        loop {
            // Words of plain ASCII, which most are, are taken whole.
            let word = rest.bytes().take_while(u8::is_ascii_graphic).count();
            if word > 0 {
                self.fill_gap();
                self.text.push_str(&rest[..word]);
                rest = &rest[word..];
            }
            let Some(char) = rest.chars().next() else { break };
            rest = &rest[char.len_utf8()..];
            match char {
                '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' if self.line_feeds => self.line_break(),
                _ if char.is_whitespace() => self.space(),
                _ if char.is_control() || turns_direction(char) => {}
                _ => {
                    self.fill_gap();
                    self.text.push(char);
                }
            }
        }
    }

    fn fill_gap(&mut self) {
        match std::mem::replace(&mut self.gap, Gap::None) {
            Gap::Space if !self.text.is_empty() => self.text.push(' '),
            Gap::LineFeed if !self.text.is_empty() => self.text.push('\n'),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_what_a_reader_sees() {
        for (html, text) in [
            ("", ""),
            ("plain", "plain"),
            ("<p>One</p><p>Two</p>", "One\nTwo"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("<div><div><p>ballistic</p>\n<p>missile</p></div></div>", "ballistic\nmissile"),
            ("<ul><li>one<li>two</ul>three", "one\ntwo\nthree"),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
            ("North <b>Korea</b>n <a href=\"x\">missile</a>s", "North Korean missiles"),
            ("North&nbsp;Korea &amp; Japan &eacute; &#8217; &#x41;", "North Korea & Japan é \u{2019} A"),
            ("<p class=\"Center\">x</p>", "x"),
            ("a<script>alert('<p>no</p>')</script>b", "ab"),
            ("a <style>p { }</style> b", "a b"),
            ("a<svg><title>t</title><svg></svg><path/></svg>b", "ab"),
            ("a<template><p>x</p></template>b", "ab"),
            ("a<svg/>b", "ab"),
            ("a<noscript><img src=x></noscript>b<iframe src=x>old</iframe>c", "abc"),
            ("word<img src=x>word", "word word"),
            ("<!-- no --> a <![CDATA[ no ]]>", "a"),
            ("&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;p&gt;three&lt;/p&gt;", "One & two\nthree"),
            ("<p>one</p><p>Tom &amp;amp; Jerry</p>", "one\nTom & Jerry"),
            ("<p>Write &lt;b&gt; for bold</p>", "Write <b> for bold"),
            ("line\nfeeds  are\tspace", "line feeds are space"),
            ("1 < 2 > 0 & so", "1 < 2 > 0 & so"),
            ("AT&T", "AT&T"),
            ("<xhtml:p>a</xhtml:p><xhtml:p>b</xhtml:p>", "a\nb"),
            ("a\u{0}b\u{7}c\u{202E}d\u{2066}e", "a\u{FFFD}bcde"),
            ("broken <b", "broken"),
        ] {
            let expected = text.replace('\u{FFFD}', "");
            assert_eq!(plain_text(html).replace('\u{FFFD}', ""), expected, "{html:?}");
        }
    }

    #[test]
    fn cleans_plain_text() {
        for (text, cleaned) in [
            ("  a \t b  ", "a b"),
            ("a\r\n\r\n b", "a\nb"),
            ("a\u{1b}[31mb", "a[31mb"),
            ("\u{202A}a\u{202E}b\u{2066}c\u{2069}", "abc"),
            ("a\u{200E}b", "a\u{200E}b"),
            ("a\u{0}b\u{9b}c\u{a0}d", "abc d"),
            ("x < y && <T>", "x < y && <T>"),
        ] {
            assert_eq!(clean(text), cleaned, "{text:?}");
        }
    }

    #[test]
    fn tells_markup_from_text() {
        for text in ["a <b>c</b>", "<p>", "x<br/>", "&amp;", "&#39;", "&#x2019;", "<IMG SRC=x>", "a </p> b"] {
            assert!(looks_like_markup(text), "{text:?}");
        }
        for text in ["", "a < b > c", "Vec<T>", "AT&T; no", "R&D", "<3", "<b", "&;", "&#;", "&#x;", "<bold>"] {
            assert!(!looks_like_markup(text), "{text:?}");
        }
    }

    #[test]
    fn hostile_markup_takes_linear_time() {
        let divs = "<div>".repeat(100_000);
        assert_eq!(plain_text(&format!("{divs}x")), "x");
        let less = "<".repeat(500_000);
        assert_eq!(plain_text(&less).len(), 500_000);
        let ands = "&".repeat(500_000);
        assert_eq!(plain_text(&ands), ands);
        let escaped = "&lt;b".repeat(100_000);
        assert!(plain_text(&escaped).starts_with("<b<b"));
        assert_eq!(plain_text(&format!("{}x", "<svg>".repeat(100_000))), "");
        for unit in ["<!--", "<a ", "<![CDATA[", "&amp", "&#", "</", "<a b=", "<p a b c='", "<script>", "<textarea>"] {
            assert!(plain_text(&unit.repeat(100_000)).len() <= 1_000_000, "{unit}");
        }
    }

    #[test]
    fn truncates_between_characters() {
        assert_eq!((truncate("aé", 2), truncate("aé", 3), truncate("aé", 9)), ("a", "aé", "aé"));
    }

    proptest! {
        #[test]
        fn holds_no_superfluous_white_space(html in "(<[a-z/]{1,4}>|[ \n\t\u{a0}]|&[a-z]{2};|[a-zé\u{0}\u{202E}]){0,40}") {
            let text = plain_text(&html);
            prop_assert_eq!(&clean(&text), &text);
        }
    }
}
