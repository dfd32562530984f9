//! How certificates and requests are signed: algorithm identifiers as schemes of the core, and back.
//! RFC 4055, RFC 5758, RFC 8410.

use std::sync::Arc;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use cryptoki_sys::*;
use der::asn1::{Any, AnyRef, BitStringRef};
use der::{Decode, Encode, Sequence};
use rsa::pkcs1::RsaPssParams;
use spki::{AlgorithmIdentifierOwned, AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::crypto::{Hash, Pss};
use crate::error::{Error, Result};
use crate::mechanism::{Scheme, Verifying, ecdsa_from_der, ecdsa_to_der};
use crate::object::material::Key;
use crate::object::template::{self, Author};
use crate::object::{Value, formats, values};

/// The schemes that have an object identifier without parameters that matter.
#[rustfmt::skip]
const SCHEMES: [(ObjectIdentifier, Scheme); 12] = [
    (rfc5912::SHA_1_WITH_RSA_ENCRYPTION,   Scheme::V15(Some(Hash::Sha1))),
    (rfc5912::SHA_224_WITH_RSA_ENCRYPTION, Scheme::V15(Some(Hash::Sha224))),
    (rfc5912::SHA_256_WITH_RSA_ENCRYPTION, Scheme::V15(Some(Hash::Sha256))),
    (rfc5912::SHA_384_WITH_RSA_ENCRYPTION, Scheme::V15(Some(Hash::Sha384))),
    (rfc5912::SHA_512_WITH_RSA_ENCRYPTION, Scheme::V15(Some(Hash::Sha512))),
    (rfc5912::ECDSA_WITH_SHA_224,          Scheme::Ecdsa(Some(Hash::Sha224))),
    (rfc5912::ECDSA_WITH_SHA_256,          Scheme::Ecdsa(Some(Hash::Sha256))),
    (rfc5912::ECDSA_WITH_SHA_384,          Scheme::Ecdsa(Some(Hash::Sha384))),
    (rfc5912::ECDSA_WITH_SHA_512,          Scheme::Ecdsa(Some(Hash::Sha512))),
    (ECDSA_WITH_SHA_1,                     Scheme::Ecdsa(Some(Hash::Sha1))),
    (rfc8410::ID_ED_25519,                 Scheme::Eddsa),
    (rfc8410::ID_ED_448,                   Scheme::Eddsa),
];

/// ecdsa-with-SHA1: RFC 5758 leaves it to RFC 3279.
const ECDSA_WITH_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

/// The hashes that RSASSA-PSS names.
const HASHES: [(ObjectIdentifier, Hash); 5] = [
    (rfc5912::ID_SHA_1, Hash::Sha1),
    (rfc5912::ID_SHA_224, Hash::Sha224),
    (rfc5912::ID_SHA_256, Hash::Sha256),
    (rfc5912::ID_SHA_384, Hash::Sha384),
    (rfc5912::ID_SHA_512, Hash::Sha512),
];

/// Signature algorithms whose hash can be made to collide: with one, somebody who has a certificate signed may
/// have another signed with it. RFC 6151; NIST SP 800-131A.
const FORGEABLE: [ObjectIdentifier; 5] = [
    rfc5912::MD_2_WITH_RSA_ENCRYPTION,
    rfc5912::MD_5_WITH_RSA_ENCRYPTION,
    rfc5912::SHA_1_WITH_RSA_ENCRYPTION,
    rfc5912::DSA_WITH_SHA_1,
    ECDSA_WITH_SHA_1,
];

/// What certificates and requests have in common: something that is signed, how, and the signature.
#[derive(Sequence)]
struct Signed<'a> {
    body: AnyRef<'a>,
    algorithm: AlgorithmIdentifierRef<'a>,
    signature: BitStringRef<'a>,
}

/// Checks the signature of a certificate or request by the key that should have made it, DER of
/// SubjectPublicKeyInfo.
///
/// # Errors
/// [`Error::DataInvalid`] for what is neither; [`Error::SignatureInvalid`]; [`Error::MechanismInvalid`] for
/// algorithms that are not offered; those of the key.
pub fn check_signature(der: &[u8], public_key: &[u8]) -> Result<()> {
    let signed = Signed::from_der(der).map_err(super::invalid)?;
    let body = signed.body.to_der().map_err(super::invalid)?;
    let signature = signed.signature.as_bytes().ok_or(Error::SignatureInvalid)?;
    let scheme = scheme(&signed.algorithm)?;
    let key = verifying_key(public_key)?;
    if !scheme.key_types().contains(&key.object().key_type().unwrap_or(CK_UNAVAILABLE_INFORMATION)) {
        return Err(Error::SignatureInvalid);
    }
    let bits = key.size_bits();
    let mut verifying = Verifying::by(scheme, Arc::new(key))?;
    let bad = |_| Error::SignatureInvalid;
    match scheme {
        Scheme::Ecdsa(_) => {
            let length = usize::try_from(bits.div_ceil(8)).unwrap_or_default();
            verifying.verify(&body, &ecdsa_from_der(signature, length).map_err(bad)?).map_err(bad)
        }
        _ => verifying.verify(&body, signature).map_err(bad),
    }
}

