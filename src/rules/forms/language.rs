//! Languages: their codes, scripts, stemmers, and the letters that are letters of their own there.

use frostem::Algorithm;
use icu_properties::props::Script;
use std::sync::LazyLock;

/// A language, by its code of two letters (ISO 639-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(u8);

/// All codes of ISO 639-1, three bytes each with the space.
const CODES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de \
                     dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia \
                     id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo \
                     lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl \
                     ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk \
                     tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

/// How the forms of a language's words are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stemming {
    /// Not at all.
    None,
    /// By a stemmer of Snowball.
    Snowball(Algorithm),
    /// By taking off what Arabic writes together with the word.
    Clitics,
}

/// What is known of a language besides its code.
#[derive(Debug)]
pub(super) struct Traits {
    code: &'static str,
    name: &'static str,
    pub(super) stemming: Stemming,
    /// Letters with a diacritic that are not the letter without it.
    pub(super) letters: &'static str,
    /// Whether `I` is the capital of `ı`, and `İ` that of `i`.
    pub(super) dotless: bool,
}

impl Traits {
    const fn new(code: &'static str, name: &'static str, stemming: Stemming) -> Self {
        Self { code, name, stemming, letters: "", dotless: false }
    }

    const fn stemmed(code: &'static str, name: &'static str, algorithm: Algorithm) -> Self {
        Self::new(code, name, Stemming::Snowball(algorithm))
    }

    const fn letters(self, letters: &'static str) -> Self {
        Self { letters, ..self }
    }

    const fn dotless(self) -> Self {
        Self { dotless: true, ..self }
    }
}

/// The languages of which more is known than the code; a set of languages has one bit for each.
static TRAITS: [Traits; 51] = [
    Traits::new("ar", "Arabic", Stemming::Clitics),
    Traits::new("az", "Azerbaijani", Stemming::None).dotless(),
    Traits::new("be", "Belarusian", Stemming::None),
    Traits::new("bg", "Bulgarian", Stemming::None),
    Traits::stemmed("ca", "Catalan", Algorithm::Catalan),
    Traits::stemmed("cs", "Czech", Algorithm::Czech),
    Traits::stemmed("da", "Danish", Algorithm::Danish).letters("å"),
    Traits::stemmed("de", "German", Algorithm::German),
    Traits::stemmed("el", "Greek", Algorithm::Greek),
    Traits::stemmed("en", "English", Algorithm::English),
    Traits::stemmed("eo", "Esperanto", Algorithm::Esperanto),
    Traits::stemmed("es", "Spanish", Algorithm::Spanish),
    Traits::stemmed("et", "Estonian", Algorithm::Estonian).letters("äöüõ"),
    Traits::stemmed("eu", "Basque", Algorithm::Basque),
    Traits::stemmed("fa", "Persian", Algorithm::Persian),
    Traits::stemmed("fi", "Finnish", Algorithm::Finnish).letters("åäö"),
    Traits::stemmed("fr", "French", Algorithm::French),
    Traits::stemmed("ga", "Irish", Algorithm::Irish),
    Traits::new("he", "Hebrew", Stemming::None),
    Traits::stemmed("hi", "Hindi", Algorithm::Hindi),
    Traits::new("hr", "Croatian", Stemming::None),
    Traits::stemmed("hu", "Hungarian", Algorithm::Hungarian),
    Traits::stemmed("hy", "Armenian", Algorithm::Armenian),
    Traits::stemmed("id", "Indonesian", Algorithm::Indonesian),
    Traits::stemmed("it", "Italian", Algorithm::Italian),
    Traits::new("ja", "Japanese", Stemming::None),
    Traits::new("kk", "Kazakh", Stemming::None),
    Traits::new("ko", "Korean", Stemming::None),
    Traits::stemmed("lt", "Lithuanian", Algorithm::Lithuanian),
    Traits::new("mk", "Macedonian", Stemming::None),
    Traits::new("mn", "Mongolian", Stemming::None),
    Traits::new("mr", "Marathi", Stemming::None),
    Traits::stemmed("ne", "Nepali", Algorithm::Nepali),
    Traits::stemmed("nl", "Dutch", Algorithm::Dutch),
    Traits::stemmed("no", "Norwegian", Algorithm::Norwegian).letters("å"),
    Traits::stemmed("pl", "Polish", Algorithm::Polish),
    Traits::stemmed("pt", "Portuguese", Algorithm::Portuguese),
    Traits::stemmed("ro", "Romanian", Algorithm::Romanian),
    Traits::stemmed("ru", "Russian", Algorithm::Russian),
    Traits::new("sk", "Slovak", Stemming::None),
    Traits::stemmed("sr", "Serbian", Algorithm::Serbian),
    Traits::stemmed("st", "Sesotho", Algorithm::Sesotho),
    Traits::stemmed("sv", "Swedish", Algorithm::Swedish).letters("åäö"),
    Traits::stemmed("ta", "Tamil", Algorithm::Tamil),
    Traits::new("th", "Thai", Stemming::None),
    Traits::stemmed("tr", "Turkish", Algorithm::Turkish).dotless(),
    Traits::stemmed("uk", "Ukrainian", Algorithm::Ukrainian),
    Traits::new("ur", "Urdu", Stemming::None),
    Traits::new("vi", "Vietnamese", Stemming::None),
    Traits::stemmed("yi", "Yiddish", Algorithm::Yiddish),
    Traits::new("zh", "Chinese", Stemming::None),
];

