//! The two forms of an ECDSA signature: r ‖ s, as PKCS #11 has it, and DER of Ecdsa-Sig-Value (RFC 3279,
//! section 2.2.3), as X.509 and KMIP have it.

use der::asn1::UintRef;
use der::{Decode, Encode, Sequence};

use crate::error::{Error, Result};

#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// DER of a signature of two halves of equal length.
///
/// # Errors
/// [`Error::SignatureLength`] for an odd number of bytes, or none.
pub fn ecdsa_to_der(signature: &[u8]) -> Result<Vec<u8>> {
    if signature.is_empty() || !signature.len().is_multiple_of(2) {
        return Err(Error::SignatureLength);
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    let encode = || EcdsaSigValue { r: UintRef::new(r)?, s: UintRef::new(s)? }.to_der();
    encode().map_err(|_| Error::SignatureInvalid)
}

/// r ‖ s, each of `length` bytes (the curve's), from DER.
///
/// # Errors
/// [`Error::SignatureInvalid`] for anything but DER of two numbers that fit.
pub fn ecdsa_from_der(der: &[u8], length: usize) -> Result<Vec<u8>> {
    let value = EcdsaSigValue::from_der(der).map_err(|_| Error::SignatureInvalid)?;
    let mut signature = Vec::with_capacity(2 * length);
    for number in [value.r, value.s] {
        let zeros = length.checked_sub(number.as_bytes().len()).ok_or(Error::SignatureInvalid)?;
        signature.resize(signature.len() + zeros, 0);
        signature.extend_from_slice(number.as_bytes());
    }
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_goes_there_and_back() {
        // The good signature of OASIS's TC-ECDSA-SIGN-1.
        let der = hex::decode(
            "30440220078ac91570286b4b35f2bf1da113c6e25e8c45dfc7a7dc7db07f7ff34ffc08d7\
             02200135d58e21d091e60b81a0e63db3d914af9fe56de9b3cf747cd8ecc74a75ee71",
        )
        .unwrap();
        let raw = ecdsa_from_der(&der, 32).unwrap();
        assert_eq!(raw, [&der[4..36], &der[38..]].concat());
        assert_eq!(ecdsa_to_der(&raw).unwrap(), der);
    }

    #[test]
    fn numbers_are_filled_up_and_cut_to_der() {
        let mut raw = vec![0; 64];
        (raw[31], raw[63]) = (0x80, 0x7f);
        let der = ecdsa_to_der(&raw).unwrap();
        assert_eq!(der, [0x30, 0x07, 0x02, 0x02, 0x00, 0x80, 0x02, 0x01, 0x7f]);
        assert_eq!(ecdsa_from_der(&der, 32).unwrap(), raw);
    }

    #[test]
    fn what_is_not_a_signature_is_refused() {
        for length in [0, 1, 63] {
            assert!(matches!(ecdsa_to_der(&vec![1; length]), Err(Error::SignatureLength)));
        }
        let der = ecdsa_to_der(&[0x11; 64]).unwrap();
        assert!(matches!(ecdsa_from_der(&der, 31), Err(Error::SignatureInvalid)));
        assert!(matches!(ecdsa_from_der(&der[..der.len() - 1], 32), Err(Error::SignatureInvalid)));
        assert!(matches!(ecdsa_from_der(&[&der[..], &[0]].concat(), 32), Err(Error::SignatureInvalid)));
        let negative = [0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x01];
        assert!(matches!(ecdsa_from_der(&negative, 32), Err(Error::SignatureInvalid)));
        assert!(matches!(ecdsa_from_der(&[], 32), Err(Error::SignatureInvalid)));
    }
}
