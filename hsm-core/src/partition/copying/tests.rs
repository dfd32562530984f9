//! Power lost at every write of a restore: nothing is there afterwards, or all of it; and what is to be replaced stays
//! until then.

use std::path::Path;
use std::sync::Arc;

use cryptoki_sys::*;

use crate::backup::Fault;
use crate::error::Error;
use crate::hsm::testing::user;
use crate::hsm::{Copied, Hsm};
use crate::object::Value;
use crate::partition::testing::fail_after;
use crate::session::{Access, Role, Session};

const PASSPHRASE: &[u8] = b"correct horse";

fn labels(session: &Session) -> Vec<String> {
    session.find_init(Vec::new()).unwrap();
    let found = session.find(100).unwrap();
    session.find_final().unwrap();
    let label = |handle| {
        let view = session.view(handle).unwrap();
        String::from_utf8(view.attribute(CKA_LABEL).unwrap().as_bytes().unwrap().to_vec()).unwrap()
    };
    let mut labels: Vec<_> = found.into_iter().map(label).collect();
    labels.sort();
    labels
}

fn note(session: &Session, label: &str, private: bool) {
    let template = vec![
        (CKA_CLASS, Value::Number(CKO_DATA)),
        (CKA_TOKEN, Value::Bool(true)),
        (CKA_PRIVATE, Value::Bool(private)),
        (CKA_LABEL, Value::Bytes(label.into())),
    ];
    session.create_object(template).unwrap();
}

/// What a process that begins now finds on the first token.
fn found(hsm: &Hsm) -> Option<Vec<String>> {
    let other = Hsm::new(hsm.config().clone());
    let partitions = other.partitions().unwrap();
    let partition = partitions.first()?;
    let session = partition.open_session(Access::ReadOnly).unwrap();
    session.login(Role::User, b"1234").unwrap();
    let labels = labels(&session);
    partition.close_session(&session);
    Some(labels)
}

fn restore(hsm: &Hsm, path: &Path, replace: bool) -> std::result::Result<Vec<Copied>, Fault> {
    hsm.restore(path, PASSPHRASE, &|_| true, replace, &mut |_| {})
}

#[test]
fn a_restore_that_is_cut_at_any_write_leaves_what_was_there() {
    let (home, hsm, session) = user();
    note(&session, "public", false);
    note(&session, "private", true);
    let partition = Arc::clone(session.partition());
    partition.close_session(&session);
    let path = home.path().join("backup");
    hsm.back_up(&[Arc::clone(&partition)], &path, PASSPHRASE, &mut |_| {}).unwrap();
    let all = Some(vec!["private".to_owned(), "public".to_owned()]);

    // In the place of what was made since.
    let session = partition.open_session(Access::ReadWrite).unwrap();
    session.login(Role::User, b"1234").unwrap();
    note(&session, "since", true);
    partition.close_session(&session);
    let since = found(&hsm);
    assert_eq!(since.as_ref().map(Vec::len), Some(3));
    let cuts = cut(&hsm, &|| restore(&hsm, &path, true).map(drop), &since);
    assert!(cuts > 10, "{cuts}");
    assert_eq!(found(&hsm), all);

    // Where nothing is.
    hsm.delete_partition(&partition, b"12345678").unwrap();
    let cuts = cut(&hsm, &|| restore(&hsm, &path, false).map(drop), &None);
    assert!(cuts > 10, "{cuts}");
    assert_eq!(found(&hsm), all);
    assert!(matches!(restore(&hsm, &path, false), Err(Fault::Present { .. })));
}

/// Does something again and again, cut one write later each time, until it succeeds.
fn cut(hsm: &Hsm, act: &dyn Fn() -> std::result::Result<(), Fault>, before: &Option<Vec<String>>) -> usize {
    for writes in 0..200 {
        fail_after(Some(writes));
        let done = act();
        fail_after(None);
        match done {
            Ok(()) => return writes,
            Err(Fault::Hsm(Error::Store(_))) => assert_eq!(&found(hsm), before, "{writes}"),
            Err(other) => panic!("{other}"),
        }
    }
    panic!("it never ends")
}