impl Language {
    /// Returns the language of a tag (BCP 47): its primary subtag counts, the two written forms of Norwegian are one.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let code = match primary.as_str() {
            "nb" | "nn" => "no",
            "iw" => "he",
            "in" => "id",
            code => code,
        };
        let at = CODES.find(&format!("{code} ")).filter(|at| code.len() == 2 && at % 3 == 0)?;
        u8::try_from(at / 3).ok().map(Self)
    }

    /// Returns the language that an English name or a code of three letters means, to suggest its code.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        let by_name = TRAITS.iter().find(|traits| traits.name.eq_ignore_ascii_case(name));
        let by_algorithm = || {
            let algorithm = Algorithm::from_name(name).ok()?;
            TRAITS.iter().find(|traits| traits.stemming == Stemming::Snowball(algorithm))
        };
        by_name.or_else(by_algorithm).and_then(|traits| Self::of_tag(traits.code))
    }

    /// Returns the language that is a feed's or an article's by a code that is known to be there.
    pub(super) fn known(code: &str) -> Self {
        Self::of_tag(code).expect("the code stands in the list of all")
    }

    /// Returns its code.
    pub fn code(self) -> &'static str {
        let at = usize::from(self.0) * 3;
        &CODES[at..at + 2]
    }

    /// Returns its English name, or its code where no name is known here.
    pub fn name(self) -> &'static str {
        self.traits().map_or(self.code(), |traits| traits.name)
    }

    /// Tells whether the forms of its words are known.
    pub fn has_forms(self) -> bool {
        self.traits().is_some_and(|traits| traits.stemming != Stemming::None)
    }

    /// Tells whether its words are folded in another way than everywhere.
    pub(in super::super) fn folds_otherwise(self) -> bool {
        self.traits().is_some_and(|traits| traits.dotless || !traits.letters.is_empty())
    }

    pub(super) fn traits(self) -> Option<&'static Traits> {
        self.index().map(|index| &TRAITS[index])
    }

    fn index(self) -> Option<usize> {
        let code = self.code();
        TRAITS.binary_search_by(|traits| traits.code.cmp(code)).ok()
    }

    /// Tells whether it is written in a script.
    pub(in super::super) fn is_written_in(self, script: Script) -> bool {
        let scripts: &[Script] = match self.code() {
            "ru" | "uk" | "be" | "bg" | "mk" | "kk" | "ky" | "tg" | "tt" | "ba" | "cv" | "os" | "ab" | "ce" | "cu" => {
                &[Script::Cyrillic]
            }
            "sr" | "bs" | "mn" | "uz" | "az" | "tk" => &[Script::Cyrillic, Script::Latin],
            "el" => &[Script::Greek],
            "ar" | "fa" | "ur" | "ps" | "sd" | "ug" => &[Script::Arabic],
            "ku" | "ks" => &[Script::Arabic, Script::Latin],
            "he" | "yi" => &[Script::Hebrew],
            "hy" => &[Script::Armenian],
            "ka" => &[Script::Georgian],
            "hi" | "ne" | "mr" | "sa" => &[Script::Devanagari],
            "ta" => &[Script::Tamil],
            "ko" => &[Script::Hangul, Script::Han],
            "ja" => &[Script::Han, Script::Hiragana, Script::Katakana],
            "zh" => &[Script::Han],
            "th" => &[Script::Thai],
            "am" | "ti" => &[Script::Ethiopic],
            "bn" | "as" => &[Script::Bengali],
            "te" => &[Script::Telugu],
            "kn" => &[Script::Kannada],
            "ml" => &[Script::Malayalam],
            "gu" => &[Script::Gujarati],
            "pa" => &[Script::Gurmukhi],
            "or" => &[Script::Oriya],
            "si" => &[Script::Sinhala],
            "km" => &[Script::Khmer],
            "lo" => &[Script::Lao],
            "my" => &[Script::Myanmar],
            "bo" | "dz" => &[Script::Tibetan],
            "dv" => &[Script::Thaana],
            _ => &[Script::Latin],
        };
        scripts.contains(&script)
    }
}

