//! Tokens that are looked up together, so that the processor waits for the memory of many of them at once.

use crate::rules::text::{Gap, Token};
use crate::rules::vocabulary::{Sought, hash};

/// Tokens of a batch.
pub(super) const BATCH: usize = 32;

/// Tokens of a text, as many as are looked up together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    tokens: Vec<BatchToken>,
    /// Their folded texts, and the cased ones of those that the text does not have so.
    texts: String,
}

/// A token of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchToken {
    /// Of the folded text.
    pub(super) hash: u64,
    /// Where its folded text ends in `Batch::texts`; it begins where that of the token before it ends.
    folded: (u32, u32),
    /// Where its cased text is there; nowhere if it is that of the document.
    cased: (u32, u32),
    /// First byte in the text.
    pub(super) start: u32,
    /// Byte after it.
    pub(super) end: u32,
    pub(super) gap: Gap,
    pub(super) hangul: bool,
}

impl Batch {
    pub(super) fn is_full(&self) -> bool {
        self.tokens.len() == BATCH
    }

    pub(super) fn clear(&mut self) {
        self.tokens.clear();
        self.texts.clear();
    }

    pub(super) fn tokens(&self) -> &[BatchToken] {
        &self.tokens
    }

    /// Takes a token of a text.
    pub(super) fn push(&mut self, token: &Token<'_>) {
        let offset = super::offset;
        let from = self.texts.len();
        self.texts.push_str(token.folded);
        let middle = self.texts.len();
        if !token.plain {
            self.texts.push_str(token.cased);
        }
        self.tokens.push(BatchToken {
            hash: hash(token.folded),
            folded: (offset(from), offset(middle)),
            cased: (offset(middle), offset(self.texts.len())),
            start: offset(token.start),
            end: offset(token.end),
            gap: token.gap,
            hangul: token.hangul,
        });
    }

    /// Returns a token of `text` as the vocabulary looks it up.
    pub(super) fn sought<'a>(&'a self, token: &BatchToken, text: &'a str) -> Sought<'a> {
        let part = |(start, end): (u32, u32)| &self.texts[start as usize..end as usize];
        let cased = match part(token.cased) {
            "" => &text[token.start as usize..token.end as usize],
            cased => cased,
        };
        Sought { folded: part(token.folded), cased, hash: token.hash }
    }
}
