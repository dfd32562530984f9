//! Rotation of the master key: while the new key is committed and not yet current, what stands under
//! the old one is wrapped anew. The order that loses nothing: load, commit, wrap beside the old wrapping,
//! set immediate, which drops the old wrapping.

use super::active::ActiveUnit;
use super::loaded::Unit;
use super::refusal::Refusal;
use super::state::NewRegister;
use crate::error::Result;

impl Unit {
    /// The unit as set-immediate will leave it, whether there is a current master key or not.
    ///
    /// # Errors
    /// `Unit` with the refusal that set-immediate would have: nothing is committed.
    pub fn next(&self) -> Result<ActiveUnit> {
        let secured = self.state().secured().ok_or(Refusal::ImprintMode)?;
        match secured.new_register() {
            NewRegister::Empty => Err(Refusal::NewRegisterEmpty.into()),
            NewRegister::FullUncommitted(_) => Err(Refusal::NewRegisterUncommitted.into()),
            // 2^64 rotations are out of reach.
            NewRegister::FullCommitted(key) => {
                Ok(ActiveUnit::new(key.duplicate(), self.state().epoch().saturating_add(1), None))
            }
        }
    }
}
