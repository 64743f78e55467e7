//! Terms: words and phrases, read from what a rule writes.

use super::chars::{self, Class};
use super::forms::Inflection;
use super::text::{Gap, TokenSpace, tokenize};
use super::{Case, Reading};
use std::borrow::Cow;
use std::sync::Arc;

/// A word or a phrase.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    /// As the rule writes it.
    pub(super) written: Arc<str>,
    /// Its words, one or more.
    pub(super) words: Vec<TermWord>,
}

/// The words that a term has at most, so that no phrase makes the matcher slow; a character counts as a word in scripts
/// without spaces.
const MAX_WORDS: usize = 50;

/// A word of a term.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct TermWord {
    /// Folded text.
    pub(super) folded: String,
    /// Text with its case, where the case counts.
    pub(super) cased: Option<String>,
    /// The words that it stands for.
    pub(super) kind: WordKind,
    /// The forms that it stands for; a whole word only has some.
    pub(super) forms: Option<Arc<Inflection>>,
    /// Whether punctuation may stand before it, because the term has some there.
    pub(super) loose: bool,
}

/// The words that a word of a term stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum WordKind {
    /// Itself.
    Whole,
    /// Every word that starts with it.
    Prefix,
    /// Every word that has one letter where it has a `?`, and any ending where it ends with a `*`; the first is a letter.
    Wildcard,
}

/// What is wrong with a term: where, what, and what would do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TermError {
    pub(super) at: Option<usize>,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

impl Term {
    /// Reads a term: a word, a phrase, each word perhaps with a `?` for a letter or a `*` at its end.
    ///
    /// # Errors
    ///
    /// The term has no word, a `*` that is not at the end of a word, or a `?` that could be meant otherwise.
    pub(super) fn parse(written: &str, reading: Reading) -> Result<Self, TermError> {
        let acronym = {
            let letters = || written.chars().filter(|c| c.is_alphabetic());
            letters().filter(|c| c.is_uppercase()).count() >= 2 && !letters().any(char::is_lowercase)
        };
        let case_counts = match reading.case {
            Case::Acronyms => acronym,
            Case::Ignore => false,
            Case::Match => true,
        };
        let text = Wildcards::read(written)?;
        let mut words = Vec::new();
        let mut stars: Vec<usize> = text.prepared.match_indices('*').map(|(at, _)| at).collect();
        tokenize(&text.prepared, &mut TokenSpace::default(), |token| {
            let starred = stars.iter().position(|star| *star == token.end && ends_word(&text.prepared, *star));
            if let Some(star) = starred {
                stars.remove(star);
            }
            // Without letters that have case, the folded text says all and more terms share it.
            let has_case = token.cased.chars().any(|c| c.is_uppercase() || c.is_lowercase());
            let open = starred.is_some() || token.hangul;
            let (folded, cased) = (text.restored(token.folded, open), text.restored(token.cased, open));
            let cased = (case_counts && has_case).then_some(cased);
            let kind = match open {
                _ if folded.contains('?') => WordKind::Wildcard,
                true => WordKind::Prefix,
                false => WordKind::Whole,
            };
            let forms = match (kind, &cased) {
                (WordKind::Whole, None) => {
                    Inflection::of(&text.prepared[token.start..token.end], reading.forms, reading.language)
                }
                _ => None,
            };
            words.push(TermWord {
                folded,
                cased,
                kind,
                forms: forms.map(Arc::new),
                loose: !words.is_empty() && token.gap == Gap::Break,
            });
        });
        if let Some(star) = stars.first() {
            return Err(misplaced_star(written, text.original(*star)));
        }
        if let Some(at) = text.question.filter(|_| written.trim().contains(char::is_whitespace)) {
            return Err(question_mark(written, at));
        }
        if words.is_empty() {
            let message = if written.trim().is_empty() {
                "the term is empty; write a word or a phrase, or remove it".to_owned()
            } else {
                format!(
                    "the term `{written}` has no letter or digit, so nothing can match it; write a word or a phrase"
                )
            };
            return Err(TermError { at: None, message, suggestion: None });
        }
        if words.len() > MAX_WORDS {
            let count = words.len();
            let message =
                format!("the term has {count} words, at most {MAX_WORDS} are allowed; write a shorter phrase");
            return Err(TermError { at: None, message, suggestion: None });
        }
        Ok(Self { written: written.trim().into(), words })
    }

