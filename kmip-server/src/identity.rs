//! Who a client is, and what it may do.

/// What a client may do with the objects that it can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Everything, with its own objects and those of groups that it shares.
    User,
    /// As `User`, but nothing that changes an object or makes one.
    Reader,
    /// As `User`, with every object of its partition.
    Officer,
}

/// A client that was admitted. One value for each connection; it does not change.
#[derive(Clone, Debug)]
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
