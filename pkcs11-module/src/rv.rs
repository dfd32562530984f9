//! What a call answers: the core's outcomes and the door's own as CK_RV values, and what of them is
//! logged. No other file names a CKR value.

use std::any::Any;

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::audit::Reason;
use hsm_core::object::lifecycle::Action;
use hsm_core::store::StoreError;

/// How a body ends.
pub(crate) type Outcome<T = ()> = Result<T, Refusal>;

/// Why a call does not answer CKR_OK.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The door itself refuses.
    Door(Rejection),
    /// The core does.
    Core(Error),
}

/// What the door refuses before, beside or after the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A pointer, length or combination of arguments that cannot be meant.
    ArgumentsBad,
    /// One of several attributes did not fit into its buffer.
    BufferTooSmall,
    /// One of several attributes may not be read.
    AttributeSensitive,
    /// One of several attributes is not the object's.
    AttributeTypeInvalid,
    /// Mutexes of the application's own are not used.
    CantLock,
    /// C_Initialize before C_Finalize.
    AlreadyInitialised,
    /// No C_Initialize yet, or not since the fork.
    NotInitialised,
    /// A fork whose handlers did not run, or could not: this copy of the library must not touch files.
    ForkUnseen,
    /// A call from inside a fork handler.
    DuringFork,
    /// C_WaitForSlotEvent has nothing to tell.
    NoEvent,
    /// C_GetFunctionStatus and C_CancelFunction.
    NotParallel,
    /// The function is turned off.
    NotSupported,
    /// No interface of that name, version and flags.
    NoInterface,
    /// Memory could not be had.
    HostMemory,
    /// No such slot.
    SlotIdInvalid,
    /// The slot's token has gone.
    TokenNotPresent,
    /// No such session.
    SessionHandleInvalid,
    /// A session without CKF_SERIAL_SESSION.
    ParallelSession,
    /// A session with CKF_ASYNC_SESSION.
    AsyncSession,
    /// None of the three user types.
    UserTypeInvalid,
    /// A panic was caught.
    Panicked,
}

