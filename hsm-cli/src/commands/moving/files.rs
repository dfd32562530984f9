//! `import pkcs8`, `pkcs12`, `pem` and `jwk`: keys and certificates of a file, all of them or none.

use cryptoki_sys::*;
use hsm_core::certificate::read_certificate;
use hsm_core::crypto::{Hash, hash_of};
use hsm_core::hsm::Hsm;
use hsm_core::object::formats::{self, Format};
use hsm_core::object::{Template, Value};
use hsm_core::secret::Secret;
use hsm_core::service::bringing::{self, Fate};
use hsm_core::session::Access;
use serde_json::json;

use super::of_policies;
use super::parts::{Locked, Part, Parts};
use super::{jwk, passphrase};
use crate::cli::{ImportFile, Usage};
use crate::commands::key::Desk;
use crate::describe;
use crate::failure::{Failure, Outcome, Result};
use crate::material::read_secret;
use crate::output::{Output, printable};

/// Longer than any file with keys and the certificates of their chain, in bytes.
const LONGEST: usize = 1 << 20;

/// The forms of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pkcs8,
    Pkcs12,
    Pem,
    Jwk,
}

pub(super) fn run(hsm: &Hsm, kind: Kind, options: &ImportFile, output: Output) -> Result<()> {
    let bytes = read_secret(&options.file, false, LONGEST, output)?;
    let path = options.file.display().to_string();
    if bytes.len() > LONGEST {
        return Err(Failure::new(Outcome::Usage, format!("{path} is larger than any file of keys")));
    }
    let locked = Locked {
        path: path.clone(),
        bytes: &bytes,
        given: None,
        passphrase: passphrase("passphrase of the file", options.passphrase_file.as_deref()),
        output,
    };
    let parts = match kind {
        Kind::Pkcs8 => locked.pkcs8()?,
        Kind::Pkcs12 => locked.pkcs12()?,
        Kind::Pem => locked.pem()?,
        Kind::Jwk => jwk::read(&bytes, &path)?,
    };
    let desk = Desk::open(hsm, &options.access, Access::ReadWrite, output)?;
    let wishes = Wishes {
        label: options.label.clone(),
        id: options.id.as_ref().map(|id| id.0.clone()),
        usage: &options.usage,
        extractable: options.extractable,
        not_sensitive: options.not_sensitive,
        no_public_key: options.no_public_key,
    };
    let templates = Templates::of(parts, &wishes, &desk)?.0;
    let fates = desk.session.bring(&templates, None).map_err(of_policies)?;
    report(&templates, &fates, output);
    Ok(())
}

/// A key in a file, as SoftHSM2's tool takes it.
pub(in crate::commands) struct FileKey {
    pub(in crate::commands) path: String,
    pub(in crate::commands) bytes: Secret,
    pub(in crate::commands) passphrase: Option<Secret>,
    /// Whether it is an AES key as it is, rather than a private key in PKCS #8.
    pub(in crate::commands) is_aes: bool,
    pub(in crate::commands) no_public_key: bool,
    pub(in crate::commands) label: String,
    pub(in crate::commands) id: Vec<u8>,
}

/// Imports such a key.
pub(in crate::commands) fn import_key(desk: &Desk, key: FileKey, output: Output) -> Result<()> {
    let FileKey { path, bytes, passphrase: given, is_aes, no_public_key, label, id } = key;
    let parts = match is_aes {
        true => vec![Part::Secret(vec![
            (CKA_KEY_TYPE, Value::Number(CKK_AES)),
            (CKA_VALUE, Value::Secret(bytes.duplicate())),
        ])]
        .into(),
        false => {
            let passphrase = passphrase("passphrase of the file", None);
            Locked { path, bytes: &bytes, given, passphrase, output }.pkcs8()?
        }
    };
    let wishes = Wishes {
        label: Some(label),
        id: Some(id),
        usage: &[],
        extractable: false,
        not_sensitive: false,
        no_public_key,
    };
    let templates = Templates::of(parts, &wishes, desk)?.0;
    desk.session.bring(&templates, None).map_err(of_policies)?;
    Ok(())
}

