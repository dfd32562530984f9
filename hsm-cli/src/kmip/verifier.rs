//! Whether a server is the one that is meant: its certificate is signed by an authority that was named, or
//! is one of those that were named itself. Appliances often have a certificate that they signed themselves,
//! and that says it is an authority, which the TLS library takes from no server.

use std::sync::Arc;

use kmip_server::identity::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The library's verifier for chains, and beside it the certificates that are taken as they are.
#[derive(Debug)]
pub(crate) struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// One that trusts authorities, and certificates by themselves.
    pub(crate) fn new(
        roots: RootCertStore,
        named: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Verifier, VerifierBuilderError> {
        let chains =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?;
        Ok(Verifier { chains, named })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_named = self.named.iter().any(|named| named.as_ref() == end_entity.as_ref());
        if !is_named {
            return self.chains.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
        }
        // Its name and its dates hold as they do for any other.
        check_dates(end_entity, now)?;
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let certificate = Certificate::read(certificate).map_err(|_| CertificateError::BadEncoding)?;
    if now.as_secs() < certificate.not_before {
        return Err(CertificateError::NotValidYet);
    }
    if now.as_secs() > certificate.not_after {
        return Err(CertificateError::Expired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kmip_server::certificates::{Certificates, KeyKind, Request};
    use kmip_server::tls;

    use super::*;

    /// A server's certificate, and one of another server by the same authority.
    fn two() -> (CertificateDer<'static>, CertificateDer<'static>) {
        let home = tempfile::tempdir().unwrap();
        let certificates = Certificates::of_home(home.path());
        let request = |name: &str| Request {
            name: name.into(),
            alternative_names: vec![name.into()],
            organizational_unit: None,
            key: KeyKind::P256,
            days: 30,
            replace: true,
        };
        certificates.make_authority(&request("authority")).unwrap();
        let make = |name: &str| {
            let made = certificates.make_server(&request(name)).unwrap();
            tls::certificates(&made.certificate).unwrap().remove(0)
        };
        (make("one.example.org"), make("two.example.org"))
    }

    fn verify(
        named: &CertificateDer<'static>,
        shown: &CertificateDer<'_>,
        name: &str,
        now: UnixTime,
    ) -> Result<(), Error> {
        let mut roots = RootCertStore::empty();
        roots.add(named.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = Verifier::new(roots, vec![named.clone()], &provider).unwrap();
        verifier.verify_server_cert(shown, &[], &ServerName::try_from(name).unwrap(), &[], now).map(drop)
    }

    #[test]
    fn a_certificate_that_is_named_is_taken_for_its_name_and_its_time() {
        let (one, two) = two();
        let now = UnixTime::now();
        assert_eq!(verify(&one, &one, "one.example.org", now), Ok(()));
        let wrong = verify(&one, &one, "two.example.org", now).unwrap_err();
        assert!(matches!(wrong, Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })));
        let later = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() + 31 * 86_400));
        assert_eq!(verify(&one, &one, "one.example.org", later), Err(CertificateError::Expired.into()));
        let before = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() - 86_400));
        assert_eq!(verify(&one, &one, "one.example.org", before), Err(CertificateError::NotValidYet.into()));
        let other = verify(&one, &two, "two.example.org", now);
        assert_eq!(other, Err(CertificateError::UnknownIssuer.into()));
    }
}
