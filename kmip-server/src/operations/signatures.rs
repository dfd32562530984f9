//! Sign, Signature Verify, MAC and MAC Verify: KMIP 1.4, sections 4.31 to 4.34; 2.1, sections 6.1.33,
//! 6.1.34, 6.1.57 and 6.1.58.

use cryptoki_sys::CKK_EC;
use hsm_core::Error;
use hsm_core::mechanism::{Scheme, Signing, Verifying, ecdsa_from_der, ecdsa_to_der};
use hsm_core::object::lifecycle::Action;
use hsm_core::service::Item as Found;

use super::parts::{Brought, Part, check_mask, learn, need};
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::parameters::signatures::{self, Message};
use crate::parameters::{Parameters, of_object};
use crate::streams::Work;
use crate::ttlv::enums::{
    CryptographicUsageMask as Mask, Operation, ResultReason as Reason, ValidityIndicator as Validity,
};
use crate::ttlv::{Fields, Item, Tag, Version};

/// The rows of what the four have apart.
struct Kind {
    operation: Operation,
    action: Action,
    mask: Mask,
    /// The field that holds what is made or compared.
    tag: Tag,
    verifies: bool,
}

const SIGN: Kind = Kind {
    operation: Operation::Sign,
    action: Action::Protect,
    mask: Mask::Sign,
    tag: Tag::SIGNATURE_DATA,
    verifies: false,
};
const SIGNATURE_VERIFY: Kind = Kind {
    operation: Operation::SignatureVerify,
    action: Action::Process,
    mask: Mask::Verify,
    tag: Tag::SIGNATURE_DATA,
    verifies: true,
};
const MAC: Kind = Kind {
    operation: Operation::MAC,
    action: Action::Protect,
    mask: Mask::MACGenerate,
    tag: Tag::MAC_DATA,
    verifies: false,
};
const MAC_VERIFY: Kind = Kind {
    operation: Operation::MACVerify,
    action: Action::Process,
    mask: Mask::MACVerify,
    tag: Tag::MAC_DATA,
    verifies: true,
};

/// Sign.
///
/// # Errors
/// Those of the key's state, mask and limits, and of the parameters.
pub fn sign(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    run(context, payload, &SIGN)
}

/// Signature Verify.
///
/// # Errors
/// As [`sign`]. That the signature is not valid is none.
pub fn signature_verify(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    run(context, payload, &SIGNATURE_VERIFY)
}

/// MAC.
///
/// # Errors
/// As [`sign`].
pub fn mac(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    run(context, payload, &MAC)
}

/// MAC Verify.
///
/// # Errors
/// As [`sign`]. That the MAC is not valid is none.
pub fn mac_verify(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    run(context, payload, &MAC_VERIFY)
}

