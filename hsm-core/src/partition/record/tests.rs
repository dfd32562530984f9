//! A partition's record as bytes: its server's wrap, and records written before there was one.

use super::next::Prepared;
use super::*;

const TOKEN: RecordId = RecordId([9; 16]);
const REVISION: u64 = 5;
const SPACE: PartitionId = PartitionId([6; 16]);
const PRIVATE: [u8; KEY_LEN] = [2; KEY_LEN];

/// A record with both PINs that the version before the server's wrap made, with the master key of the
/// HSM that was thrown away after: label "old", number 1, SO PIN 12345678, user PIN 1234.
const OLD: &str = "\
    01c8961b05a9af37447653eb3b31bc39f26f6c64202020202020202020202020202020202020202020202020202020202039\
    6364333439653165356633373962663c76f14c07b4d547c0fc247f592be0fb5640451574b717bb09027b25b74944c9adf814\
    858d70660b3b89b32ec10f4a6bfe013e89b2d1acebef372d13b901ab6cc0b139d85d82c68aa735b21d59348098010258313f\
    0862ff3f302ab54f8f9dc315d873982d3102cedabd6fee0f347c8e330dd2d9a3a6238f07079d0fbd1da9dc57a24f3194852a\
    689929819ddde38dbb98b31592c9a248f56977d2cb357a7935bff20444f4406b9f46acfb01294aded53db4fa2ea543b11b7c\
    6733df80980102589e91bb398ecb63c5eeb4d5cec420bae5afb413934c692224f50406d7e971beaa8635804f78be36067382\
    386d1ec4f0fc6de8e4d5fda386fe56b288e380f5c15b1bca74904dd688e24c44dea25479e0e3a845dca36c9a2158a542a997\
    085ce53b9fcf9bd10ed54eb5f73a15b8463a8ea284ac8d1279872df1";
const OLD_MASTER_KEY: &str = "482d25d48c918c8fcdddd9f7c5663cbb2d29a814ab37be78738ddaa5a8ec5bd8";
const OLD_TOKEN: &str = "9ea335cee5febac7c9a8891faa5b4d4a";
const OLD_REVISION: u64 = 2;

fn unit() -> ActiveUnit {
    ActiveUnit::of_test([7; 32])
}

fn keys() -> FreshKeys {
    FreshKeys { public: Secret::copy_of(&[1; KEY_LEN]), private: Secret::copy_of(&PRIVATE) }
}

fn label(text: &str) -> [u8; 32] {
    let mut label = [b' '; 32];
    label[..text.len()].copy_from_slice(text.as_bytes());
    label
}

fn servers() -> PartitionRecord {
    PartitionRecord::new(3, &label("kmip"), SPACE, &Opener::MasterKey, &keys(), &unit()).unwrap()
}

fn decode(bytes: &[u8]) -> Result<PartitionRecord> {
    PartitionRecord::decode(TOKEN, REVISION, Some(&unit()), bytes)
}

fn key_of(record: &PartitionRecord, role: Role, pin: &[u8], unit: &ActiveUnit) -> Secret {
    let outer = outer(record.space, role, unit);
    record.pin(role).unwrap().unwrap(record.space, role, pin, &outer).unwrap().unwrap()
}

fn is_damaged<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::RecordDamaged { .. }))
}

#[test]
fn a_record_of_the_version_before_is_read_and_kept() {
    let bytes = hex::decode(OLD).unwrap();
    let token = RecordId(hex::decode(OLD_TOKEN).unwrap().try_into().unwrap());
    let unit = ActiveUnit::of_test(hex::decode(OLD_MASTER_KEY).unwrap().try_into().unwrap());
    let decode = |bytes: &[u8]| PartitionRecord::decode(token, OLD_REVISION, Some(&unit), bytes);
    let record = decode(&bytes).unwrap();
    let again = decode(&record.encode(token, OLD_REVISION, &unit).unwrap()).unwrap();
    for record in [&record, &again] {
        assert_eq!((record.number, record.label), (1, label("old")));
        assert!(record.has_pins() && !record.opens_for_server());
        assert!(record.unwrap_public_key(&unit).is_ok());
        let key = key_of(record, Role::User, b"1234", &unit);
        assert!(key_of(record, Role::So, b"12345678", &unit).equals(key.expose()));
        let refused = record.unwrap_for_server(&unit);
        assert!(matches!(refused, Err(Error::PinAloneOpens { label }) if label == "old"));
    }
    assert!(PartitionRecord::decode(token, OLD_REVISION, None, &bytes).is_ok(), "shown while sealed");
}

#[test]
fn the_version_before_reads_all_but_the_wrap() {
    let bytes = servers().encode(TOKEN, REVISION, &unit()).unwrap();
    let body = &bytes[..bytes.len() - MAC_LEN];
    // It ignored what follows the fields that it knew.
    let known: PartitionRecord = postcard::from_bytes(body).unwrap();
    assert_eq!(known.label, label("kmip"));
    assert!(!known.has_pins() && !known.opens_for_server());
}

