//! `feedwatch match`: which rules match a text, a file, an article's page or a feed, and why the others do not.

use super::{
    Failure,
    args::Match,
    setup::{self, Setup},
    terminal::{BAD, FAINT, GOOD, STRONG, Terminal, harmless, styled},
};
use crate::{
    clock,
    config::Config,
    core::{
        article::Item,
        digest::counted,
        feed::{Feed, FeedState, FeedUrl},
    },
    fetch::Fetched,
    parse::{
        self, ParseLimits,
        page::{self, PageLimits},
    },
    rules::{
        Document, Rule,
        explain::{Explanation, explain},
        plain,
    },
};
use anyhow::Context;
use serde_json::json;
use std::{io::Read, path::Path};
use url::Url;

/// Bytes that are read from standard input or a file at most.
const INPUT: u64 = 16 << 20;

/// Tries the rules on what was given.
pub(super) async fn trial(setup: &Setup, args: &Match, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let rules = chosen(&config, args.why.as_deref())?;
    let items = items(&config, &args.input).await?;
    let feed = Url::parse(&args.input).ok().and_then(|url| known(&config, &url));
    let explained: Vec<_> = items
        .iter()
        .map(|item| (item, rules.iter().map(|rule| explained(rule, item, feed)).collect::<Vec<_>>()))
        .collect();
    if terminal.wants_json() {
        let rows =
            explained.iter().map(|(item, rules)| json!({"title": item.title, "link": item.link, "rules": rules}));
        terminal.json(&rows.collect::<Vec<_>>());
        return Ok(());
    }
    let single = items.len() == 1;
    let mut hits = 0;
    for (item, explanations) in &explained {
        hits += explanations.iter().filter(|explanation| explanation.hit).count();
        // Of a whole feed only what matches is of interest, unless a rule was asked for.
        let shown = explanations.iter().filter(|explanation| explanation.hit || single || args.why.is_some());
        let shown: Vec<_> = shown.collect();
        if !shown.is_empty() {
            print(item, &shown, *terminal);
        }
    }
    let summary =
        format!("{} in {}, {}", counted(hits, "hit"), counted(items.len(), "text"), counted(rules.len(), "rule"));
    terminal.line(styled(FAINT, summary));
    Ok(())
}

fn chosen<'a>(config: &'a Config, why: Option<&str>) -> Result<Vec<&'a Rule>, Failure> {
    let rules = config.rules.iter().map(|rule| &rule.rule);
    let chosen: Vec<_> = rules.filter(|rule| why.is_none_or(|name| rule.name.as_str() == name)).collect();
    if let (Some(name), true) = (why, chosen.is_empty()) {
        let names = config.rules.iter().map(|rule| rule.rule.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("no rule is called `{name}`; there are: {names}")));
    }
    Ok(chosen)
}

/// Explains a rule on an item of a configured feed, or on a text of no feed, for which `feeds` and `tags` do not count.
fn explained(rule: &Rule, item: &Item, feed: Option<&Feed>) -> Explanation {
    let (author, category) = (item.authors.join("\n"), item.categories.join("\n"));
    let document = Document::of_item(item, &author, &category);
    let Some(feed) = feed else { return explain(&rule.of_any_feed(), &document) };
    let feed_name = feed.name.as_deref().unwrap_or_default();
    let language = feed.language.as_deref().or(item.language.as_deref());
    explain(rule, &Document { feed: &feed.url.identity(), feed_name, tags: &feed.tags, language, ..document })
}

fn print(item: &Item, explanations: &[&Explanation], terminal: Terminal<'_>) {
    let title = if item.title.is_empty() { "(no title)" } else { &item.title };
    terminal.line(styled(STRONG, harmless(title)));
    for explanation in explanations {
        let verdict = if explanation.hit { styled(GOOD, "hit ") } else { styled(BAD, "miss") };
        let text = explanation.to_string();
        let mut lines = text.lines();
        terminal.line(format!("  {verdict} {}", harmless(lines.next().unwrap_or_default())));
        for line in lines {
            terminal.line(format!("       {}", harmless(line)));
        }
    }
    terminal.line("");
}

/// Returns the texts that the input stands for: a feed's items, or one text.
async fn items(config: &Config, input: &str) -> Result<Vec<Item>, Failure> {
    if input == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().take(INPUT).read_to_end(&mut bytes)?;
        return Ok(read(&bytes, None, "standard input"));
    }
    if let Some(url) = Url::parse(input).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
        return fetch(config, url).await;
    }
    let path = Path::new(input);
    if path.is_file() {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).with_context(|| format!("{input} could not be opened"))?;
        file.take(INPUT).read_to_end(&mut bytes).with_context(|| format!("{input} could not be read"))?;
        return Ok(read(&bytes, None, input));
    }
    if path.is_dir() || (input.contains('/') && !input.contains(char::is_whitespace)) {
        return Err(Failure::Usage(format!(
            "there is no file {input}; a text with a space in it is matched as a text"
        )));
    }
    if plain::clean(input).is_empty() {
        return Err(Failure::Usage("there is no text to match".to_owned()));
    }
    Ok(vec![Item { title: plain::clean(input), ..Item::default() }])
}

fn known<'a>(config: &'a Config, url: &Url) -> Option<&'a Feed> {
    config.feeds.iter().find(|feed| matches!(&feed.url, FeedUrl::Web(known) if known == url))
}

async fn fetch(config: &Config, url: Url) -> Result<Vec<Item>, Failure> {
    let base = url.to_string();
    let feed = known(config, &url).cloned().unwrap_or_else(|| Feed::new(FeedUrl::Web(url)));
    let fetched = setup::fetcher(config)?.fetch(&feed, &FeedState::default(), clock::now()).await;
    match fetched.map_err(|failure| anyhow::anyhow!(failure.message))? {
        Fetched::Document { body, content_type, final_url, .. } => Ok(read(&body, content_type.as_deref(), &final_url)),
        Fetched::NotModified(_) | Fetched::Unchanged(_) => {
            Err(anyhow::anyhow!("{base} answered that nothing changed, though nothing was known of it").into())
        }
    }
}

/// Reads a feed, else the article of a page, else plain text.
fn read(bytes: &[u8], content_type: Option<&str>, base: &str) -> Vec<Item> {
    if let Ok(parsed) = parse::parse(bytes, content_type, base, &ParseLimits::default(), clock::now()) {
        return parsed.items;
    }
    if page::is_page(bytes, content_type)
        && let Ok(article) = page::read(bytes, content_type, base, &PageLimits::default())
    {
        let link = Url::parse(base).ok().map(String::from);
        return vec![Item { title: article.title, content: article.text, link, ..Item::default() }];
    }
    let text = String::from_utf8_lossy(bytes);
    let text = if text.contains('<') { plain::plain_text(&text) } else { plain::clean(&text) };
    let (title, content) = text.split_once('\n').unwrap_or((&text, ""));
    vec![Item { title: title.to_owned(), content: content.to_owned(), ..Item::default() }]
}
