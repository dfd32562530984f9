//! Uses of a token's keys by an application, as the audit log has them where `audit.uses` says so.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::audit::{Reason, Verdict};
use hsm_core::config::Config;
use hsm_core::error::Error;
use hsm_core::hsm::Hsm;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::session::{Access, Kind, ObjectHandle, Output, Role, Session};
use hsm_core::store::{self, PartitionId, RecordId};
use kit::*;
use serde_json::Value as Json;

/// What a door would call an outcome.
fn reason(error: &Error) -> Reason {
    let (code, name) = match error {
        Error::KeyFunctionNotPermitted => (1, "NotPermitted"),
        Error::SignatureInvalid => (2, "SignatureInvalid"),
        Error::ContextLoginNeeded => (3, "LoginNeeded"),
        Error::AttributeSensitive(_) => (4, "Sensitive"),
        Error::NoSuchKey => (5, "NoSuchKey"),
        Error::KeyUnextractable => (6, "Unextractable"),
        Error::WrappedKeyInvalid => (7, "WrappedKeyInvalid"),
        Error::EncryptedDataInvalid => (8, "EncryptedDataInvalid"),
        _ => (99, "Other"),
    };
    Reason { code, name }
}

/// An HSM whose uses are treated like this, and the user's session on it as an application's library has it.
struct Library {
    fresh: Fresh,
    hsm: Arc<Hsm>,
    session: Arc<Session>,
    before: usize,
}

impl Library {
    fn with(uses: &str) -> Library {
        let fresh = Fresh::configured(&format!("audit.uses = '{uses}'\naudit.changes = false\n"));
        let (hsm, session) = Library::open(&fresh);
        let before = events(&fresh.hsm).len();
        Library { fresh, hsm, session, before }
    }

    fn open(fresh: &Fresh) -> (Arc<Hsm>, Arc<Session>) {
        let hsm = Hsm::for_library(Config::for_home(fresh.home.path()).unwrap(), "library", reason);
        let session = partition(&hsm).open_session(Access::ReadWrite).unwrap();
        session.login(Role::User, USER_PIN).unwrap();
        (hsm, session)
    }

    /// The new events, with what was counted.
    fn events(&self) -> Vec<Json> {
        self.hsm.flush_uses().unwrap();
        events(&self.fresh.hsm).split_off(self.before)
    }

    /// Actions, outcomes and counts.
    fn told(&self) -> Vec<String> {
        let mut told: Vec<String> = self.events().iter().map(words).collect();
        told.sort();
        told
    }

    fn aes(&self, more: &[u64]) -> ObjectHandle {
        aes(&self.session, true, more)
    }
}

fn aes(session: &Session, on_token: bool, more: &[u64]) -> ObjectHandle {
    let mut template = vec![flag(CKA_TOKEN, on_token), flag(CKA_PRIVATE, true), number(CKA_VALUE_LEN, 32)];
    template.extend(more.iter().map(|kind| flag(*kind, true)));
    session.generate_key(&Mechanism::plain(CKM_AES_KEY_GEN), template).unwrap()
}

fn events(hsm: &Hsm) -> Vec<Json> {
    let mut events = Vec::new();
    let verdict = hsm.read_audit_log(0, &mut |entry| {
        events.push(serde_json::from_str(&entry.json).unwrap());
        Ok(())
    });
    assert!(matches!(verdict.unwrap(), None | Some(Verdict::Whole { .. })));
    events
}

fn words(event: &Json) -> String {
    let text = |at: &str| event.pointer(at).and_then(Json::as_str).unwrap_or_default();
    let outcome = if event.get("reason").is_some() { text("/reason/reasonType") } else { "done" };
    format!("{} {outcome} {}", text("/action"), event["count"])
}

/// The identifier of an object as events name it.
fn id(session: &Session, object: ObjectHandle) -> String {
    String::from_utf8(value(session, object, CKA_UNIQUE_ID)).unwrap()
}

fn encrypt(session: &Session, key: ObjectHandle) -> hsm_core::Result<Vec<u8>> {
    session.encrypt_init(&cbc_pad(), key)?;
    let mut out = vec![0; 64];
    let length = session.encrypt(b"message", Output::Buffer(&mut out))?;
    out.truncate(length);
    Ok(out)
}

fn verify(session: &Session, key: ObjectHandle, signature: &[u8]) -> hsm_core::Result<()> {
    session.verify_init(&Mechanism::plain(CKM_ECDSA_SHA256), key)?;
    session.verify(b"message", signature)
}

