//! `key show`: every attribute by its name in the standard, or the public key in PEM. Secret values
//! are not asked for, even of keys that would give them.

use std::collections::BTreeMap;

use cryptoki_sys::*;
use der::pem::LineEnding;
use hsm_core::hsm::{Access, Hsm};
use hsm_core::object::{Value, rules};
use hsm_core::session::{ObjectHandle, View};
use serde_json::json;

use super::{Desk, must_name_keys};
use crate::cli::{KeyAccess, KeyChoice};
use crate::describe::{self, Summary};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, Page, printable};

pub(super) fn run(
    hsm: &Hsm,
    access: &KeyAccess,
    choice: &KeyChoice,
    public_key: bool,
    output: Output,
) -> Result<()> {
    must_name_keys(choice)?;
    let desk = Desk::open(hsm, access, Access::ReadOnly, output)?;
    let objects = desk.chosen(choice)?;
    if public_key { export(&desk, &objects, output) } else { show(&desk, &objects, output) }
}

/// The public key of the chosen objects: the pair's halves have the same one.
fn export(desk: &Desk, objects: &[ObjectHandle], output: Output) -> Result<()> {
    let mut keys = Vec::new();
    for object in objects {
        let view = desk.session.view(*object)?;
        if let Some(info) = describe::bytes(&view, CKA_PUBLIC_KEY_INFO) {
            keys.push(info.to_vec());
        }
    }
    keys.dedup();
    let pem = match keys.as_slice() {
        [one] => der::Document::try_from(one.as_slice())
            .and_then(|document| document.to_pem("PUBLIC KEY", LineEnding::LF))
            .map_err(|e| {
                Failure::new(Outcome::Failed, format!("the public key is not what it should be: {e}"))
            })?,
        [] => return Err(Failure::new(Outcome::NotFound, "this is a secret key: it has no public key")),
        _ => {
            return Err(Failure::new(Outcome::NotFound, "several public keys match")
                .next("choose one with --id; `softhsm-rs key list` shows them"));
        }
    };
    output.result(&json!({ "public_key": pem }), |page| page.line(pem.trim_end()));
    Ok(())
}

fn show(desk: &Desk, objects: &[ObjectHandle], output: Output) -> Result<()> {
    let mut shown = Vec::new();
    for object in objects {
        let Some(summary) = Summary::of(&desk.session, *object)? else { continue };
        let attributes = attributes(&desk.session.view(*object)?);
        shown.push((summary, attributes));
    }
    let value: Vec<_> = shown
        .iter()
        .map(|(summary, attributes)| {
            let attributes: BTreeMap<_, _> = attributes.iter().map(|(name, text)| (*name, text)).collect();
            json!({ "summary": summary, "attributes": attributes })
        })
        .collect();
    output.result(&value, |page| {
        for (i, (summary, attributes)) in shown.into_iter().enumerate() {
            if i > 0 {
                page.line("");
            }
            one(page, &summary, attributes);
        }
    });
    Ok(())
}

fn one(page: &mut Page, summary: &Summary, attributes: Vec<(&'static str, String)>) {
    let bits = summary.size.map(|bits| format!(", {bits} bits")).unwrap_or_default();
    page.line(&format!("{} key \"{}\": {}{bits}", summary.class, printable(&summary.label), summary.kind));
    page.fields(attributes);
}

/// What the object has, in the order of the attributes' numbers.
fn attributes(view: &View) -> Vec<(&'static str, String)> {
    let class = describe::number(view, CKA_CLASS).unwrap_or(CK_UNAVAILABLE_INFORMATION);
    let key_type = describe::number(view, CKA_KEY_TYPE);
    rules::rows_of(class, key_type)
        .filter_map(|row| {
            let text = if row.is_secret() {
                "(secret)".to_owned()
            } else {
                text(row.kind, view.attribute(row.kind).ok()?)
            };
            Some((row.name, text))
        })
        .collect()
}

/// A value for people: text where the attribute is text, digits otherwise.
fn text(kind: u64, value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Number(CK_UNAVAILABLE_INFORMATION) => "unknown".into(),
        Value::Number(number) => number_text(kind, *number),
        Value::Bytes(bytes) => bytes_text(kind, bytes),
        Value::Secret(_) => "(secret)".into(),
        Value::Numbers(numbers) => {
            numbers.iter().map(|number| mechanism(*number)).collect::<Vec<_>>().join(" ")
        }
        Value::Date(None) => String::new(),
        Value::Date(Some(date)) => String::from_utf8_lossy(date).into_owned(),
        Value::Template(template) => format!("{} attributes", template.len()),
    }
}

fn number_text(kind: u64, number: u64) -> String {
    match kind {
        CKA_KEY_GEN_MECHANISM => mechanism(number),
        CKA_CLASS | CKA_KEY_TYPE | CKA_CERTIFICATE_TYPE => format!("{number:#x}"),
        _ => number.to_string(),
    }
}

fn bytes_text(kind: u64, bytes: &[u8]) -> String {
    let is_text = matches!(kind, CKA_LABEL | CKA_APPLICATION | CKA_URL | CKA_UNIQUE_ID);
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text => printable(text),
        _ => hex::encode(bytes),
    }
}

fn mechanism(kind: u64) -> String {
    hsm_core::mechanism::row(kind).map_or_else(|| format!("{kind:#x}"), |row| row.name.to_owned())
}
