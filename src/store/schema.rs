//! Opening the file: is it ours, is it current, is it free.

use super::StoreError;
use crate::core::page;
use rusqlite::{Connection, OpenFlags, Transaction};
use rusqlite_migration::{HookResult, M, Migrations};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// `PRAGMA application_id` of every store: `fwch` in ASCII.
const APPLICATION_ID: i32 = 0x6677_6368;

const MIGRATIONS: [&str; 10] = [
    include_str!("../../migrations/0001_initial.sql"),
    include_str!("../../migrations/0002_second_keys_and_stories.sql"),
    include_str!("../../migrations/0003_feed_health.sql"),
    include_str!("../../migrations/0004_rule_versions.sql"),
    include_str!("../../migrations/0005_full_text.sql"),
    include_str!("../../migrations/0006_local_indexes.sql"),
    include_str!("../../migrations/0007_validators_absence_and_checks.sql"),
    include_str!("../../migrations/0008_open_baseline.sql"),
    include_str!("../../migrations/0009_mails_in_sending.sql"),
    include_str!("../../migrations/0010_editions_cut.sql"),
];

/// Returns the migrations, with what SQL cannot do.
fn migrations() -> Migrations<'static> {
    let migrations = MIGRATIONS.iter().enumerate().map(|(index, sql)| match index {
        1 => M::up_with_hook(sql, put_in_places),
        _ => M::up(sql),
    });
    Migrations::new(migrations.collect())
}

/// Tells for the articles of an older store where they are.
fn put_in_places(transaction: &Transaction<'_>) -> HookResult {
    let mut articles = transaction.prepare("SELECT id, canonical_url FROM article WHERE canonical_url IS NOT NULL")?;
    let mut put = transaction.prepare("UPDATE article SET place = ?2 WHERE id = ?1")?;
    let mut rows = articles.query([])?;
    while let Some(row) = rows.next()? {
        let (id, url): (i64, String) = (row.get(0)?, row.get(1)?);
        put.execute((id, page::place(&url)))?;
    }
    Ok(())
}

/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The right to work on a store: an advisory lock on the file beside it, held until dropped.
#[derive(Debug)]
pub struct Lock {
    // Held for its lock alone; the lock ends with the process, however that ends.
    _file: File,
}

