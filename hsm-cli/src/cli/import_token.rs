//! The options of `import-token` and of `key import`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use data_encoding::BASE64;

use super::{Hexadecimal, KeyAccess, help, hexadecimal};

#[derive(Debug, Subcommand)]
pub(crate) enum ImportToken {
    /// Make an import token; the one before ends, and what was encrypted for it
    #[command(after_long_help = help::IMPORT_TOKEN_CREATE_EXAMPLES)]
    Create {
        #[command(flatten)]
        access: KeyAccess,
        /// How long it is valid, 300 to 86400
        #[arg(long, value_name = "SECONDS", default_value_t = 600)]
        expires: u32,
        /// How often it may be retrieved, 1 to 500
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        retrievals: u32,
    },
    /// Retrieve the import token: its public key and its nonce
    #[command(after_long_help = help::IMPORT_TOKEN_SHOW_EXAMPLES)]
    Show {
        #[command(flatten)]
        access: KeyAccess,
    },
    /// For customers: encrypt key material to an import token's public key; needs no HSM
    #[command(after_long_help = help::ENCRYPT_KEY_EXAMPLES)]
    EncryptKey(EncryptKey),
    /// For customers: encrypt an import token's nonce under key material; needs no HSM
    #[command(after_long_help = help::ENCRYPT_NONCE_EXAMPLES)]
    EncryptNonce(EncryptNonce),
}

/// The key material, which no option takes itself: every user of the machine can read command lines.
#[derive(Debug, Args)]
pub(crate) struct Material {
    /// The file of the key material, 16, 24 or 32 bytes as they are; `-` is standard input
    #[arg(short, long = "key", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,
    /// The file holds the key material in base64
    #[arg(long)]
    pub(crate) base64: bool,
    /// Encrypt as Hyper Protect Crypto Services has it: RSAES_OAEP_SHA_1, and the nonce by AES-CBC
    #[arg(long)]
    pub(crate) sha1: bool,
}

/// What to encrypt the key material to.
#[derive(Debug, Args)]
pub(crate) struct EncryptKey {
    #[command(flatten)]
    pub(crate) material: Material,
    #[command(flatten)]
    pub(crate) public_key: PublicKey,
    /// The file is a private key in PKCS #8, PEM or DER, of any size; by RSA_AES_KEY_WRAP_SHA_256
    #[arg(long, requires = "nonce", conflicts_with_all = ["sha1", "base64"])]
    pub(crate) asymmetric: bool,
    /// With --asymmetric: the token's `nonce`, which is encrypted along with the key
    #[arg(short, long, value_name = "BASE64", value_parser = base64, requires = "asymmetric")]
    pub(crate) nonce: Option<Base64>,
}

/// A token's public key.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PublicKey {
    /// The token's `payload`
    #[arg(short, long, value_name = "BASE64", value_parser = base64)]
    pub(crate) payload: Option<Base64>,
    /// The token's public key in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) public_key: Option<PathBuf>,
}

/// What to encrypt under the key material.
#[derive(Debug, Args)]
pub(crate) struct EncryptNonce {
    #[command(flatten)]
    pub(crate) material: Material,
    /// The token's `nonce`
    #[arg(short, long, value_name = "BASE64", value_parser = base64)]
    pub(crate) nonce: Base64,
}

/// A key that comes from elsewhere.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) access: KeyAccess,
    /// It was encrypted for the import token
    #[arg(long, required = true)]
    pub(crate) import_token: bool,
    /// The label
    #[arg(long)]
    pub(crate) label: String,
    /// CKA_ID in hexadecimal digits; random where it is not given
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    pub(crate) id: Option<Hexadecimal>,
    /// The encrypted key material
    #[arg(long, value_name = "BASE64", value_parser = base64)]
    pub(crate) payload: Base64,
    /// The encrypted nonce
    #[arg(long, value_name = "BASE64", value_parser = base64)]
    pub(crate) encrypted_nonce: Base64,
    /// The initialisation vector of the encrypted nonce
    #[arg(long, value_name = "BASE64", value_parser = base64)]
    pub(crate) iv: Base64,
    /// How both were encrypted: RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 or RSA_AES_KEY_WRAP_SHA_256
    #[arg(long, value_name = "NAME")]
    pub(crate) encryption_algorithm: String,
}

/// Bytes that were written in base64 (RFC 4648, section 4), padded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

fn base64(text: &str) -> Result<Base64, String> {
    BASE64.decode(text.as_bytes()).map(Base64).map_err(|e| format!("no base64: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded_and_of_one_line() {
        assert_eq!(base64("AAEC/w=="), Ok(Base64(vec![0, 1, 2, 0xff])));
        for bad in ["AAEC/w", "AAEC_w==", "AAEC\n/w==", "AAEC/x=="] {
            assert!(base64(bad).is_err(), "{bad:?}");
        }
    }
}
