//! Why there is no connection, or no answer on it, and what to do.

use std::io::{self, ErrorKind};
use std::time::Duration;

use rustls::{AlertDescription as Alert, CertificateError, Error as TlsError};

use super::endpoint::Endpoint;
use crate::failure::{Failure, Outcome};
use crate::output::printable;

/// Who is at the other end, and how long it may take.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Where it is.
    pub(crate) endpoint: Endpoint,
    /// The name that its certificate must have.
    pub(crate) name: String,
    /// For the connection, and for each answer.
    pub(crate) timeout: Duration,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Connect,
    Handshake,
    Answer,
}

const PORT_ADVICE: &str = "is it running, and is the port the one of KMIP, 5696 as a rule?";

/// A host that has no address.
pub(crate) fn of_name(error: &io::Error, peer: &Peer) -> Failure {
    let message = format!("there is no host {}: {error}", printable(&peer.endpoint.host));
    Failure::new(Outcome::Unreachable, message).next("is the name right?")
}

/// Whether TLS failed, and not what it runs on.
pub(crate) fn is_tls(error: &io::Error) -> bool {
    tls_error(error).is_some()
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

/// What a socket, or TLS on it, answered.
pub(crate) fn of_io(error: &io::Error, peer: &Peer, stage: Stage) -> Failure {
    if let Some(error) = tls_error(error) {
        return of_tls(error, peer);
    }
    let endpoint = &peer.endpoint;
    let (message, next) = match (error.kind(), stage) {
        (ErrorKind::ConnectionRefused, _) => (format!("nothing listens at {endpoint}"), PORT_ADVICE),
        (ErrorKind::TimedOut, stage) => {
            let what = match stage {
                Stage::Connect => "cannot be reached",
                Stage::Handshake => "did not finish the TLS handshake",
                Stage::Answer => "did not answer",
            };
            let next = match stage {
                Stage::Connect => "a firewall may be between; --timeout waits longer",
                Stage::Handshake | Stage::Answer => "--timeout waits longer",
            };
            (format!("{endpoint} {what} within {} s", peer.timeout.as_secs()), next)
        }
        (kind, Stage::Handshake | Stage::Answer) if is_end(kind) => (
            format!("{endpoint} closed the connection instead of answering"),
            "servers do so to clients that they do not admit, or that speak a version unknown to them: its log \
             may say why; --kmip-version chooses another",
        ),
        _ => (format!("{endpoint}: {error}"), PORT_ADVICE),
    };
    Failure::new(Outcome::Unreachable, message).next(next)
}

fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
    )
}

/// What TLS says.
pub(crate) fn of_tls(error: &TlsError, peer: &Peer) -> Failure {
    let endpoint = &peer.endpoint;
    match error {
        TlsError::InvalidCertificate(why) => of_certificate(why, peer),
        TlsError::AlertReceived(alert) => of_alert(*alert, peer),
        TlsError::InvalidMessage(_) | TlsError::PeerSentOversizedRecord => {
            Failure::new(Outcome::BadAnswer, format!("{endpoint} does not speak TLS")).next(PORT_ADVICE)
        }
        TlsError::PeerIncompatible(why) => {
            Failure::new(Outcome::NotTrusted, format!("{endpoint} has no TLS in common with us: {why:?}"))
                .next("this client speaks TLS 1.2 and 1.3")
        }
        other => Failure::new(Outcome::NotTrusted, format!("{endpoint}: TLS failed: {other}")),
    }
}

