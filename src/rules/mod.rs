//! Rules: what to look for, compiled into one set, matched against the text that a reader sees.
//!
//! A term is a word or a phrase, each word perhaps with a `*` at its end or a `?` for a letter. It matches whole words, whatever their case,
//! compatibility forms, and diacritics (in the Latin, Greek and Arabic scripts); a term in capitals only matches capitals
//! only, unless the rule says otherwise — a headline in capitals holds nothing else, so there every acronym matches that
//! is spelled alike. A phrase may be joined by hyphens, apostrophes and quotation marks; other punctuation ends it (unless
//! the term has it there too), and so does the end of a block. In scripts without spaces a term matches as a run of
//! characters; in Hangul as the start of a word, since particles follow.
//!
//! On the way: lists (`lists`) and queries (`query`), with their term groups (`groups`), become an expression
//! (`expression`), expressions become tables (`compile`), and one pass over the tokens of a document (`text`) finds the
//! few rules worth evaluating (`matcher`); where words must stand near each other, their places are compared (`proximity`). Regular expressions (`regexp`) look at
//! the text itself, and only where the rest of a rule holds; what a rule says of feed and language (`origin`) needs none.
//!
//! Pure: no clock, network, database or file.

mod alternatives;
mod chars;
mod compile;
mod compiled;
pub mod explain;
mod expression;
mod forms;
mod groups;
pub mod lint;
mod lists;
mod matcher;
mod missing;
mod nearest;
mod origin;
pub mod plain;
mod proximity;
mod query;
mod regexp;
mod term;
#[cfg(test)]
mod tests;
mod text;
mod vocabulary;

pub use chars::{is_invisible, turns_direction};
pub use forms::Language;
pub use groups::{TermGroup, TermGroups};
pub use matcher::RuleSet;

use crate::core::article::Item;
use crate::core::hit::{Field, RuleName, RuleVersion, TermMatch};
use expression::Expression;
use lists::Clause;
use origin::Origin;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::Arc;

/// A rule as written: every key of a `[[rule]]` that decides what it matches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleSource {
    /// `name`.
    pub name: String,
    /// `all`: every one must be found.
    pub all: Vec<String>,
    /// `any`: at least one must be found.
    pub any: Vec<String>,
    /// `none`: none may be found.
    pub none: Vec<String>,
    /// `near`: each of them must be found.
    pub near: Vec<NearSource>,
    /// `query`: a text that must be true of the article, besides the lists.
    pub query: Option<String>,
    /// `in`: the fields that are looked into; empty is title, summary and content.
    pub fields: Vec<Field>,
    /// `feeds`: only articles of feeds with one of these names or URLs.
    pub feeds: Vec<String>,
    /// `tags`: only articles of feeds with one of these tags.
    pub tags: Vec<String>,
    /// `case`.
    pub case: Case,
    /// `forms`.
    pub forms: Forms,
    /// `language`: the language of the terms; without one that of the article, as far as it can be told.
    pub language: Option<Language>,
}

impl RuleSource {
    fn reading(&self) -> Reading {
        Reading { case: self.case, forms: self.forms, language: self.language }
    }
}

/// How the terms of a rule or a term group are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Reading {
    case: Case,
    forms: Forms,
    language: Option<Language>,
}

impl Reading {
    /// Returns the reading with nothing said but how case counts.
    fn of_case(case: Case) -> Self {
        Self { case, ..Self::default() }
    }

    /// Returns the reading within a group, which may say more.
    fn within(self, group: &TermGroup) -> Self {
        let (forms, language) = (group.forms.unwrap_or(self.forms), group.language.or(self.language));
        Self { forms, language, ..self }
    }
}

impl RuleSource {
    /// Returns the fields that terms are looked for in, where a query names no others.
    fn field_set(&self) -> FieldSet {
        match self.fields.as_slice() {
            [] => FieldSet::of(&[Field::Title, Field::Summary, Field::Content]),
            fields => FieldSet::of(fields),
        }
    }
}

/// Terms that must stand near each other (`near`), as written: each near the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NearSource {
    /// `terms`: two or more.
    pub terms: Vec<String>,
    /// `within`: the words that may stand between two neighbours at most, up to `MAX_WITHIN`.
    pub within: u32,
    /// `ordered`: whether they stand in this order.
    pub ordered: bool,
}

