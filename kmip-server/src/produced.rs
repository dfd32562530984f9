//! Data that an item of a batch leaves for those after it, and data that is not given out: KMIP 2.1,
//! sections 7.9, 8.3 (Ephemeral) and 11.13. It lives as long as the batch.

use hsm_core::secret::Wiped;

use crate::failure::{Failure, Outcome, invalid_field};
use crate::message::BatchItem;
use crate::ttlv::enums::{Data, Operation, ResultReason as Reason};
use crate::ttlv::{Item, Malformed, Tag, Value};

/// The most that a batch keeps, in bytes.
const MOST: usize = 16 << 20;

/// The operations that produce data: the field of their answers that it is, and what later items call it.
#[rustfmt::skip]
const OUTPUTS: &[(Operation, Tag, Data)] = &[
    (Operation::Decrypt,         Tag::DATA,           Data::Decrypt),
    (Operation::Encrypt,         Tag::DATA,           Data::Encrypt),
    (Operation::Hash,            Tag::DATA,           Data::Hash),
    (Operation::MAC,             Tag::MAC_DATA,       Data::MACMACData),
    (Operation::RNGRetrieve,     Tag::DATA,           Data::RNGRetrieve),
    (Operation::Sign,            Tag::SIGNATURE_DATA, Data::SignSignatureData),
    (Operation::SignatureVerify, Tag::DATA,           Data::SignatureVerify),
];

/// What the items of a batch have produced so far.
#[derive(Default)]
pub struct Produced {
    /// Whether any item refers to another's data: most batches have none, and keep nothing.
    wanted: bool,
    all: Vec<(Data, Wiped<Vec<u8>>)>,
}

impl Produced {
    /// Looks at what is to come.
    pub fn expect(&mut self, items: &[BatchItem]) {
        self.wanted = items.iter().any(|item| item.payload.items().iter().any(refers));
    }

    /// How many items have produced data that is kept.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Forgets all but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.all.truncate(count);
    }

    /// Puts data in the place of what refers to it.
    ///
    /// # Errors
    /// [`Reason::InvalidField`] where no earlier item left such data; [`Reason::UnknownEnumeration`].
    pub fn fill(&self, payload: &mut Item) -> Outcome<()> {
        let Value::Structure(fields) = &mut payload.value else { return Ok(()) };
        for field in fields.iter_mut().filter(|field| refers(field)) {
            field.value = Value::ByteString(self.named_by(field)?.clone());
        }
        Ok(())
    }

    fn named_by(&self, field: &Item) -> Outcome<&Wiped<Vec<u8>>> {
        let found = match field.value {
            Value::Enumeration(number) => {
                let unknown = Malformed::Unknown { tag: field.tag, number };
                let wanted = Data::from_number(number).ok_or(unknown)?;
                self.all.iter().rev().find(|(of, _)| *of == wanted)
            }
            Value::Integer(place) => {
                let place = match usize::try_from(place) {
                    Ok(place) => Some(place),
                    Err(_) => self.all.len().checked_sub(place.unsigned_abs() as usize),
                };
                place.and_then(|place| self.all.get(place))
            }
            _ => None,
        };
        found.map(|(_, data)| data).ok_or_else(|| invalid_field("no earlier item left such data"))
    }

    /// Keeps what an operation produced, if a later item may refer to it; takes it out of the answer where
    /// it is not to be given out.
    ///
    /// # Errors
    /// [`Reason::ServerLimitExceeded`]: the batch keeps too much.
    pub fn keep(&mut self, operation: Operation, ephemeral: bool, answer: &mut Vec<Item>) -> Outcome<()> {
        if !ephemeral && !self.wanted {
            return Ok(());
        }
        let output = OUTPUTS.iter().find(|(producer, ..)| *producer == operation);
        let Some((_, tag, of)) = output else { return Ok(()) };
        let Some(at) = answer.iter().position(|field| field.tag == *tag) else { return Ok(()) };
        let field = if ephemeral { Some(answer.remove(at)) } else { answer.get(at).cloned() };
        if let (true, Some(Value::ByteString(data))) = (self.wanted, field.map(|field| field.value)) {
            let kept: usize = self.all.iter().map(|(_, data)| data.len()).sum();
            if kept.saturating_add(data.len()) > MOST {
                let text = "the items of a batch leave too much data for one another";
                return Err(Failure::new(Reason::ServerLimitExceeded, text));
            }
            self.all.push((*of, data));
        }
        Ok(())
    }
}

/// Whether a field stands for the data of another item.
fn refers(field: &Item) -> bool {
    field.tag == Tag::DATA && matches!(field.value, Value::Enumeration(_) | Value::Integer(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_batch_keeps_is_bounded() {
        let mut produced = Produced { wanted: true, ..Produced::default() };
        let mut keep = |bytes: usize| {
            let mut answer = vec![Item::bytes(Tag::DATA, vec![7; bytes])];
            produced.keep(Operation::Encrypt, true, &mut answer).map_err(|failure| failure.reason)
        };
        assert_eq!(keep(MOST - 1), Ok(()));
        assert_eq!(keep(2), Err(Reason::ServerLimitExceeded));
        assert_eq!(keep(1), Ok(()));
    }

    #[test]
    fn what_nobody_refers_to_is_not_kept() {
        let mut produced = Produced::default();
        let mut answer = vec![Item::bytes(Tag::DATA, vec![7; 4])];
        produced.keep(Operation::Encrypt, false, &mut answer).unwrap();
        assert_eq!((produced.count(), answer.len()), (0, 1));
        produced.keep(Operation::Encrypt, true, &mut answer).unwrap();
        assert_eq!((produced.count(), answer.len()), (0, 0), "ephemeral data is not given out either");
    }
}
