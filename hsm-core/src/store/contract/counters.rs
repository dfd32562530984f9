//! Change counters: which commits move them.

use super::*;

pub(super) fn the_counter_moves_with_each_commit_of_its_partition(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "x"));
    put(subject.store(), Q, id(1), &row(1, "x"));
    let of_q = subject.store().generation(Q).unwrap();
    let mut seen = vec![subject.store().generation(P).unwrap().unwrap()];
    for revision in 2..10 {
        put(subject.store(), P, id(1), &row(revision, "x"));
        let now = subject.store().generation(P).unwrap().unwrap();
        assert!(!seen.contains(&now));
        seen.push(now);
    }
    assert_eq!(subject.store().generation(Q).unwrap(), of_q);
    assert!(of_q.is_some());
}

pub(super) fn the_counter_stays_when_nothing_is_committed(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "x"));
    let before = subject.store().generation(P).unwrap();
    assert!(before.is_some());
    assert!(is_conflict(&write(subject.store(), |w| {
        w.put(P, id(2), &row(1, "y"))?;
        w.put(P, id(1), &row(7, "x"))
    })));
    get(subject.store(), P, id(1));
    assert_eq!(subject.store().generation(P).unwrap(), before);
}

pub(super) fn the_counter_of_another_partition_that_is_written_moves_too(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "x"));
    put(subject.store(), Q, id(1), &row(1, "x"));
    let before = subject.store().generation(Q).unwrap();
    write(subject.store(), |w| w.remove(Q, id(1), 1)).unwrap();
    assert_ne!(subject.store().generation(Q).unwrap(), before);
}

pub(super) fn the_counter_of_a_partition_that_is_touched_moves(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "x"));
    put(subject.store(), Q, id(1), &row(1, "x"));
    let before = [P, Q].map(|partition| subject.store().generation(partition).unwrap());
    write(subject.store(), |w| {
        w.touch(Q);
        Ok(())
    })
    .unwrap();
    let after = [P, Q].map(|partition| subject.store().generation(partition).unwrap());
    assert!(after[1].is_some() && after[1] != before[1]);
    assert_eq!(get(subject.store(), Q, id(1)), Some(row(1, "x")));
}

/// What a cache relies on: the same number before and after a read means the same data.
pub(super) fn a_counter_that_stands_still_means_unchanged_data(subject: Subject) {
    let store = subject.store();
    put(store, P, id(1), &row(1, "x"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for revision in 2..120 {
                put(store, P, id(1), &row(revision, "x"));
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut seen = std::collections::HashMap::new();
        while !done.load(Ordering::SeqCst) {
            let before = store.generation(P).unwrap();
            let revision = get(store, P, id(1)).unwrap().revision;
            let after = store.generation(P).unwrap();
            if let Some(number) = before.filter(|_| before == after) {
                assert_eq!(*seen.entry(number).or_insert(revision), revision, "under counter {number}");
            }
        }
    });
}
