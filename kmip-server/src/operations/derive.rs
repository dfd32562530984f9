//! Derive Key: KMIP 1.4, section 4.6; 2.1, sections 6.1.11 and 7.12.

use cryptoki_sys::{CKA_VALUE, CKO_SECRET_KEY};
use der::Decode;
use der::asn1::OctetStringRef;
use hsm_core::crypto::{Direction, Hash, Iteration, Prf};
use hsm_core::mechanism::Derivation;
use hsm_core::object::formats;
use hsm_core::object::lifecycle::{self, Action};
use hsm_core::object::managed::{Link, Managed, ObjectType, SOFTHSM_RS_ALGORITHM};
use hsm_core::secret::Secret;
use hsm_core::service::{Item as Found, Provenance};

use super::parts::check_mask;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::objects::fresh::{self, Origin, Wanted};
use crate::objects::read::new_secret;
use crate::parameters::ciphers::{Start, choose};
use crate::parameters::{Parameters, bad, hash_of_hmac, of_object};
use crate::ttlv::enums::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask,
    DerivationMethod as Method, LinkType, ResultReason as Reason, SecretDataType, UniqueIdentifier,
};
use crate::ttlv::{Fields, Item, Tag};

/// The longest secret that is derived, in bytes.
const LONGEST: usize = 4096;

/// The Derivation Parameters.
struct Given<'a> {
    parameters: Option<&'a Item>,
    iv: Option<&'a [u8]>,
    data: Vec<&'a [u8]>,
    salt: Option<&'a [u8]>,
    iterations: Option<u32>,
}

