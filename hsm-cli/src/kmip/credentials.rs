//! What the client shows and what it trusts: certificates and their key, from files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kmip_server::certificates::{Certificates, Made};
use kmip_server::tls;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};

use super::verifier::Verifier;
use crate::cli::KmipConnection;
use crate::failure::{Failure, Outcome, Result};

/// The client that `serve --dev` makes.
const DEV: &str = "dev";

/// The files of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
}

impl Files {
    /// Those that the command line names, or else those of the home.
    pub(crate) fn choose(options: &KmipConnection, home: &Path) -> Result<Files> {
        match (&options.tls_cert, &options.tls_key, &options.tls_ca) {
            (Some(certificate), Some(key), Some(authority)) => {
                Ok(Files { certificate: certificate.clone(), key: key.clone(), authority: authority.clone() })
            }
            _ => Files::of_home(&Certificates::of_home(home)),
        }
    }

    fn of_home(certificates: &Certificates) -> Result<Files> {
        let directory = certificates.directory().display();
        let none = |what: String| {
            Failure::new(Outcome::Configuration, what).next(
                "--tls-cert, --tls-key and --tls-ca name certificates; for a server of ours, `softhsm-rs certs \
                 client NAME` makes one",
            )
        };
        let authority = certificates.authority().certificate;
        if !authority.exists() {
            return Err(none(format!("there is no authority's certificate in {directory}")));
        }
        let Made { certificate, key } = match clients(certificates)?.as_slice() {
            [] => return Err(none(format!("there is no client's certificate in {directory}"))),
            [only] => only.clone(),
            several => {
                let dev = certificates.client(DEV);
                if !several.contains(&dev) {
                    let what = format!("there are {} clients' certificates in {directory}", several.len());
                    return Err(Failure::new(Outcome::Configuration, what)
                        .next("name one with --tls-cert, --tls-key and --tls-ca"));
                }
                dev
            }
        };
        Ok(Files { certificate, key, authority })
    }

    /// A TLS client with them.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = tls::certificates(&self.certificate)?;
        let key = tls::private_key(&self.key)?;
        let verifier = self.verifier(&provider)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(&self.certificate, &e))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(chain, key)
            .map_err(|e| {
                unusable(&self.certificate, &e).next(format!("is {} its key?", self.key.display()))
            })?;
        Ok(Arc::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier> {
        let trusted = tls::certificates(&self.authority)?;
        let mut roots = RootCertStore::empty();
        for certificate in &trusted {
            roots.add(certificate.clone()).map_err(|e| unusable(&self.authority, &e))?;
        }
        Verifier::new(roots, trusted, provider).map_err(|e| unusable(&self.authority, &e))
    }
}

/// The clients' certificates of a home that have their key beside them.
fn clients(certificates: &Certificates) -> Result<Vec<Made>> {
    let found = certificates.list()?.into_iter().map(|(path, _)| path);
    let is_client = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("client-"))
    };
    let made = found.filter(is_client).map(|certificate| {
        let key = certificate.with_extension("key");
        Made { certificate, key }
    });
    Ok(made.filter(|made| made.key.exists()).collect())
}

fn unusable(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Outcome::Configuration, format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use kmip_server::certificates::{KeyKind, Request};

    use super::*;

    fn request(name: &str) -> Request {
        Request {
            name: name.into(),
            alternative_names: Vec::new(),
            organizational_unit: None,
            key: KeyKind::P256,
            days: 1,
            replace: false,
        }
    }

    #[test]
    fn a_home_gives_its_only_client_or_dev() {
        let home = tempfile::tempdir().unwrap();
        let certificates = Certificates::of_home(home.path());
        let chosen = || Files::of_home(&certificates);
        assert!(chosen().unwrap_err().message.contains("no authority"));
        certificates.make_authority(&request("authority")).unwrap();
        assert!(chosen().unwrap_err().message.contains("no client"));
        let only = certificates.make_client(&request("db1")).unwrap();
        assert_eq!(chosen().unwrap().certificate, only.certificate);
        certificates.make_client(&request("db2.example.org")).unwrap();
        let failure = chosen().unwrap_err();
        assert!(failure.message.contains("2 clients") && failure.outcome == Outcome::Configuration);
        let dev = certificates.make_client(&request(DEV)).unwrap();
        assert_eq!(chosen().unwrap().key, dev.key);
        assert!(chosen().unwrap().tls().is_ok());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let certificates = Certificates::of_home(home.path());
        let authority = certificates.make_authority(&request("authority")).unwrap();
        let client = certificates.make_client(&request("a")).unwrap();
        let files = Files {
            certificate: client.certificate,
            key: authority.key,
            authority: authority.certificate.clone(),
        };
        assert!(files.tls().unwrap_err().next.unwrap().contains("its key?"));
        let files = Files { authority: authority.certificate.with_extension("gone"), ..files };
        assert_eq!(files.tls().unwrap_err().outcome, Outcome::Disk);
    }
}
