//! `[[rule]]`.

use super::super::{
    WatchRule,
    problem::{Complaint, Report, nearest},
    section::{Section, Text, one_of},
    source::Place,
    values,
};
use super::{digest::PlacedDigest, feed::PlacedFeed, forms::WordForms, lint, terms::PlacedGroups};
use crate::{
    core::{
        feed::{Feed, FeedUrl},
        hit::{DigestName, Field},
    },
    rules::{Case, Document, MAX_WITHIN, NearSource, Rule, RuleError, RuleSet, RuleSource, lint::name, query_groups},
};
use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

pub(in super::super) const KEYS: [&str; 17] = [
    "name",
    "all",
    "any",
    "near",
    "none",
    "query",
    "in",
    "feeds",
    "tags",
    "case",
    "forms",
    "language",
    "digests",
    "backfill",
    "must_match",
    "must_not_match",
    "allow",
];

const NEAR_KEYS: [&str; 3] = ["terms", "within", "ordered"];

const NEAR_EXAMPLE: &str = "near = { terms = [\"missile*\", \"DPRK\"], within = 10 }";

/// Least and most time that a rule can be run back over what is stored.
const BACKFILL: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(36_500 * 86_400);

const FIELDS: [(&str, Field); 5] = [
    ("title", Field::Title),
    ("summary", Field::Summary),
    ("content", Field::Content),
    ("author", Field::Author),
    ("category", Field::Category),
];

const CASES: [(&str, Case); 3] = [("acronyms", Case::Acronyms), ("ignore", Case::Ignore), ("match", Case::Match)];

/// A checked rule, where it stands, and what it refers to.
pub(in super::super) struct PlacedRule {
    pub(in super::super) rule: WatchRule,
    pub(super) source: RuleSource,
    /// Of its name.
    pub(super) place: Place,
    /// The items of its lists, by key.
    pub(super) lists: Vec<(&'static str, Vec<Text>)>,
    pub(super) query: Option<Text>,
    /// The names of the warnings that it is kept in spite of.
    pub(super) allow: Vec<&'static str>,
}

/// What rules refer to.
pub(in super::super) struct Known<'k> {
    pub(in super::super) groups: &'k PlacedGroups,
    pub(in super::super) feeds: &'k [PlacedFeed],
    pub(in super::super) digests: &'k [PlacedDigest],
    /// Whether that is all: false where a file could not be read, and then no reference is called unknown.
    pub(in super::super) complete: bool,
}

/// Reads the rules of all files; the same name twice is an error that names both.
pub(in super::super) fn read_all(
    sections: &[Section<'_>],
    known: &Known<'_>,
    report: &mut Report<'_>,
) -> Vec<PlacedRule> {
    let mut seen: HashMap<String, Place> = HashMap::new();
    let mut rules = Vec::new();
    for section in sections {
        if !section.has("name") {
            section.missing("name", "write `name = \"what this rule watches\"`", report);
        }
        let name = section.parsed("name", report, values::parse_name).unwrap_or_default();
        let place = section.place_of("name");
        if let Some(first) = seen.get(&name).filter(|_| !name.is_empty()) {
            report.error(&place, format!("`{name}` is already a rule at {}", report.location(first)));
        } else {
            seen.insert(name.clone(), place);
        }
        rules.extend(read(section, name, known, report));
    }
    rules
}

fn read(section: &Section<'_>, name: String, known: &Known<'_>, report: &mut Report<'_>) -> Option<PlacedRule> {
    let mut lists: Vec<(&'static str, Vec<Text>)> = ["all", "any", "none", "feeds", "tags"]
        .into_iter()
        .map(|key| (key, section.texts(key, report).unwrap_or_default()))
        .collect();
    let plain = |key: &str| -> Vec<String> {
        let list = lists.iter().find(|(name, _)| *name == key);
        list.map(|(_, texts)| texts.iter().map(|text| text.text.clone()).collect()).unwrap_or_default()
    };
    let query = section.text("query", report);
    let forms = WordForms::read(section, report);
    let (near, near_terms) = near(section, report);
    let near_fails = section.has("near") && near.is_none();
    let source = RuleSource {
        query: query.as_ref().map(|query| query.text.clone()),
        name,
        all: plain("all"),
        any: plain("any"),
        none: plain("none"),
        near: near.unwrap_or_default(),
        fields: fields(section, report),
        feeds: lists[3].1.iter().map(|text| feed_reference(text, known, report)).collect(),
        tags: lists[4].1.iter().map(|text| tag_reference(text, known, report)).collect(),
        case: section.word("case", &CASES, report).unwrap_or_default(),
        forms: forms.forms.unwrap_or_default(),
        language: forms.language,
    };
    lists.push(("near", near_terms));
    let allow = lint::allowed(section, &name::OF_RULES, report);
    let digests = digests(section, known, &allow, report);
    let backfill = section.duration("backfill", BACKFILL, report);
    let must_match = section.texts("must_match", report).unwrap_or_default();
    let must_not_match = section.texts("must_not_match", report).unwrap_or_default();
    let rule = match Rule::new(&source, &known.groups.groups) {
        Ok(rule) => rule,
        Err(errors) => {
            let written = Written { section, query: query.as_ref(), near_fails, lists: &lists };
            written.report(errors, known, report);
            return None;
        }
    };
    forms.warn(section, rule.inflects(), &allow, report);
    run_examples(&source, known, &must_match, &must_not_match, report);
    let texts = |examples: Vec<Text>| examples.into_iter().map(|example| example.text).collect();
    let rule =
        WatchRule { rule, digests, backfill, must_match: texts(must_match), must_not_match: texts(must_not_match) };
    Some(PlacedRule { rule, source, place: section.place_of("name"), lists, query, allow })
}

/// A rule as it is written, to find the places of what is wrong with it.
struct Written<'w> {
    section: &'w Section<'w>,
    query: Option<&'w Text>,
    near_fails: bool,
    lists: &'w [(&'static str, Vec<Text>)],
}

