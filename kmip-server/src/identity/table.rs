//! From a certificate to a client: the identity that it proves, and the row that maps it.

use sha2::{Digest, Sha256};

use super::{Certificate, Client, Rights};

/// What of a certificate makes its holder's identity. All but the fingerprint count together with the
/// key of the authority that signed it, so that another authority cannot give out the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityRule {
    /// The subject's whole name.
    Subject,
    /// The first common name.
    CommonName,
    /// The first alternative name.
    AlternativeName,
    /// The first organizational unit: all its members share their objects.
    OrganizationalUnit,
    /// The very certificate: a renewed one is somebody else.
    Fingerprint,
}

/// What becomes of clients that match no row where there is a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// They are refused.
    Refuse,
    /// They get an object space of their own, as without a table.
    OwnSpace,
}

/// Whom a row is for: all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// One of the common names.
    pub common_name: Option<String>,
    /// One of the alternative names.
    pub alternative_name: Option<String>,
    /// One of the organizational units.
    pub organizational_unit: Option<String>,
    /// The subject as RFC 4514 writes it.
    pub subject: Option<String>,
    /// SHA-256 over the certificate, in lower-case hexadecimal digits.
    pub fingerprint: Option<String>,
    /// The identity as the log shows it.
    pub identity: Option<String>,
}

/// A row of the client table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRow {
    /// Whom it is for.
    pub matches: Match,
    /// What they get.
    pub rights: Rights,
}

/// The rules by which certificates become clients.
#[derive(Clone, Debug)]
pub struct ClientTable {
    /// What makes an identity.
    pub rule: IdentityRule,
    /// The rows; the first that matches counts.
    pub rows: Vec<ClientRow>,
    /// What becomes of the others.
    pub unlisted: Unlisted,
}

/// Why somebody with a good certificate is nobody here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// Admitted.
    Client(Client),
    /// The certificate lacks what the identity is made of: its name.
    Nameless(&'static str),
    /// No row matches this identity.
    Unlisted(String),
}

impl ClientTable {
    /// The identity that a certificate proves; `signer` is the key of the authority that signed it.
    fn identity(&self, certificate: &Certificate, signer: &[u8]) -> Result<String, &'static str> {
        let first = |names: &[String], kind| names.first().map(|it| it.as_bytes().to_vec()).ok_or(kind);
        let (kind, value) = match self.rule {
            IdentityRule::Subject if certificate.subject_text.is_empty() => return Err("subject"),
            IdentityRule::Subject => ("subject", certificate.subject.clone()),
            IdentityRule::CommonName => ("cn", first(&certificate.common_names, "common name")?),
            IdentityRule::AlternativeName => {
                ("san", first(&certificate.alternative_names, "subject alternative name")?)
            }
            IdentityRule::OrganizationalUnit => {
                ("ou", first(&certificate.organizational_units, "organizational unit")?)
            }
            IdentityRule::Fingerprint => return Ok(pinned_identity(&certificate.fingerprint)),
        };
        let mut hash = Sha256::new();
        // The key is hashed first, so that its length, which is not the client's choice, separates.
        hash.update(Sha256::digest(signer));
        hash.update(kind.as_bytes());
        hash.update([0]);
        hash.update(&value);
        Ok(format!("{kind}:{}", hex::encode(hash.finalize())))
    }

    /// Who the holder of a certificate is that an authority with the key `signer` vouches for.
    pub fn vouched(&self, certificate: &Certificate, signer: &[u8]) -> Person {
        match self.identity(certificate, signer) {
            Ok(identity) => self.map(certificate, &identity),
            Err(missing) => Person::Nameless(missing),
        }
    }

    /// Who the holder of a pinned certificate is; `first` is the fingerprint of the certificate that
    /// this one renews, or its own.
    pub fn pinned(&self, certificate: &Certificate, first: &str) -> Person {
        self.map(certificate, &pinned_identity(first))
    }

    fn map(&self, certificate: &Certificate, identity: &str) -> Person {
        let name = certificate.name();
        let row = self.rows.iter().find(|row| row.matches.fits(certificate, identity));
        match row {
            Some(row) => Person::Client(row.rights.client(identity, &name)),
            None if self.rows.is_empty() || self.unlisted == Unlisted::OwnSpace => {
                Person::Client(Rights::default().client(identity, &name))
            }
            None => Person::Unlisted(identity.to_owned()),
        }
    }
}

/// The identity of a pinned certificate's holder; of several, the first one's fingerprint counts.
pub(crate) fn pinned_identity(fingerprint: &str) -> String {
    format!("certificate:{fingerprint}")
}

impl Match {
    fn fits(&self, certificate: &Certificate, identity: &str) -> bool {
        let one_of = |wanted: &Option<String>, names: &[String]| {
            wanted.as_ref().is_none_or(|wanted| names.contains(wanted))
        };
        let is = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
        one_of(&self.common_name, &certificate.common_names)
            && one_of(&self.alternative_name, &certificate.alternative_names)
            && one_of(&self.organizational_unit, &certificate.organizational_units)
            && is(&self.subject, &certificate.subject_text)
            && is(&self.fingerprint, &certificate.fingerprint)
            && is(&self.identity, identity)
    }
}