/// Whether a certificate is signed over a hash that can be made to collide, so that its signature says
/// nothing, whoever made it.
///
/// # Errors
/// [`Error::DataInvalid`] for what is no certificate.
pub(super) fn is_forgeable(der: &[u8]) -> Result<bool> {
    let algorithm = Signed::from_der(der).map_err(super::invalid)?.algorithm;
    let Some(parameters) = algorithm.parameters.filter(|_| algorithm.oid == rfc5912::ID_RSASSA_PSS) else {
        return Ok(FORGEABLE.contains(&algorithm.oid));
    };
    let parameters = parameters.decode_as::<RsaPssParams<Any>>().map_err(super::invalid)?;
    Ok([rfc5912::ID_SHA_1, rfc5912::ID_MD_5].contains(&parameters.hash.oid))
}

fn verifying_key(public_key: &[u8]) -> Result<Key> {
    let mut template = formats::public_key(formats::Format::X509, public_key)?;
    template.extend([(CKA_CLASS, Value::Number(CKO_PUBLIC_KEY)), (CKA_VERIFY, Value::Bool(true))]);
    values::settle(template::create(template, Author::ORDINARY)?)
}

fn scheme(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Scheme> {
    if algorithm.oid == rfc5912::ID_RSASSA_PSS {
        return pss(algorithm);
    }
    let known = SCHEMES.iter().find(|(oid, _)| *oid == algorithm.oid);
    known.map(|(_, scheme)| *scheme).ok_or(Error::MechanismInvalid)
}

/// RFC 4055, section 3.1.
fn pss(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Scheme> {
    let parameters = algorithm.parameters.ok_or(Error::MechanismInvalid)?;
    let parameters = parameters.decode_as::<RsaPssParams<Any>>().map_err(super::invalid)?;
    let hash_of = |oid| {
        let known = HASHES.iter().find(|(own, _)| *own == oid);
        known.map(|(_, hash)| *hash).ok_or(Error::MechanismInvalid)
    };
    let hash = hash_of(parameters.hash.oid)?;
    let mask = parameters.mask_gen.parameters.filter(|_| parameters.mask_gen.oid == rfc5912::ID_MGF_1);
    let mask = mask.ok_or(Error::MechanismInvalid)?;
    let pss = Pss { hash, mgf: hash_of(mask.oid)?, salt_len: parameters.salt_len.into() };
    Ok(Scheme::Pss(pss, Some(hash)))
}

/// The scheme by which a key signs certificates: RSASSA-PKCS1-v1_5 with SHA-256, ECDSA with the hash that is
/// as strong as the curve, Ed25519, Ed448.
///
/// # Errors
/// [`Error::KeyTypeInconsistent`] for keys that sign no certificates.
pub fn scheme_of(key: &Key) -> Result<Scheme> {
    match key.object().key_type() {
        Some(CKK_RSA) => Ok(Scheme::V15(Some(Hash::Sha256))),
        Some(CKK_EC) => Ok(Scheme::Ecdsa(Some(match key.size_bits() {
            0..=256 => Hash::Sha256,
            257..=384 => Hash::Sha384,
            _ => Hash::Sha512,
        }))),
        Some(CKK_EC_EDWARDS) => Ok(Scheme::Eddsa),
        _ => Err(Error::KeyTypeInconsistent),
    }
}

/// The algorithm identifier of a scheme, and of the key that signs by it, DER of SubjectPublicKeyInfo.
pub(super) fn identifier(scheme: Scheme, public_key: &[u8]) -> Result<AlgorithmIdentifierOwned> {
    if scheme == Scheme::Eddsa {
        // RFC 8410, section 6: that of the key itself.
        let oid = SubjectPublicKeyInfoRef::from_der(public_key).map_err(super::invalid)?.algorithm.oid;
        return Ok(AlgorithmIdentifierOwned { oid, parameters: None });
    }
    let known = SCHEMES.iter().find(|(_, own)| *own == scheme);
    let (oid, _) = known.ok_or(Error::MechanismInvalid)?;
    // RFC 4055, section 5: NULL for RSA; elsewhere the parameters are absent.
    let parameters = matches!(scheme, Scheme::V15(_)).then(Any::null);
    Ok(AlgorithmIdentifierOwned { oid: *oid, parameters })
}

/// A signature as certificates have it.
pub(super) fn written(scheme: Scheme, signature: Vec<u8>) -> Result<Vec<u8>> {
    if matches!(scheme, Scheme::Ecdsa(_)) { ecdsa_to_der(&signature) } else { Ok(signature) }
}
