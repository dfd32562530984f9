//! Why an operation fails, and the one place that turns outcomes into KMIP's Result Reasons. Reasons
//! are those of 2.1; an older client gets the reason that its version has for the same thing.

use hsm_core::Error;
use hsm_core::store::StoreError;

use crate::ttlv::enums::ResultReason as Reason;
use crate::ttlv::text::{TextError, TextFault};
use crate::ttlv::{DecodeError, Item, Malformed, Tag, Version};

/// How an operation ends.
pub type Outcome<T> = Result<T, Failure>;

/// A failed operation: what the client is told.
#[derive(Debug)]
pub struct Failure {
    /// The reason, as 2.1 names it.
    pub reason: Reason,
    /// A text for people. It says no more of the server than the reason does.
    pub message: String,
    /// What the answer's payload holds though the operation failed, where the operation has such fields.
    pub payload: Vec<Item>,
}

impl Failure {
    /// A failure.
    pub fn new(reason: Reason, message: impl Into<String>) -> Failure {
        Failure { reason, message: message.into(), payload: Vec::new() }
    }

    /// The failure with a payload.
    pub fn with(self, payload: Vec<Item>) -> Failure {
        Failure { payload, ..self }
    }

    /// The reason in the words of a version. KMIP 1.4, section 11, and 2.1, section 6.1, name both.
    pub fn reason_in(&self, version: Version) -> Reason {
        // 2.0 has the reason, and its test cases still say what 1.x does.
        if version == Version::V2_0 && self.reason == Reason::WrongKeyLifecycleState {
            return Reason::PermissionDenied;
        }
        if self.reason.since() <= version && version <= self.reason.last() {
            return self.reason;
        }
        OLDER
            .iter()
            .find(|(newer, _)| *newer == self.reason)
            .map_or(Reason::GeneralFailure, |(_, older)| *older)
    }
}

/// What 1.x says instead of the reasons that came later.
#[rustfmt::skip]
const OLDER: &[(Reason, Reason)] = &[
    (Reason::ObjectNotFound,                     Reason::ItemNotFound),
    (Reason::ObjectDestroyed,                    Reason::ItemNotFound),
    (Reason::WrongKeyLifecycleState,             Reason::PermissionDenied),
    (Reason::IncompatibleCryptographicUsageMask, Reason::PermissionDenied),
    (Reason::NonUniqueNameAttribute,             Reason::InvalidField),
    (Reason::AttributeReadOnly,                  Reason::PermissionDenied),
    (Reason::ReadOnlyAttribute,                  Reason::PermissionDenied),
    (Reason::AttributeSingleValued,              Reason::IllegalOperation),
    (Reason::MultiValuedAttribute,               Reason::IllegalOperation),
    (Reason::AttributeNotFound,                  Reason::ItemNotFound),
    (Reason::AttributeInstanceNotFound,          Reason::ItemNotFound),
    (Reason::UnsupportedAttribute,               Reason::InvalidField),
    (Reason::InvalidAttribute,                   Reason::InvalidField),
    (Reason::InvalidAttributeValue,              Reason::InvalidField),
    (Reason::InvalidDataType,                    Reason::InvalidField),
    (Reason::NumericRange,                       Reason::InvalidField),
    (Reason::InvalidObjectType,                  Reason::InvalidField),
    (Reason::IllegalObjectType,                  Reason::InvalidField),
    (Reason::UnknownEnumeration,                 Reason::InvalidField),
    (Reason::UnknownTag,                         Reason::InvalidMessage),
    (Reason::CodecError,                         Reason::InvalidMessage),
    (Reason::Sensitive,                          Reason::PermissionDenied),
    (Reason::NotExtractable,                     Reason::PermissionDenied),
    (Reason::UsageLimitExceeded,                 Reason::PermissionDenied),
    (Reason::BadCryptographicParameters,         Reason::InvalidField),
    (Reason::UnsupportedCryptographicParameters, Reason::InvalidField),
    (Reason::MissingInitializationVector,        Reason::InvalidMessage),
    (Reason::InvalidCorrelationValue,            Reason::InvalidField),
    (Reason::InvalidAsynchronousCorrelationValue, Reason::ItemNotFound),
    (Reason::InvalidCSR,                         Reason::InvalidField),
    (Reason::InvalidTicket,                      Reason::AuthenticationNotSuccessful),
    (Reason::NotAuthorised,                      Reason::PermissionDenied),
    (Reason::ServerLimitExceeded,                Reason::GeneralFailure),
    (Reason::InternalServerError,                Reason::GeneralFailure),
    (Reason::ObjectAlreadyExists,                Reason::InvalidField),
    (Reason::WrappingObjectNotFound,             Reason::ItemNotFound),
    (Reason::WrappingObjectDestroyed,            Reason::ItemNotFound),
    (Reason::WrappingObjectArchived,             Reason::ObjectArchived),
    (Reason::KeyWrapTypeNotSupported,            Reason::FeatureNotSupported),
    (Reason::EncodingOptionError,                Reason::InvalidField),
    (Reason::KeyValueNotPresent,                 Reason::InvalidField),
    (Reason::AttestationRequired,                Reason::PermissionDenied),
    (Reason::AttestationFailed,                  Reason::PermissionDenied),
    (Reason::UnsupportedProtocolVersion,         Reason::InvalidMessage),
    (Reason::ProtectionStorageUnavailable,       Reason::FeatureNotSupported),
    (Reason::UnknownObjectGroup,                 Reason::ItemNotFound),
    (Reason::IllegalOperation,                   Reason::OperationNotSupported),
    (Reason::IndexOutOfBounds,                   Reason::AttributeInstanceNotFound),
];

