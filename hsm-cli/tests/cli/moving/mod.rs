//! What moves keys in and out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hsm_core::config::Config;
use hsm_core::hsm::Hsm;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::{Template, Value};
use hsm_core::session::{Access, ObjectHandle, Role, Session};

use crate::desk::Desk;

mod backup;
mod files;
mod softhsm2;
mod uris;
mod util;

/// A session of a user, and the HSM that it is on. It ends with the test's use of it, so that others may have the
/// token to themselves.
pub(crate) struct Guest {
    session: Arc<Session>,
    _hsm: Arc<Hsm>,
}

impl std::ops::Deref for Guest {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.session.partition().close_session(&self.session);
    }
}

/// A session on a token of a desk's HSM, its user logged in.
pub(crate) fn session(desk: &Desk, label: &str, pin: &str) -> Guest {
    let hsm = Hsm::new(Config::for_home(&desk.home()).expect("a configuration"));
    let mut partitions = hsm.partitions().expect("its tokens");
    partitions.retain(|partition| partition.info().label.trim_ascii_end() == label.as_bytes());
    let session = partitions[0].open_session(Access::ReadWrite).expect("a session");
    session.login(Role::User, pin.as_bytes()).expect("a login");
    Guest { session, _hsm: hsm }
}

/// The objects that match.
pub(crate) fn find(session: &Session, template: Template) -> Vec<ObjectHandle> {
    session.find_init(template).expect("a search");
    let found = session.find(1000).expect("a search");
    session.find_final().expect("its end");
    found
}

/// The one object of a class and label.
pub(crate) fn object(session: &Session, class: u64, label: &str) -> ObjectHandle {
    let template = vec![
        (cryptoki_sys::CKA_CLASS, Value::Number(class)),
        (cryptoki_sys::CKA_LABEL, Value::Bytes(label.into())),
    ];
    let found = find(session, template);
    assert_eq!(found.len(), 1, "{label}");
    found[0]
}

pub(crate) fn mechanism(kind: u64) -> Mechanism {
    Mechanism { kind, parameter: Parameter::None }
}

pub(crate) fn with_iv(kind: u64, iv: &[u8]) -> Mechanism {
    Mechanism { kind, parameter: Parameter::Iv(iv.to_vec()) }
}

/// A file or directory of the tests' own.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Copies a directory, to be spoilt.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry").path();
        let place = to.join(entry.file_name().expect("a name"));
        match entry.is_dir() {
            true => copy(&entry, &place),
            false => drop(std::fs::copy(&entry, &place).expect("a copy")),
        }
    }
}
