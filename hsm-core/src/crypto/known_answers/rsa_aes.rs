//! RSA-AES key wrap: wraps that Python's `cryptography` 48 made (OAEP and AES key wrap with padding, which it has
//! apart), and what is refused.

use super::bytes;
use super::rsa::{private_keys, public_keys};
use crate::crypto::{Hash, Oaep, open_rsa_aes, wrap_rsa_aes};
use crate::error::Error;
use crate::secret::Secret;

const fn oaep(hash: Hash, label: &'static [u8]) -> Oaep<'static> {
    Oaep { hash, mgf: hash, label }
}

/// Wrap, parameters, length of the temporary key, and how what is inside begins.
fn vectors() -> [(Vec<u8>, Oaep<'static>, usize, Vec<u8>); 3] {
    [
        (bytes(SECRET_UNDER_128), oaep(Hash::Sha1, b""), 16, (0x40..0x60).collect()),
        (bytes(SECRET_UNDER_192), oaep(Hash::Sha384, b"label"), 24, (0x40..0x60).collect()),
        (bytes(EC_UNDER_256), oaep(Hash::Sha256, b""), 32, bytes("308187020100301306072a8648ce3d0201")),
    ]
}

#[test]
fn what_another_library_wrapped_is_opened() {
    for (name, key) in private_keys() {
        for (wrapped, oaep, length, expected) in vectors() {
            for asked in [Some(length), None] {
                let opened = open_rsa_aes(key.as_ref(), &oaep, asked, &wrapped).unwrap();
                let temporary: Vec<u8> = (0..length as u8).collect();
                assert!(opened.temporary.equals(&temporary), "{name}");
                assert!(opened.content.unwrap().expose().starts_with(&expected), "{name}");
            }
        }
    }
}

#[test]
fn damage_anywhere_opens_nothing() {
    let (_, key) = private_keys().remove(0);
    let (wrapped, oaep, length, _) = vectors().into_iter().next().unwrap();
    let is_opened = |oaep: &Oaep<'_>, length, wrapped: &[u8]| {
        open_rsa_aes(key.as_ref(), oaep, length, wrapped).unwrap().content.is_some()
    };
    assert!(is_opened(&oaep, Some(length), &wrapped));
    for at in [0, 100, 255, 256, 263, 264, wrapped.len() - 1] {
        let mut damaged = wrapped.clone();
        damaged[at] ^= 1;
        assert!(!is_opened(&oaep, Some(length), &damaged), "byte {at}");
    }
    for end in [0, 1, 255, 256, 264, wrapped.len() - 8, wrapped.len() - 1] {
        assert!(!is_opened(&oaep, None, &wrapped[..end]), "{end} bytes");
    }
    assert!(!is_opened(&oaep, None, &[&wrapped[..], &[0; 8]].concat()));
    for other in [24, 32] {
        assert!(!is_opened(&oaep, Some(other), &wrapped), "a temporary key of {other} bytes");
    }
    for other in [
        Oaep { label: b"l", ..oaep },
        Oaep { hash: Hash::Sha256, ..oaep },
        Oaep { mgf: Hash::Sha256, ..oaep },
    ] {
        assert!(!is_opened(&other, Some(length), &wrapped));
    }
}

/// What stands in for a temporary key is of the length that a true one has, and another each time.
#[test]
fn a_key_that_does_not_decrypt_is_replaced_by_a_random_one() {
    let (_, key) = private_keys().remove(0);
    for (asked, length) in [(Some(16), 16), (Some(24), 24), (Some(32), 32), (None, 32)] {
        let [one, two] =
            [0, 1].map(|_| open_rsa_aes(key.as_ref(), &oaep(Hash::Sha256, b""), asked, &[7; 300]).unwrap());
        assert!(one.content.is_none() && one.temporary.len() == length);
        assert!(!one.temporary.equals(two.temporary.expose()));
    }
}

#[test]
fn a_temporary_key_of_another_length_opens_nothing() {
    let (_, public) = public_keys().remove(0);
    let (_, private) = private_keys().remove(0);
    let oaep = oaep(Hash::Sha256, b"");
    let (wrapped, ..) = vectors().into_iter().next().unwrap();
    for length in [0, 15, 17, 33, 64] {
        let mut mixed = public.encrypt_oaep(&oaep, &vec![1; length]).unwrap();
        mixed.extend(&wrapped[256..]);
        assert!(open_rsa_aes(private.as_ref(), &oaep, None, &mixed).unwrap().content.is_none(), "{length}");
    }
}

#[test]
fn everything_goes_around() {
    let (_, private) = private_keys().remove(0);
    for (name, public) in public_keys() {
        for length in [16, 24, 32] {
            for data in [vec![1; 1], vec![2; 16], vec![3; 4999]] {
                let oaep = oaep(Hash::Sha512, b"");
                let temporary = Secret::copy_of(&vec![9; length]);
                let wrapped = wrap_rsa_aes(public.as_ref(), &oaep, &temporary, &data).unwrap();
                let opened = open_rsa_aes(private.as_ref(), &oaep, Some(length), &wrapped).unwrap();
                assert!(opened.content.unwrap().equals(&data), "{name} {length}");
            }
        }
        let refused = |temporary: usize, data: &[u8]| {
            let temporary = Secret::zeroed(temporary);
            wrap_rsa_aes(public.as_ref(), &oaep(Hash::Sha256, b""), &temporary, data)
        };
        assert!(matches!(refused(32, b""), Err(Error::DataLength)));
        assert!(matches!(refused(33, b"data"), Err(Error::KeySizeRange)));
        assert!(matches!(refused(0, b"data"), Err(Error::KeySizeRange)));
    }
}

/// SHA-1, AES-128, no label: bytes 40 to 5f.
const SECRET_UNDER_128: &str = "\
    6455a738dc4e8689bf0238f567a5e5388a5addfef779babf4c91459058ba4ff0f47a0777442986d2213c3849ab7f01bf\
    2fcf297b685b3668ed335aedd8fe1fce5bf8f2075decb9b897bfe6b519c750c5b3aa7ebd787222678f8d0914690b855d\
    105c8d3c5b04f86d6b1b371872233fd38c305752e35613a4e0ecb9f073ddec35f66cc9eab4fc7d8127df55bda3aa8da6\
    5b98c954f1314af725859153e2c3811daecf7708a4fcafe47786a364ffb77b9d9ca0136a8c9a366e87ea64f500833091\
    2ce46c2b93e4f954e86178edd3330714a306c7758f1a3531bedbf22e2f1cd781fec2ef99070bb66d7740c435492a72b8\
    9abf6354b9b9c5b1d70490e00043675e491132dae0b542d537308e120351e4ba271825a57d26c2f1d03c3a1093ed7c6d\
    86b57596de60b7b0";

/// SHA-384, AES-192, the label "label": bytes 40 to 5f.
const SECRET_UNDER_192: &str = "\
    0cda52c25cb31dd790fde25459219d1986bbc142ea8ecd732a58de4515317899e3381b75b5bd5da48b8044aea6850e57\
    16a0738323732c1bd770bd921e94ff05435bb3442dd94631077e1d1c4e7d4ce9c97809429b299de1c10d73903aaeb440\
    0672ec9cb749dd4ff4408cb7ab90b5fe72ea09d30eb9304a4757ba22fdd698be0a844c053339d25aeb7eae781c3d491a\
    8fbd86d118a3fd037a7eda7d5a56037779ce0c774388d81e30960b88477f1039c2945c466f49f1d89264d99677888a8a\
    a1c89de5b10073e073a965bd3bcb760c25215d83966c151fec5b022fad540a7edf1ae2950e64c6cdf9e39e0e20f8ac4a\
    11f4fc26dff86f90e0a880ffc977c518c22ffbc96858bd2d4684ae2bc77ba6c0f501c24895615bc98681b47b43fd6140\
    06229f6f3e76620f";

/// SHA-256, AES-256, no label: the P-256 key of RFC 6979, A.2.5, in PKCS #8.
const EC_UNDER_256: &str = "\
    cdd9f85039f30e322c4a23c190f7f05f40131b615bd225f7eddd36532c367dc35291100d11d7f16118eac7837e3f97d2\
    e3d7559c7f80f3c2e44c9d7d8d716266b2496ca1a39053767bd4e7b9da2a35ccc20d3d5291a145090fcd2b3b7e51a9ef\
    2bcbd0208baa3c3deab329edf558d945c0f89f1e2e28602b932fed540e0f5fefba3848878732aa7ba0b47669aa643e47\
    38abcc73d3c879b0f769e01d03349767b81019feda82e14a4010951831f3706e7d134e588b3f9752cb6243821585f2d0\
    4ffd6899e179b95c028602a8af26713b907272c1770d98f9cc1303d3b35ec73f0c754b5f6441ac453f5785fcd7ea7a32\
    dd490f1570e40ae8b5451736ec975c4d004c53393aac24d0edd75b8b2c34f8482938e369038e28cd0a5790e7299e2d77\
    37d067da05fbb89a792c33d1d3565da5bbd226f72fe4f0e3e75405f23b0ef40ee32ad70c796201005f8ac193a213e41f\
    e10172a7612b5d07d925bf3c6d4d78ce140f4485d8fd368946aafd5d7f015ae0cfeea2e060feceda3fdd8601632b989b\
    8e8ea9e351aa5baa5c866bc50e21be3e64ca42f238f7e464";
