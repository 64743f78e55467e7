//! Reads the lexemes of a query: `OR` and `AND` (not mixed), then `NOT`, then `NEAR/n`, then terms and parentheses.

mod complaints;
mod leaves;

use super::super::expression::{Alternatives, Expression, Proximity, Term, TermError};
use super::super::lists::{Clause, NEAR_REGEX};
use super::super::{FieldSet, Reading, TermGroups};
use super::lexer::{Lexeme, Scope, Token, lex, short};
use super::{Errors, MAX_DEPTH};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Reads a query; where `errors` stay empty, the clauses say what it means.
pub(super) fn parse(
    query: &str,
    groups: &TermGroups,
    reading: Reading,
    fields: FieldSet,
    errors: &mut Errors,
) -> Vec<Clause> {
    let lexemes = lex(query, errors);
    let mut parser = Parser {
        query,
        groups,
        reading,
        errors,
        lexemes,
        at: 0,
        terms: 0,
        regexes: 0,
        told: BTreeSet::new(),
        stopped: false,
    };
    if query.trim().is_empty() {
        parser.error(0, "the query is empty; write what to look for, such as `missile* AND DPRK`, or leave it out");
        return Vec::new();
    }
    let operation = parser.whole(Scope::Text(fields));
    if !parser.errors.0.is_empty() {
        return Vec::new();
    }
    let parts: Vec<Part> = match operation.joint {
        Some(Joint::Or) => operation.joined().into_iter().collect(),
        _ => operation.parts,
    };
    let mut clauses = Vec::with_capacity(parts.len());
    for part in parts {
        let written = parser.written(&part).to_owned();
        match part.expression {
            Some(expression) => clauses.push(Clause { key: "query", written, expression }),
            // A part that nothing was said of must not vanish: the others alone match more than was asked for.
            None => {
                let message = format!(
                    "`{}` cannot be read; write an operator between its parts, or quotation marks around it",
                    short(&written)
                );
                parser.error(part.start, message);
                return Vec::new();
            }
        }
    }
    if clauses.iter().all(|clause| clause.expression.holds_of_nothing()) {
        parser.error(
            0,
            "the query also matches articles without any of its terms, since it only excludes; say with `AND` what must \
             be found, and what is only excluded beside lists goes into `none`",
        );
    }
    clauses
}

/// What is said of a comma elsewhere.
const COMMA: &str = "a comma stands in `at_least(n, a, b)` only; join terms with `AND` or `OR`, or write quotation \
                     marks around a phrase with one";

/// Proximities that stand for one at most.
const MAX_WAYS: usize = 16;

/// A part of a query and where it stands; without an expression if it is wrong, which has been reported.
struct Part {
    expression: Option<Expression>,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Joint {
    And,
    Or,
}

/// Parts with what joins them.
struct Operation {
    joint: Option<Joint>,
    parts: Vec<Part>,
}

impl Operation {
    fn joined(mut self) -> Option<Part> {
        let (start, end) = (self.parts.first()?.start, self.parts.last()?.end);
        let Some(joint) = self.joint else {
            // Of several without an operator between them all but the first are holes.
            return self.parts.pop().map(|part| Part { start, ..part });
        };
        let expressions: Option<Vec<_>> = self.parts.into_iter().map(|part| part.expression).collect();
        let join = |expressions| match joint {
            Joint::And => Expression::All(expressions),
            Joint::Or => Expression::Any(expressions),
        };
        Some(Part { expression: expressions.map(join), start, end })
    }
}

struct Parser<'q, 'e> {
    query: &'q str,
    groups: &'q TermGroups,
    reading: Reading,
    errors: &'e mut Errors,
    lexemes: Vec<Lexeme<'q>>,
    at: usize,
    /// Terms so far.
    terms: usize,
    /// Regular expressions so far.
    regexes: usize,
    /// The groups that were told to be broken.
    told: BTreeSet<&'q str>,
    /// Nothing more is read or reported.
    stopped: bool,
}

impl<'q> Parser<'q, '_> {
    fn error(&mut self, at: usize, message: impl Into<String>) {
        self.report(TermError { at: Some(at), message: message.into(), suggestion: None });
    }