impl Written<'_> {
    fn report(&self, errors: Vec<RuleError>, known: &Known<'_>, report: &mut Report<'_>) {
        let Self { section, query, lists, .. } = *self;
        for error in errors {
            if let Some(query) = query.filter(|_| error.key == "query") {
                if !known.group_may_be_elsewhere(&query.text, &error) {
                    report_in_text(&error, query, report);
                }
                continue;
            }
            if self.is_unread() && error.key == "all" && error.index.is_none() {
                continue;
            }
            let texts = lists.iter().find(|(key, _)| *key == error.key).map_or(&[][..], |(_, texts)| texts);
            let item = error.index.and_then(|index| texts.get(index));
            if item.is_some_and(|item| known.may_be_elsewhere(&item.text)) {
                continue;
            }
            let mut place = section.place_of(&error.key);
            if !section.has(&error.key) && KEYS.contains(&error.key.as_str()) {
                place.key = format!("{}.{}", section.place.key, error.key);
            }
            report_rule_error(&error, &place, texts, report);
        }
    }

    /// Tells whether a part could not be read: then nobody knows whether the rule looks for nothing.
    fn is_unread(&self) -> bool {
        let Self { section, query, near_fails, .. } = *self;
        (query.is_none() && section.has("query"))
            || near_fails
            || !["all", "any"].iter().all(|key| section.is_list_or_absent(key))
            || section.unknown(&KEYS).any(|value| value.is_array() || value.is_str())
    }
}

/// Reads `near`, and all its terms one after the other; none if it is wrong, which has been reported.
fn near(section: &Section<'_>, report: &mut Report<'_>) -> (Option<Vec<NearSource>>, Vec<Text>) {
    let mut read = Vec::new();
    let mut all_terms = Vec::new();
    let tables = section.table_or_tables("near", &NEAR_KEYS, NEAR_EXAMPLE, report);
    let count = tables.len();
    for table in tables {
        for key in ["terms", "within"].into_iter().filter(|key| !table.has(key)) {
            table.missing(key, &format!("write `{NEAR_EXAMPLE}`"), report);
        }
        let terms = table.texts("terms", report);
        let within = table.integer("within", 0..=u64::from(MAX_WITHIN), report);
        let ordered = table.boolean("ordered", report);
        let (Some(terms), Some(within)) = (terms, within.and_then(|within| u32::try_from(within).ok())) else {
            continue;
        };
        let plain = terms.iter().map(|text| text.text.clone()).collect();
        read.push(NearSource { terms: plain, within, ordered: ordered.unwrap_or_default() });
        all_terms.extend(terms);
    }
    ((count > 0 && read.len() == count).then_some(read), all_terms)
}

