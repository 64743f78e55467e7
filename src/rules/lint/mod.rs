//! Warnings: what is allowed in rules and term groups and probably not meant.
//!
//! Only what is certain is told: how a term will be matched (`term`), that a rule asks for what it excludes
//! (`contradiction`), that another rule has all its hits (`overlap`), that no feed has a name (`origin`). Whether one expression follows from another is
//! decided in `implication`.

mod common;
mod contradiction;
mod implication;
mod origin;
mod overlap;
mod term;

pub use origin::Sources;
pub use overlap::{Overlap, overlaps};

use super::expression::Expression;
use super::groups::reference;
use super::query::WrittenKind;
use super::regexp::is_regex;
use super::{Case, Field, FieldSet, Rule, RuleSource, TermGroups, query};
use std::collections::BTreeSet;
use term::{Oddity, Within, oddities};

/// The names of the warnings, which stay the same from version to version.
pub mod name {
    /// A word that nearly every article has.
    pub const COMMON_WORD: &str = "common-word";
    /// The same rule twice.
    pub const DUPLICATE_RULE: &str = "duplicate-rule";
    /// A term of a list that reads like a query.
    pub const LOOKS_LIKE_A_QUERY: &str = "looks-like-a-query";
    /// A rule without a word that it needs.
    pub const MATCHES_EVERYTHING: &str = "matches-everything";
    /// `NEAR` over more words than a sentence has.
    pub const NEAR_FAR: &str = "near-far";
    /// A rule that excludes what it asks for.
    pub const NEVER_MATCHES: &str = "never-matches";
    /// Word forms of which none are known.
    pub const NO_WORD_FORMS: &str = "no-word-forms";
    /// A `*` after one or two letters.
    pub const SHORT_STEM: &str = "short-stem";
    /// A rule that is tried on every article, because of a regular expression.
    pub const SLOW_REGEX: &str = "slow-regex";
    /// A rule whose hits another has too.
    pub const SUBSET_RULE: &str = "subset-rule";
    /// A term that is matched as other words than it seems.
    pub const UNEXPECTED_WORDS: &str = "unexpected-words";
    /// A feed in a query that there is not.
    pub const UNKNOWN_FEED: &str = "unknown-feed";
    /// A language in a query that is probably another.
    pub const UNKNOWN_LANGUAGE: &str = "unknown-language";
    /// A tag in a query that no feed has.
    pub const UNKNOWN_TAG: &str = "unknown-tag";
    /// A digest that no rule feeds.
    pub const UNUSED_DIGEST: &str = "unused-digest";
    /// A feed that no rule looks at.
    pub const UNUSED_FEED: &str = "unused-feed";
    /// A term group that no rule uses.
    pub const UNUSED_GROUP: &str = "unused-group";
    /// A rule whose hits nobody is mailed.
    pub const UNUSED_RULE: &str = "unused-rule";

    /// Those of a rule, which it may allow.
    pub const OF_RULES: [&str; 15] = [
        COMMON_WORD,
        DUPLICATE_RULE,
        LOOKS_LIKE_A_QUERY,
        MATCHES_EVERYTHING,
        NEAR_FAR,
        NEVER_MATCHES,
        NO_WORD_FORMS,
        SHORT_STEM,
        SLOW_REGEX,
        SUBSET_RULE,
        UNEXPECTED_WORDS,
        UNKNOWN_FEED,
        UNKNOWN_LANGUAGE,
        UNKNOWN_TAG,
        UNUSED_RULE,
    ];

    /// Those of a term group, which it may allow.
    pub const OF_GROUPS: [&str; 6] =
        [COMMON_WORD, LOOKS_LIKE_A_QUERY, NO_WORD_FORMS, SHORT_STEM, UNEXPECTED_WORDS, UNUSED_GROUP];

    /// Those of nothing in particular.
    pub const OTHERS: [&str; 2] = [UNUSED_DIGEST, UNUSED_FEED];
}

/// The words between two terms beyond which nearness says little.
const FAR_WORDS: u32 = 20;

/// A warning of a rule or a term group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// What is warned of: one of `name`.
    pub name: &'static str,
    /// The key of the rule (`all`) or the name of the term group.
    pub key: String,
    /// Index in the list, where the key is a list.
    pub index: Option<usize>,
    /// Byte in the string at `key[index]`, where one place is to blame.
    pub at: Option<usize>,
    /// What is probably not meant, and what to write.
    pub message: String,
    /// Another spelling that would do.
    pub suggestion: Option<String>,
}

