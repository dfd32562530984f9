//! Wrapped keys: the format to the byte, the additional data, and what is damaged.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::kit::id;
use crate::error::Error;
use crate::kms::{Aad, Reason, Refusal, Wdek, seal};

const MATERIAL: [u8; 32] = [7; 32];

fn wrapped(plaintext: &[u8], aad: &Aad) -> String {
    seal(&MATERIAL, id(2), plaintext, aad).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_slice(&BASE64_STANDARD.decode(text).unwrap()).unwrap()
}

fn text(json: &serde_json::Value) -> String {
    BASE64_STANDARD.encode(json.to_string())
}

fn reason<T>(result: crate::Result<T>) -> Reason {
    match result {
        Err(Error::Kms(Refusal { reason, .. })) => reason,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[test]
fn the_format_is_key_protects() {
    let text = wrapped(b"abc123", &Aad::default());
    assert!(text.starts_with("eyJjaXBoZXJ0ZXh0Ijoi"), "{text}");
    let json = json(&text);
    let decoded = |name: &str| BASE64_STANDARD.decode(json[name].as_str().unwrap()).unwrap();
    assert_eq!(decoded("ciphertext").len(), 6 + 16);
    assert_eq!(decoded("iv").len(), 12);
    assert_eq!(json["version"], "4.0.0");
    assert_eq!(json["handle"], "02020202-0202-0202-0202-020202020202");
    assert_eq!(json.as_object().unwrap().len(), 4);
}

/// Made by Python's `cryptography`: HKDF(SHA256, 32, None, b"softhsm-rs WDEK" + version).derive(material), then AESGCM
/// with the strings "volume" and "7".
#[test]
fn a_customer_opens_a_wrapped_key_with_the_key_that_was_brought() {
    #[rustfmt::skip]
    let vectors = [
        (32_u8, "eyJjaXBoZXJ0ZXh0IjoidENFRzBkVEp2N3V3d3UwM1BFQU9qaGU3dXA4aFFpS0VZd2Y0Z3YzTmU3Zktva2dvZEE9PSIsIml2IjoiQ1FrSkNRa0pDUWtKQ1FrSiIsInZlcnNpb24iOiI0LjAuMCIsImhhbmRsZSI6IjAyMDIwMjAyLTAyMDItMDIwMi0wMjAyLTAyMDIwMjAyMDIwMiJ9"),
        (16, "eyJjaXBoZXJ0ZXh0IjoibXMybmRnd0RUMEtMRW9MdFR2RGR3ZXdsOERnRDRTZHlBUGJzVXF5YmhqWTR1NFRNNWc9PSIsIml2IjoiQ1FrSkNRa0pDUWtKQ1FrSiIsInZlcnNpb24iOiI0LjAuMCIsImhhbmRsZSI6IjAyMDIwMjAyLTAyMDItMDIwMi0wMjAyLTAyMDIwMjAyMDIwMiJ9"),
    ];
    let aad = Aad::of(&["volume", "7"]).unwrap();
    for (length, text) in vectors {
        let material: Vec<u8> = (0..length).collect();
        let opened = Wdek::parse(text).unwrap().open(&material, &aad).unwrap();
        assert!(opened.equals(b"a data encryption key"));
    }
}

#[test]
fn what_was_wrapped_unwraps_with_the_same_additional_data_alone() {
    let lists: [&[&str]; 8] =
        [&[], &[""], &["", ""], &["a"], &["a", ""], &["", "a"], &["a", "b"], &["b", "a"]];
    for (place, list) in lists.iter().enumerate() {
        let text = wrapped(b"key", &Aad::of(list).unwrap());
        for (other, others) in lists.iter().enumerate() {
            let opened = Wdek::parse(&text).unwrap().open(&MATERIAL, &Aad::of(others).unwrap());
            assert_eq!(opened.is_ok(), place == other, "{list:?} {others:?}");
        }
    }
    let one = Aad::of(&["ab"]).unwrap();
    assert_ne!(one, Aad::of(&["a", "b"]).unwrap());
}

#[test]
fn additional_data_have_a_limit() {
    assert!(Aad::of(&["ä".repeat(255)]).is_ok());
    assert!(matches!(Aad::of(&["a".repeat(256)]), Err(Reason::Field { name: "aad", .. })));
    assert!(matches!(Aad::of(&vec!["a"; 256]), Err(Reason::Field { name: "aad", .. })));
}

#[test]
fn keys_of_any_length_are_wrapped() {
    for length in [1, 6, 16, 35, 4096, 1 << 20] {
        let plaintext = vec![9; length];
        let opened = Wdek::parse(&wrapped(&plaintext, &Aad::default())).unwrap();
        assert!(opened.open(&MATERIAL, &Aad::default()).unwrap().equals(&plaintext));
    }
    for length in [0, (1 << 20) + 1] {
        let refused = reason(seal(&MATERIAL, id(2), &vec![9; length], &Aad::default()));
        assert!(matches!(refused, Reason::Field { name: "plaintext", .. }));
    }
}

#[test]
fn what_is_no_base64_says_from_where() {
    let text = wrapped(&[7; 64], &Aad::default());
    assert_eq!(Wdek::parse(&format!("{}*{}", &text[..208], &text[209..])), Err(Reason::NotBase64(208)));
    assert_eq!(Wdek::parse("*"), Err(Reason::NotBase64(0)));
    assert_eq!(Wdek::parse("YWJ").map(drop), Err(Reason::NotBase64(3)));
}

#[test]
fn what_is_damaged_is_unprocessable() {
    let fine = json(&wrapped(b"key", &Aad::default()));
    let damaged = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = fine.clone();
        change(&mut json);
        Wdek::parse(&text(&json)).map_err(Error::from).and_then(|it| it.open(&MATERIAL, &Aad::default()))
    };
    assert!(damaged(&|_| ()).is_ok());
    let flipped = |name: &'static str| {
        move |json: &mut serde_json::Value| {
            let mut bytes = BASE64_STANDARD.decode(json[name].as_str().unwrap()).unwrap();
            bytes[0] ^= 1;
            json[name] = BASE64_STANDARD.encode(bytes).into();
        }
    };
    let changes: [&dyn Fn(&mut serde_json::Value); 11] = [
        &flipped("ciphertext"),
        &flipped("iv"),
        &|json| json["iv"] = BASE64_STANDARD.encode([0; 16]).into(),
        &|json| json["iv"] = "*".into(),
        &|json| json["ciphertext"] = "".into(),
        &|json| json["ciphertext"] = BASE64_STANDARD.encode([0; 15]).into(),
        &|json| json["version"] = "5.0.0".into(),
        &|json| json["handle"] = "no".into(),
        &|json| json["handle"] = 7.into(),
        &|json| drop(json.as_object_mut().unwrap().remove("iv")),
        &|json| *json = "text".into(),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        assert_eq!(reason(damaged(change)), Reason::Unprocessable, "{place}");
    }
    for text in ["", "e30=", &BASE64_STANDARD.encode(b"[[[[")] {
        assert_eq!(Wdek::parse(text), Err(Reason::Unprocessable), "{text}");
    }
    let other = Wdek::parse(&wrapped(b"key", &Aad::default())).unwrap();
    assert_eq!(reason(other.open(&[8; 32], &Aad::default())), Reason::Unprocessable);
}

proptest::proptest! {
    #[test]
    fn no_text_is_read_but_a_wrapped_key(text in ".{0,64}", bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        proptest::prop_assert!(Wdek::parse(&text).is_err());
        proptest::prop_assert!(Wdek::parse(&BASE64_STANDARD.encode(bytes)).is_err());
    }

    #[test]
    fn a_bit_that_changed_unwraps_nothing(place in 0..1_000_usize, bit in 0..8_u8) {
        let text = wrapped(b"key", &Aad::default());
        let mut bytes = BASE64_STANDARD.decode(&text).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        let opened = Wdek::parse(&BASE64_STANDARD.encode(&bytes))
            .map_err(Error::from)
            .and_then(|wdek| if wdek.handle == id(2) { wdek.open(&MATERIAL, &Aad::default()) } else { Err(Reason::Unprocessable.into()) });
        // A letter of the identifier in upper case is the same one.
        let same = opened.as_ref().is_ok_and(|opened| opened.equals(b"key"));
        proptest::prop_assert!(opened.is_err() || same);
    }
}
