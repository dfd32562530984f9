//! Finding objects and seeing their attributes. PKCS #11 3.0, section 5.7. What is found is what the
//! client's own view holds, and every handle is looked up in that view again.

use hsm_core::Error;
use hsm_core::object::find::Search;
use hsm_core::object::lifecycle::Action;
use hsm_core::object::locate::Criterion;
use hsm_core::service::Item as Found;

use super::{Call, Code, Input, Out, Output, Refusal, Result};

/// The most objects that an interface has handles of.
const MOST: usize = 1 << 16;
/// The most handles of a call.
const MOST_OF_A_CALL: usize = 4096;

impl Call<'_, '_> {
    /// Reads an object's handle.
    pub(super) fn object(&self, input: &mut Input<'_>) -> Result<Found> {
        let handle = input.number()?;
        let id = self.interface.objects.get(&handle).ok_or(Error::NoSuchObject)?;
        let found = self.context.space.load(id, Action::Look)?;
        self.context.note(found.id());
        Ok(found)
    }
}

/// C_FindObjectsInit. What it finds is what is there now.
pub(super) fn find_init(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let handle = input.number()?;
    let template = input.template()?;
    input.end()?;
    let space = call.context.space;
    let session = call.interface.sessions.get(&handle).ok_or(Refusal::from(Code::SESSION_HANDLE_INVALID))?;
    if session.found.is_some() {
        return Err(Error::OperationActive.into());
    }
    let search = Search::new(template);
    let items = space.locate(&[Criterion::Any], false, &|object| search.matches(object))?;
    // Handed out from the end.
    let found: Vec<u64> = items.iter().rev().map(|item| space.handle(item).0).collect();
    let interface = &mut *call.interface;
    if interface.objects.len().saturating_add(items.len()) > MOST {
        return Err(Code::HOST_MEMORY.into());
    }
    interface.objects.extend(items.iter().map(|item| (space.handle(item).0, item.id())));
    if let Some(session) = interface.sessions.get_mut(&handle) {
        session.found = Some(found);
    }
    Ok(None)
}

/// C_FindObjects.
pub(super) fn find(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let session = call.session(input)?;
    let most = usize::try_from(input.number()?).unwrap_or(usize::MAX).min(MOST_OF_A_CALL);
    input.end()?;
    let found = session.found.as_mut().ok_or(Error::OperationNotInitialised)?;
    let next = found.split_off(found.len().saturating_sub(most));
    let out = Output::default().count(next.len());
    Ok(next.iter().rev().fold(out, |out, handle| out.number(*handle)).done())
}

/// C_FindObjectsFinal.
pub(super) fn find_final(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let session = call.session(input)?;
    input.end()?;
    session.found.take().ok_or(Error::OperationNotInitialised)?;
    Ok(None)
}

/// C_GetAttributeValue. What may not be read has no value in the answer, and the return code says why.
pub(super) fn attributes(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    call.session(input)?;
    let item = call.object(input)?;
    let kinds = input.wanted()?;
    input.end()?;
    let mut out = Output::default().count(kinds.len());
    let mut code = None;
    for kind in kinds {
        let value = item.object().visible(kind);
        out = out.attribute(kind, value.as_ref().ok().copied());
        match value {
            Ok(_) => {}
            Err(Error::AttributeSensitive(_)) => code = Some(Code::ATTRIBUTE_SENSITIVE),
            Err(_) => code = code.or(Some(Code::ATTRIBUTE_TYPE_INVALID)),
        }
    }
    match code {
        None => Ok(out.done()),
        Some(code) => Err(Refusal::Code(code, out.done())),
    }
}

/// C_GetObjectSize.
pub(super) fn size(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let session = call.core_session(input)?;
    let item = call.object(input)?;
    input.end()?;
    let size = session.object_size(call.context.space.handle(&item))?;
    Ok(Output::default().count(usize::try_from(size).unwrap_or(usize::MAX)).done())
}
