//! `kms key wrap`, `unwrap` and `rewrap`.

use std::path::Path;

use data_encoding::BASE64;
use hsm_core::Error;
use hsm_core::kms::{Aad, KeyId};
use hsm_core::secret::Secret;
use serde::Serialize;

use super::{Opens, place};
use crate::cli::{Additional, RewrapKey, UnwrapKey, WrapKey, Wrapped};
use crate::commands::save::Place;
use crate::failure::{Failure, Outcome, Result};
use crate::material::{read_encrypted, read_secret};
use crate::output::Output;

/// The most that is wrapped, and read of a wrapped key, in bytes: the core's limits.
const LONGEST: usize = 1 << 20;
const LONGEST_TEXT: usize = 3 << 20;

/// A version as an answer names it.
#[derive(Debug, Serialize)]
struct Version {
    id: String,
}

impl From<KeyId> for Version {
    fn from(id: KeyId) -> Version {
        Version { id: id.to_string() }
    }
}

/// What is answered. Each command has its own of the fields.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext: Option<String>,
    key_version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrapped_key_version: Option<Version>,
}

impl Answer {
    fn show(&self, place: Option<&Place<'_>>, output: Output) {
        let fields = [
            ("plaintext", self.plaintext.clone()),
            ("ciphertext", self.ciphertext.clone()),
            ("version", Some(self.key_version.id.clone())),
            ("new version", self.rewrapped_key_version.as_ref().map(|version| version.id.clone())),
            ("saved in", place.map(|place| place.path().display().to_string())),
        ];
        output.result(self, |page| {
            page.fields(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
        });
    }
}

fn aad(additional: &Additional) -> Result<Aad> {
    Ok(Aad::of(&additional.aad).map_err(Error::from)?)
}

/// Saves a result, where it has a place; answers what is left to show.
fn kept(place: Option<&Place<'_>>, value: &[u8], text: String) -> Result<Option<String>> {
    match place {
        Some(place) => place.save(value, None).map(|()| None),
        None => Ok(Some(text)),
    }
}

pub(super) fn wrap(office: Opens<'_>, options: &WrapKey, output: Output) -> Result<()> {
    // Before any PIN is asked for.
    let (aad, place) = (aad(&options.additional)?, place(&options.out)?);
    let read = |path: &Path| read_secret(path, options.base64, LONGEST, output);
    let plaintext = options.plaintext_file.as_deref().map(read).transpose()?;
    let office = office()?;
    let id = office.live(&options.key.key)?;
    let wrapped = office.kms().wrap(&id, plaintext.as_ref().map(Secret::expose), &aad)?;
    let saved = kept(place.as_ref(), wrapped.ciphertext.as_bytes(), wrapped.ciphertext.clone())?;
    let answer = Answer {
        plaintext: wrapped.plaintext.map(|fresh| BASE64.encode(fresh.expose())),
        ciphertext: saved,
        key_version: wrapped.version.into(),
        rewrapped_key_version: None,
    };
    answer.show(place.as_ref(), output);
    Ok(())
}

pub(super) fn unwrap(office: Opens<'_>, options: &UnwrapKey, output: Output) -> Result<()> {
    let (aad, place) = (aad(&options.additional)?, place(&options.out)?);
    let text = ciphertext(&options.wrapped)?;
    let office = office()?;
    let id = office.live(&options.key.key)?;
    let unwrapped = office.kms().unwrap(&id, &text, &aad)?;
    let bytes = unwrapped.plaintext.expose();
    let plaintext = kept(place.as_ref(), bytes, BASE64.encode(bytes))?;
    let (ciphertext, version) = unwrapped.rewrapped.map_or((None, None), |(text, id)| (Some(text), Some(id)));
    let answer = Answer {
        plaintext,
        ciphertext,
        key_version: unwrapped.version.into(),
        rewrapped_key_version: version.map(Version::from),
    };
    answer.show(place.as_ref(), output);
    Ok(())
}

pub(super) fn rewrap(office: Opens<'_>, options: &RewrapKey, output: Output) -> Result<()> {
    let (aad, place) = (aad(&options.additional)?, place(&options.out)?);
    let text = ciphertext(&options.wrapped)?;
    let office = office()?;
    let id = office.live(&options.key.key)?;
    let rewrapped = office.kms().rewrap(&id, &text, &aad)?;
    let saved = kept(place.as_ref(), rewrapped.ciphertext.as_bytes(), rewrapped.ciphertext.clone())?;
    let answer = Answer {
        plaintext: None,
        ciphertext: saved,
        key_version: rewrapped.version.into(),
        rewrapped_key_version: Some(rewrapped.rewrapped_version.into()),
    };
    answer.show(place.as_ref(), output);
    Ok(())
}

/// The wrapped key; the command line gives exactly one of the two.
fn ciphertext(wrapped: &Wrapped) -> Result<String> {
    let Some(path) = &wrapped.ciphertext_file else {
        return Ok(wrapped.ciphertext.clone().unwrap_or_default());
    };
    let bytes = read_encrypted(path, LONGEST_TEXT)?;
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| {
        Failure::new(Outcome::Usage, format!("{}: what it holds is no wrapped key", path.display()))
    })?;
    Ok(text.trim_end().to_owned())
}
