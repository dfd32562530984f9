//! Whose statements are believed on this machine: each unit's attestation key, kept when it was first met.
//! One that signs with another key later is another unit, or somebody's in its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hsm_core::unit::{Ski, Statement, Target};

use super::files;
use crate::failure::{Failure, Outcome, Result};

/// The file that `SOFTHSM_RS_KNOWN_UNITS` names, else one of the user's configuration.
fn place() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SOFTHSM_RS_KNOWN_UNITS").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let directory = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    let directory = directory.ok_or_else(|| {
        Failure::new(Outcome::Configuration, "there is no place to keep units' keys: HOME is not set")
            .next("name a file in SOFTHSM_RS_KNOWN_UNITS")
    })?;
    Ok(directory.join("softhsm-rs").join("known-units.json"))
}

/// A unit that is known, with the last statement of it that was seen here.
pub(super) struct KnownUnit {
    /// HSM and number, as they stand in the list.
    pub(super) name: String,
    /// The fingerprint of its attestation key.
    pub(super) fingerprint: String,
    statement: PathBuf,
}

impl KnownUnit {
    /// Its last statement, by its own key.
    ///
    /// # Errors
    /// Where it was lost, or is another unit's.
    pub(super) fn statement(&self) -> Result<Statement> {
        let found = files::statement(&self.statement).ok();
        let own = |(statement, key): &(Statement, Ski)| {
            key.to_string() == self.fingerprint && name(statement) == self.name
        };
        found.filter(own).map(|(statement, _)| statement).ok_or_else(|| {
            Failure::new(Outcome::NotFound, format!("the last statement of unit {} is not here", self.name))
                .next("bring one (`unit show --out` at the HSM), and keep it by `softhsm-rs unit trust`")
        })
    }
}

/// All units that are known, in the order of their names.
pub(super) fn all() -> Result<Vec<KnownUnit>> {
    let known = Known::read()?;
    let unit = |(name, fingerprint): (&String, &String)| KnownUnit {
        statement: known.last_path(name),
        name: name.clone(),
        fingerprint: fingerprint.clone(),
    };
    Ok(known.units.iter().map(unit).collect())
}

/// The file beside the list in which the names of selected units stand.
pub(super) fn selection_path() -> Result<PathBuf> {
    Ok(place()?.with_extension("selected"))
}

/// Keeps a unit's reply where the unit is known, so that the next command is made for what it is now.
pub(super) fn note(path: &Path) {
    if let Err(failure) = believed(path) {
        log::debug!("{}: it is not kept: {}", path.display(), failure.message);
    }
}

/// The units that are known, by HSM and number, with the fingerprints of their attestation keys.
struct Known {
    path: PathBuf,
    units: BTreeMap<String, String>,
}

impl Known {
    fn read() -> Result<Known> {
        let path = place()?;
        let units = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                Failure::new(Outcome::Damaged, format!("{}: this is no list of units", path.display()))
                    .next("restore it, or remove it and trust each unit anew")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(hsm_core::Error::file(&path)(error).into()),
        };
        Ok(Known { path, units })
    }

    fn write(&self) -> Result<()> {
        if let Some(parent) = self.path.parent() {
            std::fs::create_dir_all(parent).map_err(hsm_core::Error::file(parent))?;
        }
        let text = serde_json::to_vec_pretty(&self.units).unwrap_or_default();
        let beside = self.path.with_extension("new");
        let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &self.path));
        Ok(written.map_err(hsm_core::Error::file(&self.path))?)
    }
}

impl Known {
    /// Where the last statement of a unit is kept, beside the list.
    fn last_path(&self, name: &str) -> PathBuf {
        self.path.with_extension("statements").join(format!("{}.json", name.replace('/', "-")))
    }

    /// Keeps a statement, unless a later one is here: what is told by it is a help, and no more.
    fn remember(&self, path: &Path, statement: &Statement) {
        let kept = self.last_path(&name(statement));
        let counter = |statement: &Statement| statement.target().map(|target| target.counter);
        if files::statement(&kept).is_ok_and(|(last, _)| counter(&last) > counter(statement)) {
            return;
        }
        let directory = kept.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = directory.and_then(|()| std::fs::copy(path, &kept)) {
            log::warn!("{}: {error}", kept.display());
        }
    }
}

/// The last statement that was seen here of the unit that a command is for, if the command is its next one.
pub(super) fn last(target: &Target) -> Option<Statement> {
    let known = Known::read().ok()?;
    let name = format!("{}/{}", target.hsm_id, target.unit_id);
    let (statement, fingerprint) = files::statement(&known.last_path(&name)).ok()?;
    let believed = known.units.get(&name).is_some_and(|kept| *kept == fingerprint.to_string());
    Some(statement).filter(|statement| believed && statement.target() == Some(*target))
}

pub(super) fn name(statement: &Statement) -> String {
    format!("{}/{}", statement.hsm_id, statement.unit_id)
}

/// What a statement says, if the unit's own key signed it.
///
/// # Errors
/// [`Outcome::NotTrusted`] for a unit that is not known, or that was known by another key.
pub(in crate::commands) fn believed(path: &Path) -> Result<Statement> {
    let (statement, fingerprint) = files::statement(path)?;
    let known = Known::read()?;
    match known.units.get(&name(&statement)) {
        Some(kept) if *kept == fingerprint.to_string() => {
            known.remember(path, &statement);
            Ok(statement)
        }
        Some(_) => Err(changed(path, &statement)),
        None => Err(Failure::new(
            Outcome::NotTrusted,
            format!("{}: the unit of HSM {} is not known here", path.display(), statement.hsm_id),
        )
        .next("`softhsm-rs unit trust` keeps its key, once its fingerprint was compared")),
    }
}

fn changed(path: &Path, statement: &Statement) -> Failure {
    let message = format!(
        "{}: it is signed by another key than the unit of HSM {} had",
        path.display(),
        statement.hsm_id
    );
    Failure::new(Outcome::NotTrusted, message)
        .next("do not use it; if the unit was really made anew, remove its line from the list of known units")
}

/// Keeps the key of a unit that was met for the first time. Answers whether it was.
///
/// # Errors
/// As [`believed`].
pub(super) fn keep(path: &Path, statement: &Statement, fingerprint: Ski) -> Result<bool> {
    let mut known = Known::read()?;
    match known.units.get(&name(statement)) {
        Some(kept) if *kept == fingerprint.to_string() => {
            known.remember(path, statement);
            Ok(false)
        }
        Some(_) => Err(changed(path, statement)),
        None => {
            known.units.insert(name(statement), fingerprint.to_string());
            known.write()?;
            known.remember(path, statement);
            Ok(true)
        }
    }
}
