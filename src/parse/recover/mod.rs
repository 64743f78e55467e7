//! Recovery of documents that could not be parsed as they are.
//!
//! It is tried only when the plain parse failed, because it harms sound documents. A document goes through stages, each
//! linear: `structure` finds its root and nests its elements, `lexer` makes sound markup of it, `dialect` rewrites old
//! versions, `values` drops what feed-rs refuses; `json` is that for JSON Feed. What feed-rs then still refuses is
//! parsed item by item, so that a bad item costs only itself.

mod dialect;
mod json;
mod lexer;
mod structure;
mod values;

use super::{Reading, convert, parse_guarded, prescan, prescan::Outline};
use crate::core::article::{ParsedFeed, Recovery};
use feed_rs::model::{Entry, Feed};
use lexer::Token;

/// Bytes of the longest start tags of root and channel that items are parsed within, one by one.
const SKELETON_BYTES: usize = 8192;

/// Mends a document so that it parses with at least one item, and says what was mended; `None` if that is impossible.
pub(super) fn recover(text: &str, reading: Reading<'_>) -> Option<ParsedFeed> {
    match structure::find_root(text) {
        Some((start, junk)) if !text.starts_with('{') => recover_xml(&text[start..], junk, reading),
        _ => recover_json(text, reading),
    }
}

fn recover_json(text: &str, reading: Reading<'_>) -> Option<ParsedFeed> {
    // What is before may be a warning of a script, but not markup.
    let start = text.find('{').filter(|start| !text[..*start].contains('<'))?;
    let (coerced, truncated) = json::coerce(&text[start..], reading.limits.list)?;
    let feed = read(&coerced, reading, says_something)?;
    let mut notes = vec![Recovery::Values];
    notes.extend((start > 0).then_some(Recovery::Surroundings));
    notes.extend(truncated.then_some(Recovery::Truncated));
    Some(ParsedFeed { recovered: notes, ..feed })
}

fn recover_xml(text: &str, junk: bool, reading: Reading<'_>) -> Option<ParsedFeed> {
    let lexed = lexer::lex(text)?;
    let mut balanced = structure::balance(lexed.tokens, reading.limits.depth)?;
    let of_a_feed = structure::items_are_of_a_feed(&balanced.tokens);
    let rewritten = dialect::rewrite(&mut balanced.tokens);
    let tolerated = values::tolerate(&mut balanced.tokens);
    let mut notes: Vec<Recovery> = [
        (junk || balanced.trailing, Recovery::Surroundings),
        (lexed.characters, Recovery::Characters),
        (lexed.markup || balanced.mended, Recovery::Markup),
        (rewritten, Recovery::Dialect),
        (tolerated, Recovery::Values),
        (balanced.truncated, Recovery::Truncated),
    ]
    .into_iter()
    .filter_map(|(applied, note)| applied.then_some(note))
    .collect();
    let whole = lexer::write(&balanced.tokens);
    if let Some((outline, feed)) = parsed(&whole, reading) {
        // Where all that items are made of is of a feed, they may say nothing that is kept.
        if feed.entries.iter().any(|entry| of_a_feed || says_something(entry)) {
            let feed = convert::convert(feed, &outline, reading.base, reading.limits, reading.now);
            return Some(ParsedFeed { recovered: notes, ..feed });
        }
        // All items were read: they say no more one by one.
        if !feed.entries.is_empty() && feed.entries.len() == outline.item_count {
            return None;
        }
    }
    let (feed, lost) = salvage(&balanced.tokens, reading)?;
    notes.push(Recovery::ItemsLost { items: lost });
    Some(ParsedFeed { recovered: notes, ..feed })
}

/// Reads a document; `None` without an item that is enough.
fn read(text: &str, reading: Reading<'_>, is_enough: impl Fn(&Entry) -> bool) -> Option<ParsedFeed> {
    let (outline, feed) = parsed(text, reading).filter(|(_, feed)| feed.entries.iter().any(is_enough))?;
    Some(convert::convert(feed, &outline, reading.base, reading.limits, reading.now))
}

fn parsed<'a>(text: &'a str, reading: Reading<'_>) -> Option<(Outline<'a>, Feed)> {
    let outline = prescan::prescan(text, reading.limits).ok().filter(|outline| outline.truncated.is_none())?;
    let feed = parse_guarded(&outline, reading.base).ok()?;
    Some((outline, feed))
}

