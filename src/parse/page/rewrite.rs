//! Writes a page anew, for the extractor: well-nested, of bounded depth and size, with nothing in it that does not help
//! to find the article.
//!
//! Elements in the line lose their tags and keep their text, tables become blocks, what no reader sees is gone, and every
//! element ends where its parent does. So the tree builder has nothing to mend: no elements to reopen, to move out of
//! tables or to adopt, which is where hostile pages make it slow.

use super::PageLimits;
use html5gum::{
    Span, Tokenizer,
    emitters::callback::{CallbackEmitter, CallbackEvent},
};
use std::convert::Infallible;

/// Bytes of an attribute's value that are kept.
const ATTRIBUTE_BYTES: usize = 256;
/// Bytes of the title that are kept.
const TITLE_BYTES: usize = 2048;
/// Elements of a page's head that are kept.
const METAS: usize = 64;

/// Returns the page in the dialect, or nothing if it has too many elements.
pub(super) fn rewrite(html: &str, limits: &PageLimits) -> Option<String> {
    let mut writer = Writer::new(limits);
    let mut tag = Tag::default();
    let mut visit = |event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        match event {
            CallbackEvent::OpenStartTag { name } => tag.begin(name),
            CallbackEvent::AttributeName { name } => {
                tag.attribute = KEPT.iter().position(|kept| kept.as_bytes() == name)
            }
            CallbackEvent::AttributeValue { value } => tag.value(value),
            CallbackEvent::CloseStartTag { self_closing } => writer.start(&tag, self_closing),
            CallbackEvent::EndTag { name } => writer.end(Element::of(name)),
            CallbackEvent::String { value } => writer.text(&String::from_utf8_lossy(value)),
            _ => {}
        }
        None
    };
    let mut emitter: CallbackEmitter<_, Infallible, ()> = CallbackEmitter::new(&mut visit);
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    writer.finish()
}

/// Attributes that the extractor looks at.
const KEPT: [&str; 12] =
    ["class", "id", "role", "rel", "itemprop", "style", "hidden", "aria-hidden", "href", "name", "property", "content"];
const HREF: usize = 8;
/// The first of the attributes that only `<meta>` keeps.
const OF_META: usize = 9;

/// A start tag while it is read.
#[derive(Default)]
struct Tag {
    element: Element,
    attribute: Option<usize>,
    values: [Option<String>; KEPT.len()],
}

impl Tag {
    fn begin(&mut self, name: &[u8]) {
        *self = Self { element: Element::of(name), ..Self::default() };
    }

    fn value(&mut self, value: &[u8]) {
        let Some(attribute) = self.attribute.take() else { return };
        // Of an attribute that is there twice the first counts (HTML §13.2.5.33).
        self.values[attribute].get_or_insert_with(|| {
            let value = String::from_utf8_lossy(&value[..value.len().min(ATTRIBUTE_BYTES)]);
            value.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()
        });
    }
}

/// What becomes of an element.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Element {
    /// Its tags are dropped, its text is kept.
    #[default]
    Inline,
    /// As inline, but it stands in the line like a word.
    Replaced,
    /// It is dropped whole.
    Unseen(&'static str),
    /// A block, written under this name.
    Block(&'static str),
    /// A part of a table, from the whole (0) to a cell (2): written as a block.
    Table(u8),
    Item,
    Link,
    Break,
    Title,
    Meta,
}

impl Element {
    fn of(name: &[u8]) -> Self {
        const UNSEEN: [&str; 21] = [
            "script",
            "style",
            "template",
            "noscript",
            "iframe",
            "frameset",
            "noframes",
            "noembed",
            "svg",
            "math",
            "object",
            "canvas",
            "select",
            "textarea",
            "button",
            "datalist",
            "video",
            "audio",
            "map",
            "xmp",
            "plaintext",
        ];
        const BLOCKS: [&str; 21] = [
            "article",
            "section",
            "main",
            "div",
            "p",
            "blockquote",
            "pre",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "ul",
            "ol",
            "figure",
            "figcaption",
            "aside",
            "nav",
            "header",
            "footer",
        ];
        const AS_DIV: [&str; 14] = [
            "dl", "dt", "dd", "details", "summary", "hgroup", "fieldset", "legend", "form", "center", "address",
            "search", "menu", "dialog",
        ];
        let Ok(name) = std::str::from_utf8(name) else { return Self::Inline };
        match name {
            "li" => Self::Item,
            "a" => Self::Link,
            "br" | "hr" => Self::Break,
            "title" => Self::Title,
            "meta" => Self::Meta,
            "table" => Self::Table(0),
            "tr" | "caption" => Self::Table(1),
            "td" | "th" => Self::Table(2),
            "img" | "picture" | "input" | "embed" => Self::Replaced,
            _ => {
                let found = |names: &'static [&'static str]| names.iter().find(|known| **known == name).copied();
                found(&UNSEEN)
                    .map(Self::Unseen)
                    .or_else(|| found(&BLOCKS).map(Self::Block))
                    .or_else(|| found(&AS_DIV).map(|_| Self::Block("div")))
                    .unwrap_or_default()
            }
        }
    }

    /// Returns the name that it is written under.
    fn written(self) -> Option<&'static str> {
        match self {
            Self::Block(name) => Some(name),
            Self::Table(_) => Some("div"),
            Self::Item => Some("li"),
            Self::Link => Some("a"),
            _ => None,
        }
    }

    fn is_heading(self) -> bool {
        matches!(self, Self::Block("h1" | "h2" | "h3" | "h4" | "h5" | "h6"))
    }
}

