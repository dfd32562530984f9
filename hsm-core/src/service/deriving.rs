//! C_DeriveKey from secret keys: one key or several, a data object, or what a connection of TLS needs. PKCS #11 3.2,
//! section 5.18.5, and the rules of each mechanism for what the new key takes over of the base key.

use std::sync::Arc;

use cryptoki_sys::*;

use crate::audit::acts;
use crate::crypto::LONGEST_DERIVED;
use crate::error::{Error, Result};
use crate::mechanism::kdf::{self, Heritage, Order, Product, Recipe};
use crate::mechanism::table::{Function, Row};
use crate::mechanism::{Mechanism, Parameter, usage};
use crate::object::material::Key;
use crate::object::template::{self, Origin, build, number_in};
use crate::object::{Object, Template, Value, values};
use crate::partition::Loaded;
use crate::secret::Secret;
use crate::service::Provenance;
use crate::session::{ObjectHandle, Session};

/// What a derivation made.
#[derive(Debug, Default)]
pub struct Derived {
    /// The new objects: the one that the call's own template describes first; of TLS's connection the client's and
    /// the server's MAC key, where there are any, and the client's and the server's key.
    pub keys: Vec<ObjectHandle>,
    /// The client's and the server's initialisation vector, where they were asked for.
    pub vectors: Option<(Vec<u8>, Vec<u8>)>,
    /// The version that a premaster secret of TLS begins with.
    pub version: Option<(u8, u8)>,
}

/// The base key and those that the parameter names.
struct Bases {
    base: Arc<Loaded>,
    others: Vec<Arc<Loaded>>,
}

/// An object to be, and how long its value shall be; `None` is whatever the mechanism gives.
struct Plan {
    object: Object,
    length: Option<usize>,
}

impl Session {
    /// Derives whatever a mechanism makes. Where one of several templates is at fault, `failed` is its number,
    /// from 0, among the further ones.
    ///
    /// # Errors
    /// As [`Session::derive_key`].
    pub fn derive(
        &self,
        mechanism: &Mechanism,
        base: ObjectHandle,
        template: Template,
        failed: &mut Option<usize>,
    ) -> Result<Derived> {
        let row = self.row_for(mechanism, Function::Derive)?;
        let Some(recipe) = row.recipe.map(|recipe| recipe.under(&mechanism.parameter)).transpose()? else {
            let key = self.derive_key(mechanism, base, template)?;
            return Ok(Derived { keys: vec![key], ..Derived::default() });
        };
        let keys = self.used(base, None);
        let derived = self.derived_by(mechanism, (row, &recipe), base, template, failed);
        let made: Vec<ObjectHandle> = derived.iter().flat_map(|derived| derived.keys.clone()).collect();
        self.noted(acts::DERIVE, keys, derived).inspect_err(|_| {
            // Keys whose making could not be recorded are not there.
            for key in made {
                let _ = self.destroy_object(key);
            }
        })
    }

    /// What a recipe makes.
    fn derived_by(
        &self,
        mechanism: &Mechanism,
        (row, recipe): (&Row, &Recipe),
        base: ObjectHandle,
        template: Template,
        failed: &mut Option<usize>,
    ) -> Result<Derived> {
        let bases = self.bases(mechanism, row, base)?;
        match recipe.product {
            Product::Keys | Product::Data => {
                self.derive_objects(mechanism, (row, recipe), &bases, template, failed)
            }
            Product::Master => {
                let mut derived = self.derive_objects(mechanism, (row, recipe), &bases, template, failed)?;
                derived.version = kdf::version(&bases.base.key);
                Ok(derived)
            }
            Product::Connection => self.derive_connection(mechanism, (row, recipe), &bases, template),
        }
    }

    /// The base key and those that the parameter names, each of which must be fit to derive from.
    fn bases(&self, mechanism: &Mechanism, row: &Row, base: ObjectHandle) -> Result<Bases> {
        let load = |handle| {
            let loaded = self.key(handle)?;
            usage::check(row, Function::Derive, &loaded.key)?;
            self.policy()?.check_purpose(loaded.object())?;
            Ok(loaded)
        };
        let others = mechanism.parameter.keys().into_iter().map(|handle| load(ObjectHandle(handle)));
        Ok(Bases { base: load(base)?, others: others.collect::<Result<_>>()? })
    }

