//! What Query tells beyond operations and objects: profiles, capabilities, generators, extensions.
//! KMIP 1.4, section 4.25; 2.1, section 6.1.44.

use crate::context::Context;
use crate::ttlv::Item;
use crate::ttlv::enums::QueryFunction;

/// The fields that answer a query function.
pub fn answered(_: &Context<'_>, _: QueryFunction) -> Vec<Item> {
    Vec::new()
}