/// Every way to use a key of the token, some of them more than once.
fn use_everything(library: &Library) {
    let session = &library.session;
    let key = library.aes(&[CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_EXTRACTABLE]);
    for _ in 0..3 {
        encrypt(session, key).unwrap();
    }
    session.decrypt_init(&cbc_pad(), key).unwrap();
    session.decrypt(&encrypt(session, key).unwrap(), Output::Buffer(&mut [0; 64])).unwrap();
    let (public, private) = generate_ec(session, "pair");
    let signature = sign(session, CKM_ECDSA_SHA256, private, b"message").unwrap();
    verify(session, public, &signature).unwrap();
    let mut mac = secret(true, "mac", CKK_GENERIC_SECRET, &[7; 32]);
    mac.extend([flag(CKA_SIGN, true), flag(CKA_SENSITIVE, false), flag(CKA_EXTRACTABLE, true)]);
    let mac = session.create_object(mac).unwrap();
    sign(session, CKM_SHA256_HMAC, mac, b"message").unwrap();
    assert_eq!(value(session, mac, CKA_VALUE), [7; 32]);
    session.digest_init(&Mechanism::plain(CKM_SHA256)).unwrap();
    session.digest_key(mac).unwrap();
    session.cancel(Kind::Digest).unwrap();
    session.copy_object(mac, vec![flag(CKA_TOKEN, false)]).unwrap();
    let wrap = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let mut wrapped = [0; 64];
    let length = session.wrap_key(&wrap, key, mac, Output::Buffer(&mut wrapped)).unwrap();
    let template =
        vec![number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, CKK_AES), flag(CKA_TOKEN, false)];
    session.unwrap_key(&wrap, key, &wrapped[..length], template).unwrap();
    let (public, private) = {
        let mut public = token(false, "agrees");
        public.push(bytes(CKA_EC_PARAMS, P256));
        let mut private = token(true, "agrees");
        private.push(flag(CKA_DERIVE, true));
        session.generate_key_pair(&Mechanism::plain(CKM_EC_KEY_PAIR_GEN), public, private).unwrap()
    };
    let point = value(session, public, CKA_EC_POINT);
    let parameter = Parameter::Ecdh { kdf: CKD_NULL, shared: vec![], public: point };
    let agreement = Mechanism { kind: CKM_ECDH1_DERIVE, parameter };
    session.derive_key(&agreement, private, vec![flag(CKA_TOKEN, false)]).unwrap();
    use_recovery(session);
}

fn use_recovery(session: &Session) {
    let mut public = token(false, "rsa");
    public.extend([number(CKA_MODULUS_BITS, 2048), flag(CKA_VERIFY_RECOVER, true)]);
    let mut private = token(true, "rsa");
    private.push(flag(CKA_SIGN_RECOVER, true));
    let pair = Mechanism::plain(CKM_RSA_PKCS_KEY_PAIR_GEN);
    let (public, private) = session.generate_key_pair(&pair, public, private).unwrap();
    let mut signature = [0; 256];
    session.sign_recover_init(&Mechanism::plain(CKM_RSA_PKCS), private).unwrap();
    session.sign_recover(b"message", Output::Buffer(&mut signature)).unwrap();
    session.verify_recover_init(&Mechanism::plain(CKM_RSA_PKCS), public).unwrap();
    session.verify_recover(&signature, Output::Buffer(&mut [0; 256])).unwrap();
}

const EVERYTHING: [&str; 13] = [
    "library.copy-object done 1",
    "library.decrypt done 1",
    "library.derive-key done 1",
    "library.digest-key done 1",
    "library.encrypt done 4",
    "library.get-attribute-value done 1",
    "library.sign done 1",
    "library.sign done 1",
    "library.sign-recover done 1",
    "library.unwrap-key done 1",
    "library.verify done 1",
    "library.verify-recover done 1",
    "library.wrap-key done 1",
];

#[test]
fn every_use_is_counted_by_key_and_operation() {
    let library = Library::with("buffered");
    use_everything(&library);
    assert!(library.hsm.uses_wait());
    assert_eq!(events(&library.fresh.hsm).len(), library.before, "nothing is written before its time");
    assert_eq!(library.told(), EVERYTHING);
    assert!(!library.hsm.uses_wait());
    let event = &library.events()[0];
    assert_eq!((&event["class"], &event["severity"]), (&"use".into(), &"normal".into()));
    assert_eq!(event["target"]["name"], "token");
    assert_eq!(event["target"]["typeURI"], "hsm/object");
    let name = event["initiator"]["name"].as_str().unwrap();
    assert!(name.ends_with(&format!("[{}]", std::process::id())), "{name}");
}

