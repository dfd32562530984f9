//! Why something about a key is refused: Key Protect's code, HTTP status and message of each, and the sentence
//! that it puts before them.

use crate::object::lifecycle::Seconds;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is no such key, or none any more.
    NotFound,
    /// It is deleted.
    Deleted,
    /// Its state does not allow the use.
    State,
    /// It is not active.
    NotActive,
    /// It is not suspended.
    NotSuspended,
    /// It is not deleted.
    NotDeleted,
    /// It is no root key.
    RootRequired,
    /// It is no root key, which alone protects resources.
    RootRequiredToRegister,
    /// It expired, then.
    Expired(Seconds),
    /// Nobody set it for deletion.
    AuthorizationMissing,
    /// Who set it for deletion deletes it.
    AuthorizationFailed,
    /// It needs no second person.
    NotDualAuth,
    /// It protects resources.
    Protected,
    /// It protects a resource that must be kept.
    Retained,
    /// It was rotated less than an hour ago.
    RotatedRecently,
    /// Its material was brought, and so must be that of the next version.
    MaterialRequired,
    /// Something was done with it a moment ago.
    TooEarly,
    /// It was deleted too long ago.
    RestoreExpired,
    /// A policy of the partition forbids it.
    AccessPolicy,
    /// The wrapped key is no base64, from this byte on.
    NotBase64(usize),
    /// The wrapped key does not unwrap.
    Unprocessable,
    /// A field outside what it may be.
    Field {
        /// Its name.
        name: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// A text is sought among too many keys.
    SearchTooBroad,
    /// Another key has the alias.
    AliasTaken,
    /// The key or the partition has as many aliases as it may.
    AliasLimit,
    /// The key has no such alias.
    AliasMissing,
    /// There is no such key ring.
    RingMissing,
    /// There is one of that name.
    RingTaken,
    /// There are as many as there may be.
    RingLimit,
    /// The ring `default` stays.
    RingDefault,
    /// The ring has keys.
    RingNotEmpty,
    /// The key has no registration for the resource.
    RegistrationMissing,
    /// The key has as many as it may.
    RegistrationLimit,
}

/// What was being done, as Key Protect's sentence says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // As they are named.
pub enum Operation {
    Create,
    Retrieve,
    Update,
    Wrap,
    Unwrap,
    Rewrap,
    Disable,
    Enable,
    Delete,
    Restore,
    Purge,
    Action,
    Alias,
    Ring,
    Registration,
    Policy,
    InstancePolicy,
}

/// Operations and what is said of them.
#[rustfmt::skip]
const OPERATIONS: [(Operation, &str); 17] = [
    (Operation::Create,         "Key could not be created"),
    (Operation::Retrieve,       "Key could not be retrieved"),
    (Operation::Update,         "Key could not be updated"),
    (Operation::Wrap,           "Wrap with key could not be performed"),
    (Operation::Unwrap,         "Unwrap with key could not be performed"),
    (Operation::Rewrap,         "Rewrap with key could not be performed"),
    (Operation::Disable,        "Key could not be disabled"),
    (Operation::Enable,         "Key could not be enabled"),
    (Operation::Delete,         "Key could not be deleted"),
    (Operation::Restore,        "Key could not be restored"),
    (Operation::Purge,          "Key could not be purged"),
    (Operation::Action,         "Action could not be performed on key"),
    (Operation::Alias,          "Key alias could not be created or deleted"),
    (Operation::Ring,           "Key ring could not be created or deleted"),
    (Operation::Registration,   "Registration could not be created or deleted"),
    (Operation::Policy,         "Key policy could not be created"),
    (Operation::InstancePolicy, "Instance policy could not be created"),
];

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} ({})", reason.message(), reason.code())]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// What was being done.
    pub operation: Operation,
}

/// How Key Protect ends its sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With a full stop.
    Plain,
    /// With the code.
    Coded,
    /// Without the status before it, and without "see".
    Bare,
}

