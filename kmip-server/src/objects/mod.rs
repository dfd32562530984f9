//! Managed objects between their KMIP form and the core's: reading what is registered (`read`), writing
//! what is given out (`give`), wrapping on the way (`wrapping`, `import_token`). KMIP 1.4, section 2; 2.1, section 2.

pub mod certificate;
pub mod curves;
pub mod digest;
pub mod draft;
pub mod fresh;
pub mod give;
pub mod import_token;
pub mod pkcs12;
pub mod read;
pub mod replacement;
pub mod template;
pub mod transparent;
pub mod wrapping;

use hsm_core::object::managed::ObjectType;

use crate::ttlv::Tag;

/// The tag of the structure that holds an object of a kind.
pub fn tag_of(kind: ObjectType) -> Tag {
    match kind {
        ObjectType::Certificate => Tag::CERTIFICATE,
        ObjectType::SymmetricKey => Tag::SYMMETRIC_KEY,
        ObjectType::PublicKey => Tag::PUBLIC_KEY,
        ObjectType::PrivateKey => Tag::PRIVATE_KEY,
        ObjectType::SplitKey => Tag::SPLIT_KEY,
        ObjectType::Template => Tag::TEMPLATE,
        ObjectType::SecretData => Tag::SECRET_DATA,
        ObjectType::OpaqueObject => Tag::OPAQUE_OBJECT,
        ObjectType::PgpKey => Tag::PGP_KEY,
        ObjectType::CertificateRequest => Tag::CERTIFICATE_REQUEST,
    }
}
