//! The promises of the seal: an index answers completely or not at all, whatever was done to its
//! entries and however wrongly the store looks them up; a record opens where and as it was sealed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::memory::MemoryStore;
use super::super::{Store, StoreResult};
use super::*;

const HERE: PartitionId = PartitionId([1; 16]);
const ELSEWHERE: PartitionId = PartitionId([2; 16]);
const NUMBER: u8 = 2;
/// Tags and records are drawn from so few that they repeat; some tags are in no index.
const SOME: std::ops::Range<u8> = 1..6;

type Model = BTreeSet<(u8, u8)>;

fn key() -> SealKey {
    SealKey::new(&[7; 32]).unwrap()
}

fn chain(key: &SealKey) -> Chain<'_> {
    Chain { partition: HERE, number: NUMBER, key }
}

fn tag(number: u8) -> [u8; 16] {
    [number * 40; 16]
}

fn id(number: u8) -> RecordId {
    RecordId([number; 16])
}

/// A store whose index holds these.
fn store_of(key: &SealKey, model: &Model) -> MemoryStore {
    let store = MemoryStore::default();
    write(&store, |writer| {
        chain(key).begin(writer)?;
        model.iter().try_for_each(|(t, r)| chain(key).insert(writer, tag(*t), id(*r)))
    })
    .unwrap();
    store
}

fn write(store: &dyn Store, mut body: impl FnMut(&mut dyn Writer) -> Result<()>) -> Result<()> {
    store.write(HERE, &mut body)
}

/// All entries as the store keeps them.
fn stored(store: &dyn Store) -> Vec<Indexed> {
    let mut out = Vec::new();
    store
        .read(&mut |reader| {
            let head = Entry { chain: NUMBER, tag: [0; 16], record: RecordId([0; 16]) };
            out.extend(reader.entry_before(HERE, head)?);
            out.extend(reader.entries_after(HERE, head, usize::MAX)?);
            Ok(())
        })
        .unwrap();
    out
}

/// Asks for everything; each answer is right or an error. Answers whether all were right.
fn interview(key: &SealKey, reader: &mut dyn Reader, model: &Model) -> bool {
    let mut complete = true;
    for t in SOME {
        match chain(key).records(reader, tag(t)) {
            Ok(found) => {
                let right: Vec<_> =
                    model.iter().filter(|entry| entry.0 == t).map(|entry| id(entry.1)).collect();
                assert_eq!(found, right, "the records of tag {t}");
            }
            Err(error) => {
                assert!(matches!(error, Error::RecordDamaged { .. }), "{error:?}");
                complete = false;
            }
        }
        for r in SOME {
            match chain(key).holds(reader, tag(t), id(r)) {
                Ok(held) => assert_eq!(held, model.contains(&(t, r)), "tag {t}, record {r}"),
                Err(_) => complete = false,
            }
        }
    }
    complete
}

fn interview_store(key: &SealKey, store: &dyn Store, model: &Model) -> bool {
    let mut complete = false;
    store
        .read(&mut |reader| {
            complete = interview(key, reader, model);
            Ok(())
        })
        .unwrap();
    complete
}

/// What somebody who may write the store, but has no key, does to an index of it.
#[derive(Debug, Clone)]
enum Change {
    Delete(usize),
    FlipMac(usize, usize),
    FlipEntry(usize, usize),
    SwapMacs(usize, usize),
    CopyMac(usize, usize),
    Invent(u8, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || 0..20_usize;
    prop_oneof![
        at().prop_map(Change::Delete),
        (at(), 0..128_usize).prop_map(|(at, bit)| Change::FlipMac(at, bit)),
        // The chain's number too: the entry is then in another index.
        (at(), 0..264_usize).prop_map(|(at, bit)| Change::FlipEntry(at, bit)),
        (at(), at()).prop_map(|(a, b)| Change::SwapMacs(a, b)),
        (at(), at()).prop_map(|(a, b)| Change::CopyMac(a, b)),
        (SOME, SOME).prop_map(|(t, r)| Change::Invent(t, r)),
    ]
}

fn apply(store: &dyn Store, change: &Change) {
    let all = stored(store);
    let of = |at: usize| all[at % all.len()].clone();
    write(store, |writer| {
        let mut put = |entry: Entry, mac: [u8; 16]| writer.put_entry(HERE, &Indexed { entry, mac });
        match *change {
            Change::Delete(at) => writer.remove_entry(HERE, of(at).entry)?,
            Change::FlipMac(at, bit) => {
                let Indexed { entry, mut mac } = of(at);
                mac[bit / 8] ^= 1 << (bit % 8);
                put(entry, mac)?;
            }
            Change::FlipEntry(at, bit) => {
                let Indexed { entry, mac } = of(at);
                let mut bytes = entry.to_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                put(Entry::from_bytes(&bytes).unwrap(), mac)?;
                writer.remove_entry(HERE, entry)?;
            }
            Change::SwapMacs(a, b) => {
                put(of(a).entry, of(b).mac)?;
                put(of(b).entry, of(a).mac)?;
            }
            Change::CopyMac(a, b) => put(of(a).entry, of(b).mac)?,
            Change::Invent(t, r) => {
                let entry = chain(&key()).entry(tag(t), id(r));
                if all.iter().all(|indexed| indexed.entry != entry) {
                    put(entry, of(usize::from(t)).mac)?;
                }
            }
        }
        Ok(())
    })
    .unwrap();
}

/// A store that finds genuine entries, but any of them.
struct Liar<'a> {
    entries: &'a [Indexed],
    lies: Box<dyn Iterator<Item = usize> + 'a>,
}

