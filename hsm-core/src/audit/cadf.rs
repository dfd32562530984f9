//! An event as JSON: the fields of CADF (DMTF DSP0262, section 5.2) in camel case, and beside them what CADF
//! lacks: `class`, `severity`, `count` with `firstTime`, `requestData` and `responseData`.

use std::net::IpAddr;

use der::DateTime;
use serde::Serialize;

use super::event::{Class, Event, Moment, Severity};
use crate::error::{Error, Result};

const EVENT: &str = "http://schemas.dmtf.org/cloud/audit/1.0/event";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cadf<'a> {
    #[serde(rename = "typeURI")]
    type_uri: &'static str,
    id: String,
    event_type: &'static str,
    class: &'static str,
    event_time: String,
    action: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    severity: &'static str,
    initiator: Initiator<'a>,
    target: Target<'a>,
    observer: Observer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_data: Option<RequestData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_data: Option<ResponseData>,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_time: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reason {
    reason_code: String,
    reason_type: &'static str,
}

#[derive(Serialize)]
struct Initiator<'a> {
    id: &'a str,
    #[serde(rename = "typeURI")]
    type_uri: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<Host>,
}

#[derive(Serialize)]
struct Host {
    address: IpAddr,
}

/// The object, or the partition where it is about none or several.
#[derive(Serialize)]
struct Target<'a> {
    id: String,
    #[serde(rename = "typeURI")]
    type_uri: &'static str,
    /// The partition's label.
    name: &'a str,
}

#[derive(Serialize)]
struct Observer<'a> {
    id: &'a str,
    #[serde(rename = "typeURI")]
    type_uri: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestData {
    request_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseData {
    objects: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    more_objects: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The event's JSON, under a fresh identifier. `observer` is the HSM.
pub(super) fn encode(event: &Event, id: [u8; 16], observer: &str) -> Result<Vec<u8>> {
    let activity = event.activity;
    let (target, response_data) = target(event);
    let initiator = &event.initiator;
    let cadf = Cadf {
        type_uri: EVENT,
        id: hex::encode(id),
        event_type: "activity",
        class: class(activity.class),
        event_time: time(event.last),
        action: format!("{}.{}", activity.door, kebab(activity.operation)),
        outcome: if event.reason.is_none() { "success" } else { "failure" },
        reason: event
            .reason
            .map(|reason| Reason { reason_code: reason.code.to_string(), reason_type: reason.name }),
        severity: severity(activity.severity),
        initiator: Initiator {
            id: &initiator.id,
            type_uri: "service/security/account/user",
            name: &initiator.name,
            host: initiator.host.map(|address| Host { address }),
        },
        target,
        observer: Observer { id: observer, type_uri: "service/security/hsm", name: "softhsm-rs" },
        request_data: event
            .request
            .map(|request| RequestData { request_id: format!("{}.{}", request.connection, request.number) }),
        response_data,
        count: event.count,
        first_time: (event.count > 1).then(|| time(event.first)),
    };
    serde_json::to_vec(&cadf).map_err(|_| Error::CryptoFailed("an audit event did not encode"))
}

fn target(event: &Event) -> (Target<'_>, Option<ResponseData>) {
    let name = event.initiator.partition.as_str();
    match event.objects() {
        [] => (Target { id: name.to_owned(), type_uri: "hsm/partition", name }, None),
        [object] => (Target { id: object.to_string(), type_uri: "hsm/object", name }, None),
        objects => {
            let objects = objects.iter().map(ToString::to_string).collect();
            let data = ResponseData { objects, more_objects: event.unnamed() };
            (Target { id: name.to_owned(), type_uri: "hsm/partition", name }, Some(data))
        }
    }
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Change => "change",
        Class::Refusal => "refusal",
        Class::Use => "use",
        Class::Login => "login",
        Class::Administration => "administration",
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Normal => "normal",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// RFC 3339, in UTC with milliseconds.
pub(super) fn time(moment: Moment) -> String {
    let seconds = DateTime::from_unix_duration(std::time::Duration::from_secs(moment.0 / 1000));
    // A clock beyond the year 9999 is worth no error.
    let seconds = seconds.map_or_else(|_| "9999-12-31T23:59:59Z".to_owned(), |time| time.to_string());
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), moment.0 % 1000)
}

/// `CreateKeyPair` as `create-key-pair`, `MACVerify` as `mac-verify`, `PKCS_11` as `pkcs-11`.
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if begins {
            out.push('-');
        }
        match letter {
            '_' => out.push('-'),
            letter => out.extend(letter.to_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_written_as_words() {
        for (name, words) in [
            ("Create", "create"),
            ("CreateKeyPair", "create-key-pair"),
            ("ReKey", "re-key"),
            ("MACVerify", "mac-verify"),
            ("RNGRetrieve", "rng-retrieve"),
            ("PKCS_11", "pkcs-11"),
            ("MAC", "mac"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(kebab(name), words);
        }
    }

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(time(Moment(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(Moment(1_589_397_133_032)), "2020-05-13T19:12:13.032Z");
        assert_eq!(time(Moment(u64::MAX)), "9999-12-31T23:59:59.615Z");
    }
}
