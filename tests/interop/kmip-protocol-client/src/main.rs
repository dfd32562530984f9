//! Crate `kmip-protocol` as a client: each case prints one line of the protocol that `run.py` reads,
//! `passed NAME` or `failed NAME: why`.
//!
//! Arguments: host, port, client certificate, client key, CA (files in PEM). The server's certificate
//! names `localhost`.

use std::error::Error;
use std::fs;
use std::net::TcpStream;
use std::ops::Deref;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kmip_protocol::client::{Client, ClientCertificate, ConnectionSettings, tls};
use kmip_protocol::types::common::{
    CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, KeyMaterial, ObjectType, Operation,
    UniqueIdentifier,
};
use kmip_protocol::types::request::{
    Attribute, KeyBlock, KeyValue, ManagedObject, ProtocolVersion, ProtocolVersionMajor,
    ProtocolVersionMinor, RequestPayload, SymmetricKey, TemplateAttribute,
};
use kmip_protocol::types::response::{self, ResponsePayload};
use rustls::{ClientSession, StreamOwned};

type Outcome = Result<(), Box<dyn Error>>;
type Kmip = Client<StreamOwned<ClientSession, TcpStream>>;

const CASES: [(&str, fn(&Kmip) -> Outcome); 9] = [
    ("query", query),
    ("discover versions", discover_versions),
    ("create and get an AES key", create),
    ("register, get and locate an AES key", register),
    ("an RSA pair signs", sign),
    ("a key is renamed", rename),
    ("a key's life", life),
    ("random bytes", random),
    ("an unknown identifier is an error", unknown),
];

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, certificate, key, authority] = arguments.as_slice() else {
        return Err("usage: kmip-protocol-client HOST PORT CERTIFICATE KEY CA".into());
    };
    for (name, case) in CASES {
        let outcome = connect(host, port, certificate, key, authority).and_then(|client| case(&client));
        match outcome {
            Ok(()) => println!("passed {name}"),
            Err(error) => println!("failed {name}: {}", error.to_string().replace('\n', " ")),
        }
    }
    Ok(())
}

fn connect(
    host: &str,
    port: &str,
    certificate: &str,
    key: &str,
    authority: &str,
) -> Result<Kmip, Box<dyn Error>> {
    let settings = ConnectionSettings {
        host: host.to_owned(),
        port: port.parse()?,
        client_cert: Some(ClientCertificate::SeparatePem {
            cert_bytes: fs::read(certificate)?,
            key_bytes: Some(fs::read(key)?),
        }),
        ca_cert: Some(fs::read(authority)?),
        read_timeout: Some(Duration::from_secs(30)),
        ..ConnectionSettings::default()
    };
    Ok(tls::rustls::connect(&settings)?)
}

/// A name that no earlier run used.
fn name(base: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("kmip-protocol {base} {}", now.as_nanos())
}

fn ensure(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(what.into()) }
}

fn query(client: &Kmip) -> Outcome {
    let answer = client.query()?;
    let operations = answer.operations.unwrap_or_default();
    ensure(operations.contains(&Operation::Create), "Create is not among the operations")?;
    let types = answer.object_types.unwrap_or_default();
    ensure(types.contains(&ObjectType::SymmetricKey), "Symmetric Key is not among the object types")?;
    ensure(answer.vendor_identification.is_some(), "no vendor identification")
}

fn discover_versions(client: &Kmip) -> Outcome {
    let all = RequestPayload::DiscoverVersions(Vec::new());
    let ResponsePayload::DiscoverVersions(answer) = client.do_request(all)? else {
        return Err("not an answer to DiscoverVersions".into());
    };
    let versions = answer.supported_versions.unwrap_or_default();
    ensure(versions.iter().any(|version| (version.major, version.minor) == (1, 0)), "1.0 is not offered")?;
    let one = ProtocolVersion(ProtocolVersionMajor(1), ProtocolVersionMinor(2));
    let ResponsePayload::DiscoverVersions(answer) =
        client.do_request(RequestPayload::DiscoverVersions(vec![one]))?
    else {
        return Err("not an answer to DiscoverVersions".into());
    };
    let versions = answer.supported_versions.unwrap_or_default();
    ensure(versions.len() == 1 && versions[0].minor == 2, "asked for 1.2 alone, got something else")
}

