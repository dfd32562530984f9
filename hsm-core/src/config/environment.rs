//! What the process's environment says, read once, so that tests need no real one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variables that decide anything here. No other is looked at.
const VARIABLES: [&str; 7] = [
    "SOFTHSM_RS_CONF",
    "SOFTHSM_RS_HOME",
    "SOFTHSM2_CONF",
    "SOFTHSM_RS_LOG",
    "XDG_DATA_HOME",
    "HOME",
    "CREDENTIALS_DIRECTORY",
];

/// The environment of the process that looks for a configuration.
#[derive(Debug, Clone)]
pub struct Environment {
    variables: BTreeMap<&'static str, OsString>,
    argument: Option<PathBuf>,
    file: Option<PathBuf>,
    superuser: bool,
    system_root: PathBuf,
}

impl Environment {
    /// This process's own. Under AT_SECURE no variable is taken over.
    pub fn of_process() -> Environment {
        let superuser = rustix::process::geteuid().is_root();
        let read = |name| std::env::var_os(name).map(|value| (name, value));
        let variables = if hsm_os::secure_execution() {
            BTreeMap::new()
        } else {
            VARIABLES.into_iter().filter_map(read).collect()
        };
        Environment { variables, argument: None, file: None, superuser, system_root: "/".into() }
    }

    /// The same with a home that the user named, which wins over every variable.
    pub fn with_home(mut self, dir: &Path) -> Environment {
        self.argument = Some(dir.into());
        self
    }

    /// The same with a configuration file that the user named, which wins over every variable.
    pub fn with_file(mut self, path: &Path) -> Environment {
        self.file = Some(path.into());
        self
    }

    pub(super) fn file_argument(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn argument(&self) -> Option<&Path> {
        self.argument.as_deref()
    }

    pub(super) fn superuser(&self) -> bool {
        self.superuser
    }

    /// A variable as a path; an empty one counts as absent.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    pub(super) fn log_filter(&self) -> Option<String> {
        self.path("SOFTHSM_RS_LOG").map(|value| value.to_string_lossy().into_owned())
    }

    /// The user's own place. The XDG base directory specification has relative paths ignored.
    pub(super) fn user_home(&self) -> Option<PathBuf> {
        let absolute = |name| self.path(name).filter(|path: &PathBuf| path.is_absolute());
        let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
        Some(data.join("softhsm-rs"))
    }

    /// The system's configuration file.
    pub(super) fn system_file(&self) -> PathBuf {
        self.system_root.join("etc/softhsm-rs.toml")
    }

    /// The system's home, unless its file names another.
    pub(super) fn system_home(&self) -> PathBuf {
        self.system_root.join("var/lib/softhsm-rs")
    }
}

#[cfg(test)]
impl Environment {
    /// No variable, an ordinary user, and a system whose root is `system_root`.
    pub(super) fn empty(system_root: &Path) -> Environment {
        Environment {
            variables: BTreeMap::new(),
            argument: None,
            file: None,
            superuser: false,
            system_root: system_root.into(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Environment {
        assert!(VARIABLES.contains(&name), "{name} is never read");
        self.variables.insert(name, value.into());
        self
    }

    pub(super) fn of_superuser(mut self) -> Environment {
        self.superuser = true;
        self
    }
}
