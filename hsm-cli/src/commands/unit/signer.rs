//! An administrator's signature key, wherever it is: in a file that is opened here, or with a signing service.

use hsm_core::secret::Secret;
use hsm_core::unit::{PublicKey, SignatureKey, SignedCommand, SignedPart, Ski};

use super::keys;
use crate::cli::{SigningKey, SigningService};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};
use crate::pin::Source;
use crate::signing_service::{Address, Client};

/// Who signs.
pub(in crate::commands) enum Signer {
    /// A key that was opened by its passphrase.
    Here(SignatureKey),
    /// A key of that name at a service.
    Service { client: Client, name: String, key: PublicKey },
}

impl Signer {
    /// Opens the file, or asks the service for the public key.
    pub(in crate::commands) fn of(key: &SigningKey, output: Output) -> Result<Signer> {
        match (&key.key_name, &key.key) {
            (Some(name), _) => {
                let client = client(&key.service, output)?;
                let key = client.public_key(name)?;
                Ok(Signer::Service { client, name: name.clone(), key })
            }
            (None, Some(path)) => {
                let source = keys::passphrase(&key.passphrase, path);
                let passphrase = keys::existing(&source, key.passphrase.no_passphrase, output)?;
                Ok(Signer::Here(SignatureKey::load(path, &passphrase)?))
            }
            (None, None) => Err(Failure::new(Outcome::Usage, "no signature key is named")
                .next("give --key FILE, or --key-name NAME with --service URL")),
        }
    }

    pub(in crate::commands) fn public_key(&self) -> PublicKey {
        match self {
            Signer::Here(key) => key.public_key(),
            Signer::Service { key, .. } => *key,
        }
    }

    pub(in crate::commands) fn ski(&self) -> Ski {
        self.public_key().ski()
    }

    /// Adds a signature to a command.
    pub(in crate::commands) fn sign(&self, command: &mut SignedCommand) -> Result<()> {
        match self {
            Signer::Here(key) => Ok(command.sign(key)?),
            Signer::Service { client, name, key } => {
                let signature = client.sign(name, key, command.bytes_to_sign())?;
                Ok(command.add_signature(&key.ski(), signature)?)
            }
        }
    }

    /// Adds a signature to a key part.
    pub(in crate::commands) fn sign_part(&self, part: &mut SignedPart) -> Result<()> {
        match self {
            Signer::Here(key) => Ok(part.sign(key)?),
            Signer::Service { client, name, key } => {
                let signature = client.sign(name, key, part.bytes_to_sign())?;
                Ok(part.add_signature(&key.ski(), signature)?)
            }
        }
    }
}

/// How people call the key.
pub(in crate::commands) fn name(key: &SigningKey) -> String {
    match (&key.key_name, &key.key) {
        (Some(name), _) => format!("the key {} of the signing service", printable(name)),
        (None, Some(path)) => path.display().to_string(),
        (None, None) => String::new(),
    }
}

fn client(service: &SigningService, output: Output) -> Result<Client> {
    let url = service.service.as_deref().filter(|url| !url.is_empty()).ok_or_else(|| {
        Failure::new(Outcome::Usage, "which signing service has the key is not said")
            .next("give --service URL, or set TKE_SIGNSERV_URL")
    })?;
    let address: Address = url.parse().map_err(|why: String| {
        Failure::new(Outcome::Usage, format!("the URL of the signing service {}: {why}", printable(url)))
    })?;
    let token = token(service.token_file.as_deref()).given(output)?;
    Client::new(address, token, service.service_ca.as_deref(), service.service_timeout)
}

/// Where the token of a signing service comes from.
pub(super) fn token(file: Option<&std::path::Path>) -> Source<'_> {
    Source {
        name: "token of the signing service".into(),
        file,
        option: "--token-file",
        variable: "SOFTHSM_RS_SIGNING_TOKEN",
    }
}

/// A passphrase for all key files of a command.
pub(super) fn one_passphrase(options: &crate::cli::KeyPassphrase, output: Output) -> Result<Secret> {
    let source = Source {
        name: "passphrase of the key files".into(),
        file: options.passphrase_file.as_deref(),
        option: "--passphrase-file",
        variable: "SOFTHSM_RS_PASSPHRASE",
    };
    // The quick ceremony's files have none, unless one was given.
    Ok(match source.given(output)? {
        Some(passphrase) if !options.no_passphrase => passphrase,
        _ => Secret::zeroed(0),
    })
}
