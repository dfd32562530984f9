//! The token that a whole token's objects are brought to: one that is there, or one that is made for them and goes
//! again if they do not come.

use std::sync::Arc;

use hsm_core::hsm::Hsm;
use hsm_core::object::Template;
use hsm_core::partition::Partition;
use hsm_core::secret::Secret;
use hsm_core::service::bringing::Fate;
use hsm_core::session::{Access, Role};

use crate::commands::Token;
use crate::commands::moving::of_policies;
use crate::commands::token::padded;
use crate::failure::Result;

/// Where objects go.
pub(super) enum Target {
    /// A token that is there, and its PINs.
    Present { token: Token, pin: Secret, so_pin: Option<Secret> },
    /// One to be made.
    New { label: String, pin: Secret, so_pin: Secret },
}

impl Target {
    /// Brings the objects: the token, and what became of each.
    pub(super) fn bring(&self, hsm: &Hsm, objects: &[Template]) -> Result<(Token, Vec<Fate>)> {
        match self {
            Target::Present { token, pin, so_pin } => {
                let fates = bring(&token.partition, pin, so_pin.as_ref(), objects)?;
                Ok((Token::of(Arc::clone(&token.partition)), fates))
            }
            Target::New { label, pin, so_pin } => {
                let partition = hsm.create_partition(&padded(label)?, so_pin.expose())?;
                let brought = set_user_pin(&partition, so_pin, pin)
                    .and_then(|()| bring(&partition, pin, Some(so_pin), objects));
                match brought {
                    Ok(fates) => Ok((Token::of(partition), fates)),
                    Err(failure) => {
                        hsm.delete_partition(&partition, so_pin.expose())?;
                        Err(failure)
                    }
                }
            }
        }
    }
}

fn set_user_pin(partition: &Arc<Partition>, so_pin: &Secret, pin: &Secret) -> Result<()> {
    let session = partition.open_session(Access::ReadWrite)?;
    let done = session.login(Role::So, so_pin.expose()).and_then(|()| session.init_pin(pin.expose()));
    partition.close_session(&session);
    Ok(done?)
}

fn bring(
    partition: &Arc<Partition>,
    pin: &Secret,
    so_pin: Option<&Secret>,
    objects: &[Template],
) -> Result<Vec<Fate>> {
    let session = partition.open_session(Access::ReadWrite)?;
    let done = session
        .login(Role::User, pin.expose())
        .and_then(|()| session.bring(objects, so_pin.map(Secret::expose)));
    partition.close_session(&session);
    done.map_err(of_policies)
}
