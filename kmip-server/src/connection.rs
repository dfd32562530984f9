//! A connection's life: the handshake, who the client is, and requests answered in order until one side
//! has enough. Leaves messages to the service, and HTTP to `http`.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::engine::Encoding;
use crate::http;
use crate::logging::{self, RequestId};
use crate::server::{Order, Place, Seat, Shared};
use crate::service::Service;
use crate::tls::{Refusal, Rule, Verdict, watched};
use crate::ttlv::Fault;
use crate::ttlv::encode::Encoded;

mod clock;
mod line;

pub(crate) use clock::Clock;
use line::{Line, Received};

/// How a closing notice may keep the server waiting.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(1);

/// Which listener somebody called at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// TTLV over TLS.
    Kmip,
    /// HTTPS.
    Https,
}

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The client closed it, or its network did.
    Closed,
    /// The server stops.
    Stopped,
    /// The rules, as they are now, refuse the client.
    Refused(Refusal),
    /// The client broke a rule of the connection; the word is the metrics' label.
    Cut(&'static str, String),
}

/// Serves a connection that was accepted.
pub(crate) async fn run<S: Service>(
    shared: Arc<Shared<S>>,
    tcp: TcpStream,
    address: SocketAddr,
    place: Place,
    door: Door,
) {
    // Without it answers wait for acknowledgements; where it fails, the connection is gone.
    let _ = tcp.set_nodelay(true);
    let Some((tls, seat)) = enter(&shared, tcp, address, place, door).await else { return };
    let end = match door {
        Door::Kmip => converse(&seat, tls).await,
        Door::Https => http::converse(&seat, tls).await,
    };
    let number = seat.number();
    match &end {
        End::Closed => log::debug!("connection {number} from {address}: closed"),
        End::Stopped => log::debug!("connection {number} from {address}: closed, the server stops"),
        End::Refused(refusal) => shared.refuse(number, address, refusal),
        End::Cut(reason, what) => {
            shared.metrics.cut(reason);
            log::warn!("connection {number} from {address} (\"{}\"): cut: {what}", seat.name());
        }
    }
}

/// The handshake, and the client's admission.
async fn enter<S: Service>(
    shared: &Arc<Shared<S>>,
    tcp: TcpStream,
    address: SocketAddr,
    place: Place,
    door: Door,
) -> Option<(TlsStream<TcpStream>, Arc<Seat<S>>)> {
    let number = place.number();
    let rules = shared.rules.load_full();
    let config = match door {
        Door::Kmip => rules.tls.kmip.clone(),
        Door::Https => rules.tls.https.clone(),
    };
    let handshake = watched(TlsAcceptor::from(config).accept(tcp));
    let (outcome, verdict) = tokio::select! {
        done = timeout(rules.limits.handshake, handshake) => match done {
            Ok(done) => done,
            Err(_) => {
                shared.metrics.handshake_failed();
                log::warn!("connection {number} from {address}: cut: the handshake took too long");
                return None;
            }
        },
        () = place.ordered(Order::Finish) => return None,
    };
    let tls = match outcome {
        Ok(tls) => tls,
        Err(error) => {
            handshake_failed(shared, number, address, &error, verdict);
            return None;
        }
    };
    let chain: Vec<CertificateDer<'static>> = tls
        .get_ref()
        .1
        .peer_certificates()
        .unwrap_or_default()
        .iter()
        .map(|it| it.clone().into_owned())
        .collect();
    // A resumed session was not asked about: the rules as they are now are.
    let known = verdict.and_then(Result::ok).map(|client| (client, rules));
    match Seat::take(shared.clone(), place, address, chain, known) {
        Ok(seat) => Some((tls, seat)),
        Err(refusal) => {
            shared.refuse(number, address, &refusal);
            None
        }
    }
}

