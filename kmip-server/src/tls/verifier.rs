//! The TLS library's question whether a client's certificate is good, put to `admission`; and what was
//! answered, kept for the connection that asked.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::{Admission, Refusal};
use crate::identity::Client;

/// What a handshake's question was answered; nothing where a session was resumed.
pub(crate) type Verdict = Option<std::result::Result<Client, Refusal>>;

tokio::task_local! {
    /// The library asks without saying for whom; the task that does the handshake knows.
    static VERDICT: Arc<Mutex<Verdict>>;
}

/// Does a handshake and keeps what was answered in it.
pub(crate) async fn watched<T>(handshake: impl Future<Output = T>) -> (T, Verdict) {
    let verdict = Arc::new(Mutex::new(None));
    let outcome = VERDICT.scope(verdict.clone(), handshake).await;
    let verdict = verdict.lock().unwrap_or_else(PoisonError::into_inner).take();
    (outcome, verdict)
}

pub(super) fn new(admission: Arc<Admission>) -> Arc<dyn ClientCertVerifier> {
    let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
    Arc::new(Verifier { admission, algorithms })
}

#[derive(Debug)]
struct Verifier {
    admission: Arc<Admission>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.admission.hints()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let (verdict, answer) = match self.admission.examine(end_entity, intermediates, now) {
            Ok(client) => (Ok(client), Ok(ClientCertVerified::assertion())),
            Err(refused) => (Err(refused.refusal), Err(Error::InvalidCertificate(refused.alert))),
        };
        // Outside a watched handshake nobody wants to know.
        let _ = VERDICT.try_with(|slot| *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict));
        answer
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
