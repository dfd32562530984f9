//! Locks on files that processes share of a token: who has sessions on it, and whose turn it is to try a PIN. The
//! kernel releases them with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Hsm;
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::store::RecordId;

/// How long somebody waits for a lock, and between two looks. A token that is initialised anew takes two PIN checks and
/// a commit, a turn one of each.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(5);

impl Hsm {
    fn sessions_lock_path(&self, token: RecordId) -> PathBuf {
        self.config.home.sessions_lock(&token.to_string())
    }

    /// Marks that this process has sessions on a token. `None` where the home cannot be written: then
    /// no process can initialise the token anew either.
    pub(crate) fn hold_sessions_lock(&self, token: RecordId) -> Result<Option<File>> {
        let path = self.sessions_lock_path(token);
        let Ok(file) = open(&path, &self.config.home.unit()) else { return Ok(None) };
        match patiently(|| file.try_lock_shared()) {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(path)),
            Err(TryLockError::Error(source)) => Err(Error::File { path, source }),
        }
    }

    /// Keeps every process from opening a session on a token.
    pub(super) fn exclude_sessions(&self, partition: &Partition) -> Result<File> {
        if partition.info().sessions > 0 {
            return Err(Error::SessionExists);
        }
        let path = self.sessions_lock_path(partition.token());
        let file = open(&path, &self.config.home.unit()).map_err(Error::file(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::SessionExists),
            Err(TryLockError::Error(source)) => Err(Error::File { path, source }),
        }
    }

    /// Waits for the turn to try a token's PIN. `None` where there is no lock to be had, or where whoever has it keeps
    /// it beyond all patience: then a try is made out of turn.
    pub(crate) fn take_pin_turn(&self, token: RecordId) -> Option<File> {
        let path = self.config.home.pin_lock(&token.to_string());
        let file = open(&path, &self.config.home.unit()).ok()?;
        patiently(|| file.try_lock()).is_ok().then_some(file)
    }
}

/// Tries to take a lock until patience ends.
fn patiently(
    take: impl Fn() -> std::result::Result<(), TryLockError>,
) -> std::result::Result<(), TryLockError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match take() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(STEP),
            taken => return taken,
        }
    }
}

/// Opens a lock file, or makes it with the mode of `like`, so that whoever may use the HSM, and nobody
/// else, may take the lock. (The umask narrows the mode that a file is made with.)
fn open(path: &Path, like: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mode = std::fs::metadata(like)?.permissions().mode() & 0o660;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(mode);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let file = options.create(true).truncate(false).open(path)?;
    // Where another user of the group was faster, the file is theirs, and they set its mode.
    let _ = file.set_permissions(std::fs::Permissions::from_mode(mode));
    Ok(file)
}
