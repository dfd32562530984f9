//! Set-up that the tests of the whole core share: an HSM in a directory of its own, with one
//! partition whose PINs are set, and short ways to ask. What is asked stands in the tests.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]
#![allow(dead_code)] // Each test file uses its part.

pub(crate) mod administrators;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::config::Config;
use hsm_core::error::Result;
use hsm_core::hsm::Hsm;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::{Template, Value};
use hsm_core::partition::Partition;
use hsm_core::session::{Access, ObjectHandle, Output, Role, Session};
use hsm_core::store::StoreUrl;
use hsm_core::unit::ceremony;
use tempfile::TempDir;

pub(crate) const SO_PIN: &[u8] = b"87654321";
pub(crate) const USER_PIN: &[u8] = b"1234";
/// CKA_EC_PARAMS of P-256.
pub(crate) const P256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// A directory that is wiped at the end; in memory where the machine has that, since these tests ask
/// for many commits and for no durability.
pub(crate) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).or_else(|_| TempDir::new()) } else { TempDir::new() }
        .unwrap()
}

/// A label as partitions have it.
pub(crate) fn padded(label: &str) -> [u8; 32] {
    let mut out = [b' '; 32];
    out[..label.len()].copy_from_slice(label.as_bytes());
    out
}

/// A new handle on the HSM in a directory, as another process would have.
pub(crate) fn handle(home: &Path) -> Arc<Hsm> {
    Hsm::new(Config::for_home(home).unwrap())
}

/// The HSM's only partition, seen through a new handle.
pub(crate) fn partition(hsm: &Hsm) -> Arc<Partition> {
    let mut partitions = hsm.partitions().unwrap();
    assert_eq!(partitions.len(), 1);
    partitions.remove(0)
}

/// Makes an HSM and its partition by `config`, and sets both PINs.
pub(crate) fn initialise(config: Config) -> (Arc<Hsm>, Arc<Partition>) {
    let hsm = Hsm::new(config);
    hsm.initialise(&ceremony::Options::default(), &mut |_| {}).unwrap();
    let partition = hsm.create_partition(&padded("token"), SO_PIN).unwrap();
    let session = partition.open_session(Access::ReadWrite).unwrap();
    session.login(Role::So, SO_PIN).unwrap();
    session.init_pin(USER_PIN).unwrap();
    partition.close_session(&session);
    (hsm, partition)
}

/// An HSM with a partition in a directory of its own.
pub(crate) struct Fresh {
    pub home: TempDir,
    pub hsm: Arc<Hsm>,
    pub partition: Arc<Partition>,
}

impl Fresh {
    /// In SQLite.
    pub(crate) fn new() -> Fresh {
        Fresh::configured("")
    }

    /// In SQLite, with this configuration file.
    pub(crate) fn configured(file: &str) -> Fresh {
        let home = directory();
        std::fs::write(home.path().join("softhsm-rs.toml"), file).unwrap();
        let (hsm, partition) = initialise(Config::for_home(home.path()).unwrap());
        Fresh { home, hsm, partition }
    }

    /// A read/write session.
    pub(crate) fn session(&self) -> Arc<Session> {
        self.partition.open_session(Access::ReadWrite).unwrap()
    }

    /// A read/write session of the user.
    pub(crate) fn user(&self) -> Arc<Session> {
        let session = self.session();
        session.login(Role::User, USER_PIN).unwrap();
        session
    }

    /// What another process sees: a new handle, its partition and a read/write session.
    pub(crate) fn other(&self) -> Other {
        Other::of(self.home.path())
    }

    /// Closes everything, so that SQLite moves its log into the database; answers the directory.
    pub(crate) fn close(self) -> TempDir {
        self.partition.close_all_sessions();
        self.home
    }
}

/// A second handle on an HSM.
pub(crate) struct Other {
    pub hsm: Arc<Hsm>,
    pub partition: Arc<Partition>,
    pub session: Arc<Session>,
}

