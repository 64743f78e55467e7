//! Reads markup as tokens, whatever is wrong with it.
//!
//! One pass from left to right, in linear time. The tokens are sound: written out again they are XML, although their
//! nesting may be wrong. Instructions, comments and document types are left out: nothing of a feed is in them.

use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// Tokens, attributes and replaced characters of the largest document that is mended: what bounds memory and time.
pub(super) const PIECES: usize = 1 << 20;

/// Bytes of the longest reference: `&CounterClockwiseContourIntegral;` has 33.
const REFERENCE_BYTES: usize = 40;

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Name with its prefix.
    pub(super) name: Cow<'a, str>,
    /// Names and escaped values.
    pub(super) attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Tag<'_> {
    /// Returns the escaped value of an attribute, whatever the case of its name.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }
}

/// A piece of markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Start of an element; an empty one is followed by its end.
    Start(Tag<'a>),
    /// End of an element, by its name with prefix.
    End(Cow<'a, str>),
    /// Escaped text.
    Text(Cow<'a, str>),
    /// A whole CDATA section with its marks.
    CData(Cow<'a, str>),
}

/// A document as tokens.
#[derive(Debug, Default)]
pub(super) struct Lexed<'a> {
    /// The tokens, in order.
    pub(super) tokens: Vec<Token<'a>>,
    /// Characters and references that XML does not allow were replaced.
    pub(super) characters: bool,
    /// Tags or CDATA sections were completed.
    pub(super) markup: bool,
}

/// Splits a name into prefix and local name.
pub(super) fn split_name(name: &str) -> (Option<&str>, &str) {
    match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, name),
    }
}

/// Writes tokens as XML.
pub(super) fn write(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    for token in tokens {
        match token {
            Token::Text(text) | Token::CData(text) => out.push_str(text),
            Token::End(name) => {
                out.push_str("</");
                out.push_str(name);
                out.push('>');
            }
            Token::Start(tag) => {
                out.push('<');
                out.push_str(&tag.name);
                for (name, value) in &tag.attributes {
                    out.push(' ');
                    out.push_str(name);
                    out.push_str("=\"");
                    out.push_str(value);
                    out.push('"');
                }
                out.push('>');
            }
        }
    }
    out
}

/// Reads a document that begins with a tag; `None` if it has too many tokens, attributes and characters to replace.
pub(super) fn lex(text: &str) -> Option<Lexed<'_>> {
    let mut lexer =
        Lexer { text, at: 0, lexed: Lexed::default(), pieces: 0, named: FxHashMap::default(), last_open: "" };
    while lexer.at < text.len() && lexer.is_within_bound() {
        lexer.step();
    }
    lexer.is_within_bound().then_some(lexer.lexed)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    lexed: Lexed<'a>,
    /// Attributes and replaced characters so far.
    pieces: usize,
    /// What HTML calls the characters of this document.
    named: FxHashMap<&'a str, Option<String>>,
    /// The element that was opened last: a CDATA section without an end ends with it.
    last_open: &'a str,
}

impl<'a> Lexer<'a> {
    fn is_within_bound(&self) -> bool {
        self.lexed.tokens.len() + self.pieces <= PIECES
    }

    fn step(&mut self) {
        let rest = &self.text[self.at..];
        if let Some(section) = rest.strip_prefix("<![CDATA[") {
            self.cdata(section);
        } else if rest.starts_with("<!--") {
            // A comment without an end hides all that follows, as it does from a reader.
            self.at += rest.find("-->").map_or(rest.len(), |end| end + 3);
        } else if rest.starts_with("<?") {
            self.at += rest.find('>').map_or(rest.len(), |end| end + 1);
        } else if let Some(name) = rest.strip_prefix("</").filter(|name| begins_name(name)) {
            self.end_tag(name);
        } else if rest.strip_prefix('<').is_some_and(begins_name) {
            self.start_tag();
        } else {
            let mark = usize::from(rest.starts_with('<'));
            let length = rest[mark..].find('<').map_or(rest.len(), |end| end + mark);
            let text = self.mended(&rest[..length]);
            self.lexed.tokens.push(Token::Text(text));
            self.at += length;
        }
    }

    /// Reads a CDATA section whose beginning was read. One that another follows before its end was not ended.
    fn cdata(&mut self, section: &'a str) {
        let begin = self.at + "<![CDATA[".len();
        let bound = section.match_indices(['<', ']']).find_map(|(at, _)| {
            let rest = &section[at..];
            let ended = rest.starts_with("]]>");
            (ended || rest.starts_with("<![CDATA[")).then_some((at, ended))
        });
        let (content, next) = match bound {
            Some((end, true)) => (&section[..end], begin + end + 3),
            other => {
                self.lexed.markup = true;
                let within = &section[..other.map_or(section.len(), |(end, _)| end)];
                let end = within.match_indices("</").map(|(at, _)| at).find(|at| {
                    let name = within[at + 2..].strip_prefix(self.last_open);
                    name.is_some_and(|rest| rest.trim_start().starts_with('>'))
                });
                let content = &within[..end.unwrap_or(within.len())];
                (content, begin + content.len())
            }
        };
        let whole = &self.text[begin - "<![CDATA[".len()..next];
        let section = if whole.ends_with("]]>") && !content.contains(is_forbidden) {
            Cow::Borrowed(whole)
        } else {
            self.lexed.characters |= content.contains(is_forbidden);
            Cow::Owned(format!("<![CDATA[{}]]>", content.replace(is_forbidden, "")))
        };
        self.lexed.tokens.push(Token::CData(section));
        self.at = next;
    }

