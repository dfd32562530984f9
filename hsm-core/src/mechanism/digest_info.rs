//! DigestInfo, which RSASSA-PKCS1-v1_5 signs in place of a digest.

use const_oid::ObjectIdentifier;
use const_oid::db::{fips202, rfc5912};
use der::Encode;
use der::asn1::{Null, OctetStringRef};

use crate::crypto::{Hash, PreHash};
use crate::error::{Error, Result};

/// DER of DigestInfo. RFC 8017, section 9.2.
pub(super) fn digest_info(hash: Hash, digest: &[u8]) -> Result<Vec<u8>> {
    #[derive(der::Sequence)]
    struct DigestInfo<'a> {
        algorithm: Algorithm,
        digest: &'a OctetStringRef,
    }
    #[derive(der::Sequence)]
    struct Algorithm {
        algorithm: ObjectIdentifier,
        parameters: Null,
    }
    let encode = || {
        let algorithm = Algorithm { algorithm: oid(hash), parameters: Null };
        DigestInfo { algorithm, digest: OctetStringRef::new(digest)? }.to_der()
    };
    encode().map_err(|_| Error::CryptoFailed("a DigestInfo did not encode"))
}

/// The identifier of a hash function before a signature. NIST's CSOR.
pub(super) fn pre_hash_oid(hash: PreHash) -> ObjectIdentifier {
    match hash {
        PreHash::Fixed(hash) => oid(hash),
        PreHash::Shake128 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.11"),
        PreHash::Shake256 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.12"),
    }
}

/// The hash functions' identifiers. RFC 8017 appendix B.1, NIST's CSOR, RFC 4357 section 11.2.
fn oid(hash: Hash) -> ObjectIdentifier {
    match hash {
        Hash::Md5 => ObjectIdentifier::new_unwrap("1.2.840.113549.2.5"),
        Hash::Gostr3411 => ObjectIdentifier::new_unwrap("1.2.643.2.2.9"),
        Hash::Sha1 => rfc5912::ID_SHA_1,
        Hash::Sha224 => rfc5912::ID_SHA_224,
        Hash::Sha256 => rfc5912::ID_SHA_256,
        Hash::Sha384 => rfc5912::ID_SHA_384,
        Hash::Sha512 => rfc5912::ID_SHA_512,
        Hash::Sha512_224 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.5"),
        Hash::Sha512_256 => ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.6"),
        Hash::Sha3_224 => fips202::ID_SHA_3_224,
        Hash::Sha3_256 => fips202::ID_SHA_3_256,
        Hash::Sha3_384 => fips202::ID_SHA_3_384,
        Hash::Sha3_512 => fips202::ID_SHA_3_512,
    }
}
