//! C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal. PKCS #11 3.2, sections 5.7.7 to 5.7.9.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys::{self, data_template};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

/// A session with 25 data objects on the token, labelled 0 to 24, public and private in turn.
fn many<'m>(kit: &'m Kit) -> (Session<'m>, Vec<Object>) {
    let session = kit.user();
    let make = |number: usize| {
        let more =
            attrs![CKA_TOKEN => true, CKA_PRIVATE => number.is_multiple_of(2), CKA_APPLICATION => "many"];
        session.create(&data_template(&number.to_string(), b"value").and(more)).unwrap()
    };
    let objects = (0..25).map(make).collect();
    (session, objects)
}

fn sorted(mut handles: Vec<Object>) -> Vec<Object> {
    handles.sort_unstable();
    handles
}

isolated! {
    fn an_empty_template_finds_everything(kit) {
        let (session, objects) = many(kit);
        assert_eq!(sorted(session.find(&attrs![]).unwrap()), sorted(objects));
    }

    fn an_empty_token_has_nothing_to_find(kit) {
        assert_eq!(kit.user().find(&attrs![]), Ok(vec![]));
    }

    fn a_label_finds_its_object(kit) {
        let (session, objects) = many(kit);
        for (number, object) in objects.iter().enumerate() {
            assert_eq!(session.find(&attrs![CKA_LABEL => number.to_string()]), Ok(vec![*object]));
        }
    }

    fn a_label_is_matched_in_full(kit) {
        let (session, _) = many(kit);
        for label in ["", "1 ", "01", "100", "LABEL"] {
            assert_eq!(session.find(&attrs![CKA_LABEL => label]), Ok(vec![]), "{label:?}");
        }
    }

    fn every_attribute_of_the_template_must_match(kit) {
        let (session, objects) = many(kit);
        let found = session.find(&attrs![CKA_LABEL => "3", CKA_PRIVATE => false]).unwrap();
        assert_eq!(found, [objects[3]]);
        assert_eq!(session.find(&attrs![CKA_LABEL => "3", CKA_PRIVATE => true]), Ok(vec![]));
    }

    fn flags_find_their_objects(kit) {
        let (session, objects) = many(kit);
        assert_eq!(session.find(&attrs![CKA_PRIVATE => true]).unwrap().len(), 13);
        assert_eq!(session.find(&attrs![CKA_PRIVATE => false]).unwrap().len(), 12);
        assert_eq!(session.find(&attrs![CKA_TOKEN => true]).unwrap().len(), objects.len());
        assert_eq!(session.find(&attrs![CKA_TOKEN => false]), Ok(vec![]));
    }

    fn keys_are_found_by_what_they_are(kit) {
        let session = kit.user();
        let pair = keys::ec_with(&session, keys::P256, attrs![CKA_ID => "id", CKA_TOKEN => true]);
        let aes = keys::generate_aes(&session, attrs![CKA_ID => "id"]);
        let class = |class| session.find(&attrs![CKA_CLASS => class, CKA_ID => "id"]).unwrap();
        assert_eq!(class(CKO_PUBLIC_KEY), [pair.public]);
        assert_eq!(class(CKO_PRIVATE_KEY), [pair.private]);
        assert_eq!(class(CKO_SECRET_KEY), [aes]);
        assert_eq!(class(CKO_CERTIFICATE), []);
        let both = session.find(&attrs![CKA_KEY_TYPE => CKK_EC]).unwrap();
        assert_eq!(sorted(both), sorted(vec![pair.public, pair.private]));
        assert_eq!(session.find(&attrs![CKA_ID => "id"]).unwrap().len(), 3);
    }

    fn keys_are_found_by_computed_attributes(kit) {
        let session = kit.user();
        let key = keys::generate_aes(&session, attrs![CKA_SENSITIVE => true]);
        keys::aes(&session, &[7; 32]);
        let find = |template| session.find(&template).unwrap();
        assert_eq!(find(attrs![CKA_LOCAL => true]), [key]);
        assert_eq!(find(attrs![CKA_ALWAYS_SENSITIVE => true]), [key]);
        assert_eq!(find(attrs![CKA_KEY_GEN_MECHANISM => CKM_AES_KEY_GEN]), [key]);
        assert_eq!(find(attrs![CKA_VALUE_LEN => 32 as CK_ULONG]).len(), 2);
    }

    fn public_values_find_their_keys(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        let modulus = session.get(pair.public, CKA_MODULUS).unwrap();
        let found = session.find(&attrs![CKA_MODULUS => modulus, CKA_CLASS => CKO_PUBLIC_KEY]).unwrap();
        assert_eq!(found, [pair.public]);
    }

    fn a_sensitive_value_finds_nothing(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false];
        session.create(&keys::aes_template(&[7; 16]).and(more)).unwrap();
        assert_eq!(session.find(&attrs![CKA_VALUE => [7u8; 16]]), Ok(vec![]));
    }

    fn an_attribute_that_does_not_exist_finds_nothing(kit) {
        let (session, _) = many(kit);
        assert_eq!(session.find(&attrs![0x7777_7777 => "x"]), Ok(vec![]));
        assert_eq!(session.find(&attrs![CKA_MODULUS => "x"]), Ok(vec![]));
    }

    fn handles_come_in_chunks(kit) {
        let (session, objects) = many(kit);
        session.find_init(&attrs![]).unwrap();
        let mut found = Vec::new();
        for expected in [10, 10, 5, 0, 0] {
            let some = session.find_some(10).unwrap();
            assert_eq!(some.len(), expected);
            found.extend(some);
        }
        session.find_final().unwrap();
        assert_eq!(sorted(found), sorted(objects));
    }

    fn handles_come_one_by_one(kit) {
        let (session, objects) = many(kit);
        session.find_init(&attrs![]).unwrap();
        let found: Vec<_> = (0..objects.len()).flat_map(|_| session.find_some(1).unwrap()).collect();
        assert_eq!(session.find_some(1), Ok(vec![]));
        session.find_final().unwrap();
        assert_eq!(sorted(found), sorted(objects));
    }

    fn an_object_destroyed_during_a_search_does_no_harm(kit) {
        let (session, objects) = many(kit);
        session.find_init(&attrs![]).unwrap();
        let first = session.find_some(5).unwrap();
        for object in &objects {
            session.destroy(*object).unwrap();
        }
        let rest = session.find_some(100).unwrap();
        assert!(first.len() + rest.len() <= objects.len());
        session.find_final().unwrap();
        assert_eq!(session.find(&attrs![]), Ok(vec![]));
    }

    fn a_second_search_is_refused_while_one_runs(kit) {
        let (session, _) = many(kit);
        session.find_init(&attrs![]).unwrap();
        refused!(CKR_OPERATION_ACTIVE, session.find_init(&attrs![]));
        session.find_final().unwrap();
        assert_eq!(session.find_init(&attrs![]), Ok(()));
    }

    fn searches_in_two_sessions_are_independent(kit) {
        let (session, objects) = many(kit);
        let other = session.module.open_ro(session.info().unwrap().slotID).unwrap();
        session.find_init(&attrs![]).unwrap();
        other.find_init(&attrs![CKA_LABEL => "3"]).unwrap();
        assert_eq!(other.find_some(100), Ok(vec![objects[3]]));
        assert_eq!(session.find_some(100).unwrap().len(), objects.len());
    }

    fn attributes_can_be_read_while_a_search_runs(kit) {
        let (session, objects) = many(kit);
        session.find_init(&attrs![]).unwrap();
        assert_eq!(session.get(objects[3], CKA_LABEL).unwrap(), b"3");
        assert_eq!(session.find_some(100).unwrap().len(), objects.len());
    }

    fn searching_without_init_is_refused(kit) {
        let session = kit.user();
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.find_some(1));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.find_final());
    }

    fn searching_after_final_is_refused(kit) {
        let session = kit.user();
        session.find(&attrs![]).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.find_some(1));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.find_final());
    }

    fn null_pointers_are_refused(kit) {
        let session = kit.user();
        let init = [Arg::NULL, 1usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_FindObjectsInit), &init));
        session.find_init(&attrs![]).unwrap();
        let (mut handle, mut count): (CK_ULONG, CK_ULONG) = (0, 0);
        let no_count = [(&mut handle).into(), 1usize.into(), Arg::NULL];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_FindObjects), &no_count));
        let no_room = [Arg::NULL, 1usize.into(), (&mut count).into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_FindObjects), &no_room));
        assert_eq!(session.find_final(), Ok(()), "only the end of a search ends it");
    }
}
