//! Key management. PKCS #11 3.2, section 5.18.

use cryptoki_sys::CK_OBJECT_HANDLE;
use hsm_core::mechanism::{Mechanism, Sealed};
use hsm_core::object::Template;
use hsm_core::session::ObjectHandle;

use crate::ffi::{Out, Place, Returned, SealedWrapping, Wrapping};
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
    mechanism: Outcome<Wrapping<'_>>,
    wrapping: u64,
    key: u64,
    out: Outcome<Out<'_>>,
) -> Outcome {
    let open = library.session(session)?;
    match mechanism? {
        Wrapping::Plain(mechanism) => {
            out?.fill(|output| open.wrap_key(&mechanism, ObjectHandle(wrapping), ObjectHandle(key), output))
        }
        Wrapping::Sealed(sealed) => wrap_authenticated(library, session, Ok(sealed), wrapping, key, out),
    }
}

/// C_WrapKeyAuthenticated.
pub(crate) fn wrap_authenticated(
    library: &Library,
    session: u64,
    mechanism: Outcome<SealedWrapping<'_>>,
    wrapping: u64,
    key: u64,
    out: Outcome<Out<'_>>,
) -> Outcome {
    let session = library.session(session)?;
    let (SealedWrapping { kind, parameter, aad }, out) = (mechanism?, out?);
    let keys = (ObjectHandle(wrapping), ObjectHandle(key));
    let mut sealed = Sealed::default();
    out.fill(|output| {
        sealed = session.wrap_key_sealed(kind, &parameter.to_encrypt(), &aad, keys, output)?;
        Ok(sealed.length)
    })?;
    parameter.take(&sealed);
    Ok(())
}

/// C_UnwrapKey.
pub(crate) fn unwrap(
    library: &Library,
    session: u64,
    mechanism: Outcome<Wrapping<'_>>,
    unwrapping: u64,
    wrapped: Outcome<&[u8]>,
    template: Outcome<Template>,
    key: HandlePlace<'_>,
) -> Outcome {
    let open = library.session(session)?;
    let key = key?;
    match mechanism? {
        Wrapping::Plain(mechanism) => {
            key.put(open.unwrap_key(&mechanism, ObjectHandle(unwrapping), wrapped?, template?)?.0);
            Ok(())
        }
        Wrapping::Sealed(sealed) => {
            unwrap_authenticated(library, session, Ok(sealed), unwrapping, wrapped, template, Ok(key))
        }
    }
}

/// C_UnwrapKeyAuthenticated.
pub(crate) fn unwrap_authenticated(
    library: &Library,
    session: u64,
    mechanism: Outcome<SealedWrapping<'_>>,
    unwrapping: u64,
    wrapped: Outcome<&[u8]>,
    template: Outcome<Template>,
    key: HandlePlace<'_>,
) -> Outcome {
    let session = library.session(session)?;
    let key = key?;
    let SealedWrapping { kind, parameter, aad } = mechanism?;
    let wrapped = (ObjectHandle(unwrapping), wrapped?);
    key.put(session.unwrap_key_sealed(kind, &parameter.to_decrypt(), &aad, wrapped, template?)?.0);
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

/// C_EncapsulateKey. A caller who asks for the ciphertext's length alone gets no key, and need not have a
/// place for one.
pub(crate) fn encapsulate(
    library: &Library,
    session: u64,
    mechanism: Outcome<Mechanism>,
    public: u64,
    template: Outcome<Template>,
    out: Outcome<Out<'_>>,
    key: HandlePlace<'_>,
) -> Outcome {
    let session = library.session(session)?;
    let (mechanism, template, out) = (mechanism?, template?, out?);
    let place = if out.asks_for_length() { None } else { Some(key?) };
    let mut made = None;
    out.fill(|output| {
        let (length, key) = session.encapsulate_key(&mechanism, ObjectHandle(public), template, output)?;
        made = key;
        Ok(length)
    })?;
    if let (Some(place), Some(key)) = (place, made) {
        place.put(key.0);
    }
    Ok(())
}

/// C_DecapsulateKey.
pub(crate) fn decapsulate(
    library: &Library,
    session: u64,
    mechanism: Outcome<Mechanism>,
    private: u64,
    template: Outcome<Template>,
    ciphertext: Outcome<&[u8]>,
    key: HandlePlace<'_>,
) -> Outcome {
    let session = library.session(session)?;
    let key = key?;
    let made = session.decapsulate_key(&mechanism?, ObjectHandle(private), template?, ciphertext?)?;
    key.put(made.0);
    Ok(())
}
