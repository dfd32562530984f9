//! The service: answers two questions, of one connection after the other and some at once, until it is told to
//! end. What it signs is logged, with what it says where it is a command or key part for a unit of ours.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::keys::{Access, Keys};
use super::wire::{KeyReply, SHA_512, SignReply, SignRequest};
use super::{LONGEST, tls};
use crate::failure::{Failure, Outcome, Result};

/// Clients at one time; more wait.
const CONNECTIONS: usize = 32;
/// What one of them may take for all that it asks.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries, where a connection cannot be taken.
const BREATH: Duration = Duration::from_millis(100);

type Answer = Response<Full<Bytes>>;

/// What whoever runs the service is told, by the key's name.
pub(crate) enum Event<'a> {
    /// These bytes were signed.
    Signed(&'a str, &'a [u8]),
    /// Somebody had no token, or another one.
    Denied(&'a str),
}

type Told = Box<dyn Fn(Event<'_>) + Send + Sync>;

/// How a service is set up.
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    /// Certificate and key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) keys: Keys,
    pub(crate) told: Told,
}

/// Serves until SIGINT or SIGTERM. `ready` is told the URL.
///
/// # Errors
/// An address that is not this machine's own, without TLS; one that cannot be listened at; certificates.
pub(crate) fn serve(settings: Settings, ready: impl FnOnce(&str)) -> Result<()> {
    if settings.tls.is_none() && !settings.listen.ip().is_loopback() {
        let message = format!("{} is not on this machine alone, and there is no TLS", settings.listen);
        return Err(Failure::new(Outcome::Usage, message)
            .next("listen on 127.0.0.1, or give --tls-cert and --tls-key"));
    }
    let acceptor = match &settings.tls {
        Some((certificate, key)) => Some(TlsAcceptor::from(tls::server(certificate, key)?)),
        None => None,
    };
    let failed = |error: std::io::Error| Failure::new(Outcome::Failed, error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(failed)?.block_on(async {
        let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
            Failure::new(Outcome::Configuration, format!("{}: {error}", settings.listen))
                .next("is another program listening there?")
        })?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        ready(&format!("{scheme}://{}", listener.local_addr().map_err(failed)?));
        let mut end = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            () = accept(Arc::new(settings), listener, acceptor) => {}
            _ = end.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(())
    })
}

async fn accept(settings: Arc<Settings>, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let (settings, acceptor) = (settings.clone(), acceptor.clone());
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, converse(settings, stream, acceptor)).await;
            drop(place);
        });
    }
}

async fn converse(settings: Arc<Settings>, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
    match acceptor {
        None => answer_all(settings, stream).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => answer_all(settings, stream).await,
            Err(error) => log::info!("a TLS handshake failed: {error}"),
        },
    }
}

async fn answer_all<S: AsyncRead + AsyncWrite + Unpin>(settings: Arc<Settings>, stream: S) {
    let answered = service_fn(|request: Request<Incoming>| {
        let settings = settings.clone();
        async move { Ok::<_, Infallible>(respond(&settings, request).await) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), answered);
    if let Err(error) = conversation.await {
        log::debug!("a connection: {error}");
    }
}

/// Who asks is looked at before what is asked.
async fn respond(settings: &Settings, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let (what, name) = match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some((what @ ("keys" | "sign"), name)) => (what.to_owned(), name.to_owned()),
        _ => return refusal(StatusCode::NOT_FOUND, "there are /keys/NAME and /sign/NAME"),
    };
    let token = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let key = match settings.keys.access(&name, token) {
        Access::Granted(key) => key,
        Access::Denied => {
            (settings.told)(Event::Denied(&name));
            return refusal(StatusCode::UNAUTHORIZED, "the token is not that of the key");
        }
        Access::Unknown => return refusal(StatusCode::NOT_FOUND, "there is no such key"),
    };
    if what == "keys" {
        return match (request.method(), KeyReply::of(&key.public_key())) {
            (&Method::GET, Some(reply)) => reply_with(StatusCode::OK, &reply),
            (&Method::GET, None) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the key cannot be written"),
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "a key is asked for by GET"),
        };
    }
    if request.method() != Method::POST {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "a signature is asked for by POST");
    }
    let Ok(body) = Limited::new(request.into_body(), LONGEST).collect().await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long, or ends early");
    };
    let asked = serde_json::from_slice::<SignRequest>(&body.to_bytes()).ok();
    let Some((input, asked)) = asked.and_then(|asked| Some((asked.input()?, asked))) else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "the request has to name hash_algorithm and input, in base64",
        );
    };
    if asked.hash_algorithm != SHA_512 {
        return refusal(StatusCode::BAD_REQUEST, "hash_algorithm has to be sha2-512");
    }
    match key.sign(&input) {
        Ok(signature) => {
            (settings.told)(Event::Signed(&name, &input));
            reply_with(StatusCode::OK, &SignReply::of(&signature))
        }
        Err(error) => {
            log::error!("signing failed: {error}");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "signing failed")
        }
    }
}

fn refusal(status: StatusCode, why: &str) -> Answer {
    reply_with(status, &json!({ "error": why }))
}

fn reply_with(status: StatusCode, value: &impl Serialize) -> Answer {
    let mut response = Response::new(Full::new(serde_json::to_vec(value).unwrap_or_default().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
