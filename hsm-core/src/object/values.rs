//! The values of keys: put into objects when a key is generated or unwrapped, checked when a caller
//! gives them, and completed with what follows from them (CKA_VALUE_LEN, CKA_MODULUS_BITS,
//! CKA_CHECK_VALUE, CKA_PUBLIC_KEY_INFO, the CRT numbers of an RSA key).

use cryptoki_sys::*;

use super::curves::NamedCurve;
use super::encoding;
use super::finite::{self, is_finite};
use super::material::{Key, size_bits};
use super::otp;
use super::parameter_sets::is_post_quantum;
use super::post_quantum;
use super::template::LONGEST_VALUE;
use super::{Object, Value};
use crate::crypto::{self, AesMode, Des3Mode, Direction, Hash, RsaCrt, RsaParts};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Checks the values of an object that a caller gave or a key was unwrapped into, completes them, and
/// answers the object as a key.
pub(crate) fn settle(mut object: Object) -> Result<Key> {
    for (kind, value) in object.attributes() {
        if value.as_bytes().is_some_and(|bytes| bytes.len() > LONGEST_VALUE) {
            return Err(Error::AttributeValueInvalid(kind));
        }
    }
    match (object.class(), object.key_type()) {
        (class @ (CKO_SECRET_KEY | CKO_OTP_KEY), Some(key_type)) if class == secret_class(key_type) => {
            check_secret_len(key_type, object.bytes(CKA_VALUE).len())?;
            if class == CKO_OTP_KEY {
                otp::settle(&mut object)?;
            }
            settle_secret(&mut object)?;
            Ok(Key::new(object))
        }
        (CKO_PRIVATE_KEY, Some(CKK_RSA)) => settle_rsa_private(object),
        (CKO_PRIVATE_KEY, Some(CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY)) => settle_curve_private(object),
        (CKO_PRIVATE_KEY, Some(key_type)) if is_post_quantum(key_type) => {
            post_quantum::settle_private(object)
        }
        (CKO_PUBLIC_KEY, Some(key_type)) if is_post_quantum(key_type) => post_quantum::settle_public(object),
        (CKO_PRIVATE_KEY, Some(key_type)) if is_finite(key_type) => finite::settle_private(object),
        (CKO_PUBLIC_KEY, Some(key_type)) if is_finite(key_type) => finite::settle_public(object),
        (CKO_DOMAIN_PARAMETERS, _) => finite::settle_domain(object),
        (CKO_PUBLIC_KEY, Some(CKK_RSA)) => settle_rsa_public(object),
        (CKO_PUBLIC_KEY, Some(CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY)) => settle_curve_public(object),
        (CKO_PUBLIC_KEY | CKO_PRIVATE_KEY | CKO_SECRET_KEY | CKO_OTP_KEY, _) => {
            Err(Error::AttributeValueInvalid(CKA_KEY_TYPE))
        }
        (CKO_CERTIFICATE, _) => settle_certificate(object),
        _ => Ok(Key::new(object)),
    }
}

/// The class of secret keys of a type: those of one-time passwords have their own.
pub(crate) const fn secret_class(key_type: u64) -> u64 {
    if key_type == CKK_HOTP { CKO_OTP_KEY } else { CKO_SECRET_KEY }
}

/// The lengths that a secret key's value may have, in bytes.
pub(crate) fn check_secret_len(key_type: u64, length: usize) -> Result<()> {
    let fits = match key_type {
        CKK_AES => matches!(length, 16 | 24 | 32),
        CKK_AES_XTS => matches!(length, 32 | 64),
        CKK_DES => length == 8,
        CKK_DES2 => length == 16,
        CKK_DES3 => length == 24,
        CKK_CHACHA20 | CKK_POLY1305 => length == 32,
        CKK_HOTP => otp::KEY_BYTES.contains(&length),
        CKK_GENERIC_SECRET | CKK_HKDF | CKK_MD5_HMAC | CKK_SHA_1_HMAC | CKK_SHA224_HMAC | CKK_SHA256_HMAC
        | CKK_SHA384_HMAC | CKK_SHA512_HMAC | CKK_SHA512_224_HMAC | CKK_SHA512_256_HMAC
        | CKK_SHA3_224_HMAC | CKK_SHA3_256_HMAC | CKK_SHA3_384_HMAC | CKK_SHA3_512_HMAC => {
            (1..=LONGEST_VALUE).contains(&length)
        }
        _ => return Err(Error::AttributeValueInvalid(CKA_KEY_TYPE)),
    };
    if fits { Ok(()) } else { Err(Error::AttributeValueInvalid(CKA_VALUE)) }
}

