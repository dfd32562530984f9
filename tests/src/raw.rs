//! The C ABI: loading the library, calling its functions by name with words, reading its function
//! lists, and forking. All `unsafe` of the tests is here; what the calls mean is in [`crate::module`],
//! [`crate::session`] and [`crate::operations`].
//!
//! A call takes its arguments as words, so that one function serves the typed wrappers as well as the
//! tests that pass null, misaligned and huge arguments on purpose. Those are part of a module's
//! contract (it answers CKR_ARGUMENTS_BAD); a module that breaks it may crash the test's own process,
//! which the runner reports.
#![allow(unsafe_code, reason = "the one file that crosses the C boundary")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use cryptoki_sys::*;
use libloading::{Library, Symbol};

use crate::rv::{Rv, check};

/// The newest function list, whose fields say where each function stands in every list.
pub type Layout = CK_FUNCTION_LIST_3_2;

/// A function of the standard: its name and its place in the function lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// The C name.
    pub name: &'static str,
    /// Bytes from the start of a function list.
    pub offset: usize,
}

/// Names a function of the standard: `function!(C_Sign)`.
#[macro_export]
macro_rules! function {
    ($name:ident) => {
        $crate::raw::Function {
            name: stringify!($name),
            offset: ::std::mem::offset_of!($crate::raw::Layout, $name),
        }
    };
}

/// C types that may stand behind a pointer argument.
pub trait Plain {}
macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(impl Plain for $type {})* };
}
plain!(u8, CK_ULONG, CK_ATTRIBUTE, CK_MECHANISM, CK_C_INITIALIZE_ARGS, CK_VERSION, CK_INTERFACE);
plain!(CK_GCM_MESSAGE_PARAMS, CK_GCM_WRAP_PARAMS, CK_ASYNC_DATA);
plain!(CK_INFO, CK_SLOT_INFO, CK_TOKEN_INFO, CK_SESSION_INFO, CK_MECHANISM_INFO, *mut c_void);

/// One argument: a number, or a pointer that lives as long as what it was made from.
#[derive(Clone, Copy, Debug)]
pub struct Arg<'a>(*mut c_void, PhantomData<&'a mut u8>);

impl Arg<'static> {
    /// A null pointer.
    pub const NULL: Arg<'static> = Arg(std::ptr::null_mut(), PhantomData);
}

impl Arg<'_> {
    /// The same pointer without its lifetime, for tables of arguments; whoever calls with it keeps what
    /// it points to.
    pub fn detached(self) -> Arg<'static> {
        Arg(self.0, PhantomData)
    }

    /// The same pointer, one byte further: not aligned for any type but bytes.
    pub fn misaligned(self) -> Self {
        Arg(self.0.wrapping_byte_add(1), PhantomData)
    }
}

impl From<CK_ULONG> for Arg<'_> {
    fn from(number: CK_ULONG) -> Self {
        Arg(std::ptr::without_provenance_mut(usize::try_from(number).expect("a word")), PhantomData)
    }
}
impl From<usize> for Arg<'_> {
    fn from(number: usize) -> Self {
        Arg(std::ptr::without_provenance_mut(number), PhantomData)
    }
}
impl<'a, T: Plain> From<&'a T> for Arg<'a> {
    fn from(value: &'a T) -> Self {
        Arg(std::ptr::from_ref(value).cast_mut().cast(), PhantomData)
    }
}
impl<'a, T: Plain> From<&'a mut T> for Arg<'a> {
    fn from(value: &'a mut T) -> Self {
        Arg(std::ptr::from_mut(value).cast(), PhantomData)
    }
}
impl<'a, T: Plain> From<&'a [T]> for Arg<'a> {
    fn from(values: &'a [T]) -> Self {
        Arg(values.as_ptr().cast_mut().cast(), PhantomData)
    }
}
impl<'a, T: Plain> From<&'a mut [T]> for Arg<'a> {
    fn from(values: &'a mut [T]) -> Self {
        Arg(values.as_mut_ptr().cast(), PhantomData)
    }
}