/// What is wanted of the keys of a file.
struct Wishes<'a> {
    label: Option<String>,
    id: Option<Vec<u8>>,
    usage: &'a [Usage],
    extractable: bool,
    not_sensitive: bool,
    no_public_key: bool,
}

/// The objects that a file becomes.
struct Templates(Vec<Template>);

impl Templates {
    fn of(parts: Parts, options: &Wishes<'_>, desk: &Desk) -> Result<Templates> {
        let label = options.label.clone().or(parts.name);
        // Certificates go with the key that stands in the same file.
        let mut id = options.id.clone();
        let mut templates = Templates(Vec::new());
        let mut owns = false;
        for part in parts.parts {
            let label = label.clone();
            match part {
                Part::Certificate(der) => templates.certificate(der, label, id.clone().filter(|_| !owns))?,
                Part::Private(value) => {
                    let label = label.ok_or_else(no_label)?;
                    let mut template = described(CKO_PRIVATE_KEY, value, &label);
                    secret(&mut template, options);
                    let info = bringing::public_key_info(&template)?;
                    let own = key_id(options, &info)?;
                    template.push((CKA_ID, Value::Bytes(own.clone())));
                    templates.0.push(template);
                    if !options.no_public_key {
                        templates.public(formats::public_key(Format::X509, &info)?, &label, &own, options);
                    }
                    id = Some(own);
                    continue;
                }
                Part::Public(value) => {
                    let label = label.ok_or_else(no_label)?;
                    let info =
                        bringing::public_key_info(&described(CKO_PUBLIC_KEY, duplicate(&value), &label))?;
                    templates.public(value, &label, &key_id(options, &info)?, options);
                    continue;
                }
                Part::Secret(value) => {
                    let mut template = described(CKO_SECRET_KEY, value, &label.ok_or_else(no_label)?);
                    secret(&mut template, options);
                    let own = match &options.id {
                        Some(id) => id.clone(),
                        None => desk.id(None)?,
                    };
                    template.push((CKA_ID, Value::Bytes(own)));
                    templates.0.push(template);
                    continue;
                }
            }
            // Of several certificates the first is the key's own; the others are those of its issuers.
            owns = true;
        }
        Ok(templates)
    }

    fn public(&mut self, value: Template, label: &str, id: &[u8], options: &Wishes<'_>) {
        let mut template = described(CKO_PUBLIC_KEY, value, label);
        template.push((CKA_ID, Value::Bytes(id.to_vec())));
        usage(&mut template, options, [CKA_VERIFY, CKA_ENCRYPT, CKA_WRAP, CKA_DERIVE]);
        self.0.push(template);
    }

    fn certificate(&mut self, der: Vec<u8>, label: Option<String>, id: Option<Vec<u8>>) -> Result<()> {
        let wrong = |_| Failure::new(Outcome::Usage, "a certificate of the file cannot be read");
        let read = read_certificate(&der).map_err(wrong)?;
        let serial = read.serial_der()?;
        // An issuer's has a name of its own.
        let label = match (&id, label) {
            (Some(_), Some(label)) => label,
            (None, Some(label)) if self.0.is_empty() => label,
            _ => read.subject.text.clone(),
        };
        let mut template = described(CKO_CERTIFICATE, Vec::new(), &label);
        template.extend([
            (CKA_CERTIFICATE_TYPE, Value::Number(CKC_X_509)),
            (CKA_SUBJECT, Value::Bytes(read.subject.der)),
            (CKA_ISSUER, Value::Bytes(read.issuer.der)),
            (CKA_SERIAL_NUMBER, Value::Bytes(serial)),
            (CKA_VALUE, Value::Bytes(der)),
        ]);
        template.extend(id.map(|id| (CKA_ID, Value::Bytes(id))));
        self.0.push(template);
        Ok(())
    }
}

