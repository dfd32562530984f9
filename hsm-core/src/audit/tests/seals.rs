//! Seals, in the store and in the exported log: what anybody finds who has the public key.

use super::*;
use crate::unit::{AuditKey, LogEnd};

/// A log of ten events under three seals, the last of which is its end; and its key.
fn sealed() -> (Arc<dyn Store>, Log, AuditKey) {
    let (store, log) = begun(0);
    let key = AuditKey::of_test();
    for count in [4, 3, 3] {
        log.write(store.as_ref(), &events(count)).unwrap();
        log.sealed(store.as_ref(), &key, None).unwrap();
    }
    (store, log, key)
}

fn lines() -> Vec<String> {
    let (store, log, _) = sealed();
    read(store.as_ref(), &log, 0).1.iter().map(write_exported).collect()
}

fn verdict(lines: &[String]) -> Verdict {
    read_exported(lines.iter().cloned().map(Ok), &mut |_| Ok(())).unwrap()
}

/// The line with its link computed anew, as whoever has no key can do.
fn linked_anew(line: &str, before: &str) -> (String, String) {
    use sha2::{Digest, Sha256};
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let sequence = value["sequence"].as_u64().unwrap();
    let name = if value.get("seal").is_some() { "seal" } else { "event" };
    let json = line.split_once(&format!("\"{name}\":")).unwrap().1.strip_suffix('}').unwrap();
    let bytes = [&hex::decode(before).unwrap(), &sequence.to_be_bytes()[..], json.as_bytes()].concat();
    let link = hex::encode(Sha256::digest(bytes));
    let line =
        format!("{{\"sequence\":{sequence},\"before\":\"{before}\",\"link\":\"{link}\",\"{name}\":{json}}}");
    (line, link)
}

#[test]
fn a_log_is_sealed_once_for_what_came_since() {
    let (store, log, key) = sealed();
    let (verdict, all) = read(store.as_ref(), &log, 0);
    assert!(is_whole(verdict));
    let seals: Vec<u64> = all.iter().filter(|entry| entry.seal.is_some()).map(|it| it.sequence).collect();
    assert_eq!(seals, [5, 9, 13]);
    let by = all.last().unwrap().seal.as_ref().unwrap();
    assert_eq!((by.hsm.as_str(), by.key), ("hsm", key.public_key().ski()));
    let (end, goes_on) = log.sealed(store.as_ref(), &key, None).unwrap();
    assert_eq!((end.number, end.link, goes_on), (13, all.last().unwrap().link, true));
    assert_eq!(read(store.as_ref(), &log, 0).1.len(), 13);
}

#[test]
fn an_empty_log_has_nothing_to_seal() {
    let (store, log) = begun(0);
    let (end, _) = log.sealed(store.as_ref(), &AuditKey::of_test(), None).unwrap();
    assert_eq!(end, LogEnd { number: 0, link: log::genesis("hsm") });
    assert_eq!(read(store.as_ref(), &log, 0).1.len(), 0);
}

#[test]
fn a_log_goes_on_from_ends_that_it_had_and_from_no_others() {
    let (store, all) = begun(0);
    let empty = LogEnd { number: 0, link: log::genesis("hsm") };
    all.write(store.as_ref(), &events(10)).unwrap();
    let (_, entries) = read(store.as_ref(), &all, 0);
    let end = |number: u64| LogEnd { number, link: entries[number as usize - 1].link };
    let goes_on = |log: &Log, known: LogEnd| {
        let mut goes_on = None;
        store
            .read(&mut |reader| {
                goes_on = Some(log.goes_on_from(reader, known)?);
                Ok(())
            })
            .unwrap();
        goes_on.unwrap()
    };
    for known in [empty, end(1), end(9), end(10)] {
        assert!(goes_on(&all, known), "{known:?}");
    }
    for known in [
        LogEnd { number: 11, ..end(10) },
        LogEnd { number: 9, ..end(10) },
        LogEnd { link: [0; 32], ..end(3) },
        LogEnd { link: [0; 32], ..empty },
    ] {
        assert!(!goes_on(&all, known), "{known:?}");
    }
    // Entries 1 to 5 go.
    let few = log(6);
    few.write(store.as_ref(), &events(1)).unwrap();
    few.write(store.as_ref(), &events(1)).unwrap();
    let first = read(store.as_ref(), &few, 0).1[0].sequence;
    assert_eq!(first, 7);
    assert!(goes_on(&few, end(6)) && goes_on(&few, end(2)));
    assert!(!goes_on(&few, LogEnd { link: [0; 32], ..end(6) }));
}

#[test]
fn a_seal_that_is_gone_or_another_kind_of_record_is_named() {
    let (store, log, _) = sealed();
    let seal = row(store.as_ref(), id(5)).unwrap();
    put(store.as_ref(), id(5), None);
    let broken = |fault| Verdict::Broken { sequence: 5, fault };
    assert_eq!(read(store.as_ref(), &log, 0).0, broken(Fault::Missing));
    put(store.as_ref(), id(5), Some(Row { kind: 7, ..seal }));
    assert_eq!(read(store.as_ref(), &log, 0).0, broken(Fault::Changed));
}

