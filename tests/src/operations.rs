//! What a session does with keys: the running operations and key management. Each running operation
//! has its C functions as they are, and one function that does all of it.

use cryptoki_sys::*;

use crate::function;
use crate::mechanism::Mech;
use crate::raw::{Arg, Function};
use crate::rv::Rv;
use crate::session::{Object, Session, valid};
use crate::template::{Template, ulong};

/// Where output goes.
#[derive(Debug)]
pub enum Out<'a> {
    /// Only the length is asked: a null pointer.
    Length,
    /// Into this buffer.
    Buffer(&'a mut [u8]),
}

/// The four functions of one kind of running operation.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Starts it.
    pub init: Function,
    /// All in one part.
    pub once: Function,
    /// One part of several.
    pub update: Function,
    /// Ends it.
    pub last: Function,
}

macro_rules! kind {
    ($init:ident $once:ident $update:ident $last:ident) => {
        Kind {
            init: function!($init),
            once: function!($once),
            update: function!($update),
            last: function!($last),
        }
    };
}

/// Encryption.
pub const ENCRYPT: Kind = kind!(C_EncryptInit C_Encrypt C_EncryptUpdate C_EncryptFinal);
/// Decryption.
pub const DECRYPT: Kind = kind!(C_DecryptInit C_Decrypt C_DecryptUpdate C_DecryptFinal);
/// Digests; they take no key.
pub const DIGEST: Kind = kind!(C_DigestInit C_Digest C_DigestUpdate C_DigestFinal);
/// Signatures and MACs.
pub const SIGN: Kind = kind!(C_SignInit C_Sign C_SignUpdate C_SignFinal);
/// Their verification; `once` and `last` take a signature instead of giving one.
pub const VERIFY: Kind = kind!(C_VerifyInit C_Verify C_VerifyUpdate C_VerifyFinal);

