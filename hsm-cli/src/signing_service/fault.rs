//! Why a signing service did not sign, and what to do.

use std::io::{self, ErrorKind};

use hyper::StatusCode;
use rustls::{CertificateError, Error as TlsError};

use super::address::Address;
use crate::failure::{Failure, Outcome};
use crate::output::printable;

const TOKEN_ADVICE: &str = "its token comes from SOFTHSM_RS_SIGNING_TOKEN, or from the file of --token-file";

/// What a socket, or TLS on it, answered.
pub(super) fn of_io(error: &io::Error, at: &Address) -> Failure {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        return of_tls(tls, at);
    }
    let message = match error.kind() {
        ErrorKind::ConnectionRefused => format!("nothing listens at {at}"),
        _ => format!("the signing service {at} cannot be reached: {error}"),
    };
    Failure::new(Outcome::Unreachable, message).next("is the URL right, and is the service running?")
}

fn of_tls(error: &TlsError, at: &Address) -> Failure {
    let (outcome, what, next) = match error {
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => (
            Outcome::NotTrusted,
            "its certificate is signed by nobody whom this client trusts".to_owned(),
            "--service-ca names its authority, or the certificate itself",
        ),
        TlsError::InvalidCertificate(why) => (
            Outcome::NotTrusted,
            format!("its certificate is not accepted: {}", printable(&why.to_string())),
            "is the URL the one that the certificate is for, and is this machine's clock right?",
        ),
        TlsError::InvalidMessage(_) | TlsError::PeerSentOversizedRecord => {
            (Outcome::BadAnswer, "it does not speak TLS".to_owned(), "is the port right?")
        }
        other => (Outcome::NotTrusted, format!("TLS failed: {other}"), "it may speak an old version of TLS"),
    };
    Failure::new(outcome, format!("the signing service {at}: {what}")).next(next)
}

/// It took too long.
pub(super) fn too_late(at: &Address, seconds: u64) -> Failure {
    let message = format!("the signing service {at} did not answer within {seconds} s");
    Failure::new(Outcome::Unreachable, message).next("--service-timeout waits longer")
}

/// A reply that is none of HTTP, or ends early.
pub(super) fn of_http(error: &hyper::Error, at: &Address) -> Failure {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    if let Some(error) = source.filter(|source| source.get_ref().is_some()) {
        return of_io(error, at);
    }
    let message = format!("the signing service {at} does not answer in HTTP as it should: {error}");
    Failure::new(Outcome::BadAnswer, message).next("is the URL that of a signing service?")
}

/// A status that is no success.
pub(super) fn of_status(status: StatusCode, name: &str, at: &Address) -> Failure {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let message =
                format!("the signing service {at} does not accept the token for the key \"{name}\"");
            Failure::new(Outcome::Refused, message).next(TOKEN_ADVICE)
        }
        StatusCode::NOT_FOUND => {
            let message = format!("the signing service {at} has no key \"{name}\"");
            Failure::new(Outcome::NotFound, message).next("are the name and the path of the URL right?")
        }
        other => {
            let message = format!("the signing service {at} answers with {other}");
            Failure::new(Outcome::Refused, message).next("its log may say why")
        }
    }
}

/// A reply that cannot be used.
pub(super) fn unusable(what: &str, name: &str, at: &Address) -> Failure {
    let message = format!("what the signing service {at} answered for the key \"{name}\" {what}");
    Failure::new(Outcome::BadAnswer, message)
}
