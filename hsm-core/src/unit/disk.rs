//! Where a unit's files are, and how they are written: whole or not at all, and durable before the
//! next step relies on them. What is in them is for `file`, `sealer` and `key_file`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// The files of one crypto unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitPaths {
    /// The unit's sealed state.
    pub unit: PathBuf,
    /// What seals it.
    pub sealer: PathBuf,
    /// Where the process that holds what people gave listens.
    pub holder: PathBuf,
    /// The credential that the service manager may have given to this process.
    pub credential: Option<PathBuf>,
    /// Held by whoever changes the unit.
    pub lock: PathBuf,
    /// Where the quick ceremony leaves signature keys and key parts.
    pub ceremony: CeremonyPlace,
}

/// Where a ceremony's files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CeremonyPlace {
    /// Into this directory, made when it is needed.
    Directory(PathBuf),
    /// Beside the unit, each file's name behind this prefix of a path: for directories where every
    /// sub-directory would be taken for something else.
    Prefix(PathBuf),
}

impl UnitPaths {
    /// The files of an ordinary HSM directory.
    pub fn in_home(home: &Path) -> UnitPaths {
        UnitPaths { ceremony: CeremonyPlace::Directory(home.join("ceremony")), ..UnitPaths::flat(home) }
    }

    /// The files of a directory that must stay without sub-directories.
    pub fn flat(home: &Path) -> UnitPaths {
        UnitPaths {
            unit: home.join("softhsm-rs.unit"),
            sealer: home.join("softhsm-rs.sealer"),
            holder: home.join("softhsm-rs.holder"),
            credential: None,
            lock: home.join("softhsm-rs.init-lock"),
            ceremony: CeremonyPlace::Prefix(home.join("softhsm-rs.ceremony-")),
        }
    }

    /// Where the ceremony's file of this name is.
    pub fn ceremony_file(&self, name: &str) -> PathBuf {
        match &self.ceremony {
            CeremonyPlace::Directory(directory) => directory.join(name),
            CeremonyPlace::Prefix(prefix) => with_suffix(prefix, name),
        }
    }
}

/// Who may read and write a file besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Access {
    /// Nobody: mode 0600.
    #[default]
    Owner,
    /// The members of the group with this number: mode 0660.
    Group(u32),
}

impl Access {
    fn file_mode(self) -> u32 {
        match self {
            Access::Owner => 0o600,
            Access::Group(_) => 0o660,
        }
    }

    fn group(self) -> Option<u32> {
        match self {
            Access::Owner => None,
            Access::Group(group) => Some(group),
        }
    }

    /// The access that an existing file has, as far as this type tells it.
    pub(super) fn of(path: &Path) -> Result<Access> {
        let metadata = fs::metadata(path).map_err(Error::file(path))?;
        Ok(if metadata.mode() & 0o060 == 0o060 { Access::Group(metadata.gid()) } else { Access::Owner })
    }
}

/// Writes a file whole: a reader sees the old content or the new, and after a crash it is one of
/// them. The caller holds the unit's lock, so that there is one writer.
pub(super) fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    let temporary = with_suffix(path, ".new");
    // What a crash left behind; its mode and owner are not to be inherited.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::file(&temporary)(error)),
        _ => {}
    }
    fault::step(path)?;
    write_durably(&temporary, bytes, access).map_err(Error::file(&temporary))?;
    fault::step(path)?;
    fs::rename(&temporary, path).map_err(Error::file(path))?;
    fault::step(path)?;
    sync_parent(path)
}

/// Writes a new file whole. An existing one is kept, and reported as an error.
pub(super) fn write_new(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    if path.try_exists().map_err(Error::file(path))? {
        return Err(Error::file(path)(ErrorKind::AlreadyExists.into()));
    }
    replace(path, bytes, access)
}

fn write_durably(path: &Path, bytes: &[u8], access: Access) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    if let Some(group) = access.group()
        && file.metadata()?.gid() != group
    {
        fchown(&file, None, Some(group))?;
    }
    // The mode at creation was narrowed by the umask.
    file.set_permissions(Permissions::from_mode(access.file_mode()))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Renames a file over another, durably.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fault::step(from)?;
    fs::rename(from, to).map_err(Error::file(from))?;
    fault::step(to)?;
    sync_parent(to)
}

/// Overwrites a file's bytes before whoever calls takes its name away: what the disk itself keeps of
/// the old ones, as flash does, is out of reach.
pub(super) fn destroy(path: &Path) -> Result<()> {
    let overwrite = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let length = file.metadata()?.len();
        std::io::copy(&mut std::io::repeat(0).take(length), &mut file)?;
        file.sync_all()
    };
    fault::step(path)?;
    match overwrite() {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}

/// Makes durable what the directory of `path` says now: somebody else may have renamed a file there, and lost
/// power or life before that was certain.
pub(super) fn settle(path: &Path) -> Result<()> {
    fault::step(path)?;
    sync_parent(path)
}

/// Makes a rename inside the directory of `path` durable.
fn sync_parent(path: &Path) -> Result<()> {
    let parent = parent_of(path);
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(Error::file(parent))
}

