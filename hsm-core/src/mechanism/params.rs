//! Mechanism parameters, one variant per shape. Doors parse their own format into these, one parser
//! per shape; what the values may be is checked where they are used.

mod hashes;

pub(crate) use hashes::{Kdf, hash_of_mechanism, hash_of_mgf, kdf};

use crate::crypto;
use crate::object::Template;
use crate::secret::Secret;

/// A mechanism with its parameter, as a caller names it.
#[derive(Debug)]
pub struct Mechanism {
    /// CKM_….
    pub kind: u64,
    /// Its parameter.
    pub parameter: Parameter,
}

/// The forms that a mechanism's parameter has. PKCS #11 3.2, section 6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// None at all.
    None,
    /// An initialisation vector of 16 bytes.
    Iv,
    /// An initialisation vector of 8 bytes.
    DesIv,
    /// CK_CCM_PARAMS.
    Ccm,
    /// CK_CHACHA20_PARAMS.
    ChaCha20,
    /// CK_SALSA20_CHACHA20_POLY1305_PARAMS.
    Aead,
    /// None, or an initial value (KW: 8 bytes, KWP: 4).
    OptionalIv,
    /// CK_AES_CTR_PARAMS.
    Ctr,
    /// CK_GCM_PARAMS.
    Gcm,
    /// CK_RSA_PKCS_PSS_PARAMS.
    Pss,
    /// CK_RSA_PKCS_OAEP_PARAMS.
    Oaep,
    /// CK_RSA_AES_KEY_WRAP_PARAMS.
    RsaAes,
    /// CK_ECDH1_DERIVE_PARAMS.
    Ecdh,
    /// None, or CK_EDDSA_PARAMS.
    OptionalEddsa,
    /// CK_MAC_GENERAL_PARAMS: one number.
    Number,
    /// None, or CK_SIGN_ADDITIONAL_CONTEXT.
    OptionalSignContext,
    /// CK_HASH_SIGN_ADDITIONAL_CONTEXT.
    HashSignContext,
    /// CK_EXTRACT_PARAMS: the number of a bit.
    Bit,
    /// The public value of the other party, as a big integer.
    PublicValue,
    /// CK_OBJECT_HANDLE of another key.
    Handle,
    /// CK_KEY_DERIVATION_STRING_DATA.
    Data,
    /// CK_AES_CBC_ENCRYPT_DATA_PARAMS.
    AesCbcData,
    /// CK_DES_CBC_ENCRYPT_DATA_PARAMS.
    DesCbcData,
    /// CK_HKDF_PARAMS.
    Hkdf,
    /// CK_PKCS5_PBKD2_PARAMS2, or CK_PKCS5_PBKD2_PARAMS.
    Pbkdf2,
    /// CK_SP800_108_KDF_PARAMS.
    Sp800_108,
    /// CK_SP800_108_FEEDBACK_KDF_PARAMS.
    Sp800_108Feedback,
    /// CK_TLS12_MASTER_KEY_DERIVE_PARAMS.
    TlsMaster,
    /// CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS.
    TlsExtendedMaster,
    /// CK_TLS12_KEY_MAT_PARAMS.
    TlsKeys,
    /// CK_TLS_KDF_PARAMS.
    TlsKdf,
    /// CK_TLS_MAC_PARAMS.
    TlsMac,
    /// KR_SSHKDF_PARAMS, which is kryoptic's.
    Ssh,
    /// None, or CK_OTP_PARAMS.
    OptionalOtp,
    /// None, or the DER of the OID of GOST R 34.11-94's parameters, which is [`CRYPTO_PRO`] alone.
    OptionalGostSet,
}

/// id-GostR3411-94-CryptoProParamSet in DER. RFC 4357, section 11.2.
pub const CRYPTO_PRO: &[u8] = &[0x06, 0x07, 0x2a, 0x85, 0x03, 0x02, 0x02, 0x1e, 0x01];

