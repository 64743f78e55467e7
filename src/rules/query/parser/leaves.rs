//! Reads what a query's operators join: terms, groups, regular expressions, names of feeds, tags and languages.

use super::super::super::FieldSet;
use super::super::super::expression::{Alternatives, Expression, Leaf, Term, TermError};
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
            return self.leaf(Term::parse(text, self.reading), at, scope);
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
        let regex = self.checked(RegularExpression::parse(text, self.reading.case), at)?;
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
        let fields = match scope {
            Scope::Text(fields) => fields,
            _ => FieldSet::default(),
        };
        let group = match self.groups.alternatives(name, self.reading, fields) {
            Ok(group) => group,
            Err(TermError { message, suggestion, .. }) => {
                // A group that is broken or unknown is told once.
                if self.told.insert(name) {
                    self.report(TermError { at: Some(at), message, suggestion });
                }
                return None;
            }
        };
        if !self.fits(group.leaves().len(), at) {
            return None;
        }
        if let Scope::Text(_) = scope {
            return Some(Expression::Group(group));
        }
        let names: Option<Vec<_>> =
            group.leaves().iter().map(|leaf| self.origin(&leaf.term.written, at, scope)).collect();
        names.map(Expression::Any)
    }

    /// Reads a phrase whose words may stand apart: `"a b"~10`.
    pub(super) fn loose(&mut self, text: &'q str, words: u32, lexeme: Lexeme<'q>, scope: Scope) -> Option<Expression> {
        let mut operands = Vec::new();
        for word in text.split_whitespace() {
            let at = lexeme.text + (word.as_ptr() as usize - text.as_ptr() as usize);
            let Some(Expression::Term(term, fields)) = self.leaf(Term::parse(word, self.reading), at, scope) else {
                return None;
            };
            operands.push(Arc::new(Alternatives::new(vec![Leaf { term, fields }])));
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
