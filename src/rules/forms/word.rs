//! Which forms a rule's word stands for.

use super::super::Forms;
use super::language::in_script;
use super::{Form, Language, LanguageSet, MAX_BYTES, MIN_LETTERS, Side, forms, script_of};
use icu_properties::props::Script;

/// What a word of a term stands for besides or instead of itself, folded as everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in super::super) struct Inflection {
    /// The word, in small letters where all languages agree on them.
    written: Box<str>,
    script: Script,
    wanted: Forms,
    /// The language that the rule names, if it has these letters; else that of the article counts.
    language: Option<Language>,
}

impl Inflection {
    /// Returns what a word stands for, as a rule writes it; none if that is itself alone.
    pub(in super::super) fn of(written: &str, wanted: Forms, language: Option<Language>) -> Option<Self> {
        if wanted == Forms::Exact && language.is_none() {
            return None;
        }
        let script = script_of(written)?;
        let language = language.filter(|language| language.is_written_in(script));
        let otherwise = language.is_some_and(Language::folds_otherwise);
        let inflects = wanted == Forms::Inflected
            && language.map_or(!in_script(script).is_empty(), Language::has_forms)
            && written.len() <= MAX_BYTES
            && written.chars().filter(|c| c.is_alphabetic()).count() >= MIN_LETTERS;
        if !otherwise && !inflects {
            return None;
        }
        // Turkish has other small letters for these.
        let lower = |c: char| if matches!(c, 'I' | 'İ') { c.to_string() } else { c.to_lowercase().collect() };
        let wanted = if inflects { Forms::Inflected } else { Forms::Exact };
        Some(Self { written: written.chars().map(lower).collect(), script, wanted, language })
    }

    /// Whether the word matches as it does without forms, too.
    pub(in super::super) fn keeps_itself(&self) -> bool {
        !self.language.is_some_and(Language::folds_otherwise)
    }

    /// Whether the forms of a language count in articles of that language only, since the rule names none.
    pub(super) fn is_guessed(&self) -> bool {
        self.language.is_none()
    }

    /// Whether it stands for other forms, and not only for itself in its language's letters.
    pub(in super::super) fn is_inflected(&self) -> bool {
        self.wanted == Forms::Inflected
    }

    /// Returns the languages that the word may be in.
    pub(super) fn languages(&self) -> LanguageSet {
        self.language.map_or_else(|| in_script(self.script), |language| [language].into_iter().collect())
    }

    /// Calls `each` with what a word of a text must have among its own forms, in one of the languages.
    pub(super) fn forms(&self, language: Language, mut each: impl FnMut(Form<'_>)) {
        forms(language, &self.written, Side::Term, |form| match form {
            Form::Whole(_) if self.keeps_itself() => {}
            Form::Stem(_) if !self.is_inflected() => {}
            form => each(form),
        });
    }

    /// Returns what decides which words it matches, unambiguously.
    pub(in super::super) fn key(&self) -> String {
        let sign = if self.is_inflected() { '~' } else { '=' };
        let language = self.language.map_or("?", Language::code);
        format!("{sign}{language}{}:{}", self.written.len(), self.written)
    }
}
