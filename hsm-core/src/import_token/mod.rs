//! Import tokens: how a customer's key material comes in without anybody on the way seeing it, as IBM Key
//! Protect and Hyper Protect Crypto Services have it. A token is a fresh RSA key pair and a nonce. The
//! customer retrieves the public key and the nonce, encrypts the key material to the one, and the other
//! under the key material; whoever sends both back has shown that the key is the one that was meant.
//!
//! * `token`: what a token is and allows, as pure functions of it, what was sent, and the time.
//! * `algorithm`: the variants, which the field `encryptionAlgorithm` alone selects.
//! * `customer`: the customer's side.
//! * `objects`: a token as the two objects that doors without the nonce see.
//! * `stored`: a token as the plaintext of its sealed record.
//! * `refusal`: the refusals with Key Protect's codes.
//!
//! Where a token is kept is the partition's matter, who may use it the session's.

mod algorithm;
mod customer;
mod objects;
mod refusal;
mod stored;
#[cfg(test)]
mod tests;
mod token;

pub use algorithm::Algorithm;
pub use customer::{EncryptedKey, EncryptedNonce, encrypt_key, encrypt_nonce, encrypt_private_key};
pub(crate) use objects::{Id, KeyPair, id_of_public, key_pair};
pub use objects::{LABEL, is_unique_id};
pub use refusal::Refusal;
pub(crate) use stored::{decode, encode};
pub use token::{ImportToken, Limits, Metadata, NONCE_LEN, Retrieved, Wrapped, is_material};
