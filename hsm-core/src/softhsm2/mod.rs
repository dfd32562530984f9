//! Tokens of SoftHSM2 2.x as they lie on the disk, read alone: which are there, what their PINs open, and their
//! objects as templates. The formats are facts of SoftHSM2's source (`src/lib/object_store`, `src/lib/data_mgr`);
//! nothing here writes to them.
//!
//! A token is a directory: with the file back end it holds `token.object` and a file for each object (`file`), with
//! the database back end `sqlite3.db` (`database`). Byte strings of private objects are encrypted under the token's
//! key, which each PIN opens (`key`).

use std::path::{Path, PathBuf};

use crate::secret::Secret;

mod attributes;
mod database;
mod file;
mod key;

pub use attributes::{Content, Refusal};

/// SoftHSM2's own attributes, of the object that describes the token.
const VENDOR: u64 = 0x8000_5348;
const TOKEN_LABEL: u64 = VENDOR + 1;
const TOKEN_SERIAL: u64 = VENDOR + 2;
const SO_PIN: u64 = VENDOR + 4;
const USER_PIN: u64 = VENDOR + 5;

/// Why a SoftHSM2 token, or an object of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No token is where one was looked for.
    #[error("{0}: there is no SoftHSM2 token here")]
    NoToken(PathBuf),
    /// A file or directory cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not as SoftHSM2 writes it.
    #[error("{place} is damaged: {detail}")]
    Damaged {
        /// The file, and inside a database the object.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The PIN does not open the token.
    #[error("this is not the {role} of the SoftHSM2 token \"{label}\"")]
    WrongPin {
        /// `user PIN` or `SO PIN`.
        role: &'static str,
        /// The token.
        label: String,
    },
    /// The token has no such PIN.
    #[error("the SoftHSM2 token \"{label}\" has no {role}")]
    NoPin {
        /// `user PIN` or `SO PIN`.
        role: &'static str,
        /// The token.
        label: String,
    },
}

impl Fault {
    fn damaged(place: &str, detail: impl Into<String>) -> Fault {
        Fault::Damaged { place: place.to_owned(), detail: detail.into() }
    }
}

/// A value as SoftHSM2 keeps it.
#[derive(Debug)]
enum Raw {
    Bool(bool),
    Number(u64),
    Bytes(Secret),
    Numbers(Vec<u64>),
    Map(Vec<(u64, Raw)>),
}

/// An object as SoftHSM2 keeps it, its byte strings encrypted where it is private.
#[derive(Debug)]
struct RawObject {
    /// Where it is, for messages.
    place: String,
    attributes: Vec<(u64, Raw)>,
}

impl RawObject {
    fn get(&self, kind: u64) -> Option<&Raw> {
        self.attributes.iter().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    fn bytes(&self, kind: u64) -> Option<&[u8]> {
        match self.get(kind) {
            Some(Raw::Bytes(bytes)) => Some(bytes.expose()),
            _ => None,
        }
    }

    fn text(&self, kind: u64) -> String {
        let text = String::from_utf8_lossy(self.bytes(kind).unwrap_or_default());
        text.trim_end_matches([' ', '\0']).to_owned()
    }
}

/// How a token is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    /// `objectstore.backend = file`.
    File,
    /// `objectstore.backend = db`.
    Database,
}

/// A token of SoftHSM2.
pub struct Token {
    /// Its directory.
    pub directory: PathBuf,
    /// How it is stored.
    pub backend: Backend,
    /// Its label, without padding.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    so_pin: Option<Vec<u8>>,
    user_pin: Option<Vec<u8>>,
}

/// The key of a token's private objects.
pub struct TokenKey(Secret);

/// One object of a token: its template, or why it is none.
#[derive(Debug)]
pub struct Found {
    /// Where it is, for messages.
    pub place: String,
    /// What it says.
    pub content: Result<Content, Fault>,
}

