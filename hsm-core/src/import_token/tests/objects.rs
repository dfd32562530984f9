//! A token as two objects: what they are, how they are named, and what they may do.

use cryptoki_sys::*;
use der::Document;
use sha2::{Digest, Sha256};

use super::super::*;
use super::kit::*;
use crate::object::Value;
use crate::object::managed::Date;

fn pair() -> KeyPair {
    key_pair(&token(600, 1)).unwrap().unwrap()
}

#[test]
fn the_identifier_is_what_a_customer_computes_of_the_public_key() {
    let (_, info) = Document::from_pem(&public_key(&token(600, 1))).unwrap();
    let digits = hex::encode(&Sha256::digest(info.as_bytes())[..16]);
    let pair = pair();
    assert_eq!(hex::encode(pair.id), digits);
    for key in [&pair.public, &pair.private] {
        assert_eq!(key.object().bytes(CKA_ID), pair.id);
        assert_eq!(key.object().bytes(CKA_LABEL), b"import token");
    }
    let unique = format!("import-token-{digits}");
    assert_eq!(pair.public.object().bytes(CKA_UNIQUE_ID), unique.as_bytes());
    assert_eq!(id_of_public(&unique), Some(pair.id));
    assert_eq!(token(600, 1).retrieve(NOW).unwrap().unique_id, unique);
    let private = format!("{unique}-private");
    assert_eq!(pair.private.object().bytes(CKA_UNIQUE_ID), private.as_bytes());
    assert!(is_unique_id(&private) && id_of_public(&private).is_none());
}

#[test]
fn other_identifiers_name_no_token() {
    let digits = "0123456789abcdef0123456789abcdef";
    assert!(!is_unique_id(digits) && id_of_public(digits).is_none());
    for bad in ["", "01", &digits[..31], &digits.to_uppercase(), &format!("{digits}0"), &format!("{digits} ")]
    {
        let unique = format!("import-token-{bad}");
        assert!(is_unique_id(&unique) && id_of_public(&unique).is_none(), "{bad}");
    }
    assert_ne!(key_pair(&other_token()).unwrap().unwrap().id, pair().id);
}

#[test]
fn the_public_key_encrypts_and_the_private_key_unwraps_and_that_is_all() {
    let KeyPair { public, private, .. } = pair();
    let may = |key: &crate::object::material::Key| {
        let all = [
            CKA_ENCRYPT,
            CKA_DECRYPT,
            CKA_WRAP,
            CKA_UNWRAP,
            CKA_SIGN,
            CKA_SIGN_RECOVER,
            CKA_VERIFY,
            CKA_VERIFY_RECOVER,
            CKA_DERIVE,
        ];
        all.into_iter().filter(|kind| key.object().flag(*kind)).collect::<Vec<_>>()
    };
    assert_eq!(may(&public), [CKA_ENCRYPT, CKA_WRAP]);
    assert_eq!(may(&private), [CKA_UNWRAP]);
    for key in [&public, &private] {
        for (kind, expected) in [
            (CKA_TOKEN, true),
            (CKA_PRIVATE, true),
            (CKA_MODIFIABLE, false),
            (CKA_COPYABLE, false),
            (CKA_DESTROYABLE, false),
            (CKA_LOCAL, true),
        ] {
            assert!(key.object().get(kind).unwrap().equals(&Value::Bool(expected)), "{kind:#x}");
        }
        assert_eq!(Date::Deactivation.of(key.object()), Some(NOW + 600));
        assert_eq!(key.size_bits(), 4096);
    }
    for kind in [CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE] {
        assert!(private.object().flag(kind), "{kind:#x}");
    }
    assert!(!private.object().flag(CKA_EXTRACTABLE));
    let allowed = Value::Numbers(vec![CKM_RSA_PKCS_OAEP, CKM_RSA_AES_KEY_WRAP]);
    assert!(private.object().get(CKA_ALLOWED_MECHANISMS).unwrap().equals(&allowed));
    let hidden = vec![(CKA_SENSITIVE, Value::Bool(true)), (CKA_EXTRACTABLE, Value::Bool(false))];
    assert!(private.object().get(CKA_UNWRAP_TEMPLATE).unwrap().equals(&Value::Template(hidden)));
}

#[test]
fn a_token_that_has_expired_has_no_objects() {
    let mut token = token(600, 1);
    token.see(NOW + 600);
    assert!(key_pair(&token).unwrap().is_none());
}
