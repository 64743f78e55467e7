//! The least that a poller can do: ask, parse, insert. No limits, no guard, no identity, no rules, no politeness.

use crate::{Failure, etag, url};
use reqwest::{Client, StatusCode, header};
use rusqlite::Connection;
use std::{
    future::Future,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::task::JoinSet;

/// As many requests at once as feedwatch makes by default.
const CONCURRENCY: usize = 64;

fn client() -> Result<Client, Failure> {
    // The provider may be installed already; then it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().no_proxy().pool_max_idle_per_host(0).build()?)
}

/// Fetches and parses each feed and inserts its entries in one transaction.
pub(crate) fn first_round(directory: &Path, port: &str, count: usize) -> Result<(), Failure> {
    let connection = Connection::open(directory.join("bare.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE article (feed INTEGER, guid TEXT, title TEXT, link TEXT, summary TEXT, published TEXT,
                               UNIQUE (feed, guid));",
    )?;
    let connection = Arc::new(Mutex::new(connection));
    let client = client()?;
    each(count, |index| {
        let (client, connection, url) = (client.clone(), connection.clone(), url(index, port));
        async move {
            let body = client.get(url).send().await?.error_for_status()?.bytes().await?;
            let feed = feed_rs::parser::parse(&body[..])?;
            let mut connection = connection.lock().map_err(|_| "another task panicked")?;
            insert(&mut connection, index, &feed)?;
            Ok(())
        }
    })
}

fn insert(connection: &mut Connection, index: usize, feed: &feed_rs::model::Feed) -> Result<(), Failure> {
    let transaction = connection.transaction()?;
    let mut statement = transaction.prepare_cached("INSERT OR IGNORE INTO article VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for entry in &feed.entries {
        statement.execute((
            index,
            &entry.id,
            entry.title.as_ref().map(|title| &title.content),
            entry.links.first().map(|link| &link.href),
            entry.summary.as_ref().map(|summary| &summary.content),
            entry.published.map(|published| published.to_rfc3339()),
        ))?;
    }
    drop(statement);
    Ok(transaction.commit()?)
}

/// Asks for each feed with the validator that it had.
pub(crate) fn unchanged_round(port: &str, count: usize) -> Result<(), Failure> {
    let client = client()?;
    each(count, |index| {
        let request = client.get(url(index, port)).header(header::IF_NONE_MATCH, etag(index));
        async move {
            let answer = request.send().await?;
            if answer.status() == StatusCode::NOT_MODIFIED { Ok(()) } else { Err(answer.status().to_string().into()) }
        }
    })
}

/// Runs a task for each feed, so many at once.
fn each<F>(count: usize, task: impl Fn(usize) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut running = JoinSet::new();
        for index in 0..count {
            if running.len() == CONCURRENCY {
                running.join_next().await.expect("tasks are running")??;
            }
            running.spawn(task(index));
        }
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        Ok(())
    })
}