/// The length in bytes that keys of a type have, where there is one alone.
pub(crate) const fn only_len(key_type: u64) -> Option<usize> {
    match key_type {
        CKK_DES => Some(8),
        CKK_DES2 => Some(16),
        CKK_DES3 => Some(24),
        CKK_CHACHA20 | CKK_POLY1305 => Some(32),
        _ => None,
    }
}

/// Gives fresh or derived bytes the form of a key type: DES has odd parity in each byte (FIPS 46-3). What
/// callers bring is taken as it is.
pub(crate) fn shape(key_type: Option<u64>, value: &mut Secret) {
    if matches!(key_type, Some(CKK_DES | CKK_DES2 | CKK_DES3)) {
        for byte in value.expose_mut() {
            let even = (*byte >> 1).count_ones().is_multiple_of(2);
            *byte = *byte & 0xfe | u8::from(even);
        }
    }
}

/// CKA_VALUE_LEN, which a template may have said and must have said rightly, and CKA_CHECK_VALUE.
fn settle_secret(object: &mut Object) -> Result<()> {
    let length = object.bytes(CKA_VALUE).len() as u64;
    if object.number(CKA_VALUE_LEN).is_some_and(|given| given != length) {
        return Err(Error::TemplateInconsistent(CKA_VALUE_LEN));
    }
    object.set(CKA_VALUE_LEN, Value::Number(length));
    set_check_value(object)
}

fn set_check_value(object: &mut Object) -> Result<()> {
    let check_value = check_value(object)?;
    match object.get(CKA_CHECK_VALUE).and_then(Value::as_bytes) {
        // An empty one, given by the caller, means that he wants none (section 4.10.2).
        Some(given) if !given.is_empty() && given != check_value => {
            Err(Error::AttributeValueInvalid(CKA_CHECK_VALUE))
        }
        Some(_) => Ok(()),
        None => {
            object.set(CKA_CHECK_VALUE, Value::Bytes(check_value));
            Ok(())
        }
    }
}

/// CKA_CHECK_VALUE: of an AES or DES key the first three bytes of an encrypted zero block (section 4.10.2),
/// of other secrets and of certificates those of the SHA-1 digest of the value (sections 6.8.2, 4.6.2).
fn check_value(object: &Object) -> Result<Vec<u8>> {
    let value = object.bytes(CKA_VALUE);
    let mut full = match object.key_type() {
        Some(CKK_AES) => {
            let mut out = vec![0; 16];
            crypto::aes(AesMode::Ecb, Direction::Encrypt, value)?.update(&[0; 16], &mut out)?;
            out
        }
        Some(CKK_DES | CKK_DES2 | CKK_DES3) => {
            let mut out = vec![0; 8];
            crypto::des3(Des3Mode::Ecb, Direction::Encrypt, value)?.update(&[0; 8], &mut out)?;
            out
        }
        _ => crypto::hash_of(Hash::Sha1, &[value])?,
    };
    full.truncate(3);
    Ok(full)
}

/// Makes an RSA private key complete, and refuses numbers that do not belong together.
fn settle_rsa_private(mut object: Object) -> Result<Key> {
    let parts =
        crypto::complete_rsa(rsa_parts(&object)).map_err(|_| Error::AttributeValueInvalid(CKA_MODULUS))?;
    put_rsa_private(&mut object, &parts)?;
    set_public_key_info(&mut object, |object| {
        let mut public = Object::default();
        public.set(CKA_KEY_TYPE, Value::Number(CKK_RSA));
        for kind in [CKA_MODULUS, CKA_PUBLIC_EXPONENT] {
            public.set(kind, Value::Bytes(object.bytes(kind).to_vec()));
        }
        encoding::public_key_info(&public)
    })?;
    let key = Key::new(object);
    key.rsa_private().map_err(|_| Error::AttributeValueInvalid(CKA_MODULUS))?;
    Ok(key)
}

