//! Records: what is put is read, and revisions keep two writers from overwriting each other.

use super::*;

pub(super) fn a_record_is_read_as_it_was_put(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    put(subject.store(), P, id(1), &row(2, "two"));
    assert_eq!(get(subject.store(), P, id(1)), Some(row(2, "two")));
    assert_eq!(read(subject.store(), |reader| reader.revision(P, id(1))), Some(2));
}

pub(super) fn an_empty_and_a_large_record_are_kept(subject: Subject) {
    let empty = Row { kind: 0, revision: 1, sealed: Vec::new() };
    let large = Row { kind: 255, revision: 1, sealed: (0..300_000_u32).map(|n| n as u8).collect() };
    put(subject.store(), P, id(0), &empty);
    put(subject.store(), P, id(255), &large);
    assert_eq!(get(subject.store(), P, id(0)), Some(empty));
    assert_eq!(get(subject.store(), P, id(255)), Some(large));
}

pub(super) fn a_record_that_is_not_there_is_none(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    assert_eq!(get(subject.store(), P, id(2)), None);
    assert_eq!(read(subject.store(), |reader| reader.revision(P, id(2))), None);
}

pub(super) fn a_revision_that_is_not_the_next_is_a_conflict(subject: Subject) {
    for wrong in [0, 2, u64::MAX] {
        assert!(is_conflict(&write(subject.store(), |w| w.put(P, id(1), &row(wrong, "x")))), "{wrong}");
    }
    put(subject.store(), P, id(1), &row(1, "one"));
    for wrong in [0, 1, 3, u64::MAX] {
        assert!(is_conflict(&write(subject.store(), |w| w.put(P, id(1), &row(wrong, "x")))), "{wrong}");
    }
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")));
}

pub(super) fn a_conflict_leaves_the_transaction_usable(subject: Subject) {
    let body = |writer: &mut dyn Writer| {
        assert!(matches!(writer.put(P, id(1), &row(5, "x")), Err(StoreError::Conflict)));
        writer.put(P, id(1), &row(1, "one"))
    };
    write(subject.store(), body).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")));
}

pub(super) fn removing_another_revision_is_a_conflict(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    for wrong in [0, 2, u64::MAX] {
        assert!(is_conflict(&write(subject.store(), |w| w.remove(P, id(1), wrong))), "{wrong}");
    }
    assert!(is_conflict(&write(subject.store(), |w| w.remove(P, id(2), 1))));
    assert!(is_conflict(&write(subject.store(), |w| w.remove(Q, id(1), 1))));
    write(subject.store(), |w| w.remove(P, id(1), 1)).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), None);
}

pub(super) fn a_removed_record_begins_again_at_revision_one(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    let body = |writer: &mut dyn Writer| {
        writer.remove(P, id(1), 1)?;
        assert!(matches!(writer.put(P, id(1), &row(2, "x")), Err(StoreError::Conflict)));
        writer.put(P, id(1), &row(1, "again"))
    };
    write(subject.store(), body).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "again")));
}

pub(super) fn records_of_partitions_are_apart(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "p"));
    put(subject.store(), Q, id(1), &row(1, "q"));
    put(subject.store(), PartitionId::HSM, id(1), &row(1, "hsm"));
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "p")));
    assert_eq!(get(subject.store(), Q, id(1)), Some(row(1, "q")));
    assert_eq!(get(subject.store(), PartitionId::HSM, id(1)), Some(row(1, "hsm")));
}

pub(super) fn a_removed_partition_is_empty_and_others_are_not(subject: Subject) {
    put_entries(subject.store());
    put(subject.store(), P, id(1), &row(1, "p"));
    put(subject.store(), Q, id(1), &row(1, "q"));
    let before = subject.store().generation(P).unwrap();
    write(subject.store(), |w| w.remove_partition(P)).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), None);
    assert_eq!(after(subject.store(), P, indexed(3, 0, 0).entry, 9), []);
    assert_eq!(get(subject.store(), Q, id(1)), Some(row(1, "q")));
    assert_eq!(after(subject.store(), Q, indexed(3, 0, 0).entry, 9), [indexed(3, 4, 4)]);
    assert_ne!(subject.store().generation(P).unwrap(), before);
}

pub(super) fn a_removed_partition_can_be_filled_in_the_same_write(subject: Subject) {
    put_entries(subject.store());
    put(subject.store(), P, id(1), &row(1, "old"));
    let body = |writer: &mut dyn Writer| {
        writer.remove_partition(P)?;
        assert_eq!(writer.entry_before(P, indexed(3, 9, 9).entry)?, None);
        writer.put(P, id(2), &row(1, "new"))?;
        writer.put_entry(P, &indexed(3, 8, 8))?;
        assert_eq!(writer.entries_after(P, indexed(3, 0, 0).entry, 9)?, [indexed(3, 8, 8)]);
        Ok(())
    };
    write(subject.store(), body).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), None);
    assert_eq!(get(subject.store(), P, id(2)), Some(row(1, "new")));
    assert_eq!(after(subject.store(), P, indexed(3, 0, 0).entry, 9), [indexed(3, 8, 8)]);
    assert!(subject.store().generation(P).unwrap().is_some());
}

pub(super) fn records_come_in_order_and_from_their_partition_alone(subject: Subject) {
    for number in [0, 255, 7, 3] {
        put(subject.store(), P, id(number), &row(1, "p"));
    }
    put(subject.store(), Q, id(5), &row(1, "q"));
    let ids = |after, limit| {
        let found = read(subject.store(), |reader| reader.records_after(P, after, limit));
        assert!(found.iter().all(|(_, found)| *found == row(1, "p")));
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 9), [id(0), id(3), id(7), id(255)]);
    assert_eq!(ids(None, 2), [id(0), id(3)]);
    assert_eq!(ids(Some(id(3)), 9), [id(7), id(255)]);
    assert_eq!(ids(Some(id(255)), 9), []);
    let body = |writer: &mut dyn Writer| {
        writer.remove(P, id(3), 1)?;
        writer.put(P, id(4), &row(1, "new"))?;
        let found = writer.records_after(P, Some(id(0)), 2)?;
        assert_eq!(found, [(id(4), row(1, "new")), (id(7), row(1, "p"))]);
        Ok(())
    };
    write(subject.store(), body).unwrap();
}

pub(super) fn a_copy_keeps_its_revision_and_finds_its_place_free(subject: Subject) {
    write(subject.store(), |w| w.put_copy(P, id(1), &row(7, "copy"))).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), Some(row(7, "copy")));
    for revision in [1, 7, 8] {
        assert!(is_conflict(&write(subject.store(), |w| w.put_copy(P, id(1), &row(revision, "other")))));
    }
    put(subject.store(), P, id(1), &row(8, "next"));
    assert_eq!(get(subject.store(), P, id(1)), Some(row(8, "next")));
}
