//! What docs/rules.md says of rules is what they do: each of its examples is run.
//!
//! An example is a block fenced as `rule`: keys of a `[[rule]]` (and `[terms]`, if need be) in TOML, then lines that start
//! with `hits:` or `misses:` and give an article, or with `error:` and give a part of the message. An article is a title,
//! or texts after the names of their fields in brackets, and after `[url]`, `[lang]`, `[feed]` and `[tag]` what these are;
//! ` ¶ ` is the end of a paragraph.

use feedwatch::{
    core::hit::Field,
    rules::{Case, Document, Forms, Language, NearSource, Rule, RuleSet, RuleSource, TermGroup, TermGroups},
};
use std::{fs, path::Path};

const FIELDS: [(&str, Field); 5] = [
    ("title", Field::Title),
    ("summary", Field::Summary),
    ("content", Field::Content),
    ("author", Field::Author),
    ("category", Field::Category),
];

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

struct Example {
    source: RuleSource,
    groups: TermGroups,
    /// What is claimed, and of what.
    claims: Vec<(String, String)>,
}

fn examples(text: &str) -> Vec<Example> {
    let blocks = text.split("\n```rule\n").skip(1);
    blocks.map(|rest| example(rest.split_once("\n```").expect("the fence closes").0)).collect()
}

fn example(block: &str) -> Example {
    let claim = |line: &str| {
        let (verb, of) = line.split_once(": ")?;
        ["hits", "misses", "error"].contains(&verb).then(|| (verb.to_owned(), of.to_owned()))
    };
    let (claims, rule): (Vec<_>, Vec<_>) = block.lines().partition(|line| claim(line).is_some());
    let table: toml::Table = rule.join("\n").parse().unwrap_or_else(|error| panic!("{block}: {error}"));
    let strings = |value: &toml::Value| -> Vec<String> {
        let items = value.as_array().unwrap_or_else(|| panic!("{block}: {value} is no list"));
        items.iter().map(|item| item.as_str().expect("a list of strings").to_owned()).collect()
    };
    let mut source = RuleSource { name: "example".to_owned(), ..RuleSource::default() };
    let mut groups = TermGroups::new();
    for (key, value) in &table {
        match key.as_str() {
            "all" => source.all = strings(value),
            "any" => source.any = strings(value),
            "none" => source.none = strings(value),
            "near" => {
                let tables = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                source.near = tables.iter().map(near).collect();
            }
            "query" => source.query = Some(value.as_str().expect("a string").to_owned()),
            "in" => source.fields = strings(value).iter().map(|name| field(name)).collect(),
            "case" => {
                source.case = match value.as_str() {
                    Some("acronyms") => Case::Acronyms,
                    Some("ignore") => Case::Ignore,
                    Some("match") => Case::Match,
                    _ => panic!("{block}: {value}"),
                };
            }
            "forms" => source.forms = forms(value),
            "language" => source.language = Some(language(value)),
            "terms" => {
                let table = value.as_table().expect("a table");
                groups = table.iter().map(|(name, terms)| (name.clone(), group(terms))).collect();
            }
            other => panic!("{block}: there is no key {other}"),
        }
    }
    Example { source, groups, claims: claims.into_iter().filter_map(claim).collect() }
}

fn group(value: &toml::Value) -> TermGroup {
    let terms = |value: &toml::Value| -> Vec<String> {
        let terms = value.as_array().expect("a list").iter();
        terms.map(|term| term.as_str().expect("a term").to_owned()).collect()
    };
    match value.as_table() {
        None => terms(value).into(),
        Some(table) => TermGroup {
            terms: terms(&table["terms"]),
            forms: table.get("forms").map(forms),
            language: table.get("language").map(language),
        },
    }
}

fn forms(value: &toml::Value) -> Forms {
    match value.as_str() {
        Some("exact") => Forms::Exact,
        Some("inflected") => Forms::Inflected,
        _ => panic!("there are no forms {value}"),
    }
}

fn language(value: &toml::Value) -> Language {
    value.as_str().and_then(Language::of_tag).unwrap_or_else(|| panic!("there is no language {value}"))
}

fn near(table: &toml::Value) -> NearSource {
    let terms = table["terms"].as_array().expect("a list").iter().map(|term| term.as_str().expect("a term").to_owned());
    let within = table["within"].as_integer().and_then(|within| within.try_into().ok()).expect("a number");
    let ordered = table.get("ordered").and_then(toml::Value::as_bool).unwrap_or_default();
    NearSource { terms: terms.collect(), within, ordered }
}

