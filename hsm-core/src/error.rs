//! What can go wrong, one variant per outcome that a caller acts on or that a standard tells apart.
//! The core names outcomes; each door has one match that turns them into its own codes.

use std::path::PathBuf;

/// The core's result.
pub type Result<T> = std::result::Result<T, Error>;

/// An outcome other than success. The texts are for people: what happened, and where it helps, what
/// to do next. None holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // ---- arguments and state of the caller ----
    /// An argument breaks a rule that no more exact variant names.
    #[error("bad argument: {0}")]
    ArgumentsBad(&'static str),
    /// The operation is not offered.
    #[error("not supported")]
    NotSupported,
    /// No such partition (slot).
    #[error("there is no such slot")]
    NoSuchSlot,
    /// The slot holds no initialised token.
    #[error("the token in this slot is not initialised")]
    TokenNotInitialised,
    /// The session handle is not (or no longer) valid.
    #[error("there is no such session")]
    NoSuchSession,
    /// A change of a token object was asked for in a read-only session.
    #[error("the session is read-only")]
    SessionReadOnly,
    /// SO login while a read-only session is open.
    #[error("a read-only session is open")]
    SessionReadOnlyExists,
    /// A read-only session was asked for while the SO is logged in.
    #[error("the SO is logged in, which allows read/write sessions only")]
    SessionReadWriteSoExists,
    /// Sessions are open (in this or another process).
    #[error("a session is open on the token")]
    SessionExists,
    /// Too many sessions.
    #[error("too many sessions")]
    SessionCount,

    // ---- login ----
    /// Nobody is logged in where it is needed.
    #[error("not logged in")]
    NotLoggedIn,
    /// The same user is logged in already.
    #[error("already logged in")]
    AlreadyLoggedIn,
    /// The other user is logged in.
    #[error("another user is logged in")]
    AnotherLoggedIn,
    /// Wrong PIN. `left` tries remain before it locks.
    #[error("wrong PIN ({left} tries left)")]
    PinIncorrect {
        /// Tries that remain.
        left: u32,
    },
    /// The PIN is locked.
    #[error("the PIN is locked: too many wrong tries; the SO can set a new one")]
    PinLocked,
    /// The PIN's length is outside the limits.
    #[error("a PIN has {min} to {max} bytes")]
    PinLength {
        /// Smallest length in bytes.
        min: usize,
        /// Largest length in bytes.
        max: usize,
    },
    /// The user PIN was never set.
    #[error(
        "the user PIN is not set; the SO sets it (token set-pin), or where there is no SO PIN, token give-pins"
    )]
    UserPinNotSet,
    /// The partition has no SO PIN, so it cannot be re-initialised by one.
    #[error("the token has no SO PIN")]
    SoPinNotSet,
    /// The partition has PINs, and what was asked is for one without.
    #[error("the token has PINs: who knows them changes them (token set-pin) and deletes it")]
    PinsSet,
    /// A server's partition was asked for, and the token of that label is none.
    #[error(
        "only its PIN opens the token \"{label}\": name the PIN for the server, or delete the token for the \
         server to make a partition of its own"
    )]
    PinAloneOpens {
        /// The label.
        label: String,
    },
    /// Another master key would come into use, and not everything that stands under the current one has a
    /// wrap under that.
    #[error(
        "{} not wrapped under the new master key, and would be lost with the current one",
        match partitions { Some(count) => format!("{count} of the partitions are"), None => "the partitions are".into() }
    )]
    WrapMissing {
        /// How many partitions; `None` where the wrapping was not begun.
        partitions: Option<u64>,
    },
    /// An operation needs its own, fresh PIN check (context-specific login).
    #[error("the key asks for its PIN at each use")]
    ContextLoginNeeded,

    // ---- objects and attributes ----
    /// No such object, or none that the caller may see.
    #[error("there is no such object")]
    NoSuchObject,
    /// As `NoSuchObject`, for a handle that should have named a key.
    #[error("there is no such key")]
    NoSuchKey,
    /// An attribute that does not exist for this object.
    #[error("attribute {0:#x} does not belong to this object")]
    AttributeTypeInvalid(u64),
    /// A value that the attribute cannot have.
    #[error("bad value for attribute {0:#x}")]
    AttributeValueInvalid(u64),
    /// An attribute that cannot be given or changed.
    #[error("attribute {0:#x} is read-only")]
    AttributeReadOnly(u64),
    /// A value that never leaves in clear.
    #[error("attribute {0:#x} is sensitive")]
    AttributeSensitive(u64),
    /// A template that lacks an attribute.
    #[error("the template lacks attribute {0:#x}")]
    TemplateIncomplete(u64),
    /// Attributes that contradict each other, the mechanism or a template of the key.
    #[error("the template contradicts itself or what is asked (attribute {0:#x})")]
    TemplateInconsistent(u64),
    /// An action that the object's own attributes forbid (CKA_COPYABLE, CKA_DESTROYABLE, …).
    #[error("the object's attributes forbid this")]
    ActionProhibited,
    /// The object's state does not allow an action.
    #[error("an object in state {state:?} does not allow this")]
    WrongState {
        /// Its state.
        state: crate::object::lifecycle::State,
        /// What was asked.
        action: crate::object::lifecycle::Action,
    },
    /// The object's value was destroyed; its attributes are kept.
    #[error("the object was destroyed")]
    ObjectDestroyed,
    /// The key management service has suspended the key.
    #[error("the key is suspended: enable it first")]
    KeySuspended,
    /// The object is archived: it must be recovered first.
    #[error("the object is archived: recover it first")]
    ObjectArchived,
    /// Now is outside the period in which the key may be used this way.
    #[error("the key's dates do not allow this use now")]
    OutsideUsagePeriod,
    /// Two dates of an object are not in the order that they must have.
    #[error("the {second} would be before the {first}")]
    DatesOutOfOrder {
        /// The date that is not after the other.
        first: crate::object::managed::Date,
        /// The other.
        second: crate::object::managed::Date,
    },
    /// The key's usage limits are used up.
    #[error("the key's usage limits are used up")]
    UsageLimitExceeded,
    /// Another object of the same owner has this name.
    #[error("another object has this name")]
    NameNotUnique,
    /// Domain parameters that are malformed, or do not belong together.
    #[error("the domain parameters are not valid")]
    DomainParamsInvalid,
    /// A curve that is not offered, or not for keys of this type.
    #[error("the curve is not supported")]
    CurveNotSupported,
    /// A parameter set that is not offered.
    #[error("the parameter set is not supported")]
    ParameterSetNotSupported,
    /// A public key that is not on its curve or otherwise wrong.
    #[error("the public key is not valid")]
    PublicKeyInvalid,

    // ---- mechanisms and keys ----
    /// The mechanism is unknown, or not for this operation.
    #[error("the mechanism is not offered for this operation")]
    MechanismInvalid,
    /// The mechanism's parameter is missing, malformed or out of range.
    #[error("the mechanism's parameter is not valid")]
    MechanismParamInvalid,
    /// The key's type does not go with the mechanism.
    #[error("the key's type does not go with the mechanism")]
    KeyTypeInconsistent,
    /// The key's size is outside the mechanism's range.
    #[error("the key's size is outside the mechanism's range")]
    KeySizeRange,
    /// The key's attributes do not allow this use.
    #[error("the key's attributes do not allow this use")]
    KeyFunctionNotPermitted,
    /// The key cannot be digested.
    #[error("the key cannot be digested")]
    KeyIndigestible,
    /// The key cannot be wrapped by this mechanism.
    #[error("the key cannot be wrapped this way")]
    KeyNotWrappable,
    /// The key may never leave.
    #[error("the key is not extractable")]
    KeyUnextractable,
    /// The wrapping key's type does not go with the mechanism.
    #[error("the wrapping key's type does not go with the mechanism")]
    WrappingKeyTypeInconsistent,
    /// The wrapping key's size is outside the mechanism's range.
    #[error("the wrapping key's size is outside the mechanism's range")]
    WrappingKeySizeRange,
    /// The wrapping key handle is not valid.
    #[error("there is no such wrapping key")]
    NoSuchWrappingKey,
    /// The unwrapping key's type does not go with the mechanism.
    #[error("the unwrapping key's type does not go with the mechanism")]
    UnwrappingKeyTypeInconsistent,
    /// The unwrapping key's size is outside the mechanism's range.
    #[error("the unwrapping key's size is outside the mechanism's range")]
    UnwrappingKeySizeRange,
    /// The unwrapping key handle is not valid.
    #[error("there is no such unwrapping key")]
    NoSuchUnwrappingKey,
    /// The wrapped key does not unwrap.
    #[error("the wrapped key is not valid")]
    WrappedKeyInvalid,
    /// The wrapped key's length is impossible.
    #[error("the wrapped key's length is not valid")]
    WrappedKeyLength,

    // ---- operations ----
    /// An operation of this kind runs already.
    #[error("an operation is active")]
    OperationActive,
    /// No operation of this kind runs.
    #[error("no operation is active")]
    OperationNotInitialised,
    /// The input's length does not fit the mechanism.
    #[error("the data's length does not fit the mechanism")]
    DataLength,
    /// The input is not what the mechanism takes.
    #[error("the data is not valid for the mechanism")]
    DataInvalid,
    /// The ciphertext does not decrypt. All decryption failures look alike.
    #[error("the encrypted data is not valid")]
    EncryptedDataInvalid,
    /// The ciphertext's length is impossible.
    #[error("the encrypted data's length is not valid")]
    EncryptedDataLength,
    /// A message, its additional data or its tag was changed.
    #[error("the message is not authentic")]
    AeadFailed,
    /// No further nonce can be made for messages under this key in this session.
    #[error("the nonces for messages under this key are used up in this session: take another key")]
    NoncesUsedUp,
    /// What runs cannot be saved.
    #[error("the state of what runs cannot be saved")]
    StateUnsaveable,
    /// A key was given that the saved state does not need.
    #[error("the saved state needs no key")]
    KeyNotNeeded,
    /// What is given as the saved state of an operation is none.
    #[error("this is not the saved state of an operation")]
    SavedStateInvalid,
    /// The signature does not verify.
    #[error("the signature is not valid")]
    SignatureInvalid,
    /// The signature's length is impossible.
    #[error("the signature's length is not valid")]
    SignatureLength,
    /// The output does not fit into the caller's buffer; the operation goes on.
    #[error("the buffer is too small: {needed} bytes are needed")]
    BufferTooSmall {
        /// Bytes needed.
        needed: usize,
    },
    /// The random generator failed.
    #[error("the random generator failed")]
    RandomFailed,
    /// The crypto library failed where it should not.
    #[error("the crypto library failed: {0}")]
    CryptoFailed(&'static str),

    // ---- the HSM itself ----
    /// There is no HSM at the place that the configuration names.
    #[error("there is no HSM at {0}: run `softhsm-rs init`")]
    NoHsm(PathBuf),
    /// There is an HSM already.
    #[error("{0} holds an HSM already")]
    HsmExists(PathBuf),
    /// The crypto unit has no valid current master key.
    #[error("the crypto unit is not active ({0}): load, commit and activate a master key first")]
    UnitNotActive(&'static str),
    /// The crypto unit's state cannot be opened with the sealer at hand.
    #[error("the crypto unit is sealed: {0}")]
    UnitSealed(String),
    /// A command that the crypto unit refused.
    #[error(transparent)]
    Unit(#[from] crate::unit::Refusal),
    /// An import token that does not serve, or what it was not meant for.
    #[error(transparent)]
    ImportToken(#[from] crate::import_token::Refusal),
    /// What the key management service refuses.
    #[error(transparent)]
    Kms(#[from] crate::kms::Refusal),
    /// The store was made under another master key.
    #[error("{0} belongs to another master key: put back the unit file it was made with")]
    ForeignMasterKey(PathBuf),
    /// A record that does not open: changed, swapped or copied.
    #[error("{what} does not open: it was changed, swapped or copied; restore the store from a backup")]
    RecordDamaged {
        /// Which record: kind and identity.
        what: String,
    },
    /// Another process changed the record in between; the caller reads again and retries.
    #[error("the record was changed by another process")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(crate::store::StoreError),
    /// The configuration is not valid. The text names file, line and key.
    #[error("{0}")]
    Config(String),
    /// A file of the HSM could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the HSM holds something else than it should.
    #[error("{path}: {reason}")]
    FileDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// Another process holds a lock for too long.
    #[error("{0} is locked by another process")]
    Locked(PathBuf),
}

impl Error {
    /// Whether there is no HSM, or one whose first ceremony did not come to its end.
    pub fn is_no_hsm(&self) -> bool {
        matches!(
            self,
            Error::NoHsm(_) | Error::UnitNotActive(_) | Error::Store(crate::store::StoreError::Missing(_))
        )
    }

    /// Of a key that is not there, instead of an object.
    pub(crate) fn of_key(self) -> Error {
        match self {
            Error::NoSuchObject => Error::NoSuchKey,
            other => other,
        }
    }

    /// For `map_err` on file operations.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { path, source }
    }
}

/// A conflict is an outcome of its own: the caller reads again.
impl From<crate::store::StoreError> for Error {
    fn from(error: crate::store::StoreError) -> Error {
        match error {
            crate::store::StoreError::Conflict => Error::Conflict,
            other => Error::Store(other),
        }
    }
}
