//! Digests whose state can be saved and taken up again, which AWS-LC has not.

use digest::common::hazmat::{SerializableState, SerializedState};
use digest::{FixedOutput, Update};

use super::hashes::Running;
use crate::crypto::{Hash, SavableDigest};

/// Evaluates `Some($body)` with `$name` standing for the type of `$hash`; `None` for a hash without a state to save.
macro_rules! with_state {
    (@ $hash:expr, $name:ident => $body:expr, $($variant:ident $type:ty;)*) => {
        match $hash {
            $(Hash::$variant => {
                type $name = $type;
                Some($body)
            })*
            _ => None,
        }
    };
    ($hash:expr, $name:ident => $body:expr) => {
        with_state!(@ $hash, $name => $body,
            Sha1 sha1::Sha1;
            Sha224 sha2::Sha224;
            Sha256 sha2::Sha256;
            Sha384 sha2::Sha384;
            Sha512 sha2::Sha512;
            Sha512_224 sha2::Sha512_224;
            Sha512_256 sha2::Sha512_256;
            Sha3_224 sha3::Sha3_224;
            Sha3_256 sha3::Sha3_256;
            Sha3_384 sha3::Sha3_384;
            Sha3_512 sha3::Sha3_512;
        )
    };
}

/// A fresh digest.
pub(in crate::crypto) fn digest(hash: Hash) -> Option<Box<dyn SavableDigest>> {
    let boxed: Option<Box<dyn SavableDigest>> = with_state!(hash, H => Box::new(Running::new(H::default())));
    boxed
}

/// A digest that goes on from a state; `None` for what is none of this hash's.
pub(in crate::crypto) fn restored(hash: Hash, state: &[u8]) -> Option<Box<dyn SavableDigest>> {
    with_state!(hash, H => restore::<H>(state)).flatten()
}

fn restore<H>(state: &[u8]) -> Option<Box<dyn SavableDigest>>
where
    H: Update + FixedOutput + SerializableState + Send + 'static,
{
    let state = SerializedState::<H>::try_from(state).ok()?;
    Some(Box::new(Running::new(H::deserialize(&state).ok()?)))
}

impl<H: Update + FixedOutput + SerializableState + Send> SavableDigest for Running<H> {
    fn save(&self) -> Option<Vec<u8>> {
        Some(self.state()?.serialize().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_goes_on_from_its_state_as_if_nothing_had_been() {
        let mut hashes = 0;
        for hash in Hash::ALL {
            let Some(mut first) = digest(hash) else { continue };
            for length in [0, 1, 63, 64, 65, 135, 136, 200] {
                first.update(&vec![length as u8; length]).unwrap();
                let state = first.save().unwrap();
                let mut second = restored(hash, &state).unwrap();
                let mut again = restored(hash, &state).unwrap();
                second.update(b"rest").unwrap();
                again.update(b"rest").unwrap();
                let (mut one, mut two) = (vec![0; hash.len()], vec![0; hash.len()]);
                second.finish(&mut one).unwrap();
                again.finish(&mut two).unwrap();
                assert_eq!(one, two, "{hash:?}");
                assert!(restored(hash, &state[1..]).is_none());
            }
            hashes += 1;
        }
        assert_eq!(hashes, 11);
    }

    #[test]
    fn nothing_is_left_of_a_digest_that_is_used_up() {
        let mut digest = digest(Hash::Sha256).unwrap();
        digest.finish(&mut [0; 32]).unwrap();
        assert!(digest.save().is_none());
    }
}
