//! Operations as clients see them: whole requests in, whole answers out, without a socket.

mod audit;
mod batches;
mod capabilities;
mod certify;
mod cryptography;
mod dates;
mod import_tokens;
mod indexes;
mod issuer;
pub(crate) mod kit;
mod kms;
mod login;
mod objects;
mod padding;
mod pkcs11;
mod pkcs12;
mod rekey;
mod split;
mod templates;
mod text;
mod transfer;
mod usage;
mod validate;
mod verification;
mod wrapping;
