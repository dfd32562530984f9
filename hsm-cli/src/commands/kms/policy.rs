//! `kms policy`, and `kms key policy`.

use hsm_core::Error;
use hsm_core::kms::{KeyRecord, Policies, Reason, RotationPolicy};
use serde_json::{Value, json};

use super::Office;
use super::describe::dual_auth;
use crate::cli::{Interval, KeyPolicies, KmsKeyPolicy, KmsPolicy, SetPolicy};
use crate::failure::Result;
use crate::output::{Output, Page, date};

pub(super) fn run(office: &Office, command: &KmsPolicy, output: Output) -> Result<()> {
    let policies = match command {
        KmsPolicy::Show => office.kms().policies()?,
        KmsPolicy::Set(said) => office.kms().change_policies(&|policies| change(policies, said))?,
    };
    output.result(&described(&policies), |page| listed(page, &policies));
    Ok(())
}

fn change(policies: &mut Policies, said: &SetPolicy) -> std::result::Result<(), Reason> {
    let set = |switch: &mut bool, said: Option<bool>| *switch = said.unwrap_or(*switch);
    set(&mut policies.dual_auth_delete, said.dual_auth);
    set(&mut policies.access.create_root_key, said.create_root_key);
    set(&mut policies.access.create_standard_key, said.create_standard_key);
    set(&mut policies.access.import_root_key, said.import_root_key);
    set(&mut policies.access.import_standard_key, said.import_standard_key);
    set(&mut policies.access.enforce_token, said.enforce_token);
    policies.allowed_network = said.network.unwrap_or(policies.allowed_network);
    policies.retention_days = said.retention.unwrap_or(policies.retention_days);
    if said.any_ip || !said.allow_ip.is_empty() {
        policies.allowed_ip.clone_from(&said.allow_ip);
    }
    if let Some(Interval(months)) = said.rotation {
        policies.rotation = months.map(|months| RotationPolicy::new(months, true)).transpose()?;
    }
    Ok(())
}

/// In JSON, each policy under the name of its type, with its data.
fn described(policies: &Policies) -> Value {
    let access = policies.access;
    let addresses: Vec<_> = policies.allowed_ip.iter().map(ToString::to_string).collect();
    json!({
        "dualAuthDelete": { "enabled": policies.dual_auth_delete },
        "allowedNetwork": { "attributes": { "allowed_network": policies.allowed_network.name() } },
        "allowedIP": { "enabled": !addresses.is_empty(), "attributes": { "allowed_ip": addresses } },
        "keyCreateImportAccess": { "attributes": {
            "create_root_key": access.create_root_key,
            "create_standard_key": access.create_standard_key,
            "import_root_key": access.import_root_key,
            "import_standard_key": access.import_standard_key,
            "enforce_token": access.enforce_token,
        } },
        "rotation": rotation(policies.rotation),
        "retention": { "days": policies.retention_days },
    })
}

fn rotation(policy: Option<RotationPolicy>) -> Value {
    match policy {
        Some(policy) => json!({ "enabled": policy.is_enabled(), "interval_month": policy.months() }),
        None => json!({ "enabled": false }),
    }
}

fn listed(page: &mut Page, policies: &Policies) {
    let word = |switch: bool| (if switch { "on" } else { "off" }).to_owned();
    let addresses: Vec<_> = policies.allowed_ip.iter().map(ToString::to_string).collect();
    let access = policies.access;
    page.fields([
        ("dual authorisation", word(policies.dual_auth_delete)),
        ("network", policies.allowed_network.name().to_owned()),
        ("addresses", if addresses.is_empty() { "all".to_owned() } else { addresses.join(" ") }),
        ("create root keys", word(access.create_root_key)),
        ("create standard keys", word(access.create_standard_key)),
        ("import root keys", word(access.import_root_key)),
        ("import standard keys", word(access.import_standard_key)),
        ("enforce import token", word(access.enforce_token)),
        ("rotation", interval(policies.rotation)),
        ("retention", format!("{} days", policies.retention_days)),
    ]);
}

fn interval(policy: Option<RotationPolicy>) -> String {
    match policy.filter(|policy| policy.is_enabled()) {
        Some(policy) => format!("every {} months of 30 days", policy.months()),
        None => "off".to_owned(),
    }
}

/// `kms key policy`.
pub(super) fn of_key(office: &Office, command: &KmsKeyPolicy, output: Output) -> Result<()> {
    let key = match command {
        KmsKeyPolicy::Show(named) => office.kms().key(&office.live(&named.key)?)?,
        KmsKeyPolicy::Set(options) => set(office, &office.live(&options.key.key)?, &options.said)?,
    };
    let dual = dual_auth(&key, office.now());
    let value = json!({ "dualAuthDelete": dual, "rotation": rotation(key.rotation) });
    output.result(&value, |page| {
        let mut fields = vec![
            ("rotation", interval(key.rotation)),
            ("dual authorisation", dual.words().unwrap_or_else(|| "off".to_owned())),
        ];
        fields.extend(key.rotation_due().map(|due| ("rotated next", date(due))));
        page.fields(fields);
    });
    Ok(())
}

fn set(office: &Office, id: &str, said: &KeyPolicies) -> Result<KeyRecord> {
    let kms = office.kms();
    let mut key = kms.key(id)?;
    if let Some(Interval(months)) = said.rotation {
        // A policy that is off keeps its interval; a key that never had one is given none.
        let wanted = match (months, key.rotation) {
            (Some(months), _) => Some(RotationPolicy::new(months, true).map_err(Error::from)?),
            (None, Some(policy)) => Some(RotationPolicy::new(policy.months(), false).map_err(Error::from)?),
            (None, None) => None,
        };
        if let Some(wanted) = wanted {
            key = kms.set_rotation(id, wanted)?;
        }
    }
    if let Some(enabled) = said.dual_auth {
        key = kms.set_dual_auth(id, enabled)?;
    }
    Ok(key)
}