/// The words that may stand between two neighbours at most.
pub const MAX_WITHIN: u32 = expression::MAX_DISTANCE;

/// How the case of letters counts (`case`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Case {
    /// Terms in capitals only (two letters or more) match capitals only, others any case (`"acronyms"`).
    #[default]
    Acronyms,
    /// Case does not count (`"ignore"`).
    Ignore,
    /// Terms match in the case that they are written in (`"match"`).
    Match,
}

/// Which forms of its words a term matches (`forms`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Forms {
    /// The one that is written (`"exact"`).
    #[default]
    Exact,
    /// All that the stemmer of the language unites (`"inflected"`).
    Inflected,
}

/// What is wrong with a rule or a term group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The key of the rule (`all`) or the name of the term group.
    pub key: String,
    /// Index in the list, where the key is a list; for `near` in the terms of all its tables, one after the other.
    pub index: Option<usize>,
    /// Byte in the string at `key[index]` where it is wrong, where one place is.
    pub at: Option<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    /// A near name or another spelling that would do.
    pub suggestion: Option<String>,
}

/// A checked rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: RuleName,
    /// Hash of all that decides what it matches, term groups included.
    pub version: RuleVersion,
    clauses: Vec<Clause>,
    feeds: Arc<[String]>,
    tags: Arc<[String]>,
}

/// Number of the way in which rules match; another way makes every rule another version.
const MATCHING_FORMAT: u32 = 1;

impl Rule {
    /// Returns the rule without its `feeds` and `tags` and without what its query says of these, to try it on a text that
    /// comes from no feed.
    #[must_use]
    pub fn of_any_feed(&self) -> Self {
        self.without(|expression| matches!(expression, Expression::Origin(Origin::Feed(_) | Origin::Tag(_))))
    }

    /// Returns the rule without all that it says of feeds, languages and URLs, to try it on a mere text.
    #[must_use]
    pub fn of_any_origin(&self) -> Self {
        self.without(|expression| match expression {
            Expression::Origin(_) => true,
            Expression::Term(_, fields) | Expression::Regex(_, fields) => *fields == FieldSet::URL,
            Expression::Group(group) => group.fields() == FieldSet::URL,
            Expression::Near(proximity) => proximity.operands().iter().any(|operand| operand.fields() == FieldSet::URL),
            _ => false,
        })
    }

    /// Returns the rule with some conditions, and the opposite of each, taken as true.
    fn without(&self, waived: impl Fn(&Expression) -> bool) -> Self {
        let mut clauses = self.clauses.clone();
        clauses.iter_mut().for_each(|clause| clause.expression.waive(&waived));
        Self { feeds: Arc::default(), tags: Arc::default(), clauses, ..self.clone() }
    }

    /// Tells whether some word of a term has other forms.
    pub fn inflects(&self) -> bool {
        inflect(&self.clauses)
    }

    /// Checks a rule against the term groups that it uses.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn new(source: &RuleSource, groups: &TermGroups) -> Result<Self, Vec<RuleError>> {
        let fields = source.field_set();
        let mut clauses = lists::clauses(source, groups, fields);
        if let Some(query) = &source.query {
            clauses = match (clauses, query::clauses(query, groups, source.reading(), fields)) {
                (Ok(lists), Ok(query)) => Ok([lists, query].concat()),
                (Err(lists), Err(query)) => Err([lists, query].concat()),
                (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
            };
        }
        let clauses = clauses?;
        let version = version(&clauses, source);
        let (feeds, tags) = (source.feeds.clone().into(), source.tags.clone().into());
        Ok(Self { name: RuleName::new(source.name.clone()), version, clauses, feeds, tags })
    }
}

/// Tells whether some word of a term has other forms.
fn inflect(clauses: &[Clause]) -> bool {
    let inflects = |expression: &Expression| match expression {
        Expression::Term(term, _) => term.inflects(),
        Expression::Near(proximity) => proximity.operands().iter().any(|operand| operand.inflects()),
        Expression::Group(group) => group.inflects(),
        _ => false,
    };
    clauses.iter().any(|clause| clause.expression.has(&inflects))
}

