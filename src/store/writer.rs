//! The one thread that writes: it commits what waits together, so that a busy round costs few syncs.
//!
//! Each call runs in a savepoint of its own: it is all there or not at all, whatever becomes of its neighbours. A call
//! returns after the commit that holds it, synced to the disk.

use super::{StoreError, schema};
use rusqlite::{Connection, TransactionBehavior};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::oneshot;

/// Calls that are committed together at most.
const BATCH: usize = 128;

/// Calls that are waited for while they come in fast: about half of the polls that run at once, so that the others fetch
/// meanwhile. A commit writes each page that it changes once, however many calls changed it.
const GATHERED: usize = 32;

/// How long the next calls are waited for, when they come that fast: a sync takes longer.
const GATHERING: Duration = Duration::from_millis(2);

/// What a call does inside the transaction, or with the reason why there is none. Its reply is given after the commit,
/// with the commit's result; a call that failed (`Err`) is to be rolled back and has its answer already.
type Call = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Result<Reply, ()> + Send>;
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The store, open for writing. Clones share the one writer.
#[derive(Debug, Clone)]
pub struct Store {
    calls: Sender<Call>,
    // Joined by the last clone, so that the file is closed (and the WAL checkpointed) when the store is gone.
    _thread: Arc<Thread>,
}

#[derive(Debug)]
struct Thread(Option<JoinHandle<()>>);

impl Store {
    /// Opens the store, creates it where there is none and brings an older one up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] with the remedy; the file is left as it was.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = schema::open_writer(path)?;
        let (calls, waiting) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write(connection, &waiting))
            .map_err(|error| StoreError::Unusable {
                path: path.to_owned(),
                reason: format!("its thread could not be started: {error}"),
            })?;
        Ok(Self { calls, _thread: Arc::new(Thread(Some(thread))) })
    }

    /// Runs `work` in a transaction and returns after it was committed.
    ///
    /// # Errors
    ///
    /// What `work` returned, then nothing of it is kept; or why the commit failed, then too.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call_or_undo(work, || ()).await
    }

    /// Does the same, and runs `undo` where nothing of it is kept: for what `work` changed beside the store. It runs
    /// before any other call can be committed, which the caller's own task cannot promise.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn call_or_undo<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        undo: impl FnOnce() + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        // A receiver that is gone no longer wants the result; the work is committed all the same.
        let call: Call =
            Box::new(move |transaction| match transaction.and_then(|transaction| caught(transaction, work)) {
                Ok(value) => Ok(Box::new(move |commit| {
                    if commit.is_err() {
                        undo();
                    }
                    drop(sender.send(commit.map(|()| value)));
                })),
                Err(error) => {
                    undo();
                    drop(sender.send(Err(error)));
                    Err(())
                }
            });
        self.calls.send(call).map_err(|_| StoreError::WriterGone)?;
        receiver.await.map_err(|_| StoreError::WriterGone)?
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // The sender was dropped before: the thread is at its last batch.
            let _ = thread.join();
        }
    }
}

fn write(mut connection: Connection, calls: &Receiver<Call>) {
    let mut is_busy = false;
    while let Ok(first) = calls.recv() {
        let mut batch: Vec<_> = std::iter::once(first).chain(calls.try_iter()).take(BATCH).collect();
        while is_busy && batch.len() < GATHERED {
            std::thread::sleep(GATHERING);
            let before = batch.len();
            batch.extend(calls.try_iter().take(BATCH - before));
            if batch.len() == before {
                break;
            }
        }
        is_busy = batch.len() > 1;
        commit(&mut connection, batch);
    }
}

fn commit(connection: &mut Connection, batch: Vec<Call>) {
    let mut calls = batch.into_iter();
    let mut done = Vec::with_capacity(calls.len());
    let result = run(connection, &mut calls, &mut done);
    // Each caller learns the reason; the error itself cannot be cloned.
    let reason = result.err().map(|error| error.to_string());
    for reply in done {
        reply(reason.as_deref().map_or(Ok(()), |reason| Err(aborted(reason))));
    }
    for call in calls {
        let _ = call(Err(aborted(reason.as_deref().unwrap_or("the batch ended early"))));
    }
}

fn run(
    connection: &mut Connection,
    calls: &mut impl Iterator<Item = Call>,
    done: &mut Vec<Reply>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Statements of our own instead of rusqlite's savepoints, which are prepared anew for each call.
    let run = |statement| transaction.prepare_cached(statement)?.execute([]);
    for call in calls {
        run("SAVEPOINT one_call")?;
        if let Ok(reply) = call(Ok(&transaction)) {
            done.push(reply);
            run("RELEASE one_call")?;
        } else {
            // Where this fails the whole transaction is gone, as is found next.
            let _ = run("ROLLBACK TO one_call").and_then(|_| run("RELEASE one_call"));
        }
        // A full disk or an I/O error rolls the whole transaction back (SQLite, "Response To Errors Within A
        // Transaction"): what came before is gone too, and what follows must not run outside of one.
        if transaction.is_autocommit() {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
                Some("the transaction was rolled back; is the disk full?".to_owned()),
            ));
        }
    }
    transaction.commit()
}