impl Lint {
    fn of_term(oddity: Oddity, key: &str, index: Option<usize>, from: usize) -> Self {
        let Oddity { name, at, message, suggestion } = oddity;
        let at = at.map(|at| from + at).or(Some(from).filter(|from| *from > 0));
        Self { name, key: key.to_owned(), index, at, message, suggestion }
    }
}

/// Warns of a rule by itself; its term groups are apart.
pub fn lint_rule(source: &RuleSource, rule: &Rule) -> Vec<Lint> {
    let fields = source.field_set();
    let mut lints = Vec::new();
    let near: Vec<String> = source.near.iter().flat_map(|near| near.terms.clone()).collect();
    for (key, list) in [("all", &source.all), ("any", &source.any), ("none", &source.none), ("near", &near)] {
        let plain = |item: &String| reference(item).is_none() && !is_regex(item);
        for (index, item) in list.iter().enumerate().filter(|(_, item)| plain(item)) {
            let found = oddities(item, source.case, fields, Within::List);
            lints.extend(found.into_iter().map(|oddity| Lint::of_term(oddity, key, Some(index), 0)));
        }
    }
    let mut index = 0;
    for near in &source.near {
        lints.extend(near_far(near.within, "near", Some(index), None));
        index += near.terms.len();
    }
    if let Some(query) = &source.query {
        lints.extend(lint_query(query, source.case, fields));
    }
    lints.extend(whole(source, rule));
    lints
}

fn lint_query(query: &str, case: Case, fields: FieldSet) -> Vec<Lint> {
    let mut lints = Vec::new();
    for term in query::terms(query, fields) {
        let (case, fields) = match term.kind {
            WrittenKind::Term(fields) => (case, fields),
            WrittenKind::Exact(fields) => (Case::Match, fields),
            _ => continue,
        };
        // Between the words of a URL anything stands.
        if fields == FieldSet::URL {
            continue;
        }
        let found = oddities(term.text, case, fields, Within::Query);
        lints.extend(found.into_iter().map(|oddity| Lint::of_term(oddity, "query", None, term.at)));
    }
    let distances = query::distances(query).into_iter();
    lints.extend(distances.filter_map(|(at, words)| near_far(words, "query", None, Some(at))));
    lints
}

fn near_far(words: u32, key: &str, index: Option<usize>, at: Option<usize>) -> Option<Lint> {
    let instead = if key == "query" { "`AND`" } else { "`all`" };
    let message = format!(
        "{words} words between are more than a sentence has, so this says little more than {instead}; write at most \
         {FAR_WORDS} words, or {instead}"
    );
    let key = key.to_owned();
    (words > FAR_WORDS).then_some(Lint { name: name::NEAR_FAR, key, index, at, message, suggestion: None })
}

/// Warns of what the whole rule means.
fn whole(source: &RuleSource, rule: &Rule) -> Option<Lint> {
    let of_rule = |name, message: String| {
        let key = if source.query.is_some() { "query" } else { "all" }.to_owned();
        Some(Lint { name, key, index: None, at: None, message, suggestion: None })
    };
    let any = |holds: &dyn Fn(&Expression) -> bool| rule.clauses.iter().any(|clause| needs(&clause.expression, holds));
    if !any(&|leaf| !matches!(leaf, Expression::Origin(_))) {
        let message = "no word is needed, so the rule matches nearly every article from where it looks; say what it \
                       looks for";
        return of_rule(name::MATCHES_EVERYTHING, message.to_owned());
    }
    let quick = |leaf: &Expression| match leaf {
        Expression::Regex(regex, _) => regex.required.is_some(),
        Expression::Origin(_) => false,
        _ => true,
    };
    if !any(&quick) {
        return Some(slow_regex(source, rule));
    }
    let found = contradiction::contradiction(rule)?;
    let key = rule.clauses[found.clause].key;
    let before = rule.clauses[..found.clause].iter().filter(|clause| clause.key == key).count();
    let message = format!("the rule can never match: it asks for {}, and excludes {}", found.asked, found.excluded);
    Some(Lint {
        name: name::NEVER_MATCHES,
        key: key.to_owned(),
        index: (key == "all").then_some(before),
        at: None,
        message,
        suggestion: None,
    })
}

