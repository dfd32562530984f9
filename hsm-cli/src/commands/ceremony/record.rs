//! `ceremony record`: what was done, by whom, and what came of it, on paper, with places to sign at.

use std::path::{Path, PathBuf};

use hsm_core::hsm::Hsm;
use hsm_core::unit::{Statement, Unit, key_part_pattern};
use serde_json::{Value, json};

use super::paper::Paper;
use crate::cli::Record;
use crate::commands::unit::view::View;
use crate::commands::unit::{describe, files, known};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

const BLANK: &str = "______________________________";

pub(super) fn run(hsm: &Hsm, options: &Record, output: Output) -> Result<()> {
    if options.holder.len() > options.part.len() {
        return Err(Failure::new(Outcome::Usage, "there are more holders than key parts")
            .next("name a file with --part for each --holder"));
    }
    let (view, fingerprint) = unit(hsm, options.statement.as_deref())?;
    let replies = replies(&options.reply, &view, &fingerprint)?;
    let logged = if options.statement.is_none() { logged(hsm) } else { Vec::new() };
    let mut paper = Paper::default();
    head(&mut paper, &view, &fingerprint);
    administrators(&mut paper, &view);
    master_key(&mut paper, &view);
    parts(&mut paper, options)?;
    commands(&mut paper, &replies, &logged);
    places(&mut paper, &view);
    files::write_text(&options.out, &paper.into_text())?;
    let value = json!({ "file": options.out.display().to_string(), "commands": replies.len(), "logged": logged.len() });
    output.result(&value, |page| {
        page.fields([
            ("record", options.out.display().to_string()),
            ("commands", format!("{} by replies, {} by the audit log", replies.len(), logged.len())),
        ]);
    });
    Ok(())
}

/// The unit, and the fingerprint of its attestation key.
fn unit(hsm: &Hsm, statement: Option<&Path>) -> Result<(View, String)> {
    if let Some(path) = statement {
        let believed = known::believed(path)?;
        return Ok((View::of_statement(&believed)?, files::statement(path)?.1.to_string()));
    }
    let mut unit = Unit::open(&hsm.unit_paths())?;
    let fingerprint = unit.statement(None)?.fingerprint();
    Ok((View::of_unit(&unit)?, fingerprint.map(|key| key.to_string()).unwrap_or_default()))
}

/// The replies to commands, the oldest first, each once.
fn replies(paths: &[PathBuf], view: &View, fingerprint: &str) -> Result<Vec<Statement>> {
    let mut replies = Vec::new();
    for path in paths {
        let (reply, key) = files::statement(path)?;
        if reply.hsm_id != view.hsm_id || reply.unit_id != view.unit_id {
            let message = format!("{}: this is a reply of another unit", path.display());
            return Err(Failure::new(Outcome::Refused, message));
        }
        if key.to_string() != fingerprint {
            let message = format!("{}: it is signed by another key than the unit's", path.display());
            return Err(Failure::new(Outcome::NotTrusted, message).next("do not use it"));
        }
        if reply.command.is_some() && !replies.contains(&reply) {
            replies.push(reply);
        }
    }
    replies.sort_by_key(|reply| reply.target().map(|target| target.counter));
    Ok(replies)
}

/// What the audit log has of the unit, where there is one that can be read here.
fn logged(hsm: &Hsm) -> Vec<Value> {
    let mut events = Vec::new();
    let read = hsm.read_audit_log(0, &mut |event| {
        let event: Value = serde_json::from_str(&event.json).unwrap_or_default();
        if event.get("action").and_then(Value::as_str).is_some_and(|action| action.starts_with("unit.")) {
            events.push(event);
        }
        Ok(())
    });
    if let Err(error) = read {
        log::info!("the audit log is not in the record: {error}");
    }
    events
}

