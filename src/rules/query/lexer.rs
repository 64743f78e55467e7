//! Cuts a query into lexemes: operators, terms, and what other query languages have in their place, which is explained.

use super::super::expression::{MAX_DISTANCE, TermError};
use super::super::{FieldSet, groups::nearest_name, regexp::closing_slash};
use super::{DEFAULT_DISTANCE, Errors};
use crate::core::hit::Field;

/// What stands before a colon; `body` is what the article says below its title.
fn scope_of(name: &str) -> Option<Scope> {
    Some(match name {
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
    Not,
    /// `NEAR/n`, or `ONEAR/n` if it is ordered.
    Near {
        words: u32,
        ordered: bool,
    },
    Open,
    Close,
    Comma,
    /// `at_least(n,`: the parenthesis is open.
    AtLeast(usize),
    /// A field with its colon.
    Scope(Scope),
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
    let mut lexer = Lexer { query, at: 0, lexemes: Vec::new(), errors };
    while let Some(c) = lexer.rest().chars().next() {
        if lexer.errors.full() {
            break;
        }
        match c {
            c if c.is_whitespace() => lexer.at += c.len_utf8(),
            '(' => lexer.take(Token::Open, 1),
            ')' => lexer.take(Token::Close, 1),
            ',' => lexer.take(Token::Comma, 1),
            c if is_quote(c) => lexer.quoted(lexer.at, Token::Phrase),
            '/' if !lexer.rest()[1..].starts_with(char::is_whitespace) && lexer.rest().len() > 1 => lexer.regex(),
            _ => lexer.word(),
        }
    }
    lexer.lexemes
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

struct Lexer<'q, 'e> {
    query: &'q str,
    at: usize,
    lexemes: Vec<Lexeme<'q>>,
    errors: &'e mut Errors,
}

impl<'q> Lexer<'q, '_> {
    fn rest(&self) -> &'q str {
        &self.query[self.at..]
    }

    fn take(&mut self, token: Token<'q>, length: usize) {
        let start = self.at;
        self.at += length;
        self.lexemes.push(Lexeme { token, start, end: self.at, text: start });
    }

    fn error(&mut self, at: usize, message: impl Into<String>, suggestion: Option<String>) {
        self.errors.push(TermError { at: Some(at), message: message.into(), suggestion });
    }

    /// Takes the quoted text at hand, for a token that started at `start`.
    fn quoted(&mut self, start: usize, token: impl FnOnce(&'q str) -> Token<'q>) {
        let quote = self.rest().chars().next().unwrap_or('"');
        let text_at = self.at + quote.len_utf8();
        let closes = |c: char| match quote {
            '"' => c == '"',
            '«' => c == '»',
            '»' => c == '«',
            _ => matches!(c, '”' | '“'),
        };
        let Some((length, close)) = self.query[text_at..].char_indices().find(|(_, c)| closes(*c)) else {
            let close = match quote {
                '"' => '"',
                '«' => '»',
                '»' => '«',
                _ => '”',
            };
            self.error(self.at, format!("this quotation mark is not closed; write {close} after the phrase"), None);
            self.at = self.query.len();
            self.lexemes.push(Lexeme { token: Token::Wrong, start, end: self.at, text: text_at });
            return;
        };
        let text = &self.query[text_at..text_at + length];
        self.at = text_at + length + close.len_utf8();
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
        let Some(close) = closing_slash(rest) else {
            let word = &rest[..word_length(rest)];
            if word[1..].bytes().all(|byte| byte.is_ascii_digit()) {
                let message =
                    format!("`{word}` counts nothing by itself; for words near each other write `NEAR{word}`");
                self.error(start, message, None);
                return self.take(Token::Near { words: DEFAULT_DISTANCE, ordered: false }, word.len());
            }
            let message = "what starts with a `/` is a regular expression, and this one is not closed; write a `/` after \
                           it, or quotation marks around a word with a `/`";
            self.error(start, message, None);
            return self.take(Token::Wrong, rest.len());
        };
        let length = close + 1 + word_length(&rest[close + 1..]);
        self.take(Token::Regex(&rest[..length]), length);
    }

    /// Reads how many words may stand between; a wrong number is reported at `at`.
    fn distance(&mut self, digits: &str, at: usize, example: &str) -> u32 {
        match digits.parse::<u32>() {
            Ok(words) if words <= MAX_DISTANCE => return words,
            Err(_) if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) => {
                let message = format!("expected how many words may stand between, a number: `{example}`");
                self.error(at, message, None);
            }
            _ => self.error(at, format!("at most {MAX_DISTANCE} words may stand between; write fewer"), None),
        }
        DEFAULT_DISTANCE
    }

    fn word(&mut self) {
        let (start, rest) = (self.at, self.rest());
        let word = &rest[..word_length(rest)];
        match word {
            "AND" => return self.take(Token::And, word.len()),
            "OR" => return self.take(Token::Or, word.len()),
            "NOT" => return self.take(Token::Not, word.len()),
            _ if word != "at_least" && is_at_least(word) && rest[word.len()..].starts_with('(') => {
                let message = format!("`{word}` is written in small letters, with one line: `at_least`");
                self.error(start, message, Some("at_least".to_owned()));
                return self.at_least(word.len());
            }
            "at_least" if rest[word.len()..].trim_start().starts_with('(') => return self.at_least(word.len()),
            _ => {}
        }
        for (name, ordered) in [("NEAR", false), ("ONEAR", true)] {
            if word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')) {
                let digits = word[name.len()..].trim_start_matches('/');
                let words = self.distance(digits, start, &format!("{name}/{DEFAULT_DISTANCE}"));
                return self.take(Token::Near { words, ordered }, word.len());
            }
        }
        let quote_follows = rest[word.len()..].starts_with(is_quote);
        match word.chars().next() {
            Some('@') if word.len() == 1 && quote_follows => {
                self.at += 1;
                self.quoted(start, Token::Group);
            }
            Some('@') => {
                self.take(Token::Group(word[1..].trim()), word.len());
            }
            Some('=') if word.len() == 1 && quote_follows => {
                self.at += 1;
                self.quoted(start, Token::Exact);
            }
            Some('=') => {
                self.at += word.len();
                self.lexemes.push(Lexeme { token: Token::Exact(&word[1..]), start, end: self.at, text: start + 1 });
            }
            _ => match word.split_once(':').filter(|(name, _)| is_name(name)) {
                Some((name, _)) => self.scope(name),
                None => self.plain_word(word),
            },
        }
    }

    fn scope(&mut self, name: &'q str) {
        if let Some(scope) = scope_of(name) {
            self.take(Token::Scope(scope), name.len() + 1);
            // Names and URLs may have signs that mean something else elsewhere.
            let rest = self.rest();
            let of_url = scope == Scope::Text(FieldSet::URL);
            let apart = |c: char| c.is_whitespace() || is_quote(c) || matches!(c, '(' | ')' | ',' | '@');
            let raw = (of_url && !rest.starts_with(['/', '='])) || !matches!(scope, Scope::Text(_));
            if raw && !rest.is_empty() && !rest.starts_with(apart) {
                let length = word_length(rest);
                self.take(Token::Word(&rest[..length]), length);
            }
            return;
        }
        if matches!(name.to_uppercase().as_str(), "NEAR" | "ONEAR") {
            let message = format!("the number stands after a `/`: write `{}/{DEFAULT_DISTANCE}`", name.to_uppercase());
            self.error(self.at, message, None);
            let rest = self.rest();
            return self.take(Token::Near { words: DEFAULT_DISTANCE, ordered: false }, word_length(rest));
        }
        let near = field_elsewhere(name).or_else(|| nearest_name(name, SCOPES.into_iter()));
        let names = SCOPES.map(|known| format!("`{known}:`"));
        let message = format!(
            "there is no field `{}`; expected {}, or quotation marks around a word with a colon",
            short(name),
            names.join(", ")
        );
        self.error(self.at, message, near.map(|near| format!("{near}:")));
        // The term after it is read as if nothing were before it, unless it is the rest of a URL.
        self.at += name.len() + 1;
        let rest = self.rest();
        if rest.starts_with("//") {
            self.take(Token::Wrong, word_length(rest));
        }
    }

    /// Takes `at_least(n,`.
    fn at_least(&mut self, name: usize) {
        let start = self.at;
        let after = &self.query[start + name..];
        let open = after.find('(').unwrap_or_default() + 1;
        let number = after[open..].trim_start();
        let digits = &number[..number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
        let number_at = self.query.len() - number.len();
        let rest = number[digits.len()..].trim_start();
        let count = digits.parse::<usize>().ok().filter(|_| rest.starts_with(',') || rest.starts_with(')'));
        let length = match (count, rest.strip_prefix(',')) {
            (Some(_), Some(rest)) => self.query.len() - rest.len() - start,
            (Some(_), None) => self.query.len() - rest.len() - start,
            (None, _) => {
                let message = "`at_least` needs a number first and then what is counted: `at_least(2, a, b, c)`";
                self.error(number_at, message, None);
                name + open
            }
        };
        self.take(Token::AtLeast(count.unwrap_or(1)), length);
    }

    /// Takes a word, unless it is an operator or a pattern of another query language.
    fn plain_word(&mut self, word: &'q str) {
        let start = self.at;
        let operator = match word {
            "&&" | "&" => Some((Token::And, "AND")),
            "||" | "|" => Some((Token::Or, "OR")),
            "!" => Some((Token::Not, "NOT")),
            _ => None,
        };
        if let Some((token, name)) = operator {
            self.error(start, format!("`{word}` is no operator here; write `{name}`"), Some(name.to_owned()));
            return self.take(token, word.len());
        }
        let mut letters = word.chars();
        let sign = letters.next();
        let term = short(letters.as_str());
        if term.starts_with(char::is_alphanumeric) {
            match sign {
                Some('-' | '!') => {
                    let message = format!(
                        "a sign does not exclude here; write `NOT {term}`, after another part `AND NOT {term}`"
                    );
                    self.error(start, message, None);
                    return self.take(Token::Not, 1);
                }
                Some('+') => {
                    self.error(start, "a `+` says nothing here: leave it out, and join terms with `AND`", None);
                    self.at += 1;
                    return;
                }
                _ => {}
            }
        }
        match foreign(word) {
            Some(message) => {
                self.error(start, message, None);
                // A range goes on after white space.
                let close = self.rest().find([']', '}', '(', ')', '"']).filter(|_| word.starts_with(['[', '{']));
                let range = close.filter(|at| self.rest()[*at..].starts_with([']', '}']));
                self.take(Token::Wrong, range.map_or(word.len(), |at| at + 1));
            }
            None => self.take(Token::Word(word), word.len()),
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
        c => c.is_whitespace() || matches!(c, '(' | ')') || is_quote(*c),
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

/// Whether a word is `at_least` in another spelling.
fn is_at_least(word: &str) -> bool {
    let letters = word.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.flat_map(char::to_lowercase).eq("atleast".chars())
}

/// Says what to write for a word that stands where an operator does and is one elsewhere.
pub(super) fn operator_elsewhere(word: &str) -> Option<String> {
    let upper = word.to_uppercase();
    let (name, number) = upper.split_at(upper.len() - upper.chars().rev().take_while(char::is_ascii_digit).count());
    let number = if number.is_empty() { DEFAULT_DISTANCE.to_string() } else { number.to_owned() };
    match name.trim_end_matches(['/', '~', '=']) {
        "AND" | "OR" | "NOT" if *word != upper => {
            Some(format!("operators are in capitals: `{word}` is a word here; write `{upper}`"))
        }
        near @ ("NEAR" | "ONEAR") => Some(format!("`{word}` is a word here; write `{near}/{number}`")),
        "" | "W" | "N" | "ADJ" | "NEXT" | "WITHIN" | "NEARBY" if !word.starts_with(char::is_numeric) => {
            Some(format!("`{word}` is a word here; for words near each other write `NEAR/{number}`"))
        }
        "PRE" | "BEFORE" | "P" => {
            Some(format!("`{word}` is a word here; for words one after the other write `ONEAR/{number}`"))
        }
        "XOR" => Some("there is no `XOR` here; write `(a OR b) AND NOT (a AND b)`".to_owned()),
        "ANDNOT" => Some(format!("`{word}` is a word here; write `AND NOT`")),
        _ => None,
    }
}

/// Says what two words side by side are in other languages: a phrase in single quotation marks, a field with its value.
pub(super) fn written_elsewhere(word: &str, next: &str) -> Option<String> {
    if word.starts_with(['\'', '‘', '‚', '`']) && word.chars().count() > 1 {
        let (start, end) = (&word[word.chars().next()?.len_utf8()..], next.trim_end_matches(['\'', '’', '`']));
        let more = if end == next { "…" } else { "" };
        return Some(format!("a phrase stands in double quotation marks: write `\"{start} {end}{more}\"`"));
    }
    let name = word.strip_suffix('=').or((next.starts_with('=')).then_some(word))?;
    scope_of(name).map(|_| format!("a field stands before a colon: write `{name}:` and what it must have"))
}

/// Returns the field that another query language calls by some name.
fn field_elsewhere(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "http" | "https" | "site" | "inurl" | "domain" | "link" | "host" => Some("url"),
        "headline" | "allintitle" | "subject" => Some("title"),
        "text" | "intext" | "description" => Some("body"),
        "source" | "publisher" => Some("feed"),
        "label" => Some("tag"),
        _ => None,
    }
}

/// Says what a pattern of another query language is, and what there is instead.
fn foreign(word: &str) -> Option<&'static str> {
    let numbered = |sign: char| {
        let (before, after) = word.rsplit_once(sign)?;
        let number = after.chars().all(|c| c.is_ascii_digit() || c == '.');
        Some(()).filter(|()| number && (before.contains(char::is_alphanumeric) || sign == '^' && !after.is_empty()))
    };
    if numbered('~').is_some() {
        Some(
            "`~` stands after a phrase only; there is no fuzzy search: write the spellings with `OR`, or `?` for a letter, or \
             a `*` at the end",
        )
    } else if numbered('^').is_some() {
        Some("terms have no weights here; leave out the `^`")
    } else if word.starts_with(['[', '{']) {
        Some("there are no ranges here; write the words, or put them in quotation marks to look for them")
    } else {
        None
    }
}

/// Shortens a text for a message.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
