//! The factors of an RSA modulus from n, e and d, by the `rsa` crate: NIST SP 800-56B, appendix C.2.
//! AWS-LC does not work them out.

use rsa::traits::PrivateKeyParts;
use rsa::{BoxedUint, RsaPrivateKey};
use zeroize::Zeroizing;

use crate::crypto::{RsaCrt, RsaParts};
use crate::secret::Secret;

/// The factors, and what follows from them. `None` where the method does not reach: exponents of up to
/// 16 bits, and moduli that are not the product of two primes of about the same size. The caller has
/// seen that n, e and d belong together.
pub(super) fn recover(parts: &RsaParts) -> Option<RsaCrt> {
    // All numbers get the room of the modulus: a short d must not make the arithmetic narrow.
    let bits = u32::try_from(parts.modulus.len().checked_mul(8)?).ok()?;
    let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits).ok();
    let d = Zeroizing::new(number(parts.private_exponent.expose())?);
    let (n, e) = (number(&parts.modulus)?, number(&parts.public_exponent)?);
    if bool::from(d.is_zero()) {
        return None;
    }
    let key = RsaPrivateKey::from_components(n, e, (*d).clone(), Vec::new()).ok()?;
    let [p, q] = key.primes() else { return None };
    Some(RsaCrt {
        prime_1: secret(p),
        prime_2: secret(q),
        exponent_1: secret(key.dp()?),
        exponent_2: secret(key.dq()?),
        coefficient: secret(&Zeroizing::new(key.crt_coefficient()?)),
    })
}

/// Big-endian, without leading zeros.
fn secret(number: &BoxedUint) -> Secret {
    let bytes = Zeroizing::new(number.to_be_bytes().into_vec());
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Secret::copy_of(bytes.get(zeros..).unwrap_or_default())
}
