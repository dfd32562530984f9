//! Encrypt and Decrypt: KMIP 1.4, sections 4.29 and 4.30; 2.1, sections 6.1.16 and 6.1.21.

use hsm_core::Error;
use hsm_core::crypto::Direction;
use hsm_core::mechanism::Ciphering;
use hsm_core::object::lifecycle::Action;
use hsm_core::secret::Wiped;
use hsm_core::service::Item as Found;

use super::parts::{Brought, Part, check_mask, data_field, learn, need};
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::parameters::ciphers::{Chosen, Start, choose};
use crate::parameters::{Parameters, of_object};
use crate::streams::Work;
use crate::ttlv::enums::{CryptographicUsageMask as Mask, Operation, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag, Version};

/// What a request brings besides its key and its data.
struct Asked<'a> {
    parameters: Option<&'a Item>,
    iv: Option<&'a [u8]>,
    additional: &'a [u8],
    tag: Option<&'a [u8]>,
    direction: Direction,
}

/// Encrypt.
///
/// # Errors
/// Those of the key's state, mask and limits, of the parameters, and of the data.
pub fn encrypt(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    run(context, payload, Direction::Encrypt).map_err(|failure| match failure.reason {
        // 2.1 lists either for Encrypt, and its mandatory case CS-BC-M-7-21 has this one.
        Reason::UsageLimitExceeded => Failure::new(Reason::PermissionDenied, failure.message),
        _ => failure,
    })
}

/// Decrypt.
///
/// # Errors
/// As [`encrypt`]; whatever is wrong with the data, [`Reason::CryptographicFailure`].
pub fn decrypt(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    run(context, payload, Direction::Decrypt)
}

fn run(context: &Context<'_>, payload: &Item, direction: Direction) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let part = Part::take(&mut fields, context.version)?;
    let id = match part {
        Part::Whole | Part::First => Some(context.id(&mut fields)?),
        Part::Next(_) | Part::Last(_) => None,
    };
    let later_id = fields.take(Tag::UNIQUE_IDENTIFIER);
    let parameters = fields.take(Tag::CRYPTOGRAPHIC_PARAMETERS);
    let data = fields.take(Tag::DATA);
    let iv = fields.take(Tag::IV_COUNTER_NONCE).map(Item::as_bytes).transpose()?;
    let (mut additional, mut tag) = (None, None);
    if context.version >= Version::V1_4 {
        additional = fields.take(Tag::AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA);
        if direction == Direction::Decrypt {
            tag = fields.take(Tag::AUTHENTICATED_ENCRYPTION_TAG);
        }
    }
    fields.end()?;
    let (operation, action) = match direction {
        Direction::Encrypt => (Operation::Encrypt, Action::Protect),
        Direction::Decrypt => (Operation::Decrypt, Action::Process),
    };
    let brought = Brought { operation, data, expected: None };
    let charged = direction == Direction::Encrypt;
    if let Part::Next(value) = part {
        return brought.go_on(context, later_id, (value, false), (action, charged));
    }
    if let Part::Last(value) = part {
        return brought.go_on(context, later_id, (value, true), (action, charged));
    }
    let Some(id) = id else { return Err(invalid_field("the identifier is missing")) };
    let asked = Asked {
        parameters,
        iv,
        additional: additional.map(Item::as_bytes).transpose()?.unwrap_or_default(),
        tag: tag.map(Item::as_bytes).transpose()?,
        direction,
    };
    let found = context.load(&id, action)?;
    match part {
        Part::First => in_parts(context, id, &found, &asked, &brought),
        _ => at_once(context, &id, &found, &asked, need(data, Tag::DATA)?),
    }
}

/// A cipher that has begun.
struct Begun {
    ciphering: Ciphering,
    fresh_iv: Option<Vec<u8>>,
    tag_length: usize,
    is_whole: bool,
}

/// Chooses the cipher, and begins with it if the key is fit.
fn begin(context: &Context<'_>, id: &str, found: &Found, asked: &Asked<'_>) -> Outcome<Begun> {
    let object = found.object();
    let direction = asked.direction;
    check_mask(object, if direction == Direction::Encrypt { Mask::Encrypt } else { Mask::Decrypt }.into())?;
    let kept = of_object(asked.parameters, object);
    let parameters = Parameters::read(kept.as_ref().or(asked.parameters))?;
    let random = |out: &mut [u8]| Ok(context.space.session().random(out)?);
    let start = Start {
        parameters: &parameters,
        iv: asked.iv,
        additional: asked.additional,
        direction,
        random: &random,
    };
    let chosen = choose(object, &start)?;
    let is_whole = chosen.is_whole();
    let Chosen { transform, fresh_iv, tag_length } = chosen;
    let ciphering = context.space.cipher_by(found, transform, direction)?;
    learn(context, id, found, is_whole && direction == Direction::Decrypt);
    Ok(Begun { ciphering, fresh_iv, tag_length, is_whole })
}

