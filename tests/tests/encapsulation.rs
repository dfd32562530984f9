//! C_EncapsulateKey and C_DecapsulateKey with ML-KEM: both sides have the same secret, and the template of
//! the new key has its rules. PKCS #11 3.2, sections 5.18 and 6.68; FIPS 203.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, Pair};
use hsm_tests::prelude::*;

/// Each set: its number, and the lengths of public key, private key and ciphertext.
const SETS: [(CK_ULONG, usize, usize, usize); 3] = [
    (CKP_ML_KEM_512, 800, 1632, 768),
    (CKP_ML_KEM_768, 1184, 2400, 1088),
    (CKP_ML_KEM_1024, 1568, 3168, 1568),
];

fn generate(session: &Session<'_>, set: CK_ULONG, public: Template, private: Template) -> Pair {
    let public = attrs![CKA_PARAMETER_SET => set].and(public);
    let (public, private) =
        session.generate_pair(&Mech::plain(CKM_ML_KEM_KEY_PAIR_GEN), &public, &private).unwrap();
    Pair { public, private }
}

fn pair(session: &Session<'_>) -> Pair {
    generate(session, CKP_ML_KEM_768, attrs![], attrs![])
}

fn kem() -> Mech {
    Mech::plain(CKM_ML_KEM)
}

/// A secret that shows itself.
fn open() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_SENSITIVE => false]
}

