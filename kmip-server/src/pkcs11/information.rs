//! What the library, its one slot and its mechanisms are. PKCS #11 3.0, sections 5.4 and 5.5. The slot
//! holds the client's partition.

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::mechanism::{self, Flags, Info, Row, Shape};

use super::{Call, Code, Input, Out, Output, Result};

/// The number of the slot.
const SLOT: u64 = 0;
const MANUFACTURER: &str = "softhsm-rs";
/// What mechanisms serve here.
const FUNCTIONS: Flags = CKF_DIGEST | CKF_SIGN | CKF_VERIFY | CKF_ENCRYPT | CKF_DECRYPT;

/// Reads the number of a slot, which is that of the one there is.
pub(super) fn read_slot(input: &mut Input<'_>) -> Result<()> {
    if input.number()? == SLOT { Ok(()) } else { Err(Code::SLOT_ID_INVALID.into()) }
}

/// This version, as a CK_VERSION has it.
fn version() -> (u8, u8) {
    let number = |text: &str| text.parse().unwrap_or_default();
    (number(env!("CARGO_PKG_VERSION_MAJOR")), number(env!("CARGO_PKG_VERSION_MINOR")))
}

/// C_GetInfo.
pub(super) fn info(input: &Input<'_>) -> Result<Out> {
    input.end()?;
    let (major, minor) = version();
    let out = Output::default().version(3, 0).text(MANUFACTURER, 32).number(0);
    Ok(out.text("softhsm-rs over KMIP", 32).version(major, minor).done())
}

/// C_GetSlotList. A token is in the slot.
pub(super) fn slots(input: &mut Input<'_>) -> Result<Out> {
    input.flag()?;
    let room = input.buffer()?;
    input.end()?;
    Output::list(&[SLOT], room)
}

/// C_GetSlotInfo.
pub(super) fn slot(input: &mut Input<'_>) -> Result<Out> {
    read_slot(input)?;
    input.end()?;
    let (major, minor) = version();
    let out = Output::default().text("softhsm-rs partition", 64).text(MANUFACTURER, 32);
    Ok(out.number(CKF_TOKEN_PRESENT).version(major, minor).version(major, minor).done())
}

/// C_GetTokenInfo. Who the client is, its certificate says: no PIN is asked for. Of other clients'
/// sessions nothing is told.
pub(super) fn token(call: &Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    read_slot(input)?;
    input.end()?;
    let partition = call.context.space.session().partition().info();
    let (major, minor) = version();
    let flags = CKF_RNG | CKF_TOKEN_INITIALIZED | CKF_WRITE_PROTECTED;
    let own = u64::try_from(call.interface.sessions.len()).unwrap_or(u64::MAX);
    let out = Output::default().raw(&partition.label).text(MANUFACTURER, 32).text("softhsm-rs", 16);
    let out = out.raw(&partition.serial).number(flags);
    let most = u64::try_from(super::sessions::MOST).unwrap_or(u64::MAX);
    let out = out.number(most).number(own);
    // Read/write sessions, lengths of PINs, memory.
    let out = out.number(0).number(0).number(0).number(0);
    let out = (0..4).fold(out, |out, _| out.number(CK_UNAVAILABLE_INFORMATION));
    let out = out.version(major, minor).version(major, minor);
    // No clock on the token.
    Ok(out.text("", 16).done())
}

/// Whether a mechanism can serve here: what one-time passwords are given out in holds addresses of the caller's.
pub(super) fn serves(row: &Row) -> bool {
    row.shape != Shape::OptionalOtp
}

/// What is offered here of a mechanism, as far as the configuration lets it through; `None` where that is nothing.
fn offered(call: &Call<'_, '_>, row: &Row) -> Result<Option<Info>> {
    if !serves(row) {
        return Ok(None);
    }
    let info = call.context.space.session().mechanism_info(row)?;
    let info = info.map(|info| Info { flags: info.flags & FUNCTIONS, ..info });
    Ok(info.filter(Info::is_useful))
}

/// C_GetMechanismList.
pub(super) fn mechanisms(call: &Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    read_slot(input)?;
    let room = input.buffer()?;
    input.end()?;
    let mut kinds = Vec::new();
    for row in mechanism::offered() {
        kinds.extend(offered(call, row)?.map(|_| row.kind));
    }
    Output::list(&kinds, room)
}

/// C_GetMechanismInfo.
pub(super) fn mechanism(call: &Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    read_slot(input)?;
    let kind = input.number()?;
    input.end()?;
    let row = mechanism::row(kind).ok_or(Error::MechanismInvalid)?;
    let info = offered(call, row)?.ok_or(Error::MechanismInvalid)?;
    Ok(Output::default().number(info.min_key).number(info.max_key).number(info.flags).done())
}
