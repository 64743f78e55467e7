//! The language of an article: by its tag, unless its letters contradict.
//!
//! Tags are wrong often enough (`en-US` is what publishing software says of itself) that the script has the last word: a
//! language that is not written in the script that prevails cannot be it. Within the Cyrillic script the letters that only
//! one language has decide before the tag does. Without a tag the script's most common language of news is taken; text in
//! the Latin script is taken for English.

use super::super::chars::script;
use super::Language;
use icu_properties::props::Script;

/// Letters that are looked at, at most.
const LETTERS: usize = 500;

/// Returns the language of texts that carry a tag.
pub(in super::super) fn language<'a>(tag: Option<&str>, texts: impl Iterator<Item = &'a str>) -> Option<Language> {
    let tag = tag.and_then(Language::of_tag);
    let letters = Letters::of(texts);
    let Some(script) = letters.prevailing() else { return tag };
    let fits = |language: &Language| language.is_written_in(script);
    let by_letters = match script {
        Script::Cyrillic => letters.of_cyrillic(tag),
        Script::Han if letters.kana * 10 > letters.count(Script::Han) => Some("ja"),
        _ => None,
    };
    by_letters.map(Language::known).or_else(|| tag.filter(fits)).or_else(|| most_common(script).map(Language::known))
}

/// Returns the language that news in a script are most likely in.
fn most_common(script: Script) -> Option<&'static str> {
    Some(match script {
        Script::Latin => "en",
        Script::Cyrillic => "ru",
        Script::Arabic => "ar",
        Script::Han => "zh",
        Script::Hiragana | Script::Katakana => "ja",
        Script::Hangul => "ko",
        Script::Greek => "el",
        Script::Hebrew => "he",
        Script::Devanagari => "hi",
        Script::Armenian => "hy",
        Script::Tamil => "ta",
        Script::Thai => "th",
        _ => return None,
    })
}

/// The letters of a text, counted.
#[derive(Default)]
struct Letters {
    scripts: Vec<(Script, usize)>,
    kana: usize,
    /// Letters that Ukrainian has and Russian has not, the other way round, that only Serbian and Macedonian have, only
    /// Belarusian, and hard signs, of which Bulgarian is full.
    ukrainian: usize,
    russian: usize,
    serbian: usize,
    belarusian: usize,
    hard_signs: usize,
    macedonian: usize,
}

