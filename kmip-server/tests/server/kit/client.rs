//! A client: TLS with the certificates of a test, and messages over it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{ANSWER, Authority, Identity, PATIENCE};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// Somebody who connects, and resumes sessions where that is let.
pub(crate) struct Caller(TlsConnector);

/// A connection.
pub(crate) struct Line {
    pub(crate) tls: TlsStream<TcpStream>,
    /// This side's port.
    pub(crate) port: u16,
}

/// A message with this inside, filled up to a length that a structure may have.
pub(crate) fn request(inside: &[u8]) -> Vec<u8> {
    let mut inside = inside.to_vec();
    inside.resize(inside.len().next_multiple_of(8), 0);
    let length = u32::try_from(inside.len()).unwrap();
    [&[0x42, 0x00, 0x78, 0x01][..], &length.to_be_bytes(), &inside].concat()
}

impl Caller {
    pub(crate) fn new(server: &Authority, identity: Option<&Identity>, version: Version) -> Caller {
        let mut roots = RootCertStore::empty();
        roots.add(server.der.clone()).unwrap();
        let versions = match version {
            Version::Tls12 => [&TLS12],
            Version::Tls13 => [&TLS13],
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            Some(it) => config.with_client_auth_cert(it.chain.clone(), it.key.clone_key()).unwrap(),
            None => config.with_no_client_auth(),
        };
        Caller(TlsConnector::from(Arc::new(config)))
    }

    pub(crate) async fn connect(&self, address: SocketAddr) -> io::Result<Line> {
        let (port, outcome) = self.connect_from(address).await;
        outcome.map(|tls| Line { tls, port })
    }

    async fn connect_from(&self, address: SocketAddr) -> (u16, io::Result<TlsStream<TcpStream>>) {
        let tcp = TcpStream::connect(address).await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let name = "localhost".try_into().unwrap();
        (port, timeout(PATIENCE, self.0.connect(name, tcp)).await.unwrap())
    }

    /// Connects and asks once. With TLS 1.3 a client learns at its first read that it is refused.
    pub(crate) async fn try_once(&self, address: SocketAddr) -> (u16, io::Result<String>) {
        match self.connect_from(address).await {
            (port, Ok(tls)) => (port, Line { tls, port }.ask(ANSWER).await),
            (port, Err(error)) => (port, Err(error)),
        }
    }
}

impl Line {
    /// Asks for something of the stub and waits for its answer.
    pub(crate) async fn ask(&mut self, what: u8) -> io::Result<String> {
        self.send(&request(&[what])).await?;
        self.answer().await
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tls.write_all(bytes).await?;
        self.tls.flush().await
    }

    pub(crate) async fn answer(&mut self) -> io::Result<String> {
        let read = async {
            let mut header = [0; 8];
            self.tls.read_exact(&mut header).await?;
            let length = u32::from_be_bytes(header[4..].try_into().unwrap());
            let mut inside = vec![0; usize::try_from(length).unwrap()];
            self.tls.read_exact(&mut inside).await?;
            Ok(String::from_utf8(inside).unwrap().trim_end_matches('\0').to_owned())
        };
        timeout(PATIENCE, read).await.expect("an answer or an end in time")
    }

    /// Waits until the server closes; what it said until then is dropped.
    pub(crate) async fn closes(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end as well as a closing notice is.
        let _ = timeout(PATIENCE, self.tls.read_to_end(&mut rest)).await.expect("an end in time");
        assert_eq!(rest, b"");
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

/// Shows a certificate and signs with another key.
#[derive(Debug)]
struct Thief(Arc<rustls::sign::CertifiedKey>);

impl rustls::client::ResolvesClientCert for Thief {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl Caller {
    /// Somebody whose key is not that of the certificates.
    pub(crate) fn dishonest(server: &Authority, identity: &Identity, version: Version) -> Caller {
        let mut roots = RootCertStore::empty();
        roots.add(server.der.clone()).unwrap();
        let versions = if version == Version::Tls12 { [&TLS12] } else { [&TLS13] };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = provider.key_provider.load_private_key(identity.key.clone_key()).unwrap();
        let shown = Arc::new(rustls::sign::CertifiedKey::new(identity.chain.clone(), key));
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(Thief(shown)));
        Caller(TlsConnector::from(Arc::new(config)))
    }
}
