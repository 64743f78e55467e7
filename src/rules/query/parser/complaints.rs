//! What the parser says of operators that are missing, mixed, or left without what they join.

use super::super::super::expression::Expression;
use super::super::DEFAULT_DISTANCE;
use super::super::habits::{operator_elsewhere, written_elsewhere};
use super::super::lexer::{Lexeme, Token, ascii_sign, is_quote, scope_of, short};
use super::{Joint, Parser, Part};

/// Whether a sign means something in a query.
fn is_syntax(c: char) -> bool {
    matches!(ascii_sign(c), '@' | '=' | '(' | ')' | ':' | ',')
}

impl Parser<'_, '_> {
    /// Says what two parts without an operator between them may mean.
    pub(super) fn adjacency(&mut self, before: Option<&Part>, next: usize) {
        let Some(Lexeme { token, start: at, end, .. }) = self.lexemes.get(next).copied() else { return };
        let last = before.map(|part| short(self.written(part))).unwrap_or_default();
        let next = short(&self.query[at..end]);
        // Signs, and what is no operator here, were told already.
        let is_sign = matches!(token, Token::Plus | Token::Not { sign: true });
        if is_sign || self.errors.0.iter().any(|error| error.at == Some(at)) {
            return;
        }
        if let Some(message) = written_elsewhere(&last, &next) {
            return self.error(before.map_or(at, |part| part.start), message);
        }
        if let Some(message) = operator_elsewhere(&next) {
            return self.error(at, message);
        }
        // Of the operators only one stands before its first part: `ET movie`, `W Hotels` are names.
        if last.eq_ignore_ascii_case("NOT")
            && let Some(message) = operator_elsewhere(&last)
        {
            return self.error(before.map_or(at, |part| part.start), message);
        }
        let before_is_word = before.is_some_and(|part| matches!(part.expression, Some(Expression::Term(..))));
        let plain = |text: &str| !text.contains(|c| is_quote(c) || is_syntax(c));
        let within_word = before.is_some_and(|part| part.end == at)
            && (matches!(token, Token::Open) || self.query[..at].ends_with([')', '）']));
        let mut message = format!("expected `AND`, `OR` or `NEAR/{DEFAULT_DISTANCE}` before `{next}`");
        match (token, last.split_once(':')) {
            _ if within_word => message.push_str(", or quotation marks around a word with parentheses"),
            (Token::Not { .. }, _) => message.push_str(": write `AND NOT`"),
            (Token::Word(_), None) if before_is_word && plain(&last) => {
                message
                    .push_str(&format!(": write `{last} AND {next}` for both, or `\"{last} {next}\"` for the phrase"));
            }
            (Token::Word(_), Some((field, word))) if scope_of(field).is_some() && plain(word) && !word.is_empty() => {
                message.push_str(&format!(": write `{field}:\"{word} {next}\"` for the phrase"));
            }
            _ => message.push_str(", since parts need an operator between them"),
        }
        self.error(at, message);
    }

    /// Says how a mixture of operators may be meant.
    pub(super) fn mixed(&self, parts: &[Part], joints: &[(Joint, usize)]) -> String {
        let reading = |inner: Joint| {
            let mut text = String::new();
            let bound = |at: Option<usize>| at.and_then(|at| joints.get(at)).is_some_and(|(joint, _)| *joint == inner);
            for (at, part) in parts.iter().enumerate() {
                let (before, after) = (bound(at.checked_sub(1)), bound(Some(at)));
                match at.checked_sub(1).map(|at| joints[at].0) {
                    Some(Joint::And) => text.push_str(" AND "),
                    Some(Joint::Or) => text.push_str(" OR "),
                    None => {}
                }
                text.push_str(if after && !before { "(" } else { "" });
                text.push_str(self.written(part));
                text.push_str(if before && !after { ")" } else { "" });
            }
            short(&text)
        };
        format!(
            "`AND` and `OR` are mixed without parentheses; write `{}` or `{}`",
            reading(Joint::And),
            reading(Joint::Or)
        )
    }

    /// Says that something that can be looked for was expected.
    pub(super) fn expected(&mut self) {
        let found = match self.lexemes.get(self.at) {
            Some(lexeme) => format!(", found `{}`", short(&self.query[lexeme.start..lexeme.end])),
            None => String::new(),
        };
        let before = self.at.checked_sub(1).and_then(|at| self.lexemes.get(at));
        if before.is_some_and(|before| self.errors.0.iter().any(|error| error.at == Some(before.start))) {
            return;
        }
        let after = match before {
            Some(lexeme) => format!("after `{}`", short(&self.query[lexeme.start..lexeme.end])),
            None => "at the start".to_owned(),
        };
        self.error(self.here(), format!("expected a word, a phrase, an `@group` or a `(` {after}{found}"));
    }
}
