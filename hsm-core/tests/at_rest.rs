//! What is on the disk of private objects and PINs: nothing in clear, neither in the database nor in
//! its log nor in any other file.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::fs;
use std::path::Path;

use cryptoki_sys::*;
use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Role, Session};
use kit::*;

/// All bytes of all files of a home.
fn everything(home: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for entry in fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(everything(&path));
        } else {
            out.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    out
}

/// Asserts that no file of the home holds any of these, as bytes or in hexadecimal.
fn assert_absent(home: &Path, needles: &[(&str, Vec<u8>)]) {
    for (name, bytes) in everything(home) {
        for (what, needle) in needles {
            // A part of a key is as bad as the key.
            let part = &needle[..needle.len().min(12)];
            for form in [part.to_vec(), hex(part).into_bytes(), hex(part).to_uppercase().into_bytes()] {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{name} holds the {what} in clear");
            }
        }
    }
}

/// Private objects of every kind, and what must not be found of them.
fn fill_with_secrets(session: &Session) -> Vec<(&'static str, Vec<u8>)> {
    let mut given = data(true, "LABEL-of-a-private-object", b"VALUE-of-a-private-object");
    given.extend([
        bytes(CKA_APPLICATION, "APPLICATION-of-a-private-object"),
        bytes(CKA_OBJECT_ID, "OBJECT-ID-of-a-private-object"),
    ]);
    session.create_object(given).unwrap();
    let mut aes = secret(true, "LABEL-of-a-private-key", CKK_AES, b"KEY-BYTES-that-are-32-long-so-so");
    aes.push(bytes(CKA_ID, "ID-of-a-private-key"));
    session.create_object(aes).unwrap();
    let mut public = token(false, "public half");
    public.push(number(CKA_MODULUS_BITS, 2048));
    let mut private = token(true, "LABEL-of-an-RSA-key");
    private.extend([flag(CKA_SENSITIVE, false), flag(CKA_EXTRACTABLE, true)]);
    let pair = session.generate_key_pair(&Mechanism::plain(CKM_RSA_PKCS_KEY_PAIR_GEN), public, private);
    let (_, rsa) = pair.unwrap();
    let mut out: Vec<(&str, Vec<u8>)> = [
        ("label", "LABEL-of-a"),
        ("value", "VALUE-of-a-private-object"),
        ("application", "APPLICATION-of-a-private-object"),
        ("object identifier", "OBJECT-ID-of-a-private-object"),
        ("AES key", "KEY-BYTES-that-are-32-long-so-so"),
        ("identifier", "ID-of-a-private-key"),
        ("end of the AES key", "32-long-so-so"),
        ("user PIN", "PIN-of-the-user"),
        ("SO PIN", "PIN-of-the-SO"),
    ]
    .map(|(what, text)| (what, text.as_bytes().to_vec()))
    .into();
    for (what, kind) in [
        ("private exponent", CKA_PRIVATE_EXPONENT),
        ("first prime", CKA_PRIME_1),
        ("second prime", CKA_PRIME_2),
        ("first exponent", CKA_EXPONENT_1),
        ("second exponent", CKA_EXPONENT_2),
        ("coefficient", CKA_COEFFICIENT),
    ] {
        out.push((what, value(session, rsa, kind)));
    }
    out
}

#[test]
fn no_file_holds_anything_of_a_private_object_or_a_pin() {
    let fresh = Fresh::new();
    let session = fresh.user();
    session.set_pin(USER_PIN, b"PIN-of-the-user").unwrap();
    session.logout().unwrap();
    session.login(Role::So, SO_PIN).unwrap();
    session.set_pin(SO_PIN, b"PIN-of-the-SO").unwrap();
    session.logout().unwrap();
    session.login(Role::User, b"PIN-of-the-user").unwrap();
    let needles = fill_with_secrets(&session);
    let log = database(fresh.home.path()).with_extension("sqlite-wal");
    assert!(fs::metadata(&log).unwrap().len() > 10_000, "the log is not where it was looked for");
    assert_absent(fresh.home.path(), &needles);
    let moved = the(&session, "LABEL-of-a-private-key");
    session.set_attributes(moved, vec![label("LABEL-of-a-changed-key")]).unwrap();
    session.destroy_object(moved).unwrap();
    drop(session);
    let home = fresh.close();
    assert!(!log.exists());
    assert_absent(home.path(), &needles);
}

/// The master key opens them, and it is in the unit's file, sealed; nothing more is in clear for that.
#[test]
fn no_file_holds_anything_of_a_servers_private_objects() {
    let home = directory();
    let hsm = handle(home.path());
    hsm.initialise(&Default::default(), &mut |_| {}).unwrap();
    let server = hsm.server_partition("kmip").unwrap();
    let session = server.open_for_server().unwrap();
    let needles = fill_with_secrets(&session);
    assert_absent(home.path(), &needles);
    hsm.give_pins(&server, b"PIN-of-the-SO", b"PIN-of-the-user", false).unwrap();
    drop((session, server, hsm));
    assert!(!database(home.path()).with_extension("sqlite-wal").exists());
    assert_absent(home.path(), &needles);
}
