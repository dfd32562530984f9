//! `audit`: the log of what was done, shown, sealed and written out. Checking it is in `verify`.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use hsm_core::Error;
use hsm_core::audit::{Recorded, Verdict, write_exported};
use hsm_core::hsm::{Hsm, Sealing};
use hsm_core::unit::Unit;
use serde_json::{Value, json};

use super::unit::files::PublicKeyFile;
use crate::cli::Audit;
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

mod verify;

pub(super) use verify::whole;

/// Carries the command out. An exported file is checked without an HSM.
pub(super) fn run(
    hsm: &impl Fn() -> Result<std::sync::Arc<Hsm>>,
    command: Audit,
    output: Output,
) -> Result<()> {
    match command {
        Audit::Show { since } => show(&*hsm()?, since, output),
        Audit::Follow { since } => follow(&*hsm()?, since, output),
        Audit::Verify(options) if options.file.is_some() => verify::file(&options, output),
        Audit::Verify(options) => verify::store(&*hsm()?, &options, output),
        Audit::Seal { accept } => seal(&*hsm()?, accept, output),
        Audit::Export { since, out } => export(&*hsm()?, since, out.as_deref(), output),
        Audit::Key { out } => key(&*hsm()?, out.as_deref(), output),
    }
}

fn show(hsm: &Hsm, since: u64, output: Output) -> Result<()> {
    let mut is_read = true;
    let verdict = hsm.read_audit_log(since, &mut |entry| {
        // The rest is read all the same: it is the check of what was shown.
        is_read = is_read && output.line(|| write_exported(&entry), || line(&entry));
        Ok(())
    })?;
    whole(verdict).map(drop)
}

/// How often the log is looked at for events that came.
const LOOK: Duration = Duration::from_millis(500);

/// Shows entries as they come. Ends with whoever reads them.
fn follow(hsm: &Hsm, since: Option<u64>, output: Output) -> Result<()> {
    let mut next = match since {
        Some(since) => since,
        None => whole(hsm.read_audit_log(u64::MAX, &mut |_| Ok(()))?)?.map_or(1, |(_, next, _)| next),
    };
    loop {
        let mut is_read = true;
        let verdict = hsm.read_audit_log(next, &mut |entry| {
            next = entry.sequence + 1;
            is_read = is_read && output.line(|| write_exported(&entry), || line(&entry));
            Ok(())
        })?;
        whole(verdict)?;
        if !is_read {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
}

fn seal(hsm: &Hsm, accepts: bool, output: Output) -> Result<()> {
    let sealed = if accepts { hsm.accept_audit_log()? } else { hsm.seal_audit_log()? };
    let Some(Sealing { end, lost }) = sealed else {
        output.result(&json!({ "sealed": 0 }), |page| page.line("there is no audit log yet"));
        return Ok(());
    };
    if let Some(lost) = lost {
        return Err(verify::rolled_back(end.number, lost.number));
    }
    output.result(&json!({ "sealed": end.number, "link": hex::encode(end.link) }), |page| {
        page.fields([("sealed up to", end.number.to_string()), ("last link", hex::encode(end.link))]);
    });
    Ok(())
}

fn export(hsm: &Hsm, since: u64, out: Option<&Path>, output: Output) -> Result<()> {
    hsm.seal_audit_log()?;
    let Some(path) = out else {
        let mut is_read = true;
        let verdict = hsm.read_audit_log(since, &mut |entry| {
            is_read = is_read && output.line(|| write_exported(&entry), || write_exported(&entry));
            Ok(())
        })?;
        return whole(verdict).map(drop);
    };
    let (count, verdict) = write_log(hsm, since, new_file(path)?, path)?;
    let link = whole(verdict)?.map(|(_, _, link)| hex::encode(link));
    output.result(&json!({ "entries": count, "link": link }), |page| {
        page.fields([("entries", count.to_string()), ("last link", link.clone().unwrap_or_default())]);
    });
    Ok(())
}

/// A file that is not there yet, for the log.
pub(super) fn new_file(path: &Path) -> hsm_core::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(Error::file(path))
}

/// Writes the log into a new file: how many entries, and what was found of it.
pub(super) fn write_log(
    hsm: &Hsm,
    since: u64,
    file: File,
    path: &Path,
) -> hsm_core::Result<(u64, Option<Verdict>)> {
    let mut lines = BufWriter::new(file);
    let mut count = 0;
    let verdict = hsm.read_audit_log(since, &mut |entry| {
        count += 1;
        writeln!(lines, "{}", write_exported(&entry)).map_err(Error::file(path))
    })?;
    let file = lines.into_inner().map_err(|error| Error::file(path)(error.into_error()))?;
    file.sync_all().map_err(Error::file(path))?;
    Ok((count, verdict))
}

fn key(hsm: &Hsm, out: Option<&Path>, output: Output) -> Result<()> {
    // Sealing makes the key where there is none yet.
    hsm.seal_audit_log()?;
    let unit = Unit::open(&hsm.unit_paths())?;
    let key = unit.state().audit_public_key().ok_or_else(|| {
        Failure::new(Outcome::NotFound, "the unit has no audit key yet")
            .next("it makes one when the audit log is sealed for the first time")
    })?;
    if let Some(path) = out {
        PublicKeyFile::new("audit key", &key).write(path)?;
    }
    let (fingerprint, point) = (key.ski().to_string(), hex::encode(key.to_sec1()));
    output.result(&json!({ "fingerprint": fingerprint, "publicKey": point }), |page| {
        page.fields([("fingerprint", fingerprint.clone()), ("public key", point.clone())]);
    });
    Ok(())
}

fn line(entry: &Recorded) -> String {
    let value: Value = serde_json::from_str(&entry.json).unwrap_or_default();
    let text = |path: &str| printable(value.pointer(path).and_then(Value::as_str).unwrap_or_default());
    let mut words = vec![entry.sequence.to_string(), text("/eventTime")];
    if let Some(seal) = &entry.seal {
        words.extend(["seal".to_owned(), seal.key.to_string()]);
        return words.join("  ");
    }
    let count = value.pointer("/count").and_then(Value::as_u64).unwrap_or(1);
    words.extend([text("/action"), text("/outcome")]);
    words.extend(value.pointer("/reason/reasonType").map(|_| text("/reason/reasonType")));
    words.push(format!("\"{}\"", text("/initiator/name")));
    words.extend(value.pointer("/initiator/host").map(|_| text("/initiator/host/address")));
    words.push(text("/target/id"));
    words.extend((count > 1).then(|| format!("x{count}")));
    words.join("  ")
}