    /// Reads a term that matches in this very case, and without what a language lets follow.
    ///
    /// # Errors
    ///
    /// The term has no word, or a `*` or `?` that stands for letters.
    pub(super) fn exact(written: &str) -> Result<Self, TermError> {
        if let Some(star) = written.find('*') {
            let message = "`=` asks for the exact form and `*` for every ending; leave one of them out".to_owned();
            return Err(TermError { at: Some(star), message, suggestion: None });
        }
        let mut term = Self::parse(written, Reading::of_case(Case::Match))?;
        if term.words.iter().any(|word| word.kind == WordKind::Wildcard) {
            let message = "`=` asks for the exact form and `?` for any letter; leave one of them out".to_owned();
            return Err(TermError { at: written.find('?'), message, suggestion: None });
        }
        term.words.iter_mut().for_each(|word| word.kind = WordKind::Whole);
        Ok(term)
    }

    /// Returns the term as one of a URL: whatever stands between the words, and whatever their case.
    pub(super) fn in_url(mut self) -> Self {
        for (place, word) in self.words.iter_mut().enumerate() {
            word.loose = place > 0;
            word.cased = None;
            word.forms = None;
        }
        self
    }

    /// Tells whether some word has other forms.
    pub(super) fn inflects(&self) -> bool {
        self.words.iter().any(|word| word.forms.as_ref().is_some_and(|forms| forms.is_inflected()))
    }

    /// Returns what decides what the term matches, unambiguously.
    pub(super) fn key(&self) -> String {
        let mut out = format!("{}", self.words.len());
        for word in &self.words {
            let (case, text) = match &word.cased {
                Some(cased) => ('c', cased),
                None => ('f', &word.folded),
            };
            let kind = match word.kind {
                WordKind::Whole => '.',
                WordKind::Prefix => '*',
                WordKind::Wildcard => '?',
            };
            let loose = if word.loose { ',' } else { ' ' };
            out.push_str(&format!("{case}{kind}{loose}{}:{text}", text.len()));
            if let Some(forms) = &word.forms {
                out.push_str(&forms.key());
            }
        }
        out
    }
}

impl TermWord {
    /// Returns the letters before the first that may be any.
    pub(super) fn head(&self) -> &str {
        self.folded.split('?').next().unwrap_or_default()
    }

    /// Lets any ending follow.
    pub(super) fn open(&mut self) {
        self.forms = None;
        match self.kind {
            WordKind::Whole => self.kind = WordKind::Prefix,
            WordKind::Wildcard if !self.folded.ends_with('*') => {
                self.folded.push('*');
                self.cased.iter_mut().for_each(|cased| cased.push('*'));
            }
            WordKind::Prefix | WordKind::Wildcard => {}
        }
    }
}

/// What a `?` is to the tokeniser: letters without case or other forms that nobody writes, of the kind of those before.
const ANY_LETTER: char = '\u{a7f7}';
const ANY_SYLLABLE: char = '\u{d7a3}';

/// A term in which each `?` that stands for a letter is one.
struct Wildcards<'t> {
    prepared: Cow<'t, str>,
    /// A `?` at the end of a word, which looks like a question mark.
    question: Option<usize>,
}

