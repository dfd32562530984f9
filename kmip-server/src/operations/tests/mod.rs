//! Operations as clients see them: whole requests in, whole answers out, without a socket.

pub(crate) mod kit;
mod rekey;
