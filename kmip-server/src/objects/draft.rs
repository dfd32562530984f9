//! Certificates that the server makes: what a client says of one, who signs it, and the result. KMIP 1.4,
//! sections 4.7 and 4.8; 2.1, sections 6.1.6 and 6.1.45.

use hsm_core::certificate::{
    Certificate, Draft, Issuer, KeyUsages, Name, NamePart, check_signature, issue, read_certificate,
    scheme_of,
};
use hsm_core::object::lifecycle::{self, Action, Seconds, State};
use hsm_core::object::managed::{Managed, ObjectType};
use hsm_core::object::{formats, usage_mask};
use hsm_core::service::{Item as Found, Space};

use super::certificate::PARTS;
use super::replacement::{linked, target};
use crate::context::Context;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::{CertificateType, CryptographicUsageMask as Mask, LinkType, ResultReason as Reason};
use crate::ttlv::{Item, Tag};

/// How long a certificate is valid where nobody says, in seconds: a year.
const LIFETIME: u64 = 365 * 24 * 3600;

/// DER of a name without parts.
pub const EMPTY_NAME: [u8; 2] = [0x30, 0];

/// Bits of the usage mask and what they are in a certificate. KMIP 1.4, section 9.1.3.3.1, table "X.509 Key
/// Usage to Cryptographic Usage Mask Mapping".
#[rustfmt::skip]
const USAGES: [(Mask, KeyUsages); 11] = [
    (Mask::Sign,              KeyUsages::DigitalSignature),
    (Mask::Verify,            KeyUsages::DigitalSignature),
    (Mask::ContentCommitmentNonRepudiation, KeyUsages::NonRepudiation),
    (Mask::WrapKey,           KeyUsages::KeyEncipherment),
    (Mask::UnwrapKey,         KeyUsages::KeyEncipherment),
    (Mask::Encrypt,           KeyUsages::DataEncipherment),
    (Mask::Decrypt,           KeyUsages::DataEncipherment),
    (Mask::KeyAgreement,      KeyUsages::KeyAgreement),
    (Mask::DeriveKey,         KeyUsages::KeyAgreement),
    (Mask::CertificateSign,   KeyUsages::KeyCertSign),
    (Mask::CRLSign,           KeyUsages::CRLSign),
];

/// What a client says of a certificate by attributes that no object takes from clients otherwise.
#[derive(Debug, Default)]
pub struct Said {
    /// DER of the subject's name.
    pub subject: Option<Vec<u8>>,
    /// The certificate that is to issue it.
    pub issuer: Option<String>,
    /// What the key is for.
    pub mask: Option<u32>,
}

impl Said {
    /// Takes it from the attributes of a request. The others stay there.
    ///
    /// # Errors
    /// A Certificate Type other than X.509; a subject that is no name.
    pub fn take(attributes: &mut Vec<Item>) -> Outcome<Said> {
        let mut said = Said { subject: subject(attributes)?, ..Said::default() };
        for item in attributes.iter() {
            match item.tag {
                Tag::CERTIFICATE_TYPE if item.as_value_of() != Ok(CertificateType::X_509) => {
                    return Err(Failure::new(Reason::FeatureNotSupported, "X.509 certificates are made"));
                }
                Tag::CRYPTOGRAPHIC_USAGE_MASK => said.mask = u32::try_from(item.as_integer()?).ok(),
                // A certificate's leads to the one above it: KMIP 1.4, section 3.35.
                Tag::LINK => {
                    let issuer = target(item, LinkType::CertificateLink).map(ToOwned::to_owned);
                    said.issuer = issuer.or(said.issuer);
                }
                _ => {}
            }
        }
        let is_subject = |tag| {
            matches!(tag, Tag::CERTIFICATE_TYPE | Tag::CERTIFICATE_SUBJECT | Tag::X509_CERTIFICATE_SUBJECT)
                || PARTS.iter().any(|(_, subject, _)| *subject == tag)
        };
        attributes.retain(|item| !is_subject(item.tag));
        Ok(said)
    }
}

