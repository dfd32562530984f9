//! Our configuration file: the table of its keys. Leaves to `config` which file is read, and to
//! `document` how.

use std::path::{Path, PathBuf};

use super::document::{self, Document, Entry, Outcome};
use super::mechanisms::{self, MechanismPolicy};
use super::{AuditConfig, Config, Home, LogConfig, LogFormat, PinPolicy, SlotNumbers, Source};
use crate::audit::Uses;
use crate::error::{Error, Result};
use crate::object::Policy;
use crate::store::StoreUrl;

/// The file's keys in the order of the README. `slots.*` stands for every key below `[slots]`, and
/// `kmip.*` for those of the KMIP server, which reads and checks them itself.
const KEYS: &[Key] = &[
    Key { name: "home", set: |s, v| v.path().map(|it| s.home = Some(it)) },
    Key { name: "store", set: |s, v| store(v).map(|it| s.store = Some(it)) },
    Key { name: "log.level", set: |s, v| level(v).map(|it| s.log.filter = Some(it)) },
    Key { name: "log.file", set: |s, v| v.path().map(|it| s.log.file = Some(it)) },
    Key { name: "log.format", set: |s, v| v.one_of(LOG_FORMATS).map(|it| s.log.format = it) },
    Key { name: "pin.min_length", set: |s, v| v.number(1..=255).map(|it| s.pins.min_length = it) },
    Key { name: "pin.max_length", set: |s, v| v.number(1..=255).map(|it| s.pins.max_length = it) },
    Key { name: "pin.max_tries", set: |s, v| v.number(1..=1000).map(|it| s.pins.max_tries = it) },
    Key { name: "policy", set: |s, v| v.one_of(POLICIES).map(|it| s.policy = it) },
    Key {
        name: "mechanisms.allow",
        set: |s, v| mechanisms::named(v).map(|it| s.mechanisms.allow = Some(it)),
    },
    Key { name: "mechanisms.deny", set: |s, v| mechanisms::named(v).map(|it| s.mechanisms.deny = it) },
    Key { name: "mechanisms.legacy", set: |s, v| v.boolean().map(|it| s.mechanisms.legacy = it) },
    Key { name: "audit.uses", set: |s, v| v.one_of(USES).map(|it| s.audit.uses = Some(it)) },
    Key { name: "audit.changes", set: |s, v| v.boolean().map(|it| s.audit.changes = it) },
    Key { name: "audit.keep", set: |s, v| keep(v).map(|it| s.audit.keep = it) },
    Key { name: "events.slots", set: |s, v| v.boolean().map(|it| s.slot_events = it) },
    Key { name: "init.automatic", set: |s, v| v.boolean().map(|it| s.auto_init = it) },
    Key { name: "sealer.credential", set: |s, v| credential(v).map(|it| s.credential = it) },
    Key { name: "slots.*", set: |s, v| slot(v, &mut s.slots) },
    Key { name: "kmip.*", set: |_, _| Ok(()) },
];

/// Slot numbers as SoftHSM2 makes them have 31 bits; the fixed ones stay among them, so that they
/// fit a CK_SLOT_ID everywhere.
const SLOT_NUMBERS: std::ops::RangeInclusive<i64> = 0..=0x7fff_ffff;

const USES: &[(&str, Uses)] = &[("off", Uses::Off), ("buffered", Uses::Buffered), ("durable", Uses::Durable)];

const POLICIES: &[(&str, Policy)] = &[("compatible", Policy::Compatible), ("strict", Policy::Strict)];

const LOG_FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

/// The names of all keys, for documentation and its tests.
pub fn key_names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name)
}

struct Key {
    name: &'static str,
    set: fn(&mut Settings, &Entry) -> Outcome<()>,
}

/// Which file it is: in a home's own file, `home` would contradict the file's place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Named,
    InHome,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) home: Option<PathBuf>,
    store: Option<StoreUrl>,
    log: LogConfig,
    pins: PinPolicy,
    mechanisms: MechanismPolicy,
    policy: Policy,
    audit: AuditConfig,
    auto_init: bool,
    slot_events: bool,
    credential: String,
    slots: SlotNumbers,
}

