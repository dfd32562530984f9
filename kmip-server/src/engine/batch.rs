//! A batch: who it is from, its items carried out one after the other, and what follows when one fails or
//! its answer is longer than the client takes. KMIP 1.4, sections 4 (ID Placeholder), 6.2, 6.13 and 7.

use std::time::Instant;

use hsm_core::object::lifecycle;
use hsm_core::service::Space;

use super::Engine;
use crate::audit;
use crate::context::{Context, Left};
use crate::credential;
use crate::dispatch;
use crate::failure::{Failure, Outcome};
use crate::identity::{Client, Role};
use crate::message::{self, Answered, BatchItem, Header, Message};
use crate::ttlv::enums::{BatchErrorContinuation as Continuation, Operation, ResultReason as Reason};
use crate::ttlv::{self, Item, Tag, Version};

impl Engine {
    /// Carries out a batch.
    pub(super) fn carry_out(&self, client: &Client, message: Message) -> Item {
        let Message { header, items } = message;
        let version = header.version;
        let correlation = (header.client_correlation.clone(), Some(self.correlation()));
        let refused = |item: Answered, correlation| {
            message::answer(version, lifecycle::now(), correlation, vec![item.write(version)])
        };
        let holder = match self.holder(client, header.authentication.as_ref(), items.len()) {
            Ok(holder) => holder,
            Err(failure) => {
                audit::kept_out(self, client, &failure);
                // What the first item asked for is repeated, as in a refusal of its own.
                let first = items.first();
                let operation = first.map(BatchItem::number);
                let id = first.and_then(|item| item.id.clone());
                return refused(Answered { operation, id, result: Err(failure), undone: false }, correlation);
            }
        };
        let caller = client;
        let client = holder.as_ref().unwrap_or(caller);
        let space = match self.space(client) {
            Ok(space) => space,
            Err(failure) => {
                audit::kept_out(self, client, &failure);
                let item = Answered { operation: None, id: None, result: Err(failure), undone: false };
                return refused(item, correlation);
            }
        };
        let settings = self.settings.load();
        let mut context = Context::new(self, &settings, &space, (caller, client), version);
        context.expect(&items);
        let mut room = Room::new(&header, &correlation);
        let answered = self.carry_out_items(&mut context, &header, &mut room, items);
        let items = answered.into_iter().map(|item| item.write(version)).collect();
        message::answer(version, lifecycle::now(), correlation, items)
    }

    /// Who a request is from by a ticket or by credentials that it brings, if it brings any.
    fn holder(
        &self,
        caller: &Client,
        authentication: Option<&Item>,
        operations: usize,
    ) -> Outcome<Option<Client>> {
        match credential::ticket(authentication)? {
            Some(value) => self.tickets.show(value, caller, operations).map(Some),
            None => credential::holder(&self.credentials, caller, authentication),
        }
    }

    fn carry_out_items(
        &self,
        context: &mut Context<'_>,
        header: &Header,
        room: &mut Room,
        items: Vec<BatchItem>,
    ) -> Vec<Answered> {
        let undoes = header.continuation == Continuation::Undo;
        if undoes {
            context.space.remember();
        }
        let mut answered = Vec::with_capacity(items.len());
        let mut failed = false;
        for item in items {
            let item = self.carry_out_item(context, header, room, item);
            failed = item.result.is_err();
            answered.push(item);
            if failed && header.continuation != Continuation::Continue {
                break;
            }
        }
        if undoes && failed {
            audit::begin_undo(context);
            undo(context.space, &mut answered);
            context.space.end_operation();
        }
        answered
    }

    /// Carries out an item. One whose answer is too long has changed nothing, unless the whole batch is
    /// undone for it.
    fn carry_out_item(
        &self,
        context: &mut Context<'_>,
        header: &Header,
        room: &mut Room,
        mut item: BatchItem,
    ) -> Answered {
        let begun = Instant::now();
        let id = item.id.take();
        let mut answered =
            Answered { operation: Some(item.number()), id, result: Ok(Vec::new()), undone: false };
        if let Some(failure) = room.refusal(&answered) {
            // Not even an answer without content has room: nothing is begun.
            answered.result = Err(failure);
        } else {
            let before = room.most.map(|_| context.left());
            if before.is_some() && header.continuation != Continuation::Undo {
                context.space.remember();
            }
            answered.result = self.run(context, header, &mut item);
            if let Some(failure) = room.refusal(&answered) {
                let given = std::mem::replace(&mut answered.result, Err(failure)).unwrap_or_default();
                self.take_back(context, header, before, &given);
            }
        }
        answered.result = audit::end(context, &item, answered.result);
        room.fill(&answered);
        let name = item.operation.map_or("unknown", |operation| operation.name());
        if let Some(observer) = &self.observer {
            let outcome = answered.result.as_ref().map(drop).map_err(|failure| failure.reason);
            observer(context.client, name, outcome, begun.elapsed());
        }
        if let Err(failure) = &answered.result {
            log::debug!("{}: {name}: {:?}: {}", context.client.name, failure.reason, failure.message);
        }
        answered
    }