/// The subject that attributes name: as a whole, or by parts, the widest first.
fn subject(attributes: &[Item]) -> Outcome<Option<Vec<u8>>> {
    let bad = |_| invalid_field("the subject is no distinguished name");
    let find = |tag| attributes.iter().find(|item| item.tag == tag);
    let whole =
        find(Tag::X509_CERTIFICATE_SUBJECT).and_then(|all| all.child(Tag::SUBJECT_DISTINGUISHED_NAME));
    if let Some(name) = whole {
        return Ok(Some(Name::read(name.as_bytes()?).map_err(bad)?.der));
    }
    let text = find(Tag::CERTIFICATE_SUBJECT);
    if let Some(text) = text.and_then(|all| all.child(Tag::CERTIFICATE_SUBJECT_DISTINGUISHED_NAME)) {
        return Ok(Some(Name::of_text(text.as_text()?).map_err(bad)?.der));
    }
    let mut parts = Vec::new();
    for kind in WIDEST_FIRST {
        let Some((_, tag, _)) = PARTS.iter().find(|(own, ..)| *own == kind) else { continue };
        for item in attributes.iter().filter(|item| item.tag == *tag) {
            parts.push((kind, item.as_text()?));
        }
    }
    if parts.is_empty() {
        return Ok(None);
    }
    Ok(Some(Name::of_parts(&parts).map_err(bad)?.der))
}

/// The order in which names are written, X.500's: from the country to the person.
const WIDEST_FIRST: [NamePart; 12] = [
    NamePart::DomainComponent,
    NamePart::Country,
    NamePart::State,
    NamePart::Locality,
    NamePart::Organization,
    NamePart::OrganizationalUnit,
    NamePart::Title,
    NamePart::SerialNumber,
    NamePart::DnQualifier,
    NamePart::UserId,
    NamePart::CommonName,
    NamePart::Email,
];

/// What a certificate is made of.
#[derive(Debug, Default)]
pub struct Parts {
    /// DER of the subject's name.
    pub subject: Vec<u8>,
    /// DER of the SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// What the key is for.
    pub usage: Vec<KeyUsages>,
    /// DER of the subject's other names.
    pub alternative: Option<Vec<u8>>,
    /// When it begins to be valid; now, where nobody says.
    pub not_before: Option<Seconds>,
    /// When it ends. Where nobody says: when its length is over, or with its issuer.
    pub not_after: Option<Seconds>,
    /// How long it is valid, in seconds; a year, where nobody says.
    pub length: Option<u64>,
}

/// A usage mask as a certificate has it.
pub fn usages(mask: u32) -> Vec<KeyUsages> {
    let mut out = Vec::new();
    for (bit, usage) in USAGES {
        if mask & bit as u32 != 0 && !out.contains(&usage) {
            out.push(usage);
        }
    }
    out
}

/// Who signs.
pub struct Signer {
    /// The private key.
    key: Found,
    /// The issuer's certificate; none issues itself.
    certificate: Option<Certificate>,
    /// The identifier of that certificate, where the client sees it.
    pub id: Option<String>,
    /// What the key is seen in, where it is the server's own issuer.
    own_space: Option<Space>,
}

/// A failure of the server's own issuer, which is no mistake of the client's: it cannot know that object.
fn own_issuer_is_unfit(id: &str, failure: &Failure) -> Failure {
    log::error!("kmip.issuer, {id}, issues no certificates: {}", failure.message);
    Failure::new(Reason::GeneralFailure, "the server's own issuer cannot sign; the server's log says why")
}

