//! `import softhsm2`: a whole token of SoftHSM2. Everything is read, decrypted and checked before anything is
//! written, and what is written is one transaction.

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::hsm::Hsm;
use hsm_core::object::{Template, Value, rules};
use hsm_core::secret::Secret;
use hsm_core::service::bringing::{self, Fate};
use hsm_core::softhsm2::{self, Backend, Content, Fault, Found, Refusal};
use serde::Serialize;
use serde_json::json;

use super::target::Target;
use crate::cli::Softhsm2;
use crate::commands::{Token, quoted};
use crate::describe;
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, Page, printable};
use crate::pin::Source;

/// An object in the report. The names are those of `--json` and stay as they are.
#[derive(Debug, Serialize)]
struct Reported {
    place: String,
    class: &'static str,
    #[serde(rename = "type")]
    kind: String,
    label: String,
    /// In hexadecimal digits.
    id: String,
    outcome: &'static str,
    /// Why it was left out.
    reason: Option<String>,
    /// Attributes that it has in SoftHSM2 and not here.
    dropped: Vec<String>,
}

const LEFT_OUT: &str = "left out";

pub(super) fn run(hsm: &Hsm, options: &Softhsm2, output: Output) -> Result<()> {
    // Whether there is an HSM is said before a PIN is asked for.
    let ours = Token::all(hsm)?;
    let source = choose(softhsm2::tokens(&options.tokendir)?, options.from.as_deref())?;
    if options.pin.is_some() || options.so_pin.is_some() {
        output
            .warning("a PIN on the command line can be seen by others on this machine; --pin-file reads it");
    }
    let pin =
        Given { text: options.pin.as_deref(), source: source_of_pin(&source, options) }.secret(output)?;
    let found = source.objects(&source.open(pin.expose())?)?;
    if !options.skip_damaged {
        refuse_damaged(&found)?;
    }
    let (mut reported, templates) = sort(found);
    let target = match options.dry_run {
        true => None,
        false => Some(target(hsm, ours, options, &source, pin, output)?),
    };
    let token = match &target {
        None => None,
        Some(target) => {
            let (token, fates) = target.bring(hsm, &templates)?;
            let wanted = reported.iter_mut().filter(|object| object.reason.is_none());
            for (object, fate) in wanted.zip(fates) {
                object.outcome = match fate {
                    Fate::Added => "brought",
                    Fate::Present => "already there",
                };
            }
            Some(token)
        }
    };
    let is_new = matches!(target, Some(Target::New { .. }));
    report(&source, token.as_ref().map(|token| (token, is_new)), &reported, output);
    Ok(())
}

/// The token that was named, or the only one.
fn choose(mut tokens: Vec<softhsm2::Token>, name: Option<&str>) -> Result<softhsm2::Token> {
    let all = tokens.iter().map(|token| format!("{} (serial {})", quoted(&token.label), token.serial));
    let all = all.collect::<Vec<_>>().join(", ");
    if let Some(name) = name {
        tokens.retain(|token| token.label == name || token.serial == name);
    }
    match (tokens.len(), name) {
        (1, _) => Ok(tokens.remove(0)),
        (0, Some(name)) => {
            Err(Failure::new(Outcome::NotFound, format!("SoftHSM2 has no token {} here", quoted(name)))
                .next(format!("there are {all}")))
        }
        _ => Err(Failure::new(Outcome::NotFound, format!("SoftHSM2 has several such tokens here: {all}"))
            .next("name one with --from, by its serial number where labels are the same")),
    }
}

/// A PIN that the command line may have in clear.
struct Given<'a> {
    text: Option<&'a str>,
    source: Source<'a>,
}

impl Given<'_> {
    fn secret(&self, output: Output) -> Result<Secret> {
        match self.text {
            Some(text) => Ok(Secret::copy_of(text.as_bytes())),
            None => self.source.existing(output),
        }
    }
}

fn source_of_pin<'a>(token: &softhsm2::Token, options: &'a Softhsm2) -> Source<'a> {
    Source {
        name: format!("user PIN of SoftHSM2's token {}", quoted(&token.label)),
        ..Source::user("", options.pin_file.as_deref())
    }
}

/// Nothing is brought of a token that cannot be read as a whole, unless that is wanted.
fn refuse_damaged(found: &[Found]) -> Result<()> {
    let mut damaged = found.iter().filter_map(|found| found.content.as_ref().err());
    let Some(first) = damaged.next() else { return Ok(()) };
    let others = match damaged.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    let outcome = if matches!(first, Fault::File { .. }) { Outcome::Disk } else { Outcome::Damaged };
    Err(Failure::new(outcome, format!("{first}{others}; nothing was imported"))
        .next("--skip-damaged leaves out what cannot be read"))
}

/// What is to be brought, and the report of all, in the same order.
fn sort(found: Vec<Found>) -> (Vec<Reported>, Vec<Template>) {
    let mut reported = Vec::new();
    let mut templates = Vec::new();
    for Found { place, content } in found {
        let content = match content {
            Ok(content) => content,
            Err(fault) => {
                reported.push(unread(place, &fault));
                continue;
            }
        };
        let reason = match content.refusal {
            Some(Refusal::Class(class)) => Some(format!("objects of class {class:#x} are not offered here")),
            None => bringing::check(&content.template).err().map(|error| refusal(&error, &content)),
        };
        reported.push(Reported::of(place, &content, reason));
        if reported.last().is_some_and(|object| object.reason.is_none()) {
            templates.push(content.template);
        }
    }
    (reported, templates)
}

