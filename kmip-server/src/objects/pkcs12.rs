//! Private keys in PKCS #12 containers, under the password that a link leads to. KMIP 1.4, sections 3.45,
//! 4.11 and 11.4; 2.1, section 6.1.23.

use std::sync::TryLockError;

use cryptoki_sys::CKA_VALUE;
use hsm_core::certificate::pkcs12::{Container, read, write};
use hsm_core::object::Object;
use hsm_core::object::lifecycle::Action;
use hsm_core::object::managed::{Managed, ObjectType};
use hsm_core::secret::Wiped;
use hsm_core::{Error, certificate};

use super::give;
use super::replacement::{linked, target};
use crate::attributes::Attributes;
use crate::context::Context;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::objects::fresh::Wanted;
use crate::ttlv::enums::{KeyFormatType as Format, LinkType, ResultReason as Reason, SecretDataType};
use crate::ttlv::{Fields, Item, Tag};

/// The longest chain that a container is given.
const LONGEST: usize = 32;

/// Whether a structure holds its key in a container.
pub fn is_container(structure: &Item) -> bool {
    let format = structure.child(Tag::KEY_BLOCK).and_then(|block| block.child(Tag::KEY_FORMAT_TYPE));
    format.is_some_and(|format| format.as_value_of() == Ok(Format::PKCS_12))
}

/// Opens the container of a private key that is registered.
///
/// # Errors
/// Those of the password, and of a container that it does not open.
pub fn open(context: &Context<'_>, structure: &Item, wanted: &Wanted) -> Outcome<Container> {
    let mut fields = Fields::new(structure)?;
    let block = fields.need(Tag::KEY_BLOCK)?;
    fields.end()?;
    let value = block.child(Tag::KEY_VALUE);
    let missing = || Failure::new(Reason::MissingData, "the container is missing");
    let value = value.ok_or_else(missing)?;
    let der = value.child(Tag::KEY_MATERIAL).unwrap_or(value).as_bytes()?;
    let links = wanted.attributes.iter().filter(|item| item.tag == Tag::LINK);
    let links = links.filter_map(|item| target(item, LinkType::PKCS_12PasswordLink));
    let password = password(context, links.collect())?;
    let name = wanted.first(Tag::PKCS12_FRIENDLY_NAME).map(Item::as_text).transpose()?;
    let _one = context.engine.opening.try_lock().or_else(|busy| match busy {
        TryLockError::Poisoned(guard) => Ok(guard.into_inner()),
        TryLockError::WouldBlock => {
            Err(Failure::new(Reason::ServerLimitExceeded, "another container is being opened; try again"))
        }
    })?;
    read(der, &password, name).map_err(|error| match error {
        Error::WrappedKeyLength => invalid_field("the container is too large"),
        Error::MechanismInvalid => {
            Failure::new(Reason::FeatureNotSupported, "containers that use scrypt are not read")
        }
        _ => bad_password(
            context,
            Reason::CryptographicFailure,
            "the password does not open the container, or no key of this name is in it",
        ),
    })
}

/// 2.x has one reason for all that is wrong with passwords (2.1, section 11.1), 1.4 several (section 11.4).
fn bad_password(context: &Context<'_>, before: Reason, text: &str) -> Failure {
    Failure::new(if context.is_2() { Reason::BadPassword } else { before }, text)
}

/// The password that the only link leads to.
fn password(context: &Context<'_>, links: Vec<&str>) -> Outcome<Wiped<String>> {
    let bad = |before, text| bad_password(context, before, text);
    let [id] = links.as_slice() else {
        return Err(bad(Reason::InvalidField, "one PKCS#12 Password Link is needed"));
    };
    let found = context.load(id, Action::Protect).map_err(|failure| match failure.reason {
        Reason::WrongKeyLifecycleState => bad(Reason::PermissionDenied, "the password is not active"),
        _ => failure,
    })?;
    let object = found.object();
    let kind = Attributes::of(object).first(Tag::SECRET_DATA_TYPE);
    let is_password = kind.is_some_and(|kind| kind.as_value_of() == Ok(SecretDataType::Password));
    if ObjectType::of(object) != ObjectType::SecretData || !is_password {
        return Err(bad(Reason::InvalidField, "the PKCS#12 Password Link leads to no password"));
    }
    let text = std::str::from_utf8(object.bytes(CKA_VALUE));
    let text = text.map_err(|_| bad(Reason::InvalidField, "the password is no text in UTF-8"))?;
    Ok(Wiped::new(text.to_owned()))
}

