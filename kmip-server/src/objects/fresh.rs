//! New objects on their way into the store: the attributes that the client gave, those that follow from
//! the object, and those that every object has from the start.

use cryptoki_sys::{CKK_DES2, CKK_DES3};
use hsm_core::object::Object;
use hsm_core::object::lifecycle::{Seconds, State};
use hsm_core::object::managed::{self, Date, Managed, ObjectType};
use hsm_core::object::material::{self, Key};
use hsm_core::service::Provenance;

use super::{digest, template};
use crate::attributes::{Attributes, Editor, Which, edit};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::{CryptographicAlgorithm as Algorithm, ResultReason as Reason};
use crate::ttlv::{Item, Tag};

/// How an object came to be here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The server made its value.
    Made,
    /// A client brought its value.
    Brought,
    /// A client brought it as it was elsewhere, with what happened to it there.
    Imported,
}

impl Origin {
    /// What it is to the policies of partitions.
    pub fn provenance(self) -> Provenance {
        match self {
            Origin::Made => Provenance::Inside,
            Origin::Brought | Origin::Imported => Provenance::Brought,
        }
    }
}

/// What a client says of a new object, by the attributes it gives.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The attributes.
    pub attributes: Vec<Item>,
}

impl Wanted {
    /// The attributes of a new object, if a client may give them.
    ///
    /// # Errors
    /// [`Reason::ReadOnlyAttribute`].
    pub fn new(attributes: Vec<Item>) -> Outcome<Wanted> {
        attributes.iter().try_for_each(edit::may_give)?;
        Ok(Wanted { attributes })
    }

    /// The first value of an attribute.
    pub fn first(&self, tag: Tag) -> Option<&Item> {
        self.attributes.iter().find(|item| item.tag == tag)
    }

    /// The algorithm.
    ///
    /// # Errors
    /// A value of another type.
    pub fn algorithm(&self) -> Outcome<Option<u32>> {
        Ok(self.first(Tag::CRYPTOGRAPHIC_ALGORITHM).map(Item::as_enumeration).transpose()?)
    }

    /// The length in bits.
    ///
    /// # Errors
    /// A value of another type, or one that no key has.
    pub fn length(&self) -> Outcome<Option<usize>> {
        let Some(item) = self.first(Tag::CRYPTOGRAPHIC_LENGTH) else { return Ok(None) };
        let bits = usize::try_from(item.as_integer()?).ok().filter(|bits| *bits > 0);
        Ok(Some(bits.ok_or_else(|| invalid_field("the length is not positive"))?))
    }
}

/// Makes an object ready for the store. `said` are attributes that follow from the object; `wanted` are
/// the client's, which must not say otherwise.
///
/// # Errors
/// Attributes that contradict each other or that the object cannot have.
pub fn ready(
    key: Key,
    kind: ObjectType,
    origin: Origin,
    said: Vec<Item>,
    wanted: &Wanted,
    now: Seconds,
) -> Outcome<Key> {
    if kind == ObjectType::Template {
        template::check(&said, wanted)?;
    }
    check_agreement(&said, wanted)?;
    check_value(key.object(), (kind, origin), &said, wanted)?;
    check_protection(&said, wanted)?;
    let mut failure = None;
    let key = key.amended(|object| {
        failure = prepare(object, kind, origin, said, wanted, now).err();
    });
    failure.map_or(Ok(key), Err)
}

/// Quantum Safe is a demand (KMIP 2.1, section 4.45): a symmetric key of fewer than 256 bits does not meet
/// it, nor does a key pair of any algorithm that is made here.
fn check_protection(said: &[Item], wanted: &Wanted) -> Outcome<()> {
    if wanted.first(Tag::QUANTUM_SAFE).is_none_or(|item| item.as_boolean() != Ok(true)) {
        return Ok(());
    }
    let all = || said.iter().chain(&wanted.attributes);
    let find = |tag| all().find(|item| item.tag == tag);
    let algorithm = find(Tag::CRYPTOGRAPHIC_ALGORITHM).and_then(|item| item.as_value_of::<Algorithm>().ok());
    let length = find(Tag::CRYPTOGRAPHIC_LENGTH).and_then(|item| item.as_integer().ok());
    let symmetric = matches!(
        algorithm,
        Some(
            Algorithm::AES
                | Algorithm::ChaCha20
                | Algorithm::ChaCha20Poly1305
                | Algorithm::HMAC_SHA256
                | Algorithm::HMAC_SHA384
                | Algorithm::HMAC_SHA512
        )
    );
    if symmetric && length.is_some_and(|bits| bits >= 256) {
        return Ok(());
    }
    Err(Failure::new(Reason::GeneralFailure, "the key would not be quantum safe"))
}

