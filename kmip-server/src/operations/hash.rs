//! Hash: KMIP 1.4, section 4.37; 2.1, section 6.1.24.

use hsm_core::crypto::{self, Digest, Hash};
use hsm_core::object::lifecycle::Action;

use super::parts::{Brought, Part, need};
use crate::context::Context;
use crate::failure::{Outcome, invalid_field};
use crate::parameters::{Parameters, bad};
use crate::streams::Work;
use crate::ttlv::enums::Operation;
use crate::ttlv::{Fields, Item, Tag};

/// Hash.
///
/// # Errors
/// Those of the parameters.
pub fn hash(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let part = Part::take(&mut fields, context.version)?;
    let parameters = Parameters::read(fields.take(Tag::CRYPTOGRAPHIC_PARAMETERS))?;
    let data = fields.take(Tag::DATA);
    fields.end()?;
    let brought = Brought { operation: Operation::Hash, data, expected: None };
    let named = || parameters.hash.ok_or_else(|| bad("the hash is not named"));
    match part {
        Part::Whole => {
            let digest = crypto::hash_of(named()?, &[need(data, Tag::DATA)?])?;
            Ok(vec![Item::bytes(Tag::DATA, digest)])
        }
        Part::First => {
            let hash = named()?;
            let work = Hashing { digest: crypto::digest(hash)?, hash };
            brought.begin(context, None, Box::new(work), Vec::new(), None)
        }
        Part::Next(value) => brought.go_on(context, None, (value, false), (Action::Look, false)),
        Part::Last(value) => brought.go_on(context, None, (value, true), (Action::Look, false)),
    }
}

/// A digest of data in parts.
struct Hashing {
    digest: Box<dyn Digest>,
    hash: Hash,
}

impl Work for Hashing {
    fn feed(&mut self, data: &[u8]) -> Outcome<Vec<u8>> {
        self.digest.update(data)?;
        Ok(Vec::new())
    }

    fn compare_with(&mut self, _: &[u8]) -> Outcome<()> {
        Err(invalid_field("a digest is not compared"))
    }

    fn finish(mut self: Box<Self>, _: Vec<u8>) -> Outcome<Vec<Item>> {
        let mut out = vec![0; self.hash.len()];
        self.digest.finish(&mut out)?;
        Ok(vec![Item::bytes(Tag::DATA, out)])
    }

    fn collects(&self) -> bool {
        false
    }
}
