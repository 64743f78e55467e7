//! Word forms: which words are forms of one word (`missile`, `missiles`; `ракета`, `ракетами`).
//!
//! Each word has a set of forms: itself in small letters and its stem, in some languages a little more; two words are forms
//! of one word if their sets meet. A single stem would not do: stemmers take `Киев` for a genitive plural and make `ки` of
//! it, but `Киев` is what is left of `Киева`.
//!
//! Stems are those of Snowball, computed on the word with its diacritics and folded afterwards. Its Arabic stemmer is not
//! used, since it leaves what is written together with a word (`والصين` becomes `والص`); here that is taken off instead.
//! Chinese, Japanese and Thai do not inflect in a way that a run of characters would miss; in Korean a term is the start of
//! a word anyway.

mod arabic;
mod guess;
mod index;
mod language;
mod word;

pub(super) use guess::language as language_of;
pub(super) use index::{FormIndex, FormMemory};
pub use language::Language;
pub(super) use language::LanguageSet;
pub(super) use word::Inflection;

use super::chars::{self, Class};
use frostem::{Algorithm, Stemmer};
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::Script;
use language::Stemming;

/// Number of the way in which forms are found, stemmers included: another way makes every rule that uses them another
/// version.
pub(super) const FORMAT: u32 = 1;

/// Letters of the shortest word that has forms besides itself.
const MIN_LETTERS: usize = 3;

/// Bytes of the longest word that has forms besides itself: no word of any language, and stemmers copy it many times.
const MAX_BYTES: usize = 100;

/// A form of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form<'a> {
    /// The word itself, folded as its language folds.
    Whole(&'a str),
    /// A stem of it, or what is left without clitics.
    Stem(&'a str),
}

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A rule's.
    Term,
    /// An article's.
    Text,
}

/// Returns the script of a word: that of its first letter.
pub(super) fn script_of(word: &str) -> Option<Script> {
    word.chars().find(|c| c.is_alphabetic()).map(|c| if c.is_ascii() { Script::Latin } else { chars::script(c) })
}

/// Calls `each` with the forms of a word in a language, as it is written in a text; some perhaps twice.
pub(super) fn forms(language: Language, written: &str, side: Side, mut each: impl FnMut(Form<'_>)) {
    let lower = lower(language, written);
    let whole = folded(language, &lower);
    each(Form::Whole(&whole));
    if lower.len() > MAX_BYTES || lower.chars().filter(|c| c.is_alphabetic()).count() < MIN_LETTERS {
        return;
    }
    match language.traits().map_or(Stemming::None, |traits| traits.stemming) {
        Stemming::None => {}
        Stemming::Clitics => arabic::forms(&lower, side, |form| each(Form::Stem(&folded(language, form)))),
        Stemming::Snowball(algorithm) => {
            let stemmer = Stemmer::new(algorithm);
            each(Form::Stem(&whole));
            each(Form::Stem(&folded(language, &stemmer.stem(&lower))));
            if let Some(other) = respelled(algorithm, &lower) {
                each(Form::Stem(&folded(language, &stemmer.stem(&other))));
            }
            if let Some(other) = without_vowel(algorithm, &lower) {
                each(Form::Stem(&folded(language, other)));
            }
        }
    }
}

/// Returns a word as if it were in the form of which the stemmer knows the stem.
fn respelled(algorithm: Algorithm, lower: &str) -> Option<String> {
    match algorithm {
        // `санкцій` is the genitive plural of `санкція`, as `санкції` is the plural.
        Algorithm::Ukrainian => lower.strip_suffix("ій").map(|start| format!("{start}ії")),
        // `eleições`, `alemães`: the plurals of `eleição`, `alemão`.
        Algorithm::Portuguese => {
            lower.strip_suffix("ões").or(lower.strip_suffix("ães")).map(|start| format!("{start}ão"))
        }
        _ => None,
    }
}

/// Returns a Ukrainian word without the vowel at its end: the stemmer takes `обстріли` and `Харкові` for other parts of
/// speech and leaves too little.
fn without_vowel(algorithm: Algorithm, lower: &str) -> Option<&str> {
    const SHORTEST: usize = 4;
    let start = lower.strip_suffix(['а', 'и', 'і', 'у', 'е', 'о', 'я', 'ю', 'є', 'ї'])?;
    (algorithm == Algorithm::Ukrainian && start.chars().count() >= SHORTEST).then_some(start)
}

/// Returns a word in small letters, composed, without characters that are not seen.
fn lower(language: Language, written: &str) -> String {
    let dotless = language.traits().is_some_and(|traits| traits.dotless);
    let mut visible = String::with_capacity(written.len());
    for c in written.chars() {
        match c {
            'I' if dotless => visible.push('ı'),
            'İ' if dotless => visible.push('i'),
            c if c.is_ascii() => visible.push(c.to_ascii_lowercase()),
            c if chars::class(c) == Class::Deleted => {}
            c => visible.push(c),
        }
    }
    if visible.is_ascii() {
        return visible;
    }
    let compose = const { ComposingNormalizerBorrowed::new_nfkc() };
    // The capital İ of other languages becomes two characters, of which the second is seen by nobody.
    let mut lower = compose.normalize(&visible).to_lowercase().replace("i\u{307}", "i");
    if language.is_written_in(Script::Cyrillic) {
        // What does not compose is a stress mark, written in dictionaries only.
        lower.retain(|c| !matches!(c, '\u{300}' | '\u{301}'));
        lower = lower.replace('ё', "е");
    }
    lower
}

/// Folds what diacritics are left, but for the letters that are letters of their own in the language.
fn folded(language: Language, lower: &str) -> String {
    if lower.is_ascii() {
        return lower.to_owned();
    }
    let own = language.traits().map_or("", |traits| traits.letters);
    let mut folded = String::with_capacity(lower.len());
    let mut rest = lower;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| own.contains(c)).unwrap_or(rest.len());
        if end == 0 {
            folded.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            chars::fold_cluster(&rest[..end], &mut String::new(), &mut folded);
            rest = &rest[end..];
        }
    }
    folded
}

#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod tests;