#[test]
fn nothing_is_recorded_where_nobody_wants_it() {
    for file in ["", "audit.uses = 'off'\n"] {
        let fresh = Fresh::configured(&format!("audit.changes = false\n{file}"));
        let (hsm, session) = Library::open(&fresh);
        let library = Library { fresh, hsm, session, before: 0 };
        use_everything(&library);
        assert!(!library.hsm.uses_wait());
        library.hsm.flush_audit();
        assert_eq!(library.hsm.read_audit_log(0, &mut |_| Ok(())).unwrap(), None, "{file}");
    }
}

#[test]
fn other_doors_record_no_uses_of_their_own_hands() {
    let fresh = Fresh::configured("audit.uses = 'durable'\n");
    let session = fresh.user();
    let key = aes(&session, true, &[CKA_ENCRYPT]);
    let before = events(&fresh.hsm).len();
    encrypt(&session, key).unwrap();
    assert_eq!(events(&fresh.hsm).len(), before);
}

#[test]
fn what_is_durable_is_in_the_log_before_the_answer() {
    let library = Library::with("durable");
    let key = library.aes(&[CKA_ENCRYPT]);
    for number in 1..=3 {
        encrypt(&library.session, key).unwrap();
        let events = events(&library.fresh.hsm);
        assert_eq!(events.len(), library.before + number);
        assert_eq!(words(events.last().unwrap()), "library.encrypt done 1");
        assert_eq!(events.last().unwrap()["target"]["id"], id(&library.session, key));
    }
    assert!(!library.hsm.uses_wait());
}

#[test]
fn what_wraps_and_what_is_wrapped_are_both_named() {
    let library = Library::with("buffered");
    let session = &library.session;
    let (key, other) = (library.aes(&[CKA_WRAP, CKA_EXTRACTABLE]), aes(session, false, &[CKA_WRAP]));
    let wrapped = library.aes(&[CKA_EXTRACTABLE]);
    let wrap = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let into = |wrapping, key| session.wrap_key(&wrap, wrapping, key, Output::Buffer(&mut [0; 64]));
    into(key, wrapped).unwrap();
    into(key, wrapped).unwrap();
    into(other, wrapped).unwrap();
    let mut events = library.events();
    // Both may have begun in the same millisecond.
    events.sort_by_key(|event| std::cmp::Reverse(words(event)));
    assert_eq!(
        events.iter().map(words).collect::<Vec<_>>(),
        ["library.wrap-key done 2", "library.wrap-key done 1"]
    );
    let both = Json::from(vec![id(session, wrapped), id(session, key)]);
    assert_eq!(events[0]["responseData"]["objects"], both);
    assert_eq!(events[1]["target"]["id"], id(session, wrapped));
}

#[test]
fn refused_uses_have_the_reason_of_the_door() {
    let library = Library::with("buffered");
    let session = &library.session;
    let key = library.aes(&[CKA_ENCRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SENSITIVE]);
    let wrap = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let locked = aes(session, true, &[]);
    session.set_attributes(locked, vec![flag(CKA_ENCRYPT, false)]).unwrap();
    assert!(encrypt(session, locked).is_err());
    assert!(encrypt(session, locked).is_err());
    assert!(matches!(session.view(key).unwrap().attribute(CKA_VALUE), Err(Error::AttributeSensitive(_))));
    assert!(matches!(session.view(key).unwrap().measured(CKA_VALUE), Err(Error::AttributeSensitive(_))));
    let unwrapped = vec![number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, CKK_AES)];
    assert!(session.unwrap_key(&wrap, key, &[7; 40], unwrapped).is_err());
    let fixed = {
        let mut template = token(true, "fixed");
        template.extend([number(CKA_VALUE_LEN, 32), flag(CKA_EXTRACTABLE, false)]);
        session.generate_key(&Mechanism::plain(CKM_AES_KEY_GEN), template).unwrap()
    };
    assert!(session.wrap_key(&wrap, key, fixed, Output::Length).is_err());
    let (public, private) = generate_ec(session, "pair");
    let mut signature = sign(session, CKM_ECDSA_SHA256, private, b"message").unwrap();
    signature[20] ^= 1;
    assert!(verify(session, public, &signature).is_err());
    // Destroyed while the operation runs.
    session.encrypt_init(&cbc_pad(), key).unwrap();
    destroy_elsewhere(&library, key);
    assert!(session.encrypt(b"message", Output::Buffer(&mut [0; 64])).is_err());
    // A handle that names nothing names no key of the token.
    assert!(encrypt(session, ObjectHandle(12345)).is_err());
    let events = library.events();
    let expected = [
        "library.encrypt NoSuchKey 1",
        "library.encrypt NotPermitted 2",
        "library.get-attribute-value Sensitive 2",
        "library.sign done 1",
        "library.unwrap-key WrappedKeyInvalid 1",
        "library.verify SignatureInvalid 1",
        "library.wrap-key Unextractable 1",
    ];
    let mut told: Vec<String> = events.iter().map(words).collect();
    told.sort();
    assert_eq!(told, expected);
    assert!(
        events
            .iter()
            .filter(|event| event["outcome"] == "failure")
            .all(|event| event["severity"] == "warning")
    );
    let permitted = events.iter().find(|event| words(event).contains("NotPermitted")).unwrap();
    assert_eq!(permitted["target"]["id"], id(session, locked));
}