#[test]
fn the_servers_wrap_outlives_encoding_and_gives_the_private_key() {
    let record = decode(&servers().encode(TOKEN, REVISION, &unit()).unwrap()).unwrap();
    assert!(record.unwrap_for_server(&unit()).unwrap().equals(&PRIVATE));
    assert!(!record.has_pins());
}

#[test]
fn the_servers_wrap_opens_for_its_space_and_master_key_alone() {
    let mut moved = servers();
    moved.space = PartitionId([8; 16]);
    assert!(is_damaged(moved.unwrap_for_server(&unit())));
    assert!(is_damaged(servers().unwrap_for_server(&ActiveUnit::of_test([8; 32]))));
}

#[test]
fn no_byte_of_a_record_is_changed_or_cut_off_unnoticed() {
    let bytes = servers().encode(TOKEN, REVISION, &unit()).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(is_damaged(decode(&changed)), "byte {at}");
    }
    let without = {
        let mut record = servers();
        record.close_for_server().unwrap();
        record.encode(TOKEN, REVISION, &unit()).unwrap()
    };
    let cut = bytes.len() - without.len();
    assert!(cut > KEY_LEN);
    let (body, mac) = bytes.split_last_chunk::<MAC_LEN>().unwrap();
    let shorter = [&body[..body.len() - cut - 1], mac].concat();
    assert!(is_damaged(decode(&shorter)), "the wrap taken out");
}

#[test]
fn initialised_anew_a_record_has_no_wrap_for_the_server() {
    let mut record = servers();
    let space = PartitionId([4; 16]);
    let pin = PinWrap::new(space, Role::So, b"12345678", &PRIVATE).unwrap();
    record.renew(space, &Opener::SoPin(pin), &keys(), &unit()).unwrap();
    assert!(!record.opens_for_server() && record.has_pins());
}

// ---- a master key that waits for set-immediate ----

fn rotating() -> ActiveUnit {
    ActiveUnit::rotating_test([7; 32], [8; 32])
}

fn with_pins() -> PartitionRecord {
    let mut record = servers();
    for (role, pin) in [(Role::So, &b"12345678"[..]), (Role::User, b"1234")] {
        record.set_pin(&PinWrap::new(SPACE, role, pin, &PRIVATE).unwrap(), &unit()).unwrap();
    }
    record
}

#[test]
fn a_record_has_all_its_wraps_under_the_next_master_key_too() {
    let bytes = with_pins().encode(TOKEN, REVISION, &rotating()).unwrap();
    assert!(decode(&bytes).unwrap().unwrap_for_server(&unit()).is_ok(), "the current one goes on");
    let next = rotating().next().unwrap();
    let Prepared { record, counters } =
        PartitionRecord::prepared(TOKEN, REVISION, &next, &bytes).unwrap().unwrap();
    assert!(record.unwrap_for_server(&next).unwrap().equals(&PRIVATE));
    assert!(key_of(&record, Role::So, b"12345678", &next).equals(&PRIVATE));
    assert!(key_of(&record, Role::User, b"1234", &next).equals(&PRIVATE));
    assert!(record.unwrap_public_key(&next).is_ok());
    assert!(counters.equals(counters_secret(TOKEN, &unit()).expose()));
    let alone = record.encode(TOKEN, REVISION, &next).unwrap();
    assert!(PartitionRecord::decode(TOKEN, REVISION, Some(&next), &alone).is_ok());
    assert!(is_damaged(PartitionRecord::decode(TOKEN, REVISION, Some(&unit()), &alone)));
}

#[test]
fn wraps_for_another_master_key_are_none() {
    let next = rotating().next().unwrap();
    let is_prepared = |bytes: &[u8], next: &ActiveUnit| {
        PartitionRecord::prepared(TOKEN, REVISION, next, bytes).unwrap().is_some()
    };
    let bytes = with_pins().encode(TOKEN, REVISION, &rotating()).unwrap();
    assert!(is_prepared(&bytes, &next));
    assert!(!is_prepared(&bytes, &ActiveUnit::of_test([9; 32])));
    assert!(!is_prepared(&with_pins().encode(TOKEN, REVISION, &unit()).unwrap(), &next));
}

#[test]
fn no_byte_of_a_record_with_both_wraps_is_changed_unnoticed() {
    let bytes = servers().encode(TOKEN, REVISION, &rotating()).unwrap();
    let next = rotating().next().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(is_damaged(decode(&changed)), "byte {at}");
        // The last MAC is the current master key's, which the next one cannot check.
        if at < bytes.len() - MAC_LEN {
            let prepared = PartitionRecord::prepared(TOKEN, REVISION, &next, &changed);
            assert!(!matches!(prepared, Ok(Some(_))), "byte {at}");
        }
    }
}

#[test]
fn a_pin_that_was_wrapped_for_another_space_is_not_set() {
    let pin = PinWrap::new(PartitionId([4; 16]), Role::User, b"1234", &PRIVATE).unwrap();
    assert!(matches!(servers().set_pin(&pin, &unit()), Err(Error::Conflict)));
}
