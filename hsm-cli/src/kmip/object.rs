//! The object in an answer to Get: what it is, and its value, which nothing here shows. KMIP 1.4, section
//! 2; 2.1, section 2.

use kmip_server::ttlv::encode::Encoded;
use kmip_server::ttlv::enums::{
    CertificateRequestType, CertificateType, KeyFormatType as Format, ObjectType,
};
use kmip_server::ttlv::{Item, Tag, Value, encode};
use serde_json::Value as Json;

use super::answer::bad;
use super::names;
use crate::failure::Result;

/// The structures that objects are.
const STRUCTURES: &[Tag] = &[
    Tag::CERTIFICATE,
    Tag::SYMMETRIC_KEY,
    Tag::PUBLIC_KEY,
    Tag::PRIVATE_KEY,
    Tag::SPLIT_KEY,
    Tag::TEMPLATE,
    Tag::SECRET_DATA,
    Tag::OPAQUE_OBJECT,
    Tag::PGP_KEY,
    Tag::CERTIFICATE_REQUEST,
];

/// What stands beside the value of some and is no secret.
const DETAILS: &[Tag] = &[
    Tag::CERTIFICATE_TYPE,
    Tag::CERTIFICATE_REQUEST_TYPE,
    Tag::SECRET_DATA_TYPE,
    Tag::OPAQUE_DATA_TYPE,
    Tag::PGP_KEY_VERSION,
    Tag::SPLIT_KEY_PARTS,
    Tag::KEY_PART_IDENTIFIER,
    Tag::SPLIT_KEY_THRESHOLD,
    Tag::SPLIT_KEY_METHOD,
    Tag::KEY_COMPRESSION_TYPE,
];

/// An object without its attributes.
pub(crate) struct Object<'a> {
    payload: &'a Item,
    structure: &'a Item,
    block: Option<&'a Item>,
}

/// The value of an object.
pub(crate) enum Content<'a> {
    /// Bytes as they came.
    Bytes(&'a [u8]),
    /// The fields of a transparent key, as TTLV.
    Fields(Encoded),
}

impl Content<'_> {
    /// The bytes to save or to show.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Content::Bytes(bytes) => bytes,
            Content::Fields(bytes) => bytes,
        }
    }
}

impl<'a> Object<'a> {
    /// Reads the payload of an answer to Get.
    pub(crate) fn read(payload: &'a Item) -> Result<Object<'a>> {
        let Some(structure) = payload.items().iter().find(|item| STRUCTURES.contains(&item.tag)) else {
            return Err(bad("the answer to Get has no object"));
        };
        Ok(Object { payload, structure, block: structure.child(Tag::KEY_BLOCK) })
    }

    /// The kind of object: as the answer says it, else as its structure does.
    pub(crate) fn kind(&self) -> Json {
        match self.payload.child(Tag::OBJECT_TYPE) {
            Some(item) => names::json(item.tag, &item.value),
            None => Json::from(self.structure.tag.to_string()),
        }
    }

    /// The algorithm of a key.
    pub(crate) fn algorithm(&self) -> Json {
        self.of_block(Tag::CRYPTOGRAPHIC_ALGORITHM)
    }

    /// The length of a key in bits.
    pub(crate) fn length(&self) -> Json {
        self.of_block(Tag::CRYPTOGRAPHIC_LENGTH)
    }

    /// The format of a key.
    pub(crate) fn format(&self) -> Json {
        self.of_block(Tag::KEY_FORMAT_TYPE)
    }

    fn of_block(&self, tag: Tag) -> Json {
        let item = self.block.and_then(|block| block.child(tag)).filter(|item| is_number(item));
        item.map(|item| names::json(item.tag, &item.value)).unwrap_or_default()
    }

    /// Whether the value is wrapped by another key.
    pub(crate) fn is_wrapped(&self) -> bool {
        self.block.is_some_and(|block| block.child(Tag::KEY_WRAPPING_DATA).is_some())
    }

    /// What else is told of the object, by name.
    pub(crate) fn details(&self) -> Vec<(String, Json)> {
        let inside = self.block.map(Item::items).unwrap_or_default();
        let items = self.structure.items().iter().chain(inside);
        let told = items.filter(|item| DETAILS.contains(&item.tag) && is_number(item));
        told.map(|item| (item.tag.to_string(), names::json(item.tag, &item.value))).collect()
    }

    /// The value; `None` where the server keeps it elsewhere.
    pub(crate) fn content(&self) -> Option<Content<'a>> {
        let Some(block) = self.block else {
            let values = [Tag::CERTIFICATE_VALUE, Tag::OPAQUE_DATA_VALUE, Tag::CERTIFICATE_REQUEST_VALUE];
            let value = self.structure.items().iter().find(|item| values.contains(&item.tag));
            return value.and_then(content_of);
        };
        let value = block.child(Tag::KEY_VALUE)?;
        match &value.value {
            Value::Structure(_) => content_of(value.child(Tag::KEY_MATERIAL)?),
            // A wrapped key, from 1.4 on.
            _ => content_of(value),
        }
    }