isolated! {
    fn both_sides_have_the_same_secret(kit) {
        let session = kit.user();
        for (set, public, private, length) in SETS {
            let open_private = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
            let pair = generate(&session, set, attrs![], open_private);
            assert_eq!(session.get(pair.public, CKA_VALUE).unwrap().len(), public);
            assert_eq!(session.get(pair.private, CKA_VALUE).unwrap().len(), private);
            assert_eq!(session.get(pair.private, CKA_SEED).unwrap().len(), 64);
            let (ciphertext, here) = session.encapsulate(&kem(), pair.public, &open()).unwrap();
            assert_eq!(ciphertext.len(), length);
            let there = session.decapsulate(&kem(), pair.private, &open(), &ciphertext).unwrap();
            let secret = session.get(here, CKA_VALUE).unwrap();
            assert_eq!((secret.len(), &session.get(there, CKA_VALUE).unwrap()), (32, &secret));
            let (_, another) = session.encapsulate(&kem(), pair.public, &open()).unwrap();
            assert_ne!(session.get(another, CKA_VALUE).unwrap(), secret);
        }
    }

    fn the_new_key_is_what_its_template_says(kit) {
        let session = kit.user();
        let pair = pair(&session);
        let template = attrs![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 16 as CK_ULONG, CKA_ENCRYPT => true, CKA_SENSITIVE => false];
        let (ciphertext, here) = session.encapsulate(&kem(), pair.public, &template).unwrap();
        let there = session.decapsulate(&kem(), pair.private, &template, &ciphertext).unwrap();
        for key in [here, there] {
            assert_eq!(session.number(key, CKA_CLASS).unwrap(), CKO_SECRET_KEY);
            assert_eq!(session.number(key, CKA_VALUE_LEN).unwrap(), 16);
            for (kind, expected) in [
                (CKA_LOCAL, false),
                (CKA_ALWAYS_SENSITIVE, false),
                (CKA_NEVER_EXTRACTABLE, false),
                (CKA_EXTRACTABLE, true),
            ] {
                assert_eq!(session.flag(key, kind).unwrap(), expected, "{kind:#x}");
            }
        }
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[7; 16]);
        let encrypted = session.encrypt(&mech, here, b"hush").unwrap();
        assert_eq!(session.decrypt(&mech, there, &encrypted).unwrap(), b"hush");
    }

    fn templates_that_cannot_be_kept_are_refused(kit) {
        let session = kit.user();
        let pair = pair(&session);
        let (ciphertext, _) = session.encapsulate(&kem(), pair.public, &open()).unwrap();
        for (template, expected) in [
            (attrs![CKA_CLASS => CKO_PRIVATE_KEY], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_VALUE_LEN => 33 as CK_ULONG], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_VALUE_LEN => 0 as CK_ULONG], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_KEY_TYPE => CKK_DES3], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_VALUE => [7_u8; 32]], CKR_ATTRIBUTE_READ_ONLY),
            (attrs![CKA_LOCAL => true], CKR_ATTRIBUTE_READ_ONLY),
        ] {
            let answer = session.encapsulate(&kem(), pair.public, &template);
            hsm_tests::rv::assert_refused(answer.map(drop), &[expected], "encapsulation");
            let answer = session.decapsulate(&kem(), pair.private, &template, &ciphertext);
            hsm_tests::rv::assert_refused(answer.map(drop), &[expected], "decapsulation");
        }
    }

    fn the_length_is_told_without_a_key(kit) {
        let session = kit.user();
        let pair = pair(&session);
        let secrets = || session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]).unwrap().len();
        assert_eq!(session.encapsulate_into(&kem(), pair.public, &open(), Out::Length).unwrap(), (1088, None));
        let mut short = [0; 1087];
        let answer = session.encapsulate_into(&kem(), pair.public, &open(), Out::Buffer(&mut short));
        refused!(CKR_BUFFER_TOO_SMALL, answer);
        assert_eq!(short, [0; 1087]);
        assert_eq!(secrets(), 0, "nothing was made");
        session.encapsulate(&kem(), pair.public, &open()).unwrap();
        assert_eq!(secrets(), 1);
    }

    fn another_ciphertext_gives_another_secret(kit) {
        let session = kit.user();
        let pair = pair(&session);
        let (mut ciphertext, here) = session.encapsulate(&kem(), pair.public, &open()).unwrap();
        ciphertext[0] ^= 1;
        let [first, second] =
            [(); 2].map(|()| session.decapsulate(&kem(), pair.private, &open(), &ciphertext).unwrap());
        let value = |key| session.get(key, CKA_VALUE).unwrap();
        assert_ne!(value(first), value(here));
        assert_eq!(value(first), value(second), "rejection is implicit, and always the same");
        for length in [0, 1, 1087] {
            let answer = session.decapsulate(&kem(), pair.private, &open(), &ciphertext[..length]);
            refused!(CKR_ENCRYPTED_DATA_LEN_RANGE | CKR_WRAPPED_KEY_LEN_RANGE, answer, "{length}");
        }
    }

    fn keys_serve_as_their_flags_and_types_say(kit) {
        let session = kit.user();
        let no = generate(&session, CKP_ML_KEM_512, attrs![CKA_ENCAPSULATE => false], attrs![CKA_DECAPSULATE => false]);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.encapsulate(&kem(), no.public, &open()));
        let answer = session.decapsulate(&kem(), no.private, &open(), &[0; 768]);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, answer);
        let pair = pair(&session);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.encapsulate(&kem(), pair.private, &open()));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.decapsulate(&kem(), pair.public, &open(), &[0; 1088]));
        let rsa = keys::rsa(&session);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.encapsulate(&kem(), rsa.public, &open()));
        refused!(CKR_MECHANISM_INVALID, session.encapsulate(&Mech::plain(CKM_AES_ECB), pair.public, &open()));
        refused!(CKR_KEY_HANDLE_INVALID, session.encapsulate(&kem(), 0x7777, &open()));
    }

    fn the_keys_templates_bind_the_secret(kit) {
        let session = kit.user();
        let rule = attrs![CKA_EXTRACTABLE => false];
        let raw = rule.raw();
        let pair = generate(
            &session,
            CKP_ML_KEM_512,
            attrs![],
            attrs![].nested(CKA_DECAPSULATE_TEMPLATE, &raw),
        );
        let (ciphertext, _) = session.encapsulate(&kem(), pair.public, &open()).unwrap();
        let key = session.decapsulate(&kem(), pair.private, &open(), &ciphertext).unwrap();
        assert!(!session.flag(key, CKA_EXTRACTABLE).unwrap());
        let against = open().and(attrs![CKA_EXTRACTABLE => true]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.decapsulate(&kem(), pair.private, &against, &ciphertext));
        let bound =
            generate(&session, CKP_ML_KEM_512, attrs![].nested(CKA_ENCAPSULATE_TEMPLATE, &raw), attrs![]);
        refused!(CKR_KEY_HANDLE_INVALID, session.encapsulate(&kem(), bound.public, &open()));
        session.encapsulate(&kem(), bound.public, &open().and(rule.clone())).unwrap();
    }

    fn keys_go_in_by_seed_or_value_and_must_fit(kit) {
        let session = kit.user();
        let visible = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let pair = generate(&session, CKP_ML_KEM_512, attrs![], visible);
        let [seed, value] = [CKA_SEED, CKA_VALUE].map(|kind| session.get(pair.private, kind).unwrap());
        let base = attrs![
            CKA_CLASS => CKO_PRIVATE_KEY,
            CKA_KEY_TYPE => CKK_ML_KEM,
            CKA_PARAMETER_SET => CKP_ML_KEM_512 as CK_ULONG,
        ];
        let (ciphertext, here) = session.encapsulate(&kem(), pair.public, &open()).unwrap();
        for more in [attrs![CKA_SEED => seed.as_slice()], attrs![CKA_VALUE => value.as_slice()]] {
            let key = session.create(&base.and(more)).unwrap();
            let there = session.decapsulate(&kem(), key, &open(), &ciphertext).unwrap();
            assert_eq!(session.get(there, CKA_VALUE).unwrap(), session.get(here, CKA_VALUE).unwrap());
        }
        let mut wrong = value.clone();
        wrong[1599] ^= 1;
        for more in [attrs![CKA_SEED => &seed[1..]], attrs![CKA_VALUE => wrong.as_slice()]] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&base.and(more)));
        }
        let mut public = session.get(pair.public, CKA_VALUE).unwrap();
        public[..2].fill(0xff);
        let template = attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_ML_KEM,
            CKA_PARAMETER_SET => CKP_ML_KEM_512 as CK_ULONG,
            CKA_VALUE => public.as_slice(),
        ];
        refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&template), "a number above the modulus");
    }

    fn private_keys_travel_as_pkcs8(kit) {
        let session = kit.user();
        let pair = generate(&session, CKP_ML_KEM_768, attrs![], attrs![CKA_EXTRACTABLE => true]);
        let wrapping = keys::aes(&session, &[7; 32]);
        let mech = Mech::plain(CKM_AES_KEY_WRAP_KWP);
        let wrapped = session.wrap(&mech, wrapping, pair.private).unwrap();
        let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_ML_KEM];
        let back = session.unwrap(&mech, wrapping, &wrapped, &template).unwrap();
        let (ciphertext, here) = session.encapsulate(&kem(), pair.public, &open()).unwrap();
        let there = session.decapsulate(&kem(), back, &open(), &ciphertext).unwrap();
        assert_eq!(session.get(there, CKA_VALUE).unwrap(), session.get(here, CKA_VALUE).unwrap());
    }
}
