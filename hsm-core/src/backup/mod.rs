//! The file of a backup: what is in it and in which order (`item`), and how it is encrypted (`sealed`). Which tokens
//! go into one, and how they come back, is `hsm`'s.
//!
//! A backup is encrypted under a passphrase alone, so that it opens where the HSM that made it is gone. Inside, the
//! records of a token are as the store has them, sealed under the token's own two keys; of these the key of private
//! objects stands under the PINs. So PINs stay what they were, and who has the passphrase and no PIN sees what is
//! public, and the keys of servers' partitions, which no PIN protects.

use std::path::PathBuf;

use crate::error::Error;

mod item;
mod sealed;
#[cfg(test)]
mod tests;

pub(crate) use item::{End, Item, Origin, PinCopy, TokenCopy};
pub(crate) use sealed::{Opened, Sealer};

/// The shortest passphrase of a backup, in bytes.
pub const SHORTEST_PASSPHRASE: usize = 8;

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no backup.
    #[error("{0} is no backup of softhsm-rs")]
    Foreign(PathBuf),
    /// A newer version made it.
    #[error(
        "{path} was made by a newer version (format {found}, this one knows {known}): upgrade softhsm-rs"
    )]
    Newer {
        /// Which one.
        path: PathBuf,
        /// Its format number.
        found: u8,
        /// The newest that is known.
        known: u8,
    },
    /// The passphrase does not open it.
    #[error("the passphrase does not open {0}")]
    WrongPassphrase(PathBuf),
    /// It was changed, or its end is missing.
    #[error("{path} is damaged: {detail}")]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// A passphrase that is too short to protect keys.
    #[error("a backup's passphrase has at least {SHORTEST_PASSPHRASE} bytes")]
    ShortPassphrase,
    /// The HSM has no token that was asked for, or the backup has none.
    #[error("{0}")]
    NoToken(String),
    /// The HSM has the token already.
    #[error("the HSM has the token \"{label}\" (serial {serial}) already")]
    Present {
        /// Its label.
        label: String,
        /// Its serial number.
        serial: String,
    },
    /// What the HSM itself says.
    #[error(transparent)]
    Hsm(#[from] Error),
}
