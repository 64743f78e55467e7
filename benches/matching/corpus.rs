//! Generated articles and watches, the same at every run.
//!
//! Words follow Zipf's law, as those of the news do; watches are made of rarer words, so that one hits few articles.

use fastrand::Rng;

const WORDS: usize = 60_000;

const GROUPS: usize = 8;

/// Names of a group.
const NAMES: usize = 5_000;

/// The words of the language that nobody speaks, the most frequent first.
pub(crate) struct Language {
    words: Vec<String>,
}

impl Language {
    pub(crate) fn new() -> Self {
        let mut rng = Rng::with_seed(7);
        let mut seen = std::collections::HashSet::new();
        let mut words = Vec::with_capacity(WORDS);
        while words.len() < WORDS {
            // Frequent words are short.
            let syllables = 1 + usize::from(words.len() > 60) + usize::from(words.len() > 2_500) + rng.usize(0..2);
            let word: String = (0..syllables).map(|_| syllable(&mut rng)).collect();
            if seen.insert(word.clone()) {
                words.push(word);
            }
        }
        Self { words }
    }

    /// Returns a word of a rank between two, by Zipf's law.
    fn word(&self, from: usize, to: usize, rng: &mut Rng) -> &str {
        let (from, to) = (from as f64, to as f64);
        &self.words[(from * (to / from).powf(rng.f64())) as usize - 1]
    }

    /// Returns an article of about so many bytes: a title and a content, in sentences.
    pub(crate) fn article(&self, bytes: usize, rng: &mut Rng) -> (String, String) {
        (self.text(bytes.min(70), rng), self.text(bytes.saturating_sub(70), rng))
    }

    fn text(&self, bytes: usize, rng: &mut Rng) -> String {
        let mut text = String::with_capacity(bytes + 16);
        let mut left = 0;
        while text.len() < bytes {
            let word = self.word(1, WORDS, rng);
            if left == 0 {
                left = rng.usize(6..24);
                text.push_str(if text.is_empty() { "" } else { ". " });
                text.push_str(&word[..1].to_uppercase());
                text.push_str(&word[1..]);
            } else {
                text.push_str(if rng.u8(0..12) == 0 { ", " } else { " " });
                text.push_str(word);
            }
            left -= 1;
        }
        text.push('.');
        text
    }

    /// Returns so many watches: 60 % groups of words and phrases, of each of which one is needed; 15 % with words that
    /// must not be there; 10 % two words near each other; 10 % prefixes; 5 % in the title alone.
    pub(crate) fn watches(&self, count: usize) -> Vec<Watch> {
        let mut rng = Rng::with_seed(11);
        (0..count).map(|_| self.watch(&mut rng)).collect()
    }

    /// Returns groups of names of one and two words, some of which most articles have.
    pub(crate) fn groups(&self) -> Vec<(String, Vec<String>)> {
        let mut rng = Rng::with_seed(13);
        let mut name = |at: usize| {
            let last = self.word(20_000, WORDS, &mut rng).to_owned();
            if at.is_multiple_of(2) { last } else { format!("{} {last}", self.word(500, WORDS, &mut rng)) }
        };
        (0..GROUPS).map(|group| (format!("g{group}"), (0..NAMES).map(&mut name).collect())).collect()
    }

    /// Returns so many queries, each with one of the groups: 70 % with words beside it, 30 % with a word near it.
    pub(crate) fn queries_of_groups(&self, count: usize) -> Vec<String> {
        let mut rng = Rng::with_seed(17);
        let mut query = || {
            let near = rng.u8(0..10) < 3;
            let group = rng.usize(0..GROUPS);
            let mut word = || self.word(500, WORDS, &mut rng).to_owned();
            match near {
                true => format!("@g{group} NEAR/{NEAR} {}", word()),
                false => format!("@g{group} AND ({} OR {}) AND {}", word(), word(), word()),
            }
        };
        (0..count).map(|_| query()).collect()
    }

    fn watch(&self, rng: &mut Rng) -> Watch {
        let kind = rng.u8(0..100);
        let mut watch = Watch::default();
        if (75..85).contains(&kind) {
            watch.near = Some((self.term(1, false, rng), self.term(1, false, rng)));
            return watch;
        }
        let prefix = (85..95).contains(&kind);
        for group in 0..2 {
            let alternatives = rng.usize(1..=3);
            watch.groups.push((0..alternatives).map(|at| self.some_term(prefix && group + at == 0, rng)).collect());
        }
        if (60..75).contains(&kind) {
            watch.none.push(self.some_term(false, rng));
        }
        watch.title = kind >= 95;
        watch
    }

    fn some_term(&self, prefix: bool, rng: &mut Rng) -> Term {
        let words = if !prefix && rng.u8(0..4) == 0 { 2 } else { 1 };
        self.term(words, prefix, rng)
    }

    fn term(&self, words: usize, prefix: bool, rng: &mut Rng) -> Term {
        let mut text = self.word(if prefix { 3_000 } else { 500 }, WORDS, rng).to_owned();
        if prefix {
            text.truncate(text.len() - 1);
        }
        for _ in 1..words {
            text.push(' ');
            text.push_str(self.word(20, WORDS, rng));
        }
        Term { text, prefix }
    }
}

fn syllable(rng: &mut Rng) -> String {
    let pick = |letters: &[&'static str], rng: &mut Rng| letters[rng.usize(0..letters.len())];
    let onset =
        pick(&["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl", "sh"], rng);
    let nucleus = pick(&["a", "e", "i", "o", "u", "ai", "ou"], rng);
    let coda = pick(&["", "", "n", "r", "s", "l", "ck"], rng);
    format!("{onset}{nucleus}{coda}")
}

/// A word or a phrase, in small letters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Term {
    pub(crate) text: String,
    /// Whether the last word is a prefix.
    pub(crate) prefix: bool,
}

impl Term {
    fn query(&self) -> String {
        format!("\"{}{}\"", self.text, if self.prefix { "*" } else { "" })
    }
}

/// Two words are near with this many words between them.
pub(crate) const NEAR: usize = 8;

/// What somebody watches for, in the form that the baselines evaluate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    /// Of each of these one is needed.
    pub(crate) groups: Vec<Vec<Term>>,
    /// None of these may be there.
    pub(crate) none: Vec<Term>,
    /// These must be near each other.
    pub(crate) near: Option<(Term, Term)>,
    /// Whether only the title counts.
    pub(crate) title: bool,
}

impl Watch {
    /// Returns the watch as a query.
    pub(crate) fn query(&self) -> String {
        let any = |terms: &Vec<Term>| terms.iter().map(Term::query).collect::<Vec<_>>().join(" OR ");
        let mut parts: Vec<String> = self.groups.iter().map(|group| format!("({})", any(group))).collect();
        parts.extend(self.near.iter().map(|(a, b)| format!("{} NEAR/{NEAR} {}", a.query(), b.query())));
        parts.extend(self.none.iter().map(|term| format!("NOT {}", term.query())));
        let query = parts.join(" AND ");
        if self.title { format!("title:({query})") } else { query }
    }
}
