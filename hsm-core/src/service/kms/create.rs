//! Making keys: generated here, or of material that is brought, in clear or encrypted for the import token.

use super::{Kms, deeds, object};
use crate::error::Result;
use crate::import_token::{Wrapped, is_material};
use crate::kms::{Description, KeyId, KeyRecord, Kind, Reason, Source};
use crate::rng;
use crate::secret::Secret;

/// The longest material of a standard key, in bytes.
const LONGEST: usize = 7500;
/// Length of what is generated, in bytes.
pub(super) const GENERATED: usize = 32;

/// Key material that is brought.
#[derive(Debug)]
pub enum Material<'a> {
    /// In clear.
    Plain(Secret),
    /// Encrypted for the partition's import token.
    Token(Wrapped<'a>),
}

/// The source of material, or of none.
pub(super) fn source(material: Option<&Material<'_>>) -> Source {
    match material {
        None => Source::Generated,
        Some(Material::Plain(_)) => Source::Plain,
        Some(Material::Token(_)) => Source::Token,
    }
}

impl Kms<'_> {
    /// Makes a key: of random material, 32 bytes long, or of what is brought. Root keys have 16, 24 or 32 bytes,
    /// standard keys at most 7500.
    ///
    /// # Errors
    /// Refusals: [`Reason::Field`], [`Reason::AccessPolicy`], [`Reason::RingMissing`], [`Reason::AliasTaken`],
    /// [`Reason::AliasLimit`], [`Reason::MaterialRequired`] for an imported key with a rotation policy;
    /// those of [`redeem`](crate::import_token::ImportToken::redeem); those of the session's rights and of the
    /// store.
    pub fn create(&self, said: Description, material: Option<Material<'_>>) -> Result<KeyRecord> {
        let source = source(material.as_ref());
        let prepared = self
            .may_write()
            .and_then(|()| self.prepare(&said, material))
            .map_err(|error| self.refused(&deeds::CREATE, None, error))?;
        self.change(&deeds::CREATE, None, |transaction| {
            let mut said = said.clone();
            let mut instance = transaction.kms().instance()?;
            instance.policies.access.check(said.kind, source)?;
            instance.policies.complete(&mut said, source != Source::Generated)?;
            if let Some(ring) = &said.ring {
                instance.check_has_ring(ring)?;
            }
            for alias in &said.aliases {
                if transaction.kms().with_alias(alias)?.is_some() {
                    return Err(Reason::AliasTaken.into());
                }
            }
            let (ids, made) =
                ((KeyId::fresh()?, KeyId::fresh()?), (source != Source::Generated, prepared.len()));
            let key = KeyRecord::new(said, made, ids, &self.caller.actor, self.now());
            if !key.aliases.is_empty() {
                instance.count_aliases(0, key.aliases.len())?;
                transaction.put_kms_instance(&instance)?;
            }
            transaction.insert(object::made(&key, prepared.duplicate())?, Some(key.id.into()))?;
            transaction.put_kms_key(None, &key)?;
            Ok((Some(key.id), key))
        })
    }

    /// Checks what is said, and has the material before anybody waits for the transaction. What the policies
    /// refuse opens no import token.
    fn prepare(&self, said: &Description, material: Option<Material<'_>>) -> Result<Secret> {
        said.check(self.now())?;
        let policies = &self.session.partition().kms_instance()?.policies;
        policies.access.check(said.kind, source(material.as_ref()))?;
        self.material(said.kind, material)
    }

    /// The bytes of material, checked for their length.
    pub(super) fn material(&self, kind: Kind, material: Option<Material<'_>>) -> Result<Secret> {
        let bytes = match material {
            None => return rng::secret(GENERATED),
            Some(Material::Plain(bytes)) => bytes,
            Some(Material::Token(wrapped)) if wrapped.algorithm.brings_private_keys() => {
                return Err(Reason::Field {
                    name: "encryptionAlgorithm",
                    must: "RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1",
                }
                .into());
            }
            Some(Material::Token(wrapped)) => self.session.redeem_import_token(&wrapped, self.now())?,
        };
        match kind {
            Kind::Root if !is_material(bytes.expose()) => {
                Err(Reason::Field { name: "payload", must: "16, 24 or 32 bytes, in base64" }.into())
            }
            Kind::Standard if bytes.is_empty() || bytes.len() > LONGEST => {
                Err(Reason::Field { name: "payload", must: "1 to 7500 bytes, in base64" }.into())
            }
            Kind::Root | Kind::Standard => Ok(bytes),
        }
    }
}
