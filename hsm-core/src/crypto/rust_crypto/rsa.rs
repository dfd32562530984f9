//! RSA on the `rsa` crate: key generation, checks of imported keys, the primitives with blinding, and
//! the schemes it has. The rest of RFC 8017 is in [`schemes`] and `v15`.

use rsa::hazmat::{rsa_decrypt_and_check, rsa_encrypt};
use rsa::traits::{PaddingScheme, PrivateKeyParts, PublicKeyParts, SignatureScheme};
use rsa::{BoxedUint, Pkcs1v15Sign};
use zeroize::Zeroizing;

use super::hashes::with_hash;
use super::numbers::{self, number};
use super::random::{SearchRng, SystemRng};
use super::schemes;
use crate::crypto::v15::ImplicitRejection;
use crate::crypto::{Oaep, Pss, RsaCrt, RsaParts, RsaPrivateKey, RsaPublicKey};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// Moduli that are offered, in bits.
const BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

const MISMATCH: Error = Error::ArgumentsBad("the numbers of the RSA key do not belong together");
const BAD_EXPONENT: Error =
    Error::ArgumentsBad("an RSA public exponent is odd, at least 3, and below the modulus");

/// Makes a key; `None` for sizes that are not offered. The crate finds the primes (FIPS 186-5, appendix
/// A.1.3); d is worked out here, because the crate takes public exponents below 2³³ alone.
pub(super) fn generate(bits: usize, public_exponent: &[u8]) -> Option<Result<RsaParts>> {
    BITS.contains(&bits).then(|| {
        let exponent = number(public_exponent);
        check_exponent(&exponent, bits)?;
        SearchRng::run(|generator| {
            loop {
                let found = rsa::RsaPrivateKey::new(generator, bits).map_err(failed)?;
                let [p, q] = two_primes(&found)?;
                // No inverse: e divides p − 1 or q − 1, and other primes are needed.
                if let Some(d) = numbers::private_exponent(&exponent, p, q) {
                    let modulus = found.n().as_ref().clone();
                    return parts(&assemble(modulus, exponent, d, vec![p.clone(), q.clone()])?);
                }
            }
        })
    })
}

/// Prepares a private key; `None` for sizes that are not offered.
pub(super) fn private(parts: &RsaParts) -> Option<Result<Box<dyn RsaPrivateKey>>> {
    let modulus = number(&parts.modulus);
    let bits = bit_len(&modulus);
    BITS.contains(&bits).then(|| {
        let key = key_of(modulus, parts)?;
        let rejection = ImplicitRejection::new(numbers::secret(key.d()).expose(), key.size());
        Ok(Box::new(Private { key, rejection }) as Box<dyn RsaPrivateKey>)
    })
}

/// The numbers of a private key with its factors, which are worked out where they are not given.
pub(in crate::crypto) fn complete(given: RsaParts) -> Result<RsaParts> {
    match given.crt {
        Some(_) => Ok(given),
        None => parts(&key_of(number(&given.modulus), &given)?),
    }
}

fn key_of(modulus: BoxedUint, parts: &RsaParts) -> Result<rsa::RsaPrivateKey> {
    let exponent = number(&parts.public_exponent);
    check_exponent(&exponent, bit_len(&modulus))?;
    let d = number(parts.private_exponent.expose());
    let primes = match &parts.crt {
        Some(crt) => [number(crt.prime_1.expose()), number(crt.prime_2.expose())],
        None => numbers::primes(&modulus, &exponent, &d)?.ok_or(MISMATCH)?,
    };
    let key = assemble(modulus, exponent, d, primes.into())?;
    if let Some(crt) = &parts.crt {
        check_crt(&key, crt)?;
    }
    Ok(key)
}

/// Prepares a public key; `None` for sizes that are not offered.
pub(super) fn public(modulus: &[u8], exponent: &[u8]) -> Option<Result<Box<dyn RsaPublicKey>>> {
    let modulus = number(modulus);
    let bits = bit_len(&modulus);
    BITS.contains(&bits).then(|| {
        let exponent = number(exponent);
        check_exponent(&exponent, bits)?;
        if !bool::from(modulus.bit(0)) {
            return Err(Error::ArgumentsBad("an RSA modulus is odd"));
        }
        // "Unchecked" of what is checked above, but for the limit on the exponent.
        let key = rsa::RsaPublicKey::new_unchecked(modulus, exponent);
        Ok(Box::new(Public(key)) as Box<dyn RsaPublicKey>)
    })
}

