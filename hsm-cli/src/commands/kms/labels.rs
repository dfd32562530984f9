//! `kms key update`, `alias` and `registrations`.

use hsm_core::kms::{KeyId, Labels, Registration};
use serde::Serialize;

use super::Office;
use super::key::shown;
use crate::cli::{KmsAlias, KmsRegistration, UpdateKey};
use crate::failure::Result;
use crate::output::{Output, Page, date, printable};

pub(super) fn update(office: &Office, options: &UpdateKey, output: Output) -> Result<()> {
    let id = office.live(&options.key.key)?;
    let changes = &options.changes;
    let has_tags = changes.no_tags || !changes.tag.is_empty();
    let labels = Labels {
        name: changes.name.clone(),
        description: changes.description.clone(),
        tags: has_tags.then(|| changes.tag.clone()),
        ring: changes.ring.clone(),
    };
    shown(office, &office.kms().relabel(&id, &labels)?, output)
}

pub(super) fn alias(office: &Office, command: &KmsAlias, output: Output) -> Result<()> {
    let key = match command {
        KmsAlias::Add { key, alias } => office.kms().add_alias(&office.live(&key.key)?, alias)?,
        KmsAlias::Rm { key, alias } => office.kms().remove_alias(&office.live(&key.key)?, alias)?,
    };
    shown(office, &key, output)
}

/// A registration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    key_id: String,
    resource_crn: String,
    prevent_key_deletion: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    key_version: KeyVersion,
    creation_date: String,
    created_by: String,
    last_updated: String,
}

/// The version that protects the resource.
#[derive(Debug, Serialize)]
struct KeyVersion {
    id: String,
}

impl Described {
    fn of(key: KeyId, registration: &Registration) -> Described {
        Described {
            key_id: key.to_string(),
            resource_crn: registration.resource.clone(),
            prevent_key_deletion: registration.prevents_deletion,
            description: registration.description.clone(),
            key_version: KeyVersion { id: registration.version.to_string() },
            creation_date: date(registration.created),
            created_by: registration.created_by.id.clone(),
            last_updated: date(registration.updated),
        }
    }

    fn row(&self) -> [String; 4] {
        [
            self.key_id.clone(),
            printable(&self.resource_crn),
            (if self.prevent_key_deletion { "kept" } else { "" }).to_owned(),
            printable(self.description.as_deref().unwrap_or_default()),
        ]
    }
}

pub(super) fn registrations(office: &Office, command: &KmsRegistration, output: Output) -> Result<()> {
    let kms = office.kms();
    let (key, resource) = match command {
        KmsRegistration::List { key, resource } => {
            (key.as_deref().map(|key| office.live(key)).transpose()?, resource.clone())
        }
        KmsRegistration::Add(options) => {
            let id = office.live(&options.key.key)?;
            let description = options.description.as_deref();
            kms.register(&id, &options.resource, options.prevent_deletion, description)?;
            (Some(id), Some(options.resource.clone()))
        }
        KmsRegistration::Rm { key, resource } => {
            let id = office.live(&key.key)?;
            return shown(office, &kms.unregister(&id, resource)?, output);
        }
    };
    let found = kms.registrations(key.as_deref(), resource.as_deref())?;
    let found: Vec<_> = found.iter().map(|(key, registration)| Described::of(*key, registration)).collect();
    output.result(&found, |page| listed(page, &found));
    Ok(())
}

fn listed(page: &mut Page, found: &[Described]) {
    if found.is_empty() {
        page.line("There is no registration that matches.");
        return;
    }
    let rows: Vec<_> = found.iter().map(Described::row).collect();
    page.table(["KEY", "RESOURCE", "DELETION", "DESCRIPTION"], &rows);
}
