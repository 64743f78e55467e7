//! Whatever stands in a query, reading it neither panics nor takes long, an error stands within the text, and what was read
//! can be matched and explained. Run it with `cargo +nightly fuzz run query`.

#![no_main]

use feedwatch::rules::{Document, Rule, RuleSet, RuleSource, TermGroups, explain::explain};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    let members = ["DPRK", "North Korea*", "wom?n"].map(str::to_owned).to_vec();
    let groups = TermGroups::from([("g".to_owned(), members)]);
    let source = RuleSource { name: "fuzz".to_owned(), query: Some(query.to_owned()), ..RuleSource::default() };
    match Rule::new(&source, &groups) {
        Ok(rule) => {
            let document = Document { title: query, url: query, language: Some("en"), ..Document::default() };
            let hit = !RuleSet::new(std::slice::from_ref(&rule)).matches(&document).is_empty();
            assert_eq!(hit, explain(&rule, &document).hit);
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(errors.iter().all(|error| error.at.is_none_or(|at| query.is_char_boundary(at))));
        }
    }
});
