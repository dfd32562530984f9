//! A seal: an entry of the log that signs what stands before it. It takes a place in the log as an event does,
//! so that one which is missing is found like any other entry, and it signs the link before, in which all
//! entries before are. Whoever has the public key and the entries needs nothing else to check them.

use serde::{Deserialize, Serialize};

use super::event::Moment;
use super::log::Link;
use crate::error::{Error, Result};
use crate::unit::{self, AuditKey, PublicKey, Ski};

/// Says what is signed, so that no signature of one kind counts as one of another.
const FORMAT: &str = "softhsm-rs audit seal 1";

/// A seal as it stands in the log.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seal {
    format: String,
    /// The HSM's identifier.
    hsm: String,
    /// When, as events have it.
    event_time: String,
    /// The public key: the uncompressed point in hexadecimal digits.
    key: String,
    /// ECDSA with SHA-512 over format, HSM, time, number and link; DER in hexadecimal digits.
    signature: String,
}

/// Who sealed the log at a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedBy {
    /// The HSM's identifier.
    pub hsm: String,
    /// The subject key identifier of the audit key.
    pub key: Ski,
}

/// What is signed: the texts, each with a zero behind it, the seal's number in 8 bytes, and the link before.
fn message(hsm: &str, time: &str, number: u64, before: &Link) -> Vec<u8> {
    let mut message = Vec::new();
    for text in [FORMAT, hsm, time] {
        message.extend_from_slice(text.as_bytes());
        message.push(0);
    }
    message.extend_from_slice(&number.to_be_bytes());
    message.extend_from_slice(before);
    message
}

/// The JSON of a seal at this place.
pub(super) fn make(key: &AuditKey, hsm: &str, number: u64, before: &Link) -> Result<Vec<u8>> {
    let event_time = super::cadf::time(Moment::now());
    let signature = key.sign(&message(hsm, &event_time, number, before))?;
    let seal = Seal {
        format: FORMAT.to_owned(),
        hsm: hsm.to_owned(),
        event_time,
        key: hex::encode(key.public_key().to_sec1()),
        signature: hex::encode(signature),
    };
    serde_json::to_vec(&seal).map_err(|_| Error::CryptoFailed("a seal did not encode"))
}

/// Who sealed the log by this JSON at this place; `None` if it is no seal of this place by the key that it names.
/// Whether that key is the HSM's, the caller has to know.
pub(super) fn check(json: &str, number: u64, before: &Link) -> Option<SealedBy> {
    let seal: Seal = serde_json::from_str(json).ok()?;
    let key = PublicKey::from_sec1(&hex::decode(&seal.key).ok()?)?;
    let signature = hex::decode(&seal.signature).ok()?;
    let message = message(&seal.hsm, &seal.event_time, number, before);
    let holds = seal.format == FORMAT && unit::is_signed(&key, &message, &signature);
    holds.then(|| SealedBy { hsm: seal.hsm, key: key.ski() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_holds_at_its_place_and_after_its_link_alone() {
        let key = AuditKey::of_test();
        let json = String::from_utf8(make(&key, "hsm", 7, &[1; 32]).unwrap()).unwrap();
        let by = Some(SealedBy { hsm: "hsm".into(), key: key.public_key().ski() });
        assert_eq!(check(&json, 7, &[1; 32]), by);
        assert_eq!(check(&json, 8, &[1; 32]), None);
        assert_eq!(check(&json, 7, &[2; 32]), None);
    }

    #[test]
    fn every_field_of_a_seal_is_signed() {
        let key = AuditKey::of_test();
        let json: serde_json::Value =
            serde_json::from_slice(&make(&key, "hsm", 7, &[1; 32]).unwrap()).unwrap();
        let other = hex::encode(AuditKey::of_test().public_key().to_sec1());
        for (field, value) in [
            ("format", "softhsm-rs audit seal 2"),
            ("hsm", "other"),
            ("eventTime", "2020-01-01T00:00:00.000Z"),
            ("key", &other),
            ("key", "04"),
            ("signature", "3000"),
            ("signature", "x"),
            ("more", "x"),
        ] {
            let mut changed = json.clone();
            changed[field] = value.into();
            assert_eq!(check(&changed.to_string(), 7, &[1; 32]), None, "{field}");
        }
        assert_eq!(check("", 7, &[1; 32]), None);
    }
}
