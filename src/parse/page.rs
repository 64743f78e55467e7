//! Reads web pages: finds the article in one, as plain text.
//!
//! The extractor (a port of Readability.js) works on a tree, and trees of hostile markup cost quadratic time, or more
//! stack than a thread has. So `rewrite` walks the page once, in linear time, and writes it anew in a small, well-nested
//! dialect of bounded depth and size; the extractor sees nothing else, behind a panic barrier.

mod rewrite;

use super::{decode, thousands};
use crate::rules::plain;
use dom_smoothie::{Config, Readability, ReadabilityError};
use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
};
use url::Url;

/// Limits of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// Levels of nested elements; tags below are dropped, their text is kept.
    pub depth: usize,
    /// Elements that make up the page, those in the line (`<b>`) left out; more are an error.
    pub elements: usize,
    /// Bytes of the text; what is longer is cut.
    pub text_bytes: usize,
    /// Characters of the title; what is longer is cut.
    pub title_chars: usize,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { depth: 64, elements: 20_000, text_bytes: 65_536, title_chars: 512 }
    }
}

/// The article of a page, as plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageArticle {
    /// Headline: the page's title, without the name of the site where it can be told.
    pub title: String,
    /// Text, with line feeds between its blocks.
    pub text: String,
}

/// Why a page gives no article.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is something else.
    #[error("is not a web page but {found}")]
    NotHtml {
        /// What it says that it is.
        found: String,
    },
    /// It has too many elements.
    #[error("has over {} elements, which no article has", thousands(*limit))]
    TooManyElements {
        /// The limit.
        limit: usize,
    },
    /// No part of it reads like an article.
    #[error("has no text that reads like an article; it may need scripts, a login or consent")]
    NoArticle,
    /// The extractor failed in a way that it should not.
    #[error("made the extractor fail (a defect of the extractor, set off by something unusual in this page)")]
    ExtractorFailed,
}

/// Tells whether a document is a web page: its `Content-Type` says so, or, where there is none, its beginning.
pub fn is_page(body: &[u8], content_type: Option<&str>) -> bool {
    match content_type.map(media_type).filter(|media_type| !media_type.is_empty()) {
        Some(media_type) => ["text/html", "application/xhtml+xml"].contains(&media_type.as_str()),
        None => {
            let head = String::from_utf8_lossy(&body[..body.len().min(1024)]).to_ascii_lowercase();
            let head = head.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
            head.starts_with("<!doctype html") || head.starts_with("<html") || head.contains("<html")
        }
    }
}

/// Finds the article of a page that came with a `Content-Type` from `base`, the URL after redirects.
///
/// # Errors
///
/// When the document is no page, is over a limit or holds no article. A panic of the extractor is an error, too.
pub fn read(
    body: &[u8],
    content_type: Option<&str>,
    base: &str,
    limits: &PageLimits,
) -> Result<PageArticle, PageError> {
    if body.trim_ascii().is_empty() {
        return Err(PageError::Empty);
    }
    if !is_page(body, content_type) {
        let found =
            content_type.map(media_type).map_or_else(|| "something else".to_owned(), |found| plain::clean(&found));
        return Err(PageError::NotHtml { found: plain::truncate(&found, 80).to_owned() });
    }
    let declared = with_charset(body, content_type);
    let base = Url::parse(base).ok();
    let html = decode::decode(body, declared.as_deref(), base.as_ref());
    let rewritten = rewrite::rewrite(&html, limits).ok_or(PageError::TooManyElements { limit: limits.elements })?;
    drop(html);
    let (title, content) = extract(rewritten)?;
    let (title, text) = (rewrite::restored(&title), rewrite::restored(&plain::plain_text(&content)));
    if text.is_empty() {
        return Err(PageError::NoArticle);
    }
    Ok(PageArticle {
        title: plain::clean(&title).replace('\n', " ").chars().take(limits.title_chars).collect(),
        text: plain::truncate(&text, limits.text_bytes).to_owned(),
    })
}

/// Runs the extractor behind a panic barrier; returns the title and the article as HTML.
fn extract(html: String) -> Result<(String, String), PageError> {
    let config = Config { disable_json_ld: true, ..Config::default() };
    let extracted = catch_unwind(AssertUnwindSafe(|| Readability::new(html, None, Some(config))?.parse()));
    match extracted {
        Ok(Ok(article)) => Ok((article.title, article.content.to_string())),
        Ok(Err(ReadabilityError::GrabFailed)) => Err(PageError::NoArticle),
        Ok(Err(_)) | Err(_) => Err(PageError::ExtractorFailed),
    }
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How far a page is searched for the encoding that it declares (HTML §13.2.3.2 says 1024; some need more).
const CHARSET_WITHIN: usize = 4096;

/// Adds the encoding that a page declares in a `<meta>` to a `Content-Type` that names none.
fn with_charset<'a>(body: &[u8], content_type: Option<&'a str>) -> Option<Cow<'a, str>> {
    if content_type.is_some_and(|content_type| content_type.to_ascii_lowercase().contains("charset")) {
        return content_type.map(Cow::Borrowed);
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(CHARSET_WITHIN)]).to_ascii_lowercase();
    // `<meta charset="…">` and `<meta http-equiv content="text/html; charset=…">` alike.
    let label = head.split("<meta").skip(1).find_map(|rest| {
        let tag = rest.split('>').next()?;
        let value = tag.split_once("charset")?.1.trim_start().strip_prefix('=')?.trim_start();
        let label = value.trim_start_matches(['"', '\'']).split(['"', '\'', ';', ' ', '/', '>']).next()?;
        (!label.is_empty()).then(|| label.to_owned())
    });
    match label {
        Some(label) => Some(Cow::Owned(format!("text/html; charset={label}"))),
        None => content_type.map(Cow::Borrowed),
    }
}

#[cfg(test)]
mod tests;
