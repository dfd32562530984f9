//! Loading and unloading, as p11-kit does in every process: dlopen, use on several threads, dlclose,
//! exit, without a crash and without growth. A crash at exit is seen by the runner, which looks at
//! each test's process.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::{Arc, Barrier};
use std::time::Duration;

use hsm_tests::keys;
use hsm_tests::kit::Child;
use hsm_tests::prelude::*;

/// Rounds of loading: `HSM_TESTS_ROUNDS`, else a thousand in a release build.
fn rounds() -> usize {
    let asked = std::env::var("HSM_TESTS_ROUNDS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(if cfg!(debug_assertions) { 100 } else { 1000 })
}

/// Resident memory of this process in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Uses the module on three threads without login.
fn use_on_threads(module: &Module) {
    let token = Token::find(module);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let session = token.ro();
                let key =
                    session.create(&keys::aes_template(&[0; 16]).and(attrs![CKA_PRIVATE => false])).unwrap();
                session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[0; 16]).unwrap();
                session.digest(&Mech::plain(CKM_SHA256), b"abc").unwrap();
                session.random(16).unwrap();
                session.close().unwrap();
            });
        }
    });
}

isolated! {
    fn a_thousand_rounds_of_loading_do_not_crash_or_grow(kit, 600) {
        kit.token();
        kit.module.finalize().unwrap();
        let rounds = rounds();
        let mut settled = 0;
        for round in 0..rounds {
            let module = Module::load();
            module.initialize_for_threads().unwrap();
            use_on_threads(&module);
            module.finalize().unwrap();
            module.close();
            if round == rounds / 4 {
                settled = resident();
            }
        }
        let grown = resident().saturating_sub(settled);
        assert!(grown < 4096, "{grown} KiB more after {rounds} rounds, {settled} KiB before");
    }

    fn rounds_of_initialize_and_finalize_do_not_grow(kit, 600) {
        kit.token();
        kit.module.finalize().unwrap();
        let rounds = rounds();
        let mut settled = 0;
        for round in 0..rounds {
            kit.module.initialize_for_threads().unwrap();
            use_on_threads(&kit.module);
            kit.module.finalize().unwrap();
            if round == rounds / 4 {
                settled = resident();
            }
        }
        let grown = resident().saturating_sub(settled);
        assert!(grown < 4096, "{grown} KiB more after {rounds} rounds, {settled} KiB before");
    }

    fn unloading_without_finalize_does_not_crash(kit) {
        kit.token();
        kit.module.finalize().unwrap();
        for _ in 0..10 {
            let module = Module::load();
            let _ = module.initialize_for_threads();
            use_on_threads(&module);
            module.close();
        }
    }

    fn a_thread_that_outlives_the_module_ends_well(kit) {
        kit.token();
        kit.module.finalize().unwrap();
        let module = Arc::new(Module::load());
        module.initialize_for_threads().unwrap();
        let slot = Token::find(&module).slot;
        let (used, unloaded) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let thread = std::thread::spawn({
            let (module, used, unloaded) = (module.clone(), used.clone(), unloaded.clone());
            move || {
                let session = module.open_ro(slot).unwrap();
                session.random(16).unwrap();
                session.digest(&Mech::plain(CKM_SHA256), b"abc").unwrap();
                drop(module);
                used.wait();
                unloaded.wait();
            }
        });
        used.wait();
        module.finalize().unwrap();
        Arc::into_inner(module).unwrap().close();
        unloaded.wait();
        thread.join().unwrap();
    }

    fn a_process_exits_well_with_everything_open(kit) {
        let token = kit.token_for_threads();
        let session = token.user();
        let key = keys::generate_aes(&session, attrs![CKA_TOKEN => true]);
        session.init(hsm_tests::operations::ENCRYPT, &Mech::plain(CKM_AES_ECB), key).unwrap();
        token.rw().find_init(&attrs![]).unwrap();
        // Stays loaded, so that the exit handlers run with all of it in use.
        std::mem::forget(Module::load());
    }

    fn a_process_exits_well_while_threads_use_the_module(kit) {
        kit.token();
        kit.module.finalize().unwrap();
        let module: &'static Module = Box::leak(Box::new(Module::load()));
        module.initialize_for_threads().unwrap();
        for _ in 0..2 {
            let session = Token::find(module).ro();
            std::thread::spawn(move || while session.digest(&Mech::plain(CKM_SHA256), b"abc").is_ok() {});
        }
        std::thread::sleep(Duration::from_millis(50));
    }

    fn two_copies_of_the_library_do_not_disturb_each_other(kit) {
        let copy = kit.directory.join("libother.so");
        std::fs::copy(hsm_tests::raw::module_path(), &copy).unwrap();
        let token = kit.token();
        let other = Module::load_from(&copy);
        other.initialize().unwrap();
        let here = token.user();
        let there = Token::find(&other).user();
        keys::generate_aes(&here, attrs![CKA_TOKEN => true, CKA_LABEL => "here"]);
        assert_eq!(there.find(&attrs![CKA_LABEL => "here"]).unwrap().len(), 1);
        other.finalize().unwrap();
        assert_eq!(here.state(), Ok(CKS_RW_USER_FUNCTIONS));
    }

    fn a_fork_between_rounds_of_loading_does_no_harm(kit) {
        kit.token();
        kit.module.finalize().unwrap();
        for _ in 0..5 {
            let module = Module::load();
            module.initialize_for_threads().unwrap();
            use_on_threads(&module);
            module.finalize().unwrap();
            module.close();
            Child::fork(|| {
                let module = Module::load();
                module.initialize_for_threads().unwrap();
                use_on_threads(&module);
                module.finalize().unwrap();
            })
            .succeeds();
        }
    }
}
