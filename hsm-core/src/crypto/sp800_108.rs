//! NIST SP 800-108 with any input of its pseudorandom function, and for several keys at once, as PKCS #11 has it
//! (3.2, section 6.42). [`super::derive_by_sp800_108`] is the form that KMIP knows.

use zeroize::Zeroizing;

use super::{Iteration, LONGEST_DERIVED, Prf};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// One part of what the pseudorandom function is given in each iteration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field<'a> {
    /// What the iteration before gave: K(i − 1) of the feedback mode, A(i) of the double pipeline.
    Chain,
    /// The number of the iteration, from 1.
    Counter(Number),
    /// The length in bits of what is derived.
    Length(Number, Extent),
    /// Label, context, and whatever else both sides agree on.
    Bytes(&'a [u8]),
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number {
    /// Its lowest byte comes first.
    pub little_endian: bool,
    /// Its length in bytes, 1 to 8.
    pub bytes: usize,
}

/// What [`Field::Length`] counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// The keys.
    Keys,
    /// The outputs of the pseudorandom function that were needed for them.
    Segments,
}

impl Number {
    fn write(self, number: u64, out: &mut Vec<u8>) -> Result<()> {
        let all = number.to_be_bytes();
        let (left_out, kept) =
            all.split_at_checked(all.len().saturating_sub(self.bytes)).ok_or(Error::DataLength)?;
        if left_out.iter().any(|byte| *byte != 0) {
            return Err(Error::DataLength);
        }
        match self.little_endian {
            false => out.extend_from_slice(kept),
            true => out.extend(kept.iter().rev()),
        }
        Ok(())
    }
}

