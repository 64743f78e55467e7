//! Arabic words without what is written together with them: conjunctions, prepositions and the article before, pronouns
//! and regular endings of number after. Plurals by other vowels (`صاروخ`, `صواريخ`) are other words here.

use super::Side;

/// Letters that must be left.
const LEFT: usize = 3;

/// Letters that must be left where an ending of number is taken off, which many a word ends in by itself (`لبنان`, `قانون`).
const LEFT_OF_NUMBER: usize = 4;

/// Calls `each` with the word itself and with what may be the word that it is made of. Of a word of a term nothing is taken
/// off that may be its own: `وزير` is a minister and not `و` and `زير`.
pub(super) fn forms(word: &str, side: Side, mut each: impl FnMut(&str)) {
    let word = plain(word);
    let mut starts = vec![word.as_str()];
    match side {
        Side::Term => strip(&mut starts, &["ال"]),
        Side::Text => {
            // `و` or `ف`, then `ب`, `ك` or `ل`, then `ال`, of which `ل` leaves a second `ل` only: `وبالصين`, `للصين`.
            strip(&mut starts, &["و", "ف"]);
            strip(&mut starts, &["ب", "ك", "ل"]);
            strip(&mut starts, &["ال", "لل"]);
        }
    }
    for start in starts {
        each(start);
        number(start, side, &mut each);
        if side == Side::Text {
            pronoun(start, &mut each);
        }
    }
}

/// Unites spellings of one letter: the alef without a hamza, final ye with and without dots, letters of Persian keyboards.
fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}'))
        .map(|c| match c {
            'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
            'ى' | 'ی' | 'ئ' => 'ي',
            'ؤ' => 'و',
            'ک' => 'ك',
            'ة' => 'ه',
            c => c,
        })
        .collect()
}

fn strip<'w>(starts: &mut Vec<&'w str>, prefixes: &[&str]) {
    let stripped = |word: &&'w str| {
        prefixes.iter().find_map(|prefix| word.strip_prefix(prefix)).filter(|rest| is_left(rest, LEFT))
    };
    let more: Vec<&str> = starts.iter().filter_map(stripped).collect();
    starts.extend(more);
}

fn is_left(word: &str, letters: usize) -> bool {
    word.chars().count() >= letters
}

/// Takes off the ending of a regular plural, and of the dual.
fn number(word: &str, side: Side, each: &mut impl FnMut(&str)) {
    // The plural of women and things, for their singular: `عقوبات`, `عقوبة`.
    if let Some(start) = word.strip_suffix("ات").filter(|start| is_left(start, LEFT)) {
        each(&format!("{start}ه"));
    }
    let endings: &[&str] = if side == Side::Text { &["ون", "ين", "ان"] } else { &["ون", "ين"] };
    let start = endings.iter().find_map(|ending| word.strip_suffix(ending));
    if let Some(start) = start.filter(|start| is_left(start, LEFT_OF_NUMBER)) {
        each(start);
    }
}

/// Takes off a possessive pronoun.
fn pronoun(word: &str, each: &mut impl FnMut(&str)) {
    let start = ["هما", "هم", "هن", "ها", "نا", "كم", "ه"].iter().find_map(|pronoun| word.strip_suffix(pronoun));
    if let Some(start) = start.filter(|start| is_left(start, LEFT)) {
        each(start);
        // Before a pronoun the ending of women is written as a t: `حكومة`, `حكومته`.
        if let Some(start) = start.strip_suffix('ت').filter(|start| is_left(start, LEFT - 1)) {
            each(&format!("{start}ه"));
        }
    }
}
