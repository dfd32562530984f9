//! The numbers of our vendor-defined attributes, in one place.

use cryptoki_sys::CKA_VENDOR_DEFINED;

/// The first of our vendor-defined attributes.
const BASE: u64 = CKA_VENDOR_DEFINED | 0x53_4800;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        $($(#[$doc])* pub const $name: u64 = BASE | $number;)*
    };
}

numbers! {
    /// The client that made the object; absent where PKCS #11 made it.
    SOFTHSM_RS_OWNER = 0x01;
    /// Object groups that the owner shares: a list.
    SOFTHSM_RS_SHARED = 0x02;
    /// What kind of managed object it is ([`ObjectType`](super::ObjectType)).
    SOFTHSM_RS_OBJECT_TYPE = 0x03;
    /// Its state, as of the last change ([`State`](crate::object::lifecycle::State)).
    SOFTHSM_RS_STATE = 0x04;
    /// Names: a list of a type byte and text.
    SOFTHSM_RS_NAMES = 0x05;
    /// Object groups: a list of texts.
    SOFTHSM_RS_GROUPS = 0x06;
    /// Links: a list of a type (4 bytes) and an identifier.
    SOFTHSM_RS_LINKS = 0x07;
    /// Application-specific information: a list of the namespace's length (4 bytes), namespace, data.
    SOFTHSM_RS_APPLICATIONS = 0x08;
    /// Custom attributes: a list of the name's length (4 bytes), name, value in the door's form.
    SOFTHSM_RS_CUSTOM = 0x09;
    /// What the key may be used for, as KMIP's Cryptographic Usage Mask says it.
    SOFTHSM_RS_USAGE_MASK = 0x0a;
    /// Usage limits: total, what is left, unit.
    SOFTHSM_RS_USAGE_LIMITS = 0x0b;
    /// Whether nobody has been given the value yet.
    SOFTHSM_RS_FRESH = 0x0c;
    /// The algorithm, as KMIP numbers it.
    SOFTHSM_RS_ALGORITHM = 0x0d;
    /// The cryptographic length in bits.
    SOFTHSM_RS_LENGTH = 0x0e;
    /// Attributes that only the door knows.
    SOFTHSM_RS_REST = 0x0f;
    /// The value in the form in which it was registered, where the attributes alone do not give it back.
    SOFTHSM_RS_MATERIAL = 0x10;
    /// When the object was made, in microseconds since 1970: the order of objects of one second.
    SOFTHSM_RS_MADE = 0x11;
    /// What the key management service keeps: its kind, and the version that is here ([`KmsMark`](super::KmsMark)).
    SOFTHSM_RS_KMS = 0x12;
    /// The latest of its ends that was found to have come ([`has_come`](crate::object::lifecycle::has_come)).
    SOFTHSM_RS_SEEN_END = 0x13;
    /// Dates, in seconds since 1970.
    SOFTHSM_RS_INITIAL_DATE = 0x20;
    /// See [`Date::Activation`](super::Date::Activation).
    SOFTHSM_RS_ACTIVATION_DATE = 0x21;
    /// See [`Date::ProcessStart`](super::Date::ProcessStart).
    SOFTHSM_RS_PROCESS_START_DATE = 0x22;
    /// See [`Date::ProtectStop`](super::Date::ProtectStop).
    SOFTHSM_RS_PROTECT_STOP_DATE = 0x23;
    /// See [`Date::Deactivation`](super::Date::Deactivation).
    SOFTHSM_RS_DEACTIVATION_DATE = 0x24;
    /// See [`Date::Destroy`](super::Date::Destroy).
    SOFTHSM_RS_DESTROY_DATE = 0x25;
    /// See [`Date::CompromiseOccurrence`](super::Date::CompromiseOccurrence).
    SOFTHSM_RS_COMPROMISE_OCCURRENCE_DATE = 0x26;
    /// See [`Date::Compromise`](super::Date::Compromise).
    SOFTHSM_RS_COMPROMISE_DATE = 0x27;
    /// See [`Date::Archive`](super::Date::Archive).
    SOFTHSM_RS_ARCHIVE_DATE = 0x28;
    /// See [`Date::LastChange`](super::Date::LastChange).
    SOFTHSM_RS_LAST_CHANGE_DATE = 0x29;
    /// See [`Date::OriginalCreation`](super::Date::OriginalCreation).
    SOFTHSM_RS_ORIGINAL_CREATION_DATE = 0x2a;
}
