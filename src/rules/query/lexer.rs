//! Cuts a query into lexemes: operators, terms, and what other query languages have in their place, which is explained.

mod counted;
mod signs;

use super::super::chars::is_invisible;
use super::super::expression::TermError;
use super::super::{FieldSet, groups::nearest_name, regexp::closing_slash};
use super::habits::{NO_DATES, before_a_colon, field_elsewhere, is_date_elsewhere};
use super::{DEFAULT_DISTANCE, Errors};
use crate::core::hit::Field;
pub(super) use signs::ascii_sign;
use signs::bracket_length;

/// What stands before a colon, in any case; `body` is what the article says below its title.
pub(super) fn scope_of(name: &str) -> Option<Scope> {
    Some(match name.to_ascii_lowercase().as_str() {
        "title" => Scope::Text(FieldSet::of(&[Field::Title])),
        "summary" => Scope::Text(FieldSet::of(&[Field::Summary])),
        "content" => Scope::Text(FieldSet::of(&[Field::Content])),
        "body" => Scope::Text(FieldSet::of(&[Field::Summary, Field::Content])),
        "author" => Scope::Text(FieldSet::of(&[Field::Author])),
        "category" => Scope::Text(FieldSet::of(&[Field::Category])),
        "url" => Scope::Text(FieldSet::URL),
        "feed" => Scope::Feed,
        "tag" => Scope::Tag,
        "lang" => Scope::Language,
        _ => return None,
    })
}

const SCOPES: [&str; 10] = ["title", "summary", "content", "body", "author", "category", "url", "feed", "tag", "lang"];

/// What a part of a query is looked for in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scope {
    /// Fields of the article, or its URL.
    Text(FieldSet),
    /// The name or the URL of the feed.
    Feed,
    /// The tags of the feed.
    Tag,
    /// The language of the article.
    Language,
}

