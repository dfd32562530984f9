//! Distinguished names: DER, text and parts.

use std::str::FromStr;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc3280, rfc4519};
use der::asn1::{Any, Ia5StringRef, PrintableStringRef, SetOfVec, TeletexStringRef, Utf8StringRef};
use der::{Decode, Encode};
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

    /// A name of parts, in their order, each a relative name of its own.
    ///
    /// # Errors
    /// [`Error::DataInvalid`] for text that a part cannot hold.
    pub fn of_parts(parts: &[(NamePart, &str)]) -> Result<Name> {
        let parts = parts.iter().map(|(kind, text)| written(*kind, text)).collect::<der::Result<Vec<_>>>();
        let der = parts.and_then(|parts| parts.to_der()).map_err(super::invalid)?;
        Name::read(&der)
    }

    /// Reads a name as RFC 4514 writes it.
    ///
    /// # Errors
    /// [`Error::DataInvalid`].
    pub fn of_text(text: &str) -> Result<Name> {
        Name::of(&x509_cert::name::Name::from_str(text).map_err(super::invalid)?)
    }

    /// Reads DER of a name.
    ///
    /// # Errors
    /// [`Error::DataInvalid`].
    pub fn read(der: &[u8]) -> Result<Name> {
        Name::of(&x509_cert::name::Name::from_der(der).map_err(super::invalid)?)
    }

    /// The values of one kind of part.
    pub fn all(&self, kind: NamePart) -> impl Iterator<Item = &str> {
        self.parts.iter().filter(move |(own, _)| *own == kind).map(|(_, text)| text.as_str())
    }
}

/// RFC 5280, appendix A.1 names the string type of some parts; the others are UTF8String.
fn written(kind: NamePart, text: &str) -> der::Result<SetOfVec<AttributeTypeAndValue>> {
    let value = match kind {
        NamePart::Country | NamePart::SerialNumber | NamePart::DnQualifier => {
            Any::encode_from(&PrintableStringRef::new(text)?)?
        }
        NamePart::Email | NamePart::DomainComponent => Any::encode_from(&Ia5StringRef::new(text)?)?,
        _ => Any::encode_from(&Utf8StringRef::new(text)?)?,
    };
    let known = PARTS.iter().find(|(_, own)| *own == kind);
    let (oid, _) = known.ok_or_else(|| der::Error::from(der::ErrorKind::Failed))?;
    let mut set = SetOfVec::new();
    set.insert(AttributeTypeAndValue { oid: *oid, value })?;
    Ok(set)
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
