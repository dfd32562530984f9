//! The names of the HSM's files. Leaves what is in them to `unit` and `store`.

use std::path::{Path, PathBuf};

/// The directory that holds an HSM: the unit's file, its sealer, the ceremony's files and, unless
/// the configuration says otherwise, the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The directory. It may not exist yet.
    pub root: PathBuf,
    /// Whether everything is plain files in `root`, as in a SoftHSM2 token directory: SoftHSM2
    /// takes each sub-directory there for a token.
    pub flat: bool,
}

const CEREMONY: &str = "ceremony";
const CEREMONY_PREFIX: &str = "softhsm-rs.ceremony-";

impl Home {
    /// The home at `root`, flat where it is a SoftHSM2 token directory by its contents. Only reads.
    pub fn at(root: PathBuf) -> Home {
        let flat = holds_softhsm2_tokens(&root);
        Home { root, flat }
    }

    /// The crypto unit's sealed state.
    pub fn unit(&self) -> PathBuf {
        self.root.join("softhsm-rs.unit")
    }

    /// What opens the crypto unit's state.
    pub fn sealer(&self) -> PathBuf {
        self.root.join("softhsm-rs.sealer")
    }

    /// Held while an HSM is made here.
    pub fn init_lock(&self) -> PathBuf {
        self.root.join("softhsm-rs.init-lock")
    }

    /// The home's own configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("softhsm-rs.toml")
    }

    /// The directory of the ceremony's files; the home itself where it is flat.
    pub fn ceremony_dir(&self) -> PathBuf {
        if self.flat { self.root.clone() } else { self.root.join(CEREMONY) }
    }

    /// One of the ceremony's files: an administrator's key or a key part.
    pub fn ceremony(&self, name: &str) -> PathBuf {
        if self.flat {
            self.root.join(format!("{CEREMONY_PREFIX}{name}"))
        } else {
            self.root.join(CEREMONY).join(name)
        }
    }

    /// The name that [`Home::ceremony`] was given, of a file found in [`Home::ceremony_dir`].
    pub fn ceremony_name<'a>(&self, file_name: &'a str) -> Option<&'a str> {
        if self.flat { file_name.strip_prefix(CEREMONY_PREFIX) } else { Some(file_name) }
    }
}

/// Our own files in flat form, or a sub-directory with SoftHSM2's `token.object` or `token.lock`.
fn holds_softhsm2_tokens(root: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(root) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(CEREMONY_PREFIX));
        ours || entry.path().join("token.object").exists() || entry.path().join("token.lock").exists()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_their_names() {
        let home = Home { root: "/h".into(), flat: false };
        assert_eq!(home.unit(), Path::new("/h/softhsm-rs.unit"));
        assert_eq!(home.sealer(), Path::new("/h/softhsm-rs.sealer"));
        assert_eq!(home.init_lock(), Path::new("/h/softhsm-rs.init-lock"));
        assert_eq!(home.ceremony("part-1"), Path::new("/h/ceremony/part-1"));
        assert_eq!(home.ceremony_name("part-1"), Some("part-1"));
    }

    #[test]
    fn a_flat_home_has_no_sub_directory() {
        let home = Home { root: "/h".into(), flat: true };
        assert_eq!(home.ceremony("part-1"), Path::new("/h/softhsm-rs.ceremony-part-1"));
        assert_eq!(home.ceremony_dir(), Path::new("/h"));
        assert_eq!(home.ceremony_name("softhsm-rs.ceremony-part-1"), Some("part-1"));
        assert_eq!(home.ceremony_name("softhsm-rs.unit"), None);
    }

    #[test]
    fn a_directory_of_softhsm2_tokens_is_known_by_its_contents() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Home::at(dir.path().into()).flat);
        std::fs::create_dir(dir.path().join("ceremony")).unwrap();
        assert!(!Home::at(dir.path().into()).flat);
        std::fs::create_dir(dir.path().join("f54ba2a1")).unwrap();
        std::fs::write(dir.path().join("f54ba2a1/token.object"), "").unwrap();
        assert!(Home::at(dir.path().into()).flat);
    }

    #[test]
    fn a_flat_home_is_known_again_by_its_ceremony_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("softhsm-rs.ceremony-part-1"), "").unwrap();
        assert!(Home::at(dir.path().into()).flat);
    }
}
