//! A client of one connection, and the few requests that the tests make.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::certificates::Authority;
use super::message::{self, Node, attribute, bytes, enumeration, integer, operation, structure, tag, text};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A TLS connection to a server.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// What a client shows and trusts; connections that are made from one share their session tickets.
#[derive(Clone)]
pub struct Identity(Arc<ClientConfig>);

/// A connected client.
pub struct Client {
    tls: Tls,
}

/// What a server refused: the result's reason, and its words.
#[derive(Debug)]
pub struct Refused {
    /// Result Reason.
    pub reason: u32,
    /// Result Message.
    pub message: String,
}

impl Identity {
    /// The client whose certificate has this name.
    pub fn new(authority: &Authority, name: &str) -> Identity {
        let file = |name: &str| authority.file(name);
        Identity::of_files(&file("ca.pem"), &file(&format!("{name}.pem")), &file(&format!("{name}.key")))
    }

    /// The client of a certificate and its key, who trusts an authority.
    pub fn of_files(authority: &Path, certificate: &Path, key: &Path) -> Identity {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(authority).expect("the authority's file");
        roots.add(root).expect("the authority");
        let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate], key)
            .expect("the client's certificate");
        Identity(Arc::new(config))
    }

    /// A TLS connection whose handshake is done.
    pub fn connect(&self, address: SocketAddr) -> io::Result<Tls> {
        let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let connection = ClientConnection::new(self.0.clone(), name).map_err(io::Error::other)?;
        let mut tls = StreamOwned::new(connection, socket);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        Ok(tls)
    }
}

impl Client {
    /// Connects.
    pub fn connect(identity: &Identity, address: SocketAddr) -> io::Result<Client> {
        Ok(Client { tls: identity.connect(address)? })
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.tls.write_all(message)?;
        self.tls.flush()
    }

    /// Reads an answer.
    pub fn receive(&mut self) -> io::Result<Node> {
        let mut answer = vec![0; 8];
        self.tls.read_exact(&mut answer)?;
        let length = u32::from_be_bytes([answer[4], answer[5], answer[6], answer[7]]) as usize;
        answer.resize(8 + length, 0);
        self.tls.read_exact(&mut answer[8..])?;
        Ok(Node::read(&answer))
    }

    /// One operation; an error of the connection is one of [`io::Error`].
    pub fn try_ask(&mut self, operation: u32, payload: &[Vec<u8>]) -> io::Result<Result<Node, Refused>> {
        self.send(&message::request(operation, payload))?;
        let answer = self.receive()?;
        Ok(match answer.number(tag::RESULT_STATUS) {
            Some(0) => Ok(answer.find(tag::RESPONSE_PAYLOAD).cloned().unwrap_or(answer)),
            Some(1) => Err(Refused {
                reason: answer.number(tag::RESULT_REASON).expect("a reason"),
                message: answer.text(tag::RESULT_MESSAGE).unwrap_or_default(),
            }),
            other => panic!("result status {other:?} in {answer:?}"),
        })
    }

    /// One operation on a connection that holds.
    pub fn ask(&mut self, operation: u32, payload: &[Vec<u8>]) -> Result<Node, Refused> {
        self.try_ask(operation, payload).expect("the connection")
    }

    /// Query of the operations: the smallest question.
    pub fn query(&mut self) -> io::Result<Node> {
        let answer = self.try_ask(operation::QUERY, &[enumeration(tag::QUERY_FUNCTION, 1)])?;
        Ok(answer.expect("Query"))
    }

    /// Creates an AES-256 key that encrypts and decrypts, and returns its identifier.
    pub fn create_aes(&mut self, name: &str) -> io::Result<String> {
        let answer = self.try_ask(operation::CREATE, &create_aes(name))?;
        Ok(identifier(&answer.expect("Create")))
    }

    /// Creates an RSA pair, active: the private key's identifier and the public one's.
    pub fn create_rsa(&mut self, name: &str) -> (String, String) {
        let answer = self.ask(operation::CREATE_KEY_PAIR, &create_rsa(name)).expect("CreateKeyPair");
        let private = answer.text(tag::PRIVATE_KEY_UNIQUE_IDENTIFIER).expect("a private key");
        let public = answer.text(tag::PUBLIC_KEY_UNIQUE_IDENTIFIER).expect("a public key");
        for id in [&private, &public] {
            self.on(operation::ACTIVATE, id).expect("Activate");
        }
        (private, public)
    }

    /// An operation that takes an identifier and nothing else.
    pub fn on(&mut self, operation: u32, id: &str) -> Result<Node, Refused> {
        self.ask(operation, &[text(tag::UNIQUE_IDENTIFIER, id)])
    }

