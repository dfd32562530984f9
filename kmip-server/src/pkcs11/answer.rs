//! How a function of PKCS #11 ends: with output, with a return code, or because its parameters are not
//! encoded as the profile has it.

use hsm_core::Error;
use hsm_core::object::lifecycle::Action;
use hsm_core::secret::Wiped;

use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{PKCS_11ReturnCode as Code, ResultReason as Reason};

/// What a function ends with.
pub type Result<T> = std::result::Result<T, Refusal>;

/// Why a function does not answer OK.
#[derive(Debug)]
pub enum Refusal {
    /// Its return code, with what it puts out nevertheless.
    Code(Code, Option<Wiped<Vec<u8>>>),
    /// The parameters cannot be read.
    Codec,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Refusal {
        Refusal::Code(code, None)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let code = code_of(&error);
        if code == Code::DEVICE_ERROR {
            // The log has what the client is not told.
            log::error!("{error}");
        }
        code.into()
    }
}

/// The return code of an outcome of the core's, of those that the functions offered here have.
fn code_of(error: &Error) -> Code {
    match error {
        Error::ArgumentsBad(_) => Code::ARGUMENTS_BAD,
        Error::NotSupported => Code::FUNCTION_NOT_SUPPORTED,
        Error::NoSuchSession => Code::SESSION_HANDLE_INVALID,
        Error::SessionCount => Code::SESSION_COUNT,
        Error::NotLoggedIn | Error::ContextLoginNeeded => Code::USER_NOT_LOGGED_IN,
        Error::NoSuchObject | Error::ObjectDestroyed => Code::OBJECT_HANDLE_INVALID,
        Error::NoSuchKey => Code::KEY_HANDLE_INVALID,
        Error::AttributeTypeInvalid(_) => Code::ATTRIBUTE_TYPE_INVALID,
        Error::AttributeValueInvalid(_) => Code::ATTRIBUTE_VALUE_INVALID,
        Error::AttributeSensitive(_) => Code::ATTRIBUTE_SENSITIVE,
        Error::ActionProhibited | Error::WrongState { action: Action::Destroy, .. } => {
            Code::ACTION_PROHIBITED
        }
        Error::KeyFunctionNotPermitted
        | Error::WrongState { .. }
        | Error::ObjectArchived
        | Error::OutsideUsagePeriod
        | Error::UsageLimitExceeded => Code::KEY_FUNCTION_NOT_PERMITTED,
        Error::MechanismInvalid => Code::MECHANISM_INVALID,
        Error::MechanismParamInvalid => Code::MECHANISM_PARAM_INVALID,
        Error::KeyTypeInconsistent => Code::KEY_TYPE_INCONSISTENT,
        Error::KeySizeRange => Code::KEY_SIZE_RANGE,
        Error::KeyUnextractable => Code::KEY_UNEXTRACTABLE,
        Error::OperationActive => Code::OPERATION_ACTIVE,
        Error::OperationNotInitialised => Code::OPERATION_NOT_INITIALIZED,
        Error::DataLength => Code::DATA_LEN_RANGE,
        Error::DataInvalid => Code::DATA_INVALID,
        Error::EncryptedDataInvalid => Code::ENCRYPTED_DATA_INVALID,
        Error::EncryptedDataLength => Code::ENCRYPTED_DATA_LEN_RANGE,
        Error::SignatureInvalid => Code::SIGNATURE_INVALID,
        Error::SignatureLength => Code::SIGNATURE_LEN_RANGE,
        Error::BufferTooSmall { .. } => Code::BUFFER_TOO_SMALL,
        Error::CryptoFailed(_) => Code::FUNCTION_FAILED,
        _ => Code::DEVICE_ERROR,
    }
}

/// The answer to a call.
#[derive(Debug)]
pub struct Answer {
    /// The return code.
    pub code: Code,
    /// What the function puts out.
    pub output: Option<Wiped<Vec<u8>>>,
    /// The correlation value that later calls bring.
    pub correlation: Option<Vec<u8>>,
}

/// What a function gives: its output parameters, and a correlation value for later calls.
pub(super) type Output = (Option<Wiped<Vec<u8>>>, Option<Vec<u8>>);

impl Answer {
    /// The answer of an outcome, with output and correlation value.
    ///
    /// # Errors
    /// [`Reason::PKCS_11CodecError`].
    pub(super) fn of(result: Result<Output>) -> Outcome<Answer> {
        match result {
            Ok((output, correlation)) => Ok(Answer { code: Code::OK, output, correlation }),
            Err(Refusal::Code(code, output)) => Ok(Answer { code, output, correlation: None }),
            Err(Refusal::Codec) => {
                let text = "the input parameters are not those of the function";
                Err(Failure::new(Reason::PKCS_11CodecError, text))
            }
        }
    }
}
