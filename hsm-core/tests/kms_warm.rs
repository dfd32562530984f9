//! What the key management service costs, counted in reads of the store: wrapping with a key that is in use reads
//! nothing, nor does a look at the policies, and of the records a page of a list reads what it shows.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod kit;

use hsm_core::kms::{Aad, Actor, Description, Kind};
use hsm_core::service::kms::{Caller, Filter, Kms};
use hsm_core::session::Session;
use kit::*;

fn kms(session: &Session) -> Kms<'_> {
    let actor = Actor { id: "alice".into(), name: "Alice".into() };
    session.kms(Caller { actor, now: 1_700_000_000, trail: None, host: None })
}

#[test]
fn a_key_in_use_wraps_and_unwraps_without_a_read() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = kms(&session);
    let id = kms.create(Description::new(Kind::Root, "root key"), None).unwrap().id.to_string();
    let text = kms.wrap(&id, Some(b"dek"), &Aad::default()).unwrap().ciphertext;
    session.tokens_enforced().unwrap();
    let before = fresh.hsm.store_reads();
    for _ in 0..10 {
        kms.wrap(&id, None, &Aad::default()).unwrap();
        kms.unwrap(&id, &text, &Aad::default()).unwrap();
        assert!(!session.tokens_enforced().unwrap());
        assert!(session.admits_address("192.0.2.1".parse().unwrap()).unwrap());
    }
    assert_eq!(fresh.hsm.store_reads(), before);
    let other = Other::of(fresh.home.path());
    other.session.create_object(data(false, "of another process", b"x")).unwrap();
    let before = fresh.hsm.store_reads();
    session.tokens_enforced().unwrap();
    assert_eq!(fresh.hsm.store_reads(), before + 1, "the revision of the policies");
    session.tokens_enforced().unwrap();
    assert_eq!(fresh.hsm.store_reads(), before + 1);
}

#[test]
fn what_is_found_costs_what_is_found() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = kms(&session);
    kms.create_ring("few").unwrap();
    let in_ring =
        Description { ring: Some("few".into()), aliases: vec!["one".into()], ..said("in the ring") };
    kms.create(in_ring, None).unwrap();
    let cost = |body: &dyn Fn()| {
        let before = fresh.hsm.store_reads();
        body();
        fresh.hsm.store_reads() - before
    };
    let by_alias = || drop(kms.key("one").unwrap());
    let by_ring = || drop(kms.list(&Filter { ring: Some("few".into()), ..Filter::default() }).unwrap());
    let page = || drop(kms.list(&Filter { limit: 1, ..Filter::default() }).unwrap());
    let steps: [(&str, &dyn Fn()); 2] = [("by alias", &by_alias), ("by ring", &by_ring)];
    let few: Vec<u64> = steps.iter().map(|(_, step)| cost(*step)).collect();
    for number in 0..200 {
        kms.create(said(&format!("key {number}")), None).unwrap();
    }
    for ((name, step), few) in steps.iter().zip(few) {
        // At the end of an index there is no next entry to read, in either of the two.
        let many = cost(*step);
        assert!(many.abs_diff(few) <= 4, "{name}: {few} reads among few keys, {many} among many");
    }
    // Both walk the index; who looks into every key reads every record as well.
    let searched =
        || drop(kms.list(&Filter { search: Some("no such".into()), ..Filter::default() }).unwrap());
    assert!(cost(&page) + 190 < cost(&searched), "a page reads the records that it does not show");
}

fn said(name: &str) -> Description {
    Description::new(Kind::Root, name)
}