fn run(context: &Context<'_>, payload: &Item, kind: &Kind) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let part = Part::take(&mut fields, context.version)?;
    let id = match part {
        Part::Whole | Part::First => Some(context.id(&mut fields)?),
        Part::Next(_) | Part::Last(_) => None,
    };
    let later_id = fields.take(Tag::UNIQUE_IDENTIFIER);
    let parameters = fields.take(Tag::CRYPTOGRAPHIC_PARAMETERS);
    let data = fields.take(Tag::DATA);
    let signs = kind.tag == Tag::SIGNATURE_DATA && context.version >= Version::V1_4;
    let digest = if signs { fields.take(Tag::DIGESTED_DATA) } else { None };
    let expected = if kind.verifies { fields.take(kind.tag) } else { None };
    fields.end()?;
    let brought = Brought { operation: kind.operation, data, expected };
    let use_of = (kind.action, !kind.verifies);
    if let Part::Next(value) = part {
        return brought.go_on(context, later_id, (value, false), use_of);
    }
    if let Part::Last(value) = part {
        return brought.go_on(context, later_id, (value, true), use_of);
    }
    let Some(id) = id else { return Err(invalid_field("the identifier is missing")) };
    let (message, whole) = match (data, digest) {
        (Some(_), Some(_)) => return Err(invalid_field("the data comes either whole or digested")),
        (None, Some(digest)) => (Message::Digest, Some(digest)),
        (data, None) => (Message::Data, data),
    };
    let found = context.load(&id, kind.action)?;
    check_mask(found.object(), kind.mask.into())?;
    let kept = of_object(parameters, found.object());
    let parameters = Parameters::read(kept.as_ref().or(parameters))?;
    let maker = Maker { kind, found: &found, parameters: &parameters, message };
    if let Part::First = part {
        if message == Message::Digest {
            return Err(Failure::new(Reason::FeatureNotSupported, "a digest does not come in parts"));
        }
        let work = maker.work(context, &id)?;
        return brought.begin(context, Some(id), work, Vec::new(), (!kind.verifies).then_some(&found));
    }
    if let (None, Operation::SignatureVerify, Some(scheme)) =
        (whole, kind.operation, signatures::recovery(found.object(), &parameters))
    {
        let signature = need(expected, kind.tag)?;
        return Ok([id_field(&id)]
            .into_iter()
            .chain(recovered(context, &found, scheme, signature)?)
            .collect());
    }
    let data = need(whole, Tag::DATA)?;
    let result = if kind.verifies {
        maker.verify(context, data, need(expected, kind.tag)?)?
    } else {
        maker.make(context, &id, data)?
    };
    Ok(vec![id_field(&id), result])
}

/// What makes and checks signatures or MACs with a key.
struct Maker<'a> {
    kind: &'a Kind,
    found: &'a Found,
    parameters: &'a Parameters<'a>,
    message: Message,
}

impl Maker<'_> {
    fn schemes(&self) -> Outcome<(Scheme, Option<Scheme>)> {
        if self.kind.tag == Tag::MAC_DATA {
            return Ok((signatures::mac(self.found.object(), self.parameters)?, None));
        }
        signatures::signature(self.found.key(), self.parameters, self.message)
    }

    fn signing(&self, context: &Context<'_>, id: &str) -> Outcome<Signing> {
        let signing = context.space.sign_by(self.found, self.schemes()?.0)?;
        learn(context, id, self.found, true);
        Ok(signing)
    }

    fn verifying(&self, context: &Context<'_>) -> Outcome<Vec<Verifying>> {
        let (scheme, other) = self.schemes()?;
        let mut all = vec![context.space.verify_by(self.found, scheme)?];
        // Whether the other fits the key is not the client's matter, who did not ask for it.
        all.extend(other.and_then(|other| context.space.verify_by(self.found, other).ok()));
        Ok(all)
    }

    /// The length of a coordinate, in bytes, where signatures are written as DER.
    fn der(&self) -> Option<usize> {
        let is_ecdsa = self.found.object().key_type() == Some(CKK_EC) && self.kind.tag == Tag::SIGNATURE_DATA;
        is_ecdsa.then(|| usize::try_from(self.found.key().size_bits().div_ceil(8)).unwrap_or_default())
    }

    fn make(&self, context: &Context<'_>, id: &str, data: &[u8]) -> Outcome<Item> {
        let mut signing = self.signing(context, id)?;
        context.space.spend(self.found, data.len() as u64, || {
            let mut out = vec![0; signing.signature_len()];
            let length = signing.sign(data, &mut out)?;
            out.truncate(length);
            made(self.kind.tag, out, self.der().is_some())
        })
    }

    fn verify(&self, context: &Context<'_>, data: &[u8], expected: &[u8]) -> Outcome<Item> {
        let mut all = self.verifying(context)?;
        let Some(expected) = read(expected, self.der()) else { return Ok(indicator(Validity::Invalid)) };
        judge(&mut all, |verifying| verifying.verify(data, &expected))
    }

    fn work(&self, context: &Context<'_>, id: &str) -> Outcome<Box<dyn Work>> {
        let collects = self.found.object().key_type() == Some(cryptoki_sys::CKK_EC_EDWARDS);
        let der = self.der();
        if self.kind.verifies {
            let all = self.verifying(context)?;
            return Ok(Box::new(Comparing { all, der, expected: None, tag: self.kind.tag, collects }));
        }
        let signing = self.signing(context, id)?;
        Ok(Box::new(Making { signing, der: der.is_some(), tag: self.kind.tag, collects }))
    }
}