fn head(paper: &mut Paper, view: &View, fingerprint: &str) {
    paper.title("Key ceremony record");
    paper.line("");
    let made = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    paper.field("Written", &format!("{made}, by softhsm-rs {}", env!("CARGO_PKG_VERSION")));
    paper.field("HSM", &view.hsm_id);
    paper.field("Crypto unit", &format!("{}, {}, {}", view.unit_id, view.kind.name(), view.ownership));
    paper.field("Attestation key", fingerprint);
}

fn administrators(paper: &mut Paper, view: &View) {
    paper.section(&format!("Administrators: {}", view.administrators.len()));
    for one in &view.administrators {
        paper.field(&printable(&one.name), &one.ski);
    }
    paper.section("Quorum");
    match view.thresholds() {
        None => paper.line("imprint mode: no signatures are needed"),
        Some(thresholds) => {
            paper.field("Signature threshold", &thresholds.signature.to_string());
            paper.field("Revocation threshold", &thresholds.revocation.to_string());
        }
    }
    paper.field("Permissions", &describe::names(view.permissions()));
}

fn master_key(paper: &mut Paper, view: &View) {
    paper.section("Master key");
    for (name, register) in
        [("Current register", &view.current_register), ("New register", &view.new_register)]
    {
        paper.field(name, &register.status);
        if let Some(pattern) = &register.verification_pattern {
            paper.field("  verification pattern", pattern);
        }
    }
    paper.field("Changes so far", &view.epoch.to_string());
}

fn parts(paper: &mut Paper, options: &Record) -> Result<()> {
    if options.part.is_empty() {
        return Ok(());
    }
    paper.section(&format!("Key parts: {}", options.part.len()));
    let mut holders = options.holder.iter();
    for path in &options.part {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        paper.field("Part", &printable(&name));
        paper.field("  verification pattern", &key_part_pattern(path)?.to_string());
        paper.field("  held by", &holders.next().map_or(BLANK.to_owned(), |name| printable(name)));
    }
    Ok(())
}

fn commands(paper: &mut Paper, replies: &[Statement], logged: &[Value]) {
    paper.section("Commands carried out, by the unit's signed replies");
    if replies.is_empty() {
        paper.line("no reply was given for this record");
    }
    for reply in replies {
        let counter = reply.target().map(|target| target.counter.saturating_sub(1).to_string());
        let what = reply.done.clone().unwrap_or_else(|| "a command".into());
        paper.field(&format!("No. {}", counter.unwrap_or_default()), &what);
        paper.field("  at", &describe::moment(reply.made));
        let signers: Vec<String> = reply.signers.iter().map(|one| printable(&one.name)).collect();
        paper.field("  signed by", &if signers.is_empty() { "nobody".into() } else { signers.join(", ") });
        for event in &reply.events {
            outcome(paper, event);
        }
    }
    if logged.is_empty() {
        return;
    }
    paper.section("Commands in the audit log");
    for event in logged {
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        paper.field(text("/eventTime"), &format!("{}: {}", text("/action"), text("/outcome")));
        let who = printable(text("/initiator/name"));
        if !who.is_empty() {
            paper.field("", &who);
        }
    }
}

/// What a command did, as far as there is a value to note.
fn outcome(paper: &mut Paper, event: &Value) {
    let text = |field| event.get(field).and_then(Value::as_str);
    if let Some(pattern) = text("verification_pattern") {
        paper.field("  verification pattern", pattern);
    }
    if let Some(name) = text("name") {
        paper.field("  administrator", &printable(name));
    }
    if let (Some(signature), Some(revocation)) =
        (event.pointer("/thresholds/signature"), event.pointer("/thresholds/revocation"))
    {
        paper.field("  thresholds", &format!("{signature} to sign, {revocation} to revoke"));
    }
}

fn places(paper: &mut Paper, view: &View) {
    paper.section("Signatures");
    view.administrators.iter().for_each(|one| paper.sign(&format!("Administrator {}", printable(&one.name))));
    for _ in 0..2 {
        paper.sign(&format!("Witness {BLANK}"));
    }
}
