//! What the tests of operations share: a server on a partition in memory, and short ways to ask.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::HashMap;
use std::sync::Arc;

use hsm_core::audit::{Trail, Uses, Verdict};
use hsm_core::config::Config;
use hsm_core::hsm::Hsm;
use tempfile::TempDir;

use crate::engine::{Encoding, Engine, Settings};
use crate::identity::{Client, Role};
use crate::ttlv::enums::{Operation, ResultReason as Reason, ResultStatus as Status};
use crate::ttlv::{Item, Limits, Tag, Version, decode, encode};

/// A server and its home, wiped at the end.
pub(crate) struct Server {
    engine: Arc<Engine>,
    trail: Arc<Trail>,
    hsm: Arc<Hsm>,
    _home: TempDir,
}

/// A client of an object space of its own.
pub(crate) fn client(owner: &str) -> Client {
    Client {
        owner: owner.to_owned(),
        name: owner.to_owned(),
        partition: "kmip".to_owned(),
        role: Role::User,
        groups: Vec::new(),
        address: None,
    }
}

impl Server {
    pub(crate) fn new() -> Server {
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join("softhsm-rs.toml"), "store = 'memory:'\naudit.changes = false\n")
            .unwrap();
        let hsm = Hsm::new(Config::for_home(home.path()).unwrap());
        hsm.initialise(&Default::default(), &mut |_| {}).unwrap();
        let session = hsm.server_partition("kmip").unwrap().open_for_server().unwrap();
        let partitions = HashMap::from([("kmip".to_owned(), session)]);
        let trail = hsm.audit_trail(Uses::Buffered).unwrap();
        let engine = Engine::new(partitions, Settings::default()).audited_by(trail.clone());
        Server { engine: Arc::new(engine), trail, hsm, _home: home }
    }

    /// Has a certificate sign where Certify names no issuer.
    pub(crate) fn set_issuer(&self, id: &str) {
        let session = self.hsm.server_partition("kmip").unwrap().open_for_server().unwrap();
        let settings = Settings { issuer: Some(id.to_owned()), ..Settings::default() };
        self.engine.reload(HashMap::from([("kmip".to_owned(), session)]), settings);
    }

    /// A session as PKCS #11 has it, on the partition that clients use.
    pub(crate) fn session(&self) -> Arc<hsm_core::session::Session> {
        self.hsm.server_partition("kmip").unwrap().open_for_server().unwrap()
    }

    /// The audit log, as far as it is written.
    pub(crate) fn written_events(&self) -> Vec<serde_json::Value> {
        let mut events = Vec::new();
        let read = self.trail.read(0, &mut |event| {
            events.push(serde_json::from_str(&event.json).unwrap());
            Ok(())
        });
        assert!(matches!(read.unwrap(), Verdict::Whole { .. }));
        events
    }

    /// The audit log with what was counted.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        self.trail.flush().unwrap();
        self.written_events()
    }

    /// As the server that hears of connections.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// As a thread beside the connections has it.
    pub(crate) fn shared_engine(&self) -> Arc<Engine> {
        self.engine.clone()
    }

    /// The answer's batch items.
    pub(crate) fn batch(
        &self,
        client: &Client,
        version: Version,
        header: Vec<Item>,
        items: Vec<(Operation, Vec<Item>)>,
    ) -> Vec<Item> {
        let mut fields = vec![Item::structure(
            Tag::PROTOCOL_VERSION,
            vec![
                Item::integer(Tag::PROTOCOL_VERSION_MAJOR, version.major()),
                Item::integer(Tag::PROTOCOL_VERSION_MINOR, version.minor()),
            ],
        )];
        fields.extend(header);
        fields.push(Item::integer(Tag::BATCH_COUNT, i32::try_from(items.len()).unwrap()));
        let mut message = vec![Item::structure(Tag::REQUEST_HEADER, fields)];
        message.extend(items.into_iter().map(|(operation, payload)| {
            Item::structure(
                Tag::BATCH_ITEM,
                vec![
                    Item::enumeration(Tag::OPERATION, operation),
                    Item::structure(Tag::REQUEST_PAYLOAD, payload),
                ],
            )
        }));
        let bytes = encode(&Item::structure(Tag::REQUEST_MESSAGE, message));
        let answer = self.engine.answer(client, self.engine.read(Encoding::Ttlv, &bytes));
        let answer = decode(&answer, &Limits::default()).unwrap();
        answer.children(Tag::BATCH_ITEM).cloned().collect()
    }

    /// One operation of a client called `a`: the fields of the answer, or the reason.
    pub(crate) fn ask(
        &self,
        version: Version,
        operation: Operation,
        payload: Vec<Item>,
    ) -> Result<Vec<Item>, Reason> {
        self.ask_as(&client("a"), version, Vec::new(), operation, payload)
    }

    /// As [`Server::ask`], of a client, with fields in the header.
    pub(crate) fn ask_as(
        &self,
        client: &Client,
        version: Version,
        header: Vec<Item>,
        operation: Operation,
        payload: Vec<Item>,
    ) -> Result<Vec<Item>, Reason> {
        let items = self.batch(client, version, header, vec![(operation, payload)]);
        outcome(&items[0])
    }

    /// An attribute's values in the form of 2.1.
    pub(crate) fn attributes(&self, id: &str, tag: Tag) -> Vec<Item> {
        let payload = vec![
            Item::text(Tag::UNIQUE_IDENTIFIER, id),
            Item::enumeration(Tag::ATTRIBUTE_REFERENCE, tag.number()),
        ];
        let answer = self.ask(Version::V2_1, Operation::GetAttributes, payload).unwrap();
        field(&answer, Tag::ATTRIBUTES).items().to_vec()
    }

    /// An AES key made in 2.1 with these attributes besides.
    pub(crate) fn aes(&self, mask: i32, more: Vec<Item>) -> String {
        let mut attributes = vec![
            Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32),
            Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 128),
            Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask),
        ];
        attributes.extend(more);
        let payload =
            vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32), Item::structure(Tag::ATTRIBUTES, attributes)];
        id_of(&self.ask(Version::V2_1, Operation::Create, payload).unwrap())
    }
}

