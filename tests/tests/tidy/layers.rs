//! Layering: which module of the core may use which, and what of the core others may use.

use crate::Complaints;
use crate::source::{File, Workspace};

/// The modules of hsm-core, from the bottom up, each with the modules that it may use. `error` names
/// outcomes that other modules define, which is the one exception at the bottom.
#[rustfmt::skip]
const MODULES: &[(&str, &[&str])] = &[
    ("secret",    &[]),
    ("error",     &["import_token", "kms", "object", "store", "unit"]),
    ("rng",       &["error", "secret"]),
    ("crypto",    &["error", "rng", "secret"]),
    ("object",    &["crypto", "error", "secret"]),
    ("import_token", &["crypto", "error", "object", "rng", "secret"]),
    ("kms",       &["crypto", "error", "object", "rng", "secret"]),
    ("backup",    &["error", "rng", "secret"]),
    ("softhsm2",  &["crypto", "object", "secret"]),
    ("mechanism", &["crypto", "error", "object", "rng", "secret"]),
    ("certificate", &["crypto", "error", "mechanism", "object", "rng", "secret"]),
    ("store",     &["error", "rng"]),
    ("unit",      &["crypto", "error", "rng", "secret"]),
    ("audit",     &["error", "rng", "secret", "store", "unit"]),
    ("config",    &["audit", "error", "mechanism", "object", "store", "unit"]),
    ("hsm",       &["audit", "backup", "config", "error", "partition", "rng", "secret", "session", "store", "unit"]),
    ("partition", &["audit", "backup", "error", "hsm", "import_token", "kms", "object", "rng", "secret", "session", "store", "unit"]),
    ("session",   &["audit", "crypto", "error", "mechanism", "object", "partition"]),
    ("service",   &["audit", "crypto", "error", "import_token", "kms", "mechanism", "object", "partition", "rng", "secret", "session"]),
];

/// What doors and tools may name of the core. Of the store: its errors and its place, no more.
#[rustfmt::skip]
const OFFERED: &[&str] = &[
    "Error", "Result", "audit", "backup", "certificate", "config", "crypto", "error", "hsm", "import_token", "kms", "mechanism", "object", "partition",
    "secret", "service", "session", "softhsm2", "store::StoreError", "store::StoreUrl", "unit",
];

pub(crate) fn modules(workspace: &Workspace) -> Complaints {
    let mut complaints = Complaints::new();
    for file in workspace.rust() {
        let Some(inside) = file.path.strip_prefix("hsm-core/src/").filter(|path| *path != "lib.rs") else {
            continue;
        };
        let modules: Vec<&str> =
            inside.trim_end_matches(".rs").split('/').filter(|name| *name != "mod").collect();
        match MODULES.iter().find(|(name, _)| Some(name) == modules.first()) {
            None => complaints.push(format!("{}: no layer is laid down for this module", file.path)),
            Some((name, allowed)) => {
                for used in used(file, modules.len()) {
                    if used != *name && !allowed.contains(&used) {
                        complaints.push(format!("{}: {name} may not use {used}", file.path));
                    }
                }
            }
        }
    }
    complaints
}

/// The modules of the core that a file names, by `crate::` or by as many `super::` as it is deep.
fn used(file: &File, depth: usize) -> Vec<&str> {
    let code = &file.code;
    let climb = "super::".repeat(depth);
    ["crate::", &climb]
        .iter()
        .flat_map(|root| code.match_indices(*root).map(|(at, _)| &code[at + root.len()..]))
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => heads(group),
            None => vec![name(rest)],
        })
        .filter(|used| MODULES.iter().any(|(module, _)| module == used))
        .collect()
}

/// The name that a path begins with.
fn name(path: &str) -> &str {
    let end = path.find(|character: char| !character.is_alphanumeric() && character != '_');
    &path[..end.unwrap_or(path.len())]
}

/// The names that the members of `use crate::{…}` begin with.
fn heads(group: &str) -> Vec<&str> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                heads.push(name(group[start..at].trim()));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

pub(crate) fn doors(workspace: &Workspace) -> Complaints {
    let mut complaints = Complaints::new();
    for file in workspace.rust().filter(|file| !file.path.starts_with("hsm-core/")) {
        for (at, root) in file.code.match_indices("hsm_core::") {
            let rest = &file.code[at + root.len()..];
            let named: Vec<String> = match (rest.strip_prefix('{'), rest.strip_prefix("store::{")) {
                (Some(group), _) => heads(group).into_iter().map(str::to_owned).collect(),
                (_, Some(group)) => heads(group).into_iter().map(|name| format!("store::{name}")).collect(),
                (None, None) => match rest.strip_prefix("store::") {
                    Some(inner) => vec![format!("store::{}", name(inner))],
                    None => vec![name(rest).to_owned()],
                },
            };
            for named in named.iter().filter(|named| !OFFERED.contains(&named.as_str())) {
                complaints.push(format!("{}: hsm_core::{named} is not for others", file.path));
            }
        }
    }
    complaints
}

#[test]
fn a_use_of_a_higher_module_is_found() {
    for bad in [
        "use crate::session::Session;",
        "use crate::{error::Error, session::Session};",
        "fn f() { super::super::session::g() }",
    ] {
        let found = modules(&Workspace::of("hsm-core/src/crypto/x.rs", bad));
        assert_eq!(found, ["hsm-core/src/crypto/x.rs: crypto may not use session"], "{bad}");
    }
    assert!(
        modules(&Workspace::of("hsm-core/src/crypto/x.rs", "// crate::session\nuse crate::rng;")).is_empty()
    );
}

#[test]
fn a_module_without_a_layer_is_found() {
    assert_eq!(modules(&Workspace::of("hsm-core/src/utils.rs", "")).len(), 1);
}

#[test]
fn a_use_of_the_cores_inside_is_found() {
    for bad in [
        "use hsm_core::rng::array;",
        "use hsm_core::store::Store;",
        "use hsm_core::store::{StoreError, open};",
        "use hsm_core::{Error, rng};",
    ] {
        assert_eq!(doors(&Workspace::of("hsm-cli/src/x.rs", bad)).len(), 1, "{bad}");
    }
    let good = "use hsm_core::store::StoreError; use hsm_core::{Error, mechanism::{self, Mechanism}};";
    assert!(doors(&Workspace::of("hsm-cli/src/x.rs", good)).is_empty());
}
