//! An evaluator that is too simple to be wrong: it looks for every part of a rule at every word of a text.

mod written;

use crate::core::hit::Field;
use crate::rules::expression::MANY_TERMS;
use crate::rules::forms::{Form, Language, Side, forms, language_of, script_of};
use crate::rules::{Case, FIELDS, Forms, NearSource, RuleSource, TermGroup, TermGroups};
use std::collections::BTreeSet;
use written::feed_written;

/// Words of rules and texts: each is one token, except that those of Han stand for one character each.
pub(super) const WORDS: &[&str] = &[
    "us",
    "US",
    "Us",
    "missile",
    "Missile",
    "missiles",
    "MISSILES",
    "mis",
    "ракета",
    "Ракета",
    "РАКЕТЫ",
    "ракет",
    "弹",
    "道",
    "导",
    "북한",
    "북한이",
    "북",
    "αβγ",
    "ΑΒΓ",
    "αβ",
    "كتاب",
    "كتب",
    "क्षेत्र",
    "ก",
    "sää",
    "saa",
    "Sään",
    "IŞIK",
    "ışık",
    "ışıklar",
];

/// Separators, and what they are to a phrase: none, tight, a break, a block.
pub(super) const SEPARATORS: &[(&str, u8)] =
    &[(" ", 0), ("-", 0), ("’ ", 0), (", ", 1), (". ", 1), ("\n", 2), (" ", 0), (" ", 0)];

pub(super) const SCOPES: &[(&str, &[usize])] =
    &[("title", &[0]), ("body", &[1, 2]), ("content", &[2]), ("author", &[3]), ("url", &[URL])];

/// The index of the URL behind those of the fields.
const URL: usize = 5;

pub(super) const FEEDS: &[(&str, &str)] =
    &[("Wire", "https://wire.example/rss"), ("Wire Two", "https://two.example/rss"), ("", "https://other.example/a")];
pub(super) const TAGS: &[&str] = &["asia", "Asia-East", "europe"];
pub(super) const LANGUAGES: &[&str] = &["uk", "uk-UA", "en", "en-GB", "eng", "fi", "ar", "tr-TR"];
/// The languages that rules name.
pub(super) const RULE_LANGUAGES: &[&str] = &["en", "ru", "uk", "fi", "tr", "ar", "ko"];

/// Words with separators.
pub(super) type Text = Vec<(usize, usize)>;

#[derive(Debug, Clone)]
pub(super) struct Article {
    /// By field, then the URL.
    pub(super) texts: Vec<Text>,
    pub(super) feed: usize,
    pub(super) tags: Vec<String>,
    pub(super) language: Option<usize>,
}

/// A word of a phrase: any ending may follow; a letter may be any, if that is not its first (0 is none); punctuation may
/// stand before it, because the phrase has some there.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) word: usize,
    pub(super) open: bool,
    pub(super) hole: usize,
    pub(super) loose: bool,
}

pub(super) type Phrase = Vec<Word>;

/// A part of a regular expression.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(usize),
    Either(usize, usize),
    Optional(usize),
    AnyLetter,
    AnyText,
}

#[derive(Debug, Clone)]
pub(super) struct Regex {
    pub(super) pieces: Vec<Piece>,
    pub(super) ignore: bool,
}

/// An item of a list.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Phrase(Phrase),
    Regex(Regex),
    Group,
}

#[derive(Debug, Clone)]
pub(super) enum Query {
    Term(Term),
    Regex(Regex, usize),
    /// The group, within fields.
    Group(usize),
    Feed(String),
    Tag(String),
    Language(String),
    All(Vec<Query>),
    Any(Vec<Query>),
    Not(Box<Query>),
    AtLeast(usize, Vec<Query>),
    /// A list of alternatives, and others with the words between at most and whether they follow.
    Near(Vec<Term>, Vec<(Vec<Term>, usize, bool)>),
    /// Words of a phrase, and the words between at most.
    Loose(Phrase, usize),
}

