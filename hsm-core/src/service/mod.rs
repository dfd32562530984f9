//! What sessions do, a file for each use case. This is the API that doors call; all of it is methods
//! of [`Session`](crate::session::Session).

mod ciphers;
mod digests;
mod keys;
mod objects;
mod random;
mod signatures;
mod wrapping;

pub use objects::View;
