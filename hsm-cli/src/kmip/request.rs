//! Requests: the header, and the payloads of what the client asks. KMIP 1.4, sections 6 and 7; 2.1,
//! section 9.

use hsm_core::secret::Secret;
use kmip_server::ttlv::enums::{CredentialType, Operation};
use kmip_server::ttlv::{Item, Tag, Version};

/// A request with one item. Optional fields are left out: some servers stumble over them.
pub(crate) fn message(
    version: Version,
    authentication: Option<Item>,
    operation: Operation,
    payload: Vec<Item>,
) -> Item {
    let mut header = vec![version_item(version)];
    header.extend(authentication);
    header.push(Item::integer(Tag::BATCH_COUNT, 1));
    let item =
        vec![Item::enumeration(Tag::OPERATION, operation), Item::structure(Tag::REQUEST_PAYLOAD, payload)];
    let parts = vec![Item::structure(Tag::REQUEST_HEADER, header), Item::structure(Tag::BATCH_ITEM, item)];
    Item::structure(Tag::REQUEST_MESSAGE, parts)
}

/// A version.
pub(crate) fn version_item(version: Version) -> Item {
    let numbers = vec![
        Item::integer(Tag::PROTOCOL_VERSION_MAJOR, version.major()),
        Item::integer(Tag::PROTOCOL_VERSION_MINOR, version.minor()),
    ];
    Item::structure(Tag::PROTOCOL_VERSION, numbers)
}

/// A username and its password: KMIP 1.4, section 2.1.2. `None` for a password that is not UTF-8.
pub(crate) fn authentication(user: &str, password: &Secret) -> Option<Item> {
    let password = std::str::from_utf8(password.expose()).ok()?;
    let value = vec![Item::text(Tag::USERNAME, user), Item::text(Tag::PASSWORD, password)];
    let credential = vec![
        Item::enumeration(Tag::CREDENTIAL_TYPE, CredentialType::UsernameAndPassword),
        Item::structure(Tag::CREDENTIAL_VALUE, value),
    ];
    Some(Item::structure(Tag::AUTHENTICATION, vec![Item::structure(Tag::CREDENTIAL, credential)]))
}
