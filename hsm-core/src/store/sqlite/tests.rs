//! What only SQLite's store can show: files that are not as they should be, a full disk, dead
//! writers, and what is left open for a fork.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::store::{Entry, RecordId, Row};

mod durability;

const P: PartitionId = PartitionId([1; 16]);
const ID: RecordId = RecordId([1; 16]);

fn row(revision: u64, length: usize) -> Row {
    Row { kind: 1, revision, sealed: vec![revision as u8; length] }
}

fn put(store: &SqliteStore, id: RecordId, row: &Row) -> crate::Result<()> {
    store.write(P, &mut |writer| Ok(writer.put(P, id, row)?))
}

fn get(store: &SqliteStore, id: RecordId) -> crate::Result<Option<Row>> {
    let mut found = None;
    store.read(&mut |reader| {
        found = reader.get(P, id)?;
        Ok(())
    })?;
    Ok(found)
}

/// A store with a few records, closed in order: everything is in its one file.
struct Closed {
    directory: tempfile::TempDir,
}

impl Closed {
    fn new() -> Closed {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(directory.path(), None).unwrap();
        for number in 0..40 {
            put(&store, RecordId([number; 16]), &row(1, 2000)).unwrap();
        }
        Closed { directory }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("softhsm-rs.sqlite")
    }

    fn open(&self) -> StoreResult<SqliteStore> {
        SqliteStore::open(self.directory.path())
    }

    /// Changes the file as another program would.
    fn by_hand(&self, sql: &str) {
        Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }

    /// Everything that the store answers, or the first failure.
    fn everything(&self) -> crate::Result<()> {
        let store = self.open()?;
        for number in 0..40 {
            assert!(get(&store, RecordId([number; 16]))?.is_some());
        }
        Ok(())
    }
}

fn is_damaged(result: crate::Result<()>, file: &Path) -> bool {
    matches!(result, Err(crate::Error::Store(StoreError::Damaged { path, .. })) if path == file)
}

#[test]
fn an_empty_file_is_damaged_and_its_log_stays() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    put(&store, ID, &row(2, 10)).unwrap();
    store.suspend();
    drop(store);
    let log = closed.directory.path().join("softhsm-rs.sqlite-wal");
    assert!(log.exists());
    fs::write(closed.file(), b"").unwrap();
    assert!(is_damaged(closed.everything(), &closed.file()));
    assert!(log.exists(), "what could still be rescued is not removed");
}

#[test]
fn a_truncated_file_is_damaged() {
    let whole = fs::metadata(Closed::new().file()).unwrap().len();
    for length in [1, 50, 100, 4096, whole / 2, whole - 4096] {
        let closed = Closed::new();
        let file = fs::OpenOptions::new().write(true).open(closed.file()).unwrap();
        file.set_len(length).unwrap();
        assert!(is_damaged(closed.everything(), &closed.file()), "{length} of {whole} bytes");
    }
}

#[test]
fn a_file_that_is_no_database_is_damaged() {
    let closed = Closed::new();
    fs::write(closed.file(), b"This is a letter, and a rather long one.".repeat(500)).unwrap();
    assert!(is_damaged(closed.everything(), &closed.file()));
}

#[test]
fn a_database_of_another_program_is_damaged_and_left_alone() {
    let closed = Closed::new();
    fs::remove_file(closed.file()).unwrap();
    closed.by_hand("CREATE TABLE theirs (x)");
    let before = fs::read(closed.file()).unwrap();
    assert!(is_damaged(closed.everything(), &closed.file()));
    assert_eq!(fs::read(closed.file()).unwrap(), before);
}

#[test]
fn overwritten_pages_are_damaged_when_they_are_read() {
    let closed = Closed::new();
    let mut bytes = fs::read(closed.file()).unwrap();
    bytes[4096 * 4..].fill(0xa5);
    fs::write(closed.file(), bytes).unwrap();
    assert!(is_damaged(closed.everything(), &closed.file()));
}

