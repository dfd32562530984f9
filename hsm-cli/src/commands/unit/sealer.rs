//! `unit sealer`: what seals the crypto unit at rest, shown and changed.

use std::path::PathBuf;

use hsm_core::hsm::Hsm;
use hsm_core::unit::{FreshSealer, Sealer, SealerShare, Unit, UnitHeader, UnitPaths, holder as held};
use serde_json::json;

use crate::cli::{SetSealer, SharePassphrase, UnitSealer};
use crate::commands::unlock;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

pub(super) fn run(hsm: &Hsm, command: UnitSealer, output: Output) -> Result<()> {
    match command {
        UnitSealer::Show => show(&hsm.unit_paths(), output),
        UnitSealer::Set(sealer) => set(hsm, sealer, output),
        UnitSealer::Shares { files } => show_shares(&files, output),
    }
}

fn show(paths: &UnitPaths, output: Output) -> Result<()> {
    let kind = UnitHeader::read(&paths.unit)?.sealer;
    let shares = Sealer::shares_at(paths)?;
    let holder = held::runs(paths);
    let is_open = Unit::open(paths).is_ok();
    let value = json!({
        "sealer": kind,
        "file": paths.sealer.display().to_string(),
        "shares_needed": shares.map(|(needed, _)| needed),
        "shares": shares.map(|(_, all)| all),
        "open": is_open,
        "held": holder,
    });
    output.result(&value, |page| {
        let shares = shares.map(|(needed, all)| ("shares", format!("{needed} of {all} open it")));
        let state = match (is_open, holder) {
            (true, true) => "open; a process holds its key",
            (true, false) => "open",
            (false, true) => "sealed; a process holds another key",
            (false, false) => "sealed",
        };
        let fields = [("sealer", kind.name().to_owned()), ("file", paths.sealer.display().to_string())];
        page.fields(fields.into_iter().chain(shares).chain([("crypto unit", state.to_owned())]));
    });
    Ok(())
}

fn set(hsm: &Hsm, sealer: SetSealer, output: Output) -> Result<()> {
    let paths = hsm.unit_paths();
    // Nobody is asked for anything new before the unit is open.
    let unit = Unit::open(&paths)?;
    let fresh = match sealer {
        SetSealer::OwnerFile => FreshSealer::owner_file()?,
        SetSealer::Passphrase { passphrase_file } => {
            FreshSealer::passphrase(unlock::passphrase(passphrase_file.as_deref()).new_secret(output)?)?
        }
        SetSealer::Shares { needed, files, passphrase } => {
            deal(unit.state().hsm_id(), needed, &files, &passphrase, output)?
        }
        SetSealer::Credential { credential_file } => {
            FreshSealer::credential(unlock::credential(&credential_file, output)?)?
        }
    };
    drop(unit);
    let was_held = held::runs(&paths);
    let unit = hsm.reseal(fresh)?;
    if was_held {
        held::end(&paths)?;
        // It was unlocked, and stays so.
        if let Some(key) = unit.sealer().key() {
            unlock::start(hsm, key)?;
        }
    }
    let is_locked = unit.sealer().key().is_some() && !held::runs(&paths);
    drop(unit);
    show(&paths, output)?;
    if is_locked && output.is_chatty() {
        output
            .notice("from now on the unit is opened by `softhsm-rs unlock`, or by the service's credential");
    }
    Ok(())
}

/// Shares in files of their own, all of which are safe before the unit is sealed by them.
fn deal(
    hsm: hsm_core::unit::HsmId,
    needed: u8,
    files: &[PathBuf],
    passphrase: &SharePassphrase,
    output: Output,
) -> Result<FreshSealer> {
    let count = u8::try_from(files.len()).unwrap_or(u8::MAX);
    let (fresh, shares) = FreshSealer::shares(hsm, needed, count)?;
    if let Some(path) = files.iter().find(|path| path.exists()) {
        let message = format!("{} exists already", path.display());
        return Err(Failure::new(Outcome::Exists, message).next("name another file, or remove that one"));
    }
    for (share, path) in shares.iter().zip(files) {
        share.save(path, &unlock::share_passphrase(passphrase, path, true, output)?)?;
    }
    Ok(fresh)
}

fn show_shares(files: &[PathBuf], output: Output) -> Result<()> {
    let labels = files.iter().map(|path| Ok((path.display().to_string(), SealerShare::label_of(path)?)));
    let labels = labels.collect::<Result<Vec<_>>>()?;
    let values: Vec<_> = labels.iter().map(|(file, label)| json!({ "file": file, "share": label })).collect();
    output.result(&values, |page| {
        let rows: Vec<[String; 4]> = labels
            .iter()
            .map(|(file, label)| {
                let number = format!("{} of {}", label.number, label.of);
                [file.clone(), number, label.threshold.to_string(), label.hsm_id.to_string()]
            })
            .collect();
        page.table(["FILE", "SHARE", "NEEDED", "HSM"], &rows);
    });
    Ok(())
}
