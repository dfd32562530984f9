//! Connections: how one is opened and set up, the tables and how a new database gets them, and the
//! pool that readers share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::{self, damaged};
use crate::store::place::{self, Place, make_file};
use crate::store::{StoreError, StoreResult};

/// The database's `application_id`: "sHSM".
const APPLICATION: i64 = 0x7348_534d;
/// The database's `user_version`: the number of the format below.
const FORMAT: i64 = 1;

/// Format 1. Partition and record are 16 bytes, an entry is the 33 bytes of `Entry::to_bytes`, whose
/// order as a blob is the order of entries.
const TABLES: &str = "
    CREATE TABLE records (
        partition BLOB NOT NULL,
        id        BLOB NOT NULL,
        kind      INTEGER NOT NULL,
        revision  INTEGER NOT NULL,
        sealed    BLOB NOT NULL,
        PRIMARY KEY (partition, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
        partition BLOB NOT NULL,
        entry     BLOB NOT NULL,
        mac       BLOB NOT NULL,
        PRIMARY KEY (partition, entry)
    ) STRICT, WITHOUT ROWID;";

/// What every connection is set to.
///
/// `synchronous=NORMAL` syncs where the log begins anew and around what moves it into the database; the
/// sync after a commit is `durable`'s.
/// `mmap_size=0`: a mapped file that is cut off or fails to read would end the process by SIGBUS.
/// The log is moved into the database when it has 16 MiB: each time costs two syncs, and pages that many
/// commits changed are written once. The limit lets it shrink again after a large transaction.
const SETTINGS: &str = "
    PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = ON;
    PRAGMA cell_size_check = ON;
    PRAGMA mmap_size = 0;
    PRAGMA wal_autocheckpoint = 4096;
    PRAGMA journal_size_limit = 16777216;";

/// How long SQLite itself waits for a lock: for recovery and checkpoints of other processes, which
/// the line of writers does not order.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// More than there are statements, so that each is prepared once per connection.
const STATEMENTS: usize = 32;

/// Opens a connection to the database of `place`, which must exist.
pub(super) fn connect(place: &Place) -> StoreResult<Connection> {
    let path = place.main();
    let found = fs::metadata(path).map_err(|error| place::failure(path, error))?;
    if !found.is_file() {
        return Err(damaged(path, "not a regular file"));
    }
    // SQLite takes an empty file for a new database, and deletes the log beside it.
    if found.len() == 0 {
        return Err(damaged(path, "the file is empty"));
    }
    connect_to(path)
}

fn connect_to(path: &Path) -> StoreResult<Connection> {
    let wrong = failure::of(path);
    // No mutex: a connection is used by one thread at a time. No URI: the path is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags).map_err(&wrong)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(&wrong)?;
    // A database file may be forged: nothing in its schema is run.
    for (option, value) in [
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        // Otherwise a range is planned anew for each value that bounds it, and statements are prepared at
        // each use.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ] {
        connection.set_db_config(option, value).map_err(&wrong)?;
    }
    connection.execute_batch(SETTINGS).map_err(&wrong)?;
    Ok(connection)
}

/// Checks that the database is a store of a format known here, with its tables. Never makes any: a
/// store that has lost its tables is damaged, not new.
pub(super) fn check(connection: &Connection, path: &Path) -> StoreResult<()> {
    let number =
        |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failure::of(path));
    let application = number("PRAGMA application_id")?;
    let format = number("PRAGMA user_version")?;
    if application != APPLICATION {
        return Err(damaged(path, "a database, but not a store of softhsm-rs"));
    }
    if format > FORMAT {
        let (found, known) = (format.unsigned_abs(), FORMAT.unsigned_abs());
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known });
    }
    if format != FORMAT {
        return Err(damaged(path, format!("its format number is {format}")));
    }
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('records', 'entries')";
    if number(tables)? != 2 {
        return Err(damaged(path, "a table is missing"));
    }
    // Kept in the file, and so already right, unless somebody changed it with a tool.
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failure::of(path))?;
    if mode != "wal" {
        let detail = format!("its journal mode is {mode} and cannot be made wal");
        return Err(StoreError::Failed { path: path.to_path_buf(), detail });
    }
    Ok(())
}

/// Makes the database. It is built under another name and gets its own when it is complete and on
/// the disk, so that a crash leaves no half of a store, and of two who make one, one is refused.
pub(super) fn create(place: &Place, group: Option<u32>) -> StoreResult<()> {
    let main = place.main();
    if fs::symlink_metadata(main).is_ok() {
        return Err(StoreError::Exists(place.directory().to_path_buf()));
    }
    let draft = Draft { path: place.draft()? };
    make_file(&draft.path, group)?;
    fill(&draft.path)?;
    fs::hard_link(&draft.path, main).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => StoreError::Exists(place.directory().to_path_buf()),
        _ => place::write_failure(main, error),
    })?;
    drop(draft);
    let synced = fs::File::open(place.directory()).and_then(|directory| directory.sync_all());
    synced.map_err(|error| place::write_failure(place.directory(), error))
}

