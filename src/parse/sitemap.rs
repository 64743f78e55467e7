//! News sitemaps, which some publishers have instead of a feed: `<urlset>` with `news:news` in its entries.
//!
//! An entry is an article that is known by its address; what else sitemaps hold (pictures, videos, pages that are no
//! news) is passed over. Source: the protocol of sitemaps.org 0.9 and Google's extension sitemap-news 0.9.

use super::{
    ParseError, ParseLimits,
    convert::{Context, language_tag},
    prescan::{Outline, resolved},
};
use crate::core::article::{FeedFormat, Item, ParsedFeed};
use feed_rs::model::FeedType;
use jiff::{Timestamp, civil, fmt::rfc2822, tz::TimeZone};
use quick_xml::{Reader, events::Event};
use url::Url;

/// Name of the extension, which an empty news sitemap still declares.
const NEWS: &str = "sitemap-news";

/// Sitemaps of an index that an error names; the rest is counted.
const NAMED: usize = 5;

/// Reads a document whose root is `urlset`.
///
/// # Errors
///
/// When it has entries and none is news, or more than the limit.
pub(super) fn parse(
    outline: &Outline<'_>,
    base: Option<&Url>,
    limits: &ParseLimits,
    now: Timestamp,
) -> Result<ParsedFeed, ParseError> {
    // What kind of feed it is makes no difference to the texts that are taken from it.
    let context = Context { kind: FeedType::RSS2, outline, base, limits, now };
    let mut entry = Entry::default();
    let (mut items, mut title, mut others) = (Vec::new(), None, 0_usize);
    let walked = walk(&outline.text, |path, text| {
        match path {
            ["urlset", "url"] => {
                let entry = std::mem::take(&mut entry);
                if !entry.is_news {
                    others += 1;
                } else if items.len() >= limits.items {
                    return false;
                } else {
                    title = title.take().or_else(|| Some(context.line(&entry.publication)));
                    items.push(entry.into_item(&context));
                }
            }
            ["urlset", "url", rest @ ..] => entry.take(rest, text),
            _ => {}
        }
        true
    });
    if !walked {
        return Err(ParseError::TooManyItems { limit: limits.items });
    }
    if items.is_empty() && (others > 0 || !outline.text.contains(NEWS)) {
        let found = "a sitemap without news; one with `news:news` could be read".to_owned();
        return Err(ParseError::NotAFeed { found });
    }
    let title = title.filter(|title| !title.is_empty());
    Ok(ParsedFeed { format: FeedFormat::NewsSitemap, title, items, ..ParsedFeed::default() })
}

/// Returns the addresses of the sitemaps that an index lists, in its order and as they are written; none if the text
/// is no index.
pub(super) fn children(text: &str, most: usize) -> Vec<String> {
    let mut children = Vec::new();
    walk(text, |path, text| {
        if matches!(path, ["sitemapindex", "sitemap", "loc"]) && !text.trim().is_empty() {
            children.push(text.trim().to_owned());
        }
        children.len() < most
    });
    children
}

/// Says of a document whose root is `sitemapindex` which sitemaps to take instead.
pub(super) fn index_described(text: &str, limits: &ParseLimits) -> String {
    let children = children(text, limits.items);
    // Those that are likely to have news first.
    let (news, others): (Vec<_>, Vec<_>) = children.iter().partition(|child| is_news_by_name(child));
    let named: Vec<String> = news.into_iter().chain(others).take(NAMED).map(|child| super::one_line(child)).collect();
    let more = children.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {} more", super::thousands(more)) } else { String::new() };
    match named.as_slice() {
        [] => "an empty list of sitemaps".to_owned(),
        _ => format!("a list of sitemaps; take the one that has news: {}{more}", named.join(", ")),
    }
}

/// Tells whether a sitemap is likely to be one of news by its address.
pub(super) fn is_news_by_name(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    url.contains("news") || url.contains("actualites") || url.contains("nachrichten")
}

/// An entry as far as it was read.
#[derive(Default)]
struct Entry {
    is_news: bool,
    loc: String,
    publication: String,
    language: String,
    date: String,
    title: String,
    keywords: String,
}

impl Entry {
    /// Takes the text of an element that has ended, known by its path within the entry.
    fn take(&mut self, path: &[&str], text: &str) {
        let field = match path {
            ["loc"] => &mut self.loc,
            ["news"] => {
                self.is_news = true;
                return;
            }
            ["news", "publication", "name"] => &mut self.publication,
            ["news", "publication", "language"] => &mut self.language,
            ["news", "publication_date"] => &mut self.date,
            ["news", "title"] => &mut self.title,
            ["news", "keywords"] => &mut self.keywords,
            _ => return,
        };
        text.clone_into(field);
    }

    fn into_item(self, context: &Context<'_>) -> Item {
        Item {
            link: context.web_url(&self.loc, context.base),
            title: context.line(&self.title),
            categories: context.list(self.keywords.split(',').map(str::to_owned)),
            language: language_tag(&self.language),
            published: instant(self.date.trim()).and_then(|at| context.date(at.as_second())),
            ..Item::default()
        }
    }
}

/// Reads a date of a sitemap: a W3C date and time; without a zone it is UTC's. Dates of mails occur, too.
fn instant(text: &str) -> Option<Timestamp> {
    let civil =
        || text.parse::<civil::DateTime>().ok().or_else(|| Some(text.parse::<civil::Date>().ok()?.at(0, 0, 0, 0)));
    let in_utc = || civil()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(in_utc).or_else(|| Some(rfc2822::parse(text).ok()?.timestamp()))
}

/// Walks over XML and reports each element as it ends: its path by local names, and its own text. Ends early, with
/// `false`, when the visitor says so. What is not well-formed is passed over, as far as it goes.
fn walk(text: &str, mut visit: impl FnMut(&[&str], &str) -> bool) -> bool {
    // No element that matters is deeper.
    const DEPTH: usize = 6;
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    config.expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    let mut deeper = 0_usize;
    let mut own = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) if path.len() == DEPTH => deeper += 1,
            Ok(Event::Start(tag)) => {
                path.push(tag.local_name().into_inner().to_owned());
                own.clear();
            }
            Ok(Event::End(_)) if deeper > 0 => deeper -= 1,
            Ok(Event::End(_)) => {
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                if !visit(&names, &own) {
                    return false;
                }
                path.pop();
                own.clear();
            }
            Ok(Event::Text(text)) => own.push_str(&text),
            Ok(Event::CData(text)) => own.push_str(&text),
            Ok(Event::GeneralRef(reference)) => own.push_str(&resolved(&reference)),
            Ok(Event::Eof) | Err(_) => return true,
            Ok(_) => {}
        }
    }
}
