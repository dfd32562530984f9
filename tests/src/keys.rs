//! Keys for tests: known ones that are imported, and generated ones. All are session objects that may
//! do everything; a test that needs less says so with `more`.

use cryptoki_sys::*;

use crate::attrs;
use crate::mechanism::Mech;
use crate::session::{Object, Session};
use crate::template::{Template, ulong};

/// A public and a private key that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The public key.
    pub public: Object,
    /// The private key.
    pub private: Object,
}

/// A curve: its name, its parameters as CKA_EC_PARAMS, and the length of its field in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    /// Its usual name.
    pub name: &'static str,
    /// The DER of its object identifier.
    pub params: &'static [u8],
    /// Bytes of a coordinate.
    pub length: usize,
}

macro_rules! curves {
    ($($name:ident $text:literal $length:literal [$($byte:literal)*];)*) => {
        $(
            #[doc = $text]
            pub const $name: Curve = Curve { name: $text, params: &[$($byte),*], length: $length };
        )*
    };
}
curves! {
    P192      "P-192"     24 [0x06 0x08 0x2a 0x86 0x48 0xce 0x3d 0x03 0x01 0x01];
    P224      "P-224"     28 [0x06 0x05 0x2b 0x81 0x04 0x00 0x21];
    P256      "P-256"     32 [0x06 0x08 0x2a 0x86 0x48 0xce 0x3d 0x03 0x01 0x07];
    P384      "P-384"     48 [0x06 0x05 0x2b 0x81 0x04 0x00 0x22];
    P521      "P-521"     66 [0x06 0x05 0x2b 0x81 0x04 0x00 0x23];
    SECP256K1 "secp256k1" 32 [0x06 0x05 0x2b 0x81 0x04 0x00 0x0a];
    BRAINPOOL256 "brainpoolP256r1" 32 [0x06 0x09 0x2b 0x24 0x03 0x03 0x02 0x08 0x01 0x01 0x07];
    BRAINPOOL384 "brainpoolP384r1" 48 [0x06 0x09 0x2b 0x24 0x03 0x03 0x02 0x08 0x01 0x01 0x0b];
    ED25519   "Ed25519"   32 [0x06 0x03 0x2b 0x65 0x70];
    X25519    "X25519"    32 [0x06 0x03 0x2b 0x65 0x6e];
    ED448     "Ed448"     57 [0x06 0x03 0x2b 0x65 0x71];
    X448      "X448"      56 [0x06 0x03 0x2b 0x65 0x6f];
}

/// The Weierstrass curves.
pub const CURVES: [Curve; 8] = [P192, P224, P256, P384, P521, SECP256K1, BRAINPOOL256, BRAINPOOL384];

/// An RSA key of 2048 bits as a template of the private key, made with OpenSSL for these tests.
pub fn rsa_private() -> Template {
    attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => CKK_RSA,
        CKA_SIGN => true,
        CKA_DECRYPT => true,
        CKA_UNWRAP => true,
        CKA_MODULUS => hex(MODULUS),
        CKA_PUBLIC_EXPONENT => hex(PUBLIC_EXPONENT),
        CKA_PRIVATE_EXPONENT => hex(PRIVATE_EXPONENT),
        CKA_PRIME_1 => hex(PRIME_1),
        CKA_PRIME_2 => hex(PRIME_2),
        CKA_EXPONENT_1 => hex(EXPONENT_1),
        CKA_EXPONENT_2 => hex(EXPONENT_2),
        CKA_COEFFICIENT => hex(COEFFICIENT),
    ]
}

/// The public key that belongs to [`rsa_private`].
pub fn rsa_public() -> Template {
    attrs![
        CKA_CLASS => CKO_PUBLIC_KEY,
        CKA_KEY_TYPE => CKK_RSA,
        CKA_VERIFY => true,
        CKA_ENCRYPT => true,
        CKA_WRAP => true,
        CKA_MODULUS => hex(MODULUS),
        CKA_PUBLIC_EXPONENT => hex(PUBLIC_EXPONENT),
    ]
}

/// The known RSA key, imported.
pub fn rsa(session: &Session<'_>) -> Pair {
    Pair {
        public: session.create(&rsa_public()).expect("importing the RSA public key"),
        private: session.create(&rsa_private()).expect("importing the RSA private key"),
    }
}

/// A new key pair on a Weierstrass curve, for signing and agreement.
pub fn ec(session: &Session<'_>, curve: Curve) -> Pair {
    ec_with(session, curve, attrs![])
}

