//! Tokens that are looked up together, so that the processor waits for the memory of many of them at once.

use super::offset;
use crate::rules::text::{Gap, Token};
use crate::rules::vocabulary::{Sought, hash};

/// Tokens of a batch.
pub(super) const BATCH: usize = 32;

/// Tokens of a text, as many as are looked up together.
#[derive(Debug)]
pub(super) struct Batch<'t> {
    text: &'t str,
    tokens: Vec<BatchToken<'t>>,
    /// Folded and cased texts of tokens that the text does not have so.
    others: String,
}

/// A token of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchToken<'t> {
    /// As the text has it.
    pub(super) written: &'t str,
    /// Of the folded text.
    pub(super) hash: u64,
    /// Where its folded text is in `Batch::others`; nowhere if it is as the text has it.
    folded: (u32, u32),
    /// Where its cased text is there.
    cased: (u32, u32),
    /// First byte in the text.
    pub(super) start: u32,
    /// Byte after it.
    pub(super) end: u32,
    pub(super) gap: Gap,
    pub(super) hangul: bool,
}

impl<'t> Batch<'t> {
    /// Returns an empty batch of the tokens of a text, in space of an earlier one.
    pub(super) fn new(text: &'t str, mut others: String) -> Self {
        others.clear();
        Self { text, tokens: Vec::with_capacity(BATCH), others }
    }

    /// Returns the space, for another.
    pub(super) fn space(self) -> String {
        self.others
    }

    pub(super) fn is_full(&self) -> bool {
        self.tokens.len() == BATCH
    }

    pub(super) fn clear(&mut self) {
        self.tokens.clear();
        self.others.clear();
    }

    pub(super) fn tokens(&self) -> &[BatchToken<'t>] {
        &self.tokens
    }

    /// Takes a token of the text.
    pub(super) fn push(&mut self, token: &Token<'_>) {
        let mut kept = |text: &str, is_written: bool| {
            let start = self.others.len();
            if !is_written {
                self.others.push_str(text);
            }
            (offset(start), offset(self.others.len()))
        };
        let (folded, cased) = (kept(token.folded, token.lower), kept(token.cased, token.plain));
        self.tokens.push(BatchToken {
            written: &self.text[token.start..token.end],
            hash: hash(token.folded),
            folded,
            cased,
            start: offset(token.start),
            end: offset(token.end),
            gap: token.gap,
            hangul: token.hangul,
        });
    }

    /// Returns a token as the vocabulary looks it up.
    pub(super) fn sought<'a>(&'a self, token: &BatchToken<'a>) -> Sought<'a> {
        let of = |(start, end): (u32, u32)| match start == end {
            true => token.written,
            false => &self.others[start as usize..end as usize],
        };
        Sought { folded: of(token.folded), cased: of(token.cased), hash: token.hash }
    }
}
