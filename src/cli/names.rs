//! Names that were asked for and are not there.

use super::Failure;
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

#[cfg(test)]
mod tests {
    use super::*;

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