/// Reports what the rule engine found, at the very term and column where it can be told.
pub(super) fn report_rule_error(error: &RuleError, key: &Place, items: &[Text], report: &mut Report<'_>) {
    match error.index.and_then(|index| items.get(index)) {
        Some(item) => report_in_text(error, item, report),
        None => report_at(error, key, report),
    }
}

/// Reports at the very byte of a string that is wrong.
fn report_in_text(error: &RuleError, text: &Text, report: &mut Report<'_>) {
    report_at(error, &place_in_text(error.at, text, report), report);
}

/// Returns the place of a byte of a string, or of the string.
pub(super) fn place_in_text(at: Option<usize>, text: &Text, report: &Report<'_>) -> Place {
    let mut place = text.place.clone();
    let raw = report.source(&place).text.get(place.start..place.end).unwrap_or("");
    // With escapes in the string, a byte of its text is at no known byte of the file.
    if let (Some(at), Some(offset)) = (at, raw.find(&text.text)) {
        place.start += offset + at.min(text.text.len());
    }
    place
}

fn report_at(error: &RuleError, place: &Place, report: &mut Report<'_>) {
    // The engine's message is whole in itself; ours adds the suggestion when it is shown.
    let ending = error.suggestion.as_ref().map(|suggestion| format!("; did you mean `{suggestion}`?"));
    let message = ending.and_then(|ending| error.message.strip_suffix(&ending)).unwrap_or(&error.message);
    report.error(place, Complaint::suggesting(message, error.suggestion.clone()));
}

fn fields(section: &Section<'_>, report: &mut Report<'_>) -> Vec<Field> {
    let texts = section.texts("in", report);
    if texts.as_ref().is_some_and(Vec::is_empty) {
        report.error(
            &section.place_of("in"),
            "names no field; leave the key out to look into title, summary and content",
        );
    }
    let mut fields = Vec::new();
    for text in texts.unwrap_or_default() {
        match one_of(&text.text, &FIELDS) {
            Ok(field) if fields.contains(&field) => {}
            Ok(field) => fields.push(field),
            Err(complaint) => report.error(&text.place, complaint),
        }
    }
    fields
}

/// Returns the name or the identity of the feed that is meant.
fn feed_reference(text: &Text, known: &Known<'_>, report: &mut Report<'_>) -> String {
    let name = text.text.trim();
    if known.feeds.iter().any(|placed| placed.feed.name.as_deref() == Some(name)) {
        return name.to_owned();
    }
    let source = report.source(&text.place);
    let url = values::parse_feed_url(name, source).ok();
    if let Some(url) = url.as_ref().filter(|url| known.feeds.iter().any(|placed| placed.feed.url == **url)) {
        return url.identity();
    }
    if known.complete {
        let shown = url.filter(|url| matches!(url, FeedUrl::Web(_))).map_or(name.to_owned(), |url| url.to_string());
        let urls: Vec<String> = known.feeds.iter().map(|placed| placed.feed.url.to_string()).collect();
        let names = known.feeds.iter().filter_map(|placed| placed.feed.name.as_deref());
        let near = nearest(&shown, names.chain(urls.iter().map(String::as_str)));
        report.error(&text.place, Complaint::suggesting(format!("there is no feed `{shown}`"), near));
    }
    name.to_owned()
}

fn tag_reference(text: &Text, known: &Known<'_>, report: &mut Report<'_>) -> String {
    let tag = text.text.trim();
    let mut tags = known.feeds.iter().flat_map(|placed| &placed.feed.tags).map(String::as_str);
    if known.complete && !tags.clone().any(|known| known == tag) {
        let message = format!("no feed has the tag `{tag}`");
        report.error(&text.place, Complaint::suggesting(message, nearest(tag, &mut tags)));
    }
    tag.to_owned()
}