/// Destroys a key in another process, where its handle is another one.
fn destroy_elsewhere(library: &Library, key: ObjectHandle) {
    let (other, wanted) = (Other::user(library.fresh.home.path()), id(&library.session, key));
    let found = find(&other.session, vec![bytes(CKA_UNIQUE_ID, wanted)]).unwrap();
    other.session.destroy_object(found[0]).unwrap();
}

#[test]
fn a_use_is_one_whatever_number_of_parts_it_has() {
    let library = Library::with("buffered");
    let session = &library.session;
    let key = library.aes(&[CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN]);
    let mut out = [0; 64];
    // Given out, and finished.
    session.encrypt_init(&cbc_pad(), key).unwrap();
    for _ in 0..3 {
        session.encrypt_update(&[7; 16], Output::Length).unwrap();
        session.encrypt_update(&[7; 16], Output::Buffer(&mut out)).unwrap();
    }
    session.encrypt_final(Output::Length).unwrap();
    session.encrypt_final(Output::Buffer(&mut out)).unwrap();
    assert_eq!(library.told(), ["library.encrypt done 1"]);
    // Given out, and given up.
    session.encrypt_init(&cbc_pad(), key).unwrap();
    session.encrypt_update(&[7; 32], Output::Buffer(&mut out)).unwrap();
    assert_eq!(library.told().len(), 2, "when the first part is given out");
    session.cancel(Kind::Encrypt).unwrap();
    // Nothing was given out.
    session.encrypt_init(&cbc_pad(), key).unwrap();
    session.encrypt(b"message", Output::Length).unwrap();
    assert!(matches!(
        session.encrypt(b"message", Output::Buffer(&mut out[..3])),
        Err(Error::BufferTooSmall { .. })
    ));
    session.cancel(Kind::Encrypt).unwrap();
    session.sign_init(&Mechanism::plain(CKM_AES_CMAC), key).unwrap();
    session.sign_update(b"part").unwrap();
    session.cancel(Kind::Sign).unwrap();
    assert_eq!(library.told().len(), 2);
    // Given out, and then refused: both are told.
    session.decrypt_init(&cbc_pad(), key).unwrap();
    session.decrypt_update(&[7; 48], Output::Buffer(&mut out)).unwrap();
    assert!(session.decrypt_final(Output::Buffer(&mut out)).is_err());
    let told = library.told();
    assert_eq!(told[..2], ["library.decrypt EncryptedDataInvalid 1", "library.decrypt done 1"]);
}

#[test]
fn a_key_that_asks_for_its_pin_tells_who_did_not_give_it() {
    let library = Library::with("buffered");
    let session = &library.session;
    let mut private = token(true, "careful");
    private.push(flag(CKA_ALWAYS_AUTHENTICATE, true));
    let mut public = token(false, "careful");
    public.push(bytes(CKA_EC_PARAMS, P256));
    let pair = Mechanism::plain(CKM_EC_KEY_PAIR_GEN);
    let (_, key) = session.generate_key_pair(&pair, public, private).unwrap();
    session.sign_init(&Mechanism::plain(CKM_ECDSA_SHA256), key).unwrap();
    let mut out = [0; 64];
    assert!(matches!(session.sign(b"x", Output::Buffer(&mut out)), Err(Error::ContextLoginNeeded)));
    session.login_context(USER_PIN).unwrap();
    session.sign(b"x", Output::Buffer(&mut out)).unwrap();
    assert_eq!(library.told(), ["library.sign LoginNeeded 1", "library.sign done 1"]);
}

