//! What a key may be used for, said two ways: PKCS #11's flags, each an attribute, and KMIP's
//! Cryptographic Usage Mask (KMIP 1.4, section 3.19 and 9.1.3.3.1). The flags decide; a mask as it
//! was given is kept beside them for the bits that no flag has.

use cryptoki_sys::*;

use super::managed::SOFTHSM_RS_USAGE_MASK;
use super::{Object, Value, rules};

/// The bits of the mask that have a flag.
#[rustfmt::skip]
const BITS: [(u32, u64); 10] = [
    (0x001, CKA_SIGN),
    (0x002, CKA_VERIFY),
    (0x004, CKA_ENCRYPT),
    (0x008, CKA_DECRYPT),
    (0x010, CKA_WRAP),
    (0x020, CKA_UNWRAP),
    (0x080, CKA_SIGN),    // MAC Generate
    (0x100, CKA_VERIFY),  // MAC Verify
    (0x200, CKA_DERIVE),
    (0x800, CKA_DERIVE),  // Key Agreement
];

/// The bit for keys that sign certificates.
pub const CERTIFICATE_SIGN: u32 = 0x1000;

/// The object's usage mask: what was given, less what flags that were changed since forbid, and with
/// what they allow.
pub fn of(object: &Object) -> u32 {
    let given = object.number(SOFTHSM_RS_USAGE_MASK).and_then(|mask| u32::try_from(mask).ok());
    BITS.iter().fold(given.unwrap_or_default(), |mask, (bit, flag)| match object.get(*flag) {
        Some(Value::Bool(false)) => mask & !bit,
        // Of two bits with one flag, either says that it is set.
        Some(Value::Bool(true)) if mask & bits_of(*flag) == 0 => mask | bit,
        _ => mask,
    })
}

/// Whether the usage mask has any of these bits, as [`of`] would tell.
pub fn has(object: &Object, bits: u32) -> bool {
    let given = object.number(SOFTHSM_RS_USAGE_MASK).and_then(|mask| u32::try_from(mask).ok());
    let given = given.unwrap_or_default();
    let mut flagless = bits;
    for (bit, flag) in BITS.into_iter().filter(|(bit, _)| bits & bit != 0) {
        flagless &= !bit;
        let is_set = match object.get(flag) {
            Some(Value::Bool(false)) => false,
            Some(Value::Bool(true)) if given & bits_of(flag) == 0 => bit == first_of(flag),
            _ => given & bit != 0,
        };
        if is_set {
            return true;
        }
    }
    given & flagless != 0
}

/// The bit that stands for a flag of which no mask spoke.
fn first_of(flag: u64) -> u32 {
    BITS.iter().find(|(_, own)| *own == flag).map_or(0, |(bit, _)| *bit)
}

fn bits_of(flag: u64) -> u32 {
    BITS.iter().filter(|(_, own)| *own == flag).fold(0, |bits, (bit, _)| bits | bit)
}

/// Sets mask and flags of an object.
pub fn set(object: &mut Object, mask: u32) {
    object.set(SOFTHSM_RS_USAGE_MASK, Value::Number(u64::from(mask)));
    for (_, flag) in BITS {
        if rules::row(flag, object.class(), object.key_type()).is_some() {
            object.set(flag, Value::Bool(mask & bits_of(flag) != 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret_key() -> Object {
        let mut object = Object::default();
        object.set(CKA_CLASS, Value::Number(CKO_SECRET_KEY));
        object.set(CKA_KEY_TYPE, Value::Number(CKK_AES));
        object
    }

    #[test]
    fn a_mask_sets_the_flags_that_the_class_has_and_comes_back() {
        let mut object = secret_key();
        set(&mut object, 0x4 | 0x80 | 0x40);
        assert!(object.flag(CKA_ENCRYPT) && object.flag(CKA_SIGN));
        assert!(!object.flag(CKA_DECRYPT) && !object.flag(CKA_VERIFY));
        assert_eq!(of(&object), 0x4 | 0x80 | 0x40);
        let mut public = Object::default();
        public.set(CKA_CLASS, Value::Number(CKO_PUBLIC_KEY));
        public.set(CKA_KEY_TYPE, Value::Number(CKK_RSA));
        set(&mut public, 0x1 | 0x2);
        assert!(public.get(CKA_SIGN).is_none(), "a public key has no CKA_SIGN");
        assert_eq!(of(&public), 0x3);
    }

    #[test]
    fn one_bit_is_there_if_it_is_in_the_whole_mask() {
        let mut object = secret_key();
        for mask in [0, 0x1, 0x80, 0x81, 0xc, 0x1000, 0xfff] {
            set(&mut object, mask);
            for flags in [None, Some(false), Some(true)] {
                for flag in [CKA_SIGN, CKA_DECRYPT] {
                    let mut object = object.duplicate();
                    if let Some(set) = flags {
                        object.set(flag, Value::Bool(set));
                    }
                    for bit in (0..14).map(|place| 1 << place) {
                        let whole = of(&object) & bit != 0;
                        assert_eq!(has(&object, bit), whole, "{mask:x} {flags:?} {bit:x}");
                    }
                }
            }
        }
    }

    #[test]
    fn flags_that_change_change_the_mask() {
        let mut object = secret_key();
        set(&mut object, 0xc);
        object.set(CKA_DECRYPT, Value::Bool(false));
        object.set(CKA_WRAP, Value::Bool(true));
        assert_eq!(of(&object), 0x14);
    }

    #[test]
    fn flags_alone_make_a_mask() {
        let mut object = secret_key();
        object.set(CKA_ENCRYPT, Value::Bool(true));
        object.set(CKA_SIGN, Value::Bool(true));
        assert_eq!(of(&object), 0x5);
    }
}
