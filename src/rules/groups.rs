//! Term groups: named lists of equivalent terms, each read once however many rules use it.

use super::expression::{Alternatives, Leaf, Term, TermError};
use super::regexp::is_regex;
use super::{FieldSet, Forms, Language, Reading, RuleError};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// A term group as written: every key that decides what it stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermGroup {
    /// Its terms, and references to other groups (`@name`); errors name one by its index here.
    pub terms: Vec<String>,
    /// `forms`; without it those of the rule, or of the group that this one stands in.
    pub forms: Option<Forms>,
    /// `language`; without it the same.
    pub language: Option<Language>,
}

impl TermGroup {
    /// Tells whether some word of its own terms has other forms, or other groups may bring some.
    pub fn inflects(&self) -> bool {
        let reading = Reading::default().within(self);
        let inflects =
            |term: &String| reference(term).is_some() || member_term(term, reading).is_ok_and(|term| term.inflects());
        self.terms.iter().any(inflects)
    }
}

impl From<Vec<String>> for TermGroup {
    fn from(terms: Vec<String>) -> Self {
        Self { terms, forms: None, language: None }
    }
}

/// `[terms]`: groups of equivalent terms by name.
#[derive(Debug, Default)]
pub struct TermGroups {
    groups: BTreeMap<String, TermGroup>,
    /// By group: the groups that it refers to, since each rule that uses it asks.
    references: BTreeMap<String, Vec<String>>,
    /// What rules asked for so far: thousands of rules may use a group of thousands of terms.
    read: Mutex<HashMap<(String, Reading, FieldSet), Read>>,
}

/// The circles of groups that are told at most.
const MAX_CIRCLES: usize = 20;

/// The terms of a group and of the groups in it, or why it cannot be used.
type Read = Result<Arc<Alternatives>, TermError>;

impl<G: Into<TermGroup>> FromIterator<(String, G)> for TermGroups {
    fn from_iter<I: IntoIterator<Item = (String, G)>>(groups: I) -> Self {
        let groups: BTreeMap<String, TermGroup> =
            groups.into_iter().map(|(name, group)| (name, group.into())).collect();
        let of_group =
            |group: &TermGroup| group.terms.iter().filter_map(|term| reference(term)).map(str::to_owned).collect();
        let references = groups.iter().map(|(name, group)| (name.clone(), of_group(group))).collect();
        Self { groups, references, read: Mutex::default() }
    }
}

impl<G: Into<TermGroup>, const N: usize> From<[(String, G); N]> for TermGroups {
    fn from(groups: [(String, G); N]) -> Self {
        groups.into_iter().collect()
    }
}