/// Whether an expression cannot hold without a leaf of some kind that holds.
fn needs(expression: &Expression, is: &dyn Fn(&Expression) -> bool) -> bool {
    let count = |parts: &[Expression]| parts.iter().filter(|part| needs(part, is)).count();
    match expression {
        Expression::All(parts) => count(parts) > 0,
        Expression::Any(parts) => count(parts) == parts.len(),
        Expression::AtLeast(least, parts) => parts.len() - count(parts) < *least,
        Expression::Not(_) => false,
        leaf => is(leaf),
    }
}

/// Warns of a rule that nothing but a regular expression brings up, and no text that it requires either.
fn slow_regex(source: &RuleSource, rule: &Rule) -> Lint {
    let mut found = None;
    for clause in &rule.clauses {
        clause.expression.positive_leaves(&mut |leaf| match leaf {
            Expression::Regex(regex, _) if regex.required.is_none() && found.is_none() => {
                found = Some((clause.key, regex.written.to_string()));
            }
            _ => {}
        });
    }
    let (key, written) = found.unwrap_or(("all", String::new()));
    let list = if key == "any" { &source.any } else { &source.all };
    let index = list.iter().position(|item| key != "query" && item.trim() == written);
    let query = source.query.as_deref().filter(|_| key == "query").unwrap_or_default();
    let mut terms = query::terms(query, source.field_set()).into_iter();
    let at = terms.find(|term| term.kind == WrittenKind::Regex && term.text == written).map(|term| term.at);
    let message = format!(
        "`{written}` has no text of three letters or more that every match has, and the rule needs no word either, so \
         each article is searched with it; ask for a word beside it"
    );
    Lint { name: name::SLOW_REGEX, key: key.to_owned(), index, at, message, suggestion: None }
}

/// Warns of term groups by themselves, and of those that no rule uses; `used` are the groups that rules name.
pub fn lint_groups<'a>(groups: &'a TermGroups, used: impl Iterator<Item = &'a str>) -> Vec<Lint> {
    // Any text, since rules may look for the group in any field.
    let fields = FieldSet::of(&[Field::Title]);
    let used: BTreeSet<&str> = used.collect();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    for name in &used {
        if !reached.contains(name) {
            reached.extend(groups.within(name));
        }
    }
    let mut lints = Vec::new();
    for (name, group) in groups.iter() {
        for (index, item) in group.terms.iter().enumerate().filter(|(_, item)| reference(item).is_none()) {
            let found = oddities(item, Case::Acronyms, fields, Within::List);
            lints.extend(found.into_iter().map(|oddity| Lint::of_term(oddity, name, Some(index), 0)));
        }
        if !reached.contains(name) {
            let by = groups.iter().find(|(_, other)| other.terms.iter().any(|item| reference(item) == Some(name)));
            let message = match by {
                Some((other, _)) => {
                    format!("no rule uses the term group `@{name}`, and `@{other}`, which does, is used by none either")
                }
                None => format!("no rule uses the term group `@{name}`"),
            };
            let key = name.to_owned();
            lints.push(Lint { name: self::name::UNUSED_GROUP, key, index: None, at: None, message, suggestion: None });
        }
    }
    lints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_need_no_word_and_those_that_are_always_searched_are_told() {
        let found = |query: &str| {
            let source = RuleSource { query: Some(query.to_owned()), ..RuleSource::default() };
            let groups = TermGroups::from([("g".to_owned(), vec!["missile*".to_owned()])]);
            whole(&source, &Rule::new(&source, &groups).unwrap()).map(|lint| (lint.name, lint.at))
        };
        for query in ["lang:uk", "feed:x AND NOT missile", "missile OR tag:x", "at_least(2, missile, tag:x, lang:uk)"] {
            assert_eq!(found(query).map(|lint| lint.0), Some(name::MATCHES_EVERYTHING), "{query}");
        }
        for (query, at) in
            [("/\\d{4}/", 0), ("lang:uk AND /[A-Z]{2}/", 12), ("missile OR /a\\d/", 11), ("/\\d+/ AND NOT missile", 0)]
        {
            assert_eq!(found(query), Some((name::SLOW_REGEX, Some(at))), "{query}");
        }
        for query in [
            "missile AND lang:uk",
            "at_least(2, missile, rocket, lang:uk)",
            "/missiles?/",
            "@g AND /\\d/",
            "/\\d+ missiles/ OR a NEAR/5 b",
            "missile AND NOT /\\d/",
        ] {
            assert_eq!(found(query), None, "{query}");
        }
    }
}
