//! Power lost at every write of a change: what is there afterwards is what was there before.

use super::{Caller, Filter, Kms};
use crate::error::{Error, Result};
use crate::kms::{Aad, Actor, Description, KeyRecord, KeyState, Kind, Removal};
use crate::object::find::Search;
use crate::partition::testing::{fail_after, user};
use crate::session::Session;

const NOW: i64 = 1_700_000_000;

fn at(session: &Session, now: i64) -> Kms<'_> {
    let actor = Actor { id: "alice".into(), name: "Alice".into() };
    session.kms(Caller { actor, now, trail: None, host: None })
}

/// All that there is of keys: what is known of each, what other doors find, and whether what was wrapped unwraps.
fn seen(session: &Session, id: &str, text: &str) -> (Vec<KeyRecord>, usize, Option<Vec<u8>>, usize) {
    let kms = at(session, NOW);
    let mut keys = Vec::new();
    for state in [KeyState::Active, KeyState::Destroyed] {
        keys.extend(kms.list(&Filter { states: vec![state], ..Filter::default() }).unwrap().keys);
    }
    let objects = session.partition().search(&Search::new(Vec::new())).unwrap().len();
    let unwrapped = kms.unwrap(id, text, &Aad::default()).ok();
    let plaintext = unwrapped.map(|unwrapped| unwrapped.plaintext.expose().to_vec());
    (keys, objects, plaintext, kms.registrations(None, Some("crn")).unwrap().len())
}

/// Does something with a key again and again, each time cut one write later, until it succeeds; answers at how
/// many writes it was cut.
fn cut_at_each_write(session: &Session, (id, text): (&str, &str), act: &dyn Fn() -> Result<()>) -> usize {
    let before = seen(session, id, text);
    for writes in 0..1000 {
        fail_after(Some(writes));
        let done = act();
        fail_after(None);
        match done {
            Ok(()) => {
                assert_ne!(seen(session, id, text), before, "nothing was done");
                return writes;
            }
            Err(Error::Store(_)) => assert_eq!(seen(session, id, text), before, "cut after {writes} writes"),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it never succeeds");
}

#[test]
fn a_change_that_is_cut_leaves_what_was_there() {
    let (_home, _hsm, session) = user();
    let kms = at(&session, NOW);
    let said = Description { aliases: vec!["alias".into()], ..Description::new(Kind::Root, "a key") };
    let id = kms.create(said, None).unwrap().id.to_string();
    kms.register(&id, "crn", false, None).unwrap();
    let text = kms.wrap(&id, Some(b"dek"), &Aad::default()).unwrap().ciphertext;
    let key = (id.as_str(), text.as_str());
    let another = Description { aliases: vec!["other".into()], ..Description::new(Kind::Root, "another") };
    let later = at(&session, NOW + 100 * 86_400);
    let steps: [(&str, &dyn Fn() -> Result<()>); 6] = [
        ("create", &|| kms.create(another.clone(), None).map(drop)),
        ("rotate", &|| kms.rotate(&id, None).map(drop)),
        ("delete", &|| kms.delete(&id, Removal::Forced).map(drop)),
        ("restore", &|| at(&session, NOW + 60).restore(&id).map(drop)),
        ("delete", &|| kms.delete(&id, Removal::Forced).map(drop)),
        ("purge", &|| later.purge(&id)),
    ];
    for (name, act) in steps {
        let writes = cut_at_each_write(&session, key, act);
        assert!(writes >= 4, "{name} has {writes} writes");
    }
}
