//! RSA: prepared keys and key generation. Keys that arrive without factors are completed in `factors`.

use openssl::bn::{BigNum, BigNumRef};
use openssl::error::ErrorStack;
use openssl::pkey::{HasPublic, PKey, Private, Public};
use openssl::pkey_ctx::{PkeyCtx, PkeyCtxRef};
use openssl::rsa::{Padding, Rsa, RsaPrivateKeyBuilder};
use openssl::sign::RsaPssSaltlen;

use super::{factors, failed};
use crate::crypto::aws_lc::digest::md;
use crate::crypto::v15::ImplicitRejection;
use crate::crypto::{Oaep, Pss, RsaCrt, RsaParts, RsaPrivateKey, RsaPublicKey, bit_len};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The largest modulus that AWS-LC takes, in bits.
const MAX_MODULUS: usize = 16384;
/// The largest public exponent that AWS-LC takes, in bits.
const MAX_EXPONENT: usize = 33;
/// The largest public exponent that AWS-LC makes a key with, in bits.
const MAX_NEW_EXPONENT: usize = 32;
/// Key generation rounds the size down to a multiple of this many bits.
const SIZE_STEP: usize = 128;

/// Makes a key, where AWS-LC has its size and exponent.
pub(super) fn generate(bits: usize, public_exponent: &[u8]) -> Option<Result<RsaParts>> {
    let offered = (1024..=MAX_MODULUS).contains(&bits)
        && bits.is_multiple_of(SIZE_STEP)
        && bit_len(public_exponent) <= MAX_NEW_EXPONENT;
    offered.then(|| make(bits, public_exponent))
}

fn make(bits: usize, public_exponent: &[u8]) -> Result<RsaParts> {
    if !is_odd_above_one(public_exponent) {
        return Err(Error::ArgumentsBad("an RSA public exponent is odd and at least 3"));
    }
    let bits = u32::try_from(bits).map_err(|_| Error::KeySizeRange)?;
    let exponent = number(public_exponent)?;
    let key = Rsa::generate_with_e(bits, &exponent).map_err(failed("RSA key generation"))?;
    parts(&key).ok_or(Error::CryptoFailed("RSA key generation"))
}

/// The numbers of a key that has all of them.
fn parts(key: &Rsa<Private>) -> Option<RsaParts> {
    let secret = |number: &BigNumRef| Secret::new(number.to_vec());
    Some(RsaParts {
        modulus: key.n().to_vec(),
        public_exponent: key.e().to_vec(),
        private_exponent: secret(key.d()),
        crt: Some(RsaCrt {
            prime_1: secret(key.p()?),
            prime_2: secret(key.q()?),
            exponent_1: secret(key.dmp1()?),
            exponent_2: secret(key.dmq1()?),
            coefficient: secret(key.iqmp()?),
        }),
    })
}

/// Prepares a private key, where AWS-LC takes its sizes.
pub(super) fn private(parts: &RsaParts) -> Option<Result<Box<dyn RsaPrivateKey>>> {
    offered(&parts.modulus, &parts.public_exponent)
        .then(|| PrivateKey::new(parts).map(|key| Box::new(key) as Box<dyn RsaPrivateKey>))
}

/// Prepares a public key, where AWS-LC takes its sizes.
pub(super) fn public(modulus: &[u8], exponent: &[u8]) -> Option<Result<Box<dyn RsaPublicKey>>> {
    offered(modulus, exponent)
        .then(|| PublicKey::new(modulus, exponent).map(|key| Box::new(key) as Box<dyn RsaPublicKey>))
}

fn offered(modulus: &[u8], exponent: &[u8]) -> bool {
    bit_len(modulus) <= MAX_MODULUS && bit_len(exponent) <= MAX_EXPONENT
}

fn is_odd_above_one(number: &[u8]) -> bool {
    bit_len(number) > 1 && number.last().is_some_and(|byte| byte & 1 == 1)
}

