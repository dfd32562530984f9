//! Why something about an import token is refused: Key Protect's code, HTTP status and message of each.

/// A refusal. No token and one that has ended are the same: to a client both mean that a new one is needed,
/// and Key Protect documents a code for the second alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} ({})", self.message(), self.code())]
pub enum Refusal {
    /// The token has expired, its retrievals are used up, or there is none.
    Expired,
    /// The nonce decrypts, and is not the token's.
    IncorrectNonce,
    /// The nonce does not decrypt: it, its initialisation vector or the key is wrong.
    IncorrectNonceIv,
    /// An expiration outside the limits.
    Expiration,
    /// A number of retrievals outside the limits.
    Retrievals,
    /// An encryption algorithm that there is not.
    EncryptionAlgorithm,
}

/// Code, status and message. Those of the first are Key Protect's, as are the codes and statuses of the next
/// two; what it says of a field outside its limits is not documented for these fields, only for others.
#[rustfmt::skip]
const ROWS: [(Refusal, &str, u16, &str); 6] = [
    (Refusal::Expired,             "IMPORT_TOKEN_EXPIRED_ERR", 409, "The import token has expired."),
    (Refusal::IncorrectNonce,      "INCORRECT_NONCE_ERR",      400, "The nonce is not the import token's."),
    (Refusal::IncorrectNonceIv,    "INCORRECT_NONCE_IV_ERR",   400, "The nonce cannot be decrypted with this key and iv."),
    (Refusal::Expiration,          "INVALID_FIELD_ERR",        400, "The field 'expiration' must be: 300 to 86400 seconds"),
    (Refusal::Retrievals,          "INVALID_FIELD_ERR",        400, "The field 'maxAllowedRetrievals' must be: 1 to 500"),
    (Refusal::EncryptionAlgorithm, "INVALID_FIELD_ERR",        400, "The field 'encryptionAlgorithm' must be: RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 or RSA_AES_KEY_WRAP_SHA_256"),
];

impl Refusal {
    /// Key Protect's code.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// The status of an HTTP answer.
    pub fn status(self) -> u16 {
        self.row().2
    }

    /// What is said of it.
    pub fn message(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static (Refusal, &'static str, u16, &'static str) {
        // Every refusal has a row, which a test looks at.
        ROWS.iter().find(|row| row.0 == self).unwrap_or(&ROWS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Algorithm;
    use super::super::token::{EXPIRATION, RETRIEVALS};
    use super::*;

    #[test]
    fn every_refusal_has_its_row() {
        let all = [
            (Refusal::Expired, "IMPORT_TOKEN_EXPIRED_ERR", 409),
            (Refusal::IncorrectNonce, "INCORRECT_NONCE_ERR", 400),
            (Refusal::IncorrectNonceIv, "INCORRECT_NONCE_IV_ERR", 400),
            (Refusal::Expiration, "INVALID_FIELD_ERR", 400),
            (Refusal::Retrievals, "INVALID_FIELD_ERR", 400),
            (Refusal::EncryptionAlgorithm, "INVALID_FIELD_ERR", 400),
        ];
        assert_eq!(all.len(), ROWS.len());
        for (refusal, code, status) in all {
            assert_eq!((refusal.row().0, refusal.code(), refusal.status()), (refusal, code, status));
        }
        assert_eq!(Refusal::Expired.to_string(), "The import token has expired. (IMPORT_TOKEN_EXPIRED_ERR)");
    }

    #[test]
    fn messages_name_the_limits_that_hold() {
        for (refusal, limits) in [(Refusal::Expiration, EXPIRATION), (Refusal::Retrievals, RETRIEVALS)] {
            let words = format!("{} to {}", limits.start(), limits.end());
            assert!(refusal.message().contains(&words), "{words}");
        }
        for algorithm in Algorithm::ALL {
            assert!(Refusal::EncryptionAlgorithm.message().contains(algorithm.name()));
        }
    }
}
