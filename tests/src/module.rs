//! The module as a host uses it: general, slot and token functions. Sessions are in
//! [`crate::session`].

use std::path::Path;

use cryptoki_sys::*;

use crate::function;
use crate::raw::{Arg, Function, Loaded, module_path};
use crate::rv::{Rv, check};
use crate::session::Session;
use crate::template::ulong;

/// A loaded module.
pub struct Module {
    loaded: Loaded,
}

impl Default for Module {
    fn default() -> Self {
        Module::load()
    }
}

impl Module {
    /// Loads the module under test.
    pub fn load() -> Module {
        Module::load_from(&module_path())
    }

    /// Loads a module.
    pub fn load_from(path: &Path) -> Module {
        Module { loaded: Loaded::open(path) }
    }

    /// Uses a library loaded by other means.
    pub fn from_loaded(loaded: Loaded) -> Module {
        Module { loaded }
    }

    /// The library.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Unloads the library.
    pub fn close(self) {
        self.loaded.close();
    }

    /// Calls any function.
    pub fn call(&self, function: Function, args: &[Arg<'_>]) -> Result<(), Rv> {
        check(self.loaded.call(function, args))
    }

    /// C_Initialize with a null argument: one thread.
    pub fn initialize(&self) -> Result<(), Rv> {
        self.call(function!(C_Initialize), &[Arg::NULL])
    }

    /// C_Initialize with arguments.
    pub fn initialize_with(&self, args: &CK_C_INITIALIZE_ARGS) -> Result<(), Rv> {
        self.call(function!(C_Initialize), &[args.into()])
    }

    /// C_Initialize for many threads with the system's locks.
    pub fn initialize_for_threads(&self) -> Result<(), Rv> {
        self.initialize_with(&CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() })
    }

    /// C_Finalize.
    pub fn finalize(&self) -> Result<(), Rv> {
        self.call(function!(C_Finalize), &[Arg::NULL])
    }

    /// C_GetInfo.
    pub fn info(&self) -> Result<CK_INFO, Rv> {
        let mut info = CK_INFO::default();
        self.call(function!(C_GetInfo), &[(&mut info).into()])?;
        Ok(info)
    }

    /// C_GetSlotList, by the two-call rule.
    pub fn slots(&self, token_present: bool) -> Result<Vec<CK_SLOT_ID>, Rv> {
        let present = CK_ULONG::from(token_present);
        self.list(|buffer, count| self.call(function!(C_GetSlotList), &[present.into(), buffer, count]))
    }

    /// C_GetSlotInfo.
    pub fn slot_info(&self, slot: CK_SLOT_ID) -> Result<CK_SLOT_INFO, Rv> {
        let mut info = CK_SLOT_INFO::default();
        self.call(function!(C_GetSlotInfo), &[slot.into(), (&mut info).into()])?;
        Ok(info)
    }

    /// C_GetTokenInfo.
    pub fn token_info(&self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO, Rv> {
        let mut info = CK_TOKEN_INFO::default();
        self.call(function!(C_GetTokenInfo), &[slot.into(), (&mut info).into()])?;
        Ok(info)
    }

    /// C_GetMechanismList, by the two-call rule.
    pub fn mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<CK_MECHANISM_TYPE>, Rv> {
        self.list(|buffer, count| self.call(function!(C_GetMechanismList), &[slot.into(), buffer, count]))
    }

    /// C_GetMechanismInfo.
    pub fn mechanism_info(&self, slot: CK_SLOT_ID, kind: CK_MECHANISM_TYPE) -> Result<CK_MECHANISM_INFO, Rv> {
        let mut info = CK_MECHANISM_INFO::default();
        self.call(function!(C_GetMechanismInfo), &[slot.into(), kind.into(), (&mut info).into()])?;
        Ok(info)
    }

    /// C_InitToken; the label is padded with blanks to 32 bytes.
    pub fn init_token(&self, slot: CK_SLOT_ID, so_pin: &str, label: &str) -> Result<(), Rv> {
        let padded = format!("{label:32}");
        let pin = so_pin.as_bytes();
        self.call(
            function!(C_InitToken),
            &[slot.into(), pin.into(), pin.len().into(), padded.as_bytes().into()],
        )
    }

    /// C_OpenSession with any flags.
    pub fn open(&self, slot: CK_SLOT_ID, flags: CK_FLAGS) -> Result<Session<'_>, Rv> {
        let mut handle = CK_INVALID_HANDLE;
        let args = [slot.into(), flags.into(), Arg::NULL, Arg::NULL, (&mut handle).into()];
        self.call(function!(C_OpenSession), &args)?;
        assert_ne!(handle, CK_INVALID_HANDLE, "CKR_OK with an invalid handle");
        Ok(Session { module: self, handle })
    }

    /// A read/write session.
    pub fn open_rw(&self, slot: CK_SLOT_ID) -> Result<Session<'_>, Rv> {
        self.open(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION)
    }

    /// A read-only session.
    pub fn open_ro(&self, slot: CK_SLOT_ID) -> Result<Session<'_>, Rv> {
        self.open(slot, CKF_SERIAL_SESSION)
    }

    /// C_CloseAllSessions.
    pub fn close_all(&self, slot: CK_SLOT_ID) -> Result<(), Rv> {
        self.call(function!(C_CloseAllSessions), &[slot.into()])
    }

    /// The slot whose token has a label.
    pub fn slot_of(&self, label: &str) -> Option<CK_SLOT_ID> {
        let slots = self.slots(true).expect("C_GetSlotList");
        slots.into_iter().find(|&slot| {
            self.token_info(slot)
                .is_ok_and(|info| info.flags & CKF_TOKEN_INITIALIZED != 0 && text(&info.label) == label)
        })
    }

    /// The slot whose token is not initialised yet.
    pub fn free_slot(&self) -> CK_SLOT_ID {
        let slots = self.slots(false).expect("C_GetSlotList");
        let free = |&slot: &CK_SLOT_ID| {
            self.token_info(slot).is_ok_and(|info| info.flags & CKF_TOKEN_INITIALIZED == 0)
        };
        slots.into_iter().find(free).expect("a slot whose token is not initialised")
    }

    fn list(&self, call: impl Fn(Arg<'_>, Arg<'_>) -> Result<(), Rv>) -> Result<Vec<CK_ULONG>, Rv> {
        let mut count: CK_ULONG = 0;
        call(Arg::NULL, (&mut count).into())?;
        let mut items = vec![CK_ULONG::MAX; usize::try_from(count).expect("a count")];
        call(items.as_mut_slice().into(), (&mut count).into())?;
        assert_eq!(count, ulong(items.len()), "the two calls disagree");
        Ok(items)
    }
}

/// A blank-padded field as text; a field padded with anything else is shown as it is.
pub fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim_end_matches(' ').to_string()
}