    /// What PEM calls the value, where there is a name for it.
    pub(crate) fn pem_label(&self) -> Option<&'static str> {
        if self.is_wrapped() {
            return None;
        }
        let number = |item: Option<&Item>| item.and_then(|it| it.as_enumeration().ok());
        let own = |tag| number(self.structure.child(tag));
        let format = number(self.block.and_then(|block| block.child(Tag::KEY_FORMAT_TYPE)));
        match (self.object_type()?, format.and_then(Format::from_number)) {
            (ObjectType::PublicKey, Some(Format::X_509)) => Some("PUBLIC KEY"),
            (ObjectType::PublicKey, Some(Format::PKCS_1)) => Some("RSA PUBLIC KEY"),
            (ObjectType::PrivateKey, Some(Format::PKCS_8)) => Some("PRIVATE KEY"),
            (ObjectType::PrivateKey, Some(Format::PKCS_1)) => Some("RSA PRIVATE KEY"),
            (ObjectType::PrivateKey, Some(Format::ECPrivateKey)) => Some("EC PRIVATE KEY"),
            (ObjectType::Certificate, _) => {
                (own(Tag::CERTIFICATE_TYPE) == Some(CertificateType::X_509.number())).then_some("CERTIFICATE")
            }
            (ObjectType::CertificateRequest, _) => (own(Tag::CERTIFICATE_REQUEST_TYPE)
                == Some(CertificateRequestType::PKCS_10.number()))
            .then_some("CERTIFICATE REQUEST"),
            _ => None,
        }
    }

    fn object_type(&self) -> Option<ObjectType> {
        Some(match self.structure.tag {
            Tag::PUBLIC_KEY => ObjectType::PublicKey,
            Tag::PRIVATE_KEY => ObjectType::PrivateKey,
            Tag::CERTIFICATE => ObjectType::Certificate,
            Tag::CERTIFICATE_REQUEST => ObjectType::CertificateRequest,
            _ => return None,
        })
    }
}

/// Only numbers are told: bytes and text may be the secret itself.
fn is_number(item: &Item) -> bool {
    matches!(item.value, Value::Enumeration(_) | Value::Integer(_))
}