/// Runs a call; one that panics has failed, and nobody else.
fn caught<T>(
    transaction: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(|| work(transaction))).unwrap_or_else(|panic| Err(StoreError::panicked(&*panic)))
}

fn aborted(reason: &str) -> StoreError {
    StoreError::Aborted(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("feedwatch.db")).unwrap();
        (directory, store)
    }

    fn raise(connection: &Connection, subject: &str) -> Result<(), StoreError> {
        connection.execute("INSERT INTO notice VALUES (?1, 0)", [subject])?;
        Ok(())
    }

    async fn subjects(store: &Store) -> Vec<String> {
        store
            .call(|connection| {
                let mut statement = connection.prepare("SELECT subject FROM notice ORDER BY subject")?;
                Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
            })
            .await
            .unwrap()
    }

    /// Promise P1: a call is there whole or not at all, whatever becomes of those committed with it.
    #[tokio::test]
    async fn a_call_that_fails_or_panics_takes_nothing_with_it() {
        let (_directory, store) = store();
        let good = store.call(|connection| raise(connection, "good"));
        let bad = store.call(|connection| {
            raise(connection, "half")?;
            Err::<(), _>(StoreError::NotFound("no".to_owned()))
        });
        let panics = store.call(|connection| -> Result<(), StoreError> {
            raise(connection, "panic")?;
            panic!("as a test does");
        });
        let late = store.call(|connection| raise(connection, "late"));
        let (good, bad, panics, late) = tokio::join!(good, bad, panics, late);
        assert!(good.is_ok() && late.is_ok());
        assert!(matches!(bad, Err(StoreError::NotFound(_))));
        assert!(matches!(panics, Err(StoreError::Panicked(why)) if why == "as a test does"));
        assert_eq!(subjects(&store).await, ["good", "late"]);
    }

    /// Promise P1: when the disk is full every call of the batch learns it, and nothing of the batch is kept.
    #[tokio::test]
    async fn a_full_disk_fails_the_call_and_keeps_the_store_usable() {
        let (_directory, store) = store();
        store
            .call(|connection| {
                let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
                connection.pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(()))?;
                Ok(())
            })
            .await
            .unwrap();
        let big = store.call(|connection| raise(connection, &"x".repeat(100_000)));
        let small = store.call(|connection| raise(connection, "small"));
        let (big, small) = tokio::join!(big, small);
        assert!(big.is_err());
        let expected: &[&str] = if small.is_ok() { &["small"] } else { &[] };
        assert_eq!(subjects(&store).await, expected);
        store.call(|connection| raise(connection, "later")).await.unwrap();
    }

    /// Promise P7: what a call changed beside the store is undone before another call can see it, whether the call failed
    /// or its commit. Once what was refused was in force until a task woke.
    #[tokio::test]
    async fn what_is_not_kept_is_undone_before_the_next_call() {
        let (_directory, store) = store();
        for (work, kept) in [("SELECT 1", true), ("nonsense", false), ("ROLLBACK", false)] {
            let changed = Arc::new(AtomicBool::new(false));
            let (change, undo, see) = (changed.clone(), changed.clone(), changed);
            let (first, began) = mpsc::channel();
            let (go, may) = mpsc::channel();
            let failing = store.call_or_undo(
                move |connection| {
                    change.store(true, Ordering::SeqCst);
                    first.send(()).unwrap();
                    may.recv().unwrap();
                    Ok(connection.execute_batch(work)?)
                },
                move || undo.store(false, Ordering::SeqCst),
            );
            let (seen, saw) = mpsc::channel();
            let next = async {
                began.recv().unwrap();
                // It waits in the queue while the other one runs.
                let next = store.call(move |_| {
                    seen.send(see.load(Ordering::SeqCst)).unwrap();
                    Ok(())
                });
                let (next, ()) = tokio::join!(next, async {
                    go.send(()).unwrap();
                    // This thread is the one on which the first caller would wake.
                    assert_eq!(saw.recv().unwrap(), kept, "{work}");
                });
                next.unwrap();
            };
            let (failing, ()) = tokio::join!(failing, next);
            assert_eq!(failing.is_ok(), kept, "{work}");
        }
    }

    #[tokio::test]
    async fn what_was_called_is_there_after_opening_again() {
        let (directory, store) = store();
        store.call(|connection| raise(connection, "kept")).await.unwrap();
        drop(store);
        let store = Store::open(&directory.path().join("feedwatch.db")).unwrap();
        assert_eq!(subjects(&store).await, ["kept"]);
    }
}