    /// The bytes of a symmetric key.
    pub fn key(&mut self, id: &str) -> Result<Vec<u8>, Refused> {
        let answer = self.on(operation::GET, id)?;
        Ok(answer.find(tag::KEY_MATERIAL).expect("key material").value.clone())
    }

    /// The identifiers of what has a name.
    pub fn locate(&mut self, name: &str) -> Vec<String> {
        let answer = self.ask(operation::LOCATE, &[message::name(name)]).expect("Locate");
        let found = answer.all(tag::UNIQUE_IDENTIFIER);
        found.into_iter().map(|id| String::from_utf8(id.value.clone()).expect("UTF-8")).collect()
    }

    /// Revokes a key with the reason Cessation of Operation.
    pub fn revoke(&mut self, id: &str) -> Result<Node, Refused> {
        let reason = structure(tag::REVOCATION_REASON, &[enumeration(tag::REVOCATION_REASON_CODE, 6)]);
        self.ask(operation::REVOKE, &[text(tag::UNIQUE_IDENTIFIER, id), reason])
    }

    /// Signs with RSA PKCS #1 v1.5 and SHA-256.
    pub fn sign(&mut self, id: &str, data: &[u8]) -> Result<Vec<u8>, Refused> {
        let parameters = [
            enumeration(tag::PADDING_METHOD, 8),
            enumeration(tag::HASHING_ALGORITHM, 6),
            enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 4),
        ];
        let payload = [
            text(tag::UNIQUE_IDENTIFIER, id),
            structure(tag::CRYPTOGRAPHIC_PARAMETERS, &parameters),
            bytes(tag::DATA, data),
        ];
        let answer = self.ask(operation::SIGN, &payload)?;
        Ok(answer.find(tag::SIGNATURE_DATA).expect("a signature").value.clone())
    }

    /// Encrypts with AES in mode CBC, with PKCS #5 padding.
    pub fn encrypt(&mut self, id: &str, vector: &[u8], data: &[u8]) -> Result<Vec<u8>, Refused> {
        self.cipher(operation::ENCRYPT, id, vector, data)
    }

    /// Decrypts what [`Client::encrypt`] made.
    pub fn decrypt(&mut self, id: &str, vector: &[u8], data: &[u8]) -> Result<Vec<u8>, Refused> {
        self.cipher(operation::DECRYPT, id, vector, data)
    }

    fn cipher(&mut self, operation: u32, id: &str, vector: &[u8], data: &[u8]) -> Result<Vec<u8>, Refused> {
        let parameters = [
            enumeration(tag::BLOCK_CIPHER_MODE, 1),
            enumeration(tag::PADDING_METHOD, 3),
            enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3),
        ];
        let payload = [
            text(tag::UNIQUE_IDENTIFIER, id),
            structure(tag::CRYPTOGRAPHIC_PARAMETERS, &parameters),
            bytes(tag::DATA, data),
            bytes(tag::IV_COUNTER_NONCE, vector),
        ];
        let answer = self.ask(operation, &payload)?;
        Ok(answer.find(tag::DATA).expect("data").value.clone())
    }
}

/// The identifier in an answer.
pub fn identifier(answer: &Node) -> String {
    answer.text(tag::UNIQUE_IDENTIFIER).expect("a unique identifier")
}

/// The payload of Create for an AES-256 key.
pub fn create_aes(name: &str) -> Vec<Vec<u8>> {
    let attributes = [
        attribute("Cryptographic Algorithm", enumeration(tag::ATTRIBUTE_VALUE, 3)),
        attribute("Cryptographic Length", integer(tag::ATTRIBUTE_VALUE, 256)),
        attribute("Cryptographic Usage Mask", integer(tag::ATTRIBUTE_VALUE, 12)),
        message::name(name),
    ];
    vec![enumeration(tag::OBJECT_TYPE, 2), structure(tag::TEMPLATE_ATTRIBUTE, &attributes)]
}

fn create_rsa(name: &str) -> Vec<Vec<u8>> {
    let common = [
        attribute("Cryptographic Algorithm", enumeration(tag::ATTRIBUTE_VALUE, 4)),
        attribute("Cryptographic Length", integer(tag::ATTRIBUTE_VALUE, 2048)),
    ];
    let own = |end: &str, mask| {
        let usage = attribute("Cryptographic Usage Mask", integer(tag::ATTRIBUTE_VALUE, mask));
        [message::name(&format!("{name} {end}")), usage]
    };
    vec![
        structure(tag::COMMON_TEMPLATE_ATTRIBUTE, &common),
        structure(tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE, &own("private", 1)),
        structure(tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE, &own("public", 2)),
    ]
}
