//! How strong keys are: the work of the best attack known, as a power of two. NIST SP 800-57 part 1 revision 5, section
//! 5.6.1, tables 2 and 3; of the post-quantum schemes, the security categories of FIPS 203 to 205.

use cryptoki_sys::*;

use super::Object;
use super::encoding::bit_len;
use super::material::size_bits;
use super::parameter_sets::{ParameterSet, is_post_quantum};
use crate::crypto::{KemSet, SignatureSet};

/// The least strength, in bits, of keys that protect anything new. NIST SP 800-131A revision 2, section 1.2.2.
pub(super) const LEAST: u64 = 112;

/// No attack is counted as harder: what is longer is as strong as AES-256.
const MOST: u64 = 256;

/// Table 2, for factoring and for discrete logarithms in a field: the smallest size in bits, and its strength.
const OF_FIELDS: [(u64, u64); 5] = [(15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80)];

/// The strength of a key in bits.
pub(super) fn bits(key: &Object) -> u64 {
    let size = size_bits(key);
    match key.key_type() {
        Some(CKK_RSA) => of_field(size),
        // Private values that are short are found by their length, in a subgroup or in none.
        Some(CKK_DSA) => of_field(size).min(bit_len(key.bytes(CKA_SUBPRIME)) / 2),
        Some(CKK_DH) if key.class() == CKO_PRIVATE_KEY => {
            of_field(size).min(bit_len(key.bytes(CKA_VALUE)) / 2)
        }
        Some(CKK_DH) => of_field(size),
        // Half the size of the group's order.
        Some(CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY) => size.div_ceil(2).min(MOST),
        Some(CKK_DES) => 56,
        Some(CKK_DES2) => 80,
        Some(CKK_DES3) => 112,
        // Two keys, of which one makes the tweak.
        Some(CKK_AES_XTS) => (size / 2).min(MOST),
        Some(key_type) if is_post_quantum(key_type) => ParameterSet::of(key).map_or(0, of_set),
        Some(_) => size.min(MOST),
        None => 0,
    }
}

fn of_field(size: u64) -> u64 {
    OF_FIELDS.into_iter().find(|(least, _)| size >= *least).map_or(0, |(_, strength)| strength)
}

const fn of_set(set: ParameterSet) -> u64 {
    match set {
        ParameterSet::Kem(set) => of_kem(set),
        ParameterSet::Signature(set) => of_signature(set),
    }
}

const fn of_kem(set: KemSet) -> u64 {
    match set {
        KemSet::MlKem512 => 128,
        KemSet::MlKem768 => 192,
        KemSet::MlKem1024 => 256,
    }
}

const fn of_signature(set: SignatureSet) -> u64 {
    use SignatureSet::*;
    match set {
        // Category 2: finding collisions of SHA-256.
        MlDsa44 | SlhDsaSha2_128s | SlhDsaSha2_128f | SlhDsaShake128s | SlhDsaShake128f => 128,
        MlDsa65 | SlhDsaSha2_192s | SlhDsaSha2_192f | SlhDsaShake192s | SlhDsaShake192f => 192,
        MlDsa87 | SlhDsaSha2_256s | SlhDsaSha2_256f | SlhDsaShake256s | SlhDsaShake256f => 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Value;
    use crate::secret::Secret;

    fn secret(key_type: u64, bytes: usize) -> u64 {
        let mut key = Object::default();
        key.set(CKA_KEY_TYPE, Value::Number(key_type));
        key.set(CKA_VALUE, Value::Secret(Secret::new(vec![1; bytes])));
        bits(&key)
    }

    fn rsa(size: usize) -> u64 {
        let mut key = Object::default();
        key.set(CKA_KEY_TYPE, Value::Number(CKK_RSA));
        key.set(CKA_MODULUS, Value::Bytes(vec![0xff; size / 8]));
        bits(&key)
    }

    fn dh(value: Vec<u8>) -> u64 {
        let mut key = Object::default();
        key.set(CKA_CLASS, Value::Number(CKO_PRIVATE_KEY));
        key.set(CKA_KEY_TYPE, Value::Number(CKK_DH));
        key.set(CKA_PRIME, Value::Bytes(vec![0xff; 256]));
        key.set(CKA_VALUE, Value::Secret(Secret::new(value)));
        bits(&key)
    }

    #[test]
    fn a_short_private_value_is_no_stronger_than_its_length() {
        assert_eq!([vec![0xff; 256], vec![0xff; 28], vec![0xff; 20], vec![1]].map(dh), [112, 112, 80, 0]);
    }

    #[test]
    fn keys_are_as_strong_as_the_tables_say() {
        assert_eq!([1016, 1024, 2048, 4096, 7680, 16384].map(rsa), [0, 80, 112, 128, 192, 256]);
        assert_eq!([CKK_DES, CKK_DES2, CKK_DES3].map(|kind| secret(kind, 24)), [56, 80, 112]);
        assert_eq!([16, 24, 32].map(|bytes| secret(CKK_AES, bytes)), [128, 192, 256]);
        assert_eq!([32, 64].map(|bytes| secret(CKK_AES_XTS, bytes)), [128, 256]);
        assert_eq!([13, 14, 64].map(|bytes| secret(CKK_GENERIC_SECRET, bytes)), [104, 112, 256]);
        assert_eq!(bits(&Object::default()), 0);
    }
}