/// As [`ec`], with more attributes for both keys.
pub fn ec_with(session: &Session<'_>, curve: Curve, more: Template) -> Pair {
    let public = attrs![CKA_EC_PARAMS => curve.params, CKA_VERIFY => true].and(more.clone());
    let private = attrs![CKA_SIGN => true, CKA_DERIVE => true].and(more);
    let mech = Mech::plain(CKM_EC_KEY_PAIR_GEN);
    pair(session, &mech, &public, &private, curve.name)
}

/// A new Ed25519 key pair.
pub fn ed25519(session: &Session<'_>) -> Pair {
    edwards(session, ED25519)
}

/// A new X25519 key pair.
pub fn x25519(session: &Session<'_>) -> Pair {
    montgomery(session, X25519)
}

/// A new key pair on an Edwards curve.
pub fn edwards(session: &Session<'_>, curve: Curve) -> Pair {
    let public = attrs![CKA_EC_PARAMS => curve.params, CKA_VERIFY => true];
    let mech = Mech::plain(CKM_EC_EDWARDS_KEY_PAIR_GEN);
    pair(session, &mech, &public, &attrs![CKA_SIGN => true], curve.name)
}

/// A new key pair on a Montgomery curve.
pub fn montgomery(session: &Session<'_>, curve: Curve) -> Pair {
    let public = attrs![CKA_EC_PARAMS => curve.params];
    let mech = Mech::plain(CKM_EC_MONTGOMERY_KEY_PAIR_GEN);
    pair(session, &mech, &public, &attrs![CKA_DERIVE => true], curve.name)
}

/// A private key of a known value, for signing and agreement.
pub fn known(session: &Session<'_>, kind: CK_KEY_TYPE, curve: Curve, value: &str) -> Object {
    let template = attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => kind,
        CKA_EC_PARAMS => curve.params,
        CKA_SIGN => true,
        CKA_DERIVE => true,
        CKA_VALUE => hex(value),
    ];
    session.create(&template).unwrap_or_else(|rv| panic!("importing a key on {}: {rv:?}", curve.name))
}

fn pair(session: &Session<'_>, mech: &Mech, public: &Template, private: &Template, name: &str) -> Pair {
    let made = session.generate_pair(mech, public, private);
    let (public, private) = made.unwrap_or_else(|rv| panic!("generating a key pair on {name}: {rv:?}"));
    Pair { public, private }
}

/// A template for an AES key of a known value.
pub fn aes_template(value: &[u8]) -> Template {
    attrs![
        CKA_CLASS => CKO_SECRET_KEY,
        CKA_KEY_TYPE => CKK_AES,
        CKA_ENCRYPT => true,
        CKA_DECRYPT => true,
        CKA_SIGN => true,
        CKA_VERIFY => true,
        CKA_WRAP => true,
        CKA_UNWRAP => true,
        CKA_VALUE => value,
    ]
}

/// An AES key of a known value.
pub fn aes(session: &Session<'_>, value: &[u8]) -> Object {
    session.create(&aes_template(value)).expect("importing an AES key")
}

/// A new AES key of 32 bytes with more attributes.
pub fn generate_aes(session: &Session<'_>, more: Template) -> Object {
    let template = attrs![CKA_VALUE_LEN => 32 as CK_ULONG].and(more);
    session.generate(&Mech::plain(CKM_AES_KEY_GEN), &template).expect("generating an AES key")
}

/// A template for a generic secret of so many bytes, whose value may be read.
pub fn readable_secret(length: usize) -> Template {
    attrs![
        CKA_CLASS => CKO_SECRET_KEY,
        CKA_KEY_TYPE => CKK_GENERIC_SECRET,
        CKA_VALUE_LEN => ulong(length),
        CKA_SENSITIVE => false,
        CKA_EXTRACTABLE => true,
    ]
}

/// A template for a generic secret of a known value.
pub fn secret_template(value: &[u8]) -> Template {
    attrs![
        CKA_CLASS => CKO_SECRET_KEY,
        CKA_KEY_TYPE => CKK_GENERIC_SECRET,
        CKA_SIGN => true,
        CKA_VERIFY => true,
        CKA_DERIVE => true,
        CKA_VALUE => value,
    ]
}

/// A generic secret of a known value.
pub fn secret(session: &Session<'_>, value: &[u8]) -> Object {
    session.create(&secret_template(value)).expect("importing a generic secret")
}

/// A template for a data object.
pub fn data_template(label: &str, value: &[u8]) -> Template {
    attrs![CKA_CLASS => CKO_DATA, CKA_LABEL => label, CKA_VALUE => value]
}

/// Bytes written in hexadecimal.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("hexadecimal digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    };
    digits.chunks(2).map(byte).collect()
}

