//! What is allowed in which state of a key, and what is said where it is not: one table, after the states of Key
//! Protect. What other doors may do with a key's current version stands beside it, in
//! [`lifecycle`](crate::object::lifecycle).

use super::refusal::Reason;
pub use crate::object::managed::{KmsKind as Kind, KmsState as KeyState};

/// What is done with a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Read what is known of it: metadata, versions, policies, registrations.
    Look,
    /// Read a standard key's payload.
    Read,
    /// Change what is said of it: names, ring, policies, registrations, or that it is set for deletion.
    Change,
    /// Give it a new version.
    Rotate,
    /// Wrap a data encryption key.
    Wrap,
    /// Unwrap one.
    Unwrap,
    /// Wrap anew what was wrapped.
    Rewrap,
    /// Suspend it.
    Disable,
    /// Make it active again.
    Enable,
    /// Delete it.
    Delete,
    /// Bring it back.
    Restore,
    /// Erase what is left of it.
    Purge,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 12] = [
        Action::Look,
        Action::Read,
        Action::Change,
        Action::Rotate,
        Action::Wrap,
        Action::Unwrap,
        Action::Rewrap,
        Action::Disable,
        Action::Enable,
        Action::Delete,
        Action::Restore,
        Action::Purge,
    ];
}

/// A cell of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cell {
    /// It is done, if the key's dates and the rest let it.
    Yes,
    /// The key's state does not allow the use.
    State,
    /// It is not active, and so not disabled.
    NotActive,
    /// It is not suspended, and so not enabled.
    NotSuspended,
    /// It is not deleted, and so neither restored nor purged.
    NotDeleted,
    /// It is deleted.
    Gone,
}

use Cell::{Gone, NotActive, NotDeleted, NotSuspended, State, Yes};

/// What needs a root key, and the states in the order of [`KeyState::ALL`].
#[rustfmt::skip]
const TABLE: [(Action, bool, [Cell; 4]); 12] = [
    //                 root   1 Active      2 Suspended  3 Deactivated 5 Destroyed
    (Action::Look,     false, [Yes,          Yes,          Yes,          Yes]),
    (Action::Read,     false, [Yes,          Yes,          Yes,          Gone]),
    (Action::Change,   false, [Yes,          Yes,          Yes,          Gone]),
    (Action::Rotate,   true,  [Yes,          State,        Yes,          Gone]),
    (Action::Wrap,     true,  [Yes,          State,        State,        Gone]),
    (Action::Unwrap,   true,  [Yes,          State,        Yes,          Gone]),
    (Action::Rewrap,   true,  [Yes,          State,        Yes,          Gone]),
    (Action::Disable,  true,  [Yes,          NotActive,    NotActive,    Gone]),
    (Action::Enable,   true,  [NotSuspended, Yes,          NotSuspended, Gone]),
    (Action::Delete,   false, [Yes,          Yes,          Yes,          Gone]),
    (Action::Restore,  false, [NotDeleted,   NotDeleted,   NotDeleted,   Yes]),
    (Action::Purge,    false, [NotDeleted,   NotDeleted,   NotDeleted,   Yes]),
];

/// Whether a key of this kind allows an action in this state.
///
/// # Errors
/// [`Reason::RootRequired`], [`Reason::State`], [`Reason::NotActive`], [`Reason::NotSuspended`],
/// [`Reason::NotDeleted`], [`Reason::Deleted`].
pub fn check(kind: Kind, state: KeyState, action: Action) -> Result<(), Reason> {
    let row = TABLE.iter().find(|row| row.0 == action);
    let (needs_root, cells) = row.map_or((false, [State; 4]), |row| (row.1, row.2));
    if needs_root && kind != Kind::Root {
        return Err(Reason::RootRequired);
    }
    let cell = KeyState::ALL.iter().zip(cells).find(|(column, _)| **column == state);
    match cell.map_or(State, |(_, cell)| cell) {
        Yes => Ok(()),
        State => Err(Reason::State),
        NotActive => Err(Reason::NotActive),
        NotSuspended => Err(Reason::NotSuspended),
        NotDeleted => Err(Reason::NotDeleted),
        Gone => Err(Reason::Deleted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_its_row() {
        for action in Action::ALL {
            assert_eq!(TABLE.iter().filter(|row| row.0 == action).count(), 1, "{action:?}");
        }
        assert_eq!(TABLE.len(), Action::ALL.len());
    }

    /// Key Protect's table of states and actions, said once more in another form.
    #[test]
    fn every_cell_is_key_protects() {
        for action in Action::ALL {
            let allowed: &[u8] = match action {
                Action::Look => &[1, 2, 3, 5],
                Action::Read | Action::Change | Action::Delete => &[1, 2, 3],
                Action::Rotate | Action::Unwrap | Action::Rewrap => &[1, 3],
                Action::Wrap | Action::Disable => &[1],
                Action::Enable => &[2],
                Action::Restore | Action::Purge => &[5],
            };
            for state in KeyState::ALL {
                let checked = check(Kind::Root, state, action);
                assert_eq!(checked.is_ok(), allowed.contains(&(state as u8)), "{action:?} in {state:?}");
                let Err(reason) = checked else { continue };
                let expected = match (state, action) {
                    (KeyState::Destroyed, _) => ("KEY_DELETED_ERR", 410),
                    (_, Action::Disable | Action::Enable | Action::Restore | Action::Purge) => {
                        ("KEY_ACTION_INVALID_STATE_ERR", 409)
                    }
                    _ => ("KEY_INVALID_STATE_ERR", 422),
                };
                assert_eq!((reason.code(), reason.status()), expected, "{action:?} in {state:?}");
            }
        }
    }

    #[test]
    fn what_needs_a_root_key_says_so_in_every_state() {
        for action in Action::ALL {
            let needs_root = matches!(
                action,
                Action::Rotate
                    | Action::Wrap
                    | Action::Unwrap
                    | Action::Rewrap
                    | Action::Disable
                    | Action::Enable
            );
            for state in KeyState::ALL {
                let refused = check(Kind::Standard, state, action) == Err(Reason::RootRequired);
                assert_eq!(refused, needs_root, "{action:?} in {state:?}");
            }
        }
    }
}
