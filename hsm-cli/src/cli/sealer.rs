//! The options of what opens the crypto unit at rest: its sealer, and the process that holds its key.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::help;

/// What the unit's sealer asks for is read from files or the environment, else asked. A process in the background
/// then holds the key, for whoever may use the HSM, until `softhsm-rs lock` or SIGTERM.
#[derive(Debug, Args)]
pub(crate) struct Unlock {
    #[command(flatten)]
    pub(crate) given: Given,
    /// Hold the key in this process, as a service does, and tell the service manager when it is held
    #[arg(long)]
    pub(crate) foreground: bool,
    /// The process in the background: reads the key itself from standard input
    #[arg(long, hide = true, conflicts_with = "foreground")]
    pub(crate) hold: bool,
}

/// What is given to open the unit.
#[derive(Debug, Args)]
pub(crate) struct Given {
    /// Read the unit's passphrase from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// A key share; given as often as shares are needed
    #[arg(long = "share", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) shares: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) share_passphrase: SharePassphrase,
    /// The credential's bytes, where the service manager gave none to this process; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) credential_file: Option<PathBuf>,
}

/// Where the passphrases of shares come from; without this, from SOFTHSM_RS_SHARE_PASSPHRASE, else asked.
#[derive(Debug, Args)]
pub(crate) struct SharePassphrase {
    /// Read the passphrases of the shares from a file's first line; `-` is standard input, a line for each
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) share_passphrase_file: Option<PathBuf>,
    /// The shares' files have no passphrase
    #[arg(long, conflicts_with = "share_passphrase_file")]
    pub(crate) no_share_passphrase: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnitSealer {
    /// Show what seals the unit, and whether it is open
    Show,
    /// Seal the unit by something else; what sealed it before is destroyed
    #[command(subcommand, after_long_help = help::UNIT_SEALER_EXAMPLES)]
    Set(SetSealer),
    /// Show what shares say of themselves
    #[command(after_long_help = help::UNIT_SEALER_EXAMPLES)]
    Shares {
        /// Share files
        #[arg(value_hint = ValueHint::FilePath, required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SetSealer {
    /// A file in the home, which opens the unit by itself
    OwnerFile,
    /// A passphrase of at least 8 bytes, given at `unlock`
    #[command(after_long_help = help::UNIT_SEALER_EXAMPLES)]
    Passphrase {
        /// Read it from a file's first line; `-` is standard input
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        passphrase_file: Option<PathBuf>,
    },
    /// Key shares, some of which are given at `unlock`
    #[command(after_long_help = help::UNIT_SEALER_EXAMPLES)]
    Shares {
        /// How many are needed
        #[arg(long, value_name = "COUNT")]
        needed: u8,
        /// The files to write, one for each share
        #[arg(value_hint = ValueHint::FilePath, required = true, num_args = 2..)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        passphrase: SharePassphrase,
    },
    /// A credential, which systemd gives to the services that may have it
    #[command(after_long_help = help::UNIT_SEALER_EXAMPLES)]
    Credential {
        /// Its bytes: 32 or more; `-` is standard input
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        credential_file: PathBuf,
    },
}
