//! Operations begun by a transform, a scheme or a derivation instead of by a mechanism's row.

use std::sync::Arc;

use cryptoki_sys::*;

use super::*;
use crate::crypto::{self, Curve, Direction, Hash, Iteration, Padding, Prf, Pss};
use crate::object::material::Key;
use crate::object::{Object, Value, values};
use crate::secret::Secret;

fn object(class: u64, key_type: u64) -> Object {
    let mut object = Object::default();
    object.set(CKA_CLASS, Value::Number(class));
    object.set(CKA_KEY_TYPE, Value::Number(key_type));
    object
}

fn secret(key_type: u64, value: &[u8]) -> Arc<Key> {
    let mut object = object(CKO_SECRET_KEY, key_type);
    object.set(CKA_VALUE, Value::Secret(Secret::copy_of(value)));
    Arc::new(values::settle(object).unwrap())
}

/// A fresh RSA key pair of 1024 bits, public key first.
fn rsa() -> (Arc<Key>, Arc<Key>) {
    let parts = crypto::generate_rsa(1024, &[1, 0, 1]).unwrap();
    let mut private = object(CKO_PRIVATE_KEY, CKK_RSA);
    values::put_rsa_private(&mut private, &parts).unwrap();
    let mut public = object(CKO_PUBLIC_KEY, CKK_RSA);
    public.set(CKA_MODULUS, Value::Bytes(parts.modulus));
    public.set(CKA_PUBLIC_EXPONENT, Value::Bytes(parts.public_exponent));
    (Arc::new(Key::new(public)), Arc::new(Key::new(private)))
}

/// A private key of a fixed scalar on P-256, and its public point.
fn curve() -> (Arc<Key>, Vec<u8>) {
    let oid = const_oid::db::rfc5912::SECP_256_R_1;
    let mut private = object(CKO_PRIVATE_KEY, CKK_EC);
    private.set(CKA_EC_PARAMS, Value::Bytes(crate::object::formats::curve_params(oid).unwrap()));
    private.set(CKA_VALUE, Value::Secret(Secret::copy_of(&[7; 32])));
    let point = crypto::ec_private(Curve::P256, &[7; 32]).unwrap().public_point().unwrap();
    (Arc::new(Key::new(private)), point)
}

fn cipher(transform: Transform, direction: Direction, key: &Arc<Key>, input: &[u8]) -> Result<Vec<u8>> {
    let mut ciphering = Ciphering::by(transform, direction, key.clone())?;
    let mut out = vec![0; input.len() + 256];
    let length = ciphering.whole(input, &mut out)?;
    out.truncate(length);
    Ok(out)
}

/// The same in parts of 7 bytes.
fn in_parts(transform: Transform, direction: Direction, key: &Arc<Key>, input: &[u8]) -> Result<Vec<u8>> {
    let mut ciphering = Ciphering::by(transform, direction, key.clone())?;
    let mut all = Vec::new();
    for part in input.chunks(7) {
        let mut out = vec![0; ciphering.update_len(part.len())];
        let length = ciphering.update(part, &mut out)?;
        all.extend_from_slice(&out[..length]);
    }
    let mut out = vec![0; ciphering.finish_len()];
    let length = ciphering.finish(&mut out)?;
    all.extend_from_slice(&out[..length]);
    Ok(all)
}

/// A key, and what makes a transform for it.
type Sample = (Arc<Key>, fn() -> Transform);

