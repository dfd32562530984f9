//! Digests, HMAC and the modes of AES.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Nonces that both offer, in bytes: AWS-LC takes any length, RustCrypto those of its table.
const NONCES: [usize; 8] = [1, 8, 11, 12, 13, 16, 64, 128];
/// Tags, in bytes.
const TAGS: [usize; 7] = [4, 8, 12, 13, 14, 15, 16];

/// A message in pieces, of which some are empty and some longer than several blocks.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..70), 0..6)
}

/// An AES key of any of its lengths.
fn aes_key() -> impl Strategy<Value = Vec<u8>> {
    select(vec![16usize, 24, 32]).prop_flat_map(|length| vec(any::<u8>(), length))
}

fn digest_in_pieces(mut digest: Box<dyn Digest>, length: usize, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![0; length];
    for piece in pieces {
        digest.update(piece).unwrap();
    }
    digest.finish(&mut out).unwrap();
    out
}

fn mac_in_pieces(mac: Result<Box<dyn Mac>>, pieces: &[&[u8]]) -> Vec<u8> {
    let mut mac = mac.unwrap();
    let mut out = vec![0; mac.len()];
    for piece in pieces {
        mac.update(piece).unwrap();
    }
    mac.finish(&mut out).unwrap();
    out
}

/// Runs a whole operation, each call with exactly the room it asks for.
fn run(
    provider: &'static dyn Provider,
    mode: AesMode<'_>,
    direction: Direction,
    key: &[u8],
    pieces: &[&[u8]],
) -> std::result::Result<Vec<u8>, String> {
    let begun = provider.aes(mode, direction, key).expect("the tables say it is offered");
    let mut cipher = outcome(begun)?;
    let mut all = Vec::new();
    for piece in pieces {
        let mut out = vec![0; cipher.update_len(piece.len())];
        let written = outcome(cipher.update(piece, &mut out))?;
        all.extend_from_slice(&out[..written]);
    }
    let mut out = vec![0; cipher.finish_len()];
    let written = outcome(cipher.finish(&mut out))?;
    all.extend_from_slice(&out[..written]);
    Ok(all)
}

/// The same in one call.
fn run_once(
    provider: &'static dyn Provider,
    mode: AesMode<'_>,
    direction: Direction,
    key: &[u8],
    input: &[u8],
) -> std::result::Result<Vec<u8>, String> {
    let mut cipher = outcome(provider.aes(mode, direction, key).expect("the tables say it is offered"))?;
    let mut out = vec![0; cipher.once_len(input.len())];
    let written = outcome(cipher.once(input, &mut out))?;
    out.truncate(written);
    Ok(out)
}

/// A message at once, by a cipher that has begun.
fn whole(begun: Result<Box<dyn Cipher>>, input: &[u8]) -> Result<Vec<u8>> {
    let mut cipher = begun?;
    let mut out = vec![0; cipher.once_len(input.len())];
    let written = cipher.once(input, &mut out)?;
    out.truncate(written);
    Ok(out)
}

/// Both providers, in pieces and at once, in one direction: all four must agree.
fn agreed(
    mode: AesMode<'_>,
    direction: Direction,
    key: &[u8],
    pieces: &[Vec<u8>],
) -> std::result::Result<Vec<u8>, String> {
    let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let results = PROVIDERS.map(|provider| run(provider, mode, direction, key, &slices));
    let at_once = PROVIDERS.map(|provider| run_once(provider, mode, direction, key, &slices.concat()));
    assert_eq!(results[0], results[1], "in pieces: {mode:?} {direction:?}");
    assert_eq!(at_once[0], at_once[1], "at once: {mode:?} {direction:?}");
    let [result, _] = results;
    assert_eq!(result, at_once[0], "in pieces against at once: {mode:?} {direction:?}");
    result
}

