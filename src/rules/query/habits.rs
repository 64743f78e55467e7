//! What people bring from other query languages, and what they write here instead.

use super::DEFAULT_DISTANCE;
use super::lexer::{scope_of, short};

/// Says what to write for a word that stands where an operator does and is one elsewhere.
pub(super) fn operator_elsewhere(word: &str) -> Option<String> {
    let upper = word.to_uppercase();
    let in_capitals = *word == upper;
    let digits = upper.len() - upper.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (name, number) = upper.split_at(upper.len() - digits);
    let is_numbered = !number.is_empty();
    let number = if is_numbered { number.to_owned() } else { DEFAULT_DISTANCE.to_string() };
    // Names have initials, such as `Samuel W Bush`.
    let or_phrase = if word.chars().count() <= 2 { ", or quotation marks around the phrase" } else { "" };
    let is_word_here = |write: &str| Some(format!("`{word}` is a word here; write {write}{or_phrase}"));
    match name.trim_end_matches(['/', '~', '=', '-', '_']) {
        "AND" | "OR" | "NOT" if !in_capitals => {
            Some(format!("operators are in capitals: `{word}` is a word here; write `{upper}`"))
        }
        near @ ("NEAR" | "ONEAR") => is_word_here(&format!("`{near}/{number}`")),
        "" | "W" | "N" | "ADJ" | "NEXT" | "WITHIN" | "NEARBY" | "SAME" | "AROUND"
            if !word.starts_with(char::is_numeric)
                && (in_capitals || is_numbered || !word.contains(char::is_alphabetic)) =>
        {
            Some(format!("`{word}` is a word here; for words near each other write `NEAR/{number}`{or_phrase}"))
        }
        "PRE" | "BEFORE" | "P" | "FOLLOWED" if in_capitals || is_numbered => {
            Some(format!("`{word}` is a word here; for words one after the other write `ONEAR/{number}`{or_phrase}"))
        }
        "XOR" => Some("there is no `XOR` here; write `(a OR b) AND NOT (a AND b)`".to_owned()),
        "ANDNOT" | "BUTNOT" => is_word_here("`AND NOT`"),
        "BUT" | "EXCEPT" | "MINUS" | "WITHOUT" | "EXCLUDING" if in_capitals => is_word_here("`AND NOT`"),
        "TO" if in_capitals => Some(NO_RANGES.to_owned()),
        "UND" | "ET" | "И" | "ТА" if in_capitals => is_word_here("`AND`"),
        "ODER" | "OU" | "ИЛИ" | "АБО" if in_capitals => is_word_here("`OR`"),
        "NICHT" | "SAUF" | "НЕ" if in_capitals => is_word_here("`AND NOT`"),
        other => {
            // Typed on a keyboard of another alphabet.
            let latin: String = other.chars().map(latin_twin).collect();
            (latin != other && matches!(latin.as_str(), "AND" | "OR" | "NOT" | "NEAR" | "ONEAR")).then(|| {
                let write = if latin.ends_with("NEAR") { format!("{latin}/{number}") } else { latin.clone() };
                format!("`{word}` has letters of another alphabet than `{latin}`; write `{write}`")
            })
        }
    }
}

/// Returns the Latin capital that looks like a letter.
fn latin_twin(letter: char) -> char {
    match letter {
        'А' | 'Α' => 'A',
        'Е' | 'Ε' => 'E',
        'О' | 'Ο' => 'O',
        'Т' | 'Τ' => 'T',
        'Ν' => 'N',
        other => other,
    }
}

/// Says what two words side by side are in other languages: a phrase in single quotation marks, a field with its value.
pub(super) fn written_elsewhere(word: &str, next: &str) -> Option<String> {
    if word.starts_with(['\'', '‘', '‚', '`']) && word.chars().count() > 1 {
        let (start, end) = (&word[word.chars().next()?.len_utf8()..], next.trim_end_matches(['\'', '’', '`']));
        let more = if end == next { "…" } else { "" };
        return Some(format!("a phrase stands in double quotation marks: write `\"{start} {end}{more}\"`"));
    }
    let name = word.strip_suffix('=').or((next.starts_with(['=', ':'])).then_some(word))?;
    scope_of(name).map(|_| before_a_colon(name))
}

