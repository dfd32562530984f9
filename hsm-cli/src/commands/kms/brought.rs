//! Key material that is brought: a file of it, or the JSON that a customer made for the import token.

use std::path::PathBuf;

use data_encoding::BASE64;
use hsm_core::import_token::{Algorithm, Wrapped};
use hsm_core::secret::Secret;
use hsm_core::service::kms::Material;
use serde::Deserialize;

use crate::cli::Brought;
use crate::failure::{Failure, Outcome, Result};
use crate::material::{read_encrypted, read_secret};
use crate::output::Output;

/// Longer than any material, in bytes, and than what a customer sends.
const LONGEST: usize = 8192;

/// What was brought, or nothing.
pub(super) enum Delivery {
    Nothing,
    Plain(Secret),
    Sent(Sent),
}

/// What a customer encrypted for the import token.
pub(super) struct Sent {
    payload: Vec<u8>,
    encrypted_nonce: Vec<u8>,
    iv: Vec<u8>,
    algorithm: Algorithm,
}

impl Delivery {
    /// Reads it.
    pub(super) fn read(brought: &Brought, is_base64: bool, output: Output) -> Result<Delivery> {
        match &brought.payload_file {
            Some(path) => Ok(Delivery::Plain(read_secret(path, is_base64, LONGEST, output)?)),
            None if brought.import_token.is_empty() => Ok(Delivery::Nothing),
            None => Ok(Delivery::Sent(Sent::read(&brought.import_token)?)),
        }
    }

    /// As the core takes it.
    pub(super) fn material(&self) -> Option<Material<'_>> {
        match self {
            Delivery::Nothing => None,
            Delivery::Plain(bytes) => Some(Material::Plain(bytes.duplicate())),
            Delivery::Sent(sent) => Some(Material::Token(Wrapped {
                payload: &sent.payload,
                encrypted_nonce: &sent.encrypted_nonce,
                iv: &sent.iv,
                algorithm: sent.algorithm,
            })),
        }
    }
}

/// One JSON object of the customer's. What it has besides is none of our business.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    payload: Option<String>,
    encrypted_nonce: Option<String>,
    iv: Option<String>,
    encryption_algorithm: Option<String>,
}

impl Sent {
    fn read(paths: &[PathBuf]) -> Result<Sent> {
        let mut whole = Part::default();
        for path in paths {
            let text = read_encrypted(path, LONGEST)?;
            for part in serde_json::Deserializer::from_slice(text.expose()).into_iter::<Part>() {
                let part = part.map_err(|error| {
                    usage(format!("{}: it is no JSON of `import-token encrypt-key`: {error}", path.display()))
                })?;
                whole.join(part)?;
            }
        }
        whole.sent()
    }
}

impl Part {
    /// Takes in another object's fields.
    fn join(&mut self, other: Part) -> Result<()> {
        let fields = [
            ("payload", &mut self.payload, other.payload),
            ("encryptedNonce", &mut self.encrypted_nonce, other.encrypted_nonce),
            ("iv", &mut self.iv, other.iv),
            ("encryptionAlgorithm", &mut self.encryption_algorithm, other.encryption_algorithm),
        ];
        for (name, known, new) in fields {
            match (known.as_ref(), new) {
                (Some(one), Some(other)) if *one != other => {
                    return Err(usage(format!("the import token's files differ in {name}")));
                }
                (_, Some(new)) => *known = Some(new),
                (_, None) => {}
            }
        }
        Ok(())
    }

    fn sent(self) -> Result<Sent> {
        let there = |name: &str, field: Option<String>| {
            field.ok_or_else(|| usage(format!("the import token's files have no {name}")))
        };
        let bytes = |name: &str, field: Option<String>| {
            let text = there(name, field)?;
            BASE64.decode(text.as_bytes()).map_err(|error| usage(format!("{name} is no base64: {error}")))
        };
        Ok(Sent {
            payload: bytes("payload", self.payload)?,
            encrypted_nonce: bytes("encryptedNonce", self.encrypted_nonce)?,
            iv: bytes("iv", self.iv)?,
            algorithm: Algorithm::of_name(&there("encryptionAlgorithm", self.encryption_algorithm)?)?,
        })
    }
}

fn usage(message: String) -> Failure {
    Failure::new(Outcome::Usage, message).next(
        "the customer makes them with `softhsm-rs import-token encrypt-key` and `encrypt-nonce`, with --json",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Sent> {
        let directory = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            paths.push(directory.path().join(number.to_string()));
            std::fs::write(paths.last().unwrap(), text).unwrap();
        }
        Sent::read(&paths)
    }

    const KEY: &str = r#"{"payload": "AAEC", "encryptionAlgorithm": "RSAES_OAEP_SHA_256"}"#;
    const NONCE: &str =
        r#"{"encryptedNonce": "AwQF", "iv": "BgcI", "encryptionAlgorithm": "RSAES_OAEP_SHA_256"}"#;

    #[test]
    fn both_parts_come_in_one_file_or_in_two() {
        for texts in [vec![KEY, NONCE], vec![&*format!("{KEY}\n{NONCE}\n")]] {
            let sent = read(&texts).unwrap();
            assert_eq!((sent.payload, sent.iv), (vec![0, 1, 2], vec![6, 7, 8]));
            assert_eq!(sent.encrypted_nonce, [3, 4, 5]);
            assert_eq!(sent.algorithm, Algorithm::OaepSha256);
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let other = NONCE.replace("256", "1");
        for (texts, words) in [
            (vec![KEY], "no encryptedNonce"),
            (vec![KEY, other.as_str()], "differ in encryptionAlgorithm"),
            (vec!["[]"], "no JSON"),
            (vec!["{"], "no JSON"),
            (vec![""], "no payload"),
            (vec![KEY, NONCE, r#"{"iv": "?"}"#], "differ in iv"),
        ] {
            let failure = read(&texts).map(drop).unwrap_err();
            assert_eq!(failure.outcome, Outcome::Usage);
            assert!(failure.message.contains(words), "{}", failure.message);
        }
    }
}
