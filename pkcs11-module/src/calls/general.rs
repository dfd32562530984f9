//! General-purpose functions: loading and unloading, what the library is, its interfaces, and what it
//! does not offer. PKCS #11 3.2, sections 5.4 and 5.20.

use cryptoki_sys::*;

use super::padded;
use crate::ffi::{self, INTERFACES, Initialization, List, Place, Wanted};
use crate::gate;
use crate::library::Library;
use crate::rv::{Outcome, Rejection};

/// The library's name in every structure that asks for one.
pub(super) const MANUFACTURER: &str = "softhsm-rs";

/// The library's own version, which serves as the versions of slot and token too.
pub(super) fn library_version() -> CK_VERSION {
    let part = |text: &str| text.parse().unwrap_or(0);
    CK_VERSION { major: part(env!("CARGO_PKG_VERSION_MAJOR")), minor: part(env!("CARGO_PKG_VERSION_MINOR")) }
}

/// C_Initialize. Reads the configuration; makes and opens nothing.
pub(crate) fn initialize(loaded: &mut Option<Library>, arguments: Outcome<Initialization>) -> Outcome {
    if loaded.is_some() {
        return Err(Rejection::AlreadyInitialised.into());
    }
    let arguments = arguments?;
    check_locking(arguments)?;
    ffi::register_fork_handlers()?;
    gate::set_mark();
    *loaded = Some(Library::load(!arguments.no_threads)?);
    Ok(())
}

/// The library locks with the system's own means whatever it is told; what it cannot do is to use the
/// application's mutexes instead.
fn check_locking(arguments: Initialization) -> Result<(), Rejection> {
    match arguments {
        Initialization { reserved: true, .. } => Err(Rejection::ArgumentsBad),
        Initialization { mutexes: 0, .. } | Initialization { mutexes: 4, os_locking: true, .. } => Ok(()),
        Initialization { mutexes: 4, os_locking: false, .. } => Err(Rejection::CantLock),
        Initialization { mutexes: _, .. } => Err(Rejection::ArgumentsBad),
    }
}

/// C_Finalize.
pub(crate) fn finalize(loaded: &mut Option<Library>, reserved_is_null: bool) -> Outcome {
    if !reserved_is_null && loaded.is_some() {
        return Err(Rejection::ArgumentsBad.into());
    }
    loaded.take().ok_or(Rejection::NotInitialised)?.close();
    Ok(())
}

/// C_GetInfo.
pub(crate) fn info(_library: &Library, info: Outcome<Place<'_, CK_INFO>>) -> Outcome {
    info?.put(CK_INFO {
        cryptokiVersion: CK_VERSION { major: 3, minor: 2 },
        manufacturerID: padded(MANUFACTURER),
        flags: 0,
        libraryDescription: padded("softhsm-rs PKCS#11 module"),
        libraryVersion: library_version(),
    });
    Ok(())
}

/// C_GetFunctionList.
pub(crate) fn function_list(list: Outcome<Place<'_, *mut CK_FUNCTION_LIST>>) -> Outcome {
    list?.put(ffi::function_list());
    Ok(())
}

/// C_GetInterfaceList.
pub(crate) fn interface_list(list: Outcome<List<'_, CK_INTERFACE>>) -> Outcome {
    list?.fill(&INTERFACES.0)
}

/// C_GetInterface.
pub(crate) fn interface(wanted: Outcome<Wanted>, place: Outcome<Place<'_, *mut CK_INTERFACE>>) -> Outcome {
    let (wanted, place) = (wanted?, place?);
    place.put(ffi::interface(&wanted).ok_or(Rejection::NoInterface)?);
    Ok(())
}

/// C_GetFunctionStatus and C_CancelFunction: "simply return the value CKR_FUNCTION_NOT_PARALLEL".
pub(crate) fn not_parallel(_library: &Library) -> Outcome {
    Err(Rejection::NotParallel.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mutexes: usize, os_locking: bool) -> Result<(), Rejection> {
        check_locking(Initialization { mutexes, os_locking, no_threads: false, reserved: false })
    }

    #[test]
    fn locking_by_the_system_is_accepted_with_and_without_mutexes() {
        assert_eq!(check(0, false), Ok(()));
        assert_eq!(check(0, true), Ok(()));
        assert_eq!(check(4, true), Ok(()));
    }

    #[test]
    fn mutexes_alone_cannot_be_used() {
        assert_eq!(check(4, false), Err(Rejection::CantLock));
    }

    #[test]
    fn some_mutexes_but_not_all_are_a_mistake() {
        for mutexes in 1..4 {
            assert_eq!(check(mutexes, false), Err(Rejection::ArgumentsBad));
            assert_eq!(check(mutexes, true), Err(Rejection::ArgumentsBad));
        }
    }

    #[test]
    fn the_reserved_pointer_is_null() {
        let arguments = Initialization { mutexes: 0, os_locking: true, no_threads: false, reserved: true };
        assert_eq!(check_locking(arguments), Err(Rejection::ArgumentsBad));
    }
}
