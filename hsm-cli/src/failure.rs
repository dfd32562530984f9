//! Why a command failed, what its exit code is, and what to do next. The texts of the core's errors
//! are kept; where they do not say what to do, this does.

use hsm_core::Error;
use hsm_core::import_token::Refusal;
use hsm_core::softhsm2::Fault;
use hsm_core::store::StoreError;

mod kms;

/// A command's outcome.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// A command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Its kind, which decides the exit code.
    pub(crate) outcome: Outcome,
    /// What happened.
    pub(crate) message: String,
    /// What to do, unless the message says so.
    pub(crate) next: Option<String>,
}

/// The kinds of failure that scripts tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Failed,
    Usage,
    NoHsm,
    NotFound,
    WrongPin,
    PinLocked,
    NotActive,
    Damaged,
    InUse,
    Exists,
    Configuration,
    Disk,
    Unreachable,
    NotTrusted,
    Refused,
    BadAnswer,
    ImportRefused,
    KeyRefused,
}

/// Exit code, name in JSON, and meaning. The help of the command line prints it.
#[rustfmt::skip]
pub(crate) const OUTCOMES: [(Outcome, u8, &str, &str); 18] = [
    (Outcome::Failed,         1, "failed",        "any other failure"),
    (Outcome::Usage,          2, "usage",         "the command line is wrong, or a PIN is missing"),
    (Outcome::NoHsm,          3, "no-hsm",        "there is no HSM where the configuration says"),
    (Outcome::NotFound,       4, "not-found",     "there is no such token, key or object, or more than one"),
    (Outcome::WrongPin,       5, "wrong-pin",     "the PIN is wrong"),
    (Outcome::PinLocked,      6, "pin-locked",    "the PIN is locked after too many wrong tries"),
    (Outcome::NotActive,      7, "not-active",    "the crypto unit is sealed, or has no master key"),
    (Outcome::Damaged,        8, "damaged",       "a file is damaged, foreign, or of a newer version"),
    (Outcome::InUse,          9, "in-use",        "another process uses the token or the store"),
    (Outcome::Exists,        10, "exists",        "it exists already"),
    (Outcome::Configuration, 11, "configuration", "the configuration is wrong"),
    (Outcome::Disk,          12, "disk",          "a file cannot be read or written"),
    (Outcome::Unreachable,   13, "unreachable",   "a KMIP server or a signing service cannot be reached, or does not answer"),
    (Outcome::NotTrusted,    14, "not-trusted",   "a server's certificate, or a unit's key, is not accepted; or it does not accept the client's"),
    (Outcome::Refused,       15, "refused",       "a KMIP server, a signing service or the crypto unit refused what was asked"),
    (Outcome::BadAnswer,     16, "bad-answer",    "what a KMIP server or a signing service answered cannot be used"),
    (Outcome::ImportRefused, 17, "import-refused", "the import token has expired, or what was encrypted is not for it"),
    (Outcome::KeyRefused,    18, "key-refused",   "a key's state, a policy or another person's consent stands against it"),
];

impl Outcome {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        self.row().1
    }

    /// The name in JSON.
    pub(crate) fn name(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Outcome, u8, &'static str, &'static str) {
        OUTCOMES.iter().find(|row| row.0 == self).unwrap_or(&OUTCOMES[0])
    }
}

impl Failure {
    /// A failure that says what happened.
    pub(crate) fn new(outcome: Outcome, message: impl Into<String>) -> Failure {
        Failure { outcome, message: message.into(), next: None }
    }

    /// The same, saying what to do.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Failure {
        self.next = Some(next.into());
        self
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Error::from(refusal).into()
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let (outcome, next) = match &fault {
            Fault::NoToken(_) => {
                (Outcome::NotFound, Some("directories.tokendir of softhsm2.conf says where they are"))
            }
            Fault::File { source, .. } => (Outcome::Disk, file_advice(source.kind())),
            Fault::Damaged { .. } => (Outcome::Damaged, None),
            Fault::WrongPin { .. } => (Outcome::WrongPin, Some("nothing was imported; try again")),
            Fault::NoPin { .. } => (Outcome::Failed, Some("the SO of SoftHSM2 sets it")),
        };
        Failure { outcome, message: fault.to_string(), next: next.map(str::to_owned) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let (outcome, next) = classify(&error);
        Failure { outcome, message: error.to_string(), next: next.map(str::to_owned) }
    }
}

