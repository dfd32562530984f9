//! Answers requests: one message in, one out. Knows nothing of sockets, so that tests and fuzzers can
//! drive it without any.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use hsm_core::audit::Trail;
use hsm_core::object::lifecycle;
use hsm_core::object::locate::Scope;
use hsm_core::service::Space;
use hsm_core::service::kms::Kept;
use hsm_core::session::Session;

use crate::audit;
use crate::dispatch;
use crate::failure::{Failure, Outcome};
use crate::heavy::Heavy;
use crate::identity::{Client, Credentials, DEFAULT_PARTITION, Role};
use crate::message::{self, Answered, Broken, Message};
use crate::pkcs11::Interfaces;
use crate::streams::Streams;
use crate::tickets::Tickets;
use crate::ttlv::enums::ResultReason as Reason;
use crate::ttlv::{self, Limits};

mod batch;

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
    /// Whether the log has heard of what is wrong with it.
    logged: bool,
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

    /// Does what time does to the root and standard keys of the partitions: rotation by policy, the end of keys
    /// that were deleted, and that it is written down which have expired. To be called from time to time; answers whether there may be more to do. Between two
    /// partitions it stops if `ends` says so.
    pub fn keep_kms_keys(&self, ends: &dyn Fn() -> bool) -> bool {
        let mut is_left = false;
        for (partition, session) in self.partitions.load().iter() {
            if ends() {
                break;
            }
            let kept = session.keep_kms_keys(self.trail.clone());
            is_left |= kept.as_ref().is_ok_and(|kept| kept.more);
            match kept {
                Ok(Kept { rotated, purged, expired, .. })
                    if [&rotated, &purged, &expired].iter().all(|keys| keys.is_empty()) => {}
                Ok(Kept { rotated, purged, expired, .. }) => log::info!(
                    "{partition}: {} keys were rotated by their policies, {} deleted ones are gone for good, {} have \
                     expired",
                    rotated.len(),
                    purged.len(),
                    expired.len()
                ),
                Err(error) => log::error!("{partition}: keys were not rotated, purged or expired: {error}"),
            }
        }
        is_left
    }

    /// Reads a request: one whole message. What is wrong with it is kept for the answer.
    pub fn read(&self, encoding: Encoding, bytes: &[u8]) -> Request {
        let limits = &self.settings.load().limits;
        let item = match encoding {
            Encoding::Ttlv => ttlv::decode(bytes, limits).map_err(Failure::from),
            Encoding::Json => ttlv::text::json::decode(bytes, limits).map_err(Failure::from),
            Encoding::Xml => ttlv::text::xml::decode(bytes, limits).map_err(Failure::from),
        };
        let version = || match encoding {
            Encoding::Ttlv => message::version_in(bytes),
            Encoding::Json | Encoding::Xml => message::version_in_text(bytes),
        };
        let message = match item {
            Ok(item) => Message::read(item),
            Err(failure) => Err(Broken { version: version(), failure }),
        };
        let takes_long = message
            .as_ref()
            .is_ok_and(|message| message.items.iter().any(|item| dispatch::takes_long(item, &self.heavy)));
        let takes_long = takes_long || audit::waits_for_the_disk(self);
        Request { encoding, message, takes_long, logged: false }
    }

    /// A request in TTLV that is refused by its header: `begin` is what has come of it. The log is told by
    /// whoever refuses it.
    pub fn refuse(&self, begin: &[u8], why: &str) -> Request {
        let failure = Failure::new(Reason::InvalidMessage, why);
        let message = Err(Broken { version: message::version_in(begin), failure });
        Request { encoding: Encoding::Ttlv, message, takes_long: false, logged: true }
    }

    /// Answers a request. What goes wrong is in the answer.
    pub fn answer(&self, client: &Client, request: Request) -> ttlv::encode::Encoded {
        let answer = match request.message {
            Ok(message) => self.carry_out(client, message),
            Err(broken) => {
                if !request.logged {
                    let why = &broken.failure.message;
                    log::warn!("{}: a message that cannot be answered: {why}", client.name);
                }
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
        if let Some(address) = client.address
            && session.restricts_networks()
            && !session.admits_address(address.ip())?
        {
            let why = "the partition's policies let no request come from this address";
            return Err(Failure::new(Reason::PermissionDenied, why));
        }
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
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
