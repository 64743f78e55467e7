//! Warnings of what a query says of feeds, tags and languages, where nothing that is configured is meant.

use super::super::expression::TermError;
use super::super::groups::nearest_name;
use super::super::origin::Origin;
use super::super::query::{self, WrittenKind};
use super::super::{Document, RuleSource};
use super::{Lint, name};
use std::collections::{BTreeSet, HashMap};

/// The feeds that rules may name.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// Each as the document of an article without a text.
    feeds: Vec<Document<'a>>,
    /// By name of a feed or a tag: whether there is one.
    known: HashMap<(bool, String), bool>,
}

/// Codes of countries and old or invented ones that are taken for those of languages.
const MISTAKEN: [(&str, &str); 19] = [
    ("by", "be"),
    ("cn", "zh"),
    ("cz", "cs"),
    ("dk", "da"),
    ("gb", "en"),
    ("ge", "ka"),
    ("gr", "el"),
    ("il", "he"),
    ("ir", "fa"),
    ("iw", "he"),
    ("jp", "ja"),
    ("kr", "ko"),
    ("kz", "kk"),
    ("rs", "sr"),
    ("sp", "es"),
    ("ua", "uk"),
    ("us", "en"),
    ("ve", "es"),
    ("vn", "vi"),
];

impl<'a> Sources<'a> {
    /// Takes what names a feed: its identity, its name or nothing, its tags.
    pub fn new(feeds: impl Iterator<Item = (&'a str, &'a str, &'a [String])>) -> Self {
        let document = |(feed, feed_name, tags)| Document { feed, feed_name, tags, ..Document::default() };
        Self { feeds: feeds.map(document).collect(), known: HashMap::new() }
    }

    /// Warns of feeds and tags in a rule's query that there are not, and of languages that are probably others.
    pub fn lint(&mut self, source: &RuleSource) -> Vec<Lint> {
        let query = source.query.as_deref().unwrap_or_default();
        let mut lints = Vec::new();
        for term in query::terms(query, source.field_set()) {
            let odd = match term.kind {
                WrittenKind::Feed => self.unknown(term.text, true),
                WrittenKind::Tag => self.unknown(term.text, false),
                WrittenKind::Language => mistaken(term.text),
                _ => None,
            };
            if let Some((name, message, suggestion)) = odd {
                let (key, at) = ("query".to_owned(), Some(term.at));
                lints.push(Lint { name, key, index: None, at, message, suggestion });
            }
        }
        lints
    }

    fn unknown(&mut self, written: &str, of_feed: bool) -> Option<Odd> {
        let parse: fn(&str) -> Result<Origin, TermError> = if of_feed { Origin::feed } else { Origin::tag };
        let origin = parse(written).ok()?;
        let exists = || self.feeds.iter().any(|feed| origin.holds(feed));
        if *self.known.entry((of_feed, written.to_owned())).or_insert_with(exists) {
            return None;
        }
        let near = |names: BTreeSet<&str>| nearest_name(written, names.into_iter()).map(str::to_owned);
        Some(if of_feed {
            let names = self.feeds.iter().flat_map(|feed| [feed.feed_name, feed.feed]).filter(|name| !name.is_empty());
            (name::UNKNOWN_FEED, format!("no feed has the name or URL `{written}`"), near(names.collect()))
        } else {
            let tags = self.feeds.iter().flat_map(|feed| feed.tags).map(String::as_str);
            (name::UNKNOWN_TAG, format!("no feed has the tag `{written}`"), near(tags.collect()))
        })
    }
}

/// Name, message, suggestion.
type Odd = (&'static str, String, Option<String>);

fn mistaken(written: &str) -> Option<Odd> {
    let wanted = written.trim().to_ascii_lowercase();
    let (code, language) = MISTAKEN.iter().find(|(code, _)| *code == wanted)?;
    let message = format!("`{code}` is not what articles say of their language; write `lang:{language}`");
    Some((name::UNKNOWN_LANGUAGE, message, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_feed_has_are_told_with_a_near_one() {
        let tags = ["wire".to_owned(), "asia".to_owned()];
        let feeds = [("https://a.example/rss", "BBC World", &tags[..]), ("https://b.example/rss", "", &[])];
        let mut sources = Sources::new(feeds.into_iter());
        let mut found = |query: &str| -> Vec<_> {
            let source = RuleSource { query: Some(query.to_owned()), ..RuleSource::default() };
            let lints = sources.lint(&source).into_iter();
            lints.map(|lint| (lint.name, lint.at.unwrap_or_default(), lint.suggestion)).collect()
        };
        for fine in [
            "a AND feed:\"bbc world\"",
            "feed:https://b.example/* AND a",
            "a AND tag:(wire OR As*)",
            "a AND lang:(uk OR pt-BR) AND ua AND title:ua",
        ] {
            assert_eq!(found(fine), [], "{fine}");
        }
        assert_eq!(
            found("a AND feed:\"BBC Wold\" AND tag:(wire OR asja) AND NOT lang:ua AND feed:Other"),
            [
                (name::UNKNOWN_FEED, 12, Some("BBC World".to_owned())),
                (name::UNKNOWN_TAG, 39, Some("asia".to_owned())),
                (name::UNKNOWN_LANGUAGE, 58, None),
                (name::UNKNOWN_FEED, 70, None),
            ]
        );
    }
}
