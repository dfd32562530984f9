//! Answers. They are read leniently: fields may stand in any order, and what is not asked for is passed
//! over, as extensions of vendors are.

use kmip_server::ttlv::enums::{Operation, ResultReason as Reason, ResultStatus as Status};
use kmip_server::ttlv::{Item, Tag, Value};

use super::names::value_name;
use crate::failure::{Failure, Outcome, Result};
use crate::output::printable;

/// The payload of an answer, or why there is none.
pub(crate) type Reply = std::result::Result<Item, Refusal>;

/// What a server says when it does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What was asked.
    pub(crate) operation: Operation,
    /// Result Reason, which servers may leave out.
    pub(crate) reason: Option<u32>,
    /// Result Message; empty where there is none.
    pub(crate) message: String,
}

/// Characters of a server's message that are shown.
const SHOWN: usize = 1000;

/// Reads the answer to a request with one item.
pub(crate) fn read(message: Item, operation: Operation) -> Result<Reply> {
    let Some(mut item) = take(message, Tag::BATCH_ITEM) else {
        return Err(bad("the answer has no batch item"));
    };
    let number = |tag| item.child(tag).and_then(|it| it.as_enumeration().ok());
    let Some(status) = number(Tag::RESULT_STATUS) else {
        return Err(bad("the answer does not say whether the operation succeeded"));
    };
    if number(Tag::OPERATION).is_some_and(|answered| answered != operation.number()) {
        return Err(bad("the answer is to another operation"));
    }
    match Status::from_number(status) {
        Some(Status::Success) => {
            let items = match &mut item.value {
                Value::Structure(items) => std::mem::take(items),
                _ => Vec::new(),
            };
            let payload = items.into_iter().find(|it| it.tag == Tag::RESPONSE_PAYLOAD);
            // Some leave an empty payload out.
            Ok(Ok(payload.unwrap_or_else(|| Item::structure(Tag::RESPONSE_PAYLOAD, Vec::new()))))
        }
        Some(Status::OperationFailed | Status::OperationUndone) => {
            let message = item.child(Tag::RESULT_MESSAGE).and_then(|it| it.as_text().ok());
            let message = message.unwrap_or_default().chars().take(SHOWN).collect();
            Ok(Err(Refusal { operation, reason: number(Tag::RESULT_REASON), message }))
        }
        Some(Status::OperationPending) => Err(Failure::new(
            Outcome::Failed,
            "the server means to answer later, which this client does not wait for",
        )),
        None => Err(bad(&format!("the answer has the unknown result status 0x{status:08x}"))),
    }
}

/// A failure for an answer that is none.
pub(crate) fn bad(what: &str) -> Failure {
    Failure::new(Outcome::BadAnswer, what)
}

fn take(message: Item, tag: Tag) -> Option<Item> {
    match message.value {
        Value::Structure(items) => items.into_iter().find(|item| item.tag == tag),
        _ => None,
    }
}

impl Refusal {
    /// The reason as the standard knows it, if it does.
    pub(crate) fn known_reason(&self) -> Option<Reason> {
        self.reason.and_then(Reason::from_number)
    }

