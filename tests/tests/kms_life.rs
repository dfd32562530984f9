//! A key's life at every door: each state of a root key × each action × the key management service, PKCS #11 in
//! another process, and KMIP. The states and actions are Key Protect's.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use std::time::{Duration, Instant};

use hsm_tests::function;
use hsm_tests::keys;
use hsm_tests::kit::PIN;
use hsm_tests::kmip::client::Client;
use hsm_tests::kmip::message::operation;
use hsm_tests::kmip::server::Server;
use hsm_tests::operations::{DECRYPT, ENCRYPT};
use hsm_tests::prelude::*;
use hsm_tests::raw::module_path;

/// The states, with how a key named `{name}` comes into each. Seconds are added to the present moment.
const STATES: [(u8, &[&str]); 4] = [
    (1, &["-100 root {name}"]),
    (2, &["-100 root {name}", "-100 disable {key}"]),
    (3, &["-100 expiring {name} 50"]),
    (5, &["-100 root {name}", "-100 delete {key}"]),
];

/// What the service answers in the states 1, 2, 3 and 5; `ok` is anything but a refusal.
const SERVICE: [(&str, [&str; 4]); 12] = [
    ("0 state {key}", ["1", "2", "3", "5"]),
    ("0 read {key}", ["none", "none", "none", "none"]),
    ("0 alias {key} {name}-alias", ["ok", "ok", "ok", "KEY_DELETED_ERR"]),
    ("0 rotate {key}", ["ok", "KEY_INVALID_STATE_ERR", "ok", "KEY_DELETED_ERR"]),
    ("0 wrap {key}", ["ok", "KEY_INVALID_STATE_ERR", "KEY_INVALID_STATE_ERR", "KEY_DELETED_ERR"]),
    ("0 unwrap {key} {text}", ["dek", "KEY_INVALID_STATE_ERR", "dek", "KEY_DELETED_ERR"]),
    ("0 rewrap {key} {text}", ["ok", "KEY_INVALID_STATE_ERR", "ok", "KEY_DELETED_ERR"]),
    (
        "0 disable {key}",
        ["ok", "KEY_ACTION_INVALID_STATE_ERR", "KEY_ACTION_INVALID_STATE_ERR", "KEY_DELETED_ERR"],
    ),
    (
        "0 enable {key}",
        ["KEY_ACTION_INVALID_STATE_ERR", "ok", "KEY_ACTION_INVALID_STATE_ERR", "KEY_DELETED_ERR"],
    ),
    ("0 delete {key}", ["ok", "ok", "ok", "KEY_DELETED_ERR"]),
    (
        "0 restore {key}",
        [
            "KEY_ACTION_INVALID_STATE_ERR",
            "KEY_ACTION_INVALID_STATE_ERR",
            "KEY_ACTION_INVALID_STATE_ERR",
            "ok",
        ],
    ),
    // Four hours after it was deleted.
    (
        "14300 purge {key}",
        [
            "KEY_ACTION_INVALID_STATE_ERR",
            "KEY_ACTION_INVALID_STATE_ERR",
            "KEY_ACTION_INVALID_STATE_ERR",
            "done",
        ],
    ),
];

/// How a standard key named `{name}` comes into the states 1, 3 and 5; nothing suspends one.
const STANDARD_STATES: [(u8, &[&str]); 3] = [
    (1, &["-100 standard {name} secret"]),
    (3, &["-100 standard {name} secret 50"]),
    (5, &["-100 standard {name} secret", "-100 delete {key}"]),
];

/// What the service answers for standard keys in these states.
const STANDARD: [(&str, [&str; 3]); 12] = [
    ("0 state {key}", ["1", "3", "5"]),
    ("0 read {key}", ["secret", "secret", "none"]),
    ("0 alias {key} {name}-alias", ["ok", "ok", "KEY_DELETED_ERR"]),
    ("0 rotate {key}", ["KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR"]),
    ("0 wrap {key}", ["KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR"]),
    ("0 unwrap {key} e30=", ["KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR"]),
    ("0 rewrap {key} e30=", ["KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR"]),
    ("0 disable {key}", ["KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR"]),
    ("0 enable {key}", ["KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR", "KEY_ROOT_REQ_ERR"]),
    ("0 delete {key}", ["ok", "ok", "KEY_DELETED_ERR"]),
    ("0 restore {key}", ["KEY_ACTION_INVALID_STATE_ERR", "KEY_ACTION_INVALID_STATE_ERR", "ok"]),
    ("14300 purge {key}", ["KEY_ACTION_INVALID_STATE_ERR", "KEY_ACTION_INVALID_STATE_ERR", "done"]),
];

