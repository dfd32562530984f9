//! Several processes on one token: what one commits, the others see at their next call.

use hsm_tests::keys::{self, data_template, generate_aes};
use hsm_tests::kit::{Child, Gate, LABEL, PIN, SO_PIN};
use hsm_tests::prelude::*;

fn labelled(label: &str) -> Template {
    attrs![CKA_TOKEN => true, CKA_LABEL => label]
}

/// Runs `other` in a process that starts before this one touches the module, once the returned gate
/// opens.
fn beside(kit: &Kit, other: impl FnOnce(&Session<'_>)) -> (Child, Gate) {
    let gate = Gate::new();
    let child = Child::fork(|| {
        gate.wait();
        other(&Token::find(kit.initialised()).user());
    });
    (child, gate)
}

isolated! {
    fn a_key_made_elsewhere_is_found_at_the_next_call(kit) {
        let (child, gate) = beside(kit, |session| {
            generate_aes(session, labelled("elsewhere"));
        });
        let session = kit.user();
        assert_eq!(session.find(&attrs![CKA_LABEL => "elsewhere"]), Ok(vec![]));
        gate.open();
        child.succeeds();
        let key = session.find(&attrs![CKA_LABEL => "elsewhere"]).unwrap()[0];
        assert!(session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[7; 16]).is_ok());
    }

    fn a_key_destroyed_elsewhere_stops_working(kit) {
        let (child, gate) = beside(kit, |session| {
            session.destroy(session.find(&attrs![CKA_LABEL => "key"]).unwrap()[0]).unwrap();
        });
        let session = kit.user();
        let key = generate_aes(&session, labelled("key"));
        let ecb = Mech::plain(CKM_AES_ECB);
        session.encrypt(&ecb, key, &[7; 16]).unwrap();
        gate.open();
        child.succeeds();
        refused!(CKR_KEY_HANDLE_INVALID | CKR_OBJECT_HANDLE_INVALID, session.encrypt(&ecb, key, &[7; 16]));
        refused!(CKR_OBJECT_HANDLE_INVALID, session.get(key, CKA_LABEL));
        refused!(CKR_OBJECT_HANDLE_INVALID, session.destroy(key));
        assert_eq!(session.find(&attrs![CKA_LABEL => "key"]), Ok(vec![]));
    }

    fn an_attribute_changed_elsewhere_is_changed_here(kit) {
        let (child, gate) = beside(kit, |session| {
            let object = session.find(&attrs![CKA_LABEL => "before"]).unwrap()[0];
            session.set(object, &attrs![CKA_LABEL => "after"]).unwrap();
        });
        let session = kit.user();
        let object = session.create(&data_template("before", b"y").and(attrs![CKA_TOKEN => true])).unwrap();
        gate.open();
        child.succeeds();
        assert_eq!(session.get(object, CKA_LABEL).unwrap(), b"after");
        assert_eq!(session.find(&attrs![CKA_LABEL => "after"]), Ok(vec![object]));
        assert_eq!(session.find(&attrs![CKA_LABEL => "before"]), Ok(vec![]));
    }

    fn a_permission_taken_away_elsewhere_is_gone_here(kit) {
        let (child, gate) = beside(kit, |session| {
            let key = session.find(&attrs![CKA_LABEL => "key"]).unwrap()[0];
            session.set(key, &attrs![CKA_ENCRYPT => false]).unwrap();
        });
        let session = kit.user();
        let key = generate_aes(&session, labelled("key"));
        let ecb = Mech::plain(CKM_AES_ECB);
        session.encrypt(&ecb, key, &[7; 16]).unwrap();
        gate.open();
        child.succeeds();
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.encrypt(&ecb, key, &[7; 16]));
    }

    fn session_objects_stay_in_their_process(kit) {
        let (child, gate) = beside(kit, |session| {
            assert_eq!(session.find(&attrs![]), Ok(vec![]));
        });
        let session = kit.user();
        generate_aes(&session, attrs![CKA_LABEL => "mine"]);
        gate.open();
        child.succeeds();
    }

    fn login_stays_in_its_process(kit) {
        let gate = Gate::new();
        let child = Child::fork(|| {
            gate.wait();
            let session = Token::find(kit.initialised()).rw();
            assert_eq!(session.state(), Ok(CKS_RW_PUBLIC_SESSION));
            session.login(CKU_SO, SO_PIN).unwrap();
        });
        let session = kit.user();
        gate.open();
        child.succeeds();
        assert_eq!(session.state(), Ok(CKS_RW_USER_FUNCTIONS));
    }

    fn a_pin_changed_elsewhere_is_the_pin(kit) {
        let (child, gate) = beside(kit, |session| session.set_pin(PIN, "changed").unwrap());
        let session = kit.user();
        generate_aes(&session, labelled("key"));
        gate.open();
        child.succeeds();
        assert_eq!(session.find(&attrs![CKA_LABEL => "key"]).unwrap().len(), 1, "still logged in");
        session.logout().unwrap();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, PIN));
        session.login(CKU_USER, "changed").unwrap();
        assert_eq!(session.find(&attrs![CKA_LABEL => "key"]).unwrap().len(), 1);
    }

    fn a_token_reinitialised_elsewhere_is_empty_here(kit) {
        let gate = Gate::new();
        let child = Child::fork(|| {
            gate.wait();
            let token = Token::find(kit.initialised());
            token.module.init_token(token.slot, SO_PIN, LABEL).unwrap();
            token.so().init_pin(PIN).unwrap();
        });
        let token = kit.token();
        let session = token.user();
        generate_aes(&session, labelled("key"));
        session.close().unwrap();
        gate.open();
        child.succeeds();
        assert_eq!(token.user().find(&attrs![]), Ok(vec![]));
    }

    fn two_processes_write_at_the_same_time(kit) {
        let make = |session: &Session<'_>, label| {
            for number in 0..40 {
                let more = labelled(label).and(attrs![CKA_ID => format!("{number}")]);
                generate_aes(session, more);
            }
        };
        let (child, gate) = beside(kit, |session| make(session, "there"));
        let session = kit.user();
        gate.open();
        make(&session, "here");
        child.succeeds();
        for label in ["here", "there"] {
            assert_eq!(session.find(&attrs![CKA_LABEL => label]).unwrap().len(), 40, "{label}");
        }
    }

    fn only_one_of_two_processes_destroys_a_key(kit) {
        let results = kit.directory.join("destroyed");
        let destroy_all = |session: &Session<'_>, keys: &[Object], path: &std::path::Path| {
            let done = keys.iter().filter(|key| match session.destroy(**key) {
                Ok(()) => true,
                Err(rv) => {
                    assert_eq!(rv, Rv(CKR_OBJECT_HANDLE_INVALID));
                    false
                }
            });
            std::fs::write(path, done.count().to_string()).unwrap();
        };
        let find = |session: &Session<'_>| session.find(&attrs![CKA_LABEL => "key"]).unwrap();
        let ready = Gate::new();
        let (child, gate) = beside(kit, |session| {
            let keys = find(session);
            ready.open();
            destroy_all(session, &keys, &results.with_extension("there"));
        });
        let session = kit.user();
        for _ in 0..40 {
            keys::generate_aes(&session, labelled("key"));
        }
        let keys = find(&session);
        gate.open();
        ready.wait();
        destroy_all(&session, &keys, &results.with_extension("here"));
        child.succeeds();
        let read = |name| -> usize {
            std::fs::read_to_string(results.with_extension(name)).unwrap().parse().unwrap()
        };
        assert_eq!(read("here") + read("there"), 40);
    }

    fn the_first_tokens_can_be_made_by_several_processes_at_once(kit) {
        let children: Vec<_> = (0..4)
            .map(|number| {
                Child::fork(move || {
                    let module = kit.initialised();
                    module.init_token(module.free_slot(), SO_PIN, &format!("token {number}")).unwrap();
                })
            })
            .collect();
        children.into_iter().for_each(Child::succeeds);
        let module = kit.initialised();
        for number in 0..4 {
            let slot = module.slot_of(&format!("token {number}")).unwrap();
            module.open_rw(slot).unwrap().login(CKU_SO, SO_PIN).unwrap();
        }
    }
}
