//! The audit log of a test's HSM, as the command line shows it beside the module.

use std::fs;

use serde_json::Value;

use crate::home::cli;
use crate::kit::Kit;

/// Writes the home's configuration: what becomes of uses.
pub fn configure_uses(kit: &Kit, uses: &str) {
    let file = kit.directory.join("tokens").join("softhsm-rs.toml");
    fs::write(file, format!("audit.uses = '{uses}'\n")).expect("writing the home's configuration");
}

/// What a command of the audit log prints.
pub fn audit(kit: &Kit, arguments: &[&str]) -> String {
    let home = kit.directory.join("tokens");
    let done = cli().arg("--home").arg(home).arg("audit").args(arguments).output().expect("audit");
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).expect("text")
}

/// The events, without seals.
pub fn events(kit: &Kit) -> Vec<Value> {
    let text = audit(kit, &["show", "--json"]);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter_map(|line| line.get("event").cloned()).collect()
}
