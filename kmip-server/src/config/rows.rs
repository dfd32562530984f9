//! The tables `[[kmip.client]]` and `[[kmip.credential]]`: who is mapped to what.

use std::path::Path;

use argon2::PasswordHash;
use hsm_core::config::document::{self, Entry, Outcome};
use hsm_core::secret::Secret;

use crate::identity::{ClientRow, CredentialRow, Match, Password, Pin, Rights, Role};

const ROLES: &[(&str, Role)] = &[("user", Role::User), ("reader", Role::Reader), ("officer", Role::Officer)];

/// The keys of a row's rights, those of clients, and those of credentials.
const RIGHTS: [&str; 7] = ["name", "owner", "partition", "role", "groups", "pin_file", "pin_credential"];
const CLIENT: [&str; 1] = ["match"];
const CREDENTIAL: [&str; 3] = ["username", "password_hash", "password_file"];
const MATCH: [&str; 6] = ["cn", "san", "ou", "subject", "fingerprint", "identity"];

/// Longer than any password, in bytes.
const LONGEST_PASSWORD: usize = 1024;

pub(super) fn clients(entry: &Entry) -> Outcome<Vec<ClientRow>> {
    numbered(entry, client)
}

/// All rows of a table; what is wrong is told with the row's number, since a table's place is that of
/// its first row.
fn numbered<T>(entry: &Entry, row: fn(&Entry) -> Outcome<T>) -> Outcome<Vec<T>> {
    let told = |(number, item): (usize, &Entry)| row(item).map_err(|what| format!("row {number} {what}"));
    (1..).zip(&entry.each()).map(told).collect()
}

pub(super) fn credentials(entry: &Entry) -> Outcome<Vec<CredentialRow>> {
    let rows: Vec<CredentialRow> = numbered(entry, credential)?;
    for (at, row) in rows.iter().enumerate() {
        if rows.iter().skip(at + 1).any(|other| other.username == row.username) {
            return Err(format!("names the username \"{}\" twice", row.username));
        }
    }
    Ok(rows)
}

fn client(entry: &Entry) -> Outcome<ClientRow> {
    let mut rights = Rights::default();
    let mut matches = None;
    for key in entry.keys()? {
        match key.name.as_str() {
            "match" => matches = Some(match_of(&key)?),
            name if right(&mut rights, &key, name)? => {}
            name => return Err(unknown(name, &[&CLIENT, &RIGHTS])),
        }
    }
    let matches = matches.ok_or("has no `match`, which says whom it is for")?;
    Ok(ClientRow { matches, rights })
}

fn match_of(entry: &Entry) -> Outcome<Match> {
    let mut found = Match::default();
    for key in entry.keys()? {
        let slot = match key.name.as_str() {
            "cn" => &mut found.common_name,
            "san" => &mut found.alternative_name,
            "ou" => &mut found.organizational_unit,
            "subject" => &mut found.subject,
            "fingerprint" => &mut found.fingerprint,
            "identity" => &mut found.identity,
            name => return Err(unknown(name, &[&MATCH])),
        };
        let text = key.text().map_err(|what| format!("has a `match.{}` that {what}", key.name))?;
        *slot = Some(if key.name == "fingerprint" { fingerprint(text)? } else { text.to_owned() });
    }
    if found == Match::default() { Err("has an empty `match`".into()) } else { Ok(found) }
}

/// SHA-256 over the certificate, in the form that tools print: colons and case do not matter.
fn fingerprint(text: &str) -> Outcome<String> {
    let digits = text.replace(':', "").to_ascii_lowercase();
    match hex::decode(&digits) {
        Ok(bytes) if bytes.len() == 32 => Ok(digits),
        _ => Err("has a `match.fingerprint` that is not the 64 hexadecimal digits of a SHA-256".into()),
    }
}

fn credential(entry: &Entry) -> Outcome<CredentialRow> {
    let (mut username, mut password, mut rights) = (None, None, Rights::default());
    for key in entry.keys()? {
        match key.name.as_str() {
            "username" => username = Some(key.text()?.to_owned()),
            "password_hash" => password = Some(Password::Hash(hash(key.text()?)?)),
            "password_file" => password = Some(Password::Clear(first_line(&key.path()?)?.into())),
            name if right(&mut rights, &key, name)? => {}
            name => return Err(unknown(name, &[&CREDENTIAL, &RIGHTS])),
        }
    }
    let username = username.filter(|name| !name.is_empty()).ok_or("has no `username`")?;
    let password = password.ok_or("has neither `password_hash` nor `password_file`")?;
    Ok(CredentialRow { username, password, rights })
}

fn hash(text: &str) -> Outcome<String> {
    match PasswordHash::new(text) {
        Ok(hash) if hash.algorithm.as_str().starts_with("argon2") => Ok(text.to_owned()),
        _ => Err("has a `password_hash` that is not one of Argon2, as $argon2id$v=19$m=…".into()),
    }
}

/// Whether `name` is a key of the rights; if so, takes it over.
fn right(rights: &mut Rights, key: &Entry, name: &str) -> Outcome<bool> {
    let told = |what: String| format!("has a `{name}` that {what}");
    match name {
        "name" => rights.name = Some(key.text().map_err(told)?.to_owned()),
        "owner" => rights.owner = Some(key.text().map_err(told)?.to_owned()),
        "partition" => rights.partition = Some(label(key.text().map_err(told)?)?),
        "role" => rights.role = key.one_of(ROLES).map_err(told)?,
        "groups" => {
            let groups: Outcome<Vec<_>> =
                key.each().iter().map(|group| group.text().map(str::to_owned)).collect();
            rights.groups = groups.map_err(told)?;
        }
        "pin_file" => rights.pin = Some(Pin::File(key.path().map_err(told)?)),
        "pin_credential" => rights.pin = Some(Pin::Credential(key.text().map_err(told)?.to_owned())),
        _ => return Ok(false),
    }
    Ok(true)
}

fn label(text: &str) -> Outcome<String> {
    if (1..=32).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("has a `partition` that is no label: one has 1 to 32 bytes".into())
    }
}

fn unknown(name: &str, keys: &[&[&'static str]]) -> String {
    format!("has an {}", document::unknown(name, keys.iter().flat_map(|keys| keys.iter().copied())))
}

/// A password is the first line of its file.
fn first_line(path: &Path) -> Outcome<Secret> {
    let bytes = std::fs::read(path).map_err(|e| format!("names {}: {e}", path.display()))?;
    let bytes = Secret::new(bytes);
    let line = bytes.expose().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.len() {
        0 => Err(format!("names {}, whose first line is empty", path.display())),
        length if length > LONGEST_PASSWORD => {
            Err(format!("names {}, whose first line is longer than a password", path.display()))
        }
        _ => Ok(Secret::copy_of(line)),
    }
}
