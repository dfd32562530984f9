//! The names of the HSM's files. Leaves what is in them to `unit` and `store`.

use std::path::{Path, PathBuf};

use crate::unit::UnitPaths;

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

/// What the ceremony's files begin with in a flat home.
const CEREMONY_PREFIX: &str = "softhsm-rs.ceremony-";

impl Home {
    /// The home at `root`, flat where it is a SoftHSM2 token directory by its contents. Only reads.
    pub fn at(root: PathBuf) -> Home {
        let flat = holds_softhsm2_tokens(&root);
        Home { root, flat }
    }

    /// The crypto unit's files.
    pub fn unit_paths(&self) -> UnitPaths {
        if self.flat { UnitPaths::flat(&self.root) } else { UnitPaths::in_home(&self.root) }
    }

    /// The crypto unit's sealed state: an HSM is where this file is.
    pub fn unit(&self) -> PathBuf {
        self.unit_paths().unit
    }

    /// Held shared by every process that has a session on the token of this identity.
    pub fn sessions_lock(&self, token: &str) -> PathBuf {
        self.root.join(format!("softhsm-rs.{token}.sessions"))
    }

    /// Held by who tries a PIN of the token of this identity, once several do.
    pub fn pin_lock(&self, token: &str) -> PathBuf {
        self.root.join(format!("softhsm-rs.{token}.pin"))
    }

    /// The home's own configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("softhsm-rs.toml")
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
    fn a_flat_home_has_no_sub_directory() {
        let home = Home { root: "/h".into(), flat: true };
        let expected = format!("/h/{CEREMONY_PREFIX}part");
        assert_eq!(home.unit_paths().ceremony_file("part"), Path::new(&expected));
        assert_eq!(home.sessions_lock("t").parent(), Some(Path::new("/h")));
        assert_eq!(home.unit(), Path::new("/h/softhsm-rs.unit"));
    }

    #[test]
    fn an_ordinary_home_keeps_the_ceremony_apart() {
        let home = Home { root: "/h".into(), flat: false };
        assert_eq!(home.unit_paths().ceremony_file("part"), Path::new("/h/ceremony/part"));
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
