//! What both parts of a mail show, cleaned and in words: the text and the HTML are made of the same view.

use super::{clean, render::Notice, shortened};
use crate::core::{
    article::ArticleId,
    digest::{Coverage, Edition, Entry, counted},
    excerpt::{self, Excerpt},
    hit::{Field, HitArticle, RuleName, TermMatch},
};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::{HashMap, HashSet};
use url::Url;

/// Characters of an excerpt.
const EXCERPT_CHARACTERS: usize = 280;
/// Characters of a headline.
const TITLE_CHARACTERS: usize = 300;
/// Characters of the headline of another article of a story.
const OTHER_TITLE_CHARACTERS: usize = 160;
/// Characters of a link that is still a link: longer ones break in mail programs.
const LINK_CHARACTERS: usize = 2000;
/// Failing feeds that are listed; the rest is counted.
const FAILING_LISTED: usize = 10;
/// Characters of a name of a feed, an outlet or a rule.
const NAME_CHARACTERS: usize = 120;
/// Terms that are listed for one hit; the rest is counted.
const TERMS_LISTED: usize = 20;
/// Other articles of a story that are listed; the rest is counted.
const OTHERS_LISTED: usize = 12;

/// An edition as people see it.
pub(super) struct View {
    pub(super) subject: String,
    pub(super) digest: String,
    /// "5 hits in 4 articles, 3 stories".
    pub(super) summary: String,
    pub(super) groups: Vec<GroupView>,
    pub(super) footer: Footer,
}

/// The hits of one rule.
pub(super) struct GroupView {
    pub(super) rule: String,
    /// "3", or "3 in 2 stories".
    pub(super) count: String,
    pub(super) items: Vec<ItemView>,
}

/// The hits of one story.
pub(super) struct ItemView {
    /// How many.
    pub(super) hits: usize,
    pub(super) title: Vec<Piece>,
    pub(super) link: Link,
    pub(super) outlet: String,
    pub(super) time: String,
    pub(super) excerpt: Vec<Piece>,
    pub(super) terms: String,
    /// Whether an earlier edition had the story.
    pub(super) told_before: bool,
    /// Other articles of the story.
    pub(super) others: Vec<OtherView>,
    /// How many more there are.
    pub(super) others_more: usize,
    /// Whether the article was there before the rule.
    pub(super) in_retrospect: bool,
    /// The rule above under which the article is shown in full.
    pub(super) above: Option<String>,
}

/// Another article of a story.
pub(super) struct OtherView {
    pub(super) outlet: String,
    /// Its headline, where it is another.
    pub(super) title: Option<String>,
    pub(super) link: Link,
}

/// A piece of text, marked where it matched.
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) marked: bool,
}

/// Where an article is.
pub(super) enum Link {
    /// An http(s) address, and its host as it really is (punycode, no user name).
    Web { href: String, host: String },
    /// Something that is not made a link, as text.
    Text(String),
    /// The feed gave none.
    Missing,
}

/// The lines under the hits.
pub(super) struct Footer {
    pub(super) window: String,
    pub(super) coverage: Vec<String>,
    pub(super) failing: Vec<String>,
    pub(super) why: String,
    pub(super) stop: String,
    pub(super) contact: String,
    /// `mailto:` URL of the contact, with a subject.
    pub(super) contact_url: String,
    /// How to see what was left out.
    pub(super) command: String,
}

pub(super) fn view(edition: &Edition, notice: &Notice<'_>) -> View {
    let mut above: HashMap<ArticleId, &RuleName> = HashMap::new();
    let mut groups = Vec::with_capacity(edition.groups.len());
    for group in &edition.groups {
        let mut items = Vec::with_capacity(group.entries.len());
        for entry in &group.entries {
            // Only what is above whole is not shown again: another article of its story may say more.
            let whole = entry.all().all(|hit| above.get(&hit.article.id).is_some_and(|rule| **rule != group.rule));
            let pointer = above.get(&entry.shown.article.id).filter(|_| whole).map(|rule| name(rule.as_str()));
            items.push(item(entry, pointer, &edition.timezone));
            for hit in entry.all() {
                above.entry(hit.article.id).or_insert(&group.rule);
            }
        }
        let count = match group.hits() {
            hits if hits == items.len() => hits.to_string(),
            hits => format!("{hits} in {}", counted(items.len(), "story")),
        };
        groups.push(GroupView { rule: name(group.rule.as_str()), count, items });
    }
    let summary = match edition.hits {
        0 => "Nothing new.".to_owned(),
        hits => {
            let stories = match edition.stories {
                stories if stories < edition.articles => format!(", {}", counted(stories, "story")),
                _ => String::new(),
            };
            format!("{} in {}{stories}.", counted(hits, "hit"), counted(edition.articles, "article"))
        }
    };
    View {
        subject: clean(&edition.subject),
        digest: name(edition.digest.as_str()),
        summary,
        groups,
        footer: footer(edition, notice),
    }
}

