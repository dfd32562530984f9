//! The interfaces that the library offers: "PKCS 11" in its versions. PKCS #11 3.2, sections 5.4.4 to
//! 5.4.6. The function lists behind them are made in `entry`.

use std::ffi::{CStr, CString};
use std::ptr;

use cryptoki_sys::*;

use super::entry::{FUNCTIONS_2_40, FUNCTIONS_3_0, FUNCTIONS_3_2};

const NAME: &CStr = c"PKCS 11";

/// The interfaces, newest first; the first is the default. None has CKF_INTERFACE_FORK_SAFE, which
/// promises a child that it inherits sessions and logins.
pub(crate) static INTERFACES: Interfaces = Interfaces([
    interface_of((&raw const FUNCTIONS_3_2).cast()),
    interface_of((&raw const FUNCTIONS_3_0).cast()),
    interface_of((&raw const FUNCTIONS_2_40).cast()),
]);

/// The list of interfaces, shared with C.
pub(crate) struct Interfaces(pub(crate) [CK_INTERFACE; 3]);

// SAFETY: the pointers lead to statics that are never written.
unsafe impl Sync for Interfaces {}

/// What C_GetInterface is asked for.
pub(crate) struct Wanted {
    pub(crate) name: Option<CString>,
    pub(crate) version: Option<(u8, u8)>,
    pub(crate) flags: CK_FLAGS,
}

/// The first interface that has the wanted name, version and flags.
pub(crate) fn interface(wanted: &Wanted) -> Option<*mut CK_INTERFACE> {
    let fits = |interface: &&CK_INTERFACE| {
        wanted.name.as_deref().is_none_or(|name| name == NAME)
            && wanted.version.is_none_or(|version| version == version_of(interface))
            && interface.flags & wanted.flags == wanted.flags
    };
    INTERFACES.0.iter().find(fits).map(|interface| ptr::from_ref(interface).cast_mut())
}

/// The list that C_GetFunctionList gives: version 2.40.
pub(crate) fn function_list() -> *mut CK_FUNCTION_LIST {
    (&raw const FUNCTIONS_2_40).cast_mut()
}

fn version_of(interface: &CK_INTERFACE) -> (u8, u8) {
    // SAFETY: each function list is a static that begins with its version.
    let version = unsafe { *interface.pFunctionList.cast::<CK_VERSION>() };
    (version.major, version.minor)
}

const fn interface_of(functions: *const std::ffi::c_void) -> CK_INTERFACE {
    CK_INTERFACE {
        pInterfaceName: NAME.as_ptr().cast_mut().cast(),
        pFunctionList: functions.cast_mut(),
        flags: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: Option<&CStr>, version: Option<(u8, u8)>, flags: CK_FLAGS) -> Option<(u8, u8)> {
        let found = interface(&Wanted { name: name.map(CStr::to_owned), version, flags })?;
        INTERFACES.0.iter().find(|one| ptr::from_ref(*one) == found).map(version_of)
    }

    #[test]
    fn the_default_is_the_newest() {
        assert_eq!(find(None, None, 0), Some((3, 2)));
        assert_eq!(find(Some(NAME), None, 0), Some((3, 2)));
    }

    #[test]
    fn each_version_is_found_by_its_number() {
        for version in [(2, 40), (3, 0), (3, 2)] {
            assert_eq!(find(Some(NAME), Some(version), 0), Some(version));
        }
    }

    #[test]
    fn unknown_names_versions_and_flags_are_not_found() {
        assert_eq!(find(Some(c"Vendor"), None, 0), None);
        assert_eq!(find(None, Some((3, 1)), 0), None);
        assert_eq!(find(None, None, CKF_INTERFACE_FORK_SAFE), None);
    }
}
