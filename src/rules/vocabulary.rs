//! The words that rules use: a table that tells fast that a token is none of them.

mod stems;

use super::chars::{self, Class};
use super::compiled::{TermId, TermUse};
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
    /// Words that ask for more than the folded text: the first of them in `Table::others`, or `NONE`.
    others: u32,
    /// Part of the hash.
    tag: u16,
    /// Whether the stems that the text starts with are not among `others`, since they are too many.
    stems_apart: bool,
}

/// The words of stems that an entry holds at most.
const MAX_OF_STEMS: usize = 16;

/// What a word asks for besides its folded text.
#[derive(Debug, Clone, PartialEq)]
enum Demand {
    /// Nothing, but it is a stem of the folded text.
    Stem,
    /// The same in its case.
    CasedStem(Box<str>),
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
            (Some(cased), WordKind::Prefix) => Some(Self::CasedStem(cased.as_str().into())),
            (Some(cased), WordKind::Whole) => Some(Self::Cased(cased.as_str().into())),
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

/// A word that asks for more than the folded text of an entry.
#[derive(Debug, Clone)]
struct Other {
    demand: Demand,
    word: WordUse,
    /// Whether the entry has no more.
    is_last: bool,
}

/// A table of folded texts.
#[derive(Debug, Clone, Default)]
struct Table {
    entries: HashTable<Entry>,
    /// By entry, until `finish` puts them one after the other: words that ask for more.
    apart: Vec<Vec<(Demand, WordId)>>,
    others: Vec<Other>,
}

/// Returns the hash of a folded text.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn tag(hash: u64) -> u16 {
    (hash >> 32) as u16
}

impl Table {
    fn get(&self, hash: u64, text: &str) -> Option<&Entry> {
        self.entries.find(hash, |entry| entry.folded == *text)
    }

    /// Returns the entry of a text, a new one if it has none, and the words that ask for more, if there are some or
    /// `with_others` asks for them.
    fn entry(&mut self, text: &str, with_others: bool) -> (&mut Entry, Option<&mut Vec<(Demand, WordId)>>) {
        let hash = hash(text);
        let new =
            || Entry { folded: text.into(), plain: WordUse::NONE, others: NONE, tag: tag(hash), stems_apart: false };
        let of_text = |entry: &Entry| entry.folded == *text;
        let entry = self.entries.entry(hash, of_text, |entry| self::hash(&entry.folded)).or_insert_with(new).into_mut();
        let others = match with_others {
            true => Some(others_of(entry, &mut self.apart)),
            false => self.apart.get_mut(entry.others as usize),
        };
        (entry, others)
    }

    /// Returns the words of a stem with what they ask for of a text that starts with it.
    fn words_of(&self, stem: Option<&str>) -> Vec<(Demand, WordId)> {
        let Some(entry) = stem.and_then(|stem| self.get(hash(stem), stem)) else { return Vec::new() };
        let plain = Some((Demand::Stem, entry.plain.word)).filter(|(_, word)| *word != NONE);
        let others = self.apart.get(entry.others as usize).into_iter().flatten();
        plain.into_iter().chain(others.cloned()).collect()
    }

    /// Notes with each entry what its words are for.
    fn finish(&mut self, uses: &[WordUse]) {
        let apart = std::mem::take(&mut self.apart);
        for entry in self.entries.iter_mut() {
            if let Some(word) = uses.get(entry.plain.word as usize) {
                entry.plain = *word;
            }
            if let Some(apart) = apart.get(entry.others as usize) {
                entry.others = u32::try_from(self.others.len()).expect("rules have fewer than 2^32 words");
                let other = |(demand, word): &(Demand, WordId)| Other {
                    demand: demand.clone(),
                    word: uses[*word as usize],
                    is_last: false,
                };
                self.others.extend(apart.iter().map(other));
                self.others.last_mut().expect("none is made empty").is_last = true;
            }
        }
    }
}

