//! The keys of a signing service: the signature key files of a directory, each with the token that it is asked
//! with. A key without a token of its own is asked with the service's.

use std::collections::BTreeMap;
use std::path::Path;

use hsm_core::secret::Secret;
use hsm_core::unit::SignatureKey;

use super::wire::is_name;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::pin::Source;

/// How the names of key files end, and those of their tokens.
const KEY: &str = "sigkey";
const TOKEN: &str = "token";

/// A key and who may use it.
pub(super) struct Held {
    pub(super) key: SignatureKey,
    token: Option<Secret>,
}

/// What a request may do.
pub(super) enum Access<'a> {
    Granted(&'a SignatureKey),
    /// The token is not that of the key, or none.
    Denied,
    /// There is no such key, and the token is one of the service's.
    Unknown,
}

/// All keys of a service.
pub(crate) struct Keys {
    held: BTreeMap<String, Held>,
    token: Option<Secret>,
}

impl Keys {
    /// Those of a directory, under one passphrase.
    ///
    /// # Errors
    /// A directory without keys; a key that nobody could use, since there is no token for it; what keeps a file
    /// from being read.
    pub(crate) fn of_directory(
        directory: &Path,
        passphrase: &Secret,
        token: Option<Secret>,
        output: Output,
    ) -> Result<Keys> {
        let mut keys = Keys { held: BTreeMap::new(), token };
        for entry in std::fs::read_dir(directory).map_err(hsm_core::Error::file(directory))? {
            let path = entry.map_err(hsm_core::Error::file(directory))?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if path.extension().is_none_or(|end| end != KEY) {
                continue;
            }
            if !is_name(name) {
                output.warning(&format!("{}: no client can name this key", path.display()));
                continue;
            }
            let own = token_file(&path.with_extension(TOKEN), output)?;
            if own.is_none() && keys.token.is_none() {
                let message = format!("{}: there is no token for this key", path.display());
                return Err(Failure::new(Outcome::Usage, message).next(
                    "write its own beside it (NAME.token), or give one for all in SOFTHSM_RS_SIGNING_TOKEN",
                ));
            }
            let held = Held { key: SignatureKey::load(&path, passphrase)?, token: own };
            keys.held.insert(name.to_owned(), held);
        }
        if keys.held.is_empty() {
            let message = format!("{}: there is no signature key in it", directory.display());
            return Err(Failure::new(Outcome::NotFound, message).next("a key is a file NAME.sigkey"));
        }
        Ok(keys)
    }

    /// The names and their keys.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&str, &SignatureKey)> {
        self.held.iter().map(|(name, held)| (name.as_str(), &held.key))
    }

    /// What whoever has this token may do with the key of this name. Tokens are compared in constant time.
    pub(super) fn access(&self, name: &str, token: Option<&[u8]>) -> Access<'_> {
        let is = |known: Option<&Secret>| known.zip(token).is_some_and(|(known, token)| known.equals(token));
        match self.held.get(name) {
            Some(held) if is(held.token.as_ref().or(self.token.as_ref())) => Access::Granted(&held.key),
            Some(_) => Access::Denied,
            // Which names there are is for those who may use one.
            None if self.held.values().any(|held| is(held.token.as_ref().or(self.token.as_ref()))) => {
                Access::Unknown
            }
            None => Access::Denied,
        }
    }
}

fn token_file(path: &Path, output: Output) -> Result<Option<Secret>> {
    if !path.try_exists().map_err(hsm_core::Error::file(path))? {
        return Ok(None);
    }
    let source = Source {
        name: "token".into(),
        file: Some(path),
        option: "--token-file",
        variable: "SOFTHSM_RS_SIGNING_TOKEN",
    };
    source.given(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_answers_its_own_token_alone() {
        let home = tempfile::tempdir().unwrap();
        let save = |name: &str| {
            let path = home.path().join(name);
            SignatureKey::generate().unwrap().save(&path, "x", &Secret::zeroed(0)).unwrap();
        };
        save("alice.sigkey");
        save("bob.sigkey");
        std::fs::write(home.path().join("bob.token"), "bobs\n").unwrap();
        std::fs::write(home.path().join("notes.txt"), "nothing").unwrap();
        let open = |token: Option<&str>| {
            let token = token.map(|token| Secret::copy_of(token.as_bytes()));
            Keys::of_directory(home.path(), &Secret::zeroed(0), token, Output::new(false, true))
        };
        let keys = open(Some("all")).unwrap();
        assert_eq!(keys.list().map(|(name, _)| name).collect::<Vec<_>>(), ["alice", "bob"]);
        let granted = |name, token: Option<&str>| {
            matches!(keys.access(name, token.map(str::as_bytes)), Access::Granted(_))
        };
        assert!(granted("alice", Some("all")) && granted("bob", Some("bobs")));
        for (name, token) in
            [("alice", None), ("alice", Some("bobs")), ("bob", Some("all")), ("bob", Some(""))]
        {
            assert!(
                matches!(keys.access(name, token.map(str::as_bytes)), Access::Denied),
                "{name} {token:?}"
            );
        }
        assert!(matches!(keys.access("carol", Some(b"all")), Access::Unknown));
        assert!(matches!(keys.access("carol", Some(b"guess")), Access::Denied));
        assert_eq!(open(None).err().map(|failure| failure.outcome), Some(Outcome::Usage));
    }
}
