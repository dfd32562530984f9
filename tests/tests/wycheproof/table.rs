//! The table of the sets: through which functions and mechanisms each is run, or why it is not.

use hsm_tests::keys::aes_template;
use hsm_tests::operations::ENCRYPT;
use hsm_tests::prelude::*;

use crate::curves::{self, Curve};
use crate::judge::Judge;
use crate::sets::Set;
use crate::{
    aead, agreement, ciphers, derivation, macs, post_quantum, rsa_encryption, rsa_signatures, signatures,
    wrapping,
};

/// Judges the vectors of a set.
pub(crate) type Runner = fn(&mut Judge<'_>);

/// What becomes of a set.
pub(crate) enum Fate {
    /// It is run.
    Run(Runner),
    /// The module does not offer what it is about, which is checked.
    NotOffered(Probe),
    /// It cannot be put in calls of the standard, or has nothing of its own.
    Not,
}

/// Something that the module refuses.
pub(crate) enum Probe {
    /// A mechanism, which has no information.
    Mechanism(CK_MECHANISM_TYPE),
    /// A curve, on which no key can be made.
    Curve(&'static str),
    /// Anything else.
    Refused(fn(&Session<'_>)),
}

/// Sets of one fate.
pub(crate) struct Row {
    family: &'static str,
    part: &'static str,
    /// Through what it is run, or why it is not.
    pub(crate) remark: &'static str,
    /// What becomes of it.
    pub(crate) fate: Fate,
}

impl Row {
    fn fits(&self, set: Set) -> bool {
        set.family() == self.family && set.name().contains(self.part)
    }
}

const fn row(family: &'static str, part: &'static str, remark: &'static str, fate: Fate) -> Row {
    Row { family, part, remark, fate }
}

use Fate::{Not, NotOffered, Run};
use Probe::{Mechanism, Refused};

/// The first row whose family a set has, and whose part its name has, is the set's.
#[rustfmt::skip]
pub(crate) static ROWS: &[Row] = &[
    row("Aead",         "(AesGcm)",           "CKM_AES_GCM; messages too",                        Run(aead::gcm)),
    row("Aead",         "(AesCcm)",           "CKM_AES_CCM; messages too",                        Run(aead::ccm)),
    row("Aead",         "(ChaCha20Poly1305)", "CKM_CHACHA20_POLY1305; messages too",              Run(aead::chacha20_poly1305)),
    row("Aead",         "XChaCha20Poly1305",  "nonces of 192 bits",                               NotOffered(Refused(long_nonce))),
    row("Aead",         "Aegis",              "no mechanism in the standard",                     Not),
    row("Aead",         "CbcHmac",            "no mechanism in the standard",                     Not),
    row("Aead",         "AesEax",             "no mechanism in the standard",                     Not),
    row("Aead",         "AesGcmSiv",          "no mechanism in the standard",                     Not),
    row("Aead",         "AesSivCmac",         "no mechanism in the standard",                     Not),
    row("Aead",         "AriaCcm",            "no mechanism in the standard",                     Not),
    row("Aead",         "AriaGcm",            "no mechanism in the standard",                     Not),
    row("Aead",         "Ascon",              "no mechanism in the standard",                     Not),
    row("Aead",         "CamelliaCcm",        "no mechanism in the standard",                     Not),
    row("Aead",         "Morus",              "no mechanism in the standard",                     Not),
    row("Aead",         "Seed",               "no mechanism in the standard",                     Not),
    row("Aead",         "Sm4",                "no mechanism in the standard",                     Not),
    row("ChunkedEncryption", "",              "no mechanism in the standard",                     Not),
    row("Cipher",       "AesCbcPkcs5",        "CKM_AES_CBC_PAD",                                  Run(ciphers::cbc_pad)),
    row("Cipher",       "AesXts",             "CKM_AES_XTS",                                      Run(ciphers::xts)),
    row("Cipher",       "AriaCbcPkcs5",       "CKM_ARIA_CBC_PAD",                                 NotOffered(Mechanism(CKM_ARIA_CBC_PAD))),
    row("Cipher",       "CamelliaCbcPkcs5",   "CKM_CAMELLIA_CBC_PAD",                             NotOffered(Mechanism(CKM_CAMELLIA_CBC_PAD))),
    row("Dsa",          "Sha224",             "CKM_DSA_SHA224",                                   Run(signatures::dsa)),
    row("Dsa",          "Sha256",             "CKM_DSA_SHA256",                                   Run(signatures::dsa)),
    row("EcCurve",      "",                   "CKM_ECDH1_DERIVE with the base point",             Run(agreement::curves)),
    row("Ecdh",         "Brainpool224r1",     "brainpoolP224r1",                                  NotOffered(Probe::Curve("brainpoolP224r1"))),
    row("Ecdh",         "Brainpool320r1",     "brainpoolP320r1",                                  NotOffered(Probe::Curve("brainpoolP320r1"))),
    row("Ecdh",         "Brainpool512r1",     "brainpoolP512r1",                                  NotOffered(Probe::Curve("brainpoolP512r1"))),
    row("Ecdh",         "",                   "CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE",      Run(agreement::ecdh)),
    row("Ecdsa",        "Bitcoin",            "Bitcoin refuses the higher s, ECDSA takes it",     Not),
    row("Ecdsa",        "Secp160k1",          "secp160k1",                                        NotOffered(Probe::Curve("secp160k1"))),
    row("Ecdsa",        "Secp160r1",          "secp160r1",                                        NotOffered(Probe::Curve("secp160r1"))),
    row("Ecdsa",        "Secp160r2",          "secp160r2",                                        NotOffered(Probe::Curve("secp160r2"))),
    row("Ecdsa",        "Secp192k1",          "secp192k1",                                        NotOffered(Probe::Curve("secp192k1"))),
    row("Ecdsa",        "Secp192r1",          "secp192r1",                                        Run(signatures::ecdsa)),
    row("Ecdsa",        "Secp224k1",          "secp224k1",                                        NotOffered(Probe::Curve("secp224k1"))),
    row("Ecdsa",        "Brainpool224r1",     "brainpoolP224r1",                                  NotOffered(Probe::Curve("brainpoolP224r1"))),
    row("Ecdsa",        "Brainpool320r1",     "brainpoolP320r1",                                  NotOffered(Probe::Curve("brainpoolP320r1"))),
    row("Ecdsa",        "Brainpool512r1",     "brainpoolP512r1",                                  NotOffered(Probe::Curve("brainpoolP512r1"))),
    row("Ecdsa",        "Shake",              "CKM_ECDSA with digests of the caller's",           Run(signatures::ecdsa)),
    row("Ecdsa",        "",                   "CKM_ECDSA_SHA224 and the others",                  Run(signatures::ecdsa)),
    row("Eddsa",        "Ed25519",            "CKM_EDDSA",                                        Run(signatures::eddsa)),
    row("Eddsa",        "Ed448",              "Ed448",                                            Run(signatures::eddsa)),
    row("FpeList",      "",                   "no mechanism in the standard",                     Not),
    row("FpeStr",       "",                   "no mechanism in the standard",                     Not),
    row("Hkdf",         "",                   "CKM_HKDF_DERIVE, CKM_HKDF_DATA",                   Run(derivation::hkdf)),
    row("Keywrap",      "(AesKeyWrap)",       "CKM_AES_KEY_WRAP",                                 Run(wrapping::aes)),
    row("Keywrap",      "(AesKeyWrapWithPadding)", "CKM_AES_KEY_WRAP_KWP",                        Run(wrapping::aes)),
    row("Keywrap",      "Aria",               "no mechanism in the standard",                     Not),
    row("Keywrap",      "Camellia",           "no mechanism in the standard",                     Not),
    row("Keywrap",      "Seed",               "no mechanism in the standard",                     Not),
    row("Mac",          "Sm3",                "no mechanism in the standard",                     Not),
    row("Mac",          "Hmac",               "CKM_SHA256_HMAC and the others, …_HMAC_GENERAL",   Run(macs::hmac)),
    row("Mac",          "AesCmac",            "CKM_AES_CMAC",                                     Run(macs::cmac)),
    row("Mac",          "Aria",               "no mechanism in the standard",                     Not),
    row("Mac",          "Camellia",           "no mechanism in the standard",                     Not),
    row("Mac",          "Kmac",               "no mechanism in the standard",                     Not),
    row("Mac",          "SipHash",            "no mechanism in the standard",                     Not),
    row("MacWithNonce", "(Gmac)",             "CKM_AES_GMAC",                                     Run(macs::gmac)),
    row("MacWithNonce", "Vmac",               "no mechanism in the standard",                     Not),
    row("MlDsaSign",    "",                   "CKM_ML_DSA",                                       Run(post_quantum::signing)),
    row("MlDsaVerify",  "",                   "CKM_ML_DSA",                                       Run(post_quantum::verification)),
    row("MlKem",        "Encaps",             "C_EncapsulateKey with CKM_ML_KEM",                 Run(post_quantum::encapsulation)),
    row("MlKem",        "KeyGenSeed",         "C_CreateObject with CKA_SEED and with CKA_VALUE",  Run(post_quantum::keys)),
    row("MlKem",        "",                   "C_DecapsulateKey with CKM_ML_KEM",                 Run(post_quantum::decapsulation)),
    row("Pbes2",        "",                   "CKM_PKCS5_PBKD2, then CKM_AES_CBC_PAD",            Run(derivation::pbes2)),
    row("Pbkdf2",       "",                   "CKM_PKCS5_PBKD2",                                  Run(derivation::pbkdf2)),
    row("Primality",    "",                   "no function says whether a number is prime",       Not),
    row("RsaOaep",      "Mgf1Sha512_224",     "no CKG_… with SHA-512/224 in the standard",        Not),
    row("RsaOaep",      "Mgf1Sha512_256",     "no CKG_… with SHA-512/256 in the standard",        Not),
    row("RsaOaep",      "",                   "CKM_RSA_PKCS_OAEP",                                Run(rsa_encryption::oaep)),
    row("RsaPkcs1Decrypt", "",                "CKM_RSA_PKCS",                                     Run(rsa_encryption::v15)),
    row("RsaPkcs1Verify",  "Sha512_2",        "CKM_RSA_PKCS with a DigestInfo of the caller's",   Run(rsa_signatures::v15)),
    row("RsaPkcs1Verify",  "",                "CKM_SHA256_RSA_PKCS and the others, CKM_RSA_PKCS", Run(rsa_signatures::v15)),
    row("RsaPssVerify", "Sha512_224Mgf1",     "no CKG_… with SHA-512/224 in the standard",        Not),
    row("RsaPssVerify", "Sha512_256Mgf1",     "no CKG_… with SHA-512/256 in the standard",        Not),
    row("RsaPssVerify", "Shake",              "no CKM_… and CKG_… with SHAKE in the standard",    Not),
    row("RsaPssVerify", "",                   "CKM_SHA256_RSA_PKCS_PSS and the others",           Run(rsa_signatures::pss)),
    row("Xdh",          "X25519",             "CKM_ECDH1_DERIVE",                                 Run(agreement::xdh)),
    row("Xdh",          "X448",               "X448",                                             Run(agreement::xdh)),
];

/// The curves of short Weierstrass form that the module has.
pub(crate) const CURVES: [&str; 8] = [
    "secp192r1",
    "secp224r1",
    "secp256r1",
    "secp384r1",
    "secp521r1",
    "secp256k1",
    "brainpoolP256r1",
    "brainpoolP384r1",
];

/// How many vectors of a set that is run cannot be put in calls, and why.
#[rustfmt::skip]
pub(crate) static LEFT_OUT: &[(&str, usize, &str)] = &[
    ("EcCurve(EcCurveInfo)",        26 - CURVES.len(), "curves that are not offered, which are refused"),
    ("Cipher(AesXts)",              41, "two keys of 192 bits, which no standard has, are refused"),
    ("MlDsaSign(MlDsa44SignNoSeed)", 7, "μ in place of a message, which PKCS #11 3.2 has not"),
    ("MlDsaSign(MlDsa44SignSeed)",   8, "μ in place of a message, which PKCS #11 3.2 has not"),
    ("MlDsaSign(MlDsa65SignNoSeed)", 10, "μ in place of a message, which PKCS #11 3.2 has not"),
    ("MlDsaSign(MlDsa65SignSeed)",  17, "μ in place of a message, which PKCS #11 3.2 has not"),
    ("MlDsaSign(MlDsa87SignNoSeed)", 10, "μ in place of a message, which PKCS #11 3.2 has not"),
    ("MlDsaSign(MlDsa87SignSeed)",  17, "μ in place of a message, which PKCS #11 3.2 has not"),
];

/// The row of a set.
pub(crate) fn of(set: Set) -> &'static Row {
    ROWS.iter().find(|row| row.fits(set)).unwrap_or_else(|| panic!("{}: not in the table", set.name()))
}

/// Asserts that the module does not offer something.
pub(crate) fn is_refused(probe: &Probe, session: &Session<'_>) {
    match probe {
        Probe::Mechanism(kind) => {
            let slot = session.info().expect("C_GetSessionInfo").slotID;
            refused!(CKR_MECHANISM_INVALID, session.module.mechanism_info(slot, *kind), "{kind:#x}");
        }
        Probe::Curve(name) => {
            let Curve { params, .. } = curves::named(name);
            let public = attrs![CKA_EC_PARAMS => params];
            let made = session.generate_pair(&Mech::plain(CKM_EC_KEY_PAIR_GEN), &public, &attrs![]);
            refused!(CKR_CURVE_NOT_SUPPORTED | CKR_DOMAIN_PARAMS_INVALID, made, "{name}");
        }
        Probe::Refused(check) => check(session),
    }
}

/// XChaCha20-Poly1305 would be CKM_CHACHA20_POLY1305 with a nonce of 192 bits.
fn long_nonce(session: &Session<'_>) {
    let key = session.create(&aes_template(&[7; 32]).and(attrs![CKA_KEY_TYPE => CKK_CHACHA20])).unwrap();
    for length in [24, 192] {
        let fields = Fields::default().pointer(&[0; 24]).number(length).counted(b"");
        let mech = Mech::structure(CKM_CHACHA20_POLY1305, fields);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &mech, key), "{length}");
    }
}
