//! The file: what was put in comes out, and nothing that was changed does.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{End, Fault, Item, Opened, Origin, Sealer};

const PASSPHRASE: &[u8] = b"correct horse";

fn origin() -> Item {
    Item::Origin(Origin { hsm: "hsm".into(), made: 7, version: "0.1.0".into(), records: 1 })
}

/// Of a length that ends inside a chunk, at its end, or beyond.
fn record(length: usize) -> Item {
    Item::Record { id: [1; 16], kind: 2, revision: 3, sealed: vec![4; length] }
}

fn write(path: &Path, items: &[Item]) {
    let mut sealer = Sealer::new(path, File::create_new(path).unwrap(), PASSPHRASE).unwrap();
    items.iter().for_each(|item| sealer.put(item).unwrap());
    sealer.finish().unwrap();
}

fn read(path: &Path) -> Result<Vec<Item>, Fault> {
    let mut opened = Opened::new(path, PASSPHRASE)?;
    let mut items = Vec::new();
    while let Some(item) = opened.next()? {
        items.push(item);
    }
    Ok(items)
}

/// A directory with a backup of two chunks in it.
fn written() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backup");
    write(&path, &[origin(), record(70_000), Item::End(End { tokens: 0, records: 1, entries: 0 })]);
    let bytes = fs::read(&path).unwrap();
    (directory, path, bytes)
}

#[test]
fn items_come_out_as_they_were_put_in() {
    for length in [0, 10, (1 << 16) - 50, 1 << 16, 200_000] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backup");
        write(&path, &[origin(), record(length)]);
        let items = read(&path).unwrap();
        assert!(matches!(&items[0], Item::Origin(origin) if origin.made == 7));
        assert!(matches!(&items[1], Item::Record { sealed, revision: 3, .. } if sealed.len() == length));
        assert_eq!(items.len(), 2, "{length}");
    }
}

#[test]
fn another_passphrase_is_told_from_damage() {
    let (_directory, path, _) = written();
    assert!(matches!(Opened::new(&path, b"correct horsf"), Err(Fault::WrongPassphrase(_))));
}

#[test]
fn a_short_passphrase_makes_no_backup() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backup");
    let made = Sealer::new(&path, File::create_new(&path).unwrap(), b"seven77");
    assert!(matches!(made, Err(Fault::ShortPassphrase)));
}

#[test]
fn a_byte_that_was_changed_is_found_wherever_it_is() {
    let (_directory, path, bytes) = written();
    // Every byte of the header, and of the rest some of each part.
    let rest = (81..bytes.len()).step_by(9973).chain([81, 82, 83, 84, bytes.len() - 20, bytes.len() - 1]);
    for at in (8..81).step_by(5).chain(rest) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let newer = at == 8;
        match read(&path) {
            Err(Fault::Damaged { .. }) => {}
            Err(Fault::Newer { .. }) if newer => {}
            other => panic!("{at}: {other:?}"),
        }
    }
}

#[test]
fn what_is_missing_at_the_end_is_found() {
    let (_directory, path, bytes) = written();
    // The second chunk begins behind the first.
    let boundary = 81 + 4 + (1 << 16) + 16;
    for length in [20, 80, 81, 85, 1000, boundary - 1, boundary, boundary + 4, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(matches!(read(&path), Err(Fault::Damaged { .. })), "{length}");
    }
    fs::write(&path, &bytes[..boundary]).unwrap();
    assert!(read(&path).is_err_and(|fault| fault.to_string().contains("its end is missing")));
}

#[test]
fn chunks_that_were_swapped_or_added_are_found() {
    let (_directory, path, bytes) = written();
    let boundary = 81 + 4 + (1 << 16) + 16;
    let (head, rest) = bytes.split_at(81);
    let (first, second) = rest.split_at(boundary - 81);
    for wrong in [[head, second, first], [head, first, first], [&bytes, second, b""], [&bytes, b"x", b""]] {
        fs::write(&path, wrong.concat()).unwrap();
        assert!(matches!(read(&path), Err(Fault::Damaged { .. })));
    }
}

#[test]
fn what_is_no_backup_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backup");
    for text in [&b""[..], b"SHSM", &[b'x'; 500]] {
        fs::write(&path, text).unwrap();
        assert!(matches!(read(&path), Err(Fault::Foreign(_))), "{}", text.len());
    }
    assert!(matches!(read(&directory.path().join("none")), Err(Fault::File { .. })));
}

#[test]
fn a_newer_format_says_so() {
    let (_directory, path, mut bytes) = written();
    bytes[8] = 2;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(read(&path), Err(Fault::Newer { found: 2, known: 1, .. })));
}
