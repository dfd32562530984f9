//! PKCS #11 inside KMIP: functions of Cryptoki that clients call by the operation PKCS#11 (KMIP 2.1,
//! section 6.1.37), over the session code that the module uses too. An application's C_Initialize makes
//! an interface; the correlation value that the answer carries names it in every later call.
//!
//! Sessions of the core see all objects of a partition, so that this never lets a client name one that
//! it does not see by KMIP: handles are given to what its own view holds, and looked up in that view at
//! each use. Nothing is made, changed or destroyed this way: such objects would be nobody's.

mod answer;
mod information;
mod keys;
mod objects;
mod parameters;
mod sessions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hsm_core::secret::Wiped;
use hsm_core::session::Session;

pub use answer::{Answer, Refusal, Result};
pub use parameters::{Input, Output};

use crate::context::Context;
use crate::ttlv::enums::{PKCS_11Function as Function, PKCS_11ReturnCode as Code};

/// An interface that was not used for so long is finalised.
const IDLE: Duration = Duration::from_secs(60 * 60);
/// How many interfaces a client may have, and all clients together.
const MOST_OF_A_CLIENT: usize = 16;
const MOST: usize = 1024;
/// The bytes of a correlation value.
const CORRELATION_BYTES: usize = 16;

/// The interfaces of all clients, by their correlation values.
#[derive(Default)]
pub struct Interfaces {
    open: Mutex<HashMap<Vec<u8>, Open>>,
}

/// An interface and whose it is.
struct Open {
    owner: String,
    partition: String,
    used: Instant,
    interface: Arc<Mutex<Interface>>,
}

/// What lives from an application's C_Initialize to its C_Finalize.
#[derive(Default)]
pub struct Interface {
    sessions: HashMap<u64, OpenSession>,
    last_session: u64,
    /// Unique identifiers of the objects that were named, by their handles.
    objects: HashMap<u64, String>,
}

/// A session of an application.
struct OpenSession {
    session: Arc<Session>,
    /// What a running search has not handed out yet.
    found: Option<Vec<u64>>,
}

/// A call: where it comes from and the interface it is on.
pub struct Call<'a, 'c> {
    /// The client and its view.
    pub context: &'a Context<'c>,
    interface: MutexGuard<'a, Interface>,
}

/// Locks are not left in a state that their next holder could not work with.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Interfaces {
    /// Makes an interface for the client; its correlation value.
    fn initialize(&self, context: &Context<'_>) -> Result<Vec<u8>> {
        let mut value = vec![0; CORRELATION_BYTES];
        context.space.session().random(&mut value)?;
        let now = Instant::now();
        let mut open = locked(&self.open);
        open.retain(|_, open| now.duration_since(open.used) < IDLE);
        let own = open.values().filter(|open| open.owner == context.client.owner).count();
        if own >= MOST_OF_A_CLIENT || open.len() >= MOST {
            return Err(Code::HOST_MEMORY.into());
        }
        let entry = Open {
            owner: context.client.owner.clone(),
            partition: context.client.partition.clone(),
            used: now,
            interface: Arc::default(),
        };
        open.insert(value.clone(), entry);
        Ok(value)
    }

    /// The client's interface of a correlation value.
    fn find(&self, context: &Context<'_>, value: Option<&[u8]>) -> Result<Arc<Mutex<Interface>>> {
        let mut open = locked(&self.open);
        let own = value.and_then(|value| open.get_mut(value)).filter(|open| {
            open.owner == context.client.owner
                && open.partition == context.client.partition
                && open.used.elapsed() < IDLE
        });
        let own = own.ok_or(Refusal::from(Code::CRYPTOKI_NOT_INITIALIZED))?;
        own.used = Instant::now();
        Ok(own.interface.clone())
    }

    /// Ends an interface with its sessions.
    fn finalize(&self, context: &Context<'_>, value: Option<&[u8]>) -> Result<()> {
        self.find(context, value)?;
        value.and_then(|value| locked(&self.open).remove(value));
        Ok(())
    }
}

