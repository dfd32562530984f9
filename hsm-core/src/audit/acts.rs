//! What processes do by their own hands, without a client of a server: the operations of PKCS #11 and of the
//! command line that leave events. Those of servers stand with their doors, those of the unit with `hsm`.

use super::event::{Activity, Class, OWN_DOOR, Severity};

/// The door of what Key Protect has a name for: its events are called as there.
const KMS: &str = "kms";

#[rustfmt::skip]
macro_rules! acts {
    ($($name:ident: $door:expr, $operation:literal, $class:ident, $severity:ident;)*) => {
        $(
            #[doc = concat!("`", $operation, "`")]
            pub(crate) const $name: Activity = Activity {
                door: $door,
                operation: $operation,
                class: Class::$class,
                severity: Severity::$severity,
            };
        )*
        #[cfg(test)]
        pub(super) const ALL: &[Activity] = &[$($name),*];
    };
}

#[rustfmt::skip]
acts! {
    //                    door      operation              class           severity
    INITIALISE:           OWN_DOOR, "Initialise",          Administration, Warning;
    INIT_TOKEN:           OWN_DOOR, "InitToken",           Administration, Critical;
    MAKE_TOKEN:           OWN_DOOR, "MakeToken",           Administration, Normal;
    DELETE_TOKEN:         OWN_DOOR, "DeleteToken",         Administration, Critical;
    INIT_PIN:             OWN_DOOR, "InitPIN",             Administration, Warning;
    SET_PIN:              OWN_DOOR, "SetPIN",              Administration, Warning;
    BACK_UP:              OWN_DOOR, "BackUp",              Administration, Warning;
    RESTORE:              OWN_DOOR, "Restore",             Administration, Critical;
    GIVE_PINS:            OWN_DOOR, "GivePins",            Administration, Warning;
    CLOSE_FOR_SERVER:     OWN_DOOR, "CloseForServer",      Administration, Warning;
    LOGIN_USER:           OWN_DOOR, "LoginUser",           Login,          Normal;
    LOGIN_SO:             OWN_DOOR, "LoginSO",             Login,          Normal;
    LOGIN_CONTEXT:        OWN_DOOR, "LoginContext",        Login,          Normal;
    LOGIN_SERVER:         OWN_DOOR, "LoginServer",         Login,          Normal;
    CREATE_OBJECT:        OWN_DOOR, "CreateObject",        Change,         Normal;
    BRING_OBJECTS:        OWN_DOOR, "BringObjects",        Change,         Warning;
    COPY_OBJECT:          OWN_DOOR, "CopyObject",          Change,         Normal;
    DESTROY_OBJECT:       OWN_DOOR, "DestroyObject",       Change,         Critical;
    SET_ATTRIBUTES:       OWN_DOOR, "SetAttributeValue",   Change,         Normal;
    GENERATE_KEY:         OWN_DOOR, "GenerateKey",         Change,         Normal;
    GENERATE_KEY_PAIR:    OWN_DOOR, "GenerateKeyPair",     Change,         Normal;
    DERIVE_KEY:           OWN_DOOR, "DeriveKey",           Change,         Normal;
    UNWRAP_KEY:           OWN_DOOR, "UnwrapKey",           Change,         Warning;
    ENCRYPT:              OWN_DOOR, "Encrypt",             Use,            Normal;
    DECRYPT:              OWN_DOOR, "Decrypt",             Use,            Normal;
    SIGN:                 OWN_DOOR, "Sign",                Use,            Normal;
    SIGN_RECOVER:         OWN_DOOR, "SignRecover",         Use,            Normal;
    VERIFY:               OWN_DOOR, "Verify",              Use,            Normal;
    VERIFY_RECOVER:       OWN_DOOR, "VerifyRecover",       Use,            Normal;
    WRAP:                 OWN_DOOR, "WrapKey",             Use,            Normal;
    UNWRAP:               OWN_DOOR, "UnwrapKey",           Use,            Normal;
    DERIVE:               OWN_DOOR, "DeriveKey",           Use,            Normal;
    ENCAPSULATE:          OWN_DOOR, "EncapsulateKey",      Use,            Normal;
    DECAPSULATE:          OWN_DOOR, "DecapsulateKey",      Use,            Normal;
    DIGEST:               OWN_DOOR, "DigestKey",           Use,            Normal;
    COPY:                 OWN_DOOR, "CopyObject",          Use,            Normal;
    READ:                 OWN_DOOR, "GetAttributeValue",   Use,            Normal;
    ENCAPSULATE_KEY:      OWN_DOOR, "EncapsulateKey",      Change,         Normal;
    DECAPSULATE_KEY:      OWN_DOOR, "DecapsulateKey",      Change,         Normal;
    EXPORT_KEY:           OWN_DOOR, "ExportKey",           Change,         Warning;
    CREATE_IMPORT_TOKEN:  KMS,      "import-token.create", Change,         Normal;
    READ_IMPORT_TOKEN:    KMS,      "import-token.read",   Change,         Normal;
    REDEEM_IMPORT_TOKEN:  KMS,      "import-token.redeem", Change,         Warning;
    REWRAP_PARTITIONS:    "unit",   "RewrapPartitions",    Administration, Warning;
    FINISH_SET_IMMEDIATE: "unit",   "FinishSetImmediate",  Administration, Warning;
    UNLOCK_UNIT:          "unit",   "Unlock",              Administration, Warning;
    LOCK_UNIT:            "unit",   "Lock",                Administration, Warning;
    ACCEPT_LOG:           "audit",  "Accept",              Administration, Critical;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_has_a_name_of_its_own_in_its_class() {
        for (at, act) in ALL.iter().enumerate() {
            // Unwrapping uses one key and makes another: two events of one function.
            let name = |act: &Activity| (act.door, act.operation, act.class);
            let same = |other: &&Activity| name(other) == name(act);
            assert_eq!(ALL.iter().filter(same).count(), 1, "{at}");
        }
    }
}
