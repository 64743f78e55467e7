//! The words that rules use: a table that tells fast that a token is none of them.

use super::chars::{self, Class};
use super::expression::{TermWord, WordKind};
use super::forms::{FormIndex, FormMemory, Inflection};
use rustc_hash::FxHasher;
use smol_str::SmolStr;
use std::hash::Hasher;
use std::sync::Arc;

/// Number of a word of the rules. One folded text has several, if its case counts for some terms.
pub(super) type WordId = u32;

/// "None" where an index is expected.
pub(super) const NONE: u32 = u32::MAX;

/// Words that have the same folded text, or that start with the same letters; half a cache line, with the text in it.
#[derive(Debug, Clone)]
struct Entry {
    folded: SmolStr,
    /// The word whose case does not count.
    plain: WordId,
    /// Words that ask for more than the folded text: their place in `Table::others`, or `NONE`.
    others: u32,
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

/// An open-addressing table of folded texts behind a filter of one bit for each hash.
#[derive(Debug, Clone, Default)]
struct Table {
    /// One bit for each of 16 values an entry: most tokens of an article end here.
    filter: Vec<u64>,
    filter_mask: u64,
    /// Upper half of the hash, entry.
    slots: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    others: Vec<Vec<(Demand, WordId)>>,
}

fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl Table {
    fn get(&self, text: &str) -> Option<&Entry> {
        self.position(text).map(|index| &self.entries[index])
    }

    fn position(&self, text: &str) -> Option<usize> {
        if self.entries.is_empty() {
            return None;
        }
        let hash = hash(text);
        let bit = hash & self.filter_mask;
        if self.filter[(bit / 64) as usize] & (1 << (bit % 64)) == 0 {
            return None;
        }
        let tag = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots[at] {
                (_, NONE) => return None,
                (found, entry) if found == tag && self.entries[entry as usize].folded == *text => {
                    return Some(entry as usize);
                }
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Appends the words of an entry that a token meets.
    fn push(&self, entry: &Entry, ids: &mut Vec<WordId>, folded: &str, cased: &str, has_case: impl Fn(&str) -> bool) {
        if entry.plain != NONE {
            ids.push(entry.plain);
        }
        let meets = |demand: &Demand| match demand {
            Demand::Cased(text) => has_case(text),
            Demand::Folded(wildcard) => fits(wildcard, folded),
            Demand::CasedWildcard(wildcard) => fits(wildcard, cased),
            Demand::Forms(forms) => forms.keeps_itself(),
        };
        if let Some(others) = self.others.get(entry.others as usize) {
            ids.extend(others.iter().filter(|(demand, _)| meets(demand)).map(|(_, id)| *id));
        }
    }

    fn insert(&mut self, entry: Entry) -> usize {
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.index(&entry.folded, self.entries.len() as u32);
        self.entries.push(entry);
        self.entries.len() - 1
    }

    fn grow(&mut self) {
        let capacity = (self.slots.len() * 2).max(64);
        self.slots = vec![(0, NONE); capacity];
        self.filter = vec![0; capacity * 8 / 64];
        self.filter_mask = (capacity * 8 - 1) as u64;
        let entries = std::mem::take(&mut self.entries);
        for (index, entry) in entries.iter().enumerate() {
            self.index(&entry.folded, index as u32);
        }
        self.entries = entries;
    }

    fn index(&mut self, text: &str, entry: u32) {
        let hash = hash(text);
        let bit = hash & self.filter_mask;
        self.filter[(bit / 64) as usize] |= 1 << (bit % 64);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].1 != NONE {
            at = (at + 1) & mask;
        }
        self.slots[at] = ((hash >> 32) as u32, entry);
    }
}

/// All words and stems that rules use.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    words: Table,
    stems: Table,
    /// By a hash of the first bytes (as many as `HEAD`, or all of a shorter stem): a bit for each length of such a stem.
    lengths: Vec<u64>,
    /// Lengths of stems that have no bit of their own.
    long: Vec<usize>,
    /// Whether a stem has that length, shorter than `HEAD`.
    short: [bool; HEAD],
    forms: FormIndex,
    count: u32,
}

/// Bytes of a stem that the filter looks at.
const HEAD: usize = 3;

fn head(bytes: &[u8]) -> usize {
    let value = bytes.iter().take(HEAD).fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
    (value.wrapping_mul(0x9e37_79b1) >> 20) as usize
}

impl Vocabulary {
    /// Returns how many words there are.
    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    /// Returns the number of a word, a new one if it has none.
    pub(super) fn intern(&mut self, word: &TermWord) -> WordId {
        let head = word.head();
        let table = if word.kind == WordKind::Whole {
            &mut self.words
        } else {
            self.note_stem(head);
            &mut self.stems
        };
        let index = match table.position(head) {
            Some(index) => index,
            None => table.insert(Entry { folded: head.into(), plain: NONE, others: NONE }),
        };
        let demand = Demand::of(word);
        let entry = &mut table.entries[index];
        if demand.is_some() && entry.others == NONE {
            entry.others = u32::try_from(table.others.len()).expect("rules have fewer than 2^32 words");
            table.others.push(Vec::new());
        }
        let others = table.others.get_mut(entry.others as usize);
        let known = match &demand {
            None => Some(entry.plain).filter(|id| *id != NONE),
            Some(demand) => {
                let mut others = others.iter().flat_map(|others| others.iter());
                others.find(|(other, _)| other == demand).map(|(_, id)| *id)
            }
        };
        known.unwrap_or_else(|| {
            let id = self.count;
            self.count += 1;
            if let Some(forms) = &word.forms {
                self.forms.insert(forms, id);
            }
            match (demand, others) {
                (Some(demand), Some(others)) => others.push((demand, id)),
                _ => entry.plain = id,
            }
            id
        })
    }

