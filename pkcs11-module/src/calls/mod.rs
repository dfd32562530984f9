//! The bodies of the entry points: safe Rust from checked arguments to the core and back. One file for
//! each group of functions of the standard.

use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Kind, Output, Session};

use crate::ffi::{Out, Transform};
use crate::library::Library;
use crate::rv::{Outcome, Rejection};

pub(crate) mod asynchronous;
pub(crate) mod digests;
pub(crate) mod dual;
pub(crate) mod encryption;
pub(crate) mod general;
pub(crate) mod keys;
pub(crate) mod message_signing;
pub(crate) mod messages;
pub(crate) mod objects;
pub(crate) mod random;
pub(crate) mod sessions;
pub(crate) mod signing;
pub(crate) mod slots;

/// Begins an operation. A null mechanism ends the one that runs (PKCS #11 3.2, section 5.8.1).
fn begin(
    library: &Library,
    session: u64,
    kind: Kind,
    mechanism: Outcome<Option<Mechanism>>,
    start: impl FnOnce(&Session, &Mechanism) -> hsm_core::Result<()>,
) -> Outcome {
    begin_by(library, session, kind, mechanism, |session, mechanism| start(session, &mechanism))
}

/// The same, for operations that keep the mechanism.
fn begin_by(
    library: &Library,
    session: u64,
    kind: Kind,
    mechanism: Outcome<Option<Mechanism>>,
    start: impl FnOnce(&Session, Mechanism) -> hsm_core::Result<()>,
) -> Outcome {
    let session = library.session(session)?;
    match mechanism? {
        Some(mechanism) => start(&session, mechanism)?,
        // With nothing to end, null is no more than a bad argument.
        None => session.cancel(kind).map_err(|_| Rejection::ArgumentsBad)?,
    }
    Ok(())
}

/// A step of an operation that takes an argument. A bad argument ends the operation, as every error
/// does but a buffer that is too small; errors inside the core end it there.
fn step<T>(
    library: &Library,
    session: u64,
    kind: Kind,
    argument: Outcome<T>,
    run: impl FnOnce(&Session, T) -> Outcome,
) -> Outcome {
    let session = library.session(session)?;
    match argument {
        Ok(argument) => run(&session, argument),
        Err(bad) => {
            // Where none ran there is nothing to end.
            let _ = session.cancel(kind);
            Err(bad)
        }
    }
}

/// A step of a process of many messages: a bad argument ends the message that is under way, and no more.
fn message_step<T>(
    library: &Library,
    session: u64,
    kind: Kind,
    argument: Outcome<T>,
    run: impl FnOnce(&Session, T) -> Outcome,
) -> Outcome {
    let session = library.session(session)?;
    argument.inspect_err(|_| session.end_message(kind)).and_then(|argument| run(&session, argument))
}

/// A step that turns input into output.
fn transform(
    library: &Library,
    session: u64,
    kind: Kind,
    data: Outcome<Transform<'_>>,
    run: impl FnOnce(&Session, &[u8], Output<'_>) -> hsm_core::Result<usize>,
) -> Outcome {
    step(library, session, kind, data, |session, data| data.run(|input, output| run(session, input, output)))
}

/// A step that takes input alone.
fn absorb(
    library: &Library,
    session: u64,
    kind: Kind,
    data: Outcome<&[u8]>,
    run: impl FnOnce(&Session, &[u8]) -> hsm_core::Result<()>,
) -> Outcome {
    step(library, session, kind, data, |session, data| Ok(run(session, data)?))
}

/// A step that gives output alone.
fn emit(
    library: &Library,
    session: u64,
    kind: Kind,
    out: Outcome<Out<'_>>,
    run: impl FnOnce(&Session, Output<'_>) -> hsm_core::Result<usize>,
) -> Outcome {
    step(library, session, kind, out, |session, out| out.fill(|output| run(session, output)))
}

/// Text in a field of the standard's structures: blank-padded, without a zero byte. Text that is too
/// long is cut.
fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
}

#[cfg(test)]
mod tests {
    use super::padded;

    #[test]
    fn text_is_padded_with_blanks_and_cut() {
        assert_eq!(padded::<4>("ab"), *b"ab  ");
        assert_eq!(padded::<4>("abcdef"), *b"abcd");
    }
}
