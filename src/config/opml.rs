//! OPML: lists of feeds as readers exchange them. Read leniently, written strictly.
//!
//! What readers write is often no XML: bare ampersands, a missing head, `xmlurl`, tags without an end. It is read by
//! the tokenizer of HTML, which is linear and to which all of this is nothing special. *Rejected:* the crate `opml`,
//! which wants well-formed XML with the names in their proper case.

use super::{
    problem::Complaint,
    values::{NAME_MAX_CHARS, parse_outline_url},
};
use crate::{core::feed::FeedUrl, rules::turns_direction};
use encoding_rs::{Encoding, WINDOWS_1252};
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use quick_xml::escape::escape;
use std::{borrow::Cow, convert::Infallible, fmt::Write};

/// Largest OPML that is read, in bytes.
pub const OPML_MAX_BYTES: u64 = 8 << 20;

/// Folders within folders.
const DEPTH_MAX: usize = 32;

/// Tags that one feed gets; more come of no folder that a person made.
const TAGS_MAX: usize = 50;

/// A list of feeds as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opml {
    /// The outlines that name a feed, in the order of the file.
    pub outlines: Vec<Outline>,
    /// Whether the end of the list is there; it may have been cut off otherwise.
    pub complete: bool,
}

/// An outline that names a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Line that it begins in, from 1; of no meaning when it is written.
    pub line: usize,
    /// `xmlUrl`, as it is written.
    pub url: String,
    /// `text`, else `title`, unless it only repeats the URL.
    pub name: Option<String>,
    /// Names of the folders that it is in, then its categories.
    pub tags: Vec<String>,
}

/// Why a text is no list of feeds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpmlError {
    /// It has neither an `opml` nor an `outline`.
    #[error("is not OPML: there is no `<opml>` and no `<outline>` in it")]
    NotOpml,
    /// Its folders are nested too deep.
    #[error("nests folders deeper than {DEPTH_MAX} levels in line {line}")]
    TooDeep {
        /// The line, from 1.
        line: usize,
    },
    /// It has more bytes than are read.
    #[error("is larger than {} MiB; split it", OPML_MAX_BYTES >> 20)]
    TooLarge,
}

impl Outline {
    /// Returns where the feed is.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, without repeating it: it may hold a password.
    pub fn feed_url(&self) -> Result<FeedUrl, String> {
        parse_outline_url(&self.url).map_err(|Complaint { message, .. }| message)
    }
}

/// Reads a list of feeds.
///
/// # Errors
///
/// [`OpmlError`] if it is none, too large or too deep. URLs are not judged here, see [`Outline::feed_url`].
pub fn read(bytes: &[u8]) -> Result<Opml, OpmlError> {
    if bytes.len() as u64 > OPML_MAX_BYTES {
        return Err(OpmlError::TooLarge);
    }
    let text = decoded(bytes);
    let mut opml = Opml::default();
    let mut is_opml = false;
    let mut folders: Vec<String> = Vec::new();
    // Whether each open outline is a folder; a feed may be left open, and is none.
    let mut open: Vec<bool> = Vec::new();
    let (mut line, mut counted_to) = (1, 0);
    let tokens = Tokenizer::new_with_emitter(&*text, DefaultEmitter::<usize>::new_with_span());
    for Ok::<_, Infallible>(token) in tokens {
        match token {
            Token::StartTag(tag) if &**tag.name == b"opml" => is_opml = true,
            Token::StartTag(tag) if &**tag.name == b"outline" => {
                let start = tag.span.start.min(text.len());
                line += text.as_bytes()[counted_to..start].iter().filter(|byte| **byte == b'\n').count();
                counted_to = start;
                let url = attribute(&tag, "xmlurl").map(|url| url.trim().to_owned()).filter(|url| !url.is_empty());
                let is_folder = url.is_none();
                match url {
                    Some(url) => opml.outlines.push(outline(&tag, line, url, &folders)),
                    None if tag.self_closing => {}
                    None if folders.len() == DEPTH_MAX => return Err(OpmlError::TooDeep { line }),
                    None => folders.push(name(&tag).unwrap_or_default()),
                }
                if !tag.self_closing {
                    open.push(is_folder);
                }
            }
            Token::EndTag(tag) if &**tag.name == b"outline" => {
                let closes_folder = open.pop() == Some(true);
                folders.truncate(folders.len() - usize::from(closes_folder));
            }
            Token::EndTag(tag) if matches!(&**tag.name, b"opml" | b"body") => opml.complete = true,
            _ => {}
        }
    }
    if is_opml || !opml.outlines.is_empty() { Ok(opml) } else { Err(OpmlError::NotOpml) }
}

