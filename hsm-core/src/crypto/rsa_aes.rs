//! RSA-AES key wrap (PKCS #11 3.2, section 6.1.21): a temporary AES key by RSAES-OAEP, and behind it what is
//! wrapped under that key by KWP (RFC 5649), so that an RSA key takes in keys longer than itself.

use super::choice::{unwrap, wrap};
use super::{KeyWrap, Oaep, RsaPrivateKey, RsaPublicKey};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// Lengths of AES keys in bytes.
const AES_KEYS: [usize; 3] = [16, 24, 32];
/// The longest, which a stand-in has where no length is asked for.
const LONGEST: usize = 32;

/// What a wrap was opened to.
pub struct OpenedRsaAes {
    /// The temporary key; a random one where it did not decrypt.
    pub temporary: Secret,
    /// What was wrapped; `None` where anything of the wrap did not decrypt.
    pub content: Option<Secret>,
}

/// Wraps data of at least one byte under a temporary key, which the caller draws.
///
/// # Errors
/// [`Error::WrappingKeySizeRange`] for an RSA key too short for the temporary key, [`Error::DataLength`] for no
/// data, [`Error::KeySizeRange`] for a temporary key that AES does not have.
pub fn wrap_rsa_aes(
    key: &dyn RsaPublicKey,
    oaep: &Oaep<'_>,
    temporary: &Secret,
    data: &[u8],
) -> Result<Vec<u8>> {
    if !AES_KEYS.contains(&temporary.len()) {
        return Err(Error::KeySizeRange);
    }
    let mut wrapped = key.encrypt_oaep(oaep, temporary.expose()).map_err(|error| match error {
        Error::DataLength => Error::WrappingKeySizeRange,
        other => other,
    })?;
    wrapped.extend(wrap(KeyWrap::Kwp, temporary.expose(), data)?);
    Ok(wrapped)
}

/// Opens a wrap whose temporary key has `temporary_len` bytes; `None` takes any length that AES keys have.
///
/// A temporary key that does not decrypt is replaced by a random one, with which everything goes on as with a
/// true one: what did not decrypt shows neither in the answer nor in the work that was done.
///
/// # Errors
/// [`Error::RandomFailed`].
pub fn open_rsa_aes(
    key: &dyn RsaPrivateKey,
    oaep: &Oaep<'_>,
    temporary_len: Option<usize>,
    wrapped: &[u8],
) -> Result<OpenedRsaAes> {
    let stand_in = rng::secret(temporary_len.unwrap_or(LONGEST))?;
    let (first, second) = wrapped.split_at_checked(key.len()).unwrap_or((wrapped, &[]));
    let fits = |length| AES_KEYS.contains(&length) && temporary_len.is_none_or(|wanted| wanted == length);
    let (temporary, is_true) = match key.decrypt_oaep(oaep, first) {
        Ok(temporary) if fits(temporary.len()) => (temporary, true),
        Ok(_) | Err(_) => (stand_in, false),
    };
    let content = unwrap(KeyWrap::Kwp, temporary.expose(), second).ok().filter(|_| is_true);
    Ok(OpenedRsaAes { temporary, content })
}
