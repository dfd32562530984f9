//! Rotation of the master key: while the new key is committed and not yet current, what stands under
//! the old one is wrapped anew. The order that loses nothing: load, commit, re-wrap for the next epoch
//! beside the old wrapping, set immediate, drop the old wrapping.

use super::active::ActiveUnit;
use super::loaded::Unit;
use super::refusal::Refusal;
use super::state::NewRegister;
use crate::error::Result;

/// Both master keys of a unit whose rotation waits for set-immediate.
#[derive(Debug)]
pub struct Rotation {
    /// The key in use.
    pub current: ActiveUnit,
    /// The key that set-immediate will put into use, with the epoch that begins then.
    pub next: ActiveUnit,
}

impl Unit {
    /// The proof that the master key can be rotated now.
    ///
    /// # Errors
    /// `UnitNotActive` without a current master key, `Unit` with a refusal without a committed new
    /// one.
    pub fn rotation(&self) -> Result<Rotation> {
        let current = self.active()?;
        let secured = self.state().secured().ok_or(Refusal::ImprintMode)?;
        let next = match secured.new_register() {
            NewRegister::Empty => return Err(Refusal::NewRegisterEmpty.into()),
            NewRegister::FullUncommitted(_) => return Err(Refusal::NewRegisterUncommitted.into()),
            // 2^64 rotations are out of reach.
            NewRegister::FullCommitted(key) => {
                ActiveUnit::new(key.duplicate(), current.epoch().saturating_add(1))
            }
        };
        Ok(Rotation { current, next })
    }
}
