//! Key encapsulation: a ciphertext and the secret in it from a public key, and the secret back from a
//! private key. The new key's attributes are the service's matter. PKCS #11 3.2, section 5.18.

use cryptoki_sys::*;

use super::derivation;
use super::params::{Mechanism, Parameter};
use super::table::Row;
use super::transform::Transform;
use crate::crypto::KemSet;
use crate::error::{Error, Result};
use crate::object::curves::NamedCurve;
use crate::object::material::{self, Key};
use crate::object::parameter_sets::ParameterSet;
use crate::object::{Object, Value, values};
use crate::rng;
use crate::secret::Secret;

/// How a mechanism encapsulates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kem {
    /// ML-KEM: the secret is the mechanism's.
    Lattice,
    /// An ephemeral key pair agrees with the key; its public key is the ciphertext. Sections 6.3.17 and 6.3.18.
    Agreement,
    /// A fresh secret is wrapped. Sections 6.1.6 and 6.1.8.
    Transport,
    /// A random number below the modulus is encrypted (RSASVE). Section 6.1.12; NIST SP 800-56B, section 7.2.1.
    Number,
}

impl Kem {
    /// Whether whoever encapsulates may choose the secret.
    pub(crate) const fn lets_choose(self) -> bool {
        matches!(self, Kem::Transport | Kem::Number)
    }
}

/// What the new key asks of the secret.
pub(crate) struct Wanted {
    /// The key's type.
    pub key_type: u64,
    /// Its length in bytes, where the template says it.
    pub length: Option<usize>,
}

impl Wanted {
    /// The length where the mechanism has none of its own, as C_DeriveKey has it: the key type may say it.
    fn free_len(&self) -> Option<usize> {
        self.length.or(values::only_len(self.key_type))
    }

    /// The first bytes of a secret: all of them, unless the template says how many.
    fn first(&self, all: &Secret) -> Result<Secret> {
        part(all.expose().get(..self.length.unwrap_or(all.len())))
    }

    /// The last bytes of a number.
    fn last(&self, all: &[u8]) -> Result<Secret> {
        let length = self.free_len().unwrap_or(all.len());
        part(all.len().checked_sub(length).and_then(|from| all.get(from..)))
    }
}

impl Mechanism {
    /// Checks the parameter, and says how long a ciphertext for this public key is, in bytes.
    pub(crate) fn ciphertext_len(&self, row: &Row, key: &Key) -> Result<usize> {
        match row.kem.ok_or(Error::MechanismInvalid)? {
            Kem::Lattice => set(key).map(KemSet::ciphertext_len),
            Kem::Agreement => {
                self.check_alone()?;
                let curve = curve(key)?;
                Ok(match curve.key_type() {
                    CKK_EC => 1 + 2 * curve.private_len(),
                    _ => curve.private_len(),
                })
            }
            Kem::Transport => {
                self.transport(row)?;
                Ok(key.rsa_public()?.len())
            }
            Kem::Number => Ok(key.rsa_public()?.len()),
        }
    }

    /// A ciphertext for a public key that has been found fit, and the new key's value.
    pub(crate) fn encapsulate(&self, row: &Row, key: &Key, wanted: &Wanted) -> Result<(Vec<u8>, Secret)> {
        match row.kem.ok_or(Error::MechanismInvalid)? {
            Kem::Lattice => {
                let random = zeroize::Zeroizing::new(rng::array()?);
                let (ciphertext, secret) = key.kem_public()?.encapsulate(&random)?;
                Ok((ciphertext, wanted.first(&secret)?))
            }
            Kem::Agreement => {
                self.check_alone()?;
                let (ephemeral, point) = ephemeral(curve(key)?)?;
                let theirs = material::octet_string(key.object().bytes(CKA_EC_POINT));
                let shared = derivation::agree(&ephemeral, theirs.ok_or(Error::PublicKeyInvalid)?)?;
                Ok((point, self.shared_to_key(shared, wanted.free_len())?))
            }
            Kem::Transport => {
                let mut secret =
                    rng::secret(wanted.free_len().ok_or(Error::TemplateIncomplete(CKA_VALUE_LEN))?)?;
                values::shape(Some(wanted.key_type), &mut secret);
                let wrapped =
                    self.transport(row)?.encrypt(key, secret.expose()).map_err(|error| match error {
                        Error::DataLength => Error::TemplateInconsistent(CKA_VALUE_LEN),
                        other => other,
                    })?;
                Ok((wrapped.to_vec(), secret))
            }
            Kem::Number => {
                let number = number_below(key.object().bytes(CKA_MODULUS))?;
                let ciphertext = key.rsa_public()?.raw(number.expose())?;
                Ok((ciphertext, wanted.last(number.expose())?))
            }
        }
    }