/// A payload that is not as the standard has it.
impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Failure {
        let reason = match malformed {
            Malformed::Missing(_) => Reason::MissingData,
            Malformed::Unexpected(_) => Reason::InvalidMessage,
            Malformed::Type { .. } => Reason::InvalidField,
            Malformed::Unknown { .. } => Reason::UnknownEnumeration,
        };
        Failure::new(reason, malformed.to_string())
    }
}

/// Bytes that are no message.
impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Failure {
        Failure::new(Reason::InvalidMessage, error.to_string())
    }
}

/// Text that is no message. Names stand in it for numbers, so that one that nothing has is refused while it
/// is read, for the reason for which the number would be later.
impl From<TextError> for Failure {
    fn from(error: TextError) -> Failure {
        let reason = match (error.fault, error.tag) {
            (TextFault::Name, Some(Tag::OPERATION)) => Reason::OperationNotSupported,
            (TextFault::Name, _) => Reason::UnknownEnumeration,
            _ => Reason::InvalidMessage,
        };
        Failure::new(reason, error.to_string())
    }
}

/// THE match from the core's outcomes to reasons.
impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let reason = reason_of(&error);
        if reason == Reason::GeneralFailure {
            // The log has what the client is not told.
            log::error!("{error}");
            return Failure::new(reason, "the server failed; its log says why");
        }
        Failure::new(reason, error.to_string())
    }
}

fn reason_of(error: &Error) -> Reason {
    match error {
        Error::NoSuchObject | Error::NoSuchKey => Reason::ObjectNotFound,
        Error::ObjectDestroyed => Reason::ObjectDestroyed,
        Error::ObjectArchived => Reason::ObjectArchived,
        Error::WrongState { .. } | Error::KeySuspended | Error::OutsideUsagePeriod => {
            Reason::WrongKeyLifecycleState
        }
        Error::UsageLimitExceeded => Reason::UsageLimitExceeded,
        Error::DatesOutOfOrder { .. } => Reason::InvalidAttributeValue,
        Error::NameNotUnique => Reason::NonUniqueNameAttribute,
        Error::KeyFunctionNotPermitted => Reason::IncompatibleCryptographicUsageMask,
        Error::KeyUnextractable => Reason::NotExtractable,
        Error::AttributeSensitive(_) => Reason::Sensitive,
        Error::AttributeReadOnly(_) => Reason::AttributeReadOnly,
        Error::NotSupported => Reason::FeatureNotSupported,
        Error::MechanismInvalid
        | Error::KeyTypeInconsistent
        | Error::WrappingKeyTypeInconsistent
        | Error::UnwrappingKeyTypeInconsistent => Reason::UnsupportedCryptographicParameters,
        Error::MechanismParamInvalid => Reason::BadCryptographicParameters,
        Error::NoSuchWrappingKey | Error::NoSuchUnwrappingKey => Reason::WrappingObjectNotFound,
        Error::ActionProhibited
        | Error::NotLoggedIn
        | Error::ContextLoginNeeded
        | Error::PinIncorrect { .. }
        | Error::PinLocked
        | Error::UserPinNotSet
        | Error::SoPinNotSet
        | Error::KeyNotWrappable
        | Error::KeyIndigestible => Reason::PermissionDenied,
        Error::DataLength
        | Error::DataInvalid
        | Error::EncryptedDataInvalid
        | Error::EncryptedDataLength
        | Error::SignatureInvalid
        | Error::SignatureLength
        | Error::WrappedKeyInvalid
        | Error::WrappedKeyLength
        | Error::PublicKeyInvalid
        | Error::CryptoFailed(_)
        | Error::RandomFailed => Reason::CryptographicFailure,
        Error::ArgumentsBad(_)
        | Error::AttributeTypeInvalid(_)
        | Error::AttributeValueInvalid(_)
        | Error::TemplateIncomplete(_)
        | Error::TemplateInconsistent(_)
        | Error::DomainParamsInvalid
        | Error::CurveNotSupported
        | Error::ParameterSetNotSupported
        | Error::KeySizeRange
        | Error::WrappingKeySizeRange
        | Error::UnwrappingKeySizeRange
        | Error::PinLength { .. } => Reason::InvalidField,
        Error::Store(StoreError::Full(_)) => Reason::ServerLimitExceeded,
        _ => Reason::GeneralFailure,
    }
}

/// A shorthand for what fails most.
pub(crate) fn invalid_field(message: impl Into<String>) -> Failure {
    Failure::new(Reason::InvalidField, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_that_each_version_knows() {
        for reason in Reason::ALL {
            let failure = Failure::new(*reason, "");
            for version in Version::ALL {
                let told = failure.reason_in(version);
                assert!(
                    told.since() <= version && version <= told.last(),
                    "{reason:?} in {version}: {told:?}"
                );
            }
        }
    }

    #[test]
    fn what_goes_wrong_inside_is_not_told() {
        let failure = Failure::from(Error::RecordDamaged { what: "record 12".into() });
        assert_eq!(failure.reason, Reason::GeneralFailure);
        assert!(!failure.message.contains("12"));
    }
}
