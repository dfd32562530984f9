//! The log, whole and damaged; what is counted and what is written at once.

mod seals;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::log::{Fault, Log, Recorded, Verdict};
use super::*;
use crate::secret::Secret;
use crate::store::{self, PartitionId, RecordId, Row, Store, StoreUrl};

const SPACE: PartitionId = PartitionId([0xff; 16]);
const HEAD: RecordId = RecordId([0xff; 16]);

const CREATE: Activity =
    Activity { door: "kmip", operation: "Create", class: Class::Change, severity: Severity::Normal };
const DESTROY: Activity = Activity { operation: "Destroy", class: Class::Refusal, ..CREATE };
const ENCRYPT: Activity = Activity { operation: "Encrypt", class: Class::Use, ..CREATE };
const NOT_FOUND: Reason = Reason { code: 0x37, name: "ObjectNotFound" };

fn secret() -> Secret {
    Secret::copy_of(&[7; 32])
}

fn log(keep: u64) -> Log {
    Log::new(&secret(), "hsm".into(), keep).unwrap()
}

fn begun(keep: u64) -> (Arc<dyn Store>, Log) {
    let store: Arc<dyn Store> = store::create(&StoreUrl::Memory, None).unwrap().into();
    let log = log(keep);
    store.write(SPACE, &mut |writer| log.begin(writer).map(drop)).unwrap();
    (store, log)
}

fn events(count: usize) -> Vec<Event> {
    (0..count)
        .map(|number| Event::now(CREATE, Initiator::new(&number.to_string(), "name", "kmip", None)))
        .collect()
}

fn with_events(count: usize) -> (Arc<dyn Store>, Log) {
    let (store, log) = begun(0);
    log.write(store.as_ref(), &events(count)).unwrap();
    (store, log)
}

fn read(store: &dyn Store, log: &Log, since: u64) -> (Verdict, Vec<Recorded>) {
    let mut all = Vec::new();
    let verdict = log.read(store, since, &mut |event| {
        all.push(event);
        Ok(())
    });
    (verdict.unwrap(), all)
}

fn is_whole(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Whole { .. })
}

fn id(number: u64) -> RecordId {
    RecordId(u128::from(number).to_be_bytes())
}

fn row(store: &dyn Store, id: RecordId) -> Option<Row> {
    let mut found = None;
    store
        .read(&mut |reader| {
            found = reader.get(SPACE, id)?;
            Ok(())
        })
        .unwrap();
    found
}

/// Puts a row in another's place, as somebody who writes the store can.
fn put(store: &dyn Store, id: RecordId, row: Option<Row>) {
    store
        .write(SPACE, &mut |writer| {
            if let Some(revision) = writer.revision(SPACE, id)? {
                writer.remove(SPACE, id, revision)?;
            }
            let Some(row) = &row else { return Ok(()) };
            // A store takes revisions one by one.
            for revision in 1..=row.revision {
                writer.put(SPACE, id, &Row { revision, ..row.clone() })?;
            }
            Ok(())
        })
        .unwrap();
}

fn json(event: &Recorded) -> serde_json::Value {
    serde_json::from_str(&event.json).unwrap()
}

/// What was answered to a client.
fn answered(activity: Activity, object: Option<u64>, reason: Option<Reason>) -> Answered<'static> {
    Answered {
        activity,
        id: "owner",
        name: "name",
        partition: "kmip",
        host: Some([127, 0, 0, 1].into()),
        object: object.map(id),
        with: None,
        reason,
        request: Some(Request { connection: 3, number: 7 }),
    }
}

fn trail(uses: Uses) -> Trail {
    let (store, log) = begun(0);
    Trail::new(store, log, uses)
}

fn all_of(trail: &Trail) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    let verdict = trail.read(0, &mut |event| {
        all.push(json(&event));
        Ok(())
    });
    assert!(is_whole(verdict.unwrap()));
    all
}

fn count(events: &[serde_json::Value]) -> u64 {
    events.iter().map(|event| event["count"].as_u64().unwrap()).sum()
}

#[test]
fn events_are_read_in_their_order_from_any_place() {
    let (store, log) = with_events(600);
    for since in [0, 1, 2, 256, 257, 600, 601, 900] {
        let (verdict, all) = read(store.as_ref(), &log, since);
        assert!(is_whole(verdict), "{since}");
        let numbers: Vec<u64> = all.iter().map(|event| event.sequence).collect();
        assert_eq!(numbers, (since.max(1)..=600).collect::<Vec<_>>());
        assert!(
            all.iter()
                .all(|event| json(event)["initiator"]["id"] == format!("{}", event.sequence - 1).as_str())
        );
    }
}

