//! Certify and Re-certify: KMIP 1.4, sections 4.7 and 4.8; 2.1, sections 6.1.6 and 6.1.45.

use cryptoki_sys::CKA_VALUE;
use hsm_core::certificate::{Certificate, Request, check_signature, read_certificate, read_request};
use hsm_core::object::lifecycle::{self, Action, Seconds};
use hsm_core::object::managed::{Link, Managed, ObjectType};
use hsm_core::object::material::Key;
use hsm_core::service::{Changes, Item as Found, Provenance};

use super::create::merged;
use crate::attributes::Attributes;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::objects::certificate;
use crate::objects::draft::{self, Parts, Said, Signer};
use crate::objects::fresh::{self, Origin, Wanted};
use crate::objects::replacement::{inherited, link, linked, retire};
use crate::ttlv::enums::{
    CertificateRequestType as RequestType, CertificateType, LinkType, ResultReason as Reason,
    UniqueIdentifier,
};
use crate::ttlv::{Fields, Item, Tag};

/// What PEM calls a request: RFC 7468, section 7, and what older programs write.
const PEM_LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// Certify: a certificate for a public key of this server, or for that of a request.
///
/// # Errors
/// [`Reason::InvalidCSR`]; those of the payload, of the issuer, of the key's state, and of the store.
pub fn certify(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let named = context.optional_id(&mut fields, Tag::UNIQUE_IDENTIFIER)?;
    let request = take_request(&mut fields)?;
    let mut attributes = super::wanted(context, &mut fields, Tag::TEMPLATE_ATTRIBUTE, Tag::ATTRIBUTES)?;
    super::check_storage(&mut fields, Tag::PROTECTION_STORAGE_MASKS)?;
    fields.end()?;
    let id = match (named, &request) {
        (Some(id), _) => Some(id),
        (None, Some(_)) => None,
        (None, None) => Some(context.id(&mut Fields::of(&[]))?),
    };
    let (found, request) = certified(context, id.as_deref(), request)?;
    let said = Said::take(&mut attributes)?;
    let wanted = Wanted::new(attributes)?;
    let mut parts = match &found {
        Some(found) => draft::of_public_key(found)?,
        None => Parts::default(),
    };
    apply(&mut parts, &said, &wanted, request.as_ref())?;
    let private = found.as_ref().and_then(|found| {
        linked(&Managed::of(found.object()), LinkType::PrivateKeyLink).map(ToOwned::to_owned)
    });
    let signer = Signer::find(context, said.issuer.as_deref(), private.as_deref())?;
    let links: Vec<Item> = found.iter().map(|found| link(LinkType::PublicKeyLink, &found.id())).collect();
    let key = made(context, &signer, &parts, links, &wanted)?;
    let public = found.map(|found| found.id());
    let new = context.fresh_id()?;
    let mut key = Some(key);
    context.space.write(&mut |changes| {
        if let Some(public) = &public {
            point_to(changes, public, None, &new)?;
        }
        key.take().map_or(Ok(()), |key| changes.insert(key, Provenance::Inside, &new))
    })?;
    context.leave(UniqueIdentifier::Certify, &new);
    Ok(vec![id_field(&new)])
}

/// The public key that is certified, if it is here, and the request, if there is one.
fn certified(
    context: &Context<'_>,
    id: Option<&str>,
    request: Option<Request>,
) -> Outcome<(Option<Found>, Option<Request>)> {
    let Some(id) = id else { return Ok((None, request)) };
    let found = context.load(id, Action::Read)?;
    draft::must_be_good(&found)?;
    match (ObjectType::of(found.object()), request) {
        (ObjectType::PublicKey, Some(request)) => {
            if draft::of_public_key(&found)?.public_key != request.public_key {
                return Err(Failure::new(Reason::InvalidCSR, "the request is for another key"));
            }
            Ok((Some(found), Some(request)))
        }
        (ObjectType::PublicKey, None) => Ok((Some(found), None)),
        (ObjectType::CertificateRequest, None) => Ok((None, Some(request_of(&found)?))),
        _ => Err(Failure::new(
            Reason::InvalidObjectType,
            "a public key is certified, or a certificate request",
        )),
    }
}