fn digests(section: &Section<'_>, known: &Known<'_>, allow: &[&str], report: &mut Report<'_>) -> Vec<DigestName> {
    let names = known.digests.iter().map(|placed| &placed.digest.name);
    let Some(texts) = section.texts("digests", report) else { return names.cloned().collect() };
    if texts.is_empty() && !allow.contains(&name::UNUSED_RULE) {
        let message = "names no digest: the rule's hits are stored and nobody is mailed";
        report.warn(&section.place_of("digests"), Complaint::from(message).named(name::UNUSED_RULE));
    }
    let mut digests: Vec<DigestName> = Vec::new();
    for text in texts {
        let wanted = text.text.trim();
        match names.clone().find(|name| name.as_str() == wanted) {
            Some(name) if digests.contains(name) => {}
            Some(name) => digests.push(name.clone()),
            None if known.complete => {
                let near = nearest(wanted, names.clone().map(DigestName::as_str));
                report.error(&text.place, Complaint::suggesting(format!("there is no digest `{wanted}`"), near));
            }
            None => {}
        }
    }
    digests
}

/// Runs the examples through the rule. They are headlines: where the rule does not look into the title, they stand in
/// the first field that it looks into; what it says of feeds, languages and URLs does not count.
fn run_examples(
    source: &RuleSource,
    known: &Known<'_>,
    must_match: &[Text],
    must_not_match: &[Text],
    report: &mut Report<'_>,
) {
    if must_match.is_empty() && must_not_match.is_empty() {
        return;
    }
    let Ok(rule) = Rule::new(source, &known.groups.groups).map(|rule| rule.of_any_origin()) else { return };
    let set = RuleSet::new(std::slice::from_ref(&rule));
    let terms_in = |example: &str| {
        let found = set.matches(&example_document(example, &source.fields)).into_iter().next()?;
        Some(found.terms.into_iter().map(|term| format!("`{}`", term.term)).collect::<Vec<_>>())
    };
    for example in must_match.iter().filter(|example| terms_in(&example.text).is_none()) {
        report.error(&example.place, format!("the rule does not match its example \"{}\"", example.text));
    }
    for example in must_not_match {
        let Some(mut terms) = terms_in(&example.text) else { continue };
        terms.dedup();
        let by = if terms.is_empty() { String::new() } else { format!(", by {}", terms.join(", ")) };
        report.error(&example.place, format!("the rule matches \"{}\", which it must not{by}", example.text));
    }
}

fn example_document<'a>(example: &'a str, fields: &[Field]) -> Document<'a> {
    let mut document = Document::default();
    let field = if fields.is_empty() || fields.contains(&Field::Title) { Field::Title } else { fields[0] };
    *match field {
        Field::Title => &mut document.title,
        Field::Summary => &mut document.summary,
        Field::Content => &mut document.content,
        Field::Author => &mut document.author,
        Field::Category => &mut document.category,
    } = example;
    document
}

/// Returns the name of the term group that a term stands for.
fn reference(term: &str) -> Option<&str> {
    term.trim().strip_prefix('@').map(str::trim)
}

impl Known<'_> {
    /// Tells whether a term refers to a group that could not be read, so that it says nothing about the term.
    fn may_be_elsewhere(&self, term: &str) -> bool {
        reference(term).is_some_and(|name| self.is_elsewhere(name))
    }

    /// The same for an error at a group that a query names.
    fn group_may_be_elsewhere(&self, query: &str, error: &RuleError) -> bool {
        query_groups(query).into_iter().any(|(at, name)| Some(at) == error.at && self.is_elsewhere(name))
    }

    fn is_elsewhere(&self, name: &str) -> bool {
        self.groups.unreadable.contains(name) || (!self.complete && !self.groups.groups.contains(name))
    }
}

impl PlacedRule {
    /// Returns the term groups that it names.
    pub(super) fn groups(&self) -> Vec<&str> {
        let RuleSource { all, any, none, near, query, .. } = &self.source;
        let near = near.iter().flat_map(|near| &near.terms);
        let lists = all.iter().chain(any).chain(none).chain(near).filter_map(|term| reference(term));
        let query = query.as_deref().into_iter().flat_map(query_groups);
        lists.chain(query.map(|(_, name)| name)).collect()
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope { feeds: &self.source.feeds, tags: &self.source.tags }
    }
}

/// The feeds and tags that a rule is restricted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scope<'r> {
    feeds: &'r [String],
    tags: &'r [String],
}

impl Scope<'_> {
    pub(super) fn has(&self, feed: &Feed) -> bool {
        let identity = if self.feeds.is_empty() { String::new() } else { feed.url.identity() };
        let named = |wanted: &String| feed.name.as_ref() == Some(wanted) || identity == *wanted;
        (self.feeds.is_empty() || self.feeds.iter().any(named))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| feed.tags.contains(tag)))
    }
}
