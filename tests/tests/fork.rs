//! A host that forks with the module in use: the child must call C_Initialize and then works; the
//! parent goes on; what either commits, both see. PKCS #11 3.2, section 5.4.1 (CKF_INTERFACE_FORK_SAFE
//! says what others do; here the child always starts anew).
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::time::Duration;

use hsm_tests::function;
use hsm_tests::keys::{self, data_template, generate_aes};
use hsm_tests::kit::{Child, Gate, PIN, Running};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

fn ecb() -> Mech {
    Mech::plain(CKM_AES_ECB)
}

fn labelled(label: &str) -> Template {
    attrs![CKA_TOKEN => true, CKA_LABEL => label]
}

/// The token's user session in a child, which must initialise the module for itself.
fn child_user(kit: &Kit) -> Session<'_> {
    kit.module.initialize().expect("C_Initialize in the child");
    Token::find(&kit.module).user()
}

isolated! {
    fn a_child_must_initialise_for_itself(kit) {
        let session = kit.user();
        Child::fork(|| {
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED, kit.module.info());
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED, kit.module.slots(true));
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.info());
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.random(8));
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.close());
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED, kit.module.finalize());
        })
        .succeeds();
    }

    fn a_child_initialises_and_works(kit) {
        let session = kit.user();
        generate_aes(&session, labelled("key"));
        Child::fork(|| {
            let session = child_user(kit);
            let key = session.find(&attrs![CKA_LABEL => "key"]).unwrap()[0];
            assert_eq!(session.encrypt(&ecb(), key, &[7; 16]).unwrap().len(), 16);
            kit.module.finalize().unwrap();
        })
        .succeeds();
    }

    fn a_child_finds_the_function_list_before_it_initialises(kit) {
        kit.user();
        Child::fork(|| {
            refused!(CKR_ARGUMENTS_BAD, kit.module.call(function!(C_GetFunctionList), &[Arg::NULL]));
        })
        .succeeds();
    }

    fn a_childs_login_is_its_own(kit) {
        kit.user();
        Child::fork(|| {
            kit.module.initialize().expect("C_Initialize in the child");
            let session = Token::find(&kit.module).rw();
            assert_eq!(session.state(), Ok(CKS_RW_PUBLIC_SESSION));
        })
        .succeeds();
    }

    fn the_parents_handles_mean_nothing_in_the_child(kit) {
        let session = kit.user();
        Child::fork(|| {
            kit.module.initialize().expect("C_Initialize in the child");
            refused!(CKR_SESSION_HANDLE_INVALID, session.info());
        })
        .succeeds();
    }

    fn the_parents_session_goes_on(kit) {
        let session = kit.user();
        let key = generate_aes(&session, labelled("key"));
        let before = session.encrypt(&ecb(), key, &[7; 16]).unwrap();
        let child = Child::fork(|| {
            child_user(kit);
        });
        assert_eq!(session.encrypt(&ecb(), key, &[7; 16]).unwrap(), before, "while the child lives");
        child.succeeds();
        assert_eq!(session.state(), Ok(CKS_RW_USER_FUNCTIONS));
        assert_eq!(session.encrypt(&ecb(), key, &[7; 16]).unwrap(), before, "after it");
        assert!(session.create(&data_template("x", b"y").and(labelled("after"))).is_ok());
    }

    fn the_parents_running_operation_goes_on(kit) {
        let session = kit.user();
        session.digest_init(&Mech::plain(CKM_SHA256)).unwrap();
        session.update(hsm_tests::operations::DIGEST, b"a").unwrap();
        Child::fork(|| {
            child_user(kit);
        })
        .succeeds();
        session.update(hsm_tests::operations::DIGEST, b"bc").unwrap();
        let mut digest = [0; 32];
        session.last(hsm_tests::operations::DIGEST, Out::Buffer(&mut digest)).unwrap();
        assert_eq!(digest, *session.digest(&Mech::plain(CKM_SHA256), b"abc").unwrap());
    }

    fn a_key_that_the_child_makes_is_the_parents_too(kit) {
        let session = kit.user();
        Child::fork(|| {
            keys::ec_with(&child_user(kit), keys::P256, labelled("the child's"));
        })
        .succeeds();
        let find = |class| session.find(&attrs![CKA_LABEL => "the child's", CKA_CLASS => class]).unwrap();
        let mech = Mech::plain(CKM_ECDSA);
        let signature = session.sign(&mech, find(CKO_PRIVATE_KEY)[0], &[7; 32]).unwrap();
        assert_eq!(session.verify(&mech, find(CKO_PUBLIC_KEY)[0], &[7; 32], &signature), Ok(()));
    }

    fn a_key_that_the_parent_makes_is_the_childs_too(kit) {
        let session = kit.user();
        let gate = Gate::new();
        let child = Child::fork(|| {
            let session = child_user(kit);
            gate.wait();
            assert_eq!(session.find(&attrs![CKA_LABEL => "the parent's"]).unwrap().len(), 1);
        });
        generate_aes(&session, labelled("the parent's"));
        gate.open();
        child.succeeds();
    }

    fn a_key_that_the_child_destroys_stops_working_in_the_parent(kit) {
        let session = kit.user();
        let key = generate_aes(&session, labelled("key"));
        session.encrypt(&ecb(), key, &[7; 16]).unwrap();
        Child::fork(|| {
            let session = child_user(kit);
            session.destroy(session.find(&attrs![CKA_LABEL => "key"]).unwrap()[0]).unwrap();
        })
        .succeeds();
        refused!(CKR_KEY_HANDLE_INVALID | CKR_OBJECT_HANDLE_INVALID, session.encrypt(&ecb(), key, &[7; 16]));
        assert_eq!(session.find(&attrs![CKA_LABEL => "key"]), Ok(vec![]));
    }

    fn a_pin_that_the_child_changes_is_the_parents_too(kit) {
        let session = kit.user();
        Child::fork(|| child_user(kit).set_pin(PIN, "changed").unwrap()).succeeds();
        session.logout().unwrap();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, PIN));
        session.login(CKU_USER, "changed").unwrap();
    }

    fn a_child_that_finalises_leaves_the_parent_alone(kit) {
        let session = kit.user();
        Child::fork(|| {
            child_user(kit);
            kit.module.finalize().unwrap();
        })
        .succeeds();
        assert_eq!(session.state(), Ok(CKS_RW_USER_FUNCTIONS));
        assert!(session.random(8).is_ok());
    }

    fn a_child_that_never_uses_the_module_does_no_harm(kit) {
        let session = kit.user();
        Child::fork(|| {}).succeeds();
        assert!(session.create(&data_template("x", b"y").and(labelled("after"))).is_ok());
    }

    fn a_killed_child_does_no_harm(kit) {
        let session = kit.user();
        let gate = Gate::new();
        let child = Child::fork(|| {
            let session = child_user(kit);
            gate.open();
            loop {
                generate_aes(&session, labelled("the child's"));
            }
        });
        gate.wait();
        std::thread::sleep(Duration::from_millis(50));
        child.kill();
        let key = generate_aes(&session, labelled("the parent's"));
        assert!(session.encrypt(&ecb(), key, &[7; 16]).is_ok());
        for key in session.find(&attrs![CKA_LABEL => "the child's"]).unwrap() {
            assert!(session.encrypt(&ecb(), key, &[7; 16]).is_ok());
        }
    }

    fn a_grandchild_works_like_a_child(kit) {
        let session = kit.user();
        Child::fork(|| {
            child_user(kit);
            Child::fork(|| {
                refused!(CKR_CRYPTOKI_NOT_INITIALIZED, kit.module.info());
                generate_aes(&child_user(kit), labelled("the grandchild's"));
            })
            .succeeds();
        })
        .succeeds();
        assert_eq!(session.find(&attrs![CKA_LABEL => "the grandchild's"]).unwrap().len(), 1);
    }

    fn parent_and_child_write_at_the_same_time(kit) {
        let session = kit.user();
        let make = |session: &Session<'_>, label| {
            for _ in 0..30 {
                generate_aes(session, labelled(label));
            }
        };
        let child = Child::fork(|| make(&child_user(kit), "the child's"));
        make(&session, "the parent's");
        child.succeeds();
        for label in ["the child's", "the parent's"] {
            assert_eq!(session.find(&attrs![CKA_LABEL => label]).unwrap().len(), 30, "{label}");
        }
    }

    fn a_child_of_a_busy_parent_works(kit) {
        let token = kit.token_for_threads();
        let key = generate_aes(&token.user(), labelled("key"));
        let running = Running::default();
        std::thread::scope(|scope| {
            let _stop = running.stop_at_end();
            for _ in 0..2 {
                scope.spawn(|| {
                    let session = token.rw();
                    while running.goes_on() {
                        session.encrypt(&ecb(), key, &[7; 16]).unwrap();
                        session.create(&data_template("x", b"y").and(labelled("data"))).unwrap();
                    }
                });
            }
            for _ in 0..5 {
                Child::fork(|| {
                    let session = child_user(kit);
                    let key = session.find(&attrs![CKA_LABEL => "key"]).unwrap()[0];
                    session.encrypt(&ecb(), key, &[7; 16]).unwrap();
                    generate_aes(&session, labelled("the child's"));
                })
                .succeeds();
            }
        });
        assert_eq!(token.rw().find(&attrs![CKA_LABEL => "the child's"]).unwrap().len(), 5);
    }
}
