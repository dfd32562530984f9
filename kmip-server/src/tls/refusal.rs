//! Why a client was refused: the rule that failed, in one line of the log and one label of the metrics.

use std::fmt;

use rustls::CertificateError;

use crate::identity::Certificate;

/// The rules that a client can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// It showed no certificate.
    NoCertificate,
    /// Its certificate cannot be read.
    Encoding,
    /// No chain leads from its certificate to a configured authority.
    UnknownIssuer,
    /// There is no authority, and its certificate is not a pinned one.
    PinnedOnly,
    /// A signature or a constraint of the chain does not hold.
    Chain,
    /// Its certificate, or one of the chain, is no longer valid.
    Expired,
    /// Its certificate, or one of the chain, is not yet valid.
    NotYetValid,
    /// A revocation list names it.
    Revoked,
    /// Its certificate is not for clients (extended key usage).
    Purpose,
    /// It did not prove to have the private key.
    Possession,
    /// Its certificate lacks the name that the identity is made of.
    Name,
    /// The client table has no row for it.
    NotListed,
    /// It has as many connections as one client may have.
    ClientConnections,
    /// The server has as many connections as it may have.
    Connections,
}

/// Name in logs and metrics, and what is said for people.
#[rustfmt::skip]
const RULES: [(Rule, &str, &str); 14] = [
    (Rule::NoCertificate,     "no-certificate",     "it showed no certificate"),
    (Rule::Encoding,          "encoding",           "its certificate cannot be read"),
    (Rule::UnknownIssuer,     "unknown-issuer",     "no configured authority signed its certificate, and it is not pinned"),
    (Rule::PinnedOnly,        "pinned-only",        "no authority is configured, and its certificate is not pinned"),
    (Rule::Chain,             "chain",              "the chain of its certificate does not hold"),
    (Rule::Expired,           "expired",            "a certificate has expired"),
    (Rule::NotYetValid,       "not-yet-valid",      "a certificate is not valid yet"),
    (Rule::Revoked,           "revoked",            "a certificate is revoked"),
    (Rule::Purpose,           "purpose",            "its certificate is not for TLS clients (extended key usage)"),
    (Rule::Possession,        "possession",         "it did not prove that it has the private key"),
    (Rule::Name,              "name",               "its certificate lacks the name that makes its identity"),
    (Rule::NotListed,         "not-listed",         "the client table has no row for it"),
    (Rule::ClientConnections, "client-connections", "it has as many connections as one client may have"),
    (Rule::Connections,       "connections",        "the server has as many connections as it may have"),
];

/// A refusal, with what is known of whom it met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that failed.
    pub rule: Rule,
    /// Particulars, if there are any.
    pub detail: String,
    /// The certificate's subject, where one was read.
    pub subject: Option<String>,
    /// SHA-256 over the certificate, where one was shown.
    pub fingerprint: Option<String>,
}

impl Rule {
    /// The name in logs and metrics.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> &'static (Rule, &'static str, &'static str) {
        const OTHER: (Rule, &str, &str) = (Rule::Chain, "other", "");
        static FALLBACK: (Rule, &str, &str) = OTHER;
        RULES.iter().find(|row| row.0 == self).unwrap_or(&FALLBACK)
    }

    /// The rule that the verification of a chain failed.
    pub(crate) fn of(error: &CertificateError) -> Rule {
        use CertificateError as E;
        match error {
            E::BadEncoding => Rule::Encoding,
            E::Expired | E::ExpiredContext { .. } => Rule::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => Rule::NotYetValid,
            E::Revoked => Rule::Revoked,
            E::UnknownIssuer => Rule::UnknownIssuer,
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => Rule::Purpose,
            // Constraints, unknown critical extensions, algorithms; what the library adds later.
            _ => Rule::Chain,
        }
    }
}

/// What the library says of a chain, and what it means for whoever has to mend it.
const PARTICULARS: [(&str, &str); 8] = [
    ("CaUsedAsEndEntity", "it is an authority's certificate, marked CA:TRUE, not a client's"),
    ("EndEntityUsedAsCa", "a certificate of the chain that signed another is not an authority's"),
    ("UnsupportedCertVersion", "it is of X.509 version 1 or 2; version 3 is needed"),
    ("UnsupportedCriticalExtension", "it has a critical extension that is not understood"),
    ("NameConstraintViolation", "an authority of the chain may not vouch for its names"),
    ("PathLenConstraintViolated", "there are more authorities in the chain than one of them allows"),
    ("MaximumPathDepthExceeded", "the chain is too long"),
    ("UnsupportedSignatureAlgorithm", "it is signed by an algorithm that is not accepted, such as SHA-1"),
];

/// Why a chain does not hold, for the log.
pub(super) fn in_words(error: &CertificateError) -> String {
    let text = match error {
        CertificateError::BadSignature => {
            return "its signature is not that of the authority whose name it bears".to_owned();
        }
        CertificateError::Other(other) => other.to_string(),
        error => error.to_string(),
    };
    let known = PARTICULARS.iter().find(|(name, _)| text.starts_with(name));
    known.map_or(text, |(_, meaning)| (*meaning).to_owned())
}

impl Refusal {
    /// A refusal of whom nothing is known.
    pub fn unnamed(rule: Rule) -> Refusal {
        Refusal { rule, detail: String::new(), subject: None, fingerprint: None }
    }

    pub(crate) fn of(rule: Rule, detail: impl Into<String>, certificate: &Certificate) -> Refusal {
        Refusal {
            rule,
            detail: detail.into(),
            subject: Some(certificate.subject_text.clone()),
            fingerprint: Some(certificate.fingerprint.clone()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name, meaning) = self.rule.row();
        write!(f, "refused by rule {name}: {meaning}")?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        if let Some(subject) = &self.subject {
            write!(f, "; subject \"{subject}\"")?;
        }
        match &self.fingerprint {
            Some(fingerprint) => write!(f, "; SHA-256 {fingerprint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_chain_does_not_hold_is_said_in_words() {
        let other = |text: &str| {
            let inner = std::sync::Arc::new(std::io::Error::other(text.to_owned()));
            in_words(&CertificateError::Other(rustls::OtherError(inner)))
        };
        for (name, meaning) in PARTICULARS {
            assert_eq!(other(name), meaning);
        }
        assert_eq!(other("something new"), "something new");
        assert!(in_words(&CertificateError::BadSignature).contains("signature"));
    }

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        for (i, row) in RULES.iter().enumerate() {
            assert_eq!(row.0.name(), row.1);
            assert!(RULES[i + 1..].iter().all(|other| other.1 != row.1 && other.0 != row.0));
        }
    }
}