/// Tells whether anything of an item was understood: the names of its elements may be of no kind of feed.
fn says_something(entry: &Entry) -> bool {
    let has_text = entry.title.is_some() || entry.summary.is_some() || entry.content.is_some();
    let leads_somewhere = entry.links.iter().any(|link| link.href != dialect::NOWHERE);
    let has_address = !entry.id.is_empty() || leads_somewhere || !entry.media.is_empty();
    let has_date = entry.published.is_some() || entry.updated.is_some();
    let has_people = !entry.authors.is_empty() || !entry.contributors.is_empty();
    has_text || has_address || has_date || has_people || !entry.categories.is_empty() || entry.rights.is_some()
}

/// Reads the items that can be parsed, and tells how many cannot.
fn salvage(tokens: &[Token<'_>], reading: Reading<'_>) -> Option<(ParsedFeed, usize)> {
    let parts = Parts::of(tokens);
    if parts.items.len() > reading.limits.items || parts.opening.len() > SKELETON_BYTES {
        return None;
    }
    let within = |before: &str, items: &str| format!("{before}{items}{}", parts.closing);
    let sound: Vec<&str> = parts
        .items
        .iter()
        .map(String::as_str)
        .filter(|item| {
            let parsed = parsed(&within(&parts.opening, item), reading).map(|(_, feed)| feed);
            parsed.is_some_and(|feed| feed.entries.iter().any(says_something))
        })
        .collect();
    let lost = parts.items.len() - sound.len();
    let items = sound.concat();
    // The title of the feed is lost only where the head is what cannot be parsed.
    let text = [&parts.head, &parts.opening].into_iter().map(|before| within(before, &items));
    let feed = text.into_iter().find_map(|text| read(&text, reading, says_something))?;
    Some((feed, lost))
}

/// A document taken apart.
struct Parts {
    /// Start tags of the elements around the first item.
    opening: String,
    /// All that is before the first item.
    head: String,
    items: Vec<String>,
    /// End tags of the elements around the first item.
    closing: String,
}

impl Parts {
    fn of(tokens: &[Token<'_>]) -> Self {
        let mut parts = Self { opening: String::new(), head: String::new(), items: Vec::new(), closing: String::new() };
        let mut open: Vec<usize> = Vec::new();
        let mut item = None;
        for (index, token) in tokens.iter().enumerate() {
            match token {
                Token::Start(tag) => {
                    if item.is_none() && open.len() <= 3 && structure::is_item(&tag.name) {
                        item = Some((open.len(), index));
                        if parts.items.is_empty() {
                            parts.begin(tokens, &open, index);
                        }
                    }
                    open.push(index);
                }
                Token::End(_) => {
                    open.pop();
                    if let Some((_, start)) = item.take_if(|(level, _)| *level == open.len()) {
                        parts.items.push(lexer::write(&tokens[start..=index]));
                    }
                }
                Token::Text(_) | Token::CData(_) => {}
            }
        }
        parts
    }

    /// Takes what is around the first item.
    fn begin(&mut self, tokens: &[Token<'_>], open: &[usize], first: usize) {
        self.head = lexer::write(&tokens[..first]);
        for place in open {
            self.opening.push_str(&lexer::write(&tokens[*place..=*place]));
            if let Token::Start(tag) = &tokens[*place] {
                self.closing.insert_str(0, &format!("</{}>", tag.name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::ParseLimits;
    use jiff::Timestamp;

    #[test]
    fn a_bad_item_costs_only_itself() {
        // A relative base is no error, one that is no URL is.
        let bad = "<item xml:base='http://['><title>b</title></item>";
        for (head, title) in [("<title>t</title>", Some("t")), ("<title xml:base='http://['>t</title>", None)] {
            let text = format!(
                "<rss version='2.0'><channel>{head}<item><title>a</title></item>{bad}<item><title>c</title></item></channel></rss>"
            );
            let limits = ParseLimits::default();
            let feed = recover(&text, Reading { base: None, limits: &limits, now: Timestamp::UNIX_EPOCH }).unwrap();
            assert_eq!(feed.recovered, [Recovery::ItemsLost { items: 1 }]);
            assert_eq!(feed.title.as_deref(), title);
            assert_eq!(feed.items.len(), 2);
        }
    }
}
