//! Messages: the header and the batch items of a request, and how an answer is put together. KMIP 1.4,
//! sections 6 and 7; 2.1, sections 8 and 9.

use std::collections::HashSet;

use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{
    BatchErrorContinuation as Continuation, Operation, ResultReason as Reason, ResultStatus as Status,
};
use crate::ttlv::{self, Fields, Item, Tag, Value, Version};

/// What a request says about itself.
#[derive(Debug)]
pub struct Header {
    /// The version in which it is written and answered.
    pub version: Version,
    /// The longest answer that the client takes, in bytes.
    pub most: Option<usize>,
    /// The client's own mark for the request.
    pub client_correlation: Option<String>,
    /// Credentials, as they were sent.
    pub authentication: Option<Item>,
    /// What happens to the batch when an item fails.
    pub continuation: Continuation,
    /// Whether the client asks for an answer that comes later, and takes no other.
    pub must_be_asynchronous: bool,
}

/// One thing that a request asks for.
#[derive(Debug)]
pub struct BatchItem {
    /// The operation; a number that no version has is kept as it is.
    pub operation: Result<Operation, u32>,
    /// The client's mark for the item.
    pub id: Option<Item>,
    /// Whether the data that it produces is not to be given out (2.0).
    pub ephemeral: bool,
    /// What the operation is given.
    pub payload: Item,
    /// Whether an extension must be understood, which none is.
    pub critical_extension: bool,
}

impl BatchItem {
    /// The operation's number.
    pub fn number(&self) -> u32 {
        self.operation.map_or_else(|number| number, Operation::number)
    }
}

/// A request.
#[derive(Debug)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// Its items, in their order.
    pub items: Vec<BatchItem>,
}

/// A request that cannot be carried out as a whole.
#[derive(Debug)]
pub struct Broken {
    /// The version in which it is answered.
    pub version: Version,
    /// Why.
    pub failure: Failure,
}

impl Message {
    /// Reads a request.
    ///
    /// # Errors
    /// What keeps all of it from being carried out.
    pub fn read(message: Item) -> Result<Message, Broken> {
        let version = version_of(&message)?;
        read(message, version).map_err(|failure| Broken { version, failure })
    }
}

/// The version that a binary request begins with, though the rest of it cannot be read: a header comes
/// first, and a version first in that. 1.0 where there is none.
pub fn version_in(bytes: &[u8]) -> Version {
    let number = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(i32::from_be_bytes);
    match (number(32), number(48)) {
        (Some(major), Some(minor)) => Version::of(major, minor).unwrap_or(Version::V1_0),
        _ => Version::V1_0,
    }
}

/// The version that a request in JSON or XML names, though the rest of it cannot be read. 1.0 where it names
/// none.
pub fn version_in_text(text: &[u8]) -> Version {
    let number = |name| behind(text, name).and_then(value_of);
    match (number(b"ProtocolVersionMajor"), number(b"ProtocolVersionMinor")) {
        (Some(major), Some(minor)) => nearest(major, minor),
        _ => Version::V1_0,
    }
}