#[derive(Debug, Clone)]
pub(super) struct Term {
    /// Without words it is the group.
    pub(super) phrase: Phrase,
    pub(super) exact: bool,
    /// Index in `SCOPES`, beyond them for the rule's own fields.
    pub(super) scope: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) all: Vec<Item>,
    pub(super) any: Vec<Item>,
    pub(super) none: Vec<Item>,
    pub(super) near: Vec<(Vec<Phrase>, usize, bool)>,
    pub(super) query: Option<Query>,
    pub(super) fields: Vec<Field>,
    /// Indices in `FEEDS`: by name where there is one.
    pub(super) feeds: Vec<usize>,
    pub(super) tags: Vec<&'static str>,
    pub(super) case: Case,
    pub(super) forms: Forms,
    pub(super) language: Option<Language>,
    pub(super) group: Group,
}

/// The group `g`, with what it says of its terms itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) members: Vec<Phrase>,
    pub(super) forms: Option<Forms>,
    pub(super) language: Option<Language>,
    /// Whether it also has so many terms that no text has, that it is not copied.
    pub(super) is_large: bool,
}

/// A place: field, first word, word after the last.
type Place = (usize, usize, usize);

pub(super) fn render_text(text: &Text) -> String {
    text.iter().map(|(word, separator)| format!("{}{}", WORDS[*word], SEPARATORS[*separator].0)).collect()
}

pub(super) fn render_url(text: &Text) -> String {
    let words: Vec<&str> = text.iter().map(|(word, _)| WORDS[*word]).collect();
    format!("https://news.example/{}", words.join("/"))
}

fn is_hangul(word: &str) -> bool {
    word.chars().all(|c| ('가'..='힣').contains(&c))
}

impl Word {
    /// Its letters with `?` and `*`.
    fn render(&self, exact: bool) -> String {
        let letters = WORDS[self.word].chars().enumerate();
        let shown = |(at, c)| if at > 0 && at == self.hole && !exact { '?' } else { c };
        letters.map(shown).collect::<String>() + if self.open && !exact { "*" } else { "" }
    }

    fn is(&self, token: &str, case_counts: bool, exact: bool) -> bool {
        let without_marks = |text: &str| text.replace('ä', "a").replace('ş', "s").replace('Ş', "S");
        let fold = |text: &str| without_marks(&if case_counts { text.to_owned() } else { text.to_lowercase() });
        let (pattern, token) = (fold(WORDS[self.word]), fold(token));
        let (pattern, token): (Vec<char>, Vec<char>) = (pattern.chars().collect(), token.chars().collect());
        let open = !exact && (self.open || is_hangul(WORDS[self.word]));
        let hole = if exact { 0 } else { self.hole };
        (token.len() == pattern.len() || (open && token.len() > pattern.len()))
            && (0..pattern.len()).all(|at| pattern[at] == token[at] || (at > 0 && at == hole))
    }

    /// Whether a token is one of the forms that a rule asks for.
    fn is_inflected(&self, token: &str, rule: &Rule, article: &Article) -> bool {
        let word = WORDS[self.word];
        let writes = |language: &Language, word: &str| language.is_written_in(script_of(word).expect("a letter"));
        let named = rule.language.filter(|language| writes(language, word));
        let itself = match named.filter(|language| language.folds_otherwise()) {
            Some(language) => {
                writes(&language, token)
                    && form_set(language, word, Side::Term, true) == form_set(language, token, Side::Text, true)
            }
            None => self.is(token, false, false),
        };
        let meets = || {
            let language = named.or_else(|| article.word_language());
            let Some(language) = language.filter(|language| writes(language, word) && writes(language, token)) else {
                return false;
            };
            let (of_word, of_token) =
                (form_set(language, word, Side::Term, false), form_set(language, token, Side::Text, false));
            !of_word.is_disjoint(&of_token)
        };
        itself || (rule.forms == Forms::Inflected && meets())
    }
}

