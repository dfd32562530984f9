//! The parameter sets of post-quantum keys on offer: CKA_PARAMETER_SET of each key type, and the object
//! identifiers under which SubjectPublicKeyInfo and PrivateKeyInfo name them (RFC 9935, RFC 9881, RFC 9909).

use const_oid::ObjectIdentifier;
use cryptoki_sys::*;

use super::Object;
use crate::crypto::{KemSet, SignatureSet};
use crate::error::{Error, Result};

/// A parameter set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ParameterSet {
    /// Of CKK_ML_KEM.
    Kem(KemSet),
    /// Of CKK_ML_DSA and CKK_SLH_DSA.
    Signature(SignatureSet),
}

struct Row {
    key_type: u64,
    number: u64,
    set: ParameterSet,
    oid: ObjectIdentifier,
}

const fn kem(number: u64, set: KemSet, oid: &str) -> Row {
    let oid = ObjectIdentifier::new_unwrap(oid);
    Row { key_type: CKK_ML_KEM, number, set: ParameterSet::Kem(set), oid }
}

const fn lattice(number: u64, set: SignatureSet, oid: &str) -> Row {
    let oid = ObjectIdentifier::new_unwrap(oid);
    Row { key_type: CKK_ML_DSA, number, set: ParameterSet::Signature(set), oid }
}

const fn hashes(number: u64, set: SignatureSet, oid: &str) -> Row {
    let oid = ObjectIdentifier::new_unwrap(oid);
    Row { key_type: CKK_SLH_DSA, number, set: ParameterSet::Signature(set), oid }
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    kem(    CKP_ML_KEM_512,         KemSet::MlKem512,              "2.16.840.1.101.3.4.4.1"),
    kem(    CKP_ML_KEM_768,         KemSet::MlKem768,              "2.16.840.1.101.3.4.4.2"),
    kem(    CKP_ML_KEM_1024,        KemSet::MlKem1024,             "2.16.840.1.101.3.4.4.3"),
    lattice(CKP_ML_DSA_44,          SignatureSet::MlDsa44,         "2.16.840.1.101.3.4.3.17"),
    lattice(CKP_ML_DSA_65,          SignatureSet::MlDsa65,         "2.16.840.1.101.3.4.3.18"),
    lattice(CKP_ML_DSA_87,          SignatureSet::MlDsa87,         "2.16.840.1.101.3.4.3.19"),
    hashes( CKP_SLH_DSA_SHA2_128S,  SignatureSet::SlhDsaSha2_128s, "2.16.840.1.101.3.4.3.20"),
    hashes( CKP_SLH_DSA_SHA2_128F,  SignatureSet::SlhDsaSha2_128f, "2.16.840.1.101.3.4.3.21"),
    hashes( CKP_SLH_DSA_SHA2_192S,  SignatureSet::SlhDsaSha2_192s, "2.16.840.1.101.3.4.3.22"),
    hashes( CKP_SLH_DSA_SHA2_192F,  SignatureSet::SlhDsaSha2_192f, "2.16.840.1.101.3.4.3.23"),
    hashes( CKP_SLH_DSA_SHA2_256S,  SignatureSet::SlhDsaSha2_256s, "2.16.840.1.101.3.4.3.24"),
    hashes( CKP_SLH_DSA_SHA2_256F,  SignatureSet::SlhDsaSha2_256f, "2.16.840.1.101.3.4.3.25"),
    hashes( CKP_SLH_DSA_SHAKE_128S, SignatureSet::SlhDsaShake128s, "2.16.840.1.101.3.4.3.26"),
    hashes( CKP_SLH_DSA_SHAKE_128F, SignatureSet::SlhDsaShake128f, "2.16.840.1.101.3.4.3.27"),
    hashes( CKP_SLH_DSA_SHAKE_192S, SignatureSet::SlhDsaShake192s, "2.16.840.1.101.3.4.3.28"),
    hashes( CKP_SLH_DSA_SHAKE_192F, SignatureSet::SlhDsaShake192f, "2.16.840.1.101.3.4.3.29"),
    hashes( CKP_SLH_DSA_SHAKE_256S, SignatureSet::SlhDsaShake256s, "2.16.840.1.101.3.4.3.30"),
    hashes( CKP_SLH_DSA_SHAKE_256F, SignatureSet::SlhDsaShake256f, "2.16.840.1.101.3.4.3.31"),
];

impl ParameterSet {
    /// The set of a key object.
    ///
    /// # Errors
    /// [`Error::ParameterSetNotSupported`] where CKA_PARAMETER_SET names none of the key's type.
    pub(crate) fn of(object: &Object) -> Result<ParameterSet> {
        let fits = |row: &&Row| {
            Some(row.key_type) == object.key_type() && Some(row.number) == object.number(CKA_PARAMETER_SET)
        };
        TABLE.iter().find(fits).map(|row| row.set).ok_or(Error::ParameterSetNotSupported)
    }

    /// Key type and CKA_PARAMETER_SET of an object identifier.
    pub(crate) fn named(oid: ObjectIdentifier) -> Option<(u64, u64)> {
        TABLE.iter().find(|row| row.oid == oid).map(|row| (row.key_type, row.number))
    }

    /// The set's object identifier.
    pub(crate) fn oid(self) -> Result<ObjectIdentifier> {
        TABLE.iter().find(|row| row.set == self).map(|row| row.oid).ok_or(Error::ParameterSetNotSupported)
    }

    /// Length of the public key in bytes, by which mechanisms count keys.
    pub(crate) const fn public_len(self) -> usize {
        match self {
            ParameterSet::Kem(set) => set.public_len(),
            ParameterSet::Signature(set) => set.public_len(),
        }
    }

    /// Length in bytes of the seed from which a key is made.
    pub(crate) const fn seed_len(self) -> usize {
        match self {
            ParameterSet::Kem(_) => KemSet::SEED_LEN,
            ParameterSet::Signature(set) => set.seed_len(),
        }
    }
}

/// Whether keys of this type have a parameter set.
pub(crate) const fn is_post_quantum(key_type: u64) -> bool {
    matches!(key_type, CKK_ML_KEM | CKK_ML_DSA | CKK_SLH_DSA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_one_row_with_a_number_and_an_identifier_of_its_own() {
        for set in KemSet::ALL.map(ParameterSet::Kem) {
            assert_eq!(TABLE.iter().filter(|row| row.set == set).count(), 1);
        }
        for set in SignatureSet::ALL.map(ParameterSet::Signature) {
            assert_eq!(TABLE.iter().filter(|row| row.set == set).count(), 1);
        }
        for row in TABLE {
            let same = |other: &&Row| {
                (other.key_type, other.number) == (row.key_type, row.number) || other.oid == row.oid
            };
            assert_eq!(TABLE.iter().filter(same).count(), 1, "{}", row.oid);
        }
    }

    #[test]
    fn a_number_of_another_type_is_none() {
        let mut object = Object::default();
        object.set(CKA_KEY_TYPE, crate::object::Value::Number(CKK_ML_DSA));
        for number in [0, 4, u64::MAX] {
            object.set(CKA_PARAMETER_SET, crate::object::Value::Number(number));
            assert!(matches!(ParameterSet::of(&object), Err(Error::ParameterSetNotSupported)));
        }
    }
}