impl<'t> Wildcards<'t> {
    fn read(written: &'t str) -> Result<Self, TermError> {
        let mut question = None;
        if !written.contains('?') || written.contains([ANY_LETTER, ANY_SYLLABLE]) {
            return Ok(Self { prepared: Cow::Borrowed(written), question });
        }
        let mut prepared = String::with_capacity(written.len() + 2);
        // The kind of the letter at hand; none outside of words.
        let mut before = None;
        for (at, c) in written.char_indices() {
            if c != '?' {
                before = match chars::class(c) {
                    Class::Mark | Class::Deleted => before,
                    Class::Line | Class::Space => None,
                    class => Some(class),
                };
                prepared.push(c);
                continue;
            }
            let next = written[at + 1..].chars().next();
            let leads = next.is_some_and(char::is_alphanumeric);
            match before {
                Some(Class::Word | Class::Hangul) => {
                    prepared.push(if before == Some(Class::Hangul) { ANY_SYLLABLE } else { ANY_LETTER });
                    if !leads && !matches!(next, Some('?' | '*')) && question.is_none() {
                        question = Some(at);
                    }
                }
                None if leads => return Err(misplaced_question_mark(at, "it cannot be the first letter of a word")),
                Some(Class::Solo) if leads => {
                    return Err(misplaced_question_mark(at, "there is no word for it in a script without spaces"));
                }
                _ => prepared.push('?'),
            }
        }
        Ok(Self { prepared: Cow::Owned(prepared), question })
    }

    /// Returns a word with `?` for each letter that may be any, and then with a `*` if any ending may follow.
    fn restored(&self, word: &str, open: bool) -> String {
        if matches!(self.prepared, Cow::Borrowed(_)) || !word.contains([ANY_LETTER, ANY_SYLLABLE]) {
            return word.to_owned();
        }
        word.replace([ANY_LETTER, ANY_SYLLABLE], "?") + if open { "*" } else { "" }
    }

    /// Returns a byte of the prepared text in the written one.
    fn original(&self, at: usize) -> usize {
        match &self.prepared {
            Cow::Borrowed(_) => at,
            Cow::Owned(text) => {
                at - text[..at].matches([ANY_LETTER, ANY_SYLLABLE]).map(|letter| letter.len() - 1).sum::<usize>()
            }
        }
    }
}

fn misplaced_question_mark(at: usize, why: &str) -> TermError {
    let message = format!("a `?` stands for one letter within a word, such as `wom?n`; {why}");
    TermError { at: Some(at), message, suggestion: None }
}

fn question_mark(written: &str, at: usize) -> TermError {
    let message = "a `?` stands for one letter; as a question mark at the end of a word of a phrase it says nothing: \
                   leave it out"
        .to_owned();
    TermError { at: Some(at), message, suggestion: Some(format!("{}{}", &written[..at], &written[at + 1..])) }
}

/// Whether no letter or star follows a star.
fn ends_word(written: &str, star: usize) -> bool {
    !written[star + 1..].starts_with(|c: char| c.is_alphanumeric() || c == '*')
}