/// Calls a function. `correlation` is the value that the client sent; the answer may have one of its own.
///
/// # Errors
/// What the operation itself fails by; functions that refuse are answered with their return code.
pub fn call(
    context: &Context<'_>,
    function: Function,
    correlation: Option<&[u8]>,
    input: &[u8],
) -> crate::failure::Outcome<Answer> {
    let interfaces = &context.engine.interfaces;
    let result = match function {
        Function::C_Initialize => {
            return Answer::of(interfaces.initialize(context).map(|value| (None, Some(value))));
        }
        Function::C_Finalize => interfaces.finalize(context, correlation).map(|()| None),
        _ => interfaces.find(context, correlation).and_then(|interface| {
            let mut call = Call { context, interface: locked(&interface) };
            run(&mut call, function, &mut Input::new(input))
        }),
    };
    Answer::of(result.map(|output| (output, None)))
}

/// What a function puts out, if it puts anything out.
type Out = Option<Wiped<Vec<u8>>>;

/// THE table of functions that are offered. Those that make, change or destroy objects, that take PINs,
/// that wrap and derive, and those of messages are not.
fn run(call: &mut Call<'_, '_>, function: Function, input: &mut Input<'_>) -> Result<Out> {
    match function {
        Function::C_GetInfo => information::info(input),
        Function::C_GetSlotList => information::slots(input),
        Function::C_GetSlotInfo => information::slot(input),
        Function::C_GetTokenInfo => information::token(call, input),
        Function::C_GetMechanismList => information::mechanisms(call, input),
        Function::C_GetMechanismInfo => information::mechanism(call, input),
        Function::C_OpenSession => sessions::open(call, input),
        Function::C_CloseSession => sessions::close(call, input),
        Function::C_CloseAllSessions => sessions::close_all(call, input),
        Function::C_GetSessionInfo => sessions::info(call, input),
        Function::C_Login | Function::C_LoginUser => Err(Code::USER_ALREADY_LOGGED_IN.into()),
        Function::C_GenerateRandom => sessions::random(call, input),
        Function::C_SeedRandom => sessions::seed(call, input),
        Function::C_FindObjectsInit => objects::find_init(call, input),
        Function::C_FindObjects => objects::find(call, input),
        Function::C_FindObjectsFinal => objects::find_final(call, input),
        Function::C_GetAttributeValue => objects::attributes(call, input),
        Function::C_GetObjectSize => objects::size(call, input),
        Function::C_EncryptInit => keys::init(call, input, Session::encrypt_init),
        Function::C_Encrypt => keys::whole(call, input, Session::encrypt),
        Function::C_EncryptUpdate => keys::whole(call, input, Session::encrypt_update),
        Function::C_EncryptFinal => keys::last(call, input, Session::encrypt_final),
        Function::C_DecryptInit => keys::init(call, input, Session::decrypt_init),
        Function::C_Decrypt => keys::whole(call, input, Session::decrypt),
        Function::C_DecryptUpdate => keys::whole(call, input, Session::decrypt_update),
        Function::C_DecryptFinal => keys::last(call, input, Session::decrypt_final),
        Function::C_DigestInit => keys::digest_init(call, input),
        Function::C_Digest => keys::whole(call, input, Session::digest),
        Function::C_DigestUpdate => keys::part(call, input, Session::digest_update),
        Function::C_DigestFinal => keys::last(call, input, Session::digest_final),
        Function::C_SignInit => keys::init(call, input, Session::sign_init),
        Function::C_Sign => keys::whole(call, input, Session::sign),
        Function::C_SignUpdate => keys::part(call, input, Session::sign_update),
        Function::C_SignFinal => keys::last(call, input, Session::sign_final),
        Function::C_VerifyInit => keys::init(call, input, Session::verify_init),
        Function::C_Verify => keys::verify(call, input),
        Function::C_VerifyUpdate => keys::part(call, input, Session::verify_update),
        Function::C_VerifyFinal => keys::part(call, input, Session::verify_final),
        _ => Err(Code::FUNCTION_NOT_SUPPORTED.into()),
    }
}

impl std::fmt::Debug for Interfaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interfaces").finish_non_exhaustive()
    }
}
