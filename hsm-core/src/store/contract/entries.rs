//! Entries: their order, and the bounds of their chain and partition.

use super::*;

pub(super) fn entries_come_in_order_and_from_their_chain_alone(subject: Subject) {
    put_entries(subject.store());
    let all = [indexed(3, 1, 9), indexed(3, 5, 1), indexed(3, 5, 2), indexed(3, 200, 0)];
    let begin = indexed(3, 0, 0).entry;
    assert_eq!(after(subject.store(), P, begin, 100), all);
    assert_eq!(after(subject.store(), P, begin, 2), all[..2]);
    assert_eq!(after(subject.store(), P, begin, 0), []);
    assert_eq!(after(subject.store(), P, all[1].entry, usize::MAX), all[2..]);
    assert_eq!(after(subject.store(), Q, begin, 100), [indexed(3, 4, 4)]);
}

pub(super) fn the_entry_before_is_the_last_at_or_before(subject: Subject) {
    put_entries(subject.store());
    let at = |tag, record| before(subject.store(), P, indexed(3, tag, record).entry);
    assert_eq!(at(0, 255), None);
    assert_eq!(at(1, 8), None);
    assert_eq!(at(1, 9), Some(indexed(3, 1, 9)));
    assert_eq!(at(5, 1), Some(indexed(3, 5, 1)));
    assert_eq!(at(5, 9), Some(indexed(3, 5, 2)));
    assert_eq!(at(255, 255), Some(indexed(3, 200, 0)));
    assert_eq!(before(subject.store(), P, indexed(5, 255, 255).entry), None);
}

pub(super) fn entries_after_the_ends_of_a_chain_are_none(subject: Subject) {
    let body = |writer: &mut dyn Writer| {
        writer.put_entry(P, &indexed(255, 255, 255))?;
        writer.put_entry(P, &indexed(0, 0, 0))?;
        assert_eq!(writer.entries_after(P, indexed(255, 255, 255).entry, 9)?, []);
        assert_eq!(writer.entry_before(P, indexed(0, 0, 0).entry)?, Some(indexed(0, 0, 0)));
        writer.remove_entry(P, indexed(0, 0, 0).entry)?;
        assert_eq!(writer.entry_before(P, indexed(0, 0, 0).entry)?, None);
        Ok(())
    };
    write(subject.store(), body).unwrap();
    assert_eq!(after(subject.store(), P, indexed(255, 255, 255).entry, 9), []);
    assert_eq!(after(subject.store(), P, indexed(255, 0, 0).entry, 9), [indexed(255, 255, 255)]);
    assert_eq!(before(subject.store(), P, indexed(0, 0, 0).entry), None);
}

pub(super) fn an_entry_is_replaced_and_removed(subject: Subject) {
    put_entries(subject.store());
    let changed = Indexed { mac: [0xaa; 16], ..indexed(3, 5, 1) };
    write(subject.store(), |w| w.put_entry(P, &changed)).unwrap();
    assert_eq!(before(subject.store(), P, changed.entry), Some(changed.clone()));
    write(subject.store(), |w| w.remove_entry(P, changed.entry)).unwrap();
    write(subject.store(), |w| w.remove_entry(P, changed.entry)).unwrap();
    assert_eq!(before(subject.store(), P, changed.entry), Some(indexed(3, 1, 9)));
}

pub(super) fn a_write_reads_entries_that_it_put_and_removed(subject: Subject) {
    put_entries(subject.store());
    let body = |writer: &mut dyn Writer| {
        writer.remove_entry(P, indexed(3, 5, 1).entry)?;
        writer.remove_entry(P, indexed(3, 5, 2).entry)?;
        writer.put_entry(P, &indexed(3, 6, 6))?;
        let begin = indexed(3, 0, 0).entry;
        let all = [indexed(3, 1, 9), indexed(3, 6, 6), indexed(3, 200, 0)];
        assert_eq!(writer.entries_after(P, begin, 9)?, all);
        assert_eq!(writer.entries_after(P, begin, 2)?, all[..2]);
        assert_eq!(writer.entries_after(P, begin, 3)?, all);
        assert_eq!(writer.entry_before(P, indexed(3, 5, 9).entry)?, Some(indexed(3, 1, 9)));
        assert_eq!(writer.entry_before(P, indexed(3, 7, 0).entry)?, Some(indexed(3, 6, 6)));
        Ok(())
    };
    write(subject.store(), body).unwrap();
}

pub(super) fn reads_are_counted(subject: Subject) {
    put_entries(subject.store());
    let before = subject.store().reads();
    get(subject.store(), P, id(1));
    assert_eq!(subject.store().reads() - before, 1);
    after(subject.store(), P, indexed(3, 0, 0).entry, 3);
    assert_eq!(subject.store().reads() - before, 4);
    subject.store().generation(P).unwrap();
    assert_eq!(subject.store().reads() - before, 4, "the counter is no read");
}