    fn report(&mut self, error: TermError) {
        if !self.stopped {
            self.errors.push(error);
            if self.errors.full() {
                self.stop();
            }
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
        self.at = self.lexemes.len();
    }

    fn peek(&self) -> Option<Token<'q>> {
        self.lexemes.get(self.at).map(|lexeme| lexeme.token)
    }

    /// Returns the first byte of the lexeme at hand, or the end of the text.
    fn here(&self) -> usize {
        self.lexemes.get(self.at).map_or(self.query.trim_end().len(), |lexeme| lexeme.start)
    }

    /// Returns the byte after the last lexeme that was read.
    fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.lexemes.get(at)).map_or(0, |lexeme| lexeme.end)
    }

    fn written(&self, part: &Part) -> &'q str {
        self.query.get(part.start..part.end).unwrap_or_default()
    }

    fn hole(&self, start: usize) -> Part {
        Part { expression: None, start, end: self.behind().max(start) }
    }

    /// Whether one more level is too deep; then reading ends.
    fn too_deep(&mut self, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            let message =
                format!("more than {MAX_DEPTH} parentheses or operators within one another; write several rules");
            self.error(self.here(), message);
            self.stop();
        }
        depth > MAX_DEPTH
    }

    fn whole(&mut self, scope: Scope) -> Operation {
        let operation = self.operation(0, scope);
        let mut told = false;
        while let Some(token) = self.peek() {
            match token {
                Token::Close => self.error(self.here(), "this `)` closes nothing; remove it, or write a `(` before"),
                // Of a list one comma is told.
                _ if told => {}
                _ => {
                    self.error(self.here(), COMMA);
                    told = true;
                }
            }
            self.at += 1;
            while token == Token::Close && matches!(self.peek(), Some(Token::Close | Token::And | Token::Or)) {
                self.at += 1;
            }
            if self.at < self.lexemes.len() {
                self.operation(0, scope);
            }
        }
        operation
    }

    /// Reads parts that are joined by `AND` or by `OR`.
    fn operation(&mut self, depth: usize, scope: Scope) -> Operation {
        if self.too_deep(depth) {
            return Operation { joint: None, parts: vec![self.hole(self.query.len())] };
        }
        let mut parts = vec![self.negation(depth, scope)];
        let mut joints: Vec<(Joint, usize)> = Vec::new();
        let mut told = false;
        let mut adjacent = false;
        loop {
            let joint = match self.peek() {
                Some(Token::And) => Joint::And,
                Some(Token::Or) => Joint::Or,
                None | Some(Token::Close | Token::Comma) => break,
                Some(_) => {
                    let next = self.at;
                    let mut part = self.negation(depth, scope);
                    // A run of words without operators is one error, not one for each word; what could not be read was
                    // told already.
                    let is_read = |part: Option<&Part>| part.is_some_and(|part| part.expression.is_some());
                    if !told && is_read(parts.last()) && is_read(Some(&part)) {
                        self.adjacency(parts.last(), next);
                    }
                    (told, adjacent) = (true, true);
                    part.expression = None;
                    parts.push(part);
                    continue;
                }
            };
            told = false;
            joints.push((joint, self.here()));
            self.at += 1;
            parts.push(self.negation(depth, scope));
        }
        let joint = joints.first().map(|(joint, _)| *joint);
        let mixed = joints.iter().find(|(other, _)| Some(*other) != joint);
        if let (Some((_, at)), false) = (mixed, adjacent || parts.iter().any(|part| self.written(part).is_empty())) {
            let message = self.mixed(&parts, &joints);
            self.error(*at, message);
        }
        Operation { joint, parts }
    }

    fn negation(&mut self, depth: usize, scope: Scope) -> Part {
        let Some(Token::Not { .. }) = self.peek() else { return self.chain(depth, scope) };
        let start = self.here();
        self.at += 1;
        if self.too_deep(depth + 1) {
            return self.hole(start);
        }
        let part = self.negation(depth + 1, scope);
        Part { expression: part.expression.map(Expression::negated), start, end: part.end }
    }

    /// Reads terms that are joined by `NEAR/n` and `ONEAR/n`, or one alone.
    fn chain(&mut self, depth: usize, scope: Scope) -> Part {
        let first = self.operand(depth, scope);
        let mut distances = Vec::new();
        let mut parts = vec![first];
        while let Some(Token::Near { words, ordered }) = self.peek() {
            self.at += 1;
            distances.push((words, ordered));
            parts.push(self.operand(depth, scope));
        }
        if distances.is_empty() {
            return parts.remove(0);
        }
        let (start, end) = (parts[0].start, self.behind());
        let mut operands = Vec::new();
        let count = parts.len();
        for part in parts {
            let Some(expression) = part.expression else { continue };
            let has_regex = expression.has(&|leaf| matches!(leaf, Expression::Regex(..)));
            match expression.into_shared_alternatives() {
                Some(alternatives) => operands.push(alternatives),
                None if has_regex => self.error(part.start, NEAR_REGEX),
                None => self.error(
                    part.start,
                    "`NEAR` joins words, phrases, groups, and alternatives of these such as `(a OR b)`; write nothing \
                     else here",
                ),
            }
        }
        if operands.len() < count {
            return Part { expression: None, start, end };
        }
        // `(@many OR a) NEAR b` is `(@many NEAR b) OR (a NEAR b)`, and the rules share the group.
        let ways: usize = operands.iter().map(Vec::len).product();
        if ways > MAX_WAYS {
            let joined = |apart: Vec<Arc<Alternatives>>| Arc::new(Alternatives::joined(&apart));
            return self.near(operands.into_iter().map(joined).collect(), distances, start, end);
        }
        let nth = |way: usize| {
            let mut rest = way;
            let choose = |apart: &Vec<Arc<Alternatives>>| {
                let chosen = Arc::clone(&apart[rest % apart.len()]);
                rest /= apart.len();
                chosen
            };
            operands.iter().map(choose).collect::<Vec<_>>()
        };
        let near = |way| Proximity::new(nth(way), distances.clone()).map(Expression::Near);
        let mut ways: Vec<Expression> = (0..ways).filter_map(near).collect();
        match ways.len() {
            // Told to be impossible.
            0 => self.near(nth(0), distances.clone(), start, end),
            1 => Part { expression: ways.pop(), start, end },
            _ => Part { expression: Some(Expression::Any(ways)), start, end },
        }
    }

    fn near(
        &mut self,
        operands: Vec<Arc<Alternatives>>,
        distances: Vec<(u32, bool)>,
        start: usize,
        end: usize,
    ) -> Part {
        let proximity = Proximity::new(operands, distances);
        if proximity.is_none() {
            self.error(
                start,
                "these never stand near each other: their fields are different, and `NEAR` is within one field",
            );
        }
        Part { expression: proximity.map(Expression::Near), start, end }
    }

    /// Reads a term, a group, or something in parentheses, perhaps after a field.
    fn operand(&mut self, depth: usize, scope: Scope) -> Part {
        while self.peek() == Some(Token::Plus) {
            self.at += 1;
        }
        let start = self.here();
        let Some(lexeme) = self.lexemes.get(self.at).copied() else {
            self.expected();
            return self.hole(start);
        };
        if matches!(lexeme.token, Token::And | Token::Or | Token::Near { .. } | Token::Close | Token::Comma) {
            self.expected();
            return self.hole(start);
        }
        self.at += 1;
        let expression = match lexeme.token {
            Token::Not { .. } => {
                self.error(start, "`NOT` stands before a whole part, not after a field or beside `NEAR`");
                if !self.too_deep(depth + 1) {
                    self.operand(depth + 1, scope);
                }
                None
            }
            Token::Scope(scope) => {
                if self.too_deep(depth + 1) {
                    None
                } else {
                    self.operand(depth + 1, scope).expression
                }
            }
            Token::UnknownScope => {
                if !self.too_deep(depth + 1) && self.peek().is_some() {
                    self.operand(depth + 1, scope);
                }
                None
            }
            Token::Open => self.group(start, depth, scope),
            Token::AtLeast(Some(count)) => self.at_least(count, start, depth, scope),
            Token::AtLeast(None) | Token::Skipped => {
                self.skip();
                None
            }
            Token::Word(text) | Token::Phrase(text) => self.word(text, lexeme.text, scope),
            Token::Group(name) => self.terms_of(name.trim(), start, scope),
            Token::Exact(_) | Token::Loose(..) | Token::Regex(_) if !matches!(scope, Scope::Text(_)) => {
                self.error(
                    start,
                    "after `feed:`, `tag:` and `lang:` stands a whole name, or one with a `*` at its end, since it is \
                     compared and not searched",
                );
                None
            }
            Token::Exact(text) => self.leaf(Term::exact(text), lexeme.text, scope),
            Token::Loose(text, words) => self.loose(text, words, lexeme, scope),
            Token::Regex(text) => self.regex(text, start, scope),
            _ => None,
        };
        Part { expression, start, end: self.behind().max(start) }
    }

    /// Passes by what stands in a parenthesis that is open.
    fn skip(&mut self) {
        let mut open = 1;
        while let Some(token) = self.peek().filter(|_| open > 0) {
            match token {
                Token::Open | Token::AtLeast(_) | Token::Skipped => open += 1,
                Token::Close => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Reads up to the closing parenthesis.
    fn group(&mut self, start: usize, depth: usize, scope: Scope) -> Option<Expression> {
        if self.peek() == Some(Token::Close) {
            self.error(start, "there is nothing between these parentheses; write what to look for, or remove them");
            self.at += 1;
            return None;
        }
        let mut told = false;
        let mut inner = self.operation(depth + 1, scope).joined().and_then(|part| part.expression);
        while self.peek() == Some(Token::Comma) {
            if !told {
                self.error(self.here(), COMMA);
                told = true;
            }
            self.at += 1;
            self.operation(depth + 1, scope);
            inner = None;
        }
        if self.closes(start) { inner } else { None }
    }

    fn closes(&mut self, start: usize) -> bool {
        let closes = self.peek() == Some(Token::Close);
        if closes {
            self.at += 1;
        } else {
            self.error(start, "this parenthesis is not closed; write the `)`");
        }
        closes
    }

    /// Reads what is counted, up to the closing parenthesis.
    fn at_least(&mut self, count: usize, start: usize, depth: usize, scope: Scope) -> Option<Expression> {
        let mut parts = Vec::new();
        if self.peek() != Some(Token::Close) {
            loop {
                parts.push(self.operation(depth + 1, scope).joined().and_then(|part| part.expression));
                if self.peek() != Some(Token::Comma) {
                    break;
                }
                self.at += 1;
            }
        }
        if !self.closes(start) {
            return None;
        }
        // What could not be read was told, and may be more parts than it seems.
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        let wrong = match parts.len() {
            0 => Some("`at_least` has nothing to count; write `at_least(2, a, b, c)`".to_owned()),
            _ if count == 0 => Some(
                "none of them is no condition; write at least how many must hold: `at_least(2, a, b, c)`".to_owned(),
            ),
            1 if count > 1 => Some(format!(
                "`at_least` has one part to count, and {count} of it can never hold; write more parts, or the part alone (a \
                 group is one part)"
            )),
            most if count > most => Some(format!(
                "`at_least` counts {most} parts, so its number must be from 1 to {most}, and is {count}; a group counts once"
            )),
            _ => None,
        };
        if let Some(message) = wrong {
            self.error(start, message);
            return None;
        }
        Some(Expression::at_least(count, parts))
    }
}
