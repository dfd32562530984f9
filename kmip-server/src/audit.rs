//! What the audit log is told, in one place: of each batch item when it is answered, of clients that come
//! in, and of those who are kept out. How events are kept is `hsm_core::audit`'s matter; which operation
//! changes something, the table's of operations.

use std::net::{IpAddr, Ipv6Addr};

use hsm_core::audit::{Activity, Answered, Class, ObjectId, Request, Severity, Uses};

use crate::context::Context;
use crate::dispatch;
use crate::engine::Engine;
use crate::failure::{Failure, Outcome};
use crate::identity::Client;
use crate::logging::current_request;
use crate::message::BatchItem;
use crate::tls::Rule;
use crate::ttlv::enums::{
    Operation, PKCS_11Function as Function, PKCS_11ReturnCode as Code, ResultReason as Reason,
};
use crate::ttlv::{Item, Tag, Value};

/// The door's name in events: their actions begin with it.
const DOOR: &str = "kmip";

/// What touches no object and tells nothing of one. Refusals are recorded of these too.
const UNRECORDED: &[Operation] = &[
    Operation::DiscoverVersions,
    Operation::Query,
    Operation::Ping,
    Operation::Cancel,
    Operation::Poll,
    Operation::Hash,
    Operation::RNGRetrieve,
    Operation::RNGSeed,
];

/// How much changes matter, ranked as Key Protect does: what is lost for good; what replaces, restores or
/// switches on and off; and what makes or describes. Uses are daily business.
#[rustfmt::skip]
const RANKED: &[(Operation, Severity)] = &[
    (Operation::Destroy,            Severity::Critical),
    (Operation::Interop,            Severity::Critical),
    (Operation::ReKey,              Severity::Warning),
    (Operation::ReKeyKeyPair,       Severity::Warning),
    (Operation::ReCertify,          Severity::Warning),
    (Operation::Import,             Severity::Warning),
    (Operation::JoinSplitKey,       Severity::Warning),
    (Operation::Activate,           Severity::Warning),
    (Operation::Revoke,             Severity::Warning),
    (Operation::Archive,            Severity::Warning),
    (Operation::Recover,            Severity::Warning),
    (Operation::Create,             Severity::Normal),
    (Operation::CreateKeyPair,      Severity::Normal),
    (Operation::Register,           Severity::Normal),
    (Operation::Certify,            Severity::Normal),
    (Operation::DeriveKey,          Severity::Normal),
    (Operation::CreateSplitKey,     Severity::Normal),
    (Operation::AddAttribute,       Severity::Normal),
    (Operation::ModifyAttribute,    Severity::Normal),
    (Operation::DeleteAttribute,    Severity::Normal),
    (Operation::SetAttribute,       Severity::Normal),
    (Operation::AdjustAttribute,    Severity::Normal),
    (Operation::GetUsageAllocation, Severity::Normal),
];

/// What follows when a client is kept out, or the server fails, and what is a client's mistake.
const fn ranked(reason: Reason) -> Severity {
    match reason {
        Reason::PermissionDenied
        | Reason::AuthenticationNotSuccessful
        | Reason::NotAuthorised
        | Reason::InvalidTicket
        | Reason::GeneralFailure
        | Reason::InternalServerError
        | Reason::ServerLimitExceeded => Severity::Critical,
        Reason::ItemNotFound | Reason::ObjectNotFound => Severity::Normal,
        _ => Severity::Warning,
    }
}

fn activity(operation: &'static str, class: Class, severity: Severity) -> Activity {
    Activity { door: DOOR, operation, class, severity }
}

/// A change that is made.
fn change(operation: Operation) -> Activity {
    let ranked = RANKED.iter().find(|(ranked, _)| *ranked == operation);
    activity(operation.name(), Class::Change, ranked.map_or(Severity::Normal, |(_, severity)| *severity))
}

/// Whether every operation may wait for the disk, since its event is written before it is answered.
pub(crate) fn waits_for_the_disk(engine: &Engine) -> bool {
    engine.trail.as_ref().is_some_and(|trail| trail.uses() == Uses::Durable)
}

/// An operation that changes something begins: its transactions are recorded as they are committed.
pub(crate) fn begin(context: &Context<'_>, operation: Operation) {
    let Some(trail) = &context.engine.trail else { return };
    let event = answered(context.client, change(operation)).event();
    context.space.begin_operation(trail.clone(), event);
}

/// A batch is undone.
pub(crate) fn begin_undo(context: &Context<'_>) {
    let Some(trail) = &context.engine.trail else { return };
    let event = answered(context.client, activity("Undo", Class::Change, Severity::Warning)).event();
    context.space.begin_operation(trail.clone(), event);
}

