//! What the warm paths cost, counted in reads of the store: however many objects a token has, a new
//! handle comes to its first signature with the same reads, a search reads what it finds, and a
//! further signature reads nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use cryptoki_sys::*;
use hsm_core::object::Template;
use hsm_core::session::{Role, Session};
use kit::*;

const FEW: usize = 10;
/// Takes seconds where the directory is in memory, and its commits cost no disk.
const MANY: usize = 10_000;

/// Reads of each step, by its name.
type Reads = Vec<(&'static str, u64)>;

/// Adds objects, public and private ones in turn, until the token has `upto`.
fn grow(session: &Session, from: usize, upto: usize) {
    for number in from..upto {
        let mut template = data(number % 2 == 0, &format!("object {number}"), b"value");
        template.push(bytes(CKA_APPLICATION, "warm paths"));
        session.create_object(template).unwrap();
    }
}

/// Runs the steps through a handle that knows nothing yet.
fn reads_of_a_new_handle(fresh: &Fresh) -> Reads {
    let hsm = handle(fresh.home.path());
    let mut reads = Reads::new();
    let mut before = 0;
    let mut step = |name| {
        let now = hsm.store_reads();
        reads.push((name, now - before));
        before = now;
    };
    let partition = partition(&hsm);
    step("list the partitions");
    let session = partition.open_session(hsm_core::session::Access::ReadWrite).unwrap();
    step("open a session");
    session.login(Role::User, USER_PIN).unwrap();
    step("log in");
    let key = find(&session, vec![label("signer"), flag(CKA_PRIVATE, true)]).unwrap()[0];
    step("find the private half");
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    step("first signature");
    for _ in 0..10 {
        sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    }
    step("ten more signatures");
    let search = |template: Template, expected: usize| {
        assert_eq!(find(&session, template).unwrap().len(), expected);
    };
    search(vec![label("signer"), number(CKA_CLASS, CKO_PRIVATE_KEY)], 1);
    step("find by label and class");
    search(vec![label("signer")], 2);
    step("find by label");
    search(vec![bytes(CKA_ID, "signer's id")], 1);
    step("find by identifier");
    search(vec![number(CKA_CLASS, CKO_PUBLIC_KEY)], 1);
    step("find by class");
    search(vec![label("no such label")], 0);
    step("find what is missing");
    let mut changed = data(true, "made last", b"value");
    changed.push(bytes(CKA_APPLICATION, "warm paths"));
    let made = session.create_object(changed).unwrap();
    step("create an object");
    session.destroy_object(made).unwrap();
    step("destroy an object");
    partition.close_session(&session);
    reads
}

/// A token with a key pair for signatures.
fn with_signer() -> Fresh {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (_, private) = generate_ec(&session, "signer");
    session.set_attributes(private, vec![bytes(CKA_ID, "signer's id")]).unwrap();
    fresh
}

#[test]
fn work_does_not_grow_with_the_number_of_objects() {
    let fresh = with_signer();
    let session = fresh.session();
    grow(&session, 0, FEW);
    let few = reads_of_a_new_handle(&fresh);
    grow(&session, FEW, MANY);
    assert_eq!(find(&session, vec![]).unwrap().len(), MANY + 2, "they are there");
    let many = reads_of_a_new_handle(&fresh);
    println!("{FEW} objects: {few:?}\n{MANY} objects: {many:?}");
    for ((step, few), (_, many)) in few.iter().zip(&many) {
        // At the end of an index there is no next entry to read, in either of the two.
        assert!(few.abs_diff(*many) <= 4, "{step}: {few} reads among few objects, {many} among many");
        assert!(*many < 40, "{step}: {many} reads");
    }
    let of = |name| many.iter().find(|(step, _)| *step == name).unwrap().1;
    assert_eq!(of("first signature"), 1, "the key's record");
    assert_eq!(of("ten more signatures"), 0);
}

#[test]
fn a_signature_after_the_first_reads_nothing() {
    let fresh = with_signer();
    let session = fresh.session();
    let key = find(&session, vec![label("signer"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    let before = fresh.hsm.store_reads();
    for _ in 0..100 {
        sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    }
    assert_eq!(fresh.hsm.store_reads(), before);
}

#[test]
fn a_change_elsewhere_costs_a_key_one_read_and_no_more() {
    let fresh = with_signer();
    let session = fresh.session();
    let key = find(&session, vec![label("signer"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    let other = Other::of(fresh.home.path());
    other.session.create_object(data(false, "of another process", b"x")).unwrap();
    let before = fresh.hsm.store_reads();
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    assert_eq!(fresh.hsm.store_reads(), before + 1, "its revision");
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    assert_eq!(fresh.hsm.store_reads(), before + 1);
}