#[test]
fn keys_of_sessions_alone_are_not_recorded() {
    let library = Library::with("buffered");
    let session = &library.session;
    let key = aes(session, false, &[CKA_ENCRYPT, CKA_WRAP, CKA_EXTRACTABLE]);
    encrypt(session, key).unwrap();
    session.set_attributes(key, vec![flag(CKA_ENCRYPT, false)]).unwrap();
    assert!(encrypt(session, key).is_err());
    session.copy_object(key, vec![label("copy")]).unwrap();
    // No key, whose value is no secret.
    let data = session.create_object(data(true, "data", b"value")).unwrap();
    assert_eq!(value(session, data, CKA_VALUE), b"value");
    assert_eq!(library.told(), [""; 0]);
}

/// Takes the head of the log away, so that nothing is appended any more.
fn damage_the_log(library: &Library) {
    const LOG: PartitionId = PartitionId([0xff; 16]);
    let store = store::open(&Config::for_home(library.fresh.home.path()).unwrap().store).unwrap();
    store
        .write(LOG, &mut |writer| {
            let head = RecordId([0xff; 16]);
            let revision = writer.revision(LOG, head)?.unwrap();
            Ok(writer.remove(LOG, head, revision)?)
        })
        .unwrap();
}

#[test]
fn what_cannot_be_recorded_and_has_to_be_is_not_given_out() {
    let library = Library::with("durable");
    let session = &library.session;
    let key = library.aes(&[CKA_ENCRYPT, CKA_WRAP, CKA_UNWRAP, CKA_EXTRACTABLE]);
    session.set_attributes(key, vec![label("key")]).unwrap();
    let wrap = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let mut wrapped = [0; 64];
    let length = session.wrap_key(&wrap, key, key, Output::Buffer(&mut wrapped)).unwrap();
    damage_the_log(&library);
    let damaged = |done: hsm_core::Result<usize>| matches!(done, Err(Error::RecordDamaged { .. }));
    let mut out = [1; 64];
    session.encrypt_init(&cbc_pad(), key).unwrap();
    assert!(damaged(session.encrypt(b"message", Output::Buffer(&mut out))));
    assert_eq!(out, [0; 64], "what was encrypted is taken back");
    let ended = session.encrypt(b"message", Output::Length);
    assert!(matches!(ended, Err(Error::OperationNotInitialised)), "{ended:?}");
    session.encrypt_init(&cbc_pad(), key).unwrap();
    out.fill(1);
    assert!(damaged(session.encrypt_update(&[7; 32], Output::Buffer(&mut out))));
    assert_eq!(out, [0; 64]);
    out.fill(1);
    assert!(damaged(session.wrap_key(&wrap, key, key, Output::Buffer(&mut out))));
    assert_eq!(out, [0; 64]);
    let mut template = token(true, "unwrapped");
    template.extend([number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, CKK_AES)]);
    assert!(session.unwrap_key(&wrap, key, &wrapped[..length], template).is_err());
    assert_eq!(find(session, vec![label("unwrapped")]).unwrap(), []);
    let view = session.view(key).unwrap();
    for _ in 0..2 {
        assert!(matches!(view.attribute(CKA_VALUE), Err(Error::RecordDamaged { .. })));
    }
    // What is refused anyway says why.
    session.set_attributes(key, vec![flag(CKA_ENCRYPT, false)]).unwrap();
    assert!(matches!(encrypt(session, key), Err(Error::KeyFunctionNotPermitted)));
}

#[test]
fn what_is_only_counted_keeps_nobody_from_using_keys() {
    let library = Library::with("buffered");
    let key = library.aes(&[CKA_ENCRYPT]);
    library.session.set_attributes(key, vec![label("key")]).unwrap();
    damage_the_log(&library);
    encrypt(&library.session, key).unwrap();
    assert!(library.hsm.flush_uses().is_err());
    assert!(library.hsm.uses_wait(), "it is tried again");
    // Nor does a log that was damaged before.
    let (hsm, session) = Library::open(&library.fresh);
    let key = the(&session, "key");
    encrypt(&session, key).unwrap();
    assert!(hsm.flush_uses().is_err() || !hsm.uses_wait());
}