#[test]
fn a_missing_table_is_damage_and_is_not_made_again() {
    for table in ["records", "entries"] {
        let closed = Closed::new();
        closed.by_hand(&format!("DROP TABLE {table}"));
        assert!(is_damaged(closed.everything(), &closed.file()), "{table}");
        assert!(is_damaged(closed.everything(), &closed.file()), "{table}");
    }
}

#[test]
fn a_table_that_goes_missing_while_open_is_damage() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    closed.by_hand("DROP TABLE records");
    assert!(is_damaged(get(&store, ID).map(drop), &closed.file()));
    assert!(is_damaged(put(&store, ID, &row(2, 1)), &closed.file()));
}

#[test]
fn a_value_of_the_wrong_length_is_damage() {
    let closed = Closed::new();
    closed.by_hand("INSERT INTO entries VALUES (unhex('01010101010101010101010101010101'), x'01aa', x'00')");
    let store = closed.open().unwrap();
    let at = Entry { chain: 1, tag: [0; 16], record: RecordId([0; 16]) };
    let found = store.read(&mut |reader| {
        reader.entries_after(P, at, 9)?;
        Ok(())
    });
    assert!(is_damaged(found, &closed.file()));
}

#[test]
fn a_newer_format_is_named_and_left_alone() {
    let closed = Closed::new();
    closed.by_hand("PRAGMA user_version = 2");
    assert!(matches!(closed.open(), Err(StoreError::Newer { found: 2, known: 1, .. })));
}

#[test]
fn a_directory_in_place_of_the_file_is_damage() {
    let closed = Closed::new();
    fs::remove_file(closed.file()).unwrap();
    fs::create_dir(closed.file()).unwrap();
    assert!(is_damaged(closed.everything(), &closed.file()));
}

#[test]
fn a_store_out_of_the_log_mode_is_put_back_into_it() {
    let closed = Closed::new();
    closed.by_hand("PRAGMA journal_mode = DELETE");
    let store = closed.open().unwrap();
    let writer = store.take_writer().unwrap();
    let mode: String = writer.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

/// Lets the database have at most `more` pages more than now.
fn limit_growth(store: &SqliteStore, more: i64) {
    let writer = store.take_writer().unwrap();
    let pages: i64 = writer.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + more);
    writer.query_row(&limit, [], |_| Ok(())).unwrap();
    *store.writer.lock().unwrap() = Some(writer);
}

fn is_full(result: &crate::Result<()>) -> bool {
    matches!(result, Err(crate::Error::Store(StoreError::Full(_))))
}

#[test]
fn a_full_disk_refuses_the_write_and_loses_nothing() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    limit_growth(&store, 3);
    let other = RecordId([99; 16]);
    assert!(is_full(&put(&store, other, &row(1, 100_000))));
    assert_eq!(get(&store, other).unwrap(), None);
    limit_growth(&store, 1000);
    put(&store, other, &row(1, 100_000)).unwrap();
    drop(store);
    closed.everything().unwrap();
}

#[test]
fn after_a_full_disk_a_body_that_goes_on_commits_nothing() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    limit_growth(&store, 3);
    let ignored = store.write(P, &mut |writer| {
        writer.put(P, RecordId([98; 16]), &row(1, 10))?;
        assert!(matches!(writer.put(P, RecordId([99; 16]), &row(1, 100_000)), Err(StoreError::Full(_))));
        assert!(writer.put(P, RecordId([97; 16]), &row(1, 10)).is_err());
        Ok(())
    });
    assert!(ignored.is_err());
    for number in [97, 98, 99] {
        assert_eq!(get(&store, RecordId([number; 16])).unwrap(), None);
    }
}

/// Names of the files of `directory` that this process has open.
fn open_files(directory: &Path) -> Vec<PathBuf> {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(directory)).collect()
}

