//! Diffie-Hellman: domain parameters, key pairs, keys that are created, derivation, and private keys that are
//! wrapped. OpenSSL's command line is asked whether what comes out is right. PKCS #11 3.2, section 6.4; PKCS #3;
//! RFC 5114.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use hsm_tests::groups::{dh, dh_group, dh_peer, dh_private, dh_public, dh_shared, dsa};
use hsm_tests::keys::{self, generate_aes};
use hsm_tests::openssl::OpenSsl;
use hsm_tests::operations::SIGN;
use hsm_tests::prelude::*;

fn open() -> Template {
    attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

fn secret(key_type: CK_KEY_TYPE, length: Option<CK_ULONG>) -> Template {
    let template = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => key_type].and(open());
    length.map_or(template.clone(), |length| template.and(attrs![CKA_VALUE_LEN => length]))
}

fn with(public: &[u8]) -> Mech {
    Mech::bytes(CKM_DH_PKCS_DERIVE, public)
}

fn known(session: &Session<'_>) -> Object {
    session.create(&dh_private()).unwrap()
}

fn derived(session: &Session<'_>, base: Object, public: &[u8], template: &Template) -> Vec<u8> {
    let key =
        session.derive(&with(public), base, template).unwrap_or_else(|rv| panic!("{template:?}: {rv:?}"));
    session.get(key, CKA_VALUE).unwrap()
}

/// p and g of an object, as a template.
fn group_of(session: &Session<'_>, object: Object) -> Template {
    Template([CKA_PRIME, CKA_BASE].map(|kind| (kind, session.get(object, kind).unwrap())).to_vec())
}

fn parameters(session: &Session<'_>, bits: CK_ULONG, more: Template) -> Result<Object, Rv> {
    session.generate(&Mech::plain(CKM_DH_PKCS_PARAMETER_GEN), &attrs![CKA_PRIME_BITS => bits].and(more))
}