    fn note_stem(&mut self, stem: &str) {
        if self.lengths.is_empty() {
            self.lengths = vec![0; 1 << 12];
        }
        let length = stem.len();
        if length < HEAD {
            self.short[length] = true;
        } else if length < 64 {
            self.lengths[head(stem.as_bytes())] |= 1 << length;
        } else if !self.long.contains(&length) {
            self.long.push(length);
        }
    }

    /// Whether some word stands for other forms, so that `find_forms` may find more than `find`.
    pub(super) fn has_forms(&self) -> bool {
        !self.forms.is_empty()
    }

    /// Whether it matters in which language an article is.
    pub(super) fn asks_for_language(&self) -> bool {
        self.forms.asks_for_language()
    }

    /// Appends the numbers of the words of which a token, as it is written, is a form.
    pub(super) fn find_forms(&self, written: &str, memory: &mut FormMemory, ids: &mut Vec<WordId>) {
        for id in memory.words(written, &self.forms) {
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
    }

    /// Appends the numbers of the words that a token is or starts with.
    pub(super) fn find(&self, folded: &str, cased: &str, ids: &mut Vec<WordId>) {
        if let Some(entry) = self.words.get(folded) {
            self.words.push(entry, ids, folded, cased, |text| text == cased);
        }
        if self.lengths.is_empty() {
            return;
        }
        let mut stem = |length: usize| {
            if let Some(entry) = folded.get(..length).and_then(|stem| self.stems.get(stem)) {
                self.stems.push(entry, ids, folded, cased, |text| cased.starts_with(text));
            }
        };
        (1..HEAD).filter(|length| self.short[*length]).for_each(&mut stem);
        if folded.len() >= HEAD {
            let mut lengths = self.lengths[head(folded.as_bytes())];
            while lengths != 0 {
                stem(lengths.trailing_zeros() as usize);
                lengths &= lengths - 1;
            }
            self.long.iter().copied().for_each(&mut stem);
        }
    }
}
