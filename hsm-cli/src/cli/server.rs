//! The options of the commands that serve, and of those that make certificates.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::help;

/// Certificates are those of `certs init` in the home, unless named here or in the configuration.
/// SIGHUP reads configuration and certificates again; SIGTERM and SIGINT end the server when running
/// requests are answered, a second one at once.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration file, instead of the home's softhsm-rs.toml; its table "kmip" is the server's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Make what is missing to try it out: an HSM, an authority, a server's and a client's certificate
    #[arg(long)]
    pub(crate) dev: bool,
    /// Where KMIP is served [default: 127.0.0.1:5696]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) kmip_listen: Vec<SocketAddr>,
    /// Where KMIP over HTTPS is served (POST /kmip); nowhere unless given
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) https_listen: Vec<SocketAddr>,
    /// Where /metrics, /health and /ready are served by plain HTTP; nowhere unless given
    #[arg(long, value_name = "ADDRESS:PORT", alias = "http-listen")]
    pub(crate) metrics_listen: Vec<SocketAddr>,
    /// The server's certificate and its chain, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The server's private key, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The authorities that vouch for clients, in PEM; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_client_ca: Vec<PathBuf>,
    /// A certificate revocation list, in PEM or DER; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_crl: Vec<PathBuf>,
    /// Where the records are: sqlite:DIR, sled:DIR or memory:
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Open the partition kmip by its PIN alone, not by the master key
    #[arg(long)]
    pub(crate) pin_only: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Certs {
    /// Make an authority and the server's certificate
    #[command(after_long_help = help::CERTS_EXAMPLES)]
    Init {
        /// The authority's name
        #[arg(long, default_value = "softhsm-rs CA")]
        name: String,
        /// Names and addresses that clients reach the server by, besides this machine's own
        #[arg(long, value_name = "NAME")]
        san: Vec<String>,
        #[command(flatten)]
        make: MakeCertificate,
    },
    /// Make the server's certificate anew
    #[command(after_long_help = help::CERTS_EXAMPLES)]
    Server {
        /// Names and addresses that clients reach the server by, besides this machine's own
        #[arg(long, value_name = "NAME")]
        san: Vec<String>,
        #[command(flatten)]
        make: MakeCertificate,
    },
    /// Make a client's certificate
    #[command(after_long_help = help::CERTS_EXAMPLES)]
    Client {
        /// The client's name: the certificate's common name
        name: String,
        /// Alternative names
        #[arg(long, value_name = "NAME")]
        san: Vec<String>,
        /// The organizational unit
        #[arg(long, value_name = "UNIT")]
        ou: Option<String>,
        #[command(flatten)]
        make: MakeCertificate,
    },
    /// List the certificates, and those that are pinned
    List,
    /// Pin a client's certificate: it is admitted whoever signed it
    #[command(after_long_help = help::CERTS_EXAMPLES)]
    Trust {
        /// The certificate, in PEM or DER
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// What to call it, instead of what it says itself
        #[arg(long)]
        name: Option<String>,
        /// It renews this pinned certificate (name or fingerprint), and has its objects
        #[arg(long = "as", value_name = "PINNED")]
        renews: Option<String>,
    },
    /// Take a pin back; by a name, those of all renewals too
    #[command(after_long_help = help::CERTS_EXAMPLES)]
    Untrust {
        /// The pinned certificate's name or fingerprint
        pinned: String,
    },
}

/// How a certificate is made.
#[derive(Debug, Args)]
pub(crate) struct MakeCertificate {
    /// An RSA key of this size in bits, instead of ECDSA on P-256
    #[arg(long, value_enum, value_name = "BITS")]
    pub(crate) rsa: Option<RsaBits>,
    /// For how many days it is valid [default: 825; an authority 3650]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
    /// Replace what is there
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Sizes of RSA keys for certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RsaBits {
    #[value(name = "2048")]
    B2048,
    #[value(name = "3072")]
    B3072,
    #[value(name = "4096")]
    B4096,
}
