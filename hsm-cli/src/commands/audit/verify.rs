//! `audit verify`: whether every entry is there as it was written, whose seals they are, and whether the log is the
//! one that somebody knows: the unit, its signed statement, or whoever kept a link.

use std::io::{BufRead, BufReader};
use std::path::Path;

use hsm_core::Error;
use hsm_core::audit::{Recorded, Verdict, read_exported};
use hsm_core::hsm::Hsm;
use serde_json::{Value, json};

use crate::cli::AuditVerify;
use crate::commands::unit::files::PublicKeyFile;
use crate::commands::unit::known::believed;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// Longer than any entry, in bytes.
const LONGEST_LINE: u64 = 1 << 16;

/// What was seen of a log.
#[derive(Default)]
struct Seen {
    events: u64,
    seals: u64,
    /// The first entry and the link before it.
    begins: Option<(u64, [u8; 32])>,
    /// The last seal.
    sealed: Option<u64>,
    /// The key of the seals.
    key: Option<String>,
    /// The first seal by a key that is not expected, and that key.
    stranger: Option<(u64, String)>,
    /// Whether the expected link was met.
    met: bool,
    /// Whether the end was met that a unit knew.
    known: bool,
    /// Whether the end was met at which a unit closed a log.
    closed: bool,
}

/// An end of the log that a unit stated: a number and a link in hexadecimal digits.
type End = (u64, String);

/// What is expected of a log.
struct Expected<'a> {
    link: Option<&'a [u8]>,
    /// The fingerprints of keys that may have sealed it; none: whichever sealed it first.
    keys: Vec<String>,
    known: Option<End>,
    closed: Option<End>,
}

impl Seen {
    fn look(&mut self, entry: &Recorded, expected: &Expected<'_>) {
        let Recorded { sequence, before, link, seal, .. } = entry;
        if self.begins.is_none() {
            self.begins = Some((*sequence, *before));
            self.met |= expected.link == Some(before);
            self.meet(sequence - 1, before, expected);
        }
        self.met |= expected.link == Some(link);
        self.meet(*sequence, link, expected);
        let Some(seal) = seal else {
            self.events += 1;
            return;
        };
        self.seals += 1;
        self.sealed = Some(*sequence);
        let key = seal.key.to_string();
        let first = self.key.get_or_insert_with(|| key.clone());
        let is_expected = if expected.keys.is_empty() { *first == key } else { expected.keys.contains(&key) };
        if !is_expected {
            self.stranger.get_or_insert((*sequence, key));
        }
    }

    fn meet(&mut self, number: u64, link: &[u8; 32], expected: &Expected<'_>) {
        let is =
            |end: &Option<End>| end.as_ref().is_some_and(|end| end.0 == number && end.1 == hex::encode(link));
        self.known |= is(&expected.known);
        self.closed |= is(&expected.closed);
    }

    /// What is wrong with a log of which a unit stated ends, by its last entry. The log that a unit closed may be the
    /// one that it goes on with: then it has to come as far as the unit knew. It is another one if the unit knew less
    /// of it.
    fn check_end(&self, last: u64, expected: &Expected<'_>) -> Result<()> {
        let (missing, is_there) = match (&expected.known, &expected.closed) {
            (Some(known), Some(closed)) if known.0 <= closed.0 => (known, self.known || self.closed),
            (Some(known), _) => (known, self.known),
            (None, Some(closed)) => (closed, self.closed),
            (None, None) => return Ok(()),
        };
        if is_there {
            return Ok(());
        }
        let number = missing.0;
        let message =
            format!("the file ends at entry {last}, and does not have the entry {number} that the unit knew");
        Err(damaged(message).next(match self.closed {
            true => {
                "it was cut off; or, if it is the whole of a log that the unit closed, name the unit's reply to \
                 the command that closed it"
            }
            false => "it was cut off, is of an older copy, or is another log",
        }))
    }

    /// What is wrong with a log that is whole.
    fn check(&self, expected: &Expected<'_>) -> Result<()> {
        if let Some((sequence, key)) = &self.stranger {
            let message = format!("the seal at {sequence} is by another key, {key}");
            return Err(damaged(message).next(
                "the log, or what follows from there, is of another HSM; if the HSM went on with another unit, \
                 name that one's key with --key as well",
            ));
        }
        if expected.link.is_some() && !self.met {
            return Err(damaged("the audit log does not go on from the link that was expected").next(
                "it was put back to an older copy, or is another HSM's; or the event is older than the events \
                 that `audit.keep` keeps",
            ));
        }
        Ok(())
    }

    fn report(&self, last: u64, link: [u8; 32], output: Output) {
        let (first, link) = (self.begins.map_or(1, |(first, _)| first), hex::encode(link));
        let Seen { events, seals, sealed, key, .. } = self;
        // Where the oldest were removed and nothing is left, nothing is unsigned either.
        let unsealed = (last + 1).saturating_sub(first.max(sealed.map_or(0, |sealed| sealed + 1)));
        let value = json!({
            "events": events, "seals": seals, "first": first, "last": last, "link": link,
            "sealed": sealed, "unsealed": unsealed, "key": key,
        });
        output.result(&value, |page| {
            let range = match last + 1 > first {
                true => format!("{events}, and {seals} seals ({first} to {last})"),
                false => "none".to_owned(),
            };
            page.fields([("events", range), ("last link", link)]);
            if let (Some(sealed), Some(key)) = (sealed, key) {
                page.fields([("sealed up to", sealed.to_string()), ("by", key.clone())]);
            }
            if unsealed > 0 {
                page.line(&format!("{unsealed} not sealed yet: `softhsm-rs audit seal` signs them"));
            }
        });
    }
}

