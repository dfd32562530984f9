//! What the store may have done to the record.

use std::sync::{Arc, LazyLock};

use super::*;
use crate::import_token::Limits;
use crate::object::find::Field;
use crate::object::material::Key;
use crate::object::template::{Author, create};
use crate::object::{Template, Value, values};
use crate::partition::objects::insert_all;
use crate::partition::transaction::faults::{Faulty, fail_after};
use crate::store::seal::SealKey;
use crate::store::{self, PartitionId, Row, Store, StoreError, StoreUrl};
use cryptoki_sys::*;

const NOW: Seconds = 1_700_000_000;

static TOKEN_BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let token = ImportToken::generate(Limits::new(600, 3).unwrap(), NOW).unwrap();
    import_token::encode(&token).unwrap().to_vec()
});

fn token() -> ImportToken {
    import_token::decode(&TOKEN_BYTES).unwrap()
}

/// A private half with an empty index, in a store of its own.
fn half() -> (Box<dyn Store>, Half) {
    let store = store::create(&StoreUrl::Memory, None).unwrap();
    let half =
        Half { space: PartitionId([1; 16]), private: true, key: Arc::new(SealKey::new(&[9; 32]).unwrap()) };
    store.write(half.space, &mut |writer| half.chain().begin(writer)).unwrap();
    (store, half)
}

fn write(store: &dyn Store, half: &Half, body: &dyn Fn(&mut dyn Writer) -> Result<()>) {
    store.write(half.space, &mut |writer| body(writer)).unwrap();
}

fn read(store: &dyn Store, half: &Half) -> Result<Option<ImportToken>> {
    let mut found = None;
    store.read(&mut |reader| {
        found = half.token(reader)?;
        Ok(())
    })?;
    Ok(found)
}

fn is_damaged(store: &dyn Store, half: &Half) -> bool {
    matches!(read(store, half), Err(Error::RecordDamaged { .. }))
}

#[test]
fn a_token_is_kept_and_replaced() {
    let (store, half) = half();
    assert!(read(store.as_ref(), &half).unwrap().is_none());
    for _ in 0..2 {
        write(store.as_ref(), &half, &|writer| half.put_token(writer, &token()));
        assert_eq!(read(store.as_ref(), &half).unwrap().unwrap().metadata(), token().metadata());
    }
}