isolated! {
    fn a_known_secret(kit) {
        let session = kit.user();
        let whole = secret(CKK_GENERIC_SECRET, None);
        assert_eq!(derived(&session, known(&session), &dh_peer(), &whole), dh_shared());
        // A big integer may have zeros in front.
        let padded = [&[0; 3], &dh_peer()[..]].concat();
        assert_eq!(derived(&session, known(&session), &padded, &whole), dh_shared());
    }

    fn a_shorter_key_loses_leading_bytes(kit) {
        let session = kit.user();
        let shared = dh_shared();
        for (key_type, length) in [(CKK_AES, 16), (CKK_AES, 32), (CKK_GENERIC_SECRET, 1), (CKK_GENERIC_SECRET, 128)] {
            let value = derived(&session, known(&session), &dh_peer(), &secret(key_type, Some(length)));
            assert_eq!(value, shared[shared.len() - length as usize..], "{key_type:#x} {length}");
        }
        let odd: Vec<u8> = shared[shared.len() - 24..]
            .iter()
            .map(|byte| byte & 0xfe | u8::from((byte >> 1).count_ones() % 2 == 0))
            .collect();
        let des = derived(&session, known(&session), &dh_peer(), &secret(CKK_DES3, None));
        assert_eq!(des, odd, "its type says how long it is");
        for length in [129, 1000, CK_ULONG::MAX] {
            refused!(
                CKR_TEMPLATE_INCONSISTENT,
                session.derive(&with(&dh_peer()), known(&session), &secret(CKK_GENERIC_SECRET, Some(length)))
            );
        }
    }

    fn both_sides_share_a_secret_as_long_as_the_prime(kit) {
        let session = kit.user();
        let whole = secret(CKK_GENERIC_SECRET, None);
        let (one, two) = (dh(&session, attrs![]), dh(&session, attrs![]));
        let value = |public| session.get(public, CKA_VALUE).unwrap();
        let shared = derived(&session, one.private, &value(two.public), &whole);
        assert_eq!(shared.len(), 128);
        assert_eq!(derived(&session, two.private, &value(one.public), &whole), shared);
        assert_ne!(value(one.public), value(two.public));
    }

    /// 2⁸ is a small number: the others of its bytes are zeros.
    fn a_secret_keeps_its_leading_zeros(kit) {
        let session = kit.user();
        let key = session.create(&dh_private().and(attrs![CKA_VALUE => [8_u8]])).unwrap();
        let mut expected = vec![0; 128];
        expected[126] = 1;
        assert_eq!(derived(&session, key, &[2], &secret(CKK_GENERIC_SECRET, None)), expected);
    }

    fn openssl_derives_the_same(kit) {
        let session = kit.user();
        let (one, two) = (dh(&session, open()), dh(&session, attrs![]));
        let wrapping = generate_aes(&session, attrs![]);
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[9; 16]);
        let wrapped = session.wrap(&mech, wrapping, one.private).unwrap();
        let private = session.decrypt(&mech, wrapping, &wrapped).unwrap();
        let public = session.get(two.public, CKA_PUBLIC_KEY_INFO).unwrap();
        let shared = OpenSsl::derive(&kit.directory, &private, &public);
        let peer = session.get(two.public, CKA_VALUE).unwrap();
        let own = derived(&session, one.private, &peer, &secret(CKK_GENERIC_SECRET, None));
        assert_eq!(own, shared);
    }

    fn public_values_outside_2_to_p_minus_2_are_refused(kit) {
        let session = kit.user();
        let key = known(&session);
        let p = session.get(key, CKA_PRIME).unwrap();
        let mut last = p.clone();
        *last.last_mut().unwrap() -= 1;
        let template = secret(CKK_AES, Some(16));
        for public in [vec![0], vec![1], vec![0; 128], last.clone(), p.clone(), vec![0xff; 129], vec![0xff; 1 << 20]] {
            let answer = session.derive(&with(&public), key, &template);
            refused!(CKR_MECHANISM_PARAM_INVALID, answer, "{} bytes", public.len());
        }
        refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&with(b""), key, &template));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&Mech::plain(CKM_DH_PKCS_DERIVE), key, &template));
        for value in [vec![], vec![0], vec![1], last, p, vec![0xff; 200]] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&dh_public().and(attrs![CKA_VALUE => value])));
        }
    }

    fn keys_of_other_types_and_uses_are_refused(kit) {
        let session = kit.user();
        let template = secret(CKK_AES, Some(16));
        let pair = dh(&session, attrs![]);
        let others = [
            keys::ec(&session, keys::P256).private,
            dsa(&session, attrs![CKA_DERIVE => true]).private,
            pair.public,
        ];
        for base in others {
            refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&with(&dh_peer()), base, &template));
        }
        let mute = dh(&session, attrs![CKA_DERIVE => false]);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.derive(&with(&dh_peer()), mute.private, &template));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_DSA_SHA1), pair.private));
        let group = parameters(&session, 512, attrs![]).unwrap();
        refused!(CKR_KEY_HANDLE_INVALID, session.derive(&with(&dh_peer()), group, &template));
    }

    fn what_the_template_of_a_derived_key_must_not_say(kit) {
        let session = kit.user();
        let base = known(&session);
        let derive = |template: &Template| session.derive(&with(&dh_peer()), base, template);
        refused!(CKR_ATTRIBUTE_READ_ONLY, derive(&secret(CKK_AES, Some(16)).and(attrs![CKA_VALUE => [1_u8; 16]])));
        refused!(CKR_TEMPLATE_INCONSISTENT, derive(&secret(CKK_AES, Some(16)).and(attrs![CKA_CLASS => CKO_PUBLIC_KEY])));
        refused!(CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_VALUE_INVALID, derive(&secret(CKK_AES, Some(15))));
    }

    fn a_derived_key_has_the_history_of_its_base(kit) {
        let session = kit.user();
        let hidden = dh(&session, attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false]);
        let shown = dh(&session, open());
        for (base, always) in [(hidden.private, true), (shown.private, false)] {
            let closed = attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false];
            let template = secret(CKK_AES, Some(16)).and(closed);
            let key = session.derive(&with(&dh_peer()), base, &template).unwrap();
            assert_eq!(session.flag(key, CKA_ALWAYS_SENSITIVE), Ok(always));
            assert_eq!(session.flag(key, CKA_NEVER_EXTRACTABLE), Ok(always));
            assert_eq!(session.flag(key, CKA_LOCAL), Ok(false));
        }
    }

    fn a_pair_has_its_parameters_in_both_keys(kit) {
        let session = kit.user();
        let pair = dh(&session, open());
        assert_eq!(group_of(&session, pair.public), dh_group());
        assert_eq!(group_of(&session, pair.private), dh_group());
        let info = session.get(pair.public, CKA_PUBLIC_KEY_INFO).unwrap();
        assert_eq!(session.get(pair.private, CKA_PUBLIC_KEY_INFO).unwrap(), info);
        for object in [pair.public, pair.private] {
            assert_eq!(session.number(object, CKA_KEY_TYPE), Ok(CKK_DH));
            assert_eq!(session.flag(object, CKA_LOCAL), Ok(true));
            assert_eq!(session.number(object, CKA_KEY_GEN_MECHANISM), Ok(CKM_DH_PKCS_KEY_PAIR_GEN));
        }
        assert_eq!(session.number(pair.private, CKA_VALUE_BITS), Ok(1023));
        assert_eq!(session.get(pair.private, CKA_VALUE).unwrap().len(), 128);
        let closed = dh(&session, attrs![CKA_SENSITIVE => true]);
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(closed.private, CKA_VALUE));
    }

    fn a_private_value_has_the_length_that_is_asked_for(kit) {
        let session = kit.user();
        for bits in [160, 224, 225, 1023] {
            let pair = dh(&session, open().and(attrs![CKA_VALUE_BITS => bits as CK_ULONG]));
            assert_eq!(session.number(pair.private, CKA_VALUE_BITS), Ok(bits));
            let value = session.get(pair.private, CKA_VALUE).unwrap();
            assert_eq!(value.len() as CK_ULONG * 8 - CK_ULONG::from(value[0].leading_zeros()), bits);
        }
        let mech = Mech::plain(CKM_DH_PKCS_KEY_PAIR_GEN);
        for bits in [0, 1, 159, 1024, CK_ULONG::MAX] {
            let private = attrs![CKA_VALUE_BITS => bits];
            let answer = session.generate_pair(&mech, &dh_group(), &private);
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, answer, "{bits}");
        }
    }

    fn pairs_are_not_generated_without_their_parameters(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_DH_PKCS_KEY_PAIR_GEN);
        for kind in [CKA_PRIME, CKA_BASE] {
            refused!(CKR_TEMPLATE_INCOMPLETE, session.generate_pair(&mech, &dh_group().without(kind), &attrs![]));
        }
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.generate_pair(&mech, &dh_group(), &dh_group()));
        let subprime = dh_group().and(attrs![CKA_SUBPRIME => [0xff_u8; 20]]);
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.generate_pair(&mech, &subprime, &attrs![]));
        let bytes = Mech::bytes(CKM_DH_PKCS_KEY_PAIR_GEN, &[1]);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.generate_pair(&bytes, &dh_group(), &attrs![]));
        let made = session.generate(&Mech::bytes(CKM_DH_PKCS_PARAMETER_GEN, &[1]), &attrs![]);
        refused!(CKR_MECHANISM_PARAM_INVALID, made);
        let even = dh_group().and(attrs![CKA_PRIME => [0xfe_u8; 128]]);
        refused!(CKR_DOMAIN_PARAMS_INVALID, session.generate_pair(&mech, &even, &attrs![]));
        for base in [vec![], vec![0], vec![1], vec![0xff; 128]] {
            let public = dh_group().and(attrs![CKA_BASE => base]);
            refused!(CKR_DOMAIN_PARAMS_INVALID, session.generate_pair(&mech, &public, &attrs![]));
        }
    }

    fn primes_of_other_lengths_are_refused_before_any_work(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_DH_PKCS_KEY_PAIR_GEN);
        for length in [1, 63, 1251, 1 << 20] {
            let public = attrs![CKA_PRIME => vec![0xff; length], CKA_BASE => [2_u8]];
            refused!(CKR_KEY_SIZE_RANGE, session.generate_pair(&mech, &public, &attrs![]), "{length} bytes");
            refused!(CKR_DOMAIN_PARAMS_INVALID, session.create(&dh_private().and(public.clone())));
            refused!(CKR_DOMAIN_PARAMS_INVALID, session.create(&dh_public().and(public)));
        }
    }

    fn created_keys_have_values_that_fit(kit) {
        let session = kit.user();
        let p = session.get(known(&session), CKA_PRIME).unwrap();
        for value in [vec![], vec![0; 20], p] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&dh_private().and(attrs![CKA_VALUE => value])));
        }
        for kind in [CKA_PRIME, CKA_BASE, CKA_VALUE] {
            refused!(CKR_TEMPLATE_INCOMPLETE, session.create(&dh_private().without(kind)));
            refused!(CKR_TEMPLATE_INCOMPLETE, session.create(&dh_public().without(kind)));
        }
        let bits = attrs![CKA_VALUE_BITS => 160 as CK_ULONG];
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.create(&dh_private().and(bits)));
        let key = session.create(&dh_private()).unwrap();
        assert_eq!(session.number(key, CKA_VALUE_BITS), Ok(160));
        let public = session.create(&dh_public()).unwrap();
        let info = session.get(public, CKA_PUBLIC_KEY_INFO);
        assert_eq!(session.get(key, CKA_PUBLIC_KEY_INFO), info, "y follows from x");
    }

    fn parameters_are_generated(kit) {
        let session = kit.user();
        // A prime that is searched for, and those of RFC 3526.
        for bits in [512, 1536, 2048, 8192] {
            let group = parameters(&session, bits, attrs![CKA_LABEL => "group"]).unwrap();
            assert_eq!(session.number(group, CKA_CLASS), Ok(CKO_DOMAIN_PARAMETERS));
            assert_eq!(session.number(group, CKA_KEY_TYPE), Ok(CKK_DH));
            assert_eq!(session.number(group, CKA_PRIME_BITS), Ok(bits));
            assert_eq!(session.flag(group, CKA_LOCAL), Ok(true));
            assert_eq!(session.get(group, CKA_PRIME).unwrap().len() as CK_ULONG * 8, bits);
            refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.get(group, CKA_SUBPRIME_BITS));
            let mech = Mech::plain(CKM_DH_PKCS_KEY_PAIR_GEN);
            let short = attrs![CKA_DERIVE => true, CKA_VALUE_BITS => 256 as CK_ULONG];
            let (public, private) = session.generate_pair(&mech, &group_of(&session, group), &short).unwrap();
            let own = session.get(public, CKA_VALUE).unwrap();
            assert_eq!(derived(&session, private, &own, &secret(CKK_AES, Some(32))).len(), 32);
        }
    }

    fn parameters_of_other_lengths_are_not_generated(kit) {
        let session = kit.user();
        for bits in [0, 511, 1025, 2047, 4095, 8193, 10_000, CK_ULONG::MAX] {
            refused!(CKR_KEY_SIZE_RANGE, parameters(&session, bits, attrs![]), "{bits}");
        }
        refused!(CKR_TEMPLATE_INCOMPLETE, session.generate(&Mech::plain(CKM_DH_PKCS_PARAMETER_GEN), &attrs![]));
        let subprime = attrs![CKA_SUBPRIME_BITS => 160 as CK_ULONG];
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, parameters(&session, 512, subprime));
    }

    fn parameters_are_created(kit) {
        let session = kit.user();
        let class = attrs![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_DH];
        let group = session.create(&dh_group().and(class.clone())).unwrap();
        assert_eq!(session.number(group, CKA_PRIME_BITS), Ok(1024));
        assert_eq!(group_of(&session, group), dh_group());
        refused!(CKR_TEMPLATE_INCOMPLETE, session.create(&dh_group().and(class.clone()).without(CKA_BASE)));
        let odd = attrs![CKA_BASE => [1_u8]];
        refused!(CKR_DOMAIN_PARAMS_INVALID, session.create(&dh_group().and(class).and(odd)));
    }

    fn private_keys_are_wrapped_and_unwrapped(kit) {
        let session = kit.user();
        let pair = dh(&session, open());
        let wrapping = generate_aes(&session, attrs![]);
        let mech = Mech::plain(CKM_AES_KEY_WRAP_KWP);
        let wrapped = session.wrap(&mech, wrapping, pair.private).unwrap();
        let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_DH, CKA_DERIVE => true].and(open());
        let back = session.unwrap(&mech, wrapping, &wrapped, &template).unwrap();
        for kind in [CKA_VALUE, CKA_PRIME, CKA_BASE, CKA_VALUE_BITS, CKA_PUBLIC_KEY_INFO] {
            assert_eq!(session.get(back, kind), session.get(pair.private, kind), "{kind:#x}");
        }
        let whole = secret(CKK_GENERIC_SECRET, None);
        assert_eq!(
            derived(&session, back, &dh_peer(), &whole),
            derived(&session, pair.private, &dh_peer(), &whole)
        );
        let wrong = template.and(attrs![CKA_VALUE_BITS => 160 as CK_ULONG]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.unwrap(&mech, wrapping, &wrapped, &wrong));
    }
}
