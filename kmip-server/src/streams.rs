//! Cryptographic operations that take their data in parts, between requests: KMIP 1.4, sections 2.1.15
//! and 4 (multi-part operations). Each belongs to the client that began it. Bounded in number, in the
//! memory of those that collect their data, and gone after a time without a part.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::ttlv::Item;
use crate::ttlv::enums::{Operation, ResultReason as Reason};

/// The most operations under way.
const MOST: usize = 4096;
/// The most of one client.
const MOST_OF_ONE: u64 = 64;
/// The most data that one collects, in bytes.
const MOST_COLLECTED: usize = 16 << 20;
/// The most data that all together collect, in bytes.
const MOST_COLLECTED_BY_ALL: usize = 256 << 20;
/// How long one waits for its next part.
const PATIENCE: Duration = Duration::from_secs(300);

/// What names an operation that is under way: a mark of this run of the server, and a number that no
/// other operation of the client has. The number is the lowest that is free, so that a client who does one
/// thing after the other is given the same value each time, which is what OASIS's cases expect. It is no
/// secret, since nobody else can use it.
pub type Correlation = [u8; 16];

/// Whose operation it is, and its number.
type Place = (String, String, u64);

/// What is done with the parts.
pub trait Work: Send {
    /// Takes a part; answers what it brings.
    ///
    /// # Errors
    /// Those of the operation. It is over then.
    fn feed(&mut self, data: &[u8]) -> Outcome<Vec<u8>>;

    /// Takes the signature or MAC that the data is to be checked against.
    ///
    /// # Errors
    /// [`Reason::InvalidField`] where nothing is checked, or twice.
    fn compare_with(&mut self, expected: &[u8]) -> Outcome<()>;

    /// Ends the data; `output` is what the last part brought. Answers the fields of the result.
    ///
    /// # Errors
    /// Those of the operation.
    fn finish(self: Box<Self>, output: Vec<u8>) -> Outcome<Vec<Item>>;

    /// Whether the data is kept until the end.
    fn collects(&self) -> bool;
}

/// An operation under way.
pub struct Stream {
    /// The operation.
    pub operation: Operation,
    /// The identifier of its key, where it has one.
    pub id: Option<String>,
    /// What is done.
    pub work: Box<dyn Work>,
    collected: usize,
    touched: Instant,
}

impl Stream {
    /// A new one.
    pub fn new(operation: Operation, id: Option<String>, work: Box<dyn Work>) -> Stream {
        Stream { operation, id, work, collected: 0, touched: Instant::now() }
    }

    /// Takes a part; answers what it brings.
    ///
    /// # Errors
    /// Those of the operation; [`Reason::ServerLimitExceeded`].
    pub fn feed(&mut self, data: &[u8]) -> Outcome<Vec<u8>> {
        if self.work.collects() {
            self.collected = self.collected.saturating_add(data.len());
            if self.collected > MOST_COLLECTED {
                return Err(too_much("so much data is not collected"));
            }
        }
        self.work.feed(data)
    }
}

/// The place of an operation that is being gone on with. It is free again when this is dropped, unless the
/// operation is put back.
pub struct Taken<'a> {
    streams: &'a Streams,
    place: Option<Place>,
    value: Correlation,
}

impl Taken<'_> {
    /// What names the operation.
    pub fn value(&self) -> Correlation {
        self.value
    }

    /// Keeps the operation until its next part comes.
    ///
    /// # Errors
    /// [`Reason::ServerLimitExceeded`]: all together hold too much.
    pub fn keep(mut self, mut stream: Stream) -> Outcome<()> {
        stream.touched = Instant::now();
        let mut waiting = self.streams.waiting();
        let collected: usize = waiting.values().flatten().map(|other| other.collected).sum();
        if collected.saturating_add(stream.collected) > MOST_COLLECTED_BY_ALL {
            // Dropping `self` takes the lock.
            drop(waiting);
            return Err(too_much("the operations under way hold too much data"));
        }
        if let Some(place) = self.place.take() {
            waiting.insert(place, Some(stream));
        }
        Ok(())
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.streams.waiting().remove(&place);
        }
    }
}

