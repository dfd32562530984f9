//! Makes certificates for those who have no authority of their own: one for the server, one for each
//! client, and the authority that signs them.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hsm_core::{Error, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::identity::Certificate;
use crate::tls::{TrustStore, Trusted};

/// Mode of what nobody else may read, and of what everybody may.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Clocks of clients may be behind.
const BEHIND: std::time::Duration = std::time::Duration::from_secs(3600);

/// The kind of key that a certificate is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256.
    #[default]
    P256,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// What a certificate is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The subject's common name, and the files' name.
    pub name: String,
    /// Names and addresses that it is reached by.
    pub alternative_names: Vec<String>,
    /// The organizational unit, if any.
    pub organizational_unit: Option<String>,
    /// The key.
    pub key: KeyKind,
    /// For how long it is valid.
    pub days: u32,
    /// Whether files of this name may be replaced.
    pub replace: bool,
}

/// A certificate in its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The certificate in PEM.
    pub certificate: PathBuf,
    /// The private key in PEM (PKCS #8).
    pub key: PathBuf,
}

/// The directory of a home's certificates.
#[derive(Clone, Debug)]
pub struct Certificates(PathBuf);

#[derive(Clone, Copy)]
enum Purpose {
    Authority,
    Server,
    Client,
}

impl Certificates {
    /// Those of the home at `home`, which need not exist.
    pub fn of_home(home: &Path) -> Certificates {
        Certificates(home.join("certs"))
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// The authority's certificate and key.
    pub fn authority(&self) -> Made {
        self.files("ca")
    }

    /// The server's certificate and key.
    pub fn server(&self) -> Made {
        self.files("server")
    }

    /// A client's certificate and key.
    pub fn client(&self, name: &str) -> Made {
        self.files(&format!("client-{name}"))
    }

    fn files(&self, name: &str) -> Made {
        Made { certificate: self.0.join(format!("{name}.pem")), key: self.0.join(format!("{name}.key")) }
    }

    /// Makes the authority.
    ///
    /// # Errors
    /// Files that are there already, or cannot be written.
    pub fn make_authority(&self, request: &Request) -> Result<Made> {
        self.make(request, Purpose::Authority, self.authority())
    }

    /// Makes the server's certificate.
    ///
    /// # Errors
    /// As [`Certificates::make_authority`]; that there is no authority.
    pub fn make_server(&self, request: &Request) -> Result<Made> {
        self.make(request, Purpose::Server, self.server())
    }

    /// Makes a client's certificate.
    ///
    /// # Errors
    /// As [`Certificates::make_server`]; a name that is none for a file.
    pub fn make_client(&self, request: &Request) -> Result<Made> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        let name = &request.name;
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(plain) {
            let what = "a client's name has letters, digits and - _ . @, 64 at most";
            return Err(Error::Config(format!("\"{}\": {what}", crate::identity::printable(name))));
        }
        self.make(request, Purpose::Client, self.client(name))
    }

