//! `status`: where the HSM is, what its crypto unit holds, and what its tokens are.

use hsm_core::hsm::Hsm;
use hsm_core::unit::ceremony::one_machine_holds_quorum;
use hsm_core::unit::{RegisterStatus, UnitStatus};
use serde_json::json;

use super::Token;
use super::token::{self, Listed};
use crate::failure::Result;
use crate::output::{Output, printable};

pub(super) fn run(hsm: &Hsm, output: Output) -> Result<()> {
    let config = hsm.config();
    let unit = hsm.unit_status()?;
    let tokens: Vec<_> = Token::all(hsm)?.iter().map(Listed::of).collect();
    let quorum_here = quorum_is_here(hsm);
    let value = json!({
        "home": config.home.root.display().to_string(),
        "source": config.source.to_string(),
        "store": config.store.to_string(),
        "unit": unit,
        "one_machine_holds_quorum": quorum_here,
        "tokens": tokens,
    });
    output.result(&value, |page| {
        let home = format!("{} ({})", config.home.root.display(), config.source);
        page.fields(
            [("home", home), ("store", config.store.to_string())].into_iter().chain(unit_fields(&unit)),
        );
        page.line("");
        token::table(page, &tokens);
    });
    warn_of_quorum(hsm, output);
    Ok(())
}

/// What `init` shows at its end.
pub(super) fn unit_summary(unit: &UnitStatus) -> Vec<(&'static str, String)> {
    let mut fields = vec![("HSM", unit.hsm_id.to_string())];
    fields.extend(register("master key", &unit.current_register));
    fields
}

pub(super) fn unit_fields(unit: &UnitStatus) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("HSM", unit.hsm_id.to_string()),
        ("crypto unit", format!("{}, {}, {}", unit.unit_id, unit.kind.name(), unit.ownership)),
    ];
    fields.extend(register("master key", &unit.current_register));
    fields.extend(register("new master key", &unit.new_register));
    fields.push(("administrators", administrators(unit)));
    if let Some(thresholds) = &unit.thresholds {
        let text = format!("{} to sign, {} to revoke", thresholds.signature, thresholds.revocation);
        fields.push(("thresholds", text));
    }
    fields
}

fn register(name: &'static str, register: &RegisterStatus) -> Vec<(&'static str, String)> {
    let mut fields = vec![(name, register.status.to_owned())];
    fields
        .extend(register.verification_pattern.map(|pattern| ("  verification pattern", pattern.to_string())));
    fields
}

fn administrators(unit: &UnitStatus) -> String {
    let names: Vec<_> = unit.administrators.iter().map(|one| printable(&one.name)).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// Whether the ceremony's files are all still here. What cannot be read here is not held here.
fn quorum_is_here(hsm: &Hsm) -> bool {
    one_machine_holds_quorum(&hsm.unit_paths()).unwrap_or(false)
}

/// The quorum is what keeps one person from replacing the master key; on one machine it does not.
pub(super) fn warn_of_quorum(hsm: &Hsm, output: Output) {
    if output.is_chatty() && quorum_is_here(hsm) {
        let place = hsm.unit_paths().ceremony_file("*").display().to_string();
        output.warning(&format!(
            "this machine alone holds the quorum. Move the administrators' keys and the key parts\n  ({place}) to different places, and keep them: they restore the master key."
        ));
    }
}
