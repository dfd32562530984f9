//! The bytes of one KMIP connection: a buffer that grows with what arrives and is wiped behind what was
//! taken out, and waiting that deadlines and the server's calls end.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use zeroize::{Zeroize, Zeroizing};

use super::{Clock, End, frame};

/// Room for what most requests take. More is made for what has arrived, never for what is announced.
const ROOM: usize = 4096;

/// Messages up to here are copied out of the buffer, which stays; longer ones leave with it.
const SMALL: usize = 2048;

pub(super) struct Line {
    tls: TlsStream<TcpStream>,
    buffer: Zeroizing<Vec<u8>>,
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
        Line { tls, buffer: Zeroizing::default(), clock: Clock::new(), call, called }
    }

    /// Whether bytes of a message are there.
    pub(super) fn is_begun(&self) -> bool {
        !self.buffer.is_empty()
    }

    pub(super) fn stream(&mut self) -> &mut TlsStream<TcpStream> {
        &mut self.tls
    }

    /// Takes a whole message out; `None` while it is not there.
    ///
    /// # Errors
    /// What is wrong with its header.
    pub(super) fn take(&mut self, limit: usize) -> Result<Option<Vec<u8>>, String> {
        let length = frame::length(&self.buffer, limit)?;
        let Some(length) = length.filter(|length| *length <= self.buffer.len()) else {
            self.make_room(length.unwrap_or(ROOM));
            return Ok(None);
        };
        if length == self.buffer.len() && length > SMALL {
            return Ok(Some(std::mem::take(&mut *self.buffer)));
        }
        let message = self.buffer.get(..length).map(<[u8]>::to_vec);
        let rest = self.buffer.len() - length;
        self.buffer.copy_within(length.., 0);
        if let Some(taken) = self.buffer.get_mut(rest..) {
            taken.zeroize();
        }
        self.buffer.truncate(rest);
        Ok(message)
    }

    /// Makes room towards `length` bytes in all, twice as much as is there at most.
    fn make_room(&mut self, length: usize) {
        let there = self.buffer.len();
        if there < self.buffer.capacity() {
            return;
        }
        let mut larger = Zeroizing::new(Vec::with_capacity(length.min(2 * there).max(ROOM)));
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
