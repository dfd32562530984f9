//! Several processes at one store, and processes that are killed. A child is this test program
//! again, run with nothing but the test [`in_a_child`], which then plays the role that it finds in
//! the environment.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::*;

const ROLE: &str = "STORE_TEST_ROLE";
const URL: &str = "STORE_TEST_URL";
const NUMBER: &str = "STORE_TEST_NUMBER";

/// Nobody: a user without rights, for tests that are run by root.
const NOBODY: u32 = 65534;

/// Plays a role for one of the tests below. On its own it has nothing to do.
#[test]
fn in_a_child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let url = std::env::var(URL).unwrap().parse().unwrap();
    let number: u64 = std::env::var(NUMBER).unwrap().parse().unwrap();
    match role.as_str() {
        "put for ever" => put_for_ever(&url, number),
        "stay in a write" => stay_in_a_write(&url),
        "count up" => count_up(&url),
        "write in turn" => write_in_turn(&url, number),
        "look without rights" => look_without_rights(&url),
        other => panic!("no role {other}"),
    }
}

fn child(role: &str, url: &StoreUrl, number: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "store::contract::processes::in_a_child", "--nocapture"])
        .env(ROLE, role)
        .env(URL, url.to_string())
        .env(NUMBER, number.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Says a line to the parent. The test harness prints to the same pipe, hence the mark.
fn say(text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n>{text}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// What the child says until it ends.
fn heard(child: &mut Child) -> impl Iterator<Item = String> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(std::result::Result::ok).filter_map(|line| line.strip_prefix('>').map(str::to_owned))
}

fn wide_id(number: u64) -> RecordId {
    RecordId(u128::from(number).to_be_bytes())
}

fn wide_entry(number: u64) -> Indexed {
    let entry = Entry { chain: 1, tag: u128::from(number).to_be_bytes(), record: wide_id(number) };
    Indexed { entry, mac: [1; 16] }
}

/// Puts records and their entries, and says the number of each when it is acknowledged.
fn put_for_ever(url: &StoreUrl, first: u64) {
    let store = open(url).unwrap();
    for number in first.. {
        let body = |writer: &mut dyn Writer| {
            // More than a page, so that a transaction is several frames of SQLite's log.
            writer.put(P, wide_id(number), &row(1, &"x".repeat(6000)))?;
            writer.put_entry(P, &wide_entry(number))
        };
        write(store.as_ref(), body).unwrap();
        say(number);
    }
}

/// Runs children that put for ever, kills each at some moment, and checks after each that everything
/// acknowledged is there, and nothing by halves.
fn acknowledged_writes_survive_kills(url: &StoreUrl, rounds: u64, at_once: u64) {
    let mut acknowledged: Vec<u64> = Vec::new();
    for round in 0..rounds {
        // In every other round the store is open here too, and its log needs no recovery.
        let witness = (round % 2 == 1 && at_once > 1).then(|| open(url).unwrap());
        let first = |number: u64| (round * at_once + number) << 32;
        let mut children: Vec<_> =
            (0..at_once).map(|number| child("put for ever", url, first(number)).spawn().unwrap()).collect();
        std::thread::sleep(Duration::from_millis(60 + round * 37 % 90));
        for child in &mut children {
            child.kill().unwrap();
            acknowledged.extend(heard(child).filter_map(|number| number.parse::<u64>().ok()));
            child.wait().unwrap();
        }
        let store = witness.unwrap_or_else(|| open(url).unwrap());
        for number in &acknowledged {
            assert!(get(store.as_ref(), P, wide_id(*number)).is_some(), "{number} was acknowledged");
        }
        let entries = after(store.as_ref(), P, wide_entry(0).entry, usize::MAX);
        for indexed in entries {
            assert!(get(store.as_ref(), P, indexed.entry.record).is_some(), "half a transaction");
        }
        assert!(store.generation(P).unwrap().is_some(), "the counter is set right");
    }
    assert!(acknowledged.len() > 10, "only {} writes were made", acknowledged.len());
}

#[test]
fn on_sqlite_acknowledged_writes_survive_kills() {
    let mut subject = Subject::new(sqlite);
    subject.store = None;
    acknowledged_writes_survive_kills(&subject.url, 8, 2);
}

#[cfg(feature = "sled")]
#[test]
fn on_sled_acknowledged_writes_survive_kills() {
    let mut subject = Subject::new(sled);
    subject.store = None;
    acknowledged_writes_survive_kills(&subject.url, 5, 1);
}

#[cfg(feature = "sled")]
#[test]
fn sled_refuses_a_second_owner_with_advice() {
    let subject = Subject::new(sled);
    let refused = open(&subject.url).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused:?}");
    assert!(refused.to_string().contains("use sqlite: to share"), "{refused}");
}