fn number(bytes: &[u8]) -> Result<BigNum> {
    BigNum::from_slice(bytes).map_err(failed("number"))
}

/// For `map_err`: numbers that are no RSA key.
fn inconsistent(_: ErrorStack) -> Error {
    Error::ArgumentsBad("the numbers are not those of an RSA key")
}

/// A private key of AWS-LC from numbers that belong together.
fn assemble(parts: &RsaParts, crt: Option<&RsaCrt>) -> Result<Rsa<Private>> {
    let [n, e] = [&parts.modulus, &parts.public_exponent].map(|bytes| number(bytes));
    let builder = RsaPrivateKeyBuilder::new(n?, e?, number(parts.private_exponent.expose())?);
    let mut builder = builder.map_err(inconsistent)?;
    if let Some(crt) = crt {
        let secret = |part: &Secret| number(part.expose());
        let (p, q) = (secret(&crt.prime_1)?, secret(&crt.prime_2)?);
        let (dp, dq) = (secret(&crt.exponent_1)?, secret(&crt.exponent_2)?);
        builder = builder.set_factors(p, q).map_err(inconsistent)?;
        builder = builder.set_crt_params(dp, dq, secret(&crt.coefficient)?).map_err(inconsistent)?;
    }
    let key = builder.build();
    match key.check_key().map_err(inconsistent)? {
        true => Ok(key),
        false => Err(Error::ArgumentsBad("the numbers are not those of an RSA key")),
    }
}

/// A key from n, e and d. AWS-LC cannot tell whether they belong together before it uses them (it
/// checks each result by the public operation), so a trial does. With factors the key is four times
/// as fast; it works without.
fn assemble_without_factors(parts: &RsaParts) -> Result<Rsa<Private>> {
    let plain = assemble(parts, None)?;
    let mut trial = vec![0; len(&plain)];
    if let Some(last) = trial.last_mut() {
        *last = 2;
    }
    let mut out = Secret::zeroed(trial.len());
    plain.private_encrypt(&trial, out.expose_mut(), Padding::NONE).map_err(inconsistent)?;
    match factors::recover(parts) {
        Some(crt) => assemble(parts, Some(&crt)),
        None => Ok(plain),
    }
}

/// Length of the modulus in bytes.
fn len<T: HasPublic>(key: &Rsa<T>) -> usize {
    // At most `MAX_MODULUS` / 8.
    key.size() as usize
}

/// A private key, ready: AWS-LC's preparations happen once, and its blinding is safe between threads.
struct PrivateKey {
    rsa: Rsa<Private>,
    pkey: PKey<Private>,
    rejection: ImplicitRejection,
}

impl PrivateKey {
    fn new(parts: &RsaParts) -> Result<PrivateKey> {
        let rsa = match &parts.crt {
            Some(crt) => assemble(parts, Some(crt))?,
            None => assemble_without_factors(parts)?,
        };
        let pkey = PKey::from_rsa(rsa.clone()).map_err(failed("RSA key"))?;
        let rejection = ImplicitRejection::new(parts.private_exponent.expose(), len(&rsa));
        Ok(PrivateKey { rsa, pkey, rejection })
    }

    /// What to answer where AWS-LC refused `input`. It refuses 0, 1 and n − 1, which RFC 8017 does not:
    /// each is its own power, d being odd. Anything else below n should have worked.
    fn explain(&self, input: &[u8]) -> Result<Secret> {
        let mut number = number(input)?;
        if number.ucmp(self.rsa.n()).is_ge() {
            return Err(Error::DataInvalid);
        }
        let is_zero_or_one = number.num_bits() <= 1;
        number.add_word(1).map_err(failed("number"))?;
        if is_zero_or_one || number.ucmp(self.rsa.n()).is_eq() {
            return Ok(Secret::copy_of(input));
        }
        Err(Error::CryptoFailed("RSA private operation"))
    }
}