/// Every transform of a secret key, under a key that fits it.
fn transforms() -> Vec<Sample> {
    let aes = || secret(CKK_AES, &[1; 16]);
    let des3 = || secret(CKK_DES3, &std::array::from_fn::<u8, 24, _>(|at| at as u8));
    let blowfish = || secret(CKK_GENERIC_SECRET, &[2; 16]);
    let chacha = || secret(CKK_CHACHA20, &[2; 32]);
    let halves = secret(CKK_GENERIC_SECRET, &std::array::from_fn::<u8, 64, _>(|at| at as u8));
    vec![
        (aes(), || Transform::EcbPad(Padding::Pkcs7)),
        (aes(), || Transform::CbcPad([3; 16], Padding::Pkcs7)),
        (aes(), || Transform::Cfb([3; 16])),
        (aes(), || Transform::Cfb8([3; 16])),
        (aes(), || Transform::Cfb1([3; 16])),
        (aes(), || Transform::Cts([3; 16])),
        (aes(), || Transform::Ofb([3; 16])),
        (aes(), || Transform::Ctr { block: [3; 16], counter_bits: 32 }),
        (aes(), || Transform::Gcm { iv: vec![4; 12], aad: vec![5], tag_len: 16 }),
        (aes(), || Transform::Ccm { nonce: vec![4; 12], aad: vec![5], tag_len: 8, data_len: None }),
        (halves, || Transform::Xts([6; 16])),
        (des3(), || Transform::Des3EcbPad(Padding::Pkcs7)),
        (des3(), || Transform::Des3CbcPad([3; 8], Padding::Pkcs7)),
        (des3(), || Transform::Des3Cfb([3; 8])),
        (des3(), || Transform::Des3Ofb([3; 8])),
        (blowfish(), || Transform::BlowfishEcbPad(Padding::Pkcs7)),
        (blowfish(), || Transform::BlowfishCbcPad([3; 8], Padding::Pkcs7)),
        (chacha(), || Transform::ChaCha20 { nonce: vec![4; 12], counter: 1 }),
        (chacha(), || Transform::ChaCha20Poly1305 { nonce: [4; 12], aad: vec![5], tag_len: 16 }),
    ]
}

#[test]
fn every_transform_is_undone_whole_and_in_parts() {
    let message = b"a message of more than two blocks, of odd length";
    for (key, transform) in transforms() {
        assert!(transform().key_types().contains(&key.object().key_type().unwrap()), "{:?}", transform());
        let whole = cipher(transform(), Direction::Encrypt, &key, message).unwrap();
        assert_ne!(whole[..16], message[..16], "{:?}", transform());
        assert_eq!(in_parts(transform(), Direction::Encrypt, &key, message).unwrap(), whole);
        for decrypt in [cipher, in_parts] {
            assert_eq!(decrypt(transform(), Direction::Decrypt, &key, &whole).unwrap(), message);
        }
    }
}

#[test]
fn a_transform_refuses_a_key_of_another_size() {
    let short = secret(CKK_GENERIC_SECRET, &[1]);
    for (_, transform) in transforms() {
        let answer = Ciphering::by(transform(), Direction::Encrypt, short.clone());
        assert!(matches!(answer, Err(Error::KeySizeRange)), "{:?}", transform());
    }
}

#[test]
fn rsa_encrypts_and_decrypts_by_a_transform() {
    let (public, private) = rsa();
    let oaep = || Transform::RsaOaep { hash: Hash::Sha256, mgf: Hash::Sha1, label: b"label".to_vec() };
    for transform in [oaep as fn() -> Transform, || Transform::RsaV15] {
        let encrypted = cipher(transform(), Direction::Encrypt, &public, b"hush").unwrap();
        let mut ciphering = Ciphering::by(transform(), Direction::Decrypt, private.clone()).unwrap();
        let mut out = [0; 128];
        assert!(matches!(ciphering.update(&encrypted, &mut out), Err(Error::NotSupported)));
        let mut ciphering = Ciphering::by(transform(), Direction::Decrypt, private.clone()).unwrap();
        assert_eq!(ciphering.whole(&encrypted, &mut out).unwrap(), 4);
        assert_eq!(&out[..4], b"hush");
    }
}

fn sign(scheme: Scheme, key: &Arc<Key>, message: &[u8]) -> Result<Vec<u8>> {
    let mut signing = Signing::by(scheme, key.clone())?;
    let mut out = vec![0; signing.signature_len()];
    let length = signing.sign(message, &mut out)?;
    out.truncate(length);
    Ok(out)
}

fn verify(scheme: Scheme, key: &Arc<Key>, message: &[u8], signature: &[u8]) -> Result<()> {
    Verifying::by(scheme, key.clone())?.verify(message, signature)
}

#[test]
fn a_given_digest_is_signed_as_its_message_is() {
    let (public, private) = rsa();
    let message = b"to be signed";
    let digest = crypto::hash_of(Hash::Sha256, &[message]).unwrap();
    let by_digest = sign(Scheme::V15Digest(Hash::Sha256), &private, &digest).unwrap();
    assert_eq!(by_digest, sign(Scheme::V15(Some(Hash::Sha256)), &private, message).unwrap());
    verify(Scheme::V15Digest(Hash::Sha256), &public, &digest, &by_digest).unwrap();
    verify(Scheme::V15(Some(Hash::Sha256)), &public, message, &by_digest).unwrap();
}