impl TermGroups {
    /// Returns no groups.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is a group of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    /// Returns the groups in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &TermGroup)> {
        self.groups.iter().map(|(name, group)| (name.as_str(), group))
    }

    /// Returns how many terms a group has, without those of the groups in it.
    pub fn own_terms(&self, name: &str) -> usize {
        let terms = self.groups.get(name).map_or(0, |group| group.terms.len());
        terms - self.references.get(name).map_or(0, Vec::len)
    }

    /// Checks the groups by themselves: empty groups, terms that normalise to nothing, unknown references, cycles.
    pub fn check(&self) -> Vec<RuleError> {
        let circles = self.circles(self.groups.keys().map(String::as_str), MAX_CIRCLES);
        let mut errors = Vec::new();
        for (name, group) in &self.groups {
            let located = |index: Option<usize>, TermError { at, message, suggestion }| {
                let key = name.clone();
                RuleError { key, index, at, message, suggestion }
            };
            if group.terms.is_empty() {
                let message = format!("the term group `{name}` is empty; give it at least one term, or remove it");
                errors.push(located(None, TermError { at: None, message, suggestion: None }));
            }
            for (index, member) in group.terms.iter().enumerate() {
                let error = match reference(member) {
                    Some(nested) if !self.contains(nested) => Some(self.unknown(nested)),
                    // Told once for each group on the circle, at the member that leads on.
                    Some(nested) => circles
                        .iter()
                        .find(|circle| circle.windows(2).any(|step| step == [name.as_str(), nested]))
                        .map(|circle| TermError { at: Some(0), message: circle_message(circle), suggestion: None }),
                    None => member_term(member, Reading::default()).err(),
                };
                errors.extend(error.map(|error| located(Some(index), error)));
            }
        }
        errors
    }

    /// Returns the terms of a group and of the groups in it, within some fields.
    ///
    /// # Errors
    ///
    /// There is no such group, or it or one in it is broken.
    pub(super) fn alternatives(&self, name: &str, reading: Reading, fields: FieldSet) -> Read {
        let key = (name.to_owned(), reading, fields);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(key).or_insert_with(|| self.expand(name, reading, fields).map(Arc::new)).clone()
    }

    fn expand(&self, name: &str, reading: Reading, fields: FieldSet) -> Result<Alternatives, TermError> {
        if !self.contains(name) {
            return Err(self.unknown(name));
        }
        let mut leaves = Vec::new();
        for (group, reading) in self.readings(name, reading) {
            let members = self.groups.get(group).ok_or_else(|| broken(name, &self.unknown(group).message))?;
            for member in members.terms.iter().filter(|member| reference(member).is_none()) {
                let term = member_term(member, reading).map_err(|error| broken(name, &error.message))?;
                let term = if fields == FieldSet::URL { term.in_url() } else { term };
                leaves.push(Leaf { term: Arc::new(term), fields });
            }
        }
        // A circle is no harm here, since each group is read once; it is an error so that nobody relies on it.
        if let Some(circle) = self.circles(std::iter::once(name), 1).first() {
            return Err(broken(name, &circle_message(circle)));
        }
        if leaves.is_empty() {
            Err(broken(name, "it has no terms"))
        } else {
            Ok(Alternatives::new(leaves).named(vec![format!("@{name}").into()]))
        }
    }

    /// Returns a group and all groups in it, also those that do not exist, each once.
    pub fn within<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![name];
        let mut found = Vec::new();
        while let Some(group) = waiting.pop() {
            if seen.insert(group) {
                found.push(group);
                waiting.extend(self.references(group).into_iter().rev());
            }
        }
        found
    }

    /// Returns a group and all groups in it, each once in every way in which it is read: what a group says of its terms
    /// holds for the groups in it that say nothing.
    fn readings<'a>(&'a self, name: &'a str, reading: Reading) -> Vec<(&'a str, Reading)> {
        let mut seen = HashSet::new();
        let mut waiting = vec![(name, reading)];
        let mut found = Vec::new();
        while let Some((group, reading)) = waiting.pop() {
            let reading = self.groups.get(group).map_or(reading, |group| reading.within(group));
            if seen.insert((group, reading)) {
                found.push((group, reading));
                waiting.extend(self.references(group).into_iter().rev().map(|nested| (nested, reading)));
            }
        }
        found
    }

    /// Returns the groups that a group refers to.
    fn references<'a>(&'a self, name: &str) -> Vec<&'a str> {
        self.references.get(name).into_iter().flatten().map(String::as_str).collect()
    }

    /// Returns ways that end where they began, `[a, b, a]`, among the groups that some groups lead to: one for each step
    /// that closes one, and so many at most.
    fn circles<'a>(&'a self, starts: impl Iterator<Item = &'a str>, most: usize) -> Vec<Vec<&'a str>> {
        let mut circles = Vec::new();
        let mut done = BTreeSet::new();
        for start in starts {
            // An explicit stack: a hostile configuration must not overflow that of the thread.
            let mut path = vec![(start, self.references(start))];
            let mut on_path = BTreeSet::from([start]);
            while let Some((group, next)) = path.last_mut() {
                match next.pop().filter(|_| !done.contains(group)) {
                    None => {
                        on_path.remove(group);
                        done.insert(*group);
                        path.pop();
                    }
                    Some(name) if on_path.contains(name) => {
                        let first = path.iter().position(|(group, _)| *group == name).unwrap_or_default();
                        circles.push(path[first..].iter().map(|(group, _)| *group).chain([name]).collect());
                        if circles.len() == most {
                            return circles;
                        }
                    }
                    Some(name) => {
                        path.push((name, self.references(name)));
                        on_path.insert(name);
                    }
                }
            }
        }
        circles
    }

    fn unknown(&self, name: &str) -> TermError {
        let near = nearest_name(name, self.groups.keys().map(String::as_str));
        let message = match near {
            Some(near) => format!("there is no term group `{name}`; did you mean `@{near}`?"),
            None if name.is_empty() => "`@` needs the name of a term group after it; write `@name`".to_owned(),
            None => format!(
                "there is no term group `{name}`; add it to `[terms]`, or leave out the `@` to look for the word `{name}`"
            ),
        };
        TermError { at: Some(0), message, suggestion: near.map(|near| format!("@{near}")) }
    }
}

/// Returns the name in a reference to a group, `@name`.
pub(super) fn reference(item: &str) -> Option<&str> {
    item.trim().strip_prefix('@').map(str::trim)
}

/// Reads a term of a group.
fn member_term(member: &str, reading: Reading) -> Result<Term, TermError> {
    if is_regex(member) {
        let message = "a regular expression stands in `all`, `any`, `none` or `query`, not in a term group; write terms, \
                       with `*` or `?`";
        return Err(TermError { at: Some(0), message: message.to_owned(), suggestion: None });
    }
    Term::parse(member, reading)
}

fn broken(name: &str, why: &str) -> TermError {
    TermError { at: None, message: format!("the term group `{name}` cannot be used: {why}"), suggestion: None }
}

