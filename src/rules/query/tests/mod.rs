//! What queries mean, and what is said of those that cannot be read.

mod hostile;
mod meaning;
mod mistakes;
mod versions;

use crate::rules::explain::explain;
use crate::rules::{Document, Rule, RuleError, RuleSet, RuleSource, TermGroups};

fn source(query: &str) -> RuleSource {
    RuleSource { name: "test".to_owned(), query: Some(query.to_owned()), ..RuleSource::default() }
}

fn groups() -> TermGroups {
    let owned = |terms: &[&str]| -> Vec<String> { terms.iter().map(|term| (*term).to_owned()).collect() };
    TermGroups::from([
        ("dprk".to_owned(), owned(&["DPRK", "North Korea*"])),
        ("missile".to_owned(), owned(&["missile*", "rocket"])),
        ("朝鲜（北）".to_owned(), owned(&["x"])),
        ("two words".to_owned(), owned(&["a", "b"])),
    ])
}

fn rule(query: &str) -> Rule {
    Rule::new(&source(query), &groups()).unwrap_or_else(|errors| panic!("{query}: {errors:?}"))
}

fn errors(query: &str) -> Vec<RuleError> {
    Rule::new(&source(query), &groups()).expect_err(query)
}

fn hits(query: &str, document: &Document<'_>) -> bool {
    let rule = rule(query);
    let hit = !RuleSet::new(std::slice::from_ref(&rule)).matches(document).is_empty();
    assert_eq!(explain(&rule, document).hit, hit, "explain agrees: {query}");
    hit
}
