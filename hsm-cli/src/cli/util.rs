//! The options of `util`, which are those of SoftHSM2's tool, so that scripts made for it go on working.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum, ValueHint};

/// Takes the options of SoftHSM2's softhsm2-util, and says what that says: `alias softhsm2-util='softhsm-rs util'`.
/// Unlike that it needs an HSM (`softhsm-rs init`), and the SO PIN to delete a token.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("action").required(true).multiple(false))]
pub(crate) struct Util {
    /// Initialise the token at a slot: all that is on it is erased
    #[arg(long, group = "action")]
    pub(crate) init_token: bool,
    /// Show the slots and what is in them
    #[arg(long, group = "action")]
    pub(crate) show_slots: bool,
    /// Import a key pair in PKCS #8, or an AES key
    #[arg(long, group = "action", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) import: Option<PathBuf>,
    /// Delete a token and all that is on it
    #[arg(long, group = "action")]
    pub(crate) delete_token: bool,
    /// The slot's number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) slot: Option<u64>,
    /// Use the free slot
    #[arg(long)]
    pub(crate) free: bool,
    /// Use the token of this label
    #[arg(long, value_name = "LABEL")]
    pub(crate) token: Option<String>,
    /// Use the token of this serial number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) serial: Option<String>,
    /// The label of the token or of the key
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    /// The CKA_ID of the key, in hexadecimal digits
    #[arg(long, value_name = "HEX")]
    pub(crate) id: Option<String>,
    /// The SO PIN; without it from SOFTHSM_RS_SO_PIN, else asked
    #[arg(long, value_name = "PIN")]
    pub(crate) so_pin: Option<String>,
    /// The user PIN; without it from SOFTHSM_RS_PIN, else asked
    #[arg(long, value_name = "PIN")]
    pub(crate) pin: Option<String>,
    /// The passphrase of the file to import
    #[arg(long, value_name = "PIN")]
    pub(crate) file_pin: Option<String>,
    /// Import the private key alone
    #[arg(long)]
    pub(crate) no_public_key: bool,
    /// The file is an AES key as it is
    #[arg(long)]
    pub(crate) aes: bool,
    /// What the file is
    #[arg(long, value_enum, default_value_t = ImportType::Keypair)]
    pub(crate) import_type: ImportType,
    /// Import though another key has the CKA_ID
    #[arg(long)]
    pub(crate) force: bool,
    /// Ignored: it is always this HSM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) module: Option<PathBuf>,
}

/// What a file to import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportType {
    /// A private key in PKCS #8
    Keypair,
    /// An AES key as it is
    Aes,
}
