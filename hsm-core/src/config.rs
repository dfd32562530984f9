//! Where the HSM is and how it is set up. Looking for it reads configuration files and creates
//! nothing; opening what is found is left to `hsm`.
//!
//! The first of these that is there decides:
//!
//! 1. `SOFTHSM_RS_CONF`: a configuration file (`file`).
//! 2. `SOFTHSM_RS_HOME`: a directory.
//! 3. `SOFTHSM2_CONF`: a SoftHSM2 configuration file; its token directory is the home (`softhsm2`).
//! 4. The user's own place, if it is there: `$XDG_DATA_HOME/softhsm-rs`, by default
//!    `~/.local/share/softhsm-rs`.
//! 5. The system's place, if it is there: `/etc/softhsm-rs.toml`, or `/var/lib/softhsm-rs`.
//! 6. Nothing is there yet: the superuser gets the system's place, everybody else their own.
//!
//! A home chosen as a directory (2, 3, 4, 5) may hold a `softhsm-rs.toml` of its own, with every
//! key but `home`. One file is read, never two. A process that runs with more rights than its
//! caller (AT_SECURE) ignores the environment: only the system's place is left to it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::audit::Uses;
use crate::error::{Error, Result};
use crate::mechanism::table::{Function, Info, Row, offered};
use crate::object::Policy;
use crate::store::StoreUrl;
use crate::unit::UnitPaths;

pub mod document;
mod environment;
mod file;
mod home;
mod mechanisms;
mod slots;
mod softhsm2;

pub use environment::Environment;
pub use file::key_names;
pub use home::Home;
pub use mechanisms::MechanismPolicy;

/// What the configuration comes to. See the module for where it is found.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory of the HSM's files.
    pub home: Home,
    /// Where sealed records live; SQLite in the home unless the file says otherwise.
    pub store: StoreUrl,
    /// What is logged, and where to.
    pub log: LogConfig,
    /// Slot numbers that the file fixes.
    pub slots: SlotNumbers,
    /// The rules for PINs.
    pub pins: PinPolicy,
    /// The mechanisms that sessions may use.
    pub mechanisms: MechanismPolicy,
    /// What sessions are refused beyond the standard.
    pub policy: Policy,
    /// What is audited, and how much of it is kept.
    pub audit: AuditConfig,
    /// Whether the module makes an HSM by the quick ceremony where there is none, at the first
    /// C_InitToken.
    pub auto_init: bool,
    /// Whether C_WaitForSlotEvent tells of tokens that come and go; if not, it is not supported.
    pub slot_events: bool,
    /// The name of the credential that the crypto unit may be sealed by.
    pub sealer_credential: String,
    /// Where the service manager has put this process's credentials, if it gave any.
    pub credentials: Option<PathBuf>,
    /// Which rule led here, for people.
    pub source: Source,
    /// The configuration file that was read, if there is one.
    pub file: Option<PathBuf>,
}

/// What is logged, and where to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// A level (`off`, `error`, `warn`, `info`, `debug`, `trace`) or a filter as `env_logger` takes
    /// it. `SOFTHSM_RS_LOG` wins over the file's `log.level`; where neither is there, nothing is
    /// logged but by the server.
    pub filter: Option<String>,
    /// The file that is appended to; standard error where there is none.
    pub file: Option<PathBuf>,
    /// How the command line's own processes write a line.
    pub format: LogFormat,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Slot numbers that the configuration fixes, by label or serial number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotNumbers(Vec<(String, u64)>);

/// The rules for PINs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPolicy {
    /// Smallest length in bytes.
    pub min_length: usize,
    /// Largest length in bytes.
    pub max_length: usize,
    /// Wrong tries after which a PIN is locked.
    pub max_tries: u32,
}

/// What is audited, and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditConfig {
    /// What becomes of uses; where the file does not say it, each door has its own way.
    pub uses: Option<Uses>,
    /// Whether changes, logins and administration by the module and the command line are recorded.
    pub changes: bool,
    /// How many events are kept, the oldest going first; 0: all.
    pub keep: u64,
}

/// Which rule named the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The caller named the directory.
    Argument,
    /// `SOFTHSM_RS_CONF` named this file.
    File(PathBuf),
    /// `SOFTHSM_RS_HOME` named the directory.
    HomeVariable,
    /// `SOFTHSM2_CONF` named this file.
    Softhsm2(PathBuf),
    /// The user's own place.
    User,
    /// The system's place.
    System,
}

impl Config {
    /// Finds the configuration; see the module for the order.
    ///
    /// # Errors
    /// [`Error::Config`] names file, line and key of what is wrong in a file, or the variable that
    /// names a file which cannot be read; [`Error::File`] a home that cannot be read.
    pub fn locate(environment: &Environment) -> Result<Config> {
        let mut config = Config::place(environment)?;
        if let Some(filter) = environment.log_filter() {
            config.log.filter = Some(filter);
        }
        config.credentials = environment.path("CREDENTIALS_DIRECTORY");
        Ok(config)
    }

    /// Whether sessions may use a mechanism for a function.
    pub fn permits(&self, row: &Row, function: Function) -> bool {
        let is_left = self.policy == Policy::Compatible || row.is_strict(function);
        is_left && row.does(function) && self.mechanisms.permits(row)
    }

