//! Object management. PKCS #11 3.2, section 5.7.

use cryptoki_sys::*;
use hsm_core::object::Template;
use hsm_core::session::ObjectHandle;

use crate::ffi::{Bounded, Place, Query};
use crate::library::Library;
use crate::rv::Outcome;

/// C_CreateObject.
pub(crate) fn create(
    library: &Library,
    session: u64,
    template: Outcome<Template>,
    object: Outcome<Place<'_, CK_OBJECT_HANDLE>>,
) -> Outcome {
    let session = library.session(session)?;
    let object = object?;
    object.put(session.create_object(template?)?.0);
    Ok(())
}

/// C_CopyObject.
pub(crate) fn copy(
    library: &Library,
    session: u64,
    object: u64,
    template: Outcome<Template>,
    copy: Outcome<Place<'_, CK_OBJECT_HANDLE>>,
) -> Outcome {
    let session = library.session(session)?;
    let copy = copy?;
    copy.put(session.copy_object(ObjectHandle(object), template?)?.0);
    Ok(())
}

/// C_DestroyObject.
pub(crate) fn destroy(library: &Library, session: u64, object: u64) -> Outcome {
    Ok(library.session(session)?.destroy_object(ObjectHandle(object))?)
}

/// C_GetObjectSize.
pub(crate) fn size(
    library: &Library,
    session: u64,
    object: u64,
    size: Outcome<Place<'_, CK_ULONG>>,
) -> Outcome {
    let session = library.session(session)?;
    let size = size?;
    size.put(session.object_size(ObjectHandle(object))?);
    Ok(())
}

/// C_GetAttributeValue.
pub(crate) fn attributes(library: &Library, session: u64, object: u64, query: Outcome<Query<'_>>) -> Outcome {
    let session = library.session(session)?;
    let query = query?;
    let view = session.view(ObjectHandle(object))?;
    query.answer(|kind, gives| if gives { view.attribute(kind) } else { view.measured(kind) })
}

/// C_SetAttributeValue.
pub(crate) fn set_attributes(
    library: &Library,
    session: u64,
    object: u64,
    template: Outcome<Template>,
) -> Outcome {
    let session = library.session(session)?;
    Ok(session.set_attributes(ObjectHandle(object), template?)?)
}

/// C_FindObjectsInit.
pub(crate) fn find_init(library: &Library, session: u64, template: Outcome<Template>) -> Outcome {
    let session = library.session(session)?;
    Ok(session.find_init(template?)?)
}

/// C_FindObjects.
pub(crate) fn find(
    library: &Library,
    session: u64,
    found: Outcome<Bounded<'_, CK_OBJECT_HANDLE>>,
) -> Outcome {
    // Unlike other operations, a search goes on after a bad argument: only C_FindObjectsFinal ends one.
    let session = library.session(session)?;
    let found = found?;
    let handles = session.find(found.room())?;
    let handles: Vec<CK_OBJECT_HANDLE> = handles.into_iter().map(|handle| handle.0).collect();
    found.fill(&handles);
    Ok(())
}

/// C_FindObjectsFinal.
pub(crate) fn find_final(library: &Library, session: u64) -> Outcome {
    Ok(library.session(session)?.find_final()?)
}
