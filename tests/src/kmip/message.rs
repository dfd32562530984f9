//! Just enough of TTLV (KMIP 1.4, section 9.1) to ask and to read answers: tags are written as numbers
//! where the tests need them, with the standard's names.

use std::fmt;

/// Tags of KMIP 1.4, section 9.1.3.1.
#[rustfmt::skip]
#[allow(missing_docs, reason = "the standard's names")]
pub mod tag {
    pub const ATTRIBUTE: u32 = 0x42_0008;
    pub const ATTRIBUTE_NAME: u32 = 0x42_000A;
    pub const ATTRIBUTE_VALUE: u32 = 0x42_000B;
    pub const BATCH_COUNT: u32 = 0x42_000D;
    pub const BATCH_ITEM: u32 = 0x42_000F;
    pub const COMMON_TEMPLATE_ATTRIBUTE: u32 = 0x42_001F;
    pub const CRYPTOGRAPHIC_PARAMETERS: u32 = 0x42_002B;
    pub const CRYPTOGRAPHIC_ALGORITHM: u32 = 0x42_0028;
    pub const CRYPTOGRAPHIC_LENGTH: u32 = 0x42_002A;
    pub const BLOCK_CIPHER_MODE: u32 = 0x42_0011;
    pub const ENCODING_OPTION: u32 = 0x42_00A3;
    pub const ENCRYPTION_KEY_INFORMATION: u32 = 0x42_0036;
    pub const HASHING_ALGORITHM: u32 = 0x42_0038;
    pub const IV_COUNTER_NONCE: u32 = 0x42_003D;
    pub const KEY_BLOCK: u32 = 0x42_0040;
    pub const KEY_FORMAT_TYPE: u32 = 0x42_0042;
    pub const KEY_MATERIAL: u32 = 0x42_0043;
    pub const KEY_VALUE: u32 = 0x42_0045;
    pub const DERIVATION_DATA: u32 = 0x42_0030;
    pub const DERIVATION_METHOD: u32 = 0x42_0031;
    pub const DERIVATION_PARAMETERS: u32 = 0x42_0032;
    pub const KEY_WRAPPING_DATA: u32 = 0x42_0046;
    pub const KEY_WRAPPING_SPECIFICATION: u32 = 0x42_0047;
    pub const NAME_TYPE: u32 = 0x42_0054;
    pub const NAME_VALUE: u32 = 0x42_0055;
    pub const OBJECT_TYPE: u32 = 0x42_0057;
    pub const OPERATION: u32 = 0x42_005C;
    pub const PADDING_METHOD: u32 = 0x42_005F;
    pub const PRIVATE_KEY_TEMPLATE_ATTRIBUTE: u32 = 0x42_0065;
    pub const PRIVATE_KEY_UNIQUE_IDENTIFIER: u32 = 0x42_0066;
    pub const PROTOCOL_VERSION: u32 = 0x42_0069;
    pub const PROTOCOL_VERSION_MAJOR: u32 = 0x42_006A;
    pub const PROTOCOL_VERSION_MINOR: u32 = 0x42_006B;
    pub const PUBLIC_KEY_TEMPLATE_ATTRIBUTE: u32 = 0x42_006E;
    pub const PUBLIC_KEY_UNIQUE_IDENTIFIER: u32 = 0x42_006F;
    pub const QUERY_FUNCTION: u32 = 0x42_0074;
    pub const REQUEST_HEADER: u32 = 0x42_0077;
    pub const REQUEST_MESSAGE: u32 = 0x42_0078;
    pub const REQUEST_PAYLOAD: u32 = 0x42_0079;
    pub const RESPONSE_PAYLOAD: u32 = 0x42_007C;
    pub const RESULT_MESSAGE: u32 = 0x42_007D;
    pub const RESULT_REASON: u32 = 0x42_007E;
    pub const RESULT_STATUS: u32 = 0x42_007F;
    pub const REVOCATION_REASON: u32 = 0x42_0081;
    pub const REVOCATION_REASON_CODE: u32 = 0x42_0082;
    pub const SYMMETRIC_KEY: u32 = 0x42_008F;
    pub const TEMPLATE_ATTRIBUTE: u32 = 0x42_0091;
    pub const UNIQUE_IDENTIFIER: u32 = 0x42_0094;
    pub const WRAPPING_METHOD: u32 = 0x42_009E;
    pub const DATA: u32 = 0x42_00C2;
    pub const SIGNATURE_DATA: u32 = 0x42_00C3;
}

/// Operations of KMIP 1.4, section 9.1.3.2.27.
#[rustfmt::skip]
#[allow(missing_docs, reason = "the standard's names")]
pub mod operation {
    pub const CREATE: u32 = 0x01;
    pub const CREATE_KEY_PAIR: u32 = 0x02;
    pub const REGISTER: u32 = 0x03;
    pub const RE_KEY: u32 = 0x04;
    pub const DERIVE_KEY: u32 = 0x05;
    pub const LOCATE: u32 = 0x08;
    pub const GET: u32 = 0x0A;
    pub const MODIFY_ATTRIBUTE: u32 = 0x0E;
    pub const ACTIVATE: u32 = 0x12;
    pub const REVOKE: u32 = 0x13;
    pub const DESTROY: u32 = 0x14;
    pub const QUERY: u32 = 0x18;
    pub const ENCRYPT: u32 = 0x1F;
    pub const DECRYPT: u32 = 0x20;
    pub const SIGN: u32 = 0x21;
    pub const EXPORT: u32 = 0x2B;
}