/// Takes the output of a call that says its length: twice, as hosts do.
pub fn twice(call: impl Fn(Out<'_>) -> Result<usize, Rv>) -> Result<Vec<u8>, Rv> {
    let mut bytes = vec![0; call(Out::Length)?];
    let length = call(Out::Buffer(&mut bytes))?;
    assert!(length <= bytes.len(), "more bytes than the first call said");
    bytes.truncate(length);
    Ok(bytes)
}

impl Session<'_> {
    /// A call whose last two arguments are a buffer and its length.
    pub fn output(&self, function: Function, args: &[Arg<'_>], out: Out<'_>) -> Result<usize, Rv> {
        let (pointer, mut length) = match out {
            Out::Length => (Arg::NULL, 0),
            Out::Buffer(buffer) => {
                let length = CK_ULONG::try_from(buffer.len()).expect("a length");
                (Arg::from(buffer), length)
            }
        };
        let tail = [pointer, (&mut length).into()];
        let all: Vec<Arg<'_>> = args.iter().copied().chain(tail).collect();
        self.call(function, &all)?;
        Ok(usize::try_from(length).expect("a length"))
    }

    /// C_XxxInit with a key. (Digests: [`Session::digest_init`].)
    pub fn init(&self, kind: Kind, mech: &Mech, key: Object) -> Result<(), Rv> {
        self.call(kind.init, &[(&mech.raw()).into(), key.into()])
    }

    /// C_DigestInit.
    pub fn digest_init(&self, mech: &Mech) -> Result<(), Rv> {
        self.call(DIGEST.init, &[(&mech.raw()).into()])
    }

    /// C_Encrypt, C_Decrypt, C_Digest or C_Sign.
    pub fn once(&self, kind: Kind, data: &[u8], out: Out<'_>) -> Result<usize, Rv> {
        self.output(kind.once, &[data.into(), data.len().into()], out)
    }

    /// C_EncryptUpdate or C_DecryptUpdate.
    pub fn update_into(&self, kind: Kind, data: &[u8], out: Out<'_>) -> Result<usize, Rv> {
        self.output(kind.update, &[data.into(), data.len().into()], out)
    }

    /// C_DigestUpdate, C_SignUpdate or C_VerifyUpdate.
    pub fn update(&self, kind: Kind, data: &[u8]) -> Result<(), Rv> {
        self.call(kind.update, &[data.into(), data.len().into()])
    }

    /// C_EncryptFinal, C_DecryptFinal, C_DigestFinal or C_SignFinal.
    pub fn last(&self, kind: Kind, out: Out<'_>) -> Result<usize, Rv> {
        self.output(kind.last, &[], out)
    }

    /// C_Verify.
    pub fn verify_once(&self, data: &[u8], signature: &[u8]) -> Result<(), Rv> {
        let args = [data.into(), data.len().into(), signature.into(), signature.len().into()];
        self.call(VERIFY.once, &args)
    }

    /// C_VerifyFinal.
    pub fn verify_last(&self, signature: &[u8]) -> Result<(), Rv> {
        self.call(VERIFY.last, &[signature.into(), signature.len().into()])
    }

    /// Encrypts in one part.
    pub fn encrypt(&self, mech: &Mech, key: Object, data: &[u8]) -> Result<Vec<u8>, Rv> {
        self.init(ENCRYPT, mech, key)?;
        twice(|out| self.once(ENCRYPT, data, out))
    }

    /// Decrypts in one part.
    pub fn decrypt(&self, mech: &Mech, key: Object, data: &[u8]) -> Result<Vec<u8>, Rv> {
        self.init(DECRYPT, mech, key)?;
        twice(|out| self.once(DECRYPT, data, out))
    }

    /// Encrypts or decrypts in several parts.
    pub fn cipher_parts(&self, kind: Kind, mech: &Mech, key: Object, parts: &[&[u8]]) -> Result<Vec<u8>, Rv> {
        self.init(kind, mech, key)?;
        let mut all = Vec::new();
        for part in parts {
            all.extend(twice(|out| self.update_into(kind, part, out))?);
        }
        all.extend(twice(|out| self.last(kind, out))?);
        Ok(all)
    }

    /// Digests in one part.
    pub fn digest(&self, mech: &Mech, data: &[u8]) -> Result<Vec<u8>, Rv> {
        self.digest_init(mech)?;
        twice(|out| self.once(DIGEST, data, out))
    }

    /// Digests in several parts.
    pub fn digest_parts(&self, mech: &Mech, parts: &[&[u8]]) -> Result<Vec<u8>, Rv> {
        self.digest_init(mech)?;
        for part in parts {
            self.update(DIGEST, part)?;
        }
        twice(|out| self.last(DIGEST, out))
    }

    /// Signs in one part.
    pub fn sign(&self, mech: &Mech, key: Object, data: &[u8]) -> Result<Vec<u8>, Rv> {
        self.init(SIGN, mech, key)?;
        twice(|out| self.once(SIGN, data, out))
    }

    /// Signs in several parts.
    pub fn sign_parts(&self, mech: &Mech, key: Object, parts: &[&[u8]]) -> Result<Vec<u8>, Rv> {
        self.init(SIGN, mech, key)?;
        for part in parts {
            self.update(SIGN, part)?;
        }
        twice(|out| self.last(SIGN, out))
    }

    /// Verifies in one part.
    pub fn verify(&self, mech: &Mech, key: Object, data: &[u8], signature: &[u8]) -> Result<(), Rv> {
        self.init(VERIFY, mech, key)?;
        self.verify_once(data, signature)
    }

    /// Verifies in several parts.
    pub fn verify_parts(
        &self,
        mech: &Mech,
        key: Object,
        parts: &[&[u8]],
        signature: &[u8],
    ) -> Result<(), Rv> {
        self.init(VERIFY, mech, key)?;
        for part in parts {
            self.update(VERIFY, part)?;
        }
        self.verify_last(signature)
    }

    /// C_GenerateKey.
    pub fn generate(&self, mech: &Mech, template: &Template) -> Result<Object, Rv> {
        let template = template.raw();
        let mut key = CK_INVALID_HANDLE;
        let raw = mech.raw();
        let args = [(&raw).into(), template.as_slice().into(), template.len().into(), (&mut key).into()];
        self.call(function!(C_GenerateKey), &args)?;
        Ok(valid(key))
    }

    /// C_GenerateKeyPair: the public key, then the private key.
    pub fn generate_pair(
        &self,
        mech: &Mech,
        public: &Template,
        private: &Template,
    ) -> Result<(Object, Object), Rv> {
        let (public, private) = (public.raw(), private.raw());
        let (mut public_key, mut private_key) = (CK_INVALID_HANDLE, CK_INVALID_HANDLE);
        let raw = mech.raw();
        let args = [
            (&raw).into(),
            public.as_slice().into(),
            public.len().into(),
            private.as_slice().into(),
            private.len().into(),
            (&mut public_key).into(),
            (&mut private_key).into(),
        ];
        self.call(function!(C_GenerateKeyPair), &args)?;
        Ok((valid(public_key), valid(private_key)))
    }

    /// C_WrapKey as it is.
    pub fn wrap_into(&self, mech: &Mech, wrapping: Object, key: Object, out: Out<'_>) -> Result<usize, Rv> {
        let raw = mech.raw();
        let args = [(&raw).into(), wrapping.into(), key.into()];
        self.output(function!(C_WrapKey), &args, out)
    }

    /// C_WrapKey, by the two-call rule.
    pub fn wrap(&self, mech: &Mech, wrapping: Object, key: Object) -> Result<Vec<u8>, Rv> {
        twice(|out| self.wrap_into(mech, wrapping, key, out))
    }

    /// C_UnwrapKey.
    pub fn unwrap(
        &self,
        mech: &Mech,
        unwrapping: Object,
        wrapped: &[u8],
        template: &Template,
    ) -> Result<Object, Rv> {
        let template = template.raw();
        let mut key = CK_INVALID_HANDLE;
        let raw = mech.raw();
        let args = [
            (&raw).into(),
            unwrapping.into(),
            wrapped.into(),
            wrapped.len().into(),
            template.as_slice().into(),
            template.len().into(),
            (&mut key).into(),
        ];
        self.call(function!(C_UnwrapKey), &args)?;
        Ok(valid(key))
    }

    /// C_DeriveKey for mechanisms that put their keys elsewhere: no place for a handle is given.
    pub fn derive_without_handle(&self, mech: &Mech, base: Object, template: &Template) -> Result<(), Rv> {
        let (template, raw) = (template.raw(), mech.raw());
        let args = [(&raw).into(), base.into(), template.as_slice().into(), template.len().into(), Arg::NULL];
        self.call(function!(C_DeriveKey), &args)
    }

    /// C_DeriveKey.
    pub fn derive(&self, mech: &Mech, base: Object, template: &Template) -> Result<Object, Rv> {
        let template = template.raw();
        let mut key = CK_INVALID_HANDLE;
        let raw = mech.raw();
        let args = [
            (&raw).into(),
            base.into(),
            template.as_slice().into(),
            template.len().into(),
            (&mut key).into(),
        ];
        self.call(function!(C_DeriveKey), &args)?;
        Ok(valid(key))
    }

    /// C_EncapsulateKey as it is: the ciphertext's length, and the key, where one was made.
    pub fn encapsulate_into(
        &self,
        mech: &Mech,
        public: Object,
        template: &Template,
        out: Out<'_>,
    ) -> Result<(usize, Option<Object>), Rv> {
        let template = template.raw();
        let raw = mech.raw();
        let mut key = CK_INVALID_HANDLE;
        let (buffer, mut length) = match out {
            Out::Length => (Arg::NULL, 0),
            Out::Buffer(buffer) => {
                let length = ulong(buffer.len());
                (buffer.into(), length)
            }
        };
        let args = [
            (&raw).into(),
            public.into(),
            template.as_slice().into(),
            template.len().into(),
            buffer,
            (&mut length).into(),
            (&mut key).into(),
        ];
        self.call(function!(C_EncapsulateKey), &args)?;
        let length = usize::try_from(length).expect("a length");
        Ok((length, (key != CK_INVALID_HANDLE).then_some(key)))
    }

    /// C_EncapsulateKey, by the two-call rule: the ciphertext and the key.
    pub fn encapsulate(
        &self,
        mech: &Mech,
        public: Object,
        template: &Template,
    ) -> Result<(Vec<u8>, Object), Rv> {
        let (length, _) = self.encapsulate_into(mech, public, template, Out::Length)?;
        let mut ciphertext = vec![0; length];
        let (written, key) = self.encapsulate_into(mech, public, template, Out::Buffer(&mut ciphertext))?;
        assert_eq!(written, length, "the two calls disagree");
        Ok((ciphertext, key.expect("a key with its ciphertext")))
    }

    /// C_DecapsulateKey.
    pub fn decapsulate(
        &self,
        mech: &Mech,
        private: Object,
        template: &Template,
        ciphertext: &[u8],
    ) -> Result<Object, Rv> {
        let template = template.raw();
        let raw = mech.raw();
        let mut key = CK_INVALID_HANDLE;
        let args = [
            (&raw).into(),
            private.into(),
            template.as_slice().into(),
            template.len().into(),
            ciphertext.into(),
            ciphertext.len().into(),
            (&mut key).into(),
        ];
        self.call(function!(C_DecapsulateKey), &args)?;
        Ok(valid(key))
    }
}
