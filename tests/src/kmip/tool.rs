//! `softhsm-rs kmip` as a person runs it: the arguments that every command takes, and what a run came to.

use std::process::Stdio;

use super::certificates::Authority;
use crate::home::cli;

/// A server, and who asks it.
pub struct Tool {
    common: Vec<String>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Tool {
    /// The client with this name in its certificate, at a server.
    pub fn new(server: &str, authority: &Authority, name: &str) -> Tool {
        let file = |name: &str| authority.file(name).to_str().expect("a path of text").to_owned();
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let named = [
            ("--server", server.to_owned()),
            ("--tls-ca", file("ca.pem")),
            ("--tls-cert", file(&certificate)),
            ("--tls-key", file(&key)),
        ];
        Tool { common: named.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect() }
    }

    /// The same with more arguments for every command.
    pub fn and(mut self, more: &[&str]) -> Tool {
        self.common.extend(more.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Runs a command: `discover`, `query`, `locate` or `get` and its arguments.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let common: Vec<&str> = self.common.iter().map(String::as_str).collect();
        Ran::of(&[arguments, &common].concat())
    }
}

impl Ran {
    /// Runs `softhsm-rs kmip` with these arguments and nothing to read.
    pub fn of(arguments: &[&str]) -> Ran {
        let mut command = cli();
        // Without a terminal there is nobody to ask for a password.
        command.arg("kmip").args(arguments).stdin(Stdio::null()).env_remove("SOFTHSM_RS_HOME");
        let output = command.output().expect("running softhsm-rs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = output.status.code().unwrap_or_else(|| panic!("{command:?} died: {}", output.status));
        Ran { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Asserts that it succeeded.
    pub fn succeeds(self) -> Ran {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// Asserts that it failed with a code, said all of this, and gave no result.
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
        assert_eq!(self.out, "", "a result besides the error");
    }
}
