//! RNG Retrieve and RNG Seed: KMIP 1.4, sections 4.35 and 4.36; 2.1, sections 6.1.54 and 6.1.55.

use hsm_core::secret::Wiped;

use crate::context::Context;
use crate::failure::{Outcome, invalid_field};
use crate::ttlv::{Fields, Item, Tag};

/// The most random bytes that one request gets.
const MOST: usize = 1 << 20;

/// RNG Retrieve.
///
/// # Errors
/// A length that is not offered.
pub fn retrieve(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let length = usize::try_from(fields.need(Tag::DATA_LENGTH)?.as_integer()?);
    fields.end()?;
    let length = length.ok().filter(|length| (1..=MOST).contains(length));
    let length = length.ok_or_else(|| invalid_field(format!("1 to {MOST} bytes are given at once")))?;
    let mut out = Wiped::new(vec![0; length]);
    context.space.session().random(&mut out)?;
    Ok(vec![Item::bytes(Tag::DATA, out)])
}

/// RNG Seed: nothing of the seed is used, which the standard lets a server answer. The generator seeds
/// itself, and no client has a part in what others get.
///
/// # Errors
/// Those of the payload.
pub fn seed(_: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    fields.need(Tag::DATA)?.as_bytes()?;
    fields.end()?;
    Ok(vec![Item::integer(Tag::DATA_LENGTH, 0)])
}
