//! Regular expressions of rules, `/…/` and `/…/i`: read with limits, and the texts that they require.
//!
//! They look at a text as a reader sees it, not at its words. The engine takes linear time; what is too large for it is
//! refused when the rule is read.

use super::Case;
use super::expression::TermError;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};
use std::cmp::Reverse;
use std::sync::Arc;

/// Bytes that a compiled expression takes at most, and the cache of its automaton.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Groups and repetitions within one another at most.
const MAX_DEPTH: u32 = 64;

/// The regular expressions of a query, or of a rule's lists, at most: each may take a megabyte.
pub(super) const MAX_REGEXES: usize = 100;

/// A regular expression.
#[derive(Debug, Clone)]
pub(super) struct RegularExpression {
    /// As the rule writes it, with its slashes.
    pub(super) written: Arc<str>,
    /// What stands between the slashes.
    pattern: Box<str>,
    ignores_case: bool,
    regex: regex::Regex,
    /// Texts of which every match has one, if there are such; the case of ASCII letters in them does not count.
    pub(super) required: Option<Vec<Vec<u8>>>,
}

impl PartialEq for RegularExpression {
    fn eq(&self, other: &Self) -> bool {
        (&self.pattern, self.ignores_case) == (&other.pattern, other.ignores_case)
    }
}

/// Returns the byte of the `/` that closes the expression that a text starts with.
pub(super) fn closing_slash(text: &str) -> Option<usize> {
    let mut escaped = false;
    let closes = |(at, byte): (usize, u8)| {
        let closes = at > 0 && byte == b'/' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes.then_some(at)
    };
    text.bytes().enumerate().find_map(closes)
}

/// Whether an item of a list is a regular expression.
pub(super) fn is_regex(item: &str) -> bool {
    let item = item.trim();
    item.starts_with('/') && closing_slash(item).is_some_and(|close| close > 1 && matches!(&item[close..], "/" | "/i"))
}

impl RegularExpression {
    /// Reads an expression with its slashes; `case` decides where it has no `i`.
    ///
    /// # Errors
    ///
    /// It is invalid, too large, or matches a text without characters.
    pub(super) fn parse(written: &str, case: Case) -> Result<Self, TermError> {
        let wrong = |at: usize, message: String| TermError { at: Some(at), message, suggestion: None };
        let close = closing_slash(written).unwrap_or(written.len());
        let (pattern, flags) = (&written[1..close], written.get(close + 1..).unwrap_or_default());
        if !matches!(flags, "" | "i") {
            let message = format!(
                "after a regular expression only `i` may stand, for any case, and not `{flags}`; \
                 a `/` within one is written `\\/`"
            );
            return Err(wrong(close + 1, message));
        }
        let ignores_case = flags == "i" || case == Case::Ignore;
        let parsed = regex_syntax::ParserBuilder::new()
            .nest_limit(MAX_DEPTH)
            .case_insensitive(ignores_case)
            .build()
            .parse(pattern);
        let hir = parsed.map_err(|error| {
            let (at, why) = match &error {
                regex_syntax::Error::Parse(error) => (error.span().start.offset, error.kind().to_string()),
                regex_syntax::Error::Translate(error) => (error.span().start.offset, error.kind().to_string()),
                other => (0, other.to_string()),
            };
            wrong(1 + at, format!("the regular expression cannot be read: {why}"))
        })?;
        match hir.properties().minimum_len() {
            Some(0) if pattern.is_empty() => {
                let message = "there is nothing between the slashes; write the regular expression, or quotation marks \
                               around a term with slashes";
                return Err(wrong(0, message.to_owned()));
            }
            Some(0) if hir.properties().maximum_len() == Some(0) => {
                let message = "the regular expression matches even where there is nothing: it asks for a place (such as `^`, \
                               `$` or `\\b`) and for no letter; write the letters that stand there";
                return Err(wrong(0, message.to_owned()));
            }
            Some(0) => {
                let message = "the regular expression matches even where there is nothing, so it says nothing; leave out \
                               a `*` or `?`";
                return Err(wrong(0, message.to_owned()));
            }
            None => return Err(wrong(0, "the regular expression can match nothing".to_owned())),
            Some(_) => {}
        }
        let regex = regex::RegexBuilder::new(pattern)
            .case_insensitive(ignores_case)
            .nest_limit(MAX_DEPTH)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .build()
            .map_err(|_| wrong(0, "the regular expression takes more than 1 MiB; write a simpler one".to_owned()))?;
        let required = required(&hir);
        Ok(Self { written: written.into(), pattern: pattern.into(), ignores_case, regex, required })
    }

    /// Whether it matches somewhere in a text.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Returns where it matches, first byte and the byte after the last, one after the other.
    pub(super) fn places<'t>(&self, text: &'t str) -> impl Iterator<Item = (usize, usize)> + use<'_, 't> {
        self.regex.find_iter(text).map(|found| (found.start(), found.end()))
    }

    /// Returns what decides what it matches.
    pub(super) fn key(&self) -> String {
        let case = if self.ignores_case { 'i' } else { 'c' };
        format!("{case}{}:{}", self.pattern.len(), self.pattern)
    }
}

/// Bytes of a required text at least: shorter ones are in every article.
const MIN_REQUIRED_BYTES: usize = 3;

/// Required texts at most.
const MAX_REQUIRED: usize = 64;

/// Parts of a sequence that are tried as the start of a required text.
const MAX_STARTS: usize = 16;