/// The service in a process of its own: lines in, lines out.
fn service(kit: &Kit, lines: &[String]) -> Vec<String> {
    let path = module_path().with_file_name("examples").join("kms");
    assert!(path.exists(), "{} is missing: build it (cargo build --examples)", path.display());
    let mut process = Command::new(path)
        .arg(kit.directory.join("tokens"))
        .arg(PIN)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starting the service");
    let mut input = process.stdin.take().expect("its input");
    input.write_all((lines.join("\n") + "\n").as_bytes()).expect("asking");
    drop(input);
    let output = process.wait_with_output().expect("its answers");
    assert!(output.status.success(), "{lines:?}");
    let answers: Vec<String> =
        String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), lines.len());
    answers
}

/// Makes a key in a state; answers its identifier and a text that it wrapped while it could.
fn key_in(kit: &Kit, state: u8, name: &str) -> (String, String) {
    let (_, steps) = STATES.iter().find(|(known, _)| *known == state).expect("a state");
    let [first, rest @ ..] = steps else { panic!("no steps") };
    let key = service(kit, &[first.replace("{name}", name)]).remove(0);
    let mut lines = vec![format!("-100 wrap {key}")];
    lines.extend(rest.iter().map(|step| step.replace("{key}", &key)));
    let text = service(kit, &lines).remove(0);
    (key, text)
}

/// A key's identifier as PKCS #11 and KMIP write it.
fn digits(key: &str) -> String {
    key.replace('-', "")
}

fn the(session: &Session<'_>, name: &str) -> Option<Object> {
    session.find(&attrs![CKA_LABEL => name]).expect("finding objects").first().copied()
}

fn cbc() -> Mech {
    Mech::bytes(CKM_AES_CBC_PAD, &[7; 16])
}

/// What a call of PKCS #11 answers.
fn answer<T>(result: Result<T, Rv>) -> Rv {
    result.err().unwrap_or(Rv(CKR_OK))
}

const NO: Rv = Rv(CKR_KEY_FUNCTION_NOT_PERMITTED);
const OK: Rv = Rv(CKR_OK);
const NEVER: Rv = Rv(CKR_ACTION_PROHIBITED);