/// Names of one algorithm, by what its keys are used for.
const OF_CURVES: [Algorithm; 4] = [Algorithm::EC, Algorithm::ECDSA, Algorithm::ECDH, Algorithm::ECMQV];

/// Whether two values of an attribute are the same, or name the same algorithm.
fn is_same(here: &Item, there: &Item) -> bool {
    let is_curve = |item: &Item| item.as_value_of().is_ok_and(|algorithm| OF_CURVES.contains(&algorithm));
    here == there || here.tag == Tag::CRYPTOGRAPHIC_ALGORITHM && is_curve(here) && is_curve(there)
}

/// What is said of a key's value is so: its length, and that the algorithm has keys of this length. KMIP 1.4,
/// section 3.5. Values that are kept unread, wrapped ones too, are taken at their owner's word.
pub(super) fn check_value(
    object: &Object,
    (kind, origin): (ObjectType, Origin),
    said: &[Item],
    wanted: &Wanted,
) -> Outcome<()> {
    let bits = material::bits(object);
    let lengths = match (kind, object.key_type()) {
        // KMIP counts the bits of DES keys without their parity, and clients do not always.
        (ObjectType::SymmetricKey, Some(CKK_DES2 | CKK_DES3)) => [bits, bits / 8 * 7],
        (ObjectType::SymmetricKey, Some(_)) => [bits; 2],
        // Of key pairs, clients (PyKMIP's own tests) say lengths that are not the modulus's.
        _ => return Ok(()),
    };
    let find = |tag| said.iter().find(|item| item.tag == tag).or_else(|| wanted.first(tag));
    if let Some(item) = find(Tag::CRYPTOGRAPHIC_LENGTH)
        && !lengths.contains(&u64::try_from(item.as_integer()?).unwrap_or_default())
    {
        return Err(invalid_field(format!("the value has {bits} bits, not the cryptographic length")));
    }
    let algorithm = find(Tag::CRYPTOGRAPHIC_ALGORITHM).and_then(|item| item.as_value_of().ok());
    // XTS takes two keys as one. What is derived may be cut to its length elsewhere.
    if algorithm == Some(Algorithm::AES) && origin != Origin::Made && !matches!(bits, 128 | 192 | 256 | 512) {
        return Err(invalid_field(format!("no AES key has {bits} bits")));
    }
    Ok(())
}

/// What object and client both say is the same.
fn check_agreement(said: &[Item], wanted: &Wanted) -> Outcome<()> {
    for tag in [Tag::CRYPTOGRAPHIC_ALGORITHM, Tag::CRYPTOGRAPHIC_LENGTH, Tag::CERTIFICATE_TYPE] {
        let here = said.iter().find(|item| item.tag == tag);
        if let (Some(here), Some(there)) = (here, wanted.first(tag))
            && !is_same(here, there)
        {
            return Err(invalid_field(format!("{tag} is not that of the object")));
        }
    }
    Ok(())
}

