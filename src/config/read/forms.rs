//! `forms` and `language` of rules and term groups.

use super::super::{
    problem::{Complaint, Report},
    section::Section,
};
use crate::rules::{Forms, Language, lint::name};

const FORMS: [(&str, Forms); 2] = [("exact", Forms::Exact), ("inflected", Forms::Inflected)];

/// What a rule or a term group says of the forms of its words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WordForms {
    pub(super) forms: Option<Forms>,
    pub(super) language: Option<Language>,
}

impl WordForms {
    pub(super) fn read(section: &Section<'_>, report: &mut Report<'_>) -> Self {
        Self { forms: section.word("forms", &FORMS, report), language: section.parsed("language", report, language) }
    }

    /// Warns where the keys change nothing. `inflects` tells whether some word has other forms.
    pub(super) fn warn(self, section: &Section<'_>, inflects: bool, allow: &[&str], report: &mut Report<'_>) {
        if self.forms != Some(Forms::Inflected) || allow.contains(&name::NO_WORD_FORMS) {
            return;
        }
        if let Some(language) = self.language.filter(|language| !language.has_forms()) {
            return warn_of_language(language, section, report);
        }
        if inflects {
            return;
        }
        let as_written = "words with a `*` or `?`, in capitals only or of two letters, and those whose case counts match \
                          as they are written";
        let message = match self.language {
            Some(language) => {
                format!(
                    "changes nothing: no term has a word in the letters of {} that may inflect ({as_written})",
                    language.name()
                )
            }
            None => format!("changes nothing: no term has a word of which forms are known ({as_written})"),
        };
        report.warn(&section.place_of("forms"), Complaint::from(message).named(name::NO_WORD_FORMS));
    }
}

fn warn_of_language(language: Language, section: &Section<'_>, report: &mut Report<'_>) {
    let shown = language.name();
    let message = match language.code() {
        "ko" => "`forms` changes nothing in Korean: a term matches as the start of a word already, whatever particle \
                 follows"
            .to_owned(),
        "zh" | "ja" | "th" => {
            format!("`forms` changes nothing in {shown}: a term matches as a run of characters, whatever follows")
        }
        code => {
            let named = if shown == code { String::new() } else { format!("{shown}, ") };
            format!(
                "there is no stemmer for {named}`{code}`, so that `forms` changes nothing there: write a `*` for the \
                 endings, such as `missile*`"
            )
        }
    };
    report.warn(&section.place_of("language"), Complaint::from(message).named(name::NO_WORD_FORMS));
}

fn language(text: &str) -> Result<Language, Complaint> {
    Language::of_tag(text).ok_or_else(|| {
        let message = format!("`{text}` is not the code of a language; write two letters, such as `uk` or `pt`");
        Complaint::suggesting(message, Language::named(text).map(|language| language.code().to_owned()))
    })
}
