//! What a client's changes are recorded as: an event for each transaction, in the transaction.

use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::{Event, ObjectId, Trail};
use crate::error::Result;
use crate::partition::Transaction;

/// The operation that changes belong to, while there is one.
#[derive(Default)]
pub(super) struct Account(Mutex<Option<Operation>>);

/// An operation under way.
pub(super) struct Operation {
    trail: Arc<Trail>,
    /// What is recorded, but for the objects.
    event: Event,
    /// Whether something was.
    recorded: bool,
}

impl Account {
    pub(super) fn begin(&self, trail: Arc<Trail>, event: Event) {
        self.put(Some(Operation { trail, event, recorded: false }));
    }

    /// Ends the operation: whether it was recorded, if there was one.
    pub(super) fn end(&self) -> Option<bool> {
        self.take().map(|operation| operation.recorded)
    }

    /// Takes the operation out, for a transaction: no lock is held over a commit.
    pub(super) fn take(&self) -> Option<Operation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn put(&self, operation: Option<Operation>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = operation;
    }
}

impl Operation {
    /// Records what a transaction touched, at its end. One that touched nothing is none.
    pub(super) fn record(
        &self,
        transaction: &mut Transaction<'_>,
        touched: impl Iterator<Item = ObjectId>,
    ) -> Result<()> {
        let mut event = Event::now(self.event.activity, self.event.initiator.clone());
        event.request = self.event.request;
        touched.for_each(|object| event.about(object));
        if event.objects().is_empty() { Ok(()) } else { transaction.record(&self.trail, event) }
    }

    /// The transaction was committed.
    pub(super) fn recorded(mut self, touched: bool) -> Operation {
        self.recorded |= touched;
        self
    }
}