fn prepare(
    object: &mut Object,
    kind: ObjectType,
    origin: Origin,
    said: Vec<Item>,
    wanted: &Wanted,
    now: Seconds,
) -> Outcome<()> {
    managed::set_object_type(object, kind);
    Managed { owner: Some(String::new()), fresh: true, ..Managed::default() }.put(object);
    let mut editor = Editor::new(object);
    let given = |tag| wanted.first(tag).is_some() || said.iter().any(|item| item.tag == tag);
    if !given(Tag::RANDOM_NUMBER_GENERATOR) && kind != ObjectType::Template {
        editor.put(generator(origin))?;
    }
    for item in said.iter().chain(&wanted.attributes) {
        let which = Which::of_item(item);
        let all = said.iter().chain(&wanted.attributes);
        let mut values: Vec<Item> = Vec::new();
        for value in all.filter(|other| Which::of_item(other) == which) {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        if !which.is_multiple() {
            // The client's word comes last; where both speak, they agree, or the client is more exact.
            values.drain(..values.len().saturating_sub(1));
        }
        editor.set(&which, &values)?;
    }
    if !given(Tag::CRYPTOGRAPHIC_USAGE_MASK) && is_key(kind) {
        // Nothing was allowed, so nothing is.
        editor.put(Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0))?;
    }
    remember_beginning(&mut editor, wanted);
    if origin == Origin::Imported {
        editor.accept_dates();
        keep_used(&mut editor, wanted)?;
    }
    editor.finish()?;
    if kind == ObjectType::Template {
        managed::set_state(object, State::PreActive);
        return Ok(());
    }
    set_dates(object, origin, now);
    let digest = digest::of(object, &Attributes::of(object));
    if let Some(digest) = digest {
        let mut editor = Editor::new(object);
        editor.keep(Tag::DIGEST, &[digest]);
        editor.finish()?;
    }
    Ok(())
}

/// What was used of an imported object's limits stays used.
fn keep_used(editor: &mut Editor<'_>, wanted: &Wanted) -> Outcome<()> {
    let said = wanted.first(Tag::USAGE_LIMITS).map(edit::said_left).transpose()?.flatten();
    if let (Some(said), Some(limits)) = (said, &mut editor.managed().usage_limits) {
        limits.left = said.min(limits.total);
    }
    Ok(())
}

/// What is so from the start: KMIP 1.4, sections 3.49 and 3.51.
fn remember_beginning(editor: &mut Editor<'_>, wanted: &Wanted) {
    let is = |tag, flag| wanted.first(tag).is_some_and(|item| item.as_boolean() == Ok(flag));
    for (tag, so) in [
        (Tag::ALWAYS_SENSITIVE, is(Tag::SENSITIVE, true)),
        (Tag::NEVER_EXTRACTABLE, is(Tag::EXTRACTABLE, false)),
    ] {
        editor.keep(tag, &[Item::boolean(tag, so)]);
    }
}

/// Kinds whose use a mask governs.
fn is_key(kind: ObjectType) -> bool {
    matches!(
        kind,
        ObjectType::SymmetricKey | ObjectType::PublicKey | ObjectType::PrivateKey | ObjectType::SplitKey
    )
}

/// Where values come from: AWS-LC's generator (SP 800-90A, CTR_DRBG with AES-256), or nobody knows.
fn generator(origin: Origin) -> Item {
    let fields = match origin {
        Origin::Made => generator_fields(),
        Origin::Brought | Origin::Imported => {
            vec![Item::enumeration(Tag::RNG_ALGORITHM, crate::ttlv::enums::RNGAlgorithm::Unspecified)]
        }
    };
    Item::structure(Tag::RANDOM_NUMBER_GENERATOR, fields)
}

/// The server's generator, as RNG Parameters say it.
pub fn generator_fields() -> Vec<Item> {
    vec![
        Item::enumeration(Tag::RNG_ALGORITHM, crate::ttlv::enums::RNGAlgorithm::DRBG),
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, crate::ttlv::enums::CryptographicAlgorithm::AES),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 256),
        Item::enumeration(Tag::DRBG_ALGORITHM, crate::ttlv::enums::DRBGAlgorithm::CTR),
    ]
}

/// An object is Pre-Active until its Activation Date; one that has none waits to be activated.
fn set_dates(object: &mut Object, origin: Origin, now: Seconds) {
    let state = match Date::Activation.of(object) {
        Some(date) if date <= now => State::Active,
        _ => State::PreActive,
    };
    managed::set_state(object, state);
    if origin == Origin::Made && Date::OriginalCreation.of(object).is_none() {
        Date::OriginalCreation.set(object, Some(now));
    }
}
