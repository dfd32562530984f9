//! The options of `kms key wrap`, `unwrap` and `rewrap`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::Named;

/// What unwrapping needs again.
#[derive(Debug, Args)]
pub(crate) struct Additional {
    /// A string of additional data; may be repeated, and is needed again in the same order
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) aad: Vec<String>,
}

/// Where a result goes.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Write the result itself to this file, which nobody else may read, instead of showing it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    /// Replace that file
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WrapKey {
    #[command(flatten)]
    pub(crate) key: Named,
    /// The file of what to wrap, as it is; `-` is standard input [default: a fresh key, which is shown]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) plaintext_file: Option<PathBuf>,
    /// That file holds it in base64
    #[arg(long, requires = "plaintext_file")]
    pub(crate) base64: bool,
    #[command(flatten)]
    pub(crate) additional: Additional,
    #[command(flatten)]
    pub(crate) out: Out,
}

/// A wrapped key.
#[derive(Debug, Args)]
#[group(id = "wrapped", required = true, multiple = false)]
pub(crate) struct Wrapped {
    /// The wrapped key
    pub(crate) ciphertext: Option<String>,
    /// The file of it; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ciphertext_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct UnwrapKey {
    #[command(flatten)]
    pub(crate) key: Named,
    #[command(flatten)]
    pub(crate) wrapped: Wrapped,
    #[command(flatten)]
    pub(crate) additional: Additional,
    #[command(flatten)]
    pub(crate) out: Out,
}

#[derive(Debug, Args)]
pub(crate) struct RewrapKey {
    #[command(flatten)]
    pub(crate) key: Named,
    #[command(flatten)]
    pub(crate) wrapped: Wrapped,
    #[command(flatten)]
    pub(crate) additional: Additional,
    #[command(flatten)]
    pub(crate) out: Out,
}
