//! Poll and Cancel: KMIP 1.4, sections 4.27 and 4.28; 2.1, sections 6.1.4 and 6.1.38. Every operation is
//! carried out before it is answered, so that no correlation value is ever one of these.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{CancellationResult, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag};

fn correlation_value(payload: &Item) -> Outcome<&Item> {
    let mut fields = Fields::new(payload)?;
    let value = fields.need(Tag::ASYNCHRONOUS_CORRELATION_VALUE)?;
    value.as_bytes()?;
    fields.end()?;
    Ok(value)
}

/// Poll.
///
/// # Errors
/// [`Reason::InvalidAsynchronousCorrelationValue`], always.
pub fn poll(_: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    correlation_value(payload)?;
    Err(Failure::new(Reason::InvalidAsynchronousCorrelationValue, "no such operation is outstanding"))
}

/// Cancel: the result is that there is nothing of the kind.
///
/// # Errors
/// Those of the payload.
pub fn cancel(_: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let value = correlation_value(payload)?.clone();
    Ok(vec![value, Item::enumeration(Tag::CANCELLATION_RESULT, CancellationResult::Unavailable)])
}
