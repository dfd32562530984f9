//! Who is admitted: the chain, the pinned certificates, and the client table, asked in one place for
//! full handshakes, resumed ones, and connections that a reload judges again.

use std::sync::Arc;

use hsm_core::{Error, Result};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, DistinguishedName, RootCertStore};

use super::refusal::in_words;
use super::{Refusal, Rule, TrustStore};
use crate::config::Settings;
use crate::identity::{Certificate, Client, ClientTable, Person};

/// The rules by which clients are admitted.
#[derive(Debug)]
pub struct Admission {
    /// Verifies chains; none where no authority is configured.
    authorities: Option<Authorities>,
    trusted: TrustStore,
    table: ClientTable,
}

#[derive(Debug)]
struct Authorities {
    verifier: Arc<dyn ClientCertVerifier>,
    anchors: Vec<(Certificate, CertificateDer<'static>)>,
}

/// A refusal, and the alert that the client is told it by.
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    pub(crate) alert: CertificateError,
}

impl Admission {
    /// The rules that settings lay down.
    ///
    /// # Errors
    /// Files of authorities, revocation lists or pinned certificates that cannot be used; that there is
    /// nobody whom the rules could admit.
    pub fn new(settings: &Settings) -> Result<Admission> {
        let trusted = TrustStore::read(&settings.tls.trusted)?;
        let mut anchors = Vec::new();
        for path in &settings.tls.client_ca {
            anchors.extend(super::certificates(path)?);
        }
        if anchors.is_empty() && trusted.is_empty() {
            let what = "nobody could connect: there is neither an authority for clients (--tls-client-ca, \
                kmip.tls.client_ca) nor a pinned certificate (`softhsm-rs certs trust`)";
            return Err(Error::Config(what.into()));
        }
        let authorities = if anchors.is_empty() { None } else { Some(Authorities::new(settings, anchors)?) };
        let (rule, rows, unlisted) = (settings.identity, settings.clients.clone(), settings.unlisted);
        Ok(Admission { authorities, trusted, table: ClientTable { rule, rows, unlisted } })
    }

    /// What clients are told of the authorities. With pinned certificates nothing: a client that is
    /// told chooses among its certificates by it, and would not show a self-signed one.
    pub(crate) fn hints(&self) -> &[DistinguishedName] {
        match &self.authorities {
            Some(authorities) if self.trusted.is_empty() => authorities.verifier.root_hint_subjects(),
            _ => &[],
        }
    }

    /// Judges whoever showed these certificates. That the private key is theirs is proven elsewhere.
    ///
    /// # Errors
    /// The rule that failed.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> std::result::Result<Client, Refusal> {
        match chain.split_first() {
            Some((own, others)) => self.examine(own, others, now).map_err(|refused| refused.refusal),
            None => Err(Refusal::unnamed(Rule::NoCertificate)),
        }
    }

    pub(crate) fn examine(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> std::result::Result<Client, Box<Refused>> {
        let certificate = Certificate::read(own).map_err(|fault| {
            let refusal = Refusal { detail: fault.to_string(), ..Refusal::unnamed(Rule::Encoding) };
            Box::new(Refused { refusal, alert: CertificateError::BadEncoding })
        })?;
        let verified = match &self.authorities {
            Some(authorities) => authorities.verify(own, others, now),
            None => Err(CertificateError::UnknownIssuer),
        };
        let person = match (self.trusted.find(&certificate.fingerprint), verified) {
            (Some(trusted), verified) => {
                pinned_still_holds(&certificate, verified, now)?;
                self.table.pinned(&certificate, &trusted.first)
            }
            (None, Ok(())) => {
                let signer =
                    self.authorities.as_ref().and_then(|it| it.signer(own, &certificate, others, now));
                let unknown = || refused(Rule::UnknownIssuer, &certificate, CertificateError::UnknownIssuer);
                self.table.vouched(&certificate, &signer.ok_or_else(unknown)?)
            }
            (None, Err(error)) => {
                let is_of_none =
                    || !self.authorities.as_ref().is_some_and(|it| it.has_issuer_of(&certificate));
                let rule = match Rule::of(&error) {
                    // What is wrong with the certificate of a stranger is not what keeps him out.
                    Rule::Chain if others.is_empty() && is_of_none() => Rule::UnknownIssuer,
                    rule => rule,
                };
                let rule = match rule {
                    Rule::UnknownIssuer if self.authorities.is_none() => Rule::PinnedOnly,
                    rule => rule,
                };
                return Err(refused(rule, &certificate, error));
            }
        };
        match person {
            Person::Client(client) => Ok(client),
            Person::Nameless(missing) => {
                Err(denied(Rule::Name, format!("it has no {missing}"), &certificate))
            }
            Person::Unlisted(identity) => {
                Err(denied(Rule::NotListed, format!("identity {identity}"), &certificate))
            }
        }
    }
}

