//! How messages of any length are padded for ciphers of blocks, at once and in parts.

use super::kit::*;
use crate::ttlv::enums::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, Operation, PaddingMethod as Padding,
    ResultReason as Reason,
};
use crate::ttlv::{Item, Tag, Version};

const V: Version = Version::V2_1;
/// Encrypt, Decrypt.
const MASK: i32 = 0x4 | 0x8;

/// A cipher with the length of its keys in bits and of its blocks in bytes.
const CIPHERS: [(Algorithm, i32, usize); 2] = [(Algorithm::AES, 256, 16), (Algorithm::DES3, 168, 8)];
const PADDINGS: [Padding; 4] = [Padding::PKCS5, Padding::Zeros, Padding::ANSIX9_23, Padding::ISO10126];

/// A key, how it is used, and its IV.
struct Bench<'a> {
    server: &'a Server,
    key: &'a str,
    mode: Mode,
    block: usize,
}

impl Bench<'_> {
    fn payload(&self, padding: Padding, data: &[u8]) -> Vec<Item> {
        let parameters = vec![
            Item::enumeration(Tag::BLOCK_CIPHER_MODE, self.mode),
            Item::enumeration(Tag::PADDING_METHOD, padding),
        ];
        let mut payload = vec![
            id(self.key),
            Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, parameters),
            Item::bytes(Tag::DATA, data.to_vec()),
        ];
        if self.mode != Mode::ECB {
            payload.push(Item::bytes(Tag::IV_COUNTER_NONCE, vec![9; self.block]));
        }
        payload
    }

    fn ask(&self, operation: Operation, padding: Padding, data: &[u8]) -> Result<Vec<u8>, Reason> {
        self.server.ask(V, operation, self.payload(padding, data)).map(|answer| data_of(&answer))
    }

    /// The same in three parts.
    fn in_parts(&self, operation: Operation, padding: Padding, data: &[u8]) -> Result<Vec<u8>, Reason> {
        let (one, rest) = data.split_at(data.len() / 3);
        let (two, three) = rest.split_at(rest.len() / 2);
        let mut first = self.payload(padding, one);
        first.push(Item::boolean(Tag::INIT_INDICATOR, true));
        let first = self.server.ask(V, operation, first)?;
        let mut out = data_of(&first);
        let value = field(&first, Tag::CORRELATION_VALUE);
        let next = vec![id(self.key), Item::bytes(Tag::DATA, two.to_vec()), value.clone()];
        out.extend(data_of(&self.server.ask(V, operation, next)?));
        let last = vec![
            id(self.key),
            Item::bytes(Tag::DATA, three.to_vec()),
            value.clone(),
            Item::boolean(Tag::FINAL_INDICATOR, true),
        ];
        out.extend(data_of(&self.server.ask(V, operation, last)?));
        Ok(out)
    }
}

fn data_of(answer: &[Item]) -> Vec<u8> {
    let data = answer.iter().find(|item| item.tag == Tag::DATA);
    data.map(|data| data.as_bytes().unwrap().to_vec()).unwrap_or_default()
}

fn key(server: &Server, algorithm: Algorithm, bits: i32) -> String {
    let attributes = vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, algorithm),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, bits),
        Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, MASK),
        Item::date(Tag::ACTIVATION_DATE, 1000),
    ];
    let payload =
        vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32), Item::structure(Tag::ATTRIBUTES, attributes)];
    id_of(&server.ask(V, Operation::Create, payload).unwrap())
}