/// The stems of a word, or the word itself as its language folds it.
fn form_set(language: Language, word: &str, side: Side, whole: bool) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    forms(language, word, side, |form| match form {
        Form::Whole(text) if whole => drop(set.insert(text.to_owned())),
        Form::Stem(text) if !whole => drop(set.insert(text.to_owned())),
        _ => {}
    });
    set
}

fn render_phrase(phrase: &Phrase, exact: bool) -> String {
    let joint = |at| match at {
        0 => "",
        at if phrase[at].loose => ", ",
        _ => " ",
    };
    phrase.iter().enumerate().map(|(at, word)| format!("{}{}", joint(at), word.render(exact))).collect()
}

/// Whether the case of a phrase counts.
fn case_counts(phrase: &Phrase, case: Case) -> bool {
    let letters: String = phrase.iter().map(|word| word.render(false)).collect();
    let capitals =
        letters.chars().filter(|c| c.is_uppercase()).count() >= 2 && !letters.chars().any(char::is_lowercase);
    case == Case::Match || (case == Case::Acronyms && capitals)
}

impl Article {
    /// The language that words are taken to be in.
    fn word_language(&self) -> Option<Language> {
        let texts: Vec<String> = self.texts[..3].iter().map(render_text).collect();
        language_of(self.language.map(|language| LANGUAGES[language]), texts.iter().map(String::as_str))
    }
}

/// Where a phrase starts in a field.
pub(super) fn starts(phrase: &Phrase, rule: &Rule, article: &Article, field: usize, exact: bool) -> Vec<usize> {
    let (text, url) = (&article.texts[field], field == URL);
    let case_counts = !url && case_counts(phrase, if exact { Case::Match } else { rule.case });
    let is = |word: &Word, token: &str| {
        let letters = WORDS[word.word];
        let has_case = letters.chars().any(|c| c.is_lowercase() || c.is_uppercase());
        let as_written = exact || url || (case_counts && has_case) || word.open || word.hole > 0 || is_hangul(letters);
        if as_written { word.is(token, case_counts, exact) } else { word.is_inflected(token, rule, article) }
    };
    let found = |start: &usize| {
        phrase.iter().enumerate().all(|(at, word)| {
            let between = || SEPARATORS[text[(start + at - 1).min(text.len() - 1)].1].1;
            let unbroken = at == 0 || url || between() == 0 || (word.loose && between() == 1);
            unbroken && text.get(start + at).is_some_and(|token| is(word, WORDS[token.0]))
        })
    };
    (0..text.len()).filter(found).collect()
}

impl Regex {
    fn render(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(word) => WORDS[*word].to_owned(),
            Piece::Either(one, other) => format!("(?:{}|{})", WORDS[*one], WORDS[*other]),
            Piece::Optional(word) => format!("(?:{})?", WORDS[*word]),
            Piece::AnyLetter => ".".to_owned(),
            Piece::AnyText => ".*".to_owned(),
        };
        let pieces: String = self.pieces.iter().map(piece).collect();
        format!("/{pieces}/{}", if self.ignore { "i" } else { "" })
    }

    fn is_in(&self, text: &str, ignore: bool) -> bool {
        let fold = |text: &str| if self.ignore || ignore { text.to_lowercase() } else { text.to_owned() };
        let text: Vec<char> = fold(text).chars().collect();
        (0..text.len()).any(|start| Self::goes_on(&self.pieces, &text[start..], &fold))
    }

    fn goes_on(pieces: &[Piece], text: &[char], fold: &impl Fn(&str) -> String) -> bool {
        let Some((piece, rest)) = pieces.split_first() else { return true };
        let after = |word: usize| {
            let letters: Vec<char> = fold(WORDS[word]).chars().collect();
            text.starts_with(&letters) && Self::goes_on(rest, &text[letters.len()..], fold)
        };
        let line = text.iter().take_while(|c| **c != '\n').count();
        match piece {
            Piece::Literal(word) => after(*word),
            Piece::Either(one, other) => after(*one) || after(*other),
            Piece::Optional(word) => after(*word) || Self::goes_on(rest, text, fold),
            Piece::AnyLetter => line > 0 && Self::goes_on(rest, &text[1..], fold),
            Piece::AnyText => (0..=line).any(|length| Self::goes_on(rest, &text[length..], fold)),
        }
    }
}

