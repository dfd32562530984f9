//! Pinned certificates: a directory with one PEM file for each. Two lines before the certificate say
//! what people call it, and which certificate it renews.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hsm_core::{Error, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::unusable;
use crate::identity::{Certificate, pinned_identity, printable};

/// A pinned certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// What people call it.
    pub name: String,
    /// The fingerprint of the certificate whose holder's objects it has: its own, or that of the first
    /// of those it renews.
    pub first: String,
    /// What the certificate says.
    pub certificate: Certificate,
}

/// The pinned certificates by fingerprint.
#[derive(Clone, Debug, Default)]
pub struct TrustStore(HashMap<String, Trusted>);

const NAME: &str = "Name: ";
const FIRST: &str = "Identity: ";

impl TrustStore {
    /// Reads a directory; an empty store where there is none.
    ///
    /// # Errors
    /// A file ending in `.pem` that is no certificate, or what keeps it from being read.
    pub fn read(directory: &Path) -> Result<TrustStore> {
        let entries = match std::fs::read_dir(directory) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(TrustStore::default()),
            entries => entries.map_err(Error::file(directory))?,
        };
        let mut store = TrustStore::default();
        for entry in entries {
            let path = entry.map_err(Error::file(directory))?.path();
            if path.extension().is_some_and(|it| it == "pem") {
                let trusted = read(&path)?;
                store.0.insert(trusted.certificate.fingerprint.clone(), trusted);
            }
        }
        Ok(store)
    }

    /// The entry for a certificate, by its fingerprint.
    pub fn find(&self, fingerprint: &str) -> Option<&Trusted> {
        self.0.get(fingerprint)
    }

    /// The entries that a name or the beginning of a fingerprint names.
    pub fn named(&self, name: &str) -> Vec<&Trusted> {
        // As lists show it: cut off, with an ellipsis.
        let digits = name.trim_end_matches('…').replace(':', "").to_ascii_lowercase();
        let long = digits.len() >= 8;
        self.0
            .values()
            .filter(|it| it.name == name || (long && it.certificate.fingerprint.starts_with(&digits)))
            .collect()
    }

    /// All entries, by name.
    pub fn all(&self) -> Vec<&Trusted> {
        let mut all: Vec<_> = self.0.values().collect();
        all.sort_by(|a, b| (&a.name, &a.certificate.fingerprint).cmp(&(&b.name, &b.certificate.fingerprint)));
        all
    }

    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Trusted {
    /// The certificate in a file that is to be pinned, as nobody's renewal.
    ///
    /// # Errors
    /// A file that holds no certificate.
    pub fn of_file(path: &Path) -> Result<Trusted> {
        read(path)
    }

    /// The identity of its holder, as the client table matches it and the log shows it.
    pub fn identity(&self) -> String {
        pinned_identity(&self.first)
    }

    /// Its file's name in the store.
    pub fn path(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{}.pem", self.certificate.fingerprint))
    }

    /// The text of its file; `pem` is the certificate's own.
    pub fn text(&self, pem: &str) -> String {
        format!("{NAME}{}\n{FIRST}{}\n{pem}", printable(&self.name), self.first)
    }
}

fn read(path: &Path) -> Result<Trusted> {
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    let der = certificate_of(path, &bytes)?;
    let certificate = Certificate::read(&der).map_err(|e| unusable(path, &e.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let line = |name: &str| {
        let before = text.lines().take_while(|line| !line.starts_with("-----BEGIN"));
        before.filter_map(|line| line.strip_prefix(name)).next().map(str::to_owned)
    };
    let name = line(NAME).unwrap_or_else(|| certificate.name());
    let first = line(FIRST).unwrap_or_else(|| certificate.fingerprint.clone());
    Ok(Trusted { name, first, certificate })
}

/// The first certificate of a file, in PEM or DER.
pub(crate) fn certificate(path: &Path) -> Result<CertificateDer<'static>> {
    certificate_of(path, &std::fs::read(path).map_err(Error::file(path))?)
}

fn certificate_of(path: &Path, bytes: &[u8]) -> Result<CertificateDer<'static>> {
    match CertificateDer::from_pem_slice(bytes) {
        Ok(found) => Ok(found),
        // DER is a SEQUENCE.
        Err(_) if bytes.first() == Some(&0x30) => Ok(CertificateDer::from(bytes.to_vec())),
        Err(e) => Err(unusable(path, &format!("it holds no certificate: {e}"))),
    }
}
