//! The options of `backup` and `restore`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::Consent;

/// Where the passphrase of a backup comes from; without this, from SOFTHSM_RS_BACKUP_PASSPHRASE, else asked.
#[derive(Debug, Args)]
pub(crate) struct BackupPassphrase {
    /// Read the backup's passphrase from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Asks for no PIN: PINs stay what they are, and private objects stay under them inside the file. The crypto unit
/// has to be open; neither its master key nor the audit log is in the backup.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to make
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The token (label, serial number or URI), any number of times; all of them without it
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Vec<String>,
    #[command(flatten)]
    pub(crate) passphrase: BackupPassphrase,
}

/// Reads the whole file and checks it before anything is changed, and then brings back all that was asked for or
/// nothing. The tokens come under this HSM's master key, whichever HSM they are from.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The token (label, serial number or URI), any number of times; all that the file has without it
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Vec<String>,
    /// Replace tokens that are here by those of the backup: what was made on them since is lost
    #[arg(long)]
    pub(crate) replace: bool,
    /// Read the file and check it, show what it holds, and change nothing
    #[arg(long, conflicts_with = "replace")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) passphrase: BackupPassphrase,
    #[command(flatten)]
    pub(crate) consent: Consent,
}
