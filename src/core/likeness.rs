//! Likeness of short texts: by their words and their numbers, for edits and rewritten headlines only.
//!
//! Words are those of UAX #29, so that every script has some. Near-duplicates of different outlets need more than this.

use std::collections::BTreeSet;
use unicode_segmentation::UnicodeSegmentation;

/// The words of a text, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    words: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl Words {
    /// Splits a text.
    pub(super) fn of(text: &str) -> Self {
        let words: BTreeSet<String> = text.unicode_words().map(str::to_lowercase).collect();
        let numbers = words.iter().filter(|word| word.chars().any(char::is_numeric)).cloned().collect();
        Self { words, numbers }
    }

    /// Returns how many different words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Tells whether both name the same numbers: parts of a series differ in little else.
    pub(super) fn same_numbers(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }

    /// Returns the share of the shorter text's words that the longer one has too, 0 to 1; 0 where one has none.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        share(self.shared(other), self.len().min(other.len()))
    }

    /// Returns the share of all words that both have, 0 to 1; 0 where neither has any.
    pub(super) fn jaccard(&self, other: &Self) -> f64 {
        let shared = self.shared(other);
        share(shared, self.len() + other.len() - shared)
    }

    /// Tells whether both have a word that may tell what they are about: a long one, or one of a script without many.
    pub(super) fn has_topic_of(&self, other: &Self) -> bool {
        self.words
            .intersection(&other.words)
            .any(|word| word.len() > 4 || (word.len() > 2 && word.chars().count() == 1))
    }

    fn shared(&self, other: &Self) -> usize {
        self.words.intersection(&other.words).count()
    }
}

/// Tells whether one headline can be an edit of the other: half of the words, and the same numbers.
pub(super) fn is_edit_of(headline: &str, other: &str) -> bool {
    let (words, others) = (Words::of(headline), Words::of(other));
    words.overlap(&others) >= 0.5 && words.same_numbers(&others)
}

#[expect(clippy::cast_precision_loss, reason = "texts have few words")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_an_edit_from_another_headline() {
        for (one, other, edit) in [
            ("DPRK fires ballistic missiles", "UPDATE: DPRK fires two ballistic missiles", true),
            ("DPRK fires ballistic missiles", "dprk FIRES ballistic missiles!", true),
            ("КНДР провела пуск ракеты", "КНДР провела пуск двух ракет", true),
            ("Warning level 3 for the coast", "Warning level 4 for the coast", false),
            ("DPRK fires ballistic missiles", "Harvest festival opens", false),
            ("", "", false),
            ("", "Harvest", false),
        ] {
            assert_eq!(is_edit_of(one, other), edit, "{one} / {other}");
            assert_eq!(is_edit_of(other, one), edit, "{other} / {one}");
        }
    }
}
