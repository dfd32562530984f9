//! The administrators of an HSM that made itself: their signature keys, and the commands that they sign.

use std::path::Path;

use hsm_core::error::Result;
use hsm_core::hsm::{Hsm, Submitted};
use hsm_core::secret::Secret;
use hsm_core::unit::{Command, KeyPart, SignatureKey, SignedCommand, SignedPart, Unit, combined_pattern};
use hsm_core::unit::{VerificationPattern, ceremony};

use super::handle;

/// Both of them, whose thresholds are 2.
pub(crate) struct Administrators(Vec<SignatureKey>);

impl Administrators {
    pub(crate) fn of(home: &Path) -> Administrators {
        let paths = handle(home).unit_paths();
        let load = |number| {
            SignatureKey::load(&ceremony::signature_key_path(&paths, number), &Secret::zeroed(0)).unwrap()
        };
        Administrators(vec![load(1), load(2)])
    }

    /// The command as all sign it.
    pub(crate) fn signed(&self, hsm: &Hsm, command: &Command) -> SignedCommand {
        let unit = Unit::open(&hsm.unit_paths()).unwrap();
        let mut signed = SignedCommand::new(&unit.target(), command).unwrap();
        if !matches!(command, Command::LoadNewMasterKey(_)) {
            self.0.iter().for_each(|key| signed.sign(key).unwrap());
        }
        signed
    }

    pub(crate) fn submit(&self, hsm: &Hsm, command: &Command) -> Result<Submitted> {
        hsm.submit(&self.signed(hsm, command))
    }

    /// Loads a new master key from two fresh parts.
    pub(crate) fn load(&self, hsm: &Hsm) -> VerificationPattern {
        self.submit(hsm, &Command::GenerateImporter).unwrap();
        let unit = Unit::open(&hsm.unit_paths()).unwrap();
        let importer = unit.state().secured().unwrap().importer().unwrap();
        let parts = [KeyPart::generate("1").unwrap(), KeyPart::generate("2").unwrap()];
        let signed = parts.iter().zip(1..).map(|(part, number)| {
            let envelope = part.seal_to(&importer).unwrap();
            let mut signed = SignedPart::new(&unit.target(), number, 2, envelope).unwrap();
            signed.sign(&self.0[0]).unwrap();
            signed
        });
        self.submit(hsm, &Command::LoadNewMasterKey(signed.collect())).unwrap();
        combined_pattern(&parts)
    }

    /// Loads and commits a new master key.
    pub(crate) fn commit(&self, hsm: &Hsm) -> VerificationPattern {
        let pattern = self.load(hsm);
        self.submit(hsm, &Command::Commit(pattern)).unwrap();
        pattern
    }

    /// The whole change of the master key.
    pub(crate) fn rotate(&self, hsm: &Hsm) {
        let pattern = self.commit(hsm);
        hsm.rewrap_partitions(&mut |_| {}).unwrap();
        self.submit(hsm, &Command::SetImmediate(pattern)).unwrap();
    }
}
