//! What a command or a key part says, for whoever is asked to sign it: read from the bytes that are signed.

use hsm_core::unit::{Attributes, Command, Permissions, SignedCommand, SignedPart, Ski, Target};
use serde_json::{Map, Value, json};

use super::view::{Count, View};
use crate::failure::Result;
use crate::output::{Output, printable};

/// Shows a command; what is said of administrators is by the unit as it is known here.
pub(in crate::commands) fn command(
    signed: &SignedCommand,
    view: Option<&View>,
    output: Output,
) -> Result<()> {
    let object = json_of(signed, view)?;
    let fields = fields(signed, view)?;
    output.result(&object, |page| page.fields(fields.into_iter().chain(signatures(signed, view))));
    Ok(())
}

/// What scripts are told of a command.
pub(super) fn json_of(signed: &SignedCommand, view: Option<&View>) -> Result<Map<String, Value>> {
    let fields = fields(signed, view)?;
    let signers = signed.signers();
    let count = view.and_then(|view| view.count(signed));
    let mut object = Map::new();
    object.extend(fields.iter().map(|(name, value)| (name.replace(' ', "_"), json!(value))));
    object.insert("signers".into(), json!(signers));
    if let (Some(view), Some(count)) = (view, &count) {
        let names: Vec<_> = signers.iter().map(|ski| view.name_of(ski)).collect();
        let Count { given, needed, others } = count;
        object.insert("signer_names".into(), json!(names));
        object.insert("signatures".into(), json!({ "given": given, "needed": needed, "others": others }));
    }
    Ok(object)
}

/// Who signed a command, and how many have to, where that is known.
pub(in crate::commands) fn signatures(
    signed: &SignedCommand,
    view: Option<&View>,
) -> Vec<(&'static str, String)> {
    let count = view.and_then(|view| view.count(signed));
    let count = count.map(|count| ("signatures", count.to_string()));
    signed_by(&signed.signers(), view).into_iter().chain(count).collect()
}

/// Shows a key part.
pub(super) fn part(part: &SignedPart, output: Output) {
    output.result(&json_of_part(part), |page| page.fields(all_of_part(part)));
}

/// What scripts are told of a key part.
pub(super) fn json_of_part(part: &SignedPart) -> Map<String, Value> {
    let (number, count) = part.place();
    let target = part.target();
    let fields = [
        ("part", json!(number)),
        ("of", json!(count)),
        ("hsm", json!(target.hsm_id)),
        ("unit", json!(target.unit_id)),
        ("counter", json!(target.counter.to_string())),
        ("expires", json!(part.expires())),
        ("signers", json!(part.signers())),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What people are told of a key part.
pub(super) fn all_of_part(part: &SignedPart) -> Vec<(&'static str, String)> {
    part_fields(part).into_iter().chain(signed_by(&part.signers(), None)).collect()
}

/// Names and values of all that is signed of a key part.
pub(super) fn part_fields(part: &SignedPart) -> Vec<(&'static str, String)> {
    let (number, count) = part.place();
    let mut fields = vec![("key part", format!("{number} of {count}"))];
    fields.extend(made_for(&part.target(), part.expires()));
    fields
}

/// Names and values of all that is signed.
pub(in crate::commands) fn fields(
    signed: &SignedCommand,
    view: Option<&View>,
) -> Result<Vec<(&'static str, String)>> {
    let command = signed.command()?;
    let mut fields = vec![("command", command.kind().row().name.to_owned())];
    fields.extend(parameters(&command, view));
    fields.extend(made_for(&signed.target()?, signed.expires()?));
    Ok(fields)
}

fn parameters(command: &Command, view: Option<&View>) -> Vec<(&'static str, String)> {
    match command {
        Command::AddAdministrator(new) => {
            vec![("name", printable(&new.name)), ("key", new.ski().to_string())]
        }
        Command::RemoveAdministrator(ski) => {
            let name = view.and_then(|view| view.name_of(ski)).map(|name| ("name", printable(name)));
            name.into_iter().chain([("key", ski.to_string())]).collect()
        }
        Command::SetAttributes(attributes) => of_attributes(attributes),
        Command::LoadNewMasterKey(parts) => {
            let signers = parts.iter().flat_map(SignedPart::signers).map(|ski| person(&ski, view));
            vec![
                ("key parts", parts.len().to_string()),
                ("parts signed by", signers.collect::<Vec<_>>().join(", ")),
            ]
        }
        Command::Commit(pattern) | Command::SetImmediate(pattern) => {
            vec![("verification pattern", pattern.to_string())]
        }
        Command::ExportCurrent(recipient) | Command::ExportNew(recipient) => {
            vec![("to key", recipient.ski().to_string())]
        }
        Command::GenerateImporter
        | Command::GenerateMasterKey
        | Command::ClearNew
        | Command::ClearCurrent
        | Command::Zeroize => Vec::new(),
    }
}

fn of_attributes(attributes: &Attributes) -> Vec<(&'static str, String)> {
    let Attributes { signature_threshold, revocation_threshold, permissions } = attributes;
    let mut fields = Vec::new();
    fields.extend(signature_threshold.map(|count| ("signature threshold", count.to_string())));
    fields.extend(revocation_threshold.map(|count| ("revocation threshold", count.to_string())));
    fields.extend(permissions.map(|permissions| ("permissions", names(permissions))));
    fields
}

pub(in crate::commands) fn names(permissions: Permissions) -> String {
    const NAMES: [(Permissions, &str); 6] = [
        (Permissions::IMPORT, "import"),
        (Permissions::EXPORT, "export"),
        (Permissions::SINGLE_PART, "single-part"),
        (Permissions::RANDOM, "random"),
        (Permissions::SINGLE_SIGNATURE, "single-signature"),
        (Permissions::ZEROIZE_SINGLE_SIGNATURE, "zeroize-single-signature"),
    ];
    let given: Vec<&str> =
        NAMES.iter().filter(|(bit, _)| permissions.allow(*bit)).map(|(_, name)| *name).collect();
    format!("{} (0x{:08x})", given.join(", "), permissions.bits())
}

fn made_for(target: &Target, expires: Option<u64>) -> Vec<(&'static str, String)> {
    vec![
        ("HSM", target.hsm_id.to_string()),
        ("unit", target.unit_id.to_string()),
        ("counter", target.counter.to_string()),
        ("counts until", expires.map_or("the next command".into(), moment)),
    ]
}

pub(in crate::commands) fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    moment.map_or_else(|| format!("{seconds} s after 1970"), |moment| moment.to_string())
}

fn signed_by(signers: &[Ski], view: Option<&View>) -> Option<(&'static str, String)> {
    let signers: Vec<String> = signers.iter().map(|ski| person(ski, view)).collect();
    Some(("signed by", if signers.is_empty() { "nobody".into() } else { signers.join(", ") }))
}

fn person(ski: &Ski, view: Option<&View>) -> String {
    view.map_or_else(|| ski.to_string(), |view| view.person(ski))
}
