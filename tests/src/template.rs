//! Templates: lists of attributes with their values as bytes, written with [`attrs!`](crate::attrs).

use std::ffi::c_void;

use cryptoki_sys::*;

/// A list of attributes with owned values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>);

/// Writes a template: `attrs![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_LABEL => "name"]`.
#[macro_export]
macro_rules! attrs {
    ($($kind:expr => $value:expr),* $(,)?) => {
        $crate::template::Template(vec![$(($kind, $crate::template::Value::bytes(&$value))),*])
    };
}

/// A value that an attribute can have.
pub trait Value {
    /// As it stands in memory.
    fn bytes(&self) -> Vec<u8>;
}

impl Value for bool {
    fn bytes(&self) -> Vec<u8> {
        vec![u8::from(*self)]
    }
}
impl Value for CK_ULONG {
    fn bytes(&self) -> Vec<u8> {
        self.to_ne_bytes().to_vec()
    }
}
impl Value for [CK_ULONG] {
    fn bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }
}
impl<const N: usize> Value for [CK_ULONG; N] {
    fn bytes(&self) -> Vec<u8> {
        self.as_slice().bytes()
    }
}
impl Value for str {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}
impl Value for [u8] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}
impl<const N: usize> Value for [u8; N] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}
impl Value for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}
impl Value for String {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}
impl<T: Value + ?Sized> Value for &T {
    fn bytes(&self) -> Vec<u8> {
        (**self).bytes()
    }
}

impl Template {
    /// Both templates' attributes; where both name one, `more` decides.
    pub fn and(&self, more: Template) -> Template {
        let kept = self.0.iter().filter(|(kind, _)| more.0.iter().all(|(other, _)| other != kind));
        Template(kept.cloned().chain(more.0.iter().cloned()).collect())
    }

    /// The template without an attribute.
    pub fn without(&self, kind: CK_ATTRIBUTE_TYPE) -> Template {
        Template(self.0.iter().filter(|(other, _)| *other != kind).cloned().collect())
    }

    /// The template with an attribute whose value is a template: the array of attributes that `raw` made,
    /// which must outlive its use.
    pub fn nested(self, kind: CK_ATTRIBUTE_TYPE, inner: &[CK_ATTRIBUTE]) -> Template {
        let words = |attribute: &CK_ATTRIBUTE| {
            let address = attribute.pValue.expose_provenance();
            [attribute.type_, ulong(address), attribute.ulValueLen].map(CK_ULONG::to_ne_bytes).concat()
        };
        self.and(Template(vec![(kind, inner.iter().flat_map(words).collect())]))
    }

    /// As C sees it; it points into this template.
    pub fn raw(&self) -> Vec<CK_ATTRIBUTE> {
        self.0.iter().map(|(kind, value)| attribute(*kind, value)).collect()
    }
}

/// One attribute whose value is `value`.
pub fn attribute(kind: CK_ATTRIBUTE_TYPE, value: &[u8]) -> CK_ATTRIBUTE {
    let pointer = if value.is_empty() { std::ptr::null_mut() } else { value.as_ptr().cast_mut() };
    CK_ATTRIBUTE { type_: kind, pValue: pointer.cast::<c_void>(), ulValueLen: ulong(value.len()) }
}

/// One attribute to be written into `buffer`.
pub fn attribute_into(kind: CK_ATTRIBUTE_TYPE, buffer: &mut [u8]) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE { type_: kind, pValue: buffer.as_mut_ptr().cast(), ulValueLen: ulong(buffer.len()) }
}

/// One attribute that only asks for its length.
pub fn attribute_length(kind: CK_ATTRIBUTE_TYPE) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE { type_: kind, pValue: std::ptr::null_mut(), ulValueLen: 0 }
}

/// A length as C counts it.
pub fn ulong(length: usize) -> CK_ULONG {
    CK_ULONG::try_from(length).expect("a length in memory")
}

/// A number out of an attribute's value.
pub fn number(value: &[u8]) -> CK_ULONG {
    CK_ULONG::from_ne_bytes(value.try_into().unwrap_or_else(|_| panic!("{value:?} is not a CK_ULONG")))
}
