//! The process that holds a key, as a library sees it: one that answers, one that hangs, one that is gone.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use crate::error::Error;
use crate::secret::Secret;
use crate::unit::holder::silence::MEMORY;
use crate::unit::holder::{self, Forced, HEAD, Message, PATIENCE, Place};
use crate::unit::*;

const PASSPHRASE: &[u8] = b"correct horse";

struct Home {
    paths: UnitPaths,
    key: Vec<u8>,
    _directory: tempfile::TempDir,
}

impl Home {
    fn of(access: Access) -> Home {
        let directory = tempfile::tempdir().unwrap();
        let paths = UnitPaths::in_home(directory.path());
        let mut unit = Unit::create(&paths, access, UnitKind::Operational).unwrap();
        unit.reseal(FreshSealer::passphrase(Secret::copy_of(PASSPHRASE)).unwrap()).unwrap();
        let key = unit.sealer().key().unwrap().expose().to_vec();
        Home { paths, key, _directory: directory }
    }

    fn new() -> Home {
        Home::of(Access::Owner)
    }

    fn sealed(&self) -> String {
        match Unit::open(&self.paths) {
            Err(Error::UnitSealed(text)) => text,
            other => panic!("{other:?}"),
        }
    }
}

/// Answers one request with these bytes.
fn answering(listener: &UnixListener, answer: &[u8]) -> [u8; HEAD] {
    listener.set_nonblocking(false).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = [0; HEAD];
    stream.read_exact(&mut request).unwrap();
    stream.write_all(answer).unwrap();
    request
}

/// What an opener says while these bytes are answered.
fn answered(home: &Home, answer: &[u8]) -> crate::error::Result<Unit> {
    let (place, listener) = Place::claim(&home.paths).unwrap();
    let opened = std::thread::scope(|scope| {
        let server = scope.spawn(|| answering(&listener, answer));
        let opened = Unit::open(&home.paths);
        assert_eq!(Message::of_bytes(&server.join().unwrap()), Some(Message::Key));
        opened
    });
    place.leave().unwrap();
    opened
}

#[test]
fn the_key_of_a_holder_opens_the_unit() {
    let home = Home::new();
    let answer = [Message::Key.to_bytes().as_slice(), &home.key].concat();
    assert!(answered(&home, &answer).is_ok());
    assert!(home.sealed().contains("run `softhsm-rs unlock`"), "the holder is gone");
}

#[test]
fn another_key_does_not_open_it() {
    let home = Home::new();
    let answer = [Message::Key.to_bytes().as_slice(), &[7; 32]].concat();
    let error = answered(&home, &answer).unwrap_err().to_string();
    assert!(error.contains("softhsm-rs lock"), "{error}");
}

#[test]
fn answers_that_are_none_are_told() {
    let home = Home::new();
    let said = |answer: &[u8]| answered(&home, answer).unwrap_err().to_string();
    assert!(said(&Message::No.to_bytes()).contains("owner and group alone"));
    for odd in [&b""[..], b"SSH-2.0-x", &Message::End.to_bytes(), &Message::Key.to_bytes()] {
        assert!(said(odd).contains("does not answer as a holder does"), "{odd:?}");
    }
}

#[test]
fn a_holder_that_hangs_keeps_nobody_for_longer_than_its_time() {
    let home = Home::new();
    let (_place, listener) = Place::claim(&home.paths).unwrap();
    let begun = Instant::now();
    assert!(home.sealed().contains("does not answer"));
    assert!((PATIENCE..PATIENCE * 4).contains(&begun.elapsed()), "{:?}", begun.elapsed());

    let _waiting = crowd(&home.paths);
    // The first time was remembered.
    std::thread::sleep(MEMORY);
    let begun = Instant::now();
    assert!(home.sealed().contains("does not answer"));
    assert!((PATIENCE..PATIENCE * 4).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    drop(listener);
    assert_eq!(holder::end_by_force(&home.paths).unwrap(), Forced::None, "nobody listens any more");
}

#[test]
fn a_holder_that_did_not_answer_is_not_asked_again_at_once() {
    let home = Home::new();
    let (_place, listener) = Place::claim(&home.paths).unwrap();
    let text = home.sealed();
    let said = format!("(process {} of user", std::process::id());
    assert!(text.contains(&said) && text.contains("softhsm-rs lock --force"), "{text}");
    let begun = Instant::now();
    assert!(home.sealed().contains("does not answer"));
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    // Another holder in its place is asked.
    drop(listener);
    fs::remove_file(&home.paths.holder).unwrap();
    let answer = [Message::Key.to_bytes().as_slice(), &home.key].concat();
    assert!(answered(&home, &answer).is_ok());
}

#[test]
fn a_holder_that_too_many_wait_for_loses_its_place_alone() {
    let home = Home::new();
    let (_place, _listener) = Place::claim(&home.paths).unwrap();
    let _waiting = crowd(&home.paths);
    assert_eq!(holder::end_by_force(&home.paths).unwrap(), Forced::Disowned);
    assert!(!home.paths.holder.exists());
    assert_eq!(holder::end_by_force(&home.paths).unwrap(), Forced::None);
}

/// As many connections as the system lets wait.
fn crowd(paths: &UnitPaths) -> Vec<std::os::fd::OwnedFd> {
    let mut waiting = Vec::new();
    while waiting.len() < 5000 {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::NONBLOCK,
            None,
        );
        let socket = socket.unwrap();
        let address = rustix::net::SocketAddrUnix::new(&paths.holder).unwrap();
        if rustix::net::connect(&socket, &address).is_err() {
            break;
        }
        waiting.push(socket);
    }
    waiting
}

