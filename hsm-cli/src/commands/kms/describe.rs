//! Keys as they are shown.

use hsm_core::kms::{KeyRecord, KeyState, Kind, Version};
use hsm_core::object::lifecycle::Seconds;
use serde::Serialize;

use super::moment;
use crate::output::{Page, date, printable};

/// A key's version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribedVersion {
    pub(super) id: String,
    pub(super) creation_date: String,
    #[serde(skip)]
    pub(super) created_by: String,
}

impl DescribedVersion {
    pub(super) fn of(version: &Version) -> DescribedVersion {
        DescribedVersion {
            id: version.id.to_string(),
            creation_date: date(version.created),
            created_by: version.created_by.name.clone(),
        }
    }
}

/// Whether two persons are needed to delete a key, and whether one has said so already.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DualAuth {
    pub(super) enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_set_for_deletion: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_expiration: Option<String>,
    #[serde(skip)]
    by: Option<String>,
}

/// A key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    #[serde(rename = "type")]
    kind: &'static str,
    pub(super) id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    aliases: Vec<String>,
    tags: Vec<String>,
    state: u8,
    extractable: bool,
    #[serde(rename = "keyRingID")]
    ring: String,
    imported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm_type: Option<&'static str>,
    algorithm_bit_size: u32,
    creation_date: String,
    created_by: String,
    last_update_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rotate_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotate_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_version: Option<DescribedVersion>,
    dual_auth_delete: DualAuth,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_expiration_date: Option<String>,
    #[serde(skip)]
    says: KeyState,
    #[serde(skip)]
    registrations: usize,
}

impl Described {
    pub(super) fn of(key: &KeyRecord, now: Seconds) -> Described {
        let state = key.state(now);
        Described {
            kind: "application/vnd.ibm.kms.key+json",
            id: key.id.to_string(),
            name: key.name.clone(),
            description: key.description.clone(),
            aliases: key.aliases.clone(),
            tags: key.tags.clone(),
            state: state as u8,
            extractable: key.is_extractable(),
            ring: key.ring.clone(),
            imported: key.imported,
            algorithm_type: matches!(key.length, 16 | 24 | 32).then_some("AES"),
            algorithm_bit_size: key.length.saturating_mul(8),
            creation_date: date(key.created),
            created_by: key.created_by.id.clone(),
            last_update_date: date(key.updated),
            last_rotate_date: moment(key.rotated),
            next_rotate_date: moment(key.rotation_due()),
            expiration_date: moment(key.expiration),
            key_version: key.version().map(DescribedVersion::of),
            dual_auth_delete: dual_auth(key, now),
            deleted: key.deletion.is_some(),
            deletion_date: moment(key.deletion.as_ref().map(|deletion| deletion.at)),
            deleted_by: key.deletion.as_ref().map(|deletion| deletion.by.id.clone()),
            restore_expiration_date: moment(key.restorable_until()),
            says: state,
            registrations: key.registrations.len(),
        }
    }

    /// For people: what there is of it.
    pub(super) fn page(&self, page: &mut Page) {
        let said = |text: &Option<String>| text.as_deref().map(printable).filter(|text| !text.is_empty());
        let list = |texts: &[String]| Some(printable(&texts.join(" "))).filter(|text| !text.is_empty());
        let mut kind = format!("{} key", if self.extractable { "standard" } else { "root" });
        kind.push_str(if self.imported { ", brought" } else { ", generated" });
        let version = self.key_version.as_ref();
        let fields = [
            ("id", Some(self.id.clone())),
            ("name", Some(printable(&self.name))),
            ("description", said(&self.description)),
            ("kind", Some(format!("{kind}, {} bits", self.algorithm_bit_size))),
            ("state", Some(format!("{:?} ({})", self.says, self.state))),
            ("key ring", Some(self.ring.clone())),
            ("aliases", list(&self.aliases)),
            ("tags", list(&self.tags)),
            ("version", version.map(|version| version.id.clone())),
            ("created", Some(format!("{} by {}", self.creation_date, printable(&self.created_by)))),
            ("changed", Some(self.last_update_date.clone())),
            ("rotated", self.last_rotate_date.clone()),
            ("rotated next", self.next_rotate_date.clone()),
            ("expires", self.expiration_date.clone()),
            ("dual authorisation", self.dual_auth_delete.words()),
            ("registrations", Some(self.registrations.to_string()).filter(|_| self.registrations > 0)),
            ("deleted", self.deletion_date.as_ref().map(|at| format!("{at} by {}", self.deleter()))),
            ("restorable until", self.restore_expiration_date.clone()),
        ];
        page.fields(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }

    fn deleter(&self) -> String {
        printable(self.deleted_by.as_deref().unwrap_or_default())
    }

    fn row(&self) -> [String; 6] {
        [
            self.id.clone(),
            (if self.extractable { "standard" } else { "root" }).to_owned(),
            format!("{:?}", self.says),
            self.ring.clone(),
            printable(&self.name),
            printable(&self.aliases.join(" ")),
        ]
    }
}

pub(super) fn dual_auth(key: &KeyRecord, now: Seconds) -> DualAuth {
    let authorization = key.authorization(now);
    DualAuth {
        enabled: key.dual_auth,
        key_set_for_deletion: key.dual_auth.then_some(authorization.is_some()),
        auth_expiration: authorization.map(|(_, ends)| date(ends)),
        by: authorization.map(|(authorization, _)| authorization.by.name.clone()),
    }
}

impl DualAuth {
    pub(super) fn words(&self) -> Option<String> {
        let set = self.by.as_deref().zip(self.auth_expiration.as_deref());
        let set = set.map(|(by, ends)| format!("set for deletion by {}, until {ends}", printable(by)));
        self.enabled.then(|| set.unwrap_or_else(|| "needed".to_owned()))
    }
}

/// Keys, a line each.
pub(super) fn table(page: &mut Page, keys: &[Described]) {
    let rows: Vec<_> = keys.iter().map(Described::row).collect();
    page.table(["ID", "KIND", "STATE", "KEY RING", "NAME", "ALIASES"], &rows);
}

/// `root` or `standard`.
pub(super) fn kind(is_standard: bool) -> Kind {
    if is_standard { Kind::Standard } else { Kind::Root }
}
