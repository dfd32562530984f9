//! The enumerations of KMIP 1.0 to 2.1, one row a value: KMIP 1.4, section 9.1.3.2 and 9.1.3.3; 2.1,
//! section 11 and 12. Variants are named as in the text encodings, dashes and all.
//!
//! A row ends with the first version that lists the value, the last one if later ones dropped it, and
//! an older name if the standard changed it.

mod algorithms;
mod capabilities;
mod messages;
mod objects;
mod pkcs11;

pub use algorithms::*;
pub use capabilities::*;
pub use messages::*;
pub use objects::*;
pub use pkcs11::*;

use super::tags::Tag;
use super::version::Version;

/// One value of an enumeration.
#[derive(Debug)]
pub struct Row {
    /// Its number.
    pub number: u32,
    /// Its name in the text encodings.
    pub name: &'static str,
    /// The name that an older version of the standard gave it.
    pub older: Option<&'static str>,
    /// The first version that lists it.
    pub since: Version,
    /// The last version that lists it.
    pub last: Version,
}

/// An enumeration as data, in the order of numbers.
#[derive(Debug)]
pub struct Table {
    /// What the standard calls it.
    pub name: &'static str,
    /// Its values.
    pub rows: &'static [Row],
}

impl Table {
    /// The row of a number.
    pub fn row(&self, number: u32) -> Option<&'static Row> {
        let at = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        self.rows.get(at)
    }

    /// The row of a name, new or old.
    pub fn of_name(&self, name: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.name == name || row.older == Some(name))
    }
}

/// What all enumerations have in common.
pub trait Enumeration: Copy + Into<u32> + 'static {
    /// The enumeration as data.
    const TABLE: Table;

    /// The value with that number, if the standard has it.
    fn from_number(number: u32) -> Option<Self>;
}

/// Makes an enumeration and its table.
macro_rules! enumeration {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($variant:ident = $number:literal, $since:ident $(to $last:ident)? $(was $older:literal)?;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, non_camel_case_types, reason = "names are those of the text encodings")]
        #[repr(u32)]
        pub enum $name {
            $($variant = $number,)*
        }

        impl $name {
            /// All values, in the order of numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The value with that number, if the standard has it.
            pub fn from_number(number: u32) -> Option<$name> {
                match number {
                    $($number => Some($name::$variant),)*
                    _ => Option::None,
                }
            }

            /// Its number.
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// Its name in the text encodings.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => stringify!($variant),)*
                }
            }

            /// The first version that lists it.
            pub const fn since(self) -> $crate::ttlv::Version {
                match self {
                    $($name::$variant => $crate::ttlv::Version::$since,)*
                }
            }

            /// The last version that lists it.
            pub const fn last(self) -> $crate::ttlv::Version {
                match self {
                    $($name::$variant => $crate::ttlv::version::last!($($last)?),)*
                }
            }
        }

        impl From<$name> for u32 {
            fn from(value: $name) -> u32 {
                value.number()
            }
        }

        impl $crate::ttlv::enums::Enumeration for $name {
            const TABLE: $crate::ttlv::enums::Table = $crate::ttlv::enums::Table {
                name: stringify!($name),
                rows: &[$(
                    $crate::ttlv::enums::Row {
                        number: $number,
                        name: stringify!($variant),
                        older: $crate::ttlv::enums::older!($($older)?),
                        since: $crate::ttlv::Version::$since,
                        last: $crate::ttlv::version::last!($($last)?),
                    },
                )*],
            };

            fn from_number(number: u32) -> Option<$name> {
                $name::from_number(number)
            }
        }
    };
}
use enumeration;

/// The older name of a row, if it has one.
macro_rules! older {
    () => {
        Option::None
    };
    ($older:literal) => {
        Some($older)
    };
}
use older;

/// Which tag carries which enumeration. Tags are those of the standard; those of the second list carry
/// bits of an integer.
macro_rules! carriers {
    (numbers: { $($($tag:ident)|+ => $enumeration:ident,)* } bits: { $($mask:ident => $bits:ident,)* }) => {
        /// The enumeration that an item of that tag carries.
        pub fn of_tag(tag: Tag) -> Option<&'static Table> {
            match tag {
                $($(Tag::$tag)|+ => Some(const { &<$enumeration as Enumeration>::TABLE }),)*
                _ => None,
            }
        }

        /// The bits that an integer of that tag is made of.
        pub fn bits_of_tag(tag: Tag) -> Option<&'static Table> {
            match tag {
                $(Tag::$mask => Some(const { &<$bits as Enumeration>::TABLE }),)*
                _ => None,
            }
        }

        #[cfg(test)]
        const CARRIERS: &[Tag] = &[$($(Tag::$tag,)+)* $(Tag::$mask,)*];

        #[cfg(test)]
        const TABLES: &[Table] = &[
            $(<$enumeration as Enumeration>::TABLE,)* $(<$bits as Enumeration>::TABLE,)*
        ];
    };
}

