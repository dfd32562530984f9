//! Where a server is: `HOST[:PORT]`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// KMIP's own port, as registered with IANA.
const PORT: u16 = 5696;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Endpoint, String> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or("the bracket is not closed")?;
                host.parse::<Ipv6Addr>().map_err(|_| "an IPv6 address belongs in brackets")?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some("")).ok_or("HOST[:PORT]")?)
            }
            // An address without a port needs no brackets.
            None if text.parse::<Ipv6Addr>().is_ok() => (text, ""),
            None => text.split_once(':').unwrap_or((text, "")),
        };
        if host.is_empty() || host.contains([':', '/', ' ']) && host.parse::<Ipv6Addr>().is_err() {
            return Err("HOST[:PORT] is a name or an address; IPv6 with a port stands in brackets".into());
        }
        if port.is_empty() && text.ends_with(':') && !text.ends_with("::") {
            return Err("the port is missing".into());
        }
        let port = match port {
            "" => PORT,
            digits => match digits.parse() {
                Ok(0) | Err(_) => return Err("a port is a number from 1 to 65535".into()),
                Ok(port) => port,
            },
        };
        Ok(Endpoint { host: host.to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_a_port() {
        for (text, shown) in [
            ("kmip.example.org", "kmip.example.org:5696"),
            ("kmip.example.org:1", "kmip.example.org:1"),
            ("192.0.2.1:65535", "192.0.2.1:65535"),
            ("[2001:db8::1]:9998", "[2001:db8::1]:9998"),
            ("[::1]", "[::1]:5696"),
            ("::1", "[::1]:5696"),
            ("2001:db8::", "[2001:db8::]:5696"),
        ] {
            assert_eq!(text.parse::<Endpoint>().map(|it| it.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ":5696",
            "host:",
            "host:0",
            "host:65536",
            "host:x",
            "[::1",
            "[::1]5696",
            "[::1]:",
            "[host]:1",
            "2001:db8::1:x",
            "https://host",
            "a b",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
