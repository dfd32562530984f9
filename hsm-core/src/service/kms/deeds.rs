//! What is done with the key management service, as the audit log names it: Key Protect's events, and how much
//! each matters.

use crate::audit::{Activity, Class, Reason, Severity};
use crate::error::Error;
use crate::kms::Operation;

/// Something that is done.
pub(super) struct Deed {
    /// The event's name, without the door.
    name: &'static str,
    /// What Key Protect's sentence calls it where it is refused.
    pub operation: Operation,
    class: Class,
    severity: Severity,
}

/// A row each: name, operation, class, severity.
macro_rules! deeds {
    ($($deed:ident = $name:literal $operation:ident $class:ident $severity:ident;)*) => {
        $(pub(super) static $deed: Deed = Deed {
            name: $name,
            operation: Operation::$operation,
            class: Class::$class,
            severity: Severity::$severity,
        };)*
        #[cfg(test)]
        static ALL: &[&Deed] = &[$(&$deed),*];
    };
}

deeds! {
    CREATE          = "secrets.create"              Create         Change Normal;
    DELETE          = "secrets.delete"              Delete         Change Critical;
    PURGE           = "secrets.purge"               Purge          Change Critical;
    RESTORE         = "secrets.restore"             Restore        Change Warning;
    ROTATE          = "secrets.rotate"              Action         Change Warning;
    DISABLE         = "secrets.disable"             Disable        Change Warning;
    ENABLE          = "secrets.enable"              Enable         Change Warning;
    SET_DELETION    = "secrets.setkeyfordeletion"   Action         Change Warning;
    UNSET_DELETION  = "secrets.unsetkeyfordeletion" Action         Change Warning;
    PATCH           = "secrets.patch"               Update         Change Normal;
    WRAP            = "secrets.wrap"                Wrap           Use    Normal;
    UNWRAP          = "secrets.unwrap"              Unwrap         Use    Normal;
    REWRAP          = "secrets.rewrap"              Rewrap         Use    Normal;
    READ            = "secrets.read"                Retrieve       Use    Normal;
    METADATA        = "secrets-metadata.read"       Retrieve       Use    Normal;
    LIST            = "secrets.list"                Retrieve       Use    Normal;
    ALIAS_CREATE    = "secrets-alias.create"        Alias          Change Normal;
    ALIAS_DELETE    = "secrets-alias.delete"        Alias          Change Normal;
    RING_CREATE     = "key-rings.create"            Ring           Change Normal;
    RING_DELETE     = "key-rings.delete"            Ring           Change Critical;
    REGISTER        = "registrations.create"        Registration   Change Normal;
    UNREGISTER      = "registrations.delete"        Registration   Change Critical;
    REGISTRATIONS   = "registrations.list"          Registration   Use    Normal;
    POLICY          = "policies.write"              Policy         Change Warning;
    INSTANCE_POLICY = "instance-policies.write"     InstancePolicy Change Warning;
}

impl Deed {
    /// It as it succeeds.
    pub(super) fn activity(&self) -> Activity {
        Activity { door: "kms", operation: self.name, class: self.class, severity: self.severity }
    }

    /// It as it is refused: how much that matters is said by the status, unless the deed matters more.
    pub(super) fn refused(&self, reason: Reason) -> Activity {
        let severity = match reason.code {
            401 | 403 | 503 | 507 => Severity::Critical,
            400 | 409 | 424 | 502 | 504 | 505 => Severity::Warning,
            _ => Severity::Normal,
        };
        let severity = match (severity, self.severity) {
            (Severity::Normal, own) => own,
            (Severity::Warning, Severity::Critical) => Severity::Critical,
            (by_status, _) => by_status,
        };
        Activity { severity, ..self.activity() }
    }
}

/// Why, as the audit log has it: the status and the code of an HTTP answer.
pub(super) fn reason(error: &Error) -> Reason {
    let (code, name) = match error {
        Error::Kms(refusal) => (refusal.reason.status(), refusal.reason.code()),
        Error::ImportToken(refusal) => (refusal.status(), refusal.code()),
        Error::NotLoggedIn => (401, "UNAUTHORIZED_ERR"),
        Error::SessionReadOnly => (403, "FORBIDDEN_ERR"),
        _ => (500, "INTERNAL_SERVER_ERR"),
    };
    Reason { code: code.into(), name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deed_has_a_name_of_its_own() {
        for deed in ALL {
            assert_eq!(ALL.iter().filter(|other| other.name == deed.name).count(), 1, "{}", deed.name);
        }
    }

    #[test]
    fn a_refusal_matters_as_its_status_says_and_no_less_than_the_deed() {
        let severity = |deed: &Deed, code| deed.refused(Reason { code, name: "" }).severity;
        assert_eq!(severity(&CREATE, 409), Severity::Warning);
        assert_eq!(severity(&CREATE, 401), Severity::Critical);
        assert_eq!(severity(&WRAP, 422), Severity::Normal);
        assert_eq!(severity(&DELETE, 409), Severity::Critical);
        assert_eq!(severity(&ROTATE, 410), Severity::Warning);
    }
}
