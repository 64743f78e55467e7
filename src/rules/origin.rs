//! Where an article comes from: conditions on its feed, the feed's tags, and its language.

use super::Document;
use super::Language;
use super::expression::TermError;

/// A condition on where an article comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Origin {
    /// The name or the URL of its feed.
    Feed(Name),
    /// A tag of its feed.
    Tag(Name),
    /// A language range (RFC 4647, basic filtering).
    Language(String),
}

/// A name whose case does not count, perhaps with a `*` at its end for any ending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    written: String,
    folded: String,
    prefix: bool,
}

impl Name {
    fn parse(written: &str, example: &str) -> Result<Self, TermError> {
        let written = written.trim();
        let name = written.strip_suffix('*').unwrap_or(written);
        let wrong = |at, message: String| Err(TermError { at: Some(at), message, suggestion: None });
        if name.trim().is_empty() {
            return wrong(0, format!("expected a name, such as `{example}`"));
        }
        match name.find('*') {
            Some(at) => wrong(at, "a `*` stands at the end of a name only".to_owned()),
            None => Ok(Self { folded: name.to_lowercase(), prefix: name != written, written: written.to_owned() }),
        }
    }

    fn fits(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        if self.prefix { name.starts_with(&self.folded) } else { name == self.folded }
    }
}

impl Origin {
    /// Reads the name of a feed, or its URL or path.
    pub(super) fn feed(written: &str) -> Result<Self, TermError> {
        Name::parse(written, "feed:\"BBC World\"").map(Self::Feed)
    }

    /// Reads a tag.
    pub(super) fn tag(written: &str) -> Result<Self, TermError> {
        Name::parse(written, "tag:wire").map(Self::Tag)
    }

    /// Reads a language range: a language, perhaps with a script, a region and more (BCP 47).
    pub(super) fn language(written: &str) -> Result<Self, TermError> {
        let range = written.trim().replace('_', "-").to_ascii_lowercase();
        let mut parts = range.split('-');
        let is_language =
            |part: &str| matches!(part.len(), 2 | 3) && part.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_part = |part: &str| matches!(part.len(), 1..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if parts.next().is_some_and(is_language) && parts.all(is_part) {
            return Ok(Self::Language(range));
        }
        let message =
            format!("expected the tag of a language, such as `lang:uk` or `lang:pt-BR`, and not `{}`", written.trim());
        let suggestion = Language::named(written).map(|language| format!("lang:{}", language.code()));
        Err(TermError { at: Some(0), message, suggestion })
    }

    /// Whether a document comes from there.
    pub(super) fn holds(&self, document: &Document<'_>) -> bool {
        match self {
            Self::Feed(name) => {
                [document.feed_name, document.feed].iter().any(|feed| !feed.is_empty() && name.fits(feed))
            }
            Self::Tag(name) => document.tags.iter().any(|tag| name.fits(tag)),
            Self::Language(range) => document.language.is_some_and(|tag| {
                let tag = tag.replace('_', "-").to_ascii_lowercase();
                tag.strip_prefix(range.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            }),
        }
    }

    /// Says where a document comes from, in view of this condition.
    pub(super) fn described(&self, document: &Document<'_>) -> String {
        let held = self.holds(document);
        let feed = if document.feed_name.is_empty() { document.feed } else { document.feed_name };
        let tags = document.tags.join(", ");
        let (what, is, wanted) = match self {
            Self::Feed(name) => ("feed", feed, &name.written),
            Self::Tag(name) => ("tag", tags.as_str(), &name.written),
            Self::Language(range) => ("language", document.language.unwrap_or_default(), range),
        };
        match (self, held, is.is_empty()) {
            (_, _, true) => format!("no {what} is known, and {wanted} is asked for"),
            (Self::Tag(_), true, _) => format!("the feed has the tag {wanted}"),
            (Self::Tag(_), false, _) => format!("the feed has the tags {is}, not {wanted}"),
            (_, true, _) => format!("the {what} is {is}"),
            (_, false, _) => format!("the {what} is {is}, not {wanted}"),
        }
    }

    /// Returns it as a query writes it.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Feed(name) => format!("feed:{}", name.written),
            Self::Tag(name) => format!("tag:{}", name.written),
            Self::Language(range) => format!("lang:{range}"),
        }
    }

    /// Returns what decides what it says.
    pub(super) fn key(&self) -> String {
        let (sign, text, prefix) = match self {
            Self::Feed(name) => ('f', &name.folded, name.prefix),
            Self::Tag(name) => ('t', &name.folded, name.prefix),
            Self::Language(range) => ('l', range, false),
        };
        format!("o{sign}{}{}:{text}", if prefix { '*' } else { '.' }, text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_filtered_by_their_parts() {
        for (range, tag, expected) in [
            ("uk", Some("uk"), true),
            ("uk", Some("uk-UA"), true),
            ("UK", Some("uk_UA"), true),
            ("en", Some("en-GB"), true),
            ("en-gb", Some("en-GB-oxendict"), true),
            ("en-gb", Some("en"), false),
            ("en", Some("eng"), false),
            ("en", None, false),
        ] {
            let document = Document { language: tag, ..Document::default() };
            assert_eq!(Origin::language(range).unwrap().holds(&document), expected, "{range} {tag:?}");
        }
        for wrong in ["", "ukrainian", "e", "en-", "en*", "-"] {
            assert!(Origin::language(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn feeds_are_known_by_name_and_url_whatever_the_case() {
        let document = Document { feed: "https://a.example/rss", feed_name: "BBC World", ..Document::default() };
        for (written, expected) in [
            ("bbc world", true),
            ("BBC", false),
            ("BBC*", true),
            ("https://A.example/rss", true),
            ("https://a.example/*", true),
            ("World", false),
        ] {
            assert_eq!(Origin::feed(written).unwrap().holds(&document), expected, "{written}");
        }
        assert!(!Origin::feed("x*").unwrap().holds(&Document::default()));
        for wrong in ["", "*", "a*b", " "] {
            assert!(Origin::feed(wrong).is_err(), "{wrong}");
        }
    }
}