fn outline(tag: &StartTag<usize>, line: usize, url: String, folders: &[String]) -> Outline {
    let mut tags: Vec<String> = Vec::new();
    let categories = attribute(tag, "category").unwrap_or_default();
    // "/Boston/Weather,/Harvard": a path of categories is as many tags as it has steps.
    let categories = categories.split([',', '/']).filter_map(label);
    for tag in folders.iter().cloned().chain(categories) {
        if !tag.is_empty() && !tags.contains(&tag) && tags.len() < TAGS_MAX {
            tags.push(tag);
        }
    }
    let name = name(tag).filter(|name| *name != url);
    Outline { line, url, name, tags }
}

fn name(tag: &StartTag<usize>) -> Option<String> {
    let of = |key| attribute(tag, key).as_deref().and_then(label);
    of("text").or_else(|| of("title"))
}

/// Returns a text as a name of one line that a configuration may have, in the order in which it is read.
fn label(text: &str) -> Option<String> {
    let text = text.chars().filter(|char| !turns_direction(*char));
    let line: String = text.map(|char| if char.is_control() { ' ' } else { char }).collect();
    let cut: String = line.trim().chars().take(NAME_MAX_CHARS).collect();
    let cut = cut.trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// Returns an attribute's value; the tokenizer has put names into lower case.
fn attribute(tag: &StartTag<usize>, key: &str) -> Option<String> {
    tag.attributes.get(key.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Decodes by the byte order mark, as UTF-8 where it is valid, by the declaration, else by what old readers wrote.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[length..]).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let label = head.split_once("encoding=").and_then(|(_, rest)| rest.split(['"', '\'']).nth(1));
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(WINDOWS_1252);
    encoding.decode_without_bom_handling(bytes).0
}

/// Writes feeds as OPML 2.0: each in the folder of its first tag, the other tags as categories.
///
/// A tag that a category cannot hold, because it has a comma or a slash, becomes a folder within.
pub fn write(title: &str, outlines: &[Outline]) -> String {
    let mut groups: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    let mut index_of = std::collections::HashMap::new();
    for outline in outlines {
        let (folders, categories) = divided(&outline.tags);
        let name = outline.name.as_deref().unwrap_or(&outline.url);
        let mut line = format!("<outline type=\"rss\" text=\"{0}\" title=\"{0}\"", escaped(name));
        write!(line, " xmlUrl=\"{}\"", escaped(&outline.url)).expect("writing to a string does not fail");
        if !categories.is_empty() {
            write!(line, " category=\"{}\"", escaped(&categories.join(","))).expect("as above");
        }
        line.push_str("/>");
        let index = *index_of.entry(folders.clone()).or_insert_with(|| {
            groups.push((folders, Vec::new()));
            groups.len() - 1
        });
        groups[index].1.push(line);
    }
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n    <title>{}</title>\n  \
         </head>\n  <body>\n",
        escaped(title)
    );
    for (folders, lines) in groups {
        let mut indent = 4;
        let mut put = |indent: usize, line: &str| {
            writeln!(out, "{:indent$}{line}", "").expect("writing to a string does not fail");
        };
        for folder in &folders {
            put(indent, &format!("<outline text=\"{0}\" title=\"{0}\">", escaped(folder)));
            indent += 2;
        }
        for line in lines {
            put(indent, &line);
        }
        for _ in &folders {
            indent -= 2;
            put(indent, "</outline>");
        }
    }
    out.push_str("  </body>\n</opml>\n");
    out
}

/// Divides tags into those that become folders and those that become categories.
fn divided(tags: &[String]) -> (Vec<&str>, Vec<&str>) {
    let tags = tags.iter().map(String::as_str).enumerate();
    let (folders, categories): (Vec<_>, Vec<_>) =
        tags.partition(|(index, tag)| *index == 0 || tag.contains([',', '/']));
    (folders.into_iter().map(|(_, tag)| tag).collect(), categories.into_iter().map(|(_, tag)| tag).collect())
}

/// Escapes a text for an attribute, without the two characters that XML 1.0 has no place for.
fn escaped(text: &str) -> String {
    escape(text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")).into_owned()
}

#[cfg(test)]
#[path = "opml_tests.rs"]
mod tests;
