//! The configuration's `[mechanisms]`: what it leaves out is neither listed nor begun.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys;
use hsm_tests::operations::{ENCRYPT, SIGN};
use hsm_tests::prelude::*;

fn lists(session: &Session<'_>, slot: CK_SLOT_ID, kind: CK_MECHANISM_TYPE) -> bool {
    let listed = session.module.mechanisms(slot).expect("C_GetMechanismList").contains(&kind);
    assert_eq!(session.module.mechanism_info(slot, kind).is_ok(), listed, "{kind:#x}");
    listed
}

isolated! {
    fn what_is_denied_is_not_there(kit) {
        kit.configure("[mechanisms]\ndeny = ['CKM_AES_ECB', 'CKM_SHA256', 'CKM_AES_KEY_GEN', 'CKM_ECDH1_DERIVE']\n");
        let token = kit.token();
        let session = token.user();
        let key = keys::aes(&session, &[7; 16]);
        for kind in [CKM_AES_ECB, CKM_SHA256, CKM_AES_KEY_GEN, CKM_ECDH1_DERIVE] {
            assert!(!lists(&session, token.slot, kind));
            refused!(CKR_MECHANISM_INVALID, token.module.mechanism_info(token.slot, kind));
        }
        assert!(lists(&session, token.slot, CKM_AES_CBC));
        let ecb = Mech::plain(CKM_AES_ECB);
        refused!(CKR_MECHANISM_INVALID, session.init(ENCRYPT, &ecb, key));
        refused!(CKR_MECHANISM_INVALID, session.wrap(&ecb, key, key));
        let template = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
        refused!(CKR_MECHANISM_INVALID, session.unwrap(&ecb, key, &[0; 16], &template));
        refused!(CKR_MECHANISM_INVALID, session.digest_init(&Mech::plain(CKM_SHA256)));
        let template = attrs![CKA_VALUE_LEN => 16 as CK_ULONG];
        refused!(CKR_MECHANISM_INVALID, session.generate(&Mech::plain(CKM_AES_KEY_GEN), &template));
        let pair = keys::x25519(&session);
        let mech = Mech::ecdh(CKD_NULL, b"", &[9; 32]);
        let template = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
        refused!(CKR_MECHANISM_INVALID, session.derive(&mech, pair.private, &template));
        assert!(session.encrypt(&Mech::bytes(CKM_AES_CBC, &[0; 16]), key, &[0; 16]).is_ok());
    }

    fn what_is_allowed_is_all_there_is(kit) {
        kit.configure("[mechanisms]\nallow = ['CKM_AES_CBC', 'CKM_AES_CMAC']\ndeny = ['CKM_AES_CMAC']\n");
        let token = kit.token();
        assert_eq!(token.module.mechanisms(token.slot), Ok(vec![CKM_AES_CBC]));
        let session = token.user();
        let key = keys::aes(&session, &[7; 16]);
        refused!(CKR_MECHANISM_INVALID, session.init(SIGN, &Mech::plain(CKM_AES_CMAC), key));
        refused!(CKR_MECHANISM_INVALID, session.generate_pair(&Mech::plain(CKM_EC_KEY_PAIR_GEN), &attrs![], &attrs![]));
        let listed = keys::aes_template(&[7; 16]).and(attrs![CKA_ALLOWED_MECHANISMS => [CKM_AES_ECB]]);
        let key = session.create(&listed).unwrap();
        refused!(CKR_MECHANISM_INVALID, session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), key));
    }

    fn one_setting_turns_off_what_is_for_old_data(kit) {
        kit.configure("[mechanisms]\nlegacy = false\n");
        let token = kit.token();
        let session = token.user();
        for kind in [CKM_MD5, CKM_MD5_HMAC, CKM_DES_ECB, CKM_DES_KEY_GEN, CKM_DES_MAC] {
            assert!(!lists(&session, token.slot, kind));
        }
        refused!(CKR_MECHANISM_INVALID, session.digest_init(&Mech::plain(CKM_MD5)));
        assert!(lists(&session, token.slot, CKM_DES3_ECB));
    }

    fn what_is_for_old_data_is_there_unless_turned_off(kit) {
        let token = kit.token();
        let session = token.user();
        for kind in [CKM_MD5, CKM_MD5_HMAC, CKM_DES_ECB, CKM_DES_KEY_GEN] {
            assert!(lists(&session, token.slot, kind));
        }
    }

    fn a_name_that_is_none_stops_the_library(kit) {
        kit.configure("[mechanisms]\ndeny = ['CKM_AES_EBC']\n");
        refused!(CKR_GENERAL_ERROR | CKR_FUNCTION_FAILED, kit.module.initialize());
    }
}
