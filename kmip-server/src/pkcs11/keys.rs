//! Operations with keys, and digests: PKCS #11 3.0, sections 5.8 to 5.13. They run in a session of the
//! core, which knows whether the key may serve, in what state it is, and where the operation stands.

use hsm_core::Error;
use hsm_core::mechanism::{self, Mechanism};
use hsm_core::object::managed::UsageLimits;
use hsm_core::secret::Wiped;
use hsm_core::session::{self, ObjectHandle, Session};

use super::{Call, Code, Input, Out, Output, Refusal, Result, information};

/// The most that comes out beyond what went in, in bytes: padding, tags, signatures.
const MOST_BEYOND: usize = 64 << 10;

/// C_…Init with a key. A key of which use is counted is used through KMIP's own operations, which count.
pub(super) fn init(
    call: &mut Call<'_, '_>,
    input: &mut Input<'_>,
    begin: fn(&Session, &Mechanism, ObjectHandle) -> hsm_core::Result<()>,
) -> Result<Out> {
    let session = call.core_session(input)?;
    let mechanism = input.mechanism()?;
    let key = call.object(input).map_err(as_key)?;
    input.end()?;
    if mechanism::row(mechanism.kind).is_some_and(|row| !information::serves(row)) {
        return Err(Code::MECHANISM_INVALID.into());
    }
    if UsageLimits::of(key.object()).is_some() {
        return Err(Code::KEY_FUNCTION_NOT_PERMITTED.into());
    }
    begin(&session, &mechanism, call.context.space.handle(&key))?;
    Ok(None)
}

/// An object that is none is no key either.
fn as_key(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Code(Code::OBJECT_HANDLE_INVALID, _) => Code::KEY_HANDLE_INVALID.into(),
        other => other,
    }
}

/// C_DigestInit.
pub(super) fn digest_init(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let session = call.core_session(input)?;
    let mechanism = input.mechanism()?;
    input.end()?;
    session.digest_init(&mechanism)?;
    Ok(None)
}

/// A function that takes data and fills a buffer.
pub(super) fn whole(
    call: &mut Call<'_, '_>,
    input: &mut Input<'_>,
    run: fn(&Session, &[u8], session::Output<'_>) -> hsm_core::Result<usize>,
) -> Result<Out> {
    let session = call.core_session(input)?;
    let data = input.bytes()?;
    let room = input.buffer()?;
    input.end()?;
    fill(room, data.len(), |output| run(&session, data, output))
}

/// A function that fills a buffer.
pub(super) fn last(
    call: &mut Call<'_, '_>,
    input: &mut Input<'_>,
    run: fn(&Session, session::Output<'_>) -> hsm_core::Result<usize>,
) -> Result<Out> {
    let session = call.core_session(input)?;
    let room = input.buffer()?;
    input.end()?;
    fill(room, 0, |output| run(&session, output))
}

/// A function that takes bytes and answers nothing.
pub(super) fn part(
    call: &mut Call<'_, '_>,
    input: &mut Input<'_>,
    run: fn(&Session, &[u8]) -> hsm_core::Result<()>,
) -> Result<Out> {
    let session = call.core_session(input)?;
    let bytes = input.bytes()?;
    input.end()?;
    run(&session, bytes)?;
    Ok(None)
}

/// C_Verify.
pub(super) fn verify(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let session = call.core_session(input)?;
    let (data, signature) = (input.bytes()?, input.bytes()?);
    input.end()?;
    session.verify(data, signature)?;
    Ok(None)
}

/// Fills a buffer of the client's, or tells the length that is needed.
fn fill(
    room: Option<usize>,
    taken: usize,
    run: impl FnOnce(session::Output<'_>) -> hsm_core::Result<usize>,
) -> Result<Out> {
    let needed = |length: usize| Output::default().flag(false).count(length).done();
    let Some(room) = room else {
        return Ok(needed(run(session::Output::Length)?));
    };
    // No more than can come out, whatever the client says.
    let room = room.min(taken.saturating_add(MOST_BEYOND));
    let mut buffer = Wiped::new(vec![0; room]);
    match run(session::Output::Buffer(&mut buffer)) {
        Ok(length) => {
            let filled = buffer.get(..length).unwrap_or_default();
            Ok(Output::with_capacity(length + 5).flag(true).count(length).raw(filled).done())
        }
        Err(Error::BufferTooSmall { needed: length }) => {
            Err(Refusal::Code(Code::BUFFER_TOO_SMALL, needed(length)))
        }
        Err(error) => Err(error.into()),
    }
}