/// A parsed parameter.
#[derive(Debug)]
pub enum Parameter {
    /// None.
    None,
    /// [`Shape::Iv`], [`Shape::DesIv`] and [`Shape::OptionalIv`].
    Iv(Vec<u8>),
    /// [`Shape::Ccm`].
    Ccm {
        /// Length of the plaintext in bytes.
        data_len: u64,
        /// The nonce.
        nonce: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
        /// Length of the tag in bytes.
        tag_len: u64,
    },
    /// [`Shape::ChaCha20`].
    ChaCha20 {
        /// The first block's number, its lowest byte first.
        counter: Vec<u8>,
        /// The nonce.
        nonce: Vec<u8>,
    },
    /// [`Shape::Aead`].
    Aead {
        /// The nonce.
        nonce: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
    },
    /// [`Shape::Ctr`].
    Ctr {
        /// Width of the counter in bits.
        counter_bits: u64,
        /// The first counter block.
        block: [u8; 16],
    },
    /// [`Shape::Gcm`].
    Gcm {
        /// The nonce.
        iv: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
        /// Length of the tag in bits.
        tag_bits: u64,
    },
    /// [`Shape::Pss`].
    Pss {
        /// The message's hash, CKM_….
        hash: u64,
        /// The mask generation function, CKG_….
        mgf: u64,
        /// Length of the salt in bytes.
        salt_len: u64,
    },
    /// [`Shape::Oaep`].
    Oaep {
        /// The label's hash, CKM_….
        hash: u64,
        /// The mask generation function, CKG_….
        mgf: u64,
        /// The label.
        label: Vec<u8>,
    },
    /// [`Shape::RsaAes`].
    RsaAes {
        /// Length of the temporary AES key in bits; `None`, for unwrapping alone, is whichever it has.
        aes_bits: Option<u64>,
        /// The label's hash, CKM_….
        hash: u64,
        /// The mask generation function, CKG_….
        mgf: u64,
        /// The label.
        label: Vec<u8>,
    },
    /// [`Shape::Ecdh`].
    Ecdh {
        /// The key derivation function, CKD_….
        kdf: u64,
        /// Shared data for it.
        shared: Vec<u8>,
        /// The other party's public key.
        public: Vec<u8>,
    },
    /// [`Shape::OptionalEddsa`], when given.
    Eddsa {
        /// Whether the message is hashed first (Ed25519ph, Ed448ph).
        prehash: bool,
        /// The context.
        context: Vec<u8>,
    },
    /// [`Shape::Number`] and [`Shape::Bit`].
    Number(u64),
    /// [`Shape::OptionalSignContext`], when given, and [`Shape::HashSignContext`].
    SignContext {
        /// CKH_…: whether random bytes go into the signature.
        hedge: u64,
        /// The context.
        context: Vec<u8>,
        /// The hash by which the caller made the digest, CKM_…; [`Shape::HashSignContext`] alone has one.
        hash: Option<u64>,
    },
    /// [`Shape::Handle`].
    Handle(u64),
    /// [`Shape::Data`].
    Data(Vec<u8>),
    /// [`Shape::PublicValue`].
    PublicValue(Vec<u8>),
    /// [`Shape::AesCbcData`] and [`Shape::DesCbcData`].
    CbcData {
        /// The initialisation vector.
        iv: Vec<u8>,
        /// What is encrypted.
        data: Vec<u8>,
    },
    /// [`Shape::Hkdf`].
    Hkdf {
        /// Whether the base key is extracted from.
        extract: bool,
        /// Whether what comes of that is expanded.
        expand: bool,
        /// The hash, CKM_….
        hash: u64,
        /// The salt of the extraction.
        salt: Salt,
        /// The context of the expansion.
        info: Vec<u8>,
    },
    /// [`Shape::Pbkdf2`].
    Pbkdf2 {
        /// The pseudorandom function, CKP_….
        prf: u64,
        /// The salt.
        salt: Vec<u8>,
        /// The iteration count.
        iterations: u64,
        /// The password.
        password: Secret,
    },
    /// [`Shape::Sp800_108`] and [`Shape::Sp800_108Feedback`].
    Sp800_108 {
        /// The pseudorandom function, CKM_….
        prf: u64,
        /// The feedback mode's initialisation vector.
        iv: Vec<u8>,
        /// What the function is given.
        fields: Vec<PrfField>,
        /// Templates of further keys.
        more: Vec<Template>,
    },
    /// [`Shape::TlsMaster`].
    TlsMaster {
        /// The hash, CKM_….
        hash: u64,
        /// The client's random bytes.
        client: Vec<u8>,
        /// The server's random bytes.
        server: Vec<u8>,
        /// Whether the version is asked for.
        version: bool,
    },
    /// [`Shape::TlsExtendedMaster`].
    TlsExtendedMaster {
        /// The hash, CKM_….
        hash: u64,
        /// The hash of the handshake.
        session: Vec<u8>,
        /// Whether the version is asked for.
        version: bool,
    },
    /// [`Shape::TlsKeys`].
    TlsKeys {
        /// Length of a MAC key in bits.
        mac_bits: u64,
        /// Length of a key in bits.
        key_bits: u64,
        /// Length of an initialisation vector in bits.
        iv_bits: u64,
        /// The hash, CKM_….
        hash: u64,
        /// The client's random bytes.
        client: Vec<u8>,
        /// The server's random bytes.
        server: Vec<u8>,
    },
    /// [`Shape::TlsKdf`].
    TlsKdf {
        /// The hash, CKM_…, or CKM_TLS_PRF.
        prf: u64,
        /// The label.
        label: Vec<u8>,
        /// The client's random bytes.
        client: Vec<u8>,
        /// The server's random bytes.
        server: Vec<u8>,
        /// The context, if there is one.
        context: Option<Vec<u8>>,
    },
    /// [`Shape::TlsMac`].
    TlsMac {
        /// The hash, CKM_…, or CKM_TLS_PRF.
        prf: u64,
        /// Length of the MAC in bytes.
        length: u64,
        /// 1: the server's, 2: the client's.
        side: u64,
    },
    /// [`Shape::Ssh`].
    Ssh {
        /// The hash, CKM_….
        hash: u64,
        /// What is derived: `A` to `F`.
        letter: u8,
        /// The exchange hash.
        exchange_hash: Vec<u8>,
        /// The session identifier.
        session_id: Vec<u8>,
    },
    /// [`Shape::OptionalOtp`], when given. What keys here ignore is left out: PIN, challenge and time.
    Otp {
        /// The counter.
        counter: Option<Vec<u8>>,
        /// CKF_… of CK_OTP_FLAGS.
        flags: u64,
        /// Length of the password, in its format's characters.
        length: Option<u64>,
        /// CK_OTP_FORMAT_….
        format: Option<u64>,
        /// What the door makes of the password.
        form: &'static PasswordForm,
    },
}