    /// The reason's name and number, and what the server adds.
    pub(crate) fn text(&self) -> String {
        let reason = match self.reason {
            None => "no reason given".to_owned(),
            Some(number) => match Reason::from_number(number) {
                Some(_) => format!("{} (0x{number:08x})", value_name(Tag::RESULT_REASON, number)),
                None => format!("0x{number:08x}"),
            },
        };
        match self.message.trim() {
            "" => reason,
            message => format!("{reason}: {}", printable(message)),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        let (outcome, next) = classify(refusal.known_reason());
        let message = format!("the server refused {}: {}", refusal.operation.name(), refusal.text());
        let failure = Failure::new(outcome, message);
        if next.is_empty() { failure } else { failure.next(next) }
    }
}

/// What a reason means for scripts, and what to do.
fn classify(reason: Option<Reason>) -> (Outcome, &'static str) {
    let next = match reason {
        Some(Reason::ItemNotFound | Reason::ObjectNotFound) => {
            return (Outcome::NotFound, "`softhsm-rs kmip locate` shows what this client sees");
        }
        Some(Reason::AuthenticationNotSuccessful | Reason::NotAuthorised) => {
            "the server does not know this client: it may want another certificate, or --user and a password"
        }
        Some(Reason::PermissionDenied) => "the server's rules keep this client from it",
        Some(Reason::Sensitive | Reason::NotExtractable) => {
            "the value does not leave the server; `kmip get --attributes` shows the rest"
        }
        Some(Reason::OperationNotSupported) => "`softhsm-rs kmip query` shows what the server does",
        Some(Reason::UnsupportedProtocolVersion | Reason::InvalidMessage | Reason::CodecError) => {
            "it may be the version: `softhsm-rs kmip discover` shows them, --kmip-version chooses one"
        }
        Some(Reason::KeyFormatTypeNotSupported) => "without --format the server chooses the format",
        Some(Reason::ResponseTooLarge) => "--max asks for less at once, --offset for the next",
        _ => "",
    };
    (Outcome::Refused, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(fields: Vec<Item>) -> Item {
        let header = Item::structure(Tag::RESPONSE_HEADER, vec![Item::text(Tag(0x54_0001), "a vendor's")]);
        let item = Item::structure(Tag::BATCH_ITEM, fields);
        // In another order than the standard's.
        Item::structure(Tag::RESPONSE_MESSAGE, vec![Item::boolean(Tag(0x54_0002), true), item, header])
    }

    fn status(number: u32) -> Item {
        Item::enumeration(Tag::RESULT_STATUS, number)
    }

    #[test]
    fn fields_are_found_in_any_order_and_among_others() {
        let payload = Item::structure(Tag::RESPONSE_PAYLOAD, vec![Item::text(Tag::UNIQUE_IDENTIFIER, "1")]);
        let fields = vec![payload.clone(), Item::integer(Tag(0x54_0003), 1), status(0)];
        assert_eq!(read(answer(fields), Operation::Get).unwrap(), Ok(payload));
    }

    #[test]
    fn a_missing_payload_is_an_empty_one() {
        let reply = read(answer(vec![status(0)]), Operation::Locate).unwrap().unwrap();
        assert!(reply.items().is_empty());
    }

    #[test]
    fn a_refusal_is_told_with_the_reasons_name_number_and_text() {
        let refused = |reason: u32| {
            let reason = Item::enumeration(Tag::RESULT_REASON, reason);
            let message = Item::text(Tag::RESULT_MESSAGE, "no such\u{1b}[2J thing");
            let reply = read(answer(vec![message, reason, status(1)]), Operation::Get).unwrap();
            Failure::from(reply.unwrap_err())
        };
        let failure = refused(1);
        assert_eq!(
            failure.message,
            "the server refused Get: ItemNotFound (0x00000001): no such\\u{1b}[2J thing"
        );
        assert_eq!(failure.outcome, Outcome::NotFound);
        let failure = refused(0x8000_0001);
        assert_eq!(failure.message, "the server refused Get: 0x80000001: no such\\u{1b}[2J thing");
        assert_eq!((failure.outcome, failure.next), (Outcome::Refused, None));
    }

    #[test]
    fn a_refusal_without_reason_or_message_is_told_too() {
        let reply = read(answer(vec![status(3)]), Operation::Query).unwrap();
        assert_eq!(reply.unwrap_err().text(), "no reason given");
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let empty = Item::structure(Tag::RESPONSE_MESSAGE, Vec::new());
        let other = Item::enumeration(Tag::OPERATION, Operation::Locate);
        for message in [empty, answer(Vec::new()), answer(vec![status(9)]), answer(vec![status(0), other])] {
            assert_eq!(read(message, Operation::Get).unwrap_err().outcome, Outcome::BadAnswer);
        }
        let pending = read(answer(vec![status(2)]), Operation::Get).unwrap_err();
        assert!(pending.message.contains("later"), "{}", pending.message);
    }
}