struct Writer<'l> {
    limits: &'l PageLimits,
    head: String,
    metas: usize,
    title: Option<String>,
    in_title: bool,
    out: String,
    /// Elements that are open, outermost first.
    open: Vec<Element>,
    /// Start tags that were dropped because they were too deep, and have not ended.
    too_deep: usize,
    elements: usize,
    /// The outermost unseen element, and how many of its name are open.
    unseen: Option<(&'static str, usize)>,
}

impl<'l> Writer<'l> {
    fn new(limits: &'l PageLimits) -> Self {
        Self {
            limits,
            head: String::new(),
            metas: 0,
            title: None,
            in_title: false,
            out: String::new(),
            open: Vec::new(),
            too_deep: 0,
            elements: 0,
            unseen: None,
        }
    }

    /// Tells whether nothing more is worth writing.
    fn is_over(&self) -> bool {
        self.elements > self.limits.elements
    }

    fn start(&mut self, tag: &Tag, self_closing: bool) {
        if self.is_over() {
            return;
        }
        let element = tag.element;
        if let Some((outer, depth)) = &mut self.unseen {
            if matches!(element, Element::Unseen(name) if name == *outer) && !self_closing {
                *depth += 1;
            }
            return;
        }
        match element {
            Element::Inline => {}
            Element::Replaced => self.out.push(' '),
            // In HTML only the elements of SVG and MathML can close themselves.
            Element::Unseen("svg" | "math") if self_closing => {}
            Element::Unseen(name) => self.unseen = Some((name, 1)),
            Element::Title => self.in_title = self.title.is_none(),
            Element::Meta => self.meta(tag),
            Element::Break => {
                self.elements += 1;
                self.out.push_str("<br>");
            }
            Element::Link if self.open.contains(&Element::Link) => {}
            _ => {
                self.make_room(element);
                self.open(tag);
            }
        }
    }

    /// Ends what an element of this kind ends by beginning.
    fn make_room(&mut self, element: Element) {
        match element {
            Element::Link => return,
            // Lists hold the item, tables the cell, that the next one would end.
            Element::Item => self.close_innermost(
                |open| open == Element::Item,
                |open| matches!(open, Element::Block("ul" | "ol") | Element::Table(_)),
            ),
            Element::Table(level @ 1..) => self.close_innermost(
                |open| matches!(open, Element::Table(of) if of >= level),
                |open| open == Element::Table(0),
            ),
            _ => {}
        }
        // A paragraph holds no block, a heading no heading.
        let is_ended = |open: Element| open == Element::Block("p") || (element.is_heading() && open.is_heading());
        self.close_innermost(is_ended, |open| open != Element::Link && !is_ended(open));
    }

    /// Closes up to the outermost open element that `is_ended`, not looking beyond a `barrier`.
    fn close_innermost(&mut self, is_ended: impl Fn(Element) -> bool, barrier: impl Fn(Element) -> bool) {
        let within = self.open.iter().rposition(|open| barrier(*open)).map_or(0, |at| at + 1);
        if let Some(at) = self.open[within..].iter().position(|open| is_ended(*open)) {
            self.close_to(within + at);
        }
    }

