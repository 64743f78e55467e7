//! One linear walk over a document before it is parsed.
//!
//! It holds the document to the limits (feed-rs has none), tells web pages and truncated documents from feeds, blanks
//! XML declarations (one in the wrong place makes feed-rs panic), and notes what feed-rs loses of each item. Entities
//! that a document defines are never expanded, nor is anything outside it opened.

use super::{ParseError, ParseLimits, thousands};
use crate::rules::plain::clean;
use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};
use serde::{Deserialize, de::IgnoredAny};
use std::{borrow::Cow, ops::Range};

/// What the walk found.
#[derive(Debug, Default)]
pub(super) struct Outline<'a> {
    /// The document without its declarations; they are blank, so that offsets stay.
    pub(super) text: Cow<'a, str>,
    /// Elements that are items by their name and place, in whatever namespace.
    pub(super) item_count: usize,
    /// What feed-rs loses of each item, in the order of its entries.
    pub(super) items: Vec<ItemOutline>,
    /// Language of the feed, by `xml:lang` or `dc:language`.
    pub(super) language: Option<String>,
    /// Where the document ends too early, for people.
    pub(super) truncated: Option<String>,
    /// Why the walk ended early, for people.
    pub(super) broken: Option<String>,
    root: Option<String>,
}

/// What feed-rs loses of an item.
#[derive(Debug, Default)]
pub(super) struct ItemOutline {
    /// `rdf:about`.
    pub(super) about: Option<String>,
    /// Whether a guid may be the link: `isPermaLink` is true or absent.
    pub(super) permalink: bool,
    /// Language of the item, by `xml:lang` or `dc:language`.
    pub(super) language: Option<String>,
    /// `dc:subject`, which is RDF's category.
    pub(super) subjects: Vec<String>,
    /// `dc:title` or `media:title`, which some have for a title.
    pub(super) other_title: Option<String>,
    /// Where the title is, if it has elements in it (feed-rs stops at the first).
    pub(super) title: Option<Range<usize>>,
    /// Where the summary is, if it has elements in it.
    pub(super) summary: Option<Range<usize>>,
    /// Where the content is, if it has elements in it.
    pub(super) content: Option<Range<usize>>,
    has_link: bool,
}

impl Outline<'_> {
    /// Returns the local name of the root element; JSON has none.
    pub(super) fn root(&self) -> &str {
        self.root.as_deref().unwrap_or_default()
    }

    /// Describes what the document is, for people.
    pub(super) fn root_described(&self) -> String {
        match &self.root {
            Some(root) if root == "rss" => "RSS of an unknown version".to_owned(),
            Some(root) => format!("its root is <{}>", clean(root).chars().take(80).collect::<String>()),
            None => "it has no root element".to_owned(),
        }
    }
}

/// Walks over a document that is not empty.
///
/// # Errors
///
/// When it is over a limit, a web page, or no XML or JSON at all. Other defects are noted in the outline: the parser
/// may read the document in spite of them.
pub(super) fn prescan<'a>(text: &'a str, limits: &ParseLimits) -> Result<Outline<'a>, ParseError> {
    if text.starts_with('{') {
        return scan_json(text, limits);
    }
    // Warnings of a script may come first; feed-rs would take a brace in them for JSON.
    let Some(start) = text.find('<') else {
        return Err(ParseError::NotAFeed { found: "text without any markup".to_owned() });
    };
    Walk::new(&text[start..], limits).run()
}

/// Counts the items of a JSON Feed without keeping them. serde_json skips values without recursion and reads no deeper
/// than 128 levels.
fn scan_json<'a>(text: &'a str, limits: &ParseLimits) -> Result<Outline<'a>, ParseError> {
    #[derive(Deserialize)]
    struct Document {
        items: Vec<IgnoredAny>,
    }
    let mut outline = Outline { text: Cow::Borrowed(text), ..Outline::default() };
    match serde_json::from_str::<Document>(text) {
        Ok(document) if document.items.len() > limits.items => {
            return Err(ParseError::TooManyItems { limit: limits.items });
        }
        Ok(document) => outline.item_count = document.items.len(),
        Err(error) if error.is_eof() => outline.truncated = Some(format!("at line {}", error.line())),
        Err(error) if error.is_data() => {
            return Err(ParseError::NotAFeed { found: "JSON without a list of items".to_owned() });
        }
        Err(error) => outline.broken = Some(error.to_string()),
    }
    Ok(outline)
}

