//! Operators with a number: `NEAR/n`, `at_least(n, …)`, and the other places in which people write it.

use super::super::super::expression::MAX_DISTANCE;
use super::super::DEFAULT_DISTANCE;
use super::{Lexer, Token};

impl Lexer<'_, '_> {
    /// Takes the operator with a number that a word starts, if it does.
    pub(super) fn counted(&mut self, word: &str) -> bool {
        let (start, rest) = (self.at, self.rest());
        if let Some(name) = at_least_length(rest) {
            let after = rest[name..].trim_start();
            if after.starts_with(['(', '（']) {
                let name = &rest[..name];
                if name != "at_least" {
                    let message = format!("`{name}` is written in small letters, with one line: `at_least`");
                    self.error(start, message, Some("at_least".to_owned()));
                }
                self.at_least(name.len());
                return true;
            }
            if after.trim_start_matches(['/', ':', '=']).starts_with(|c: char| c.is_ascii_digit()) {
                self.at_least_outside(rest.len() - after.len());
                return true;
            }
        }
        for (name, ordered) in [("NEAR", false), ("ONEAR", true)] {
            if word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')) {
                self.near(name, word, ordered);
                return true;
            }
        }
        if word.eq_ignore_ascii_case("AROUND")
            && let Some(within) = rest[word.len()..].strip_prefix(['(', '（'])
            && let behind = within.trim_start_matches(|c: char| c.is_ascii_digit())
            && let digits = &within[..within.len() - behind.len()]
            && !digits.is_empty()
            && let Some(behind) = behind.strip_prefix([')', '）'])
        {
            let length = rest.len() - behind.len();
            let message = format!("`{}` is no operator here; write `NEAR/{digits}`", &rest[..length]);
            self.error(start, message, None);
            self.near_told(length);
            return true;
        }
        false
    }

    /// Reads how many words may stand between; a wrong number is reported at `at`.
    pub(super) fn distance(&mut self, digits: &str, at: usize, example: &str) -> u32 {
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

    /// Takes `NEAR` with its number; another way to write the number is told with the right one.
    fn near(&mut self, name: &'static str, word: &str, ordered: bool) {
        let (start, rest) = (self.at, self.rest());
        let digits = word[name.len()..].trim_start_matches('/');
        let after = &rest[word.len()..];
        if digits.is_empty() {
            let number = after.trim_start().trim_start_matches('/').trim_start();
            let length = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if length > 0 && !number[length..].starts_with(char::is_alphanumeric) {
                let message = format!("the number stands right behind the `/`: write `{name}/{}`", &number[..length]);
                self.error(start, message, None);
                let end = rest.len() - number.len() + length;
                return self.take(Token::Near { words: DEFAULT_DISTANCE, ordered }, end);
            }
            if after.starts_with(['(', '（']) && !self.after_operand() {
                let message = format!("`{name}` stands between what is near each other: write `a {name}/10 b`");
                self.error(start, message, None);
                let open = after.chars().next().map_or(0, char::len_utf8);
                return self.take(Token::Skipped, word.len() + open);
            }
        }
        let words = self.distance(digits, start, &format!("{name}/{DEFAULT_DISTANCE}"));
        self.take(Token::Near { words, ordered }, word.len());
    }

    /// Takes `at_least(n,`.
    fn at_least(&mut self, name: usize) {
        let start = self.at;
        let after = &self.query[start + name..];
        let open = after.find(['(', '（']).map_or(0, |at| at + after[at..].chars().next().map_or(0, char::len_utf8));
        let number = after[open..].trim_start();
        let digits = &number[..number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
        let number_at = self.query.len() - number.len();
        let rest = number[digits.len()..].trim_start();
        let count = digits.parse::<usize>().ok().filter(|_| rest.starts_with([',', '，', ')', '）']));
        let Some(count) = count else {
            let message = "`at_least` needs a number first, a comma, and then what is counted: `at_least(2, a, b, c)`";
            self.error(number_at, message, None);
            return self.take(Token::AtLeast(None), name + open);
        };
        let behind = rest.strip_prefix([',', '，']).unwrap_or(rest);
        self.take(Token::AtLeast(Some(count)), self.query.len() - behind.len() - start);
    }

    /// Takes `at_least 2 of (`, and the like, whose number stands at the wrong place, `name` bytes behind.
    fn at_least_outside(&mut self, name: usize) {
        let (start, rest) = (self.at, self.rest());
        let number = rest[name..].trim_start_matches(['/', ':', '=']);
        let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let message = format!(
            "the number of `at_least` stands in its parentheses, before what is counted: write `at_least({}, a, b, c)`",
            &number[..digits]
        );
        self.error(start, message, None);
        let after = number[digits..].trim_start();
        let after = after.strip_prefix("of").or_else(|| after.strip_prefix("OF")).unwrap_or(after).trim_start();
        match after.strip_prefix(['(', '（']) {
            Some(within) => self.take(Token::Skipped, rest.len() - within.len()),
            None => self.take(Token::Wrong, rest.len() - number.len() + digits),
        }
    }
}

/// Returns the bytes of `at_least`, in whatever spelling, that a text starts with.
fn at_least_length(text: &str) -> Option<usize> {
    let behind = |text: &str, word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let between = behind(text, "at").then(|| text[2..].trim_start_matches(['_', '-', ' ']))?;
    let length = behind(between, "least").then(|| text.len() - between.len() + 5)?;
    (!text[length..].starts_with(char::is_alphabetic)).then_some(length)
}