const STRUCTURE: u8 = 1;

/// One item: three bytes of tag, one of type, four of length, the value, and zeros up to eight bytes.
pub fn item(tag: u32, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("a value of less than 4 GiB");
    let mut out = tag.to_be_bytes()[1..].to_vec();
    out.push(kind);
    out.extend(length.to_be_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// A structure of items.
pub fn structure(tag: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    item(tag, STRUCTURE, &parts.concat())
}

/// An integer.
pub fn integer(tag: u32, value: i32) -> Vec<u8> {
    item(tag, 2, &value.to_be_bytes())
}

/// An enumeration.
pub fn enumeration(tag: u32, value: u32) -> Vec<u8> {
    item(tag, 5, &value.to_be_bytes())
}

/// A text.
pub fn text(tag: u32, value: &str) -> Vec<u8> {
    item(tag, 7, value.as_bytes())
}

/// Bytes.
pub fn bytes(tag: u32, value: &[u8]) -> Vec<u8> {
    item(tag, 8, value)
}

/// A batch item.
pub fn batch_item(operation: u32, payload: &[Vec<u8>]) -> Vec<u8> {
    let parts = [enumeration(tag::OPERATION, operation), structure(tag::REQUEST_PAYLOAD, payload)];
    structure(tag::BATCH_ITEM, &parts)
}

/// A request of KMIP 1.4 with one item.
pub fn request(operation: u32, payload: &[Vec<u8>]) -> Vec<u8> {
    let version = [integer(tag::PROTOCOL_VERSION_MAJOR, 1), integer(tag::PROTOCOL_VERSION_MINOR, 4)];
    let header = [structure(tag::PROTOCOL_VERSION, &version), integer(tag::BATCH_COUNT, 1)];
    let parts = [structure(tag::REQUEST_HEADER, &header), batch_item(operation, payload)];
    structure(tag::REQUEST_MESSAGE, &parts)
}

/// An attribute of KMIP 1.x; its value is an item with the tag Attribute Value.
pub fn attribute(name: &str, value: Vec<u8>) -> Vec<u8> {
    structure(tag::ATTRIBUTE, &[text(tag::ATTRIBUTE_NAME, name), value])
}

/// The attribute Name.
pub fn name(value: &str) -> Vec<u8> {
    let parts = [text(tag::NAME_VALUE, value), enumeration(tag::NAME_TYPE, 1)];
    attribute("Name", structure(tag::ATTRIBUTE_VALUE, &parts))
}

/// An item that was read.
#[derive(Clone)]
pub struct Node {
    /// Its tag.
    pub tag: u32,
    /// Its value; of a structure, the bytes of its items.
    pub value: Vec<u8>,
    /// Its items, if it is a structure.
    pub items: Vec<Node>,
}

impl Node {
    /// Reads the one item that `bytes` are; panics if a server wrote something else.
    pub fn read(bytes: &[u8]) -> Node {
        let mut all = Node::list(bytes);
        assert_eq!(all.len(), 1, "one item belongs here");
        all.remove(0)
    }

    fn list(mut bytes: &[u8]) -> Vec<Node> {
        let mut out = Vec::new();
        while let Some((head, rest)) = bytes.split_at_checked(8) {
            let tag = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
            let value = rest[..length].to_vec();
            let items = if head[3] == STRUCTURE { Node::list(&value) } else { Vec::new() };
            out.push(Node { tag, value, items });
            bytes = &rest[length.next_multiple_of(8)..];
        }
        assert!(bytes.is_empty(), "an item's head is cut off");
        out
    }

    /// The items with a tag, wherever they are.
    pub fn all(&self, tag: u32) -> Vec<&Node> {
        let below = self.items.iter().flat_map(|item| item.all(tag));
        self.items.iter().filter(|item| item.tag == tag).chain(below).collect()
    }

    /// The first item with a tag, wherever it is.
    pub fn find(&self, tag: u32) -> Option<&Node> {
        self.all(tag).first().copied()
    }

    /// The first text with a tag.
    pub fn text(&self, tag: u32) -> Option<String> {
        self.find(tag).map(|item| String::from_utf8(item.value.clone()).expect("UTF-8"))
    }

    /// The first number with a tag.
    pub fn number(&self, tag: u32) -> Option<u32> {
        let item = self.find(tag)?;
        Some(u32::from_be_bytes(item.value.as_slice().try_into().expect("four bytes")))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.items.as_slice() {
            [] => write!(f, "{:06X}={}", self.tag, self.value.escape_ascii()),
            items => write!(f, "{:06X}{items:?}", self.tag),
        }
    }
}
