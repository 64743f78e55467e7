//! `feedwatch match`: which rules match a text, a file, an article's page or a feed, and why the others do not.

use super::{
    Failure,
    args::Match,
    found,
    input::{items, known},
    names::unknown,
    setup::Setup,
    terminal::{BAD, FAINT, GOOD, STRONG, Terminal, harmless, styled},
};
use crate::{
    config::Config,
    core::{
        article::Item,
        digest::counted,
        feed::Feed,
        hit::{Field, TermMatch},
    },
    rules::{
        Document, Rule, RuleMatch, RuleSet,
        explain::{Explanation, explain},
    },
};
use serde_json::json;
use url::Url;

/// The rules that missed a text that are told of, unless one was asked for.
const SHOWN_MISSES: usize = 20;

/// What became of a text.
struct Tried<'i> {
    item: &'i Item,
    /// The rules that match, with the places of their terms.
    hits: Vec<(Explanation, Vec<TermMatch>)>,
    /// The rules that do not match and are told of, the nearest first.
    misses: Vec<Explanation>,
    /// How many more do not match.
    more_misses: usize,
}

/// Tries the rules on what was given.
pub(super) async fn trial(setup: &Setup, args: &Match, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let chosen = chosen(&config, args.why.as_deref())?;
    let items = items(setup, &config, &args.input, *terminal).await?;
    let feed = Url::parse(&args.input).ok().and_then(|url| known(&config, &url));
    // Of a text of no feed `feeds` and `tags` do not count.
    let rule = |rule: &Rule| if feed.is_some() { rule.clone() } else { rule.of_any_feed() };
    let rules: Vec<Rule> = chosen.into_iter().map(rule).collect();
    let set = RuleSet::new(&rules);
    // Of a whole feed only what matches is of interest, unless a rule was asked for.
    let shown_misses = if items.len() == 1 || args.why.is_some() { SHOWN_MISSES } else { 0 };
    let tried: Vec<_> = items.iter().map(|item| tried(&rules, &set, item, feed, shown_misses)).collect();
    if terminal.wants_json() {
        terminal.json(&tried.iter().map(json_of).collect::<Vec<_>>());
        return Ok(());
    }
    for tried in tried.iter().filter(|tried| !(tried.hits.is_empty() && tried.misses.is_empty())) {
        print(tried, args.why.is_some(), *terminal);
    }
    let hits = tried.iter().map(|tried| tried.hits.len()).sum();
    let counts = [counted(items.len(), "text"), counted(rules.len(), "rule")];
    let short = args.why.is_none() && tried.iter().any(|tried| !tried.misses.is_empty());
    let hint = if short { "; --why RULE shows the conditions of one" } else { "" };
    terminal.line(styled(FAINT, format!("{} in {}, {}{hint}", counted(hits, "hit"), counts[0], counts[1])));
    Ok(())
}

/// Tries rules on an item of a configured feed, or on a text of no feed.
fn tried<'i>(rules: &[Rule], set: &RuleSet, item: &'i Item, feed: Option<&Feed>, shown_misses: usize) -> Tried<'i> {
    let (author, category) = (item.authors.join("\n"), item.categories.join("\n"));
    let identity = feed.map(|feed| feed.url.identity());
    let mut document = Document::of_item(item, &author, &category);
    if let (Some(feed), Some(identity)) = (feed, &identity) {
        document.feed = identity;
        document.feed_name = feed.name.as_deref().unwrap_or_default();
        document.tags = &feed.tags;
        document.language = feed.language.as_deref().or(item.language.as_deref());
    }
    let explained = |found: RuleMatch| (explain(&rules[found.rule], &document), found.terms);
    let hits: Vec<_> = set.matches(&document).into_iter().map(explained).collect();
    let nearest = if shown_misses > 0 { set.nearest_misses(&document, shown_misses) } else { Vec::new() };
    let misses: Vec<_> = nearest.into_iter().map(|rule| explain(&rules[rule], &document)).collect();
    let more_misses = rules.len() - hits.len() - misses.len();
    Tried { item, hits, misses, more_misses }
}

fn json_of(tried: &Tried<'_>) -> serde_json::Value {
    let Tried { item, hits, misses, more_misses } = tried;
    let rules: Vec<_> = hits.iter().map(|(explanation, _)| explanation).chain(misses).collect();
    json!({"title": item.title, "link": item.link, "rules": rules, "more_misses": more_misses})
}

fn print(tried: &Tried<'_>, whole: bool, terminal: Terminal<'_>) {
    let Tried { item, hits, misses, more_misses } = tried;
    let title = if item.title.is_empty() { "(no title)" } else { &item.title };
    terminal.line(styled(STRONG, harmless(title)));
    for (explanation, terms) in hits {
        print_explanation(explanation, true, terminal);
        for (field, name, text) in [
            (Field::Title, "title", &item.title),
            (Field::Summary, "summary", &item.summary),
            (Field::Content, "content", &item.content),
            (Field::Author, "author", &item.authors.join("\n")),
            (Field::Category, "category", &item.categories.join("\n")),
        ] {
            if terms.iter().any(|term| term.field == field) {
                let excerpt = found::excerpt(text, terms, field);
                terminal.line(format!("       {} {excerpt}", styled(FAINT, format!("{name}:"))));
            }
        }
    }
    for explanation in misses {
        print_explanation(explanation, whole, terminal);
    }
    if *more_misses > 0 && !whole {
        let rules = if *more_misses == 1 { "rule does" } else { "rules do" };
        terminal.line(styled(FAINT, format!("       {more_misses} more {rules} not match")));
    }
    terminal.line("");
}

fn print_explanation(explanation: &Explanation, whole: bool, terminal: Terminal<'_>) {
    let verdict = if explanation.hit { styled(GOOD, "hit ") } else { styled(BAD, "miss") };
    let text = explanation.to_string();
    let mut lines = text.lines();
    terminal.line(format!("  {verdict} {}", harmless(lines.next().unwrap_or_default())));
    for line in lines.filter(|_| whole) {
        terminal.line(format!("       {}", harmless(line)));
    }
}

fn chosen<'a>(config: &'a Config, why: Option<&str>) -> Result<Vec<&'a Rule>, Failure> {
    let rules = config.rules.iter().map(|rule| &rule.rule);
    let chosen: Vec<_> = rules.clone().filter(|rule| why.is_none_or(|name| rule.name.as_str() == name)).collect();
    match why {
        Some(name) if chosen.is_empty() => Err(unknown("rule", name, rules.map(|rule| rule.name.as_str()))),
        _ if chosen.is_empty() => Err(Failure::Usage("the configuration has no [[rule]] to try".to_owned())),
        _ => Ok(chosen),
    }
}