/// Keys of so many bytes each, every one from iterations of its own.
///
/// # Errors
/// [`Error::DataLength`] for lengths of 0, of more than [`LONGEST_DERIVED`] together, and of more iterations than
/// the counter can number; those of the key.
pub fn derive_keys_by_sp800_108(
    prf: Prf,
    mode: Iteration<'_>,
    key: &[u8],
    fields: &[Field<'_>],
    lengths: &[usize],
) -> Result<Vec<Secret>> {
    let size = prf.begin(key)?.len();
    let total = lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length));
    if lengths.contains(&0) || total > LONGEST_DERIVED {
        return Err(Error::DataLength);
    }
    let segments: usize = lengths.iter().map(|length| length.div_ceil(size)).sum();
    let bits = |extent| match extent {
        Extent::Keys => 8 * total as u64,
        Extent::Segments => 8 * segments as u64 * size as u64,
    };
    let input = |chain: &[u8], counter: Option<u64>| -> Result<Zeroizing<Vec<u8>>> {
        let mut input = Zeroizing::new(Vec::new());
        for field in fields {
            match (*field, counter) {
                (Field::Chain, Some(_)) => input.extend_from_slice(chain),
                (Field::Counter(number), Some(counter)) => number.write(counter, &mut input)?,
                // They are no part of A(0).
                (Field::Chain | Field::Counter(_), None) => {}
                (Field::Length(number, extent), _) => number.write(bits(extent), &mut input)?,
                (Field::Bytes(bytes), _) => input.extend_from_slice(bytes),
            }
        }
        Ok(input)
    };
    let mut chain = match mode {
        Iteration::Counter => Zeroizing::default(),
        Iteration::Feedback { iv } => Zeroizing::new(iv.to_vec()),
        Iteration::DoublePipeline => prf.of(key, &[&input(&[], None)?])?,
    };
    let mut counters = 1_u64..;
    let mut keys = Vec::new();
    for length in lengths {
        let mut out = Secret::zeroed(*length);
        for (chunk, counter) in out.expose_mut().chunks_mut(size).zip(counters.by_ref()) {
            let block = prf.of(key, &[&input(&chain, Some(counter))?])?;
            chunk.copy_from_slice(block.get(..chunk.len()).unwrap_or_default());
            match mode {
                Iteration::Counter => {}
                Iteration::Feedback { .. } => chain = block,
                Iteration::DoublePipeline => chain = prf.of(key, &[&chain])?,
            }
        }
        keys.push(out);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Hash, derive_by_sp800_108};

    const SHA256: Prf = Prf::Hmac(Hash::Sha256);
    const FOUR: Number = Number { little_endian: false, bytes: 4 };

    fn one(mode: Iteration<'_>, fields: &[Field<'_>], length: usize) -> Vec<u8> {
        let keys = derive_keys_by_sp800_108(SHA256, mode, b"key", fields, &[length]).unwrap();
        keys[0].expose().to_vec()
    }

    /// NIST's KDFCTR_gen: HMAC_SHA256, the counter of 8 bits before the fixed data, the first case.
    #[test]
    fn counter_mode_of_nist() {
        let key = hex::decode("3edc6b5b8f7aadbd713732b482b8f979286e1ea3b8f8f99c30c884cfe3349b83").unwrap();
        let fixed = hex::decode(concat!(
            "98e9988bb4cc8b34d7922e1c68ad692ba2a1d9ae15149571675f17a77ad49e80",
            "c8d2a85e831a26445b1f0ff44d7084a17206b4896c8112daad18605a"
        ))
        .unwrap();
        let fields = [Field::Counter(Number { little_endian: false, bytes: 1 }), Field::Bytes(&fixed)];
        let keys = derive_keys_by_sp800_108(SHA256, Iteration::Counter, &key, &fields, &[16]).unwrap();
        assert_eq!(hex::encode(keys[0].expose()), "6c037652990674a07844732d0ad985f9");
    }

    #[test]
    fn the_modes_are_those_of_the_other_form() {
        let iv = Iteration::Feedback { iv: b"iv" };
        for mode in [Iteration::Counter, iv, Iteration::DoublePipeline] {
            let fields = [Field::Chain, Field::Counter(FOUR), Field::Bytes(b"fixed")];
            let expected = derive_by_sp800_108(SHA256, mode, b"key", b"fixed", 70).unwrap();
            assert!(expected.equals(&one(mode, &fields, 70)), "{mode:?}");
        }
    }

    #[test]
    fn each_key_begins_with_an_iteration_of_its_own() {
        let fields = [Field::Counter(FOUR), Field::Bytes(b"fixed")];
        let stream = one(Iteration::Counter, &fields, 96);
        let keys = derive_keys_by_sp800_108(SHA256, Iteration::Counter, b"key", &fields, &[48, 16]).unwrap();
        assert_eq!((keys[0].expose(), keys[1].expose()), (&stream[..48], &stream[64..80]));
    }

    #[test]
    fn lengths_are_those_of_keys_or_of_segments() {
        let two = Number { little_endian: true, bytes: 2 };
        for (extent, bits) in [(Extent::Keys, 512_u16), (Extent::Segments, 768)] {
            let fields = [Field::Counter(FOUR), Field::Length(two, extent)];
            let keys =
                derive_keys_by_sp800_108(SHA256, Iteration::Counter, b"key", &fields, &[48, 16]).unwrap();
            let bytes = bits.to_le_bytes();
            let said = [Field::Counter(FOUR), Field::Bytes(&bytes)];
            assert_eq!(keys[0].expose(), one(Iteration::Counter, &said, 48));
        }
    }

    #[test]
    fn what_the_counter_cannot_number_is_refused() {
        let fields = [Field::Counter(Number { little_endian: false, bytes: 1 })];
        let derive = |lengths: &[usize]| {
            derive_keys_by_sp800_108(SHA256, Iteration::Counter, b"key", &fields, lengths)
                .map(|keys| keys.len())
        };
        assert!(derive(&[255 * 32]).is_ok());
        for lengths in [&[255 * 32 + 1][..], &[0], &[16, 0], &[LONGEST_DERIVED, 1]] {
            assert!(matches!(derive(lengths), Err(Error::DataLength)), "{lengths:?}");
        }
    }
}