/// Each cipher in each mode that pads.
fn each(check: impl Fn(&Bench<'_>)) {
    let server = Server::new();
    for (algorithm, bits, block) in CIPHERS {
        let key = key(&server, algorithm, bits);
        for mode in [Mode::CBC, Mode::ECB] {
            check(&Bench { server: &server, key: &key, mode, block });
        }
    }
}

#[test]
fn messages_of_every_length_come_back_and_zeros_stay() {
    each(|bench| {
        for padding in PADDINGS {
            for length in [0, 1, bench.block - 1, bench.block, 2 * bench.block + 3] {
                let message = vec![0x61; length];
                let encrypted = bench.ask(Operation::Encrypt, padding, &message).unwrap();
                let mut expected = message.clone();
                let mut padded = (length / bench.block + 1) * bench.block;
                if padding == Padding::Zeros {
                    padded = length.div_ceil(bench.block) * bench.block;
                    expected.resize(padded, 0);
                }
                assert_eq!(encrypted.len(), padded, "{padding:?} {length}");
                let parts = bench.in_parts(Operation::Encrypt, padding, &message).unwrap();
                if padding != Padding::ISO10126 {
                    assert_eq!(parts, encrypted);
                }
                for encrypted in [encrypted, parts] {
                    assert_eq!(bench.ask(Operation::Decrypt, padding, &encrypted).unwrap(), expected);
                    assert_eq!(bench.in_parts(Operation::Decrypt, padding, &encrypted).unwrap(), expected);
                }
            }
        }
    });
}

#[test]
fn the_last_block_is_filled_as_each_standard_has_it() {
    each(|bench| {
        for padding in PADDINGS {
            let encrypted = bench.ask(Operation::Encrypt, padding, b"Hello").unwrap();
            let plain = bench.ask(Operation::Decrypt, Padding::None, &encrypted).unwrap();
            let free = bench.block - 5;
            let count = u8::try_from(free).unwrap();
            let mut expected = [&b"Hello"[..], &vec![0; free]].concat();
            match padding {
                Padding::PKCS5 => expected[5..].fill(count),
                Padding::Zeros => {}
                _ => expected[bench.block - 1] = count,
            }
            if padding == Padding::ISO10126 {
                assert_eq!((&plain[..5], plain[bench.block - 1]), (&b"Hello"[..], count));
                assert_ne!(plain, expected, "it is filled with random bytes");
            } else {
                assert_eq!(plain, expected, "{padding:?}");
            }
        }
    });
}

#[test]
fn what_is_no_padding_looks_as_any_other_ciphertext_that_is_none() {
    each(|bench| {
        let failed = Err(Reason::CryptographicFailure);
        let refused = |padding, ciphertext: &[u8]| {
            assert_eq!(bench.ask(Operation::Decrypt, padding, ciphertext), failed, "{padding:?}");
            assert_eq!(bench.in_parts(Operation::Decrypt, padding, ciphertext), failed, "{padding:?}");
        };
        let block = |end: &[u8]| {
            let mut block = vec![0x61; bench.block];
            block[bench.block - end.len()..].copy_from_slice(end);
            bench.ask(Operation::Encrypt, Padding::None, &block).unwrap()
        };
        let counts: [&[u8]; 3] = [&[0], &[17], &[255]];
        for padding in [Padding::PKCS5, Padding::ANSIX9_23, Padding::ISO10126] {
            counts.iter().for_each(|end| refused(padding, &block(end)));
            refused(padding, &[]);
        }
        refused(Padding::PKCS5, &block(&[3, 2, 3]));
        refused(Padding::ANSIX9_23, &block(&[1, 0, 3]));
        for padding in PADDINGS {
            refused(padding, &block(&[1])[1..]);
        }
    });
}

#[test]
fn paddings_of_other_things_are_not_those_of_blocks() {
    each(|bench| {
        for padding in [Padding::SSL3, Padding::OAEP, Padding::PKCS1V1_5, Padding::X9_31, Padding::PSS] {
            let refused = bench.ask(Operation::Encrypt, padding, &[0; 16]);
            assert_eq!(refused, Err(Reason::UnsupportedCryptographicParameters), "{padding:?}");
        }
        for padding in PADDINGS {
            let stream = Bench { mode: Mode::OFB, ..*bench };
            let refused = stream.ask(Operation::Encrypt, padding, &[0; 16]);
            assert_eq!(refused, Err(Reason::BadCryptographicParameters), "{padding:?}");
        }
        let unpadded = bench.ask(Operation::Encrypt, Padding::None, b"Hello");
        assert!(unpadded.is_err(), "a message that is no whole blocks");
    });
}