/// One line of the log for a handshake that failed, with the rule where a rule was the reason.
fn handshake_failed<S: Service>(
    shared: &Shared<S>,
    number: u64,
    address: SocketAddr,
    error: &std::io::Error,
    verdict: Verdict,
) {
    shared.metrics.handshake_failed();
    let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let refusal = match (of_tls, verdict) {
        (_, Some(Err(refusal))) => Some(refusal),
        (Some(rustls::Error::NoCertificatesPresented), _) => Some(Refusal::unnamed(Rule::NoCertificate)),
        (Some(rustls::Error::InvalidCertificate(error)), Some(Ok(client))) => Some(Refusal {
            detail: error.to_string(),
            subject: Some(client.name),
            ..Refusal::unnamed(Rule::Possession)
        }),
        _ => None,
    };
    match refusal {
        Some(refusal) => shared.refuse(number, address, &refusal),
        None => log::info!("connection {number} from {address}: the TLS handshake failed: {error}"),
    }
}

/// Answers requests in TTLV, one after the other.
async fn converse<S: Service>(seat: &Arc<Seat<S>>, tls: TlsStream<TcpStream>) -> End {
    let mut line = Line::new(tls, seat.call());
    let mut id = RequestId { connection: seat.number(), request: 0 };
    let end = loop {
        let arrived = message(seat, &mut line).await;
        id.request += 1;
        let done = match arrived {
            Ok(Arrived::Message(length)) => exchange(seat, &mut line, id, length).await,
            // Told by the standard's error, and then there is no knowing where the next one begins.
            Ok(Arrived::Unbounded(why)) => {
                refuse(seat, &mut line, id, &why).await.and(Err(End::Cut("frame", why)))
            }
            Err(end) => Err(end),
        };
        if let Err(end) = done {
            break end;
        }
        if seat.order() != Order::Serve {
            break End::Stopped;
        }
    };
    if !matches!(end, End::Closed) {
        let _ = timeout(FAREWELL, line.stream().shutdown()).await;
    }
    end
}

/// What came.
enum Arrived {
    /// A message of this length.
    Message(usize),
    /// The header of something that is none, and what is wrong with it.
    Unbounded(String),
}

/// Waits for a whole message, and meanwhile for the server's calls.
async fn message<S: Service>(seat: &Seat<S>, line: &mut Line) -> Result<Arrived, End> {
    let mut started = None;
    loop {
        let limits = seat.current().map_err(End::Refused)?.rules.limits.clone();
        match line.whole(limits.message) {
            Ok(Some(length)) => return Ok(Arrived::Message(length)),
            Ok(None) => {}
            Err(error) if error.fault == Fault::Tag => {
                return Err(End::Cut("frame", format!("what it sends is no message: {error}")));
            }
            Err(error) if error.fault == Fault::TooLong => {
                let (length, most) = (line.announced(), limits.message);
                let why =
                    format!("the message has {length} bytes, and kmip.limits.message_size lets in {most}");
                return Ok(Arrived::Unbounded(why));
            }
            Err(error) => {
                return Ok(Arrived::Unbounded(format!("what it sends is no message: {error}")));
            }
        }
        // Most messages come whole, and need no clock.
        if line.is_begun() {
            started.get_or_insert_with(Instant::now);
        }
        let deadline = match started {
            Some(started) => started + limits.request,
            None => Instant::now() + limits.idle,
        };
        match line.receive(deadline).await {
            Received::Bytes => {}
            Received::Called => match seat.order() {
                Order::Serve => {}
                Order::Finish if started.is_some() => {}
                Order::Finish | Order::Drop => return Err(End::Stopped),
            },
            Received::End if started.is_some() => {
                return Err(End::Cut("half", "it closed in the middle of a message".into()));
            }
            Received::End => return Err(End::Closed),
            Received::Failed(error) => {
                log::debug!("connection {}: {error}", seat.number());
                return Err(End::Closed);
            }
            Received::Late if started.is_some() => {
                return Err(End::Cut("slow", "a message took too long to arrive".into()));
            }
            Received::Late => return Err(End::Cut("idle", "no request came for too long".into())),
        }
    }
}

