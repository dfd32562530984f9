//! Key material and other secrets of a customer's, read from a file or standard input as they are, or in base64; and a
//! customer's private key in PKCS #8, PEM or DER.

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
    let bytes = read_whole(path, LONGEST, Some(output))?;
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
    let bytes = read_whole(path, LONGEST_PRIVATE, Some(output))?;
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

/// Reads a secret of at most so many bytes, as it is or in base64. Of what is longer it reads a byte too many, for
/// whoever knows the limit to find.
pub(crate) fn read_secret(path: &Path, is_base64: bool, most: usize, output: Output) -> Result<Secret> {
    if !is_base64 {
        return read_whole(path, most.saturating_add(1), Some(output));
    }
    // Four characters for three bytes, and the end of the line.
    let text = read_whole(path, most.saturating_mul(4) / 3 + 8, Some(output))?;
    decode(text.expose()).ok_or_else(|| {
        Failure::new(Outcome::Usage, format!("{}: what it holds is no base64", path.display()))
    })
}

/// Reads what is no secret, up to so many bytes: it was encrypted by whoever sent it.
pub(crate) fn read_encrypted(path: &Path, most: usize) -> Result<Secret> {
    read_whole(path, most, None)
}

/// All that a file holds, up to so many bytes; `-` is standard input. A secret that others can read is worth a
/// warning.
fn read_whole(path: &Path, most: usize, warned: Option<Output>) -> Result<Secret> {
    let unreadable = |e| Failure::new(Outcome::Disk, format!("{}: {e}", path.display()));
    if path == Path::new("-") {
        return whole(&mut std::io::stdin().lock(), most).map_err(unreadable);
    }
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    if let Some(output) = warned {
        warn_of_readers(&file, path, output);
    }
    whole(&mut file, most).map_err(unreadable)
}

fn decode(text: &[u8]) -> Option<Secret> {
    BASE64.decode(text.trim_ascii_end()).ok().map(Secret::new)
}

/// All of it, up to so many bytes. The buffer never moves, so that no copy stays behind.
fn whole(from: &mut impl Read, most: usize) -> std::io::Result<Secret> {
    // With room left, since reading to the end makes more where there is none.
    let mut bytes = Vec::with_capacity(most + 64);
    from.take(most as u64).read_to_end(&mut bytes)?;
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
