//! The holder that did not answer this process last, so that it is not waited for again at once.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is remembered.
pub(in crate::unit) const MEMORY: Duration =
    if cfg!(test) { Duration::from_millis(500) } else { Duration::from_secs(2) };

/// A socket, which is another one once a holder was renewed: its file system, number, and time of change.
type Socket = (u64, u64, i64, i64);

static LAST: Mutex<Option<(Socket, Instant)>> = Mutex::new(None);

fn socket(path: &Path) -> Option<Socket> {
    let data = std::fs::metadata(path).ok()?;
    Some((data.dev(), data.ino(), data.ctime(), data.ctime_nsec()))
}

/// The time counts from the first call that waited in vain.
pub(super) fn remember(path: &Path) {
    if is_recent(path) {
        return;
    }
    if let Some(socket) = socket(path) {
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some((socket, Instant::now()));
    }
}

pub(super) fn is_recent(path: &Path) -> bool {
    let last = *LAST.lock().unwrap_or_else(PoisonError::into_inner);
    last.is_some_and(|(known, since)| since.elapsed() < MEMORY && socket(path) == Some(known))
}
