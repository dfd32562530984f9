//! What is done with the vectors that are "acceptable": an implementation may take them or refuse them, and
//! this table says what the module does. docs/suites.md has the same rows.

use crate::judge::Expected::{self, Accept, Refuse};

/// The policy of one flag in one family of vectors.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The family.
    pub(crate) family: &'static str,
    /// The flag, by the crate's name.
    pub(crate) flag: &'static str,
    /// What the module does.
    pub(crate) then: Expected,
}

const fn policy(family: &'static str, flag: &'static str, then: Expected) -> Policy {
    Policy { family, flag, then }
}

/// The first row whose flag a vector has decides.
#[rustfmt::skip]
pub(crate) static POLICIES: &[Policy] = &[
    policy("Ecdh",           "CompressedPoint",        Accept),
    policy("Ecdh",           "UnnamedCurve",           Refuse),
    policy("Ecdh",           "InvalidAsn",             Refuse),
    policy("Dsa",            "MissingZero",            Refuse),
    policy("Xdh",            "ZeroSharedSecret",       Refuse),
    policy("Xdh",            "Twist",                  Accept),
    policy("Xdh",            "NonCanonicalPublic",     Accept),
    policy("Keywrap",        "ShortKey",               Refuse),
    policy("RsaPkcs1Verify", "MissingNull",            Refuse),
    policy("RsaOaep",        "SmallIntegerCiphertext", Refuse),
];

/// The policy of an acceptable vector with these flags.
pub(crate) fn of(family: &str, flags: &[String]) -> &'static Policy {
    let fits = |policy: &&Policy| policy.family == family && flags.iter().any(|flag| flag == policy.flag);
    POLICIES.iter().find(fits).unwrap_or_else(|| panic!("{family} {flags:?}: no policy"))
}