/// Returns the words of an entry that ask for more than the folded text.
fn others_of<'o>(entry: &mut Entry, others: &'o mut Vec<Vec<(Demand, WordId)>>) -> &'o mut Vec<(Demand, WordId)> {
    if entry.others == NONE {
        entry.others = u32::try_from(others.len()).expect("rules have fewer than 2^32 words");
        others.push(Vec::new());
    }
    &mut others[entry.others as usize]
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
        self.lengths.finish(self.stems.entries.iter().map(|entry| entry.folded.as_str()));
        let Table { entries, apart, .. } = &mut self.words;
        for entry in entries.iter_mut() {
            let mut of_stems = Vec::new();
            self.lengths.of(&entry.folded, |length| of_stems.extend(self.stems.words_of(entry.folded.get(..length))));
            if of_stems.len() > MAX_OF_STEMS {
                entry.stems_apart = true;
            } else if !of_stems.is_empty() {
                others_of(entry, apart).extend(of_stems);
            }
        }
        self.words.finish(&self.uses);
        self.stems.finish(&self.uses);
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
                Self::push(&self.words, entry, token, found);
                if !entry.stems_apart {
                    return;
                }
            }
        }
        self.lengths.of(token.folded, |length| {
            let stem = token.folded.get(..length);
            if let Some(entry) = stem.and_then(|stem| self.stems.get(hash(stem), stem)) {
                Self::push(&self.stems, entry, token, found);
            }
        });
    }

    /// Appends the words of an entry that a token meets.
    fn push(table: &Table, entry: &Entry, token: Sought<'_>, found: &mut Vec<WordUse>) {
        if entry.plain.word != NONE {
            found.push(entry.plain);
        }
        let meets = |demand: &Demand| match demand {
            Demand::Stem => true,
            Demand::CasedStem(text) => token.cased.starts_with(&**text),
            Demand::Cased(text) => token.cased == &**text,
            Demand::Folded(wildcard) => fits(wildcard, token.folded),
            Demand::CasedWildcard(wildcard) => fits(wildcard, token.cased),
            Demand::Forms(forms) => forms.keeps_itself(),
        };
        for other in table.others.get(entry.others as usize..).unwrap_or_default() {
            if meets(&other.demand) {
                found.push(other.word);
            }
            if other.is_last {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reading;
    use super::super::expression::Term;
    use super::*;

    /// Returns the words of a vocabulary that a token is.
    fn found(written: &[String], token: &str) -> Vec<WordId> {
        let mut vocabulary = Vocabulary::default();
        for term in written {
            let term = Term::parse(term, Reading::default()).unwrap();
            vocabulary.intern(&term.words[0]);
        }
        vocabulary.finish(|_| TermUse::NONE);
        let (folded, hash) = (token.to_lowercase(), hash(&token.to_lowercase()));
        let mut found = Vec::new();
        vocabulary.find(Sought { folded: &folded, cased: token, hash }, vocabulary.likely(hash), &mut found);
        let mut found: Vec<WordId> = found.iter().map(|word| word.word).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn a_known_word_has_its_stems_however_many_they_are() {
        for stems in [1, 3, MAX_OF_STEMS, MAX_OF_STEMS + 1, 40] {
            let word = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
            let mut written: Vec<String> = (0..stems).map(|stem| format!("{}*", &word[..=stem + 2])).collect();
            written.extend([word.to_owned(), "other*".to_owned(), "abd*".to_owned()]);
            let own: Vec<WordId> = (0..=stems as WordId).collect();
            assert_eq!(found(&written, word), own, "{stems}, the word itself");
            assert_eq!(found(&written, &format!("{word}x")), own[..stems], "{stems}, a longer word");
        }
    }

    #[test]
    fn a_known_word_has_the_stems_in_their_case_and_with_their_wildcards() {
        let written = ["usable", "US*", "us?ble", "us?x*", "usab*"].map(str::to_owned);
        assert_eq!(found(&written, "usable"), [0, 2, 4]);
        assert_eq!(found(&written, "USABLE"), [0, 1, 2, 4]);
        assert_eq!(found(&written, "USAGE"), [1]);
    }
}