#[test]
fn seals_go_with_the_oldest_events() {
    let (store, log) = begun(5);
    let key = AuditKey::of_test();
    for _ in 0..6 {
        log.write(store.as_ref(), &events(2)).unwrap();
        log.sealed(store.as_ref(), &key, None).unwrap();
    }
    let (verdict, all) = read(store.as_ref(), &log, 0);
    assert!(matches!(verdict, Verdict::Whole { first: 14, next: 19, .. }), "{verdict:?}");
    assert_eq!(all.iter().filter(|entry| entry.seal.is_some()).count(), 2);
}

#[test]
fn an_exported_log_is_whole_from_any_line_on() {
    let lines = lines();
    for from in [0, 1, 4, 5, 12] {
        let verdict = verdict(&lines[from..]);
        assert!(
            matches!(verdict, Verdict::Whole { first, next: 14, .. } if first == from as u64 + 1),
            "{verdict:?}"
        );
    }
    assert!(matches!(verdict(&[]), Verdict::Whole { first: 1, next: 1, .. }));
}

#[test]
fn what_was_done_to_an_exported_log_is_named() {
    let whole = lines();
    let broken = |sequence, fault| Verdict::Broken { sequence, fault };
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        verdict(&lines)
    };
    let changed = with(&|lines| lines[2] = lines[2].replace("kmip.create", "kmip.destroy"));
    assert_eq!(changed, broken(3, Fault::Changed));
    assert_eq!(with(&|lines| drop(lines.remove(6))), broken(7, Fault::Missing));
    assert_eq!(with(&|lines| drop(lines.remove(4))), broken(5, Fault::Missing), "a seal");
    assert_eq!(with(&|lines| lines.swap(5, 6)), broken(6, Fault::Missing));
    assert_eq!(with(&|lines| lines.insert(3, lines[2].clone())), broken(3, Fault::Unlinked));
    assert_eq!(with(&|lines| lines.push(String::new())), broken(14, Fault::Unreadable));
    assert_eq!(with(&|lines| lines[3] = "{}".into()), broken(4, Fault::Unreadable));
    // Of a log of another HSM, from the same place on.
    let other = lines();
    assert_eq!(
        with(&|lines| lines.splice(7.., other[7..].to_vec()).for_each(drop)),
        broken(8, Fault::Unlinked)
    );
}

#[test]
fn who_computes_the_links_anew_is_found_by_the_next_seal() {
    let mut lines = lines();
    lines[2] = lines[2].replace("kmip.create", "kmip.destroy");
    let mut before =
        serde_json::from_str::<serde_json::Value>(&lines[2]).unwrap()["before"].as_str().unwrap().to_owned();
    for line in &mut lines[2..] {
        (*line, before) = linked_anew(line, &before);
    }
    assert_eq!(verdict(&lines), Verdict::Broken { sequence: 5, fault: Fault::WrongSeal });
    // Without the seals the links are whole, and nobody has signed them.
    let cut: Vec<String> = lines[..4].to_vec();
    assert!(is_whole(verdict(&cut)));
}

#[test]
fn a_seal_with_another_signature_is_named() {
    let mut lines = lines();
    let before = serde_json::from_str::<serde_json::Value>(&lines[12]).unwrap();
    let signature = before["seal"]["signature"].as_str().unwrap();
    let other = serde_json::from_str::<serde_json::Value>(&lines[8]).unwrap();
    let forged = lines[12].replace(signature, other["seal"]["signature"].as_str().unwrap());
    lines[12] = linked_anew(&forged, before["before"].as_str().unwrap()).0;
    assert_eq!(verdict(&lines), Verdict::Broken { sequence: 13, fault: Fault::WrongSeal });
}

#[test]
fn a_log_that_begins_with_its_first_entry_begins_as_the_hsm_does() {
    let mut lines = lines();
    let mut before = "00".repeat(32);
    for line in &mut lines[..4] {
        (*line, before) = linked_anew(line, &before);
    }
    assert!(matches!(verdict(&lines[..4]), Verdict::Whole { .. }), "no seal has told the HSM yet");
    let (store, all) = begun(0);
    put(store.as_ref(), HEAD, None);
    let other = Log::new(&secret(), "other".into(), 0).unwrap();
    store.write(SPACE, &mut |writer| other.begin(writer).map(drop)).unwrap();
    // The HSM goes on with another unit, whose name is another.
    all.write(store.as_ref(), &events(2)).unwrap();
    all.sealed(store.as_ref(), &AuditKey::of_test(), None).unwrap();
    let (_, entries) = read(store.as_ref(), &all, 0);
    let lines: Vec<String> = entries.iter().map(write_exported).collect();
    assert_eq!(verdict(&lines), Verdict::Broken { sequence: 3, fault: Fault::WrongSeal });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_byte_of_an_exported_log_that_changes_is_found(at in 0_usize..13, byte in 0_usize..2000, bit in 0_u8..7) {
        use std::sync::LazyLock;
        static LINES: LazyLock<Vec<String>> = LazyLock::new(lines);
        let mut changed = LINES.clone();
        let mut bytes = changed[at].clone().into_bytes();
        let byte = byte % bytes.len();
        bytes[byte] ^= 1 << bit;
        changed[at] = String::from_utf8_lossy(&bytes).into_owned();
        let found = verdict(&changed);
        // The case of a hexadecimal digit says nothing.
        let says_nothing = changed[at].eq_ignore_ascii_case(&LINES[at]) && is_whole(found);
        let is_named = matches!(found, Verdict::Broken { sequence, .. } if sequence.abs_diff(at as u64 + 1) <= 1);
        prop_assert!(says_nothing || is_named, "{found:?}");
    }
}
