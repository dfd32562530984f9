//! Logins and sessions from the core's API, where several threads come and go: what one thread ends is
//! not brought back by another that was still at it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::config::Config;
use hsm_core::hsm::Hsm;
use hsm_core::mechanism::Mechanism;
use hsm_core::object::{Template, Value};
use hsm_core::partition::Partition;
use hsm_core::session::{Access, LoginState, Role, Session};
use hsm_core::unit::ceremony;

const SO_PIN: &[u8] = b"12345678";
const PIN: &[u8] = b"1234";

struct Token {
    partition: Arc<Partition>,
    _hsm: Arc<Hsm>,
    _home: tempfile::TempDir,
}

/// A partition with both PINs set, and nobody logged in.
fn token() -> Token {
    let home = tempfile::tempdir().unwrap();
    let hsm = Hsm::new(Config::for_home(home.path()).unwrap());
    hsm.initialise(&ceremony::Options::default(), &mut |_| {}).unwrap();
    let partition = hsm.create_partition(&[b' '; 32], SO_PIN).unwrap();
    let session = partition.open_session(Access::ReadWrite).unwrap();
    session.login(Role::So, SO_PIN).unwrap();
    session.init_pin(PIN).unwrap();
    partition.close_session(&session);
    Token { partition, _hsm: hsm, _home: home }
}

impl Token {
    fn session(&self) -> Arc<Session> {
        self.partition.open_session(Access::ReadWrite).unwrap()
    }

    fn user(&self) -> Arc<Session> {
        let session = self.session();
        session.login(Role::User, PIN).unwrap();
        session
    }
}

fn pair(session: &Session, private: Template) -> hsm_core::Result<()> {
    let p256 = Value::Bytes(vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
    let mechanism = Mechanism::plain(CKM_EC_KEY_PAIR_GEN);
    session.generate_key_pair(&mechanism, vec![(CKA_EC_PARAMS, p256)], private).map(|_| ())
}

#[test]
fn a_login_that_outlives_the_last_session_is_none() {
    let token = token();
    for delay in [0, 1, 3, 10, 30] {
        let session = token.session();
        thread::scope(|scope| {
            let login = scope.spawn(|| session.login(Role::User, PIN));
            thread::sleep(Duration::from_millis(delay));
            token.partition.close_session(&session);
            let outcome = login.join().unwrap();
            assert!(matches!(outcome, Ok(()) | Err(Error::NoSuchSession)), "{outcome:?}");
        });
        assert_eq!(token.partition.login_state(), LoginState::Public, "after {delay} ms");
    }
}

#[test]
fn of_two_logins_at_once_one_wins() {
    let token = token();
    let session = token.session();
    let (user, so) = thread::scope(|scope| {
        let user = scope.spawn(|| session.login(Role::User, PIN));
        let so = scope.spawn(|| session.login(Role::So, SO_PIN));
        (user.join().unwrap(), so.join().unwrap())
    });
    let expected = match (&user, &so) {
        (Ok(()), Err(Error::AnotherLoggedIn)) => LoginState::User,
        (Err(Error::AnotherLoggedIn), Ok(())) => LoginState::So,
        _ => panic!("{user:?}, {so:?}"),
    };
    assert_eq!(token.partition.login_state(), expected);
}

#[test]
fn sessions_opened_while_the_last_one_closes_find_their_key() {
    let token = token();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let session = token.session();
                    session.find_init(Vec::new()).unwrap();
                    token.partition.close_session(&session);
                }
            });
        }
    });
}

#[test]
fn a_closed_session_makes_no_objects() {
    let token = token();
    let (kept, session) = (token.user(), token.session());
    token.partition.close_session(&session);
    let refused = session.create_object(vec![(CKA_CLASS, Value::Number(CKO_DATA))]);
    assert!(matches!(refused, Err(Error::NoSuchSession)), "{refused:?}");
    kept.find_init(Vec::new()).unwrap();
    assert!(kept.find(10).unwrap().is_empty());
}

#[test]
fn a_key_that_asks_for_the_pin_at_each_use_is_private() {
    let token = token();
    let session = token.user();
    let template =
        |private| vec![(CKA_ALWAYS_AUTHENTICATE, Value::Bool(true)), (CKA_PRIVATE, Value::Bool(private))];
    let refused = pair(&session, template(false));
    assert!(matches!(refused, Err(Error::TemplateInconsistent(CKA_ALWAYS_AUTHENTICATE))), "{refused:?}");
    pair(&session, template(true)).unwrap();
}

#[test]
fn a_wrap_template_does_not_tell_a_hidden_value() {
    let token = token();
    let session = token.user();
    let wrapping = |guess: &[u8]| {
        let rule = Value::Template(vec![(CKA_VALUE, Value::Bytes(guess.to_vec()))]);
        let length = (CKA_VALUE_LEN, Value::Number(32));
        session
            .generate_key(&Mechanism::plain(CKM_AES_KEY_GEN), vec![length, (CKA_WRAP_TEMPLATE, rule)])
            .unwrap()
    };
    let hidden = vec![
        (CKA_CLASS, Value::Number(CKO_SECRET_KEY)),
        (CKA_KEY_TYPE, Value::Number(CKK_GENERIC_SECRET)),
        (CKA_VALUE, Value::Bytes(vec![7])),
        (CKA_SENSITIVE, Value::Bool(true)),
        (CKA_EXTRACTABLE, Value::Bool(true)),
    ];
    let hidden = session.create_object(hidden).unwrap();
    for guess in [&[7], &[8]] {
        let mechanism = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
        let refused =
            session.wrap_key(&mechanism, wrapping(guess), hidden, hsm_core::session::Output::Length);
        assert!(matches!(refused, Err(Error::KeyNotWrappable)), "{refused:?}");
    }
}

#[test]
fn a_value_that_is_too_long_is_refused_in_a_change_too() {
    let token = token();
    let session = token.user();
    let object = session.create_object(vec![(CKA_CLASS, Value::Number(CKO_DATA))]).unwrap();
    let label = |length| vec![(CKA_LABEL, Value::Bytes(vec![b'x'; length]))];
    session.set_attributes(object, label(1 << 20)).unwrap();
    let refused = session.set_attributes(object, label((1 << 20) + 1));
    assert!(matches!(refused, Err(Error::AttributeValueInvalid(CKA_LABEL))), "{refused:?}");
}
