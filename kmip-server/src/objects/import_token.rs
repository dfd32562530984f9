//! Keys that a client encrypted to the import token's public key, and registers so. Other keys that are registered
//! wrapped are kept as they came; these are opened on their way in, since the token does not last, and never leave.

use cryptoki_sys::*;
use hsm_core::import_token;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::lifecycle::Action;
use hsm_core::object::managed::ObjectType;
use hsm_core::secret::Wiped;

use super::fresh::{self, Origin, Wanted};
use super::read::{self, Brought, KeyBlock};
use super::wrapping::{material_of, without_wrapping};
use crate::context::Context;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::parameters::{Parameters, not_offered, rsa_encryption};
use crate::ttlv::enums::{BlockCipherMode as Mode, EncodingOption, ResultReason as Reason, WrappingMethod};
use crate::ttlv::{Fields, Item, Tag};

/// What every key is that comes in by the token.
const HIDDEN: [(Tag, bool); 2] = [(Tag::SENSITIVE, true), (Tag::EXTRACTABLE, false)];

/// The wrapping data of an object that was encrypted to an import token's public key, whether that lives or not.
pub fn wrapping_data<'a>(context: &Context<'_>, structure: &'a Item) -> Option<&'a Item> {
    let data = structure.child(Tag::KEY_BLOCK)?.child(Tag::KEY_WRAPPING_DATA)?;
    let id = data.child(Tag::ENCRYPTION_KEY_INFORMATION)?.child(Tag::UNIQUE_IDENTIFIER)?;
    context.resolve(id).is_ok_and(|id| import_token::is_unique_id(&id)).then_some(data)
}

/// How a key was encrypted.
struct Encryption {
    /// The token's public key.
    id: String,
    mechanism: Mechanism,
    /// What is inside is a Key Value in TTLV, rather than the material alone.
    is_encoded: bool,
}

impl Encryption {
    fn read(context: &Context<'_>, data: &Item) -> Outcome<Encryption> {
        let mut fields = Fields::new(data)?;
        let method: WrappingMethod = fields.need(Tag::WRAPPING_METHOD)?.as_value_of()?;
        let mut information = Fields::new(fields.need(Tag::ENCRYPTION_KEY_INFORMATION)?)?;
        let option = fields.take_value_of::<EncodingOption>(Tag::ENCODING_OPTION)?;
        fields.end()?;
        if method != WrappingMethod::Encrypt {
            let text = "keys come in for an import token by encryption alone";
            return Err(Failure::new(Reason::FeatureNotSupported, text));
        }
        let id = context.resolve(information.need(Tag::UNIQUE_IDENTIFIER)?)?;
        let mechanism = mechanism(information.take(Tag::CRYPTOGRAPHIC_PARAMETERS))?;
        information.end()?;
        Ok(Encryption { id, mechanism, is_encoded: option != Some(EncodingOption::NoEncoding) })
    }
}

/// OAEP, or where the Block Cipher Mode says AES Key Wrap with padding, RSA-AES key wrap: what is encrypted by
/// OAEP is then an AES key, and behind it stands what is wrapped under that.
fn mechanism(parameters: Option<&Item>) -> Outcome<Mechanism> {
    let mode = Parameters::read(parameters)?.mode;
    let mechanism = rsa_encryption(parameters)?;
    match (mode, mechanism.parameter) {
        (None, parameter @ Parameter::Oaep { .. }) => Ok(Mechanism { parameter, ..mechanism }),
        (Some(Mode::AESKeyWrapPadding), Parameter::Oaep { hash, mgf, label }) => Ok(Mechanism {
            kind: CKM_RSA_AES_KEY_WRAP,
            parameter: Parameter::RsaAes { aes_bits: None, hash, mgf, label },
        }),
        _ => Err(not_offered("keys come in for an import token by OAEP")),
    }
}

/// Opens an object that was encrypted to the import token's public key; `None` of any other.
///
/// # Errors
/// [`Reason::WrappingObjectNotFound`] where the token has ended or was replaced,
/// [`Reason::CryptographicFailure`] whatever is wrong with what was encrypted, and those of the fields.
pub fn opened(
    context: &Context<'_>,
    kind: ObjectType,
    structure: &Item,
    wanted: &Wanted,
) -> Outcome<Option<Brought>> {
    let Some(data) = wrapping_data(context, structure) else { return Ok(None) };
    let class = match kind {
        ObjectType::SymmetricKey | ObjectType::SecretData => CKO_SECRET_KEY,
        ObjectType::PrivateKey => CKO_PRIVATE_KEY,
        _ => return Err(Failure::new(Reason::FeatureNotSupported, "an import token brings keys alone")),
    };
    let encryption = Encryption::read(context, data)?;
    for (tag, flag) in HIDDEN {
        if wanted.first(tag).is_some_and(|item| item.as_boolean() != Ok(flag)) {
            return Err(invalid_field(
                "a key that comes in for an import token is sensitive and never leaves",
            ));
        }
    }
    let block = structure.child(Tag::KEY_BLOCK).ok_or_else(|| invalid_field("the key block is missing"))?;
    let missing = || Failure::new(Reason::MissingData, "the key value is missing");
    let value = KeyBlock::read(block)?.material.ok_or_else(missing)?;
    let is_encoded = encryption.is_encoded && value.tag != Tag::KEY_MATERIAL;
    let wrapped = value.as_bytes()?;
    let found = context.load(&encryption.id, Action::Look).map_err(|failure| match failure.reason {
        Reason::ObjectNotFound => {
            Failure::new(Reason::WrappingObjectNotFound, "there is no such import token")
        }
        _ => failure,
    })?;
    let make = |plain: &[u8]| -> Outcome<Brought> {
        let material = material_of(Wiped::new(plain.to_vec()), is_encoded)?;
        let structure = without_wrapping(structure, block, &material);
        let mut brought = read::read(context.space, kind, &structure, context.version)?;
        // What is no key of its kind would be kept as it came elsewhere.
        if brought.key.object().class() != class {
            return Err(invalid_field("it is no such key"));
        }
        fresh::check_value(brought.key.object(), (kind, Origin::Brought), &brought.attributes, wanted)?;
        brought.attributes.extend(HIDDEN.map(|(tag, flag)| Item::boolean(tag, flag)));
        Ok(brought)
    };
    Ok(Some(context.space.open_by_import_token(&found, &encryption.mechanism, wrapped, make)?))
}
