//! Rules written as lists: `all`, `any`, `near` and `none` of terms and term groups, read into clauses.

use super::expression::{Expression, Leaf, MAX_DISTANCE, Proximity, Term, TermError};
use super::regexp::{MAX_REGEXES, RegularExpression, is_regex};
use super::{Case, FieldSet, NearSource, RuleError, RuleSource, TermGroups};
use std::sync::Arc;

/// A part of a rule that must hold, as written and as understood; a rule is the conjunction of its clauses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    /// The key of the rule that it comes from.
    pub(super) key: &'static str,
    /// Its text in the rule.
    pub(super) written: String,
    /// What must be true.
    pub(super) expression: Expression,
}

/// Reads the lists of a rule into clauses.
///
/// # Errors
///
/// Everything that is wrong with the lists and with the groups that they name.
pub(super) fn clauses(
    source: &RuleSource,
    groups: &TermGroups,
    fields: FieldSet,
) -> Result<Vec<Clause>, Vec<RuleError>> {
    let mut errors = Vec::new();
    let mut clauses = Vec::new();
    let mut regexes = 0;
    let mut read = |key: &'static str, list: &[String]| -> Vec<(String, Expression)> {
        let mut items = Vec::new();
        for (index, item) in list.iter().enumerate() {
            if is_regex(item) {
                regexes += 1;
                match regex(item, source.case, regexes) {
                    Ok(regex) => items.push((item.trim().to_owned(), Expression::Regex(Arc::new(regex), fields))),
                    Err(error) => errors.push(located(error, key, Some(index))),
                }
                continue;
            }
            match expand(item, groups, source.case) {
                Ok(terms) => items.push((item.trim().to_owned(), alternatives(terms, fields))),
                Err(error) => errors.push(located(error, key, Some(index))),
            }
        }
        items
    };
    for (written, expression) in read("all", &source.all) {
        clauses.push(Clause { key: "all", written, expression });
    }
    let (written, parts): (Vec<_>, Vec<_>) = read("any", &source.any).into_iter().unzip();
    if !parts.is_empty() {
        clauses.push(Clause { key: "any", written: written.join(", "), expression: Expression::Any(parts) });
    }
    for (written, expression) in read("none", &source.none) {
        clauses.push(Clause { key: "none", written, expression: Expression::Not(Box::new(expression)) });
    }
    near(source, groups, fields, &mut clauses, &mut errors);
    if source.all.is_empty() && source.any.is_empty() && source.near.is_empty() && source.query.is_none() {
        errors.push(RuleError {
            key: "all".to_owned(),
            index: None,
            at: None,
            message:
                "the rule has neither `all` nor `any` nor `near` nor `query`, so nothing says what it looks for; give one of them \
                 at least one term"
                    .to_owned(),
            suggestion: None,
        });
    }
    if errors.is_empty() { Ok(clauses) } else { Err(errors) }
}

/// Reads a regular expression, the so many-th of the rule's lists.
fn regex(item: &str, case: Case, count: usize) -> Result<RegularExpression, TermError> {
    if count > MAX_REGEXES {
        let message = format!("a rule has at most {MAX_REGEXES} regular expressions; write several rules");
        return Err(TermError { at: None, message, suggestion: None });
    }
    let before = item.len() - item.trim_start().len();
    RegularExpression::parse(item.trim(), case)
        .map_err(|error| TermError { at: error.at.map(|at| at + before), ..error })
}

/// Reads what must stand near each other.
fn near(
    source: &RuleSource,
    groups: &TermGroups,
    fields: FieldSet,
    clauses: &mut Vec<Clause>,
    errors: &mut Vec<RuleError>,
) {
    const KEY: &str = "near";
    let mut index = 0;
    for NearSource { terms, within, ordered } in &source.near {
        let wrong = |message: String, index| located(TermError { at: None, message, suggestion: None }, KEY, index);
        if terms.len() < 2 {
            errors.push(wrong("needs two `terms` or more that are to stand near each other".to_owned(), None));
        }
        if *within > MAX_DISTANCE {
            errors.push(wrong(format!("`within` is at most {MAX_DISTANCE} words, and is {within}"), None));
        }
        let mut operands = Vec::new();
        for term in terms {
            if is_regex(term) {
                errors.push(wrong(NEAR_REGEX.to_owned(), Some(index)));
            } else {
                match expand(term, groups, source.case) {
                    Ok(terms) => operands.push(terms.into_iter().map(|term| Leaf { term, fields }).collect()),
                    Err(error) => errors.push(located(error, KEY, Some(index))),
                }
            }
            index += 1;
        }
        let distances = vec![(*within, *ordered); terms.len().saturating_sub(1)];
        if let Some(proximity) = Proximity::new(operands, distances) {
            let joint = format!(" {}NEAR/{within} ", if *ordered { "O" } else { "" });
            let written = terms.iter().map(|term| term.trim()).collect::<Vec<_>>().join(&joint);
            clauses.push(Clause { key: KEY, written, expression: Expression::Near(proximity) });
        }
    }
}

