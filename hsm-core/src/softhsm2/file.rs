//! The file back end (`ObjectFile.cpp`, `File.cpp`): a file for each object, a generation number and then attributes.
//! Numbers have 8 bytes, most significant first; a byte string has its length before it.

use std::path::Path;

use super::{Fault, Objects, Raw, RawObject, list};
use crate::secret::{Secret, Wiped};

/// The file that describes the token, and how those of objects end.
const TOKEN: &str = "token.object";
const OBJECT: &str = "object";

/// The largest file that is read, in bytes: no object comes near.
const LARGEST: u64 = 64 << 20;

/// Whether a directory is a token of this back end.
pub(super) fn describes(directory: &Path) -> bool {
    directory.join(TOKEN).is_file()
}

/// What says what the token is.
pub(super) fn about(directory: &Path) -> Result<RawObject, Fault> {
    read(&directory.join(TOKEN))
}

/// The token's objects.
pub(super) fn objects(directory: &Path) -> Result<Objects, Fault> {
    let is_object = |path: &&std::path::PathBuf| {
        path.extension().is_some_and(|end| end == OBJECT) && path.file_name().is_none_or(|name| name != TOKEN)
    };
    let files = list(directory)?;
    Ok(files.iter().filter(is_object).map(|path| (path.display().to_string(), read(path))).collect())
}

fn read(path: &Path) -> Result<RawObject, Fault> {
    let failed = |source| Fault::File { path: path.to_owned(), source };
    let place = path.display().to_string();
    if std::fs::metadata(path).map_err(failed)?.len() > LARGEST {
        return Err(Fault::damaged(&place, "it is larger than any object"));
    }
    let bytes = Wiped::new(std::fs::read(path).map_err(failed)?);
    let attributes = parse(&bytes).map_err(|detail| Fault::damaged(&place, detail))?;
    Ok(RawObject { place, attributes })
}

const ENDS: &str = "it ends in the middle of an attribute";

/// The attributes of a file. One that is empty is an object that was begun and never written.
fn parse(bytes: &[u8]) -> Result<Vec<(u64, Raw)>, String> {
    let mut rest = bytes;
    if rest.is_empty() {
        return Err("it is empty".into());
    }
    number(&mut rest)?;
    let mut attributes = Vec::new();
    while !rest.is_empty() {
        let kind = number(&mut rest)?;
        let form = number(&mut rest)?;
        let value = match form {
            1 => Raw::Bool(flag(&mut rest)?),
            2 => Raw::Number(number(&mut rest)?),
            3 => Raw::Bytes(string(&mut rest)?),
            4 => Raw::Map(map(&mut rest)?),
            5 => Raw::Numbers(numbers(&mut rest)?),
            _ => return Err(format!("attribute {kind:#x} is of the unknown form {form}")),
        };
        attributes.push((kind, value));
    }
    Ok(attributes)
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Result<&'b [u8], String> {
    let (taken, after) = rest.split_at_checked(count).ok_or(ENDS)?;
    *rest = after;
    Ok(taken)
}

fn number(rest: &mut &[u8]) -> Result<u64, String> {
    take(rest, 8)?.try_into().map(u64::from_be_bytes).map_err(|_| ENDS.into())
}

fn length(rest: &mut &[u8]) -> Result<usize, String> {
    usize::try_from(number(rest)?).map_err(|_| ENDS.into())
}

fn flag(rest: &mut &[u8]) -> Result<bool, String> {
    Ok(take(rest, 1)? != [0])
}

fn string(rest: &mut &[u8]) -> Result<Secret, String> {
    let length = length(rest)?;
    take(rest, length).map(Secret::copy_of)
}

fn numbers(rest: &mut &[u8]) -> Result<Vec<u64>, String> {
    let count = length(rest)?;
    // No more than the file can hold: the count is not trusted.
    if count > rest.len() / 8 {
        return Err(ENDS.into());
    }
    (0..count).map(|_| number(rest)).collect()
}

/// A template: its length in bytes, then attributes whose forms are numbered otherwise than those of objects.
fn map(rest: &mut &[u8]) -> Result<Vec<(u64, Raw)>, String> {
    let length = length(rest)?;
    let mut inside = take(rest, length)?;
    let mut attributes = Vec::new();
    while !inside.is_empty() {
        let kind = number(&mut inside)?;
        let value = match number(&mut inside)? {
            1 => Raw::Bool(flag(&mut inside)?),
            2 => Raw::Number(number(&mut inside)?),
            3 => Raw::Bytes(string(&mut inside)?),
            5 => Raw::Numbers(numbers(&mut inside)?),
            form => return Err(format!("attribute {kind:#x} of a template is of the unknown form {form}")),
        };
        attributes.push((kind, value));
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(numbers: &[u64]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn attributes_are_read_in_every_form() {
        let mut file = bytes(&[7, 1, 1]);
        file.push(1);
        file.extend(bytes(&[2, 2, 99, 3, 3, 2]));
        file.extend(b"ab");
        file.extend(bytes(&[4, 5, 2, 10, 11, 5, 4, 17, 6, 1]));
        file.push(0);
        let read = parse(&file).unwrap();
        assert!(matches!(read[0], (1, Raw::Bool(true))));
        assert!(matches!(read[1], (2, Raw::Number(99))));
        assert!(matches!(&read[2], (3, Raw::Bytes(bytes)) if bytes.equals(b"ab")));
        assert!(matches!(&read[3], (4, Raw::Numbers(numbers)) if *numbers == [10, 11]));
        let (5, Raw::Map(inner)) = &read[4] else { panic!("a template") };
        assert!(matches!(inner[..], [(6, Raw::Bool(false))]));
    }

    #[test]
    fn a_file_that_was_cut_is_damaged_wherever() {
        let mut file = bytes(&[7, 3, 3, 4]);
        file.extend(b"abcd");
        assert!(parse(&file).is_ok());
        for length in (0..file.len()).filter(|length| *length != 8) {
            assert!(parse(&file[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn lengths_are_not_trusted() {
        for wrong in [[7, 3, 3, u64::MAX], [7, 3, 5, u64::MAX], [7, 3, 4, 8], [7, 3, 6, 0]] {
            assert!(parse(&bytes(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