/// Takes the request of a payload. 2.x calls it Certificate Request Value.
fn take_request(fields: &mut Fields<'_>) -> Outcome<Option<Request>> {
    let kind = fields.take_value_of::<RequestType>(Tag::CERTIFICATE_REQUEST_TYPE)?;
    let value = fields.take(Tag::CERTIFICATE_REQUEST_VALUE).or_else(|| fields.take(Tag::CERTIFICATE_REQUEST));
    let Some(value) = value else { return Ok(None) };
    let missing = || Failure::new(Reason::MissingData, "the request's type is missing");
    read(kind.ok_or_else(missing)?, value.as_bytes()?).map(Some)
}

/// The request that an object is.
fn request_of(found: &Found) -> Outcome<Request> {
    let object = found.object();
    let kind = Attributes::of(object).first(Tag::CERTIFICATE_REQUEST_TYPE);
    let kind = kind.and_then(|kind| kind.as_value_of().ok()).unwrap_or(RequestType::PKCS_10);
    read(kind, object.bytes(CKA_VALUE))
}

/// Reads a request, whose sender must have the key.
fn read(kind: RequestType, value: &[u8]) -> Outcome<Request> {
    let bad = |text: &str| Failure::new(Reason::InvalidCSR, text);
    let der = match kind {
        RequestType::PKCS_10 => value.to_vec(),
        RequestType::PEM => match der::pem::decode_vec(value) {
            Ok((label, der)) if PEM_LABELS.contains(&label) => der,
            _ => return Err(bad("the request is no PEM of one")),
        },
        RequestType::CRMF | RequestType::PGP => {
            return Err(Failure::new(Reason::FeatureNotSupported, "requests of PKCS #10 and PEM are read"));
        }
    };
    let request = read_request(&der).map_err(|_| bad("the request is none of PKCS #10"))?;
    check_signature(&der, &request.public_key).map_err(|_| bad("the request's signature does not verify"))?;
    Ok(request)
}

/// Puts together what request, attributes and key say of a certificate: the request goes first.
fn apply(parts: &mut Parts, said: &Said, wanted: &Wanted, request: Option<&Request>) -> Outcome<()> {
    if let Some(subject) = &said.subject {
        parts.subject.clone_from(subject);
    }
    if let Some(mask) = said.mask {
        parts.usage = draft::usages(mask);
    }
    if let Some(request) = request {
        parts.public_key.clone_from(&request.public_key);
        if request.subject.der != draft::EMPTY_NAME || parts.subject.is_empty() {
            parts.subject.clone_from(&request.subject.der);
        }
        if request.subject_alternative.is_some() {
            parts.alternative.clone_from(&request.subject_alternative);
        }
    }
    let date = |tag| wanted.first(tag).map(Item::as_date).transpose();
    parts.not_before = date(Tag::ACTIVATION_DATE)?.or(parts.not_before);
    parts.not_after = date(Tag::DEACTIVATION_DATE)?.or(parts.not_after);
    Ok(())
}

/// The new certificate, ready for the store.
fn made(
    context: &Context<'_>,
    signer: &Signer,
    parts: &Parts,
    mut links: Vec<Item>,
    wanted: &Wanted,
) -> Outcome<Key> {
    let now = lifecycle::now();
    let der = signer.sign(context, parts, now)?;
    let brought = certificate::brought(context.space, CertificateType::X_509, &der)?;
    if let Some(issuer) = &signer.id {
        links.push(link(LinkType::CertificateLink, issuer));
    }
    links.retain(|link| !wanted.attributes.contains(link));
    let said = brought.attributes.into_iter().chain(links).collect();
    fresh::ready(brought.key, ObjectType::Certificate, Origin::Made, said, wanted, now)
}

/// Has a public key's Certificate Link lead to a new certificate: besides others, or in the place of `old`.
fn point_to(
    changes: &mut Changes<'_, '_>,
    public: &str,
    old: Option<&str>,
    new: &str,
) -> hsm_core::Result<()> {
    let mut object = changes.object(public, Action::Change)?;
    let mut managed = Managed::of(&object);
    let kind = LinkType::CertificateLink.number();
    managed.links.retain(|link| link.kind != kind || Some(link.target.as_str()) != old);
    managed.links.push(Link { kind, target: new.to_owned() });
    managed.put(&mut object);
    changes.replace(public, object)
}

