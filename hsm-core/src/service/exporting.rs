//! Keys on their way out in clear, in the forms of other standards.

use cryptoki_sys::*;

use crate::audit::acts;
use crate::error::{Error, Result};
use crate::object::formats::{self, Format};
use crate::object::lifecycle::{self, Action};
use crate::secret::Secret;
use crate::session::{ObjectHandle, Session};

impl Session {
    /// Writes a key: a private one as PrivateKeyInfo, a public one as SubjectPublicKeyInfo, a secret one as its
    /// value. What leaves in clear is in the audit log.
    ///
    /// # Errors
    /// [`Error::KeyUnextractable`] for a key that is sensitive or not extractable; [`Error::KeyTypeInconsistent`]
    /// for one that has no such form; those of its state.
    pub fn export_key(&self, key: ObjectHandle) -> Result<Secret> {
        let loaded = self.key(key)?;
        let object = loaded.object();
        if object.class() == CKO_PUBLIC_KEY {
            return formats::encode(object, Format::X509).map(|info| Secret::copy_of(&info));
        }
        if object.hides_secrets() {
            return Err(Error::KeyUnextractable);
        }
        lifecycle::check(object, Action::Read, lifecycle::now())?;
        let value = match object.class() {
            CKO_PRIVATE_KEY => Secret::copy_of(&formats::encode(object, Format::Pkcs8)?),
            CKO_SECRET_KEY | CKO_OTP_KEY => Secret::copy_of(object.bytes(CKA_VALUE)),
            _ => return Err(Error::KeyTypeInconsistent),
        };
        self.partition().note_of(acts::EXPORT_KEY, loaded.identity)?.write()?;
        Ok(value)
    }
}
