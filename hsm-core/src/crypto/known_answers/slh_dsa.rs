//! SLH-DSA: the keys of NIST's ACVP server (SLH-DSA-keyGen-FIPS205), a set each.

use super::{all, bytes};
use crate::crypto::{PrivateForm, SignatureSet};
use crate::error::Error;

/// A seed, and the root that follows from it.
const KEYS: [(SignatureSet, &str, &str); 12] = [
    (
        SignatureSet::SlhDsaSha2_128s,
        "173d04c938c1c36bf289c3c022d04b1463ae23c41aa546da\
         589774ac20b745c40d794777914c99766827f0f09ca972be",
        "0162c10219d422adba1359e6aa65299c",
    ),
    (
        SignatureSet::SlhDsaShake128s,
        "c151951f3811029239b74add24c506afdd30363e156e6fe9\
         36ec6ed0231feb5c529ffe86200d1f32c2b60d0cd909f190",
        "0761f9b727afa724b47223016bb5b2ba",
    ),
    (
        SignatureSet::SlhDsaSha2_128f,
        "c42bcb3b5a6f331f5cce899253c6d9e29ff2b7ead7a04bab\
         1794db8cc659c3b4a868f1bd5debc12d4c9fad66aabd0a94",
        "b546df247be4c457f3d467cdfcfabd39",
    ),
    (
        SignatureSet::SlhDsaShake128f,
        "3956ab391b4d22fc907af0740326d061ab0eb206436f2b86\
         ebe086d77739b3e456505c229f4e7fa6b201714c7dcc9da3",
        "66578f1f24c3fe371c97c14ce0e79cdc",
    ),
    (
        SignatureSet::SlhDsaSha2_192s,
        "040266529c1864088925506c20a624a2b6d50cd77c1c6f0d2841150ae8157512ef34a343\
         ffea77ff7d9e814b45a8b41464462665f4202886206a8f632267186ca6a1cad08a2b9a86",
        "2c6a7bc4ac4aaa84accef60d529f0311274f205e8da642c9",
    ),
    (
        SignatureSet::SlhDsaShake192s,
        "8732621860e9a6e1887be55f7af692b98eb4c10b2599f94ad5cc9d6470d8b21136158e8b\
         1710f1fbe03eced37ed4ac6853fc64d46d7e1653ebbb36ed5fbc12c6e7cef3cb756482c8",
        "c620452e864e8497e1b38a7b04449219acd9e4393f9c88ef",
    ),
    (
        SignatureSet::SlhDsaSha2_192f,
        "a021b4b9d6dee168722bc10225e50a946642af630c3c7c7d69e3a40ba09df2ac165b792a\
         07f064ac5fc28d8c99a580f4ee4823d09e79854706daa80ae3179b5bc8c2e9409d6328a3",
        "3577fd584bc0784c559cdb2437a46f7f753c336369419acf",
    ),
    (
        SignatureSet::SlhDsaShake192f,
        "fb7a2c2c75ce6c96b5f4328e0ab300476fc6f864cb5b0b99990ecb726ca822a4e3652dd9\
         2ec0aab7637ea41c0482ae2868dcc671e3534f81a352c275b6a25f906d2ed0ff62b8b4e3",
        "98f1a9876cb082a48e9ae2c862b289486a3925cefc6ff4be",
    ),
    (
        SignatureSet::SlhDsaSha2_256s,
        "fcbf36a9807b30697be063a5105e091b412a391dd39e1326eba23cbd4096ca77ef4121c08dd71be913572f1f91e57d0a\
         cbcd5cec28539ac275832bbaa6c11081a0b4f5549ebcadb951dc2e512c76b0620d8fb8100b4ee886ef8784780d52a254",
        "3e57ab494d47068ffee4b8244aad6f19cdf94a2172bd134a15a6b5f298d5a80e",
    ),
    (
        SignatureSet::SlhDsaShake256s,
        "e440e39644a11a6a58e850c09c8f03c273e465237f3bef7c58de62281e676cea99c199c00db30f8499a61b5b9dc8a361\
         725f6ae80e97037176f408c30b38844dd7b5e755b4879fde3288a21af3e32fbb006fd9b8bc2b180eb9b0d82c9f3157af",
        "02acd6b3198ee1c9fe9afe61fd86d1e0877ad9061980b57b178ce27191d8eb1b",
    ),
    (
        SignatureSet::SlhDsaSha2_256f,
        "18523702a0fe2c9e488948b127185bab93d3f02c3d7c23a1b379f762de0509e56ab0d9f93540bd809d1d2e8a050440aa\
         81e853750470e2b00c959dbd3be40e2bd7125f5d00ba47f1fc8d4c32c2f57c444bd384d7ce770bc50dd5980c1d1264d0",
        "0ad5197ffcbaafe11b1e413f26adb1504ce1c3f5c40c1dcda14e99fd126d5b81",
    ),
    (
        SignatureSet::SlhDsaShake256f,
        "2ac9403858d186b172edd8df9c78a11449893681487d3af0dad0ec341e8aca48afa2771bae6c17dd6f77b4e3808b05f5\
         6f31b8f4128df2ccb677f0283cfb18da559bc883105e8ba0264648b532626155f87edb4bedcfc12a24204d3b696d5370",
        "7a158ff5d30e3428183a3b3a96a0e4a341a2a16e5a6226af374d1efb39a35df6",
    ),
];

#[test]
fn keys_follow_from_their_seeds() {
    for (set, seed, root) in KEYS {
        let (seed, root) = (bytes(seed), bytes(root));
        let public = [&seed[2 * root.len()..], &root].concat();
        for (name, key) in all(|provider| provider.pq_private(set, PrivateForm::Seed(&seed))) {
            let key = key.unwrap();
            assert_eq!(key.public_key(), public, "{name} {set:?}");
            assert!(key.private_key().equals(&[&seed, &root[..]].concat()), "{name} {set:?}");
        }
    }
}

#[test]
fn a_signature_is_for_its_message_and_of_its_length() {
    let (set, seed, _) = KEYS[3];
    for (_, key) in all(|provider| provider.pq_private(set, PrivateForm::Seed(&bytes(seed)))) {
        let key = key.unwrap();
        let signature = key.sign(&[b"mes", b"sage"], Some(&[7; 16])).unwrap();
        assert_ne!(signature, key.sign(&[b"message"], None).unwrap());
        assert!(matches!(key.sign(&[b"message"], Some(&[7; 15])), Err(Error::ArgumentsBad(_))));
        for (name, verifier) in all(|provider| provider.pq_public(set, &key.public_key())) {
            let verifier = verifier.unwrap();
            verifier.verify(&[b"message"], &signature).unwrap();
            let other = verifier.verify(&[b"massage"], &signature);
            assert!(matches!(other, Err(Error::SignatureInvalid)), "{name}");
            let short = verifier.verify(&[b"message"], &signature[1..]);
            assert!(matches!(short, Err(Error::SignatureLength)), "{name}");
        }
    }
}

#[test]
fn keys_of_another_length_are_refused() {
    for (set, seed, _) in KEYS {
        let seed = bytes(seed);
        for form in [PrivateForm::Seed(&seed[1..]), PrivateForm::Expanded(&seed)] {
            for (name, key) in all(|provider| provider.pq_private(set, form)) {
                assert!(matches!(key, Err(Error::ArgumentsBad(_))), "{name} {set:?}");
            }
        }
        for (name, key) in all(|provider| provider.pq_public(set, &seed)) {
            assert!(matches!(key, Err(Error::PublicKeyInvalid)), "{name} {set:?}");
        }
    }
}
