//! The server's configuration: the `[kmip]` table of the HSM's configuration file, and the command
//! line's flags, which win. Leaves what a client may do to `identity` and certificates to `tls`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hsm_core::Result;

use crate::identity::{ClientRow, CredentialRow, IdentityRule, Pin, Unlisted};

mod file;
mod rows;

pub use file::key_names;

/// The port that IANA assigned to KMIP.
pub const PORT: u16 = 5696;

/// Everything that the server is told. Read anew at each reload.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where KMIP over TLS is served.
    pub listen: Vec<SocketAddr>,
    /// Where KMIP over HTTPS is served.
    pub https_listen: Vec<SocketAddr>,
    /// Where metrics and health are served, by plain HTTP.
    pub metrics_listen: Vec<SocketAddr>,
    /// Certificates.
    pub tls: TlsSettings,
    /// What of a certificate makes the client's identity.
    pub identity: IdentityRule,
    /// What becomes of clients that match no row.
    pub unlisted: Unlisted,
    /// The table of clients; the first row that matches counts.
    pub clients: Vec<ClientRow>,
    /// The table of KMIP usernames and passwords.
    pub credentials: Vec<CredentialRow>,
    /// Bounds on what clients may use.
    pub limits: Limits,
    /// The certificate whose private key signs where Certify names no issuer: its unique identifier.
    pub issuer: Option<String>,
    /// Whether the operations for interoperability tests are offered.
    pub interop: bool,
    /// What opens partition `kmip` besides the master key, where it has a PIN.
    pub pin: Option<Pin>,
    /// Whether partitions are opened by PINs alone.
    pub pin_only: bool,
}

/// Where certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The server's certificate and those between it and the clients' trust anchor, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// The authorities that vouch for clients, in PEM; several in a file, or several files.
    pub client_ca: Vec<PathBuf>,
    /// Revocation lists, in PEM or DER.
    pub crl: Vec<PathBuf>,
    /// The directory of pinned certificates.
    pub trusted: PathBuf,
    /// Whether TLS 1.2 is spoken besides TLS 1.3.
    pub tls12: bool,
}

/// Bounds on what clients may use. Times are as [`Duration`], sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A request message.
    pub message: usize,
    /// Structures inside each other.
    pub nesting: usize,
    /// Fields of a message.
    pub items: usize,
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client.
    pub connections_per_client: usize,
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// From a request's first byte to its last.
    pub request: Duration,
    /// Until a client has taken an answer.
    pub write: Duration,
    /// Until running requests are given up when the server stops.
    pub stop: Duration,
}

/// What the command line says; it wins over the file.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--kmip-listen`.
    pub listen: Vec<SocketAddr>,
    /// `--https-listen`.
    pub https_listen: Vec<SocketAddr>,
    /// `--metrics-listen`.
    pub metrics_listen: Vec<SocketAddr>,
    /// `--tls-cert`.
    pub certificate: Option<PathBuf>,
    /// `--tls-key`.
    pub key: Option<PathBuf>,
    /// `--tls-client-ca`.
    pub client_ca: Vec<PathBuf>,
    /// `--tls-crl`.
    pub crl: Vec<PathBuf>,
    /// `--pin-only`.
    pub pin_only: bool,
    /// `--dev`.
    pub dev: bool,
}

/// Where settings come from, so that a reload can ask again.
#[derive(Clone, Debug)]
pub struct SettingsSource {
    /// The HSM's configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The HSM's directory.
    pub home: PathBuf,
    /// The command line.
    pub flags: Flags,
}

impl SettingsSource {
    /// The settings as file and flags are now.
    ///
    /// # Errors
    /// [`hsm_core::Error::Config`] names file, line and key; [`hsm_core::Error::File`].
    pub fn load(&self) -> Result<Settings> {
        let mut settings = Settings::in_home(&self.home);
        if let Some(path) = &self.file {
            file::read(path, &mut settings)?;
        }
        settings.apply(&self.flags);
        Ok(settings)
    }
}

impl Settings {
    /// The defaults: certificates are where `certs init` puts them.
    pub fn in_home(home: &Path) -> Settings {
        let certificates = home.join("certs");
        Settings {
            listen: Vec::new(),
            https_listen: Vec::new(),
            metrics_listen: Vec::new(),
            tls: TlsSettings {
                certificate: certificates.join("server.pem"),
                key: certificates.join("server.key"),
                client_ca: Vec::new(),
                crl: Vec::new(),
                trusted: certificates.join("trusted"),
                tls12: true,
            },
            identity: IdentityRule::Subject,
            unlisted: Unlisted::Refuse,
            clients: Vec::new(),
            credentials: Vec::new(),
            limits: Limits::default(),
            issuer: None,
            interop: false,
            pin: None,
            pin_only: false,
        }
        .with_ca_of(&certificates)
    }

    /// The home's own authority counts only where none is named, so that naming another one is enough
    /// to be rid of it.
    fn with_ca_of(mut self, certificates: &Path) -> Settings {
        let authority = certificates.join("ca.pem");
        if authority.exists() {
            self.tls.client_ca = vec![authority];
        }
        self
    }

    fn apply(&mut self, flags: &Flags) {
        fn win<T: Clone>(setting: &mut Vec<T>, flag: &[T]) {
            if !flag.is_empty() {
                *setting = flag.to_vec();
            }
        }
        win(&mut self.listen, &flags.listen);
        win(&mut self.https_listen, &flags.https_listen);
        win(&mut self.metrics_listen, &flags.metrics_listen);
        win(&mut self.tls.client_ca, &flags.client_ca);
        win(&mut self.tls.crl, &flags.crl);
        if let Some(path) = &flags.certificate {
            self.tls.certificate.clone_from(path);
        }
        if let Some(path) = &flags.key {
            self.tls.key.clone_from(path);
        }
        self.pin_only |= flags.pin_only;
        self.interop |= flags.dev;
        if self.listen.is_empty() {
            self.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))];
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message: 1 << 20,
            nesting: crate::ttlv::Limits::default().depth,
            items: crate::ttlv::Limits::default().items,
            connections: 4096,
            connections_per_client: 1024,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(3600),
            request: Duration::from_secs(30),
            write: Duration::from_secs(30),
            stop: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests;
