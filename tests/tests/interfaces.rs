//! Interfaces: the function lists 2.40, 3.0 and 3.2 by name and version. PKCS #11 3.2, section 5.4.5
//! and 5.4.6.

use hsm_tests::function;
use hsm_tests::prelude::*;
use hsm_tests::raw::{Arg, Function, Loaded, module_path};

const NAME: &str = "PKCS 11";

/// The functions of 3.0 and later that take a session, and how many arguments each takes.
#[rustfmt::skip]
const NEWER: &[(Function, usize)] = &[
    (function!(C_LoginUser), 6),
    (function!(C_SessionCancel), 2),
    (function!(C_MessageEncryptInit), 3),
    (function!(C_EncryptMessage), 9),
    (function!(C_EncryptMessageBegin), 5),
    (function!(C_EncryptMessageNext), 8),
    (function!(C_MessageEncryptFinal), 1),
    (function!(C_MessageDecryptInit), 3),
    (function!(C_DecryptMessage), 9),
    (function!(C_DecryptMessageBegin), 5),
    (function!(C_DecryptMessageNext), 8),
    (function!(C_MessageDecryptFinal), 1),
    (function!(C_MessageSignInit), 3),
    (function!(C_SignMessage), 7),
    (function!(C_SignMessageBegin), 3),
    (function!(C_SignMessageNext), 7),
    (function!(C_MessageSignFinal), 1),
    (function!(C_MessageVerifyInit), 3),
    (function!(C_VerifyMessage), 7),
    (function!(C_VerifyMessageBegin), 3),
    (function!(C_VerifyMessageNext), 7),
    (function!(C_MessageVerifyFinal), 1),
    (function!(C_EncapsulateKey), 8),
    (function!(C_DecapsulateKey), 8),
    (function!(C_VerifySignatureInit), 5),
    (function!(C_VerifySignature), 3),
    (function!(C_VerifySignatureUpdate), 3),
    (function!(C_VerifySignatureFinal), 1),
    (function!(C_GetSessionValidationFlags), 3),
    (function!(C_AsyncComplete), 3),
    (function!(C_AsyncGetID), 3),
    (function!(C_AsyncJoin), 5),
    (function!(C_WrapKeyAuthenticated), 8),
    (function!(C_UnwrapKeyAuthenticated), 10),
];

isolated! {
    fn the_interface_list_names_versions_2_40_3_0_and_3_2(kit) {
        let interfaces = kit.module.loaded().interfaces().unwrap();
        for version in [(2, 40), (3, 0), (3, 2)] {
            let found = interfaces.iter().any(|found| found.name == NAME && found.version == version);
            assert!(found, "no interface {version:?} among {interfaces:?}");
        }
    }

    fn no_function_of_any_interface_is_null(kit) {
        for interface in kit.module.loaded().interfaces().unwrap() {
            let expected = match interface.version {
                (2, 40) => 68,
                (3, 0) => 92,
                (3, 2) => 104,
                other => panic!("an unknown version: {other:?}"),
            };
            assert_eq!(interface.functions, (expected, 0), "{interface:?}");
        }
    }

    fn the_default_interface_is_the_first_of_the_list(kit) {
        let library = kit.module.loaded();
        let first = library.interfaces().unwrap().remove(0);
        let default = library.interface(None, None, 0).unwrap();
        assert_eq!((default.name.as_str(), default.version), (NAME, first.version));
    }

    fn an_interface_is_found_by_its_version(kit) {
        for version in [(2, 40), (3, 0), (3, 2)] {
            let found = kit.module.loaded().interface(Some(NAME), Some(version), 0).unwrap();
            assert_eq!((found.name.as_str(), found.version), (NAME, version));
        }
    }

    fn an_interface_of_another_name_or_version_is_refused(kit) {
        let library = kit.module.loaded();
        refused!(CKR_FUNCTION_FAILED | CKR_ARGUMENTS_BAD, library.interface(Some("Other"), None, 0));
        refused!(CKR_FUNCTION_FAILED | CKR_ARGUMENTS_BAD, library.interface(Some(NAME), Some((9, 9)), 0));
    }

    fn the_interface_list_says_its_length_first(kit) {
        let mut count: CK_ULONG = 0;
        let list = function!(C_GetInterfaceList);
        kit.module.call(list, &[Arg::NULL, (&mut count).into()]).unwrap();
        assert!(count >= 3, "{count} interfaces");
        let mut room = [CK_INTERFACE::default()];
        let mut short: CK_ULONG = 1;
        let args = [room.as_mut_slice().into(), (&mut short).into()];
        refused!(CKR_BUFFER_TOO_SMALL, kit.module.call(list, &args));
        assert_eq!(short, count, "the length that is needed");
        refused!(CKR_ARGUMENTS_BAD, kit.module.call(list, &[Arg::NULL, Arg::NULL]));
    }

    fn get_interface_refuses_a_null_result(kit) {
        let args = [Arg::NULL, Arg::NULL, Arg::NULL, 0usize.into()];
        refused!(CKR_ARGUMENTS_BAD, kit.module.call(function!(C_GetInterface), &args));
    }

    fn every_interface_reaches_the_same_library(kit) {
        kit.initialised();
        for interface in kit.module.loaded().interfaces().unwrap() {
            let module = Module::from_loaded(Loaded::through(&module_path(), &interface));
            let slots = kit.module.slots(false).unwrap();
            assert_eq!(module.slots(false).unwrap(), slots, "{:?}", interface.version);
        }
    }

    fn newer_functions_refuse_a_session_that_does_not_exist(kit) {
        kit.initialised();
        for (function, count) in NEWER {
            let args = vec![Arg::NULL; *count];
            let answer = kit.module.call(*function, &args);
            refused!(
                CKR_SESSION_HANDLE_INVALID | CKR_FUNCTION_NOT_SUPPORTED | CKR_ARGUMENTS_BAD,
                answer,
                "{}",
                function.name
            );
        }
    }

    fn newer_functions_refuse_null_pointers(kit) {
        let session = kit.user();
        for (function, count) in NEWER.iter().filter(|(function, _)| function.name != "C_SessionCancel") {
            let mut args = vec![Arg::NULL; *count];
            args[0] = session.handle.into();
            let code = kit.module.call(*function, &args).err();
            let blame = [CKR_GENERAL_ERROR, CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_HOST_MEMORY];
            let ends = function.name.ends_with("Init") && code.is_none();
            assert!(ends || code.is_some_and(|rv| !blame.contains(&rv.0)), "{}: {code:?}", function.name);
        }
    }

    fn newer_functions_are_refused_before_initialize(kit) {
        for (function, count) in NEWER {
            let answer = kit.module.call(*function, &vec![Arg::NULL; *count]);
            refused!(CKR_CRYPTOKI_NOT_INITIALIZED | CKR_FUNCTION_NOT_SUPPORTED, answer, "{}", function.name);
        }
    }
}