    fn open(&mut self, tag: &Tag) {
        let Some(name) = tag.element.written() else { return };
        self.elements += 1;
        if self.open.len() >= self.limits.depth {
            self.too_deep += 1;
            self.out.push(' ');
            return;
        }
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in KEPT.iter().zip(&tag.values).take(OF_META) {
            let Some(value) = value else { continue };
            // Of a link only whether it leads elsewhere in the page is of interest.
            let value = if *attribute == KEPT[HREF] { if value.starts_with('#') { "#" } else { "/" } } else { value };
            push_attribute(&mut self.out, attribute, value);
        }
        self.out.push('>');
        self.open.push(tag.element);
    }

    fn end(&mut self, element: Element) {
        if self.is_over() {
            return;
        }
        if let Some((outer, depth)) = &mut self.unseen {
            if matches!(element, Element::Unseen(name) if name == *outer) {
                *depth -= 1;
                if *depth == 0 {
                    self.unseen = None;
                    self.out.push(' ');
                }
            }
            return;
        }
        if element == Element::Title {
            self.in_title = false;
        }
        if element.written().is_none() {
            return;
        }
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        // The end of a block inside of a cell does not end what is around the cell, that of a cell not what is around its
        // table.
        let is_barrier = |open: Element| match element {
            Element::Table(_) => open == Element::Table(0),
            _ => matches!(open, Element::Table(_)),
        };
        let found = self.open.iter().rposition(|open| *open == element || is_barrier(*open));
        let Some(at) = found.filter(|at| self.open[*at] == element) else { return };
        if element == Element::Link {
            // What was begun inside of a link and not ended goes on after it.
            let inside: Vec<Element> = self.open[at + 1..].to_vec();
            self.close_to(at);
            for element in inside {
                self.open(&Tag { element, ..Tag::default() });
            }
        } else {
            self.close_to(at);
        }
    }

    /// Closes all open elements from this one on.
    fn close_to(&mut self, at: usize) {
        while self.open.len() > at {
            let name = self.open.pop().and_then(Element::written).expect("only written elements are open");
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
        // What was too deep was inside of these.
        self.too_deep = 0;
    }

    fn text(&mut self, text: &str) {
        if self.unseen.is_some() || self.is_over() {
            return;
        }
        if self.in_title {
            let title = self.title.get_or_insert_default();
            let room = TITLE_BYTES.saturating_sub(title.len());
            title.push_str(&text[..text.floor_char_boundary(room)]);
            return;
        }
        push_escaped(&mut self.out, text);
    }

    fn meta(&mut self, tag: &Tag) {
        let (name, property, content) = (&tag.values[OF_META], &tag.values[OF_META + 1], &tag.values[OF_META + 2]);
        let Some(content) = content else { return };
        if (name.is_none() && property.is_none()) || self.metas >= METAS {
            return;
        }
        self.metas += 1;
        self.head.push_str("<meta");
        for (attribute, value) in [("name", name), ("property", property), ("content", &Some(content.clone()))] {
            if let Some(value) = value {
                push_attribute(&mut self.head, attribute, value);
            }
        }
        self.head.push('>');
    }

    fn finish(mut self) -> Option<String> {
        self.close_to(0);
        if self.is_over() {
            return None;
        }
        let mut page = "<!DOCTYPE html><html><head><title>".to_owned();
        push_escaped(&mut page, self.title.as_deref().unwrap_or_default());
        page.push_str("</title>");
        page.push_str(&self.head);
        page.push_str("</head><body>");
        page.push_str(&self.out);
        page.push_str("</body></html>");
        Some(page)
    }
}

fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    push_escaped(out, value);
    out.push('"');
}

/// Characters that mean something in markup, and those for private use that stand for them until the article is text.
/// References such as `&amp;` would do, but the tree builder takes quadratic time for a text that is full of them.
const STAND_INS: [(char, char); 4] = [('&', '\u{e000}'), ('<', '\u{e001}'), ('>', '\u{e002}'), ('"', '\u{e003}')];

/// Returns a text of the rewritten page in the characters of the page.
pub(super) fn restored(text: &str) -> String {
    let restore = |char| STAND_INS.iter().find(|(_, stand_in)| *stand_in == char).map_or(char, |(meant, _)| *meant);
    text.chars().map(restore).collect()
}

fn push_escaped(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '"' => {
                out.extend(STAND_INS.iter().find(|(meant, _)| *meant == char).map(|(_, stand_in)| *stand_in));
            }
            // Nobody but us can mean these.
            '\u{e000}'..='\u{e003}' => {}
            char => out.push(char),
        }
    }
}