#[test]
fn a_given_digest_of_another_length_or_hash_is_refused() {
    let (public, private) = rsa();
    let scheme = Scheme::V15Digest(Hash::Sha256);
    for length in [0, 20, 31, 33] {
        assert!(matches!(sign(scheme, &private, &vec![1; length]), Err(Error::DataLength)));
    }
    let signature = sign(scheme, &private, &[1; 32]).unwrap();
    assert!(matches!(verify(scheme, &public, &[1; 31], &signature), Err(Error::DataLength)));
    assert!(matches!(verify(scheme, &public, &[2; 32], &signature), Err(Error::SignatureInvalid)));
    let other = Scheme::V15Digest(Hash::Sha3_256);
    assert!(matches!(verify(other, &public, &[1; 32], &signature), Err(Error::SignatureInvalid)));
    let mut signing = Signing::by(scheme, private).unwrap();
    assert!(matches!(signing.update(&[1; 32]), Err(Error::NotSupported)));
}

#[test]
fn schemes_with_a_key_pair_verify_their_own_message_alone() {
    let (public, private) = rsa();
    let pss = Scheme::Pss(Pss { hash: Hash::Sha1, mgf: Hash::Sha256, salt_len: 11 }, Some(Hash::Sha1));
    for scheme in [pss, Scheme::V15(Some(Hash::Sha512))] {
        let signature = sign(scheme, &private, b"yes").unwrap();
        verify(scheme, &public, b"yes", &signature).unwrap();
        assert!(matches!(verify(scheme, &public, b"no", &signature), Err(Error::SignatureInvalid)));
        assert!(matches!(verify(scheme, &public, b"yes", &signature[1..]), Err(Error::SignatureLength)));
    }
    assert!(matches!(sign(pss, &public, b"yes"), Err(Error::KeyTypeInconsistent)));
}

#[test]
fn macs_are_cut_to_their_length() {
    let keys = [
        (Scheme::Hmac(Hash::Md5, 12), secret(CKK_GENERIC_SECRET, &[1; 16])),
        (Scheme::Cmac(12), secret(CKK_AES, &[1; 16])),
        (Scheme::Des3Cmac(5), secret(CKK_DES2, &std::array::from_fn::<u8, 16, _>(|at| at as u8))),
        (Scheme::CbcMac(12), secret(CKK_AES, &[1; 16])),
        (Scheme::Des3CbcMac(5), secret(CKK_DES2, &std::array::from_fn::<u8, 16, _>(|at| at as u8))),
    ];
    for (scheme, key) in keys {
        let tag = sign(scheme, &key, b"yes").unwrap();
        let is_des = matches!(scheme, Scheme::Des3Cmac(_) | Scheme::Des3CbcMac(_));
        assert_eq!(tag.len(), if is_des { 5 } else { 12 });
        verify(scheme, &key, b"yes", &tag).unwrap();
        assert!(matches!(verify(scheme, &key, b"no", &tag), Err(Error::SignatureInvalid)));
        assert!(matches!(verify(scheme, &key, b"yes", &tag[1..]), Err(Error::SignatureLength)));
    }
}

#[test]
fn macs_of_lengths_that_are_none_are_refused() {
    let key = secret(CKK_GENERIC_SECRET, &[1; 16]);
    for scheme in [
        Scheme::Hmac(Hash::Sha1, 0),
        Scheme::Hmac(Hash::Sha1, 21),
        Scheme::Cmac(0),
        Scheme::Cmac(17),
        Scheme::Des3Cmac(0),
        Scheme::Des3Cmac(9),
        Scheme::CbcMac(0),
        Scheme::CbcMac(17),
        Scheme::Des3CbcMac(0),
        Scheme::Des3CbcMac(9),
    ] {
        assert!(matches!(Signing::by(scheme, key.clone()), Err(Error::MechanismParamInvalid)));
        assert!(matches!(Verifying::by(scheme, key.clone()), Err(Error::MechanismParamInvalid)));
    }
}

