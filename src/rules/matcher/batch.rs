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
    space: BatchSpace,
}

/// Space of a batch, to be used again.
#[derive(Debug, Default)]
pub(super) struct BatchSpace {
    tokens: Vec<BatchToken>,
    /// Folded and cased texts of tokens that the text does not have so.
    others: String,
}

/// A token of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchToken {
    /// Of the folded text.
    pub(super) hash: u64,
    /// Where its folded text is in `BatchSpace::others`; nowhere if it is as the text has it.
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
    /// Returns an empty batch of the tokens of a text.
    pub(super) fn new(text: &'t str, space: BatchSpace) -> Self {
        let mut batch = Self { text, space };
        batch.clear();
        batch
    }

    /// Returns the space, for another.
    pub(super) fn into_space(self) -> BatchSpace {
        self.space
    }

    pub(super) fn is_full(&self) -> bool {
        self.space.tokens.len() == BATCH
    }

    pub(super) fn clear(&mut self) {
        self.space.tokens.clear();
        self.space.others.clear();
    }

    pub(super) fn tokens(&self) -> &[BatchToken] {
        &self.space.tokens
    }

    /// Takes a token of the text.
    pub(super) fn push(&mut self, token: &Token<'_>) {
        let others = &mut self.space.others;
        let mut kept = |text: &str, is_written: bool| {
            let start = others.len();
            if !is_written {
                others.push_str(text);
            }
            (offset(start), offset(others.len()))
        };
        let (folded, cased) = (kept(token.folded, token.lower), kept(token.cased, token.plain));
        self.space.tokens.push(BatchToken {
            hash: hash(token.folded),
            folded,
            cased,
            start: offset(token.start),
            end: offset(token.end),
            gap: token.gap,
            hangul: token.hangul,
        });
    }

    /// Returns a token as the text has it.
    pub(super) fn written(&self, token: &BatchToken) -> &'t str {
        &self.text[token.start as usize..token.end as usize]
    }

    /// Returns a token as the vocabulary looks it up.
    pub(super) fn sought(&self, token: &BatchToken) -> Sought<'_> {
        let written = self.written(token);
        let of = |(start, end): (u32, u32)| match start == end {
            true => written,
            false => &self.space.others[start as usize..end as usize],
        };
        Sought { folded: of(token.folded), cased: of(token.cased), hash: token.hash }
    }
}
