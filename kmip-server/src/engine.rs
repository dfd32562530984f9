//! Answers requests: one message in, one out. Knows nothing of sockets, so that tests and fuzzers can
//! drive it without any.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::ArcSwap;
use hsm_core::audit::Trail;
use hsm_core::object::lifecycle;
use hsm_core::object::locate::Scope;
use hsm_core::service::Space;
use hsm_core::session::Session;

use crate::audit;
use crate::context::Context;
use crate::credential;
use crate::dispatch;
use crate::failure::{Failure, Outcome};
use crate::heavy::Heavy;
use crate::identity::{Client, Credentials, DEFAULT_PARTITION, Role};
use crate::message::{self, Answered, BatchItem, Broken, Header, Message};
use crate::pkcs11::Interfaces;
use crate::streams::Streams;
use crate::tickets::Tickets;
use crate::ttlv::enums::{BatchErrorContinuation as Continuation, Operation, ResultReason as Reason};
use crate::ttlv::{self, Item, Limits, Version};

/// How a message is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Binary: KMIP 1.4, section 9.1.
    Ttlv,
    /// JSON: KMIP Profiles 2.1, section 5.4.
    Json,
    /// XML: KMIP Profiles 2.1, section 5.5.
    Xml,
}

/// A request that was read and checked, ready to be answered.
#[derive(Debug)]
pub struct Request {
    encoding: Encoding,
    message: Result<Message, Broken>,
    takes_long: bool,
}

impl Request {
    /// Whether answering takes long (makes RSA keys, waits for the disk, looks at many objects), so
    /// that it belongs on a thread that may block.
    pub fn takes_long(&self) -> bool {
        self.takes_long
    }
}

/// What operations depend on besides the client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How much a message may hold.
    pub limits: Limits,
    /// Whether Interop is offered, by which test suites clear up behind themselves.
    pub interop: bool,
    /// What Query tells of the server.
    pub server_information: String,
    /// The certificate whose private key signs where Certify names no issuer: its unique identifier.
    pub issuer: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        let server_information = format!("softhsm-rs {}", env!("CARGO_PKG_VERSION"));
        Settings { limits: Limits::default(), interop: false, server_information, issuer: None }
    }
}

