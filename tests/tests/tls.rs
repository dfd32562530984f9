//! What TLS derives of its secrets: master secrets, the keys of a connection, exported keys, and the "finished"
//! message. PKCS #11 3.2, section 6.40; RFC 5246, RFC 7627, RFC 5705. The pseudorandom function's own vectors are
//! in the core's tests; here it is put together of HMAC.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use hsm_tests::keys::{aes, secret_template};
use hsm_tests::operations::SIGN;
use hsm_tests::prelude::*;

const CLIENT: &[u8] = &[0xc1; 32];
const SERVER: &[u8] = &[0x5e; 32];

fn seen() -> Template {
    attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

fn open(session: &Session<'_>, value: &[u8]) -> Object {
    session.create(&secret_template(value).and(seen())).unwrap()
}

/// P_SHA256 of a key over a label and a seed.
fn prf(session: &Session<'_>, key: Object, label: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
    let hmac = |message: &[u8]| session.sign(&Mech::plain(CKM_SHA256_HMAC), key, message).unwrap();
    let seed = [label, &seed.concat()].concat();
    let (mut chain, mut out) = (hmac(&seed), Vec::new());
    while out.len() < length {
        out.extend(hmac(&[&chain[..], &seed].concat()));
        chain = hmac(&chain);
    }
    out.truncate(length);
    out
}

fn randoms() -> Fields {
    Fields::default().counted(CLIENT).counted(SERVER)
}

fn master(kind: CK_MECHANISM_TYPE, hash: CK_MECHANISM_TYPE, version: &[u8]) -> Mech {
    Mech::structure(kind, randoms().pointer(version).number(hash))
}

fn extended(kind: CK_MECHANISM_TYPE, session_hash: &[u8], version: &[u8]) -> Mech {
    Mech::structure(kind, Fields::default().number(CKM_SHA256).counted(session_hash).pointer(version))
}

/// Lengths in bits of MAC keys, keys and vectors, and room for vectors.
fn connection(kind: CK_MECHANISM_TYPE, bits: [CK_ULONG; 3], export: bool, room: &[u8]) -> Mech {
    let material = Fields::default().raw(&[0xff; 32]).pointer(room).pointer(room);
    let fields = bits.into_iter().fold(Fields::default(), Fields::number).flag(export).then(randoms());
    Mech::structure(kind, fields.inside(material).number(CKM_SHA256))
}

/// The four handles that were put into the material, and the two vectors.
fn material(mech: &Mech) -> ([Object; 4], [&[u8]; 2]) {
    let out = mech.pointee(2);
    let handle = |at: usize| CK_ULONG::from_ne_bytes(out[8 * at..8 * at + 8].try_into().unwrap());
    ([handle(0), handle(1), handle(2), handle(3)], [mech.pointee(3), mech.pointee(4)])
}

fn exported(kind: CK_MECHANISM_TYPE, prf: CK_MECHANISM_TYPE, label: &[u8], context: &[u8]) -> Mech {
    let fields = Fields::default().number(prf).counted(label).then(randoms());
    Mech::structure(kind, fields.counted(context))
}

fn finished(kind: CK_MECHANISM_TYPE, prf: CK_MECHANISM_TYPE, length: CK_ULONG, side: CK_ULONG) -> Mech {
    Mech::structure(kind, Fields::default().number(prf).number(length).number(side))
}

isolated! {
    fn master_secrets(kit) {
        let session = kit.user();
        let base = open(&session, &[&[3, 3][..], &[7; 46]].concat());
        let plain = prf(&session, base, b"master secret", &[CLIENT, SERVER], 48);
        let long = prf(&session, base, b"extended master secret", &[b"handshake"], 48);
        for (mech, expected) in [
            (master(CKM_TLS12_MASTER_KEY_DERIVE, CKM_SHA256, &[0xff; 2]), &plain),
            (extended(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, b"handshake", &[0xff; 2]), &long),
        ] {
            let key = session.derive(&mech, base, &seen()).unwrap();
            assert_eq!(session.get(key, CKA_VALUE).unwrap(), *expected, "{:#x}", mech.kind);
            assert_eq!(session.number(key, CKA_KEY_TYPE), Ok(CKK_GENERIC_SECRET));
            let digest = Mech::plain(CKM_SHA256_KEY_DERIVATION);
            refused!(CKR_MECHANISM_INVALID | CKR_KEY_FUNCTION_NOT_PERMITTED, session.derive(&digest, key, &seen()));
            let version = if mech.kind == CKM_TLS12_MASTER_KEY_DERIVE { 2 } else { 1 };
            assert_eq!(mech.pointee(version), [3, 3], "the version comes back");
        }
        for (mech, expected) in [
            (master(CKM_TLS12_MASTER_KEY_DERIVE_DH, CKM_SHA256, &[]), &plain),
            (extended(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH, b"handshake", &[]), &long),
        ] {
            let key = session.derive(&mech, base, &seen()).unwrap();
            assert_eq!(session.get(key, CKA_VALUE).unwrap(), *expected, "{:#x}", mech.kind);
        }
    }

    fn master_secrets_are_what_they_are(kit) {
        let session = kit.user();
        let base = open(&session, &[3; 48]);
        let mech = || master(CKM_TLS12_MASTER_KEY_DERIVE, CKM_SHA256, &[0; 2]);
        for template in [
            attrs![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 32 as CK_ULONG],
            attrs![CKA_VALUE_LEN => 32 as CK_ULONG],
            attrs![CKA_CLASS => CKO_DATA],
            attrs![CKA_ALLOWED_MECHANISMS => [CKM_TLS_MAC, CKM_SHA256_HMAC]],
        ] {
            refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech(), base, &template), "{template:?}");
        }
        for mech in [
            Mech::plain(CKM_TLS12_MASTER_KEY_DERIVE),
            master(CKM_TLS12_MASTER_KEY_DERIVE, CKM_SHA256, &[]),
            master(CKM_TLS12_MASTER_KEY_DERIVE_DH, CKM_SHA256, &[0; 2]),
            master(CKM_TLS12_MASTER_KEY_DERIVE_DH, CKM_SHA256_HMAC, &[]),
            extended(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, b"handshake", &[]),
            extended(CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH, b"handshake", &[0; 2]),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD, session.derive(&mech, base, &seen()), "{mech:?}");
        }
        let short = open(&session, &[3; 47]);
        refused!(CKR_KEY_SIZE_RANGE, session.derive(&mech(), short, &seen()));
        let other = session.create(&hsm_tests::keys::aes_template(&[7; 32]).and(attrs![CKA_DERIVE => true])).unwrap();
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&mech(), other, &seen()));
    }

    fn the_keys_of_a_connection(kit) {
        let session = kit.user();
        let base = open(&session, &[9; 48]);
        let block = prf(&session, base, b"key expansion", &[SERVER, CLIENT], 2 * (20 + 16 + 12));
        let mech = connection(CKM_TLS12_KEY_AND_MAC_DERIVE, [160, 128, 96], false, &[0; 12]);
        let template = attrs![CKA_KEY_TYPE => CKK_AES];
        session.derive_without_handle(&mech, base, &template).unwrap();
        let (handles, vectors) = material(&mech);
        let values = handles.map(|handle| session.get(handle, CKA_VALUE).unwrap());
        assert_eq!([&values[..].concat()[..], vectors[0], vectors[1]].concat(), block);
        for (handle, kind, may) in [
            (handles[0], CKK_GENERIC_SECRET, CKA_SIGN),
            (handles[1], CKK_GENERIC_SECRET, CKA_VERIFY),
            (handles[2], CKK_AES, CKA_ENCRYPT),
            (handles[3], CKK_AES, CKA_DECRYPT),
        ] {
            assert_eq!(session.number(handle, CKA_KEY_TYPE), Ok(kind));
            assert_eq!(session.flag(handle, may), Ok(true));
            assert_eq!(session.flag(handle, CKA_EXTRACTABLE), Ok(true), "as the base key");
            assert_eq!(session.flag(handle, CKA_DERIVE), Ok(kind == CKK_AES));
        }
        assert_eq!(session.flag(handles[0], CKA_ENCRYPT), Ok(false), "a MAC key is for MACs");
        let safe = connection(CKM_TLS12_KEY_SAFE_DERIVE, [0, 128, 96], false, &[0xaa; 12]);
        session.derive_without_handle(&safe, base, &template).unwrap();
        let (handles, vectors) = material(&safe);
        assert_eq!((handles[0], handles[1]), (CK_INVALID_HANDLE, CK_INVALID_HANDLE), "no MAC keys were wanted");
        assert_eq!(vectors, [&[0xaa; 12][..]; 2], "no vectors come out");
        assert_eq!(session.get(handles[2], CKA_VALUE).unwrap(), block[..16]);
    }

    fn connections_that_cannot_be_are_refused(kit) {
        let session = kit.user();
        let base = open(&session, &[9; 48]);
        let template = attrs![CKA_KEY_TYPE => CKK_AES];
        let derive = |mech: &Mech, template: &Template| session.derive_without_handle(mech, base, template);
        let make = |bits, export, room: &[u8]| connection(CKM_TLS12_KEY_AND_MAC_DERIVE, bits, export, room);
        for mech in [
            Mech::plain(CKM_TLS12_KEY_AND_MAC_DERIVE),
            make([160, 128, 96], true, &[0; 12]),
            make([161, 128, 96], false, &[0; 12]),
            make([160, 128, 96], false, &[]),
            make([1 << 20, 128, 96], false, &[0; 12]),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, derive(&mech, &template), "{mech:?}");
        }
        let mech = make([160, 128, 96], false, &[0; 12]);
        for template in [attrs![CKA_SENSITIVE => true], attrs![CKA_EXTRACTABLE => false]] {
            refused!(CKR_TEMPLATE_INCONSISTENT, derive(&mech, &template), "{template:?}");
        }
        let odd = make([160, 136, 96], false, &[0; 12]);
        let before = session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]).unwrap().len();
        refused!(CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_VALUE_INVALID, derive(&odd, &template));
        assert_eq!(session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]).unwrap().len(), before, "none is made");
    }

    fn exported_keys(kit) {
        let session = kit.user();
        let base = open(&session, &[9; 48]);
        let template = attrs![CKA_VALUE_LEN => 40 as CK_ULONG];
        for kind in [CKM_TLS_KDF, CKM_TLS12_KDF] {
            let value = |context: &[u8]| {
                let mech = exported(kind, CKM_SHA256, b"EXPORTER-x", context);
                session.get(session.derive(&mech, base, &template).unwrap(), CKA_VALUE).unwrap()
            };
            assert_eq!(value(b""), prf(&session, base, b"EXPORTER-x", &[CLIENT, SERVER], 40));
            let seed = [CLIENT, SERVER, &[0, 3], b"ctx"];
            assert_eq!(value(b"ctx"), prf(&session, base, b"EXPORTER-x", &seed, 40));
            let old = exported(kind, CKM_TLS_PRF, b"EXPORTER-x", b"");
            assert!(session.derive(&old, base, &template).is_ok());
            let mech = exported(kind, CKM_SHA256, b"x", b"");
            refused!(CKR_TEMPLATE_INCOMPLETE, session.derive(&mech, base, &attrs![]));
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&Mech::plain(kind), base, &template));
            let unknown = exported(kind, CKM_AES_CMAC, b"x", b"");
            refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&unknown, base, &template));
            let kept = session.create(&secret_template(&[7; 48]).and(attrs![CKA_SENSITIVE => true])).unwrap();
            refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&mech, kept, &template.and(seen())));
        }
    }

    fn finished_messages(kit) {
        let session = kit.user();
        let base = open(&session, &[9; 48]);
        for kind in [CKM_TLS_MAC, CKM_TLS12_MAC] {
            for (side, label) in [(1, &b"server finished"[..]), (2, b"client finished")] {
                for length in [12, 20] {
                    let mech = finished(kind, CKM_SHA256, length, side);
                    let mac = session.sign(&mech, base, b"handshake").unwrap();
                    assert_eq!(mac, prf(&session, base, label, &[b"handshake"], usize::try_from(length).unwrap()));
                    assert_eq!(session.sign_parts(&mech, base, &[b"hand", b"shake"]).unwrap(), mac);
                    assert_eq!(session.verify(&mech, base, b"handshake", &mac), Ok(()));
                    refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, base, b"other", &mac));
                    refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(&mech, base, b"handshake", &mac[1..]));
                }
            }
            assert_eq!(session.sign(&finished(kind, CKM_TLS_PRF, 12, 1), base, b"handshake").unwrap().len(), 12);
            for mech in [
                Mech::plain(kind),
                finished(kind, CKM_SHA256, 11, 1),
                finished(kind, CKM_SHA256, 65, 1),
                finished(kind, CKM_SHA256, 12, 0),
                finished(kind, CKM_SHA256, 12, 3),
                finished(kind, CKM_AES_CMAC, 12, 1),
            ] {
                refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &mech, base), "{mech:?}");
            }
            let mech = finished(kind, CKM_SHA256, 12, 1);
            refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &mech, aes(&session, &[7; 16])));
        }
    }
}
