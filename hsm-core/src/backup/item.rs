//! What is in a backup, in the order in which it stands there: where it is from, then each token with its records and
//! index entries, then the end, which counts them. The encoding is postcard's; variants and fields are added at the
//! end, and a change raises the file's number.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// One thing in a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Item {
    /// The first.
    Origin(Origin),
    /// A token; what follows up to the next one is its own.
    Token(TokenCopy),
    /// A record as the store has it.
    Record { id: [u8; 16], kind: u8, revision: u64, sealed: Vec<u8> },
    /// An index entry as the store has it.
    Entry { chain: u8, tag: [u8; 16], record: [u8; 16], mac: [u8; 16] },
    /// The last.
    End(End),
}

/// Where a backup is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The HSM's identifier.
    pub hsm: String,
    /// When it was made, in seconds since 1970.
    pub made: i64,
    /// The software's version.
    pub version: String,
    /// How many records there are, for those who show how far they are.
    pub records: u64,
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    pub tokens: u64,
    pub records: u64,
    pub entries: u64,
}

/// A token, without the master key's part in it.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenCopy {
    /// Its identity.
    pub token: [u8; 16],
    /// The space of its objects.
    pub space: [u8; 16],
    pub label: [u8; 32],
    pub serial: [u8; 16],
    /// The key of public objects.
    pub public_key: Vec<u8>,
    /// The key of private objects, of a partition that opens for a server.
    pub server_key: Option<Vec<u8>>,
    pub so: Option<PinCopy>,
    pub user: Option<PinCopy>,
}

/// The key of private objects under a PIN.
#[derive(Serialize, Deserialize)]
pub(crate) struct PinCopy {
    pub salt: [u8; 16],
    pub memory_kib: u32,
    pub passes: u32,
    pub wrapped: Vec<u8>,
}

impl std::fmt::Debug for TokenCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCopy")
            .field("serial", &String::from_utf8_lossy(&self.serial))
            .finish_non_exhaustive()
    }
}

impl Drop for TokenCopy {
    fn drop(&mut self) {
        self.public_key.zeroize();
        self.server_key.zeroize();
    }
}

impl Drop for PinCopy {
    fn drop(&mut self) {
        self.wrapped.zeroize();
    }
}
