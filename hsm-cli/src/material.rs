//! Key material of a customer's, read from a file or standard input as it is, or in base64; and a customer's private
//! key in PKCS #8, PEM or DER.

use std::io::Read;
use std::path::Path;

use data_encoding::BASE64;
use der::SecretDocument;
use hsm_core::import_token::is_material;
use hsm_core::secret::Secret;

use crate::cli::Material;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::pin::warn_of_readers;

/// Longer than any key material in base64 with the end of its line, in bytes.
const LONGEST: usize = 64;
/// Longer than any private key in PEM, in bytes: RSA of 16384 bits takes half of it.
const LONGEST_PRIVATE: usize = 1 << 15;

/// Reads key material.
pub(crate) fn read(material: &Material, output: Output) -> Result<Secret> {
    let path = material.key.as_path();
    let bytes = read_file(path, LONGEST, output)?;
    let bytes = if material.base64 { decode(bytes.expose()) } else { Some(bytes) };
    bytes.filter(|bytes| is_material(bytes.expose())).ok_or_else(|| {
        let form = if material.base64 { " in base64" } else { "" };
        let message = format!("{}: key material has 16, 24 or 32 bytes{form}", path.display());
        Failure::new(Outcome::Usage, message).next("--base64 says that the file holds it in base64")
    })
}

/// Reads a private key: its PKCS #8 in DER.
pub(crate) fn read_private(material: &Material, output: Output) -> Result<Secret> {
    let path = material.key.as_path();
    let bytes = read_file(path, LONGEST_PRIVATE, output)?;
    if !bytes.expose().starts_with(b"-----BEGIN") {
        return Ok(bytes);
    }
    let document =
        std::str::from_utf8(bytes.expose()).ok().and_then(|text| SecretDocument::from_pem(text).ok());
    match document {
        Some(("PRIVATE KEY", document)) => Ok(Secret::copy_of(document.as_bytes())),
        _ => {
            let message = format!("{}: no private key in PKCS #8 without a passphrase", path.display());
            Err(Failure::new(Outcome::Usage, message)
                .next("`openssl pkcs8 -topk8 -nocrypt -in KEY` makes it one"))
        }
    }
}

fn read_file(path: &Path, longest: usize, output: Output) -> Result<Secret> {
    let unreadable = |e| Failure::new(Outcome::Disk, format!("{}: {e}", path.display()));
    if path == Path::new("-") {
        return whole(&mut std::io::stdin().lock(), longest).map_err(unreadable);
    }
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    warn_of_readers(&file, path, output);
    whole(&mut file, longest).map_err(unreadable)
}

fn decode(text: &[u8]) -> Option<Secret> {
    BASE64.decode(text.trim_ascii_end()).ok().map(Secret::new)
}

/// All of it, up to what is too long to be a key. The buffer never moves, so that no copy stays behind.
fn whole(from: &mut impl Read, longest: usize) -> std::io::Result<Secret> {
    // With room left, since reading to the end makes more where there is none.
    let mut bytes = Vec::with_capacity(2 * longest);
    from.take(longest as u64).read_to_end(&mut bytes)?;
    Ok(Secret::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read_and_no_more_than_the_most() {
        let read = |length: usize| whole(&mut vec![7; length].as_slice(), LONGEST).unwrap().len();
        assert_eq!([read(0), read(32), read(LONGEST), read(1000)], [0, 32, LONGEST, LONGEST]);
    }

    #[test]
    fn base64_may_end_its_line() {
        assert!(decode(b"AAEC/w==\r\n").is_some_and(|bytes| bytes.equals(&[0, 1, 2, 0xff])));
        assert!(decode(b"AAEC/w").is_none());
    }
}
