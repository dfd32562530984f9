//! Mechanisms: what is offered (`table`), their parameters (`params`), and the functions that the
//! table's rows hold (`signing`, `ciphering`, `wrapping`, `generation`, `derivation`, `encapsulation`), many messages
//! under one key (`messages`, `nonces`), whether a key may serve one (`usage`), and what the strict policy leaves (`strict`).

mod ciphering;
mod context;
mod derivation;
mod digest_info;
mod ecdsa_der;
pub(crate) mod encapsulation;
mod exactly;
mod generation;
pub(crate) mod kdf;
mod messages;
mod method;
pub(crate) mod nonces;
mod otp;
mod params;
mod post_quantum;
mod scheme;
mod signing;
mod strict;
pub mod table;
#[cfg(test)]
mod tests;
mod transform;
pub(crate) mod usage;
mod wrapping;

pub use ciphering::Ciphering;
pub use context::Context;
pub use ecdsa_der::{ecdsa_from_der, ecdsa_to_der};
pub use generation::{Generated, Generator};
pub use messages::{Aead, MessageCiphering, MessageParameter, MessageSigning, MessageVerifying, Sealed, Tag};
pub use method::Derivation;
pub use nonces::{NonceRequest, Nonces};
pub use otp::Hotp;
pub use params::{CRYPTO_PRO, Mechanism, Parameter, PasswordForm, PrfField, Salt, Shape};
pub use post_quantum::{PostQuantum, Signed};
pub use scheme::Scheme;
pub use signing::{Signing, Verifying};
pub use table::{Flags, Info, Row, offered, row};
pub use transform::Transform;

use crate::error::{Error, Result};

/// Copies a result to the front of the output.
pub(crate) fn put(out: &mut [u8], result: &[u8]) -> Result<usize> {
    out.get_mut(..result.len())
        .ok_or(Error::BufferTooSmall { needed: result.len() })?
        .copy_from_slice(result);
    Ok(result.len())
}
