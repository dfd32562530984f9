//! GMAC: the tag of GCM over additional data alone. NIST SP 800-38D, section 3.

use super::choice::aes;
use super::{AesMode, Direction};
use crate::error::Result;
use crate::secret::Secret;

/// The tag of a message, of 4, 8 or 12 to 16 bytes, with a nonce of 1 byte or more.
///
/// # Errors
/// As those of AES in GCM.
pub fn gmac(key: &[u8], nonce: &[u8], tag_len: usize, message: &[u8]) -> Result<Secret> {
    let mode = AesMode::Gcm { iv: nonce, aad: message, tag_len };
    let mut cipher = aes(mode, Direction::Encrypt, key)?;
    let mut tag = Secret::zeroed(tag_len);
    cipher.finish(tag.expose_mut())?;
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    /// McGrew and Viega's case 1, and NIST's first of gcmEncryptExtIV128 with data of 128 bits.
    #[test]
    fn tags_of_nist() {
        let tag = gmac(&[0; 16], &[0; 12], 16, &[]).unwrap();
        assert!(tag.equals(&hex::decode("58e2fccefa7e3061367f1d57a4e7455a").unwrap()));
        let key = hex::decode("77be63708971c4e240d1cb79e8d77feb").unwrap();
        let nonce = hex::decode("e0e00f19fed7ba0136a797f3").unwrap();
        let message = hex::decode("7a43ec1d9c0a5a78a0b16533a6213cab").unwrap();
        let expected = hex::decode("209fcc8d3675ed938e9c7166709dd946").unwrap();
        for length in [4, 8, 12, 16] {
            let tag = gmac(&key, &nonce, length, &message).unwrap();
            assert!(tag.equals(&expected[..length]), "{length}");
        }
    }

    #[test]
    fn lengths_that_are_none_are_refused() {
        assert!(matches!(gmac(&[0; 16], &[0; 12], 5, &[]), Err(Error::MechanismParamInvalid)));
        assert!(matches!(gmac(&[0; 16], &[], 16, &[]), Err(Error::MechanismParamInvalid)));
        assert!(matches!(gmac(&[0; 17], &[0; 12], 16, &[]), Err(Error::KeySizeRange)));
    }
}