impl Other {
    pub(crate) fn of(home: &Path) -> Other {
        let hsm = handle(home);
        let partition = partition(&hsm);
        let session = partition.open_session(Access::ReadWrite).unwrap();
        Other { hsm, partition, session }
    }

    /// The same, with the user logged in.
    pub(crate) fn user(home: &Path) -> Other {
        let other = Other::of(home);
        other.session.login(Role::User, USER_PIN).unwrap();
        other
    }
}

/// The database's file.
pub(crate) fn database(home: &Path) -> PathBuf {
    match Config::for_home(home).unwrap().store {
        StoreUrl::Sqlite(directory) => directory.join("softhsm-rs.sqlite"),
        other => panic!("{other} is no SQLite store"),
    }
}

// ---- attributes ----

pub(crate) fn flag(kind: u64, flag: bool) -> (u64, Value) {
    (kind, Value::Bool(flag))
}

pub(crate) fn number(kind: u64, number: u64) -> (u64, Value) {
    (kind, Value::Number(number))
}

pub(crate) fn bytes(kind: u64, bytes: impl AsRef<[u8]>) -> (u64, Value) {
    (kind, Value::Bytes(bytes.as_ref().to_vec()))
}

pub(crate) fn label(text: &str) -> (u64, Value) {
    bytes(CKA_LABEL, text)
}

/// What every token object's template begins with.
pub(crate) fn token(private: bool, text: &str) -> Template {
    vec![flag(CKA_TOKEN, true), flag(CKA_PRIVATE, private), label(text)]
}

/// A data object on the token.
pub(crate) fn data(private: bool, text: &str, value: &[u8]) -> Template {
    let mut template = token(private, text);
    template.extend([number(CKA_CLASS, CKO_DATA), bytes(CKA_VALUE, value)]);
    template
}

/// A secret key on the token, given in clear.
pub(crate) fn secret(private: bool, text: &str, key_type: u64, value: &[u8]) -> Template {
    let mut template = token(private, text);
    template.extend([
        number(CKA_CLASS, CKO_SECRET_KEY),
        number(CKA_KEY_TYPE, key_type),
        bytes(CKA_VALUE, value),
    ]);
    template
}

// ---- questions ----

/// All that a search finds.
pub(crate) fn find(session: &Session, template: Template) -> Result<Vec<ObjectHandle>> {
    session.find_init(template)?;
    let found = session.find(usize::MAX);
    session.find_final()?;
    found
}

/// The one object that a search by label finds.
pub(crate) fn the(session: &Session, text: &str) -> ObjectHandle {
    let found = find(session, vec![label(text)]).unwrap();
    assert_eq!(found.len(), 1, "{text}");
    found[0]
}

/// An attribute's bytes.
pub(crate) fn value(session: &Session, object: ObjectHandle, kind: u64) -> Vec<u8> {
    session.view(object).unwrap().attribute(kind).unwrap().as_bytes().unwrap().to_vec()
}

/// A signature of `message` by a key.
pub(crate) fn sign(session: &Session, mechanism: u64, key: ObjectHandle, message: &[u8]) -> Result<Vec<u8>> {
    session.sign_init(&Mechanism::plain(mechanism), key)?;
    let mut out = vec![0; 1024];
    let length = session.sign(message, Output::Buffer(&mut out))?;
    out.truncate(length);
    Ok(out)
}

/// A P-256 key pair on the token.
pub(crate) fn generate_ec(session: &Session, text: &str) -> (ObjectHandle, ObjectHandle) {
    let mut public = token(false, text);
    public.push(bytes(CKA_EC_PARAMS, P256));
    session.generate_key_pair(&Mechanism::plain(CKM_EC_KEY_PAIR_GEN), public, token(true, text)).unwrap()
}

/// AES-CBC with padding.
pub(crate) fn cbc_pad() -> Mechanism {
    Mechanism { kind: CKM_AES_CBC_PAD, parameter: Parameter::Iv(vec![7; 16]) }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