/// A part of a query that is not cut further.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'q> {
    And,
    Or,
    /// `NOT`, or a sign in its place, which was reported.
    Not {
        sign: bool,
    },
    /// `NEAR/n`, or `ONEAR/n` if it is ordered.
    Near {
        words: u32,
        ordered: bool,
    },
    Open,
    Close,
    Comma,
    /// `at_least(n,`: the parenthesis is open. Without a number it was reported.
    AtLeast(Option<usize>),
    /// A field with its colon.
    Scope(Scope),
    /// Something like a field, which was reported; what stands after it is read.
    UnknownScope,
    /// A `+`, which was reported and says nothing.
    Plus,
    /// An open parenthesis of something that was reported whole.
    Skipped,
    /// A regular expression with its slashes.
    Regex(&'q str),
    Word(&'q str),
    Phrase(&'q str),
    /// A phrase whose words may be that far apart.
    Loose(&'q str, u32),
    Group(&'q str),
    Exact(&'q str),
    /// A term that was reported.
    Wrong,
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lexeme<'q> {
    pub(super) token: Token<'q>,
    /// First byte.
    pub(super) start: usize,
    /// Byte after it.
    pub(super) end: usize,
    /// First byte of the text in it.
    pub(super) text: usize,
}

/// Cuts a query; what cannot be understood goes into `errors`.
pub(super) fn lex<'q>(query: &'q str, errors: &mut Errors) -> Vec<Lexeme<'q>> {
    let mut lexer = Lexer { query, at: 0, lexemes: Vec::new(), open: Vec::new(), signs: String::new(), errors };
    while let Some(c) = lexer.rest().chars().next() {
        if lexer.errors.full() {
            break;
        }
        match c {
            c if c.is_whitespace() || is_invisible(c) => lexer.at += c.len_utf8(),
            '(' | '（' => lexer.take(Token::Open, c.len_utf8()),
            ')' | '）' => lexer.take(Token::Close, c.len_utf8()),
            ',' | '，' => lexer.take(Token::Comma, c.len_utf8()),
            c if is_quote(c) => lexer.quoted(lexer.at, Token::Phrase),
            '/' if !lexer.rest()[1..].starts_with(char::is_whitespace) && lexer.rest().len() > 1 => lexer.regex(),
            _ => lexer.word(),
        }
    }
    lexer.lexemes
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '＂' | '“' | '”' | '„' | '‟' | '«' | '»')
}

/// Whether a text between quotation marks holds other ones beside an operator: marks of which only some were turned.
fn is_mixed(quote: char, text: &str) -> bool {
    const OPERATORS: [&str; 5] = ["AND", "OR", "NOT", "NEAR/", "ONEAR/"];
    let is_straight = |c| matches!(c, '"' | '＂');
    let is_turned = |c| matches!(c, '“' | '”' | '„' | '‟');
    let is_other: &dyn Fn(char) -> bool = match quote {
        quote if is_straight(quote) => &is_turned,
        quote if is_turned(quote) => &is_straight,
        _ => return false,
    };
    let is_before = |behind: &str| {
        let starts = |operator: &&str| behind.strip_prefix(*operator);
        OPERATORS.iter().filter_map(starts).any(|behind| !behind.starts_with(char::is_alphabetic))
    };
    let is_behind = |before: &str| {
        // The number of `NEAR/5`.
        let before = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let ends = |operator: &&str| before.strip_suffix(*operator);
        OPERATORS.iter().filter_map(ends).any(|before| !before.ends_with(char::is_alphanumeric))
    };
    let beside =
        |(at, c): (usize, char)| is_behind(text[..at].trim_end()) || is_before(text[at + c.len_utf8()..].trim_start());
    text.char_indices().filter(|(_, c)| is_other(*c)).any(beside)
}

struct Lexer<'q, 'e> {
    query: &'q str,
    at: usize,
    lexemes: Vec<Lexeme<'q>>,
    /// The parentheses that are open: whether each is of an `at_least`, with commas between its parts.
    open: Vec<bool>,
    /// The signs of other languages that were told, each once.
    signs: String,
    errors: &'e mut Errors,
}

impl<'q> Lexer<'q, '_> {
    fn rest(&self) -> &'q str {
        &self.query[self.at..]
    }

    fn take(&mut self, token: Token<'q>, length: usize) {
        let start = self.at;
        self.at += length;
        match token {
            Token::Open => self.open.push(false),
            Token::AtLeast(_) | Token::Skipped => self.open.push(true),
            Token::Close => drop(self.open.pop()),
            _ => {}
        }
        self.lexemes.push(Lexeme { token, start, end: self.at, text: start });
    }

    /// Takes what stands for `NEAR` elsewhere, which was reported.
    fn near_told(&mut self, length: usize) {
        self.take(Token::Near { words: DEFAULT_DISTANCE, ordered: false }, length);
    }

    fn error(&mut self, at: usize, message: impl Into<String>, suggestion: Option<String>) {
        self.errors.push(TermError { at: Some(at), message: message.into(), suggestion });
    }

    /// Whether something that can be joined stands before.
    fn after_operand(&self) -> bool {
        let joins = |token| {
            matches!(
                token,
                Token::And
                    | Token::Or
                    | Token::Not { .. }
                    | Token::Near { .. }
                    | Token::Open
                    | Token::Comma
                    | Token::AtLeast(_)
                    | Token::Scope(_)
                    | Token::UnknownScope
                    | Token::Plus
                    | Token::Skipped
            )
        };
        self.lexemes.last().is_some_and(|lexeme| !joins(lexeme.token))
    }

    /// Takes the quoted text at hand, for a token that started at `start`.
    fn quoted(&mut self, start: usize, token: impl FnOnce(&'q str) -> Token<'q>) {
        let quote = self.rest().chars().next().unwrap_or('"');
        let text_at = self.at + quote.len_utf8();
        let (closing, close): (&[char], char) = match quote {
            '"' | '＂' => (&['"', '＂'], '"'),
            '«' => (&['»'], '»'),
            '»' => (&['«'], '«'),
            _ => (&['”', '“'], '”'),
        };
        let mut marks = self.query[text_at..].char_indices().filter(|(_, c)| is_quote(*c));
        // A word processor turns some of the marks and leaves others: a single one that is left closes any.
        let closed = marks.clone().find(|(_, c)| closing.contains(c)).or_else(|| {
            let only = marks.next();
            only.filter(|_| marks.next().is_none())
        });
        let Some((length, close)) = closed else {
            self.error(self.at, format!("this quotation mark is not closed; write {close} after the phrase"), None);
            self.at = self.query.len();
            self.lexemes.push(Lexeme { token: Token::Wrong, start, end: self.at, text: text_at });
            return;
        };
        let text = &self.query[text_at..text_at + length];
        self.at = text_at + length + close.len_utf8();
        if is_mixed(quote, text) {
            let message = format!(
                "the quotation marks are mixed, so that `{}` is one phrase; write the same ones around each phrase",
                short(text)
            );
            self.error(start, message, None);
            self.lexemes.push(Lexeme { token: Token::Wrong, start, end: self.at, text: text_at });
            return;
        }
        let mut token = token(text);
        if let Some(after) = self.rest().strip_prefix('~') {
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let sign = self.at;
            self.at += 1 + digits;
            let words = self.distance(&after[..digits], sign, "\"a b\"~10");
            token = match token {
                Token::Phrase(text) => Token::Loose(text, words),
                _ => {
                    self.error(sign, "`~` stands after a plain phrase only, such as `\"a b\"~10`", None);
                    Token::Wrong
                }
            };
        }
        self.lexemes.push(Lexeme { token, start, end: self.at, text: text_at });
    }

    /// Takes the regular expression at hand, with the letters after it.
    fn regex(&mut self) {
        let (start, rest) = (self.at, self.rest());
        let word = &rest[..word_length(rest)];
        let closing = closing_slash(rest);
        let is_number = word.len() > 1 && word[1..].bytes().all(|byte| byte.is_ascii_digit());
        if is_number && (closing.is_none() || self.after_operand()) {
            if self.is_new("/") {
                let message =
                    format!("`{word}` counts nothing by itself; for words near each other write `NEAR{word}`");
                self.error(start, message, None);
            }
            return self.near_told(word.len());
        }
        let Some(close) = closing else {
            if matches!(word, "/s" | "/S" | "/p" | "/P") && self.after_operand() {
                let message = format!(
                    "`{word}` is no operator here; write `NEAR/{DEFAULT_DISTANCE}` for words near each \
                                       other, which are within one paragraph"
                );
                self.error(start, message, None);
                return self.near_told(word.len());
            }
            let message = "what starts with a `/` is a regular expression, and this one is not closed; write a `/` after \
                           it, or quotation marks around a word with a `/`";
            self.error(start, message, None);
            return self.take(Token::Wrong, rest.len());
        };
        let options = &rest[close + 1..][..word_length(&rest[close + 1..])];
        let length = close + 1 + options.trim_end_matches(is_invisible).len();
        self.take(Token::Regex(&rest[..length]), length);
    }

    fn word(&mut self) {
        let rest = self.rest();
        let word = rest[..word_length(rest)].trim_end_matches(is_invisible);
        match word {
            "AND" => return self.take(Token::And, word.len()),
            "OR" => return self.take(Token::Or, word.len()),
            "NOT" => return self.take(Token::Not { sign: false }, word.len()),
            _ => {}
        }
        if !self.counted(word) {
            self.term(word);
        }
    }

    /// Takes a word that is no operator: a group, an exact term, a field, or a plain word.
    fn term(&mut self, word: &'q str) {
        let (start, rest) = (self.at, self.rest());
        let first = word.chars().next().unwrap_or_default();
        let sign = first.len_utf8();
        let quote_follows = word.len() == sign && rest[sign..].starts_with(is_quote);
        match ascii_sign(first) {
            '@' if quote_follows => {
                self.at += sign;
                self.quoted(start, Token::Group);
            }
            '@' => {
                let length = self.raw_length(&rest[sign..]);
                self.take(Token::Group(rest[sign..][..length].trim_matches(is_invisible)), sign + length);
            }
            '=' if quote_follows => {
                self.at += sign;
                self.quoted(start, Token::Exact);
            }
            '=' | ':' if word.len() == sign => {
                let before = self.lexemes.last().map(|lexeme| (lexeme.start, &self.query[lexeme.start..lexeme.end]));
                match before.filter(|(_, name)| scope_of(name).is_some()) {
                    Some((at, name)) => self.error(at, before_a_colon(name), None),
                    None if ascii_sign(first) == ':' => return self.plain_word(word),
                    None => {
                        let message = "`=` stands right before the word or the phrase that it is for: write `=term`";
                        self.error(start, message, None);
                    }
                }
                self.take(Token::Wrong, sign);
            }
            '=' => {
                self.at += word.len();
                let token = Token::Exact(&word[sign..]);
                self.lexemes.push(Lexeme { token, start, end: self.at, text: start + sign });
            }
            _ => match word.split_once([':', '：']).filter(|(name, _)| is_name(name)) {
                Some((name, _)) => self.scope(name),
                None => self.plain_word(word),
            },
        }
    }

    fn scope(&mut self, name: &'q str) {
        let colon = self.rest()[name.len()..].chars().next().map_or(0, char::len_utf8);
        if let Some(scope) = scope_of(name) {
            self.take(Token::Scope(scope), name.len() + colon);
            // Names and URLs may have signs that mean something else elsewhere.
            let rest = self.rest().trim_start_matches(is_invisible);
            self.at = self.query.len() - rest.len();
            let of_url = scope == Scope::Text(FieldSet::URL);
            let apart = |c: char| c.is_whitespace() || is_quote(c) || matches!(ascii_sign(c), '(' | ')' | ',' | '@');
            let raw = (of_url && !rest.starts_with(['/', '=', '＝'])) || !matches!(scope, Scope::Text(_));
            if raw && !rest.is_empty() && !rest.starts_with(apart) {
                let length = self.raw_length(rest);
                self.take(Token::Word(&rest[..length]), length);
            }
            return;
        }
        let start = self.at;
        if matches!(name.to_uppercase().as_str(), "NEAR" | "ONEAR") {
            let word = &self.rest()[..word_length(self.rest())];
            let number = word[name.len() + colon..].trim_matches(is_invisible);
            let number = number.parse().unwrap_or(DEFAULT_DISTANCE);
            let message = format!("the number stands after a `/`: write `{}/{number}`", name.to_uppercase());
            self.error(start, message, None);
            return self.near_told(word.len());
        }
        if is_date_elsewhere(name) {
            self.error(start, NO_DATES, None);
            let value = &self.rest()[name.len() + colon..];
            let length = bracket_length(value).unwrap_or_else(|| word_length(value));
            return self.take(Token::Wrong, name.len() + colon + length);
        }
        let near = field_elsewhere(name).or_else(|| nearest_name(name, SCOPES.into_iter()));
        let names = SCOPES.map(|known| format!("`{known}:`"));
        let message = format!(
            "there is no field `{}`; expected {}, or quotation marks around a word with a colon",
            short(name),
            names.join(", ")
        );
        self.error(start, message, near.map(|near| format!("{near}:")));
        // The term after it is read as if nothing were before it, unless it is the rest of a URL.
        self.take(Token::UnknownScope, name.len() + colon);
        let rest = self.rest();
        let told = if rest.starts_with("//") { Some(word_length(rest)) } else { bracket_length(rest) };
        if let Some(length) = told {
            self.take(Token::Wrong, length);
        }
    }

    /// Returns the bytes of the name or URL that a text starts with, which may have full-width punctuation within it.
    fn raw_length(&self, text: &str) -> usize {
        if text.starts_with(['（', '）', '，']) {
            return 0;
        }
        let mut open = 0;
        let mut end = word_length(text);
        loop {
            match text[end..].chars().next() {
                Some('（') => open += 1,
                // What is open before the name is closed here.
                Some('）') if open > 0 => open -= 1,
                Some('，') if open > 0 || !self.open.last().is_some_and(|counts| *counts) => {}
                _ => return text[..end].trim_end_matches(is_invisible).len(),
            }
            end += '（'.len_utf8();
            end += word_length(&text[end..]);
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

/// Returns the bytes of the word that a text starts with. A comma before three digits is part of a number (`3,000`).
fn word_length(text: &str) -> usize {
    let in_number = |at: usize| {
        let digits = text.as_bytes()[at + 1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        digits == 3 && text[..at].ends_with(|c: char| c.is_ascii_digit())
    };
    let ends = |(at, c): &(usize, char)| match c {
        ',' => !in_number(*at),
        c => c.is_whitespace() || matches!(c, '(' | ')' | '（' | '）' | '，') || is_quote(*c),
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

/// Shortens a text for a message.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
