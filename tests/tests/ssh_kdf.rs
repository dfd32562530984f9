//! The keys of SSH by kryoptic's mechanism: NIST's known answers (CAVS, SSH KDF), what comes of each letter, and what
//! is refused. RFC 4253, section 7.2; NIST SP 800-135, section 5.2.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, hex, secret_template};
use hsm_tests::mechanism::KRM_SSHKDF_DERIVE;
use hsm_tests::prelude::*;

struct Known {
    hash: CK_MECHANISM_TYPE,
    /// K, as an mpint.
    secret: &'static str,
    /// H, which is the session identifier too.
    exchange: &'static str,
    /// What comes of `A` to `F`.
    derived: [&'static str; 6],
}

const KNOWN: [Known; 2] = [
    Known {
        hash: CKM_SHA_1,
        secret: "000001001eb033aab0830ccd612bb4167300fadd3e74ebc7a51941e374319e84b537452e20c7404ef71f7cb2\
                 fbbc86a0b3de6a5481da9451f71286001558ed2e3ba184553f143aad3a1c7a97b095cbb645d78202fe9a826b\
                 131eeb229f54895abdf108350596cbd9e37d2a7a18c9efeebb360637d0e1c3ba0d2636d2a84a28451fcb3ae9\
                 1aa155ffa69127889244a02df18491d6fc7b4c440d385f7dcab120d7c620f62a750f032131e8cee361ad9f03\
                 e315634f1da4c62e97af50f9920f847ed0fbef05b0888993bb5029101ae4d384c03fde132c7b3b61ebccf44f\
                 a32c24af984ec29e615d39cce25809178bc18475584566e4901924493710971fca33dce88f64c25e",
        exchange: "82c692ef009ae5874044048bfbdef7438118ca1b",
        derived: [
            "0f529afc2f2e1c67636822c1b456a798",
            "03b5596d748eef4122e356d10bc85ead",
            "1588f52090daeb6e88e3665e98f5cce933f0fae328a2befbe808adc37bf62b34",
            "5b6a435e02777bed749c10790e24d3e5bdff63161c4e2baf33427933ffa831ff",
            "31bde53364f3445b0de695849b2a96a42ceaf4f3",
            "f39da5279ba483a705e83d837bb97044690ed9bc",
        ],
    },
    Known {
        hash: CKM_SHA256,
        secret: "000001004b3c931dbc90f471d53c81439b16a1f2b5cae0f327261d398101d433e1a6eef9d5de7ab6ac4bf24d\
                 dbb1329e1cb785a436fb597f4c7f7fdb087d921ccf8695473a6db93bef4fbc6ebfb6622d49c17d818b691f07\
                 bf268496a88e75199524a43cb597dc839f5e799ad16f28262ce1b3a2d9874e10af76cee054bad55fb0d00623\
                 97caf664a6e4d74cdde081904e137c43d5a061259829dd71bc0b1c80e489c7c67a43bcd35744a2a19f9d9538\
                 32aba1a4d12900e84f6cb063271e0ecbd7c99494809604570817af51774741738ea80b4ce4cc326eeae3caa9\
                 59e40528b341aa80cde04acea11bded12be73f7820d0e5670234f0661d8e3e6b3e82b9fd3411a6da",
        exchange: "0eae56989310f527883af6e2b01943e7cd741f6a483bf60415c05b3387c05eaf",
        derived: [
            "28f2016a5d81305e8b03dcc7886e344c",
            "36e3705af889ccc5a9e84170f44b5322",
            "f2ecd739f4423ae5e08639a8465be3a8c33e3bf109da95c3fc73ca306156a79f",
            "f3d2fc5bf516fc18c656a7fdc1e2e32cc61b2980f8226c8513f894c31e38ed5f",
            "3fec8dd099f8b61da4eb6058e17aca7a89e10b6e403e83901d29d00aaf435b64",
            "cde71f736c0e31e81707b3679b5be187c8056965a08fc2f5d82f945cbec975bd",
        ],
    },
];

fn ssh(hash: CK_MECHANISM_TYPE, letter: u8, exchange: &[u8], session_id: &[u8]) -> Mech {
    let fields = Fields::default().number(hash).raw(&[letter, 0, 0, 0, 0, 0, 0, 0]);
    Mech::structure(KRM_SSHKDF_DERIVE, fields.counted(exchange).counted(session_id))
}

/// The second of the known ones.
fn sha256(letter: u8) -> Mech {
    ssh(CKM_SHA256, letter, &hex(KNOWN[1].exchange), &hex(KNOWN[1].exchange))
}

fn base(session: &Session<'_>, known: &Known) -> Object {
    session.create(&secret_template(&hex(known.secret))).unwrap()
}

fn data(length: usize) -> Template {
    attrs![CKA_CLASS => CKO_DATA, CKA_VALUE_LEN => CK_ULONG::try_from(length).unwrap()]
}

isolated! {
    fn known_answers(kit) {
        let session = kit.user();
        for known in &KNOWN {
            let (base, exchange) = (base(&session, known), hex(known.exchange));
            for (letter, expected) in (b'A'..).zip(known.derived) {
                let expected = hex(expected);
                let template = if letter < b'C' { data(expected.len()) } else { keys::readable_secret(expected.len()) };
                let mech = ssh(known.hash, letter, &exchange, &exchange);
                let made = session.derive(&mech, base, &template).unwrap_or_else(|rv| panic!("{letter}: {rv:?}"));
                assert_eq!(session.get(made, CKA_VALUE).unwrap(), expected, "{letter} {:#x}", known.hash);
            }
        }
    }

    fn longer_keys_go_on_where_shorter_ones_end(kit) {
        let session = kit.user();
        let base = base(&session, &KNOWN[1]);
        let value = |length| {
            let made = session.derive(&sha256(b'C'), base, &keys::readable_secret(length)).unwrap();
            session.get(made, CKA_VALUE).unwrap()
        };
        let long = value(100);
        // By the definition: the second block is a digest of K, H and the first block.
        let first = [hex(KNOWN[1].secret), hex(KNOWN[1].exchange), long[..32].to_vec()].concat();
        assert_eq!(session.digest(&Mech::plain(CKM_SHA256), &first).unwrap(), long[32..64]);
        let second = [hex(KNOWN[1].secret), hex(KNOWN[1].exchange), long[..64].to_vec()].concat();
        assert_eq!(session.digest(&Mech::plain(CKM_SHA256), &second).unwrap(), long[64..96]);
        for length in [1, 31, 32, 33, 64, 65] {
            assert_eq!(value(length), long[..length]);
        }
    }

    fn vectors_are_data_and_the_rest_are_keys(kit) {
        let session = kit.user();
        let base = base(&session, &KNOWN[1]);
        let made = session.derive(&sha256(b'A'), base, &data(16)).unwrap();
        assert_eq!(session.number(made, CKA_CLASS), Ok(CKO_DATA));
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&sha256(b'B'), base, &keys::readable_secret(16)));
        let template = attrs![
            CKA_KEY_TYPE => CKK_AES,
            CKA_VALUE_LEN => 32 as CK_ULONG,
            CKA_ENCRYPT => true,
            CKA_EXTRACTABLE => false,
        ];
        let made = session.derive(&sha256(b'C'), base, &template).unwrap();
        assert_eq!(session.number(made, CKA_KEY_TYPE), Ok(CKK_AES));
        assert_eq!(session.flag(made, CKA_LOCAL), Ok(false));
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(made, CKA_VALUE));
        let expected = session.create(&hsm_tests::keys::aes_template(&hex(KNOWN[1].derived[2]))).unwrap();
        let mech = Mech::plain(CKM_AES_ECB);
        assert_eq!(session.encrypt(&mech, made, &[1; 16]), session.encrypt(&mech, expected, &[1; 16]));
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&sha256(b'D'), base, &data(16)));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&sha256(b'E'), base, &attrs![]));
        refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&sha256(b'A'), base, &attrs![]));
    }

    fn parameters_that_cannot_be_are_refused(kit) {
        let session = kit.user();
        let base = base(&session, &KNOWN[1]);
        let (exchange, letter) = (&[1; 32], b'C');
        for mech in [
            ssh(CKM_SHA256, b'@', exchange, exchange),
            ssh(CKM_SHA256, b'G', exchange, exchange),
            ssh(CKM_SHA256, b'c', exchange, exchange),
            ssh(CKM_SHA256, 0, exchange, exchange),
            ssh(CKM_MD5, letter, exchange, exchange),
            ssh(CKM_SHA256_HMAC, letter, exchange, exchange),
            ssh(0x7777, letter, exchange, exchange),
            ssh(CKM_SHA256, letter, &[], exchange),
            ssh(CKM_SHA256, letter, exchange, &[]),
            Mech::plain(KRM_SSHKDF_DERIVE),
            Mech::bytes(KRM_SSHKDF_DERIVE, &[0; 47]),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&mech, base, &keys::readable_secret(16)), "{mech:?}");
        }
    }

    fn base_keys_are_generic_secrets_that_may_derive(kit) {
        let session = kit.user();
        let aes = hsm_tests::keys::aes(&session, &[7; 16]);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&sha256(b'C'), aes, &keys::readable_secret(16)));
        let no = session.create(&secret_template(&[7; 32]).and(attrs![CKA_DERIVE => false])).unwrap();
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.derive(&sha256(b'C'), no, &keys::readable_secret(16)));
        refused!(CKR_KEY_HANDLE_INVALID, session.derive(&sha256(b'C'), 0x7777, &keys::readable_secret(16)));
    }

    fn it_is_listed_as_a_derivation(kit) {
        let token = kit.token();
        assert!(token.module.mechanisms(token.slot).unwrap().contains(&KRM_SSHKDF_DERIVE));
        assert_eq!(token.module.mechanism_info(token.slot, KRM_SSHKDF_DERIVE).unwrap().flags, CKF_DERIVE);
    }
}
