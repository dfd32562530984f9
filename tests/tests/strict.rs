//! `policy = "strict"`: the attacks by the interface itself, each of which goes through without it where the standard
//! leaves it open, and is refused with it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::fields::Fields;
use hsm_tests::keys::{self, generate_aes};
use hsm_tests::kit::{Kit, Token};
use hsm_tests::mechanism::KRM_SSHKDF_DERIVE;
use hsm_tests::operations::{DECRYPT, ENCRYPT, SIGN};
use hsm_tests::prelude::*;
use hsm_tests::template::Template;

const STRICT: &str = "policy = 'strict'\n";

fn strict(kit: &Kit) -> Token<'_> {
    kit.configure(STRICT);
    kit.token()
}

fn kwp() -> Mech {
    Mech::plain(CKM_AES_KEY_WRAP_KWP)
}

fn aes_key() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
}

/// A key that wraps and unwraps, and was made here.
fn carrier(session: &Session<'_>) -> Object {
    generate_aes(session, attrs![CKA_WRAP => true, CKA_UNWRAP => true])
}

/// A key that may leave.
fn leaving(session: &Session<'_>) -> Object {
    generate_aes(session, attrs![CKA_EXTRACTABLE => true])
}

fn flags(session: &Session<'_>, key: Object, kinds: &[CK_ATTRIBUTE_TYPE]) -> Vec<bool> {
    kinds.iter().map(|kind| session.get(key, *kind).unwrap() == [CK_TRUE]).collect()
}

/// The flags of a mechanism, none where it is not listed.
fn mechanism_flags(token: &Token<'_>, kind: CK_MECHANISM_TYPE) -> CK_FLAGS {
    let info = token.module.mechanism_info(token.slot, kind).map_or(0, |info| info.flags);
    assert_eq!(token.module.mechanisms(token.slot).unwrap().contains(&kind), info != 0, "{kind:#x}");
    info
}

