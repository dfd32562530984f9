//! What one machine does where it has the keys of enough administrators: the master key is changed, or comes back
//! from a recovery unit. Every command is signed, verified and recorded as if people had given it.

use std::sync::Arc;

use super::{Hsm, Rewrapped};
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::unit::ceremony::rotation::{self, Move};
use crate::unit::ceremony::{self, Step};
use crate::unit::{
    self, Attributes, Command, CurrentRegister, Envelope, NewRegister, Permissions, PublicKey, Refusal,
    SignatureKey, SignedPart, Unit, UnitStatus, VerificationPattern,
};

/// How far an automatic change has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// A step was done.
    Done(Step),
    /// Partitions are being wrapped.
    Wrapping(Rewrapped),
}

impl Hsm {
    /// Makes a partition. Where there is no HSM yet, or another process is just making it, one is made first by the
    /// quick ceremony, unless the configuration leaves that to `softhsm-rs init`.
    ///
    /// # Errors
    /// As [`Hsm::create_partition`] and [`Hsm::initialise`]; [`Error::NoHsm`] where none may be made.
    pub fn create_partition_and_hsm(&self, label: &[u8; 32], so_pin: &[u8]) -> Result<Arc<Partition>> {
        match self.create_partition(label, so_pin) {
            Err(error) if error.is_no_hsm() && self.config().auto_init => {}
            Err(Error::Store(StoreError::Missing(_))) => {
                return Err(Error::NoHsm(self.config().home.root.clone()));
            }
            made => return made,
        }
        match self.initialise(&ceremony::Options::default(), &mut |_| {}) {
            // Another process was faster.
            Ok(_) | Err(Error::HsmExists(_)) => self.create_partition(label, so_pin),
            Err(error) => Err(error),
        }
    }

    /// Changes the master key to a new random one, with the keys and parts that the quick ceremony left here:
    /// new parts, load, commit, wraps for every partition, set-immediate. Interrupted anywhere, it is run again and
    /// goes on. TKE's `auto-mk-rotate`.
    ///
    /// # Errors
    /// [`Error::UnitNotActive`] where there is no master key, keys of administrators are missing, or people began
    /// a change; [`Error::FileDamaged`] for a wrong passphrase; those of [`Hsm::submit`] and
    /// [`Hsm::rewrap_partitions`].
    pub fn rotate_master_key(
        &self,
        passphrase: &Secret,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<UnitStatus> {
        loop {
            let unit = self.unit()?;
            match rotation::next(&unit, passphrase, &mut |step| progress(Progress::Done(step)))? {
                Move::Submit(command, step) => {
                    self.submit(&command)?;
                    progress(Progress::Done(step));
                }
                Move::Activate(command, step) => {
                    if self.has_store() {
                        self.rewrap_partitions(&mut |wrapped| progress(Progress::Wrapping(wrapped)))?;
                    }
                    self.submit(&command)?;
                    progress(Progress::Done(step));
                }
                Move::Finish => {
                    rotation::finish(&unit)?;
                    return Ok(unit.status());
                }
            }
        }
    }

    /// The signature keys that the quick ceremony left here, if they are enough for the unit's threshold.
    ///
    /// # Errors
    /// [`Error::UnitNotActive`] if they are not; [`Error::FileDamaged`] for a wrong passphrase.
    pub fn ceremony_keys(&self, passphrase: &Secret) -> Result<Vec<SignatureKey>> {
        rotation::signature_keys(&self.unit()?, passphrase)
    }

    /// Brings the current master key of a recovery unit into this unit, with keys of administrators of both; see
    /// [`unit::recovery::check`], which the caller asks before. A permission to load a single part that had to be
    /// granted for it is taken back. Interrupted, it is run again. TKE's `auto-recover`.
    ///
    /// # Errors
    /// Those of [`Hsm::submit`] for either unit.
    pub fn recover_from(
        &self,
        recovery: &Hsm,
        keys: &[SignatureKey],
        pattern: VerificationPattern,
        progress: &mut dyn FnMut(Step),
    ) -> Result<UnitStatus> {
        let mut granted = false;
        loop {
            let unit = self.unit()?;
            let secured = unit.state().secured().ok_or(Refusal::ImprintMode)?;
            let is_current = matches!(secured.current_register(), CurrentRegister::Valid(_));
            let single = secured.permissions().allow(Permissions::SINGLE_PART);
            let (command, text) = match secured.new_register() {
                _ if is_current && granted => {
                    granted = false;
                    (permissions(secured.permissions().without(Permissions::SINGLE_PART)), taken_back())
                }
                _ if is_current => return Ok(unit.status()),
                NewRegister::FullCommitted(_) => {
                    (Command::SetImmediate(pattern), "the master key is in use".to_owned())
                }
                NewRegister::FullUncommitted(_) => {
                    (Command::Commit(pattern), format!("verification pattern {pattern}"))
                }
                NewRegister::Empty if !single => {
                    granted = true;
                    let text = "a master key may be loaded from a single part".to_owned();
                    (permissions(secured.permissions().with(Permissions::SINGLE_PART)), text)
                }
                NewRegister::Empty => match secured.importer() {
                    None => (Command::GenerateImporter, "a key pair for the transport".to_owned()),
                    Some(importer) => {
                        let envelope = recovery.export(&importer, keys, progress)?;
                        let part = sealed(&unit, envelope, keys)?;
                        (Command::LoadNewMasterKey(vec![part]), format!("verification pattern {pattern}"))
                    }
                },
            };
            let step = self.give(&unit, &command, keys, text)?.1;
            progress(step);
        }
    }

    /// Hands the current master key out, encrypted to another unit's importer key.
    fn export(
        &self,
        importer: &PublicKey,
        keys: &[SignatureKey],
        progress: &mut dyn FnMut(Step),
    ) -> Result<Envelope> {
        let text = "from the recovery unit, encrypted to this one".to_owned();
        let (events, step) = self.give(&self.unit()?, &Command::ExportCurrent(*importer), keys, text)?;
        progress(step);
        let envelope = events.into_iter().find_map(|event| match event {
            unit::Event::MasterKeyExported { envelope, .. } => Some(*envelope),
            _ => None,
        });
        envelope.ok_or(Error::CryptoFailed("exporting the master key"))
    }

    /// Signs a command with those of the keys that are administrators', and gives it to the unit.
    fn give(
        &self,
        unit: &Unit,
        command: &Command,
        keys: &[SignatureKey],
        text: String,
    ) -> Result<(Vec<unit::Event>, Step)> {
        let keys: Vec<SignatureKey> = of_administrators(unit, keys).map(SignatureKey::duplicate).collect();
        let (signed, step) = ceremony::signed(unit, command, &keys, text)?;
        Ok((self.submit(&signed)?.events, step))
    }
}

fn of_administrators<'a>(unit: &'a Unit, keys: &'a [SignatureKey]) -> impl Iterator<Item = &'a SignatureKey> {
    keys.iter().filter(|key| unit.state().administrator(&key.ski()).is_some())
}

fn sealed(unit: &Unit, envelope: Envelope, keys: &[SignatureKey]) -> Result<SignedPart> {
    let signer = of_administrators(unit, keys).next().ok_or(Refusal::SignerUnknown)?;
    let mut part = SignedPart::new(&unit.target(), 1, 1, envelope)?;
    part.sign(signer)?;
    Ok(part)
}

fn permissions(permissions: Permissions) -> Command {
    Command::SetAttributes(Attributes { permissions: Some(permissions), ..Attributes::default() })
}

fn taken_back() -> String {
    "the permission for a single part is taken back".to_owned()
}
