//! `feedwatch hits`: what was found.

use super::{
    Failure,
    args::Hits,
    found,
    setup::Setup,
    terminal::{FAINT, STRONG, Terminal, harmless, styled},
    when,
};
use crate::{
    clock,
    core::{
        digest::counted,
        hit::{DigestName, RuleName, StoredHit},
    },
    store::{self, hit::Selection},
};
use serde_json::json;

/// Lists the hits of a selection, newest first.
pub(super) fn hits(setup: &Setup, args: &Hits, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = setup.config()?;
    let since = args.since.as_deref().map(|text| when::past("--since", text, clock::now())).transpose()?;
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
    let lead = styled(STRONG, format!("[{}]", harmless(hit.rule.as_str())));
    let note = hit.in_retrospect.then_some("found in retrospect");
    found::print(&lead, &hit.article, &hit.terms, note, terminal);
    terminal.line("");
}

fn hit_json(hit: &StoredHit) -> serde_json::Value {
    json!({
        "id": hit.id,
        "rule": hit.rule,
        "rule_version": hit.version,
        "found_at": hit.found_at,
        "in_retrospect": hit.in_retrospect,
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
