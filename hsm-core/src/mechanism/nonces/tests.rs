//! Nonces that are counted, drawn and given, and that none comes twice.

use super::*;

const KEY: KeyMark = KeyMark([7; 32]);

fn request(nonce: &[u8], fixed_bits: u64, generator: u64) -> NonceRequest {
    NonceRequest { nonce: nonce.to_vec(), fixed_bits, generator }
}

fn is_refused(made: Result<Vec<u8>>) -> bool {
    matches!(made, Err(Error::MechanismParamInvalid))
}

#[test]
fn a_counter_begins_at_zero_behind_the_fixed_part() {
    let mut nonces = Nonces::default();
    let request = request(&[0xff; 12], 36, CKG_GENERATE_COUNTER);
    for last in 0..3 {
        let expected = [0xff, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0, 0, 0, last];
        assert_eq!(nonces.next(KEY, &request).unwrap(), expected);
    }
}

#[test]
fn a_counter_is_xored_into_what_the_caller_gives_always_alike() {
    let mut nonces = Nonces::default();
    let base = request(&[0xa5; 12], 32, CKG_GENERATE_COUNTER_XOR);
    assert_eq!(nonces.next(KEY, &base).unwrap()[11], 0xa5);
    assert_eq!(nonces.next(KEY, &base).unwrap()[11], 0xa4);
    let mut other = base.clone();
    other.nonce[11] = 0xa4;
    assert!(is_refused(nonces.next(KEY, &other)));
    // Another fixed part begins a sequence of its own.
    other.nonce[0] = 1;
    assert_eq!(nonces.next(KEY, &other).unwrap(), other.nonce);
}

#[test]
fn a_counter_that_is_full_gives_no_more() {
    let mut nonces = Nonces::default();
    let request = request(&[1; 12], 94, CKG_GENERATE_COUNTER);
    let made: HashSet<_> = (0..4).map(|_| nonces.next(KEY, &request).unwrap()).collect();
    assert_eq!(made.len(), 4);
    assert!(matches!(nonces.next(KEY, &request), Err(Error::NoncesUsedUp)));
}

#[test]
fn every_key_counts_by_itself() {
    let mut nonces = Nonces::default();
    let request = request(&[1; 12], 32, CKG_GENERATE_COUNTER);
    let first = nonces.next(KEY, &request).unwrap();
    assert_eq!(nonces.next(KeyMark([8; 32]), &request).unwrap(), first);
    assert_ne!(nonces.next(KEY, &request).unwrap(), first);
}

#[test]
fn what_was_counted_is_not_taken_from_the_caller_nor_by_another_counter() {
    let mut nonces = Nonces::default();
    let counted = nonces.next(KEY, &request(&[1; 12], 32, CKG_GENERATE_COUNTER)).unwrap();
    assert!(is_refused(nonces.next(KEY, &request(&counted, 0, CKG_NO_GENERATE))));
    // The same numbers behind a longer fixed part.
    assert!(is_refused(nonces.next(KEY, &request(&counted, 64, CKG_GENERATE_COUNTER))));
    assert!(is_refused(nonces.next(KEY, &request(&counted, 32, CKG_GENERATE_COUNTER_XOR))));
}

#[test]
fn what_the_caller_gave_is_not_counted_again() {
    let mut nonces = Nonces::default();
    let given = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    let own = request(&given, 0, CKG_NO_GENERATE);
    assert_eq!(nonces.next(KEY, &own).unwrap(), given);
    // Unique or not is the caller's matter.
    assert_eq!(nonces.next(KEY, &own).unwrap(), given);
    let counter = request(&given, 32, CKG_GENERATE_COUNTER);
    assert_eq!(nonces.next(KEY, &counter).unwrap()[11], 0);
    assert!(is_refused(nonces.next(KEY, &counter)));
}

#[test]
fn without_memory_of_the_callers_nonces_nothing_is_counted() {
    let mut nonces = Nonces { remembered: MOST_REMEMBERED, ..Nonces::default() };
    nonces.next(KEY, &request(&[1; 12], 0, CKG_NO_GENERATE)).unwrap();
    assert!(is_refused(nonces.next(KEY, &request(&[1; 12], 32, CKG_GENERATE_COUNTER))));
    assert!(nonces.next(KEY, &request(&[1; 12], 0, CKG_GENERATE_RANDOM)).is_ok());
}

#[test]
fn random_nonces_have_enough_bits_and_are_bounded() {
    let mut nonces = Nonces::default();
    let enough = request(&[5; 16], 32, CKG_GENERATE_RANDOM);
    let (one, two) = (nonces.next(KEY, &enough).unwrap(), nonces.next(KEY, &enough).unwrap());
    assert_eq!((&one[..4], &two[..4]), (&[5; 4][..], &[5; 4][..]));
    assert_ne!(one, two);
    assert!(is_refused(nonces.next(KEY, &request(&[5; 16], 33, CKG_GENERATE_RANDOM))));
    nonces.keys.get_mut(&KEY).unwrap().messages = MOST_MESSAGES;
    assert!(matches!(nonces.next(KEY, &enough), Err(Error::NoncesUsedUp)));
    let counted = request(&[5; 16], 64, CKG_GENERATE_COUNTER);
    assert!(matches!(nonces.next(KEY, &counted), Err(Error::NoncesUsedUp)));
}

#[test]
fn a_generator_of_our_choice_counts_from_anywhere_where_few_bits_are_free() {
    let mut nonces = Nonces::default();
    let few = request(&[5; 12], 80, CKG_GENERATE);
    let made: HashSet<_> = (0..1000).map(|_| nonces.next(KEY, &few).unwrap()).collect();
    assert_eq!(made.len(), 1000);
    assert!(made.iter().all(|nonce| nonce[..10] == [5; 10]));
}

#[test]
fn fixed_bits_leave_something_free_and_generators_have_names() {
    let mut nonces = Nonces::default();
    for generator in [CKG_GENERATE, CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR, CKG_GENERATE_RANDOM] {
        for fixed in [96, 97, u64::MAX] {
            assert!(is_refused(nonces.next(KEY, &request(&[1; 12], fixed, generator))));
        }
    }
    assert!(is_refused(nonces.next(KEY, &request(&[1; 12], 0, 5))));
    assert!(is_refused(nonces.next(KEY, &request(&[], 0, CKG_GENERATE))));
}

#[test]
fn long_nonces_come_from_callers_alone_and_are_not_remembered() {
    let mut nonces = Nonces::default();
    for generator in [CKG_GENERATE, CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR, CKG_GENERATE_RANDOM] {
        assert!(is_refused(nonces.next(KEY, &request(&[1; 257], 32, generator))));
        assert!(nonces.next(KEY, &request(&[1; 256], 32, generator)).is_ok());
    }
    assert_eq!(nonces.next(KEY, &request(&[1; 257], 0, CKG_NO_GENERATE)).unwrap(), [1; 257]);
    assert_eq!(nonces.remembered, 0);
}