/// A pinned certificate needs no authority, but its own dates hold, and so does a revocation.
fn pinned_still_holds(
    certificate: &Certificate,
    verified: std::result::Result<(), CertificateError>,
    now: UnixTime,
) -> std::result::Result<(), Box<Refused>> {
    if verified == Err(CertificateError::Revoked) {
        return Err(refused(Rule::Revoked, certificate, CertificateError::Revoked));
    }
    let now = now.as_secs();
    if now > certificate.not_after {
        return Err(refused(Rule::Expired, certificate, CertificateError::Expired));
    }
    if now < certificate.not_before {
        return Err(refused(Rule::NotYetValid, certificate, CertificateError::NotValidYet));
    }
    Ok(())
}

fn refused(rule: Rule, certificate: &Certificate, error: CertificateError) -> Box<Refused> {
    // Where the rule's own text says all, its particulars would repeat it.
    let detail = match rule {
        Rule::Chain | Rule::Purpose | Rule::Encoding => in_words(&error),
        Rule::Expired => format!("its own is valid until {}", day(certificate.not_after)),
        Rule::NotYetValid => format!("its own is valid from {}", day(certificate.not_before)),
        _ => String::new(),
    };
    Box::new(Refused { refusal: Refusal::of(rule, detail, certificate), alert: error })
}

fn day(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.to_string())
}

fn denied(rule: Rule, detail: String, certificate: &Certificate) -> Box<Refused> {
    let alert = CertificateError::ApplicationVerificationFailure;
    Box::new(Refused { refusal: Refusal::of(rule, detail, certificate), alert })
}

impl Authorities {
    fn new(settings: &Settings, anchors: Vec<CertificateDer<'static>>) -> Result<Authorities> {
        let mut lists = Vec::new();
        for path in &settings.tls.crl {
            lists.extend(super::revocation_lists(path)?);
        }
        let unfit = |what: String| Error::Config(format!("the authorities for clients: {what}"));
        let mut roots = RootCertStore::empty();
        let mut read = Vec::new();
        for anchor in anchors {
            roots.add(anchor.clone()).map_err(|e| unfit(e.to_string()))?;
            read.push((Certificate::read(&anchor).map_err(|e| unfit(e.to_string()))?, anchor));
        }
        // An authority without a list vouches as it did before there were any for others.
        let verifier = builder(roots).with_crls(lists).allow_unknown_revocation_status().build();
        let verifier = verifier.map_err(|e| unfit(e.to_string()))?;
        Ok(Authorities { verifier, anchors: read })
    }

    fn verify(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> std::result::Result<(), CertificateError> {
        match self.verifier.verify_client_cert(own, others, now) {
            Ok(_) => Ok(()),
            Err(rustls::Error::InvalidCertificate(error)) => Err(error),
            Err(_) => Err(CertificateError::BadEncoding),
        }
    }

    /// Whether one of the authorities has the name of a certificate's issuer.
    fn has_issuer_of(&self, certificate: &Certificate) -> bool {
        self.anchors.iter().any(|(anchor, _)| anchor.subject == certificate.issuer)
    }

    /// The public key of the authority that signed a certificate whose chain holds.
    fn signer(
        &self,
        own: &CertificateDer<'_>,
        certificate: &Certificate,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<Vec<u8>> {
        let shown = others.iter().filter_map(|der| Some((Certificate::read(der).ok()?, der.clone())));
        let known = self.anchors.iter().map(|(read, der)| (read.clone(), der.clone()));
        let mut named: Vec<_> =
            known.chain(shown).filter(|(read, _)| read.subject == certificate.issuer).collect();
        named.sort_by(|(a, _), (b, _)| a.public_key.cmp(&b.public_key));
        named.dedup_by(|(a, _), (b, _)| a.public_key == b.public_key);
        // A chain that holds goes through a certificate of the issuer's name. Where several have it (a
        // client may show some of its own making), the signature tells which.
        if named.len() > 1 {
            named.retain(|(_, der)| signed_by(own, der, now));
        }
        named.into_iter().next().map(|(read, _)| read.public_key)
    }
}

/// Whether `authority` itself signed a certificate.
fn signed_by(own: &CertificateDer<'_>, authority: &CertificateDer<'_>, now: UnixTime) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone().into_owned()).is_ok()
        && builder(roots).build().is_ok_and(|it| it.verify_client_cert(own, &[], now).is_ok())
}

fn builder(roots: RootCertStore) -> rustls::server::ClientCertVerifierBuilder {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
}