/// Makes the directory that `path` is in, if there is none. Members of a group may use it too.
pub(super) fn make_parent(path: &Path, access: Access) -> Result<()> {
    let parent = parent_of(path);
    if parent.is_dir() {
        return Ok(());
    }
    let make = || {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        if let Some(group) = access.group() {
            let directory = File::open(parent)?;
            fchown(&directory, None, Some(group))?;
            // What members make in it later, the store's files among them, is to be the group's too.
            directory.set_permissions(Permissions::from_mode(0o2770))?;
        }
        Ok(())
    };
    make().map_err(Error::file(parent))
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path with more behind its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The file's bytes, at most `limit` and one; `None` if there is no such file. The buffer never
/// moves, so that a secret in it leaves no copies behind.
pub(super) fn read(path: &Path, limit: usize) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(Error::file(path))?,
    };
    let most = limit.saturating_add(1);
    let mut bytes = Vec::with_capacity(most.saturating_add(1));
    // A limit is a few kilobytes: it fits.
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes).map_err(Error::file(path))?;
    Ok(Some(bytes))
}

/// Tells the log if everybody may read or write the file. It is not refused: file systems without
/// modes show all files so.
pub(super) fn warn_if_public(path: &Path) -> Result<()> {
    let mode = fs::metadata(path).map_err(Error::file(path))?.mode();
    if mode & 0o007 != 0 {
        log::warn!("{}: everybody on this machine can open it (mode {:o})", path.display(), mode & 0o777);
    }
    Ok(())
}

/// The unit's lock, held: what changes the unit asks for it. It goes with the process that dies.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Longer than any command or ceremony takes; whoever waits longer is told.
    const PATIENCE: Duration = Duration::from_secs(60);
    const PAUSE: Duration = Duration::from_millis(5);

    /// Waits for the lock and takes it.
    pub(super) fn take(path: &Path, access: Access) -> Result<Lock> {
        make_parent(path, access)?;
        let file = open_lock(path, access).map_err(Error::file(path))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(fs::TryLockError::Error(error)) => return Err(Error::file(path)(error)),
                Err(fs::TryLockError::WouldBlock) if start.elapsed() > Lock::PATIENCE => {
                    return Err(Error::Locked(path.to_owned()));
                }
                Err(fs::TryLockError::WouldBlock) => std::thread::sleep(Lock::PAUSE),
            }
        }
    }
}

fn open_lock(path: &Path, access: Access) -> std::io::Result<File> {
    let created = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
    match created {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            OpenOptions::new().read(true).write(true).open(path)
        }
        Err(error) => Err(error),
        Ok(file) => {
            if let Some(group) = access.group() {
                fchown(&file, None, Some(group))?;
                file.set_permissions(Permissions::from_mode(access.file_mode()))?;
            }
            Ok(file)
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not do if a child forked meanwhile still holds the descriptor. A failure
        // leaves the lock to the closing.
        let _ = self.0.unlock();
    }
}

/// Where a write may end for good, as when power is lost: tests choose the step.
pub(super) mod fault {
    use std::path::Path;

    use crate::error::Result;

    #[cfg(not(test))]
    pub(super) fn step(_: &Path) -> Result<()> {
        Ok(())
    }

    #[cfg(test)]
    thread_local! {
        static LEFT: std::cell::Cell<Option<usize>> = const { std::cell::Cell::new(None) };
    }

    /// Lets so many steps of this thread be done, and no more; all of them with `None`.
    #[cfg(test)]
    pub(in crate::unit) fn after(steps: Option<usize>) {
        LEFT.set(steps);
    }

    #[cfg(test)]
    pub(super) fn step(path: &Path) -> Result<()> {
        match LEFT.get() {
            Some(0) => Err(crate::error::Error::file(path)(std::io::ErrorKind::StorageFull.into())),
            left => {
                LEFT.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_keeps_the_ceremony_in_a_directory_and_a_flat_one_does_not() {
        let home = Path::new("/home");
        let file = |paths: UnitPaths| paths.ceremony_file("part-1.keypart");
        assert_eq!(file(UnitPaths::in_home(home)), Path::new("/home/ceremony/part-1.keypart"));
        assert_eq!(file(UnitPaths::flat(home)), Path::new("/home/softhsm-rs.ceremony-part-1.keypart"));
    }

    #[test]
    fn a_file_is_replaced_whole_in_spite_of_a_crashed_writer() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        replace(&path, b"old", Access::Owner).unwrap();
        fs::write(home.path().join("file.new"), b"half").unwrap();
        replace(&path, b"new", Access::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_never_overwrites() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        write_new(&path, b"first", Access::Owner).unwrap();
        assert!(matches!(write_new(&path, b"second", Access::Owner), Err(Error::File { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }

    #[test]
    fn files_are_the_owners_or_the_groups_and_nobody_elses() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        let group = fs::metadata(home.path()).unwrap().gid();
        for (access, mode) in [(Access::Owner, 0o600), (Access::Group(group), 0o660)] {
            replace(&path, b"", access).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
            assert_eq!(Access::of(&path).unwrap(), access);
        }
    }

    #[test]
    fn reading_stops_behind_the_limit() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        assert_eq!(read(&path, 4).unwrap(), None);
        fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read(&path, 4).unwrap().unwrap().len(), 5);
    }

    #[test]
    fn the_lock_is_held_by_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("lock");
        let lock = Lock::take(&path, Access::Owner).unwrap();
        let second = File::open(&path).unwrap();
        assert!(second.try_lock().is_err());
        drop(lock);
        assert!(second.try_lock().is_ok());
    }
}
