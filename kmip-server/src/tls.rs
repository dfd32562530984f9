//! TLS: server and client certificates, revocation, pinned certificates, and why a client was refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hsm_core::{Error, Result};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use crate::config::TlsSettings;

mod admission;
mod refusal;
mod trust;
mod verifier;

pub use admission::Admission;
pub use refusal::{Refusal, Rule};
pub(crate) use trust::certificate;
pub use trust::{TrustStore, Trusted};
pub(crate) use verifier::{Verdict, watched};

/// Sessions that clients may resume, the oldest going first. Each takes some 2 KiB.
const RESUMABLE: usize = 1024;

/// What the server shows and whom it admits, for both doors.
#[derive(Debug)]
pub(crate) struct TlsConfigs {
    pub(crate) kmip: Arc<ServerConfig>,
    pub(crate) https: Arc<ServerConfig>,
}

/// The TLS side of a set of rules. Sessions are resumed under the rules they began with: a new set
/// begins with none.
pub(crate) fn configs(settings: &TlsSettings, admission: &Arc<Admission>) -> Result<TlsConfigs> {
    const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
    const NEWEST: &[&SupportedProtocolVersion] = &[&TLS13];
    let chain = certificates(&settings.certificate)?;
    let key = private_key(&settings.key)?;
    let versions = if settings.tls12 { BOTH } else { NEWEST };
    let unfit = |e: rustls::Error| {
        let (certificate, key) = (settings.certificate.display(), settings.key.display());
        Error::Config(format!("the server's certificate {certificate} with the key {key}: {e}"))
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(unfit)?
        .with_client_cert_verifier(verifier::new(admission.clone()))
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.session_storage = ServerSessionMemoryCache::new(RESUMABLE);
    config.send_tls13_tickets = 1;
    let mut https = config.clone();
    https.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A session of one door is not resumed at the other.
    https.session_storage = ServerSessionMemoryCache::new(RESUMABLE);
    Ok(TlsConfigs { kmip: Arc::new(config), https: Arc::new(https) })
}

/// The certificates of a PEM file, of which there is one at least.
///
/// # Errors
/// A file that cannot be read, or holds no certificate.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(path, "there is no certificate in it; PEM is expected")),
        Err(e) => Err(unusable(path, &e.to_string())),
    }
}

/// The private key of a PEM file that has no passphrase.
///
/// # Errors
/// A file that cannot be read, or holds no such key.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let bytes = std::fs::read(path).map(hsm_core::secret::Wiped::new).map_err(Error::file(path))?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|e| {
        let what = match e {
            pem::Error::NoItemsFound => {
                "there is no private key in it; PEM without a passphrase is expected".into()
            }
            other => other.to_string(),
        };
        unusable(path, &what)
    })
}

/// The revocation lists of a file, in PEM (several) or DER (one).
pub(crate) fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    let found: std::result::Result<Vec<_>, _> =
        CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        // DER is a SEQUENCE.
        Ok(_) if bytes.first() == Some(&0x30) => Ok(vec![CertificateRevocationListDer::from(bytes)]),
        Ok(_) => Err(unusable(path, "there is no revocation list in it; PEM or DER is expected")),
        Err(e) => Err(unusable(path, &e.to_string())),
    }
}

fn unusable(path: &Path, reason: &str) -> Error {
    Error::FileDamaged { path: PathBuf::from(path), reason: reason.to_owned() }
}