/// A batch item was carried out, or refused. It is answered as it was, unless its event must be written
/// before and cannot be.
pub(crate) fn end(context: &Context<'_>, item: &BatchItem, result: Outcome<Vec<Item>>) -> Outcome<Vec<Item>> {
    let Some(trail) = &context.engine.trail else { return result };
    let recorded = context.space.end_operation();
    let about = context.take_about();
    if let (Ok(fields), Ok(Operation::PKCS_11)) = (&result, item.operation) {
        let told = called(context, fields, about.as_deref());
        return trail.answered(&told).map_or_else(|error| Err(error.into()), |()| result);
    }
    let activity = match (&result, item.operation) {
        // The transaction has recorded it.
        (Ok(_), _) if recorded == Some(true) => return result,
        (Ok(_), Ok(operation)) if UNRECORDED.contains(&operation) => return result,
        (Ok(_), Ok(operation)) if recorded.is_some() => change(operation),
        (Ok(_), Ok(operation)) => activity(operation.name(), class(operation), Severity::Normal),
        (Ok(_), Err(_)) => return result,
        (Err(failure), Ok(operation)) => {
            let class = if dispatch::changes(operation) { Class::Refusal } else { class(operation) };
            activity(operation.name(), class, ranked(failure.reason))
        }
        // A number that no version has.
        (Err(failure), Err(_)) => activity("unknown", Class::Use, ranked(failure.reason)),
    };
    let told = Answered {
        object: object(item, &result),
        reason: result.as_ref().err().map(|failure| reason(failure.reason)),
        ..answered(context.client, activity)
    };
    match trail.answered(&told) {
        Ok(()) => result,
        Err(error) => result.and(Err(Failure::from(error))),
    }
}

/// A function of PKCS #11 that was called: none of those that are offered makes, changes or destroys anything.
/// It is a use under its own name, and what it refuses is in its return code.
fn called<'a>(context: &Context<'a>, fields: &[Item], about: Option<&str>) -> Answered<'a> {
    let value = |tag| fields.iter().find(|field| field.tag == tag);
    let function = value(Tag::PKCS11_FUNCTION).and_then(|field| field.as_value_of::<Function>().ok());
    let code = value(Tag::PKCS11_RETURN_CODE).and_then(|field| field.as_value_of::<Code>().ok());
    let refusal = code.filter(|code| *code != Code::OK);
    let severity = if refusal.is_some() { Severity::Warning } else { Severity::Normal };
    Answered {
        object: about.and_then(ObjectId::of_text),
        reason: refusal.map(|code| hsm_core::audit::Reason { code: code.into(), name: code.name() }),
        ..answered(context.client, activity(function.map_or("PKCS_11", Function::name), Class::Use, severity))
    }
}

const fn class(operation: Operation) -> Class {
    match operation {
        Operation::Login | Operation::Logout => Class::Login,
        _ => Class::Use,
    }
}

/// The object that an item is about: as it was asked for, else as it was answered. Of Locate, which
/// answers many, none.
fn object(item: &BatchItem, result: &Outcome<Vec<Item>>) -> Option<ObjectId> {
    if item.operation == Ok(Operation::Locate) {
        return None;
    }
    let among = |fields: &[Item]| {
        let text = fields.iter().find_map(|field| match (field.tag, &field.value) {
            (Tag::UNIQUE_IDENTIFIER, Value::TextString(id)) => Some(id),
            _ => None,
        });
        text.and_then(|id| ObjectId::of_text(id))
    };
    among(item.payload.items()).or_else(|| result.as_ref().ok().and_then(|fields| among(fields)))
}

/// A request's credentials or ticket do not hold.
pub(crate) fn kept_out(engine: &Engine, client: &Client, failure: &Failure) {
    let activity = activity("Authenticate", Class::Login, ranked(failure.reason));
    tell(engine, &Answered { reason: Some(reason(failure.reason)), ..answered(client, activity) });
}

/// A client was admitted to a connection.
pub(crate) fn let_in(engine: &Engine, client: &Client) {
    tell(engine, &answered(client, activity("Connect", Class::Login, Severity::Normal)));
}

/// Somebody was refused a connection. Who it is, nobody has vouched for.
pub(crate) fn refused(engine: &Engine, host: IpAddr, rule: Rule) {
    let reason = hsm_core::audit::Reason { code: rule as u32, name: rule.name() };
    let activity = activity("Connect", Class::Login, Severity::Critical);
    let (host, reason) = (Some(network(host)), Some(reason));
    let told = Answered {
        activity,
        id: "",
        name: "",
        partition: "",
        host,
        object: None,
        with: None,
        reason,
        request: None,
    };
    tell(engine, &told);
}

/// The host, or the /64 that it can choose its addresses in: each is counted by itself, and written.
fn network(host: IpAddr) -> IpAddr {
    match host.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}

/// Logins are counted, which does not fail.
fn tell(engine: &Engine, told: &Answered<'_>) {
    if let Some(trail) = &engine.trail
        && let Err(error) = trail.answered(told)
    {
        log::error!("an audit event was not written: {error}");
    }
}

fn answered(client: &Client, activity: Activity) -> Answered<'_> {
    Answered {
        activity,
        id: &client.owner,
        name: &client.name,
        partition: &client.partition,
        host: client.address.map(|address| address.ip()),
        object: None,
        with: None,
        reason: None,
        request: current_request().map(|id| Request { connection: id.connection, number: id.request }),
    }
}

fn reason(reason: Reason) -> hsm_core::audit::Reason {
    hsm_core::audit::Reason { code: reason.into(), name: reason.name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_ranked_once_and_nothing_else() {
        for row in dispatch::offered(crate::ttlv::Version::V2_1, true) {
            let ranks = RANKED.iter().filter(|(ranked, _)| *ranked == row.operation).count();
            assert_eq!(ranks, usize::from(row.changes), "{}", row.operation.name());
        }
    }

    #[test]
    fn an_address_of_ipv6_is_its_network_and_one_of_ipv4_itself() {
        for (address, counted) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "::"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(network(address.parse().unwrap()), counted.parse::<IpAddr>().unwrap());
        }
    }
}
