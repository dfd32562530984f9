//! The rules of lengths, padding and counters, on a cipher that shows what it was given.

use super::*;

/// "Encrypts" by adding one to each byte, and counts its calls.
#[derive(Default)]
struct PlusOne {
    calls: usize,
}

impl Blocks for PlusOne {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        assert_eq!(input.len(), out.len());
        assert_eq!(input.len() % BLOCK, 0);
        self.calls += 1;
        out.iter_mut().zip(input).for_each(|(out, byte)| *out = byte.wrapping_add(1));
        Ok(())
    }
}

impl Stream for PlusOne {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        assert_eq!(input.len(), out.len());
        out.iter_mut().zip(input).for_each(|(out, byte)| *out = byte.wrapping_add(1));
        Ok(())
    }
}

const PKCS7: Option<Padding> = Some(Padding::Pkcs7);

fn cipher(direction: Direction, padding: Option<Padding>) -> BlockCipher<PlusOne, BLOCK> {
    BlockCipher::new(PlusOne::default(), direction, padding)
}

fn decrypt_padded(last: [u8; BLOCK]) -> Result<Vec<u8>> {
    let mut cipher = cipher(Direction::Decrypt, PKCS7);
    // `PlusOne` undoes this.
    let input = last.map(|byte| byte.wrapping_sub(1));
    let mut out = vec![0; cipher.once_len(BLOCK)];
    let written = cipher.once(&input, &mut out)?;
    out.truncate(written);
    Ok(out)
}

#[test]
fn whole_blocks_go_through_in_one_call() {
    let mut cipher = cipher(Direction::Encrypt, None);
    let mut out = vec![0; 1600];
    assert_eq!(cipher.update(&[7; 1600], &mut out).unwrap(), 1600);
    assert_eq!(cipher.blocks.calls, 1);
}

#[test]
fn partial_blocks_are_held() {
    let mut cipher = cipher(Direction::Encrypt, None);
    assert_eq!(cipher.update(&[1; 15], &mut []).unwrap(), 0);
    assert_eq!(cipher.update_len(0), 0);
    assert_eq!(cipher.update_len(1), 16);
    assert_eq!(cipher.update_len(17), 32);
    let mut out = [0; 16];
    assert_eq!(cipher.update(&[1; 2], &mut out).unwrap(), 16);
    assert_eq!(out, [2; 16]);
    assert_eq!(cipher.update_len(14), 0);
}

#[test]
fn a_padded_decryption_holds_its_last_block_back() {
    let mut cipher = cipher(Direction::Decrypt, PKCS7);
    assert_eq!(cipher.update_len(16), 0);
    assert_eq!(cipher.update_len(17), 16);
    assert_eq!(cipher.update_len(32), 16);
    assert_eq!(cipher.update(&[15; 16], &mut []).unwrap(), 0);
    assert_eq!(cipher.update_len(1), 16);
    assert_eq!(cipher.finish_len(), 16);
    assert_eq!(cipher.finish(&mut [0; 16]).unwrap(), 0);
}

#[test]
fn an_unpadded_decryption_holds_nothing_back() {
    assert_eq!(cipher(Direction::Decrypt, None).update_len(16), 16);
}

#[test]
fn too_little_room_changes_nothing() {
    let mut cipher = cipher(Direction::Encrypt, None);
    cipher.update(&[1; 8], &mut []).unwrap();
    let short = cipher.update(&[1; 8], &mut [0; 15]);
    assert!(matches!(short, Err(Error::BufferTooSmall { needed: 16 })));
    assert_eq!(cipher.update(&[1; 8], &mut [0; 16]).unwrap(), 16);
}

#[test]
fn an_incomplete_block_ends_in_an_error_of_its_direction() {
    for padding in [None, PKCS7] {
        let mut decryption = cipher(Direction::Decrypt, padding);
        decryption.update(&[1; 15], &mut []).unwrap();
        assert!(matches!(decryption.finish(&mut [0; 16]), Err(Error::EncryptedDataLength)));
    }
    let mut encryption = cipher(Direction::Encrypt, None);
    encryption.update(&[1; 15], &mut []).unwrap();
    assert!(matches!(encryption.finish(&mut [0; 16]), Err(Error::DataLength)));
}

#[test]
fn an_empty_padded_ciphertext_is_refused() {
    let answer = cipher(Direction::Decrypt, PKCS7).finish(&mut [0; 16]);
    assert!(matches!(answer, Err(Error::EncryptedDataLength)));
}

#[test]
fn padding_fills_up_to_the_next_block() {
    for length in 0..16u8 {
        let mut cipher = cipher(Direction::Encrypt, PKCS7);
        cipher.update(&vec![100; length.into()], &mut []).unwrap();
        let mut out = [0; 16];
        assert_eq!(cipher.finish(&mut out).unwrap(), 16);
        let (message, fill) = out.split_at(length.into());
        assert!(message.iter().all(|byte| *byte == 101));
        assert!(fill.iter().all(|byte| *byte == 16 - length + 1));
    }
}

#[test]
fn every_length_of_padding_comes_off() {
    for fill in 1..=16u8 {
        let mut last = [200; BLOCK];
        last[BLOCK - usize::from(fill)..].fill(fill);
        assert_eq!(decrypt_padded(last).unwrap(), vec![200; BLOCK - usize::from(fill)]);
    }
}

