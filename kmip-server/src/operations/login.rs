//! Login, Logout and Log: KMIP 2.1, sections 6.1.29 to 6.1.31.

use std::time::Duration;

use hsm_core::object::lifecycle;

use crate::context::Context;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::tickets::{LONGEST, Terms};
use crate::ttlv::enums::{ResultReason as Reason, TicketType, UsageLimitsUnit};
use crate::ttlv::{Fields, Item, Tag, Value};

/// The bytes of a ticket's value.
const TICKET_BYTES: usize = 32;

/// Login: a ticket by which later requests of this client say who they are from. A lease time of zero,
/// or none, asks for the longest.
///
/// # Errors
/// Those of the payload; [`Reason::ServerLimitExceeded`].
pub fn login(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let time = fields.take(Tag::LEASE_TIME).map(time).transpose()?.unwrap_or(LONGEST);
    let requests = fields.take_integer(Tag::REQUEST_COUNT)?.map(u64::try_from).transpose();
    let requests = requests.map_err(|_| invalid_field("the request count is negative"))?;
    let operations = fields.take(Tag::USAGE_LIMITS).map(operations).transpose()?;
    fields.end()?;
    let mut value = vec![0; TICKET_BYTES];
    context.space.session().random(&mut value)?;
    let terms = Terms { time, requests, operations };
    if !context.engine.tickets.give(&value, context.caller, context.client, terms) {
        return Err(Failure::new(Reason::ServerLimitExceeded, "there are too many tickets"));
    }
    let fields =
        vec![Item::enumeration(Tag::TICKET_TYPE, TicketType::Login), Item::bytes(Tag::TICKET_VALUE, value)];
    Ok(vec![Item::structure(Tag::TICKET, fields)])
}

/// A lease time: from now, or until a date.
fn time(item: &Item) -> Outcome<Duration> {
    let seconds = match item.value {
        Value::Interval(0) => return Ok(LONGEST),
        Value::Interval(seconds) => u64::from(seconds),
        Value::DateTime(date) => u64::try_from(date.saturating_sub(lifecycle::now())).unwrap_or_default(),
        _ => return Err(invalid_field("the lease time is neither an interval nor a date")),
    };
    Ok(Duration::from_secs(seconds))
}

/// Usage limits of a login count operations.
fn operations(limits: &Item) -> Outcome<u64> {
    let mut fields = Fields::new(limits)?;
    let total = fields.need(Tag::USAGE_LIMITS_TOTAL)?.as_long()?;
    let count = fields.take_long(Tag::USAGE_LIMITS_COUNT)?;
    let unit: UsageLimitsUnit = fields.need(Tag::USAGE_LIMITS_UNIT)?.as_value_of()?;
    fields.end()?;
    if unit != UsageLimitsUnit::Object {
        return Err(Failure::new(Reason::FeatureNotSupported, "a login's usage is counted in operations"));
    }
    u64::try_from(count.unwrap_or(total)).map_err(|_| invalid_field("the usage limits are negative"))
}

/// The value of a Ticket structure.
///
/// # Errors
/// A structure that is none.
pub(crate) fn ticket_value(ticket: &Item) -> Outcome<&[u8]> {
    let mut fields = Fields::new(ticket)?;
    let _: TicketType = fields.need(Tag::TICKET_TYPE)?.as_value_of()?;
    let value = fields.need(Tag::TICKET_VALUE)?.as_bytes()?;
    fields.end()?;
    Ok(value)
}

/// Logout: the ticket serves no more.
///
/// # Errors
/// [`Reason::InvalidTicket`].
pub fn logout(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let value = ticket_value(fields.need(Tag::TICKET)?)?;
    fields.end()?;
    if context.engine.tickets.end(value, context.caller) {
        return Ok(Vec::new());
    }
    Err(Failure::new(Reason::InvalidTicket, "there is no such ticket"))
}

/// Log: a message of the client's in the server's log, written so that it cannot pass for another.
///
/// # Errors
/// Those of the payload.
pub fn log(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let message = fields.need(Tag::LOG_MESSAGE)?.as_text()?;
    fields.end()?;
    log::info!("{} says {message:?}", context.client.name);
    Ok(Vec::new())
}