fn item(entry: &Entry, above: Option<String>, timezone: &TimeZone) -> ItemView {
    let hit = &entry.shown;
    let article = &hit.article;
    let mut title = pieces(&excerpt::around(&article.title, &spans(&hit.terms, Field::Title), TITLE_CHARACTERS));
    if title.is_empty() {
        title.push(Piece { text: "(no headline)".to_owned(), marked: false });
    }
    let time = match article.published {
        Some(_) => local(article.came_at(), timezone),
        None => format!("first seen {}", local(article.first_seen, timezone)),
    };
    let other = |other: &HitArticle| OtherView {
        outlet: name(&other.outlet),
        title: (other.title.trim() != article.title.trim() && !other.title.trim().is_empty())
            .then(|| shortened(clean(&other.title).trim(), OTHER_TITLE_CHARACTERS)),
        link: link(other.link.as_deref()),
    };
    ItemView {
        hits: entry.hits(),
        told_before: entry.all().any(|hit| hit.told_before),
        others: listed(entry).into_iter().map(other).collect(),
        others_more: entry.others.len().saturating_sub(OTHERS_LISTED),
        title,
        link: link(article.link.as_deref()),
        outlet: name(&article.outlet),
        time,
        excerpt: body(article, &hit.terms),
        terms: terms(&hit.terms),
        in_retrospect: hit.in_retrospect,
        above,
    }
}

/// Returns the other articles of a story that are listed, in their order. Where there are too many those that repeat a
/// headline are left out first: another headline may be other news.
fn listed(entry: &Entry) -> Vec<&HitArticle> {
    let mut told = HashSet::from([entry.shown.article.title.trim()]);
    let others = entry.others.iter().map(|hit| &hit.article);
    let (mut listed, repeated): (Vec<_>, Vec<_>) =
        others.enumerate().partition(|(_, article)| told.insert(article.title.trim()));
    listed.extend(repeated);
    listed.truncate(OTHERS_LISTED);
    listed.sort_unstable_by_key(|(index, _)| *index);
    listed.into_iter().map(|(_, article)| article).collect()
}

/// Returns the excerpt of the summary or the content, whichever has a match; the start of one of them otherwise.
fn body(article: &HitArticle, terms: &[TermMatch]) -> Vec<Piece> {
    let fields = [Field::Summary, Field::Content];
    let matched = fields.into_iter().find(|&field| !spans(terms, field).is_empty());
    let filled = fields.into_iter().find(|&field| !article.text(field).trim().is_empty());
    match matched.or(filled) {
        Some(field) => pieces(&excerpt::around(article.text(field), &spans(terms, field), EXCERPT_CHARACTERS)),
        None => Vec::new(),
    }
}

fn spans(terms: &[TermMatch], field: Field) -> Vec<std::ops::Range<usize>> {
    terms.iter().filter(|term| term.field == field).map(|term| term.start..term.end).collect()
}

fn pieces(excerpt: &Excerpt) -> Vec<Piece> {
    let piece = |segment: &excerpt::Segment| Piece { text: clean(&segment.text), marked: segment.marked };
    excerpt.segments.iter().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}