/// Writes the tables of an empty store into the empty file at `path`.
fn fill(path: &Path) -> StoreResult<()> {
    let wrong = failure::of(path);
    let connection = connect_to(path)?;
    connection.execute_batch("PRAGMA page_size = 4096").map_err(&wrong)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(&wrong)?;
    let numbers = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};");
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} {numbers} COMMIT")).map_err(&wrong)?;
    // Into the file itself, with an error if that fails; closing would be silent about it.
    let left: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(&wrong)?;
    if left != 0 {
        return Err(StoreError::Failed { path: path.to_path_buf(), detail: "its log is in use".to_owned() });
    }
    connection.close().map_err(|(_, error)| wrong(error))
}

/// Moves all of the log into the database, synced, and has the next commit begin the log anew.
pub(super) fn begin_log_anew(connection: &Connection, path: &Path) -> StoreResult<()> {
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0))
        .map_err(failure::of(path))?;
    if busy == 0 {
        return Ok(());
    }
    let advice = ": after a failure of the disk its log has to be begun anew, and a reader does not finish";
    Err(StoreError::Busy { path: path.to_path_buf(), advice })
}

/// The file in which a database is built; removed when dropped, with what SQLite put beside it.
struct Draft {
    path: PathBuf,
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            // What is not there need not be removed.
            let _ = fs::remove_file(name);
        }
    }
}

/// Connections that readers share, each used by one at a time.
#[derive(Debug)]
pub(super) struct Pool {
    place: Place,
    idle: Mutex<Vec<Connection>>,
}

/// Connections kept open while nobody reads.
const MOST_IDLE: usize = 16;

impl Pool {
    /// A pool without connections.
    pub(super) fn new(place: Place) -> Pool {
        Pool { place, idle: Mutex::new(Vec::new()) }
    }

    /// Runs `work` with a connection that nobody else uses meanwhile, opened if none is idle.
    pub(super) fn with<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| connect(&self.place), Ok)?;
        let result = work(&connection);
        if is_reusable(&connection) {
            let mut idle = self.idle();
            if idle.len() < MOST_IDLE {
                idle.push(connection);
            }
        }
        result
    }

    /// Closes the connections that are idle.
    pub(super) fn close(&self) {
        std::mem::take(&mut *self.idle()).into_iter().for_each(close_quietly);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Nothing panics while it is locked.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether no transaction was left open on it.
pub(super) fn is_reusable(connection: &Connection) -> bool {
    connection.is_autocommit()
}

/// Closes a connection without the checkpoint that the last one to close makes: before a fork that
/// would cost several syncs, and the log is soon needed again.
pub(super) fn close_quietly(connection: Connection) {
    let skipped = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    let closed = skipped.and(connection.close().map_err(|(_, error)| error));
    if let Err(error) = closed {
        log::warn!("a connection was not closed in order: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path(), "sqlite").unwrap();
        create(&place, None).unwrap();
        (directory, place)
    }

    fn setting(connection: &Connection, name: &str) -> i64 {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn connections_checkpoint_durably_and_wipe_what_they_delete() {
        let (_keep, place) = place();
        let connection = connect(&place).unwrap();
        assert_eq!(setting(&connection, "synchronous"), 1);
        assert_eq!(setting(&connection, "secure_delete"), 1);
        assert_eq!(setting(&connection, "cell_size_check"), 1);
        assert_eq!(setting(&connection, "mmap_size"), 0);
        assert_eq!(setting(&connection, "trusted_schema"), 0);
        assert_eq!(setting(&connection, "page_size"), 4096);
    }

    #[test]
    fn a_new_database_is_one_file_and_nothing_else() {
        let (_keep, place) = place();
        let names: Vec<_> =
            fs::read_dir(place.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["softhsm-rs.sqlite"]);
    }

    #[test]
    fn an_idle_connection_is_used_again() {
        let (_keep, place) = place();
        let pool = Pool::new(place);
        pool.with(|_| StoreResult::Ok(())).unwrap();
        assert_eq!(pool.idle().len(), 1);
        pool.with(|_| {
            assert_eq!(pool.idle().len(), 0);
            StoreResult::Ok(())
        })
        .unwrap();
        assert_eq!(pool.idle().len(), 1);
    }

    #[test]
    fn a_connection_left_in_a_transaction_is_not_used_again() {
        let (_keep, place) = place();
        let pool = Pool::new(place);
        pool.with(|connection| connection.execute_batch("BEGIN").map_err(failure::of(Path::new("x"))))
            .unwrap();
        assert_eq!(pool.idle().len(), 0);
    }
}
