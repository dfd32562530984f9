//! `version` and `completions`: what needs no HSM.

use clap::CommandFactory;
use serde_json::json;

use crate::cli::Cli;
use crate::output::Output;

/// What this build computes with, first choice first.
const CRYPTOGRAPHY: &str = if cfg!(feature = "aws-lc") { "AWS-LC, RustCrypto" } else { "RustCrypto" };

/// The stores of this build.
const STORES: &[&str] =
    if cfg!(feature = "sled") { &["sqlite", "sled", "memory"] } else { &["sqlite", "memory"] };

pub(super) fn version(output: Output) {
    let version = env!("CARGO_PKG_VERSION");
    let value =
        json!({ "version": version, "cryptography": CRYPTOGRAPHY, "stores": STORES, "pkcs11": "3.2" });
    output.result(&value, |page| {
        page.line(&format!("softhsm-rs {version}"));
        page.fields([
            ("cryptography", CRYPTOGRAPHY.to_owned()),
            ("stores", STORES.join(", ")),
            ("PKCS#11", "2.40, 3.0, 3.2".to_owned()),
        ]);
    });
}

pub(super) fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "softhsm-rs", &mut script);
    // A reader that went away has what it wanted.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
}