/// The number that follows as a value.
fn value_of(text: &[u8]) -> Option<i32> {
    /// Between an item's name and its value there is its type, and perhaps space.
    const NEAR: usize = 128;
    let value = behind(text.get(..NEAR).unwrap_or(text), b"value")?;
    let mut digits = value.iter().skip_while(|byte| !byte.is_ascii_alphanumeric());
    let first = *digits.next()?;
    let digits: String = std::iter::once(&first)
        .chain(digits.take_while(|byte| byte.is_ascii_alphanumeric()))
        .map(|byte| char::from(*byte))
        .collect();
    match digits.strip_prefix("0x") {
        Some(digits) => i32::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// What follows a word.
fn behind<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(word.len()).position(|window| window == word)?;
    text.get(at + word.len()..)
}

/// The version itself, or the nearest older one that is spoken: the likeliest to be understood.
fn nearest(major: i32, minor: i32) -> Version {
    let known = |version: &Version| (version.major(), version.minor()) <= (major, minor);
    Version::ALL.into_iter().rev().find(known).unwrap_or(Version::V1_0)
}

/// The version of a request. One that is not spoken is answered in the nearest older one that is.
fn version_of(message: &Item) -> Result<Version, Broken> {
    let broken =
        |reason, text: String| Broken { version: Version::V1_0, failure: Failure::new(reason, text) };
    if message.tag != Tag::REQUEST_MESSAGE {
        return Err(broken(Reason::InvalidMessage, format!("{} is no request", message.tag)));
    }
    let version = message.child(Tag::REQUEST_HEADER).and_then(|header| header.child(Tag::PROTOCOL_VERSION));
    let number = |tag| version?.child(tag)?.as_integer().ok();
    let (major, minor) = (number(Tag::PROTOCOL_VERSION_MAJOR), number(Tag::PROTOCOL_VERSION_MINOR));
    match (major, minor) {
        (Some(major), Some(minor)) => Version::of(major, minor).ok_or_else(|| {
            let text = format!("KMIP {major}.{minor} is not spoken here");
            Broken {
                version: nearest(major, minor),
                failure: Failure::new(Reason::UnsupportedProtocolVersion, text),
            }
        }),
        _ => Err(broken(Reason::InvalidMessage, "the protocol version is missing".to_owned())),
    }
}

fn read(message: Item, version: Version) -> Outcome<Message> {
    let mut fields = Fields::new(&message)?;
    let (header, count) = read_header(fields.need(Tag::REQUEST_HEADER)?, version)?;
    let there = fields.take_all(Tag::BATCH_ITEM).count();
    fields.end()?;
    if usize::try_from(count).ok() != Some(there) {
        let text = format!("the batch has {there} items, its header says {count}");
        return Err(Failure::new(Reason::InvalidMessage, text));
    }
    let items = message.into_items().into_iter().filter(|item| item.tag == Tag::BATCH_ITEM);
    let items = items.map(|item| read_item(item, version)).collect::<Outcome<Vec<_>>>()?;
    check_ids(&items)?;
    Ok(Message { header, items })
}

/// Each item's mark is its own. That one is missing is borne where it is required: answers keep the order.
fn check_ids(items: &[BatchItem]) -> Outcome<()> {
    let mut seen = HashSet::new();
    let ids = items.iter().filter_map(|item| item.id.as_ref()?.as_bytes().ok());
    for id in ids.take(if items.len() > 1 { usize::MAX } else { 0 }) {
        if !seen.insert(id) {
            let text = "two batch items have the same UniqueBatchItemID";
            return Err(Failure::new(Reason::InvalidMessage, text));
        }
    }
    Ok(())
}

fn read_header(header: &Item, version: Version) -> Outcome<(Header, i32)> {
    let mut fields = Fields::new(header)?;
    fields.need(Tag::PROTOCOL_VERSION)?;
    let most = fields.take(Tag::MAXIMUM_RESPONSE_SIZE).map(Item::as_integer).transpose()?;
    let client_correlation = fields.take(Tag::CLIENT_CORRELATION_VALUE).map(Item::as_text).transpose()?;
    fields.take(Tag::SERVER_CORRELATION_VALUE);
    let must_be_asynchronous = match fields.take(Tag::ASYNCHRONOUS_INDICATOR).map(|item| &item.value) {
        // 1.x: a Boolean, which lets the server answer at once. 2.x: 1 is Mandatory.
        Some(Value::Enumeration(number)) => *number == 1,
        Some(Value::Boolean(_)) | None => false,
        Some(_) => {
            return Err(Failure::new(Reason::InvalidMessage, "the asynchronous indicator is malformed"));
        }
    };
    fields.take(Tag::ATTESTATION_CAPABLE_INDICATOR).map(Item::as_boolean).transpose()?;
    fields.take_all(Tag::ATTESTATION_TYPE).for_each(drop);
    let authentication = fields.take(Tag::AUTHENTICATION).cloned();
    let continuation = fields.take_value_of::<Continuation>(Tag::BATCH_ERROR_CONTINUATION_OPTION)?;
    fields.take(Tag::BATCH_ORDER_OPTION).map(Item::as_boolean).transpose()?;
    fields.take(Tag::TIME_STAMP).map(Item::as_date).transpose()?;
    let count = fields.need(Tag::BATCH_COUNT)?.as_integer()?;
    fields.end()?;
    let most = most.map(usize::try_from).transpose();
    let header = Header {
        version,
        most: most
            .map_err(|_| Failure::new(Reason::InvalidField, "the maximum response size is negative"))?,
        client_correlation: client_correlation.map(str::to_owned),
        authentication,
        continuation: continuation.unwrap_or(Continuation::Stop),
        must_be_asynchronous,
    };
    Ok((header, count))
}

fn read_item(item: Item, version: Version) -> Outcome<BatchItem> {
    let mut fields = Fields::new(&item)?;
    let operation = fields.need(Tag::OPERATION)?.as_enumeration()?;
    let ephemeral = if version >= Version::V2_0 { fields.take_boolean(Tag::EPHEMERAL)? } else { None };
    let id = fields.take(Tag::UNIQUE_BATCH_ITEM_ID).cloned();
    fields.take(Tag::REQUEST_PAYLOAD);
    let critical = |extension: &Item| {
        extension.child(Tag::CRITICALITY_INDICATOR).is_some_and(|item| item.as_boolean() == Ok(true))
    };
    let critical_extension = fields.take_all(Tag::MESSAGE_EXTENSION).any(critical);
    fields.end()?;
    let payload = item.into_items().into_iter().find(|item| item.tag == Tag::REQUEST_PAYLOAD);
    Ok(BatchItem {
        operation: Operation::from_number(operation).ok_or(operation),
        id,
        ephemeral: ephemeral.unwrap_or_default(),
        payload: payload.unwrap_or_else(|| Item::structure(Tag::REQUEST_PAYLOAD, Vec::new())),
        critical_extension,
    })
}

/// What became of a batch item.
#[derive(Debug)]
pub struct Answered {
    /// The operation's number.
    pub operation: Option<u32>,
    /// The client's mark.
    pub id: Option<Item>,
    /// The fields of the answer, or why there are none.
    pub result: Outcome<Vec<Item>>,
    /// Whether it was undone because a later item failed.
    pub undone: bool,
}

impl Answered {
    /// The item of the answer.
    pub fn write(self, version: Version) -> Item {
        let mut fields = Vec::with_capacity(5);
        fields.extend(self.operation.map(|number| Item::enumeration(Tag::OPERATION, number)));
        fields.extend(self.id);
        let status = match &self.result {
            _ if self.undone => Status::OperationUndone,
            Ok(_) => Status::Success,
            Err(_) => Status::OperationFailed,
        };
        fields.push(Item::enumeration(Tag::RESULT_STATUS, status));
        match self.result {
            Ok(payload) => fields.push(Item::structure(Tag::RESPONSE_PAYLOAD, payload)),
            Err(failure) => {
                fields.push(Item::enumeration(Tag::RESULT_REASON, failure.reason_in(version)));
                fields.push(Item::text(Tag::RESULT_MESSAGE, failure.message));
                if !failure.payload.is_empty() {
                    fields.push(Item::structure(Tag::RESPONSE_PAYLOAD, failure.payload));
                }
            }
        }
        Item::structure(Tag::BATCH_ITEM, fields)
    }

    /// How many bytes of TTLV [`Answered::write`] comes to.
    pub fn encoded_length(&self) -> usize {
        /// Of an item's tag, type and length, and of an enumeration as a whole.
        const HEADER: usize = 8;
        const ENUMERATION: usize = 16;
        let structure = |fields: &[Item]| HEADER + fields.iter().map(ttlv::encoded_length).sum::<usize>();
        let result = match &self.result {
            Ok(payload) => structure(payload),
            Err(failure) => {
                let payload = if failure.payload.is_empty() { 0 } else { structure(&failure.payload) };
                ENUMERATION + HEADER + failure.message.len().next_multiple_of(8) + payload
            }
        };
        let operation = if self.operation.is_some() { ENUMERATION } else { 0 };
        let id = self.id.as_ref().map_or(0, ttlv::encoded_length);
        HEADER + operation + id + ENUMERATION + result
    }
}

/// The answer's header and items as one message.
pub fn answer(
    version: Version,
    now: i64,
    correlation: (Option<String>, Option<String>),
    items: Vec<Item>,
) -> Item {
    let protocol = vec![
        Item::integer(Tag::PROTOCOL_VERSION_MAJOR, version.major()),
        Item::integer(Tag::PROTOCOL_VERSION_MINOR, version.minor()),
    ];
    let mut header = vec![Item::structure(Tag::PROTOCOL_VERSION, protocol), Item::date(Tag::TIME_STAMP, now)];
    if version >= Version::V1_4 {
        let (client, server) = correlation;
        header.extend(client.map(|value| Item::text(Tag::CLIENT_CORRELATION_VALUE, value)));
        header.extend(server.map(|value| Item::text(Tag::SERVER_CORRELATION_VALUE, value)));
    }
    header.push(Item::integer(Tag::BATCH_COUNT, i32::try_from(items.len()).unwrap_or(i32::MAX)));
    let mut all = vec![Item::structure(Tag::RESPONSE_HEADER, header)];
    all.extend(items);
    Item::structure(Tag::RESPONSE_MESSAGE, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_text_that_is_not_whole() {
        let json = br#"{"tag":"ProtocolVersion","value":[{"tag":"ProtocolVersionMajor","type":"Integer",
            "value": 2},{"tag":"ProtocolVersionMinor","type":"Integer","value":"0x00000001"},"#;
        let xml = br#"<ProtocolVersionMajor type="Integer" value="1"/><ProtocolVersionMinor type='Integer'
            value='4'/><"#;
        for (text, version) in [
            (json.as_slice(), Version::V2_1),
            (xml.as_slice(), Version::V1_4),
            (br#"<ProtocolVersionMajor value="1"/><ProtocolVersionMinor value="9"/>"#, Version::V1_4),
            (br#"<ProtocolVersionMajor value="x"/><ProtocolVersionMinor value="1"/>"#, Version::V1_0),
            (br#"<ProtocolVersionMajor value="2"/>"#, Version::V1_0),
            (b"ProtocolVersionMajor ProtocolVersionMinor value", Version::V1_0),
            (b"", Version::V1_0),
        ] {
            assert_eq!(version_in_text(text), version, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn the_length_of_an_item_is_known_before_it_is_written() {
        let payload = || vec![Item::text(Tag::UNIQUE_IDENTIFIER, "nine char")];
        let failure = || Failure::new(Reason::InvalidField, "five5");
        let results = [Ok(payload()), Ok(Vec::new()), Err(failure()), Err(failure().with(payload()))];
        for (number, result) in results.into_iter().enumerate() {
            let operation = (number != 1).then_some(3);
            let id = (number != 2).then(|| Item::bytes(Tag::UNIQUE_BATCH_ITEM_ID, vec![1]));
            let answered = Answered { operation, id, result, undone: false };
            let length = answered.encoded_length();
            assert_eq!(length, ttlv::encoded_length(&answered.write(Version::V2_1)), "result {number}");
        }
    }
}
