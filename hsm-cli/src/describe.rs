//! Objects in words: what a key is, how large, and what may be done with it.

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::object::Value;
use hsm_core::service::View;
use hsm_core::session::{ObjectHandle, Session};
use serde::Serialize;

use crate::failure::Result;
use crate::key_type::Curve;
use crate::uri;

/// An object in a list. The names are those of `--json` and stay as they are.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) class: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// In bits.
    pub(crate) size: Option<u64>,
    pub(crate) label: String,
    /// In hexadecimal digits.
    pub(crate) id: String,
    pub(crate) private: bool,
    pub(crate) sensitive: bool,
    pub(crate) extractable: bool,
    pub(crate) local: bool,
    pub(crate) uses: Vec<&'static str>,
    /// RFC 7512; names the token too.
    pub(crate) uri: String,
}

/// The usage attributes and the words for them.
#[rustfmt::skip]
const USES: &[(u64, &str)] = &[
    (CKA_ENCRYPT,        "encrypt"),
    (CKA_DECRYPT,        "decrypt"),
    (CKA_SIGN,           "sign"),
    (CKA_SIGN_RECOVER,   "sign-recover"),
    (CKA_VERIFY,         "verify"),
    (CKA_VERIFY_RECOVER, "verify-recover"),
    (CKA_WRAP,           "wrap"),
    (CKA_UNWRAP,         "unwrap"),
    (CKA_DERIVE,         "derive"),
];

impl Summary {
    /// Looks at an object; `None` if it was destroyed meanwhile.
    pub(crate) fn of(session: &Session, object: ObjectHandle) -> Result<Option<Summary>> {
        let view = match session.view(object) {
            Ok(view) => view,
            Err(Error::NoSuchObject) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let class = number(&view, CKA_CLASS);
        let key_type = number(&view, CKA_KEY_TYPE);
        let curve = bytes(&view, CKA_EC_PARAMS).and_then(Curve::named_by);
        let is_key = key_type.is_some();
        let mut summary = Summary {
            class: class_name(class),
            kind: curve.map_or_else(|| type_name(key_type), |curve| curve.name.to_owned()),
            size: curve.map(|curve| curve.bits).or_else(|| size(&view)),
            label: text(&view, CKA_LABEL),
            id: bytes(&view, CKA_ID).map(hex::encode).unwrap_or_default(),
            private: flag(&view, CKA_PRIVATE),
            sensitive: flag(&view, CKA_SENSITIVE),
            extractable: flag(&view, CKA_EXTRACTABLE),
            local: flag(&view, CKA_LOCAL),
            uses: USES
                .iter()
                .filter(|(kind, _)| is_key && flag(&view, *kind))
                .map(|(_, word)| *word)
                .collect(),
            uri: String::new(),
        };
        let info = session.partition().info();
        let label = String::from_utf8_lossy(&info.label).trim_end_matches([' ', '\0']).to_owned();
        let token = uri::of_token(&label, &String::from_utf8_lossy(&info.serial));
        summary.uri = uri::of_object(&token, &summary, class);
        Ok(Some(summary))
    }

    /// What is worth a word in a table: who sees it and whether it can leave.
    pub(crate) fn flags(&self) -> String {
        let words = [
            (self.private, "private"),
            (self.sensitive, "sensitive"),
            (self.extractable, "extractable"),
            (self.local, "local"),
        ];
        words.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }
}

/// A boolean attribute; false where the object has none.
pub(crate) fn flag(view: &View, kind: u64) -> bool {
    matches!(view.attribute(kind), Ok(Value::Bool(true)))
}

/// A numeric attribute.
pub(crate) fn number(view: &View, kind: u64) -> Option<u64> {
    match view.attribute(kind) {
        Ok(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

/// A byte string that is no secret, unless it is empty.
pub(crate) fn bytes<'v>(view: &'v View<'_>, kind: u64) -> Option<&'v [u8]> {
    match view.attribute(kind) {
        Ok(Value::Bytes(bytes)) if !bytes.is_empty() => Some(bytes),
        _ => None,
    }
}

fn text(view: &View, kind: u64) -> String {
    String::from_utf8_lossy(bytes(view, kind).unwrap_or_default()).into_owned()
}

/// Of a modulus or prime that is there, or of a secret whose length is.
fn size(view: &View) -> Option<u64> {
    let modulus = || {
        let modulus = bytes(view, CKA_MODULUS).or_else(|| bytes(view, CKA_PRIME))?;
        let whole = u64::try_from(modulus.len()).ok()?.checked_mul(8)?;
        Some(whole.saturating_sub(u64::from(modulus.first()?.leading_zeros())))
    };
    modulus().or_else(|| number(view, CKA_VALUE_LEN)?.checked_mul(8))
}

/// The classes of secret keys.
pub(crate) const SECRETS: [u64; 2] = [CKO_SECRET_KEY, CKO_OTP_KEY];

/// The word for a class.
pub(crate) fn class_name(class: Option<u64>) -> &'static str {
    match class {
        Some(CKO_PUBLIC_KEY) => "public",
        Some(CKO_PRIVATE_KEY) => "private",
        Some(CKO_SECRET_KEY) => "secret",
        Some(CKO_OTP_KEY) => "otp",
        Some(CKO_CERTIFICATE) => "certificate",
        Some(CKO_DATA) => "data",
        Some(CKO_DOMAIN_PARAMETERS) => "parameters",
        _ => "other",
    }
}

/// The word for a key type.
pub(crate) fn type_name(key_type: Option<u64>) -> String {
    let name = match key_type {
        None => "",
        Some(CKK_RSA) => "rsa",
        Some(CKK_DSA) => "dsa",
        Some(CKK_DH) => "dh",
        Some(CKK_EC) => "ec",
        Some(CKK_EC_EDWARDS) => "edwards",
        Some(CKK_EC_MONTGOMERY) => "montgomery",
        Some(CKK_AES) => "aes",
        Some(CKK_GENERIC_SECRET) => "generic",
        Some(CKK_HOTP) => "hotp",
        Some(CKK_SHA_1_HMAC) => "hmac-sha1",
        Some(CKK_SHA224_HMAC) => "hmac-sha224",
        Some(CKK_SHA256_HMAC) => "hmac-sha256",
        Some(CKK_SHA384_HMAC) => "hmac-sha384",
        Some(CKK_SHA512_HMAC) => "hmac-sha512",
        Some(other) => return format!("{other:#x}"),
    };
    name.to_owned()
}
