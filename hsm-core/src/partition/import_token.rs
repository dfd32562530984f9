//! A partition's import token in the store: one record in the objects' space, sealed by the key of private
//! objects, so that only the user reaches it and it goes with the space. It is no object: its kind is
//! another, its place follows by a key of the partition, so that no client can name it, and no index entry of an
//! object leads to it; what doors see of it is made in `shown`. An entry of its own does, so that nobody takes it away
//! unseen.

use super::Partition;
use super::half::Half;
use crate::audit::{Activity, Reason, acts};
use crate::error::{Error, Result};
use crate::import_token::{self, ImportToken, Refusal, Wrapped};
use crate::object::lifecycle::Seconds;
use crate::secret::Secret;
use crate::store::seal::Address;
use crate::store::{Reader, RecordId, Writer};

const KIND_IMPORT_TOKEN: u8 = 9;

impl Half {
    fn token_tag(&self) -> Result<[u8; 16]> {
        self.key.tag(b"import token", b"")
    }

    /// Where the record stands.
    fn token_place(&self) -> Result<RecordId> {
        Ok(RecordId(self.key.tag(b"import token's place", b"")?))
    }

    /// The import token; `None` if the index agrees that there is none.
    fn token(&self, reader: &mut dyn Reader) -> Result<Option<ImportToken>> {
        let damaged =
            || Error::RecordDamaged { what: format!("the import token of partition {}", self.space) };
        let place = self.token_place()?;
        let is_named = self.chain().holds(reader, self.token_tag()?, place)?;
        match reader.get(self.space, place)? {
            None if !is_named => Ok(None),
            Some(row) if is_named && row.kind == KIND_IMPORT_TOKEN => {
                let bytes = self.key.open_row(self.space, place, &row)?;
                import_token::decode(&bytes).map(Some).ok_or_else(damaged)
            }
            None | Some(_) => Err(damaged()),
        }
    }

    /// Puts the import token in the place of the one before, if there was one, whatever has become of it.
    fn put_token(&self, writer: &mut dyn Writer, token: &ImportToken) -> Result<()> {
        let id = self.token_place()?;
        let revision = writer.revision(self.space, id)?.unwrap_or_default();
        let address = Address { partition: self.space, id, kind: KIND_IMPORT_TOKEN, revision };
        self.key.put(writer, address, &import_token::encode(token)?)?;
        self.chain().insert(writer, self.token_tag()?, id)
    }
}

impl Partition {
    /// The private half: [`Error::NotLoggedIn`] unless the user is.
    pub(super) fn token_half(&self) -> Result<Half> {
        self.half(true).map_err(|error| match error {
            Error::NoSuchObject => Error::NotLoggedIn,
            other => other,
        })
    }

    /// The import token as it is now.
    pub(crate) fn import_token(&self) -> Result<Option<ImportToken>> {
        let half = self.token_half()?;
        let mut found = None;
        self.hsm()?.store()?.read(&mut |reader| {
            found = half.token(reader)?;
            Ok(())
        })?;
        Ok(found)
    }

    /// Makes `token` the import token, in place of any other.
    pub(crate) fn replace_import_token(&self, token: &ImportToken) -> Result<()> {
        let (half, note) = (self.token_half()?, self.note(acts::CREATE_IMPORT_TOKEN)?);
        self.hsm()?.store()?.write(half.space, &mut |writer| {
            half.put_token(writer, token)?;
            note.append(writer)
        })
    }

    /// Retrieves something from the import token in one durable transaction, with its event. What is refused is
    /// not written, but for the end of a token: it must not serve again when a clock is set back.
    pub(crate) fn with_import_token<T>(&self, body: &dyn Fn(&mut ImportToken) -> Result<T>) -> Result<T> {
        let (half, note) = (self.token_half()?, self.note(acts::READ_IMPORT_TOKEN)?);
        let mut outcome = None;
        let written = self.hsm()?.store()?.write(half.space, &mut |writer| {
            let mut token = half.token(writer)?.ok_or(Refusal::Expired)?;
            let was_open = token.is_open();
            let done = body(&mut token);
            if done.is_ok() || token.is_open() != was_open {
                half.put_token(writer, &token)?;
            }
            if done.is_ok() {
                note.append(writer)?;
            }
            outcome = Some(done);
            Ok(())
        });
        let done = written.and_then(|()| outcome.unwrap_or(Err(Error::Conflict)));
        self.note_import_refusal(acts::READ_IMPORT_TOKEN, done)
    }

    /// Ends the import token if its time has come by `now`: its private key goes. Nobody retrieved anything, and so
    /// there is no event; a token that has ended is not written again.
    pub(super) fn end_import_token(&self, now: Seconds) -> Result<()> {
        let half = self.token_half()?;
        self.hsm()?.store()?.write(half.space, &mut |writer| {
            let Some(mut token) = half.token(writer)? else { return Ok(()) };
            let was_open = token.is_open();
            token.see(now);
            if token.is_open() == was_open { Ok(()) } else { half.put_token(writer, &token) }
        })
    }

    /// Takes note of what an import token was refused for.
    fn note_import_refusal<T>(&self, act: Activity, done: Result<T>) -> Result<T> {
        if let Err(Error::ImportToken(refusal)) = &done {
            let reason = Reason { code: refusal.status().into(), name: refusal.code() };
            self.hsm()?.note_refusal(act, &self.label(), reason)?;
        }
        done
    }

    /// Takes note of what was refused by a door that brings keys without the nonce.
    pub(crate) fn note_import_by_door<T>(&self, done: Result<T>) -> Result<T> {
        let reason = match &done {
            Err(Error::NoSuchUnwrappingKey) => (Refusal::Expired.status(), Refusal::Expired.code()),
            Err(Error::WrappedKeyInvalid) => (400, "WRAPPED_KEY_INVALID_ERR"),
            Err(Error::KeyFunctionNotPermitted) => (409, "KEY_CREATE_IMPORT_ACCESS_ERR"),
            Ok(_) | Err(_) => return done,
        };
        let reason = Reason { code: reason.0.into(), name: reason.1 };
        self.hsm()?.note_refusal(acts::REDEEM_IMPORT_TOKEN, &self.label(), reason)?;
        done
    }

    /// Opens key material that was encrypted for the import token. Nothing is written, and so nobody waits for
    /// anybody, unless the token turns out to have expired.
    pub(crate) fn redeem_import_token(&self, wrapped: &Wrapped<'_>, now: Seconds) -> Result<Secret> {
        let redeemed = self.redeem_unnoted(wrapped, now);
        self.note_import_refusal(acts::REDEEM_IMPORT_TOKEN, redeemed)
    }

    fn redeem_unnoted(&self, wrapped: &Wrapped<'_>, now: Seconds) -> Result<Secret> {
        let mut token = self.import_token()?.ok_or(Refusal::Expired)?;
        let was_open = token.is_open();
        let redeemed = token.redeem(wrapped, now);
        if token.is_open() != was_open {
            self.end_import_token(now)?;
        }
        redeemed
    }
}

mod shown;
#[cfg(test)]
mod tests;

pub(crate) use shown::Shown;
