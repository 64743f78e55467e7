//! Nesting: what is outside the root, tags that do not match, documents that end in their middle.

use super::lexer::{PIECES, Token, split_name};
use std::borrow::Cow;

/// Elements of HTML without content that feeds have in their texts.
const VOID: &[&str] = &["br", "hr", "img", "wbr"];

/// A document whose elements are nested as they should be.
#[derive(Debug, Default)]
pub(super) struct Balanced<'a> {
    /// The root element.
    pub(super) tokens: Vec<Token<'a>>,
    /// End tags were added or left out.
    pub(super) mended: bool,
    /// Something came after the root.
    pub(super) trailing: bool,
    /// The document ended before its root; what follows the last whole item was left out.
    pub(super) truncated: bool,
}

/// Finds where the root of a feed begins, after whatever is ahead of it.
///
/// Returns `None` when there is none or the page around it is HTML, and else its place and whether junk is ahead of it.
pub(super) fn find_root(text: &str) -> Option<(usize, bool)> {
    let (mut at, mut junk) = (0, false);
    loop {
        let mark = at + text[at..].find('<')?;
        junk |= !text[at..mark].trim().is_empty();
        let rest = &text[mark..];
        if rest.starts_with("<!--") {
            at = mark + rest.find("-->")? + 3;
            continue;
        }
        let tag = rest[1..].split(|char: char| char.is_whitespace() || matches!(char, '>' | '/' | '<')).next()?;
        let local = split_name(tag).1;
        if ["rss", "feed", "RDF", "channel"].iter().any(|root| local.eq_ignore_ascii_case(root)) {
            return Some((mark, junk));
        }
        let is_page = ["html", "head", "body"].iter().any(|page| local.eq_ignore_ascii_case(page));
        let doctype = rest.get(..14).is_some_and(|head| head.eq_ignore_ascii_case("<!doctype html"));
        if is_page || doctype {
            return None;
        }
        junk |= !rest.starts_with("<?") && !rest.starts_with("<!");
        // Up to its end, or to what begins before it: only so far was looked, and once.
        let end = mark + 1 + rest[1..].find(['<', '>'])?;
        at = end + usize::from(text[end..].starts_with('>'));
    }
}

/// Tells whether an element is an item by its name.
pub(super) fn is_item(name: &str) -> bool {
    let local = split_name(name).1;
    local.eq_ignore_ascii_case("item") || local.eq_ignore_ascii_case("entry")
}

/// Names of elements without a prefix that items of feeds have, in small letters.
const OF_ITEMS: [&str; 25] = [
    "title",
    "link",
    "description",
    "abstract",
    "language",
    "copyright",
    "pubdate",
    "category",
    "url",
    "author",
    "comments",
    "enclosure",
    "guid",
    "source",
    "id",
    "updated",
    "published",
    "rights",
    "summary",
    "content",
    "contributor",
    "created",
    "image",
    "logo",
    "expirationdate",
];