isolated! {
    fn a_key_that_wraps_does_nothing_else(kit) {
        let session = strict(kit).user();
        let key = carrier(&session);
        let others = [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_DERIVE];
        assert_eq!(flags(&session, key, &others), [false; 5]);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.init(DECRYPT, &Mech::bytes(CKM_AES_CBC, &[0; 16]), key));
        let both = attrs![CKA_VALUE_LEN => 32 as CK_ULONG, CKA_WRAP => true, CKA_DECRYPT => true];
        refused!(CKR_TEMPLATE_INCONSISTENT, session.generate(&Mech::plain(CKM_AES_KEY_GEN), &both));
        let both = keys::aes_template(&[7; 16]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.create(&both));
        // What is not asked for is not given.
        let plain = generate_aes(&session, attrs![]);
        assert_eq!(flags(&session, plain, &[CKA_WRAP, CKA_UNWRAP, CKA_DECRYPT]), [false, false, true]);
        let wrapped = session.wrap(&kwp(), key, leaving(&session)).unwrap();
        let back = session.unwrap(&kwp(), key, &wrapped, &aes_key()).unwrap();
        assert!(session.encrypt(&Mech::bytes(CKM_AES_CBC, &[0; 16]), back, &[0; 16]).is_ok());
    }

    fn what_a_key_is_for_is_only_taken_away(kit) {
        let session = strict(kit).user();
        let key = carrier(&session);
        session.set(key, &attrs![CKA_WRAP => false]).unwrap();
        for kind in [CKA_WRAP, CKA_DECRYPT, CKA_ENCRYPT, CKA_SIGN, CKA_DERIVE] {
            refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(key, &attrs![kind => true]));
            refused!(CKR_ATTRIBUTE_READ_ONLY, session.copy(key, &attrs![kind => true]));
        }
        assert_eq!(flags(&session, key, &[CKA_WRAP, CKA_UNWRAP, CKA_DECRYPT]), [false, true, false]);
        session.set(key, &attrs![CKA_WRAP => false, CKA_UNWRAP => true]).unwrap();
    }

    fn without_the_policy_what_a_key_wrapped_it_decrypts(kit) {
        let session = kit.user();
        let (wrapping, key) = (keys::aes(&session, &[7; 16]), leaving(&session));
        let wrapped = session.wrap(&Mech::plain(CKM_AES_ECB), wrapping, key).unwrap();
        let value = session.decrypt(&Mech::plain(CKM_AES_ECB), wrapping, &wrapped).unwrap();
        assert_eq!(value.len(), 32);
    }

    fn a_key_whose_value_somebody_knows_carries_none_out(kit) {
        let session = strict(kit).user();
        let known = attrs![
            CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_VALUE => [7u8; 32], CKA_WRAP => true,
        ];
        let known = session.create(&known).unwrap();
        let visible = generate_aes(&session, attrs![CKA_WRAP => true, CKA_EXTRACTABLE => true]);
        let readable = generate_aes(&session, attrs![CKA_WRAP => true, CKA_SENSITIVE => false]);
        let key = leaving(&session);
        for wrapping in [known, visible, readable] {
            refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.wrap(&kwp(), wrapping, key));
        }
        assert!(session.wrap(&kwp(), carrier(&session), key).is_ok());
    }

    fn a_public_key_carries_keys_out_if_the_so_trusts_it(kit) {
        let token = strict(kit);
        let session = token.user();
        let public = keys::rsa_public().without(CKA_ENCRYPT);
        let stranger = session.create(&public).unwrap();
        let oaep = Mech::oaep(CKM_SHA256, CKG_MGF1_SHA256, b"");
        let key = leaving(&session);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.wrap(&oaep, stranger, key));
        session.logout().unwrap();
        session.close().unwrap();
        let so = token.so();
        let on_token = attrs![CKA_TOKEN => true, CKA_LABEL => "friend", CKA_TRUSTED => true];
        so.create(&public.and(on_token)).unwrap();
        so.close().unwrap();
        let session = token.user();
        let friend = session.find(&attrs![CKA_LABEL => "friend"]).unwrap();
        let key = leaving(&session);
        for friend in friend {
            assert_eq!(session.wrap(&oaep, friend, key).unwrap().len(), 256);
        }
    }

    fn a_weaker_key_carries_no_stronger_one_out(kit) {
        let session = strict(kit).user();
        let weak = attrs![CKA_VALUE_LEN => 16 as CK_ULONG, CKA_WRAP => true];
        let weak = session.generate(&Mech::plain(CKM_AES_KEY_GEN), &weak).unwrap();
        refused!(CKR_WRAPPING_KEY_SIZE_RANGE, session.wrap(&kwp(), weak, leaving(&session)));
        let equal = attrs![CKA_VALUE_LEN => 16 as CK_ULONG, CKA_EXTRACTABLE => true];
        let equal = session.generate(&Mech::plain(CKM_AES_KEY_GEN), &equal).unwrap();
        assert!(session.wrap(&kwp(), weak, equal).is_ok());
    }

    fn what_is_unwrapped_stays(kit) {
        let session = strict(kit).user();
        let key = carrier(&session);
        let wrapped = session.wrap(&kwp(), key, leaving(&session)).unwrap();
        let unwrap = |more: Template| session.unwrap(&kwp(), key, &wrapped, &aes_key().and(more));
        for more in [
            attrs![CKA_SENSITIVE => false],
            attrs![CKA_EXTRACTABLE => true],
            attrs![CKA_WRAP => true],
            attrs![CKA_UNWRAP => true],
        ] {
            refused!(CKR_TEMPLATE_INCONSISTENT, unwrap(more));
        }
        let back = unwrap(attrs![]).unwrap();
        let kinds = [CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_WRAP, CKA_UNWRAP, CKA_ENCRYPT];
        assert_eq!(flags(&session, back, &kinds), [true, false, false, false, true]);
    }

    fn without_the_policy_what_is_unwrapped_is_read(kit) {
        let session = kit.user();
        let key = generate_aes(&session, attrs![]);
        let wrapped = session.wrap(&kwp(), key, leaving(&session)).unwrap();
        let open = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let back = session.unwrap(&kwp(), key, &wrapped, &aes_key().and(open)).unwrap();
        assert_eq!(session.get(back, CKA_VALUE).unwrap().len(), 32);
    }

    fn mechanisms_without_authentication_carry_nothing(kit) {
        let token = strict(kit);
        let session = token.user();
        let (key, other) = (carrier(&session), leaving(&session));
        let mechanisms = [
            Mech::plain(CKM_AES_ECB),
            Mech::bytes(CKM_AES_CBC, &[0; 16]),
            Mech::bytes(CKM_AES_CBC_PAD, &[0; 16]),
            Mech::plain(CKM_RSA_PKCS),
            Mech::plain(CKM_RSA_X_509),
        ];
        for mech in mechanisms {
            refused!(CKR_MECHANISM_INVALID, session.wrap(&mech, key, other));
            refused!(CKR_MECHANISM_INVALID, session.unwrap(&mech, key, &[0; 32], &aes_key()));
            assert_eq!(mechanism_flags(&token, mech.kind) & (CKF_WRAP | CKF_UNWRAP), 0);
        }
        assert_eq!(mechanism_flags(&token, CKM_AES_CBC), CKF_ENCRYPT | CKF_DECRYPT);
        assert_eq!(mechanism_flags(&token, CKM_AES_CBC_PAD), 0);
        assert_ne!(mechanism_flags(&token, CKM_AES_GCM) & CKF_WRAP, 0);
    }

    fn no_padding_is_an_oracle(kit) {
        let token = strict(kit);
        let session = token.user();
        let aes = generate_aes(&session, attrs![]);
        refused!(CKR_MECHANISM_INVALID, session.init(DECRYPT, &Mech::bytes(CKM_AES_CBC_PAD, &[0; 16]), aes));
        let private = keys::rsa_private().without(CKA_UNWRAP);
        let private = session.create(&private).unwrap();
        for kind in [CKM_RSA_PKCS, CKM_RSA_X_509] {
            refused!(CKR_MECHANISM_INVALID, session.init(DECRYPT, &Mech::plain(kind), private));
            refused!(CKR_MECHANISM_INVALID, session.init(ENCRYPT, &Mech::plain(kind), private));
        }
        refused!(CKR_MECHANISM_INVALID, session.init(SIGN, &Mech::plain(CKM_RSA_X_509), private));
        let signed = session.sign(&Mech::plain(CKM_RSA_PKCS), private, b"digest").unwrap();
        assert_eq!(signed.len(), 256);
        let flags = mechanism_flags(&token, CKM_RSA_PKCS);
        assert_eq!(flags & (CKF_DECRYPT | CKF_ENCRYPT | CKF_WRAP | CKF_UNWRAP), 0);
        assert_ne!(flags & CKF_SIGN, 0);
    }

    fn no_key_is_derived_in_parts(kit) {
        let token = strict(kit);
        let session = token.user();
        let base = generate_aes(&session, attrs![CKA_DERIVE => true]);
        let data = |kind| Mech::structure(kind, Fields::default().counted(&[7; 16]));
        for mech in [
            Mech::structure(CKM_EXTRACT_KEY_FROM_KEY, Fields::default().number(0)),
            Mech::structure(CKM_CONCATENATE_BASE_AND_KEY, Fields::default().number(base)),
            data(CKM_XOR_BASE_AND_DATA),
            data(CKM_CONCATENATE_BASE_AND_DATA),
            data(CKM_CONCATENATE_DATA_AND_BASE),
            data(CKM_AES_ECB_ENCRYPT_DATA),
        ] {
            refused!(CKR_MECHANISM_INVALID, session.derive(&mech, base, &aes_key()));
            assert_eq!(mechanism_flags(&token, mech.kind), 0);
        }
        for kind in [CKM_HKDF_DATA, CKM_TLS12_KEY_AND_MAC_DERIVE, KRM_SSHKDF_DERIVE] {
            assert_eq!(mechanism_flags(&token, kind), 0, "{kind:#x}");
        }
        let secret = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
        let hashed = Mech::plain(CKM_SHA256_KEY_DERIVATION);
        let with = |more| session.derive(&hashed, base, &secret.clone().and(more));
        let short = attrs![CKA_VALUE_LEN => 13 as CK_ULONG];
        refused!(CKR_KEY_SIZE_RANGE, with(short));
        refused!(CKR_TEMPLATE_INCONSISTENT, with(attrs![CKA_SENSITIVE => false]));
        refused!(CKR_TEMPLATE_INCONSISTENT, with(attrs![CKA_EXTRACTABLE => true]));
        refused!(CKR_TEMPLATE_INCONSISTENT, with(attrs![CKA_WRAP => true]));
        let derived = with(attrs![CKA_VALUE_LEN => 14 as CK_ULONG]).unwrap();
        let kinds = [CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_WRAP, CKA_UNWRAP];
        assert_eq!(flags(&session, derived, &kinds), [true, false, false, false]);
    }

    fn a_key_that_derives_does_nothing_else(kit) {
        let session = strict(kit).user();
        refused!(CKR_TEMPLATE_INCONSISTENT, session.create(&keys::secret_template(&[7; 32])));
        let base = generate_aes(&session, attrs![CKA_DERIVE => true]);
        let others = [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP];
        assert_eq!(flags(&session, base, &others), [false; 6]);
        // A private key may sign and agree: neither gives out the other.
        let pair = keys::ec(&session, keys::P256);
        assert_eq!(flags(&session, pair.private, &[CKA_SIGN, CKA_DERIVE]), [true, true]);
    }

    fn without_the_policy_what_is_derived_is_signed(kit) {
        let session = kit.user();
        let base = keys::secret(&session, &[7; 32]);
        // One block of a key derivation in counter mode is a MAC of what the caller knows.
        let block = session.sign(&Mech::plain(CKM_SHA256_HMAC), base, b"\0\0\0\x01label").unwrap();
        assert_eq!(block.len(), 32);
    }

    fn a_key_that_decapsulates_does_not_decrypt(kit) {
        let session = strict(kit).user();
        let both = keys::rsa_private().without(CKA_UNWRAP).and(attrs![CKA_DECAPSULATE => true]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.create(&both));
        let one = both.without(CKA_DECRYPT).without(CKA_SIGN);
        let key = session.create(&one).unwrap();
        assert_eq!(flags(&session, key, &[CKA_DECAPSULATE, CKA_DECRYPT, CKA_SIGN]), [true, false, false]);
    }

    fn a_weak_key_is_not_made(kit) {
        let session = strict(kit).user();
        let short = |value: &[u8]| keys::secret_template(value).without(CKA_DERIVE);
        let rsa = attrs![CKA_MODULUS_BITS => 1024 as CK_ULONG];
        let pairs = Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN);
        refused!(CKR_KEY_SIZE_RANGE, session.generate_pair(&pairs, &rsa, &attrs![]));
        refused!(CKR_KEY_SIZE_RANGE, session.generate(&Mech::plain(CKM_DES2_KEY_GEN), &attrs![]));
        refused!(CKR_MECHANISM_INVALID, session.generate(&Mech::plain(CKM_DES_KEY_GEN), &attrs![]));
        refused!(CKR_KEY_SIZE_RANGE, session.create(&short(b"0123456789abc")));
        assert!(session.create(&short(b"0123456789abcd")).is_ok());
        assert_eq!(session.find(&attrs![CKA_CLASS => CKO_PRIVATE_KEY]).unwrap(), []);
        assert_eq!(session.find(&attrs![CKA_CLASS => CKO_PUBLIC_KEY]).unwrap(), []);
    }

    fn a_pair_that_wraps_does_not_decrypt(kit) {
        let session = strict(kit).user();
        let pairs = Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN);
        let public = attrs![CKA_MODULUS_BITS => 2048 as CK_ULONG, CKA_WRAP => true];
        let decrypts = attrs![CKA_DECRYPT => true];
        refused!(CKR_TEMPLATE_INCONSISTENT, session.generate_pair(&pairs, &public, &decrypts));
        let (_, private) = session.generate_pair(&pairs, &public, &attrs![CKA_UNWRAP => true]).unwrap();
        assert_eq!(flags(&session, private, &[CKA_UNWRAP, CKA_DECRYPT, CKA_SIGN]), [true, false, false]);
    }

    fn a_key_of_one_time_passwords_is_not_copied(kit) {
        let token = strict(kit);
        let session = token.user();
        let key = session.generate(&Mech::plain(CKM_HOTP_KEY_GEN), &attrs![]).unwrap();
        assert_eq!(session.sign(&Mech::plain(CKM_HOTP), key, b"").map(|info| info.len()), Ok(78));
        refused!(CKR_ACTION_PROHIBITED, session.copy(key, &attrs![]));
    }

    fn keys_of_before_that_do_both_carry_nothing(kit) {
        let token = kit.token();
        let session = token.user();
        let label = attrs![CKA_TOKEN => true, CKA_LABEL => "before"];
        let value = [0x5a_u8; 32];
        session.create(&keys::aes_template(&value).and(label.clone())).unwrap();
        let on_token = attrs![CKA_TOKEN => true];
        let rsa = attrs![CKA_DECAPSULATE => true, CKA_LABEL => "rsa"].and(on_token.clone());
        session.create(&keys::rsa_private().and(rsa)).unwrap();
        let secret = attrs![CKA_LABEL => "secret"].and(on_token);
        session.create(&keys::secret_template(&value).and(secret)).unwrap();
        token.module.finalize().unwrap();
        kit.configure(STRICT);
        token.module.initialize().unwrap();
        let session = Token::find(token.module).user();
        let before = session.find(&label).unwrap();
        assert_eq!(before.len(), 1);
        for key in before {
            refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.wrap(&kwp(), key, leaving(&session)));
            refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.unwrap(&kwp(), key, &[0; 24], &aes_key()));
            assert!(session.encrypt(&Mech::bytes(CKM_AES_CBC, &[0; 16]), key, &value).is_ok());
            // Of two copies one could wrap, and the other decrypt.
            refused!(CKR_ACTION_PROHIBITED, session.copy(key, &attrs![CKA_DECRYPT => false]));
        }
        let the = |name: &str| session.find(&attrs![CKA_LABEL => name]).unwrap()[0];
        let oaep = Mech::oaep(CKM_SHA256, CKG_MGF1_SHA256, b"");
        let secret = attrs![CKA_VALUE_LEN => 16 as CK_ULONG];
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.decapsulate(&oaep, the("rsa"), &secret, &[7; 256]));
        let derived = session.derive(&Mech::plain(CKM_SHA256_KEY_DERIVATION), the("secret"), &secret);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, derived);
    }
}
