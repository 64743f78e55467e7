//! `feedwatch search`: the stored articles that a query matches.

use super::{
    Failure,
    args::{Search as Args, SearchField},
    found,
    setup::Setup,
    terminal::{FAINT, Terminal, progress, styled},
    when,
};
use crate::{
    clock,
    config::{Config, excerpt, suggesting},
    core::{
        digest::counted,
        hit::{Field, HitArticle, TermMatch},
    },
    jobs::search::{Findings, Search},
    rules::{RuleError, TermGroups},
    store::{self, archive::Span},
};
use jiff::Timestamp;
use serde_json::json;

/// Lists the stored articles that match a query, newest first.
pub(super) fn search(setup: &Setup, args: &Args, terminal: &Terminal<'_>) -> Result<(), Failure> {
    let config = config(setup, args, *terminal)?;
    let no_groups = TermGroups::new();
    let groups = config.as_ref().map_or(&no_groups, |config| &config.groups);
    let fields = args.fields.iter().map(|field| field_of(*field)).collect();
    let search = Search::new(&args.query, fields, groups).map_err(|errors| refused(&args.query, &errors))?;
    let now = clock::now();
    let since = args.since.as_deref().map_or(Ok(Timestamp::UNIX_EPOCH), |since| when::past("--since", since, now))?;
    let until = args.until.as_deref().map_or(Ok(Timestamp::MAX), |until| when::instant("--until", until, now))?;
    if until < since {
        let said = "`--until` is before `--since`: no article is first seen between them";
        return Err(Failure::Usage(said.to_owned()));
    }
    let connection = match (&args.store, &config) {
        (Some(path), _) => store::open_reader(path)?,
        (None, Some(config)) => setup.reader(config)?,
        (None, None) => unreachable!("without a store there is a configuration"),
    };
    let span = Span { since, until, with_hits: false };
    let bar = progress(store::archive::count(&connection, span)?, "articles");
    let looked = |articles: usize| bar.set_position(articles as u64);
    let findings = search.run(&connection, config.as_ref(), span, args.limit, looked)?;
    bar.finish_and_clear();
    if terminal.wants_json() {
        terminal.json(&findings_json(&findings));
    } else {
        print(&findings, *terminal);
    }
    Ok(())
}

/// Returns the configuration; one that cannot be read is not needed where the store is named.
fn config(setup: &Setup, args: &Args, terminal: Terminal<'_>) -> Result<Option<Config>, Failure> {
    match setup.config() {
        Ok(config) => Ok(Some(config)),
        Err(_) if args.store.is_some() && setup.file().is_err() => Ok(None),
        Err(error) if args.store.is_some() => {
            terminal.remark(format!("the search goes without term groups and tags of feeds: {error}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn print(findings: &Findings, terminal: Terminal<'_>) {
    for (article, terms) in &findings.articles {
        found::print("", article, terms, None, terminal);
        terminal.line("");
    }
    let looked_at = if findings.more {
        "; there are more: --limit N".to_owned()
    } else {
        format!(" among {} with text", counted(findings.looked_at, "article"))
    };
    terminal.line(styled(FAINT, format!("{} found{looked_at}", counted(findings.articles.len(), "article"))));
}

fn findings_json(findings: &Findings) -> serde_json::Value {
    let articles = findings.articles.iter().map(|(article, terms)| article_json(article, terms));
    json!({"articles": articles.collect::<Vec<_>>(), "looked_at": findings.looked_at, "more": findings.more})
}

/// Returns an article that was found for scripts.
pub(super) fn article_json(article: &HitArticle, terms: &[TermMatch]) -> serde_json::Value {
    json!({
        "title": article.title,
        "link": article.link,
        "outlet": article.outlet,
        "published_at": article.published,
        "first_seen_at": article.first_seen,
        "summary": article.summary,
        "terms": terms,
    })
}

/// Says what is wrong with a query, each with a mark below the place.
fn refused(query: &str, errors: &[RuleError]) -> Failure {
    let told = errors.iter().map(|error| {
        let place = error.at.filter(|_| !query.trim().is_empty()).map(|at| {
            let at = query.floor_char_boundary(at);
            let line = query[..at].rfind('\n').map_or(0, |end| end + 1);
            let text = query[line..].lines().next().unwrap_or_default();
            format!("\n{}", excerpt(text, query[line..at].chars().count() + 1))
        });
        let message = suggesting(&error.message, error.suggestion.as_deref());
        format!("in the query: {message}{}", place.unwrap_or_default())
    });
    Failure::Usage(told.collect::<Vec<_>>().join("\n"))
}

fn field_of(field: SearchField) -> Field {
    match field {
        SearchField::Title => Field::Title,
        SearchField::Summary => Field::Summary,
        SearchField::Content => Field::Content,
        SearchField::Author => Field::Author,
        SearchField::Category => Field::Category,
    }
}
