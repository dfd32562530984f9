//! The policies of a partition. What they say of keys holds for keys that are made after they were set.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::key::Description;
use super::network::{AllowedNetwork, Subnet};
use super::refusal::Reason;
use super::rotation::RotationPolicy;
use super::state::Kind;

/// How many days a deleted key may be kept, and how many it is where nobody says.
const RETENTION: std::ops::RangeInclusive<u16> = 1..=90;
const RETAINED: u16 = 90;
/// How many networks a policy may name.
const SUBNETS: usize = 1000;

/// Which keys may be made and brought: `keyCreateImportAccess`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Access {
    /// Whether root keys are generated.
    pub create_root_key: bool,
    /// Whether standard keys are generated.
    pub create_standard_key: bool,
    /// Whether root keys are brought.
    pub import_root_key: bool,
    /// Whether standard keys are brought.
    pub import_standard_key: bool,
    /// Whether what is brought is encrypted for an import token.
    pub enforce_token: bool,
}

impl Default for Access {
    fn default() -> Access {
        Access {
            create_root_key: true,
            create_standard_key: true,
            import_root_key: true,
            import_standard_key: true,
            enforce_token: false,
        }
    }
}

/// Where the material of a key comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// It is generated.
    Generated,
    /// It is brought in clear.
    Plain,
    /// It is encrypted for the import token.
    Token,
}

impl Access {
    /// Checks that a key of a kind may be made.
    pub(crate) fn check(self, kind: Kind, source: Source) -> Result<(), Reason> {
        let may = match (kind, source) {
            (Kind::Root, Source::Generated) => self.create_root_key,
            (Kind::Standard, Source::Generated) => self.create_standard_key,
            (Kind::Root, Source::Plain | Source::Token) => self.import_root_key,
            (Kind::Standard, Source::Plain | Source::Token) => self.import_standard_key,
        };
        if may { self.check_source(source) } else { Err(Reason::AccessPolicy) }
    }

    /// Checks that material may come this way, for a new key or a new version.
    pub(crate) fn check_source(self, source: Source) -> Result<(), Reason> {
        if self.enforce_token && source == Source::Plain { Err(Reason::AccessPolicy) } else { Ok(()) }
    }
}

/// The policies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policies {
    /// Whether two persons are needed to delete a key that is made from now on: `dualAuthDelete`.
    pub dual_auth_delete: bool,
    /// Which networks reach the partition: `allowedNetwork`.
    pub allowed_network: AllowedNetwork,
    /// Which addresses do: `allowedIP`. None: all.
    pub allowed_ip: Vec<Subnet>,
    /// Which keys may be made and brought: `keyCreateImportAccess`.
    pub access: Access,
    /// When root keys are rotated by themselves that are generated from now on: `rotation`.
    pub rotation: Option<RotationPolicy>,
    /// How many days a deleted key is kept before it is erased by itself: 1 to 90.
    pub retention_days: u16,
}

impl Default for Policies {
    fn default() -> Policies {
        Policies {
            dual_auth_delete: false,
            allowed_network: AllowedNetwork::default(),
            allowed_ip: Vec::new(),
            access: Access::default(),
            rotation: None,
            retention_days: RETAINED,
        }
    }
}

impl Policies {
    /// Whether a request may come from an address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let listed = self.allowed_ip.is_empty() || self.allowed_ip.iter().any(|net| net.contains(address));
        listed && self.allowed_network.allows(address)
    }

    /// Whether any address is kept out.
    pub fn restricts_networks(&self) -> bool {
        !self.allowed_ip.is_empty() || self.allowed_network != AllowedNetwork::default()
    }

    /// Checks their limits.
    ///
    /// # Errors
    /// [`Reason::Field`].
    pub fn check(&self) -> Result<(), Reason> {
        if !RETENTION.contains(&self.retention_days) {
            return Err(Reason::Field { name: "retention", must: "1 to 90 days" });
        }
        if self.allowed_ip.len() > SUBNETS {
            return Err(Reason::Field { name: "allowed_ip", must: "at most 1000 networks" });
        }
        Ok(())
    }

    /// Fills in what a key that is made now has from them.
    pub(crate) fn complete(&self, said: &mut Description, imported: bool) -> Result<(), Reason> {
        if imported && said.rotation.is_some() {
            return Err(Reason::MaterialRequired);
        }
        if said.kind == Kind::Root && !imported {
            said.rotation = said.rotation.or(self.rotation);
        }
        said.dual_auth = Some(said.dual_auth.unwrap_or(self.dual_auth_delete));
        Ok(())
    }
}
