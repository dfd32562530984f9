//! Metrics and health, by plain HTTP for monitors on the machine or its network. Tells no secret and
//! takes no order.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{BREATH, Shared};
use crate::http::text;
use crate::service::Service;

/// Monitors at one time; more wait.
const CONNECTIONS: usize = 32;

/// What one of them may take for all that it asks.
const PATIENCE: Duration = Duration::from_secs(60);

const PLAIN: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn serve<S: Service>(shared: Arc<Shared<S>>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, converse(shared, tcp)).await;
            drop(place);
        });
    }
}

async fn converse<S: Service>(shared: Arc<Shared<S>>, tcp: TcpStream) {
    let answered = service_fn(|request: Request<Incoming>| {
        let (status, media, body) = answer(&shared, request.method(), request.uri().path());
        async move { text(status, media, body) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(tcp), answered);
    if let Err(error) = conversation.await {
        log::debug!("a monitor's connection: {error}");
    }
}

fn answer<S: Service>(shared: &Shared<S>, method: &Method, path: &str) -> (StatusCode, &'static str, String) {
    let (status, media, body) = match path {
        "/metrics" => (StatusCode::OK, OPEN_METRICS, shared.metrics.text()),
        // That it answers is the answer.
        "/health" => (StatusCode::OK, PLAIN, "alive\n".into()),
        "/ready" if shared.is_ready() => (StatusCode::OK, PLAIN, "ready\n".into()),
        "/ready" => (StatusCode::SERVICE_UNAVAILABLE, PLAIN, "stopping\n".into()),
        _ => (StatusCode::NOT_FOUND, PLAIN, "there are /metrics, /health and /ready\n".into()),
    };
    if method == Method::GET || method == Method::HEAD {
        (status, media, body)
    } else {
        (StatusCode::METHOD_NOT_ALLOWED, PLAIN, "GET alone\n".into())
    }
}
