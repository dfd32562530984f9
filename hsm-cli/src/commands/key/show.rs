//! `key show`: every attribute by its name in the standard, or the public key in PEM. Secret values
//! are not asked for, even of keys that would give them.

use std::collections::BTreeMap;

use cryptoki_sys::*;
use der::pem::LineEnding;
use hsm_core::hsm::Hsm;
use hsm_core::object::{Value, rules};
use hsm_core::service::View;
use hsm_core::session::ObjectHandle;
use serde_json::{Value as Json, json};

use super::{Desk, must_name_keys};
use crate::cli::{KeyChoice, KeyView};
use crate::describe::{self, Summary};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, Page, printable};

pub(super) fn run(hsm: &Hsm, view: &KeyView, choice: &KeyChoice, output: Output) -> Result<()> {
    must_name_keys(choice)?;
    let desk = Desk::view(hsm, view, output)?;
    let objects = desk.chosen(choice)?;
    show(&desk, &objects, output)
}

/// Prints the public key of the chosen objects: a pair's halves have the same one. The public half
/// is found without login, nearly always; only then is the PIN asked for.
pub(super) fn export(hsm: &Hsm, view: &KeyView, choice: &KeyChoice, output: Output) -> Result<()> {
    must_name_keys(choice)?;
    let desk = Desk::open_public(hsm, &view.access)?;
    let keys = match desk.chosen(choice) {
        Ok(objects) => public_keys(&desk, &objects)?,
        Err(failure) if view.public => return Err(failure),
        Err(_) => {
            drop(desk);
            let desk = Desk::view(hsm, view, output)?;
            public_keys(&desk, &desk.chosen(choice)?)?
        }
    };
    let pem = match keys.as_slice() {
        [one] => pem(one)?,
        [] => return Err(Failure::new(Outcome::NotFound, "this is a secret key: it has no public key")),
        _ => {
            return Err(Failure::new(Outcome::NotFound, "several public keys match")
                .next("choose one with --id; `softhsm-rs key list` shows them"));
        }
    };
    output.result(&json!({ "public_key": pem }), |page| page.line(pem.trim_end()));
    Ok(())
}

/// The different public keys of some objects, as SubjectPublicKeyInfo in DER.
fn public_keys(desk: &Desk, objects: &[ObjectHandle]) -> Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    for object in objects {
        let view = desk.session.view(*object)?;
        keys.extend(describe::bytes(&view, CKA_PUBLIC_KEY_INFO).map(<[u8]>::to_vec));
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

fn pem(info: &[u8]) -> Result<String> {
    der::Document::try_from(info)
        .and_then(|document| document.to_pem("PUBLIC KEY", LineEnding::LF))
        .map_err(|e| Failure::new(Outcome::Failed, format!("the public key is not what it should be: {e}")))
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
            let attributes: BTreeMap<_, _> = attributes.iter().map(|(name, value)| (*name, value)).collect();
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

fn one(page: &mut Page, summary: &Summary, attributes: Vec<(&'static str, Json)>) {
    let bits = summary.size.map(|bits| format!(", {bits} bits")).unwrap_or_default();
    page.line(&format!("{} key \"{}\": {}{bits}", summary.class, printable(&summary.label), summary.kind));
    page.fields(attributes.into_iter().map(|(name, value)| match value {
        Json::String(text) => (name, printable(&text)),
        value => (name, value.to_string()),
    }));
}

/// What the object has, in the order of the attributes' numbers.
fn attributes(view: &View) -> Vec<(&'static str, Json)> {
    let class = describe::number(view, CKA_CLASS).unwrap_or(CK_UNAVAILABLE_INFORMATION);
    let key_type = describe::number(view, CKA_KEY_TYPE);
    rules::rows_of(class, key_type)
        .filter_map(|row| match row.is_secret() {
            true => Some((row.name, Json::from("(secret)"))),
            false => Some((row.name, json_of(row.kind, view.attribute(row.kind).ok()?))),
        })
        .collect()
}

/// A value as it is shown: text where the attribute is text, hexadecimal digits for other bytes.
fn json_of(kind: u64, value: &Value) -> Json {
    match value {
        Value::Bool(flag) => Json::from(*flag),
        Value::Number(number) => json_of_number(kind, *number),
        Value::Bytes(bytes) => Json::from(bytes_text(kind, bytes)),
        Value::Secret(_) => Json::from("(secret)"),
        Value::Numbers(numbers) => numbers.iter().map(|number| mechanism(*number)).collect(),
        Value::Date(None) => Json::from(""),
        Value::Date(Some(date)) => Json::from(String::from_utf8_lossy(date)),
        Value::Template(template) => Json::from(format!("{} attributes", template.len())),
    }
}

fn json_of_number(kind: u64, number: u64) -> Json {
    match (kind, number) {
        (_, CK_UNAVAILABLE_INFORMATION) => Json::from("unknown"),
        (CKA_CLASS, class) => Json::from(describe::class_name(Some(class))),
        (CKA_KEY_TYPE, key_type) => Json::from(describe::type_name(Some(key_type))),
        (CKA_KEY_GEN_MECHANISM, number) => Json::from(mechanism(number)),
        (_, number) => Json::from(number),
    }
}

fn bytes_text(kind: u64, bytes: &[u8]) -> String {
    let is_text = matches!(kind, CKA_LABEL | CKA_APPLICATION | CKA_URL | CKA_UNIQUE_ID);
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text => text.to_owned(),
        _ => hex::encode(bytes),
    }
}

fn mechanism(kind: u64) -> String {
    hsm_core::mechanism::row(kind).map_or_else(|| format!("{kind:#x}"), |row| row.name.to_owned())
}
