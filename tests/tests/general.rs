//! C_Initialize, C_Finalize, C_GetInfo, and the ways to a function list. PKCS #11 3.2, section 5.4.

use hsm_tests::function;
use hsm_tests::module::text;
use hsm_tests::prelude::*;
use hsm_tests::raw::{Arg, Loaded, module_path, mutexes};
use hsm_tests::session::Session;

isolated! {
    fn initialize_without_arguments_succeeds(kit) {
        assert_eq!(kit.module.initialize(), Ok(()));
    }

    fn initialize_twice_is_refused(kit) {
        kit.initialised();
        refused!(CKR_CRYPTOKI_ALREADY_INITIALIZED, kit.module.initialize());
    }

    fn initialize_after_finalize_succeeds(kit) {
        for _ in 0..3 {
            assert_eq!(kit.module.initialize(), Ok(()));
            assert_eq!(kit.module.finalize(), Ok(()));
        }
    }

    fn initialize_accepts_the_systems_locks(kit) {
        assert_eq!(kit.module.initialize_for_threads(), Ok(()));
    }

    fn initialize_accepts_the_systems_locks_with_mutexes_to_choose_from(kit) {
        assert_eq!(kit.module.initialize_with(&mutexes(CKF_OS_LOCKING_OK)), Ok(()));
        assert_eq!(kit.module.finalize(), Ok(()));
    }

    fn initialize_accepts_arguments_without_locks_and_flags(kit) {
        assert_eq!(kit.module.initialize_with(&CK_C_INITIALIZE_ARGS::default()), Ok(()));
    }

    fn initialize_accepts_a_library_that_may_not_create_threads(kit) {
        let flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS;
        let args = CK_C_INITIALIZE_ARGS { flags, ..Default::default() };
        assert_eq!(kit.module.initialize_with(&args), Ok(()));
    }

    fn initialize_refuses_mutexes_alone(kit) {
        refused!(CKR_CANT_LOCK, kit.module.initialize_with(&mutexes(0)));
        assert_eq!(kit.module.initialize(), Ok(()), "the refused call left nothing behind");
    }

    fn initialize_refuses_some_of_the_mutexes(kit) {
        for flags in [0, CKF_OS_LOCKING_OK] {
            let mut args = mutexes(flags);
            args.UnlockMutex = None;
            refused!(CKR_ARGUMENTS_BAD, kit.module.initialize_with(&args));
            let create = mutexes(flags).CreateMutex;
            let args = CK_C_INITIALIZE_ARGS { CreateMutex: create, flags, ..Default::default() };
            refused!(CKR_ARGUMENTS_BAD, kit.module.initialize_with(&args));
        }
    }

    fn initialize_refuses_a_reserved_pointer(kit) {
        let mut something = 0u8;
        let reserved = std::ptr::from_mut(&mut something).cast();
        let args =
            CK_C_INITIALIZE_ARGS { pReserved: reserved, flags: CKF_OS_LOCKING_OK, ..Default::default() };
        refused!(CKR_ARGUMENTS_BAD, kit.module.initialize_with(&args));
    }

    fn finalize_refuses_a_reserved_pointer(kit) {
        kit.initialised();
        let something = 0u8;
        refused!(CKR_ARGUMENTS_BAD, kit.module.call(function!(C_Finalize), &[(&something).into()]));
        assert!(kit.module.info().is_ok(), "still initialised");
    }

    fn finalize_before_initialize_is_refused(kit) {
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, kit.module.finalize());
    }

    fn finalize_twice_is_refused(kit) {
        kit.initialised();
        kit.module.finalize().unwrap();
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, kit.module.finalize());
    }

    fn calls_before_initialize_are_refused(kit) {
        let module = &kit.module;
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.info());
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.slots(false));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.slot_info(0));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.token_info(0));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.mechanisms(0));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.mechanism_info(0, CKM_RSA_PKCS));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.init_token(0, "12345678", "label"));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.open_rw(0));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, module.close_all(0));
    }

    fn session_calls_before_initialize_are_refused(kit) {
        let session = Session::at(&kit.module, 1);
        let none = attrs![];
        let mech = Mech::plain(CKM_SHA256);
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.close());
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.info());
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.login(CKU_USER, "1234567"));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.logout());
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.create(&none));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.destroy(1));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.find_init(&none));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.digest_init(&mech));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.sign(&mech, 1, b"data"));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.generate(&mech, &none));
        refused!(CKR_CRYPTOKI_NOT_INITIALIZED, session.random(8));
    }

    fn info_names_the_library_and_an_interface_version(kit) {
        let info = kit.initialised().info().unwrap();
        assert!(info.cryptokiVersion.major >= 2, "{:?}", info.cryptokiVersion);
        assert!(!text(&info.manufacturerID).is_empty());
        assert!(!text(&info.libraryDescription).is_empty());
        assert_eq!(info.flags, 0, "the standard defines no flag here");
    }

    fn info_is_padded_with_blanks(kit) {
        let info = kit.initialised().info().unwrap();
        for field in [info.manufacturerID, info.libraryDescription] {
            assert!(!field.contains(&0), "{:?}", String::from_utf8_lossy(&field));
            assert!(str::from_utf8(&field).is_ok());
        }
    }

    fn parallel_functions_are_not_parallel(kit) {
        let session = kit.token().rw();
        refused!(CKR_FUNCTION_NOT_PARALLEL, session.call(function!(C_GetFunctionStatus), &[]));
        refused!(CKR_FUNCTION_NOT_PARALLEL, session.call(function!(C_CancelFunction), &[]));
    }

    fn waiting_for_a_slot_event_without_blocking_finds_none(kit) {
        let mut slot: CK_SLOT_ID = 0;
        let args = [CKF_DONT_BLOCK.into(), (&mut slot).into(), Arg::NULL];
        let answer = kit.initialised().call(function!(C_WaitForSlotEvent), &args);
        refused!(CKR_NO_EVENT | CKR_FUNCTION_NOT_SUPPORTED, answer);
    }

    fn the_function_list_is_version_2_40_and_complete(kit) {
        let _ = kit;
        let list = Loaded::open_2_40(&module_path());
        assert_eq!(list.version(), (2, 40));
        assert_eq!(list.functions(), (68, 0), "functions, and how many are null");
    }

    fn the_function_list_is_given_before_initialize_and_works(kit) {
        let module = Module::from_loaded(Loaded::open_2_40(&module_path()));
        kit.module.initialize().unwrap();
        assert!(module.info().is_ok(), "one library, whichever list it is called through");
    }

    fn the_function_list_refuses_a_null_pointer(kit) {
        refused!(CKR_ARGUMENTS_BAD, kit.module.call(function!(C_GetFunctionList), &[Arg::NULL]));
    }
}
