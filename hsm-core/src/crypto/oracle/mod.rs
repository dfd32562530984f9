//! The differential oracle: AWS-LC and RustCrypto must agree on random inputs, on results and on
//! refusals, in everything that both offer. What that is stands in tables here and in the files below;
//! a provider that answers `None` where a table has it fails the test, as does one that begins to offer
//! what the tables call the other's alone.
#![cfg(feature = "aws-lc")]

mod curves;
mod finite;
mod rsa;
mod symmetric;

use proptest::test_runner::Config;

use super::aws_lc::AwsLc;
use super::rust_crypto::RustCrypto;
use super::*;

/// The two opinions.
const PROVIDERS: [&dyn Provider; 2] = [&AwsLc, &RustCrypto];

/// Asks both; each must offer it.
fn both<T>(ask: impl Fn(&'static dyn Provider) -> Option<T>) -> [T; 2] {
    PROVIDERS.map(|provider| ask(provider).unwrap_or_else(|| panic!("not offered by {}", provider.name())))
}

/// A result as tests compare it: errors by the name of their variant, because their texts are each
/// provider's own.
fn outcome<T>(result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|error| format!("{error:?}").split([' ', '(']).next().unwrap_or_default().to_owned())
}

/// The same for secrets.
fn exposed(result: Result<Secret>) -> std::result::Result<Vec<u8>, String> {
    outcome(result.map(|secret| secret.expose().to_vec()))
}

/// How many random inputs a property sees.
fn cases(number: u32) -> Config {
    Config { cases: number, ..Config::default() }
}

/// What RustCrypto alone offers, so that there is nothing to compare: should AWS-LC come to offer it
/// too, this fails, and a property belongs here.
#[test]
fn what_one_provider_offers_alone() {
    let ccm = AesMode::Ccm { nonce: &[0; 12], aad: &[], tag_len: 16 };
    let xts = AesMode::Xts { tweak: &[0; 16] };
    let two_keys: Vec<u8> = (0..32).collect();
    for (mode, key) in [(ccm, &[0; 16][..]), (xts, &two_keys)] {
        assert!(AwsLc.aes(mode, Direction::Encrypt, key).is_none());
        assert!(RustCrypto.aes(mode, Direction::Encrypt, key).is_some());
    }
    for mode in [Des3Mode::Cfb { iv: &[0; 8] }, Des3Mode::Ofb { iv: &[0; 8] }] {
        assert!(AwsLc.des3(mode, Direction::Encrypt, &[0; 24]).is_none());
        assert!(RustCrypto.des3(mode, Direction::Encrypt, &[0; 24]).is_some());
    }
    assert!(AwsLc.digest(Hash::Gostr3411).is_none() && AwsLc.hmac(Hash::Gostr3411, &[0; 32]).is_none());
    assert!(
        RustCrypto.digest(Hash::Gostr3411).is_some() && RustCrypto.hmac(Hash::Gostr3411, &[0; 32]).is_some()
    );
    assert!(AwsLc.blowfish(BlowfishMode::Ecb, Direction::Encrypt, &[0; 16]).is_none());
    assert!(RustCrypto.blowfish(BlowfishMode::Ecb, Direction::Encrypt, &[0; 16]).is_some());
    assert!(AwsLc.des3_cmac(&[0; 24]).is_none());
    assert!(RustCrypto.des3_cmac(&[0; 24]).is_some());
    assert!(AwsLc.chacha20(&[0; 12], 0, &[0; 32]).is_none());
    assert!(RustCrypto.chacha20(&[0; 12], 0, &[0; 32]).is_some());
    for mode in [AesMode::Cfb8 { iv: &[0; 16] }, AesMode::Cts { iv: &[0; 16] }] {
        assert!(AwsLc.aes(mode, Direction::Encrypt, &[0; 16]).is_none());
        assert!(RustCrypto.aes(mode, Direction::Encrypt, &[0; 16]).is_some());
    }
    assert!(AwsLc.poly1305(&[0; 32], b"").is_none());
    assert!(RustCrypto.poly1305(&[0; 32], b"").is_some());
    assert!(AwsLc.shake(Shake::Shake128, b"", 16).is_none());
    assert!(RustCrypto.shake(Shake::Shake128, b"", 16).is_some());
    // Parameters of these lengths; those of others are AWS-LC's alone.
    assert!(AwsLc.generate_dsa_group(2048, 224).is_none());
    assert!(RustCrypto.generate_dsa_group(512, 160).is_none());
    assert!(RustCrypto.generate_dh_group(2048).is_none());
    assert!(AwsLc.cmac(&[0; 16]).is_none());
    assert!(RustCrypto.cmac(&[0; 16]).is_some());
    for mode in [KeyWrap::Kw, KeyWrap::Kwp] {
        assert!(AwsLc.wrap(mode, &[0; 16], &[0; 16]).is_none());
        assert!(AwsLc.unwrap(mode, &[0; 16], &[0; 24]).is_none());
        assert!(RustCrypto.wrap(mode, &[0; 16], &[0; 16]).is_some());
        assert!(RustCrypto.unwrap(mode, &[0; 16], &[0; 24]).is_some());
    }
}