/// The tokens in a directory, which is SoftHSM2's `directories.tokendir` or one token's own; by label.
///
/// # Errors
/// [`Fault::NoToken`] where there is none, and those of the files.
pub fn tokens(directory: &Path) -> Result<Vec<Token>, Fault> {
    let mut found = Vec::new();
    found.extend(Token::read(directory)?);
    if found.is_empty() {
        for inside in list(directory)?.into_iter().filter(|path| path.is_dir()) {
            found.extend(Token::read(&inside)?);
        }
    }
    if found.is_empty() {
        return Err(Fault::NoToken(directory.to_owned()));
    }
    found.sort_by(|a, b| (&a.label, &a.serial).cmp(&(&b.label, &b.serial)));
    Ok(found)
}

/// What is in a directory, in the order of names.
fn list(directory: &Path) -> Result<Vec<PathBuf>, Fault> {
    let failed = |source| Fault::File { path: directory.to_owned(), source };
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        inside.push(entry.map_err(failed)?.path());
    }
    inside.sort();
    Ok(inside)
}

impl Token {
    /// The token in this directory; `None` if it is none.
    fn read(directory: &Path) -> Result<Option<Token>, Fault> {
        let (backend, about) = match (file::describes(directory), database::describes(directory)) {
            (true, _) => (Backend::File, file::about(directory)?),
            (false, true) => (Backend::Database, database::about(directory)?),
            (false, false) => return Ok(None),
        };
        if about.bytes(TOKEN_SERIAL).is_none() {
            return Err(Fault::damaged(&about.place, "it does not name the token"));
        }
        let pin = |kind| about.bytes(kind).filter(|bytes| !bytes.is_empty()).map(<[u8]>::to_vec);
        Ok(Some(Token {
            directory: directory.to_owned(),
            backend,
            label: about.text(TOKEN_LABEL),
            serial: about.text(TOKEN_SERIAL),
            so_pin: pin(SO_PIN),
            user_pin: pin(USER_PIN),
        }))
    }

    /// The key that the user PIN opens.
    ///
    /// # Errors
    /// [`Fault::WrongPin`], [`Fault::NoPin`], [`Fault::Damaged`].
    pub fn open(&self, user_pin: &[u8]) -> Result<TokenKey, Fault> {
        self.key_of("user PIN", self.user_pin.as_deref(), user_pin)
    }

    /// Checks the SO PIN, which opens the same key.
    ///
    /// # Errors
    /// As [`Token::open`].
    pub fn check_so_pin(&self, so_pin: &[u8]) -> Result<(), Fault> {
        self.key_of("SO PIN", self.so_pin.as_deref(), so_pin).map(drop)
    }

    fn key_of(&self, role: &'static str, sealed: Option<&[u8]>, pin: &[u8]) -> Result<TokenKey, Fault> {
        let label = || self.label.clone();
        let sealed = sealed.ok_or_else(|| Fault::NoPin { role, label: label() })?;
        let opened = key::open(sealed, pin).map_err(|detail| {
            Fault::damaged(&self.directory.display().to_string(), format!("its {role}: {detail}"))
        })?;
        opened.map(TokenKey).ok_or_else(|| Fault::WrongPin { role, label: label() })
    }

    /// All its objects, in an order that stays.
    ///
    /// # Errors
    /// [`Fault::File`], and [`Fault::Damaged`] for a database that cannot be read. What is wrong with one object
    /// stands with that object.
    pub fn objects(&self, key: &TokenKey) -> Result<Vec<Found>, Fault> {
        let raw = match self.backend {
            Backend::File => file::objects(&self.directory)?,
            Backend::Database => database::objects(&self.directory)?,
        };
        Ok(raw
            .into_iter()
            .map(|(place, object)| Found {
                content: object.and_then(|object| attributes::content(object, &key.0)),
                place,
            })
            .collect())
    }
}

/// What several back ends answer: where an object is, and what is there.
type Objects = Vec<(String, Result<RawObject, Fault>)>;