#[test]
fn an_hmac_takes_generic_secrets_and_keys_of_its_hash() {
    for hash in Hash::ALL {
        let key_types = Scheme::Hmac(hash, 1).key_types();
        // GOST's has no keys of its own, but those of GOST 28147-89, which are not offered.
        let own = if hash == Hash::Gostr3411 { 0 } else { 1 };
        assert!(key_types.contains(&CKK_GENERIC_SECRET) && key_types.len() == 1 + own, "{hash:?}");
    }
    assert!(Scheme::Hmac(Hash::Sha384, 1).key_types().contains(&CKK_SHA384_HMAC));
}

#[test]
fn derivations_are_those_of_their_functions() {
    let key = secret(CKK_AES, &[9; 16]);
    let value = [9; 16];
    let cases: [(Derivation<'_>, Result<Secret>); 7] = [
        (
            Derivation::Hash { hash: Hash::Sha256, data: None },
            crypto::derive_by_hash(Hash::Sha256, &value, 20),
        ),
        (
            Derivation::Hash { hash: Hash::Sha256, data: Some(b"data") },
            crypto::derive_by_hash(Hash::Sha256, b"data", 20),
        ),
        (
            Derivation::Hmac { hash: Hash::Sha1, data: b"data" },
            crypto::derive_by_hmac(Hash::Sha1, &value, b"data", 20),
        ),
        (
            Derivation::Pbkdf2 { hash: Hash::Sha1, salt: b"salt", iterations: 3 },
            crypto::derive_by_pbkdf2(Hash::Sha1, &value, b"salt", 3, 20),
        ),
        (
            Derivation::Sp800_108 { prf: Prf::Cmac, mode: Iteration::Counter, fixed: b"fixed" },
            crypto::derive_by_sp800_108(Prf::Cmac, Iteration::Counter, &value, b"fixed", 20),
        ),
        (
            Derivation::Hkdf { hash: Hash::Sha256, salt: b"salt", info: b"info" },
            crypto::derive_by_hkdf(Hash::Sha256, &value, b"salt", b"info", 20),
        ),
        (
            Derivation::AwsSignatureV4 { date: b"20261128", region: b"r", service: b"s" },
            crypto::derive_by_aws_signature_v4(&value, b"20261128", b"r", b"s")
                .and_then(|secret| crypto::leading(secret.expose(), 20)),
        ),
    ];
    for (derivation, expected) in cases {
        let derived = derivation.derive(&key, 20).unwrap();
        assert!(derived.equals(expected.unwrap().expose()), "{derivation:?}");
    }
}

#[test]
fn encryption_derives_as_many_bytes_as_it_gives() {
    let key = secret(CKK_AES, &[9; 16]);
    let transform = Transform::CbcPad([0; 16], Padding::Pkcs7);
    let derivation = Derivation::Encrypt { transform: &transform, data: b"data" };
    let whole =
        cipher(Transform::CbcPad([0; 16], Padding::Pkcs7), Direction::Encrypt, &key, b"data").unwrap();
    assert!(derivation.derive(&key, 16).unwrap().equals(&whole));
    assert!(derivation.derive(&key, 5).unwrap().equals(&whole[..5]));
    for length in [0, 17] {
        assert!(matches!(derivation.derive(&key, length), Err(Error::DataLength)));
    }
}

#[test]
fn a_private_key_derives_by_agreement_alone() {
    let (private, point) = curve();
    let agreement = Derivation::Agree { point: &point };
    let shared = crypto::ec_private(Curve::P256, &[7; 32]).unwrap().agree(&point).unwrap();
    assert!(agreement.derive(&private, 32).unwrap().equals(shared.expose()));
    assert!(matches!(agreement.derive(&private, 33), Err(Error::DataLength)));
    let hash = Derivation::Hash { hash: Hash::Sha256, data: None };
    assert!(matches!(hash.derive(&private, 16), Err(Error::KeyTypeInconsistent)));
    let key = secret(CKK_AES, &[9; 16]);
    assert!(matches!(agreement.derive(&key, 16), Err(Error::KeyTypeInconsistent)));
    let nowhere = Derivation::Agree { point: &[4; 65] };
    assert!(matches!(nowhere.derive(&private, 16), Err(Error::PublicKeyInvalid)));
}