/// Hears of each operation that was answered: its name, whether it succeeded, and how long it took.
pub type Observer = Box<dyn Fn(&Client, &'static str, Result<(), Reason>, std::time::Duration) + Send + Sync>;

/// The server's side of the protocol, shared by all connections.
pub struct Engine {
    partitions: ArcSwap<HashMap<String, Arc<Session>>>,
    settings: ArcSwap<Settings>,
    pub(crate) streams: Streams,
    pub(crate) tickets: Tickets,
    pub(crate) interfaces: Interfaces,
    pub(crate) heavy: Heavy,
    /// Held while a PKCS #12 container is opened: what one may cost, many at once would cost many times.
    pub(crate) opening: Mutex<()>,
    observer: Option<Observer>,
    pub(crate) trail: Option<Arc<Trail>>,
    credentials: Credentials,
    answered: AtomicU64,
    /// What this server's marks begin with: the process, asked once, since it costs a call of the system.
    mark: String,
}

impl Engine {
    /// An engine on partitions that are open, by their labels.
    pub fn new(partitions: HashMap<String, Arc<Session>>, settings: Settings) -> Engine {
        Engine {
            partitions: ArcSwap::from_pointee(partitions),
            settings: ArcSwap::from_pointee(settings),
            streams: Streams::default(),
            tickets: Tickets::default(),
            interfaces: Interfaces::default(),
            heavy: Heavy::default(),
            opening: Mutex::default(),
            observer: None,
            trail: None,
            credentials: Credentials::default(),
            answered: AtomicU64::new(0),
            mark: format!("{:x}-", std::process::id()),
        }
    }

    /// Has every operation told to `observer`.
    pub fn observed_by(mut self, observer: Observer) -> Engine {
        self.observer = Some(observer);
        self
    }

    /// Has every operation recorded in an audit log.
    pub fn audited_by(mut self, trail: Arc<Trail>) -> Engine {
        self.trail = Some(trail);
        self
    }

    /// Has the credentials of requests checked by a table.
    pub fn with_credentials(mut self, credentials: Credentials) -> Engine {
        self.credentials = credentials;
        self
    }

    /// Takes over other partitions and settings, for the requests that come from now on.
    pub fn reload(&self, partitions: HashMap<String, Arc<Session>>, settings: Settings) {
        self.partitions.store(Arc::new(partitions));
        self.settings.store(Arc::new(settings));
    }

    /// Reads a request: one whole message. What is wrong with it is kept for the answer.
    pub fn read(&self, encoding: Encoding, bytes: &[u8]) -> Request {
        let limits = &self.settings.load().limits;
        let item = match encoding {
            Encoding::Ttlv => ttlv::decode(bytes, limits).map_err(|error| error.to_string()),
            Encoding::Json => ttlv::text::json::decode(bytes, limits).map_err(|error| error.to_string()),
            Encoding::Xml => ttlv::text::xml::decode(bytes, limits).map_err(|error| error.to_string()),
        };
        let message = match item {
            Ok(item) => Message::read(item),
            Err(text) => Err(Broken {
                version: message::version_in(bytes),
                failure: Failure::new(Reason::InvalidMessage, text),
            }),
        };
        let takes_long = message
            .as_ref()
            .is_ok_and(|message| message.items.iter().any(|item| dispatch::takes_long(item, &self.heavy)));
        Request { encoding, message, takes_long: takes_long || audit::waits_for_the_disk(self) }
    }

    /// Answers a request. What goes wrong is in the answer.
    pub fn answer(&self, client: &Client, request: Request) -> ttlv::encode::Encoded {
        let answer = match request.message {
            Ok(message) => self.carry_out(client, message),
            Err(broken) => {
                log::warn!("{}: a message that cannot be answered: {}", client.name, broken.failure.message);
                let item = Answered { operation: None, id: None, result: Err(broken.failure), undone: false };
                let items = vec![item.write(broken.version)];
                message::answer(broken.version, lifecycle::now(), (None, Some(self.correlation())), items)
            }
        };
        match request.encoding {
            Encoding::Ttlv => ttlv::encode(&answer),
            Encoding::Json => ttlv::text::json::encode(&answer).into_bytes(),
            Encoding::Xml => ttlv::text::xml::encode(&answer).into_bytes(),
        }
    }

    /// This server's mark for an answer: unique while it runs.
    fn correlation(&self) -> String {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        let mut digits = [0; 16];
        // Sixteen digits are what eight bytes take.
        let _ = hex::encode_to_slice(number.to_be_bytes(), &mut digits);
        [self.mark.as_str(), str::from_utf8(&digits).unwrap_or_default()].concat()
    }

    fn space(&self, client: &Client) -> Outcome<Space> {
        let session = self.partitions.load().get(&client.partition).cloned().ok_or_else(|| {
            Failure::new(
                Reason::PermissionDenied,
                "the client's partition is not open; the server's log says why",
            )
        })?;
        let scope = Scope {
            owner: client.owner.clone(),
            groups: client.groups.clone(),
            everything: client.role == Role::Officer,
        };
        Ok(Space::new(session, scope))
    }

    /// The server's own view of the partition `kmip`: what its settings name stands there.
    ///
    /// # Errors
    /// [`Reason::PermissionDenied`] where no client needs that partition, so that it is not open.
    pub(crate) fn own_space(&self) -> Outcome<Space> {
        let session = self.partitions.load().get(DEFAULT_PARTITION).cloned();
        let closed =
            || Failure::new(Reason::PermissionDenied, "the partition of the server's issuer is not open");
        let scope = Scope { owner: String::new(), groups: Vec::new(), everything: true };
        Ok(Space::new(session.ok_or_else(closed)?, scope))
    }

    /// Who a request is from by a ticket that it brings, if it brings one.
    fn ticket_holder(
        &self,
        caller: &Client,
        authentication: Option<&Item>,
        operations: usize,
    ) -> Outcome<Option<Client>> {
        let Some(value) = credential::ticket(authentication)? else { return Ok(None) };
        self.tickets.show(value, caller, operations).map(Some)
    }

    /// Carries out a batch. KMIP 1.4, sections 4 (ID Placeholder) and 7.
    fn carry_out(&self, client: &Client, message: Message) -> Item {
        let Message { header, items } = message;
        let version = header.version;
        let correlation = (header.client_correlation.clone(), Some(self.correlation()));
        let authentication = header.authentication.as_ref();
        let holder = self.ticket_holder(client, authentication, items.len());
        let holder = holder.and_then(|holder| match holder {
            Some(holder) => Ok(Some(holder)),
            None => credential::holder(&self.credentials, client, authentication),
        });
        let holder = match holder {
            Ok(holder) => holder,
            Err(failure) => {
                audit::kept_out(self, client, &failure);
                // What the first item asked for is repeated, as in a refusal of its own.
                let first = items.first();
                let operation =
                    first.map(|item| item.operation.map_or_else(|number| number, Operation::number));
                let id = first.and_then(|item| item.id.clone());
                let item = Answered { operation, id, result: Err(failure), undone: false };
                return message::answer(version, lifecycle::now(), correlation, vec![item.write(version)]);
            }
        };
        let caller = client;
        let client = holder.as_ref().unwrap_or(caller);
        let space = match self.space(client) {
            Ok(space) => space,
            Err(failure) => {
                audit::kept_out(self, client, &failure);
                let item = Answered { operation: None, id: None, result: Err(failure), undone: false };
                return message::answer(version, lifecycle::now(), correlation, vec![item.write(version)]);
            }
        };
        if header.continuation == Continuation::Undo {
            space.remember();
        }
        let settings = self.settings.load();
        let mut context = Context::new(self, &settings, &space, (caller, client), version);
        let mut answered = Vec::with_capacity(items.len());
        for item in items {
            let item = self.carry_out_item(&mut context, &header, item);
            let failed = item.result.is_err();
            answered.push(item);
            if failed && header.continuation != Continuation::Continue {
                break;
            }
        }
        if header.continuation == Continuation::Undo
            && answered.last().is_some_and(|last| last.result.is_err())
        {
            audit::begin_undo(&context);
            undo(&space, &mut answered);
            space.end_operation();
        }
        let now = lifecycle::now();
        let items = fit(answered, header.most, version);
        message::answer(version, now, correlation, items)
    }

    fn carry_out_item(&self, context: &mut Context<'_>, header: &Header, item: BatchItem) -> Answered {
        let begun = Instant::now();
        let result = self.run(context, header, &item);
        let result = audit::end(context, &item, result);
        let name = item.operation.map_or("unknown", |operation| operation.name());
        if let Some(observer) = &self.observer {
            let outcome = result.as_ref().map(drop).map_err(|failure| failure.reason);
            observer(context.client, name, outcome, begun.elapsed());
        }
        if let Err(failure) = &result {
            log::debug!("{}: {name}: {:?}: {}", context.client.name, failure.reason, failure.message);
        }
        let operation = Some(match item.operation {
            Ok(operation) => operation.number(),
            Err(number) => number,
        });
        Answered { operation, id: item.id, result, undone: false }
    }

    fn run(&self, context: &mut Context<'_>, header: &Header, item: &BatchItem) -> Outcome<Vec<Item>> {
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
        if row.changes {
            audit::begin(context, row.operation);
        }
        guarded(row.operation, || (row.run)(context, &item.payload))
    }
}

/// Runs an operation. One that panics fails like any other: it is recorded, and a batch goes on or is undone.
fn guarded<T>(operation: Operation, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        log::error!("{} failed inside: this is a defect of the server", operation.name());
        Err(Failure::new(Reason::InternalServerError, "the server failed; its log says why"))
    })
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
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

/// Writes the items, those that would make the answer longer than the client takes as failures.
fn fit(answered: Vec<Answered>, most: Option<usize>, version: Version) -> Vec<Item> {
    /// The most that a header takes, generously.
    const HEADER: usize = 256;
    let mut length = HEADER;
    answered
        .into_iter()
        .map(|item| {
            let (operation, id) = (item.operation, item.id.clone());
            let written = item.write(version);
            let Some(most) = most else { return written };
            length += ttlv::encoded_length(&written);
            if length <= most {
                return written;
            }
            let failure =
                Failure::new(Reason::ResponseTooLarge, format!("the answer is longer than {most} bytes"));
            Answered { operation, id, result: Err(failure), undone: false }.write(version)
        })
        .collect()
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
