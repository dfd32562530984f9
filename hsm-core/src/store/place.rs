//! The directory of a store and the small plain files in it. All names begin with `softhsm-rs.`; all
//! files take the owner, group and mode of the store's main file, whoever of its users makes them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{StoreError, StoreResult};

/// What every file name of a store begins with.
const PREFIX: &str = "softhsm-rs.";

/// Where a store is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    directory: PathBuf,
    main: PathBuf,
}

impl Place {
    /// The place `directory`, whose main file is `softhsm-rs.` and `main`. Nothing is touched. The
    /// path is made absolute, because files are opened later and the process may change directory.
    pub(super) fn new(directory: &Path, main: &str) -> StoreResult<Place> {
        let directory = std::path::absolute(directory).map_err(|error| failure(directory, error))?;
        let main = directory.join(format!("{PREFIX}{main}"));
        Ok(Place { directory, main })
    }

    /// The directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The main file.
    pub(super) fn main(&self) -> &Path {
        &self.main
    }

    /// The path of the file `softhsm-rs.` and `name`.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{PREFIX}{name}"))
    }

    /// An unused path beside the main file, where a new one can be built.
    pub(super) fn draft(&self) -> StoreResult<PathBuf> {
        let random = crate::rng::array::<8>()
            .map_err(|error| StoreError::Failed { path: self.main.clone(), detail: error.to_string() })?;
        let mut path = self.main.clone().into_os_string();
        path.push(format!("-new-{}", hex::encode(random)));
        Ok(path.into())
    }

    /// Opens a file to read and write; makes an empty one where there is none.
    pub(super) fn open_or_make(&self, name: &str) -> StoreResult<File> {
        let path = self.file(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        // Looking first keeps the common case to one call; the loop is for a file that appears or
        // vanishes between the two.
        for _ in 0..8 {
            match options.clone().open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => return other.map_err(|error| write_failure(&path, error)),
            }
            match options.clone().create_new(true).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(write_failure(&path, error)),
                Ok(file) => return self.hand_over(&path, file),
            }
        }
        Err(StoreError::Failed { path, detail: "it appears and vanishes".to_owned() })
    }

    /// Gives a new file the mode, owner and group of the main file. Only root can give files away;
    /// for others the directory's set-group-id bit has set the group already.
    fn hand_over(&self, path: &Path, file: File) -> StoreResult<File> {
        let main = fs::metadata(&self.main).map_err(|error| failure(&self.main, error))?;
        let own = file.metadata().map_err(|error| failure(path, error))?;
        if (own.uid(), own.gid()) != (main.uid(), main.gid()) {
            let given = std::os::unix::fs::fchown(&file, Some(main.uid()), Some(main.gid()));
            if let Err(error) = given {
                log::debug!("{}: keeps its owner: {error}", path.display());
            }
        }
        let mode = if main.is_dir() { 0o600 } else { main.mode() & 0o666 };
        set_mode(&file, path, mode)?;
        Ok(file)
    }

    /// Makes the directory if it is missing, for its user alone or for a group (a numeric group
    /// id), whose files then belong to the group whoever makes them.
    pub(super) fn make_directory(&self, group: Option<u32>) -> StoreResult<()> {
        if let Some(parent) = self.directory.parent() {
            fs::create_dir_all(parent).map_err(|error| write_failure(parent, error))?;
        }
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Ok(()) => share_directory(&self.directory, group),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.check_shared(group),
            Err(error) => Err(write_failure(&self.directory, error)),
        }
    }

    /// An existing directory that a group shall use must be the group's already: changing one that
    /// may serve other purposes is its owner's decision. An empty one is taken for new.
    fn check_shared(&self, group: Option<u32>) -> StoreResult<()> {
        let Some(group) = group else { return Ok(()) };
        let path = &self.directory;
        let found = fs::metadata(path).map_err(|error| failure(path, error))?;
        if found.gid() == group && found.mode() & 0o2070 == 0o2070 {
            return Ok(());
        }
        if fs::read_dir(path).map_err(|error| failure(path, error))?.next().is_none() {
            return share_directory(path, Some(group));
        }
        let detail =
            format!("to be shared it must belong to group {group} with mode 2770 (chgrp, chmod g+rwxs)");
        Err(StoreError::Failed { path: path.clone(), detail })
    }
}

