//! A TOML file as named keys with their places, so that whatever is wrong is told with file, line and
//! key. Knows no key: each reader has a table of its own.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};

/// No configuration is longer, in bytes; a device or a pipe named by mistake may be.
const LARGEST: u64 = 1 << 20;

/// The outcome of one key: on failure, what the value should have been.
pub type Outcome<T> = std::result::Result<T, String>;

/// A file's text.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
}

/// A key with its value and place.
#[derive(Debug)]
pub struct Entry<'a> {
    /// With the names of its tables, joined by dots.
    pub name: String,
    /// Where the key begins, in bytes.
    pub at: usize,
    value: &'a DeValue<'a>,
    /// What relative paths are relative to: the file's directory.
    base: Option<&'a Path>,
}

impl Document {
    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Config`] for a file longer than configurations are.
    pub fn read(path: &Path) -> Result<Option<Document>> {
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
        Ok(Some(Document { path: path.to_owned(), text }))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text as TOML.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn table(&self) -> Result<DeTable<'_>> {
        let table = DeTable::parse(&self.text)
            .map_err(|e| self.fault(e.span().map_or(0, |span| span.start), e.message()))?;
        Ok(table.into_inner())
    }

    /// All keys of a table, whose own name with its dot is `prefix`. Tables are descended into where
    /// `is_section` knows their names; others count as keys, so that their names are checked too.
    pub fn entries<'a>(
        &'a self,
        table: &'a DeTable<'a>,
        prefix: &str,
        is_section: &dyn Fn(&str) -> bool,
    ) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        flatten(table, prefix, self.path.parent(), is_section, &mut entries);
        entries
    }

    /// What is wrong at a place in the text.
    pub fn fault(&self, at: usize, what: &str) -> Error {
        Error::Config(format!("{}:{}: {what}", self.path.display(), self.line(at)))
    }

    /// A line's number, from 1.
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|&byte| byte == b'\n').count()
    }
}

fn flatten<'a>(
    table: &'a DeTable<'a>,
    prefix: &str,
    base: Option<&'a Path>,
    is_section: &dyn Fn(&str) -> bool,
    entries: &mut Vec<Entry<'a>>,
) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) if is_section(&name) => {
                flatten(inner, &format!("{name}."), base, is_section, entries);
            }
            value => entries.push(Entry { name, value, at: key.span().start, base }),
        }
    }
}

/// Whether some key has `name` as the name of its table.
pub fn is_section<'a>(name: &str, mut keys: impl Iterator<Item = &'a str>) -> bool {
    keys.any(|known| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// What to say of a key that is none, with the nearest one that is.
pub fn unknown<'a>(name: &str, keys: impl Iterator<Item = &'a str>) -> String {
    let keys: Vec<&str> = keys.collect();
    match nearest(name, keys.iter().copied()) {
        Some(known) => format!("unknown key `{name}`; did you mean `{known}`?"),
        None => format!("unknown key `{name}`; the keys are {}", keys.join(", ")),
    }
}

/// The one of some names that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.85)
        .map(|(_, known)| known)
}

impl<'a> Entry<'a> {
    /// A text.
    ///
    /// # Errors
    /// What the value should be; so with all that follow.
    pub fn text(&self) -> Outcome<&'a str> {
        self.value.as_str().ok_or_else(|| format!("is text, in quotes; this is {}", article(self.value)))
    }

    /// True or false.
    ///
    /// # Errors
    /// As [`Entry::text`].
    pub fn boolean(&self) -> Outcome<bool> {
        self.value.as_bool().ok_or_else(|| format!("is true or false; this is {}", article(self.value)))
    }

    /// A number of a range.
    ///
    /// # Errors
    /// As [`Entry::text`].
    pub fn number<T: TryFrom<i64>>(&self, range: std::ops::RangeInclusive<i64>) -> Outcome<T> {
        let wanted = || format!("is a number from {} to {}", range.start(), range.end());
        let digits = self.value.as_integer().ok_or_else(wanted)?;
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).map_err(|_| wanted())?;
        if !range.contains(&number) {
            return Err(wanted());
        }
        T::try_from(number).map_err(|_| "is too large".into())
    }

    /// One of a few words.
    ///
    /// # Errors
    /// As [`Entry::text`].
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Outcome<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| {
            format!("is one of {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "))
        })
    }

    /// A path, relative to the file's directory.
    ///
    /// # Errors
    /// As [`Entry::text`].
    pub fn path(&self) -> Outcome<PathBuf> {
        match self.text()? {
            "" => Err("is empty".into()),
            text => Ok(self.resolve(Path::new(text))),
        }
    }

    /// A path's meaning in this file.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.base.map_or_else(|| path.into(), |base| base.join(path))
    }

    /// One value, or several in brackets, each as an entry of this name.
    pub fn each(&self) -> Vec<Entry<'a>> {
        let entry = |value, at| Entry { name: self.name.clone(), at, value, base: self.base };
        match self.value {
            DeValue::Array(array) => {
                array.iter().map(|item| entry(item.get_ref(), item.span().start)).collect()
            }
            value => vec![entry(value, self.at)],
        }
    }

    /// The keys of a table, each under its own name.
    ///
    /// # Errors
    /// As [`Entry::text`].
    pub fn keys(&self) -> Outcome<Vec<Entry<'a>>> {
        let DeValue::Table(table) = self.value else {
            return Err(format!("is a table; this is {}", article(self.value)));
        };
        let mut entries = Vec::new();
        flatten(table, "", self.base, &|_| false, &mut entries);
        Ok(entries)
    }
}

fn article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}
