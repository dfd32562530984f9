//! Usernames and passwords as KMIP's requests carry them (KMIP 1.4, section 2.1.2): the table, and
//! the check.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use argon2::{Argon2, PasswordVerifier};
use hsm_core::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Client, Rights};

/// A row of the credential table.
#[derive(Clone, Debug)]
pub struct CredentialRow {
    /// The username.
    pub username: String,
    /// What the password is checked against.
    pub password: Password,
    /// What its holder gets.
    pub rights: Rights,
}

/// What a password is checked against.
#[derive(Clone)]
pub enum Password {
    /// A PHC string of Argon2.
    Hash(String),
    /// The password itself, from a file.
    Clear(Arc<Secret>),
}

/// The credential table as all connections share it. Copies are one and the same table.
#[derive(Clone, Debug, Default)]
pub struct Credentials(Arc<ArcSwap<Vec<Entry>>>);

/// A row, and what the last right password was known by.
#[derive(Debug)]
struct Entry {
    row: CredentialRow,
    /// SHA-256 over a random salt of this process and the password: Argon2 costs 20 ms, and some
    /// clients send their password with each request. Set by a right password alone.
    known: Mutex<Option<Known>>,
}

struct Known {
    salt: [u8; 32],
    digest: [u8; 32],
}

impl Credentials {
    /// Whether there is no table: then credentials are no matter of this server, and are ignored.
    pub fn is_empty(&self) -> bool {
        self.0.load().is_empty()
    }

    /// The holder of a username and its password; `None` where either is wrong. Takes as long for a
    /// name that does not exist. The first check of a password takes some 20 ms.
    pub fn check(&self, username: &str, password: &[u8]) -> Option<Client> {
        let entries = self.0.load();
        let found = entries.iter().find(|entry| entry.row.username == username);
        let Some(entry) = found else {
            if let Some(other) = entries.first() {
                let _ = other.row.password.accepts(password);
            }
            return None;
        };
        entry.accepts(password).then(|| entry.row.rights.client(&format!("credential:{username}"), username))
    }

    /// Puts another table in place; what was known of passwords is forgotten.
    pub fn replace(&self, rows: Vec<CredentialRow>) {
        let entry = |row| Entry { row, known: Mutex::new(None) };
        self.0.store(Arc::new(rows.into_iter().map(entry).collect()));
    }
}

impl Entry {
    fn accepts(&self, password: &[u8]) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_some_and(|known| known.is(password)) {
            return true;
        }
        // The lock is kept meanwhile: one guess at a time for each name.
        let right = self.row.password.accepts(password);
        if right {
            *known = Known::of(password);
        }
        right
    }
}

impl Known {
    fn of(password: &[u8]) -> Option<Known> {
        let mut salt = [0; 32];
        rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut salt).ok()?;
        Some(Known { salt, digest: digest(&salt, password) })
    }

    fn is(&self, password: &[u8]) -> bool {
        digest(&self.salt, password).ct_eq(&self.digest).into()
    }
}

fn digest(salt: &[u8; 32], password: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(password).finalize().into()
}

impl Password {
    fn accepts(&self, password: &[u8]) -> bool {
        match self {
            Password::Hash(hash) => {
                PasswordVerifier::<str>::verify_password(&Argon2::default(), password, hash).is_ok()
            }
            // Digests have one length, so that nothing is told of the right one's.
            Password::Clear(secret) => {
                Sha256::digest(secret.expose()).ct_eq(&Sha256::digest(password)).into()
            }
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Password::Hash(_) => "Password::Hash",
            Password::Clear(_) => "Password::Clear",
        })
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}