/// Encrypts in agreement, and decrypts the result back in agreement, cut in other places.
fn there_and_back(mode: AesMode<'_>, key: &[u8], pieces: &[Vec<u8>], cut: usize) {
    let ciphertext = agreed(mode, Direction::Encrypt, key, pieces).unwrap();
    let halves = match ciphertext.split_at_checked(cut) {
        Some((head, tail)) => vec![head.to_vec(), tail.to_vec()],
        None => vec![ciphertext],
    };
    assert_eq!(agreed(mode, Direction::Decrypt, key, &halves).unwrap(), pieces.concat(), "{mode:?}");
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn digests_agree(hash in select(Hash::COMMON), message in pieces()) {
        let slices: Vec<&[u8]> = message.iter().map(Vec::as_slice).collect();
        let [a, b] = both(|provider| provider.digest(hash)).map(|running| digest_in_pieces(running, hash.len(), &slices));
        let [c, d] = both(|provider| provider.digest(hash))
            .map(|running| digest_in_pieces(running, hash.len(), &[&slices.concat()]));
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(&a, &c);
        prop_assert_eq!(&a, &d);
    }

    #[test]
    fn hmacs_agree(hash in select(Hash::COMMON), key in vec(any::<u8>(), 0..300), message in pieces()) {
        let slices: Vec<&[u8]> = message.iter().map(Vec::as_slice).collect();
        let [a, b] = both(|provider| provider.hmac(hash, &key)).map(|running| mac_in_pieces(running, &slices));
        let [c, _] = both(|provider| provider.hmac(hash, &key)).map(|running| mac_in_pieces(running, &[&slices.concat()]));
        prop_assert_eq!(a.len(), hash.len());
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(&a, &c);
    }

    #[test]
    fn ecb_and_cbc_agree_on_whole_blocks(
        key in aes_key(),
        iv in any::<[u8; 16]>(),
        mut message in pieces(),
        cut in 0usize..300,
    ) {
        // Whole blocks altogether, though not in each piece.
        let length = message.concat().len();
        message.push(vec![0x5a; length.next_multiple_of(16) - length]);
        there_and_back(AesMode::Ecb, &key, &message, cut);
        there_and_back(AesMode::Cbc { iv: &iv }, &key, &message, cut);
    }

    #[test]
    fn ecb_and_cbc_agree_on_any_length(key in aes_key(), iv in any::<[u8; 16]>(), message in pieces()) {
        for direction in [Direction::Encrypt, Direction::Decrypt] {
            for mode in [AesMode::Ecb, AesMode::Cbc { iv: &iv }] {
                let whole = message.concat().len().is_multiple_of(16);
                prop_assert_eq!(agreed(mode, direction, &key, &message).is_ok(), whole);
            }
        }
    }

    #[test]
    fn padded_cbc_agrees(key in aes_key(), iv in any::<[u8; 16]>(), message in pieces(), cut in 0usize..300) {
        there_and_back(AesMode::CbcPad { iv: &iv, padding: Padding::Pkcs7 }, &key, &message, cut);
    }

    #[test]
    fn padded_cbc_agrees_on_every_last_block(
        key in aes_key(),
        iv in any::<[u8; 16]>(),
        mut last in any::<[u8; 16]>(),
        fill in 0u8..20,
        count in 0usize..=16,
    ) {
        // Encrypted without padding, so that the last block is padded well or badly as it happens.
        last[16 - count..].fill(fill);
        let ciphertext = agreed(AesMode::Cbc { iv: &iv }, Direction::Encrypt, &key, &[last.to_vec()]).unwrap();
        let result = agreed(AesMode::CbcPad { iv: &iv, padding: Padding::Pkcs7 }, Direction::Decrypt, &key, &[ciphertext]);
        let fill = usize::from(last[15]);
        let well = (1..=16).contains(&fill) && last[16 - fill..].iter().all(|byte| usize::from(*byte) == fill);
        prop_assert_eq!(result.is_ok(), well);
    }

    #[test]
    fn padded_cbc_agrees_on_any_ciphertext(key in aes_key(), iv in any::<[u8; 16]>(), message in pieces()) {
        let result = agreed(AesMode::CbcPad { iv: &iv, padding: Padding::Pkcs7 }, Direction::Decrypt, &key, &message);
        let length = message.concat().len();
        if length == 0 || !length.is_multiple_of(16) {
            prop_assert_eq!(result, Err("EncryptedDataLength".to_owned()));
        }
    }

    #[test]
    fn ctr_agrees(
        key in aes_key(),
        block in any::<[u8; 16]>(),
        counter_bits in 10u32..=128,
        message in pieces(),
        cut in 0usize..300,
    ) {
        // At most 22 blocks: the top two of ten bits are cleared, so that the counter does not end.
        let mut block = block;
        block[14] &= !3;
        if counter_bits >= 16 {
            block[16 - counter_bits as usize / 8] &= 0x7f;
        }
        there_and_back(AesMode::Ctr { block: &block, counter_bits }, &key, &message, cut);
    }

    #[test]
    fn ctr_agrees_on_where_its_counter_ends(
        key in aes_key(),
        left in 0u8..16,
        counter_bits in 5u32..=128,
        message in pieces(),
    ) {
        let block = (u128::MAX - u128::from(left)).to_be_bytes();
        let result = agreed(AesMode::Ctr { block: &block, counter_bits }, Direction::Encrypt, &key, &message);
        let room = (usize::from(left) + 1) * 16;
        prop_assert_eq!(result.is_ok(), message.concat().len() <= room);
    }

    #[test]
    fn cfb_ofb_and_padded_ecb_agree(
        key in aes_key(),
        iv in any::<[u8; 16]>(),
        message in pieces(),
        cut in 0usize..300,
    ) {
        there_and_back(AesMode::Cfb { iv: &iv }, &key, &message, cut);
        there_and_back(AesMode::Cfb1 { iv: &iv }, &key, &message, cut);
        there_and_back(AesMode::Ofb { iv: &iv }, &key, &message, cut);
        there_and_back(AesMode::EcbPad(Padding::Pkcs7), &key, &message, cut);
    }

    #[test]
    fn xts_agrees(
        key in any::<[[u8; 32]; 2]>(),
        tweak in any::<[u8; 16]>(),
        message in vec(any::<u8>(), 16..300),
        cut in 0usize..300,
    ) {
        there_and_back(AesMode::Xts { tweak: &tweak }, key.as_flattened(), &[message], cut);
    }

    #[test]
    fn triple_des_agrees(
        key in any::<[[u8; 8]; 3]>(),
        keys in 2usize..=3,
        iv in any::<[u8; 8]>(),
        message in vec(any::<u8>(), 0..100),
        direction in select(vec![Direction::Encrypt, Direction::Decrypt]),
    ) {
        let key = key[..keys].as_flattened();
        for mode in [Des3Mode::Ecb, Des3Mode::EcbPad(Padding::Pkcs7), Des3Mode::Cbc { iv: &iv }, Des3Mode::CbcPad { iv: &iv, padding: Padding::Pkcs7 }] {
            let [a, b] = both(|provider| provider.des3(mode, direction, key))
                .map(|begun| outcome(whole(begun, &message)));
            prop_assert_eq!(a, b, "{:?}", mode);
        }
    }

    #[test]
    fn chacha20_poly1305_agrees(
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 12]>(),
        aad in vec(any::<u8>(), 0..70),
        tag_len in 12usize..=16,
        message in vec(any::<u8>(), 0..300),
        bit in any::<proptest::sample::Index>(),
    ) {
        let parameters = Poly1305 { nonce: &nonce, aad: &aad, tag_len };
        let run = |direction, input: &[u8]| {
            both(|provider| provider.chacha20_poly1305(parameters, direction, &key))
                .map(|begun| outcome(whole(begun, input)))
        };
        let [sealed, again] = run(Direction::Encrypt, &message);
        prop_assert_eq!(&sealed, &again);
        let mut sealed = sealed.unwrap();
        for opened in run(Direction::Decrypt, &sealed) {
            prop_assert_eq!(opened.as_ref(), Ok(&message));
        }
        let bit = bit.index(sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        for forged in run(Direction::Decrypt, &sealed) {
            prop_assert_eq!(forged, Err("EncryptedDataInvalid".to_owned()));
        }
    }

    #[test]
    fn gcm_agrees(
        key in aes_key(),
        iv_len in select(&NONCES[..]),
        iv in any::<[[u8; 32]; 4]>(),
        aad in vec(any::<u8>(), 0..70),
        tag_len in select(&TAGS[..]),
        message in pieces(),
        cut in 0usize..300,
    ) {
        let iv = &iv.as_flattened()[..iv_len];
        there_and_back(AesMode::Gcm { iv, aad: &aad, tag_len }, &key, &message, cut);
    }

    #[test]
    fn gcm_agrees_on_what_is_not_authentic(
        key in aes_key(),
        iv_len in select(&NONCES[..]),
        iv in any::<[[u8; 32]; 4]>(),
        aad in vec(any::<u8>(), 1..70),
        tag_len in select(&TAGS[..]),
        message in pieces(),
        bit in any::<proptest::sample::Index>(),
    ) {
        let iv = &iv.as_flattened()[..iv_len];
        let mode = AesMode::Gcm { iv, aad: &aad, tag_len };
        let mut sealed = agreed(mode, Direction::Encrypt, &key, &message).unwrap();
        let bit = bit.index(sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        let forged = agreed(mode, Direction::Decrypt, &key, &[sealed.clone()]);
        prop_assert_eq!(forged, Err("EncryptedDataInvalid".to_owned()));
        sealed[bit / 8] ^= 1 << (bit % 8);
        let other = AesMode::Gcm { iv, aad: &aad[1..], tag_len };
        let forged = agreed(other, Direction::Decrypt, &key, &[sealed.clone()]);
        prop_assert_eq!(forged, Err("EncryptedDataInvalid".to_owned()));
        let short = agreed(mode, Direction::Decrypt, &key, &[sealed[..tag_len - 1].to_vec()]);
        prop_assert_eq!(short, Err("EncryptedDataLength".to_owned()));
    }

    #[test]
    fn parameters_out_of_range_are_refused_alike(
        key_len in 0usize..40,
        iv_len in 0usize..14,
        tag_len in 0usize..20,
        counter_bits in prop_oneof![Just(0u32), Just(129), 1u32..=128],
    ) {
        let (key, iv) = (vec![1; key_len], vec![2; iv_len]);
        let modes = [
            AesMode::Ecb,
            AesMode::Ctr { block: &[0; 16], counter_bits },
            AesMode::Gcm { iv: &iv, aad: &[], tag_len },
        ];
        for mode in modes {
            let errors = PROVIDERS.map(|provider| {
                provider.aes(mode, Direction::Encrypt, &key).map(|begun| outcome(begun).err())
            });
            // Of nonces, RustCrypto has not every length, but each from 1 on; 0 is an error like others.
            prop_assert_eq!(&errors[0], &errors[1]);
        }
    }
}
