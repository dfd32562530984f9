//! The options of what moves keys in and out: `import`, `export`, `backup`, `restore`.

use clap::Subcommand;

mod backup;
mod files;
mod help;
mod softhsm2;

pub(crate) use backup::{Backup, BackupPassphrase, Restore};
pub(crate) use files::{Export, Exported, Form, ImportFile, Usage};
pub(crate) use help::{BACKUP_EXAMPLES, EXPORT_EXAMPLES, IMPORT_EXAMPLES, UTIL_EXAMPLES};
pub(crate) use softhsm2::Softhsm2;

/// What to import.
#[derive(Debug, Subcommand)]
pub(crate) enum Bring {
    /// A whole token of SoftHSM2 2.x, of either back end, with all attributes of its objects
    #[command(after_long_help = help::SOFTHSM2_EXAMPLES)]
    Softhsm2(Box<Softhsm2>),
    /// A private key in PKCS #8, DER or PEM, encrypted or not
    #[command(after_long_help = help::FILE_EXAMPLES)]
    Pkcs8(Box<ImportFile>),
    /// A private key and its certificates in PKCS #12
    #[command(after_long_help = help::FILE_EXAMPLES)]
    Pkcs12(Box<ImportFile>),
    /// Private keys, public keys and certificates in PEM
    #[command(after_long_help = help::FILE_EXAMPLES)]
    Pem(Box<ImportFile>),
    /// A JSON Web Key, or a set of them
    #[command(after_long_help = help::FILE_EXAMPLES)]
    Jwk(Box<ImportFile>),
}