/// Re-certify: a new certificate for the same key pair takes the place of another.
///
/// # Errors
/// As [`certify`]; [`Reason::InvalidCSR`] for a request of another key.
pub fn re_certify(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let old = context.id(&mut fields)?;
    let stored = context.optional_id(&mut fields, Tag::CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER)?;
    let request = take_request(&mut fields)?;
    let offset = fields.take_interval(Tag::OFFSET)?;
    let mut attributes = super::wanted(context, &mut fields, Tag::TEMPLATE_ATTRIBUTE, Tag::ATTRIBUTES)?;
    super::check_storage(&mut fields, Tag::PROTECTION_STORAGE_MASKS)?;
    fields.end()?;
    let request = match stored {
        Some(id) => certified(context, Some(&id), request)?.1,
        None => request,
    };
    let now = lifecycle::now();
    let found = context.load(&old, Action::Replace)?;
    let before = x509(&found)?;
    if request.as_ref().is_some_and(|request| request.public_key != before.public_key) {
        return Err(Failure::new(Reason::InvalidCSR, "the request is for another key"));
    }
    let links = Managed::of(found.object());
    if lifecycle::state(found.object(), now).is_compromised() {
        let text = "what is compromised is not renewed for the same key";
        return Err(Failure::new(Reason::WrongKeyLifecycleState, text));
    }
    let said = Said::take(&mut attributes)?;
    let asked = Wanted::new(attributes.clone())?;
    let mut all = inherited(&Attributes::of(found.object()), offset, now)?;
    all.push(link(LinkType::ReplacedObjectLink, &old));
    let wanted = Wanted { attributes: merged(&all, attributes) };
    let mut parts = renewed(&before, now, offset)?;
    apply(&mut parts, &said, &asked, request.as_ref())?;
    let public = linked(&links, LinkType::PublicKeyLink);
    let signer = renewing(context, &said, &before, &links)?;
    if said.issuer.is_none() && !signer.has_signed(found.object().bytes(CKA_VALUE), &before) {
        let text = "another issued the certificate; a Certificate Link says who is to renew it";
        return Err(Failure::new(Reason::PermissionDenied, text));
    }
    let key = made(
        context,
        &signer,
        &parts,
        public.iter().map(|public| link(LinkType::PublicKeyLink, public)).collect(),
        &wanted,
    )?;
    let new = context.fresh_id()?;
    let mut key = Some(key);
    context.space.write(&mut |changes| {
        retire(changes, &old, &new)?;
        if let Some(public) = public {
            match point_to(changes, public, Some(&old), &new) {
                // A public key that is gone points nowhere.
                Ok(()) | Err(hsm_core::Error::NoSuchObject | hsm_core::Error::ObjectDestroyed) => {}
                Err(error) => return Err(error),
            }
        }
        key.take().map_or(Ok(()), |key| changes.insert(key, Provenance::Inside, &new))
    })?;
    context.leave(UniqueIdentifier::ReCertify, &new);
    Ok(vec![id_field(&new)])
}

fn x509(found: &Found) -> Outcome<Certificate> {
    let certificate = read_certificate(found.object().bytes(CKA_VALUE)).ok();
    certificate
        .filter(|_| ObjectType::of(found.object()) == ObjectType::Certificate)
        .ok_or_else(|| Failure::new(Reason::InvalidObjectType, "an X.509 certificate is renewed"))
}

/// What a new certificate has of the one before it: all but its time, of which it has as much.
fn renewed(before: &Certificate, now: Seconds, offset: Option<u32>) -> Outcome<Parts> {
    let begins = now.checked_add(offset.unwrap_or_default().into());
    let begins = begins.ok_or_else(|| invalid_field("the offset leads out of time"))?;
    Ok(Parts {
        subject: before.subject.der.clone(),
        public_key: before.public_key.clone(),
        usage: before.usage.clone(),
        alternative: before.alternative_der.clone(),
        not_before: Some(begins),
        not_after: None,
        length: Some(before.not_after.saturating_sub(before.not_before)),
    })
}

/// Who renews: the issuer that the client names, else the one of before, as far as the links say it.
fn renewing(context: &Context<'_>, said: &Said, before: &Certificate, links: &Managed) -> Outcome<Signer> {
    if let Some(issuer) = said.issuer.as_deref().or_else(|| linked(links, LinkType::CertificateLink)) {
        return Signer::find(context, Some(issuer), None);
    }
    let public = linked(links, LinkType::PublicKeyLink).filter(|_| before.issuer == before.subject);
    let Some(public) = public else { return Signer::find(context, None, None) };
    let public = Managed::of(context.load(public, Action::Look)?.object());
    match linked(&public, LinkType::PrivateKeyLink) {
        Some(private) => Signer::of_itself(context, private),
        None => Signer::find(context, None, None),
    }
}
