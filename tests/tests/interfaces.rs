//! Interfaces: the function lists 2.40, 3.0 and 3.2 by name and version. PKCS #11 3.2, section 5.4.5
//! and 5.4.6.

use hsm_tests::function;
use hsm_tests::prelude::*;
use hsm_tests::raw::{Arg, Loaded, module_path};

const NAME: &str = "PKCS 11";

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
}
