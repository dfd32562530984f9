//! Rules on Rust source: return values, `unsafe`, what is unfinished, how files begin and how long
//! they are.

use crate::Complaints;
use crate::source::{File, Workspace, word_at};

/// The tests name return values as an application does.
const RV: [&str; 2] = ["pkcs11-module/src/rv.rs", "tests/"];

/// The C boundary, the operating system's memory calls, and the tests' own C caller.
const UNSAFE: [&str; 3] = ["pkcs11-module/src/ffi/", "hsm-os/src/", "tests/src/raw.rs"];

/// Crates that forbid `unsafe`, by their root file.
const SAFE: [&str; 3] = ["hsm-core/src/lib.rs", "kmip-server/src/lib.rs", "hsm-cli/src/main.rs"];

/// Lines of a file, its tests included.
const LONGEST: usize = 400;

/// Lines of a file of tests alone: a flat list of cases is as easy to read where it is longer.
const LONGEST_OF_TESTS: usize = 550;

/// Tables are as long as their rows.
#[rustfmt::skip]
const TABLES: [&str; 5] = [
    "hsm-core/src/mechanism/table.rs",
    "hsm-core/src/object/rules.rs",
    "pkcs11-module/src/ffi/entry.rs",
    "kmip-server/src/ttlv/tags.rs",
    "hsm-cli/src/cli.rs",
];

pub(crate) fn core_without_rv(workspace: &Workspace) -> Complaints {
    // Comments too: a core that thinks in return values soon has them.
    let core = workspace.rust().filter(|file| file.path.starts_with("hsm-core/"));
    core.filter(|file| file.text.contains("CKR_")).map(|file| format!("{}: names a CKR", file.path)).collect()
}

pub(crate) fn rv_in_one_file(workspace: &Workspace) -> Complaints {
    let others = workspace.rust().filter(|file| !RV.iter().any(|place| file.path.starts_with(place)));
    find(others, |line| line.contains("CKR_").then_some("a CKR outside rv.rs"))
}

pub(crate) fn unsafe_places(workspace: &Workspace) -> Complaints {
    let others = workspace.rust().filter(|file| !UNSAFE.iter().any(|place| file.path.starts_with(place)));
    find(others, |line| word_at(line, "unsafe").map(|_| "unsafe is not for this file"))
}

/// Of blocks and impls; what an `unsafe fn` asks for stands in its documentation. Clippy knows this
/// rule too, but looks into no macro.
pub(crate) fn safety_comments(workspace: &Workspace) -> Complaints {
    let mut complaints = Complaints::new();
    for file in workspace.rust() {
        let text: Vec<&str> = file.text.lines().collect();
        for (number, line) in file.lines() {
            let Some(at) = word_at(line, "unsafe") else { continue };
            let after = line[at + "unsafe".len()..].trim_start();
            let above = text.get(..number).unwrap_or_default();
            if (after.starts_with('{') || after.starts_with("impl")) && !explained(above) {
                complaints.push(format!("{}:{number}: no SAFETY comment above", file.path));
            }
        }
    }
    complaints
}

/// Whether the lines end in a statement with a SAFETY comment above it.
fn explained(lines: &[&str]) -> bool {
    lines
        .iter()
        .rev()
        .take_while(|line| !line.trim().is_empty())
        .take(12)
        .any(|line| line.contains("SAFETY:"))
}

pub(crate) fn forbids_unsafe(workspace: &Workspace) -> Complaints {
    let forbids = |file: &File| file.code.contains("#![forbid(unsafe_code)]");
    SAFE.iter()
        .filter(|path| !workspace.file(path).is_some_and(forbids))
        .map(|path| format!("{path}: does not forbid unsafe_code"))
        .collect()
}

pub(crate) fn unfinished(workspace: &Workspace) -> Complaints {
    const MARKS: [&str; 4] = ["todo!", "unimplemented!", "dbg!", "#[ignore"];
    find(workspace.rust(), |line| MARKS.into_iter().find(|mark| line.contains(mark)))
}

pub(crate) fn heads(workspace: &Workspace) -> Complaints {
    let headless = workspace.rust().filter(|file| !file.text.starts_with("//! "));
    headless.map(|file| format!("{}: does not begin with //!", file.path)).collect()
}