    fn make(&self, request: &Request, purpose: Purpose, files: Made) -> Result<Made> {
        std::fs::create_dir_all(&self.0).map_err(Error::file(&self.0))?;
        let failed = |e: rcgen::Error| Error::Config(format!("a certificate for \"{}\": {e}", request.name));
        let key = new_key(request.key).map_err(failed)?;
        let params = params(request, purpose).map_err(failed)?;
        let pem = match purpose {
            Purpose::Authority => params.self_signed(&key).map_err(failed)?.pem(),
            Purpose::Server | Purpose::Client => {
                params.signed_by(&key, &self.issuer()?).map_err(failed)?.pem()
            }
        };
        // The key first: a certificate without its key would be taken for whole.
        let secret = hsm_core::secret::Wiped::new(key.serialize_pem());
        write(&files.key, secret.as_bytes(), SECRET, request.replace)?;
        write(&files.certificate, pem.as_bytes(), PUBLIC, request.replace)?;
        Ok(files)
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>> {
        let Made { certificate, key } = self.authority();
        if !certificate.exists() {
            let what = "there is no authority yet: `softhsm-rs certs init` makes one";
            return Err(Error::Config(format!("{}: {what}", certificate.display())));
        }
        let read = |path: &Path| std::fs::read_to_string(path).map_err(Error::file(path));
        let damaged = |e: rcgen::Error| Error::FileDamaged { path: key.clone(), reason: e.to_string() };
        let text = hsm_core::secret::Wiped::new(read(&key)?);
        let pair = KeyPair::from_pem(&text).map_err(damaged)?;
        Issuer::from_ca_cert_pem(&read(&certificate)?, pair).map_err(damaged)
    }

    /// Every certificate in the directory, by file.
    ///
    /// # Errors
    /// A directory that cannot be read. Files that are no certificates are left out.
    pub fn list(&self) -> Result<Vec<(PathBuf, Certificate)>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::file(&self.0))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::file(&self.0))?.path();
            if path.extension().is_some_and(|it| it == "pem")
                && let Ok(trusted) = Trusted::of_file(&path)
            {
                found.push((path, trusted.certificate));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// The pinned certificates.
    ///
    /// # Errors
    /// As [`TrustStore::read`].
    pub fn trusted(&self) -> Result<TrustStore> {
        TrustStore::read(&self.trusted_directory())
    }

    fn trusted_directory(&self) -> PathBuf {
        self.0.join("trusted")
    }

    /// Pins the certificate in a file. As the renewal of another pinned one, named by its name or the
    /// beginning of its fingerprint, it has the objects of that one's holder.
    ///
    /// # Errors
    /// A file that holds no certificate; a name that no pinned certificate has, or several.
    pub fn trust(&self, file: &Path, name: Option<&str>, renews: Option<&str>) -> Result<Trusted> {
        let store = self.trusted()?;
        let mut trusted = Trusted::of_file(file)?;
        trusted.first.clone_from(&trusted.certificate.fingerprint);
        if let Some(renews) = renews {
            let found: Vec<Trusted> = store.named(renews).into_iter().cloned().collect();
            one_holder(&found, renews)?.clone_into(&mut trusted.first);
            if let Some(old) = found.first() {
                trusted.name.clone_from(&old.name);
            }
        }
        if let Some(name) = name {
            trusted.name = name.to_owned();
        }
        let der = crate::tls::certificate(file)?;
        let pem = pem(&der)?;
        let directory = self.trusted_directory();
        std::fs::create_dir_all(&directory).map_err(Error::file(&directory))?;
        write(&trusted.path(&directory), trusted.text(&pem).as_bytes(), PUBLIC, true)?;
        Ok(trusted)
    }

    /// Takes a pin back; named as for `trust`. A certificate and its renewals, which have one name, go
    /// together; by its fingerprint one goes alone.
    ///
    /// # Errors
    /// A name that no pinned certificate has, or those of several holders.
    pub fn untrust(&self, name: &str) -> Result<Vec<Trusted>> {
        let store = self.trusted()?;
        let found: Vec<Trusted> = store.named(name).into_iter().cloned().collect();
        let first = one_holder(&found, name)?;
        for trusted in found.iter().filter(|trusted| trusted.first == first) {
            let path = trusted.path(&self.trusted_directory());
            std::fs::remove_file(&path).map_err(Error::file(&path))?;
        }
        Ok(found)
    }
}

/// The first certificate of the one holder whose pinned certificates these are.
fn one_holder<'a>(found: &'a [Trusted], name: &str) -> Result<&'a str> {
    let shown = crate::identity::printable(name);
    match found {
        [] => Err(Error::Config(format!(
            "no pinned certificate is called \"{shown}\", by name or the first 8 digits of its fingerprint or more"
        ))),
        [trusted, others @ ..] if others.iter().all(|other| other.first == trusted.first) => {
            Ok(&trusted.first)
        }
        _ => Err(Error::Config(format!(
            "pinned certificates of several holders are called \"{shown}\": use a fingerprint"
        ))),
    }
}

fn new_key(kind: KeyKind) -> std::result::Result<KeyPair, rcgen::Error> {
    match kind {
        KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        KeyKind::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
        KeyKind::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
    }
}

fn params(request: &Request, purpose: Purpose) -> std::result::Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(request.alternative_names.clone())?;
    let subject = &mut params.distinguished_name;
    *subject = rcgen::DistinguishedName::new();
    subject.push(DnType::CommonName, request.name.clone());
    if let Some(unit) = &request.organizational_unit {
        subject.push(DnType::OrganizationalUnitName, unit.clone());
    }
    let now = std::time::SystemTime::now();
    let valid = std::time::Duration::from_secs(u64::from(request.days) * 86_400);
    params.not_before = (now - BEHIND).into();
    params.not_after = (now + valid).into();
    params.use_authority_key_identifier_extension = !matches!(purpose, Purpose::Authority);
    match purpose {
        Purpose::Authority => {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        }
        Purpose::Server => {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }
        Purpose::Client => {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
    }
    Ok(params)
}

fn pem(der: &[u8]) -> Result<String> {
    use der::pem::LineEnding;
    der::pem::encode_string("CERTIFICATE", LineEnding::LF, der)
        .map_err(|e| Error::Config(format!("a certificate cannot be written: {e}")))
}

/// Writes a new file, or replaces one whole: whoever reads sees the old or the new.
fn write(path: &Path, bytes: &[u8], mode: u32, replace: bool) -> Result<()> {
    let target = if replace { path.with_extension("new") } else { path.to_owned() };
    if replace {
        let _ = std::fs::remove_file(&target);
    }
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&target)
        .map_err(Error::file(&target))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::file(&target))?;
    if replace {
        std::fs::rename(&target, path).map_err(Error::file(path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