#[test]
fn no_index_of_objects_leads_to_it() {
    let (store, half) = half();
    write(store.as_ref(), &half, &|writer| half.put_token(writer, &token()));
    store
        .read(&mut |reader| {
            assert!(half.get(reader, half.token_place()?)?.is_none());
            for field in [crate::object::find::Field::All, crate::object::find::Field::Destroyed] {
                assert!(half.chain().records(reader, half.tag(&field)?)?.is_empty());
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_record_that_was_taken_away_is_missed() {
    let (store, half) = half();
    write(store.as_ref(), &half, &|writer| half.put_token(writer, &token()));
    write(store.as_ref(), &half, &|writer| Ok(writer.remove(half.space, half.token_place()?, 1)?));
    assert!(is_damaged(store.as_ref(), &half));
    // A new token makes it good.
    write(store.as_ref(), &half, &|writer| half.put_token(writer, &token()));
    assert!(read(store.as_ref(), &half).unwrap().is_some());
}

#[test]
fn a_record_that_was_changed_does_not_open() {
    for change in [
        |row: &mut Row| row.sealed[20] ^= 1,
        |row: &mut Row| row.sealed.truncate(30),
        |row: &mut Row| row.kind = 2,
        |row: &mut Row| row.kind = 1,
    ] {
        let (store, half) = half();
        write(store.as_ref(), &half, &|writer| half.put_token(writer, &token()));
        write(store.as_ref(), &half, &|writer| {
            let mut row = writer.get(half.space, half.token_place()?)?.unwrap();
            change(&mut row);
            writer.remove(half.space, half.token_place()?, 1)?;
            Ok(writer.put(half.space, half.token_place()?, &row)?)
        });
        assert!(is_damaged(store.as_ref(), &half));
    }
}

#[test]
fn a_record_that_the_index_does_not_know_is_damage() {
    let ((store, half), (other, _)) = (half(), half());
    write(store.as_ref(), &half, &|writer| half.put_token(writer, &token()));
    let mut row = None;
    store
        .read(&mut |reader| {
            row = reader.get(half.space, half.token_place()?)?;
            Ok(())
        })
        .unwrap();
    write(other.as_ref(), &half, &|writer| {
        Ok(writer.put(half.space, half.token_place()?, row.as_ref().unwrap())?)
    });
    assert!(is_damaged(other.as_ref(), &half));
}

/// Does something again and again, each time cut one write later, until it is cut no more; looks at the store
/// after each. Answers how many writes it has.
fn cut_at_every_write(
    store: &dyn Store,
    half: &Half,
    body: &dyn Fn(&mut dyn Writer) -> Result<()>,
    after_a_cut: &dyn Fn(usize),
) -> usize {
    for left in 0..200 {
        fail_after(Some(left));
        let done = store.write(half.space, &mut |inner| body(&mut Faulty(inner)));
        fail_after(None);
        match done {
            Ok(()) => return left,
            Err(Error::Store(StoreError::Full(_))) => after_a_cut(left),
            Err(error) => panic!("{left}: {error}"),
        }
    }
    panic!("it has no end")
}

/// What an import adds: the two halves of a pair of keys, as two objects.
fn pair(half: &Half) -> Vec<(RecordId, Half, Key)> {
    [1_u8, 2]
        .map(|number| {
            let template: Template = vec![
                (CKA_CLASS, Value::Number(CKO_SECRET_KEY)),
                (CKA_KEY_TYPE, Value::Number(CKK_AES)),
                (CKA_TOKEN, Value::Bool(true)),
                (CKA_PRIVATE, Value::Bool(true)),
                (CKA_LABEL, Value::Bytes(b"imported".to_vec())),
                (CKA_VALUE, Value::Bytes(vec![number; 32])),
            ];
            let key = values::settle(create(template, Author::ORDINARY).unwrap()).unwrap();
            let half = Half { space: half.space, private: true, key: half.key.clone() };
            (RecordId([number; 16]), half, key)
        })
        .into()
}

fn labelled(store: &dyn Store, half: &Half) -> Vec<RecordId> {
    let mut found = Vec::new();
    store
        .read(&mut |reader| {
            let tag = half.tag(&Field::Attribute(CKA_LABEL, b"imported".as_slice().into()))?;
            found = half.chain().records(reader, tag)?;
            Ok(())
        })
        .unwrap();
    found
}

#[test]
fn an_import_that_is_cut_at_any_write_leaves_nothing_and_can_be_done_again() {
    let (store, half) = half();
    let fresh = pair(&half);
    let writes = cut_at_every_write(store.as_ref(), &half, &|writer| insert_all(writer, &fresh), &|left| {
        assert!(labelled(store.as_ref(), &half).is_empty(), "{left}");
        for (id, ..) in &fresh {
            let mut found = None;
            let read = store.read(&mut |reader| {
                found = half.get(reader, *id)?;
                Ok(())
            });
            // The index agrees that there is none: otherwise it would be damage.
            assert!(read.is_ok() && found.is_none(), "{left}");
        }
    });
    assert!(writes > 10, "{writes}");
    assert_eq!(labelled(store.as_ref(), &half), [RecordId([1; 16]), RecordId([2; 16])]);
}

#[test]
fn a_new_token_that_is_cut_at_any_write_leaves_the_one_before() {
    let (store, half) = half();
    let first = |left| assert!(read(store.as_ref(), &half).unwrap().is_none(), "{left}");
    assert!(
        cut_at_every_write(store.as_ref(), &half, &|writer| half.put_token(writer, &token()), &first) > 1
    );
    let mut retrieved = token();
    retrieved.retrieve(NOW).unwrap();
    let before = |left| {
        let found = read(store.as_ref(), &half).unwrap().unwrap();
        assert_eq!(found.metadata().remaining_retrievals, 3, "{left}");
    };
    cut_at_every_write(store.as_ref(), &half, &|writer| half.put_token(writer, &retrieved), &before);
    assert_eq!(read(store.as_ref(), &half).unwrap().unwrap().metadata().remaining_retrievals, 2);
}