/// A private key's structure for the container's own key, as if it had been registered as PKCS #8.
pub fn unpacked(container: &Container) -> Item {
    let material = Item::bytes(Tag::KEY_MATERIAL, container.private_key.clone());
    let fields = vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::PKCS_8), give::key_value(material)];
    Item::structure(Tag::PRIVATE_KEY, vec![Item::structure(Tag::KEY_BLOCK, fields)])
}

/// The key block of a private key in a container, with the chain that its links lead to.
///
/// # Errors
/// Those of the password; links that lead to what is no chain.
pub fn key_block(context: &Context<'_>, object: &Object, attributes: &Attributes<'_>) -> Outcome<Item> {
    if ObjectType::of(object) != ObjectType::PrivateKey {
        return Err(Failure::new(Reason::KeyFormatTypeNotSupported, "containers hold private keys"));
    }
    let links = attributes.managed();
    let kind = LinkType::PKCS_12PasswordLink.number();
    let passwords = links.links.iter().filter(|link| link.kind == kind).map(|link| link.target.as_str());
    let password = password(context, passwords.collect())?;
    let name = attributes.first(Tag::PKCS12_FRIENDLY_NAME);
    let name = name.as_ref().map(Item::as_text).transpose()?.map(ToOwned::to_owned);
    let private_key = Wiped::new(give::material(object, Format::PKCS_8)?.as_bytes()?.to_vec());
    let container = Container { name, private_key, certificates: chain(context, links)? };
    let value = Item::bytes(Tag::KEY_VALUE, write(&container, &password)?);
    let fields = vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::PKCS_12), value];
    Ok(Item::structure(Tag::KEY_BLOCK, fields))
}

/// The certificates that links lead to: the key's own, by its link or its public key's, and from each to
/// the one above it.
fn chain(context: &Context<'_>, links: &Managed) -> Outcome<Vec<Vec<u8>>> {
    let mut next = next_certificate(links)?.map(ToOwned::to_owned);
    if next.is_none()
        && let Some(public) = linked(links, LinkType::PublicKeyLink)
    {
        let public = Managed::of(context.load(public, Action::Look)?.object());
        next = next_certificate(&public)?.map(ToOwned::to_owned);
    }
    let mut seen = Vec::new();
    let mut chain = Vec::new();
    while let Some(id) = next {
        if seen.contains(&id) || seen.len() == LONGEST {
            return Err(invalid_field("the certificate links lead in a ring, or are too many"));
        }
        let found = context.load(&id, Action::Read)?;
        let der = found.object().bytes(CKA_VALUE);
        if certificate::read_certificate(der).is_err() {
            return Err(invalid_field("a certificate link leads to no X.509 certificate"));
        }
        chain.push(der.to_vec());
        next = next_certificate(&Managed::of(found.object()))?.map(ToOwned::to_owned);
        seen.push(id);
    }
    Ok(chain)
}

/// Where the one link to a certificate leads: a PKCS#12 Certificate Link goes before a Certificate Link.
fn next_certificate(links: &Managed) -> Outcome<Option<&str>> {
    for kind in [LinkType::PKCS_12CertificateLink, LinkType::CertificateLink] {
        let mut found = links.links.iter().filter(|link| link.kind == kind.number());
        match (found.next(), found.next()) {
            (None, _) => {}
            (Some(link), None) => return Ok(Some(&link.target)),
            (Some(_), Some(_)) => return Err(invalid_field("there is more than one certificate chain")),
        }
    }
    Ok(None)
}
