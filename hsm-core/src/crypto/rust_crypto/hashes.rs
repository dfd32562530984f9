//! Digests and HMAC on `md5`, `sha1`, `sha2`, `sha3` `hmac` and `pbkdf2`. The macro [`with_hash`] is the one place
//! that knows which type stands for which [`Hash`].

use digest::{ExtendableOutput, FixedOutput, Output, OutputSizeUser, Update};
use hmac::{Hmac, KeyInit, SimpleHmac};

use crate::crypto::{Digest, Hash, Mac, Shake};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Evaluates `$body` with `$name` standing for the RustCrypto type of `$hash`.
macro_rules! with_hash {
    ($hash:expr, $name:ident => $body:expr) => {
        match $hash {
            $crate::crypto::Hash::Md5 => {
                type $name = md5::Md5;
                $body
            }
            $crate::crypto::Hash::Gostr3411 => {
                type $name = gost94::Gost94CryptoPro;
                $body
            }
            $crate::crypto::Hash::Sha1 => {
                type $name = sha1::Sha1;
                $body
            }
            $crate::crypto::Hash::Sha224 => {
                type $name = sha2::Sha224;
                $body
            }
            $crate::crypto::Hash::Sha256 => {
                type $name = sha2::Sha256;
                $body
            }
            $crate::crypto::Hash::Sha384 => {
                type $name = sha2::Sha384;
                $body
            }
            $crate::crypto::Hash::Sha512 => {
                type $name = sha2::Sha512;
                $body
            }
            $crate::crypto::Hash::Sha512_224 => {
                type $name = sha2::Sha512_224;
                $body
            }
            $crate::crypto::Hash::Sha512_256 => {
                type $name = sha2::Sha512_256;
                $body
            }
            $crate::crypto::Hash::Sha3_224 => {
                type $name = sha3::Sha3_224;
                $body
            }
            $crate::crypto::Hash::Sha3_256 => {
                type $name = sha3::Sha3_256;
                $body
            }
            $crate::crypto::Hash::Sha3_384 => {
                type $name = sha3::Sha3_384;
                $body
            }
            $crate::crypto::Hash::Sha3_512 => {
                type $name = sha3::Sha3_512;
                $body
            }
        }
    };
}
pub(super) use with_hash;

/// A running digest of `hash`. FIPS 180-4, FIPS 202.
pub(super) fn digest(hash: Hash) -> Box<dyn Digest> {
    with_hash!(hash, H => Box::new(Running::new(H::default())))
}

/// A running HMAC with a key of any length. FIPS 198-1. (`Hmac` wipes its key; SHA-3 has only
/// `SimpleHmac`, which does not.)
pub(super) fn hmac(hash: Hash, key: &[u8]) -> Result<Box<dyn Mac>> {
    match hash {
        Hash::Md5 => keyed::<Hmac<md5::Md5>>(key),
        Hash::Gostr3411 => keyed::<Hmac<gost94::Gost94CryptoPro>>(key),
        Hash::Sha1 => keyed::<Hmac<sha1::Sha1>>(key),
        Hash::Sha224 => keyed::<Hmac<sha2::Sha224>>(key),
        Hash::Sha256 => keyed::<Hmac<sha2::Sha256>>(key),
        Hash::Sha384 => keyed::<Hmac<sha2::Sha384>>(key),
        Hash::Sha512 => keyed::<Hmac<sha2::Sha512>>(key),
        Hash::Sha512_224 => keyed::<Hmac<sha2::Sha512_224>>(key),
        Hash::Sha512_256 => keyed::<Hmac<sha2::Sha512_256>>(key),
        Hash::Sha3_224 => keyed::<SimpleHmac<sha3::Sha3_224>>(key),
        Hash::Sha3_256 => keyed::<SimpleHmac<sha3::Sha3_256>>(key),
        Hash::Sha3_384 => keyed::<SimpleHmac<sha3::Sha3_384>>(key),
        Hash::Sha3_512 => keyed::<SimpleHmac<sha3::Sha3_512>>(key),
    }
}

fn keyed<M: KeyInit + Update + FixedOutput + Send + 'static>(key: &[u8]) -> Result<Box<dyn Mac>> {
    let mac = M::new_from_slice(key).map_err(|_| Error::KeySizeRange)?;
    Ok(Box::new(Running::new(mac)))
}

/// PBKDF2 with HMAC. RFC 8018, section 5.2.
pub(super) fn pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    out: &mut [u8],
) -> Result<()> {
    let done = with_hash!(hash, H => ::pbkdf2::pbkdf2::<SimpleHmac<H>>(password, salt, iterations, out));
    done.map_err(|_| Error::KeySizeRange)
}

/// The first `length` bytes of SHAKE.
pub(super) fn shake(shake: Shake, input: &[u8], length: usize) -> Secret {
    let mut out = Secret::zeroed(length);
    match shake {
        Shake::Shake128 => ::shake::Shake128::digest_xof(input, out.expose_mut()),
        Shake::Shake256 => ::shake::Shake256::digest_xof(input, out.expose_mut()),
    }
    out
}

/// The digest of `parts`, one after the other.
pub(super) fn digest_of(hash: Hash, parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut running = digest(hash);
    for part in parts {
        running.update(part)?;
    }
    let mut out = vec![0; hash.len()];
    running.finish(&mut out)?;
    Ok(out)
}

/// A digest or MAC until it is finished, and nothing afterwards.
pub(super) struct Running<T>(Option<T>);

impl<T: Update + FixedOutput> Running<T> {
    pub(super) fn new(state: T) -> Running<T> {
        Running(Some(state))
    }

    /// The state, until it is used up.
    pub(super) fn state(&self) -> Option<&T> {
        self.0.as_ref()
    }

    fn more(&mut self, data: &[u8]) -> Result<()> {
        self.0.as_mut().ok_or(USED_UP)?.update(data);
        Ok(())
    }

    fn end(&mut self, out: &mut [u8]) -> Result<()> {
        let needed = <T as OutputSizeUser>::output_size();
        let out = <&mut Output<T>>::try_from(out).map_err(|_| Error::BufferTooSmall { needed })?;
        self.0.take().ok_or(USED_UP)?.finalize_into(out);
        Ok(())
    }
}

const USED_UP: Error = Error::OperationNotInitialised;

impl<T: Update + FixedOutput + Send> Digest for Running<T> {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        self.more(data)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        self.end(out)
    }
}

impl<T: Update + FixedOutput + Send> Mac for Running<T> {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        self.more(data)
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        self.end(out)
    }

    fn len(&self) -> usize {
        <T as OutputSizeUser>::output_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_has_the_length_its_table_says() {
        for hash in Hash::ALL {
            assert_eq!(digest_of(hash, &[b"abc"]).unwrap().len(), hash.len(), "{hash:?}");
            assert_eq!(hmac(hash, b"key").unwrap().len(), hash.len(), "{hash:?}");
        }
    }

    #[test]
    fn a_finished_digest_takes_no_more() {
        let mut running = digest(Hash::Sha256);
        running.finish(&mut [0; 32]).unwrap();
        assert!(matches!(running.update(b"more"), Err(Error::OperationNotInitialised)));
        assert!(matches!(running.finish(&mut [0; 32]), Err(Error::OperationNotInitialised)));
    }

    #[test]
    fn a_buffer_of_another_length_is_refused_and_the_digest_goes_on() {
        let mut running = digest(Hash::Sha256);
        assert!(matches!(running.finish(&mut [0; 31]), Err(Error::BufferTooSmall { needed: 32 })));
        running.finish(&mut [0; 32]).unwrap();
    }
}