    /// What sessions are told of a mechanism, with the functions that they may use it for; `None` where there are none.
    pub fn mechanism_info(&self, row: &Row) -> Option<Info> {
        let info = row.info_of(|function| self.permits(row, function));
        info.is_useful().then_some(info)
    }

    /// The mechanisms that sessions may use for something, in the order of their numbers.
    pub fn permitted(&self) -> impl Iterator<Item = &'static Row> {
        offered().filter(|row| self.mechanism_info(row).is_some())
    }

    /// Where the crypto unit's files are, and the credential that may open it.
    pub fn unit_paths(&self) -> UnitPaths {
        let credential = self.credentials.as_ref().map(|directory| directory.join(&self.sealer_credential));
        UnitPaths { credential, ..self.home.unit_paths() }
    }

    /// The configuration of the home at `dir`, which need not exist.
    ///
    /// # Errors
    /// As [`Config::locate`].
    pub fn for_home(dir: &Path) -> Result<Config> {
        let root = absolute(dir)?;
        Config::in_directory(Home::at(root), Source::Argument)
    }

    fn place(environment: &Environment) -> Result<Config> {
        if let Some(path) = environment.file_argument() {
            return Config::named_file(absolute(path)?, environment);
        }
        if let Some(dir) = environment.argument() {
            return Config::for_home(dir);
        }
        if let Some(path) = environment.path("SOFTHSM_RS_CONF") {
            return Config::named_file(absolute(&path)?, environment);
        }
        if let Some(dir) = environment.path("SOFTHSM_RS_HOME") {
            return Config::in_directory(Home::at(absolute(&dir)?), Source::HomeVariable);
        }
        if let Some(path) = environment.path("SOFTHSM2_CONF") {
            let path = absolute(&path)?;
            let home = Home { root: absolute(&softhsm2::token_directory(&path)?)?, flat: true };
            return Config::in_directory(home, Source::Softhsm2(path));
        }
        Config::usual_place(environment)
    }

    /// The file that the caller or `SOFTHSM_RS_CONF` names. Where it has no `home`, the usual place is
    /// meant; a home that the caller names wins.
    fn named_file(path: PathBuf, environment: &Environment) -> Result<Config> {
        let mut settings = file::read(&path, file::Place::Named)?.ok_or_else(|| {
            let by = if environment.file_argument().is_some() { "--config" } else { "SOFTHSM_RS_CONF" };
            Error::Config(format!("{}: there is no such file; {by} names it", path.display()))
        })?;
        if let Some(dir) = environment.argument() {
            settings.home = Some(absolute(dir)?);
        }
        let (root, _) = usual_home(environment);
        Ok(settings.into_config(Home::at(root), Source::File(path.clone()), Some(path)))
    }

    fn usual_place(environment: &Environment) -> Result<Config> {
        let (root, source) = usual_home(environment);
        if source == Source::System
            && let Some(settings) = file::read(&environment.system_file(), file::Place::Named)?
        {
            return Ok(settings.into_config(Home::at(root), source, Some(environment.system_file())));
        }
        Config::in_directory(Home::at(root), source)
    }

    /// A home with the configuration file that it may hold.
    fn in_directory(home: Home, source: Source) -> Result<Config> {
        let path = home.config_file();
        let settings = file::read(&path, file::Place::InHome)?;
        let file = settings.is_some().then_some(path);
        Ok(settings.unwrap_or_default().into_config(home, source, file))
    }
}

/// Rules 4 to 6 of the module.
fn usual_home(environment: &Environment) -> (PathBuf, Source) {
    let system = (environment.system_home(), Source::System);
    let Some(own) = environment.user_home() else { return system };
    let system_is_there = environment.system_file().exists() || system.0.exists();
    if own.exists() || !(system_is_there || environment.superuser()) { (own, Source::User) } else { system }
}

/// The host application may change its directory later, so that a relative path is only good now.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(Error::file(path))
}

impl SlotNumbers {
    /// The number fixed for a token: by its serial number, else by its label (without padding).
    pub fn number(&self, label: &str, serial: &str) -> Option<u64> {
        let find = |name: &str| self.0.iter().find(|(known, _)| known == name).map(|&(_, number)| number);
        find(serial).or_else(|| find(label))
    }

    /// Whether a number is spoken for, so that no other token may be given it.
    pub fn reserved(&self, number: u64) -> bool {
        self.0.iter().any(|&(_, fixed)| fixed == number)
    }
}

impl Default for PinPolicy {
    fn default() -> PinPolicy {
        PinPolicy { min_length: 4, max_length: 255, max_tries: 10 }
    }
}

impl Default for AuditConfig {
    fn default() -> AuditConfig {
        AuditConfig { uses: None, changes: true, keep: 1_000_000 }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Argument => f.write_str("--home"),
            Source::File(path) => write!(f, "SOFTHSM_RS_CONF, {}", path.display()),
            Source::HomeVariable => f.write_str("SOFTHSM_RS_HOME"),
            Source::Softhsm2(path) => write!(f, "SOFTHSM2_CONF, {}", path.display()),
            Source::User => f.write_str("the user's place"),
            Source::System => f.write_str("the system's place"),
        }
    }
}

#[cfg(test)]
mod tests;