/// A part of an item that may have elements in it.
#[derive(Clone, Copy)]
enum Part {
    Title,
    Summary,
    Content,
}

/// What a child of an item is, as far as it is looked into.
enum Child {
    /// A text; feed-rs reads it up to its first element.
    Part {
        part: Part,
        start: usize,
        has_elements: bool,
    },
    /// `dc:subject`, with its text so far.
    Subject(String),
    Title(String),
    /// `dc:language`, with its text so far.
    Language(String),
    /// `link`.
    Link,
    /// Another.
    Other,
}

/// The state of a walk over XML.
struct Walk<'a, 'l> {
    text: &'a str,
    limits: &'l ParseLimits,
    outline: Outline<'a>,
    declarations: Vec<Range<usize>>,
    /// Namespace declarations of each open element.
    namespaces: Vec<usize>,
    namespaces_in_force: usize,
    /// Level of items in this kind of document.
    item_level: usize,
    item: Option<ItemOutline>,
    child: Option<Child>,
    channel_language: Option<String>,
}

impl<'a, 'l> Walk<'a, 'l> {
    fn new(text: &'a str, limits: &'l ParseLimits) -> Self {
        Self {
            text,
            limits,
            outline: Outline::default(),
            declarations: Vec::new(),
            namespaces: Vec::new(),
            namespaces_in_force: 0,
            item_level: 0,
            item: None,
            child: None,
            channel_language: None,
        }
    }