/// The kind of each of the core's errors, and what to do where its text does not say. Every variant is
/// named, so that a new one asks for its place here.
fn classify(error: &Error) -> (Outcome, Option<&'static str>) {
    match error {
        Error::NoHsm(_) => (Outcome::NoHsm, None),
        Error::HsmExists(_) => {
            (Outcome::Exists, Some("`softhsm-rs status` shows it; another place is chosen with --home"))
        }
        Error::PinIncorrect { .. } => {
            (Outcome::WrongPin, Some("try again; a locked user PIN is set anew by `softhsm-rs token unlock`"))
        }
        Error::PinLocked => {
            (Outcome::PinLocked, Some("`softhsm-rs token unlock` sets a new one with the SO PIN"))
        }
        Error::PinLength { .. } => (
            Outcome::Usage,
            Some("choose another PIN; the limits are pin.min_length and pin.max_length of the configuration"),
        ),
        Error::KeySizeRange => {
            (Outcome::Usage, Some("`softhsm-rs help key generate` shows the types and sizes"))
        }
        Error::NoSuchSlot | Error::NoSuchObject | Error::NoSuchKey | Error::TokenNotInitialised => {
            (Outcome::NotFound, None)
        }
        Error::UnitNotActive(_) => (
            Outcome::NotActive,
            Some(
                "`softhsm-rs ceremony` says what comes next; `softhsm-rs init` finishes its own, interrupted",
            ),
        ),
        Error::UnitSealed(_) => (Outcome::NotActive, None),
        Error::ForeignMasterKey(_) | Error::RecordDamaged { .. } | Error::FileDamaged { .. } => {
            (Outcome::Damaged, None)
        }
        Error::SessionExists => (Outcome::InUse, Some("end the programs that use the token and try again")),
        Error::Locked(_) | Error::Conflict => (Outcome::InUse, Some("try again when it is done")),
        Error::Config(_) => (Outcome::Configuration, None),
        Error::File { source, .. } => (Outcome::Disk, file_advice(source.kind())),
        Error::Store(StoreError::Missing(_)) => (
            Outcome::Damaged,
            Some(
                "restore it from a backup; or, if this HSM was being made just now, `softhsm-rs init` finishes it",
            ),
        ),
        Error::Store(store) => (store_outcome(store), None),
        Error::SoPinNotSet => {
            (Outcome::Failed, Some("`softhsm-rs token give-pins` gives PINs to a server's partition"))
        }
        Error::PinsSet => (Outcome::Exists, None),
        Error::PinAloneOpens { .. } => (Outcome::Configuration, None),
        Error::ImportToken(refusal) => of_import_token(*refusal),
        Error::Kms(refusal) => kms::classify(&refusal.reason),
        // It says what to do.
        Error::Unit(_) => (Outcome::Refused, None),
        Error::WrapMissing { .. } => {
            (Outcome::Refused, Some("`softhsm-rs unit mk-rotate` wraps them, then submit the command again"))
        }
        // The first says what to do; the rest is not for this door's users.
        Error::UserPinNotSet
        | Error::ArgumentsBad(_)
        | Error::NotSupported
        | Error::NoSuchSession
        | Error::SessionReadOnly
        | Error::SessionReadOnlyExists
        | Error::SessionReadWriteSoExists
        | Error::SessionCount
        | Error::NotLoggedIn
        | Error::AlreadyLoggedIn
        | Error::AnotherLoggedIn
        | Error::ContextLoginNeeded
        | Error::AttributeTypeInvalid(_)
        | Error::AttributeValueInvalid(_)
        | Error::AttributeReadOnly(_)
        | Error::AttributeSensitive(_)
        | Error::TemplateIncomplete(_)
        | Error::TemplateInconsistent(_)
        | Error::ActionProhibited
        | Error::WrongState { .. }
        | Error::KeySuspended
        | Error::ObjectDestroyed
        | Error::ObjectArchived
        | Error::OutsideUsagePeriod
        | Error::DatesOutOfOrder { .. }
        | Error::UsageLimitExceeded
        | Error::NameNotUnique
        | Error::DomainParamsInvalid
        | Error::CurveNotSupported
        | Error::ParameterSetNotSupported
        | Error::PublicKeyInvalid
        | Error::MechanismInvalid
        | Error::MechanismParamInvalid
        | Error::KeyTypeInconsistent
        | Error::KeyFunctionNotPermitted
        | Error::KeyIndigestible
        | Error::KeyNotWrappable
        | Error::KeyUnextractable
        | Error::WrappingKeyTypeInconsistent
        | Error::WrappingKeySizeRange
        | Error::NoSuchWrappingKey
        | Error::UnwrappingKeyTypeInconsistent
        | Error::UnwrappingKeySizeRange
        | Error::NoSuchUnwrappingKey
        | Error::WrappedKeyInvalid
        | Error::WrappedKeyLength
        | Error::OperationActive
        | Error::OperationNotInitialised
        | Error::DataLength
        | Error::DataInvalid
        | Error::EncryptedDataInvalid
        | Error::EncryptedDataLength
        | Error::AeadFailed
        | Error::NoncesUsedUp
        | Error::SavedStateInvalid
        | Error::StateUnsaveable
        | Error::KeyNotNeeded
        | Error::SignatureInvalid
        | Error::SignatureLength
        | Error::BufferTooSmall { .. }
        | Error::RandomFailed
        | Error::CryptoFailed(_) => (Outcome::Failed, None),
    }
}

