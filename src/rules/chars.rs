//! Character classes of the tokeniser, and the folding of characters: compatibility forms, diacritics, case.
//!
//! Diacritics are folded for the Latin, Greek and Arabic scripts only: elsewhere a mark makes another letter (й is not и).
//! The exception is ё, which Russian writes as е at will.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};
use std::sync::LazyLock;

/// What a character is to the tokeniser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Letter or digit of a script that puts spaces between words.
    Word,
    /// Hangul: a word ends where it ends, since particles follow Latin names without a space.
    Hangul,
    /// Letter of a script without spaces: a token of its own.
    Solo,
    /// Combining mark: belongs to the letter before it.
    Mark,
    /// Sign that is a token of its own: percent and currencies.
    Sign,
    /// Invisible: as if it were not there.
    Deleted,
    /// White space.
    Space,
    /// End of a line or paragraph.
    Line,
    /// Apostrophe or single quotation mark.
    Apostrophe,
    /// Hyphen or short dash.
    Dash,
    /// Other punctuation that leaves a phrase whole: quotation marks, `&`, `_`, middle dots.
    Tight,
    /// Punctuation and symbols that end a phrase.
    Break,
}

/// A character below the table's end: its class and its forms, where each is one character.
#[derive(Clone, Copy)]
struct Entry {
    class: Class,
    /// Form that keeps the case; NUL if a form is not one character.
    cased: char,
    folded: char,
}

const TABLE_END: u32 = 0x3000;

/// Alphabets, Indic scripts, punctuation and signs: all but the ideographs and what lies behind them.
static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| (0..TABLE_END).map(entry).collect());

fn entry(code: u32) -> Entry {
    let none = '\0';
    let Some(c) = char::from_u32(code) else { return Entry { class: Class::Break, cased: none, folded: none } };
    let class = classify(c);
    let (mut cased, mut folded) = (String::new(), String::new());
    if matches!(class, Class::Word | Class::Hangul | Class::Solo | Class::Sign) {
        fold_cluster(c.encode_utf8(&mut [0; 4]), &mut cased, &mut folded);
    }
    let single = |text: &str| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    };
    match (single(&cased), single(&folded)) {
        (Some(cased), Some(folded)) => Entry { class, cased, folded },
        _ => Entry { class, cased: none, folded: none },
    }
}

/// Returns the class of a character.
pub(super) fn class(c: char) -> Class {
    match TABLE.get(c as usize) {
        Some(entry) => entry.class,
        None => match c {
            '\u{4e00}'..='\u{9fff}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' => Class::Solo,
            '\u{ac00}'..='\u{d7a3}' => Class::Hangul,
            _ => classify(c),
        },
    }
}

/// Tells whether a character turns the direction of the text after it: an explicit embedding, override or isolate, or
/// its end (UAX #9).
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether nobody sees a character, which is looked at nowhere: what comes along with text that is copied from a page.
pub fn is_invisible(c: char) -> bool {
    // The stroke that lengthens Arabic words is seen.
    class(c) == Class::Deleted && c != '\u{640}'
}

/// Returns the forms of a letter without marks, cased and folded, if each is one character and known without effort.
pub(super) fn forms(c: char) -> Option<(char, char)> {
    match TABLE.get(c as usize) {
        Some(entry) => (entry.cased != '\0').then_some((entry.cased, entry.folded)),
        None => match c {
            '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fc}' => {
                Some((c, c))
            }
            _ => None,
        },
    }
}

