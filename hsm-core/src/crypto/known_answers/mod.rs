//! Answers from the standards and from other libraries, put to every provider that offers the
//! operation, and the refusals that the traits of `crypto` promise.

mod ciphers;
mod curves;
mod dh;
pub(super) mod dsa;
mod edwards;
mod edwards448;
mod hashes;
mod other_ciphers;
mod pkcs11_alone;
mod rsa;
mod rsa_aes;
mod rsa_encryption;
mod rsa_key;
mod slh_dsa;

use super::{Provider, order};

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

/// What each provider answers that offers the operation. With AWS-LC in the build, one at least must;
/// RustCrypto alone lacks some sizes.
fn all<T>(ask: impl Fn(&'static dyn Provider) -> Option<T>) -> Vec<(&'static str, T)> {
    let answers: Vec<_> =
        order().iter().filter_map(|provider| Some((provider.name(), ask(*provider)?))).collect();
    assert!(!answers.is_empty() || cfg!(not(feature = "aws-lc")), "no provider offers this");
    answers
}
