//! `import-token encrypt-key` and `encrypt-nonce`: what a customer does with a token that was retrieved.

use data_encoding::BASE64;
use hsm_core::Error;
use hsm_core::import_token::{self, Algorithm, EncryptedKey};
use serde::Serialize;

use crate::cli::{EncryptKey, EncryptNonce, Material};
use crate::failure::{Failure, Outcome, Result};
use crate::material;
use crate::output::Output;

/// Encrypted key material.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    payload: String,
    encryption_algorithm: &'static str,
}

/// An encrypted nonce.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Nonce {
    encrypted_nonce: String,
    iv: String,
    encryption_algorithm: &'static str,
}

/// An encrypted private key with the nonce.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Both {
    payload: String,
    encrypted_nonce: String,
    iv: String,
    encryption_algorithm: &'static str,
}

pub(super) fn encrypt_key(options: &EncryptKey, output: Output) -> Result<()> {
    if let (true, Some(nonce)) = (options.asymmetric, &options.nonce) {
        return encrypt_private_key(options, &nonce.0, output);
    }
    let public_key = public_key(options)?;
    let material = material::read(&options.material, output)?;
    let algorithm = algorithm(&options.material);
    let encrypted = import_token::encrypt_key(&public_key, material.expose(), algorithm)?;
    let made = Payload { payload: BASE64.encode(&encrypted), encryption_algorithm: algorithm.name() };
    output.result(&made, |page| {
        page.fields([
            ("payload", made.payload.clone()),
            ("encryption algorithm", made.encryption_algorithm.to_owned()),
        ]);
    });
    Ok(())
}

fn encrypt_private_key(options: &EncryptKey, nonce: &[u8], output: Output) -> Result<()> {
    let public_key = public_key(options)?;
    let key = material::read_private(&options.material, output)?;
    let EncryptedKey { payload, nonce } =
        import_token::encrypt_private_key(&public_key, nonce, key.expose())?;
    let made = Both {
        payload: BASE64.encode(&payload),
        encrypted_nonce: BASE64.encode(&nonce.bytes),
        iv: BASE64.encode(&nonce.iv),
        encryption_algorithm: Algorithm::RsaAesSha256.name(),
    };
    output.result(&made, |page| {
        page.fields([
            ("payload", made.payload.clone()),
            ("encrypted nonce", made.encrypted_nonce.clone()),
            ("iv", made.iv.clone()),
            ("encryption algorithm", made.encryption_algorithm.to_owned()),
        ]);
    });
    Ok(())
}

pub(super) fn encrypt_nonce(options: &EncryptNonce, output: Output) -> Result<()> {
    let material = material::read(&options.material, output)?;
    let algorithm = algorithm(&options.material);
    let encrypted = import_token::encrypt_nonce(&options.nonce.0, material.expose(), algorithm)?;
    let made = Nonce {
        encrypted_nonce: BASE64.encode(&encrypted.bytes),
        iv: BASE64.encode(&encrypted.iv),
        encryption_algorithm: algorithm.name(),
    };
    output.result(&made, |page| {
        page.fields([
            ("encrypted nonce", made.encrypted_nonce.clone()),
            ("iv", made.iv.clone()),
            ("encryption algorithm", made.encryption_algorithm.to_owned()),
        ]);
    });
    Ok(())
}

fn algorithm(material: &Material) -> Algorithm {
    if material.sha1 { Algorithm::OaepSha1 } else { Algorithm::OaepSha256 }
}

/// The token's public key in PEM; the command line gives exactly one of the two.
fn public_key(options: &EncryptKey) -> Result<String> {
    if let Some(path) = &options.public_key.public_key {
        return Ok(std::fs::read_to_string(path).map_err(Error::file(path))?);
    }
    let payload = options.public_key.payload.as_ref().map(|payload| payload.0.clone()).unwrap_or_default();
    String::from_utf8(payload)
        .map_err(|_| Failure::new(Outcome::Usage, "the payload is no public key in PEM, in base64"))
}
