//! What `feedwatch match` is given: a text, or a file or a page with one, or a feed.

use super::{Failure, setup::Setup, terminal::Terminal};
use crate::{
    clock,
    config::Config,
    core::{
        article::Item,
        feed::{Feed, FeedState, FeedUrl},
    },
    fetch::Fetched,
    parse::{
        self, ParseError, ParseLimits,
        page::{self, PageLimits},
    },
    rules::plain,
};
use anyhow::Context;
use std::{fs::File, io::Read, path::Path};
use url::Url;

/// Mebibytes that are read from standard input or a file at most.
const MOST_MIB: u64 = 16;

/// Returns the texts that the input stands for: a feed's items, or one text.
pub(super) async fn items(
    setup: &Setup,
    config: &Config,
    input: &str,
    terminal: Terminal<'_>,
) -> Result<Vec<Item>, Failure> {
    if input == "-" {
        return read(&whole(std::io::stdin(), "standard input")?, None, "standard input");
    }
    if let Some(url) = Url::parse(input).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
        return fetch(setup, config, url).await;
    }
    let path = Path::new(input);
    if path.is_dir() {
        return Err(Failure::Usage(format!("{input} is a directory; name a file in it")));
    }
    // A pipe is no regular file and can be read all the same.
    if path.exists() {
        let file = File::open(path).with_context(|| format!("{input} could not be opened"))?;
        return read(&whole(file, input)?, None, input);
    }
    let is_one_word = !input.contains(char::is_whitespace);
    if is_one_word && input.contains('/') {
        let short: String = input.chars().take(200).collect();
        let address = match input.split_once("://") {
            Some(("http" | "https", _)) => "it is no complete address either",
            Some(_) => "only http:// and https:// are fetched",
            None => "an address starts with https://",
        };
        return Err(Failure::Usage(format!(
            "there is no file {short}; {address}, and a text with a space in it is matched as a text"
        )));
    }
    let title = plain::clean(input);
    if title.is_empty() {
        return Err(Failure::Usage("there is no text to match".to_owned()));
    }
    if is_one_word
        && Path::new(input).extension().is_some_and(|extension| FILES.iter().any(|known| extension == *known))
    {
        terminal.remark(format!("there is no file {title}: this is matched as a text"));
    }
    Ok(vec![Item { title, ..Item::default() }])
}

/// Endings by which a name is told to be that of a file.
const FILES: [&str; 9] = ["atom", "eml", "htm", "html", "json", "md", "rss", "txt", "xml"];

/// Returns the configured feed with this URL.
pub(super) fn known<'a>(config: &'a Config, url: &Url) -> Option<&'a Feed> {
    config.feeds.iter().find(|feed| matches!(&feed.url, FeedUrl::Web(known) if known == url))
}

/// Reads all that there is, for half a text would be matched wrongly.
fn whole(source: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source.take((MOST_MIB << 20) + 1).read_to_end(&mut bytes).with_context(|| format!("{name} could not be read"))?;
    if bytes.len() as u64 > MOST_MIB << 20 {
        return Err(Failure::Usage(format!(
            "{name} is larger than {MOST_MIB} MiB; no article is, so match a part of it"
        )));
    }
    Ok(bytes)
}

async fn fetch(setup: &Setup, config: &Config, url: Url) -> Result<Vec<Item>, Failure> {
    let base = url.to_string();
    let feed = known(config, &url).cloned().unwrap_or_else(|| Feed::new(FeedUrl::Web(url)));
    let fetched = setup.fetcher(config)?.fetch(&feed, &FeedState::default(), clock::now()).await;
    match fetched.map_err(|failure| anyhow::anyhow!(failure.message))? {
        Fetched::Document { body, content_type, final_url, .. } => read(&body, content_type.as_deref(), &final_url),
        Fetched::NotModified(_) | Fetched::Unchanged(_) => {
            Err(anyhow::anyhow!("{base} answered that nothing changed, though nothing was known of it").into())
        }
    }
}

/// Reads a feed, else the article of a page, else plain text.
fn read(bytes: &[u8], content_type: Option<&str>, from: &str) -> Result<Vec<Item>, Failure> {
    let no_text = |why: &str| Err(Failure::Usage(format!("{from} {why}")));
    let error = match parse::parse(bytes, content_type, from, &ParseLimits::default(), clock::now()) {
        Ok(parsed) if parsed.items.is_empty() => return no_text("is a feed without items: there is no text to match"),
        Ok(parsed) => return Ok(parsed.items),
        Err(ParseError::Empty) => return no_text("is empty: there is no text to match"),
        Err(error) => error,
    };
    let Some(text) = parse::text(bytes, content_type) else {
        return no_text("holds no text but binary data, such as an image or a PDF; match the text that is in it");
    };
    // What is meant as a feed is not matched as a text.
    if ["<?xml", "<rss", "<feed", "<rdf"].iter().any(|start| text.trim_start().starts_with(start))
        && !matches!(error, ParseError::WebPage | ParseError::NotAFeed { .. })
    {
        return Err(anyhow::anyhow!("{from} {error}").into());
    }
    if page::is_page(bytes, content_type)
        && let Ok(article) = page::read(bytes, content_type, from, &PageLimits::default())
    {
        let link = Url::parse(from).ok().map(String::from);
        return Ok(vec![Item { title: article.title, content: article.text, link, ..Item::default() }]);
    }
    let text = if text.contains('<') { plain::plain_text(&text) } else { plain::clean(&text) };
    if text.is_empty() {
        return no_text("holds nothing that a reader sees: there is no text to match");
    }
    let (title, content) = text.split_once('\n').unwrap_or((&text, ""));
    Ok(vec![Item { title: title.to_owned(), content: content.to_owned(), ..Item::default() }])
}