    fn end_tag(&mut self, rest: &'a str) {
        let name = name_of(rest);
        self.lexed.tokens.push(Token::End(Cow::Borrowed(name)));
        let after = &rest[name.len()..];
        let length = after.find(['<', '>']).unwrap_or(after.len());
        let is_sound = after[length..].starts_with('>');
        self.lexed.markup |= !is_sound;
        self.at += 2 + name.len() + length + usize::from(is_sound);
    }

    /// Reads a start tag. One that is cut off by another tag is completed; one that the document ends in is left out.
    fn start_tag(&mut self) {
        let name = name_of(&self.text[self.at + 1..]);
        self.at += 1 + name.len();
        let mut attributes = Vec::new();
        let is_empty = loop {
            let rest = self.text[self.at..].trim_start();
            self.at = self.text.len() - rest.len();
            if rest.is_empty() {
                return;
            } else if rest.starts_with("/>") {
                self.at += 2;
                break true;
            } else if rest.starts_with('>') {
                self.at += 1;
                break false;
            } else if rest.starts_with('<') {
                self.lexed.markup = true;
                break false;
            } else if begins_name(rest) {
                // Beyond the bound the document is given up, after this tag.
                let attribute = self.attribute().filter(|_| self.is_within_bound());
                self.pieces += usize::from(attribute.is_some());
                attributes.extend(attribute);
            } else {
                self.lexed.markup |= !rest.starts_with('/');
                self.at += rest.chars().next().map_or(0, char::len_utf8);
            }
        };
        self.last_open = name;
        self.lexed.tokens.push(Token::Start(Tag { name: Cow::Borrowed(name), attributes }));
        if is_empty {
            self.lexed.tokens.push(Token::End(Cow::Borrowed(name)));
        }
    }