/// The operations under way, of all clients; those that are just being gone on with have left their place.
pub struct Streams {
    mark: u64,
    waiting: Mutex<BTreeMap<Place, Option<Stream>>>,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams { mark: RandomState::new().build_hasher().finish(), waiting: Mutex::default() }
    }
}

impl Streams {
    /// A place for a new operation of a client, who is named by his partition and owner.
    ///
    /// # Errors
    /// [`Reason::ServerLimitExceeded`]: there are too many.
    pub fn begin(&self, (partition, owner): (&str, &str)) -> Outcome<Taken<'_>> {
        let mut waiting = self.waiting();
        let late = |stream: &Stream| stream.touched.elapsed() >= PATIENCE;
        waiting.retain(|_, stream| !stream.as_ref().is_some_and(late));
        let place = |number: u64| (partition.to_owned(), owner.to_owned(), number);
        let free = (0..MOST_OF_ONE).map(place).find(|place| !waiting.contains_key(place));
        let place = free.filter(|_| waiting.len() < MOST);
        let place = place.ok_or_else(|| too_much("too many operations are under way"))?;
        waiting.insert(place.clone(), None);
        let number = place.2;
        Ok(Taken { streams: self, place: Some(place), value: self.value(number) })
    }

    /// Takes a client's operation, to go on with it. While it is taken, nobody else finds it.
    ///
    /// # Errors
    /// [`Reason::InvalidCorrelationValue`], also for those of others and of other operations.
    pub fn take(
        &self,
        value: &[u8],
        (partition, owner): (&str, &str),
        operation: Operation,
    ) -> Outcome<(Taken<'_>, Stream)> {
        let unknown = || Failure::new(Reason::InvalidCorrelationValue, "no such operation is under way");
        let number = value.last_chunk().copied().map(u64::from_be_bytes).ok_or_else(unknown)?;
        if value != self.value(number) {
            return Err(unknown());
        }
        let place = (partition.to_owned(), owner.to_owned(), number);
        let mut waiting = self.waiting();
        let found = waiting.get_mut(&place).ok_or_else(unknown)?;
        let fits =
            |stream: &&mut Stream| stream.operation == operation && stream.touched.elapsed() < PATIENCE;
        if found.as_mut().filter(fits).is_none() {
            return Err(unknown());
        }
        let stream = found.take().ok_or_else(unknown)?;
        Ok((Taken { streams: self, place: Some(place), value: self.value(number) }, stream))
    }

    /// Ends a client's operation, if it waits for its next part.
    pub fn end(&self, value: &[u8], (partition, owner): (&str, &str)) {
        let number = value.last_chunk().copied().map(u64::from_be_bytes).unwrap_or_default();
        if value == self.value(number) {
            self.waiting().remove(&(partition.to_owned(), owner.to_owned(), number));
        }
    }

    fn value(&self, number: u64) -> Correlation {
        (u128::from(self.mark) << 64 | u128::from(number)).to_be_bytes()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Place, Option<Stream>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("waiting", &self.waiting().len()).finish()
    }
}