impl<'a> Given<'a> {
    fn read(item: &'a Item) -> Outcome<Given<'a>> {
        let mut fields = Fields::new(item)?;
        let parameters = fields.take(Tag::CRYPTOGRAPHIC_PARAMETERS);
        let iv = fields.take(Tag::INITIALIZATION_VECTOR).map(Item::as_bytes).transpose()?;
        let data: Result<_, _> = fields.take_all(Tag::DERIVATION_DATA).map(Item::as_bytes).collect();
        let salt = fields.take(Tag::SALT).map(Item::as_bytes).transpose()?;
        let iterations = fields.take_integer(Tag::ITERATION_COUNT)?.map(u32::try_from).transpose();
        fields.end()?;
        let iterations = iterations.map_err(|_| bad("the iteration count is negative"))?;
        Ok(Given { parameters, iv, data: data?, salt, iterations })
    }
}

/// Derive Key.
///
/// # Errors
/// Those of the base objects' state and mask, of the method's parameters, of the attributes, and of the
/// store.
pub fn derive_key(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let kind = fields.need(Tag::OBJECT_TYPE)?.as_enumeration()?;
    let ids: Vec<&Item> = fields.take_all(Tag::UNIQUE_IDENTIFIER).collect();
    let method: Method = fields.need(Tag::DERIVATION_METHOD)?.as_value_of()?;
    let given = Given::read(fields.need(Tag::DERIVATION_PARAMETERS)?)?;
    let wanted = super::wanted_of_one(context, &mut fields)?;
    fields.end()?;
    let kind = match ObjectType::of_number(kind.into()) {
        Some(kind @ (ObjectType::SymmetricKey | ObjectType::SecretData)) => kind,
        _ => {
            let text = "symmetric keys and secret data are derived";
            return Err(Failure::new(Reason::InvalidObjectType, text));
        }
    };
    let ids = ids.into_iter().map(|id| context.resolve(id)).collect::<Outcome<Vec<String>>>()?;
    let algorithm = wanted.algorithm()?;
    if algorithm.is_none() && kind == ObjectType::SymmetricKey {
        return Err(Failure::new(Reason::MissingData, "the cryptographic algorithm is missing"));
    }
    let length = length(algorithm, &wanted)?;
    let value = derived(context, &ids, method, &given, length)?;
    let key = new_secret(context.space, algorithm, value.expose())?;
    let mut said: Vec<Item> = ids.iter().map(|id| link(LinkType::DerivationBaseObjectLink, id)).collect();
    if kind == ObjectType::SecretData {
        said.push(Item::enumeration(Tag::SECRET_DATA_TYPE, SecretDataType::Seed));
    }
    let key = fresh::ready(key, kind, Origin::Made, said, &wanted, lifecycle::now())?;
    let id = context.fresh_id()?;
    let mut key = Some(key);
    context.space.write(&mut |changes| {
        if let Some(key) = key.take() {
            changes.insert(key, Provenance::Inside, &id)?;
        }
        ids.iter().try_for_each(|base| {
            let mut object = changes.object(base, Action::Change)?;
            let mut managed = Managed::of(&object);
            managed.links.push(Link { kind: LinkType::DerivedKeyLink.into(), target: id.clone() });
            managed.put(&mut object);
            changes.replace(base, object)
        })
    })?;
    context.leave(UniqueIdentifier::DeriveKey, &id);
    Ok(vec![id_field(&id)])
}

fn link(kind: LinkType, id: &str) -> Item {
    let fields = vec![Item::enumeration(Tag::LINK_TYPE, kind), Item::text(Tag::LINKED_OBJECT_IDENTIFIER, id)];
    Item::structure(Tag::LINK, fields)
}

/// How many bytes are to be derived. A key need not have a length that its algorithm can use: that is
/// seen when it is used.
fn length(algorithm: Option<u32>, wanted: &Wanted) -> Outcome<usize> {
    let missing = || Failure::new(Reason::MissingData, "the cryptographic length is missing");
    let bits = wanted.length()?.ok_or_else(missing)?;
    let known = algorithm.and_then(Algorithm::from_number);
    let bytes = match (known, bits) {
        // KMIP counts the bits of DES keys without their parity.
        (Some(Algorithm::DES3), 112) => 16,
        (Some(Algorithm::DES3), 168) => 24,
        _ if bits.is_multiple_of(8) => bits / 8,
        _ => return Err(invalid_field("the length is no whole number of bytes")),
    };
    if bytes > LONGEST {
        return Err(invalid_field("so long a secret is not derived"));
    }
    Ok(bytes)
}

/// The object that is derived from, and a second one: the data, or the other side's public key.
fn bases(context: &Context<'_>, ids: &[String]) -> Outcome<(Found, Option<Found>)> {
    let load = |id: &String| context.load(id, Action::Derive);
    match ids {
        [] => Err(Failure::new(Reason::MissingData, "no object to derive from is named")),
        [base] => Ok((load(base)?, None)),
        [base, second] => Ok((load(base)?, Some(load(second)?))),
        _ => Err(invalid_field("a key is derived from one object or two")),
    }
}

fn derived(
    context: &Context<'_>,
    ids: &[String],
    method: Method,
    given: &Given<'_>,
    length: usize,
) -> Outcome<Secret> {
    let (base, second) = bases(context, ids)?;
    check_mask(base.object(), u32::from(Mask::DeriveKey) | u32::from(Mask::KeyAgreement))?;
    let kept = of_object(given.parameters, base.object());
    let parameters = Parameters::read(kept.as_ref().or(given.parameters))?;
    if method == Method::AsymmetricKey {
        return agreed(context, &base, second.as_ref(), given, length);
    }
    let data = data(given, second.as_ref(), method)?;
    let own = base.object().number(SOFTHSM_RS_ALGORITHM).and_then(|number| u32::try_from(number).ok());
    let own = own.and_then(Algorithm::from_number).and_then(hash_of_hmac);
    let named = parameters.algorithm.and_then(hash_of_hmac).or(parameters.hash);
    let need_hash = || named.or(own).ok_or_else(|| bad("the hash is not named"));
    let need_data =
        || data.ok_or_else(|| Failure::new(Reason::MissingData, "the derivation data is missing"));
    let transform;
    let derivation = match method {
        Method::PBKDF2 => Derivation::Pbkdf2 {
            hash: named.unwrap_or(Hash::Sha1),
            salt: given.salt.ok_or_else(|| Failure::new(Reason::MissingData, "the salt is missing"))?,
            iterations: given
                .iterations
                .ok_or_else(|| Failure::new(Reason::MissingData, "the iteration count is missing"))?,
        },
        Method::HASH => Derivation::Hash { hash: need_hash()?, data },
        // 1.x knows no HKDF. Clients that give a salt to HMAC, which takes none, mean extract and expand.
        Method::HMAC if given.salt.is_some() => Derivation::Hkdf {
            hash: need_hash()?,
            salt: given.salt.unwrap_or_default(),
            info: data.unwrap_or_default(),
        },
        // The base key's own algorithm goes first: section 4.6.
        Method::HMAC => Derivation::Hmac { hash: own.map_or_else(need_hash, Ok)?, data: need_data()? },
        Method::HKDF => Derivation::Hkdf {
            hash: named.unwrap_or(Hash::Sha256),
            salt: given.salt.unwrap_or_default(),
            info: data.unwrap_or_default(),
        },
        Method::ENCRYPT => {
            let random = |out: &mut [u8]| Ok(context.space.session().random(out)?);
            let start = Start {
                parameters: &Parameters { random_iv: false, ..parameters },
                iv: given.iv,
                additional: &[],
                direction: Direction::Encrypt,
                random: &random,
            };
            transform = choose(base.object(), &start)?.transform;
            Derivation::Encrypt { transform: &transform, data: need_data()? }
        }
        Method::NIST800_108_C | Method::NIST800_108_F | Method::NIST800_108_DPI => {
            let mode = match method {
                Method::NIST800_108_C => Iteration::Counter,
                Method::NIST800_108_F => Iteration::Feedback { iv: given.iv.unwrap_or_default() },
                _ => Iteration::DoublePipeline,
            };
            let prf = if parameters.mode == Some(Mode::CMAC) { Prf::Cmac } else { Prf::Hmac(need_hash()?) };
            Derivation::Sp800_108 { prf, mode, fixed: need_data()? }
        }
        Method::AWSSignatureVersion4 => match given.data.as_slice() {
            &[date, region, service] => Derivation::AwsSignatureV4 { date, region, service },
            _ => return Err(bad("the derivation data is not date, region and service")),
        },
        Method::AsymmetricKey => return Err(bad("the method takes no data")),
    };
    Ok(context.space.derive_bytes(&base, &derivation, length)?)
}

/// The derivation data: as it was given, or the value of the second object.
fn data<'a>(given: &Given<'a>, second: Option<&'a Found>, method: Method) -> Outcome<Option<&'a [u8]>> {
    let data = match given.data.as_slice() {
        [] => None,
        [data] => Some(*data),
        _ if method == Method::AWSSignatureVersion4 => None,
        _ => return Err(bad("there is more than one piece of derivation data")),
    };
    let Some(second) = second else { return Ok(data) };
    if data.is_some() {
        return Err(invalid_field("the derivation data is given twice"));
    }
    let object = second.object();
    if object.class() != CKO_SECRET_KEY || !object.flag(cryptoki_sys::CKA_DERIVE) {
        let text = "the second object is no secret that may be derived from";
        return Err(Failure::new(Reason::IncompatibleCryptographicUsageMask, text));
    }
    Ok(Some(object.bytes(CKA_VALUE)))
}

/// The secret that a private key shares with a public one: another object, or a point.
fn agreed(
    context: &Context<'_>,
    base: &Found,
    second: Option<&Found>,
    given: &Given<'_>,
    length: usize,
) -> Outcome<Secret> {
    let point = match (second, given.data.as_slice()) {
        (Some(public), []) => {
            let object = public.object();
            if object.class() != cryptoki_sys::CKO_PUBLIC_KEY {
                return Err(invalid_field("the second object is no public key"));
            }
            if formats::curve_of(object).is_none_or(|curve| formats::curve_of(base.object()) != Some(curve)) {
                return Err(invalid_field("the keys are not on one curve"));
            }
            let point = object.bytes(cryptoki_sys::CKA_EC_POINT);
            // PKCS #11 keeps the points of Weierstrass curves in an OCTET STRING.
            <&OctetStringRef>::from_der(point).map_or(point, OctetStringRef::as_bytes)
        }
        (None, [point]) => point,
        _ => return Err(Failure::new(Reason::MissingData, "one public key is needed")),
    };
    Ok(context.space.derive_bytes(base, &Derivation::Agree { point }, length)?)
}
