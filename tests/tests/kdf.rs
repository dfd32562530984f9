//! Derivation from secret keys, and of passwords: known answers, lengths and key types, what the new key takes over
//! of the base key's secrecy, and what is refused. PKCS #11 3.2, sections 6.17, 6.20.5, 6.37, 6.42, 6.43 and 6.62;
//! RFC 5869, appendix A; RFC 6070; NIST's vectors of SP 800-108.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use hsm_tests::keys::{self, aes_template, hex, secret, secret_template};
use hsm_tests::prelude::*;

/// What a derived key needs for its value to be seen.
fn seen() -> Template {
    attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

fn of_length(length: usize) -> Template {
    seen().and(attrs![CKA_VALUE_LEN => CK_ULONG::try_from(length).unwrap()])
}

/// A generic secret that may be seen itself: what comes of it may be, too.
fn open(session: &Session<'_>, value: &[u8]) -> Object {
    session.create(&secret_template(value).and(seen())).unwrap()
}

fn value(session: &Session<'_>, mech: &Mech, base: Object, template: &Template) -> Vec<u8> {
    let key = session.derive(mech, base, template).unwrap_or_else(|rv| panic!("{mech:?}: {rv:?}"));
    session.get(key, CKA_VALUE).unwrap()
}

fn data(kind: CK_MECHANISM_TYPE, data: &[u8]) -> Mech {
    Mech::structure(kind, Fields::default().counted(data))
}

fn number(kind: CK_MECHANISM_TYPE, number: CK_ULONG) -> Mech {
    Mech::bytes(kind, &number.to_ne_bytes())
}

/// The salt's type, the salt, and the key that it is.
type Salt<'a> = (CK_ULONG, &'a [u8], Object);

fn hkdf(kind: CK_MECHANISM_TYPE, (extract, expand): (bool, bool), salt: Salt<'_>, info: &[u8]) -> Mech {
    let fields = Fields::default().raw(&[u8::from(extract), u8::from(expand), 0, 0, 0, 0, 0, 0]);
    let fields = fields.number(CKM_SHA256).number(salt.0).counted(salt.1).number(salt.2);
    Mech::structure(kind, fields.counted(info))
}

const BOTH: (bool, bool) = (true, true);
const NO_SALT: Salt<'static> = (CKF_HKDF_SALT_NULL, &[], 0);

fn pbkdf2(prf: CK_ULONG, salt: &[u8], iterations: CK_ULONG, password: &[u8]) -> Mech {
    let fields = Fields::default().number(CKZ_SALT_SPECIFIED).counted(salt).number(iterations).number(prf);
    Mech::structure(CKM_PKCS5_PBKD2, fields.number(0).number(0).counted(password))
}

/// One part of the input of SP 800-108.
fn part(kind: CK_ULONG, value: Fields) -> Fields {
    let length = CK_ULONG::try_from(value.length()).unwrap();
    Fields::default().number(kind).inside(value).number(length)
}

fn format(bits: CK_ULONG) -> Fields {
    Fields::default().flag(false).number(bits)
}

fn bytes(bytes: &[u8]) -> Fields {
    part(CK_SP800_108_BYTE_ARRAY, Fields::default().raw(bytes))
}

fn counter(bits: CK_ULONG) -> Fields {
    part(CK_SP800_108_ITERATION_VARIABLE, format(bits))
}

fn variable() -> Fields {
    part(CK_SP800_108_ITERATION_VARIABLE, Fields::default())
}

fn all(parts: Vec<Fields>) -> (CK_ULONG, Fields) {
    (CK_ULONG::try_from(parts.len()).unwrap(), parts.into_iter().fold(Fields::default(), Fields::then))
}

/// The counter mode, and the double pipeline.
fn sp800_108(kind: CK_MECHANISM_TYPE, prf: CK_MECHANISM_TYPE, parts: Vec<Fields>, more: Vec<Fields>) -> Mech {
    let ((parts, fields), (keys, more)) = (all(parts), all(more));
    let fields = Fields::default().number(prf).number(parts).inside(fields).number(keys).inside(more);
    Mech::structure(kind, fields)
}

