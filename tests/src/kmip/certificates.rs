//! Throw-away certificates: an authority, a server and clients, on P-256.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// An authority and the directory of what it issued.
pub struct Authority {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes an authority, `server`, and the clients `first` and `second`, as files in `directory`.
    pub fn new(directory: &Path) -> Authority {
        fs::create_dir_all(directory).expect("a directory for certificates");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).expect("the authority's certificate");
        fs::write(directory.join("ca.pem"), certificate.pem()).expect("writing ca.pem");
        let authority = Authority { directory: directory.to_owned(), issuer: Issuer::new(params, key) };
        authority.issue_server();
        authority.issue("first", ExtendedKeyUsagePurpose::ClientAuth);
        authority.issue("second", ExtendedKeyUsagePurpose::ClientAuth);
        authority
    }

    /// Issues another certificate for the server, in place of the one before.
    pub fn issue_server(&self) {
        self.issue("server", ExtendedKeyUsagePurpose::ServerAuth);
    }

    /// Issues a certificate with this common name, for `localhost`: `NAME.pem` and `NAME.key`.
    pub fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        // Whole or not at all: a server may read them at any time.
        for (end, text) in [("key", key.serialize_pem()), ("pem", certificate.pem())] {
            let fresh = self.directory.join(format!("{name}.{end}.new"));
            fs::write(&fresh, text).expect("writing a certificate");
            fs::rename(&fresh, self.file(&format!("{name}.{end}"))).expect("putting it in its place");
        }
    }

    /// A file in its directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}