#[test]
fn links_can_be_followed_without_the_secret() {
    use sha2::{Digest, Sha256};
    let (store, log) = with_events(3);
    let (_, all) = read(store.as_ref(), &log, 0);
    let mut before = Sha256::digest(b"softhsm-rs audit 1 hsm").to_vec();
    for event in &all {
        let bytes = [&before, &event.sequence.to_be_bytes()[..], event.json.as_bytes()].concat();
        before = Sha256::digest(bytes).to_vec();
        assert_eq!(before, event.link);
    }
}

#[test]
fn a_missing_event_is_named() {
    for gone in [1, 5, 9] {
        let (store, log) = with_events(10);
        put(store.as_ref(), id(gone), None);
        let (verdict, all) = read(store.as_ref(), &log, 0);
        assert_eq!(verdict, Verdict::Broken { sequence: gone, fault: Fault::Missing });
        assert_eq!(all.len() as u64, gone - 1);
    }
}

#[test]
fn events_that_changed_places_are_named() {
    let (store, log) = with_events(10);
    let (four, five) = (row(store.as_ref(), id(4)), row(store.as_ref(), id(5)));
    put(store.as_ref(), id(4), five);
    put(store.as_ref(), id(5), four);
    let (verdict, _) = read(store.as_ref(), &log, 0);
    assert_eq!(verdict, Verdict::Broken { sequence: 4, fault: Fault::Changed });
}

#[test]
fn an_end_that_was_cut_off_is_named() {
    let (store, log) = with_events(10);
    put(store.as_ref(), id(10), None);
    assert_eq!(read(store.as_ref(), &log, 0).0, Verdict::Broken { sequence: 10, fault: Fault::Missing });
}

#[test]
fn an_older_head_with_what_it_knows_is_believed_and_with_more_is_not() {
    let (store, log) = with_events(2);
    let head = row(store.as_ref(), HEAD);
    log.write(store.as_ref(), &events(1)).unwrap();
    put(store.as_ref(), HEAD, head);
    assert_eq!(read(store.as_ref(), &log, 0).0, Verdict::Broken { sequence: 3, fault: Fault::BeyondEnd });
    put(store.as_ref(), id(3), None);
    // What a head that is kept elsewhere would tell.
    assert!(is_whole(read(store.as_ref(), &log, 0).0));
}

#[test]
fn an_event_of_another_log_is_named() {
    let (store, log) = with_events(3);
    let (other, _) = begun(0);
    let foreign = Log::new(&Secret::copy_of(&[8; 32]), "hsm".into(), 0).unwrap();
    put(other.as_ref(), HEAD, None);
    other.write(SPACE, &mut |writer| foreign.begin(writer).map(drop)).unwrap();
    foreign.write(other.as_ref(), &events(3)).unwrap();
    put(store.as_ref(), id(2), row(other.as_ref(), id(2)));
    assert_eq!(read(store.as_ref(), &log, 0).0, Verdict::Broken { sequence: 2, fault: Fault::Changed });
}

#[test]
fn nothing_is_appended_behind_a_damaged_head() {
    for head in [None, Some(Row { kind: 8, revision: 1, sealed: vec![0; 60] })] {
        let (store, log) = with_events(3);
        put(store.as_ref(), HEAD, head);
        assert!(log.write(store.as_ref(), &events(1)).is_err());
        assert!(log.read(store.as_ref(), 0, &mut |_| Ok(())).is_err());
    }
}

#[test]
fn of_a_log_that_is_full_the_oldest_events_go() {
    let (store, log) = begun(5);
    for _ in 0..4 {
        log.write(store.as_ref(), &events(3)).unwrap();
    }
    let (verdict, all) = read(store.as_ref(), &log, 0);
    assert!(matches!(verdict, Verdict::Whole { first: 8, next: 13, .. }), "{verdict:?}");
    assert_eq!(all.len(), 5);
    assert_eq!(row(store.as_ref(), id(7)), None);
}

#[test]
fn a_bound_that_was_lowered_is_met_step_by_step() {
    let (store, all) = begun(0);
    all.write(store.as_ref(), &events(20)).unwrap();
    let lowered = log(5);
    for (number, kept) in [(21, 17), (22, 14), (23, 11), (24, 8), (25, 5), (26, 5)] {
        lowered.write(store.as_ref(), &events(1)).unwrap();
        let (verdict, found) = read(store.as_ref(), &lowered, 0);
        assert!(matches!(verdict, Verdict::Whole { next, .. } if next == number + 1), "{verdict:?}");
        assert_eq!((found.len(), found.last().unwrap().sequence), (kept, number));
    }
    // Raised again, what is gone is gone, and the rest is kept.
    all.write(store.as_ref(), &events(4)).unwrap();
    let (verdict, found) = read(store.as_ref(), &all, 0);
    assert!(matches!(verdict, Verdict::Whole { first: 22, .. }), "{verdict:?}");
    assert_eq!(found.len(), 9);
}