/// The form in which a door gives out a one-time password with its counter.
#[derive(Debug)]
pub struct PasswordForm {
    /// Its length in bytes, for a password of so many.
    pub len: fn(usize) -> usize,
    /// Writes counter and password to the front of a buffer of that length.
    pub write: fn(u64, &[u8], &mut [u8]),
}

/// The password alone.
pub(super) static BARE: PasswordForm = PasswordForm {
    len: |password| password,
    write: |_, password, out| out.iter_mut().zip(password).for_each(|(to, from)| *to = *from),
};

/// Where HKDF's salt comes from.
#[derive(Debug)]
pub enum Salt {
    /// There is none: as many zeros as the hash is long.
    None,
    /// It is given.
    Data(Vec<u8>),
    /// It is the value of a key, named by handle.
    Key(u64),
}

/// A part of what the pseudorandom function of SP 800-108 is given. Section 6.42.
#[derive(Debug)]
pub enum PrfField {
    /// The iteration variable: the counter mode's has a form.
    Iteration(Option<crypto::Number>),
    /// The counter of the other modes.
    Counter(crypto::Number),
    /// The length of what is derived.
    Length(crypto::Number, crypto::Extent),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The value of a key, named by handle.
    Key(u64),
}

impl Mechanism {
    /// A mechanism without parameter.
    pub fn plain(kind: u64) -> Mechanism {
        Mechanism { kind, parameter: Parameter::None }
    }
}
