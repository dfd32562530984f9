//! What the tests share: a home of their own, the binary, and what a run of it came to.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const SO_PIN: &str = "87654321";
pub(crate) const PIN: &str = "123456";

/// A directory with a home in it.
pub(crate) struct Desk(pub(crate) TempDir);

/// What a command did.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    /// No HSM yet.
    pub(crate) fn empty() -> Desk {
        Desk(tempfile::tempdir().expect("a directory"))
    }

    /// An HSM.
    pub(crate) fn with_hsm() -> Desk {
        let desk = Desk::empty();
        desk.run(&["init"]).succeeds();
        desk
    }

    /// An HSM with the token `web`.
    pub(crate) fn with_token() -> Desk {
        let desk = Desk::with_hsm();
        desk.run(&["token", "init", "web"]).succeeds();
        desk
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("writing a file");
        path.to_str().expect("a path of text").to_owned()
    }

    /// The command with nothing of the test's own environment, and no PIN.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_softhsm-rs"));
        command.args(arguments).env_clear().env("SOFTHSM_RS_HOME", self.home()).stdin(Stdio::null());
        command
    }

    /// The command with the PINs in the environment.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.bare(arguments).env("SOFTHSM_RS_PIN", PIN).env("SOFTHSM_RS_SO_PIN", SO_PIN))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["--json"]].concat()).succeeds();
        serde_json::from_str(&done.out).expect("JSON on standard output")
    }
}

impl Done {
    pub(crate) fn of(command: &mut Command) -> Done {
        let output = command.output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Done {
            code: output.status.code().expect("no signal"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    pub(crate) fn succeeds(self) -> Done {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// Failed with this code, said why on standard error, and printed no result.
    pub(crate) fn fails(self, code: i32, words: &str) -> Done {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.contains(words), "{words:?} is not in: {}", self.err);
        assert_eq!(self.out, "");
        self
    }
}