impl Reason {
    /// Key Protect's code.
    pub fn code(&self) -> &'static str {
        self.row().0
    }

    /// The status of an HTTP answer.
    pub fn status(&self) -> u16 {
        self.row().1
    }

    /// What is said of it.
    pub fn message(&self) -> String {
        match self {
            Reason::Field { name, must } => format!("The field '{name}' must be: {must}"),
            Reason::NotBase64(at) => format!("{}: illegal base64 data at input byte {at}", self.row().2),
            _ => self.row().2.to_owned(),
        }
    }

    /// Code, status, message, ending. Where no document gives a code for a case, the code is ours: those of
    /// aliases but the first, of rings and of registrations.
    #[rustfmt::skip]
    fn row(&self) -> (&'static str, u16, &'static str, Ending) {
        use Ending::{Bare, Coded, Plain};
        match self {
            Reason::NotFound               => ("KEY_NOT_FOUND_ERR",            404, "Key does not exist", Coded),
            Reason::Deleted                => ("KEY_DELETED_ERR",              410, "Key has already been deleted. Please delete references to this key.", Plain),
            Reason::State                  => ("KEY_INVALID_STATE_ERR",        422, "Key is not in a valid state", Coded),
            Reason::NotActive
            | Reason::NotSuspended
            | Reason::NotDeleted           => ("KEY_ACTION_INVALID_STATE_ERR", 409, "Key is not in a valid state", Plain),
            Reason::RootRequired           => ("KEY_ROOT_REQ_ERR",             400, "Requested action can only be completed with a root key.", Plain),
            Reason::RootRequiredToRegister => ("KEY_ROOT_REQ_REG_ERR",         422, "Requested action can only be completed with a root key.", Coded),
            Reason::Expired(_)             => ("KEY_EXPIRED_ERR",              400, "The action could not be performed on the key because the key is expired.", Plain),
            Reason::AuthorizationMissing   => ("AUTHORIZATIONS_NOT_MET",       409, "Number of authorizations required to delete is not met", Plain),
            Reason::AuthorizationFailed    => ("AUTHORIZATIONS_NOT_MET",       409, "The key cannot be deleted because it failed the dual authorization request.", Bare),
            Reason::NotDualAuth            => ("NOT_DUAL_AUTH_ERR",            409, "The key is not dual auth enabled and cannot be set for deletion", Plain),
            Reason::Protected              => ("PROTECTED_RESOURCE_ERR",       409, "The key cannot be deleted because the key has one or more associated resources.", Bare),
            Reason::Retained               => ("PREV_KEY_DEL_ERR",             409, "The key cannot be deleted because it's protecting a cloud resource that has a retention policy.", Bare),
            Reason::RotatedRecently        => ("KEY_ROTATION_NOT_PERMITTED",   409, "This root key has been rotated within the last hour: Only one 'rotate' action per hour is permitted", Coded),
            Reason::MaterialRequired       => ("KEY_PAYLOAD_REQ_ERR",          400, "This root key was created with user-supplied key material: Key material is required to perform a 'rotate' action", Coded),
            Reason::TooEarly               => ("REQ_TOO_EARLY_ERR",            409, "The key was updated recently: Please wait and try again", Coded),
            Reason::RestoreExpired         => ("KEY_RESTORE_EXPIRED",          400, "Key restoration has expired", Plain),
            Reason::AccessPolicy           => ("KEY_CREATE_IMPORT_ACCESS_ERR", 409, "KeyCreateImportAccess instance policy does not allow this action", Coded),
            Reason::NotBase64(_)           => ("INVALID_FIELD_ERR",            400, "The field 'ciphertext' must be: the original base64 encoded ciphertext from the wrap operation", Coded),
            Reason::Unprocessable          => ("UNPROCESSABLE_CIPHERTEXT_ERR", 422, "The provided ciphertext is invalid or corrupted", Coded),
            Reason::Field { .. }           => ("INVALID_FIELD_ERR",            400, "", Coded),
            Reason::SearchTooBroad         => ("KEY_SEARCH_TOO_BROAD",         400, "The search space has more than 5000 keys: narrow it by key ring", Coded),
            Reason::AliasTaken             => ("KEY_ALIAS_NOT_UNIQUE_ERR",     409, "One or more aliases are already associated with a key in the instance", Coded),
            Reason::AliasLimit             => ("KEY_ALIAS_QUOTA_ERR",          409, "A key has 5 aliases at most, and an instance 1000", Coded),
            Reason::AliasMissing           => ("KEY_ALIAS_NOT_FOUND_ERR",      404, "The key has no such alias", Coded),
            Reason::RingMissing            => ("KEY_RING_NOT_FOUND_ERR",       404, "Key ring does not exist", Coded),
            Reason::RingTaken              => ("KEY_RING_NOT_UNIQUE_ERR",      409, "A key ring of this name exists", Coded),
            Reason::RingLimit              => ("KEY_RING_QUOTA_ERR",           409, "An instance has 50 key rings at most", Coded),
            Reason::RingDefault            => ("KEY_RING_DEFAULT_ERR",         409, "The key ring 'default' cannot be deleted", Coded),
            Reason::RingNotEmpty           => ("KEY_RING_NOT_EMPTY_ERR",       409, "The key ring has keys", Coded),
            Reason::RegistrationMissing    => ("REGISTRATION_NOT_FOUND_ERR",   404, "The key has no registration for this resource", Coded),
            Reason::RegistrationLimit      => ("REGISTRATION_QUOTA_ERR",       409, "A key has 1000 registrations at most", Coded),
        }
    }

    /// What Key Protect says between the status and the operation.
    fn context(&self) -> Option<String> {
        match self {
            Reason::NotActive => Some("Key is not in active state".to_owned()),
            Reason::NotSuspended => Some("Key is not in suspended state".to_owned()),
            Reason::NotDeleted => Some("Key is not in destroyed state".to_owned()),
            Reason::AuthorizationMissing => {
                Some("1 prior authorization(s) are required for deletion".to_owned())
            }
            Reason::Expired(at) => Some(format!("The key expired on {}", moment(*at))),
            _ => None,
        }
    }
}