    /// Takes back what an item did whose answer cannot be given: `given` is that answer.
    fn take_back(&self, context: &mut Context<'_>, header: &Header, before: Option<Left>, given: &[Item]) {
        if let Some(before) = before {
            context.leave_as(before);
        }
        let client = context.client;
        for field in given {
            // Nobody will know the name of what waits for its next part, nor of a login.
            if let (Tag::CORRELATION_VALUE, Ok(value)) = (field.tag, field.as_bytes()) {
                self.streams.end(value, (&client.partition, &client.owner));
            }
            if let Some(Ok(value)) = field.child(Tag::TICKET_VALUE).map(Item::as_bytes) {
                self.tickets.end(value, context.caller);
            }
        }
        // Else the whole batch is undone in a moment.
        if header.continuation != Continuation::Undo {
            audit::begin_undo(context);
            if let Err(error) = context.space.undo() {
                log::error!("an operation whose answer is too long could not be undone: {error}");
            }
        }
    }

    fn run(&self, context: &mut Context<'_>, header: &Header, item: &mut BatchItem) -> Outcome<Vec<Item>> {
        let not_supported = |text: String| Failure::new(Reason::OperationNotSupported, text);
        let row = item
            .operation
            .map_err(|number| not_supported(format!("operation 0x{number:x} is not known")))
            .and_then(|operation| {
                dispatch::row(operation, context.version, context.settings.interop).ok_or_else(|| {
                    not_supported(format!("{} is not offered in KMIP {}", operation.name(), context.version))
                })
            })?;
        if item.critical_extension {
            return Err(Failure::new(Reason::FeatureNotSupported, "no message extension is understood"));
        }
        if header.must_be_asynchronous {
            let text = "operations are carried out at once, not asynchronously";
            return Err(Failure::new(Reason::FeatureNotSupported, text));
        }
        if row.changes && context.client.role == Role::Reader {
            return Err(Failure::new(Reason::PermissionDenied, "this client may read and use, not change"));
        }
        context.fill(&mut item.payload)?;
        if row.changes {
            audit::begin(context, row.operation);
        }
        let mut answer = guarded(row.operation, || (row.run)(context, &item.payload))?;
        context.keep(row.operation, item.ephemeral, &mut answer)?;
        Ok(answer)
    }
}

/// Runs an operation. One that panics fails like any other: it is recorded, and a batch goes on or is undone.
fn guarded<T>(operation: Operation, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        log::error!("{} failed inside: this is a defect of the server", operation.name());
        Err(Failure::new(Reason::InternalServerError, "the server failed; its log says why"))
    })
}

/// Undoes what was done before an item failed.
fn undo(space: &Space, answered: &mut [Answered]) {
    if let Err(error) = space.undo() {
        log::error!("a batch could not be undone: {error}");
        return;
    }
    for item in answered.iter_mut().filter(|item| item.result.is_ok()) {
        item.undone = true;
    }
}

/// The longest answer that the client takes, in bytes of TTLV, and how long it is so far.
struct Room {
    most: Option<usize>,
    length: usize,
}

impl Room {
    fn new(header: &Header, correlation: &(Option<String>, Option<String>)) -> Room {
        let empty = |version: Version| message::answer(version, 0, correlation.clone(), Vec::new());
        let length = header.most.map(|_| ttlv::encoded_length(&empty(header.version)));
        Room { most: header.most, length: length.unwrap_or_default() }
    }

    /// Why an answer cannot be given that is no failure.
    fn refusal(&self, answered: &Answered) -> Option<Failure> {
        let most = self.most?;
        let is_too_long = answered.result.is_ok() && self.length + answered.encoded_length() > most;
        let text = || format!("the answer is longer than {most} bytes");
        is_too_long.then(|| Failure::new(Reason::ResponseTooLarge, text()))
    }

    fn fill(&mut self, answered: &Answered) {
        if self.most.is_some() {
            self.length += answered.encoded_length();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_panics_is_answered() {
        let outcome = guarded::<()>(Operation::Get, || panic!("on purpose"));
        assert_eq!(outcome.unwrap_err().reason, Reason::InternalServerError);
        assert_eq!(guarded(Operation::Get, || Ok(1)).ok(), Some(1));
    }
}
