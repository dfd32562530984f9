//! Where requests may come from.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::refusal::Reason;

/// Which networks reach a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum AllowedNetwork {
    /// All.
    #[default]
    PublicAndPrivate,
    /// Private ones alone, and this machine: RFC 1918, RFC 4193, RFC 3927, loopback.
    PrivateOnly,
}

/// Both, with Key Protect's names.
const NETWORKS: [(AllowedNetwork, &str); 2] =
    [(AllowedNetwork::PublicAndPrivate, "public-and-private"), (AllowedNetwork::PrivateOnly, "private-only")];

impl AllowedNetwork {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            AllowedNetwork::PublicAndPrivate => NETWORKS[0].1,
            AllowedNetwork::PrivateOnly => NETWORKS[1].1,
        }
    }

    /// The one of a name.
    ///
    /// # Errors
    /// [`Reason::Field`].
    pub fn of_name(name: &str) -> Result<AllowedNetwork, Reason> {
        NETWORKS
            .iter()
            .find(|row| row.1 == name)
            .map(|row| row.0)
            .ok_or(Reason::Field { name: "network", must: "public-and-private or private-only" })
    }

    pub(super) fn allows(self, address: IpAddr) -> bool {
        self == AllowedNetwork::PublicAndPrivate || is_private(address.to_canonical())
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local()
        }
    }
}

/// An address, or a network as CIDR writes it: `192.0.2.0/24`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Subnet {
    address: IpAddr,
    prefix: u8,
}

impl Subnet {
    /// Whether an address is of it. An IPv4 address in IPv6's clothes is an IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other) = (self.address, address.to_canonical());
        let (own, other, bits) = match (own, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let differing = (own ^ other).checked_shr(bits - u32::from(self.prefix)).unwrap_or_default();
        differing == 0
    }
}

/// Bits of an IPv6 address before the IPv4 address that it stands for (RFC 4291, section 2.5.5.2).
const MAPPED: u8 = 96;

/// How many bits an address has.
fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Whether anything of an address stands behind a prefix.
fn has_host_bits(address: IpAddr, prefix: u8) -> bool {
    let number = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    number.checked_shl(prefix.into()).is_some_and(|rest| rest != 0)
}

impl FromStr for Subnet {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Subnet, Reason> {
        const WRONG: Reason = Reason::Field {
            name: "allowed_ip",
            must: "an IP address, or a network in CIDR without bits of a host",
        };
        let (address, prefix) = text.split_once('/').map_or((text, None), |(it, prefix)| (it, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| WRONG)?;
        let most = bits(address);
        let prefix: u8 = match prefix {
            None => most,
            // The parser of numbers takes a sign.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| WRONG)?
            }
            Some(_) => return Err(WRONG),
        };
        if prefix > most || has_host_bits(address, prefix) {
            return Err(WRONG);
        }
        // An IPv4 network in IPv6's clothes is an IPv4 network: addresses are compared without them.
        Ok(match (address.to_canonical(), prefix.checked_sub(MAPPED)) {
            (IpAddr::V4(inner), Some(rest)) if address.is_ipv6() => {
                Subnet { address: IpAddr::V4(inner), prefix: rest }
            }
            _ => Subnet { address, prefix },
        })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == bits(self.address) {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn a_subnet_contains_its_own() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.0"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("::ffff:0:0/96", "255.1.2.3", "2001:db8::1"),
            ("192.0.2.7", "::ffff:192.0.2.7", "::192.0.2.7"),
            ("0.0.0.0/0", "255.1.2.3", "2001:db8::1"),
            ("::/0", "2001:db8::1", "1.2.3.4"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ] {
            assert!(subnet(network).contains(inside.parse().unwrap()), "{inside} in {network}");
            assert!(!subnet(network).contains(outside.parse().unwrap()), "{outside} in {network}");
        }
    }

    #[test]
    fn texts_come_back_and_others_are_refused() {
        for text in ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "::1"] {
            assert_eq!(subnet(text).to_string(), text);
        }
        assert_eq!(subnet("::ffff:192.0.2.0/120").to_string(), "192.0.2.0/24");
        for bad in [
            "",
            "192.0.2.0/33",
            "192.0.2.0/-1",
            "192.0.2/24",
            "host",
            "::/129",
            "1.2.3.4/",
            "10.0.0.0/+8",
            "10.0.0.1/8",
            "2001:db8::1/32",
            "::ffff:192.0.2.1/120",
            "::ffff:0:0/95",
            "::ffff:192.0.2.0/90",
        ] {
            assert!(bad.parse::<Subnet>().is_err(), "{bad}");
        }
    }

    #[test]
    fn private_networks_are_those_of_the_standards() {
        for (address, private) in [
            ("10.1.2.3", true),
            ("127.0.0.1", true),
            ("169.254.1.1", true),
            ("fd00::1", true),
            ("::1", true),
            ("::ffff:10.0.0.1", true),
            ("8.8.8.8", false),
            ("172.32.0.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(AllowedNetwork::PrivateOnly.allows(address.parse().unwrap()), private, "{address}");
            assert!(AllowedNetwork::PublicAndPrivate.allows(address.parse().unwrap()));
        }
        for (network, name) in NETWORKS {
            assert_eq!((AllowedNetwork::of_name(name), network.name()), (Ok(network), name));
        }
        assert!(AllowedNetwork::of_name("public").is_err());
    }
}