    fn run(mut self) -> Result<Outline<'a>, ParseError> {
        let mut reader = Reader::from_str(self.text);
        let config = reader.config_mut();
        // What is ill-formed is the parser's to judge; this walk counts, whatever it sees.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        loop {
            let start = offset(reader.buffer_position());
            let event = reader.read_event();
            let end = offset(reader.buffer_position());
            match event {
                Ok(Event::Start(tag)) => self.open(&tag, end)?,
                Ok(Event::Empty(tag)) => {
                    self.open(&tag, end)?;
                    self.close(end);
                }
                Ok(Event::End(_)) => self.close(start),
                Ok(Event::Text(text)) => self.characters(&text),
                Ok(Event::CData(text)) => self.characters(&text),
                Ok(Event::GeneralRef(reference)) if self.keeps_text() => self.characters(&resolved(&reference)),
                Ok(Event::Decl(_)) => self.declarations.push(start..end),
                Ok(Event::DocType(doctype)) if self.outline.root.is_none() && begins_html(&doctype) => {
                    return Err(ParseError::WebPage);
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(error) => {
                    let line = self.text[..start].matches('\n').count() + 1;
                    self.outline.broken = Some(format!("{error} (line {})", thousands(line)));
                    break;
                }
            }
        }
        self.finish()
    }

    /// Begins an element whose start tag ends at `end`.
    fn open(&mut self, tag: &BytesStart<'_>, end: usize) -> Result<(), ParseError> {
        let level = self.namespaces.len() + 1;
        if level > self.limits.depth {
            return Err(ParseError::TooDeep { limit: self.limits.depth });
        }
        self.count_attributes(tag)?;
        let name = tag.name();
        let (local, prefix) = name.decompose();
        let (local, prefix) = (local.into_inner(), prefix.map(|prefix| prefix.into_inner()));
        if level == 1 && self.outline.root.is_none() {
            self.open_root(local, tag)?;
        }
        if level <= 3 && matches!(local, "item" | "entry") {
            self.outline.item_count += 1;
            if self.outline.item_count > self.limits.items {
                return Err(ParseError::TooManyItems { limit: self.limits.items });
            }
            if level == self.item_level {
                let about = attribute(tag, |key| key == "rdf:about");
                let language = attribute(tag, |key| key == "xml:lang");
                self.item = Some(ItemOutline { about, language, permalink: true, ..ItemOutline::default() });
            }
        } else if level == self.item_level + 1 && self.item.is_some() {
            self.child = Some(self.open_child(local, prefix, tag, end));
        } else if level == self.item_level && prefix == Some("dc") && local == "language" {
            self.child = Some(Child::Language(String::new()));
        } else if let Some(Child::Part { has_elements, .. }) = &mut self.child {
            *has_elements = true;
        }
        Ok(())
    }

    fn open_root(&mut self, local: &str, tag: &BytesStart<'_>) -> Result<(), ParseError> {
        const PAGE: [&str; 7] = ["html", "head", "body", "title", "meta", "script", "div"];
        if PAGE.iter().any(|name| local.eq_ignore_ascii_case(name)) {
            return Err(ParseError::WebPage);
        }
        self.outline.root = Some(local.to_owned());
        self.outline.language = attribute(tag, |key| key == "xml:lang");
        self.item_level = match local {
            "rss" => 3,
            "entry" => 1,
            _ => 2,
        };
        Ok(())
    }

    fn open_child(&mut self, local: &str, prefix: Option<&str>, tag: &BytesStart<'_>, end: usize) -> Child {
        let part = |part| Child::Part { part, start: end, has_elements: false };
        match (prefix, local) {
            (None, "title") => part(Part::Title),
            (None, "description" | "summary") => part(Part::Summary),
            (None, "content") | (Some(_), "encoded") => part(Part::Content),
            (None, "link") => Child::Link,
            (None, "guid") => {
                let said = attribute(tag, |key| key.eq_ignore_ascii_case("isPermaLink"));
                if let (Some(item), Some(said)) = (&mut self.item, said) {
                    item.permalink = said.trim().eq_ignore_ascii_case("true");
                }
                Child::Other
            }
            (Some("dc"), "subject") => Child::Subject(String::new()),
            (Some("dc" | "media"), "title") => Child::Title(String::new()),
            (Some("dc"), "language") => Child::Language(String::new()),
            _ => Child::Other,
        }
    }

    /// Counts attributes: feed-rs compares each with each, and each name with every namespace in force.
    fn count_attributes(&mut self, tag: &BytesStart<'_>) -> Result<(), ParseError> {
        let (mut attributes, mut namespaces) = (0, 0);
        for attribute in tag.attributes().with_checks(false) {
            attributes += 1;
            namespaces += usize::from(attribute.is_ok_and(|attribute| attribute.key.as_ref().starts_with("xmlns")));
            if attributes > self.limits.attributes {
                return Err(ParseError::TooMany { limit: self.limits.attributes, what: "attributes in an element" });
            }
        }
        self.namespaces.push(namespaces);
        self.namespaces_in_force += namespaces;
        if self.namespaces_in_force > self.limits.namespaces {
            return Err(ParseError::TooMany { limit: self.limits.namespaces, what: "namespaces in force at once" });
        }
        Ok(())
    }

    /// Tells whether anything is kept of the text of the open element.
    fn keeps_text(&self) -> bool {
        matches!(&self.child, Some(Child::Subject(_) | Child::Language(_) | Child::Title(_) | Child::Link))
    }

    /// Takes text of the open element.
    fn characters(&mut self, text: &str) {
        match &mut self.child {
            Some(Child::Subject(so_far) | Child::Language(so_far) | Child::Title(so_far)) => so_far.push_str(text),
            Some(Child::Link) if !text.is_empty() => {
                if let Some(item) = &mut self.item {
                    item.has_link = true;
                }
            }
            _ => {}
        }
    }

    /// Ends the open element, whose end tag starts at `start`.
    fn close(&mut self, start: usize) {
        let level = self.namespaces.len();
        self.namespaces_in_force -= self.namespaces.pop().unwrap_or_default();
        if self.item.is_none() {
            if level == self.item_level
                && let Some(Child::Language(language)) = self.child.take()
            {
                self.channel_language.get_or_insert(language);
            }
        } else if level == self.item_level + 1 {
            self.close_child(start);
        } else if level == self.item_level {
            self.outline.items.extend(self.item.take());
            self.child = None;
        }
    }

    fn close_child(&mut self, start: usize) {
        let (Some(item), Some(child)) = (&mut self.item, self.child.take()) else { return };
        match child {
            Child::Part { part, start: from, has_elements: true } => {
                let place = match part {
                    Part::Title => &mut item.title,
                    Part::Summary => &mut item.summary,
                    Part::Content => &mut item.content,
                };
                *place = Some(from..start);
            }
            Child::Subject(subject) => item.subjects.push(subject),
            Child::Title(title) => item.other_title = item.other_title.take().or(Some(title)),
            Child::Language(language) => item.language = item.language.take().or(Some(language)),
            _ => {}
        }
    }

    fn finish(mut self) -> Result<Outline<'a>, ParseError> {
        let Some(root) = self.outline.root.clone() else {
            return Err(match self.outline.broken.take() {
                _ if begins_html_soon(self.text) => ParseError::WebPage,
                Some(reason) => ParseError::Malformed { reason },
                None => ParseError::NotAFeed { found: "it has no root element".to_owned() },
            });
        };
        // Elements that were never closed leave levels open, too; but then the root's end is there.
        let is_open = !self.namespaces.is_empty() || self.outline.broken.is_some();
        if is_open && !ends_element(self.text, &root) {
            let whole = match self.outline.items.len() {
                1 => "1 whole item".to_owned(),
                whole => format!("{} whole items", thousands(whole)),
            };
            self.outline.truncated = Some(format!("after {whole}, before </{root}>"));
        }
        if root == "RDF" {
            // feed-rs leaves out items without a link.
            self.outline.items.retain(|item| item.has_link);
        }
        self.outline.language = self.outline.language.take().or(self.channel_language.take());
        self.outline.text = blanked(self.text, &self.declarations);
        Ok(self.outline)
    }
}

