//! RSAES-PKCS1-v1_5 decryption with implicit rejection, on top of a provider's raw private operation.
//!
//! Whoever can tell a well-padded ciphertext from a badly padded one decrypts anything, and signs
//! anything, with some thousand questions (Bleichenbacher 1998; "Marvin" 2023 by timing alone). An
//! error code, a branch or a length is enough of an answer, also if it shows only several calls later.
//! So there is none: a badly padded ciphertext decrypts to a message that depends on the key and the
//! ciphertext alone, of a length that is random in the same way. Both messages are always made, and
//! one is chosen without a branch.
//!
//! The algorithm is that of draft-irtf-cfrg-rsa-guidance, section 7.2, which OpenSSL (since 3.2) and NSS
//! use too: the same key and ciphertext give the same bytes as there (`known_answers`).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Candidates for the length of the synthetic message. Each is below the limit with a chance of at
/// least one half, so that all of them fail with 2⁻¹²⁸.
const LENGTH_CANDIDATES: usize = 128;

/// Bytes in front of the message, at least: 00 02, eight of padding, and a 00.
const OVERHEAD: usize = 11;

/// The part of a key that makes synthetic messages: SHA-256 of d.
pub(super) struct ImplicitRejection {
    key: Zeroizing<[u8; 32]>,
    /// Length of the modulus in bytes.
    length: usize,
}

impl ImplicitRejection {
    /// `private_exponent` without leading zeros, `length` of the modulus in bytes.
    pub(super) fn new(private_exponent: &[u8], length: usize) -> ImplicitRejection {
        let mut hash = Sha256::new();
        hash.update(vec![0; length.saturating_sub(private_exponent.len())]);
        hash.update(private_exponent);
        ImplicitRejection { key: Zeroizing::new(hash.finalize().into()), length }
    }

    /// Decrypts. `raw` is RSADP on `length` bytes; its error on a value that is not below the modulus
    /// becomes [`Error::EncryptedDataInvalid`], which tells nothing that the sender does not know.
    pub(super) fn decrypt(
        &self,
        ciphertext: &[u8],
        raw: impl FnOnce(&[u8]) -> Result<Secret>,
    ) -> Result<Secret> {
        if ciphertext.len() != self.length || self.length < OVERHEAD {
            return Err(Error::EncryptedDataLength);
        }
        let encoded = raw(ciphertext).map_err(|error| match error {
            Error::DataInvalid => Error::EncryptedDataInvalid,
            other => other,
        })?;
        let prf = Prf::new(&*self.key, ciphertext)?;
        let mut message = Zeroizing::new(vec![0; self.length]);
        prf.fill(b"message", &mut message)?;
        select(encoded, &message, synthetic_len(&prf, self.length)?)
    }
}

/// IRPRF of the draft: HMAC-SHA256 of a counter, a label and the output's length in bits, under a key
/// derived from the private key and one ciphertext.
struct Prf(Hmac<Sha256>);

impl Prf {
    fn new(key: &[u8], ciphertext: &[u8]) -> Result<Prf> {
        let derived =
            Zeroizing::new(<[u8; 32]>::from(keyed(key)?.chain_update(ciphertext).finalize().into_bytes()));
        Ok(Prf(keyed(&*derived)?))
    }

    fn fill(&self, label: &[u8], out: &mut [u8]) -> Result<()> {
        let bits = u16::try_from(out.len() * 8).map_err(|_| Error::KeySizeRange)?;
        for (counter, chunk) in (0u16..).zip(out.chunks_mut(32)) {
            let mac = self.0.clone().chain_update(counter.to_be_bytes()).chain_update(label);
            let block = Zeroizing::new(<[u8; 32]>::from(
                mac.chain_update(bits.to_be_bytes()).finalize().into_bytes(),
            ));
            for (out, byte) in chunk.iter_mut().zip(block.iter()) {
                *out = *byte;
            }
        }
        Ok(())
    }
}

fn keyed(key: &[u8]) -> Result<Hmac<Sha256>> {
    Hmac::new_from_slice(key).map_err(|_| Error::CryptoFailed("HMAC key"))
}

/// Length of the synthetic message: the last candidate that fits, each cut down to as many bits as the
/// largest length has.
fn synthetic_len(prf: &Prf, length: usize) -> Result<u16> {
    // `length` is `OVERHEAD` or more.
    let limit = u16::try_from(length - OVERHEAD + 1).map_err(|_| Error::KeySizeRange)?;
    let mask = u16::MAX >> limit.leading_zeros();
    let mut candidates = Zeroizing::new([0; LENGTH_CANDIDATES * 2]);
    prf.fill(b"length", &mut *candidates)?;
    let mut chosen = 0;
    for pair in candidates.as_chunks::<2>().0 {
        let candidate = u16::from_be_bytes(*pair) & mask;
        chosen.conditional_assign(&candidate, candidate.ct_lt(&limit));
    }
    Ok(chosen)
}