isolated! {
    fn the_service_does_in_each_state_what_key_protect_does(kit, 300) {
        kit.token();
        for (place, (state, _)) in STATES.iter().enumerate() {
            for (action, expected) in SERVICE {
                let name = format!("key-{state}-{}", action.split(' ').nth(1).expect("a command"));
                let (key, text) = key_in(kit, *state, &name);
                let line = action.replace("{key}", &key).replace("{text}", &text).replace("{name}", &name);
                let answered = service(kit, &[line]).remove(0);
                let expected = expected[place];
                let fits = answered == expected || expected == "ok" && !answered.ends_with("_ERR");
                assert!(fits, "{action} in state {state}: {answered}, expected {expected}");
            }
        }
    }

    fn the_service_does_with_a_standard_key_what_key_protect_does(kit, 300) {
        kit.token();
        for (place, (state, steps)) in STANDARD_STATES.iter().enumerate() {
            for (action, expected) in STANDARD {
                let name = format!("key-{state}-{}", action.split(' ').nth(1).expect("a command"));
                let key = service(kit, &[steps[0].replace("{name}", &name)]).remove(0);
                for step in &steps[1..] {
                    service(kit, &[step.replace("{key}", &key)]);
                }
                let line = action.replace("{key}", &key).replace("{name}", &name);
                let answered = service(kit, &[line]).remove(0);
                let expected = expected[place];
                let fits = answered == expected || expected == "ok" && !answered.ends_with("_ERR");
                assert!(fits, "{action} in state {state}: {answered}, expected {expected}");
            }
        }
    }

    fn a_root_key_that_expired_decrypts_and_unwraps_what_it_made(kit, 120) {
        let token = kit.token();
        let session = token.user();
        let other = keys::generate_aes(&session, attrs![CKA_EXTRACTABLE => true, CKA_TOKEN => false]);
        service(kit, &["0 expiring soon 4".to_owned()]);
        let handle = the(&session, "soon").expect("the key");
        let ciphertext = session.encrypt(&cbc(), handle, b"data").expect("C_Encrypt while it is active");
        let wrapped = session.wrap(&cbc(), handle, other).expect("C_WrapKey while it is active");
        while session.encrypt(&cbc(), handle, b"data").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(answer(session.wrap(&cbc(), handle, other)), NO);
        assert_eq!(session.decrypt(&cbc(), handle, &ciphertext), Ok(b"data".to_vec()));
        let secret = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
        session.unwrap(&cbc(), handle, &wrapped, &secret).expect("C_UnwrapKey of a deactivated key");
    }

    fn pkcs11_does_with_a_root_key_what_its_state_lets_it(kit, 300) {
        let token = kit.token();
        let session = token.user();
        let other = keys::generate_aes(&session, attrs![CKA_EXTRACTABLE => true, CKA_TOKEN => false]);
        let (expected, _) = key_in(kit, 1, "reference");
        let reference = the(&session, "reference").expect("the reference");
        assert_eq!(session.get(reference, CKA_UNIQUE_ID), Ok(digits(&expected).into_bytes()));
        for (state, encrypt, decrypt) in [(1, OK, OK), (2, NO, NO), (3, NO, OK)] {
            let name = format!("key-{state}");
            let (key, _) = key_in(kit, 1, &name);
            let handle = the(&session, &name).expect("the key");
            let ciphertext = session.encrypt(&cbc(), handle, b"data").expect("C_Encrypt while it is active");
            let wrapped = session.wrap(&cbc(), handle, other).expect("C_WrapKey while it is active");
            let (handle, ciphertext, wrapped) = match state {
                1 => (handle, Some(ciphertext), Some(wrapped)),
                2 => {
                    service(kit, &[format!("0 disable {key}")]);
                    (handle, Some(ciphertext), Some(wrapped))
                }
                // Another key, of another material: what it decrypts is padded wrongly.
                _ => {
                    key_in(kit, 3, "expired");
                    (the(&session, "expired").expect("the expired key"), None, None)
                }
            };
            assert_eq!(answer(session.encrypt(&cbc(), handle, b"data")), encrypt, "C_Encrypt in {state}");
            assert_eq!(answer(session.wrap(&cbc(), handle, other)), encrypt, "C_WrapKey in {state}");
            let decrypted = session.init(DECRYPT, &cbc(), handle);
            assert_eq!(answer(decrypted), decrypt, "C_DecryptInit in {state}");
            let secret = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
            if let (Some(_), Some(wrapped)) = (ciphertext, wrapped) {
                let unwrapped = session.unwrap(&cbc(), handle, &wrapped, &secret);
                assert_eq!(answer(unwrapped), decrypt, "C_UnwrapKey in {state}");
            }
            if decrypted.is_ok() {
                // What has begun is ended, for the next one.
                let _ = session.once(DECRYPT, &[0; 16], Out::Buffer(&mut [0; 32]));
            }
            let sign = session.sign(&Mech::plain(CKM_AES_CMAC), handle, b"data");
            assert_eq!(answer(sign), NO, "C_Sign in {state}");
            assert_eq!(answer(session.set(handle, &attrs![CKA_LABEL => "new"])), NEVER, "in {state}");
            assert_eq!(answer(session.copy(handle, &attrs![CKA_LABEL => "copy"])), NEVER, "in {state}");
            let in_memory = session.copy(handle, &attrs![CKA_TOKEN => false]);
            assert_eq!(answer(in_memory), NEVER, "C_CopyObject in {state}");
            assert_eq!(answer(session.destroy(handle)), NEVER, "in {state}");
            let out = session.wrap(&cbc(), other, handle);
            assert_eq!(answer(out), Rv(CKR_KEY_UNEXTRACTABLE), "C_WrapKey of a root key in {state}");
            let derived = session.derive(&Mech::ecdh(CKD_NULL, b"", &[4; 65]), handle, &secret);
            assert_eq!(answer(derived), Rv(CKR_KEY_TYPE_INCONSISTENT), "C_DeriveKey in {state}");
            session.digest_init(&Mech::plain(CKM_SHA256)).expect("C_DigestInit");
            let digested = session.call(function!(C_DigestKey), &[handle.into()]);
            assert_eq!(digested, Err(Rv(CKR_KEY_INDIGESTIBLE)), "C_DigestKey in {state}");
            assert_eq!(answer(session.get(handle, CKA_VALUE)), Rv(CKR_ATTRIBUTE_SENSITIVE), "in {state}");
        }
        let (key, _) = key_in(kit, 1, "deleted");
        let handle = the(&session, "deleted").expect("the key");
        session.init(ENCRYPT, &cbc(), handle).expect("C_EncryptInit");
        service(kit, &[format!("0 delete {key}")]);
        assert!(session.once(ENCRYPT, b"data", Out::Buffer(&mut [0; 32])).is_err(), "a deleted key encrypted");
        assert_eq!(the(&session, "deleted"), None);
        assert_eq!(answer(session.get(handle, CKA_LABEL)), Rv(CKR_OBJECT_HANDLE_INVALID));
        service(kit, &[format!("60 restore {key}")]);
        let back = the(&session, "deleted").expect("the restored key");
        session.encrypt(&cbc(), back, b"data").expect("C_Encrypt of a restored key");
    }

    fn kmip_does_with_a_root_key_what_its_state_lets_it(kit, 300) {
        kit.token();
        let server = Server::start(kit);
        let mut client = server.client("second");
        for (state, encrypts, decrypts) in [(1, true, true), (2, false, false), (3, false, true)] {
            let name = format!("key-{state}");
            let (key, _) = key_in(kit, state, &name);
            let id = digits(&key);
            assert_eq!(client.locate(&name), std::slice::from_ref(&id));
            assert_eq!(client.encrypt(&id, &[7; 16], b"data").is_ok(), encrypts, "Encrypt in {state}");
            // 10 is Cryptographic Failure: another key made the text.
            let decrypted = client.decrypt(&id, &[7; 16], &[9; 16]).map_err(|refused| refused.reason);
            assert_eq!(matches!(decrypted, Ok(_) | Err(10)), decrypts, "Decrypt in {state}: {decrypted:?}");
            assert!(client.key(&id).is_err(), "Get in {state}");
            for operation in [operation::ACTIVATE, operation::DESTROY] {
                let refused = client.on(operation, &id).expect_err("a change of a key of the service");
                assert_eq!(refused.reason, PERMISSION_DENIED, "{operation:#x} in {state}: {refused:?}");
            }
            assert_eq!(client.revoke(&id).expect_err("Revoke").reason, PERMISSION_DENIED, "in {state}");
            let wrapping = client.create_aes(&format!("wrapping-{state}")).expect("Create");
            client.on(operation::ACTIVATE, &wrapping).expect("Activate");
            for (what, operation, payload) in ways_out(&id, &wrapping) {
                let refused = client.ask(operation, &payload).expect_err(what);
                let fits = [PERMISSION_DENIED, NOT_EXTRACTABLE].contains(&refused.reason);
                assert!(fits, "{what} in {state}: {refused:?}");
            }
            assert_eq!(client.locate(&name), [id], "in {state}");
        }
        let (key, _) = key_in(kit, 5, "deleted");
        deleted(&mut client, &digits(&key), "deleted");
        service(kit, &[format!("0 restore {key}")]);
        assert_eq!(client.locate("deleted"), [digits(&key)]);
        client.encrypt(&digits(&key), &[7; 16], b"data").expect("Encrypt of a restored key");
    }

    fn a_standard_key_is_read_at_every_door(kit) {
        let token = kit.token();
        let session = token.user();
        let lines = ["0 standard short secret".to_owned(), "0 standard whole 0123456789abcdef".to_owned()];
        let keys = service(kit, &lines);
        for (key, name, payload) in [(&keys[0], "short", "secret"), (&keys[1], "whole", "0123456789abcdef")] {
            assert_eq!(service(kit, &[format!("0 read {key}")]), [payload]);
            let handle = the(&session, name).expect("the key");
            assert_eq!(session.get(handle, CKA_VALUE), Ok(payload.as_bytes().to_vec()));
            assert_eq!(answer(session.destroy(handle)), NEVER);
        }
        let server = Server::start(kit);
        let mut client = server.client("second");
        assert_eq!(client.key(&digits(&keys[1])).expect("Get"), b"0123456789abcdef");
        service(kit, &[format!("0 delete {}", keys[1])]);
        deleted(&mut client, &digits(&keys[1]), "whole");
    }

    fn a_partition_answers_kmip_from_the_networks_of_its_policy_alone(kit) {
        kit.token();
        let server = Server::start(kit);
        let mut client = server.client("second");
        let id = client.create_aes("a key").expect("Create");
        service(kit, &["0 networks 192.0.2.0/24".to_owned()]);
        // That there is a restriction at all, a server learns when it looks: at a reload, and each minute.
        server.reload();
        let deadline = Instant::now() + Duration::from_secs(60);
        let refused = loop {
            match client.on(operation::GET, &id) {
                Err(refused) => break refused,
                Ok(_) => assert!(Instant::now() < deadline, "requests from another network are answered"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(refused.reason, PERMISSION_DENIED, "{refused:?}");
        service(kit, &["0 networks 192.0.2.0/24 127.0.0.0/8 ::1".to_owned()]);
        client.on(operation::GET, &id).expect("Get from a network of the policy");
    }
}

/// KMIP 1.4, section 9.1.3.2.29.
const PERMISSION_DENIED: u32 = 12;
const NOT_EXTRACTABLE: u32 = 23;

/// Requests of KMIP 1.4 that would let a key's value out, or change it: what they are, operation and payload.
fn ways_out(id: &str, wrapping: &str) -> [(&'static str, u32, Vec<Vec<u8>>); 5] {
    use hsm_tests::kmip::message::{attribute, bytes, enumeration, integer, structure, tag, text};
    let key = || text(tag::UNIQUE_IDENTIFIER, id);
    let mode = structure(tag::CRYPTOGRAPHIC_PARAMETERS, &[enumeration(tag::BLOCK_CIPHER_MODE, 13)]);
    let by = structure(tag::ENCRYPTION_KEY_INFORMATION, &[text(tag::UNIQUE_IDENTIFIER, wrapping), mode]);
    let specification = structure(
        tag::KEY_WRAPPING_SPECIFICATION,
        &[enumeration(tag::WRAPPING_METHOD, 1), by, enumeration(tag::ENCODING_OPTION, 1)],
    );
    let hash = structure(tag::CRYPTOGRAPHIC_PARAMETERS, &[enumeration(tag::HASHING_ALGORITHM, 6)]);
    let parameters = structure(tag::DERIVATION_PARAMETERS, &[hash, bytes(tag::DERIVATION_DATA, b"data")]);
    let new = structure(
        tag::TEMPLATE_ATTRIBUTE,
        &[
            attribute("Cryptographic Algorithm", enumeration(tag::ATTRIBUTE_VALUE, 3)),
            attribute("Cryptographic Length", integer(tag::ATTRIBUTE_VALUE, 256)),
            attribute("Cryptographic Usage Mask", integer(tag::ATTRIBUTE_VALUE, 12)),
        ],
    );
    let contact = attribute("Contact Information", text(tag::ATTRIBUTE_VALUE, "nobody"));
    [
        ("Get with a wrapping specification", operation::GET, vec![key(), specification]),
        ("Export", operation::EXPORT, vec![key()]),
        ("Re-key", operation::RE_KEY, vec![key()]),
        (
            "Derive Key",
            operation::DERIVE_KEY,
            vec![
                enumeration(tag::OBJECT_TYPE, 2),
                key(),
                enumeration(tag::DERIVATION_METHOD, 3),
                parameters,
                new,
            ],
        ),
        ("Modify Attribute", operation::MODIFY_ATTRIBUTE, vec![key(), contact]),
    ]
}

/// Nothing is left of a deleted key.
fn deleted(client: &mut Client, id: &str, name: &str) {
    assert_eq!(client.locate(name), Vec::<String>::new());
    assert!(client.key(id).is_err(), "a deleted key was given out");
    assert!(client.encrypt(id, &[7; 16], b"data").is_err(), "a deleted key encrypted");
    assert!(client.on(operation::DESTROY, id).is_err(), "a deleted key was destroyed");
}