#[test]
fn bad_padding_is_refused() {
    let mut wrong_first = [200; BLOCK];
    wrong_first[12..].copy_from_slice(&[3, 4, 4, 4]);
    let mut wrong_middle = [200; BLOCK];
    wrong_middle[12..].copy_from_slice(&[4, 4, 5, 4]);
    for last in [[0; BLOCK], [17; BLOCK], [255; BLOCK], wrong_first, wrong_middle] {
        assert!(matches!(decrypt_padded(last), Err(Error::EncryptedDataInvalid)), "{last:?}");
    }
}

fn counter(first: u128, bits: u32) -> Counter<PlusOne> {
    Counter::new(PlusOne::default(), &first.to_be_bytes(), bits)
}

#[test]
fn a_counter_ends_with_its_last_value() {
    // The example of PKCS#11: two bits that start as 1 are good for three blocks.
    let mut cipher = counter(1, 2);
    assert_eq!(cipher.update(&[0; 47], &mut [0; 47]).unwrap(), 47);
    assert_eq!(cipher.update(&[0; 1], &mut [0; 1]).unwrap(), 1);
    assert!(matches!(cipher.update(&[0; 1], &mut [0; 1]), Err(Error::DataLength)));
    assert_eq!(cipher.finish(&mut []).unwrap(), 0);
}

#[test]
fn bits_above_the_counter_do_not_count() {
    let mut cipher = counter(!0b11, 2);
    assert_eq!(cipher.update(&[0; 64], &mut [0; 64]).unwrap(), 64);
    assert!(matches!(cipher.update(&[0; 1], &mut [0; 1]), Err(Error::DataLength)));
}

#[test]
fn a_counter_of_128_bits_ends_too() {
    let mut cipher = counter(u128::MAX, 128);
    assert_eq!(cipher.update(&[0; 16], &mut [0; 16]).unwrap(), 16);
    assert!(matches!(cipher.update(&[0; 1], &mut [0; 1]), Err(Error::DataLength)));
    assert_eq!(counter(0, 128).update(&[0; 1000], &mut [0; 1000]).unwrap(), 1000);
}

/// Gives the message back if its last byte is 1.
struct EndsInOne;

impl Whole for EndsInOne {
    fn output_len(&self, input: usize) -> usize {
        input.saturating_sub(1)
    }

    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let (last, message) = input.split_last().ok_or(Error::EncryptedDataLength)?;
        if *last != 1 {
            return Err(Error::EncryptedDataInvalid);
        }
        out.copy_from_slice(message);
        Ok(message.len())
    }
}

#[test]
fn a_collected_message_comes_out_at_its_end() {
    let mut cipher = Collected::new(EndsInOne);
    for byte in [5, 6, 7, 1] {
        assert_eq!(cipher.update_len(1), 0);
        assert_eq!(cipher.update(&[byte], &mut []).unwrap(), 0);
    }
    let mut out = vec![0; cipher.finish_len()];
    assert_eq!(cipher.finish(&mut out).unwrap(), 3);
    assert_eq!(out, [5, 6, 7]);
}

#[test]
fn a_collected_message_may_end_at_once() {
    let mut out = [0; 3];
    assert_eq!(Collected::new(EndsInOne).once(&[5, 6, 7, 1], &mut out).unwrap(), 3);
    assert_eq!(out, [5, 6, 7]);

    let mut begun = Collected::new(EndsInOne);
    begun.update(&[5], &mut []).unwrap();
    assert_eq!(begun.once_len(3), 3);
    assert_eq!(begun.once(&[6, 7, 1], &mut out).unwrap(), 3);
    assert_eq!(out, [5, 6, 7]);
}

#[test]
fn once_holds_what_padded_ciphers_write() {
    let mut encryption = cipher(Direction::Encrypt, PKCS7);
    encryption.update(&[1; 3], &mut []).unwrap();
    assert_eq!(encryption.once_len(13), 32);
    assert_eq!(encryption.once(&[1; 13], &mut [0; 32]).unwrap(), 32);
    assert_eq!(cipher(Direction::Decrypt, PKCS7).once_len(32), 32);
}

#[test]
fn zeros_fill_what_is_left_of_a_block_and_stay() {
    let zeros = Some(Padding::Zeros);
    for (length, expected) in [(0, 0), (1, 16), (15, 16), (16, 16), (17, 32)] {
        let mut encryption = cipher(Direction::Encrypt, zeros);
        assert_eq!(encryption.once_len(length), expected);
        let mut out = vec![0; expected];
        assert_eq!(encryption.once(&vec![7; length], &mut out).unwrap(), expected);
        assert!(out[length..].iter().all(|byte| *byte == 1), "{out:?}");
        let mut decryption = cipher(Direction::Decrypt, zeros);
        assert_eq!(decryption.update_len(expected), expected, "nothing is held back");
        assert_eq!(decryption.once(&out, &mut vec![0; expected]).unwrap(), expected);
    }
    let mut parts = cipher(Direction::Encrypt, zeros);
    assert_eq!(parts.finish_len(), 0);
    parts.update(&[7; 3], &mut []).unwrap();
    assert_eq!(parts.finish_len(), 16);
    assert!(matches!(parts.finish(&mut [0; 15]), Err(Error::BufferTooSmall { needed: 16 })));
    assert_eq!(parts.finish(&mut [0; 16]).unwrap(), 16);
}

#[test]
fn an_incomplete_block_is_no_ciphertext_whatever_the_padding() {
    for padding in [Padding::Pkcs7, Padding::X923, Padding::Iso10126, Padding::Zeros] {
        let mut decryption = cipher(Direction::Decrypt, Some(padding));
        decryption.update(&[1; 15], &mut []).unwrap();
        assert!(matches!(decryption.finish(&mut [0; 16]), Err(Error::EncryptedDataLength)), "{padding:?}");
    }
}