/// A server's certificate that is not accepted.
fn of_certificate(why: &CertificateError, peer: &Peer) -> Failure {
    let Peer { endpoint, name, .. } = peer;
    let (what, next) = match why {
        CertificateError::UnknownIssuer => (
            "is signed by nobody whom this client trusts".to_owned(),
            "--tls-ca names the authority that signed it, or the certificate itself".to_owned(),
        ),
        CertificateError::BadSignature => (
            "is signed by another authority of the same name as the one that this client trusts".to_owned(),
            "--tls-ca names the authority that signed it, or the certificate itself".to_owned(),
        ),
        CertificateError::NotValidForName => {
            (format!("is not for \"{name}\""), "--server-name gives the name that it is for".to_owned())
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().map(|name| printable(bare(name))).collect();
            let names = if names.is_empty() { "nothing".into() } else { names.join(", ") };
            (
                format!("is not for \"{name}\", but for {names}"),
                "--server-name gives the name to expect of it".to_owned(),
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("has expired".to_owned(), "it must be renewed; or is this machine's clock wrong?".to_owned())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("is not valid yet".to_owned(), "is this machine's clock wrong?".to_owned())
        }
        other => (
            format!("is not acceptable: {}", printable(&other.to_string())),
            "--tls-ca may name the certificate itself".to_owned(),
        ),
    };
    Failure::new(Outcome::NotTrusted, format!("the certificate of {endpoint} {what}")).next(next)
}

/// A name without what the TLS library puts around it, as in `DnsName("example.org")`.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

/// What a server says of a client before it goes.
fn of_alert(alert: Alert, peer: &Peer) -> Failure {
    let endpoint = &peer.endpoint;
    let (message, next) = match alert {
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied
        | Alert::CertificateRequired
        | Alert::DecryptError => (
            format!("{endpoint} does not accept the client's certificate ({alert:?})"),
            "--tls-cert and --tls-key name another; the server must know it or its authority, and its log may \
             say what is wrong",
        ),
        Alert::UnrecognisedName => (
            format!("{endpoint} has no certificate for \"{}\"", peer.name),
            "--server-name gives the name to ask for",
        ),
        other => (
            format!("{endpoint} ended the TLS handshake ({other:?})"),
            "it may want another version of TLS than 1.2 or 1.3, or another client certificate: its log may say",
        ),
    };
    Failure::new(Outcome::NotTrusted, message).next(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        let endpoint = "kmip.example.org".parse().unwrap();
        Peer { endpoint, name: "kmip.example.org".into(), timeout: Duration::from_secs(3) }
    }

    #[test]
    fn a_tls_error_inside_of_an_io_error_is_found() {
        let error = io::Error::new(ErrorKind::InvalidData, TlsError::AlertReceived(Alert::UnknownCA));
        let failure = of_io(&error, &peer(), Stage::Answer);
        assert_eq!(failure.outcome, Outcome::NotTrusted);
        assert_eq!(
            failure.message,
            "kmip.example.org:5696 does not accept the client's certificate (UnknownCA)"
        );
    }

    #[test]
    fn each_failure_says_what_to_do() {
        for kind in [
            ErrorKind::ConnectionRefused,
            ErrorKind::TimedOut,
            ErrorKind::UnexpectedEof,
            ErrorKind::ConnectionReset,
            ErrorKind::HostUnreachable,
        ] {
            for stage in [Stage::Connect, Stage::Handshake, Stage::Answer] {
                let failure = of_io(&kind.into(), &peer(), stage);
                assert_eq!(failure.outcome, Outcome::Unreachable);
                assert!(failure.next.is_some() && failure.message.contains("kmip.example.org:5696"));
            }
        }
    }

    #[test]
    fn certificates_are_told_apart() {
        let told = |why| {
            let failure = of_certificate(&why, &peer());
            format!("{} | {}", failure.message, failure.next.unwrap_or_default())
        };
        assert!(told(CertificateError::UnknownIssuer).contains("--tls-ca"));
        assert!(told(CertificateError::BadSignature).contains("another authority of the same name"));
        assert_eq!(bare("DnsName(\"example.org\")"), "example.org");
        assert_eq!((bare("IpAddress(::1)"), bare("other")), ("::1", "other"));
        assert!(told(CertificateError::NotValidForName).contains("--server-name"));
        assert!(told(CertificateError::Expired).contains("expired"));
        assert!(told(CertificateError::NotValidYet).contains("clock"));
        assert!(told(CertificateError::BadEncoding).contains("not acceptable"));
    }
}
