//! A look at the end of SQLite's log (`-wal`). When a frame in it is damaged, SQLite ends the log
//! before that frame and says nothing, though transactions may follow that were acknowledged. This
//! finds such frames and warns. The format is that of <https://www.sqlite.org/fileformat2.html>,
//! section 4.1.
//!
//! Reading the log here is safe: SQLite takes its locks on the database and on the `-shm` file and
//! none on the log, so closing this descriptor drops none.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// The log's header, in bytes; its salts are at 16.
const HEADER: u64 = 32;
/// A frame's header, in bytes: page number, size after commit (0 in all but the last frame of a
/// transaction), salts, checksum.
const FRAME_HEADER: u64 = 24;
/// A frame: header and page, in bytes.
const FRAME: u64 = FRAME_HEADER + 4096;
/// How many frames after SQLite's end of the log are looked at: more than a transaction here has.
const LOOKED_AT: u64 = 64;

/// Warns in the program's log when the log of the database `path` has whole transactions after the
/// place where SQLite took it to end.
pub(super) fn warn_of_damage(connection: &Connection, path: &Path) {
    let mut log = PathBuf::from(path).into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    if has_ignored_commit(connection, &log) {
        log::warn!(
            "{}: it is damaged before its end, and transactions after the damage were ignored; \
             unless the power failed while it was written, restore the store from a backup",
            log.display()
        );
    }
}

/// Whether a transaction of the present use of the log lies after the end that SQLite found.
pub(super) fn has_ignored_commit(connection: &Connection, log: &Path) -> bool {
    let Ok(log) = File::open(log) else { return false };
    let Some(before) = frames(connection) else { return false };
    let Some(salts) = read::<8>(&log, 16) else { return false };
    let is_ignored_commit = |frame: u64| {
        let at = HEADER + frame * FRAME;
        let size = read::<4>(&log, at + 4);
        // Frames of an earlier use of the file have other salts and are rightly ignored.
        size.is_some_and(|size| size != [0; 4]) && read::<8>(&log, at + 8) == Some(salts)
    };
    (before..before + LOOKED_AT).any(is_ignored_commit)
        // Another process may have written, or begun the log anew, while this one was looking.
        && frames(connection) == Some(before)
        && read::<8>(&log, 16) == Some(salts)
}

/// How many frames SQLite takes the log to have. This mode of the pragma moves nothing and takes no
/// lock.
fn frames(connection: &Connection) -> Option<u64> {
    let frames: i64 = connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1)).ok()?;
    u64::try_from(frames).ok()
}

fn read<const N: usize>(log: &File, at: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    log.read_exact_at(&mut bytes, at).ok().map(|()| bytes)
}
