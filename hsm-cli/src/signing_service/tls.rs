//! TLS of both sides: whom the client trusts, and what the server shows.

use std::path::Path;
use std::sync::Arc;

use kmip_server::tls;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::failure::{Failure, Outcome, Result};
use crate::kmip::Verifier;

/// The client's side: the authorities in a file, or the certificate itself; without one, those of the machine.
pub(super) fn client(authority: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(unfit)?;
    Ok(Arc::new(match authority {
        None => builder.with_root_certificates(machine_roots()?).with_no_client_auth(),
        Some(path) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier(path, &provider)?))
            .with_no_client_auth(),
    }))
}

fn machine_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        log::warn!("authorities of this machine: {error}");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Failure::new(Outcome::Configuration, "this machine trusts no authority")
            .next("name the service's with --service-ca"));
    }
    Ok(roots)
}

/// One that trusts what stands in a file, and nothing else.
fn verifier(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Verifier> {
    let trusted = tls::certificates(path)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted.iter().cloned());
    Verifier::new(roots, trusted, provider)
        .map_err(|error| Failure::new(Outcome::Configuration, format!("{}: {error}", path.display())))
}

/// The server's side.
pub(super) fn server(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(tls::certificates(certificate)?, tls::private_key(key)?)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn unfit(error: rustls::Error) -> Failure {
    Failure::new(Outcome::Configuration, format!("TLS: {error}"))
}