/// Has a message answered and sends the answer.
async fn exchange<S: Service>(
    seat: &Arc<Seat<S>>,
    line: &mut Line,
    id: RequestId,
    length: usize,
) -> Result<(), End> {
    let limit = seat.current().map_err(End::Refused)?.rules.limits.write;
    let read = read(seat, id, Encoding::Ttlv, line.bytes(length))?;
    line.consume(length);
    let answer = answer(seat, id, read).await?;
    seat.shared().metrics.message(length, answer.len());
    line.send(&answer, limit).await
}

/// Tells the client what is wrong with the header of its message.
async fn refuse<S: Service>(
    seat: &Arc<Seat<S>>,
    line: &mut Line,
    id: RequestId,
    why: &str,
) -> Result<(), End> {
    let limit = seat.current().map_err(End::Refused)?.rules.limits.write;
    let begin = line.received();
    let length = begin.len();
    let refused = guarded(id, || Pending {
        request: seat.shared().service.refuse(begin, why),
        takes_long: false,
        length,
        begun: None,
    });
    let answer = answer(seat, id, refused.ok_or_else(|| failed(seat, id))?).await?;
    seat.shared().metrics.message(length, answer.len());
    line.send(&answer, limit).await
}

/// A request that was read, and what its line of the log says at the end.
pub(crate) struct Pending<R> {
    request: R,
    takes_long: bool,
    length: usize,
    begun: Option<Instant>,
}

/// Has a message read.
pub(crate) fn read<S: Service>(
    seat: &Seat<S>,
    id: RequestId,
    encoding: Encoding,
    message: &[u8],
) -> Result<Pending<S::Request>, End> {
    let service = &seat.shared().service;
    let begun = log::log_enabled!(log::Level::Debug).then(Instant::now);
    let read = guarded(id, || {
        let request = service.read(encoding, message);
        let takes_long = service.takes_long(&request);
        Pending { request, takes_long, length: message.len(), begun }
    });
    read.ok_or_else(|| failed(seat, id))
}

/// Has a request answered, here or, where it takes long, on a thread that may block.
pub(crate) async fn answer<S: Service>(
    seat: &Arc<Seat<S>>,
    id: RequestId,
    pending: Pending<S::Request>,
) -> Result<Encoded, End> {
    let service = &seat.shared().service;
    let Pending { request, takes_long, length, begun } = pending;
    let answered = if takes_long {
        let (service, state) = (service.clone(), seat.current_full().map_err(End::Refused)?);
        let work = move || guarded(id, || service.answer(&state.client, request));
        tokio::task::spawn_blocking(work).await.ok().flatten()
    } else {
        let state = seat.current().map_err(End::Refused)?;
        guarded(id, || service.answer(&state.client, request))
    };
    let answer = answered.ok_or_else(|| failed(seat, id))?;
    if let Some(begun) = begun {
        let (micros, size) = (begun.elapsed().as_micros(), answer.as_ref().map_or(0, |it| it.len()));
        log::debug!("request {id} of \"{}\": {length} bytes in, {size} out, {micros} µs", seat.name());
    }
    answer.ok_or_else(|| End::Cut("unreadable", "a message could not be read".into()))
}

fn failed<S: Service>(seat: &Seat<S>, id: RequestId) -> End {
    seat.shared().metrics.panicked();
    log::error!("request {id}: answering it failed inside; the connection is closed");
    End::Cut("panic", "a request could not be answered".into())
}

/// Does something for a request; `None` where it panics, which ends one connection and no more.
fn guarded<T>(id: RequestId, work: impl FnOnce() -> T) -> Option<T> {
    logging::during(id, || std::panic::catch_unwind(AssertUnwindSafe(work)).ok())
}
