//! Templates and key values at their edges: duplicates, dates, nested templates, lengths, points,
//! check values, and private keys through a wrap. The attribute table itself is walked in
//! `object_rules`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::error::{Error, Result};
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::{Template, Value};
use hsm_core::session::{Access, ObjectHandle, Output, Session};
use kit::*;

/// A user's session; its objects are session objects, so that nothing is written.
fn session() -> (Fresh, Arc<Session>) {
    let fresh = Fresh::new();
    let session = fresh.user();
    (fresh, session)
}

fn with(mut template: Template, more: impl IntoIterator<Item = (u64, Value)>) -> Template {
    template.retain(|(kind, _)| *kind != CKA_TOKEN);
    template.extend(more);
    template
}

fn aes(more: impl IntoIterator<Item = (u64, Value)>) -> Template {
    with(secret(true, "aes", CKK_AES, &[1; 16]), more)
}

/// Asserts that this is exactly the refusal.
#[track_caller]
fn refused<T>(result: Result<T>, expected: Error) {
    let Err(error) = result else { panic!("not refused: {expected:?}") };
    assert_eq!(format!("{error:?}"), format!("{expected:?}"));
}

#[test]
fn an_attribute_given_twice_must_be_the_same() {
    let (_keep, session) = session();
    session.create_object(aes([label("aes"), number(CKA_KEY_TYPE, CKK_AES)])).unwrap();
    refused(session.create_object(aes([label("other")])), Error::TemplateInconsistent(CKA_LABEL));
    refused(session.create_object(aes([bytes(CKA_VALUE, [2; 16])])), Error::TemplateInconsistent(CKA_VALUE));
    let key_type = number(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
    refused(session.create_object(aes([key_type])), Error::TemplateInconsistent(CKA_KEY_TYPE));
}

#[test]
fn dates_are_dates_in_their_order() {
    let (_keep, session) = session();
    let date = |kind, date: &[u8; 8]| (kind, Value::Date(Some(*date)));
    for wrong in [b"2026-1-1", b"20261301", b"20260001", b"20260100", b"20260132", b"2026010 ", b"abcd0101"] {
        let created = session.create_object(aes([date(CKA_START_DATE, wrong)]));
        refused(created, Error::AttributeValueInvalid(CKA_START_DATE));
    }
    let (start, end) = (date(CKA_START_DATE, b"20260102"), date(CKA_END_DATE, b"20260101"));
    refused(session.create_object(aes([start, end])), Error::TemplateInconsistent(CKA_END_DATE));
    let key = session.create_object(aes([date(CKA_START_DATE, b"20260102")])).unwrap();
    let set = session.set_attributes(key, vec![label("not this either"), date(CKA_END_DATE, b"20260101")]);
    refused(set, Error::TemplateInconsistent(CKA_END_DATE));
    assert_eq!(value(&session, key, CKA_LABEL), b"aes", "nothing is changed if one may not be");
}

#[test]
fn a_nested_template_names_attributes_that_exist_and_holds_no_other() {
    let (_keep, session) = session();
    let nested = |template| (CKA_WRAP_TEMPLATE, Value::Template(template));
    session.create_object(aes([nested(vec![number(CKA_KEY_TYPE, CKK_AES)])])).unwrap();
    for wrong in [
        vec![number(0x7fff_0000, 1)],
        vec![flag(CKA_LABEL, true)],
        vec![(CKA_WRAP_TEMPLATE, Value::Template(vec![]))],
    ] {
        refused(session.create_object(aes([nested(wrong)])), Error::AttributeValueInvalid(CKA_WRAP_TEMPLATE));
    }
}

#[test]
fn only_a_private_key_asks_for_its_pin_at_each_use() {
    let (_keep, session) = session();
    let template = |private| {
        let mut template = ec_private(&[5; 32]);
        template.retain(|(kind, _)| *kind != CKA_PRIVATE);
        with(template, [flag(CKA_PRIVATE, private), flag(CKA_ALWAYS_AUTHENTICATE, true)])
    };
    session.create_object(template(true)).unwrap();
    let public = session.create_object(template(false));
    refused(public, Error::TemplateInconsistent(CKA_ALWAYS_AUTHENTICATE));
}

#[test]
fn secret_values_have_a_length_that_their_type_allows() {
    let (_keep, session) = session();
    for (key_type, length, fits) in [
        (CKK_AES, 0, false),
        (CKK_AES, 15, false),
        (CKK_AES, 16, true),
        (CKK_AES, 24, true),
        (CKK_AES, 32, true),
        (CKK_AES, 33, false),
        (CKK_GENERIC_SECRET, 0, false),
        (CKK_GENERIC_SECRET, 1, true),
        (CKK_SHA256_HMAC, 1 << 20, true),
        (CKK_SHA256_HMAC, (1 << 20) + 1, false),
    ] {
        let created = session.create_object(with(secret(true, "x", key_type, &vec![3; length]), []));
        match fits {
            true => assert!(created.is_ok(), "{key_type} {length}"),
            false => refused(created, Error::AttributeValueInvalid(CKA_VALUE)),
        }
    }
    let unknown = with(secret(true, "x", CKK_RC4, &[1; 16]), []);
    refused(session.create_object(unknown), Error::AttributeValueInvalid(CKA_KEY_TYPE));
}

#[test]
fn a_check_value_is_worked_out_or_right_or_unwanted() {
    let (_keep, session) = session();
    // The first bytes of AES-128 of a zero block under sixteen bytes of 1.
    let plain = session.create_object(aes([])).unwrap();
    let right = value(&session, plain, CKA_CHECK_VALUE);
    session.encrypt_init(&Mechanism::plain(CKM_AES_ECB), plain).unwrap();
    let mut block = [0; 16];
    session.encrypt(&[0; 16], Output::Buffer(&mut block)).unwrap();
    assert_eq!(right, block[..3]);
    session.create_object(aes([bytes(CKA_CHECK_VALUE, &right)])).unwrap();
    let none = session.create_object(aes([bytes(CKA_CHECK_VALUE, "")])).unwrap();
    assert!(value(&session, none, CKA_CHECK_VALUE).is_empty());
    let wrong = session.create_object(aes([bytes(CKA_CHECK_VALUE, "abc")]));
    refused(wrong, Error::AttributeValueInvalid(CKA_CHECK_VALUE));
}

fn ec_public(point: &[u8]) -> Template {
    with(
        token(false, "public"),
        [
            number(CKA_CLASS, CKO_PUBLIC_KEY),
            number(CKA_KEY_TYPE, CKK_EC),
            bytes(CKA_EC_PARAMS, P256),
            bytes(CKA_EC_POINT, point),
        ],
    )
}

#[test]
fn a_point_comes_as_der_or_raw_and_is_on_its_curve() {
    let (_keep, session) = session();
    let (public, _) = generate_ec(&session, "pair");
    let der = value(&session, public, CKA_EC_POINT);
    let info = value(&session, public, CKA_PUBLIC_KEY_INFO);
    let raw = &der[2..];
    for form in [&der[..], raw] {
        let key = session.create_object(ec_public(form)).unwrap();
        assert_eq!(value(&session, key, CKA_EC_POINT), der);
        assert_eq!(value(&session, key, CKA_PUBLIC_KEY_INFO), info);
    }
    let mut off = raw.to_vec();
    off[64] ^= 1;
    for wrong in [&off[..], &raw[..64], &[], &[0], &[4; 65]] {
        refused(session.create_object(ec_public(wrong)), Error::AttributeValueInvalid(CKA_EC_POINT));
    }
    let with_info = |info: &[u8]| with(ec_public(raw), [bytes(CKA_PUBLIC_KEY_INFO, info)]);
    session.create_object(with_info(&info)).unwrap();
    refused(session.create_object(with_info(b"x")), Error::AttributeValueInvalid(CKA_PUBLIC_KEY_INFO));
    let elsewhere = |params: &[u8]| {
        let mut template = ec_public(raw);
        template.retain(|(kind, _)| *kind != CKA_EC_PARAMS);
        template.push(bytes(CKA_EC_PARAMS, params));
        session.create_object(template)
    };
    refused(elsewhere(&[6, 3, 0x2a, 3, 4]), Error::CurveNotSupported);
    for malformed in [&[6, 3, 0x2a][..], &[5, 0], &[0x30, 0], &[0x13, 1]] {
        refused(elsewhere(malformed), Error::DomainParamsInvalid);
    }
}

fn ec_private(value: &[u8]) -> Template {
    with(
        token(true, "private"),
        [
            number(CKA_CLASS, CKO_PRIVATE_KEY),
            number(CKA_KEY_TYPE, CKK_EC),
            bytes(CKA_EC_PARAMS, P256),
            bytes(CKA_VALUE, value),
            flag(CKA_EXTRACTABLE, true),
        ],
    )
}

#[test]
fn a_private_scalar_is_filled_up_and_must_be_below_the_order() {
    let (_keep, session) = session();
    let short = session.create_object(ec_private(&[5; 31])).unwrap();
    assert_eq!(value(&session, short, CKA_VALUE), [&[0][..], &[5; 31]].concat());
    sign(&session, CKM_ECDSA_SHA256, short, b"message").unwrap();
    for wrong in [&[0; 32][..], &[0xff; 32], &[1; 33], &[]] {
        refused(session.create_object(ec_private(wrong)), Error::AttributeValueInvalid(CKA_VALUE));
    }
}

/// An extractable private key of each type, in the clear.
fn extractable(session: &Session, mechanism: u64, public: (u64, Value)) -> (ObjectHandle, ObjectHandle) {
    let private = [flag(CKA_EXTRACTABLE, true), flag(CKA_SENSITIVE, false), flag(CKA_DERIVE, true)];
    let (public, private) = (with(token(false, "p"), [public]), with(token(true, "p"), private));
    session.generate_key_pair(&Mechanism::plain(mechanism), public, private).unwrap()
}

const RSA_VALUES: [u64; 8] = [
    CKA_MODULUS,
    CKA_PUBLIC_EXPONENT,
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_COEFFICIENT,
];

#[test]
fn a_private_key_of_each_type_comes_through_a_wrap_as_it_was() {
    let (_keep, session) = session();
    let wrapping = session.create_object(aes([])).unwrap();
    let kwp = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    for (mechanism, key_type, public, values) in [
        (CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, number(CKA_MODULUS_BITS, 2048), &RSA_VALUES[..]),
        (CKM_EC_KEY_PAIR_GEN, CKK_EC, bytes(CKA_EC_PARAMS, P256), &[CKA_VALUE, CKA_EC_PARAMS]),
        (
            CKM_EC_EDWARDS_KEY_PAIR_GEN,
            CKK_EC_EDWARDS,
            bytes(CKA_EC_PARAMS, [6, 3, 43, 101, 112]),
            &[CKA_VALUE],
        ),
        (
            CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
            CKK_EC_MONTGOMERY,
            bytes(CKA_EC_PARAMS, [6, 3, 43, 101, 110]),
            &[CKA_VALUE],
        ),
        (
            CKM_EC_EDWARDS_KEY_PAIR_GEN,
            CKK_EC_EDWARDS,
            bytes(CKA_EC_PARAMS, [6, 3, 43, 101, 113]),
            &[CKA_VALUE, CKA_EC_PARAMS],
        ),
        (
            CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
            CKK_EC_MONTGOMERY,
            bytes(CKA_EC_PARAMS, [6, 3, 43, 101, 111]),
            &[CKA_VALUE, CKA_EC_PARAMS],
        ),
    ] {
        let (_, key) = extractable(&session, mechanism, public);
        let mut wrapped = vec![0; 4096];
        let length = session.wrap_key(&kwp, wrapping, key, Output::Buffer(&mut wrapped)).unwrap();
        let template = |key_type| {
            let kind = [number(CKA_CLASS, CKO_PRIVATE_KEY), number(CKA_KEY_TYPE, key_type)];
            with(token(true, "u"), kind.into_iter().chain([flag(CKA_SENSITIVE, false)]))
        };
        let unwrapped = session.unwrap_key(&kwp, wrapping, &wrapped[..length], template(key_type)).unwrap();
        for kind in values.iter().chain([&CKA_PUBLIC_KEY_INFO]) {
            assert_eq!(
                value(&session, unwrapped, *kind),
                value(&session, key, *kind),
                "{key_type} {kind:#x}"
            );
        }
        let other = if key_type == CKK_EC { CKK_RSA } else { CKK_EC };
        let as_other = session.unwrap_key(&kwp, wrapping, &wrapped[..length], template(other));
        refused(as_other, Error::WrappedKeyInvalid);
        wrapped[length - 1] ^= 1;
        let damaged = session.unwrap_key(&kwp, wrapping, &wrapped[..length], template(key_type));
        refused(damaged, Error::WrappedKeyInvalid);
    }
}

#[test]
fn an_rsa_key_is_taken_without_its_factors_and_with_leading_zeros() {
    let (_keep, session) = session();
    let (_, key) = extractable(&session, CKM_RSA_PKCS_KEY_PAIR_GEN, number(CKA_MODULUS_BITS, 2048));
    let template = |kinds: &[u64], zeros: usize| {
        let kind = [number(CKA_CLASS, CKO_PRIVATE_KEY), number(CKA_KEY_TYPE, CKK_RSA)];
        let numbers = kinds.iter().map(|kind| {
            let mut padded = vec![0; zeros];
            padded.extend(value(&session, key, *kind));
            bytes(*kind, padded)
        });
        let shown = [flag(CKA_SENSITIVE, false), flag(CKA_EXTRACTABLE, true)];
        with(token(true, "given"), kind.into_iter().chain(shown).chain(numbers))
    };
    let signature = sign(&session, CKM_SHA256_RSA_PKCS, key, b"message").unwrap();
    for (kinds, zeros) in
        [(&RSA_VALUES[..], 0), (&RSA_VALUES[..], 2), (&RSA_VALUES[..3], 0), (&RSA_VALUES[..5], 0)]
    {
        let given = session.create_object(template(kinds, zeros)).unwrap();
        assert_eq!(sign(&session, CKM_SHA256_RSA_PKCS, given, b"message").unwrap(), signature);
        assert_eq!(value(&session, given, CKA_MODULUS), value(&session, key, CKA_MODULUS), "no zeros");
        let mut primes = [CKA_PRIME_1, CKA_PRIME_2].map(|kind| value(&session, given, kind));
        let mut right = [CKA_PRIME_1, CKA_PRIME_2].map(|kind| value(&session, key, kind));
        primes.sort();
        right.sort();
        assert_eq!(primes, right);
    }
    for at in [CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_COEFFICIENT] {
        let mut wrong = template(&RSA_VALUES, 0);
        for (kind, value) in &mut wrong {
            if let (true, Value::Bytes(bytes)) = (*kind == at, value) {
                bytes[9] ^= 4;
            }
        }
        refused(session.create_object(wrong), Error::AttributeValueInvalid(CKA_MODULUS));
    }
}

#[test]
fn an_unwrapped_secret_has_the_length_that_its_template_says() {
    let (_keep, session) = session();
    let wrapping = session.create_object(aes([])).unwrap();
    let key = session.create_object(aes([flag(CKA_EXTRACTABLE, true)])).unwrap();
    let kwp = Mechanism { kind: CKM_AES_KEY_WRAP_KWP, parameter: Parameter::None };
    let mut wrapped = vec![0; 64];
    let length = session.wrap_key(&kwp, wrapping, key, Output::Buffer(&mut wrapped)).unwrap();
    let unwrap = |value_len| {
        let kind = [number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, CKK_AES)];
        let template = with(token(true, "u"), kind.into_iter().chain([number(CKA_VALUE_LEN, value_len)]));
        session.unwrap_key(&kwp, wrapping, &wrapped[..length], template)
    };
    unwrap(16).unwrap();
    refused(unwrap(24), Error::TemplateInconsistent(CKA_VALUE_LEN));
}

#[test]
fn rights_of_sessions_are_looked_at_before_anything_is_made() {
    let (fresh, _session) = session();
    let read_only = fresh.partition.open_session(Access::ReadOnly).unwrap();
    refused(read_only.create_object(data(true, "x", b"x")), Error::SessionReadOnly);
    read_only.create_object(with(data(true, "x", b"x"), [])).unwrap();
    read_only.logout().unwrap();
    refused(read_only.create_object(with(data(true, "y", b"y"), [])), Error::NotLoggedIn);
    assert!(find(&read_only, vec![label("x")]).unwrap().is_empty());
}