impl Liar<'_> {
    fn lie(&mut self) -> usize {
        self.lies.next().unwrap_or_default() % self.entries.len()
    }
}

impl Reader for Liar<'_> {
    fn get(&mut self, _: PartitionId, _: RecordId) -> StoreResult<Option<Row>> {
        Ok(None)
    }

    fn revision(&mut self, _: PartitionId, _: RecordId) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    fn entry_before(&mut self, _: PartitionId, _: Entry) -> StoreResult<Option<Indexed>> {
        let at = self.lie();
        Ok(Some(self.entries[at].clone()))
    }

    /// Half of the time what really comes next, so that the lie before is believed.
    fn entries_after(&mut self, _: PartitionId, after: Entry, limit: usize) -> StoreResult<Vec<Indexed>> {
        let next =
            self.entries.iter().position(|indexed| indexed.entry > after).unwrap_or(self.entries.len());
        let lie = self.lie();
        let from = if lie.is_multiple_of(2) { next } else { lie };
        Ok(self.entries[from..].iter().take(limit).cloned().collect())
    }

    fn records_after(
        &mut self,
        _: PartitionId,
        _: Option<RecordId>,
        _: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>> {
        Ok(Vec::new())
    }
}

fn model() -> impl Strategy<Value = Model> {
    prop::collection::btree_set((SOME, SOME), 0..12)
}

proptest! {
    #[test]
    fn an_index_holds_what_was_put_in_and_not_taken_out(
        steps in prop::collection::vec((any::<bool>(), SOME, SOME), 0..60),
    ) {
        let key = key();
        let mut model = Model::new();
        let store = store_of(&key, &model);
        for (add, t, r) in steps {
            let done = write(&store, |writer| match add {
                true => chain(&key).insert(writer, tag(t), id(r)),
                false => chain(&key).remove(writer, tag(t), id(r)),
            });
            let held = model.contains(&(t, r));
            prop_assert_eq!(done.is_ok(), add || held, "what is not there is not taken out");
            if add { model.insert((t, r)); } else { model.remove(&(t, r)); }
        }
        prop_assert!(interview_store(&key, &store, &model));
        prop_assert_eq!(stored(&store).len(), model.len() + 1, "the head and no more");
    }

    #[test]
    fn after_any_change_each_answer_is_right_or_an_error(model in model(), change in change()) {
        let key = key();
        let store = store_of(&key, &model);
        let before = stored(&store);
        apply(&store, &change);
        let complete = interview_store(&key, &store, &model);
        prop_assert_eq!(complete, stored(&store) == before, "a change is noticed by somebody");
    }

    #[test]
    fn after_any_change_writing_makes_no_wrong_index_right(
        model in model(), change in change(), t in SOME, r in SOME, add in any::<bool>(),
    ) {
        let key = key();
        let store = store_of(&key, &model);
        apply(&store, &change);
        let mut model = model;
        let written = write(&store, |writer| match add {
            true => chain(&key).insert(writer, tag(t), id(r)),
            false => chain(&key).remove(writer, tag(t), id(r)),
        });
        if written.is_ok() {
            if add { model.insert((t, r)); } else { model.remove(&(t, r)); }
        }
        interview_store(&key, &store, &model);
    }

    #[test]
    fn true_entries_found_in_the_wrong_place_are_not_believed(
        model in model(), lies in prop::collection::vec(0..64_usize, 1..64),
    ) {
        let key = key();
        let entries = stored(&store_of(&key, &model));
        let mut liar = Liar { entries: &entries, lies: Box::new(lies.iter().copied().cycle()) };
        interview(&key, &mut liar, &model);
    }
}

