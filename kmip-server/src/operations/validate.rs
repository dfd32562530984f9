//! Validate: KMIP 1.4, section 4.24; 2.1, section 6.1.57. What a server trusts is its own decision: here,
//! certificates that issued themselves and are objects of this server, and the issuer of the server's settings.

use cryptoki_sys::CKA_VALUE;
use hsm_core::certificate::{Verdict, judge, read_certificate};
use hsm_core::object::lifecycle::{self, Action, Seconds, State};
use hsm_core::object::managed::ObjectType;
use hsm_core::service::Item as Found;

use crate::context::Context;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::{CertificateType, ResultReason as Reason, ValidityIndicator};
use crate::ttlv::{Fields, Item, Tag};

/// The longest chain that is looked at.
const LONGEST: usize = 32;

/// Validate.
///
/// # Errors
/// Those of the payload and of the objects it names; [`Reason::InvalidField`] for certificates that are no
/// single chain.
pub fn validate(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let mut chain = Vec::new();
    for certificate in fields.take_all(Tag::CERTIFICATE) {
        chain.push(given(certificate)?);
    }
    let ids: Vec<String> =
        fields.take_all(Tag::UNIQUE_IDENTIFIER).map(|id| context.resolve(id)).collect::<Outcome<_>>()?;
    let moment = fields.take(Tag::VALIDITY_DATE).map(Item::as_date).transpose()?;
    fields.end()?;
    if chain.is_empty() && ids.is_empty() {
        return Err(Failure::new(Reason::MissingData, "no certificate is given"));
    }
    if chain.len() + ids.len() > LONGEST {
        return Err(invalid_field("the chain is too long"));
    }
    let at = moment.unwrap_or_else(lifecycle::now);
    let moment = u64::try_from(at).map_err(|_| invalid_field("certificates have no dates before 1970"))?;
    let mut anchors = Vec::new();
    let mut is_revoked = false;
    for id in &ids {
        let found = certificate(context, id)?;
        is_revoked |= is_out_of_use(&found, at);
        let der = found.object().bytes(CKA_VALUE).to_vec();
        let is_root = read_certificate(&der).is_ok_and(|says| says.issuer == says.subject);
        if is_root {
            anchors.push(der.clone());
        }
        chain.push(der);
    }
    anchors.extend(own_issuer(context, at));
    let verdict = if is_revoked { Verdict::Invalid } else { verdict(&chain, &anchors, moment)? };
    Ok(vec![Item::enumeration(
        Tag::VALIDITY_INDICATOR,
        match verdict {
            Verdict::Valid => ValidityIndicator::Valid,
            Verdict::Invalid => ValidityIndicator::Invalid,
            Verdict::Unknown => ValidityIndicator::Unknown,
        },
    )])
}

fn verdict(chain: &[Vec<u8>], anchors: &[Vec<u8>], moment: u64) -> Outcome<Verdict> {
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let anchors: Vec<&[u8]> = anchors.iter().map(Vec::as_slice).collect();
    judge(&chain, &anchors, moment).map_err(|_| invalid_field("these are not the certificates of one chain"))
}

/// The bytes of a certificate in the request.
fn given(certificate: &Item) -> Outcome<Vec<u8>> {
    let mut fields = Fields::new(certificate)?;
    let kind: CertificateType = fields.need(Tag::CERTIFICATE_TYPE)?.as_value_of()?;
    let value = fields.need(Tag::CERTIFICATE_VALUE)?.as_bytes()?.to_vec();
    fields.end()?;
    if kind != CertificateType::X_509 {
        return Err(Failure::new(Reason::FeatureNotSupported, "X.509 certificates are validated"));
    }
    Ok(value)
}

/// A certificate of this server.
fn certificate(context: &Context<'_>, id: &str) -> Outcome<Found> {
    let found = context.load(id, Action::Read)?;
    if ObjectType::of(found.object()) != ObjectType::Certificate {
        return Err(Failure::new(Reason::InvalidObjectType, "certificates are validated"));
    }
    Ok(found)
}

/// Whether a certificate was revoked, or out of date at a moment. A compromise counts at any.
fn is_out_of_use(found: &Found, at: Seconds) -> bool {
    let then = lifecycle::state_at(found.object(), at);
    let is_compromised = lifecycle::state(found.object(), lifecycle::now()).is_compromised();
    is_compromised || !matches!(then, State::PreActive | State::Active)
}

/// The issuer of the server's settings, if there is one and it is in use.
fn own_issuer(context: &Context<'_>, at: Seconds) -> Option<Vec<u8>> {
    let id = context.settings.issuer.as_ref()?;
    let found = context.engine.own_space().and_then(|space| Ok(space.load(id, Action::Read)?));
    match found {
        Ok(found) if !is_out_of_use(&found, at) => Some(found.object().bytes(CKA_VALUE).to_vec()),
        Ok(_) => None,
        Err(failure) => {
            log::warn!("kmip.issuer, {id}, is not an anchor now: {}", failure.message);
            None
        }
    }
}
