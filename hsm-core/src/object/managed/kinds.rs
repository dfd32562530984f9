//! What kinds of managed object there are, and which dates they have.

use cryptoki_sys::*;

use super::numbers::*;
use super::set_number;
use crate::object::Object;
use crate::object::lifecycle::Seconds;

/// How many there are in a second.
const MICROSECONDS: u64 = 1_000_000;

/// The dates of an object. KMIP 1.4, sections 3.23 to 3.33, 3.38 and 3.44.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Date {
    /// When the object came to be here.
    Initial,
    /// From when on it may be used.
    Activation,
    /// From when on it may process what is protected.
    ProcessStart,
    /// Until when it may protect.
    ProtectStop,
    /// When its use ends.
    Deactivation,
    /// When it was destroyed.
    Destroy,
    /// When it is believed to have been compromised first.
    CompromiseOccurrence,
    /// When it was said to be compromised.
    Compromise,
    /// When it was taken off-line; absent while it is on-line.
    Archive,
    /// When anything of it changed last.
    LastChange,
    /// When the value was made, perhaps elsewhere.
    OriginalCreation,
}

impl Date {
    /// The attribute that holds it.
    pub const fn kind(self) -> u64 {
        match self {
            Date::Initial => SOFTHSM_RS_INITIAL_DATE,
            Date::Activation => SOFTHSM_RS_ACTIVATION_DATE,
            Date::ProcessStart => SOFTHSM_RS_PROCESS_START_DATE,
            Date::ProtectStop => SOFTHSM_RS_PROTECT_STOP_DATE,
            Date::Deactivation => SOFTHSM_RS_DEACTIVATION_DATE,
            Date::Destroy => SOFTHSM_RS_DESTROY_DATE,
            Date::CompromiseOccurrence => SOFTHSM_RS_COMPROMISE_OCCURRENCE_DATE,
            Date::Compromise => SOFTHSM_RS_COMPROMISE_DATE,
            Date::Archive => SOFTHSM_RS_ARCHIVE_DATE,
            Date::LastChange => SOFTHSM_RS_LAST_CHANGE_DATE,
            Date::OriginalCreation => SOFTHSM_RS_ORIGINAL_CREATION_DATE,
        }
    }

    /// Its name in KMIP.
    pub const fn name(self) -> &'static str {
        match self {
            Date::Initial => "Initial Date",
            Date::Activation => "Activation Date",
            Date::ProcessStart => "Process Start Date",
            Date::ProtectStop => "Protect Stop Date",
            Date::Deactivation => "Deactivation Date",
            Date::Destroy => "Destroy Date",
            Date::CompromiseOccurrence => "Compromise Occurrence Date",
            Date::Compromise => "Compromise Date",
            Date::Archive => "Archive Date",
            Date::LastChange => "Last Change Date",
            Date::OriginalCreation => "Original Creation Date",
        }
    }

    /// An object's date.
    pub fn of(self, object: &Object) -> Option<Seconds> {
        object.number(self.kind()).map(u64::cast_signed).or_else(|| self.implied(object))
    }

    /// What follows from the moment at which PKCS #11 made an object, which is Active from then on.
    fn implied(self, object: &Object) -> Option<Seconds> {
        let follows = match self {
            Date::Initial | Date::Activation | Date::LastChange => true,
            Date::OriginalCreation => object.flag(CKA_LOCAL),
            _ => false,
        };
        if !follows || object.get(SOFTHSM_RS_OWNER).is_some() {
            return None;
        }
        let made = object.number(SOFTHSM_RS_MADE)?;
        i64::try_from(made / MICROSECONDS).ok()
    }

    /// Sets an object's date, or takes it away.
    pub fn set(self, object: &mut Object, date: Option<Seconds>) {
        set_number(object, self.kind(), date.map(i64::cast_unsigned));
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of managed object, with KMIP's numbers (KMIP 1.4, section 9.1.3.2.12; 2.1 for the
/// last). A template has no value and no states: it is attributes for objects to be made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The standard's names.
pub enum ObjectType {
    Certificate = 1,
    SymmetricKey = 2,
    PublicKey = 3,
    PrivateKey = 4,
    SplitKey = 5,
    Template = 6,
    SecretData = 7,
    OpaqueObject = 8,
    PgpKey = 9,
    CertificateRequest = 10,
}

impl ObjectType {
    /// Every kind, in the order of their numbers.
    pub const ALL: [ObjectType; 10] = [
        ObjectType::Certificate,
        ObjectType::SymmetricKey,
        ObjectType::PublicKey,
        ObjectType::PrivateKey,
        ObjectType::SplitKey,
        ObjectType::Template,
        ObjectType::SecretData,
        ObjectType::OpaqueObject,
        ObjectType::PgpKey,
        ObjectType::CertificateRequest,
    ];

    /// The kind of a number.
    pub fn of_number(number: u64) -> Option<ObjectType> {
        ObjectType::ALL.into_iter().find(|kind| *kind as u64 == number)
    }

    /// What an object is: as it was said, or as its class says it.
    pub fn of(object: &Object) -> ObjectType {
        let said = object.number(SOFTHSM_RS_OBJECT_TYPE).and_then(ObjectType::of_number);
        said.unwrap_or_else(|| match object.class() {
            CKO_CERTIFICATE => ObjectType::Certificate,
            CKO_PUBLIC_KEY => ObjectType::PublicKey,
            CKO_PRIVATE_KEY => ObjectType::PrivateKey,
            CKO_SECRET_KEY if object.key_type() == Some(CKK_GENERIC_SECRET) => ObjectType::SecretData,
            CKO_SECRET_KEY => ObjectType::SymmetricKey,
            CKO_OTP_KEY => ObjectType::SecretData,
            _ => ObjectType::OpaqueObject,
        })
    }
}