/// Says that a field has a colon behind it.
pub(super) fn before_a_colon(name: &str) -> String {
    format!("a field stands right before a colon: write `{name}:` and what it must have")
}

/// Returns the field that another query language calls by some name.
pub(super) fn field_elsewhere(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "http" | "https" | "site" | "inurl" | "allinurl" | "domain" | "link" | "host" => Some("url"),
        "headline" | "inheadline" | "allintitle" | "subject" => Some("title"),
        "text" | "intext" | "allintext" | "inbody" | "description" | "fulltext" => Some("body"),
        "ingress" | "lead" | "teaser" | "abstract" | "snippet" => Some("summary"),
        "byline" | "by" => Some("author"),
        "source" | "sourcename" | "publisher" | "publication" | "outlet" => Some("feed"),
        "label" => Some("tag"),
        "language" | "locale" | "sourcelang" => Some("lang"),
        "keyword" | "keywords" | "topic" => Some("category"),
        _ => None,
    }
}

/// Whether another query language chooses by the date with this name.
pub(super) fn is_date_elsewhere(name: &str) -> bool {
    const NAMES: [&str; 10] =
        ["date", "published", "pubdate", "publishdate", "before", "after", "since", "until", "daterange", "when"];
    NAMES.contains(&name.to_ascii_lowercase().as_str())
}

pub(super) const NO_DATES: &str = "a query does not ask for dates: rules meet articles as they come, and `feedwatch search` \
                                   has `--since` and `--until`; leave it out";

const NO_RANGES: &str = "there are no ranges here; write the words, or put them in quotation marks to look for them";

/// Says what a word is in another query language, and what there is instead; `is_whole` if nothing stands beside it.
pub(super) fn foreign(word: &str, is_whole: bool) -> Option<String> {
    let numbered = |sign: char| {
        let (before, after) = word.rsplit_once(sign)?;
        let number = after.chars().all(|c| c.is_ascii_digit() || c == '.');
        Some(()).filter(|()| number && (before.contains(char::is_alphanumeric) || sign == '^' && !after.is_empty()))
    };
    if let Some(name) = word.split_once(['=', '＝']).map(|(name, _)| name).filter(|name| scope_of(name).is_some()) {
        return (!word.ends_with(['=', '＝'])).then(|| before_a_colon(name));
    }
    if numbered('~').is_some() {
        let message = "`~` stands after a phrase only; there is no fuzzy search: write the spellings with `OR`, or `?` for \
                       a letter, or a `*` at the end";
        return Some(message.to_owned());
    }
    if numbered('^').is_some() {
        return Some("terms have no weights here; leave out the `^`".to_owned());
    }
    let (sign, joined) = with_operators(word)?;
    let (open, close) = if is_whole { ("", "") } else { ("(", ")") };
    Some(format!("`{sign}` is no operator here; write `{open}{joined}{close}`"))
}

/// Returns the first of the signs that join the parts of a word elsewhere, and the parts with operators between them.
fn with_operators(word: &str) -> Option<(&'static str, String)> {
    let plain = word.replace('｜', "|").replace('＆', "&");
    let either: Vec<Vec<&str>> =
        plain.split('|').filter(|part| !part.is_empty()).map(|part| part.split("&&").collect()).collect();
    let mut parts = either.iter().flatten();
    let several = either.len() > 1 || either.iter().any(|all| all.len() > 1);
    if !several || !parts.all(|part| part.contains(char::is_alphanumeric)) {
        return None;
    }
    let all = |all: &Vec<&str>| match all.len() > 1 && either.len() > 1 {
        true => format!("({})", all.join(" AND ")),
        false => all.join(" AND "),
    };
    let sign = if either.len() > 1 { "|" } else { "&&" };
    Some((sign, short(&either.iter().map(all).collect::<Vec<_>>().join(" OR "))))
}

/// Says what square and curly brackets are: ranges of Lucene, or parentheses.
pub(super) fn brackets(within: &str) -> &'static str {
    if within.split_whitespace().any(|word| word == "TO") {
        NO_RANGES
    } else {
        "only parentheses group: write `(` and `)` instead of brackets, or quotation marks around a word with one"
    }
}