impl Rejection {
    /// The value that the caller gets.
    pub(crate) fn code(self) -> CK_RV {
        match self {
            Rejection::ArgumentsBad => CKR_ARGUMENTS_BAD,
            Rejection::BufferTooSmall => CKR_BUFFER_TOO_SMALL,
            Rejection::AttributeSensitive => CKR_ATTRIBUTE_SENSITIVE,
            Rejection::AttributeTypeInvalid => CKR_ATTRIBUTE_TYPE_INVALID,
            Rejection::CantLock => CKR_CANT_LOCK,
            Rejection::AlreadyInitialised => CKR_CRYPTOKI_ALREADY_INITIALIZED,
            Rejection::NotInitialised => CKR_CRYPTOKI_NOT_INITIALIZED,
            Rejection::ForkUnseen => CKR_DEVICE_ERROR,
            Rejection::DuringFork | Rejection::NoInterface => CKR_FUNCTION_FAILED,
            Rejection::NoEvent => CKR_NO_EVENT,
            Rejection::NotParallel => CKR_FUNCTION_NOT_PARALLEL,
            Rejection::NotSupported => CKR_FUNCTION_NOT_SUPPORTED,
            Rejection::HostMemory => CKR_HOST_MEMORY,
            Rejection::SlotIdInvalid => CKR_SLOT_ID_INVALID,
            Rejection::TokenNotPresent => CKR_TOKEN_NOT_PRESENT,
            Rejection::SessionHandleInvalid => CKR_SESSION_HANDLE_INVALID,
            Rejection::ParallelSession => CKR_SESSION_PARALLEL_NOT_SUPPORTED,
            Rejection::AsyncSession => CKR_SESSION_ASYNC_NOT_SUPPORTED,
            Rejection::UserTypeInvalid => CKR_USER_TYPE_INVALID,
            Rejection::Panicked => CKR_GENERAL_ERROR,
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Refusal {
        Refusal::Door(rejection)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Core(error)
    }
}

/// The value that the caller gets.
pub(crate) fn code(outcome: &Outcome) -> CK_RV {
    match outcome {
        Ok(()) => CKR_OK,
        Err(Refusal::Door(rejection)) => rejection.code(),
        Err(Refusal::Core(error)) => code_of(error),
    }
}

/// The value that the caller gets, with a line in the log. Called inside the gate, so that no other
/// thread holds the log's lock while the process forks.
pub(crate) fn report(function: &str, outcome: Outcome) -> CK_RV {
    let code = code(&outcome);
    match outcome {
        Err(Refusal::Core(error)) if is_our_fault(code) => log::error!("{function}: {error}"),
        Err(Refusal::Core(error)) => log::debug!("{function}: {error}"),
        Err(Refusal::Door(_)) | Ok(()) => log::trace!("{function}: {code:#x}"),
    }
    code
}

/// The value for a caught panic, whose text goes to the log.
pub(crate) fn panicked(function: &str, payload: &(dyn Any + Send)) -> CK_RV {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
    log::error!("{function} failed inside, please report this: {text}");
    Rejection::Panicked.code()
}

/// Whether the caller could not have caused it: an error in the log, where the rest is for debugging.
fn is_our_fault(code: CK_RV) -> bool {
    matches!(
        code,
        CKR_DEVICE_ERROR
            | CKR_DEVICE_MEMORY
            | CKR_GENERAL_ERROR
            | CKR_FUNCTION_FAILED
            | CKR_TOKEN_WRITE_PROTECTED
    )
}

/// A refusal by the core as the audit log names it.
pub(crate) fn reason(error: &Error) -> Reason {
    let code = code_of(error);
    let name = NAMES.iter().find(|(known, _)| *known == code).map_or("CKR_GENERAL_ERROR", |(_, name)| name);
    Reason { code: u32::try_from(code).unwrap_or(u32::MAX), name }
}

macro_rules! names {
    ($($code:ident)*) => { &[$(($code, stringify!($code))),*] };
}

/// The names of the values that the core's outcomes have.
const NAMES: &[(CK_RV, &str)] = names! {
    CKR_ACTION_PROHIBITED
    CKR_AEAD_DECRYPT_FAILED
    CKR_ARGUMENTS_BAD
    CKR_ATTRIBUTE_READ_ONLY
    CKR_ATTRIBUTE_SENSITIVE
    CKR_ATTRIBUTE_TYPE_INVALID
    CKR_ATTRIBUTE_VALUE_INVALID
    CKR_BUFFER_TOO_SMALL
    CKR_CURVE_NOT_SUPPORTED
    CKR_DATA_INVALID
    CKR_DATA_LEN_RANGE
    CKR_DEVICE_ERROR
    CKR_DEVICE_MEMORY
    CKR_DOMAIN_PARAMS_INVALID
    CKR_ENCRYPTED_DATA_INVALID
    CKR_ENCRYPTED_DATA_LEN_RANGE
    CKR_FUNCTION_FAILED
    CKR_FUNCTION_NOT_SUPPORTED
    CKR_GENERAL_ERROR
    CKR_KEY_FUNCTION_NOT_PERMITTED
    CKR_KEY_HANDLE_INVALID
    CKR_KEY_INDIGESTIBLE
    CKR_KEY_NOT_NEEDED
    CKR_KEY_NOT_WRAPPABLE
    CKR_KEY_SIZE_RANGE
    CKR_KEY_TYPE_INCONSISTENT
    CKR_KEY_UNEXTRACTABLE
    CKR_MECHANISM_INVALID
    CKR_MECHANISM_PARAM_INVALID
    CKR_OBJECT_HANDLE_INVALID
    CKR_OPERATION_ACTIVE
    CKR_OPERATION_NOT_INITIALIZED
    CKR_PARAMETER_SET_NOT_SUPPORTED
    CKR_PIN_INCORRECT
    CKR_PIN_LEN_RANGE
    CKR_PIN_LOCKED
    CKR_PUBLIC_KEY_INVALID
    CKR_SAVED_STATE_INVALID
    CKR_SESSION_COUNT
    CKR_SESSION_EXISTS
    CKR_SESSION_HANDLE_INVALID
    CKR_SESSION_READ_ONLY
    CKR_SESSION_READ_ONLY_EXISTS
    CKR_SESSION_READ_WRITE_SO_EXISTS
    CKR_SIGNATURE_INVALID
    CKR_SIGNATURE_LEN_RANGE
    CKR_SLOT_ID_INVALID
    CKR_STATE_UNSAVEABLE
    CKR_TEMPLATE_INCOMPLETE
    CKR_TEMPLATE_INCONSISTENT
    CKR_TOKEN_NOT_RECOGNIZED
    CKR_TOKEN_RESOURCE_EXCEEDED
    CKR_TOKEN_WRITE_PROTECTED
    CKR_UNWRAPPING_KEY_HANDLE_INVALID
    CKR_UNWRAPPING_KEY_SIZE_RANGE
    CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT
    CKR_USER_ALREADY_LOGGED_IN
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN
    CKR_USER_NOT_LOGGED_IN
    CKR_USER_PIN_NOT_INITIALIZED
    CKR_WRAPPED_KEY_INVALID
    CKR_WRAPPED_KEY_LEN_RANGE
    CKR_WRAPPING_KEY_HANDLE_INVALID
    CKR_WRAPPING_KEY_SIZE_RANGE
    CKR_WRAPPING_KEY_TYPE_INCONSISTENT
};

/// THE match from the core's outcomes to CKR values.
fn code_of(error: &Error) -> CK_RV {
    match error {
        Error::ArgumentsBad(_) => CKR_ARGUMENTS_BAD,
        Error::NotSupported => CKR_FUNCTION_NOT_SUPPORTED,
        Error::NoSuchSlot => CKR_SLOT_ID_INVALID,
        Error::TokenNotInitialised => CKR_TOKEN_NOT_RECOGNIZED,
        Error::NoSuchSession => CKR_SESSION_HANDLE_INVALID,
        Error::SessionReadOnly => CKR_SESSION_READ_ONLY,
        Error::SessionReadOnlyExists => CKR_SESSION_READ_ONLY_EXISTS,
        Error::SessionReadWriteSoExists => CKR_SESSION_READ_WRITE_SO_EXISTS,
        Error::SessionExists => CKR_SESSION_EXISTS,
        Error::SessionCount => CKR_SESSION_COUNT,

        Error::NotLoggedIn | Error::ContextLoginNeeded => CKR_USER_NOT_LOGGED_IN,
        Error::AlreadyLoggedIn => CKR_USER_ALREADY_LOGGED_IN,
        Error::AnotherLoggedIn => CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
        // Without an SO PIN no PIN is right; the standard has no value of its own for it.
        Error::PinIncorrect { .. } | Error::SoPinNotSet => CKR_PIN_INCORRECT,
        Error::PinLocked => CKR_PIN_LOCKED,
        Error::PinLength { .. } => CKR_PIN_LEN_RANGE,
        Error::UserPinNotSet => CKR_USER_PIN_NOT_INITIALIZED,
        // What these two answer is asked by servers and the command line alone.
        Error::PinsSet | Error::PinAloneOpens { .. } | Error::WrapMissing { .. } => CKR_GENERAL_ERROR,

        Error::NoSuchObject => CKR_OBJECT_HANDLE_INVALID,
        Error::NoSuchKey => CKR_KEY_HANDLE_INVALID,
        Error::AttributeTypeInvalid(_) => CKR_ATTRIBUTE_TYPE_INVALID,
        Error::AttributeValueInvalid(_) => CKR_ATTRIBUTE_VALUE_INVALID,
        Error::AttributeReadOnly(_) => CKR_ATTRIBUTE_READ_ONLY,
        Error::AttributeSensitive(_) => CKR_ATTRIBUTE_SENSITIVE,
        Error::TemplateIncomplete(_) => CKR_TEMPLATE_INCOMPLETE,
        Error::TemplateInconsistent(_) | Error::DatesOutOfOrder { .. } => CKR_TEMPLATE_INCONSISTENT,
        Error::ActionProhibited | Error::WrongState { action: Action::Destroy, .. } => CKR_ACTION_PROHIBITED,
        Error::WrongState { .. }
        | Error::KeySuspended
        | Error::ObjectArchived
        | Error::OutsideUsagePeriod
        | Error::UsageLimitExceeded => CKR_KEY_FUNCTION_NOT_PERMITTED,
        Error::ObjectDestroyed => CKR_OBJECT_HANDLE_INVALID,
        Error::NameNotUnique => CKR_ATTRIBUTE_VALUE_INVALID,
        Error::DomainParamsInvalid => CKR_DOMAIN_PARAMS_INVALID,
        Error::CurveNotSupported => CKR_CURVE_NOT_SUPPORTED,
        Error::ParameterSetNotSupported => CKR_PARAMETER_SET_NOT_SUPPORTED,
        Error::PublicKeyInvalid => CKR_PUBLIC_KEY_INVALID,

        Error::MechanismInvalid => CKR_MECHANISM_INVALID,
        Error::MechanismParamInvalid => CKR_MECHANISM_PARAM_INVALID,
        Error::KeyTypeInconsistent => CKR_KEY_TYPE_INCONSISTENT,
        Error::KeySizeRange => CKR_KEY_SIZE_RANGE,
        Error::KeyFunctionNotPermitted => CKR_KEY_FUNCTION_NOT_PERMITTED,
        Error::KeyIndigestible => CKR_KEY_INDIGESTIBLE,
        Error::KeyNotWrappable => CKR_KEY_NOT_WRAPPABLE,
        Error::KeyUnextractable => CKR_KEY_UNEXTRACTABLE,
        Error::WrappingKeyTypeInconsistent => CKR_WRAPPING_KEY_TYPE_INCONSISTENT,
        Error::WrappingKeySizeRange => CKR_WRAPPING_KEY_SIZE_RANGE,
        Error::NoSuchWrappingKey => CKR_WRAPPING_KEY_HANDLE_INVALID,
        Error::UnwrappingKeyTypeInconsistent => CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
        Error::UnwrappingKeySizeRange => CKR_UNWRAPPING_KEY_SIZE_RANGE,
        Error::NoSuchUnwrappingKey => CKR_UNWRAPPING_KEY_HANDLE_INVALID,
        Error::WrappedKeyInvalid => CKR_WRAPPED_KEY_INVALID,
        Error::WrappedKeyLength => CKR_WRAPPED_KEY_LEN_RANGE,

        Error::OperationActive => CKR_OPERATION_ACTIVE,
        Error::OperationNotInitialised => CKR_OPERATION_NOT_INITIALIZED,
        Error::DataLength => CKR_DATA_LEN_RANGE,
        Error::DataInvalid => CKR_DATA_INVALID,
        Error::EncryptedDataInvalid => CKR_ENCRYPTED_DATA_INVALID,
        Error::EncryptedDataLength => CKR_ENCRYPTED_DATA_LEN_RANGE,
        Error::AeadFailed => CKR_AEAD_DECRYPT_FAILED,
        Error::StateUnsaveable => CKR_STATE_UNSAVEABLE,
        Error::KeyNotNeeded => CKR_KEY_NOT_NEEDED,
        Error::SavedStateInvalid => CKR_SAVED_STATE_INVALID,
        Error::NoncesUsedUp => CKR_TOKEN_RESOURCE_EXCEEDED,
        Error::SignatureInvalid => CKR_SIGNATURE_INVALID,
        Error::SignatureLength => CKR_SIGNATURE_LEN_RANGE,
        Error::BufferTooSmall { .. } => CKR_BUFFER_TOO_SMALL,
        // No call of this door has to do with import tokens or the key management service.
        Error::CryptoFailed(_)
        | Error::Conflict
        | Error::Locked(_)
        | Error::ImportToken(_)
        | Error::Kms(_) => CKR_FUNCTION_FAILED,

        Error::RandomFailed
        | Error::NoHsm(_)
        | Error::HsmExists(_)
        | Error::UnitNotActive(_)
        | Error::UnitSealed(_)
        | Error::Unit(_)
        | Error::ForeignMasterKey(_)
        | Error::RecordDamaged { .. }
        | Error::File { .. }
        | Error::FileDamaged { .. } => CKR_DEVICE_ERROR,
        Error::Config(_) => CKR_GENERAL_ERROR,
        Error::Store(error) => code_of_store(error),
    }
}

fn code_of_store(error: &StoreError) -> CK_RV {
    match error {
        StoreError::Conflict => CKR_FUNCTION_FAILED,
        StoreError::Full(_) => CKR_DEVICE_MEMORY,
        StoreError::ReadOnly(_) => CKR_TOKEN_WRITE_PROTECTED,
        StoreError::Url(_)
        | StoreError::Missing(_)
        | StoreError::Exists(_)
        | StoreError::Unconfirmed { .. }
        | StoreError::Damaged { .. }
        | StoreError::Denied(_)
        | StoreError::Newer { .. }
        | StoreError::Busy { .. }
        | StoreError::Network { .. }
        | StoreError::Failed { .. } => CKR_DEVICE_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_an_outcome_has_its_name() {
        let (_, outcomes) = include_str!("rv.rs").split_once("fn code_of(error").unwrap();
        let (outcomes, _) = outcomes.split_once("mod tests").unwrap();
        let named = |word: &str| NAMES.iter().any(|(_, name)| *name == word);
        let words = outcomes.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let values: Vec<&str> = words.filter(|word| word.starts_with("CKR_")).collect();
        assert!(values.len() > 60);
        assert_eq!(values.iter().find(|value| !named(value)), None);
    }

    #[test]
    fn a_reason_has_the_value_that_the_caller_gets() {
        let reason = reason(&Error::KeyFunctionNotPermitted);
        assert_eq!(
            (u64::from(reason.code), reason.name),
            (CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED")
        );
    }
}
