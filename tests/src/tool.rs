//! Other people's command line tools: one run of one, and `pkcs11-tool` with the module under test. What
//! they must say stands in the tests.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use crate::kit::{Kit, LABEL, PIN, SO_PIN};
use crate::raw::module_path;

/// The Debian package of each tool, for the message where one is missing.
const PACKAGES: [(&str, &str); 4] =
    [("pkcs11-tool", "opensc"), ("openssl", "openssl"), ("nm", "binutils"), ("readelf", "binutils")];

/// One run of a tool, not started yet.
pub struct Tool {
    name: &'static str,
    command: Command,
}

/// What a tool said, and whether it was content.
pub struct Said {
    /// Whether it ended with exit code 0.
    pub success: bool,
    /// Its standard output.
    pub out: String,
    /// The run, its end and both outputs, for messages.
    pub all: String,
}

impl Tool {
    /// A tool that works in the test's directory.
    pub fn new(kit: &Kit, name: &'static str) -> Tool {
        let mut command = Command::new(name);
        command.current_dir(&kit.directory).env("LC_ALL", "C");
        Tool { name, command }
    }

    /// `pkcs11-tool` with the module under test, without login.
    pub fn pkcs11(kit: &Kit) -> Tool {
        Tool::new(kit, "pkcs11-tool").arg("--module").arg(module_path())
    }

    /// `pkcs11-tool` with the module under test, the user logged in.
    pub fn user(kit: &Kit) -> Tool {
        Tool::pkcs11(kit).args(&["--login", "--pin", PIN])
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Tool {
        self.command.arg(argument);
        self
    }

    /// More arguments.
    pub fn args(mut self, arguments: &[&str]) -> Tool {
        self.command.args(arguments);
        self
    }

    /// Runs the tool to its end; panics if it is not installed.
    pub fn run(mut self) -> Said {
        let output = self.command.output().unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("{} is missing: install {}", self.name, package(self.name)),
            _ => panic!("{}: {error}", self.name),
        });
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        let all = format!("{:?}: {}\n{out}{errors}", self.command, output.status);
        Said { success: output.status.success(), out, all }
    }

    /// Runs the tool, which must end with exit code 0, and returns what it wrote to standard output.
    pub fn succeeds(self) -> String {
        let said = self.run();
        assert!(said.success, "{}", said.all);
        said.out
    }
}

fn package(tool: &str) -> &'static str {
    let row = PACKAGES.iter().find(|(name, _)| *name == tool);
    row.expect("each tool that is used has a row").1
}

/// Writes a file for tools to read into the test's directory.
pub fn write(kit: &Kit, name: &str, bytes: &[u8]) {
    fs::write(kit.directory.join(name), bytes).unwrap_or_else(|error| panic!("writing {name}: {error}"));
}

/// Has `pkcs11-tool` make the first token and set both PINs.
pub fn make_token(kit: &Kit) {
    let slot = ["--slot-index", "0"];
    let label = ["--label", LABEL];
    Tool::pkcs11(kit).args(&slot).arg("--init-token").args(&label).args(&["--so-pin", SO_PIN]).succeeds();
    let so = ["--login", "--login-type", "so", "--so-pin", SO_PIN];
    Tool::pkcs11(kit).args(&slot).args(&so).args(&["--init-pin", "--pin", PIN]).succeeds();
}