/// A batch item's payload, or why there is none.
pub(crate) fn outcome(item: &Item) -> Result<Vec<Item>, Reason> {
    let status: Status = item.child(Tag::RESULT_STATUS).unwrap().as_value_of().unwrap();
    match status {
        Status::Success => Ok(item.child(Tag::RESPONSE_PAYLOAD).unwrap().items().to_vec()),
        _ => Err(item.child(Tag::RESULT_REASON).unwrap().as_value_of().unwrap()),
    }
}

/// The first field with a tag.
pub(crate) fn field(fields: &[Item], tag: Tag) -> &Item {
    fields.iter().find(|item| item.tag == tag).unwrap_or_else(|| panic!("no {tag}"))
}

/// The Unique Identifier of an answer.
pub(crate) fn id_of(fields: &[Item]) -> String {
    field(fields, Tag::UNIQUE_IDENTIFIER).as_text().unwrap().to_owned()
}

/// The Unique Identifier field of a request.
pub(crate) fn id(id: &str) -> Item {
    Item::text(Tag::UNIQUE_IDENTIFIER, id)
}

/// A Name.
pub(crate) fn name(value: &str) -> Item {
    Item::structure(
        Tag::NAME,
        vec![Item::text(Tag::NAME_VALUE, value), Item::enumeration(Tag::NAME_TYPE, 1_u32)],
    )
}

/// 1.x's Attribute, its value under the tag Attribute Value.
pub(crate) fn attribute_1x(name: &str, value: Item) -> Item {
    Item::structure(Tag::ATTRIBUTE, vec![Item::text(Tag::ATTRIBUTE_NAME, name), value])
}
