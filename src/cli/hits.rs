//! `feedwatch hits`: what was found.

use super::{
    Failure,
    args::Hits,
    setup::Setup,
    terminal::{FAINT, STRONG, Terminal, harmless, local, styled},
};
use crate::{
    clock,
    core::{
        digest::counted,
        excerpt::{self, Excerpt},
        hit::{DigestName, Field, RuleName, StoredHit},
    },
    store::{self, hit::Selection},
};
use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::json;

/// Matched terms.
const MARK: Style = AnsiColor::Yellow.on_default().bold();

/// Characters of text shown around a match.
const AROUND: usize = 200;

/// Lists the hits of a selection, newest first.
pub(super) fn hits(setup: &Setup, args: &Hits, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let since = args.since.as_deref().map(|text| instant(text, clock::now())).transpose()?;
    let connection = setup.reader(&config)?;
    let selection = Selection {
        rule: args.rule.as_deref().map(RuleName::new),
        digest: args.digest.as_deref().map(DigestName::new),
        since,
        limit: Some(args.limit),
    };
    let hits = store::hit::select(&connection, &selection)?;
    if terminal.wants_json() {
        terminal.json(&hits.iter().map(hit_json).collect::<Vec<_>>());
        return Ok(());
    }
    for hit in &hits {
        print(hit, *terminal);
    }
    let more = if hits.len() == args.limit { "; there may be more: --limit N" } else { "" };
    terminal.line(styled(FAINT, format!("{}{more}", counted(hits.len(), "hit"))));
    Ok(())
}

fn print(hit: &StoredHit, terminal: Terminal<'_>) {
    let article = &hit.article;
    let title = marked(hit, Field::Title, usize::MAX);
    terminal.line(format!("{} {}", styled(STRONG, format!("[{}]", harmless(hit.rule.as_str()))), shown(&title)));
    let time = local(article.published.unwrap_or(article.first_seen));
    let link = article.link.as_deref().map(|link| format!(" · {}", harmless(link))).unwrap_or_default();
    terminal.line(format!("  {}", styled(FAINT, format!("{} · {time}{link}", harmless(&article.outlet)))));
    let body =
        [Field::Summary, Field::Content].into_iter().find(|field| hit.terms.iter().any(|term| term.field == *field));
    if let Some(field) = body {
        terminal.line(format!("  {}", shown(&marked(hit, field, AROUND))));
    }
    terminal.line("");
}

fn marked(hit: &StoredHit, field: Field, most: usize) -> Excerpt {
    let spans: Vec<_> = hit.terms.iter().filter(|term| term.field == field).map(|term| term.start..term.end).collect();
    excerpt::around(hit.article.text(field), &spans, most)
}

fn shown(excerpt: &Excerpt) -> String {
    let segments = excerpt.segments.iter().map(|segment| {
        let text = harmless(&segment.text);
        if segment.marked { styled(MARK, text) } else { text }
    });
    segments.collect()
}

fn hit_json(hit: &StoredHit) -> serde_json::Value {
    json!({
        "id": hit.id,
        "rule": hit.rule,
        "rule_version": hit.version,
        "found_at": hit.found_at,
        "title": hit.article.title,
        "link": hit.article.link,
        "outlet": hit.article.outlet,
        "story": hit.article.story,
        "published_at": hit.article.published,
        "first_seen_at": hit.article.first_seen,
        "summary": hit.article.summary,
        "terms": hit.terms,
    })
}

/// Reads `24h`, `7d` (back from now), `2026-11-24` (local midnight) or an RFC 3339 instant.
fn instant(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(date) = text.parse::<civil::Date>()
        && let Ok(midnight) = date.to_zoned(TimeZone::system())
    {
        return Ok(midnight.timestamp());
    }
    let days = text.strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok());
    let span = days.and_then(|days| days.checked_mul(24)).and_then(|hours| jiff::Span::new().try_hours(hours).ok());
    let span = span.or_else(|| text.parse::<jiff::Span>().ok());
    span.and_then(|span| now.checked_sub(span.abs()).ok()).ok_or_else(|| {
        Failure::Usage(format!("`--since {text}` is no time; write `24h`, `7d`, `2026-11-24` or `2026-11-24T07:00Z`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_duration_back_or_a_date() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("24h", "2026-11-23T12:00:00Z"),
            ("7d", "2026-11-17T12:00:00Z"),
            ("1h 30m", "2026-11-24T10:30:00Z"),
            ("2026-11-20T07:00:00Z", "2026-11-20T07:00:00Z"),
        ] {
            assert_eq!(instant(text, now).unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert!(instant("yesterday-ish", now).is_err());
        assert!(instant("2026-11-20", now).is_ok());
    }
}
