//! Post-quantum keys: the parameter sets of FIPS 203 (ML-KEM), FIPS 204 (ML-DSA) and FIPS 205 (SLH-DSA)
//! with their lengths, and the traits of prepared keys.

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::secret::Secret;

/// Parameter sets of key encapsulation. FIPS 203, section 8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum KemSet {
    MlKem512,
    MlKem768,
    MlKem1024,
}

impl KemSet {
    /// Every set.
    pub const ALL: [KemSet; 3] = [KemSet::MlKem512, KemSet::MlKem768, KemSet::MlKem1024];

    /// Length of the seed d ‖ z in bytes.
    pub const SEED_LEN: usize = 64;

    /// Length of the shared secret in bytes.
    pub const SECRET_LEN: usize = 32;

    /// The number of polynomials in a vector, k.
    const fn rank(self) -> usize {
        match self {
            KemSet::MlKem512 => 2,
            KemSet::MlKem768 => 3,
            KemSet::MlKem1024 => 4,
        }
    }

    /// Length of the encapsulation key ek in bytes.
    pub const fn public_len(self) -> usize {
        384 * self.rank() + 32
    }

    /// Length of the decapsulation key dk in bytes.
    pub const fn private_len(self) -> usize {
        768 * self.rank() + 96
    }

    /// Length of a ciphertext in bytes. FIPS 203, table 3.
    pub const fn ciphertext_len(self) -> usize {
        match self {
            KemSet::MlKem512 => 768,
            KemSet::MlKem768 => 1088,
            KemSet::MlKem1024 => 1568,
        }
    }
}

/// Parameter sets of signatures. FIPS 204, section 4, and FIPS 205, section 11.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum SignatureSet {
    MlDsa44,
    MlDsa65,
    MlDsa87,
    SlhDsaSha2_128s,
    SlhDsaShake128s,
    SlhDsaSha2_128f,
    SlhDsaShake128f,
    SlhDsaSha2_192s,
    SlhDsaShake192s,
    SlhDsaSha2_192f,
    SlhDsaShake192f,
    SlhDsaSha2_256s,
    SlhDsaShake256s,
    SlhDsaSha2_256f,
    SlhDsaShake256f,
}

/// Lengths in bytes of what belongs to a set of signatures.
struct Lengths {
    seed: usize,
    private: usize,
    public: usize,
    signature: usize,
    randomizer: usize,
}

/// SLH-DSA with hashes of `n` bytes: everything but the signature follows from n.
const fn hash_based(n: usize, signature: usize) -> Lengths {
    Lengths { seed: 3 * n, private: 4 * n, public: 2 * n, signature, randomizer: n }
}

/// ML-DSA: seeds and randomizers are of one length.
const fn lattice(private: usize, public: usize, signature: usize) -> Lengths {
    Lengths { seed: 32, private, public, signature, randomizer: 32 }
}

impl SignatureSet {
    /// Every set.
    pub const ALL: [SignatureSet; 15] = [
        SignatureSet::MlDsa44,
        SignatureSet::MlDsa65,
        SignatureSet::MlDsa87,
        SignatureSet::SlhDsaSha2_128s,
        SignatureSet::SlhDsaShake128s,
        SignatureSet::SlhDsaSha2_128f,
        SignatureSet::SlhDsaShake128f,
        SignatureSet::SlhDsaSha2_192s,
        SignatureSet::SlhDsaShake192s,
        SignatureSet::SlhDsaSha2_192f,
        SignatureSet::SlhDsaShake192f,
        SignatureSet::SlhDsaSha2_256s,
        SignatureSet::SlhDsaShake256s,
        SignatureSet::SlhDsaSha2_256f,
        SignatureSet::SlhDsaShake256f,
    ];