fn classify(c: char) -> Class {
    // Fullwidth forms of ASCII punctuation are the same punctuation.
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    };
    match c {
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{640}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{34f}' => Class::Deleted,
        '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Line,
        '\'' | '’' | '‘' | '‛' | '`' | '´' | '′' | '\u{2bb}' | '\u{2bc}' | '\u{2b9}' | '\u{5f3}' => {
            Class::Apostrophe
        }
        '-' | '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{fe63}' | '\u{5be}' | '\u{58a}' => Class::Dash,
        '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '‹' | '›' | '″' | '\u{5f4}' => Class::Tight,
        '「' | '」' | '『' | '』' | '《' | '》' | '〈' | '〉' | '·' | '・' | '･' | '‧' => Class::Tight,
        '_' | '&' | '*' | '~' | '@' | '#' | '™' | '®' | '©' => Class::Tight,
        '%' | '‰' | '٪' => Class::Sign,
        // The sound mark of Katakana belongs to no one script; vowel and final letters of Hangul compose backwards.
        '\u{30fc}' | '\u{ff70}' => Class::Solo,
        '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}' | '\u{ff9e}' | '\u{ff9f}' => Class::Mark,
        c if c.is_whitespace() => Class::Space,
        c if is_mark(c) => Class::Mark,
        c if c.is_alphanumeric() => match script(c) {
            Script::Hangul => Class::Hangul,
            script if without_spaces(script) => Class::Solo,
            _ => Class::Word,
        },
        c if CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::CurrencySymbol => Class::Sign,
        _ => Class::Break,
    }
}

/// Returns the script of a character.
pub(super) fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

fn without_spaces(script: Script) -> bool {
    [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Bopomofo,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
        Script::TaiLe,
        Script::NewTaiLue,
        Script::TaiTham,
        Script::TaiViet,
        Script::Yi,
    ]
    .contains(&script)
}

fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// Appends the forms of a letter with its marks: compatibility forms composed, diacritics folded where they are to be;
/// `cased` keeps the case, `folded` has full case folding.
pub(super) fn fold_cluster(cluster: &str, cased: &mut String, folded: &mut String) {
    let decomposed = const { DecomposingNormalizerBorrowed::new_nfkd() }.normalize(cluster);
    let mut kept = String::with_capacity(decomposed.len());
    let (mut base, mut base_script) = ('\0', Script::Common);
    for c in decomposed.chars() {
        if !is_mark(c) {
            (base, base_script) = (c, script(c));
            // The alef of elision has no decomposition, unlike the other forms of the alef.
            kept.push(if c == '\u{671}' { '\u{627}' } else { c });
            continue;
        }
        let folds = match base_script {
            Script::Latin | Script::Greek | Script::Arabic => true,
            Script::Cyrillic => c == '\u{308}' && matches!(base, 'е' | 'Е'),
            _ => false,
        };
        if !folds {
            kept.push(c);
        }
    }
    let mut composed = const { ComposingNormalizerBorrowed::new_nfkc() }.normalize(&kept).into_owned();
    if base_script == Script::Cyrillic {
        // What does not compose is a stress mark, written in dictionaries only.
        composed.retain(|c| !matches!(c, '\u{300}' | '\u{301}'));
    }
    folded.push_str(&const { CaseMapper::new() }.fold_string(&composed));
    cased.push_str(&composed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let (mut cased, mut folded) = (String::new(), String::new());
        fold_cluster(text, &mut cased, &mut folded);
        folded
    }

    #[test]
    fn folds_diacritics_of_some_scripts_only() {
        for (text, expected) in [
            ("Á", "a"),
            ("ß", "ss"),
            ("İ", "i"),
            ("ﬁ", "fi"),
            ("Ｄ", "d"),
            ("ς", "σ"),
            ("Ё", "е"),
            ("й", "й"),
            ("И\u{306}", "й"),
            ("ї", "ї"),
            ("أ", "ا"),
            ("ά", "α"),
            ("a\u{301}", "a"),
            ("о\u{301}", "о"),
            ("が", "が"),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn table_and_ranges_agree_with_the_properties() {
        for c in ['a', 'é', 'я', '弾', '한', 'あ', 'ア', 'ー', '・', 'ก', 'ע', '\u{301}'] {
            assert_eq!(class(c), classify(c), "{c}");
        }
        for c in ('\u{3041}'..='\u{3096}').chain('\u{30a1}'..='\u{30fa}').chain(['弾', '한', '\u{ac00}', '\u{d7a3}'])
        {
            assert_eq!(forms(c).map(|(_, folded)| folded.to_string()), Some(folded(&c.to_string())), "{c}");
        }
    }
}