/// Returns the text that a reference stands for: a character or one of XML's five entities. Others stand for nothing, since
/// no entity of a document is expanded.
pub(super) fn resolved(reference: &BytesRef<'_>) -> String {
    let char = reference.resolve_char_ref().ok().flatten().map(String::from);
    let predefined = || resolve_predefined_entity(reference).map(str::to_owned);
    char.or_else(predefined).unwrap_or_default()
}

/// Returns a position of quick-xml, which is one in a slice.
fn offset(position: u64) -> usize {
    usize::try_from(position).expect("a position in a slice fits usize")
}

/// Returns an attribute's value, unescaped where that is possible.
fn attribute(tag: &BytesStart<'_>, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    let attribute =
        tag.attributes().with_checks(false).flatten().find(|attribute| is_wanted(attribute.key.as_ref()))?;
    Some(quick_xml::escape::unescape(&attribute.value).unwrap_or(Cow::Borrowed(&attribute.value)).into_owned())
}

/// Tells whether a document type, or what looks like one, is HTML's.
fn begins_html(doctype: &str) -> bool {
    doctype.trim_start().get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html"))
}

/// Tells whether a text that is no XML is a web page by its beginning.
fn begins_html_soon(text: &str) -> bool {
    let head = crate::rules::plain::truncate(text, 4096).to_ascii_lowercase();
    head.contains("<!doctype html") || head.contains("<html")
}

/// Tells whether an end tag of an element is somewhere in a text, with any prefix.
fn ends_element(text: &str, local: &str) -> bool {
    text.match_indices("</").any(|(at, _)| {
        let name = text[at + 2..].split(['>', ' ', '\t', '\r', '\n', '<']).next().unwrap_or_default();
        name.rsplit(':').next() == Some(local)
    })
}

/// Returns a text with spaces in some places.
fn blanked<'a>(text: &'a str, places: &[Range<usize>]) -> Cow<'a, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        out.push_str(&text[from..place.start]);
        out.extend(std::iter::repeat_n(' ', place.len()));
        from = place.end;
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}
