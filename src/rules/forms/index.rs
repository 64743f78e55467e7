//! The words of rules by their forms, and how those of a token are found.

use super::super::vocabulary::WordId;
use super::{Form, Inflection, Language, LanguageSet, Side, forms, script_of};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;
use std::sync::OnceLock;

/// The words of rules that stand for other forms.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct FormIndex {
    words: Vec<(Inflection, WordId)>,
    /// The languages that rules name.
    named: LanguageSet,
    /// Those that other words are in if the article is.
    guessed: LanguageSet,
    /// Whether some word stands for itself in a language's own letters, so that short tokens matter.
    wholes: bool,
    /// By language and whether it is guessed; made when an article asks for it, since most languages never do and a word
    /// has forms in dozens.
    tables: FxHashMap<(Language, bool), OnceLock<Table>>,
}

/// By form: the words that it is a form of, and whether it must be a word itself, else a stem.
type Table = FxHashMap<Box<str>, Vec<(WordId, bool)>>;

impl FormIndex {
    pub(in super::super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether it matters in which language an article is.
    pub(in super::super) fn asks_for_language(&self) -> bool {
        !self.guessed.is_empty()
    }

    /// Enters a word.
    pub(in super::super) fn insert(&mut self, inflection: &Inflection, id: WordId) {
        let (languages, guessed) = (inflection.languages(), inflection.is_guessed());
        let of_kind = if guessed { &mut self.guessed } else { &mut self.named };
        if !of_kind.union(languages).eq(of_kind) {
            *of_kind = of_kind.union(languages);
            for language in languages.iter() {
                self.tables.entry((language, guessed)).or_default();
            }
        }
        self.wholes |= !inflection.keeps_itself();
        self.words.push((inflection.clone(), id));
    }

    fn table(&self, language: Language, guessed: bool) -> Option<&Table> {
        let made = || {
            let mut table = Table::default();
            let words = self.words.iter().filter(|(word, _)| word.is_guessed() == guessed);
            for (word, id) in words.filter(|(word, _)| word.languages().contains(language)) {
                word.forms(language, |form| {
                    let (text, whole) = parts(form);
                    let entry = table.entry(text.into()).or_default();
                    if !entry.contains(&(*id, whole)) {
                        entry.push((*id, whole));
                    }
                });
            }
            table
        };
        self.tables.get(&(language, guessed)).map(|table| table.get_or_init(made))
    }

    /// Appends the words of which a token of an article is a form.
    fn find(&self, written: &str, article: Option<Language>, ids: &mut Vec<WordId>) {
        let Some(script) = script_of(written) else { return };
        let article = article.filter(|language| self.guessed.contains(*language));
        let others = article.filter(|language| !self.named.contains(*language));
        for language in self.named.iter().chain(others).filter(|language| language.is_written_in(script)) {
            let named = self.table(language, false);
            let guessed = self.table(language, true).filter(|_| article == Some(language));
            forms(language, written, Side::Text, |form| {
                let (text, is_whole) = parts(form);
                let words = named.into_iter().chain(guessed).filter_map(|table| table.get(text)).flatten();
                ids.extend(words.filter(|(_, whole)| *whole == is_whole).map(|(id, _)| *id));
            });
        }
        ids.sort_unstable();
        ids.dedup();
    }
}

fn parts(form: Form<'_>) -> (&str, bool) {
    match form {
        Form::Whole(text) => (text, true),
        Form::Stem(text) => (text, false),
    }
}

/// The tokens that were met lately: nearly all were, and stemming costs more than all else.
#[derive(Debug, Default)]
pub(in super::super) struct FormMemory {
    /// The language of the article at hand.
    article: Option<Language>,
    slots: Vec<Slot>,
    /// Words of the tokens in the slots.
    ids: Vec<WordId>,
    /// Words of the token at hand, if it is not remembered.
    other: Vec<WordId>,
}

/// The slots of a memory, which takes four megabytes.
const SLOTS: usize = 1 << 16;

/// The words of rules that are remembered with them at most.
const MAX_IDS: usize = 1 << 18;

/// The bytes of a token that is remembered.
const TOKEN_BYTES: usize = 52;

/// A token of articles in a language, and where its words stand in `FormMemory::ids`; of the size of a cache line.
#[derive(Debug, Clone, Copy)]
struct Slot {
    text: [u8; TOKEN_BYTES],
    length: u8,
    article: Option<Language>,
    start: u32,
    count: u32,
}

const EMPTY: Slot = Slot { text: [0; TOKEN_BYTES], length: 0, article: None, start: 0, count: 0 };

impl Slot {
    fn holds(&self, written: &str, article: Option<Language>) -> bool {
        self.article == article && self.text[..usize::from(self.length)] == *written.as_bytes()
    }
}

impl FormMemory {
    /// Starts an article in a language.
    pub(in super::super) fn start(&mut self, article: Option<Language>) {
        self.article = article;
        if self.slots.is_empty() || self.ids.len() > MAX_IDS {
            self.slots.clear();
            self.slots.resize(SLOTS, EMPTY);
            self.ids.clear();
        }
    }

    /// Returns the words of which a token is a form.
    pub(in super::super) fn words(&mut self, written: &str, index: &FormIndex) -> &[WordId] {
        let first = written.as_bytes().first().copied().unwrap_or_default();
        if first.is_ascii_digit() || (written.len() < super::MIN_LETTERS && !index.wholes) {
            return &[];
        }
        let mut hasher = FxHasher::default();
        hasher.write(written.as_bytes());
        // A token has two slots side by side; the one that is older is given up.
        let at = (hasher.finish() >> 20) as usize % SLOTS;
        for slot in [at, at ^ 1] {
            let slot = &self.slots[slot];
            if slot.holds(written, self.article) {
                return &self.ids[slot.start as usize..][..slot.count as usize];
            }
        }
        self.other.clear();
        index.find(written, self.article, &mut self.other);
        if written.len() <= TOKEN_BYTES && self.ids.len() <= MAX_IDS {
            let mut slot = Slot {
                length: written.len() as u8,
                article: self.article,
                start: self.ids.len() as u32,
                count: self.other.len() as u32,
                ..EMPTY
            };
            slot.text[..written.len()].copy_from_slice(written.as_bytes());
            self.ids.extend_from_slice(&self.other);
            self.slots[at ^ 1] = self.slots[at];
            self.slots[at] = slot;
        }
        &self.other
    }
}
