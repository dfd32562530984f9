//! Where a signing service is: a URL. Without TLS, it is on this machine.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;

/// A service's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether TLS is spoken.
    pub(super) tls: bool,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What stands before `/keys/NAME`; empty, or with a slash in front and none behind.
    pub(super) path: String,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        const FORM: &str = "it is https://HOST[:PORT][/PATH]";
        let url: Uri = text.parse().map_err(|_| FORM.to_owned())?;
        let tls = match url.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(FORM.to_owned()),
        };
        let authority = url.authority().ok_or(FORM)?;
        if authority.as_str().contains('@') || url.query().is_some() || authority.host().is_empty() {
            return Err(format!("{FORM}, without a user or a query"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if !tls && !is_loopback(&host) {
            return Err("without TLS a token and what is signed can be changed on their way: use https, \
                        or a service on this machine"
                .to_owned());
        }
        // The library lets what is no number stand where the port is.
        let port = authority.as_str().strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':'));
        let port = match port {
            None if tls => 443,
            None => 80,
            Some(digits) => digits.parse().ok().filter(|port| *port != 0).ok_or(FORM)?,
        };
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Address { tls, host, port, path })
    }
}

impl Address {
    /// Host and port, as a request's header names them.
    pub(super) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.path)
    }
}

/// Whether a host is this machine, by its name alone.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read() {
        for (text, shown) in [
            ("https://sign.example.org", "https://sign.example.org:443"),
            ("https://sign.example.org:8443/v1/", "https://sign.example.org:8443/v1"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://localhost", "http://localhost:80"),
            ("http://[::1]:9000/x", "http://[::1]:9000/x"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
        ] {
            assert_eq!(text.parse::<Address>().map(|it| it.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn a_service_elsewhere_speaks_tls() {
        for text in ["http://sign.example.org", "http://192.0.2.1:80", "http://127.0.0.1.example.org"] {
            let refused = text.parse::<Address>().unwrap_err();
            assert!(refused.starts_with("without TLS"), "{text}: {refused}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused() {
        for text in [
            "",
            "sign.example.org",
            "ftp://x",
            "https://",
            "https://a@b",
            "https://a?b",
            "https://a:x",
            "https://a:0",
            "https://a:",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