impl Lock {
    /// Takes the lock, or tells who has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Unusable`] when the file cannot be made.
    pub fn acquire(store: &Path) -> Result<Self, StoreError> {
        create_directory(store)?;
        let path = lock_path(store);
        let failed = |error: std::io::Error| StoreError::Unusable {
            path: store.to_owned(),
            reason: format!("its lock file {} cannot be taken: {error}", path.display()),
        };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = holder(&mut file).unwrap_or_else(|| "unknown".to_owned());
                return Err(StoreError::Locked { path: store.to_owned(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// Returns the process id of whoever holds the lock of a store now.
    pub fn holder(store: &Path) -> Option<u32> {
        let mut file = OpenOptions::new().read(true).open(lock_path(store)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => holder(&mut file)?.parse().ok(),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

fn holder(file: &mut File) -> Option<String> {
    let mut pid = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(32).read_to_string(&mut pid).ok()?;
    Some(pid.trim().to_owned()).filter(|pid| !pid.is_empty())
}

fn lock_path(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn create_directory(store: &Path) -> Result<(), StoreError> {
    let Some(parent) = store.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(parent).map_err(|error| StoreError::Unusable {
        path: store.to_owned(),
        reason: format!("its directory {} cannot be made: {error}", parent.display()),
    })
}

/// Opens the store for writing, creates it where there is none and brings an older one up to date.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    create_directory(path)?;
    create_private(path)?;
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let new = is_new(&connection).map_err(|error| unreadable(path, &error))?;
    if !new {
        verify(&connection, path)?;
    }
    let prepare = |connection: &Connection| -> rusqlite::Result<()> {
        // FULL: a commit survives the loss of power, not only that of the process.
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Pages that each batch of a round changes again are written back once for many batches.
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        // Negative: KiB. More brings nothing to rounds of ten thousand feeds: what a feed's articles change lies together.
        connection.pragma_update(None, "cache_size", -8_000)?;
        // What a savepoint needs in order to be rolled back; in a file it would be written for each feed.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "foreign_keys", true)
    };
    prepare(&connection).map_err(|error| unreadable(path, &error))?;
    migrations().to_latest(&mut connection).map_err(|error| StoreError::Unusable {
        path: path.to_owned(),
        reason: format!("it could not be brought up to date and was left as it was: {error}"),
    })?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens the store for reading beside whoever writes.
///
/// # Errors
///
/// [`StoreError::Missing`] when there is none, [`StoreError::Unusable`] when it is not ours or not of this version.
pub fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    // Read-write, because a reader of a WAL database may have to make its shared-memory file.
    let connection =
        open(path, OpenFlags::SQLITE_OPEN_READ_WRITE).or_else(|_| open(path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    if is_new(&connection).map_err(|error| unreadable(path, &error))? {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let version = verify(&connection, path)?;
    if version < current_version() {
        return Err(StoreError::Unusable {
            path: path.to_owned(),
            reason:
                "it is of an older feedwatch: restart the daemon (or `feedwatch run --once`) to bring it up to date"
                    .to_owned(),
        });
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    if path.is_dir() {
        let reason = "it is a directory: `store.path` names a file".to_owned();
        return Err(StoreError::Unusable { path: path.to_owned(), reason });
    }
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| unreadable(path, &error))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| unreadable(path, &error))?;
    Ok(connection)
}

/// Makes an empty file that only its owner may read: it holds what people watch for.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unusable {
            path: path.to_owned(),
            reason: format!("it cannot be made: {error}; is the directory writable for this user?"),
        }),
    }
}

fn is_new(connection: &Connection) -> rusqlite::Result<bool> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    Ok(pages == 0)
}

/// Checks that the file is a store of ours and not newer than this program; returns its schema version.
fn verify(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let number = |name: &str| -> Result<i64, StoreError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|error| unreadable(path, &error))
    };
    if number("application_id")? != i64::from(APPLICATION_ID) {
        return Err(StoreError::Unusable {
            path: path.to_owned(),
            reason: "it is a database of another program; give `store.path` a file of its own".to_owned(),
        });
    }
    let version = number("user_version")?;
    if version > current_version() {
        return Err(StoreError::Unusable {
            path: path.to_owned(),
            reason: format!(
                "it is of a newer feedwatch (schema {version}, this program knows {}): install that version, or restore \
                 the backup that was made before the upgrade",
                current_version()
            ),
        });
    }
    Ok(version)
}

fn current_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

fn unreadable(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase, PermissionDenied, ReadOnly};
    let remedy = match error.sqlite_error_code() {
        Some(NotADatabase) => "it is no SQLite database; give `store.path` another file, or restore a backup",
        Some(DatabaseCorrupt) => "restore a backup, or salvage it with `sqlite3 FILE .recover`; it was left as it is",
        Some(CannotOpen | PermissionDenied | ReadOnly) => {
            "is it a file, and may this user read and write it and its directory?"
        }
        _ => "it was left as it is",
    };
    StoreError::Unusable { path: path.to_owned(), reason: format!("{error}; {remedy}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        article::{Article, ArticleKey, Item, TextHash},
        feed::FeedId,
    };
    use crate::store::{article, retention, story};
    use jiff::Timestamp;
    use std::fs;

    fn reason(result: Result<Connection, StoreError>) -> String {
        result.map(|_| ()).unwrap_err().to_string()
    }

    /// Returns a store as an older version left it.
    fn older(version: usize, rows: &str) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations().to_version(&mut connection, version).unwrap();
        connection.execute_batch(rows).unwrap();
        connection
    }

    #[test]
    fn migrations_are_valid() {
        migrations().validate().unwrap();
    }

    /// FEEDS C5: articles of an older store are known again by their pages, too.
    #[test]
    fn the_articles_of_an_older_store_are_put_in_their_places() {
        let mut connection = older(
            1,
            "INSERT INTO feed (url, configured, next_poll_at, next_poll_reason) VALUES ('f', 1, 0, '');
                 INSERT INTO article (id, feed_id, key, canonical_url, title, summary, content, author, category,
                     text_hash, first_seen_at, changed_at, backlog)
                 VALUES (1, 1, 'a', 'https://e.example/a', '', '', '', '', '', zeroblob(32), 0, 0, 0),
                        (2, 1, 'b', NULL, '', '', '', '', '', zeroblob(32), 0, 0, 0);",
        );
        migrations().to_latest(&mut connection).unwrap();
        let mut statement = connection.prepare("SELECT place FROM article ORDER BY id").unwrap();
        let places: Vec<Option<i64>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(places, [page::place("https://e.example/a"), None]);
    }

    /// FEEDS A5: validators that an older store kept as text go on as the same bytes.
    #[test]
    fn the_validators_of_an_older_store_are_kept() {
        let mut connection = older(
            5,
            "INSERT INTO feed (url, configured, next_poll_at, next_poll_reason, etag, last_modified, last_poll_at)
                 VALUES ('a', 1, 0, '', '\"é\"', 'then', 7), ('b', 0, 0, '', NULL, NULL, 8);",
        );
        migrations().to_latest(&mut connection).unwrap();
        type Row = (Option<Vec<u8>>, Option<Vec<u8>>, Option<i64>);
        let mut statement = connection.prepare("SELECT etag, last_modified, left_at FROM feed ORDER BY url").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let rows: Vec<Row> = rows.unwrap().map(Result::unwrap).collect();
        let kept = (Some("\"é\"".as_bytes().to_vec()), Some(b"then".to_vec()), None);
        assert_eq!(rows, [kept, (None, None, Some(8))]);
    }

    /// Promise P2: a mail that an older version was sending when it was killed is in doubt as it was.
    #[test]
    fn a_mail_that_was_under_way_in_an_older_store_stays_in_doubt() {
        let mut connection = older(
            8,
            "INSERT INTO outbox (sender, recipient, message_id, subject, message, created_at, state, attempt_started_at)
                 VALUES ('a', 'b', '1', '', x'', 5, 'waiting', 6), ('a', 'b', '2', '', x'', 5, 'waiting', NULL);",
        );
        migrations().to_latest(&mut connection).unwrap();
        let mails = crate::store::outbox::list(&connection, true).unwrap();
        let in_doubt: Vec<_> = mails.iter().map(|mail| mail.in_doubt_since.map(Timestamp::as_millisecond)).collect();
        assert_eq!(in_doubt, [Some(6), None]);
    }

    /// FEEDS C1, C5, C12: articles of a store from before the indexes were made local are found by all that finds others.
    #[test]
    fn the_articles_of_an_older_store_are_found_as_others_are() {
        let mut connection = older(
            5,
            "INSERT INTO feed (id, url, configured, next_poll_at, next_poll_reason)
                 VALUES (1, 'f', 1, 0, ''), (2, 'g', 1, 0, '');
                 INSERT INTO article (id, feed_id, key, canonical_url, title, summary, content, author, category,
                     text_hash, first_seen_at, changed_at, backlog, cleared_at)
                 VALUES (1, 1, 'a', NULL, 'same', '', '', '', '', zeroblob(32), 5, 5, 0, NULL),
                        (2, 1, 'b', NULL, 'cleared', '', '', '', '', zeroblob(32), 5, 5, 0, 6);",
        );
        connection.execute("UPDATE article SET place = ?1 WHERE id = 1", [page::place("https://e.example/a")]).unwrap();
        migrations().to_latest(&mut connection).unwrap();
        let now = Timestamp::from_second(1).unwrap();
        let (one, two) = (FeedId::from_row(1), FeedId::from_row(2));
        // The guid of another feed is a link to the page; the text is that of the older articles.
        let item = Item { guid: Some("https://e.example/a".to_owned()), ..Item::default() };
        let key = ArticleKey::from_store("guid:a".to_owned());
        let article = Article { key, canonical_url: None, text_hash: TextHash([0; 32]), item };
        let elsewhere = story::elsewhere(&connection, two, [article.places()].into_iter(), now).unwrap();
        assert_eq!(elsewhere.iter().map(|other| other.id.row()).collect::<Vec<_>>(), [1]);
        let alike = article::alike(&connection, one, [&article].into_iter()).unwrap();
        assert_eq!(alike.iter().map(|known| known.id.row()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(article::alike(&connection, two, [&article].into_iter()).unwrap(), []);
        let recent = story::recent(&connection, one, now).unwrap();
        assert_eq!(recent.iter().map(|known| known.title.as_str()).collect::<Vec<_>>(), ["same"]);
        let cleared = retention::clear(&connection, now, 9, now).unwrap();
        assert_eq!(cleared.articles, 1);
    }

    #[test]
    fn creates_a_private_store_and_opens_it_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/feedwatch.db");
        assert!(matches!(open_reader(&path), Err(StoreError::Missing(_))));
        drop(open_writer(&path).unwrap());
        drop(open_writer(&path).unwrap());
        let connection = open_reader(&path).unwrap();
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    /// Promise P1: what cannot be read is refused with the remedy and never recreated.
    #[test]
    fn refuses_what_is_not_ours_and_leaves_it_untouched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("feedwatch.db");
        type Make = Box<dyn Fn(&Path)>;
        let cases: [(&str, Make, &str); 4] = [
            ("foreign", Box::new(|path| foreign(path, 42, 1)), "another program"),
            ("newer", Box::new(|path| foreign(path, APPLICATION_ID, 999)), "newer feedwatch"),
            (
                "text",
                Box::new(|path| fs::write(path, "a text that is no database at all".repeat(99)).unwrap()),
                "no SQLite",
            ),
            ("directory", Box::new(|path| fs::create_dir(path).unwrap()), "it is a directory"),
        ];
        for (name, make, expected) in cases {
            make(&path);
            let before = fs::read(&path).ok();
            assert!(reason(open_writer(&path)).contains(expected), "{name}: {}", reason(open_writer(&path)));
            assert!(reason(open_reader(&path)).contains(expected), "{name}: {}", reason(open_reader(&path)));
            assert_eq!(fs::read(&path).ok(), before, "{name}");
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir(&path);
        }
    }

    fn foreign(path: &Path, application: i32, version: i32) {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        connection.pragma_update(None, "application_id", application).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    }

    #[test]
    fn a_second_lock_is_refused_with_the_holder() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("feedwatch.db");
        assert_eq!(Lock::holder(&path), None);
        let first = Lock::acquire(&path).unwrap();
        assert!(
            matches!(Lock::acquire(&path), Err(StoreError::Locked { pid, .. }) if pid == std::process::id().to_string())
        );
        assert_eq!(Lock::holder(&path), Some(std::process::id()));
        drop(first);
        assert_eq!(Lock::holder(&path), None);
        Lock::acquire(&path).unwrap();
    }
}