impl Signer {
    /// Who signs a certificate: the issuer that the client names, else the one of the server's settings, else
    /// the certified key itself.
    ///
    /// # Errors
    /// An issuer that is none, or whose private key is not here.
    pub fn find(context: &Context<'_>, named: Option<&str>, own: Option<&str>) -> Outcome<Signer> {
        match (named, &context.settings.issuer, own) {
            (Some(id), ..) => Signer::of_certificate(context.space, id),
            (None, Some(id), _) => {
                let own = context.engine.own_space().and_then(|space| {
                    let signer = Signer::of_certificate(&space, id)?;
                    Ok(Signer { id: None, own_space: Some(space), ..signer })
                });
                own.map_err(|failure| own_issuer_is_unfit(id, &failure))
            }
            (None, None, Some(id)) => Signer::of_itself(context, id),
            (None, None, None) => Err(Failure::new(
                Reason::MissingData,
                "no issuer is named by a Certificate Link or in the server's settings, and the private key is not here",
            )),
        }
    }

    /// A private key that signs the certificate of its own public key.
    ///
    /// # Errors
    /// Those of the key's state.
    pub fn of_itself(context: &Context<'_>, id: &str) -> Outcome<Signer> {
        Ok(Signer { key: context.load(id, Action::Protect)?, certificate: None, id: None, own_space: None })
    }

    fn of_certificate(space: &Space, id: &str) -> Outcome<Signer> {
        let found = space.load(id, Action::Read)?;
        must_be_good(&found)?;
        let bytes = found.object().bytes(cryptoki_sys::CKA_VALUE);
        let certificate = read_certificate(bytes).ok();
        let certificate = certificate.filter(|_| ObjectType::of(found.object()) == ObjectType::Certificate);
        let certificate = certificate
            .ok_or_else(|| Failure::new(Reason::InvalidObjectType, "the issuer is no X.509 certificate"))?;
        let key = private_key(space, &Managed::of(found.object()))?;
        Ok(Signer { key, certificate: Some(certificate), id: Some(id.to_owned()), own_space: None })
    }

    /// Whether it is who signed a certificate: DER.
    pub fn has_signed(&self, der: &[u8], says: &Certificate) -> bool {
        let (name, public_key) = match &self.certificate {
            Some(own) => (&own.subject, &own.public_key),
            None => (&says.subject, &says.public_key),
        };
        *name == says.issuer && check_signature(der, public_key).is_ok()
    }

    /// Whether it may issue a certificate with such parts. RFC 5280, sections 4.2.1.3 and 4.2.1.9.
    fn check(&self, parts: &Parts, is_authority: bool) -> Outcome<()> {
        let Some(own) = &self.certificate else { return Ok(()) };
        if !own.is_authority || !(own.usage.is_empty() || own.usage.contains(&KeyUsages::KeyCertSign)) {
            return Err(invalid_field("the issuer is no authority"));
        }
        if is_authority && self.own_space.is_some() {
            // The server's own issuer vouches for clients' keys; it does not make others that would.
            let text = "the server's issuer certifies no authorities";
            return Err(Failure::new(Reason::PermissionDenied, text));
        }
        if is_authority && own.path_length == Some(0) {
            return Err(invalid_field("the issuer certifies no authorities"));
        }
        if parts.subject == EMPTY_NAME && (is_authority || parts.alternative.is_none()) {
            return Err(invalid_field("the certificate would name nobody"));
        }
        Ok(())
    }