fn refusal(error: &Error, content: &Content) -> String {
    match (error, number(&content.template, CKA_KEY_TYPE)) {
        (Error::AttributeValueInvalid(CKA_KEY_TYPE), Some(kind)) => {
            format!("keys of type {kind:#x} are not offered here")
        }
        _ => error.to_string(),
    }
}

fn unread(place: String, fault: &Fault) -> Reported {
    Reported {
        place,
        class: "",
        kind: String::new(),
        label: String::new(),
        id: String::new(),
        outcome: LEFT_OUT,
        reason: Some(fault.to_string()),
        dropped: Vec::new(),
    }
}

impl Reported {
    fn of(place: String, content: &Content, reason: Option<String>) -> Reported {
        let template = &content.template;
        let is_key = template.iter().any(|(kind, _)| *kind == CKA_KEY_TYPE);
        Reported {
            place,
            class: describe::class_name(number(template, CKA_CLASS)),
            kind: if is_key { describe::type_name(number(template, CKA_KEY_TYPE)) } else { String::new() },
            label: String::from_utf8_lossy(bytes(template, CKA_LABEL)).into_owned(),
            id: hex::encode(bytes(template, CKA_ID)),
            outcome: if reason.is_some() { LEFT_OUT } else { "would be brought" },
            reason,
            dropped: content.dropped.iter().map(|kind| name(*kind)).collect(),
        }
    }
}

fn name(kind: u64) -> String {
    rules::name_of(kind).map_or_else(|| format!("{kind:#x}"), str::to_owned)
}

fn number(template: &Template, kind: u64) -> Option<u64> {
    template.iter().find_map(|(found, value)| match value {
        Value::Number(number) if *found == kind => Some(*number),
        _ => None,
    })
}

fn bytes(template: &Template, kind: u64) -> &[u8] {
    let value = template.iter().find(|(found, _)| *found == kind).map(|(_, value)| value);
    value.and_then(Value::as_bytes).unwrap_or_default()
}

/// The token that is there, or what is needed to make it.
fn target(
    hsm: &Hsm,
    ours: Vec<Token>,
    options: &Softhsm2,
    source: &softhsm2::Token,
    pin: Secret,
    output: Output,
) -> Result<Target> {
    let name = options.token.as_deref().unwrap_or(&source.label);
    let so_pin = |label: &str| Source {
        name: format!("SO PIN of {}", quoted(label)),
        file: options.so_pin_file.as_deref(),
        option: "--so-pin-file",
        variable: "SOFTHSM_RS_SO_PIN",
    };
    let typed = options.so_pin.as_ref().map(|pin| Secret::copy_of(pin.as_bytes()));
    let Some(token) = Token::find(ours, name)? else {
        let policy = &hsm.config().pins;
        let so_pin = match typed {
            Some(typed) => typed,
            None => so_pin(name).new_pin(policy, output)?,
        };
        for pin in [&pin, &so_pin] {
            if pin.len() < policy.min_length || pin.len() > policy.max_length {
                let (min, max) = (policy.min_length, policy.max_length);
                return Err(Error::PinLength { min, max }.into());
            }
        }
        return Ok(Target::New { label: name.to_owned(), pin, so_pin });
    };
    let so_pin = match typed {
        Some(typed) => Some(typed),
        None => so_pin(name).given(output)?,
    };
    let pin = match &options.token_pin_file {
        Some(file) => Source { option: "--token-pin-file", ..Source::user(&token.label(), Some(file)) }
            .existing(output)?,
        None => pin,
    };
    Ok(Target::Present { token, pin, so_pin })
}

fn report(source: &softhsm2::Token, target: Option<(&Token, bool)>, objects: &[Reported], output: Output) {
    let count = |outcome: &str| objects.iter().filter(|object| object.outcome == outcome).count();
    let brought = count("brought") + count("would be brought");
    let backend = match source.backend {
        Backend::File => "file",
        Backend::Database => "db",
    };
    let value = json!({
        "source": { "label": source.label, "serial": source.serial, "backend": backend },
        "token": target.map(|(token, made)| {
            json!({ "label": token.label(), "serial": token.serial(), "made": made })
        }),
        "dry_run": target.is_none(),
        "brought": brought,
        "already_there": count("already there"),
        "left_out": count(LEFT_OUT),
        "objects": objects,
    });
    output.result(&value, |page| {
        table(page, objects);
        let rest = format!("{} already there, {} left out", count("already there"), count(LEFT_OUT));
        let source = quoted(&source.label);
        page.line(&match target {
            None => format!(
                "Of SoftHSM2's token {source} {brought} objects would be brought, {} left out; nothing was changed.",
                count(LEFT_OUT)
            ),
            Some((token, made)) => format!(
                "{brought} objects of SoftHSM2's token {source} were brought to the {}token {} (serial {}), {rest}.",
                if made { "new " } else { "" },
                quoted(&token.label()),
                token.serial()
            ),
        });
    });
}

fn table(page: &mut Page, objects: &[Reported]) {
    let row = |object: &Reported| {
        let mut remark = object.reason.clone().unwrap_or_default();
        if object.reason.is_none() && !object.dropped.is_empty() {
            remark = format!("without {}", object.dropped.join(", "));
        }
        [
            object.class.to_owned(),
            object.kind.clone(),
            printable(&object.label),
            object.id.clone(),
            object.outcome.to_owned(),
            printable(&remark),
        ]
    };
    page.table(["CLASS", "TYPE", "LABEL", "ID", "OUTCOME", ""], &objects.iter().map(row).collect::<Vec<_>>());
}