fn at_once(
    context: &Context<'_>,
    id: &str,
    found: &Found,
    asked: &Asked<'_>,
    data: &[u8],
) -> Outcome<Vec<Item>> {
    let mut begun = begin(context, id, found, asked)?;
    let with_tag;
    let input = match (asked.direction, begun.tag_length) {
        (Direction::Decrypt, 1..) if context.version >= Version::V1_4 => {
            let tag = asked.tag.filter(|tag| tag.len() == begun.tag_length).ok_or_else(undecipherable)?;
            with_tag = Wiped::new([data, tag].concat());
            with_tag.as_slice()
        }
        _ => data,
    };
    let mut run = || whole(&mut begun.ciphering, input).map_err(|error| told(error, asked.direction));
    let mut output = match asked.direction {
        Direction::Encrypt => context.space.spend(found, data.len() as u64, run)?,
        Direction::Decrypt => run()?,
    };
    let tag = split_tag(context.version, asked.direction, begun.tag_length, &mut output);
    let mut answer = Vec::with_capacity(4);
    answer.push(id_field(id));
    answer.push(Item::bytes(Tag::DATA, output));
    answer.extend(begun.fresh_iv.map(|iv| Item::bytes(Tag::IV_COUNTER_NONCE, iv)));
    answer.extend(tag);
    Ok(answer)
}

/// A whole message. How long its result is, the core knows before or says when the room is too small.
fn whole(ciphering: &mut Ciphering, data: &[u8]) -> Result<Wiped<Vec<u8>>, Error> {
    let mut output = Wiped::new(vec![0; ciphering.whole_len(data.len())]);
    let length = match ciphering.whole(data, &mut output) {
        Err(Error::BufferTooSmall { needed }) => {
            output = Wiped::new(vec![0; needed]);
            ciphering.whole(data, &mut output)?
        }
        other => other?,
    };
    output.truncate(length);
    Ok(output)
}

/// The tag of authenticated encryption, which has a field of its own since 1.4, and before ends the data.
fn split_tag(version: Version, direction: Direction, length: usize, output: &mut Vec<u8>) -> Option<Item> {
    if direction == Direction::Decrypt || length == 0 || version < Version::V1_4 {
        return None;
    }
    let tag = output.split_off(output.len().saturating_sub(length));
    Some(Item::bytes(Tag::AUTHENTICATED_ENCRYPTION_TAG, tag))
}

/// What is wrong with a ciphertext is not told: padding, tag and length look alike.
fn told(error: Error, direction: Direction) -> Failure {
    match error {
        Error::EncryptedDataInvalid
        | Error::EncryptedDataLength
        | Error::DataInvalid
        | Error::DataLength
        | Error::CryptoFailed(_)
            if direction == Direction::Decrypt =>
        {
            undecipherable()
        }
        other => other.into(),
    }
}

fn undecipherable() -> Failure {
    Failure::new(Reason::CryptographicFailure, "the data does not decrypt")
}

fn in_parts(
    context: &Context<'_>,
    id: String,
    found: &Found,
    asked: &Asked<'_>,
    brought: &Brought<'_>,
) -> Outcome<Vec<Item>> {
    let begun = begin(context, &id, found, asked)?;
    if begun.is_whole {
        return Err(Failure::new(Reason::FeatureNotSupported, "the cipher takes its data whole"));
    }
    let Begun { ciphering, fresh_iv, tag_length, .. } = begun;
    let tag = match asked.direction {
        Direction::Decrypt if tag_length > 0 && context.version >= Version::V1_4 => {
            // Section 4.30: it comes with the first part.
            let tag = asked.tag.filter(|tag| tag.len() == tag_length);
            Some(tag.ok_or_else(undecipherable)?.to_vec())
        }
        _ => None,
    };
    let opening: Vec<Item> = fresh_iv.map(|iv| Item::bytes(Tag::IV_COUNTER_NONCE, iv)).into_iter().collect();
    let work = Parts { ciphering, direction: asked.direction, version: context.version, tag_length, tag };
    let charged = (asked.direction == Direction::Encrypt).then_some(found);
    brought.begin(context, Some(id), Box::new(work), opening, charged)
}

/// A cipher whose data comes in parts.
struct Parts {
    ciphering: Ciphering,
    direction: Direction,
    version: Version,
    tag_length: usize,
    /// The tag that the data must have.
    tag: Option<Vec<u8>>,
}

impl Work for Parts {
    fn feed(&mut self, data: &[u8]) -> Outcome<Vec<u8>> {
        let mut output = Wiped::new(vec![0; self.ciphering.update_len(data.len())]);
        let length = self.ciphering.update(data, &mut output).map_err(|error| told(error, self.direction))?;
        output.truncate(length);
        Ok(std::mem::take(&mut *output))
    }

    fn compare_with(&mut self, _: &[u8]) -> Outcome<()> {
        Err(invalid_field("a cipher compares with nothing"))
    }

    fn finish(mut self: Box<Self>, output: Vec<u8>) -> Outcome<Vec<Item>> {
        let mut output = Wiped::new(output);
        if let Some(tag) = self.tag.take() {
            output.extend_from_slice(&Wiped::new(self.feed(&tag)?));
        }
        let mut rest = Wiped::new(vec![0; self.ciphering.finish_len()]);
        let length = self.ciphering.finish(&mut rest).map_err(|error| told(error, self.direction))?;
        output.extend_from_slice(rest.get(..length).unwrap_or_default());
        let tag = split_tag(self.version, self.direction, self.tag_length, &mut output);
        Ok(data_field(std::mem::take(&mut *output)).into_iter().chain(tag).collect())
    }

    /// Authenticated data is not given out before its tag was seen.
    fn collects(&self) -> bool {
        self.tag_length > 0
    }
}
