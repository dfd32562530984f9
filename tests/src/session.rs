//! A session: its state, login, and objects. What is done with keys is in [`crate::operations`].

use cryptoki_sys::*;

use crate::function;
use crate::module::Module;
use crate::raw::{Arg, Function};
use crate::rv::Rv;
use crate::template::{Template, attribute_into, attribute_length, number, ulong};

/// An object handle.
pub type Object = CK_OBJECT_HANDLE;

/// A session handle of a module. It stays open when dropped, as C's handles do.
#[derive(Clone, Copy)]
pub struct Session<'m> {
    /// The module it belongs to.
    pub module: &'m Module,
    /// Its handle.
    pub handle: CK_SESSION_HANDLE,
}

impl<'m> Session<'m> {
    /// A session by its number, valid or not.
    pub fn at(module: &'m Module, handle: CK_SESSION_HANDLE) -> Session<'m> {
        Session { module, handle }
    }

    /// Calls a function whose first argument is the session.
    pub fn call(&self, function: Function, args: &[Arg<'_>]) -> Result<(), Rv> {
        let all: Vec<Arg<'_>> = std::iter::once(self.handle.into()).chain(args.iter().copied()).collect();
        self.module.call(function, &all)
    }

    /// C_CloseSession.
    pub fn close(&self) -> Result<(), Rv> {
        self.call(function!(C_CloseSession), &[])
    }

    /// C_GetSessionInfo.
    pub fn info(&self) -> Result<CK_SESSION_INFO, Rv> {
        let mut info = CK_SESSION_INFO::default();
        self.call(function!(C_GetSessionInfo), &[(&mut info).into()])?;
        Ok(info)
    }

    /// The session's CKS state.
    pub fn state(&self) -> Result<CK_STATE, Rv> {
        Ok(self.info()?.state)
    }

    /// C_Login.
    pub fn login(&self, user: CK_USER_TYPE, pin: &str) -> Result<(), Rv> {
        let pin = pin.as_bytes();
        self.call(function!(C_Login), &[user.into(), pin.into(), pin.len().into()])
    }

    /// C_Logout.
    pub fn logout(&self) -> Result<(), Rv> {
        self.call(function!(C_Logout), &[])
    }

    /// C_InitPIN.
    pub fn init_pin(&self, pin: &str) -> Result<(), Rv> {
        let pin = pin.as_bytes();
        self.call(function!(C_InitPIN), &[pin.into(), pin.len().into()])
    }

    /// C_SetPIN.
    pub fn set_pin(&self, old: &str, new: &str) -> Result<(), Rv> {
        let (old, new) = (old.as_bytes(), new.as_bytes());
        self.call(function!(C_SetPIN), &[old.into(), old.len().into(), new.into(), new.len().into()])
    }

    /// C_CreateObject.
    pub fn create(&self, template: &Template) -> Result<Object, Rv> {
        let raw = template.raw();
        let mut object = CK_INVALID_HANDLE;
        let args = [raw.as_slice().into(), raw.len().into(), (&mut object).into()];
        self.call(function!(C_CreateObject), &args)?;
        Ok(valid(object))
    }

    /// C_CopyObject.
    pub fn copy(&self, object: Object, template: &Template) -> Result<Object, Rv> {
        let raw = template.raw();
        let mut copy = CK_INVALID_HANDLE;
        let args = [object.into(), raw.as_slice().into(), raw.len().into(), (&mut copy).into()];
        self.call(function!(C_CopyObject), &args)?;
        Ok(valid(copy))
    }

    /// C_DestroyObject.
    pub fn destroy(&self, object: Object) -> Result<(), Rv> {
        self.call(function!(C_DestroyObject), &[object.into()])
    }

    /// C_GetObjectSize.
    pub fn object_size(&self, object: Object) -> Result<CK_ULONG, Rv> {
        let mut size = 0;
        self.call(function!(C_GetObjectSize), &[object.into(), (&mut size).into()])?;
        Ok(size)
    }

    /// C_GetAttributeValue on attributes as they are.
    pub fn attributes(&self, object: Object, attributes: &mut [CK_ATTRIBUTE]) -> Result<(), Rv> {
        let count = attributes.len();
        self.call(function!(C_GetAttributeValue), &[object.into(), attributes.into(), count.into()])
    }

    /// One attribute, by the two-call rule.
    pub fn get(&self, object: Object, kind: CK_ATTRIBUTE_TYPE) -> Result<Vec<u8>, Rv> {
        let mut asked = [attribute_length(kind)];
        self.attributes(object, &mut asked)?;
        let length = asked[0].ulValueLen;
        assert_ne!(length, CK_UNAVAILABLE_INFORMATION, "CKR_OK without a length");
        let mut value = vec![0; usize::try_from(length).expect("a length")];
        let mut asked = [attribute_into(kind, &mut value)];
        self.attributes(object, &mut asked)?;
        assert_eq!(asked[0].ulValueLen, length, "the two calls disagree");
        Ok(value)
    }

    /// One CK_ULONG attribute.
    pub fn number(&self, object: Object, kind: CK_ATTRIBUTE_TYPE) -> Result<CK_ULONG, Rv> {
        Ok(number(&self.get(object, kind)?))
    }

    /// One CK_BBOOL attribute.
    pub fn flag(&self, object: Object, kind: CK_ATTRIBUTE_TYPE) -> Result<bool, Rv> {
        match *self.get(object, kind)? {
            [CK_TRUE] => Ok(true),
            [CK_FALSE] => Ok(false),
            ref other => panic!("attribute {kind:#x} is {other:?}, not a CK_BBOOL"),
        }
    }

    /// C_SetAttributeValue.
    pub fn set(&self, object: Object, template: &Template) -> Result<(), Rv> {
        let raw = template.raw();
        let args = [object.into(), raw.as_slice().into(), raw.len().into()];
        self.call(function!(C_SetAttributeValue), &args)
    }

    /// C_FindObjectsInit.
    pub fn find_init(&self, template: &Template) -> Result<(), Rv> {
        let raw = template.raw();
        self.call(function!(C_FindObjectsInit), &[raw.as_slice().into(), raw.len().into()])
    }

    /// C_FindObjects, at most `max` handles.
    pub fn find_some(&self, max: usize) -> Result<Vec<Object>, Rv> {
        let mut found = vec![CK_INVALID_HANDLE; max];
        let mut count = 0;
        let args = [found.as_mut_slice().into(), max.into(), (&mut count).into()];
        self.call(function!(C_FindObjects), &args)?;
        assert!(count <= ulong(max), "more handles than fit");
        found.truncate(usize::try_from(count).expect("a count"));
        Ok(found)
    }

    /// C_FindObjectsFinal.
    pub fn find_final(&self) -> Result<(), Rv> {
        self.call(function!(C_FindObjectsFinal), &[])
    }

    /// All objects that match.
    pub fn find(&self, template: &Template) -> Result<Vec<Object>, Rv> {
        self.find_init(template)?;
        let mut all = Vec::new();
        loop {
            let some = self.find_some(16)?;
            if some.is_empty() {
                break;
            }
            all.extend(some);
        }
        self.find_final()?;
        Ok(all)
    }

    /// C_GenerateRandom.
    pub fn random(&self, length: usize) -> Result<Vec<u8>, Rv> {
        let mut bytes = vec![0; length];
        self.call(function!(C_GenerateRandom), &[bytes.as_mut_slice().into(), length.into()])?;
        Ok(bytes)
    }

    /// C_SeedRandom.
    pub fn seed(&self, seed: &[u8]) -> Result<(), Rv> {
        self.call(function!(C_SeedRandom), &[seed.into(), seed.len().into()])
    }
}

/// The handle that came with CKR_OK.
pub(crate) fn valid(object: Object) -> Object {
    assert_ne!(object, CK_INVALID_HANDLE, "CKR_OK with an invalid handle");
    object
}