fn settle_rsa_public(mut object: Object) -> Result<Key> {
    let bits = size_bits(&object);
    object.set(CKA_MODULUS_BITS, Value::Number(bits));
    set_public_key_info(&mut object, encoding::public_key_info)?;
    let key = Key::new(object);
    key.rsa_public().map_err(|_| Error::AttributeValueInvalid(CKA_MODULUS))?;
    Ok(key)
}

/// A private value of the curve's length; shorter ones, which some callers send, are filled up.
fn settle_curve_private(mut object: Object) -> Result<Key> {
    let curve = NamedCurve::read(object.bytes(CKA_EC_PARAMS), object.key_type())?;
    let value = object.bytes(CKA_VALUE);
    let zeros =
        curve.private_len().checked_sub(value.len()).ok_or(Error::AttributeValueInvalid(CKA_VALUE))?;
    let mut full = Secret::zeroed(curve.private_len());
    full.expose_mut().get_mut(zeros..).unwrap_or_default().copy_from_slice(value);
    if zeros > 0 && !matches!(curve, NamedCurve::Weierstrass(_)) {
        return Err(Error::AttributeValueInvalid(CKA_VALUE));
    }
    object.set(CKA_VALUE, Value::Secret(full));
    let key = Key::new(object.duplicate());
    let point = public_point(&key, curve).map_err(|_| Error::AttributeValueInvalid(CKA_VALUE))?;
    set_public_key_info(&mut object, |object| {
        let mut public = Object::default();
        public.set(CKA_KEY_TYPE, Value::Number(curve.key_type()));
        public.set(CKA_EC_PARAMS, Value::Bytes(object.bytes(CKA_EC_PARAMS).to_vec()));
        public.set(CKA_EC_POINT, Value::Bytes(encoding::to_octet_string(&point)?));
        encoding::public_key_info(&public)
    })?;
    Ok(Key::new(object))
}

/// CKA_EC_POINT is DER of an OCTET STRING (section 6.3.3); a raw point, which older callers send, is
/// taken too and kept as DER.
fn settle_curve_public(mut object: Object) -> Result<Key> {
    let curve = NamedCurve::read(object.bytes(CKA_EC_PARAMS), object.key_type())?;
    let given = object.bytes(CKA_EC_POINT).to_vec();
    let candidates = [encoding::octet_string(&given).map(<[u8]>::to_vec), Some(given.clone())];
    let point = candidates
        .into_iter()
        .flatten()
        .find(|point| is_point(curve, point))
        .ok_or(Error::AttributeValueInvalid(CKA_EC_POINT))?;
    object.set(CKA_EC_POINT, Value::Bytes(encoding::to_octet_string(&point)?));
    set_public_key_info(&mut object, encoding::public_key_info)?;
    Ok(Key::new(object))
}

fn is_point(curve: NamedCurve, point: &[u8]) -> bool {
    match curve {
        NamedCurve::Weierstrass(curve) => crypto::ec_public(curve, point).is_ok(),
        NamedCurve::Edwards(curve) => crypto::ed_public(curve, point).is_ok(),
        NamedCurve::Montgomery(curve) => point.len() == curve.len(),
    }
}

/// The public value that belongs to a private key on a curve: an uncompressed point, or as many bytes as RFC 8032
/// and RFC 7748 have.
pub(crate) fn public_point(key: &Key, curve: NamedCurve) -> Result<Vec<u8>> {
    match curve {
        NamedCurve::Weierstrass(_) => key.ec_private()?.public_point(),
        NamedCurve::Edwards(_) => key.ed_private()?.public_key(),
        NamedCurve::Montgomery(_) => key.x_private()?.public_key(),
    }
}

/// CKA_PUBLIC_KEY_INFO, which a template may have said and must have said rightly (section 4.9).
pub(super) fn set_public_key_info(
    object: &mut Object,
    info: impl FnOnce(&Object) -> Result<Vec<u8>>,
) -> Result<()> {
    let info = info(object)?;
    match object.get(CKA_PUBLIC_KEY_INFO).and_then(Value::as_bytes) {
        Some(given) if !given.is_empty() && given != info => {
            Err(Error::AttributeValueInvalid(CKA_PUBLIC_KEY_INFO))
        }
        _ => {
            object.set(CKA_PUBLIC_KEY_INFO, Value::Bytes(info));
            Ok(())
        }
    }
}

