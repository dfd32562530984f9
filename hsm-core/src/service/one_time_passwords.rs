//! How signatures and verifications end: most by the key alone, one-time passwords by a counter too, which is the
//! caller's or the key's own. PKCS #11 3.2, section 6.53.

use crate::error::{Error, Result};
use crate::mechanism::{Hotp, Signing, Verifying};
use crate::partition::Loaded;
use crate::secret::Secret;
use crate::session::Session;

impl Session {
    /// Signs what came in, and `data`, which is then the whole message.
    pub(super) fn signed(
        &self,
        signing: &mut Signing,
        key: &Loaded,
        data: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<usize> {
        match (signing.hotp(), data) {
            (None, Some(data)) => signing.sign(data, out),
            (None, None) => signing.finish(out),
            (Some(hotp), data) => {
                signing.update(data.unwrap_or_default())?;
                let (counter, password) = self.password(hotp, key)?;
                signing.give(counter, password.expose(), out)
            }
        }
    }

    /// Verifies what came in, and `data`, which is then the whole message.
    pub(super) fn verified(
        &self,
        verifying: &mut Verifying,
        key: &Loaded,
        data: Option<&[u8]>,
        signature: &[u8],
    ) -> Result<()> {
        match (verifying.hotp(), data) {
            (None, Some(data)) => verifying.verify(data, signature),
            (None, None) => verifying.finish(signature),
            (Some(hotp), data) => {
                verifying.update(data.unwrap_or_default())?;
                if signature.len() != verifying.signature_len() {
                    return Err(Error::SignatureLength);
                }
                self.check_password(hotp, key, signature)
            }
        }
    }

    /// A password with its counter. The key's own has moved on before anybody has them.
    fn password(&self, hotp: Hotp, key: &Loaded) -> Result<(u64, Secret)> {
        let counter = match hotp.given(key.object())? {
            Some(counter) => counter,
            None => self.count(key, &|counter| hotp.from(counter))?,
        };
        Ok((counter, hotp.password(&key.key, counter)?))
    }

    /// Takes a password of the counter that the caller gave, or, once, of the key's own or soon after it.
    fn check_password(&self, hotp: Hotp, key: &Loaded, password: &[u8]) -> Result<()> {
        match hotp.given(key.object())? {
            Some(counter) if hotp.password(&key.key, counter)?.equals(password) => Ok(()),
            Some(_) => Err(Error::SignatureInvalid),
            None => self.count(key, &|counter| hotp.find(&key.key, counter, password)).map(drop),
        }
    }

    fn count(&self, key: &Loaded, choose: &dyn Fn(u64) -> Result<u64>) -> Result<u64> {
        self.partition().count(key.named(), choose).map_err(Error::of_key)
    }
}
