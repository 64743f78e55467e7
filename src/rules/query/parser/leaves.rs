//! Reads what a query's operators join: terms, groups, regular expressions, names of feeds, tags and languages.

use super::super::super::FieldSet;
use super::super::super::expression::{Expression, Leaf, Term, TermError};
use super::super::super::lists::expand;
use super::super::super::origin::Origin;
use super::super::super::regexp::{MAX_REGEXES, RegularExpression};
use super::super::MAX_TERMS;
use super::super::lexer::{Lexeme, Scope};
use super::Parser;
use std::sync::Arc;

impl<'q> Parser<'q, '_> {
    /// Reads a term, or a name after `feed:` and the like.
    pub(super) fn word(&mut self, text: &'q str, at: usize, scope: Scope) -> Option<Expression> {
        if let Scope::Text(_) = scope {
            return self.leaf(Term::parse(text, self.case), at, scope);
        }
        self.origin(text, at, scope)
    }

    fn origin(&mut self, text: &str, at: usize, scope: Scope) -> Option<Expression> {
        let origin = match scope {
            Scope::Feed => Origin::feed(text),
            Scope::Tag => Origin::tag(text),
            _ => Origin::language(text),
        };
        self.checked(origin, at).filter(|_| self.fits(1, at)).map(Expression::Origin)
    }

    pub(super) fn leaf(&mut self, term: Result<Term, TermError>, at: usize, scope: Scope) -> Option<Expression> {
        let Scope::Text(fields) = scope else { return None };
        let term = self.checked(term, at).filter(|_| self.fits(1, at))?;
        let term = if fields == FieldSet::URL { term.in_url() } else { term };
        Some(Expression::Term(Arc::new(term), fields))
    }

    pub(super) fn regex(&mut self, text: &'q str, at: usize, scope: Scope) -> Option<Expression> {
        let Scope::Text(fields) = scope else { return None };
        self.regexes += 1;
        if self.regexes > MAX_REGEXES {
            self.error(at, format!("a query has at most {MAX_REGEXES} regular expressions; write several rules"));
            self.stop();
            return None;
        }
        let regex = self.checked(RegularExpression::parse(text, self.case), at)?;
        Some(Expression::Regex(Arc::new(regex), fields))
    }

    /// Reports what is wrong with a part that starts at `at`.
    fn checked<T>(&mut self, read: Result<T, TermError>, at: usize) -> Option<T> {
        read.map_err(|TermError { at: within, message, suggestion }| {
            self.report(TermError { at: Some(at + within.unwrap_or(0)), message, suggestion });
        })
        .ok()
    }

    /// Counts terms; too many end the reading.
    fn fits(&mut self, count: usize, at: usize) -> bool {
        self.terms += count;
        let fits = self.terms <= MAX_TERMS;
        if !fits {
            self.error(at, format!("the query stands for more than {MAX_TERMS} terms; write several rules"));
            self.stop();
        }
        fits
    }

    pub(super) fn terms_of(&mut self, name: &'q str, at: usize, scope: Scope) -> Option<Expression> {
        if !self.expanded.contains_key(name) {
            let expanded = expand(&format!("@{name}"), self.groups, self.case);
            let terms = expanded.unwrap_or_else(|TermError { message, suggestion, .. }| {
                self.report(TermError { at: Some(at), message, suggestion });
                Vec::new()
            });
            self.expanded.insert(name, terms);
        }
        let terms = self.expanded.get(name).cloned().unwrap_or_default();
        if terms.is_empty() || !self.fits(terms.len(), at) {
            return None;
        }
        let leaf = |parser: &mut Self, term: Arc<Term>| match scope {
            Scope::Text(FieldSet::URL) => Some(Expression::Term(Arc::new(Term::clone(&term).in_url()), FieldSet::URL)),
            Scope::Text(fields) => Some(Expression::Term(term, fields)),
            _ => parser.origin(&term.written, at, scope),
        };
        let mut leaves = Vec::with_capacity(terms.len());
        for term in terms {
            leaves.push(leaf(self, term)?);
        }
        Some(if leaves.len() == 1 { leaves.remove(0) } else { Expression::Any(leaves) })
    }

    /// Reads a phrase whose words may stand apart: `"a b"~10`.
    pub(super) fn loose(&mut self, text: &'q str, words: u32, lexeme: Lexeme<'q>, scope: Scope) -> Option<Expression> {
        let mut operands = Vec::new();
        for word in text.split_whitespace() {
            let at = lexeme.text + (word.as_ptr() as usize - text.as_ptr() as usize);
            let Some(Expression::Term(term, fields)) = self.leaf(Term::parse(word, self.case), at, scope) else {
                return None;
            };
            operands.push(vec![Leaf { term, fields }]);
        }
        if operands.len() < 2 {
            let message = "a phrase before `~` needs two words or more, such as `\"a b\"~10`";
            self.error(lexeme.start, message);
            return None;
        }
        let distances = vec![(words, false); operands.len() - 1];
        self.near(operands, distances, lexeme.start, lexeme.end).expression
    }
}
