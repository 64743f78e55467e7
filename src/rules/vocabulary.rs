//! The words that rules use: a table that tells fast that a token is none of them.

mod stems;

use super::chars::{self, Class};
use super::compile::{TermId, TermUse};
use super::expression::{TermWord, WordKind};
use super::forms::{FormIndex, FormMemory, Inflection};
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smol_str::SmolStr;
use std::hash::Hasher;
use std::sync::Arc;
use stems::Lengths;

/// Number of a word of the rules. One folded text has several, if its case counts for some terms.
pub(super) type WordId = u32;

/// "None" where an index is expected.
pub(super) const NONE: u32 = u32::MAX;

/// What a word is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordUse {
    pub(super) word: WordId,
    /// The term that it is.
    pub(super) term: TermUse,
    /// The node of the trie of phrases that it leads to as a first word, or `NONE`.
    pub(super) node: u32,
    /// The words that may follow it there, as `follower` gives them.
    pub(super) following: u32,
}

impl WordUse {
    const NONE: Self = Self { word: NONE, term: TermUse::NONE, node: NONE, following: 0 };

    fn of(word: WordId) -> Self {
        Self { word, ..Self::NONE }
    }
}

/// Returns a word as one of 32 bits, by which most that do not follow another are told from those that do.
pub(super) fn follower(word: WordId) -> u32 {
    1 << (word.wrapping_mul(0x9e37_79b1) >> 27)
}

/// Words that have the same folded text, or that start with the same letters: all that most tokens need in one cache
/// line, for nothing takes as long as waiting for another.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Entry {
    folded: SmolStr,
    /// The word whose case does not count.
    plain: WordUse,
    /// Words that ask for more than the folded text: their place in `Table::others`, or `NONE`.
    others: u32,
    /// Part of the hash.
    tag: u32,
}

/// What a word asks for besides its folded text.
#[derive(Debug, Clone, PartialEq)]
enum Demand {
    /// Its case.
    Cased(Box<str>),
    /// Its letters, some of which may be any.
    Folded(Box<str>),
    /// The same in its case.
    CasedWildcard(Box<str>),
    /// Nothing, but it stands for other forms too, or instead.
    Forms(Arc<Inflection>),
}

impl Demand {
    fn of(word: &TermWord) -> Option<Self> {
        if let Some(forms) = &word.forms {
            return Some(Self::Forms(Arc::clone(forms)));
        }
        match (&word.cased, word.kind) {
            (None, WordKind::Wildcard) => Some(Self::Folded(word.folded.as_str().into())),
            (Some(cased), WordKind::Wildcard) => Some(Self::CasedWildcard(cased.as_str().into())),
            (Some(cased), _) => Some(Self::Cased(cased.as_str().into())),
            (None, _) => None,
        }
    }
}

/// Whether a word is what is asked for: `?` is one letter with its marks, a `*` at the end any ending.
fn fits(wildcard: &str, word: &str) -> bool {
    let is_mark = |c: &char| !c.is_ascii() && chars::class(*c) == Class::Mark;
    let mut letters = word.chars().peekable();
    for c in wildcard.chars() {
        match c {
            '*' => return true,
            '?' => {
                if letters.next().is_none_or(|c| is_mark(&c)) {
                    return false;
                }
                while letters.next_if(is_mark).is_some() {}
            }
            c if letters.next() != Some(c) => return false,
            _ => {}
        }
    }
    letters.next().is_none()
}

/// A table of folded texts.
#[derive(Debug, Clone, Default)]
struct Table {
    entries: HashTable<Entry>,
    others: Vec<Vec<(Demand, WordId)>>,
}

/// Returns the hash of a folded text.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn tag(hash: u64) -> u32 {
    (hash >> 24) as u32
}

impl Table {
    fn get(&self, hash: u64, text: &str) -> Option<&Entry> {
        self.entries.find(hash, |entry| entry.folded == *text)
    }

    /// Returns the entry of a text, a new one if it has none, and the words that ask for more, if there are some or
    /// `with_others` asks for them.
    fn entry(&mut self, text: &str, with_others: bool) -> (&mut Entry, Option<&mut Vec<(Demand, WordId)>>) {
        let hash = hash(text);
        let new = || Entry { folded: text.into(), plain: WordUse::NONE, others: NONE, tag: tag(hash) };
        let of_text = |entry: &Entry| entry.folded == *text;
        let entry = self.entries.entry(hash, of_text, |entry| self::hash(&entry.folded)).or_insert_with(new).into_mut();
        if with_others && entry.others == NONE {
            entry.others = u32::try_from(self.others.len()).expect("rules have fewer than 2^32 words");
            self.others.push(Vec::new());
        }
        let others = self.others.get_mut(entry.others as usize);
        (entry, others)
    }
}