/// Why no regular expression stands near anything.
pub(super) const NEAR_REGEX: &str = "a regular expression cannot be near something: it looks at the letters of a text, \
                                     and nearness is counted in words; write a word, with `*` or `?`, or join it with \
                                     `AND`";

fn alternatives(terms: Vec<Arc<Term>>, fields: FieldSet) -> Expression {
    let mut leaves: Vec<_> = terms.into_iter().map(|term| Expression::Term(term, fields)).collect();
    if leaves.len() == 1 { leaves.remove(0) } else { Expression::Any(leaves) }
}

fn located(error: TermError, key: &str, index: Option<usize>) -> RuleError {
    RuleError { key: key.to_owned(), index, at: error.at, message: error.message, suggestion: error.suggestion }
}

/// Returns the name in a reference to a group, `@name`.
fn reference(item: &str) -> Option<&str> {
    item.trim().strip_prefix('@').map(str::trim)
}

/// Returns the terms that an item of a list stands for: itself, or the members of the group that it names.
pub(super) fn expand(item: &str, groups: &TermGroups, case: Case) -> Result<Vec<Arc<Term>>, TermError> {
    let Some(name) = reference(item) else { return Ok(vec![Arc::new(Term::parse(item, case)?)]) };
    if !groups.contains_key(name) {
        return Err(unknown(name, groups));
    }
    let mut terms: Vec<Arc<Term>> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut waiting = vec![name];
    // A cycle is no harm here, since each group is read once; it is told by `cycle` so that nobody relies on it.
    if let Some(path) = cycle(name, groups) {
        return Err(broken(name, &cycle_message(&path)));
    }
    while let Some(group) = waiting.pop() {
        if !seen.insert(group) {
            continue;
        }
        let members = groups.get(group).ok_or_else(|| broken(name, &unknown(group, groups).message))?;
        for member in members {
            match reference(member) {
                Some(nested) => waiting.push(nested),
                None => {
                    terms.push(Arc::new(member_term(member, case).map_err(|error| broken(name, &error.message))?));
                }
            }
        }
    }
    if terms.is_empty() { Err(broken(name, "it has no terms")) } else { Ok(terms) }
}

/// Reads a term of a group.
fn member_term(member: &str, case: Case) -> Result<Term, TermError> {
    if is_regex(member) {
        let message = "a regular expression stands in `all`, `any`, `none` or `query`, not in a term group; write terms, \
                       with `*` or `?`";
        return Err(TermError { at: Some(0), message: message.to_owned(), suggestion: None });
    }
    Term::parse(member, case)
}

fn broken(name: &str, why: &str) -> TermError {
    TermError { at: None, message: format!("the term group `{name}` cannot be used: {why}"), suggestion: None }
}

fn unknown(name: &str, groups: &TermGroups) -> TermError {
    let near = nearest_name(name, groups.keys().map(String::as_str));
    let message = match near {
        Some(near) => format!("there is no term group `{name}`; did you mean `@{near}`?"),
        None if name.is_empty() => "`@` needs the name of a term group after it; write `@name`".to_owned(),
        None => format!(
            "there is no term group `{name}`; add it to `[terms]`, or leave out the `@` to look for the word `{name}`"
        ),
    };
    TermError { at: Some(0), message, suggestion: near.map(|near| format!("@{near}")) }
}

/// Returns the name that is likely meant, if one is near.
pub(super) fn nearest_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes a name at such a length, and the distance takes time in proportion to it.
    const MOST_LETTERS: usize = 100;
    let length = name.chars().take(MOST_LETTERS + 1).count();
    known
        .filter(|_| length <= MOST_LETTERS)
        .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= (length / 3).max(1))
        .min()
        .map(|(_, known)| known)
}

/// Returns a way from a group back to a group on it, if there is one: `[a, b, a]`.
fn cycle<'a>(start: &'a str, groups: &'a TermGroups) -> Option<Vec<&'a str>> {
    // An explicit stack: a hostile configuration must not overflow that of the thread.
    let nested = |name: &str| -> Vec<&'a str> {
        groups.get(name).into_iter().flatten().filter_map(|member| reference(member)).collect()
    };
    let mut done = std::collections::BTreeSet::new();
    let mut path = vec![(start, nested(start))];
    while let Some((_, next)) = path.last_mut() {
        let Some(name) = next.pop() else {
            done.extend(path.pop().map(|(name, _)| name));
            continue;
        };
        if let Some(first) = path.iter().position(|(on_path, _)| *on_path == name) {
            let mut cycle: Vec<&str> = path[first..].iter().map(|(name, _)| *name).collect();
            cycle.push(name);
            return Some(cycle);
        }
        if !done.contains(name) {
            path.push((name, nested(name)));
        }
    }
    None
}

