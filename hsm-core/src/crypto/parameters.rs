//! The parameters of operations: hash functions, curves, modes. Plain data, which providers read.
#![expect(clippy::len_without_is_empty, reason = "digests and coordinates are never empty")]

#[cfg(doc)]
use crate::error::Error;

/// Hash functions. FIPS 180-4 and FIPS 202; MD5, RFC 1321, and GOST R 34.11-94 with the parameters of CryptoPro, RFC 5831
/// and RFC 4357, are for old data alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Md5,
    Gostr3411,
}

impl Hash {
    /// Every hash function, for tests and tables.
    pub const ALL: [Hash; 13] = [
        Hash::Sha1,
        Hash::Sha224,
        Hash::Sha256,
        Hash::Sha384,
        Hash::Sha512,
        Hash::Sha512_224,
        Hash::Sha512_256,
        Hash::Sha3_224,
        Hash::Sha3_256,
        Hash::Sha3_384,
        Hash::Sha3_512,
        Hash::Md5,
        Hash::Gostr3411,
    ];

    /// Those that every provider has: all but the last.
    #[cfg(test)]
    pub(crate) const COMMON: &[Hash] = match Hash::ALL.split_last() {
        Some((Hash::Gostr3411, others)) => others,
        _ => panic!("the last is no longer the one that AWS-LC lacks"),
    };

    /// Length of the digest in bytes.
    pub const fn len(self) -> usize {
        match self {
            Hash::Md5 => 16,
            Hash::Sha1 => 20,
            Hash::Sha224 | Hash::Sha512_224 | Hash::Sha3_224 => 28,
            Hash::Sha256 | Hash::Sha512_256 | Hash::Sha3_256 | Hash::Gostr3411 => 32,
            Hash::Sha384 | Hash::Sha3_384 => 48,
            Hash::Sha512 | Hash::Sha3_512 => 64,
        }
    }
}

/// Functions whose output is as long as one wants. FIPS 202.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Shake {
    Shake128,
    Shake256,
}

/// Length of a big-endian number in bits.
pub(crate) fn bit_len(number: &[u8]) -> usize {
    let mut significant = number.iter().skip_while(|byte| **byte == 0);
    match significant.next() {
        // A byte that is not zero has 1 to 8 bits.
        Some(first) => significant.count() * 8 + 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

/// Short Weierstrass curves. SEC 2 / FIPS 186-5 names; the last two are of RFC 5639.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Curve {
    P192,
    P224,
    P256,
    P384,
    P521,
    Secp256k1,
    BrainpoolP256r1,
    BrainpoolP384r1,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Curve; 8] = [
        Curve::P192,
        Curve::P224,
        Curve::P256,
        Curve::P384,
        Curve::P521,
        Curve::Secp256k1,
        Curve::BrainpoolP256r1,
        Curve::BrainpoolP384r1,
    ];

    /// Size of the field and of the order in bits.
    pub const fn bits(self) -> usize {
        match self {
            Curve::P192 => 192,
            Curve::P224 => 224,
            Curve::P256 | Curve::Secp256k1 | Curve::BrainpoolP256r1 => 256,
            Curve::P384 | Curve::BrainpoolP384r1 => 384,
            Curve::P521 => 521,
        }
    }

    /// Length in bytes of a scalar or a coordinate.
    pub const fn len(self) -> usize {
        self.bits().div_ceil(8)
    }
}

/// A Weierstrass curve over a prime field, spelled out: big-endian numbers, which may have zeros in front.
/// X9.62, section 6.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DomainParameters<'a> {
    /// The field's prime.
    pub prime: &'a [u8],
    /// The coefficient a of y² = x³ + ax + b.
    pub a: &'a [u8],
    /// The coefficient b.
    pub b: &'a [u8],
    /// The base point, compressed or not.
    pub base: &'a [u8],
    /// The base point's order.
    pub order: &'a [u8],
}

/// Edwards curves. RFC 8032.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Edwards {
    Ed25519,
    Ed448,
}

impl Edwards {
    /// Size of the field in bits.
    pub const fn bits(self) -> usize {
        match self {
            Edwards::Ed25519 => 255,
            Edwards::Ed448 => 448,
        }
    }

    /// Length in bytes of a private key, of a public key, and of half a signature.
    pub const fn len(self) -> usize {
        self.bits() / 8 + 1
    }
}

/// The schemes of RFC 8032 beside the pure one, with their contexts of at most 255 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EdVariant<'a> {
    /// Ed25519ctx; Ed448 itself, which without a context has an empty one.
    Context(&'a [u8]),
    /// Ed25519ph, over the message's SHA-512; Ed448ph, over 64 bytes of its SHAKE256.
    Prehashed(&'a [u8]),
}

impl EdVariant<'_> {
    /// The context.
    pub const fn context(&self) -> &[u8] {
        match self {
            EdVariant::Context(context) | EdVariant::Prehashed(context) => context,
        }
    }
}

/// Montgomery curves, by their functions. RFC 7748.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Montgomery {
    X25519,
    X448,
}

impl Montgomery {
    /// Size of the field in bits.
    pub const fn bits(self) -> usize {
        match self {
            Montgomery::X25519 => 255,
            Montgomery::X448 => 448,
        }
    }

