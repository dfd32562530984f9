//! `audit`: the log of what was done, shown and checked.

use std::time::Duration;

use hsm_core::audit::{Recorded, Verdict};
use hsm_core::hsm::Hsm;
use serde_json::{Value, json};

use crate::cli::{Audit, Hexadecimal};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

pub(super) fn run(hsm: &Hsm, command: Audit, output: Output) -> Result<()> {
    match command {
        Audit::Show { since } => show(hsm, since, output),
        Audit::Follow { since } => follow(hsm, since, output),
        Audit::Verify { expect } => verify(hsm, expect.as_ref(), output),
    }
}

fn show(hsm: &Hsm, since: u64, output: Output) -> Result<()> {
    let mut is_read = true;
    let verdict = hsm.read_audit_log(since, &mut |event| {
        // The rest is read all the same: it is the check of what was shown.
        is_read = is_read && output.line(|| json_line(&event), || line(&event));
        Ok(())
    })?;
    whole(verdict).map(drop)
}

/// How often the log is looked at for events that came.
const LOOK: Duration = Duration::from_millis(500);

/// Shows events as they come. Ends with whoever reads them.
fn follow(hsm: &Hsm, since: Option<u64>, output: Output) -> Result<()> {
    let mut next = match since {
        Some(since) => since,
        None => whole(hsm.read_audit_log(u64::MAX, &mut |_| Ok(()))?)?.map_or(1, |(_, next, _)| next),
    };
    loop {
        let mut is_read = true;
        let verdict = hsm.read_audit_log(next, &mut |event| {
            next = event.sequence + 1;
            is_read = is_read && output.line(|| json_line(&event), || line(&event));
            Ok(())
        })?;
        whole(verdict)?;
        if !is_read {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
}

fn verify(hsm: &Hsm, expect: Option<&Hexadecimal>, output: Output) -> Result<()> {
    let mut is_there = false;
    let verdict = hsm.read_audit_log(0, &mut |event| {
        is_there |= expect.is_some_and(|expected| event.link[..] == expected.0);
        Ok(())
    })?;
    let found = whole(verdict)?;
    if expect.is_some() && !is_there {
        return Err(Failure::new(
            Outcome::Damaged,
            "the audit log does not go on from the link that was expected",
        )
        .next(
            "it was put back to an older copy, or is another HSM's; or the event is older than the events \
                 that `audit.keep` keeps",
        ));
    }
    let Some((first, next, link)) = found else {
        output.result(&json!({ "events": 0 }), |page| page.line("there is no audit log yet"));
        return Ok(());
    };
    let (events, link) = (next - first, hex::encode(link));
    let value = json!({ "events": events, "first": first, "last": next - 1, "link": link });
    output.result(&value, |page| {
        let range =
            if events == 0 { "none".to_owned() } else { format!("{events} ({first} to {})", next - 1) };
        page.fields([("events", range), ("last link", link)]);
    });
    Ok(())
}

/// Where a log that is whole begins and ends, with its last link; `None` where there is none.
fn whole(verdict: Option<Verdict>) -> Result<Option<(u64, u64, [u8; 32])>> {
    match verdict {
        None => Ok(None),
        Some(Verdict::Whole { first, next, link }) => Ok(Some((first, next, link))),
        Some(Verdict::Broken { sequence, fault }) => {
            let message = format!("the audit log is broken at event {sequence}: {}", fault.text());
            Err(Failure::new(Outcome::Damaged, message)
                .next("the events before are as they were written; compare with a backup of the store"))
        }
    }
}

/// The event's own bytes, so that its link can be computed from the line.
fn json_line(event: &Recorded) -> String {
    let Recorded { sequence, link, json } = event;
    format!("{{\"sequence\":{sequence},\"link\":\"{}\",\"event\":{json}}}", hex::encode(link))
}

fn line(event: &Recorded) -> String {
    let value: Value = serde_json::from_str(&event.json).unwrap_or_default();
    let text = |path: &str| printable(value.pointer(path).and_then(Value::as_str).unwrap_or_default());
    let count = value.pointer("/count").and_then(Value::as_u64).unwrap_or(1);
    let mut words = vec![event.sequence.to_string(), text("/eventTime"), text("/action"), text("/outcome")];
    words.extend(value.pointer("/reason/reasonType").map(|_| text("/reason/reasonType")));
    words.push(format!("\"{}\"", text("/initiator/name")));
    words.extend(value.pointer("/initiator/host").map(|_| text("/initiator/host/address")));
    words.push(text("/target/id"));
    words.extend((count > 1).then(|| format!("x{count}")));
    words.join("  ")
}
