//! What the tests share: tokens of one key pair, whose making takes a second, and what a customer sends.

use std::sync::LazyLock;

use super::super::*;
use crate::error::{Error, Result};
use crate::object::lifecycle::Seconds;
use crate::secret::Secret;

/// When the tokens are made.
pub(super) const NOW: Seconds = 1_700_000_000;

/// Key material, and the nonce of §2.2's vectors.
pub(super) const KEY: [u8; 32] = counting(0);
pub(super) const NONCE: [u8; NONCE_LEN] = counting(0x64);

const fn counting<const N: usize>(first: u8) -> [u8; N] {
    let mut out = [0; N];
    let mut at = 0;
    while at < N {
        // N is below 256.
        out[at] = first + at as u8;
        at += 1;
    }
    out
}

fn made() -> Vec<u8> {
    let token = ImportToken::generate(Limits::default(), NOW).unwrap();
    encode(&token).unwrap().to_vec()
}

static ONE: LazyLock<Vec<u8>> = LazyLock::new(made);
static OTHER: LazyLock<Vec<u8>> = LazyLock::new(made);

fn token_of(bytes: &[u8], limits: Limits, nonce: [u8; NONCE_LEN]) -> ImportToken {
    let key = decode(bytes).unwrap().key.unwrap();
    ImportToken::new(limits, key, nonce, NOW)
}

/// A token with these limits and the nonce above.
pub(super) fn token(expiration: u32, retrievals: u32) -> ImportToken {
    token_of(&ONE, Limits::new(expiration, retrievals).unwrap(), NONCE)
}

/// A token of another key pair and nonce.
pub(super) fn other_token() -> ImportToken {
    token_of(&OTHER, Limits::default(), counting(1))
}

/// The public key of a token, without a retrieval of it.
pub(super) fn public_key(token: &ImportToken) -> String {
    let mut copy = decode(&encode(token).unwrap()).unwrap();
    copy.retrieve(NOW).unwrap().public_key
}

/// What a customer sends.
#[derive(Clone)]
pub(super) struct Sent {
    pub payload: Vec<u8>,
    pub encrypted_nonce: Vec<u8>,
    pub iv: Vec<u8>,
    pub algorithm: Algorithm,
}

impl Sent {
    pub(super) fn of(token: &ImportToken, key: &[u8], nonce: &[u8], algorithm: Algorithm) -> Sent {
        let payload = encrypt_key(&public_key(token), key, algorithm).unwrap();
        let EncryptedNonce { bytes: encrypted_nonce, iv } = encrypt_nonce(nonce, key, algorithm).unwrap();
        Sent { payload, encrypted_nonce, iv, algorithm }
    }

    pub(super) fn wrapped(&self) -> Wrapped<'_> {
        Wrapped {
            payload: &self.payload,
            encrypted_nonce: &self.encrypted_nonce,
            iv: &self.iv,
            algorithm: self.algorithm,
        }
    }

    pub(super) fn redeem(&self, token: &mut ImportToken) -> Result<Secret> {
        token.redeem(&self.wrapped(), NOW)
    }
}

/// Why something was refused.
pub(super) fn refusal<T>(result: Result<T>) -> Refusal {
    match result {
        Err(Error::ImportToken(refusal)) => refusal,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}