fn bit_len(number: &BoxedUint) -> usize {
    // A length in bits that does not fit is longer than any offered.
    usize::try_from(number.bits_vartime()).unwrap_or(usize::MAX)
}

/// RFC 8017, section 3.1: 3 ≤ e < n, and odd, as p − 1 is even.
fn check_exponent(exponent: &BoxedUint, modulus_bits: usize) -> Result<()> {
    let odd = bool::from(exponent.bit(0));
    let bits = bit_len(exponent);
    if odd && bits >= 2 && bits < modulus_bits { Ok(()) } else { Err(BAD_EXPONENT) }
}

/// A key of the crate's, which checks that n = p·q and that d·e is 1 mod p − 1 and mod q − 1.
fn assemble(
    modulus: BoxedUint,
    exponent: BoxedUint,
    private_exponent: BoxedUint,
    primes: Vec<BoxedUint>,
) -> Result<rsa::RsaPrivateKey> {
    let key =
        rsa::RsaPrivateKey::from_components_with_large_exponent(modulus, exponent, private_exponent, primes)
            .map_err(|_| MISMATCH)?;
    // The crate leaves the CRT numbers out where q has no inverse mod p.
    if key.qinv().is_some() { Ok(key) } else { Err(MISMATCH) }
}

/// Whether the CRT numbers that came with a key are those that follow from its primes. They are not
/// used, but a key that another library would compute wrongly with is refused here too.
fn check_crt(key: &rsa::RsaPrivateKey, crt: &RsaCrt) -> Result<()> {
    let RsaCrt { prime_1: _, prime_2: _, exponent_1, exponent_2, coefficient } = crt;
    let expected = [
        (exponent_1, key.dp().cloned()),
        (exponent_2, key.dq().cloned()),
        (coefficient, key.crt_coefficient()),
    ];
    let same = expected.into_iter().all(|(given, expected)| {
        let given = Zeroizing::new(number(given.expose()));
        expected.map(Zeroizing::new).is_some_and(|expected| *given == *expected)
    });
    if same { Ok(()) } else { Err(MISMATCH) }
}

fn parts(key: &rsa::RsaPrivateKey) -> Result<RsaParts> {
    let [p, q] = two_primes(key)?;
    let (Some(dp), Some(dq), Some(coefficient)) = (key.dp(), key.dq(), key.crt_coefficient()) else {
        return Err(MISMATCH);
    };
    Ok(RsaParts {
        modulus: numbers::bytes(key.n()),
        public_exponent: numbers::bytes(key.e()),
        private_exponent: numbers::secret(key.d()),
        crt: Some(RsaCrt {
            prime_1: numbers::secret(p),
            prime_2: numbers::secret(q),
            exponent_1: numbers::secret(dp),
            exponent_2: numbers::secret(dq),
            coefficient: numbers::secret(&Zeroizing::new(coefficient)),
        }),
    })
}

fn two_primes(key: &rsa::RsaPrivateKey) -> Result<[&BoxedUint; 2]> {
    match key.primes() {
        [p, q] => Ok([p, q]),
        _ => Err(MISMATCH),
    }
}

/// A failure that no argument of the caller's explains.
fn failed(error: rsa::Error) -> Error {
    match error {
        rsa::Error::Rng => Error::RandomFailed,
        _ => Error::CryptoFailed("RSA"),
    }
}

struct Private {
    key: rsa::RsaPrivateKey,
    rejection: ImplicitRejection,
}

/// The input of a primitive: exactly as long as the modulus, and below it.
fn representative(key: &impl PublicKeyParts, input: &[u8]) -> Result<BoxedUint> {
    if input.len() != key.size() {
        return Err(Error::DataInvalid);
    }
    let number = BoxedUint::from_be_slice(input, key.n_bits_precision()).map_err(|_| Error::DataInvalid)?;
    if number < **key.n() { Ok(number) } else { Err(Error::DataInvalid) }
}

impl RsaPrivateKey for Private {
    fn len(&self) -> usize {
        self.key.size()
    }

