//! The database back end (`DBToken.cpp`, `DBObject.cpp`): one SQLite file, a table of objects and one of attributes
//! for each form. Lists and templates are blobs in the byte order and word length of the machine that wrote them,
//! which is taken to be of 64 bits, least significant byte first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cryptoki_sys::CKA_ALLOWED_MECHANISMS;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{Fault, Objects, Raw, RawObject};
use crate::secret::Secret;

const FILE: &str = "sqlite3.db";
/// The object that describes the token.
const TOKEN: i64 = 1;
/// The tables that SoftHSM2 writes to.
const TABLES: [&str; 4] = ["attribute_boolean", "attribute_integer", "attribute_binary", "attribute_array"];

/// Whether a directory is a token of this back end.
pub(super) fn describes(directory: &Path) -> bool {
    path(directory).is_file()
}

fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// What says what the token is.
pub(super) fn about(directory: &Path) -> Result<RawObject, Fault> {
    let mut objects = read(directory)?;
    let missing = || Fault::damaged(&path(directory).display().to_string(), "it does not describe a token");
    objects.remove(&TOKEN).ok_or_else(missing)?
}

/// The token's objects.
pub(super) fn objects(directory: &Path) -> Result<Objects, Fault> {
    let mut objects = read(directory)?;
    objects.remove(&TOKEN);
    let place = |id| place(directory, id);
    Ok(objects.into_iter().map(|(id, object)| (place(id), object)).collect())
}

fn place(directory: &Path, id: i64) -> String {
    format!("{}, object {id}", path(directory).display())
}

fn read(directory: &Path) -> Result<BTreeMap<i64, Result<RawObject, Fault>>, Fault> {
    let file = path(directory);
    let damaged = |error: rusqlite::Error| Fault::damaged(&file.display().to_string(), error.to_string());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(&file, flags).map_err(damaged)?;
    let mut objects = BTreeMap::new();
    let mut ids = database.prepare("select id from object").map_err(damaged)?;
    for id in ids.query_map([], |row| row.get::<_, i64>(0)).map_err(damaged)? {
        let id = id.map_err(damaged)?;
        objects.insert(id, Ok(RawObject { place: place(directory, id), attributes: Vec::new() }));
    }
    for table in TABLES {
        // The names are those above.
        let sql = format!("select object_id, type, value from {table} order by id");
        let mut attributes = database.prepare(&sql).map_err(damaged)?;
        let mut rows = attributes.query([]).map_err(damaged)?;
        while let Some(row) = rows.next().map_err(damaged)? {
            let (id, kind): (i64, i64) = (row.get(0).map_err(damaged)?, row.get(1).map_err(damaged)?);
            let kind = kind.cast_unsigned();
            let value = value(table, kind, row.get_ref(2).map_err(damaged)?);
            // What is left of an object that was deleted belongs to nobody.
            let Some(object) = objects.get_mut(&id) else { continue };
            match (value, object) {
                (Some(value), Ok(object)) => object.attributes.push((kind, value)),
                (None, object) => {
                    *object = Err(Fault::damaged(
                        &place(directory, id),
                        format!("attribute {kind:#x} is not what {table} holds"),
                    ));
                }
                (Some(_), Err(_)) => {}
            }
        }
    }
    Ok(objects)
}

fn value(table: &str, kind: u64, value: ValueRef<'_>) -> Option<Raw> {
    match (table, value) {
        ("attribute_boolean", ValueRef::Integer(number)) => Some(Raw::Bool(number != 0)),
        ("attribute_integer", ValueRef::Integer(number)) => Some(Raw::Number(number.cast_unsigned())),
        // 2.6.1 keeps lists of mechanisms here, later versions with the templates.
        ("attribute_binary" | "attribute_array", ValueRef::Blob(bytes)) if kind == CKA_ALLOWED_MECHANISMS => {
            numbers(bytes).map(Raw::Numbers)
        }
        ("attribute_binary" | "attribute_array", ValueRef::Null) if kind == CKA_ALLOWED_MECHANISMS => {
            Some(Raw::Numbers(Vec::new()))
        }
        ("attribute_binary", ValueRef::Blob(bytes)) => Some(Raw::Bytes(Secret::copy_of(bytes))),
        // SQLite's nothing is what an empty byte string was bound as.
        ("attribute_binary", ValueRef::Null) => Some(Raw::Bytes(Secret::copy_of(&[]))),
        ("attribute_array", ValueRef::Blob(bytes)) => map(bytes).map(Raw::Map),
        ("attribute_array", ValueRef::Null) => Some(Raw::Map(Vec::new())),
        _ => None,
    }
}

fn numbers(bytes: &[u8]) -> Option<Vec<u64>> {
    let (whole, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| whole.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest, 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// A template: attributes, each with its number, its form in four bytes, and the value.
fn map(bytes: &[u8]) -> Option<Vec<(u64, Raw)>> {
    let mut rest = bytes;
    let mut attributes = Vec::new();
    while !rest.is_empty() {
        let kind = number(&mut rest)?;
        let form = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
        let string = |rest: &mut &[u8]| {
            let length = usize::try_from(number(rest)?).ok()?;
            take(rest, length).map(<[u8]>::to_vec)
        };
        let value = match form {
            1 => Raw::Bool(take(&mut rest, 1)? != [0]),
            2 => Raw::Number(number(&mut rest)?),
            3 => Raw::Bytes(Secret::new(string(&mut rest)?)),
            5 => Raw::Numbers(numbers(&string(&mut rest)?)?),
            _ => return None,
        };
        attributes.push((kind, value));
    }
    Some(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read_in_every_form() {
        let mut blob = Vec::new();
        let mut put = |kind: u64, form: u32, value: &[u8]| {
            blob.extend(kind.to_le_bytes());
            blob.extend(form.to_le_bytes());
            blob.extend(value);
        };
        put(1, 1, &[1]);
        put(2, 2, &9u64.to_le_bytes());
        put(3, 3, &[2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
        put(4, 5, &[8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
        let read = map(&blob).unwrap();
        assert!(matches!(read[0], (1, Raw::Bool(true))));
        assert!(matches!(read[1], (2, Raw::Number(9))));
        assert!(matches!(&read[2], (3, Raw::Bytes(bytes)) if bytes.equals(b"ab")));
        assert!(matches!(&read[3], (4, Raw::Numbers(numbers)) if *numbers == [7]));
        for length in [1, 8, 12, 14, 20, 25, blob.len() - 1] {
            assert!(map(&blob[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn a_list_has_whole_numbers() {
        assert_eq!(numbers(&[1, 0, 0, 0, 0, 0, 0, 0]), Some(vec![1]));
        assert_eq!(numbers(&[1, 0, 0]), None);
    }
}