impl Rule {
    fn fields(&self, scope: usize) -> Vec<usize> {
        let own = || FIELDS.iter().enumerate().filter(|(_, field)| self.fields.contains(field)).map(|(at, _)| at);
        SCOPES.get(scope).map_or_else(|| own().collect(), |(_, fields)| fields.to_vec())
    }

    fn places(&self, term: &Term, article: &Article) -> Vec<Place> {
        if term.phrase.is_empty() {
            let reader = self.reader();
            let member = |phrase: &Phrase| Term { phrase: phrase.clone(), ..term.clone() };
            return self.group.members.iter().flat_map(|phrase| reader.places(&member(phrase), article)).collect();
        }
        let of_field = |field: usize| {
            let starts = starts(&term.phrase, self, article, field, term.exact);
            starts.into_iter().map(move |start| (field, start, start + term.phrase.len()))
        };
        self.fields(term.scope).into_iter().flat_map(of_field).collect()
    }

    fn phrase_is_in(&self, phrase: &Phrase, scope: usize, article: &Article) -> bool {
        let term = Term { phrase: phrase.clone(), exact: false, scope };
        !self.places(&term, article).is_empty()
    }

    /// Returns a rule that says of all its terms what the group says of its own.
    fn reader(&self) -> Self {
        Self {
            all: vec![],
            any: vec![],
            none: vec![],
            near: vec![],
            query: None,
            fields: self.fields.clone(),
            feeds: vec![],
            tags: vec![],
            case: self.case,
            forms: self.group.forms.unwrap_or(self.forms),
            language: self.group.language.or(self.language),
            group: Group::default(),
        }
    }

    fn group_is_in(&self, scope: usize, article: &Article) -> bool {
        !self.places(&Term { phrase: vec![], exact: false, scope }, article).is_empty()
    }

    fn regex_is_in(&self, regex: &Regex, scope: usize, article: &Article) -> bool {
        let text = |field: usize| match field {
            URL => render_url(&article.texts[URL]),
            field => render_text(&article.texts[field]),
        };
        self.fields(scope).into_iter().any(|field| regex.is_in(&text(field), self.case == Case::Ignore))
    }

    fn item_is_in(&self, item: &Item, article: &Article) -> bool {
        match item {
            Item::Phrase(phrase) => self.phrase_is_in(phrase, usize::MAX, article),
            Item::Regex(regex) => self.regex_is_in(regex, usize::MAX, article),
            Item::Group => self.group_is_in(usize::MAX, article),
        }
    }

    /// Every place of one operand against every place of the next, and every word between them.
    fn is_near(&self, first: &[Term], others: &[(Vec<Term>, usize, bool)], article: &Article) -> bool {
        let places =
            |terms: &[Term]| -> Vec<Place> { terms.iter().flat_map(|term| self.places(term, article)).collect() };
        let mut reached = places(first);
        for (terms, most, ordered) in others {
            let follows = |a: &Place, b: &Place| {
                let unbroken =
                    || a.0 == URL || article.texts[a.0][a.2 - 1..b.1].iter().all(|word| SEPARATORS[word.1].1 < 2);
                a.0 == b.0 && a.2 <= b.1 && b.1 - a.2 <= *most && unbroken()
            };
            let is_near = |b: &Place| reached.iter().any(|a| follows(a, b) || (!ordered && follows(b, a)));
            reached = places(terms).into_iter().filter(is_near).collect();
        }
        !reached.is_empty()
    }