/// Checks the log in the store, against what the unit knows of it too.
pub(super) fn store(hsm: &Hsm, options: &AuditVerify, output: Output) -> Result<()> {
    let mut keys = keys(options)?;
    // Of a unit without a key there is no seal.
    keys.push(hsm.unit_status()?.audit.key.map(|key| key.to_string()).unwrap_or_default());
    let expected = Expected { link: link(options), keys, known: None, closed: None };
    let mut seen = Seen::default();
    let verdict = hsm.read_audit_log(0, &mut |entry| {
        seen.look(&entry, &expected);
        Ok(())
    })?;
    let found = whole(verdict)?;
    seen.check(&expected)?;
    let Some((_, next, link)) = found else {
        output.result(&json!({ "events": 0 }), |page| page.line("there is no audit log yet"));
        return Ok(());
    };
    seen.report(next - 1, link, output);
    Ok(())
}

/// Checks an exported file, for which no HSM is needed.
pub(super) fn file(options: &AuditVerify, output: Output) -> Result<()> {
    let path = options.file.as_deref().unwrap_or(Path::new("-"));
    let (mut keys, mut known, mut closed) = (keys(options)?, None, None);
    if let Some(path) = &options.statement {
        let status = believed(path)?.status;
        let audit = status.get("audit").ok_or_else(|| {
            Failure::new(Outcome::Damaged, format!("{}: it says nothing of an audit log", path.display()))
        })?;
        keys.extend(audit.get("key").and_then(Value::as_str).map(str::to_owned));
        [known, closed] = ["known", "closed"].map(|name| audit.get(name).and_then(end));
    }
    let expected = Expected { link: link(options), keys, known, closed };
    let mut seen = Seen::default();
    let verdict = read_exported(lines(path)?, &mut |entry| {
        seen.look(&entry, &expected);
        Ok(())
    })?;
    let found = whole(Some(verdict))?;
    seen.check(&expected)?;
    let (last, link) = found.map_or((0, [0; 32]), |(_, next, link)| (next - 1, link));
    if seen.sealed.is_none() {
        return Err(damaged("there is no seal in the file: anybody can have written it")
            .next("`softhsm-rs audit export` seals the log before it writes it out"));
    }
    seen.check_end(last, &expected)?;
    if expected.keys.is_empty() {
        output.warning("whose key sealed it was not asked: compare the fingerprint, or name it with --key");
    }
    seen.report(last, link, output);
    Ok(())
}

fn end(value: &Value) -> Option<End> {
    Some((value.get("number")?.as_u64()?, value.get("link")?.as_str()?.to_owned()))
}

fn link(options: &AuditVerify) -> Option<&[u8]> {
    options.expect.as_ref().map(|link| link.0.as_slice())
}

/// The fingerprints of the keys that were named.
fn keys(options: &AuditVerify) -> Result<Vec<String>> {
    let fingerprint = |named: &Path| {
        let text = named.to_str()?.replace(':', "").to_ascii_lowercase();
        hex::decode(&text).is_ok_and(|bytes| bytes.len() == 32).then_some(text)
    };
    let of = |named: &std::path::PathBuf| match fingerprint(named) {
        Some(fingerprint) => Ok(fingerprint),
        None => Ok(PublicKeyFile::read(named)?.ski),
    };
    options.key.iter().map(of).collect()
}

/// The lines of a file. One that is longer than any entry ends it, as a line that is none.
fn lines(path: &Path) -> Result<impl Iterator<Item = hsm_core::Result<String>>> {
    let mut input: Box<dyn BufRead> = match path.to_str() {
        Some("-") => Box::new(BufReader::new(std::io::stdin())),
        _ => Box::new(BufReader::new(std::fs::File::open(path).map_err(Error::file(path))?)),
    };
    let path = path.to_owned();
    Ok(std::iter::from_fn(move || {
        let mut line = Vec::new();
        match std::io::Read::take(&mut input, LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => None,
            // What is no text is no entry, and is found to be none.
            Ok(_) => Some(Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned())),
            Err(error) => Some(Err(Error::file(&path)(error))),
        }
    }))
}

fn damaged(message: impl Into<String>) -> Failure {
    Failure::new(Outcome::Damaged, message)
}

/// A log that does not go on from an entry that the unit knows.
pub(super) fn rolled_back(last: u64, known: u64) -> Failure {
    let message = format!(
        "the audit log ends at entry {last}, and does not go on from entry {known} that the unit knows"
    );
    damaged(message).next(
        "log and store were put back to an older copy, or are others; if that was meant, \
         `softhsm-rs audit seal --accept` says so in the log, and the unit knows this one from then on",
    )
}

/// Where a log that is whole begins and ends, with its last link; `None` where there is none.
pub(in crate::commands) fn whole(verdict: Option<Verdict>) -> Result<Option<(u64, u64, [u8; 32])>> {
    match verdict {
        None => Ok(None),
        Some(Verdict::Whole { first, next, link }) => Ok(Some((first, next, link))),
        Some(Verdict::RolledBack { last, known }) => Err(rolled_back(last, known)),
        Some(Verdict::Broken { sequence, fault }) => {
            let message = format!("the audit log is broken at event {sequence}: {}", fault.text());
            Err(damaged(message)
                .next("the events before are as they were written; compare with a backup of the store"))
        }
    }
}