fn circle_message(path: &[&str]) -> String {
    let path: Vec<String> = path.iter().map(|name| format!("`@{name}`")).collect();
    format!("the groups refer to each other in a circle: {}; take one of the references out", path.join(" → "))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::expression::Expression;
    use crate::rules::{Document, Rule, RuleSet, RuleSource};

    fn groups(list: &[(&str, &[&str])]) -> TermGroups {
        let owned = |members: &[&str]| -> Vec<String> { members.iter().map(|member| (*member).to_owned()).collect() };
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
        assert_eq!(nested.check(), []);
        let rule = Rule::new(&source(&["@a"]), &nested).unwrap();
        let Expression::Group(group) = &rule.clauses[0].expression else { panic!("a group") };
        let mut written: Vec<&str> = group.leaves().iter().map(|leaf| &*leaf.term.written).collect();
        written.sort_unstable();
        assert_eq!(written, ["x", "y", "z"]);

        let circle = groups(&[("a", &["@b"]), ("b", &["x", "@a"]), ("out", &["@a"]), ("self", &["@self"])]);
        let errors = circle.check();
        let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "self"]);
        assert!(errors[0].message.contains("circle"), "{}", errors[0].message);
        assert!(Rule::new(&source(&["@out"]), &circle).is_err());
    }

    #[test]
    fn broken_groups_are_told_with_their_place() {
        let groups = groups(&[("empty", &[]), ("bad", &["fine", "—", "*x", "@nowhere"])]);
        let errors = groups.check();
        let places: Vec<_> = errors.iter().map(|error| (error.key.as_str(), error.index)).collect();
        assert_eq!(places, [("bad", Some(1)), ("bad", Some(2)), ("bad", Some(3)), ("empty", None)]);
        assert!(Rule::new(&source(&["@bad"]), &groups).is_err());
        assert!(Rule::new(&source(&["@empty"]), &groups).is_err());
    }

    #[test]
    fn a_group_is_read_once_and_means_what_its_spelled_out_terms_mean() {
        let names: Vec<String> = (0..1000).map(|number| format!("name{number}")).collect();
        let groups = TermGroups::from([("names".to_owned(), names.clone()), ("x".to_owned(), vec!["x".to_owned()])]);
        let expression = |all: &[&str]| Rule::new(&source(all), &groups).unwrap().clauses.remove(0).expression;
        let (Expression::Group(one), Expression::Group(other)) =
            (expression(&["@names", "a"]), expression(&["@names"]))
        else {
            panic!("groups are shared")
        };
        assert!(Arc::ptr_eq(&one, &other));
        let near = |number: usize| {
            let query = Some(format!("(@names) NEAR/5 other{number} AND NOT title:@x"));
            Rule::new(&RuleSource { query, ..RuleSource::default() }, &groups).unwrap()
        };
        let rules: Vec<Rule> = (0..1000).map(near).collect();
        for rule in &rules {
            let Expression::Near(proximity) = &rule.clauses[0].expression else { panic!("terms near each other") };
            assert!(Arc::ptr_eq(&proximity.operands()[0], &one));
        }
        // Also beside other words, and in fewer fields.
        for query in ["(@names OR y) NEAR/5 z", "z NEAR/5 (y OR @names)", "(@names OR y) NEAR/5 title:z"] {
            let read = |number: usize| {
                let query = Some(query.replace('z', &format!("z{number}")));
                Rule::new(&RuleSource { query, ..RuleSource::default() }, &groups).unwrap()
            };
            let large = |rule: &Rule| {
                let mut found = Vec::new();
                rule.clauses[0].expression.leaves(&mut |leaf| match leaf {
                    Expression::Near(near) => {
                        found.extend(near.operands().iter().filter(|o| o.leaves().len() > 9).cloned())
                    }
                    _ => panic!("terms near each other"),
                });
                found
            };
            let rules: Vec<Rule> = (0..2).map(read).collect();
            let (one, other) = (large(&rules[0]), large(&rules[1]));
            assert_eq!((one.len(), other.len()), (1, 1), "{query}");
            assert!(Arc::ptr_eq(&one[0], &other[0]), "{query}");
            for (title, hits) in [("name9 and z0", 1), ("z0 y", 1), ("y name9 z1", 1), ("name9 y", 0), ("z0 z1", 0)] {
                let found = RuleSet::new(&rules).matches(&Document { title, ..Document::default() });
                assert_eq!(found.len(), hits, "{query}: {title}");
            }
        }
        let set = RuleSet::new(&rules);
        let title = "Name7 was seen with other33, and name8; name9 far from other34";
        let found = set.matches(&Document { title, ..Document::default() });
        let told: Vec<&str> = found[0].terms.iter().map(|term| term.term.as_str()).collect();
        assert_eq!((found.len(), found[0].rule, told), (2, 33, vec!["name7", "other33", "name8", "name9"]));
        let version = |source: &RuleSource| Rule::new(source, &groups).unwrap().version;
        let spelled = RuleSource { any: names.clone(), ..source(&[]) };
        let mixed = RuleSource { any: ["@x", "@names"].map(str::to_owned).to_vec(), ..source(&[]) };
        assert_eq!(version(&spelled), version(&source(&["@names"])));
        assert_eq!(
            version(&mixed),
            version(&RuleSource { any: [&["x".to_owned()], &names[..]].concat(), ..source(&[]) })
        );
        assert_ne!(version(&spelled), version(&RuleSource { any: names[1..].to_vec(), ..source(&[]) }));
    }
}