pub(crate) fn lengths(workspace: &Workspace) -> Complaints {
    let mut complaints = Complaints::new();
    for file in workspace.rust().filter(|file| !TABLES.contains(&file.path.as_str())) {
        let most = if file.path.contains("/tests/") { LONGEST_OF_TESTS } else { LONGEST };
        let lines = file.text.lines().count();
        if lines > most {
            complaints.push(format!("{}: {lines} lines, {most} at most", file.path));
        }
    }
    complaints
}

fn find<'a>(
    files: impl Iterator<Item = &'a File>,
    wrong: impl Fn(&str) -> Option<&'static str>,
) -> Complaints {
    let complaint = |file: &File, (number, line): (usize, &str)| {
        wrong(line).map(|what| format!("{}:{number}: {what}", file.path))
    };
    files
        .flat_map(|file| file.lines().filter_map(move |line| complaint(file, line)).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(rule: fn(&Workspace) -> Complaints, path: &str, text: &str) -> usize {
        rule(&Workspace::of(path, text)).len()
    }

    #[test]
    fn a_return_value_in_the_wrong_place_is_found() {
        assert_eq!(complaints(core_without_rv, "hsm-core/src/x.rs", "// CKR_OK"), 1);
        assert_eq!(complaints(rv_in_one_file, "pkcs11-module/src/x.rs", "return CKR_OK;"), 1);
        assert_eq!(complaints(rv_in_one_file, "pkcs11-module/src/x.rs", "/// CKR_OK"), 0);
        assert_eq!(complaints(rv_in_one_file, "pkcs11-module/src/rv.rs", "return CKR_OK;"), 0);
    }

    #[test]
    fn an_unsafe_in_the_wrong_place_is_found() {
        assert_eq!(complaints(unsafe_places, "pkcs11-module/src/calls/x.rs", "unsafe { f() }"), 1);
        assert_eq!(complaints(unsafe_places, "pkcs11-module/src/ffi/x.rs", "unsafe { f() }"), 0);
        assert_eq!(complaints(unsafe_places, "hsm-cli/src/x.rs", "#![forbid(unsafe_code)]"), 0);
    }

    #[test]
    fn an_unsafe_without_a_reason_is_found() {
        let bad = "// SAFETY: of another one.\n\nlet x = unsafe { f() };";
        assert_eq!(complaints(safety_comments, "x.rs", bad), 1);
        assert_eq!(complaints(safety_comments, "x.rs", "unsafe impl Send for X {}"), 1);
        let good = "// SAFETY: the caller's promise\n// holds.\nlet x =\n    unsafe { f() };";
        assert_eq!(complaints(safety_comments, "x.rs", good), 0);
    }

    #[test]
    fn a_crate_that_allows_unsafe_is_found() {
        assert_eq!(complaints(forbids_unsafe, "hsm-core/src/lib.rs", "//! Core."), 3);
        assert_eq!(complaints(forbids_unsafe, "hsm-core/src/lib.rs", "#![forbid(unsafe_code)]"), 2);
    }

    #[test]
    fn unfinished_code_is_found() {
        for bad in ["todo!()", "unimplemented!()", "dbg!(x)", "#[ignore]", "#[ignore = \"slow\"]"] {
            assert_eq!(complaints(unfinished, "x.rs", bad), 1, "{bad}");
        }
        assert_eq!(complaints(unfinished, "x.rs", "\"todo!\" // dbg!"), 0);
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        assert_eq!(complaints(heads, "x.rs", "use std::fs;"), 1);
        assert_eq!(complaints(heads, "x.rs", "//! What it is."), 0);
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(complaints(lengths, "x.rs", &"\n".repeat(LONGEST + 1)), 1);
        assert_eq!(complaints(lengths, "x.rs", &"\n".repeat(LONGEST)), 0);
        assert_eq!(complaints(lengths, "hsm-cli/tests/x.rs", &"\n".repeat(LONGEST_OF_TESTS)), 0);
        assert_eq!(complaints(lengths, "hsm-cli/tests/x.rs", &"\n".repeat(LONGEST_OF_TESTS + 1)), 1);
        assert_eq!(complaints(lengths, TABLES[0], &"\n".repeat(LONGEST + 1)), 0);
    }
}