/// A set of languages of which more than the code is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(in super::super) struct LanguageSet(u64);

impl LanguageSet {
    pub(in super::super) fn contains(self, language: Language) -> bool {
        language.index().is_some_and(|index| self.0 & (1 << index) != 0)
    }

    pub(in super::super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(in super::super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(in super::super) fn iter(self) -> impl Iterator<Item = Language> {
        let members = TRAITS.iter().enumerate().filter(move |(index, _)| self.0 & (1 << index) != 0);
        members.map(|(_, traits)| Language::known(traits.code))
    }
}

impl FromIterator<Language> for LanguageSet {
    fn from_iter<I: IntoIterator<Item = Language>>(languages: I) -> Self {
        Self(languages.into_iter().filter_map(Language::index).fold(0, |set, index| set | 1 << index))
    }
}

/// The languages with known forms, by the scripts that some are written in.
static IN_SCRIPTS: LazyLock<Vec<(Script, LanguageSet)>> = LazyLock::new(|| {
    let scripts = [
        Script::Latin,
        Script::Cyrillic,
        Script::Greek,
        Script::Arabic,
        Script::Hebrew,
        Script::Armenian,
        Script::Devanagari,
        Script::Tamil,
    ];
    let languages = |script: Script| {
        let fits = |language: &Language| language.has_forms() && language.is_written_in(script);
        TRAITS.iter().map(|traits| Language::known(traits.code)).filter(fits).collect()
    };
    scripts.into_iter().map(|script| (script, languages(script))).collect()
});

/// Returns the languages with known forms that are written in a script.
pub(super) fn in_script(script: Script) -> LanguageSet {
    IN_SCRIPTS.iter().find(|(known, _)| *known == script).map_or_else(LanguageSet::default, |(_, languages)| *languages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        assert_eq!(CODES.split_ascii_whitespace().count(), 183);
        assert_eq!(CODES.len(), 183 * 3);
        assert!(TRAITS.len() <= 64);
        for traits in &TRAITS {
            assert_eq!(Language::of_tag(traits.code).unwrap().name(), traits.name);
        }
        for (tag, code) in
            [("uk", "uk"), ("pt-BR", "pt"), ("zh_Hant_TW", "zh"), ("EN", "en"), ("nb", "no"), ("sw", "sw")]
        {
            assert_eq!(Language::of_tag(tag).map(Language::code), Some(code), "{tag}");
        }
        for tag in ["", "u", "ukr", "a ", "k ", "german", "xx", "-"] {
            assert_eq!(Language::of_tag(tag), None, "{tag}");
        }
    }

    #[test]
    fn names_lead_to_codes() {
        for (name, code) in [("German", "de"), ("ukrainian", "uk"), ("deu", "de"), ("ger", "de"), ("Chinese", "zh")] {
            assert_eq!(Language::named(name).map(Language::code), Some(code), "{name}");
        }
        assert_eq!(Language::named("klingon"), None);
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let [uk, de, sw] = ["uk", "de", "sw"].map(Language::known);
        let set: LanguageSet = [uk, sw].into_iter().collect();
        assert!(set.contains(uk) && !set.contains(de) && !set.contains(sw));
        assert_eq!(set.iter().collect::<Vec<_>>(), [uk]);
        let codes: Vec<_> = in_script(Script::Cyrillic).iter().map(Language::code).collect();
        assert_eq!(codes, ["ru", "sr", "uk"]);
        // Every stemmer is found by a script.
        for traits in TRAITS.iter().filter(|traits| traits.stemming != Stemming::None) {
            let language = Language::known(traits.code);
            assert!(IN_SCRIPTS.iter().any(|(_, languages)| languages.contains(language)), "{}", traits.name);
        }
    }
}