impl RsaPrivateKey for PrivateKey {
    fn len(&self) -> usize {
        len(&self.rsa)
    }

    fn raw(&self, input: &[u8]) -> Result<Secret> {
        if input.len() != self.len() {
            return Err(Error::DataInvalid);
        }
        let mut out = Secret::zeroed(input.len());
        match self.rsa.private_encrypt(input, out.expose_mut(), Padding::NONE) {
            Ok(_) => Ok(out),
            Err(_) => self.explain(input),
        }
    }

    fn sign_v15(&self, digest_info: &[u8]) -> Result<Vec<u8>> {
        if digest_info.len() + 11 > self.len() {
            return Err(Error::DataLength);
        }
        let mut out = vec![0; self.len()];
        self.rsa.private_encrypt(digest_info, &mut out, Padding::PKCS1).map_err(failed("RSA signature"))?;
        Ok(out)
    }

    fn sign_pss(&self, pss: &Pss, digest: &[u8]) -> Result<Vec<u8>> {
        if digest.len() != pss.hash.len() {
            return Err(Error::DataLength);
        }
        check_salt(pss, self.rsa.n())?;
        let mut out = vec![0; self.len()];
        let mut context = PkeyCtx::new(&self.pkey).map_err(failed("RSA context"))?;
        context.sign_init().map_err(failed("RSA-PSS"))?;
        set_pss(&mut context, pss)?;
        context.sign(digest, Some(&mut out)).map_err(failed("RSA-PSS"))?;
        Ok(out)
    }

    fn decrypt_v15(&self, ciphertext: &[u8]) -> Result<Secret> {
        self.rejection.decrypt(ciphertext, |input| self.raw(input))
    }

    fn decrypt_oaep(&self, oaep: &Oaep<'_>, ciphertext: &[u8]) -> Result<Secret> {
        let mut context = PkeyCtx::new(&self.pkey).map_err(failed("RSA context"))?;
        context.decrypt_init().map_err(failed("RSA-OAEP"))?;
        set_oaep(&mut context, oaep)?;
        let mut out = Secret::zeroed(self.len());
        let length =
            context.decrypt(ciphertext, Some(out.expose_mut())).map_err(|_| Error::EncryptedDataInvalid)?;
        out.expose().get(..length).map(Secret::copy_of).ok_or(Error::CryptoFailed("RSA-OAEP"))
    }
}

/// A public key, ready.
struct PublicKey {
    rsa: Rsa<Public>,
    pkey: PKey<Public>,
}

impl PublicKey {
    fn new(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey> {
        // AWS-LC looks at a public key's numbers only when it uses them.
        if !is_odd_above_one(modulus) || !is_odd_above_one(exponent) {
            return Err(Error::ArgumentsBad("RSA moduli and public exponents are odd and above 1"));
        }
        let rsa = Rsa::from_public_components(number(modulus)?, number(exponent)?).map_err(inconsistent)?;
        let pkey = PKey::from_rsa(rsa.clone()).map_err(failed("RSA key"))?;
        Ok(PublicKey { rsa, pkey })
    }

    fn encrypt(&self, input: &[u8], padding: Padding) -> std::result::Result<Vec<u8>, ErrorStack> {
        let mut out = vec![0; len(&self.rsa)];
        self.rsa.public_encrypt(input, &mut out, padding)?;
        Ok(out)
    }
}

impl RsaPublicKey for PublicKey {
    fn len(&self) -> usize {
        len(&self.rsa)
    }

    fn raw(&self, input: &[u8]) -> Result<Vec<u8>> {
        if input.len() != self.len() {
            return Err(Error::DataInvalid);
        }
        self.encrypt(input, Padding::NONE).map_err(|_| Error::DataInvalid)
    }

