//! Cryptographic operations that take their data in parts, between requests: KMIP 1.4, sections 2.1.15
//! and 4 (multi-part operations). Each belongs to the client that began it. Bounded in number, in the
//! memory of those that collect their data, and gone after a time without a part.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::ttlv::Item;
use crate::ttlv::enums::{Operation, ResultReason as Reason};

/// The most operations under way.
const MOST: usize = 4096;
/// The most of one client.
const MOST_OF_ONE: usize = 64;
/// The most data that one collects, in bytes.
const MOST_COLLECTED: usize = 16 << 20;
/// The most data that all together collect, in bytes.
const MOST_COLLECTED_BY_ALL: usize = 256 << 20;
/// How long one waits for its next part.
const PATIENCE: Duration = Duration::from_secs(300);

/// What names an operation that is under way.
pub type Correlation = [u8; 16];

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
    /// The partition in which its key is.
    pub partition: String,
    /// The client that began it.
    pub owner: String,
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
    pub fn new(
        (partition, owner): (&str, &str),
        operation: Operation,
        id: Option<String>,
        work: Box<dyn Work>,
    ) -> Stream {
        Stream {
            partition: partition.to_owned(),
            owner: owner.to_owned(),
            operation,
            id,
            work,
            collected: 0,
            touched: Instant::now(),
        }
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

    fn is_of(&self, (partition, owner): (&str, &str), operation: Operation) -> bool {
        self.operation == operation && self.owner == owner && self.partition == partition
    }
}

/// The operations under way, of all clients.
#[derive(Default)]
pub struct Streams {
    waiting: Mutex<HashMap<Correlation, Stream>>,
}

impl Streams {
    /// Keeps an operation until its next part comes.
    ///
    /// # Errors
    /// [`Reason::ServerLimitExceeded`]: there are too many, or they hold too much.
    pub fn keep(&self, value: Correlation, mut stream: Stream) -> Outcome<()> {
        let now = Instant::now();
        stream.touched = now;
        let mut waiting = self.waiting();
        waiting.retain(|_, other| now.duration_since(other.touched) < PATIENCE);
        let of_one = waiting.values().filter(|other| other.owner == stream.owner).count();
        if waiting.len() >= MOST || of_one >= MOST_OF_ONE {
            return Err(too_much("too many operations are under way"));
        }
        let collected: usize = waiting.values().map(|other| other.collected).sum();
        if collected.saturating_add(stream.collected) > MOST_COLLECTED_BY_ALL {
            return Err(too_much("the operations under way hold too much data"));
        }
        waiting.insert(value, stream);
        Ok(())
    }

    /// Takes a client's operation, to go on with it. While it is taken, nobody else finds it.
    ///
    /// # Errors
    /// [`Reason::InvalidCorrelationValue`], also for those of others and of other operations.
    pub fn take(
        &self,
        value: &[u8],
        client: (&str, &str),
        operation: Operation,
    ) -> Outcome<(Correlation, Stream)> {
        let unknown = || Failure::new(Reason::InvalidCorrelationValue, "no such operation is under way");
        let value = Correlation::try_from(value).map_err(|_| unknown())?;
        let mut waiting = self.waiting();
        let found = waiting.get(&value).filter(|stream| stream.is_of(client, operation));
        if found.is_none_or(|stream| stream.touched.elapsed() >= PATIENCE) {
            return Err(unknown());
        }
        waiting.remove(&value).map(|stream| (value, stream)).ok_or_else(unknown)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Correlation, Stream>> {
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

    fn stream(client: (&str, &str), collects: bool) -> Stream {
        Stream::new(client, Operation::Hash, None, Box::new(Nothing { collects }))
    }

    fn named(number: u32) -> Correlation {
        u128::from(number).to_be_bytes()
    }

    fn refusal<T>(outcome: Outcome<T>) -> Reason {
        outcome.map(drop).unwrap_err().reason
    }

    #[test]
    fn an_operation_is_found_by_its_owner_and_kind_alone_and_once() {
        let streams = Streams::default();
        streams.keep(named(1), stream(ANN, false)).unwrap();
        let unknown = Reason::InvalidCorrelationValue;
        assert_eq!(refusal(streams.take(&named(1), ("kmip", "bob"), Operation::Hash)), unknown);
        assert_eq!(refusal(streams.take(&named(1), ("other", "ann"), Operation::Hash)), unknown);
        assert_eq!(refusal(streams.take(&named(1), ANN, Operation::MAC)), unknown);
        assert_eq!(refusal(streams.take(&named(2), ANN, Operation::Hash)), unknown);
        assert_eq!(refusal(streams.take(b"short", ANN, Operation::Hash)), unknown);
        assert!(streams.take(&named(1), ANN, Operation::Hash).is_ok());
        assert_eq!(refusal(streams.take(&named(1), ANN, Operation::Hash)), unknown);
    }

    #[test]
    fn they_are_bounded_per_client_and_in_all() {
        let streams = Streams::default();
        for number in 0..MOST_OF_ONE as u32 {
            streams.keep(named(number), stream(ANN, false)).unwrap();
        }
        assert_eq!(refusal(streams.keep(named(1 << 20), stream(ANN, false))), Reason::ServerLimitExceeded);
        for number in MOST_OF_ONE as u32..MOST as u32 {
            let owner = format!("client {}", number as usize / MOST_OF_ONE);
            streams.keep(named(number), stream(("kmip", &owner), false)).unwrap();
        }
        let late = stream(("kmip", "late"), false);
        assert_eq!(refusal(streams.keep(named(1 << 20), late)), Reason::ServerLimitExceeded);
    }

    #[test]
    fn what_is_collected_is_bounded() {
        let mut one = stream(ANN, true);
        assert!(one.feed(&vec![0; MOST_COLLECTED]).is_ok());
        assert_eq!(refusal(one.feed(&[0])), Reason::ServerLimitExceeded);
        let mut other = stream(ANN, false);
        assert!(other.feed(&vec![0; MOST_COLLECTED]).is_ok());
        assert!(other.feed(&[0]).is_ok());
    }

    #[test]
    fn one_that_waited_too_long_is_gone() {
        let streams = Streams::default();
        streams.keep(named(1), stream(ANN, false)).unwrap();
        let Some(long_ago) = Instant::now().checked_sub(PATIENCE) else { return };
        streams.waiting().get_mut(&named(1)).unwrap().touched = long_ago;
        assert_eq!(refusal(streams.take(&named(1), ANN, Operation::Hash)), Reason::InvalidCorrelationValue);
        streams.keep(named(2), stream(ANN, false)).unwrap();
        assert_eq!(streams.waiting().len(), 1, "the room is free again");
    }
}
