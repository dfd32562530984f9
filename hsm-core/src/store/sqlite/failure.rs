//! What an error of SQLite means for who uses the store.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};
use rustix::fs::{Access, access};

use crate::store::StoreError;

/// For `map_err` on calls that concern the database file `path`.
pub(super) fn of(path: &Path) -> impl Fn(Error) -> StoreError {
    move |error| meaning(path, &error)
}

fn meaning(path: &Path, error: &Error) -> StoreError {
    match error {
        Error::SqliteFailure(failure, text) => {
            let detail = text.clone().unwrap_or_else(|| failure.to_string());
            of_code(path, *failure, detail)
        }
        Error::SqlInputError { error: failure, msg, .. } => of_code(path, *failure, msg.clone()),
        // A column that is not of the type in which it was written.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..) => damaged(path, error.to_string()),
        _ => StoreError::Failed { path: path.to_path_buf(), detail: error.to_string() },
    }
}

fn of_code(path: &Path, failure: ffi::Error, detail: String) -> StoreError {
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch => {
            damaged(path, detail)
        }
        // SQLITE_ERROR: the statements are fixed and right, so the tables are not what they were.
        ErrorCode::Unknown if failure.extended_code == ffi::SQLITE_ERROR => damaged(path, detail),
        ErrorCode::DiskFull => StoreError::Full(path.to_path_buf()),
        ErrorCode::ReadOnly if failure.extended_code == ffi::SQLITE_READONLY_DBMOVED => {
            StoreError::Missing(path.to_path_buf())
        }
        ErrorCode::ReadOnly => StoreError::ReadOnly(path.to_path_buf()),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => not_opened(path, detail),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            let advice = ": a program holds SQLite's own lock; look for a stopped process or an open shell";
            StoreError::Busy { path: path.to_path_buf(), advice }
        }
        ErrorCode::SystemIoFailure => of_io(path, failure.extended_code, detail),
        _ => StoreError::Failed { path: path.to_path_buf(), detail },
    }
}

fn of_io(path: &Path, extended_code: i32, detail: String) -> StoreError {
    match extended_code {
        // The shared index of the log is grown before it is mapped, and only space can be missing.
        ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full(path.to_path_buf()),
        ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_DATA => {
            damaged(path, detail)
        }
        _ => StoreError::Failed { path: path.to_path_buf(), detail },
    }
}

/// SQLite says only that it could not open one of its files; `access` tells why without opening any.
fn not_opened(path: &Path, detail: String) -> StoreError {
    let directory = path.parent().unwrap_or(path);
    let wanted = [
        (path, Access::EXISTS),
        (path, Access::READ_OK),
        (directory, Access::WRITE_OK | Access::EXEC_OK),
        (path, Access::WRITE_OK),
    ];
    for (place, rights) in wanted {
        if let Err(error) = access(place, rights) {
            return match rights.contains(Access::WRITE_OK) {
                true => crate::store::place::write_failure(place, error.into()),
                false => crate::store::place::failure(place, error.into()),
            };
        }
    }
    StoreError::Failed { path: path.to_path_buf(), detail }
}

/// A damaged database.
pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { path: path.to_path_buf(), detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> StoreError {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("softhsm-rs.sqlite");
        std::fs::write(&path, b"x").unwrap();
        meaning(&path, &Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn codes_have_the_meaning_that_a_caller_acts_on() {
        assert!(matches!(of(ffi::SQLITE_CORRUPT), StoreError::Damaged { .. }));
        assert!(matches!(of(ffi::SQLITE_NOTADB), StoreError::Damaged { .. }));
        assert!(matches!(of(ffi::SQLITE_ERROR), StoreError::Damaged { .. }));
        assert!(matches!(of(ffi::SQLITE_FULL), StoreError::Full(_)));
        assert!(matches!(of(ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full(_)));
        assert!(matches!(of(ffi::SQLITE_READONLY), StoreError::ReadOnly(_)));
        assert!(matches!(of(ffi::SQLITE_READONLY_CANTINIT), StoreError::ReadOnly(_)));
        assert!(matches!(of(ffi::SQLITE_READONLY_DBMOVED), StoreError::Missing(_)));
        assert!(matches!(of(ffi::SQLITE_BUSY), StoreError::Busy { .. }));
        assert!(matches!(of(ffi::SQLITE_BUSY_SNAPSHOT), StoreError::Busy { .. }));
        assert!(matches!(of(ffi::SQLITE_IOERR_FSYNC), StoreError::Failed { .. }));
        assert!(matches!(of(ffi::SQLITE_NOMEM), StoreError::Failed { .. }));
    }

    #[test]
    fn a_file_that_is_there_and_does_not_open_is_no_question_of_permission() {
        assert!(matches!(of(ffi::SQLITE_CANTOPEN), StoreError::Failed { .. }));
    }

    #[test]
    fn a_file_that_is_not_there_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("softhsm-rs.sqlite");
        let error = Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), None);
        assert!(matches!(meaning(&path, &error), StoreError::Missing(_)));
    }
}
