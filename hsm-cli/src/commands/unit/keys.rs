//! `unit key` and `unit part`: what administrators and holders of key parts have in files of their own.

use std::path::{Path, PathBuf};

use hsm_core::hsm::Hsm;
use hsm_core::secret::Secret;
use hsm_core::unit::{
    Envelope, KeyPart, PublicKey, Refusal, SignatureKey, SignedPart, Statement, key_part_pattern,
    signature_key_ski,
};
use serde_json::{Value, json};

use super::destination::{Destination, Destinations};
use super::files::PublicKeyFile;
use super::signer::Signer;
use super::{describe, expiry, files, known};
use crate::cli::{KeyPassphrase, PartPassphrase, UnitKey, UnitPart};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};
use crate::pin::Source;

pub(super) fn run(command: UnitKey, output: Output) -> Result<()> {
    match command {
        UnitKey::New { file, name, passphrase } => {
            let secret =
                new_passphrase(&self::passphrase(&passphrase, &file), passphrase.no_passphrase, output)?;
            let key = SignatureKey::generate()?;
            let mut beside = file.clone().into_os_string();
            beside.push(".pub");
            key.save(&file, &name, &secret)?;
            PublicKeyFile::new(&name, &key.public_key()).write(Path::new(&beside))?;
            show_keys(&[(file, name, key.ski().to_string())], output);
        }
        UnitKey::Public { key, name, out } => {
            let signer = Signer::of(&key, output)?;
            PublicKeyFile::new(&name, &signer.public_key()).write(&out)?;
            show_keys(&[(out, name, signer.ski().to_string())], output);
        }
        UnitKey::Show { files } => {
            let keys = files.into_iter().map(key_of_file).collect::<Result<Vec<_>>>()?;
            show_keys(&keys, output);
        }
    }
    Ok(())
}

fn key_of_file(path: PathBuf) -> Result<(PathBuf, String, String)> {
    match PublicKeyFile::read(&path) {
        Ok(file) => Ok((path, file.name, file.ski)),
        Err(_) => {
            signature_key_ski(&path).map(|ski| (path, String::new(), ski.to_string())).map_err(Failure::from)
        }
    }
}

fn show_keys(keys: &[(PathBuf, String, String)], output: Output) {
    let values: Vec<Value> = keys
        .iter()
        .map(|(path, name, ski)| json!({ "file": path.display().to_string(), "name": name, "ski": ski }))
        .collect();
    output.result(&values, |page| {
        let rows: Vec<[String; 3]> = keys
            .iter()
            .map(|(path, name, ski)| [path.display().to_string(), printable(name), ski.clone()])
            .collect();
        page.table(["FILE", "NAME", "SUBJECT KEY IDENTIFIER"], &rows);
    });
}

pub(super) fn run_part(hsm: &Hsm, command: UnitPart, output: Output) -> Result<()> {
    match command {
        UnitPart::New { file, name, value_file, passphrase } => {
            let source = part_passphrase(&passphrase, &file);
            let part = match value_file {
                Some(value) => part_of_file(&name, &value, output)?,
                None => KeyPart::generate(&name)?,
            };
            part.save(&file, &new_passphrase(&source, passphrase.no_part_passphrase, output)?)?;
            show_parts(&[(file, part.verification_pattern().to_string())], output);
            Ok(())
        }
        UnitPart::Show { files } => {
            let parts = files.into_iter().map(|path| {
                let pattern = key_part_pattern(&path)?;
                Ok((path, pattern.to_string()))
            });
            show_parts(&parts.collect::<Result<Vec<_>>>()?, output);
            Ok(())
        }
        UnitPart::Seal { file, exported, number, of, key, passphrase, carried } => {
            let units = Destinations::of(hsm, &carried)?;
            let source = match (file, exported) {
                (_, Some(reply)) => {
                    units.check_one("the key that a unit exported is for one other")?;
                    Sealing::Exported(Box::new(exported_key(&known::believed(&reply)?, &reply)?))
                }
                (Some(file), None) => {
                    units.each(importer)?;
                    let secret = part_passphrase(&passphrase, &file);
                    let secret = existing(&secret, passphrase.no_part_passphrase, output)?;
                    Sealing::Part(KeyPart::load(&file, &secret)?)
                }
                (None, None) => return Err(Failure::new(Outcome::Usage, "no part is named")),
            };
            let signer = Signer::of(&key, output)?;
            let seal = |unit: &Destination| {
                let (place, ends) = ((number, of), expiry(carried.expires));
                let mut part = SignedPart::until(&unit.target, place, source.envelope(unit)?, ends)?;
                signer.sign_part(&mut part)?;
                Ok(part)
            };
            let made = units.make(seal, files::write_part)?;
            made.show(|_, part| Ok((describe::json_of_part(part), describe::all_of_part(part))), output)
        }
    }
}

