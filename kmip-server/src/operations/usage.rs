//! What a client may use of an object: Check, Obtain Lease, Get Usage Allocation. KMIP 1.4, sections
//! 4.10, 4.17 and 4.18; 2.1, sections 6.1.7, 6.1.24 and 6.1.34.

use hsm_core::Error;
use hsm_core::object::lifecycle::{Action, check};
use hsm_core::object::managed::{Date, UsageLimits};
use hsm_core::object::{lifecycle, usage_mask};

use crate::attributes::read::LEASE_SECONDS;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::objects::template;
use crate::ttlv::enums::ResultReason as Reason;
use crate::ttlv::{Fields, Item, Tag};

/// Cryptographic Usage Mask (KMIP 1.4, section 9.1.3.3.1): uses that apply protection.
const PROTECTING: u32 = SIGN | ENCRYPT | WRAP | MAC_GENERATE;
const SIGN: u32 = 0x01;
const ENCRYPT: u32 = 0x04;
const WRAP: u32 = 0x10;
const MAC_GENERATE: u32 = 0x80;

/// Check: whether the client may use an object so. Where it may not, the ID Placeholder is emptied, and the
/// refusal's payload has the wishes that were the reason: section 4.10. In 2.x it has no payload, since the cases
/// of the Baseline profile (BL-M-2-21, BL-M-3-21) have none.
///
/// # Errors
/// [`Reason::IncompatibleCryptographicUsageMask`], [`Reason::UsageLimitExceeded`],
/// [`Reason::PermissionDenied`] for a lease that is not given.
pub fn check_use(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let count = fields.take_long(Tag::USAGE_LIMITS_COUNT)?;
    let mask = fields.take_integer(Tag::CRYPTOGRAPHIC_USAGE_MASK)?;
    let lease = fields.take_interval(Tag::LEASE_TIME)?;
    fields.end()?;
    let outcome = allows(context, &id, count, mask, lease);
    if outcome.is_err() {
        context.leave_none();
    }
    outcome.map(|()| vec![id_field(&id)])
}

fn allows(
    context: &Context<'_>,
    id: &str,
    count: Option<i64>,
    mask: Option<i32>,
    lease: Option<u32>,
) -> Outcome<()> {
    let found = context.load(id, Action::Look)?;
    let object = found.object();
    // In the order of the answer's table; the reason is that of the first.
    let mut denied: Vec<(Failure, Item)> = Vec::new();
    if let (Some(asked), Some(limits)) = (count, UsageLimits::of(object)) {
        let count = u64::try_from(asked).map_err(|_| invalid_field("the count is negative"))?;
        if count > limits.left {
            denied.push((Error::UsageLimitExceeded.into(), Item::long(Tag::USAGE_LIMITS_COUNT, asked)));
        }
    }
    if let Some(asked) = mask.filter(|mask| !usage_mask::of(object) & mask.cast_unsigned() != 0) {
        let text = "the usage mask does not allow this use";
        let failure = Failure::new(Reason::IncompatibleCryptographicUsageMask, text);
        denied.push((failure, Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, asked)));
    }
    if let Some(asked) = lease.filter(|seconds| *seconds > LEASE_SECONDS) {
        let failure = Failure::new(Reason::PermissionDenied, "no lease is given for so long");
        denied.push((failure, Item::interval(Tag::LEASE_TIME, asked)));
    }
    let (failures, wishes): (Vec<Failure>, Vec<Item>) = denied.into_iter().unzip();
    let wishes = if context.is_2() { Vec::new() } else { wishes };
    failures.into_iter().next().map_or(Ok(()), |failure| Err(failure.with(wishes)))
}

/// Obtain Lease: every lease lasts as long as any other, and objects that are gone have none.
///
/// # Errors
/// [`Reason::ObjectDestroyed`], [`Reason::ObjectArchived`], [`Reason::IllegalOperation`] for a template.
pub fn obtain_lease(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    fields.end()?;
    template::refuse(context, &id)?;
    let found = context.load(&id, Action::Read)?;
    let mut out = vec![id_field(&id), Item::interval(Tag::LEASE_TIME, LEASE_SECONDS)];
    let changed = Date::LastChange.of(found.object());
    out.push(Item::date(Tag::LAST_CHANGE_DATE, changed.unwrap_or_default()));
    Ok(out)
}

/// Get Usage Allocation: takes units from an object's usage limits for the client to use.
///
/// # Errors
/// [`Reason::WrongKeyLifecycleState`] while the object does not protect; [`Reason::UsageLimitExceeded`];
/// [`Reason::AttributeNotFound`] without limits; [`Reason::IncompatibleCryptographicUsageMask`].
pub fn allocate(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let count = fields.need(Tag::USAGE_LIMITS_COUNT)?.as_long()?;
    fields.end()?;
    let count = u64::try_from(count).map_err(|_| invalid_field("the count is negative"))?;
    template::refuse(context, &id)?;
    let found = context.load(&id, Action::Protect)?;
    if UsageLimits::of(found.object()).is_none() {
        return Err(Failure::new(Reason::AttributeNotFound, "the object has no usage limits"));
    }
    if usage_mask::of(found.object()) & PROTECTING == 0 {
        return Err(Failure::new(
            Reason::IncompatibleCryptographicUsageMask,
            "the object is not used to apply protection",
        ));
    }
    context.space.change(&id, Action::Change, &|before, after| {
        check(before, Action::Protect, lifecycle::now())?;
        let limits = UsageLimits::of(before).ok_or(Error::UsageLimitExceeded)?;
        let left = limits.left.checked_sub(count).ok_or(Error::UsageLimitExceeded)?;
        UsageLimits { left, ..limits }.put(after);
        Ok(())
    })?;
    Ok(vec![id_field(&id)])
}