    fn raw(&self, input: &[u8]) -> Result<Secret> {
        let input = Zeroizing::new(representative(&self.key, input)?);
        let output = rsa_decrypt_and_check(&self.key, Some(&mut SystemRng), &input).map_err(failed)?;
        numbers::secret_of_len(output, self.len())
    }

    fn sign_v15(&self, digest_info: &[u8]) -> Result<Vec<u8>> {
        let scheme = Pkcs1v15Sign::new_unprefixed();
        scheme.sign(Some(&mut SystemRng), &self.key, digest_info).map_err(|error| match error {
            rsa::Error::MessageTooLong => Error::DataLength,
            error => failed(error),
        })
    }

    fn sign_pss(&self, pss: &Pss, digest: &[u8]) -> Result<Vec<u8>> {
        // A salt that does not fit is found out before it is drawn.
        if pss.salt_len > self.len() {
            return Err(Error::MechanismParamInvalid);
        }
        let salt = rng::secret(pss.salt_len)?;
        let mut encoded = schemes::pss_encode(pss, digest, salt.expose(), bit_len(self.key.n()) - 1)?;
        // One byte shorter than the modulus where that has 8·k + 1 bits.
        if encoded.len() < self.len() {
            encoded.insert(0, 0);
        }
        Ok(self.raw(&encoded)?.expose().to_vec())
    }

    fn decrypt_v15(&self, ciphertext: &[u8]) -> Result<Secret> {
        self.rejection.decrypt(ciphertext, |input| self.raw(input))
    }

    fn decrypt_oaep(&self, oaep: &Oaep<'_>, ciphertext: &[u8]) -> Result<Secret> {
        with_hash!(oaep.hash, H => with_hash!(oaep.mgf, M => {
            rsa::Oaep::<H, M>::new_with_mgf_hash_and_label(oaep.label)
                .decrypt(Some(&mut SystemRng), &self.key, ciphertext)
        }))
        .map(Secret::new)
        .map_err(|error| match error {
            rsa::Error::Rng => Error::RandomFailed,
            _ => Error::EncryptedDataInvalid,
        })
    }
}

struct Public(rsa::RsaPublicKey);

impl RsaPublicKey for Public {
    fn len(&self) -> usize {
        self.0.size()
    }

    fn raw(&self, input: &[u8]) -> Result<Vec<u8>> {
        let input = Zeroizing::new(representative(&self.0, input)?);
        let output = rsa_encrypt(&self.0, &input).map_err(failed)?;
        Ok(numbers::secret_of_len(output, self.len())?.expose().to_vec())
    }

    fn verify_v15(&self, digest_info: &[u8], signature: &[u8]) -> Result<()> {
        let scheme = Pkcs1v15Sign::new_unprefixed();
        scheme.verify(&self.0, digest_info, signature).map_err(|_| Error::SignatureInvalid)
    }

    fn verify_pss(&self, pss: &Pss, digest: &[u8], signature: &[u8]) -> Result<()> {
        let decrypted = self.raw(signature).map_err(|_| Error::SignatureInvalid)?;
        let bits = bit_len(self.0.n()) - 1;
        let encoded = match (bits.is_multiple_of(8), decrypted.split_first()) {
            (true, Some((0, encoded))) => encoded,
            (true, _) => return Err(Error::SignatureInvalid),
            (false, _) => &decrypted,
        };
        schemes::pss_verify(pss, digest, encoded, bits)
    }

    fn encrypt_v15(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        self.raw(&schemes::v15_encode(plaintext, self.len())?)
    }