#[test]
fn a_suspended_store_has_no_file_open() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    put(&store, ID, &row(2, 10)).unwrap();
    get(&store, ID).unwrap();
    store.generation(P).unwrap();
    let directory = closed.directory.path().canonicalize().unwrap();
    assert!(open_files(&directory).len() > 3);
    store.suspend();
    assert_eq!(open_files(&directory), Vec::<PathBuf>::new());
    assert_eq!(store.generation(P).unwrap(), None);
    assert_eq!(open_files(&directory), Vec::<PathBuf>::new());
    store.resume();
    assert_eq!(get(&store, ID).unwrap(), Some(row(2, 10)));
}

#[test]
fn dropping_a_suspended_store_touches_no_file() {
    let closed = Closed::new();
    let parent = closed.open().unwrap();
    put(&parent, ID, &row(2, 10)).unwrap();
    parent.suspend();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(closed.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap()))
            .collect();
        names.sort();
        names
    };
    let before = names();
    drop(parent);
    assert_eq!(names(), before);
}

#[test]
fn a_reader_sets_the_counter_of_a_dead_writer_right() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    let before = store.generation(P).unwrap().unwrap();
    std::mem::forget(store.counters.begin([P]).unwrap());
    let after = store.generation(P).unwrap();
    assert!(after.is_some() && after != Some(before));
    assert_eq!(store.generation(P).unwrap(), after, "once");
}

#[test]
fn a_counter_under_way_is_left_to_its_writer() {
    let closed = Closed::new();
    let (store, other) = (closed.open().unwrap(), closed.open().unwrap());
    let writing = other.right_to_write().unwrap();
    let moving = other.counters.begin([P]).unwrap();
    assert_eq!(store.generation(P).unwrap(), None);
    drop((moving, writing));
    assert!(store.generation(P).unwrap().is_some());
}

#[test]
fn a_store_copied_without_its_counters_gets_new_ones() {
    let closed = Closed::new();
    let before = closed.open().unwrap().generation(P).unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(closed.file(), copy.path().join("softhsm-rs.sqlite")).unwrap();
    let store = SqliteStore::open(copy.path()).unwrap();
    let new = store.generation(P).unwrap();
    assert!(new.is_some() && new != before);
    assert_eq!(get(&store, ID).unwrap(), Some(row(1, 2000)));
}

#[test]
fn a_partition_that_is_not_there_gets_no_counter_file() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    assert_eq!(store.generation(PartitionId([9; 16])).unwrap(), None);
    store.write(P, &mut |writer| Ok(writer.remove_partition(P)?)).unwrap();
    assert_eq!(store.generation(P).unwrap(), None);
    let files = fs::read_dir(closed.directory.path()).unwrap();
    let names: Vec<_> = files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.ends_with(".generation")), "{names:?}");
}

/// A store whose log holds `writes` transactions, left as a killed process leaves it.
fn with_log(writes: u64) -> Closed {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    for revision in 2..2 + writes {
        put(&store, ID, &row(revision, 2000)).unwrap();
    }
    store.suspend();
    closed
}

fn ignores_commits(closed: &Closed) -> bool {
    let log = closed.directory.path().join("softhsm-rs.sqlite-wal");
    let store = closed.open().unwrap();
    store.readers.with(|connection| StoreResult::Ok(log_tail::has_ignored_commit(connection, &log))).unwrap()
}

#[test]
fn damage_inside_the_log_is_noticed() {
    let closed = with_log(10);
    let log = closed.directory.path().join("softhsm-rs.sqlite-wal");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    assert!(ignores_commits(&closed));
}

#[test]
fn a_whole_log_is_not_reported() {
    assert!(!ignores_commits(&with_log(10)));
    assert!(!ignores_commits(&Closed::new()));
}

#[test]
fn frames_of_an_earlier_use_of_the_log_are_not_reported() {
    let closed = with_log(20);
    let store = closed.open().unwrap();
    let writer = store.take_writer().unwrap();
    writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    put(&store, ID, &row(22, 10)).unwrap();
    assert!(!ignores_commits(&closed));
}