fn no_label() -> Failure {
    Failure::new(Outcome::Usage, "the file gives the key no name").next("name it with --label")
}

fn duplicate(template: &Template) -> Template {
    template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect()
}

fn described(class: u64, mut value: Template, label: &str) -> Template {
    value.push((CKA_CLASS, Value::Number(class)));
    value.push((CKA_LABEL, Value::Bytes(label.as_bytes().to_vec())));
    value
}

/// What private and secret keys have.
fn secret(template: &mut Template, options: &Wishes<'_>) {
    template.extend([
        (CKA_PRIVATE, Value::Bool(true)),
        (CKA_SENSITIVE, Value::Bool(!options.not_sensitive)),
        (CKA_EXTRACTABLE, Value::Bool(options.extractable)),
    ]);
    let is_private = template.iter().any(|(kind, value)| {
        *kind == CKA_CLASS && matches!(value, Value::Number(class) if *class == CKO_PRIVATE_KEY)
    });
    usage(template, options, [CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE]);
    if !is_private {
        usage(template, options, [CKA_VERIFY, CKA_ENCRYPT, CKA_WRAP, CKA_DERIVE]);
    }
}

/// The usage attributes, where any usage was named, in the order of [`Usage`].
fn usage(template: &mut Template, options: &Wishes<'_>, kinds: [u64; 4]) {
    if options.usage.is_empty() {
        return;
    }
    for (usage, kind) in [Usage::Sign, Usage::Decrypt, Usage::Unwrap, Usage::Derive].into_iter().zip(kinds) {
        if !template.iter().any(|(there, _)| *there == kind) {
            template.push((kind, Value::Bool(options.usage.contains(&usage))));
        }
    }
    // Nobody named these, and pairs alone have them.
    let recovery = match kinds {
        [CKA_VERIFY, ..] => CKA_VERIFY_RECOVER,
        _ => CKA_SIGN_RECOVER,
    };
    if template.iter().any(|(kind, value)| {
        *kind == CKA_CLASS && matches!(value, Value::Number(class) if *class != CKO_SECRET_KEY)
    }) {
        template.push((recovery, Value::Bool(false)));
    }
}

/// The identifier that was chosen, or one that both halves and their certificate come to by themselves.
fn key_id(options: &Wishes<'_>, info: &[u8]) -> Result<Vec<u8>> {
    match &options.id {
        Some(id) => Ok(id.clone()),
        None => Ok(hash_of(Hash::Sha1, &[info])?),
    }
}

fn report(templates: &[Template], fates: &[Fate], output: Output) {
    let text = |template: &Template, kind| {
        let value = template.iter().find(|(found, _)| *found == kind).map(|(_, value)| value);
        value.and_then(Value::as_bytes).unwrap_or_default().to_vec()
    };
    let number = |template: &Template, kind| {
        template.iter().find_map(|(found, value)| match value {
            Value::Number(number) if *found == kind => Some(*number),
            _ => None,
        })
    };
    let rows: Vec<_> = templates
        .iter()
        .zip(fates)
        .map(|(template, fate)| {
            let key_type = number(template, CKA_KEY_TYPE);
            [
                describe::class_name(number(template, CKA_CLASS)).to_owned(),
                if key_type.is_some() { describe::type_name(key_type) } else { String::new() },
                String::from_utf8_lossy(&text(template, CKA_LABEL)).into_owned(),
                hex::encode(text(template, CKA_ID)),
                match fate {
                    Fate::Added => "imported".to_owned(),
                    Fate::Present => "already there".to_owned(),
                },
            ]
        })
        .collect();
    let value: Vec<_> = rows
        .iter()
        .map(|[class, kind, label, id, outcome]| {
            json!({ "class": class, "type": kind, "label": label, "id": id, "outcome": outcome })
        })
        .collect();
    output.result(&value, |page| {
        let shown: Vec<_> = rows.iter().map(|row| row.each_ref().map(|cell| printable(cell))).collect();
        page.table(["CLASS", "TYPE", "LABEL", "ID", ""], &shown);
    });
}
