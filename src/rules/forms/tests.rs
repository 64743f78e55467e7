use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn set(language: &str, word: &str, side: Side) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    forms(Language::known(language), word, side, |form| {
        if let Form::Stem(text) = form {
            set.insert(text.to_owned());
        }
    });
    set
}

fn whole(language: &str, word: &str) -> String {
    let mut whole = String::new();
    forms(Language::known(language), word, Side::Text, |form| {
        if let Form::Whole(text) = form {
            whole = text.to_owned();
        }
    });
    whole
}

/// Whether a word of a text is a form of a term's.
fn meet(language: &str, term: &str, word: &str) -> bool {
    !set(language, term, Side::Term).is_disjoint(&set(language, word, Side::Text))
}

#[test]
fn words_meet_their_forms_and_no_others() {
    for (language, term, hits, misses) in [
        ("en", "missile", "missiles Missile MISSILES", "missive miss"),
        ("en", "launch", "launches launched launching", "lunch"),
        ("uk", "ракета", "ракети ракет ракетами ракету ракетою РАКЕТИ", "ракетний рак рахунок"),
        ("uk", "санкція", "санкції санкцій санкціями санкцією", "санкціонований секція"),
        ("uk", "обстріл", "обстрілу обстріли обстрілів обстрілами", "стріла"),
        ("uk", "Харків", "Харкова Харкові Харковом", "хар харчі"),
        ("uk", "Київ", "Києва Києві Києвом", "київський кий"),
        ("uk", "балістична", "балістичної балістичних балістичними", "балет"),
        ("ru", "ракета", "ракеты ракет ракетами ракету ракетой", "ракетный рак"),
        ("ru", "санкция", "санкции санкций санкциями", "секция"),
        ("ru", "Киев", "Киева Киеве Киевом", "киевский кит"),
        ("ru", "ёлка", "елки ёлки ёлкой", "ель"),
        ("de", "Rakete", "Raketen raketen RAKETEN", "Racket Rettung"),
        ("de", "Haus", "Häuser Hauses Häusern", "Hase Haut"),
        ("de", "Straße", "Straßen Strassen STRASSE", "Strauß"),
        ("de", "Flüchtling", "Flüchtlinge Flüchtlingen Flüchtlings", "Flucht"),
        ("fr", "élection", "élections Élections", "électeur lecture"),
        ("fr", "cheval", "chevaux", "chevalier"),
        ("fr", "attaque", "attaques attaqué attaquer", "attache"),
        ("es", "elección", "elecciones Elecciones", "lección"),
        ("es", "misil", "misiles", "misión mil"),
        ("es", "nación", "naciones", "nacido nata"),
        ("tr", "füze", "füzeler füzenin füzeye", "fuar"),
        ("tr", "deprem", "depremler depremin depremde", "derece"),
        ("tr", "ışık", "ışıklar IŞIKLAR Işık", "işik işçi"),
        ("tr", "İstanbul", "istanbul İSTANBUL", "ISTANBUL ıstanbul"),
        ("pt", "eleição", "eleições", "eleitor"),
        ("el", "πύραυλος", "πύραυλοι πυραύλων ΠΥΡΑΥΛΟΙ", "πύργος"),
        ("ar", "صاروخ", "الصاروخ وصاروخ بالصاروخ صاروخان صـاروخ صاروخها", "صواريخ صراخ"),
        ("ar", "الصين", "الصين والصين بالصين للصين وبالصين فالصين صين", "صينية سين"),
        ("ar", "عقوبات", "العقوبات عقوبة والعقوبات بعقوبات", "عقود عقارات"),
        ("ar", "لاجئ", "اللاجئين لاجئون للاجئين", "لاعب"),
        ("ar", "حكومة", "الحكومة حكومته وحكومتها للحكومة", "حكم"),
        ("ar", "أمريكا", "امريكا وأمريكا لأمريكا", "مريم"),
        ("ar", "وزير", "الوزير ووزير للوزير", "زير"),
        ("ar", "لبنان", "ولبنان بلبنان", "لبن اللبن"),
    ] {
        let wrong = |words: &str, expected: bool| -> Vec<String> {
            words.split(' ').filter(|word| meet(language, term, word) != expected).map(str::to_owned).collect()
        };
        let (missed, wrongly_met) = (wrong(hits, true), wrong(misses, false));
        assert!(missed.is_empty() && wrongly_met.is_empty(), "{language} {term}: {missed:?}, {wrongly_met:?}");
    }
}

#[test]
fn letters_of_their_own_are_kept_where_a_language_has_them() {
    for (language, word, expected) in [
        ("fi", "SÄÄ", "sää"),
        ("fi", "Sa\u{308}a\u{308}", "sää"),
        ("fi", "café", "cafe"),
        ("sv", "Åmål", "åmål"),
        ("et", "Õö", "õö"),
        ("de", "Müller", "muller"),
        ("de", "Straße", "strasse"),
        ("tr", "IŞIK", "ısık"),
        ("tr", "İzmir", "izmir"),
        ("az", "BAKI", "bakı"),
        ("en", "İzmir", "izmir"),
        ("en", "IRAN", "iran"),
        ("ru", "Ёлка", "елка"),
        ("ru", "за\u{301}мок", "замок"),
        ("uk", "Її", "її"),
        ("en", "mis\u{ad}sile", "missile"),
        ("en", "ＤＰＲＫ", "dprk"),
    ] {
        assert_eq!(whole(language, word), expected, "{language} {word}");
    }
}

#[test]
fn short_and_endless_words_are_themselves_alone() {
    assert!(set("en", "as", Side::Text).is_empty());
    assert!(set("en", &"ation".repeat(30), Side::Text).is_empty());
    assert!(set("ko", "북한이", Side::Text).is_empty());
}

proptest! {
    /// Whatever stands in a text, no stemmer fails on it, and a word is always a form of itself.
    #[test]
    fn no_word_makes_a_stemmer_fail(word in "\\PC{1,12}", index in 0..200_usize) {
        let languages: Vec<_> = language::in_script(script_of(&word).unwrap_or(Script::Latin)).iter().collect();
        if let Some(language) = languages.get(index % languages.len().max(1)) {
            let code = language.code();
            let (term, text) = (set(code, &word, Side::Term), set(code, &word, Side::Text));
            prop_assert!(term.is_empty() && text.is_empty() || meet(code, &word, &word), "{} {}", code, word);
        }
    }
}
