//! The audit log of a test's HSM, as the command line shows it beside the module.

use crate::home::cli;
use crate::kit::Kit;

/// Writes the home's configuration: what becomes of uses.
pub fn configure_uses(kit: &Kit, uses: &str) {
    kit.configure(&format!("audit.uses = '{uses}'\n"));
}

/// What a command of the audit log prints.
pub fn audit(kit: &Kit, arguments: &[&str]) -> String {
    let home = kit.directory.join("tokens");
    let done = cli().arg("--home").arg(home).arg("audit").args(arguments).output().expect("audit");
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).expect("text")
}