/// The message inside `encoded` (00 02, eight or more bytes that are not 00, 00, message; RFC 8017,
/// section 7.2.2), or the last `synthetic_len` bytes of `synthetic`. Only the final copy depends on the
/// outcome, through the length that the caller sees anyway.
fn select(mut encoded: Secret, synthetic: &[u8], synthetic_len: u16) -> Result<Secret> {
    let length = u16::try_from(encoded.len()).map_err(|_| Error::KeySizeRange)?;
    let mut valid = Choice::from(1);
    let mut found = Choice::from(0);
    let mut start = 0u16;
    for (index, byte) in (0u16..).zip(encoded.expose()) {
        match index {
            0 => valid &= byte.ct_eq(&0),
            1 => valid &= byte.ct_eq(&2),
            _ => {
                let separator = byte.ct_eq(&0) & !found;
                start.conditional_assign(&(index + 1), separator);
                found |= separator;
            }
        }
    }
    // Without a separator, `start` is 0 and fails here too.
    valid &= start.ct_gt(&(OVERHEAD as u16 - 1));
    start.conditional_assign(&length.wrapping_sub(synthetic_len), !valid);
    for (byte, other) in encoded.expose_mut().iter_mut().zip(synthetic) {
        byte.conditional_assign(other, !valid);
    }
    let message = encoded.expose().get(usize::from(start)..).ok_or(Error::CryptoFailed("v1.5 message"))?;
    Ok(Secret::copy_of(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 128;

    /// Decrypts with a private operation that answers `encoded`.
    fn decrypt(key: &[u8], ciphertext: &[u8], encoded: &[u8]) -> Secret {
        let rejection = ImplicitRejection::new(key, LENGTH);
        rejection.decrypt(ciphertext, |_| Ok(Secret::copy_of(encoded))).unwrap()
    }

    fn padded(padding: usize, message: &[u8]) -> Vec<u8> {
        [&[0, 2][..], &vec![0xff; padding], &[0], message].concat()
    }

    #[test]
    fn well_padded_messages_of_every_length_come_out() {
        for length in 0..=LENGTH - OVERHEAD {
            let message = vec![0x5a; length];
            let encoded = padded(LENGTH - 3 - length, &message);
            assert_eq!(decrypt(b"d", &[1; LENGTH], &encoded).expose(), message);
        }
    }

    #[test]
    fn zeros_in_the_message_belong_to_it() {
        let encoded = padded(8, &[0; LENGTH - OVERHEAD]);
        assert_eq!(decrypt(b"d", &[1; LENGTH], &encoded).expose(), [0; LENGTH - OVERHEAD]);
    }

    #[test]
    fn the_answer_to_bad_padding_depends_on_key_and_ciphertext_alone() {
        let bad = [padded(7, &[9; LENGTH - 10]), vec![0xff; LENGTH], vec![0; LENGTH]];
        let first = decrypt(b"d", &[1; LENGTH], &bad[0]);
        for encoded in &bad {
            assert!(first.equals(decrypt(b"d", &[1; LENGTH], encoded).expose()));
        }
        assert!(!first.equals(decrypt(b"d", &[2; LENGTH], &bad[0]).expose()));
        assert!(!first.equals(decrypt(b"e", &[1; LENGTH], &bad[0]).expose()));
    }

    #[test]
    fn synthetic_lengths_are_spread_over_what_is_possible() {
        let lengths: std::collections::BTreeSet<usize> =
            (0..200).map(|i| decrypt(b"d", &[i; LENGTH], &[0xff; LENGTH]).len()).collect();
        assert!(lengths.len() > 50);
        assert!(lengths.iter().all(|length| *length <= LENGTH - OVERHEAD));
        assert!(*lengths.first().unwrap() < 20 && *lengths.last().unwrap() > LENGTH - OVERHEAD - 20);
    }

    #[test]
    fn ciphertexts_of_another_length_are_refused_before_the_private_operation() {
        let rejection = ImplicitRejection::new(b"d", LENGTH);
        for length in [0, LENGTH - 1, LENGTH + 1] {
            let answer = rejection.decrypt(&vec![1; length], |_| panic!("used the key"));
            assert!(matches!(answer, Err(Error::EncryptedDataLength)));
        }
    }

    #[test]
    fn numbers_above_the_modulus_are_invalid_ciphertexts() {
        let rejection = ImplicitRejection::new(b"d", LENGTH);
        let answer = rejection.decrypt(&[0xff; LENGTH], |_| Err(Error::DataInvalid));
        assert!(matches!(answer, Err(Error::EncryptedDataInvalid)));
    }
}
