//! What a rule looks for: one expression tree, whatever syntax it was written in.
//!
//! A leaf is a term within some fields. Operators over places (proximity) stand right above the leaves; the matcher takes
//! from every expression the terms that it requires, and evaluates the rest.

pub(super) use super::proximity::{Leaf, MAX_DISTANCE, Proximity};
use super::text::{Gap, TokenSpace, tokenize};
use super::{Case, FieldSet};
use std::sync::Arc;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Every one.
    All(Vec<Expression>),
    /// At least one.
    Any(Vec<Expression>),
    /// Not this one.
    Not(Box<Expression>),
    /// A term, in at least one of the fields.
    Term(Arc<Term>, FieldSet),
    /// At least so many of them.
    AtLeast(usize, Vec<Expression>),
    /// Terms near each other.
    Near(Proximity),
}

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
    /// Whether it stands for every word that starts with it.
    pub(super) prefix: bool,
    /// Whether punctuation may stand before it, because the term has some there.
    pub(super) loose: bool,
}

/// What is wrong with a term: where, what, and what would do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TermError {
    pub(super) at: Option<usize>,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

impl Term {
    /// Reads a term: a word, a phrase, each word perhaps with a `*` at its end.
    ///
    /// # Errors
    ///
    /// The term has no word, or a `*` that is not at the end of a word.
    pub(super) fn parse(written: &str, case: Case) -> Result<Self, TermError> {
        let acronym = {
            let letters = || written.chars().filter(|c| c.is_alphabetic());
            letters().filter(|c| c.is_uppercase()).count() >= 2 && !letters().any(char::is_lowercase)
        };
        let case_counts = match case {
            Case::Acronyms => acronym,
            Case::Ignore => false,
            Case::Match => true,
        };
        let mut words = Vec::new();
        let mut stars: Vec<usize> = written.match_indices('*').map(|(at, _)| at).collect();
        tokenize(written, &mut TokenSpace::default(), |token| {
            let starred = stars.iter().position(|star| *star == token.end && ends_word(written, *star));
            if let Some(star) = starred {
                stars.remove(star);
            }
            // Without letters that have case, the folded text says all and more terms share it.
            let has_case = token.cased.chars().any(|c| c.is_uppercase() || c.is_lowercase());
            words.push(TermWord {
                folded: token.folded.to_owned(),
                cased: (case_counts && has_case).then(|| token.cased.to_owned()),
                prefix: starred.is_some() || token.hangul,
                loose: !words.is_empty() && token.gap == Gap::Break,
            });
        });
        if let Some(star) = stars.first() {
            return Err(misplaced_star(written, *star));
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
    /// The term has no word, or a `*`.
    pub(super) fn exact(written: &str) -> Result<Self, TermError> {
        if let Some(star) = written.find('*') {
            let message = "`=` asks for the exact form and `*` for every ending; leave one of them out".to_owned();
            return Err(TermError { at: Some(star), message, suggestion: None });
        }
        let mut term = Self::parse(written, Case::Match)?;
        term.words.iter_mut().for_each(|word| word.prefix = false);
        Ok(term)
    }

    /// Appends what decides what the term matches, unambiguously.
    fn write_key(&self, out: &mut String) {
        for word in &self.words {
            let (case, text) = match &word.cased {
                Some(cased) => ('c', cased),
                None => ('f', &word.folded),
            };
            let prefix = if word.prefix { '*' } else { '.' };
            let loose = if word.loose { ',' } else { ' ' };
            out.push_str(&format!("{case}{prefix}{loose}{}:{text}", text.len()));
        }
    }

    /// Appends what decides what the term matches within some fields.
    pub(super) fn write_leaf_key(&self, fields: FieldSet, out: &mut String) {
        out.push_str(&format!("t{}/{}", fields.bits(), self.words.len()));
        self.write_key(out);
    }
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

impl Expression {
    /// Returns what decides what the expression matches, the same for every order and repetition of its parts.
    pub(super) fn key(&self) -> String {
        match self {
            Expression::All(_) | Expression::Any(_) => {
                let mut keys = Vec::new();
                self.part_keys(matches!(self, Expression::All(_)), &mut keys);
                keys.sort_unstable();
                keys.dedup();
                let sign = if matches!(self, Expression::All(_)) { '&' } else { '|' };
                if keys.len() == 1 { keys.remove(0) } else { format!("{sign}{}({})", keys.len(), keys.concat()) }
            }
            Expression::Not(part) => format!("!{}", part.key()),
            Expression::AtLeast(count, parts) => {
                let mut keys: Vec<String> = parts.iter().map(Expression::key).collect();
                keys.sort_unstable();
                format!("#{count}/{}({})", keys.len(), keys.concat())
            }
            Expression::Near(proximity) => proximity.key(),
            Expression::Term(term, fields) => {
                let mut out = String::new();
                term.write_leaf_key(*fields, &mut out);
                out
            }
        }
    }

    /// Returns the opposite, with negations at the leaves alone: so each conjunction shows what it needs.
    pub(super) fn negated(self) -> Self {
        let all = |parts: Vec<Self>| parts.into_iter().map(Self::negated).collect();
        match self {
            Expression::All(parts) => Expression::Any(all(parts)),
            Expression::Any(parts) => Expression::All(all(parts)),
            Expression::Not(part) => *part,
            Expression::AtLeast(count, parts) => Self::at_least(parts.len() + 1 - count, all(parts)),
            leaf => Expression::Not(Box::new(leaf)),
        }
    }

    /// Returns "at least `count` of them", in the simplest form; `count` is from 1 to their number.
    pub(super) fn at_least(count: usize, parts: Vec<Self>) -> Self {
        match count {
            1 => Expression::Any(parts),
            all if all == parts.len() => Expression::All(parts),
            some => Expression::AtLeast(some, parts),
        }
    }

    /// Whether it is true of a document without any of its terms.
    pub(super) fn holds_of_nothing(&self) -> bool {
        match self {
            Expression::All(parts) => parts.iter().all(Self::holds_of_nothing),
            Expression::Any(parts) => parts.iter().any(Self::holds_of_nothing),
            Expression::Not(part) => !part.holds_of_nothing(),
            Expression::AtLeast(count, parts) => parts.iter().filter(|part| part.holds_of_nothing()).count() >= *count,
            Expression::Term(..) | Expression::Near(_) => false,
        }
    }

    /// Returns the terms of which it needs one, if that is all that it says.
    pub(super) fn into_leaves(self) -> Option<Vec<Leaf>> {
        match self {
            Expression::Term(term, fields) => Some(vec![Leaf { term, fields }]),
            Expression::Any(parts) => {
                let leaves: Option<Vec<Vec<Leaf>>> = parts.into_iter().map(Self::into_leaves).collect();
                leaves.map(|leaves| leaves.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    /// Changes every proximity.
    pub(super) fn change_proximities(&mut self, change: &impl Fn(&mut Proximity)) {
        match self {
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter_mut().for_each(|part| part.change_proximities(change));
            }
            Expression::Not(part) => part.change_proximities(change),
            Expression::Term(..) => {}
            Expression::Near(proximity) => change(proximity),
        }
    }

    /// Calls `each` with every term.
    pub(super) fn terms<'a>(&'a self, each: &mut impl FnMut(&'a Arc<Term>, FieldSet)) {
        match self {
            Expression::Not(part) => part.terms(each),
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter().for_each(|part| part.terms(each));
            }
            leaf => leaf.positive_terms(each),
        }
    }

    /// Appends the keys of the parts of a conjunction (or disjunction), those of one within another as its own.
    fn part_keys(&self, conjunction: bool, keys: &mut Vec<String>) {
        match self {
            Expression::All(parts) if conjunction => parts.iter().for_each(|part| part.part_keys(true, keys)),
            Expression::Any(parts) if !conjunction => parts.iter().for_each(|part| part.part_keys(false, keys)),
            other => keys.push(other.key()),
        }
    }

    /// Changes every word of every term.
    pub(super) fn change_words(&mut self, change: &impl Fn(&mut TermWord)) {
        match self {
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter_mut().for_each(|part| part.change_words(change));
            }
            Expression::Near(proximity) => {
                proximity.leaves_mut().for_each(|leaf| Arc::make_mut(&mut leaf.term).words.iter_mut().for_each(change))
            }
            Expression::Not(part) => part.change_words(change),
            Expression::Term(term, _) => Arc::make_mut(term).words.iter_mut().for_each(change),
        }
    }

    /// Calls `each` with every term whose presence can make the expression true.
    pub(super) fn positive_terms<'a>(&'a self, each: &mut impl FnMut(&'a Arc<Term>, FieldSet)) {
        match self {
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter().for_each(|part| part.positive_terms(each));
            }
            Expression::Near(proximity) => proximity.leaves().for_each(|leaf| each(&leaf.term, leaf.fields)),
            Expression::Not(_) => {}
            Expression::Term(term, fields) => each(term, *fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_wildcards_and_tells_where_a_star_belongs() {
        let prefixes = |written: &str| -> Vec<(String, bool)> {
            let term = Term::parse(written, Case::Acronyms).unwrap();
            term.words.into_iter().map(|word| (word.folded, word.prefix)).collect()
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
            let error = Term::parse(written, Case::Acronyms).unwrap_err();
            assert_eq!((error.at, error.suggestion.as_deref()), (Some(at), suggestion), "{written}");
        }
    }

    #[test]
    fn acronyms_are_terms_in_capitals_with_two_letters() {
        for (written, cased) in [("US", true), ("U.S.", true), ("A", false), ("F-16", false), ("Us", false)] {
            let term = Term::parse(written, Case::Acronyms).unwrap();
            assert_eq!(term.words[0].cased.is_some(), cased, "{written}");
        }
        assert!(Term::parse("us", Case::Match).unwrap().words[0].cased.is_some());
        assert!(Term::parse("US", Case::Ignore).unwrap().words[0].cased.is_none());
    }

    #[test]
    fn a_term_that_normalises_to_nothing_is_an_error() {
        for written in ["", "  ", "—", "\u{ad}", "\"\""] {
            assert!(Term::parse(written, Case::Acronyms).is_err(), "{written}");
        }
    }
}
