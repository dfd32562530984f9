//! The options of `import softhsm2`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Reads SoftHSM2's files, and changes nothing about them. What is on the token already is left out, so that an
/// import that was interrupted is run again.
#[derive(Debug, Args)]
pub(crate) struct Softhsm2 {
    /// SoftHSM2's directory of tokens (directories.tokendir of softhsm2.conf), or one token's own
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) tokendir: PathBuf,
    /// Which token of SoftHSM2 (label or serial number); not needed where there is but one
    #[arg(long, value_name = "TOKEN")]
    pub(crate) from: Option<String>,
    /// The token of this HSM to bring the objects to (label, serial number or URI); made if there is none of the
    /// label. Without it, that of SoftHSM2's label
    #[arg(long, value_name = "TOKEN", env = "SOFTHSM_RS_TOKEN")]
    pub(crate) token: Option<String>,
    /// SoftHSM2's user PIN; a token that is made gets the same
    #[arg(long, value_name = "PIN")]
    pub(crate) pin: Option<String>,
    /// Read SoftHSM2's user PIN from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "pin")]
    pub(crate) pin_file: Option<PathBuf>,
    /// Read the user PIN of this HSM's token from a file's first line, where it is another one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_pin_file: Option<PathBuf>,
    /// The SO PIN of this HSM's token: needed to make it; with it keys of a token that is there stay trusted, and known as made on a token
    #[arg(long, value_name = "PIN")]
    pub(crate) so_pin: Option<String>,
    /// Read that SO PIN from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "so_pin")]
    pub(crate) so_pin_file: Option<PathBuf>,
    /// Leave out objects whose files are damaged, instead of refusing all
    #[arg(long)]
    pub(crate) skip_damaged: bool,
    /// Read and check everything, say what would be brought, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
