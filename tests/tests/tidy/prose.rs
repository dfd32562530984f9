//! Rules on every text: no notes to self, and nothing of the machine that something was written on.

use crate::Complaints;
use crate::source::{Workspace, word_at};

/// Written in two halves, so that this file does not break its own rule.
const NOTES: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK")];

/// Directories of one machine, and settings that send cargo to another package index.
const MACHINES: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/home/", "user"),
    concat!("sparse", "+http"),
    concat!("replace", "-with"),
];

pub(crate) fn notes(workspace: &Workspace) -> Complaints {
    find(workspace, |line| NOTES.into_iter().find(|note| word_at(line, note).is_some()))
}

pub(crate) fn machines(workspace: &Workspace) -> Complaints {
    find(workspace, |line| MACHINES.into_iter().find(|path| line.contains(path)))
}

fn find(workspace: &Workspace, wrong: impl Fn(&str) -> Option<&'static str>) -> Complaints {
    let mut complaints = Complaints::new();
    for file in &workspace.files {
        for (number, line) in (1..).zip(file.text.lines()) {
            complaints.extend(wrong(line).map(|what| format!("{}:{number}: {what}", file.path)));
        }
    }
    complaints
}

#[test]
fn a_note_to_self_is_found() {
    for note in NOTES {
        assert_eq!(notes(&Workspace::of("README.md", &format!("{note}: later"))).len(), 1);
        assert!(notes(&Workspace::of("README.md", &note.to_lowercase())).is_empty());
    }
}

#[test]
fn a_machines_path_is_found() {
    for path in MACHINES {
        assert_eq!(machines(&Workspace::of("Makefile", &format!("cp {path}x y"))).len(), 1);
    }
}
