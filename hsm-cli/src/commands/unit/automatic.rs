//! `unit auto-mk-rotate` and `unit auto-recover`: what one machine does alone, where it has the keys of enough
//! administrators.

use std::path::{Path, PathBuf};

use hsm_core::config::{Config, Environment};
use hsm_core::hsm::{Hsm, Progress};
use hsm_core::unit::ceremony::Step;
use hsm_core::unit::{SignatureKey, Unit, UnitStatus, recovery};
use serde_json::json;

use super::{keys, rotate, signer};
use crate::cli::KeyPassphrase;
use crate::commands::{init, status};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

pub(super) fn rotate(hsm: &Hsm, passphrase: &KeyPassphrase, output: Output) -> Result<()> {
    let passphrase = signer::one_passphrase(passphrase, output)?;
    let (mut shown, bar) = (Shown::new(hsm, output), rotate::bar(output));
    let done = hsm.rotate_master_key(&passphrase, &mut |progress| match progress {
        Progress::Wrapping(rewrapped) => {
            bar.set_length(rewrapped.total);
            bar.set_position(rewrapped.done);
        }
        Progress::Done(step) => bar.suspend(|| shown.step(&step)),
    });
    bar.finish_and_clear();
    shown.end(&done?);
    status::warn_of_quorum(hsm, output);
    Ok(())
}

pub(super) fn recover(
    hsm: &Hsm,
    from: &Path,
    keys: &[PathBuf],
    passphrase: &KeyPassphrase,
    output: Output,
) -> Result<()> {
    let recovery = Hsm::new(Config::locate(&Environment::of_process().with_home(from))?);
    let (to, source) = (Unit::open(&hsm.unit_paths())?, Unit::open(&recovery.unit_paths())?);
    let pattern = recovery::check(to.state(), source.state())
        .map_err(|problem| Failure::new(Outcome::Refused, problem.to_string()))?;
    let keys = signature_keys(hsm, keys, passphrase, output)?;
    let mut shown = Shown::new(hsm, output);
    let unit = hsm.recover_from(&recovery, &keys, pattern, &mut |step| shown.step(&step))?;
    shown.end(&unit);
    Ok(())
}

fn signature_keys(
    hsm: &Hsm,
    files: &[PathBuf],
    passphrase: &KeyPassphrase,
    output: Output,
) -> Result<Vec<SignatureKey>> {
    if files.is_empty() {
        let passphrase = signer::one_passphrase(passphrase, output)?;
        return Ok(hsm.ceremony_keys(&passphrase)?);
    }
    let open = |path: &PathBuf| {
        let secret = keys::existing(&keys::passphrase(passphrase, path), passphrase.no_passphrase, output)?;
        Ok(SignatureKey::load(path, &secret)?)
    };
    files.iter().map(open).collect()
}

/// The steps as they are done, and again at the end in JSON.
struct Shown {
    home: String,
    steps: Vec<init::Done>,
    output: Output,
}

impl Shown {
    fn new(hsm: &Hsm, output: Output) -> Shown {
        Shown { home: hsm.config().home.root.display().to_string(), steps: Vec::new(), output }
    }

    fn step(&mut self, step: &Step) {
        self.steps.push(init::Done::of(step));
        self.output.step(&init::line(self.steps.len(), step, &self.home));
    }

    fn end(&self, unit: &UnitStatus) {
        let value = json!({ "steps": self.steps, "unit": unit });
        self.output.result(&value, |page| page.fields(status::unit_summary(unit)));
    }
}
