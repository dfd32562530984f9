//! THE attribute table: PKCS #11 3.2, sections 4.2 to 4.14 and 6, a row for each attribute of each
//! class and key type, with the footnotes of its Table 13 ("Common footnotes for object attribute
//! tables"). Creation, generation, unwrapping, derivation, copying, setting and getting all follow
//! these rows; `template` interprets them.

use cryptoki_sys::*;

use super::Type;
use super::finite::is_finite;
use super::managed::*;
use super::parameter_sets::is_post_quantum;

/// The footnotes of Table 13, as bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Notes(u16);

/// Builds [`Notes`] from the footnotes' own numbers.
const fn notes(numbers: &[u16]) -> Notes {
    let (mut bits, mut rest) = (0, numbers);
    while let [number, others @ ..] = rest {
        bits |= 1 << *number;
        rest = others;
    }
    Notes(bits)
}

impl Notes {
    /// Whether footnote `number` (1 to 12) applies.
    pub const fn has(self, number: u16) -> bool {
        self.0 & 1 << number != 0
    }
}

/// What an attribute is where a template leaves it out (footnote 9 leaves it to the token; these are
/// SoftHSM2's choices).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// The object does not have it.
    Absent,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(u64),
    /// An empty byte string, list or date.
    Empty,
}

/// Which object classes a row is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Classes(u8);

impl Classes {
    const DATA: Classes = Classes(1);
    const CERTIFICATE: Classes = Classes(2);
    const PUBLIC: Classes = Classes(4);
    const PRIVATE: Classes = Classes(8);
    const SECRET: Classes = Classes(16);
    const DOMAIN: Classes = Classes(32);
    const OTP: Classes = Classes(64);
    const KEYS: Classes = Classes(4 | 8 | 16 | 64);
    const ALL: Classes = Classes(127);

    const fn or(self, other: Classes) -> Classes {
        Classes(self.0 | other.0)
    }

    /// The set that holds one class alone, or `None` for a class that is not offered.
    fn of(class: u64) -> Option<Classes> {
        match class {
            CKO_DATA => Some(Classes::DATA),
            CKO_CERTIFICATE => Some(Classes::CERTIFICATE),
            CKO_PUBLIC_KEY => Some(Classes::PUBLIC),
            CKO_PRIVATE_KEY => Some(Classes::PRIVATE),
            CKO_SECRET_KEY => Some(Classes::SECRET),
            CKO_DOMAIN_PARAMETERS => Some(Classes::DOMAIN),
            CKO_OTP_KEY => Some(Classes::OTP),
            _ => None,
        }
    }
}

/// Which key types a row is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Every object of the row's classes, keys or not.
    Any,
    /// CKK_RSA.
    Rsa,
    /// CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY.
    Curve,
    /// CKK_ML_KEM, CKK_ML_DSA, CKK_SLH_DSA.
    PostQuantum,
    /// CKK_ML_KEM, CKK_ML_DSA: those that are made from a seed.
    Seeded,
    /// CKK_DSA.
    Dsa,
    /// CKK_DH.
    Dh,
    /// CKK_DSA, CKK_DH.
    Finite,
    /// CKK_ML_KEM, whose keys are for encapsulation and nothing else.
    Kem,
    /// Every other one.
    NotKem,
}

impl Keys {
    fn includes(self, key_type: Option<u64>) -> bool {
        match self {
            Keys::Any => true,
            Keys::Rsa => key_type == Some(CKK_RSA),
            Keys::Curve => matches!(key_type, Some(CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY)),
            Keys::PostQuantum => key_type.is_some_and(is_post_quantum),
            Keys::Seeded => matches!(key_type, Some(CKK_ML_KEM | CKK_ML_DSA)),
            Keys::Dsa => key_type == Some(CKK_DSA),
            Keys::Dh => key_type == Some(CKK_DH),
            Keys::Finite => key_type.is_some_and(is_finite),
            Keys::Kem => key_type == Some(CKK_ML_KEM),
            Keys::NotKem => key_type != Some(CKK_ML_KEM),
        }
    }
}

/// One attribute of some classes and key types.
pub struct Row {
    /// Its number, CKA_….
    pub kind: u64,
    /// Its name in the standard.
    pub name: &'static str,
    /// The type of its value.
    pub value: Type,
    /// The classes that have it.
    pub classes: Classes,
    /// The key types that have it.
    pub keys: Keys,
    /// The footnotes that apply.
    pub notes: Notes,
    /// Its value where the template gives none.
    pub default: Default,
}

