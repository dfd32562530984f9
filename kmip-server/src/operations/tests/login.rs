//! Login, Logout, Log, Poll, Cancel.

use super::kit::*;
use crate::ttlv::enums::{CancellationResult, Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

/// A header's credentials that are a ticket.
fn with(ticket: &Item) -> Vec<Item> {
    let credential = Item::structure(
        Tag::CREDENTIAL,
        vec![
            Item::enumeration(Tag::CREDENTIAL_TYPE, 6_u32),
            Item::structure(Tag::CREDENTIAL_VALUE, vec![ticket.clone()]),
        ],
    );
    vec![Item::structure(Tag::AUTHENTICATION, vec![credential])]
}

fn login(server: &Server, payload: Vec<Item>) -> Item {
    let answer = server.ask(Version::V2_1, Operation::Login, payload).unwrap();
    field(&answer, Tag::TICKET).clone()
}

fn ping(server: &Server, who: &str, ticket: &Item) -> Result<Vec<Item>, Reason> {
    server.ask_as(&client(who), Version::V2_1, with(ticket), Operation::Ping, vec![])
}

#[test]
fn a_ticket_is_taken_for_its_client_until_logout() {
    let server = Server::new();
    let ticket = login(&server, vec![Item::interval(Tag::LEASE_TIME, 0)]);
    assert!(ping(&server, "a", &ticket).is_ok());
    assert_eq!(ping(&server, "b", &ticket).unwrap_err(), Reason::InvalidTicket);
    let logout =
        |who| server.ask_as(&client(who), Version::V2_1, vec![], Operation::Logout, vec![ticket.clone()]);
    assert_eq!(logout("b").unwrap_err(), Reason::InvalidTicket);
    assert!(logout("a").unwrap().is_empty());
    assert_eq!(ping(&server, "a", &ticket).unwrap_err(), Reason::InvalidTicket);
    assert_eq!(logout("a").unwrap_err(), Reason::InvalidTicket);
}

#[test]
fn a_ticket_serves_as_often_and_as_long_as_was_asked() {
    let server = Server::new();
    let ticket = login(&server, vec![Item::integer(Tag::REQUEST_COUNT, 1)]);
    assert!(ping(&server, "a", &ticket).is_ok());
    assert_eq!(ping(&server, "a", &ticket).unwrap_err(), Reason::UsageLimitExceeded);
    let ticket = login(&server, vec![Item::date(Tag::LEASE_TIME, 1000)]);
    assert_eq!(ping(&server, "a", &ticket).unwrap_err(), Reason::InvalidTicket);
    for (wrong, reason) in [
        (Item::integer(Tag::REQUEST_COUNT, -1), Reason::InvalidField),
        (Item::text(Tag::LEASE_TIME, "long"), Reason::InvalidField),
    ] {
        let refused = server.ask(Version::V2_1, Operation::Login, vec![wrong]).unwrap_err();
        assert_eq!(refused, reason);
    }
}

#[test]
fn a_message_is_logged_and_answered_with_nothing() {
    let server = Server::new();
    let message = vec![Item::text(Tag::LOG_MESSAGE, "hello\nroot: logged in")];
    assert!(server.ask(Version::V2_1, Operation::Log, message).unwrap().is_empty());
    assert_eq!(server.ask(Version::V2_1, Operation::Log, vec![]).unwrap_err(), Reason::MissingData);
}

#[test]
fn nothing_is_outstanding_to_be_polled_or_cancelled() {
    let server = Server::new();
    let value = || vec![Item::bytes(Tag::ASYNCHRONOUS_CORRELATION_VALUE, vec![1])];
    let poll = |version| server.ask(version, Operation::Poll, value()).unwrap_err();
    assert_eq!(poll(Version::V2_1), Reason::InvalidAsynchronousCorrelationValue);
    assert_eq!(poll(Version::V1_0), Reason::ItemNotFound);
    let answer = server.ask(Version::V1_0, Operation::Cancel, value()).unwrap();
    let result = field(&answer, Tag::CANCELLATION_RESULT);
    assert_eq!(result.as_value_of(), Ok(CancellationResult::Unavailable));
    assert_eq!(server.ask(Version::V1_0, Operation::Cancel, vec![]).unwrap_err(), Reason::MissingData);
}
