//! What `policy = "strict"` takes away of mechanisms: those that let a caller bring out, or put in, what he should not.
//! docs/attacks.md says which attack each is good for.

use cryptoki_sys::*;

use super::table::{Function, KRM_SSHKDF_DERIVE, Row};

/// Without authentication: what is unwrapped may be of the caller's making.
const CARRYING: &[Function] = &[Function::Wrap, Function::Unwrap];

/// With a padding whose check tells something about what it should hide.
const PADDED: &[Function] = &[
    Function::Encrypt,
    Function::Decrypt,
    Function::Wrap,
    Function::Unwrap,
    Function::Encapsulate,
    Function::Decapsulate,
];

/// What is derived can be worked out in parts, or is what another function gives out.
const DERIVING: &[Function] = &[Function::Derive];

/// The private key's bare operation, on a number of the caller's.
const RAW: &[Function] = &[
    Function::Encrypt,
    Function::Decrypt,
    Function::Wrap,
    Function::Unwrap,
    Function::Sign,
    Function::SignRecover,
    Function::Verify,
    Function::VerifyRecover,
    Function::Encapsulate,
    Function::Decapsulate,
];

/// The functions that a mechanism loses. Those that are for old data alone lose all.
#[rustfmt::skip]
static TAKEN: &[(u64, &[Function])] = &[
    (CKM_RSA_PKCS,                  PADDED),
    (CKM_RSA_X_509,                 RAW),
    (CKM_DES3_ECB,                  CARRYING),
    (CKM_DES3_CBC,                  CARRYING),
    (CKM_DES3_CBC_PAD,              PADDED),
    (CKM_CONCATENATE_BASE_AND_KEY,  DERIVING),
    (CKM_CONCATENATE_BASE_AND_DATA, DERIVING),
    (CKM_CONCATENATE_DATA_AND_BASE, DERIVING),
    (CKM_XOR_BASE_AND_DATA,         DERIVING),
    (CKM_EXTRACT_KEY_FROM_KEY,      DERIVING),
    (CKM_AES_ECB,                   CARRYING),
    (CKM_AES_CBC,                   CARRYING),
    (CKM_AES_CBC_PAD,               PADDED),
    (CKM_DES3_ECB_ENCRYPT_DATA,     DERIVING),
    (CKM_DES3_CBC_ENCRYPT_DATA,     DERIVING),
    (CKM_AES_ECB_ENCRYPT_DATA,      DERIVING),
    (CKM_AES_CBC_ENCRYPT_DATA,      DERIVING),
    (CKM_HKDF_DATA,                 DERIVING),
    (CKM_TLS12_KEY_AND_MAC_DERIVE,  DERIVING),
    (KRM_SSHKDF_DERIVE,             DERIVING),
];

impl Row {
    /// Whether the strict policy leaves the mechanism a function.
    pub fn is_strict(&self, function: Function) -> bool {
        let taken = TAKEN.iter().find(|(kind, _)| *kind == self.kind).map_or(&[][..], |(_, taken)| *taken);
        !self.legacy && !taken.contains(&function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::table::{offered, row};

    fn left(function: Function) -> Vec<&'static str> {
        offered().filter(|row| row.does(function) && row.is_strict(function)).map(|row| row.name).collect()
    }

    #[test]
    fn nothing_is_taken_that_is_not_there() {
        for (kind, functions) in TAKEN {
            let row = row(*kind).unwrap();
            assert!(functions.iter().any(|function| row.does(*function)), "{}", row.name);
        }
    }

    #[test]
    fn what_still_wraps_authenticates() {
        let authentic = [
            "CKM_RSA_PKCS_OAEP",
            "CKM_RSA_AES_KEY_WRAP",
            "CKM_AES_GCM",
            "CKM_AES_CCM",
            "CKM_CHACHA20_POLY1305",
            "CKM_AES_KEY_WRAP",
            "CKM_AES_KEY_WRAP_PAD",
            "CKM_AES_KEY_WRAP_KWP",
        ];
        let left = left(Function::Unwrap);
        assert!(left.iter().all(|name| authentic.contains(name)), "{left:?}");
        assert!(left.len() >= 6, "{left:?}");
    }

    #[test]
    fn nothing_pads_by_v15_or_cbc() {
        let left = left(Function::Decrypt);
        assert!(left.contains(&"CKM_AES_GCM") && left.contains(&"CKM_AES_CBC"), "{left:?}");
        assert!(!left.iter().any(|name| name.ends_with("_PAD") || *name == "CKM_RSA_PKCS"), "{left:?}");
    }
}