impl Settings {
    /// The configuration, in `home` unless the file names another.
    pub(super) fn into_config(self, home: Home, source: Source, file: Option<PathBuf>) -> Config {
        let home = self.home.map_or(home, Home::at);
        let store = self.store.unwrap_or_else(|| StoreUrl::Sqlite(home.root.clone()));
        let Settings {
            log,
            pins,
            mechanisms,
            policy,
            audit,
            auto_init,
            slot_events,
            slots,
            credential: sealer_credential,
            ..
        } = self;
        let credentials = None;
        Config {
            home,
            store,
            log,
            slots,
            pins,
            mechanisms,
            policy,
            audit,
            auto_init,
            slot_events,
            sealer_credential,
            credentials,
            source,
            file,
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            home: None,
            store: None,
            log: LogConfig::default(),
            pins: PinPolicy::default(),
            mechanisms: MechanismPolicy::default(),
            policy: Policy::default(),
            audit: AuditConfig::default(),
            auto_init: true,
            slot_events: false,
            credential: "softhsm-rs.sealer".to_owned(),
            slots: SlotNumbers::default(),
        }
    }
}

/// Reads a file; `None` where there is none.
pub(super) fn read(path: &Path, place: Place) -> Result<Option<Settings>> {
    Document::read(path)?.map(|document| parse(&document, place)).transpose()
}

fn parse(document: &Document, place: Place) -> Result<Settings> {
    let table = document.table()?;
    let mut settings = Settings::default();
    for entry in document.entries(&table, "", &is_section) {
        apply(&mut settings, &entry, place).map_err(|what| document.fault(entry.at, &what))?;
    }
    if settings.pins.min_length > settings.pins.max_length {
        let what = "`pin.min_length` is larger than `pin.max_length`";
        return Err(Error::Config(format!("{}: {what}", document.path().display())));
    }
    Ok(settings)
}

fn apply(settings: &mut Settings, entry: &Entry, place: Place) -> Outcome<()> {
    let name = entry.name.as_str();
    if name == "home" && place == Place::InHome {
        return Err("`home` cannot be set in the home's own file: use SOFTHSM_RS_HOME, or SOFTHSM_RS_CONF with a file elsewhere".into());
    }
    let key = KEYS.iter().find(|key| match key.name.strip_suffix('*') {
        Some(section) => name.len() > section.len() && name.starts_with(section),
        None => key.name == name,
    });
    match key {
        Some(key) => (key.set)(settings, entry).map_err(|what| format!("`{name}` {what}")),
        None if is_section(name) => Err(format!("`{name}` is a table of keys, begun by [{name}]")),
        None => Err(document::unknown(name, key_names())),
    }
}

fn is_section(name: &str) -> bool {
    document::is_section(name, key_names())
}

fn store(entry: &Entry) -> Outcome<StoreUrl> {
    let url = entry.text()?.parse().map_err(|_| "is one of sqlite:DIR, sled:DIR, memory:".to_owned())?;
    Ok(match url {
        StoreUrl::Sqlite(dir) => StoreUrl::Sqlite(entry.resolve(&dir)),
        StoreUrl::Sled(dir) => StoreUrl::Sled(entry.resolve(&dir)),
        StoreUrl::Memory => StoreUrl::Memory,
    })
}

fn level(entry: &Entry) -> Outcome<String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let level = entry.text()?.to_ascii_lowercase();
    if LEVELS.contains(&level.as_str()) { Ok(level) } else { Err(format!("is one of {}", LEVELS.join(", "))) }
}

/// How many events are kept: all, or enough to see what happened.
fn keep(entry: &Entry) -> Outcome<u64> {
    match entry.number(0..=1_000_000_000)? {
        few @ 1..1000 => Err(format!("is 0, for all, or at least 1000; this is {few}")),
        number => Ok(number),
    }
}

/// A credential's name, as the service manager takes it: the name of a file.
fn credential(entry: &Entry) -> Outcome<String> {
    match entry.text()? {
        "." | ".." => Err("is a credential's name".to_owned()),
        name if name.contains('/') => Err("is a credential's name, not a path".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// A slot's number, under the label or serial number of its token.
fn slot(entry: &Entry, slots: &mut SlotNumbers) -> Outcome<()> {
    let number = entry.number(SLOT_NUMBERS)?;
    let name = entry.name.strip_prefix("slots.").unwrap_or(&entry.name);
    if let Some((other, _)) = slots.0.iter().find(|(_, taken)| *taken == number) {
        return Err(format!("has the number of `slots.{other}`"));
    }
    slots.0.push((name.to_owned(), number));
    Ok(())
}