#[test]
fn a_holder_that_drips_its_answer_is_not_waited_for() {
    let home = Home::new();
    let (_place, listener) = Place::claim(&home.paths).unwrap();
    listener.set_nonblocking(false).unwrap();
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            for byte in Message::Key.to_bytes() {
                std::thread::sleep(PATIENCE / 3);
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
            }
        });
        let begun = Instant::now();
        assert!(home.sealed().contains("does not answer"));
        assert!(begun.elapsed() < PATIENCE * 3, "{:?}", begun.elapsed());
        server.join().unwrap();
    });
}

#[test]
fn what_a_killed_holder_left_behind_is_no_holder_and_gives_way_to_another() {
    let home = Home::new();
    drop(Place::claim(&home.paths).unwrap());
    assert!(home.paths.holder.exists());
    assert!(home.sealed().contains("run `softhsm-rs unlock`"));
    assert!(!holder::runs(&home.paths) && !holder::end(&home.paths).unwrap());
    let (place, _listener) = Place::claim(&home.paths).unwrap();
    assert!(holder::runs(&home.paths));
    place.leave().unwrap();
    assert!(!home.paths.holder.exists());
}

#[test]
fn there_is_one_holder_and_it_takes_its_own_place_away_alone() {
    let home = Home::new();
    let (first, listener) = Place::claim(&home.paths).unwrap();
    assert!(matches!(Place::claim(&home.paths), Err(Error::Locked(_))));
    drop(listener);
    let (second, _listener) = Place::claim(&home.paths).unwrap();
    first.leave().unwrap();
    assert!(home.paths.holder.exists(), "the first one took the second one's place away");
    second.leave().unwrap();
    assert!(!home.paths.holder.exists());
}

#[test]
fn the_socket_is_for_whom_the_unit_is() {
    const STRANGER: u32 = 4711;
    let home = Home::new();
    let (place, _listener) = Place::claim(&home.paths).unwrap();
    let data = fs::metadata(&home.paths.holder).unwrap();
    assert_eq!(data.mode() & 0o777, 0o600);
    assert!(place.admits(data.uid(), STRANGER) && place.admits(0, 0));
    assert!(!place.admits(STRANGER, STRANGER) && !place.admits(STRANGER, data.gid()));

    let group = data.gid();
    let home = Home::of(Access::Group(group));
    let (place, _listener) = Place::claim(&home.paths).unwrap();
    let data = fs::metadata(&home.paths.holder).unwrap();
    assert_eq!((data.mode() & 0o777, data.gid()), (0o660, group));
    assert!(place.admits(STRANGER, group));
    // The mode let in members alone, whose further groups are not told.
    assert!(place.admits(STRANGER, STRANGER));
    fs::set_permissions(&home.paths.holder, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    assert!(!place.admits(STRANGER, STRANGER) && place.admits(STRANGER, group));
}

#[test]
fn a_home_may_have_a_long_path() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("x".repeat(120));
    let paths = UnitPaths::in_home(&long);
    Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
    assert!(!holder::runs(&paths));
    let (place, _listener) = Place::claim(&paths).unwrap();
    assert!(holder::runs(&paths));
    place.leave().unwrap();
    assert!(holder::ask(&paths).unwrap().is_none());
    assert!(holder::ask(&UnitPaths::in_home(&long.join("none"))).unwrap().is_none());
}
