//! The public key that belongs to a private one. PKCS #11 3.2, section 6.43.8.

use cryptoki_sys::*;

use crate::error::{Error, Result};
use crate::mechanism::table::Row;
use crate::mechanism::usage;
use crate::object::formats::{self, Format};
use crate::object::material::Key;
use crate::object::template::{self, Origin, build};
use crate::object::{Object, Template, Value, values};
use crate::session::{ObjectHandle, Session};

/// What a public key is for, where its template does not say it, by what the private key is for. The standard leaves
/// the last one out.
const USES: [(u64, u64); 6] = [
    (CKA_ENCRYPT, CKA_DECRYPT),
    (CKA_VERIFY, CKA_SIGN),
    (CKA_VERIFY_RECOVER, CKA_SIGN_RECOVER),
    (CKA_WRAP, CKA_UNWRAP),
    (CKA_DERIVE, CKA_DERIVE),
    (CKA_ENCAPSULATE, CKA_DECAPSULATE),
];

/// What a public key has from the private key, where its template does not say it.
const COPIED: [u64; 5] = [CKA_ID, CKA_START_DATE, CKA_END_DATE, CKA_SUBJECT, CKA_ALLOWED_MECHANISMS];

impl Session {
    /// The public key, not stored yet. The private key needs no CKA_DERIVE: nothing secret comes of it.
    pub(super) fn published(&self, row: &Row, private: ObjectHandle, mut template: Template) -> Result<Key> {
        let private = self.key(private)?;
        usage::check_publishing(row, &private.key)?;
        let private = private.object();
        template::impose(private.get(CKA_DERIVE_TEMPLATE), &mut template)?;
        template::impose(Some(&Value::Template(known(private)?)), &mut template)?;
        template.extend(defaults(private, &template));
        let key_type = private.key_type();
        let mut public = build(Origin::Derive(private), CKO_PUBLIC_KEY, key_type, template, self.author()?)?;
        self.may_change(public.is_token(), public.is_private())?;
        let made_by = private.number(CKA_KEY_GEN_MECHANISM).unwrap_or(CK_UNAVAILABLE_INFORMATION);
        public.set(CKA_KEY_GEN_MECHANISM, Value::Number(made_by));
        values::settle(public)
    }
}

/// Class, key type and value: a template may say them too, if it says the same. The value is in the private key's
/// CKA_PUBLIC_KEY_INFO, which every private key has.
fn known(private: &Object) -> Result<Template> {
    let mut known = formats::public_key(Format::X509, private.bytes(CKA_PUBLIC_KEY_INFO))
        .map_err(|_| Error::KeyTypeInconsistent)?;
    known.push((CKA_CLASS, Value::Number(CKO_PUBLIC_KEY)));
    // The curve as the private key names it, whose pair is then the same as one that was generated.
    for (kind, value) in &mut known {
        if *kind == CKA_EC_PARAMS {
            *value = Value::Bytes(private.bytes(CKA_EC_PARAMS).to_vec());
        }
    }
    Ok(known)
}

/// What the standard says of attributes that the template leaves out, where it is not what any public key has.
fn defaults(private: &Object, template: &Template) -> Template {
    let uses = USES.iter().map(|(own, of_private)| (*own, Value::Bool(private.flag(*of_private))));
    let copied = COPIED.iter().filter_map(|kind| Some((*kind, private.get(*kind)?.duplicate())));
    let all = uses.chain(copied).chain([(CKA_DESTROYABLE, Value::Bool(false))]);
    all.filter(|(kind, _)| template.iter().all(|(given, _)| given != kind)).collect()
}
