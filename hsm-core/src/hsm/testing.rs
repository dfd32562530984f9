//! For tests inside the crate: a session of the user on a fresh HSM.

use std::sync::Arc;

use tempfile::TempDir;

use super::Hsm;
use crate::config::Config;
use crate::session::{Access, Role, Session};
use crate::unit::ceremony;

/// A session of the user, with what must outlive it.
pub(crate) fn user() -> (TempDir, Arc<Hsm>, Arc<Session>) {
    let home = tempfile::tempdir().unwrap();
    let hsm = Hsm::new(Config::for_home(home.path()).unwrap());
    hsm.initialise(&ceremony::Options::default(), &mut |_| {}).unwrap();
    let partition = hsm.create_partition(&[b'p'; 32], b"12345678").unwrap();
    let session = partition.open_session(Access::ReadWrite).unwrap();
    session.login(Role::So, b"12345678").unwrap();
    session.init_pin(b"1234").unwrap();
    session.logout().unwrap();
    session.login(Role::User, b"1234").unwrap();
    (home, hsm, session)
}