impl Letters {
    fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut counted = Self::default();
        let (mut ascii, mut others) = (0, 0);
        for c in texts.flat_map(str::chars) {
            if c.is_ascii() {
                ascii += usize::from(c.is_ascii_alphabetic());
            } else if c.is_alphabetic() {
                others += 1;
                counted.add(c);
            }
            if ascii + others == LETTERS {
                break;
            }
        }
        counted.scripts.push((Script::Latin, ascii));
        counted
    }

    fn add(&mut self, c: char) {
        let script = script(c);
        match self.scripts.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += 1,
            None => self.scripts.push((script, 1)),
        }
        let count = match c {
            '\u{3041}'..='\u{30ff}' => &mut self.kana,
            'і' | 'І' | 'ї' | 'Ї' | 'є' | 'Є' | 'ґ' | 'Ґ' => &mut self.ukrainian,
            'ы' | 'Ы' | 'э' | 'Э' | 'ё' | 'Ё' => &mut self.russian,
            'ў' | 'Ў' => &mut self.belarusian,
            'ѓ' | 'Ѓ' | 'ќ' | 'Ќ' | 'ѕ' | 'Ѕ' => &mut self.macedonian,
            'ђ' | 'Ђ' | 'ћ' | 'Ћ' | 'ј' | 'Ј' | 'љ' | 'Љ' | 'њ' | 'Њ' | 'џ' | 'Џ' => &mut self.serbian,
            'ъ' | 'Ъ' => &mut self.hard_signs,
            _ => return,
        };
        *count += 1;
    }

    fn count(&self, script: Script) -> usize {
        self.scripts.iter().filter(|(known, _)| *known == script).map(|(_, count)| count).sum()
    }

    /// Returns the script that most letters are of; a character of Chinese says as much as two letters.
    fn prevailing(&self) -> Option<Script> {
        let weight = |script: &Script| match *script {
            Script::Common | Script::Inherited => 0,
            Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul => self.count(*script) * 2,
            script => self.count(script),
        };
        let scripts = self.scripts.iter().map(|(script, _)| *script);
        scripts.filter(|script| weight(script) > 0).max_by_key(weight)
    }

    /// Returns the language that the letters tell, where they tell one more surely than a tag does.
    fn of_cyrillic(&self, tag: Option<Language>) -> Option<&'static str> {
        let tag = tag.map(Language::code);
        let untagged_or = |codes: &[&str]| tag.is_none_or(|tag| codes.contains(&tag));
        let (ukrainian, russian) = (self.ukrainian, self.russian);
        if self.belarusian > 0 {
            return Some("be");
        }
        match (ukrainian > 0, russian > 0) {
            (false, false) if self.macedonian > 0 => Some("mk"),
            (false, false) if self.serbian > 0 => Some(if tag == Some("mk") { "mk" } else { "sr" }),
            (false, false) if self.hard_signs > 1 && tag.is_none() => Some("bg"),
            (true, false) => Some("uk"),
            // Kazakh, Mongolian and Kyrgyz have these letters too, so that their tags know better.
            (false, true) if untagged_or(&["uk", "bg", "sr", "mk"]) => Some("ru"),
            // A quotation in the other language: the greater part decides.
            (true, true) if untagged_or(&["uk", "ru"]) => Some(if ukrainian > russian { "uk" } else { "ru" }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_by_tag_and_letters() {
        for (tag, text, expected) in [
            // The tag counts where the script allows it.
            (Some("de"), "Raketen auf Kiew", Some("de")),
            (Some("pt-BR"), "Mísseis", Some("pt")),
            (Some("sr"), "Ракете на Београд", Some("sr")),
            (Some("kk"), "Қазақстан және Ресей, әлем", Some("kk")),
            (Some("fa"), "موشک", Some("fa")),
            // It does not where it cannot be true.
            (Some("en-US"), "Ракети та їхні цілі", Some("uk")),
            (Some("en-US"), "弹道导弹发射", Some("zh")),
            (Some("ru"), "Ракети влучили у Київ", Some("uk")),
            (Some("uk"), "Удары по объектам: погибли двое, ещё трое ранены", Some("ru")),
            (Some("uk"), "Ballistic missiles", Some("en")),
            // Without a tag the letters decide.
            (None, "Ракеты", Some("ru")),
            (None, "Путин и Зеленский", Some("ru")),
            (None, "Він сказав: «Мы были там», і пішов", Some("uk")),
            (None, "Ракеты: «Слава Україні», — сказал он, и мы вышли, это был вечер", Some("ru")),
            (None, "Ракеты ляцяць, ён у Мінску быў", Some("be")),
            (None, "Председник Србије је рекао", Some("sr")),
            (None, "Първият български премиер вън от страната", Some("bg")),
            (None, "北朝鮮がミサイルを発射", Some("ja")),
            (None, "ミサイル", Some("ja")),
            (None, "弹道导弹 DPRK", Some("zh")),
            (None, "북한 미사일 KBS", Some("ko")),
            (None, "الصين", Some("ar")),
            (None, "Πύραυλοι", Some("el")),
            (None, "Missile", Some("en")),
            // Without letters the tag does.
            (Some("uk"), "24 — 7", Some("uk")),
            (None, "24", None),
            (Some("xx"), "24", None),
        ] {
            assert_eq!(language(tag, [text].into_iter()).map(Language::code), expected, "{tag:?} {text}");
        }
    }
}
