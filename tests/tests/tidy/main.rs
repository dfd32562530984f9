//! The mechanical rules of the code base, as tests over its text: which part may use which, where
//! `unsafe` and CKR values may stand, how files begin and how long they are, where versions are
//! declared, what every mechanism must have. What needs judgement is left to review. Each rule is
//! shown a bad sample too, so that one that can no longer fail is noticed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod code;
mod layers;
mod manifests;
mod mechanisms;
mod prose;
mod source;

use std::sync::LazyLock;

use source::Workspace;

/// What a rule has against the workspace: each line names a file and says what is wrong.
type Complaints = Vec<String>;

/// Read once for all rules.
static WORKSPACE: LazyLock<Workspace> = LazyLock::new(Workspace::read);

fn none(complaints: &Complaints) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

macro_rules! rules {
    ($($name:ident: $rule:path;)*) => {
        $(#[test]
        fn $name() {
            none(&$rule(&WORKSPACE));
        })*
    };
}

rules! {
    modules_of_the_core_use_only_what_is_below_them: layers::modules;
    nobody_outside_the_core_reaches_into_it: layers::doors;
    crates_depend_one_way: manifests::layering;
    the_core_names_no_return_value_of_a_door: code::core_without_rv;
    return_values_stand_in_one_file: code::rv_in_one_file;
    unsafe_stands_in_few_places: code::unsafe_places;
    every_unsafe_has_its_reason: code::safety_comments;
    crates_without_unsafe_forbid_it: code::forbids_unsafe;
    nothing_is_left_unfinished: code::unfinished;
    every_file_says_what_it_is: code::heads;
    files_are_short: code::lengths;
    versions_stand_in_the_workspace_table: manifests::versions;
    dependencies_come_from_the_public_index: manifests::sources;
    no_note_to_self_is_left: prose::notes;
    no_machine_is_named: prose::machines;
    every_mechanism_is_exercised_from_outside: mechanisms::exercised;
}
