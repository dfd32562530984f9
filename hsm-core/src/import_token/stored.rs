//! A token as the plaintext of its record, in postcard's encoding. The buffers are wiped.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::token::{ImportToken, NONCE_LEN};
use crate::crypto::{RsaCrt, RsaParts};
use crate::error::{Error, Result};
use crate::object::lifecycle::Seconds;
use crate::secret::Secret;

/// A token borrowed for writing or reading.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    created: Seconds,
    expires: Seconds,
    seen: Seconds,
    most: u32,
    remaining: u32,
    nonce: [u8; NONCE_LEN],
    #[serde(borrow)]
    key: Option<StoredKey<'a>>,
}

/// A key pair with all its numbers, as they are made.
#[derive(Serialize, Deserialize)]
struct StoredKey<'a> {
    modulus: &'a [u8],
    public_exponent: &'a [u8],
    private_exponent: &'a [u8],
    prime_1: &'a [u8],
    prime_2: &'a [u8],
    exponent_1: &'a [u8],
    exponent_2: &'a [u8],
    coefficient: &'a [u8],
}

impl<'a> StoredKey<'a> {
    fn of(parts: &'a RsaParts) -> Result<StoredKey<'a>> {
        let crt = parts.crt.as_ref().ok_or(Error::CryptoFailed("a key was made without its factors"))?;
        Ok(StoredKey {
            modulus: &parts.modulus,
            public_exponent: &parts.public_exponent,
            private_exponent: parts.private_exponent.expose(),
            prime_1: crt.prime_1.expose(),
            prime_2: crt.prime_2.expose(),
            exponent_1: crt.exponent_1.expose(),
            exponent_2: crt.exponent_2.expose(),
            coefficient: crt.coefficient.expose(),
        })
    }

    fn into_parts(self) -> RsaParts {
        RsaParts {
            modulus: self.modulus.to_vec(),
            public_exponent: self.public_exponent.to_vec(),
            private_exponent: Secret::copy_of(self.private_exponent),
            crt: Some(RsaCrt {
                prime_1: Secret::copy_of(self.prime_1),
                prime_2: Secret::copy_of(self.prime_2),
                exponent_1: Secret::copy_of(self.exponent_1),
                exponent_2: Secret::copy_of(self.exponent_2),
                coefficient: Secret::copy_of(self.coefficient),
            }),
        }
    }
}

/// The token's bytes.
pub(crate) fn encode(token: &ImportToken) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |_| Error::CryptoFailed("an import token did not encode");
    let stored = Stored {
        created: token.created,
        expires: token.expires,
        seen: token.seen,
        most: token.most,
        remaining: token.remaining,
        nonce: token.nonce,
        key: token.key.as_ref().map(StoredKey::of).transpose()?,
    };
    // Sized before it is filled, so that no half-filled buffer is left behind unwiped.
    let size = postcard::experimental::serialized_size(&stored).map_err(failed)?;
    let mut out = Zeroizing::new(vec![0; size]);
    postcard::to_slice(&stored, &mut out).map_err(failed)?;
    Ok(out)
}

/// The token of these bytes; `None` where they are none.
pub(crate) fn decode(bytes: &[u8]) -> Option<ImportToken> {
    let stored: Stored<'_> = postcard::from_bytes(bytes).ok()?;
    Some(ImportToken {
        created: stored.created,
        expires: stored.expires,
        seen: stored.seen,
        most: stored.most,
        remaining: stored.remaining,
        nonce: stored.nonce,
        key: stored.key.map(StoredKey::into_parts),
    })
}
