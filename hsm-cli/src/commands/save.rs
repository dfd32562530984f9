//! Where a secret value is saved: a file that nobody else may read, written whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use der::pem::{self, LineEnding};
use hsm_core::Error;
use hsm_core::secret::Secret;

use crate::failure::{Failure, Outcome, Result};

/// Read and written by its owner.
const MODE: u32 = 0o600;

/// What PEM begins with.
const PEM: &[u8] = b"-----BEGIN ";

/// A file to be.
#[derive(Debug)]
pub(super) struct Place<'a> {
    path: &'a Path,
    replace: bool,
}

impl<'a> Place<'a> {
    /// A new file, or one that may be replaced.
    pub(super) fn new(path: &'a Path, replace: bool) -> Result<Place<'a>> {
        if path == Path::new("-") {
            return Err(Failure::new(Outcome::Usage, "--out wants a file").next("`-` is none"));
        }
        if !replace && fs::symlink_metadata(path).is_ok() {
            return Err(exists(path));
        }
        Ok(Place { path, replace })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        self.path
    }

    /// Writes a value; in PEM under a label where the file's name asks for that.
    pub(super) fn save(&self, value: &[u8], label: Option<&str>) -> Result<()> {
        let is_pem = self.path.extension().is_some_and(|end| end.eq_ignore_ascii_case("pem"));
        if !is_pem || value.starts_with(PEM) {
            return self.write(value);
        }
        let Some(label) = label else {
            return Err(Failure::new(Outcome::Usage, "PEM has no name for this object in this format")
                .next("choose another --format, or a file that does not end in .pem"));
        };
        let text = pem::encode_string(label, LineEnding::LF, value)
            .map_err(|e| Failure::new(Outcome::Failed, format!("the value cannot be written as PEM: {e}")))?;
        self.write(Secret::new(text.into_bytes()).expose())
    }

    /// Writes a value as it is, whatever the file's name.
    pub(super) fn save_as_it_is(&self, value: &[u8]) -> Result<()> {
        self.write(value)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        // What is there keeps its bytes until the new ones are there, and its mode is not taken over.
        let target = if self.replace { beside(self.path) } else { self.path.to_owned() };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(MODE).open(&target).map_err(|e| match e
                .kind()
            {
                std::io::ErrorKind::AlreadyExists => exists(&target),
                _ => Error::file(&target)(e).into(),
            })?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let written = written.and_then(|()| match self.replace {
            true => fs::rename(&target, self.path),
            false => Ok(()),
        });
        written.map_err(|e| {
            // Half a key is worth nothing, and is one too many.
            let _ = fs::remove_file(&target);
            Error::file(&target)(e).into()
        })
    }
}

/// A name that no other file has: whoever wrote one of it keeps it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    name.into()
}

fn exists(path: &Path) -> Failure {
    Failure::new(Outcome::Exists, format!("{} exists", path.display())).next("--force replaces it")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_value_is_for_its_owner_alone_and_replaced_only_when_that_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        Place::new(&path, false).unwrap().save(b"one", None).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"one".to_vec(), 0o600));
        assert_eq!(Place::new(&path, false).unwrap_err().outcome, Outcome::Exists);
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        Place::new(&path, true).unwrap().save(b"two", None).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o600));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let place = Place::new(&path, false).unwrap();
        fs::write(&path, "theirs").unwrap();
        assert_eq!(place.save(b"ours", None).unwrap_err().outcome, Outcome::Exists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
    }

    #[test]
    fn pem_is_written_where_the_name_asks_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        let place = Place::new(&path, true).unwrap();
        assert_eq!(place.save(b"x", None).unwrap_err().outcome, Outcome::Usage);
        assert!(!path.exists());
        place.save(b"x", Some("PUBLIC KEY")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "-----BEGIN PUBLIC KEY-----\neA==\n-----END PUBLIC KEY-----\n");
        place.save(text.as_bytes(), None).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn standard_output_is_no_place() {
        assert_eq!(Place::new(Path::new("-"), false).unwrap_err().outcome, Outcome::Usage);
    }
}