fn feedback(parts: Vec<Fields>, iv: &[u8]) -> Mech {
    let (count, fields) = all(parts);
    let fields = Fields::default().number(CKM_SHA256_HMAC).number(count).inside(fields);
    let length = CK_ULONG::try_from(iv.len()).unwrap();
    Mech::structure(CKM_SP800_108_FEEDBACK_KDF, fields.number(length).pointer(iv).number(0).number(0))
}

const COUNTER_KEY: &str = "3edc6b5b8f7aadbd713732b482b8f979286e1ea3b8f8f99c30c884cfe3349b83";
const COUNTER_FIXED: &str = "98e9988bb4cc8b34d7922e1c68ad692ba2a1d9ae15149571675f17a77ad49e80\
                             c8d2a85e831a26445b1f0ff44d7084a17206b4896c8112daad18605a";
const COUNTER_OUT: &str = "6c037652990674a07844732d0ad985f9";

fn counter_mode() -> Mech {
    let parts = vec![counter(8), bytes(&hex(COUNTER_FIXED))];
    sp800_108(CKM_SP800_108_COUNTER_KDF, CKM_SHA256_HMAC, parts, Vec::new())
}

isolated! {
    fn keys_and_data_are_joined(kit) {
        let session = kit.user();
        let (base, other) = (open(&session, &hex("01234567")), open(&session, &hex("89abcdef")));
        let given = hex("89abcdef");
        for (mech, expected) in [
            (number(CKM_CONCATENATE_BASE_AND_KEY, other), "0123456789abcdef"),
            (data(CKM_CONCATENATE_BASE_AND_DATA, &given), "0123456789abcdef"),
            (data(CKM_CONCATENATE_DATA_AND_BASE, &given), "89abcdef01234567"),
            (data(CKM_XOR_BASE_AND_DATA, &given), "88888888"),
        ] {
            assert_eq!(value(&session, &mech, base, &seen()), hex(expected), "{mech:?}");
            assert_eq!(value(&session, &mech, base, &of_length(3)), hex(expected)[..3], "{mech:?}");
            refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &of_length(9)), "{mech:?}");
        }
        assert_eq!(value(&session, &data(CKM_XOR_BASE_AND_DATA, &[1; 9]), base, &seen()), hex("00224466"));
    }

    fn bits_are_taken_out_of_a_key(kit) {
        let session = kit.user();
        let base = open(&session, &hex("329f84a9"));
        let bits = |first| number(CKM_EXTRACT_KEY_FROM_KEY, first);
        assert_eq!(value(&session, &bits(21), base, &of_length(2)), hex("9526"), "the standard's example");
        assert_eq!(value(&session, &bits(0), base, &of_length(4)), hex("329f84a9"));
        assert_eq!(value(&session, &bits(16), base, &of_length(4)), hex("84a9329f"));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&bits(0), base, &seen()));
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&bits(0), base, &of_length(5)));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&bits(32), base, &of_length(1)));
    }

    fn digests_of_keys(kit) {
        let session = kit.user();
        let base = open(&session, b"abc");
        for (kind, digest) in [
            (CKM_MD5_KEY_DERIVATION, CKM_MD5),
            (CKM_SHA1_KEY_DERIVATION, CKM_SHA_1),
            (CKM_SHA224_KEY_DERIVATION, CKM_SHA224),
            (CKM_SHA256_KEY_DERIVATION, CKM_SHA256),
            (CKM_SHA384_KEY_DERIVATION, CKM_SHA384),
            (CKM_SHA512_KEY_DERIVATION, CKM_SHA512),
            (CKM_SHA512_224_KEY_DERIVATION, CKM_SHA512_224),
            (CKM_SHA512_256_KEY_DERIVATION, CKM_SHA512_256),
            (CKM_SHA3_224_KEY_DERIVATION, CKM_SHA3_224),
            (CKM_SHA3_256_KEY_DERIVATION, CKM_SHA3_256),
            (CKM_SHA3_384_KEY_DERIVATION, CKM_SHA3_384),
            (CKM_SHA3_512_KEY_DERIVATION, CKM_SHA3_512),
        ] {
            let (mech, full) = (Mech::plain(kind), session.digest(&Mech::plain(digest), b"abc").unwrap());
            assert_eq!(value(&session, &mech, base, &seen()), full, "{kind:#x}");
            assert_eq!(value(&session, &mech, base, &of_length(7)), full[..7], "{kind:#x}");
            let longer = of_length(full.len() + 1);
            refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &longer), "{kind:#x}");
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&number(kind, 1), base, &seen()), "{kind:#x}");
        }
        let shake = [
            (CKM_SHAKE_128_KEY_DERIVATION, "5881092dd818bf5cf8a3ddb793fbcba74097d5c526a6d35f97b83351940f2cc8"),
            (CKM_SHAKE_256_KEY_DERIVATION, "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739\
                                            d5a15bef186a5386c75744c0527e1faa9f8726e462a12a4feb06bd8801e751e4"),
        ];
        for (kind, full) in shake {
            assert_eq!(value(&session, &Mech::plain(kind), base, &seen()), hex(full));
            assert_eq!(value(&session, &Mech::plain(kind), base, &of_length(5)), hex(full)[..5]);
            let longer = of_length(hex(full).len() + 1);
            refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&Mech::plain(kind), base, &longer));
        }
    }

    fn lengths_follow_the_key_type(kit) {
        let session = kit.user();
        let base = open(&session, &[7; 16]);
        let mech = Mech::plain(CKM_SHA256_KEY_DERIVATION);
        let full = session.digest(&Mech::plain(CKM_SHA256), &[7; 16]).unwrap();
        let typed = |kind: CK_KEY_TYPE| seen().and(attrs![CKA_KEY_TYPE => kind]);
        refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&mech, base, &typed(CKK_AES)));
        let aes = typed(CKK_AES).and(attrs![CKA_VALUE_LEN => 16 as CK_ULONG]);
        assert_eq!(value(&session, &mech, base, &aes), full[..16]);
        let odd = typed(CKK_AES).and(attrs![CKA_VALUE_LEN => 17 as CK_ULONG]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &odd));
        for (kind, length) in [(CKK_DES, 8), (CKK_DES2, 16), (CKK_DES3, 24)] {
            let made = value(&session, &mech, base, &typed(kind));
            assert_eq!(made.len(), length);
            for (byte, given) in made.iter().zip(&full) {
                assert!(!byte.count_ones().is_multiple_of(2) && byte >> 1 == given >> 1, "odd parity, and the rest as given");
            }
        }
        let wrong = typed(CKK_DES3).and(attrs![CKA_VALUE_LEN => 16 as CK_ULONG]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &wrong));
        assert_eq!(value(&session, &mech, base, &typed(CKK_CHACHA20)), full);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &of_length(0)));
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &of_length(1 << 20)));
        let class = seen().and(attrs![CKA_CLASS => CKO_PRIVATE_KEY]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &class));
        let brought = seen().and(attrs![CKA_VALUE => [1_u8; 32]]);
        refused!(CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &brought));
    }

    fn encrypted_data_become_a_key(kit) {
        let session = kit.user();
        let key = |kind: CK_KEY_TYPE, value: &[u8]| {
            session.create(&aes_template(value).and(attrs![CKA_KEY_TYPE => kind, CKA_DERIVE => true])).unwrap()
        };
        let (aes, des, des3) = (key(CKK_AES, &[1; 16]), key(CKK_DES, &[1; 8]), key(CKK_DES3, &[2; 24]));
        let (iv, text) = ([9; 16], [7; 32]);
        let cbc = |kind, length: usize| {
            Mech::structure(kind, Fields::default().raw(&iv[..length]).counted(&text))
        };
        for (key, derive, encrypt, other) in [
            (aes, data(CKM_AES_ECB_ENCRYPT_DATA, &text), Mech::plain(CKM_AES_ECB), des3),
            (aes, cbc(CKM_AES_CBC_ENCRYPT_DATA, 16), Mech::bytes(CKM_AES_CBC, &iv), des3),
            (des, data(CKM_DES_ECB_ENCRYPT_DATA, &text), Mech::plain(CKM_DES_ECB), aes),
            (des, cbc(CKM_DES_CBC_ENCRYPT_DATA, 8), Mech::bytes(CKM_DES_CBC, &iv[..8]), aes),
            (des3, data(CKM_DES3_ECB_ENCRYPT_DATA, &text), Mech::plain(CKM_DES3_ECB), aes),
            (des3, cbc(CKM_DES3_CBC_ENCRYPT_DATA, 8), Mech::bytes(CKM_DES3_CBC, &iv[..8]), aes),
        ] {
            let encrypted = session.encrypt(&encrypt, key, &text).unwrap();
            assert_eq!(value(&session, &derive, key, &seen()), encrypted, "{derive:?}");
            assert_eq!(value(&session, &derive, key, &of_length(20)), encrypted[..20], "{derive:?}");
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&derive, key, &of_length(33)), "{derive:?}");
            refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&derive, other, &seen()), "{derive:?}");
            let kind = derive.kind;
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&Mech::plain(kind), key, &seen()), "{kind:#x}");
        }
        for text in [&[][..], &[7; 15]] {
            let mech = data(CKM_AES_ECB_ENCRYPT_DATA, text);
            refused!(CKR_MECHANISM_PARAM_INVALID | CKR_DATA_LEN_RANGE, session.derive(&mech, aes, &seen()));
        }
    }

    fn hkdf_extracts_and_expands(kit) {
        let session = kit.user();
        let base = open(&session, &[0x0b; 22]);
        let (salt, info) = (hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"));
        let out = hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
        let given = (CKF_HKDF_SALT_DATA, &salt[..], 0);
        let derive = |phases, salt, info: &[u8]| hkdf(CKM_HKDF_DERIVE, phases, salt, info);
        assert_eq!(value(&session, &derive(BOTH, given, &info), base, &of_length(42)), out);
        let key = session.create(&secret_template(&salt)).unwrap();
        let by_key = (CKF_HKDF_SALT_KEY, &[][..], key);
        assert_eq!(value(&session, &derive(BOTH, by_key, &info), base, &of_length(42)), out);
        let prk = hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        assert_eq!(value(&session, &derive((true, false), given, b""), base, &seen()), prk);
        let prk = open(&session, &prk);
        assert_eq!(value(&session, &derive((false, true), NO_SALT, &info), prk, &of_length(42)), out);
        let zeros = (CKF_HKDF_SALT_DATA, &[0; 32][..], 0);
        let unsalted = value(&session, &derive(BOTH, NO_SALT, b""), base, &of_length(42));
        assert_eq!(unsalted, value(&session, &derive(BOTH, zeros, b""), base, &of_length(42)));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&derive(BOTH, given, &info), base, &seen()));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&derive((false, false), given, &info), base, &seen()));
        let unknown = derive(BOTH, (8, &[], 0), &info);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&unknown, base, &of_length(16)));
        let nowhere = derive(BOTH, (CKF_HKDF_SALT_KEY, &[], 99), &info);
        refused!(CKR_KEY_HANDLE_INVALID, session.derive(&nowhere, base, &of_length(16)));
        let aes = session.create(&aes_template(&[7; 16]).and(attrs![CKA_DERIVE => true])).unwrap();
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&derive(BOTH, given, &info), aes, &of_length(16)));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&Mech::plain(CKM_HKDF_DERIVE), base, &seen()));
    }

    fn hkdf_makes_data_too(kit) {
        let session = kit.user();
        let template = attrs![CKA_VALUE_LEN => 32 as CK_ULONG, CKA_DERIVE => true];
        let base = session.generate(&Mech::plain(CKM_HKDF_KEY_GEN), &template).unwrap();
        assert_eq!(session.number(base, CKA_KEY_TYPE), Ok(CKK_HKDF));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.generate(&Mech::plain(CKM_HKDF_KEY_GEN), &attrs![]));
        let mech = hkdf(CKM_HKDF_DATA, BOTH, NO_SALT, b"info");
        let length = attrs![CKA_VALUE_LEN => 40 as CK_ULONG, CKA_LABEL => "made"];
        let object = session.derive(&mech, base, &length).unwrap();
        assert_eq!(session.number(object, CKA_CLASS), Ok(CKO_DATA));
        let same = hkdf(CKM_HKDF_DERIVE, BOTH, NO_SALT, b"info");
        assert_eq!(session.get(object, CKA_VALUE).unwrap(), value(&session, &same, base, &of_length(40)));
        let class = length.and(attrs![CKA_CLASS => CKO_SECRET_KEY]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &class));
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.derive(&mech, base, &length.and(attrs![CKA_VALUE => [1_u8; 4]])));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&mech, base, &attrs![]));
    }

    fn passwords_become_keys(kit) {
        let session = kit.user();
        let template = of_length(20).and(attrs![CKA_KEY_TYPE => CKK_GENERIC_SECRET]);
        let generate = |mech: &Mech| session.generate(mech, &template);
        for (iterations, expected) in [
            (1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
            (2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
            (4096, "4b007901b765489abead49d926f721d065a429c1"),
        ] {
            let key = generate(&pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA1, b"salt", iterations, b"password")).unwrap();
            assert!(session.get(key, CKA_VALUE).unwrap().starts_with(&hex(expected)), "{iterations}");
        }
        // The older structure has the address of the length.
        let length = 8_u64.to_ne_bytes();
        let fields = Fields::default().number(CKZ_SALT_SPECIFIED).counted(b"salt");
        let fields = fields.number(1).number(CKP_PKCS5_PBKD2_HMAC_SHA1);
        let older = Mech::structure(CKM_PKCS5_PBKD2, fields.number(0).number(0).pointer(b"password").pointer(&length));
        let key = generate(&older).unwrap();
        assert_eq!(session.get(key, CKA_VALUE).unwrap(), hex("0c60c80f961f0e71f3a9b524af6012062fe037a6"));
        let des3 = seen().and(attrs![CKA_KEY_TYPE => CKK_DES3]);
        let key = session.generate(&pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA256, b"salt", 1, b"password"), &des3).unwrap();
        assert_eq!(session.get(key, CKA_VALUE).unwrap().len(), 24, "the key type says it");
        // The known answers of GOST's engine for OpenSSL.
        let of_32 = of_length(32).and(attrs![CKA_KEY_TYPE => CKK_GENERIC_SECRET]);
        for (iterations, expected) in [
            (1, "7314e7c04fb2e662c543674253f68bd0b73445d07f241bed872882da21662d58"),
            (2, "990dfa2bd965639ba48b07b792775df79f2db34fef25f274378872fed7ed1bb3"),
            (4096, "1f1829a94bdff5be10d0aeb36af498e7a97467f3b31116a5a7c1afff9deadafe"),
        ] {
            let mech = pbkdf2(CKP_PKCS5_PBKD2_HMAC_GOSTR3411, b"salt", iterations, b"password");
            let key = session.generate(&mech, &of_32).unwrap();
            assert_eq!(session.get(key, CKA_VALUE).unwrap(), hex(expected), "{iterations}");
        }
        for prf in [3, 5, 6, 7, 8] {
            assert!(generate(&pbkdf2(prf, b"salt", 1, b"password")).is_ok(), "{prf}");
        }
        for mech in [
            Mech::plain(CKM_PKCS5_PBKD2),
            pbkdf2(99, b"salt", 1, b"password"),
            pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA1, b"salt", 0, b"password"),
            pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA1, b"salt", CK_ULONG::MAX, b"password"),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, generate(&mech), "{mech:?}");
        }
        let mech = pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA1, b"salt", 1, b"password");
        refused!(CKR_TEMPLATE_INCOMPLETE, session.generate(&mech, &of_length(20)));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.generate(&mech, &seen().and(attrs![CKA_KEY_TYPE => CKK_AES])));
        refused!(CKR_KEY_SIZE_RANGE, session.generate(&mech, &of_length(17).and(attrs![CKA_KEY_TYPE => CKK_AES])));
    }

    fn the_counter_mode(kit) {
        let session = kit.user();
        let base = open(&session, &hex(COUNTER_KEY));
        assert_eq!(value(&session, &counter_mode(), base, &of_length(16)), hex(COUNTER_OUT));
        let aes = session.create(&aes_template(&[7; 16]).and(attrs![CKA_DERIVE => true])).unwrap();
        let derive = |prf, parts| sp800_108(CKM_SP800_108_COUNTER_KDF, prf, parts, Vec::new());
        let cmac = derive(CKM_AES_CMAC, vec![bytes(b"a"), counter(16)]);
        let block = session.sign(&Mech::plain(CKM_AES_CMAC), aes, b"a\0\x01").unwrap();
        assert_eq!(value(&session, &cmac, aes, &of_length(16)), block);
        let key = open(&session, b"fixed");
        let handle = Fields::default().raw(&key.to_ne_bytes());
        let by_key = derive(CKM_SHA256_HMAC, vec![counter(8), part(CK_SP800_108_KEY_HANDLE, handle)]);
        let by_bytes = derive(CKM_SHA256_HMAC, vec![counter(8), bytes(b"fixed")]);
        let made = |mech| value(&session, mech, base, &of_length(50));
        assert_eq!(made(&by_key), made(&by_bytes));
        let length = Fields::default().number(CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS).flag(false).number(16);
        let said = derive(CKM_SHA256_HMAC, vec![counter(8), part(CK_SP800_108_DKM_LENGTH, length)]);
        assert_eq!(made(&said), made(&derive(CKM_SHA256_HMAC, vec![counter(8), bytes(&[1, 0x90])])));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&cmac, base, &of_length(16)));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&by_bytes, aes, &of_length(16)));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&by_bytes, base, &seen()));
        for mech in [
            Mech::plain(CKM_SP800_108_COUNTER_KDF),
            derive(CKM_SHA256, vec![counter(8)]),
            derive(CKM_MD5_HMAC, vec![counter(8)]),
            derive(CKM_SHA256_HMAC, vec![bytes(b"fixed")]),
            derive(CKM_SHA256_HMAC, vec![counter(8), counter(8)]),
            derive(CKM_SHA256_HMAC, vec![variable()]),
            derive(CKM_SHA256_HMAC, vec![counter(7)]),
            derive(CKM_SHA256_HMAC, vec![counter(40)]),
            derive(CKM_SHA256_HMAC, vec![counter(8), part(CK_SP800_108_COUNTER, format(8))]),
            derive(CKM_SHA256_HMAC, vec![counter(8), part(9, Fields::default())]),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&mech, base, &of_length(16)), "{mech:?}");
        }
    }

    fn the_other_modes(kit) {
        let session = kit.user();
        let base = open(&session, b"key");
        let hmac = |message: &[u8]| session.sign(&Mech::plain(CKM_SHA256_HMAC), base, message).unwrap();
        let mech = feedback(vec![variable(), part(CK_SP800_108_COUNTER, format(8)), bytes(b"x")], b"iv");
        let first = hmac(b"iv\x01x");
        let second = hmac(&[&first[..], b"\x02x"].concat());
        assert_eq!(value(&session, &mech, base, &of_length(64)), [first, second].concat());
        let parts = || vec![variable(), bytes(b"x")];
        let pipeline = sp800_108(CKM_SP800_108_DOUBLE_PIPELINE_KDF, CKM_SHA256_HMAC, parts(), Vec::new());
        let chain = hmac(b"x");
        let (first, second) = (hmac(&[&chain[..], b"x"].concat()), hmac(&[&hmac(&chain)[..], b"x"].concat()));
        assert_eq!(value(&session, &pipeline, base, &of_length(64)), [first, second].concat());
        for mech in [
            Mech::plain(CKM_SP800_108_FEEDBACK_KDF),
            feedback(vec![counter(8)], b"iv"),
            feedback(vec![bytes(b"x")], b"iv"),
            sp800_108(CKM_SP800_108_DOUBLE_PIPELINE_KDF, CKM_SHA256_HMAC, vec![counter(8)], Vec::new()),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&mech, base, &of_length(16)), "{mech:?}");
        }
    }

    fn several_keys_come_of_one_derivation(kit) {
        let session = kit.user();
        let base = open(&session, b"key");
        let template = |length: CK_ULONG| {
            // One attribute after the other: its type, its value, its length.
            let attribute = |kind: CK_ULONG, value: &[u8]| Fields::default().number(kind).counted(value);
            attribute(CKA_VALUE_LEN, &length.to_ne_bytes())
                .then(attribute(CKA_SENSITIVE, &[0]))
                .then(attribute(CKA_EXTRACTABLE, &[1]))
        };
        let more = |length| Fields::default().inside(template(length)).number(3).pointer(&[0xff; 8]);
        let parts = || vec![counter(8), bytes(b"x")];
        let mech = sp800_108(CKM_SP800_108_COUNTER_KDF, CKM_SHA256_HMAC, parts(), vec![more(16), more(5)]);
        let stream = sp800_108(CKM_SP800_108_COUNTER_KDF, CKM_SHA256_HMAC, parts(), Vec::new());
        let stream = value(&session, &stream, base, &of_length(128));
        assert_eq!(value(&session, &mech, base, &of_length(48)), stream[..48]);
        let found = mech.numbers_pointed_to();
        let made: Vec<Vec<u8>> = found.iter().filter_map(|handle| session.get(*handle, CKA_VALUE).ok()).collect();
        assert!(made.contains(&stream[64..80].to_vec()) && made.contains(&stream[96..101].to_vec()), "{found:x?}");
        let before = session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]).unwrap().len();
        let broken = sp800_108(CKM_SP800_108_COUNTER_KDF, CKM_SHA256_HMAC, parts(), vec![more(16), more(0)]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&broken, base, &of_length(48)));
        assert_eq!(session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]).unwrap().len(), before, "none is made");
        assert_eq!(broken.numbers_pointed_to().iter().filter(|number| **number == CK_ULONG::MAX).count(), 1);
    }

    fn secrecy_is_handed_on(kit) {
        let session = kit.user();
        let hidden = attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false];
        let kept = session.create(&secret_template(&[7; 16]).and(hidden)).unwrap();
        let shown = open(&session, &[8; 16]);
        for (mech, base) in [
            (number(CKM_CONCATENATE_BASE_AND_KEY, shown), kept),
            (number(CKM_CONCATENATE_BASE_AND_KEY, kept), shown),
            (data(CKM_CONCATENATE_BASE_AND_DATA, b"x"), kept),
            (data(CKM_CONCATENATE_DATA_AND_BASE, b"x"), kept),
            (data(CKM_XOR_BASE_AND_DATA, b"x"), kept),
        ] {
            refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &attrs![CKA_SENSITIVE => false]));
            refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, base, &attrs![CKA_EXTRACTABLE => true]));
            let key = session.derive(&mech, base, &attrs![]).unwrap();
            assert_eq!(session.flag(key, CKA_SENSITIVE), Ok(true), "{mech:?}");
            assert_eq!(session.flag(key, CKA_EXTRACTABLE), Ok(false), "{mech:?}");
            assert_eq!(session.flag(key, CKA_ALWAYS_SENSITIVE), Ok(false), "an imported key was not always");
        }
        let made = |more: Template| {
            let template = attrs![CKA_VALUE_LEN => 16 as CK_ULONG, CKA_DERIVE => true].and(more);
            session.generate(&Mech::plain(CKM_GENERIC_SECRET_KEY_GEN), &template).unwrap()
        };
        let (kept, shown) = (made(attrs![CKA_SENSITIVE => true]), made(seen()));
        let history = |key| (session.flag(key, CKA_ALWAYS_SENSITIVE), session.flag(key, CKA_NEVER_EXTRACTABLE));
        let both = session.derive(&number(CKM_CONCATENATE_BASE_AND_KEY, kept), kept, &attrs![]).unwrap();
        assert_eq!(history(both), (Ok(true), Ok(true)));
        let one = session.derive(&number(CKM_CONCATENATE_BASE_AND_KEY, shown), kept, &attrs![]).unwrap();
        assert_eq!(history(one), (Ok(false), Ok(false)));
        let digest = Mech::plain(CKM_SHA256_KEY_DERIVATION);
        let free = session.derive(&digest, kept, &seen()).unwrap();
        assert_eq!(history(free), (Ok(false), Ok(false)));
        assert!(session.get(free, CKA_VALUE).is_ok(), "a digest may be shown");
        let hidden = session.derive(&digest, kept, &attrs![CKA_SENSITIVE => true]).unwrap();
        assert_eq!(history(hidden), (Ok(true), Ok(true)));
        let length = attrs![CKA_VALUE_LEN => 16 as CK_ULONG];
        let by_default = session.derive(&counter_mode(), kept, &length).unwrap();
        assert_eq!(session.flag(by_default, CKA_SENSITIVE), Ok(true));
        assert_eq!(session.flag(by_default, CKA_EXTRACTABLE), Ok(false));
        let by_default = session.derive(&counter_mode(), shown, &length).unwrap();
        assert!(session.get(by_default, CKA_VALUE).is_ok());
    }

    fn keys_that_are_not_for_it_are_refused(kit) {
        let session = kit.user();
        let may_not = session.create(&secret_template(&[7; 16]).and(attrs![CKA_DERIVE => false])).unwrap();
        let pair = keys::x25519(&session);
        let base = secret(&session, &[7; 16]);
        for mech in [
            Mech::plain(CKM_SHA256_KEY_DERIVATION),
            data(CKM_XOR_BASE_AND_DATA, b"x"),
            number(CKM_EXTRACT_KEY_FROM_KEY, 0),
            counter_mode(),
        ] {
            refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.derive(&mech, may_not, &attrs![]), "{mech:?}");
            refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&mech, pair.private, &attrs![]), "{mech:?}");
            refused!(CKR_KEY_HANDLE_INVALID, session.derive(&mech, 99, &attrs![]), "{mech:?}");
        }
        let with = number(CKM_CONCATENATE_BASE_AND_KEY, may_not);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.derive(&with, base, &attrs![]));
        refused!(CKR_KEY_HANDLE_INVALID, session.derive(&number(CKM_CONCATENATE_BASE_AND_KEY, 99), base, &attrs![]));
        for kind in [
            CKM_CONCATENATE_BASE_AND_KEY,
            CKM_CONCATENATE_BASE_AND_DATA,
            CKM_CONCATENATE_DATA_AND_BASE,
            CKM_XOR_BASE_AND_DATA,
            CKM_EXTRACT_KEY_FROM_KEY,
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&Mech::plain(kind), base, &of_length(4)), "{kind:#x}");
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&Mech::bytes(kind, &[0; 7]), base, &of_length(4)));
        }
    }
}
