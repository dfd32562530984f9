//! Operations as clients see them: whole requests in, whole answers out, without a socket.

mod audit;
mod capabilities;
mod certify;
mod cryptography;
mod dates;
pub(crate) mod kit;
mod login;
mod objects;
mod pkcs11;
mod pkcs12;
mod rekey;
mod split;
mod transfer;
mod usage;
mod wrapping;