/// Sets the mode and, if asked for, the group of a store's own directory.
pub(super) fn share_directory(path: &Path, group: Option<u32>) -> StoreResult<()> {
    let mode = match group {
        None => 0o700,
        Some(group) => {
            std::os::unix::fs::chown(path, None, Some(group))
                .map_err(|error| not_given(path, group, &error))?;
            0o2770
        }
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| write_failure(path, error))
}

/// Makes a new, empty file at `path`: mode 0600, or 0660 for a group (a numeric group id).
pub(super) fn make_file(path: &Path, group: Option<u32>) -> StoreResult<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let file = options.open(path).map_err(|error| write_failure(path, error))?;
    if let Some(group) = group {
        std::os::unix::fs::fchown(&file, None, Some(group))
            .map_err(|error| not_given(path, group, &error))?;
    }
    set_mode(&file, path, if group.is_some() { 0o660 } else { 0o600 })
}

/// What a failed look at a file means.
pub(super) fn failure(path: &Path, error: io::Error) -> StoreError {
    let path = path.to_path_buf();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StoreError::Missing(path),
        ErrorKind::PermissionDenied => StoreError::Denied(path),
        ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(path),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StoreError::Full(path),
        _ => StoreError::Failed { path, detail: error.to_string() },
    }
}

/// What a failed change of a file means.
pub(super) fn write_failure(path: &Path, error: io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::PermissionDenied => StoreError::ReadOnly(path.to_path_buf()),
        _ => failure(path, error),
    }
}

fn not_given(path: &Path, group: u32, error: &io::Error) -> StoreError {
    StoreError::Failed {
        path: path.to_path_buf(),
        detail: format!("cannot be given to group {group}: {error}"),
    }
}

/// Sets a mode exactly, which the process's umask would have narrowed.
fn set_mode(file: &File, path: &Path, mode: u32) -> StoreResult<()> {
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(|error| write_failure(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(group: Option<u32>) -> (tempfile::TempDir, Place) {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(&directory.path().join("new"), "sqlite").unwrap();
        place.make_directory(group).unwrap();
        make_file(place.main(), group).unwrap();
        (directory, place)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_store_of_one_user_is_closed_to_others() {
        let (_keep, place) = place(None);
        place.open_or_make("lock").unwrap();
        assert_eq!(mode(place.directory()), 0o700);
        assert_eq!(mode(place.main()), 0o600);
        assert_eq!(mode(&place.file("lock")), 0o600);
    }

    #[test]
    fn a_store_of_a_group_is_open_to_it_alone() {
        let group = rustix::process::getegid().as_raw();
        let (_keep, place) = place(Some(group));
        place.open_or_make("lock").unwrap();
        assert_eq!(mode(place.directory()), 0o2770);
        assert_eq!(mode(place.main()), 0o660);
        assert_eq!(mode(&place.file("lock")), 0o660);
        assert_eq!(fs::metadata(place.file("lock")).unwrap().gid(), group);
    }

    #[test]
    fn an_existing_directory_with_other_files_is_not_opened_to_a_group() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("other"), b"").unwrap();
        let before = mode(directory.path());
        let place = Place::new(directory.path(), "sqlite").unwrap();
        let refused = place.make_directory(Some(rustix::process::getegid().as_raw()));
        assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
        assert_eq!(mode(directory.path()), before);
    }

    #[test]
    fn an_existing_file_is_opened_as_it_is() {
        let (_keep, place) = place(None);
        fs::write(place.file("lock"), b"kept").unwrap();
        place.open_or_make("lock").unwrap();
        assert_eq!(fs::read(place.file("lock")).unwrap(), b"kept");
    }

    #[test]
    fn a_full_file_system_is_told_apart() {
        let path = Path::new("/x");
        let full = failure(path, io::Error::from(ErrorKind::StorageFull));
        assert!(matches!(full, StoreError::Full(_)));
        let denied = write_failure(path, io::Error::from(ErrorKind::PermissionDenied));
        assert!(matches!(denied, StoreError::ReadOnly(_)));
    }
}
