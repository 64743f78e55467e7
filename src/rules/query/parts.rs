//! The terms and distances of a query, each where it stands: what a warning points at.

use super::super::FieldSet;
use super::lexer::{Scope, Token, lex};
use super::{Errors, MAX_BYTES};

/// A term as a query writes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct WrittenTerm<'q> {
    /// Its first byte.
    pub(in super::super) at: usize,
    pub(in super::super) text: &'q str,
    pub(in super::super) kind: WrittenKind,
}

/// What a part of a query is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum WrittenKind {
    /// A word or a phrase, looked for in some fields.
    Term(FieldSet),
    /// The same, to be found in this very form.
    Exact(FieldSet),
    Regex,
    /// The name of a feed.
    Feed,
    /// A tag of feeds.
    Tag,
    Language,
}

/// Returns the terms of a query that is looked for in some fields.
pub(in super::super) fn terms(query: &str, fields: FieldSet) -> Vec<WrittenTerm<'_>> {
    let mut terms = Vec::new();
    let mut scope = None;
    let mut scopes = vec![Scope::Text(fields)];
    for lexeme in lexemes(query) {
        let outer = scopes.last().copied().unwrap_or(Scope::Text(fields));
        let within = scope.take().unwrap_or(outer);
        let kind = match within {
            Scope::Text(fields) => WrittenKind::Term(fields),
            Scope::Feed => WrittenKind::Feed,
            Scope::Tag => WrittenKind::Tag,
            Scope::Language => WrittenKind::Language,
        };
        let mut take = |text, kind| terms.push(WrittenTerm { at: lexeme.text, text, kind });
        match lexeme.token {
            Token::Scope(within) => scope = Some(within),
            Token::Open | Token::AtLeast(_) => scopes.push(within),
            Token::Close => {
                scopes.pop();
            }
            Token::Word(text) | Token::Phrase(text) | Token::Loose(text, _) => take(text, kind),
            Token::Exact(text) => {
                if let Scope::Text(fields) = within {
                    take(text, WrittenKind::Exact(fields));
                }
            }
            Token::Regex(text) => take(text, WrittenKind::Regex),
            _ => {}
        }
    }
    terms
}

/// Returns how many words may stand between terms that are near each other, with the byte where it is said.
pub(in super::super) fn distances(query: &str) -> Vec<(usize, u32)> {
    let distance = |lexeme: super::lexer::Lexeme<'_>| match lexeme.token {
        Token::Near { words, .. } | Token::Loose(_, words) => Some((lexeme.start, words)),
        _ => None,
    };
    lexemes(query).into_iter().filter_map(distance).collect()
}

fn lexemes(query: &str) -> Vec<super::lexer::Lexeme<'_>> {
    if query.len() > MAX_BYTES { Vec::new() } else { lex(query, &mut Errors::default()) }
}
