//! `key import`: a customer's key that was encrypted for the token's import token, an AES key or a private key.

use cryptoki_sys::*;
use hsm_core::hsm::Hsm;
use hsm_core::import_token::{Algorithm, Wrapped};
use hsm_core::object::lifecycle;
use hsm_core::object::{Template, Value};
use hsm_core::session::Access;

use super::{Desk, list};
use crate::cli::Import;
use crate::describe::Summary;
use crate::failure::Result;
use crate::output::Output;

/// What an AES key may be used for: what a root key is for, not what secret keys may do unless it is said.
#[rustfmt::skip]
const USES: [(u64, bool); 6] = [
    (CKA_ENCRYPT, true), (CKA_DECRYPT, true), (CKA_WRAP, true), (CKA_UNWRAP, true),
    (CKA_SIGN,   false), (CKA_VERIFY, false),
];

pub(super) fn run(hsm: &Hsm, options: &Import, output: Output) -> Result<()> {
    // Before any PIN is asked for.
    let algorithm = Algorithm::of_name(&options.encryption_algorithm)?;
    let desk = Desk::open(hsm, &options.access, Access::ReadWrite, output)?;
    let id = desk.id(options.id.as_ref())?;
    let template = |private| -> Template {
        vec![
            (CKA_TOKEN, Value::Bool(true)),
            (CKA_PRIVATE, Value::Bool(private)),
            (CKA_LABEL, Value::Bytes(options.label.clone().into_bytes())),
            (CKA_ID, Value::Bytes(id.clone())),
        ]
    };
    let wrapped = Wrapped {
        payload: &options.payload.0,
        encrypted_nonce: &options.encrypted_nonce.0,
        iv: &options.iv.0,
        algorithm,
    };
    let now = lifecycle::now();
    let keys = if algorithm.brings_private_keys() {
        let (public, private) =
            desk.session.import_private_by_token(&wrapped, template(false), template(true), now)?;
        vec![private, public]
    } else {
        let mut template = template(true);
        template.extend(USES.map(|(kind, flag)| (kind, Value::Bool(flag))));
        vec![desk.session.import_by_token(&wrapped, template, now)?]
    };
    let mut made = Vec::new();
    for key in keys {
        made.extend(Summary::of(&desk.session, key)?);
    }
    output.result(&made, |page| list::table(page, &made));
    Ok(())
}
