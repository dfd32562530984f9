//! Which partitions the server's clients need, and what opens each.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hsm_core::hsm::Hsm;
use hsm_core::partition::Partition;
use hsm_core::secret::Secret;
use hsm_core::session::{Access, Role, Session};
use hsm_core::{Error, Result};

use crate::config::Settings;
use crate::identity::{DEFAULT_PARTITION, Pin, Rights};

/// Longer than any PIN, in bytes.
const LONGEST_PIN: u64 = 4096;

/// A partition that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Its label.
    pub label: String,
    /// Its user's PIN; without one the master key alone opens it, and it is made where there is none.
    pub pin: Option<Pin>,
}

impl Settings {
    /// The partitions that clients are mapped to, `kmip` first where somebody is.
    ///
    /// # Errors
    /// Rows that name different PINs for one partition.
    pub fn partitions(&self) -> Result<Vec<Needed>> {
        let default = Rights { pin: self.pin.clone(), ..Rights::default() };
        let rights: Vec<&Rights> = self
            .clients
            .iter()
            .map(|row| &row.rights)
            .chain(self.credentials.iter().map(|row| &row.rights))
            .collect();
        let open_to_all = self.clients.is_empty() || self.unlisted == crate::identity::Unlisted::OwnSpace;
        let mut needed: Vec<Needed> = Vec::new();
        for rights in open_to_all.then_some(&default).into_iter().chain(rights) {
            let label = rights.partition.as_deref().unwrap_or(DEFAULT_PARTITION);
            match needed.iter_mut().find(|it| it.label == label) {
                None => needed.push(Needed { label: label.to_owned(), pin: rights.pin.clone() }),
                Some(known) => match (&known.pin, &rights.pin) {
                    (_, None) => {}
                    (None, Some(pin)) => known.pin = Some(pin.clone()),
                    (Some(known), Some(pin)) if known == pin => {}
                    (Some(_), Some(_)) => {
                        return Err(Error::Config(format!("two rows name different PINs for \"{label}\"")));
                    }
                },
            }
        }
        Ok(needed)
    }
}

/// Opens what the settings need, each partition with a session that holds its user's login. One that is
/// open already stays so.
///
/// # Errors
/// A partition that is not there or does not open, by its label; a PIN that cannot be read.
pub fn open(hsm: &Hsm, settings: &Settings) -> Result<HashMap<String, Arc<Session>>> {
    let mut open = HashMap::new();
    for Needed { label, pin } in settings.partitions()? {
        let session = match pin {
            Some(pin) => by_pin(hsm, &label, &pin)?,
            None if settings.pin_only => {
                let what = "is to be opened by its PIN alone, and none is named (pin_file, pin_credential)";
                return Err(Error::Config(format!("partition \"{label}\" {what}")));
            }
            None => hsm.server_partition(&label)?.open_for_server()?,
        };
        // From here on the session knows whether networks are restricted.
        session.admits_address(Ipv4Addr::LOCALHOST.into())?;
        open.insert(label, session);
    }
    Ok(open)
}

fn by_pin(hsm: &Hsm, label: &str, pin: &Pin) -> Result<Arc<Session>> {
    let named = |partition: &Arc<Partition>| {
        String::from_utf8_lossy(&partition.info().label).trim_end_matches([' ', '\0']) == label
    };
    let mut found = hsm.partitions()?;
    found.retain(named);
    let [partition] = found.as_slice() else {
        let what =
            if found.is_empty() { "there is no partition called" } else { "several partitions are called" };
        return Err(Error::Config(format!(
            "{what} \"{label}\"; `softhsm-rs token list` shows what there is"
        )));
    };
    let session = partition.open_session(Access::ReadWrite)?;
    match session.login(Role::User, pin.read()?.expose()) {
        Ok(()) | Err(Error::AlreadyLoggedIn) => Ok(session),
        Err(error) => Err(error),
    }
}

/// What the engine is told of the settings.
pub fn engine_settings(settings: &Settings) -> crate::engine::Settings {
    let limits = crate::ttlv::Limits {
        depth: settings.limits.nesting,
        items: settings.limits.items,
        field: settings.limits.message,
    };
    crate::engine::Settings {
        limits,
        interop: settings.interop,
        issuer: settings.issuer.clone(),
        ..crate::engine::Settings::default()
    }
}

impl Pin {
    /// Reads the PIN.
    ///
    /// # Errors
    /// A file that cannot be read or whose first line is empty; a credential that the service manager
    /// did not pass.
    pub fn read(&self) -> Result<Secret> {
        match self {
            Pin::File(path) => first_line(path),
            Pin::Credential(name) => {
                let missing =
                    || Error::Config(format!("the service manager passed no credential \"{name}\""));
                // A name is no path: it leads out of no directory.
                let plain = Path::new(name).file_name().is_some_and(|it| it == name.as_str());
                let directory =
                    std::env::var_os("CREDENTIALS_DIRECTORY").filter(|_| plain).ok_or_else(missing)?;
                first_line(&PathBuf::from(directory).join(name))
            }
        }
    }
}

/// The first line without its end. The buffers are of one allocation each, wiped by their owner.
fn first_line(path: &Path) -> Result<Secret> {
    let file = std::fs::File::open(path).map_err(Error::file(path))?;
    let capacity = usize::try_from(LONGEST_PIN).unwrap_or(usize::MAX);
    let mut line = Vec::with_capacity(capacity);
    BufReader::with_capacity(1, file)
        .take(LONGEST_PIN)
        .read_until(b'\n', &mut line)
        .map_err(Error::file(path))?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    match line.is_empty() {
        true => Err(Error::Config(format!("{}: its first line, the PIN, is empty", path.display()))),
        false => Ok(Secret::new(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{ClientRow, Match, Unlisted};

    fn settings(rows: &[(Option<&str>, Option<&str>)]) -> Settings {
        let row = |(partition, pin): &(Option<&str>, Option<&str>)| ClientRow {
            matches: Match::default(),
            rights: Rights {
                partition: partition.map(str::to_owned),
                pin: pin.map(|path| Pin::File(path.into())),
                ..Rights::default()
            },
        };
        Settings { clients: rows.iter().map(row).collect(), ..Settings::in_home(Path::new("/h")) }
    }

    fn labels(settings: &Settings) -> Vec<String> {
        settings.partitions().unwrap().into_iter().map(|it| it.label).collect()
    }

    #[test]
    fn without_a_table_there_is_one_partition() {
        assert_eq!(labels(&settings(&[])), ["kmip"]);
    }

    #[test]
    fn with_a_table_there_are_those_that_it_names() {
        let mut some = settings(&[(Some("a"), Some("/pin")), (Some("a"), None)]);
        assert_eq!(
            some.partitions().unwrap(),
            [Needed { label: "a".into(), pin: Some(Pin::File("/pin".into())) }]
        );
        some.unlisted = Unlisted::OwnSpace;
        assert_eq!(labels(&some), ["kmip", "a"]);
    }

    #[test]
    fn two_pins_for_one_partition_are_refused() {
        let some = settings(&[(Some("a"), Some("/pin")), (Some("a"), Some("/other"))]);
        assert!(some.partitions().unwrap_err().to_string().contains("different PINs for \"a\""));
    }

    #[test]
    fn a_pin_is_the_first_line_of_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pin");
        std::fs::write(&path, "1234\r\nmore").unwrap();
        assert_eq!(Pin::File(path.clone()).read().unwrap().expose(), b"1234");
        std::fs::write(&path, "\n").unwrap();
        assert!(Pin::File(path).read().is_err());
        assert!(Pin::Credential("../pin".into()).read().is_err());
    }
}
