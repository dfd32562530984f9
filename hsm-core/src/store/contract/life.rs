//! Opening again, suspending, resuming.

use super::*;

pub(super) fn a_reopened_store_has_what_was_committed(mut subject: Subject) {
    put_entries(subject.store());
    put(subject.store(), P, id(1), &row(1, "one"));
    let Some(store) = subject.reopened() else { return };
    assert_eq!(get(store, P, id(1)), Some(row(1, "one")));
    assert_eq!(after(store, P, indexed(3, 5, 2).entry, 9), [indexed(3, 200, 0)]);
    put(store, P, id(1), &row(2, "two"));
}

/// Each write is acknowledged for itself, whoever waits for the disk beside it.
pub(super) fn what_many_threads_were_told_is_there_is_there_after_reopening(mut subject: Subject) {
    let store = subject.store();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for number in 0..10 {
                    let id = id(thread * 10 + number);
                    put(store, P, id, &row(1, "told"));
                    assert_eq!(get(store, P, id), Some(row(1, "told")));
                }
            });
        }
    });
    let Some(store) = subject.reopened() else { return };
    assert!((0..80).all(|number| get(store, P, id(number)) == Some(row(1, "told"))));
}

pub(super) fn a_suspended_store_works_after_resume(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    let before = subject.store().generation(P).unwrap();
    for revision in 2..5 {
        subject.store().suspend();
        subject.store().resume();
        assert_eq!(get(subject.store(), P, id(1)).unwrap().revision, revision - 1);
        put(subject.store(), P, id(1), &row(revision, "next"));
    }
    assert_ne!(subject.store().generation(P).unwrap(), before);
}

pub(super) fn a_call_waits_while_the_store_is_suspended(subject: Subject) {
    let resumed = AtomicBool::new(false);
    subject.store().suspend();
    std::thread::scope(|scope| {
        for writes in [false, true] {
            let (subject, resumed) = (&subject, &resumed);
            scope.spawn(move || {
                if writes {
                    put(subject.store(), P, id(1), &row(1, "one"));
                } else {
                    get(subject.store(), P, id(1));
                }
                assert!(resumed.load(Ordering::SeqCst), "ran on a suspended store");
            });
        }
        std::thread::sleep(std::time::Duration::from_millis(30));
        resumed.store(true, Ordering::SeqCst);
        subject.store().resume();
    });
}

pub(super) fn a_suspended_store_can_be_dropped(mut subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    subject.store().suspend();
    let Some(store) = subject.reopened() else { return };
    assert_eq!(get(store, P, id(1)), Some(row(1, "one")));
}

pub(super) fn making_a_store_where_one_is_fails(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    if subject.url != StoreUrl::Memory {
        assert!(matches!(create(&subject.url, None), Err(StoreError::Exists(_))));
    }
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")));
}
