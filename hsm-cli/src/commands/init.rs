//! `init`: the quick key ceremony, each step shown as it is done.

use hsm_core::hsm::Hsm;
use hsm_core::unit::UnitStatus;
use hsm_core::unit::ceremony::{Options, Step};
use serde::Serialize;
use serde_json::json;

use crate::cli::Init;
use crate::commands::status;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::pin::Source;

pub(super) fn run(hsm: &Hsm, options: &Init, output: Output) -> Result<()> {
    let home = hsm.config().home.root.display().to_string();
    let ceremony = Options {
        group: options.group.as_deref().map(group_number).transpose()?,
        passphrase: passphrase(options, output)?,
    };
    let mut steps = Vec::new();
    let mut progress = |step: Step| {
        if steps.is_empty() {
            output.step(&format!("Key ceremony in {home}\n   #  step                          signed"));
        }
        steps.push(Done::of(&step));
        output.step(&line(steps.len(), &step, &home));
    };
    let unit = match hsm.initialise(&ceremony, &mut progress) {
        Ok(unit) => unit,
        Err(hsm_core::Error::HsmExists(_)) if options.if_missing => return found(hsm, output),
        Err(error) => return Err(error.into()),
    };
    show(&unit, &steps, true, output);
    status::warn_of_quorum(hsm, output);
    Ok(())
}

/// A step in JSON.
#[derive(Serialize)]
pub(super) struct Done {
    name: &'static str,
    text: String,
    signatures_given: Option<u8>,
    signatures_needed: Option<u8>,
}

impl Done {
    pub(super) fn of(step: &Step) -> Done {
        Done {
            name: step.name,
            text: step.text.clone(),
            signatures_given: step.signatures.map(|count| count.given),
            signatures_needed: step.signatures.map(|count| count.needed),
        }
    }
}

/// A step on one line of a terminal: paths begin at the home, and of long numbers, which are in
/// `--json` and in `status`, the first digits are shown.
pub(super) fn line(number: usize, step: &Step, home: &str) -> String {
    let signatures = match step.signatures {
        Some(count) if count.needed > 0 => format!("{} of {}", count.given, count.needed),
        _ => String::new(),
    };
    let text = step.text.split(' ').map(|word| shortened(word, home)).collect::<Vec<_>>().join(" ");
    format!("{number:>4}  {:<28}  {signatures:<6}  {text}", step.name).trim_end().to_owned()
}

fn shortened(word: &str, home: &str) -> String {
    const LONG: usize = 40;
    const SHOWN: usize = 16;
    let in_home = word.strip_prefix(home).and_then(|rest| rest.strip_prefix('/'));
    match word.get(..SHOWN) {
        Some(start) if word.len() >= LONG && word.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{start}…")
        }
        _ => in_home.unwrap_or(word).to_owned(),
    }
}

fn found(hsm: &Hsm, output: Output) -> Result<()> {
    let unit = hsm.unit_status()?;
    output.step(&format!("There is an HSM in {} already", hsm.config().home.root.display()));
    show(&unit, &[], false, output);
    Ok(())
}

fn show(unit: &UnitStatus, steps: &[Done], created: bool, output: Output) {
    let value = json!({ "created": created, "steps": steps, "unit": unit });
    output.result(&value, |page| page.fields(status::unit_summary(unit)));
}

fn passphrase(options: &Init, output: Output) -> Result<Option<hsm_core::secret::Secret>> {
    let source = Source {
        name: "passphrase of the ceremony files".into(),
        file: options.passphrase_file.as_deref(),
        option: "--passphrase-file",
        variable: "SOFTHSM_RS_PASSPHRASE",
    };
    if options.passphrase { source.new_secret(output).map(Some) } else { source.given(output) }
}

/// A group by name or number.
pub(super) fn group_number(group: &str) -> Result<u32> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    match nix::unistd::Group::from_name(group) {
        Ok(Some(found)) => Ok(found.gid.as_raw()),
        _ => Err(Failure::new(Outcome::NotFound, format!("there is no group {}", super::quoted(group)))
            .next("`getent group` lists the groups; a number is taken too")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_fits_on_a_line() {
        assert_eq!(shortened("/h/ceremony/part-1", "/h"), "ceremony/part-1");
        assert_eq!(shortened("/home/x", "/h"), "/home/x");
        assert_eq!(shortened(&"ab".repeat(32), "/h"), "abababababababab…");
        assert_eq!(shortened("deadbeef", "/h"), "deadbeef");
    }

    #[test]
    fn a_group_is_known_by_name_and_by_number() {
        assert_eq!(group_number("root").unwrap(), 0);
        assert_eq!(group_number("4711").unwrap(), 4711);
        assert_eq!(group_number("no such group").unwrap_err().outcome, Outcome::NotFound);
    }
}
