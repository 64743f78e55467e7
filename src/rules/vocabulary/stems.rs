//! Which beginnings of a token may be stems that rules use.

/// Bytes of a stem that the lengths are kept by.
const HEAD: usize = 3;

/// Places of heads.
const HEADS: usize = 1 << 12;

/// 2^64 divided by the golden ratio: a multiplication by it spreads numbers (Knuth, The Art of Computer Programming, 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bits of the filter for each stem: of the beginnings that are none, one in so many passes.
const BITS: usize = 32;

/// The lengths of the stems that start like a token, in bytes, and a filter of their first letters.
#[derive(Debug, Clone, Default)]
pub(super) struct Lengths {
    /// By a hash of the first bytes: a bit for each length of a stem that starts with them.
    by_head: Vec<u64>,
    /// Lengths of stems that have no bit of their own.
    long: Vec<usize>,
    /// Whether a stem has that length, shorter than `HEAD`.
    short: [bool; HEAD],
    /// Bits of `key`.
    filter: Vec<u64>,
}

/// Returns the first bytes of a text as a number, those that it has not as zeros.
fn first_bytes(text: &[u8]) -> u64 {
    match text.first_chunk() {
        Some(first) => u64::from_le_bytes(*first),
        None => text.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

/// Returns the place of the first bytes among the heads.
fn head(first: u64) -> usize {
    const HEAD_MASK: u64 = (1 << (8 * HEAD)) - 1;
    ((first & HEAD_MASK).wrapping_mul(GOLDEN) >> 52) as usize
}

/// Returns a hash of the first bytes, of which a stem has `length`.
fn key(first: u64, length: usize) -> u64 {
    let own = if length < 8 { first & ((1 << (8 * length)) - 1) } else { first };
    (own ^ (length as u64).rotate_left(59)).wrapping_mul(GOLDEN) >> 24
}

impl Lengths {
    /// Enters a stem.
    pub(super) fn insert(&mut self, stem: &str) {
        if self.by_head.is_empty() {
            self.by_head = vec![0; HEADS];
        }
        let length = stem.len();
        if length < HEAD {
            self.short[length] = true;
        } else if length < 64 {
            self.by_head[head(first_bytes(stem.as_bytes()))] |= 1 << length;
        } else if !self.long.contains(&length) {
            self.long.push(length);
        }
    }

    /// Makes the filter, of all stems that were entered.
    pub(super) fn finish<'a>(&mut self, stems: impl ExactSizeIterator<Item = &'a str>) {
        let bits = (stems.len() * BITS).next_power_of_two().max(64);
        self.filter = vec![0; bits / 64];
        for stem in stems {
            let bit = key(first_bytes(stem.as_bytes()), stem.len()) as usize % bits;
            self.filter[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Calls `each` with the lengths at which a stem of a token may end.
    pub(super) fn of(&self, token: &str, mut each: impl FnMut(usize)) {
        if self.by_head.is_empty() {
            return;
        }
        (1..HEAD).filter(|length| self.short[*length]).for_each(&mut each);
        if token.len() < HEAD {
            return;
        }
        let first = first_bytes(token.as_bytes());
        let mask = self.filter.len() * 64 - 1;
        // Lengths beyond the token's end are none of its own.
        let own = if token.len() < 63 { (2 << token.len()) - 1 } else { u64::MAX };
        let mut lengths = self.by_head[head(first)] & own;
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            let bit = key(first, length) as usize & mask;
            if self.filter[bit / 64] & (1 << (bit % 64)) != 0 {
                each(length);
            }
        }
        self.long.iter().copied().for_each(&mut each);
    }
}
