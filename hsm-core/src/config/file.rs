//! Our configuration file: TOML, one table of keys, and an error that names file, line and key for
//! everything else. Leaves to `config` which file is read.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{Config, Home, LogConfig, PinPolicy, SlotNumbers, Source};
use crate::error::{Error, Result};
use crate::store::StoreUrl;

/// The file's keys in the order of the README. `slots.*` stands for every key below `[slots]`.
const KEYS: &[Key] = &[
    Key { name: "home", set: |s, v| v.path().map(|it| s.home = Some(it)) },
    Key { name: "store", set: |s, v| v.store().map(|it| s.store = Some(it)) },
    Key { name: "log.level", set: |s, v| v.level().map(|it| s.log.filter = it) },
    Key { name: "log.file", set: |s, v| v.path().map(|it| s.log.file = Some(it)) },
    Key { name: "pin.min_length", set: |s, v| v.number(1..=255).map(|it| s.pins.min_length = it) },
    Key { name: "pin.max_length", set: |s, v| v.number(1..=255).map(|it| s.pins.max_length = it) },
    Key { name: "pin.max_tries", set: |s, v| v.number(1..=1000).map(|it| s.pins.max_tries = it) },
    Key { name: "init.automatic", set: |s, v| v.boolean().map(|it| s.auto_init = it) },
    Key { name: "slots.*", set: |s, v| v.slot(&mut s.slots) },
];

/// Slot numbers as SoftHSM2 makes them have 31 bits; the fixed ones stay among them, so that they
/// fit a CK_SLOT_ID everywhere.
const SLOT_NUMBERS: std::ops::RangeInclusive<i64> = 0..=0x7fff_ffff;

/// No configuration is longer, in bytes; a device or a pipe named by mistake may be.
const LARGEST: u64 = 1 << 20;

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
    home: Option<PathBuf>,
    store: Option<StoreUrl>,
    log: LogConfig,
    pins: PinPolicy,
    auto_init: bool,
    slots: SlotNumbers,
}

impl Settings {
    /// The configuration, in `home` unless the file names another.
    pub(super) fn into_config(self, home: Home, source: Source) -> Config {
        let home = self.home.map_or(home, Home::at);
        let store = self.store.unwrap_or_else(|| StoreUrl::Sqlite(home.root.clone()));
        let Settings { log, pins, auto_init, slots, .. } = self;
        Config { home, store, log, slots, pins, auto_init, source }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            home: None,
            store: None,
            log: LogConfig::default(),
            pins: PinPolicy::default(),
            auto_init: true,
            slots: SlotNumbers::default(),
        }
    }
}

/// Reads a file; `None` where there is none.
pub(super) fn read(path: &Path, place: Place) -> Result<Option<Settings>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file(path)(e)),
    };
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(Error::file(path))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        return Err(Error::Config(format!("{}: longer than a configuration is", path.display())));
    }
    parse(&text, path, place).map(Some)
}

fn parse(text: &str, path: &Path, place: Place) -> Result<Settings> {
    let fault =
        |at: usize, what: String| Error::Config(format!("{}:{}: {what}", path.display(), line_of(text, at)));
    let document = DeTable::parse(text)
        .map_err(|e| fault(e.span().map_or(0, |span| span.start), e.message().to_owned()))?;
    let mut settings = Settings::default();
    let mut entries = Vec::new();
    flatten(document.get_ref(), "", &mut entries);
    for mut entry in entries {
        entry.base = path.parent();
        apply(&mut settings, &entry, place).map_err(|what| fault(entry.at, what))?;
    }
    if settings.pins.min_length > settings.pins.max_length {
        let what = "`pin.min_length` is larger than `pin.max_length`";
        return Err(Error::Config(format!("{}: {what}", path.display())));
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
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> String {
    if is_section(name) {
        return format!("`{name}` is a table of keys, begun by [{name}]");
    }
    let nearest = KEYS
        .iter()
        .map(|key| (strsim::jaro_winkler(name, key.name), key.name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, known)) if likeness > 0.85 => {
            format!("unknown key `{name}`; did you mean `{known}`?")
        }
        _ => format!("unknown key `{name}`; the keys are {}", key_names().collect::<Vec<_>>().join(", ")),
    }
}

/// A line's number, from 1.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

/// The outcome of one key: on failure, what the value should have been.
type Outcome<T> = std::result::Result<T, String>;

/// A key with its value and place.
struct Entry<'a> {
    /// With the names of its tables, joined by dots.
    name: String,
    value: &'a DeValue<'a>,
    /// Where the key begins, in bytes.
    at: usize,
    /// What relative paths are relative to: the file's directory.
    base: Option<&'a Path>,
}

/// All keys of a document. An empty table counts as a key, so that its name is checked too.
fn flatten<'a>(table: &'a DeTable<'a>, prefix: &str, entries: &mut Vec<Entry<'a>>) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) if is_section(&name) => flatten(inner, &format!("{name}."), entries),
            value => entries.push(Entry { name, value, at: key.span().start, base: None }),
        }
    }
}

fn is_section(name: &str) -> bool {
    key_names().any(|known| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

impl Entry<'_> {
    fn text(&self) -> Outcome<&str> {
        self.value.as_str().ok_or_else(|| format!("is text, in quotes; this is {}", article(self.value)))
    }

    fn boolean(&self) -> Outcome<bool> {
        self.value.as_bool().ok_or_else(|| format!("is true or false; this is {}", article(self.value)))
    }

    fn integer(&self, range: std::ops::RangeInclusive<i64>) -> Outcome<i64> {
        let wanted = || format!("is a number from {} to {}", range.start(), range.end());
        let digits = self.value.as_integer().ok_or_else(wanted)?;
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).map_err(|_| wanted())?;
        if range.contains(&number) { Ok(number) } else { Err(wanted()) }
    }

    fn number<T: TryFrom<i64>>(&self, range: std::ops::RangeInclusive<i64>) -> Outcome<T> {
        T::try_from(self.integer(range)?).map_err(|_| "is too large".into())
    }

    fn path(&self) -> Outcome<PathBuf> {
        match self.text()? {
            "" => Err("is empty".into()),
            text => Ok(self.resolve(Path::new(text))),
        }
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.base.map_or_else(|| path.into(), |base| base.join(path))
    }

    fn store(&self) -> Outcome<StoreUrl> {
        let url = self.text()?.parse().map_err(|_| "is one of sqlite:DIR, sled:DIR, memory:".to_owned())?;
        Ok(match url {
            StoreUrl::Sqlite(dir) => StoreUrl::Sqlite(self.resolve(&dir)),
            StoreUrl::Sled(dir) => StoreUrl::Sled(self.resolve(&dir)),
            StoreUrl::Memory => StoreUrl::Memory,
        })
    }

    fn level(&self) -> Outcome<String> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let level = self.text()?.to_ascii_lowercase();
        if LEVELS.contains(&level.as_str()) {
            Ok(level)
        } else {
            Err(format!("is one of {}", LEVELS.join(", ")))
        }
    }

    /// A slot's number, under the label or serial number of its token.
    fn slot(&self, slots: &mut SlotNumbers) -> Outcome<()> {
        let number = self.number(SLOT_NUMBERS)?;
        let name = self.name.strip_prefix("slots.").unwrap_or(&self.name);
        if let Some((other, _)) = slots.0.iter().find(|(_, taken)| *taken == number) {
            return Err(format!("has the number of `slots.{other}`"));
        }
        slots.0.push((name.to_owned(), number));
        Ok(())
    }
}

fn article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}