    /// Reads an attribute with or without quotes or value; `None` if its value has no end.
    fn attribute(&mut self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let text = self.text;
        let name = name_of(&text[self.at..]);
        self.at += name.len();
        let Some(value) = text[self.at..].trim_start().strip_prefix('=').map(str::trim_start) else {
            self.lexed.markup = true;
            return Some((Cow::Borrowed(name), Cow::Borrowed("")));
        };
        self.at = text.len() - value.len();
        let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''));
        let (value, length) = match quote {
            Some(quote) => {
                let end = value[1..].find([quote, '<']).map_or(value.len(), |end| end + 1);
                if !value[end..].starts_with(quote) {
                    // The value runs into the next tag.
                    self.lexed.markup = true;
                    self.at += end;
                    return None;
                }
                (&value[1..end], end + 1)
            }
            None => {
                self.lexed.markup = true;
                let end = value.find(|char: char| char.is_whitespace() || matches!(char, '<' | '>'));
                let end = end.unwrap_or(value.len());
                (&value[..end], end)
            }
        };
        self.at += length;
        let value = self.mended(value);
        let value = if value.contains('"') { Cow::Owned(value.replace('"', "&quot;")) } else { value };
        Some((Cow::Borrowed(name), value))
    }

    /// Returns a text in which all characters and references are XML's.
    fn mended(&mut self, text: &'a str) -> Cow<'a, str> {
        if !text.contains(|char| matches!(char, '&' | '<') || is_forbidden(char)) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(|char| matches!(char, '&' | '<') || is_forbidden(char)) {
            out.push_str(&rest[..at]);
            // Beyond the bound the document is given up, after this text.
            if !self.is_within_bound() {
                return Cow::Borrowed(text);
            }
            let length = match rest.as_bytes()[at] {
                b'&' => self.reference(&rest[at..], &mut out),
                b'<' => {
                    self.replaces();
                    out.push_str("&lt;");
                    1
                }
                _ => {
                    self.replaces();
                    rest[at..].chars().next().map_or(1, char::len_utf8)
                }
            };
            rest = &rest[at + length..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    /// Notes that a character or a reference is replaced.
    fn replaces(&mut self) {
        self.lexed.characters = true;
        self.pieces += 1;
    }

    /// Writes the reference that a text begins with, and returns its length.
    fn reference(&mut self, text: &'a str, out: &mut String) -> usize {
        let head = &text.as_bytes()[1..text.len().min(REFERENCE_BYTES)];
        let end = head.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#');
        let Some(end) = end.filter(|end| *end > 0 && head[*end] == b';') else {
            self.replaces();
            out.push_str("&amp;");
            return 1;
        };
        let (name, whole) = (&text[1..=end], &text[..end + 2]);
        if let Some(number) = name.strip_prefix('#') {
            let hexadecimal = number.strip_prefix(['x', 'X']);
            let number = hexadecimal.map_or_else(|| number.parse(), |digits| u32::from_str_radix(digits, 16));
            match number.ok().and_then(char::from_u32).filter(|char| *char != '\0' && !is_forbidden(*char)) {
                // XML knows a small `x` only.
                Some(char) if char.is_ascii() => out.push_str(&whole.replace('X', "x")),
                Some(char) => out.push(char),
                None => self.replaces(),
            }
        } else if quick_xml::escape::resolve_xml_entity(name).is_some() {
            out.push_str(whole);
        } else if let Some(characters) = self.named.entry(name).or_insert_with(|| html_entity(whole)) {
            out.push_str(&quick_xml::escape::escape(characters.as_str()));
            self.replaces();
        } else if name.contains('#') {
            self.replaces();
            out.push_str("&amp;");
            return 1;
        } else {
            // An entity of the document's own: it is never expanded.
            out.push_str(whole);
        }
        whole.len()
    }
}

/// Returns what HTML means by a whole named reference.
fn html_entity(reference: &str) -> Option<String> {
    let mut out = String::new();
    for token in html5gum::Tokenizer::new(reference) {
        let Ok(token) = token;
        if let html5gum::Token::String(text) = token {
            out.push_str(&String::from_utf8_lossy(&text));
        }
    }
    // A name that begins with another one's (`&notit;`) leaves its rest.
    (!out.contains(';') && out != reference).then_some(out)
}

/// Tells whether XML forbids a character, even as a reference.
fn is_forbidden(char: char) -> bool {
    matches!(char, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn begins_name(text: &str) -> bool {
    text.chars().next().is_some_and(|char| char.is_alphabetic() || char == '_')
}

/// Returns the name that a text begins with.
fn name_of(text: &str) -> &str {
    let is_part = |char: char| char.is_alphanumeric() || matches!(char, '_' | ':' | '-' | '.');
    &text[..text.find(|char| !is_part(char)).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each replaced character makes the document longer, and is an event of its own for the parser.
    #[test]
    fn a_document_with_too_much_to_replace_is_given_up() {
        for (part, is_given_up) in [("&", true), ("&nbsp;", true), ("&lt;", false)] {
            let text = |count: usize| format!("<a>{}</a>", part.repeat(count));
            assert!(lex(&text(PIECES / 2)).is_some(), "{part}");
            assert_eq!(lex(&text(PIECES + 9)).is_none(), is_given_up, "{part}");
        }
    }

    #[test]
    fn mends_characters_and_markup() {
        for (text, expected) in [
            ("<a>AT&T & co &amp; x</a>", "<a>AT&amp;T &amp; co &amp; x</a>"),
            ("<a>?a=1&b=2&copy=3</a>", "<a>?a=1&amp;b=2&amp;copy=3</a>"),
            ("<a>x&nbsp;y&eacute;&lt;&LT;&own;&notit;</a>", "<a>x\u{a0}yé&lt;&lt;&own;&notit;</a>"),
            ("<a>a&#8;b&#0;&#xD800;&#99999999999;&#x41;&#8217;</a>", "<a>ab&#x41;’</a>"),
            ("<a>a\u{8}b\u{ffff}</a>", "<a>ab</a>"),
            ("<a>1 < 2 <3 <</a>", "<a>1 &lt; 2 &lt;3 &lt;</a>"),
            ("<a><![CDATA[x\u{1}</b>]]></a>", "<a><![CDATA[x</b>]]></a>"),
            ("<a><![CDATA[x</a><b><![CDATA[y]]></b>", "<a><![CDATA[x]]></a><b><![CDATA[y]]></b>"),
            ("<a><![CDATA[x & y</a></b>", "<a><![CDATA[x & y]]></a></b>"),
            ("<a><!-- <b> --><?php > ?>x</a>", "<a> ?>x</a>"),
            ("<a><!-- b </a>", "<a>"),
            ("<a b=1 c d='x\"&y' e=\"f/></a>", "<a b=\"1\" c=\"\" d=\"x&quot;&amp;y\"></a>"),
            ("<a b='c'/><d / ></d", "<a b=\"c\"></a><d></d>"),
            ("<a><b</a>", "<a><b></a>"),
            ("<a>x</a", "<a>x</a>"),
            ("<a>x<b c", "<a>x"),
        ] {
            assert_eq!(write(&lex(text).unwrap().tokens), expected, "{text}");
        }
        let sound = lex("<a b=\"c\">d &amp; e &#8217;<f/><![CDATA[g]]></a>").unwrap();
        assert!(!sound.characters && !sound.markup);
    }
}
