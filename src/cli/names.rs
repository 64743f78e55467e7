//! Names: those that were asked for and are not there, and those that several feeds have.

use super::{Failure, terminal::harmless};
use crate::config::nearest;
use std::collections::HashSet;

/// Names that are listed where none is near.
const LISTED: usize = 20;

/// Characters of a name that are said.
const SAID: usize = 100;

/// Says that nothing of a kind (`rule`, `digest`) has a name, and which one may be meant. Two configurations may know the
/// same name.
pub(super) fn unknown<'n>(kind: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Failure {
    let mut short: String = name.chars().take(SAID).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    let mut met = HashSet::new();
    let known: Vec<&str> = known.filter(|known| met.insert(*known)).collect();
    let there_are = match (nearest(name, known.iter().copied()), known.len()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, 0) => format!("the configuration has no [[{kind}]]"),
        (None, count) => {
            let listed = &known[..count.min(LISTED)];
            let more = if count > LISTED { format!(" and {} more", count - LISTED) } else { String::new() };
            format!("there are: {}{more}", listed.join(", "))
        }
    };
    Failure::Usage(format!("no {kind} is called `{short}`; {there_are}"))
}

/// Returns the names that several feeds have: one without a title has its host's.
pub(super) fn shared<'n>(names: impl Iterator<Item = &'n str>) -> HashSet<&'n str> {
    let mut once = HashSet::new();
    names.filter(|name| !once.insert(*name)).collect()
}

/// Returns a feed's name, with its URL if others are called so too.
pub(super) fn told_apart(name: &str, url: &str, shared: &HashSet<&str>) -> String {
    harmless(&match shared.contains(name) {
        false => name.to_owned(),
        true if url.contains(name) => url.to_owned(),
        true => format!("{name} ({url})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Once all feeds of a host that were never read had one name in the table.
    #[test]
    fn feeds_of_one_name_are_told_apart_by_their_urls() {
        let url = |path: u8| format!("https://example.org/{path}");
        let feeds = [("News", 1), ("News", 2), ("example.org", 3), ("example.org", 4), ("W", 5)];
        let shared = shared(feeds.iter().map(|(name, _)| *name));
        assert_eq!(
            feeds.map(|(name, path)| told_apart(name, &url(path), &shared)),
            [
                "News (https://example.org/1)",
                "News (https://example.org/2)",
                "https://example.org/3",
                "https://example.org/4",
                "W"
            ]
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_one_that_is_near_or_with_some() {
        let many: Vec<String> = (0..30).map(|number| format!("Rule {number} of many")).collect();
        let many = || many.iter().map(String::as_str);
        assert_eq!(
            unknown("rule", "dprk missile", ["Sport", "DPRK missiles"].into_iter()).to_string(),
            "no rule is called `dprk missile`; did you mean `DPRK missiles`?"
        );
        let said = unknown("rule", "Elections", many()).to_string();
        assert!(
            said.contains("there are: Rule 0 of many, ") && said.ends_with("Rule 19 of many and 10 more"),
            "{said}"
        );
        let said = unknown("rule", "zzzzz", ["Sport", "DPRK missiles", "Sport"].into_iter()).to_string();
        assert!(said.ends_with("there are: Sport, DPRK missiles"), "{said}");
        let said = unknown("digest", &"x".repeat(5000), std::iter::empty()).to_string();
        assert!(said.len() < 200 && said.ends_with("; the configuration has no [[digest]]"), "{said}");
    }
}
