//! Who a client is, and what it may do. Leaves to `tls` whether its certificate is good.

use std::path::PathBuf;

mod certificate;
mod credentials;
mod table;

pub use certificate::{Certificate, CertificateFault, printable};
pub use credentials::{CredentialRow, Credentials, Password};
pub(crate) use table::pinned_identity;
pub use table::{ClientRow, ClientTable, IdentityRule, Match, Person, Unlisted};

/// The label of the partition that holds the objects of clients that no row maps elsewhere.
pub const DEFAULT_PARTITION: &str = "kmip";

/// What a client may do with the objects that it can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Everything, with its own objects and those of groups that it shares.
    #[default]
    User,
    /// As `User`, but nothing that changes an object or makes one.
    Reader,
    /// As `User`, with every object of its partition.
    Officer,
}

/// A client that was admitted. One value for each connection; it does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its stable identity, under which its objects are kept. Never empty.
    pub owner: String,
    /// What people call it: for logs and audit events.
    pub name: String,
    /// The label of the partition that holds its objects.
    pub partition: String,
    /// What it may do.
    pub role: Role,
    /// Object Groups whose members it shares with others that name them.
    pub groups: Vec<String>,
    /// Where it called from, for the log.
    pub address: Option<std::net::SocketAddr>,
}

/// What a row of a table gives to whom it matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// What people call it, instead of what its certificate says.
    pub name: Option<String>,
    /// The identity under which its objects are kept, instead of its own: several certificates may
    /// share one, and a certificate of another authority may take one over.
    pub owner: Option<String>,
    /// The label of its partition, instead of `kmip`.
    pub partition: Option<String>,
    /// What opens that partition, where the master key alone does not.
    pub pin: Option<Pin>,
    /// What it may do.
    pub role: Role,
    /// Object Groups that it shares.
    pub groups: Vec<String>,
}

/// Where a partition's user PIN is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The first line of a file.
    File(PathBuf),
    /// The first line of a credential that systemd passes (`LoadCredential=`), by its name.
    Credential(String),
}

impl Rights {
    /// The client that these rights make of an identity.
    fn client(&self, identity: &str, name: &str) -> Client {
        Client {
            owner: self.owner.clone().unwrap_or_else(|| identity.to_owned()),
            name: self.name.clone().unwrap_or_else(|| name.to_owned()),
            partition: self.partition.clone().unwrap_or_else(|| DEFAULT_PARTITION.to_owned()),
            role: self.role,
            groups: self.groups.clone(),
            address: None,
        }
    }
}
