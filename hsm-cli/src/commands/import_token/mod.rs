//! `import-token`: create, show, and the customer's side (`customer`). The names in JSON are those of Key
//! Protect's API and stay as they are.

use std::sync::Arc;

use data_encoding::BASE64;
use hsm_core::hsm::Hsm;
use hsm_core::import_token::{Limits, Metadata, Retrieved};
use hsm_core::object::lifecycle;
use hsm_core::session::Access;
use serde::Serialize;

use super::key::Desk;
use crate::cli::{ImportToken, KeyAccess};
use crate::failure::Result;
use crate::output::{Output, date};

mod customer;

/// The customer's commands open no HSM.
pub(super) fn run(hsm: &dyn Fn() -> Result<Arc<Hsm>>, command: ImportToken, output: Output) -> Result<()> {
    match command {
        ImportToken::Create { access, expires, retrievals } => {
            // Before any PIN is asked for.
            let limits = Limits::new(expires, retrievals)?;
            create(&*hsm()?, &access, limits, output)
        }
        ImportToken::Show { access } => show(&*hsm()?, &access, output),
        ImportToken::EncryptKey(options) => customer::encrypt_key(&options, output),
        ImportToken::EncryptNonce(options) => customer::encrypt_nonce(&options, output),
    }
}

/// What is told of a token.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    creation_date: String,
    expiration_date: String,
    max_allowed_retrievals: u32,
    remaining_retrievals: u32,
}

impl Described {
    fn of(metadata: &Metadata) -> Described {
        Described {
            creation_date: date(metadata.creation),
            expiration_date: date(metadata.expiration),
            max_allowed_retrievals: metadata.max_allowed_retrievals,
            remaining_retrievals: metadata.remaining_retrievals,
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let retrievals = format!("{} of {} remain", self.remaining_retrievals, self.max_allowed_retrievals);
        vec![
            ("created", self.creation_date.clone()),
            ("expires", self.expiration_date.clone()),
            ("retrievals", retrievals),
        ]
    }
}

/// A token as the customer gets it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    described: Described,
    /// The public key in PEM, in base64.
    payload: String,
    nonce: String,
    /// The public key's Unique Identifier in KMIP, which Key Protect does not have.
    unique_identifier: String,
}

fn create(hsm: &Hsm, access: &KeyAccess, limits: Limits, output: Output) -> Result<()> {
    let desk = Desk::open(hsm, access, Access::ReadWrite, output)?;
    let made = Described::of(&desk.session.create_import_token(limits, lifecycle::now())?);
    output.result(&made, |page| page.fields(made.fields()));
    Ok(())
}

fn show(hsm: &Hsm, access: &KeyAccess, output: Output) -> Result<()> {
    let desk = Desk::open(hsm, access, Access::ReadWrite, output)?;
    let Retrieved { metadata, public_key, nonce, unique_id } =
        desk.session.retrieve_import_token(lifecycle::now())?;
    let shown = Shown {
        described: Described::of(&metadata),
        payload: BASE64.encode(public_key.as_bytes()),
        nonce: BASE64.encode(&nonce),
        unique_identifier: unique_id,
    };
    output.result(&shown, |page| {
        let mut fields = shown.described.fields();
        fields.push(("nonce", shown.nonce.clone()));
        fields.push(("unique identifier", shown.unique_identifier.clone()));
        page.fields(fields);
        page.line(public_key.trim_end());
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_api() {
        let metadata = Metadata {
            creation: 1_589_397_133,
            expiration: 1_589_397_733,
            max_allowed_retrievals: 5,
            remaining_retrievals: 4,
        };
        let shown = Shown {
            described: Described::of(&metadata),
            payload: "cGVt".into(),
            nonce: "bm9uY2U=".into(),
            unique_identifier: "import-token-00".into(),
        };
        let expected = serde_json::json!({
            "creationDate": "2020-05-13T19:12:13Z",
            "expirationDate": "2020-05-13T19:22:13Z",
            "maxAllowedRetrievals": 5,
            "remainingRetrievals": 4,
            "payload": "cGVt",
            "nonce": "bm9uY2U=",
            "uniqueIdentifier": "import-token-00",
        });
        assert_eq!(serde_json::to_value(&shown).unwrap(), expected);
    }
}
