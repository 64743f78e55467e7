//! The words that rules use: a table that tells fast that a token is none of them.

use super::expression::TermWord;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Number of a word of the rules. One folded text has several, if its case counts for some terms.
pub(super) type WordId = u32;

/// "None" where an index is expected.
pub(super) const NONE: u32 = u32::MAX;

/// Words that have the same folded text.
#[derive(Debug, Clone)]
struct Entry {
    folded: Box<str>,
    /// The word whose case does not count.
    plain: WordId,
    /// Words whose case counts.
    cased: Vec<(Box<str>, WordId)>,
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
                (found, entry) if found == tag && *self.entries[entry as usize].folded == *text => {
                    return Some(entry as usize);
                }
                _ => at = (at + 1) & mask,
            }
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
        if word.prefix {
            self.note_stem(&word.folded);
        }
        let table = if word.prefix { &mut self.stems } else { &mut self.words };
        let index = match table.position(&word.folded) {
            Some(index) => index,
            None => table.insert(Entry { folded: word.folded.as_str().into(), plain: NONE, cased: Vec::new() }),
        };
        let entry = &mut table.entries[index];
        let known = match &word.cased {
            None => Some(entry.plain).filter(|id| *id != NONE),
            Some(cased) => entry.cased.iter().find(|(text, _)| **text == **cased).map(|(_, id)| *id),
        };
        known.unwrap_or_else(|| {
            let id = self.count;
            self.count += 1;
            match &word.cased {
                None => entry.plain = id,
                Some(cased) => entry.cased.push((cased.as_str().into(), id)),
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

    /// Appends the numbers of the words that a token is or starts with.
    pub(super) fn find(&self, folded: &str, cased: &str, ids: &mut Vec<WordId>) {
        if let Some(entry) = self.words.get(folded) {
            push(entry, ids, |text| text == cased);
        }
        if self.lengths.is_empty() {
            return;
        }
        let mut stem = |length: usize| {
            if let Some(entry) = folded.get(..length).and_then(|stem| self.stems.get(stem)) {
                push(entry, ids, |text| cased.starts_with(text));
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

fn push(entry: &Entry, ids: &mut Vec<WordId>, is: impl Fn(&str) -> bool) {
    if entry.plain != NONE {
        ids.push(entry.plain);
    }
    ids.extend(entry.cased.iter().filter(|(text, _)| is(text)).map(|(_, id)| *id));
}