/// RSA: n.
const MODULUS: &str = "\
    9e2327f5ec7926a992421a75f53144ff9ca8589da5aad759b70c0c2242192ecf93bbdce5183ae9d5a2aa132594440597\
    fb5eb5baf6616dfc1a1b9e731bc7d78464cb5cf102c258e60c48b8defccdd2b79140e6d64a435d54519744f53778b240\
    2d0d814db69a2b133f73204ff492199fdaae5cd39db6e034fd5ad9d58420c60e8e2694ddfe00d9259641b99709d5b13b\
    29703eed58a2a09441ed06b5294e5aabf58c790f7a7cf775a594b3db1ebcc0bc2b03b730a0e1212ab34f6f5a1bf88082\
    4e168266a29a3ad5eda308be6d6b4479f45acc71bdfee9e2af59100edfea72e7e6e1f1919e3c95590d9d56fb837fddd7\
    835ad2f787278aa8bfd03273495d5c9d";
/// RSA: e.
const PUBLIC_EXPONENT: &str = "010001";
/// RSA: d.
const PRIVATE_EXPONENT: &str = "\
    03381345cfa56e44f9d4fe37e657a30e0023296fc6f431b19d793618054a4a16025b81b5447080490fa8675a5fd6577f\
    1803a29c669e8aadd3b8cc596acab5fc09e05d9b545a436edd1c6fdc1be4058e2457051759c382007e9d8ce57268d759\
    c6a7dc5d77d47800b83b0080bde044e9687af8e00d9dc25158ae156818c5aa4dd933614bab5bbd3ea8cf98943364bfda\
    eba0d77f75721959a04eb2d6bdf4be9ad200749cd27478b04ec9def1beab0592a0ae3cbd487ef7c28b3327b220543844\
    815d807aa02f750ff42c7ded12b0b9f9156de434e0d0208a8fb2ec7558d5f5867a6bbdf8320d4d5eff62fe3cfef1c7e3\
    30eb8a6c6f4686bdbf3a0fd4adcd011b";
/// RSA: p.
const PRIME_1: &str = "\
    d4250e0a2ec519e9e007c3c0ed6eed5f9f33548b9c16e8053ae831902ea6091d5f4c732d15931db1870f793d45dd7042\
    d4f0585381d663786f039c4ff15ab64cebd2f7e814bbf43e6864d28429a6b196d5eb1019c2cd33ebe585ee04bb86d512\
    c4b9d81f753cc53176b7a363ec41e2155e6e7e068bffcb4a02cdfd4c9166f5a3";
/// RSA: q.
const PRIME_2: &str = "\
    bed3f76096c07d83ef78ad0636893411b2c5ee5010d132c076f4382c4bf7dc4fa718f6e087e4378ff132ffb960455083\
    8a4bf415abc9fb89ec072c81113bd2c269fab4c149b76228ceaaa0589a4bad4111d4c1640d966a1a3718f03b7c11247f\
    cac9fb9acf62a3b37c40d3bc89515e9a4ef1cda933b77203086ea158ca9508bf";
/// RSA: d mod (p − 1).
const EXPONENT_1: &str = "\
    9f0ebd4d132e02b4e09cd1bf6805e081ee4a3d1c83c684e5cef9e29758f272290c97b44f5c3ab66bb178ff8cda4221f6\
    69d35e56162618e4664fcdb5fe9ee5ca1c924bff3cf48336fb6c848e44f04f7c691d5a30066776836ace94dc05821d65\
    7a0c61278cee286762bc630bfb4a9669312924e261bb42bf5604fde297ae1b83";
/// RSA: d mod (q − 1).
const EXPONENT_2: &str = "\
    387ff1e27b400ae9a1618d79257482222b58473315879b0b392d1de49fa987655e081a30688bbd97b4c670c8a6245fae\
    52a82260b838596d80a0af2097c5aaa53d53a969013676adb662f68ec5405acfc543c4eea6c73e2afcdd3963a35c3ffe\
    46407f6a5ab4cddb3a92c71e2f5a143483e33c0d38eebba7023c1f3176e9a169";
/// RSA: 1/q mod p.
const COEFFICIENT: &str = "\
    5f5c710f7921ab506cc0ea9dd62c1e93ae7a9e2bc1ea6ed49fe04cc5d504bc8f9c87009c1cf438b8a2891cb2387c5dec\
    187afa30ec90c680d735da82976fc079b4dd0b09a7ebc9485a67a32c6759735d686ad2ceb4713b9eef395080cc7a7a34\
    956644bb8a63900fae1ac5ac9ad15a4a92a3637314b12db7953986126ec222d3";
