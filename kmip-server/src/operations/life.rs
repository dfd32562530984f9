//! Activate, Revoke, Destroy, Archive, Recover: KMIP 1.4, sections 4.19 to 4.23; 2.1, sections 6.1.1,
//! 6.1.5, 6.1.16, 6.1.46 and 6.1.50.

use hsm_core::object::lifecycle::{Action, State};
use hsm_core::object::managed::{Date, set_state};
use hsm_core::object::{Object, lifecycle};

use crate::attributes::Editor;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome};
use crate::objects::template;
use crate::ttlv::enums::{ResultReason as Reason, RevocationReasonCode as Code};
use crate::ttlv::{Fields, Item, Tag};

/// Activate.
///
/// # Errors
/// [`Reason::WrongKeyLifecycleState`] unless the object is Pre-Active; [`Reason::IllegalOperation`] for a
/// template.
pub fn activate(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    fields.end()?;
    template::refuse(context, &id)?;
    context.space.change(&id, Action::Activate, &|_, after| {
        set_state(after, State::Active);
        Date::Activation.set(after, Some(lifecycle::now()));
        Ok(())
    })?;
    Ok(vec![id_field(&id)])
}

/// Revoke.
///
/// # Errors
/// As [`activate`].
pub fn revoke(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let reason = fields.need(Tag::REVOCATION_REASON)?;
    let occurrence = fields.take(Tag::COMPROMISE_OCCURRENCE_DATE).map(Item::as_date).transpose()?;
    fields.end()?;
    let code: Code = {
        let mut inside = Fields::new(reason)?;
        let code = inside.need(Tag::REVOCATION_REASON_CODE)?.as_value_of()?;
        inside.take(Tag::REVOCATION_MESSAGE).map(Item::as_text).transpose()?;
        inside.end()?;
        code
    };
    template::refuse(context, &id)?;
    let compromised = matches!(code, Code::KeyCompromise | Code::CACompromise);
    let action = if compromised { Action::Compromise } else { Action::Deactivate };
    context.space.change(&id, action, &|before, after| {
        let now = lifecycle::now();
        if compromised {
            compromise(before, after, occurrence.unwrap_or(now), now);
        } else {
            set_state(after, State::Deactivated);
            Date::Deactivation.set(after, Some(now));
        }
        let mut editor = Editor::new(after);
        editor.keep(Tag::REVOCATION_REASON, std::slice::from_ref(reason));
        editor.finish()
    })?;
    Ok(vec![id_field(&id)])
}

/// A destroyed object stays destroyed and becomes compromised as well.
fn compromise(before: &Object, after: &mut Object, occurrence: i64, now: i64) {
    let destroyed = lifecycle::state(before, now).is_destroyed();
    set_state(after, if destroyed { State::DestroyedCompromised } else { State::Compromised });
    Date::Compromise.set(after, Some(now));
    Date::CompromiseOccurrence.set(after, Some(occurrence));
}

/// Destroy.
///
/// # Errors
/// [`Reason::WrongKeyLifecycleState`] for Active objects, [`Reason::ObjectDestroyed`].
pub fn destroy(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    fields.end()?;
    context.space.write(&mut |changes| changes.destroy(&id))?;
    Ok(vec![id_field(&id)])
}

/// Archive.
///
/// # Errors
/// [`Reason::ObjectArchived`] where it is already.
pub fn archive(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    fields.end()?;
    if Date::Archive.of(context.load(&id, Action::Look)?.object()).is_some() {
        return Err(Failure::new(Reason::ObjectArchived, "the object is archived already"));
    }
    context.space.change(&id, Action::Archive, &|_, after| {
        Date::Archive.set(after, Some(lifecycle::now()));
        Ok(())
    })?;
    Ok(vec![id_field(&id)])
}

/// Recover: the object is on-line again.
///
/// # Errors
/// [`Reason::ObjectNotFound`].
pub fn recover(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    fields.end()?;
    context.space.change(&id, Action::Archive, &|_, after| {
        Date::Archive.set(after, None);
        Ok(())
    })?;
    Ok(vec![id_field(&id)])
}
