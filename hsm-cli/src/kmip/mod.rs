//! A KMIP client for people: it asks a server one thing after another. How things are asked is `request`,
//! how answers are read `answer`, `attributes` and `object`; `connection` knows TLS and time, `credentials`
//! and `verifier` certificates, `fault` why it went wrong. The commands are in `commands::kmip`.

use std::sync::Arc;

use kmip_server::ttlv::enums::Operation;
use kmip_server::ttlv::{Item, Limits, Tag, Version, check_version, decode, encode};
use rustls::ClientConfig;

use crate::failure::{Failure, Outcome, Result};

pub(crate) mod answer;
pub(crate) mod attributes;
mod connection;
mod credentials;
mod endpoint;
mod fault;
pub(crate) mod names;
pub(crate) mod object;
mod request;
mod verifier;

pub(crate) use answer::{Refusal, Reply};
use connection::Connection;
pub(crate) use credentials::Files;
pub(crate) use endpoint::Endpoint;
pub(crate) use fault::Peer;
pub(crate) use names::spelled;
pub(crate) use request::authentication;
pub(crate) use verifier::Verifier;

/// Discover Versions came with 1.1; a server that knows it reads that.
const DISCOVERY: Version = Version::V1_1;

/// What an answer may make us do. It is bounded in bytes already.
const LIMITS: Limits = Limits { depth: 32, items: 2_000_000, field: 64 << 20 };

/// Who asks whom.
pub(crate) struct Settings {
    /// The server.
    pub(crate) peer: Peer,
    /// What the client shows and trusts.
    pub(crate) tls: Arc<ClientConfig>,
    /// The version to speak; the newest in common where it is not given.
    pub(crate) version: Option<Version>,
    /// What each request says of its sender, besides the certificate.
    pub(crate) authentication: Option<Item>,
}

/// A client that is connected.
pub(crate) struct Client<'a> {
    settings: &'a Settings,
    connection: Connection,
    /// The version that is spoken.
    pub(crate) version: Version,
}

impl<'a> Client<'a> {
    /// Connects, and agrees with the server on a version where none is given. A server that does not
    /// know Discover Versions is spoken to in 1.0.
    pub(crate) fn open(settings: &'a Settings) -> Result<Client<'a>> {
        let mut client = Client::for_discovery(settings)?;
        if settings.version.is_some() {
            return Ok(client);
        }
        let ours = Version::ALL.into_iter().rev().map(request::version_item).collect();
        match client.ask(Operation::DiscoverVersions, ours)? {
            Ok(payload) => client.version = newest_common(&versions(&payload)).ok_or_else(none_in_common)?,
            Err(refusal) => {
                log::info!("{}: {}", settings.peer.endpoint, refusal.text());
                // Some close the connection after what they did not understand, and some have but one.
                drop(client);
                client = Client::connect(settings, Version::V1_0)?;
            }
        }
        log::info!("{}: KMIP {}", settings.peer.endpoint, client.version);
        Ok(client)
    }

    /// Connects for Discover Versions, in the version given or the first that has it.
    pub(crate) fn for_discovery(settings: &'a Settings) -> Result<Client<'a>> {
        Client::connect(settings, settings.version.unwrap_or(DISCOVERY))
    }

    fn connect(settings: &'a Settings, version: Version) -> Result<Client<'a>> {
        let connection = Connection::open(&settings.peer, settings.tls.clone())?;
        Ok(Client { settings, connection, version })
    }

    /// Asks for one operation.
    pub(crate) fn ask(&mut self, operation: Operation, payload: Vec<Item>) -> Result<Reply> {
        let authentication = self.settings.authentication.clone();
        let message = request::message(self.version, authentication, operation, payload);
        let bytes = self.connection.exchange(&encode(&message))?;
        let message = decode(bytes.expose(), &LIMITS).map_err(|error| {
            answer::bad(&format!("{} answers in broken KMIP: {error}", self.settings.peer.endpoint))
        })?;
        answer::read(message, operation)
    }

    /// Refuses what the version that is spoken does not have, before the server does in its own way.
    pub(crate) fn check(&self, items: &[Item]) -> Result<()> {
        items.iter().try_for_each(|item| {
            check_version(item, self.version).map_err(|tag| {
                let since = if tag == item.tag { tag.since() } else { None };
                let since = since.map(|since| format!(", which came with {since}")).unwrap_or_default();
                let message = format!("KMIP {} does not know this {tag}{since}", self.version);
                Failure::new(Outcome::Usage, message).next("leave it out, or choose another --kmip-version")
            })
        })
    }
}

/// The versions in an answer to Discover Versions, newest first; also those that we do not know.
pub(crate) fn versions(payload: &Item) -> Vec<(i32, i32)> {
    let number = |item: &Item, tag| item.child(tag).and_then(|it| it.as_integer().ok());
    let read = |item: &Item| {
        let minor = number(item, Tag::PROTOCOL_VERSION_MINOR)?;
        Some((number(item, Tag::PROTOCOL_VERSION_MAJOR)?, minor))
    };
    let mut versions: Vec<_> = payload.children(Tag::PROTOCOL_VERSION).filter_map(read).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.dedup();
    versions
}

/// The newest of the versions that we speak.
pub(crate) fn newest_common(versions: &[(i32, i32)]) -> Option<Version> {
    versions.iter().find_map(|(major, minor)| Version::of(*major, *minor))
}

fn none_in_common() -> Failure {
    Failure::new(Outcome::Refused, "the server speaks no version of KMIP from 1.0 to 2.1")
        .next("`softhsm-rs kmip discover` shows what it says; --kmip-version insists on one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(versions: &[(i32, i32)]) -> Item {
        let item = |(major, minor): &(i32, i32)| {
            let major = Item::integer(Tag::PROTOCOL_VERSION_MAJOR, *major);
            let minor = Item::integer(Tag::PROTOCOL_VERSION_MINOR, *minor);
            Item::structure(Tag::PROTOCOL_VERSION, vec![minor, major])
        };
        Item::structure(Tag::RESPONSE_PAYLOAD, versions.iter().map(item).collect())
    }

    #[test]
    fn versions_are_sorted_and_the_newest_known_one_is_spoken() {
        let read = versions(&payload(&[(1, 0), (3, 0), (1, 4), (1, 4), (2, 0)]));
        assert_eq!(read, [(3, 0), (2, 0), (1, 4), (1, 0)]);
        assert_eq!(newest_common(&read), Some(Version::V2_0));
        assert_eq!(newest_common(&versions(&payload(&[(3, 0)]))), None);
        assert_eq!(newest_common(&versions(&payload(&[]))), None);
    }
}
