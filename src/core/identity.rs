//! Identity: what makes an article the same article at the next poll (FEEDS C1–C4, C8).
//!
//! `recognition` tells by it which articles are known.

use super::{
    article::{Article, ArticleKey, Item, TextHash},
    page::{is_front_page, page},
};
use jiff::{Timestamp, civil::Time, tz::TimeZone};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use url::{Position, Url};

/// Gives the items of one document their identity, in order.
///
/// An item's key is made of its guid, else its link, else its title and date, else its text. Where that is the same
/// for items that differ, each of them gets a key that is made of more, whatever their order in the document.
pub fn articles(items: Vec<Item>) -> Vec<Article> {
    let mut items: Vec<Candidate> = items.into_iter().map(Candidate::new).collect();
    // Every round moves all items of a contested key at least one rung on.
    loop {
        let mut seen: HashMap<&ArticleKey, (TextHash, Option<&str>)> = HashMap::with_capacity(items.len());
        let mut contested: HashSet<ArticleKey> = HashSet::new();
        for item in &items {
            let content = (item.text_hash, item.canonical_url.as_deref());
            let first = seen.entry(&item.key).or_insert(content);
            if *first != content {
                contested.insert(item.key.clone());
            }
        }
        let mut moved = false;
        for item in items.iter_mut().filter(|item| contested.contains(&item.key)) {
            moved |= item.climb();
        }
        if !moved {
            return items.into_iter().map(Candidate::into_article).collect();
        }
    }
}

/// Returns all keys under which an article may be known: its own first.
pub(super) fn keys(article: &Article) -> Vec<ArticleKey> {
    let mut keys = vec![article.key.clone()];
    let canonical_url = article.item.link.as_deref().and_then(canonical_url);
    let rung = |rung| rung_key(rung, &article.item, canonical_url.as_deref(), &article.text_hash);
    keys.extend((0..RUNGS).filter_map(rung).filter(|key| *key != article.key));
    keys
}

/// Returns the canonical form of an `http` or `https` link, for comparing only (FEEDS C8).
///
/// Scheme and host are in lower case; the default port, trailing slashes, the fragment (unless it begins with `!`) and
/// tracking parameters are gone; other parameters keep their order. Nothing is returned for other texts.
pub fn canonical_url(link: &str) -> Option<String> {
    if is_plain(link) {
        return Some(link.trim_end_matches('/').to_owned());
    }
    canonical_of_parsed(link)
}

/// Tells whether a link is an absolute one for the web that is written as a parser would write it, and, but for slashes at
/// its end, canonical: most are, and need not be parsed.
pub fn is_plain(link: &str) -> bool {
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    let Some((host, path)) = rest.and_then(|rest| rest.split_once('/')) else { return false };
    // A last label that begins with a letter makes it a name; those of other scripts are checked by the parser.
    let is_name = host.rsplit('.').next().is_some_and(|last| last.starts_with(|char: char| char.is_ascii_lowercase()));
    is_name
        && !host.contains("xn--")
        && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~'))
        // The segments `.` and `..` lead elsewhere.
        && !path.starts_with('.')
        && !path.contains("/.")
}

fn canonical_of_parsed(link: &str) -> Option<String> {
    let url = Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut canonical = url[..Position::BeforePath].to_owned();
    canonical.push_str(url.path().trim_end_matches('/'));
    let mut separator = '?';
    for parameter in url.query().unwrap_or_default().split('&') {
        let name = parameter.split('=').next().unwrap_or_default();
        if !parameter.is_empty() && !is_tracking(name) {
            canonical.push(separator);
            canonical.push_str(parameter);
            separator = '&';
        }
    }
    if let Some(fragment) = url.fragment().filter(|fragment| fragment.starts_with('!')) {
        canonical.push('#');
        canonical.push_str(fragment);
    }
    Some(canonical)
}

/// Parameters that tell where a reader came from, not what the page is: click ids, and those of newsletters.
const TRACKING: &[&str] = &[
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "mc_cid",
    "mc_eid",
    "igshid",
    "igsh",
    "yclid",
    "ysclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "mkt_tok",
    "vero_id",
    "vero_conv",
    "wickedid",
    "oly_anon_id",
    "oly_enc_id",
    "_openstat",
    "_hsenc",
    "_hsmi",
    "__hssc",
    "__hstc",
    "__hsfp",
    "hsctatracking",
    "xtor",
    "cmpid",
    "ns_mchannel",
    "ns_source",
    "ns_campaign",
    "ns_linkname",
    "at_medium",
    "at_campaign",
    "guccounter",
    "guce_referrer",
    "guce_referrer_sig",
    "_ga",
    "_gl",
    "s_cid",
];

