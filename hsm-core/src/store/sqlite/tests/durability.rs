//! Writes and the disk: how many share a sync, who waits for one, and what follows when it fails. The
//! disk is made slow or bad by putting another function in the place of the sync.

use std::io;
use std::time::{Duration, Instant};

use super::*;

/// Longer than several commits take.
const SLOW: Duration = Duration::from_millis(5);

fn slow(log: &File) -> io::Result<()> {
    std::thread::sleep(SLOW);
    log.sync_data()
}

fn bad(_: &File) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()))
}

fn with_sync(closed: &Closed, sync: fn(&File) -> io::Result<()>) -> SqliteStore {
    SqliteStore { sync, ..closed.open().unwrap() }
}

fn is_unconfirmed(result: &crate::Result<()>) -> bool {
    matches!(result, Err(crate::Error::Store(StoreError::Unconfirmed { .. })))
}

#[test]
fn many_writers_share_syncs() {
    let closed = Closed::new();
    let store = with_sync(&closed, slow);
    std::thread::scope(|scope| {
        for thread in 100..108 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..50 {
                    let mut id = [thread; 16];
                    id[15] = number;
                    put(store, RecordId(id), &row(1, 1000)).unwrap();
                }
            });
        }
    });
    let syncs = store.syncs();
    assert!((50..=200).contains(&syncs), "{syncs} syncs for 400 writes");
}

#[test]
fn a_writer_alone_has_a_sync_for_each_write() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    for write in 1..=20 {
        put(&store, ID, &row(1 + write, 10)).unwrap();
        assert_eq!(store.syncs(), write);
    }
}

#[test]
fn what_may_be_late_waits_for_no_sync_and_the_next_write_covers_it() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    store.write_soon(P, &mut |writer| Ok(writer.put(P, ID, &row(2, 10))?)).unwrap();
    assert_eq!(store.syncs(), 0);
    assert_eq!(get(&store, ID).unwrap(), Some(row(2, 10)));
    put(&store, ID, &row(3, 10)).unwrap();
    assert_eq!(store.syncs(), 1);
}

#[test]
fn a_write_that_is_rolled_back_waits_for_no_sync() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    assert!(put(&store, ID, &row(7, 10)).is_err());
    assert_eq!(store.syncs(), 0);
}

#[test]
fn the_next_writer_does_not_wait_for_the_sync_of_the_one_before() {
    fn very_slow(_: &File) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(500));
        Ok(())
    }
    let closed = Closed::new();
    let store = with_sync(&closed, very_slow);
    std::thread::scope(|scope| {
        scope.spawn(|| put(&store, ID, &row(2, 10)).unwrap());
        while get(&store, ID).unwrap() != Some(row(2, 10)) {
            std::thread::yield_now();
        }
        let began = Instant::now();
        let other = closed.open().unwrap();
        other.write_soon(P, &mut |writer| Ok(writer.put(P, RecordId([99; 16]), &row(1, 10))?)).unwrap();
        assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
        assert_eq!(store.syncs(), 0, "the first writer still waits");
    });
}

#[test]
fn a_suspend_waits_for_the_sync() {
    fn slow_enough(log: &File) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(200));
        log.sync_data()
    }
    let closed = Closed::new();
    let store = with_sync(&closed, slow_enough);
    std::thread::scope(|scope| {
        scope.spawn(|| put(&store, ID, &row(2, 10)).unwrap());
        while get(&store, ID).unwrap() != Some(row(2, 10)) {
            std::thread::yield_now();
        }
        store.suspend();
        assert_eq!(store.syncs(), 1);
        store.resume();
    });
}

#[test]
fn a_change_that_the_disk_did_not_confirm_is_there_and_reported() {
    let closed = Closed::new();
    let store = with_sync(&closed, bad);
    let outcome = put(&store, ID, &row(2, 10));
    assert!(is_unconfirmed(&outcome), "{outcome:?}");
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("Input/output error") && text.contains("power failure"), "{text}");
    assert_eq!(get(&store, ID).unwrap(), Some(row(2, 10)));
}

#[test]
fn after_a_failed_sync_the_log_begins_anew_before_anything_is_acknowledged() {
    let closed = Closed::new();
    let mut store = with_sync(&closed, bad);
    assert!(is_unconfirmed(&put(&store, ID, &row(2, 2000))));
    store.sync = File::sync_data;
    put(&store, ID, &row(3, 2000)).unwrap();
    // The database alone has what the failed sync was for: the log holds the one write after it.
    let copy = tempfile::tempdir().unwrap();
    fs::copy(closed.file(), copy.path().join("softhsm-rs.sqlite")).unwrap();
    let other = SqliteStore::open(copy.path()).unwrap();
    assert_eq!(get(&other, ID).unwrap(), Some(row(2, 2000)));
    assert_eq!(get(&store, ID).unwrap(), Some(row(3, 2000)));
}

#[test]
fn after_a_failed_sync_a_reader_that_keeps_the_log_in_use_delays_writes_and_loses_nothing() {
    let closed = Closed::new();
    let mut store = with_sync(&closed, bad);
    assert!(is_unconfirmed(&put(&store, ID, &row(2, 10))));
    store.sync = File::sync_data;
    let writer = store.take_writer().unwrap();
    writer.busy_timeout(Duration::from_millis(10)).unwrap();
    *store.writer.lock().unwrap() = Some(writer);
    let other = closed.open().unwrap();
    let reading = other.read(&mut |reader| {
        reader.get(P, ID)?;
        let refused = put(&store, ID, &row(3, 10));
        assert!(matches!(refused, Err(crate::Error::Store(StoreError::Busy { .. }))), "{refused:?}");
        Ok(())
    });
    reading.unwrap();
    assert_eq!(get(&store, ID).unwrap(), Some(row(2, 10)), "what was refused is not there");
    put(&store, ID, &row(3, 10)).unwrap();
}

#[test]
fn a_log_that_was_checkpointed_and_deleted_in_between_is_synced_again() {
    let closed = Closed::new();
    let store = closed.open().unwrap();
    put(&store, ID, &row(2, 10)).unwrap();
    store.suspend();
    drop(closed.open().unwrap());
    assert!(!closed.directory.path().join("softhsm-rs.sqlite-wal").exists());
    store.resume();
    put(&store, ID, &row(3, 10)).unwrap();
    assert_eq!(store.syncs(), 2);
}

#[test]
fn the_log_is_found_where_a_symbolic_link_leads() {
    let closed = Closed::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("real");
    fs::rename(closed.file(), &target).unwrap();
    std::os::unix::fs::symlink(&target, closed.file()).unwrap();
    let store = closed.open().unwrap();
    put(&store, ID, &row(2, 10)).unwrap();
    assert!(elsewhere.path().join("real-wal").exists());
    assert_eq!(store.syncs(), 1);
}
