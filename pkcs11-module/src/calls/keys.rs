//! Key management. PKCS #11 3.2, section 5.18.

use cryptoki_sys::CK_OBJECT_HANDLE;
use hsm_core::mechanism::Mechanism;
use hsm_core::object::Template;
use hsm_core::session::ObjectHandle;

use crate::ffi::{Out, Place, Returned};
use crate::library::Library;
use crate::rv::Outcome;

type HandlePlace<'call> = Outcome<Place<'call, CK_OBJECT_HANDLE>>;

/// C_GenerateKey.
pub(crate) fn generate(
    library: &Library,
    session: u64,
    mechanism: Outcome<Mechanism>,
    template: Outcome<Template>,
    key: HandlePlace<'_>,
) -> Outcome {
    let session = library.session(session)?;
    let key = key?;
    key.put(session.generate_key(&mechanism?, template?)?.0);
    Ok(())
}

/// C_GenerateKeyPair.
pub(crate) fn generate_pair(
    library: &Library,
    session: u64,
    mechanism: Outcome<Mechanism>,
    public: Outcome<Template>,
    private: Outcome<Template>,
    public_key: HandlePlace<'_>,
    private_key: HandlePlace<'_>,
) -> Outcome {
    let session = library.session(session)?;
    let (public_key, private_key) = (public_key?, private_key?);
    let (public, private) = session.generate_key_pair(&mechanism?, public?, private?)?;
    public_key.put(public.0);
    private_key.put(private.0);
    Ok(())
}

/// C_WrapKey.
pub(crate) fn wrap(
    library: &Library,
    session: u64,
    mechanism: Outcome<Mechanism>,
    wrapping: u64,
    key: u64,
    out: Outcome<Out<'_>>,
) -> Outcome {
    let session = library.session(session)?;
    let (mechanism, out) = (mechanism?, out?);
    out.fill(|output| session.wrap_key(&mechanism, ObjectHandle(wrapping), ObjectHandle(key), output))
}

/// C_UnwrapKey.
pub(crate) fn unwrap(
    library: &Library,
    session: u64,
    mechanism: Outcome<Mechanism>,
    unwrapping: u64,
    wrapped: Outcome<&[u8]>,
    template: Outcome<Template>,
    key: HandlePlace<'_>,
) -> Outcome {
    let session = library.session(session)?;
    let key = key?;
    key.put(session.unwrap_key(&mechanism?, ObjectHandle(unwrapping), wrapped?, template?)?.0);
    Ok(())
}

/// C_DeriveKey. Some mechanisms make more than one key, or give something else back.
pub(crate) fn derive(
    library: &Library,
    session: u64,
    mechanism: Outcome<Mechanism>,
    returned: Outcome<Returned<'_>>,
    base: u64,
    template: Outcome<Template>,
    key: HandlePlace<'_>,
) -> Outcome {
    let session = library.session(session)?;
    let mechanism = mechanism?;
    let returned = returned?;
    let key = if returned.has_all() { None } else { Some(key?) };
    let mut failed = None;
    let derived = session
        .derive(&mechanism, ObjectHandle(base), template?, &mut failed)
        .inspect_err(|_| failed.into_iter().for_each(|at| returned.put_failed(at)))?;
    if let Some((place, made)) = key.zip(derived.keys.first()) {
        place.put(made.0);
    }
    returned.put(&derived);
    Ok(())
}