/// Tells whether a parameter only tracks readers.
fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["utm_", "mtm_", "pk_", "hsa_"].iter().any(|prefix| name.starts_with(prefix)) || TRACKING.contains(&name.as_str())
}

/// An item whose key is being found.
struct Candidate {
    item: Item,
    canonical_url: Option<String>,
    text_hash: TextHash,
    key: ArticleKey,
    rung: usize,
}

impl Candidate {
    fn new(item: Item) -> Self {
        let canonical_url = item.link.as_deref().and_then(canonical_url);
        let text_hash = text_hash(&item);
        // Few keys are contested: the others are made when they are needed.
        let (rung, key) = (0..RUNGS)
            .find_map(|rung| Some((rung, rung_key(rung, &item, canonical_url.as_deref(), &text_hash)?)))
            .expect("the last rung lacks nothing");
        Self { item, canonical_url, text_hash, key, rung }
    }

    /// Takes the key that is made of more; tells whether there is one.
    fn climb(&mut self) -> bool {
        let next = (self.rung + 1..RUNGS)
            .find_map(|rung| Some((rung, rung_key(rung, &self.item, self.canonical_url.as_deref(), &self.text_hash)?)));
        let Some((rung, key)) = next else { return false };
        (self.rung, self.key) = (rung, key);
        true
    }

    fn into_article(self) -> Article {
        let Self { item, canonical_url: link, text_hash, key, .. } = self;
        let canonical_url = link.or_else(|| item.guid.as_deref().and_then(canonical_url));
        Article { key, canonical_url, text_hash, item }
    }
}

/// Rungs of the ladder of keys that an item can have.
const RUNGS: usize = 4;

/// Returns the key at a rung, from the one made of least to the one made of most. A rung that lacks one of its parts
/// tells nothing apart and has none; the last one always has.
fn rung_key(rung: usize, item: &Item, canonical_url: Option<&str>, text_hash: &TextHash) -> Option<ArticleKey> {
    let guid = item.guid.as_deref().map(str::trim).filter(|guid| !guid.is_empty());
    let title = Some(item.title.as_str()).filter(|title| !title.is_empty());
    let date = || item.published.map(|date| date.to_string());
    let link = canonical_url.unwrap_or_default();
    // All kinds of items link to the front page, one after another, also on one day.
    let place = || canonical_url.filter(|url| !is_front_page(page(url)));
    let at_instant = || canonical_url.filter(|_| place().is_some() || item.published.is_some_and(is_instant));
    Some(match (rung, guid) {
        (0, Some(guid)) => key("guid:", &[guid.as_bytes()]),
        (1, Some(guid)) => key("guid+link:", &[guid.as_bytes(), canonical_url?.as_bytes()]),
        (2, Some(guid)) => key("guid+date:", &[guid.as_bytes(), link.as_bytes(), date()?.as_bytes()]),
        (0, None) => key("link:", &[place()?.as_bytes()]),
        (1, None) => key("link+date:", &[at_instant()?.as_bytes(), date()?.as_bytes()]),
        (2, None) => key("title+date:", &[title?.as_bytes(), date()?.as_bytes(), link.as_bytes()]),
        _ => key("text:", &[guid.unwrap_or_default().as_bytes(), link.as_bytes(), text_hash.0.as_slice()]),
    })
}

/// Tells whether a date is a moment: at midnight it is a day, which several articles have.
pub(super) fn is_instant(date: Timestamp) -> bool {
    date.to_zoned(TimeZone::UTC).time() != Time::midnight()
}

/// Tells whether a key tells more articles apart than another one of the same ladder.
pub(super) fn is_finer(key: &ArticleKey, than: &ArticleKey) -> bool {
    let rank = |key: &ArticleKey| match key.0.split_once(':').map(|(prefix, _)| prefix) {
        Some("guid" | "link") => 0,
        Some("guid+link" | "link+date") => 1,
        Some("guid+date" | "title+date") => 2,
        _ => 3,
    };
    rank(key) > rank(than)
}

/// Returns a key: a prefix and the hash of parts, each preceded by its length so that no two lists of parts are alike.
fn key(prefix: &str, parts: &[&[u8]]) -> ArticleKey {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut key = String::with_capacity(prefix.len() + 64);
    key.push_str(prefix);
    for byte in hash.finalize() {
        key.push(DIGITS[usize::from(byte >> 4)]);
        key.push(DIGITS[usize::from(byte & 15)]);
    }
    ArticleKey(key)
}

/// Returns the hash of what a reader sees of an item.
fn text_hash(item: &Item) -> TextHash {
    let mut hash = Sha256::new();
    // Texts hold no NUL, so that it separates them.
    for part in [&item.title, "\0", &item.summary, "\0", &item.content] {
        hash.update(part.as_bytes());
    }
    TextHash(hash.finalize().into())
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
