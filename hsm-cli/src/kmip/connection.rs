//! A TLS connection to a server, on which messages are sent and their answers read. Everything that
//! takes time has a deadline as a whole, so that a server that sends a byte now and then holds nobody.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hsm_core::secret::Secret;
use kmip_server::ttlv::frame_length;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::answer::bad;
use super::fault::{self, Peer, Stage};
use crate::failure::{Failure, Outcome, Result};

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// Bytes before the value of an item.
const HEAD: usize = 8;

/// A connection whose handshake is done.
pub(crate) struct Connection {
    tls: StreamOwned<ClientConnection, Socket>,
    peer: Peer,
}

impl Connection {
    /// Connects, trying the addresses of the host in turn.
    pub(crate) fn open(peer: &Peer, tls: Arc<ClientConfig>) -> Result<Connection> {
        let name = ServerName::try_from(peer.name.clone()).map_err(|_| {
            Failure::new(Outcome::Usage, format!("\"{}\" is no name that a certificate has", peer.name))
        })?;
        let deadline = Instant::now() + peer.timeout;
        let stream = connect(peer, deadline)?;
        let begun = ClientConnection::new(tls, name);
        let connection = begun.map_err(|e| fault::of_tls(&e, peer))?;
        let mut tls = StreamOwned::new(connection, Socket { stream, deadline });
        while tls.conn.is_handshaking() {
            let step = tls.conn.complete_io(&mut tls.sock);
            step.map_err(|e| fault::of_io(&e, peer, Stage::Handshake))?;
        }
        log::debug!(
            "{}: {:?}, {:?}",
            peer.endpoint,
            tls.conn.protocol_version(),
            tls.conn.negotiated_cipher_suite().map(|suite| suite.suite())
        );
        Ok(Connection { tls, peer: peer.clone() })
    }

    /// Sends a message and reads the answer's bytes.
    pub(crate) fn exchange(&mut self, message: &[u8]) -> Result<Secret> {
        self.tls.sock.deadline = Instant::now() + self.peer.timeout;
        let sent = self.tls.write_all(message).and_then(|()| self.tls.flush());
        let mut head = [0; HEAD];
        if let Err(error) = self.tls.read_exact(&mut head) {
            // A server that refuses a client may have said so and gone before it was asked: what it said
            // tells more than that nothing can be sent any more.
            let error = if fault::is_tls(&error) { error } else { sent.err().unwrap_or(error) };
            return Err(fault::of_io(&error, &self.peer, Stage::Answer));
        }
        let length = frame_length(&head, LONGEST).map_err(|error| self.no_frame(&head, &error))?;
        // All at once, so that no copy of a key is left behind; memory is taken as it is filled.
        let mut answer = Secret::zeroed(length);
        let (begin, rest) = answer.expose_mut().split_at_mut(HEAD);
        begin.copy_from_slice(&head);
        self.tls.read_exact(rest).map_err(|e| fault::of_io(&e, &self.peer, Stage::Answer))?;
        Ok(answer)
    }

    fn no_frame(&self, head: &[u8; HEAD], error: &kmip_server::ttlv::DecodeError) -> Failure {
        let endpoint = &self.peer.endpoint;
        if head.starts_with(b"HTTP/") {
            return bad(&format!("{endpoint} speaks HTTP"))
                .next("KMIP over HTTPS has a port of its own; this client wants the other, mostly 5696");
        }
        if error.fault == kmip_server::ttlv::Fault::TooLong {
            let most = LONGEST >> 20;
            return bad(&format!("{endpoint} answers with more than {most} MiB, which is not read"))
                .next("ask for less, as with --max");
        }
        bad(&format!("{endpoint} does not answer in KMIP: {error}"))
            .next("is this the port of a KMIP server?")
    }
}

fn connect(peer: &Peer, deadline: Instant) -> Result<TcpStream> {
    let found = (peer.endpoint.host.as_str(), peer.endpoint.port).to_socket_addrs();
    let addresses: Vec<SocketAddr> = found.map_err(|e| fault::of_name(&e, peer))?.collect();
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for (tried, address) in addresses.iter().enumerate() {
        // One that swallows packets must leave time for the next.
        let shares = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let stream = left(deadline)
            .map(|time| time.div_f64(shares.into()).max(Duration::from_millis(1)))
            .and_then(|time| TcpStream::connect_timeout(address, time));
        match stream {
            Ok(stream) => {
                // Without it the last part of a message may wait for the answer to the first.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(fault::of_io(&failed, peer, Stage::Connect))
}

/// What is left until a deadline.
fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.checked_duration_since(Instant::now()) {
        Some(time) if !time.is_zero() => Ok(time),
        _ => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// A socket that gives up at a deadline.
struct Socket {
    stream: TcpStream,
    deadline: Instant,
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(into).map_err(timed_out)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Unix says "would block" where a time-out has passed.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}
