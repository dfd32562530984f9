//! The options of `import pkcs8`, `pkcs12`, `pem` and `jwk`, and of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::{Hexadecimal, KeyAccess, hexadecimal};

/// A file with keys.
#[derive(Debug, Args)]
pub(crate) struct ImportFile {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) access: KeyAccess,
    /// The label; without it the one that the file gives
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// CKA_ID in hexadecimal digits; without it the SHA-1 digest of the public key, random for secret keys
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    pub(crate) id: Option<Hexadecimal>,
    /// What the keys are for, and for nothing else: each half of a pair gets its side of it
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) usage: Vec<Usage>,
    /// Let the secret leave the token wrapped (CKA_EXTRACTABLE)
    #[arg(long)]
    pub(crate) extractable: bool,
    /// Let the secret be seen by who is logged in (CKA_SENSITIVE false)
    #[arg(long)]
    pub(crate) not_sensitive: bool,
    /// Leave out the public half of a pair
    #[arg(long)]
    pub(crate) no_public_key: bool,
    /// Read the file's passphrase from a file's first line; without it, from SOFTHSM_RS_PASSPHRASE, else asked
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Usage {
    /// Sign, and verify
    Sign,
    /// Decrypt, and encrypt
    Decrypt,
    /// Unwrap, and wrap
    Unwrap,
    /// Derive
    Derive,
}

/// What to write out, and how.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) access: KeyAccess,
    /// Do not log in: see public objects alone
    #[arg(long, conflicts_with = "pin_file")]
    pub(crate) public: bool,
    /// The object with this label
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// The object with this CKA_ID, in hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    pub(crate) id: Option<Hexadecimal>,
    /// Which object: the private and secret ones must be extractable and not sensitive
    #[arg(long, value_enum, default_value_t = Exported::Public)]
    pub(crate) class: Exported,
    /// The form
    #[arg(long, value_enum, default_value_t = Form::Pem)]
    pub(crate) format: Form,
    /// Write to this file, which must not exist, instead of standard output; needed for private and secret keys
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    /// Encrypt a private key under a passphrase: from SOFTHSM_RS_PASSPHRASE, else asked
    #[arg(long)]
    pub(crate) encrypt: bool,
    /// Encrypt a private key under the passphrase in a file's first line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// What can be written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exported {
    Public,
    Private,
    Secret,
    Certificate,
}

/// The forms in which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// PEM: PUBLIC KEY, PRIVATE KEY, ENCRYPTED PRIVATE KEY or CERTIFICATE
    Pem,
    /// The same in DER; of a secret key its value
    Der,
    /// A public key as JSON Web Key
    Jwk,
}