#[test]
fn a_damaged_event_stays_in_a_log_that_is_full() {
    let (store, log) = begun(5);
    log.write(store.as_ref(), &events(5)).unwrap();
    put(store.as_ref(), id(2), Some(Row { kind: 7, revision: 1, sealed: vec![1; 80] }));
    log.write(store.as_ref(), &events(5)).unwrap();
    assert_eq!(read(store.as_ref(), &log, 0).0, Verdict::Broken { sequence: 2, fault: Fault::Changed });
    assert!(row(store.as_ref(), id(10)).is_some());
}

#[test]
fn an_event_is_cadf() {
    let mut event = Event::now(CREATE, Initiator::new("id", "name", "kmip", Some([127, 0, 0, 1].into())));
    event.about(id(1));
    event.about(id(1));
    event.request = Some(Request { connection: 3, number: 7 });
    event = event.refused(NOT_FOUND);
    let json: serde_json::Value =
        serde_json::from_slice(&cadf::encode(&event, [9; 16], "hsm").unwrap()).unwrap();
    assert_eq!(json["typeURI"], "http://schemas.dmtf.org/cloud/audit/1.0/event");
    assert_eq!(json["eventType"], "activity");
    assert_eq!(json["action"], "kmip.create");
    assert_eq!((&json["outcome"], &json["class"]), (&"failure".into(), &"change".into()));
    assert_eq!(json["reason"], serde_json::json!({ "reasonCode": "55", "reasonType": "ObjectNotFound" }));
    assert_eq!(json["initiator"]["host"]["address"], "127.0.0.1");
    assert_eq!(json["target"]["id"], id(1).to_string());
    assert_eq!(json["requestData"]["requestId"], "3.7");
    assert_eq!(json["count"], 1);
    assert!(json.get("responseData").is_none() && json.get("firstTime").is_none());
}

#[test]
fn an_event_is_short_whatever_it_is_about() {
    let name = "ä".repeat(10_000);
    let mut event = Event::now(CREATE, Initiator::new(&name, &name, &name, None));
    (0..1000).for_each(|number| event.about(id(number)));
    assert_eq!((event.objects().len(), event.unnamed()), (16, 984));
    assert!(cadf::encode(&event, [9; 16], "hsm").unwrap().len() < 3000);
}

#[test]
fn uses_of_one_kind_are_one_event() {
    let trail = trail(Uses::Buffered);
    for _ in 0..1000 {
        trail.answered(&answered(ENCRYPT, Some(1), None)).unwrap();
    }
    trail.answered(&answered(ENCRYPT, Some(2), None)).unwrap();
    assert_eq!(all_of(&trail).len(), 0);
    trail.flush().unwrap();
    let all = all_of(&trail);
    assert_eq!((all.len(), count(&all)), (2, 1001));
    assert!(all[0]["firstTime"].as_str() <= all[0]["eventTime"].as_str());
    trail.flush().unwrap();
    assert_eq!(all_of(&trail).len(), 2);
}

#[test]
fn uses_are_told_apart_by_who_and_how_they_ended() {
    let trail = trail(Uses::Buffered);
    let one = answered(ENCRYPT, Some(1), None);
    for use_ in [
        one,
        Answered { host: None, ..one },
        Answered { id: "other", ..one },
        Answered { name: "other", ..one },
        Answered { partition: "other", ..one },
        answered(ENCRYPT, Some(1), Some(NOT_FOUND)),
    ] {
        trail.answered(&use_).unwrap();
    }
    trail.flush().unwrap();
    assert_eq!(all_of(&trail).len(), 6);
}

#[test]
fn what_a_key_is_used_with_is_told_apart_also_after_a_flush_that_failed() {
    let mut tallies = super::tally::Tallies::default();
    let wrapped = answered(ENCRYPT, Some(1), None);
    for with in [Some(2), Some(3), None, Some(2)] {
        tallies.add(&Answered { with: with.map(id), ..wrapped }, 1);
    }
    let events = tallies.take().into_events();
    tallies.put_back(events);
    tallies.add(&Answered { with: Some(id(3)), ..wrapped }, 1);
    let mut told: Vec<_> =
        tallies.into_events().iter().map(|event| (event.objects().to_vec(), event.count)).collect();
    told.sort();
    assert_eq!(told, [(vec![id(1)], 1), (vec![id(1), id(2)], 2), (vec![id(1), id(3)], 2)]);
}