    /// Makes the certificate: DER.
    ///
    /// # Errors
    /// Dates that do not fit; an authority that the issuer may not make; those of signing, and of the key's
    /// usage limits.
    pub fn sign(&self, context: &Context<'_>, parts: &Parts, now: Seconds) -> Outcome<Vec<u8>> {
        let (not_before, not_after) = self.validity(parts, now)?;
        let is_authority = parts.usage.contains(&KeyUsages::KeyCertSign);
        self.check(parts, is_authority)?;
        let scheme = scheme_of(self.key.key())?;
        let issuer = match &self.certificate {
            Some(own) => Issuer {
                name: &own.subject.der,
                public_key: &own.public_key,
                key_identifier: own.key_identifier.as_deref(),
                scheme,
            },
            None => {
                Issuer { name: &parts.subject, public_key: &parts.public_key, key_identifier: None, scheme }
            }
        };
        let draft = Draft {
            subject: &parts.subject,
            public_key: &parts.public_key,
            not_before,
            not_after,
            usage: &parts.usage,
            is_authority,
            alternative: parts.alternative.as_deref(),
        };
        let space = self.own_space.as_ref().unwrap_or(context.space);
        let der = issue(&draft, &issuer, &mut |body| space.sign_certificate(&self.key, scheme, body))?;
        check_signature(&der, issuer.public_key)
            .map_err(|_| invalid_field("the issuer's private key is not that of its certificate"))?;
        Ok(der)
    }

    /// From when until when the certificate is valid, in seconds since 1970.
    fn validity(&self, parts: &Parts, now: Seconds) -> Outcome<(u64, u64)> {
        let positive = |date: Seconds| {
            u64::try_from(date).map_err(|_| invalid_field("certificates have no dates before 1970"))
        };
        let not_before = positive(parts.not_before.unwrap_or(now))?;
        let last = self.certificate.as_ref().map(|own| own.not_after);
        if self.certificate.as_ref().is_some_and(|own| not_before < own.not_before) {
            return Err(invalid_field("the certificate would begin before its issuer's"));
        }
        let not_after = match parts.not_after {
            Some(date) => positive(date)?,
            None => {
                let usual = not_before.saturating_add(parts.length.unwrap_or(LIFETIME));
                last.map_or(usual, |last| usual.min(last))
            }
        };
        if not_after <= not_before {
            return Err(invalid_field("the certificate would end before it begins"));
        }
        if last.is_some_and(|last| not_after > last) {
            return Err(invalid_field("the certificate would outlive its issuer's"));
        }
        Ok((not_before, not_after))
    }
}

/// The private key of a certificate or public key, by its links.
fn private_key(space: &Space, links: &Managed) -> Outcome<Found> {
    let missing = || {
        Failure::new(Reason::ObjectNotFound, "no Private Key Link leads from the issuer to its private key")
    };
    if let Some(id) = linked(links, LinkType::PrivateKeyLink) {
        return Ok(space.load(id, Action::Protect)?);
    }
    let public = linked(links, LinkType::PublicKeyLink).ok_or_else(missing)?;
    let public = Managed::of(space.load(public, Action::Look)?.object());
    let id = linked(&public, LinkType::PrivateKeyLink).ok_or_else(missing)?;
    Ok(space.load(id, Action::Protect)?)
}

/// Refuses what was revoked, or is out of date by its dates.
///
/// # Errors
/// [`Reason::WrongKeyLifecycleState`].
pub fn must_be_good(found: &Found) -> Outcome<()> {
    match lifecycle::state(found.object(), lifecycle::now()) {
        State::PreActive | State::Active => Ok(()),
        _ => Err(Failure::new(Reason::WrongKeyLifecycleState, "the object is not in use any more")),
    }
}

/// What a public key object says of a certificate for it.
///
/// # Errors
/// [`Reason::InvalidObjectType`] for what is no public key.
pub fn of_public_key(found: &Found) -> Outcome<Parts> {
    let object = found.object();
    if ObjectType::of(object) != ObjectType::PublicKey {
        return Err(Failure::new(Reason::InvalidObjectType, "a public key is certified"));
    }
    let managed = Managed::of(object);
    let name = managed.names.first().map_or_else(|| found.id(), |name| name.value.clone());
    Ok(Parts {
        subject: Name::of_parts(&[(NamePart::CommonName, &name)])?.der,
        public_key: formats::encode(object, formats::Format::X509)?.to_vec(),
        usage: usages(usage_mask::of(object)),
        ..Parts::default()
    })
}
