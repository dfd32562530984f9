//! Whether certificates are a chain that leads from a trust anchor. RFC 5280, section 6.1, without policies;
//! name constraints are critical and not looked into, so a chain that has them is not called valid.

use const_oid::AssociatedOid;
use der::Decode;
use x509_cert::certificate::{CertificateInner, Rfc5280};
use x509_cert::ext::pkix::{
    BasicConstraints, CertificatePolicies, ExtendedKeyUsage, IssuerAltName, KeyUsage, SubjectAltName,
};

use super::signature::{check_signature, is_forgeable};
use super::{Certificate, read_certificate};
use crate::error::{Error, Result};

/// What is to be thought of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It leads from an anchor, and all of it is good.
    Valid,
    /// Something in it is wrong.
    Invalid,
    /// Nothing is wrong in what is there, but it does not lead from an anchor, or is signed by an algorithm
    /// that is not offered.
    Unknown,
}

/// The critical extensions that are looked into, or that restrict no more than what the leaf is used for.
const UNDERSTOOD: [const_oid::ObjectIdentifier; 6] = [
    BasicConstraints::OID,
    KeyUsage::OID,
    ExtendedKeyUsage::OID,
    SubjectAltName::OID,
    IssuerAltName::OID,
    CertificatePolicies::OID,
];

/// A certificate with its bytes.
struct Link<'a> {
    der: &'a [u8],
    says: Certificate,
    constraints: Option<BasicConstraints>,
    usage: Option<KeyUsage>,
    is_understood: bool,
    /// Whether its signature is one that others could have made.
    is_forgeable: bool,
}

impl Link<'_> {
    fn read(der: &[u8]) -> Result<Link<'_>> {
        let says = read_certificate(der)?;
        let certificate = CertificateInner::<Rfc5280>::from_der(der).map_err(super::invalid)?;
        let tbs = certificate.tbs_certificate();
        // RFC 5280, section 4.1.1.2: outside the signature stands what is inside.
        if certificate.signature_algorithm() != tbs.signature() {
            return Err(Error::DataInvalid);
        }
        let extensions = tbs.extensions().map(Vec::as_slice).unwrap_or_default();
        let is_understood = extensions.iter().all(|own| !own.critical || UNDERSTOOD.contains(&own.extn_id));
        let constraints = tbs.get_extension::<BasicConstraints>().map_err(super::invalid)?;
        let usage = tbs.get_extension::<KeyUsage>().map_err(super::invalid)?;
        Ok(Link {
            der,
            says,
            constraints: constraints.map(|(_, own)| own),
            usage: usage.map(|(_, own)| own),
            is_understood,
            is_forgeable: is_forgeable(der)?,
        })
    }

    fn is_self_issued(&self) -> bool {
        self.says.issuer == self.says.subject
    }

    /// Whether it may issue others, with so many intermediate ones below it.
    fn may_issue(&self, below: usize) -> bool {
        let is_authority = self.constraints.as_ref().is_some_and(|own| {
            own.ca && own.path_len_constraint.is_none_or(|length| below <= usize::from(length))
        });
        is_authority && self.usage.as_ref().is_none_or(KeyUsage::key_cert_sign)
    }

    fn is_good_at(&self, moment: u64) -> bool {
        self.is_understood && (self.says.not_before..=self.says.not_after).contains(&moment)
    }
}

/// Judges a chain: DER of certificates in any order, of which one is the leaf and the others lead to it.
/// `anchors` are trusted; one that issues the last of the chain need not be in it. All must be valid at
/// `moment`, in seconds since 1970.
///
/// # Errors
/// [`Error::DataInvalid`] for what is no certificate, and for certificates that are not one chain.
pub fn judge(chain: &[&[u8]], anchors: &[&[u8]], moment: u64) -> Result<Verdict> {
    let mut all: Vec<Link<'_>> = Vec::new();
    for der in chain {
        if all.iter().all(|link| link.der != *der) {
            all.push(Link::read(der)?);
        }
    }
    let anchors = anchors.iter().map(|der| Link::read(der)).collect::<Result<Vec<_>>>()?;
    Ok(walk(leaf(&all)?, &all, &anchors, moment))
}

/// The certificate that issued none of the others, by their names. Where there is one, the others lead to it.
fn leaf<'l, 'a>(all: &'l [Link<'a>]) -> Result<&'l Link<'a>> {
    let issues = |link: &Link<'_>| {
        all.iter().any(|other| other.der != link.der && other.says.issuer == link.says.subject)
    };
    let mut leaves = all.iter().filter(|link| !issues(link));
    match (leaves.next(), leaves.next()) {
        (Some(leaf), None) => Ok(leaf),
        _ => Err(Error::DataInvalid),
    }
}

/// From the leaf upwards.
fn walk<'l, 'a>(leaf: &'l Link<'a>, all: &'l [Link<'a>], anchors: &'l [Link<'a>], moment: u64) -> Verdict {
    let mut walked = Vec::new();
    let mut link = leaf;
    loop {
        if !link.is_good_at(moment) {
            return Verdict::Invalid;
        }
        let is_anchor = anchors.iter().any(|anchor| anchor.der == link.der);
        if link.is_self_issued() {
            // Its own signature makes nobody trust it: who does has it from elsewhere. So its algorithm does not
            // matter; but what it says must hold.
            return match check_signature(link.der, &link.says.public_key) {
                Ok(()) | Err(Error::MechanismInvalid) if is_anchor => Verdict::Valid,
                Ok(()) | Err(Error::MechanismInvalid) => Verdict::Unknown,
                Err(_) => Verdict::Invalid,
            };
        }
        if is_anchor {
            return Verdict::Valid;
        }
        if link.is_forgeable {
            return Verdict::Invalid;
        }
        let named = || anchors.iter().chain(all).filter(|other| other.says.subject == link.says.issuer);
        let mut verdict = Verdict::Unknown;
        let mut above = None;
        for other in named() {
            match check_signature(link.der, &other.says.public_key) {
                Ok(()) if !other.may_issue(walked.len()) => verdict = Verdict::Invalid,
                Ok(()) => {
                    above = Some(other);
                    break;
                }
                Err(Error::MechanismInvalid) => {}
                Err(_) => verdict = Verdict::Invalid,
            }
        }
        match above {
            // Certificates that issue each other in a ring.
            Some(other) if walked.contains(&other.der) => return Verdict::Invalid,
            Some(other) => {
                walked.push(link.der);
                link = other;
            }
            None => return verdict,
        }
    }
}
