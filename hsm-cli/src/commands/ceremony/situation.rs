//! What is known of a unit at the moment: of this machine's own by looking at it, of another one by its statement.

use std::path::Path;

use hsm_core::Error;
use hsm_core::hsm::{Hsm, Rewrapped};
use hsm_core::unit::{SignedCommand, Target, Unit};

use crate::commands::unit::known;
use crate::commands::unit::view::{Count, View, is_next};
use crate::failure::Result;

/// What a ceremony has come to.
pub(super) struct Situation {
    /// The unit; `None` where there is none yet.
    pub(super) view: Option<View>,
    /// What its next command must name.
    pub(super) target: Option<Target>,
    /// The statement that it was read from, as commands are to name it.
    pub(super) statement: Option<String>,
    /// How far partitions are wrapped under a committed key; `None` where nothing is known or to be done.
    pub(super) rewrapped: Option<Rewrapped>,
    /// How many tokens there are, where this is the HSM.
    pub(super) tokens: Option<usize>,
}

impl Situation {
    /// How many signatures a command has and needs, if it is the unit's next one.
    pub(super) fn count(&self, command: &SignedCommand) -> Option<Count> {
        let is_its = self.target.as_ref().is_some_and(|target| is_next(target, command));
        self.view.as_ref().filter(|_| is_its)?.count(command)
    }

    /// That of this machine's own unit.
    ///
    /// # Errors
    /// A unit that is there and cannot be opened.
    pub(super) fn here(hsm: &Hsm) -> Result<Situation> {
        let unit = match Unit::open(&hsm.unit_paths()) {
            Err(Error::NoHsm(_)) => {
                let (view, target, statement) = (None, None, None);
                return Ok(Situation { view, target, statement, rewrapped: None, tokens: None });
            }
            unit => unit?,
        };
        Ok(Situation {
            view: Some(View::of_unit(&unit)?),
            target: Some(unit.target()),
            statement: None,
            // A store that cannot be read is told by the step that needs it.
            rewrapped: hsm.rewrapped().unwrap_or_default(),
            tokens: Some(hsm.partitions().map_or(0, |partitions| partitions.len())),
        })
    }

    /// That of a unit somewhere else.
    ///
    /// # Errors
    /// A statement that is not to be believed.
    pub(super) fn told(path: &Path) -> Result<Situation> {
        let said = known::believed(path)?;
        Ok(Situation {
            view: Some(View::of_statement(&said)?),
            target: said.target(),
            statement: Some(path.display().to_string()),
            rewrapped: None,
            tokens: None,
        })
    }
}