/// Section 4.6: a certificate is given by value, or by URL with its hashes.
fn settle_certificate(mut object: Object) -> Result<Key> {
    match object.number(CKA_CERTIFICATE_TYPE) {
        Some(CKC_X_509) => {}
        _ => return Err(Error::AttributeValueInvalid(CKA_CERTIFICATE_TYPE)),
    }
    if object.bytes(CKA_VALUE).is_empty() && object.bytes(CKA_URL).is_empty() {
        return Err(Error::TemplateIncomplete(CKA_VALUE));
    }
    let hashes = [CKA_HASH_OF_SUBJECT_PUBLIC_KEY, CKA_HASH_OF_ISSUER_PUBLIC_KEY];
    if !object.bytes(CKA_URL).is_empty() && hashes.iter().any(|kind| object.bytes(*kind).is_empty()) {
        return Err(Error::TemplateInconsistent(CKA_URL));
    }
    if !object.bytes(CKA_VALUE).is_empty() {
        set_check_value(&mut object)?;
    }
    Ok(Key::new(object))
}

/// The numbers of an RSA private key object.
pub(crate) fn rsa_parts(object: &Object) -> RsaParts {
    let secret = |kind| Secret::copy_of(object.bytes(kind));
    let crt = [CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT];
    RsaParts {
        modulus: object.bytes(CKA_MODULUS).to_vec(),
        public_exponent: object.bytes(CKA_PUBLIC_EXPONENT).to_vec(),
        private_exponent: secret(CKA_PRIVATE_EXPONENT),
        crt: crt.iter().all(|kind| !object.bytes(*kind).is_empty()).then(|| RsaCrt {
            prime_1: secret(CKA_PRIME_1),
            prime_2: secret(CKA_PRIME_2),
            exponent_1: secret(CKA_EXPONENT_1),
            exponent_2: secret(CKA_EXPONENT_2),
            coefficient: secret(CKA_COEFFICIENT),
        }),
    }
}

/// Puts the numbers of an RSA private key into its object.
pub(crate) fn put_rsa_private(object: &mut Object, parts: &RsaParts) -> Result<()> {
    let crt = parts.crt.as_ref().ok_or(Error::CryptoFailed("an RSA key without its factors"))?;
    object.set(CKA_MODULUS, Value::Bytes(parts.modulus.clone()));
    object.set(CKA_PUBLIC_EXPONENT, Value::Bytes(parts.public_exponent.clone()));
    for (kind, secret) in [
        (CKA_PRIVATE_EXPONENT, &parts.private_exponent),
        (CKA_PRIME_1, &crt.prime_1),
        (CKA_PRIME_2, &crt.prime_2),
        (CKA_EXPONENT_1, &crt.exponent_1),
        (CKA_EXPONENT_2, &crt.exponent_2),
        (CKA_COEFFICIENT, &crt.coefficient),
    ] {
        object.set(kind, Value::Secret(secret.duplicate()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key_type: u64, value: &[u8]) -> Result<Key> {
        let mut object = Object::default();
        object.set(CKA_CLASS, Value::Number(CKO_SECRET_KEY));
        object.set(CKA_KEY_TYPE, Value::Number(key_type));
        object.set(CKA_VALUE, Value::Secret(Secret::copy_of(value)));
        settle(object)
    }

    #[test]
    fn a_des_keys_check_value_is_an_encrypted_zero_block() {
        // Made with OpenSSL.
        let key = hex::decode("0123456789abcdef23456789abcdef01456789abcdef0123").unwrap();
        for (key_type, length, expected) in
            [(CKK_DES3, 24, [0x4e, 0xba, 0x73]), (CKK_DES2, 16, [0x86, 0xe9, 0x65])]
        {
            let settled = secret(key_type, &key[..length]).unwrap();
            assert_eq!(settled.object().bytes(CKA_CHECK_VALUE), expected);
        }
    }

    #[test]
    fn des_and_chacha20_keys_have_one_length() {
        for (key_type, length) in [(CKK_DES2, 16), (CKK_DES3, 24), (CKK_CHACHA20, 32)] {
            assert!(secret(key_type, &vec![1; length]).is_ok());
            for other in [0, 8, length - 1, length + 1] {
                assert!(matches!(
                    secret(key_type, &vec![1; other]),
                    Err(Error::AttributeValueInvalid(CKA_VALUE))
                ));
            }
        }
    }
}
