//! Rules on manifests and the lock file.

use crate::Complaints;
use crate::source::{File, Workspace};

/// Which crates of the workspace each may depend on. The doors' tests see what users see, so they
/// depend on none.
#[rustfmt::skip]
const CRATES: &[(&str, &[&str])] = &[
    ("hsm-os",        &[]),
    ("hsm-core",      &["hsm-os"]),
    ("pkcs11-module", &["hsm-core", "hsm-os"]),
    ("kmip-server",   &["hsm-core"]),
    ("hsm-cli",       &["hsm-core", "kmip-server"]),
    ("tests",         &[]),
];

/// Manifests of workspaces of their own: what they bring is not part of the product, and stands beside what
/// uses it.
const APART: [&str; 2] = ["tests/interop/kmip-protocol-client/Cargo.toml", "tests/fuzz/kmip/Cargo.toml"];

/// Where every package but our own comes from.
const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The lines of dependency tables, with their numbers.
fn dependencies(manifest: &File) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut out = Vec::new();
    for (number, line) in (1..).zip(manifest.text.lines()) {
        if let Some(table) = line.strip_prefix('[') {
            // A table of one dependency, `[dependencies.x]`, shows up as an unknown line below.
            inside = table.contains("dependencies");
        } else if inside && !line.trim().is_empty() && !line.starts_with('#') {
            out.push((number, line));
        }
    }
    out
}

fn members(workspace: &Workspace) -> impl Iterator<Item = &File> {
    let part = |file: &&File| file.path.ends_with("/Cargo.toml") && !APART.contains(&file.path.as_str());
    workspace.files.iter().filter(part)
}

pub(crate) fn layering(workspace: &Workspace) -> Complaints {
    let mut complaints = Complaints::new();
    for manifest in members(workspace) {
        let name = manifest.path.trim_end_matches("/Cargo.toml");
        let Some((_, allowed)) = CRATES.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!("{}: no layer is laid down for this crate", manifest.path));
            continue;
        };
        for (number, line) in dependencies(manifest) {
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if CRATES.iter().any(|(known, _)| *known == used) && !allowed.contains(&used) {
                complaints.push(format!("{}:{number}: {name} may not depend on {used}", manifest.path));
            }
        }
    }
    complaints
}

pub(crate) fn versions(workspace: &Workspace) -> Complaints {
    let declared = |line: &str| line.ends_with(".workspace = true") || line.contains("{ workspace = true");
    let mut complaints = Complaints::new();
    for manifest in members(workspace) {
        for (number, _) in dependencies(manifest).into_iter().filter(|(_, line)| !declared(line)) {
            complaints.push(format!("{}:{number}: not taken from the workspace table", manifest.path));
        }
        if !manifest.text.contains("[lints]\nworkspace = true") {
            complaints.push(format!("{}: does not take the workspace's lints", manifest.path));
        }
    }
    complaints
}

pub(crate) fn sources(workspace: &Workspace) -> Complaints {
    if workspace.file("Cargo.lock").is_none() {
        return vec!["Cargo.lock is missing".into()];
    }
    let foreign = |line: &&str| line.starts_with("source = ") && *line != format!("source = \"{INDEX}\"");
    let locks = workspace.files.iter().filter(|file| file.path.ends_with("Cargo.lock"));
    let complaint = |(path, line): (&str, &str)| format!("{path}: {line}");
    locks
        .flat_map(|lock| lock.text.lines().filter(foreign).map(|line| (lock.path.as_str(), line)))
        .map(complaint)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    #[test]
    fn a_crate_that_depends_on_a_higher_one_is_found() {
        let manifest = "[dependencies]\nhsm-core.workspace = true\npkcs11-module = { workspace = true }\n";
        assert_eq!(layering(&Workspace::of("hsm-cli/Cargo.toml", manifest)).len(), 1);
        assert_eq!(layering(&Workspace::of("another/Cargo.toml", "")).len(), 1);
    }

    #[test]
    fn a_version_outside_the_workspace_table_is_found() {
        for bad in [
            "[dependencies]\nx = \"1\"",
            "[dev-dependencies]\nx.version = \"1\"",
            "[dependencies.x]\nversion = \"1\"",
        ] {
            assert_eq!(
                versions(&Workspace::of("x/Cargo.toml", &format!("{bad}\n{LINTS}"))).len(),
                1,
                "{bad}"
            );
        }
        let good = format!("[dependencies]\n# why\nx = {{ workspace = true, optional = true }}\n\n{LINTS}");
        assert!(versions(&Workspace::of("x/Cargo.toml", &good)).is_empty());
    }

    #[test]
    fn a_crate_with_lints_of_its_own_is_found() {
        assert_eq!(versions(&Workspace::of("x/Cargo.toml", "[lints.rust]\nunused = \"allow\"\n")).len(), 1);
    }

    #[test]
    fn a_package_from_elsewhere_is_found() {
        let lock = "[[package]]\nname = \"x\"\nsource = \"registry+https://mirror.example/index\"\n";
        assert_eq!(sources(&Workspace::of("Cargo.lock", lock)).len(), 1);
        assert!(sources(&Workspace::of("Cargo.lock", &format!("source = \"{INDEX}\"\n"))).is_empty());
    }
}
