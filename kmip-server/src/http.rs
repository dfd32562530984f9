//! KMIP over HTTPS (KMIP Profiles 2.1, section 5.2): `POST /kmip`, one message each, the encoding named
//! by the content type. The client is who its certificate says, as at the other door.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::connection::{self, End};
use crate::engine::Encoding;
use crate::logging::RequestId;
use crate::server::{Order, Seat};
use crate::service::Service;

mod patience;

use patience::Patience;

/// The one path.
const PATH: &str = "/kmip";

/// Media types and what they mean; answers have the type of their request.
const TYPES: [(&str, Encoding); 4] = [
    ("application/octet-stream", Encoding::Ttlv),
    ("application/json", Encoding::Json),
    ("text/xml", Encoding::Xml),
    ("application/xml", Encoding::Xml),
];

/// Header lines of a request, and their bytes in all.
const HEADERS: usize = 64;
const HEADER_BYTES: usize = 16 * 1024;

type Answer = Response<Full<Bytes>>;

/// Answers requests over HTTP, one after the other.
pub(crate) async fn converse<S: Service>(seat: &Arc<Seat<S>>, tls: TlsStream<TcpStream>) -> End {
    let limits = match seat.current() {
        Ok(state) => state.rules.limits.clone(),
        Err(refusal) => return End::Refused(refusal),
    };
    let counter = AtomicU64::new(0);
    let answered = service_fn(|request| {
        let id =
            RequestId { connection: seat.number(), request: counter.fetch_add(1, Ordering::Relaxed) + 1 };
        async move { respond(seat, id, request).await }
    });
    let stream = TokioIo::new(Patience::new(tls, limits.write));
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request)
        .max_headers(HEADERS)
        .max_header_size(HEADER_BYTES)
        .serve_connection(stream, answered);
    let mut conversation = std::pin::pin!(conversation);
    let call = seat.call();
    loop {
        tokio::select! {
            done = conversation.as_mut() => {
                if let Err(error) = done {
                    log::debug!("connection {}: {error}", seat.number());
                }
                return if seat.order() == Order::Serve { End::Closed } else { End::Stopped };
            }
            () = call.notified() => match seat.order() {
                Order::Serve => {
                    if let Err(refusal) = seat.current() {
                        return End::Refused(refusal);
                    }
                }
                Order::Finish => conversation.as_mut().graceful_shutdown(),
                Order::Drop => return End::Stopped,
            },
        }
    }
}

/// An answer for each request; an error, which closes the connection, where the rules refuse the client
/// by now.
async fn respond<S: Service>(
    seat: &Arc<Seat<S>>,
    id: RequestId,
    request: Request<Incoming>,
) -> Result<Answer, Gone> {
    let limits = seat.current().map_err(|_| Gone)?.rules.limits.clone();
    let (encoding, media) =
        match check(request.method(), request.uri().path(), request.headers(), limits.message) {
            Ok(found) => found,
            Err(status) => return Ok(plain(status)),
        };
    let body = timeout(limits.request, Limited::new(request.into_body(), limits.message).collect()).await;
    let message = match body {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(_)) => return Ok(plain(StatusCode::BAD_REQUEST)),
        Err(_) => return Ok(plain(StatusCode::REQUEST_TIMEOUT)),
    };
    let length = message.len();
    let read = connection::read(seat, id, encoding, &message);
    drop(message);
    let answered = match read {
        Ok(pending) => connection::answer(seat, id, pending).await,
        Err(end) => Err(end),
    };
    match answered {
        Ok(mut answer) => {
            seat.shared().metrics.message(length, answer.len());
            let mut response = Response::new(Full::new(Bytes::from(std::mem::take(&mut *answer))));
            response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(media));
            Ok(response)
        }
        Err(End::Cut("unreadable", _)) => Ok(plain(StatusCode::BAD_REQUEST)),
        Err(End::Cut(..)) => Ok(plain(StatusCode::INTERNAL_SERVER_ERROR)),
        Err(End::Closed | End::Stopped | End::Refused(_)) => Err(Gone),
    }
}

/// The client is not to be answered any more.
#[derive(Debug, thiserror::Error)]
#[error("the rules refuse this client")]
struct Gone;

/// The encoding that a request asks for, and its media type.
fn check(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    limit: usize,
) -> Result<(Encoding, &'static str), StatusCode> {
    if path != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    if method != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let named = text(CONTENT_TYPE).unwrap_or_default();
    let media = named.split(';').next().unwrap_or_default().trim();
    let found = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(media));
    let (media, encoding) = found.ok_or(StatusCode::UNSUPPORTED_MEDIA_TYPE)?;
    // Said beforehand, so that nobody sends what is not read.
    match text(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok()) {
        Some(length) if length > limit => Err(StatusCode::PAYLOAD_TOO_LARGE),
        _ => Ok((*encoding, media)),
    }
}

/// An answer that is no KMIP message.
fn plain(status: StatusCode) -> Answer {
    let text = format!("{status}\n");
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, hyper::header::HeaderValue::from_static("POST"));
    }
    response
}

/// An answer of a listener that serves people and monitors: a status and a text.
pub(crate) fn text(status: StatusCode, media: &'static str, text: String) -> Result<Answer, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(media));
    Ok(response)
}