    fn verify_v15(&self, digest_info: &[u8], signature: &[u8]) -> Result<()> {
        let mut context = PkeyCtx::new(&self.pkey).map_err(failed("RSA context"))?;
        context.verify_init().map_err(failed("RSA verification"))?;
        context.set_rsa_padding(Padding::PKCS1).map_err(failed("RSA verification"))?;
        verdict(context.verify(digest_info, signature))
    }

    fn verify_pss(&self, pss: &Pss, digest: &[u8], signature: &[u8]) -> Result<()> {
        if digest.len() != pss.hash.len() {
            return Err(Error::DataLength);
        }
        let mut context = PkeyCtx::new(&self.pkey).map_err(failed("RSA context"))?;
        context.verify_init().map_err(failed("RSA-PSS"))?;
        set_pss(&mut context, pss)?;
        verdict(context.verify(digest, signature))
    }

    fn encrypt_v15(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        if plaintext.len() + 11 > self.len() {
            return Err(Error::DataLength);
        }
        self.encrypt(plaintext, Padding::PKCS1).map_err(failed("RSA encryption"))
    }

    fn encrypt_oaep(&self, oaep: &Oaep<'_>, plaintext: &[u8]) -> Result<Vec<u8>> {
        // RFC 8017, section 7.1.1, step 1b.
        if plaintext.len() + 2 * oaep.hash.len() + 2 > self.len() {
            return Err(Error::DataLength);
        }
        let mut context = PkeyCtx::new(&self.pkey).map_err(failed("RSA context"))?;
        context.encrypt_init().map_err(failed("RSA-OAEP"))?;
        set_oaep(&mut context, oaep)?;
        let mut out = vec![0; self.len()];
        context.encrypt(plaintext, Some(&mut out)).map_err(failed("RSA-OAEP"))?;
        Ok(out)
    }
}

fn verdict(answer: std::result::Result<bool, ErrorStack>) -> Result<()> {
    if answer.unwrap_or(false) { Ok(()) } else { Err(Error::SignatureInvalid) }
}

/// Whether hash and salt fit into the modulus. RFC 8017, section 9.1.1, step 3.
fn check_salt(pss: &Pss, modulus: &BigNumRef) -> Result<()> {
    let encoded_bits = usize::try_from(modulus.num_bits() - 1).unwrap_or(0);
    match pss.hash.len().checked_add(pss.salt_len) {
        Some(sum) if sum + 2 <= encoded_bits.div_ceil(8) => Ok(()),
        _ => Err(Error::MechanismParamInvalid),
    }
}

fn set_pss<T>(context: &mut PkeyCtxRef<T>, pss: &Pss) -> Result<()> {
    let (hash, mgf) = (md(pss.hash).ok_or(Error::NotSupported)?, md(pss.mgf).ok_or(Error::NotSupported)?);
    let salt_len = i32::try_from(pss.salt_len).map_err(|_| Error::MechanismParamInvalid)?;
    context
        .set_rsa_padding(Padding::PKCS1_PSS)
        .and_then(|()| context.set_signature_md(hash))
        .and_then(|()| context.set_rsa_mgf1_md(mgf))
        .and_then(|()| context.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt_len)))
        .map_err(failed("RSA-PSS parameters"))
}

fn set_oaep<T>(context: &mut PkeyCtxRef<T>, oaep: &Oaep<'_>) -> Result<()> {
    let (hash, mgf) = (md(oaep.hash).ok_or(Error::NotSupported)?, md(oaep.mgf).ok_or(Error::NotSupported)?);
    context
        .set_rsa_padding(Padding::PKCS1_OAEP)
        .and_then(|()| context.set_rsa_oaep_md(hash))
        .and_then(|()| context.set_rsa_mgf1_md(mgf))
        .map_err(failed("RSA-OAEP parameters"))?;
    // AWS-LC has no allocation of zero bytes; no label is the empty label.
    if oaep.label.is_empty() {
        return Ok(());
    }
    context.set_rsa_oaep_label(oaep.label).map_err(failed("RSA-OAEP label"))
}