fn stay_in_a_write(url: &StoreUrl) {
    let store = open(url).unwrap();
    let body = |writer: &mut dyn Writer| {
        writer.put(P, id(2), &row(1, "never committed"))?;
        say("inside");
        std::thread::sleep(Duration::from_secs(60));
        Ok(())
    };
    write(store.as_ref(), body).unwrap();
}

#[test]
fn a_writer_that_is_killed_holds_nobody_up() {
    let subject = Subject::new(sqlite);
    put(subject.store(), P, id(1), &row(1, "one"));
    let mut writer = child("stay in a write", &subject.url, 0).spawn().unwrap();
    assert_eq!(heard(&mut writer).next().unwrap(), "inside");
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")), "readers do not wait for it");
    writer.kill().unwrap();
    writer.wait().unwrap();
    let began = Instant::now();
    put(subject.store(), P, id(1), &row(2, "two"));
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(get(subject.store(), P, id(2)), None);
}

#[test]
fn suspending_does_not_wait_for_a_writer_of_another_process() {
    let subject = Subject::new(sqlite);
    let mut writer = child("stay in a write", &subject.url, 0).spawn().unwrap();
    assert_eq!(heard(&mut writer).next().unwrap(), "inside");
    std::thread::scope(|scope| {
        scope.spawn(|| put(subject.store(), P, id(1), &row(1, "one")));
        std::thread::sleep(Duration::from_millis(50));
        let began = Instant::now();
        subject.store().suspend();
        assert!(began.elapsed() < Duration::from_secs(2));
        writer.kill().unwrap();
        writer.wait().unwrap();
        subject.store().resume();
    });
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")));
}

fn count_up(url: &StoreUrl) {
    let store = open(url).unwrap();
    for _ in 0..25 {
        let body = |writer: &mut dyn Writer| {
            let old = writer.get(P, id(1))?.unwrap();
            writer.put(P, id(1), &Row { revision: old.revision + 1, ..old })
        };
        write(store.as_ref(), body).unwrap();
    }
}

#[test]
fn no_update_of_many_processes_is_lost() {
    let subject = Subject::new(sqlite);
    put(subject.store(), P, id(1), &row(1, "x"));
    let children: Vec<_> = (0..4).map(|_| child("count up", &subject.url, 0).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(get(subject.store(), P, id(1)).unwrap().revision, 101);
}

#[test]
fn a_change_by_another_process_moves_the_counter_here() {
    let subject = Subject::new(sqlite);
    put(subject.store(), P, id(1), &row(1, "x"));
    put(subject.store(), Q, id(1), &row(1, "x"));
    let before = [P, Q].map(|partition| subject.store().generation(partition).unwrap().unwrap());
    assert!(child("count up", &subject.url, 0).status().unwrap().success());
    let after = [P, Q].map(|partition| subject.store().generation(partition).unwrap().unwrap());
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1], before[1]);
}

