//! Searches the archive: a rule of one query, matched as rules are, newest article first.

use super::archive::{self, FeedsByIdentity};
use crate::{
    config::Config,
    core::hit::{Field, HitArticle, TermMatch},
    rules::{Rule, RuleError, RuleSet, RuleSource, TermGroups},
    store::{StoreError, archive::Span},
};
use rusqlite::Connection;
use std::ops::ControlFlow;

/// A query, checked.
#[derive(Debug)]
pub struct Search {
    set: RuleSet,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// The articles with the terms that matched, newest first.
    pub articles: Vec<(HitArticle, Vec<TermMatch>)>,
    /// Articles that were looked at.
    pub looked_at: usize,
    /// Whether the limit ended it, so that there may be more.
    pub more: bool,
}

impl Search {
    /// Checks a query. `fields` are those that it looks into where it names none; empty is title, summary and content.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn new(query: &str, fields: Vec<Field>, groups: &TermGroups) -> Result<Self, Vec<RuleError>> {
        let source =
            RuleSource { name: "search".to_owned(), query: Some(query.to_owned()), fields, ..RuleSource::default() };
        Ok(Self { set: RuleSet::new(&[Rule::new(&source, groups)?]) })
    }

    /// Looks for articles, at most `limit`. `looked` hears how many were looked at.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn run(
        &self,
        connection: &Connection,
        config: Option<&Config>,
        span: Span,
        limit: usize,
        mut looked: impl FnMut(usize),
    ) -> Result<Findings, StoreError> {
        let feeds = config.map(FeedsByIdentity::new);
        let mut articles = Vec::new();
        let mut more = false;
        let looked_at = archive::scan(
            connection,
            span,
            |archived| {
                let known = feeds.as_ref().and_then(|feeds| feeds.document(archived));
                let document = known.unwrap_or_else(|| archive::document(archived));
                self.set.matches(&document).into_iter().next()
            },
            |looked_at, found| {
                looked(looked_at);
                articles.extend(found.into_iter().map(|(archived, found)| (archived.article, found.terms)));
                more = articles.len() > limit;
                articles.truncate(limit);
                if more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        )?;
        Ok(Findings { articles, looked_at, more })
    }
}
