//! Plain words, and the signs with which other query languages join and exclude them.

use super::super::super::chars::{Class, class, is_invisible};
use super::super::habits::{brackets, foreign};
use super::{Lexer, Token, is_quote, short, word_length};

impl<'q> Lexer<'q, '_> {
    /// Takes a word, unless it is an operator or a pattern of another query language.
    pub(super) fn plain_word(&mut self, word: &'q str) {
        let start = self.at;
        if self.joining_sign(word) || self.leading_sign(word) {
            return;
        }
        if word.starts_with(['[', '{']) {
            // Brackets go on after white space.
            let length = bracket_length(self.rest()).unwrap_or(word.len());
            self.error(start, brackets(&self.rest()[..length]), None);
            return self.take(Token::Wrong, length);
        }
        if word.chars().all(|c| ascii_sign(c) == '-' || is_invisible(c)) {
            if !self.is_new("—") {
                return self.take(Token::Wrong, word.len());
            }
            let dash = short(word);
            // The words beside it, where they are mere words.
            let or = |word: Option<&str>, other: &str| {
                let plain = word.filter(|word| word.chars().all(|c| c.is_alphanumeric() || ascii_sign(c) == '-'));
                short(plain.filter(|word| word.starts_with(char::is_alphanumeric)).unwrap_or(other))
            };
            let before = match self.lexemes.last().map(|lexeme| lexeme.token) {
                Some(Token::Word(before)) => Some(before),
                _ => None,
            };
            let behind = self.rest()[word.len()..].trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
            let after = Some(&behind[..word_length(behind)]).filter(|after| !matches!(*after, "AND" | "OR" | "NOT"));
            let (before, after) = (or(before, "a"), or(after, "b"));
            let message = format!(
                "`{dash}` has no letter or digit; write `\"{before} {dash} {after}\"` for a phrase, or `AND NOT` before \
                 what is excluded"
            );
            self.error(start, message, None);
            return self.take(Token::Wrong, word.len());
        }
        let is_whole = self.lexemes.is_empty() && self.rest()[word.len()..].trim_start().is_empty();
        match foreign(word, is_whole) {
            Some(message) => {
                self.error(start, message, None);
                self.take(Token::Wrong, word.len());
            }
            None => {
                // A sign right behind a word joins it with what follows.
                let before = word.trim_end_matches(|c| ascii_sign(c) == '|');
                let before = before.strip_suffix("&&").or_else(|| before.strip_suffix("＆＆")).unwrap_or(before);
                let length = if before.is_empty() { word.len() } else { before.len() };
                self.take(Token::Word(&word[..length]), length);
            }
        }
    }

    /// Takes the sign that a word starts with as the operator that it is elsewhere, if it is one.
    fn joining_sign(&mut self, word: &'q str) -> bool {
        let behind = word.trim_start_matches(|c| matches!(ascii_sign(c), '|' | '&'));
        let sign = &word[..word.len() - behind.len()];
        let (sign, token, name) = match sign.chars().next().map(ascii_sign) {
            Some('&') => (sign, Token::And, "AND"),
            Some('|') => (sign, Token::Or, "OR"),
            _ if matches!(word, "!" | "！") => (word, Token::Not { sign: true }, "NOT"),
            _ => return false,
        };
        if self.is_new(name) {
            let message = format!("`{}` is no operator here; write `{name}`", short(sign));
            self.error(self.at, message, Some(name.to_owned()));
        }
        self.take(token, sign.len());
        true
    }

    /// Takes the sign that a word starts with, if it demands or excludes the word elsewhere.
    fn leading_sign(&mut self, word: &'q str) -> bool {
        let sign = match word.chars().next().map(ascii_sign) {
            Some('-' | '!') => '-',
            Some('+') => '+',
            _ => return false,
        };
        let is_sign = |c| matches!(ascii_sign(c), '-' | '!' | '+') || is_invisible(c);
        let behind = self.rest().trim_start_matches(is_sign);
        let stands_before = |c: char| c.is_alphanumeric() || is_quote(c) || matches!(ascii_sign(c), '(' | '@' | '=');
        if !behind.starts_with(stands_before) {
            return false;
        }
        let length = self.rest().len() - behind.len();
        let is_new = self.is_new(if sign == '-' { "-" } else { "+" });
        if sign == '+' {
            if is_new {
                self.error(self.at, "a `+` says nothing here: leave it out, and join terms with `AND`", None);
            }
            self.take(Token::Plus, length);
            return true;
        }
        if is_new {
            let term = match behind.starts_with(char::is_alphanumeric) {
                true => short(behind[..word_length(behind)].trim_end_matches(is_invisible)),
                false => "…".to_owned(),
            };
            let message =
                format!("a sign does not exclude here; write `NOT {term}`, after another part `AND NOT {term}`");
            self.error(self.at, message, None);
        }
        self.take(Token::Not { sign: true }, length);
        true
    }

    /// Whether a sign was not told of before.
    pub(super) fn is_new(&mut self, sign: &str) -> bool {
        let is_new = !self.signs.contains(sign);
        if is_new {
            self.signs.push_str(sign);
        }
        is_new
    }
}

/// Returns the sign of a keyboard that a sign stands for: every dash is one, and full-width signs are those of ASCII.
pub(in super::super) fn ascii_sign(c: char) -> char {
    match c {
        c if c.is_alphanumeric() => c,
        '—' | '―' => '-',
        c if class(c) == Class::Dash => '-',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// Returns the bytes up to the bracket that closes the one that a text starts with.
pub(super) fn bracket_length(text: &str) -> Option<usize> {
    let close = text.starts_with(['[', '{']).then(|| text.find([']', '}', '(', ')', '"'])).flatten()?;
    text[close..].starts_with([']', '}']).then_some(close + 1)
}