/// A moment as Key Protect's messages have it: `2020-08-14 19:33:47 +0000 UTC`.
fn moment(at: Seconds) -> String {
    let since = u64::try_from(at).unwrap_or_default();
    der::DateTime::from_unix_duration(std::time::Duration::from_secs(since)).map_or_else(
        |_| at.to_string(),
        |date| format!("{} +0000 UTC", date.to_string().replace('T', " ").trim_end_matches('Z')),
    )
}

impl Refusal {
    /// Key Protect's sentence, `errorMsg`: status, context, what could not be done.
    pub fn error_msg(&self) -> String {
        let (code, status, _, ending) = self.reason.row();
        let operation = OPERATIONS.iter().find(|row| row.0 == self.operation);
        let operation = operation.map_or("Action could not be performed on key", |row| row.1);
        let context = self.reason.context().map(|context| format!("{context}: ")).unwrap_or_default();
        let status = match status {
            404 => "Not Found",
            409 => "Conflict",
            410 => "Gone",
            422 => "Unprocessable Entity",
            _ => "Bad Request",
        };
        match ending {
            Ending::Plain => {
                format!("{status}: {context}{operation}. Please see `reasons` for more details.")
            }
            Ending::Coded => {
                // The one sentence that has these quotation marks.
                let mark = if matches!(self.reason, Reason::NotBase64(_)) { '\'' } else { '`' };
                format!(
                    "{status}: {context}{operation}: Please see {mark}reasons{mark} for more details ({code})"
                )
            }
            Ending::Bare => format!("{operation}. Please 'reasons' for more details."),
        }
    }
}

/// A reason alone is one of whatever was being done.
impl From<Reason> for crate::Error {
    fn from(reason: Reason) -> crate::Error {
        crate::Error::Kms(Refusal { reason, operation: Operation::Action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_sentence() {
        for (place, row) in OPERATIONS.iter().enumerate() {
            assert_eq!(row.0 as usize, place);
        }
    }

    /// What Key Protect's page of error messages shows.
    #[test]
    fn documented_sentences_are_as_they_stand_there() {
        use Operation as On;
        #[rustfmt::skip]
        let documented = [
            (Reason::NotBase64(208), On::Unwrap, "Bad Request: Unwrap with key could not be performed: Please see 'reasons' for more details (INVALID_FIELD_ERR)"),
            (Reason::AuthorizationFailed, On::Delete, "Key could not be deleted. Please 'reasons' for more details."),
            (Reason::Protected, On::Delete, "Key could not be deleted. Please 'reasons' for more details."),
            (Reason::Retained, On::Delete, "Key could not be deleted. Please 'reasons' for more details."),
            (Reason::Deleted, On::Delete, "Gone: Key could not be deleted. Please see `reasons` for more details."),
            (Reason::NotActive, On::Disable, "Conflict: Key is not in active state: Key could not be disabled. Please see `reasons` for more details."),
            (Reason::NotSuspended, On::Enable, "Conflict: Key is not in suspended state: Key could not be enabled. Please see `reasons` for more details."),
            (Reason::AccessPolicy, On::Create, "Conflict: Key could not be created: Please see `reasons` for more details (KEY_CREATE_IMPORT_ACCESS_ERR)"),
            (Reason::AuthorizationMissing, On::Delete, "Conflict: 1 prior authorization(s) are required for deletion: Key could not be deleted. Please see `reasons` for more details."),
            (Reason::RootRequired, On::Disable, "Bad Request: Key could not be disabled. Please see `reasons` for more details."),
            (Reason::Expired(1_597_433_627), On::Restore, "Bad Request: The key expired on 2020-08-14 19:33:47 +0000 UTC: Key could not be restored. Please see `reasons` for more details."),
            (Reason::NotDualAuth, On::Action, "Conflict: Action could not be performed on key. Please see `reasons` for more details."),
            (Reason::RotatedRecently, On::Action, "Conflict: Action could not be performed on key: Please see `reasons` for more details (KEY_ROTATION_NOT_PERMITTED)"),
            (Reason::MaterialRequired, On::Action, "Bad Request: Action could not be performed on key: Please see `reasons` for more details (KEY_PAYLOAD_REQ_ERR)"),
        ];
        for (reason, operation, sentence) in documented {
            assert_eq!(Refusal { reason, operation }.error_msg(), sentence);
        }
    }

    #[test]
    fn a_field_says_what_it_must_be() {
        let reason = Reason::Field { name: "name", must: "2 to 90 characters" };
        assert_eq!(reason.message(), "The field 'name' must be: 2 to 90 characters");
        assert_eq!(
            Reason::NotBase64(208).message(),
            "The field 'ciphertext' must be: the original base64 encoded ciphertext from the wrap operation: \
             illegal base64 data at input byte 208"
        );
        let refusal = Refusal { reason: Reason::Unprocessable, operation: Operation::Unwrap };
        assert_eq!(
            refusal.to_string(),
            "The provided ciphertext is invalid or corrupted (UNPROCESSABLE_CIPHERTEXT_ERR)"
        );
    }
}