/// Lists the terms that matched, each once; says where, when a reader does not see it marked.
fn terms(terms: &[TermMatch]) -> String {
    let mut listed: Vec<String> = Vec::new();
    for term in terms {
        let text = name(&term.term);
        let text = match term.field {
            Field::Title | Field::Summary | Field::Content => text,
            Field::Author => format!("{text} (author)"),
            Field::Category => format!("{text} (category)"),
        };
        if !listed.contains(&text) {
            listed.push(text);
        }
    }
    let more = listed.len().saturating_sub(TERMS_LISTED);
    listed.truncate(TERMS_LISTED);
    let mut line = listed.join(", ");
    if more > 0 {
        line.push_str(&format!(" and {more} more"));
    }
    line
}

fn link(link: Option<&str>) -> Link {
    let Some(text) = link.map(str::trim).filter(|text| !text.is_empty()) else { return Link::Missing };
    let parsed = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(mut url) = parsed else { return Link::Text(shortened(&clean(text), NAME_CHARACTERS)) };
    // `https://bank.example@evil.example/`: a user name is there to mislead. Neither call can fail: there is a host.
    let _ = (url.set_username(""), url.set_password(None));
    let host = url.host_str().unwrap_or_default().to_owned();
    if url.as_str().len() > LINK_CHARACTERS {
        return Link::Text(format!("{host} (the link of {} characters is left out)", url.as_str().len()));
    }
    Link::Web { href: url.into(), host }
}

fn footer(edition: &Edition, notice: &Notice<'_>) -> Footer {
    let (window, zone) = (edition.window, &edition.timezone);
    let contact = clean(notice.contact);
    let digest = name(edition.digest.as_str());
    Footer {
        window: format!("Covers {} to {}.", local(window.start, zone), local(window.end, zone)),
        coverage: coverage(edition),
        failing: failing(&edition.coverage, zone),
        why: format!(
            "You get this mail because {} receives the digest “{digest}” ({}), sent by feedwatch on {}.",
            clean(notice.recipient),
            clean(&edition.schedule),
            clean(notice.host)
        ),
        stop: "To stop it, write to".to_owned(),
        contact_url: mailto(&contact, &format!("Unsubscribe from digest {digest}")),
        contact,
        command: format!("feedwatch hits --digest {}", shell_word(&digest)),
    }
}

fn coverage(edition: &Edition) -> Vec<String> {
    let coverage = &edition.coverage;
    let mut lines = vec![format!(
        "Read {} of {}; {} seen for the first time.",
        coverage.feeds_polled,
        counted(coverage.feeds, "configured feed"),
        counted(coverage.articles_seen, "article")
    )];
    match coverage.editions_missed {
        0 => {}
        1 => lines.push("1 edition was missed before this one, which covers its time too.".to_owned()),
        missed => lines.push(format!("{missed} editions were missed before this one, which covers their time too.")),
    }
    if edition.groups.iter().flat_map(|group| &group.entries).any(|entry| entry.shown.in_retrospect) {
        lines.push("Hits in retrospect are of articles that came before their rule was made or changed.".to_owned());
    }
    match coverage.hits_suppressed {
        0 => {}
        hits => lines.push(format!(
            "{} over the limit of one poll {} suppressed: counted and not listed.",
            counted(hits, "hit"),
            if hits == 1 { "was" } else { "were" }
        )),
    }
    lines
}

fn failing(coverage: &Coverage, zone: &TimeZone) -> Vec<String> {
    let mut lines: Vec<String> = coverage
        .failing
        .iter()
        .take(FAILING_LISTED)
        .map(|feed| {
            let cause = shortened(&clean(&feed.cause), 200);
            format!("{} fails since {}: {cause}", name(&feed.name), local(feed.since, zone))
        })
        .collect();
    if let Some(more) = coverage.failing.len().checked_sub(FAILING_LISTED).filter(|&more| more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Shows an instant in the digest's zone, with the zone's abbreviation.
fn local(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

fn name(text: &str) -> String {
    shortened(clean(text).trim(), NAME_CHARACTERS)
}

/// Returns a `mailto:` URL (RFC 6068).
pub(super) fn mailto(address: &str, subject: &str) -> String {
    format!("mailto:{}?subject={}", percent(address, b"@.-_"), percent(&clean(subject), b".-_"))
}

fn percent(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            _ if byte.is_ascii_alphanumeric() || keep.contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Quotes a word for a shell, where it needs it.
fn shell_word(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
