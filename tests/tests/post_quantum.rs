//! ML-DSA and SLH-DSA: key pairs, import, pure signatures and those over digests. PKCS #11 3.2, sections 6.67
//! and 6.69; FIPS 204 and 205.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, Pair};
use hsm_tests::operations::{SIGN, VERIFY};
use hsm_tests::prelude::*;

const MESSAGE: &[u8] = b"a message, signed in one part or in several";
const PARTS: &[&[u8]] = &[b"a message, ", b"", b"signed in one part", b" or in several"];

/// Each set: its generation mechanism, its number, and the lengths of public key, private key and signature.
#[rustfmt::skip]
const SETS: [(CK_MECHANISM_TYPE, CK_ULONG, usize, usize, usize); 9] = [
    (CKM_ML_DSA_KEY_PAIR_GEN,  CKP_ML_DSA_44,          1312, 2560,  2420),
    (CKM_ML_DSA_KEY_PAIR_GEN,  CKP_ML_DSA_65,          1952, 4032,  3309),
    (CKM_ML_DSA_KEY_PAIR_GEN,  CKP_ML_DSA_87,          2592, 4896,  4627),
    (CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_128F,    32,   64, 17088),
    (CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHAKE_128F,   32,   64, 17088),
    (CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_192F,    48,   96, 35664),
    (CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHAKE_192F,   48,   96, 35664),
    (CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_256F,    64,  128, 49856),
    (CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHAKE_256F,   64,  128, 49856),
];

/// The mechanisms that digest the message first, of both families, with the digest's own mechanism where it
/// has one.
#[rustfmt::skip]
const HASHED: [(CK_MECHANISM_TYPE, CK_MECHANISM_TYPE, Option<CK_MECHANISM_TYPE>); 10] = [
    (CKM_HASH_ML_DSA_SHA224,   CKM_HASH_SLH_DSA_SHA224,   Some(CKM_SHA224)),
    (CKM_HASH_ML_DSA_SHA256,   CKM_HASH_SLH_DSA_SHA256,   Some(CKM_SHA256)),
    (CKM_HASH_ML_DSA_SHA384,   CKM_HASH_SLH_DSA_SHA384,   Some(CKM_SHA384)),
    (CKM_HASH_ML_DSA_SHA512,   CKM_HASH_SLH_DSA_SHA512,   Some(CKM_SHA512)),
    (CKM_HASH_ML_DSA_SHA3_224, CKM_HASH_SLH_DSA_SHA3_224, Some(CKM_SHA3_224)),
    (CKM_HASH_ML_DSA_SHA3_256, CKM_HASH_SLH_DSA_SHA3_256, Some(CKM_SHA3_256)),
    (CKM_HASH_ML_DSA_SHA3_384, CKM_HASH_SLH_DSA_SHA3_384, Some(CKM_SHA3_384)),
    (CKM_HASH_ML_DSA_SHA3_512, CKM_HASH_SLH_DSA_SHA3_512, Some(CKM_SHA3_512)),
    (CKM_HASH_ML_DSA_SHAKE128, CKM_HASH_SLH_DSA_SHAKE128, None),
    (CKM_HASH_ML_DSA_SHAKE256, CKM_HASH_SLH_DSA_SHAKE256, None),
];

const DETERMINISTIC: CK_HEDGE_TYPE = CKH_DETERMINISTIC_REQUIRED;

fn generate(session: &Session<'_>, mechanism: CK_MECHANISM_TYPE, set: CK_ULONG) -> Pair {
    let open = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
    let (public, private) =
        session.generate_pair(&Mech::plain(mechanism), &attrs![CKA_PARAMETER_SET => set], &open).unwrap();
    Pair { public, private }
}

/// The pure mechanism of a family, by its generation mechanism.
fn pure(generation: CK_MECHANISM_TYPE) -> CK_MECHANISM_TYPE {
    if generation == CKM_ML_DSA_KEY_PAIR_GEN { CKM_ML_DSA } else { CKM_SLH_DSA }
}

