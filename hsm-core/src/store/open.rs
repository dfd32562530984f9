//! Store URLs, and making and opening the store that one names.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::memory::MemoryStore;
use super::sqlite::SqliteStore;
use super::{Store, StoreError, StoreResult};

/// Which back end, and where: `sqlite:DIR`, `sled:DIR` or `memory:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// SQLite in a directory: for any number of processes.
    Sqlite(PathBuf),
    /// sled in a directory: for one process at a time.
    Sled(PathBuf),
    /// In memory: for the process that makes it.
    Memory,
}

/// Makes a new store and opens it: for this user alone, or for the members of `group` (a numeric
/// group id) too. The directory is made if it is missing.
///
/// [`StoreError::Exists`] where there is one already.
pub fn create(url: &StoreUrl, group: Option<u32>) -> StoreResult<Box<dyn Store>> {
    match url {
        StoreUrl::Sqlite(directory) => Ok(Box::new(SqliteStore::create(directory, group)?)),
        #[cfg(feature = "sled")]
        StoreUrl::Sled(directory) => Ok(Box::new(super::sled::SledStore::create(directory, group)?)),
        #[cfg(not(feature = "sled"))]
        StoreUrl::Sled(directory) => Err(without_sled(directory)),
        StoreUrl::Memory => Ok(Box::new(MemoryStore::default())),
    }
}

/// Opens an existing store; makes nothing.
///
/// [`StoreError::Missing`] where there is none, which is always so for `memory:`.
pub fn open(url: &StoreUrl) -> StoreResult<Box<dyn Store>> {
    match url {
        StoreUrl::Sqlite(directory) => Ok(Box::new(SqliteStore::open(directory)?)),
        #[cfg(feature = "sled")]
        StoreUrl::Sled(directory) => Ok(Box::new(super::sled::SledStore::open(directory)?)),
        #[cfg(not(feature = "sled"))]
        StoreUrl::Sled(directory) => Err(without_sled(directory)),
        StoreUrl::Memory => Err(StoreError::Missing(PathBuf::from("memory:"))),
    }
}

#[cfg(not(feature = "sled"))]
fn without_sled(directory: &std::path::Path) -> StoreError {
    let detail = "this build has no sled back end (feature `sled`)".to_owned();
    StoreError::Failed { path: directory.to_path_buf(), detail }
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> StoreResult<StoreUrl> {
        match text.split_once(':') {
            Some(("sqlite", directory)) if !directory.is_empty() => Ok(StoreUrl::Sqlite(directory.into())),
            Some(("sled", directory)) if !directory.is_empty() => Ok(StoreUrl::Sled(directory.into())),
            Some(("memory", "")) => Ok(StoreUrl::Memory),
            _ => Err(StoreError::Url(text.to_owned())),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreUrl::Sqlite(directory) => write!(f, "sqlite:{}", directory.display()),
            StoreUrl::Sled(directory) => write!(f, "sled:{}", directory.display()),
            StoreUrl::Memory => f.write_str("memory:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_print_as_they_are_read() {
        for text in ["sqlite:/var/lib/x", "sqlite:relative", "sled:/a:b", "memory:"] {
            assert_eq!(text.parse::<StoreUrl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_no_url() {
        for text in
            ["", "/var/lib/x", "sqlite", "sqlite:", "sled:", "memory", "memory:x", "redis:x", "SQLITE:x"]
        {
            assert!(matches!(text.parse::<StoreUrl>(), Err(StoreError::Url(bad)) if bad == text));
        }
    }
}
