//! What the operations with data have in common: a key that may serve, its usage limits, and data that
//! comes whole or in parts. KMIP 1.4, section 4 (multi-part operations).

use hsm_core::object::lifecycle::Action;
use hsm_core::object::managed::{SOFTHSM_RS_USAGE_MASK, UsageLimits};
use hsm_core::object::{Object, usage_mask};
use hsm_core::service::Item as Found;

use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::streams::{Stream, Work};
use crate::ttlv::enums::{Operation, ResultReason as Reason, UsageLimitsUnit};
use crate::ttlv::{Fields, Item, Tag, Version};

/// Which part of its data a request brings.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// All of it.
    Whole,
    /// The first.
    First,
    /// One that follows, in the operation of that correlation value.
    Next(&'a [u8]),
    /// The last.
    Last(&'a [u8]),
}

impl<'a> Part<'a> {
    /// Takes the fields that say it. Before 1.3 there are none.
    pub fn take(fields: &mut Fields<'a>, version: Version) -> Outcome<Part<'a>> {
        if version < Version::V1_3 {
            return Ok(Part::Whole);
        }
        let correlation = fields.take(Tag::CORRELATION_VALUE).map(Item::as_bytes).transpose()?;
        let begins = fields.take_boolean(Tag::INIT_INDICATOR)?.unwrap_or_default();
        let ends = fields.take_boolean(Tag::FINAL_INDICATOR)?.unwrap_or_default();
        match (correlation, begins, ends) {
            (None, false, false) | (None, true, true) => Ok(Part::Whole),
            (None, true, false) => Ok(Part::First),
            (Some(value), false, false) => Ok(Part::Next(value)),
            (Some(value), false, true) => Ok(Part::Last(value)),
            (None, false, true) => {
                Err(Failure::new(Reason::MissingData, "the correlation value of what ends is missing"))
            }
            (Some(_), true, _) => Err(invalid_field("what begins has no correlation value yet")),
        }
    }
}

/// The whole data of an operation.
pub fn need(data: Option<&Item>, tag: Tag) -> Outcome<&[u8]> {
    let missing = || Failure::new(Reason::MissingData, format!("{tag} is missing"));
    Ok(data.ok_or_else(missing)?.as_bytes()?)
}

/// Whether the object's usage mask has a bit. The core's flags are coarser: signatures and MACs share one.
/// Keys that PKCS #11 made have the flags alone.
pub fn check_mask(object: &Object, bit: u32) -> Outcome<()> {
    if object.number(SOFTHSM_RS_USAGE_MASK).is_none() || usage_mask::has(object, bit) {
        return Ok(());
    }
    let text = "the key's usage mask does not allow it";
    Err(Failure::new(Reason::IncompatibleCryptographicUsageMask, text))
}

/// Has what follows with a key done where it may block, if it takes long or has usage limits, which are
/// counted on the disk.
pub fn learn(context: &Context<'_>, id: &str, found: &Found, private: bool) {
    /// The longest RSA modulus, in bits, whose private operation is quick.
    const QUICK_BITS: u64 = 2048;
    let heavy = private
        && found.object().key_type() == Some(cryptoki_sys::CKK_RSA)
        && found.key().size_bits() > QUICK_BITS;
    if heavy || UsageLimits::of(found.object()).is_some() {
        context.engine.heavy.add(id);
    }
}

/// Whether usage limits count bytes. An operation in parts is counted as one with its first part.
fn counts_bytes(found: &Found) -> bool {
    UsageLimits::of(found.object()).is_some_and(|limits| limits.unit == u32::from(UsageLimitsUnit::Byte))
}

/// What a request of an operation in parts brings.
pub struct Brought<'a> {
    /// The operation.
    pub operation: Operation,
    /// The data.
    pub data: Option<&'a Item>,
    /// The signature or MAC to compare with.
    pub expected: Option<&'a Item>,
}

impl Brought<'_> {
    /// Feeds a stream with what the request brings.
    fn feed(&self, stream: &mut Stream) -> Outcome<Vec<u8>> {
        if let Some(expected) = self.expected {
            stream.work.compare_with(expected.as_bytes()?)?;
        }
        match self.data {
            Some(data) => stream.feed(data.as_bytes()?),
            None => Ok(Vec::new()),
        }
    }

    /// How many bytes the request brings.
    fn bytes(&self) -> Outcome<u64> {
        Ok(self.data.map(Item::as_bytes).transpose()?.unwrap_or_default().len() as u64)
    }

    fn client<'c>(context: &Context<'c>) -> (&'c str, &'c str) {
        (&context.client.partition, &context.client.owner)
    }

    /// Begins an operation in parts. `opening` are fields of the answer that no other part has; `charged` is
    /// the key whose usage limits count it.
    ///
    /// # Errors
    /// Those of the operation, and of too many of them.
    pub fn begin(
        &self,
        context: &Context<'_>,
        id: Option<String>,
        work: Box<dyn Work>,
        opening: Vec<Item>,
        charged: Option<&Found>,
    ) -> Outcome<Vec<Item>> {
        let taken = context.engine.streams.begin(Brought::client(context))?;
        let mut stream = Stream::new(self.operation, id, work);
        let output = match charged {
            Some(found) => context.space.spend(found, self.bytes()?, || self.feed(&mut stream))?,
            None => self.feed(&mut stream)?,
        };
        let mut answer: Vec<Item> = stream.id.as_deref().map(id_field).into_iter().collect();
        answer.extend(data_field(output));
        answer.extend(opening);
        answer.push(Item::bytes(Tag::CORRELATION_VALUE, taken.value().to_vec()));
        taken.keep(stream)?;
        Ok(answer)
    }

    /// Goes on with an operation in parts, whose key must be fit for it still. `charged` says whether its
    /// usage limits count.
    ///
    /// # Errors
    /// Those of the correlation value, of the key and of the operation, which is over then.
    pub fn go_on(
        &self,
        context: &Context<'_>,
        id: Option<&Item>,
        (value, ends): (&[u8], bool),
        (action, charged): (Action, bool),
    ) -> Outcome<Vec<Item>> {
        let streams = &context.engine.streams;
        let (taken, mut stream) = streams.take(value, Brought::client(context), self.operation)?;
        if let Some(id) = id
            && Some(context.resolve(id)?) != stream.id
        {
            return Err(invalid_field("the correlation value is one of another key's"));
        }
        let key = stream.id.as_deref().map(|id| context.load(id, action)).transpose()?;
        let mut answer: Vec<Item> = stream.id.as_deref().map(id_field).into_iter().collect();
        let work = || -> Outcome<Option<Stream>> {
            let output = self.feed(&mut stream)?;
            if ends {
                answer.extend(stream.work.finish(output)?);
                return Ok(None);
            }
            answer.extend(data_field(output));
            Ok(Some(stream))
        };
        let kept = match key.filter(|found| charged && counts_bytes(found)) {
            Some(found) => context.space.spend(&found, self.bytes()?, work)?,
            None => work()?,
        };
        let Some(stream) = kept else { return Ok(answer) };
        answer.push(Item::bytes(Tag::CORRELATION_VALUE, taken.value().to_vec()));
        taken.keep(stream)?;
        Ok(answer)
    }
}

/// A part's output, which may be none.
pub fn data_field(output: Vec<u8>) -> Option<Item> {
    (!output.is_empty()).then(|| Item::bytes(Tag::DATA, output))
}