fn field(name: &str) -> Field {
    FIELDS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("there is no field {name}")).1
}

fn hits(rule: &Rule, article: &str) -> bool {
    let article = article.replace(" ¶ ", "\n");
    let mut document = Document::default();
    let mut tags = Vec::new();
    let titled = if article.starts_with('[') { article.clone() } else { format!("[title]{article}") };
    for part in titled.split('[').skip(1) {
        let (name, text) = part.split_once(']').expect("a bracket closes");
        let text = text.trim();
        match name {
            "url" => document.url = text,
            "lang" => document.language = Some(text),
            "feed" if text.contains("://") => document.feed = text,
            "feed" => document.feed_name = text,
            "tag" => tags.push(text.to_owned()),
            _ => {}
        }
        if ["url", "lang", "feed", "tag"].contains(&name) {
            continue;
        }
        *match field(name) {
            Field::Title => &mut document.title,
            Field::Summary => &mut document.summary,
            Field::Content => &mut document.content,
            Field::Author => &mut document.author,
            Field::Category => &mut document.category,
        } = text;
    }
    document.tags = &tags;
    !RuleSet::new(std::slice::from_ref(rule)).matches(&document).is_empty()
}

#[test]
fn every_example_does_what_is_said() {
    let examples = examples(&reference());
    assert!(examples.len() >= 40, "only {} examples", examples.len());
    let mut wrong = Vec::new();
    for Example { source, groups, claims } in examples {
        assert!(!claims.is_empty(), "{source:?} claims nothing");
        let rule = Rule::new(&source, &groups);
        for (verb, of) in claims {
            let right = match (&rule, verb.as_str()) {
                (Ok(rule), "hits") => hits(rule, &of),
                (Ok(rule), "misses") => !hits(rule, &of),
                (Err(errors), "error") => errors.iter().any(|error| error.message.contains(&of)),
                _ => false,
            };
            if !right {
                wrong.push(format!("{source:?}: {verb}: {of}\n{rule:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each operator, field and key of the language has an example.
#[test]
fn no_part_of_the_language_lacks_an_example() {
    let text = reference();
    let blocks: Vec<&str> =
        text.split("\n```rule\n").skip(1).map(|rest| rest.split_once("\n```").expect("the fence closes").0).collect();
    for part in [
        "all = ",
        "any = ",
        "none = ",
        "near = ",
        "within = ",
        "ordered = ",
        "in = ",
        "case = ",
        "forms = ",
        "language = ",
        "query = ",
        "[terms]",
        " AND ",
        " OR ",
        "NOT ",
        " NEAR/",
        " ONEAR/",
        "~",
        "*",
        "@",
        "“",
        "\"@",
        "at_least(",
        "'=",
        "title:",
        "summary:",
        "content:",
        "body:",
        "author:",
        "category:",
        "feed:",
        "tag:",
        "lang:",
        "url:",
        "?",
        "/i",
        "[\"/",
        "'/",
    ] {
        assert!(blocks.iter().any(|block| block.contains(part)), "no example of `{part}`");
    }
}

/// What is written elsewhere is refused, and what there is here instead can be read.
#[test]
fn habits_of_other_tools_are_refused_and_what_to_write_is_read() {
    let text = reference();
    let (_, table) = text.split_once("| elsewhere | here |\n|---|---|\n").expect("a table of habits");
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 12, "only {} habits", rows.len());
    let read = |query: &str| {
        let source = RuleSource { name: "habit".to_owned(), query: Some(query.to_owned()), ..RuleSource::default() };
        Rule::new(&source, &TermGroups::new())
    };
    for row in rows {
        // `\|` is a sign within a cell.
        let row = row.replace("\\|", "\0");
        let [_, elsewhere, here, _] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        for (cell, is_read) in [(elsewhere, false), (here, true)] {
            let queries: Vec<_> = cell.split('`').skip(1).step_by(2).map(|query| query.replace('\0', "|")).collect();
            assert!(!queries.is_empty(), "{row}");
            for query in queries {
                let outcome = read(&query);
                assert_eq!(outcome.is_ok(), is_read, "{query}: {outcome:?}");
                assert!(outcome.is_ok() || outcome.is_err_and(|errors| errors.len() == 1), "{query}");
            }
        }
    }
}
