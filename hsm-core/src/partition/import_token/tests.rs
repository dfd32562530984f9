//! What the store may have done to the record.

use std::sync::{Arc, LazyLock};

use super::*;
use crate::import_token::Limits;
use crate::store::seal::SealKey;
use crate::store::{self, PartitionId, Row, Store, StoreUrl};

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
            assert!(half.get(reader, TOKEN)?.is_none());
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
    write(store.as_ref(), &half, &|writer| Ok(writer.remove(half.space, TOKEN, 1)?));
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
            let mut row = writer.get(half.space, TOKEN)?.unwrap();
            change(&mut row);
            writer.remove(half.space, TOKEN, 1)?;
            Ok(writer.put(half.space, TOKEN, &row)?)
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
            row = reader.get(half.space, TOKEN)?;
            Ok(())
        })
        .unwrap();
    write(other.as_ref(), &half, &|writer| Ok(writer.put(half.space, TOKEN, row.as_ref().unwrap())?));
    assert!(is_damaged(other.as_ref(), &half));
}
