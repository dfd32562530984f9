//! Many threads in one process. PKCS #11 3.2, section 5.4.1 (CKF_OS_LOCKING_OK): each thread has its
//! own session, keys are shared.

use hsm_tests::keys::{self, data_template, generate_aes};
use hsm_tests::kit::{PIN, Running};
use hsm_tests::operations::SIGN;
use hsm_tests::prelude::*;

/// Runs `work` in so many threads at once, each with its number.
fn together(threads: usize, work: impl Fn(usize) + Sync) {
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        for number in 0..threads {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(number);
            });
        }
    });
}

isolated! {
    fn two_threads_sign_with_one_rsa_key(kit) {
        let token = kit.token_for_threads();
        let pair = keys::rsa(&token.user());
        let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
        let expected = token.rw().sign(&mech, pair.private, b"data").unwrap();
        together(2, |_| {
            let session = token.rw();
            for _ in 0..50 {
                let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
                assert_eq!(session.sign(&mech, pair.private, b"data").unwrap(), expected);
            }
        });
    }

    fn eight_threads_sign_and_verify_with_one_ec_key(kit) {
        let token = kit.token_for_threads();
        let pair = keys::ec_with(&token.user(), keys::P256, attrs![CKA_TOKEN => true]);
        together(8, |number| {
            let session = token.rw();
            let mech = Mech::plain(CKM_ECDSA);
            for round in 0..50 {
                let digest = [u8::try_from(number * 16 + round % 16).unwrap(); 32];
                let signature = session.sign(&mech, pair.private, &digest).unwrap();
                assert_eq!(session.verify(&mech, pair.public, &digest, &signature), Ok(()));
            }
        });
    }

    fn operations_in_parts_do_not_mix(kit) {
        let token = kit.token_for_threads();
        let key = keys::secret(&token.user(), &[7; 64]);
        let message: Vec<u8> = (0..100).collect();
        let expected = token.rw().sign(&Mech::plain(CKM_SHA256_HMAC), key, &message).unwrap();
        together(8, |number| {
            let session = token.rw();
            let mech = Mech::plain(CKM_SHA256_HMAC);
            let parts: Vec<&[u8]> = message.chunks(number + 1).collect();
            for _ in 0..50 {
                assert_eq!(session.sign_parts(&mech, key, &parts).unwrap(), expected);
            }
        });
    }

    fn eight_threads_make_and_destroy_session_objects(kit) {
        let token = kit.token_for_threads();
        let all = token.user();
        together(8, |number| {
            let session = token.rw();
            let label = format!("thread {number}");
            for _ in 0..50 {
                let object = session.create(&data_template(&label, b"value")).unwrap();
                assert_eq!(session.find(&attrs![CKA_LABEL => &label]), Ok(vec![object]));
                assert_eq!(session.get(object, CKA_VALUE).unwrap(), b"value");
                session.destroy(object).unwrap();
            }
        });
        assert_eq!(all.find(&attrs![]), Ok(vec![]));
    }

    fn eight_threads_make_and_destroy_token_objects(kit) {
        let token = kit.token_for_threads();
        let all = token.user();
        together(8, |number| {
            let session = token.rw();
            let label = format!("thread {number}");
            for _ in 0..10 {
                let kept = generate_aes(&session, attrs![CKA_TOKEN => true, CKA_LABEL => "kept"]);
                let object =
                    session.create(&data_template(&label, b"value").and(attrs![CKA_TOKEN => true])).unwrap();
                assert_eq!(session.find(&attrs![CKA_LABEL => &label]), Ok(vec![object]));
                session.destroy(object).unwrap();
                session.encrypt(&Mech::plain(CKM_AES_ECB), kept, &[7; 16]).unwrap();
            }
        });
        assert_eq!(all.find(&attrs![]).unwrap().len(), 80);
    }

    fn two_threads_generate_token_key_pairs(kit) {
        let token = kit.token_for_threads();
        let all = token.user();
        together(2, |_| {
            let session = token.rw();
            for _ in 0..10 {
                keys::ec_with(&session, keys::P256, attrs![CKA_TOKEN => true]);
            }
        });
        assert_eq!(all.find(&attrs![CKA_CLASS => CKO_PRIVATE_KEY]).unwrap().len(), 20);
    }

    fn eight_threads_open_and_close_sessions(kit) {
        let token = kit.token_for_threads();
        let kept = token.user();
        together(8, |_| {
            for _ in 0..200 {
                let session = token.ro();
                assert_eq!(session.state(), Ok(CKS_RO_USER_FUNCTIONS));
                session.random(8).unwrap();
                session.close().unwrap();
            }
        });
        assert_eq!(kept.state(), Ok(CKS_RW_USER_FUNCTIONS));
    }

    fn one_object_is_destroyed_once(kit) {
        let token = kit.token_for_threads();
        let session = token.user();
        let objects: Vec<_> = (0..50).map(|_| session.create(&data_template("x", b"y")).unwrap()).collect();
        let destroyed = std::sync::atomic::AtomicUsize::new(0);
        together(4, |_| {
            let session = token.rw();
            for object in &objects {
                match session.destroy(*object) {
                    Ok(()) => {
                        destroyed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    Err(rv) => assert_eq!(rv, Rv(CKR_OBJECT_HANDLE_INVALID)),
                }
            }
        });
        assert_eq!(destroyed.into_inner(), 50);
    }

    fn a_key_destroyed_by_another_thread_is_refused_not_misused(kit) {
        let token = kit.token_for_threads();
        let owner = token.user();
        let current = std::sync::atomic::AtomicU64::new(keys::aes(&owner, &[0; 16]));
        let running = Running::default();
        let zero = keys::hex("66e94bd4ef8a2c3b884cfa59ca342b2e");
        std::thread::scope(|scope| {
            let _stop = running.stop_at_end();
            for _ in 0..2 {
                scope.spawn(|| {
                    let session = token.rw();
                    while running.goes_on() {
                        let key = current.load(std::sync::atomic::Ordering::Relaxed);
                        match session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[0; 16]) {
                            Ok(encrypted) => assert_eq!(encrypted, zero),
                            Err(rv) => {
                                let expected = [
                                    CKR_KEY_HANDLE_INVALID,
                                    CKR_OBJECT_HANDLE_INVALID,
                                    CKR_OPERATION_NOT_INITIALIZED,
                                ];
                                assert!(expected.contains(&rv.0), "{rv:?}");
                            }
                        }
                    }
                });
            }
            for _ in 0..200 {
                let new = keys::aes(&owner, &[0; 16]);
                let old = current.swap(new, std::sync::atomic::Ordering::Relaxed);
                owner.destroy(old).unwrap();
            }
        });
    }

    fn login_and_logout_beside_signing_threads(kit) {
        let token = kit.token_for_threads();
        let owner = token.rw();
        owner.login(CKU_USER, PIN).unwrap();
        let template = keys::secret_template(&[7; 64]).and(attrs![CKA_TOKEN => true, CKA_PRIVATE => true]);
        owner.create(&template).unwrap();
        let running = Running::default();
        std::thread::scope(|scope| {
            let _stop = running.stop_at_end();
            for _ in 0..2 {
                scope.spawn(|| {
                    let session = token.rw();
                    while running.goes_on() {
                        // A logout also ends a search.
                        let Ok(found) = session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]) else { continue };
                        let Some(key) = found.first() else { continue };
                        let answer = session.sign(&Mech::plain(CKM_SHA256_HMAC), *key, b"data");
                        let expected = [
                            CKR_KEY_HANDLE_INVALID,
                            CKR_OBJECT_HANDLE_INVALID,
                            CKR_USER_NOT_LOGGED_IN,
                            CKR_OPERATION_NOT_INITIALIZED,
                        ];
                        assert!(answer.is_ok() || answer.is_err_and(|rv| expected.contains(&rv.0)));
                    }
                });
            }
            for _ in 0..5 {
                owner.logout().unwrap();
                owner.login(CKU_USER, PIN).unwrap();
            }
        });
    }

    fn one_session_shared_by_two_threads_does_not_crash(kit) {
        let token = kit.token_for_threads();
        let session = token.user();
        let key = keys::secret(&session, &[7; 64]);
        let expected = session.sign(&Mech::plain(CKM_SHA256_HMAC), key, b"data").unwrap();
        together(2, |_| {
            for _ in 0..500 {
                let mech = Mech::plain(CKM_SHA256_HMAC);
                let mut mac = [0; 32];
                let signed = session
                    .init(SIGN, &mech, key)
                    .and_then(|()| session.once(SIGN, b"data", Out::Buffer(&mut mac)));
                match signed {
                    Ok(_) => assert_eq!(mac, *expected),
                    Err(rv) => {
                        let order = [CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED];
                        assert!(order.contains(&rv.0), "{rv:?}");
                    }
                }
            }
        });
    }
}