/// What a signature holds, where the data did not come with it. KMIP 1.4, section 4.32.
fn recovered(context: &Context<'_>, found: &Found, scheme: Scheme, signature: &[u8]) -> Outcome<Vec<Item>> {
    match context.space.verify_by(found, scheme)?.recover(signature) {
        Ok(data) => Ok(vec![indicator(Validity::Valid), Item::bytes(Tag::DATA, data)]),
        Err(Error::SignatureInvalid | Error::SignatureLength) => Ok(vec![indicator(Validity::Invalid)]),
        Err(error) => Err(error.into()),
    }
}

/// A signature or MAC as its field.
fn made(tag: Tag, bytes: Vec<u8>, as_der: bool) -> Outcome<Item> {
    Ok(Item::bytes(tag, if as_der { ecdsa_to_der(&bytes)? } else { bytes }))
}

/// A signature as the core reads it; `None` where it cannot be one.
fn read(expected: &[u8], der: Option<usize>) -> Option<std::borrow::Cow<'_, [u8]>> {
    match der {
        None => Some(expected.into()),
        Some(length) => ecdsa_from_der(expected, length).ok().map(Into::into),
    }
}

/// Whether any of the checks agrees.
fn judge(all: &mut [Verifying], check: impl Fn(&mut Verifying) -> Result<(), Error>) -> Outcome<Item> {
    for verifying in all {
        match check(verifying) {
            Ok(()) => return Ok(indicator(Validity::Valid)),
            Err(Error::SignatureInvalid | Error::SignatureLength) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(indicator(Validity::Invalid))
}

fn indicator(validity: Validity) -> Item {
    Item::enumeration(Tag::VALIDITY_INDICATOR, validity)
}

/// A signature or MAC that is made of data in parts.
struct Making {
    signing: Signing,
    der: bool,
    tag: Tag,
    collects: bool,
}

impl Work for Making {
    fn feed(&mut self, data: &[u8]) -> Outcome<Vec<u8>> {
        self.signing.update(data)?;
        Ok(Vec::new())
    }

    fn compare_with(&mut self, _: &[u8]) -> Outcome<()> {
        Err(invalid_field("what is made is not compared"))
    }

    fn finish(mut self: Box<Self>, _: Vec<u8>) -> Outcome<Vec<Item>> {
        let mut out = vec![0; self.signing.signature_len()];
        let length = self.signing.finish(&mut out)?;
        out.truncate(length);
        Ok(vec![made(self.tag, out, self.der)?])
    }

    fn collects(&self) -> bool {
        self.collects
    }
}

/// A signature or MAC that data in parts is compared with.
struct Comparing {
    all: Vec<Verifying>,
    der: Option<usize>,
    expected: Option<Vec<u8>>,
    tag: Tag,
    collects: bool,
}

impl Work for Comparing {
    fn feed(&mut self, data: &[u8]) -> Outcome<Vec<u8>> {
        for verifying in &mut self.all {
            verifying.update(data)?;
        }
        Ok(Vec::new())
    }

    fn compare_with(&mut self, expected: &[u8]) -> Outcome<()> {
        if self.expected.as_deref().is_some_and(|earlier| earlier != expected) {
            return Err(invalid_field("what to compare with came before, and was another"));
        }
        self.expected = Some(expected.to_vec());
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: Vec<u8>) -> Outcome<Vec<Item>> {
        let missing = || Failure::new(Reason::MissingData, format!("{} is missing", self.tag));
        let expected = self.expected.take().ok_or_else(missing)?;
        let Some(expected) = read(&expected, self.der) else { return Ok(vec![indicator(Validity::Invalid)]) };
        Ok(vec![judge(&mut self.all, |verifying| verifying.finish(&expected))?])
    }

    fn collects(&self) -> bool {
        self.collects
    }
}
