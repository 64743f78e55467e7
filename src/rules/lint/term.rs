//! Warnings of a term by itself: how it will be matched, where that is not what it looks like.

use super::super::chars::{self, Class};
use super::super::expression::{Term, TermWord, WordKind};
use super::super::text::{TokenSpace, tokenize};
use super::super::{Case, FieldSet, Reading};
use super::{common, name};
use crate::core::hit::Field;

/// What is odd about a term: the warning's name, the byte, what it means and what to write.
#[derive(Debug, PartialEq)]
pub(super) struct Oddity {
    pub(super) name: &'static str,
    pub(super) at: Option<usize>,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

/// Where a term stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Within {
    List,
    Query,
}

/// Letters that the start of a word needs, so that it does not stand for half a dictionary.
const MIN_STEM: usize = 3;

/// Says what is odd about a term that can be read.
pub(super) fn oddities(written: &str, case: Case, fields: FieldSet, within: Within) -> Vec<Oddity> {
    let Ok(term) = Term::parse(written, Reading::of_case(case)) else { return Vec::new() };
    let mut found = Vec::new();
    found.extend(short_stem(&term));
    found.extend(common_word(&term, written, fields));
    let spelling = match within {
        Within::List => like_a_query(written).or_else(|| quoted(written)).or_else(|| outer_space(written)),
        Within::Query => None,
    };
    match spelling.or_else(|| optional_letter(&term)) {
        Some(spelling) => found.push(spelling),
        None => found.extend(tokens(written, &term)),
    }
    found
}

/// A `?` at the end alone: it stands for a letter, and elsewhere a letter before it may be missing, or it asks.
fn optional_letter(term: &Term) -> Option<Oddity> {
    let before = term.written.strip_suffix('?').filter(|before| !before.contains('?'))?;
    let [word] = term.words.as_slice() else { return None };
    let message = format!(
        "`{}` stands for words of one letter more than `{before}`, and not for `{before}` itself; write `{before}*` for \
         both, or each word",
        term.written
    );
    (word.kind == WordKind::Wildcard).then_some(Oddity {
        name: name::UNEXPECTED_WORDS,
        at: Some(before.len()),
        message,
        suggestion: None,
    })
}

fn short_stem(term: &Term) -> Option<Oddity> {
    let short = |word: &TermWord| {
        let letters = || word.folded.chars().filter(|letter| !matches!(letter, '?' | '*'));
        let open = word.kind == WordKind::Prefix || word.folded.ends_with('*');
        open && letters().count() < MIN_STEM && letters().all(|letter| chars::class(letter) == Class::Word)
    };
    let word = term.words.first().filter(|_| term.words.iter().all(short))?;
    let message = format!(
        "`{}` stands for every word that starts with `{}`; write at least {MIN_STEM} letters before a `*`, or the words",
        term.written, word.folded
    );
    Some(Oddity { name: name::SHORT_STEM, at: None, message, suggestion: None })
}

fn common_word(term: &Term, written: &str, fields: FieldSet) -> Option<Oddity> {
    let [word] = term.words.as_slice() else { return None };
    let any_case = word.cased.as_ref().is_none_or(|cased| *cased == word.folded);
    // A name or a category is not a text.
    let texts = FieldSet::of(&[Field::Title, Field::Summary, Field::Content]);
    if word.kind != WordKind::Whole || !any_case || !fields.intersects(texts) {
        return None;
    }
    let letters = || written.chars().filter(|letter| letter.is_alphabetic());
    let capitals = letters().count() >= 2 && letters().all(char::is_uppercase);
    let folded = &word.folded;
    let language = common::language_of(folded);
    let message = match (language, capitals) {
        (Some(language), true) => format!(
            "`{0}` is looked for in any case, so it also matches `{folded}`, which nearly every article in {language} \
             has; leave out `case = \"ignore\"`, or write `={0}` in a query",
            term.written
        ),
        (None, true) if common::is_word_too(folded) => format!(
            "`{0}` is looked for in any case, so it also matches the word `{folded}`; leave out `case = \"ignore\"`, or \
             write `={0}` in a query",
            term.written
        ),
        (Some(language), false) => {
            let acronym = match folded.as_str() {
                "us" | "it" | "who" | "un" => format!("; if the acronym is meant, write `{}`", folded.to_uppercase()),
                _ => String::new(),
            };
            format!("nearly every article in {language} has the word `{folded}`{acronym}")
        }
        _ => return None,
    };
    Some(Oddity { name: name::COMMON_WORD, at: None, message, suggestion: None })
}

