//! Tokens of a text: folded words with their place in the original.
//!
//! Words are those of UAX #29, but split at every connector (apostrophe, hyphen, underscore, dot between words), so that
//! `North-Korean`, `l’Iran` and `example.com` are found by their parts; a term that contains connectors is split alike and
//! becomes a phrase. Kept whole: dotted initials (`U.S.` is `US`), numbers (`3,000` is `3000`), `C++` and `C#`.
//! A possessive `'s` is dropped. Scripts without spaces give one token for each character.

mod ascii;

use super::chars::{self, Class};
use ascii::Run;

/// What stands between a token and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing that ends a phrase.
    Tight,
    /// Punctuation that ends a phrase.
    Break,
    /// The end of a block, or the start of the text.
    Block,
}

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// Text with case and diacritics folded.
    pub(super) folded: &'a str,
    /// The same with the case kept.
    pub(super) cased: &'a str,
    /// First byte in the text.
    pub(super) start: usize,
    /// Byte after it.
    pub(super) end: usize,
    /// What stands before it.
    pub(super) gap: Gap,
    /// Whether it is a word in Hangul, which may carry particles.
    pub(super) hangul: bool,
    /// Whether its cased text is that of the original.
    pub(super) plain: bool,
    /// Whether its folded text is that of the original.
    pub(super) lower: bool,
}

/// Space for the token at hand, to be used again and again.
#[derive(Debug, Default)]
pub(super) struct TokenSpace {
    folded: String,
    cased: String,
}