    /// Length in bytes of a private key, of a public key, and of a shared secret.
    pub const fn len(self) -> usize {
        self.bits().div_ceil(8)
    }
}

/// The direction of a cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Plaintext in, ciphertext out.
    Encrypt,
    /// Ciphertext in, plaintext out.
    Decrypt,
}

/// How block ciphers fill up the last block of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Padding {
    /// PKCS #7, and PKCS #5 for blocks of 8 bytes: as many bytes as there are, each their number. RFC 5652,
    /// section 6.3.
    Pkcs7,
    /// ANSI X9.23: zeros, and their number in the last byte, which counts itself.
    X923,
    /// ISO 10126: random bytes, and their number in the last byte, which counts itself.
    Iso10126,
    /// Zeros, where the message does not end with a block. Nothing tells them from the message's own, so that
    /// decryption leaves them.
    Zeros,
}

/// AES modes with their parameters. Lengths are in bytes unless named bits.
#[derive(Clone, Copy, Debug)]
pub enum AesMode<'a> {
    /// Electronic codebook; whole blocks only.
    Ecb,
    /// Electronic codebook with padding.
    EcbPad(Padding),
    /// Cipher block chaining; whole blocks only.
    Cbc {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// Cipher block chaining with padding.
    CbcPad {
        /// The initialisation vector.
        iv: &'a [u8; 16],
        /// The padding.
        padding: Padding,
    },
    /// Counter mode; the counter is the last `counter_bits` of the block (1 to 128). Its last value is
    /// all ones: data that would take it further is [`Error::DataLength`], in both directions.
    Ctr {
        /// The first counter block.
        block: &'a [u8; 16],
        /// Width of the counter in bits.
        counter_bits: u32,
    },
    /// Cipher feedback of whole blocks (CFB128).
    Cfb {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// Cipher feedback of single bytes (CFB8).
    Cfb8 {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// Cipher feedback of single bits (CFB1), of which whole bytes are given.
    Cfb1 {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// Output feedback.
    Ofb {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// Cipher block chaining with ciphertext stealing, of 16 bytes or more. CBC-CS1 of the addendum to NIST
    /// SP 800-38A.
    Cts {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// XTS over one data unit of 16 bytes to 16 MiB, with a key of 32 or 64 bytes: two AES keys, which
    /// must differ. NIST SP 800-38E, IEEE 1619.
    Xts {
        /// The data unit's tweak.
        tweak: &'a [u8; 16],
    },
    /// Counter with CBC-MAC. The tag follows the ciphertext; nothing is given out before the end.
    /// NIST SP 800-38C.
    Ccm {
        /// The nonce, 7 to 13 bytes; data may have 2^(8 × (15 − its length)) bytes.
        nonce: &'a [u8],
        /// Additional authenticated data.
        aad: &'a [u8],
        /// Length of the tag in bytes (4, 6, 8, 10, 12, 14 or 16).
        tag_len: usize,
    },
    /// Galois/counter mode. The tag follows the ciphertext; decryption gives nothing out before the
    /// tag is verified.
    Gcm {
        /// The nonce, 1 byte or more.
        iv: &'a [u8],
        /// Additional authenticated data.
        aad: &'a [u8],
        /// Length of the tag in bytes (4, 8, 12 to 16).
        tag_len: usize,
    },
}

/// Modes of Triple DES with their initialisation vectors, as those of [`AesMode`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // As `AesMode`.
pub enum Des3Mode<'a> {
    Ecb,
    EcbPad(Padding),
    Cbc { iv: &'a [u8; 8] },
    CbcPad { iv: &'a [u8; 8], padding: Padding },
    Cfb { iv: &'a [u8; 8] },
    Ofb { iv: &'a [u8; 8] },
}

/// Modes of Blowfish with their initialisation vectors, as those of [`AesMode`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // As `AesMode`.
pub enum BlowfishMode<'a> {
    Ecb,
    EcbPad(Padding),
    Cbc { iv: &'a [u8; 8] },
    CbcPad { iv: &'a [u8; 8], padding: Padding },
}

/// Parameters of ChaCha20-Poly1305. RFC 8439, section 2.8.
#[derive(Clone, Copy, Debug)]
pub struct Poly1305<'a> {
    /// The nonce.
    pub nonce: &'a [u8; 12],
    /// Additional authenticated data.
    pub aad: &'a [u8],
    /// Length of the tag in bytes, 12 to 16: the RFC has 16, shorter ones are its beginning.
    pub tag_len: usize,
}

/// Key wrapping modes. NIST SP 800-38F.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyWrap {
    /// KW: RFC 3394, with the default initial value.
    Kw,
    /// KWP: RFC 5649.
    Kwp,
}

/// Parameters of RSASSA-PSS. RFC 8017, section 8.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pss {
    /// Hash of the message.
    pub hash: Hash,
    /// Hash inside MGF1.
    pub mgf: Hash,
    /// Length of the salt in bytes.
    pub salt_len: usize,
}

/// Parameters of RSAES-OAEP. RFC 8017, section 7.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Oaep<'a> {
    /// Hash of the label.
    pub hash: Hash,
    /// Hash inside MGF1.
    pub mgf: Hash,
    /// The label.
    pub label: &'a [u8],
}