/// Bytes; the one secret of a transparent symmetric key; the fields of other transparent keys.
fn content_of(item: &Item) -> Option<Content<'_>> {
    match &item.value {
        Value::ByteString(bytes) => Some(Content::Bytes(bytes)),
        Value::TextString(text) => Some(Content::Bytes(text.as_bytes())),
        Value::Structure(fields) => match fields.as_slice() {
            [key] if key.tag == Tag::KEY => content_of(key),
            _ => Some(Content::Fields(encode(item))),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kmip_server::ttlv::enums::CryptographicAlgorithm as Algorithm;

    use super::*;

    fn key(kind: Tag, format: Format, value: Option<Item>) -> Item {
        let mut block = vec![
            Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 128),
            Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, Algorithm::AES),
            Item::enumeration(Tag::KEY_FORMAT_TYPE, format),
            Item::text(Tag(0x54_0001), "a vendor's"),
        ];
        block.extend(value);
        let object = Item::structure(kind, vec![Item::structure(Tag::KEY_BLOCK, block)]);
        Item::structure(Tag::RESPONSE_PAYLOAD, vec![Item::boolean(Tag(0x54_0002), true), object])
    }

    fn value(material: Item) -> Option<Item> {
        Some(Item::structure(Tag::KEY_VALUE, vec![material]))
    }

    fn bytes(payload: &Item) -> Option<Vec<u8>> {
        Object::read(payload).unwrap().content().map(|content| content.bytes().to_vec())
    }

    #[test]
    fn a_key_tells_what_it_is_in_any_order() {
        let raw = value(Item::bytes(Tag::KEY_MATERIAL, vec![7; 16]));
        let payload = key(Tag::SYMMETRIC_KEY, Format::Raw, raw);
        let object = Object::read(&payload).unwrap();
        assert_eq!((object.kind(), object.algorithm()), ("SymmetricKey".into(), "AES".into()));
        assert_eq!((object.length(), object.format()), (128.into(), "Raw".into()));
        assert!(object.details().is_empty() && object.pem_label().is_none() && !object.is_wrapped());
        assert_eq!(bytes(&payload), Some(vec![7; 16]));
    }

    #[test]
    fn transparent_wrapped_and_absent_values_are_read() {
        let secret = Item::bytes(Tag::KEY, vec![7; 16]);
        let transparent = |fields| value(Item::structure(Tag::KEY_MATERIAL, fields));
        let one = key(Tag::SYMMETRIC_KEY, Format::TransparentSymmetricKey, transparent(vec![secret.clone()]));
        assert_eq!(bytes(&one), Some(vec![7; 16]));
        let fields = transparent(vec![secret.clone(), secret]);
        let several = key(Tag::PRIVATE_KEY, Format::TransparentRSAPrivateKey, fields.clone());
        let material = fields.unwrap().items()[0].clone();
        assert_eq!(bytes(&several), Some(encode(&material).to_vec()));
        let wrapped = key(Tag::SYMMETRIC_KEY, Format::Raw, Some(Item::bytes(Tag::KEY_VALUE, vec![1; 24])));
        assert_eq!(bytes(&wrapped), Some(vec![1; 24]));
        assert_eq!(bytes(&key(Tag::SYMMETRIC_KEY, Format::Raw, None)), None);
    }

    #[test]
    fn pem_is_for_what_has_a_name_in_it() {
        let label = |kind, format| {
            let payload = key(kind, format, value(Item::bytes(Tag::KEY_MATERIAL, vec![0x30])));
            Object::read(&payload).unwrap().pem_label()
        };
        assert_eq!(label(Tag::PRIVATE_KEY, Format::PKCS_8), Some("PRIVATE KEY"));
        assert_eq!(label(Tag::PUBLIC_KEY, Format::X_509), Some("PUBLIC KEY"));
        assert_eq!(label(Tag::PUBLIC_KEY, Format::Raw), None);
        assert_eq!(label(Tag::SYMMETRIC_KEY, Format::X_509), None);
    }

    #[test]
    fn details_are_numbers_alone() {
        let fields = vec![
            Item::enumeration(Tag::CERTIFICATE_TYPE, CertificateType::X_509),
            Item::bytes(Tag::SECRET_DATA_TYPE, vec![7; 4]),
            Item::bytes(Tag::CERTIFICATE_VALUE, vec![0x30]),
        ];
        let object = Item::structure(Tag::CERTIFICATE, fields);
        let payload = Item::structure(Tag::RESPONSE_PAYLOAD, vec![object]);
        let object = Object::read(&payload).unwrap();
        assert_eq!(object.details(), [("CertificateType".to_owned(), Json::from("X_509"))]);
        assert_eq!(object.pem_label(), Some("CERTIFICATE"));
        assert!(Object::read(&Item::structure(Tag::RESPONSE_PAYLOAD, Vec::new())).is_err());
    }
}