    fn query_holds(&self, query: &Query, article: &Article) -> bool {
        let holds = |part: &Query| self.query_holds(part, article);
        let same = |name: &str, wanted: &str| {
            let (name, wanted) = (name.to_lowercase(), wanted.to_lowercase());
            match wanted.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == wanted,
            }
        };
        match query {
            Query::Term(term) => !self.places(term, article).is_empty(),
            Query::Regex(regex, scope) => self.regex_is_in(regex, *scope, article),
            Query::Group(scope) => self.group_is_in(*scope, article),
            Query::Feed(name) => same(FEEDS[article.feed].0, name) || same(FEEDS[article.feed].1, name),
            Query::Tag(name) => article.tags.iter().any(|tag| same(tag, name)),
            Query::Language(range) => article.language.is_some_and(|language| {
                let (tag, range) = (LANGUAGES[language].to_lowercase(), range.to_lowercase());
                tag == range || tag.starts_with(&(range + "-"))
            }),
            Query::All(parts) => parts.iter().all(holds),
            Query::Any(parts) => parts.iter().any(holds),
            Query::Not(part) => !holds(part),
            Query::AtLeast(count, parts) => parts.iter().filter(|part| holds(part)).count() >= *count,
            Query::Near(first, others) => self.is_near(first, others, article),
            Query::Loose(phrase, most) => {
                let term = |word: &Word| Term { phrase: vec![word.clone()], exact: false, scope: usize::MAX };
                let others: Vec<_> = phrase[1..].iter().map(|word| (vec![term(word)], *most, false)).collect();
                self.is_near(&[term(&phrase[0])], &others, article)
            }
        }
    }

    pub(super) fn matches(&self, article: &Article) -> bool {
        let found = |item: &Item| self.item_is_in(item, article);
        let near = |(phrases, most, ordered): &(Vec<Phrase>, usize, bool)| {
            let term = |phrase: &Phrase| vec![Term { phrase: phrase.clone(), exact: false, scope: usize::MAX }];
            let others: Vec<_> = phrases[1..].iter().map(|phrase| (term(phrase), *most, *ordered)).collect();
            self.is_near(&term(&phrases[0]), &others, article)
        };
        (self.feeds.is_empty() || self.feeds.contains(&article.feed))
            && (self.tags.is_empty() || article.tags.iter().any(|tag| self.tags.contains(&tag.as_str())))
            && self.all.iter().all(found)
            && (self.any.is_empty() || self.any.iter().any(found))
            && !self.none.iter().any(found)
            && self.near.iter().all(near)
            && self.query.as_ref().is_none_or(|query| self.query_holds(query, article))
    }

    pub(super) fn source(&self) -> RuleSource {
        let list = |items: &[Item]| items.iter().map(Item::render).collect();
        let near = |(phrases, within, ordered): &(Vec<Phrase>, usize, bool)| NearSource {
            terms: phrases.iter().map(|phrase| render_phrase(phrase, false)).collect(),
            within: u32::try_from(*within).expect("a small number"),
            ordered: *ordered,
        };
        RuleSource {
            name: "naive".to_owned(),
            all: list(&self.all),
            any: list(&self.any),
            none: list(&self.none),
            near: self.near.iter().map(near).collect(),
            query: self.query.as_ref().map(Query::render),
            fields: self.fields.clone(),
            feeds: self.feeds.iter().map(|feed| feed_written(*feed).to_owned()).collect(),
            tags: self.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            case: self.case,
            forms: self.forms,
            language: self.language,
        }
    }

    pub(super) fn groups(&self) -> TermGroups {
        let Group { members, forms, language, is_large } = &self.group;
        let others = (0..if *is_large { MANY_TERMS } else { 0 }).map(|number| format!("nowhere{number}"));
        let terms = members.iter().map(|phrase| render_phrase(phrase, false)).chain(others).collect();
        TermGroups::from([("g".to_owned(), TermGroup { terms, forms: *forms, language: *language })])
    }
}
