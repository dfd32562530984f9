//! The options of signature keys: in files, or held by a signing service.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueHint};

/// A signature key of an administrator's.
#[derive(Debug, Args)]
pub(crate) struct SigningKey {
    /// The administrator's signature key file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "key_name")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: KeyPassphrase,
    /// The name that a signing service has for the key, instead of a file
    #[arg(long, value_name = "NAME", conflicts_with = "key")]
    pub(crate) key_name: Option<String>,
    #[command(flatten)]
    pub(crate) service: SigningService,
}

/// Where the passphrase of a key file comes from; without this, from SOFTHSM_RS_PASSPHRASE, else asked.
#[derive(Debug, Args)]
pub(crate) struct KeyPassphrase {
    /// Read the passphrase of the signature key from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The key file has no passphrase
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) no_passphrase: bool,
}

/// A signing service. Its token comes from SOFTHSM_RS_SIGNING_TOKEN, unless a file is named.
#[derive(Debug, Args)]
pub(crate) struct SigningService {
    /// The signing service: https://HOST:PORT/PATH, or http:// on this machine
    #[arg(long, value_name = "URL", env = "TKE_SIGNSERV_URL")]
    pub(crate) service: Option<String>,
    /// Read the service's token from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
    /// The authority of the service's certificate, or the certificate itself, instead of those that this machine
    /// trusts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) service_ca: Option<PathBuf>,
    /// How long the service may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) service_timeout: u64,
}

/// A signing service of our own.
#[derive(Debug, Args)]
pub(crate) struct SignService {
    /// Where to listen; without a certificate, on this machine alone
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// The directory of the signature keys: NAME.sigkey is the key NAME. Where there is a file NAME.token, its first
    /// line is that key's own token
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) keys: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: KeyPassphrase,
    /// Read the token of keys that have none of their own from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
    /// The server's certificate, in PEM, with those that lead to its authority
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
}
