//! What a file with keys holds: its parts, whatever its form.

use der::pem;
use hsm_core::Error;
use hsm_core::certificate::{encrypted, pkcs12};
use hsm_core::object::Template;
use hsm_core::object::formats::{self, Format};
use hsm_core::secret::Secret;

use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::pin::Source;

/// One thing in a file.
pub(super) enum Part {
    /// Key type and value of a private key.
    Private(Template),
    /// Those of a public key.
    Public(Template),
    /// Those of a secret key.
    Secret(Template),
    /// DER of a certificate.
    Certificate(Vec<u8>),
}

/// Parts, with the name that the file gives them.
pub(super) struct Parts {
    pub(super) name: Option<String>,
    pub(super) parts: Vec<Part>,
}

impl From<Vec<Part>> for Parts {
    fn from(parts: Vec<Part>) -> Parts {
        Parts { name: None, parts }
    }
}

/// A file whose passphrase is asked for when it turns out to need one.
pub(super) struct Locked<'a> {
    pub(super) path: String,
    pub(super) bytes: &'a Secret,
    /// Its passphrase, where it was given before.
    pub(super) given: Option<Secret>,
    pub(super) passphrase: Source<'a>,
    pub(super) output: Output,
}

impl Locked<'_> {
    fn passphrase(&self) -> Result<Secret> {
        match &self.given {
            Some(given) => Ok(given.duplicate()),
            None => self.passphrase.existing(self.output),
        }
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(Outcome::Usage, format!("{}: {what}", self.path))
    }

    /// PKCS #8, in DER or PEM, under a passphrase or not.
    pub(super) fn pkcs8(&self) -> Result<Parts> {
        if self.bytes.expose().starts_with(b"-----BEGIN") {
            let blocks = self.blocks()?;
            let [(label, der)] = blocks.as_slice() else {
                return Err(self.failure("one private key is expected").next("`import pem` takes several"));
            };
            return match label.as_str() {
                "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => Ok(vec![self.private(der.expose())?].into()),
                _ => Err(self.failure("no private key in PKCS #8").next("`import pem` takes other forms")),
            };
        }
        Ok(vec![self.private(self.bytes.expose())?].into())
    }

    /// A private key in DER, opened if it is encrypted.
    fn private(&self, der: &[u8]) -> Result<Part> {
        let wrong = |_| self.failure("no private key that is known here, in PKCS #8");
        if !encrypted::is_encrypted(der) {
            return formats::private_key(Format::Pkcs8, der).map(Part::Private).map_err(wrong);
        }
        let passphrase = self.passphrase()?;
        let opened = encrypted::open(der, passphrase.expose()).map_err(|error| match error {
            Error::MechanismInvalid => self
                .failure("it is encrypted in a way that is not read here")
                .next("`openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE` encrypts it anew"),
            _ => Failure::new(Outcome::WrongPin, format!("the passphrase does not open {}", self.path)),
        })?;
        formats::private_key(Format::Pkcs8, opened.expose()).map(Part::Private).map_err(wrong)
    }

    /// Every block of a PEM file.
    pub(super) fn pem(&self) -> Result<Parts> {
        let mut parts = Vec::new();
        for (label, der) in self.blocks()? {
            let der = der.expose();
            let private = |format| formats::private_key(format, der).map(Part::Private);
            let part = match label.as_str() {
                "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => self.private(der)?,
                "CERTIFICATE" | "X509 CERTIFICATE" => Part::Certificate(der.to_vec()),
                // It stands before the key, which says it again.
                "EC PARAMETERS" => continue,
                label => match label {
                    "RSA PRIVATE KEY" => private(Format::Pkcs1),
                    "EC PRIVATE KEY" => private(Format::EcPrivateKey),
                    "PUBLIC KEY" => formats::public_key(Format::X509, der).map(Part::Public),
                    "RSA PUBLIC KEY" => formats::public_key(Format::Pkcs1, der).map(Part::Public),
                    label => return Err(self.failure(&format!("a {label} is not taken"))),
                }
                .map_err(|_| self.failure(&format!("this {label} is none that is known here")))?,
            };
            parts.push(part);
        }
        Ok(parts.into())
    }

    fn blocks(&self) -> Result<Vec<(String, Secret)>> {
        const BEGIN: &str = "-----BEGIN ";
        let text = std::str::from_utf8(self.bytes.expose()).map_err(|_| self.failure("no PEM"))?;
        let mut blocks = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(BEGIN) {
            let block = rest.get(at..).unwrap_or_default();
            let inner = block.get(BEGIN.len()..).unwrap_or_default();
            let length = inner.find(BEGIN).map_or(block.len(), |next| next + BEGIN.len());
            let (block, after) = block.split_at(length);
            // Behind a block may stand what is none, as the names that openssl writes.
            let end = block.find("-----END ").and_then(|end| {
                let line = block.get(end..)?;
                Some(end + line.find('\n').map_or(line.len(), |newline| newline + 1))
            });
            let block = end.and_then(|end| block.get(..end)).unwrap_or(block);
            let (label, der) = pem::decode_vec(block.as_bytes()).map_err(|_| {
                self.failure("a block is no PEM as RFC 7468 has it")
                    .next("`openssl pkcs8 -topk8 -in FILE` writes a key with a Proc-Type line anew")
            })?;
            blocks.push((label.to_owned(), Secret::new(der)));
            rest = after;
        }
        if blocks.is_empty() {
            return Err(self.failure("no PEM"));
        }
        Ok(blocks)
    }

    /// A key and its certificates in PKCS #12.
    pub(super) fn pkcs12(&self) -> Result<Parts> {
        let passphrase = self.passphrase()?;
        let password = std::str::from_utf8(passphrase.expose())
            .map_err(|_| self.failure("its passphrase is text in UTF-8"))?;
        let container = pkcs12::read(self.bytes.expose(), password, None).map_err(|error| match error {
            Error::WrappedKeyLength => self.failure("it is too large"),
            Error::MechanismInvalid => self
                .failure("it is encrypted in a way that is not read here")
                .next("`openssl pkcs12 -export` without scrypt writes it anew"),
            _ => Failure::new(
                Outcome::WrongPin,
                format!("{} is no PKCS #12 container with a key, or the passphrase is another", self.path),
            ),
        })?;
        let mut parts = vec![self.private(&container.private_key)?];
        parts.extend(container.certificates.into_iter().map(Part::Certificate));
        Ok(Parts { name: container.name, parts })
    }
}
