//! The bytes of one KMIP connection: a buffer that grows with what arrives and is wiped behind what was
//! taken out, and waiting that deadlines and the server's calls end.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hsm_core::secret::Wiped;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroize;

use super::{Clock, End};
use crate::ttlv::{self, DecodeError};

/// Room for what most requests take. More is made for what has arrived, never for what is announced.
const ROOM: usize = 4096;

/// Bytes of tag, type and length. KMIP 1.4, section 9.1.1.
const HEADER: usize = 8;

/// A buffer that had to grow beyond this is given back after its message.
const KEPT: usize = 64 * 1024;

pub(super) struct Line {
    tls: TlsStream<TcpStream>,
    buffer: Wiped<Vec<u8>>,
    clock: Clock,
    call: Arc<Notify>,
    called: Pin<Box<OwnedNotified>>,
}

/// What waiting came to.
#[derive(Debug)]
pub(super) enum Received {
    /// Some bytes.
    Bytes,
    /// The client closed.
    End,
    /// The connection broke.
    Failed(io::Error),
    /// The server calls: it stops, or its rules are others.
    Called,
    /// The deadline passed.
    Late,
}

impl Line {
    pub(super) fn new(tls: TlsStream<TcpStream>, call: Arc<Notify>) -> Line {
        let called = Box::pin(call.clone().notified_owned());
        Line { tls, buffer: Wiped::default(), clock: Clock::new(), call, called }
    }

    /// Whether bytes of a message are there.
    pub(super) fn is_begun(&self) -> bool {
        !self.buffer.is_empty()
    }

    pub(super) fn stream(&mut self) -> &mut TlsStream<TcpStream> {
        &mut self.tls
    }

    /// The length of the message that is there as a whole; `None` while none is, and then there is room
    /// for more of it.
    ///
    /// # Errors
    /// What is wrong with its header.
    pub(super) fn whole(&mut self, limit: usize) -> Result<Option<usize>, DecodeError> {
        let header = self.buffer.first_chunk::<HEADER>();
        let length = header.map(|header| ttlv::frame_length(header, limit)).transpose()?;
        let whole = length.filter(|length| *length <= self.buffer.len());
        if whole.is_none() {
            self.make_room(length.unwrap_or(ROOM));
        }
        Ok(whole)
    }

    /// The first `length` bytes that are there.
    pub(super) fn bytes(&self, length: usize) -> &[u8] {
        self.buffer.get(..length).unwrap_or(&self.buffer)
    }

    /// All bytes that are there.
    pub(super) fn received(&self) -> &[u8] {
        &self.buffer
    }

    /// How long the message is to be that has begun, header included: what its header says.
    pub(super) fn announced(&self) -> u64 {
        let header = self.buffer.first_chunk::<HEADER>();
        header.map_or(0, |[.., a, b, c, d]| u64::from(u32::from_be_bytes([*a, *b, *c, *d])) + HEADER as u64)
    }

    /// Wipes the first `length` bytes out, once they were read.
    pub(super) fn consume(&mut self, length: usize) {
        let there = self.buffer.len();
        let rest = there.saturating_sub(length);
        if rest == 0 && self.buffer.capacity() > KEPT {
            self.buffer = Wiped::default();
            return;
        }
        self.buffer.copy_within(there - rest.., 0);
        if let Some(taken) = self.buffer.get_mut(rest..) {
            taken.zeroize();
        }
        self.buffer.truncate(rest);
    }

    /// Makes room towards `length` bytes in all, twice as much as is there at most.
    fn make_room(&mut self, length: usize) {
        let there = self.buffer.len();
        if there < self.buffer.capacity() {
            return;
        }
        let mut larger = Wiped::new(Vec::with_capacity(length.min(2 * there).max(ROOM)));
        larger.extend_from_slice(&self.buffer);
        self.buffer = larger;
    }

    /// Waits for bytes until a deadline.
    pub(super) async fn receive(&mut self, deadline: Instant) -> Received {
        let Line { tls, buffer, clock, call, called } = self;
        poll_fn(|context| {
            // Reading keeps no state between two polls, so that it can begin anew at each.
            if let Poll::Ready(read) = pin!(tls.read_buf(&mut **buffer)).poll(context) {
                return Poll::Ready(match read {
                    Ok(0) => Received::End,
                    Ok(_) => Received::Bytes,
                    Err(error) => Received::Failed(error),
                });
            }
            if called.as_mut().poll(context).is_ready() {
                called.set(call.clone().notified_owned());
                return Poll::Ready(Received::Called);
            }
            if clock.is_past(context, deadline) { Poll::Ready(Received::Late) } else { Poll::Pending }
        })
        .await
    }

    /// Sends an answer within a time.
    ///
    /// # Errors
    /// [`End::Closed`] where the connection broke, [`End::Cut`] where the client does not take it.
    pub(super) async fn send(&mut self, answer: &[u8], limit: Duration) -> Result<(), End> {
        let Line { tls, clock, .. } = self;
        let mut deadline = None;
        let mut work = pin!(async {
            tls.write_all(answer).await?;
            tls.flush().await
        });
        poll_fn(|context| {
            if let Poll::Ready(sent) = work.as_mut().poll(context) {
                return Poll::Ready(sent.map_err(|_| End::Closed));
            }
            // Most answers are gone at once, and need no clock.
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + limit);
            if clock.is_past(context, deadline) {
                return Poll::Ready(Err(End::Cut("unread", "it does not take its answer".into())));
            }
            Poll::Pending
        })
        .await
    }
}
