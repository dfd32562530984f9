//! How signatures and verifications end: most by the key alone, one-time passwords by a counter too, which is the
//! caller's or the key's own. PKCS #11 3.2, section 6.53.

use crate::error::{Error, Result};
use crate::mechanism::{Hotp, Signing, Verifying};
use crate::partition::Loaded;
use crate::session::Session;

impl Session {
    /// Whether what the running signature gives is a one-time password. It has its counter before it, of
    /// [`COUNTER_LEN`](crate::object::otp::COUNTER_LEN) bytes, for the door to put both into the standard's structure.
    pub fn signs_password(&self) -> bool {
        self.operations().sign.as_ref().is_some_and(|sign| sign.operation.hotp().is_some())
    }

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
                self.password(hotp, key, out)
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

    /// Writes counter and password. The key's own counter has moved on before anybody has them.
    fn password(&self, hotp: Hotp, key: &Loaded, out: &mut [u8]) -> Result<usize> {
        let counter = match hotp.given(key.object())? {
            Some(counter) => counter,
            None => self.count(key, &|counter| hotp.from(counter))?,
        };
        let password = hotp.password(&key.key, counter)?;
        crate::mechanism::put(out, &[&counter.to_be_bytes()[..], password.expose()].concat())
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