/// All words and stems that rules use.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    words: Table,
    stems: Table,
    lengths: Lengths,
    forms: FormIndex,
    /// By word.
    uses: Vec<WordUse>,
}

/// A token as the vocabulary looks it up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) folded: &'a str,
    pub(super) cased: &'a str,
    /// Of the folded text.
    pub(super) hash: u64,
}

impl Vocabulary {
    /// Returns the number of a word, a new one if it has none.
    pub(super) fn intern(&mut self, word: &TermWord) -> WordId {
        let head = word.head();
        let table = if word.kind == WordKind::Whole {
            &mut self.words
        } else {
            self.lengths.insert(head);
            &mut self.stems
        };
        let demand = Demand::of(word);
        let (entry, others) = table.entry(head, demand.is_some());
        let known = match &demand {
            None => Some(entry.plain.word).filter(|id| *id != NONE),
            Some(demand) => {
                let mut others = others.iter().flat_map(|others| others.iter());
                others.find(|(other, _)| other == demand).map(|(_, id)| *id)
            }
        };
        known.unwrap_or_else(|| {
            let id = u32::try_from(self.uses.len()).expect("rules have fewer than 2^32 words");
            self.uses.push(WordUse::of(id));
            if let Some(forms) = &word.forms {
                self.forms.insert(forms, id);
            }
            match (demand, others) {
                (Some(demand), Some(others)) => others.push((demand, id)),
                _ => entry.plain.word = id,
            }
            id
        })
    }

    /// Returns what a word is for, to be changed until `finish`.
    pub(super) fn use_of(&mut self, word: WordId) -> &mut WordUse {
        &mut self.uses[word as usize]
    }

    /// Notes what the terms are for, and with each entry what its word is for.
    pub(super) fn finish(&mut self, term_use: impl Fn(TermId) -> TermUse) {
        for word in self.uses.iter_mut().filter(|word| word.term.term != NONE) {
            word.term = term_use(word.term.term);
        }
        for entry in self.words.entries.iter_mut().chain(self.stems.entries.iter_mut()) {
            if let Some(word) = self.uses.get(entry.plain.word as usize) {
                entry.plain = *word;
            }
        }
        self.lengths.finish(self.stems.entries.iter().map(|entry| entry.folded.as_str()));
    }

    /// Whether some word stands for other forms, so that `find_forms` may find more than `find`.
    pub(super) fn has_forms(&self) -> bool {
        !self.forms.is_empty()
    }

    /// Whether it matters in which language an article is.
    pub(super) fn asks_for_language(&self) -> bool {
        self.forms.asks_for_language()
    }

    /// Appends the words of which a token, as it is written, is a form.
    pub(super) fn find_forms(&self, written: &str, memory: &mut FormMemory, found: &mut Vec<WordUse>) {
        for id in memory.words(written, &self.forms) {
            if !found.iter().any(|known| known.word == *id) {
                found.push(self.uses[*id as usize]);
            }
        }
    }

    /// Returns the entry that a text of this hash very likely has. Of many texts this is asked first and the rest
    /// after it, so that the processor waits for the memory of several at once.
    pub(super) fn likely(&self, hash: u64) -> Option<&Entry> {
        self.words.entries.find(hash, |entry| entry.tag == tag(hash))
    }

    /// Appends the words that a token, of which `likely` was found, is or starts with.
    pub(super) fn find(&self, token: Sought<'_>, likely: Option<&Entry>, found: &mut Vec<WordUse>) {
        if let Some(likely) = likely {
            let entry = match likely.folded == *token.folded {
                true => Some(likely),
                false => self.words.get(token.hash, token.folded),
            };
            if let Some(entry) = entry {
                self.push(&self.words, entry, token, |text| text == token.cased, found);
            }
        }
        self.lengths.of(token.folded, |length| {
            let stem = token.folded.get(..length);
            if let Some(entry) = stem.and_then(|stem| self.stems.get(hash(stem), stem)) {
                self.push(&self.stems, entry, token, |text| token.cased.starts_with(text), found);
            }
        });
    }

    /// Appends the words of an entry that a token meets.
    fn push(
        &self,
        table: &Table,
        entry: &Entry,
        token: Sought<'_>,
        has_case: impl Fn(&str) -> bool,
        found: &mut Vec<WordUse>,
    ) {
        if entry.plain.word != NONE {
            found.push(entry.plain);
        }
        let meets = |demand: &Demand| match demand {
            Demand::Cased(text) => has_case(text),
            Demand::Folded(wildcard) => fits(wildcard, token.folded),
            Demand::CasedWildcard(wildcard) => fits(wildcard, token.cased),
            Demand::Forms(forms) => forms.keeps_itself(),
        };
        if let Some(others) = table.others.get(entry.others as usize) {
            found.extend(others.iter().filter(|(demand, _)| meets(demand)).map(|(_, id)| self.uses[*id as usize]));
        }
    }
}