    fn derive_objects(
        &self,
        mechanism: &Mechanism,
        (row, recipe): (&Row, &Recipe),
        bases: &Bases,
        template: Template,
        failed: &mut Option<usize>,
    ) -> Result<Derived> {
        let several = matches!(mechanism.parameter, Parameter::Sp800_108 { .. });
        let plan = |template| self.plan(recipe, bases, if several { narrowed(template) } else { template });
        let mut plans = vec![plan(template)?];
        if let Parameter::Sp800_108 { more, .. } = &mechanism.parameter {
            for (at, template) in more.iter().enumerate() {
                let template = template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect();
                plans.push(plan(template).inspect_err(|_| *failed = Some(at))?);
            }
        }
        let lengths: Vec<Option<usize>> = plans.iter().map(|plan| plan.length).collect();
        let secrets = make(mechanism, (row, recipe), bases, &lengths)?;
        let keys = plans.into_iter().zip(secrets).map(|(plan, secret)| fill(plan.object, secret));
        let keys = self.add_derived(row, keys.collect::<Result<_>>()?)?;
        Ok(Derived { keys, ..Derived::default() })
    }

    /// Checks one template and says what comes of it.
    fn plan(&self, recipe: &Recipe, bases: &Bases, mut template: Template) -> Result<Plan> {
        template::impose(bases.base.object().get(CKA_DERIVE_TEMPLATE), &mut template)?;
        if recipe.product == Product::Data {
            return self.plan_data(bases, template);
        }
        let named = number_in(&template, CKA_KEY_TYPE)?;
        let key_type = named.unwrap_or(CKK_GENERIC_SECRET);
        if number_in(&template, CKA_CLASS)?.is_some_and(|class| class != CKO_SECRET_KEY) {
            return Err(Error::TemplateInconsistent(CKA_CLASS));
        }
        if recipe.product == Product::Master && key_type != CKK_GENERIC_SECRET {
            return Err(Error::TemplateInconsistent(CKA_KEY_TYPE));
        }
        if recipe.product == Product::Master {
            limit(&mut template)?;
        }
        inherit(recipe.heritage, bases, &mut template)?;
        template.push((CKA_KEY_TYPE, Value::Number(key_type)));
        let base = bases.base.object();
        let mut object =
            build(Origin::Derive(base), CKO_SECRET_KEY, Some(key_type), template, self.author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        set_history(recipe.heritage, bases, &mut object);
        let length = wanted(&object)?;
        Ok(Plan { object, length })
    }

    /// CKM_HKDF_DATA. A data object has no CKA_VALUE_LEN, which says here how long it shall be.
    fn plan_data(&self, bases: &Bases, mut template: Template) -> Result<Plan> {
        if number_in(&template, CKA_CLASS)?.is_some_and(|class| class != CKO_DATA) {
            return Err(Error::TemplateInconsistent(CKA_CLASS));
        }
        let length = number_in(&template, CKA_VALUE_LEN)?;
        let length = length.map(|length| bounded(length, LONGEST_DERIVED)).transpose()?;
        if template.iter().any(|(kind, _)| *kind == CKA_VALUE) {
            return Err(Error::AttributeReadOnly(CKA_VALUE));
        }
        template.retain(|(kind, _)| *kind != CKA_VALUE_LEN);
        let base = bases.base.object();
        let object = build(Origin::Derive(base), CKO_DATA, None, template, self.author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        Ok(Plan { object, length })
    }

    /// The keys and vectors of a connection: both MAC keys and both keys are made, or none.
    fn derive_connection(
        &self,
        mechanism: &Mechanism,
        (row, recipe): (&Row, &Recipe),
        bases: &Bases,
        template: Template,
    ) -> Result<Derived> {
        let Parameter::TlsKeys { mac_bits, key_bits, iv_bits, .. } = mechanism.parameter else {
            return Err(Error::MechanismParamInvalid);
        };
        let vectors = row.kind == CKM_TLS12_KEY_AND_MAC_DERIVE;
        let [mac, key, iv] = [mac_bits, key_bits, if vectors { iv_bits } else { 0 }].map(bytes_of);
        let (mac, key, iv) = (mac?, key?, iv?);
        let of_mac = || {
            let mut own: Template = template
                .iter()
                .filter(|(kind, _)| !matches!(*kind, CKA_KEY_TYPE | CKA_VALUE_LEN))
                .filter(|(kind, _)| !USES.contains(kind))
                .map(|(kind, value)| (*kind, value.duplicate()))
                .collect();
            own.push((CKA_KEY_TYPE, Value::Number(CKK_GENERIC_SECRET)));
            own.extend(USES.map(|kind| (kind, Value::Bool(matches!(kind, CKA_SIGN | CKA_VERIFY)))));
            own
        };
        let of_key = || {
            let mut own: Template = template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect();
            if own.iter().all(|(kind, _)| *kind != CKA_DERIVE) {
                own.push((CKA_DERIVE, Value::Bool(true)));
            }
            own
        };
        let mut plans = Vec::new();
        for (mut own, length) in [(of_mac(), mac), (of_mac(), mac), (of_key(), key), (of_key(), key)] {
            if length > 0 {
                own.push((CKA_VALUE_LEN, Value::Number(length as u64)));
                plans.push(self.plan(recipe, bases, own)?);
            }
        }
        let lengths: Vec<Option<usize>> =
            plans.iter().map(|plan| plan.length).chain([Some(iv), Some(iv)]).collect();
        let mut secrets = make(mechanism, (row, recipe), bases, &lengths)?;
        let (server, client) = (secrets.pop(), secrets.pop());
        let keys = plans.into_iter().zip(secrets).map(|(plan, secret)| fill(plan.object, secret));
        let keys = self.add_derived(row, keys.collect::<Result<_>>()?)?;
        let vectors = client.zip(server).filter(|_| iv > 0);
        let vectors = vectors.map(|(client, server)| (client.expose().to_vec(), server.expose().to_vec()));
        Ok(Derived { keys, vectors, version: None })
    }

    /// Adds all objects or none.
    fn add_derived(&self, row: &Row, keys: Vec<Key>) -> Result<Vec<ObjectHandle>> {
        let from = Provenance::of(row, Function::Derive);
        let mut added = Vec::new();
        for key in keys {
            match self.add(key, from, acts::DERIVE_KEY) {
                Ok(handle) => added.push(handle),
                Err(error) => {
                    for handle in added {
                        let named = self.partition().named(handle)?;
                        self.partition().destroy(named, acts::DESTROY_OBJECT, &|_| Ok(()))?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(added)
    }
}

/// What a master secret is for (section 6.40.4).
const OF_MASTER: [u64; 6] = [
    CKM_TLS12_KEY_AND_MAC_DERIVE,
    CKM_TLS12_KEY_SAFE_DERIVE,
    CKM_TLS_KDF,
    CKM_TLS_MAC,
    CKM_TLS12_KDF,
    CKM_TLS12_MAC,
];

/// Gives a master secret its CKA_ALLOWED_MECHANISMS, of which a template may leave some out.
fn limit(template: &mut Template) -> Result<()> {
    match template.iter().find(|(kind, _)| *kind == CKA_ALLOWED_MECHANISMS) {
        Some((_, Value::Numbers(given)))
            if given.is_empty() || given.iter().any(|kind| !OF_MASTER.contains(kind)) =>
        {
            Err(Error::TemplateInconsistent(CKA_ALLOWED_MECHANISMS))
        }
        Some(_) => Ok(()),
        None => {
            template.push((CKA_ALLOWED_MECHANISMS, Value::Numbers(OF_MASTER.to_vec())));
            Ok(())
        }
    }
}

/// What keys may be used for.
const USES: [u64; 7] = [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE];

/// The template of one of several keys: if it says what the key is for, the key is for nothing else.
fn narrowed(mut template: Template) -> Template {
    let names_use = |(kind, value): &(u64, Value)| USES.contains(kind) && matches!(value, Value::Bool(true));
    if template.iter().any(names_use) {
        let others = USES.into_iter().filter(|kind| !template.iter().any(|(named, _)| named == kind));
        template.extend(others.map(|kind| (kind, Value::Bool(false))).collect::<Vec<_>>());
    }
    template
}

/// A length in bits as whole bytes.
fn bytes_of(bits: u64) -> Result<usize> {
    let bytes = usize::try_from(bits / 8).ok().filter(|bytes| bits.is_multiple_of(8) && *bytes <= 512);
    bytes.ok_or(Error::MechanismParamInvalid)
}

fn make(
    mechanism: &Mechanism,
    (row, recipe): (&Row, &Recipe),
    bases: &Bases,
    lengths: &[Option<usize>],
) -> Result<Vec<Secret>> {
    let others: Vec<Arc<Key>> = bases.others.iter().map(|other| other.key.clone()).collect();
    let order =
        Order { row, parameter: &mechanism.parameter, base: &bases.base.key, others: &others, lengths };
    recipe.make(&order)
}

/// Puts a derived value into its object.
fn fill(mut object: Object, mut secret: Secret) -> Result<Key> {
    if object.class() == CKO_DATA {
        object.set(CKA_VALUE, Value::Bytes(secret.expose().to_vec()));
    } else {
        values::shape(object.key_type(), &mut secret);
        object.set(CKA_VALUE, Value::Secret(secret));
    }
    values::settle(object)
}

/// The length of a key in bytes, where key type or template say it. A key type that has several lengths asks for
/// CKA_VALUE_LEN (section 6.43.3 and its siblings); a generic secret takes what there is.
fn wanted(object: &Object) -> Result<Option<usize>> {
    let key_type = object.key_type().unwrap_or(CKK_GENERIC_SECRET);
    let given = object.number(CKA_VALUE_LEN).map(|length| bounded(length, kdf::LONGEST_KEY)).transpose()?;
    let length = match (values::only_len(key_type), given) {
        (Some(only), None) => Some(only),
        (None, None) if matches!(key_type, CKK_AES | CKK_AES_XTS) => {
            return Err(Error::TemplateIncomplete(CKA_VALUE_LEN));
        }
        (_, given) => given,
    };
    if let Some(length) = length {
        values::check_secret_len(key_type, length).map_err(|error| match error {
            Error::AttributeValueInvalid(CKA_VALUE) => Error::TemplateInconsistent(CKA_VALUE_LEN),
            other => other,
        })?;
    }
    Ok(length)
}

fn bounded(length: u64, longest: usize) -> Result<usize> {
    let length = usize::try_from(length).ok().filter(|length| (1..=longest).contains(length));
    length.ok_or(Error::TemplateInconsistent(CKA_VALUE_LEN))
}

/// Adds to a template what the new key takes over; what the template says otherwise is inconsistent.
fn inherit(heritage: Heritage, bases: &Bases, template: &mut Template) -> Result<()> {
    let base = bases.base.object();
    let any = |holds: &dyn Fn(&Object) -> bool| {
        holds(base) || bases.others.iter().any(|other| holds(other.object()))
    };
    let sensitive = any(&|object| object.flag(CKA_SENSITIVE));
    let unextractable = any(&|object| !object.flag(CKA_EXTRACTABLE));
    let forced = match heritage {
        Heritage::Free | Heritage::ByDefault => [None, None],
        Heritage::Strict | Heritage::StrictByDefault => {
            [sensitive.then_some(true), unextractable.then_some(false)]
        }
        Heritage::Whole => [Some(sensitive), Some(!unextractable)],
    };
    let by_default = matches!(heritage, Heritage::ByDefault | Heritage::StrictByDefault);
    let defaults = if by_default { [Some(sensitive), Some(!unextractable)] } else { [None, None] };
    for (kind, (forced, default)) in
        [CKA_SENSITIVE, CKA_EXTRACTABLE].into_iter().zip(forced.into_iter().zip(defaults))
    {
        match (template.iter().find(|(given, _)| *given == kind), forced) {
            (Some((_, Value::Bool(given))), Some(forced)) if *given != forced => {
                return Err(Error::TemplateInconsistent(kind));
            }
            (None, _) => template.extend(forced.or(default).map(|value| (kind, Value::Bool(value)))),
            _ => {}
        }
    }
    Ok(())
}

/// CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE, where several base keys have a say in them or the new key's own
/// attributes have none. `build` has done the rest.
fn set_history(heritage: Heritage, bases: &Bases, object: &mut Object) {
    let base = bases.base.object();
    let flags = |kind| {
        std::iter::once(base)
            .chain(bases.others.iter().map(|other| other.object()))
            .map(move |key| key.flag(kind))
    };
    let (always, never) = (flags(CKA_ALWAYS_SENSITIVE), flags(CKA_NEVER_EXTRACTABLE));
    let (always, never) = match heritage {
        Heritage::Free | Heritage::Whole => return,
        Heritage::ByDefault => {
            let (mut always, mut never) = (always, never);
            (
                always.any(|flag| flag) && object.flag(CKA_SENSITIVE),
                never.any(|flag| flag) && !object.flag(CKA_EXTRACTABLE),
            )
        }
        Heritage::Strict | Heritage::StrictByDefault => {
            let (mut always, mut never) = (always, never);
            (always.all(|flag| flag), never.all(|flag| flag))
        }
    };
    object.set(CKA_ALWAYS_SENSITIVE, Value::Bool(always));
    object.set(CKA_NEVER_EXTRACTABLE, Value::Bool(never));
}
