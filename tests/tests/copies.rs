//! C_CopyObject: where a copy may go, what may differ, and what the token says of it. PKCS #11 3.2, section 5.7.2.
//! That a copy has what its original has is in `objects.rs`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, data_template};
use hsm_tests::prelude::*;

/// A key that may leave in clear.
fn open_key(session: &Session<'_>) -> Object {
    keys::generate_aes(session, attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])
}

isolated! {
    fn a_copy_goes_to_the_token_and_back(kit) {
        let token = kit.token();
        let session = token.user();
        let object = session.create(&data_template("moving", b"value")).unwrap();
        let stored = session.copy(object, &attrs![CKA_TOKEN => true]).unwrap();
        let back = session.copy(stored, &attrs![CKA_TOKEN => false]).unwrap();
        let labelled = attrs![CKA_LABEL => "moving", CKA_TOKEN => true];
        assert_eq!(session.find(&labelled), Ok(vec![stored]));
        session.destroy(stored).unwrap();
        assert_eq!(session.find(&labelled), Ok(vec![]));
        assert_eq!(session.get(back, CKA_VALUE), Ok(b"value".to_vec()));
    }

    fn a_read_only_session_copies_to_itself_alone(kit) {
        let token = kit.token();
        let session = token.user();
        let object = session.create(&data_template("x", b"y").and(attrs![CKA_TOKEN => true])).unwrap();
        let reader = token.ro();
        refused!(CKR_SESSION_READ_ONLY, reader.copy(object, &attrs![]));
        refused!(CKR_SESSION_READ_ONLY, reader.copy(object, &attrs![CKA_TOKEN => true]));
        let copy = reader.copy(object, &attrs![CKA_TOKEN => false]).unwrap();
        assert_eq!(reader.flag(copy, CKA_TOKEN), Ok(false));
        // It goes with the session that made it.
        reader.close().unwrap();
        refused!(CKR_OBJECT_HANDLE_INVALID, session.get(copy, CKA_VALUE));
    }

    fn what_is_public_may_become_private_and_not_the_other_way_round(kit) {
        let token = kit.token();
        let session = token.user();
        let public = session.create(&data_template("x", b"y").and(attrs![CKA_PRIVATE => false])).unwrap();
        let private = session.copy(public, &attrs![CKA_PRIVATE => true]).unwrap();
        assert_eq!(session.flag(private, CKA_PRIVATE), Ok(true));
        refused!(CKR_TEMPLATE_INCONSISTENT, session.copy(private, &attrs![CKA_PRIVATE => false]));
        session.logout().unwrap();
        assert_eq!(session.get(public, CKA_VALUE), Ok(b"y".to_vec()));
        refused!(CKR_OBJECT_HANDLE_INVALID, session.get(private, CKA_VALUE));
        refused!(CKR_OBJECT_HANDLE_INVALID, session.copy(private, &attrs![]));
        refused!(CKR_USER_NOT_LOGGED_IN, session.copy(public, &attrs![CKA_PRIVATE => true]));
        assert!(session.copy(public, &attrs![]).is_ok());
    }

    fn protection_grows_and_the_history_stays_true(kit) {
        let session = kit.user();
        let key = open_key(&session);
        let flags = |key| {
            [CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL]
                .map(|kind| session.flag(key, kind).unwrap())
        };
        assert_eq!(flags(key), [false, true, false, false, true]);
        let closed = session.copy(key, &attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false]).unwrap();
        assert_eq!(flags(closed), [true, false, false, false, true]);
        assert_eq!(session.number(closed, CKA_KEY_GEN_MECHANISM), Ok(CKM_AES_KEY_GEN));
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(closed, CKA_VALUE));
        assert_eq!(flags(key), [false, true, false, false, true], "the original is as it was");
        for weaker in [attrs![CKA_SENSITIVE => false], attrs![CKA_EXTRACTABLE => true]] {
            refused!(CKR_ATTRIBUTE_READ_ONLY, session.copy(closed, &weaker));
        }
        let trusted = session.copy(key, &attrs![CKA_WRAP_WITH_TRUSTED => true]).unwrap();
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.copy(trusted, &attrs![CKA_WRAP_WITH_TRUSTED => false]));
    }

    fn every_copy_has_an_identity_of_its_own(kit) {
        let session = kit.user();
        let key = open_key(&session);
        let copy = session.copy(key, &attrs![CKA_TOKEN => true]).unwrap();
        let identity = |key| session.get(key, CKA_UNIQUE_ID).unwrap();
        assert_ne!(identity(key), identity(copy));
        assert!(!identity(copy).is_empty());
        let mine = || attrs![CKA_UNIQUE_ID => "mine"];
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.copy(key, &mine()));
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(key, &mine()));
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.create(&data_template("named", b"x").and(mine())));
    }

    fn what_the_token_says_is_not_the_templates(kit) {
        let session = kit.user();
        let key = open_key(&session);
        for more in [
            attrs![CKA_LOCAL => false],
            attrs![CKA_ALWAYS_SENSITIVE => true],
            attrs![CKA_NEVER_EXTRACTABLE => true],
            attrs![CKA_KEY_TYPE => CKK_DES3],
            attrs![CKA_VALUE_LEN => 16 as CK_ULONG],
            attrs![CKA_TRUSTED => true],
        ] {
            let before = session.find(&attrs![]).unwrap().len();
            refused!(CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT, session.copy(key, &more), "{more:?}");
            assert_eq!(session.find(&attrs![]).unwrap().len(), before, "nothing was made");
        }
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.copy(key, &attrs![CKA_MODULUS => "x"]));
        refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.copy(key, &attrs![CKA_TOKEN => "yes"]));
    }

    fn copyable_is_given_up_by_a_copy_too(kit) {
        let session = kit.user();
        let object = session.create(&data_template("x", b"y")).unwrap();
        let last = session.copy(object, &attrs![CKA_COPYABLE => false]).unwrap();
        refused!(CKR_ACTION_PROHIBITED, session.copy(last, &attrs![]));
        refused!(CKR_ACTION_PROHIBITED, session.copy(last, &attrs![CKA_COPYABLE => true]));
        assert!(session.copy(object, &attrs![]).is_ok());
    }

    fn a_copy_may_be_fixed_for_good(kit) {
        let session = kit.user();
        let object = session.create(&data_template("x", b"y")).unwrap();
        let fixed = session.copy(object, &attrs![CKA_MODIFIABLE => false]).unwrap();
        refused!(CKR_ACTION_PROHIBITED, session.set(fixed, &attrs![CKA_LABEL => "other"]));
        assert_eq!(session.set(object, &attrs![CKA_LABEL => "other"]), Ok(()));
    }
}
