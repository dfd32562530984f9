//! C_WaitForSlotEvent, profile objects, validation flags and asynchronous functions. PKCS #11 3.2, sections 5.5.4,
//! 4.15, 5.6.11 and 5.21.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::thread;
use std::time::{Duration, Instant};

use hsm_tests::function;
use hsm_tests::kit::{Child, Gate, SO_PIN};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

/// C_WaitForSlotEvent.
fn wait(module: &Module, flags: CK_FLAGS) -> Result<CK_SLOT_ID, Rv> {
    let mut slot: CK_SLOT_ID = 0;
    module.call(function!(C_WaitForSlotEvent), &[flags.into(), (&mut slot).into(), Arg::NULL])?;
    Ok(slot)
}

/// Has the module tell of events, which is off unless it is asked for.
fn told(kit: &Kit) {
    kit.configure("[events]\nslots = true\n");
}

isolated! {
    fn events_are_off_unless_asked_for(kit) {
        let module = kit.initialised();
        for flags in [0, CKF_DONT_BLOCK] {
            refused!(CKR_FUNCTION_NOT_SUPPORTED, wait(module, flags));
        }
    }

    fn a_new_token_is_one_event(kit) {
        told(kit);
        let module = kit.initialised();
        refused!(CKR_NO_EVENT, wait(module, CKF_DONT_BLOCK));
        let free = module.free_slot();
        module.init_token(free, SO_PIN, "new").unwrap();
        assert_eq!(wait(module, CKF_DONT_BLOCK), Ok(free));
        refused!(CKR_NO_EVENT, wait(module, CKF_DONT_BLOCK));
        // Wiping a token takes it away for nobody.
        module.init_token(free, SO_PIN, "again").unwrap();
        refused!(CKR_NO_EVENT, wait(module, CKF_DONT_BLOCK));
    }

    fn what_was_there_before_is_no_event(kit) {
        told(kit);
        let token = kit.token();
        token.module.finalize().unwrap();
        token.module.initialize().unwrap();
        refused!(CKR_NO_EVENT, wait(token.module, CKF_DONT_BLOCK));
    }

    fn another_processes_token_ends_the_wait(kit) {
        told(kit);
        let gate = Gate::new();
        let child = Child::fork(|| {
            gate.wait();
            let module = kit.initialised();
            module.init_token(module.free_slot(), SO_PIN, "theirs").unwrap();
        });
        let module = kit.token().module;
        // The token just made is an event as well.
        while wait(module, CKF_DONT_BLOCK).is_ok() {}
        refused!(CKR_NO_EVENT, wait(module, CKF_DONT_BLOCK));
        gate.open();
        let slot = wait(module, 0).unwrap();
        child.succeeds();
        assert_eq!(module.slot_of("theirs"), Some(slot));
    }

    fn finalize_ends_the_wait(kit) {
        told(kit);
        kit.module.initialize_for_threads().unwrap();
        refused!(CKR_NO_EVENT, wait(&kit.module, CKF_DONT_BLOCK));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&kit.module, 0));
            thread::sleep(Duration::from_millis(250));
            let since = Instant::now();
            kit.module.finalize().unwrap();
            // Loaded anew at once: the wait was for the library that has gone.
            kit.module.initialize_for_threads().unwrap();
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED, waiting.join().unwrap());
            assert!(since.elapsed() < Duration::from_secs(10));
        });
    }

    fn a_wait_needs_a_place_and_nothing_reserved(kit) {
        told(kit);
        let module = kit.initialised();
        let mut slot: CK_SLOT_ID = 0;
        for flags in [0, CKF_DONT_BLOCK] {
            let args = [flags.into(), Arg::NULL, Arg::NULL];
            refused!(CKR_ARGUMENTS_BAD, module.call(function!(C_WaitForSlotEvent), &args));
            let reserved: CK_ULONG = 0;
            let args = [flags.into(), (&mut slot).into(), (&reserved).into()];
            refused!(CKR_ARGUMENTS_BAD, module.call(function!(C_WaitForSlotEvent), &args));
        }
    }

    fn profiles_are_found_without_login_by_those_who_ask(kit) {
        let session = kit.token().ro();
        let found = session.find(&attrs![CKA_CLASS => CKO_PROFILE]).unwrap();
        let mut numbers: Vec<_> =
            found.iter().map(|object| session.number(*object, CKA_PROFILE_ID).unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER, CKP_AUTHENTICATION_TOKEN]);
        let one = session.find(&attrs![CKA_PROFILE_ID => CKP_EXTENDED_PROVIDER]).unwrap();
        let [object] = one[..] else { panic!("{one:?}") };
        assert!(found.contains(&object), "handles stay");
        assert_eq!(session.get(object, CKA_LABEL), Ok(b"Extended Provider".to_vec()));
        assert_eq!((session.flag(object, CKA_TOKEN), session.flag(object, CKA_PRIVATE)), (Ok(true), Ok(false)));
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.get(object, CKA_VALUE));
        for none in [
            attrs![],
            attrs![CKA_CLASS => CKO_PROFILE, CKA_TOKEN => false],
            attrs![CKA_CLASS => CKO_PROFILE, CKA_PRIVATE => true],
            attrs![CKA_CLASS => CKO_DATA, CKA_PROFILE_ID => CKP_BASELINE_PROVIDER],
            attrs![CKA_PROFILE_ID => CKP_COMPLETE_PROVIDER],
            attrs![CKA_CLASS => CKO_VALIDATION],
        ] {
            assert_eq!(session.find(&none), Ok(vec![]), "{none:?}");
        }
    }

    fn profiles_are_not_anybodys_to_change(kit) {
        let session = kit.user();
        let object = session.find(&attrs![CKA_CLASS => CKO_PROFILE]).unwrap()[0];
        refused!(CKR_ACTION_PROHIBITED, session.destroy(object));
        refused!(CKR_ACTION_PROHIBITED, session.set(object, &attrs![CKA_LABEL => "mine"]));
        refused!(CKR_ACTION_PROHIBITED, session.copy(object, &attrs![]));
        let made = session.create(&attrs![CKA_CLASS => CKO_PROFILE, CKA_PROFILE_ID => CKP_COMPLETE_PROVIDER]);
        refused!(CKR_ATTRIBUTE_VALUE_INVALID | CKR_TEMPLATE_INCONSISTENT, made);
        let data = attrs![CKA_CLASS => CKO_DATA, CKA_PROFILE_ID => CKP_COMPLETE_PROVIDER];
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.create(&data));
        let key = session.init(hsm_tests::operations::ENCRYPT, &Mech::plain(CKM_AES_ECB), object);
        refused!(CKR_KEY_HANDLE_INVALID | CKR_KEY_TYPE_INCONSISTENT, key);
    }

    fn nothing_was_validated(kit) {
        let session = kit.user();
        session.digest(&Mech::plain(CKM_SHA256), b"data").unwrap();
        let mut flags: CK_FLAGS = 77;
        let ask = function!(C_GetSessionValidationFlags);
        session.call(ask, &[CKS_LAST_VALIDATION_OK.into(), (&mut flags).into()]).unwrap();
        assert_eq!(flags, 0);
        refused!(CKR_ARGUMENTS_BAD, session.call(ask, &[77usize.into(), (&mut flags).into()]));
        refused!(CKR_ARGUMENTS_BAD, session.call(ask, &[CKS_LAST_VALIDATION_OK.into(), Arg::NULL]));
        assert_eq!(session.find(&attrs![CKA_CLASS => CKO_VALIDATION]), Ok(vec![]));
    }

    fn nothing_runs_asynchronously(kit) {
        let token = kit.token();
        let session = token.rw();
        let name = b"C_SignInit\0".as_slice();
        let (mut data, mut identifier) = (CK_ASYNC_DATA::default(), 0 as CK_ULONG);
        for result in [(&mut data).into(), Arg::NULL] {
            let answer = session.call(function!(C_AsyncComplete), &[name.into(), result]);
            refused!(CKR_OPERATION_NOT_INITIALIZED, answer);
        }
        let answer = session.call(function!(C_AsyncGetID), &[name.into(), (&mut identifier).into()]);
        refused!(CKR_OPERATION_NOT_INITIALIZED, answer);
        let join = [name.into(), 1usize.into(), Arg::NULL, 0usize.into()];
        refused!(CKR_SAVED_STATE_INVALID, session.call(function!(C_AsyncJoin), &join));
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_AsyncComplete), &[Arg::NULL, Arg::NULL]));
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_AsyncGetID), &[name.into(), Arg::NULL]));
        let nowhere = [name.into(), 1usize.into(), Arg::NULL, 9usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_AsyncJoin), &nowhere));
        assert_eq!(token.flags() & CKF_ASYNC_SESSION_SUPPORTED, 0);
    }

    fn users_have_no_names(kit) {
        let session = kit.token().rw();
        let pin = hsm_tests::kit::PIN.as_bytes();
        let login = |name: &[u8]| {
            let args = [CKU_USER.into(), pin.into(), pin.len().into(), name.into(), name.len().into()];
            session.call(function!(C_LoginUser), &args)
        };
        refused!(CKR_ARGUMENTS_BAD, login(b"somebody"));
        assert_eq!(session.state(), Ok(CKS_RW_PUBLIC_SESSION));
        assert_eq!(login(b""), Ok(()));
        assert_eq!(session.state(), Ok(CKS_RW_USER_FUNCTIONS));
    }
}