#[rustfmt::skip]
carriers! {
    numbers: {
        ADJUSTMENT_TYPE                 => AdjustmentType,
        ALTERNATIVE_NAME_TYPE           => AlternativeNameType,
        ASYNCHRONOUS_INDICATOR          => AsynchronousIndicator,
        ATTESTATION_TYPE                => AttestationType,
        BATCH_ERROR_CONTINUATION_OPTION => BatchErrorContinuation,
        BLOCK_CIPHER_MODE               => BlockCipherMode,
        CANCELLATION_RESULT             => CancellationResult,
        CERTIFICATE_REQUEST_TYPE        => CertificateRequestType,
        CERTIFICATE_TYPE                => CertificateType,
        CLIENT_REGISTRATION_METHOD      => ClientRegistrationMethod,
        CREDENTIAL_TYPE                 => CredentialType,
        CRYPTOGRAPHIC_ALGORITHM         => CryptographicAlgorithm,
        DATA                            => Data,
        DERIVATION_METHOD               => DerivationMethod,
        DESTROY_ACTION                  => DestroyActionType,
        DIGITAL_SIGNATURE_ALGORITHM     => DigitalSignatureAlgorithm,
        DRBG_ALGORITHM                  => DRBGAlgorithm,
        ENCODING_OPTION                 => EncodingOption,
        ENDPOINT_ROLE                   => EndpointRole,
        EXTENSION_TYPE                  => ItemType,
        FIPS186_VARIATION               => FIPS186Variation,
        HASHING_ALGORITHM | MASK_GENERATOR_HASHING_ALGORITHM => HashingAlgorithm,
        INTEROP_FUNCTION                => InteropFunction,
        KEY_COMPRESSION_TYPE            => KeyCompressionType,
        KEY_FORMAT_TYPE                 => KeyFormatType,
        KEY_ROLE_TYPE                   => KeyRoleType,
        KEY_VALUE_LOCATION_TYPE         => KeyValueLocationType,
        KEY_WRAP_TYPE                   => KeyWrapType,
        LINK_TYPE                       => LinkType,
        MASK_GENERATOR                  => MaskGenerator,
        NAME_TYPE                       => NameType,
        NIST_KEY_TYPE                   => NISTKeyType,
        OBJECT_GROUP_MEMBER             => ObjectGroupMemberOption,
        OBJECT_TYPE                     => ObjectType,
        OPERATION                       => Operation,
        PADDING_METHOD                  => PaddingMethod,
        PKCS11_FUNCTION                 => PKCS_11Function,
        PKCS11_RETURN_CODE              => PKCS_11ReturnCode,
        PROCESSING_STAGE                => ProcessingStage,
        PROFILE_NAME                    => ProfileName,
        PROTECTION_LEVEL                => ProtectionLevel,
        PUT_FUNCTION                    => PutFunction,
        QUERY_FUNCTION                  => QueryFunction,
        RECOMMENDED_CURVE               => RecommendedCurve,
        RESULT_REASON                   => ResultReason,
        RESULT_STATUS                   => ResultStatus,
        REVOCATION_REASON_CODE          => RevocationReasonCode,
        RNG_ALGORITHM                   => RNGAlgorithm,
        RNG_MODE                        => RNGMode,
        ROTATE_NAME_TYPE                => RotateNameType,
        SECRET_DATA_TYPE                => SecretDataType,
        SHREDDING_ALGORITHM             => ShreddingAlgorithm,
        SPLIT_KEY_METHOD                => SplitKeyMethod,
        STATE                           => State,
        TICKET_TYPE                     => TicketType,
        UNIQUE_IDENTIFIER | LINKED_OBJECT_IDENTIFIER | PRIVATE_KEY_UNIQUE_IDENTIFIER
            | PUBLIC_KEY_UNIQUE_IDENTIFIER | REPLACED_UNIQUE_IDENTIFIER => UniqueIdentifier,
        UNWRAP_MODE                     => UnwrapMode,
        USAGE_LIMITS_UNIT               => UsageLimitsUnit,
        VALIDATION_AUTHORITY_TYPE       => ValidationAuthorityType,
        VALIDATION_TYPE                 => ValidationType,
        VALIDITY_INDICATOR              => ValidityIndicator,
        WRAPPING_METHOD                 => WrappingMethod,
    }
    bits: {
        CRYPTOGRAPHIC_USAGE_MASK        => CryptographicUsageMask,
        PROTECTION_STORAGE_MASK         => ProtectionStorageMask,
        STORAGE_STATUS_MASK             => StorageStatusMask,
    }
}

/// Whether the values of that tag's items are themselves tags: KMIP 2.1, section 4.7 and 11.56.
pub fn carries_tags(tag: Tag) -> bool {
    matches!(tag, Tag::ATTRIBUTE_REFERENCE | Tag::TAG)
}

/// The name of a value that an item of that tag has.
pub fn name_of(tag: Tag, number: u32) -> Option<&'static str> {
    if carries_tags(tag) {
        return Tag(number).name();
    }
    of_tag(tag)?.row(number).map(|row| row.name)
}

/// The value that has that name, new or old, in an item of that tag.
pub fn number_of(tag: Tag, name: &str) -> Option<u32> {
    if carries_tags(tag) {
        return Tag::of_name(name).map(Tag::number);
    }
    of_tag(tag)?.of_name(name).map(|row| row.number)
}

/// The first version that lists a value that an item of that tag has.
pub fn since_of(tag: Tag, number: u32) -> Option<Version> {
    if carries_tags(tag) {
        return Tag(number).since();
    }
    of_tag(tag)?.row(number).map(|row| row.since)
}

#[cfg(test)]
mod tests;
