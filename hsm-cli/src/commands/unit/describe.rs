//! What a command or a key part says, for whoever is asked to sign it: read from the bytes that are signed.

use hsm_core::unit::{Attributes, Command, Permissions, SignedCommand, SignedPart, Ski, Target};
use serde_json::json;

use crate::failure::Result;
use crate::output::{Output, printable};

/// Shows a command.
pub(super) fn command(signed: &SignedCommand, output: Output) -> Result<()> {
    let fields = fields(signed)?;
    let signers = signed.signers();
    let mut object = serde_json::Map::new();
    object.extend(fields.iter().map(|(name, value)| (name.replace(' ', "_"), json!(value))));
    object.insert("signers".into(), json!(signers));
    output.result(&object, |page| page.fields(fields.into_iter().chain(signed_by(&signers))));
    Ok(())
}

/// Shows a key part.
pub(super) fn part(part: &SignedPart, output: Output) {
    let (number, count) = part.place();
    let signers = part.signers();
    let target = part.target();
    let value = json!({
        "part": number, "of": count, "hsm": target.hsm_id, "unit": target.unit_id,
        "counter": target.counter.to_string(), "expires": part.expires(), "signers": signers,
    });
    output.result(&value, |page| {
        let what = ("key part", format!("{number} of {count}"));
        page.fields(
            std::iter::once(what).chain(made_for(&target, part.expires())).chain(signed_by(&signers)),
        );
    });
}

/// Names and values of all that is signed.
pub(super) fn fields(signed: &SignedCommand) -> Result<Vec<(&'static str, String)>> {
    let command = signed.command()?;
    let mut fields = vec![("command", command.kind().row().name.to_owned())];
    fields.extend(parameters(&command));
    fields.extend(made_for(&signed.target()?, signed.expires()?));
    Ok(fields)
}

fn parameters(command: &Command) -> Vec<(&'static str, String)> {
    match command {
        Command::AddAdministrator(new) => {
            vec![("name", printable(&new.name)), ("key", new.ski().to_string())]
        }
        Command::RemoveAdministrator(ski) => vec![("key", ski.to_string())],
        Command::SetAttributes(attributes) => of_attributes(attributes),
        Command::LoadNewMasterKey(parts) => {
            let signers = parts.iter().flat_map(SignedPart::signers).map(|ski| ski.to_string());
            vec![
                ("key parts", parts.len().to_string()),
                ("parts signed by", signers.collect::<Vec<_>>().join(" ")),
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

fn names(permissions: Permissions) -> String {
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

fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    moment.map_or_else(|| format!("{seconds} s after 1970"), |moment| moment.to_string())
}

fn signed_by(signers: &[Ski]) -> Option<(&'static str, String)> {
    let signers: Vec<String> = signers.iter().map(Ski::to_string).collect();
    Some(("signed by", if signers.is_empty() { "nobody".into() } else { signers.join(" ") }))
}
