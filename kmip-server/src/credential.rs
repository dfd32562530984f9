//! Credentials inside a request: KMIP 1.4, section 2.1.2. A certificate says who the client is; where a
//! table of credentials is configured, a username and password may say who it is instead.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, Outcome};
use crate::identity::{Client, Credentials};
use crate::ttlv::enums::{CredentialType, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag};

/// Whether it was said already that credentials are ignored.
static SAID: AtomicBool = AtomicBool::new(false);

/// The value of the ticket that a request brings, if it brings one.
///
/// # Errors
/// A ticket that is malformed.
pub(crate) fn ticket(authentication: Option<&Item>) -> Outcome<Option<&[u8]>> {
    let credentials = authentication.into_iter().flat_map(|item| item.children(Tag::CREDENTIAL));
    for credential in credentials {
        let mut fields = Fields::new(credential)?;
        let kind: CredentialType = fields.need(Tag::CREDENTIAL_TYPE)?.as_value_of()?;
        if kind == CredentialType::Ticket {
            let mut inside = Fields::new(fields.need(Tag::CREDENTIAL_VALUE)?)?;
            let value = crate::operations::login::ticket_value(inside.need(Tag::TICKET)?)?;
            inside.end()?;
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Who a request is from, where its credentials say so; `None` where the certificate alone does.
///
/// # Errors
/// [`Reason::AuthenticationNotSuccessful`] for credentials that the table does not know.
pub(crate) fn holder(
    table: &Credentials,
    client: &Client,
    authentication: Option<&Item>,
) -> Outcome<Option<Client>> {
    let Some(authentication) = authentication else { return Ok(None) };
    if table.is_empty() {
        if !SAID.swap(true, Ordering::Relaxed) {
            log::warn!(
                "{}: sends credentials, which are ignored: no table of them is configured",
                client.name
            );
        }
        return Ok(None);
    }
    for credential in authentication.children(Tag::CREDENTIAL) {
        let mut fields = Fields::new(credential)?;
        let kind: CredentialType = fields.need(Tag::CREDENTIAL_TYPE)?.as_value_of()?;
        let value = fields.need(Tag::CREDENTIAL_VALUE)?;
        if kind != CredentialType::UsernameAndPassword {
            continue;
        }
        let mut inside = Fields::new(value)?;
        let username = inside.need(Tag::USERNAME)?.as_text()?;
        let password = inside.take(Tag::PASSWORD).map(Item::as_text).transpose()?.unwrap_or_default();
        let holder = table
            .check(username, password.as_bytes())
            .map(|holder| Client { address: client.address, ..holder });
        return match holder {
            Some(holder) => Ok(Some(holder)),
            None => {
                log::warn!("{}: refused: wrong username or password", client.name);
                let text = "the username or the password is wrong";
                Err(Failure::new(Reason::AuthenticationNotSuccessful, text))
            }
        };
    }
    Ok(None)
}