fn too_much(text: &str) -> Failure {
    Failure::new(Reason::ServerLimitExceeded, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing {
        collects: bool,
    }

    impl Work for Nothing {
        fn feed(&mut self, _: &[u8]) -> Outcome<Vec<u8>> {
            Ok(Vec::new())
        }
        fn compare_with(&mut self, _: &[u8]) -> Outcome<()> {
            Ok(())
        }
        fn finish(self: Box<Self>, _: Vec<u8>) -> Outcome<Vec<Item>> {
            Ok(Vec::new())
        }
        fn collects(&self) -> bool {
            self.collects
        }
    }

    const ANN: (&str, &str) = ("kmip", "ann");

    fn stream(collects: bool) -> Stream {
        Stream::new(Operation::Hash, None, Box::new(Nothing { collects }))
    }

    fn begun(streams: &Streams, client: (&str, &str)) -> Correlation {
        let taken = streams.begin(client).unwrap();
        let value = taken.value();
        taken.keep(stream(false)).unwrap();
        value
    }

    fn refusal<T>(outcome: Outcome<T>) -> Reason {
        outcome.map(drop).unwrap_err().reason
    }

    #[test]
    fn an_operation_is_found_by_its_owner_and_kind_alone_and_once() {
        let streams = Streams::default();
        let value = begun(&streams, ANN);
        let unknown = Reason::InvalidCorrelationValue;
        assert_eq!(refusal(streams.take(&value, ("kmip", "bob"), Operation::Hash)), unknown);
        assert_eq!(refusal(streams.take(&value, ("other", "ann"), Operation::Hash)), unknown);
        assert_eq!(refusal(streams.take(&value, ANN, Operation::MAC)), unknown);
        assert_eq!(refusal(streams.take(&[0; 16], ANN, Operation::Hash)), unknown);
        assert_eq!(refusal(streams.take(b"short", ANN, Operation::Hash)), unknown);
        let (taken, found) = streams.take(&value, ANN, Operation::Hash).unwrap();
        assert_eq!(refusal(streams.take(&value, ANN, Operation::Hash)), unknown, "it is taken");
        assert_ne!(begun(&streams, ANN), value, "its place is not free");
        taken.keep(found).unwrap();
        drop(streams.take(&value, ANN, Operation::Hash).unwrap());
        assert_eq!(refusal(streams.take(&value, ANN, Operation::Hash)), unknown, "it is over");
        assert_eq!(begun(&streams, ANN), value, "its place is free again");
    }

    #[test]
    fn an_operation_is_ended_by_its_client_alone() {
        let streams = Streams::default();
        let value = begun(&streams, ANN);
        streams.end(&value, ("kmip", "bob"));
        streams.end(b"short", ANN);
        drop(streams.take(&value, ANN, Operation::Hash).unwrap());
        let value = begun(&streams, ANN);
        streams.end(&value, ANN);
        assert_eq!(refusal(streams.take(&value, ANN, Operation::Hash)), Reason::InvalidCorrelationValue);
    }

    #[test]
    fn they_are_bounded_per_client_and_in_all() {
        let streams = Streams::default();
        for _ in 0..MOST_OF_ONE {
            begun(&streams, ANN);
        }
        assert_eq!(refusal(streams.begin(ANN)), Reason::ServerLimitExceeded);
        for number in MOST_OF_ONE..MOST as u64 {
            begun(&streams, ("kmip", &format!("client {}", number / MOST_OF_ONE)));
        }
        assert_eq!(refusal(streams.begin(("kmip", "late"))), Reason::ServerLimitExceeded);
    }

    #[test]
    fn what_is_collected_is_bounded() {
        let mut one = stream(true);
        assert!(one.feed(&vec![0; MOST_COLLECTED]).is_ok());
        assert_eq!(refusal(one.feed(&[0])), Reason::ServerLimitExceeded);
        let mut other = stream(false);
        assert!(other.feed(&vec![0; MOST_COLLECTED]).is_ok());
        assert!(other.feed(&[0]).is_ok());
        let streams = Streams::default();
        for _ in 0..MOST_COLLECTED_BY_ALL / MOST_COLLECTED {
            let mut one = stream(true);
            one.collected = MOST_COLLECTED;
            streams.begin(ANN).unwrap().keep(one).unwrap();
        }
        let mut one = stream(true);
        one.collected = 1;
        assert_eq!(refusal(streams.begin(ANN).unwrap().keep(one)), Reason::ServerLimitExceeded);
    }

    #[test]
    fn one_that_waited_too_long_is_gone() {
        let streams = Streams::default();
        let value = begun(&streams, ANN);
        let Some(long_ago) = Instant::now().checked_sub(PATIENCE) else { return };
        streams.waiting().values_mut().flatten().for_each(|stream| stream.touched = long_ago);
        assert_eq!(refusal(streams.take(&value, ANN, Operation::Hash)), Reason::InvalidCorrelationValue);
        begun(&streams, ANN);
        assert_eq!(streams.waiting().len(), 1, "the room is free again");
    }
}