fn cycle_message(path: &[&str]) -> String {
    let path: Vec<String> = path.iter().map(|name| format!("`@{name}`")).collect();
    format!("the groups refer to each other in a circle: {}; take one of the references out", path.join(" → "))
}

/// Checks the term groups by themselves: empty groups, terms that normalise to nothing, unknown references, cycles.
pub(super) fn check_groups(groups: &TermGroups) -> Vec<RuleError> {
    let mut errors = Vec::new();
    for (name, members) in groups {
        if members.is_empty() {
            let message = format!("the term group `{name}` is empty; give it at least one term, or remove it");
            errors.push(located(TermError { at: None, message, suggestion: None }, name, None));
        }
        for (index, member) in members.iter().enumerate() {
            let error = match reference(member) {
                Some(nested) if !groups.contains_key(nested) => Some(unknown(nested, groups)),
                Some(nested) => cycle(nested, groups)
                    // Told once for each group on the circle, at the member that leads on.
                    .filter(|path| path.contains(&name.as_str()))
                    .map(|path| TermError { at: Some(0), message: cycle_message(&path), suggestion: None }),
                None => member_term(member, Case::Acronyms).err(),
            };
            errors.extend(error.map(|error| located(error, name, Some(index))));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rule;

    fn groups(list: &[(&str, &[&str])]) -> TermGroups {
        let owned = |members: &[&str]| members.iter().map(|member| (*member).to_owned()).collect();
        list.iter().map(|(name, members)| ((*name).to_owned(), owned(members))).collect()
    }

    fn source(all: &[&str]) -> RuleSource {
        let all = all.iter().map(|item| (*item).to_owned()).collect();
        RuleSource { name: "test".to_owned(), all, ..RuleSource::default() }
    }

    #[test]
    fn unknown_groups_are_errors_with_a_near_name() {
        let groups = groups(&[("missiles", &["missile*"])]);
        let errors = Rule::new(&source(&["DPRK", "@misiles"]), &groups).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].key.as_str(), errors[0].index), ("all", Some(1)));
        assert_eq!(errors[0].suggestion.as_deref(), Some("@missiles"));
        let errors = Rule::new(&source(&["@elsewhere"]), &groups).unwrap_err();
        assert_eq!(errors[0].suggestion, None);
        assert!(errors[0].message.contains("leave out the `@`"), "{}", errors[0].message);
    }

    #[test]
    fn groups_refer_to_groups_but_not_in_a_circle() {
        let nested = groups(&[("a", &["@b", "x"]), ("b", &["y", "@c"]), ("c", &["z"])]);
        assert_eq!(check_groups(&nested), []);
        let rule = Rule::new(&source(&["@a"]), &nested).unwrap();
        let mut written = Vec::new();
        rule.clauses[0].expression.positive_terms(&mut |term, _| written.push(term.written.to_string()));
        written.sort();
        assert_eq!(written, ["x", "y", "z"]);

        let circle = groups(&[("a", &["@b"]), ("b", &["x", "@a"]), ("out", &["@a"]), ("self", &["@self"])]);
        let errors = check_groups(&circle);
        let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "self"]);
        assert!(errors[0].message.contains("circle"), "{}", errors[0].message);
        assert!(Rule::new(&source(&["@out"]), &circle).is_err());
    }

    #[test]
    fn broken_groups_are_told_with_their_place() {
        let groups = groups(&[("empty", &[]), ("bad", &["fine", "—", "*x", "@nowhere"])]);
        let errors = check_groups(&groups);
        let places: Vec<_> = errors.iter().map(|error| (error.key.as_str(), error.index)).collect();
        assert_eq!(places, [("bad", Some(1)), ("bad", Some(2)), ("bad", Some(3)), ("empty", None)]);
        assert!(Rule::new(&source(&["@bad"]), &groups).is_err());
        assert!(Rule::new(&source(&["@empty"]), &groups).is_err());
    }

    #[test]
    fn a_rule_needs_something_positive_and_all_errors_are_told() {
        let mut rule = source(&[]);
        rule.none = vec!["x".to_owned(), "*".to_owned()];
        rule.fields = Vec::new();
        let errors = Rule::new(&rule, &TermGroups::new()).unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(errors.iter().any(|error| error.message.contains("neither `all` nor `any`")));
    }
}