fn lattice(session: &Session<'_>) -> Pair {
    generate(session, CKM_ML_DSA_KEY_PAIR_GEN, CKP_ML_DSA_44)
}

fn hashes(session: &Session<'_>) -> Pair {
    generate(session, CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_128F)
}

isolated! {
    fn every_set_makes_keys_that_sign(kit) {
        let session = kit.user();
        for (generation, set, public, private, length) in SETS {
            let pair = generate(&session, generation, set);
            assert_eq!(session.get(pair.public, CKA_VALUE).unwrap().len(), public, "{set} of {generation:#x}");
            assert_eq!(session.get(pair.private, CKA_VALUE).unwrap().len(), private);
            for key in [pair.public, pair.private] {
                assert_eq!(session.number(key, CKA_PARAMETER_SET).unwrap(), set);
                assert!(session.flag(key, CKA_LOCAL).unwrap());
            }
            let info = session.get(pair.public, CKA_PUBLIC_KEY_INFO).unwrap();
            assert!(info.ends_with(&session.get(pair.public, CKA_VALUE).unwrap()));
            assert_eq!(session.get(pair.private, CKA_PUBLIC_KEY_INFO).unwrap(), info);
            let mech = Mech::plain(pure(generation));
            let signature = session.sign(&mech, pair.private, MESSAGE).unwrap();
            assert_eq!(signature.len(), length);
            assert_eq!(session.verify(&mech, pair.public, MESSAGE, &signature), Ok(()));
            assert_eq!(session.verify_parts(&mech, pair.public, PARTS, &signature), Ok(()));
            refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, pair.public, b"other", &signature));
            refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(&mech, pair.public, MESSAGE, &signature[1..]));
        }
    }

    fn a_small_slh_dsa_set_makes_keys_that_sign(kit) {
        let session = kit.user();
        let pair = generate(&session, CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_128S);
        let signature = session.sign_parts(&Mech::plain(CKM_SLH_DSA), pair.private, PARTS).unwrap();
        assert_eq!(signature.len(), 7856);
        assert_eq!(session.verify(&Mech::plain(CKM_SLH_DSA), pair.public, MESSAGE, &signature), Ok(()));
    }

    fn sets_that_do_not_exist_are_refused(kit) {
        let session = kit.user();
        for (mechanism, sets) in [
            (CKM_ML_DSA_KEY_PAIR_GEN, [0, 4, CK_ULONG::MAX]),
            (CKM_SLH_DSA_KEY_PAIR_GEN, [0, 13, CK_ULONG::MAX]),
            (CKM_ML_KEM_KEY_PAIR_GEN, [0, 4, CK_ULONG::MAX]),
        ] {
            for set in sets {
                let public = attrs![CKA_PARAMETER_SET => set];
                let answer = session.generate_pair(&Mech::plain(mechanism), &public, &attrs![]);
                refused!(CKR_PARAMETER_SET_NOT_SUPPORTED, answer, "{set} of {mechanism:#x}");
            }
            let answer = session.generate_pair(&Mech::plain(mechanism), &attrs![], &attrs![]);
            refused!(CKR_TEMPLATE_INCOMPLETE, answer);
            let private = attrs![CKA_PARAMETER_SET => 1 as CK_ULONG];
            let answer = session.generate_pair(&Mech::plain(mechanism), &private, &private);
            refused!(CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT, answer);
        }
    }

    fn the_context_is_part_of_the_signature(kit) {
        let session = kit.user();
        for (mechanism, pair) in [(CKM_ML_DSA, lattice(&session)), (CKM_SLH_DSA, hashes(&session))] {
            let with = |context: &[u8]| Mech::sign_context(mechanism, DETERMINISTIC, context);
            let signature = session.sign(&with(b"context"), pair.private, MESSAGE).unwrap();
            assert_eq!(session.sign(&with(b"context"), pair.private, MESSAGE).unwrap(), signature);
            assert_eq!(session.verify(&with(b"context"), pair.public, MESSAGE, &signature), Ok(()));
            for other in [with(b""), with(b"contexts"), with(&[7; 255]), Mech::plain(mechanism)] {
                let answer = session.verify(&other, pair.public, MESSAGE, &signature);
                refused!(CKR_SIGNATURE_INVALID, answer);
            }
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &with(&[7; 256]), pair.private));
            let hedge = Mech::sign_context(mechanism, 3, b"");
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &hedge, pair.private));
            let hedged = Mech::sign_context(mechanism, CKH_HEDGE_REQUIRED, b"context");
            assert_ne!(session.sign(&hedged, pair.private, MESSAGE).unwrap(), signature);
        }
    }

    fn every_digest_may_come_before_the_signature(kit) {
        let session = kit.user();
        let (lattice, hashes) = (lattice(&session), hashes(&session));
        for (of_lattice, of_hashes, digest) in HASHED {
            for (hashed, given, pair) in
                [(of_lattice, CKM_HASH_ML_DSA, lattice), (of_hashes, CKM_HASH_SLH_DSA, hashes)]
            {
                let mech = Mech::sign_context(hashed, DETERMINISTIC, b"context");
                let signature = session.sign(&mech, pair.private, MESSAGE).unwrap();
                assert_eq!(session.sign_parts(&mech, pair.private, PARTS).unwrap(), signature, "{hashed:#x}");
                assert_eq!(session.verify(&mech, pair.public, MESSAGE, &signature), Ok(()));
                assert_eq!(session.verify_parts(&mech, pair.public, PARTS, &signature), Ok(()));
                refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, pair.public, b"other", &signature));
                let pure = Mech::sign_context(
                    if given == CKM_HASH_ML_DSA { CKM_ML_DSA } else { CKM_SLH_DSA },
                    DETERMINISTIC,
                    b"context",
                );
                refused!(CKR_SIGNATURE_INVALID, session.verify(&pure, pair.public, MESSAGE, &signature));
                let Some(digest) = digest else { continue };
                let value = session.digest(&Mech::plain(digest), MESSAGE).unwrap();
                let given = Mech::hash_sign_context(given, DETERMINISTIC, b"context", digest);
                assert_eq!(session.sign(&given, pair.private, &value).unwrap(), signature, "{hashed:#x}");
                assert_eq!(session.verify(&given, pair.public, &value, &signature), Ok(()));
                refused!(CKR_DATA_LEN_RANGE, session.sign(&given, pair.private, &value[1..]));
            }
        }
    }

    fn a_digest_that_is_given_is_for_one_part_and_names_its_hash(kit) {
        let session = kit.user();
        let pair = lattice(&session);
        let mech = |hash| Mech::hash_sign_context(CKM_HASH_ML_DSA, DETERMINISTIC, b"", hash);
        session.init(SIGN, &mech(CKM_SHA256), pair.private).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_FUNCTION_NOT_SUPPORTED, session.update(SIGN, b"data"));
        for hash in [CKM_SHA_1, CKM_AES_ECB, 0] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &mech(hash), pair.private));
        }
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &Mech::plain(CKM_HASH_ML_DSA), pair.private));
    }

    fn keys_go_in_by_seed_or_value_and_must_fit(kit) {
        let session = kit.user();
        let pair = lattice(&session);
        let [seed, value] = [CKA_SEED, CKA_VALUE].map(|kind| session.get(pair.private, kind).unwrap());
        let base = attrs![
            CKA_CLASS => CKO_PRIVATE_KEY,
            CKA_KEY_TYPE => CKK_ML_DSA,
            CKA_PARAMETER_SET => CKP_ML_DSA_44 as CK_ULONG,
            CKA_SENSITIVE => false,
            CKA_EXTRACTABLE => true,
        ];
        let mech = Mech::sign_context(CKM_ML_DSA, DETERMINISTIC, b"");
        let expected = session.sign(&mech, pair.private, MESSAGE).unwrap();
        for more in [
            attrs![CKA_SEED => seed.as_slice()],
            attrs![CKA_VALUE => value.as_slice()],
            attrs![CKA_SEED => seed.as_slice(), CKA_VALUE => value.as_slice()],
        ] {
            let key = session.create(&base.and(more)).unwrap();
            assert_eq!(session.sign(&mech, key, MESSAGE).unwrap(), expected);
            assert_eq!(session.get(key, CKA_VALUE).unwrap(), value);
            assert!(!session.flag(key, CKA_LOCAL).unwrap());
        }
        refused!(CKR_TEMPLATE_INCOMPLETE, session.create(&base));
        let (mut wrong, mut other) = (value.clone(), seed.clone());
        wrong[130] = 0xff;
        other[0] ^= 1;
        for more in [
            attrs![CKA_SEED => &seed[1..]],
            attrs![CKA_VALUE => &value[1..]],
            attrs![CKA_VALUE => wrong.as_slice()],
            attrs![CKA_SEED => other.as_slice(), CKA_VALUE => value.as_slice()],
        ] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&base.and(more)));
        }
    }

    fn an_slh_dsa_key_has_the_root_of_its_own_seeds(kit) {
        let session = kit.user();
        let pair = hashes(&session);
        let mut value = session.get(pair.private, CKA_VALUE).unwrap();
        let template = |value: &[u8]| attrs![
            CKA_CLASS => CKO_PRIVATE_KEY,
            CKA_KEY_TYPE => CKK_SLH_DSA,
            CKA_PARAMETER_SET => CKP_SLH_DSA_SHA2_128F as CK_ULONG,
            CKA_VALUE => value,
        ];
        let key = session.create(&template(&value)).unwrap();
        let signature = session.sign(&Mech::plain(CKM_SLH_DSA), key, MESSAGE).unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_SLH_DSA), pair.public, MESSAGE, &signature), Ok(()));
        value[63] ^= 1;
        refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&template(&value)));
    }

    fn public_keys_go_in_and_have_their_length(kit) {
        let session = kit.user();
        let pair = lattice(&session);
        let value = session.get(pair.public, CKA_VALUE).unwrap();
        let template = |value: &[u8]| attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_ML_DSA,
            CKA_PARAMETER_SET => CKP_ML_DSA_44 as CK_ULONG,
            CKA_VALUE => value,
        ];
        let key = session.create(&template(&value)).unwrap();
        let signature = session.sign(&Mech::plain(CKM_ML_DSA), pair.private, MESSAGE).unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_ML_DSA), key, MESSAGE, &signature), Ok(()));
        refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&template(&value[1..])));
    }

    fn private_keys_travel_as_pkcs8(kit) {
        let session = kit.user();
        let wrapping = keys::aes(&session, &[7; 32]);
        let mech = Mech::plain(CKM_AES_KEY_WRAP_KWP);
        for (generation, set, ..) in SETS.into_iter().take(4) {
            let pair = generate(&session, generation, set);
            let key_type = session.number(pair.private, CKA_KEY_TYPE).unwrap();
            let wrapped = session.wrap(&mech, wrapping, pair.private).unwrap();
            let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => key_type, CKA_SENSITIVE => false];
            let back = session.unwrap(&mech, wrapping, &wrapped, &template).unwrap();
            for kind in [CKA_VALUE, CKA_PARAMETER_SET, CKA_PUBLIC_KEY_INFO] {
                assert_eq!(session.get(back, kind).unwrap(), session.get(pair.private, kind).unwrap());
            }
            let other = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC];
            refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&mech, wrapping, &wrapped, &other));
        }
    }

    fn keys_of_another_family_are_refused(kit) {
        let session = kit.user();
        let (lattice, hashes) = (lattice(&session), hashes(&session));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_ML_DSA), hashes.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_SLH_DSA), lattice.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(VERIFY, &Mech::plain(CKM_ML_DSA), lattice.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_ECDSA), lattice.private));
    }
}