/// Writes for a second from `start` on (in milliseconds since 1970), and says for each write how many of
/// others were committed while it waited. It has written before, so that all are at it when it begins,
/// and goes on a little: who is alone at the end writes faster. It stays in a write for a while and does
/// not wait for the disk, so that the line alone decides who writes how often.
fn write_in_turn(url: &StoreUrl, start: u64) {
    let store = open(url).unwrap();
    let start = UNIX_EPOCH + Duration::from_millis(start);
    let end = start + Duration::from_secs(1);
    loop {
        let now = SystemTime::now();
        if now > end + Duration::from_millis(200) {
            return;
        }
        let before = get(store.as_ref(), P, id(1)).unwrap().revision;
        let mut at_turn = 0;
        let mut body = |writer: &mut dyn Writer| {
            at_turn = writer.revision(P, id(1))?.unwrap();
            std::thread::sleep(Duration::from_millis(2));
            Ok(writer.put(P, id(1), &row(at_turn + 1, "x"))?)
        };
        store.write_soon(P, &mut body).unwrap();
        if (start..end).contains(&now) {
            say(at_turn - before);
        }
    }
}

#[test]
fn eight_processes_write_in_turn() {
    let subject = Subject::new(sqlite);
    put(subject.store(), P, id(1), &row(1, "x"));
    let start = (SystemTime::now() + Duration::from_secs(1)).duration_since(UNIX_EPOCH).unwrap();
    let start = u64::try_from(start.as_millis()).unwrap();
    let mut children: Vec<_> =
        (0..8).map(|_| child("write in turn", &subject.url, start).spawn().unwrap()).collect();
    let mut counts = Vec::new();
    let mut waits: Vec<u64> = Vec::new();
    for child in &mut children {
        let waited: Vec<u64> = heard(child).map(|turns| turns.parse().unwrap()).collect();
        assert!(child.wait().unwrap().success());
        counts.push(waited.len());
        waits.extend(waited);
    }
    waits.sort_unstable();
    let late = waits[waits.len() * 99 / 100];
    // Counted in turns, not in time, which a busy machine stretches. In order it is seven; in
    // SQLite's own race it is hundreds.
    assert!(late <= 16, "writes per process {counts:?}, turns waited: p99 {late}, most {:?}", waits.last());
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(least * 2 >= *most, "{counts:?}");
}

/// As a user without rights: closed files are named as such, and what may only be read is read.
fn look_without_rights(url: &StoreUrl) {
    let StoreUrl::Sqlite(directory) = url else { panic!("for SQLite") };
    let set = |name: &str, mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(directory.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let store = create(url, None).unwrap();
    put(store.as_ref(), P, id(1), &row(1, "one"));

    set("softhsm-rs.sqlite", 0o000);
    assert!(matches!(open(url), Err(StoreError::Denied(_))));
    set("softhsm-rs.sqlite", 0o400);
    let reader = open(url).unwrap();
    assert_eq!(get(reader.as_ref(), P, id(1)), Some(row(1, "one")));
    let refused = write(reader.as_ref(), |w| w.put(P, id(1), &row(2, "two")));
    assert!(matches!(refused, Err(Error::Store(StoreError::ReadOnly(_)))), "{refused:?}");
    drop((reader, store));

    set("", 0o500);
    assert!(matches!(open(url), Err(StoreError::ReadOnly(_))), "{:?}", open(url).map(drop));
    let other = StoreUrl::Sqlite(directory.join("new"));
    assert!(matches!(create(&other, None), Err(StoreError::ReadOnly(_))));
    set("", 0o000);
    assert!(matches!(open(url), Err(StoreError::Denied(_))));
    set("", 0o700);
}

#[test]
fn permissions_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let mut looker = child("look without rights", &sqlite(&directory.path().join("store")), 0);
    if rustix::process::geteuid().is_root() {
        // Root may do everything, so the child is somebody else, who must reach this program.
        std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        looker.uid(NOBODY).gid(NOBODY);
    }
    match looker.status() {
        Ok(status) => assert!(status.success()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            say("skipped: the test program is out of reach for an unprivileged user");
        }
        Err(error) => panic!("{error}"),
    }
}
