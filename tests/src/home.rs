//! An HSM's directory at rest, for tests that spoil it: its files, what must come back once they are
//! right again, and the command line beside the module.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki_sys::*;
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_gid, set_thread_uid};

use crate::attrs;
use crate::keys::data_template;
use crate::kit::{Child, Kit, PIN, SO_PIN, Token};
use crate::module::Module;
use crate::raw::module_path;

/// What the ends of names say of files that hold no state: locks, and the order of those who wait.
const FLEETING: [&str; 4] = ["lock", ".queue", ".sessions", "-shm"];

/// The private object that [`Home::with_token`] leaves, and its value.
const KEPT: (&str, &[u8]) = ("kept", b"the value that must come back");

/// An HSM's directory that nobody has open.
pub struct Home<'k> {
    kit: &'k Kit,
}

/// What a command came to.
#[derive(Debug)]
pub struct Done {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to standard error.
    pub err: String,
}

impl<'k> Home<'k> {
    /// A directory without an HSM.
    pub fn empty(kit: &'k Kit) -> Home<'k> {
        let home = Home { kit };
        home.configure("");
        home
    }

    /// An HSM with the kit's token, which holds a private object.
    pub fn with_token(kit: &'k Kit) -> Home<'k> {
        let home = Home::empty(kit);
        let (label, value) = KEPT;
        let template = data_template(label, value).and(attrs![CKA_TOKEN => true, CKA_PRIVATE => true]);
        kit.user().create(&template).expect("an object on the token");
        kit.module.finalize().expect("C_Finalize");
        // The last to close the store writes its log into it, which the module leaves to others.
        assert_eq!(home.command(&["token", "list"]).code, 0);
        home
    }

    /// Writes the home's configuration: errors are logged, and what `text` says.
    pub fn configure(&self, text: &str) {
        let log = self.kit.directory.join("log");
        let text = format!("log.level = \"error\"\nlog.file = {log:?}\n{text}");
        fs::write(self.path("softhsm-rs.toml"), text).expect("writing the home's configuration");
    }

    /// The directory.
    pub fn directory(&self) -> PathBuf {
        self.kit.directory.join("tokens")
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The files that hold state, with what is in them.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.directory())
    }

    /// What the module has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.kit.directory.join("log")).unwrap_or_default()
    }

    /// Asserts that `attempt`, with the module initialised for it, leaves every file as it is.
    pub fn unchanged_by(&self, attempt: impl FnOnce(&Module)) {
        let before = self.files();
        attempt(self.kit.initialised());
        self.kit.module.finalize().expect("C_Finalize");
        same(&before, &self.files());
    }

    /// The same for a run of the command line.
    pub fn unchanged_by_command(&self, arguments: &[&str]) -> Done {
        let before = self.files();
        let done = self.command(arguments);
        same(&before, &self.files());
        done
    }

    /// Lets `spoil` change a file, or remove it, for the time of `attempt`; then the right file is put
    /// back, and everything must work.
    pub fn with_spoilt(&self, name: &str, spoil: impl FnOnce(&Path), attempt: impl FnOnce(&Self)) {
        let (path, aside) = (self.path(name), self.kit.directory.join("aside"));
        fs::rename(&path, &aside).expect("taking the file aside");
        fs::copy(&aside, &path).expect("a copy to spoil");
        spoil(&path);
        attempt(self);
        fs::rename(&aside, &path).expect("putting the right file back");
        self.serves();
    }

    /// Asserts that the token's object is there, and that another can be made.
    pub fn serves(&self) {
        let user = Token::find(self.kit.initialised()).user();
        let (label, value) = KEPT;
        let found = user.find(&attrs![CKA_LABEL => label]).expect("finding the object");
        assert_eq!(found.len(), 1, "the object is not there");
        assert_eq!(user.get(found[0], CKA_VALUE).as_deref(), Ok(value));
        let more = data_template("more", b"").and(attrs![CKA_TOKEN => true]);
        let made = user.create(&more).expect("a new object");
        user.destroy(made).expect("destroying it");
        self.kit.module.finalize().expect("C_Finalize");
    }

    /// Runs the command line on this home.
    pub fn command(&self, arguments: &[&str]) -> Done {
        Done::of(cli().args(arguments))
    }

    /// Another HSM, made by the command line: its directory.
    pub fn another(&self) -> PathBuf {
        let directory = self.kit.directory.join("another");
        let home = directory.to_str().expect("a path of text");
        for arguments in [&["init"][..], &["token", "init", "other"]] {
            let done = Done::of(cli().args(["--home", home]).args(arguments));
            assert_eq!(done.code, 0, "{}", done.err);
        }
        directory
    }
}

impl Done {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Done {
        let output = command.output().expect("running a command");
        let code = output.status.code().unwrap_or_else(|| panic!("{command:?} died: {}", output.status));
        Done { code, err: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    /// Asserts that it failed with a code and said all of this.
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
    }
}

/// The command line of the build that the module is of, with the kit's PINs.
pub fn cli() -> Command {
    let path = module_path().with_file_name("softhsm-rs");
    assert!(path.exists(), "{} is missing: build it (cargo build -p hsm-cli)", path.display());
    let mut command = Command::new(path);
    command.env("SOFTHSM_RS_PIN", PIN).env("SOFTHSM_RS_SO_PIN", SO_PIN);
    command
}

/// Runs `body` in a child that permissions hold for: the superuser's child becomes another user.
pub fn unprivileged(body: impl FnOnce()) {
    let child = Child::fork(|| {
        if geteuid().is_root() {
            // The child has this one thread.
            set_thread_gid(Gid::from_raw(NOBODY)).expect("setgid");
            set_thread_uid(Uid::from_raw(NOBODY)).expect("setuid");
        }
        body();
    });
    child.succeeds();
}

/// A user and a group that own nothing.
const NOBODY: u32 = 65534;

fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let Ok(entries) = fs::read_dir(directory) else { return all };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.to_str().expect("a path of text");
        if path.is_dir() {
            all.extend(files(&path));
        } else if !FLEETING.iter().any(|end| name.ends_with(end)) {
            let bytes = fs::read(&path).expect("a file");
            // An empty log says as much as none.
            if !(name.ends_with("-wal") && bytes.is_empty()) {
                all.insert(path, bytes);
            }
        }
    }
    all
}

/// Asserts that files are the same, and names those that are not.
fn same(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) {
    let differ = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let changed: Vec<_> = before.keys().chain(after.keys()).filter(differ).collect();
    assert!(changed.is_empty(), "changed: {changed:?}");
}