#[test]
fn an_index_copied_to_another_partition_or_number_answers_nothing() {
    let key = key();
    let model = Model::from([(1, 1), (2, 2)]);
    let store = store_of(&key, &model);
    let all = stored(&store);
    store
        .write(ELSEWHERE, &mut |writer| {
            for Indexed { entry, mac } in &all {
                writer.put_entry(ELSEWHERE, &Indexed { entry: *entry, mac: *mac })?;
                let entry = Entry { chain: NUMBER + 1, ..*entry };
                writer.put_entry(HERE, &Indexed { entry, mac: *mac })?;
            }
            for other in [Chain { partition: ELSEWHERE, ..chain(&key) }, Chain { number: 3, ..chain(&key) }] {
                assert!(matches!(other.records(writer, tag(1)), Err(Error::RecordDamaged { .. })));
                assert!(other.holds(writer, tag(1), id(1)).is_err());
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_index_without_a_head_is_damage_and_not_empty() {
    let (key, store) = (key(), MemoryStore::default());
    write(&store, |writer| {
        assert!(matches!(chain(&key).records(writer, tag(1)), Err(Error::RecordDamaged { .. })));
        assert!(chain(&key).holds(writer, tag(1), id(1)).is_err());
        assert!(chain(&key).insert(writer, tag(1), id(1)).is_err());
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_look_up_of_many_records_gives_them_all_in_order() {
    let (key, store) = (key(), MemoryStore::default());
    let ids: Vec<_> = (1..=999_u128).map(|number| RecordId(number.to_be_bytes())).collect();
    write(&store, |writer| {
        chain(&key).begin(writer)?;
        ids.iter().rev().try_for_each(|id| chain(&key).insert(writer, tag(2), *id))?;
        chain(&key).insert(writer, tag(3), id(1))?;
        assert_eq!(chain(&key).records(writer, tag(2)).unwrap(), ids);
        Ok(())
    })
    .unwrap();
}

#[test]
fn tags_depend_on_the_key_the_name_and_the_value() {
    let tags = [
        key().tag(b"label", b"value").unwrap(),
        key().tag(b"labelv", b"alue").unwrap(),
        key().tag(b"label", b"valu").unwrap(),
        SealKey::new(&[8; 32]).unwrap().tag(b"label", b"value").unwrap(),
    ];
    assert_eq!(BTreeSet::from(tags).len(), 4);
    assert_eq!(tags[0], key().tag(b"label", b"value").unwrap());
}

const ADDRESS: Address = Address { partition: HERE, id: RecordId([3; 16]), kind: 1, revision: 5 };

#[test]
fn a_record_opens_as_it_was_sealed_and_twice_sealed_looks_different() {
    let (one, two) = (key().seal(&ADDRESS, b"text").unwrap(), key().seal(&ADDRESS, b"text").unwrap());
    assert_ne!(one, two);
    assert_eq!(key().open(&ADDRESS, &one).unwrap().as_slice(), b"text");
    assert_eq!(key().open(&ADDRESS, &two).unwrap().as_slice(), b"text");
}

#[test]
fn a_record_opens_nowhere_else() {
    let sealed = key().seal(&ADDRESS, b"text").unwrap();
    for other in [
        Address { partition: ELSEWHERE, ..ADDRESS },
        Address { id: RecordId([4; 16]), ..ADDRESS },
        Address { kind: 2, ..ADDRESS },
        Address { revision: 4, ..ADDRESS },
        Address { revision: 6, ..ADDRESS },
    ] {
        let Err(Error::RecordDamaged { what }) = key().open(&other, &sealed) else { panic!("{other:?}") };
        assert_eq!(what, format!("record {} of partition {}", other.id, other.partition));
    }
    assert!(SealKey::new(&[8; 32]).unwrap().open(&ADDRESS, &sealed).is_err(), "another key");
}

#[test]
fn a_changed_or_shortened_record_does_not_open() {
    let sealed = key().seal(&ADDRESS, b"text").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(key().open(&ADDRESS, &changed), Err(Error::RecordDamaged { .. })), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(matches!(key().open(&ADDRESS, &sealed[..length]), Err(Error::RecordDamaged { .. })));
    }
}
