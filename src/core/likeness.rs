//! Likeness of short texts: by their words and their numbers, for edits and rewritten headlines only.
//!
//! Words are those of UAX #29, so that every script has some. Near-duplicates of different outlets need more than this.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use unicode_segmentation::UnicodeSegmentation;

/// The words of a text, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words(
    /// In their order.
    Vec<Word>,
);

/// A word, by its hash: texts are compared with many others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    hash: u64,
    /// Whether there is a digit in it.
    is_number: bool,
    /// Whether it may tell what a text is about: a long one, or one of a script without many.
    is_topic: bool,
}

impl Word {
    fn of(word: &str) -> Self {
        let lower = word.to_lowercase();
        let mut hasher = DefaultHasher::new();
        lower.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            is_number: lower.chars().any(char::is_numeric),
            is_topic: lower.len() > 4 || (lower.len() > 2 && lower.chars().count() == 1),
        }
    }
}

impl Words {
    /// Splits a text.
    pub(super) fn of(text: &str) -> Self {
        let mut words: Vec<Word> = text.unicode_words().map(Word::of).collect();
        words.sort_unstable();
        words.dedup();
        Self(words)
    }

    /// Returns how many different words there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether both name the same numbers: parts of a series differ in little else.
    pub(super) fn same_numbers(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|words| words.0.iter().filter(|word| word.is_number));
        one.eq(other)
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

    /// Tells whether both have a word that may tell what they are about.
    pub(super) fn has_topic_of(&self, other: &Self) -> bool {
        self.in_both(other).any(|word| word.is_topic)
    }

    fn shared(&self, other: &Self) -> usize {
        self.in_both(other).count()
    }

    fn in_both<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Word> {
        let mut others = other.0.iter().peekable();
        self.0.iter().filter(move |word| {
            while others.next_if(|other| other < word).is_some() {}
            others.peek() == Some(word)
        })
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