#[test]
fn uses_are_off_or_durable_where_that_is_said() {
    let off = trail(Uses::Off);
    off.answered(&answered(ENCRYPT, Some(1), None)).unwrap();
    off.answered(&answered(ENCRYPT, Some(1), Some(NOT_FOUND))).unwrap();
    off.flush().unwrap();
    assert_eq!(all_of(&off).len(), 1, "what is refused is recorded all the same");
    let durable = trail(Uses::Durable);
    durable.answered(&answered(ENCRYPT, Some(1), None)).unwrap();
    assert_eq!(all_of(&durable).len(), 1);
}

#[test]
fn a_refusal_is_written_at_once_and_counted_when_it_comes_again() {
    let trail = trail(Uses::Buffered);
    for number in 0..100 {
        trail.answered(&answered(DESTROY, Some(number), Some(NOT_FOUND))).unwrap();
    }
    let all = all_of(&trail);
    assert_eq!((all.len(), count(&all)), (1, 1));
    assert_eq!(all[0]["target"]["id"], id(0).to_string());
    trail.flush().unwrap();
    let all = all_of(&trail);
    assert_eq!((all.len(), count(&all)), (2, 100));
    assert_eq!(all[1]["responseData"]["objects"].as_array().unwrap().len(), 16);
    trail.answered(&answered(DESTROY, Some(0), Some(NOT_FOUND))).unwrap();
    assert_eq!(all_of(&trail).len(), 3, "after a flush it is news again");
}

#[test]
fn a_change_that_changed_nothing_is_counted() {
    let trail = trail(Uses::Buffered);
    trail.answered(&answered(CREATE, Some(1), None)).unwrap();
    trail.flush().unwrap();
    assert_eq!(all_of(&trail).len(), 1);
}

#[test]
fn what_is_counted_has_bounds_and_nothing_is_lost_by_them() {
    let trail = trail(Uses::Buffered);
    for number in 0..10_000 {
        trail.answered(&answered(ENCRYPT, Some(number), None)).unwrap();
    }
    assert!(all_of(&trail).len() >= 4096, "it was not kept in memory");
    trail.flush().unwrap();
    assert_eq!(count(&all_of(&trail)), 10_000);
}

#[test]
fn what_the_store_does_not_take_is_kept_and_what_memory_does_not_is_told() {
    let trail = trail(Uses::Buffered);
    let head = row(trail.store_for_test(), HEAD);
    put(trail.store_for_test(), HEAD, None);
    for number in 0..5_000 {
        trail.answered(&answered(ENCRYPT, Some(number), None)).unwrap();
    }
    assert!(trail.flush().is_err());
    assert!(trail.answered(&answered(DESTROY, Some(1), Some(NOT_FOUND))).is_err());
    put(trail.store_for_test(), HEAD, head);
    trail.flush().unwrap();
    let all = all_of(&trail);
    assert_eq!(count(&all), 5_001);
    let lost = all.iter().find(|event| event["action"] == "audit.lose").unwrap();
    assert!(lost["count"].as_u64() >= Some(5_000 - 4_096));
}

#[test]
fn a_thread_writes_what_was_counted_and_the_last_of_it_at_its_end() {
    let trail = Arc::new(trail(Uses::Buffered));
    let flusher = Flusher::start(trail.clone(), Box::new(|| {})).unwrap();
    trail.answered(&answered(ENCRYPT, Some(1), None)).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while all_of(&trail).is_empty() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
    trail.answered(&answered(ENCRYPT, Some(1), None)).unwrap();
    drop(flusher);
    assert_eq!(count(&all_of(&trail)), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_byte_of_any_row_that_changes_is_found(at in 1_u64..=6, byte in 0_usize..2000, bit in 0_u8..8) {
        let (store, log) = with_events(5);
        let id = if at == 6 { HEAD } else { id(at) };
        let mut row = row(store.as_ref(), id).unwrap();
        let byte = byte % row.sealed.len();
        row.sealed[byte] ^= 1 << bit;
        put(store.as_ref(), id, Some(row));
        let found = log.read(store.as_ref(), 0, &mut |_| Ok(()));
        if at == 6 {
            prop_assert!(found.is_err());
        } else {
            prop_assert_eq!(found.unwrap(), Verdict::Broken { sequence: at, fault: Fault::Changed });
        }
    }

    #[test]
    fn batches_of_any_size_make_one_chain(sizes in prop::collection::vec(0_usize..40, 0..12), keep in 0_u64..30) {
        let (store, log) = begun(keep);
        for size in &sizes {
            log.write(store.as_ref(), &events(*size)).unwrap();
        }
        let total = sizes.iter().sum::<usize>() as u64;
        let (verdict, all) = read(store.as_ref(), &log, 0);
        prop_assert!(is_whole(verdict));
        let kept = if keep == 0 { total } else { total.min(keep) };
        prop_assert_eq!(all.len() as u64, kept);
    }
}
