//! `export`: what may leave a token, in the forms of other standards.

use cryptoki_sys::*;
use der::pem::{self, LineEnding};
use hsm_core::Error;
use hsm_core::certificate::encrypted;
use hsm_core::hsm::Hsm;
use hsm_core::object::{Template, Value};
use hsm_core::secret::Secret;
use hsm_core::session::{Access, ObjectHandle};
use serde_json::json;

use super::{jwk, passphrase};
use crate::cli::{Class, Export, Exported, Form, KeyChoice};
use crate::commands::key::Desk;
use crate::commands::save::Place;
use crate::describe;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::uri;

/// Carries out `export`.
pub(in crate::commands) fn export(hsm: &Hsm, options: &mut Export, output: Output) -> Result<()> {
    let (label, id) = (options.label.take(), options.id.take());
    let mut choice = KeyChoice { label, id, class: None };
    uri::resolve(&mut options.access.token, &mut choice)?;
    (options.label, options.id) = (choice.label, choice.id);
    match choice.class {
        Some(Class::Private) => options.class = Exported::Private,
        Some(Class::Secret) => options.class = Exported::Secret,
        Some(Class::Public) | None => {}
    }
    let options = &*options;
    check(options)?;
    let place = options.out.as_deref().map(|path| Place::new(path, false)).transpose()?;
    let desk = match options.public {
        true => Desk::open_public(hsm, &options.access)?,
        false => Desk::open(hsm, &options.access, Access::ReadOnly, output)?,
    };
    let object = chosen(&desk, options)?;
    let (label, bytes) = value(&desk, object, options, output)?;
    let written = match (options.format, label) {
        (Form::Pem, Some(label)) => {
            let text = pem::encode_string(label, LineEnding::LF, bytes.expose())
                .map_err(|e| Failure::new(Outcome::Failed, format!("it cannot be written as PEM: {e}")))?;
            Secret::new(text.into_bytes())
        }
        _ => bytes,
    };
    match &place {
        Some(place) => {
            place.save_as_it_is(written.expose())?;
            let path = place.path().display().to_string();
            output.result(&json!({ "file": path }), |page| page.line(&format!("It was written to {path}.")));
        }
        None => {
            let text = String::from_utf8_lossy(written.expose()).trim_end().to_owned();
            output.result(&json!({ "value": text }), |page| page.line(&text));
        }
    }
    Ok(())
}

/// What cannot be asked for, before any PIN is.
fn check(options: &Export) -> Result<()> {
    let usage = |message: &str, next: &str| Err(Failure::new(Outcome::Usage, message).next(next));
    let is_secret = matches!(options.class, Exported::Private | Exported::Secret);
    let encrypts = options.encrypt || options.passphrase_file.is_some();
    if options.label.is_none() && options.id.is_none() {
        return usage(
            "which object?",
            "name it with --label or --id; `softhsm-rs key list --all` shows both",
        );
    }
    if is_secret && options.out.is_none() {
        return usage("a key that is secret is not shown on a terminal", "name a file for it with --out");
    }
    if options.format == Form::Der && options.out.is_none() {
        return usage("DER is no text", "name a file for it with --out");
    }
    if options.format == Form::Jwk && options.class != Exported::Public {
        return usage("a JSON Web Key is written of public keys alone", "leave --class away");
    }
    if options.class == Exported::Secret && options.format == Form::Pem {
        return usage("a secret key has no form in PEM", "--format der writes its value");
    }
    if encrypts && options.class != Exported::Private {
        return usage("private keys alone are encrypted", "leave the passphrase away");
    }
    Ok(())
}

/// The one object that is meant.
fn chosen(desk: &Desk, options: &Export) -> Result<ObjectHandle> {
    let classes: &[u64] = match options.class {
        Exported::Public => &[CKO_PUBLIC_KEY],
        Exported::Private => &[CKO_PRIVATE_KEY],
        Exported::Secret => &describe::SECRETS,
        Exported::Certificate => &[CKO_CERTIFICATE],
    };
    let mut found = Vec::new();
    for class in classes {
        let mut template: Template = vec![(CKA_CLASS, Value::Number(*class))];
        let label = options.label.as_ref().map(|label| Value::Bytes(label.clone().into_bytes()));
        template.extend(label.map(|label| (CKA_LABEL, label)));
        template.extend(options.id.as_ref().map(|id| (CKA_ID, Value::Bytes(id.0.clone()))));
        found.extend(desk.find(template)?);
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::new(Outcome::NotFound, "the token has no such object")
            .next("`softhsm-rs key list --all` shows what it has; --class chooses among them")),
        _ => Err(Failure::new(Outcome::NotFound, "several objects match")
            .next("choose one with --id; `softhsm-rs key list --all` shows them")),
    }
}

/// Its bytes, and what PEM calls them.
fn value(
    desk: &Desk,
    object: ObjectHandle,
    options: &Export,
    output: Output,
) -> Result<(Option<&'static str>, Secret)> {
    let view = desk.session.view(object)?;
    if options.format == Form::Jwk {
        let key = jwk::write(&view)
            .ok_or_else(|| Failure::new(Outcome::Usage, "this key has no form as JSON Web Key"))?;
        return Ok((None, Secret::copy_of(format!("{key:#}\n").as_bytes())));
    }
    if options.class == Exported::Certificate {
        let der = describe::bytes(&view, CKA_VALUE)
            .ok_or_else(|| Failure::new(Outcome::NotFound, "the certificate's value is elsewhere"))?;
        return Ok((Some("CERTIFICATE"), Secret::copy_of(der)));
    }
    let bytes = desk.session.export_key(object).map_err(|error| match error {
        Error::KeyUnextractable => Failure::new(
            Outcome::KeyRefused,
            "this key is sensitive, or not extractable: it does not leave the token in clear",
        )
        .next("`softhsm-rs backup` copies a token as a whole"),
        Error::KeyTypeInconsistent | Error::KeyNotWrappable => {
            Failure::new(Outcome::Usage, "a key of this type has no such form")
        }
        error => error.into(),
    })?;
    match options.class {
        Exported::Private if options.encrypt || options.passphrase_file.is_some() => {
            let source = passphrase("passphrase for the key", options.passphrase_file.as_deref());
            let sealed = encrypted::seal(&bytes, source.new_secret(output)?.expose())?;
            Ok((Some("ENCRYPTED PRIVATE KEY"), Secret::new(sealed)))
        }
        Exported::Private => Ok((Some("PRIVATE KEY"), bytes)),
        Exported::Public => Ok((Some("PUBLIC KEY"), bytes)),
        Exported::Secret | Exported::Certificate => Ok((None, bytes)),
    }
}
