//! Mechanisms that vary another one: MACs cut to a length (PKCS #11 3.2, sections 6.21.3 and its
//! siblings, 6.13.16), ECDH with cofactor (6.3.18), and keys for HMAC (6.21.6 and its siblings).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use hsm_tests::keys::{P256, aes, ec, secret};
use hsm_tests::openssl::point;
use hsm_tests::prelude::*;

/// A MAC that is cut, the whole one, and the whole one's length in bytes.
#[rustfmt::skip]
const HMACS: [(CK_MECHANISM_TYPE, CK_MECHANISM_TYPE, usize); 11] = [
    (CKM_SHA_1_HMAC_GENERAL,      CKM_SHA_1_HMAC,      20),
    (CKM_SHA224_HMAC_GENERAL,     CKM_SHA224_HMAC,     28),
    (CKM_SHA256_HMAC_GENERAL,     CKM_SHA256_HMAC,     32),
    (CKM_SHA384_HMAC_GENERAL,     CKM_SHA384_HMAC,     48),
    (CKM_SHA512_HMAC_GENERAL,     CKM_SHA512_HMAC,     64),
    (CKM_SHA512_224_HMAC_GENERAL, CKM_SHA512_224_HMAC, 28),
    (CKM_SHA512_256_HMAC_GENERAL, CKM_SHA512_256_HMAC, 32),
    (CKM_SHA3_224_HMAC_GENERAL,   CKM_SHA3_224_HMAC,   28),
    (CKM_SHA3_256_HMAC_GENERAL,   CKM_SHA3_256_HMAC,   32),
    (CKM_SHA3_384_HMAC_GENERAL,   CKM_SHA3_384_HMAC,   48),
    (CKM_SHA3_512_HMAC_GENERAL,   CKM_SHA3_512_HMAC,   64),
];

/// A generation mechanism, the type of its keys, and their natural length in bytes.
#[rustfmt::skip]
const HMAC_KEYS: [(CK_MECHANISM_TYPE, CK_KEY_TYPE, CK_MECHANISM_TYPE, CK_ULONG); 5] = [
    (CKM_SHA_1_KEY_GEN,  CKK_SHA_1_HMAC,  CKM_SHA_1_HMAC,  20),
    (CKM_SHA224_KEY_GEN, CKK_SHA224_HMAC, CKM_SHA224_HMAC, 28),
    (CKM_SHA256_KEY_GEN, CKK_SHA256_HMAC, CKM_SHA256_HMAC, 32),
    (CKM_SHA384_KEY_GEN, CKK_SHA384_HMAC, CKM_SHA384_HMAC, 48),
    (CKM_SHA512_KEY_GEN, CKK_SHA512_HMAC, CKM_SHA512_HMAC, 64),
];

/// With CK_MAC_GENERAL_PARAMS: the length in bytes.
fn cut(kind: CK_MECHANISM_TYPE, length: usize) -> Mech {
    Mech::bytes(kind, &CK_ULONG::try_from(length).unwrap().to_ne_bytes())
}

/// The cut MAC is the whole one's beginning, it alone verifies, and no other length is taken.
fn is_cut(
    session: &Session<'_>,
    key: Object,
    general: CK_MECHANISM_TYPE,
    whole: CK_MECHANISM_TYPE,
    full: usize,
) {
    let mac = session.sign(&Mech::plain(whole), key, b"data").unwrap();
    for length in [1, full / 2, full] {
        let mech = cut(general, length);
        assert_eq!(session.sign(&mech, key, b"data").unwrap(), &mac[..length], "{mech:?}");
        assert_eq!(session.sign_parts(&mech, key, &[b"da", b"ta"]).unwrap(), &mac[..length], "{mech:?}");
        assert_eq!(session.verify(&mech, key, b"data", &mac[..length]), Ok(()), "{mech:?}");
        let mut changed = mac[..length].to_vec();
        changed[length - 1] ^= 1;
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, key, b"data", &changed), "{mech:?}");
        refused!(
            CKR_SIGNATURE_LEN_RANGE,
            session.verify(&mech, key, b"data", &mac[..length - 1]),
            "{mech:?}"
        );
    }
    for length in [0, full + 1] {
        let mech = cut(general, length);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.sign(&mech, key, b"data"), "{mech:?}");
    }
}

isolated! {
    fn hmacs_are_cut_to_a_length(kit) {
        let session = kit.user();
        let key = secret(&session, &[7; 64]);
        for (general, whole, full) in HMACS {
            is_cut(&session, key, general, whole, full);
        }
    }

    fn a_cmac_is_cut_to_a_length(kit) {
        let session = kit.user();
        is_cut(&session, aes(&session, &[7; 16]), CKM_AES_CMAC_GENERAL, CKM_AES_CMAC, 16);
    }

    fn a_length_must_be_given(kit) {
        let session = kit.user();
        let key = secret(&session, &[7; 64]);
        let mech = Mech::plain(CKM_SHA256_HMAC_GENERAL);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.sign(&mech, key, b"data"));
    }

    fn the_cofactor_of_1_changes_nothing(kit) {
        let session = kit.user();
        let (one, two) = (ec(&session, P256), ec(&session, P256));
        let template = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET,
            CKA_VALUE_LEN => 32 as CK_ULONG, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let plain = Mech::ecdh(CKD_NULL, b"", &point(&session, two.public));
        let mut cofactor = Mech::ecdh(CKD_NULL, b"", &point(&session, one.public));
        cofactor.kind = CKM_ECDH1_COFACTOR_DERIVE;
        let value = |mech, base| session.get(session.derive(mech, base, &template).unwrap(), CKA_VALUE).unwrap();
        assert_eq!(value(&plain, one.private), value(&cofactor, two.private));
    }

    fn hmac_keys_have_their_hashs_length(kit) {
        let session = kit.user();
        for (generation, kind, hmac, length) in HMAC_KEYS {
            let key = session.generate(&Mech::plain(generation), &attrs![]).unwrap();
            assert_eq!(session.number(key, CKA_VALUE_LEN), Ok(length));
            assert_eq!(session.number(key, CKA_KEY_TYPE), Ok(kind));
            let mac = session.sign(&Mech::plain(hmac), key, b"data").unwrap();
            assert_eq!(session.verify(&Mech::plain(hmac), key, b"data", &mac), Ok(()));
        }
    }

    fn hmac_keys_have_the_length_that_is_asked_for(kit) {
        let session = kit.user();
        for (generation, _, _, _) in HMAC_KEYS {
            let key = session.generate(&Mech::plain(generation), &attrs![CKA_VALUE_LEN => 100 as CK_ULONG]);
            assert_eq!(session.number(key.unwrap(), CKA_VALUE_LEN), Ok(100));
        }
    }

    fn an_hmac_key_serves_no_other_hash(kit) {
        let session = kit.user();
        let key = session.generate(&Mech::plain(CKM_SHA256_KEY_GEN), &attrs![]).unwrap();
        let mech = Mech::plain(CKM_SHA512_HMAC);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.sign(&mech, key, b"data"));
    }
}