impl Row {
    /// Footnote 7: not revealed where the object hides its secrets.
    pub const fn is_secret(&self) -> bool {
        self.notes.has(7)
    }
}

/// The row of attribute `kind` for an object of this class and key type.
pub fn row(kind: u64, class: u64, key_type: Option<u64>) -> Option<&'static Row> {
    let class = Classes::of(class)?;
    named(kind).find(|row| row.classes.0 & class.0 != 0 && row.keys.includes(key_type))
}

/// The rows that an object of this class and key type has.
pub fn rows_of(class: u64, key_type: Option<u64>) -> impl Iterator<Item = &'static Row> {
    let class = Classes::of(class).map_or(0, |class| class.0);
    TABLE.iter().filter(move |row| row.classes.0 & class != 0 && row.keys.includes(key_type))
}

/// The type of attribute `kind`, which is the same in all its rows; `None` for unknown attributes.
pub fn type_of(kind: u64) -> Option<Type> {
    named(kind).next().map(|row| row.value)
}

/// Whether attribute `kind` may be a secret, so that its bytes are kept as one from the start.
pub fn may_be_secret(kind: u64) -> bool {
    named(kind).any(Row::is_secret)
}

/// The standard's name of an attribute.
pub fn name_of(kind: u64) -> Option<&'static str> {
    named(kind).next().map(|row| row.name)
}

/// Whether objects of this class can exist here.
pub fn is_class(class: u64) -> bool {
    Classes::of(class).is_some()
}

/// Whether objects of this class have a key type.
pub(super) fn has_key_type(class: u64) -> bool {
    row(CKA_KEY_TYPE, class, None).is_some()
}

/// The rows of one attribute; the table is in the order of their numbers.
fn named(kind: u64) -> impl Iterator<Item = &'static Row> {
    let from = TABLE.partition_point(|row| row.kind < kind);
    TABLE.iter().skip(from).take_while(move |row| row.kind == kind)
}

/// A row, its name taken from the constant.
macro_rules! rows {
    ($($kind:ident $value:ident $classes:expr, $keys:ident, [$($note:literal)*], $default:expr;)*) => {
        &[$(Row {
            kind: $kind,
            name: stringify!($kind),
            value: Type::$value,
            classes: $classes,
            keys: Keys::$keys,
            notes: notes(&[$($note),*]),
            default: $default,
        }),*]
    };
}

const ALL: Classes = Classes::ALL;
/// Objects that no template makes (`partition::profiles`).
const GIVEN: Classes = Classes(0);
const DATA: Classes = Classes::DATA;
const CERT: Classes = Classes::CERTIFICATE;
const PUB: Classes = Classes::PUBLIC;
const PRIV: Classes = Classes::PRIVATE;
/// Keys of one-time passwords have what secret keys have (section 6.53.5), but serve for nothing else unless it is said.
const SEC: Classes = Classes::SECRET.or(OTP);
const SEC_ONLY: Classes = Classes::SECRET;
const OTP: Classes = Classes::OTP;
const KEYS: Classes = Classes::KEYS;
const DOM: Classes = Classes::DOMAIN;
const YES: Default = Default::Flag(true);
const NO: Default = Default::Flag(false);
const EMPTY: Default = Default::Empty;
const NONE: Default = Default::Absent;
const UNKNOWN: Default = Default::Number(CK_UNAVAILABLE_INFORMATION);

