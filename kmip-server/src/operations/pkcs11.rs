//! PKCS#11: KMIP 2.1, section 6.1.37. What its functions do is `crate::pkcs11`'s.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::pkcs11;
use crate::ttlv::enums::{PKCS_11Function as Function, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag};

/// The name of the interface that is meant where none is named.
const INTERFACE: &str = "PKCS 11";

/// PKCS#11.
///
/// # Errors
/// [`Reason::PKCS_11InvalidInterface`], [`Reason::PKCS_11InvalidFunction`],
/// [`Reason::PKCS_11CodecError`]. What a function refuses is in its return code.
pub fn call(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let interface = fields.take(Tag::PKCS11_INTERFACE);
    let function = fields.need(Tag::PKCS11_FUNCTION)?;
    let correlation = fields.take_bytes(Tag::CORRELATION_VALUE)?;
    let input = fields.take_bytes(Tag::PKCS11_INPUT_PARAMETERS)?;
    fields.end()?;
    if interface.map(Item::as_text).transpose()?.is_some_and(|name| name != INTERFACE) {
        return Err(Failure::new(Reason::PKCS_11InvalidInterface, "there is no such interface"));
    }
    let named: Function = function.as_value_of().map_err(|_| {
        Failure::new(
            Reason::PKCS_11InvalidFunction,
            "PKCS #11 has no such function, and neither has this server",
        )
    })?;
    let answer = pkcs11::call(context, named, correlation, input.unwrap_or_default())?;
    let mut out: Vec<Item> = interface.cloned().into_iter().collect();
    out.push(function.clone());
    out.extend(answer.correlation.map(|value| Item::bytes(Tag::CORRELATION_VALUE, value)));
    out.extend(answer.output.map(|bytes| Item::bytes(Tag::PKCS11_OUTPUT_PARAMETERS, bytes)));
    out.push(Item::enumeration(Tag::PKCS11_RETURN_CODE, answer.code));
    Ok(out)
}