fn create_aes(client: &Kmip, name: String) -> Result<String, Box<dyn Error>> {
    let template = TemplateAttribute::unnamed(vec![
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
        Attribute::Name(name),
    ]);
    match client.do_request(RequestPayload::Create(ObjectType::SymmetricKey, template))? {
        ResponsePayload::Create(made) => Ok(made.unique_identifier.deref().clone()),
        other => Err(format!("not an answer to Create: {other:?}").into()),
    }
}

/// The bytes of a symmetric key.
fn material(client: &Kmip, id: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    match client.get_key(id)?.cryptographic_object {
        response::ManagedObject::SymmetricKey(key) => match key.key_block.key_value.key_material {
            KeyMaterial::Bytes(bytes) => Ok(bytes),
            other => Err(format!("not bytes: {other:?}").into()),
        },
        other => Err(format!("not a symmetric key: {other:?}").into()),
    }
}

fn create(client: &Kmip) -> Outcome {
    let id = create_aes(client, name("create"))?;
    ensure(material(client, &id)?.len() == 32, "an AES-256 key has not 32 bytes")?;
    client.destroy_key(&id)?;
    ensure(client.get_key(&id).is_err(), "a destroyed key was given out")
}

fn register(client: &Kmip) -> Outcome {
    let (bytes, name) = (vec![0x5A; 16], name("register"));
    let block = KeyBlock(
        KeyFormatType::Raw,
        None,
        Some(KeyValue(KeyMaterial::Bytes(bytes.clone()), None)),
        Some(CryptographicAlgorithm::AES),
        Some(kmip_protocol::types::common::CryptographicLength(128)),
        None,
    );
    let template = TemplateAttribute::unnamed(vec![
        Attribute::Name(name.clone()),
        Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
    ]);
    let key = ManagedObject::SymmetricKey(SymmetricKey(block));
    let request = RequestPayload::Register(ObjectType::SymmetricKey, template, Some(key));
    let ResponsePayload::Register(made) = client.do_request(request)? else {
        return Err("not an answer to Register".into());
    };
    let id = made.unique_identifier.deref().clone();
    ensure(material(client, &id)? == bytes, "another key came back")?;
    let ResponsePayload::Locate(found) =
        client.do_request(RequestPayload::Locate(vec![Attribute::Name(name)]))?
    else {
        return Err("not an answer to Locate".into());
    };
    ensure(found.unique_identifiers == [UniqueIdentifier(id.clone())], "it was not located by its name")?;
    Ok(client.destroy_key(&id)?)
}

fn sign(client: &Kmip) -> Outcome {
    let (private, public) = client.create_rsa_key_pair(2048, name("private"), name("public"))?;
    ensure(client.sign(&private, b"message").is_err(), "a key that is not active signed")?;
    client.activate_key(&private)?;
    ensure(client.sign(&private, b"message")?.signature_data.len() == 256, "no signature of 2048 bits")?;
    client.revoke_key(&private)?;
    client.destroy_key(&private)?;
    Ok(client.destroy_key(&public)?)
}

fn rename(client: &Kmip) -> Outcome {
    let id = create_aes(client, name("before"))?;
    client.rename_key(&id, name("after"))?;
    Ok(client.destroy_key(&id)?)
}

fn life(client: &Kmip) -> Outcome {
    let id = create_aes(client, name("life"))?;
    client.activate_key(&id)?;
    ensure(client.activate_key(&id).is_err(), "an active key was activated again")?;
    ensure(client.destroy_key(&id).is_err(), "an active key was destroyed")?;
    client.revoke_key(&id)?;
    Ok(client.destroy_key(&id)?)
}

fn random(client: &Kmip) -> Outcome {
    let (one, another) = (client.rng_retrieve(32)?.data, client.rng_retrieve(32)?.data);
    ensure(one.len() == 32 && another.len() == 32, "not as many bytes as were asked for")?;
    ensure(one != another, "twice the same bytes")
}

fn unknown(client: &Kmip) -> Outcome {
    match client.get_key("no such key") {
        Err(kmip_protocol::client::Error::ItemNotFound(_)) => Ok(()),
        other => Err(format!("not Item Not Found, but {other:?}").into()),
    }
}