/// Calls `each` with every token of a text in turn.
pub(super) fn tokenize(text: &str, space: &mut TokenSpace, mut each: impl FnMut(Token<'_>)) {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, space };
    let mut gap = Gap::Block;
    // White space stands right before the character at hand.
    let mut spaced = true;
    while let Some(c) = scanner.peek(scanner.at) {
        let class = match c {
            ' ' => {
                spaced = true;
                scanner.at += 1;
                continue;
            }
            c if c.is_ascii_alphanumeric() => Class::Word,
            c => chars::class(c),
        };
        let length = c.len_utf8();
        match class {
            Class::Word | Class::Hangul | Class::Solo | Class::Sign => {
                let word = match class {
                    Class::Word => scanner.ascii_word().unwrap_or_else(|| scanner.word()),
                    Class::Hangul => scanner.run_of_hangul(),
                    _ => scanner.single(c),
                };
                let Word { start, end, plain, lower } = word;
                let written = &text[start..end];
                let folded = if lower { written } else { scanner.space.folded.as_str() };
                let cased = if plain { written } else { scanner.space.cased.as_str() };
                each(Token { folded, cased, start, end, gap, hangul: class == Class::Hangul, plain, lower });
                gap = Gap::Tight;
                spaced = false;
                continue;
            }
            Class::Line => gap = Gap::Block,
            Class::Break => gap = gap.max(Gap::Break),
            Class::Dash => {
                let next = scanner.peek(scanner.at + length).map(chars::class);
                // A dash between spaces, or a double one, divides clauses; a hyphen joins words.
                if next == Some(Class::Dash) || (spaced && matches!(next, Some(Class::Space))) {
                    gap = gap.max(Gap::Break);
                }
            }
            Class::Space | Class::Deleted | Class::Mark | Class::Apostrophe | Class::Tight => {}
        }
        spaced = matches!(class, Class::Space | Class::Line) || (spaced && class == Class::Deleted);
        scanner.at += length;
    }
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    space: &'a mut TokenSpace,
}

/// A token's place; `plain` if its cased form is the text itself, `lower` if its folded form is.
struct Word {
    start: usize,
    end: usize,
    plain: bool,
    lower: bool,
}

impl Scanner<'_> {
    fn peek(&self, at: usize) -> Option<char> {
        match self.bytes.get(at) {
            None => None,
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            Some(_) => self.text[at..].chars().next(),
        }
    }

    fn class_at(&self, at: usize) -> Option<Class> {
        self.peek(at).map(chars::class)
    }

    /// Whether a word goes on at a byte.
    fn word_at(&self, at: usize) -> bool {
        matches!(self.class_at(at), Some(Class::Word | Class::Mark | Class::Deleted))
    }

    fn clear(&mut self) {
        self.space.folded.clear();
        self.space.cased.clear();
    }

    /// Takes the letter at hand with its marks.
    fn take_cluster(&mut self, c: char) {
        let start = self.at;
        let mut end = start + c.len_utf8();
        let (mut marked, mut deleted) = (false, false);
        while let Some(next) = self.peek(end).filter(|next| !next.is_ascii()) {
            match chars::class(next) {
                Class::Mark => marked = true,
                Class::Deleted => deleted = true,
                _ => break,
            }
            end += next.len_utf8();
        }
        self.at = end;
        let TokenSpace { folded, cased } = &mut *self.space;
        if let Some((letter, lower)) = chars::forms(c).filter(|_| !marked) {
            cased.push(letter);
            folded.push(lower);
        } else if deleted {
            let visible: String =
                self.text[start..end].chars().filter(|c| chars::class(*c) != Class::Deleted).collect();
            chars::fold_cluster(&visible, cased, folded);
        } else {
            chars::fold_cluster(&self.text[start..end], cased, folded);
        }
    }

    fn single(&mut self, c: char) -> Word {
        let start = self.at;
        self.clear();
        self.take_cluster(c);
        Word { start, end: self.at, plain: false, lower: false }
    }

    fn run_of_hangul(&mut self) -> Word {
        let start = self.at;
        self.clear();
        while let Some(c) = self.peek(self.at).filter(|c| chars::class(*c) == Class::Hangul) {
            self.take_cluster(c);
        }
        Word { start, end: self.at, plain: false, lower: false }
    }

    /// Takes the word at hand if it is letters and digits of ASCII up to something that no word goes on with.
    fn ascii_word(&mut self) -> Option<Word> {
        let start = self.at;
        let Run { length, has_capital } = ascii::run(&self.bytes[start..]);
        let end = start + length;
        match self.bytes.get(end) {
            None | Some(b' ' | b'\n' | b'-' | b':' | b';' | b')' | b'"' | b'?' | b'!' | b'/') => {}
            // No number goes on, and no initials.
            Some(b'.' | b',') if length > 1 && !self.bytes[end - 1].is_ascii_digit() => {}
            Some(_) => return None,
        }
        if length == 0 {
            return None;
        }
        if has_capital {
            self.clear();
            self.space.folded.push_str(&self.text[start..end]);
            self.space.folded.make_ascii_lowercase();
        }
        self.at = end;
        Some(Word { start, end, plain: true, lower: !has_capital })
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        self.clear();
        let mut plain = true;
        loop {
            match self.bytes.get(self.at) {
                Some(byte) if byte.is_ascii_alphanumeric() => self.take_ascii(plain),
                Some(byte) if byte.is_ascii() => {
                    if !self.take_connector(start, &mut plain) {
                        break;
                    }
                }
                Some(_) => {
                    let c = self.peek(self.at).expect("a byte is there");
                    let class = chars::class(c);
                    if !matches!(class, Class::Word | Class::Mark | Class::Deleted) {
                        break;
                    }
                    self.keep_cased(start, &mut plain);
                    match class {
                        Class::Word => self.take_cluster(c),
                        // A mark after an ASCII letter is a diacritic of the Latin script.
                        _ => self.at += c.len_utf8(),
                    }
                }
                None => break,
            }
        }
        let end = self.at;
        self.skip_after(start);
        Word { start, end, plain, lower: false }
    }

    /// Takes the ASCII letters and digits at hand.
    fn take_ascii(&mut self, plain: bool) {
        let rest = &self.bytes[self.at..];
        let end = self.at + rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (run, TokenSpace { folded, cased }) = (&self.text[self.at..end], &mut *self.space);
        let from = folded.len();
        folded.push_str(run);
        folded[from..].make_ascii_lowercase();
        if !plain {
            cased.push_str(run);
        }
        self.at = end;
    }

    /// Starts to keep the cased form apart from the text.
    fn keep_cased(&mut self, start: usize, plain: &mut bool) {
        if std::mem::take(plain) {
            self.space.cased.push_str(&self.text[start..self.at]);
        }
    }

    /// Takes what keeps a word going over an ASCII sign; false if the word ends.
    fn take_connector(&mut self, start: usize, plain: &mut bool) -> bool {
        let digit = |at: usize| self.bytes.get(at).is_some_and(u8::is_ascii_digit);
        let at = self.at;
        match self.bytes[at] {
            b',' if digit(at - 1) && digit(at + 1) => {
                self.keep_cased(start, plain);
                let thousands = {
                    let digit = |at: usize| self.bytes.get(at).is_some_and(u8::is_ascii_digit);
                    digit(at + 2) && digit(at + 3) && !digit(at + 4)
                };
                if !thousands {
                    self.push_sign(',');
                }
                self.at += 1;
                true
            }
            b'.' if digit(at - 1) && digit(at + 1) => {
                self.keep_cased(start, plain);
                self.push_sign('.');
                self.at += 1;
                true
            }
            b'.' if self.is_initial(start) => self.take_initials(start, plain),
            b'+' if self.text[at..].starts_with("++")
                && !digit(at - 1)
                && !self.peek(at + 2).is_some_and(char::is_alphabetic) =>
            {
                self.keep_cased(start, plain);
                self.push_sign('+');
                self.push_sign('+');
                self.at += 2;
                false
            }
            b'#' if at - start == 1 && !digit(start) && !self.word_at(at + 1) => {
                self.keep_cased(start, plain);
                self.push_sign('#');
                self.at += 1;
                false
            }
            _ => false,
        }
    }

    fn push_sign(&mut self, sign: char) {
        self.space.cased.push(sign);
        self.space.folded.push(sign);
    }

    /// Whether the word so far is one letter.
    fn is_initial(&self, start: usize) -> bool {
        let mut chars = self.text[start..self.at].chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    }

    /// Takes the rest of `U.S.`; the word ends there.
    fn take_initials(&mut self, start: usize, plain: &mut bool) -> bool {
        let mut joined = false;
        while self.bytes.get(self.at) == Some(&b'.') {
            let Some(letter) = self.peek(self.at + 1).filter(|c| c.is_alphabetic()) else { break };
            if chars::class(letter) != Class::Word || self.word_at(self.at + 1 + letter.len_utf8()) {
                break;
            }
            self.keep_cased(start, plain);
            self.at += 1;
            self.take_cluster(letter);
            joined = true;
        }
        if joined && self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
        }
        false
    }

    /// Skips what follows a word and is no part of it, yet ends no phrase: a possessive, the dot of an initial.
    fn skip_after(&mut self, start: usize) {
        match self.peek(self.at) {
            Some('.') if self.is_initial(start) && self.text[start..].starts_with(char::is_uppercase) => self.at += 1,
            Some(c) if chars::class(c) == Class::Apostrophe => {
                let after = self.at + c.len_utf8();
                if matches!(self.bytes.get(after), Some(b's' | b'S')) && !self.word_at(after + 1) {
                    self.at = after + 1;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    /// Tokens as text: ` ` before a tight one, `|` after punctuation, `/` at a block.
    fn shown(text: &str) -> String {
        let mut out = String::new();
        tokenize(text, &mut TokenSpace::default(), |token| {
            out.push(match token.gap {
                Gap::Tight => ' ',
                Gap::Break => '|',
                Gap::Block => '/',
            });
            out.push_str(token.folded);
        });
        out
    }

    #[test]
    fn tokenizes_the_pitfalls() {
        for (text, expected) in [
            ("DPRK's DPRK’s DPRK'S states' end", "/dprk dprk dprk states end"),
            ("North-Korean North‑Korean", "/north korean north korean"),
            ("one - two, three; four — five--six", "/one|two|three|four|five|six"),
            ("the U.S. Army, U.N.", "/the us army|un"),
            ("John F. Kennedy. Next", "/john f kennedy|next"),
            ("AT&T R&D", "/at t r d"),
            ("C++, C# and F-16", "/c++|c# and f 16"),
            ("COVID-19 3,000 3.5 1,5 10% $5", "/covid 19 3000 3.5 1,5 10 % $ 5"),
            ("@handle #tag snake_case", "/handle tag snake case"),
            ("mis\u{ad}sile zero\u{200b}width مـصر", "/missile zerowidth مصر"),
            ("ＤＰＲＫ ﬁre Straße İstanbul", "/dprk fire strasse istanbul"),
            ("Orbán Orba\u{301}n ёлка й", "/orban orban елка й"),
            ("l’Iran O'Brien", "/l iran o brien"),
            ("example.com/dprk", "/example|com|dprk"),
            ("弾道ミサイル、北", "/弾 道 ミ サ イ ル|北"),
            ("북한이 KBS는", "/북한이 kbs 는"),
            ("one\ntwo", "/one/two"),
            ("“ballistic” missiles", "/ballistic missiles"),
            ("", ""),
            ("… — 🚀", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_original() {
        let text = "In ‘Ü’ the U.S. mis\u{ad}sile’s";
        let mut places = Vec::new();
        tokenize(text, &mut TokenSpace::default(), |token| {
            places.push((text[token.start..token.end].to_owned(), token.cased.to_owned()));
        });
        let expected = [("In", "In"), ("Ü", "U"), ("the", "the"), ("U.S.", "US"), ("mis\u{ad}sile", "missile")];
        assert_eq!(places, expected.map(|(place, cased)| (place.to_owned(), cased.to_owned())));
    }

    proptest! {
        /// On letters and spaces the words are those of UAX #29.
        #[test]
        fn agrees_with_uax_29_on_letters(text in "[a-zA-Zа-яёїґá-öα-ωا-غف-يא-תक-ह]{1,8}( [a-zа-я0-9]{1,6}){0,6}") {
            let mut words = Vec::new();
            tokenize(&text, &mut TokenSpace::default(), |token| words.push(text[token.start..token.end].to_owned()));
            let expected: Vec<String> = text.unicode_words().map(str::to_owned).collect();
            prop_assert_eq!(words, expected);
        }

        /// Whatever the text, tokens lie in it, in order, on character boundaries.
        #[test]
        fn tokens_lie_in_the_text(text in any::<String>()) {
            let mut last = 0;
            tokenize(&text, &mut TokenSpace::default(), |token| {
                assert!(last <= token.start && token.start < token.end);
                assert!(text.is_char_boundary(token.start) && text.is_char_boundary(token.end));
                last = token.end;
            });
        }
    }
}