/// Hashes what decides which documents match: not the name, not the spelling of a term, no order of lists.
fn version(clauses: &[Clause], source: &RuleSource) -> RuleVersion {
    let sorted = |list: &[String]| {
        let mut list: Vec<String> = list.iter().map(|item| format!("{}:{item}", item.len())).collect();
        list.sort_unstable();
        list.dedup();
        list.concat()
    };
    // Fields and case are part of the key, where they decide something.
    let whole = Expression::All(clauses.iter().map(|clause| clause.expression.clone()).collect());
    let mut hash = Sha256::new();
    hash.update(format!("feedwatch rule {MATCHING_FORMAT}\n{}\n", whole.key()));
    if inflect(clauses) {
        hash.update(format!("forms {}\n", forms::FORMAT));
    }
    hash.update(format!("feeds {}\ntags {}\n", sorted(&source.feeds), sorted(&source.tags)));
    let digits: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    RuleVersion::new(digits)
}

/// Returns the term groups that a query names, each with the byte of its `@`.
pub fn query_groups(query: &str) -> Vec<(usize, &str)> {
    query::references(query)
}

/// The fields, in the order of reading.
const FIELDS: [Field; 5] = [Field::Title, Field::Summary, Field::Content, Field::Author, Field::Category];

/// A set of fields, and the URL of the article, which is looked into like one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct FieldSet(u8);

impl FieldSet {
    /// The URL alone.
    const URL: Self = Self(32);

    fn of(fields: &[Field]) -> Self {
        fields.iter().fold(Self::default(), |set, field| set.with(*field))
    }

    fn with(self, field: Field) -> Self {
        let bit = match field {
            Field::Title => 1,
            Field::Summary => 2,
            Field::Content => 4,
            Field::Author => 8,
            Field::Category => 16,
        };
        Self(self.0 | bit)
    }

    fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn contains(self, field: Field) -> bool {
        self.intersects(Self::of(&[field]))
    }

    /// Returns the first field in it; none if it is empty or the URL.
    fn field(self) -> Option<Field> {
        FIELDS.into_iter().find(|field| self.contains(*field))
    }

    fn bits(self) -> u8 {
        self.0
    }
}

/// What rules look into: an article as a reader sees it, and its feed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Document<'a> {
    /// Headline.
    pub title: &'a str,
    /// Summary.
    pub summary: &'a str,
    /// Content.
    pub content: &'a str,
    /// Names of the authors, one a line.
    pub author: &'a str,
    /// Categories, one a line.
    pub category: &'a str,
    /// Link of the article.
    pub url: &'a str,
    /// Language tag (BCP 47) of the article.
    pub language: Option<&'a str>,
    /// Identity of the feed: its URL or path as configured.
    pub feed: &'a str,
    /// Name of the feed as configured.
    pub feed_name: &'a str,
    /// Tags of the feed.
    pub tags: &'a [String],
}

impl<'a> Document<'a> {
    /// Returns an item as a document of no feed. `author` and `category` are its authors and categories, one a line.
    pub fn of_item(item: &'a Item, author: &'a str, category: &'a str) -> Self {
        Self {
            title: &item.title,
            summary: &item.summary,
            content: &item.content,
            author,
            category,
            url: item.link.as_deref().unwrap_or_default(),
            language: item.language.as_deref(),
            ..Self::default()
        }
    }

    /// Returns the URL as people read it, with its percent-encoded letters.
    fn readable_url(&self) -> Cow<'a, str> {
        match self.url.contains('%') {
            true => percent_encoding::percent_decode_str(self.url).decode_utf8_lossy(),
            false => Cow::Borrowed(self.url),
        }
    }

    /// Returns the text of a field.
    pub fn text(&self, field: Field) -> &'a str {
        match field {
            Field::Title => self.title,
            Field::Summary => self.summary,
            Field::Content => self.content,
            Field::Author => self.author,
            Field::Category => self.category,
        }
    }
}

/// A rule that matched.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleMatch {
    /// Its index in the set.
    pub rule: usize,
    /// The terms that matched, where.
    pub terms: Vec<TermMatch>,
}
