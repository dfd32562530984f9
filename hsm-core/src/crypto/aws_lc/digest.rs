//! Digests, HMAC and PBKDF2.

use openssl::hash::MessageDigest;
use openssl::md::{Md, MdRef};
use openssl::md_ctx::MdCtx;
use openssl::nid::Nid;
use openssl::pkcs5;
use openssl::pkey::PKey;

use super::failed;
use crate::crypto::{Digest, Hash, Mac};
use crate::error::{Error, Result};

/// AWS-LC's description of a hash function. `openssl` names no constants for those that AWS-LC has and
/// OpenSSL 1.0 had not; their numbers are the same in all of these libraries.
pub(super) fn md(hash: Hash) -> Option<&'static MdRef> {
    match hash {
        Hash::Md5 => Some(Md::md5()),
        Hash::Gostr3411 => None,
        Hash::Sha1 => Some(Md::sha1()),
        Hash::Sha224 => Some(Md::sha224()),
        Hash::Sha256 => Some(Md::sha256()),
        Hash::Sha384 => Some(Md::sha384()),
        Hash::Sha512 => Some(Md::sha512()),
        Hash::Sha512_224 => Md::from_nid(Nid::from_raw(978)),
        Hash::Sha512_256 => Md::from_nid(Nid::from_raw(962)),
        Hash::Sha3_224 => Md::from_nid(Nid::from_raw(965)),
        Hash::Sha3_256 => Md::from_nid(Nid::from_raw(966)),
        Hash::Sha3_384 => Md::from_nid(Nid::from_raw(967)),
        Hash::Sha3_512 => Md::from_nid(Nid::from_raw(968)),
    }
}

pub(super) fn digest(hash: Hash) -> Option<Box<dyn Digest>> {
    let md = md(hash)?;
    let mut context = MdCtx::new().ok()?;
    context.digest_init(md).ok()?;
    Some(Box::new(Running { context: Some(context), length: hash.len() }))
}

pub(super) fn hmac(hash: Hash, key: &[u8]) -> Option<Result<Box<dyn Mac>>> {
    Some(
        keyed(md(hash)?, key).map(|context| {
            Box::new(RunningMac { context: Some(context), length: hash.len() }) as Box<dyn Mac>
        }),
    )
}

/// `None` for lengths above what `openssl` takes without panicking.
pub(super) fn pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    out: &mut [u8],
) -> Option<Result<()>> {
    let digest = MessageDigest::from_nid(md(hash)?.type_())?;
    let limit = i32::MAX as usize;
    if password.len() > limit || salt.len() > limit || out.len() > limit || iterations as usize > limit {
        return None;
    }
    let done = pkcs5::pbkdf2_hmac(password, salt, iterations as usize, digest, out);
    Some(done.map_err(failed("PBKDF2")))
}

fn keyed(md: &MdRef, key: &[u8]) -> Result<MdCtx> {
    let key = PKey::hmac(key).map_err(failed("HMAC key"))?;
    let mut context = MdCtx::new().map_err(failed("HMAC context"))?;
    context.digest_sign_init(Some(md), &key).map_err(failed("HMAC"))?;
    Ok(context)
}

/// A context that is gone once it has given its result: AWS-LC's must not be used again.
struct Running {
    context: Option<MdCtx>,
    length: usize,
}

impl Digest for Running {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        let context = self.context.as_mut().ok_or(Error::OperationNotInitialised)?;
        context.digest_update(data).map_err(failed("digest"))
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        let mut context = self.context.take().ok_or(Error::OperationNotInitialised)?;
        exact(out, self.length)?;
        context.digest_final(out).map_err(failed("digest"))?;
        Ok(())
    }
}

/// As [`Running`].
struct RunningMac {
    context: Option<MdCtx>,
    length: usize,
}

impl Mac for RunningMac {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        let context = self.context.as_mut().ok_or(Error::OperationNotInitialised)?;
        context.digest_sign_update(data).map_err(failed("HMAC"))
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        let mut context = self.context.take().ok_or(Error::OperationNotInitialised)?;
        exact(out, self.length)?;
        context.digest_sign_final(Some(out)).map_err(failed("HMAC"))?;
        Ok(())
    }

    fn len(&self) -> usize {
        self.length
    }
}

/// Refuses an output of another length than the result's.
fn exact(out: &[u8], length: usize) -> Result<()> {
    if out.len() == length { Ok(()) } else { Err(Error::BufferTooSmall { needed: length }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_the_wrong_length_is_refused() {
        for length in [0, 31, 33] {
            let finish = digest(Hash::Sha256).unwrap().finish(&mut vec![0; length]);
            assert!(matches!(finish, Err(Error::BufferTooSmall { needed: 32 })), "{length}");
        }
    }

    #[test]
    fn a_finished_digest_is_used_up() {
        let mut digest = digest(Hash::Sha1).unwrap();
        digest.finish(&mut [0; 20]).unwrap();
        assert!(matches!(digest.update(b"more"), Err(Error::OperationNotInitialised)));
        assert!(matches!(digest.finish(&mut [0; 20]), Err(Error::OperationNotInitialised)));
    }

    #[test]
    fn a_finished_hmac_is_used_up() {
        let mut mac = hmac(Hash::Sha1, b"key").unwrap().unwrap();
        mac.finish(&mut [0; 20]).unwrap();
        assert!(matches!(mac.update(b"more"), Err(Error::OperationNotInitialised)));
        assert!(matches!(mac.finish(&mut [0; 20]), Err(Error::OperationNotInitialised)));
    }
}
