//! Distinguished names: DER, text and parts.

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc3280, rfc4519};
use der::Encode;
use der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::attr::AttributeTypeAndValue;

use crate::error::{Error, Result};

/// A distinguished name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// DER of the name.
    pub der: Vec<u8>,
    /// The name as RFC 4514 writes it, the last part first.
    pub text: String,
    /// The parts that protocols name, in the order of the DER.
    pub parts: Vec<(NamePart, String)>,
}

/// A kind of part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum NamePart {
    CommonName,
    Organization,
    OrganizationalUnit,
    Email,
    Country,
    State,
    Locality,
    UserId,
    SerialNumber,
    Title,
    DomainComponent,
    DnQualifier,
}

/// The parts' object identifiers. RFC 4519, RFC 5280.
const PARTS: [(ObjectIdentifier, NamePart); 12] = [
    (rfc4519::CN, NamePart::CommonName),
    (rfc4519::O, NamePart::Organization),
    (rfc4519::OU, NamePart::OrganizationalUnit),
    (rfc3280::EMAIL_ADDRESS, NamePart::Email),
    (rfc4519::C, NamePart::Country),
    (rfc4519::ST, NamePart::State),
    (rfc4519::L, NamePart::Locality),
    (rfc4519::UID, NamePart::UserId),
    (rfc4519::SERIAL_NUMBER, NamePart::SerialNumber),
    (rfc4519::TITLE, NamePart::Title),
    (rfc4519::DC, NamePart::DomainComponent),
    (rfc4519::DN_QUALIFIER, NamePart::DnQualifier),
];

impl Name {
    pub(super) fn of(name: &x509_cert::name::Name) -> Result<Name> {
        Ok(Name {
            der: name.to_der().map_err(|_| Error::DataInvalid)?,
            text: name.to_string(),
            parts: name.iter().filter_map(part).collect(),
        })
    }

    /// The values of one kind of part.
    pub fn all(&self, kind: NamePart) -> impl Iterator<Item = &str> {
        self.parts.iter().filter(move |(own, _)| *own == kind).map(|(_, text)| text.as_str())
    }
}

fn part(attribute: &AttributeTypeAndValue) -> Option<(NamePart, String)> {
    let (_, kind) = PARTS.iter().find(|(oid, _)| *oid == attribute.oid)?;
    let value = &attribute.value;
    let text = Utf8StringRef::try_from(value)
        .map(|text| text.as_str().to_owned())
        .or_else(|_| PrintableStringRef::try_from(value).map(|text| text.as_str().to_owned()))
        .or_else(|_| Ia5StringRef::try_from(value).map(|text| text.as_str().to_owned()))
        .or_else(|_| TeletexStringRef::try_from(value).map(|text| text.as_str().to_owned()));
    text.ok().map(|text| (*kind, text))
}
