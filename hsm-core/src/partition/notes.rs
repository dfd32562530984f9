//! The events of what this process does with a partition, for the transactions that do it (`hsm`'s notes).

use super::Partition;
use super::handles::Identity;
use crate::audit::{Activity, ObjectId, Uses};
use crate::error::{Error, Result};
use crate::hsm::Note;

impl Partition {
    /// An event of this process that is about this partition.
    pub(crate) fn note(&self, act: Activity) -> Result<Note> {
        self.hsm()?.note(act, &self.label())
    }

    /// As [`Partition::note`], about an object.
    pub(super) fn note_about(&self, act: Activity, id: ObjectId) -> Result<Note> {
        let mut note = self.note(act)?;
        note.about(id);
        Ok(note)
    }

    /// As [`Partition::note`], about what a handle stands for; objects of a session have no lasting name.
    pub(crate) fn note_of(&self, act: Activity, identity: Identity) -> Result<Note> {
        match identity {
            Identity::Token(id) => self.note_about(act, id),
            Identity::Session(_) | Identity::ImportToken { .. } | Identity::Profile(_) => self.note(act),
        }
    }

    /// As [`Partition::note`], for what a damaged log does not keep people from.
    pub(super) fn note_if_whole(&self, act: Activity) -> Result<Note> {
        self.hsm()?.note_if_whole(act, &self.label())
    }

    /// Whether uses of its keys by this process are recorded.
    pub(super) fn records_uses(&self) -> bool {
        self.hsm().is_ok_and(|hsm| hsm.own_uses() != Uses::Off)
    }

    /// Takes note of a use of these keys of it.
    pub(crate) fn note_use(
        &self,
        act: Activity,
        keys: [Option<ObjectId>; 2],
        refused: Option<&Error>,
    ) -> Result<()> {
        self.hsm()?.note_use(act, &self.label(), keys, refused)
    }

    /// The label without its padding.
    pub(super) fn label(&self) -> String {
        String::from_utf8_lossy(&self.record().label).trim_end_matches([' ', '\0']).to_owned()
    }
}