/// What is sealed to a unit.
enum Sealing {
    Part(KeyPart),
    /// It was, by the unit that handed it out.
    Exported(Box<Envelope>),
}

impl Sealing {
    fn envelope(&self, unit: &Destination) -> Result<Envelope> {
        match self {
            Sealing::Part(part) => Ok(part.seal_to(&importer(unit)?)?),
            Sealing::Exported(envelope) => Ok(Envelope::clone(envelope)),
        }
    }
}

fn importer(unit: &Destination) -> Result<PublicKey> {
    Ok(unit.importer.ok_or(Refusal::ImporterKeyMissing).map_err(hsm_core::Error::from)?)
}

/// The master key that a unit handed out, as its reply carries it.
fn exported_key(reply: &Statement, path: &Path) -> Result<Envelope> {
    let envelope = reply.events.iter().find_map(|event| event.get("envelope")?.as_str());
    let envelope = envelope.and_then(|der| Envelope::from_der(&hex::decode(der).ok()?));
    envelope.ok_or_else(|| {
        Failure::new(Outcome::NotFound, format!("{}: it carries no master key", path.display()))
            .next("take the reply to `unit prepare export-current`")
    })
}

fn part_of_file(name: &str, value: &Path, output: Output) -> Result<KeyPart> {
    let source = Source {
        name: "value of the key part".into(),
        file: Some(value),
        option: "--value-file",
        variable: "SOFTHSM_RS_PART_VALUE",
    };
    let digits = source.existing(output)?;
    let mut bytes = Secret::zeroed(hsm_core::unit::KEY_LENGTH);
    let wrong = || Failure::new(Outcome::Usage, "a key part has 64 hexadecimal digits");
    hex::decode_to_slice(digits.expose(), bytes.expose_mut()).map_err(|_| wrong())?;
    KeyPart::new(name, bytes).ok_or_else(wrong)
}

fn show_parts(parts: &[(PathBuf, String)], output: Output) {
    let values: Vec<Value> = parts
        .iter()
        .map(|(path, pattern)| json!({ "file": path.display().to_string(), "verification_pattern": pattern }))
        .collect();
    output.result(&values, |page| {
        let rows: Vec<[String; 2]> =
            parts.iter().map(|(path, pattern)| [path.display().to_string(), pattern.clone()]).collect();
        page.table(["FILE", "VERIFICATION PATTERN"], &rows);
    });
}

/// Where the passphrase of a signature key comes from.
pub(in crate::commands) fn passphrase<'a>(options: &'a KeyPassphrase, file: &Path) -> Source<'a> {
    Source {
        name: format!("passphrase of {}", file.display()),
        file: options.passphrase_file.as_deref(),
        option: "--passphrase-file",
        variable: "SOFTHSM_RS_PASSPHRASE",
    }
}

pub(in crate::commands) fn part_passphrase<'a>(options: &'a PartPassphrase, file: &Path) -> Source<'a> {
    Source {
        name: format!("passphrase of {}", file.display()),
        file: options.part_passphrase_file.as_deref(),
        option: "--part-passphrase-file",
        variable: "SOFTHSM_RS_PART_PASSPHRASE",
    }
}

/// A passphrase that a file has; the empty one where it was said to have none.
pub(in crate::commands) fn existing(source: &Source<'_>, has_none: bool, output: Output) -> Result<Secret> {
    if has_none { Ok(Secret::zeroed(0)) } else { source.existing(output) }
}

pub(in crate::commands) fn new_passphrase(
    source: &Source<'_>,
    has_none: bool,
    output: Output,
) -> Result<Secret> {
    if has_none { Ok(Secret::zeroed(0)) } else { source.new_secret(output) }
}