// CKA_TOKEN, CKA_PRIVATE and CKA_MODIFIABLE change by C_CopyObject alone (section 4.4): they carry
// no footnote 8, and `template::copy` names them. CKA_PRIVATE's default depends on the class: public
// keys and certificates are public. A CKA_VALUE_LEN left out is the length of the value.
// CKA_VALUE of DSA and DH keys is a big integer: `finite` takes its zeros away, since an attribute has one type.
// Decapsulation is unwrapping or derivation under another name where a key is none of ML-KEM's: a key that may sign
// alone, or unwrap under a template alone, does it by its owner's word only.
// A post-quantum private key has a value, a seed or both: `post_quantum` asks for one, where the standard's
// tables have footnote 1 at the value and say so below.
#[rustfmt::skip]
static TABLE: &[Row] = rows! {
    CKA_CLASS                           Number     ALL,               Any,   [1],        NONE;
    CKA_TOKEN                           Bool       ALL,               Any,   [],         NO;
    CKA_PRIVATE                         Bool       DATA.or(PRIV).or(SEC), Any, [],       YES;
    CKA_PRIVATE                         Bool       CERT.or(PUB).or(DOM), Any, [],        NO;
    CKA_LABEL                           Bytes      ALL,               Any,   [8],        EMPTY;
    CKA_UNIQUE_ID                       Bytes      ALL,               Any,   [2 4 6],    NONE;
    CKA_APPLICATION                     Bytes      DATA,              Any,   [8],        EMPTY;
    CKA_VALUE                           Bytes      DATA,              Any,   [8],        EMPTY;
    CKA_VALUE                           Bytes      CERT,              Any,   [1],        NONE;
    CKA_VALUE                           Bytes      PRIV,              Curve, [1 4 6 7],  NONE;
    CKA_VALUE                           Bytes      SEC,               Any,   [1 4 6 7],  NONE;
    CKA_VALUE                           Bytes      PUB,               PostQuantum, [1 4], NONE;
    CKA_VALUE                           Bytes      PRIV,              PostQuantum, [4 6 7], NONE;
    CKA_VALUE                           Bytes      PUB,               Finite, [1 4],     NONE;
    CKA_VALUE                           Bytes      PRIV,              Finite, [1 4 6 7], NONE;
    CKA_OBJECT_ID                       Bytes      DATA,              Any,   [8],        EMPTY;
    CKA_CERTIFICATE_TYPE                Number     CERT,              Any,   [1],        NONE;
    CKA_ISSUER                          Bytes      CERT,              Any,   [8],        EMPTY;
    CKA_SERIAL_NUMBER                   Bytes      CERT,              Any,   [8],        EMPTY;
    CKA_TRUSTED                         Bool       CERT.or(PUB).or(SEC), Any, [8 10],    NO;
    CKA_CERTIFICATE_CATEGORY            Number     CERT,              Any,   [],         Default::Number(CK_CERTIFICATE_CATEGORY_UNSPECIFIED);
    CKA_JAVA_MIDP_SECURITY_DOMAIN       Number     CERT,              Any,   [],         Default::Number(CK_SECURITY_DOMAIN_UNSPECIFIED);
    CKA_URL                             Bytes      CERT,              Any,   [],         EMPTY;
    CKA_HASH_OF_SUBJECT_PUBLIC_KEY      Bytes      CERT,              Any,   [],         EMPTY;
    CKA_HASH_OF_ISSUER_PUBLIC_KEY       Bytes      CERT,              Any,   [],         EMPTY;
    CKA_NAME_HASH_ALGORITHM             Number     CERT,              Any,   [],         Default::Number(CKM_SHA_1);
    CKA_CHECK_VALUE                     Bytes      CERT.or(SEC),      Any,   [],         NONE;
    CKA_KEY_TYPE                        Number     KEYS.or(DOM),      Any,   [1 5],      NONE;
    CKA_SUBJECT                         Bytes      CERT,              Any,   [1],        NONE;
    CKA_SUBJECT                         Bytes      PUB.or(PRIV),      Any,   [8],        EMPTY;
    CKA_ID                              Bytes      CERT.or(KEYS),     Any,   [8],        EMPTY;
    CKA_SENSITIVE                       Bool       PRIV.or(SEC),      Any,   [8 11],     NO;
    CKA_ENCRYPT                         Bool       PUB.or(SEC_ONLY),    Any,   [8],        YES;
    CKA_ENCRYPT                         Bool       OTP,               Any,   [8],        NO;
    CKA_DECRYPT                         Bool       PRIV.or(SEC_ONLY),   Any,   [8],        YES;
    CKA_DECRYPT                         Bool       OTP,               Any,   [8],        NO;
    CKA_WRAP                            Bool       PUB.or(SEC_ONLY),    Any,   [8],        YES;
    CKA_WRAP                            Bool       OTP,               Any,   [8],        NO;
    CKA_UNWRAP                          Bool       PRIV.or(SEC_ONLY),   Any,   [8],        YES;
    CKA_UNWRAP                          Bool       OTP,               Any,   [8],        NO;
    CKA_SIGN                            Bool       PRIV.or(SEC),      Any,   [8],        YES;
    CKA_SIGN_RECOVER                    Bool       PRIV,              Any,   [8],        YES;
    CKA_VERIFY                          Bool       PUB.or(SEC),       Any,   [8],        YES;
    CKA_VERIFY_RECOVER                  Bool       PUB,               Any,   [8],        YES;
    CKA_DERIVE                          Bool       KEYS,              Any,   [8],        NO;
    CKA_START_DATE                      Date       CERT.or(KEYS),     Any,   [8],        EMPTY;
    CKA_END_DATE                        Date       CERT.or(KEYS),     Any,   [8],        EMPTY;
    CKA_MODULUS                         BigInteger PUB,               Rsa,   [1 4],      NONE;
    CKA_MODULUS                         BigInteger PRIV,              Rsa,   [1 4 6],    NONE;
    CKA_MODULUS_BITS                    Number     PUB,               Rsa,   [2 3],      NONE;
    CKA_PUBLIC_EXPONENT                 BigInteger PUB,               Rsa,   [1],        NONE;
    CKA_PUBLIC_EXPONENT                 BigInteger PRIV,              Rsa,   [1 4 6],    NONE;
    CKA_PRIVATE_EXPONENT                BigInteger PRIV,              Rsa,   [1 4 6 7],  NONE;
    CKA_PRIME_1                         BigInteger PRIV,              Rsa,   [4 6 7],    NONE;
    CKA_PRIME_2                         BigInteger PRIV,              Rsa,   [4 6 7],    NONE;
    CKA_EXPONENT_1                      BigInteger PRIV,              Rsa,   [4 6 7],    NONE;
    CKA_EXPONENT_2                      BigInteger PRIV,              Rsa,   [4 6 7],    NONE;
    CKA_COEFFICIENT                     BigInteger PRIV,              Rsa,   [4 6 7],    NONE;
    CKA_PUBLIC_KEY_INFO                 Bytes      CERT.or(PUB).or(PRIV), Any, [],       NONE;
    CKA_PRIME                           BigInteger PUB,               Finite, [1 3],     NONE;
    CKA_PRIME                           BigInteger PRIV,              Finite, [1 4 6],   NONE;
    CKA_PRIME                           BigInteger DOM,               Finite, [1 4],     NONE;
    CKA_SUBPRIME                        BigInteger PUB,               Dsa,   [1 3],      NONE;
    CKA_SUBPRIME                        BigInteger PRIV,              Dsa,   [1 4 6],    NONE;
    CKA_SUBPRIME                        BigInteger DOM,               Dsa,   [1 4],      NONE;
    CKA_BASE                            BigInteger PUB,               Finite, [1 3],     NONE;
    CKA_BASE                            BigInteger PRIV,              Finite, [1 4 6],   NONE;
    CKA_BASE                            BigInteger DOM,               Finite, [1 4],     NONE;
    CKA_PRIME_BITS                      Number     DOM,               Finite, [2 3],     NONE;
    CKA_SUBPRIME_BITS                   Number     DOM,               Dsa,   [2],        NONE;
    CKA_VALUE_BITS                      Number     PRIV,              Dh,    [2],        NONE;
    CKA_VALUE_LEN                       Number     SEC,               Any,   [2],        NONE;
    CKA_EXTRACTABLE                     Bool       PRIV.or(SEC),      Any,   [8 12],     NO;
    CKA_LOCAL                           Bool       KEYS.or(DOM),      Any,   [2 4 6],    NO;
    CKA_NEVER_EXTRACTABLE               Bool       PRIV.or(SEC),      Any,   [2 4 6],    NO;
    CKA_ALWAYS_SENSITIVE                Bool       PRIV.or(SEC),      Any,   [2 4 6],    NO;
    CKA_KEY_GEN_MECHANISM               Number     KEYS,              Any,   [2 4 6],    UNKNOWN;
    CKA_MODIFIABLE                      Bool       ALL,               Any,   [],         YES;
    CKA_COPYABLE                        Bool       ALL,               Any,   [8 12],     YES;
    CKA_DESTROYABLE                     Bool       ALL,               Any,   [8],        YES;
    CKA_EC_PARAMS                       Bytes      PUB,               Curve, [1 3],      NONE;
    CKA_EC_PARAMS                       Bytes      PRIV,              Curve, [1 4 6],    NONE;
    CKA_EC_POINT                        Bytes      PUB,               Curve, [1 4],      NONE;
    CKA_ALWAYS_AUTHENTICATE             Bool       PRIV,              Any,   [],         NO;
    CKA_WRAP_WITH_TRUSTED               Bool       PRIV.or(SEC),      Any,   [8 11],     NO;
    CKA_OTP_FORMAT                      Number     OTP,               Any,   [],          Default::Number(CK_OTP_FORMAT_DECIMAL);
    CKA_OTP_LENGTH                      Number     OTP,               Any,   [],          Default::Number(6);
    CKA_OTP_USER_FRIENDLY_MODE          Bool       OTP,               Any,   [],          YES;
    CKA_OTP_CHALLENGE_REQUIREMENT       Number     OTP,               Any,   [],          Default::Number(CK_OTP_PARAM_IGNORED);
    CKA_OTP_TIME_REQUIREMENT            Number     OTP,               Any,   [],          Default::Number(CK_OTP_PARAM_IGNORED);
    CKA_OTP_COUNTER_REQUIREMENT         Number     OTP,               Any,   [],          Default::Number(CK_OTP_PARAM_OPTIONAL);
    CKA_OTP_PIN_REQUIREMENT             Number     OTP,               Any,   [],          Default::Number(CK_OTP_PARAM_IGNORED);
    CKA_OTP_USER_IDENTIFIER             Bytes      OTP,               Any,   [],          EMPTY;
    CKA_OTP_SERVICE_IDENTIFIER          Bytes      OTP,               Any,   [],          EMPTY;
    CKA_OTP_SERVICE_LOGO                Bytes      OTP,               Any,   [],          EMPTY;
    CKA_OTP_SERVICE_LOGO_TYPE           Bytes      OTP,               Any,   [],          EMPTY;
    CKA_OTP_COUNTER                     Bytes      OTP,               Any,   [],          EMPTY;
    CKA_OTP_TIME                        Bytes      OTP,               Any,   [],          EMPTY;
    CKA_PROFILE_ID                      Number     GIVEN,             Any,   [2 4 6],    NONE;
    CKA_PARAMETER_SET                   Number     PUB,               PostQuantum, [1 3], NONE;
    CKA_PARAMETER_SET                   Number     PRIV,              PostQuantum, [1 4 6], NONE;
    CKA_ENCAPSULATE_TEMPLATE            Template   PUB,               Any,   [],         NONE;
    CKA_DECAPSULATE_TEMPLATE            Template   PRIV,              Any,   [],         NONE;
    CKA_ENCAPSULATE                     Bool       PUB,               Any,   [8],        YES;
    CKA_DECAPSULATE                     Bool       PRIV,              Kem,   [8],        YES;
    CKA_DECAPSULATE                     Bool       PRIV,              NotKem, [8],       NO;
    CKA_SEED                            Bytes      PRIV,              Seeded, [4 6 7],   NONE;
    CKA_WRAP_TEMPLATE                   Template   PUB.or(SEC),       Any,   [],         NONE;
    CKA_UNWRAP_TEMPLATE                 Template   PRIV.or(SEC),      Any,   [],         NONE;
    CKA_DERIVE_TEMPLATE                 Template   PRIV.or(SEC),      Any,   [],         NONE;
    CKA_ALLOWED_MECHANISMS              Numbers    KEYS,              Any,   [],         EMPTY;
    // Ours (`managed`): no template gives or changes them.
    SOFTHSM_RS_OWNER                        Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_SHARED                       Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_OBJECT_TYPE                  Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_STATE                        Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_NAMES                        Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_GROUPS                       Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_LINKS                        Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_APPLICATIONS                 Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_CUSTOM                       Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_USAGE_MASK                   Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_USAGE_LIMITS                 Numbers    ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_FRESH                        Bool       ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_ALGORITHM                    Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_LENGTH                       Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_REST                         Bytes      ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_MATERIAL                     Bytes      ALL,               Any,   [2 4 6 7],    NONE;
    SOFTHSM_RS_MADE                     Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_KMS                          Bytes      SEC,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_SEEN_END                     Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_INITIAL_DATE                 Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_ACTIVATION_DATE              Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_PROCESS_START_DATE           Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_PROTECT_STOP_DATE            Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_DEACTIVATION_DATE            Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_DESTROY_DATE                 Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_COMPROMISE_OCCURRENCE_DATE   Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_COMPROMISE_DATE              Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_ARCHIVE_DATE                 Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_LAST_CHANGE_DATE             Number     ALL,               Any,   [2 4 6],    NONE;
    SOFTHSM_RS_ORIGINAL_CREATION_DATE       Number     ALL,               Any,   [2 4 6],    NONE;
};

#[cfg(test)]
mod tests;
