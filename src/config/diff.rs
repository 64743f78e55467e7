//! What a reload changes.

use super::Config;
use crate::core::feed::Feed;
use std::{collections::HashMap, fmt};

/// Names that are listed before they are counted.
const LISTED_MAX: usize = 3;

/// What is different between two configurations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Feeds, by their URLs without credentials.
    pub feeds: Changed,
    /// Rules, by name.
    pub rules: Changed,
    /// Digests, by name.
    pub digests: Changed,
    /// Whether `[store]` is different; a new path takes effect at the next start.
    pub store: bool,
    /// Whether `[polling]` is different.
    pub polling: bool,
    /// Whether `[mail]` is different.
    pub mail: bool,
}

/// The names that came, went and stayed with a different meaning, each in the order of its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// In the new one only.
    pub added: Vec<String>,
    /// In the old one only.
    pub removed: Vec<String>,
    /// In both, and different.
    pub changed: Vec<String>,
}

/// Compares two configurations.
pub fn diff(old: &Config, new: &Config) -> Changes {
    Changes {
        feeds: compare(&old.feeds, &new.feeds, |feed| feed.url.identity(), |feed| feed.url.to_string(), same_feed),
        rules: compare(
            &old.rules,
            &new.rules,
            |watch| watch.rule.name.to_string(),
            |watch| watch.rule.name.to_string(),
            |old, new| old.rule.version == new.rule.version && old.digests == new.digests,
        ),
        digests: compare(
            &old.digests,
            &new.digests,
            |digest| digest.name.to_string(),
            |digest| digest.name.to_string(),
            |old, new| old == new,
        ),
        store: old.store != new.store,
        polling: old.polling != new.polling,
        mail: old.mail != new.mail,
    }
}

/// Tells whether two feeds are the same but for where in the files they stand.
fn same_feed(old: &Feed, new: &Feed) -> bool {
    Feed { origin: None, ..old.clone() } == Feed { origin: None, ..new.clone() }
}

fn compare<T>(
    old: &[T],
    new: &[T],
    identity: impl Fn(&T) -> String,
    shown: impl Fn(&T) -> String,
    same: impl Fn(&T, &T) -> bool,
) -> Changed {
    let before: HashMap<String, &T> = old.iter().map(|item| (identity(item), item)).collect();
    let after: HashMap<String, &T> = new.iter().map(|item| (identity(item), item)).collect();
    let mut found = Changed::default();
    for item in new {
        match before.get(&identity(item)) {
            None => found.added.push(shown(item)),
            Some(previous) if !same(previous, item) => found.changed.push(shown(item)),
            Some(_) => {}
        }
    }
    found.removed = old.iter().filter(|item| !after.contains_key(&identity(item))).map(shown).collect();
    found
}

impl Changes {
    /// Tells whether nothing is different.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Changes {
    /// Writes one line for the log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (kind, changed) in [("feed", &self.feeds), ("rule", &self.rules), ("digest", &self.digests)] {
            for (verb, names) in
                [("added", &changed.added), ("removed", &changed.removed), ("changed", &changed.changed)]
            {
                parts.extend(part(kind, verb, names));
            }
        }
        let sections = [("store", self.store), ("polling", self.polling), ("mail", self.mail)];
        parts.extend(sections.iter().filter(|(_, changed)| *changed).map(|(name, _)| format!("[{name}] changed")));
        if parts.is_empty() { out.write_str("nothing changed") } else { out.write_str(&parts.join(", ")) }
    }
}

/// Names rules and digests as long as they are few; feeds, whose names are long, are counted.
fn part(kind: &str, verb: &str, names: &[String]) -> Option<String> {
    let plural = if names.len() == 1 { "" } else { "s" };
    match names.len() {
        0 => None,
        count if kind == "feed" || count > LISTED_MAX => Some(format!("{count} {kind}{plural} {verb}")),
        _ => {
            let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            Some(format!("{kind}{plural} {} {verb}", listed.join(", ")))
        }
    }
}
