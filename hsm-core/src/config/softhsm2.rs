//! SoftHSM2's configuration file, as far as it says where tokens are: scripts written for SoftHSM2
//! work with the module's path changed. Every other key is SoftHSM2's own and means nothing here;
//! `log.level` too, since SoftHSM2 logs to syslog and a script that sets it does not expect lines
//! on standard error.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where SoftHSM2 keeps tokens when its file does not say.
const DEFAULT_DIRECTORY: &str = "/var/lib/softhsm/tokens";

/// The token directory that the file names.
pub(super) fn token_directory(path: &Path) -> Result<PathBuf> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::Config(format!("{}: {e}; SOFTHSM2_CONF names this file", path.display())))?;
    Ok(tokendir(&text).unwrap_or(DEFAULT_DIRECTORY).into())
}

/// `key = value` lines; `#` begins a comment anywhere, and the last of several lines counts.
fn tokendir(text: &str) -> Option<&str> {
    text.lines()
        .rev()
        .filter_map(|line| line.split('#').next()?.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, value)| *key == "directories.tokendir" && !value.is_empty())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_directory_is_found_among_other_keys_and_comments() {
        let text = "# SoftHSM v2\nlog.level = DEBUG\n directories.tokendir =  /tmp/t o k  # here\nslots.removable=false\nnonsense\n";
        assert_eq!(tokendir(text), Some("/tmp/t o k"));
    }

    #[test]
    fn of_two_lines_the_last_counts() {
        assert_eq!(tokendir("directories.tokendir = /a\ndirectories.tokendir = /b\n"), Some("/b"));
    }

    #[test]
    fn a_commented_line_names_nothing() {
        assert_eq!(tokendir("#directories.tokendir = /tmp/a\n"), None);
        assert_eq!(tokendir("directories.tokendir =\n"), None);
    }

    #[test]
    fn a_file_without_the_key_means_softhsm2s_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("softhsm2.conf");
        std::fs::write(&path, "objectstore.backend = file\n").unwrap();
        assert_eq!(token_directory(&path).unwrap(), Path::new(DEFAULT_DIRECTORY));
    }

    #[test]
    fn a_missing_file_is_named_with_its_variable() {
        let error = token_directory(Path::new("/nowhere/softhsm2.conf")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/softhsm2.conf") && error.contains("SOFTHSM2_CONF"), "{error}");
    }
}
