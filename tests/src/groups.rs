//! Keys and domain parameters over finite fields for tests: known ones that are imported, and pairs that are
//! generated under them.

use cryptoki_sys::*;

use crate::attrs;
use crate::keys::{Pair, hex};
use crate::mechanism::Mech;
use crate::session::Session;
use crate::template::Template;

/// p, q and g of RFC 6979, appendix A.2.1.
pub fn dsa_group() -> Template {
    attrs![CKA_PRIME => hex(DSA_PRIME), CKA_SUBPRIME => hex(DSA_SUBPRIME), CKA_BASE => hex(DSA_BASE)]
}

/// The private key of RFC 6979, appendix A.2.1.
pub fn dsa_private() -> Template {
    attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => CKK_DSA,
        CKA_SIGN => true,
        CKA_VALUE => hex(DSA_PRIVATE),
    ]
    .and(dsa_group())
}

/// The public key that belongs to [`dsa_private`].
pub fn dsa_public() -> Template {
    attrs![
        CKA_CLASS => CKO_PUBLIC_KEY,
        CKA_KEY_TYPE => CKK_DSA,
        CKA_VERIFY => true,
        CKA_VALUE => hex(DSA_PUBLIC),
    ]
    .and(dsa_group())
}

/// The known DSA key, imported.
pub fn known_dsa(session: &Session<'_>) -> Pair {
    Pair {
        public: session.create(&dsa_public()).expect("importing the DSA public key"),
        private: session.create(&dsa_private()).expect("importing the DSA private key"),
    }
}

/// A new DSA key pair, with more attributes for the private key.
pub fn dsa(session: &Session<'_>, more: Template) -> Pair {
    let public = dsa_group().and(attrs![CKA_VERIFY => true]);
    let private = attrs![CKA_SIGN => true].and(more);
    let made = session.generate_pair(&Mech::plain(CKM_DSA_KEY_PAIR_GEN), &public, &private);
    let (public, private) = made.expect("generating a DSA key pair");
    Pair { public, private }
}

/// p and g of RFC 5114, section 2.1.
pub fn dh_group() -> Template {
    attrs![CKA_PRIME => hex(DH_PRIME), CKA_BASE => hex(DH_BASE)]
}

/// A private key of RFC 5114, appendix A.1.
pub fn dh_private() -> Template {
    attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => CKK_DH,
        CKA_DERIVE => true,
        CKA_VALUE => hex(DH_PRIVATE),
    ]
    .and(dh_group())
}

/// The public key that belongs to [`dh_private`].
pub fn dh_public() -> Template {
    attrs![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_DH, CKA_VALUE => hex(DH_PUBLIC)].and(dh_group())
}

/// The other side's public value in RFC 5114, appendix A.1.
pub fn dh_peer() -> Vec<u8> {
    hex(DH_PEER)
}

/// What both share there.
pub fn dh_shared() -> Vec<u8> {
    hex(DH_SHARED)
}

/// A new Diffie-Hellman key pair, with more attributes for the private key.
pub fn dh(session: &Session<'_>, more: Template) -> Pair {
    let private = attrs![CKA_DERIVE => true].and(more);
    let made = session.generate_pair(&Mech::plain(CKM_DH_PKCS_KEY_PAIR_GEN), &dh_group(), &private);
    let (public, private) = made.expect("generating a Diffie-Hellman key pair");
    Pair { public, private }
}

/// DSA: p.
const DSA_PRIME: &str = "\
    86f5ca03dcfeb225063ff830a0c769b9dd9d6153ad91d7ce27f787c43278b447e6533b86b18bed6e8a48b784a14c252c\
    5be0dbf60b86d6385bd2f12fb763ed8873abfd3f5ba2e0a8c0a59082eac056935e529daf7c610467899c77adedfc846c\
    881870b7b19b2b58f9be0521a17002e3bdd6b86685ee90b3d9a1b02b782b1779";
/// DSA: q.
const DSA_SUBPRIME: &str = "996f967f6c8e388d9e28d01e205fba957a5698b1";
/// DSA: g.
const DSA_BASE: &str = "\
    07b0f92546150b62514bb771e2a0c0ce387f03bda6c56b505209ff25fd3c133d89bbcd97e904e09114d9a7defdeadfc9\
    078ea544d2e401aeecc40bb9fbbf78fd87995a10a1c27cb7789b594ba7efb5c4326a9fe59a070e136db77175464adca4\
    17be5dce2f40d10a46a3a3943f26ab7fd9c0398ff8c76ee0a56826a8a88f1dbd";
/// DSA: x.
const DSA_PRIVATE: &str = "411602cb19a6ccc34494d79d98ef1e7ed5af25f7";
/// DSA: y.
const DSA_PUBLIC: &str = "\
    5df5e01ded31d0297e274e1691c192fe5868fef9e19a84776454b100cf16f65392195a38b90523e2542ee61871c0440c\
    b87c322fc4b4d2ec5e1e7ec766e1be8d4ce935437dc11c3c8fd426338933ebfe739cb3465f4d3668c5e473508253b1e6\
    82f65cbdc4fae93c2ea212390e54905a86e2223170b44eaa7da5dd9ffcfb7f3b";
/// Diffie-Hellman: p.
const DH_PRIME: &str = "\
    b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e2ee652c0\
    13ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738faa31a4ff55bccc0\
    a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a4371";
/// Diffie-Hellman: g.
const DH_BASE: &str = "\
    a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e690f5504f213\
    160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c087a091f531dbf0a0169b6a28a\
    d662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3b2e5";
/// Diffie-Hellman: xA.
const DH_PRIVATE: &str = "b9a3b3ae8fefc1a2930496507086f8455d48943e";
/// Diffie-Hellman: yA.
const DH_PUBLIC: &str = "\
    2a853b3d92197501b9015b2deb3ed84f5e021dcc3e52f109d3273d2b7521281cbabe0e76ff5727fa8acce26956ba9a1f\
    ca26f20228d8693feb10841d84a7360054ece5a7f5b7a61ad3dfb3c60d2e43106d8727da37df9cce95b478755d06bcea\
    8f9d45965f75a5f3d1df3701165fc9e50c4279ceb07f989540ae96d5d88ed776";
/// Diffie-Hellman: yB.
const DH_PEER: &str = "\
    717a6cb053371ff4a3b932941c1e5663f861a1d6ad34ae66576dfb98f6c6cbf9ddd5a56c7833f6bcfdff095582ad868e\
    440e8d09fd769e3ceccdc3d3b1e4cfa057776caaf9739b6a9fee8e7411f8d6dac09d6a4edb46cc2b5d5203090eae6126\
    311e53fd2c14b574e6a3109a3da1be41bdceaa186f5ce06716a2b6a07b3c33fe";
/// Diffie-Hellman: Z.
const DH_SHARED: &str = "\
    5c804f454d30d9c4df85271f93528c91df6b48ab5f80b3b59caac1b28f8acba9cd3e39f3cb614525d9521d2e644c53b8\
    07b810f340062f257d7d6fbfe8d5e8f072e9b6e9afda9413eafb2e8b0699b1fb5a0caceddeaead7e9cfbb36ae2b42083\
    5bd83a19fb0b5e96bf8fa4d09e345525167ecd9155416f46f408ed31b63c6e6d";