/// Returns texts of which every match has one, the best that were found.
fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let best = match hir.kind() {
        HirKind::Capture(capture) => return required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => return required(&repetition.sub),
        HirKind::Alternation(parts) => {
            let of_parts: Option<Vec<_>> = parts.iter().take(MAX_REQUIRED + 1).map(required).collect();
            of_parts.map(|texts| texts.concat()).into_iter().chain(prefixes(hir)).max_by_key(|texts| worth(texts))
        }
        HirKind::Concat(parts) => {
            let tails =
                (0..parts.len().min(MAX_STARTS)).filter_map(|start| prefixes(&Hir::concat(parts[start..].to_vec())));
            let within = parts.iter().filter_map(required);
            tails.chain(within).max_by_key(|texts| worth(texts))
        }
        _ => prefixes(hir),
    };
    best.filter(|texts| texts.len() <= MAX_REQUIRED)
}

/// Longer texts are rarer, and fewer are found faster.
fn worth(texts: &[Vec<u8>]) -> (usize, Reverse<usize>) {
    (texts.iter().map(Vec::len).min().unwrap_or_default().min(8), Reverse(texts.len()))
}

/// Returns the texts with one of which every match starts.
fn prefixes(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let prefixes = Extractor::new().extract(hir);
    let mut texts: Vec<Vec<u8>> =
        prefixes.literals()?.iter().map(|literal| literal.as_bytes().to_ascii_lowercase()).collect();
    texts.sort_unstable();
    texts.dedup();
    (!texts.is_empty() && texts.iter().all(|text| text.len() >= MIN_REQUIRED_BYTES)).then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn required_of(written: &str) -> Option<Vec<String>> {
        let texts = RegularExpression::parse(written, Case::Acronyms).unwrap().required?;
        Some(texts.into_iter().map(|text| String::from_utf8_lossy(&text).into_owned()).collect())
    }

    #[test]
    fn knows_what_it_requires() {
        for (written, expected) in [
            ("/missile/", Some(&["missile"][..])),
            (r"/\d+ missiles?/", Some(&[" missile"])),
            (r"/\bCVE-\d{4}-\d+\b/", Some(&["cve-"])),
            (r"/[A-Z]\w+ (?:fired|launched) \d/", Some(&[" fired ", " launched "])),
            (r"/(?:ab|missile)/", None),
            (r"/\d{4}/", None),
            (r"/(?:missile)?x/", None),
        ] {
            let expected = expected.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
            assert_eq!(required_of(written), expected, "{written}");
        }
        // The long s and the Kelvin sign are letters of other cases.
        assert_eq!(required_of("/kilo/i").unwrap(), ["kilo", "\u{212a}ilo"]);
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_byte() {
        for (written, at, part) in [
            ("/a(b/", 2, "unclosed group"),
            ("/a[z-a]/", 3, "invalid character class range"),
            ("/a*/", 0, "even where there is nothing"),
            (r"/\b/", 0, "even where there is nothing"),
            ("/[a&&b]/", 0, "can match nothing"),
            ("/a/x", 3, "only `i` may stand"),
            (r"/\w{1000}/", 0, "more than 1 MiB"),
            (r"/(?=a)b/", 1, "look-around"),
            (r"/(a)\1/", 4, "backreferences"),
        ] {
            let error = RegularExpression::parse(written, Case::Acronyms).unwrap_err();
            assert_eq!(error.at, Some(at), "{written}: {error:?}");
            assert!(error.message.contains(part), "{written}: {}", error.message);
        }
        let deep = format!("/{}a{}/", "(".repeat(100), ")".repeat(100));
        assert!(RegularExpression::parse(&deep, Case::Acronyms).unwrap_err().message.contains("nest"));
        assert!(RegularExpression::parse(r"/a\/b/", Case::Acronyms).unwrap().is_match("a/b"));
        assert!(RegularExpression::parse("/ab/", Case::Ignore).unwrap().is_match("AB"));
        assert!(!RegularExpression::parse("/ab/", Case::Acronyms).unwrap().is_match("AB"));
    }

    #[test]
    fn items_of_lists_are_expressions_between_slashes() {
        for (item, expected) in
            [("/a b/", true), ("/a/i", true), ("/r/worldnews", false), ("//", false), ("/a", false), ("a/b/", false)]
        {
            assert_eq!(is_regex(item), expected, "{item}");
        }
    }

    proptest! {
        /// What an expression requires is in every text that it matches.
        #[test]
        fn every_match_has_a_required_text(
            parts in prop::collection::vec(prop::sample::select(vec![
                "missile", "ra", "k", "(?:fire|launch)", "s?", "[ab]", "\\d", ".*", "(?:test)+", "\\b", "ß", "ё",
            ]), 1..6),
            ignore in any::<bool>(),
            text in "(missile|ra|k|\u{212a}|ſ|fire|LAUNCH|s|a|7| |test|ß|ё|Ё){0,8}",
        ) {
            let written = format!("/{}/{}", parts.concat(), if ignore { "i" } else { "" });
            let Ok(regex) = RegularExpression::parse(&written, Case::Acronyms) else { return Ok(()) };
            if let Some(required) = regex.required.as_ref().filter(|_| regex.is_match(&text)) {
                let lower = text.to_ascii_lowercase();
                let found = required.iter().any(|text| lower.as_bytes().windows(text.len()).any(|part| part == text));
                prop_assert!(found, "{} {:?}", written, required);
            }
        }
    }
}
