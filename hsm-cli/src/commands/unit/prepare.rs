//! `unit prepare`: commands for a unit, not yet signed.

use std::path::{Path, PathBuf};

use hsm_core::hsm::Hsm;
use hsm_core::unit::{Administrator, Attributes, Command, Permissions, SignedCommand, SignedPart, Ski};

use super::destination::{Destination, Destinations};
use super::files::PublicKeyFile;
use super::{describe, expiry, files, known, sign};
use crate::cli::{Carried, Permission, Prepare};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

pub(super) fn run(hsm: &Hsm, command: Prepare, output: Output) -> Result<()> {
    match command {
        Prepare::AddAdministrator { public_key, name, carried } => {
            let file = PublicKeyFile::read(&public_key)?;
            let key =
                file.key().ok_or(hsm_core::unit::Refusal::AdministratorKey).map_err(hsm_core::Error::from)?;
            let new = Administrator { name: name.unwrap_or(file.name), public_key: key };
            make(hsm, &carried, |_| Ok(Command::AddAdministrator(new.clone())), output)
        }
        Prepare::RemoveAdministrator { administrator, carried } => make(
            hsm,
            &carried,
            |unit| Ok(Command::RemoveAdministrator(ski_of(unit, &administrator)?)),
            output,
        ),
        Prepare::SetThresholds { signature, revocation, allow, forbid, carried } => {
            let permissions = |unit: &Destination| moved(unit, &allow, &forbid);
            let command = |unit: &Destination| {
                Ok(Command::SetAttributes(Attributes {
                    signature_threshold: signature,
                    revocation_threshold: revocation,
                    permissions: permissions(unit),
                }))
            };
            if signature.is_none() && revocation.is_none() && allow.is_empty() && forbid.is_empty() {
                return Err(Failure::new(Outcome::Usage, "nothing is to be set")
                    .next("give --signature, --revocation, --allow or --forbid"));
            }
            make(hsm, &carried, command, output)
        }
        Prepare::GenerateImporter { carried } => {
            make(hsm, &carried, |_| Ok(Command::GenerateImporter), output)
        }
        Prepare::Load { parts, out } => load(hsm, &parts, &out, output),
        Prepare::GenerateMasterKey { carried } => {
            make(hsm, &carried, |_| Ok(Command::GenerateMasterKey), output)
        }
        Prepare::Commit { pattern, carried } => make(hsm, &carried, |_| Ok(Command::Commit(pattern)), output),
        Prepare::SetImmediate { pattern, carried } => {
            make(hsm, &carried, |_| Ok(Command::SetImmediate(pattern)), output)
        }
        Prepare::ClearNew { carried } => make(hsm, &carried, |_| Ok(Command::ClearNew), output),
        Prepare::ClearCurrent { carried } => make(hsm, &carried, |_| Ok(Command::ClearCurrent), output),
        Prepare::ExportCurrent { to, carried } => {
            let recipient = known::believed(&to)?.importer().ok_or_else(|| {
                Failure::new(Outcome::NotFound, format!("{}: that unit has no importer key", to.display()))
                    .next("have it carry out `generate-importer`, and take its reply")
            })?;
            make(hsm, &carried, |_| Ok(Command::ExportCurrent(recipient)), output)
        }
        Prepare::Zeroize { carried } => make(hsm, &carried, |_| Ok(Command::Zeroize), output),
    }
}

fn make(
    hsm: &Hsm,
    carried: &Carried,
    command: impl Fn(&Destination) -> Result<Command>,
    output: Output,
) -> Result<()> {
    let units = Destinations::of(hsm, carried)?;
    let sign = |unit: &Destination| {
        Ok(SignedCommand::until(&unit.target, &command(unit)?, expiry(carried.expires))?)
    };
    let made = units.make(sign, files::write_command)?;
    let told = |at, signed: &SignedCommand| {
        let view = units.view(at);
        let mut fields = describe::fields(signed, view)?;
        fields.extend(describe::signatures(signed, view));
        Ok((describe::json_of(signed, view)?, fields))
    };
    made.show(told, output)
}

/// The command that carries key parts: their signatures are enough, so it needs none of its own.
fn load(hsm: &Hsm, paths: &[PathBuf], out: &Path, output: Output) -> Result<()> {
    let mut parts = paths.iter().map(|path| files::part(path)).collect::<Result<Vec<SignedPart>>>()?;
    parts.sort_by_key(|part| part.place());
    let Some(target) = parts.first().map(SignedPart::target) else {
        return Err(Failure::new(Outcome::Usage, "no key part is named"));
    };
    if let Some(part) = parts.iter().find(|part| part.target() != target) {
        let message = format!("key part {} is made for another unit, or another command", part.place().0);
        return Err(Failure::new(Outcome::Refused, message).next("seal all parts for one statement"));
    }
    let command = SignedCommand::new(&target, &Command::LoadNewMasterKey(parts))?;
    files::write_command(out, &command)?;
    describe::command(&command, sign::seen(hsm, &command, None)?.as_ref(), output)
}

/// The administrator of that name or key.
fn ski_of(unit: &Destination, administrator: &str) -> Result<Ski> {
    if let Ok(ski) = administrator.parse() {
        return Ok(ski);
    }
    let found = unit.view.administrators.iter().find(|one| one.name == administrator);
    let ski = found.and_then(|one| one.ski.parse().ok());
    ski.ok_or_else(|| {
        Failure::new(
            Outcome::NotFound,
            format!("no administrator is called {}", crate::commands::quoted(administrator)),
        )
        .next("`softhsm-rs unit show` lists them")
    })
}

/// The permissions with some granted and some taken back; `None` where nothing is said of them.
fn moved(unit: &Destination, allow: &[Permission], forbid: &[Permission]) -> Option<Permissions> {
    if allow.is_empty() && forbid.is_empty() {
        return None;
    }
    let now = unit.view.permissions();
    let given = allow.iter().fold(now, |all, one| all.with(bits(*one)));
    Some(forbid.iter().fold(given, |all, one| all.without(bits(*one))))
}

fn bits(permission: Permission) -> Permissions {
    match permission {
        Permission::Import => Permissions::IMPORT,
        Permission::Export => Permissions::EXPORT,
        Permission::SinglePart => Permissions::SINGLE_PART,
        Permission::Random => Permissions::RANDOM,
        Permission::SingleSignature => Permissions::SINGLE_SIGNATURE,
        Permission::ZeroizeSingleSignature => Permissions::ZEROIZE_SINGLE_SIGNATURE,
    }
}