    fn encrypt_oaep(&self, oaep: &Oaep<'_>, plaintext: &[u8]) -> Result<Vec<u8>> {
        self.raw(&schemes::oaep_encode(oaep, plaintext, self.len())?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::crypto::Hash;

    /// 2⁶⁴ + 13: more than the crate takes for a public exponent, and less than its factoring wants.
    const LARGE: [u8; 9] = [1, 0, 0, 0, 0, 0, 0, 0, 13];
    static LARGE_KEY: LazyLock<RsaParts> = LazyLock::new(|| generate(1024, &LARGE).unwrap().unwrap());
    static SMALL_KEY: LazyLock<RsaParts> = LazyLock::new(|| generate(1026, &[3]).unwrap().unwrap());

    fn without_crt(parts: &RsaParts) -> RsaParts {
        RsaParts {
            modulus: parts.modulus.clone(),
            public_exponent: parts.public_exponent.clone(),
            private_exponent: parts.private_exponent.duplicate(),
            crt: None,
        }
    }

    fn serves_every_scheme(parts: &RsaParts) {
        let private = private(parts).unwrap().unwrap();
        let public = public(&parts.modulus, &parts.public_exponent).unwrap().unwrap();
        assert_eq!(private.len(), parts.modulus.len());

        public.verify_v15(b"info", &private.sign_v15(b"info").unwrap()).unwrap();
        let pss = Pss { hash: Hash::Sha256, mgf: Hash::Sha1, salt_len: 17 };
        public.verify_pss(&pss, &[7; 32], &private.sign_pss(&pss, &[7; 32]).unwrap()).unwrap();
        let oaep = Oaep { hash: Hash::Sha1, mgf: Hash::Sha3_256, label: b"label" };
        let ciphertext = public.encrypt_oaep(&oaep, b"message").unwrap();
        assert!(private.decrypt_oaep(&oaep, &ciphertext).unwrap().equals(b"message"));
        let ciphertext = public.encrypt_v15(b"message").unwrap();
        assert!(private.decrypt_v15(&ciphertext).unwrap().equals(b"message"));
    }

    #[test]
    fn large_public_exponents_serve_every_scheme() {
        assert_eq!(LARGE_KEY.public_exponent, LARGE);
        serves_every_scheme(&LARGE_KEY);
    }

    #[test]
    fn small_public_exponents_and_odd_sizes_serve_every_scheme() {
        assert_eq!(bit_len(&number(&SMALL_KEY.modulus)), 1026);
        serves_every_scheme(&SMALL_KEY);
    }

    #[test]
    fn keys_serve_without_their_crt_numbers() {
        serves_every_scheme(&without_crt(&LARGE_KEY));
        serves_every_scheme(&without_crt(&SMALL_KEY));
    }

    #[test]
    fn numbers_that_do_not_belong_together_are_refused() {
        let wrong = [
            RsaParts { modulus: SMALL_KEY.modulus.clone(), ..without_crt(&LARGE_KEY) },
            RsaParts { public_exponent: vec![5], ..without_crt(&SMALL_KEY) },
            RsaParts { private_exponent: Secret::copy_of(&[5]), ..without_crt(&SMALL_KEY) },
            RsaParts { private_exponent: Secret::zeroed(1), ..without_crt(&SMALL_KEY) },
            RsaParts { crt: generate(1026, &[3]).unwrap().unwrap().crt, ..without_crt(&SMALL_KEY) },
        ];
        for parts in wrong {
            assert!(matches!(private(&parts).unwrap(), Err(Error::ArgumentsBad(_))), "{parts:?}");
        }
    }

    #[test]
    fn sizes_outside_the_range_are_not_offered() {
        assert!(generate(1023, &[3]).is_none());
        assert!(generate(8193, &[3]).is_none());
        assert!(public(&[0xff; 127], &[3]).is_none());
        assert!(public(&[&[1][..], &[0xff; 1024]].concat(), &[3]).is_none());
        assert!(private(&RsaParts { modulus: vec![0xff; 127], ..without_crt(&SMALL_KEY) }).is_none());
    }

    #[test]
    fn the_largest_modulus_works() {
        let key = public(&[0xff; 1024], &[3]).unwrap().unwrap();
        let mut two = [0; 1024];
        two[1023] = 2;
        let mut eight = [0; 1024];
        eight[1023] = 8;
        assert_eq!(key.raw(&two).unwrap(), eight);
    }

    #[test]
    fn even_and_tiny_and_huge_public_exponents_are_refused() {
        for exponent in [&[][..], &[0], &[1], &[2], &[1, 0], &[0xff; 128]] {
            assert!(matches!(generate(1024, exponent).unwrap(), Err(Error::ArgumentsBad(_))), "{exponent:?}");
            assert!(matches!(public(&[0xff; 128], exponent).unwrap(), Err(Error::ArgumentsBad(_))));
        }
    }

    #[test]
    fn an_even_modulus_is_refused() {
        assert!(matches!(public(&[0xfe; 128], &[3]).unwrap(), Err(Error::ArgumentsBad(_))));
    }
}