/// Tells whether all that items are made of is of some feed format or of a module (a name with a prefix), and there is
/// something.
pub(super) fn items_are_of_a_feed(tokens: &[Token<'_>]) -> bool {
    let (mut level, mut item, mut known) = (0, None, false);
    for token in tokens {
        match token {
            Token::Start(tag) => {
                level += 1;
                match item {
                    None if is_item(&tag.name) => item = Some(level),
                    Some(of) if level == of + 1 => match split_name(&tag.name) {
                        (None, name) if !OF_ITEMS.contains(&name.to_ascii_lowercase().as_str()) => return false,
                        _ => known = true,
                    },
                    _ => {}
                }
            }
            Token::End(_) => {
                item = item.filter(|of| *of != level);
                level -= 1;
            }
            Token::Text(_) | Token::CData(_) => {}
        }
    }
    known
}

/// Nests elements that begin with the root. `None` if they are too deep, if so many ends are missing that the document
/// would be larger than one that is mended, or if no whole item is before a missing end.
pub(super) fn balance(tokens: Vec<Token<'_>>, depth: usize) -> Option<Balanced<'_>> {
    let mut nesting = Nesting::default();
    let mut tokens = tokens.into_iter();
    for token in tokens.by_ref() {
        if nesting.out.tokens.len() > PIECES {
            return None;
        }
        nesting.close_void(&token);
        match token {
            Token::Start(tag) => {
                if is_item(&tag.name)
                    && let Some(open) = nesting.item.filter(|open| nesting.open[*open] == tag.name)
                {
                    // Items are never in items: the first was not ended.
                    nesting.out.mended = true;
                    nesting.close_to(open);
                }
                nesting.open.push(tag.name.clone());
                if nesting.open.len() > depth {
                    return None;
                }
                if nesting.item.is_none() && nesting.open.len() <= 4 && is_item(&tag.name) {
                    nesting.item = Some(nesting.open.len() - 1);
                }
                nesting.out.tokens.push(Token::Start(tag));
            }
            Token::End(name) => {
                match nesting.open.iter().rposition(|open| open.eq_ignore_ascii_case(&name)) {
                    Some(open) => {
                        nesting.out.mended |= open + 1 < nesting.open.len();
                        nesting.close_to(open);
                    }
                    None => nesting.out.mended = true,
                }
                if nesting.open.is_empty() {
                    break;
                }
            }
            text => nesting.out.tokens.push(text),
        }
    }
    nesting.out.trailing = tokens.any(|token| !matches!(token, Token::Text(text) if text.trim().is_empty()));
    nesting.finish()
}

#[derive(Default)]
struct Nesting<'a> {
    open: Vec<Cow<'a, str>>,
    /// Where in `open` the item is.
    item: Option<usize>,
    /// Tokens up to the end of the last whole item, and what was open around it.
    whole: Option<(usize, Vec<Cow<'a, str>>)>,
    out: Balanced<'a>,
}

impl<'a> Nesting<'a> {
    /// Ends an element of HTML that has no content, unless what follows does.
    fn close_void(&mut self, next: &Token<'_>) {
        let Some(last) = self.open.last().filter(|name| VOID.iter().any(|void| name.eq_ignore_ascii_case(void))) else {
            return;
        };
        if !matches!(next, Token::End(name) if name.eq_ignore_ascii_case(last)) {
            self.out.mended = true;
            self.close_to(self.open.len() - 1);
        }
    }

    /// Ends elements down to one, and that one.
    fn close_to(&mut self, place: usize) {
        while self.open.len() > place {
            self.out.tokens.extend(self.open.pop().map(Token::End));
        }
        if self.item.is_some_and(|item| item >= place) {
            self.item = None;
            self.whole = Some((self.out.tokens.len(), self.open.clone()));
        }
    }

    fn finish(mut self) -> Option<Balanced<'a>> {
        if !self.open.is_empty() {
            let (length, open) = self.whole?;
            self.out.tokens.truncate(length);
            self.out.tokens.extend(open.into_iter().rev().map(Token::End));
            self.out.truncated = true;
        }
        Some(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::lexer, *};

    #[test]
    fn finds_the_root() {
        for (text, expected) in [
            ("<rss>", Some((0, false))),
            ("<?xml version='1.0'?>\n<!-- <rss> --><rdf:RDF x=''>", Some((36, false))),
            ("<br />\n<b>Warning</b>: x<br/><feed>", Some((29, true))),
            ("Notice: x<RSS version='2.0'>", Some((9, true))),
            ("1 < 2 <rss>", Some((6, true))),
            ("<html><body><rss>", None),
            ("<!doctype HTML><rss>", None),
            ("<opml><body>", None),
            ("<", None),
            ("<é", None),
            ("<!-- <rss>", None),
        ] {
            assert_eq!(find_root(text), expected, "{text}");
        }
    }

    #[test]
    fn nests_elements() {
        for (text, expected, truncated) in [
            ("<rss><item><t>a</b></item></rss>", "<rss><item><t>a</t></item></rss>", false),
            ("<rss><item><t>a<item><t>b</rss>", "<rss><item><t>a</t></item><item><t>b</t></item></rss>", false),
            ("<rss><t>a<br>b<br/>c</t></rss>", "<rss><t>a<br></br>b<br></br>c</t></rss>", false),
            ("<RSS><item/></rss><rss>x", "<RSS><item></item></RSS>", false),
            ("<rss><item>a</item><item><t>b", "<rss><item>a</item></rss>", true),
            ("<rss><c><item>a</item></c><x>", "<rss><c><item>a</item></c></rss>", true),
        ] {
            let balanced = balance(lexer::lex(text).unwrap().tokens, 9).unwrap();
            assert_eq!((lexer::write(&balanced.tokens).as_str(), balanced.truncated), (expected, truncated), "{text}");
        }
        for text in ["<rss><item><t>b", "<a><a><a><a><a><a><a><a><a><a>"] {
            assert!(balance(lexer::lex(text).unwrap().tokens, 9).is_none(), "{text}");
        }
    }

    /// Each end that is added is an event of its own for the parser, as one that was there.
    #[test]
    fn a_document_with_too_many_ends_to_add_is_given_up() {
        let text = |unclosed: usize| {
            format!("<rss>{}</rss>", format!("<item>{}</item>", "<b>".repeat(9)).repeat(unclosed / 9))
        };
        for (unclosed, is_given_up) in [(PIECES / 3, false), (PIECES / 2, true)] {
            let text = text(unclosed);
            assert_eq!(balance(lexer::lex(&text).unwrap().tokens, 99).is_none(), is_given_up, "{unclosed}");
        }
    }
}
