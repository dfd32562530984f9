//! The units that files are made for: the one that is named, or else the selected ones, or else this machine's own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hsm_core::hsm::Hsm;
use hsm_core::unit::{PublicKey, Statement, Target, Unit};
use serde_json::{Map, Value, json};

use super::view::View;
use super::{known, selection};
use crate::cli::Carried;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// Digits of an HSM's identifier in a file's name.
const SHOWN: usize = 8;

/// The unit that a file is made for, by what is believed of it here.
pub(super) struct Destination {
    pub(super) target: Target,
    pub(super) importer: Option<PublicKey>,
    pub(super) view: View,
}

impl Destination {
    fn of_statement(statement: &Statement) -> Result<Destination> {
        let target = statement.target().ok_or_else(|| {
            Failure::new(Outcome::Damaged, format!("a statement of HSM {} names no unit", statement.hsm_id))
        })?;
        Ok(Destination { target, importer: statement.importer(), view: View::of_statement(statement)? })
    }

    fn of_unit(hsm: &Hsm) -> Result<Destination> {
        let unit = Unit::open(&hsm.unit_paths()).map_err(|error| match Failure::from(error) {
            failure if failure.outcome == Outcome::NoHsm => failure.next(
                "name a unit's statement with --for, or select units with `softhsm-rs unit select`; on this machine \
                 there is none",
            ),
            failure => failure,
        })?;
        let importer = unit.state().secured().and_then(|secured| secured.importer());
        Ok(Destination { target: unit.target(), importer, view: View::of_unit(&unit)? })
    }

    /// The name of its own file among those of several units.
    fn beside(&self, out: &Path) -> PathBuf {
        let hsm = self.target.hsm_id.to_string();
        let mut name = OsString::from(out.file_stem().unwrap_or_default());
        name.push(format!("-{}-{}", hsm.get(..SHOWN).unwrap_or(&hsm), self.target.unit_id));
        if let Some(extension) = out.extension() {
            name.push(".");
            name.push(extension);
        }
        out.with_file_name(name)
    }
}

/// Units, each with its file.
pub(super) struct Destinations {
    /// Whether they are those that are selected.
    are_selected: bool,
    units: Vec<(Destination, PathBuf)>,
}

impl Destinations {
    pub(super) fn of(hsm: &Hsm, carried: &Carried) -> Result<Destinations> {
        let out = &carried.out;
        if let Some(path) = &carried.statement {
            let unit = Destination::of_statement(&known::believed(path)?)?;
            return Ok(Destinations { are_selected: false, units: vec![(unit, out.clone())] });
        }
        let selected = selection::statements()?;
        if selected.is_empty() {
            let units = vec![(Destination::of_unit(hsm)?, out.clone())];
            return Ok(Destinations { are_selected: false, units });
        }
        let units = selected.iter().map(Destination::of_statement).collect::<Result<Vec<_>>>()?;
        let is_one = units.len() == 1;
        let file = |unit: &Destination| if is_one { out.clone() } else { unit.beside(out) };
        let units = units.into_iter().map(|unit| (file(&unit), unit)).map(|(file, unit)| (unit, file));
        Ok(Destinations { are_selected: true, units: units.collect() })
    }

    /// Does something for each unit; a failure says of which of the selected it is.
    pub(super) fn each<T>(&self, work: impl Fn(&Destination) -> Result<T>) -> Result<Vec<T>> {
        let named = |unit: &Destination, failure: Failure| {
            let of = format!("unit {} of HSM {}", unit.target.unit_id, unit.target.hsm_id);
            Failure { message: format!("{of}: {}", failure.message), ..failure }
        };
        let each = self.units.iter().map(|(unit, _)| {
            work(unit).map_err(|failure| if self.are_selected { named(unit, failure) } else { failure })
        });
        each.collect()
    }

    /// Checks that there is one unit, where what is made cannot be for several.
    pub(super) fn check_one(&self, why: &str) -> Result<()> {
        match self.units.as_slice() {
            [_] => Ok(()),
            units => Err(Failure::new(Outcome::Usage, format!("{} units are selected: {why}", units.len()))
                .next("name the unit's statement with --for")),
        }
    }

    /// Makes a file for each unit, all of them or none: nothing is written before all are made.
    pub(super) fn make<T>(
        &self,
        make: impl Fn(&Destination) -> Result<T>,
        write: impl Fn(&Path, &T) -> Result<()>,
    ) -> Result<Made<T>> {
        let made = self.each(make)?;
        if let Some((_, there)) = self.units.iter().find(|(_, file)| file.exists()) {
            return Err(Failure::new(Outcome::Exists, format!("{} exists already", there.display()))
                .next("name another file, or remove that one"));
        }
        for (written, ((_, file), one)) in self.units.iter().zip(&made).enumerate() {
            if let Err(failure) = write(file, one) {
                for (_, earlier) in self.units.iter().take(written) {
                    let _ = std::fs::remove_file(earlier);
                }
                return Err(failure);
            }
        }
        let files = self.units.iter().map(|(_, file)| file.clone());
        Ok(Made { are_selected: self.are_selected, files: files.zip(made).collect() })
    }

    /// The unit at a place.
    pub(super) fn view(&self, at: usize) -> Option<&View> {
        self.units.get(at).map(|(unit, _)| &unit.view)
    }
}

/// What was made, with its files.
pub(super) struct Made<T> {
    are_selected: bool,
    pub(super) files: Vec<(PathBuf, T)>,
}

/// What is told of one file, to scripts and to people.
pub(super) type Told = (Map<String, Value>, Vec<(&'static str, String)>);

impl<T> Made<T> {
    /// Shows what was made; of selected units, for which one each is. Scripts get a list of those.
    pub(super) fn show(&self, told: impl Fn(usize, &T) -> Result<Told>, output: Output) -> Result<()> {
        let mut all = Vec::new();
        for (at, (file, one)) in self.files.iter().enumerate() {
            let (mut object, fields) = told(at, one)?;
            if self.are_selected {
                object.insert("file".to_owned(), json!(file.display().to_string()));
            }
            all.push((file, object, fields));
        }
        let objects: Vec<Value> = all.iter().map(|(_, object, _)| Value::Object(object.clone())).collect();
        let value = match (self.are_selected, objects.as_slice()) {
            (false, [one]) => one.clone(),
            _ => json!({ "selected": objects }),
        };
        output.result(&value, |page| {
            for (at, (file, _, fields)) in all.into_iter().enumerate() {
                if at > 0 {
                    page.line("");
                }
                let file = self.are_selected.then(|| ("file", file.display().to_string()));
                page.fields(file.into_iter().chain(fields));
            }
        });
        Ok(())
    }
}
