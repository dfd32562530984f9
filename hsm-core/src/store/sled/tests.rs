//! What only sled's store can show: files that are not as they should be, and handing the store on.

use super::*;

const P: PartitionId = PartitionId([1; 16]);
const ID: RecordId = RecordId([1; 16]);

fn put(store: &SledStore, revision: u64) {
    let row = Row { kind: 1, revision, sealed: vec![7; 3000] };
    store.write(P, &mut |writer| Ok(writer.put(P, ID, &row)?)).unwrap();
}

/// A store with a record, closed.
fn closed() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::create(directory.path(), None).unwrap();
    (1..200).for_each(|revision| put(&store, revision));
    let main = store.place.main().to_path_buf();
    drop(store);
    // Waits until sled has let go of its files, which tests change by hand.
    drop(open_existing(&main).unwrap());
    (directory, main)
}

/// What opening and reading the record gives.
fn look(directory: &Path) -> crate::Result<Option<Row>> {
    let store = SledStore::open(directory)?;
    let mut found = None;
    store.read(&mut |reader| {
        found = reader.get(P, ID)?;
        Ok(())
    })?;
    Ok(found)
}

fn is_damaged(result: crate::Result<Option<Row>>) -> bool {
    matches!(result, Err(crate::Error::Store(StoreError::Damaged { .. })))
}

#[test]
fn a_newer_format_is_named() {
    let (directory, main) = closed();
    let db = open_existing(&main).unwrap();
    db.insert(FORMAT_KEY, &2_u64.to_le_bytes()).unwrap();
    db.flush().unwrap();
    drop(db);
    let refused = SledStore::open(directory.path());
    assert!(matches!(refused, Err(StoreError::Newer { found: 2, known: 1, .. })), "{refused:?}");
}

#[test]
fn a_sled_database_of_another_program_is_damaged() {
    let (directory, main) = closed();
    let db = open_existing(&main).unwrap();
    db.remove(FORMAT_KEY).unwrap();
    db.flush().unwrap();
    drop(db);
    assert!(is_damaged(look(directory.path())));
}

#[test]
fn a_missing_data_file_is_damage_and_is_not_made_again() {
    let (directory, main) = closed();
    fs::remove_file(main.join("db")).unwrap();
    assert!(is_damaged(look(directory.path())));
    assert!(!main.join("db").exists());
}

#[test]
fn an_emptied_or_overwritten_data_file_is_damage() {
    for bytes in [Vec::new(), vec![0; 1 << 20], vec![0xa5; 1 << 20]] {
        let (directory, main) = closed();
        fs::write(main.join("db"), &bytes).unwrap();
        let found = look(directory.path());
        assert!(is_damaged(found), "{} bytes of {:?}", bytes.len(), bytes.first());
    }
}

#[test]
fn a_record_that_is_too_short_is_damage() {
    let (directory, main) = closed();
    let db = open_existing(&main).unwrap();
    db.insert(key(ROWS, P, &ID.0), vec![1, 2, 3]).unwrap();
    db.flush().unwrap();
    drop(db);
    assert!(is_damaged(look(directory.path())));
}

#[test]
fn a_store_that_was_closed_can_be_opened_at_once() {
    let (directory, _main) = closed();
    for revision in 200..205 {
        put(&SledStore::open(directory.path()).unwrap(), revision);
    }
    assert_eq!(look(directory.path()).unwrap().unwrap().revision, 204);
}

#[test]
fn a_suspended_store_can_be_opened_by_another_owner() {
    let (directory, _main) = closed();
    let store = SledStore::open(directory.path()).unwrap();
    put(&store, 200);
    store.suspend();
    put(&SledStore::open(directory.path()).unwrap(), 201);
    store.resume();
    put(&store, 202);
}
