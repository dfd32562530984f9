//! Cryptographic Parameters (KMIP 1.4, section 3.6) as mechanisms of the core.

use cryptoki_sys::*;
use hsm_core::mechanism::{Mechanism, Parameter};

use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{HashingAlgorithm as Hash, PaddingMethod as Padding, ResultReason as Reason};
use crate::ttlv::{Item, Tag};

/// A hash function's mechanism and mask generation function. KMIP 1.4, section 9.1.3.2.16.
const HASHES: &[(Hash, u64, u64)] = &[
    (Hash::SHA_1, CKM_SHA_1, CKG_MGF1_SHA1),
    (Hash::SHA_224, CKM_SHA224, CKG_MGF1_SHA224),
    (Hash::SHA_256, CKM_SHA256, CKG_MGF1_SHA256),
    (Hash::SHA_384, CKM_SHA384, CKG_MGF1_SHA384),
    (Hash::SHA_512, CKM_SHA512, CKG_MGF1_SHA512),
];

/// The hash function that a field names, if it is there.
fn hash(parameters: Option<&Item>, tag: Tag) -> Outcome<Option<(u64, u64)>> {
    let Some(item) = parameters.and_then(|parameters| parameters.child(tag)) else { return Ok(None) };
    let hash: Hash = item.as_value_of()?;
    let row = HASHES.iter().find(|(own, ..)| *own == hash);
    let not_offered = || Failure::new(Reason::UnsupportedCryptographicParameters, "the hash is not offered");
    row.map(|(_, mechanism, mgf)| Some((*mechanism, *mgf))).ok_or_else(not_offered)
}

/// How RSA encrypts: OAEP or PKCS #1 v1.5, which is meant where no padding is named.
///
/// # Errors
/// [`Reason::UnsupportedCryptographicParameters`].
pub fn rsa_encryption(parameters: Option<&Item>) -> Outcome<Mechanism> {
    let padding = parameters.and_then(|parameters| parameters.child(Tag::PADDING_METHOD));
    let padding = padding.map(Item::as_value_of::<Padding>).transpose()?;
    match padding {
        Some(Padding::PKCS1V1_5) | None => Ok(Mechanism::plain(CKM_RSA_PKCS)),
        Some(Padding::None) => Ok(Mechanism::plain(CKM_RSA_X_509)),
        Some(Padding::OAEP) => {
            let (hash_kind, own_mgf) =
                hash(parameters, Tag::HASHING_ALGORITHM)?.unwrap_or((CKM_SHA_1, CKG_MGF1_SHA1));
            let mgf =
                hash(parameters, Tag::MASK_GENERATOR_HASHING_ALGORITHM)?.map_or(own_mgf, |(_, mgf)| mgf);
            let label = parameters.and_then(|parameters| parameters.child(Tag::P_SOURCE));
            let label = label.map(Item::as_bytes).transpose()?.unwrap_or_default().to_vec();
            Ok(Mechanism {
                kind: CKM_RSA_PKCS_OAEP,
                parameter: Parameter::Oaep { hash: hash_kind, mgf, label },
            })
        }
        Some(_) => Err(Failure::new(
            Reason::UnsupportedCryptographicParameters,
            "RSA does not encrypt with this padding",
        )),
    }
}
