//! The options of `kmip`, the client that looks at KMIP servers.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser as NonEmpty;
use clap::{Args, Subcommand, ValueHint};
use kmip_server::ttlv::Version;
use kmip_server::ttlv::enums::{CryptographicAlgorithm, KeyFormatType, ObjectType, State};

use super::help;
use crate::kmip::{Endpoint, spelled};

#[derive(Debug, Subcommand)]
pub(crate) enum Kmip {
    /// Show which versions of KMIP a server speaks
    #[command(after_long_help = help::KMIP_EXAMPLES)]
    Discover {
        #[command(flatten)]
        connection: Box<KmipConnection>,
    },
    /// Show what a server is and what it can do
    #[command(after_long_help = help::KMIP_EXAMPLES)]
    Query {
        #[command(flatten)]
        connection: Box<KmipConnection>,
    },
    /// Find objects
    #[command(after_long_help = help::KMIP_LOCATE_EXAMPLES)]
    Locate(Box<KmipLocate>),
    /// Show an object, or save its value
    #[command(after_long_help = help::KMIP_GET_EXAMPLES)]
    Get(Box<KmipGet>),
}

/// Which server, and who asks. Certificates are named all three, or none: then those of the home serve, as
/// `serve --dev` and `certs` make them.
#[derive(Debug, Args)]
pub(crate) struct KmipConnection {
    /// The server; an IPv6 address with a port stands in brackets [default port: 5696]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) server: Endpoint,
    /// The client's certificate and its chain, in PEM [default: the home's client `dev`, or its only one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires_all = ["tls_key", "tls_ca"])]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key, in PEM [default: the home's]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires_all = ["tls_cert", "tls_ca"])]
    pub(crate) tls_key: Option<PathBuf>,
    /// The authorities that vouch for the server, in PEM, or the server's own certificate [default: the home's]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires_all = ["tls_cert", "tls_key"])]
    pub(crate) tls_ca: Option<PathBuf>,
    /// The name that the server's certificate is for, where it is not HOST
    #[arg(long, value_name = "NAME", value_parser = NonEmpty::new())]
    pub(crate) server_name: Option<String>,
    /// Speak this version, 1.0 to 2.1 [default: the newest that both speak]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub(crate) kmip_version: Option<Version>,
    /// Send this username with a password, which is asked for or read from --password-file
    #[arg(long, value_name = "NAME", value_parser = NonEmpty::new())]
    pub(crate) user: Option<String>,
    /// Read the password from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// How long to wait for the connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
}

/// What to look for: objects that have all of it, or every object that the client sees.
#[derive(Debug, Args)]
pub(crate) struct KmipLocate {
    #[command(flatten)]
    pub(crate) connection: KmipConnection,
    /// Objects with this name
    #[arg(long, value_parser = NonEmpty::new())]
    pub(crate) name: Option<String>,
    /// Objects of this type: symmetric-key, private-key, certificate, secret-data, …
    #[arg(long = "type", value_name = "TYPE", value_parser = spelled::<ObjectType>)]
    pub(crate) object_type: Option<u32>,
    /// Objects in this state: pre-active, active, deactivated, compromised, …
    #[arg(long, value_parser = spelled::<State>)]
    pub(crate) state: Option<u32>,
    /// Members of this Object Group
    #[arg(long, value_parser = NonEmpty::new())]
    pub(crate) group: Option<String>,
    /// Keys of this algorithm: aes, rsa, ec, hmac-sha256, …
    #[arg(long, value_parser = spelled::<CryptographicAlgorithm>)]
    pub(crate) algorithm: Option<u32>,
    /// Keys of this length
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) length: Option<i32>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) max: Option<i32>,
    /// Leave out the first so many (KMIP 1.3)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) offset: Option<i32>,
    /// Show name, type, state, algorithm and length of each
    #[arg(long)]
    pub(crate) attributes: bool,
}

/// Which object, and what to do with its value, which is never shown unless that is asked for.
#[derive(Debug, Args)]
pub(crate) struct KmipGet {
    #[command(flatten)]
    pub(crate) connection: KmipConnection,
    /// Its unique identifier
    #[arg(value_parser = NonEmpty::new())]
    pub(crate) id: String,
    /// Save the value, in PEM where the name ends in .pem; nobody else may read the file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
    /// Replace the file
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// The format to ask for: raw, pkcs1, pkcs8, x509, ec-private-key, transparent-symmetric-key, …
    #[arg(long, value_parser = spelled::<KeyFormatType>)]
    pub(crate) format: Option<u32>,
    /// Print the value in hexadecimal digits: whoever sees them has the key
    #[arg(long)]
    pub(crate) show_value: bool,
    /// Show all attributes too
    #[arg(long)]
    pub(crate) attributes: bool,
}

fn version(text: &str) -> Result<Version, String> {
    Version::ALL.into_iter().find(|version| version.to_string() == text).ok_or_else(|| {
        let known = Version::ALL.map(|version| version.to_string()).join(", ");
        format!("the versions are {known}")
    })
}
