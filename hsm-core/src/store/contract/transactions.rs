//! Transactions: all or nothing, one moment, one writer after the other.

use super::*;

/// A store with a record and an entry, and a body that changes everything about them.
fn change_everything(writer: &mut dyn Writer) -> StoreResult<()> {
    writer.put(P, id(1), &row(2, "changed"))?;
    writer.put(P, id(2), &row(1, "new"))?;
    writer.remove_entry(P, indexed(1, 1, 1).entry)?;
    writer.put_entry(P, &indexed(1, 2, 2))?;
    writer.remove_partition(Q)
}

fn put_something(store: &dyn Store) {
    put(store, P, id(1), &row(1, "kept"));
    put(store, Q, id(1), &row(1, "kept too"));
    write(store, |w| w.put_entry(P, &indexed(1, 1, 1))).unwrap();
}

fn assert_nothing_changed(store: &dyn Store) {
    assert_eq!(get(store, P, id(1)), Some(row(1, "kept")));
    assert_eq!(get(store, P, id(2)), None);
    assert_eq!(get(store, Q, id(1)), Some(row(1, "kept too")));
    assert_eq!(after(store, P, indexed(1, 0, 0).entry, 9), [indexed(1, 1, 1)]);
}

pub(super) fn an_error_rolls_everything_back(subject: Subject) {
    put_something(subject.store());
    let refused = subject.store().write(P, &mut |writer| {
        change_everything(writer)?;
        Err(Error::NoSuchObject)
    });
    assert!(matches!(refused, Err(Error::NoSuchObject)));
    assert_nothing_changed(subject.store());
}

pub(super) fn a_panic_rolls_everything_back(subject: Subject) {
    put_something(subject.store());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        write(subject.store(), |writer| {
            change_everything(writer)?;
            panic!("in the middle of a write, as this test wants it")
        })
    }));
    assert!(panicked.is_err());
    assert_nothing_changed(subject.store());
    put(subject.store(), P, id(1), &row(2, "goes on"));
}

pub(super) fn a_write_reads_what_it_wrote(subject: Subject) {
    put_something(subject.store());
    let body = |writer: &mut dyn Writer| {
        change_everything(writer)?;
        assert_eq!(writer.get(P, id(1))?, Some(row(2, "changed")));
        assert_eq!(writer.revision(P, id(2))?, Some(1));
        assert_eq!(writer.get(Q, id(1))?, None);
        writer.remove(P, id(2), 1)?;
        assert_eq!(writer.get(P, id(2))?, None);
        Ok(())
    };
    write(subject.store(), body).unwrap();
}

/// Two records always hold the same revision; a reader never sees them differ, however long it reads.
pub(super) fn a_read_is_of_one_moment(subject: Subject) {
    let store = subject.store();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for revision in 1..40 {
                let body = |writer: &mut dyn Writer| {
                    writer.put(P, id(1), &row(revision, "a"))?;
                    writer.put(P, id(2), &row(revision, "b"))
                };
                write(store, body).unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            let body = &mut |reader: &mut dyn Reader| {
                let first = reader.revision(P, id(1))?;
                std::thread::sleep(std::time::Duration::from_micros(300));
                assert_eq!(first, reader.revision(P, id(2))?);
                assert_eq!(first, reader.revision(P, id(1))?);
                Ok(())
            };
            store.read(body).unwrap();
        }
    });
}

pub(super) fn no_update_of_many_threads_is_lost(subject: Subject) {
    let store = subject.store();
    put(store, P, id(1), &row(1, "0"));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let body = |writer: &mut dyn Writer| {
                        let old = writer.get(P, id(1))?.unwrap();
                        let count: u64 = std::str::from_utf8(&old.sealed).unwrap().parse().unwrap();
                        writer.put(P, id(1), &row(old.revision + 1, &(count + 1).to_string()))
                    };
                    write(store, body).unwrap();
                }
            });
        }
    });
    assert_eq!(get(store, P, id(1)), Some(row(121, "120")));
}

pub(super) fn a_read_inside_a_read_works_while_others_write(subject: Subject) {
    let store = subject.store();
    put(store, P, id(1), &row(1, "x"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut revision = 2;
            while !done.load(Ordering::SeqCst) {
                put(store, P, id(1), &row(revision, "x"));
                revision += 1;
            }
        });
        for _ in 0..20 {
            assert!(read(store, |_| Ok(get(store, P, id(1)))).is_some());
        }
        done.store(true, Ordering::SeqCst);
    });
}