/// One interface that `C_GetInterfaceList` names.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name, "PKCS 11" for the standard's own.
    pub name: String,
    /// Major and minor version of its function list.
    pub version: (u8, u8),
    /// CKF_INTERFACE_FORK_SAFE or nothing.
    pub flags: CK_FLAGS,
    /// How many functions its list holds, and how many of them are null.
    pub functions: (usize, usize),
    list: usize,
}

/// The loaded library and the function list that calls go through.
pub struct Loaded {
    library: Library,
    list: usize,
    version: (u8, u8),
}

impl Loaded {
    /// Loads the library and takes its newest function list: the default of `C_GetInterface`, or what
    /// `C_GetFunctionList` gives where a library knows no interfaces.
    pub fn open(path: &Path) -> Loaded {
        // SAFETY: loading runs the library's initialisers; it is the module under test.
        let library = unsafe { Library::new(path) };
        let library = library.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let list = default_interface(&library).unwrap_or_else(|| function_list(&library));
        let version = list_version(list);
        Loaded { library, list, version }
    }

    /// The same library, with calls through another of its function lists.
    pub fn through(path: &Path, interface: &Interface) -> Loaded {
        let mut loaded = Loaded::open(path);
        loaded.list = interface.list;
        loaded.version = interface.version;
        loaded
    }

    /// The same library, with calls through the 2.40 list of `C_GetFunctionList`.
    pub fn open_2_40(path: &Path) -> Loaded {
        let mut loaded = Loaded::open(path);
        loaded.list = function_list(&loaded.library);
        loaded.version = list_version(loaded.list);
        loaded
    }

    /// Version of the function list in use.
    pub fn version(&self) -> (u8, u8) {
        self.version
    }

    /// Unloads the library.
    pub fn close(self) {
        self.library.close().expect("dlclose");
    }

    /// Whether the library exports a symbol.
    pub fn exports(&self, name: &str) -> bool {
        // SAFETY: only the address is looked at.
        unsafe { self.library.get::<*const c_void>(name) }.is_ok()
    }

    /// How many functions the list in use holds, and how many of them are null.
    pub fn functions(&self) -> (usize, usize) {
        count(self.list, self.version)
    }