/// A list's term that reads like a query.
fn like_a_query(written: &str) -> Option<Oddity> {
    let operator = |word: &&str| matches!(*word, "AND" | "OR" | "NOT") || word.starts_with("NEAR/");
    let mut words = written.split_whitespace();
    let word = words.find(operator).filter(|_| written.split_whitespace().count() > 1)?;
    let at = word.as_ptr() as usize - written.as_ptr() as usize;
    let message = format!(
        "`{word}` is a word of a phrase here, not an operator; if a query is meant, write `query = '{}'`",
        written.trim()
    );
    Some(Oddity { name: name::LOOKS_LIKE_A_QUERY, at: Some(at), message, suggestion: None })
}

fn quoted(written: &str) -> Option<Oddity> {
    let at = written.find(['"', '“', '”', '„', '«', '»'])?;
    let plain = written.replace(['"', '“', '”', '„', '«', '»'], "");
    let message = format!(
        "quotation marks say nothing in a list, where several words are a phrase anyway; write `{}`",
        plain.trim()
    );
    Some(Oddity { name: name::UNEXPECTED_WORDS, at: Some(at), message, suggestion: None })
}

fn outer_space(written: &str) -> Option<Oddity> {
    let trimmed = written.trim();
    (trimmed.len() < written.len()).then(|| Oddity {
        name: name::UNEXPECTED_WORDS,
        at: Some(if written.starts_with(char::is_whitespace) { 0 } else { trimmed.len() }),
        message: format!("the white space around `{trimmed}` says nothing: whole words are matched anyway"),
        suggestion: Some(trimmed.to_owned()),
    })
}

/// Says what is left of a term where it is not what one would think.
fn tokens(written: &str, term: &Term) -> Option<Oddity> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    tokenize(written, &mut TokenSpace::default(), |token| places.push((token.start, token.end)));
    let odd = |at: Option<usize>, why: String| {
        Some(Oddity { name: name::UNEXPECTED_WORDS, at, message: format!("{why}: {}", shown(term)), suggestion: None })
    };
    // Joiners and variants belong to how Persian, Hindi and emoji are written.
    let stray = |c| chars::is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    if let Some((at, _)) = written.char_indices().find(|(_, c)| stray(*c)) {
        return odd(Some(at), "the term holds an invisible character, which is not looked at".to_owned());
    }
    if let Some((article, rest)) = elision(written) {
        let why = format!("`{article}` before an apostrophe is a word of its own, so that `{rest}` alone is missed");
        return odd(Some(0), why);
    }
    let wildcard = term.words.iter().any(|word| word.kind == WordKind::Wildcard);
    let inside = |at: usize| places.iter().any(|(start, end)| (*start..*end).contains(&at));
    let beside = |at: usize, length: usize| {
        let before = places.iter().any(|(_, end)| *end == at);
        let after = places.iter().any(|(start, _)| *start == at + length);
        (before, after)
    };
    for (at, c) in written.char_indices().filter(|(at, _)| !inside(*at)) {
        let (before, after) = beside(at, c.len_utf8());
        match chars::class(c) {
            Class::Line => return odd(Some(at), "the line break is white space in a term".to_owned()),
            Class::Space | Class::Dash | Class::Apostrophe | Class::Mark | Class::Deleted => {}
            _ if c == '*' => {}
            _ if c == '?' && wildcard => {}
            // `St. Petersburg`, `Washington, D.C.`, `Johnson & Johnson`: found with the sign and without.
            _ if matches!(c, '.' | ',' | '·' | '・' | '،' | '、') && !(before && after) => {}
            _ if c == '&' && !before && !after => {}
            // Quotation marks and the like around a word in a query.
            _ if before && after => return odd(Some(at), format!("`{c}` divides words")),
            _ => return odd(Some(at), format!("`{c}` is not looked at")),
        }
    }
    None
}

/// Returns an article with its apostrophe, and the word after it: `l’`, `Iran`.
fn elision(written: &str) -> Option<(&str, &str)> {
    const ARTICLES: [&str; 10] = ["l", "d", "qu", "un", "all", "dall", "dell", "nell", "sull", "dell"];
    let (article, rest) = written.split_once(['\'', '’'])?;
    let known = ARTICLES.contains(&article.to_lowercase().as_str());
    (known && rest.starts_with(char::is_alphabetic)).then_some((article, rest))
}

