//! The client: asks a service for a public key, and for signatures, each of which is verified before it is used.
//! No reply is followed elsewhere, and each has its time and its length.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hsm_core::secret::Secret;
use hsm_core::unit::{PublicKey, Refusal};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::wire::{KeyReply, SignReply, SignRequest, is_name};
use super::{LONGEST, fault, tls};
use crate::failure::{Failure, Outcome, Result};

/// A service as its client knows it.
pub(crate) struct Client {
    address: Address,
    token: Option<Secret>,
    tls: Option<Arc<ClientConfig>>,
    /// For each answer, in seconds.
    seconds: u64,
}

impl Client {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub(crate) fn new(
        address: Address,
        token: Option<Secret>,
        authority: Option<&Path>,
        seconds: u64,
    ) -> Result<Client> {
        let tls = address.tls.then(|| tls::client(authority)).transpose()?;
        Ok(Client { address, token, tls, seconds })
    }

    /// The public key of that name.
    pub(crate) fn public_key(&self, name: &str) -> Result<PublicKey> {
        let reply: KeyReply = self.ask(Method::GET, "keys", name, Bytes::new())?;
        reply.key().ok_or_else(|| {
            fault::unusable("is no public key of P-521", name, &self.address)
                .next("administrators' keys are of P-521: DER of two integers, X and Y, in base64")
        })
    }

    /// A signature over the bytes by the key of that name.
    pub(crate) fn sign(&self, name: &str, key: &PublicKey, input: &[u8]) -> Result<Vec<u8>> {
        let request = serde_json::to_vec(&SignRequest::of(input)).unwrap_or_default();
        let reply: SignReply = self.ask(Method::POST, "sign", name, request.into())?;
        let malformed = || {
            fault::unusable("is no signature: DER of two integers, R and S, in base64", name, &self.address)
        };
        let signature = reply.signature().ok_or_else(malformed)?;
        match key.verify(input, &signature) {
            Ok(()) => Ok(signature),
            Err(Refusal::SignatureMalformed) => Err(malformed()),
            Err(_) => Err(fault::unusable(
                "is no signature of that key over what was sent",
                name,
                &self.address,
            )
            .next(
                "the service has to hash its input once, by SHA-512, and to sign with the key of that name",
            )),
        }
    }

    fn ask<T: DeserializeOwned>(&self, method: Method, what: &str, name: &str, body: Bytes) -> Result<T> {
        if !is_name(name) {
            let message = format!("\"{}\" is no name of a key", crate::output::printable(name));
            return Err(Failure::new(Outcome::Usage, message)
                .next("a name has letters, digits, and the characters - . _ ~"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::new(Outcome::Failed, error.to_string()))?;
        let answer = runtime.block_on(async {
            let asked = self.exchange(method, what, name, body);
            let answered = tokio::time::timeout(Duration::from_secs(self.seconds), asked).await;
            answered.map_err(|_| fault::too_late(&self.address, self.seconds))?
        })?;
        serde_json::from_slice(&answer)
            .map_err(|_| fault::unusable("is not the JSON that it has to be", name, &self.address))
    }

    async fn exchange(&self, method: Method, what: &str, name: &str, body: Bytes) -> Result<Bytes> {
        let stream = self.connect().await.map_err(|error| fault::of_io(&error, &self.address))?;
        let Some(tls) = &self.tls else { return self.talk(stream, method, what, name, body).await };
        let host = ServerName::try_from(self.address.host.clone()).map_err(|_| {
            Failure::new(
                Outcome::Usage,
                format!("\"{}\" is no name that a certificate has", self.address.host),
            )
        })?;
        let stream = TlsConnector::from(tls.clone()).connect(host, stream).await;
        let stream = stream.map_err(|error| fault::of_io(&error, &self.address))?;
        self.talk(stream, method, what, name, body).await
    }

    /// Without TLS, a name may lead to this machine alone.
    async fn connect(&self) -> io::Result<TcpStream> {
        let found = tokio::net::lookup_host((self.address.host.as_str(), self.address.port)).await?;
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "there is no such host");
        for address in found.filter(|address| self.address.tls || address.ip().is_loopback()) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn talk<S>(&self, stream: S, method: Method, what: &str, name: &str, body: Bytes) -> Result<Bytes>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |error: hyper::Error| fault::of_http(&error, &self.address);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let connection = tokio::spawn(connection);
        let request = self.request(method, what, name, body)?;
        let reply = sender.send_request(request).await.map_err(broken)?;
        let status = reply.status();
        if !status.is_success() {
            return Err(fault::of_status(status, name, &self.address));
        }
        let body = Limited::new(reply.into_body(), LONGEST).collect().await;
        connection.abort();
        let body =
            body.map_err(|error| fault::unusable(&format!("cannot be read: {error}"), name, &self.address))?;
        Ok(body.to_bytes())
    }

    fn request(&self, method: Method, what: &str, name: &str, body: Bytes) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        let unwritable = || Failure::new(Outcome::Usage, "the URL of the signing service cannot be asked");
        let path = format!("{}/{what}/{name}", self.address.path);
        *request.uri_mut() = path.parse().map_err(|_| unwritable())?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(&self.address.authority()).map_err(|_| unwritable())?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_bytes(token.expose()).map_err(|_| {
                Failure::new(
                    Outcome::Usage,
                    "the token of the signing service has characters that no header has",
                )
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}
