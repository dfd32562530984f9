//! An object as the plaintext of a sealed record: its attributes in the order of their numbers, in
//! postcard's encoding. The buffers are wiped.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Object, Template, Value};
use crate::secret::Secret;

/// A value borrowed for writing or reading. New variants go to the end: their places are the format.
#[derive(Serialize, Deserialize)]
enum Stored<'a> {
    Bool(bool),
    Number(u64),
    Bytes(#[serde(borrow)] &'a [u8]),
    Secret(&'a [u8]),
    Numbers(Vec<u64>),
    Date(Option<[u8; 8]>),
    Template(Vec<(u64, Stored<'a>)>),
}

impl<'a> Stored<'a> {
    fn of(value: &'a Value) -> Stored<'a> {
        match value {
            Value::Bool(flag) => Stored::Bool(*flag),
            Value::Number(number) => Stored::Number(*number),
            Value::Bytes(bytes) => Stored::Bytes(bytes),
            Value::Secret(secret) => Stored::Secret(secret.expose()),
            Value::Numbers(numbers) => Stored::Numbers(numbers.clone()),
            Value::Date(date) => Stored::Date(*date),
            Value::Template(template) => {
                Stored::Template(template.iter().map(|(kind, value)| (*kind, Stored::of(value))).collect())
            }
        }
    }

    fn into_value(self) -> Value {
        match self {
            Stored::Bool(flag) => Value::Bool(flag),
            Stored::Number(number) => Value::Number(number),
            Stored::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Stored::Secret(bytes) => Value::Secret(Secret::copy_of(bytes)),
            Stored::Numbers(numbers) => Value::Numbers(numbers),
            Stored::Date(date) => Value::Date(date),
            Stored::Template(template) => Value::Template(read(template)),
        }
    }
}

fn read(stored: Vec<(u64, Stored<'_>)>) -> Template {
    stored.into_iter().map(|(kind, value)| (kind, value.into_value())).collect()
}

/// The object's bytes.
pub(crate) fn encode(object: &Object) -> postcard::Result<Zeroizing<Vec<u8>>> {
    let stored: Vec<_> = object.attributes().map(|(kind, value)| (kind, Stored::of(value))).collect();
    // Sized before it is filled, so that no half-filled buffer is left behind unwiped.
    let size = postcard::experimental::serialized_size(&stored)?;
    let mut out = Zeroizing::new(vec![0; size]);
    postcard::to_slice(&stored, &mut out)?;
    Ok(out)
}

/// The object of these bytes.
pub(crate) fn decode(bytes: &[u8]) -> postcard::Result<Object> {
    let mut object = Object::default();
    for (kind, value) in read(postcard::from_bytes(bytes)?) {
        object.set(kind, value);
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_comes_back_as_it_was() {
        let mut object = Object::default();
        let nested = vec![(3, Value::Bytes(b"x".to_vec())), (2, Value::Bool(false))];
        for (kind, value) in [
            (1, Value::Bool(true)),
            (2, Value::Number(u64::MAX)),
            (3, Value::Bytes(vec![])),
            (4, Value::Secret(Secret::copy_of(b"hush"))),
            (5, Value::Numbers(vec![1, 2])),
            (6, Value::Date(Some(*b"20260101"))),
            (7, Value::Template(nested)),
        ] {
            object.set(kind, value);
        }
        let decoded = decode(&encode(&object).unwrap()).unwrap();
        assert!(object.attributes().zip(decoded.attributes()).all(|(a, b)| a.0 == b.0 && a.1.equals(b.1)));
        assert!(matches!(decoded.get(4), Some(Value::Secret(_))));
    }
}
