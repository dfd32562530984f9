//! The keys of the `[kmip]` table, one row each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hsm_core::config::document::{self, Document, Entry, Outcome};
use hsm_core::{Error, Result};

use super::{Settings, rows};
use crate::identity::{IdentityRule, Pin, Unlisted};

/// The keys in the order of the README.
#[rustfmt::skip]
const KEYS: &[Key] = &[
    Key { name: "kmip.listen",            set: |s, v| addresses(v).map(|it| s.listen = it) },
    Key { name: "kmip.https_listen",      set: |s, v| addresses(v).map(|it| s.https_listen = it) },
    Key { name: "kmip.metrics_listen",    set: |s, v| addresses(v).map(|it| s.metrics_listen = it) },
    Key { name: "kmip.tls.certificate",   set: |s, v| v.path().map(|it| s.tls.certificate = it) },
    Key { name: "kmip.tls.key",           set: |s, v| v.path().map(|it| s.tls.key = it) },
    Key { name: "kmip.tls.client_ca",     set: |s, v| paths(v).map(|it| s.tls.client_ca = it) },
    Key { name: "kmip.tls.crl",           set: |s, v| paths(v).map(|it| s.tls.crl = it) },
    Key { name: "kmip.tls.trusted",       set: |s, v| v.path().map(|it| s.tls.trusted = it) },
    Key { name: "kmip.tls.minimum",       set: |s, v| v.one_of(VERSIONS).map(|it| s.tls.tls12 = it) },
    Key { name: "kmip.identity",          set: |s, v| v.one_of(IDENTITIES).map(|it| s.identity = it) },
    Key { name: "kmip.unlisted",          set: |s, v| v.one_of(UNLISTED).map(|it| s.unlisted = it) },
    Key { name: "kmip.client",            set: |s, v| rows::clients(v).map(|it| s.clients = it) },
    Key { name: "kmip.credential",        set: |s, v| rows::credentials(v).map(|it| s.credentials = it) },
    Key { name: "kmip.issuer",            set: |s, v| v.text().map(|it| s.issuer = Some(it.into())) },
    Key { name: "kmip.interop",           set: |s, v| v.boolean().map(|it| s.interop = it) },
    Key { name: "kmip.pin_file",          set: |s, v| v.path().map(|it| s.pin = Some(Pin::File(it))) },
    Key { name: "kmip.pin_credential",    set: |s, v| v.text().map(|it| s.pin = Some(Pin::Credential(it.into()))) },
    Key { name: "kmip.pin_only",          set: |s, v| v.boolean().map(|it| s.pin_only = it) },
    Key { name: "kmip.limits.message_size",    set: |s, v| v.number(1024..=64 << 20).map(|it| s.limits.message = it) },
    Key { name: "kmip.limits.nesting",         set: |s, v| v.number(8..=64).map(|it| s.limits.nesting = it) },
    Key { name: "kmip.limits.items",           set: |s, v| v.number(100..=10_000_000).map(|it| s.limits.items = it) },
    Key { name: "kmip.limits.connections",     set: |s, v| v.number(1..=1_000_000).map(|it| s.limits.connections = it) },
    Key { name: "kmip.limits.connections_per_client", set: |s, v| v.number(1..=1_000_000).map(|it| s.limits.connections_per_client = it) },
    Key { name: "kmip.limits.handshake_seconds",      set: |s, v| seconds(v).map(|it| s.limits.handshake = it) },
    Key { name: "kmip.limits.idle_seconds",           set: |s, v| seconds(v).map(|it| s.limits.idle = it) },
    Key { name: "kmip.limits.request_seconds",        set: |s, v| seconds(v).map(|it| s.limits.request = it) },
    Key { name: "kmip.limits.write_seconds",          set: |s, v| seconds(v).map(|it| s.limits.write = it) },
    Key { name: "kmip.limits.stop_seconds",           set: |s, v| seconds(v).map(|it| s.limits.stop = it) },
];

const IDENTITIES: &[(&str, IdentityRule)] = &[
    ("subject", IdentityRule::Subject),
    ("cn", IdentityRule::CommonName),
    ("san", IdentityRule::AlternativeName),
    ("ou", IdentityRule::OrganizationalUnit),
    ("fingerprint", IdentityRule::Fingerprint),
];

const UNLISTED: &[(&str, Unlisted)] = &[("refuse", Unlisted::Refuse), ("own-space", Unlisted::OwnSpace)];

/// Whether TLS 1.2 is spoken.
const VERSIONS: &[(&str, bool)] = &[("1.2", true), ("1.3", false)];

struct Key {
    name: &'static str,
    set: fn(&mut Settings, &Entry) -> Outcome<()>,
}

/// The names of all keys, for documentation and its tests.
pub fn key_names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name)
}

/// Takes over what the `[kmip]` table of a file says. The file's other tables are the core's.
pub(super) fn read(path: &Path, settings: &mut Settings) -> Result<()> {
    let missing = || Error::Config(format!("{}: there is no such file", path.display()));
    let document = Document::read(path)?.ok_or_else(missing)?;
    let table = document.table()?;
    for entry in document.entries(&table, "", &|name| document::is_section(name, key_names())) {
        if entry.name == "kmip" || entry.name.starts_with("kmip.") {
            apply(settings, &entry).map_err(|what| document.fault(entry.at, &what))?;
        }
    }
    Ok(())
}

fn apply(settings: &mut Settings, entry: &Entry) -> Outcome<()> {
    let name = entry.name.as_str();
    match KEYS.iter().find(|key| key.name == name) {
        Some(key) => (key.set)(settings, entry).map_err(|what| format!("`{name}` {what}")),
        None if document::is_section(name, key_names()) => {
            Err(format!("`{name}` is a table of keys, begun by [{name}]"))
        }
        None => Err(document::unknown(name, key_names())),
    }
}

fn addresses(entry: &Entry) -> Outcome<Vec<SocketAddr>> {
    let address = |entry: Entry| {
        let text = entry.text()?;
        text.parse().map_err(|_| format!("is an address with a port, as 127.0.0.1:5696; this is \"{text}\""))
    };
    entry.each().into_iter().map(address).collect()
}

fn paths(entry: &Entry) -> Outcome<Vec<PathBuf>> {
    entry.each().iter().map(Entry::path).collect()
}

/// From a second to a day.
fn seconds(entry: &Entry) -> Outcome<Duration> {
    entry.number(1..=86_400).map(Duration::from_secs)
}
