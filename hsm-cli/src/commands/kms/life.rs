//! `kms key disable`, `enable`, `schedule-delete`, `unschedule-delete`, `delete`, `restore` and `purge`.

use hsm_core::kms::Removal;
use serde_json::json;

use super::key::shown;
use super::{Office, Wanted};
use crate::cli::Consent;
use crate::commands::{ask, confirm, quoted};
use crate::failure::Result;
use crate::output::Output;

/// What is done.
pub(super) enum Step<'a> {
    Disable,
    Enable,
    Schedule,
    Unschedule,
    Delete { force: bool, consent: &'a Consent },
    Restore,
}

pub(super) fn run(office: &Office, step: &Step<'_>, key: &str, output: Output) -> Result<()> {
    let wanted = if matches!(step, Step::Restore) { Wanted::Deleted } else { Wanted::Live };
    let id = office.key(key, wanted)?;
    let kms = office.kms();
    let changed = match step {
        Step::Disable => kms.disable(&id)?,
        Step::Enable => kms.enable(&id)?,
        Step::Schedule => kms.set_for_deletion(&id)?,
        Step::Unschedule => kms.unset_for_deletion(&id)?,
        Step::Restore => kms.restore(&id)?,
        Step::Delete { force, consent } => {
            let what = format!("deleting key {}: what it wrapped cannot be unwrapped then", quoted(key));
            ask(consent, &what)?;
            kms.delete(&id, if *force { Removal::Forced } else { Removal::Unused })?
        }
    };
    shown(office, &changed, output)
}

pub(super) fn purge(office: &Office, key: &str, consent: &Consent, output: Output) -> Result<()> {
    let id = office.key(key, Wanted::Deleted)?;
    confirm(consent, &format!("erasing key {} with all its versions", quoted(key)))?;
    office.kms().purge(&id)?;
    output.result(&json!({ "id": id, "purged": true }), |page| page.line(&format!("Erased: {id}.")));
    Ok(())
}