/// Returns what a term is matched as.
fn shown(term: &Term) -> String {
    let word = |word: &TermWord| {
        // A star is shown where it was written; in Hangul every word is open.
        let star = if word.kind == WordKind::Prefix && term.written.contains('*') { "*" } else { "" };
        format!("{}{star}", word.cased.as_ref().unwrap_or(&word.folded))
    };
    let words: Vec<String> = term.words.iter().map(word).collect();
    match words.as_slice() {
        [word] => format!("it is matched as the word `{word}`"),
        words => format!("it is matched as the phrase `{}`", words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(written: &str, case: Case, within: Within) -> Vec<&'static str> {
        let texts = FieldSet::of(&[Field::Title]);
        oddities(written, case, texts, within).into_iter().map(|oddity| oddity.name).collect()
    }

    #[test]
    fn terms_that_are_what_they_look_like_are_not_warned_of() {
        for written in [
            "missile*",
            "wom?n",
            "wom?n*",
            "anti-tank",
            "North Korea*",
            "C++",
            "C#",
            "U.S.",
            "US",
            "WHO",
            "IT",
            "AIDS",
            "St. Petersburg",
            "Washington, D.C.",
            "Johnson & Johnson",
            "O'Brien",
            "Côte d'Ivoire",
            "F-16",
            "3,000",
            "10%",
            "$5",
            "북한",
            "弾道ミサイル",
            "한*",
            "Рад* Безпеки",
            "Corée du Nord",
            "may",
            "la paz",
            "COVID-19",
            "می\u{200c}خواهم",
            "Inc.",
            "John F. Kennedy",
            "ЄС",
            "states'",
            "Xi'an",
        ] {
            assert_eq!(names(written, Case::Acronyms, Within::List), Vec::<&str>::new(), "{written}");
        }
    }

    #[test]
    fn odd_terms_are_shown_as_they_are_matched() {
        for (written, case, expected, part) in [
            ("US", Case::Ignore, name::COMMON_WORD, "matches `us`, which nearly every article in English has"),
            ("AIDS", Case::Ignore, name::COMMON_WORD, "also matches the word `aids`"),
            ("it", Case::Acronyms, name::COMMON_WORD, "if the acronym is meant, write `IT`"),
            ("who", Case::Match, name::COMMON_WORD, "the word `who`"),
            ("und", Case::Acronyms, name::COMMON_WORD, "in German"),
            ("ab*", Case::Acronyms, name::SHORT_STEM, "every word that starts with `ab`"),
            ("я*", Case::Acronyms, name::SHORT_STEM, "at least 3 letters"),
            ("a?*", Case::Acronyms, name::SHORT_STEM, "at least 3 letters"),
            ("cat?", Case::Acronyms, name::UNEXPECTED_WORDS, "not for `cat` itself; write `cat*`"),
            ("AT&T", Case::Acronyms, name::UNEXPECTED_WORDS, "`&` divides words: it is matched as the phrase `AT T`"),
            ("example.com", Case::Acronyms, name::UNEXPECTED_WORDS, "the phrase `example com`"),
            ("l'Iran", Case::Acronyms, name::UNEXPECTED_WORDS, "`Iran` alone is missed: it is matched as the phrase"),
            (
                "Canal+",
                Case::Acronyms,
                name::UNEXPECTED_WORDS,
                "`+` is not looked at: it is matched as the word `canal`",
            ),
            ("#tag", Case::Acronyms, name::UNEXPECTED_WORDS, "`#` is not looked at"),
            ("rocket 🚀", Case::Acronyms, name::UNEXPECTED_WORDS, "`🚀` is not looked at"),
            ("big\nbang", Case::Acronyms, name::UNEXPECTED_WORDS, "line break"),
            ("mis\u{ad}sile", Case::Acronyms, name::UNEXPECTED_WORDS, "the word `missile`"),
            ("\"North Korea\"", Case::Acronyms, name::UNEXPECTED_WORDS, "write `North Korea`"),
            ("mis\u{61c}sile", Case::Acronyms, name::UNEXPECTED_WORDS, "holds an invisible character"),
            ("mis\u{2060}sile", Case::Acronyms, name::UNEXPECTED_WORDS, "holds an invisible character"),
            (" missile", Case::Acronyms, name::UNEXPECTED_WORDS, "white space around `missile`"),
            ("missile AND DPRK", Case::Acronyms, name::LOOKS_LIKE_A_QUERY, "write `query = 'missile AND DPRK'`"),
            ("NOT exercise", Case::Acronyms, name::LOOKS_LIKE_A_QUERY, "`NOT` is a word"),
            ("a NEAR/3 b", Case::Acronyms, name::LOOKS_LIKE_A_QUERY, "`NEAR/3`"),
        ] {
            let found = oddities(written, case, FieldSet::of(&[Field::Title]), Within::List);
            assert_eq!(found.len(), 1, "{written}: {found:?}");
            assert_eq!(found[0].name, expected, "{written}");
            assert!(found[0].message.contains(part), "{written}: {}", found[0].message);
            assert!(found[0].at.is_none_or(|at| written.is_char_boundary(at)), "{written}");
        }
        assert_eq!(oddities("it", Case::Acronyms, FieldSet::of(&[Field::Category]), Within::List), []);
        assert_eq!(names("AND", Case::Acronyms, Within::List), Vec::<&str>::new());
    }
}