fn misplaced_star(written: &str, star: usize) -> TermError {
    let word_start = written[..star].trim_end_matches(|c: char| !c.is_whitespace()).len();
    let word_end = written[star..].find(char::is_whitespace).map_or(written.len(), |at| star + at);
    let word = &written[word_start..word_end];
    let before = word.split('*').next().unwrap_or_default();
    let stem = if before.is_empty() { word.trim_matches('*').split('*').next().unwrap_or_default() } else { before };
    let at = Some(star);
    if stem.is_empty() || !stem.chars().any(char::is_alphanumeric) {
        let message = "a `*` cannot stand alone: write the start of a word before it, such as `missile*`".to_owned();
        return TermError { at, message, suggestion: None };
    }
    TermError {
        at,
        message: format!("in `{word}` the `*` is not at the end of a word, the only place for it: write `{stem}*`"),
        suggestion: Some(format!("{}{stem}*{}", &written[..word_start], &written[word_end..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_wildcards_and_tells_where_a_star_belongs() {
        let prefixes = |written: &str| -> Vec<(String, bool)> {
            let term = Term::parse(written, Reading::default()).unwrap();
            term.words.into_iter().map(|word| (word.folded, word.kind == WordKind::Prefix)).collect()
        };
        assert_eq!(prefixes("missile*"), [("missile".to_owned(), true)]);
        assert_eq!(prefixes("баллистическ* ракет*"), [("баллистическ".to_owned(), true), ("ракет".to_owned(), true)]);
        assert_eq!(
            prefixes("anti-tank* gun"),
            [("anti".to_owned(), false), ("tank".to_owned(), true), ("gun".to_owned(), false)]
        );
        for (written, at, suggestion) in [
            ("*missile", 0, Some("missile*")),
            ("mis*le", 3, Some("mis*")),
            ("big *missile now", 4, Some("big missile* now")),
            ("*", 0, None),
            ("big * gun", 4, None),
            ("missile**", 7, Some("missile*")),
        ] {
            let error = Term::parse(written, Reading::default()).unwrap_err();
            assert_eq!((error.at, error.suggestion.as_deref()), (Some(at), suggestion), "{written}");
        }
    }

    #[test]
    fn reads_letters_that_may_be_any() {
        let words = |written: &str| -> Vec<(String, Option<String>, WordKind)> {
            let term = Term::parse(written, Reading::default()).unwrap();
            term.words.into_iter().map(|word| (word.folded, word.cased, word.kind)).collect()
        };
        let wildcard = |folded: &str| (folded.to_owned(), None, WordKind::Wildcard);
        let whole = |folded: &str| (folded.to_owned(), None, WordKind::Whole);
        assert_eq!(words("Wom?n*"), [wildcard("wom?n*")]);
        assert_eq!(words("cat?"), [wildcard("cat?")]);
        assert_eq!(words("F-1?"), [whole("f"), wildcard("1?")]);
        assert_eq!(words("big wom?n’s r??ts"), [whole("big"), wildcard("wom?n"), wildcard("r??ts")]);
        assert_eq!(words("북?"), [wildcard("북?*")]);
        assert_eq!(words("ра?ета"), [wildcard("ра?ета")]);
        assert_eq!(words("U?A"), [("u?a".to_owned(), Some("U?A".to_owned()), WordKind::Wildcard)]);
        // Nothing that a letter could be: punctuation, as ever.
        assert_eq!(words("what ?"), [whole("what")]);
        assert_eq!(words("战?"), [whole("战")]);
        for (written, at, suggestion) in [
            ("?omen", 0, None),
            ("战?争", 3, None),
            ("Is it war?", 9, Some("Is it war")),
            ("who? me", 3, Some("who me")),
            ("wom?n mis*le", 9, Some("wom?n mis*")),
        ] {
            let error = Term::parse(written, Reading::default()).unwrap_err();
            assert_eq!((error.at, error.suggestion.as_deref()), (Some(at), suggestion), "{written}");
        }
        assert_eq!(Term::exact("wom?n").unwrap_err().at, Some(3));
    }

    #[test]
    fn acronyms_are_terms_in_capitals_with_two_letters() {
        for (written, cased) in [("US", true), ("U.S.", true), ("A", false), ("F-16", false), ("Us", false)] {
            let term = Term::parse(written, Reading::default()).unwrap();
            assert_eq!(term.words[0].cased.is_some(), cased, "{written}");
        }
        assert!(Term::parse("us", Reading::of_case(Case::Match)).unwrap().words[0].cased.is_some());
        assert!(Term::parse("US", Reading::of_case(Case::Ignore)).unwrap().words[0].cased.is_none());
    }

    #[test]
    fn a_term_that_normalises_to_nothing_is_an_error() {
        for written in ["", "  ", "—", "\u{ad}", "\"\""] {
            assert!(Term::parse(written, Reading::default()).is_err(), "{written}");
        }
    }
}