fn of_import_token(refusal: Refusal) -> (Outcome, Option<&'static str>) {
    match refusal {
        Refusal::Expired => {
            (Outcome::ImportRefused, Some("`softhsm-rs import-token create` makes a new one"))
        }
        Refusal::IncorrectNonce => (
            Outcome::ImportRefused,
            Some("encrypt the nonce of the token that `softhsm-rs import-token show` gave last"),
        ),
        Refusal::IncorrectNonceIv => (
            Outcome::ImportRefused,
            Some("encrypt key and nonce for the newest import token, both with the same key and algorithm"),
        ),
        Refusal::Expiration | Refusal::Retrievals | Refusal::EncryptionAlgorithm => (Outcome::Usage, None),
    }
}

fn file_advice(kind: std::io::ErrorKind) -> Option<&'static str> {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::PermissionDenied => Some(
            "its owner or group must include this user; `softhsm-rs init --group` makes an HSM for a group",
        ),
        ErrorKind::StorageFull => Some("free some space and try again"),
        ErrorKind::ReadOnlyFilesystem => {
            Some("its file system is read-only: choose another place with --home")
        }
        ErrorKind::NotADirectory => Some("the home must be a directory: choose another place with --home"),
        _ => None,
    }
}

fn store_outcome(error: &StoreError) -> Outcome {
    match error {
        StoreError::Damaged { .. } | StoreError::Newer { .. } | StoreError::Missing(_) => Outcome::Damaged,
        StoreError::Busy { .. } => Outcome::InUse,
        StoreError::Full(_)
        | StoreError::ReadOnly(_)
        | StoreError::Denied(_)
        | StoreError::Unconfirmed { .. } => Outcome::Disk,
        StoreError::Url(_) | StoreError::Network { .. } => Outcome::Configuration,
        StoreError::Exists(_) => Outcome::Exists,
        StoreError::Conflict | StoreError::Failed { .. } => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_unique_and_not_success() {
        for (i, row) in OUTCOMES.iter().enumerate() {
            assert_ne!(row.1, 0);
            assert!(OUTCOMES[i + 1..].iter().all(|other| other.1 != row.1 && other.2 != row.2));
            assert_eq!(row.0.code(), row.1);
        }
    }

    #[test]
    fn errors_that_scripts_tell_apart_have_their_own_codes() {
        let code = |error: Error| Failure::from(error).outcome;
        assert_eq!(code(Error::NoHsm("/h".into())), Outcome::NoHsm);
        assert_eq!(code(Error::PinIncorrect { left: 3 }), Outcome::WrongPin);
        assert_eq!(code(Error::PinLocked), Outcome::PinLocked);
        assert_eq!(code(Error::ForeignMasterKey("/h".into())), Outcome::Damaged);
        assert_eq!(code(Error::Config("x".into())), Outcome::Configuration);
        assert_eq!(code(Refusal::Expired.into()), Outcome::ImportRefused);
        assert_eq!(code(Refusal::IncorrectNonceIv.into()), Outcome::ImportRefused);
        assert_eq!(code(Refusal::Retrievals.into()), Outcome::Usage);
        assert_eq!(code(StoreError::Full("/h".into()).into()), Outcome::Disk);
        assert_eq!(code(StoreError::Url("x".into()).into()), Outcome::Configuration);
    }
}