    /// The new key's value from a ciphertext, by a private key that has been found fit.
    pub(crate) fn decapsulate(
        &self,
        row: &Row,
        key: &Key,
        ciphertext: &[u8],
        wanted: &Wanted,
    ) -> Result<Secret> {
        match row.kem.ok_or(Error::MechanismInvalid)? {
            Kem::Lattice => wanted.first(&key.kem_private()?.decapsulate(ciphertext)?),
            Kem::Agreement => {
                self.check_alone()?;
                let shared = derivation::agree(key, ciphertext).map_err(|error| match error {
                    Error::PublicKeyInvalid => Error::EncryptedDataInvalid,
                    other => other,
                })?;
                self.shared_to_key(shared, wanted.free_len())
            }
            Kem::Transport => {
                let secret = self.transport(row)?.decrypt(key, ciphertext)?;
                Ok(Secret::copy_of(&secret))
            }
            Kem::Number => {
                let number = Transform::RsaX509.decrypt(key, ciphertext)?;
                if is_degenerate(ciphertext, key.object().bytes(CKA_MODULUS)) {
                    return Err(Error::EncryptedDataInvalid);
                }
                wanted.last(&number)
            }
        }
    }

    /// How RSA wraps the secret.
    fn transport(&self, row: &Row) -> Result<Transform> {
        row.wrap.ok_or(Error::MechanismInvalid)?(row, &self.parameter)
    }

    /// The parameter of an agreement names no public key here: it is the ciphertext.
    fn check_alone(&self) -> Result<()> {
        match &self.parameter {
            Parameter::Ecdh { public, .. } if public.is_empty() => Ok(()),
            _ => Err(Error::MechanismParamInvalid),
        }
    }
}

fn part(bytes: Option<&[u8]>) -> Result<Secret> {
    let bytes = bytes.filter(|bytes| !bytes.is_empty());
    bytes.map(Secret::copy_of).ok_or(Error::TemplateInconsistent(CKA_VALUE_LEN))
}

fn set(key: &Key) -> Result<KemSet> {
    match ParameterSet::of(key.object())? {
        ParameterSet::Kem(set) => Ok(set),
        ParameterSet::Signature(_) => Err(Error::KeyTypeInconsistent),
    }
}

fn curve(key: &Key) -> Result<NamedCurve> {
    NamedCurve::read(key.object().bytes(CKA_EC_PARAMS), key.object().key_type())
}

/// A fresh private key on a curve, and its public value: an uncompressed point, or an X25519 key.
fn ephemeral(curve: NamedCurve) -> Result<(Key, Vec<u8>)> {
    let value = match curve {
        NamedCurve::Weierstrass(curve) => crate::crypto::generate_ec(curve)?,
        _ => rng::secret(curve.private_len())?,
    };
    let mut object = Object::default();
    object.set(CKA_CLASS, Value::Number(CKO_PRIVATE_KEY));
    object.set(CKA_KEY_TYPE, Value::Number(curve.key_type()));
    object.set(CKA_EC_PARAMS, Value::Bytes(curve.params()?));
    object.set(CKA_VALUE, Value::Secret(value));
    let key = Key::new(object);
    let point = values::public_point(&key, curve)?;
    Ok((key, point))
}

/// A random number above 1 and below the modulus less 1, as long as the modulus. One in two tries is one at worst.
fn number_below(modulus: &[u8]) -> Result<Secret> {
    let top = modulus.first().map_or(0, |first| u8::MAX >> first.leading_zeros());
    loop {
        let mut number = rng::secret(modulus.len())?;
        if let Some(first) = number.expose_mut().first_mut() {
            *first &= top;
        }
        if number.expose() < modulus && !is_degenerate(number.expose(), modulus) {
            return Ok(number);
        }
    }
}

/// 0, 1 and −1, which RSA leaves as they are.
fn is_degenerate(number: &[u8], modulus: &[u8]) -> bool {
    let Some((last, before)) = number.split_last() else { return true };
    let Some((last_of_modulus, before_of_modulus)) = modulus.split_last() else { return true };
    let small = *last <= 1 && before.iter().all(|byte| *byte == 0);
    // The modulus is odd.
    small || before == before_of_modulus && *last == last_of_modulus & 0xfe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_below_the_modulus_and_none_that_rsa_leaves() {
        // Of the numbers below 7, those from 2 to 5 are left; the top bits of a modulus are kept.
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            let number = number_below(&[7]).unwrap();
            seen.insert(number.expose()[0]);
        }
        assert_eq!(seen.into_iter().collect::<Vec<u8>>(), [2, 3, 4, 5]);
        for _ in 0..500 {
            assert!(number_below(&[1, 0, 1]).unwrap().expose() < &[1, 0, 0][..]);
        }
    }

    #[test]
    fn zero_one_and_minus_one_are_found() {
        for degenerate in [[0, 0], [0, 1], [0xc1, 0x12]] {
            assert!(is_degenerate(&degenerate, &[0xc1, 0x13]), "{degenerate:?}");
        }
        for other in [[0, 2], [1, 0], [0xc1, 0x11], [0xc0, 0x12]] {
            assert!(!is_degenerate(&other, &[0xc1, 0x13]), "{other:?}");
        }
        assert!(is_degenerate(&[], &[7]));
    }
}