    /// Calls a function. A function that the list is too old for is CKR_FUNCTION_NOT_SUPPORTED.
    pub fn call(&self, function: Function, args: &[Arg<'_>]) -> Rv {
        if function.offset >= list_size(self.version) {
            return Rv(CKR_FUNCTION_NOT_SUPPORTED);
        }
        let address = pointer_at(self.list, function.offset);
        assert!(!address.is_null(), "{} is null in the function list", function.name);
        Rv(invoke(address, args))
    }

    /// Every interface of `C_GetInterfaceList`, by the two-call rule.
    pub fn interfaces(&self) -> Result<Vec<Interface>, Rv> {
        let list = function!(C_GetInterfaceList);
        let mut count: CK_ULONG = 0;
        check(self.call(list, &[Arg::NULL, (&mut count).into()]))?;
        let mut found = vec![CK_INTERFACE::default(); usize::try_from(count).expect("a count")];
        check(self.call(list, &[found.as_mut_slice().into(), (&mut count).into()]))?;
        Ok(found.iter().map(Interface::read).collect())
    }

    /// `C_GetInterface` with the given name (null where `None`) and version (any where `None`).
    pub fn interface(
        &self,
        name: Option<&str>,
        version: Option<(u8, u8)>,
        flags: CK_FLAGS,
    ) -> Result<Interface, Rv> {
        let name = name.map(|name| [name.as_bytes(), b"\0"].concat());
        let version = version.map(|(major, minor)| CK_VERSION { major, minor });
        let mut found: *mut c_void = std::ptr::null_mut();
        check(self.call(
            function!(C_GetInterface),
            &[
                name.as_ref().map_or(Arg::NULL, |name| name.as_slice().into()),
                version.as_ref().map_or(Arg::NULL, Into::into),
                (&mut found).into(),
                flags.into(),
            ],
        ))?;
        assert!(!found.is_null(), "CKR_OK without an interface");
        // SAFETY: CKR_OK promises a pointer to an interface that lives as long as the library.
        Ok(Interface::read(unsafe { &*found.cast::<CK_INTERFACE>() }))
    }
}

impl Interface {
    fn read(raw: &CK_INTERFACE) -> Interface {
        // SAFETY: an interface's name is a C string that lives as long as the library.
        let name = unsafe { std::ffi::CStr::from_ptr(raw.pInterfaceName.cast()) };
        let list = raw.pFunctionList.expose_provenance();
        let version = list_version(list);
        Interface {
            name: name.to_string_lossy().into_owned(),
            version,
            flags: raw.flags,
            functions: count(list, version),
            list,
        }
    }
}

type GetFunctionList = unsafe extern "C" fn(*mut *mut c_void) -> CK_RV;
type GetInterface =
    unsafe extern "C" fn(*const u8, *const CK_VERSION, *mut *mut CK_INTERFACE, CK_FLAGS) -> CK_RV;

fn default_interface(library: &Library) -> Option<usize> {
    // SAFETY: the symbol has this type in PKCS#11 3.0 and later.
    let get: Symbol<'_, GetInterface> = unsafe { library.get("C_GetInterface") }.ok()?;
    let mut found = std::ptr::null_mut();
    // SAFETY: null name and version ask for the default; `found` is written before CKR_OK.
    let rv = unsafe { get(std::ptr::null(), std::ptr::null(), &mut found, 0) };
    assert_eq!(Rv(rv), Rv(CKR_OK), "C_GetInterface");
    // SAFETY: CKR_OK promises a valid interface.
    Some(unsafe { &*found }.pFunctionList.expose_provenance())
}

fn function_list(library: &Library) -> usize {
    // SAFETY: the symbol has this type in every version of the standard.
    let get: Symbol<'_, GetFunctionList> = unsafe { library.get("C_GetFunctionList") }.expect("the symbol");
    let mut list = std::ptr::null_mut();
    // SAFETY: `list` is written before CKR_OK.
    let rv = unsafe { get(&mut list) };
    assert_eq!(Rv(rv), Rv(CKR_OK), "C_GetFunctionList");
    list.expose_provenance()
}

fn list_version(list: usize) -> (u8, u8) {
    let list = std::ptr::with_exposed_provenance::<CK_VERSION>(list);
    // SAFETY: every function list begins with its version and lives as long as the library.
    let version = unsafe { list.read() };
    (version.major, version.minor)
}

/// Size in bytes of the function list of a version.
fn list_size(version: (u8, u8)) -> usize {
    match version {
        (2, _) => size_of::<CK_FUNCTION_LIST>(),
        (3, 0 | 1) => size_of::<CK_FUNCTION_LIST_3_0>(),
        _ => size_of::<CK_FUNCTION_LIST_3_2>(),
    }
}

fn count(list: usize, version: (u8, u8)) -> (usize, usize) {
    let offsets = (size_of::<usize>()..list_size(version)).step_by(size_of::<usize>());
    let nulls = offsets.clone().filter(|&offset| pointer_at(list, offset).is_null()).count();
    (offsets.count(), nulls)
}

fn pointer_at(list: usize, offset: usize) -> *const c_void {
    let field = std::ptr::with_exposed_provenance::<*const c_void>(list + offset);
    // SAFETY: callers keep `offset` within the list's size, which its version tells.
    unsafe { field.read() }
}

/// Calls a C function with words. Numbers and pointers travel alike in the C ABIs of the platforms
/// that Rust's test runner and PKCS#11 share (System V, AAPCS64).
fn invoke(address: *const c_void, args: &[Arg<'_>]) -> CK_RV {
    type Word = *mut c_void;
    macro_rules! arity {
        ($($arg:ident)*) => {{
            arity!(@type $($arg)*);
            // SAFETY: the address is that of a function of the standard, of this many word-sized arguments.
            let function = unsafe { std::mem::transmute::<*const c_void, F>(address) };
            // SAFETY: pointers are valid for the call, or wrong on purpose, which a module checks.
            unsafe { function($($arg.0),*) }
        }};
        (@type $($arg:ident)*) => { type F = unsafe extern "C" fn($(arity!(@word $arg)),*) -> CK_RV; };
        (@word $arg:ident) => { Word };
    }
    match *args {
        [a] => arity!(a),
        [a, b] => arity!(a b),
        [a, b, c] => arity!(a b c),
        [a, b, c, d] => arity!(a b c d),
        [a, b, c, d, e] => arity!(a b c d e),
        [a, b, c, d, e, f] => arity!(a b c d e f),
        [a, b, c, d, e, f, g] => arity!(a b c d e f g),
        [a, b, c, d, e, f, g, h] => arity!(a b c d e f g h),
        [a, b, c, d, e, f, g, h, i] => arity!(a b c d e f g h i),
        [a, b, c, d, e, f, g, h, i, j] => arity!(a b c d e f g h i j),
        _ => panic!("no function of the standard takes {} arguments", args.len()),
    }
}

/// Initialisation arguments with a set of mutexes (that never wait: one thread uses them).
pub fn mutexes(flags: CK_FLAGS) -> CK_C_INITIALIZE_ARGS {
    extern "C" fn create(mutex: *mut *mut c_void) -> CK_RV {
        // SAFETY: the standard has the module pass a place for the new mutex.
        unsafe { mutex.write(std::ptr::NonNull::<u64>::dangling().as_ptr().cast()) };
        CKR_OK
    }
    extern "C" fn accept(_: *mut c_void) -> CK_RV {
        CKR_OK
    }
    CK_C_INITIALIZE_ARGS {
        CreateMutex: Some(create),
        DestroyMutex: Some(accept),
        LockMutex: Some(accept),
        UnlockMutex: Some(accept),
        flags,
        ..Default::default()
    }
}

/// Where the module under test is: `SOFTHSM_RS_MODULE`, else beside this executable's directory, which
/// is where cargo puts libraries of the same profile.
pub fn module_path() -> PathBuf {
    if let Some(path) = std::env::var_os("SOFTHSM_RS_MODULE") {
        return path.into();
    }
    let executable = std::env::current_exe().expect("the path of this executable");
    let profile = executable.ancestors().nth(2).expect("target/PROFILE/deps/test");
    let path = profile.join("libsofthsm_rs.so");
    assert!(path.exists(), "{} is missing: build the module (cargo build -p pkcs11-module)", path.display());
    path
}

/// Forks, as a host does: the C library runs its atfork handlers. The child runs `body` and ends at
/// once with its answer, without exit handlers; a panic ends it with 101.
pub fn fork(body: impl FnOnce() -> u8) -> rustix::process::Pid {
    // SAFETY: the child runs test code of a process whose other threads hold no lock that it takes:
    // isolated tests run on their process's main thread.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid > 0 {
        return rustix::process::Pid::from_raw(pid).expect("a child's id");
    }
    let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
    // SAFETY: ends the child without unwinding into the copy of the parent's test runner.
    unsafe { libc::_exit(answer.map_or(101, i32::from)) }
}

/// Makes a write beyond RLIMIT_FSIZE fail with EFBIG, where it would end the process by SIGXFSZ.
pub fn ignore_file_size_signal() {
    // SAFETY: SIG_IGN runs no code of ours.
    let before = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    assert_ne!(before, libc::SIG_ERR, "signal: {}", std::io::Error::last_os_error());
}