    /// FIPS 204, table 2; FIPS 205, table 2.
    const fn lengths(self) -> Lengths {
        match self {
            SignatureSet::MlDsa44 => lattice(2560, 1312, 2420),
            SignatureSet::MlDsa65 => lattice(4032, 1952, 3309),
            SignatureSet::MlDsa87 => lattice(4896, 2592, 4627),
            SignatureSet::SlhDsaSha2_128s | SignatureSet::SlhDsaShake128s => hash_based(16, 7856),
            SignatureSet::SlhDsaSha2_128f | SignatureSet::SlhDsaShake128f => hash_based(16, 17088),
            SignatureSet::SlhDsaSha2_192s | SignatureSet::SlhDsaShake192s => hash_based(24, 16224),
            SignatureSet::SlhDsaSha2_192f | SignatureSet::SlhDsaShake192f => hash_based(24, 35664),
            SignatureSet::SlhDsaSha2_256s | SignatureSet::SlhDsaShake256s => hash_based(32, 29792),
            SignatureSet::SlhDsaSha2_256f | SignatureSet::SlhDsaShake256f => hash_based(32, 49856),
        }
    }

    /// Length in bytes of the seed from which a key is made: ξ of ML-DSA; SK.seed ‖ SK.prf ‖ PK.seed of
    /// SLH-DSA.
    pub const fn seed_len(self) -> usize {
        self.lengths().seed
    }

    /// Length of the private key in bytes.
    pub const fn private_len(self) -> usize {
        self.lengths().private
    }

    /// Length of the public key in bytes.
    pub const fn public_len(self) -> usize {
        self.lengths().public
    }

    /// Length of a signature in bytes.
    pub const fn signature_len(self) -> usize {
        self.lengths().signature
    }

    /// Length in bytes of the random value that goes into a hedged signature.
    pub const fn randomizer_len(self) -> usize {
        self.lengths().randomizer
    }
}

/// What a private key is made from.
#[derive(Clone, Copy)]
pub enum PrivateForm<'a> {
    /// The seed. It has nothing that could be wrong but its length.
    Seed(&'a [u8]),
    /// The key as the standard writes it.
    Expanded(&'a [u8]),
}

/// A prepared private key of a key encapsulation mechanism.
pub trait KemPrivateKey: Send + Sync {
    /// ML-KEM.Decaps: FIPS 203, section 7.3. A ciphertext that was made for no such key gives a secret that
    /// nobody else knows (implicit rejection); one of another length is [`Error::EncryptedDataLength`].
    fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret>;
    /// The public key.
    fn public_key(&self) -> Vec<u8>;
    /// The private key as the standard writes it.
    fn private_key(&self) -> Secret;
}

/// A prepared public key of a key encapsulation mechanism.
pub trait KemPublicKey: Send + Sync {
    /// ML-KEM.Encaps: FIPS 203, section 7.2. A ciphertext and the secret in it, from 32 random bytes.
    fn encapsulate(&self, random: &[u8; 32]) -> Result<(Vec<u8>, Secret)>;
}

/// A prepared private key of ML-DSA or SLH-DSA.
pub trait PqPrivateKey: Send + Sync {
    /// Signs the message that the standards call M′, which has its context in front of it: FIPS 204,
    /// section 6.2, and FIPS 205, section 9.2. `randomizer` has its set's length; without one the signature
    /// follows from key and message.
    fn sign(&self, message: &[&[u8]], randomizer: Option<&[u8]>) -> Result<Vec<u8>>;
    /// The public key.
    fn public_key(&self) -> Vec<u8>;
    /// The private key as the standard writes it.
    fn private_key(&self) -> Secret;
}

/// A prepared public key of ML-DSA or SLH-DSA.
pub trait PqPublicKey: Send + Sync {
    /// Verifies M′; [`Error::SignatureLength`] or [`Error::SignatureInvalid`].
    fn verify(&self, message: &[&[u8]], signature: &[u8]) -> Result<()>;
}

/// Hash functions before a signature. FIPS 204, section 5.4, names those of a fixed length and the two
/// extendable ones with twice the length of their security level.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PreHash {
    /// A hash function of a fixed length.
    Fixed(super::Hash),
    /// SHAKE128, 32 bytes.
    Shake128,
    /// SHAKE256, 64 bytes.
    Shake256,
}

impl PreHash {
    /// Length of the digest in bytes.
    pub const fn len(self) -> usize {
        match self {
            PreHash::Fixed(hash) => hash.len(),
            PreHash::Shake128 => 32,
            PreHash::Shake256 => 64,
        }
    }
}
